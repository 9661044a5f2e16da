"""One summary as one workbook: what the province prints, stamps and sends on.

封面, the two forms in the layout of the notice, the units behind every total, who filed and what they
explained. Everything is read from the sealed summary; making the workbook twice gives the same bytes.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence

from django.utils import timezone
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from reporting.fields import MoneyField, YesNoField
from reporting.models import Summary
from reporting.rules import LEVEL_LABELS
from reporting.summaries import (
    Participant,
    SealedSheet,
    Unit,
    combine,
    explanations_of,
    participants_of,
    sealed_sheets,
    units_of,
)
from reporting.workbooks.layout import (
    A3,
    A4,
    BODY,
    BOLD,
    CENTRE,
    FORM,
    HEADING,
    LEFT,
    MAX_DIGITS,
    ONE_LINE,
    RIGHT,
    SMALL,
    TITLE,
    WARNING,
    Book,
    box,
    decimals_of,
    digits_of,
    display_width,
    height_of,
    number_format,
    print_setup,
    shade,
    text,
)
from reporting.workbooks.official_table import COLUMNS, official_table

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SAMPLE = "演示数据，不代表任何单位的真实工作"
FIRST_UNIT_ROW = 6  # of the detail sheets: title, facts, codes, labels, units of measure stand above
PAGE_WIDTH = 230  # columns of half-width characters that A3 landscape prints legibly


def workbook_name(summary: Summary) -> str:
    return f"{summary.facts['year']}年送温暖统计汇总_第{summary.number}号.xlsx"


def summary_workbook(summary: Summary) -> bytes:
    """The whole summary. Costs four queries and two a form, however many units there are."""
    participants = participants_of(summary)
    book = Book(title=workbook_name(summary).removesuffix(".xlsx"), made_at=summary.made_at)
    sheets = sealed_sheets(summary)
    _cover(book, summary, participants, sheets)
    for sheet in sheets:
        _official(book, summary, participants, sheet)
    for sheet in sheets:
        _detail(book, summary, sheet, units_of(summary, sheet.slug))
    _filings(book, summary, participants)
    _explanations(book, summary, sheets)
    return book.to_bytes()


def short_title(sheet: SealedSheet) -> str:
    """送温暖统计表 → 送温暖: a sheet's tab has room for little."""
    return sheet.title.removesuffix("统计表").removesuffix("工作")


def _footer(summary: Summary) -> str:
    return f"第 {summary.number} 号汇总  校验码 {summary.digest[:16]}"


def _moment(summary: Summary) -> str:
    return f"{timezone.localtime(summary.cut_off):%Y年%-m月%-d日 %H:%M:%S}"


# -- 封面 --------------------------------------------------------------------------------------------------


def _cover(book: Book, summary: Summary, participants: list[Participant], sheets: list[SealedSheet]) -> None:
    widths = (18.0, 74.0)
    page = book.sheet("封面", widths)
    page.sheet_view.showGridLines = False
    campaign = summary.facts
    included = [p for p in participants if not p.is_missing]
    late = [p.name for p in included if p.is_late]
    missing = [f"{p.name}（{p.state_label}）" for p in participants if p.is_missing]
    # A state moves on without making a new summary: it is read as of the moment of this one.
    not_in = f"{'、'.join(missing)}。括号内为{_moment(summary)}的状态。" if missing else "无"
    deadline = datetime.datetime.fromisoformat(campaign["deadline"])
    text(page, 2, 1, campaign["union"], font=TITLE, align=CENTRE, across=2)
    text(page, 3, 1, f"{campaign['title']}统计汇总", font=TITLE, align=CENTRE, across=2)
    text(page, 4, 1, f"第 {summary.number} 号", font=HEADING, align=CENTRE, across=2)
    for row, height in ((1, 60), (2, 36), (3, 36), (4, 28), (5, 30)):
        page.row_dimensions[row].height = height
    if campaign["is_sample"]:
        text(page, 5, 1, SAMPLE, font=WARNING, align=CENTRE, across=2)
    facts = [
        ("通知文号", campaign["notice_number"]),
        ("通知标题", campaign["notice_title"]),
        ("统计截至", _moment(summary)),
        ("报送截止", f"{timezone.localtime(deadline):%Y年%-m月%-d日 %H:%M}"),
        ("校验码", summary.digest),
        (
            "参加单位",
            f"共 {len(participants)} 个：已纳入 {len(included)} 个（其中逾期 {len(late)} 个），未纳入 {len(missing)} 个",
        ),
        ("已纳入", "、".join(p.name for p in included) or "无"),
        ("其中逾期", "、".join(late) or "无"),
        ("未纳入", not_in),
        ("审核关系", _verdict(sheets)),
    ]
    for row, (name, value) in enumerate(facts, 6):
        text(page, row, 1, name, font=BOLD, align=CENTRE)
        text(page, row, 2, value)
        page.row_dimensions[row].height = height_of([(value, widths[1])], least=28)
    box(page, range(6, 6 + len(facts)), range(1, 3))
    contents = [f"本文件共 {3 + 2 * len(sheets)} 张表：封面"]
    contents += [f"{short_title(sheet)}汇总表" for sheet in sheets]
    contents += [f"{short_title(sheet)}分单位明细" for sheet in sheets] + ["报送情况", "说明"]
    row = 7 + len(facts)
    text(page, row, 1, "、".join(contents) + "。", font=SMALL, across=2)
    page.row_dimensions[row].height = 30
    print_setup(page, paper=A4, landscape=False, footer=_footer(summary))


