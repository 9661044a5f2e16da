"""After the visit: what can be recorded when and by whom, what is asked, and closing the account."""

from __future__ import annotations

import datetime
import threading
import time
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction

from delegations import planning, recording
from delegations.models import Delegation, FundSource, Material, Norm, PlanEvent, Visit
from delegations.plans import ERROR, GAP, QUERY, Rulebook
from delegations.saving import save_record
from reporting.errors import Refused, WrongState
from reporting.filling import Change
from reporting.models import Message
from tests.delegations.records import change, locked_and_recorded, problems, record
from tests.delegations.stage import IDENTITY_NUMBER, NAME, PlanStage, make_plan_stage


def type_in(plan: PlanStage, code: str, value: str, base: str = ""):
    return save_record(delegation=plan.first, changes=[Change(code, base, value)], by=plan.liaison)


def archive(plan: PlanStage, reason: str = "", by: Any = None) -> None:
    plan.first.refresh_from_db()
    recording.archive(
        delegation=plan.first, reason=reason, revision=plan.first.revision, by=by or plan.office
    )


# -- when and by whom --------------------------------------------------------------------------------------


def test_a_record_is_written_once_the_plan_is_locked_and_until_it_is_archived(plan: PlanStage) -> None:
    code = f"visit:{plan.visit('enterprise').pk}:outcome"
    with pytest.raises(WrongState, match="锁定后才能填写走访记录"):
        type_in(plan, code, "done")
    plan.lock()
    assert type_in(plan, code, "done").fields == {code: "done"}
    change(plan.first, state=Delegation.State.ARCHIVED)
    for who in (plan.liaison, plan.office):
        with pytest.raises(WrongState, match="已归档，不能再改"):
            save_record(delegation=plan.first, changes=[], by=who)


@pytest.mark.parametrize("who", ["reader", "leader", "other_liaison", "host", "outsider"])
def test_others_do_not_type_into_a_record(plan: PlanStage, who: str) -> None:
    plan.lock()
    with pytest.raises(PermissionDenied):
        save_record(delegation=plan.first, changes=[], by=getattr(plan, who))


@pytest.mark.parametrize("name", ["money", "goods", "source_id", "standing", "name", "category", "pk", ""])
def test_the_plan_of_a_planned_visit_stands_while_it_is_recorded(plan: PlanStage, name: str) -> None:
    plan.lock()
    visit = plan.visit("enterprise")
    assert type_in(plan, f"visit:{visit.pk}:{name}", "1").refused
    visit.refresh_from_db()
    assert (visit.money, visit.name) == (4_000_000, "演示机械厂")


def test_what_is_recorded_is_noted_and_a_colleagues_words_are_not_lost(plan: PlanStage) -> None:
    plan.lock()
    visit = plan.visit("enterprise")
    code = f"visit:{visit.pk}:paid_money"
    assert type_in(plan, code, "4.5万").fields == {code: "45000"}
    other = save_record(delegation=plan.first, changes=[Change(code, "", "40000")], by=plan.office)
    assert [c["theirs"] for c in other.conflicts] == ["45000"]
    visit.refresh_from_db()
    assert visit.paid_money == 4_500_000
    whats = list(PlanEvent.objects.filter(delegation=plan.first).values_list("what", "by"))
    assert whats == [("哈尔滨 困难企业（演示机械厂） 实付慰问金：空 → 45000", plan.liaison.person.pk)]


def test_a_source_of_another_campaign_pays_nothing(plan: PlanStage) -> None:
    plan.lock()
    code = f"visit:{plan.visit('enterprise').pk}:paid_source_id"
    assert "没有这项资金来源" in type_in(plan, code, "987654").refused[code]


@pytest.mark.parametrize(
    "text",
    [
        f"{NAME}患病多年",
        f"身份证号{IDENTITY_NUMBER}",
        f"身份证号 {IDENTITY_NUMBER[:6]} {IDENTITY_NUMBER[6:14]} {IDENTITY_NUMBER[14:]}".lower(),
        "电话138-0000-0000",
        "可拨打１３９１２３４５６７８",
        "证件 220101198001011234",
    ],
)
@pytest.mark.parametrize("name", ["difficulties", "wishes", "good_practice", "difference_reason"])
def test_who_a_household_is_is_never_written_into_its_record(plan: PlanStage, name: str, text: str) -> None:
    plan.lock()
    visit = plan.visit("household")
    code = f"visit:{visit.pk}:{name}"
    refused = type_in(plan, code, text).refused[code]
    assert "没有保存" in refused and NAME not in refused
    visit.refresh_from_db()
    assert getattr(visit, name) == ""
    assert not PlanEvent.objects.filter(delegation=plan.first).exists()


