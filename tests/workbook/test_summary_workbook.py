"""The workbook of a summary: exact figures, safe text, the layout of the notice, always the same bytes."""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from reporting.aggregation import make_summary
from reporting.fields import MAX_FEN, MoneyField, YesNoField
from reporting.models import Campaign, Summary
from reporting.registry import all_forms
from reporting.summaries import sealed_sheets, units_of
from reporting.workbooks.layout import Book, legal, lines_of, number_format, text
from reporting.workbooks.summary import summary_workbook, workbook_name
from tests.aggregation.sealed import Province, relabel
from unions.models import Union

A4, A3 = 9, 8
TITLES = [
    "封面",
    "送温暖汇总表",
    "帮扶中心汇总表",
    "送温暖分单位明细",
    "帮扶中心分单位明细",
    "报送情况",
    "说明",
]
FORMS = [(form.slug, TITLES[n], TITLES[n + 2]) for n, form in enumerate(all_forms(), 1)]


def opened(summary: Summary) -> Workbook:
    return load_workbook(io.BytesIO(summary_workbook(summary)))


def whole(value: Any, field: Any) -> int | None:
    """What a cell holds → the whole figure inside."""
    if value in (None, ""):
        return None
    if isinstance(field, YesNoField):
        return {"是": 1, "否": 0}[value]
    exact = Decimal(repr(value)) * (1_000_000 if isinstance(field, MoneyField) else 1)
    assert exact == int(exact)
    return int(exact)


def texts(sheet: Worksheet) -> list[str]:
    return [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None]


def test_the_sheets_in_their_order(summary: Summary):
    assert opened(summary).sheetnames == TITLES
    assert workbook_name(summary) == "2021年送温暖统计汇总_第1号.xlsx"


@pytest.mark.parametrize(("slug", "official", "detail"), FORMS)
def test_every_official_figure_is_the_summarys_to_the_fen(
    summary: Summary, slug: str, official: str, detail: str
):
    page = opened(summary)[official]
    (sheet,) = [s for s in sealed_sheets(summary) if s.slug == slug]
    for number, row in enumerate(sheet.rows, 7):
        assert page.cell(number, 2).value == (row.printed_code or None)
        assert page.cell(number, 3).value == row.label
        assert page.cell(number, 4).value == row.unit
        assert whole(page.cell(number, 5).value, sheet.field(row.code)) == summary.figures[slug][row.code]


@pytest.mark.parametrize(("slug", "official", "detail"), FORMS)
def test_every_figure_of_every_unit_and_a_live_total(summary: Summary, slug: str, official: str, detail: str):
    content = summary_workbook(summary)
    page = load_workbook(io.BytesIO(content))[detail]
    seen = load_workbook(io.BytesIO(content), data_only=True)[detail]
    (sheet,) = [s for s in sealed_sheets(summary) if s.slug == slug]
    units = units_of(summary, slug)
    assert [page.cell(row, 2).value for row in range(6, 6 + len(units))] == [
        "黑龙江省总工会（本级）",
        "第1市总工会",
        "第2市总工会",
        "第3市总工会（逾期）",
    ]
    last = 6 + len(units)
    assert page.cell(last, 1).value == "合计"
    for column, row in enumerate(sheet.rows, 3):
        field, letter = sheet.field(row.code), page.cell(3, column).column_letter
        assert page.cell(3, column).value == row.code
        for number, unit in enumerate(units, 6):
            assert whole(page.cell(number, column).value, field) == unit.figures[row.code]
        formula, shown = page.cell(last, column).value, seen.cell(last, column).value
        if isinstance(field, YesNoField):
            assert formula == f'=COUNTIF({letter}6:{letter}{last - 1},"是")'
            assert shown == sum(unit.figures[row.code] or 0 for unit in units)
        else:
            assert f"SUM({letter}6:{letter}{last - 1})" in formula
            assert whole(shown, field) == summary.figures[slug][row.code], "previews don't calculate"


def test_the_official_sheet_is_laid_out_like_the_notice(summary: Summary):
    book = opened(summary)
    for form, title in zip(all_forms(), TITLES[1:3], strict=True):
        page = book[title]
        assert page["A1"].value == form.attachment
        assert page["A2"].value.endswith("统计汇总表")
        assert page["A4"].value == "填报单位（盖章）：黑龙江省总工会"
        assert page["A5"].value == "填报人：张三"
        assert [cell.value for cell in page[6]] == ["序号", "代码", "项目", "单位", "数字"]
        merged = {str(area) for area in page.merged_cells.ranges}
        sections: dict[int, list[int]] = {}
        for number, field in enumerate(form.fields().values(), 7):
            sections.setdefault(field.section, []).append(number)
        for section, rows in sections.items():
            assert page.cell(rows[0], 1).value == str(section)
            if len(rows) > 1:
                assert f"A{rows[0]}:A{rows[-1]}" in merged
        for number, field in enumerate(form.fields().values(), 7):
            assert page.cell(number, 5).font.b == bool(field.of)
            assert page.cell(number, 3).border.bottom.style == "thin"
        assert page.freeze_panes == "A7"
        assert page.print_title_rows == "$6:$6"
        assert page.page_setup.paperSize == A4
        assert page.page_setup.orientation == "portrait"
        assert (page.page_setup.fitToWidth, page.page_setup.fitToHeight) == (1, 1)
        assert page.print_area.startswith(f"'{title}'!$A$1:$E$")
        assert page.oddFooter.right.text == "第 &P 页，共 &N 页"


