"""After the visit, in a real browser: recording a destination, proposals and their answers, a household's data."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from delegations import planning, proposals
from delegations.models import Delegation, Material, Unmasking, Visit
from tests.browser.conftest import session_cookie
from tests.delegations.records import change, file_material, problems, record
from tests.delegations.stage import IDENTITY_NUMBER, NAME, PlanStage, make_plan_stage

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
OpenPage = Callable[..., Page]
DESK, PHONE = (1366, 768), (390, 844)


@pytest.fixture
def plan(transactional_db: None) -> PlanStage:
    return make_plan_stage()


@pytest.fixture
def open_record(open_page: OpenPage, plan: PlanStage) -> Callable[..., Page]:
    def opened(who: Any = None, **options: Any) -> Page:
        page = open_page((who or plan.liaison).person, record_url(plan), **options)
        expect(page.locator("html")).to_have_attribute("data-record", "ready")
        return page

    return opened


def record_url(plan: PlanStage) -> str:
    return reverse("record", args=[plan.harbin.pk])


def field(page: Page, row: Any, name: str) -> Locator:
    return page.locator(f"#{row._meta.model_name}-{row.pk}-{name}")


def card(page: Page, visit: Visit) -> Locator:
    return page.locator(f"#visit-{visit.pk}")


def saved(page: Page) -> None:
    expect(page.locator("#saved")).to_have_text(re.compile(r"^已保存 \d\d:\d\d$"))


def complaints_of(page: Page) -> list[str]:
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    return found


def is_wider_than_the_screen(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@pytest.mark.parametrize("viewport", [DESK, PHONE])
def test_a_destination_is_recorded_fully_without_a_save_button(
    plan: PlanStage, open_record: Any, viewport: tuple[int, int]
) -> None:
    plan.lock()
    file_material(plan, plan.harbin)
    page = open_record(viewport=viewport)
    complaints = complaints_of(page)
    harbin, enterprise, household = plan.harbin, plan.visit("enterprise"), plan.visit("household")
    expect(page.locator("#problem-count")).to_have_text("10 处")
    for name, text in {
        "went_from": "2021-01-05",
        "went_until": "2021-01-05",
        "participants": "带队领导甲、办公室",
        "spirit": "学习贯彻扎实。\n当地党政重视。",
        "centres": "帮扶中心运行正常",
        "practice": "一户一策",
    }.items():
        field(page, harbin, name).fill(text)
    page.get_by_role("button", name="未填的都按计划填入").click()
    expect(field(page, enterprise, "paid_money")).to_have_value("40000")
    expect(field(page, enterprise, "happened_on")).to_have_value("2021-01-05")
    expect(page.locator("#money-sum")).to_have_text("计划 66,000 元，实付 66,000 元")
    expect(page.locator("#problem-count")).to_have_text("已填齐")

    # More was paid: the page says so at once and asks why.
    why = card(page, enterprise).locator("[data-why]")
    expect(why).to_be_hidden()
    field(page, enterprise, "paid_money").fill("4.5万")
    expect(why).to_be_visible()
    expect(why.locator("[data-difference]")).to_have_text(
        "计划 40,000 元，实付 45,000 元，多 5,000 元，请说明原因。"
    )
    expect(page.locator("#problem-list")).to_contain_text("多 5,000 元，请说明原因")
    page.locator("#problem-list a").click()
    expect(field(page, enterprise, "difference_reason")).to_be_focused()
    page.keyboard.type("职工特别多，经带队领导同意追加")
    expect(page.locator("#problem-count")).to_have_text("已填齐")

    field(page, household, "outcome").select_option("not_done")
    expect(card(page, household).locator("[data-difference]")).to_have_text("在计划内而未走访，请说明原因。")
    field(page, household, "paid_money").fill("")
    field(page, household, "happened_on").fill("")
    field(page, household, "difference_reason").fill("该户已搬离本市")
    field(page, household, "wishes").fill("希望就近就医")
    expect(page.locator("#problem-count")).to_have_text("已填齐")
    saved(page)
    assert not is_wider_than_the_screen(page)
    assert complaints == []

    harbin.refresh_from_db()
    enterprise.refresh_from_db()
    household.refresh_from_db()
    assert (harbin.went_from, harbin.spirit) == (datetime.date(2021, 1, 5), "学习贯彻扎实。\n当地党政重视。")
    assert (enterprise.paid_money, enterprise.difference_reason) == (
        4_500_000,
        "职工特别多，经带队领导同意追加",
    )
    assert (household.outcome, household.paid_money, household.wishes) == ("not_done", None, "希望就近就医")
    assert [p for p in problems(plan) if p.target == f"destination:{harbin.pk}"] == []


def test_what_the_page_says_of_a_difference_is_what_the_server_says(
    plan: PlanStage, open_record: Any
) -> None:
    plan.lock()
    record(plan.harbin)
    visit = plan.visit("enterprise")
    page = open_record()
    line = card(page, visit).locator("[data-difference]")
    source = field(page, visit, "paid_source_id")
    for paid, goods, other in (
        ("39999.5", "", False), ("", "4万", False), ("39,000", "1000", True), ("40000", "0", True), ("0", "", False),
    ):  # fmt: skip
        source.select_option("")
        field(page, visit, "paid_money").fill(paid)
        field(page, visit, "paid_goods").fill(goods)
        if other:
            source.select_option(label="两节送温暖资金")
        here = line.inner_text()
        saved_sentence = page.locator("#problem-list a", has_text="困难企业（演示机械厂）").filter(
            has_text="请说明原因"
        )
        # The server may add how what was paid departs from the norm.
        expect(saved_sentence).to_contain_text(f"困难企业（演示机械厂）{here.removesuffix('，请说明原因。')}")


def test_a_word_about_who_it_is_stays_on_the_page_and_is_not_saved(plan: PlanStage, open_record: Any) -> None:
    plan.lock()
    visit = plan.visit("household")
    page = open_record()
    field(page, visit, "difficulties").fill(f"{NAME}患病多年")
    expect(card(page, visit).locator(".typed-note.refused")).to_contain_text("这段文字里有姓名，没有保存")
    expect(field(page, visit, "difficulties")).to_have_value(f"{NAME}患病多年")
    visit.refresh_from_db()
    assert visit.difficulties == ""
    field(page, visit, "difficulties").fill("该职工患病多年")
    saved(page)
    visit.refresh_from_db()
    assert visit.difficulties == "该职工患病多年"


def test_what_a_colleague_recorded_meanwhile_is_asked_about(plan: PlanStage, open_record: Any) -> None:
    plan.lock()
    visit = plan.visit("enterprise")
    change(visit, outcome="done")
    mine, theirs = open_record(), open_record(plan.office)
    field(theirs, visit, "paid_money").fill("50000")
    saved(theirs)
    field(mine, visit, "paid_money").fill("3万")
    note = card(mine, visit).locator(".typed-note.conflict")
    expect(note).to_contain_text("同事已填 50000，您填的是 30000")
    note.get_by_role("button", name="用对方的 50000").click()
    expect(field(mine, visit, "paid_money")).to_have_value("50000")
    expect(card(mine, visit).locator("[data-difference]")).to_contain_text("多 10,000 元")
    visit.refresh_from_db()
    assert visit.paid_money == 5_000_000


def test_a_visit_that_was_not_planned_is_added_and_removed(plan: PlanStage, open_record: Any) -> None:
    plan.lock()
    page = open_record()
    page.get_by_label("计划外临时走访了").select_option("grassroots")
    page.get_by_role("button", name="临时增加").click()
    expect(page.locator(".state", has_text="临时增加")).to_have_count(1)
    added = Visit.objects.get(standing="unplanned")
    field(page, added, "category").select_option("sanitation")
    field(page, added, "name").fill("演示环卫站")
    field(page, added, "outcome").select_option("done")
    field(page, added, "paid_money").fill("20000")
    expect(card(page, added).locator("[data-difference]")).to_have_text("不在计划内，请说明原因。")
    saved(page)
    page.on("dialog", lambda dialog: dialog.accept())
    card(page, added).get_by_role("button", name="删除").click()
    expect(page.locator(".state", has_text="临时增加")).to_have_count(0)
    assert not Visit.objects.filter(standing="unplanned").exists()


def test_the_office_archives_what_it_has_seen(plan: PlanStage, open_record: Any) -> None:
    plan.lock()
    for destination in plan.first.destinations.all():
        record(destination)
        file_material(plan, destination)
    Material.objects.filter(kind="coverage").delete()
    page = open_record(plan.office)
    field(page, plan.visit("enterprise"), "wishes").fill("希望缓缴社保")
    page.get_by_role("link", name="归档").click()
    dialog = page.locator("#archive")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("还有 2 处没有补齐")
    assert plan.visit("enterprise").wishes == "希望缓缴社保", "what was being typed went first"
    dialog.get_by_label("原因说明").fill("当地没有媒体报道")
    dialog.get_by_role("button", name="归档").click()
    expect(page.locator(".flash.success")).to_contain_text("已归档")
    expect(page.locator("[data-code]")).to_have_count(0)
    page.get_by_role("link", name="重新打开").click()
    page.get_by_label("原因").fill("实付金额有误")
    page.locator("#reopen").get_by_role("button", name="重新打开").click()
    expect(page.locator(".flash.success")).to_contain_text("已重新打开")
    plan.first.refresh_from_db()
    assert plan.first.state == Delegation.State.LOCKED


@pytest.mark.parametrize("viewport", [DESK, PHONE])
def test_a_place_proposes_and_reads_the_answer(
    plan: PlanStage, open_page: OpenPage, viewport: tuple[int, int]
) -> None:
    url = reverse("destination", args=[plan.harbin.pk])
    page = open_page(plan.host.person, url, viewport=viewport)
    complaints = complaints_of(page)
    page.get_by_label("类别").select_option("household")
    expect(page.locator("#propose-category optgroup:not([hidden])")).to_have_count(1)
    page.get_by_label("类型").select_option("migrant")
    page.get_by_label("名称或姓名").fill("李大山")
    page.get_by_label("建议理由").fill("李大山因工受伤")
    page.get_by_role("button", name="提出建议").click()
    expect(page.locator("#propose .flash.error")).to_contain_text("里有姓名")
    expect(page.get_by_label("名称或姓名")).to_have_value("李大山")
    page.get_by_label("建议理由").fill("因工受伤，家中有病人")
    page.get_by_role("button", name="提出建议").click()
    expect(page.locator(".proposals")).to_contain_text("入户慰问 · 李＊＊")
    expect(page.locator(".proposals .state")).to_have_text("待答复")
    assert "李大山" not in page.content()
    proposed = Visit.objects.get(standing="proposed")
    proposals.answer(visit=proposed, accept=False, text="已由市总安排慰问", by=plan.liaison)
    page.reload()
    expect(page.locator(".proposals .state")).to_have_text("未采纳")
    expect(page.locator(".answer")).to_contain_text("已由市总安排慰问")
    assert not is_wider_than_the_screen(page)
    # The refused form was an answer of 422, which the console counts as an error.
    assert [text for text in complaints if "422" not in text] == []


@pytest.mark.parametrize("viewport", [DESK, PHONE])
def test_a_family_is_shown_for_a_reason_and_hidden_again(
    plan: PlanStage, open_page: OpenPage, viewport: tuple[int, int]
) -> None:
    visit = plan.visit("household")
    url = reverse("household", args=[visit.pk])
    page = open_page(plan.liaison.person, url, viewport=viewport)
    complaints = complaints_of(page)
    facts, dialog = page.locator("#facts"), page.locator("#reveal")
    expect(facts).to_contain_text("张＊＊")
    page.get_by_role("link", name="查看完整内容").click()
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="查看").click()
    expect(dialog).to_be_visible()  # the browser asks for the reason first
    dialog.get_by_label("查看原因").fill("入户前核对住址")
    dialog.get_by_role("button", name="查看").click()
    expect(facts).to_contain_text(NAME)
    expect(facts).to_contain_text(IDENTITY_NUMBER)
    assert page.url.endswith(url), "nothing of it stands in the address, and reloading asks nothing"
    assert not is_wider_than_the_screen(page)
    page.reload()
    expect(facts).to_contain_text("张＊＊")
    assert NAME not in page.content()
    expect(page.locator(".unmaskings")).to_contain_text("入户前核对住址")
    page.go_back()
    assert NAME not in page.content()
    assert Unmasking.objects.count() == 1
    assert complaints == []


def test_without_script_the_dialog_stands_on_the_page(
    plan: PlanStage, chromium: Any, live_server: Any
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    context.add_cookies([session_cookie(plan.liaison.person, live_server.url)])
    page = context.new_page()
    visit = plan.visit("household")
    page.goto(live_server.url + reverse("household", args=[visit.pk]))
    page.get_by_role("link", name="查看完整内容").click()
    page.get_by_label("查看原因").fill("入户前核对住址")
    page.get_by_role("button", name="查看").click()
    expect(page.locator("#facts")).to_contain_text(NAME)
    context.close()


def test_the_account_reads_on_a_phone(plan: PlanStage, open_page: OpenPage) -> None:
    plan.lock()
    record(plan.harbin)
    planning.add_visit(destination=plan.harbin, kind="grassroots", by=plan.liaison)
    url = reverse("delegation_account", args=[plan.campaign.pk])
    for viewport in (DESK, PHONE):
        page = open_page(plan.office.person, url, viewport=viewport)
        complaints = complaints_of(page)
        page.reload()
        expect(page.get_by_role("heading", name="资金账")).to_be_visible()
        assert not is_wider_than_the_screen(page)
        assert complaints == []