def _verdict(sheets: list[SealedSheet]) -> str:
    """What the rules say of the totals, in one cell."""
    broken = [
        f"{sheet.title}〔{LEVEL_LABELS.get(p['level'], '')}〕{p['message']}"
        for sheet in sheets
        for p in sheet.problems
    ]
    return "\n".join(broken) or "各表合计全部满足"


# -- the forms as the notice prints them -------------------------------------------------------------------


def _official(book: Book, summary: Summary, participants: list[Participant], sheet: SealedSheet) -> None:
    widths = list(COLUMNS.values())
    longest = max(len(sheet.field(code).grouped(figure)) for code, figure in sheet.figures.items())
    widths[-1] = max(widths[-1], longest * 1.2 + 4)
    page = book.sheet(f"{short_title(sheet)}汇总表", widths)
    page.sheet_view.showGridLines = False
    campaign = summary.facts
    own = next((p.round for p in participants if p.round and p.round.filing.union.is_root), None)
    head = own.head if own else {}
    text(page, 1, 1, sheet.form.attachment, font=HEADING, across=5)
    text(page, 2, 1, sheet.summary_title, font=TITLE, align=CENTRE, across=5)
    what = f"{campaign['title']} · 第 {summary.number} 号汇总 · 统计截至 {_moment(summary)}"
    text(page, 3, 1, what, font=SMALL, align=CENTRE, across=5)
    filled_on = f"{timezone.localtime(summary.cut_off):%Y年%-m月%-d日}"
    text(page, 4, 1, f"填报单位（盖章）：{campaign['union']}", font=FORM, across=3)
    text(page, 4, 4, f"填报日期：{filled_on}", font=FORM, across=2)
    text(page, 5, 1, f"填报人：{head.get('filler_name', '')}", font=FORM, across=3)
    text(page, 5, 4, f"电话：{head.get('filler_phone', '')}", font=FORM, across=2)
    for row, height in ((1, 20), (2, 34), (3, 20), (4, 24), (5, 24)):
        page.row_dimensions[row].height = height
    official_table(book, page, 6, sheet.rows, sheet.field, sheet.figures)
    last = 6 + len(sheet.rows)
    notes = ["注：金额单位为万元，精确到分（0.000001 万元）；“是/否”项有一个单位选“是”即为“是”。"]
    notes += [SAMPLE + "。"] if campaign["is_sample"] else []
    for row, note in enumerate(notes, last + 1):
        text(page, row, 1, note, font=WARNING if note.startswith(SAMPLE) else SMALL, across=5)
        page.row_dimensions[row].height = 20
    page.freeze_panes = "A7"
    print_setup(
        page,
        paper=A4,
        landscape=False,
        footer=_footer(summary),
        repeat_rows="6:6",
        pages_down=1,  # one sheet of paper to sign and stamp
    )


# -- 分单位明细 --------------------------------------------------------------------------------------------


