"""Whose workbook it is and of which year: beside the corpus (`tests.workbooks.*_heads`), where several may be meant."""

from __future__ import annotations

import datetime
import io
from typing import Any

import pytest
from django.utils import timezone

from reporting.errors import Refused
from reporting.incoming import imports
from reporting.incoming.whose_and_when import is_called
from reporting.models import Campaign
from reporting.reading.head import read_head
from reporting.reading.intake import Cell, Page
from reporting.reading.years import named_year, year_of_name
from tests.workbooks.bad_heads import dated, says_unit, titled
from tests.workbooks.case import HELPCENTER, OTHER, Made, union
from tests.workflow.stage import Stage
from unions.models import Union


@pytest.fixture
def older(stage: Stage) -> Campaign:
    """The campaign of the festival before, which counts 2019."""
    day = datetime.timedelta(days=1)
    return Campaign.objects.create(
        title="2020年元旦春节送温暖活动",
        notice_number="黑工办发〔2019〕30号",
        year=2020,
        data_year=2019,
        opens_at=timezone.now() - 400 * day,
        deadline=timezone.now() - 370 * day,
    )


def read(made: Made, campaigns: list[Campaign], **how: Any) -> imports.Understood:
    unions = list(Union.objects.all())
    return imports.understand(
        io.BytesIO(made.content), "报表.xlsx", campaigns=campaigns, unions=unions, **how
    )


def test_of_two_campaigns_it_is_the_one_that_the_workbook_names(stage: Stage, older: Campaign) -> None:
    both = [older, stage.campaign]
    for made, year in (
        (titled("2020年工会送温暖统计表", write=dated("")), 2020),
        (titled("二〇二一年送温暖统计表"), 2021),
        (titled("2020年度帮扶中心工作统计表", slug=HELPCENTER), 2021),  # which counts 2020
        (titled("2020年元旦春节帮扶中心工作统计表", write=dated("2020年1月15日")), 2020),
        (titled("送温暖统计表", write=dated("2020年1月15日")), 2020),
        (titled("送温暖统计表", tab="2021年", write=dated("")), 2021),
    ):
        understood = read(made, both)
        assert (understood.campaign.year, understood.notes) == (year, [])
    with pytest.raises(Refused, match=r"这是 2019 年的报表，这里接收 2020、2021 年的"):
        read(titled("2019年送温暖统计表"), both)


def test_what_names_no_year_is_taken_for_the_first_and_that_is_said(stage: Stage, older: Campaign) -> None:
    understood = read(titled("送温暖统计表", write=dated("")), [older, stage.campaign])
    assert understood.campaign == older
    (note,) = understood.notes
    assert note.sentence == "文件没有写年份，按 2020 年的报表读取，请确认是这一年的数。"


def test_a_date_beside_the_year_of_the_labels_is_told_and_not_read(stage: Stage) -> None:
    made = titled("帮扶中心工作统计表", slug=HELPCENTER, tab="表", write=dated("2020年1月15日"))
    understood = read(made, [stage.campaign])
    (note,) = understood.notes
    assert note.where == "表!D4" and note.sentence.startswith("填报日期 2020-01-15 不在 2021 年报送的时间里")
    assert "filled_on" not in understood.forms[0].head


def test_among_many_unions_it_is_the_one_named_by_other_words_too(stage: Stage) -> None:
    for text, wanted in (
        (f"单位（盖章）：{OTHER}", stage.tree.outsider),
        (f"填报单位（盖章）{stage.tree.nangang.name}", stage.tree.nangang),
        (f"填报工会：{OTHER}权益保障部", stage.tree.outsider),
    ):
        made = titled("2021年送温暖统计表", union=None, write=says_unit(text))
        assert read(made, [stage.campaign]).union == wanted
    with pytest.raises(Refused, match="文件没有写填报单位，不知是谁的报表"):
        read(titled(f"{OTHER}2021年送温暖统计表", union=None), [stage.campaign])


def test_a_union_below_may_stand_under_the_name_of_one_above_but_not_the_other_way(stage: Stage) -> None:
    harbin, nangang = stage.tree.harbin, stage.tree.nangang
    under = titled(f"{harbin.name}2021年送温暖统计表", union=nangang.name)
    assert read(under, [stage.campaign], expected=nangang).notes == []
    over = titled(f"{nangang.name}2021年送温暖统计表", union=harbin.name)
    with pytest.raises(Refused, match=f"填报单位是{harbin.name}，标题却写着“{nangang.name}”"):
        read(over, [stage.campaign], expected=harbin)


@pytest.mark.parametrize(
    ("called", "short", "written", "is_it"),
    [
        ("伊春市总工会", "伊春", "伊春总工会", True),
        ("伊春市总工会", "伊春", "伊春工会", True),
        ("伊春市总工会", "伊春", "黑龙江省伊春市总工会", True),
        ("伊春市总工会", "伊春", "宜春市总工会", False),
        ("省教育工会", "省教育", "黑龙江省教育工会", True),
        ("省教育工会", "省教育", "教育工会", True),
        ("黑龙江省总工会", "省总", "黑龙江省总工会", True),
        ("黑龙江省总工会", "省总", "吉林省总工会", False),
        ("黑龙江省总工会", "省总", "哈尔滨市总工会", False),
        ("大庆油田工会", "大庆油田", "大庆市总工会", False),
        ("大庆市总工会", "大庆", "大庆油田工会", False),
    ],
)
def test_a_union_is_called_as_people_write_it(called: str, short: str, written: str, is_it: bool) -> None:
    assert is_called(Union(name=called, short_name=short), written) is is_it


