"""What an administrator uploads at once: files, and zip archives with files in them. Names are data, never paths.

An archive is judged by its directory before anything of it is inflated, and what is inflated stays below the size
that the directory promised.
"""

from __future__ import annotations

import re
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO, Any, cast

from django.core.files import File
from django.core.files.uploadedfile import UploadedFile

from reporting.documents import MEGABYTE, ZIP, clean_name, entries_of
from reporting.errors import Refused
from reporting.reading.intake import MAX_SIZE

MOST_FILES = 300
MAX_INFLATED = 200 * MEGABYTE
# Of the directory itself: three hundred long names take a tenth of it.
MAX_DIRECTORY = MEGABYTE

_EMPTY_ZIP = b"PK\x05\x06"
_UTF8_NAME, _ENCRYPTED = 0x800, 0x1
# What lies beside the tables in such a folder: reports, scans. Anything else is judged by its content.
_OTHER_DOCUMENTS = (".doc", ".docx", ".wps", ".pdf", ".ofd", ".txt", ".jpg", ".jpeg", ".png", ".ppt", ".pptx")
_OTHER_ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".gz")


@dataclass(frozen=True)
class Member:
    """One file: its name as people see it, or why it is not read. `open` gives at most `size` bytes."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]
    sentence: str = ""


def members_of(uploads: Sequence[UploadedFile[Any]], names: Sequence[str] = ()) -> list[Member]:
    """The files of an upload, those inside archives too, without what programs leave behind (~$…, .DS_Store).

    `names` are the paths that a chosen folder has given them. Raises Refused for too many, too much, or an archive
    that can't be read.
    """
    names = names if len(names) == len(uploads) else [upload.name or "" for upload in uploads]
    members: list[Member] = []
    for upload, name in zip(uploads, names, strict=True):
        content = cast("IO[bytes]", upload.file or upload)
        entries = _archive(content, name)
        if entries is not None:
            members += _packed_members(content, entries)
        elif not _is_litter(name):
            members.append(_judged(shown(name), upload.size or 0, _whole(content)))
    if len(members) > MOST_FILES:
        raise Refused(f"共有 {len(members)} 个文件，一次最多 {MOST_FILES} 个。请分几次上传。")
    inflated = sum(member.size for member in members)
    if inflated > MAX_INFLATED:
        raise Refused(
            f"展开后共有 {inflated / MEGABYTE:.0f} MB，一次最多 {MAX_INFLATED // MEGABYTE} MB。"
            "请只保留各单位的报表，或者分几次上传。"
        )
    return sorted(_without_common_folder(members), key=lambda member: member.name)


def _without_common_folder(members: list[Member]) -> list[Member]:
    """The folder that everything lies in says nothing of a single file."""
    folders = [member.name.split("/")[:-1] for member in members]
    common = 0
    while folders and all(len(f) > common and f[common] == folders[0][common] for f in folders):
        common += 1
    return [replace(member, name="/".join(member.name.split("/")[common:])) for member in members]


def _whole(content: IO[bytes]) -> Callable[[], IO[bytes]]:
    def opened() -> IO[bytes]:
        content.seek(0)
        return content

    return opened


def _judged(name: str, size: int, open: Callable[[], IO[bytes]]) -> Member:
    sentence = ""
    if size > MAX_SIZE:
        sentence = f"有 {size / MEGABYTE:.1f} MB，超过 {MAX_SIZE // MEGABYTE} MB，没有读取。请只保留报表，另存后再上传。"
    elif name.lower().endswith(_OTHER_ARCHIVES):
        sentence = "压缩包里的压缩包，或不是 zip 的压缩包，没有展开。请解开后再上传。"
    elif name.lower().endswith(_OTHER_DOCUMENTS):
        sentence = "不是 Excel 或 WPS 表格，没有读取。"
    return Member(name, size, open, sentence)


# -- archives ----------------------------------------------------------------------------------------------


def _archive(content: IO[bytes], name: str) -> list[zipfile.ZipInfo] | None:
    """The entries of a zip archive; None for anything else. A workbook is a zip as well, but says so inside."""
    content.seek(0)
    start = content.read(4)
    called_zip = name.lower().endswith(".zip")
    if start not in (ZIP, _EMPTY_ZIP):
        if called_zip:
            raise Refused(f"“{name[-60:]}”不是 zip 压缩包，或者已损坏。请重新压缩后再上传。")
        return None
    _require_small_directory(content, name)
    entries = entries_of(content)
    if entries is None:
        if called_zip:
            raise Refused(f"“{name[-60:]}”已损坏，打不开，可能没有下载完整。请重新压缩后再上传。")
        return None
    if any(entry.filename == "[Content_Types].xml" for entry in entries):
        return None
    return entries if called_zip or _holds_workbooks(entries) else None


def _holds_workbooks(entries: Iterable[zipfile.ZipInfo]) -> bool:
    return any(entry.filename.lower().endswith((".xlsx", ".xls", ".et")) for entry in entries)


def _require_small_directory(content: IO[bytes], name: str) -> None:
    """A directory of a million entries takes a gigabyte of memory before anybody could count them."""
    content.seek(0, 2)
    content.seek(max(0, content.tell() - 65_557))
    tail = content.read()
    at = tail.rfind(_EMPTY_ZIP)
    if at >= 0 and len(tail) >= at + 16 and struct.unpack_from("<I", tail, at + 12)[0] > MAX_DIRECTORY:
        raise Refused(f"“{name[-60:]}”里的文件过多，一次最多 {MOST_FILES} 个。请分几次上传。")


def _packed_members(content: IO[bytes], entries: Iterable[zipfile.ZipInfo]) -> list[Member]:
    members = []
    for entry in entries:
        name = _name(entry)
        if entry.is_dir() or _is_litter(name):
            continue
        member = _judged(shown(name), entry.file_size, _inside(content, entry))
        sentence = member.sentence
        if entry.flag_bits & _ENCRYPTED:
            sentence = "压缩包设了密码，没有读取。请取消密码后再上传。"
        elif entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # The other ways inflate a little into very much before anybody could stop them.
            sentence = "压缩方式不支持，没有读取。请用系统自带的压缩功能重新压缩后再上传。"
        members.append(replace(member, sentence=sentence))
    return members


def _inside(content: IO[bytes], entry: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    return lambda: zipfile.ZipFile(content).open(entry)


def _name(entry: zipfile.ZipInfo) -> str:
    """Names that are not marked as UTF-8: Windows in China writes GBK, some programs write UTF-8 nevertheless."""
    if entry.flag_bits & _UTF8_NAME:
        return entry.filename
    try:
        raw = entry.filename.encode("cp437")
    except UnicodeEncodeError:
        return entry.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename


def shown(name: str) -> str:
    """A path for reading: without drives, dots and what could mislead on a screen."""
    parts = [part.strip() for part in re.split(r"[/\\]+", name)]
    kept = [part for part in parts if part not in ("", ".", "..") and not part.endswith(":")]
    return "/".join(clean_name(part, "未命名") for part in kept) or "未命名"


def _is_litter(name: str) -> bool:
    parts = re.split(r"[/\\]+", name)
    last = parts[-1]
    return (
        not last
        or "__MACOSX" in parts
        or last.startswith(("~$", "._"))
        or last.lower() in (".ds_store", "thumbs.db", "desktop.ini")
    )


# -- keeping them ------------------------------------------------------------------------------------------


@contextmanager
def packed(members: Sequence[Member]) -> Iterator[tuple[File[bytes], list[str]]]:
    """The files as one archive of our own, named by their numbers; and why some of them could not be taken."""
    sentences = [member.sentence for member in members]
    with tempfile.TemporaryFile() as made:
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for number, member in enumerate(members):
                if not sentences[number]:
                    sentences[number] = _copy(member, archive, str(number))
        made.seek(0)
        yield File(made), sentences


def _copy(member: Member, archive: zipfile.ZipFile, name: str) -> str:
    with tempfile.TemporaryFile() as copy:
        try:
            source = member.open()
            for chunk in iter(lambda: source.read(MEGABYTE), b""):
                copy.write(chunk)
        # A stranger's archive raises a dozen kinds of error; all mean the same.
        except Exception:
            return "压缩包里的这个文件已损坏，读不出来。请重新压缩后再上传。"
        copy.seek(0)
        with archive.open(name, "w") as target:
            for chunk in iter(lambda: copy.read(MEGABYTE), b""):
                target.write(chunk)
    return ""
