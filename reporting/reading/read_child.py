"""Reads a workbook's cells, in a process of its own with little memory, little time and no way out.

    python -I read_child.py MEGABYTES SECONDS < FILE   → JSON on stdout, which is a file or a pipe

    {"sheets": [{"name", "hidden", "cells", "formats", "uncalculated", "merged", "hidden_rows", "hidden_columns"}]}
    or {"refused": reason, "sheet", "cell"}

A stranger's file is parsed here and nowhere else: whatever it does to the parser ends with this process. Cells are
[row, column, kind, text] with rows and columns from 1; kinds: n number, s text, b true/false, d date, e error. A
number whose format may show something else has a place in `formats` as a fifth. `uncalculated` and `merged` are
[row, column] and [top, left, bottom, right], `hidden_columns` [from, to]. What the parser does not tell is looked for
beside it: it takes errors and formulas without a result for blanks. Exit 3: it can't be read, the reason is on stderr.
"""

import codecs
import contextlib
import datetime  # noqa: F401  the parser asks for it when it meets a date, too late to open a file
import io
import json
import os
import re
import resource
import struct
import sys
import zipfile
from array import array
from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

import python_calamine as calamine

MOST_CELLS = 100_000
MOST_SHEETS = 60
MOST_ROWS = 100_000  # `<row>` elements of one sheet; rows that were merely formatted are rows too
MOST_AREA = 2_000_000  # the parser lays out the whole rectangle between the first and the last filled cell
MOST_TEXT = 8_000_000
MOST_PER_CELL = 2000
MOST_MERGED = 20_000
MOST_FORMATS = 65_536  # Excel keeps 64 000 of them
MOST_PER_FORMAT = 255
MOST_COLUMNS = 16_384
MOST_OUTPUT = 48 * 1024 * 1024
UNREADABLE = 3
NOBODY = 65_534

# What keeps a file from being read, for the parent's sentences.
PASSWORD, LARGE, ROWS, FAR, SHEETS, EXTERNAL, ENTITIES, DAMAGED = (
    "password",
    "large",
    "rows",
    "far",
    "sheets",
    "external",
    "entities",
    "damaged",
)


class Stop(Exception):
    def __init__(self, reason: str, sheet: str = "", cell: str = "") -> None:
        super().__init__(reason)
        self.answer = {"refused": reason, "sheet": sheet, "cell": cell}


def main() -> int:
    confine(int(sys.argv[1]), int(sys.argv[2]))
    content = sys.stdin.buffer.read()
    answer: dict[str, Any]
    try:
        answer = {"sheets": read(content)}
    except Stop as stop:
        answer = stop.answer
    except calamine.PasswordError:
        answer = Stop(PASSWORD).answer
    except (MemoryError, OverflowError):
        answer = Stop(LARGE).answer
    # A damaged workbook raises a dozen kinds of error, the parser's own panics among them.
    except BaseException as problem:
        print(f"{type(problem).__name__}: {problem}"[:300], file=sys.stderr)
        return UNREADABLE
    sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace"))
    return 0


def confine(megabytes: int, seconds: int) -> None:
    """From here on: no file, connection or process can be opened, and what is written ends at MOST_OUTPUT."""
    for name in ("cp437", "latin-1", "utf-16-le"):
        codecs.lookup(name)  # found in files that can't be opened later
    memory = megabytes * 1024 * 1024
    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: MOST_OUTPUT,
        resource.RLIMIT_NOFILE: 0,  # those that are open (stdin, stdout, stderr) stay usable
        resource.RLIMIT_NPROC: 0,
    }
    for limit, most in limits.items():
        # A limit that is lower already, for the whole service, stays.
        hard = resource.getrlimit(limit)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (most, most))
    if os.geteuid() == 0:
        # In a container without that capability it stays root of nothing.
        with contextlib.suppress(OSError):
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)


def read(content: bytes) -> list[dict[str, Any]]:
    is_packed = content.startswith(b"PK")
    found = list(looked_at_xlsx(content)) if is_packed else list(looked_at_xls(content))
    book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    if len(book.sheets_metadata) > MOST_SHEETS:
        raise Stop(SHEETS, str(len(book.sheets_metadata)))
    sheets, room = [], Room()
    for number, meta in enumerate(book.sheets_metadata):
        if meta.typ != calamine.SheetTypeEnum.WorkSheet:
            continue
        beside = found[number] if number < len(found) else Beside()
        sheet = book.get_sheet_by_index(number)
        sheets.append(
            {
                "name": meta.name,
                "hidden": meta.visible != calamine.SheetVisibleEnum.Visible,
                "cells": [*cells_of(sheet, meta.name, room, beside), *beside.errors],
                "formats": beside.formats,
                "uncalculated": beside.uncalculated,
                "merged": merged_of(sheet),
                "hidden_rows": beside.hidden_rows,
                "hidden_columns": beside.hidden_columns,
            }
        )
    return sheets


