"""Made photographs and documents for the demonstration: large letters say what they are."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from delegations.files import uploads
from delegations.files.materials import Link, add_link
from delegations.models import Destination, MaterialKind
from reporting.sample import made_document
from unions.gate import Actor

# Where systems keep a Chinese typeface; without one the picture says it in English.
TYPEFACES = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/System/Library/Fonts/PingFang.ttc",
    "C:/Windows/Fonts/msyh.ttc",
)
COLOURS = ("#6b8fae", "#8aa37b", "#b08968", "#8d86a8")
NOTE = "（演示数据，不代表任何单位的真实工作。）"


def file_materials(destination: Destination, by: Actor, *, with_coverage: bool = True) -> None:
    """The four kinds that the notice asks for; the last one may be missing."""
    place = destination.union.short_name
    report = made_document(
        f"{destination.union.name}送温暖工作汇报", NOTE, "一、总体情况。（略）", "二、困难和建议。（略）"
    )
    household = made_document(
        f"{place}入户走访情况", NOTE, "走访困难职工家庭两户，致困原因和愿望见走访记录。"
    )
    _keep(destination, MaterialKind.REPORT, f"{place}工作汇报（演示数据）.docx", report, by)
    _keep(destination, MaterialKind.HOUSEHOLD, f"{place}入户走访情况（演示数据）.docx", household, by)
    for number, scene in enumerate(("走访企业", "入户慰问"), 1):
        photograph = made_photograph(f"{place} {scene}", seed=destination.pk + number, is_tall=number == 2)
        _keep(destination, MaterialKind.PHOTO, f"{place}{scene}（演示数据）.jpg", photograph, by)
    if with_coverage:
        link = Link(
            url=f"https://news.example.org/{destination.pk}",  # a domain that nobody can own
            title=f"省总工会慰问组到{place}走访慰问（演示数据）",
            outlet="演示日报",
            published_on=f"{destination.last_day}",
        )
        add_link(destination=destination, link=link, by=by)


def made_photograph(text: str, *, seed: int, is_tall: bool = False) -> bytes:
    """A JPEG of 800 × 600 pixels that nobody takes for a photograph of somebody."""
    width, height = (600, 800) if is_tall else (800, 600)
    image = Image.new("RGB", (width, height), COLOURS[seed % len(COLOURS)])
    drawing = ImageDraw.Draw(image)
    for line in range(6):  # a horizon and hills, so that thumbnails differ
        y = height * (5 + line) // 12
        drawing.polygon(
            [
                (0, height),
                (0, y),
                (width * ((seed + line) % 5 + 1) // 6, y - 60),
                (width, y),
                (width, height),
            ],
            fill=tuple(max(0, c - 12 * (line + 1)) for c in image.getpixel((5, 5))[:3]),  # type: ignore[index]
        )
    face = next((path for path in TYPEFACES if Path(path).exists()), None)
    index = 2 if face and "Noto" in face else 0  # of the collection's faces the simplified Chinese one
    for size, down, said in ((88, 0.36, "演示数据"), (44, 0.54, text)):
        font = ImageFont.truetype(face, size, index=index) if face else ImageFont.load_default(size)
        words = said if face else "SAMPLE DATA"
        drawing.text((width / 2, height * down), words, font=font, fill="white", anchor="mm")
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()


def _keep(destination: Destination, kind: MaterialKind, name: str, content: bytes, by: Actor) -> None:
    upload = uploads.create(destination=destination, kind=kind, name=name, size=len(content), by=by)
    uploads.receive(pk=upload.pk, offset=0, length=len(content), body=io.BytesIO(content), by=by)
