"""Good: our own template, filled in with other programs."""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable

from openpyxl import Workbook, load_workbook

from reporting.workbooks.filing import MARK_SHEET, filing_workbook, tab_title
from tests.workbooks.case import UNION, Made, campaign, figures, good, sheets, union, whole_figures
from tests.workbooks.desk import number

MADE_AT = datetime.datetime(2021, 1, 20, 10, tzinfo=datetime.UTC)
HEAD = {"filler_name": "填报员甲", "filler_phone": "0451-1", "filled_on": "2021-01-20"}
FIGURE = "E"
FIRST = 7


def template(
    *,
    name: str = UNION,
    year: int = 2021,
    filled: bool = False,
    head: dict[str, str] | None = None,
    with_below: bool = False,
) -> bytes:
    return filing_workbook(
        campaign=campaign(year),
        union=union(name),
        sheets=sheets(),
        figures=whole_figures() if filled else {},
        head=head or {},
        made_at=MADE_AT,
        with_below=with_below,
    )


def made_of(content: bytes, *, head: dict[str, str] | None = None) -> Made:
    """A template in which every figure stands where the template has it."""
    made = Made(content, head=head or {})
    for form in sheets():
        made.values[form.slug] = figures(form.slug)
        made.cells[form.slug] = {
            row.code: f"{tab_title(form)}!{FIGURE}{line}" for line, row in enumerate(form.rows, FIRST)
        }
    return made


def filled(change: Callable[[Workbook], None] | None = None) -> bytes:
    """The blank template, typed into and saved by another program."""
    book = load_workbook(io.BytesIO(template(head=HEAD)))
    for form in sheets():
        page = book[tab_title(form)]
        for line, row in enumerate(form.rows, FIRST):
            page[f"{FIGURE}{line}"].value = number(figures(form.slug)[row.code])
    if change:
        change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@good("our copy, untouched")
def our_copy() -> Made:
    return made_of(template(filled=True, head=HEAD), head=HEAD)


@good("our template, filled in")
def our_template() -> Made:
    return made_of(filled(), head=HEAD)


@good("our template, blank")
def our_blank_template() -> Made:
    made = made_of(template())
    made.values = {form.slug: {} for form in sheets()}
    return made


@good("our template, one form deleted")
def one_form_left() -> Made:
    made = made_of(filled(lambda book: book.remove(book[tab_title(sheets()[1])])), head=HEAD)
    del made.values[sheets()[1].slug], made.cells[sheets()[1].slug]
    return made


@good("our template, sheets renamed and moved")
def renamed_and_moved() -> Made:
    def change(book: Workbook) -> None:
        book[tab_title(sheets()[0])].title = "甲"
        book.move_sheet(book[tab_title(sheets()[1])], offset=-1)

    made = made_of(filled(change), head=HEAD)
    slug = sheets()[0].slug
    made.cells[slug] = {c: f"甲!{place.partition('!')[2]}" for c, place in made.cells[slug].items()}
    return made


@good("our template, rows and columns inserted")
def rows_and_columns_inserted() -> Made:
    def change(book: Workbook) -> None:
        page = book[tab_title(sheets()[0])]
        page.insert_rows(20, 2)
        page.insert_cols(4)
        page["D6"].value = "备注"

    made = made_of(filled(change), head=HEAD)
    form = sheets()[0]
    for line, row in enumerate(form.rows, FIRST):
        made.cells[form.slug][row.code] = f"{tab_title(form)}!F{line + 2 * (line >= 20)}"
    return made


@good("our template, its mark cut off", notes=(r"^ 文件里的系统标记已不完整",))
def mark_cut_off() -> Made:
    def change(book: Workbook) -> None:
        cell = book[MARK_SHEET]["A2"]
        cell.value = str(cell.value)[:-5]

    return made_of(filled(change), head=HEAD)


@good("our template, its mark of another installation", notes=(r"^ 文件里的系统标记已不完整",))
def mark_of_another_key() -> Made:
    from django.core import signing

    def change(book: Workbook) -> None:
        content = {"union": "230200", "year": 2021, "digests": {}}
        book[MARK_SHEET]["A2"].value = signing.Signer(
            key="another installation", salt="filing template"
        ).sign_object(content, compress=True)

    return made_of(filled(change), head=HEAD)


@good("our template, the mark's page deleted")
def mark_deleted() -> Made:
    return made_of(filled(lambda book: book.remove(book[MARK_SHEET])), head=HEAD)
