"""What the rounds of a filing say: the sealed figures beside those of another round and of last year.

Nothing here reads a working copy. What a reviewer sees is what was submitted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F

from reporting.fields import Indicator
from reporting.models import Campaign, Event, Filing, Remark, Round
from reporting.rules import QUERY
from reporting.sheets import Row, Sheet, sheets_for
from reporting.statistical import StatisticalForm

OWN, TOTAL = StatisticalForm.Scope.OWN, StatisticalForm.Scope.TOTAL

Sealed = dict[tuple[int, str, str], StatisticalForm]


def sealed_rows(sheets: Iterable[Sheet], rounds: Iterable[Round | None]) -> Sealed:
    """{(round id, form, scope): row}, one query a form."""
    ids = [round_.pk for round_ in rounds if round_ is not None]
    found: Sealed = {}
    for sheet in sheets:
        for row in sheet.form._default_manager.filter(round__in=ids):
            found[row.round_id or 0, sheet.slug, row.scope] = row
    return found


def last_year_round(filing: Filing) -> Round | None:
    """The round of the same union that stands approved in the campaign of the year before."""
    return (
        Round.objects.filter(
            filing__union=filing.union_id,
            filing__campaign__year=filing.campaign.year - 1,
            filing__state=Filing.State.APPROVED,
            filing__current_round=F("pk"),
        )
        .select_related("filing")
        .first()
    )


def difference(indicator: Indicator, old: int | None, new: int | None) -> str:
    """How a figure moved, with its sign: `+12`, `−0.5`; 是/否 and blanks in words."""
    if old == new:
        return ""
    if old is None or new is None or indicator.kind == "yesno":
        return f"{indicator.grouped(old) or '空白'} → {indicator.grouped(new) or '空白'}"
    return f"{'+' if new > old else '−'}{indicator.grouped(abs(new - old))}"


def growth(old: int | None, new: int | None) -> str:
    """Against last year, in per cent with one decimal; nothing where there is no ratio."""
    if old is None or new is None or old == new:
        return ""
    if old == 0:
        return "上年为 0"
    permille = round((new - old) * 1000 / old)
    return f"{'+' if permille >= 0 else '−'}{abs(permille) / 10:g}%"


@dataclass(frozen=True)
class ReviewCell:
    """One row of the table as the reviewer reads it. All texts; money in 万元."""

    row: Row
    name: str
    own: str
    below: str
    total: str
    own_was: str
    was: str
    change: str
    is_changed: bool
    last_year: str
    growth: str
    is_leap: bool
    opens_section: bool
    queries: tuple[dict[str, str], ...] = ()
    remarks: tuple[Remark, ...] = ()
    # What was asked in the round before, so that the answer can be held against it.
    asked_before: tuple[Remark, ...] = ()


@dataclass(frozen=True)
class ReviewForm:
    sheet: Sheet
    cells: tuple[ReviewCell, ...]
    explanations: tuple[dict[str, Any], ...]
    remarks: tuple[Remark, ...]

    @property
    def changed(self) -> int:
        return sum(cell.is_changed for cell in self.cells)


@dataclass(frozen=True)
class RoundView:
    """Everything one round says, and what it is compared with."""

    filing: Filing
    round: Round
    before: Round | None
    last_year: Round | None
    with_below: bool
    forms: tuple[ReviewForm, ...]
    remarks: tuple[Remark, ...] = field(default=())

    @property
    def remarked(self) -> list[str]:
        """Names of the cells that carry remarks, in the order of the sheets."""
        return [cell.name for form in self.forms for cell in form.cells if cell.remarks]

    @property
    def report_remarks(self) -> list[Remark]:
        return [remark for remark in self.remarks if remark.form == "report"]

    def columns(self) -> int:
        """How many columns stand right of the serial number, for a row that spans them."""
        return 4 + 2 * self.with_below + 2 * bool(self.before) + 2 * bool(self.last_year)


def view_round(filing: Filing, round_: Round) -> RoundView:
    """The given round beside the one before it and last year's. Nine queries, whatever the forms hold."""
    sheets = sheets_for(filing.campaign)
    before = Round.objects.filter(filing=filing, number=round_.number - 1).first()
    last_year = last_year_round(filing)
    sealed = sealed_rows(sheets, (round_, before, last_year))
    said = Remark.objects.filter(round__in=[r for r in (round_, before) if r]).select_related("by")
    remarks = tuple(remark for remark in said if remark.round_id == round_.pk)
    asked_before = tuple(remark for remark in said if remark.round_id != round_.pk)
    with_below = bool(round_.includes)
    forms = tuple(
        _review_form(sheet, round_, before, last_year, sealed, with_below, remarks, asked_before)
        for sheet in sheets
    )
    return RoundView(filing, round_, before, last_year, with_below, forms, remarks)


