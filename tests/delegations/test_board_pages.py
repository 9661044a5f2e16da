"""The page over all delegations: where somebody is led, who sees which, what comes first, what it costs."""

from __future__ import annotations

import datetime
import html
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from delegations import planning, proposals
from delegations.board.overview import overview
from delegations.models import (
    Delegation,
    Destination,
    Material,
    Visit,
)
from delegations.plans import ERROR, Rulebook, plans, problems_of
from reporting.campaigns import clone_campaign
from reporting.models import Campaign
from tests.delegations.stage import NAME, PlanStage, fill
from unions.gate import Role
from unions.models import Union

HOME = reverse("delegations")
TODAY = datetime.date(2021, 1, 6)


def text(response) -> str:
    return html.unescape(response.content.decode())


def board(plan: PlanStage) -> str:
    return reverse("delegation_board", args=[plan.campaign.pk])


def settings(plan: PlanStage) -> str:
    return reverse("delegation_settings", args=[plan.campaign.pk])


def change(row, **values) -> None:
    """Straight into the row; what typing does is tested elsewhere."""
    type(row).objects.filter(pk=row.pk).update(**values)


# -- where somebody goes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["office", "reader", "liaison", "other_liaison", "leader"])
def test_who_works_with_plans_is_led_to_the_board(plan: PlanStage, browse, who) -> None:
    answer = browse(getattr(plan, who)).get(HOME)
    assert (answer.status_code, answer.url) == (302, board(plan))


@pytest.mark.parametrize("who", ["host", "outsider"])
def test_a_visited_union_is_led_to_its_own_destination(plan: PlanStage, browse, who) -> None:
    knocking = getattr(plan, who)
    answer = browse(knocking).get(HOME)
    assert answer.url == reverse("destination", args=[plan.at(knocking.union).pk])


def test_a_union_visited_in_several_years_chooses_the_newest_first(plan: PlanStage, browse) -> None:
    clone_campaign(campaign=plan.campaign, year=2022, by=plan.office)
    answer = browse(plan.host).get(HOME)
    assert answer.status_code == 200
    titles = re.findall(r'href="/destinations/\d+/">([^<]+)<', text(answer))
    assert [title[:5] for title in titles] == ["2022年", "2021年"]
    assert "1月5日至6日" in text(answer) and "待定" in text(answer)
    assert "齐齐哈尔" not in text(answer)


@pytest.mark.parametrize(
    ("union", "role"),
    [("nangang", Role.SUBMITTER), ("province", Role.FILLER), ("province", Role.SUBMITTER)],
)
def test_who_has_nothing_to_do_with_it_meets_a_friendly_page(plan: PlanStage, browse, union, role) -> None:
    answer = browse(plan.actor(getattr(plan.tree, union), role)).get(HOME)
    assert answer.status_code == 200
    assert "没有慰问组到本单位走访的安排" in text(answer)
    assert "第1慰问组" not in text(answer)


def test_a_liaison_without_a_delegation_is_told_so(plan: PlanStage, browse) -> None:
    nobody_yet = plan.actor(plan.tree.province, Role.LIAISON, "联络员丙")
    answer = browse(nobody_yet).get(HOME)
    assert answer.status_code == 200
    assert "还没有由您联络或带队的慰问组" in text(answer)


def test_the_newest_campaign_under_way_comes_before_a_newer_one_that_is_over(plan: PlanStage, browse) -> None:
    newer = clone_campaign(campaign=plan.campaign, year=2022, by=plan.office)
    address = reverse("delegation_board", args=[newer.pk])
    assert browse(plan.liaison).get(HOME).url == address
    change(newer, is_closed=True)
    assert browse(plan.liaison).get(HOME).url == board(plan)
    change(plan.campaign, is_closed=True)
    assert browse(plan.liaison).get(HOME).url == address


