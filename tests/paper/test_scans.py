"""盖章扫描件: judged by its content, kept by version, of one round; never required, never the reviewer's."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from reporting import workflow
from reporting.errors import Refused, WrongState
from reporting.models import Campaign, Filing, Scan
from reporting.paper import scans
from reporting.paper.scans import store_scan
from tests.workflow.stage import Stage
from unions.gate import Actor, Role

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


def picture(kind: str = "JPEG", size: tuple[int, int] = (60, 40), **options: Any) -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", size, "white")
    image.paste("red", (0, 0, 10, 10))
    image.save(out, kind, **options)
    return out.getvalue()


def upload(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def store(
    stage: Stage, filing: Filing, name: str = "扫描.pdf", content: bytes = PDF, number: int = 1
) -> Scan:
    return store_scan(
        filing=filing, upload=upload(name, content), round_number=number, by=stage.submitter(filing.union)
    )


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("扫描.pdf", PDF, "pdf"),
        ("扫描.PDF", PDF, "pdf"),
        ("扫描.jpg", picture(), "jpg"),
        ("扫描.jpeg", picture(), "jpg"),
        ("扫描.png", picture("PNG"), "png"),
    ],
)
@pytest.mark.parametrize("state", ["submitted", "approved"])
def test_what_a_scanner_makes_is_kept(stage: Stage, state: str, name: str, content: bytes, kind: str) -> None:
    filing = stage.in_state(stage.tree.harbin, state)
    scan = store(stage, filing, name, content)
    assert (scan.number, scan.kind, scan.name) == (1, kind, name)
    assert scan.file.size == scan.size
    # Opaque on disk: what people call it is no path.
    assert Path(scan.file.name).parent.name == str(filing.pk) and "扫描" not in scan.file.name


def test_a_picture_loses_what_it_tells_about_places_and_stands_upright(stage: Stage) -> None:
    image = Image.new("RGB", (60, 40), "white")
    exif = image.getexif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    exif[0x010F] = "某手机"
    exif.get_ifd(0x8825)[1] = "N"  # where it was taken
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif, comment=b"secret")
    scan = store(stage, stage.submitted(stage.tree.harbin), "照片.jpg", out.getvalue())
    with scan.file.open("rb") as file:
        content = file.read()
    with Image.open(io.BytesIO(content)) as kept:
        assert kept.size == (40, 60)
        assert not kept.getexif() and "comment" not in kept.info
    assert b"secret" not in content


def bomb() -> bytes:
    """A PNG of 20 000 × 20 000 pixels in a few bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("扫描.docx", b"PK\x03\x04", "不是可以接收的文件类型"),
        ("扫描.tif", b"II*\0", "不是可以接收的文件类型"),
        ("扫描", PDF, "不是可以接收的文件类型"),
        ("扫描.pdf", b"", "是空文件"),
        ("扫描.pdf", b"MZ\x90\0", "内容却不是 PDF 文档"),
        ("扫描.pdf", b"%PDF-1.7\nhalf", "PDF 文件不完整"),
        ("扫描.pdf", picture(), "内容却不是 PDF 文档"),
        ("扫描.jpg", PDF, "内容却不是这种图片"),
        ("扫描.png", picture(), "内容却不是这种图片"),
        ("扫描.jpg", picture(size=(900, 900))[:3000], "不完整或已损坏"),
        ("扫描.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "不完整或已损坏"),
        ("扫描.png", bomb(), "300 dpi"),
    ],
)
def test_what_is_refused_has_a_reason_and_leaves_nothing(
    stage: Stage, tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    filing = stage.submitted(stage.tree.harbin)
    with pytest.raises(Refused, match=sentence):
        store(stage, filing, name, content)
    assert not Scan.objects.exists()
    assert not list((tmp_path / "media").rglob("*.*"))


def test_what_is_too_large_is_refused_unread(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    filing = stage.submitted(stage.tree.harbin)
    monkeypatch.setattr(scans, "MAX_SIZE", 10)
    with pytest.raises(Refused, match="超过 20 MB"):
        store(stage, filing)


def test_versions_stay_and_the_same_again_is_none(stage: Stage) -> None:
    filing = stage.submitted(stage.tree.harbin)
    first = store(stage, filing)
    assert store(stage, filing).pk == first.pk
    second = store(stage, filing, content=PDF + b"%%EOF")
    assert second.number == 2
    # What was replaced can be put back: that is a third version.
    assert store(stage, filing).number == 3
    assert first.file.storage.exists(first.file.name)


@pytest.mark.parametrize("state", ["draft", "returned"])
def test_there_is_no_round_to_attach_it_to(stage: Stage, state: str) -> None:
    filing = stage.in_state(stage.tree.harbin, state)
    with pytest.raises(WrongState, match="上报"):
        store(stage, filing)
    assert not Scan.objects.exists()


def test_a_later_round_needs_its_own(stage: Stage, browse: Callable[[Actor], Client]) -> None:
    filing = stage.submitted(stage.tree.harbin)
    store(stage, filing)
    workflow.send_back(
        filing=filing, round_number=1, reason="请核对数据", by=stage.reviewer(stage.tree.harbin)
    )
    filing = stage.submitted(stage.tree.harbin, warmth_E1=4)
    with pytest.raises(WrongState, match="现在是第 2 轮，您打开页面时是第 1 轮"):
        store(stage, filing, content=PDF + b"%%EOF", number=1)
    page = browse(stage.reviewer(stage.tree.harbin)).get(reverse("review_page", args=[filing.pk]))
    assert "盖章扫描件" in page.content.decode() and page.context["scans"] == []
    history = browse(stage.reviewer(stage.tree.harbin)).get(reverse("history", args=[filing.pk]))
    assert [len(found) for _, found, _ in history.context["rounds"]] == [0, 1]


def test_a_missing_scan_blocks_nothing(stage: Stage) -> None:
    filing = stage.submitted(stage.tree.harbin)
    workflow.approve(filing=filing, round_number=1, by=stage.reviewer(stage.tree.harbin))
    assert stage.filing(stage.tree.harbin).state == Filing.State.APPROVED


def test_a_closed_campaign_takes_none(stage: Stage) -> None:
    filing = stage.submitted(stage.tree.harbin)
    Campaign.objects.update(is_closed=True)
    with pytest.raises(WrongState, match="已结束"):
        store(stage, filing)


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.ADMINISTRATOR, Role.AUDITOR])
def test_nobody_above_attaches_one(stage: Stage, role: Role) -> None:
    filing = stage.submitted(stage.tree.harbin)
    with pytest.raises(PermissionDenied):
        store_scan(
            filing=filing,
            upload=upload("扫描.pdf", PDF),
            round_number=1,
            by=stage.actor(stage.tree.province, role),
        )


