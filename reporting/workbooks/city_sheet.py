"""各市分表: one unit with everything directly below it, both forms one under the other, totals live."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from reporting.fields import Indicator, MoneyField, YesNoField
from reporting.sheets import Row
from reporting.summaries import SealedSheet, Unit, combine
from reporting.workbooks.comparison import Columns, compare, one_year_only, rows_of_either, write_notes
from reporting.workbooks.layout import (
    A3,
    BODY,
    BOLD,
    CENTRE,
    HEADING,
    MAX_DIGITS,
    ONE_LINE,
    RIGHT,
    SMALL,
    Book,
    box,
    decimals_of,
    digits_of,
    display_width,
    height_of,
    number_format,
    print_setup,
    shade,
    text,
)
from reporting.workbooks.official_table import row_head
from reporting.workbooks.part import Part
from reporting.workbooks.unit_table import PAGE_WIDTH

HEADS = {"序号": 6.0, "代码": 7.0, "项目": 46.0, "单位": 8.0}
TOTAL_COLUMN = len(HEADS) + 1
HEAD_ROW = 3  # title and facts stand above
_NOT_IN_A_TAB = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
LONGEST_TAB = 31


def cities_of(part: Part) -> list[Unit]:
    """The units of a part with something below them, in printed order."""
    opening = {unit.union.code: unit for units in part.units.values() for unit in units if unit.opens}
    return list(opening.values())


def tabs_of(names: Iterable[str], taken: Iterable[str]) -> list[str]:
    """Each name as a tab of its own: legal, short enough, unlike every other whatever the case."""
    used = {tab.casefold() for tab in (*taken, "History")}  # Excel keeps that one for itself
    tabs = []
    for name in names:
        stem = _NOT_IN_A_TAB.sub("", name).strip(" '") or "单位"
        tab, number = stem[:LONGEST_TAB], 1
        while tab.casefold() in used:
            number += 1
            tail = f"（{number}）"
            tab = stem[: LONGEST_TAB - len(tail)] + tail
        used.add(tab.casefold())
        tabs.append(tab)
    return tabs


@dataclass(frozen=True)
class Below:
    """What a unit is made of: its own figures and its subordinates', by form, and the columns they stand in."""

    figures: dict[str, dict[str, Unit]]  # slug → key → line
    names: dict[str, str]  # key → head, in printed order; "" is 本级

    @classmethod
    def of(cls, part: Part, unit: Unit) -> Below:
        figures: dict[str, dict[str, Unit]] = {}
        names: dict[str, str] = {}
        for slug, lines in part.below(unit).items():
            for line in lines:
                key = "" if line.part == "own" else line.union.code
                figures.setdefault(slug, {})[key] = line
                names.setdefault(key, _brief(line, unit) if key else "本级")
        return cls(figures, names)

    @property
    def subordinates(self) -> dict[str, str]:
        return {code: name for code, name in self.names.items() if code}


def _brief(line: Unit, above: Unit) -> str:
    """哈尔滨市南岗区总工会 below 哈尔滨市总工会 → 南岗区, from the names that were sealed."""
    name = line.round.union_name
    brief = name.removeprefix(above.round.union_name.removesuffix("总工会")).removesuffix("总工会")
    return f"{brief or name}（逾期）" if line.is_late else brief or name


def city_sheet(book: Book, part: Part, before: Part | None, unit: Unit, tab: str) -> None:
    below = Below.of(part, unit)
    first = TOTAL_COLUMN + (4 if before else 1)  # of 本级 and what is below
    columns = {key: first + number for number, key in enumerate(below.names)}
    figure_heads = [
        "合计",
        *([f"{before.year}年合计", "增减", "增减%"] if before else []),
        *below.names.values(),
    ]
    table = _Table(book, part, before, unit, below, columns)
    longest = max(table.longest(sheet) for sheet in part.sheets)
    widths = [*HEADS.values(), *(max(11.0, longest + 3.0) for _ in range(3 if before else 1))]
    widths += [10.0] if before else []
    widths += [max(11.0, table.longest_below(key) + 3.0) for key in below.names]
    page = book.sheet(tab, widths)
    text(page, 1, 1, f"{unit.name}分单位明细", font=HEADING, align=ONE_LINE)
    late = "逾期上报" if unit.is_late else ""
    what = part.facts(f"第 {unit.round.number} 轮", late, part.sample)
    text(page, 2, 1, what, font=SMALL, align=ONE_LINE)
    for column, name in enumerate((*HEADS, *figure_heads), 1):
        text(page, HEAD_ROW, column, name, font=BOLD, align=CENTRE)
    heads = zip(figure_heads, widths[len(HEADS) :], strict=True)
    page.row_dimensions[HEAD_ROW].height = height_of(heads, least=24)
    last_column = len(widths)
    row = HEAD_ROW + 1
    for sheet in part.sheets:
        row = table.write(page, sheet, row, last_column)
    for line in (HEAD_ROW, *table.bands):
        shade(page, line, range(1, last_column + 1))
    box(page, range(HEAD_ROW, row), range(1, last_column + 1))
    write_notes(page, row, last_column, min(sum(widths), PAGE_WIDTH), table.notes())
    page.freeze_panes = f"{get_column_letter(TOTAL_COLUMN)}{HEAD_ROW + 1}"
    print_setup(
        page,
        paper=A3,
        landscape=True,
        footer=f"{part.binding}  {unit.name}",
        repeat_rows=f"{HEAD_ROW}:{HEAD_ROW}",
        repeat_columns=f"A:{get_column_letter(TOTAL_COLUMN - 1)}",
        pages_across=max(1, math.ceil(sum(widths) / PAGE_WIDTH)),
    )


