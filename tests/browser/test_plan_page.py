"""One delegation's plan in a real browser: typing, money that moves along, two people, no network, locking."""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from playwright.sync_api import Browser, Locator, Page, Route, expect

from delegations import planning, proposals, standards
from delegations.models import Destination, FundSource, PlanEvent, Visit
from delegations.money import parse_yuan, show_yuan
from delegations.plan_page import PlanPage
from tests.delegations.stage import PlanStage, make_plan_stage
from tests.delegations.test_yuan import VECTORS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
JS = Path(__file__).parents[2] / "static" / "js"
Opened = Callable[..., Page]


@pytest.fixture
def plan(live_server: Any) -> PlanStage:
    return make_plan_stage()


@pytest.fixture
def open_plan(open_page: Callable[..., Page], plan: PlanStage) -> Opened:
    """`open_plan(actor)`: the first delegation's plan, as its liaison unless somebody else opens it."""

    def opened(who: Any = None, **options: Any) -> Page:
        page = open_page((who or plan.liaison).person, reverse("delegation", args=[plan.first.pk]), **options)
        ready(page)
        return page

    return opened


def ready(page: Page) -> None:
    expect(page.locator("html")).to_have_attribute("data-plan", "ready")


def saved(page: Page) -> None:
    expect(page.locator("#saved")).to_have_text(re.compile(r"^已保存 \d\d:\d\d$"))


def field(page: Page, row: Visit | Destination, name: str) -> Locator:
    return page.locator(f"#{row._meta.model_name}-{row.pk}-{name}")


def sum_of(page: Page, key: str) -> Locator:
    return page.locator(f".budget [data-sum='{key}']")


def nothing_left_here(page: Page) -> None:
    for _ in range(60):
        if page.evaluate("localStorage.length") == 0:
            return
        page.wait_for_timeout(50)
    assert page.evaluate("Object.entries(localStorage)") == []


# -- what a liaison does -----------------------------------------------------------------------------------


def test_a_liaison_plans_a_destination_and_all_of_it_is_there_afterwards(
    open_plan: Opened, plan: PlanStage
) -> None:
    harbin = plan.harbin
    harbin.visits.all().delete()
    Destination.objects.filter(pk=harbin.pk).update(
        first_day=None, last_day=None, travellers=None, contact_name="", contact_phone=""
    )
    page = open_plan()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    expect(page.locator(f"#destination-{harbin.pk} .kinds")).to_have_text(
        re.compile("企业 0/1 缺 1.*入户 0/2 缺 2", re.S)
    )
    page.locator(f"#destination-{harbin.pk}").get_by_role("button", name="按通知要求配齐").click()
    expect(page.locator(".flash.success")).to_contain_text("增加 5 个走访对象")
    ready(page)
    expect(page.locator(f"#destination-{harbin.pk} .visit")).to_have_count(5)
    for name, text in {
        "first_day": "2021-01-05",
        "last_day": "2021-01-06",
        "travellers": "4",
        "contact_name": "当地联系人",
        "contact_phone": "0451-50000000",
    }.items():
        field(page, harbin, name).fill(text)
    rows = {kind: plan.visit(kind) for kind in ("enterprise", "grassroots", "on_site", "household")}
    second = harbin.visits.filter(kind="household").last()
    assert second is not None
    texts = {"enterprise": "3万", "grassroots": "2万元", "on_site": "２０００", "household": "2,000"}
    for kind, visit in rows.items():
        field(page, visit, "category").select_option(index=1)
        field(page, visit, "money").fill(texts[kind])
        field(page, visit, "source").select_option(label="2020年助困送温暖资金")
        if kind != "household":
            field(page, visit, "name").fill(f"演示{kind}")
    field(page, second, "category").select_option(label="困难农民工")
    field(page, second, "goods").fill("1500.5")
    field(page, second, "goods_text").fill("米面油")
    field(page, second, "source").select_option(label="两节送温暖资金")
    norm = page.locator(f"#visit-{second.pk}-norm")
    expect(norm).to_have_class(re.compile("off"))
    expect(norm).to_have_text("标准 2,000 元 低于标准 499.50 元")
    field(page, second, "amount_reason").fill("另有社会捐助一千元")
    saved(page)
    expect(page.locator(".problems li.explained")).to_contain_text("低于标准 499.50 元")
    page.reload()
    ready(page)
    assert field(page, rows["enterprise"], "money").input_value() == "30000"
    assert field(page, harbin, "first_day").input_value() == "2021-01-05"
    assert field(page, second, "amount_reason").input_value() == "另有社会捐助一千元"
    expect(sum_of(page, f"destination:{harbin.pk}")).to_have_text("55,500.50")
    stands = {v.pk: (v.money, v.goods, v.category) for v in Visit.objects.filter(destination=harbin)}
    assert stands[rows["enterprise"].pk] == (3_000_000, None, "operating")
    assert stands[rows["household"].pk] == (200_000, None, "worker")
    assert stands[second.pk] == (None, 150_050, "migrant")
    assert {p.level for p in PlanPage(plan.first.pk).problems} == {"query", "gap"}
    assert errors == []


