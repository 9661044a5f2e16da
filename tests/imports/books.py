"""Workbooks as unions send them, made from figures in one line."""

from __future__ import annotations

import datetime
import io
from collections.abc import Mapping
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook, load_workbook

from reporting.models import Campaign
from reporting.sheets import Sheet, sheets_for
from reporting.workbooks.filing import filing_workbook, tab_title
from unions.models import Union

MADE_AT = datetime.datetime(2021, 1, 20, 10, tzinfo=datetime.UTC)
FIGURE = 5


def book(campaign: Campaign, union: Union, head: Mapping[str, str] | None = None, **figures: int) -> bytes:
    """The template of a union with the named figures in it, everything else blank: `book(c, u, warmth_E1=5)`."""
    sheets = sheets_for(campaign)
    by_slug = {sheet.slug: {c: figures.get(f"{sheet.slug}_{c}") for c in sheet.fields} for sheet in sheets}
    return filing_workbook(
        campaign=campaign, union=union, sheets=sheets, figures=by_slug, head=head or {}, made_at=MADE_AT
    )


def changed(content: bytes, **cells: Any) -> bytes:
    """The same workbook with other contents in some figure cells: `changed(b, warmth_E1="十二")`."""
    opened = load_workbook(io.BytesIO(content))
    for name, value in cells.items():
        slug, _, code = name.partition("_")
        page = next(p for p in opened.worksheets if slug in _slugs(p.title))
        page.cell(line_of(page, code), FIGURE).value = value
    return saved(opened)


def _slugs(title: str) -> list[str]:
    return [slug for slug, word in (("warmth", "送温暖"), ("helpcenter", "帮扶中心")) if word in title]


def line_of(page: Any, code: str) -> int:
    return next(r for r in range(1, 200) if page.cell(r, 2).value == code)


def own_book(sheet: Sheet, union: str, texts: Mapping[str, Any], *, year: int = 2021) -> bytes:
    """A table in the official layout that a union typed itself: no mark, its own title."""
    made = Workbook()
    page = made.active
    assert page is not None
    page.title = "Sheet1"
    page.append([f"{year}年元旦春节{sheet.title}"])
    page.append(["填报单位：", union])
    page.append(["序号", "代码", "项目", "单位", "数字"])
    for row in sheet.rows:
        page.append([row.serial, row.printed_code, row.label, row.unit, texts.get(row.code)])
    return saved(made)


def saved(made: Workbook) -> bytes:
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def upload(content: bytes, name: str = "报表.xlsx") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "application/octet-stream")


__all__ = ["MADE_AT", "book", "changed", "own_book", "saved", "tab_title", "upload"]