@pytest.mark.parametrize(
    ("name", "is_it"),
    [
        ("哈尔滨市总工会（章）", True),
        ("哈尔滨市总工会权益保障部", True),
        ("哈尔滨市总工会困难职工帮扶中心", True),
        ("哈尔滨市总工会南岗区工会", False),
        ("哈尔滨市总工会南岗区总工会办公室", False),
        ("哈尔滨铁路局工会", False),
    ],
)
def test_a_union_is_called_also_by_its_department(name: str, is_it: bool) -> None:
    assert is_called(union(), name) is is_it


@pytest.mark.parametrize(
    ("title", "is_of"),
    [
        ("2020年全市工会送温暖统计表", None),
        ("2020年度职工送温暖统计表", None),
        ("２０２０ 年工会送温暖统计表", None),
        ("2020送温暖统计表", None),
        ("20年元旦春节送温暖统计表", None),
        ("二〇二〇年元旦春节送温暖统计表", None),
        ("二零二零年送温暖统计表", None),
        ("（2020年）送温暖统计表", None),
        ("送温暖统计表（2020年）", None),
        ("2020年1月送温暖统计表", None),
        ("2019-2020年度送温暖统计表", None),
        ("2021-2022年度送温暖统计表", None),
        ("2019年底送温暖统计表", None),
        ("哈尔滨市总工会2020年送温暖统计表", None),
        ("2020年送温暖统计表（与上年对比）", None),
        ("2019年度帮扶中心工作统计表", None),
        ("2020年元旦春节帮扶中心工作统计表", None),
        ("2020年度帮扶中心工作统计表", "data"),
        ("2021年帮扶中心工作统计表", "data"),
        ("2020-2021年元旦春节送温暖统计表", "festival"),
        ("2020年12月至2021年2月送温暖统计表", "festival"),
        ("2020年元旦至2021年春节送温暖统计表", "festival"),
        ("2020年底送温暖统计表", "festival"),
        ("二〇二一年送温暖统计表", "festival"),
    ],
)
def test_a_title_is_of_the_campaign_of_2021_that_counts_2020_or_never(title: str, is_of: str | None) -> None:
    year = named_year(title, "")
    assert year is not None and year.is_title
    assert (year.of if year.is_of(2021, 2020) else None) == is_of
    assert year.is_never_of(2021, 2020) is (is_of is None)


@pytest.mark.parametrize(
    ("text", "stated", "perhaps"),
    [
        (f"填 报 单 位 名 称 ：{OTHER}", [], [OTHER]),
        (f"填报单位：{OTHER}（盖章） 单位：万元", [OTHER], []),
        (f"填报单位（盖章）{OTHER}", [], [OTHER]),
        (f"填报单位 {OTHER}（公章）", [], [OTHER]),
        (f"填报单位；{OTHER}", [OTHER], []),
        (f"单位：{OTHER}", [], [OTHER]),
        (f"工会名称：{OTHER}   填报人：张三", [], [OTHER]),
        (f"填报单位：{OTHER}填报人：张三", [OTHER], []),
        ("单位：万元、人次", [], []),
        ("金额单位：万元", [], []),
        ("主管单位：黑龙江省总工会", [], []),
        ("填报单位（盖章）：_______", [], []),
    ],
)
def test_what_stands_for_the_union(text: str, stated: list[str], perhaps: list[str]) -> None:
    head = read_head(Page("表", False, {(3, 1): Cell("s", text)}), range(1, 9))
    assert [found.text for found in head.unions] == stated
    assert [found.text for found in head.perhaps] == perhaps


@pytest.mark.parametrize(
    "text",
    [
        "附件1",
        "黑工办发〔2020〕30号",
        "2021年1月20日",
        "填报日期：2021.1.20",
        "电话：0451-20202021",
        "注：2020年送温暖款物另计",
        "根据2020年送温暖工作要求",
        "统计时间：2020年12月25日至2021年2月11日",
        "数据截至2020年底，送温暖统计表",
        "帮扶2020人次，送温暖活动",
        "2020年" * 60 + "送温暖统计表",
    ],
)
def test_no_year_is_named_by(text: str) -> None:
    assert named_year(text, "") is None


@pytest.mark.parametrize(
    ("name", "years"),
    [
        ("送温暖2020", (2020,)),
        ("2020", (2020,)),
        ("二〇二〇年", (2020,)),
        ("2020-2021年度送温暖", (2021,)),
        ("报表20200115", None),
        ("表2020-1", None),
        ("黑工办发〔2020〕30号附件1", None),
    ],
)
def test_years_in_the_names_of_tabs_and_files(name: str, years: tuple[int, ...] | None) -> None:
    found = year_of_name(name, "文件名")
    assert (found.years if found else None) == years
