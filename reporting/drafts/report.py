"""送温暖报告, first draft: a Word file made from the unit's own figures, with gaps marked for the writer.

The engine knows the chapters and puts them together; what a figure says, its form declares (`wording`). The province
gets the same for the whole province from a summary, with every unit's share in tables. Notice 黑工办发〔2020〕30号
[四, last paragraph].
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from reporting.campaigns import NO_NUMBER_YET
from reporting.copies import Copy, rounds_at_hand, sealed_copy
from reporting.drafts.narrative import Piece, Pieces, Speaker, doubt, gap
from reporting.drafts.official_document import OfficialDocument
from reporting.drafts.wording import CHAPTERS
from reporting.fields import Indicator
from reporting.models import Filing, Summary
from reporting.rounds import last_year_round
from reporting.rules import Figures
from reporting.sheets import Row
from reporting.standing import TAKES_PART
from reporting.statistical import StatisticalForm
from reporting.summaries import SealedSheet, sealed_sheets, units_of
from unions.models import Union

NUMERALS = "一二三四五六七八九十"
# What only the writer knows, by chapter.
TO_WRITE: dict[str, tuple[str, ...]] = {
    "总体情况": ("组织领导、动员部署、深入基层走访的情况",),
    "走访慰问": ("走访慰问的主要做法和典型事例",),
    "帮扶救助": ("帮扶救助的主要做法、重点人群和效果",),
    "职工服务": ("服务职工的主要活动和效果",),
    "农民工维权": ("帮助农民工返乡、维护农民工权益的主要做法",),
    "疫情防控一线慰问": ("慰问疫情防控一线职工的主要做法",),
    "帮扶中心工作": ("帮扶中心（站点）建设和工作的主要做法",),
}
LAST_CHAPTER = (("存在的问题", "工作中存在的主要问题"), ("意见和建议", "对做好送温暖工作的意见和建议"))


@dataclass(frozen=True)
class ShareTable:
    caption: str
    head: list[str]
    lines: list[list[str]]


@dataclass(frozen=True)
class Chapter:
    title: str
    paragraphs: list[Pieces]
    tables: list[ShareTable]


@dataclass(frozen=True)
class Draft:
    """The report before it becomes a file."""

    whose: str
    what: str
    addressee: str
    introduction: Pieces
    chapters: list[Chapter]
    signature: str
    day: Pieces
    origin: str
    at: datetime.datetime

    @property
    def title(self) -> str:
        return self.whose + self.what


# -- what it says ------------------------------------------------------------------------------------------


def of_copy(copy: Copy) -> Draft:
    """A union's own report, from its sealed round or its draft."""
    last = _last_year(copy.filing)
    # The province's filing has its own figures only; those of everybody are the summary's.
    who = "省总工会本级" if copy.union.is_root else who_reports(copy.union)
    speakers = [
        _speaker(sheet.form, sheet.rows, sheet.fields.__getitem__, copy.figures[sheet.slug], who, last)
        for sheet in copy.sheets
    ]
    parent = copy.union.parent
    round_ = copy.round
    day = copy.head.get("filled_on", "")
    return Draft(
        whose=copy.union_name,
        what=f"{copy.campaign.title}情况报告",
        addressee=parent.name if parent else "",
        introduction=_introduction(
            copy.campaign.notice_title, copy.campaign.notice_number, copy.union_name, copy.campaign.title
        ),
        chapters=_chapters(speakers),
        signature=copy.union_name,
        day=_day(datetime.date.fromisoformat(day) if day else None),
        origin=(
            f"第 {round_.number} 轮统计表（校验码 {round_.digest[:16]}）" if round_ else "尚未上报的统计表"
        )
        + _still_out(copy),
        at=copy.at,
    )


def _still_out(copy: Copy) -> str:
    """Who speaks of 全市各级工会 must know whose figures are not in yet."""
    if copy.union.is_root:
        return ""
    below = Filing.objects.filter(TAKES_PART, campaign=copy.campaign, union__parent=copy.union)
    out = below.count() - len(copy.includes)
    return f"（尚有 {out} 个下级单位的数没有计入）" if out > 0 else ""


def _last_year(filing: Filing) -> dict[str, Figures]:
    round_ = last_year_round(filing)
    return dict(sealed_copy(rounds_at_hand().get(pk=round_.pk)).figures) if round_ else {}


def of_summary(summary: Summary) -> Draft:
    """The whole province's, from a summary, with each unit's share."""
    who = who_reports(Union.objects.get(parent=None))
    facts = summary.facts
    before = Summary.objects.filter(campaign__year=facts["year"] - 1).order_by("-number").first()
    sheets = sealed_sheets(summary)
    speakers = [
        _speaker(sheet.form, sheet.rows, sheet.field, sheet.figures, who, before.figures if before else {})
        for sheet in sheets
    ]
    return Draft(
        whose=facts["union"],
        what=f"{facts['title']}情况报告",
        addressee="",
        introduction=[
            *_introduction(facts["notice_title"], facts["notice_number"], who, facts["title"]),
            *_not_in(summary),
        ],
        chapters=_chapters(speakers, _share_tables(summary, sheets)),
        signature=facts["union"],
        day=_day(None),
        origin=f"第 {summary.number} 号汇总（校验码 {summary.digest[:16]}）",
        at=summary.made_at,
    )


