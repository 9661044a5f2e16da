"""The tree is built lawfully, switched on and off with its reasons, and loaded from the notice."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.test import Client

from tests.cast import UnionTree, actor, person
from unions import actions
from unions.gate import Role
from unions.models import LEGAL_CHILDREN, Person, Union

SignIn = Callable[[Person], Client]
Kind = Union.Kind


@pytest.fixture
def of_province(tree: UnionTree) -> object:
    return actor(person(tree.province, Role.ADMINISTRATOR), tree.province)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("where", ["province", "harbin", "nangang", "daqing_oilfield"])
def test_a_union_is_founded_only_where_its_kind_belongs(tree: UnionTree, where: str, kind: Kind) -> None:
    by = actor(person(tree.province, Role.ADMINISTRATOR), tree.province)
    parent: Union = getattr(tree, where)
    if kind in LEGAL_CHILDREN[parent.kind]:
        made = actions.create_union(by=by, parent=parent, kind=kind, name="新工会", short_name="新")
        assert made.is_active and made.path == f"{parent.path}{made.code}."
        assert made.code == f"{parent.code}-01"
        assert made.events.get().what == "建立"
    else:
        with pytest.raises(actions.Refusal, match=parent.name):
            actions.create_union(by=by, parent=parent, kind=kind, name="新工会", short_name="新")


@pytest.mark.parametrize(
    ("where", "role", "answer"),
    [
        ("province", Role.ADMINISTRATOR, 200),
        ("harbin", Role.ADMINISTRATOR, 200),
        ("nangang", Role.ADMINISTRATOR, 404),
        ("outsider", Role.ADMINISTRATOR, 404),
        ("harbin", Role.AUDITOR, 403),
        ("harbin", Role.SUBMITTER, 403),
    ],
)
def test_a_city_is_changed_only_by_administrators_above_or_in_it(
    tree: UnionTree, sign_in: SignIn, where: str, role: Role, answer: int
) -> None:
    client = sign_in(person(getattr(tree, where), role))
    allowed = answer == 200
    assert client.get("/unions/230100/").status_code == answer
    client.post("/unions/230100/", {"name": "哈尔滨总工会", "short_name": "哈市", "code": "9", "parent": ""})
    client.post("/unions/230100/children/", {"active": []})
    client.post(
        "/unions/new/", {"parent": "230100", "kind": "county", "name": "新区总工会", "short_name": "新区"}
    )
    harbin = Union.objects.get(code="230100")
    assert (harbin.name == "哈尔滨总工会") is allowed
    assert harbin.parent == tree.province, "code and parent are for life"
    assert Union.objects.get(code="230103").is_active is not allowed
    assert Union.objects.filter(name="新区总工会").exists() is allowed


def test_a_union_is_founded_only_inside_ones_subtree(tree: UnionTree, sign_in: SignIn) -> None:
    administrator = person(tree.harbin, Role.ADMINISTRATOR)
    said = {"kind": "county", "name": "新工会", "short_name": "新"}
    answer = sign_in(administrator).post("/unions/new/", {"parent": "230200", **said})
    assert "不在您的管辖范围内" in answer.content.decode()
    with pytest.raises(PermissionDenied):
        actions.create_union(by=actor(administrator, tree.harbin), parent=tree.outsider, **said)
    assert not Union.objects.filter(name="新工会").exists()


def test_switching_off_leaves_no_active_union_below_an_inactive_one(tree: UnionTree) -> None:
    by = actor(person(tree.province, Role.ADMINISTRATOR), tree.province)
    with pytest.raises(actions.Refusal, match="1 个下级工会在用"):
        actions.set_union_active(by=by, union=tree.harbin, active=False)
    actions.set_union_active(by=by, union=tree.nangang, active=False)
    actions.set_union_active(by=by, union=tree.harbin, active=False)
    with pytest.raises(actions.Refusal, match="先启用上级"):
        actions.set_union_active(by=by, union=tree.nangang, active=True)
    with pytest.raises(actions.Refusal, match="已停用"):
        actions.create_union(by=by, parent=tree.harbin, kind=Kind.COUNTY, name="新", short_name="新")
    assert [event.what for event in tree.harbin.events.all()] == ["停用"]


def test_nobody_switches_off_the_union_one_acts_for(tree: UnionTree, sign_in: SignIn) -> None:
    client = sign_in(person(tree.nangang, Role.ADMINISTRATOR))
    answer = client.post("/unions/230103/active/", {"active": "0"}, follow=True)
    assert "不能停用自己所在的工会组织" in answer.content.decode()
    assert Union.objects.get(code="230103").is_active


def test_people_of_a_union_switched_off_cannot_act_for_it(tree: UnionTree, sign_in: SignIn) -> None:
    client = sign_in(person(tree.nangang, Role.ADMINISTRATOR))
    assert client.get("/people/").status_code == 200
    above = sign_in(person(tree.harbin, Role.ADMINISTRATOR))
    above.post("/unions/230103/active/", {"active": "0"})
    assert "目前没有可用的任职" in client.get("/people/").content.decode()


def test_the_counties_of_a_city_are_switched_in_one_go_and_others_are_left_alone(
    tree: UnionTree, sign_in: SignIn
) -> None:
    for code in ("230102", "230104"):
        Union.objects.create(
            code=code, name=code, short_name=code, kind=Kind.COUNTY, parent=tree.harbin, is_active=False
        )
    client = sign_in(person(tree.province, Role.ADMINISTRATOR))
    client.post("/unions/230100/children/", {"active": ["230102", "230104", "I01", "no-such"]})
    assert set(Union.objects.filter(is_active=True).values_list("code", flat=True)) == {
        *("230000", "230100", "230102", "230104", "230200", "I01")
    }


@pytest.mark.django_db
def test_loading_follows_the_notice_and_a_second_time_changes_nothing() -> None:
    call_command("load_unions", stdout=StringIO())
    units = list(Union.objects.filter(is_active=True))
    assert [union.position for union in units] == list(range(20))
    assert (units[0].code, units[1].name) == ("230000", "哈尔滨市总工会")
    assert [union.code for union in units if union.kind == Kind.INDUSTRY] == [f"I0{n}" for n in range(1, 7)]
    counties = Union.objects.filter(kind=Kind.COUNTY)
    assert counties.count() == 121 and not counties.filter(is_active=True).exists()
    nangang = counties.get(code="230103")
    assert (nangang.name, nangang.short_name) == ("哈尔滨市南岗区总工会", "南岗区")

    Union.objects.filter(code="230103").update(is_active=True, name="改名", position=7)
    Union.objects.filter(code="I06").update(is_active=False)
    before = list(Union.objects.order_by("pk").values())
    call_command("load_unions", stdout=StringIO())
    assert list(Union.objects.order_by("pk").values()) == before


def test_the_first_administrator_is_made_once_and_may_make_others(tree: UnionTree, client: Client) -> None:
    out = StringIO()
    call_command("create_administrator", "--union", "230000", "--username", "省管理员", stdout=out)
    password = out.getvalue().split("初始密码：")[1].split()[0]
    assert client.post("/login/", {"username": "省管理员", "password": password}).status_code == 302
    assert client.get("/people/")["Location"] == "/password/"
    for arguments in (("230000", "第二个"), ("no-such", "第三个"), ("230100", "省管理员")):
        with pytest.raises(CommandError):
            call_command("create_administrator", "--union", arguments[0], "--username", arguments[1])
    assert Person.objects.count() == 1
