"""Figures in words: what a form declared (`wording`), with its figures put in, for the draft of the report.

What has no figure yet becomes a gap for the writer, a total that differs from its parts a doubt; what is 0 is said to
have not happened; a row that the campaign has relabelled speaks with its own label, and one that is switched off is silent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reporting.drafts.wording import HOLE, WHO, Choice, Sentence, holes
from reporting.fields import Indicator
from reporting.rules import Figures
from reporting.sheets import SAME_AS_ABOVE, Row

NOT_HAPPENED = "未发生"


@dataclass(frozen=True)
class Piece:
    """A run of text; a gap is for the writer to fill in."""

    text: str
    is_gap: bool = False


Pieces = list[Piece]


def gap(what: str) -> Piece:
    return Piece(f"【待填：{what}】", is_gap=True)


def doubt(what: str) -> Piece:
    return Piece(f"【待核对：{what}】", is_gap=True)


def plain(pieces: Pieces) -> str:
    return "".join(piece.text for piece in pieces)


@dataclass(frozen=True)
class Speaker:
    """One form's figures, to be put into words. `title` is said in the gaps; `last` are last year's, if there are any."""

    title: str
    rows: Mapping[str, Row]
    indicator: Callable[[str], Indicator]
    figures: Figures
    who: str
    last: Figures = field(default_factory=dict)

    def say(self, said: Sentence | Choice) -> Pieces:
        """One or two whole sentences; nothing where its rows are switched off."""
        return self._choice(said) if isinstance(said, Choice) else self._sentence(said)

    def _choice(self, said: Choice) -> Pieces:
        if said.code not in self.rows:
            return []
        if self._is_relabelled(said.code):
            return [*self._generic([said.code]), Piece("。")]
        figure = self.figures.get(said.code)
        if figure is None:
            return [self._gap(said.code), Piece("。")]
        return [Piece((said.yes if figure else said.no).replace(f"{{{WHO}}}", self.who) + "。")]

    def _sentence(self, said: Sentence) -> Pieces:
        main, is_zero = self._clause(said.text)
        if is_zero:
            return [
                Piece((said.zero or self._not_happened(said.text)).replace(f"{{{WHO}}}", self.who) + "。")
            ]
        told: list[Pieces] = []
        zeros: list[str] = []
        for part in said.parts:
            pieces, part_is_zero = self._clause(part)
            if part_is_zero and not said.silent_zeros:
                zeros.append(self._name(part))
            elif pieces:
                told.append(pieces)
        out = list(main)
        if told:
            comma = "；" if any("，" in plain(pieces) for pieces in told) else "，"
            if main:
                out.append(Piece("，其中：" if comma == "，" else "。其中："))
            for number, pieces in enumerate(told):
                out += ([Piece(comma)] if number else []) + pieces
        if zeros:
            out.append(Piece(("；" if out else "") + "、".join(zeros) + NOT_HAPPENED))
        if not out:
            return []
        return [*out, Piece("。"), *self._compared(said)]

    # -- clauses -------------------------------------------------------------------------------------------

    def _clause(self, text: str) -> tuple[Pieces, bool]:
        """(the clause with its figures, whether all of them are 0); no pieces where a row is switched off."""
        codes = holes(text)
        if any(code not in self.rows for code in codes):
            return [], False
        if all(self.figures.get(code) == 0 and not self._contradicts(code) for code in codes):
            return [], True
        if any(self._is_relabelled(code) for code in codes):
            return self._generic(codes), False
        pieces: Pieces = []
        for position, piece in enumerate(HOLE.split(text)):
            if position % 2 == 0:
                pieces += [Piece(piece)] if piece else []
            elif piece == WHO:
                pieces.append(Piece(self.who))
            else:
                pieces.append(self._figure(piece))
        return pieces, False

    def _generic(self, codes: list[str]) -> Pieces:
        """In the rows' own words."""
        out: Pieces = []
        for code in codes:
            row = self.rows[code]
            unit = "" if row.kind == "yesno" else row.unit
            out += [Piece(("，" if out else "") + row.full_label), self._figure(code), Piece(unit)]
        return out

    def _figure(self, code: str) -> Piece:
        figure = self.figures.get(code)
        if figure is None:
            return self._gap(code)
        if self._contradicts(code):
            return doubt(f"{self._place(code)} 为 {self.indicator(code).grouped(figure)}，与各项之和不一致")
        return Piece(self.indicator(code).grouped(figure))

    def _contradicts(self, code: str) -> bool:
        """A draft's total may have been typed: no sentence is made of it while its parts say something else."""
        filled = [f for part in self.rows[code].parts if (f := self.figures.get(part)) is not None]
        return bool(filled) and self.figures.get(code) not in (None, sum(filled))

    def _gap(self, code: str) -> Piece:
        return gap(self._place(code))

    def _place(self, code: str) -> str:
        row = self.rows[code]
        return f"{self.title} {row.printed_code or row.full_label}"

    def _name(self, text: str) -> str:
        """What is not there, by the words before its figure."""
        codes = holes(text)
        if codes and self._is_relabelled(codes[0]):
            return self.rows[codes[0]].full_label
        return text.partition(f"{{{codes[0]}}}")[0].strip().replace(f"{{{WHO}}}", self.who)

    def _not_happened(self, text: str) -> str:
        return self._name(text) + NOT_HAPPENED

    def _is_relabelled(self, code: str) -> bool:
        """Only a row of the lost page can be; “（同上）” that is written out is none."""
        declared, row = self.indicator(code).label, self.rows[code]
        return row.printed == "no" and not row.label.endswith(declared.removeprefix(SAME_AS_ABOVE))

    # -- last year -----------------------------------------------------------------------------------------

    def _compared(self, said: Sentence) -> Pieces:
        """`走访慰问职工比上年增加120人次，增长8.1%；…。`"""
        out = []
        for measure in said.compare:
            name, _, code = measure.rpartition(" ")
            old, new = self.last.get(code), self.figures.get(code)
            if code not in self.rows or old is None or new is None or self._contradicts(code):
                continue
            name = self.rows[code].full_label if self._is_relabelled(code) else name
            if old == new:
                out.append(f"{name}与上年持平")
                continue
            more, rises = ("增加", "增长") if new > old else ("减少", "下降")
            amount = f"{self.indicator(code).grouped(abs(new - old))}{self.rows[code].unit}"
            rate = f"，{rises}{abs(new - old) * 100 / old:.1f}%" if old else ""
            out.append(f"{name}比上年{more}{amount}{rate}")
        return [Piece("；".join(out) + "。")] if out else []
