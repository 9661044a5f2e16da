"""Good: tables that stand elsewhere than in the notice, with rows and columns added, moved, merged or left out."""

from __future__ import annotations

import io
from dataclasses import replace

from openpyxl.comments import Comment
from openpyxl.drawing.image import Image
from openpyxl.worksheet.datavalidation import DataValidation
from PIL import Image as Picture

from tests.workbooks.case import HELPCENTER, WARMTH, Made, good, sheet
from tests.workbooks.desk import Desk, Line, at, change, lines_of

BOTH = (WARMTH, HELPCENTER)


def both(**how) -> Desk:
    desk = Desk()
    for slug in BOTH:
        desk.form(slug, **how)
    return desk


@good("official")
def official() -> Made:
    return both().finish()


@good("only form 1")
def only_form_1() -> Made:
    desk = Desk()
    desk.form(WARMTH)
    return desk.finish()


@good("only form 2")
def only_form_2() -> Made:
    desk = Desk()
    desk.form(HELPCENTER)
    return desk.finish()


@good("other sheet names")
def other_sheet_names() -> Made:
    desk = Desk()
    desk.form(WARMTH, title="Sheet1")
    desk.form(HELPCENTER, title="表 二 (2)")
    return desk.finish()


@good("sheet names with quotes and brackets")
def quoted_sheet_names() -> Made:
    desk = Desk()
    desk.form(WARMTH, title="哈尔滨'总工会'（表1）{终稿}")
    desk.form(HELPCENTER, title="“帮扶”&<中心>=1+1!")
    return desk.finish()


@good("a very long file name", file=f"{'关于报送二〇二一年元旦春节送温暖统计报表的' * 3}.xlsx")
def long_file_name() -> Made:
    return both().finish()


@good("shifted down and right")
def shifted() -> Made:
    desk = Desk()
    for slug in BOTH:
        page = desk.page(sheet(slug).title)
        top = desk.head(page, slug, top=7, left=4)
        desk.table(page, slug, lines_of(slug), top=top + 6, left=4)
    return desk.finish()


@good("logo and notes above, notes below")
def notes_around() -> Made:
    desk = Desk()
    for slug in BOTH:
        page = desk.page(sheet(slug).title)
        page["A1"] = "哈尔滨市总工会文件"
        page["A2"] = "哈工办函〔2021〕3号"
        page["B3"] = "说明：本表一式两份，请于 1 月 27 日前报送，E1 为必填项。"
        top = desk.head(page, slug, top=5)
        after = desk.table(page, slug, lines_of(slug), top=top)
        page.cell(after, 1).value = "注：1. 金额单位为万元。2. 没有发生的填 0。3. 落实民生政策含 12 个县区。"
        page.cell(after + 2, 3).value = "共 2 页，第 1 页"
    return desk.finish()


@good("remarks and last year before and after the figures")
def more_columns() -> Made:
    desk = Desk()
    for slug in BOTH:
        lines = [
            replace(line, others={"上年数": 7 + n, "比上年增减": -n, "备注": "含南岗区" if n % 5 == 0 else n})
            for n, line in enumerate(lines_of(slug))
        ]
        columns = ("序号", "代码", "项目", "单位", "上年数", "数字", "比上年增减", "备注")
        desk.form(slug, lines, columns=columns)
    return desk.finish()


@good("this year's column by another name, last year's behind it")
def this_year_and_last() -> Made:
    desk = Desk()
    for slug in BOTH:
        lines = [replace(line, others={"上年同期": 3}) for line in lines_of(slug)]
        columns = ("代码", "项目", "单位", "数字", "上年同期")
        desk.form(slug, lines, columns=columns, heads={"数字": "本年完成数"})
    return desk.finish()


@good("a head of two lines")
def head_of_two_lines() -> Made:
    desk = Desk()
    for slug in BOTH:
        page = desk.page(sheet(slug).title)
        top = desk.head(page, slug)
        for column, word in enumerate(("序号", "代码", "项目", "单位"), 1):
            page.cell(top, column).value = word
            page.merge_cells(start_row=top, end_row=top + 1, start_column=column, end_column=column)
        page.cell(top, 5).value = "数 字"
        page.merge_cells(start_row=top, end_row=top, start_column=5, end_column=6)
        page.cell(top + 1, 5).value, page.cell(top + 1, 6).value = "上年", "本年"
        lines = [replace(line, others={"上年": 11}) for line in lines_of(slug)]
        columns = ("序号", "代码", "项目", "单位", "上年", "数字")
        desk.table(page, slug, lines, top=top + 2, columns=columns, is_headed=False)
    return desk.finish()


