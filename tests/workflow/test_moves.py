"""Every move by everybody in every state: who may is told apart from when it is possible."""

import datetime

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from reporting import workflow
from reporting.errors import WrongState
from reporting.models import Event
from tests.workflow.stage import number
from unions.gate import Role

STATES = ["draft", "submitted", "returned", "approved"]


def make_move(move, filing, by):
    if move == "submit":
        workflow.submit(filing=filing, by=by)
    elif move == "withdraw":
        workflow.withdraw(filing=filing, by=by)
    elif move == "approve":
        workflow.approve(filing=filing, round_number=number(filing), by=by)
    elif move == "extend":
        until = timezone.now() + datetime.timedelta(days=30)
        workflow.extend(filing=filing, until=until, reason="山火扑救值守", by=by)
    elif move == "remark":
        workflow.add_remark(
            filing=filing, round_number=number(filing), form="warmth", code="E1", text="请核对", by=by
        )
    else:
        getattr(workflow, move)(filing=filing, round_number=number(filing), reason="请核对数据", by=by)


# move: (who may make it to Harbin's filing, in which states, the state afterwards)
TABLE = {
    "submit": ("哈尔滨负责人", {"draft", "returned"}, "submitted"),
    "withdraw": ("哈尔滨负责人", {"submitted"}, "draft"),
    "approve": ("省总工会审核员", {"submitted"}, "approved"),
    "send_back": ("省总工会审核员", {"submitted"}, "returned"),
    "reopen": ("省总工会审核员", {"approved"}, "returned"),
    "remark": ("省总工会审核员", {"submitted"}, None),
    "extend": ("省总工会管理员", set(STATES), None),
}


@pytest.fixture
def knockers(stage):
    """Every role in every relation to Harbin."""
    tree = stage.tree
    unions = [tree.province, tree.harbin, tree.nangang, tree.outsider]
    return {f"{union.short_name}{role.label}": stage.actor(union, role) for union in unions for role in Role}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("move", TABLE)
def test_only_the_one_who_may_makes_a_move_and_only_in_its_states(stage, knockers, move, state):
    filing = stage.in_state(stage.tree.harbin, state)
    allowed, states, after = TABLE[move]
    before = Event.objects.count()

    for name, by in knockers.items():
        if name != allowed:
            with pytest.raises(PermissionDenied):
                make_move(move, filing, by)
    filing.refresh_from_db()
    assert filing.state == state
    assert Event.objects.count() == before

    if state in states:
        make_move(move, filing, knockers[allowed])
        filing.refresh_from_db()
        assert filing.state == (after or state)
        assert Event.objects.count() == before + (move != "remark")
    else:
        with pytest.raises(WrongState):
            make_move(move, filing, knockers[allowed])
        filing.refresh_from_db()
        assert filing.state == state
        assert Event.objects.count() == before


@pytest.mark.parametrize("move", ["approve", "send_back", "reopen"])
def test_a_province_does_not_reach_past_the_city_to_a_county(stage, move):
    filing = stage.in_state(stage.tree.nangang, "approved" if move == "reopen" else "submitted")
    with pytest.raises(PermissionDenied):
        make_move(move, filing, stage.actor(stage.tree.province, Role.REVIEWER))
    make_move(move, filing, stage.actor(stage.tree.harbin, Role.REVIEWER))


@pytest.mark.parametrize("move", ["approve", "send_back", "remark"])
def test_a_page_of_an_earlier_round_moves_nothing(stage, move):
    filing = stage.returned(stage.tree.harbin)
    workflow.submit(filing=filing, by=stage.submitter(stage.tree.harbin))
    filing.refresh_from_db()
    filing.current_round.number = 1  # what the old page showed
    with pytest.raises(WrongState, match="第 2 轮"):
        make_move(move, filing, stage.reviewer(stage.tree.harbin))


def test_a_move_leaves_who_for_whom_when_from_to_and_why(stage):
    filing = stage.returned(stage.tree.harbin)
    event = filing.events.first()
    assert (event.move, event.from_state, event.to_state) == ("send_back", "submitted", "returned")
    assert event.by == stage.reviewer(stage.tree.harbin).person
    assert event.acting_for == stage.tree.province
    assert event.reason == "请核对数据"
    assert event.round.number == 1


def test_nothing_goes_back_in_a_closed_campaign(stage):
    filing = stage.approved(stage.tree.harbin)
    waiting = stage.submitted(stage.tree.outsider)
    stage.campaign.is_closed = True
    stage.campaign.save()
    with pytest.raises(WrongState, match="已结束"):
        make_move("reopen", filing, stage.reviewer(stage.tree.harbin))
    with pytest.raises(WrongState, match="已结束"):
        make_move("send_back", waiting, stage.reviewer(stage.tree.outsider))


def test_what_a_navigation_asks_is_whether_there_can_be_any_such_union(stage):
    city, province = stage.tree.harbin, stage.tree.province
    assert stage.actor(city, Role.REVIEWER).may_anywhere("review")
    assert not stage.actor(city, Role.REVIEWER).may_here("review")
    assert not stage.actor(city, Role.ADMINISTRATOR).may_anywhere("manage_campaign")
    assert stage.actor(province, Role.ADMINISTRATOR).may_anywhere("manage_campaign")
    assert not stage.actor(province, Role.FILLER).may_anywhere("review")
