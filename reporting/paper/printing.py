"""The legal copy: a filing and a summary as PDF in the layout of the notice, to be printed, signed and stamped.

Every sheet carries the short code of the figures' digest and a QR code that names union, campaign, round and digest,
so that a stamped sheet can be tied to the exact figures. A draft carries neither: it says 草稿 across the page.
Notice 黑工办发〔2020〕30号, attachments 1 and 2: 填报单位, 填报人, 电话, 年月日 stand in the head.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import segno
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from reporting.copies import Copy
from reporting.models import Summary
from reporting.paper import pdf
from reporting.paper.code import qr_of_round, qr_of_summary, short_code
from reporting.sheets import Row, Sheet
from reporting.summaries import Participant, SealedSheet, participants_of, sealed_sheets

SAMPLE = "演示数据，不代表任何单位的真实工作。"
UNIT_NOTE = "金额单位为万元，精确到分（0.000001 万元）。"
YES_NO_NOTE = "“是/否”项有一个单位选“是”即为“是”。"


def qr_picture(text: str) -> SafeString:
    """As SVG, to be drawn in the page; its size is the style sheet's."""
    return mark_safe(segno.make(text, error="m", micro=False).svg_inline(border=0, omitsize=True))  # noqa: S308


# -- the table of a form -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    row: Row
    text: str
    is_typed: bool = False


@dataclass(frozen=True)
class Form:
    """`groups` are the rows in printed order, those together that must stand on one page."""

    attachment: str
    title: str
    groups: list[list[Line]]
    notes: list[str]


def _groups(rows: Sequence[Row], text: Callable[[str], str], typed: Sequence[str] = ()) -> list[list[Line]]:
    groups: list[list[Line]] = []
    for row in rows:
        line = Line(row, text(row.code), row.code in typed)
        if groups and _is_pair(groups[-1][-1].row, row):
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _is_pair(first: Row, second: Row) -> bool:
    """C and D, F1 and G1: the same number under two letters."""
    return (
        first.code[1:] == second.code[1:] and first.section == second.section and first.depth == second.depth
    )


# -- a filing ----------------------------------------------------------------------------------------------


def filing_name(copy: Copy) -> str:
    return f"{copy.stem}.pdf"


def filing_pdf(copy: Copy) -> bytes:
    """Both forms, one after the other. Raises Refused where the server can't draw."""
    round_, campaign = copy.round, copy.campaign
    saved = timezone.localtime(copy.at)
    return pdf.render(
        "reporting/paper/filing.html",
        {
            "title": filing_name(copy).removesuffix(".pdf"),
            "author": copy.union_name,
            "made_at": copy.at,
            "is_draft": round_ is None,
            "forms": [_filing_form(copy, sheet) for sheet in copy.sheets],
            "subtitle": "　".join(filter(None, (campaign.title, campaign.notice_number, copy.scope))),
            "union": copy.union_name,
            "filler": copy.head.get("filler_name", ""),
            "phone": copy.head.get("filler_phone", ""),
            "filled_on": _day(copy.head.get("filled_on", "")),
            "code": short_code(round_.digest) if round_ else "",
            "qr": qr_picture(qr_of_round(round_)) if round_ else "",
            "foot": f"第 {round_.number} 轮　{timezone.localtime(round_.submitted_at):%Y年%-m月%-d日 %H:%M} {copy.submitter}上报"
            if round_
            else f"草稿，未上报　{saved:%Y年%-m月%-d日 %H:%M} 保存",
        },
    )


def _filing_form(copy: Copy, sheet: Sheet) -> Form:
    typed = list(copy.typed.get(sheet.slug, {}))
    notes = [UNIT_NOTE + (YES_NO_NOTE if copy.includes else "")]
    if copy.campaign.is_sample:
        notes.append(SAMPLE)
    if copy.includes:
        # Last, because it may go on overleaf; it breaks anywhere but inside 第 1 轮.
        parts = ((part.name, part.round) for part in copy.includes)
        names = format_html_join("、", '{}<span class="round">（第 {} 轮）</span>', parts)
        notes.append(format_html("数字为本级与下列 {} 个下级单位的合计：{}。", len(copy.includes), names))
    groups = _groups(sheet.rows, lambda code: copy.text(sheet, code), typed)
    return Form(sheet.form.attachment, sheet.title, groups, notes)


def _day(text: str) -> str:
    """2021-01-20 → 2021年1月20日; the blank to be filled by hand where there is no date."""
    try:
        return f"{datetime.date.fromisoformat(text):%Y年%-m月%-d日}"
    except ValueError:
        return "　　年　月　日"


# -- a summary ---------------------------------------------------------------------------------------------


def summary_name(summary: Summary) -> str:
    return f"{summary.facts['year']}年送温暖统计汇总_第{summary.number}号.pdf"


def summary_pdf(summary: Summary) -> bytes:
    """Both forms with the province's totals, then who is in them. Raises Refused where the server can't draw."""
    facts = summary.facts
    participants = participants_of(summary)
    own = next((p.round for p in participants if p.round and p.round.filing.union.is_root), None)
    head: dict[str, Any] = own.head if own else {}
    cut_off = timezone.localtime(summary.cut_off)
    included = [p for p in participants if not p.is_missing]
    missing = [p for p in participants if p.is_missing]
    return pdf.render(
        "reporting/paper/summary.html",
        {
            "title": summary_name(summary).removesuffix(".pdf"),
            "author": facts["union"],
            "made_at": summary.made_at,
            "is_draft": False,
            "forms": [_summary_form(summary, sheet) for sheet in sealed_sheets(summary)],
            "subtitle": f"{facts['title']}　第 {summary.number} 号汇总　统计截至 {cut_off:%Y年%-m月%-d日 %H:%M:%S}",
            "union": facts["union"],
            "filler": head.get("filler_name", ""),
            "phone": head.get("filler_phone", ""),
            "filled_on": f"{cut_off:%Y年%-m月%-d日}",
            "code": short_code(summary.digest),
            "qr": qr_picture(qr_of_summary(summary)),
            "foot": f"第 {summary.number} 号汇总　{facts['notice_number']}",
            "included": [(p, _code_of(p)) for p in included],
            "missing": missing,
            "late": [p.name for p in included if p.is_late],
            "cut_off": cut_off,
            "is_sample": facts["is_sample"],
            "sample": SAMPLE,
        },
    )


def _code_of(participant: Participant) -> str:
    return short_code(participant.round.digest) if participant.round else ""


def _summary_form(summary: Summary, sheet: SealedSheet) -> Form:
    notes = [UNIT_NOTE + YES_NO_NOTE] + ([SAMPLE] if summary.facts["is_sample"] else [])
    groups = _groups(sheet.rows, lambda code: sheet.field(code).grouped(sheet.figures.get(code)))
    return Form(sheet.form.attachment, sheet.summary_title, groups, notes)
