"""Good: one form on several pages, as people part it to fit the paper."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from reporting.fields import WANYUAN
from tests.workbooks.case import HELPCENTER, WARMTH, Made, figures, good
from tests.workbooks.desk import Desk, Line, at, lines_of

JOINED = r"^ 送温暖统计表分在工作表“一”、“二”上，已合在一起读取，请核对"


def parted(desk: Desk, slug: str, lines: list[Line], names: str, *cuts: str, **how) -> None:
    """The head on the first page only; a page begins with each of the rows `cuts`."""
    places = [0, *(at(lines, code) for code in cuts), len(lines)]
    for number, name in enumerate(names):
        page = desk.page(name)
        top = 1 if number else desk.head(page, slug)
        part = lines[places[number] : places[number + 1]]
        desk.table(page, slug, part, top=top, is_headed=not number, **how)


@good("one form on two pages", notes=(JOINED,))
def two_pages() -> Made:
    desk = Desk()
    parted(desk, WARMTH, lines_of(WARMTH), "一二", "E")
    desk.form(HELPCENTER)
    return desk.finish()


@good(
    "one form on three pages, the last one of a few rows, without codes",
    notes=(r"分在工作表“一”、“二”、“三”上",),
)
def three_pages() -> Made:
    desk = Desk()
    parted(desk, WARMTH, lines_of(WARMTH), "一二三", "C6", "G", columns=("项目", "单位", "数字"))
    return desk.finish()


@good(
    "one form on two pages, 单位：元 on the first of them",
    notes=(JOINED, *[r"金额的单位写作“元”，共 \d+ 格已换算为万元"] * 2),
)
def two_pages_in_yuan() -> Made:
    desk = Desk()
    lines = [
        replace(line, figure=float(Decimal(figures(WARMTH)[line.row]) * 10_000))
        if line.unit == WANYUAN
        else line
        for line in lines_of(WARMTH)
    ]
    parted(desk, WARMTH, lines, "一二", "E", columns=("代码", "项目", "数字"))
    desk.book.worksheets[0]["C4"] = "单位：元"
    desk.made.head.pop("filler_phone")
    return desk.finish()


@good(
    "told: the rest of a form on another page, its figures in another column",
    notes=(r"^二!C1 这里有送温暖统计表的另外 15 行，但数字与工作表“一”不在同一列，没有读入",),
)
def another_column() -> Made:
    desk = Desk()
    lines = lines_of(WARMTH)
    first = at(lines, "E")
    page = desk.page("一")
    columns = ("序号", "代码", "项目", "单位", "上年", "数字")
    desk.table(
        page,
        WARMTH,
        [replace(line, others={"上年": 3}) for line in lines[:first]],
        top=desk.head(page, WARMTH),
        columns=columns,
    )
    # Whether these are this year's nobody says.
    rest = [line.typed(line.figure, None) for line in lines[first:]]
    desk.table(desk.page("二"), WARMTH, rest, top=1, is_headed=False)
    return desk.finish()
