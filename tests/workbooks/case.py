"""What a case of the corpus is, and the figures that the good ones hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any, ClassVar

from django.utils import timezone

from reporting.models import Campaign
from reporting.sheets import Sheet, plain_sheets
from unions.models import Union

UNION = "哈尔滨市总工会"
OTHER = "齐齐哈尔市总工会"
YEAR = 2021


@dataclass
class Made:
    """A workbook, and for a good one everything that must be read from it: slug → code → text and sheet!cell."""

    content: bytes
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    cells: dict[str, dict[str, str]] = field(default_factory=dict)
    head: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    name: str
    file: str
    make: Callable[[], Made]
    kind: ClassVar[str] = ""

    def expected(self, made: Made) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Good(Case):
    """Accepted. `notes`: for each thing that must be told a pattern of "sheet!cell sentence", in any order, and
    nothing else may be told."""

    notes: tuple[str, ...] = ()
    kind = "good"

    def expected(self, made: Made) -> Any:
        return {"values": made.values, "cells": made.cells, "head": made.head, "notes": self.notes}


@dataclass(frozen=True)
class Bad(Case):
    """Refused with a sentence that matches `says`; before any parsing where `unread`."""

    says: str = ""
    unread: bool = False
    kind = "bad"

    def expected(self, made: Made) -> Any:
        return {"says": self.says}


GOOD: list[Good] = []
BAD: list[Bad] = []

Maker = Callable[[], Made]


def good(name: str, *, notes: tuple[str, ...] = (), file: str = "报表.xlsx") -> Callable[[Maker], Maker]:
    def register(make: Maker) -> Maker:
        GOOD.append(Good(name, file, make, notes))
        return make

    return register


def bad(name: str, *, says: str, unread: bool = False, file: str = "报表.xlsx") -> Callable[[Maker], Maker]:
    def register(make: Maker) -> Maker:
        BAD.append(Bad(name, file, make, says, unread))
        return make

    return register


@cache
def sheets() -> tuple[Sheet, ...]:
    return tuple(plain_sheets())


def sheet(slug: str) -> Sheet:
    return next(sheet for sheet in sheets() if sheet.slug == slug)


WARMTH, HELPCENTER = "warmth", "helpcenter"


@cache
def _whole(slug: str) -> dict[str, int | None]:
    """Consistent figures in every cell."""
    form = sheet(slug)
    random = Random(slug)
    texts = form.form.made_figures("city", 4, random)
    out = {code: field.parse(texts[code]) if code in texts else None for code, field in form.fields.items()}
    for code in form.form.totals_inside_out():
        out[code] = sum(out[part] or 0 for part in form.row[code].parts)
    return out


def whole_figures() -> dict[str, dict[str, int | None]]:
    """As they are inside: money in 分."""
    return {form.slug: dict(_whole(form.slug)) for form in sheets()}


def figures(slug: str) -> dict[str, str]:
    """As they are shown: 万元 with as many decimals as there are."""
    return {code: sheet(slug).fields[code].show(figure) for code, figure in _whole(slug).items()}


def campaign(year: int = YEAR) -> Campaign:
    """Never saved: what a template is made from."""
    return Campaign(
        title=f"{year}年元旦春节送温暖活动",
        notice_number=f"黑工办发〔{year - 1}〕30号",
        year=year,
        data_year=year - 1,
        opens_at=timezone.now(),
        deadline=timezone.now(),
    )


def union(name: str = UNION) -> Union:
    codes = {UNION: ("230100", "哈尔滨"), OTHER: ("230200", "齐齐哈尔")}
    code, short = codes[name]
    return Union(code=code, name=name, short_name=short, kind=Union.Kind.CITY)