def _detail(book: Book, summary: Summary, sheet: SealedSheet, units: list[Unit]) -> None:
    columns = {printed.code: number for number, printed in enumerate(sheet.rows, 3)}
    heads = {code: sheet.full_label(code) for code in columns}
    labels = [f"{unit.name}（逾期）" if unit.is_late else unit.name for unit in units]
    decimals = {
        code: max([0, *(decimals_of(sheet.field(code), unit.figures[code]) for unit in units)])
        for code in columns
    }
    widths = [6.0, max([20.0, *(display_width(label) + 3.0 for label in labels)])]
    widths += [_figure_width(sheet, units, code, decimals[code]) for code in columns]
    page = book.sheet(f"{short_title(sheet)}分单位明细", widths)
    what = f"{summary.facts['title']} · 第 {summary.number} 号汇总 · 统计截至 {_moment(summary)}"
    what += f" · {SAMPLE}" if summary.facts["is_sample"] else ""
    text(page, 1, 1, f"{sheet.title}分单位明细", font=HEADING, align=ONE_LINE)
    text(page, 2, 1, what, font=SMALL, align=ONE_LINE)
    for column, name in ((1, "序号"), (2, "报送单位")):
        text(page, 3, column, name, font=BOLD, align=CENTRE, down=3)
    for printed in sheet.rows:
        column = columns[printed.code]
        font = BOLD if printed.parts else BODY
        text(page, 3, column, printed.code, font=font, align=CENTRE)
        text(page, 4, column, heads[printed.code], font=font, align=CENTRE)
        text(page, 5, column, printed.unit, align=CENTRE)
    page.row_dimensions[4].height = height_of(
        (heads[code], widths[column - 1]) for code, column in columns.items()
    )
    for row, (unit, label) in enumerate(zip(units, labels, strict=True), FIRST_UNIT_ROW):
        text(page, row, 1, str(row - FIRST_UNIT_ROW + 1), align=CENTRE)
        text(page, row, 2, label)
        for printed in sheet.rows:
            field, figure = sheet.field(printed.code), unit.figures[printed.code]
            cell = book.figure(page, row, columns[printed.code], field, figure, decimals[printed.code])
            cell.font = BOLD if printed.parts else BODY
        page.row_dimensions[row].height = 19
    total_row = FIRST_UNIT_ROW + len(units)
    text(page, total_row, 1, "合计", font=BOLD, align=CENTRE, across=2)
    page.row_dimensions[total_row].height = 22
    for code, column in columns.items():
        _total(book, page, sheet, units, code, column, total_row, decimals[code])
    every_column = range(1, 3 + len(columns))
    for row in (3, 4, 5, total_row):
        shade(page, row, every_column)
    box(page, range(3, total_row + 1), every_column)
    page.freeze_panes = f"C{FIRST_UNIT_ROW}"
    print_setup(
        page,
        paper=A3,
        landscape=True,
        footer=_footer(summary),
        repeat_rows="3:5",
        repeat_columns="A:B",
        # One page across would shrink fifty columns beyond reading.
        pages_across=max(1, math.ceil(sum(widths) / PAGE_WIDTH)),
    )


def _figure_width(sheet: SealedSheet, units: list[Unit], code: str, decimals: int) -> float:
    field = sheet.field(code)
    figures = [*(unit.figures[code] for unit in units), sheet.figures.get(code)]
    longest = max([len(field.grouped(f).partition(".")[0]) for f in figures], default=1)
    # Long labels get a wider column, so that the head does not grow taller than the page.
    least = 11.0 if len(sheet.full_label(code)) < 24 else 16.0
    return max(least, longest + (decimals + 1 if decimals else 0) + 2.5)


def _total(
    book: Book,
    page: Worksheet,
    sheet: SealedSheet,
    units: list[Unit],
    code: str,
    column: int,
    row: int,
    decimals: int,
) -> None:
    field = sheet.field(code)
    figures = [unit.figures[code] for unit in units]
    total = combine(field, figures)
    span = f"{get_column_letter(column)}{FIRST_UNIT_ROW}:{get_column_letter(column)}{row - 1}"
    if total is None:
        return
    if isinstance(field, YesNoField):
        cell = book.formula(page, row, column, f'=COUNTIF({span},"是")', str(sum(1 for f in figures if f)))
        cell.number_format = '"是 "0" 家"'
        cell.alignment = CENTRE
    elif max(digits_of(field, f) for f in (*figures, total) if f is not None) > MAX_DIGITS:
        cell = text(page, row, column, field.grouped(total), align=RIGHT)
    else:
        # Money is a binary fraction in a spreadsheet: rounding to the 分 makes its sum exact again.
        formula = f"=ROUND(SUM({span}),6)" if isinstance(field, MoneyField) else f"=SUM({span})"
        cell = book.formula(page, row, column, formula, field.show(total))
        cell.number_format = number_format(decimals)
    cell.font = BOLD


# -- 报送情况, 说明 ----------------------------------------------------------------------------------------


