"""Whose workbook it is, of which year, and who filled it in: what stands around the tables."""

from __future__ import annotations

import datetime
import heapq
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from reporting.reading.intake import Cell, Page, Position, shown
from reporting.reading.labels import UNITS, normalise_width
from reporting.reading.years import MOST_TITLE, NamedYear, named_year

MOST_IN_FIELD = 30  # characters of a name or telephone number that a filing holds
_UNION = ("填报单位", "报送单位", "填表单位", "上报单位", "单位名称")
_KINDS = {
    "union": _UNION,
    # Other words for it, which may also stand for something else: a union only when a union's name is behind them.
    "perhaps": (
        "填报单位名称",
        "填报工会",
        "报送工会",
        "上报工会",
        "工会名称",
        "所在单位",
        "编制单位",
        "编报单位",
    ),
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
_SEAL = r"(?:\s*[（(]\s*(?:盖\s*章|公\s*章|签\s*章|章|签字|签名)\s*[）)])"
_COLON = r"\s*[:;︰﹕∶]"
_LABEL = re.compile(rf"(?:{_ANY}){_SEAL}?{_COLON}")
_WHOLE = re.compile(rf"(?:{_ANY}){_SEAL}?")
# 单位 alone is the head of a column, 主管单位 another union.
_UNIT = re.compile(rf"(?<![\u4e00-\u9fff])单\s*位(?:{_SEAL}{_COLON}?|{_COLON})")
_WITHOUT_COLON = re.compile(
    rf"({'|'.join(map(_spread, sorted((*_UNION, *_KINDS['perhaps']), key=len, reverse=True)))}){_SEAL}?\s*(?=\S)"
)
_MEASURE = re.compile(rf"{'|'.join(map(re.escape, UNITS))}|[、,/和及()（）\s]")
_DATE = re.compile(r"(20\d\d)\s*[-年./]\s*(\d{1,2})\s*[-月./]\s*(\d{1,2})\s*日?")
_NO_DATE_OF_FILLING = re.compile("截|统计|[起至前]")
_NO_NAME = re.compile(r"[\d\s年月日:/._-]*")  # a date, or the place for one
_NUMBERS = re.compile(r"[\d\s()（）、,;/-]+")
_AROUND = " \t\r\n\u3000\u00a0_:,;、。"
_REACH = 8  # columns between a label and what is written behind it
_IN_WORDS = {"filler_name": "填报人", "filler_phone": "电话"}
_MOST_NAMES = 40
_MOST_CELLS, _MOST_TEXT = 300, 1000  # above a table, and below it; characters in one


@dataclass(frozen=True)
class Found:
    """A text and the cell (or tab, or file) it stands in."""

    text: str
    where: str


@dataclass
class Head:
    """Each as it stands there; `values` by the names of the filing's head fields, dates as 2021-01-20.

    `unions` stand behind 填报单位：; `perhaps` behind other words or without a colon, and may be no unions; `titles` are
    short texts above the table that speak of a union. `notes`: what was not read of the head, and why.
    """

    unions: list[Found] = field(default_factory=list)
    perhaps: list[Found] = field(default_factory=list)
    titles: list[Found] = field(default_factory=list)
    years: list[NamedYear] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    filled_at: str = ""  # where the date stands
    notes: list[Found] = field(default_factory=list)
    tab: str = ""


def read_head(page: Page, above: range, below: range = range(0)) -> Head:
    """`above` and `below`: the stretches of the page before and after a table that are no other table's."""
    head = Head(tab=page.name)
    around = _around(page, above, below)
    in_line = Counter(row for row, _ in around)
    for (row, column), cell in around.items():
        if cell.kind == "s":
            text, where = normalise_width(cell.text), page.address(row, column)
            if row in above:
                _look_for_title(head, cell.text, where, is_alone=in_line[row] == 1)
            for kind, value in _pairs(text):
                _put(head, kind, value or _behind(page, row, column), where)
    if "filled_on" not in head.values:
        # The notice prints 年 月 日 without a label, alone or behind the telephone.
        for (row, column), cell in around.items():
            is_head = len(cell.text.strip()) <= 20 or bool(_LABEL.search(normalise_width(cell.text)))
            if not is_head or cell.kind not in ("s", "d") or _NO_DATE_OF_FILLING.search(cell.text):
                continue
            if date := _date(cell.text):
                head.values["filled_on"], head.filled_at = date, page.address(row, column)
                break
    return head


def _around(page: Page, above: range, below: range) -> dict[Position, Cell]:
    """What is written next to the table, from the top down; a page of texts is not searched through."""
    filled = [
        place
        for place, cell in page.cells.items()
        if (place[0] in above or place[0] in below) and len(cell.text) <= _MOST_TEXT and cell.text.strip()
    ]
    before = heapq.nlargest(_MOST_CELLS, (place for place in filled if place[0] in above))
    behind = heapq.nsmallest(_MOST_CELLS, (place for place in filled if place[0] in below))
    return {place: page.cells[place] for place in (*reversed(before), *behind)}


def _look_for_title(head: Head, text: str, where: str, *, is_alone: bool) -> None:
    # Our own templates join what they are of: 2021年元旦春节送温暖活动 · 黑工办发〔2020〕30号 · 本级.
    for part in text.split("·")[:5]:
        if year := named_year(part, where, is_alone=is_alone):
            head.years.append(year)
    packed = "".join(text.split())
    if "工会" in packed and len(packed) <= MOST_TITLE and len(head.titles) < _MOST_NAMES:
        head.titles.append(Found(packed, where))


def _pairs(text: str) -> Iterable[tuple[str, str]]:
    """(kind, what stands behind the colon) for every label in a text; a label may also be the whole text."""
    found = list(_LABEL.finditer(text))
    for number, match in enumerate(found):
        end = found[number + 1].start() if number + 1 < len(found) else len(text)
        yield _kind(match), text[match.end() : end]
    whole = None if found else _WHOLE.fullmatch(text.strip())
    if whole:
        yield _kind(whole), ""
        return
    before = text[: found[0].start()] if found else text
    start, *others = _UNIT.split(before)
    if label := _WITHOUT_COLON.match(start.lstrip()):
        yield "perhaps", start.lstrip()[label.end() :]
    for value in others:
        yield "perhaps", value


def _kind(match: re.Match[str]) -> str:
    return _KIND[next(label for label, group in zip(_ORDER, match.groups(), strict=True) if group)]


def _behind(page: Page, row: int, column: int) -> str:
    """The next filled cell to the right, unless that is a label itself."""
    for further in range(column + 1, column + 1 + _REACH):
        cell = page.cells.get((row, further))
        if cell and cell.text.strip():
            text = normalise_width(cell.text)
            return "" if _LABEL.search(text) or _WHOLE.fullmatch(text.strip()) else text
    return ""


def _put(head: Head, kind: str, value: str, where: str) -> None:
    value = value.strip(_AROUND)
    if kind == "filled_on":
        if (date := _date(value)) and "filled_on" not in head.values:
            head.values["filled_on"], head.filled_at = date, where
    elif kind in ("union", "perhaps"):
        # A seal's place behind the name; 单位：万元, or something else far behind it.
        value = re.split(r"\s{2,}", _UNIT.split(value)[0])[0]
        value = re.sub(rf"{_SEAL}\s*$", "", value).strip(_AROUND)
        found = head.unions if kind == "union" else head.perhaps
        if not _NO_NAME.fullmatch(value) and (kind == "union" or _MEASURE.sub("", value)):
            found.append(Found(value[:60], where))
    elif kind and value and kind not in head.values:
        _put_whole(head, kind, value, where)


def _put_whole(head: Head, kind: str, value: str, where: str) -> None:
    """A name or a telephone number: whole or not at all, never cut."""
    value, *behind = re.split(r"\s{2,}", value)
    rest = " ".join(behind)
    for other in (_DATE, re.compile(_SEAL), _WHOLE):
        rest = other.sub("", rest).strip(_AROUND)
    if _NO_NAME.fullmatch(value) and kind == "filler_name":
        return
    if kind == "filler_phone" and _NUMBERS.fullmatch(rest) and any(map(str.isdigit, rest)):
        value, rest = f"{value} {rest}", ""
    elif kind == "filler_name" and len(value) == len(rest) == 1:
        value, rest = value + rest, ""  # 张  三
    what = _IN_WORDS[kind]
    if len(value) > MOST_IN_FIELD:
        head.notes.append(
            Found(
                f"{what}共 {len(value)} 个字，最多 {MOST_IN_FIELD} 个，没有读入。请在填报页填写{what}。",
                where,
            )
        )
        return
    head.values[kind] = value
    if rest and not _NO_NAME.fullmatch(rest):
        head.notes.append(Found(f"{what}后面的“{shown(rest, 20)}”没有读入，请核对{what}。", where))


def _date(text: str) -> str:
    """A date in figures as 2021-01-20; empty for none, or one that no calendar has."""
    found = _DATE.search(normalise_width(text))
    if not found:
        return ""
    try:
        return datetime.date(*map(int, found.groups())).isoformat()
    except ValueError:
        return ""
