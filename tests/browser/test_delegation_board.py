"""The board in a real browser: bars stand on their days, a problem leads to its field, a phone has room."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from delegations.models import Arrangement, Destination, Visit
from tests.delegations.stage import FIRST, PlanStage, make_plan_stage

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = (390, 844)


@pytest.fixture
def plan(transactional_db: None) -> PlanStage:
    return make_plan_stage()


def board(plan: PlanStage) -> str:
    return reverse("delegation_board", args=[plan.campaign.pk])


def complaints_of(page: Page) -> list[str]:
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    return found


def sideways(page: Page) -> int:
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width


def test_every_bar_stands_on_its_days_beside_its_destination(plan: PlanStage, open_page: Any) -> None:
    page = open_page(plan.office.person, board(plan))
    complaints = complaints_of(page)
    page.reload()
    drawing = page.locator(".delegation:has(h3) .bars").first.bounding_box()
    day = drawing["width"] / 49
    for number, destination in enumerate(plan.first.destinations.all()):
        bar = page.locator(".delegation:has(h3)").first.locator(".stay").nth(number).bounding_box()
        lane = page.locator(".lanes .lane").nth(number).bounding_box()
        first = (destination.first_day - FIRST).days
        assert bar["x"] == pytest.approx(drawing["x"] + first * day, abs=1)
        assert bar["width"] == pytest.approx(2 * day, abs=1)
        middle = bar["y"] + bar["height"] / 2
        assert middle == pytest.approx(lane["y"] + lane["height"] / 2, abs=2)
    # One line a month runs from the head through all delegations.
    months = page.locator(".columns line.month, .bars line.month").evaluate_all(
        "lines => lines.map(line => Math.round(line.getBoundingClientRect().x))"
    )
    assert len(set(months)) == 3
    assert sideways(page) == 0
    assert complaints == []


def test_an_overlap_is_red_and_its_problem_leads_to_the_field(plan: PlanStage, open_page: Any) -> None:
    far = plan.at(plan.tree.daqing_oilfield)
    Destination.objects.filter(pk=far.pk).update(first_day=datetime.date(2021, 1, 6))
    page = open_page(plan.liaison.person, reverse("delegations"))
    expect(page).to_have_url(re.compile(board(plan) + "$"))
    expect(page.locator(".stay.wrong")).to_have_count(2)
    page.get_by_role("link", name="与哈尔滨的日期重叠").click()
    plan_page = reverse("delegation", args=[plan.first.pk])
    expect(page).to_have_url(re.compile(re.escape(f"{plan_page}#destination-{far.pk}-first_day") + "$"))


def test_folded_gaps_open_and_the_whole_line_leads_to_the_destination(
    plan: PlanStage, open_page: Any
) -> None:
    Visit.objects.filter(destination=plan.harbin, kind="enterprise").update(money=6_000_000)
    Destination.objects.filter(pk=plan.harbin.pk).update(travellers=None)
    page = open_page(plan.office.person, board(plan))
    gap = page.get_by_role("link", name="随行人数没有填")
    expect(gap).to_be_hidden()
    page.locator(".level-of.gap > summary").click()
    expect(gap).to_be_visible()
    lane = page.locator(".lanes .lane").first
    # Beside every word of the line, at the right end of its money.
    lane.click(position={"x": 330, "y": 36})
    address = f"{reverse('delegation', args=[plan.first.pk])}#destination-{plan.harbin.pk}"
    expect(page).to_have_url(re.compile(re.escape(address) + "$"))


def test_on_a_phone_a_delegation_is_a_card_with_its_days_under_it(plan: PlanStage, open_page: Any) -> None:
    Destination.objects.filter(pk=plan.harbin.pk).update(surplus_reason="", travellers=9)
    page = open_page(plan.office.person, board(plan), viewport=PHONE)
    assert sideways(page) == 0
    first = page.locator(".delegation:has(h3)").first
    expect(page.locator(".delegation.columns")).to_be_hidden()
    expect(first.locator(".axis")).to_be_visible()
    expect(first.locator(".lane-name").first).to_have_text("哈尔滨 1月5日至6日")
    lanes, days = first.locator(".lanes").bounding_box(), first.locator(".bars").bounding_box()
    assert days["y"] >= lanes["y"] + lanes["height"]
    # Three hundred and thirty pixels for forty-nine days: a day can still be seen.
    assert first.locator(".stay").first.bounding_box()["width"] >= 10


def test_two_people_set_two_numbers_and_neither_takes_the_others_back(
    plan: PlanStage, open_page: Any
) -> None:
    address = reverse("delegation_settings", args=[plan.campaign.pk])
    one, other = open_page(plan.office.person, address), open_page(plan.office.person, address)
    one.get_by_label("企业").first.fill("2")
    one.get_by_role("button", name="保存走访标准").click()
    expect(one.locator(".flash.success")).to_contain_text("走访标准已保存")
    other.get_by_label("入户慰问").fill("3")
    other.get_by_role("button", name="保存走访标准").click()
    expect(other.locator(".flash.success")).to_contain_text("走访标准已保存")
    arrangement = Arrangement.objects.get(pk=plan.campaign.pk)
    assert (arrangement.enterprises, arrangement.households) == (2, 3)


def test_settings_fit_a_phone_and_say_what_is_wrong_beside_the_field(plan: PlanStage, open_page: Any) -> None:
    address = reverse("delegation_settings", args=[plan.campaign.pk])
    page = open_page(plan.office.person, address, viewport=PHONE)
    complaints = complaints_of(page)
    source = page.locator(".source").first
    source.get_by_label("资金上限").fill("负三万")
    source.get_by_role("button", name="保存").click()
    expect(page.locator(".source").first).to_contain_text("“负三万”不是金额")
    expect(page.locator(".source").first.get_by_label("资金上限")).to_have_value("负三万")
    norm = page.locator(".new-norm")
    norm.get_by_label("自哪天起").fill("2021-12-20")
    norm.get_by_label("下限").fill("4万")
    norm.get_by_label("上限").fill("3万")
    norm.get_by_role("button").click()
    # At the end of a long page: what is wrong is in sight, not a screen above.
    expect(page.get_by_text("下限 40,000 元高于上限 30,000 元")).to_be_in_viewport()
    expect(page.locator(".new-norm").get_by_label("下限")).to_have_value("4万")
    assert sideways(page) == 0
    # The refusal itself: an answer of 422.
    assert [text for text in complaints if "422" not in text] == []
