"""A union's two forms as one workbook: the blank template, and the filled copy for its own files.

Only the cells of figures and the head are unlocked. Beside every total stands its computed sum; a difference
turns red. 审核关系 lists every rule with its live result. A hidden signed mark binds the workbook to union,
campaign and edition of the forms, so that an upload knows what it is looking at.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core import signing
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from reporting.fields import MAX_COUNT, MoneyField, YesNoField
from reporting.models import Campaign
from reporting.rules import Figures
from reporting.sheets import Sheet
from reporting.workbooks.checks import CHECKS_SHEET, RED, checks_page, filled_when, letter, tab_title
from reporting.workbooks.layout import (
    A4,
    CENTRE,
    FORM,
    HEADING,
    MAX_DIGITS,
    RIGHT,
    SMALL,
    SONG,
    TITLE,
    Book,
    digits_of,
    number_format,
    print_setup,
    text,
)
from reporting.workbooks.official_table import COLUMNS, FIGURE_COLUMN, official_table
from unions.models import Union

__all__ = ["CHECKS_SHEET", "MARK_SHEET", "Mark", "filing_workbook", "tab_title", "workbook_name"]

MARK_SHEET = "报送系统标记"
SALT = "filing template"
HEAD_ROW, FIRST_ROW = 4, 6  # title and facts above; the table's head stands in row 6
COMPUTED_COLUMN = FIGURE_COLUMN + 1
COMPUTED = Font(size=11, color="57606A", **SONG)
OPEN = Protection(locked=False)
TYPED = PatternFill("solid", fgColor="FFFBEA")
UNIT_NOTE = "注：金额单位为万元，精确到分（0.000001 万元）。"
TYPING_NOTE = (
    "注：只填浅黄色的格子；金额单位为万元，精确到分（0.000001 万元）；没有发生的填 0；"
    "合计须与右侧自动计算的数一致，不一致时变红。"
)


@dataclass(frozen=True)
class Mark:
    """What the hidden sheet says, once its signature holds."""

    union: str  # code
    year: int
    digests: Mapping[str, str]  # slug → digest of the sheet it was made from
    with_below: bool = False  # figures of subordinates are in it: never to be taken for 本级

    @classmethod
    def of(
        cls, campaign: Campaign, union: Union, sheets: Sequence[Sheet], *, with_below: bool = False
    ) -> Mark:
        return cls(union.code, campaign.year, {sheet.slug: sheet.digest for sheet in sheets}, with_below)

    def signed(self) -> str:
        # Without the time of signing: the same content gives the same bytes.
        content = {"union": self.union, "year": self.year, "digests": dict(self.digests)}
        if self.with_below:
            content["with_below"] = True
        return signing.Signer(salt=SALT).sign_object(content, compress=True)

    @classmethod
    def read(cls, text: str) -> Mark | None:
        """None for a mark that is not ours or was changed."""
        try:
            content: dict[str, Any] = signing.Signer(salt=SALT).unsign_object(text)
        except signing.BadSignature:
            return None
        return cls(
            content["union"], content["year"], content["digests"], bool(content.get("with_below", False))
        )


def filing_workbook(
    *,
    campaign: Campaign,
    union: Union,
    sheets: Sequence[Sheet],
    figures: Mapping[str, Figures],
    head: Mapping[str, str],
    made_at: datetime.datetime,
    footer: str = "",
    scope: str = "",
    with_below: bool = False,
    is_sealed: bool = False,
) -> bytes:
    """The workbook as bytes, the same for the same content. `figures` by slug; nothing for a blank template.

    `scope` is printed under the title where a union has subordinates (本级 or 合计); `with_below` says that figures
    of subordinates are in it. `sealed_by`: who answers for a round as it was submitted, of which nothing is left to
    fill in; None for a template or a draft.
    """
    book = Book(title=workbook_name(campaign, union).removesuffix(".xlsx"), made_at=made_at)
    lines = {}
    for sheet in sheets:
        lines[sheet.slug] = _form(
            book, campaign, union, sheet, figures.get(sheet.slug, {}), head, footer, scope, is_sealed
        )
    checks_page(book, union, sheets, lines, figures)
    _mark(book, Mark.of(campaign, union, sheets, with_below=with_below))
    book.workbook.calculation.fullCalcOnLoad = True  # whoever can calculate does it anew
    return book.to_bytes()


def workbook_name(campaign: Campaign, union: Union) -> str:
    return f"{campaign.year}年{union.name}送温暖统计报表.xlsx"


def _form(
    book: Book,
    campaign: Campaign,
    union: Union,
    sheet: Sheet,
    figures: Figures,
    head: Mapping[str, str],
    footer: str,
    scope: str,
    is_sealed: bool,
) -> dict[str, int]:
    page = book.sheet(tab_title(sheet), [*COLUMNS.values(), 18.0])
    page.sheet_view.showGridLines = False
    text(page, 1, 1, sheet.form.attachment, font=HEADING, across=5)
    text(page, 2, 1, sheet.title, font=TITLE, align=CENTRE, across=5)
    facts = " · ".join(filter(None, (campaign.title, campaign.notice_number, scope)))
    text(page, 3, 1, facts, font=SMALL, align=CENTRE, across=5)
    text(page, HEAD_ROW, 1, f"填报单位（盖章）：{union.name}", font=FORM, across=3)
    text(page, HEAD_ROW, 4, "日期：", font=FORM, align=RIGHT)
    text(page, HEAD_ROW, 5, head.get("filled_on", ""), font=FORM)
    text(page, HEAD_ROW + 1, 1, "填报人：", font=FORM, align=RIGHT, across=2)
    text(page, HEAD_ROW + 1, 3, head.get("filler_name", ""), font=FORM)
    text(page, HEAD_ROW + 1, 4, "电话：", font=FORM, align=RIGHT)
    text(page, HEAD_ROW + 1, 5, head.get("filler_phone", ""), font=FORM)
    for row, height in ((1, 20), (2, 34), (3, 20), (4, 24), (5, 24)):
        page.row_dimensions[row].height = height
    for row, column in ((HEAD_ROW, 5), (HEAD_ROW + 1, 3), (HEAD_ROW + 1, 5)):
        page.cell(row, column).number_format = "@"
        if not is_sealed:
            _to_be_typed(page.cell(row, column))
    lines = official_table(book, page, FIRST_ROW, sheet.rows, lambda code: sheet.fields[code], figures)
    text(page, FIRST_ROW, COMPUTED_COLUMN, "自动计算", font=COMPUTED, align=CENTRE)
    for printed in sheet.rows:
        if not is_sealed:
            _figure_cell(page, sheet, printed.code, lines)
        if printed.parts:
            _computed(book, page, sheet, printed.code, printed.parts, lines, figures)
    _no_texts(page, sheet, figures, lines)
    last = FIRST_ROW + len(sheet.rows)
    text(page, last + 1, 1, TYPING_NOTE if not is_sealed else UNIT_NOTE, font=SMALL, across=5)
    page.row_dimensions[last + 1].height = 30
    # Room for a hand; the seal goes over the union's name.
    text(page, last + 2, 1, "负责人（签字）：", font=FORM, across=5)
    page.row_dimensions[last + 2].height = 32
    page.freeze_panes = f"A{FIRST_ROW + 1}"
    page.protection.sheet = True  # without a password: against slips, not against people
    page.protection.formatColumns = page.protection.formatRows = False
    print_setup(
        page,
        paper=A4,
        landscape=False,
        footer=footer or "由送温暖报送系统生成",
        repeat_rows=f"{FIRST_ROW}:{FIRST_ROW}",
        pages_down=1,
    )
    page.print_area = f"A1:E{last + 2}"
    return lines


def _to_be_typed(cell: Any) -> None:
    cell.protection, cell.fill = OPEN, TYPED


def _figure_cell(page: Worksheet, sheet: Sheet, code: str, lines: Mapping[str, int]) -> None:
    """Unlocked, with a rule for what may be typed and a hint of what belongs here."""
    cell = page.cell(lines[code], FIGURE_COLUMN)
    _to_be_typed(cell)
    field, row = sheet.fields[code], sheet.row[code]
    if isinstance(field, YesNoField):
        rule = DataValidation(type="list", formula1='"是,否"', allow_blank=True)
        rule.error, cell.alignment = "请选“是”或“否”。", CENTRE
    elif isinstance(field, MoneyField):
        rule = DataValidation(type="decimal", operator="greaterThanOrEqual", formula1="0", allow_blank=True)
        rule.error = "请填不小于 0 的数字，单位万元，最多 6 位小数。"
    else:
        rule = DataValidation(
            type="whole", operator="between", formula1="0", formula2=str(MAX_COUNT), allow_blank=True
        )
        rule.error = f"请填不小于 0 的整数，单位{row.unit}。"
    rule.errorTitle, rule.showErrorMessage = "填写有误", True
    rule.promptTitle, rule.showInputMessage = code, True
    total = f"\n等于 {' + '.join(row.parts)}，右侧是自动计算的数。" if row.parts else ""
    rule.prompt = f"{row.full_label}（{row.unit}）{total}"[:250]
    rule.add(cell.coordinate)
    page.add_data_validation(rule)


def _computed(
    book: Book,
    page: Worksheet,
    sheet: Sheet,
    code: str,
    parts: Sequence[str],
    lines: Mapping[str, int],
    figures: Figures,
) -> None:
    """The sum of a total's parts, live beside it; both turn red when the typed one differs."""
    field, line = sheet.fields[code], lines[code]
    typed = f"${letter(FIGURE_COLUMN)}${line}"
    span = ",".join(f"{letter(FIGURE_COLUMN)}{lines[part]}" for part in parts)
    money = isinstance(field, MoneyField)
    known = [figure for part in parts if (figure := figures.get(part)) is not None]
    formula = f"=ROUND(SUM({span}),6)" if money else f"=SUM({span})"
    cell = book.formula(page, line, COMPUTED_COLUMN, formula, field.show(sum(known)))
    cell.font = COMPUTED
    if not money:  # a sum of money has as many decimals as it has
        cell.number_format = number_format(0)
    computed = f"${letter(COMPUTED_COLUMN)}${line}"
    differs = f"AND(ISNUMBER({typed}),ROUND({typed}-{computed},6)<>0)"
    page.conditional_formatting.add(
        f"{letter(FIGURE_COLUMN)}{line}:{letter(COMPUTED_COLUMN)}{line}",
        filled_when(differs, RED),
    )


def _no_texts(page: Worksheet, sheet: Sheet, figures: Figures, lines: Mapping[str, int]) -> None:
    """What is pasted passes by the validation: a text where a number belongs turns red."""
    cells = [
        f"{letter(FIGURE_COLUMN)}{lines[code]}"
        for code, field in sheet.fields.items()
        if not isinstance(field, YesNoField) and digits_of(field, figures.get(code) or 0) <= MAX_DIGITS
    ]
    if cells:
        page.conditional_formatting.add(" ".join(cells), filled_when(f"ISTEXT({cells[0]})", RED))


# -- the mark ----------------------------------------------------------------------------------------------


def _mark(book: Book, mark: Mark) -> None:
    page = book.sheet(MARK_SHEET, (100.0,))
    page.sheet_state = "veryHidden"
    text(page, 1, 1, "此页由送温暖报送系统使用，请勿改动。", font=SMALL)
    text(page, 2, 1, mark.signed(), font=SMALL, align=Alignment(wrap_text=False))
    page.protection.sheet = True