def test_norm_totals_and_what_is_left_follow_every_key_before_anything_is_saved(
    open_plan: Opened, plan: PlanStage
) -> None:
    source = plan.sources()[0]
    FundSource.objects.filter(pk=source.pk).update(ceiling=20_000_000)
    page = open_plan()
    page.route("**/save/", lambda route: route.abort())
    visit = plan.visit("enterprise")
    norm, rest = page.locator(f"#visit-{visit.pk}-norm"), page.locator("[data-rest]")
    reason = field(page, visit, "amount_reason")
    expect(norm).to_have_text("标准 30,000–50,000 元")
    expect(reason).to_be_hidden()
    expect(rest).to_have_text("余 2,000 元")
    for typed, off, mine, left in (
        ("5", "低于标准 29,995 元", "26,005", "余 41,995 元"),
        ("5.", "低于标准 29,995 元", "26,005", "余 41,995 元"),
        ("5万", "", "76,000", "超出上限 8,000 元"),
        ("５１，０００元", "超过标准 1,000 元", "77,000", "超出上限 9,000 元"),
        ("", "", "26,000", "余 42,000 元"),
    ):
        field(page, visit, "money").fill(typed)
        expect(norm).to_have_text(re.compile(f"标准 30,000–50,000 元 ?{off}$"))
        expect(reason).to_be_visible() if off else expect(reason).to_be_hidden()
        expect(sum_of(page, f"destination:{plan.harbin.pk}")).to_have_text(mine)
        expect(rest).to_have_text(left)
    # A hard-hit enterprise has a norm of its own; goods count with the money.
    field(page, visit, "is_hard_hit").check()
    field(page, visit, "money").fill("9万")
    field(page, visit, "goods").fill("1万")
    expect(norm).to_have_text(re.compile("^标准 100,000 元 ?$"))
    expect(page.locator(f"#visit-{visit.pk} [data-total] b")).to_have_text("100,000")
    expect(sum_of(page, "kind:enterprise")).to_have_text("140,000")
    expect(page.locator(".sum-all")).to_have_text("192,000")
    expect(sum_of(page, "all")).to_have_text("258,000")
    field(page, visit, "goods").fill("一万")
    expect(page.locator("#budget-note")).to_have_text("1 处金额无法识别，没有计入。")
    # Where the money comes from moves it between the sources.
    field(page, visit, "source").select_option(label="两节送温暖资金")
    expect(sum_of(page, f"source:{plan.sources()[1].pk}")).to_have_text("90,000")
    field(page, visit, "source").select_option(label="请选择")
    expect(sum_of(page, "source:")).to_have_text("90,000")
    assert Visit.objects.get(pk=visit.pk).money == 4_000_000


def test_the_day_decides_which_norm_counts(open_plan: Opened, plan: PlanStage) -> None:
    standards.add_norm(
        campaign=plan.campaign,
        subject="grassroots",
        valid_from=plan.campaign.visits_until,
        least=3_000_000,
        most=3_000_000,
        basis="试",
        by=plan.office,
    )
    page = open_plan()
    norm = page.locator(f"#visit-{plan.visit('grassroots').pk}-norm")
    expect(norm).to_have_text(re.compile("^标准 20,000 元 ?$"))
    field(page, plan.harbin, "first_day").fill("2021-02-11")
    expect(norm).to_have_text("标准 30,000 元 低于标准 10,000 元")


