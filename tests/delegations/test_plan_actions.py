"""Planning: what is written, what is wrong with it, when it can be locked, and who may."""

from __future__ import annotations

import datetime

import pytest
from django.core.exceptions import PermissionDenied

from delegations import planning, standards
from delegations.models import Delegation, FundSource, Norm, PlanEvent, Visit
from delegations.personal import disclosure
from delegations.plans import ERROR, QUERY, Problem, Rulebook, plans, problems_of
from delegations.saving import save_plan, save_record
from reporting.campaigns import clone_campaign, set_closed
from reporting.clock import pinned
from reporting.errors import Refused, WrongState
from reporting.filling import Change
from reporting.models import Campaign
from tests.delegations.stage import PlanStage
from unions.models import Post, Union


def problems(plan: PlanStage) -> list[Problem]:
    (loaded,) = plans(Delegation.objects.filter(pk=plan.first.pk))
    return problems_of(loaded, Rulebook.of(plan.campaign))


def lock(plan: PlanStage) -> None:
    plan.first.refresh_from_db()
    planning.lock_plan(delegation=plan.first, revision=plan.first.revision, by=plan.office)


def type_in(plan: PlanStage, code: str, base: str, value: str):
    return save_plan(delegation=plan.first, changes=[Change(code, base, value)], by=plan.liaison)


def test_a_plan_as_the_notice_wants_it_has_no_problem_and_can_be_locked(plan: PlanStage) -> None:
    assert problems(plan) == []
    lock(plan)
    plan.first.refresh_from_db()
    assert plan.first.state == Delegation.State.LOCKED
    assert PlanEvent.objects.filter(delegation=plan.first, what="锁定计划", by=plan.office.person).exists()


def test_the_liaison_types_and_every_change_is_noted(plan: PlanStage) -> None:
    visit = plan.visit("enterprise")
    saved = type_in(plan, f"visit:{visit.pk}:money", "40000", "4.5万")
    assert saved.fields == {f"visit:{visit.pk}:money": "45000"}
    visit.refresh_from_db()
    assert visit.money == 4_500_000
    event = PlanEvent.objects.filter(delegation=plan.first)[0]
    assert (event.what, event.by) == (
        "哈尔滨 困难企业（演示机械厂） 慰问金：40000 → 45000",
        plan.liaison.person,
    )


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("-5", "是负数，金额不能小于 0"),
        ("三万", "不是金额"),
        ("0.001", "不足一分"),
        ("9" * 19, "过大"),
        ("1e5", "不是金额"),
        ("NaN", "不是金额"),
    ],
)
def test_what_is_no_amount_is_refused_in_words_and_nothing_is_stored(
    plan: PlanStage, value: str, sentence: str
) -> None:
    visit = plan.visit("enterprise")
    saved = type_in(plan, f"visit:{visit.pk}:money", "40000", value)
    assert sentence in saved.refused[f"visit:{visit.pk}:money"]
    visit.refresh_from_db()
    assert visit.money == 4_000_000


def test_nobody_writes_over_what_a_colleague_wrote_meanwhile(plan: PlanStage) -> None:
    code = f"destination:{plan.harbin.pk}:travellers"
    save_plan(delegation=plan.first, changes=[Change(code, "4", "5")], by=plan.office)
    saved = type_in(plan, code, "4", "3")
    assert saved.fields == {}
    assert saved.conflicts[0]["theirs"] == "5"
    assert plan.harbin.travellers == 5
    # The same person again, not having heard an answer: no conflict with oneself.
    mine = save_plan(delegation=plan.first, changes=[Change(code, "4", "3", ["5"])], by=plan.liaison)
    assert mine.fields == {code: "3"}


def test_fields_of_another_delegation_are_not_reached_through_ones_own(plan: PlanStage) -> None:
    other = plan.visit("enterprise", plan.at(plan.tree.outsider))
    saved = type_in(plan, f"visit:{other.pk}:money", "40000", "1")
    assert list(saved.refused) == [f"visit:{other.pk}:money"]
    other.refresh_from_db()
    assert other.money == 4_000_000


