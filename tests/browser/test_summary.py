"""Summaries in a browser: asking for one, opening totals into their parts, the table that scrolls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from playwright.sync_api import Page, expect

from reporting.aggregation import make_summary, work_off_one
from reporting.models import AggregationRun
from reporting.tasks import progress_in_cache
from tests.aggregation.sealed import Province, make_province

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Open = Callable[..., Page]
SIZES = [(1366, 768), (390, 844)]


@pytest.fixture
def province(live_server: Any) -> Province:
    province = make_province(cities=12, counties=(2, 1))
    province.approve_all(seed=3, scale=99_999_999)
    return province


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What the browser's console says against a page; the content policy speaks there."""
    said: list[str] = []
    yield said
    assert said == []


def watched(page: Page, complaints: list[str]) -> Page:
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.reload()
    return page


def test_the_administrator_asks_and_is_led_to_the_summary(
    province: Province, open_page: Open, complaints: list[str]
):
    page = watched(
        open_page(province.director, reverse("summaries", args=[province.campaign.pk])), complaints
    )
    page.get_by_role("button", name="立即汇总").click()
    expect(page.locator("#run")).to_contain_text("排队中")

    def worker() -> None:
        work_off_one(progress_in_cache)
        connection.close()

    working = threading.Thread(target=worker)
    working.start()
    expect(page.get_by_role("heading", name="第 1 号汇总")).to_be_visible()
    working.join()
    expect(page.locator(".flash")).to_contain_text("第 1 号汇总已完成")
    assert AggregationRun.objects.get().state == AggregationRun.State.DONE


def test_a_figure_opens_into_units_and_a_unit_into_its_counties(
    province: Province, open_page: Open, complaints: list[str]
):
    summary = make_summary(province.campaign)
    page = watched(open_page(province.director, reverse("summary", args=[summary.pk, "warmth"])), complaints)
    page.get_by_role("link", name=f"{summary.figures['warmth']['E']:,}", exact=True).click()
    expect(page.get_by_role("heading", name="E 由以下各项相加")).to_be_visible()
    county = page.get_by_text("第1市第1区总工会")
    expect(county).to_have_count(0)
    unfold = page.get_by_role("button", name="展开").first
    unfold.click()
    expect(county).to_be_visible()
    fold = page.get_by_role("button", name="收起")
    expect(fold).to_have_attribute("aria-expanded", "true")
    fold.click()
    expect(county).to_be_hidden()
    page.get_by_role("button", name="展开").first.click()
    expect(county).to_be_visible()
    expect(page.get_by_text("第2市第1区总工会")).to_have_count(0)
    page.get_by_role("link", name="按大小").click()
    figures = [
        int(text.replace(",", ""))
        for text in page.locator("#shares tbody .num:not(.percent)").all_inner_texts()
    ]
    assert figures == sorted(figures, reverse=True)


def test_names_and_head_stay_in_sight_while_the_matrix_scrolls(
    province: Province, open_page: Open, complaints: list[str]
):
    summary = make_summary(province.campaign)
    page = watched(
        open_page(province.director, reverse("matrix", args=[summary.pk, "warmth"]), viewport=(1366, 600)),
        complaints,
    )
    scroller = page.locator(".matrix-scroller")
    scroller.evaluate("element => { element.scrollIntoView(); element.scrollTo(2000, 150); }")
    for inside in ("thead .corner", "tfoot th"):
        expect(page.locator(f".matrix {inside}")).to_be_in_viewport(ratio=0.9)
    left = page.locator(".matrix tbody th").nth(8).bounding_box()
    frame = scroller.bounding_box()
    assert left and frame
    assert abs(left["x"] - frame["x"]) < 2


@pytest.mark.parametrize("size", SIZES)
def test_no_page_is_wider_than_the_screen(
    province: Province, open_page: Open, complaints: list[str], size: tuple[int, int]
):
    summary = make_summary(province.campaign)
    page = open_page(province.director, reverse("summaries", args=[province.campaign.pk]), viewport=size)
    watched(page, complaints)
    server = page.url.partition("/campaigns")[0]
    for name, arguments in (
        ("summaries", [province.campaign.pk]),
        ("summary", [summary.pk, "warmth"]),
        ("summary", [summary.pk, "filings"]),
        ("matrix", [summary.pk, "helpcenter"]),
        ("parts", [summary.pk, "warmth", "D1"]),
    ):
        page.goto(server + reverse(name, args=arguments))
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
