"""比较: this year's totals beside an earlier campaign's, the difference live and exact to the 分.

Both years are added up over the same units. Where they are not the same units in fact, the totals are not alike,
and the sheet says by name who counts in one year only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from reporting.fields import Indicator, MoneyField, YesNoField
from reporting.sheets import Row
from reporting.summaries import SealedSheet
from reporting.workbooks.layout import (
    A4,
    BODY,
    BOLD,
    CENTRE,
    MAX_DIGITS,
    RIGHT,
    SMALL,
    TITLE,
    WARNING,
    Book,
    box,
    decimals_of,
    digits_of,
    height_of,
    number_format,
    print_setup,
    shade,
    text,
)
from reporting.workbooks.official_table import row_head
from reporting.workbooks.part import Part, short_title

NOTHING = "—"  # there is nothing to reckon with
HEADS = {"序号": 6.0, "代码": 7.0, "项目": 54.0, "单位": 8.0}
PERCENT = "0.00%"
HEAD_ROW = 4  # title, facts and whose figures stand above


def comparison_title(sheet: SealedSheet, before: Part) -> str:
    return f"{short_title(sheet)}与{before.year}年比较"


@dataclass(frozen=True)
class Columns:
    """Where in a row this year's figure stands, and what is written beside it."""

    now: int
    before: int
    change: int
    percent: int


def comparison_sheet(book: Book, part: Part, before: Part, sheet: SealedSheet) -> None:
    earlier = next((s for s in before.sheets if s.slug == sheet.slug), None)
    rows = rows_of_either(sheet, earlier)
    then = earlier.figures if earlier else {}
    figures = {row.code: (sheet.figures.get(row.code), then.get(row.code)) for row in rows}
    longest = max(len(sheet.field(code).grouped(f)) for code, pair in figures.items() for f in pair)
    room = max(15.0, longest + 4.0)
    page = book.sheet(comparison_title(sheet, before), [*HEADS.values(), room, room, room, 11.0])
    page.sheet_view.showGridLines = False
    last_column = len(HEADS) + 4
    title = f"{sheet.summary_title}（与{before.year}年比较）"
    text(page, 1, 1, title, font=TITLE, align=CENTRE, across=last_column)
    text(page, 2, 1, part.facts(part.caption), font=SMALL, align=CENTRE, across=last_column)
    warning = part.sample or before.sample
    text(page, 3, 1, warning, font=WARNING, align=CENTRE, across=last_column)
    for row, height in ((1, 34), (2, 20), (3, 20 if warning else 6)):
        page.row_dimensions[row].height = height
    for column, name in enumerate((*HEADS, *year_heads(part, before), "增减", "增减%"), 1):
        text(page, HEAD_ROW, column, name, font=BOLD, align=CENTRE)
    shade(page, HEAD_ROW, range(1, last_column + 1))
    page.row_dimensions[HEAD_ROW].height = 34
    lengths = Counter(row.section for row in rows)
    for number, printed in enumerate(rows, HEAD_ROW + 1):
        row_head(page, number, printed, lengths[printed.section], BODY, BOLD)
        now, was = figures[printed.code]
        field, font = sheet.field(printed.code), BOLD if printed.parts else BODY
        decimals = max(decimals_of(field, now), decimals_of(field, was))
        book.figure(page, number, 5, field, now, decimals).font = font
        compare(
            book, page, number, field, now, was, Columns(5, 6, 7, 8), decimals, is_bold=bool(printed.parts)
        )
        page.row_dimensions[number].height = height_of([(printed.label, HEADS["项目"] - 2 * printed.depth)])
    box(page, range(HEAD_ROW, HEAD_ROW + 1 + len(rows)), range(1, last_column + 1))
    width = sum(HEADS.values()) + 3 * room + 11
    notes = [(_how(part, before), False), *notes_on_units(part, before)]
    notes += [(said, False) for said in _notes_on_rows(sheet, earlier, part, before)]
    write_notes(page, HEAD_ROW + 1 + len(rows), last_column, width, notes)
    page.freeze_panes = f"E{HEAD_ROW + 1}"
    repeat = f"{HEAD_ROW}:{HEAD_ROW}"
    print_setup(page, paper=A4, landscape=True, footer=part.foot, repeat_rows=repeat)


def year_heads(part: Part, before: Part) -> tuple[str, str]:
    last = "上年" if before.year == part.year - 1 else "上次"
    return f"本年\n（{part.year}年）", f"{last}\n（{before.year}年）"


def rows_of_either(sheet: SealedSheet, earlier: SealedSheet | None) -> list[Row]:
    """In printed order, in this year's wording; a row that only the earlier sheet has in the wording of then."""
    rows: list[Row] = []
    for code in sheet.form.fields():
        row = sheet.row.get(code)
        if row is None and earlier is not None and code in earlier.row:
            row = replace(earlier.row[code], label=earlier.full_label(code))
        if row is not None:
            is_first = not rows or rows[-1].section != row.section
            rows.append(replace(row, serial=str(row.section) if is_first else ""))
    return rows


