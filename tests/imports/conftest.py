from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.workflow.stage import Stage, make_stage
from unions.gate import Actor


@pytest.fixture
def stage(db: None) -> Stage:
    return make_stage()


@pytest.fixture
def browse():
    """`browse(actor)`: a client logged in as that person."""

    def logged_in(who: Actor) -> Client:
        client = Client()
        client.force_login(who.person)
        return client

    return logged_in


@pytest.fixture(autouse=True)
def files_of_their_own(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path
