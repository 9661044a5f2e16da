"""Files of the kind that .xls, .et, .doc and encrypted .xlsx are: an OLE2 file, and in it a workbook of 1997."""

from __future__ import annotations

import struct
from collections.abc import Mapping

SECTOR = 512
END, FREE, FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def compound(streams: Mapping[str, bytes]) -> bytes:
    """An OLE2 file with these streams in its root; each is padded so that none is a small one."""
    sectors: list[bytes] = []
    table: list[int] = []

    def put(content: bytes) -> int:
        first = len(sectors)
        pieces = [content[at : at + SECTOR].ljust(SECTOR, b"\0") for at in range(0, len(content), SECTOR)]
        sectors.extend(pieces)
        table.extend(range(first + 1, first + len(pieces)))
        table.append(END)
        return first

    starts = {
        name: (put(content.ljust(4096, b"\0")), max(len(content), 4096)) for name, content in streams.items()
    }

    def entry(name: str, kind: int, child: int, right: int, start: int, size: int) -> bytes:
        encoded = (name + "\0").encode("utf-16-le")
        return (
            encoded.ljust(64, b"\0")
            + struct.pack("<HBBIII", len(encoded), kind, 1, FREE, right, child)
            + b"\0" * 36
            + struct.pack("<IQ", start, size)
        )

    names = list(starts)
    directory = entry("Root Entry", 5, 1 if names else FREE, FREE, END, 0)
    for number, name in enumerate(names, 1):
        right = number + 1 if number < len(names) else FREE
        directory += entry(name, 2, FREE, right, *starts[name])
    directory_start = put(directory)
    tables = (len(table) + 128) // 127
    fat_start = len(sectors)
    whole = [*table, *[FAT] * tables]
    whole += [FREE] * (tables * 128 - len(whole))
    packed = struct.pack(f"<{len(whole)}I", *whole)
    sectors += [packed[at : at + SECTOR] for at in range(0, len(packed), SECTOR)]
    header = bytes.fromhex("D0CF11E0A1B11AE1") + b"\0" * 16
    header += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    header += struct.pack("<IIIIIIIII", 0, tables, directory_start, 0, 4096, END, 0, END, 0)
    header += struct.pack("<109I", *range(fat_start, fat_start + tables), *[FREE] * (109 - tables))
    return header + b"".join(sectors)


def record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


_END = record(0x0A, b"")


def _begin(kind: int) -> bytes:
    return record(0x809, struct.pack("<HHHHII", 0x600, kind, 0x0DBB, 0x07CC, 0, 6))


class Binary:
    """A workbook of one sheet; rows and columns from 1. `before` are further records of the workbook itself, `above`
    of the sheet."""

    def __init__(self, title: str, before: bytes = b"", above: bytes = b"") -> None:
        self.title, self.before, self.above = title, before, above
        self.cells: dict[tuple[int, int], bytes] = {}

    def _put(self, row: int, column: int, kind: int, body: bytes, style: int = 0) -> None:
        self.cells[row, column] = record(kind, struct.pack("<HHH", row - 1, column - 1, style) + body)

    def number(self, row: int, column: int, value: float, style: int = 0) -> None:
        self._put(row, column, 0x203, struct.pack("<d", value), style)

    def numbers(self, row: int, column: int, values: Mapping[int, int]) -> None:
        """Whole numbers side by side in one record, by their styles."""
        each = b"".join(struct.pack("<HI", style, value << 2 | 2) for style, value in values.items())
        self.cells[row, column] = record(
            0xBD, struct.pack("<HH", row - 1, column - 1) + each + struct.pack("<H", column + len(values) - 2)
        )

    def text(self, row: int, column: int, value: str) -> None:
        self._put(row, column, 0x204, struct.pack("<HB", len(value), 1) + value.encode("utf-16-le"))

    def error(self, row: int, column: int, code: int) -> None:
        self._put(row, column, 0x205, bytes((code, 1)))

    def formula_error(self, row: int, column: int, code: int) -> None:
        result = bytes((2, 0, code, 0, 0, 0, 0xFF, 0xFF))
        self._put(row, column, 0x06, result + struct.pack("<HIH", 0, 0, 3) + bytes((0x1E, 1, 0)))

    def stream(self) -> bytes:
        cells = b"".join(self.cells[place] for place in sorted(self.cells))
        page = _begin(0x10) + self.above + cells + _END
        name = self.title.encode("utf-16-le")
        size = 4 + 8 + len(name)
        start = len(_begin(0x05)) + len(self.before) + size + len(_END)
        bound = record(0x85, struct.pack("<IBBBB", start, 0, 0, len(self.title), 1) + name)
        return _begin(0x05) + self.before + bound + _END + page
