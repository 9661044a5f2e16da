"""The delegations of a campaign as one workbook: arrangement, plan and money, what was done, what was filed.

总体安排表 is laid out as attachment 3 prints it. The sums are live formulas over the sheets before them, and
their results are those of `budget`: two ways to the same figure. The same data give the same bytes.
"""

from __future__ import annotations

from django.views.decorators.debug import sensitive_variables

from delegations.dates import span
from delegations.workbook.money import money_sheet
from delegations.workbook.page import FIRST_ROW, HEAD_ROW, Contents, Households, foot, group, head, load, page
from delegations.workbook.people import household_sheet, material_sheet
from delegations.workbook.plan import plan_sheet
from delegations.workbook.record import finding_sheet, record_sheet
from reporting.models import Campaign
from reporting.workbooks.layout import CENTRE, HEADING, LEFT, SMALL, Book, box, height_of, text
from reporting.workbooks.summary import CONTENT_TYPE

__all__ = ["CONTENT_TYPE", "Contents", "Households", "load", "plan_workbook", "workbook_name"]


def workbook_name(campaign: Campaign, *, is_personal: bool = False) -> str:
    return f"{campaign.year}年慰问组走访安排{'（内含个人信息）' if is_personal else ''}.xlsx"


@sensitive_variables("households")
def plan_workbook(contents: Contents, households: Households | None = None) -> bytes:
    """The whole workbook; names of households are masked, except on the sheet of `households`."""
    title = workbook_name(contents.campaign).removesuffix(".xlsx")
    book = Book(title=title, made_at=contents.changed_at)
    _arrangement(book, contents)
    planned = plan_sheet(book, contents)
    done = record_sheet(book, contents)
    finding_sheet(book, contents)
    money_sheet(book, contents, planned, done)
    material_sheet(book, contents)
    if households is not None:
        household_sheet(book, contents, households)
    return book.to_bytes()


# -- 总体安排表 --------------------------------------------------------------------------------------------

ARRANGEMENT = ("组别", "带队领导", "成员单位", "走访单位", "走访日期", "联络员")


def _arrangement(book: Book, contents: Contents) -> None:
    widths = (9.0, 13.0, 30.0, 16.0, 22.0, 18.0)
    sheet = page(book, contents, "总体安排表", "走访慰问总体安排表", widths)
    text(sheet, 3, 1, "附件3", font=HEADING, across=2)
    head(sheet, ARRANGEMENT)
    row = FIRST_ROW
    for delegation in contents.delegations:
        destinations = list(delegation.destinations.all())
        down = max(1, len(destinations))
        liaison = "\n".join(filter(None, (delegation.liaison_name, delegation.liaison_phone)))
        members = "、".join(delegation.member_units)
        for column, value in ((1, group(delegation)), (2, delegation.leader_name), (6, liaison)):
            text(sheet, row, column, value, align=CENTRE, down=down)
        text(sheet, row, 3, members, align=LEFT, down=down)
        for number in range(row, row + down):
            # A tall cell shares its lines among the rows it covers.
            needed = height_of([(members, widths[2]), (liaison, widths[5])]) / down
            sheet.row_dimensions[number].height = max(24, needed)
        for number, destination in enumerate(destinations, row):
            text(sheet, number, 4, destination.union.short_name, align=CENTRE)
            text(sheet, number, 5, span(destination.first_day, destination.last_day), align=CENTRE)
        row += down
    box(sheet, range(HEAD_ROW, row), range(1, 7))
    window = span(contents.campaign.visits_from, contents.campaign.visits_until)
    note = f"走访时间：{window}，各组自定。" if window else ""
    text(sheet, row, 1, note, font=SMALL, across=6)
    sheet.freeze_panes = f"A{FIRST_ROW}"
    foot(sheet, contents, landscape=False)
