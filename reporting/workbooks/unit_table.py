"""分单位明细: units × indicators with live totals; on demand what stands below each unit, indented beneath it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from openpyxl.styles import PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from reporting.fields import MoneyField, YesNoField
from reporting.summaries import SealedSheet, Unit, combine
from reporting.workbooks.layout import (
    A3,
    BODY,
    BOLD,
    CENTRE,
    HEADING,
    INDENTED,
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
from reporting.workbooks.part import Part, short_title

FIRST_UNIT_ROW = 6  # title, facts, codes, labels, units of measure stand above
PAGE_WIDTH = 230  # columns of half-width characters that A3 landscape prints legibly
# What the total adds up stands out among what it is made of.
UNIT_OF_LEVELS = PatternFill("solid", fgColor="F6F7F9")
LEVELS = ("一级", "二级", "三级")  # as deep as the tree of unions is below the province


def table_title(sheet: SealedSheet) -> str:
    return f"{short_title(sheet)}分单位明细"


def unit_table(book: Book, part: Part, sheet: SealedSheet, *, with_levels: bool = False) -> None:
    """`with_levels` shows the part's `lines`; then a column 层级 says which rows the total adds up, and it obeys."""
    units = part.units[sheet.slug]
    lines = part.lines[sheet.slug] if with_levels else units
    heads = ["序号", "报送单位", *(["层级"] if with_levels else [])]
    first = len(heads) + 1
    columns = {printed.code: number for number, printed in enumerate(sheet.rows, first)}
    labels = [_label(line) for line in lines]
    decimals = {
        code: max([0, *(decimals_of(sheet.field(code), line.figures[code]) for line in lines)])
        for code in columns
    }
    room = [display_width(label) + 2 * line.depth for label, line in zip(labels, lines, strict=True)]
    widths = [6.0, max([20.0, *(width + 3.0 for width in room)]), *([7.0] if with_levels else [])]
    widths += [_figure_width(sheet, lines, code, decimals[code]) for code in columns]
    page = book.sheet(table_title(sheet), widths)
    text(page, 1, 1, f"{sheet.title}分单位明细", font=HEADING, align=ONE_LINE)
    text(page, 2, 1, part.facts(part.sample, part.caption), font=SMALL, align=ONE_LINE)
    for column, name in enumerate(heads, 1):
        text(page, 3, column, name, font=BOLD, align=CENTRE, down=3)
    for printed in sheet.rows:
        column = columns[printed.code]
        font = BOLD if printed.parts else BODY
        text(page, 3, column, printed.code, font=font, align=CENTRE)
        text(page, 4, column, sheet.full_label(printed.code), font=font, align=CENTRE)
        text(page, 5, column, printed.unit, align=CENTRE)
    page.row_dimensions[4].height = height_of(
        (sheet.full_label(code), widths[column - 1]) for code, column in columns.items()
    )
    serial = 0
    for row, (line, label) in enumerate(zip(lines, labels, strict=True), FIRST_UNIT_ROW):
        if not line.depth:
            serial += 1
            text(page, row, 1, str(serial), align=CENTRE)
        _unit(page, row, line, label, with_levels)
        for printed in sheet.rows:
            field, figure = sheet.field(printed.code), line.figures[printed.code]
            cell = book.figure(page, row, columns[printed.code], field, figure, decimals[printed.code])
            cell.font = BOLD if printed.parts else BODY
        if with_levels and not line.depth:
            for column in range(1, len(widths) + 1):
                page.cell(row, column).fill = UNIT_OF_LEVELS
        page.row_dimensions[row].height = 19
    total_row = FIRST_UNIT_ROW + len(lines)
    whose = "合计" if part.is_whole else f"所选 {len(part.included)} 个单位合计"
    text(page, total_row, 1, whose, font=BOLD, align=CENTRE, across=len(heads))
    page.row_dimensions[total_row].height = 22
    for code, column in columns.items():
        _total(book, page, sheet, units, code, column, total_row, decimals[code], with_levels)
    every_column = range(1, len(widths) + 1)
    for row in (3, 4, 5, total_row):
        shade(page, row, every_column)
    box(page, range(3, total_row + 1), every_column)
    page.freeze_panes = f"{get_column_letter(first)}{FIRST_UNIT_ROW}"
    print_setup(
        page,
        paper=A3,
        landscape=True,
        footer=part.foot,
        repeat_rows="3:5",
        repeat_columns=f"A:{get_column_letter(first - 1)}",
        # One page across would shrink fifty columns beyond reading.
        pages_across=max(1, math.ceil(sum(widths) / PAGE_WIDTH)),
    )


def _unit(page: Worksheet, row: int, line: Unit, label: str, with_levels: bool) -> None:
    if not with_levels:
        text(page, row, 2, label)
        return
    depth = min(line.depth, len(LEVELS) - 1)
    text(page, row, 2, label, font=BODY if depth else BOLD, align=INDENTED[depth])
    text(page, row, 3, LEVELS[depth], align=CENTRE)


def _label(line: Unit) -> str:
    # What stands for a unit itself came in its round: the mark is on the unit already.
    is_marked = line.is_late and not (line.depth and line.part == "own")
    return f"{line.name}（逾期）" if is_marked else line.name


def _figure_width(sheet: SealedSheet, lines: Sequence[Unit], code: str, decimals: int) -> float:
    field = sheet.field(code)
    figures = [*(line.figures[code] for line in lines), sheet.figures.get(code)]
    longest = max([len(field.grouped(f).partition(".")[0]) for f in figures], default=1)
    # Long labels get a wider column, so that the head does not grow taller than the page.
    least = 11.0 if len(sheet.full_label(code)) < 24 else 16.0
    return max(least, longest + (decimals + 1 if decimals else 0) + 2.5)


def _total(
    book: Book,
    page: Worksheet,
    sheet: SealedSheet,
    units: Sequence[Unit],
    code: str,
    column: int,
    row: int,
    decimals: int,
    with_levels: bool,
) -> None:
    field = sheet.field(code)
    figures = [unit.figures[code] for unit in units]
    total = combine(field, figures)
    letter, last = get_column_letter(column), row - 1
    span = f"{letter}{FIRST_UNIT_ROW}:{letter}{last}"
    levels = f'$C${FIRST_UNIT_ROW}:$C${last},"{LEVELS[0]}"'
    if total is None:
        return
    if isinstance(field, YesNoField):
        formula = f'=COUNTIFS({levels},{span},"是")' if with_levels else f'=COUNTIF({span},"是")'
        cell = book.formula(page, row, column, formula, str(sum(1 for f in figures if f)))
        cell.number_format = '"是 "0" 家"'
        cell.alignment = CENTRE
    elif max(digits_of(field, f) for f in (*figures, total) if f is not None) > MAX_DIGITS:
        cell = text(page, row, column, field.grouped(total), align=RIGHT)
    else:
        added = f"SUMIF({levels},{span})" if with_levels else f"SUM({span})"
        # Money is a binary fraction in a spreadsheet: rounding to the 分 makes its sum exact again.
        formula = f"=ROUND({added},6)" if isinstance(field, MoneyField) else f"={added}"
        cell = book.formula(page, row, column, formula, field.show(total))
        cell.number_format = number_format(decimals)
    cell.font = BOLD
