"""What is typed is sealed, or the person is told: leaving a page, refusals, pastes, two people, explanations."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Error, Page, expect

from reporting import filling
from reporting.filling import working_row
from reporting.models import Explanation, Filing
from tests.browser.test_entry import cell, ready, saved
from tests.cast import actor
from tests.entry.rounds import type_into
from tests.workflow.stage import Stage, make_stage
from unions.gate import Role
from unions.models import Person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASTE = """(text) => {
  const data = new DataTransfer();
  data.setData("text", text);
  const paste = new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true});
  document.activeElement.dispatchEvent(paste);
}"""


class Desk:
    """哈尔滨's filing, ready to be submitted with E1 = 5, and its 负责人."""

    def __init__(self, stage: Stage, open_page: Callable[..., Page]) -> None:
        self.harbin = stage.tree.harbin
        self.filing = stage.ready(self.harbin, warmth_E1=5)
        self.leader = stage.submitter(self.harbin).person
        self.filler = stage.actor(self.harbin, Role.FILLER).person
        self.open_page = open_page

    def form(self, slug: str = "warmth", who: Person | None = None, **options: Any) -> Page:
        page = self.open_page(who or self.leader, self.path(slug), **options)
        ready(page)
        return page

    def path(self, slug: str) -> str:
        return reverse("form_page", args=[self.filing.pk, slug])

    def type_there(self, code: str, text: str) -> None:
        type_into(self.filing, "warmth", self.filler, **{code: text})

    def text(self, code: str, slug: str = "warmth") -> str:
        return working_row(self.filing, slug).text(code)

    def state(self) -> str:
        return Filing.objects.get(pk=self.filing.pk).state

    def sealed(self, code: str) -> Any:
        round_ = Filing.objects.get(pk=self.filing.pk).current_round
        assert round_ is not None
        return getattr(round_.warmthform_rows.get(scope="own"), code)  # type: ignore[attr-defined]


@pytest.fixture
def desk(live_server: Any, open_page: Callable[..., Page]) -> Desk:
    return Desk(make_stage(), open_page)


def go_to_tab(page: Page, title: str) -> None:
    page.locator(".entry-tabs a", has_text=title).click()


def nothing_left_here(page: Page) -> None:
    for _ in range(40):
        page.wait_for_timeout(100)
        try:
            if page.evaluate("localStorage.length") == 0:
                return
        except Error:  # while the page is loading again
            pass
    assert page.evaluate("Object.entries(localStorage)") == []


def on_server(page: Page, desk: Desk, code: str, text: str) -> None:
    for _ in range(40):
        if desk.text(code) == text:
            return
        page.wait_for_timeout(100)
    assert desk.text(code) == text


def test_a_figure_typed_just_before_changing_the_tab_is_the_one_that_is_sealed(desk: Desk) -> None:
    page = desk.form()
    cell(page, "E1").fill("50")
    go_to_tab(page, "帮扶中心")
    page.wait_for_url("**/helpcenter/")
    ready(page)
    page.locator("#submit").click()
    page.locator("#submit-confirm").click()
    expect(page.locator(".flash.success")).to_contain_text("已上报")
    assert desk.sealed("E1") == 50


def test_a_closed_page_sends_what_was_typed_last(desk: Desk) -> None:
    page = desk.form()
    other = page.context.new_page()
    cell(page, "E1").fill("50")
    page.close(run_before_unload=True)
    on_server(other, desk, "E1", "50")


def test_going_on_while_an_older_text_of_the_cell_is_on_its_way_is_no_conflict_with_oneself(
    desk: Desk,
) -> None:
    page = desk.form()
    lost: list[Any] = []

    def lose_the_answer(route: Any) -> None:
        if lost:
            return route.continue_()
        lost.append(route.fetch())
        route.abort()

    page.route("**/cells/", lose_the_answer)
    cell(page, "E1").fill("6")
    expect(page.locator("#saved")).to_contain_text("未保存")
    assert desk.text("E1") == "6"
    cell(page, "E1").fill("60")
    saved(page)
    assert desk.text("E1") == "60"


