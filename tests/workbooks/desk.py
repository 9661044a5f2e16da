"""A desk on which a union makes its own workbook in the official layout, and what must be read from it."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from tests.workbooks.case import UNION, YEAR, Made, figures, sheet

OFFICIAL = ("序号", "代码", "项目", "单位", "数字")
LINE = Side(style="thin")


class Text(str):
    """Stands as a text in its cell, whatever it begins with."""


@dataclass(frozen=True)
class Line:
    """One line of a table as somebody typed it. `row` is the row it is in truth, `reads` what must be read there."""

    row: str = ""
    serial: str = ""
    code: str = ""
    label: str = ""
    unit: str = ""
    figure: Any = None
    reads: str | None = None
    others: dict[str, Any] = field(default_factory=dict)  # cells of further columns, by head

    def typed(self, figure: Any, reads: str | None = None) -> Line:
        """With another content in the cell of the figure; `reads` None: it must not be read."""
        return replace(self, figure=figure, reads=reads)


def number(text: str) -> Any:
    """How a spreadsheet keeps a figure that is shown so; 是 and 否 stay texts."""
    if text in ("是", "否", ""):
        return text or None
    return float(text) if "." in text else int(text)


def lines_of(slug: str) -> list[Line]:
    """Every row as the notice prints it, filled in."""
    shown = figures(slug)
    return [
        Line(
            row=row.code,
            serial=row.serial,
            code=row.printed_code,
            label=row.label,
            unit=row.unit,
            figure=number(shown[row.code]),
            reads=shown[row.code],
        )
        for row in sheet(slug).rows
    ]


def change(lines: Sequence[Line], code: str, how: Callable[[Line], Line]) -> list[Line]:
    return [how(line) if line.row == code else line for line in lines]


def at(lines: Sequence[Line], code: str) -> int:
    return next(number for number, line in enumerate(lines) if line.row == code)


class Desk:
    def __init__(self) -> None:
        self.book = Workbook()
        assert self.book.active is not None
        self.book.remove(self.book.active)
        self.made = Made(b"")

    def page(self, title: str) -> Worksheet:
        page: Worksheet = self.book.create_sheet(title)
        return page

    def head(
        self,
        page: Worksheet,
        slug: str,
        *,
        top: int = 1,
        left: int = 1,
        union: str | None = UNION,
        year: int | None = YEAR,
        width: int = 5,
    ) -> int:
        """Title, union, who and when, as the notice prints them; the line after it."""
        form = sheet(slug)
        self._put(page, top, left, form.form.attachment)
        title = f"{year}年元旦春节{form.title}" if year else form.title
        self._put(page, top + 1, left, title).font = Font(size=18, bold=True)
        page.merge_cells(start_row=top + 1, end_row=top + 1, start_column=left, end_column=left + width - 1)
        if union is not None:
            self._put(page, top + 2, left, f"填报单位（盖章）：{union}")
        self._put(page, top + 3, left, "填报人：填报员甲")
        self._put(page, top + 3, left + 2, "电话：0451-53640000")
        self._put(page, top + 3, left + 3, "2021年1月20日")
        self.made.head = {
            "filler_name": "填报员甲",
            "filler_phone": "0451-53640000",
            "filled_on": "2021-01-20",
        }
        return top + 4

    def table(
        self,
        page: Worksheet,
        slug: str,
        lines: Sequence[Line],
        *,
        top: int = 5,
        left: int = 1,
        columns: Sequence[str] = OFFICIAL,
        heads: dict[str, str] | None = None,
        figure: str = "数字",
        is_headed: bool = True,
    ) -> int:
        """Write the lines below their head and note what must be read; the line after the table.

        `columns` may name further columns, filled from a line's `others`; `heads` are other words over a column;
        the figures stand in the column called `figure`.
        """
        places = {name: left + n for n, name in enumerate(columns)}
        if is_headed:
            for name, column in places.items():
                self._put(page, top, column, (heads or {}).get(name, name))
        first = top + is_headed
        for number_, line in enumerate(lines, first):
            content = {
                "序号": line.serial,
                "代码": line.code,
                "项目": line.label,
                "单位": line.unit,
                **line.others,
                figure: line.figure,
            }
            for name, column in places.items():
                if content.get(name) not in (None, ""):
                    self._put(page, number_, column, content[name])
            if line.row and line.reads is not None:
                where = f"{page.title}!{get_column_letter(places[figure])}{number_}"
                self.expect(slug, line.row, line.reads, where)
        return first + len(lines)

    def expect(self, slug: str, code: str, text: str, where: str) -> None:
        self.made.values.setdefault(slug, {})[code] = text
        self.made.cells.setdefault(slug, {})[code] = where

    def form(
        self, slug: str, lines: Sequence[Line] | None = None, *, title: str = "", **how: Any
    ) -> Worksheet:
        """A whole page in the official layout."""
        page = self.page(title or sheet(slug).title)
        top = self.head(page, slug)
        self.table(page, slug, lines_of(slug) if lines is None else lines, top=top, **how)
        return page

    def finish(self) -> Made:
        out = io.BytesIO()
        self.book.save(out)
        self.made.content = out.getvalue()
        return self.made

    def _put(self, page: Worksheet, row: int, column: int, value: Any) -> Any:
        cell = page.cell(row, column)
        cell.value = value
        if isinstance(value, Text):
            cell.data_type = "s"
        cell.border = Border(left=LINE, right=LINE, top=LINE, bottom=LINE)
        return cell
