"""The delegations' workbook: every cell from the models, sums that calculate, names that stay texts, who is named."""

from __future__ import annotations

import datetime
import html
import io
import re
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from delegations.budget import fold, lines, total
from delegations.models import (
    Delegation,
    Destination,
    FundSource,
    Material,
    MaterialKind,
    PlanEvent,
    Unmasking,
    Visit,
)
from delegations.personal.households import masked_name
from delegations.workbook.book import Contents, load, plan_workbook, workbook_name
from reporting.clock import pinned
from tests.delegations.stage import IDENTITY_NUMBER, NAME, PlanStage, fill
from unions.models import Union

SHEETS = [
    "总体安排表",
    "走访计划及资金表",
    "走访完成情况表",
    "走访情况记录",
    "资金汇总表",
    "材料清单",
]
HOUSEHOLDS = "入户慰问对象"
TELEPHONE = "13800000000"
MOMENT = datetime.datetime(2021, 1, 20, 15, 30, tzinfo=datetime.UTC)


def contents(plan: PlanStage) -> Contents:
    return load(plan.campaign, Delegation.objects.filter(campaign=plan.campaign))


def written(plan: PlanStage) -> bytes:
    return plan_workbook(contents(plan))


def opened(content: bytes, **options: Any) -> Workbook:
    return load_workbook(io.BytesIO(content), **options)


def rows(page: Worksheet) -> list[dict[str, Any]]:
    """Every row below the head, by the names of the columns (row 4)."""
    names = [cell.value for cell in page[4]]
    found = []
    for row in page.iter_rows(min_row=5):
        if any(cell.value is not None for cell in row):
            found.append({name: cell.value for name, cell in zip(names, row, strict=True) if name})
    return found


def yuan(value: Any) -> int | None:
    """What a cell holds in 元 → 分."""
    if value is None:
        return None
    fen = Decimal(repr(value)) * 100
    assert fen == int(fen), value
    return int(fen)


