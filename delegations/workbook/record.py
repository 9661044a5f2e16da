"""What was done beside what was planned, in figures (走访完成情况表) and in words (走访情况记录)."""

from __future__ import annotations

from collections.abc import Iterator

from openpyxl.worksheet.worksheet import Worksheet

from delegations.budget import Line, fold, total
from delegations.dates import span
from delegations.models import Destination, Visit
from delegations.plans import day
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
    plan_visits,
    source_text,
    with_widths,
    yuan_width,
)
from reporting.workbooks.layout import BOLD, CENTRE, WARNING, Book, box, lines_of, shade, text

DONE = {
    "组别": 8.0,
    "走访单位": 10.5,
    "类别": 10.0,
    "名称": 22.5,
    "计划日期": 16.0,
    "走访日期": 10.0,
    "完成情况": 10.0,
    "计划金额": 11.0,
    "实付慰问金": 11.0,
    "实付慰问品折款": 11.0,
    "实付合计": 11.0,
    "差额": 10.0,
    "实付资金来源": 22.0,
    "慰问品、差异说明": 27.0,
}
FINDINGS = {"组别": 8.0, "走访单位": 10.5, "走访对象": 29.0, "项目": 23.0, "内容": 70.0}
# What Excel shows of one row: longer texts go on in the next (409 points; 13.65 a line).
MOST_LINES = 28


def record_sheet(book: Book, contents: Contents) -> Extent:
    title = "走访完成情况表"
    decimals = decimals_of_all(contents, "money", "goods", "paid_money", "paid_goods")
    everything = total(contents.cube)
    width = yuan_width(max(everything.planned, everything.paid), decimals)
    spec = with_widths(DONE, width, "计划金额", "实付慰问金", "实付慰问品折款", "实付合计", "差额")
    sheet = page(book, contents, title, title, tuple(spec.values()))
    text(
        sheet,
        3,
        1,
        "金额单位：元；差额为实付减计划。困难及原因、诉求、做法见“走访情况记录”。",
        across=len(DONE),
    )
    head(sheet, DONE)
    sums = fold(contents.cube, lambda line: line.delegation)
    row, subtotals = FIRST_ROW, []
    for delegation in contents.delegations:
        first = row
        for destination, visit in each_visit(delegation, Visit.Standing.PLANNED, Visit.Standing.UNPLANNED):
            if visit is None:
                empty = {"组别": group(delegation), "名称": emptiness(delegation)}
                if destination is not None:
                    empty["走访单位"] = destination.union.short_name
                line_of_texts(sheet, row, DONE, empty)
            else:
                assert destination is not None
                line_of_texts(sheet, row, DONE, _done_texts(destination, visit))
                _done_figures(book, sheet, row, visit, decimals)
            row += 1
        line = sums.get(delegation.pk) or total(())
        _done_sum(book, sheet, row, f"{delegation}小计", [(first, row - 1)], line, decimals)
        subtotals.append(row)
        row += 1
    _done_sum(book, sheet, row, "合计", [(n, n) for n in subtotals], total(contents.cube), decimals)
    box(sheet, range(HEAD_ROW, row + 1), range(1, len(DONE) + 1))
    sheet.freeze_panes = f"C{FIRST_ROW}"
    foot(sheet, contents)
    return Extent(title, tuple(DONE), FIRST_ROW, max(FIRST_ROW, row - 1))


def _done_texts(destination: Destination, visit: Visit) -> dict[str, str]:
    unplanned = visit.standing == Visit.Standing.UNPLANNED
    source = visit.paid_source or visit.source
    said = []
    if visit.paid_goods_text:
        said.append(f"慰问品：{visit.paid_goods_text}")
    if visit.difference_reason:
        said.append(f"说明：{visit.difference_reason}")
    return {
        "组别": group(destination.delegation),
        "走访单位": destination.union.short_name,
        "类别": visit.get_kind_display(),
        "名称": name_of(visit),
        "计划日期": visit.get_standing_display()
        if unplanned
        else span(destination.first_day, destination.last_day),
        "走访日期": day(visit.happened_on) if visit.happened_on else "",
        "完成情况": visit.get_outcome_display() or "未填",
        "实付资金来源": source_text(source.name if source else None, visit.paid) if _is_done(visit) else "",
        "慰问品、差异说明": "；".join(said),
    }


def _is_done(visit: Visit) -> bool:
    return visit.outcome == Visit.Outcome.DONE


