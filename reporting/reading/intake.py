"""A workbook that somebody uploads: looked at from outside first, then read by a limited child process.

What is refused is refused before parsing, from the signature and the zip directory alone: macros, external links,
passwords, entity tricks, and archives made to burst. Notice 黑工办发〔2020〕30号 [四]: the forms come back as Excel files.
"""

from __future__ import annotations

import json
import logging
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from reporting.errors import Refused

log = logging.getLogger(__name__)

MEGABYTE = 1024 * 1024
MAX_SIZE = 20 * MEGABYTE
# A workbook of two forms inflates to a few hundred kilobytes; one with pictures to some megabytes.
MAX_INFLATED = 80 * MEGABYTE
MAX_PART = 40 * MEGABYTE
MAX_ENTRIES = 2000
MAX_DIRECTORY = MEGABYTE  # of the archive: two thousand entries take a quarter of it
MAX_SHEETS = 60
# For the child that reads: a usual workbook takes 30 MB and a tenth of a second, the largest ones less than 180.
MEMORY = 200  # megabytes
SECONDS = 10  # of computing
PATIENCE = 30  # seconds by the clock, on a busy machine

CHILD = Path(__file__).with_name("read_child.py")

_OLE2 = bytes.fromhex("D0CF11E0A1B11AE1")
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True)
class Cell:
    """`kind`: n number, s text, b true/false, d date, e error. `text` holds every digit of a number; `format` is the
    number format where there is one that may show something else."""

    kind: str
    text: str
    format: str = ""


Position = tuple[int, int]


@dataclass(frozen=True)
class Page:
    """One worksheet: {(row, column): Cell}, counted from 1; `uncalculated` are formulas without a result,
    `merged` are (top, left, bottom, right)."""

    name: str
    hidden: bool
    cells: dict[Position, Cell]
    uncalculated: frozenset[Position] = frozenset()
    merged: tuple[tuple[int, int, int, int], ...] = ()
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: tuple[tuple[int, int], ...] = ()  # from, to

    def is_hidden(self, row: int, column: int) -> bool:
        """Whether nobody who looks at the page sees that place."""
        return row in self.hidden_rows or any(first <= column <= last for first, last in self.hidden_columns)

    def address(self, row: int, column: int) -> str:
        return f"{shown(self.name, 40)}!{letters(column)}{row}"


@dataclass(frozen=True)
class Pages:
    pages: tuple[Page, ...] = field(default_factory=tuple)

    def __iter__(self) -> Iterator[Page]:
        return iter(self.pages)


def letters(column: int) -> str:
    """1 → A, 27 → AA."""
    out = ""
    while column:
        column, rest = divmod(column - 1, 26)
        out = chr(65 + rest) + out
    return out


def shown(name: str, most: int = 60) -> str:
    """A stranger's name for a sentence: without control characters and reversed writing, and not too long."""
    name = "".join(c for c in name if c.isprintable())
    return name if len(name) <= most else f"{name[: most - 1]}…"


def read_workbook(file: BinaryIO, name: str) -> Pages:
    """All cells of all sheets. Raises Refused with a sentence that names the file and the next step."""
    require_workbook(file, name)
    file.seek(0)
    with tempfile.TemporaryFile() as copy, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as said:
        shutil.copyfileobj(file, copy, MEGABYTE)
        copy.seek(0)
        command = [sys.executable, "-I", str(CHILD), str(MEMORY), str(SECONDS)]
        try:
            # Files, not pipes: the system ends a child that writes more than it may.
            done = subprocess.run(
                command, stdin=copy, stdout=out, stderr=said, timeout=PATIENCE, check=False, env={}
            )
        except subprocess.TimeoutExpired:
            raise _too_large(shown(name)) from None
        out.seek(0)
        said.seek(0)
        return _answer(done.returncode, out.read(), said.read(2000), shown(name))


def _answer(status: int, out: bytes, said: bytes, name: str) -> Pages:
    if status < 0:
        # Ended by the system: out of memory or time, which only a file made to be large brings about.
        raise _too_large(name)
    try:
        if status:
            raise ValueError(said[-300:].decode("utf-8", "replace"))
        answer: dict[str, Any] = json.loads(out)
        if "refused" in answer:
            raise _refusal(answer, name)
        return Pages(tuple(map(_page, answer["sheets"])))
    except (ValueError, LookupError, TypeError) as problem:
        log.warning("workbook not read: %s", problem)
        raise Refused(
            f"“{name}”打不开，可能没有保存完整。请用 Excel 或 WPS 打开后另存为 .xlsx 再上传。"
        ) from None