def _review_form(
    sheet: Sheet,
    round_: Round,
    before: Round | None,
    last_year: Round | None,
    sealed: Sealed,
    with_below: bool,
    remarks: tuple[Remark, ...],
    asked_before: tuple[Remark, ...],
) -> ReviewForm:
    def figures(which: Round | None, scope: str) -> dict[str, int | None]:
        row = sealed.get((which.pk, sheet.slug, scope)) if which else None
        return row.figures if row else {}

    own, total = figures(round_, OWN), figures(round_, TOTAL)
    own_then, total_then = figures(before, OWN), figures(before, TOTAL)
    total_last = figures(last_year, TOTAL)
    given = tuple(e for e in round_.explanations if e["form"] == sheet.slug)
    cells_of_rule = {rule.id: rule.cells for rule in sheet.rules if rule.level == QUERY}
    cells, section = [], 0
    for row in sheet.rows:
        code, indicator = row.code, sheet.fields[row.code]
        now_own, now_total = own.get(code), total.get(code)
        changed = bool(before) and (now_own != own_then.get(code) or now_total != total_then.get(code))
        rate = growth(total_last.get(code), now_total) if last_year and row.kind != "yesno" else ""
        cells.append(
            ReviewCell(
                row=row,
                name=f"{sheet.slug}:{code}",
                own=indicator.grouped(now_own),
                below=_below(indicator, now_own, now_total) if with_below else "",
                total=indicator.grouped(now_total),
                own_was=indicator.grouped(own_then.get(code))
                if changed and with_below and now_own != own_then.get(code)
                else "",
                was=indicator.grouped(total_then.get(code)),
                change=difference(indicator, total_then.get(code), now_total) if before else "",
                is_changed=changed,
                last_year=indicator.grouped(total_last.get(code)),
                growth=rate,
                is_leap=_is_leap(total_last.get(code), now_total) if rate else False,
                opens_section=row.section != section,
                queries=tuple(e for e in given if code in cells_of_rule.get(e["rule"], ())[:1]),
                remarks=tuple(r for r in remarks if r.form == sheet.slug and r.code == code),
                asked_before=tuple(r for r in asked_before if r.form == sheet.slug and r.code == code),
            )
        )
        section = row.section
    whole = tuple(r for r in remarks if r.form == sheet.slug)
    return ReviewForm(sheet, tuple(cells), given, whole)


def _below(indicator: Indicator, own: int | None, total: int | None) -> str:
    """What the subordinates contributed. 是 of a total does not say whose 是 it is unless the own is 否."""
    if total is None:
        return ""
    if indicator.kind == "yesno":
        return "—" if own else indicator.grouped(total)
    return indicator.grouped(total - (own or 0))


def _is_leap(old: int | None, new: int | None) -> bool:
    """Doubled or halved against last year: worth a second look, never an error."""
    if not old or new is None:
        return bool(new) and old == 0
    return new > 2 * old or 2 * new < old


@dataclass(frozen=True)
class ChangedCell:
    row: Row
    scope: str
    old: str
    new: str
    change: str


def compare(campaign: Campaign, old: Round, new: Round) -> list[tuple[Sheet, list[ChangedCell]]]:
    """The cells in which two rounds differ: own figures, and totals where they differ besides."""
    sheets = sheets_for(campaign)
    sealed = sealed_rows(sheets, (old, new))
    out = []
    for sheet in sheets:
        cells = []
        for row in sheet.rows:
            indicator = sheet.fields[row.code]
            moved = {}
            for scope in (OWN, TOTAL):
                then, now = sealed.get((old.pk, sheet.slug, scope)), sealed.get((new.pk, sheet.slug, scope))
                moved[scope] = (
                    then.figures[row.code] if then else None,
                    now.figures[row.code] if now else None,
                )
            for scope in (OWN, TOTAL):
                before, after = moved[scope]
                if before == after or (scope == TOTAL and moved[TOTAL] == moved[OWN]):
                    continue
                cells.append(
                    ChangedCell(
                        row=row,
                        scope=str(scope.label),
                        old=indicator.grouped(before) or "空白",
                        new=indicator.grouped(after) or "空白",
                        change=difference(indicator, before, after),
                    )
                )
        out.append((sheet, cells))
    return out


def changed_beside_figures(old: Round, new: Round) -> list[tuple[str, str, str]]:
    """(what, old, new) for the head and the report of two rounds."""
    names = {"filler_name": "填报人", "filler_phone": "电话", "filled_on": "填报日期"}
    out = [
        (label, str(old.head.get(name, "")), str(new.head.get(name, "")))
        for name, label in names.items()
        if old.head.get(name) != new.head.get(name)
    ]
    if old.report_id != new.report_id:
        out.append(("送温暖报告", _report_name(old), _report_name(new)))
    return out


def _report_name(round_: Round) -> str:
    return f"{round_.report.name}（第 {round_.report.number} 版）" if round_.report else "没有"


def events_of(filing: Filing) -> list[Event]:
    return list(filing.events.select_related("by", "acting_for", "round"))
