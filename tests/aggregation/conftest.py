from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from tests.aggregation.sealed import Province, make_province
from unions.models import Person


@pytest.fixture
def province(db: None) -> Province:
    """Three cities, the first with two counties, the second with one."""
    return make_province(cities=3, counties=(2, 1))


@pytest.fixture
def sign_in() -> Callable[[Person], Client]:
    def signed_in(someone: Person) -> Client:
        client = Client()
        client.force_login(someone)
        return client

    return signed_in
