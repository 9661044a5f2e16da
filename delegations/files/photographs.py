"""Photographs: looked at before they are decoded, turned upright, kept without what they tell about places.

A phone writes into a picture where it was taken, with which device, sometimes a second picture or a short film.
All of it goes: what is stored is a new file made from the pixels. Only the colour profile stays.
"""

from __future__ import annotations

import datetime
import io
import logging
import struct
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from django.utils import timezone
from PIL import ExifTags, Image

from reporting.clock import now
from reporting.decoding import one_at_a_time, whole
from reporting.errors import Refused

log = logging.getLogger(__name__)

# Telephones make 12 to 50 million. Decoded, 52 million are 208 MB, and turning them upright (or making a printer's
# colours a screen's) needs as much again. Measured, the process included: 470 MB for a JPEG, 530 MB for a PNG with
# transparency; one picture at a time on the whole machine.
MAX_PIXELS = 52_000_000
THUMBNAIL = 480  # pixels, the longer side
QUALITY = 92
MAX_PROFILE = 1024 * 1024
MAX_EXIF = 64 * 1024  # a segment of a JPEG; what is longer was made to fill memory
# What a picture may consist of. Each costs the decoder a step of Python: millions would keep a process busy.
MOST_FILL = 64  # bytes before a marker
MOST_SEGMENTS = 1000
MOST_CHUNKS = 100_000  # pixels often come in chunks of 8 KB, of 1 KB from some programs
EARLIEST = 1990  # a camera without a set clock says 1970 or 1980

PILLOW = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}
BROKEN = "照片不完整或已损坏，打不开。请从手机或相机重新导出，再重新上传。"

# What is more than Pillow's own limit never gets past ours; should it, no picture is worth the memory.
warnings.simplefilter("error", Image.DecompressionBombWarning)

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass
class Photograph:
    """`picture` is the file to keep, open at its beginning; `thumbnail` a JPEG. Width and height are upright."""

    picture: io.BytesIO
    thumbnail: bytes
    width: int
    height: int
    taken_at: datetime.datetime | None


def develop(file: IO[bytes], format: str) -> Photograph:
    """What is kept of an uploaded picture. `format` is a key of PILLOW. Raises Refused."""
    size = require_size(file, format)
    if format == "png":
        _require_chunks(file)
    with one_at_a_time():
        try:
            return _develop(file, format, size)
        # Strangers' pictures break a decoder in many ways (syntax, struct, zlib, end of file, …).
        except Exception as problem:
            if isinstance(problem, MemoryError) or getattr(problem, "errno", None):  # ours, not the picture's
                raise
            # A mistake of ours would look the same to people: the log tells them apart.
            log.warning("a %s picture could not be developed: %r", format, problem)
            raise Refused(BROKEN) from problem


def require_size(file: IO[bytes], format: str) -> tuple[int, int]:
    """Width and height as the header tells them, nothing decoded. Raises Refused."""
    try:
        width, height = _SIZES[format](file)
    except (struct.error, ValueError, IndexError) as problem:
        raise Refused(BROKEN) from problem
    if width < 1 or height < 1:
        raise Refused(BROKEN)
    if width * height > MAX_PIXELS:
        raise Refused(
            f"照片有 {width:,} × {height:,} 像素（{width * height / 1_000_000:,.0f} 百万），"
            f"超过 {MAX_PIXELS // 1_000_000} 百万像素，无法处理。请缩小后再上传，宽 4,000 像素已足够清楚。"
        )
    return width, height


# -- headers -----------------------------------------------------------------------------------------------


def _jpeg_size(file: IO[bytes]) -> tuple[int, int]:
    """From the frame header; embedded thumbnails lie inside segments and are stepped over.

    Read up to the pixels: as far as Pillow goes marker by marker.
    """
    file.seek(2)
    size = None
    for _ in range(MOST_SEGMENTS):
        kind = _marker(file)
        if kind in (0x01, *range(0xD0, 0xD9)):
            continue
        if kind == 0xDA and size:
            return size
        if kind in (0xD9, 0xDA):
            raise ValueError("pixels before a frame header")
        (length,) = struct.unpack(">H", file.read(2))
        behind = file.tell() + length - 2
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">xHH", file.read(5))
            size = width, height
        file.seek(behind)
    raise ValueError("no pixels")


def _marker(file: IO[bytes]) -> int:
    mark = file.read(1)
    for _ in range(MOST_FILL + 1):
        kind = file.read(1)
        if mark != b"\xff" or not kind:
            break
        if kind != b"\xff":
            return kind[0]
    raise ValueError("no marker where one must be")


def _png_size(file: IO[bytes]) -> tuple[int, int]:
    file.seek(12)
    name, width, height = struct.unpack(">4sII", file.read(12))
    if name != b"IHDR":
        raise ValueError("no header")
    return width, height


def _require_chunks(file: IO[bytes]) -> None:
    """As many as a picture has, and the last one is its end. Raises Refused."""
    file.seek(8)
    for _ in range(MOST_CHUNKS):
        start = file.read(8)
        if len(start) < 8:
            break
        length, name = struct.unpack(">I4s", start)
        if name == b"IEND":
            return
        file.seek(length + 4, io.SEEK_CUR)
    raise Refused(BROKEN)


