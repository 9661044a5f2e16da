"""What may be filed as material and what a file really is: extension and content must say the same.

The beginning of a file is enough to refuse most of what does not belong; a whole file is judged before a row of
it exists. Pictures of every kind of material are developed (`photographs`), so their places are never stored.
"""

from __future__ import annotations

import datetime
import io
import struct
from dataclasses import dataclass
from typing import IO

from delegations.files import photographs
from delegations.models import MaterialKind
from reporting import documents
from reporting.documents import ZIP, entries_of, extension_of, sha256_of
from reporting.errors import Refused

MEGABYTE = documents.MEGABYTE
MAX_SIZE = 50 * MEGABYTE
ENOUGH = 1024  # bytes from which `judge_start` can tell something
MOST_BOXES = 10_000  # of a film; one recorded in fragments of a second has two for each

_DOCUMENTS, _PICTURES = ("docx", "doc", "pdf"), ("jpg", "png", "webp")
FORMATS: dict[str, tuple[str, ...]] = {
    MaterialKind.REPORT: (*_DOCUMENTS, "wps"),
    MaterialKind.HOUSEHOLD: (*_DOCUMENTS, "wps", "xlsx", "xls", "et", *_PICTURES),
    MaterialKind.PHOTO: _PICTURES,
    MaterialKind.COVERAGE: (*_DOCUMENTS, *_PICTURES, "mp4", "mp3"),
}
# Other extensions of the same content; browsers save JPEG as .jfif.
ALIASES = {"jpeg": "jpg", "jfif": "jpg"}
CONTENT_TYPES = documents.CONTENT_TYPES | {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "mp3": "audio/mpeg",
}
_HEIC = (
    "苹果手机请在“设置 → 相机 → 格式”中选“兼容性最佳”，其他手机请在相机设置中关闭“高效格式（HEIF）”；"
    "已经拍好的，请在手机上导出为 JPEG 后再上传。"
)
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def accept(kind: str) -> str:
    """For a file input: ".jpg,.jpeg,…"."""
    formats = FORMATS[kind]
    return ",".join(f".{e}" for e in (*formats, *(a for a, of in ALIASES.items() if of in formats)))


def wanted(kind: str) -> str:
    names = "、".join(f".{format}" for format in FORMATS[kind])
    return f"{MaterialKind(kind).label}请上传 {names} 文件"


def format_of(kind: str, name: str) -> str:
    """The format that a name claims. Raises Refused when the kind does not take it."""
    extension = extension_of(name)
    format = ALIASES.get(extension, extension)
    if format in FORMATS[kind]:
        return format
    if extension in ("heic", "heif"):
        raise Refused(f"“{name[:60]}”是 HEIC 格式的照片，多数电脑打不开，不能接收。{_HEIC}")
    raise Refused(f"“{name[:60]}”不是可以接收的文件类型，{wanted(kind)}。")


# -- what a content is -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Content:
    """What was recognised: in words, and the formats whose extension it may carry."""

    words: str
    formats: tuple[str, ...] = ()


_UNKNOWN = Content("无法识别的内容")
_SIGNATURES = (
    (b"%PDF-", Content("PDF 文档", ("pdf",))),
    (b"\xff\xd8\xff", Content("JPEG 图片", ("jpg",))),
    (b"\x89PNG\r\n\x1a\n", Content("PNG 图片", ("png",))),
    (b"ID3", Content("MP3 音频", ("mp3",))),
    (b"MZ", Content("Windows 程序")),
    (b"\x7fELF", Content("Linux 程序")),
    (b"GIF8", Content("GIF 图片")),
    (b"BM", Content("BMP 图片")),
    (b"II*\0", Content("TIFF 图片")),
    (b"MM\0*", Content("TIFF 图片")),
    (b"Rar!", Content("RAR 压缩包")),
    (b"7z\xbc\xaf", Content("7z 压缩包")),
    (b"\x1f\x8b", Content("gzip 压缩包")),
    (b"{\\rtf", Content("RTF 文档")),
)


def recognise_start(start: bytes) -> Content:
    """By the first bytes alone. What needs the whole file (zip, OLE2) may be any of its formats."""
    if start.startswith(documents.OLE2):
        return Content("旧版 Office 或 WPS 文件", ("doc", "wps", "xls", "et", "docx", "xlsx"))
    if start.startswith(ZIP):
        return Content("压缩包或 Office 文件", ("docx", "xlsx", "doc", "wps", "xls", "et"))
    if start[4:8] == b"ftyp":
        return _film(start[8:12])
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return Content("WebP 图片", ("webp",))
    if _is_frame(start[:4]):
        return Content("MP3 音频", ("mp3",))
    for signature, content in _SIGNATURES:
        if start.startswith(signature):
            return content
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml")):
        return Content("SVG 图片或 XML 文件")
    if text.startswith((b"<!doctype", b"<html", b"<script", b"<head", b"<body")):
        return Content("网页文件")
    if start and not set(start) & set(b"\0\x01\x02\x03\x04\x05\x06"):
        return Content("文本文件")
    return _UNKNOWN


def _film(brand: bytes) -> Content:
    if brand in _HEIC_BRANDS:
        return Content("HEIC 照片")
    if brand in (b"avif", b"avis"):
        return Content("AVIF 图片")
    if brand == b"qt  ":
        return Content("苹果 MOV 视频")
    return Content("MP4 视频", ("mp4",))