@pytest.mark.parametrize("name", ["state", "delegation_id", "paid_money", "standing", "pk", "__class__", ""])
def test_only_the_fields_of_a_plan_can_be_typed_into_a_plan(plan: PlanStage, name: str) -> None:
    visit = plan.visit("enterprise")
    assert type_in(plan, f"visit:{visit.pk}:{name}", "", "1").refused


@pytest.mark.parametrize("who", ["reader", "leader", "other_liaison", "host", "outsider"])
def test_others_do_not_type_into_a_plan(plan: PlanStage, who: str) -> None:
    with pytest.raises(PermissionDenied):
        save_plan(delegation=plan.first, changes=[], by=getattr(plan, who))


def test_a_locked_plan_is_closed_to_the_office_as_well(plan: PlanStage) -> None:
    plan.lock()
    for who in (plan.liaison, plan.office):
        with pytest.raises(WrongState, match="计划已锁定"):
            save_plan(delegation=plan.first, changes=[], by=who)
    planning.unlock_plan(delegation=plan.first, reason="大庆油田调整日期", by=plan.office)
    assert type_in(plan, f"destination:{plan.harbin.pk}:travellers", "4", "3").fields


# -- each rule broken once ---------------------------------------------------------------------------------


def only(plan: PlanStage, level: str) -> Problem:
    found = [p for p in problems(plan) if p.level == level]
    assert len(found) == 1, found
    return found[0]


def test_dates_outside_the_window(plan: PlanStage) -> None:
    type_in(plan, f"destination:{plan.harbin.pk}:first_day", "2021-01-05", "2020-12-24")
    problem = only(plan, ERROR)
    assert "2020年12月25日 至 2021年2月11日" in problem.sentence
    with pytest.raises(Refused, match="还不能锁定"):
        lock(plan)


def test_the_first_and_last_day_of_the_window_are_inside(plan: PlanStage) -> None:
    type_in(plan, f"destination:{plan.harbin.pk}:first_day", "2021-01-05", "2020-12-25")
    far = plan.at(plan.tree.daqing_oilfield)
    type_in(plan, f"destination:{far.pk}:last_day", "2021-01-08", "2021-02-11")
    assert problems(plan) == []


def test_overlapping_dates_of_one_delegation(plan: PlanStage) -> None:
    far = plan.at(plan.tree.daqing_oilfield)
    type_in(plan, f"destination:{far.pk}:first_day", "2021-01-07", "2021-01-06")
    assert "1月6日 与哈尔滨的日期重叠" in only(plan, ERROR).sentence


def test_two_delegations_may_travel_on_the_same_day(plan: PlanStage) -> None:
    assert plan.at(plan.tree.outsider).first_day == plan.harbin.first_day
    assert problems(plan) == []


def test_an_end_before_its_beginning(plan: PlanStage) -> None:
    type_in(plan, f"destination:{plan.harbin.pk}:last_day", "2021-01-06", "2021-01-04")
    assert "结束日期 1月4日 早于开始日期 1月5日" in only(plan, ERROR).sentence


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        ("enterprise", "29999.99", "低于标准 0.01 元"),
        ("enterprise", "5.1万", "超过标准 1,000 元"),
        ("grassroots", "19999", "低于标准 1 元"),
        ("on_site", "3000", "超过标准 1,000 元"),
        ("household", "1000", "低于标准 1,000 元"),
    ],
)
def test_an_amount_outside_its_norm_needs_a_reason(
    plan: PlanStage, kind: str, value: str, sentence: str
) -> None:
    visit = plan.visit(kind)
    shown = {"enterprise": "40000", "grassroots": "20000"}.get(kind, "2000")
    type_in(plan, f"visit:{visit.pk}:money", shown, value)
    assert sentence in only(plan, QUERY).sentence
    with pytest.raises(Refused):
        lock(plan)
    type_in(plan, f"visit:{visit.pk}:amount_reason", "", "该企业职工特别多")
    problem = only(plan, QUERY)  # it stays on the department's list
    assert problem.is_explained
    lock(plan)


