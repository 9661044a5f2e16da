"""The whole job in a browser: fill → submit → return → correct → approve → aggregate → download.

Real log-ins, the real 2021 forms and units, a real Celery worker's code on the real database, the real workbook.
"""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any

import openpyxl
import pytest
from django.core.management import call_command
from playwright.sync_api import Browser, Page, expect

from reporting.fields import show_wanyuan
from reporting.models import Campaign, Filing, Summary
from reporting.sample import PASSWORD, made_report, make_accounts
from reporting.sheets import sheets_for
from reporting.tasks import aggregate_waiting
from unions.models import Union

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Somebody:
    """A person at a browser of their own."""

    def __init__(self, chromium: Browser, site: str, name: str) -> None:
        self.site = site
        self.context = chromium.new_context(
            viewport={"width": 1366, "height": 768}, locale="zh-CN", timezone_id="Asia/Shanghai"
        )
        self.page: Page = self.context.new_page()
        self.page.on("dialog", lambda dialog: dialog.accept())
        self.go("/login/")
        self.page.fill("input[name=username]", name)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("main form button")
        self.page.wait_for_url(f"{site}/")

    def go(self, path: str) -> Page:
        self.page.goto(f"{self.site}{path}")
        return self.page


@pytest.fixture
def campaign(live_server: Any) -> Campaign:
    """The real notice and units, with the campaign of the coming festival open."""
    call_command("load_notice", verbosity=0)
    make_accounts()
    campaign = Campaign.objects.get(year=2021)
    # The real deadline has passed; this round is played before one that has not.
    campaign.deadline = campaign.deadline.replace(year=2099)
    campaign.save()
    return campaign


@pytest.fixture
def somebody(chromium: Browser, live_server: Any) -> Any:
    people: list[Somebody] = []

    def log_in(name: str) -> Somebody:
        people.append(Somebody(chromium, live_server.url, name))
        return people[-1]

    yield log_in
    for person in people:
        person.context.close()


def test_from_an_empty_form_to_the_provinces_workbook(
    campaign: Campaign, somebody: Any, tmp_path: Path
) -> None:
    filing = Filing.objects.get(campaign=campaign, union__short_name="哈尔滨")
    union: Union = filing.union

    # The filler types both forms cell by cell, as from paper, and uploads the report.
    filler = somebody("哈尔滨填报员")
    typed: dict[str, dict[str, str]] = {}
    for sheet in sheets_for(campaign):
        page = filler.go(f"/filings/{filing.pk}/forms/{sheet.slug}/")
        expect(page.locator("html")).to_have_attribute("data-entry", "ready")
        figures = sheet.form.made_figures(union.kind, 5, Random(7))
        typed[sheet.slug] = figures
        for code, text in figures.items():
            cell = page.locator(f"#c-{code}")
            if sheet.fields[code].kind == "yesno":
                cell.select_option(text)
            else:
                cell.fill(text)
        expect(page.locator("#saved")).to_have_text(re.compile(r"^已保存 \d\d:\d\d$"))
    page.fill("input[name=filler_name]", "哈尔滨填报员")
    page.fill("input[name=filler_phone]", "0451-00000000")
    page.fill("input[name=filled_on]", "2021-01-20")
    page.locator("input[name=filled_on]").blur()
    expect(page.locator("#saved")).to_have_text(re.compile(r"^已保存 \d\d:\d\d$"))
    report = tmp_path / "哈尔滨送温暖报告.docx"
    report.write_bytes(made_report(union, campaign))
    page = filler.go(f"/filings/{filing.pk}/report/")
    page.set_input_files("input[type=file]", report)
    expect(page.get_by_text("哈尔滨送温暖报告.docx").first).to_be_visible()

    # The person in charge submits; the filler could not have.
    expect(page.locator("#submit")).to_have_count(0)
    submitter = somebody("哈尔滨负责人")
    submit(submitter, filing)
    filing.refresh_from_db()
    assert filing.state == Filing.State.SUBMITTED

    # The province sends it back for one cell, with a reason.
    reviewer = somebody("省总审核员")
    page = reviewer.go(f"/review/{filing.pk}/")
    page.click("[data-dialog=send_back]")
    page.fill("#reason", "E1 与上年相差较大，请核对")
    page.check("input[name=scope][value=cells]")
    page.locator("input[name=cells][value='warmth:E1']").evaluate("box => { box.checked = true; }")
    with page.expect_navigation():  # the form asks first whether we are still logged in
        page.click("#send_back button.btn-danger-quiet")
    filing.refresh_from_db()
    assert (filing.state, filing.open_cells) == ("returned", ["warmth:E", "warmth:E1"])

    # Only that cell and its total are open; it is corrected and submitted again.
    page = filler.go("/")
    expect(page.get_by_text("E1 与上年相差较大，请核对").first).to_be_visible()
    page = filler.go(f"/filings/{filing.pk}/forms/warmth/")
    expect(page.locator("html")).to_have_attribute("data-entry", "ready")
    assert page.locator("#c-E2").get_attribute("readonly") is not None
    corrected = str(int(typed["warmth"]["E1"]) + 12)
    page.fill("#c-E1", corrected)
    expect(page.locator("#saved")).to_have_text(re.compile(r"^已保存 \d\d:\d\d$"))
    submit(submitter, filing)

    # Approved: the reviewer sees what changed and accepts round 2.
    page = reviewer.go(f"/review/{filing.pk}/")
    expect(page.get_by_text("第 2 轮").first).to_be_visible()
    page.get_by_role("button", name="通过", exact=True).click()
    page.wait_for_load_state()
    filing.refresh_from_db()
    assert filing.state == Filing.State.APPROVED

    # The province aggregates and downloads.
    administrator = somebody("省总管理员")
    page = administrator.go(f"/campaigns/{campaign.pk}/summaries/")
    page.get_by_role("button", name="立即汇总").click()
    page.wait_for_load_state()
    aggregate_waiting()  # what the worker does with the waiting row
    summary = Summary.objects.get(campaign=campaign)
    page = administrator.go(f"/summaries/{summary.pk}/warmth/")
    expect(page.get_by_text(f"{int(corrected):,}").first).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Excel").first.click()
    target = tmp_path / "summary.xlsx"
    downloading.value.save_as(target)
    assert "汇总" in downloading.value.suggested_filename
    assert figures_in(target, "送温暖汇总表")["E1"] == int(corrected)
    printed = {code: show_wanyuan(summary.figures["warmth"][code]) for code in ("A1", "D11")}
    assert printed == {
        code: show_wanyuan(sheets_for(campaign)[0].fields[code].parse(typed["warmth"][code]))
        for code in printed
    }


def submit(submitter: Somebody, filing: Filing) -> None:
    page = submitter.go(f"/filings/{filing.pk}/forms/warmth/")
    expect(page.locator("html")).to_have_attribute("data-entry", "ready")
    page.click("#submit")
    page.click("#submit-confirm")
    page.wait_for_load_state()
    expect(page.get_by_text("已上报").first).to_be_visible()


def figures_in(path: Path, title: str) -> dict[str, Any]:
    sheet = openpyxl.load_workbook(path)[title]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    header = next(row for row in rows if row and "代码" in row)
    code = header.index("代码")
    return {row[code]: row[code + 3] for row in rows if row[code]}
