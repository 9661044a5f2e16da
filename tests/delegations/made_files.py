"""Files made for the tests: real pictures and documents, and every way in which they can be wrong."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from functools import cache
from typing import Any

from PIL import ExifTags, Image, ImageCms, PngImagePlugin

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\nstartxref\n0\n%%EOF\n"
OLE2 = bytes.fromhex("D0CF11E0A1B11AE1")
DOC = OLE2 + b"\0" * 504 + "WordDocument".encode("utf-16-le") + b"\0" * 488
XLS = OLE2 + b"\0" * 504 + "Workbook".encode("utf-16-le") + b"\0" * 488
MACROS = "_VBA_PROJECT".encode("utf-16-le")
ENCRYPTED = OLE2 + b"\0" * 504 + "EncryptedPackage".encode("utf-16-le")
EXE = b"MZ\x90\0" + b"\0" * 2000
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 500
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!DOCTYPE html><script>alert(1)</script>"
GIF = b"GIF89a" + b"\0" * 300
MARK = b"MARKE-45.8038N"  # stands wherever a picture can hide words; must be nowhere in what is stored


def packed(*names: str, size: int = 20) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, b"\0" * size)
    return out.getvalue()


def docx(*more: str, size: int = 20) -> bytes:
    return packed("[Content_Types].xml", "word/document.xml", *more, size=size)


def xlsx(*more: str) -> bytes:
    return packed("[Content_Types].xml", "xl/workbook.xml", *more)


def picture(width: int = 64, height: int = 48, mode: str = "RGB", seed: int = 1) -> Image.Image:
    """Upper half dark, lower half light: one sees which side is up."""
    image = Image.new("L", (width, height), 30 + seed)
    image.paste(220, (0, height // 2, width, height))
    return image.convert(mode)


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def jpeg(width: int = 64, height: int = 48, seed: int = 1, **options: Any) -> bytes:
    return encoded(picture(width, height, seed=seed), "JPEG", quality=95, **options)


def png(width: int = 64, height: int = 48, **options: Any) -> bytes:
    return encoded(picture(width, height), "PNG", **options)


def webp(width: int = 64, height: int = 48, **options: Any) -> bytes:
    return encoded(picture(width, height), "WEBP", **options)


def told_everything(orientation: int = 1, when: str = "2021:01:05 10:23:45", offset: str = "") -> Image.Exif:
    """EXIF as a phone writes it: where, when, with what."""
    mark = MARK.decode()
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = f"Maker {mark}"
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.ImageDescription] = mark
    exif[ExifTags.IFD.Exif] = {
        ExifTags.Base.DateTimeOriginal: when,
        ExifTags.Base.MakerNote: MARK,
        ExifTags.Base.UserComment: b"ASCII\0\0\0" + MARK,
    } | ({ExifTags.Base.OffsetTimeOriginal: offset} if offset else {})
    exif[ExifTags.IFD.GPSInfo] = {
        ExifTags.GPS.GPSLatitudeRef: "N",
        ExifTags.GPS.GPSLatitude: (45.0, 48.0, 13.68),
        ExifTags.GPS.GPSLongitudeRef: "E",
        ExifTags.GPS.GPSLongitude: (126.0, 32.0, 5.5),
        ExifTags.GPS.GPSMapDatum: mark,
    }
    return exif


@cache
def profile() -> bytes:
    """The same at each call: a profile tells when it was made."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def telling_jpeg(orientation: int = 1, **facts: str) -> bytes:
    """With position, maker's notes, comment, XMP, an embedded thumbnail, and something behind its end."""
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + MARK + b"</x:xmpmeta>"
    content = jpeg(
        exif=told_everything(orientation, **facts),
        comment=MARK,
        xmp=xmp,
        icc_profile=profile(),
        dpi=(300, 300),
    )
    inner = jpeg(16, 12, comment=MARK)
    app = b"\xff\xed" + struct.pack(">H", 2 + len(inner)) + inner  # a picture inside a segment
    return content[:2] + app + content[2:] + MARK + jpeg(8, 8)


def telling_png() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", MARK.decode())
    info.add_itxt("XML:com.adobe.xmp", MARK.decode(), zip=False)
    return png(pnginfo=info, exif=told_everything(), icc_profile=profile()) + MARK


def telling_webp() -> bytes:
    return webp(exif=told_everything(), xmp=MARK, icc_profile=profile())


def png_of(width: int, height: int) -> bytes:
    """Only a header that promises a picture, and a few bytes of it."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def jpeg_of(width: int, height: int) -> bytes:
    content = bytearray(jpeg())
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def webp_of(width: int, height: int) -> bytes:
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0" * 4
    body += (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little") + b"\0" * 2000
    return b"RIFF" + struct.pack("<I", len(body)) + body


def box(name: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", 8 + len(content)) + name + content


def mp4(brand: bytes = b"isom", size: int = 3000) -> bytes:
    return box(b"ftyp", brand + b"\0\0\2\0isom") + box(b"moov", b"\0" * 50) + box(b"mdat", b"\1" * size)


def mp3(*, tag: bool = True, size: int = 3000) -> bytes:
    frame = b"\xff\xfb\x90\x64" + b"\x55" * size
    return (b"ID3\x03\0\0\0\0\0\x0a" + b"\0" * 10 if tag else b"") + frame