@pytest.mark.parametrize("value", ["30000", "50000", "3万", "５万元"])
def test_the_bounds_of_a_norm_are_inside_it(plan: PlanStage, value: str) -> None:
    type_in(plan, f"visit:{plan.visit('enterprise').pk}:money", "40000", value)
    assert problems(plan) == []


def test_an_especially_hard_hit_enterprise_gets_a_hundred_thousand(plan: PlanStage) -> None:
    visit = plan.visit("enterprise")
    type_in(plan, f"visit:{visit.pk}:is_hard_hit", "", "1")
    assert "特别困难企业每家标准 100,000 元" in only(plan, QUERY).sentence
    type_in(plan, f"visit:{visit.pk}:money", "40000", "10万")
    assert problems(plan) == []


def test_somebody_on_duty_gets_a_thousand_or_goods_of_that_value(plan: PlanStage) -> None:
    visit = plan.visit("on_site")
    type_in(plan, f"visit:{visit.pk}:category", "national", "front_line")
    assert "节日坚守岗位的一线职工每人标准 1,000 元" in only(plan, QUERY).sentence
    type_in(plan, f"visit:{visit.pk}:money", "2000", "")
    type_in(plan, f"visit:{visit.pk}:goods", "", "1000")
    type_in(plan, f"visit:{visit.pk}:goods_text", "", "米面油")
    assert problems(plan) == []


def test_the_norm_of_the_day_of_the_visit_counts(plan: PlanStage) -> None:
    standards.add_norm(
        campaign=plan.campaign,
        subject="grassroots",
        valid_from=datetime.date(2021, 1, 6),
        least=3_000_000,
        most=3_000_000,
        basis="试",
        by=plan.office,
    )
    assert (
        problems(plan)[0].where == "第1慰问组 大庆油田"
    )  # on 7 January; Harbin's 5 January keeps the old one
    assert len(problems(plan)) == 1


def test_a_missing_visit_is_told_and_a_surplus_one_needs_a_reason(plan: PlanStage) -> None:
    planning.remove_visit(visit=plan.visit("household"), by=plan.liaison)
    assert any("入户慰问应有 2 户，现有 1 户，缺 1 户" in p.sentence for p in problems(plan))
    lock(plan)  # a gap that may stay
    planning.unlock_plan(delegation=plan.first, reason="再补一户困难职工", by=plan.office)
    assert planning.complete_visits(destination=plan.harbin, by=plan.liaison) == 1
    planning.add_visit(destination=plan.harbin, kind="grassroots", by=plan.liaison)
    surplus = next(p for p in problems(plan) if p.level == QUERY)
    assert "基层单位应有 1 个，现有 2 个，多 1 个" in surplus.sentence
    type_in(plan, f"destination:{plan.harbin.pk}:surplus_reason", "", "两处环卫站同在一街")
    assert next(p for p in problems(plan) if p.level == QUERY).is_explained


def test_more_travellers_than_few_are_asked_about(plan: PlanStage) -> None:
    type_in(plan, f"destination:{plan.harbin.pk}:travellers", "4", "9")
    assert "随行 9 人，超过 6 人" in only(plan, QUERY).sentence


def test_money_over_a_ceiling_stops_every_lock(plan: PlanStage) -> None:
    source = plan.sources()[0]
    standards.set_source(
        campaign=plan.campaign, source=source, name=source.name, ceiling=19_799_999, by=plan.office
    )
    with pytest.raises(Refused) as refused:
        lock(plan)
    assert "计划 198,000 元，超过上限 197,999.99 元，多 0.01 元" in refused.value.sentences[1]
    standards.set_source(
        campaign=plan.campaign, source=source, name=source.name, ceiling=19_800_000, by=plan.office
    )
    lock(plan)


def test_a_plan_that_has_changed_since_it_was_looked_at_is_not_locked(plan: PlanStage) -> None:
    seen = plan.first.revision
    type_in(plan, f"destination:{plan.harbin.pk}:travellers", "4", "3")
    with pytest.raises(Refused, match="又有变化"):
        planning.lock_plan(delegation=plan.first, revision=seen, by=plan.office)


