"""Workbooks in the browser: a block pasted into the form, a file looked at and confirmed, a folder of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from reporting.filling import Change, save_cells, working_row
from reporting.models import CellChange, Import, ImportBatch
from reporting.reading.cell_figures import figure_text
from reporting.reading.intake import Cell
from reporting.sheets import sheet_for
from reporting.tasks import work_batches
from tests.browser.test_entry import cell, ready, saved
from tests.imports.books import book
from tests.workflow.stage import Stage, make_stage
from unions.gate import Role

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASTE = """([text, html]) => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  if (html) data.setData("text/html", html);
  const paste = new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true});
  return document.activeElement.dispatchEvent(paste);
}"""


class Desk:
    """哈尔滨's filing, blank, and its 填报员 before it."""

    def __init__(self, stage: Stage, open_page: Callable[..., Page]) -> None:
        self.stage, self.open_page = stage, open_page
        self.harbin = stage.tree.harbin
        self.filler = stage.actor(self.harbin, Role.FILLER)
        self.errors: list[str] = []

    @property
    def filing(self) -> Any:
        return self.stage.filing(self.harbin)

    def form(self, slug: str = "warmth", **options: Any) -> Page:
        page = self.open_page(
            self.filler.person, reverse("form_page", args=[self.filing.pk, slug]), **options
        )
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        ready(page)
        return page

    def texts(self, *codes: str, slug: str = "warmth") -> list[str]:
        row = working_row(self.filing, slug)
        return [row.text(code) for code in codes]

    def touched(self) -> list[str]:
        return list(working_row(self.filing, "warmth").touched)

    def on_server(self, page: Page, **texts: str) -> None:
        for _ in range(60):
            if self.texts(*texts) == list(texts.values()):
                return
            page.wait_for_timeout(100)
        assert dict(zip(texts, self.texts(*texts), strict=True)) == texts


@pytest.fixture
def desk(live_server: Any, open_page: Callable[..., Page]) -> Any:
    made = Desk(make_stage(), open_page)
    yield made
    assert made.errors == []


def paste(page: Page, code: str, text: str, html: str = "") -> bool:
    """Whether the browser goes on to paste it natively."""
    cell(page, code).focus()
    return bool(page.evaluate(PASTE, [text, html]))


def dialog(page: Page) -> Locator:
    return page.locator("#paste-dialog")


def confirm(page: Page) -> None:
    dialog(page).get_by_role("button", name="确认粘贴").click()
    expect(dialog(page)).to_have_count(0)


def undo(page: Page) -> None:
    page.get_by_role("button", name="撤销").click()
    expect(page.locator(".paste-undo")).to_contain_text("已撤销粘贴")


# -- a column, from the focused cell down ----------------------------------------------------------------------


def test_a_column_is_shown_first_fills_downwards_and_is_undone_in_one_go(desk: Desk) -> None:
    page = desk.form()
    cell(page, "E2").fill("9")
    desk.on_server(page, E2="9")
    assert paste(page, "E1", "1,200\r\n３４\r\n\r\n5人次\r\n") is False
    expect(dialog(page)).to_contain_text("粘贴 3 格")
    expect(dialog(page)).to_contain_text("空白 1 格，不改动")
    rows = dialog(page).locator("tbody tr")
    expect(rows.nth(0)).to_contain_text(re.compile(r"E1.*落实民生政策.*空白.*→.*1200"))
    expect(rows.nth(1)).to_contain_text(re.compile(r"E2.*9.*→.*34"))
    assert desk.texts("E1", "E2") == ["", "9"], "nothing is typed before it is confirmed"
    expect(dialog(page).get_by_role("button", name="确认粘贴")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".paste-undo")).to_contain_text("已粘贴 3 格")
    expect(cell(page, "E1")).to_be_focused()
    desk.on_server(page, E1="1200", E2="34", E3="", E4="5", E="1239")
    undo(page)
    desk.on_server(page, E1="", E2="9", E4="", E="9")
    assert desk.touched() == []
    expect(cell(page, "E")).to_have_value("9")