def compare(
    book: Book,
    page: Worksheet,
    row: int,
    field: Indicator,
    now: int | None,
    before: int | None,
    at: Columns,
    decimals: int,
    *,
    is_bold: bool,
) -> None:
    """The earlier figure, the difference and its share. `now` stands in its cell already, as number or formula."""
    font = BOLD if is_bold else BODY
    book.figure(page, row, at.before, field, before, decimals).font = font
    here, there = (f"{get_column_letter(column)}{row}" for column in (at.now, at.before))
    change, share = _change(field, now, before), _share(field, now, before)
    figures = [figure for figure in (now, before) if figure is not None]
    if isinstance(field, YesNoField):
        live = f'=IF(OR({here}="",{there}=""),"{NOTHING}",IF({here}={there},"不变","由"&{there}&"变"&{here}))'
        cell = book.formula(page, row, at.change, live, change, is_text=True)
        cell.alignment, cell.font = CENTRE, font
        text(page, row, at.percent, NOTHING, font=font, align=CENTRE)
        return
    if any(digits_of(field, figure) > MAX_DIGITS for figure in (*figures, _difference(now, before))):
        # Too long to be reckoned with in a spreadsheet: what stands here was reckoned beforehand, whole.
        text(page, row, at.change, change, font=font, align=RIGHT)
        text(page, row, at.percent, f"{share:.2%}" if share is not None else NOTHING, font=font, align=RIGHT)
        return
    difference = f"ROUND({here}-{there},6)" if isinstance(field, MoneyField) else f"{here}-{there}"
    is_blank = f"COUNT({here})+COUNT({there})<2"
    cell = book.formula(
        page, row, at.change, f'=IF({is_blank},"{NOTHING}",{difference})', change, is_text=change == NOTHING
    )
    cell.number_format, cell.alignment, cell.font = number_format(decimals), RIGHT, font
    live = f'=IF({is_blank},"{NOTHING}",IF({there}=0,"{NOTHING}",ROUND(({here}-{there})/{there},4)))'
    shown = NOTHING if share is None else f"{share:f}"
    cell = book.formula(page, row, at.percent, live, shown, is_text=share is None)
    cell.number_format, cell.alignment, cell.font = PERCENT, RIGHT, font


def _difference(now: int | None, before: int | None) -> int:
    return (now or 0) - (before or 0)


def _change(field: Indicator, now: int | None, before: int | None) -> str:
    """What the cell of the difference says."""
    if now is None or before is None:
        return NOTHING
    if isinstance(field, YesNoField):
        return "不变" if now == before else f"由{field.show(before)}变{field.show(now)}"
    difference = _difference(now, before)
    return field.grouped(difference) if digits_of(field, difference) > MAX_DIGITS else field.show(difference)


def _share(field: Indicator, now: int | None, before: int | None) -> Decimal | None:
    """The difference as a share of the earlier figure, to the hundredth of a percent."""
    if now is None or not before or isinstance(field, YesNoField):
        return None
    return (Decimal(now - before) / before).quantize(Decimal("0.0001"), ROUND_HALF_UP)


# -- what is said under the table --------------------------------------------------------------------------


def write_notes(
    page: Worksheet, row: int, across: int, width: float, notes: Iterable[tuple[str, bool]]
) -> None:
    """Each over the whole width; those that must not be overlooked in red."""
    for number, (note, is_warning) in enumerate(notes, row):
        text(page, number, 1, note, font=WARNING if is_warning else SMALL, across=across)
        page.row_dimensions[number].height = height_of([(note, width)])


def _how(part: Part, before: Part) -> str:
    this, other = (f"{p.year}年为{p.number}（统计截至 {p.moment}）" for p in (part, before))
    return (
        f"注：{this}，{other}；增减为两年之差，增减%为差数占{before.year}年数的百分比，"
        f"{before.year}年为 0 或有一年没有数据的记“{NOTHING}”；金额单位为万元，精确到分（0.000001 万元）。"
    )


def notes_on_units(part: Part, before: Part) -> list[tuple[str, bool]]:
    now = {p.code: p.name for p in part.included}
    then = {p.code: p.name for p in before.included}
    return one_year_only(part, before, now, then)


def one_year_only(
    part: Part, before: Part, now: Mapping[str, str], then: Mapping[str, str], what: str = "单位"
) -> list[tuple[str, bool]]:
    """Who counts in one of the two years only (names by code), and whether that is a warning."""
    only = [
        f"只在{year}年计入的有{'、'.join(names)}"
        for year, names in (
            (part.year, [name for code, name in now.items() if code not in then]),
            (before.year, [name for code, name in then.items() if code not in now]),
        )
        if names
    ]
    if not only:
        return [(f"两年计入的{what}相同，共 {len(now)} 个。", False)]
    return [(f"两年计入的{what}不同，合计的增减也含这一差别：{'；'.join(only)}。", True)]


def _notes_on_rows(
    sheet: SealedSheet, earlier: SealedSheet | None, part: Part, before: Part
) -> Sequence[str]:
    if earlier is None:
        return [f"{before.year}年的汇总没有这张表。"]
    only = (
        (part.year, [code for code in sheet.row if code not in earlier.row]),
        (before.year, [code for code in earlier.row if code not in sheet.row]),
    )
    return [f"只有{year}年的表上有：{'、'.join(codes)}。" for year, codes in only if codes]