def _webp_size(file: IO[bytes]) -> tuple[int, int]:
    file.seek(0)
    start = file.read(30)
    kind = start[12:16]
    if kind == b"VP8X":
        return (
            1 + int.from_bytes(start[24:27], "little"),
            1 + int.from_bytes(start[27:30].ljust(3, b"\0"), "little"),
        )
    if kind == b"VP8L":
        (bits,) = struct.unpack("<I", start[21:25])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", start[26:30])
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError("no picture in it")


_SIZES: dict[str, Callable[[IO[bytes]], tuple[int, int]]] = {
    "jpg": _jpeg_size,
    "png": _png_size,
    "webp": _webp_size,
}


# -- pixels ------------------------------------------------------------------------------------------------


def _decoded(file: IO[bytes], format: str, size: tuple[int, int]) -> Image.Image:
    file.seek(0)
    image = Image.open(file, formats=(PILLOW[format],))
    if image.size != size:
        raise ValueError("the header and the picture disagree")
    image.load()
    return image


def _develop(file: IO[bytes], format: str, size: tuple[int, int]) -> Photograph:
    image = whole(lambda: _decoded(file, format, size))
    exif = _exif(image)
    taken_at, turn = _taken_at(exif), _TURNS.get(exif.get(ExifTags.Base.Orientation, 1))
    profile = image.info.get("icc_profile")
    if image.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        # For printers; no browser shows its profile.
        image, profile = image.convert("RGB"), None
    if turn is not None:
        image = image.transpose(turn)
    # Pillow writes some of what it read (comments among it) into the next file, unless it has forgotten it.
    image.info = {name: image.info[name] for name in ("transparency",) if name in image.info}
    options: dict[str, Any] = {}
    if profile and _is_profile(profile, image.mode):
        options["icc_profile"] = profile
    picture = io.BytesIO()
    image.save(picture, PILLOW[format], **options, **_ENCODING[format])
    picture.seek(0)
    width, height = image.size
    return Photograph(picture, _thumbnail(image, options), width, height, taken_at)


_ENCODING: dict[str, dict[str, Any]] = {
    "jpg": {"quality": QUALITY},
    # level 3: a quarter of the time that 6 takes, hardly larger
    "png": {"compress_level": 3},
    # method 2: a picture of 50 million pixels in seconds instead of half a minute, a few per cent larger
    "webp": {"quality": QUALITY, "method": 2, "exif": b"", "xmp": b""},
}


def _thumbnail(image: Image.Image, options: dict[str, Any]) -> bytes:
    """Of a picture that nobody needs any more: it is made small where it stands."""
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    elif image.mode.startswith("I"):  # 16 bits of grey
        image = image.convert("I").point(lambda grey: grey / 256).convert("L")
    elif image.mode == "1":
        image = image.convert("L")
    image.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS, reducing_gap=3.0)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        paper = Image.new("RGBA", image.size, "white")
        paper.alpha_composite(image.convert("RGBA"))
        image = paper
    if image.mode not in ("RGB", "L"):
        image = image.convert("RGB")
    image.info = {}
    out = io.BytesIO()
    profile = options if _is_profile(options.get("icc_profile", b""), image.mode) else {}
    image.save(out, "JPEG", quality=80, **profile)
    return out.getvalue()


def _is_profile(profile: bytes, mode: str) -> bool:
    """A colour profile and nothing that only calls itself one: its signature, and the colours of this picture."""
    colours = b"GRAY" if mode in ("1", "L", "LA", "I", "I;16") else b"RGB "
    return 128 < len(profile) <= MAX_PROFILE and profile[36:40] == b"acsp" and profile[16:20] == colours


def _exif(image: Image.Image) -> Image.Exif:
    image.info.pop("Raw profile type exif", None)  # the same in letters, of no camera
    with suppress(Exception):  # what a camera or a stranger wrote there
        if len(image.info.get("exif", b"")) <= MAX_EXIF:
            return image.getexif()
    return Image.Exif()


def _taken_at(exif: Image.Exif) -> datetime.datetime | None:
    """When the camera says it was; None when it says nothing or nonsense."""
    with suppress(Exception):
        facts = exif.get_ifd(ExifTags.IFD.Exif)
        text = facts.get(ExifTags.Base.DateTimeOriginal) or facts.get(ExifTags.Base.DateTimeDigitized)
        moment = datetime.datetime.strptime(
            str(text or exif.get(ExifTags.Base.DateTime)).strip("\0 "), "%Y:%m:%d %H:%M:%S"
        )
        offset = str(facts.get(ExifTags.Base.OffsetTimeOriginal) or "").strip("\0 ")
        zone: datetime.tzinfo = timezone.get_default_timezone()
        with suppress(ValueError):
            zone = datetime.datetime.strptime(offset, "%z").tzinfo or zone
        aware = moment.replace(tzinfo=zone)
        if aware.year >= EARLIEST and aware <= now() + datetime.timedelta(days=1):
            return aware
    return None
