"""Bad: sound workbooks that are not this union's forms of this year, or say two things at once."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import partial

from openpyxl import Workbook
from openpyxl.chart import BarChart

from reporting.workbooks.filing import tab_title
from tests.workbooks import raw
from tests.workbooks.case import HELPCENTER, OTHER, WARMTH, Made, bad, sheets
from tests.workbooks.desk import Desk, at, lines_of
from tests.workbooks.good_layouts import BOTH
from tests.workbooks.good_marks import filled, template

NOT_FOUND = "没有找到送温暖统计表或帮扶中心工作统计表：文件里没有与表样一致的代码和项目名称"


def saved(book: Workbook) -> Made:
    out = io.BytesIO()
    book.save(out)
    return Made(out.getvalue())


@bad("another table", says=NOT_FOUND)
def another_table() -> Made:
    book = Workbook()
    page = book.active
    assert page is not None
    page["A1"] = "2021年一季度工资表"
    page.append(["序号", "姓名", "单位", "金额"])
    for number in range(1, 40):
        page.append([number, f"职工{number}", "万元", number * 1.5])
    return saved(book)


@bad("another form with the same codes", says=NOT_FOUND)
def same_codes() -> Made:
    desk = Desk()
    words = "甲乙丙丁戊己庚辛壬癸"
    lines = [
        replace(line, label=f"{words[n % 10]}类{words[n // 10]}项支出")
        for n, line in enumerate(lines_of(WARMTH))
    ]
    desk.form(WARMTH, lines)
    return Made(desk.finish().content)


@bad("nothing in it", says="文件里没有任何内容")
def nothing() -> Made:
    return saved(Workbook())


@bad("charts only", says="文件里没有任何内容")
def charts_only() -> Made:
    book = Workbook()
    assert book.active is not None
    chart = book.create_chartsheet("图")
    chart.add_chart(BarChart())
    return saved(book)


@bad(
    "a few rows of the form",
    says=r"没有找到与表样一致的.*送温暖统计表!C5：这里像是送温暖统计表，但 46 行中只有 20 行与表样一致",
)
def few_rows() -> Made:
    desk = Desk()
    page = desk.page("送温暖统计表")
    desk.table(page, WARMTH, lines_of(WARMTH)[:20], top=4)
    return Made(desk.finish().content)


@bad("the form on a hidden page only", says="报表在隐藏的工作表“送温暖统计表”里，没有读入。请取消隐藏")
def hidden_only() -> Made:
    desk = Desk()
    desk.page("空白")
    desk.form(WARMTH).sheet_state = "hidden"
    return Made(desk.finish().content)


def of_year(year: int) -> Made:
    desk = Desk()
    for slug in BOTH:
        page = desk.page(slug)
        desk.table(page, slug, lines_of(slug), top=desk.head(page, slug, year=year))
    return Made(desk.finish().content)


@bad("last year's", says="这是 2020 年的报表，这里接收 2021 年的")
def last_year() -> Made:
    return of_year(2020)


@bad("next year's", says="这是 2022 年的报表，这里接收 2021 年的")
def next_year() -> Made:
    return of_year(2022)


@bad("two years", says="文件里写着不同的年份（2020、2021）")
def two_years() -> Made:
    desk = Desk()
    for slug, year in zip(BOTH, (2020, 2021), strict=True):
        page = desk.page(slug)
        desk.table(page, slug, lines_of(slug), top=desk.head(page, slug, year=year))
    return Made(desk.finish().content)


@bad("labels of another year, no year in the title", says="统计的是 2019 年度，这里接收 2020 年度的")
def labels_of_another_year() -> Made:
    desk = Desk()
    page = desk.page("表2")
    lines = [replace(line, label=line.label.replace("2020年度", "2019年度")) for line in lines_of(HELPCENTER)]
    desk.table(page, HELPCENTER, lines, top=desk.head(page, HELPCENTER, year=None))
    return Made(desk.finish().content)


@bad("labels of another year than the title", says="标题是 2021 年的，项目却写着 2019 年度")
def labels_against_title() -> Made:
    desk = Desk()
    page = desk.page("表2")
    lines = [replace(line, label=line.label.replace("2020年度", "2019年度")) for line in lines_of(HELPCENTER)]
    desk.table(page, HELPCENTER, lines, top=desk.head(page, HELPCENTER))
    return Made(desk.finish().content)


def of_unions(*names: str) -> Made:
    desk = Desk()
    for slug, name in zip(BOTH, names, strict=True):
        page = desk.page(slug)
        desk.table(page, slug, lines_of(slug), top=desk.head(page, slug, union=name))
    return Made(desk.finish().content)


@bad("another union's", says=f"这是“{OTHER}”的报表，不是哈尔滨市总工会的")
def another_union() -> Made:
    return of_unions(OTHER, OTHER)


@bad("nobody's that we know", says="这是“某某厂工会”的报表，不是哈尔滨市总工会的")
def unknown_union() -> Made:
    return of_unions("某某厂工会", "某某厂工会")


@bad("two unions", says="文件里写着不同的填报单位（哈尔滨市总工会、齐齐哈尔市总工会）")
def two_unions() -> Made:
    return of_unions("哈尔滨市总工会", OTHER)


@bad("another union's template", says="这是“其他单位”的报表，不是哈尔滨市总工会的")
def another_unions_template() -> Made:
    return Made(template(name=OTHER, filled=True))


@bad("last year's template", says="这是 2020 年的报表，这里接收 2021 年的")
def last_years_template() -> Made:
    return Made(template(year=2020, filled=True))


@bad(
    "our template with another union's name typed over",
    says="文件是哈尔滨市总工会的模板，填报单位却写着“齐齐哈尔市总工会”",
)
def name_typed_over() -> Made:
    def change(book: Workbook) -> None:
        for form in sheets():
            book[tab_title(form)]["A4"].value = f"填报单位（盖章）：{OTHER}"

    return Made(filled(change))


@bad("our template with another year typed over", says="文件是 2021 年的模板，标题却写着 2022 年")
def year_typed_over() -> Made:
    def change(book: Workbook) -> None:
        for form in sheets():
            book[tab_title(form)]["A3"].value = "2022年元旦春节送温暖活动"

    return Made(filled(change))


@bad("the sum with the subordinates", says="这是哈尔滨市总工会上报的合计数，已含下级单位，不能作为本级数填入")
def with_subordinates() -> Made:
    return Made(template(filled=True, with_below=True))


@bad(
    "one form twice, filled in differently",
    says=r"文件里有 2 张送温暖统计表（甲!C6、乙!C6），不知以哪一张为准",
)
def two_tables() -> Made:
    desk = Desk()
    desk.form(WARMTH, title="甲")
    desk.form(WARMTH, [line.typed(1, None) for line in lines_of(WARMTH)], title="乙")
    return Made(desk.finish().content)


@bad("one form twice on one page", says=r"文件里有 2 张送温暖统计表（表!C6、表!C58），不知以哪一张为准")
def two_tables_on_a_page() -> Made:
    desk = Desk()
    page = desk.page("表")
    after = desk.table(page, WARMTH, lines_of(WARMTH), top=desk.head(page, WARMTH))
    again = [line.typed(2, None) for line in lines_of(WARMTH)]
    desk.table(page, WARMTH, again, top=desk.head(page, WARMTH, top=after + 1))
    return Made(desk.finish().content)


@bad("one form twice, side by side", says=r"文件里有 2 张送温暖统计表（表!C6、表!I6），不知以哪一张为准")
def two_tables_side_by_side() -> Made:
    desk = Desk()
    page = desk.page("表")
    desk.table(page, WARMTH, lines_of(WARMTH), top=desk.head(page, WARMTH))
    desk.table(page, WARMTH, [line.typed(2, None) for line in lines_of(WARMTH)], top=5, left=7)
    return Made(desk.finish().content)


@bad(
    "codes moved against the labels",
    says=r"送温暖统计表有 \d+ 行的代码与项目对不上（如 送温暖统计表!C\d+），像是串了行",
)
def shifted_codes() -> Made:
    desk = Desk()
    lines = lines_of(WARMTH)
    codes = ["A", *(line.code for line in lines)]
    desk.form(WARMTH, [replace(line, code=code) for line, code in zip(lines, codes, strict=False)])
    return Made(desk.finish().content)


def moved_codes(slug: str, first: str, last: str, by: int) -> Made:
    """The codes from `first` to `last` stand `by` lines higher than what they are codes of."""
    desk = Desk()
    lines = lines_of(slug)
    start, end = at(lines, first), at(lines, last) + 1
    codes = [*[line.code for line in lines[start:end]][by:], *[""] * by]
    lines[start:end] = [replace(line, code=code) for line, code in zip(lines[start:end], codes, strict=True)]
    desk.form(slug, lines)
    return Made(desk.finish().content)


# Two lines higher, a label that repeats agrees with its code again.
for _slug, _first, _last, _by in (
    (WARMTH, "C6", "D11", 2),
    (WARMTH, "C8", "D11", 2),
    (WARMTH, "C9", "D11", 1),
    (HELPCENTER, "F1", "G7", 2),
):
    bad(
        f"the codes of {_first} to {_last} {_by} higher",
        says=r"有 \d+ 行的代码与项目对不上（如 .*!C\d+），像是串了行",
    )(partial(moved_codes, _slug, _first, _last, _by))


@bad("every G code one too high", says=r"帮扶中心工作统计表有 6 行的代码与项目对不上")
def g_codes_moved() -> Made:
    desk = Desk()
    moved = {"": "", **{f"G{n}": f"G{n + 1}" for n in range(1, 7)}}
    desk.form(
        HELPCENTER, [replace(line, code=moved.get(line.code, line.code)) for line in lines_of(HELPCENTER)]
    )
    return Made(desk.finish().content)


@bad("rows torn from those that they lean on", says=r"送温暖统计表有 \d+ 行的代码与项目对不上")
def torn_rows() -> Made:
    desk = Desk()
    desk.form(WARMTH, [line for n in (3, 1, 4, 0, 2) for line in lines_of(WARMTH)[n::5]])
    return Made(desk.finish().content)


@bad(
    "two columns that could be the figures",
    says=r"（送温暖统计表!C6）有 2 列数字（E 列“本级”、F 列“合计”），不知以哪一列为准",
)
def two_columns() -> Made:
    desk = Desk()
    lines = [replace(line, others={"合计": 5}) for line in lines_of(WARMTH)]
    columns = ("序号", "代码", "项目", "单位", "数字", "合计")
    desk.form(WARMTH, lines, columns=columns, heads={"数字": "本级"})
    return Made(desk.finish().content)


@bad(
    "the city's own, its districts' and the sum",
    says=r"有 2 列数字（E 列“市本级”、G 列“合计”），不知以哪一列为准",
)
def own_and_sum() -> Made:
    desk = Desk()
    lines = [replace(line, others={"南岗区": 2, "合计": 9}) for line in lines_of(WARMTH)]
    columns = ("序号", "代码", "项目", "单位", "数字", "南岗区", "合计")
    desk.form(WARMTH, lines, columns=columns, heads={"数字": "市本级"})
    return Made(desk.finish().content)


@bad("two columns without a head", says=r"有 2 列数字（D 列、E 列），不知以哪一列为准")
def two_columns_without_head() -> Made:
    desk = Desk()
    page = desk.page("表")
    lines = [replace(line, others={"又": n}) for n, line in enumerate(lines_of(WARMTH))]
    desk.table(page, WARMTH, lines, top=2, columns=("代码", "项目", "单位", "数字", "又"), is_headed=False)
    return Made(desk.finish().content)


@bad(
    "this year and last year side by side, both called by their year",
    says=r"有 2 列数字（D 列“2020年”、E 列“2021年”）",
)
def two_years_side_by_side() -> Made:
    desk = Desk()
    lines = [replace(line, others={"2020年": 5}) for line in lines_of(WARMTH)]
    columns = ("代码", "项目", "单位", "2020年", "数字")
    desk.form(WARMTH, lines, columns=columns, heads={"数字": "2021年"})
    return Made(desk.finish().content)


@bad("names of sheets with control characters", says=NOT_FOUND)
def control_characters() -> Made:
    page = raw.sheet('<row r="1"><c r="A1" t="inlineStr"><is><t>甲</t></is></c></row>')
    return Made(raw.packed(raw.parts({"_x0000_表\u202e_x001B_[31m": page})))


@bad("the province's plan of visits", says="这是慰问组的走访安排，不是单位报表")
def plan_of_visits() -> Made:
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = "总体安排表"
    page["A1"] = "2021年元旦春节送温暖活动走访慰问总体安排表"
    page.append(["组别", "带队领导", "成员单位", "走访单位", "走访日期", "联络员"])
    return saved(book)
