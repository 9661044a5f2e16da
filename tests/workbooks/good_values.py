"""Good: figures as people write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial

from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from reporting.fields import WANYUAN, YES_NO
from tests.workbooks.case import HELPCENTER, WARMTH, Made, bad, figures, good
from tests.workbooks.desk import OFFICIAL, Desk, Line, at, change, lines_of
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


@good("formats that show the number as it is: red negatives, accounting, of other programs")
def number_formats() -> Made:
    desk = both()
    formats = (
        "0_ ;[Red]\\-0\\ ",
        '_ * #,##0.00_ ;_ * \\-#,##0.00_ ;_ * "-"??_ ;_ @_ ',
        "G/通用格式",
        "0.0",
        "#,##0.00;[RED]-#,##0.00",
        "[>=1000]#,##0;0.0",
        '0.00;-0.00;"-"',
        "#,##0_);(#,##0)",
        "[DBNum1][$-804]General",
        "@",
    )
    for page in desk.book.worksheets:
        for row in range(6, 70):
            page.cell(row, 5).number_format = formats[row % len(formats)]
    return desk.finish()


def formatted(how: Callable[[Line], tuple[float | None, str]], columns: Sequence[str] = OFFICIAL) -> Desk:
    """The first form, every figure another number (None: as it is) in another number format."""
    desk = Desk()
    lines, formats = [], []
    for line in lines_of(WARMTH):
        number, code = how(line)
        lines.append(line if number is None else line.typed(number, line.reads))
        formats.append(code)
    page = desk.form(WARMTH, lines, columns=columns)
    for row, code in enumerate(formats, 6):
        page.cell(row, columns.index("数字") + 1).number_format = code
    return desk


def yuan_of(line: Line) -> float | None:
    return float(in_yuan(figures(WARMTH)[line.row])) if line.unit == WANYUAN else None


BY_FORMAT = r"数字格式里写着金额的单位，共 \d+ 格已换算为万元，请核对"


@good("units shown by the number format: 元, 万元, 人次", notes=(BY_FORMAT,))
def units_by_format() -> Made:
    def how(line: Line) -> tuple[float | None, str]:
        if line.unit != WANYUAN:
            return None, f'#,##0"{line.unit}"'
        return (
            (None, '0.00_ "万元"') if line.row == "A1" else (yuan_of(line), '#,##0.00"元";[Red]-#,##0.00"元"')
        )

    return formatted(how).finish()


@good("¥ shown by the number format, no units in the table", notes=(BY_FORMAT,))
def sign_by_format() -> Made:
    signs = (
        '"¥"#,##0.00',
        "[$¥-804]#,##0.00;[RED]-[$¥-804]#,##0.00",
        '_ ¥* #,##0.00_ ;_ ¥* -#,##0.00_ ;_ ¥* "-"??_ ',
    )
    return formatted(
        lambda line: (yuan_of(line), signs[len(line.row) % 3] if line.unit == WANYUAN else "0"),
        ("代码", "项目", "数字"),
    ).finish()


OTHER_NUMBERS = {
    "A": ('0!.0,"万元"', 'A：格式显示为“0!.0,"万元"”，与数值 125000 不同，没有读入'),
    "A1": ("#,##0,", "A1：格式显示为“#,##0,”，与数值 125000 不同"),
    "A2": ("0.00%", "A2：格式显示为“0.00%”"),
    "A3": ('"¥"#,##0.00', "A3：格式显示为“¥125000”，单位却是万元，不知以哪个为准，没有读入"),
    "A4": ("[$$-409]#,##0", "A4：格式显示为“$125000”，不是数字"),
    "A5": ('#,##0"户"', "A5：格式显示为“125000户”，单位是户，此处为万元"),
    "B": ("[>=10000]0!.0,;0", "B：格式显示为“[>=10000]0!.0,;0”"),
    "C1": ('0"元"', "C1：格式显示为“125000元”，单位是元，此处为人次"),
    "C2": (";;;", "C2：格式显示为“;;;”，与数值 125000 不同"),
    "C3": ('"已报"', "C3：“已报”不是数字"),
    "C4": ('"约"0', "C4：格式显示为“约125000”，不是数字"),
}


@good(
    "told: formats that show another number",
    notes=tuple(re.escape(note) for _, note in OTHER_NUMBERS.values()),
)
def other_numbers_by_format() -> Made:
    desk = Desk()
    lines = [line.typed(125000) if line.row in OTHER_NUMBERS else line for line in lines_of(WARMTH)]
    page = desk.form(WARMTH, lines)
    for row, line in enumerate(lines, 6):
        if line.row in OTHER_NUMBERS:
            page.cell(row, 5).number_format = OTHER_NUMBERS[line.row][0]
    return desk.finish()


@good("told: a hidden line; hidden ones without figures", notes=(r"!E23 C5 在隐藏的行或列里，已读入",))
def hidden_line() -> Made:
    desk = Desk()
    page = desk.form(WARMTH)
    page.row_dimensions[6 + at(lines_of(WARMTH), "C5")].hidden = True
    page.row_dimensions[3].hidden = page.column_dimensions["D"].hidden = True
    return desk.finish()


@good("a remark below says 元, no units in the table", notes=(CONVERTED,))
def remark_says_yuan() -> Made:
    desk = Desk()
    page = desk.page("送温暖统计表")
    top = desk.head(page, WARMTH)
    lines = [
        replace(line, figure=float(in_yuan(figures(WARMTH)[line.row]))) if line.unit == WANYUAN else line
        for line in lines_of(WARMTH)
    ]
    end = desk.table(page, WARMTH, lines, top=top, columns=("代码", "项目", "数字"))
    page.cell(end, 1).value = "注：以上金额单位为元。"
    return desk.finish()


@good("characters of no width in figures and labels")
def no_width() -> Made:
    return written(lambda line, text: f"\u200b{text[:1]}\u200d{text[1:]}\ufeff").finish()


@good("told: one column only, and its head says nothing", notes=("读取的是 E 列“道里区”，请核对",))
def unknown_head() -> Made:
    desk = Desk()
    desk.form(WARMTH, heads={"数字": "道里区"})
    return desk.finish()


# -- what is other figures than the campaign's own


def headed(head: str) -> Made:
    desk = Desk()
    desk.form(WARMTH, heads={"数字": head})
    return desk.finish()


for _head in ("去年", "上年数", "计划数", "增减%", "含下级", "编号", "其中：上年"):
    bad(
        f"one column only, headed {_head}",
        says=f"C6）只有 E 列“{_head}”有数字，表头表明不是本次本级的上报数。",
    )(partial(headed, _head))
for _head in ("2019年", "二〇二二年"):
    bad(f"one column only, headed {_head}", says="文件里写着不同的年份")(partial(headed, _head))


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