@good("no head at all")
def no_head() -> Made:
    desk = Desk()
    for slug in BOTH:
        page = desk.page(sheet(slug).title)
        top = desk.head(page, slug)
        desk.table(page, slug, lines_of(slug), top=top, is_headed=False)
    return desk.finish()


@good("line numbers between labels and figures")
def line_numbers() -> Made:
    desk = Desk()
    for slug in BOTH:
        lines = [replace(line, others={"行次": n}) for n, line in enumerate(lines_of(slug), 1)]
        desk.form(slug, lines, columns=("代码", "项目", "行次", "单位", "数字"))
    return desk.finish()


@good("rows inserted: blanks, remarks, subtotals", notes=(r"!E\d+ 这一行（小计）不在表样中，“99”没有读入",))
def inserted_rows() -> Made:
    desk = Desk()
    lines = lines_of(WARMTH)
    lines[at(lines, "C3") : at(lines, "C3")] = [Line(), Line(label="以下为各类职工")]
    lines.insert(at(lines, "E"), Line(label="小计", figure=99))
    lines.insert(at(lines, "G"), Line())
    desk.form(WARMTH, lines)
    desk.form(HELPCENTER)
    return desk.finish()


@good("serials and sections merged")
def merged_serials() -> Made:
    desk = Desk()
    for slug in BOTH:
        page = desk.form(slug)
        starts = [n for n, line in enumerate(lines_of(slug), 6) if line.serial]
        for start, end in zip(starts, [*starts[1:], 6 + len(lines_of(slug))], strict=True):
            if end - start > 1:
                page.merge_cells(start_row=start, end_row=end - 1, start_column=1, end_column=1)
    return desk.finish()


@good("labels merged over two columns, figures over two")
def merged_labels() -> Made:
    desk = Desk()
    for slug in BOTH:
        page = desk.form(slug, columns=("序号", "代码", "项目", "", "单位", "数字", " "))
        for row in range(5, 6 + len(lines_of(slug))):
            page.merge_cells(start_row=row, end_row=row, start_column=3, end_column=4)
            page.merge_cells(start_row=row, end_row=row, start_column=6, end_column=7)
    return desk.finish()


@good("labels in two columns: the group merged over its rows")
def grouped_labels() -> Made:
    desk = Desk()
    lines, merges = [], []
    for number_, line in enumerate(lines_of(WARMTH)):
        group, colon, tail = sheet(WARMTH).row[line.row].full_label.rpartition("：")
        if colon and group != "其中":
            if tail == "慰问对象":
                merges.append(number_)
            lines.append(replace(line, label=group if tail == "慰问对象" else "", others={"分": tail}))
        else:
            lines.append(line)
    page = desk.form(WARMTH, lines, columns=("序号", "代码", "项目", "分", "单位", "数字"))
    for number_ in merges:
        row = 6 + number_
        page.merge_cells(start_row=row, end_row=row + 1, start_column=3, end_column=3)
    desk.form(HELPCENTER)
    return desk.finish()


@good("labels in two columns without codes")
def grouped_labels_without_codes() -> Made:
    desk = Desk()
    lines = []
    for line in lines_of(WARMTH):
        group, colon, tail = sheet(WARMTH).row[line.row].full_label.rpartition("：")
        is_pair = bool(colon) and group != "其中"
        label = (group if tail == "慰问对象" else "") if is_pair else line.label
        lines.append(replace(line, label=label, others={"分": tail if is_pair else ""}))
    page = desk.form(WARMTH, lines, columns=("项目", "分", "单位", "数字"))
    for number_, line in enumerate(lines):
        if line.others["分"] == "慰问对象":
            page.merge_cells(start_row=6 + number_, end_row=7 + number_, start_column=1, end_column=1)
    return desk.finish()


@good("both forms on one page, one below the other")
def one_below_the_other() -> Made:
    desk = Desk()
    page = desk.page("报表")
    after = desk.table(page, WARMTH, lines_of(WARMTH), top=desk.head(page, WARMTH))
    top = desk.head(page, HELPCENTER, top=after + 2)
    desk.table(page, HELPCENTER, lines_of(HELPCENTER), top=top)
    return desk.finish()


@good("both forms on one page without codes, the second further right")
def one_below_the_other_without_codes() -> Made:
    desk = Desk()
    page = desk.page("报表")
    columns = ("项目", "单位", "数字")
    after = desk.table(page, WARMTH, lines_of(WARMTH), top=desk.head(page, WARMTH), columns=columns)
    top = desk.head(page, HELPCENTER, top=after + 1, left=3)
    desk.table(page, HELPCENTER, lines_of(HELPCENTER), top=top, left=3, columns=columns)
    return desk.finish()


