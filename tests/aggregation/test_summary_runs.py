"""Runs are rows: whoever works, however often, whatever dies, each is done once."""

from __future__ import annotations

import datetime
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from random import Random

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils import timezone

from reporting import aggregation, tasks
from reporting.aggregation import deadline_key, due_runs, request_run, work_off_one
from reporting.campaigns import set_closed
from reporting.clock import pinned
from reporting.models import AggregationRun, Event, Outbox, Summary
from tests.aggregation.processes import environment
from tests.aggregation.sealed import DEADLINE, Province, made, make_province
from tests.cast import actor

State = AggregationRun.State


def silent(run: AggregationRun) -> aggregation.Progress:
    return lambda done, of, what: None


@pytest.fixture
def scene(transactional_db: None) -> Province:
    """Committed rows, for other connections to see."""
    province = make_province(cities=2)
    province.approve_all()
    return province


def together(*works: Callable[[], object]) -> list[object]:
    """Run at the same moment, each on a connection of its own; their answers."""
    gate = threading.Barrier(len(works))
    answers: list[object] = [None] * len(works)

    def work(number: int) -> None:
        gate.wait()
        try:
            answers[number] = works[number]()
        except Exception as error:
            answers[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[number]) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


def test_two_workers_at_one_run_make_one_summary(scene: Province):
    run = request_run(campaign=scene.campaign, by=scene.actor)
    answers = together(lambda: work_off_one(silent), lambda: work_off_one(silent))
    assert [answer for answer in answers if answer is not None] == [run]
    assert Summary.objects.count() == 1


def test_two_runs_of_one_campaign_at_the_same_moment_share_a_number(scene: Province):
    for key in ("nightly:2021-01-20", "deadline:1"):
        AggregationRun.objects.create(campaign=scene.campaign, key=key)
    answers = together(lambda: work_off_one(silent), lambda: work_off_one(silent))
    assert {answer.state for answer in answers} == {State.DONE}
    assert len({answer.summary_id for answer in answers}) == 1


def test_many_demands_at_once_are_one_run(scene: Province):
    answers = together(*[lambda: request_run(campaign=scene.campaign, by=scene.actor)] * 4)
    assert len({answer.pk for answer in answers}) == 1


@pytest.mark.parametrize("beats", [2, 4])
def test_a_doubled_beat_makes_each_timed_run_once(scene: Province, beats: int):
    moment = DEADLINE + datetime.timedelta(hours=3)
    made = together(*[lambda: due_runs(moment)] * beats)
    assert sorted(run.key for runs in made for run in runs) == [
        f"deadline:{DEADLINE.astimezone(datetime.UTC):%Y%m%d%H%M%S}",
        "nightly:2021-01-28",
    ]
    assert AggregationRun.objects.count() == 2
    assert due_runs(moment) == []


def test_before_one_in_the_morning_nothing_is_due_and_after_closing_nothing_either(scene: Province):
    assert due_runs(DEADLINE.replace(hour=0, minute=30)) == []
    scene.campaign.is_closed = True
    scene.campaign.save()
    assert due_runs(DEADLINE + datetime.timedelta(days=1)) == []


def test_a_night_on_which_nobody_stands_approved_makes_no_summary(scene: Province):
    for union in scene.units:
        scene.unapprove(union)
    assert due_runs(DEADLINE - datetime.timedelta(days=1)) == []
    assert [run.key[:9] for run in due_runs(DEADLINE + datetime.timedelta(hours=3))] == ["deadline:"]


def test_who_is_approved_by_day_waits_for_the_night(scene: Province):
    """The worker looks every minute of the afternoon too."""
    noon = (DEADLINE - datetime.timedelta(days=2)).replace(hour=12, minute=0, second=0)
    Event.objects.update(at=noon)
    for later in (datetime.timedelta(minutes=1), datetime.timedelta(hours=12, minutes=30)):
        assert due_runs(noon + later) == []
    assert [run.key for run in due_runs(noon + datetime.timedelta(hours=13))] == ["nightly:2021-01-26"]


def test_an_approval_that_was_reopened_and_given_again_by_day_waits_for_the_night(scene: Province):
    noon = (DEADLINE - datetime.timedelta(days=1)).replace(hour=12)
    own = {union.code: made(scene.campaign, Random(1), 9) for union in scene.units}
    for union in scene.units:
        scene.approve(union, own[union.code], submitted_at=noon)
    assert due_runs(noon + datetime.timedelta(minutes=1)) == []


@pytest.mark.parametrize("hours", [-1, 1])
def test_ending_a_campaign_after_its_deadline_asks_for_the_summary_of_the_deadline_once(
    scene: Province, hours: int
):
    moment = DEADLINE + datetime.timedelta(hours=hours)
    expected = [deadline_key(scene.campaign)] if hours > 0 else []
    with pinned(moment):
        for closed in (True, False, True):
            set_closed(campaign=scene.campaign, closed=closed, by=scene.actor)
    assert list(AggregationRun.objects.values_list("key", flat=True)) == expected
    assert due_runs(moment) == []