def test_what_a_family_suffers_may_be_said(plan: PlanStage) -> None:
    plan.lock()
    code = f"visit:{plan.visit('household').pk}:difficulties"
    text = "该职工 2018 年患病，2020-03-01 起停薪，年医疗支出 12,345.67 元，欠款 130000 元。"
    assert type_in(plan, code, text).fields == {code: text}


# -- what is asked -----------------------------------------------------------------------------------------


def test_a_record_just_as_planned_leaves_nothing_to_ask(plan: PlanStage) -> None:
    locked_and_recorded(plan)
    assert problems(plan) == []


DAY = datetime.date
ROUND = {"difference_reason": "经带队领导同意"}


@pytest.mark.parametrize(
    ("values", "level", "field", "sentence"),
    [
        ({"went_from": None}, GAP, "went_from", "实际走访日期没有填。"),
        ({"went_until": None}, GAP, "went_until", "实际走访日期没有填。"),
        (
            {"went_until": DAY(2021, 1, 4)},
            ERROR,
            "went_until",
            "实际结束日期 1月4日 早于开始日期 1月5日，请改正其中一个。",
        ),
        (
            {"went_until": DAY(2021, 2, 12)},
            ERROR,
            "went_until",
            "实际走访日期 2021-01-05 至 2021-02-12 不在通知规定的 2020-12-25 至 2021-02-11 之内，请核对。",
        ),
        ({"participants": ""}, GAP, "participants", "参加人员没有填。"),
        ({"centres": ""}, GAP, "centres", "“帮扶中心和服务体系建设情况”没有填。"),
    ],
)
def test_each_problem_of_a_destination_once(
    plan: PlanStage, values: dict[str, Any], level: str, field: str, sentence: str
) -> None:
    locked_and_recorded(plan)
    change(plan.harbin, **values)
    # A stay that is too long reaches into the next one's days, which is said there.
    (problem,) = [p for p in problems(plan) if p.target == f"destination:{plan.harbin.pk}"]
    assert (problem.level, problem.field, problem.sentence) == (level, field, sentence)
    assert problem.stops is (field != "centres")


@pytest.mark.parametrize(
    ("values", "level", "field", "sentence"),
    [
        ({"outcome": ""}, GAP, "outcome", "困难企业（演示机械厂）还没有填完成情况。"),
        ({"happened_on": None}, GAP, "happened_on", "困难企业（演示机械厂）的走访日期没有填。"),
        (
            {"happened_on": DAY(2020, 12, 24)},
            ERROR,
            "happened_on",
            "困难企业（演示机械厂）的走访日期 2020-12-24 不在通知规定的 2020-12-25 至 2021-02-11 之内，请核对。",
        ),
        (
            {"happened_on": DAY(2021, 1, 7)},
            ERROR,
            "happened_on",
            "困难企业（演示机械厂）的走访日期 1月7日 不在实际走访日期 1月5日 至 1月6日 之内，请改正其中一个。",
        ),
        ({"paid_money": None}, GAP, "paid_money", "困难企业（演示机械厂）的实付金额没有填。"),
        (
            {"paid_money": 4_500_000},
            QUERY,
            "difference_reason",
            "困难企业（演示机械厂）计划 40,000 元，实付 45,000 元，多 5,000 元，请说明原因。",
        ),
        (
            {"paid_money": 3_999_999},
            QUERY,
            "difference_reason",
            "困难企业（演示机械厂）计划 40,000 元，实付 39,999.99 元，少 0.01 元，请说明原因。",
        ),
        (
            {"paid_money": 3_900_000, "paid_goods": 100_000, "paid_goods_text": "米面油"},
            QUERY,
            "difference_reason",
            "困难企业（演示机械厂）计划慰问金 40,000 元、慰问品 0 元，"
            "实付慰问金 39,000 元、慰问品 1,000 元，请说明原因。",
        ),
        (
            {"paid_money": 3_900_000, "paid_goods": 100_000, **ROUND},
            GAP,
            "paid_goods_text",
            "困难企业（演示机械厂）有 1,000 元慰问品，请写明是什么。",
        ),
        (
            {"outcome": "not_done", "paid_money": None},
            QUERY,
            "difference_reason",
            "困难企业（演示机械厂）在计划内而未走访，请说明原因。",
        ),
        (
            {"outcome": "not_done", **ROUND},
            ERROR,
            "paid_money",
            "困难企业（演示机械厂）填的是未走访，却有实付 40,000 元，请改正其中一项。",
        ),
        ({"source": None}, GAP, "paid_source_id", "困难企业（演示机械厂）的资金来源没有选。"),
    ],
)
def test_each_problem_of_a_visit_once(
    plan: PlanStage, values: dict[str, Any], level: str, field: str, sentence: str
) -> None:
    locked_and_recorded(plan)
    visit = plan.visit("enterprise")
    change(visit, **values)
    open_ones = [problem for problem in problems(plan) if problem.stops]
    assert [(p.level, p.field, p.sentence) for p in open_ones] == [(level, field, sentence)]
    assert open_ones[0].target == f"visit:{visit.pk}"
    with pytest.raises(Refused, match="有 1 处须先处理"):
        archive(plan)