def test_a_newer_campaign_without_delegations_of_theirs_does_not_lead_them_astray(
    plan: PlanStage, browse
) -> None:
    newer = clone_campaign(campaign=plan.campaign, year=2022, by=plan.office)
    Delegation.objects.filter(campaign=newer, number=1).update(liaison=None)
    assert browse(plan.liaison).get(HOME).url == board(plan)


def test_without_any_delegation_the_office_finds_where_to_begin(plan: PlanStage, browse) -> None:
    Delegation.objects.all().delete()
    answer = browse(plan.office).get(HOME, follow=True)
    assert answer.redirect_chain[-1][0] == board(plan)
    assert "还没有慰问组" in text(answer) and "新建第1慰问组" in text(answer)
    reader = text(browse(plan.reader).get(HOME, follow=True))
    assert "还没有慰问组" in reader and "新建" not in reader
    Campaign.objects.all().delete()
    assert "还没有报送任务" in text(browse(plan.office).get(HOME))


# -- who sees what -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("office", {"第1慰问组", "第2慰问组"}),
        ("reader", {"第1慰问组", "第2慰问组"}),
        ("liaison", {"第1慰问组"}),
        ("leader", {"第1慰问组"}),
        ("other_liaison", {"第2慰问组"}),
    ],
)
def test_everybody_sees_their_own_delegations_and_nothing_of_others(
    plan: PlanStage, browse, who, sees
) -> None:
    answer = browse(getattr(plan, who)).get(board(plan))
    assert answer.status_code == 200
    assert {name for name in ("第1慰问组", "第2慰问组") if name in text(answer)} == sees
    assert ("哈尔滨" in text(answer)) == ("第1慰问组" in sees)
    assert ("齐齐哈尔" in text(answer)) == ("第2慰问组" in sees)


@pytest.mark.parametrize("who", ["host", "outsider"])
def test_a_visited_union_has_no_board(plan: PlanStage, browse, who) -> None:
    assert browse(getattr(plan, who)).get(board(plan)).status_code == 403


def test_a_campaign_that_does_not_exist_has_no_board(plan: PlanStage, browse) -> None:
    for who in (plan.office, plan.liaison):
        assert browse(who).get(reverse("delegation_board", args=[0])).status_code == 404


def test_a_campaign_without_ones_own_delegation_says_so(plan: PlanStage, browse) -> None:
    newer = clone_campaign(campaign=plan.campaign, year=2022, by=plan.office)
    Delegation.objects.filter(campaign=newer).update(liaison=None, leader=None)
    answer = browse(plan.liaison).get(reverse("delegation_board", args=[newer.pk]))
    assert answer.status_code == 200
    assert "没有由您联络或带队的慰问组" in text(answer)
    assert "第2慰问组" not in text(answer)


def test_one_changes_between_the_years_one_has_delegations_in(plan: PlanStage, browse) -> None:
    assert 'class="menu years"' not in text(browse(plan.liaison).get(board(plan)))
    newer = clone_campaign(campaign=plan.campaign, year=2022, by=plan.office)
    switch = reverse("delegation_board", args=[newer.pk])
    assert f'href="{switch}"' in text(browse(plan.liaison).get(board(plan)))
    Delegation.objects.filter(campaign=newer, number=1).update(liaison=None)
    assert f'href="{switch}"' not in text(browse(plan.liaison).get(board(plan)))


def test_only_the_office_is_offered_what_only_the_office_may(plan: PlanStage, browse) -> None:
    for who, offered in [("office", True), ("reader", False), ("liaison", False), ("leader", False)]:
        shown = text(browse(getattr(plan, who)).get(board(plan)))
        assert (settings(plan) in shown) == offered
        assert (reverse("new_delegation", args=[plan.campaign.pk]) in shown) == offered
        assert reverse("delegation_account", args=[plan.campaign.pk]) in shown
        assert reverse("delegation_workbook", args=[plan.campaign.pk]) in shown