class _Table:
    """The forms of one unit on one page, under one head."""

    def __init__(
        self, book: Book, part: Part, before: Part | None, unit: Unit, below: Below, columns: dict[str, int]
    ) -> None:
        self.book, self.part, self.before, self.unit = book, part, before, unit
        self.below, self.columns = below, columns
        self.bands: list[int] = []

    def write(self, page: Worksheet, sheet: SealedSheet, row: int, last_column: int) -> int:
        """From line `row` on; the line after it."""
        self.bands.append(row)
        text(page, row, 1, f"{sheet.form.attachment}　{sheet.title}", font=BOLD, across=last_column)
        page.row_dimensions[row].height = 22
        earlier = self._earlier_sheet(sheet)
        rows = rows_of_either(sheet, earlier) if self.before else list(sheet.rows)
        lengths = Counter(printed.section for printed in rows)
        for number, printed in enumerate(rows, row + 1):
            row_head(page, number, printed, lengths[printed.section], BODY, BOLD)
            room = HEADS["项目"] - 2 * printed.depth
            page.row_dimensions[number].height = height_of([(printed.label, room)])
            self._figures(page, sheet, printed, number)
        return row + 1 + len(rows)

    def _figures(self, page: Worksheet, sheet: SealedSheet, printed: Row, row: int) -> None:
        field, font = sheet.field(printed.code), BOLD if printed.parts else BODY
        parts = self._parts(sheet, printed.code)
        total, then = combine(field, parts.values()), self._then(sheet, printed.code)
        decimals = max(decimals_of(field, f) for f in (*parts.values(), total, then))
        for key, figure in parts.items():
            self.book.figure(page, row, self.columns[key], field, figure, decimals).font = font
        self._total(page, field, list(parts.values()), total, row, decimals)
        page.cell(row, TOTAL_COLUMN).font = BOLD
        if self.before:
            at = Columns(*range(TOTAL_COLUMN, TOTAL_COLUMN + 4))
            compare(self.book, page, row, field, total, then, at, decimals, is_bold=bool(printed.parts))

    def _total(
        self,
        page: Worksheet,
        field: Indicator,
        figures: Sequence[int | None],
        total: int | None,
        row: int,
        decimals: int,
    ) -> None:
        if total is None:
            return
        ends = [
            get_column_letter(column) for column in (min(self.columns.values()), max(self.columns.values()))
        ]
        span = f"{ends[0]}{row}:{ends[1]}{row}"
        if isinstance(field, YesNoField):
            live = f'=IF(COUNTIF({span},"是")>0,"是","否")'
            cell = self.book.formula(page, row, TOTAL_COLUMN, live, field.show(total), is_text=True)
            cell.alignment = CENTRE
        elif max(digits_of(field, f) for f in (*figures, total) if f is not None) > MAX_DIGITS:
            text(page, row, TOTAL_COLUMN, field.grouped(total), align=RIGHT)
        else:
            live = f"=ROUND(SUM({span}),6)" if isinstance(field, MoneyField) else f"=SUM({span})"
            cell = self.book.formula(page, row, TOTAL_COLUMN, live, field.show(total))
            cell.number_format = number_format(decimals)

    # -- figures -------------------------------------------------------------------------------------------

    def _parts(self, sheet: SealedSheet, code: str) -> dict[str, int | None]:
        """Blank where this year's sheet has no such row, or a subordinate's round had no such form."""
        lines = self.below.figures.get(sheet.slug, {})
        is_printed = code in sheet.row
        return {
            key: lines[key].figures[code] if is_printed and key in lines else None for key in self.below.names
        }

    def _earlier_sheet(self, sheet: SealedSheet) -> SealedSheet | None:
        sheets = self.before.sheets if self.before else ()
        return next((s for s in sheets if s.slug == sheet.slug), None)

    def _then(self, sheet: SealedSheet, code: str) -> int | None:
        earlier = self._earlier_sheet(sheet)
        if self.before is None or earlier is None or code not in earlier.row:
            return None
        units = self.before.units[sheet.slug]
        return next((unit.figures[code] for unit in units if unit.union == self.unit.union), None)

    def longest(self, sheet: SealedSheet) -> int:
        """Characters of the longest total, or of the earlier one."""
        figures = [
            (code, figure)
            for code in sheet.row
            for figure in (
                combine(sheet.field(code), self._parts(sheet, code).values()),
                self._then(sheet, code),
            )
        ]
        return max(len(sheet.field(code).grouped(figure)) for code, figure in figures)

    def longest_below(self, key: str) -> int:
        figures = (
            sheet.field(code).grouped(self._parts(sheet, code)[key])
            for sheet in self.part.sheets
            for code in sheet.row
        )
        # A head may take two lines, a figure may not.
        return max(max(map(len, figures)), math.ceil(display_width(self.below.names[key]) / 2))

    def notes(self) -> list[tuple[str, bool]]:
        if self.before is None:
            return []
        if not any(unit.union == self.unit.union for units in self.before.units.values() for unit in units):
            return [(f"{self.before.year}年的汇总没有{self.unit.name}。", True)]
        now, then = self.below.subordinates, Below.of(self.before, self.unit).subordinates
        return one_year_only(self.part, self.before, now, then, "下级单位")