@good("both forms side by side")
def side_by_side() -> Made:
    desk = Desk()
    page = desk.page("报表")
    desk.table(page, WARMTH, lines_of(WARMTH), top=desk.head(page, WARMTH))
    desk.table(page, HELPCENTER, lines_of(HELPCENTER), top=desk.head(page, HELPCENTER, left=7), left=7)
    return desk.finish()


@good("one form in two blocks side by side, to fit the paper")
def two_blocks() -> Made:
    desk = Desk()
    for slug in BOTH:
        page = desk.page(sheet(slug).title)
        top = desk.head(page, slug, width=10)
        lines = lines_of(slug)
        half = len(lines) // 2
        desk.table(page, slug, lines[:half], top=top)
        desk.table(page, slug, lines[half:], top=top, left=6)
    return desk.finish()


@good("continued below with the head again")
def continued() -> Made:
    desk = Desk()
    for slug in BOTH:
        page = desk.page(sheet(slug).title)
        lines = lines_of(slug)
        after = desk.table(page, slug, lines[:30], top=desk.head(page, slug))
        page.cell(after + 1, 1).value = "续表"
        desk.table(page, slug, lines[30:], top=after + 2)
    return desk.finish()


@good("without codes")
def without_codes() -> Made:
    return both(columns=("序号", "项目", "单位", "数字")).finish()


@good("codes before the labels, in one cell")
def codes_in_labels() -> Made:
    desk = Desk()
    for slug in BOTH:
        lines = [
            replace(
                line, label=f"{line.code}{'.' if n % 2 else ' '}{line.label}" if line.code else line.label
            )
            for n, line in enumerate(lines_of(slug))
        ]
        desk.form(slug, lines, columns=("项目", "单位", "数字"))
    return desk.finish()


def wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


@good("codes full-width and in lower case")
def odd_codes() -> Made:
    desk = Desk()
    for slug in BOTH:
        desk.form(
            slug,
            [
                replace(line, code=wide(line.code) if n % 2 else f" {line.code.lower()} ")
                for n, line in enumerate(lines_of(slug))
            ],
        )
    return desk.finish()


@good("only codes, no labels")
def only_codes() -> Made:
    desk = Desk()
    lines = [replace(line, code=line.row) for line in lines_of(HELPCENTER)]
    desk.form(HELPCENTER, lines, columns=("代码", "单位", "数字"))
    return desk.finish()


@good("labels with other punctuation, line breaks, numbers, units")
def odd_labels() -> Made:
    desk = Desk()

    def other(number_: int, label: str) -> str:
        ways = (
            lambda t: t.replace("：", ":").replace("，", ","),
            lambda t: f"{t[: len(t) // 2]}\n{t[len(t) // 2 :]}",
            lambda t: f"{number_}、{t}",
            lambda t: f"（{'一二三四五六七八九'[number_ % 9]}）{t}",
            lambda t: f"其中：{t.removeprefix('其中：').removeprefix('其中')}",
            lambda t: f"　　{t}　",
            lambda t: t.replace("2020年度", "2020 年度"),
            lambda t: " ".join(t),
        )
        return ways[number_ % len(ways)](label)

    for slug in BOTH:
        lines = [replace(line, label=other(n, line.label)) for n, line in enumerate(lines_of(slug))]
        desk.form(slug, lines)
    return desk.finish()


@good("units behind the labels, no column of units")
def units_in_labels() -> Made:
    desk = Desk()
    for slug in BOTH:
        lines = [replace(line, label=f"{line.label}（{line.unit}）") for line in lines_of(slug)]
        desk.form(slug, lines, columns=("代码", "项目", "数字"))
    return desk.finish()


@good("rows in another order, each with the row that leans on it")
def other_order() -> Made:
    desk = Desk()
    for slug in BOTH:
        # 发放款物 and 帮扶款物 say whose they are by the row above them alone; 省级 by its group.
        groups: list[list[Line]] = []
        for line in lines_of(slug):
            if line.label.endswith(("发放款物", "帮扶款物", "帮扶金额")) or line.row[0] in "AB":
                groups[-1:] = [[*(groups[-1] if groups else []), line]]
            else:
                groups.append([line])
        desk.form(slug, [line for n in (3, 1, 4, 0, 2) for group in groups[n::5] for line in group])
    return desk.finish()


@good("all who were visited, then all that was given, with codes")
def blocks_of_one_kind() -> Made:
    desk = Desk()
    lines = lines_of(WARMTH)
    first, last = at(lines, "C1"), at(lines, "D11") + 1
    pairs = lines[first:last]
    desk.form(WARMTH, [*lines[:first], *pairs[::2], *pairs[1::2], *lines[last:]])
    return desk.finish()


