"""资金汇总表: planned and paid, by kind and by delegation, under each source; formulas over the sheets of visits.

Sources are named by people: `EXACT` compares them letter by letter, where SUMIFS would take `=`, `>` and `*` at
the beginning of a name for an operator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from delegations.budget import Line, fold, total
from delegations.models import Visit
from delegations.workbook.page import NO_SOURCE, Contents, Extent, foot, group, page, yuan_width
from reporting.workbooks.layout import BOLD, CENTRE, HEADING, LEFT, SMALL, Book, box, shade, text

TITLE = "资金汇总表"
DONE, UNPLANNED = Visit.Outcome.DONE.label, Visit.Standing.UNPLANNED.label
# Beside the name of a row: how many visits were planned, done, and done though nobody planned them.
COUNTS = ("计划", "已走访", "另增")
FIRST_PAIR = 2 + len(COUNTS)


@dataclass(frozen=True)
class Column:
    """One pair 计划/实付: all sources together, one source, or one kind of visit."""

    name: str
    takes: Callable[[Line], bool]
    # Which column of the sheets of visits tells it apart, "" where nothing does.
    told_by: str = ""


@dataclass(frozen=True)
class Row:
    name: str
    takes: Callable[[Line], bool]


@dataclass
class Table:
    """One block of the sheet; remembers where it writes."""

    book: Book
    sheet: Worksheet
    contents: Contents
    planned: Extent
    done: Extent
    decimals: int
    row: int = 3

    def write(self, title: str, first: str, told_by: str, rows: list[Row], columns: list[Column]) -> None:
        """`first` names the first column; `told_by` is the column of the sheets of visits that rows go by."""
        text(self.sheet, self.row, 1, title, font=HEADING, across=4)
        self.sheet.row_dimensions[self.row].height = 26
        top = self.row + 1
        pairs = [*columns, Column("合计", lambda line: True)]
        last = FIRST_PAIR + 2 * len(pairs)
        self._head(top, first, pairs, last)
        begin = top + 2
        for number, row in enumerate(rows, begin):
            text(self.sheet, number, 1, row.name, align=CENTRE)
            chosen = [line for line in self.contents.cube if row.takes(line)]
            self._counts(number, told_by, total(chosen))
            for index, column in enumerate(columns):
                line = total(line for line in chosen if column.takes(line))
                self._pair(number, FIRST_PAIR + 2 * index, told_by, column, top, line)
            self._sums(number, columns, total(chosen), last)
            self.sheet.row_dimensions[number].height = 20
        end = begin + len(rows)
        self._total(end, begin, columns, pairs, last)
        box(self.sheet, range(top, end + 1), range(1, last + 1))
        self.row = end + 2

    def _head(self, top: int, first: str, pairs: list[Column], last: int) -> None:
        text(self.sheet, top, 1, first, font=BOLD, align=CENTRE, down=2)
        heads: list[tuple[str, int, tuple[str, ...]]] = [("走访对象（个）", 2, COUNTS)]
        heads += [(pair.name, FIRST_PAIR + 2 * index, ("计划", "实付")) for index, pair in enumerate(pairs)]
        for head, column, names in heads:
            text(self.sheet, top, column, head, font=BOLD, align=CENTRE, across=len(names))
            for offset, name in enumerate(names):
                text(self.sheet, top + 1, column + offset, name, font=BOLD, align=CENTRE)
        text(self.sheet, top, last, "差额", font=BOLD, align=CENTRE, down=2)
        for row in (top, top + 1):
            shade(self.sheet, row, range(1, last + 1))
        self.sheet.row_dimensions[top].height = 32
        self.sheet.row_dimensions[top + 1].height = 20

    def _counts(self, row: int, told_by: str, line: Line) -> None:
        planned, done = self.planned, self.done
        own = f"{planned.span(told_by)},$A{row}"
        # A line without a visit stands for a place without any: it has no kind.
        formula = f'=COUNTIFS({own},{planned.span("类别")},"?*")'
        self.book.formula(self.sheet, row, 2, formula, str(line.visits))
        # The record says 临时增加 where a planned visit has its dates.
        visited = f'{done.span(told_by)},$A{row},{done.span("完成情况")},"{DONE}",{done.span("计划日期")}'
        for column, test, count in ((3, f"<>{UNPLANNED}", line.done), (4, UNPLANNED, line.unplanned)):
            self.book.formula(self.sheet, row, column, f'=COUNTIFS({visited},"{test}")', str(count))

    def _pair(self, row: int, column: int, told_by: str, pair: Column, top: int, line: Line) -> None:
        head = f"${get_column_letter(column)}${top}"
        for offset, (extent, source, amount, fen) in enumerate(
            (
                (self.planned, "资金来源", "合计", line.planned),
                (self.done, "实付资金来源", "实付合计", line.paid),
            )
        ):
            tests = f"({extent.span(told_by)}=$A{row})"
            by = source if pair.told_by == "资金来源" else pair.told_by
            tests += f"*EXACT({extent.span(by)},{head})"
            if extent is self.done:
                tests += f'*({extent.span("完成情况")}="{DONE}")'
            formula = f"=ROUND(SUMPRODUCT({tests},{extent.span(amount)}),2)"
            self._yuan(row, column + offset, fen, formula)

    def _sums(self, row: int, columns: list[Column], line: Line, last: int) -> None:
        for offset, fen in ((0, line.planned), (1, line.paid)):
            cells = (get_column_letter(FIRST_PAIR + 2 * n + offset) for n in range(len(columns)))
            parts = ",".join(f"{letter}{row}" for letter in cells)
            self._yuan(row, last - 2 + offset, fen, f"=ROUND(SUM({parts}),2)" if parts else "=0")
        self._difference(row, last, line)

    def _difference(self, row: int, last: int, line: Line) -> None:
        planned, paid = get_column_letter(last - 2), get_column_letter(last - 1)
        self._yuan(row, last, line.difference, f"=ROUND({paid}{row}-{planned}{row},2)")

    def _total(self, row: int, begin: int, columns: list[Column], pairs: list[Column], last: int) -> None:
        text(self.sheet, row, 1, "合计", font=BOLD, align=CENTRE)
        everything = total(self.contents.cube)
        for column, count in enumerate((everything.visits, everything.done, everything.unplanned), 2):
            letter = get_column_letter(column)
            self.book.formula(self.sheet, row, column, f"=SUM({letter}{begin}:{letter}{row - 1})", str(count))
        for index, pair in enumerate(pairs):
            line = total(line for line in self.contents.cube if pair.takes(line))
            for offset, fen in ((0, line.planned), (1, line.paid)):
                column = FIRST_PAIR + 2 * index + offset
                letter = get_column_letter(column)
                self._yuan(row, column, fen, f"=ROUND(SUM({letter}{begin}:{letter}{row - 1}),2)")
        self._difference(row, last, everything)
        for column in range(2, last + 1):
            self.sheet.cell(row, column).font = BOLD
        shade(self.sheet, row, range(1, last + 1))
        self.sheet.row_dimensions[row].height = 22

    def _yuan(self, row: int, column: int, fen: int, formula: str) -> None:
        self.book.yuan(self.sheet, row, column, fen, formula=formula, decimals=self.decimals)


def money_sheet(book: Book, contents: Contents, planned: Extent, done: Extent) -> None:
    sources = _sources(contents)
    kinds = [
        Column(kind.label, lambda line, kind=kind: line.kind == kind, "类别")  # type: ignore[misc]
        for kind in Visit.Kind
    ]
    widest = FIRST_PAIR + 2 + 2 * max(len(sources), len(kinds))
    everything = total(contents.cube)
    ceilings = [source.ceiling or 0 for source in contents.rulebook.sources]
    amounts = [fen for line in contents.cube for fen in (line.planned, line.paid)] + ceilings
    decimals = 2 if any(fen % 100 for fen in amounts) else 0
    width = yuan_width(max(everything.planned, everything.paid, *ceilings), decimals, least=12.5)
    widths = (14.0, *([8.0] * len(COUNTS)), *([width] * (widest - FIRST_PAIR + 1)))
    sheet = page(book, contents, TITLE, "走访慰问资金汇总表", widths)
    table = Table(book, sheet, contents, planned, done, decimals)
    by_delegation = [
        Row(group(d), lambda line, pk=d.pk: line.delegation == pk)  # type: ignore[misc]
        for d in contents.delegations
    ]
    table.write("一、按类别和资金来源（元）", "类别", "类别", [Row(k.name, k.takes) for k in kinds], sources)
    table.write("二、按慰问组和资金来源（元）", "组别", "组别", by_delegation, sources)
    table.write("三、按慰问组和类别（元）", "组别", "组别", by_delegation, kinds)
    if contents.is_whole:
        _ceilings(table, sources)
    note = "计划数取自“走访计划及资金表”，实付数取自“走访完成情况表”中已走访的，含临时增加；“另增”为临时增加的走访对象；差额为实付减计划。"
    text(sheet, table.row, 1, note, font=SMALL, align=LEFT, across=widest)
    # Eight delegations fill a page by a line too many; a total alone on the next would be overlooked.
    foot(sheet, contents, repeat=2, pages_down=1 if len(contents.delegations) <= 10 else 0)


def _sources(contents: Contents) -> list[Column]:
    """The campaign's sources, and amounts without one where there are any."""

    def takes(pk: int | None) -> Callable[[Line], bool]:
        return lambda line: line.source == pk

    columns = [Column(s.name, takes(s.pk), "资金来源") for s in contents.rulebook.sources]
    without = fold(contents.cube, lambda line: line.source).get(None)
    if without is not None and (without.planned or without.paid):
        columns.append(Column(NO_SOURCE, takes(None), "资金来源"))
    return columns