def _table(
    page: Worksheet,
    row: int,
    widths: tuple[float, ...],
    names: tuple[str, ...],
    lines: Sequence[tuple[str, ...]],
) -> int:
    """A plain bordered table; texts centred where columns are narrow. Returns the row after it."""
    for column, name in enumerate(names, 1):
        text(page, row, column, name, font=BOLD, align=CENTRE)
    shade(page, row, range(1, len(names) + 1))
    page.row_dimensions[row].height = 24
    for number, line in enumerate(lines, row + 1):
        for column, value in enumerate(line, 1):
            text(page, number, column, value, align=CENTRE if widths[column - 1] < 24 else LEFT)
        page.row_dimensions[number].height = height_of(zip(line, widths, strict=True))
    box(page, range(row, row + len(lines) + 1), range(1, len(names) + 1))
    return row + len(lines) + 1


def _filings(book: Book, summary: Summary, participants: list[Participant]) -> None:
    names = ("序号", "报送单位", "状态", "轮次", "上报时间", "上报人", "是否逾期", "封存校验码")
    widths = (6.0, 28.0, 10.0, 9.0, 18.0, 16.0, 10.0, 68.0)
    page = book.sheet("报送情况", widths)
    text(page, 1, 1, "报送情况", font=TITLE, align=CENTRE, across=len(names))
    text(page, 2, 1, f"统计截至 {_moment(summary)}", font=SMALL, align=CENTRE, across=len(names))
    page.row_dimensions[1].height = 32
    lines = []
    for number, participant in enumerate(participants, 1):
        round_ = participant.round
        sealed = (
            (
                f"第 {round_.number} 轮",
                f"{timezone.localtime(round_.submitted_at):%Y-%m-%d %H:%M}",
                round_.submitted_by.name,
                "逾期" if participant.is_late else "按时",
                round_.digest,
            )
            if round_
            else ("", "", "", "", f"未纳入本次汇总，状态截至 {_moment(summary)}")
        )
        lines.append((str(number), participant.name, participant.state_label, *sealed))
    _table(page, 3, widths, names, lines)
    page.freeze_panes = "C4"
    print_setup(page, paper=A4, landscape=True, footer=_footer(summary), repeat_rows="3:3")


def _explanations(book: Book, summary: Summary, sheets: list[SealedSheet]) -> None:
    widths = (6.0, 26.0, 20.0, 46.0, 46.0)
    page = book.sheet("说明", widths)
    text(page, 1, 1, "说明", font=TITLE, align=CENTRE, across=5)
    page.row_dimensions[1].height = 32
    text(page, 2, 1, "一、合计的审核情况", font=HEADING, across=5)
    found = [
        (str(n), "全省合计", sheet.title, p["message"], LEVEL_LABELS.get(p["level"], ""))
        for n, (sheet, p) in enumerate(((s, p) for s in sheets for p in s.problems), 1)
    ]
    row = 3
    if found:
        row = _table(page, row, widths, ("序号", "范围", "报表", "审核关系", "级别"), found)
    else:
        text(page, row, 1, "各表合计全部满足审核关系。", across=5)
        row += 1
    text(page, row + 1, 1, "二、各单位对核实事项的说明", font=HEADING, across=5)
    said = [
        (str(n), e["unit"], e["title"], e["message"], e["text"])
        for n, e in enumerate(explanations_of(summary), 1)
    ]
    row += 2
    if said:
        row = _table(page, row, widths, ("序号", "报送单位", "报表", "核实事项", "单位说明"), said)
    else:
        text(page, row, 1, "已纳入的单位没有需要说明的核实事项。", across=5)
        row += 1
    text(page, row + 1, 1, "三、表样说明", font=HEADING, across=5)
    notes = _notes_on_rows(sheets)
    for at, note in enumerate(notes, row + 2):
        text(page, at, 1, note, across=5)
        page.row_dimensions[at].height = height_of([(note, sum(widths))])
    print_setup(page, paper=A4, landscape=True, footer=_footer(summary))


def _notes_on_rows(sheets: list[SealedSheet]) -> list[str]:
    """Where the printed form and this one differ, as far as the declaration knows."""
    notes = []
    for sheet in sheets:
        rebuilt = [row.code for row in sheet.rows if row.printed == "no"]
        if rebuilt:
            notes.append(
                f"{sheet.title}：{'、'.join(rebuilt)} 等 {len(rebuilt)} 行在所存通知的缺页上，按当年全国统一表式复原。"
            )
        notes += [f"{sheet.title}：{row.code} {row.label}，{row.note}。" for row in sheet.rows if row.note]
    return notes or ["各行均与通知原文一致。"]