def test_more_people_than_few_are_asked_about_at_once(open_plan: Opened, plan: PlanStage) -> None:
    page = open_plan()
    reason = field(page, plan.harbin, "travellers_reason")
    expect(reason).to_be_hidden()
    field(page, plan.harbin, "travellers").fill("7")
    expect(reason).to_be_visible()
    reason.fill("两位专家随行")
    saved(page)
    expect(page.locator(".problems")).to_contain_text("随行 7 人，超过 6 人")
    field(page, plan.harbin, "travellers").fill("6")
    saved(page)
    expect(page.locator(".problems")).to_have_text("没有发现问题")
    expect(reason).to_be_visible()  # what was written is not hidden away


def test_a_problem_leads_to_its_field(open_plan: Opened, plan: PlanStage) -> None:
    far = plan.at(plan.tree.daqing_oilfield)
    Destination.objects.filter(pk=far.pk).update(travellers=None)
    page = open_plan()
    page.locator(".problems a").click()
    expect(field(page, far, "travellers")).to_be_focused()
    page.keyboard.type("5")
    saved(page)
    expect(page.locator(".problems")).to_have_text("没有发现问题")
    # From elsewhere as well.
    page.goto(f"{page.url.split('#')[0]}?from=board#destination-{far.pk}-travellers")
    expect(field(page, far, "travellers")).to_be_focused()


def test_without_a_mouse(open_plan: Opened, plan: PlanStage) -> None:
    page = open_plan()
    visit = plan.visit("enterprise")
    field(page, visit, "category").focus()
    for name in ("is_hard_hit", "name", "money", "goods", "goods_text", "source", "note"):
        page.keyboard.press("Tab")
        expect(field(page, visit, name)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(f"#visit-{visit.pk} .v-remove button")).to_be_focused()
    page.keyboard.press("Tab")
    expect(field(page, plan.visit("grassroots"), "category")).to_be_focused()
    field(page, plan.harbin, "first_day").focus()
    for name in ("travellers", "contact_name", "contact_phone", "note"):
        while page.evaluate("document.activeElement.type") == "date":
            page.keyboard.press("Tab")
        expect(field(page, plan.harbin, name)).to_be_focused()
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="哈尔滨：增加企业")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**#visit-*-category")
    ready(page)
    made = Visit.objects.latest("pk")
    expect(field(page, made, "category")).to_be_focused()


# -- nothing typed is lost ---------------------------------------------------------------------------------


def test_what_was_typed_last_goes_before_the_row_that_is_added(open_plan: Opened, plan: PlanStage) -> None:
    page, visit = open_plan(), plan.visit("enterprise")
    field(page, visit, "money").fill("35000")
    page.get_by_role("button", name="哈尔滨：增加现场").click()
    expect(page.locator(f"#destination-{plan.harbin.pk} .visit")).to_have_count(6)
    ready(page)
    assert field(page, visit, "money").input_value() == "35000"
    assert Visit.objects.get(pk=visit.pk).money == 3_500_000


def test_without_a_network_no_row_is_added_and_everything_stays(open_plan: Opened, plan: PlanStage) -> None:
    page, visit = open_plan(), plan.visit("enterprise")
    page.context.set_offline(True)
    field(page, visit, "money").fill("35000")
    expect(page.locator("#saved")).to_have_text("未保存（网络中断，已存在本机）")
    page.get_by_role("button", name="哈尔滨：增加现场").click()
    expect(page.locator("dialog[open]")).to_contain_text("未保存（网络中断，已存在本机）")
    page.get_by_role("button", name="知道了").click()
    assert field(page, visit, "money").input_value() == "35000"
    page.context.set_offline(False)
    saved(page)
    nothing_left_here(page)
    assert Visit.objects.get(pk=visit.pk).money == 3_500_000
    assert plan.harbin.visits.count() == 5