def test_one_value_is_pasted_as_always(desk: Desk) -> None:
    page = desk.form()
    for text in ("12", "12\r\n", '"12"\r\n'):
        assert paste(page, "E1", text) is True
    expect(dialog(page)).to_have_count(0)


def test_escape_and_cancel_leave_everything(desk: Desk) -> None:
    page = desk.form()
    paste(page, "E1", "1\n2\n")
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    expect(cell(page, "E1")).to_be_focused()
    paste(page, "E1", "1\n2\n")
    dialog(page).get_by_role("button", name="取消").click()
    expect(dialog(page)).to_have_count(0)
    expect(cell(page, "E1")).to_have_value("")
    # And the keyboard is as it was.
    page.keyboard.press("ArrowDown")
    expect(cell(page, "E2")).to_be_focused()


def test_what_is_no_figure_or_over_the_end_is_listed_with_the_rest_still_pasted(desk: Desk) -> None:
    page = desk.form()
    paste(page, "J1", "十二\n3.5\n7\n#REF!\n")
    expect(dialog(page)).to_contain_text("粘贴 1 格")
    expect(dialog(page)).to_contain_text("J1“十二”不是数字，请只填阿拉伯数字，没有粘贴。")
    expect(dialog(page)).to_contain_text("2 行超出表格，没有粘贴。")
    confirm(page)
    desk.on_server(page, J1="", J2="3.5")
    paste(page, "E1", "-1\n1.5\n12万元\n")
    expect(dialog(page)).to_contain_text("没有可以粘贴的内容")
    expect(dialog(page)).to_contain_text("E1“-1”是负数，此处不能小于 0，没有粘贴。")
    expect(dialog(page)).to_contain_text("E2“1.5”不是整数，人次数须填整数，没有粘贴。")
    expect(dialog(page)).to_contain_text("E3“12万元”的单位是万元，此处为人次，没有粘贴。")
    expect(dialog(page).get_by_role("button", name="确认粘贴")).to_have_count(0)


def test_money_with_units_is_what_the_server_would_make_of_it(desk: Desk) -> None:
    page = desk.form()
    paste(page, "A1", "12.5万元\n125000元\n1.5亿元\n0.01元\n１，２３４．５\n")
    confirm(page)
    desk.on_server(page, A1="12.5", A2="12.5", A3="15000", A4="0.000001", A5="1234.5")


def test_figures_shown_rounded_come_whole_from_the_html_of_the_office_program(desk: Desk) -> None:
    page = desk.form()
    html = (
        '<table><tr><td sdval="12.512345">12.5</td></tr><tr><td x:num="3.25">3.3</td></tr>'
        '<tr><td sdval="0.12">12%</td></tr><tr><td sdval="99">7</td></tr></table>'
    )
    paste(page, "A1", "12.5\n3.3\n12%\n7\n", html)
    confirm(page)
    desk.on_server(page, A1="12.512345", A2="3.25", A3="", A4="7")


# -- a block with codes or labels ------------------------------------------------------------------------------


def block(desk: Desk, codes: list[str], figures: dict[str, str], *, columns: str = "nclu") -> str:
    """As copied from the template: 序号, 代码, 项目, 单位, 数字."""
    sheet = sheet_for(desk.stage.campaign, "warmth")
    lines = []
    for code in codes:
        row = sheet.row[code]
        cells = {"n": row.serial, "c": row.printed_code, "l": row.label, "u": row.unit}
        lines.append("\t".join([*(cells[c] for c in columns), figures.get(code, "")]))
    return "\r\n".join(lines) + "\r\n"


