"""What people see between a return and the next submission, and which messages are over by then."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from reporting import workflow
from reporting.filling import Change, save_cells, working_row
from reporting.models import Message
from tests.workflow.stage import make_stage
from unions.gate import Role

pytestmark = pytest.mark.django_db
UNTOUCHED = "退回后还没有改动"


@pytest.fixture
def stage() -> Any:
    return make_stage()


def home(someone: Any) -> str:
    client = Client()
    client.force_login(someone.person)
    return client.get("/").content.decode()


def test_a_returned_filing_is_not_called_done_before_anything_was_changed(stage: Any) -> None:
    filing = stage.submitted(stage.tree.harbin)
    filler = stage.actor(stage.tree.harbin, Role.FILLER)
    workflow.send_back(
        filing=filing, round_number=1, reason="E1 偏大，请核对", by=stage.reviewer(stage.tree.harbin)
    )
    assert UNTOUCHED in home(filler)
    stood = working_row(filing, "warmth").text("E1")
    changes = [Change("E1", stood, str(int(stood) + 1))]
    save_cells(filing=filing, slug="warmth", changes=changes, by=filler)
    assert UNTOUCHED not in home(filler)


def test_a_message_is_over_when_what_it_asks_for_is_done(stage: Any) -> None:
    judge = stage.reviewer(stage.tree.harbin)
    filing = stage.submitted(stage.tree.harbin)
    submitter = stage.submitter(stage.tree.harbin)
    assert Message.objects.filter(person=judge.person, read_at=None).count() == 1
    workflow.withdraw(filing=filing, by=submitter)
    assert Message.objects.filter(person=judge.person, read_at=None).count() == 0
    workflow.submit(filing=filing, by=submitter)
    workflow.approve(filing=filing, round_number=2, by=judge)
    assert Message.objects.filter(person=judge.person, read_at=None).count() == 0
    assert Message.objects.filter(person=submitter.person, read_at=None).count() == 1


def test_who_can_no_longer_withdraw_is_told_whom_to_ask(stage: Any) -> None:
    filing = stage.submitted(stage.tree.harbin)
    workflow.mark_opened(filing=filing, by=stage.reviewer(stage.tree.harbin))
    client = Client()
    client.force_login(stage.submitter(stage.tree.harbin).person)
    answer = client.post(
        f"/filings/{filing.pk}/forms/warmth/cells/", {"cells": []}, content_type="application/json"
    )
    assert answer.status_code == 409
    assert "请联系审核单位退回" in answer.json()["error"]


def test_the_reviewer_sees_what_was_asked_in_the_round_before(stage: Any) -> None:
    filing = stage.submitted(stage.tree.harbin)
    judge = stage.reviewer(stage.tree.harbin)
    workflow.add_remark(filing=filing, round_number=1, form="warmth", code="E1", text="请附依据", by=judge)
    workflow.send_back(filing=filing, round_number=1, reason="见批注，请核对", by=judge)
    workflow.submit(filing=filing, by=stage.submitter(stage.tree.harbin))
    client = Client()
    client.force_login(judge.person)
    page = client.get(f"/review/{filing.pk}/").content.decode()
    assert "第 1 轮批注：请附依据" in page
    # Only this round's remarks are offered for the next return.
    assert 'value="warmth:E1" checked' not in page
