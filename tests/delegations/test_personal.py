"""Households: sealed at rest, masked on pages, shown in full for a reason that is recorded first, keys that change."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import reverse
from django.views.debug import ExceptionReporter

from delegations import planning, proposals, recording
from delegations.files import materials, uploads
from delegations.models import Delegation, Material, PersonalData, PlanEvent, Unmasking, Visit
from delegations.personal import disclosure, households
from delegations.saving import save_plan, save_record
from delegations.views.household import household_page
from delegations.views.record import propose
from reporting.errors import Refused, WrongState
from reporting.filling import Change
from reporting.models import Message
from tests.delegations.made_files import PDF
from tests.delegations.records import ADDRESS, CLEAR, ILLNESS, TELEPHONE, change
from tests.delegations.stage import IDENTITY_NUMBER, NAME, PlanStage

REASON = "入户前核对住址"


@pytest.fixture
def household(plan: PlanStage) -> Visit:
    """哈尔滨's first household with all five facts."""
    visit = plan.visit("household")
    disclosure.write(visit=visit, values=CLEAR, by=plan.liaison)
    return visit


def breaks(*args: Any, **kwargs: Any) -> None:
    raise RuntimeError("something broke")


def data_of(visit: Visit) -> PersonalData:
    return PersonalData.objects.get(visit=visit)


def fresh(visit: Visit) -> Visit:
    return Visit.objects.select_related("personal", "destination__delegation").get(pk=visit.pk)


def page(visit: Visit) -> str:
    return reverse("household", args=[visit.pk])


def show(visit: Visit) -> str:
    return reverse("reveal_household", args=[visit.pk])


def everything_in_the_database() -> bytes:
    """Every value of every text and binary column of every table."""
    parts: list[bytes] = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND data_type IN ('text', 'character varying', 'character', 'bytea', 'json', 'jsonb', 'ARRAY')"
        )
        columns = cursor.fetchall()
        for table, column in columns:
            cursor.execute(f'SELECT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL')
            for (value,) in cursor.fetchall():
                parts.append(bytes(value) if isinstance(value, memoryview | bytes) else str(value).encode())
    assert ("delegations_personaldata", "name") in columns and len(parts) > 500
    return b"\n".join(parts)


# -- at rest -----------------------------------------------------------------------------------------------


