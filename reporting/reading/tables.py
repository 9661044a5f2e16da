"""Finds the tables of the forms on a page, and which line of them is which row of the form.

A line is known by its code and its label, wherever it stands. Labels repeat (帮扶款物) and some rows print no code:
such a line is the row that follows, in the form, the row of the line above it; where that does not decide, it is
nobody's. A line with one row's code and another row's label is nobody's either. Nothing is guessed.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field

from reporting.reading.grid import Grid, Strip, strips_of
from reporting.reading.intake import Page
from reporting.reading.labels import Said, Vocabulary, code_of, plain, said
from reporting.sheets import Sheet

# A table is a form's when this part of the form's rows is found in it; with less than that it only resembles one.
ENOUGH, RESEMBLES = 0.6, 0.25
MOST_LINES = 600
# How alike a reworded label must be to be taken for its code's row.
ALIKE = 0.55


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


@dataclass
class Table:
    """`claims`: row of the form → the lines that say they are that row, and no other."""

    grid: Grid
    sheet: Sheet
    claims: dict[str, list[Line]] = field(default_factory=dict)
    reworded: list[tuple[str, Line]] = field(default_factory=list)  # claimed by code, the label only alike
    conflicts: list[tuple[str, Line]] = field(
        default_factory=list
    )  # a row's code and a label that is not its
    out_of_step: int = 0  # how many of these labels are another row's
    undecided: list[tuple[list[str], Line]] = field(default_factory=list)  # may be several rows
    strangers: list[Line] = field(default_factory=list)

    @property
    def page(self) -> Page:
        return self.grid.page

    @property
    def part(self) -> float:
        """How much of the form is here. A code beside words that are none of the form's speaks for another form."""
        return (len(self.claims) + self.out_of_step) / len(self.sheet.rows)

    @property
    def resembles(self) -> bool:
        """Too little of the form to be read, but too much for chance; a few codes alone are chance."""
        return RESEMBLES <= self.part < ENOUGH and any(line.strip.labels for line in self.lines)

    @property
    def lines(self) -> list[Line]:
        return [line for lines in self.claims.values() for line in lines] + [
            line for _, line in self.conflicts
        ]

    @property
    def first(self) -> int:
        return min(line.row for line in self.lines)

    @property
    def last(self) -> int:
        return max(line.row for line in self.lines)

    @property
    def at(self) -> str:
        top = min(self.lines, key=lambda line: (line.row, line.strip.left))
        return self.page.address(top.row, top.column)


def find_tables(page: Page, vocabularies: Sequence[Vocabulary]) -> list[Table]:
    """One table a form, also where it resembles the form too little to be read (`part`)."""
    grid = Grid(page)
    strips = strips_of(grid, vocabularies)
    tables = []
    for vocabulary in vocabularies:
        own = [strip for strip in strips if strip.vocabulary is vocabulary]
        lines = [line for strip in own for line in _lines(grid, strip, strips)]
        if table := _identify(grid, vocabulary, lines):
            tables.append(table)
    if not any(strip.labels for strip in strips):
        # Codes alone are several forms': whoever has more of them.
        return sorted(tables, key=lambda table: -table.part)[:1]
    return tables


# -- lines -------------------------------------------------------------------------------------------------


def _lines(grid: Grid, strip: Strip, every: Sequence[Strip]) -> list[Line]:
    rows = {row for column in strip.labels for row in grid.texts.get(column, ())}
    rows |= {row for row in grid.texts.get(strip.codes or 0, ()) if row in strip.rows}
    # Another table above or below may keep something else in the same columns.
    for other in every if strip.labels else ():
        if other.left <= strip.right and strip.left <= other.right and other is not strip:
            rows -= set(other.rows) - set(strip.rows)
    lines = []
    for row in sorted(rows):
        own = [text for column in strip.labels if (text := grid.texts.get(column, {}).get(row))]
        # A group's name in a cell merged over its lines belongs before what the line itself says.
        groups = [
            grid.text(row, column)
            for column in strip.labels
            if (place := grid.covered.get((row, column))) and place[0] < row
        ]
        readings = [said("".join([*groups, *own]))] if len(own) + len(groups) > 1 else []
        readings += map(said, own)
        code = code_of(grid.text(row, strip.codes)) if strip.codes else ""
        if not code:
            code = next((r.code for r in readings if r.code and strip.vocabulary.named(r.names)), "")
        lines.append(Line(strip, row, code, " ".join(" ".join(own).split()), tuple(readings)))
    return lines