def test_what_all_delegations_leave_of_a_ceiling_is_not_told_to_one_of_them(plan: PlanStage, browse) -> None:
    change(plan.sources()[0], ceiling=25_000_000)
    assert "余 <b>52,000</b> 元" in text(browse(plan.reader).get(board(plan)))
    own = text(browse(plan.liaison).get(board(plan)))
    assert "计划 <b>132,000</b> 元" in own
    assert "上限" not in own and "52,000" not in own


def test_no_households_name_stands_on_the_board(plan: PlanStage, browse) -> None:
    change(plan.visit("household"), money=300_000, amount_reason="两人患病")
    shown = text(browse(plan.office).get(board(plan)))
    assert "两人患病" in shown and "张＊＊" in shown
    assert NAME not in shown


# -- what comes first --------------------------------------------------------------------------------------


def places(shown: str, *parts: str) -> list[int]:
    found = [shown.find(part) for part in parts]
    assert -1 not in found, dict(zip(parts, found, strict=True))
    return found


def test_a_plan_as_the_notice_wants_it_has_no_problems(plan: PlanStage, browse) -> None:
    shown = text(browse(plan.office).get(board(plan)))
    assert "没有问题。编制中的计划都可以锁定。" in shown
    assert "没有超出标准的走访对象" in shown


def test_errors_come_before_queries_before_gaps_before_the_lines(plan: PlanStage, browse) -> None:
    far = plan.at(plan.tree.daqing_oilfield)
    change(far, first_day=datetime.date(2021, 1, 6))  # the day Harbin's visit ends
    change(plan.visit("enterprise"), money=6_000_000)
    change(plan.at(plan.tree.outsider), travellers=None)
    shown = text(browse(plan.office).get(board(plan)))
    order = places(
        shown,
        "1月6日 与哈尔滨的日期重叠",
        "超过标准 10,000 元",
        "随行人数没有填",
        'aria-labelledby="lines"',
    )
    assert order == sorted(order)


def test_gaps_stand_open_only_while_nothing_worse_does(plan: PlanStage, browse) -> None:
    change(plan.at(plan.tree.outsider), travellers=None)
    assert re.search(r'<details class="level-of gap" open>', text(browse(plan.office).get(board(plan))))
    change(plan.harbin, last_day=datetime.date(2021, 1, 4))
    shown = text(browse(plan.office).get(board(plan)))
    assert re.search(r'<details class="level-of error" open>', shown)
    assert re.search(r'<details class="level-of gap">', shown)


def test_each_problem_leads_to_its_field_on_the_plan(plan: PlanStage, browse) -> None:
    visit = plan.visit("enterprise")
    change(visit, money=6_000_000)
    Delegation.objects.filter(pk=plan.second.pk).update(liaison_name="")
    shown = text(browse(plan.office).get(board(plan)))
    first, second = (reverse("delegation", args=[d.pk]) for d in (plan.first, plan.second))
    assert f'href="{first}#visit-{visit.pk}-amount_reason"' in shown
    assert f'href="{second}#delegation-{plan.second.pk}-liaison_name"' in shown


def test_every_problem_of_every_delegation_is_listed_once(plan: PlanStage, browse) -> None:
    """Whatever the folding: nothing is left out and nothing told twice."""
    Visit.objects.all().delete()
    Destination.objects.update(travellers=None, first_day=None)
    rulebook = Rulebook.of(plan.campaign)
    wanted = [
        f"{reverse('delegation', args=[d.pk])}#{p.anchor}"
        for d in plans(Delegation.objects.all())
        for p in problems_of(d, rulebook)
    ]
    card = text(browse(plan.office).get(board(plan))).partition('aria-labelledby="lines"')[0]
    listed = re.findall(r'<li><a href="([^"]+)"', card)
    assert sorted(listed) == sorted(wanted) and len(wanted) > 12


def test_a_long_list_shows_five_and_folds_the_rest(plan: PlanStage, browse) -> None:
    Visit.objects.filter(destination__delegation=plan.first).update(money=1)
    shown = text(browse(plan.office).get(board(plan)))
    assert "核实 10" in shown and "还有 5 处" in shown


