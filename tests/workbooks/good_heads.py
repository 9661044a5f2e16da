"""Good: whose table it is, of which year and who filled it in, in every way that people write it."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from openpyxl.worksheet.worksheet import Worksheet

from tests.workbooks.case import OTHER, UNION, WARMTH, Made, good
from tests.workbooks.desk import Desk, lines_of
from tests.workbooks.good_layouts import both


def headed(write: Callable[[Worksheet], None], *, year: int | None = 2021) -> Made:
    desk = Desk()
    page = desk.page("送温暖统计表")
    top = desk.head(page, WARMTH, union=None, year=year)
    for row in page["A4:E4"]:
        for cell in row:
            cell.value = None
    desk.made.head = {"filler_name": "张三", "filler_phone": "0451-1", "filled_on": "2021-01-20"}
    write(page)
    desk.table(page, WARMTH, lines_of(WARMTH), top=top)
    return desk.finish()


@good("head in one merged cell")
def head_in_one_cell() -> Made:
    def write(page: Worksheet) -> None:
        page["A3"] = "填报单位（盖章）：哈尔滨市总工会   填报人：张三  电话：0451-1   日期：2021年1月20日"
        page.merge_cells("A3:E3")

    return headed(write)


@good("labels and values in cells of their own")
def head_in_cells() -> Made:
    def write(page: Worksheet) -> None:
        page["A3"], page["C3"] = "填报单位（公章）", UNION
        page["A4"], page["B4"], page["C4"], page["D4"] = "填 报 人", "张三", "联系电话：", "0451-1"
        page["D3"], page["E3"] = "填报日期", datetime.datetime(2021, 1, 20)

    return headed(write)


@good("short name, sealed")
def short_name() -> Made:
    def write(page: Worksheet) -> None:
        page["A3"] = "填报单位：哈尔滨（盖章）"
        page["A4"] = "填报人： 张三 "
        page["C4"], page["E4"] = "电话:0451-1", "2021.1.20"

    return headed(write)


@good("the place's name only")
def place_only() -> Made:
    def write(page: Worksheet) -> None:
        page["A3"], page["C3"] = "填报单位：", "哈尔滨市（公章）"
        page["A4"] = "填报人：张三；电话：0451-1"
        page["E4"] = "２０２１年１月２０日"

    return headed(write)


@good("head below the table, real date, no year in the title")
def head_below() -> Made:
    def write(page: Worksheet) -> None:
        page["A3"] = f"填报单位：{UNION}"
        page["A70"] = "单位负责人：李四"
        page["C70"] = "填表人：张三"
        page["D70"], page["E70"] = "手机：", "0451-1"
        page["E71"] = datetime.date(2021, 1, 20)

    return headed(write, year=None)


@good("nobody's name", notes=(r"^ 文件没有写填报单位，请确认是哈尔滨市总工会的报表。",))
def nobodys() -> Made:
    def write(page: Worksheet) -> None:
        page["A3"] = "填报单位（盖章）：___________"
        page["A4"] = "填报人：张三    电话：0451-1     2021年01月20日"

    return headed(write)


@good("a head left blank, the date's place too", notes=(r"^ 文件没有写填报单位",))
def blank_head() -> Made:
    def write(page: Worksheet) -> None:
        page["A3"], page["D3"] = "填报单位（盖章）：", "2021年1月20日"
        page["A4"], page["C4"] = "填报人：", "   年   月   日"

    made = headed(write)
    made.head = {"filled_on": "2021-01-20"}
    return made


@good("another union named in a remark only")
def named_in_a_remark() -> Made:
    desk = both()
    desk.book.worksheets[0]["C80"] = f"注：填报单位须盖章后报{OTHER}以外的上级。"
    return desk.finish()
