"""A form's totals in the layout of the notice: the sheet that is signed and stamped."""

from __future__ import annotations

from django.utils import timezone
from openpyxl.worksheet.worksheet import Worksheet

from reporting.summaries import SealedSheet
from reporting.workbooks.layout import (
    A4,
    BOLD,
    CENTRE,
    FORM,
    HEADING,
    SMALL,
    TITLE,
    WARNING,
    Book,
    height_of,
    print_setup,
    text,
)
from reporting.workbooks.official_table import COLUMNS, official_table
from reporting.workbooks.part import Part, short_title

FIRST_ROW = 6  # the table's head; title and what is known of the figures stand above


def official_title(sheet: SealedSheet) -> str:
    return f"{short_title(sheet)}汇总表"


def official_sheet(book: Book, part: Part, sheet: SealedSheet) -> None:
    widths = list(COLUMNS.values())
    longest = max(len(sheet.field(code).grouped(figure)) for code, figure in sheet.figures.items())
    widths[-1] = max(widths[-1], longest * 1.2 + 4)
    page = book.sheet(official_title(sheet), widths)
    page.sheet_view.showGridLines = False
    text(page, 1, 1, sheet.form.attachment, font=HEADING, across=5)
    text(page, 2, 1, sheet.summary_title, font=TITLE, align=CENTRE, across=5)
    text(page, 3, 1, part.facts(), font=SMALL, align=CENTRE, across=5)
    for row, height in ((1, 20), (2, 34), (3, 20), (4, 24), (5, 24)):
        page.row_dimensions[row].height = height
    if part.is_whole:
        _signed_by_the_province(page, part)
    else:
        _of_some_units(page, part, sum(widths))
    official_table(book, page, FIRST_ROW, sheet.rows, sheet.field, sheet.figures)
    last = FIRST_ROW + len(sheet.rows)
    notes = ["注：金额单位为万元，精确到分（0.000001 万元）；“是/否”项有一个单位选“是”即为“是”。"]
    notes += [f"{part.sample}。"] if part.sample else []
    for row, note in enumerate(notes, last + 1):
        text(page, row, 1, note, font=SMALL if row == last + 1 else WARNING, across=5)
        page.row_dimensions[row].height = 20
    page.freeze_panes = f"A{FIRST_ROW + 1}"
    print_setup(
        page,
        paper=A4,
        landscape=False,
        footer=part.foot,
        repeat_rows=f"{FIRST_ROW}:{FIRST_ROW}",
        pages_down=1,  # one sheet of paper to sign and stamp
    )


def _signed_by_the_province(page: Worksheet, part: Part) -> None:
    own = next((p.round for p in part.participants if p.round and p.round.filing.union.is_root), None)
    head = own.head if own else {}
    filled_on = f"{timezone.localtime(part.summary.cut_off):%Y年%-m月%-d日}"
    text(page, 4, 1, f"填报单位（盖章）：{part.summary.facts['union']}", font=FORM, across=3)
    text(page, 4, 4, f"填报日期：{filled_on}", font=FORM, across=2)
    text(page, 5, 1, f"填报人：{head.get('filler_name', '')}", font=FORM, across=3)
    text(page, 5, 4, f"电话：{head.get('filler_phone', '')}", font=FORM, across=2)


def _of_some_units(page: Worksheet, part: Part, width: float) -> None:
    """No place for a stamp: nobody has signed this sum."""
    names = "单位：" + "、".join(p.name for p in part.included)
    text(page, 4, 1, part.caption, font=WARNING, align=CENTRE, across=5)
    text(page, 5, 1, names, font=BOLD, across=5)
    page.row_dimensions[5].height = height_of([(names, width)], least=24)
