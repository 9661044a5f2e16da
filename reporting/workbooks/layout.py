"""How our workbooks look, and how they become bytes: fonts, widths, print set-up, exact figures, safe text.

Everything a person typed is written as a string cell whatever it begins with, every figure keeps its exact
decimal digits, and the same content gives the same bytes.
"""

from __future__ import annotations

import datetime
import io
import math
import re
import unicodedata
import zipfile
from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from django.utils import timezone
from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from reporting.fields import FEN_PER_WANYUAN, Indicator, MoneyField, YesNoField

A3, A4 = 8, 9
# 宋体 is on every office machine in China; the charset lets a machine without it choose a Chinese face.
SONG: dict[str, Any] = {"name": "宋体", "charset": 134, "family": 3}
BODY = Font(size=10.5, **SONG)
BOLD = Font(size=10.5, bold=True, **SONG)
# The forms are printed one to a page, which shrinks them by a third.
FORM = Font(size=12, **SONG)
FORM_BOLD = Font(size=12, bold=True, **SONG)
SMALL = Font(size=9, color="57606A", **SONG)
HEADING = Font(size=12, bold=True, **SONG)
TITLE = Font(size=18, bold=True, **SONG)
WARNING = Font(size=10.5, bold=True, color="B3261E", **SONG)

_LINE = Side(style="thin", color="000000")
GRID = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
SHADED = PatternFill("solid", fgColor="EDEFF2")
LEFT = Alignment(horizontal="left", vertical="center", wrap_text=True)
CENTRE = Alignment(horizontal="center", vertical="center", wrap_text=True)
RIGHT = Alignment(horizontal="right", vertical="center", indent=1)
ONE_LINE = Alignment(horizontal="left", vertical="center")
INDENTED = tuple(
    Alignment(horizontal="left", vertical="center", wrap_text=True, indent=depth) for depth in range(3)
)

# What an XML document can't hold.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
MAX_TEXT = 32_767
# A spreadsheet keeps fifteen significant digits; a longer figure is written as text, whole.
MAX_DIGITS = 15


class Book:
    """A workbook in the making; remembers the exact digits that belong into its number cells."""

    def __init__(self, *, title: str, made_at: datetime.datetime) -> None:
        self.workbook = Workbook()
        self.made_at = made_at
        self._digits: dict[str, dict[str, str]] = {}
        assert self.workbook.active is not None  # a new workbook has one sheet
        self.workbook.remove(self.workbook.active)
        normal: Any = self.workbook._named_styles["Normal"]  # type: ignore[attr-defined]  # no public way
        normal.font = Font(size=11, **SONG)
        self.workbook.properties.creator = "送温暖报送系统"
        self.workbook.properties.title = legal(title)
        self.workbook.properties.created = made_at.astimezone(datetime.UTC).replace(tzinfo=None)

    def sheet(self, title: str, widths: Iterable[float]) -> Worksheet:
        sheet: Worksheet = self.workbook.create_sheet(title)
        for column, width in enumerate(widths, 1):
            sheet.column_dimensions[get_column_letter(column)].width = width
        return sheet

    def figure(
        self,
        sheet: Worksheet,
        row: int,
        column: int,
        field: Indicator,
        figure: int | None,
        decimals: int | None = None,
    ) -> Cell:
        """One figure, exact. `decimals` fixes how many are shown; else as many as the figure has."""
        cell = _cell(sheet, row, column)
        cell.alignment = RIGHT
        if figure is None:
            return cell
        if isinstance(field, YesNoField):
            text(sheet, row, column, field.show(figure), align=CENTRE)
            return cell
        if digits_of(field, figure) > MAX_DIGITS:
            text(sheet, row, column, field.grouped(figure), align=RIGHT)
            return cell
        is_money = isinstance(field, MoneyField)
        cell.value = Decimal(figure) / FEN_PER_WANYUAN if is_money else figure
        cell.number_format = number_format(decimals_of(field, figure) if decimals is None else decimals)
        self._digits.setdefault(sheet.title, {})[cell.coordinate] = field.show(figure)
        return cell

    def yuan(
        self,
        sheet: Worksheet,
        row: int,
        column: int,
        fen: int | None,
        *,
        formula: str = "",
        decimals: int | None = None,
    ) -> Cell:
        """An amount of 分 shown in 元, exact. With `formula` the cell calculates it and `fen` is its result.

        `decimals` fixes how many are shown; else two where there are 角 and 分, none where there are not."""
        cell = _cell(sheet, row, column)
        cell.alignment = RIGHT
        if fen is None:
            return cell
        exact = Decimal(fen).scaleb(-2)
        if len(str(abs(fen))) > MAX_DIGITS:
            return text(sheet, row, column, f"{exact:,.2f}", align=RIGHT)
        cell.value = formula or exact
        cell.number_format = number_format((2 if fen % 100 else 0) if decimals is None else decimals)
        self._digits.setdefault(sheet.title, {})[cell.coordinate] = f"{exact:.2f}".removesuffix(".00")
        return cell

    def formula(
        self, sheet: Worksheet, row: int, column: int, formula: str, result: str, *, is_text: bool = False
    ) -> Cell:
        """A live formula together with its result: previews and protected views don't calculate.

        `result` is a number's digits, or with `is_text` what the cell says."""
        cell = _cell(sheet, row, column)
        cell.value = formula
        cell.alignment = LEFT if is_text else RIGHT
        written = _TextResult(legal(result)) if is_text else result
        self._digits.setdefault(sheet.title, {})[cell.coordinate] = written
        return cell

    def to_bytes(self) -> bytes:
        """The same content gives the same bytes: no time of writing stays anywhere."""
        raw = io.BytesIO()
        self.workbook.save(raw)
        out = io.BytesIO()
        digits = {
            f"xl/worksheets/sheet{number}.xml": self._digits.get(name, {})
            for number, name in enumerate(self.workbook.sheetnames, 1)
        }
        moment = timezone.localtime(self.made_at).timetuple()[:6]
        with zipfile.ZipFile(raw) as source, zipfile.ZipFile(out, "w") as target:
            for name in source.namelist():
                content = source.read(name)
                if name in digits:
                    content = _with_digits(content, digits[name])
                elif name == "docProps/core.xml":
                    content = self._with_time(content)
                info = zipfile.ZipInfo(name, date_time=moment)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = 0o600 << 16
                target.writestr(info, content, compresslevel=6)
        return out.getvalue()

    def _with_time(self, core: bytes) -> bytes:
        made = f"{self.made_at.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}".encode()
        return re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + made, core)


