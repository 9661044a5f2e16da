"""Households: sealed at rest, masked on pages, shown in full for a reason that is recorded first, keys that change."""

from __future__ import annotations

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

from delegations import households, personal, planning, proposals
from delegations.models import Delegation, Material, PersonalData, PlanEvent, Unmasking, Visit
from delegations.saving import save_record
from delegations.views.household import household_page
from delegations.views.record import propose
from reporting.errors import Refused, WrongState
from reporting.filling import Change
from tests.delegations.records import ADDRESS, CLEAR, ILLNESS, TELEPHONE, change
from tests.delegations.stage import IDENTITY_NUMBER, NAME, PlanStage

REASON = "入户前核对住址"


@pytest.fixture
def household(plan: PlanStage) -> Visit:
    """哈尔滨's first household with all five facts."""
    visit = plan.visit("household")
    personal.write(visit=visit, values=CLEAR, by=plan.liaison)
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
        personal.write(visit=each, values=CLEAR, by=plan.office)
    visits = Visit.objects.select_related("personal", "destination__delegation").filter(
        destination=plan.harbin, kind="household"
    )
    personal.reveal_for_export(visits=visits, reason="制作慰问名册", by=plan.liaison)
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
    personal.write(visit=plan.visit("household"), values={"illness": ILLNESS}, by=getattr(plan, who))
    assert personal.read(data_of(plan.visit("household")))["illness"] == ILLNESS
    event = PlanEvent.objects.get(delegation=plan.first)
    assert event.what == "哈尔滨 入户慰问：填写家庭信息（患病情况）"


@pytest.mark.parametrize("who", ["reader", "leader", "other_liaison", "host", "outsider"])
def test_others_do_not_fill_in(plan: PlanStage, who: str, browse: Any) -> None:
    visit = plan.visit("household")
    with pytest.raises(PermissionDenied):
        personal.write(visit=visit, values={"name": "李大山"}, by=getattr(plan, who))
    status = browse(getattr(plan, who)).post(page(visit), {"name": "李大山"}).status_code
    assert status == (404 if who == "outsider" else 403)
    assert personal.read(data_of(visit))["name"] == NAME


def test_an_archived_household_is_not_written(plan: PlanStage, browse: Any) -> None:
    visit = plan.visit("household")
    change(plan.first, state="archived")
    with pytest.raises(WrongState, match="已归档"):
        personal.write(visit=visit, values={"name": "李大山"}, by=plan.office)
    answer = browse(plan.liaison).post(page(visit), {"name": "李大山"})
    assert answer.status_code == 409 and "已归档，不能再改" in answer.content.decode()
    assert 'name="identity_number"' not in browse(plan.liaison).get(page(visit)).content.decode()


def test_only_households_have_such_facts(plan: PlanStage, browse: Any) -> None:
    visit = plan.visit("enterprise")
    with pytest.raises(Refused, match="只有入户慰问"):
        personal.write(visit=visit, values={"name": NAME}, by=plan.liaison)
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
        personal.write(visit=visit, values=typed, by=plan.liaison)
    assert list(refused.value.message_dict) == [field] and sentence in str(refused.value)
    answer = browse(plan.liaison).post(page(visit), typed)
    html = answer.content.decode()
    assert answer.status_code == 422 and sentence in html
    assert all(value in html for value in typed.values()), "what was typed is kept"
    assert NAME not in html, "what is stored is not"
    assert personal.read(data_of(visit)) == {
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
    assert personal.read(data_of(household)) == CLEAR | {"address": ""}
    both = client.post(page(household), {"telephone": "13800000001", "clear": ["telephone", "pk", "visit"]})
    assert both.status_code == 422 and "请只选其一" in both.content.decode()
    assert personal.read(data_of(household))["telephone"] == TELEPHONE
    assert "没有改动" in client.post(page(household), {"name": NAME}, follow=True).content.decode()


def test_a_lower_case_x_ends_an_identity_number_as_well(plan: PlanStage) -> None:
    visit = plan.visit("household")
    personal.write(visit=visit, values={"identity_number": IDENTITY_NUMBER.lower()}, by=plan.liaison)
    assert personal.read(data_of(visit))["identity_number"] == IDENTITY_NUMBER


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
        personal.reveal(visit=fresh(household), reason=REASON, by=getattr(plan, who))
    with pytest.raises(PermissionDenied):
        personal.reveal_for_export(visits=[fresh(household)], reason=REASON, by=getattr(plan, who))
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


def test_what_could_not_be_recorded_is_not_shown(
    plan: PlanStage, household: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Unmasking.objects, "bulk_create", breaks)
    client = Client(raise_request_exception=False)
    client.force_login(plan.liaison.person)
    answer = client.post(show(household), {"reason": REASON})
    assert answer.status_code == 500 and not any(s in answer.content.decode() for s in CLEAR.values())


def test_the_record_of_who_looked_outlives_the_visit(plan: PlanStage, household: Visit) -> None:
    personal.reveal(visit=fresh(household), reason=REASON, by=plan.liaison)
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
    personal.reveal(visit=fresh(household), reason=REASON, by=plan.liaison)
    client.get(page(household))
    with django_assert_num_queries(6):
        client.get(page(household))
    for _ in range(9):
        personal.reveal(visit=fresh(household), reason=REASON, by=plan.office)
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


@pytest.mark.parametrize(("owner", "name"), [(personal, "note"), (PersonalData, "save")])
def test_an_error_report_holds_no_personal_data(
    plan: PlanStage, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    monkeypatch.setattr(owner, name, breaks)
    visit, typed = plan.visit("household"), CLEAR | {"name": "李大山"}
    request = RequestFactory().post(page(visit), typed)
    request.user, request.actor = plan.liaison.person, plan.liaison  # type: ignore[attr-defined]
    for text in (
        report_of(lambda: household_page(request, visit.pk), request),
        report_of(lambda: personal.write(visit=visit, values=typed, by=plan.liaison)),
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


def test_files_about_households_are_only_named_to_the_place(plan: PlanStage, browse: Any) -> None:
    material = Material.objects.create(
        destination=plan.harbin, kind="household", file="x", name="入户走访表.docx", by=plan.liaison.person
    )
    link = reverse("material_file", args=[material.pk])
    url = reverse("destination", args=[plan.harbin.pk])
    for who, linked in (
        ("host", False),
        ("leader", False),
        ("liaison", True),
        ("reader", True),
        ("office", True),
    ):
        html = browse(getattr(plan, who)).get(url).content.decode()
        assert "入户走访表.docx" in html and (link in html) == linked
