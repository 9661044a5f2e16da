"""Photographs: what they tell about places is gone, bombs don't burst, and they stand upright."""

from __future__ import annotations

import datetime
import fcntl
import io
import os
import struct
import threading
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from PIL import ExifTags, Image, ImageFile

from delegations.files import photographs
from delegations.files.contents import judge, judge_start
from delegations.files.photographs import MAX_PIXELS, THUMBNAIL, Photograph, develop
from delegations.models import Material
from reporting.errors import Refused
from tests.delegations import made_files as made
from tests.delegations.made_files import MARK
from tests.delegations.stage import PlanStage
from tests.delegations.tus_client import file_it

FORMATS = {"jpg": made.jpeg, "png": made.png, "webp": made.webp}
TELLING = {"jpg": made.telling_jpeg(), "png": made.telling_png(), "webp": made.telling_webp()}
BOMBS = {"jpg": made.jpeg_of, "png": made.png_of, "webp": made.webp_of}
# Whatever could carry more than pixels: segments and chunks of the three formats.
CARRIERS = [
    b"Exif",
    b"EXIF",
    b"eXIf",
    b"http://ns.adobe.com",
    b"XMP ",
    b"tEXt",
    b"iTXt",
    b"zTXt",
    b"\xff\xfe",
    b"MPF\0",
]


def developed(content: bytes, format: str = "jpg") -> tuple[Photograph, bytes]:
    photograph = develop(io.BytesIO(content), format)
    return photograph, photograph.picture.read()


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def segments(content: bytes) -> list[int]:
    """The markers of a JPEG before its pixels."""
    found, at = [], 2
    while content[at + 1] != 0xDA:
        found.append(content[at + 1])
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return found


# -- what pictures tell ------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_a_stored_photograph_tells_no_place(
    plan: PlanStage, browse: Any, tmp_path: Path, format: str
) -> None:
    content = TELLING[format]
    before = opened(content).getexif().get_ifd(ExifTags.IFD.GPSInfo)
    assert before[ExifTags.GPS.GPSLatitude] == (45.0, 48.0, 13.68), "the test's picture must tell"
    assert content.count(MARK) >= 3
    plan.lock()
    answer = file_it(browse(plan.liaison), plan.harbin, "photo", f"现场.{format}", content, 1000)
    material = Material.objects.get(pk=answer["Upload-Material"])
    for file in (material.file, material.thumbnail):
        with file.open() as stored:
            kept = stored.read()
        assert MARK not in kept and MARK.decode().encode("utf-16-le") not in kept
        assert not any(carrier in kept for carrier in CARRIERS if carrier != b"\xff\xfe" or format == "jpg")
        image = opened(kept)
        assert dict(image.getexif()) == {} and image.getexif().get_ifd(ExifTags.IFD.GPSInfo) == {}
        assert set(image.info) <= {"icc_profile", "jfif", "jfif_version", "jfif_unit", "jfif_density", "loop", "background", "timestamp", "duration"}  # fmt: skip
    assert material.taken_at == datetime.datetime(
        2021, 1, 5, 10, 23, 45, tzinfo=timezone.get_default_timezone()
    )
    assert (material.width, material.height, material.size) == (64, 48, material.file.size)
    # Of what came nothing else is left either.
    kept_files = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".part"]
    assert not any(MARK in path.read_bytes() for path in kept_files)


@pytest.mark.parametrize("kind", ["household", "coverage"])
def test_pictures_among_papers_are_treated_alike(kind: str) -> None:
    judged = judge(kind, "登记表.jpg", io.BytesIO(made.telling_jpeg(6)))
    assert MARK not in judged.content.read()
    assert (judged.format, judged.width, judged.height) == ("jpg", 48, 64)
    assert judged.thumbnail.startswith(b"\xff\xd8")


def test_a_jpeg_keeps_only_the_segments_its_pixels_need() -> None:
    _, kept = developed(made.telling_jpeg())
    # APP0, colour profile, tables, frame: no APP1 (EXIF, XMP), no APP13, no comment
    assert set(segments(kept)) <= {0xE0, 0xE2, 0xDB, 0xC0, 0xC4}
    assert kept.endswith(b"\xff\xd9") and kept.count(b"\xff\xd8") == 1, "nothing behind its end"