def test_a_block_with_codes_finds_its_rows_wherever_the_focus_is(desk: Desk) -> None:
    page = desk.form()
    head = "序号\t代码\t项目\t单位\t数字\r\n"
    figures = {"E1": "5", "E3": "6", "E": "11", "F1": "2", "F": "9"}
    text = head + block(desk, ["F1", "F", "E3", "E1", "E"], figures)
    paste(page, "A1", text)
    expect(dialog(page)).to_contain_text("粘贴 5 格")
    expect(dialog(page).locator("tr", has_text="为困难职工提供各项帮扶救助")).to_contain_text("自动计算")
    expect(dialog(page).locator("tr", has_text="为职工提供各项服务")).to_contain_text("与各项之和不一致")
    confirm(page)
    desk.on_server(page, E1="5", E3="6", E="11", F1="2", F="9", A1="")
    assert desk.touched() == ["F"], "a total that adds up goes on following its parts"
    undo(page)
    desk.on_server(page, E1="", E3="", E="", F1="", F="")
    assert desk.touched() == []


def test_labels_alone_do_where_they_name_one_row_or_stand_beside_one(desk: Desk) -> None:
    page = desk.form()
    # 发放款物 is printed eleven times; between named neighbours there is no doubt which it is.
    text = block(desk, ["C7", "D7", "C8", "D8"], {"C7": "1", "D7": "2", "C8": "3", "D8": "4"}, columns="l")
    paste(page, "A1", text)
    confirm(page)
    desk.on_server(page, C7="1", D7="2", C8="3", D8="4")
    paste(page, "A1", block(desk, ["D7", "D9"], {"D7": "5", "D9": "6"}, columns="l"))
    expect(dialog(page)).to_contain_text("有几行同名，“5”没有粘贴。请连同代码一起复制。")
    expect(dialog(page)).to_contain_text("没有可以粘贴的内容")


def test_strangers_doubles_and_shifted_rows_are_refused(desk: Desk) -> None:
    page = desk.form()
    lines = block(desk, ["E1", "E2", "E2", "E3"], {"E1": "5", "E2": "6", "E3": "7"}, columns="cl")
    shifted = block(desk, ["E4"], {"E4": "8"}, columns="cl").replace("E4", "E5")
    paste(page, "A1", f"{lines}{shifted}Z9\t外来\t9\r\n\t我们自己加的一行\t3\r\n\t小计\t\r\n")
    said = dialog(page)
    expect(said).to_contain_text("粘贴 2 格")
    expect(said).to_contain_text("E2出现了两次，“6”没有粘贴。")
    expect(said).to_contain_text("E5代码与项目不是同一行，“8”没有粘贴。请核对是否串行。")
    expect(said).to_contain_text("Z9表中没有这个代码，“9”没有粘贴。")
    expect(said).to_contain_text("我们自己加的一行表中没有这一行，“3”没有粘贴。")
    expect(said).not_to_contain_text("小计")
    confirm(page)
    desk.on_server(page, E1="5", E2="", E3="7", E5="")


def test_a_whole_template_page_is_understood_as_it_stands(desk: Desk) -> None:
    """Copied from the workbook with everything around the table, 自动计算 beside it included."""
    page = desk.form("helpcenter")
    sheet = sheet_for(desk.stage.campaign, "helpcenter")
    figures = {c: ("是" if f.kind == "yesno" else "1") for c, f in sheet.fields.items() if not f.of}
    lines = [
        "附件2\t\t\t\t",
        "填报单位（盖章）：哈尔滨市总工会\t\t\t日期：\t",
        "序号\t代码\t项目\t单位\t数字\t自动计算",
    ]
    for row in sheet.rows:
        total = sum(1 for _ in row.parts)
        figure = figures.get(row.code, "")
        lines.append(
            f"{row.serial}\t{row.printed_code}\t{row.label}\t{row.unit}\t{figure}\t{total if row.parts else ''}"
        )
    cell(page, "B").focus()
    page.evaluate(PASTE, ["\r\n".join(lines), ""])
    expect(dialog(page)).to_contain_text("只取数字列，其余 1 列没有粘贴")
    expect(dialog(page).locator(".paste-refused")).to_have_count(0)
    expect(dialog(page)).to_contain_text(f"粘贴 {len(figures)} 格")
    confirm(page)
    saved(page)
    assert desk.texts(*figures, slug="helpcenter") == list(figures.values())


