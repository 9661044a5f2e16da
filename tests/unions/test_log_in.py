"""Coming in, being kept out, and how long a log-in lasts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from tests.cast import PASSWORD, UnionTree, actor, person
from unions import actions
from unions.gate import Role
from unions.middleware import SESSION_KEY
from unions.models import Person, Post, Union

SignIn = Callable[[Person], Client]
NEW = "xin-mima-8642"


def is_in(client: Client) -> bool:
    return client.get("/password/").status_code == 200


def test_the_right_password_leads_to_my_work_and_a_wrong_one_says_so(tree: UnionTree, client: Client) -> None:
    person(tree.harbin, Role.FILLER, username="哈尔滨填报员")
    answer = client.post("/login/", {"username": "哈尔滨填报员", "password": "错"})
    assert "账号或密码不正确" in answer.content.decode()
    answer = client.post("/login/", {"username": "哈尔滨填报员", "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/")


@pytest.mark.parametrize(
    ("onward", "leads_to"),
    [
        ("/people/", "/people/"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_log_in_leads_on_only_to_our_own_pages(
    tree: UnionTree, client: Client, onward: str, leads_to: str
) -> None:
    person(tree.harbin, Role.FILLER, username="甲")
    answer = client.post("/login/", {"username": "甲", "password": PASSWORD, "next": onward})
    assert answer["Location"] == leads_to


def test_five_failures_lock_the_account_and_a_reset_password_opens_it(
    tree: UnionTree, client: Client
) -> None:
    someone = person(tree.harbin, Role.FILLER, username="甲")
    administrator = actor(person(tree.harbin, Role.ADMINISTRATOR), tree.harbin)
    for _ in range(4):
        assert client.post("/login/", {"username": "甲", "password": "错"}).status_code == 200
    answer = client.post("/login/", {"username": "甲", "password": "错"})
    assert answer.status_code == 429
    assert "15 分钟" in answer.content.decode() and "管理员" in answer.content.decode()

    assert client.post("/login/", {"username": "甲", "password": PASSWORD}).status_code == 429

    password = actions.reset_password(by=administrator, person=someone)
    assert client.post("/login/", {"username": "甲", "password": password}).status_code == 302


def test_a_disabled_person_cannot_log_in_and_loses_the_session_at_once(
    tree: UnionTree, sign_in: SignIn, client: Client
) -> None:
    someone = person(tree.harbin, Role.FILLER, username="甲")
    administrator = actor(person(tree.harbin, Role.ADMINISTRATOR), tree.harbin)
    there = sign_in(someone)
    assert is_in(there)
    actions.set_active(by=administrator, person=someone, active=False)
    assert not is_in(there)
    assert client.post("/login/", {"username": "甲", "password": PASSWORD}).status_code == 200
    actions.set_active(by=administrator, person=someone, active=True)
    assert client.post("/login/", {"username": "甲", "password": PASSWORD}).status_code == 302


def test_changing_the_password_ends_every_other_session_and_keeps_this_one(
    tree: UnionTree, sign_in: SignIn
) -> None:
    someone = person(tree.harbin, Role.FILLER)
    here, there = sign_in(someone), sign_in(someone)
    answer = here.post("/password/", {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW})
    assert answer.status_code == 302
    assert is_in(here)
    assert not is_in(there)
    assert someone.events.get().what == "修改密码"


def test_resetting_a_password_ends_every_session(tree: UnionTree, sign_in: SignIn) -> None:
    someone = person(tree.harbin, Role.FILLER)
    there = sign_in(someone)
    actions.reset_password(by=actor(person(tree.harbin, Role.ADMINISTRATOR), tree.harbin), person=someone)
    assert not is_in(there)


def test_the_first_password_must_be_changed_before_anything_else(tree: UnionTree, sign_in: SignIn) -> None:
    someone = person(tree.harbin, Role.ADMINISTRATOR)
    Person.objects.filter(pk=someone.pk).update(must_change_password=True)
    client = sign_in(someone)
    for path in ("/people/", "/unions/", "/people/new/"):
        assert client.get(path)["Location"] == "/password/"
    refused = client.get("/people/", headers={"accept": "application/json"})
    assert refused.status_code == 403 and json.loads(refused.content)["error"]

    page = client.get("/password/").content.decode()
    assert "初始密码" in page and "密码要求" in page and 'href="/people/"' not in page
    client.post("/password/", {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW})
    assert client.get("/people/").status_code == 200


@pytest.mark.parametrize(
    ("old", "new", "again", "sentence"),
    [
        ("不对", NEW, NEW, "当前密码不正确"),
        (PASSWORD, NEW, NEW + "x", "两次输入的新密码不一致"),
        (PASSWORD, PASSWORD, PASSWORD, "新密码不能与当前密码相同"),
        (PASSWORD, "a1b2", "a1b2", "密码太短，至少需要 10 个字符"),
        (PASSWORD, "12345678901", "12345678901", "密码不能全是数字"),
    ],
)
def test_a_new_password_that_will_not_do_says_why(
    tree: UnionTree, sign_in: SignIn, old: str, new: str, again: str, sentence: str
) -> None:
    someone = person(tree.harbin, Role.FILLER)
    client = sign_in(someone)
    answer = client.post("/password/", {"old_password": old, "new_password1": new, "new_password2": again})
    assert sentence in answer.content.decode()
    someone.refresh_from_db()
    assert someone.check_password(PASSWORD)


def test_one_acts_only_for_unions_one_has_a_post_in(tree: UnionTree, sign_in: SignIn) -> None:
    someone = person(tree.harbin, Role.ADMINISTRATOR)
    someone.posts.create(union=tree.daqing_oilfield, role=Role.FILLER)
    client = sign_in(someone)
    assert client.get("/people/").status_code == 200

    assert client.post("/acting/", {"union": "I01"}).status_code == 302
    assert client.get("/people/").status_code == 403  # a filler there
    for code in ("230000", "230103", "230200", "", "no-such"):
        assert client.post("/acting/", {"union": code}).status_code == 403
        assert client.session[SESSION_KEY] == "I01"
    client.post("/acting/", {"union": "230100"})
    assert client.get("/people/").status_code == 200

    # A choice kept in the session is worth nothing once the post is gone.
    someone.posts.filter(union=tree.harbin).delete()
    assert client.get("/people/").status_code == 403


def test_a_person_without_a_post_is_told_whom_to_ask(tree: UnionTree, sign_in: SignIn) -> None:
    client = sign_in(person(None, name="齐齐哈尔填报员"))
    page = client.get("/people/")
    assert page.status_code == 403
    assert (
        "齐齐哈尔填报员" in page.content.decode()
        and "请联系本单位或上级工会的管理员" in page.content.decode()
    )
    assert is_in(client)
    assert client.post("/logout/").status_code == 302


def test_logging_out_takes_a_post_and_ends_the_session(tree: UnionTree, sign_in: SignIn) -> None:
    client = sign_in(person(tree.harbin, Role.FILLER))
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/")["Location"] == reverse("login")
    assert not is_in(client)


# -- before a form goes ------------------------------------------------------------------------------------


def still_there(client: Client, someone: Person, union: Union) -> tuple[int, str]:
    answer = client.get(
        "/here/", {"person": someone.pk, "union": union.code}, headers={"Accept": "application/json"}
    )
    return answer.status_code, json.loads(answer.content)["error"] if answer.content else ""


def test_a_form_goes_only_for_who_opened_its_page(tree: UnionTree, sign_in: SignIn) -> None:
    someone = person(tree.harbin, Role.FILLER, name="填报员甲")
    Post.objects.create(person=someone, union=tree.nangang, role=Role.FILLER)
    client = sign_in(someone)
    assert still_there(client, someone, tree.harbin) == (204, "")
    client.post("/acting/", {"union": tree.nangang.code})
    status, sentence = still_there(client, someone, tree.harbin)
    assert status == 409 and "当前单位是哈尔滨市南岗区总工会" in sentence
    another = sign_in(person(tree.harbin, Role.FILLER, name="填报员乙"))
    status, sentence = still_there(another, someone, tree.harbin)
    assert status == 409 and "现在登录的是填报员乙" in sentence
    assert still_there(Client(), someone, tree.harbin)[0] == 401
    assert "请回到原来的窗口" in client.get("/here/").content.decode()
    assert Client().get("/here/")["Location"] == "/login/?next=/here/"


FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
TYPED_INTO = re.compile(r"<textarea|\{% crispy |<input (?![^>]*type=\"(?:hidden|checkbox|radio|file)\")")
# Passwords are typed anew, and who is not logged in yet has nothing to lose.
NOTHING_TO_LOSE = {"log_in.html", "change_password.html"}


def test_every_form_that_is_typed_into_is_guarded() -> None:
    """Or saved while typing: those have no form."""
    found = 0
    for template in (settings.BASE_DIR / "templates").rglob("*.html"):
        for attributes, content in FORM.findall(template.read_text()):
            if 'method="post"' not in attributes or template.name in NOTHING_TO_LOSE:
                continue
            if TYPED_INTO.search(content):
                assert "data-guarded" in attributes, f"{template.name}: {attributes}"
                found += 1
    assert found > 20
