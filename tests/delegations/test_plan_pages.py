"""The pages where one delegation's plan is written: who sees what, what a save answers, what a button does."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from delegations import budget, planning, proposals
from delegations.models import Delegation, Destination, FundSource, PlanEvent, Visit
from delegations.money import show_yuan
from delegations.personal import disclosure
from delegations.plan_page import PlanPage
from delegations.planning import MOST_VISITS
from reporting.models import Message
from tests.cast import person
from tests.delegations.stage import IDENTITY_NUMBER, NAME, PlanStage, fill
from unions.gate import Actor, Role
from unions.models import Post

Browse = Callable[[Actor], Client]


def page_of(client: Client, delegation: Delegation) -> str:
    response = client.get(reverse("delegation", args=[delegation.pk]))
    assert response.status_code == 200
    return response.content.decode()


def type_in(client: Client, delegation: Delegation, **options: Any) -> Any:
    """`fields` as the page sends them: code → (base, value)."""
    fields = {code: {"base": base, "value": value} for code, (base, value) in options.pop("fields").items()}
    return client.post(
        reverse("save_plan", args=[delegation.pk]),
        json.dumps({"fields": fields, **options}),
        content_type="application/json",
        headers={"Accept": "application/json"},
    )


def said(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def main_of(html: str) -> str:
    return html.split('<main id="main"')[1].split("</main>")[0]


# -- who sees what -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["office", "liaison"])
def test_who_plans_gets_an_editor(plan: PlanStage, browse: Browse, who: str) -> None:
    html = page_of(browse(getattr(plan, who)), plan.first)
    visit = plan.visit("enterprise")
    for code in (f"visit:{visit.pk}:money", f"destination:{plan.harbin.pk}:first_day"):
        assert f'data-code="{code}"' in html
    assert f'id="visit-{visit.pk}-money"' in html and 'value="40000"' in html
    assert ("锁定计划" in html) == (who == "office")


@pytest.mark.parametrize("who", ["reader", "leader"])
def test_who_reads_gets_the_same_plan_without_anything_to_fill_in(
    plan: PlanStage, browse: Browse, who: str
) -> None:
    main = main_of(page_of(browse(getattr(plan, who)), plan.first))
    assert "演示机械厂" in main and "40,000" in main and "张＊＊" in main
    assert not re.search(r"<(input|select|textarea|form)\b", main)
    assert "typed-state" not in main


@pytest.mark.parametrize("who", ["office", "liaison"])
def test_a_locked_plan_is_read_by_everybody(plan: PlanStage, browse: Browse, who: str) -> None:
    plan.lock()
    main = main_of(page_of(browse(getattr(plan, who)), plan.first))
    assert "计划已锁定，不能再改" in main and "data-code" not in main
    assert ("解除锁定</button>" in main) == (who == "office")


def test_another_delegations_liaison_hears_whose_it_is_and_a_host_nothing(
    plan: PlanStage, browse: Browse
) -> None:
    url = reverse("delegation", args=[plan.first.pk])
    refused = browse(plan.other_liaison).get(url)
    assert refused.status_code == 403 and "这是第1慰问组的内容" in refused.content.decode()
    assert browse(plan.host).get(url).status_code == 404
    assert browse(plan.outsider).get(url).status_code == 404


def test_a_household_is_never_named_in_full(plan: PlanStage, browse: Browse) -> None:
    proposals.propose(
        destination=plan.harbin,
        kind="household",
        category="worker",
        name=NAME,
        why="家中有重病人",
        by=plan.host,
    )
    for who in (plan.office, plan.liaison, plan.leader, plan.reader):
        html = page_of(browse(who), plan.first)
        assert NAME not in html and IDENTITY_NUMBER not in html and "13800000000" not in html
        assert "张＊＊" in html


def test_a_household_has_a_link_to_its_data_and_no_field_for_its_name(
    plan: PlanStage, browse: Browse
) -> None:
    household = plan.visit("household")
    html = page_of(browse(plan.liaison), plan.first)
    assert reverse("household", args=[household.pk]) in html
    assert f"visit:{household.pk}:name" not in html


# -- what stands on it -------------------------------------------------------------------------------------


def spoil(plan: PlanStage) -> None:
    """Every kind of problem once."""
    harbin = plan.harbin
    Destination.objects.filter(pk=harbin.pk).update(
        first_day="2020-12-24", last_day="2021-01-07", travellers=9, contact_phone=""
    )
    far = plan.at(plan.tree.daqing_oilfield)
    Destination.objects.filter(pk=far.pk).update(travellers=None, last_day="2021-01-01")
    planning.add_visit(destination=harbin, kind="grassroots", by=plan.liaison)
    planning.remove_visit(visit=plan.visit("household"), by=plan.liaison)
    Visit.objects.filter(pk=plan.visit("enterprise").pk).update(money=1, goods=1, source=None)
    Visit.objects.filter(pk=plan.visit("on_site").pk).update(amount_reason="该同志家中困难", money=300_000)
    Delegation.objects.filter(pk=plan.first.pk).update(leader_name="", liaison_name="")
    FundSource.objects.filter(campaign=plan.campaign).update(ceiling=1)


@pytest.mark.parametrize("who", ["office", "liaison", "reader"])
def test_every_problem_leads_to_something_on_the_page(plan: PlanStage, browse: Browse, who: str) -> None:
    spoil(plan)
    html = page_of(browse(getattr(plan, who)), plan.first)
    found = PlanPage(plan.first.pk).problems
    assert {p.level for p in found} == {"error", "query", "gap"} and len(found) > 12
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert {p.anchor for p in found} - set(ids) == set()
    for problem in found:
        assert problem.sentence in html


def test_errors_come_first_and_what_was_explained_says_so(plan: PlanStage) -> None:
    spoil(plan)
    lines = PlanPage(plan.first.pk).problem_lines
    order = ["error", "query", "gap"]
    assert [order.index(line["level"]) for line in lines] == sorted(
        order.index(line["level"]) for line in lines
    )
    explained = [line for line in lines if line["is_explained"]]
    assert len(explained) == 1 and not explained[0]["stops"]
    assert explained[0]["reason"] == "该同志家中困难"


def test_a_field_for_a_reason_is_there_when_it_is_asked_for(plan: PlanStage, browse: Browse) -> None:
    visit, code = plan.visit("enterprise"), f"visit-{plan.visit('enterprise').pk}-amount_reason"
    holder = re.compile(rf'<div class="v-reason" data-field data-amount-reason( hidden)?><label for="{code}"')
    client = browse(plan.liaison)
    assert holder.search(page_of(client, plan.first))[1] == " hidden"  # type: ignore[index]
    Visit.objects.filter(pk=visit.pk).update(money=6_000_000)
    assert holder.search(page_of(client, plan.first))[1] is None  # type: ignore[index]
    assert "超过标准 10,000 元" in page_of(client, plan.first)


def test_the_budget_is_the_one_of_every_other_table(plan: PlanStage, browse: Browse) -> None:
    Visit.objects.filter(pk=plan.visit("grassroots").pk).update(source=plan.sources()[1])
    FundSource.objects.filter(pk=plan.sources()[0].pk).update(ceiling=20_000_000)
    html = page_of(browse(plan.leader), plan.first)

    def shown(key: str) -> str:
        return re.search(rf'data-sum="{key}">([^<]*)<', html)[1]  # type: ignore[index]

    cube = budget.lines(Delegation.objects.all())
    own = [line for line in cube if line.delegation == plan.first.pk]
    assert shown("delegation") == show_yuan(budget.total(own).planned) == "132,000"
    assert shown("all") == show_yuan(budget.total(cube).planned) == "198,000"
    assert shown(f"destination:{plan.harbin.pk}") == "66,000"
    assert (shown("kind:enterprise"), shown("kind:household")) == ("80,000", "8,000")
    first, second = plan.sources()
    assert (shown(f"source:{first.pk}"), shown(f"used:{first.pk}")) == ("112,000", "178,000")
    assert (shown(f"source:{second.pk}"), shown(f"used:{second.pk}")) == ("20,000", "20,000")
    assert "余 22,000 元" in html


def test_a_source_beyond_its_ceiling_is_an_error_of_every_delegation(plan: PlanStage, browse: Browse) -> None:
    FundSource.objects.filter(pk=plan.sources()[0].pk).update(ceiling=19_000_000)
    for who, delegation in ((plan.liaison, plan.first), (plan.other_liaison, plan.second)):
        html = page_of(browse(who), delegation)
        assert "超出上限 8,000 元" in html and "超过上限 190,000 元，多 8,000 元" in html


def queries(client: Client, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize("who", ["liaison", "office", "leader"])
def test_fifty_rows_cost_what_five_cost(plan: PlanStage, browse: Browse, who: str) -> None:
    client, url = browse(getattr(plan, who)), reverse("delegation", args=[plan.first.pk])
    few = queries(client, url)
    for destination in plan.first.destinations.all():
        for _ in range(4):
            fill(destination)
    assert Visit.objects.filter(destination__delegation=plan.first).count() == 50
    assert queries(client, url) == few <= 16


# -- saving ------------------------------------------------------------------------------------------------


def test_a_save_answers_what_stands_and_what_is_wrong_now(plan: PlanStage, browse: Browse) -> None:
    client, visit = browse(plan.liaison), plan.visit("enterprise")
    code, revision = f"visit:{visit.pk}:money", plan.first.revision
    response = type_in(client, plan.first, fields={code: ("40000", "6万")}, person=plan.liaison.person.pk)
    answer = response.json()
    assert response.status_code == 200
    assert answer["fields"] == {code: "60000"}
    assert (answer["conflicts"], answer["refused"], answer["revision"]) == ([], {}, revision + 1)
    assert re.fullmatch(r"\d\d:\d\d", answer["at"])
    (line,) = answer["problems"]
    assert (line["level"], line["label"], line["where"]) == ("query", "核实", "哈尔滨")
    assert line["anchor"] == f"visit-{visit.pk}-amount_reason" and "超过标准 10,000 元" in line["sentence"]
    # What the other delegations plan comes along, so that what is left can be reckoned while typing.
    source = plan.sources()[0]
    assert answer["others"]["total"] == answer["others"]["sources"][str(source.pk)] == "6600000"


def test_what_is_refused_is_said_and_the_rest_is_saved(plan: PlanStage, browse: Browse) -> None:
    visit = plan.visit("enterprise")
    codes = {name: f"visit:{visit.pk}:{name}" for name in ("money", "goods", "name")}
    fields = {
        codes["money"]: ("40000", "三万"),
        codes["goods"]: ("", "-1"),
        codes["name"]: ("演示机械厂", "新名"),
    }
    answer = type_in(browse(plan.liaison), plan.first, fields=fields).json()
    assert answer["fields"] == {codes["name"]: "新名"}
    assert (
        "不是金额" in answer["refused"][codes["money"]] and "不能小于 0" in answer["refused"][codes["goods"]]
    )
    visit.refresh_from_db()
    assert (visit.money, visit.goods, visit.name) == (4_000_000, None, "新名")


def test_two_people_at_one_field_get_a_choice(plan: PlanStage, browse: Browse) -> None:
    code = f"destination:{plan.harbin.pk}:travellers"
    type_in(browse(plan.office), plan.first, fields={code: ("4", "5")})
    answer = type_in(browse(plan.liaison), plan.first, fields={code: ("4", "3")}).json()
    assert answer["fields"] == {} and answer["conflicts"][0]["theirs"] == "5"
    assert plan.harbin.travellers == 5


def test_who_may_not_plan_saves_nothing(plan: PlanStage, browse: Browse) -> None:
    code, stands = f"destination:{plan.harbin.pk}:travellers", plan.harbin.travellers
    fields = {code: ("4", "3")}
    for who, status, sentence in (
        (plan.leader, 403, "您的角色不能进行此项操作"),
        (plan.reader, 403, "您的角色不能进行此项操作"),
        (plan.other_liaison, 403, "这是第1慰问组的内容"),
        (plan.host, 404, "当前单位下没有这项内容"),
    ):
        response = type_in(browse(who), plan.first, fields=fields)
        assert response.status_code == status and sentence in response.json()["error"]
    assert type_in(Client(), plan.first, fields=fields).status_code == 401
    plan.lock()
    response = type_in(browse(plan.liaison), plan.first, fields=fields)
    assert response.status_code == 409 and "计划已锁定" in response.json()["error"]
    assert plan.harbin.travellers == stands


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"fields": []}', '{"fields": {"visit:1:money": "3"}}'])
def test_what_no_page_would_send_is_a_400(plan: PlanStage, browse: Browse, body: str) -> None:
    url = reverse("save_plan", args=[plan.first.pk])
    response = browse(plan.liaison).post(url, body, content_type="application/json")
    assert response.status_code == 400 and response.json()["error"]


def test_what_another_person_typed_on_this_machine_is_not_saved_under_my_name(
    plan: PlanStage, browse: Browse
) -> None:
    fields = {f"destination:{plan.harbin.pk}:travellers": ("4", "3")}
    response = type_in(browse(plan.liaison), plan.first, fields=fields, person=plan.office.person.pk)
    assert response.status_code == 409 and "请用原账号登录" in response.json()["error"]


def test_a_save_costs_the_same_in_a_long_plan(plan: PlanStage, browse: Browse) -> None:
    client, code = browse(plan.liaison), f"destination:{plan.harbin.pk}:note"

    def cost(base: str, text: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert type_in(client, plan.first, fields={code: (base, text)}).status_code == 200
        return len(captured)

    cost("", "甲")
    few = cost("甲", "乙")
    for destination in plan.first.destinations.all():
        for _ in range(4):
            fill(destination)
    assert cost("乙", "丙") == few


# -- visits ------------------------------------------------------------------------------------------------


def post(client: Client, name: str, of: int, **data: Any) -> Any:
    return client.post(reverse(name, args=[of]), data)


def test_a_new_visit_is_where_the_page_comes_back_to(plan: PlanStage, browse: Browse) -> None:
    response = post(browse(plan.liaison), "add_visit", plan.harbin.pk, kind="on_site")
    made = Visit.objects.order_by("pk").last()
    assert made is not None and (made.kind, made.standing) == ("on_site", "planned")
    assert response["Location"] == f"{reverse('delegation', args=[plan.first.pk])}#visit-{made.pk}-category"


def test_a_visit_of_no_kind_is_refused_in_words(plan: PlanStage, browse: Browse) -> None:
    client, before = browse(plan.liaison), Visit.objects.count()
    response = client.post(reverse("add_visit", args=[plan.harbin.pk]), {"kind": "factory"}, follow=True)
    assert said(response) == ["没有这一类走访对象，请刷新页面。"] and Visit.objects.count() == before


def test_more_visits_than_anybody_could_make_are_refused(plan: PlanStage, browse: Browse) -> None:
    Visit.objects.bulk_create(
        Visit(destination=plan.harbin, kind="household") for _ in range(MOST_VISITS - 5)
    )
    response = browse(plan.liaison).post(
        reverse("add_visit", args=[plan.harbin.pk]), {"kind": "on_site"}, follow=True
    )
    assert "已有 40 个，不能再增加" in said(response)[0]


def test_on_the_way_a_visit_is_added_to_the_record(plan: PlanStage, browse: Browse) -> None:
    plan.lock()
    client, record = browse(plan.liaison), reverse("record", args=[plan.harbin.pk])
    response = post(client, "add_visit", plan.harbin.pk, kind="household")
    made = Visit.objects.order_by("pk").last()
    assert made is not None and made.standing == "unplanned"
    assert response["Location"] == f"{record}#visit-{made.pk}"
    response = post(client, "remove_visit", made.pk)
    assert response["Location"] == f"{record}#destination-{plan.harbin.pk}"
    assert not Visit.objects.filter(pk=made.pk).exists()


def test_a_locked_plans_visit_is_not_removed(plan: PlanStage, browse: Browse) -> None:
    plan.lock()
    visit = plan.visit("enterprise")
    response = browse(plan.liaison).post(reverse("remove_visit", args=[visit.pk]))
    assert response["Location"].startswith(reverse("record", args=[plan.harbin.pk]))
    assert Visit.objects.filter(pk=visit.pk).exists()


def test_completing_adds_what_the_notice_asks_for(plan: PlanStage, browse: Browse) -> None:
    client = browse(plan.liaison)
    for kind in ("household", "on_site"):
        response = post(client, "remove_visit", plan.visit(kind).pk)
        assert response["Location"].endswith(f"#destination-{plan.harbin.pk}")
    assert "按通知要求配齐" in page_of(client, plan.first)
    response = client.post(reverse("complete_visits", args=[plan.harbin.pk]), follow=True)
    assert said(response) == ["哈尔滨已按通知要求配齐，增加 2 个走访对象。"]
    kinds = sorted(plan.harbin.visits.values_list("kind", flat=True))
    assert kinds == ["enterprise", "grassroots", "household", "household", "on_site"]
    assert "按通知要求配齐" not in page_of(client, plan.first)


@pytest.mark.parametrize("name", ["add_visit", "complete_visits"])
def test_visits_come_and_go_by_who_plans_only(plan: PlanStage, browse: Browse, name: str) -> None:
    before = Visit.objects.count()
    for who, status in ((plan.leader, 403), (plan.reader, 403), (plan.other_liaison, 403), (plan.host, 403)):
        client = browse(who)
        assert post(client, name, plan.harbin.pk, kind="on_site").status_code == status
        assert post(client, "remove_visit", plan.visit("on_site").pk).status_code == status
    assert post(browse(plan.outsider), name, plan.harbin.pk, kind="on_site").status_code == 404
    assert Visit.objects.count() == before


# -- what a place proposes ---------------------------------------------------------------------------------


@pytest.fixture
def proposal(plan: PlanStage) -> Visit:
    return proposals.propose(
        destination=plan.harbin,
        kind="enterprise",
        category="epidemic",
        name="演示客运站",
        why="停运近一年",
        by=plan.host,
    )


def test_a_proposal_stands_with_its_destination(plan: PlanStage, proposal: Visit, browse: Browse) -> None:
    html = page_of(browse(plan.liaison), plan.first)
    for words in ("当地建议", "演示客运站", "受疫情影响严重", "停运近一年", "哈尔滨填报员"):
        assert words in html
    assert reverse("answer_proposal", args=[proposal.pk]) in html
    reading = page_of(browse(plan.leader), plan.first)
    assert "演示客运站" in reading and reverse("answer_proposal", args=[proposal.pk]) not in reading


def test_accepting_makes_it_a_row_of_the_plan(plan: PlanStage, proposal: Visit, browse: Browse) -> None:
    client = browse(plan.liaison)
    response = post(client, "answer_proposal", proposal.pk, do="accept")
    assert response["Location"].endswith(f"#visit-{proposal.pk}-money")
    html = page_of(client, plan.first)
    assert f'data-code="visit:{proposal.pk}:money"' in html and "已答复 1 条" in html
    # Whoever still has the old page open hears that it was answered.
    again = client.post(reverse("answer_proposal", args=[proposal.pk]), {"do": "accept"}, follow=True)
    assert "已经答复过" in said(again)[0]


def test_declining_needs_a_reason_and_keeps_what_was_typed(
    plan: PlanStage, proposal: Visit, browse: Browse
) -> None:
    client = browse(plan.liaison)
    refused = post(client, "answer_proposal", proposal.pk, do="decline", reason="不行")
    assert refused.status_code == 422
    assert "不采纳须写明原因，不少于 4 个字。" in refused.content.decode()
    assert 'value="不行"' in refused.content.decode()
    proposal.refresh_from_db()
    assert proposal.standing == "proposed"
    response = post(client, "answer_proposal", proposal.pk, do="decline", reason="今年已安排其他企业")
    assert response.status_code == 302
    assert "今年已安排其他企业" in page_of(client, plan.first)


# -- locking -----------------------------------------------------------------------------------------------


def test_the_dialog_shows_what_is_locked(plan: PlanStage, browse: Browse) -> None:
    planning.remove_visit(visit=plan.visit("household"), by=plan.liaison)
    html = page_of(browse(plan.office), plan.first)
    dialog = html.split('id="lock-dialog"')[1].split("</dialog>")[0]
    for words in ("1月5日 至 1月6日", "1月7日 至 1月8日", "2020年助困送温暖资金", "130,000", "缺 1 户"):
        assert words in dialog
    plan.first.refresh_from_db()
    assert f'name="revision" value="{plan.first.revision}"' in dialog


def test_locking_what_was_seen(plan: PlanStage, browse: Browse) -> None:
    client = browse(plan.office)
    response = client.post(
        reverse("lock_plan", args=[plan.first.pk]), {"revision": plan.first.revision}, follow=True
    )
    assert said(response) == ["第1慰问组的计划已锁定，联络员和带队领导会收到消息。"]
    plan.first.refresh_from_db()
    assert plan.first.state == "locked"
    assert Message.objects.filter(person=plan.liaison.person).exists()


def test_what_stops_it_is_listed_and_nothing_is_locked(plan: PlanStage, browse: Browse) -> None:
    spoil(plan)
    plan.first.refresh_from_db()
    response = post(browse(plan.office), "lock_plan", plan.first.pk, revision=plan.first.revision)
    html = response.content.decode()
    assert response.status_code == 422 and "的计划还不能锁定，有" in html
    assert "第1慰问组 哈尔滨：走访日期 2020-12-24 至 2021-01-07 不在通知规定的" in html
    dialog = html.split('id="lock-dialog"')[1].split("</dialog>")[0]
    assert "还不能锁定" in dialog and "确认锁定" not in dialog
    plan.first.refresh_from_db()
    assert plan.first.state == "planning"


def test_an_unanswered_proposal_keeps_it_open(plan: PlanStage, proposal: Visit, browse: Browse) -> None:
    client = browse(plan.office)
    assert "还有 1 条当地建议没有答复" in page_of(client, plan.first)
    plan.first.refresh_from_db()
    response = post(client, "lock_plan", plan.first.pk, revision=plan.first.revision)
    assert response.status_code == 422 and "还有 1 条当地建议没有答复" in response.content.decode()


@pytest.mark.parametrize("revision", ["", "x", "99999999999999999999", None])
def test_a_page_that_does_not_say_what_it_saw_locks_nothing(
    plan: PlanStage, browse: Browse, revision: str | None
) -> None:
    data = {} if revision is None else {"revision": revision}
    response = post(browse(plan.office), "lock_plan", plan.first.pk, **data)
    assert response.status_code == 422 and "请看过现在的内容后再操作" in response.content.decode()


def test_a_change_after_the_dialog_was_opened_stops_it(plan: PlanStage, browse: Browse) -> None:
    seen = plan.first.revision
    type_in(browse(plan.liaison), plan.first, fields={f"destination:{plan.harbin.pk}:travellers": ("4", "3")})
    response = post(browse(plan.office), "lock_plan", plan.first.pk, revision=seen)
    assert response.status_code == 422 and "又有变化（联络员甲刚才" in response.content.decode()


def test_unlocking_asks_why_and_keeps_what_was_typed(plan: PlanStage, browse: Browse) -> None:
    plan.lock()
    client = browse(plan.office)
    response = post(client, "unlock_plan", plan.first.pk, reason="改期")
    html = response.content.decode()
    assert response.status_code == 422 and "解除锁定须写明原因，不少于 4 个字。" in html
    assert "data-open" in html and ">改期</textarea>" in html
    response = client.post(
        reverse("unlock_plan", args=[plan.first.pk]), {"reason": "大庆油田调整日期"}, follow=True
    )
    assert said(response) == ["第1慰问组的计划已解除锁定，可以修改。"]
    again = client.post(
        reverse("unlock_plan", args=[plan.first.pk]), {"reason": "大庆油田调整日期"}, follow=True
    )
    assert said(again) and "操作没有进行" in said(again)[0]


def test_only_the_office_locks_and_unlocks(plan: PlanStage, browse: Browse) -> None:
    for who in (plan.liaison, plan.leader, plan.reader):
        for name in ("lock_plan", "unlock_plan"):
            assert post(browse(who), name, plan.first.pk, revision=0, reason="试一试看").status_code == 403


# -- the head and the way ----------------------------------------------------------------------------------


def head_form(client: Client, delegation: Delegation) -> dict[str, str]:
    """What the page would send if nobody touched it."""
    response = client.get(reverse("delegation_head", args=[delegation.pk]))
    form = response.context["form"]
    return dict(form.initial) | dict(form.shown)


def test_the_office_arranges_leader_members_and_liaison(plan: PlanStage, browse: Browse) -> None:
    client = browse(plan.office)
    new = person(plan.tree.province, Role.LIAISON, name="联络员丙")
    data = head_form(client, plan.first)
    data |= {
        "member_units": "办公室、 财务资产部；\r\n 女工部 ",
        "liaison": str(new.pk),
        "liaison_phone": "0451-1",
    }
    response = client.post(reverse("delegation_head", args=[plan.first.pk]), data)
    assert response.status_code == 302
    plan.first.refresh_from_db()
    assert plan.first.member_units == ["办公室", "财务资产部", "女工部"]
    assert (plan.first.liaison, plan.first.liaison_phone) == (new, "0451-1")
    assert Message.objects.filter(person=new).exists()


def test_saving_an_untouched_head_changes_and_notes_nothing(plan: PlanStage, browse: Browse) -> None:
    client = browse(plan.office)
    before = PlanEvent.objects.count()
    client.post(reverse("delegation_head", args=[plan.first.pk]), head_form(client, plan.first))
    assert PlanEvent.objects.count() == before


def test_a_colleagues_change_of_the_head_is_not_written_over(plan: PlanStage, browse: Browse) -> None:
    client, url = browse(plan.office), reverse("delegation_head", args=[plan.first.pk])
    data = head_form(client, plan.first)
    Delegation.objects.filter(pk=plan.first.pk).update(leader_name="别的领导", liaison_phone="0451-2")
    refused = client.post(url, data | {"leader_name": "我的领导"})
    html = refused.content.decode()
    assert refused.status_code == 422 and "带队领导刚被他人改为“别的领导”" in html
    assert 'value="我的领导"' in html and 'value="0451-2"' in html
    plan.first.refresh_from_db()
    assert plan.first.leader_name == "别的领导"
    # Once it was said, saving again means it.
    form = refused.context["form"]
    again = client.post(url, {**form.data, **dict(form.shown), "leader_name": "我的领导"})
    assert again.status_code == 302
    plan.first.refresh_from_db()
    assert (plan.first.leader_name, plan.first.liaison_phone) == ("我的领导", "0451-2")


def test_an_account_without_the_post_is_refused_and_the_rest_stays_typed(
    plan: PlanStage, browse: Browse
) -> None:
    client, url = browse(plan.office), reverse("delegation_head", args=[plan.first.pk])
    data = head_form(client, plan.first) | {"liaison_phone": "0451-3"}
    Post.objects.filter(person=plan.liaison.person, role=Role.LIAISON).delete()
    refused = client.post(url, data)
    html = refused.content.decode()
    assert refused.status_code == 422 and "没有省总工会“联络员”的任职" in html and 'value="0451-3"' in html
    plan.first.refresh_from_db()
    assert plan.first.liaison_phone == ""


def test_a_name_that_is_too_long_is_refused(plan: PlanStage, browse: Browse) -> None:
    client, url = browse(plan.office), reverse("delegation_head", args=[plan.first.pk])
    refused = client.post(url, head_form(client, plan.first) | {"leader_name": "长" * 31})
    assert refused.status_code == 422 and "长" * 31 in refused.content.decode()


def test_without_an_account_to_choose_the_page_says_how_to_make_one(plan: PlanStage, browse: Browse) -> None:
    client, url = browse(plan.office), reverse("delegation_head", args=[plan.first.pk])
    assert "新建账号" not in client.get(url).content.decode()
    Post.objects.filter(role=Role.LIAISON).delete()
    html = client.get(url).content.decode()
    assert "新建账号" in html and "角色选联络员" in html and reverse("new_person") in html


def test_only_the_office_arranges_and_only_while_it_is_planned(plan: PlanStage, browse: Browse) -> None:
    for who in (plan.liaison, plan.leader, plan.reader):
        client = browse(who)
        assert client.get(reverse("delegation_head", args=[plan.first.pk])).status_code == 403
        for name, pk in (
            ("add_destination", plan.first.pk),
            ("order_destinations", plan.first.pk),
            ("remove_delegation", plan.first.pk),
            ("remove_destination", plan.harbin.pk),
        ):
            assert post(client, name, pk).status_code == 403
    plan.lock()
    client, url = browse(plan.office), reverse("delegation_head", args=[plan.first.pk])
    page = client.get(url).content.decode()
    assert "请先解除锁定" in page and reverse("add_destination", args=[plan.first.pk]) not in page
    union = {"union": plan.tree.outsider.code}
    answer = client.post(reverse("add_destination", args=[plan.first.pk]), union, follow=True)
    assert "计划已锁定" in said(answer)[0]
    assert plan.first.destinations.count() == 2


def test_people_change_also_after_the_lock_and_both_liaisons_are_told(
    plan: PlanStage, browse: Browse
) -> None:
    plan.lock()
    planning.set_head(
        delegation=plan.first,
        by=plan.office,
        leader_name="带队领导甲",
        member_units=["办公室"],
        liaison_name="",
        liaison_phone="0451-1",
        leader=plan.leader.person,
        liaison=plan.other_liaison.person,
    )
    told = dict(Message.objects.values_list("person__name", "text"))
    assert "您是" in told["联络员乙"] and "请填写走访记录" in told["联络员乙"]
    assert "您不再办理" in told["联络员甲"]
    assert browse(plan.liaison).get(reverse("delegation", args=[plan.first.pk])).status_code == 403


def test_a_head_typed_while_the_delegation_was_archived_stays_on_the_page(
    plan: PlanStage, browse: Browse
) -> None:
    Delegation.objects.filter(pk=plan.first.pk).update(state=Delegation.State.ARCHIVED)
    answer = browse(plan.office).post(
        reverse("delegation_head", args=[plan.first.pk]), {"leader_name": "另一位带队领导"}
    )
    assert answer.status_code == 409
    assert "另一位带队领导" in answer.content.decode() and "已归档" in answer.content.decode()


def test_the_way_changes_step_by_step(plan: PlanStage, browse: Browse) -> None:
    client = browse(plan.office)
    first, second = (d.pk for d in plan.first.destinations.all())

    def order() -> list[int]:
        return [d.pk for d in plan.first.destinations.all()]

    response = post(client, "order_destinations", plan.first.pk, pk=[first, second], down=first)
    assert response["Location"].endswith("#way") and order() == [second, first]
    post(client, "order_destinations", plan.first.pk, pk=[second, first], up=first)
    assert order() == [first, second]
    post(client, "order_destinations", plan.first.pk, pk=[first, second], up=first)
    assert order() == [first, second]
    for pks in ([first], [first, second, second], ["x"], []):
        post(client, "order_destinations", plan.first.pk, pk=pks)
        assert order() == [first, second]


def test_a_destination_comes_and_goes_with_a_sentence(plan: PlanStage, browse: Browse) -> None:
    client = browse(plan.office)

    def add(code: str) -> list[str]:
        url = reverse("add_destination", args=[plan.second.pk])
        return said(client.post(url, {"union": code}, follow=True))

    assert "哈尔滨已由第1慰问组走访，一个单位只由一个慰问组走访" in add("230100")[0]
    assert add("") == ["请选择走访单位。"] == add("nowhere")
    assert "不能作为走访单位" in add("230103")[0]
    url = reverse("remove_destination", args=[plan.harbin.pk])
    assert said(client.post(url, follow=True)) == ["已移除走访单位：哈尔滨。"]
    assert add("230100") == ["已增加走访单位：哈尔滨。"]
    assert plan.harbin.delegation == plan.second


def test_an_empty_delegation_can_be_removed(plan: PlanStage, browse: Browse) -> None:
    client = browse(plan.office)
    response = client.post(reverse("remove_delegation", args=[plan.second.pk]), follow=True)
    assert "还有走访单位" in said(response)[0]
    planning.remove_destination(destination=plan.at(plan.tree.outsider), by=plan.office)
    assert (
        "删除第2慰问组</button>"
        in client.get(reverse("delegation_head", args=[plan.second.pk])).content.decode()
    )
    response = post(client, "remove_delegation", plan.second.pk)
    assert response["Location"] == reverse("delegation_board", args=[plan.campaign.pk])
    assert not Delegation.objects.filter(pk=plan.second.pk).exists()


def test_a_delegation_that_goes_nowhere_yet_says_what_comes_next(plan: PlanStage, browse: Browse) -> None:
    made = planning.create_delegation(campaign=plan.campaign, by=plan.office)
    html = page_of(browse(plan.office), made)
    assert "还没有走访单位" in html and reverse("delegation_head", args=[made.pk]) in html


# -- what happened -----------------------------------------------------------------------------------------


def test_every_change_is_in_the_history_newest_first(plan: PlanStage, browse: Browse) -> None:
    client = browse(plan.liaison)
    for base, value in (("4", "3"), ("3", "2")):
        type_in(client, plan.first, fields={f"destination:{plan.harbin.pk}:travellers": (base, value)})
    planning.remove_destination(
        destination=plan.at(plan.tree.outsider), by=plan.office
    )  # another delegation's
    html = client.get(reverse("delegation_history", args=[plan.first.pk])).content.decode()
    assert html.index("随行人数：3 → 2") < html.index("随行人数：4 → 3")
    assert "联络员甲" in html and "省总工会" in html and "移除走访单位" not in html


def test_a_long_history_has_pages_at_the_same_cost(plan: PlanStage, browse: Browse) -> None:
    client, url = browse(plan.office), reverse("delegation_history", args=[plan.first.pk])

    def happen(times: int) -> None:
        PlanEvent.objects.bulk_create(
            PlanEvent(
                campaign=plan.campaign,
                delegation=plan.first,
                by=plan.liaison.person,
                acting_for=plan.tree.province,
                what=f"第 {n} 次",
            )
            for n in range(times)
        )
        disclosure.reveal_for_export(
            visits=[plan.visit("household")] * times, reason="核对名单", by=plan.liaison
        )

    happen(5)
    few = queries(client, url)
    happen(60)
    assert queries(client, url) == few
    assert "第 1 / 2 页" in client.get(url).content.decode()
    assert "上一页" in client.get(f"{url}?page=2&looks=2").content.decode()
    assert client.get(f"{url}?page=x&looks=999").status_code == 200


def test_who_looked_at_a_household_is_read_by_who_answers_for_it(plan: PlanStage, browse: Browse) -> None:
    disclosure.reveal(visit=plan.visit("household"), reason="核对身份证号", by=plan.liaison)
    url = reverse("delegation_history", args=[plan.first.pk])
    for who, sees in ((plan.office, True), (plan.reader, True), (plan.liaison, True), (plan.leader, False)):
        html = browse(who).get(url).content.decode()
        assert ("核对身份证号" in html) == ("家庭信息查阅记录" in html) == sees
        assert NAME not in html
    # The record outlives the visit it speaks of.
    planning.remove_visit(visit=plan.visit("household"), by=plan.liaison)
    assert "已删除的入户对象" in browse(plan.office).get(url).content.decode()


@pytest.mark.django_db(transaction=True)
def test_two_at_the_head_at_once_do_not_write_over_each_other(plan: PlanStage, browse: Browse) -> None:
    colleague = plan.actor(plan.tree.province, Role.ADMINISTRATOR, "另一位管理员")
    data = head_form(browse(plan.office), plan.first)
    gate = threading.Barrier(2)

    def save(who: Actor, name: str) -> int:
        client = browse(who)
        try:
            gate.wait()
            url = reverse("delegation_head", args=[plan.first.pk])
            return client.post(url, data | {"leader_name": name}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(save, (plan.office, colleague), ("领导甲", "领导乙")))
    assert sorted(answers) == [302, 422]
    plan.first.refresh_from_db()
    assert plan.first.leader_name == ("领导甲", "领导乙")[answers.index(302)]
