"""Good: figures as people write them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial

from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from reporting.fields import WANYUAN, YES_NO
from tests.workbooks.case import HELPCENTER, WARMTH, Made, figures, good
from tests.workbooks.desk import Desk, Line, change, lines_of
from tests.workbooks.good_layouts import BOTH, both, wide


def written(how: Callable[[Line, str], object]) -> Desk:
    """Both forms, every figure written in another way; it must be read as if it were not."""
    desk = Desk()
    for slug in BOTH:
        desk.form(
            slug, [line.typed(how(line, figures(slug)[line.row]), line.reads) for line in lines_of(slug)]
        )
    return desk


def grouped(text: str, comma: str = ",") -> str:
    whole, point, rest = text.partition(".")
    return (f"{int(whole):,}".replace(",", comma) if whole.isdigit() else whole) + point + rest


@good("numbers kept as texts")
def text_numbers() -> Made:
    return written(lambda line, text: text).finish()


@good("full-width digits")
def full_width() -> Made:
    return written(lambda line, text: wide(text)).finish()


@good("thousands separators")
def separators() -> Made:
    return written(lambda line, text: grouped(text)).finish()


@good("thousands separators, full-width")
def wide_separators() -> Made:
    return written(lambda line, text: grouped(text, "，")).finish()


@good("blanks around and between thousands")
def blanks() -> Made:
    return written(lambda line, text: f" \u3000{grouped(text, ' ')}\u00a0\n").finish()


@good("units behind the figures")
def units_behind() -> Made:
    return written(
        lambda line, text: text if line.unit == YES_NO else f"{grouped(text)} {line.unit}"
    ).finish()


def in_yuan(text: str) -> str:
    return format((Decimal(text) * 10_000).normalize(), "f")


@good("元 written behind amounts of 万元")
def yuan_behind() -> Made:
    return written(lambda line, text: f"{in_yuan(text)}元" if line.unit == WANYUAN else text).finish()


@good("万 written behind amounts")
def wan_behind() -> Made:
    return written(lambda line, text: f"{text}万" if line.unit == WANYUAN else text).finish()


CONVERTED = r"金额的单位写作“元”，共 \d+ 格已换算为万元"


@good("the column of units says 元", notes=(rf"送温暖统计表!E\d+ {CONVERTED}", rf"!E\d+ {CONVERTED}"))
def units_say_yuan() -> Made:
    desk = Desk()
    for slug in BOTH:
        lines = [
            replace(line, unit="元", figure=float(in_yuan(figures(slug)[line.row])))
            if line.unit == WANYUAN
            else line
            for line in lines_of(slug)
        ]
        desk.form(slug, lines)
    return desk.finish()


@good("单位：元 above the table, no units in it", notes=(CONVERTED,))
def page_says_yuan() -> Made:
    desk = Desk()
    page = desk.page("送温暖统计表")
    top = desk.head(page, WARMTH)
    page.cell(top, 3).value = "金额单位：元"
    lines = [
        replace(line, figure=float(in_yuan(figures(WARMTH)[line.row]))) if line.unit == WANYUAN else line
        for line in lines_of(WARMTH)
    ]
    desk.table(page, WARMTH, lines, top=top + 1, columns=("代码", "项目", "数字"))
    return desk.finish()


@good("the head of the figures says 元", notes=(CONVERTED,))
def head_says_yuan() -> Made:
    desk = Desk()
    lines = [
        replace(line, unit="", figure=float(in_yuan(figures(WARMTH)[line.row])))
        if line.unit == WANYUAN
        else line
        for line in lines_of(WARMTH)
    ]
    desk.form(WARMTH, lines, heads={"数字": "数额（元）"})
    return desk.finish()


@good("单位：万元 above the table")
def page_says_wanyuan() -> Made:
    desk = Desk()
    page = desk.page("送温暖统计表")
    top = desk.head(page, WARMTH)
    page.cell(top, 5).value = "单位：万元"
    desk.table(page, WARMTH, lines_of(WARMTH), top=top + 1)
    return desk.finish()


@good("formats that show something else: 户 behind, red negatives, accounting")
def number_formats() -> Made:
    desk = both()
    formats = (
        '0"人次"',
        "0_ ;[Red]\\-0\\ ",
        '_ * #,##0.00_ ;_ * \\-#,##0.00_ ;_ * "-"??_ ;_ @_ ',
        "G/通用格式",
        "0.0",
        '"¥"#,##0.00',
        "@",
    )
    for page in desk.book.worksheets:
        for row in range(6, 70):
            page.cell(row, 5).number_format = formats[row % len(formats)]
    return desk.finish()


@good("what sums of binary fractions leave behind")
def floating_remains() -> Made:
    desk = Desk()
    lines = lines_of(WARMTH)
    for code, remains, reads in (
        ("A1", 0.1 + 0.2, "0.3"),
        ("A2", 1.1 + 2.2, "3.3"),
        ("A3", sum([0.1] * 10), "1"),
        ("A4", 0.1 + 0.7, "0.8"),
        ("A5", 1234567.1 + 0.2, "1234567.3"),
        ("D1", 4.35 * 100, "435"),
        ("D2", 0.3 - 0.1 - 0.2, "0"),
        ("E1", 2.9999999999999996, "3"),
    ):
        lines = change(lines, code, lambda line, r=remains, t=reads: line.typed(r, t))
    desk.form(WARMTH, lines)
    return desk.finish()


@good("as many digits as there may be")
def longest() -> Made:
    desk = Desk()
    lines = lines_of(WARMTH)
    for code, figure, reads in (
        ("A1", 999999999.123456, "999999999.123456"),
        ("A2", "9999999999.999999", "9999999999.999999"),
        ("A3", 0.000001, "0.000001"),
        ("A4", 1e-6, "0.000001"),
        ("B", 2147483647, "2147483647"),
        ("E1", "0", "0"),
        ("E2", 0, "0"),
        ("E3", "007", "7"),
        ("E4", "5.0", "5"),
        ("E5", "+5", "5"),
    ):
        lines = change(lines, code, lambda line, f=figure, t=reads: line.typed(f, t))
    desk.form(WARMTH, lines)
    return desk.finish()


@good("blank cells stay blank")
def half_blank() -> Made:
    desk = Desk()
    for slug in BOTH:
        lines = [line.typed(None, None) if n % 2 else line for n, line in enumerate(lines_of(slug))]
        lines[3] = lines[3].typed("   ", None)
        desk.form(slug, lines)
    return desk.finish()


def yes_no(figure: object, reads: str) -> Made:
    desk = Desk()
    desk.form(HELPCENTER, change(lines_of(HELPCENTER), "I", lambda line: line.typed(figure, reads)))
    return desk.finish()


YES_NO_WAYS = {
    "yes ticked": ("√", "是"),
    "no crossed": ("×", "否"),
    "yes as 1": (1, "是"),
    "no as 0": (0, "否"),
    "yes as a truth value": (True, "是"),
    "no with blanks": (" 否 ", "否"),
    "yes as 有": ("有", "是"),
}
for _name, _way in YES_NO_WAYS.items():
    good(f"yes or no: {_name}")(partial(yes_no, *_way))


@good("letters of several typefaces in one cell")
def rich_texts() -> Made:
    desk = both()
    for page in desk.book.worksheets:
        for row in range(6, 40):
            cell = page.cell(row, 3)
            text = str(cell.value)
            bold = TextBlock(InlineFont(b=True), text[: len(text) // 2])
            cell.value = CellRichText(bold, text[len(text) // 2 :])
        digits = str(page["E8"].value)
        page["E8"].value = CellRichText(TextBlock(InlineFont(b=True), digits[:1]), digits[1:])
    return desk.finish()


@good("texts that begin like formulas stand as texts elsewhere")
def formula_like_texts() -> Made:
    desk = both()
    page = desk.book.worksheets[0]
    for row, content in enumerate(("=cmd|'/c calc'!A1", "+86 451", "@SUM(1)", "-1+1"), 6):
        cell = page.cell(row, 8)
        cell.value, cell.data_type = content, "s"
    return desk.finish()
