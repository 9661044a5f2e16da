"""Paper in a real browser: the union uploads its stamped sheet, the reviewer lays it beside the figures."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image
from playwright.sync_api import Page, expect

from reporting.models import Filing, Scan
from reporting.paper.scans import store_scan
from tests.browser.conftest import session_cookie
from tests.workflow.stage import Stage, make_stage
from unions.gate import Role

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Open = Callable[..., Page]


@pytest.fixture
def stage(transactional_db: None) -> Stage:
    return make_stage()


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (840, 1188), "white").save(out, "PNG")
    return out.getvalue()


def with_scan(stage: Stage) -> Filing:
    filing = stage.submitted(stage.tree.harbin)
    store_scan(
        filing=filing,
        upload=SimpleUploadedFile("盖章.png", picture()),
        round_number=1,
        by=stage.submitter(stage.tree.harbin),
    )
    return filing


def complaints_of(page: Page) -> list[str]:
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    return found


def test_the_stamped_sheet_goes_up_and_stands_beside_the_figures(
    stage: Stage, open_page: Open, tmp_path: Path
) -> None:
    filing = stage.submitted(stage.tree.harbin)
    path = tmp_path / "盖章.png"
    path.write_bytes(picture())
    union = open_page(stage.submitter(stage.tree.harbin).person, reverse("filing", args=[filing.pk]))
    union.get_by_role("link", name="打印与盖章").click()
    expect(union.get_by_text("未上传", exact=True)).to_be_visible()
    union.get_by_label("选择扫描件").set_input_files(path)
    union.get_by_role("button", name="上传").click()
    expect(union.locator(".flash.success")).to_contain_text("“盖章.png”已上传（第 1 轮，第 1 版）")
    assert Scan.objects.get().round.filing == filing

    page = open_page(stage.reviewer(stage.tree.harbin).person, reverse("review_page", args=[filing.pk]))
    complaints = complaints_of(page)
    shown = page.locator("#scan img")
    expect(shown).to_be_hidden()
    assert shown.get_attribute("src") is None  # not fetched before somebody wants it
    page.get_by_role("button", name="对照扫描件").click()
    expect(shown).to_be_visible()
    page.wait_for_function("document.querySelector('#scan img').naturalWidth === 840")
    # Figures stay readable beside it, and moves stay in reach.
    expect(page.locator("tr[data-cell='warmth:E1'] .main")).to_be_visible()
    expect(page.get_by_role("button", name="通过")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 1366
    # Whoever reviews the next one finds it open.
    page.reload()
    expect(shown).to_be_visible()
    page.get_by_role("button", name="对照扫描件").click()
    expect(shown).to_be_hidden()
    page.reload()
    expect(shown).to_be_hidden()
    assert complaints == []


def test_without_script_the_button_is_a_link(stage: Stage, chromium: Any, live_server: Any) -> None:
    filing = with_scan(stage)
    context = chromium.new_context(java_script_enabled=False)
    context.add_cookies([session_cookie(stage.reviewer(stage.tree.harbin).person, live_server.url)])
    page = context.new_page()
    page.goto(live_server.url + reverse("review_page", args=[filing.pk]))
    expect(page.locator("#scan")).to_be_hidden()
    page.get_by_text("对照扫描件").click()
    expect(page.locator("#scan img")).to_be_visible()
    page.get_by_text("对照扫描件").click()
    expect(page.locator("#scan")).to_be_hidden()
    context.close()


def test_a_code_is_checked_by_keyboard_alone(stage: Stage, open_page: Open) -> None:
    filing = stage.submitted(stage.tree.harbin)
    round_ = filing.current_round
    assert round_ is not None
    page = open_page(stage.reviewer(stage.tree.harbin).person, reverse("check_code"))
    # As a scanner that writes like a keyboard does it: the field waits for it.
    page.keyboard.type(f"SWN/2021/230100/1/{round_.digest.upper()}\n")
    expect(page.locator(".verdict")).to_contain_text("第 1 轮是现在的数据")


def test_no_page_is_wider_than_a_phone(stage: Stage, open_page: Open) -> None:
    filing = with_scan(stage)
    round_ = filing.current_round
    assert round_ is not None
    paper = reverse("filing_paper", args=[filing.pk])
    for who, paths in (
        (stage.submitter(stage.tree.harbin), [paper, reverse("report_page", args=[filing.pk])]),
        (
            stage.actor(stage.tree.province, Role.REVIEWER),
            [
                reverse("review_page", args=[filing.pk]) + "?scan",
                reverse("check_code") + f"?code={round_.digest}",
                paper,
            ],
        ),
    ):
        page = open_page(who.person, "/", viewport=(390, 844))
        for path in paths:
            page.goto("/".join(page.url.split("/", 3)[:3]) + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
