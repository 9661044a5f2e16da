"""Good: whose table it is, of which year and who filled it in, in every way that people write it."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from functools import partial

from openpyxl.worksheet.worksheet import Worksheet

from tests.workbooks.bad_heads import dated, says_unit, titled
from tests.workbooks.case import HELPCENTER, OTHER, UNION, WARMTH, Made, good
from tests.workbooks.desk import Desk, lines_of
from tests.workbooks.good_layouts import both

PROVINCE = "黑龙江省总工会"


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


# -- what names another year or union and still is this one's -------------------------------------------------

for _title in ("2020-2021年元旦春节送温暖统计表", f"{PROVINCE}2021年元旦春节送温暖统计表"):
    good(f"title: {_title}")(partial(titled, _title, tab="附件1"))
for _title in ("2020年度帮扶中心工作统计表", "（2020年度）"):
    good(f"title of form 2: {_title}")(partial(titled, _title, slug=HELPCENTER, tab="2020年"))


@good("documents, dates, telephones and remarks with other years", file="黑工办发〔2020〕30号附件1.xlsx")
def other_years_in_remarks() -> Made:
    def write(page: Worksheet) -> None:
        page["A1"], page["E1"] = "附件1", "黑工办发〔2020〕30号"
        page["C3"] = "统计时间：2020年12月25日至2021年2月11日"
        page["E3"] = "截至2020年12月31日"
        page["A4"], page["C4"] = "填报人：张三", "电话：0451-20192020"
        page["A70"] = "注：2020年送温暖款物已在上年报表统计；2019年度帮扶另计。"
        page["A71"] = "单位：万元"

    made = titled("2021年元旦春节送温暖统计表", write=write)
    made.head = {"filler_name": "张三", "filler_phone": "0451-20192020", "filled_on": "2021-01-20"}
    return made


@good("only the date says the year")
def year_of_the_date() -> Made:
    return titled("送温暖统计表")


@good("nothing says the year", notes=("^ 文件没有写年份，按 2021 年的报表读取，请确认",))
def no_year() -> Made:
    made = titled("送温暖统计表", write=dated(""))
    del made.head["filled_on"]
    return made


@good(
    "an old tab, an old file and an old date under this year's title",
    notes=(
        "^2020年 工作表名写着“2020年”，这里接收 2021 年的报表，请核对",
        "^ 文件名写着“2019年送温暖”，这里接收 2021 年的报表，请核对",
        r"^2020年!D4 填报日期 2020-01-15 不在 2021 年报送的时间里，没有读入",
    ),
    file="2019年送温暖.xlsx",
)
def old_names() -> Made:
    made = titled("2021年送温暖统计表", tab="2020年", write=dated("2020年1月15日"))
    del made.head["filled_on"]
    return made


@good(
    "a remark of another year above the table",
    notes=(r"^Sheet1!A1 写着“请对应2020年送温暖统计表填写”，这里接收 2021 年的报表，请核对",),
)
def remark_of_another_year() -> Made:
    def write(page: Worksheet) -> None:
        page["A1"] = "请对应2020年送温暖统计表填写"

    return titled("2021年送温暖统计表", write=write)


for _text in (
    f"填报单位 {UNION}   单位：万元",
    "单位（盖章） 哈尔滨市",
    f"填报单位：{UNION}权益保障部",
    f"填报单位：{UNION}    主管单位：{PROVINCE}",
):
    good(f"ours: {_text}")(partial(titled, "2021年送温暖统计表", union=None, write=says_unit(_text)))


@good("a name that nobody knows", notes=(r"^Sheet1!A3 单位写作“某某厂”，认不出是哪个单位，请确认",))
def unknown_name() -> Made:
    return titled("2021年送温暖统计表", union=None, write=says_unit("填报单位（盖章）某某厂"))


@good("our name in the title only", notes=(rf"^Sheet1!A2 文件只在这里写着“{UNION}”，没有写填报单位",))
def named_in_the_title() -> Made:
    return titled(f"{UNION}2021年送温暖统计表", union=None)


@good(
    "another union's tab over our 填报单位",
    notes=(rf"^ 工作表名“{OTHER}”写着“{OTHER}”，请核对是不是{UNION}的",),
)
def tab_of_another() -> Made:
    return titled("2021年送温暖统计表", tab=OTHER)


# -- nothing half --------------------------------------------------------------------------------------------


def with_fields(name: str, phone: str, **head: str) -> Made:
    def write(page: Worksheet) -> None:
        page["A4"], page["C4"] = f"填报人：{name}", f"电话：{phone}"

    made = titled("2021年送温暖统计表", write=write)
    made.head = {"filled_on": "2021-01-20", **head}
    return made


@good("two telephones far apart, a name spread out")
def two_telephones() -> Made:
    return with_fields(
        "张  三", "0451-53640000   53640001", filler_name="张三", filler_phone="0451-53640000 53640001"
    )


@good(
    "a telephone too long for its field",
    notes=(r"^Sheet1!C4 电话共 44 个字，最多 30 个，没有读入。请在填报页填写",),
)
def long_telephone() -> Made:
    return with_fields("张三", "0451-53640000、0451-53640001、13800000000（办公室）", filler_name="张三")


@good("two names", notes=(r"^Sheet1!A4 填报人后面的“李四”没有读入，请核对填报人",))
def two_names() -> Made:
    return with_fields("张三   李四", "1", filler_name="张三", filler_phone="1")