def everything(content: bytes) -> str:
    """All parts of the file, inflated: what anybody with an unzip can read."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [archive.read(name).decode() for name in archive.namelist()]
    return html.unescape("\n".join(parts))  # openpyxl writes Chinese as &#24352;


def record(plan: PlanStage) -> None:
    """Harbin is done: the enterprise for less and from the other source, a household was out, one more on the way."""
    plan.lock()
    first, other = plan.sources()
    harbin = plan.harbin
    for visit in harbin.visits.all():
        visit.outcome, visit.happened_on = "done", datetime.date(2021, 1, 6)
        visit.paid_money, visit.paid_goods = visit.money, visit.goods
        if visit.kind == Visit.Kind.ENTERPRISE:
            visit.paid_money, visit.paid_source = 3_500_050, other
            visit.difference_reason, visit.difficulties = "按实际困难减付", "订单减少"
        visit.save()
    out = plan.visit("household")
    out.outcome, out.paid_money, out.difference_reason = "not_done", None, "当日不在家"
    out.save()
    Visit.objects.create(
        destination=harbin,
        kind=Visit.Kind.ON_SITE,
        category="anti_epi",
        name="防疫卡口职工",
        standing=Visit.Standing.UNPLANNED,
        outcome="done",
        happened_on=datetime.date(2021, 1, 6),
        paid_money=100_000,
        paid_goods=100_000,
        paid_goods_text="米面油",
        paid_source=first,
        position=9,
    )


def test_the_sheets_in_their_order(plan: PlanStage) -> None:
    assert opened(written(plan)).sheetnames == SHEETS
    assert workbook_name(plan.campaign) == "2021年慰问组走访安排.xlsx"


def test_the_arrangement_is_that_of_the_notice_with_the_dates(plan: PlanStage) -> None:
    page = opened(written(plan))["总体安排表"]
    assert [cell.value for cell in page[4]] == [
        "组别",
        "带队领导",
        "成员单位",
        "走访单位",
        "走访日期",
        "联络员",
    ]
    assert [[cell.value for cell in row] for row in page["A5:F7"]] == [
        ["第1组", "带队领导甲", "办公室、权益保障部", "哈尔滨", "1月5日至6日", "联络员甲"],
        [None, None, None, "大庆油田", "1月7日至8日", None],
        ["第2组", "带队领导乙", "组织部", "齐齐哈尔", "1月5日至6日", "联络员乙"],
    ]
    assert {"A5:A6", "B5:B6", "C5:C6", "F5:F6"} <= {str(area) for area in page.merged_cells.ranges}
    assert "草稿：计划尚未锁定" in page["A2"].value
    plan.lock()
    assert "草稿：第2组计划尚未锁定" in opened(written(plan))["总体安排表"]["A2"].value


def test_every_planned_visit_stands_with_its_money_source_and_norm(plan: PlanStage) -> None:
    enterprise = plan.visit("enterprise")
    enterprise.money, enterprise.amount_reason = 6_000_000, "停产放假的职工较多"
    enterprise.save()
    person = plan.visit("on_site")
    person.goods, person.goods_text, person.money = 50_050, "米面油", 149_950
    person.save()
    found = rows(opened(written(plan))["走访计划及资金表"])
    shown = opened(written(plan), data_only=True)["走访计划及资金表"]
    visits = [
        (destination, visit)
        for delegation in (plan.first, plan.second)
        for destination in delegation.destinations.select_related("union")
        for visit in destination.visits.select_related("source", "personal")
    ]
    planned = [row for row in found if row["类别"]]
    values = [row for row in rows(shown) if row["类别"]]
    assert len(planned) == len(visits) == 15
    for row, value, (destination, visit) in zip(planned, values, visits, strict=True):
        assert row["组别"] == f"第{destination.delegation.number}组"
        assert row["走访单位"] == destination.union.short_name
        assert row["走访日期"] == f"1月{destination.first_day.day}日至{destination.last_day.day}日"
        assert row["类别"] == visit.get_kind_display()
        assert row["类型"] == visit.get_category_display()
        assert row["名称"] == (visit.name or masked_name(visit))
        assert (yuan(row["慰问金"]), yuan(row["慰问品折款"])) == (visit.money, visit.goods)
        assert row["慰问品"] == (visit.goods_text or None)
        assert yuan(value["合计"]) == visit.amount, "previews don't calculate"
        assert row["合计"].startswith("=ROUND(SUM(")
        assert row["资金来源"] == visit.source.name
    assert planned[0]["标准"] == "30,000 至 50,000/家"
    assert planned[0]["是否超标准及说明"] == "超过标准 10,000 元。说明：停产放假的职工较多"
    assert {row["是否超标准及说明"] for row in planned[1:]} == {"否"}
    sums = [(row["组别"], yuan(row["合计"])) for row in rows(shown) if row["合计"] and not row["类别"]]
    everywhere = fold(lines(Delegation.objects.all()), lambda line: line.delegation)
    assert sums == [
        ("第1慰问组小计", everywhere[plan.first.pk].planned),
        ("第2慰问组小计", everywhere[plan.second.pk].planned),
        ("合计", everywhere[plan.first.pk].planned + everywhere[plan.second.pk].planned),
    ]
    assert shown["G5"].number_format == "#,##0.00", "with parts of a yuan all points stand in line"


def test_what_is_missing_in_a_plan_is_seen_in_it(plan: PlanStage) -> None:
    plan.at(plan.tree.daqing_oilfield).visits.all().delete()
    plan.second.destinations.all().delete()
    empty = plan.visit("grassroots")
    empty.money, empty.source = None, None
    empty.save()
    unsaid = plan.visit("on_site")
    unsaid.source, unsaid.money = None, 300_000
    unsaid.save()
    page = opened(written(plan), data_only=True)
    found = rows(page["走访计划及资金表"])
    assert [row["名称"] for row in found if row["走访单位"] == "大庆油田"] == ["（还没有走访对象）"]
    assert [row["名称"] for row in found if row["组别"] == "第2组"] == ["（还没有走访单位）"]
    (row,) = [row for row in found if row["类别"] == "基层单位"]
    assert (row["合计"], row["资金来源"], row["是否超标准及说明"]) == (None, None, "金额未填")
    (row,) = [row for row in found if row["类别"] == "现场慰问"]
    assert (row["资金来源"], row["是否超标准及说明"]) == ("（未选来源）", "超过标准 1,000 元。未说明")
    heads = [cell.value for cell in page["资金汇总表"][4]]
    assert heads[8] == "（未选来源）"
    assert page["资金汇总表"]["I8"].value == 3000


def test_what_was_done_stands_beside_what_was_planned(plan: PlanStage) -> None:
    record(plan)
    content = written(plan)
    found = rows(opened(content, data_only=True)["走访完成情况表"])
    of_harbin = [row for row in found if row["走访单位"] == "哈尔滨"]
    assert [
        (row["类别"], row["完成情况"], yuan(row["计划金额"]), yuan(row["实付合计"]), yuan(row["差额"]))
        for row in of_harbin
    ] == [
        ("困难企业", "已走访", 4_000_000, 3_500_050, -499_950),
        ("基层单位", "已走访", 2_000_000, 2_000_000, 0),
        ("现场慰问", "已走访", 200_000, 200_000, 0),
        ("现场慰问", "已走访", None, 200_000, 200_000),
        ("入户慰问", "未走访", 200_000, None, -200_000),
        ("入户慰问", "已走访", 200_000, 200_000, 0),
    ]
    assert (of_harbin[0]["实付资金来源"], of_harbin[0]["慰问品、差异说明"]) == (
        "两节送温暖资金",
        "说明：按实际困难减付",
    )
    assert (of_harbin[3]["计划日期"], of_harbin[3]["慰问品、差异说明"]) == ("临时增加", "慰问品：米面油")
    assert of_harbin[0]["走访日期"] == "1月6日"
    assert {row["完成情况"] for row in found if row["走访单位"] == "大庆油田"} == {"未填"}
    (subtotal,) = [row for row in found if row["组别"] == "第1慰问组小计"]
    line = total(lines(Delegation.objects.filter(pk=plan.first.pk)))
    assert (yuan(subtotal["实付合计"]), yuan(subtotal["差额"])) == (line.paid, line.difference)
    told = rows(opened(content)["走访情况记录"])
    assert [(row["走访对象"], row["项目"], row["内容"]) for row in told] == [
        ("困难企业 演示机械厂", "困难及原因", "订单减少")
    ]


def test_a_long_text_goes_on_in_the_next_row_and_none_of_it_is_lost(plan: PlanStage) -> None:
    plan.lock()
    said = "一" * 1500 + "\n" * 40 + "二" * 1400
    Destination.objects.filter(pk=plan.harbin.pk).update(practice=said)
    page = opened(written(plan))["走访情况记录"]
    parts = rows(page)
    assert len(parts) > 2
    assert {row["项目"] for row in parts[1:]} == {"好的经验做法（续）"}
    assert "".join(row["内容"] for row in parts) == said
    assert all(page.row_dimensions[number].height < 409 for number in range(5, 5 + len(parts)))


def test_money_is_summed_by_kind_by_delegation_and_by_source(plan: PlanStage) -> None:
    record(plan)
    cube = lines(Delegation.objects.filter(campaign=plan.campaign))
    first, other = plan.sources()
    page = opened(written(plan), data_only=True)["资金汇总表"]
    at = {row[0].value: row for row in page["A6:K10"]}
    assert list(at) == ["困难企业", "基层单位", "现场慰问", "入户慰问", "合计"]
    for kind in (*Visit.Kind, None):
        of_kind = [line for line in cube if kind in (None, line.kind)]
        cells = at[kind.label if kind else "合计"]
        everything = total(of_kind)
        expected = [everything.visits, everything.done, everything.unplanned]
        for source in (first, other):
            line = total(n for n in of_kind if n.source == source.pk)
            expected += [line.planned, line.paid]
        expected += [everything.planned, everything.paid, everything.difference]
        assert [c.value for c in cells[1:4]] + [yuan(c.value) for c in cells[4:]] == expected
    (start,) = [row for row in range(1, page.max_row) if str(page.cell(row, 1).value).startswith("二、")]
    (cells,) = [row for row in page.iter_rows(min_row=start, max_row=start + 4) if row[0].value == "第1组"]
    of_first = total(n for n in cube if n.delegation == plan.first.pk)
    assert (of_first.done, of_first.unplanned) == (4, 1)
    assert [c.value for c in cells[1:4]] == [of_first.visits, of_first.done, of_first.unplanned]
    assert yuan(cells[9].value) == of_first.paid
    assert not any("四、" in str(cell.value) for cell in page["A"]), "nothing is limited"


def test_what_is_left_of_a_limited_source_is_told_where_all_delegations_are_there(plan: PlanStage) -> None:
    source = plan.sources()[0]
    FundSource.objects.filter(pk=source.pk).update(ceiling=20_000_000)
    page = opened(written(plan), data_only=True)["资金汇总表"]
    (row,) = [row for row in page.iter_rows() if row[0].value == source.name]
    assert [yuan(cell.value) for cell in row[4:7]] == [20_000_000, 19_800_000, 200_000]
    part = load(plan.campaign, Delegation.objects.filter(pk=plan.first.pk))
    assert not any(
        cell.value == source.name for row in opened(plan_workbook(part))["资金汇总表"] for cell in row[:1]
    )


def file_in(plan: PlanStage, kind: str, name: str = "", **fields: Any) -> Material:
    return Material.objects.create(
        destination=plan.harbin, kind=kind, name=name, by=plan.liaison.person, **fields
    )


def test_what_was_filed_and_what_is_missing(plan: PlanStage) -> None:
    def in_a_file(name: str) -> dict[str, Any]:
        return {"file": f"materials/1/{name}", "size": 1536, "sha256": name}

    file_in(plan, MaterialKind.REPORT, "汇报.docx", **in_a_file("a"))
    file_in(plan, MaterialKind.HOUSEHOLD, "某某家.docx", **in_a_file("b"))
    link = {"url": "https://news.example.org/1", "title": "走访", "outlet": "日报"}
    file_in(plan, MaterialKind.COVERAGE, published_on=datetime.date(2021, 1, 9), **link)
    page = opened(written(plan))["材料清单"]
    assert page["A3"].value == "共 3 件，尚缺 0 类。", "nothing is due while it is planned"
    plan.lock()
    page = opened(written(plan))["材料清单"]
    assert page["A3"].value == "共 3 件，尚缺 5 类。"
    found = [[row["走访单位"], row["类别"], row["文件名或标题"], row["大小"]] for row in rows(page)]
    assert found == [
        ["哈尔滨", "当地汇报材料", "汇报.docx", "2 KB"],
        ["哈尔滨", "入户走访材料", "某某家.docx", "2 KB"],
        ["哈尔滨", "媒体报道", "走访（日报，2021-01-09）\nhttps://news.example.org/1", "网址"],
        ["哈尔滨", "尚缺", "照片", None],
        ["大庆油田", "尚缺", "当地汇报材料、入户走访材料、照片、媒体报道", None],
    ]
    shy = load(plan.campaign, Delegation.objects.all(), names_household_files=lambda _: False)
    assert "某某家" not in everything(plan_workbook(shy))


def test_printed_on_a4_with_repeated_heads_and_numbered_pages(plan: PlanStage) -> None:
    for page in opened(written(plan)):
        assert page.page_setup.paperSize == 9
        assert page.page_setup.orientation == ("portrait" if page.title == "总体安排表" else "landscape")
        # A total alone on a second page would be overlooked.
        pages_down = 1 if page.title == "资金汇总表" else 0
        assert (page.page_setup.fitToWidth, page.page_setup.fitToHeight) == (1, pages_down)
        assert page.print_title_rows == ("$2:$2" if page.title == "资金汇总表" else "$4:$4")
        assert page.oddFooter.right.text == "第 &P 页，共 &N 页"


def test_the_same_plan_gives_the_same_bytes(plan: PlanStage) -> None:
    PlanEvent.objects.create(campaign=plan.campaign, what="编制", at=MOMENT)
    first = written(plan)
    assert written(plan) == first
    assert "数据截至 2021年1月20日 23:30" in opened(first)["总体安排表"].oddFooter.left.text
    Visit.objects.filter(pk=plan.visit("enterprise").pk).update(money=4_000_001)
    assert written(plan) != first


EVIL = ["=1+1", "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", '=HYPERLINK("http://x","点我")', "<b>&amp;"]


@pytest.mark.parametrize("evil", EVIL)
def test_no_text_becomes_a_formula(plan: PlanStage, evil: str) -> None:
    record(plan)
    Visit.objects.exclude(kind="household").update(
        name=evil, note=evil, goods_text=evil, amount_reason=evil, difference_reason=evil, wishes=evil
    )
    Destination.objects.update(spirit=evil, participants=evil)
    FundSource.objects.filter(pk=plan.sources()[0].pk).update(name=evil)
    Delegation.objects.update(leader_name=evil, member_units=[evil], liaison_name=evil)
    Union.objects.filter(pk=plan.tree.harbin.pk).update(short_name=evil)
    plan.campaign.title = evil
    plan.campaign.save()
    seen = 0
    for page in opened(written(plan)):
        for row in page.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    assert re.match(r"=(ROUND\(|SUM\(|COUNTIFS\()", str(cell.value)), cell.value
                seen += cell.value == evil
    assert seen > 10


# -- households --------------------------------------------------------------------------------------------


def test_households_are_masked_wherever_one_looks(plan: PlanStage) -> None:
    record(plan)
    inside = everything(written(plan))
    assert masked_name(plan.visit("household")) in inside
    for secret in (NAME, IDENTITY_NUMBER, TELEPHONE):
        assert secret not in inside


def address(plan: PlanStage) -> str:
    return reverse("delegation_workbook", args=[plan.campaign.pk])


def told(client: Client, response: Any) -> list[str]:
    return [str(message) for message in response.wsgi_request._messages]


def test_asked_for_with_a_reason_households_are_exported_and_every_one_recorded(
    plan: PlanStage, browse: Any
) -> None:
    with pinned(MOMENT):
        answer = browse(plan.office).post(address(plan), {"personal": "1", "reason": "核对发放名册"})
    assert answer.status_code == 200
    assert "%E5%86%85%E5%90%AB%E4%B8%AA%E4%BA%BA%E4%BF%A1%E6%81%AF" in answer["Content-Disposition"]
    assert answer["Cache-Control"] == "private, no-store"
    book = opened(answer.content)
    assert book.sheetnames == [*SHEETS, HOUSEHOLDS]
    page = book[HOUSEHOLDS]
    assert "内含个人信息" in page["A1"].value
    assert "导出人：省总工会管理员　导出时间：2021-01-20 23:30　用途：核对发放名册" in page["A3"].value
    assert "内含个人信息" in page.oddFooter.left.text
    found = rows(page)
    assert [(row["走访单位"], row["姓名"], row["电话"], row["身份证号"]) for row in found] == [
        (place, NAME, TELEPHONE, IDENTITY_NUMBER)
        for place in ("哈尔滨", "哈尔滨", "大庆油田", "大庆油田", "齐齐哈尔", "齐齐哈尔")
    ]
    assert found[0]["慰问金额"] == 2000
    for title in SHEETS:
        assert not any(cell.value == NAME for row in book[title].iter_rows() for cell in row)
    noted = Unmasking.objects.all()
    assert len(noted) == 6
    assert {(n.way, n.reason, n.by) for n in noted} == {("export", "核对发放名册", plan.office.person)}
    assert NAME not in "".join(PlanEvent.objects.values_list("what", flat=True))


def test_a_liaison_exports_the_households_of_the_own_delegation_only(plan: PlanStage, browse: Any) -> None:
    answer = browse(plan.liaison).post(address(plan), {"personal": "1", "reason": "核对发放名册"})
    assert {row["组别"] for row in rows(opened(answer.content)[HOUSEHOLDS])} == {"第1组"}
    assert set(Unmasking.objects.values_list("delegation", flat=True)) == {plan.first.pk}


@pytest.mark.parametrize("who", ["reader", "leader"])
def test_who_may_not_see_households_is_told_so_and_nothing_is_recorded(
    plan: PlanStage, browse: Any, who: str
) -> None:
    answer = browse(getattr(plan, who)).post(address(plan), {"personal": "1", "reason": "核对发放名册"})
    assert answer["Location"] == reverse("delegation_board", args=[plan.campaign.pk])
    assert told(browse, answer) == ["您的角色不能进行此项操作。如工作需要，请联系省总工会权益保障部。"]
    assert not Unmasking.objects.exists()


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("", "导出家庭信息须写明原因，不少于 4 个字。"),
        ("看看", "导出家庭信息须写明原因，不少于 4 个字。"),
        ("因" * 301, "导出家庭信息原因最多 300 个字，现有 301 个。"),
    ],
)
def test_without_a_reason_there_is_no_export(
    plan: PlanStage, browse: Any, reason: str, sentence: str
) -> None:
    answer = browse(plan.office).post(address(plan), {"personal": "1", "reason": reason})
    assert (answer.status_code, told(browse, answer)) == (302, [sentence])
    assert not Unmasking.objects.exists()


def test_nobody_gets_households_by_asking_for_a_page(plan: PlanStage, browse: Any) -> None:
    answer = browse(plan.office).get(address(plan), {"personal": "1", "reason": "核对发放名册"})
    assert opened(answer.content).sheetnames == SHEETS
    assert NAME not in everything(answer.content)
    assert opened(browse(plan.office).post(address(plan)).content).sheetnames == SHEETS
    assert not Unmasking.objects.exists()


def test_a_household_whose_key_is_gone_says_so(plan: PlanStage, browse: Any, settings: Any) -> None:
    settings.PERSONAL_DATA_KEYS = {9: b"0123456789abcdef0123456789abcdef"}
    answer = browse(plan.office).post(address(plan), {"personal": "1", "reason": "核对发放名册"})
    assert rows(opened(answer.content)[HOUSEHOLDS])[0]["姓名"] == "（密钥不可用，暂时无法读取）"


# -- who knocks --------------------------------------------------------------------------------------------


def test_office_and_readers_take_all_delegations_others_their_own(plan: PlanStage, browse: Any) -> None:
    for who, groups in (("office", 2), ("reader", 2), ("liaison", 1), ("leader", 1)):
        answer = browse(getattr(plan, who)).get(address(plan))
        assert answer.status_code == 200
        page = opened(answer.content)["总体安排表"]
        assert len({row[0].value for row in page["A5:A7"] if row[0].value} & {"第1组", "第2组"}) == groups
    assert (
        "仅含第1慰问组" in opened(browse(plan.liaison).get(address(plan)).content)["总体安排表"]["A2"].value
    )


def test_people_of_the_visited_unions_have_no_workbook(plan: PlanStage, browse: Any) -> None:
    for who in (plan.host, plan.outsider):
        assert browse(who).get(address(plan)).status_code == 403
        assert browse(who).post(address(plan), {"personal": "1", "reason": "核对名册"}).status_code == 403
    assert Client().get(address(plan)).status_code == 302
    assert browse(plan.office).get(reverse("delegation_workbook", args=[0])).status_code == 404
    assert browse(plan.office).put(address(plan)).status_code == 405


def test_a_liaison_without_a_delegation_is_told_that_there_is_nothing(plan: PlanStage, browse: Any) -> None:
    Delegation.objects.update(liaison=None)
    answer = browse(plan.liaison).get(address(plan))
    assert told(browse, answer) == ["2021年元旦春节送温暖活动还没有您可以导出的慰问组。"]


def test_a_large_plan_costs_as_many_queries_as_a_small_one(plan: PlanStage) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as counted:
            written(plan)
        return len(counted)

    few = queries()
    for number in range(3, 9):
        delegation = Delegation.objects.create(campaign=plan.campaign, number=number)
        union = Union.objects.create(
            code=f"23{number:02}00",
            name=f"第{number}市总工会",
            short_name=f"第{number}市",
            kind=Union.Kind.CITY,
            parent=plan.tree.province,
            position=number,
        )
        made = Destination.objects.create(delegation=delegation, campaign=plan.campaign, union=union)
        fill(made)
        Material.objects.create(
            destination=made,
            kind=MaterialKind.REPORT,
            name="汇报.docx",
            file="a",
            sha256="a",
            by=plan.office.person,
        )
    assert queries() == few <= 13
