"""Pictures of paper: looked at before they are decoded, turned upright, kept without what they tell about places.

A phone or a scanner writes into a picture where and with which device it was made. What is stored is a new file
made from the pixels. Pixels are counted from the header first: what would burst memory is never decoded.
"""

from __future__ import annotations

import io
from typing import IO

from PIL import Image, ImageOps

from reporting.decoding import one_at_a_time, whole
from reporting.errors import Refused

MAX_PIXELS = 64_000_000  # A4 at 600 dpi has 35 million; decoded, 64 million in colour are 192 MB
FORMATS = {"jpg": "JPEG", "png": "PNG"}
QUALITY = 90
BROKEN = "图片不完整或已损坏，打不开。请重新扫描或拍照后再上传。"
TOO_MANY = f"图片的像素超过 {MAX_PIXELS // 1_000_000} 百万，无法处理。请把扫描分辨率调到 300 dpi 后重新扫描。"


def clean_picture(file: IO[bytes], kind: str) -> bytes:
    """The picture again, upright and without metadata. `kind` is a key of FORMATS. Raises Refused."""
    with one_at_a_time():
        try:
            return _clean(file, kind)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise Refused(TOO_MANY) from None
        # Strangers' pictures break a decoder in many ways (syntax, struct, zlib, end of file, …).
        except Exception as problem:
            if isinstance(problem, (Refused, MemoryError)):
                raise
            raise Refused(BROKEN) from problem


def _decoded(file: IO[bytes], kind: str) -> Image.Image:
    file.seek(0)
    image = Image.open(file, formats=(FORMATS[kind],))  # reads the header only
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise Refused(TOO_MANY)
    image.load()
    return image


def _clean(file: IO[bytes], kind: str) -> bytes:
    image = whole(lambda: _decoded(file, kind))
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bits of grey
        image = image.convert("I").point(lambda grey: grey / 256).convert("L")
    # Browsers show these and no others.
    if image.mode not in ("1", "L", "LA", "P", "RGB", "RGBA") or (kind == "jpg" and image.mode != "L"):
        image = image.convert("RGB")
    # Pillow writes some of what it read into the next file, unless it has forgotten it.
    image.info = {name: image.info[name] for name in ("transparency",) if name in image.info}
    out = io.BytesIO()
    options = {"quality": QUALITY} if kind == "jpg" else {}
    image.save(out, FORMATS[kind], **options)
    return out.getvalue()