@pytest.mark.parametrize("slug", ["helpcenter", "report", "submit"])
def test_every_page_of_the_filing_sends_what_another_form_left_behind(slug: str, desk: Desk) -> None:
    page = desk.form()
    page.route("**/cells/", lambda route: route.abort())
    page.route("**/head/", lambda route: route.abort())
    cell(page, "E1").fill("50")
    page.get_by_label("电话").fill("0451-9")
    expect(page.locator("#saved")).to_contain_text("已存在本机")
    page.unroute("**/cells/")
    page.unroute("**/head/")
    paths = {
        "report": reverse("report_page", args=[desk.filing.pk]),
        "submit": reverse("submit", args=[desk.filing.pk]),
    }
    page.goto(page.url.replace(desk.path("warmth"), paths.get(slug) or desk.path(slug)))
    on_server(page, desk, "E1", "50")
    nothing_left_here(page)
    assert Filing.objects.get(pk=desk.filing.pk).filler_phone == "0451-9"
    if slug == "submit":
        # The page was made before these figures arrived.
        page.get_by_role("button", name="确认上报").click()
        expect(page.locator(".flash.success")).to_contain_text("已上报")
        assert desk.sealed("E1") == 50


@pytest.mark.parametrize("slug", ["helpcenter", "submit"])
def test_a_conflict_on_another_form_is_shown_with_the_way_there_and_nothing_is_submitted(
    slug: str, desk: Desk
) -> None:
    page = desk.form()
    page.route("**/cells/", lambda route: route.abort())
    cell(page, "E1").fill("50")
    expect(page.locator("#saved")).to_contain_text("已存在本机")
    page.unroute("**/cells/")
    desk.type_there("E1", "7")
    submit = reverse("submit", args=[desk.filing.pk])
    page.goto(page.url.replace(desk.path("warmth"), submit if slug == "submit" else desk.path(slug)))
    line = page.locator("#elsewhere")
    expect(line).to_contain_text("送温暖统计表")
    expect(line).to_contain_text("E1")
    if slug == "submit":
        expect(page.get_by_role("button", name="确认上报")).to_be_disabled()
    else:
        page.locator("#submit").click()
        expect(page.locator("#submit-dialog")).to_contain_text("送温暖统计表")
        expect(page.locator("#submit-confirm")).to_be_hidden()
        page.locator("#submit-cancel").click()
    line.get_by_role("link").click()
    ready(page)
    expect(page.locator("#r-E1 .note.conflict")).to_contain_text("已填 7，您填的是 50")
    assert (desk.state(), desk.text("E1")) == ("draft", "7")


def test_what_another_tab_left_on_this_form_is_shown_before_submitting(desk: Desk) -> None:
    page = desk.form()
    tab = page.context.new_page()
    tab.goto(page.url)
    ready(tab)
    tab.context.set_offline(True)
    cell(tab, "E1").fill("50")
    tab.get_by_label("电话").fill("0451-8")
    expect(tab.locator("#saved")).to_contain_text("已存在本机")
    tab.close()
    desk.type_there("E1", "7")
    page.context.set_offline(False)
    page.locator("#submit").click()
    expect(page.locator("#submit-dialog")).to_contain_text("送温暖统计表还有没有保存到服务器的内容")
    page.locator("#submit-cancel").click()
    note = page.locator("#r-E1 .note.conflict")
    note.get_by_role("button", name="用对方的 7").click()
    saved(page)
    page.locator("#submit").click()
    page.locator("#submit-confirm").click()
    expect(page.locator(".flash.success")).to_contain_text("已上报")
    assert (desk.sealed("E1"), Filing.objects.get(pk=desk.filing.pk).filler_phone) == (7, "0451-8")