# -- destinations ------------------------------------------------------------------------------------------


def test_a_union_is_visited_by_one_delegation_only(plan: PlanStage) -> None:
    with pytest.raises(Refused, match="哈尔滨已由第1慰问组走访，一个单位只由一个慰问组走访"):
        planning.add_destination(delegation=plan.second, union=plan.tree.harbin, by=plan.office)


def test_only_the_provinces_direct_unions_are_visited(plan: PlanStage) -> None:
    for union in (plan.tree.nangang, plan.tree.province):
        with pytest.raises(Refused, match="不能作为走访单位"):
            planning.add_destination(delegation=plan.second, union=union, by=plan.office)


def test_the_order_of_the_way(plan: PlanStage) -> None:
    pks = [d.pk for d in plan.first.destinations.all()]
    planning.order_destinations(delegation=plan.first, pks=pks[::-1], by=plan.office)
    assert [d.pk for d in plan.first.destinations.all()] == pks[::-1]
    with pytest.raises(Refused, match="增减"):
        planning.order_destinations(delegation=plan.first, pks=pks[:1], by=plan.office)


def test_a_liaison_does_not_arrange_delegations(plan: PlanStage) -> None:
    with pytest.raises(PermissionDenied):
        planning.remove_destination(destination=plan.harbin, by=plan.liaison)
    with pytest.raises(PermissionDenied):
        planning.create_delegation(campaign=plan.campaign, by=plan.liaison)


def test_removing_a_destination_says_what_went_with_it(plan: PlanStage) -> None:
    planning.remove_destination(destination=plan.harbin, by=plan.office)
    event = PlanEvent.objects.filter(delegation=plan.first)[0]
    assert event.what == "移除走访单位：哈尔滨（走访对象 5 个，计划 66,000 元）"
    assert not Visit.objects.filter(destination__union=plan.tree.harbin).exists()


# -- another year ------------------------------------------------------------------------------------------


def test_a_cloned_campaign_has_the_same_delegations_without_dates_and_money(plan: PlanStage) -> None:
    made = clone_campaign(campaign=plan.campaign, year=2022, by=plan.office)
    first, second = Delegation.objects.filter(campaign=made)
    assert [d.union for d in first.destinations.all()] == [plan.tree.harbin, plan.tree.daqing_oilfield]
    assert (first.liaison, first.leader_name, first.state) == (plan.liaison.person, "带队领导甲", "planning")
    assert all(d.first_day is None for d in first.destinations.all())
    assert not Visit.objects.filter(destination__campaign=made).exists()
    names = [source.name for source in FundSource.objects.filter(campaign=made)]
    assert names == ["2021年助困送温暖资金", "两节送温暖资金"]
    assert second.member_units == ["组织部"]


# -- what was recorded stays -------------------------------------------------------------------------------


def record(plan: PlanStage, visit: Visit, **values: str) -> None:
    plan.lock()
    for name, value in values.items():
        saved = save_record(
            delegation=plan.first, changes=[Change(f"visit:{visit.pk}:{name}", "", value)], by=plan.liaison
        )
        assert saved.fields, saved
    planning.unlock_plan(delegation=plan.first, reason="计划另有调整", by=plan.office)


def test_a_visit_with_a_record_is_not_removed_after_an_unlock(plan: PlanStage) -> None:
    visit = plan.visit("enterprise")
    record(plan, visit, outcome="done", paid_money="60000")
    with pytest.raises(Refused, match="已有走访记录，须留存备查"):
        planning.remove_visit(visit=visit, by=plan.liaison)
    with pytest.raises(Refused, match="哈尔滨已有走访记录"):
        planning.remove_destination(destination=plan.harbin, by=plan.office)
    assert Visit.objects.get(pk=visit.pk).paid == 6_000_000


