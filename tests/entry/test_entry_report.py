"""送温暖报告: what is taken, what is refused and in which words, and what stays on disk."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from reporting.errors import Refused, WrongState
from reporting.models import Filing, Report
from reporting.reports import MEGABYTE, clean_name, store_report
from tests.cast import actor
from tests.entry.rounds import Scene
from unions.models import Person

SignIn = Callable[[Person], Client]

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\nstartxref\n0\n%%EOF\n"
OLE2 = bytes.fromhex("D0CF11E0A1B11AE1")
DOC = OLE2 + b"\0" * 504 + "WordDocument".encode("utf-16-le") + b"\0" * 488


def docx(*extra: str, size: int = 100) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("[Content_Types].xml", "word/document.xml", *extra):
            archive.writestr(name, b"\0" * size)
    return out.getvalue()


def plain_zip(**entries: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


GOOD = {
    "报告.pdf": PDF,
    "报告.docx": docx(),
    "报告.doc": DOC,
    "报告.wps": DOC,
    "大写.PDF": PDF,
    "报告.v2.docx": docx(),
}
# A function where making it takes long: only whoever runs that test makes it.
BAD: dict[str, tuple[str, bytes | Callable[[], bytes], str]] = {
    "an .exe": ("送温暖.exe", b"MZ" + b"\0" * 500, "不是可以接收的文件类型"),
    "an .exe renamed .docx": ("报告.docx", b"MZ" + b"\0" * 500, "内容却不是 Word 文档"),
    "an .exe renamed .pdf": ("报告.pdf", b"MZ" + b"\0" * 500, "内容却不是 PDF"),
    "an .exe renamed .doc": ("报告.doc", b"MZ" + b"\0" * 500, "内容却不是 Word"),
    "empty": ("报告.pdf", b"", "空文件"),
    "a PDF cut short": ("报告.pdf", PDF[:20], "不完整"),
    "a zip that is no document": ("报告.docx", plain_zip(a=b"x"), "内容却不是 Word 文档"),
    "a damaged docx": ("报告.docx", docx()[:-30], "已损坏"),
    "a docx with macros": ("报告.docx", docx("word/vbaProject.bin"), "带有宏"),
    "a docx that bursts": ("报告.docx", lambda: docx(*(f"word/m{n}.xml" for n in range(6)), size=60 * MEGABYTE), "展开后过大"),
    "a docx of too many entries": ("报告.docx", lambda: docx(*(f"w{n}" for n in range(5001)), size=0), "展开后过大"),
    "an old .doc named .docx": ("报告.docx", DOC, "旧版格式"),
    "a docx with a password": ("报告.docx", OLE2 + "EncryptedPackage".encode("utf-16-le"), "密码"),
    "a docx named .doc": ("报告.doc", docx(), "另存"),
    "an .xls named .wps": ("报告.wps", OLE2 + "Workbook".encode("utf-16-le"), "没有文字文档"),
    "a .doc with macros": ("报告.doc", DOC + "_VBA_PROJECT".encode("utf-16-le"), "带有宏"),
    "no extension": ("报告", PDF, "不是可以接收的文件类型"),
    "a picture": ("报告.jpg", b"\xff\xd8\xff", "不是可以接收的文件类型"),
    "21 MB": ("报告.pdf", PDF[:9] + b"\0" * 21 * MEGABYTE + b"%%EOF", "21.0 MB，超过 20 MB"),
}  # fmt: skip


def put(scene: Scene, name: str, content: bytes) -> Report:
    by = actor(scene.filler, scene.tree.harbin)
    return store_report(filing=scene.filing, upload=SimpleUploadedFile(name, content), by=by)


def on_disk(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", GOOD)
def test_documents_are_taken(name: str, scene: Scene) -> None:
    report = put(scene, name, GOOD[name])
    assert (report.number, report.name, report.size) == (1, name, len(GOOD[name]))
    with report.file.open() as stored:
        assert stored.read() == GOOD[name]
    assert Filing.objects.get(pk=scene.filing.pk).current_report == report


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_report_is_refused_in_words(what: str, scene: Scene, files_of_their_own: Path) -> None:
    name, content, words = BAD[what]
    with pytest.raises(Refused, match=words):
        put(scene, name, content() if callable(content) else content)
    assert not Report.objects.exists() and on_disk(files_of_their_own) == []


def test_versions_are_numbered_and_the_same_again_changes_nothing(scene: Scene) -> None:
    first = put(scene, "报告.pdf", PDF)
    assert put(scene, "报告（再传）.pdf", PDF) == first
    second = put(scene, "报告.docx", docx())
    third = put(scene, "报告.pdf", PDF)
    assert (second.number, third.number) == (2, 3)
    assert first.file.name != third.file.name


def test_a_file_does_not_stay_when_its_row_fails(
    scene: Scene, files_of_their_own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("disk")

    monkeypatch.setattr(Filing, "save", fail)
    with pytest.raises(RuntimeError):
        put(scene, "报告.pdf", PDF)
    assert on_disk(files_of_their_own) == [] and not Report.objects.exists()


def test_a_closed_report_is_refused_and_the_page_says_so(scene: Scene, sign_in: SignIn) -> None:
    Filing.objects.filter(pk=scene.filing.pk).update(state="returned", open_cells=["warmth:E1"])
    with pytest.raises(Refused, match="不能更换"):
        put(scene, "报告.pdf", PDF)
    page = sign_in(scene.filler).get(reverse("report_page", args=[scene.filing.pk])).content.decode()
    assert "报告不能更换" in page and 'type="file"' not in page
    Filing.objects.filter(pk=scene.filing.pk).update(state="submitted")
    with pytest.raises(WrongState):
        put(scene, "报告.pdf", PDF)


def test_an_ordinary_form_post_works_and_a_refusal_is_on_the_page(scene: Scene, sign_in: SignIn) -> None:
    client = sign_in(scene.filler)
    url = reverse("upload_report", args=[scene.filing.pk])
    answer = client.post(url, {"report": SimpleUploadedFile("报告.pdf", PDF)})
    assert (answer.status_code, answer["Location"]) == (302, reverse("report_page", args=[scene.filing.pk]))
    bad = client.post(url, {"report": SimpleUploadedFile("报告.pdf", b"MZ")})
    assert bad.status_code == 422 and "内容却不是 PDF" in bad.content.decode()
    assert client.post(url).status_code == 422


def test_the_script_gets_json(scene: Scene, sign_in: SignIn) -> None:
    client = sign_in(scene.filler)
    url = reverse("upload_report", args=[scene.filing.pk])
    headers = {"Accept": "application/json"}
    good = client.post(url, {"report": SimpleUploadedFile("报告.pdf", PDF)}, headers=headers)
    assert good.json() == {"number": 1, "name": "报告.pdf"}
    assert client.post(url, {"report": "words"}, headers=headers).status_code == 422
    upload = {"report": SimpleUploadedFile("报告.pdf", PDF)}
    assert Client().post(url, upload, headers=headers).status_code == 401
    assert sign_in(scene.auditor).post(url, upload, headers=headers).status_code == 403
    assert sign_in(scene.outsider).post(url, upload, headers=headers).status_code == 404


def test_a_download_keeps_its_chinese_name_and_stays_a_download(scene: Scene, sign_in: SignIn) -> None:
    report = put(scene, "送温暖报告 2021.pdf", PDF)
    answer = sign_in(scene.filler).get(reverse("download_report", args=[report.pk]))
    assert b"".join(answer.streaming_content) == PDF  # type: ignore[attr-defined]
    assert f"filename*=utf-8''{quote('送温暖报告 2021.pdf')}" in answer["Content-Disposition"]
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("报告.pdf", "报告.pdf"),
        ("a\r\nb\u202efdp.exe.pdf", "abfdp.exe.pdf"),
        (".pdf", "送温暖报告.pdf"),
        ("长" * 300 + ".docx", "长" * 180 + ".docx"),
    ],
)
def test_names_lose_what_misleads(given: str, kept: str) -> None:
    assert clean_name(given) == kept
