"""Plain forms (data-guarded): neither a log-in that ran out nor a broken line costs what was typed."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Locator, Page, expect

from delegations.models import Visit
from tests.cast import PASSWORD
from tests.delegations.stage import PlanStage, make_plan_stage

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TYPED = {"类别": "grassroots", "类型": "police", "名称或姓名": "演示派出所乙", "建议理由": "春节期间坚守岗位"}


@pytest.fixture
def plan() -> PlanStage:
    return make_plan_stage(full=False)


@pytest.fixture
def typed(plan: PlanStage, open_page: Any) -> Page:
    """The page of the visited union, a proposal typed and not sent."""
    page = open_page(plan.host.person, f"/destinations/{plan.harbin.pk}/")
    for label, value in TYPED.items():
        field = page.get_by_label(label, exact=True)
        if label in ("类别", "类型"):
            field.select_option(value)
        else:
            field.fill(value)
    return page


def send(page: Page) -> None:
    page.get_by_role("button", name="提出建议").click()


def guard(page: Page) -> Locator:
    return page.locator(".guard")


def is_still_typed(page: Page) -> None:
    for label, value in TYPED.items():
        expect(page.get_by_label(label, exact=True)).to_have_value(value)


def is_stored(page: Page, plan: PlanStage) -> None:
    expect(page.locator("#proposals li")).to_contain_text("演示派出所乙")
    visit = Visit.objects.get()
    assert (visit.name, visit.why) == ("演示派出所乙", "春节期间坚守岗位")
    assert visit.proposed_by == plan.host.person


def test_logged_out_meanwhile_and_in_again_in_another_window(plan: PlanStage, typed: Page) -> None:
    Session.objects.all().delete()
    send(typed)
    expect(guard(typed)).to_contain_text("登录已过期，您填的内容还在本页")
    is_still_typed(typed)
    with typed.context.expect_page() as opened:
        guard(typed).get_by_role("link", name="重新登录").click()
    window = opened.value
    window.get_by_label("账号").fill(plan.host.person.username)
    window.get_by_label("密码").fill(PASSWORD)
    window.get_by_role("button", name="登录").click()
    expect(window.get_by_role("main")).to_contain_text("请回到原来的窗口")
    window.close()
    assert not Visit.objects.exists()
    typed.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(guard(typed)).to_contain_text("已重新登录，请再点一次“提出建议”")
    send(typed)
    is_stored(typed, plan)


def test_a_broken_line_is_said_on_the_page(plan: PlanStage, typed: Page) -> None:
    typed.context.set_offline(True)
    send(typed)
    expect(guard(typed)).to_contain_text("网络中断，没有提交。您填的内容还在本页")
    is_still_typed(typed)
    typed.context.set_offline(False)
    send(typed)
    is_stored(typed, plan)
