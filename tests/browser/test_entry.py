"""Filling in a form in a real browser: what people do, and what happens when the world fails them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from reporting.filling import working_row
from reporting.models import Explanation, Filing
from reporting.statistical import StatisticalForm
from tests.browser.conftest import session_cookie
from tests.cast import person
from tests.entry.rounds import Scene, fill_with_zeros, make_scene, type_into
from unions.gate import Role

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
OpenPage = Callable[..., Page]


@pytest.fixture
def scene(live_server: Any) -> Scene:
    return make_scene()


@pytest.fixture
def open_form(open_page: OpenPage, scene: Scene) -> Callable[..., Page]:
    def opened(someone: Any = None, slug: str = "warmth", **options: Any) -> Page:
        page = open_page(
            someone or scene.filler, reverse("form_page", args=[scene.filing.pk, slug]), **options
        )
        ready(page)
        return page

    return opened


def ready(page: Page) -> None:
    expect(page.locator("html")).to_have_attribute("data-entry", "ready")


def cell(page: Page, code: str) -> Locator:
    return page.locator(f"#c-{code}")


def row(scene: Scene, slug: str = "warmth") -> StatisticalForm:
    return working_row(scene.filing, slug)


def saved(page: Page) -> None:
    expect(page.locator("#saved")).to_have_text(re.compile(r"^已保存 \d\d:\d\d$"))


def test_what_is_typed_is_on_the_server_within_two_seconds(open_form: Any, scene: Scene) -> None:
    page = open_form()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    cell(page, "A1").click()
    with page.expect_response("**/cells/") as answered:
        start = time.monotonic()
        page.keyboard.type("12.5")
    assert answered.value.status == 200
    assert time.monotonic() - start < 2
    saved(page)
    assert row(scene).text("A1") == "12.5"
    # The total followed, here and there.
    expect(cell(page, "A")).to_have_value("12.5")
    assert row(scene).text("A") == "12.5"
    assert errors == []


def test_typing_on_while_a_request_is_out_loses_nothing(open_form: Any, scene: Scene) -> None:
    page = open_form()
    held: list[Any] = []

    def hold_the_first(route: Any) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/cells/", hold_the_first)
    codes = [code for code, field in row(scene).fields().items() if not field.of]
    with page.expect_request("**/cells/"):
        cell(page, codes[0]).press_sequentially("1")
    for number, code in enumerate(codes, start=1):
        cell(page, code).press_sequentially(str(number * 11))
    held[0].continue_()
    saved(page)
    stands = row(scene)
    typed = {code: str(number * 11) for number, code in enumerate(codes, start=1)}
    typed[codes[0]] = "111"  # typed on while the first digit was on its way
    assert {code: stands.text(code) for code in codes} == typed
    for code in stands.totals_inside_out():
        assert cell(page, code).input_value() == stands.text(code)


def test_without_a_network_it_is_kept_here_and_sent_when_it_is_back(open_form: Any, scene: Scene) -> None:
    page = open_form()
    page.context.set_offline(True)
    cell(page, "B").fill("7")
    expect(page.locator("#saved")).to_have_text("未保存（网络中断，已存在本机）")
    assert "B" in page.evaluate("Object.values(localStorage).join()")
    page.context.set_offline(False)
    saved(page)
    assert row(scene).text("B") == "7"
    assert page.evaluate("localStorage.length") == 0


def test_what_a_closed_page_could_not_send_comes_back_with_the_next(open_form: Any, scene: Scene) -> None:
    page = open_form()
    page.route("**/cells/", lambda route: route.abort())
    cell(page, "B").fill("7")
    expect(page.locator("#saved")).to_contain_text("已存在本机")
    page.unroute("**/cells/")
    page.reload()
    ready(page)
    expect(cell(page, "B")).to_have_value("7")
    saved(page)
    assert row(scene).text("B") == "7"


def test_a_failing_server_is_asked_again(open_form: Any, scene: Scene) -> None:
    page = open_form()
    answers = iter([500, 502])

    def fail_twice(route: Any) -> None:
        status = next(answers, None)
        route.fulfill(status=status, body="oops") if status else route.continue_()

    page.route("**/cells/", fail_twice)
    cell(page, "B").fill("7")
    expect(page.locator("#saved")).to_have_text("未保存（服务器没有应答，已存在本机）")
    saved(page)
    assert row(scene).text("B") == "7"


def test_the_keyboard_moves_as_in_a_spreadsheet(open_form: Any) -> None:
    page = open_form()
    cell(page, "A1").click()
    for key, code in [
        ("Enter", "A2"), ("ArrowDown", "A3"), ("ArrowUp", "A2"), ("Shift+Enter", "A1"), ("ArrowUp", "A"), ("Tab", "A1"),
    ]:  # fmt: skip
        page.keyboard.press(key)
        expect(cell(page, code)).to_be_focused()
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowUp")
    # Coming back selects all, so typing replaces.
    page.keyboard.type("6")
    expect(cell(page, "A1")).to_have_value("6")
    with page.expect_response("**/cells/"):
        page.keyboard.press("Control+s")
    saved(page)
    page.keyboard.type("99")
    page.keyboard.press("Escape")
    expect(cell(page, "A1")).to_have_value("6")
    saved(page)


def test_yes_or_no_by_keyboard_and_never_by_passing_through(open_form: Any, scene: Scene) -> None:
    page = open_form(slug="helpcenter")
    cell(page, "H4").click()
    page.keyboard.press("ArrowDown")
    expect(cell(page, "I")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(cell(page, "J")).to_be_focused()
    expect(cell(page, "I")).to_have_value("")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("1")
    expect(cell(page, "I")).to_have_value("是")
    saved(page)
    assert row(scene, "helpcenter").text("I") == "是"


def test_a_column_pasted_from_excel_fills_the_cells_below(open_form: Any, scene: Scene) -> None:
    page = open_form()
    cell(page, "E1").click()
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.setData("text", "1,200\\r\\n34\\r\\n5\\r\\n");
          const paste = new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true});
          document.activeElement.dispatchEvent(paste);
        }"""
    )
    page.locator("#paste-dialog").get_by_role("button", name="确认粘贴").click()
    saved(page)
    expect(cell(page, "E")).to_have_value("1239")
    assert [row(scene).text(code) for code in ("E1", "E2", "E3", "E4")] == ["1200", "34", "5", ""]


