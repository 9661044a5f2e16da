"""What each line of a strip says it is: its code, its label, and what the lines around it make of a label that repeats.

帮扶款物 and 发放款物 are the label of many rows and agree with the code of each. Only the line above tells whose they are,
so a code that says otherwise is not believed.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field

from reporting.reading.grid import Strip
from reporting.reading.labels import Said, Vocabulary, plain

# How alike a reworded label must be to be taken for its code's row.
ALIKE = 0.55
# So many lines of one label below each other are a block of one kind (all that was given), not rows that lean on others.
LEAST_IN_BLOCK = 3


@dataclass(frozen=True, eq=False)
class Line:
    """One line of a strip. `readings` are its label alone and together with the group it stands in."""

    strip: Strip
    row: int
    code: str
    label: str
    readings: tuple[Said, ...]

    @property
    def column(self) -> int:
        """Where it says what it is."""
        return (*self.strip.labels, self.strip.codes or self.strip.left)[0]

    @property
    def unit(self) -> str:
        return next((reading.unit for reading in self.readings if reading.unit), "")


@dataclass(frozen=True, eq=False)
class Conflict:
    """A line whose code is not what the rest of it says. `instead` is the row that its label and the line above make it,
    or `between` the rows that it stands between; neither where the label alone is not the code's."""

    code: str
    line: Line
    instead: str = ""
    between: tuple[str, str] = ("", "")


@dataclass
class Evidence:
    """What a line says it is: possible rows, or a conflict between its code and its label.

    `own` is the row of its code, `named` the rows of its label alone; `spoken` is what label and place make it, whatever
    its code says.
    """

    line: Line
    own: str = ""
    named: set[str] = field(default_factory=set)
    rows: set[str] = field(default_factory=set)
    reworded: bool = False
    spoken: str = ""
    in_block: bool = False
    conflict: Conflict | None = None

    @property
    def is_any(self) -> bool:
        return bool(self.rows or self.conflict)

    @property
    def repeats(self) -> bool:
        return len(self.named) > 1


def evidence_of(lines: Sequence[Line], vocabulary: Vocabulary) -> list[Evidence]:
    """One for every line, in their order."""
    found = [_alone(line, vocabulary) for line in lines]
    told = [evidence for evidence in found if evidence.is_any]
    _mark_blocks(told)
    _speak(told, vocabulary)
    _deny(told, vocabulary)
    return found


def _alone(line: Line, vocabulary: Vocabulary) -> Evidence:
    coded = vocabulary.by_code.get(line.code, set())
    named = next((rows for r in line.readings if (rows := vocabulary.named(r.names))), set())
    if not coded:
        return Evidence(line, "", named, named)
    own = line.code if line.code in coded else min(coded)
    agreed = coded & set().union(*(vocabulary.named(r.names) for r in line.readings))
    if agreed:
        return Evidence(line, own, named, agreed)
    if not named and not line.label:
        return Evidence(line, own, rows=coded if len(coded) == 1 else {own})
    if not named and _is_alike(line, own, vocabulary):
        return Evidence(line, own, rows={own}, reworded=True)
    return Evidence(line, own, named, conflict=Conflict(own, line))


def _is_alike(line: Line, code: str, vocabulary: Vocabulary) -> bool:
    """Whether the label is the code's row in other words, and more like it than like any other row."""
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(plain(line.label))
    likeness: dict[str, float] = {}
    for name, rows in vocabulary.by_name.items():
        matcher.set_seq1(name)
        if matcher.real_quick_ratio() < ALIKE or matcher.quick_ratio() < ALIKE:
            continue
        for row in rows:
            likeness[row] = max(likeness.get(row, 0.0), matcher.ratio())
    mine = likeness.pop(code, 0.0)
    return mine >= ALIKE and mine > max(likeness.values(), default=0.0) + 0.05


def _mark_blocks(told: Sequence[Evidence]) -> None:
    run: list[Evidence] = []
    for evidence in [*told, None]:
        if run and not (evidence and evidence.repeats and evidence.named & run[-1].named):
            for one in run if len(run) >= LEAST_IN_BLOCK else ():
                one.in_block = True
            run = []
        if evidence and evidence.repeats:
            run.append(evidence)


def _speak(told: Sequence[Evidence], vocabulary: Vocabulary) -> None:
    """What each line is by its label and the line above, as if no label had a code. Remarks between do not part them."""
    above = ""
    for evidence in told:
        if evidence.repeats and not evidence.in_block:
            follows = {row for row in evidence.named if above and vocabulary.before.get(row) == above}
            evidence.spoken = next(iter(follows)) if len(follows) == 1 else ""
        elif not evidence.repeats and (sure := evidence.named or evidence.rows) and len(sure) == 1:
            (evidence.spoken,) = sure
        above = evidence.spoken


def _deny(told: Sequence[Evidence], vocabulary: Vocabulary) -> None:
    """No code is believed against the line above; nor, where that says nothing, against the order of the form."""
    order = {row: number for number, row in enumerate(vocabulary.sheet.row)}
    for evidence in told:
        if evidence.own and evidence.spoken and evidence.rows and evidence.spoken not in evidence.rows:
            evidence.conflict = Conflict(evidence.own, evidence.line, instead=evidence.spoken)
    elsewhere = {evidence.conflict.instead for evidence in told if evidence.conflict}
    behind = _next_spoken(told[::-1])[::-1]
    for evidence, first, last in zip(told, _next_spoken(told), behind, strict=True):
        if (
            not (evidence.own and evidence.repeats)
            or evidence.in_block
            or evidence.spoken
            or evidence.conflict
        ):
            continue
        is_ordered = bool(first and last) and order[first] < order[last]
        fits = [row for row in evidence.rows if not is_ordered or order[first] < order[row] < order[last]]
        if not fits or set(fits) <= elsewhere:
            evidence.conflict = Conflict(evidence.own, evidence.line, between=(first, last))


def _next_spoken(told: Sequence[Evidence]) -> list[str]:
    """For each the row that was spoken last before it."""
    last, found = "", []
    for evidence in told:
        found.append(last)
        last = evidence.spoken or last
    return found