def test_money_over_a_ceiling_is_an_error_of_all_and_leads_the_office_to_the_settings(
    plan: PlanStage, browse
) -> None:
    source = plan.sources()[0]
    change(source, ceiling=10_000_000)
    sentence = "计划 198,000 元，超过上限 100,000 元，多 98,000 元"
    shown = text(browse(plan.office).get(board(plan)))
    assert sentence in shown
    assert f'href="{settings(plan)}#fundsource-{source.pk}-ceiling"' in shown
    reader = text(browse(plan.reader).get(board(plan)))
    assert sentence in reader and settings(plan) not in reader
    assert sentence not in text(browse(plan.liaison).get(board(plan)))


def test_what_departs_for_a_reason_moves_from_the_problems_to_the_departments_list(
    plan: PlanStage, browse
) -> None:
    visit = plan.visit("enterprise")
    change(visit, money=6_000_000)
    before = text(browse(plan.office).get(board(plan)))
    assert "没有超出标准的走访对象" in before and "核实 1" in before
    change(visit, amount_reason="职工三百人停产一年")
    change(plan.harbin, travellers=9, travellers_reason="另有两名医生")
    after = text(browse(plan.office).get(board(plan)))
    assert "没有问题。超出标准的都已写明原因。" in after
    rows = re.findall(r"<tr>(.*?)</tr>", after.partition('id="departures"')[2], re.S)
    words = [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in rows[1:]]
    assert words == [
        "第1慰问组 哈尔滨 全部 随行 9 人，超过 6 人 另有两名医生",
        "第1慰问组 哈尔滨 困难企业 演示机械厂 60,000 元，困难企业每家标准 30,000 至 50,000 元，"
        "超过标准 10,000 元 职工三百人停产一年",
    ]


def test_the_gaps_a_locked_plan_was_allowed_are_no_problems_any_more_but_still_show(
    plan: PlanStage, browse
) -> None:
    plan.visit("enterprise").delete()
    assert "缺 1 家" in text(browse(plan.office).get(board(plan))).partition('aria-labelledby="lines"')[0]
    plan.lock()
    shown = text(browse(plan.office).get(board(plan)))
    assert "没有问题" in shown
    assert "困难企业应有 1 家，现有 0 家，缺 1 家" in shown.partition('aria-labelledby="lines"')[2]


# -- the lines ---------------------------------------------------------------------------------------------


def seen(plan: PlanStage, today: datetime.date = TODAY):
    return overview(Delegation.objects.all(), Rulebook.of(plan.campaign), today=today, is_whole=True)


def test_the_headline_numbers(plan: PlanStage, browse) -> None:
    found = seen(plan)
    assert (len(found.rows), len(found.lanes)) == (2, 3)
    assert (found.filled, found.wanted, found.surplus) == (15, 15, 0)
    assert found.money.planned == 3 * 6_600_000
    assert [(f.source.name, f.planned) for f in found.funds] == [
        ("2020年助困送温暖资金", 19_800_000),
        ("两节送温暖资金", 0),
    ]
    assert "198,000" in text(browse(plan.office).get(board(plan)))


def test_a_surplus_at_one_place_does_not_hide_a_gap_at_another(plan: PlanStage) -> None:
    plan.visit("enterprise").delete()
    planning.add_visit(destination=plan.at(plan.tree.outsider), kind="enterprise", by=plan.office)
    found = seen(plan)
    assert (found.filled, found.wanted, found.surplus) == (14, 15, 1)
    assert [[mark.state for mark in lane.kinds] for lane in found.lanes] == [
        ["missing", "met", "met", "met"],
        ["met", "met", "met", "met"],
        ["surplus", "met", "met", "met"],
    ]
    assert found.lanes[2].kinds[0].words == "困难企业应有 1 家，现有 2 家，多 1 家"


def test_money_without_a_source_is_told_apart(plan: PlanStage, browse) -> None:
    change(plan.visit("grassroots"), source=None)
    assert [(f.source and f.source.name, f.planned) for f in seen(plan).funds][-1] == (None, 2_000_000)
    assert "还没有选资金来源" in text(browse(plan.office).get(board(plan)))


