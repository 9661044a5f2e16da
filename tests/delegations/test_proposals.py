"""当地建议: what a visited union may propose, who answers, and that one answer is given."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from delegations import planning, proposals
from delegations.models import PersonalData, PlanEvent, Visit
from delegations.personal.households import masked_name, read
from reporting.errors import Refused, ReportingError, WrongState
from reporting.models import Message
from tests.delegations.records import change
from tests.delegations.stage import NAME, PlanStage, make_plan_stage
from unions.gate import Role

GOOD = {"kind": "enterprise", "category": "epidemic", "name": "演示客运公司", "why": "停运三个月，职工困难"}
AT_HOME = {"kind": "household", "category": "migrant", "name": "李大山", "why": "因工受伤，家中有病人"}


def propose(plan: PlanStage, by: Any = None, **other: str) -> Visit:
    return proposals.propose(destination=plan.harbin, by=by or plan.host, **{**GOOD, **other})


def test_a_proposal_is_no_visit_until_it_is_accepted(plan: PlanStage) -> None:
    made = propose(plan)
    assert (made.standing, made.proposed_by) == ("proposed", plan.host.person)
    assert Message.objects.filter(
        person=plan.liaison.person, text__contains="哈尔滨建议走访一个困难企业"
    ).exists()
    proposals.answer(visit=made, accept=True, text="", by=plan.liaison)
    made.refresh_from_db()
    assert (made.standing, made.answered_by) == ("planned", plan.liaison.person)
    assert Message.objects.filter(person=plan.host.person, text__contains="已采纳").exists()


def test_declining_needs_a_reason_which_the_place_reads(plan: PlanStage) -> None:
    made = propose(plan)
    for text in ("", " 不行 "):
        with pytest.raises(Refused, match="不采纳须写明原因"):
            proposals.answer(visit=made, accept=False, text=text, by=plan.liaison)
    proposals.answer(visit=made, accept=False, text="该市已安排一家企业", by=plan.liaison)
    made.refresh_from_db()
    assert (made.standing, made.answer) == ("declined", "该市已安排一家企业")
    message = Message.objects.get(person=plan.host.person)
    assert message.text == "您建议走访的困难企业未采纳：该市已安排一家企业"
    assert message.link == f"/destinations/{plan.harbin.pk}/"
    with pytest.raises(WrongState, match="已经答复过（未采纳）"):
        proposals.answer(visit=made, accept=True, text="", by=plan.office)


def test_a_long_answer_is_refused_and_not_cut(plan: PlanStage) -> None:
    made = propose(plan)
    with pytest.raises(Refused, match="最多 300 个字，现有 301 个"):
        proposals.answer(visit=made, accept=True, text="好" * 301, by=plan.liaison)


@pytest.mark.parametrize("who", ["office", "reader", "liaison", "leader", "outsider"])
def test_only_the_visited_union_proposes(plan: PlanStage, who: str) -> None:
    with pytest.raises(PermissionDenied):
        propose(plan, by=getattr(plan, who))


@pytest.mark.parametrize("who", ["reader", "leader", "other_liaison", "host", "outsider"])
def test_only_the_own_liaison_and_the_office_answer(plan: PlanStage, who: str) -> None:
    made = propose(plan)
    with pytest.raises(PermissionDenied):
        proposals.answer(visit=made, accept=True, text="", by=getattr(plan, who))
    made.refresh_from_db()
    assert made.standing == "proposed"


def test_nothing_is_proposed_to_a_locked_plan(plan: PlanStage) -> None:
    plan.lock()
    with pytest.raises(WrongState, match="计划已锁定"):
        propose(plan)


def test_a_plan_is_not_locked_over_an_unanswered_proposal(plan: PlanStage) -> None:
    propose(plan)
    plan.first.refresh_from_db()
    with pytest.raises(Refused, match="还有 1 条当地建议没有答复"):
        planning.lock_plan(delegation=plan.first, revision=plan.first.revision, by=plan.office)


def test_a_proposal_is_not_removed_but_answered(plan: PlanStage) -> None:
    with pytest.raises(Refused, match="当地的建议不能删除"):
        planning.remove_visit(visit=propose(plan), by=plan.liaison)


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"kind": ""}, "请选择走访对象的类别"),
        ({"kind": "school"}, "请选择走访对象的类别"),
        ({"category": ""}, "请选择走访对象的类型"),
        ({"category": "police"}, "请选择走访对象的类型"),
        ({"name": " 某 "}, "请填写名称"),
        ({"name": "厂" * 61}, "请填写名称"),
        ({"why": "困难"}, "请写明建议理由（4 至 300 个字），现有 2 个字"),
        ({"why": "难" * 301}, "现有 301 个字"),
        ({**AT_HOME, "why": "李大山家中困难"}, "“建议理由”里有姓名"),
        ({**AT_HOME, "why": "联系电话13912345678，家中困难"}, "这段文字里有电话或证件号码"),
    ],
)
def test_what_is_wrong_with_a_proposal_is_said_and_nothing_is_stored(
    plan: PlanStage, other: dict[str, str], sentence: str
) -> None:
    before = Visit.objects.count()
    with pytest.raises(Refused, match=sentence):
        propose(plan, **other)
    assert Visit.objects.count() == before
    assert not PlanEvent.objects.exists() and not Message.objects.exists()


def test_unanswered_proposals_have_an_end_and_declined_ones_take_no_place(plan: PlanStage) -> None:
    for _ in range(4):
        for _ in range(proposals.MOST_OPEN):
            propose(plan)
        with pytest.raises(Refused, match="已有 10 条建议等待答复"):
            propose(plan)
        for made in Visit.objects.filter(standing="proposed"):
            proposals.answer(visit=made, accept=False, text="今年名额已满", by=plan.liaison)
    assert propose(plan).standing == "proposed"
    planning.add_visit(destination=plan.harbin, kind="household", by=plan.liaison)


def test_there_is_an_end_to_a_destinations_visits(plan: PlanStage) -> None:
    Visit.objects.bulk_create(
        Visit(destination=plan.harbin, kind="household") for _ in range(planning.MOST_VISITS - 5)
    )
    with pytest.raises(Refused, match="已有 40 个"):
        propose(plan)


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.AUDITOR])
def test_who_only_reads_at_the_place_does_not_propose(plan: PlanStage, role: Role) -> None:
    with pytest.raises(PermissionDenied):
        propose(plan, by=plan.actor(plan.tree.harbin, role))


@pytest.mark.parametrize("role", [Role.FILLER, Role.SUBMITTER, Role.ADMINISTRATOR])
def test_who_writes_at_the_place_proposes(plan: PlanStage, role: Role) -> None:
    assert propose(plan, by=plan.actor(plan.tree.harbin, role)).pk


def test_of_a_declined_family_nothing_is_kept(plan: PlanStage) -> None:
    made, other = propose(plan, **AT_HOME), propose(plan, **{**AT_HOME, "name": "赵大海"})
    proposals.answer(visit=made, accept=False, text="今年名额已满", by=plan.liaison)
    proposals.answer(visit=other, accept=True, text="", by=plan.liaison)
    assert not PersonalData.objects.filter(visit=made).exists()
    assert read(PersonalData.objects.get(visit=other))["name"] == "赵大海"


def test_a_declining_that_fails_keeps_the_family(plan: PlanStage, monkeypatch: pytest.MonkeyPatch) -> None:
    made = propose(plan, **AT_HOME)

    def breaks(*args: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(proposals, "tell", breaks)
    with pytest.raises(RuntimeError):
        proposals.answer(visit=made, accept=False, text="今年名额已满", by=plan.liaison)
    assert PersonalData.objects.filter(visit=made).exists()


def test_a_family_that_the_plan_already_names_is_not_proposed(plan: PlanStage) -> None:
    change(plan.harbin, note="先到李大山家")
    with pytest.raises(Refused, match="哈尔滨的“行程备注”里有姓名"):
        propose(plan, **AT_HOME)


def test_a_proposal_names_no_registered_family(plan: PlanStage) -> None:
    for other in (
        {"why": f"该厂职工{NAME}患病"},
        {"name": f"{NAME}小店"},
        {**AT_HOME, "why": f"{NAME}的邻居"},
    ):
        with pytest.raises(Refused, match="这段文字里有姓名"):
            propose(plan, **other)
    made = propose(plan)
    with pytest.raises(Refused, match="这段文字里有姓名"):
        proposals.answer(visit=made, accept=False, text=f"已安排{NAME}一户", by=plan.liaison)


def test_what_a_colleague_removed_is_said(plan: PlanStage) -> None:
    made, harbin = propose(plan), plan.harbin
    Visit.objects.filter(pk=made.pk).delete()
    with pytest.raises(WrongState, match="已被同事删除"):
        proposals.answer(visit=made, accept=True, text="", by=plan.liaison)
    planning.remove_destination(destination=plan.harbin, by=plan.office)
    with pytest.raises(WrongState, match="已被同事删除"):
        proposals.propose(destination=harbin, by=plan.host, **GOOD)


def test_a_proposed_family_is_named_only_in_sealed_data(plan: PlanStage) -> None:
    made = propose(plan, **AT_HOME)
    data = PersonalData.objects.get(visit=made)
    assert made.name == "" and read(data)["name"] == "李大山"
    assert masked_name(Visit.objects.select_related("personal").get(pk=made.pk)) == "李＊＊"
    with pytest.raises(Refused, match="这段文字里有姓名"):
        proposals.answer(visit=made, accept=False, text="李大山已由市总慰问", by=plan.liaison)
    made.refresh_from_db()
    assert made.standing == "proposed"
    proposals.answer(visit=made, accept=False, text="该户已由市总慰问", by=plan.liaison)
    told = [*PlanEvent.objects.values_list("what", "reason"), *Message.objects.values_list("text", "link")]
    assert len(told) == 4 and "李大山" not in str(told)


# -- two at once -------------------------------------------------------------------------------------------


def at_once(*moves: Callable[[], Any]) -> list[Any]:
    """Run each move in a thread of its own; what each returned or raised."""
    gate = threading.Barrier(len(moves))

    def run(move: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            gate.wait()
            return move() or "done"
        except ReportingError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(moves)) as pool:
        return list(pool.map(run, moves))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", range(4))
def test_of_two_answers_at_the_same_time_one_counts(time: int) -> None:
    plan = make_plan_stage()
    made, liaison, office = propose(plan), plan.liaison, plan.office
    results = at_once(
        lambda: proposals.answer(visit=made, accept=True, text="", by=liaison),
        lambda: proposals.answer(visit=made, accept=False, text="该市已安排一家企业", by=office),
    )
    assert sorted(type(result).__name__ for result in results) == ["WrongState", "str"]
    lost = next(result for result in results if isinstance(result, WrongState))
    made.refresh_from_db()
    assert made.get_standing_display() in lost.sentences[0]
    assert PlanEvent.objects.filter(what__contains="采纳建议").count() == 1
    assert Message.objects.filter(person=plan.host.person).count() == 1