@pytest.mark.parametrize("status", [400, 413, 422, 500])
def test_one_cell_that_the_server_cannot_take_holds_no_other(status: int, desk: Desk) -> None:
    page = desk.form()

    def refuse_e2(route: Any) -> None:
        codes = [one["code"] for one in json.loads(route.request.post_data)["cells"]]
        route.fulfill(status=status, body="oops") if "E2" in codes else route.continue_()

    page.route("**/cells/", refuse_e2)
    for code, text in {"B": "3", "E2": "9", "G": "4"}.items():
        cell(page, code).fill(text)
    expect(page.locator("#r-E2 .note.refused")).to_contain_text("未保存")
    on_server(page, desk, "G", "4")
    assert desk.text("B") == "3"
    cell(page, "J1").fill("8")
    on_server(page, desk, "J1", "8")
    expect(cell(page, "E2")).to_have_value("9")
    page.unroute("**/cells/")
    page.reload()
    ready(page)
    saved(page)
    assert desk.text("E2") == "9"


def test_very_much_typed_is_sent_in_pieces_and_every_cell_that_is_too_long_says_so(desk: Desk) -> None:
    page = desk.form()
    words = "关于开展送温暖活动的说明文字" * 40
    page.evaluate(
        """(words) => document.querySelectorAll("#sheet input:not([readonly])").forEach((input) => {
          input.removeAttribute("maxlength");
          input.value = words;
          input.dispatchEvent(new Event("input", {bubbles: true}));
        })""",
        words,
    )
    expect(page.locator("#r-A1 .note.refused")).to_contain_text("最多 200 个字符，未保存")
    expect(cell(page, "A1")).to_have_value(words)
    expect(page.locator("#saved")).to_have_text(re.compile("未保存"))
    cell(page, "G").fill("7")
    on_server(page, desk, "G", "7")
    assert desk.text("A1") == "0"
    page.locator("#submit").click()
    expect(page.locator("#submit-dialog")).to_contain_text("送温暖统计表")
    expect(page.locator("#submit-confirm")).to_be_hidden()
    page.locator("#submit-cancel").click()
    cell(page, "A1").press("Escape")
    expect(cell(page, "A1")).to_have_value("0")
    expect(page.locator("#r-A1 .note.refused")).to_have_count(0)


def test_a_paste_says_what_it_dropped(desk: Desk) -> None:
    page = desk.form()
    cell(page, "J1").focus()
    # Two columns without a head: neither is taken for granted.
    page.evaluate(PASTE, "1\t2\n3\t4\n5\t6\n")
    dialog = page.locator("#paste-dialog")
    expect(dialog).to_contain_text("有 2 列数，不知粘贴哪一列。")
    dialog.get_by_role("button", name="知道了").click()
    page.evaluate(PASTE, "本年\t上年\n1\t2\n3\t4\n5\t6\n")
    expect(dialog).to_contain_text("粘贴 2 格")
    expect(dialog).to_contain_text("1 行超出表格，没有粘贴")
    expect(dialog).to_contain_text("只取数字列，其余 1 列没有粘贴")
    dialog.get_by_role("button", name="确认粘贴").click()
    saved(page)
    assert (desk.text("J1"), desk.text("J2")) == ("1", "3")
    # In one line the columns would run together into one figure.
    cell(page, "B").focus()
    page.evaluate(PASTE, "8\t9\n")
    expect(dialog).to_contain_text("有 2 列数，不知粘贴哪一列。")
    dialog.get_by_role("button", name="知道了").click()
    assert desk.text("B") == "0"


def test_figures_that_changed_behind_the_open_dialog_are_not_sealed(desk: Desk) -> None:
    page = desk.form()
    page.locator("#submit").click()
    expect(page.locator("#submit-confirm")).to_be_visible()
    desk.type_there("E1", "7")
    page.locator("#submit-confirm").click()
    expect(page.locator(".flash.error")).to_contain_text("打开确认之后，数据又有改动（送温暖统计表）")
    assert desk.state() == "draft"
    page.locator("#submit").click()
    page.locator("#submit-confirm").click()
    expect(page.locator(".flash.success")).to_contain_text("已上报")
    assert desk.sealed("E1") == 7


