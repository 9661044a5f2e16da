"""The table of a form as the notice prints it, in a workbook: 序号, 代码, 项目, 单位, 数字."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from reporting.fields import Indicator
from reporting.rules import Figures
from reporting.sheets import Row
from reporting.workbooks.layout import (
    CENTRE,
    FORM,
    FORM_BOLD,
    INDENTED,
    Book,
    box,
    height_of,
    shade,
    text,
)

COLUMNS = {"序号": 7.0, "代码": 8.0, "项目": 68.0, "单位": 9.0, "数字": 21.0}
FIGURE_COLUMN = 5
LABEL_WIDTH = COLUMNS["项目"]


def official_table(
    book: Book,
    page: Worksheet,
    first: int,
    rows: Sequence[Row],
    field: Callable[[str], Indicator],
    figures: Figures,
) -> dict[str, int]:
    """Head and rows from line `first` on; the line of each code. Figures are exact, blank ones stay blank."""
    for column, name in enumerate(COLUMNS, 1):
        text(page, first, column, name, font=FORM_BOLD, align=CENTRE)
    shade(page, first, range(1, len(COLUMNS) + 1))
    page.row_dimensions[first].height = 26
    lengths = Counter(row.section for row in rows)
    lines = {}
    for number, printed in enumerate(rows, first + 1):
        row_head(page, number, printed, lengths[printed.section], FORM, FORM_BOLD)
        cell = book.figure(page, number, FIGURE_COLUMN, field(printed.code), figures.get(printed.code))
        cell.font = FORM_BOLD if printed.parts else FORM
        room = LABEL_WIDTH - 2 * printed.depth
        page.row_dimensions[number].height = height_of([(printed.label, room)], size=12)
        lines[printed.code] = number
    box(page, range(first, first + len(rows) + 1), range(1, len(COLUMNS) + 1))
    return lines


def row_head(page: Worksheet, number: int, printed: Row, section: int, font: Font, bold: Font) -> None:
    """What stands left of a row's figures: 序号 (once, beside all `section` rows), 代码, 项目, 单位."""
    of_row = bold if printed.parts else font
    if printed.serial:
        text(page, number, 1, printed.serial, font=font, align=CENTRE, down=section)
    text(page, number, 2, printed.printed_code, font=of_row, align=CENTRE)
    text(page, number, 3, printed.label, font=of_row, align=INDENTED[min(printed.depth, 2)])
    text(page, number, 4, printed.unit, font=font, align=CENTRE)