class Room:
    """How much may still be read, over all sheets."""

    def __init__(self) -> None:
        self.cells, self.text = MOST_CELLS, MOST_TEXT

    def take(self, text: str, sheet: str) -> None:
        self.cells -= 1
        if self.cells < 0:
            raise Stop(LARGE, sheet)
        self.take_text(len(text), sheet)

    def take_text(self, length: int, sheet: str) -> None:
        self.text -= length
        if self.text < 0:
            raise Stop(LARGE, sheet)


def cells_of(sheet: Any, name: str, room: Room, beside: "Beside") -> Iterator[list[Any]]:
    for row, values in enumerate(sheet.to_python(skip_empty_area=False), 1):
        for column, value in enumerate(values, 1):
            if value == "" or value is None:
                continue
            if isinstance(value, bool):
                kind, text = "b", "1" if value else "0"
            elif isinstance(value, (int, float)):
                # The shortest text that is this very number.
                kind, text = "n", repr(value).removesuffix(".0")
            elif isinstance(value, str):
                kind, text = "s", value[:MOST_PER_CELL].replace("_x000D_", "\r")
            else:
                kind, text = "d", str(value)
            room.take(text, name)
            formatted = beside.formatted.get((row - 1) * MOST_COLUMNS + column) if kind == "n" else None
            yield [row, column, kind, text] if formatted is None else [row, column, kind, text, formatted]


def merged_of(sheet: Any) -> list[list[int]]:
    ranges = sheet.merged_cell_ranges or []
    return [[top + 1, left + 1, bottom + 1, right + 1] for (top, left), (bottom, right) in ranges][
        :MOST_MERGED
    ]


class Beside:
    """What the parser does not tell of one sheet."""

    def __init__(self) -> None:
        self.errors: list[list[Any]] = []  # cells of kind e
        self.uncalculated: list[list[int]] = []
        self.formats: list[str] = []  # of numbers
        self.formatted: dict[int, int] = {}  # place, counted row by row → place in `formats`
        self.hidden_rows: list[int] = []
        self.hidden_columns: list[list[int]] = []
        self._known: dict[str, int] = {}

    def format(self, row: int, column: int, code: str) -> None:
        if code not in self._known:
            self._known[code] = len(self.formats)
            self.formats.append(code)
        self.formatted[(row - 1) * MOST_COLUMNS + column] = self._known[code]


# What numbers are shown as by formats that no file writes out; those of money and shares of a hundred.
_BUILT_IN = {9: "0%", 10: "0.00%"} | dict.fromkeys((5, 6, 7, 8, 42, 44), "¥0.00")
_AS_IT_IS = {
    "",
    "General",
    "GENERAL",
    "@",
    "0",
    "0.0",
    "0.00",
    "#,##0",
    "#,##0.0",
    "#,##0.00",
    "0_ ",
    "0.00_ ",
}


def told_of(code: str) -> str:
    """A format that may show something else than the number, cut to what is judged; empty for what never does."""
    if code in _AS_IT_IS:
        return ""
    # Longer ones than any program writes are left with a word at the end, which makes them no plain number's.
    return code if len(code) <= MOST_PER_FORMAT else f'{code[:MOST_PER_FORMAT]}"…"'


def letters(column: int) -> str:
    out = ""
    while column:
        column, rest = divmod(column - 1, 26)
        out = chr(65 + rest) + out
    return out


# -- .xlsx -------------------------------------------------------------------------------------------------

_REFERENCE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})$")