def test_a_typed_total_that_differs_shows_by_how_much_and_can_be_adopted(
    open_form: Any, scene: Scene
) -> None:
    page = open_form()
    for code, text in {"E1": "100", "E2": "17", "E": "120"}.items():
        cell(page, code).fill(text)
    expect(page.locator("#r-E .note.suggest")).to_contain_text("应为 117，差 3")
    expect(page.locator("#problems")).to_contain_text("E 为 120，E1+…+E5 为 117，差 3")
    saved(page)
    page.get_by_role("button", name="采用").click()
    expect(cell(page, "E")).to_have_value("117")
    expect(page.locator("#r-E .note.suggest")).to_have_count(0)
    saved(page)
    assert row(scene).touched == []
    cell(page, "E3").fill("3")
    expect(cell(page, "E")).to_have_value("120")
    saved(page)
    assert row(scene).text("E") == "120"


def test_an_emptied_total_waits_for_typing_and_follows_again_when_left(open_form: Any, scene: Scene) -> None:
    type_into(scene.filing, "warmth", scene.filler, E1="5", E="9")
    page = open_form()
    cell(page, "E").click()
    page.keyboard.press("Delete")
    saved(page)
    expect(cell(page, "E")).to_have_value("")
    page.keyboard.press("Tab")
    expect(cell(page, "E")).to_have_value("5")


@pytest.mark.parametrize(("choice", "stands"), [("用我的", "8"), ("用对方的", "7")])
def test_two_people_on_one_cell_choose(choice: str, stands: str, open_form: Any, scene: Scene) -> None:
    mine, theirs = open_form(), open_form(scene.colleague)
    cell(theirs, "B").fill("7")
    saved(theirs)
    cell(mine, "B").fill("8")
    note = mine.locator("#r-B .note.conflict")
    expect(note).to_contain_text("哈尔滨填报员乙")
    expect(note).to_contain_text("已填 7，您填的是 8")
    assert row(scene).text("B") == "7"
    note.get_by_role("button", name=choice).click()
    saved(mine)
    expect(cell(mine, "B")).to_have_value(stands)
    expect(note).to_have_count(0)
    assert row(scene).text("B") == stands