def test_nothing_anybody_does_leaves_a_family_readable_in_the_database_or_in_the_logs(
    plan: PlanStage, browse: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    visit = plan.visit("household")
    liaison, host = browse(plan.liaison), browse(plan.host)
    answers = [
        liaison.post(page(visit), CLEAR | {"identity_number": "110105194912310020"}),
        liaison.post(page(visit), CLEAR),
        liaison.post(show(visit), {"reason": f"找{NAME}"}),
        liaison.post(show(visit), {"reason": REASON}),
        host.post(
            reverse("propose_visit", args=[plan.harbin.pk]),
            {"kind": "household", "category": "worker", "name": NAME, "why": "患病致困，孩子上学"},
        ),
        host.post(
            reverse("propose_visit", args=[plan.harbin.pk]),
            {"kind": "household", "category": "worker", "name": NAME, "why": f"{NAME}患病致困"},
        ),
    ]
    assert [answer.status_code for answer in answers] == [422, 302, 422, 200, 302, 422]
    proposed = Visit.objects.get(standing="proposed")
    proposals.answer(visit=proposed, accept=True, text="列入计划", by=plan.liaison)
    for each in Visit.objects.filter(kind="household"):
        disclosure.write(visit=each, values=CLEAR, by=plan.office)
    visits = Visit.objects.select_related("personal", "destination__delegation").filter(
        destination=plan.harbin, kind="household"
    )
    disclosure.reveal_for_export(visits=visits, reason="制作慰问名册", by=plan.liaison)
    planning.remove_visit(visit=proposed, by=plan.liaison)
    plan.lock()
    code = f"visit:{visit.pk}:difficulties"
    save_record(delegation=plan.first, changes=[Change(code, "", f"{NAME}家困难")], by=plan.liaison)
    Delegation.objects.filter(pk=plan.first.pk).update(state="planning")
    planning.remove_destination(destination=plan.at(plan.tree.daqing_oilfield), by=plan.office)

    stored = everything_in_the_database()
    assert PlanEvent.objects.count() > 8 and Unmasking.objects.count() == 4
    for secret in CLEAR.values():
        assert secret.encode() not in stored
        assert secret not in caplog.text
    for answer in answers:
        assert answer.status_code == 200 or NAME not in str(answer.headers)
        assert NAME not in str(answer.cookies)


# -- writing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["office", "liaison"])
@pytest.mark.parametrize("state", ["planning", "locked"])
def test_who_arranges_fills_in_before_and_after_the_lock(plan: PlanStage, who: str, state: str) -> None:
    change(plan.first, state=state)
    disclosure.write(visit=plan.visit("household"), values={"illness": ILLNESS}, by=getattr(plan, who))
    assert households.read(data_of(plan.visit("household")))["illness"] == ILLNESS
    event = PlanEvent.objects.get(delegation=plan.first)
    assert event.what == "哈尔滨 入户慰问：填写家庭信息（患病情况）"


@pytest.mark.parametrize("who", ["reader", "leader", "other_liaison", "host", "outsider"])
def test_others_do_not_fill_in(plan: PlanStage, who: str, browse: Any) -> None:
    visit = plan.visit("household")
    with pytest.raises(PermissionDenied):
        disclosure.write(visit=visit, values={"name": "李大山"}, by=getattr(plan, who))
    status = browse(getattr(plan, who)).post(page(visit), {"name": "李大山"}).status_code
    assert status == (404 if who == "outsider" else 403)
    assert households.read(data_of(visit))["name"] == NAME


def test_an_archived_household_is_not_written(plan: PlanStage, browse: Any) -> None:
    visit = plan.visit("household")
    change(plan.first, state="archived")
    with pytest.raises(WrongState, match="已归档"):
        disclosure.write(visit=visit, values={"name": "李大山"}, by=plan.office)
    answer = browse(plan.liaison).post(page(visit), {"name": "李大山"})
    assert answer.status_code == 409 and "已归档，不能再改" in answer.content.decode()
    assert 'name="identity_number"' not in browse(plan.liaison).get(page(visit)).content.decode()


def test_only_households_have_such_facts(plan: PlanStage, browse: Any) -> None:
    visit = plan.visit("enterprise")
    with pytest.raises(Refused, match="只有入户慰问"):
        disclosure.write(visit=visit, values={"name": NAME}, by=plan.liaison)
    assert browse(plan.liaison).get(page(visit)).status_code == 404
    assert not PersonalData.objects.filter(visit=visit).exists()


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("identity_number", "110105194912310020", "校验位相符"),
        ("identity_number", "11010519491231002", "须为 18 位"),
        ("identity_number", "１１０１０５", "须为 18 位"),
        ("telephone", "请打给我", "电话不正确"),
        ("telephone", "12345", "电话不正确"),
        ("name", "名" * 31, "姓名最多 30 个字，现有 31 个"),
        ("address", "址" * 201, "住址最多 200 个字"),
        ("illness", "病" * 501, "患病情况最多 500 个字"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_of_the_rest_is_stored(
    plan: PlanStage, browse: Any, field: str, text: str, sentence: str
) -> None:
    visit = plan.visit("household")
    typed = {"name": "李大山", "illness": "腰伤", field: text}
    with pytest.raises(ValidationError) as refused:
        disclosure.write(visit=visit, values=typed, by=plan.liaison)
    assert list(refused.value.message_dict) == [field] and sentence in str(refused.value)
    answer = browse(plan.liaison).post(page(visit), typed)
    html = answer.content.decode()
    assert answer.status_code == 422 and sentence in html
    assert all(value in html for value in typed.values()), "what was typed is kept"
    assert NAME not in html, "what is stored is not"
    assert households.read(data_of(visit)) == {
        "name": NAME, "telephone": "13800000000", "identity_number": IDENTITY_NUMBER, "address": "", "illness": "",
    }  # fmt: skip


def test_blank_leaves_a_fact_as_it_is_and_a_tick_clears_it(
    plan: PlanStage, household: Visit, browse: Any
) -> None:
    client = browse(plan.liaison)
    answer = client.post(
        page(household), {"illness": "  ", "telephone": "", "clear": ["address"]}, follow=True
    )
    assert "已保存：住址。" in answer.content.decode()
    assert households.read(data_of(household)) == CLEAR | {"address": ""}
    both = client.post(page(household), {"telephone": "13800000001", "clear": ["telephone", "pk", "visit"]})
    assert both.status_code == 422 and "请只选其一" in both.content.decode()
    assert households.read(data_of(household))["telephone"] == TELEPHONE
    assert "没有改动" in client.post(page(household), {"name": NAME}, follow=True).content.decode()


def test_a_lower_case_x_ends_an_identity_number_as_well(plan: PlanStage) -> None:
    visit = plan.visit("household")
    disclosure.write(visit=visit, values={"identity_number": IDENTITY_NUMBER.lower()}, by=plan.liaison)
    assert households.read(data_of(visit))["identity_number"] == IDENTITY_NUMBER


def test_full_width_numbers_are_stored_as_everybody_searches_them(plan: PlanStage) -> None:
    visit = plan.visit("household")
    wide = {
        "telephone": "０４５１－５００００００１",
        "identity_number": "１１０１０５１９４９１２３１００２ｘ",
    }
    disclosure.write(visit=visit, values=wide, by=plan.liaison)
    stored = households.read(data_of(visit))
    assert (stored["telephone"], stored["identity_number"]) == ("0451-50000001", IDENTITY_NUMBER)


def test_what_a_colleague_removed_meanwhile_is_said_and_what_was_typed_is_kept(
    plan: PlanStage, browse: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = plan.visit("household")
    lock = disclosure.lock_delegation

    def slowly(pk: int) -> Delegation:
        Visit.objects.filter(pk=visit.pk).delete()
        return lock(pk)

    monkeypatch.setattr(disclosure, "lock_delegation", slowly)
    answer = browse(plan.liaison).post(page(visit), {"name": "李大山", "illness": "腰伤"})
    html = answer.content.decode()
    assert answer.status_code == 409 and "已被同事删除" in html
    assert 'value="李大山"' in html and ">腰伤</textarea>" in html


def test_a_family_that_is_not_visited_is_not_registered(plan: PlanStage) -> None:
    visit = plan.visit("household")
    change(visit, standing="declined")
    with pytest.raises(WrongState, match="未采纳"):
        disclosure.write(visit=visit, values={"name": "李大山"}, by=plan.liaison)


# -- other texts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "field", "words"),
    [
        ("visit", "difficulties", "这一户的“困难及原因”里有姓名"),
        ("visit", "note", "这一户的“备注”里有姓名"),
        ("visit", "why", "这一户的“建议理由”里有姓名"),
        ("destination", "note", "哈尔滨的“行程备注”里有姓名"),
        ("destination", "participants", "哈尔滨的“参加人员”里有姓名"),
    ],
)
def test_a_name_that_stands_readable_already_is_not_registered_before_that_is_mended(
    plan: PlanStage, browse: Any, row: str, field: str, words: str
) -> None:
    visit = plan.visit("household")
    change(visit if row == "visit" else plan.harbin, **{field: "王秀兰的丈夫长期透析"})
    answer = browse(plan.liaison).post(page(visit), {"name": "王秀兰", "illness": "腰伤"})
    html = answer.content.decode()
    assert answer.status_code == 422 and words in html and 'value="王秀兰"' in html
    assert households.read(data_of(visit))["name"] == NAME
    change(visit if row == "visit" else plan.harbin, **{field: "该户的丈夫长期透析"})
    assert disclosure.write(visit=visit, values={"name": "王秀兰"}, by=plan.liaison) == ["姓名"]


@pytest.mark.parametrize(
    "text",
    [
        f"{NAME}家漏雨",
        "张 三 丰家漏雨",
        "张　三丰",
        "张\u200b三丰",
        "张·三丰",
        f"增加困难职工（{IDENTITY_NUMBER}）一户",
        "证件 220101198001011234",
        "老证件 220101800101123",
        f"先到{TELEPHONE[:3]} {TELEPHONE[3:7]} {TELEPHONE[7:]}",
        f"住{ADDRESS}",
    ],
)
def test_no_text_of_a_delegation_tells_who_a_household_is(
    plan: PlanStage, household: Visit, text: str
) -> None:
    far = plan.at(plan.tree.daqing_oilfield)
    codes = [
        f"destination:{far.pk}:note",
        f"destination:{far.pk}:surplus_reason",
        f"visit:{plan.visit('enterprise').pk}:name",
        f"visit:{plan.visit('household', far).pk}:amount_reason",
    ]
    stood = [far.note, far.surplus_reason]
    saved = save_plan(
        delegation=plan.first,
        changes=[Change(c, "演示机械厂" if c.endswith("name") else "", text) for c in codes],
        by=plan.liaison,
    )
    assert list(saved.refused) == codes and not saved.fields
    assert all("没有保存" in sentence and NAME not in sentence for sentence in saved.refused.values())
    far.refresh_from_db()
    assert [far.note, far.surplus_reason] == stood
    with pytest.raises(Refused, match="没有保存"):
        households.require_discreet(plan.first, "无妨", text)
    assert not PlanEvent.objects.filter(what__contains="行程备注").exists()


@pytest.mark.parametrize(
    "text",
    [
        "IMG_20210105123045123.jpg",
        "mmexport1609834567890.jpg",
        "20210105-123045-1.jpg",
        "账号 6222021234567890123",
        "哈尔滨市南岗区",
        "联系电话 13912345678",
        "演示报告 2021-01-05 12-30-45",
    ],
)
def test_other_numbers_and_places_may_be_written(plan: PlanStage, household: Visit, text: str) -> None:
    disclosure.write(visit=household, values={"address": "哈尔滨市南岗区"}, by=plan.liaison)
    households.require_discreet(plan.first, text)


def test_other_delegations_families_are_not_told_by_a_refusal(plan: PlanStage, household: Visit) -> None:
    households.require_discreet(plan.second, TELEPHONE)
    households.require_discreet(plan.first, TELEPHONE, destination=plan.at(plan.tree.daqing_oilfield))


def test_reasons_of_moves_are_as_discreet(plan: PlanStage) -> None:
    plan.lock()
    before = PlanEvent.objects.count()
    with pytest.raises(Refused, match="姓名"):
        planning.unlock_plan(delegation=plan.first, reason=f"{NAME}一户搬走了", by=plan.office)
    change(plan.first, state="archived")
    with pytest.raises(Refused, match="姓名"):
        recording.reopen(delegation=plan.first, reason=f"{NAME}一户有误", by=plan.office)
    assert PlanEvent.objects.count() == before and not Message.objects.exists()


def test_links_and_files_are_not_named_by_a_family(plan: PlanStage) -> None:
    plan.lock()
    link = materials.Link("https://example.org/1", f"慰问{NAME}一家", "演示报", "2021-01-05")
    with pytest.raises(Refused, match="姓名"):
        materials.add_link(destination=plan.harbin, link=link, by=plan.liaison)
    for kind, taken in (("report", False), ("household", True)):
        name = f"{NAME}一家{kind}.pdf"
        upload = uploads.create(destination=plan.harbin, kind=kind, name=name, size=len(PDF), by=plan.liaison)
        receive = lambda upload=upload: uploads.receive(  # noqa: E731
            pk=upload.pk, offset=0, length=len(PDF), body=io.BytesIO(PDF), by=plan.liaison
        )
        if taken:
            receive()
        else:
            with pytest.raises(Refused, match="姓名"):
                receive()
    assert [m.kind for m in Material.objects.all()] == ["household"]


def test_a_saving_opens_the_facts_once_and_only_for_texts(
    plan: PlanStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[PersonalData] = []
    real = households.read
    monkeypatch.setattr(households, "read", lambda data: opened.append(data) or real(data))
    code = f"visit:{plan.visit('enterprise').pk}:"
    save_plan(delegation=plan.first, changes=[Change(f"{code}money", "40000", "41000")], by=plan.liaison)
    assert opened == []
    texts = [Change(f"{code}{name}", "", "缓缴社保") for name in ("note", "amount_reason", "goods_text")]
    save_plan(delegation=plan.first, changes=texts, by=plan.liaison)
    assert len(opened) == 4  # the households of both destinations


# -- masks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "text", "mask"),
    [
        ("name", "", ""),
        ("name", "张", "＊"),
        ("name", "张三", "张＊"),
        ("name", "张三丰", "张＊＊"),
        ("name", "欧阳演示", "欧＊＊"),
        ("telephone", "1234567", "****"),
        ("telephone", "13987654321", "139****21"),
        ("telephone", "0451-50000000", "045****00"),
        ("identity_number", IDENTITY_NUMBER, "**************002X"),
        ("identity_number", "12345", "****"),
        ("address", "南岗区1号", "****"),
        ("address", ADDRESS, "哈尔滨市南岗****"),
        ("illness", "病", "已填写"),
    ],
)
def test_a_mask_cannot_be_completed(plan: PlanStage, field: str, text: str, mask: str) -> None:
    visit = plan.visit("household")
    households.put(data_of(visit), {field: text})
    assert households.masked(fresh(visit))[field] == mask
    if field == "name":
        assert households.masked_name(fresh(visit)) == mask


@pytest.mark.parametrize("who", ["office", "reader", "liaison", "leader"])
def test_the_delegations_people_see_masks(plan: PlanStage, household: Visit, browse: Any, who: str) -> None:
    answer = browse(getattr(plan, who)).get(page(household))
    html = answer.content.decode()
    assert answer.status_code == 200 and "张＊＊" in html and "139****21" in html
    assert not any(secret in html for secret in CLEAR.values())
    assert ('name="telephone"' in html) == (who in ("office", "liaison"))
    assert (show(household) in html) == (who in ("office", "liaison"))
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(("who", "status"), [("host", 403), ("outsider", 404), ("other_liaison", 403)])
def test_others_do_not_see_the_page(
    plan: PlanStage, household: Visit, browse: Any, who: str, status: int
) -> None:
    assert browse(getattr(plan, who)).get(page(household)).status_code == status
    assert browse(getattr(plan, who)).post(show(household), {"reason": REASON}).status_code == status
    assert not Unmasking.objects.exists()


# -- seeing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["office", "liaison"])
def test_asked_for_with_a_reason_everything_is_shown_once(
    plan: PlanStage, household: Visit, browse: Any, who: str
) -> None:
    client = browse(getattr(plan, who))
    answer = client.post(show(household), {"reason": REASON})
    html = answer.content.decode()
    assert answer.status_code == 200 and all(secret in html for secret in CLEAR.values())
    assert "no-store" in answer.headers["Cache-Control"]
    row = Unmasking.objects.get()
    assert (row.visit, row.delegation, row.by, row.way, row.reason) == (
        household, plan.first, getattr(plan, who).person, "page", REASON,
    )  # fmt: skip
    again = client.get(page(household)).content.decode()
    assert not any(secret in again for secret in CLEAR.values())
    assert REASON in again and getattr(plan, who).person.name in again
    assert client.get(show(household)).status_code == 405


@pytest.mark.parametrize("who", ["reader", "leader", "other_liaison", "host", "outsider"])
def test_others_are_not_shown_anything(plan: PlanStage, household: Visit, browse: Any, who: str) -> None:
    with pytest.raises(PermissionDenied):
        disclosure.reveal(visit=fresh(household), reason=REASON, by=getattr(plan, who))
    with pytest.raises(PermissionDenied):
        disclosure.reveal_for_export(visits=[fresh(household)], reason=REASON, by=getattr(plan, who))
    answer = browse(getattr(plan, who)).post(show(household), {"reason": REASON})
    assert answer.status_code in (403, 404) and NAME not in answer.content.decode()
    assert not Unmasking.objects.exists()


@pytest.mark.parametrize("reason", ["", "   ", "核对", "x" * 301, f"给{NAME}打电话", f"核对{TELEPHONE}"])
def test_without_a_reason_nothing_is_shown(
    plan: PlanStage, household: Visit, browse: Any, reason: str
) -> None:
    answer = browse(plan.liaison).post(show(household), {"reason": reason})
    html = answer.content.decode()
    assert answer.status_code == 422 and 'role="alert"' in html and ADDRESS not in html
    assert not Unmasking.objects.exists()


@pytest.mark.parametrize("reason", [f"给{NAME}打电话", f"核对{TELEPHONE}", "核对 220101198001011234"])
def test_the_reason_of_an_export_tells_nobody_either(plan: PlanStage, household: Visit, reason: str) -> None:
    visits = Visit.objects.select_related("personal", "destination__delegation").filter(kind="household")
    with pytest.raises(Refused, match="没有保存"):
        disclosure.reveal_for_export(visits=visits, reason=reason, by=plan.office)
    assert not Unmasking.objects.exists()


def test_what_could_not_be_recorded_is_not_shown(
    plan: PlanStage, household: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Unmasking.objects, "bulk_create", breaks)
    client = Client(raise_request_exception=False)
    client.force_login(plan.liaison.person)
    answer = client.post(show(household), {"reason": REASON})
    assert answer.status_code == 500 and not any(s in answer.content.decode() for s in CLEAR.values())


def test_the_record_of_who_looked_outlives_the_visit(plan: PlanStage, household: Visit) -> None:
    disclosure.reveal(visit=fresh(household), reason=REASON, by=plan.liaison)
    planning.remove_visit(visit=household, by=plan.liaison)
    assert not PersonalData.objects.filter(visit=household.pk).exists()
    row = Unmasking.objects.get()
    assert (row.visit, row.destination, row.reason) == (None, plan.harbin, REASON)


def test_a_household_without_facts_has_nothing_to_show(plan: PlanStage, browse: Any) -> None:
    plan.lock()
    added = planning.add_visit(destination=plan.harbin, kind="household", by=plan.liaison)
    client = browse(plan.liaison)
    assert "未登记" in client.get(page(added)).content.decode()
    answer = client.post(show(added), {"reason": REASON})
    assert answer.status_code == 422
    assert not Unmasking.objects.exists()


def test_the_page_costs_the_same_however_often_somebody_looked(
    plan: PlanStage, household: Visit, browse: Any, django_assert_num_queries: Any
) -> None:
    client = browse(plan.liaison)
    disclosure.reveal(visit=fresh(household), reason=REASON, by=plan.liaison)
    client.get(page(household))
    with django_assert_num_queries(6):
        client.get(page(household))
    for _ in range(9):
        disclosure.reveal(visit=fresh(household), reason=REASON, by=plan.office)
    with django_assert_num_queries(6):
        client.get(page(household))


# -- errors ------------------------------------------------------------------------------------------------


def report_of(do: Callable[[], Any], request: Any = None) -> str:
    """What an administrator would be sent when `do` breaks, without the frames of this test."""
    try:
        do()
    except RuntimeError:
        kind, error, traceback = sys.exc_info()
        assert traceback is not None and traceback.tb_next is not None
        reporter = ExceptionReporter(request, kind, error, traceback.tb_next.tb_next)
        text = reporter.get_traceback_html() + reporter.get_traceback_text()
        assert "something broke" in text and "delegations/" in text
        return text
    raise AssertionError("it was to break")


@pytest.mark.parametrize(("owner", "name"), [(disclosure, "note"), (PersonalData, "save")])
def test_an_error_report_holds_no_personal_data(
    plan: PlanStage, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    monkeypatch.setattr(owner, name, breaks)
    visit, typed = plan.visit("household"), CLEAR | {"name": "李大山"}
    request = RequestFactory().post(page(visit), typed)
    request.user, request.actor = plan.liaison.person, plan.liaison  # type: ignore[attr-defined]
    for text in (
        report_of(lambda: household_page(request, visit.pk), request),
        report_of(lambda: disclosure.write(visit=visit, values=typed, by=plan.liaison)),
    ):
        assert not any(secret in text for secret in typed.values())


def test_nor_does_one_about_a_proposal(plan: PlanStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposals, "note", breaks)
    typed = {"kind": "household", "category": "worker", "name": "李大山", "why": "患病致困，孩子上学"}
    request = RequestFactory().post("/", typed)
    request.user, request.actor = plan.host.person, plan.host  # type: ignore[attr-defined]
    for text in (
        report_of(lambda: propose(request, plan.harbin.pk), request),
        report_of(lambda: proposals.propose(destination=plan.harbin, by=plan.host, **typed)),
    ):
        assert "李大山" not in text


@pytest.mark.parametrize(
    ("who", "named"),
    [("host", False), ("leader", False), ("liaison", True), ("reader", True), ("office", True)],
)
def test_files_about_households_are_only_counted_for_others(
    plan: PlanStage, browse: Any, who: str, named: bool
) -> None:
    """A file's name often is the family's."""
    materials = [
        Material.objects.create(
            destination=plan.harbin,
            kind="household",
            file="x",
            sha256=str(number),
            name=f"{NAME}家庭情况{number}.docx",
            by=plan.liaison.person,
        )
        for number in range(2)
    ]
    html = browse(getattr(plan, who)).get(reverse("destination", args=[plan.harbin.pk])).content.decode()
    for material in materials:
        assert (material.name in html) == named
        assert (reverse("material_file", args=[material.pk]) in html) == named
    assert (NAME in html) == named
    assert ("共 2 份，涉及家庭信息" in html) != named
