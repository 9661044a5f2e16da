"""Workbooks of rows under headings (people, unions): found wherever they stand, and blank ones to fill in."""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from openpyxl.styles import Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from reporting.errors import Refused
from reporting.reading.intake import Page, read_workbook
from reporting.reading.recognition import plain
from reporting.workbooks.layout import A4, BOLD, CENTRE, HEADING, LEFT, Book, box, print_setup, shade, text

MOST_ROWS = 300
FIRST_LINES = 30  # among which the headings stand


@dataclass(frozen=True)
class Column:
    """`heading` is what people read above it; `hint` says what belongs into it."""

    name: str
    heading: str
    width: float
    hint: str
    is_required: bool = True
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """One row as typed. `number` is its row in the workbook."""

    number: int
    values: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")


def lines_of(file: BinaryIO, name: str, columns: Sequence[Column]) -> list[Line]:
    """The rows below the headings, blank ones left out. Raises Refused with the reason."""
    for page in read_workbook(file, name):
        if page.hidden:
            continue
        at = _headings(page, columns)
        if at is None:
            continue
        row, places = at
        numbers = sorted({r for r, _ in page.cells if r > row})
        found = (Line(r, {n: _value(page, r, c) for n, c in places.items()}) for r in numbers)
        lines = [line for line in found if any(line.values.values())]
        if not lines:
            raise Refused(f"“{page.name}”表头下面没有内容，请填写后再上传。")
        if len(lines) > MOST_ROWS:
            raise Refused(f"共有 {len(lines)} 行，一次最多 {MOST_ROWS} 行。请分几次上传。")
        return lines
    wanted = "、".join(column.heading for column in columns if column.is_required)
    raise Refused(f"没有找到表头：须有“{wanted}”各列。请下载模板，填写后再上传。")


def _headings(page: Page, columns: Sequence[Column]) -> tuple[int, dict[str, int]] | None:
    """The line with all required headings, and the column of each."""
    by_line: dict[int, dict[str, int]] = {}
    names = {plain(column.heading): column.name for column in columns}
    for (row, column), cell in sorted(page.cells.items()):
        heading = plain(cell.text.partition("（")[0].partition("(")[0])
        if row <= FIRST_LINES and heading in names:
            by_line.setdefault(row, {}).setdefault(names[heading], column)
    required = {column.name for column in columns if column.is_required}
    return next(((row, found) for row, found in by_line.items() if required <= found.keys()), None)


def _value(page: Page, row: int, column: int) -> str:
    """Without what nobody sees: line breaks, zero-width and control characters."""
    cell = page.cells.get((row, column))
    shown = "".join(" " if c in "\n\t" else c for c in cell.text) if cell else ""
    return " ".join("".join(c for c in shown if unicodedata.category(c)[0] != "C").split())


def template(
    title: str,
    columns: Sequence[Column],
    explained: Sequence[str],
    listed: tuple[Sequence[str], Sequence[Sequence[str]]],
    made_at: datetime.datetime,
) -> bytes:
    """A blank workbook: headings with hints, and a second page with explanations and a list to copy from."""
    book = Book(title=title, made_at=made_at)
    page = book.sheet(title, [column.width for column in columns])
    for number, column in enumerate(columns, 1):
        text(page, 1, number, column.heading, font=BOLD, align=CENTRE)
        letter = get_column_letter(number)
        rule = DataValidation(
            type="list" if column.choices else None,
            formula1=f'"{",".join(column.choices)}"' if column.choices else None,
            allow_blank=True,
        )
        rule.promptTitle, rule.prompt, rule.showInputMessage = column.heading, column.hint[:250], True
        rule.error, rule.errorTitle, rule.showErrorMessage = (
            column.hint[:250],
            "填写有误",
            bool(column.choices),
        )
        rule.add(f"{letter}2:{letter}{MOST_ROWS + 1}")
        page.add_data_validation(rule)
        for row in range(2, MOST_ROWS + 2):
            # As text: codes and telephone numbers keep their zeros.
            cell = page.cell(row, number)
            cell.number_format, cell.protection = "@", Protection(locked=False)
    shade(page, 1, range(1, len(columns) + 1))
    box(page, range(1, 2), range(1, len(columns) + 1))
    page.freeze_panes = "A2"
    print_setup(page, paper=A4, landscape=True, footer="由送温暖报送系统生成", repeat_rows="1:1")
    _explanations(book, columns, explained, listed)
    return book.to_bytes()


def _explanations(
    book: Book,
    columns: Sequence[Column],
    explained: Sequence[str],
    listed: tuple[Sequence[str], Sequence[Sequence[str]]],
) -> None:
    page = book.sheet("填写说明", [16.0, 34.0, 20.0, 34.0])
    text(page, 1, 1, "填写说明", font=HEADING)
    row = 2
    for column in columns:
        text(page, row, 1, column.heading, font=BOLD)
        text(page, row, 2, f"{'必填。' if column.is_required else '可不填。'}{column.hint}", across=3)
        row += 1
    for sentence in explained:
        text(page, row, 1, sentence, across=4, align=LEFT)
        row += 1
    heads, rows = listed
    row += 1
    for number, head in enumerate(heads, 1):
        text(page, row, number, head, font=BOLD, align=CENTRE)
    shade(page, row, range(1, len(heads) + 1))
    for line in rows:
        row += 1
        for number, value in enumerate(line, 1):
            text(page, row, number, value)
    print_setup(page, paper=A4, landscape=False, footer="由送温暖报送系统生成")