def test_bars_are_red_exactly_where_the_dates_are_wrong(plan: PlanStage) -> None:
    assert [lane.is_wrong for lane in seen(plan).lanes] == [False, False, False]
    far = plan.at(plan.tree.daqing_oilfield)
    change(far, first_day=datetime.date(2021, 1, 6))
    change(plan.at(plan.tree.outsider), last_day=datetime.date(2021, 2, 12))
    found = seen(plan)
    assert [lane.is_wrong for lane in found.lanes] == [True, True, True]
    assert found.lanes[0].words == "哈尔滨 1月5日至6日，与本组其他单位重叠"
    assert found.lanes[2].bar.ends_after
    errors = [p for d in plans(Delegation.objects.all()) for p in problems_of(d, found.rulebook)]
    assert {p.level for p in errors} == {ERROR}


def test_dates_that_are_missing_or_reversed_have_words_instead_of_a_bar(plan: PlanStage) -> None:
    change(plan.harbin, first_day=None)
    change(plan.at(plan.tree.daqing_oilfield), last_day=datetime.date(2021, 1, 1))
    change(plan.at(plan.tree.outsider), first_day=None, last_day=None)
    lanes = seen(plan).lanes
    assert [(lane.dates, lane.bar, lane.is_wrong) for lane in lanes] == [
        ("至1月6日", None, False),
        ("日期颠倒", None, True),
        ("日期待定", None, False),
    ]


def test_today_is_drawn_inside_the_window_only(plan: PlanStage) -> None:
    assert seen(plan).ticks["today"] == "25.510%"
    assert seen(plan, datetime.date(2021, 3, 1)).ticks["today"] is None


def test_a_campaign_without_a_window_or_dates_has_a_board_without_a_timeline(plan: PlanStage, browse) -> None:
    change(plan.campaign, visits_from=None, visits_until=None)
    Destination.objects.update(first_day=None, last_day=None)
    plan.campaign.refresh_from_db()
    assert seen(plan).window is None
    shown = text(browse(plan.office).get(board(plan)))
    assert "没有规定走访时间" in shown and '<rect class="stay' not in shown


def test_a_proposal_waits_for_its_answer_where_it_was_made(plan: PlanStage, browse) -> None:
    proposals.propose(
        destination=plan.harbin,
        kind="grassroots",
        category="police",
        name="演示所",
        why="春节坚守岗位",
        by=plan.host,
    )
    shown = text(browse(plan.liaison).get(board(plan)))
    assert "当地建议待答复" in shown and "建议 1" in shown
    assert "可以锁定" not in shown
    assert [lane.proposals for lane in seen(plan).lanes] == [1, 0, 0]
    assert seen(plan).filled == 15  # a proposal is no plan yet


def test_after_the_lock_records_and_material_are_counted_place_by_place(plan: PlanStage, browse) -> None:
    assert "已走访 " not in text(browse(plan.office).get(board(plan)))
    plan.lock()
    harbin = plan.harbin
    change(plan.visit("enterprise"), outcome="done", paid_money=4_500_000)
    change(plan.visit("grassroots"), outcome="not_done")
    Visit.objects.create(
        destination=harbin, kind="on_site", standing="unplanned", outcome="done", paid_money=200_000
    )
    for number, kind in enumerate(("report", "report", "photo")):
        Material.objects.create(
            destination=harbin, kind=kind, file=f"{number}", sha256=str(number), by=plan.liaison.person
        )
    first, second, third = seen(plan).lanes
    assert (first.done, first.due, first.unplanned, first.not_done) == (1, 5, 1, 1)
    assert (second.done, second.due, second.unplanned) == (0, 5, 0)
    assert (first.material_kinds, second.material_kinds) == (2, 0)
    assert third.due == 0 and not third.is_recorded  # still being planned
    assert first.money.paid == 4_700_000
    shown = text(browse(plan.liaison).get(board(plan)))
    for words in (
        "已走访 1/5",
        "，另增 1",
        "<b>1<i>/10</i></b><span>已走访，另增 1</span>",
        "未走访 1",
        "材料 2/4 类",
        "已走访 0/5",
        "材料 0/4 类",
    ):
        assert words in shown


