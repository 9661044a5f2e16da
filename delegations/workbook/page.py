"""What the sheets of the delegations' workbook have in common: where their figures come from, head and foot."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from django.db.models import Max, QuerySet
from django.utils import timezone
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from delegations.budget import Line, lines
from delegations.models import Delegation, Destination, Material, PlanEvent, Visit
from delegations.personal.households import masked_name
from delegations.plans import Rulebook, plans
from reporting.models import Campaign
from reporting.workbooks.layout import (
    A4,
    BOLD,
    CENTRE,
    LEFT,
    SMALL,
    TITLE,
    WARNING,
    Book,
    height_of,
    print_setup,
    shade,
    text,
)
from reporting.workbooks.summary import SAMPLE

HEAD_ROW = 4  # title, what it is of, and unit or note stand above
FIRST_ROW = HEAD_ROW + 1
NARROW = 22.0  # columns up to this wide are centred
NO_SOURCE = "（未选来源）"


@dataclass(frozen=True)
class Households:
    """What `personal.reveal_for_export` gave out, for whom and why: printed on the sheet that shows it."""

    clear: dict[int, dict[str, str]]  # visit id → the five facts
    reason: str
    by: str
    at: datetime.datetime


@dataclass(frozen=True)
class Contents:
    """Everything a workbook shows, loaded in a constant number of queries."""

    rulebook: Rulebook
    delegations: list[Delegation]
    cube: list[Line]
    materials: list[Material]
    changed_at: datetime.datetime
    # Whether these are all delegations of the campaign: a ceiling can't be compared with a part.
    is_whole: bool
    # Delegations whose household files may be named: what a file is called may be a person's name.
    names_household_files: frozenset[int] = field(default_factory=frozenset)

    @property
    def campaign(self) -> Campaign:
        return self.rulebook.campaign


def load(
    campaign: Campaign,
    delegations: QuerySet[Delegation],
    *,
    names_household_files: Callable[[Delegation], bool] = lambda _: True,
) -> Contents:
    """`delegations`: the visible ones of this campaign. Twelve queries, whatever there is."""
    rows = plans(delegations)
    materials = Material.objects.filter(destination__delegation__in=delegations).select_related("by")
    changed = PlanEvent.objects.filter(campaign=campaign).aggregate(at=Max("at"))["at"]
    return Contents(
        rulebook=Rulebook.of(campaign),
        delegations=rows,
        cube=lines(delegations),
        materials=list(materials),
        changed_at=changed or campaign.opens_at,
        is_whole=len(rows) == Delegation.objects.filter(campaign=campaign).count(),
        names_household_files=frozenset(d.pk for d in rows if names_household_files(d)),
    )


# -- what the sheets share ---------------------------------------------------------------------------------


def group(delegation: Delegation) -> str:
    return f"第{delegation.number}组"


def page(book: Book, contents: Contents, title: str, name: str, widths: tuple[float, ...]) -> Worksheet:
    """A sheet with its title in row 1 and what it is of in row 2."""
    sheet = book.sheet(title, widths)
    sheet.sheet_view.showGridLines = False
    across = len(widths)
    text(sheet, 1, 1, f"{contents.campaign.title}{name}", font=TITLE, align=CENTRE, across=across)
    about = _about(contents)
    is_warning = contents.campaign.is_sample
    text(sheet, 2, 1, about, font=WARNING if is_warning else SMALL, align=CENTRE, across=across)
    sheet.row_dimensions[1].height = 34
    sheet.row_dimensions[2].height = height_of([(about, sum(widths))], least=20)
    return sheet


def _about(contents: Contents) -> str:
    campaign = contents.campaign
    said = [campaign.notice_number]
    if not contents.is_whole:
        said.append("仅含" + "、".join(str(d) for d in contents.delegations))
    open_ones = [d for d in contents.delegations if d.state == Delegation.State.PLANNING]
    if open_ones and len(open_ones) == len(contents.delegations):
        said.append("草稿：计划尚未锁定")
    elif open_ones:
        said.append("草稿：" + "、".join(group(d) for d in open_ones) + "计划尚未锁定")
    said += [SAMPLE] if campaign.is_sample else []
    return " · ".join(said)


def head(sheet: Worksheet, names: Iterable[str], row: int = HEAD_ROW) -> None:
    """The names of the columns; the page repeats this row."""
    names = list(names)
    for column, name in enumerate(names, 1):
        text(sheet, row, column, name, font=BOLD, align=CENTRE)
    shade(sheet, row, range(1, len(names) + 1))
    sheet.row_dimensions[row].height = 32


def foot(
    sheet: Worksheet,
    contents: Contents,
    *,
    repeat: int = HEAD_ROW,
    landscape: bool = True,
    warning: str = "",
    pages_down: int = 0,
) -> None:
    """A4, as wide as the page, numbered pages, the head on each; `pages_down` 0: as many as it takes."""
    changed = f"{timezone.localtime(contents.changed_at):%Y年%-m月%-d日 %H:%M}"
    what = f"{contents.campaign.year}年慰问组走访安排  数据截至 {changed}" + (
        f"  {warning}" if warning else ""
    )
    print_setup(
        sheet,
        paper=A4,
        landscape=landscape,
        footer=what,
        repeat_rows=f"{repeat}:{repeat}",
        pages_down=pages_down,
    )


def name_of(visit: Visit) -> str:
    """A household's is masked."""
    return masked_name(visit) if visit.kind == Visit.Kind.HOUSEHOLD else visit.name


