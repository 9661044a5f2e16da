"""封面: what a workbook of a summary is, who is in it, and which sheets follow."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from django.utils import timezone

from reporting.rules import LEVEL_LABELS
from reporting.workbooks.layout import (
    A4,
    BOLD,
    CENTRE,
    HEADING,
    SMALL,
    TITLE,
    WARNING,
    Book,
    box,
    height_of,
    print_setup,
    text,
)
from reporting.workbooks.part import Part

COVER = "封面"
WIDTHS = (18.0, 74.0)


def cover(book: Book, part: Part, tabs: Sequence[str], chosen: Sequence[tuple[str, str]] = ()) -> None:
    """`chosen`: what somebody chose, as lines of the table; nothing where the whole summary is taken."""
    page = book.sheet(COVER, WIDTHS)
    page.sheet_view.showGridLines = False
    said = part.summary.facts
    text(page, 2, 1, said["union"], font=TITLE, align=CENTRE, across=2)
    text(page, 3, 1, f"{said['title']}统计汇总", font=TITLE, align=CENTRE, across=2)
    number = f"第 {part.summary.number} 号" if part.is_whole else f"据{part.number}"
    text(page, 4, 1, number, font=HEADING, align=CENTRE, across=2)
    for row, height in ((1, 60), (2, 36), (3, 36), (4, 28), (5, 30)):
        page.row_dimensions[row].height = height
    warnings = list(filter(None, (part.caption, part.sample)))
    for row, warning in enumerate(warnings, 5):
        text(page, row, 1, warning, font=WARNING, align=CENTRE, across=2)
        page.row_dimensions[row].height = 30
    first = 5 + max(1, len(warnings))
    facts = [
        ("通知文号", said["notice_number"]),
        ("通知标题", said["notice_title"]),
        ("统计截至", part.moment),
        ("报送截止", _deadline(part)),
        ("校验码", part.summary.digest),
        *chosen,
        *_participation(part),
    ]
    if part.is_whole:
        # Rules speak of a union's figures and of the province's; some units added up are neither.
        facts.append(("审核关系", _verdict(part)))
    for row, (name, value) in enumerate(facts, first):
        text(page, row, 1, name, font=BOLD, align=CENTRE)
        text(page, row, 2, value)
        page.row_dimensions[row].height = height_of([(value, WIDTHS[1])], least=28)
    box(page, range(first, first + len(facts)), range(1, 3))
    row = first + 1 + len(facts)
    contents = f"本文件共 {len(tabs)} 张表：{'、'.join(tabs)}。"
    text(page, row, 1, contents, font=SMALL, across=2)
    page.row_dimensions[row].height = height_of([(contents, sum(WIDTHS))], least=30, size=9)
    print_setup(page, paper=A4, landscape=False, footer=part.foot)


def _deadline(part: Part) -> str:
    deadline = datetime.datetime.fromisoformat(part.summary.facts["deadline"])
    return f"{timezone.localtime(deadline):%Y年%-m月%-d日 %H:%M}"


def _participation(part: Part) -> list[tuple[str, str]]:
    late = [p.name for p in part.included if p.is_late]
    missing = [f"{p.name}（{p.state_label}）" for p in part.participants if p.is_missing]
    # A state moves on without making a new summary: it is read as of the moment of this one.
    not_in = f"{'、'.join(missing)}。括号内为{part.moment}的状态。" if missing else "无"
    counts = f"已纳入 {len(part.included)} 个（其中逾期 {len(late)} 个），未纳入 {len(missing)} 个"
    return [
        ("参加单位" if part.is_whole else "所选单位", f"共 {len(part.participants)} 个：{counts}"),
        ("已纳入", "、".join(p.name for p in part.included) or "无"),
        ("其中逾期", "、".join(late) or "无"),
        ("未纳入", not_in),
    ]


def _verdict(part: Part) -> str:
    """What the rules say of the totals, in one cell."""
    broken = [
        f"{sheet.title}〔{LEVEL_LABELS.get(p['level'], '')}〕{p['message']}"
        for sheet in part.sheets
        for p in sheet.problems
    ]
    return "\n".join(broken) or "各表合计全部满足"
