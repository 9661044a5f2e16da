"""Choosing an export in a browser: looking for units, watching the file being made, taking it away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from playwright.sync_api import Page, expect

from reporting import tasks
from reporting.aggregation import make_summary
from reporting.models import Export
from tests.aggregation.sealed import make_province

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_units_are_found_and_ticked_and_the_file_comes_by_itself(
    live_server: Any, open_page: Callable[..., Page]
) -> None:
    province = make_province(cities=14)
    province.approve_all()
    address = reverse("exports", args=[make_summary(province.campaign).pk])
    said: list[str] = []
    page = open_page(province.director, address, viewport=(390, 844))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    expect(page.locator("#unit-grid")).to_be_hidden()
    page.get_by_label("只选部分单位").check()
    page.get_by_label("查找单位").fill("第1　１４")
    expect(page.locator("#unit-grid label:visible")).to_have_count(6)
    page.get_by_role("button", name="全选").click()
    page.get_by_label("查找单位").fill("第14")
    page.get_by_role("button", name="清空").click()
    expect(page.locator("#ticked")).to_have_text("已选 5 个，共 15 个")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_role("button", name="生成").click()
    expect(page.locator("#run")).to_contain_text("排队中")

    def worker() -> None:
        tasks.make_exports()
        connection.close()

    working = threading.Thread(target=worker)
    working.start()
    row = page.locator("tr:target")
    expect(row).to_contain_text("第1市、第10市、第11市等 5 个单位")
    working.join()
    with page.expect_download() as download:
        row.get_by_role("link", name="下载").click()
    assert download.value.suggested_filename == "2021年送温暖统计汇总_第1号_第1市等5个单位.xlsx"
    assert download.value.path().read_bytes().startswith(b"PK")
    assert Export.objects.get().wanted["unions"] == ["230100", "231000", "231100", "231200", "231300"]
    assert said == []