def columns(spec: dict[str, float]) -> dict[str, int]:
    """Name of a column → its number; `spec` is name → width."""
    return {name: number for number, name in enumerate(spec, 1)}


def letters(spec: dict[str, float]) -> dict[str, str]:
    return {name: get_column_letter(number) for name, number in columns(spec).items()}


def yuan_width(fen: int, decimals: int, *, least: float = 11.0) -> float:
    """The width of a column whose largest figure, its total, is `fen`: printed bold, never as ####."""
    return max(least, len(f"{fen // 100:,}") * 1.2 + (3.6 if decimals else 0) + 2.5)


def with_widths(spec: dict[str, float], width: float, *names: str) -> dict[str, float]:
    return spec | dict.fromkeys(names, width)


def line_of_texts(sheet: Worksheet, row: int, spec: dict[str, float], values: dict[str, str]) -> None:
    """The text cells of one row; narrow columns are centred. Sets the height."""
    at = columns(spec)
    for name, value in values.items():
        text(sheet, row, at[name], value, align=CENTRE if spec[name] <= NARROW else LEFT)
    sheet.row_dimensions[row].height = height_of(((v, spec[n]) for n, v in values.items()), least=20)


def plan_visits(visits: Iterable[Visit], *standings: str) -> list[Visit]:
    """Visits in the notice's order of kinds."""
    order = list(Visit.Kind)
    chosen = [visit for visit in visits if visit.standing in standings]
    return sorted(chosen, key=lambda v: (order.index(Visit.Kind(v.kind)), v.position, v.pk))


@dataclass(frozen=True)
class Extent:
    """Where a sheet's rows of visits stand, for the formulas of other sheets."""

    sheet: str
    columns: tuple[str, ...]
    first: int
    last: int

    def span(self, name: str) -> str:
        letter = get_column_letter(self.columns.index(name) + 1)
        return f"'{self.sheet}'!${letter}${self.first}:${letter}${self.last}"


def emptiness(delegation: Delegation) -> str:
    return "（还没有走访单位）" if not delegation.destinations.all() else "（还没有走访对象）"


def decimals_of_all(contents: Contents, *names: str) -> int:
    """Two for the whole sheet as soon as one amount has parts of a yuan: points then stand in line."""
    visits = (v for d in contents.delegations for p in d.destinations.all() for v in p.visits.all())
    return 2 if any((getattr(visit, name) or 0) % 100 for visit in visits for name in names) else 0


def source_text(name: str | None, amount: int | None) -> str:
    """The words that the money sheet's formulas look for."""
    return name or (NO_SOURCE if amount else "")


def each_visit(delegation: Delegation, *standings: str) -> Iterator[tuple[Destination | None, Visit | None]]:
    """Every visit of these standings; a destination, or a delegation, without any stands for itself."""
    destinations = list(delegation.destinations.all())
    for destination in destinations:
        visits = plan_visits(destination.visits.all(), *standings)
        yield from ((destination, visit) for visit in visits)
        if not visits:
            yield destination, None
    if not destinations:
        yield None, None