def test_a_long_label_has_room_for_all_its_lines(summary: Summary):
    page = opened(summary)[TITLES[1]]
    width = page.column_dimensions["C"].width
    for number in range(7, 7 + len(summary.sheets["warmth"])):
        lines = lines_of(page.cell(number, 3).value, width - 4, size=12)
        assert page.row_dimensions[number].height >= lines * 15


def test_the_detail_keeps_its_head_in_sight_and_on_every_page(summary: Summary):
    for title in TITLES[3:5]:
        page = opened(summary)[title]
        assert page.freeze_panes == "C6"
        assert page.print_title_rows == "$3:$5"
        assert page.print_title_cols == "$A:$B"
        assert (page.page_setup.paperSize, page.page_setup.orientation) == (A3, "landscape")


def test_the_cover_names_everybody(summary: Summary):
    cover = "\n".join(texts(opened(summary)["封面"]))
    for said in (
        "黑龙江省总工会",
        "2021年元旦春节送温暖活动统计汇总",
        "黑工办发〔2020〕30号",
        "第 1 号",
        summary.digest,
        "共 5 个：已纳入 4 个（其中逾期 1 个），未纳入 1 个",
        "第3市总工会",
        "第4市总工会（已退回）",
    ):
        assert said in cover
    assert "演示数据" not in cover


def test_sample_figures_say_so_on_every_sheet_with_figures(province: Province):
    province.campaign.is_sample = True
    province.campaign.save()
    book = opened(make_summary(province.campaign))
    for title in TITLES[:5]:
        assert any("演示数据" in said for said in texts(book[title]))


def test_who_filed_when_and_what_was_sealed(summary: Summary):
    page = opened(summary)["报送情况"]
    rows = [[cell.value for cell in row] for row in page.iter_rows(min_row=4)]
    assert [row[1] for row in rows] == [
        "黑龙江省总工会",
        "第1市总工会",
        "第2市总工会",
        "第3市总工会",
        "第4市总工会",
    ]
    assert rows[3][3:7:3] == ["第 2 轮", "逾期"]
    assert rows[4][2] == "已退回"
    as_of = f"{timezone.localtime(summary.cut_off):%Y年%-m月%-d日 %H:%M:%S}"
    assert rows[4][7] == f"未纳入本次汇总，状态截至 {as_of}"
    entry = summary.entries.get(round__filing__union__code="230100")
    assert rows[1][7] == entry.round.digest


def said_by(province: Province, message: str, answer: str) -> list[dict[str, str]]:
    return [{"form": "warmth", "rule": "D_above_A", "message": message, "text": answer}]


@pytest.mark.parametrize(
    "evil",
    ["=1+1", "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", '=HYPERLINK("http://x","点我")'],
)
def test_no_text_becomes_a_formula(province: Province, evil: str):
    own = province.approve_all()
    province.approve(province.cities[0], own["230100"], explanations=said_by(province, evil, evil))
    province.cities[1].name = evil
    province.cities[1].save()
    province.campaign.title = evil
    province.campaign.save()
    content = summary_workbook(make_summary(province.campaign))
    book = load_workbook(io.BytesIO(content))
    for page in book:
        for row in page.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    assert re.match(r"=(ROUND\(SUM|SUM|COUNTIF)\(", str(cell.value))
    said = [cell for row in book["说明"].iter_rows() for cell in row if cell.value == evil.strip("\t")]
    assert said or evil.startswith("\t")
    assert all(cell.quotePrefix for cell in said)


def test_what_xml_cannot_hold_is_left_out(province: Province):
    own = province.approve_all()
    bad = "坏\x00\x0b\x1f\ufffe字 <b>&amp;</b> 😀"
    province.approve(
        province.cities[0], own["230100"], explanations=said_by(province, "核实", bad.replace("\x00", ""))
    )
    page = opened(make_summary(province.campaign))["说明"]
    assert "坏字 <b>&amp;</b> 😀" in texts(page)


@settings(deadline=None)
@given(st.text())
def test_any_text_can_be_written_and_read_back(value: str):
    book = Workbook()
    assert book.active is not None
    text(book.active, 1, 1, value)  # type: ignore[arg-type]
    out = io.BytesIO()
    book.save(out)
    again = load_workbook(out).active
    assert again is not None
    cell = again.cell(1, 1)
    assert cell.data_type in ("s", "n")  # an empty one is nothing
    assert (cell.value or "") == legal(value)