def test_a_plan_is_not_bent_to_what_was_paid(plan: PlanStage) -> None:
    visit = plan.visit("enterprise")
    record(plan, visit, outcome="done", paid_money="50000")
    saved = type_in(plan, f"visit:{visit.pk}:money", "40000", "50000")
    assert "已有走访记录，计划金额和资金来源不能再改" in saved.refused[f"visit:{visit.pk}:money"]
    other = plan.visit("grassroots")
    assert type_in(plan, f"visit:{other.pk}:money", "20000", "20000.5").fields


def test_a_delegation_whose_households_were_looked_at_is_not_deleted(plan: PlanStage) -> None:
    disclosure.reveal(visit=plan.visit("household"), reason="核对慰问名册", by=plan.office)
    for destination in plan.first.destinations.all():
        planning.remove_destination(destination=destination, by=plan.office)
    with pytest.raises(Refused, match="有查看家庭信息的记录"):
        planning.remove_delegation(delegation=plan.first, by=plan.office)
    assert plan.first.unmaskings.count() == 1


def test_what_was_done_to_a_deleted_delegation_is_still_told(plan: PlanStage) -> None:
    made = planning.create_delegation(campaign=plan.campaign, by=plan.office)
    planning.remove_delegation(delegation=made, by=plan.office)
    told = PlanEvent.objects.filter(campaign=plan.campaign, delegation=None).values_list("what", flat=True)
    assert set(told) >= {"新建第3慰问组", "删除第3慰问组"}


def test_what_a_colleague_has_deleted_is_said_and_no_error(plan: PlanStage) -> None:
    visit, harbin = plan.visit("grassroots"), plan.harbin
    planning.remove_visit(visit=visit, by=plan.office)
    with pytest.raises(WrongState, match="已被同事删除"):
        planning.remove_visit(visit=visit, by=plan.liaison)
    planning.remove_destination(destination=harbin, by=plan.office)
    for act in (
        lambda: planning.remove_destination(destination=harbin, by=plan.office),
        lambda: planning.add_visit(destination=harbin, kind="enterprise", by=plan.liaison),
        lambda: planning.complete_visits(destination=harbin, by=plan.liaison),
    ):
        with pytest.raises(WrongState, match="已被同事删除"):
            act()
    made = planning.create_delegation(campaign=plan.campaign, by=plan.office)
    planning.remove_delegation(delegation=made, by=plan.office)
    with pytest.raises(WrongState, match="已被同事删除"):
        planning.remove_delegation(delegation=made, by=plan.office)


def test_a_source_of_another_campaign_is_none_of_this_ones(plan: PlanStage) -> None:
    visit = plan.visit("enterprise")
    made = clone_campaign(campaign=plan.campaign, year=2022, by=plan.office)
    foreign = FundSource.objects.filter(campaign=made)[0]
    code = f"visit:{visit.pk}:source_id"
    saved = type_in(plan, code, str(visit.source_id), str(foreign.pk))
    assert "没有这项资金来源" in saved.refused[code]


def test_a_closed_campaign_does_not_close_the_delegations(plan: PlanStage) -> None:
    """Reporting ends on 27 January, the visits on 11 February."""
    set_closed(campaign=plan.campaign, closed=True, by=plan.office)
    assert type_in(plan, f"destination:{plan.harbin.pk}:travellers", "4", "3").fields


def test_a_member_unit_is_not_cut_in_silence(plan: PlanStage) -> None:
    with pytest.raises(Refused, match="有 61 个字，最多 60 个"):
        planning.set_head(
            delegation=plan.first,
            by=plan.office,
            leader_name="甲",
            member_units=["部" * 61],
            liaison_name="乙",
            liaison_phone="",
            leader=None,
            liaison=None,
        )


# -- norms -------------------------------------------------------------------------------------------------


def norm(plan: PlanStage, subject: str, day: datetime.date, yuan: int) -> Norm:
    return standards.add_norm(
        campaign=plan.campaign,
        subject=subject,
        valid_from=day,
        least=yuan * 100,
        most=yuan * 100,
        basis="试",
        by=plan.office,
    )