def test_money_from_another_source_needs_a_reason_and_one_reason_answers_for_all(plan: PlanStage) -> None:
    locked_and_recorded(plan)
    visit, other = plan.visit("enterprise"), FundSource.objects.get(name="两节送温暖资金")
    change(visit, paid_source=other, paid_money=5_000_000)
    (problem,) = problems(plan)
    assert problem.sentence == (
        "困难企业（演示机械厂）计划 40,000 元，实付 50,000 元，多 10,000 元；"
        "计划由2020年助困送温暖资金列支，实际由两节送温暖资金列支，请说明原因。"
    )
    change(visit, difference_reason="无因")
    assert problems(plan)[0].stops, "two characters are no reason"
    change(visit, difference_reason="省财政资金先到")
    assert problems(plan)[0].is_explained
    archive(plan)


def test_what_is_missing_of_the_four_kinds_of_material_may_stay_missing_with_a_reason(
    plan: PlanStage,
) -> None:
    locked_and_recorded(plan)
    Material.objects.filter(destination=plan.harbin, kind="coverage").delete()
    (problem,) = problems(plan)
    assert (problem.sentence, problem.may_stay, problem.stops) == ("还没有上传媒体报道。", True, False)


def test_two_places_on_the_same_day_are_an_error(plan: PlanStage) -> None:
    locked_and_recorded(plan)
    far, days = plan.at(plan.tree.daqing_oilfield), [DAY(2021, 1, 6), DAY(2021, 1, 8)]
    change(far, went_from=days[0], went_until=days[1])
    (problem,) = problems(plan)
    assert (problem.level, problem.field, problem.target) == (ERROR, "went_from", f"destination:{far.pk}")
    assert problem.sentence == "1月6日 与哈尔滨的日期重叠，一个组同一天只能在一处，请错开。"
    change(far, went_from=DAY(2021, 1, 7))
    assert problems(plan) == []


def test_more_paid_than_a_source_allows_needs_a_reason_to_close_the_account(plan: PlanStage) -> None:
    locked_and_recorded(plan)
    source, other = FundSource.objects.all()
    change(source, ceiling=13_200_000)
    change(other, ceiling=0)
    assert recording.paid_over_ceiling(plan.first, Rulebook.of(plan.campaign)) == []
    change(source, ceiling=13_000_000)
    (problem,) = recording.paid_over_ceiling(plan.first, Rulebook.of(plan.campaign))
    assert problem.sentence == (
        "2020年助困送温暖资金全部慰问组实付 132,000 元，超过上限 130,000 元，多 2,000 元，"
        "请核对实付金额和来源，或说明原因。"
    )
    assert (problem.level, problem.may_stay) == (QUERY, True)
    assert recording.paid_over_ceiling(plan.second, Rulebook.of(plan.campaign)) == [], "it paid nothing"
    with pytest.raises(Refused, match="还有 1 处没有补齐或须说明，归档须写明原因"):
        archive(plan)
    archive(plan, "上级追加资金，文件另附")
    assert PlanEvent.objects.filter(what="归档", reason="上级追加资金，文件另附").exists()