def _done_figures(book: Book, sheet: Worksheet, row: int, visit: Visit, decimals: int) -> None:
    """Before the outcome is recorded there is no difference; what was not visited is not counted as paid."""
    at, letter = columns(DONE), letters(DONE)

    def put(name: str, fen: int | None, formula: str = "") -> None:
        book.yuan(sheet, row, at[name], fen, formula=formula, decimals=decimals)

    put("计划金额", visit.amount)
    put("实付慰问金", visit.paid_money)
    put("实付慰问品折款", visit.paid_goods)
    put("实付合计", visit.paid, f"=ROUND(SUM({letter['实付慰问金']}{row}:{letter['实付慰问品折款']}{row}),2)")
    if visit.outcome:
        paid = f"{letter['实付合计']}{row}" if _is_done(visit) else "0"
        difference = (visit.paid or 0 if _is_done(visit) else 0) - (visit.amount or 0)
        put("差额", difference, f"=ROUND({paid}-{letter['计划金额']}{row},2)")
        if difference:
            sheet.cell(row, at["差额"]).font = WARNING


def _done_sum(
    book: Book,
    sheet: Worksheet,
    row: int,
    name: str,
    spans: list[tuple[int, int]],
    line: Line,
    decimals: int,
) -> None:
    at, letter = columns(DONE), letters(DONE)
    text(sheet, row, 1, name, font=BOLD, align=CENTRE, across=7)

    def put(column: str, fen: int, formula: str) -> None:
        book.yuan(sheet, row, at[column], fen, formula=formula, decimals=decimals).font = BOLD

    def cells(column: str, first: int, last: int) -> str:
        return f"{letter[column]}{first}" + (f":{letter[column]}{last}" if last > first else "")

    parts = ",".join(cells("计划金额", *ends) for ends in spans)
    put("计划金额", line.planned, f"=ROUND(SUM({parts}),2)" if parts else "=0")
    for column, fen in (
        ("实付慰问金", line.paid_money),
        ("实付慰问品折款", line.paid_goods),
        ("实付合计", line.paid),
    ):
        if name == "合计":
            summed = ",".join(cells(column, *ends) for ends in spans)
            formula = f"=ROUND(SUM({summed}),2)" if summed else "=0"
        else:
            ((first, last),) = spans
            outcomes, paid = cells("完成情况", first, last), cells(column, first, last)
            formula = f'=ROUND(SUMIF({outcomes},"{Visit.Outcome.DONE.label}",{paid}),2)'
        put(column, fen, formula)
    put("差额", line.difference, f"=ROUND({letter['实付合计']}{row}-{letter['计划金额']}{row},2)")
    shade(sheet, row, range(1, len(DONE) + 1))
    sheet.row_dimensions[row].height = 22


# -- 走访情况记录 ------------------------------------------------------------------------------------------


def finding_sheet(book: Book, contents: Contents) -> None:
    """What was learned, in words: what notice [三] asks of each place, and what each visit heard."""
    title = "走访情况记录"
    sheet = page(book, contents, title, title, tuple(FINDINGS.values()))
    text(sheet, 3, 1, "只列已填写的内容。", across=len(FINDINGS))
    head(sheet, FINDINGS)
    row = FIRST_ROW
    for delegation in contents.delegations:
        for destination in delegation.destinations.all():
            for whom, what, said in _findings(destination):
                for number, part in enumerate(_in_rows(said, FINDINGS["内容"])):
                    values = {
                        "组别": group(delegation),
                        "走访单位": destination.union.short_name,
                        "走访对象": whom,
                        "项目": what + ("（续）" if number else ""),
                        "内容": part,
                    }
                    line_of_texts(sheet, row, FINDINGS, values)
                    row += 1
    if row == FIRST_ROW:
        text(sheet, row, 1, "还没有走访记录。", align=CENTRE, across=len(FINDINGS))
        sheet.row_dimensions[row].height = 28
        row += 1
    box(sheet, range(HEAD_ROW, row), range(1, len(FINDINGS) + 1))
    sheet.freeze_panes = f"C{FIRST_ROW}"
    foot(sheet, contents)


def _findings(destination: Destination) -> Iterator[tuple[str, str, str]]:
    """(whom, what was asked, what was answered), as far as there is an answer."""
    went = span(destination.went_from, destination.went_until)
    told = (
        ("实际走访日期", went),
        ("参加人员", destination.participants),
        ("学习贯彻精神、落实意识形态责任制、当地党政支持情况", destination.spirit),
        ("帮扶中心和服务体系建设情况", destination.centres),
        ("好的经验做法", destination.practice),
    )
    yield from (("（当地情况）", what, said) for what, said in told if said)
    for visit in plan_visits(destination.visits.all(), Visit.Standing.PLANNED, Visit.Standing.UNPLANNED):
        whom = f"{visit.get_kind_display()} {name_of(visit)}".strip()
        heard = (
            ("困难及原因", visit.difficulties),
            ("诉求和愿望", visit.wishes),
            ("好的做法", visit.good_practice),
        )
        yield from ((whom, what, said) for what, said in heard if said)


def _in_rows(said: str, width: float) -> list[str]:
    """A text in pieces that one row of a sheet can show."""
    pieces, piece = [], ""
    for character in said:
        if lines_of(piece + character, width) > MOST_LINES:
            pieces.append(piece)
            piece = ""
        piece += character
    return [*pieces, piece]
