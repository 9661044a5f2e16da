"""送温暖报告, first draft: what the figures say, what is left to the writer, and what it looks like in Word."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import docx
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from docx.enum.text import WD_COLOR_INDEX
from docx.shared import Pt

from reporting import checks
from reporting.aggregation import make_summary
from reporting.copies import current_copy
from reporting.drafts.narrative import Speaker, plain
from reporting.drafts.report import Draft, draft_document, of_copy, of_summary, who_reports
from reporting.drafts.wording import CHAPTERS, Choice, Sentence
from reporting.filling import working_row
from reporting.models import Campaign, Filing
from reporting.registry import all_forms
from reporting.sheets import plain_sheets
from tests.aggregation.sealed import Province, make_province, relabel
from tests.workflow.stage import Stage, make_ready
from unions.gate import Actor, Role
from unions.models import Union

SHEETS = {sheet.slug: sheet for sheet in plain_sheets()}


def speaker(
    slug: str = "warmth", last: dict[str, int | None] | None = None, **figures: int | None
) -> Speaker:
    sheet = SHEETS[slug]
    return Speaker(
        sheet.title,
        sheet.row,
        sheet.fields.__getitem__,
        dict.fromkeys(sheet.fields, 0) | figures,
        "全市各级工会",
        last or {},
    )


def chapter(draft: Draft, title: str) -> str:
    return "".join(plain(p) for c in draft.chapters if c.title == title for p in c.paragraphs)


# -- sentences ---------------------------------------------------------------------------------------------

RAISED = Sentence(
    "{who}共筹集{A}万元",
    parts=("下拨资金{A1}万元", "助困资金{A2}万元"),
    zero="{who}没有筹集款物",
    compare=("筹集款物 A",),
)


def test_figures_are_grouped_and_parts_that_are_zero_are_named() -> None:
    said = speaker(A=1_234_500_000_000, A1=1_234_500_000_000).say(RAISED)
    assert plain(said) == "全市各级工会共筹集1,234,500万元，其中：下拨资金1,234,500万元；助困资金未发生。"


def test_what_is_zero_as_a_whole_is_one_sentence() -> None:
    assert plain(speaker().say(RAISED)) == "全市各级工会没有筹集款物。"
    assert plain(speaker().say(Sentence("协助追讨欠薪{H}人次"))) == "协助追讨欠薪未发生。"


def test_of_two_figures_a_single_zero_is_a_figure() -> None:
    assert plain(speaker(H=3).say(Sentence("追讨{H}人次、{I}万元"))) == "追讨3人次、0万元。"


def test_what_has_no_figure_is_a_gap_that_names_its_cell() -> None:
    said = speaker(A=5_000_000, A1=None, A2=5_000_000).say(RAISED)
    assert "下拨资金【待填：送温暖统计表 A1】万元，助困资金5万元。" in plain(said)
    assert [piece.text for piece in said if piece.is_gap] == ["【待填：送温暖统计表 A1】"]
    # A row without a printed code is named by its words.
    assert "【待填：帮扶中心工作统计表 其中：企业工会帮扶站点】" in plain(
        speaker("helpcenter", D1=None).say(Sentence("站点{D1}个"))
    )


def test_parts_with_commas_of_their_own_are_held_apart() -> None:
    said = speaker(C=3, D=3_000_000, C1=1, D1=1_000_000, C2=2, D2=2_000_000).say(
        Sentence("慰问{C}人次，款物{D}万元", parts=("甲{C1}人次，款物{D1}万元", "乙{C2}人次，款物{D2}万元"))
    )
    assert plain(said) == "慰问3人次，款物3万元。其中：甲1人次，款物1万元；乙2人次，款物2万元。"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (100_000_000, 112_500_000, "筹集款物比上年增加12.5万元，增长12.5%。"),
        (100_000_000, 75_000_000, "筹集款物比上年减少25万元，下降25.0%。"),
        (75_000_000, 75_000_000, "筹集款物与上年持平。"),
        (0, 75_000_000, "筹集款物比上年增加75万元。"),
        (None, 75_000_000, ""),
    ],
)
def test_against_last_year(old: int | None, new: int, sentence: str) -> None:
    said = plain(speaker(last={"A": old}, A=new, A1=new).say(RAISED))
    assert said.partition("。")[2] == sentence


def test_a_question_is_answered_in_words() -> None:
    choice = Choice("I", yes="{who}汇聚社会资源", no="尚未汇聚社会资源")
    assert plain(speaker("helpcenter", I=1).say(choice)) == "全市各级工会汇聚社会资源。"
    assert plain(speaker("helpcenter", I=0).say(choice)) == "尚未汇聚社会资源。"
    assert plain(speaker("helpcenter", I=None).say(choice)) == "【待填：帮扶中心工作统计表 I】。"


def test_a_row_that_is_switched_off_is_silent_and_a_relabelled_one_speaks_with_its_label() -> None:
    whole = speaker(A=9_000_000, A1=4_000_000, A2=5_000_000)
    without = replace(whole, rows={code: row for code, row in whole.rows.items() if code != "A1"})
    assert plain(without.say(RAISED)) == "全市各级工会共筹集9万元，其中：助困资金5万元。"
    row = replace(whole.rows["A1"], label="中央下拨专项资金", full_label="中央下拨专项资金")
    other = replace(whole, rows={**whole.rows, "A1": row})
    assert "其中：中央下拨专项资金4万元，助困资金5万元" in plain(other.say(RAISED))


def test_every_figure_of_a_form_is_said(province: Province) -> None:
    """Whatever a form counts, its own sentences or its totals' parts say it."""
    province.approve_all(seed=3, scale=9_999_999)
    filing = province.filings[province.cities[0].code]
    copy = current_copy(Filing.objects.select_related("union__parent", "campaign").get(pk=filing.pk))
    draft = of_copy(copy)
    text = "".join(chapter(draft, title) for title in CHAPTERS)
    silent = {
        "B11",
        "B12",
        "B13",
        "B21",
        "B22",
        "B23",
        "B31",
        "B32",
        "B33",
    }  # kinds of posts: the form says them
    for sheet in copy.sheets:
        for code, indicator in sheet.fields.items():
            figure = copy.figures[sheet.slug][code]
            if figure and indicator.kind != "yesno" and code not in silent:
                assert indicator.grouped(figure) in text, (sheet.slug, code)


