"""Two people at once, on a real PostgreSQL: exactly one move, and the other is told."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from reporting import workflow
from reporting.aggregation import make_summary
from reporting.campaigns import set_row
from reporting.errors import Refused, WrongState
from reporting.filling import Change, save_cells, working_row
from reporting.models import Event
from tests.cast import actor, person
from tests.workflow.stage import make_stage
from unions.gate import Role

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*moves):
    """Run each move in a thread of its own; what each returned or raised."""
    gate = threading.Barrier(len(moves))

    def run(move):
        try:
            gate.wait()
            return move() or "done"
        except (WrongState, Refused) as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(moves)) as pool:
        return list(pool.map(run, moves))


@pytest.fixture
def stage():
    return make_stage()


def kinds(results):
    return sorted("done" if not isinstance(r, Exception) else type(r).__name__ for r in results)


@pytest.mark.parametrize("time", range(3))
def test_two_reviewers_make_one_move(stage, time):
    filing = stage.submitted(stage.tree.harbin)
    province = stage.tree.province
    first, second = (actor(person(province, Role.REVIEWER), province) for _ in range(2))
    results = at_once(
        lambda: workflow.approve(filing=filing, round_number=1, by=first),
        lambda: workflow.send_back(filing=filing, round_number=1, reason="请核对数据", by=second),
    )
    assert kinds(results) == ["WrongState", "done"]
    refused = next(r for r in results if isinstance(r, WrongState))
    assert "操作没有进行" in refused.sentences[0] and ("通过" in str(refused) or "退回" in str(refused))
    assert Event.objects.filter(filing=filing, move__in=["approve", "send_back"]).count() == 1
    filing.refresh_from_db()
    counted = filing.current_round.warmthform_rows.filter(counted=True).count()
    assert counted == (2 if filing.state == "approved" else 0)


def test_a_double_click_approves_once(stage):
    filing = stage.submitted(stage.tree.harbin)
    by = stage.reviewer(stage.tree.harbin)
    approve = lambda: workflow.approve(filing=filing, round_number=1, by=by)  # noqa: E731
    assert kinds(at_once(approve, approve, approve)) == ["WrongState", "WrongState", "done"]
    assert Event.objects.filter(filing=filing, move="approve").count() == 1


def test_two_submissions_make_one_round(stage):
    filing = stage.ready(stage.tree.harbin)
    by = stage.submitter(stage.tree.harbin)
    submit = lambda: workflow.submit(filing=filing, by=by)  # noqa: E731
    assert kinds(at_once(submit, submit)) == ["WrongState", "done"]
    assert filing.rounds.count() == 1


@pytest.mark.parametrize("time", range(4))
def test_a_county_is_inside_the_sealed_total_or_its_approval_is_refused(stage, time):
    tree = stage.tree
    county = stage.submitted(tree.nangang, warmth_E1=5)
    city = stage.ready(tree.harbin, warmth_E1=7)
    submitter, reviewer = stage.submitter(tree.harbin), stage.reviewer(tree.nangang)
    results = at_once(
        lambda: workflow.submit(filing=city, by=submitter),
        lambda: workflow.approve(filing=county, round_number=1, by=reviewer),
    )
    city.refresh_from_db()
    county.refresh_from_db()
    total = city.current_round.warmthform_rows.get(scope="total").E1
    if county.state == "approved":
        assert total == 12 and len(city.current_round.includes) == 1
    else:
        assert total == 7 and city.current_round.includes == []
        assert isinstance(results[1], WrongState)


@pytest.mark.parametrize("time", range(3))
def test_withdrawing_and_opening_for_review_agree(stage, time):
    filing = stage.submitted(stage.tree.harbin)
    submitter, reviewer = stage.submitter(stage.tree.harbin), stage.reviewer(stage.tree.harbin)
    at_once(
        lambda: workflow.withdraw(filing=filing, by=submitter),
        lambda: workflow.mark_opened(filing=filing, by=reviewer),
    )
    filing.refresh_from_db()
    assert (filing.state == "draft") == (filing.opened_at is None)


@pytest.mark.parametrize("time", range(3))
def test_a_row_switched_off_during_a_submission_is_in_no_sealed_figures(stage, time):
    filing = stage.ready(stage.tree.harbin, warmth_B=3)
    submitter = stage.submitter(stage.tree.harbin)
    admin = stage.actor(stage.tree.province, Role.ADMINISTRATOR)
    results = at_once(
        lambda: workflow.submit(filing=filing, by=submitter),
        lambda: set_row(campaign=stage.campaign, form="warmth", code="B", label="", is_off=True, by=admin),
    )
    filing.refresh_from_db()
    sealed = filing.current_round.warmthform_rows.get(scope="own").B
    if isinstance(results[1], Refused):
        assert sealed == 3
    else:
        assert sealed is None


@pytest.mark.parametrize("time", range(4))
def test_aggregating_and_submitting_do_not_block_each_other(stage, time):
    stage.approved(stage.tree.outsider, warmth_E1=2)
    filing = stage.ready(stage.tree.harbin, warmth_E1=3)
    submitter = stage.submitter(stage.tree.harbin)
    summary, round_ = at_once(
        lambda: make_summary(stage.campaign),
        lambda: workflow.submit(filing=filing, by=submitter),
    )
    assert round_.number == 1
    assert summary.figures["warmth"]["E1"] == 2, "submitted is not yet approved"


@pytest.mark.parametrize("time", range(3))
def test_switching_a_row_and_saving_in_many_filings_do_not_wait_in_a_circle(stage, time):
    tree = stage.tree
    unions = (tree.harbin, tree.nangang, tree.outsider)
    saves, changes = [], [Change("E1", "0", "5")]
    for union in unions:
        filing, filler = stage.ready(union, warmth_A1=10, warmth_A2=2), stage.actor(union, Role.FILLER)
        saves.append(lambda f=filing, by=filler: save_cells(filing=f, slug="warmth", changes=changes, by=by))
    admin = stage.actor(tree.province, Role.ADMINISTRATOR)
    at_once(
        *saves,
        lambda: set_row(campaign=stage.campaign, form="warmth", code="A2", label="", is_off=True, by=admin),
    )
    for union in unions:
        row = working_row(stage.filing(union), "warmth")
        assert (row.E1, row.E) == (5, 5)
        assert row.A == 10, "the row switched off is in no sum"
