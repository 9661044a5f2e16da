"""What a number format makes of a number for the eye: 125000 with `#,##0"元"` is 125,000元, with `0%` 12500000%.

Only what matters for figures: words around the digits, and whether the digits are another number than the stored one.
Sections, conditions and escapes as ECMA-376 part 1, 18.8.31 has them; `!` escapes too, as Chinese programs write it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

# The format of a number as it is, in the words of several programs; the first as LibreOffice leaves WPS's word behind.
_GENERAL = re.compile(r'G/"通用格式"|(?:G/)?(?:General|通用格式)|Standard', re.IGNORECASE)
_CONDITION = re.compile(r"\[\s*(<=|>=|<>|=|<|>)\s*(-?\d+(?:\.\d+)?)\s*\]")
# A comma that is not between digits divides by a thousand.
_SCALING = re.compile(r"D,+(?![,D])")
# What may stand around digits, or between them, without saying anything.
_SILENT = " \u00a0\u3000\u2009\u202f+-()（）"


@dataclass(frozen=True)
class Shown:
    """`before` and `behind` are the words around the digits; `is_other`: the digits are another number, or none.
    `instead` are the words of a format that shows words only."""

    before: str = ""
    behind: str = ""
    is_other: bool = False
    instead: str = ""


@lru_cache(maxsize=1024)
def shown_as(code: str, number: Decimal) -> Shown:
    """What the format `code` shows of the number."""
    return _shown(_section(_sections(_GENERAL.sub("0", code)), number), number)


Piece = tuple[str, str]  # kind and text, see `_sections`


def _section(sections: list[list[Piece]], number: Decimal) -> list[Piece]:
    """The part of the format that is for this number."""
    conditions = [_condition(section) for section in sections[:3]]
    if any(conditions[:2]):
        for section, condition in zip(sections, conditions, strict=False):
            if condition and _holds(number, *condition):
                return section
        without = [s for s, condition in zip(sections, conditions, strict=False) if not condition]
        return without[0 if number < 0 else -1] if without else []
    at = 0 if number > 0 else 1 if number < 0 else 2
    return sections[at] if at < min(len(sections), 3) else sections[0]


def _holds(number: Decimal, sign: str, other: Decimal) -> bool:
    return {
        "<": number < other,
        ">": number > other,
        "=": number == other,
        "<=": number <= other,
        ">=": number >= other,
        "<>": number != other,
    }[sign]


def _condition(section: list[Piece]) -> tuple[str, Decimal] | None:
    for kind, text in section:
        if kind == "[" and (found := _CONDITION.fullmatch(text)):
            return found[1], Decimal(found[2])
    return None


def _sections(code: str) -> list[list[Piece]]:
    """Each as (kind, text): D a digit's place, W words, `[` what stands in brackets, and the signs . , % / E @."""
    sections: list[list[Piece]] = [[]]
    at = 0
    while at < len(code):
        sign = code[at]
        at += 1
        if sign == ";":
            sections.append([])
        elif sign == '"':
            end = code.find('"', at) % (len(code) + 1)
            sections[-1].append(("W", code[at:end]))
            at = end + 1
        elif sign in "\\!":
            sections[-1].append(("W", code[at : at + 1]))
            at += 1
        elif sign in "_*":
            at += 1  # a blank as wide as the next sign, or that sign up to the border
        elif sign == "[":
            end = code.find("]", at) % (len(code) + 1)
            inside = code[at:end]
            if inside.startswith("$"):
                sections[-1].append(("W", inside[1:].partition("-")[0]))
            else:
                sections[-1].append(("[", f"[{inside}]"))
            at = end + 1
        elif sign in "0#?":
            sections[-1].append(("D", sign))
        elif sign in "Ee" and code[at : at + 1] in ("+", "-"):
            sections[-1].append(("E", sign))
            at += 1
        else:
            sections[-1].append((sign if sign in ".,%‰/@" else "W", sign))
    return sections


def _shown(section: list[Piece], number: Decimal) -> Shown:
    digits = [place for place, (kind, _) in enumerate(section) if kind in "D@"]
    if not digits:
        # An empty place or a dash for nothing is how people show it.
        words = _words(section)
        return Shown(is_other=number != 0 and not words, instead=words if number else "")
    before, inside, behind = (
        section[: digits[0]],
        section[digits[0] : digits[-1] + 1],
        section[digits[-1] + 1 :],
    )
    kinds = "".join(kind for kind, _ in section if kind not in ("W", "["))
    if "/" in kinds:  # a fraction, which may name what it divides by: 12 1/2
        return Shown(_words(before))
    is_other = (
        "%" in kinds
        or "‰" in kinds
        or bool(_SCALING.search(kinds))
        or bool(_words(inside))
        or any(c.isdigit() for c in _words(before) + _words(behind))
        or (number > 0 and ("W", "-") in before)
    )
    return Shown(_words(before), _words(behind), is_other and number != 0)


def _words(section: list[Piece]) -> str:
    return "".join(c for kind, text in section if kind == "W" for c in text if c not in _SILENT)
