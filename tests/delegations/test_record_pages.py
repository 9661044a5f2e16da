"""The record's page, its saving, closing the account from it, and the page of the visited union."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from delegations import planning, proposals
from delegations.models import Delegation, Destination, FundSource, Visit
from tests.delegations.records import change, file_material, locked_and_recorded, record
from tests.delegations.stage import NAME, PlanStage
from unions.gate import Role

PLAN_PEOPLE = ["office", "reader", "liaison", "leader"]


def record_url(plan: PlanStage, query: str = "") -> str:
    return reverse("record", args=[plan.harbin.pk]) + query


def post_json(client: Client, url: str, body: Any) -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    return client.post(url, text, content_type="application/json", HTTP_ACCEPT="application/json")


def fields(**texts: str) -> dict[str, Any]:
    return {"fields": {code: {"base": "", "value": value} for code, value in texts.items()}}


# -- who -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "status"),
    [*((who, 200) for who in PLAN_PEOPLE), ("other_liaison", 403), ("host", 403), ("outsider", 404)],
)
def test_the_record_is_for_the_delegation_and_those_who_read_all(
    plan: PlanStage, browse: Any, who: str, status: int
) -> None:
    plan.lock()
    assert browse(getattr(plan, who)).get(record_url(plan)).status_code == status


@pytest.mark.parametrize("who", ["office", "liaison"])
def test_who_records_finds_controls_and_others_words(plan: PlanStage, browse: Any, who: str) -> None:
    plan.lock()
    code = f'data-code="visit:{plan.visit("enterprise").pk}:paid_money"'
    assert code in browse(getattr(plan, who)).get(record_url(plan)).content.decode()
    for reader in ("reader", "leader"):
        html = browse(getattr(plan, reader)).get(record_url(plan)).content.decode()
        assert "data-code" not in html and "演示机械厂" in html and "只能查看" in html


@pytest.mark.parametrize("state", ["planning", "archived"])
def test_there_is_nothing_to_type_before_the_lock_and_after_archiving(
    plan: PlanStage, browse: Any, state: str
) -> None:
    change(plan.first, state=state)
    html = browse(plan.liaison).get(record_url(plan)).content.decode()
    assert "data-code" not in html and "演示机械厂" in html and "40,000" in html
    assert ("计划锁定后填写记录" in html) == (state == "planning")


def test_households_are_masked_and_lead_to_their_page(plan: PlanStage, browse: Any) -> None:
    plan.lock()
    visit = plan.visit("household")
    for who in PLAN_PEOPLE:
        html = browse(getattr(plan, who)).get(record_url(plan)).content.decode()
        assert "张＊＊" in html and NAME not in html and reverse("household", args=[visit.pk]) in html
    assert "请不要在此写姓名" in browse(plan.liaison).get(record_url(plan)).content.decode()


# -- saving --------------------------------------------------------------------------------------------------


def test_saving_answers_what_stands_and_what_is_still_open(plan: PlanStage, browse: Any) -> None:
    locked_and_recorded(plan)
    visit = plan.visit("enterprise")
    change(visit, paid_money=None)
    plan.first.refresh_from_db()
    code = f"visit:{visit.pk}:paid_money"
    url = reverse("save_record", args=[plan.harbin.pk])
    answer = post_json(browse(plan.liaison), url, fields(**{code: "4.5万"})).json()
    assert (answer["fields"], answer["conflicts"], answer["refused"]) == ({code: "45000"}, [], {})
    assert answer["revision"] == plan.first.revision + 1
    (problem,) = answer["problems"]
    assert problem["href"] == f"#visit-{visit.pk}-difference_reason"
    assert problem["sentence"].startswith("困难企业（演示机械厂）计划 40,000 元，实付 45,000 元，多 5,000 元")
    reason = f"visit:{visit.pk}:difference_reason"
    answer = post_json(browse(plan.liaison), url, fields(**{reason: "职工特别多，追加"})).json()
    assert answer["problems"] == []


def test_what_is_refused_is_said_in_words_and_nothing_is_stored(plan: PlanStage, browse: Any) -> None:
    plan.lock()
    visit = plan.visit("enterprise")
    typed = {f"visit:{visit.pk}:paid_money": "-1", f"visit:{visit.pk}:happened_on": "2021-13-01"}
    url = reverse("save_record", args=[plan.harbin.pk])
    answer = post_json(browse(plan.liaison), url, fields(**typed))
    assert answer.status_code == 200
    sentences = list(answer.json()["refused"].values())
    assert ["是负数" in sentences[0], "不是日期" in sentences[1]] == [True, True]
    visit.refresh_from_db()
    assert (visit.paid_money, visit.happened_on) == (None, None)


def test_the_page_hears_which_refused_text_it_must_not_keep(plan: PlanStage, browse: Any) -> None:
    plan.lock()
    wrong = f"visit:{plan.visit('enterprise').pk}:paid_money"
    told = f"visit:{plan.visit('household').pk}:wishes"
    url = reverse("save_record", args=[plan.harbin.pk])
    answer = post_json(browse(plan.liaison), url, fields(**{wrong: "-1", told: f"{NAME}想复工"})).json()
    assert set(answer["refused"]) == {wrong, told} and answer["private"] == [told]
    change(plan.first, state="planning")
    told = f"destination:{plan.harbin.pk}:note"
    url = reverse("save_plan", args=[plan.first.pk])
    assert post_json(browse(plan.liaison), url, fields(**{told: f"{NAME}家"})).json()["private"] == [told]


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("office", 200), ("liaison", 200), ("reader", 403), ("leader", 403), ("other_liaison", 403), ("host", 403),
        ("outsider", 404),
    ],
)  # fmt: skip
def test_who_may_save(plan: PlanStage, browse: Any, who: str, status: int) -> None:
    plan.lock()
    url = reverse("save_record", args=[plan.harbin.pk])
    answer = post_json(browse(getattr(plan, who)), url, {"fields": {}})
    assert answer.status_code == status
    assert status == 200 or answer.json()["error"]


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"fields": []}', '{"fields": {"a": 1}}', "[" * 9000])
def test_a_body_that_no_page_sends_is_no_error_of_ours(plan: PlanStage, browse: Any, body: str) -> None:
    plan.lock()
    url = reverse("save_record", args=[plan.harbin.pk])
    assert post_json(browse(plan.liaison), url, body).status_code == 400


def test_saving_before_the_lock_and_after_archiving_is_a_conflict_in_words(
    plan: PlanStage, browse: Any
) -> None:
    url = reverse("save_record", args=[plan.harbin.pk])
    client = browse(plan.liaison)
    assert "锁定后才能填写" in post_json(client, url, {"fields": {}}).json()["error"]
    change(plan.first, state="archived")
    answer = post_json(client, url, {"fields": {}})
    assert answer.status_code == 409 and "已归档" in answer.json()["error"]
    assert post_json(Client(), url, {"fields": {}}).status_code == 401


# -- what is open --------------------------------------------------------------------------------------------


def test_problems_lead_to_their_field_or_to_the_material(plan: PlanStage, browse: Any) -> None:
    locked_and_recorded(plan)
    visit = plan.visit("enterprise")
    change(visit, happened_on=None)
    plan.harbin.materials.filter(kind="photo").delete()
    html = browse(plan.liaison).get(record_url(plan)).content.decode()
    assert f'href="#visit-{visit.pk}-happened_on"' in html and f'id="visit-{visit.pk}-happened_on"' in html
    assert f'href="{reverse("materials", args=[plan.harbin.pk])}">还没有上传照片。' in html


def test_every_problem_has_its_place_on_the_page(plan: PlanStage, browse: Any) -> None:
    plan.lock()
    planning.add_visit(destination=plan.harbin, kind="household", by=plan.liaison)
    planning.add_visit(destination=plan.harbin, kind="enterprise", by=plan.liaison)
    change(plan.visit("enterprise"), outcome="done")
    change(plan.visit("grassroots"), outcome="done", paid_money=1, happened_on=datetime.date(2020, 1, 1))
    answer = browse(plan.liaison).get(record_url(plan))
    html = answer.content.decode()
    anchors = [p["href"][1:] for p in answer.context["problems"] if p["href"].startswith("#")]
    assert len(anchors) > 15
    assert [anchor for anchor in anchors if f'id="{anchor}"' not in html] == []


# -- archive and reopen --------------------------------------------------------------------------------------


def archive(client: Client, plan: PlanStage, **other: Any) -> Any:
    plan.first.refresh_from_db()
    body = {"revision": plan.first.revision, "destination": plan.harbin.pk, "reason": ""} | other
    return client.post(reverse("archive_delegation", args=[plan.first.pk]), body)


def test_the_office_sees_what_is_missing_everywhere_before_it_archives(plan: PlanStage, browse: Any) -> None:
    plan.lock()
    record(plan.harbin)
    html = browse(plan.office).get(record_url(plan, "?ask=archive")).content.decode()
    far = plan.at(plan.tree.daqing_oilfield)
    assert '<dialog id="archive" class="ask wide" open' in html
    assert f"{reverse('record', args=[far.pk])}#destination-{far.pk}-participants" in html
    assert '<button class="btn btn-primary">归档' not in html
    assert 'id="archive"' not in browse(plan.liaison).get(record_url(plan, "?ask=archive")).content.decode()


def test_archiving_is_refused_on_the_page_with_the_reason_kept(plan: PlanStage, browse: Any) -> None:
    locked_and_recorded(plan)
    plan.harbin.materials.filter(kind="coverage").delete()
    client = browse(plan.office)
    answer = archive(client, plan, reason="无")
    html = answer.content.decode()
    assert answer.status_code == 422 and "归档须写明原因，不少于 4 个字" in html and ">无</textarea>" in html
    assert archive(client, plan, revision="x", reason="当地没有报道").status_code == 422
    done = archive(client, plan, reason="当地没有报道")
    assert (done.status_code, done.headers["Location"]) == (302, record_url(plan))
    html = client.get(record_url(plan)).content.decode()
    assert "归档时说明：当地没有报道" in html and 'id="reopen"' in html


def test_the_office_is_told_of_more_paid_than_allowed_and_only_the_office(
    plan: PlanStage, browse: Any
) -> None:
    locked_and_recorded(plan)
    change(FundSource.objects.all()[0], ceiling=13_000_000)
    html = browse(plan.office).get(record_url(plan, "?ask=archive")).content.decode()
    assert "超过上限 130,000 元，多 2,000 元" in html and 'id="archive-reason"' in html
    for who in ("liaison", "reader", "leader"):
        assert "超过上限" not in browse(getattr(plan, who)).get(record_url(plan)).content.decode()
    assert archive(browse(plan.office), plan).status_code == 422
    assert archive(browse(plan.office), plan, reason="上级追加资金").status_code == 302


def test_archiving_unfinished_records_lists_every_sentence(plan: PlanStage, browse: Any) -> None:
    locked_and_recorded(plan)
    change(plan.harbin, participants="")
    change(plan.visit("enterprise"), outcome="")
    answer = archive(browse(plan.office), plan)
    html = answer.content.decode()
    assert answer.status_code == 422 and "有 2 处须先处理" in html
    assert "参加人员没有填。" in html and "困难企业（演示机械厂）还没有填完成情况。" in html


def test_opening_again_needs_a_reason(plan: PlanStage, browse: Any) -> None:
    locked_and_recorded(plan)
    client = browse(plan.office)
    archive(client, plan)
    url = reverse("reopen_delegation", args=[plan.first.pk])
    refused = client.post(url, {"reason": "改", "destination": plan.harbin.pk})
    assert refused.status_code == 422 and "重新打开须写明原因" in refused.content.decode()
    assert client.post(url, {"reason": "实付金额有误"}).headers["Location"] == record_url(plan)
    again = client.post(url, {"reason": "实付金额有误"}, follow=True)
    assert "操作没有进行" in again.content.decode()


@pytest.mark.parametrize("name", ["archive_delegation", "reopen_delegation"])
@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("reader", 403),
        ("liaison", 403),
        ("leader", 403),
        ("other_liaison", 403),
        ("host", 404),
        ("outsider", 404),
    ],
)
def test_nobody_else_closes_or_opens(plan: PlanStage, browse: Any, name: str, who: str, status: int) -> None:
    plan.lock()
    url = reverse(name, args=[plan.first.pk])
    assert browse(getattr(plan, who)).post(url, {"reason": "测试一下"}).status_code == status
    assert browse(plan.office).get(url).status_code == 405


# -- the page of the visited union ---------------------------------------------------------------------------


def host_page(plan: PlanStage, browse: Any, who: str = "host") -> Any:
    return browse(getattr(plan, who)).get(reverse("destination", args=[plan.harbin.pk]))


@pytest.mark.parametrize(
    ("who", "status"),
    [*((who, 200) for who in (*PLAN_PEOPLE, "host")), ("other_liaison", 403), ("outsider", 404)],
)
def test_who_sees_the_page_of_a_visited_union(plan: PlanStage, browse: Any, who: str, status: int) -> None:
    assert host_page(plan, browse, who).status_code == status


def test_the_place_reads_its_own_plan_and_nothing_of_others(plan: PlanStage, browse: Any) -> None:
    far = plan.at(plan.tree.daqing_oilfield)
    change(plan.visit("enterprise", far), name="大庆演示厂", money=4_900_000)
    change(plan.first, liaison_phone="0451-53644106")
    change(
        plan.visit("enterprise"),
        amount_reason="甲备注内部",
        note="乙备注内部",
        difference_reason="丙备注内部",
        money=4_400_000,
    )
    change(plan.harbin, note="丁备注内部", surplus_reason="戊备注内部", travellers_reason="己备注内部")
    html = host_page(plan, browse).content.decode()
    for words in (
        "第1慰问组",
        "带队领导甲",
        "联络员甲",
        "0451-53644106",
        "办公室、权益保障部",
        "44,000",
        "张＊＊",
    ):
        assert words in html
    for words in ("大庆", "49,000", "备注内部", NAME, "上限"):
        assert words not in html
    assert browse(plan.host).get(reverse("destination", args=[far.pk])).status_code == 404


def test_the_place_reads_the_record_once_it_is_written(plan: PlanStage, browse: Any) -> None:
    record(plan.harbin)
    change(plan.visit("enterprise"), wishes="希望缓缴社保", paid_money=4_500_000)
    assert "希望缓缴社保" not in host_page(plan, browse).content.decode(), "the plan is open"
    plan.lock()
    html = host_page(plan, browse).content.decode()
    assert "希望缓缴社保" in html and "45,000" in html and "演示内容" in html


def test_the_place_finds_its_material(plan: PlanStage, browse: Any) -> None:
    file_material(plan, plan.harbin, "photo")
    link = reverse("material_file", args=[plan.harbin.materials.get().pk])
    assert link in host_page(plan, browse).content.decode()


def propose(plan: PlanStage, browse: Any, who: str = "host", **other: str) -> Any:
    body = {"kind": "enterprise", "category": "epidemic", "name": "演示客运公司", "why": "停运三个月"} | other
    return browse(getattr(plan, who)).post(reverse("propose_visit", args=[plan.harbin.pk]), body)


def test_a_proposal_and_its_answer_stand_on_the_places_page(plan: PlanStage, browse: Any) -> None:
    assert propose(plan, browse, why="停运三个月，职工困难").status_code == 302
    assert "待答复" in host_page(plan, browse).content.decode()
    proposals.answer(
        visit=Visit.objects.get(standing="proposed"), accept=False, text="已安排一家企业", by=plan.liaison
    )
    html = host_page(plan, browse).content.decode()
    assert "未采纳" in html and "已安排一家企业" in html


def test_a_refused_proposal_keeps_what_was_typed(plan: PlanStage, browse: Any) -> None:
    answer = propose(plan, browse, kind="household", category="migrant", name="李大山", why="贫困")
    html = answer.content.decode()
    assert answer.status_code == 422 and "现有 2 个字" in html
    assert 'value="李大山"' in html and ">贫困</textarea>" in html
    assert '<option value="household" selected>' in html and '<option value="migrant" selected>' in html
    assert "no-store" in answer.headers["Cache-Control"]
    assert not Visit.objects.filter(standing="proposed").exists()


def test_a_proposal_after_the_lock_is_told_so_and_not_lost(plan: PlanStage, browse: Any) -> None:
    plan.lock()
    answer = propose(plan, browse)
    html = answer.content.decode()
    assert answer.status_code == 409 and "计划已锁定" in html and "演示客运公司" in html


def test_a_proposal_to_a_place_that_was_removed_meanwhile_is_not_lost(
    plan: PlanStage, browse: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = proposals.lock_delegation

    def slowly(pk: int) -> Delegation:
        plan.harbin.delete()
        return lock(pk)

    monkeypatch.setattr(proposals, "lock_delegation", slowly)
    answer = propose(plan, browse)
    html = answer.content.decode()
    assert answer.status_code == 409 and "已被同事删除" in html and "演示客运公司" in html


def test_who_only_reads_at_the_place_finds_no_form(plan: PlanStage, browse: Any) -> None:
    auditor = plan.actor(plan.tree.harbin, Role.AUDITOR)
    html = browse(auditor).get(reverse("destination", args=[plan.harbin.pk])).content.decode()
    assert 'id="propose"' not in html and 'id="propose"' in host_page(plan, browse).content.decode()


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("office", 403),
        ("reader", 403),
        ("liaison", 403),
        ("leader", 403),
        ("other_liaison", 403),
        ("outsider", 404),
    ],
)
def test_others_do_not_propose(plan: PlanStage, browse: Any, who: str, status: int) -> None:
    assert propose(plan, browse, who).status_code == status
    assert not Visit.objects.filter(standing="proposed").exists()


# -- cost ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["record", "destination"])
def test_a_page_costs_the_same_however_much_there_is(plan: PlanStage, browse: Any, name: str) -> None:
    plan.lock()
    client = browse(plan.liaison)
    url = reverse(name, args=[plan.harbin.pk])
    client.get(url)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        return len(queries)

    few = cost()
    source = FundSource.objects.all()[0]
    for number in range(30):
        Visit.objects.create(
            destination=plan.harbin,
            kind="household",
            standing="planned" if number % 2 else "declined",
            outcome="done",
            paid_money=1,
            paid_source=source,
            wishes="希望",
            proposed_by=plan.host.person,
            proposed_at=datetime.datetime(2021, 1, 1, tzinfo=datetime.UTC),
            answered_by=plan.liaison.person,
            answered_at=datetime.datetime(2021, 1, 1, tzinfo=datetime.UTC),
        )
    for union in (plan.tree.nangang,):
        Destination.objects.create(delegation=plan.first, campaign=plan.campaign, union=union, position=5)
    file_material(plan, plan.harbin)
    assert cost() == few


def test_saving_costs_the_same_however_much_there_is(plan: PlanStage, browse: Any) -> None:
    plan.lock()
    client, visit = browse(plan.liaison), plan.visit("enterprise")
    url = reverse("save_record", args=[plan.harbin.pk])

    def cost(text: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert (
                post_json(
                    client, url, {"fields": {f"visit:{visit.pk}:wishes": {"base": "", "value": text}}}
                ).status_code
                == 200
            )
        return len(queries)

    cost("第一次")
    change(visit, wishes="")
    few = cost("第二次")
    change(visit, wishes="")
    for _ in range(30):
        Visit.objects.create(destination=plan.harbin, kind="household", outcome="done", paid_money=1)
    assert cost("第三次") == few
    assert Delegation.objects.get(pk=plan.first.pk).revision > 0