def test_a_reason_to_close_names_no_family(plan: PlanStage) -> None:
    locked_and_recorded(plan)
    Material.objects.filter(kind="coverage").delete()
    with pytest.raises(Refused, match="姓名"):
        archive(plan, f"{NAME}一家不愿见报")


@pytest.mark.parametrize("standing", ["planned", "unplanned"])
def test_what_was_paid_goes_by_the_norm_of_the_day_it_was_paid(plan: PlanStage, standing: str) -> None:
    locked_and_recorded(plan)
    Norm.objects.create(
        subject="grassroots", valid_from=DAY(2021, 1, 6), least=3_000_000, most=3_000_000, unit="个"
    )
    visit = plan.visit("grassroots")
    change(visit, standing=standing, **({"money": None} if standing == "unplanned" else {}))
    rulebook = Rulebook.of(plan.campaign)

    def off(day: datetime.date) -> str:
        change(visit, happened_on=day)
        return recording.paid_departure(plan.visit("grassroots"), plan.harbin, rulebook)

    assert off(DAY(2021, 1, 5)) == ""
    assert off(DAY(2021, 1, 6)).endswith("标准 30,000 元，低于标准 10,000 元")


# -- 临时增加 ----------------------------------------------------------------------------------------------


def test_a_visit_added_on_the_way_says_what_it_is_and_why(plan: PlanStage) -> None:
    locked_and_recorded(plan)
    added = planning.add_visit(destination=plan.harbin, kind="grassroots", by=plan.liaison)
    fields = {p.field for p in problems(plan) if p.target == f"visit:{added.pk}"}
    assert fields == {"name", "category", "outcome"}
    for name, text in {
        "name": "演示环卫站",
        "category": "sanitation",
        "outcome": "done",
        "happened_on": "2021-01-06",
        "paid_money": "3万",
        "paid_source_id": str(FundSource.objects.all()[0].pk),
    }.items():
        assert type_in(plan, f"visit:{added.pk}:{name}", text).fields
    (problem,) = problems(plan)
    assert problem.sentence == (
        "基层单位（演示环卫站）不在计划内；30,000 元，基层单位每个标准 20,000 元，超过标准 10,000 元，请说明原因。"
    )
    type_in(plan, f"visit:{added.pk}:difference_reason", "途经该站，环卫工人节日坚守岗位")
    archive(plan)


def test_a_visit_added_and_not_done_is_a_contradiction(plan: PlanStage) -> None:
    locked_and_recorded(plan)
    added = planning.add_visit(destination=plan.harbin, kind="grassroots", by=plan.liaison)
    change(added, name="演示站", category="sanitation", outcome="not_done")
    (problem,) = problems(plan)
    assert (problem.level, problem.field) == (ERROR, "outcome")
    planning.remove_visit(visit=added, by=plan.liaison)
    assert problems(plan) == []


def test_a_household_added_on_the_way_has_its_name_sealed(plan: PlanStage) -> None:
    plan.lock()
    added = planning.add_visit(destination=plan.harbin, kind="household", by=plan.liaison)
    code = f"visit:{added.pk}:name"
    assert code in type_in(plan, code, NAME).refused
    assert not Visit.objects.filter(name=NAME).exists()


def test_planned_visits_are_not_removed_from_a_locked_plan(plan: PlanStage) -> None:
    plan.lock()
    with pytest.raises(WrongState):
        planning.remove_visit(visit=plan.visit("enterprise"), by=plan.office)


def test_a_plan_with_visits_added_on_the_way_is_not_unlocked(plan: PlanStage) -> None:
    plan.lock()
    added = planning.add_visit(destination=plan.harbin, kind="grassroots", by=plan.liaison)
    with pytest.raises(Refused, match="已有临时增加的走访记录"):
        planning.unlock_plan(delegation=plan.first, reason="要改日期", by=plan.office)
    planning.remove_visit(visit=added, by=plan.liaison)
    planning.unlock_plan(delegation=plan.first, reason="要改日期", by=plan.office)


# -- closing and opening again -----------------------------------------------------------------------------