def test_a_block_in_yuan_is_turned_into_wanyuan(desk: Desk) -> None:
    page = desk.form()
    paste(
        page,
        "A1",
        "代码\t项目\t单位\t数字\r\nA1\t\t元\t125000\r\nA2\t\t万元\t3\r\nB\t\t家\t7\r\nE1\t\t万元\t8\r\n",
    )
    expect(dialog(page)).to_contain_text("E1“8”的单位是万元，此处为人次，没有粘贴。")
    confirm(page)
    desk.on_server(page, A1="12.5", A2="3", B="7", E1="")
    paste(page, "A3", "金额（元）\r\n20000\r\n")
    confirm(page)
    desk.on_server(page, A3="2")


def test_of_several_columns_of_figures_a_telling_head_decides_or_nothing_is_pasted(desk: Desk) -> None:
    page = desk.form()
    body = "E1\t5\t6\r\nE2\t7\t8\r\n"
    paste(page, "A1", body)
    expect(dialog(page)).to_contain_text("有 2 列数，不知粘贴哪一列。")
    expect(dialog(page)).to_contain_text("没有可以粘贴的内容")
    page.keyboard.press("Escape")
    paste(page, "A1", f"代码\t上年\t本年\r\n{body}")
    confirm(page)
    desk.on_server(page, E1="6", E2="8")


def test_what_may_be_meant_otherwise_is_pasted_with_a_word_about_it(desk: Desk) -> None:
    page = desk.form()
    paste(page, "A1", "代码\t项目\t2020年\r\nE1\t落实民生政策\t5\r\nE3\t提供医疗方面的救助\t6\r\n")
    expect(dialog(page)).to_contain_text("数字列的表头是“2020年”，请核对。")
    row = dialog(page).locator("tr", has_text="提供医疗救助")
    expect(row).to_contain_text("复制的写作“提供医疗方面的救助”，按代码粘贴，请核对")


VECTORS = [
    "", "0", "12", "1,200", "１，２３４", "1 234", "12.5", "12.50", ".5", "5.", "-3", "+3", "1e5", "1,5", "12 5", "1,2,3",
    "12.5万元", "12.5 万元", "125000元", "1.5亿元", "3千元", "7百元", "0.01元", "0.001元", "万元", "3万", "３户", "5人",
    "5人次", "5名", "5家", "5个", "5 人次", "12人万元", "是", "否", "√", "×", "有", "无", "1.0", "0.0", "#REF!", "=1+1",
    "十二", "99999999999999", "2147483648", "1234567890.123456", "0.0000001", "约5", "5-6", "1/2", "１２.５万元", "12.5%",
]  # fmt: skip


@pytest.mark.parametrize("unit", ["", "元", "亿元"])
def test_the_page_reads_figures_as_the_server_does(desk: Desk, unit: str) -> None:
    page = desk.form()
    fields = {
        slug + code: sheet_for(desk.stage.campaign, slug).fields[code]
        for slug, code in (("warmth", "A1"), ("warmth", "E1"), ("helpcenter", "I"))
    }

    def server(field: Any, text: str) -> str | None:
        try:
            money = unit if field.kind == "money" else ""
            return str(field.show(field.parse(figure_text(field, Cell("s", text), money))))
        except ValidationError:
            return None

    for field in fields.values():
        there = page.evaluate(
            """async ([cell, texts, unit]) => {
              const { standsAs } = await import("/static/js/pasted-block.js");
              return texts.map((text) => { try { return standsAs(cell, text, unit); } catch { return null; } });
            }""",
            [
                {"kind": field.kind, "unit": field.unit},
                VECTORS,
                unit if field.kind == "money" else "",
            ],
        )
        here = [server(field, text) for text in VECTORS]
        assert dict(zip(VECTORS, there, strict=True)) == dict(zip(VECTORS, here, strict=True)), field.kind


def test_quotes_tabs_and_line_breaks_inside_a_cell_do_not_shift_the_block(desk: Desk) -> None:
    page = desk.form()
    paste(page, "A1", 'E1\t"其中：落实\n民生政策"\t5\r\nE2\t"提供""生活""救助"\t6\r\n')
    confirm(page)
    desk.on_server(page, E1="5", E2="6")