def _not_in(summary: Summary) -> Pieces:
    """全省 is said of those who are in: who is not must be known to whoever signs."""
    names = [unit["name"] for unit in summary.missing]
    if not names:
        return []
    return [doubt(f"本号汇总未纳入 {len(names)} 个单位，文中“全省”不含其数：{'、'.join(names)}")]


def _speaker(
    form: type[StatisticalForm],
    rows: Sequence[Row],
    indicator: Callable[[str], Indicator],
    figures: Figures,
    who: str,
    last: Mapping[str, Figures],
) -> tuple[type[StatisticalForm], Speaker]:
    by_code = {row.code: row for row in rows}
    return form, Speaker(form.title, by_code, indicator, figures, who, last.get(form.slug, {}))


def who_reports(union: Union) -> str:
    """How a union speaks of itself and everybody below it."""
    kinds = Union.Kind
    if union.kind == kinds.PROVINCE:
        return "全省各级工会"
    if union.kind == kinds.CITY:
        return "全地区各级工会" if "地区" in union.name else "全市各级工会"
    if union.kind == kinds.INDUSTRY:
        return "本系统各级工会"
    if union.kind == kinds.COUNTY:
        names = {"区": "全区各级工会", "县": "全县各级工会", "旗": "全旗各级工会"}
        return names.get(union.name.removesuffix("总工会")[-1:], "全市各级工会")
    return "我单位工会"


def _introduction(notice: str, number: str, who: str, what: str) -> Pieces:
    named = gap("通知文号") if number == NO_NUMBER_YET else Piece(number)
    by = [Piece(f"根据《{notice}》（"), named, Piece("）要求，")] if notice else []
    return [
        *by,
        Piece(f"{who}于"),
        gap("活动起止日期"),
        Piece(f"组织开展了{what}。现将有关情况报告如下："),
    ]


def _chapters(
    speakers: list[tuple[type[StatisticalForm], Speaker]],
    tables: Mapping[str, list[ShareTable]] | None = None,
) -> list[Chapter]:
    chapters = []
    for title in CHAPTERS:
        paragraphs: list[Pieces] = []
        for form, speaker in speakers:
            said = [speaker.say(sentence) for sentence in form.report_sentences.get(title, ())]
            if told := [piece for pieces in said for piece in pieces]:
                paragraphs.append(told)
        paragraphs += [[gap(what)] for what in TO_WRITE.get(title, ())]
        chapters.append(Chapter(title, paragraphs, (tables or {}).get(title, [])))
    return chapters


def _share_tables(summary: Summary, sheets: list[SealedSheet]) -> dict[str, list[ShareTable]]:
    """By chapter: every unit's figure in the declared rows and its part of the province's."""
    tables: dict[str, list[ShareTable]] = {}
    for sheet in sheets:
        if not sheet.form.report_shares:
            continue
        units = units_of(summary, sheet.slug)
        for share in sheet.form.report_shares:
            columns = {code: head for code, head in share.columns.items() if code in sheet.row}
            if not columns:
                continue
            head = ["单位"]
            for label in columns.values():
                head += [label, "占比"]
            lines = [[unit.name, *_shares(sheet, unit.figures, columns)] for unit in units]
            lines.append(["合计", *_shares(sheet, sheet.figures, columns)])
            tables.setdefault(share.chapter, []).append(ShareTable(share.title, head, lines))
    return tables


def _shares(sheet: SealedSheet, figures: Figures, columns: Mapping[str, str]) -> list[str]:
    out = []
    for code in columns:
        figure, whole = figures.get(code), sheet.figures.get(code)
        percent = f"{100 * figure / whole:.1f}%" if figure is not None and whole else "—"
        out += [sheet.field(code).grouped(figure) or "—", percent]
    return out


def _day(day: datetime.date | None) -> Pieces:
    return [Piece(f"{day:%Y年%-m月%-d日}")] if day else [gap("年 月 日")]


# -- the file ----------------------------------------------------------------------------------------------


def draft_name(draft: Draft) -> str:
    return f"{draft.title}（初稿）.docx"


def draft_document(draft: Draft) -> bytes:
    """The draft as a Word file in the layout of an official paper; the same content gives the same bytes."""
    document = OfficialDocument(draft.whose, draft.what, author=draft.signature, at=draft.at)
    note = f"初稿说明：本稿由送温暖报送系统按{draft.origin}生成。黄色处请补写或核对，定稿后删去本段。"
    document.text([Piece(note, is_gap=True)])
    if draft.addressee:
        document.text([Piece(f"{draft.addressee}：")], indent=False)
    document.text(draft.introduction)
    for numeral, chapter in zip(NUMERALS, draft.chapters, strict=False):
        document.heading(f"{numeral}、{chapter.title}")
        for pieces in chapter.paragraphs:
            document.text(pieces)
        for table in chapter.tables:
            document.table(table.caption, table.head, table.lines)
    for numeral, (title, what) in zip(NUMERALS, LAST_CHAPTER, strict=False):
        document.subheading(f"（{numeral}）{title}")
        document.text([gap(what)])
    document.text([Piece("")])
    document.text([Piece(draft.signature)], at_end=True)
    document.text(draft.day, at_end=True)
    return document.to_bytes()