def looked_at_xlsx(content: bytes) -> Iterator[Beside]:
    """One for every `<sheet>` of the workbook, in its order. Every part is inflated and checked on the way: the
    parser meets nothing that the directory did not announce."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = {name.lower(): name for name in archive.namelist()}
        book = Book(part(archive, names["xl/workbook.xml"]))
        links = names.get("xl/_rels/workbook.xml.rels")
        targets = Links(part(archive, links)).targets if links else {}
        if len(book.sheets) > MOST_SHEETS:
            raise Stop(SHEETS, str(len(book.sheets)))
        sheets = {key: names.get(targets.get(key, "").lower(), "") for _, key in book.sheets}
        styles = names.get("xl/styles.xml")
        formats = Styles(part(archive, styles)).formats if styles else []
        strings = names.get("xl/sharedstrings.xml")
        texts = lengths_of_texts(part(archive, strings)) if strings else array("I")
        room = Room()
        for name in archive.namelist():
            if name not in sheets.values() and name.startswith("xl/") and name.endswith(".xml"):
                part(archive, name)
        for title, key in book.sheets:
            target = sheets[key]
            if not target.lower().endswith(".xml"):
                yield Beside()
                continue
            xml = part(archive, target)
            if xml.count(b"<row") > MOST_ROWS:
                raise Stop(ROWS, title)
            yield Sheet(xml, title, book.is_calculated_on_load, formats, texts, room).beside


def part(archive: zipfile.ZipFile, name: str) -> bytes:
    """The whole part. A size or checksum other than the directory's raises BadZipFile."""
    return archive.read(name)


