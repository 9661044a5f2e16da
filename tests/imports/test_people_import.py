"""People and unions from a workbook: errors by row, all or none, passwords shown once."""

from __future__ import annotations

import html
import io
import re
import time
from typing import Any

import pytest
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import Workbook, load_workbook

from reporting.incoming.people import PEOPLE, SALT, UNIONS
from tests.imports.books import saved, upload
from tests.workflow.stage import Stage
from unions.gate import Actor, Role
from unions.models import Person, PersonEvent, Post, Union, UnionEvent

A = Role.ADMINISTRATOR
PEOPLE_HEADS = [column.heading for column in PEOPLE]
UNION_HEADS = [column.heading for column in UNIONS]
KINDS = {"people": PEOPLE_HEADS, "unions": UNION_HEADS}


def words(answer: Any) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())))


def sheet(heads: list[str], *rows: list[Any], before: int = 0) -> bytes:
    made = Workbook()
    assert made.active is not None
    for _ in range(before):
        made.active.append(["说明"])
    made.active.append(heads)
    for row in rows:
        made.active.append(row)
    return saved(made)


def send(client: Client, what: str, content: bytes, name: str = "名单.xlsx") -> Any:
    return client.post(reverse(f"{what}_import"), {"workbook": upload(content, name)})


def rows_in(answer: Any) -> str:
    found = re.search(r'name="rows" value="([^"]+)"', answer.content.decode())
    return html.unescape(found[1]) if found else ""


def confirm(client: Client, what: str, looked_at: Any) -> Any:
    return client.post(reverse(f"{what}_import_confirm"), {"rows": rows_in(looked_at)})


def administrator(stage: Stage, place: str = "harbin") -> Actor:
    return stage.actor(getattr(stage.tree, place), A)


def counted() -> tuple[int, int, int, int]:
    return Person.objects.count(), Post.objects.count(), Union.objects.count(), PersonEvent.objects.count()


# -- people ------------------------------------------------------------------------------------------------


def test_people_are_looked_at_made_and_log_in_with_the_password_shown_once(stage: Stage, browse) -> None:
    client = browse(administrator(stage))
    content = sheet(
        ["姓名", "单位（代码或名称）", "账号", "电话", "角色", "邮箱"],
        ["甲", "230100", "哈市甲", 13800000001, "填报员、负责人", "a@example.com"],
        [None, None, None, None, None, None],
        ["乙", "南岗区", "南岗乙", None, "填报员，审核员", None],
        before=2,
    )
    before = counted()
    page = send(client, "people", content)
    assert page.status_code == 200 and "共 2 人，还没有建立" in words(page)
    assert "4 哈尔滨市总工会 甲 哈市甲 填报员、负责人 13800000001" in words(page)
    assert "6 哈尔滨市南岗区总工会 乙" in words(page), "the blank row in between is none"
    assert counted() == before, "nothing before it is confirmed"
    answer = confirm(client, "people", page)
    assert answer.status_code == 200 and "已建立 2 个账号" in words(answer)
    assert "no-store" in answer["Cache-Control"]
    assert "哈尔滨市总工会 甲 哈市甲 填报员、负责人" in words(answer)
    passwords = re.findall(r'secret-cell">([^<]+)<', answer.content.decode())
    assert len(set(passwords)) == 2
    for username, password in zip(("哈市甲", "南岗乙"), passwords, strict=True):
        someone = Person.objects.get(username=username)
        assert someone.must_change_password and password not in someone.password
        lightly = someone.password
        log_in = Client().post(reverse("login"), {"username": username, "password": password}, follow=True)
        assert log_in.redirect_chain[-1][0] == reverse("change_password")
        someone.refresh_from_db()
        assert someone.password != lightly and someone.check_password(password), "hashed in full since"
    first = Person.objects.get(username="哈市甲")
    assert (first.phone, first.email) == ("13800000001", "a@example.com")
    assert set(Post.objects.filter(person=first).values_list("union__code", "role")) == {
        ("230100", "filler"),
        ("230100", "submitter"),
    }
    assert PersonEvent.objects.filter(person=first, by=administrator(stage).person).count() == 3
    # Sent again, the page has nothing more to give away.
    again = confirm(client, "people", page)
    assert again.status_code == 422 and "账号“哈市甲”已有人使用" in words(again)
    assert "secret-cell" not in again.content.decode()


