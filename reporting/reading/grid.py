"""A page as people see it, and which of its columns belong together: labels, codes before them, figures behind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from reporting.reading.intake import Cell, Page
from reporting.reading.labels import (
    MOST_LABEL,
    UNITS,
    Said,
    Vocabulary,
    code_of,
    normalise_width,
    plain,
    said,
)

# A column holds labels or codes when so many of its cells are some.
LEAST_IN_COLUMN = 3
FAR_APART = 25  # lines
LARGEST_MERGE, MOST_COVERED = 2000, 100_000  # cells


class Grid:
    """A page with its merged cells: what a person sees at a place."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.covered: dict[tuple[int, int], tuple[int, int]] = {}  # place → top left cell of its merge
        room = MOST_COVERED
        for top, left, bottom, right in page.merged:
            size = (bottom - top + 1) * (right - left + 1)
            if size > LARGEST_MERGE or size > room:
                continue  # no head, label or group is that large
            room -= size
            for row in range(top, bottom + 1):
                for column in range(left, right + 1):
                    self.covered[row, column] = (top, left)
        self.texts: dict[int, dict[int, str]] = {}  # column → row → text
        self.said: dict[str, Said] = {}
        for (row, column), cell in page.cells.items():
            if cell.kind == "s" and len(cell.text) <= MOST_LABEL and cell.text.strip():
                self.texts.setdefault(column, {})[row] = cell.text
                if cell.text not in self.said:
                    self.said[cell.text] = said(cell.text)

    def text(self, row: int, column: int) -> str:
        cell = self.seen(row, column)
        return cell.text.strip() if cell else ""

    def seen(self, row: int, column: int) -> Cell | None:
        return self.page.cells.get(self.covered.get((row, column), (row, column)))


@dataclass(frozen=True, eq=False)
class Strip:
    """Columns that belong together: labels with their codes before them and everything behind, up to `right`."""

    vocabulary: Vocabulary
    left: int
    right: int
    labels: tuple[int, ...]
    codes: int | None
    rows: range  # from the first label of a form to the last

    @property
    def behind(self) -> range:
        """The columns where units and figures may stand."""
        return range(max(*self.labels, self.codes or 0, 0, 0) + 1, self.right + 1)


def strips_of(grid: Grid, vocabularies: Sequence[Vocabulary]) -> list[Strip]:
    """Of all forms, side by side or one below the other."""
    groups = [
        group
        for vocabulary in vocabularies
        for group in _groups(grid, vocabulary, [v for v in vocabularies if v is not vocabulary])
    ]
    if groups:
        codes = _code_columns(grid, groups)
        return [_strip(grid, group, groups, codes) for group in groups]
    return [strip for vocabulary in vocabularies if (strip := _strip_of_codes(grid, vocabulary))]


@dataclass(frozen=True, eq=False)
class _Group:
    """Columns that hold a form's labels, or a group's name and what it says of it, side by side."""

    vocabulary: Vocabulary
    columns: tuple[int, ...]
    rows: range

    def is_beside(self, other: _Group) -> bool:
        return other is not self and self.rows.start < other.rows.stop and other.rows.start < self.rows.stop


def _groups(grid: Grid, vocabulary: Vocabulary, others: Sequence[Vocabulary]) -> list[_Group]:
    """By labels that only this form has. What both have goes with what stands around it."""
    named: dict[int, set[int]] = {}
    for column, texts in grid.texts.items():
        for row, text in texts.items():
            names = grid.said[text].names
            if vocabulary.named(names) and not any(other.named(names) for other in others):
                named.setdefault(column, set()).add(row)
    spans = {column: span for column, rows in named.items() if (span := _span(rows))}
    groups: list[_Group] = []
    for column in sorted(spans):
        group = _Group(vocabulary, (column,), spans[column])
        last = groups[-1] if groups else None
        if last and last.is_beside(group) and not _is_apart(grid, last, column):
            groups[-1] = _Group(vocabulary, (*last.columns, column), last.rows)
        else:
            groups.append(group)
    return groups


def _span(rows: set[int]) -> range | None:
    """From the first to the last, without those that stand far from all others: a word in some remark."""
    clusters: list[list[int]] = []
    for row in sorted(rows):
        if clusters and row - clusters[-1][-1] <= FAR_APART:
            clusters[-1].append(row)
        else:
            clusters.append([row])
    dense = [row for cluster in clusters if len(cluster) >= LEAST_IN_COLUMN for row in cluster]
    return range(dense[0], dense[-1] + 1) if dense else None