def test_two_people_on_different_parts_end_with_one_total(open_form: Any, scene: Scene) -> None:
    mine, theirs = open_form(), open_form(scene.colleague)
    cell(theirs, "E1").fill("7")
    saved(theirs)
    cell(mine, "E2").fill("8")
    expect(cell(mine, "E")).to_have_value("15")
    expect(cell(mine, "E1")).to_have_value("7")
    assert row(scene).text("E") == "15"


def test_blanks_become_0_in_one_go_and_back(open_form: Any, scene: Scene) -> None:
    type_into(scene.filing, "helpcenter", scene.filler, A1="3")
    page = open_form(slug="helpcenter")
    page.get_by_role("button", name="空白填 0").click()
    saved(page)
    texts = {code: row(scene, "helpcenter").text(code) for code in row(scene, "helpcenter").fields()}
    assert (texts.pop("A1"), texts.pop("A"), texts.pop("I")) == ("3", "3", "")
    assert set(texts.values()) == {"0"}
    page.get_by_role("button", name="撤销").click()
    saved(page)
    assert row(scene, "helpcenter").text("B11") == ""


def test_a_query_is_explained_beside_it_and_other_figures_void_it(open_form: Any, scene: Scene) -> None:
    page = open_form()
    cell(page, "J1").fill("0")
    cell(page, "J2").fill("3")
    problem = page.locator(".problem", has_text="J2 发放款物 3 万元")
    problem.get_by_role("textbox").fill("物资")
    problem.get_by_role("button", name="保存说明").click()
    expect(problem).to_contain_text("现有 2 个")
    problem.get_by_role("textbox").fill("物资直接送到医院，未逐人统计")
    problem.get_by_role("button", name="保存说明").click()
    expect(problem).to_have_class(re.compile("explained"))
    assert Explanation.objects.get().text == "物资直接送到医院，未逐人统计"
    cell(page, "J2").fill("4")
    expect(page.locator(".problem", has_text="J2 发放款物 4 万元")).to_have_class(re.compile("query"))
    cell(page, "J2").fill("3")
    expect(page.locator(".problem", has_text="J2 发放款物 3 万元")).to_have_class(re.compile("explained"))


def test_a_problem_leads_to_its_cells(open_form: Any) -> None:
    page = open_form()
    cell(page, "J1").fill("0")
    cell(page, "J2").fill("3")
    page.locator(".problem", has_text="J2 发放款物 3 万元").locator(".problem-go").click()
    expect(cell(page, "J1")).to_be_focused()
    expect(page.locator("#r-J1")).to_be_in_viewport()


def test_what_is_no_figure_stays_also_after_a_reload(open_form: Any) -> None:
    page = open_form()
    cell(page, "B").fill("12a")
    sentence = "“12a”不是数字，请只填阿拉伯数字。"
    expect(page.locator("#r-B .note.format")).to_have_text(sentence)
    saved(page)
    page.reload()
    ready(page)
    expect(cell(page, "B")).to_have_value("12a")
    expect(page.locator("#r-B .note.format")).to_have_text(sentence)
    expect(page.locator("#problems")).to_contain_text(f"B {sentence}")


def test_a_session_that_ends_costs_nothing_typed(open_form: Any, scene: Scene, live_server: Any) -> None:
    page = open_form()
    Session.objects.all().delete()
    cell(page, "B").fill("7")
    expect(page.locator("#saved")).to_contain_text("登录已过期")
    login = page.locator("#bar").get_by_role("link", name="重新登录")
    expect(login).to_have_attribute("target", "_blank")
    assert row(scene).text("B") == ""
    page.context.add_cookies([session_cookie(scene.filler, live_server.url)])
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    saved(page)
    expect(page.locator("#bar")).to_be_hidden()
    assert row(scene).text("B") == "7"


def test_a_filing_submitted_meanwhile_keeps_what_was_typed_in_sight(open_form: Any, scene: Scene) -> None:
    page = open_form()
    Filing.objects.filter(pk=scene.filing.pk).update(state="submitted")
    cell(page, "B").fill("7")
    expect(page.locator("#bar")).to_contain_text("报送件已上报，不能再修改")
    expect(cell(page, "B")).to_have_value("7")
    page.locator("#bar").get_by_role("link", name="刷新页面").click()
    ready(page)
    expect(page.locator("#bar")).to_contain_text("本机还有没有保存的改动：B 填为 7")
    expect(page.locator("#sheet input")).to_have_count(0)