def test_no_later_change_of_settings_or_names_changes_a_signed_workbook(province: Province, summary: Summary):
    before = summary_workbook(summary)
    Campaign.objects.update(
        title="改过的标题",
        notice_number="改过的文号",
        notice_title="改过的通知",
        year=2031,
        deadline=province.campaign.deadline + datetime.timedelta(days=99),
        is_sample=True,
    )
    for union in Union.objects.all():
        union.name = f"改名的{union.name}"
        union.save()
    later = Summary.objects.get(pk=summary.pk)
    assert summary_workbook(later) == before
    assert workbook_name(later) == workbook_name(summary)
    again = make_summary(Campaign.objects.get())
    assert again.number == 2, "what the cover says is part of what is signed"
    assert "改过的文号" in texts(opened(again)["封面"])


def test_a_label_names_the_group_of_its_own_pair_when_rows_are_switched_off(province: Province):
    relabel(province.campaign, "warmth", "C6", off=True)
    relabel(province.campaign, "warmth", "C7", "坚守岗位的职工：慰问对象")
    province.campaign = relabel(province.campaign, "warmth", "D5", off=True)
    province.approve_all()
    book = opened(make_summary(province.campaign))
    assert {"重大灾害期间坚守抗灾一线的职工：发放款物"} <= set(texts(book[TITLES[1]]))
    heads = {cell.value: book[TITLES[3]].cell(4, cell.column).value for cell in book[TITLES[3]][3]}
    assert heads["D6"] == "重大灾害期间坚守抗灾一线的职工：发放款物"
    assert heads["D7"].endswith("基层岗位干部职工：发放款物"), (
        "C7 is printed in the notice and keeps its words"
    )


def test_the_same_summary_gives_the_same_bytes(summary: Summary):
    first = summary_workbook(summary)
    assert summary_workbook(Summary.objects.get(pk=summary.pk)) == first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.testzip() is None
        assert len({info.date_time for info in archive.infolist()}) == 1
    properties = load_workbook(io.BytesIO(first)).properties
    assert properties.created == properties.modified
    assert properties.creator == "送温暖报送系统"


MONEY = all_forms()[0].fields()["A"]
COUNT = all_forms()[0].fields()["B"]


def written(field: Any, figure: int) -> tuple[Any, str]:
    """The cell read back, and its digits as they stand in the file."""
    book = Book(title="试", made_at=timezone.now())
    book.figure(book.sheet("试", [10]), 1, 1, field, figure)
    content = book.to_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml").decode()
    return load_workbook(io.BytesIO(content))["试"]["A1"], xml


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(st.integers(0, 10**15 - 1))
def test_money_stands_in_the_file_digit_by_digit_and_reads_back_to_the_fen(fen: int):
    cell, xml = written(MONEY, fen)
    assert f"<v>{MONEY.show(fen)}</v>" in xml
    assert round(float(cell.value) * 1_000_000) == fen
    assert not cell.number_format.endswith((".", "#"))
    assert len(cell.number_format.partition(".")[2]) == len(MONEY.show(fen).partition(".")[2])


@pytest.mark.parametrize("fen", [10**15 + 1, 9_007_199_254_740_993, MAX_FEN])
def test_a_figure_longer_than_a_spreadsheet_can_count_is_written_out(fen: int):
    cell, _ = written(MONEY, fen)
    assert cell.data_type == "s"
    assert cell.value == MONEY.grouped(fen)


def test_a_column_with_such_a_figure_has_its_total_written_out(province: Province):
    own = province.approve_all(scale=0)
    own["230400"]["warmth"] |= {"H": 1, "I": MAX_FEN}
    province.approve(province.cities[3], own["230400"])
    page = opened(make_summary(province.campaign))[TITLES[3]]
    (column,) = [cell.column for cell in page[3] if cell.value == "I"]
    assert page.cell(11, column).value == MONEY.grouped(MAX_FEN)


@pytest.mark.parametrize(("decimals", "expected"), [(0, "#,##0"), (1, "#,##0.0"), (6, "#,##0.000000")])
def test_number_formats_show_just_the_decimals_that_are_there(decimals: int, expected: str):
    assert number_format(decimals) == expected


def test_counts_are_whole_numbers():
    cell, xml = written(COUNT, 2_147_483_647)
    assert (cell.value, cell.number_format) == (2_147_483_647, "#,##0")
    assert "<v>2147483647</v>" in xml


def test_a_summary_of_nobody_is_a_workbook_too(province: Province):
    book = opened(make_summary(province.campaign))
    assert "共 5 个：已纳入 0 个（其中逾期 0 个），未纳入 5 个" in texts(book["封面"])
    assert book[TITLES[1]].cell(7, 5).value is None
    assert book[TITLES[3]].cell(6, 1).value == "合计"


def test_problems_of_the_totals_and_explanations_of_the_units_are_told(province: Province):
    own = province.approve_all(scale=0)
    own["230400"]["warmth"] |= {"H": 0, "I": 5_000_000}
    province.approve(
        province.cities[3],
        own["230400"],
        explanations=said_by(province, "I 追讨欠薪 5 万元", "年前集中清欠所致"),
    )
    book = opened(make_summary(province.campaign))
    told = texts(book["说明"])
    assert "I 追讨欠薪 5 万元，H 协助追讨欠薪为 0 人次：有金额而没有人次" in told
    assert "年前集中清欠所致" in told
    assert any("有金额而没有人次" in said for said in texts(book["封面"]))