def test_an_explanation_of_figures_that_are_no_more_is_not_taken(desk: Desk) -> None:
    type_into(desk.filing, "warmth", desk.filler, J1="0", J2="3")
    page = desk.form()
    desk.type_there("J2", "4")
    problem = page.locator(".problem", has_text="J2 发放款物 3 万元")
    problem.get_by_role("textbox").fill("物资直接送到医院，未逐人统计")
    problem.get_by_role("button", name="保存说明").click()
    problem = page.locator(".problem", has_text="J2 发放款物 4 万元")
    expect(problem).to_contain_text("数据已改为 J2 4，请按现在的数据说明。")
    expect(cell(page, "J2")).to_have_value("4")
    expect(problem.get_by_role("textbox")).to_have_value("物资直接送到医院，未逐人统计")
    assert not Explanation.objects.exists()
    problem.get_by_role("button", name="保存说明").click()
    expect(problem).to_have_class(re.compile("explained"))
    assert page.evaluate("localStorage.length") == 0


def test_a_half_written_explanation_comes_back_after_a_reload(desk: Desk) -> None:
    type_into(desk.filing, "warmth", desk.filler, J1="0", J2="3")
    page = desk.form()
    page.locator(".problem", has_text="J2 发放款物").get_by_role("textbox").fill("物资直接送到医")
    page.reload()
    ready(page)
    box = page.locator(".problem", has_text="J2 发放款物").get_by_role("textbox")
    expect(box).to_have_value("物资直接送到医")
    page.locator(".problem", has_text="J2 发放款物").get_by_role("button", name="保存说明").click()
    expect(page.locator(".problem", has_text="J2 发放款物")).to_have_class(re.compile("explained"))
    assert page.evaluate("localStorage.length") == 0


@pytest.mark.parametrize(("choice", "stands"), [("用我的", "0451-2"), ("用对方的", "0451-1")])
def test_two_people_on_one_field_of_the_head_choose(choice: str, stands: str, desk: Desk) -> None:
    page = desk.form()
    by = actor(desk.filler, desk.harbin)
    filling.save_head(filing=desk.filing, values={"filler_phone": "0451-1"}, by=by)
    page.get_by_label("电话").fill("0451-2")
    note = page.locator("#head-notes")
    expect(note).to_contain_text("电话：同事已填 0451-1，您填的是 0451-2")
    page.get_by_label("填报人").fill("某某")
    saved_name = Filing.objects.filter(pk=desk.filing.pk, filler_name="某某")
    for _ in range(40):
        if saved_name.exists():
            break
        page.wait_for_timeout(100)
    assert Filing.objects.get(pk=desk.filing.pk).filler_phone == "0451-1" and saved_name.exists()
    note.get_by_role("button", name=choice).click()
    saved(page)
    expect(page.get_by_label("电话")).to_have_value(stands)
    expect(note).to_be_empty()
    assert Filing.objects.get(pk=desk.filing.pk).filler_phone == stands


def test_a_field_of_the_head_that_is_refused_says_so_and_the_others_are_stored(desk: Desk) -> None:
    page = desk.form()
    page.get_by_label("填报人").evaluate("input => input.removeAttribute('maxlength')")
    page.get_by_label("填报人").fill("很" * 31)
    page.get_by_label("电话").fill("0451-3")
    expect(page.locator("#head-notes")).to_contain_text("填报人最多 30 个字，现有 31 个")
    assert Filing.objects.get(pk=desk.filing.pk).filler_phone == "0451-3"
    expect(page.locator("#saved")).to_have_text(re.compile("未保存"))
    page.get_by_label("填报人").fill("某某")
    saved(page)
    expect(page.locator("#head-notes")).to_be_empty()
