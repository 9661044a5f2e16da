"""Accepted, but something in it is not what it should be: it is told with sheet and cell, and not read."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from openpyxl.worksheet.worksheet import Worksheet

from tests.workbooks.case import HELPCENTER, WARMTH, Made, good
from tests.workbooks.desk import Desk, Line, Text, at, change, lines_of
from tests.workbooks.good_heads import headed


def with_cell(slug: str, code: str, figure: Any) -> Made:
    desk = Desk()
    desk.form(slug, change(lines_of(slug), code, lambda line: line.typed(figure, None)))
    return desk.finish()


CELLS: dict[str, tuple[str, str, Any, str]] = {
    "a negative number": (WARMTH, "E1", -5, "“-5”是负数"),
    "decimals in a count": (WARMTH, "E1", 2.5, "“2.5”不是整数"),
    "seven decimals of money": (WARMTH, "A1", 0.1234567, "“0.1234567”超过 6 位小数"),
    "a number beyond all": (WARMTH, "E1", 1e308, "“1e\\+308”过大"),
    "a count beyond its column": (WARMTH, "E1", 2147483648, "过大，不能超过 2147483647"),
    "money beyond its column": (WARMTH, "A1", "10000000000", "过大，金额须小于"),
    "NaN as a text": (WARMTH, "E1", "NaN", "“NaN”不是数字"),
    "an exponent as a text": (WARMTH, "A1", "1e3", "“1e3”不是数字"),
    "a formula as a text": (WARMTH, "E1", Text("=cmd|'/c calc'!A1"), "不是数字"),
    "a word": (WARMTH, "E1", "详见附件", "“详见附件”不是数字"),
    "about": (WARMTH, "E1", "约300", "“约300”不是数字"),
    "a dash": (WARMTH, "E1", "—", "“—”不是数字"),
    "Chinese numerals": (WARMTH, "E1", "三百", "“三百”不是数字"),
    "a date": (WARMTH, "E1", datetime.date(2021, 1, 20), "“2021-01-20”是日期"),
    "a comma that separates no thousands": (WARMTH, "A1", "12,5", "“12,5”的写法不清楚"),
    "two numbers in one cell": (WARMTH, "E1", "12 5", "“12 5”的写法不清楚"),
    "two points": (WARMTH, "A1", "1.2.3", "“1.2.3”的写法不清楚"),
    "a superscript": (WARMTH, "E1", "5²", "“5²”不是数字"),
    "another unit": (WARMTH, "E1", "12户", "“12户”的单位是户，此处为人次"),
    "money in a count": (WARMTH, "E1", "12万元", "的单位是万元，此处为人次"),
    "a truth value in a count": (WARMTH, "E1", True, "是真假值"),
    "an error": (WARMTH, "E1", "#REF!", "“#REF!”是公式出错的结果"),
    "a division by zero": (WARMTH, "A1", "#DIV/0!", "“#DIV/0!”是公式出错的结果"),
    "a formula without its result": (WARMTH, "E", "=SUM(E43:E47)", "E 是公式，但没有保存计算结果"),
    "neither yes nor no": (HELPCENTER, "I", "是/否", "“是/否”不明确"),
    "a number that is neither yes nor no": (HELPCENTER, "I", 2, "“2”不明确"),
}
for _name, (_slug, _code, _figure, _says) in CELLS.items():
    good(f"told: {_name}", notes=(rf"!E\d+ {_code}.*{_says}|!E\d+ {_says}",))(
        lambda slug=_slug, code=_code, figure=_figure: with_cell(slug, code, figure)
    )


def lines_told(
    name: str, slug: str, how: Callable[[list[Line]], list[Line]], *notes: str, **table: Any
) -> None:
    """A whole table with lines changed by `how`."""

    def make() -> Made:
        desk = Desk()
        desk.form(slug, how(lines_of(slug)), **table)
        return desk.finish()

    good(f"told: {name}", notes=notes)(make)


def replaced(row: str, /, **changes: Any) -> Callable[[list[Line]], list[Line]]:
    return lambda lines: change(lines, row, lambda line: replace(line, **changes))


def without(*codes: str) -> Callable[[list[Line]], list[Line]]:
    return lambda lines: [line for line in lines if line.row not in codes]


def twice(code: str, other: Any) -> Callable[[list[Line]], list[Line]]:
    def how(lines: list[Line]) -> list[Line]:
        number = at(lines, code)
        again = replace(lines[number], figure=other, reads=None)
        return [*lines[:number], replace(lines[number], reads=None), again, *lines[number + 1 :]]

    return how


lines_told(
    "a row is missing", WARMTH, without("E3"), "^送温暖统计表 送温暖统计表没有找到 E3“提供医疗救助”这一行"
)
lines_told(
    "a row stands twice with two figures",
    WARMTH,
    twice("E3", 77),
    r"!E\d+ E3 出现了 2 次（送温暖统计表!E\d+、送温暖统计表!E\d+）",
)
lines_told(
    "one row's code and another row's label",
    WARMTH,
    replaced("E3", code="E2", reads=None),
    r"!C\d+ E2 这一行的项目是“提供医疗救助”，表样为“提供生活救助”",
    "没有找到 E3“",
)
lines_told(
    "a code whose label says something else",
    WARMTH,
    replaced("E3", label="购买防疫物资", reads=None),
    r"!C\d+ E3 这一行的项目是“购买防疫物资”，表样为“提供医疗救助”",
)


def exchanged(*codes: str) -> Callable[[list[Line]], list[Line]]:
    """The codes of these rows stand one further, the last one's on the first; everything else is right."""

    def how(lines: list[Line]) -> list[Line]:
        taken = dict(zip(codes, [codes[-1], *codes[:-1]], strict=True))
        return [
            replace(line, code=taken[line.row], reads=None) if line.row in taken else line for line in lines
        ]

    return how