def test_when_they_really_went_stands_under_the_plan(plan: PlanStage) -> None:
    plan.lock()
    change(plan.harbin, went_from=datetime.date(2021, 1, 7), went_until=datetime.date(2021, 1, 7))
    lane = seen(plan).lanes[0]
    assert lane.actual.x > lane.bar.x and lane.actual.width == pytest.approx(100 / 49)


def more_delegations(plan: PlanStage, number: int) -> None:
    root = plan.tree.province
    for each in range(number):
        delegation = Delegation.objects.create(
            campaign=plan.campaign, number=10 + each, liaison_name="联络员"
        )
        for position in range(3):
            union = Union.objects.create(
                code=f"9{each}{position}",
                name=f"演示{each}{position}总工会",
                short_name=f"演示{each}{position}",
                kind=Union.Kind.CITY,
                parent=root,
                position=100,
            )
            made = Destination.objects.create(
                delegation=delegation, campaign=plan.campaign, union=union, position=position
            )
            fill(made, position)
            Visit.objects.filter(destination=made, kind="enterprise").update(
                money=6_000_000, amount_reason="职工特别多"
            )
            Visit.objects.create(destination=made, kind="household", standing="proposed", why="家有病人")
            Material.objects.create(
                destination=made, kind="photo", file=f"{made.pk}", sha256=str(made.pk), by=plan.office.person
            )


@pytest.mark.parametrize("who", ["office", "liaison"])
def test_eight_delegations_cost_what_two_cost(plan: PlanStage, browse, who) -> None:
    client = browse(getattr(plan, who))
    client.get(board(plan))  # the session's first visit writes once
    with CaptureQueriesContext(connection) as two:
        client.get(board(plan))
    more_delegations(plan, 6)
    if who == "liaison":
        Delegation.objects.update(liaison=plan.liaison.person)
    with CaptureQueriesContext(connection) as eight:
        shown = text(client.get(board(plan)))
    assert "第15慰问组" in shown
    assert len(eight) == len(two) <= 14, [q["sql"][:120] for q in eight]


# -- a new delegation --------------------------------------------------------------------------------------


def new(plan: PlanStage) -> str:
    return reverse("new_delegation", args=[plan.campaign.pk])


def test_the_office_makes_a_delegation_and_is_led_to_its_head(plan: PlanStage, browse) -> None:
    answer = browse(plan.office).post(new(plan))
    made = Delegation.objects.get(campaign=plan.campaign, number=3)
    assert answer.url == reverse("delegation_head", args=[made.pk])
    assert browse(plan.office).get(board(plan)).status_code == 200


@pytest.mark.parametrize("who", ["reader", "liaison", "leader", "host", "outsider"])
def test_nobody_else_makes_a_delegation(plan: PlanStage, browse, who) -> None:
    assert browse(getattr(plan, who)).post(new(plan)).status_code == 403
    assert Delegation.objects.count() == 2


def test_a_delegation_is_not_made_by_looking_nor_for_a_campaign_that_is_not(plan: PlanStage, browse) -> None:
    office = browse(plan.office)
    assert office.get(new(plan)).status_code == 405
    assert office.post(reverse("new_delegation", args=[0])).status_code == 404
    assert Delegation.objects.count() == 2


def test_one_delegation_too_many_is_refused_in_words(plan: PlanStage, browse) -> None:
    change(plan.second, number=planning.MOST_DELEGATIONS)
    answer = browse(plan.office).post(new(plan), follow=True)
    assert answer.redirect_chain[-1][0] == board(plan)
    assert "最多 99 个慰问组" in text(answer)