def test_a_word_that_is_no_row_fails_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    form = all_forms()[0]
    monkeypatch.setattr(form, "report_sentences", {"总体情况": [Sentence("筹集{ZZ}万元")], "没有的章": []})
    assert [error.id for error in checks.check_report(form)] == ["reporting.E008", "reporting.E008"]
    monkeypatch.undo()
    call_command("check", "--tag", "reporting")


@pytest.mark.parametrize(
    ("kind", "name", "who"),
    [
        ("province", "黑龙江省总工会", "全省各级工会"),
        ("city", "哈尔滨市总工会", "全市各级工会"),
        ("city", "大兴安岭地区总工会", "全地区各级工会"),
        ("industry", "大庆油田工会", "本系统各级工会"),
        ("county", "哈尔滨市南岗区总工会", "全区各级工会"),
        ("county", "宾县总工会", "全县各级工会"),
        ("county", "尚志市总工会", "全市各级工会"),
        ("grassroots", "某厂工会", "我单位工会"),
    ],
)
def test_a_union_speaks_of_itself(kind: str, name: str, who: str) -> None:
    assert who_reports(Union(kind=kind, name=name)) == who


# -- a union's draft ---------------------------------------------------------------------------------------


def test_the_chapters_of_the_notice_and_gaps_for_the_writer(stage: Stage) -> None:
    stage.approved(stage.tree.nangang, warmth_E1=7)
    draft = of_copy(current_copy(stage.submitted(stage.tree.harbin, warmth_E1=5, warmth_G=30)))
    assert tuple(c.title for c in draft.chapters) == CHAPTERS
    assert "为困难职工提供各项帮扶救助12人次，其中：落实民生政策12人次" in chapter(draft, "帮扶救助")
    assert "平安返乡30人次。没有发生协助追讨农民工欠薪的事项。" in chapter(draft, "农民工维权")
    for c in draft.chapters[:-1]:
        assert any(piece.is_gap for paragraph in c.paragraphs for piece in paragraph), c.title


def test_last_years_approved_round_is_compared(stage: Stage) -> None:
    before = Campaign.objects.create(
        title="2020年元旦春节送温暖活动",
        notice_number="黑工办发〔2019〕1号",
        year=2020,
        data_year=2019,
        opens_at=stage.campaign.opens_at,
        deadline=stage.campaign.deadline,
    )
    last = Filing.objects.create(campaign=before, union=stage.tree.harbin)
    make_ready(last, stage.actor(stage.tree.harbin, Role.FILLER), warmth_E1=10)
    draft = of_copy(current_copy(stage.ready(stage.tree.harbin, warmth_E1=12)))
    assert "上年" not in chapter(draft, "帮扶救助")  # a draft of last year's counts for nothing
    this, stage.campaign = stage.campaign, before
    stage.approved(stage.tree.harbin, warmth_E1=10)
    stage.campaign = this
    draft = of_copy(current_copy(stage.filing(stage.tree.harbin)))
    assert "帮扶救助比上年增加2人次，增长20.0%。" in chapter(draft, "帮扶救助")


def test_a_draft_of_the_form_leaves_gaps_and_says_that_it_is_not_filed(stage: Stage) -> None:
    filing = stage.ready(stage.tree.harbin)
    row = working_row(filing, "warmth")
    row.G = None
    row.save()
    draft = of_copy(current_copy(filing))
    assert "【待填：送温暖统计表 G】" in chapter(draft, "农民工维权")
    assert draft.origin == "尚未上报的统计表（尚有 1 个下级单位的数没有计入）"


