"""One form on several pages, as people part it to fit the paper: read as one where nothing speaks against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from reporting.reading.grid import LEAST_IN_COLUMN
from reporting.reading.intake import shown
from reporting.reading.table_reading import FormRead, Note, Reading
from reporting.reading.tables import ENOUGH, Table


@dataclass
class Parts:
    """The tables that make up one form, in the order of the pages; mostly one.

    `apart` have rows that the others lack, but figures in a column of which nobody knows whether it is the same.
    """

    readings: list[Reading]
    apart: list[Reading] = field(default_factory=list)

    def has(self, table: Table) -> bool:
        return any(reading.table is table for reading in (*self.readings, *self.apart))

    def read(self) -> FormRead:
        """Raises Refused where a column of figures is in doubt, or codes and labels are out of step."""
        first, *others = self.readings
        if not others and not self.apart:
            return first.read()
        first.elsewhere = set().union(*(reading.rows for reading in (*others, *self.apart)))
        for reading in others:
            reading.elsewhere = set(first.table.sheet.row)  # what is missing everywhere is told once
        _share_unit(self.readings)
        reads = [reading.read() for reading in self.readings]
        names = "”、“".join(dict.fromkeys(read.page for read in reads))
        whole = FormRead(first.table.sheet, names)
        for read in reads:
            whole.texts |= read.texts
            whole.where |= read.where
            whole.notes += read.notes
        title = first.table.sheet.title
        if others:
            pages = "”、“".join(dict.fromkeys(shown(read.page, 40) for read in reads))
            whole.notes.append(Note("", f"{title}分在工作表“{pages}”上，已合在一起读取，请核对。"))
        for reading in self.apart:
            page = shown(first.table.page.name, 40)
            note = f"这里有{title}的另外 {len(reading.rows)} 行，但数字与工作表“{page}”不在同一列，没有读入。请并成一张表。"
            whole.notes.append(Note(reading.table.at, note))
        return whole


def parts_of(tables: Sequence[Table], main: Reading | None) -> Parts | None:
    """`tables` are all of one form, `main` the one among them that is enough of it by itself. None for too little."""
    others = [Reading(t) for t in tables if (main is None or t is not main.table) and _is_part(t)]
    others = [reading for reading in others if reading.is_filled]
    if main is None:
        if not others or not _are_disjoint(others):
            return None
        if sum(reading.table.part for reading in others) < ENOUGH:
            return None
        main = max(others, key=lambda reading: reading.table.part)
        others.remove(main)
    parts = Parts([main])
    for reading in others:
        if not _are_disjoint([*parts.readings, *parts.apart, reading]):
            continue
        (parts.readings if _has_same_column(main, reading) else parts.apart).append(reading)
    order = [id(table) for table in tables]
    parts.readings.sort(key=lambda reading: order.index(id(reading.table)))
    return parts


def _is_part(table: Table) -> bool:
    return len(table.claims) >= LEAST_IN_COLUMN and any(line.strip.labels for line in table.lines)


def _are_disjoint(readings: Sequence[Reading]) -> bool:
    rows = [reading.rows for reading in readings]
    return len(set().union(*rows)) == sum(map(len, rows))


def _has_same_column(main: Reading, other: Reading) -> bool:
    """Whether the figures stand as far behind the labels; a page without a head says no more."""

    def distances(reading: Reading) -> set[int]:
        return {
            (column.column or 0) - max(strip.labels)
            for strip, column in reading.columns.items()
            if strip.labels
        }

    return distances(other) <= distances(main)


def _share_unit(readings: Sequence[Reading]) -> None:
    """单位：元 above the first page is said of the others too."""
    stated = [column.money_unit for reading in readings for column in reading.columns.values()]
    unit = next(filter(None, stated), "")
    for column in (column for reading in readings[1:] for column in reading.columns.values()):
        column.money_unit = column.money_unit or unit