def _is_apart(grid: Grid, group: _Group, column: int) -> bool:
    """Whether units or numbers stand between a group and a further column: that is another block then."""
    for between in range(group.columns[-1] + 1, column):
        cells = [cell for row in group.rows if (cell := grid.page.cells.get((row, between)))]
        if sum(cell.kind == "n" or is_unit(cell.text) for cell in cells) >= LEAST_IN_COLUMN:
            return True
    return False


def _strip(grid: Grid, group: _Group, groups: Sequence[_Group], codes: dict[_Group, int | None]) -> Strip:
    """Bounded by what stands beside it, not by what stands above or below."""
    code = codes[group]
    right = max(column for _, column in grid.page.cells)
    behind = [other for other in groups if group.is_beside(other) and other.columns[0] > group.columns[-1]]
    right = min([right, *(min(other.columns[0], codes[other] or right) - 1 for other in behind)])
    left = min(group.columns[0], code or group.columns[0])
    return Strip(group.vocabulary, left, right, group.columns, code, group.rows)


def _code_columns(grid: Grid, groups: Sequence[_Group]) -> dict[_Group, int | None]:
    """Each group's column of codes: where they are those of its labels, or else, for tables whose codes and labels
    have come out of step, the nearest before the labels."""
    found: dict[_Group, int | None] = dict.fromkeys(groups)
    agreeing = [
        (_agreement(grid, group, column), -column, number)
        for number, group in enumerate(groups)
        for column in _reach(grid, group, groups)
    ]
    # Codes of two forms are much the same: a column is whose labels it agrees with most.
    for agreed, column, number in sorted(agreeing, reverse=True):
        group = groups[number]
        if agreed >= LEAST_IN_COLUMN and found[group] is None:
            if not any(found[other] == -column and group.is_beside(other) for other in groups):
                found[group] = -column
    for group in groups:
        if found[group] is None:
            taken = {column for other, column in found.items() if group.is_beside(other)}
            near = [
                column
                for column in _reach(grid, group, groups)
                if column < group.columns[0] and column not in taken
            ]
            coded = [column for column in near if len(_coded(grid, group, column)) >= LEAST_IN_COLUMN]
            found[group] = max(coded, default=None)
    return found


def _reach(grid: Grid, group: _Group, groups: Sequence[_Group]) -> list[int]:
    """The columns with texts between the labels of the neighbours."""
    beside = [other for other in groups if group.is_beside(other)]
    first, last = group.columns[0], group.columns[-1]
    before = max((other.columns[-1] for other in beside if other.columns[-1] < first), default=0)
    after = min((other.columns[0] for other in beside if other.columns[0] > last), default=1_000_000)
    return [column for column in grid.texts if before < column < after and column not in group.columns]


def _coded(grid: Grid, group: _Group, column: int) -> dict[int, str]:
    """Row → code, of the form's codes in a column beside the labels."""
    texts = grid.texts[column].items()
    codes = {row: code_of(text) for row, text in texts if row in group.rows}
    return {row: code for row, code in codes.items() if code in group.vocabulary.by_code}


def _agreement(grid: Grid, group: _Group, column: int) -> int:
    vocabulary = group.vocabulary
    return sum(
        bool(vocabulary.by_code[code] & vocabulary.named(said_.names))
        for row, code in _coded(grid, group, column).items()
        for label in group.columns
        if (said_ := grid.said.get(grid.texts[label].get(row, "")))
    )


def _strip_of_codes(grid: Grid, vocabulary: Vocabulary) -> Strip | None:
    """A table without labels: the column with the most codes, everything behind it is its."""
    coded = {
        column: rows
        for column, texts in grid.texts.items()
        if len(rows := {row for row, text in texts.items() if code_of(text) in vocabulary.by_code})
        >= LEAST_IN_COLUMN
    }
    best = max(coded, key=lambda column: (len(coded[column]), -column), default=None)
    if best is None:
        return None
    rows = coded[best]
    # Words beside the codes are labels all the same, though none of this form's.
    labels = [
        column
        for column, texts in grid.texts.items()
        if column != best and sum(_is_words(texts.get(row, "")) for row in rows) > len(rows) / 2
    ]
    right = max(column for _, column in grid.page.cells)
    return Strip(vocabulary, 1, right, tuple(labels[:1]), best, range(min(rows), max(rows) + 1))


def _is_words(text: str) -> bool:
    rest = re.sub(r"[\d.,，\s]+", "", text)
    return len(plain(rest)) > 1 and not is_unit(rest)


def is_unit(text: str) -> bool:
    return normalise_width(text).strip() in UNITS