@pytest.mark.parametrize("format", FORMATS)
def test_the_colour_profile_stays_and_what_only_calls_itself_one_goes(format: str) -> None:
    assert opened(developed(TELLING[format], format)[1]).info["icc_profile"] == made.profile()
    content = FORMATS[format](icc_profile=MARK + b"\0" * 300)
    assert MARK in opened(content).info["icc_profile"]
    assert "icc_profile" not in opened(developed(content, format)[1]).info


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_stands_upright(orientation: int) -> None:
    upright = made.picture(64, 48)
    turned = upright.transpose({5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM}[orientation]) if orientation > 1 else upright  # fmt: skip
    content = made.encoded(turned, "JPEG", quality=95, exif=made.told_everything(orientation))
    photograph, kept = developed(content)
    assert (photograph.width, photograph.height) == (64, 48) == opened(kept).size
    for image in (opened(kept), opened(photograph.thumbnail)):
        grey = image.convert("L")
        assert grey.getpixel((32, 4)) < 60 < 190 < grey.getpixel((32, 44))


@pytest.mark.parametrize(
    ("when", "offset", "taken"),
    [
        ("2021:01:05 10:23:45", "", "2021-01-05T10:23:45+08:00"),
        ("2021:01:05 10:23:45", "+09:00", "2021-01-05T10:23:45+09:00"),
        ("2021:01:05 10:23:45", "rubbish", "2021-01-05T10:23:45+08:00"),
        ("0000:00:00 00:00:00", "", None),
        ("1970:01:01 00:00:00", "", None),
        ("2999:01:01 00:00:00", "", None),
        ("yesterday", "", None),
        ("", "", None),
    ],
)
def test_when_it_was_taken(when: str, offset: str, taken: str | None) -> None:
    photograph, _ = developed(made.jpeg(exif=made.told_everything(when=when, offset=offset)))
    assert photograph.taken_at == (taken and datetime.datetime.fromisoformat(taken))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize(
    "exif",
    [b"Exif\0\0" + b"\xff" * 100, b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"],
)
def test_broken_facts_do_not_break_a_picture(exif: bytes) -> None:
    photograph, kept = developed(made.jpeg(exif=exif))
    assert photograph.taken_at is None and opened(kept).size == (64, 48)


# -- formats -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_each_format_stays_what_it_is(format: str) -> None:
    photograph, kept = developed(FORMATS[format](1200, 900), format)
    assert opened(kept).format == photographs.PILLOW[format]
    small = opened(photograph.thumbnail)
    assert (small.format, max(small.size)) == ("JPEG", THUMBNAIL)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_pixel_a_png_can_have(mode: str) -> None:
    content = made.encoded(made.picture(600, 400).convert("L" if mode == "I;16" else mode), "PNG")
    if mode == "I;16":
        content = made.encoded(Image.new("I;16", (600, 400), 40_000), "PNG")
    photograph, kept = developed(content, "png")
    assert opened(kept).size == (600, 400)
    assert opened(photograph.thumbnail).size == (480, 320)


def test_what_shows_through_stays_and_is_white_in_the_thumbnail() -> None:
    image = made.picture(600, 400).convert("RGBA")
    image.putalpha(0)
    photograph, kept = developed(made.encoded(image, "PNG"), "png")
    assert opened(kept).getpixel((5, 5))[3] == 0
    assert opened(photograph.thumbnail).getpixel((5, 5)) == (255, 255, 255)


def test_a_picture_for_printers_becomes_one_for_screens() -> None:
    content = made.encoded(made.picture().convert("CMYK"), "JPEG", icc_profile=made.profile())
    image = opened(developed(content)[1])
    assert image.mode == "RGB" and "icc_profile" not in image.info


def test_of_a_moving_picture_the_first_frame_stays() -> None:
    frames = [made.picture(seed=n) for n in (1, 20, 30)]
    for format in ("png", "webp"):
        content = made.encoded(frames[0], photographs.PILLOW[format], save_all=True, append_images=frames[1:])
        assert opened(content).n_frames == 3  # type: ignore[attr-defined]
        assert getattr(opened(developed(content, format)[1]), "n_frames", 1) == 1
    several = made.encoded(frames[0], "MPO", save_all=True, append_images=frames[1:])
    _, kept = developed(several)
    assert b"MPF" not in kept and opened(kept).format == "JPEG"


# -- what breaks -----------------------------------------------------------------------------------------------


@pytest.fixture(params=["as Pillow is", "after WeasyPrint"])
def lenient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """WeasyPrint, when it is imported, tells Pillow for the whole process to make up what is missing."""
    if request.param == "after WeasyPrint":
        pytest.importorskip("weasyprint")
        monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # imported long ago, perhaps


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("left", [0.02, 0.3, 0.9])
def test_a_picture_cut_short_is_to_be_sent_again(format: str, left: float, progressive: bool) -> None:
    noise = Image.effect_noise((300, 200), 80)
    options = {"progressive": progressive} if format == "jpg" else {}
    content = made.encoded(noise, photographs.PILLOW[format], **options)
    with pytest.raises(Refused, match=photographs.BROKEN):
        developed(content[: int(len(content) * left)], format)


@pytest.mark.parametrize("format", ["jpg", "png"])
def test_a_library_that_makes_pillow_lenient_in_the_middle(
    format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = made.encoded(Image.effect_noise((300, 200), 80), photographs.PILLOW[format])
    real, times = Image.open, []

    def interrupted(*args: Any, **kwargs: Any) -> Image.Image:
        times.append(1)
        if len(times) == 1:
            ImageFile.LOAD_TRUNCATED_IMAGES = True  # another thread imports WeasyPrint just now
        return real(*args, **kwargs)

    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", False)
    monkeypatch.setattr(Image, "open", interrupted)
    with pytest.raises(Refused, match=photographs.BROKEN):
        developed(content[: len(content) * 3 // 10], format)
    times.clear()
    assert developed(content, format)[0].width == 300 and len(times) == 2


def chunk(name: bytes) -> bytes:
    return struct.pack(">I", 0) + name + b"\0\0\0\0"


def segment(kind: int) -> bytes:
    return bytes([0xFF, kind]) + b"\0\2"


JPEG, PNG = made.jpeg(), made.png()
AT = JPEG.index(b"\xff\xda")  # where the pixels begin
FIFTY = 50 * 1024 * 1024
# Built when their turn comes: each is 50 MB.
CRAFTED = {
    "fill bytes before the frame": ("jpg", lambda: JPEG[:2] + b"\xff" * FIFTY + JPEG[2:]),
    "fill bytes behind the frame": ("jpg", lambda: JPEG[:AT] + b"\xff" * FIFTY + JPEG[AT:]),
    "segments before the frame": ("jpg", lambda: JPEG[:2] + segment(0xE5) * (FIFTY // 4) + JPEG[2:]),
    "segments behind the frame": ("jpg", lambda: JPEG[:AT] + segment(0xE5) * (FIFTY // 4) + JPEG[AT:]),
    "rests behind the frame": ("jpg", lambda: JPEG[:AT] + b"\xff\xd0" * (FIFTY // 2) + JPEG[AT:]),
    "chunks": ("png", lambda: PNG[:33] + chunk(b"prIv") * (FIFTY // 12) + PNG[33:]),
}


@pytest.mark.parametrize("what", CRAFTED)
def test_a_picture_made_to_keep_a_server_busy_does_not(what: str) -> None:
    format, build = CRAFTED[what]
    file = io.BytesIO(build())
    begin = time.perf_counter()
    with pytest.raises(Refused, match=photographs.BROKEN):
        develop(file, format)
    assert time.perf_counter() - begin < 1


def test_a_few_fill_bytes_and_segments_are_no_harm() -> None:
    content = JPEG[:2] + segment(0xE5) * 100 + b"\xff" * 60 + JPEG[2:AT] + b"\xff" * 60 + JPEG[AT:]
    assert developed(content)[0].width == 64


def test_facts_larger_than_a_camera_writes_are_not_read() -> None:
    # Each of 30,000 entries points to the same 40 MB: read one by one they would fill a terabyte.
    entries = b"".join(struct.pack("<HHII", 1000 + n, 7, 300_000, 8) for n in range(30_000))
    exif = b"II*\0\x08\0\0\0" + struct.pack("<H", 30_000) + entries + b"\0" * 300_000
    content = made.png(exif=exif)
    begin = time.perf_counter()
    photograph, _ = developed(content, "png")
    assert photograph.taken_at is None and time.perf_counter() - begin < 1


@pytest.mark.parametrize("format", FORMATS)
def test_rubbish_in_a_picture_is_no_error_of_ours(format: str) -> None:
    content = FORMATS[format](300, 200)
    for start in range(10, len(content), max(1, len(content) // 25)):
        broken = content[:start] + b"\xff\x00\xd8\x10" * 5 + content[start + 20 :]
        try:
            developed(broken, format)
        except Refused as refused:
            assert "照片" in refused.sentences[0]


@pytest.mark.usefixtures("lenient")
def test_a_changed_byte_in_a_png_is_found() -> None:
    content = bytearray(made.encoded(Image.effect_noise((300, 200), 80), "PNG"))
    content[len(content) // 2] ^= 1
    with pytest.raises(Refused, match="损坏"):
        developed(bytes(content), "png")


@pytest.mark.parametrize("format", BOMBS)
def test_a_picture_of_thirty_thousand_by_thirty_thousand_is_refused_before_it_is_decoded(format: str) -> None:
    width = 16_000 if format == "webp" else 30_000  # a WebP can't be larger than 16,384
    content = BOMBS[format](width, width)
    tracemalloc.start()
    begin = time.perf_counter()
    with pytest.raises(Refused) as refused:
        judge("photo", f"现场.{format}", io.BytesIO(content))
    seconds = time.perf_counter() - begin
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.sentences[0] == (
        f"照片有 {width:,} × {width:,} 像素（{width * width // 1_000_000:,} 百万），"
        "超过 52 百万像素，无法处理。请缩小后再上传，宽 4,000 像素已足够清楚。"
    )
    assert seconds < 1 and peak < 5_000_000


def test_what_is_said_about_memory_holds() -> None:
    assert MAX_PIXELS == 52_000_000, "the comment beside it says how much memory that takes"


def test_pillow_never_sees_a_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", lambda *args, **kwargs: pytest.fail("decoded"))
    for format, bomb in BOMBS.items():
        with pytest.raises(Refused):
            develop(io.BytesIO(bomb(16_000, 16_000)), format)


def test_the_limit_itself_is_inside() -> None:
    # What telephones of 50 million pixels make.
    assert photographs.require_size(io.BytesIO(made.png_of(8192, 6144)), "png") == (8192, 6144)
    assert photographs.require_size(io.BytesIO(made.png_of(8000, 6500)), "png") == (8000, 6500)
    assert 8000 * 6500 == MAX_PIXELS
    with pytest.raises(Refused, match="8,001 × 6,500"):
        photographs.require_size(io.BytesIO(made.png_of(8001, 6500)), "png")


def test_a_header_that_lies_about_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(photographs._SIZES, "jpg", lambda file: (10, 10))
    with pytest.raises(Refused, match="损坏"):
        developed(made.jpeg())


@pytest.mark.parametrize("format", FORMATS)
def test_a_picture_of_nothing(format: str) -> None:
    with pytest.raises(Refused, match="损坏"):
        developed(BOMBS[format](0, 10) if format != "webp" else made.webp()[:25], format)


def test_two_pictures_are_never_decoded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    real, inside, most = photographs._develop, [], []

    def watched(*arguments: Any) -> Photograph:
        inside.append(1)
        most.append(len(inside))
        try:
            time.sleep(0.02)
            return real(*arguments)
        finally:
            inside.pop()

    monkeypatch.setattr(photographs, "_develop", watched)
    threads = [threading.Thread(target=developed, args=(made.jpeg(),)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 5


def test_another_process_is_waited_for(tmp_path: Path) -> None:
    other = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    waiting = threading.Thread(target=developed, args=(JPEG,))
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive()
    os.close(other)
    waiting.join(10)
    assert not waiting.is_alive()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_knows_no_locks_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unknown)
    assert developed(JPEG)[0].width == 64


def test_a_full_disk_is_not_blamed_on_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(photographs, "_develop", full)
    with pytest.raises(OSError, match="No space"):
        developed(made.jpeg())


def test_the_beginning_of_a_jpeg_is_enough_to_go_on() -> None:
    judge_start("photo", "现场.jpg", io.BytesIO(made.telling_jpeg()[:1024]))
