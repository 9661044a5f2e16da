"""Every address of unions at every role; and the pages that appear when something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import URLPattern
from django.views import defaults

from tests.cast import UnionTree, person
from unions import urls
from unions.gate import Role
from unions.models import Person

SignIn = Callable[[Person], Client]
EVERYBODY, ADMINISTRATORS = set(Role), {Role.ADMINISTRATOR}

# name → (method, who gets in); an address that is not here fails the first test.
TABLE: dict[str, tuple[str, set[Role]]] = {
    "login": ("get", EVERYBODY),
    "logout": ("post", EVERYBODY),
    "change_password": ("get", EVERYBODY),
    "here": ("get", EVERYBODY),
    "act_for": ("post", EVERYBODY),
    "people": ("get", ADMINISTRATORS),
    "new_person": ("get", ADMINISTRATORS),
    "person": ("get", ADMINISTRATORS),
    "reset_password": ("post", ADMINISTRATORS),
    "set_person_active": ("post", ADMINISTRATORS),
    "unions": ("get", ADMINISTRATORS),
    "new_union": ("get", ADMINISTRATORS),
    "edit_union": ("get", ADMINISTRATORS),
    "set_union_active": ("post", ADMINISTRATORS),
    "set_active_children": ("post", ADMINISTRATORS),
}
OPEN = {"login", "logout"}  # also before log-in


def path_of(name: str, pk: int) -> str:
    pattern = next(str(url.pattern) for url in urls.urlpatterns if url.name == name)
    return "/" + pattern.replace("<int:pk>", str(pk)).replace("<str:code>", "230103")


def test_every_address_of_unions_is_in_the_table() -> None:
    assert all(isinstance(url, URLPattern) for url in urls.urlpatterns)
    assert {url.name for url in urls.urlpatterns} == set(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_an_address_answers_each_role_as_the_table_says(tree: UnionTree, sign_in: SignIn, name: str) -> None:
    method, roles = TABLE[name]
    someone = person(tree.nangang, Role.FILLER)
    for role in Role:
        client = sign_in(person(tree.harbin, role))
        answer = getattr(client, method)(path_of(name, someone.pk), {"union": "230100", "active": "1"})
        assert (answer.status_code in (200, 302)) is (role in roles), (role, answer.status_code)
        assert answer.status_code in (200, 302, 403)
    stranger = getattr(Client(), method)(path_of(name, someone.pk), {})
    assert (f"/login/?next={path_of(name, someone.pk)}" in stranger.headers.get("Location", "")) is (
        name not in OPEN
    )


@pytest.mark.parametrize("name", [name for name, (method, _roles) in TABLE.items() if method == "post"])
def test_what_changes_something_takes_a_post_with_a_token(tree: UnionTree, name: str) -> None:
    administrator, someone = person(tree.harbin, Role.ADMINISTRATOR), person(tree.nangang, Role.FILLER)
    client = Client(enforce_csrf_checks=True)
    client.force_login(administrator)
    assert client.get(path_of(name, someone.pk)).status_code == 405
    refused = client.post(path_of(name, someone.pk))
    assert refused.status_code == 403 and "页面已过期" in refused.content.decode()


def test_missing_and_forbidden_pages_say_what_to_do_next(tree: UnionTree, sign_in: SignIn) -> None:
    client = sign_in(person(tree.harbin, Role.FILLER))
    missing, forbidden = client.get("/no-such-page/"), client.get("/people/")
    assert missing.status_code == 404 and "没有找到" in missing.content.decode()
    assert forbidden.status_code == 403 and "请联系本级管理员" in forbidden.content.decode()
    for answer in (missing, forbidden):
        assert "回到我的工作" in answer.content.decode()


def test_the_page_of_an_error_needs_no_database_and_no_session() -> None:
    request = RequestFactory().get("/")  # no user, no session; this test may not touch the database
    assert "系统出错了" in defaults.server_error(request).content.decode()
    assert "请求有误" in defaults.bad_request(request, ValueError()).content.decode()


@pytest.mark.parametrize(
    "address",
    [
        "/unions/%00/",
        "/unions/?all=%00",
        "/unions/new/?parent=%00",
        "/people/?union=%00",
        "/people/?q=%00&page=%00",
        "/people/new/?union=%00",
        "/campaigns/1/?under=%00",
        "/review/?campaign=%00",
        "/login/?next=%00",
        "/nowhere/%00",
    ],
)
def test_nothing_is_addressed_by_nul(tree: UnionTree, sign_in: SignIn, address: str) -> None:
    """PostgreSQL refuses every question with NUL in it: left alone, each of these is an error page."""
    client = sign_in(person(tree.province, *Role))
    assert client.get(address).status_code == 404
    assert client.post(address).status_code in (403, 404, 405)
    assert Client().get(address).status_code == 404


def test_per_cent_in_an_address_is_no_nul(tree: UnionTree, sign_in: SignIn) -> None:
    assert sign_in(person(tree.province, *Role)).get("/people/?q=%2500").status_code == 200


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("/acting/", {"union": "\0"}),
        ("/login/", {"username": "\0", "password": "\0", "next": "\0"}),
        ("/unions/230100/", {"name": "a\0", "short_name": "\0"}),
        ("/unions/230100/active/", {"active": "\0"}),
        ("/unions/230100/children/", {"active": ["\0"]}),
        ("/unions/new/", {"parent": "\0", "kind": "\0", "name": "\0", "short_name": "x", "code": "\0"}),
        ("/people/new/", {"username": "\0", "name": "\0"}),
        (
            "/people/new/",
            {
                "username": "甲",
                "name": "甲",
                "posts-TOTAL_FORMS": "1",
                "posts-INITIAL_FORMS": "0",
                "posts-0-union": "\0",
                "posts-0-roles": "\0",
            },
        ),
    ],
)
def test_nul_in_what_is_sent_is_refused_as_any_other_nonsense(
    tree: UnionTree, sign_in: SignIn, address: str, sent: dict[str, Any]
) -> None:
    assert sign_in(person(tree.province, *Role)).post(address, sent).status_code < 500