def _ceilings(table: Table, sources: list[Column]) -> None:
    """What is left of each source that the department limits."""
    limited = [s for s in table.contents.rulebook.sources if s.ceiling is not None]
    if not limited:
        return
    sheet = table.sheet
    text(sheet, table.row, 1, "四、资金来源上限（元）", font=HEADING, across=4)
    sheet.row_dimensions[table.row].height = 26
    top = table.row + 1
    beside = FIRST_PAIR - 1  # the name of a source is as wide as the counts above it
    limit, plan, left = range(FIRST_PAIR, FIRST_PAIR + 3)
    for column, name in ((1, "资金来源"), (limit, "上限"), (plan, "计划"), (left, "余")):
        text(sheet, top, column, name, font=BOLD, align=CENTRE, across=beside if column == 1 else 1)
    shade(sheet, top, range(1, left + 1))
    planned = table.planned
    for row, source in enumerate(limited, top + 1):
        line = total(n for n in table.contents.cube if n.source == source.pk)
        assert source.ceiling is not None
        text(sheet, row, 1, source.name, align=CENTRE, across=beside)
        table.book.yuan(sheet, row, limit, source.ceiling, decimals=table.decimals)
        tests = f'EXACT({planned.span("资金来源")},$A{row})*({planned.span("类别")}<>"")'
        table._yuan(row, plan, line.planned, f"=ROUND(SUMPRODUCT({tests},{planned.span('合计')}),2)")
        formula = f"=ROUND({get_column_letter(limit)}{row}-{get_column_letter(plan)}{row},2)"
        table._yuan(row, left, source.ceiling - line.planned, formula)
        sheet.row_dimensions[row].height = 20
    last = top + len(limited)
    box(sheet, range(top, last + 1), range(1, left + 1))
    table.row = last + 2
