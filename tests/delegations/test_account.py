"""资金账: every table comes to the same sum to the 分, whatever the numbers; what differs is listed with its reason."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from delegations.account import NO_SOURCE, Account, Row, account
from delegations.budget import Line
from delegations.models import Delegation, Destination, FundSource, Visit
from tests.delegations.records import change, locked_and_recorded
from tests.delegations.stage import PlanStage
from unions.models import Union


def of(plan: PlanStage, *delegations: Delegation) -> Account:
    rows = Delegation.objects.filter(campaign=plan.campaign)
    return account(plan.campaign, rows.filter(pk__in=[d.pk for d in delegations]) if delegations else rows)


def figures(line: Line) -> tuple[int, ...]:
    planned = (line.visits, line.money, line.goods, line.done)
    return (*planned, line.unplanned, line.paid_money, line.paid_goods)


def row_of(rows: list[Row], label: str) -> Row:
    return next(row for row in rows if row.label == label)


# -- the law -----------------------------------------------------------------------------------------------


def scatter(plan: PlanStage, chance: random.Random, count: int) -> list[Visit]:
    """Visits of every kind, standing, outcome and source, with amounts from nothing to the largest."""
    sources = [None, *FundSource.objects.filter(campaign=plan.campaign)]
    destinations = list(Destination.objects.filter(campaign=plan.campaign))
    amount = lambda: chance.choice([None, 0, 1, 99, chance.randrange(10**6), chance.randrange(10**14)])  # noqa: E731
    visits = []
    for _ in range(count):
        standing = chance.choice([*Visit.Standing.values, "planned", "planned", "unplanned"])
        never = standing == "unplanned"
        visits.append(
            Visit(
                destination=chance.choice(destinations),
                kind=chance.choice(Visit.Kind.values),
                standing=standing,
                money=None if never else amount(),
                goods=None if never else amount(),
                source=None if never else chance.choice(sources),
                outcome=chance.choice(["", "done", "done", "not_done"]),
                paid_money=amount(),
                paid_goods=amount(),
                paid_source=chance.choice([None, *sources]),
            )
        )
    return Visit.objects.bulk_create(visits)


def reckoned(visits: list[Visit]) -> tuple[int, ...]:
    """The same sums one by one."""
    plan = [v for v in visits if v.standing == "planned"]
    done = [v for v in visits if v.outcome == "done" and v.standing in ("planned", "unplanned")]
    return (
        len(plan),
        sum(v.money or 0 for v in plan),
        sum(v.goods or 0 for v in plan),
        sum(v.standing == "planned" for v in done),
        sum(v.standing == "unplanned" for v in done),
        sum(v.paid_money or 0 for v in done),
        sum(v.paid_goods or 0 for v in done),
    )


@pytest.mark.parametrize("seed", range(12))
def test_all_tables_come_to_the_same_sum(plan: PlanStage, seed: int) -> None:
    chance = random.Random(seed)
    scatter(plan, chance, chance.choice([0, 1, 7, 60]))
    visits = list(Visit.objects.select_related("destination"))
    found = of(plan)
    wanted = reckoned(visits)
    for table in (found.by_kind, found.by_source, found.by_delegation, found.by_destination):
        assert figures(table.total.line) == wanted
        for row in table.rows:
            assert row.line.done <= row.line.visits, "of five planned visits six are never done"
    assert found.total.line.difference == wanted[5] + wanted[6] - wanted[1] - wanted[2]
    for row, places in found.groups:
        assert figures(row.line) == figures(sum((p.line for p in places), start=Line(0, 0, "", None)))
        assert figures(row.line) == reckoned(
            [v for v in visits if v.destination in [p.destination for p in places]]
        )
    for kind in Visit.Kind:
        row = row_of(found.by_kind.rows, kind.label)
        assert figures(row.line) == reckoned([v for v in visits if v.kind == kind])
    for source in FundSource.objects.all():
        row = row_of(found.by_source.rows, source.name)
        planned = [v for v in visits if v.source_id == source.pk]
        paid = [v for v in visits if (v.paid_source_id or v.source_id) == source.pk]
        assert figures(row.line) == (*reckoned(planned)[:4], *reckoned(paid)[4:])


def test_the_parts_of_two_people_come_to_the_whole(plan: PlanStage) -> None:
    scatter(plan, random.Random(7), 50)
    parts = [figures(of(plan, d).total.line) for d in (plan.first, plan.second)]
    assert tuple(map(sum, zip(*parts, strict=True))) == figures(of(plan).total.line)


# -- what it says ------------------------------------------------------------------------------------------


def test_an_account_as_planned(plan: PlanStage) -> None:
    locked_and_recorded(plan)
    found = of(plan, plan.first)
    assert figures(found.total.line) == (10, 13_200_000, 0, 10, 0, 13_200_000, 0)
    assert (found.differing, found.out_of_norm, found.waiting) == ([], [], 0)
    assert [row.share for row in found.by_kind.rows] == [100, 100, 100, 100]


def test_money_from_another_source_stands_under_the_one_that_paid(plan: PlanStage) -> None:
    locked_and_recorded(plan)
    planned, other = FundSource.objects.all()
    change(plan.visit("enterprise"), paid_source=other, difference_reason="省财政资金先到")
    found = of(plan, plan.first)
    was, now = row_of(found.by_source.rows, planned.name), row_of(found.by_source.rows, other.name)
    assert (was.line.planned, was.line.paid, was.line.difference) == (13_200_000, 9_200_000, -4_000_000)
    assert (now.line.planned, now.line.paid, now.off, now.share) == (0, 4_000_000, 4_000_000, 100)
    (case,) = found.differing
    assert case.sentence == "计划由2020年助困送温暖资金列支，实际由两节送温暖资金列支"
    assert case.reason == "省财政资金先到" and case.is_explained and found.unexplained == 0


def test_what_differs_is_listed_with_the_unexplained_first(plan: PlanStage) -> None:
    locked_and_recorded(plan)
    change(plan.visit("enterprise"), paid_money=5_000_000, difference_reason="职工特别多，追加")
    change(plan.visit("household"), outcome="not_done", paid_money=None)
    Visit.objects.create(
        destination=plan.harbin,
        kind="grassroots",
        category="sanitation",
        name="演示环卫站",
        standing="unplanned",
        outcome="done",
        happened_on=plan.harbin.first_day,
        paid_money=3_000_000,
        position=9,
    )
    found = of(plan, plan.first)
    kinds = [[d.label for d in case.differences] for case in found.differing]
    assert kinds == [["未走访"], ["临时增加"], ["金额不同"]]
    assert found.unexplained == 2
    assert [case.sentence for case in found.out_of_norm] == [
        "30,000 元，基层单位每个标准 20,000 元，超过标准 10,000 元"
    ]
    assert row_of(found.by_source.rows, NO_SOURCE).line.paid == 3_000_000


def test_a_planned_amount_outside_its_norm_is_listed_with_its_reason(plan: PlanStage) -> None:
    change(plan.visit("enterprise"), money=6_000_000, amount_reason="该企业职工特别多")
    (case,) = of(plan).out_of_norm
    assert (case.sentence, case.reason) == (
        "60,000 元，困难企业每家标准 30,000 至 50,000 元，超过标准 10,000 元",
        "该企业职工特别多",
    )


def test_what_was_paid_outside_its_norm_is_listed_though_it_was_planned_within(plan: PlanStage) -> None:
    locked_and_recorded(plan)
    change(plan.visit("enterprise"), paid_money=6_000_000, difference_reason="追加了两万元")
    (case,) = of(plan, plan.first).out_of_norm
    assert (case.sentence, case.reason) == (
        "实付 60,000 元，困难企业每家标准 30,000 至 50,000 元，超过标准 10,000 元",
        "追加了两万元",
    )
    change(plan.visit("enterprise"), money=6_000_000, amount_reason="职工特别多")
    (case,) = of(plan, plan.first).out_of_norm
    assert (case.sentence[:6], case.reason) == ("60,000", "职工特别多"), "paid as planned: said once"
    change(plan.visit("enterprise"), paid_money=7_000_000)
    assert [case.sentence[:9] for case in of(plan, plan.first).out_of_norm] == ["60,000 元，", "实付 70,000"]


def test_a_visit_nobody_planned_stands_beside_the_planned_ones_not_among_them(
    plan: PlanStage, browse: Any
) -> None:
    locked_and_recorded(plan)
    Visit.objects.create(
        destination=plan.harbin, kind="on_site", standing="unplanned", outcome="done", paid_money=200_000
    )
    line = of(plan, plan.first).total.line
    assert (line.visits, line.done, line.unplanned, line.paid) == (10, 10, 1, 13_400_000)
    text = page(plan, browse, "liaison").content.decode()
    assert '<b>10</b> <span class="small muted">另增 1</span>' in text
    assert (
        '<span>10<span class="faint">/10</span><span class="muted small goods">另增 1</span></span>' in text
    )
    assert "11" not in re.findall(r"<span>(\d+)<span class=\"faint\">/", text)


def test_what_is_left_of_a_ceiling_is_what_was_not_paid(plan: PlanStage) -> None:
    locked_and_recorded(plan)
    source = FundSource.objects.all()[0]
    change(source, ceiling=20_000_000)
    row = row_of(of(plan).by_source.rows, source.name)
    assert (row.left, row.overdrawn) == (6_800_000, 0)
    change(source, ceiling=10_000_000)
    row = row_of(of(plan).by_source.rows, source.name)
    assert (row.left, row.overdrawn) == (-3_200_000, 3_200_000)


# -- the page ----------------------------------------------------------------------------------------------


def page(plan: PlanStage, browse: Any, who: str) -> Any:
    return browse(getattr(plan, who)).get(reverse("delegation_account", args=[plan.campaign.pk]))


@pytest.mark.parametrize("who", ["office", "reader"])
def test_who_sees_all_reads_the_account_of_all(plan: PlanStage, browse: Any, who: str) -> None:
    change(FundSource.objects.all()[0], ceiling=30_000_000)
    text = page(plan, browse, who).content.decode()
    assert (
        "第1慰问组" in text
        and "第2慰问组" in text
        and "上限 300,000，计划后余 102,000，实付后余 300,000" in text
    )


@pytest.mark.parametrize("who", ["liaison", "leader"])
def test_who_goes_with_one_reads_its_account_only(plan: PlanStage, browse: Any, who: str) -> None:
    change(FundSource.objects.all()[0], ceiling=30_000_000)
    change(plan.visit("enterprise", plan.at(plan.tree.outsider)), money=7_700_000)
    text = page(plan, browse, who).content.decode()
    assert "第1慰问组" in text and "第2慰问组" not in text and "齐齐哈尔" not in text
    assert "132,000" in text and "77,000" not in text
    assert "上限" not in text, "what is left of a source is reckoned over all delegations"


@pytest.mark.parametrize("who", ["host", "outsider"])
def test_visited_unions_do_not_read_the_account(plan: PlanStage, browse: Any, who: str) -> None:
    assert page(plan, browse, who).status_code == 403


def test_there_is_no_account_of_no_campaign(plan: PlanStage, browse: Any) -> None:
    assert browse(plan.office).get(reverse("delegation_account", args=[0])).status_code == 404


def test_households_are_masked_in_the_account(plan: PlanStage, browse: Any) -> None:
    locked_and_recorded(plan)
    change(plan.visit("household"), outcome="not_done", paid_money=None)
    text = page(plan, browse, "office").content.decode()
    assert "张＊＊" in text and "张三丰" not in text


def test_the_account_costs_the_same_however_much_there_is(plan: PlanStage, browse: Any) -> None:
    locked_and_recorded(plan)
    client = browse(plan.office)
    url = reverse("delegation_account", args=[plan.campaign.pk])
    client.get(url)

    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(url).status_code == 200
        return len(queries)

    few = cost()
    for number in range(5):
        union = Union.objects.create(
            code=f"I9{number}",
            name=f"演示产业工会{number}",
            short_name=f"演示{number}",
            kind=Union.Kind.INDUSTRY,
            parent=plan.tree.province,
            position=50 + number,
        )
        delegation = Delegation.objects.create(campaign=plan.campaign, number=10 + number)
        Destination.objects.create(delegation=delegation, campaign=plan.campaign, union=union)
    scatter(plan, random.Random(1), 80)
    assert cost() == few
