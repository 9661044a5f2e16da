"""What may be filed as which material, and that a name can't pass a file off as something else."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import pytest

from delegations.files.contents import FORMATS, accept, judge, recognise_start
from delegations.models import MaterialKind
from reporting.documents import MEGABYTE
from reporting.errors import Refused
from tests.delegations import made_files as made

GOOD = {
    "docx": made.docx(),
    "doc": made.DOC,
    "wps": made.DOC,
    "pdf": made.PDF,
    "xlsx": made.xlsx(),
    "xls": made.XLS,
    "et": made.XLS,
    "jpg": made.jpeg(),
    "png": made.png(),
    "webp": made.webp(),
    "mp4": made.mp4(),
    "mp3": made.mp3(),
}
# A function where making it takes long: only whoever runs that test makes it.
BAD: dict[str, tuple[str, str, bytes | Callable[[], bytes], str]] = {
    "an .exe renamed .jpg": ("photo", "现场.jpg", made.EXE, "扩展名是 .jpg，内容却是 Windows 程序，不能接收"),
    "an .exe renamed .docx": ("report", "汇报.docx", made.EXE, "扩展名是 .docx，内容却是 Windows 程序"),
    "an .exe renamed .mp4": ("coverage", "报道.mp4", made.EXE, "内容却是 Windows 程序"),
    "an SVG named .png": ("photo", "图.png", made.SVG, "内容却是 SVG"),
    "a web page named .pdf": ("coverage", "报道.pdf", made.HTML, "内容却是网页"),
    "a web page behind blanks": ("coverage", "报道.jpg", b"\xef\xbb\xbf\n " + made.HTML, "内容却是网页"),
    "a text named .doc": ("report", "汇报.doc", "工作汇报".encode(), "内容却是文本文件"),
    "a GIF named .jpg": ("photo", "图.jpg", made.GIF, "内容却是 GIF 图片"),
    "a HEIC named .jpg": ("photo", "IMG_1.jpg", made.HEIC, "内容却是 HEIC 照片。苹果手机请在"),
    "a PNG named .jpg": ("photo", "图.jpg", made.png(), "内容却是 PNG 图片。请把扩展名改成 .png 后再上传"),
    "a WebP named .jpg": ("photo", "图.jpg", made.webp(), "请把扩展名改成 .webp"),
    "a JPEG named .pdf": ("report", "汇报.pdf", made.jpeg(), "扩展名是 .pdf，内容却是 JPEG 图片，不能接收"),
    "a docx named .doc": ("report", "汇报.doc", made.docx(), "请把扩展名改成 .docx 后再上传"),
    "an xlsx named .docx": ("household", "表.docx", made.xlsx(), "请把扩展名改成 .xlsx"),
    "an xlsx as a report": ("report", "表.docx", made.xlsx(), "内容却是 Excel 表格（.xlsx），不能接收"),
    "an .xls named .wps": ("report", "表.wps", made.XLS, "里面却没有文字文档"),
    "a .doc named .et": ("household", "表.et", made.DOC, "里面却没有表格"),
    "a zip": ("report", "汇报.docx", made.packed("a.txt"), "内容却是压缩包"),
    "slides": ("report", "汇报.docx", made.packed("ppt/presentation.xml"), "内容却是演示文稿"),
    "a password": ("report", "汇报.docx", made.ENCRYPTED, "设了打开密码"),
    "a table's password": ("household", "表.xlsx", made.ENCRYPTED, "表格设了打开密码"),
    "macros": ("report", "汇报.docx", made.docx("word/vbaProject.bin"), "文档带有宏"),
    "a table's macros": ("household", "表.xlsx", made.xlsx("xl/vbaProject.bin"), "表格带有宏"),
    "old macros": ("report", "汇报.doc", made.DOC + made.MACROS, "文档带有宏"),
    "an old table's macros": ("household", "表.xls", made.XLS + made.MACROS, "表格带有宏"),
    "a damaged docx": ("report", "汇报.docx", made.docx()[:-30], "Word 文档已损坏"),
    "a damaged xlsx": ("household", "表.xlsx", made.xlsx()[:-30], "Excel 表格已损坏"),
    "a docx that bursts": ("report", "汇报.docx", lambda: made.docx(*(f"m{n}" for n in range(6)), size=60 * MEGABYTE), "展开后过大"),
    "a PDF cut short": ("report", "汇报.pdf", made.PDF[:20], "PDF 文件不完整"),
    "a film cut short": ("coverage", "报道.mp4", made.mp4()[:-10], "视频不完整"),
    "a film not finished": ("coverage", "报道.mp4", made.box(b"ftyp", b"isom\0\0\2\0") + made.box(b"mdat", b"x" * 99), "视频不完整"),
    "a film of nonsense": ("coverage", "报道.mp4", made.box(b"ftyp", b"isom") + b"\0\0\0\3xxxx", "视频不完整"),
    "a MOV named .mp4": ("coverage", "报道.mp4", made.mp4(b"qt  "), "内容却是苹果 MOV 视频"),
    "a HEIC named .mp4": ("coverage", "报道.mp4", made.HEIC, "内容却是 HEIC 照片"),
    "a tag without sound": ("coverage", "报道.mp3", b"ID3\x03\0\0\0\0\0\x0a" + b"\0" * 500, "不是 MP3"),
    "empty": ("report", "汇报.pdf", b"", "是空文件"),
    "noise": ("photo", "图.png", bytes(range(256)) * 9, "内容却是无法识别的内容"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "format"), [(k, f) for k, formats in FORMATS.items() for f in formats])
def test_what_each_kind_takes_is_taken(kind: str, format: str) -> None:
    for name in (f"文件.{format}", f"大写.{format.upper()}", f"两.点.{format}"):
        judged = judge(kind, name, io.BytesIO(GOOD[format]))
        assert judged.format == format and judged.size == len(judged.content.read())


@pytest.mark.parametrize("extension", ["jpeg", "JFIF"])
def test_other_names_of_a_jpeg(extension: str) -> None:
    assert judge("photo", f"现场.{extension}", io.BytesIO(GOOD["jpg"])).format == "jpg"
    assert f".{extension.lower()}" in accept(MaterialKind.PHOTO)


@pytest.mark.parametrize("content", [made.mp3(tag=False), made.mp3()], ids=["bare", "tagged"])
def test_sound_with_and_without_a_tag(content: bytes) -> None:
    assert judge("coverage", "报道.mp3", io.BytesIO(content)).format == "mp3"


@pytest.mark.parametrize("what", BAD)
def test_what_is_not_what_it_says_is_refused_in_words(what: str) -> None:
    kind, name, content, words = BAD[what]
    with pytest.raises(Refused) as refused:
        judge(kind, name, io.BytesIO(content() if callable(content) else content))
    assert words in refused.value.sentences[0]


def test_a_film_of_countless_boxes_keeps_nobody_waiting() -> None:
    content = made.box(b"ftyp", b"isom") + made.box(b"free") * (49 * MEGABYTE // 8) + made.box(b"moov")
    begin = time.perf_counter()
    with pytest.raises(Refused, match="视频不完整"):
        judge("coverage", "报道.mp4", io.BytesIO(content))
    assert time.perf_counter() - begin < 1


def test_a_film_in_many_fragments_is_taken() -> None:
    content = made.mp4() + (made.box(b"moof", b"x" * 80) + made.box(b"mdat", b"x" * 80)) * 2000
    assert judge("coverage", "报道.mp4", io.BytesIO(content)).format == "mp4"


@pytest.mark.parametrize("format", GOOD)
def test_no_good_file_is_refused_for_its_beginning(format: str) -> None:
    assert format in recognise_start(GOOD[format][:1024]).formats