@dataclass
class _Evidence:
    """What a line says it is: possible rows, or a conflict between its code and its label."""

    rows: set[str] = field(default_factory=set)
    reworded: bool = False
    conflict: str = ""
    out_of_step: bool = False

    @property
    def is_any(self) -> bool:
        return bool(self.rows or self.conflict)


def _evidence(line: Line, vocabulary: Vocabulary) -> _Evidence:
    coded = vocabulary.by_code.get(line.code, set())
    named = next((rows for r in line.readings if (rows := vocabulary.named(r.names))), set())
    if not coded:
        return _Evidence(named)
    own = line.code if line.code in coded else min(coded)
    agreed = coded & set().union(*(vocabulary.named(r.names) for r in line.readings))
    if agreed:
        return _Evidence(agreed)
    if named:
        return _Evidence(conflict=own, out_of_step=True)
    if not line.label:
        return _Evidence(coded) if len(coded) == 1 else _Evidence({own})
    if _is_alike(line, own, vocabulary):
        return _Evidence({own}, reworded=True)
    return _Evidence(conflict=own)


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


def _identify(grid: Grid, vocabulary: Vocabulary, lines: list[Line]) -> Table | None:
    if len(lines) > MOST_LINES:
        lines = _densest(lines, vocabulary)
    found = [_evidence(line, vocabulary) for line in lines]
    known = [n for n, evidence in enumerate(found) if evidence.is_any]
    if not known:
        return None
    table = Table(grid, vocabulary.sheet)
    after = known[-1] + 1
    # What somebody added below the last row is told too.
    while after < len(lines) and lines[after].row == lines[after - 1].row + 1:
        after += 1
    above: str | None = None
    by_place: list[tuple[int, str]] = []  # claims that only the line above decided
    undecided: list[tuple[int, set[str]]] = []
    for number in range(known[0], after):
        line, evidence = lines[number], found[number]
        rows = evidence.rows
        if len(rows) > 1:
            rows = {row for row in rows if above is not None and vocabulary.before.get(row) == above}
            if len(rows) == 1:
                by_place.append((number, next(iter(rows))))
            elif line.code in evidence.rows:
                rows = {
                    line.code
                }  # a code that the notice prints on a second row is the first one's elsewhere
        if evidence.conflict:
            table.conflicts.append((evidence.conflict, line))
            table.out_of_step += evidence.out_of_step
        elif len(rows) == 1:
            (above,) = rows
            table.claims.setdefault(above, []).append(line)
            if evidence.reworded:
                table.reworded.append((above, line))
            continue
        elif evidence.rows:
            undecided.append((number, evidence.rows))
        else:
            table.strangers.append(line)
        above = None
    for number, rows in undecided:
        # The same words twice in a row: either may be the row that the place spoke for.
        for place, row in by_place:
            if row in rows and abs(place - number) == 1 and row in table.claims:
                rest = [line for line in table.claims.pop(row) if line is not lines[place]]
                table.undecided.append(([row], lines[place]))
                if rest:
                    table.claims[row] = rest
        table.undecided.append((sorted(rows, key=list(vocabulary.sheet.row).index), lines[number]))
    return table if table.claims or table.conflicts else None


def _densest(lines: list[Line], vocabulary: Vocabulary) -> list[Line]:
    """The stretch of MOST_LINES lines that names the most rows: a page may hold long lists besides."""
    counts, total = [0], 0
    for line in lines:
        total += any(vocabulary.named(reading.names) for reading in line.readings) or bool(
            not line.label and line.code in vocabulary.by_code
        )
        counts.append(total)
    start = max(range(len(lines) - MOST_LINES + 1), key=lambda n: (counts[n + MOST_LINES] - counts[n], -n))
    return lines[start : start + MOST_LINES]


def nearest(line: Line, table: Table) -> str:
    """The row that a stranger's label is most like, for a hint; empty for none."""
    names = {plain(row.full_label): row.code for row in table.sheet.rows if row.code not in table.claims}
    close = difflib.get_close_matches(plain(line.label), names, n=1, cutoff=0.75)
    return names[close[0]] if close else ""
