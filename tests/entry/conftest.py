from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.entry.rounds import Scene, make_scene
from unions.models import Person


@pytest.fixture
def scene(db: None) -> Scene:
    return make_scene()


@pytest.fixture
def sign_in() -> Callable[[Person], Client]:
    def signed_in(someone: Person) -> Client:
        client = Client()
        client.force_login(someone)
        return client

    return signed_in


@pytest.fixture(autouse=True)
def files_of_their_own(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path
