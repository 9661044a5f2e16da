"""One summary as one workbook: what the province prints, stamps and sends on.

封面, the two forms in the layout of the notice, the units behind every total, who filed and what they
explained. Everything is read from the sealed summary; making the workbook twice gives the same bytes.
"""

from __future__ import annotations

from reporting.models import Summary
from reporting.workbooks.cover import COVER, cover
from reporting.workbooks.layout import Book
from reporting.workbooks.official_sheet import official_sheet, official_title
from reporting.workbooks.part import SAMPLE, part_of
from reporting.workbooks.participation import EXPLANATIONS, FILINGS, explanations_sheet, filings_sheet
from reporting.workbooks.unit_table import table_title, unit_table

__all__ = ["CONTENT_TYPE", "SAMPLE", "summary_workbook", "workbook_name"]

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def workbook_name(summary: Summary) -> str:
    return f"{summary.facts['year']}年送温暖统计汇总_第{summary.number}号.xlsx"


def summary_workbook(summary: Summary) -> bytes:
    """The whole summary. Costs a query and one a form, however many units there are."""
    part = part_of(summary)
    book = Book(title=workbook_name(summary).removesuffix(".xlsx"), made_at=summary.made_at)
    tabs = [COVER, *map(official_title, part.sheets), *map(table_title, part.sheets), FILINGS, EXPLANATIONS]
    cover(book, part, tabs)
    for sheet in part.sheets:
        official_sheet(book, part, sheet)
    for sheet in part.sheets:
        unit_table(book, part, sheet)
    filings_sheet(book, part)
    explanations_sheet(book, part)
    return book.to_bytes()
