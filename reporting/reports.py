"""送温暖报告: the narrative report as a file. Judged by its content, never by its name alone.

Notice 黑工办发〔2020〕30号 asks for the report beside the two forms; .docx .doc .pdf .wps up to 20 MB.
"""

from __future__ import annotations

import hashlib
import unicodedata
import zipfile
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from reporting.clock import now
from reporting.errors import Refused
from reporting.filling import lock_filing, require_editable
from reporting.models import Filing, Report
from unions.gate import Actor

MEGABYTE = 1024 * 1024
MAX_SIZE = 20 * MEGABYTE
# A Word document of 20 MB with pictures stays far below these; an archive made to burst does not.
MAX_INFLATED = 300 * MEGABYTE
MAX_ENTRIES = 5000

CONTENT_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "doc": "application/msword",
    "pdf": "application/pdf",
    "wps": "application/vnd.ms-works",
}
ACCEPT = ",".join(f".{kind}" for kind in CONTENT_TYPES)
_KINDS_SENTENCE = "请上传 .docx、.doc、.wps 或 .pdf 文件"

_OLE2 = bytes.fromhex("D0CF11E0A1B11AE1")
_WORD_STREAM = "WordDocument".encode("utf-16-le")
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_MACRO_STREAM = "_VBA_PROJECT".encode("utf-16-le")


def store_report(*, filing: Filing, upload: UploadedFile[Any], by: Actor) -> Report:
    """Keep an uploaded report as the next version and make it the current one.

    The same content as the current version again changes nothing. Raises Refused with the reason,
    WrongState when the filing is closed to changes, PermissionDenied without the role.
    """
    by.require("fill", filing.union)
    # The file is judged before the lock: a slow disk must not keep a colleague from saving cells.
    name = clean_name(upload.name or "")
    kind = require_document(upload, name)
    sha256 = _sha256(upload)
    report: Report | None = None
    try:
        with transaction.atomic():
            filing = lock_filing(filing.pk)
            by.require("fill", filing.union)
            require_editable(filing)
            if not filing.is_cell_open("report"):
                raise Refused("本次退回只开放指定的指标，送温暖报告不能更换。")
            current = filing.current_report
            if current and current.sha256 == sha256:
                return current
            report = Report(
                filing=filing,
                number=1 + filing.reports.count(),
                name=name,
                kind=kind,
                size=upload.size or 0,
                sha256=sha256,
                at=now(),
                by=by.person,
            )
            upload.seek(0)
            report.file.save(name, upload, save=False)
            report.save()
            filing.current_report = report
            filing.save(update_fields=["current_report"])
    except BaseException:
        # The row is gone with the transaction; the file would stay for ever.
        if report is not None and report.file.name:
            report.file.storage.delete(report.file.name)
        raise
    return report


def clean_name(name: str) -> str:
    """The people's file name without what could mislead on a screen or in a header (control characters,
    reversed writing), at most 200 characters, the extension kept."""
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C").strip()
    stem, dot, extension = name.rpartition(".")
    return f"{(stem or '送温暖报告')[:180]}{dot}{extension[:10]}" if dot else name[:200]


def require_document(upload: UploadedFile[Any], name: str) -> str:
    """The kind of the document. Raises Refused with a sentence that says what to do instead."""
    kind = name.rpartition(".")[2].lower() if "." in name else ""
    size = upload.size or 0
    if kind not in CONTENT_TYPES:
        raise Refused(f"“{name[:60]}”不是可以接收的文件类型，{_KINDS_SENTENCE}。")
    if size == 0:
        raise Refused(f"“{name[:60]}”是空文件，请检查后重新选择。")
    if size > MAX_SIZE:
        raise Refused(f"文件有 {size / MEGABYTE:.1f} MB，超过 20 MB。请压缩文中的图片后再上传。")
    upload.seek(0)
    start = upload.read(1024)
    if kind == "pdf":
        _require_pdf(upload, start, size)
    elif kind == "docx":
        _require_docx(upload, start)
    else:
        _require_word_binary(upload, start, kind)
    return kind


def _require_pdf(upload: UploadedFile[Any], start: bytes, size: int) -> None:
    if not start.startswith(b"%PDF-"):
        raise Refused(f"文件扩展名是 .pdf，内容却不是 PDF 文档，{_KINDS_SENTENCE}。")
    upload.seek(max(0, size - 2048))
    if b"%%EOF" not in upload.read():
        raise Refused("PDF 文件不完整（没有文件尾），可能没有下载或保存完，请重新导出后再上传。")


def _require_docx(upload: UploadedFile[Any], start: bytes) -> None:
    if start.startswith(_OLE2):
        if _contains(upload, _ENCRYPTED_STREAM):
            raise Refused("文档设了打开密码，请取消密码后再上传。")
        raise Refused("文件扩展名是 .docx，内容却是旧版格式，请在 Word 或 WPS 中另存为 .docx 后再上传。")
    if not start.startswith(b"PK\x03\x04"):
        raise Refused(f"文件扩展名是 .docx，内容却不是 Word 文档，{_KINDS_SENTENCE}。")
    upload.seek(0)
    try:
        with zipfile.ZipFile(upload.file or upload) as archive:
            entries = archive.infolist()
    # A damaged directory raises a dozen kinds of error (struct, value, overflow, …); all mean the same.
    except Exception as problem:
        raise Refused("Word 文档已损坏，打不开。请用 Word 或 WPS 重新保存后再上传。") from problem
    names = {entry.filename for entry in entries}
    if not {"[Content_Types].xml", "word/document.xml"} <= names:
        raise Refused(f"文件扩展名是 .docx，内容却不是 Word 文档，{_KINDS_SENTENCE}。")
    if any(entry_name.lower().endswith("vbaproject.bin") for entry_name in names):
        raise Refused("文档带有宏，不能接收。请另存为不带宏的 .docx 后再上传。")
    if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_INFLATED:
        raise Refused("文档展开后过大，不能接收。请压缩文中的图片，或另存为 PDF 后再上传。")


def _require_word_binary(upload: UploadedFile[Any], start: bytes, kind: str) -> None:
    if not start.startswith(_OLE2):
        if start.startswith(b"PK\x03\x04"):
            raise Refused(f"文件扩展名是 .{kind}，内容却是 .docx 或压缩包。请在 Word 或 WPS 中另存后再上传。")
        raise Refused(f"文件扩展名是 .{kind}，内容却不是 Word 或 WPS 文档，{_KINDS_SENTENCE}。")
    if not _contains(upload, _WORD_STREAM):
        raise Refused(f"文件扩展名是 .{kind}，里面却没有文字文档（可能是表格或演示），{_KINDS_SENTENCE}。")
    if _contains(upload, _MACRO_STREAM):
        raise Refused("文档带有宏，不能接收。请另存为 .docx 后再上传。")


def _contains(upload: UploadedFile[Any], needle: bytes) -> bool:
    """Search in pieces: 20 MB of a stranger's file need not stand in memory."""
    upload.seek(0)
    tail = b""
    for chunk in iter(lambda: upload.read(MEGABYTE), b""):
        if needle in tail + chunk:
            return True
        tail = chunk[-len(needle) :]
    return False


def _sha256(upload: UploadedFile[Any]) -> str:
    upload.seek(0)
    digest = hashlib.sha256()
    for chunk in iter(lambda: upload.read(MEGABYTE), b""):
        digest.update(chunk)
    return digest.hexdigest()
