"""How a form declares what its figures say in the draft of the report (送温暖报告).

    Sentence("{who}共筹集送温暖款物{A}万元", parts=("职工助困送温暖资金{A2}万元", …), zero="{who}没有筹集送温暖款物")

A hole is a code of the form, or `{who}`: whom the report speaks of. `narrative` puts the figures in. Notice
黑工办发〔2020〕30号 [四, last paragraph]: the report is filed beside the two forms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

# What the report speaks of, in this order. The last chapter is the writer's alone.
CHAPTERS = (
    "总体情况",
    "走访慰问",
    "帮扶救助",
    "职工服务",
    "农民工维权",
    "疫情防控一线慰问",
    "帮扶中心工作",
    "存在问题和建议",
)
HOLE = re.compile(r"\{(\w+)\}")
WHO = "who"


@dataclass(frozen=True)
class Sentence:
    """`text` without its full stop. `parts` follow as 其中; a part that is 0 is named by its words before the figure.

    `zero` is said where every figure of `text` is 0. `compare` names what is held against last year, each by its words
    and its code: "发放款物 D".
    """

    text: str
    parts: tuple[str, ...] = ()
    zero: str = ""
    compare: tuple[str, ...] = ()
    # Of what is there and does not happen (centres, staff), a part of 0 is not worth a word.
    silent_zeros: bool = False

    def codes(self) -> Iterator[str]:
        for clause in (self.text, self.zero, *self.parts):
            yield from holes(clause)
        yield from (measure.rpartition(" ")[2] for measure in self.compare)


@dataclass(frozen=True)
class Choice:
    """A row of 是/否 in words."""

    code: str
    yes: str
    no: str

    def codes(self) -> Iterator[str]:
        yield self.code


@dataclass(frozen=True)
class Share:
    """For the province: a table of every unit's share in these rows, at the end of a chapter. {code: head}."""

    chapter: str
    title: str
    columns: dict[str, str]

    def codes(self) -> Iterator[str]:
        yield from self.columns


def holes(text: str) -> list[str]:
    """The codes a text names, in order, without `who`."""
    return [code for code in HOLE.findall(text) if code != WHO]


def unknown_words(
    sentences: Mapping[str, Sequence[Sentence | Choice]], shares: Sequence[Share], codes: Sequence[str]
) -> list[str]:
    """What a declaration names and does not exist: chapters, codes."""
    chapters = [*sentences, *(share.chapter for share in shares)]
    named = [code for said in sentences.values() for sentence in said for code in sentence.codes()]
    named += [code for share in shares for code in share.codes()]
    return [chapter for chapter in chapters if chapter not in CHAPTERS] + [
        code for code in named if code not in codes
    ]