def test_a_campaign_that_has_not_begun_is_left_alone(scene: Province):
    assert due_runs(scene.campaign.opens_at - datetime.timedelta(seconds=1)) == []


DIES_IN_THE_MIDDLE = """
import django; django.setup()
import sys, time
from reporting import aggregation
add_up = aggregation.add_up
def stuck(campaign, progress):
    add_up(campaign, progress)
    print("inside", flush=True)
    time.sleep(600)
aggregation.add_up = stuck
aggregation.work_off_one(lambda run: lambda *known: None)
"""


def test_a_worker_killed_in_the_middle_leaves_the_run_waiting_for_the_next(scene: Province):
    run = request_run(campaign=scene.campaign, by=scene.actor)
    worker = subprocess.Popen(
        [sys.executable, "-c", DIES_IN_THE_MIDDLE],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None
    with worker:
        try:
            assert worker.stdout.readline() == "inside\n"
            assert work_off_one(silent) is None, "it is claimed"
        finally:
            worker.send_signal(signal.SIGKILL)
    with transaction.atomic():  # waits until PostgreSQL has noticed the death
        run = AggregationRun.objects.select_for_update().get(pk=run.pk)
    assert (run.state, run.attempts) == (State.WAITING, 0)
    assert Summary.objects.count() == 0
    done = work_off_one(silent)
    assert done == run
    assert done.state == State.DONE
    assert done.summary is not None
    assert done.summary.number == 1


def test_a_failure_is_tried_again_and_given_up_after_five(scene: Province, monkeypatch: pytest.MonkeyPatch):
    run = request_run(campaign=scene.campaign, by=scene.actor)

    def breaks(*args: object) -> None:
        raise TypeError("写坏了")

    monkeypatch.setattr(aggregation, "make_summary", breaks)
    for attempt in range(1, aggregation.MAX_ATTEMPTS):
        work_off_one(silent)
        run.refresh_from_db()
        assert (run.state, run.attempts, run.error) == (State.WAITING, attempt, "TypeError: 写坏了")
    work_off_one(silent)
    run.refresh_from_db()
    assert run.state == State.FAILED
    assert work_off_one(silent) is None


def test_a_run_that_fails_does_not_keep_the_others_waiting(scene: Province, monkeypatch: pytest.MonkeyPatch):
    for key in ("nightly:2021-01-20", "nightly:2021-01-21"):
        AggregationRun.objects.create(campaign=scene.campaign, key=key)
    make_summary, first = aggregation.make_summary, AggregationRun.objects.earliest("id")
    calls = iter([True, False, True])

    def breaks_for_the_first(*args: object) -> Summary:
        if next(calls):
            raise RuntimeError("磁盘满了")
        return make_summary(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(aggregation, "make_summary", breaks_for_the_first)
    tasks.aggregate_waiting()
    assert dict(AggregationRun.objects.values_list("key", "state")) == {
        "nightly:2021-01-20": State.WAITING,
        "nightly:2021-01-21": State.DONE,
    }
    first.refresh_from_db()
    assert first.attempts == 2


def test_the_tick_does_everything_that_is_due(scene: Province):
    Outbox.objects.create(to="a@example.org", subject="催报", body="请尽快报送。")
    scene.campaign.opens_at = timezone.now() - datetime.timedelta(days=9)
    scene.campaign.deadline = timezone.now() - datetime.timedelta(minutes=1)
    scene.campaign.save()
    tasks.tick()
    assert [run.state for run in AggregationRun.objects.filter(key__startswith="deadline:")] == [State.DONE]
    assert [message.subject for message in mail.outbox] == ["催报"]


def test_without_a_beat_a_demanded_run_is_done_by_whoever_is_told(scene: Province):
    run = request_run(campaign=scene.campaign, by=scene.actor)
    tasks.aggregate_waiting()
    run.refresh_from_db()
    assert run.state == State.DONE


def test_two_workers_send_every_mail_once(scene: Province):
    for number in range(8):
        Outbox.objects.create(to=f"{number}@example.org", subject=f"第{number}封", body="…")
    together(tasks.send_outbox, tasks.send_outbox)
    assert sorted(message.subject for message in mail.outbox) == [f"第{number}封" for number in range(8)]
    assert not Outbox.objects.filter(sent_at=None).exists()


def test_only_the_provinces_administrator_may_demand_a_run(scene: Province):
    with pytest.raises(PermissionDenied):
        request_run(campaign=scene.campaign, by=actor(scene.clerk, scene.root))
    assert not AggregationRun.objects.exists()
