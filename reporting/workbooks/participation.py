"""报送情况 and 说明: who filed what and when, what the rules said, and what the units answered."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone
from openpyxl.worksheet.worksheet import Worksheet

from reporting.rules import LEVEL_LABELS
from reporting.summaries import SealedSheet, explanations_of
from reporting.workbooks.layout import (
    A4,
    BOLD,
    CENTRE,
    HEADING,
    LEFT,
    SMALL,
    TITLE,
    Book,
    box,
    height_of,
    print_setup,
    shade,
    text,
)
from reporting.workbooks.part import Part

FILINGS, EXPLANATIONS = "报送情况", "说明"


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


def filings_sheet(book: Book, part: Part) -> None:
    names = ("序号", "报送单位", "状态", "轮次", "上报时间", "上报人", "是否逾期", "封存校验码")
    widths = (6.0, 28.0, 10.0, 9.0, 18.0, 16.0, 10.0, 68.0)
    page = book.sheet(FILINGS, widths)
    text(page, 1, 1, FILINGS, font=TITLE, align=CENTRE, across=len(names))
    what = " · ".join(filter(None, (f"统计截至 {part.moment}", part.caption)))
    text(page, 2, 1, what, font=SMALL, align=CENTRE, across=len(names))
    page.row_dimensions[1].height = 32
    lines = []
    for number, participant in enumerate(part.participants, 1):
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
            else ("", "", "", "", f"未纳入本次汇总，状态截至 {part.moment}")
        )
        lines.append((str(number), participant.name, participant.state_label, *sealed))
    _table(page, 3, widths, names, lines)
    page.freeze_panes = "C4"
    print_setup(page, paper=A4, landscape=True, footer=part.foot, repeat_rows="3:3")


def explanations_sheet(book: Book, part: Part) -> None:
    widths = (6.0, 26.0, 20.0, 46.0, 46.0)
    page = book.sheet(EXPLANATIONS, widths)
    text(page, 1, 1, EXPLANATIONS, font=TITLE, align=CENTRE, across=5)
    page.row_dimensions[1].height = 32
    text(page, 2, 1, "一、合计的审核情况", font=HEADING, across=5)
    found = [
        (str(n), "全省合计", sheet.title, p["message"], LEVEL_LABELS.get(p["level"], ""))
        for n, (sheet, p) in enumerate(((s, p) for s in part.sheets for p in s.problems), 1)
    ]
    row = 3
    if found:
        row = _table(page, row, widths, ("序号", "范围", "报表", "审核关系", "级别"), found)
    else:
        text(page, row, 1, _nothing_found(part), across=5)
        row += 1
    text(page, row + 1, 1, "二、各单位对核实事项的说明", font=HEADING, across=5)
    slugs = {sheet.slug for sheet in part.sheets}
    told = [e for e in explanations_of(part.summary, part.participants) if e["form"] in slugs]
    said = [(str(n), e["unit"], e["title"], e["message"], e["text"]) for n, e in enumerate(told, 1)]
    row += 2
    if said:
        row = _table(page, row, widths, ("序号", "报送单位", "报表", "核实事项", "单位说明"), said)
    else:
        whose = "已纳入的单位" if part.is_whole else "所选单位"
        text(page, row, 1, f"{whose}没有需要说明的核实事项。", across=5)
        row += 1
    text(page, row + 1, 1, "三、表样说明", font=HEADING, across=5)
    notes = _notes_on_rows(part.sheets)
    for at, note in enumerate(notes, row + 2):
        text(page, at, 1, note, across=5)
        page.row_dimensions[at].height = height_of([(note, sum(widths))])
    print_setup(page, paper=A4, landscape=True, footer=part.foot)


def _nothing_found(part: Part) -> str:
    if part.is_whole:
        return "各表合计全部满足审核关系。"
    return "本文件是所选单位的合计；审核关系只在各单位和全省合计上运行，这里没有结论。"


def _notes_on_rows(sheets: Sequence[SealedSheet]) -> list[str]:
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
