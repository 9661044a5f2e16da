"""Takes the README's pictures of the running demonstration: `make demo` in one terminal, `make pictures` in another."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from openpyxl import load_workbook
from playwright.sync_api import Page, sync_playwright
from run_tests import GET_IT, chromium

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "pictures"
ADDRESS = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
PASSWORD = "songwennuan-demo"  # noqa: S105  (the demonstration's, known to everybody)
SIZES = {"wide": {"width": 1366, "height": 768}, "phone": {"width": 390, "height": 844}}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def log_in(page: Page, name: str) -> None:
    page.goto(f"{ADDRESS}/login/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click("main form button")
    page.wait_for_url(f"{ADDRESS}/")


def follow(page: Page, selector: str) -> None:
    target = page.locator(selector).first.get_attribute("href")
    page.goto(f"{ADDRESS}{target}", wait_until="networkidle")


def filled_in(template: bytes) -> bytes:
    """A union's template with some figures in it, as if somebody had begun."""
    figures = {"A1": 120.5, "A2": 86, "A4": 32.18, "B": 46, "C1": 310, "D1": 62, "E1": 140, "F2": 88}
    book = load_workbook(io.BytesIO(template))
    for row in book.worksheets[0].iter_rows(max_col=5):
        if row[1].value in figures:
            row[4].value = figures[row[1].value]
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def main() -> int:
    browser_path = chromium()
    if browser_path is None:
        print(f"没有找到 Chromium。{GET_IT}。", file=sys.stderr)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path, args=FLAGS, env={**os.environ, "LANGUAGE": "zh_CN"}
        )
        for size, viewport in SIZES.items():

            def shot(name: str, page: Page, size: str = size) -> None:
                page.screenshot(path=str(FOLDER / f"{name}-{size}.png"))

            page = browser.new_page(viewport=viewport, locale="zh-CN")
            page.goto(f"{ADDRESS}/login/")
            shot("login", page)
            log_in(page, "齐齐哈尔填报员")
            shot("work", page)
            follow(page, "a[href^='/filings/']")
            follow(page, "a[href*='/forms/warmth/']")
            shot("form", page)
            filing = page.url.partition("/forms/")[0]
            template = page.request.get(f"{filing}/template.xlsx").body()
            page.goto(f"{filing}/import/", wait_until="networkidle")
            workbook = {"name": "送温暖统计报表.xlsx", "mimeType": "application/octet-stream"}
            with page.expect_navigation(url="**/imports/**"):
                page.set_input_files("#drop-file", {**workbook, "buffer": filled_in(template)})
                if page.locator("#drop-send").is_visible():
                    page.click("#drop-send")
            page.wait_for_load_state("networkidle")
            shot("import", page)
            page.close()
            page = browser.new_page(viewport=viewport, locale="zh-CN")
            log_in(page, "省总审核员")
            page.goto(f"{ADDRESS}/review/")
            shot("queue", page)
            follow(page, "main a[href^='/review/']")
            shot("review", page)
            page.close()
            page = browser.new_page(viewport=viewport, locale="zh-CN")
            log_in(page, "省总管理员")
            page.goto(f"{ADDRESS}/campaigns/")
            shot("campaigns", page)
            follow(page, "main a[href^='/campaigns/']")
            shot("progress", page)
            # The closed campaign stands last, its second summary is the whole one.
            page.goto(f"{ADDRESS}/campaigns/")
            target = page.locator("main a[href*='/summaries/']").last.get_attribute("href")
            page.goto(f"{ADDRESS}{target}")
            follow(page, "main a[href^='/summaries/'][href*='/warmth/']")
            shot("summary", page)
            follow(page, "main a[href*='/matrix/']")
            shot("matrix", page)
            # The closed campaign's delegations are recorded, the open one's are being planned.
            page.goto(f"{ADDRESS}/delegations/")
            shot("delegations", page)
            follow(page, "main a[href^='/delegations/']")
            shot("plan", page)
            page.goto(f"{ADDRESS}/delegations/")
            closed = page.locator("details.years a").last.get_attribute("href")
            page.goto(f"{ADDRESS}{closed}")
            follow(page, "main a[href^='/delegations/']")
            follow(page, "nav.tabs a[href*='/record/']")
            shot("record", page)
            follow(page, "nav.tabs a[href*='/materials/']")
            shot("materials", page)
            page.goto(f"{ADDRESS}{closed}account/")
            shot("account", page)
            for name in ("people", "unions"):
                page.goto(f"{ADDRESS}/{name}/")
                shot(name, page)
            page.close()
        browser.close()
    print(f"图片在 {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