def test_a_page_closed_without_a_network_brings_it_back(open_plan: Opened, plan: PlanStage) -> None:
    page, visit = open_plan(), plan.visit("enterprise")
    page.route("**/save/", lambda route: route.abort())
    field(page, visit, "money").fill("6万")
    expect(page.locator("#saved")).to_contain_text("已存在本机")
    page.unroute("**/save/")
    page.reload()
    ready(page)
    expect(page.locator(f"#visit-{visit.pk}-norm")).to_contain_text("超过标准 10,000 元")
    saved(page)
    assert Visit.objects.get(pk=visit.pk).money == 6_000_000


def test_what_is_no_amount_is_said_kept_and_said_again(open_plan: Opened, plan: PlanStage) -> None:
    page, visit = open_plan(), plan.visit("enterprise")
    field(page, visit, "money").fill("三万")
    note = page.locator(f"#visit-{visit.pk} .typed-note.refused")
    expect(note).to_contain_text("“三万”不是金额")
    expect(page.locator("#saved")).to_have_text("1 项未保存，请改正")
    page.reload()
    ready(page)
    expect(field(page, visit, "money")).to_have_value("三万")
    expect(note).to_contain_text("“三万”不是金额")
    field(page, visit, "money").fill("3万")
    saved(page)
    expect(note).to_have_count(0)
    field(page, visit, "money").blur()
    expect(field(page, visit, "money")).to_have_value("30000")


def test_half_typed_pinyin_is_not_saved(open_plan: Opened, plan: PlanStage) -> None:
    page, visit = open_plan(), plan.visit("enterprise")
    field(page, visit, "name").fill("")
    saved(page)
    keyboard = page.context.new_cdp_session(page)
    keyboard.send("Input.imeSetComposition", {"text": "yan'shi", "selectionStart": 7, "selectionEnd": 7})
    page.wait_for_timeout(1600)  # longer than any key waits for its saving
    keyboard.send("Input.insertText", {"text": "演示厂"})
    expect(field(page, visit, "name")).to_have_value("演示厂")
    nothing_left_here(page)
    assert Visit.objects.get(pk=visit.pk).name == "演示厂"
    assert not PlanEvent.objects.filter(what__contains="yan").exists()


# -- two people --------------------------------------------------------------------------------------------


def test_two_people_at_one_field_are_asked(open_plan: Opened, plan: PlanStage) -> None:
    visit = plan.visit("enterprise")
    office, liaison = open_plan(plan.office), open_plan()
    field(office, visit, "money").fill("50000")
    saved(office)
    field(liaison, visit, "money").fill("45000")
    note = liaison.locator(f"#visit-{visit.pk} .typed-note.conflict")
    expect(note).to_contain_text("同事已填 50000，您填的是 45000")
    expect(liaison.locator("#saved")).to_have_text("1 项与他人所填不一致，请选择")
    assert Visit.objects.get(pk=visit.pk).money == 5_000_000
    note.get_by_role("button", name="用我的 45000").click()
    saved(liaison)
    assert Visit.objects.get(pk=visit.pk).money == 4_500_000
    field(office, visit, "money").fill("30000")
    note = office.locator(f"#visit-{visit.pk} .typed-note.conflict")
    note.get_by_role("button", name="用对方的 45000").click()
    expect(field(office, visit, "money")).to_have_value("45000")
    expect(sum_of(office, f"destination:{plan.harbin.pk}")).to_have_text("71,000")
    nothing_left_here(office)
    assert Visit.objects.get(pk=visit.pk).money == 4_500_000


