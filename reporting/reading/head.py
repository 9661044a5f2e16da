"""Whose workbook it is, of which year, and who filled it in: what stands around the tables."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from reporting.reading.intake import Page
from reporting.reading.labels import normalise_width

_KINDS = {
    "union": ("填报单位", "报送单位", "填表单位", "上报单位", "单位名称"),
    "filler_name": ("填报人", "填表人", "制表人", "经办人"),
    "filler_phone": ("联系电话", "电话", "手机"),
    "filled_on": ("填报日期", "填表日期", "填报时间", "报送日期", "日期"),
    "": (
        "单位负责人",
        "负责人",
        "审核人",
        "分管领导",
        "联系人",
        "传真",
        "邮编",
        "邮箱",
        "金额单位",
        "计量单位",
    ),
}
_KIND = {label: kind for kind, labels in _KINDS.items() for label in labels}


def _spread(label: str) -> str:
    """People put blanks between the characters of a short label."""
    return r"\s*".join(label)


# Longer labels first, so that 联系电话 is not read as 联系人 or 电话.
_ANY = "|".join(f"({_spread(label)})" for label in sorted(_KIND, key=len, reverse=True))
_ORDER = sorted(_KIND, key=len, reverse=True)
_SEAL = r"(?:\s*[（(]\s*(?:盖\s*章|公\s*章|签\s*章|章|签字|签名)\s*[）)])?"
_LABEL = re.compile(rf"(?:{_ANY}){_SEAL}\s*[:：]")
_WHOLE = re.compile(rf"\s*(?:{_ANY}){_SEAL}\s*")
_DATE = re.compile(r"(20\d\d)\s*[-年./]\s*(\d{1,2})\s*[-月./]\s*(\d{1,2})")
_NO_NAME = re.compile(r"[\d\s年月日:/.-]*")  # a date, or the place for one
_YEAR = re.compile(r"(20\d\d)\s*(?:年度|年)?\s*(?:元旦|春节|两节|[“\"]?送温暖)")
_AROUND = " \t\r\n\u3000\u00a0_:,;、。"
_REACH = 8  # columns between a label and what is written behind it


@dataclass
class Head:
    """Each as it stands there; `values` by the names of the filing's head fields, dates as 2021-01-20."""

    unions: list[str] = field(default_factory=list)
    years: list[int] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)


def read_head(page: Page, rows: Sequence[range]) -> Head:
    """`rows`: the stretches of the page that are no table."""
    head = Head()
    around = {
        place: cell
        for place, cell in sorted(page.cells.items())
        if any(place[0] in stretch for stretch in rows)
    }
    for (row, column), cell in around.items():
        if cell.kind == "s":
            text = normalise_width(cell.text)
            head.years += [int(found[1]) for found in _YEAR.finditer(text)]
            for kind, value in _pairs(text):
                _put(head, kind, value or _behind(page, row, column))
    if "filled_on" not in head.values:
        # The notice prints 年 月 日 without a label, alone or behind the telephone.
        for cell in around.values():
            is_head = len(cell.text.strip()) <= 20 or _LABEL.search(normalise_width(cell.text))
            if cell.kind in ("s", "d") and is_head and (date := _date(cell.text)):
                head.values["filled_on"] = date
                break
    head.unions = list(dict.fromkeys(head.unions))
    head.years = list(dict.fromkeys(head.years))
    return head


def _pairs(text: str) -> Iterable[tuple[str, str]]:
    """(kind, what stands behind the colon) for every label in a text; a label may also be the whole text."""
    found = list(_LABEL.finditer(text))
    for number, match in enumerate(found):
        end = found[number + 1].start() if number + 1 < len(found) else len(text)
        yield _kind(match), text[match.end() : end]
    whole = None if found else _WHOLE.fullmatch(text)
    if whole:
        yield _kind(whole), ""


def _kind(match: re.Match[str]) -> str:
    return _KIND[next(label for label, group in zip(_ORDER, match.groups(), strict=True) if group)]


def _behind(page: Page, row: int, column: int) -> str:
    """The next filled cell to the right, unless that is a label itself."""
    for further in range(column + 1, column + 1 + _REACH):
        cell = page.cells.get((row, further))
        if cell and cell.text.strip():
            text = normalise_width(cell.text)
            return "" if _LABEL.search(text) or _WHOLE.fullmatch(text) else text
    return ""


def _put(head: Head, kind: str, value: str) -> None:
    value = value.strip(_AROUND)
    if kind == "filled_on":
        value = _date(value)
    elif kind == "union":
        # A seal's place behind the name; something else far behind it.
        value = re.split(r"\s{2,}", re.sub(rf"{_SEAL}\s*$", "", value))[0].strip(_AROUND)
        if not _NO_NAME.fullmatch(value):
            head.unions.append(value[:60])
        return
    elif kind:
        value = re.split(r"\s{2,}", value)[0][:30]
        value = "" if kind == "filler_name" and _NO_NAME.fullmatch(value) else value
    if kind and value:
        head.values.setdefault(kind, value)


def _date(text: str) -> str:
    """A date in figures as 2021-01-20; empty for none, or one that no calendar has."""
    found = _DATE.search(normalise_width(text))
    if not found:
        return ""
    try:
        return datetime.date(*map(int, found.groups())).isoformat()
    except ValueError:
        return ""