# Labels that repeat agree with many a code: the row above says which of them it is.
lines_told(
    "the codes of two rows of one label exchanged, form 1",
    WARMTH,
    exchanged("D3", "D4"),
    r"!C\d+ 代码写作 D4，项目“（同上）发放款物”和上一行却是 D3，没有读入。请核对是否串行",
    r"!C\d+ 代码写作 D3，项目“（同上）发放款物”和上一行却是 D4，没有读入",
)
lines_told(
    "the codes of two rows of one label exchanged, form 2",
    HELPCENTER,
    exchanged("G1", "G2"),
    "代码写作 G2，项目“帮扶款物”和上一行却是 G1",
    "代码写作 G1，项目“帮扶款物”和上一行却是 G2",
)
lines_told(
    "the codes of two rows of one label exchanged, a remark between them and the row above",
    WARMTH,
    lambda lines: [
        other
        for line in exchanged("D3", "D4")(lines)
        for other in ((Line(label="其中含实物"), line) if line.row == "D4" else (line,))
    ],
    "代码写作 D4，项目“（同上）发放款物”和上一行却是 D3",
    "代码写作 D3，项目“（同上）发放款物”和上一行却是 D4",
)
lines_told(
    "the same levels of two groups exchanged",
    HELPCENTER,
    exchanged("A2", "B2"),
    "代码写作 B2，项目“地市级”和上一行却是 A2",
    "代码写作 A2，项目“其中：地市级”和上一行却是 B2",
)
lines_told(
    "a row of a repeated label out of its order, where the row that it leans on is not there",
    WARMTH,
    lambda lines: [line for line in exchanged("D4", "D7")(lines) if line.row != "C4"],
    r"!C\d+ 代码写作 D7.*前后两行却是 D3 和 C5",
    "代码写作 D4，项目“（同上）发放款物”和上一行却是 D7",
    "没有找到 C4“",
)
G_FIRST = [f"{letter}{n}" for n in range(1, 8) for letter in "GF"]
lines_told(
    "without codes, each amount above its number of people",
    HELPCENTER,
    lambda lines: [
        *lines[: at(lines, "F1")],
        *[
            replace(lines[at(lines, c)], reads=None if c[0] == "G" else lines[at(lines, c)].reads)
            for c in G_FIRST
        ],
        *lines[at(lines, "H") :],
    ],
    *[r"!D\d+ 这一行（帮扶(?:款物|金额)）可能是 .*，分不清是哪一行，没有读入"] * 7,
    columns=("序号", "项目", "单位", "数字"),
)
OTHERS = [f"A{n}" for n in range(1, 6)] + [f"C{n}" for n in range(1, 9)]
lines_told(
    "many labels that the form does not have, beside its codes",
    WARMTH,
    lambda lines: [
        replace(line, label=f"甲乙丙丁{line.code}", reads=None) if line.row in OTHERS else line
        for line in lines
    ],
    *(rf"!C\d+ {code} 这一行的项目是“甲乙丙丁{code}”，表样为" for code in OTHERS),
)
lines_told(
    "a label in other words beside its code",
    WARMTH,
    replaced("E4", label="提供困难职工子女助学救助"),
    r"!C\d+ 项目写作“提供困难职工子女助学救助”.*按代码 E4 读入",
)
lines_told(
    "a label in other words without a code",
    WARMTH,
    replaced("E4", code="", label="提供职工子女助学救助", reads=None),
    r"!E\d+ 这一行（提供职工子女助学救助）不在表样中，“\d+”没有读入。与 E4“提供子女助学救助”相近",
    "没有找到 E4“",
)
lines_told(
    "a row of somebody's own",
    HELPCENTER,
    lambda lines: [*lines, Line(code="N", label="其他投入", unit="万元", figure=8)],
    r"!E\d+ 这一行（其他投入）不在表样中，“8”没有读入",
)
lines_told(
    "a figure without code and label",
    WARMTH,
    lambda lines: [*lines[:9], Line(figure=42), *lines[9:]],
    r"!E15 这一行没有代码和项目名称，“42”没有读入",
)
lines_told(
    "another unit of measure in the unit's column",
    WARMTH,
    replaced("E3", unit="户", reads=None),
    r"!E\d+ E3：单位写作“户”，表样为“人次”，没有读入",
)
lines_told(
    "the same words twice where only the place could decide",
    HELPCENTER,
    lambda lines: [
        *[replace(l, reads=None) if l.row == "G2" else l for l in lines[: at(lines, "G2") + 1]],
        Line(label="帮扶款物", unit="万元", figure=6),
        *lines[at(lines, "G2") + 1 :],
    ],
    r"!D\d+ 这一行（帮扶款物）可能是 G2，分不清",
    r"!D\d+ 这一行（帮扶款物）可能是 (?:G1、)?G2，分不清",
    columns=("序号", "项目", "单位", "数字"),
)
lines_told(
    "the row that others lean on is not there",
    HELPCENTER,
    # Left below G1, it looks like a second G1.
    lambda lines: [replace(l, reads=None) if l.row in ("G1", "G2") else l for l in lines if l.row != "F2"],
    r"!D\d+ 这一行（帮扶款物）可能是 G1，分不清",
    r"!D\d+ 这一行（帮扶款物）可能是 (?:G1、)?G2，分不清",
    "没有找到 F2“",
    "没有找到 G2“",
    columns=("序号", "项目", "单位", "数字"),
)
lines_told(
    "a figure in a column that nobody can name",
    WARMTH,
    lambda lines: [
        replace(l, figure=None, reads=None, others={"情况": 31}) if l.row == "E3" else l for l in lines
    ],
    r"!F\d+ E3 的数字格空白，这里的“31”不在数字一列",
    columns=("序号", "代码", "项目", "单位", "数字", "情况"),
)
lines_told(
    "a column of each district behind the sum",
    WARMTH,
    lambda lines: [replace(l, others={"南岗区": 1, "道里区": 2}) for l in lines],
    r"读取的是 E 列；F 列“南岗区”、G 列“道里区”也有数字，不在其中，请核对",
    columns=("序号", "代码", "项目", "单位", "数字", "南岗区", "道里区"),
    heads={"数字": "合计"},
)