def test_what_a_colleague_fills_in_meanwhile_shows_up_with_the_next_save(
    open_plan: Opened, plan: PlanStage
) -> None:
    visit = plan.visit("grassroots")
    office, liaison = open_plan(plan.office), open_plan()
    field(office, visit, "money").fill("21000")
    field(office, visit, "amount_reason").fill("社区人口多，任务重")
    saved(office)
    field(office, visit, "name").fill("演示环卫站")
    saved(office)
    field(liaison, plan.harbin, "note").fill("上午到")
    saved(liaison)
    expect(field(liaison, visit, "money")).to_have_value("21000")
    expect(field(liaison, visit, "amount_reason")).to_have_value("社区人口多，任务重")
    expect(sum_of(liaison, f"destination:{plan.harbin.pk}")).to_have_text("67,000")
    # And is what the liaison has seen from now on: no conflict.
    field(liaison, visit, "money").fill("20000")
    saved(liaison)
    assert Visit.objects.get(pk=visit.pk).money == 2_000_000
    # Rows that came or went can't be shown in place.
    planning.add_visit(destination=plan.harbin, kind="on_site", by=plan.office)
    planning.add_visit(destination=plan.harbin, kind="on_site", by=plan.office)
    field(liaison, plan.harbin, "note").fill("下午到")
    expect(liaison.locator("#kept-here")).to_contain_text("他人增加或删除了走访对象")


def test_what_was_typed_for_a_row_that_is_gone_is_told(open_plan: Opened, plan: PlanStage) -> None:
    page, visit = open_plan(), plan.visit("enterprise")
    page.route("**/save/", lambda route: route.abort())
    field(page, visit, "name").fill("演示锅炉厂")
    expect(page.locator("#saved")).to_contain_text("已存在本机")
    planning.remove_visit(visit=visit, by=plan.office)
    page.unroute("**/save/")
    page.reload()
    ready(page)
    expect(page.locator("#kept-here")).to_contain_text("所在的行已被删除：演示锅炉厂")
    page.get_by_role("button", name="知道了").click()
    nothing_left_here(page)


def test_typing_into_a_plan_that_was_locked_meanwhile_stops_and_says_why(
    open_plan: Opened, plan: PlanStage
) -> None:
    page, visit = open_plan(), plan.visit("enterprise")
    plan.lock()
    field(page, visit, "money").fill("45000")
    expect(page.locator("#bar")).to_contain_text("计划已锁定，不能再改")
    expect(field(page, visit, "money")).to_have_value("45000")
    assert Visit.objects.get(pk=visit.pk).money == 4_000_000


# -- moves -------------------------------------------------------------------------------------------------


def test_the_office_locks_what_it_sees(open_plan: Opened, plan: PlanStage) -> None:
    page, visit = open_plan(plan.office), plan.visit("enterprise")
    # Typed a moment ago, and by somebody else since the page was opened: the dialog has both.
    planning.remove_visit(visit=plan.visit("household"), by=plan.liaison)
    field(page, visit, "money").fill("5万")
    page.locator("#lock-open").click()
    dialog = page.locator("#lock-dialog")
    expect(dialog).to_contain_text("锁定第1慰问组的走访计划")
    for words in ("1月5日 至 1月6日", "2020年助困送温暖资金", "140,000", "缺 1 户"):
        expect(dialog).to_contain_text(words)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.locator("#lock-open").click()
    dialog.get_by_role("button", name="确认锁定").click()
    expect(page.locator(".flash.success")).to_contain_text("第1慰问组的计划已锁定")
    expect(page.locator("[data-code]")).to_have_count(0)
    page.locator("#unlock-open").click()
    page.get_by_label("原因").fill("大庆油田调整日期")
    page.locator("#unlock-dialog").get_by_role("button", name="解除锁定").click()
    expect(page.locator(".flash.success")).to_contain_text("已解除锁定")
    expect(field(page, visit, "money")).to_have_value("50000")


def test_what_stops_the_lock_is_in_the_dialog_and_leads_to_its_field(
    open_plan: Opened, plan: PlanStage
) -> None:
    page, visit = open_plan(plan.office), plan.visit("enterprise")
    field(page, visit, "money").fill("6万")
    page.locator("#lock-open").click()
    dialog = page.locator("#lock-dialog")
    expect(dialog).to_contain_text("还不能锁定")
    dialog.get_by_role("link").click()
    expect(dialog).to_be_hidden()
    expect(field(page, visit, "amount_reason")).to_be_focused()
    page.keyboard.type("该企业职工特别多")
    page.locator("#lock-open").click()
    expect(dialog.get_by_role("button", name="确认锁定")).to_be_visible()
    expect(dialog).to_contain_text("说明：该企业职工特别多")


