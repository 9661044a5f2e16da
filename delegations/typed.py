"""What can be typed into a plan or record: for each field its label, how text becomes a value, and back.

One list feeds saving, conflicts, the audit and the pages. `parse` raises ValidationError with a sentence.
"""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from delegations.models import Destination, FundSource, Visit
from delegations.money import parse_yuan, plain_yuan
from reporting.fields import normalise
from reporting.models import FIRST_DAY, LAST_DAY


@dataclass(frozen=True)
class Typed:
    label: str
    parse: Callable[[str], Any]
    show: Callable[[Any], str] = str


def clean(text: str, *, lines: bool = False) -> str:
    """Without control characters; blanks joined, unless lines matter."""
    if lines:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        return "".join(c for c in text if c in "\n\t" or unicodedata.category(c)[0] != "C").strip()
    return " ".join("".join(" " if unicodedata.category(c)[0] == "C" else c for c in text).split())


def _words(label: str, most: int, *, lines: bool = False) -> Typed:
    def parse(text: str) -> str:
        text = clean(text, lines=lines)
        if len(text) > most:
            raise ValidationError(f"{label}最多 {most} 个字，现有 {len(text)} 个。")
        return text

    return Typed(label, parse)


def _day(label: str) -> Typed:
    def parse(text: str) -> datetime.date | None:
        text = normalise(text)
        if not text:
            return None
        try:
            day = datetime.date.fromisoformat(text.replace("/", "-").replace(".", "-"))
        except ValueError:
            raise ValidationError(f"“{text[:20]}”不是日期，请填如 2021-01-05。") from None
        if not FIRST_DAY <= day <= LAST_DAY:
            raise ValidationError(f"{day.year} 年不合情理，请核对日期。")
        return day

    return Typed(label, parse, lambda day: day.isoformat() if day else "")


def _whole(label: str, most: int) -> Typed:
    def parse(text: str) -> int | None:
        text = normalise(text)
        if not text:
            return None
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise ValidationError(f"“{text[:20]}”不是人数，请填整数。")
        if not 0 < int(text) <= most:
            raise ValidationError(f"{label}须在 1 至 {most} 之间，填的是 {int(text)}。")
        return int(text)

    return Typed(label, parse, lambda number: "" if number is None else str(number))


def _yuan(label: str) -> Typed:
    return Typed(label, parse_yuan, plain_yuan)


def _choice(label: str, choices: dict[str, str]) -> Typed:
    def parse(text: str) -> str:
        if text and text not in choices:
            raise ValidationError(f"{label}没有“{text[:20]}”这一项，请刷新页面后重新选择。")
        return text

    return Typed(label, parse)


def _flag(label: str) -> Typed:
    return Typed(label, lambda text: text == "1", lambda value: "1" if value else "")


def _source(label: str) -> Typed:
    """A source of the same campaign is asked for where it is saved; here only that it is a number."""

    def parse(text: str) -> int | None:
        if not text:
            return None
        if not text.isascii() or not text.isdigit() or len(text) > 15:
            raise ValidationError("没有这项资金来源，请刷新页面后重新选择。")
        return int(text)

    return Typed(label, parse, lambda pk: "" if pk is None else str(pk))


PLAN: dict[str, dict[str, Typed]] = {
    "destination": {
        "first_day": _day("走访日期自"),
        "last_day": _day("走访日期至"),
        "travellers": _whole("随行人数", 99),
        "travellers_reason": _words("人数说明", 300),
        "contact_name": _words("当地联系人", 30),
        "contact_phone": _words("联系电话", 30),
        "surplus_reason": _words("超出说明", 300),
        "note": _words("行程备注", 500),
    },
    "visit": {
        "category": _choice("类型", dict(Visit.Category.choices)),
        "is_hard_hit": _flag("特别困难"),
        "name": _words("名称", 60),
        "money": _yuan("慰问金"),
        "goods": _yuan("慰问品折款"),
        "goods_text": _words("慰问品", 100),
        "source_id": _source("资金来源"),
        "amount_reason": _words("金额说明", 300),
        "note": _words("备注", 300),
    },
}
RECORD: dict[str, dict[str, Typed]] = {
    "destination": {
        "went_from": _day("实际日期自"),
        "went_until": _day("实际日期至"),
        "participants": _words("参加人员", 300),
        "spirit": _words("学习贯彻精神、落实意识形态责任制、当地党政支持情况", 3000, lines=True),
        "centres": _words("帮扶中心和服务体系建设情况", 3000, lines=True),
        "practice": _words("好的经验做法", 3000, lines=True),
    },
    "visit": {
        "outcome": _choice("完成情况", dict(Visit.Outcome.choices)),
        "happened_on": _day("走访日期"),
        "paid_money": _yuan("实付慰问金"),
        "paid_goods": _yuan("实发慰问品折款"),
        "paid_goods_text": _words("实发慰问品", 100),
        "paid_source_id": _source("实付资金来源"),
        "difference_reason": _words("差异说明", 300),
        "difficulties": _words("困难及原因", 3000, lines=True),
        "wishes": _words("诉求和愿望", 3000, lines=True),
        "good_practice": _words("好的做法", 3000, lines=True),
    },
}
# A visit that was added on the way has no plan; what it is must still be said.
UNPLANNED = RECORD["visit"] | {name: PLAN["visit"][name] for name in ("category", "name", "is_hard_hit")}


def label_of(row: models.Model, name: str) -> str:
    """The Chinese name of a model's field."""
    return str(getattr(row._meta.get_field(name), "verbose_name", name))


def show(row: Destination | Visit, name: str) -> str:
    """A field of a row as its input shows it."""
    kind = "destination" if isinstance(row, Destination) else "visit"
    typed = PLAN[kind].get(name) or RECORD[kind][name]
    return typed.show(getattr(row, name))


def in_words(row: Destination | Visit, name: str, text: str, sources: dict[int, FundSource]) -> str:
    """A shown text as people read it, for conflicts and the audit."""
    if not text:
        return "空"
    if name in ("source_id", "paid_source_id"):
        source = sources.get(int(text))
        return source.name if source else "已删除的来源"
    if name == "category":
        return str(Visit.Category(text).label)
    if name == "outcome":
        return str(Visit.Outcome(text).label)
    if name == "is_hard_hit":
        return "是"
    return text if len(text) <= 60 else f"{text[:60]}…"