def test_every_row_says_what_is_wrong_with_it_and_none_is_made(stage: Stage, browse) -> None:
    client = browse(administrator(stage))
    taken = stage.actor(stage.tree.harbin, Role.FILLER).person.username
    before = counted()
    content = sheet(
        PEOPLE_HEADS,
        ["哈尔滨", "好", "好人", "填报员", "", ""],
        ["齐齐哈尔市总工会", "甲", "外面", "填报员", "", ""],
        ["", "乙", "没单位", "填报员", "", ""],
        ["南岗区", "", "没名字", "填报员", "", ""],
        ["南岗区", "丙", "", "", "", ""],
        ["南岗区", "丁", "好人", "填报员", "", ""],
        ["南岗区", "戊", taken, "填报员", "", ""],
        ["南岗区", "己", "a b/c", "填表员", "", "不是邮箱"],
        ["南岗区", "庚", "庚" * 31, "填报员、联络员", "", ""],
    )
    page = send(client, "people", content)
    said = words(page)
    assert page.status_code == 422 and "共 9 行，其中 8 行有误， 一行也没有建立" in said
    for sentence in (
        "没有代码或名称是“齐齐哈尔市总工会”的在用单位，或者不在您的管辖范围内。",
        "单位没有填。",
        "姓名没有填。",
        "账号没有填。 角色没有填。",
        "账号“好人”与第 2 行相同。",
        f"账号“{taken}”已有人使用，请换一个。",
        "账号只能用汉字、字母、数字和 @ . + - _。",
        "没有“填表员”这个角色，可以填：填报员、负责人、",
        "邮箱：",
        "联络员只在省总工会任职，不能填在哈尔滨市南岗区总工会。",
    ):
        assert sentence in said, sentence
    assert rows_in(page) == "" and counted() == before
    numbers = re.findall(r'class="num line"[^>]*>(\d+)<', page.content.decode())
    assert numbers == ["3", "4", "5", "6", "7", "8", "9", "10"]


def test_a_name_taken_between_looking_and_confirming_makes_nobody(stage: Stage, browse) -> None:
    client = browse(administrator(stage))
    page = send(
        client,
        "people",
        sheet(PEOPLE_HEADS, ["230100", "甲", "甲甲", "填报员"], ["230100", "乙", "乙乙", "填报员"]),
    )
    Person.objects.create(username="乙乙", name="别人")
    before = counted()
    answer = confirm(client, "people", page)
    assert answer.status_code == 422 and "账号“乙乙”已有人使用" in words(answer)
    assert counted() == before and not Person.objects.filter(username="甲甲").exists()


def test_many_people_do_not_keep_anybody_waiting_and_cost_no_query_a_row_to_look_at(
    stage: Stage, browse
) -> None:
    client = browse(administrator(stage))
    client.get(reverse("people_import"))

    def rows(count: int) -> bytes:
        return sheet(PEOPLE_HEADS, *(["230100", "甲", f"人{count}-{n}", "填报员"] for n in range(count)))

    costs = []
    for count in (2, 60):
        with CaptureQueriesContext(connection) as queries:
            page = send(client, "people", rows(count))
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 10
    began = time.monotonic()
    assert "已建立 60 个账号" in words(confirm(client, "people", page))
    assert time.monotonic() - began < 15


# -- unions ------------------------------------------------------------------------------------------------


def test_unions_are_made_below_each_other_in_one_go(stage: Stage, browse) -> None:
    client = browse(administrator(stage))
    content = sheet(
        UNION_HEADS,
        ["哈尔滨市总工会", "哈尔滨市道里区总工会", "道里区", "县（市、区）", "230102"],
        ["道里区", "道里区某某厂工会", "某某厂", "基层", ""],
        ["230103", "南岗区某某校工会", "某某校", "", ""],
    )
    before = Union.objects.count()
    page = send(client, "unions", content)
    assert page.status_code == 200, words(page)
    assert Union.objects.count() == before and not UnionEvent.objects.exists(), "tried out and taken back"
    answer = client.post(reverse("unions_import_confirm"), {"rows": rows_in(page)}, follow=True)
    assert "已建立 3 个工会组织" in words(answer)
    made = Union.objects.get(name="道里区某某厂工会")
    assert (made.path, made.kind) == ("230000.230100.230102.230102-01.", "grassroots")
    assert Union.objects.get(name="南岗区某某校工会").kind == "grassroots"
    again = confirm(client, "unions", page)
    assert again.status_code == 422 and "已有叫“哈尔滨市道里区总工会”的工会组织。" in words(again)
    assert Union.objects.count() == before + 3


def test_wrong_rows_of_unions_are_all_told_and_none_is_made(stage: Stage, browse) -> None:
    client = browse(administrator(stage))
    before = counted()
    content = sheet(
        UNION_HEADS,
        ["哈尔滨", "哈尔滨市道里区总工会", "道里区", "县", "230102"],
        ["齐齐哈尔", "龙沙区总工会", "龙沙区", "县", ""],
        ["哈尔滨", "哈尔滨市南岗区总工会", "又一个", "县", ""],
        ["哈尔滨", "道外区总工会", "道外区", "县", "230103"],
        ["哈尔滨", "某厂工会", "某厂", "基层", ""],
        ["哈尔滨", "某区总工会", "", "地区", "ab#"],
    )
    page = send(client, "unions", content)
    said = words(page)
    assert page.status_code == 422 and "其中 5 行有误" in said
    for sentence in (
        "没有代码或名称是“齐齐哈尔”的在用单位，或者不在您的管辖范围内。",
        "已有叫“哈尔滨市南岗区总工会”的工会组织。",
        "代码“230103”已有工会组织使用。",
        "哈尔滨市总工会下面只能建立：县（市、区）。",
        "没有“地区”这个类别",
        "代码“AB#”只能用数字、大写字母和 -。",
        "简称没有填。",
    ):
        assert sentence in said, sentence
    assert counted() == before