def opened(content: bytes) -> Any:
    return docx.Document(io.BytesIO(content))


def test_the_word_file_looks_like_an_official_paper(stage: Stage) -> None:
    filing = stage.submitted(stage.tree.harbin, warmth_E1=1234)
    content = draft_document(of_copy(current_copy(filing)))
    assert content == draft_document(of_copy(current_copy(filing)))
    document = opened(content)
    section = document.sections[0]
    measures = (section.page_width, section.page_height, section.left_margin, section.top_margin)
    assert [round(measure.mm) for measure in measures] == [210, 297, 28, 37]
    assert "PAGE" in section.footer._element.xml
    texts = [p.text for p in document.paragraphs]
    assert texts[0] == "哈尔滨市总工会\n2021年元旦春节送温暖活动情况报告"
    headings = [p.text for p in document.paragraphs if p.style.name == "Heading 1"]
    assert headings == [f"{n}、{title}" for n, title in zip("一二三四五六七八", CHAPTERS, strict=True)]
    assert "黑龙江省总工会：" in texts
    said = next(p for p in document.paragraphs if "1,234人次" in p.text)
    assert all(run.font.size == Pt(16) for run in said.runs)
    assert 'w:eastAsia="仿宋_GB2312"' in said.runs[0]._r.xml
    spacing = document.styles["Normal"].paragraph_format
    assert spacing.line_spacing == Pt(28)
    marked = [
        run.text
        for p in document.paragraphs
        for run in p.runs
        if run.font.highlight_color == WD_COLOR_INDEX.YELLOW
    ]
    gaps = re.findall(r"【待填：[^】]*】", "\n".join(texts))
    assert gaps and set(gaps) <= set(marked)
    assert not [text for text in marked if "人次" in text]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        fonts = archive.read("word/fontTable.xml").decode()
    assert '<w:font w:name="方正小标宋简体"><w:altName w:val="宋体"/>' in fonts


def test_what_people_typed_cannot_break_the_file(stage: Stage) -> None:
    Union.objects.filter(pk=stage.tree.harbin.pk).update(name="<b>&工会\x0b=1+1")
    filing = stage.ready(stage.tree.harbin)
    filing.union.refresh_from_db()
    assert opened(draft_document(of_copy(current_copy(filing)))).paragraphs[0].text.startswith("<b>&工会=1+1")


# -- the province's ----------------------------------------------------------------------------------------


def test_the_province_gets_the_same_with_every_units_share(db: None) -> None:
    province = make_province(cities=3, counties=(1,))
    province.approve_all(seed=5, scale=100_000)
    summary = make_summary(province.campaign)
    draft = of_summary(summary)
    assert tuple(c.title for c in draft.chapters) == CHAPTERS
    total = SHEETS["warmth"].fields["A"].grouped(summary.figures["warmth"]["A"])
    assert f"全省各级工会共筹集送温暖款物{total}万元" in chapter(draft, "总体情况")
    tables = [table for c in draft.chapters for table in c.tables]
    assert {c.title for c in draft.chapters if c.tables} == {
        "总体情况",
        "帮扶救助",
        "农民工维权",
        "疫情防控一线慰问",
        "帮扶中心工作",
    }
    for table in tables:
        names = [line[0] for line in table.lines]
        assert names == ["黑龙江省总工会（本级）", "第1市总工会", "第2市总工会", "第3市总工会", "合计"]
        for column in range(2, len(table.head), 2):
            shares = [float(line[column].rstrip("%")) for line in table.lines[:-1]]
            assert abs(sum(shares) - 100) < 0.3
            assert table.lines[-1][column] == "100.0%"
    document = opened(draft_document(draft))
    assert len(document.tables) == len(tables)
    assert "w:tblHeader" in document.tables[0].rows[0]._tr.xml


def test_what_was_signed_does_not_change_with_the_wording(db: None) -> None:
    province = make_province(cities=1)
    province.approve_all(seed=5, scale=1000)
    summary = make_summary(province.campaign)
    before = draft_document(of_summary(summary))
    relabel(province.campaign, "warmth", "A1", "中央下拨专项资金")
    summary.refresh_from_db()
    assert draft_document(of_summary(summary)) == before


# -- over the web ------------------------------------------------------------------------------------------


def test_its_own_people_take_it_and_nobody_above(stage: Stage, browse: Callable[[Actor], Client]) -> None:
    filing = stage.submitted(stage.tree.harbin)
    address = reverse("report_draft", args=[filing.pk])
    answer = browse(stage.actor(stage.tree.harbin, Role.FILLER)).get(address)
    assert answer.status_code == 200 and answer["Content-Disposition"].startswith("attachment")
    assert opened(answer.content).paragraphs
    assert browse(stage.reviewer(stage.tree.harbin)).get(address).status_code == 403