def test_a_change_behind_the_open_dialog_is_shown_before_it_can_be_locked(
    open_plan: Opened, plan: PlanStage
) -> None:
    page, other = open_plan(plan.office), open_plan()
    page.locator("#lock-open").click()
    field(other, plan.visit("grassroots"), "note").fill("换一处")
    saved(other)
    page.get_by_role("button", name="确认锁定").click()
    expect(page.locator(".notice[role=alert]")).to_contain_text("又有变化（联络员甲刚才")
    ready(page)
    expect(field(page, plan.visit("grassroots"), "note")).to_have_value("换一处")
    # The refused page is the plan's page: it reloads, and its buttons work.
    assert page.url.endswith(reverse("delegation", args=[plan.first.pk]))
    page.reload()
    ready(page)
    page.locator("#lock-open").click()
    page.get_by_role("button", name="确认锁定").click()
    expect(page.locator(".flash.success")).to_contain_text("第1慰问组的计划已锁定")


def test_a_filled_row_is_removed_after_a_question_an_empty_one_at_once(
    open_plan: Opened, plan: PlanStage
) -> None:
    page, visit = open_plan(), plan.visit("enterprise")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    remove = page.locator(f"#visit-{visit.pk} .v-remove button")
    remove.click()
    page.wait_for_timeout(300)
    assert asked == ["删除这个困难企业？所填内容一并删除。"] and Visit.objects.filter(pk=visit.pk).exists()
    made = planning.add_visit(destination=plan.harbin, kind="enterprise", by=plan.liaison)
    page.reload()
    ready(page)
    page.locator(f"#visit-{made.pk} .v-remove button").click()
    page.wait_for_url(f"**#destination-{plan.harbin.pk}")
    expect(page.locator(f"#visit-{made.pk}")).to_have_count(0)
    assert len(asked) == 1


def test_a_proposal_is_accepted_and_filled_in(open_plan: Opened, plan: PlanStage) -> None:
    visit = proposals.propose(
        destination=plan.harbin,
        kind="enterprise",
        category="operating",
        name="演示客运站",
        why="停运近一年",
        by=plan.host,
    )
    page = open_plan()
    page.locator(f"#visit-{visit.pk}").get_by_role("button", name="采纳", exact=True).click()
    expect(page.locator(".flash.success")).to_contain_text("建议已采纳")
    ready(page)
    expect(field(page, visit, "money")).to_be_focused()
    page.keyboard.type("4万")
    saved(page)
    assert Visit.objects.get(pk=visit.pk).money == 4_000_000


# -- on a phone --------------------------------------------------------------------------------------------


