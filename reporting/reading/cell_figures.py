"""What stands in a cell, as a person would type it into the form: units taken off, 元 turned into 万元, exactly."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from django.core.exceptions import ValidationError

from reporting.fields import PERSON_TIMES, PERSONS, WANYUAN, Indicator, MoneyField, YesNoField, normalise
from reporting.reading.intake import Cell, shown
from reporting.reading.labels import normalise_width
from reporting.reading.number_formats import Shown, shown_as

IN_WANYUAN = {
    "万元": Decimal(1),
    "万": Decimal(1),
    "元": Decimal("0.0001"),
    "百元": Decimal("0.01"),
    "千元": Decimal("0.1"),
    "亿元": Decimal(10_000),
}
_PEOPLE = {PERSONS: {"人", "名"}, PERSON_TIMES: {"人次", "人"}}
_WITH_UNIT = re.compile(r"([-+0-9.]+)(万元|千元|百元|亿元|元|万|人次|人|户|个|家|名)")
_YES, _NO = {"√", "✓", "✔", "☑", "有", "1.0"}, {"×", "✗", "✘", "☒", "无", "0.0"}
# A number as people group it: 12345, 1,234,567.8, 1 234; never 1,5 or 12 5.
_GROUPED = re.compile(r"[-+]?(?:\d+|\d{1,3}(?:[,，\s]\d{3})+)?(?:\.\d*)?(?:\s*[\u4e00-\u9fff]+)?")
# ¥ says 元, but the button for it is pressed on amounts of 万元 too.
_YUAN_SIGNS = {"¥", "￥", "RMB", "CNY", "CN¥", "人民币"}
# What is neither seen nor turns round what is seen: zero width, joiners, left to right.
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u2060\ufeff"))
MOST_FIGURE = 60  # characters
_BLANK_AROUND = " \t\r\n\u00a0\u3000\u2009\u202f\ufeff"


def fits(indicator: Indicator, unit: str) -> bool:
    """Whether a figure given in `unit` can be this indicator's."""
    if isinstance(indicator, MoneyField):
        return unit in IN_WANYUAN
    return unit == indicator.unit or unit in _PEOPLE.get(indicator.unit, set())


def figure_text(indicator: Indicator, cell: Cell, unit: str = "") -> str:
    """A cell's content as a person would type it. `unit`: what amounts of money in this place are written in, 万元
    without one; a unit in the cell itself goes before. Raises ValidationError for what is no figure."""
    if cell.kind == "e":
        raise ValidationError(f"“{cell.text}”是公式出错的结果，请改正公式。")
    if cell.kind == "b" and isinstance(indicator, YesNoField):
        return "是" if cell.text == "1" else "否"
    if cell.kind in ("b", "d"):
        what = "日期" if cell.kind == "d" else "真假值"
        raise ValidationError(f"“{cell.text[:10]}”是{what}，不是数字。")
    if cell.kind == "n":
        return _of_formatted(indicator, cell, unit) if cell.format else _of_number(indicator, cell.text, unit)
    content = cell.text.translate(_INVISIBLE)
    text = normalise(content)
    if not text.isprintable():
        raise ValidationError(f"“{shown(text, 30)}”里有看不见的字符，请重新填写。")
    if isinstance(indicator, YesNoField):
        return "是" if text in _YES else "否" if text in _NO else text
    if text.startswith("#"):
        raise ValidationError(f"“{text[:20]}”是公式出错的结果，请改正公式。")
    written = normalise_width(content).strip(_BLANK_AROUND)
    if len(written) > MOST_FIGURE:
        raise ValidationError(f"“{shown(written, 30)}”不是数字，请只填阿拉伯数字。")
    if any(c.isdigit() for c in text) and not _GROUPED.fullmatch(written) and _is_number(text):
        raise ValidationError(f"“{written[:30]}”的写法不清楚，请写成一个数。")
    if found := _WITH_UNIT.fullmatch(text):
        text, unit = found.groups()
        if not fits(indicator, unit):
            raise ValidationError(f"“{written[:30]}”的单位是{unit}，此处为{indicator.unit}。")
    return in_wanyuan(text, unit) if isinstance(indicator, MoneyField) else text


def _is_number(text: str) -> bool:
    return all(c in "0123456789.+-" for c in text)


def in_wanyuan(text: str, unit: str) -> str:
    """Exact; what is no number stays as it is, for the indicator to refuse."""
    if unit in ("", WANYUAN) or not _is_number(text):
        return text
    try:
        return _shortest(Decimal(text) * IN_WANYUAN[unit])
    except InvalidOperation:
        return text


def _of_formatted(indicator: Indicator, cell: Cell, unit: str) -> str:
    """A number that its format shows with words around it is what that text would be."""
    try:
        seen = shown_as(cell.format, Decimal(cell.text))
    except InvalidOperation:
        seen = Shown()
    if seen.instead:
        return figure_text(indicator, Cell("s", seen.instead), unit)
    if seen.is_other:
        raise ValidationError(f"格式显示为“{shown(cell.format, 40)}”，与数值 {cell.text} 不同，")
    text = f"{seen.before}{cell.text}{seen.behind}"
    is_signed = seen.before in _YUAN_SIGNS and seen.behind in ("", "元")
    words = "元" if is_signed else f"{seen.before}{seen.behind}"
    if not words:
        return _of_number(indicator, cell.text, unit)
    if is_signed and unit not in ("", "元") and isinstance(indicator, MoneyField):
        raise ValidationError(f"格式显示为“{text}”，单位却是{unit}，不知以哪个为准，")
    if (seen.before and not is_signed) or not _WITH_UNIT.fullmatch(f"1{words}"):
        raise ValidationError(f"格式显示为“{shown(text, 30)}”，不是数字，")
    if not fits(indicator, words):
        raise ValidationError(f"格式显示为“{text}”，单位是{words}，此处为{indicator.unit}。")
    return _of_number(indicator, cell.text, words)


def _of_number(indicator: Indicator, text: str, unit: str) -> str:
    """Digits as stored. A binary fraction that a sum left behind (0.30000000000000004) is what it stands for."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValidationError(f"“{text[:20]}”不是数字。") from None
    if not number.is_finite():
        raise ValidationError(f"“{text[:20]}”不是数字。")
    places = Decimal(1)
    if isinstance(indicator, MoneyField):
        number *= IN_WANYUAN.get(unit, Decimal(1))
        places = Decimal("0.000001")
    if abs(number) >= 10**15:
        raise ValidationError(f"“{text[:20]}”过大。")
    near = number.quantize(places)
    # Fifteen significant digits are all that a spreadsheet keeps; what a sum leaves behind is in the last of them.
    if abs(near - number) <= min(max(abs(number), Decimal(1)) * Decimal("1e-14"), places / 50):
        number = near
    return _shortest(number)


def _shortest(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
