"""Who may manage whom; and what an administrator cannot do, however the request is written."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.cast import UnionTree, actor, make_union_tree, person
from unions import actions
from unions.gate import Actor, Role
from unions.models import Person, PersonEvent, Post, Union

SignIn = Callable[[Person], Client]


def posts_body(*rows: tuple[str, list[str]], held: int = 0) -> dict[str, Any]:
    """The rows of posts as a browser sends them."""
    body: dict[str, Any] = {"posts-TOTAL_FORMS": len(rows), "posts-INITIAL_FORMS": held}
    for number, (code, roles) in enumerate(rows):
        body[f"posts-{number}-union"] = code
        body[f"posts-{number}-roles"] = roles
    return body


def posts_of(someone: Person) -> set[tuple[str, str]]:
    return set(Post.objects.filter(person=someone).values_list("union__code", "role"))


# Who knocks at the account of a filler of Harbin, and what the door says.
KNOCKS = [
    ("province", Role.ADMINISTRATOR, 200),
    ("harbin", Role.ADMINISTRATOR, 200),
    ("nangang", Role.ADMINISTRATOR, 404),
    ("daqing_oilfield", Role.ADMINISTRATOR, 404),
    ("outsider", Role.ADMINISTRATOR, 404),
    *[("harbin", role, 403) for role in Role if role != Role.ADMINISTRATOR],
    *[("province", role, 403) for role in Role if role != Role.ADMINISTRATOR],
]


@pytest.mark.parametrize(("where", "role", "answer"), KNOCKS)
def test_an_account_opens_only_to_administrators_above_it(
    tree: UnionTree, sign_in: SignIn, where: str, role: Role, answer: int
) -> None:
    someone = person(tree.harbin, Role.FILLER, name="原名")
    password = someone.password
    client = sign_in(person(getattr(tree, where), role))
    allowed = answer == 200
    at = f"/people/{someone.pk}/"

    assert client.get(at).status_code == answer
    body = {"name": "新名", "phone": "", **posts_body(("230100", ["filler", "submitter"]), held=1)}
    assert client.post(at, body).status_code == (302 if allowed else answer)
    assert client.post(f"{at}reset-password/").status_code == answer
    assert client.post(f"{at}active/", {"active": "0"}).status_code == (302 if allowed else answer)

    someone.refresh_from_db()
    assert (someone.name == "新名") is allowed
    assert (someone.password != password) is allowed
    assert someone.is_active is not allowed
    assert (("230100", "submitter") in posts_of(someone)) is allowed
    assert PersonEvent.objects.filter(person=someone).exists() is allowed


@pytest.mark.parametrize("code", ["230000", "230200", "I01", "no-such"])
def test_no_post_outside_the_subtree_is_granted_however_the_body_is_written(
    tree: UnionTree, sign_in: SignIn, code: str
) -> None:
    administrator = person(tree.harbin, Role.ADMINISTRATOR)
    someone = person(tree.harbin, Role.FILLER)
    client = sign_in(administrator)
    smuggled = posts_body(("230100", ["filler"]), (code, ["administrator"]), held=1)
    answer = client.post(f"/people/{someone.pk}/", {"name": "甲", "phone": "", **smuggled})
    assert "不在您的管辖范围内" in answer.content.decode()
    assert posts_of(someone) == {("230100", "filler")}

    disguised = posts_body((code, ["administrator"]), held=1)  # in the place of a post already held
    client.post(f"/people/{someone.pk}/", {"name": "甲", "phone": "", **disguised})
    client.post(f"/people/{administrator.pk}/", {"name": "甲", "phone": "", **disguised})
    client.post("/people/new/", {"username": "新人", "name": "新", "phone": "", **smuggled})
    assert posts_of(someone) == {("230100", "filler")}
    assert posts_of(administrator) == {("230100", "administrator")}
    assert not Person.objects.filter(username="新人").exists()


@pytest.mark.parametrize("where", ["province", "outsider", "daqing_oilfield"])
def test_the_actions_themselves_refuse_a_post_outside_the_subtree(tree: UnionTree, where: str) -> None:
    by = actor(person(tree.harbin, Role.ADMINISTRATOR), tree.harbin)
    someone = person(tree.harbin, Role.FILLER)
    post = (getattr(tree, where), Role.FILLER)
    with pytest.raises(PermissionDenied):
        actions.set_posts(by=by, person=someone, posts=[(tree.harbin, Role.FILLER), post])
    with pytest.raises(PermissionDenied):
        actions.create_person(by=by, username="新人", name="新", posts=[(tree.harbin, Role.FILLER), post])
    assert posts_of(someone) == {("230100", "filler")}
    assert not Person.objects.filter(username="新人").exists()


def test_of_a_person_with_posts_elsewhere_only_the_posts_inside_may_change(
    tree: UnionTree, sign_in: SignIn
) -> None:
    someone = person(tree.harbin, Role.FILLER, name="原名")
    someone.posts.create(union=tree.daqing_oilfield, role=Role.FILLER)
    PersonEvent.objects.create(person=someone, what="增加任职：大庆油田工会 填报员")
    client = sign_in(person(tree.harbin, Role.ADMINISTRATOR))
    at = f"/people/{someone.pk}/"

    page = client.get(at).content.decode()
    assert "您只能调整其在您管辖范围内的任职" in page and "重置密码" not in page
    assert "大庆油田" not in page, "where else somebody works is not this administrator's business"
    for path, body in ((f"{at}reset-password/", {}), (f"{at}active/", {"active": "0"})):
        refused = client.post(path, body)
        assert refused.status_code == 403 and "管辖范围之外任职" in refused.content.decode()
    client.post(at, {"name": "新名", **posts_body(("230100", ["submitter"]), held=1)})
    someone.refresh_from_db()
    assert someone.name == "原名" and someone.is_active
    assert posts_of(someone) == {("230100", "submitter"), ("I01", "filler")}

    # The last post inside may go too: the person stays with the other union, out of sight here.
    assert client.post(at, posts_body(("230100", []), held=1))["Location"] == "/people/"
    assert posts_of(someone) == {("I01", "filler")}
    assert client.get(at).status_code == 404
    assert sign_in(person(tree.province, Role.ADMINISTRATOR)).post(f"{at}reset-password/").status_code == 200


def test_the_last_post_of_all_stays(tree: UnionTree) -> None:
    by = actor(person(tree.harbin, Role.ADMINISTRATOR), tree.harbin)
    someone = person(tree.harbin, Role.FILLER)
    with pytest.raises(actions.Refusal, match="停用账号"):
        actions.set_posts(by=by, person=someone, posts=[])
    with pytest.raises(actions.Refusal, match="至少"):
        actions.create_person(by=by, username="新人", name="新", posts=[])
    assert posts_of(someone) == {("230100", "filler")}


def test_an_administrator_cannot_disable_demote_or_reset_oneself(tree: UnionTree) -> None:
    me = person(tree.harbin, Role.ADMINISTRATOR, Role.FILLER)
    by = actor(me, tree.harbin)
    for attempt in (
        lambda: actions.set_active(by=by, person=me, active=False),
        lambda: actions.set_posts(by=by, person=me, posts=[(tree.harbin, Role.FILLER)]),
        lambda: actions.reset_password(by=by, person=me),
    ):
        with pytest.raises(actions.Refusal):
            attempt()
    me.refresh_from_db()
    assert me.is_active and posts_of(me) == {("230100", "administrator"), ("230100", "filler")}
    assert not PersonEvent.objects.exists()


@pytest.mark.parametrize("way", ["disable", "demote"])
def test_the_root_keeps_an_administrator_even_from_one_who_just_lost_the_post(
    tree: UnionTree, way: str
) -> None:
    last = person(tree.province, Role.ADMINISTRATOR)
    by = Actor(person(tree.province), tree.province, frozenset({Role.ADMINISTRATOR}))
    with pytest.raises(actions.Refusal, match="最后一名管理员"):
        if way == "disable":
            actions.set_active(by=by, person=last, active=False)
        else:
            actions.set_posts(by=by, person=last, posts=[(tree.province, Role.FILLER)])
    last.refresh_from_db()
    assert last.is_active and posts_of(last) == {("230000", "administrator")}


@pytest.mark.django_db(transaction=True)
def test_two_administrators_of_the_root_cannot_disable_each_other_in_the_same_moment() -> None:
    tree = make_union_tree()
    two = [person(tree.province, Role.ADMINISTRATOR) for _ in range(2)]
    actors = [actor(one, tree.province) for one in two]
    start, refused = threading.Barrier(2), []

    def disable(by: Actor, other: Person) -> None:
        try:
            start.wait(timeout=10)
            actions.set_active(by=by, person=other, active=False)
        except actions.Refusal as problem:
            refused.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=disable, args=(actors[i], two[1 - i])) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert len(refused) == 1
    assert Person.objects.filter(is_active=True).count() == 1


def test_every_change_leaves_an_event_that_says_who_and_what(tree: UnionTree) -> None:
    administrator = person(tree.harbin, Role.ADMINISTRATOR)
    by = actor(administrator, tree.harbin)
    someone, _password = actions.create_person(
        by=by, username="南岗填报员", name="甲", posts=[(tree.nangang, Role.FILLER)]
    )
    actions.set_posts(by=by, person=someone, posts=[(tree.nangang, Role.SUBMITTER)])
    actions.edit_person(by=by, person=someone, name="乙", phone="1")
    actions.reset_password(by=by, person=someone)
    actions.set_active(by=by, person=someone, active=False)
    actions.set_active(by=by, person=someone, active=False)  # nothing changes, nothing is said
    actions.set_active(by=by, person=someone, active=True)
    events = list(someone.events.order_by("id"))
    assert {event.by for event in events} == {administrator}
    assert [event.what for event in events] == [
        "建立账号",
        "增加任职：哈尔滨市南岗区总工会 填报员",
        "取消任职：哈尔滨市南岗区总工会 填报员",
        "增加任职：哈尔滨市南岗区总工会 负责人",
        "姓名由“甲”改为“乙”",
        "修改电话",
        "重置密码",
        "停用账号",
        "启用账号",
    ]


def test_a_new_account_shows_its_password_once_and_leaves_it_nowhere(
    tree: UnionTree, sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = sign_in(person(tree.harbin, Role.ADMINISTRATOR))
    body = {"username": "哈尔滨填报员", "name": "甲", "phone": "", **posts_body(("230100", ["filler"]))}
    answer = client.post("/people/new/", body)
    password = answer.context["password"]
    made = Person.objects.get(username="哈尔滨填报员")
    assert made.check_password(password) and made.must_change_password
    assert answer.content.decode().count(password) == 1
    assert "no-store" in answer["Cache-Control"] and not answer.has_header("Location")
    assert password not in str(dict(client.session))
    assert password not in caplog.text
    assert not PersonEvent.objects.filter(what__contains=password).exists()
    assert password not in client.get(f"/people/{made.pk}/").content.decode()


def test_temporary_passwords_differ_and_can_be_read_over_the_telephone() -> None:
    made = {actions._temporary_password() for _ in range(200)}
    assert len(made) == 200
    assert not set("".join(made)) & set("0o1liIO")


@pytest.mark.parametrize("username", ["哈尔滨 填报员", "a/b", "<b>", ""])
def test_a_username_with_strange_characters_is_refused(tree: UnionTree, username: str) -> None:
    by = actor(person(tree.harbin, Role.ADMINISTRATOR), tree.harbin)
    with pytest.raises(ValidationError):
        actions.create_person(by=by, username=username, name="甲", posts=[(tree.harbin, Role.FILLER)])


def test_a_taken_username_and_a_row_without_a_role_are_said_beside_their_fields(
    tree: UnionTree, sign_in: SignIn
) -> None:
    person(tree.outsider, Role.FILLER, username="填报员")
    client = sign_in(person(tree.harbin, Role.ADMINISTRATOR))
    body = {
        "username": "填报员",
        "name": "甲",
        "phone": "",
        **posts_body(("230100", []), ("", ["filler"]), held=1),
    }
    page = client.post("/people/new/", body).content.decode()
    assert "这个账号已有人使用" in page and "请至少勾选一个角色" in page and "请选择工会组织" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"哈尔滨填报员", "南岗管理员", "停用的", "我"}),
        ("q=南岗", {"南岗管理员"}),
        ("q=南岗区总工会", {"南岗管理员"}),
        ("role=filler", {"哈尔滨填报员", "停用的"}),
        ("state=off", {"停用的"}),
        ("state=on&role=filler", {"哈尔滨填报员"}),
        ("union=230103", {"南岗管理员"}),
        ("q=齐齐哈尔", set()),
        ("union=230200", {"哈尔滨填报员", "南岗管理员", "停用的", "我"}),
        ("role=king&page=99", {"哈尔滨填报员", "南岗管理员", "停用的", "我"}),
    ],
)
def test_people_are_found_by_name_account_union_role_and_state(
    tree: UnionTree, sign_in: SignIn, query: str, found: set[str]
) -> None:
    both = person(tree.harbin, Role.FILLER, username="哈尔滨填报员")
    both.posts.create(
        union=tree.outsider, role=Role.AUDITOR
    )  # must not make a search for the outsider succeed
    person(tree.nangang, Role.ADMINISTRATOR, username="南岗管理员")
    Person.objects.filter(pk=person(tree.harbin, Role.FILLER, username="停用的").pk).update(is_active=False)
    person(tree.outsider, Role.FILLER, username="外人")
    client = sign_in(person(tree.harbin, Role.ADMINISTRATOR, username="我"))
    page = client.get(f"/people/?{query}")
    assert {row["person"].username for row in page.context["rows"]} == found


@pytest.mark.parametrize("path", ["/people/", "/unions/", "/unions/230100/"])
def test_a_list_of_a_hundred_costs_the_queries_of_five(tree: UnionTree, sign_in: SignIn, path: str) -> None:
    client = sign_in(person(tree.province, Role.ADMINISTRATOR))

    def grow(number: int) -> None:
        for index in range(number):
            code = f"{index}-{Union.objects.count()}"
            union = Union.objects.create(
                code=code, name=code, short_name=code, kind=Union.Kind.COUNTY, parent=tree.harbin
            )
            person(union, Role.FILLER, Role.SUBMITTER)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        return len(queries)

    grow(5)
    client.get(path)  # the session writes once a minute
    small = cost()
    grow(95)
    assert cost() == small <= 12