class Parsed:
    """An XML document told by its elements' names without their namespaces; a DOCTYPE ends the reading."""

    def __init__(self, xml: bytes) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.ordered_attributes = False
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.Parse(xml, True)

    def _doctype(self, *_: Any) -> None:
        raise Stop(ENTITIES)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.start(name.rpartition(" ")[2], attributes)

    def _end(self, name: str) -> None:
        self.end(name.rpartition(" ")[2])

    def _characters(self, text: str) -> None:
        self.characters(text)

    def start(self, name: str, attributes: dict[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def characters(self, text: str) -> None: ...


class Book(Parsed):
    """`sheets`: title and key of each; `is_calculated_on_load`: results of formulas may never have been calculated."""

    def __init__(self, xml: bytes) -> None:
        self.sheets: list[tuple[str, str]] = []
        self.is_calculated_on_load = False
        super().__init__(xml)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            key = next((value for attribute, value in attributes.items() if attribute.endswith(" id")), "")
            self.sheets.append((attributes.get("name", ""), key))
        elif name == "calcPr":
            self.is_calculated_on_load = attributes.get("fullCalcOnLoad", "") in ("1", "true")


class Links(Parsed):
    """Key → path of the part. A workbook that draws figures from other files is refused, wherever they are named."""

    def __init__(self, xml: bytes) -> None:
        self.targets: dict[str, str] = {}
        super().__init__(xml)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship":
            if attributes.get("Type", "").lower().endswith("/externallink"):
                raise Stop(EXTERNAL)
            target = attributes.get("Target", "").replace("\\", "/")
            path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            self.targets[attributes.get("Id", "")] = path


class Styles(Parsed):
    """`formats`: what every style of a cell shows numbers as, by its number; empty for numbers as they are."""

    def __init__(self, xml: bytes) -> None:
        self.codes: dict[str, str] = {str(number): code for number, code in _BUILT_IN.items()}
        self.formats: list[str] = []
        self.in_cells = False
        super().__init__(xml)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt" and not self.in_cells:
            self.codes[attributes.get("numFmtId", "")] = told_of(attributes.get("formatCode", ""))
        elif name == "cellXfs":
            self.in_cells = True
        elif name == "xf" and self.in_cells:
            self.formats.append(self.codes.get(attributes.get("numFmtId", ""), ""))
        if len(self.codes) + len(self.formats) > MOST_FORMATS:
            raise Stop(LARGE)

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self.in_cells = False


_TEXT_ENDS = re.compile(rb"</(?:[\w.-]+:)?si\s*>|<(?:[\w.-]+:)?si\s*/>")


def lengths_of_texts(xml: bytes) -> "array[int]":
    """Of the shared texts, each of which may stand in any number of cells: as many characters as their bytes could be
    in Chinese. Counted, not parsed; whoever leads it astray meets the limit of memory."""
    lengths, start = array("I"), 0
    for found in _TEXT_ENDS.finditer(xml):
        lengths.append((found.end() - start) // 3)
        start = found.end()
    return lengths


class Sheet(Parsed):
    def __init__(
        self,
        xml: bytes,
        title: str,
        is_calculated_on_load: bool,
        formats: list[str],
        texts: "array[int]",
        room: Room,
    ) -> None:
        self.beside = Beside()
        self.title, self.is_calculated_on_load = title, is_calculated_on_load
        self.formats, self.texts, self.room = formats, texts, room
        self.format = ""
        self.row = self.column = self.last_column = 0
        self.kind, self.text = "", ""
        self.in_value = self.has_value = self.has_formula = False
        super().__init__(xml)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            found = _REFERENCE.match(attributes.get("r", ""))
            self.column += 1
            if found:
                self.column = 0
                for letter in found[1].upper():
                    self.column = self.column * 26 + ord(letter) - 64
                self.row = int(found[2])
            self.kind, self.text = attributes.get("t", ""), ""
            style = attributes.get("s", "")
            self.format = (
                self.formats[int(style)] if style.isdecimal() and int(style) < len(self.formats) else ""
            )
            self.has_value = self.has_formula = False
        elif name == "row":
            number = attributes.get("r", "")
            self.row, self.column = int(number) if number.isdigit() else self.row + 1, 0
            if attributes.get("hidden", "") in ("1", "true"):
                self.beside.hidden_rows.append(self.row)
        elif name == "col" and attributes.get("hidden", "") in ("1", "true"):
            self.beside.hidden_columns.append([int(attributes.get(end, "0")) for end in ("min", "max")])
            if len(self.beside.hidden_columns) > MOST_COLUMNS:
                raise Stop(LARGE, self.title)
        elif name in ("v", "is"):
            self.in_value = self.has_value = True
        elif name == "f":
            self.has_formula = True

    def characters(self, text: str) -> None:
        if self.in_value:
            self.text += text

    def end(self, name: str) -> None:
        if name in ("v", "is"):
            self.in_value = False
        elif name == "c" and (self.has_value or self.has_formula):
            self._cell()

    def _cell(self) -> None:
        text = self.text.strip()
        if text or self.has_formula:
            self.last_column = max(self.last_column, self.column)
            if self.row * self.last_column > MOST_AREA:
                raise Stop(FAR, self.title, f"{letters(self.column)}{self.row}")
        # Before the parser makes a text of its own for every cell.
        if self.kind == "s" and text.isdecimal() and int(text) < len(self.texts):
            self.room.take_text(self.texts[int(text)], self.title)
        elif self.kind in ("inlineStr", "str"):
            self.room.take_text(len(text), self.title)
        if self.format and self.kind in ("", "n") and text:
            self.beside.format(self.row, self.column, self.format)
        if self.kind == "e":
            self.beside.errors.append([self.row, self.column, "e", text[:20]])
        elif self.has_formula:
            is_blank = not text and not (self.kind == "str" and self.has_value)
            # Programs that can't calculate write 0 and ask the next one to do it.
            is_promise = self.is_calculated_on_load and text in ("0", "0.0")
            if is_blank or is_promise:
                self.beside.uncalculated.append([self.row, self.column])
        beside = self.beside
        if len(beside.errors) + len(beside.uncalculated) + len(beside.formatted) > MOST_CELLS:
            raise Stop(LARGE, self.title)


# -- .xls --------------------------------------------------------------------------------------------------

_BOF, _BOUNDSHEET, _FILEPASS, _SUPBOOK, _FORMULA, _BOOLERR = 0x809, 0x85, 0x2F, 0x1AE, 0x06, 0x205
_XF, _FORMAT, _ROW, _COLUMNS, _MANY = 0xE0, 0x41E, 0x208, 0x7D, 0xBD
_NUMBERS = {0x203, 0x27E, _MANY, 0x06}  # stand for numbers, or formulas
_FILLED = {0x203, 0x27E, 0xFD, 0xBD, 0x204, 0xD6, _FORMULA, _BOOLERR}
_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}
# SUPBOOK that means this very workbook, or functions of an add-in.
_OWN = {0x0401, 0x3A01}


def looked_at_xls(content: bytes) -> Iterator[Beside]:
    """One for every sheet, in the workbook's order. A stream that can't be followed is left to the parser, and how often
    a long text is repeated to the limit of memory."""
    stream = workbook_stream(content)
    if stream is None:
        return
    bounds = []
    codes, styles = dict(_BUILT_IN), array("H")
    for _, kind, body in records(stream, 0):
        if kind == _FILEPASS:
            raise Stop(PASSWORD)
        if kind == _BOUNDSHEET and len(body) >= 8:
            name = body[8:].decode("utf-16-le" if body[7] & 1 else "latin-1", "replace")
            bounds.append((struct.unpack_from("<I", body)[0], name))
        if kind == _FORMAT and len(body) >= 5:
            text = body[5:].decode("utf-16-le" if body[4] & 1 else "latin-1", "replace")
            codes[struct.unpack_from("<H", body)[0]] = told_of(text)
        if kind == _XF and len(body) >= 4:
            styles.append(struct.unpack_from("<H", body, 2)[0])
        if kind == _SUPBOOK and len(body) >= 4 and struct.unpack_from("<H", body, 2)[0] not in _OWN:
            raise Stop(EXTERNAL)
    if len(bounds) > MOST_SHEETS:
        raise Stop(SHEETS, str(len(bounds)))
    if len(codes) + len(styles) > MOST_FORMATS:
        raise Stop(LARGE)
    formats = [codes.get(number, "") for number in styles]
    for start, title in bounds:
        yield looked_at_records(stream, start, title, formats)


def looked_at_records(stream: bytes, start: int, title: str, formats: list[str]) -> Beside:
    beside = Beside()
    last_column = 0
    for _, kind, body in records(stream, start):
        if kind == _ROW and len(body) >= 14 and body[12] & 0x20:
            beside.hidden_rows.append(struct.unpack_from("<H", body)[0] + 1)
        elif kind == _COLUMNS and len(body) >= 10 and body[8] & 1:
            beside.hidden_columns.append([number + 1 for number in struct.unpack_from("<HH", body)])
        if kind not in _FILLED or len(body) < 6:
            continue
        row, column = (number + 1 for number in struct.unpack_from("<HH", body))
        if column > 256:
            raise ValueError("no such column")
        last_column = max(last_column, column)
        if row * last_column > MOST_AREA:
            raise Stop(FAR, title, f"{letters(column)}{row}")
        if kind in _NUMBERS:
            # Several in one record have a style and four bytes each.
            at = range(4, len(body) - 2, 6) if kind == _MANY else (4,)
            for number, place in enumerate(at, column):
                style = struct.unpack_from("<H", body, place)[0]
                if style < len(formats) and formats[style]:
                    beside.format(row, number, formats[style])
        if kind == _BOOLERR and len(body) >= 8 and body[7] == 1:
            beside.errors.append([row, column, "e", _ERRORS.get(body[6], "#ERR!")])
        elif kind == _FORMULA and len(body) >= 14 and body[12:14] == b"\xff\xff" and body[6] == 2:
            beside.errors.append([row, column, "e", _ERRORS.get(body[8], "#ERR!")])
    return beside


def records(stream: bytes, start: int) -> Iterator[tuple[int, int, bytes]]:
    """(offset, kind, body) of one substream, up to its EOF."""
    at = start
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        yield at, kind, stream[at + 4 : at + 4 + size]
        if kind == 0x0A:
            return
        at += 4 + size


def workbook_stream(content: bytes) -> bytes | None:
    """The stream `Workbook` of an OLE2 file; None where its tables lead nowhere."""
    try:
        size = 1 << struct.unpack_from("<H", content, 30)[0]
        most = len(content) // size + 1
        if not 512 <= size <= 4096:
            return None

        def sector(number: int) -> bytes:
            return content[(number + 1) * size : (number + 2) * size]

        def numbers(data: bytes) -> tuple[int, ...]:
            return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])

        tables = list(struct.unpack_from("<109I", content, 76))
        further = struct.unpack_from("<I", content, 68)[0]
        while further < 0xFFFFFFFA and len(tables) < most + 109:
            *more, further = numbers(sector(further))
            tables += more
        fat: list[int] = []
        for number in tables:
            if number < 0xFFFFFFFA:
                fat += numbers(sector(number))

        def chain(number: int, table: list[int]) -> Iterator[int]:
            for _ in range(len(table)):
                if number >= len(table):
                    return
                yield number
                number = table[number]

        def whole(number: int) -> bytes:
            return b"".join(map(sector, chain(number, fat)))

        directory = whole(struct.unpack_from("<I", content, 48)[0])
        entries = [directory[at : at + 128] for at in range(0, len(directory) - 127, 128)]
        for entry in entries:
            length = struct.unpack_from("<H", entry, 64)[0]
            name = entry[: max(0, length - 2)].decode("utf-16-le", "replace")
            if entry[66] != 2 or name.lower() != "workbook":
                continue
            first, length = struct.unpack_from("<II", entry, 116)
            if length >= struct.unpack_from("<I", content, 56)[0]:
                return whole(first)[:length]
            short = list(numbers(whole(struct.unpack_from("<I", content, 60)[0])))
            root = struct.unpack_from("<I", entries[0], 116)[0]
            small = whole(root)
            return b"".join(small[n * 64 : n * 64 + 64] for n in chain(first, short))[:length]
    except (struct.error, IndexError, ValueError):
        return None
    return None


if __name__ == "__main__":
    sys.exit(main())