def _page(sheet: dict[str, Any]) -> Page:
    formats = sheet["formats"]
    return Page(
        sheet["name"],
        sheet["hidden"],
        {
            (row, column): Cell(kind, text, *(formats[number] for number in shown_as))
            for row, column, kind, text, *shown_as in sheet["cells"]
        },
        frozenset((row, column) for row, column in sheet["uncalculated"]),
        tuple((top, left, bottom, right) for top, left, bottom, right in sheet["merged"]),
        frozenset(sheet["hidden_rows"]),
        tuple((first, last) for first, last in sheet["hidden_columns"]),
    )


def _too_large(name: str, sheet: str = "") -> Refused:
    where = f"的工作表“{sheet}”" if sheet else "的"
    return Refused(f"“{name}”{where}内容过大，不能接收。请只保留报表，删去空行空列后另存再上传。")


def _refusal(answer: dict[str, Any], name: str) -> Refused:
    """The sentence for what the child would not read."""
    sheet, cell = shown(answer["sheet"], 40), answer["cell"]
    sentences = {
        # Excel also encrypts an .xls whose structure is protected; it opens without being asked.
        "password": f"“{name}”设了打开密码或保护了工作簿，请取消后再上传。",
        "rows": f"“{name}”的工作表“{sheet}”有十万行以上，多为空行，不能接收。请删去报表以外的行，另存后再上传。",
        "far": f"“{name}”的 {sheet}!{cell} 处有内容，离报表太远，不能接收。请删去报表以外的行和列，另存后再上传。",
        "sheets": f"“{name}”有 {sheet} 张工作表，超过 {MAX_SHEETS} 张，不能接收。请只保留报表，另存后再上传。",
        "external": _external(name),
        "entities": _entities(name),
    }
    return (
        Refused(sentences[answer["refused"]]) if answer["refused"] in sentences else _too_large(name, sheet)
    )


def _external(name: str) -> str:
    return f"“{name}”引用了其他文件（外部链接），数字可能不准。请把引用改为数值，断开链接后再上传。"


def _entities(name: str) -> str:
    return f"“{name}”里有不允许的内容（文档类型声明），不能接收。请用 Excel 或 WPS 另存后再上传。"


# -- from outside ------------------------------------------------------------------------------------------


def require_workbook(file: BinaryIO, name: str) -> None:
    """Raises Refused for what is no workbook, or one that could do more than hold figures."""
    name = shown(name)
    file.seek(0, 2)
    size = file.tell()
    file.seek(0)
    start = file.read(16)
    if size == 0:
        raise Refused(f"“{name}”是空文件，请检查后重新选择。")
    if size > MAX_SIZE:
        raise Refused(f"“{name}”有 {size / MEGABYTE:.1f} MB，超过 20 MB。请只保留报表，另存后再上传。")
    if start.startswith(_ZIP):
        _require_zip(file, size, name)
    elif start.startswith(_OLE2):
        _require_ole(file, name)
    else:
        raise Refused(f"“{name}”{_kind_of(start)}，{_UPLOAD}")


_UPLOAD = "请上传 .xlsx、.xls 或 .et 文件。"


def _kind_of(start: bytes) -> str:
    if start.startswith(b"%PDF"):
        return "是 PDF 文件，不是 Excel 或 WPS 表格"
    if start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return "是网页格式的表格，请先用 Excel 或 WPS 打开并另存为 .xlsx"
    if start.startswith((b"Rar!", b"7z\xbc\xaf")):
        return "是压缩包，请先解压"
    return "不是 Excel 或 WPS 表格"


def _require_zip(file: BinaryIO, size: int, name: str) -> None:
    damaged = f"“{name}”已损坏，打不开，可能没有下载或保存完整。请用 Excel 或 WPS 重新保存后再上传。"
    try:
        _require_small_directory(file, size, name)
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            _require_sizes(entries, name)
            _require_parts([entry.filename for entry in entries], name)
            if any(entry.flag_bits & 1 for entry in entries):
                raise Refused(f"“{name}”设了打开密码，请取消密码后再上传。")
            for entry in entries:
                if entry.filename.lower().endswith((".xml", ".rels")):
                    with archive.open(entry) as part:
                        _require_plain(part.read(4096), name)
    except Refused:
        raise
    # A damaged directory raises a dozen kinds of error (struct, value, overflow, …); all mean the same.
    except Exception as problem:
        raise Refused(damaged) from problem


