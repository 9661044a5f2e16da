"""What a document is, judged by its content, never by its name alone: PDF, Word, WPS and Excel.

Every `require_…` reads an open file from anywhere to anywhere and raises Refused with a sentence that says what
to do instead; `wanted` is its end, "请上传 … 文件". Nothing here inflates or interprets a stranger's file.
"""

from __future__ import annotations

import hashlib
import unicodedata
import zipfile
from typing import IO

from reporting.errors import Refused

MEGABYTE = 1024 * 1024
# A Word document of 20 MB with pictures stays far below these; an archive made to burst does not.
MAX_INFLATED = 300 * MEGABYTE
MAX_ENTRIES = 5000

CONTENT_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "doc": "application/msword",
    "pdf": "application/pdf",
    "wps": "application/vnd.ms-works",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xls": "application/vnd.ms-excel",
    "et": "application/vnd.ms-excel",
}

OLE2 = bytes.fromhex("D0CF11E0A1B11AE1")
ZIP = b"PK\x03\x04"
PDF = b"%PDF-"
WORD_STREAM = "WordDocument".encode("utf-16-le")
EXCEL_STREAMS = ("Workbook".encode("utf-16-le"), "Book\0".encode("utf-16-le"))  # since 97; Excel 5 and 95
ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_MACRO_STREAM = "_VBA_PROJECT".encode("utf-16-le")
# What a packed document must hold.
_PARTS = {
    "docx": ("Word 文档", "文档", {"[Content_Types].xml", "word/document.xml"}),
    "xlsx": ("Excel 表格", "表格", {"[Content_Types].xml", "xl/workbook.xml"}),
}


def clean_name(name: str, otherwise: str = "送温暖报告") -> str:
    """The people's file name without what could mislead on a screen or in a header (control characters,
    reversed writing), at most 200 characters, the extension kept. `otherwise` stands in for a missing stem."""
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C").strip()
    stem, dot, extension = name.rpartition(".")
    return f"{(stem or otherwise)[:180]}{dot}{extension[:10]}" if dot else name[:200]


def extension_of(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def require_document(file: IO[bytes], extension: str, size: int, *, wanted: str) -> None:
    """`file` is a sound document of the kind its extension says; the extension is a key of CONTENT_TYPES."""
    start = head(file)
    if extension == "pdf":
        _require_pdf(file, start, size, wanted)
    elif extension in _PARTS:
        _require_packed(file, start, extension, wanted)
    elif extension in ("xls", "et"):
        _require_excel_binary(file, start, extension, wanted)
    else:
        _require_word_binary(file, start, extension, wanted)


def head(file: IO[bytes], size: int = 1024) -> bytes:
    file.seek(0)
    return file.read(size)


def _require_pdf(file: IO[bytes], start: bytes, size: int, wanted: str) -> None:
    if not start.startswith(PDF):
        raise Refused(f"文件扩展名是 .pdf，内容却不是 PDF 文档，{wanted}。")
    file.seek(max(0, size - 2048))
    if b"%%EOF" not in file.read():
        raise Refused("PDF 文件不完整（没有文件尾），可能没有下载或保存完，请重新导出后再上传。")


def _require_packed(file: IO[bytes], start: bytes, extension: str, wanted: str) -> None:
    """.docx and .xlsx, which are zip archives. Their directory is read, their content is not inflated."""
    what, short, parts = _PARTS[extension]
    if start.startswith(OLE2):
        if contains(file, ENCRYPTED_STREAM):
            raise Refused(f"{short}设了打开密码，请取消密码后再上传。")
        program = "Word" if extension == "docx" else "Excel"
        raise Refused(
            f"文件扩展名是 .{extension}，内容却是旧版格式，请在 {program} 或 WPS 中另存为 .{extension} 后再上传。"
        )
    if not start.startswith(ZIP):
        raise Refused(f"文件扩展名是 .{extension}，内容却不是 {what}，{wanted}。")
    entries = entries_of(file)
    if entries is None:
        raise Refused(f"{what}已损坏，打不开。请用 {what.partition(' ')[0]} 或 WPS 重新保存后再上传。")
    names = {entry.filename for entry in entries}
    if not parts <= names:
        raise Refused(f"文件扩展名是 .{extension}，内容却不是 {what}，{wanted}。")
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise Refused(f"{short}带有宏，不能接收。请另存为不带宏的 .{extension} 后再上传。")
    if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_INFLATED:
        raise Refused(f"{short}展开后过大，不能接收。请压缩文中的图片，或另存为 PDF 后再上传。")


def entries_of(file: IO[bytes]) -> list[zipfile.ZipInfo] | None:
    """The directory of a zip archive; None when it can't be read."""
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.infolist()
    # A damaged directory raises a dozen kinds of error (struct, value, overflow, …); all mean the same.
    except Exception:
        return None


def _require_word_binary(file: IO[bytes], start: bytes, extension: str, wanted: str) -> None:
    if not start.startswith(OLE2):
        if start.startswith(ZIP):
            raise Refused(
                f"文件扩展名是 .{extension}，内容却是 .docx 或压缩包。请在 Word 或 WPS 中另存后再上传。"
            )
        raise Refused(f"文件扩展名是 .{extension}，内容却不是 Word 或 WPS 文档，{wanted}。")
    if not contains(file, WORD_STREAM):
        raise Refused(f"文件扩展名是 .{extension}，里面却没有文字文档（可能是表格或演示），{wanted}。")
    if contains(file, _MACRO_STREAM):
        raise Refused("文档带有宏，不能接收。请另存为 .docx 后再上传。")


def _require_excel_binary(file: IO[bytes], start: bytes, extension: str, wanted: str) -> None:
    if not start.startswith(OLE2):
        if start.startswith(ZIP):
            raise Refused(
                f"文件扩展名是 .{extension}，内容却是 .xlsx 或压缩包。请在 Excel 或 WPS 中另存后再上传。"
            )
        raise Refused(f"文件扩展名是 .{extension}，内容却不是 Excel 或 WPS 表格，{wanted}。")
    if not any(contains(file, stream) for stream in EXCEL_STREAMS):
        raise Refused(f"文件扩展名是 .{extension}，里面却没有表格（可能是文字或演示），{wanted}。")
    if contains(file, _MACRO_STREAM):
        raise Refused("表格带有宏，不能接收。请另存为 .xlsx 后再上传。")


def contains(file: IO[bytes], needle: bytes) -> bool:
    """Search in pieces: 50 MB of a stranger's file need not stand in memory."""
    file.seek(0)
    tail = b""
    for chunk in iter(lambda: file.read(MEGABYTE), b""):
        if needle in tail + chunk:
            return True
        tail = chunk[-len(needle) :]
    return False


def sha256_of(file: IO[bytes]) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    for chunk in iter(lambda: file.read(MEGABYTE), b""):
        digest.update(chunk)
    return digest.hexdigest()
