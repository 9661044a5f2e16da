"""The stage for tests of uploads: a locked plan, its liaison's client, and the words the tests are told in.

Both files of tests import the fixtures, which pytest then finds there as `plan` and `client`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.delegations import made_files as made
from tests.delegations.stage import PlanStage, make_plan_stage
from tests.delegations.tus_client import announce, ask

# Where neither a commit nor a second connection matters: the database need not be emptied afterwards.
quick = pytest.mark.django_db
PDF = made.PDF[:9] + b"%" + b"x" * 5000 + made.PDF[9:]


@pytest.fixture(name="plan")
def locked_plan() -> PlanStage:
    stage = make_plan_stage(full=False)
    stage.lock()
    return stage


@pytest.fixture(name="client")
def liaison_client(plan: PlanStage) -> Client:
    client = Client()
    client.force_login(plan.liaison.person)
    return client


def on_disk(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def begun(
    client: Client, plan: PlanStage, name: str = "汇报.pdf", content: bytes = PDF, kind: str = "report"
) -> str:
    """An upload announced and let in, of which nothing has arrived: its address."""
    answer = announce(client, plan.harbin, kind, name, len(content))
    assert answer.status_code == 201, answer.content.decode()
    return answer["Location"]


def stands(client: Client, url: str) -> int:
    """How far the server has it, bytes."""
    answer = ask(client, url)
    assert answer.status_code == 200
    return int(answer["Upload-Offset"])


def sentence(answer: Any) -> str:
    return answer.json()["error"]
