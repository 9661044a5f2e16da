"""Finds the tables of the forms on a page, and which line of them is which row of the form.

A line is known by its code and its label, wherever it stands. Labels repeat (帮扶款物) and some rows print no code:
such a line is the row that follows, in the form, the row of the line above it; where that does not decide, it is
nobody's. A line with one row's code and another row's label is nobody's either, and so is one whose label agrees with
its code only because it repeats, when the lines around it say that it is another row. Nothing is guessed.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reporting.reading.grid import Grid, Strip, strips_of
from reporting.reading.intake import Page
from reporting.reading.labels import Vocabulary, code_of, plain, said
from reporting.reading.lines import Conflict, Evidence, Line, evidence_of
from reporting.sheets import Sheet

# A table is a form's when this part of the form's rows is found in it; with less than that it only resembles one.
ENOUGH, RESEMBLES = 0.6, 0.25
MOST_LINES = 600
# So many lines of one section whose codes are not their own: the codes have come out of step.
LEAST_OUT_OF_STEP = 3


@dataclass
class Table:
    """`claims`: row of the form → the lines that say they are that row, and no other."""

    grid: Grid
    sheet: Sheet
    claims: dict[str, list[Line]] = field(default_factory=dict)
    reworded: list[tuple[str, Line]] = field(default_factory=list)  # claimed by code, the label only alike
    conflicts: list[Conflict] = field(default_factory=list)
    out_of_step: Counter[int] = field(default_factory=Counter)  # section → how many of these are another row
    undecided: list[tuple[list[str], Line]] = field(default_factory=list)  # may be several rows
    strangers: list[Line] = field(default_factory=list)

    @property
    def page(self) -> Page:
        return self.grid.page

    @property
    def part(self) -> float:
        """How much of the form is here. A code beside words that are none of the form's speaks for another form."""
        return (len(self.claims) + self.out_of_step.total()) / len(self.sheet.rows)

    @property
    def is_out_of_step(self) -> bool:
        return self.out_of_step.total() > len(self.sheet.rows) / 5 or any(
            count >= LEAST_OUT_OF_STEP for count in self.out_of_step.values()
        )

    @property
    def resembles(self) -> bool:
        """Too little of the form to be read, but too much for chance; a few codes alone are chance."""
        return RESEMBLES <= self.part < ENOUGH and any(line.strip.labels for line in self.lines)

    @property
    def lines(self) -> list[Line]:
        return [line for lines in self.claims.values() for line in lines] + [
            conflict.line for conflict in self.conflicts
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


def _identify(grid: Grid, vocabulary: Vocabulary, lines: list[Line]) -> Table | None:
    if len(lines) > MOST_LINES:
        lines = _densest(lines, vocabulary)
    found = evidence_of(lines, vocabulary)
    known = [n for n, evidence in enumerate(found) if evidence.is_any]
    if not known:
        return None
    table = Table(grid, vocabulary.sheet)
    after = known[-1] + 1
    # What somebody added below the last row is told too.
    while after < len(lines) and lines[after].row == lines[after - 1].row + 1:
        after += 1
    above: str | None = None
    by_place: dict[int, str] = {}  # claims that only the line above decided
    undecided: dict[int, set[str]] = {}
    for number in range(known[0], after):
        line, evidence = lines[number], found[number]
        if evidence.conflict:
            table.conflicts.append(evidence.conflict)
            if evidence.named:
                other = vocabulary.sheet.row[evidence.spoken or min(evidence.named)]
                table.out_of_step[other.section] += 1
            above = None
            continue
        rows = evidence.rows
        if evidence.own and evidence.spoken in rows:
            rows = {evidence.spoken}
        if len(rows) > 1:
            follows = {row for row in rows if above is not None and vocabulary.before.get(row) == above}
            if len(follows) == 1:
                rows = follows
                (by_place[number],) = follows
            elif line.code in rows:
                # A code that the notice prints on a second row is the first one's elsewhere.
                rows = {line.code}
        if len(rows) == 1:
            (above,) = rows
            table.claims.setdefault(above, []).append(line)
            if evidence.reworded:
                table.reworded.append((above, line))
            continue
        above = None
        if rows:
            undecided[number] = evidence.rows
        else:
            table.strangers.append(line)
    for number, rows in _doubted(by_place, undecided, set(table.claims), found, vocabulary).items():
        row = by_place[number]
        table.claims[row] = [line for line in table.claims[row] if line is not lines[number]]
        if not table.claims[row]:
            del table.claims[row]
        undecided[number] = rows
    order = list(vocabulary.sheet.row)
    for number, rows in sorted(undecided.items()):
        possible = rows - set(table.claims) or rows
        table.undecided.append((sorted(possible, key=order.index), lines[number]))
    return table if table.claims or table.conflicts else None


def _doubted(
    by_place: Mapping[int, str],
    undecided: Mapping[int, set[str]],
    taken: set[str],
    found: Sequence[Evidence],
    vocabulary: Vocabulary,
) -> dict[int, set[str]]:
    """Which of the lines that only the line above decided are in doubt after all, and what they may be: the same words
    twice in a row, where either may be the row; and all of one label, where one of them leans on nothing and a row that
    should be leant on is not, as in tables that print 帮扶款物 above the row it belongs to."""
    there = {evidence.spoken for evidence in found if not evidence.repeats}
    doubted = {}
    for place, row in by_place.items():
        rivals = {number: rows for number, rows in undecided.items() if row in rows}
        like: set[str] = set().union(*rivals.values())
        if any(other not in taken and vocabulary.before.get(other) in there for other in like):
            doubted[place] = like
        elif any(abs(place - number) == 1 for number in rivals):
            doubted[place] = {row}
    return doubted


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