def test_archiving_an_unfinished_record_names_everything_that_is_missing(plan: PlanStage) -> None:
    plan.lock()
    record(plan.harbin)
    with pytest.raises(Refused) as refused:
        archive(plan, reason="没有")
    sentences = refused.value.sentences
    assert sentences[0] == "第1慰问组还不能归档，有 7 处须先处理。"
    assert len(sentences) == 8
    assert "第1慰问组 大庆油田：参加人员没有填。" in sentences
    plan.first.refresh_from_db()
    assert plan.first.state == Delegation.State.LOCKED


def test_archiving_without_some_material_needs_a_reason_which_stays_on_record(plan: PlanStage) -> None:
    locked_and_recorded(plan)
    Material.objects.filter(kind="coverage").delete()
    for reason in ("", "  无 "):
        with pytest.raises(Refused, match="还有 2 处没有补齐，归档须写明原因"):
            archive(plan, reason)
    archive(plan, "当地没有媒体报道")
    event = PlanEvent.objects.filter(delegation=plan.first)[0]
    assert (event.what, event.reason, event.by) == ("归档", "当地没有媒体报道", plan.office.person)
    assert Message.objects.filter(person=plan.liaison.person, text__contains="已归档").count() == 1
    with pytest.raises(WrongState, match="已归档"):
        archive(plan, "再归档一次")


def test_a_whole_record_is_archived_without_a_reason(plan: PlanStage) -> None:
    locked_and_recorded(plan)
    archive(plan)
    plan.first.refresh_from_db()
    assert plan.first.state == Delegation.State.ARCHIVED


def test_what_changed_since_the_page_was_opened_is_not_archived_unseen(plan: PlanStage) -> None:
    locked_and_recorded(plan)
    plan.first.refresh_from_db()
    seen = plan.first.revision
    type_in(plan, f"visit:{plan.visit('enterprise').pk}:wishes", "希望缓缴社保")
    with pytest.raises(Refused, match="在您打开页面后又有变化"):
        recording.archive(delegation=plan.first, reason="", revision=seen, by=plan.office)


@pytest.mark.parametrize("who", ["liaison", "reader", "leader", "other_liaison", "host", "outsider"])
def test_only_the_office_closes_and_opens_the_account(plan: PlanStage, who: str) -> None:
    locked_and_recorded(plan)
    with pytest.raises(PermissionDenied):
        archive(plan, by=getattr(plan, who))
    archive(plan)
    with pytest.raises(PermissionDenied):
        recording.reopen(delegation=plan.first, reason="金额有误", by=getattr(plan, who))


def test_opened_again_the_record_can_be_corrected_and_the_plan_stays_locked(plan: PlanStage) -> None:
    locked_and_recorded(plan)
    with pytest.raises(WrongState):
        recording.reopen(delegation=plan.first, reason="金额有误", by=plan.office)
    archive(plan)
    with pytest.raises(Refused, match="须写明原因"):
        recording.reopen(delegation=plan.first, reason="错", by=plan.office)
    recording.reopen(delegation=plan.first, reason="哈尔滨实付金额有误", by=plan.office)
    plan.first.refresh_from_db()
    assert plan.first.state == Delegation.State.LOCKED
    assert Message.objects.filter(text__contains="哈尔滨实付金额有误").count() == 2  # liaison and leader
    code = f"visit:{plan.visit('enterprise').pk}:paid_money"
    assert type_in(plan, code, "50000", base="40000").fields


@pytest.mark.django_db(transaction=True)
def test_who_archives_waits_for_who_is_still_typing() -> None:
    """Without the row's lock the account would be closed over figures that nobody has seen."""
    plan = make_plan_stage()
    locked_and_recorded(plan)
    plan.first.refresh_from_db()
    office, seen, out = plan.office, plan.first.revision, []
    started = threading.Event()

    def archiving() -> None:
        try:
            started.set()
            recording.archive(delegation=plan.first, reason="", revision=seen, by=office)
            out.append("archived")
        except Refused as error:
            out.append(error.sentences[0])
        finally:
            connection.close()

    thread = threading.Thread(target=archiving)
    with transaction.atomic():
        type_in(plan, f"visit:{plan.visit('enterprise').pk}:outcome", "", base="done")
        thread.start()
        started.wait()
        time.sleep(0.5)
    thread.join(10)
    assert len(out) == 1 and "在您打开页面后又有变化" in out[0]
    plan.first.refresh_from_db()
    assert plan.first.state == Delegation.State.LOCKED
