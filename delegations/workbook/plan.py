"""走访计划及资金表: every planned visit, what it costs, from which source, and whether it keeps to its norm."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from delegations.budget import Line, fold, total
from delegations.dates import span
from delegations.models import Destination, Visit
from delegations.norms import bounds, off_by, subject_of
from delegations.plans import MIN_REASON, norm_departure
from delegations.workbook.page import (
    FIRST_ROW,
    HEAD_ROW,
    Contents,
    Extent,
    columns,
    decimals_of_all,
    each_visit,
    emptiness,
    foot,
    group,
    head,
    letters,
    line_of_texts,
    name_of,
    page,
    source_text,
    with_widths,
    yuan_width,
)
from reporting.workbooks.layout import BOLD, CENTRE, WARNING, Book, box, shade, text

PLAN = {
    "组别": 8.0,
    "走访单位": 10.5,
    "走访日期": 16.0,
    "类别": 10.0,
    "类型": 14.0,
    "名称": 22.5,
    "慰问金": 11.0,
    "慰问品折款": 11.0,
    "慰问品": 14.0,
    "合计": 11.0,
    "资金来源": 22.0,
    "标准": 13.0,
    "是否超标准及说明": 26.0,
}


def plan_sheet(book: Book, contents: Contents) -> Extent:
    title = "走访计划及资金表"
    decimals = decimals_of_all(contents, "money", "goods")
    width = yuan_width(total(contents.cube).planned, decimals)
    spec = with_widths(PLAN, width, "慰问金", "慰问品折款", "合计")
    sheet = page(book, contents, title, title, tuple(spec.values()))
    text(sheet, 3, 1, "金额单位：元", across=len(PLAN))
    head(sheet, PLAN)
    at, letter = columns(PLAN), letters(PLAN)
    sums = fold(contents.cube, lambda line: line.delegation)
    row, subtotals = FIRST_ROW, []
    for delegation in contents.delegations:
        first = row
        for destination, visit in each_visit(delegation, Visit.Standing.PLANNED):
            if visit is None:
                empty = {"组别": group(delegation), "名称": emptiness(delegation)}
                if destination is not None:
                    empty |= _place(destination)
                line_of_texts(sheet, row, PLAN, empty)
            else:
                assert destination is not None  # a visit has one
                line_of_texts(sheet, row, PLAN, _plan_texts(contents, destination, visit))
                book.yuan(sheet, row, at["慰问金"], visit.money, decimals=decimals)
                book.yuan(sheet, row, at["慰问品折款"], visit.goods, decimals=decimals)
                formula = f"=ROUND(SUM({letter['慰问金']}{row}:{letter['慰问品折款']}{row}),2)"
                book.yuan(sheet, row, at["合计"], visit.amount, formula=formula, decimals=decimals)
                if norm_departure(visit, destination, contents.rulebook):
                    sheet.cell(row, at["是否超标准及说明"]).font = WARNING
            row += 1
        line = sums.get(delegation.pk) or total(())
        _plan_sum(book, sheet, row, f"{delegation}小计", [(first, row - 1)], line, decimals)
        subtotals.append(row)
        row += 1
    # The grand total adds up the subtotals.
    _plan_sum(book, sheet, row, "合计", [(n, n) for n in subtotals], total(contents.cube), decimals)
    box(sheet, range(HEAD_ROW, row + 1), range(1, len(PLAN) + 1))
    sheet.freeze_panes = f"C{FIRST_ROW}"
    foot(sheet, contents)
    return Extent(title, tuple(PLAN), FIRST_ROW, max(FIRST_ROW, row - 1))


def _place(destination: Destination) -> dict[str, str]:
    return {
        "走访单位": destination.union.short_name,
        "走访日期": span(destination.first_day, destination.last_day),
    }


def _plan_texts(contents: Contents, destination: Destination, visit: Visit) -> dict[str, str]:
    rulebook = contents.rulebook
    subject = subject_of(visit.kind, visit.category, visit.is_hard_hit)
    norm = rulebook.norms.in_force(subject, rulebook.norm_day(destination))
    off = off_by(norm, visit.amount)
    if visit.amount is None:
        verdict = "金额未填"
    elif not off:
        verdict = "否" if norm else ""
    else:
        said = visit.amount_reason.strip()
        verdict = off + (f"。说明：{said}" if len(said) >= MIN_REASON else "。未说明")
    return {
        "组别": group(destination.delegation),
        **_place(destination),
        "类别": visit.get_kind_display(),
        "类型": visit.get_category_display() + ("（特别困难）" if visit.is_hard_hit else ""),
        "名称": name_of(visit),
        "慰问品": visit.goods_text,
        "资金来源": source_text(visit.source.name if visit.source else None, visit.amount),
        "标准": f"{bounds(norm).removesuffix(' 元')}/{norm.unit}" if norm else "",
        "是否超标准及说明": verdict,
    }


def _plan_sum(
    book: Book,
    sheet: Worksheet,
    row: int,
    name: str,
    spans: list[tuple[int, int]],
    line: Line,
    decimals: int,
) -> None:
    at, letter = columns(PLAN), letters(PLAN)
    text(sheet, row, 1, name, font=BOLD, align=CENTRE, across=6)
    for column, fen in (("慰问金", line.money), ("慰问品折款", line.goods), ("合计", line.planned)):
        parts = ",".join(
            f"{letter[column]}{first}" + (f":{letter[column]}{last}" if last > first else "")
            for first, last in spans
        )
        formula = f"=ROUND(SUM({parts}),2)" if parts else "=0"
        book.yuan(sheet, row, at[column], fen, formula=formula, decimals=decimals).font = BOLD
    shade(sheet, row, range(1, len(PLAN) + 1))
    sheet.row_dimensions[row].height = 22
