"""Two people at one plan at once, on a real PostgreSQL: the law holds, and the other is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from delegations import planning, standards
from delegations.models import Delegation, Destination, FundSource, PlanEvent
from delegations.saving import save_plan
from reporting.errors import Refused, WrongState
from reporting.filling import Change
from tests.delegations.stage import PlanStage, make_plan_stage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def plan() -> PlanStage:
    return make_plan_stage()


def at_once(*moves: Callable[[], Any]) -> list[Any]:
    """Run each move in a thread of its own; what each returned or raised."""
    gate = threading.Barrier(len(moves))

    def run(move: Callable[[], Any]) -> Any:
        try:
            gate.wait()
            return move() or "done"
        except (WrongState, Refused) as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(moves)) as pool:
        return list(pool.map(run, moves))


@pytest.mark.parametrize("time", range(3))
def test_one_union_is_not_given_to_two_delegations(plan: PlanStage, time: int) -> None:
    planning.remove_destination(destination=plan.harbin, by=plan.office)
    office = plan.office
    results = at_once(
        *(
            lambda delegation=delegation: planning.add_destination(
                delegation=delegation, union=plan.tree.harbin, by=office
            )
            for delegation in (plan.first, plan.second)
        )
    )
    refused = [r for r in results if isinstance(r, Refused)]
    assert len(refused) == 1 and "一个单位只由一个慰问组走访" in str(refused[0])
    assert Destination.objects.filter(union=plan.tree.harbin).count() == 1


@pytest.mark.parametrize("time", range(3))
def test_what_is_locked_is_what_was_seen(plan: PlanStage, time: int) -> None:
    """Either the change comes first and locking is refused, or the lock does and the change is."""
    code = f"destination:{plan.harbin.pk}:travellers"
    office, liaison, seen = plan.office, plan.liaison, plan.first.revision
    locked, saved = at_once(
        lambda: planning.lock_plan(delegation=plan.first, revision=seen, by=office),
        lambda: save_plan(delegation=plan.first, changes=[Change(code, "4", "3")], by=liaison),
    )
    state = Delegation.objects.get(pk=plan.first.pk).state
    if isinstance(locked, Exception):
        assert "又有变化" in str(locked) and (state, plan.harbin.travellers) == ("planning", 3)
    else:
        assert isinstance(saved, WrongState) and (state, plan.harbin.travellers) == ("locked", 4)


@pytest.mark.parametrize("time", range(4))
def test_a_plan_is_not_locked_over_a_ceiling_that_is_just_lowered(plan: PlanStage, time: int) -> None:
    """Whichever comes first: a plan that was locked after the ceiling was lowered keeps to it."""
    source, office = plan.sources()[0], plan.office
    standards.set_source(
        campaign=plan.campaign, source=source, name=source.name, ceiling=20_000_000, by=office
    )
    seen = Delegation.objects.get(pk=plan.first.pk).revision

    def lower_slowly() -> None:
        with transaction.atomic():
            planning.lock_arrangement(plan.campaign)
            started.set()
            FundSource.objects.filter(pk=source.pk).update(ceiling=1)
            finish.wait(5)

    started, finish = threading.Event(), threading.Event()
    locked: list[Any] = []

    def lock() -> None:
        started.wait(5)
        threading.Timer(0.3, finish.set).start()
        try:
            planning.lock_plan(delegation=plan.first, revision=seen, by=office)
            locked.append("done")
        except Refused as refused:
            locked.append(refused)

    at_once(lower_slowly, lock)
    # It waited for whoever holds the campaign's standards, and saw what they left.
    assert isinstance(locked[0], Refused) and "超过上限" in " ".join(locked[0].sentences)


def test_a_double_click_locks_once(plan: PlanStage) -> None:
    office, seen = plan.office, plan.first.revision
    lock = lambda: planning.lock_plan(delegation=plan.first, revision=seen, by=office)  # noqa: E731
    results = at_once(lock, lock, lock)
    assert sum(r == "done" for r in results) == 1
    assert PlanEvent.objects.filter(delegation=plan.first, what="锁定计划").count() == 1


def test_two_people_type_one_field_and_one_of_them_is_asked(plan: PlanStage) -> None:
    code = f"destination:{plan.harbin.pk}:travellers"
    people = (plan.office, plan.liaison)
    results = at_once(
        *(
            lambda by=by, value=value: save_plan(
                delegation=plan.first, changes=[Change(code, "4", value)], by=by
            )
            for by, value in zip(people, ("3", "5"), strict=True)
        )
    )
    assert sorted(len(r.conflicts) for r in results) == [0, 1]