def test_after_a_return_only_the_named_cells_can_be_typed_into(open_form: Any, scene: Scene) -> None:
    fill_with_zeros(scene.filing, scene.filler)
    Filing.objects.filter(pk=scene.filing.pk).update(state="returned", open_cells=["warmth:E", "warmth:E1"])
    page = open_form()
    expect(page.locator("#sheet input:not([readonly])")).to_have_count(2)
    cell(page, "E1").fill("5")
    expect(cell(page, "E")).to_have_value("5")
    page.keyboard.press("Enter")
    saved(page)
    assert row(scene).text("E") == "5"


def test_the_head_saves_itself_and_offers_what_is_known(open_form: Any, scene: Scene) -> None:
    scene.filler.phone = "0451-86200000"
    scene.filler.save()
    page = open_form()
    page.get_by_role("button", name="用我的信息").click()
    saved(page)
    filing = Filing.objects.get(pk=scene.filing.pk)
    assert (filing.filler_name, filing.filler_phone) == ("哈尔滨填报员甲", "0451-86200000")
    assert filing.filled_on is not None


def test_submitting_lists_what_is_missing_and_submits_when_nothing_is(open_form: Any, scene: Scene) -> None:
    both = person(scene.tree.harbin, Role.FILLER, Role.SUBMITTER)
    page = open_form(both)
    dialog = page.locator("#submit-dialog")
    page.get_by_role("link", name="上报", exact=True).click()
    expect(dialog).to_contain_text("还不能上报：4 项要处理")
    expect(dialog).to_contain_text("送温暖报告：还没有上传")
    dialog.get_by_role("button", name="返回修改").click()

    fill_with_zeros(scene.filing, both)
    page.goto(page.url.replace("forms/warmth", "report"))
    page.locator("#report-file").set_input_files(
        {"name": "报告.pdf", "mimeType": "application/pdf", "buffer": b"MZ not a pdf"}
    )
    expect(page.locator("#upload-error")).to_contain_text("内容却不是 PDF")
    page.locator("#report-file").set_input_files(
        {"name": "报告.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4\n%%EOF\n"}
    )
    expect(page.locator(".file-name")).to_have_text("报告.pdf")

    page.locator(".entry-tabs a").first.click()
    ready(page)
    page.get_by_role("button", name="用我的信息").click()
    page.get_by_label("电话").fill("0451-1")
    page.get_by_role("link", name="上报", exact=True).click()
    expect(dialog).to_contain_text("1 个下级单位还没有通过审核")
    expect(dialog).to_contain_text("哈尔滨市南岗区总工会")
    dialog.get_by_role("button", name="确认上报").click()
    expect(page.locator(".flash.success")).to_contain_text("已上报（第 1 轮）")
    assert Filing.objects.get(pk=scene.filing.pk).state == "submitted"


@pytest.mark.parametrize("viewport", [(390, 844), (1366, 768)])
@pytest.mark.parametrize("slug", ["warmth", "helpcenter"])
def test_the_page_is_never_wider_than_the_screen(
    slug: str, viewport: Any, open_form: Any, scene: Scene
) -> None:
    type_into(scene.filing, "warmth", scene.filler, A="9999999999.999999", A1="1", B="12a")
    page = open_form(slug=slug, viewport=viewport)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport[0]
    size = page.evaluate("parseFloat(getComputedStyle(document.querySelector('#sheet input')).fontSize)")
    # Phones zoom into smaller inputs.
    assert size >= 16 or viewport[0] > 700


def test_a_phone_opens_the_problems_from_below(open_form: Any) -> None:
    page = open_form(viewport=(390, 844))
    expect(page.locator("#panel")).to_be_hidden()
    page.locator("#panel-toggle").click()
    expect(page.locator("#panel")).to_be_visible()
    page.locator("#problems .problem-go").first.click()
    expect(page.locator("#panel")).to_be_hidden()
    expect(cell(page, "A")).to_be_focused()