def _require_small_directory(file: BinaryIO, size: int, name: str) -> None:
    """Before the directory is taken into memory: half a million entries would take 400 MB of it."""
    file.seek(max(0, size - 66_000))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0:
        raise ValueError("no end of the directory")
    entries, length = struct.unpack_from("<HI", tail, at + 10)
    if tail[max(0, at - 20) :].startswith(b"PK\x06\x07"):  # the directory's size stands in the record before
        entries, length = struct.unpack_from("<QQ", tail, at - 20 - 56 + 32)
    if entries > MAX_ENTRIES or length > MAX_DIRECTORY:
        raise Refused(f"“{name}”由 {MAX_ENTRIES} 个以上的部件组成，不能接收。请只保留报表，另存后再上传。")
    file.seek(0)


def _require_sizes(entries: list[zipfile.ZipInfo], name: str) -> None:
    inflated = sum(entry.file_size for entry in entries)
    sheets = [entry for entry in entries if entry.filename.lower().startswith("xl/worksheets/sheet")]
    largest = max((entry.file_size for entry in entries), default=0)
    if len(entries) > MAX_ENTRIES or inflated > MAX_INFLATED or largest > MAX_PART:
        raise Refused(
            f"“{name}”展开后有 {inflated / MEGABYTE:,.0f} MB，不能接收。请只保留报表，删去图片、空行空列后另存再上传。"
        )
    if len(sheets) > MAX_SHEETS:
        raise Refused(
            f"“{name}”有 {len(sheets)} 张工作表，超过 {MAX_SHEETS} 张，不能接收。请只保留报表，另存后再上传。"
        )


# Programs that are not for tables, by a part that only they write.
_OTHERS = {
    "word/": "是 Word 文档，不是 Excel 或 WPS 表格",
    "ppt/": "是演示文稿，不是 Excel 或 WPS 表格",
    "xl/workbook.bin": "是 .xlsb 二进制格式，请另存为 .xlsx",
    "content.xml": "是 .ods 等开放文档格式，请另存为 .xlsx",
}


def _require_parts(written: list[str], name: str) -> None:
    names = {entry.replace("\\", "/").lower() for entry in written}
    if any(entry.endswith("vbaproject.bin") or entry.startswith("xl/macrosheets/") for entry in names):
        raise Refused(f"“{name}”带有宏，不能接收。请另存为不带宏的 .xlsx 后再上传。")
    if any(entry.startswith("xl/externallinks/") for entry in names):
        raise Refused(_external(name))
    if "[content_types].xml" not in names or "xl/workbook.xml" not in names:
        for part, kind in _OTHERS.items():
            if any(entry.startswith(part) for entry in names):
                raise Refused(f"“{name}”{kind}，{_UPLOAD}")
        raise Refused(
            f"“{name}”是压缩包，不是 Excel 或 WPS 表格，请解压后上传里面的 .xlsx、.xls 或 .et 文件。"
        )
    # Nothing is ever unpacked to a path, and two parts of one name are two readings of one file.
    is_odd = any(entry.startswith("/") or ".." in entry.split("/") or "\0" in entry for entry in names)
    if is_odd or len(names) != len(written):
        raise Refused(f"“{name}”的内部结构不正常，不能接收。请用 Excel 或 WPS 打开后另存为 .xlsx 再上传。")


def _require_plain(start: bytes, name: str) -> None:
    """No document type, in whichever encoding; the child looks for one further behind."""
    if any("<!DOCTYPE".encode(encoding) in start for encoding in ("utf-8", "utf-16-le", "utf-16-be")):
        raise Refused(_entities(name))


def _require_ole(file: BinaryIO, name: str) -> None:
    file.seek(0)
    content = file.read(MAX_SIZE)
    if _utf16("EncryptedPackage") in content:
        raise Refused(f"“{name}”设了打开密码，请取消密码后再上传。")
    if _utf16("_VBA_PROJECT_CUR") in content or _utf16("_VBA_PROJECT") in content:
        raise Refused(f"“{name}”带有宏，不能接收。请另存为 .xlsx 后再上传。")
    if _utf16("Workbook") not in content and _utf16("Book") not in content:
        raise Refused(f"“{name}”里没有表格（可能是文档或演示），{_UPLOAD}")


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le")
