"""盖章扫描件: the signed and stamped sheet of one round as a file, beside the figures it belongs to.

Attached by the union itself to what it has submitted, never required. A later round needs its own; earlier versions
of one round stay. Notice 黑工办发〔2020〕30号: the forms are filed stamped, 填报单位（盖章）.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import IO, Any, cast

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from reporting import documents
from reporting.clock import now
from reporting.documents import MEGABYTE, clean_name, extension_of
from reporting.errors import Refused, WrongState
from reporting.filling import lock_filing
from reporting.models import Filing, Scan
from reporting.paper.pictures import clean_picture
from unions.gate import Actor

MAX_SIZE = 20 * MEGABYTE
CONTENT_TYPES = {"pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png"}
ACCEPT = ".pdf,.jpg,.jpeg,.png"
WANTED = "请上传 .pdf、.jpg 或 .png 文件"
_STARTS = {"jpg": b"\xff\xd8\xff", "png": b"\x89PNG\r\n\x1a\n"}


def may_attach(filing: Filing) -> bool:
    """Whether there is a round to attach a scan to now; who may is the gate's to say."""
    return not filing.is_editable and filing.current_round_id is not None and not filing.campaign.is_closed


def store_scan(*, filing: Filing, upload: UploadedFile[Any], round_number: int, by: Actor) -> Scan:
    """Keep an uploaded scan as the next version for the submitted round. The same content again changes nothing.

    Raises Refused with the reason, WrongState when it is not the round that the page showed or the filing is open to
    changes, PermissionDenied without the role.
    """
    by.require("fill", filing.union)
    # Judged and cleaned before the lock: a large picture must not keep a reviewer waiting.
    name = clean_name(upload.name or "", "盖章扫描件")
    kind, content = judged(cast("IO[bytes]", upload.file or upload), name, upload.size or 0)
    sha256 = documents.sha256_of(io.BytesIO(content))
    scan: Scan | None = None
    try:
        with transaction.atomic():
            filing = lock_filing(filing.pk)
            by.require("fill", filing.union)
            round_ = filing.current_round
            _require_round(filing, round_number)
            assert round_ is not None
            versions = list(round_.scans.all())
            if versions and versions[0].sha256 == sha256:
                return versions[0]
            scan = Scan(
                round=round_,
                number=1 + len(versions),
                name=name,
                kind=kind,
                size=len(content),
                sha256=sha256,
                at=now(),
                by=by.person,
            )
            scan.file.save(name, ContentFile(content), save=False)
            scan.save()
    except BaseException:
        # The row is gone with the transaction; the file would stay for ever.
        if scan is not None and scan.file.name:
            scan.file.storage.delete(scan.file.name)
        raise
    return scan


def _require_round(filing: Filing, round_number: int) -> None:
    if filing.campaign.is_closed:
        raise WrongState("本次报送任务已结束，不再接收扫描件。")
    if filing.current_round is None:
        raise WrongState("报送件还没有上报。请上报后打印、盖章，再上传扫描件。")
    if filing.is_editable:
        raise WrongState(
            f"报送件{filing.get_state_display()}，第 {filing.current_round.number} 轮的扫描件不再接收。"
            "请重新上报后，打印新的一轮盖章，再上传扫描件。"
        )
    if filing.current_round.number != round_number:
        raise WrongState(
            f"报送件现在是第 {filing.current_round.number} 轮，您打开页面时是第 {round_number} 轮。"
            "请核对扫描件上的校验码后重新上传。"
        )


def judged(file: IO[bytes], name: str, size: int) -> tuple[str, bytes]:
    """(kind, what is kept) of a file from outside; pictures without metadata. Raises Refused."""
    extension = extension_of(name)
    kind = "jpg" if extension == "jpeg" else extension
    shown = name[:60]
    if kind not in CONTENT_TYPES:
        raise Refused(f"“{shown}”不是可以接收的文件类型，{WANTED}。")
    if size == 0:
        raise Refused(f"“{shown}”是空文件，请检查后重新选择。")
    if size > MAX_SIZE:
        raise Refused(f"文件有 {size / MEGABYTE:.1f} MB，超过 20 MB。请把扫描分辨率调到 300 dpi 后重新扫描。")
    if kind == "pdf":
        documents.require_document(file, kind, size, wanted=WANTED)
        file.seek(0)
        return kind, file.read()
    if not documents.head(file).startswith(_STARTS[kind]):
        raise Refused(f"文件扩展名是 .{extension}，内容却不是这种图片，{WANTED}。")
    content = clean_picture(file, kind)
    if len(content) > MAX_SIZE:
        raise Refused(
            f"图片展开后有 {len(content) / MEGABYTE:.1f} MB，超过 20 MB。请存为 .jpg，或把分辨率调到 300 dpi 后重新扫描。"
        )
    return kind, content


def scans_of(rounds: Iterable[int]) -> dict[int, list[Scan]]:
    """{round id: its versions, the newest first}, one query."""
    found: dict[int, list[Scan]] = {}
    for scan in Scan.objects.filter(round__in=list(rounds)).select_related("by").order_by("-number"):
        found.setdefault(scan.round_id, []).append(scan)
    return found
