from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from tests.cast import UnionTree, make_union_tree
from unions.models import Person


@pytest.fixture
def tree(db: None) -> UnionTree:
    return make_union_tree()


@pytest.fixture
def sign_in() -> Callable[[Person], Client]:
    def signed_in(someone: Person) -> Client:
        client = Client()
        client.force_login(someone)
        return client

    return signed_in