def test_no_page_scrolls_sideways_on_a_phone(open_page: Callable[..., Page], plan: PlanStage) -> None:
    long = "黑龙江省哈尔滨市南岗区演示锅炉及动力设备制造有限责任公司第二分公司"
    visit = plan.visit("enterprise")
    Visit.objects.filter(pk=visit.pk).update(name=long, money=10**13, amount_reason=long)
    Destination.objects.filter(pk=plan.harbin.pk).update(travellers=9, note=long)
    FundSource.objects.filter(campaign=plan.campaign).update(ceiling=10**12)
    planning.add_visit(destination=plan.harbin, kind="household", by=plan.liaison)
    proposals.propose(
        destination=plan.harbin, kind="enterprise", category="operating", name=long, why=long, by=plan.host
    )
    for who, name in (
        (plan.liaison, "delegation"),
        (plan.leader, "delegation"),
        (plan.office, "delegation_head"),
        (plan.office, "delegation_history"),
    ):
        page = open_page(who.person, reverse(name, args=[plan.first.pk]), viewport=(390, 844))
        expect(page.locator("h1")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, (who, name)
    page = open_page(plan.liaison.person, reverse("delegation", args=[plan.first.pk]), viewport=(390, 844))
    ready(page)
    field(page, visit, "money").fill("三万")
    expect(page.locator(f"#visit-{visit.pk} .typed-note")).to_be_visible()
    expect(page.locator("#saved")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


# -- the browser reckons as the server does ----------------------------------------------------------------

ANSWER = """async ({texts, amounts}) => {
  const {parseYuan, showYuan} = await import("/js/yuan.js");
  const plain = (fen) => (fen === undefined ? "refused" : fen === null ? null : Number(fen));
  return [texts.map((text) => plain(parseYuan(text))), amounts.map((fen) => showYuan(BigInt(fen)))];
}"""
PIECES = [
    "0",
    "1",
    "7",
    "9",
    "00",
    "12",
    ".",
    "。",
    ",",
    "，",
    "万",
    "元",
    "+",
    "-",
    "－",
    " ",
    "\u3000",
    "\u2003",
    "５",
    "．",
    "e",
    "千",
    "\u200b",
]


@pytest.fixture
def yuan(chromium: Browser) -> Any:
    """A page that has our modules and nothing else; no server stands behind it."""

    def serve(route: Route) -> None:
        path = route.request.url.removeprefix("http://modules.test/js/")
        if path == "":
            return route.fulfill(body="<!doctype html>", content_type="text/html")
        kind = mimetypes.guess_type(path)[0]
        return route.fulfill(body=(JS / path).read_text(encoding="utf-8"), content_type=kind)

    page = chromium.new_page()
    page.route("http://modules.test/**", serve)
    page.goto("http://modules.test/js/")
    yield lambda texts, amounts: page.evaluate(ANSWER, {"texts": texts, "amounts": amounts})
    page.close()


def in_python(text: str) -> int | str | None:
    try:
        return parse_yuan(text)
    except ValidationError:
        return "refused"


def test_the_vectors_hold_in_the_browser(yuan: Any) -> None:
    parsed, shown = yuan([text for text, _ in VECTORS["parse"]], [fen for fen, _ in VECTORS["show"]])
    assert parsed == [wanted for _, wanted in VECTORS["parse"]]
    assert shown == [wanted for _, wanted in VECTORS["show"]]


def test_thousands_of_odd_texts_mean_the_same_to_both(yuan: Any) -> None:
    dice = Random(20210111)
    texts = ["".join(dice.choices(PIECES, k=dice.randint(1, 12))) for _ in range(4000)]
    amounts = [dice.randint(-(10 ** dice.randint(1, 15)), 10 ** dice.randint(1, 15)) for _ in range(1000)]
    parsed, shown = yuan(texts, amounts)
    mine = [in_python(text) for text in texts]
    assert [json.dumps([t, p, m]) for t, p, m in zip(texts, parsed, mine, strict=True) if p != m] == []
    assert sum(m != "refused" for m in mine) > 400
    assert shown == [show_yuan(fen) for fen in amounts]


def test_the_page_shows_what_the_server_would_show_of_the_same_plan(
    open_plan: Opened, plan: PlanStage
) -> None:
    """What the script makes of a plan at once, and what the server printed, are the same text everywhere."""
    dice = Random(30)
    FundSource.objects.filter(campaign=plan.campaign).update(ceiling=20_000_000)
    for destination in plan.first.destinations.all():
        for kind, categories in Visit.CATEGORIES.items():
            for category in ("", *categories):
                Visit.objects.create(
                    destination=destination,
                    kind=kind,
                    category=category,
                    is_hard_hit=kind == Visit.Kind.ENTERPRISE and dice.random() < 0.5,
                    money=dice.choice([None, 0, 100_000, 200_000, 2_000_000, 3_000_000, 10_000_001]),
                    goods=dice.choice([None, None, 1, 100_000]),
                    source=dice.choice([None, *plan.sources()]),
                    position=dice.randint(1, 90),
                )
    page = open_plan()
    texts = """(root) => [...root.querySelectorAll("[data-sum], [data-norm], [data-total], [data-rest], [data-amount-reason]")]
      .map((e) => [e.textContent.replace(/\\s+/g, " ").trim(), e.className.includes("off"), e.hidden])"""
    live = page.evaluate(f"({texts})(document)")
    printed = page.evaluate(
        f"""async () => ({texts})(new DOMParser().parseFromString(
          await (await fetch(location.pathname)).text(), "text/html"))"""
    )
    assert live == printed and len(live) > 150
    assert sum(off for _, off, _ in live) > 20
