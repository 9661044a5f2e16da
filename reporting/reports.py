"""送温暖报告: the narrative report as a file. Judged by its content, never by its name alone.

Notice 黑工办发〔2020〕30号 asks for the report beside the two forms; .docx .doc .pdf .wps up to 20 MB.
"""

from __future__ import annotations

from typing import IO, Any, cast

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from reporting import documents
from reporting.clock import now
from reporting.documents import MEGABYTE, clean_name, extension_of, sha256_of
from reporting.documents import require_document as require_content
from reporting.errors import Refused
from reporting.filling import lock_filing, require_editable
from reporting.models import Filing, Report
from unions.gate import Actor

MAX_SIZE = 20 * MEGABYTE
CONTENT_TYPES = {kind: documents.CONTENT_TYPES[kind] for kind in ("docx", "doc", "pdf", "wps")}
ACCEPT = ",".join(f".{kind}" for kind in CONTENT_TYPES)
_KINDS_SENTENCE = "请上传 .docx、.doc、.wps 或 .pdf 文件"


def store_report(*, filing: Filing, upload: UploadedFile[Any], by: Actor) -> Report:
    """Keep an uploaded report as the next version and make it the current one.

    The same content as the current version again changes nothing. Raises Refused with the reason,
    WrongState when the filing is closed to changes, PermissionDenied without the role.
    """
    by.require("fill", filing.union)
    # The file is judged before the lock: a slow disk must not keep a colleague from saving cells.
    name = clean_name(upload.name or "")
    kind = require_document(upload, name)
    sha256 = sha256_of(_content(upload))
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


def require_document(upload: UploadedFile[Any], name: str) -> str:
    """The kind of the document. Raises Refused with a sentence that says what to do instead."""
    kind = extension_of(name)
    size = upload.size or 0
    if kind not in CONTENT_TYPES:
        raise Refused(f"“{name[:60]}”不是可以接收的文件类型，{_KINDS_SENTENCE}。")
    if size == 0:
        raise Refused(f"“{name[:60]}”是空文件，请检查后重新选择。")
    if size > MAX_SIZE:
        raise Refused(f"文件有 {size / MEGABYTE:.1f} MB，超过 20 MB。请压缩文中的图片后再上传。")
    require_content(_content(upload), kind, size, wanted=_KINDS_SENTENCE)
    return kind


def _content(upload: UploadedFile[Any]) -> IO[bytes]:
    return cast("IO[bytes]", upload.file or upload)
