"""Finds the tables of the forms on a page, and which line of them is which row of the form.

A line is known by its code and its label, wherever it stands. Labels repeat (帮扶款物) and some rows print no code:
such a line is the row that follows, in the form, the row of the line above it; where that does not decide, it is
nobody's. A line with one row's code and another row's label is nobody's either. Nothing is guessed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from reporting.intake import Cell, Page
from reporting.labels import MOST_LABEL, UNITS, Said, Vocabulary, code_of, normalise_width, plain, said
from reporting.sheets import Sheet

# A table is a form's when this part of the form's rows is found in it; with less than that it only resembles one.
ENOUGH, RESEMBLES = 0.6, 0.25
# A column holds labels or codes when so many of its cells are some.
LEAST_IN_COLUMN = 3
MOST_LINES = 600
MOST_COVERED = 100_000
# How alike a reworded label must be to be taken for its code's row.
ALIKE = 0.55


class Grid:
    """A page with its merged cells: what a person sees at a place."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.covered: dict[tuple[int, int], tuple[int, int]] = {}  # place → top left cell of its merge
        for top, left, bottom, right in page.merged:
            height, width = bottom - top + 1, right - left + 1
            if height * width > 4000 or len(self.covered) > MOST_COVERED:
                continue  # no head or label is that large
            for row in range(top, bottom + 1):
                for column in range(left, right + 1):
                    self.covered[row, column] = (top, left)
        self.texts: dict[int, dict[int, str]] = {}  # column → row → text
        for (row, column), cell in page.cells.items():
            if cell.kind == "s" and len(cell.text) <= MOST_LABEL and cell.text.strip():
                self.texts.setdefault(column, {})[row] = cell.text

    def text(self, row: int, column: int) -> str:
        cell = self.seen(row, column)
        return cell.text.strip() if cell else ""

    def seen(self, row: int, column: int) -> Cell | None:
        return self.page.cells.get(self.covered.get((row, column), (row, column)))


@dataclass(frozen=True, eq=False)
class Strip:
    """Columns that belong together: labels with their codes before them and everything behind, up to `right`."""

    left: int
    right: int
    labels: tuple[int, ...]
    codes: int | None

    @property
    def behind(self) -> range:
        """The columns where units and figures may stand."""
        return range(max(*self.labels, self.codes or 0, 0, 0) + 1, self.right + 1)


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
    conflicts: list[tuple[str, Line]] = field(default_factory=list)  # one row's code, another's label
    undecided: list[tuple[list[str], Line]] = field(default_factory=list)  # may be several rows
    strangers: list[Line] = field(default_factory=list)

    @property
    def page(self) -> Page:
        return self.grid.page

    @property
    def part(self) -> float:
        """How much of the form is here."""
        return (len(self.claims) + len(self.conflicts)) / len(self.sheet.rows)

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
    lines = [line for strip in _strips(grid, vocabularies) for line in _lines(grid, strip, vocabularies)]
    tables = []
    for vocabulary, own in zip(vocabularies, _by_form(lines, vocabularies), strict=True):
        table = _identify(grid, vocabulary, own)
        if table is not None:
            tables.append(table)
    return tables


# -- columns -----------------------------------------------------------------------------------------------


def _strips(grid: Grid, vocabularies: Sequence[Vocabulary]) -> list[Strip]:
    named: dict[int, set[int]] = {}
    coded: dict[int, set[int]] = {}
    for column, texts in grid.texts.items():
        for row, text in texts.items():
            if any(vocabulary.named(said(text).names) for vocabulary in vocabularies):
                named.setdefault(column, set()).add(row)
            elif any(code_of(text) in vocabulary.by_code for vocabulary in vocabularies):
                coded.setdefault(column, set()).add(row)
    labels = sorted(c for c, rows in named.items() if len(rows) >= LEAST_IN_COLUMN)
    codes = {c: len(rows) for c, rows in coded.items() if len(rows) >= LEAST_IN_COLUMN and c not in labels}
    last = max((column for _, column in grid.page.cells), default=0)
    if not labels:
        # A table without labels: the column with the most codes, everything behind it is its.
        best = max(codes, key=lambda c: (codes[c], -c), default=None)
        return [] if best is None else [Strip(1, last, (), best)]
    groups = [[labels[0]]]
    for column in labels[1:]:
        between = range(groups[-1][-1] + 1, column)
        if any(_holds_units_or_numbers(grid, c, named[groups[-1][-1]]) for c in between):
            groups.append([column])
        else:
            groups[-1].append(column)
    strips: list[Strip] = []
    right = last
    for index in range(len(groups) - 1, -1, -1):
        group, before = groups[index], groups[index - 1][-1] if index else 0
        code = max((c for c in codes if before < c < group[0]), default=None)
        if code is None:
            code = min((c for c in codes if group[-1] < c <= right), default=None)
        left = min(group[0], code or group[0])
        strips.insert(0, Strip(left, right, tuple(group), code))
        right = left - 1
    return strips


def _holds_units_or_numbers(grid: Grid, column: int, rows: Iterable[int]) -> bool:
    cells = [cell for row in rows if (cell := grid.page.cells.get((row, column)))]
    return sum(cell.kind == "n" or is_unit(cell.text) for cell in cells) >= LEAST_IN_COLUMN


def is_unit(text: str) -> bool:
    return normalise_width(text).strip() in UNITS


# -- lines -------------------------------------------------------------------------------------------------


def _lines(grid: Grid, strip: Strip, vocabularies: Sequence[Vocabulary]) -> list[Line]:
    rows = {row for column in (*strip.labels, strip.codes or 0) for row in grid.texts.get(column, ())}
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
            code = next(
                (r.code for r in readings if any(r.code and v.named(r.names) for v in vocabularies)), ""
            )
        label = " ".join(" ".join(own).split())
        lines.append(Line(strip, row, code, label, tuple(readings)))
    return lines


def _by_form(lines: list[Line], vocabularies: Sequence[Vocabulary]) -> list[list[Line]]:
    """Each form's lines. A line that both forms could own goes with the line above it that only one can."""
    owners: list[int | None] = []
    for line in lines:
        able = [n for n, v in enumerate(vocabularies) if any(v.named(r.names) for r in line.readings)]
        owners.append(able[0] if len(able) == 1 else None)
    present = {owner for owner in owners if owner is not None and owners.count(owner) >= LEAST_IN_COLUMN}
    if not present:
        return [lines for _ in vocabularies]
    first = next(owner for owner in owners if owner in present)
    out: list[list[Line]] = [[] for _ in vocabularies]
    current = first
    for line, owner in zip(lines, owners, strict=True):
        current = owner if owner in present else current
        out[current].append(line)
    return out


@dataclass
class _Evidence:
    """What a line says it is: possible rows, or a conflict between its code and its label."""

    rows: set[str] = field(default_factory=set)
    reworded: bool = False
    conflict: str = ""

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
        return _Evidence(conflict=own)
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
        if evidence.conflict:
            table.conflicts.append((evidence.conflict, line))
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