@good("sections in another order, without codes")
def sections_in_another_order() -> Made:
    desk = Desk()
    for slug in BOTH:
        lines = lines_of(slug)
        sections = {line.row: sheet(slug).row[line.row].section for line in lines}
        lines.sort(key=lambda line: -sections[line.row])
        desk.form(slug, lines, columns=("项目", "单位", "数字"))
    return desk.finish()


@good("as the notice prints it: G6 twice, no code on 其他帮扶")
def as_printed() -> Made:
    desk = Desk()
    lines = change(lines_of(HELPCENTER), "G7", lambda line: replace(line, code="G6"))
    desk.form(HELPCENTER, lines)
    return desk.finish()


@good("last year's table hidden", notes=(r"^ 隐藏的工作表没有读取。",))
def hidden_last_year() -> Made:
    desk = both()
    made = dict(desk.made.values)
    for slug in BOTH:
        page = desk.page(f"上年{sheet(slug).title}")
        lines = [line.typed(1, None) for line in lines_of(slug)]
        desk.table(page, slug, lines, top=desk.head(page, slug, year=2020))
        page.sheet_state = "hidden"
    desk.made.values = made
    return desk.finish()


@good("explanations on a page of their own")
def explanations_page() -> Made:
    desk = both()
    page = desk.page("填表说明")
    page["A1"] = "填表说明"
    for number_, line in enumerate(lines_of(WARMTH), 3):
        page.cell(number_, 1).value, page.cell(number_, 2).value = line.code, line.label
        page.cell(number_, 3).value = f"填报{line.unit}，依据台账"
    return desk.finish()


@good("the same table twice, word for word")
def copied_table() -> Made:
    desk = Desk()
    page = desk.page("送温暖统计表 (2)")
    desk.table(page, WARMTH, lines_of(WARMTH), top=desk.head(page, WARMTH))
    cells = dict(desk.made.cells[WARMTH])
    page = desk.page("送温暖统计表")
    desk.table(page, WARMTH, lines_of(WARMTH), top=desk.head(page, WARMTH))
    desk.made.cells[WARMTH] = cells
    return desk.finish()


@good("pictures and comments")
def pictures_and_comments() -> Made:
    desk = both()
    page = desk.book.worksheets[0]
    page["E6"].comment = Comment("请核对：上年为 7", "审核员")
    picture = io.BytesIO()
    Picture.new("RGB", (80, 40), "red").save(picture, "png")
    page.add_image(Image(picture), "H2")
    return desk.finish()


@good(
    "validation and protection left on, panes frozen, rows hidden",
    notes=("送温暖统计表!E8 A2 在隐藏的行或列里", "帮扶中心工作统计表!E8 A2 在隐藏的行或列里"),
)
def protected() -> Made:
    desk = both()
    for page in desk.book.worksheets:
        rule = DataValidation(type="decimal", operator="greaterThanOrEqual", formula1="0")
        rule.add("E6:E99")
        page.add_data_validation(rule)
        page.protection.sheet = True
        page.protection.password = "1234"
        page.freeze_panes = "A6"
        page.auto_filter.ref = "A5:E50"
        page.row_dimensions[8].hidden = True
    return desk.finish()


@good("whole columns formatted, a thousand formatted blank rows below")
def formatted_blanks() -> Made:
    desk = both()
    for page in desk.book.worksheets:
        for row in range(70, 1070):
            for column in range(1, 8):
                page.cell(row, column).number_format = "0.00"
    return desk.finish()


@good("the figures of one table to the right of units merged down")
def units_merged_down() -> Made:
    desk = Desk()
    page = desk.form(HELPCENTER)
    lines = lines_of(HELPCENTER)
    first = 6 + at(lines, "B")
    page.merge_cells(start_row=first, end_row=6 + at(lines, "B33"), start_column=4, end_column=4)
    return desk.finish()


@good("official columns in another order")
def columns_in_another_order() -> Made:
    return both(columns=("项目", "代码", "单位", "数字", "序号")).finish()


@good("a merged cell holds the figure of one row and a blank line below it")
def figure_merged_with_a_blank_line() -> Made:
    desk = Desk()
    lines = lines_of(WARMTH)
    lines.insert(at(lines, "E1") + 1, Line())
    page = desk.form(WARMTH, lines)
    row = 6 + at(lines, "E1")
    for column in range(1, 6):
        page.merge_cells(start_row=row, end_row=row + 1, start_column=column, end_column=column)
    return desk.finish()