# -- who, and what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("what", KINDS)
@pytest.mark.parametrize("role", Role)
def test_only_administrators_come_in(stage: Stage, browse, what: str, role: Role) -> None:
    client = browse(stage.actor(stage.tree.harbin, role))
    wanted = 200 if role == A else 403
    for name in (f"{what}_import", f"{what}_import_template"):
        assert client.get(reverse(name)).status_code == wanted, name
    content = sheet(PEOPLE_HEADS, ["230100", "甲", "甲甲", "填报员"])
    assert send(client, "people", content).status_code == (200 if role == A else 403)
    forged = signing.dumps({"what": what, "person": 0, "union": "", "rows": []}, salt=SALT)
    answer = client.post(reverse(f"{what}_import_confirm"), {"rows": forged})
    assert answer.status_code == (409 if role == A else 403)


def test_a_preview_is_for_whoever_looked_at_it(stage: Stage, browse) -> None:
    page = send(
        browse(administrator(stage)), "people", sheet(PEOPLE_HEADS, ["230100", "甲", "甲甲", "填报员"])
    )
    before = counted()
    for client, rows in (
        (browse(administrator(stage, "province")), rows_in(page)),
        (browse(administrator(stage)), rows_in(page)[:-3] + "AAA"),
        (browse(administrator(stage)), ""),
    ):
        before = counted()
        answer = client.post(reverse("people_import_confirm"), {"rows": rows})
        assert answer.status_code == 409 and "没有建立" in words(answer)
        assert counted() == before
    other = browse(administrator(stage)).post(reverse("unions_import_confirm"), {"rows": rows_in(page)})
    assert other.status_code == 409


@pytest.mark.parametrize("what", KINDS)
def test_what_is_no_list_is_refused_with_a_sentence(stage: Stage, browse, what: str) -> None:
    client = browse(administrator(stage))
    before = counted()
    for content, sentence in (
        (b"nonsense", "不是 Excel 或 WPS 表格"),
        (sheet(["甲", "乙"], ["1", "2"]), "没有找到表头：须有“"),
        (sheet(KINDS[what]), "表头下面没有内容"),
        (sheet(KINDS[what], *([["x"] * 6] * 301)), "共有 301 行，一次最多 300 行"),
    ):
        answer = send(client, what, content)
        assert answer.status_code == 422 and sentence in words(answer), sentence
    assert "没有收到文件" in words(client.post(reverse(f"{what}_import")))
    assert counted() == before


@pytest.mark.parametrize("what", KINDS)
def test_the_template_is_understood_and_blank(stage: Stage, browse, what: str) -> None:
    client = browse(administrator(stage))
    content = client.get(reverse(f"{what}_import_template")).content
    assert "表头下面没有内容" in words(send(client, what, content))
    opened = load_workbook(io.BytesIO(content))
    listed = [[c.value for c in row[:3]] for row in opened["填写说明"].iter_rows()]
    assert ["230103", "　哈尔滨市南岗区总工会", "南岗区"] in listed
    assert not any("齐齐哈尔" in str(line) for line in listed), "only the administrator's own subtree"
    page = opened.worksheets[0]
    values = {
        "people": ["230103", "甲", "甲甲", "填报员", "007", ""],
        "unions": ["哈尔滨", "甲区总工会", "甲区", "县（市、区）", "230199"],
    }[what]
    for column, value in enumerate(values, 1):
        page.cell(2, column).value = value
    assert send(client, what, saved(opened)).status_code == 200


def test_what_people_typed_is_never_markup(stage: Stage, browse) -> None:
    client = browse(administrator(stage))
    row = ["<b>甲</b>", "<script>alert(1)</script>", "甲甲", "填报员", "", ""]
    page = send(client, "people", sheet(PEOPLE_HEADS, row), "<i>.xlsx")
    assert page.status_code == 422
    assert "<script>alert" not in page.content.decode() and "<b>甲</b>" not in page.content.decode()


def test_the_lists_lead_here(stage: Stage, browse) -> None:
    client = browse(administrator(stage))
    assert reverse("people_import") in client.get(reverse("people")).content.decode()
    assert reverse("unions_import") in client.get(reverse("unions")).content.decode()