@good("told: one cell merged over the figures of two rows", notes=(r"!E11 A5、B 的数字合并在一个单元格里",))
def merged_figures() -> Made:
    desk = Desk()
    lines = [replace(line, reads=None) if line.row in ("A5", "B") else line for line in lines_of(WARMTH)]
    desk.form(WARMTH, lines)
    desk.book.worksheets[0].merge_cells("E11:E12")
    return desk.finish()


@good(
    "told: a second table that only resembles the form",
    notes=(r"^附表!C3 这里也像是送温暖统计表，但 \d+ 行中只有 \d+ 行",),
)
def a_part_of_the_form() -> Made:
    desk = Desk()
    desk.form(WARMTH)
    page = desk.page("附表")
    lines = [line.typed(3, None) for line in lines_of(WARMTH)[8:30]]
    values = dict(desk.made.values[WARMTH])
    desk.table(page, WARMTH, lines, top=2)
    desk.made.values[WARMTH] = values
    return desk.finish()


@good(
    "told: units of money that contradict each other", notes=(r"!D\d+ A1：这一行的单位是万元，表头又写着元",)
)
def contradictory_units() -> Made:
    desk = Desk()
    page = desk.page("送温暖统计表")
    top = desk.head(page, WARMTH)
    page.cell(top, 4).value = "单位：元"
    lines = [
        replace(line, figure=line.figure if line.row == "A1" else None, reads=None)
        if line.unit == "万元"
        else line
        for line in lines_of(WARMTH)
    ]
    desk.table(page, WARMTH, lines, top=top + 1, columns=("代码", "项目", "单位", "数字"))
    return desk.finish()


@good("told: no such day in the head")
def no_such_day() -> Made:
    def write(page: Worksheet) -> None:
        page["A3"] = "填报单位：哈尔滨市总工会"
        page["A4"] = "填报人：张三    电话：0451-1     日期：2021-13-45"

    made = headed(write)
    del made.head["filled_on"]
    return made