class _TextResult(str):
    """The result of a formula that is a text."""


_NUMBER = re.compile(rb'(<c r="([A-Z]+[0-9]+)"[^>]*)(>(?:<f>[^<]*</f>)?)<v ?(?:/>|>[^<]*</v>)')


def _with_digits(xml: bytes, digits: dict[str, str]) -> bytes:
    """openpyxl writes sixteen digits of a binary fraction, and no results of formulas."""

    def put(match: re.Match[bytes]) -> bytes:
        exact = digits.get(match[2].decode())
        if exact is None:
            return match[0]
        kind = b' t="str"' if isinstance(exact, _TextResult) else b""
        return match[1] + kind + match[3] + b"<v>" + escape(exact).encode() + b"</v>"

    return _NUMBER.sub(put, xml)


def legal(value: str) -> str:
    """A text that XML can hold and gives back unchanged, line ends included."""
    return _ILLEGAL.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))[:MAX_TEXT]


def text(
    sheet: Worksheet,
    row: int,
    column: int,
    value: str,
    *,
    font: Font = BODY,
    align: Alignment = LEFT,
    across: int = 1,
    down: int = 1,
) -> Cell:
    """A string cell, whatever the string begins with; `across` and `down` merge cells under it."""
    cell = _cell(sheet, row, column)
    if written := legal(value):
        # openpyxl takes "=…" for a formula; the quote prefix keeps it a text when somebody edits the cell.
        cell.value, cell.data_type = written, "s"
        if written[0] in "=+-@\t\n":
            cell.quotePrefix = True
    cell.font, cell.alignment = font, align
    if across > 1 or down > 1:
        sheet.merge_cells(
            start_row=row, end_row=row + down - 1, start_column=column, end_column=column + across - 1
        )
    return cell


def _cell(sheet: Worksheet, row: int, column: int) -> Cell:
    cell = sheet.cell(row, column)
    assert isinstance(cell, Cell)  # never a cell hidden under a merge
    cell.font = BODY
    return cell


def box(sheet: Worksheet, rows: range, columns: range) -> None:
    for row in rows:
        for column in columns:
            sheet.cell(row, column).border = GRID


def shade(sheet: Worksheet, row: int, columns: range) -> None:
    for column in columns:
        sheet.cell(row, column).fill = SHADED


def digits_of(field: Indicator, figure: int) -> int:
    return len(field.show(figure).lstrip("-0.").replace(".", ""))


def decimals_of(field: Indicator, figure: int | None) -> int:
    return len(field.show(figure).partition(".")[2])


def number_format(decimals: int) -> str:
    """As many decimals as are there: `#,##0.######` would leave a point behind every whole number."""
    return "#,##0" + ("." + "0" * decimals if decimals else "")


def display_width(value: str) -> int:
    """In columns of a half-width character; a Chinese one takes two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WFA" else 1 for c in value)


def lines_of(value: str, width: float, size: float = 10.5) -> int:
    """How many lines a wrapped text of that size takes in a column of that width."""
    room = max(2.0, (width - 1.5) * 10.5 / size)
    return sum(max(1, math.ceil(display_width(line) / room)) for line in value.split("\n"))


def height_of(
    texts_and_widths: Iterable[tuple[str, float]], *, least: float = 18, size: float = 10.5
) -> float:
    """Points; Excel's limit is 409."""
    lines = max((lines_of(value, width, size) for value, width in texts_and_widths), default=1)
    return min(409, max(least, lines * size * 1.3 + 3))


def print_setup(
    sheet: Worksheet,
    *,
    paper: int,
    landscape: bool,
    footer: str,
    repeat_rows: str | None = None,
    repeat_columns: str | None = None,
    pages_across: int = 1,
    pages_down: int = 0,
) -> None:
    """`pages_down` 0: as many as it takes."""
    sheet.page_setup.paperSize = paper
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = pages_across, pages_down
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_options.horizontalCentered = True
    margins = sheet.page_margins
    margins.left = margins.right = 0.55
    margins.top, margins.bottom, margins.header, margins.footer = 0.55, 0.65, 0.3, 0.3
    sheet.print_area = sheet.dimensions
    if repeat_rows:
        sheet.print_title_rows = repeat_rows
    if repeat_columns:
        sheet.print_title_cols = repeat_columns
    at_foot: Any = sheet.oddFooter
    at_foot.left.text = footer.replace("&", "&&")
    at_foot.right.text = "第 &P 页，共 &N 页"
    for part in (at_foot.left, at_foot.right):
        part.size = 9
