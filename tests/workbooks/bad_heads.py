"""Bad: another year's or another union's by what stands around the table, however it is written there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from openpyxl.worksheet.worksheet import Worksheet

from tests.workbooks.case import HELPCENTER, OTHER, UNION, WARMTH, Made, bad
from tests.workbooks.desk import Desk, lines_of
from tests.workbooks.good_marks import filled


def titled(
    title: str,
    *,
    slug: str = WARMTH,
    tab: str = "Sheet1",
    union: str | None = UNION,
    write: Callable[[Worksheet], None] | None = None,
) -> Made:
    """The form `slug` with this title over it, in its own line; `write` may change the head."""
    desk = Desk()
    page = desk.page(tab)
    top = desk.head(page, slug, union=union, year=None)
    page["A2"] = title
    if write:
        write(page)
    desk.table(page, slug, lines_of(slug), top=top)
    return desk.finish()


def dated(date: str) -> Callable[[Worksheet], None]:
    def write(page: Worksheet) -> None:
        page["D4"] = date

    return write


def says_unit(text: str) -> Callable[[Worksheet], None]:
    def write(page: Worksheet) -> None:
        page["A3"] = text

    return write


for _title, _year in (
    ("2020年工会送温暖活动统计表", 2020),
    ("二○二○年送温暖统计表（续）", 2020),
    ("送温暖统计表\n（2020年度）", 2020),
    ("2020年", 2020),
    ("2022年“双节”送温暖统计表", 2022),
):
    _shown = _title.replace("\n", " ")
    bad(f"title: {_shown}", says=rf"这是 {_year} 年的报表，这里接收 2021 年的。Sheet1!A2 写着“")(
        partial(titled, _title)
    )
bad("title of form 2: another year counted", says="这是 2019 年的报表，这里接收 2021 年的")(
    partial(titled, "2019年度帮扶中心工作统计表", slug=HELPCENTER)
)
bad("no year but the date's, a year ago", says=r"标题没有写年份，.*Sheet1!D4 的填报日期是 2020-01-15")(
    partial(titled, "送温暖统计表", write=dated("2020年1月15日"))
)
bad("no year but the tab's", says="标题没有写年份，工作表名写着“2020年”")(
    partial(titled, "送温暖统计表", tab="2020年", write=dated(""))
)
bad(
    "no year but the file's",
    says="标题没有写年份，文件名写着“2020年送温暖”",
    file="2020年送温暖.xlsx",
)(partial(titled, "送温暖统计表", write=dated("")))


@bad(
    "our template with another year typed beside what it is of",
    says="文件是 2021 年的模板，标题却写着 2022 年",
)
def year_typed_beside() -> Made:
    return Made(
        filled(lambda book: [page.__setitem__("A2", "2022年送温暖统计表") for page in book.worksheets[:1]])
    )


# 填报单位 by other words, or without a colon.
for _text in (
    f"填报单位（盖章）{OTHER}   填报人：张三",
    f"单位（盖章）：{OTHER}     单位：万元",
    "单位（公章）齐齐哈尔市",
    f"编制单位：{OTHER}权益保障部",
    "填报工会：某某厂工会",
):
    bad(
        f"another union's: {_text}",
        says=r"这是“(齐齐哈尔市|某某厂).*”的报表，不是哈尔滨市总工会的，没有读入（",
    )(partial(titled, "2021年送温暖统计表", union=None, write=says_unit(_text)))

NAMED = "没有写明填报单位是哈尔滨市总工会"
_of_other = f"{OTHER}2021年元旦春节送温暖统计表"
bad("another union's name in the title only", says=rf"Sheet1!A2 写着“{OTHER}”，.*{NAMED}")(
    partial(titled, _of_other, union=None)
)
bad("another union's name on the tab only", says=rf"工作表名“齐齐哈尔”写着“{OTHER}”，.*{NAMED}")(
    partial(titled, "2021年送温暖统计表", union=None, tab="齐齐哈尔")
)
bad(
    "another union's name as the file's only",
    says=rf"文件名“.*”写着“{OTHER}”，.*{NAMED}",
    file=f"{OTHER}.xlsx",
)(partial(titled, "2021年送温暖统计表", union=None))
bad("another union's title over our 填报单位", says=rf"填报单位是{UNION}，标题却写着“{OTHER}”（Sheet1!A2）")(
    partial(titled, _of_other)
)
