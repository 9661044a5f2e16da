"""What a line of a stranger's table calls itself, made comparable with what the rows of a form are called.

People number the labels, put units behind them, leave out 其中 and 年度, and break lines; none of that makes another
row of it. Everything else does.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from reporting.sheets import SAME_AS_ABOVE, Sheet

# What a unit of measure may be written as; longer ones first, for patterns.
UNITS = (
    "是/否",
    "万元",
    "千元",
    "百元",
    "亿元",
    "元",
    "人次",
    "人",
    "名",
    "户",
    "个",
    "家",
    "万人次",
    "万人",
    "万",
)
_NUMERALS = "一二三四五六七八九十"
_CODE = re.compile(r"[A-Z]\d{0,2}$")
# What may stand before the words of a label: （一）, 1、, ①, a dash; 其中; a code.
_BEFORE = re.compile(
    rf"(?:[（(]\s*(?:[{_NUMERALS}]{{1,3}}|\d{{1,2}})\s*[)）]|(?:[{_NUMERALS}]{{1,3}}|\d{{1,2}})\s*[、.．:：)）]|[①-⑳]"
    r"|[-—－·•*★☆●○◆◇■□]|其\s*中(?:\s*[:：])?)\s*"
)
_CODE_BEFORE = re.compile(r"[（(\[]?([A-Za-z]\d{0,2})(?:[)）\]、.．:：\s]\s*|(?=[\u4e00-\u9fff（(]))")
_UNIT_BEHIND = re.compile(
    rf"[（(\[【]\s*(?:单\s*位\s*(?:[:：]\s*)?)?({'|'.join(sorted(UNITS, key=len, reverse=True))})\s*[）)\]】]\s*$"
)
MOST_LABEL = 300


def normalise_width(text: str) -> str:
    """Full-width letters and digits become plain ones; nothing else changes."""
    return "".join(chr(ord(c) - 0xFEE0) if "！" <= c <= "～" else c for c in text)


@lru_cache(maxsize=8192)
def plain(label: str) -> str:
    """A label for comparing: letters, digits and Chinese only; the year of 2020年度 does not matter."""
    label = re.sub(r"20\d\d\s*年度", "年度", normalise_width(label))
    kept = "".join(c for c in label if unicodedata.category(c)[0] in "LN")
    return kept.removeprefix("其中").lower()


def code_of(text: str) -> str:
    """Ｅ１, e 1 → E1; empty for what is no code."""
    code = "".join(normalise_width(text).split()).upper()
    return code if _CODE.match(code) else ""


@dataclass(frozen=True)
class Said:
    """A label taken apart: every form in which it may be compared, the code before it, the unit behind it."""

    names: frozenset[str]
    code: str = ""
    unit: str = ""


@lru_cache(maxsize=8192)
def said(text: str) -> Said:
    rest = normalise_width(text[:MOST_LABEL]).strip()
    names, code, unit = set(), "", ""
    if found := _UNIT_BEHIND.search(rest):
        names.add(plain(rest))
        rest, unit = rest[: found.start()], found[1]
    for _ in range(4):
        names.add(plain(rest))
        if found := _BEFORE.match(rest):
            rest = rest[found.end() :]
        elif not code and (found := _CODE_BEFORE.match(rest)):
            code, rest = found[1].upper(), rest[found.end() :]
        else:
            break
    names.add(plain(rest))
    names |= {name.removeprefix("年度") for name in names}
    names |= {name.removeprefix("同上") for name in names}
    return Said(frozenset(names - {""}), code, unit)


class Vocabulary:
    """How the rows of a form are called. A name may be several rows', a code two."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.by_name: dict[str, set[str]] = {}
        self.by_code: dict[str, set[str]] = {}
        self.before: dict[str, str] = {}  # row → the row above it
        above = None
        for row in sheet.rows:
            texts = [row.label, row.full_label]
            field = sheet.fields[row.code]
            if field.label.startswith(SAME_AS_ABOVE):
                texts.append(field.label)
            group, colon, tail = row.full_label.rpartition("：")
            if above is not None:
                self.before[row.code] = above.code
                if colon and above.full_label.rpartition("：")[0] == group != "其中":
                    texts.append(tail)  # of the same people, another measure
            for text in texts:
                for name in said(text).names:
                    self.by_name.setdefault(name, set()).add(row.code)
            for code in filter(None, (row.code, field.reprinted)):
                self.by_code.setdefault(code, set()).add(row.code)
            above = row

    def named(self, names: frozenset[str]) -> set[str]:
        return set().union(*(self.by_name[name] for name in names if name in self.by_name))

    def data_year(self, code: str) -> int | None:
        """The year that a row's label names."""
        return year_in(self.sheet.row[code].label)


def year_in(label: str) -> int | None:
    found = re.search(r"(20\d\d)\s*年度", normalise_width(label))
    return int(found[1]) if found else None


_kept: dict[str, Vocabulary] = {}


def vocabulary_of(sheet: Sheet) -> Vocabulary:
    """Prepared once for each sheet that the process keeps."""
    kept = _kept.get(sheet.digest)
    if kept is None or kept.sheet is not sheet:
        if len(_kept) > 50:
            _kept.clear()
        kept = _kept[sheet.digest] = Vocabulary(sheet)
    return kept
