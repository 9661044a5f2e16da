"""Reviewing in a real browser: remark at the row, send back just that, two tabs, without script, a phone."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from reporting import workflow
from reporting.models import Event
from tests.workflow.stage import Stage, make_ready, make_stage
from unions.gate import Role

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def stage(transactional_db: None) -> Stage:
    return make_stage()


def address(filing: Any, query: str = "") -> str:
    return reverse("review_page", args=[filing.pk]) + query


def test_a_remark_made_at_a_row_is_what_the_return_opens(stage: Stage, open_page: Any) -> None:
    filing = stage.submitted(stage.tree.harbin, warmth_E1=4711)
    page = open_page(stage.reviewer(stage.tree.harbin).person, address(filing))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)

    page.locator("tr[data-cell='warmth:E1'] .main").click()
    page.locator("tr.remarks-of input[name=text]").fill("与上年相差较大")
    page.keyboard.press("Enter")
    expect(page.locator(".remark")).to_contain_text("与上年相差较大")

    page.get_by_text("退回…").click()
    dialog = page.locator("#send_back")
    expect(dialog).to_be_visible()
    expect(dialog.locator("input[name=scope][value=cells]")).to_be_checked()
    expect(dialog.locator("input[name=cells]:checked")).to_have_count(1)
    dialog.locator("textarea").fill("请核对落实民生政策")
    dialog.get_by_role("button", name="退回").click()
    expect(page.locator(".flash.success")).to_contain_text("已退回哈尔滨市总工会")
    filing.refresh_from_db()
    assert filing.open_cells == ["warmth:E", "warmth:E1"]
    assert complaints == []


def test_tabs_and_only_changed_work_without_loading_the_page_again(stage: Stage, open_page: Any) -> None:
    filing = stage.returned(stage.tree.harbin, helpcenter_C=3)
    make_ready(filing, stage.actor(stage.tree.harbin, Role.FILLER), helpcenter_C=4)
    workflow.submit(filing=filing, by=stage.submitter(stage.tree.harbin))
    page = open_page(stage.reviewer(stage.tree.harbin).person, address(filing))
    page.get_by_role("link", name="帮扶中心工作统计表").click()
    expect(page.locator("tr[data-cell='helpcenter:D']")).to_be_visible()
    expect(page.locator("tr[data-cell='warmth:A']")).to_be_hidden()
    page.get_by_label("只看比第 1 轮有变化的").check()
    expect(page.locator("tr[data-cell^=helpcenter]:visible")).to_have_count(1)
    expect(page.locator("tr[data-cell='helpcenter:C'] .delta")).to_have_text("+1")
    page.reload()
    expect(page.locator("tr[data-cell='helpcenter:C']")).to_be_visible()


def test_of_two_open_tabs_the_second_is_told_what_happened(stage: Stage, open_page: Any) -> None:
    filing = stage.submitted(stage.tree.harbin)
    reviewer = stage.reviewer(stage.tree.harbin).person
    first, second = open_page(reviewer, address(filing)), open_page(reviewer, address(filing))
    for page in (first, second):
        page.on("dialog", lambda dialog: dialog.accept())
    first.get_by_role("button", name="通过").click()
    expect(first.locator(".flash.success")).to_contain_text("已审核通过")
    second.get_by_role("button", name="通过").click()
    expect(second.locator(".flash.warning")).to_contain_text("操作没有进行")
    assert Event.objects.filter(move="approve").count() == 1


def test_everything_works_without_script(stage: Stage, chromium: Any, live_server: Any) -> None:
    from django.test import Client

    filing = stage.submitted(stage.tree.harbin)
    client = Client()
    client.force_login(stage.reviewer(stage.tree.harbin).person)
    context = chromium.new_context(java_script_enabled=False)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    context.add_cookies([cookie])
    page = context.new_page()
    page.goto(live_server.url + address(filing))
    page.locator("tr[data-cell='warmth:B'] .act a").click()
    page.locator("input[name=text]:visible").fill("请核对企业数")
    page.get_by_role("button", name="保存批注").click()
    expect(page.locator(".remark")).to_contain_text("请核对企业数")
    page.get_by_text("退回…").click()
    page.locator("#send_back textarea").fill("请核对走访企业数")
    page.locator("#send_back").get_by_role("button", name="退回").click()
    expect(page.locator(".flash.success")).to_contain_text("已退回")
    context.close()


@pytest.mark.parametrize("who", ["reviewer", "administrator", "filler"])
def test_no_page_is_wider_than_a_phone(stage: Stage, open_page: Any, who: str) -> None:
    filing = stage.submitted(stage.tree.harbin)
    pages = {
        "reviewer": ["/", "/review/", address(filing), reverse("history", args=[filing.pk]), "/messages/"],
        "administrator": ["/", "/campaigns/"]
        + [
            reverse(name, args=[stage.campaign.pk])
            for name in ("progress", "campaign_settings", "clone_campaign", "sheet_rows")
        ]
        + [reverse("extension", args=[filing.pk])],
        "filler": ["/", address(filing)],
    }[who]
    union = stage.tree.harbin if who == "filler" else stage.tree.province
    person = stage.actor(union, Role(who)).person
    page = open_page(person, "/", viewport=(390, 844))
    for path in pages:
        page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/", 3)[2] + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