def test_a_thousand_rows_too_many_is_a_sentence(desk: Desk) -> None:
    page = desk.form()
    paste(page, "A1", "1\n" * 2000)
    expect(page.locator("#bar")).to_contain_text("复制的内容有 2000 行，没有粘贴。")
    assert desk.texts("A1") == [""]


# -- shut cells, undo, no network, two people ------------------------------------------------------------------


def test_what_falls_on_a_shut_cell_is_refused_and_keeps_its_place(desk: Desk) -> None:
    desk.stage.returned(desk.harbin, "warmth:E1", "warmth:E3", warmth_E1=1, warmth_E2=2, warmth_E3=3)
    page = desk.form()
    paste(page, "E1", "5\n6\n7\n")
    expect(dialog(page)).to_contain_text("粘贴 2 格")
    expect(dialog(page)).to_contain_text("E2此格已锁定，“6”没有粘贴。")
    confirm(page)
    desk.on_server(page, E1="5", E2="2", E3="7", E="14")


def test_undoing_leaves_what_was_typed_since(desk: Desk) -> None:
    page = desk.form()
    paste(page, "E1", "5\n6\n7\n")
    confirm(page)
    cell(page, "E2").fill("60")
    page.get_by_role("button", name="撤销").click()
    expect(page.locator(".paste-undo")).to_contain_text("E2 之后又有改动，没有撤销")
    desk.on_server(page, E1="", E2="60", E3="", E="60")


def test_a_typed_total_comes_back_as_it_was(desk: Desk) -> None:
    page = desk.form()
    cell(page, "E").fill("50")
    desk.on_server(page, E="50")
    paste(page, "A1", block(desk, ["E", "E1"], {"E": "5", "E1": "5"}))
    confirm(page)
    desk.on_server(page, E="5", E1="5")
    assert desk.touched() == []
    undo(page)
    desk.on_server(page, E="50", E1="")
    assert desk.touched() == ["E"]


def test_without_a_network_it_is_kept_here_undone_here_and_sent_later(desk: Desk) -> None:
    page = desk.form()
    page.context.set_offline(True)
    paste(page, "E1", "5\n6\n")
    confirm(page)
    expect(page.locator("#saved")).to_have_text("未保存（网络中断，已存在本机）")
    expect(page.locator(".paste-undo")).to_contain_text("已粘贴 2 格")
    undo(page)
    paste(page, "E3", "7\n8\n")
    confirm(page)
    page.context.set_offline(False)
    desk.on_server(page, E1="", E2="", E3="7", E4="8", E="15")
    saved(page)
    assert page.evaluate("localStorage.length") == 0


def test_a_colleagues_figure_is_a_conflict_as_in_typing(desk: Desk) -> None:
    page = desk.form()
    by = desk.stage.actor(desk.harbin, Role.SUBMITTER)
    save_cells(filing=desk.filing, slug="warmth", changes=[Change("E1", "", "7")], by=by)
    paste(page, "E1", "5\n6\n")
    confirm(page)
    expect(page.locator("#r-E1 .note.conflict")).to_contain_text("哈尔滨负责人")
    desk.on_server(page, E1="7", E2="6")
    page.locator("#r-E1 .note.conflict").get_by_role("button", name="用我的 5").click()
    desk.on_server(page, E1="5", E="11")


