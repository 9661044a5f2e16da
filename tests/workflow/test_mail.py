"""E-mail beside the messages: whoever has an address is written to, and no letter stops the others."""

from __future__ import annotations

from typing import Any

import pytest

from reporting import workflow
from reporting.models import Outbox
from reporting.tasks import send_outbox
from tests.workflow.stage import make_stage
from unions.gate import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Any:
    stage = make_stage()
    for actor in (
        stage.reviewer(stage.tree.harbin),
        stage.submitter(stage.tree.harbin),
        stage.actor(stage.tree.harbin, Role.FILLER),
    ):
        actor.person.email = f"p{actor.person.pk}@example.org"
        actor.person.save()
    return stage


def test_submitting_sending_back_and_approving_are_told_by_mail(stage: Any, mailoutbox: list[Any]) -> None:
    filing = stage.submitted(stage.tree.harbin)
    judge = stage.reviewer(stage.tree.harbin)
    reason = "第一处：E1 偏大。\r\nBcc: everybody@example.org\n第二处：见批注。"
    workflow.send_back(filing=filing, round_number=1, reason=reason, by=judge)
    workflow.submit(filing=filing, by=stage.submitter(stage.tree.harbin))
    workflow.approve(filing=filing, round_number=2, by=judge)
    send_outbox()
    assert Outbox.objects.filter(sent_at=None).count() == 0
    subjects = [mail.subject for mail in mailoutbox]
    assert sum("请审核" in subject for subject in subjects) == 2
    assert sum("被退回" in subject for subject in subjects) == 2  # the filler and the submitter
    assert sum("已审核通过" in subject for subject in subjects) == 2
    assert not any("\n" in subject or mail.bcc for subject, mail in zip(subjects, mailoutbox, strict=True))
    send_outbox()
    assert len(mailoutbox) == len(subjects)


def test_a_letter_that_cannot_be_sent_holds_up_no_other(mailoutbox: list[Any]) -> None:
    poison = Outbox.objects.create(to="a@example.org", subject="有\n换行", body="…")
    Outbox.objects.create(to="b@example.org", subject="好的", body="…")
    send_outbox()
    assert [mail.to for mail in mailoutbox] == [["b@example.org"]]
    poison.refresh_from_db()
    assert poison.attempts == 1 and poison.error and poison.due_at > poison.created_at