def _recognise(file: IO[bytes]) -> Content:
    """Also by what an archive holds."""
    start = documents.head(file)
    if not start.startswith(ZIP):
        return recognise_start(start)
    entries = entries_of(file)
    names = {entry.filename for entry in entries or ()}
    if "word/document.xml" in names:
        return Content("Word 文档（.docx）", ("docx",))
    if "xl/workbook.xml" in names:
        return Content("Excel 表格（.xlsx）", ("xlsx",))
    if any(name.startswith("ppt/") for name in names):
        return Content("演示文稿")
    return recognise_start(start) if entries is None else Content("压缩包")


def _require_agreement(kind: str, name: str, content: Content) -> str:
    format = format_of(kind, name)
    if format in content.formats:
        return format
    space = " " if content.words[0].isascii() else ""
    what = f"“{name[:60]}”的扩展名是 .{extension_of(name)}，内容却是{space}{content.words}"
    if content.words == "HEIC 照片":
        raise Refused(f"{what}。{_HEIC}")
    fitting = [f for f in content.formats if f in FORMATS[kind]]
    if len(fitting) == 1:
        raise Refused(f"{what}。请把扩展名改成 .{fitting[0]} 后再上传。")
    raise Refused(f"{what}，不能接收。{wanted(kind)}。")


def judge_start(kind: str, name: str, file: IO[bytes]) -> None:
    """Refuse early, before 50 MB have travelled, what the first ENOUGH bytes already betray. Raises Refused."""
    format = _require_agreement(kind, name, recognise_start(documents.head(file, ENOUGH)))
    if format in ("png", "webp"):  # their sizes stand at the very beginning
        photographs.require_size(file, format)


# -- a whole file ------------------------------------------------------------------------------------------


@dataclass
class Judged:
    """What is kept of a file: `content` open at its beginning."""

    content: IO[bytes]
    format: str
    size: int
    sha256: str
    thumbnail: bytes = b""
    width: int | None = None
    height: int | None = None
    taken_at: datetime.datetime | None = None


def judge(kind: str, name: str, file: IO[bytes]) -> Judged:
    """A whole file. Raises Refused with a sentence that says what to do instead."""
    size = file.seek(0, io.SEEK_END)
    require_size(name, size)
    format = _require_agreement(kind, name, _recognise(file))
    photograph = None
    if format in photographs.PILLOW:
        photograph = photographs.develop(file, format)
        file = photograph.picture
        size = file.seek(0, io.SEEK_END)
    elif format == "mp4":
        _require_film(file, size)
    elif format == "mp3":
        _require_sound(file)
    else:
        documents.require_document(file, format, size, wanted=wanted(kind))
    judged = Judged(file, format, size, sha256_of(file))
    if photograph is not None:
        judged.thumbnail, judged.taken_at = photograph.thumbnail, photograph.taken_at
        judged.width, judged.height = photograph.width, photograph.height
    file.seek(0)
    return judged


def require_size(name: str, size: int) -> None:
    if size == 0:
        raise Refused(f"“{name[:60]}”是空文件，请检查后重新选择。")
    if size > MAX_SIZE:
        raise Refused(
            f"“{name[:60]}”有 {size / MEGABYTE:.1f} MB，超过 {MAX_SIZE // MEGABYTE} MB。"
            "请压缩后再上传；视频可以截取主要部分。"
        )


def _require_film(file: IO[bytes], size: int) -> None:
    """The boxes of an MP4 fill the file exactly, and one of them lists its contents (moov)."""
    position, found = 0, set()
    for _ in range(MOST_BOXES):
        if position == size:
            break
        file.seek(position)
        start = file.read(16)
        if len(start) < 8:
            raise Refused(_CUT)
        length, name = struct.unpack(">I4s", start[:8])
        if length == 1 and len(start) == 16:
            (length,) = struct.unpack(">Q", start[8:])
        elif length == 0:  # the last box, to the end
            length = size - position
        if length < 8 or position + length > size:
            raise Refused(_CUT)
        found.add(name)
        position += length
    if position < size or b"moov" not in found:
        raise Refused(_CUT)


_CUT = "视频不完整，可能没有录完或没有下载完。请在电脑上确认能从头播放到尾，再重新上传。"


def _require_sound(file: IO[bytes]) -> None:
    """Behind the tag, if there is one, stands a frame of layer III."""
    start = documents.head(file, 10)
    position = 0
    if start.startswith(b"ID3") and len(start) == 10:
        a, b, c, d = start[6:10]
        position = 10 + (a << 21 | b << 14 | c << 7 | d)
    file.seek(position)
    behind = file.read(64 * 1024).lstrip(b"\0")  # some programs pad more than they say
    if not _is_frame(behind[:4]):
        raise Refused("音频不完整或不是 MP3，请重新导出为 .mp3 后再上传。")


def _is_frame(header: bytes) -> bool:
    """MPEG audio: eleven bits of sync, a version, layer III, a bit rate and sampling rate that exist."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return False
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    return version != 1 and layer == 1 and 0 < header[2] >> 4 < 15 and header[2] >> 2 & 3 != 3