def test_a_failure_after_the_file_was_written_leaves_no_file(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filing = stage.submitted(stage.tree.harbin)

    def fail(self: Any, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(Scan, "save", fail)
    with pytest.raises(RuntimeError):
        store(stage, filing)
    assert not list((tmp_path / "media").rglob("*.pdf"))


# -- over the web ------------------------------------------------------------------------------------------


def test_its_union_uploads_and_the_level_above_looks(stage: Stage, browse: Callable[[Actor], Client]) -> None:
    filing = stage.submitted(stage.tree.harbin)
    filler = browse(stage.actor(stage.tree.harbin, Role.FILLER))
    page = reverse("filing_paper", args=[filing.pk])
    assert "未上传" in filler.get(page).content.decode()
    sent = {"round": "1", "scan": upload("盖章.jpg", picture())}
    answer = filler.post(reverse("upload_scan", args=[filing.pk]), sent, follow=True)
    assert "“盖章.jpg”已上传（第 1 轮，第 1 版）。" in answer.content.decode()
    scan = Scan.objects.get()
    reviewer = browse(stage.reviewer(stage.tree.harbin))
    review = reviewer.get(reverse("review_page", args=[filing.pk])).content.decode()
    assert f'data-src="{reverse("scan", args=[scan.pk])}"' in review
    shown = reviewer.get(reverse("scan", args=[scan.pk]))
    assert shown["Content-Type"] == "image/jpeg"
    assert shown["Content-Disposition"].startswith("inline")
    assert shown["X-Frame-Options"] == "SAMEORIGIN" and shown["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'self'" in shown["Content-Security-Policy"]
    assert "default-src 'none'" in shown["Content-Security-Policy"]
    assert b"".join(shown.streaming_content).startswith(b"\xff\xd8")


def test_a_refusal_is_said_on_the_page(stage: Stage, browse: Callable[[Actor], Client]) -> None:
    filing = stage.submitted(stage.tree.harbin)
    client = browse(stage.submitter(stage.tree.harbin))
    address = reverse("upload_scan", args=[filing.pk])
    cases = [
        ({"round": "1"}, 422, "请先选择要上传的扫描件"),
        ({"round": "1", "scan": upload("a.pdf", b"x")}, 422, "内容却不是 PDF"),
        ({"round": "7", "scan": upload("a.pdf", PDF)}, 409, "您打开页面时是第 7 轮"),
        ({"round": "²", "scan": upload("a.pdf", PDF)}, 409, "您打开页面时是第 0 轮"),
    ]
    for sent, status, sentence in cases:
        answer = client.post(address, sent)
        assert answer.status_code == status
        assert sentence in answer.content.decode()


def test_a_file_that_is_gone_is_a_sentence(stage: Stage, browse: Callable[[Actor], Client]) -> None:
    scan = store(stage, stage.submitted(stage.tree.harbin))
    scan.file.storage.delete(scan.file.name)
    client = browse(stage.submitter(stage.tree.harbin))
    answer = client.get(reverse("scan", args=[scan.pk]), follow=True)
    assert "找不到这份扫描件的文件" in answer.content.decode()