def test_a_norm_typed_wrongly_is_removed_and_typed_again(plan: PlanStage) -> None:
    day = datetime.date(2021, 1, 1)
    wrong = norm(plan, "grassroots", day, 300)
    standards.remove_norm(campaign=plan.campaign, norm=wrong, by=plan.office)
    norm(plan, "grassroots", day, 20_000)
    assert problems(plan) == []
    with pytest.raises(WrongState, match="已被同事删除"):
        standards.remove_norm(campaign=plan.campaign, norm=wrong, by=plan.office)


def test_no_norm_changes_under_a_locked_plan_of_whatever_year(plan: PlanStage) -> None:
    later = clone_campaign(campaign=plan.campaign, year=2022, by=plan.office)
    plan.lock()
    with pytest.raises(Refused, match="2021年第1慰问组已锁定"):
        norm(plan, "grassroots", datetime.date(2021, 1, 6), 30_000)
    standing = Norm.objects.filter(subject="grassroots").get()
    with pytest.raises(Refused, match="已锁定"):
        standards.remove_norm(campaign=later, norm=standing, by=plan.office)
    assert norm(plan, "grassroots", datetime.date(2021, 12, 1), 30_000)


def test_without_any_norm_an_amount_needs_a_reason(plan: PlanStage) -> None:
    Norm.objects.filter(subject="grassroots").delete()
    assert {p.sentence for p in problems(plan)} == {
        "20,000 元，基层单位在走访当日没有适用的慰问金标准。请调整金额或说明原因。"
    }


def test_the_day_of_a_norm_is_heilongjiangs(plan: PlanStage) -> None:
    Campaign.objects.filter(pk=plan.campaign.pk).update(visits_from=None)
    plan.campaign.refresh_from_db()
    harbin = plan.harbin
    harbin.first_day = None
    one_in_the_morning = datetime.datetime(
        2021, 1, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=8))
    )
    with pinned(one_in_the_morning):
        assert Rulebook.of(plan.campaign).norm_day(harbin) == datetime.date(2021, 1, 1)


def test_a_window_open_at_one_end_is_told_in_words(plan: PlanStage) -> None:
    Campaign.objects.filter(pk=plan.campaign.pk).update(visits_from=None)
    type_in(plan, f"destination:{plan.harbin.pk}:last_day", "2021-01-06", "2021-02-12")
    plan.campaign.refresh_from_db()
    sentences = [p.sentence for p in problems(plan) if "通知规定" in p.sentence]
    assert sentences and "开始时间 至 2021年2月11日" in sentences[0] and "None" not in sentences[0]


def test_a_union_that_was_switched_off_is_no_destination(plan: PlanStage) -> None:
    Union.objects.filter(pk=plan.tree.harbin.pk).update(is_active=False)
    assert "哈尔滨市总工会已停用" in only(plan, ERROR).sentence
    made = clone_campaign(campaign=plan.campaign, year=2022, by=plan.office)
    first = Delegation.objects.get(campaign=made, number=1)
    assert [d.union for d in first.destinations.all()] == [plan.tree.daqing_oilfield]


def test_a_clone_moves_every_year_in_a_source_and_leaves_people_without_the_post(plan: PlanStage) -> None:
    standards.set_source(
        campaign=plan.campaign, source=None, name="2021年助困送温暖资金", ceiling=None, by=plan.office
    )
    Post.objects.filter(person=plan.liaison.person).delete()
    made = clone_campaign(campaign=plan.campaign, year=2022, by=plan.office)
    names = {source.name for source in FundSource.objects.filter(campaign=made)}
    assert names == {"2021年助困送温暖资金", "两节送温暖资金", "2022年助困送温暖资金"}
    first = Delegation.objects.get(campaign=made, number=1)
    assert (first.liaison, first.liaison_name) == (None, "联络员甲")


def test_proposals_do_not_take_the_delegations_room(plan: PlanStage) -> None:
    Visit.objects.bulk_create(
        Visit(destination=plan.harbin, kind="grassroots", standing=Visit.Standing.DECLINED) for _ in range(40)
    )
    assert planning.add_visit(destination=plan.harbin, kind="grassroots", by=plan.liaison)