def test_the_dialog_fits_a_phone(desk: Desk) -> None:
    page = desk.form(viewport=(390, 844))
    paste(page, "C1", "\n".join("1234567890" for _ in range(20)))
    box = dialog(page).bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert dialog(page).evaluate("d => d.querySelector('.ask-body').scrollWidth <= d.clientWidth")
    confirm(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


# -- a file ------------------------------------------------------------------------------------------------


def test_a_file_is_chosen_looked_at_and_confirmed(desk: Desk, tmp_path: Path) -> None:
    good, bad = tmp_path / "报表.xlsx", tmp_path / "说明.txt"
    good.write_bytes(book(desk.stage.campaign, desk.harbin, warmth_E1=5, warmth_E2=6))
    bad.write_text("送温暖", encoding="utf-8")
    page = desk.form()
    page.locator(".entry-actions summary").click()
    page.get_by_role("link", name="导入 Excel…").click()
    expect(page.locator("#drop")).to_have_class(re.compile("scripted"))
    page.set_input_files("#drop-file", bad)
    expect(page.locator("#upload-errors")).to_contain_text("“说明.txt”不是 Excel 或 WPS 表格")
    assert not Import.objects.exists()
    page.set_input_files("#drop-file", good)
    expect(page.locator(".import-counts").first).to_contain_text("改动 3 格")
    expect(page.locator(".btn-primary")).to_have_count(1)
    assert desk.texts("E1") == [""]
    page.get_by_role("button", name="确认填入").click()
    expect(page.locator(".flash.success")).to_contain_text("已从“报表.xlsx”填入 3 格")
    ready(page)
    expect(cell(page, "E")).to_have_value("11")
    # Another tab of the form gets them the usual way: no conflict where nothing was typed.
    assert CellChange.objects.count() == 2


def test_a_file_can_be_dropped(desk: Desk, tmp_path: Path) -> None:
    content = book(desk.stage.campaign, desk.harbin, warmth_E1=5)
    page = desk.open_page(desk.filler.person, reverse("filing_import", args=[desk.filing.pk]))
    expect(page.locator("#drop")).to_have_class(re.compile("scripted"))
    page.evaluate(
        """(bytes) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], "拖来.xlsx"));
          const drop = new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true});
          document.getElementById("drop").dispatchEvent(drop);
        }""",
        list(content),
    )
    expect(page.locator(".import-title")).to_contain_text("拖来.xlsx")


def test_what_this_machine_kept_is_sent_from_the_preview_too(desk: Desk) -> None:
    page = desk.form()
    page.route("**/cells/", lambda route: route.abort())
    cell(page, "E1").fill("7")
    expect(page.locator("#saved")).to_contain_text("已存在本机")
    page.unroute("**/cells/")
    page.goto(page.url.split("/forms")[0] + "/import/")
    desk.on_server(page, E1="7")


# -- many ----------------------------------------------------------------------------------------------------


def test_a_folder_goes_up_is_read_chosen_from_and_filled_in(desk: Desk, tmp_path: Path) -> None:
    tree, campaign = desk.stage.tree, desk.stage.campaign
    clerk = desk.stage.actor(tree.province, Role.ADMINISTRATOR)
    for folder, union in (("甲", tree.harbin), ("乙", tree.outsider)):
        path = tmp_path / "来件" / folder / "报表.xlsx"
        path.parent.mkdir(parents=True)
        path.write_bytes(book(campaign, union, warmth_E1=5))
    (tmp_path / "来件" / ".DS_Store").write_bytes(b"x")
    page = desk.open_page(clerk.person, reverse("campaigns"))
    page.get_by_role("link", name="批量导入").click()
    expect(page.locator("#drop")).to_have_class(re.compile("scripted"))
    page.set_input_files("#drop-folder", tmp_path / "来件")
    expect(page.locator(".run-what")).to_contain_text("正在读取 0 / 2")
    work_batches()
    expect(page.locator(".batch-files").first).to_contain_text("甲/报表.xlsx")
    expect(page.locator("#confirm")).to_have_text("确认填入 2 个文件")
    page.locator("#pick-all").uncheck()
    expect(page.locator("#confirm")).to_be_disabled()
    page.get_by_label("哈尔滨市总工会").check()
    page.locator("#confirm").click()
    expect(page.locator(".run-what")).to_contain_text("正在填入 0 / 1")
    work_batches()
    expect(page.locator(".batch-sum")).to_contain_text("已为 1 个单位填入草稿")
    assert desk.texts("E1") == ["5"]
    assert working_row(desk.stage.filing(tree.outsider), "warmth").E1 is None
    assert ImportBatch.objects.get().state == "done"
