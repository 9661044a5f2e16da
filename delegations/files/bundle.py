"""All material of a delegation as one zip: folders one can read, an index page, a list for Excel.

第1慰问组/索引.html, 第1慰问组/材料清单.csv, 第1慰问组/1_哈尔滨/3_照片/… Packed while it is sent and not
compressed (photographs and documents already are), so its size is known before the first byte.
"""

from __future__ import annotations

import csv
import io
import os
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.template.loader import render_to_string
from django.utils import timezone
from zipstream import ZipStream  # type: ignore[import-untyped]

from delegations.access import may
from delegations.files.materials import size_text
from delegations.models import Delegation, Destination, Material, MaterialKind
from reporting.clock import now
from unions.gate import Actor

INDEX, LIST = "索引.html", "材料清单.csv"
LONGEST = 80  # characters of a file's name: Windows counts the whole path and stops at 260
LONGEST_BYTES = 192  # and other systems count bytes: with a number like " (300)" it stays below 200
_NOT_ON_WINDOWS = set('<>:"/\\|?*')
_DEVICES = {"con", "prn", "aux", "nul"} | {f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10)}
_HEADINGS = (
    "走访单位", "类别", "文件", "原文件名", "大小（字节）", "校验码（SHA-256）", "拍摄时间", "上传人", "上传时间",
    "网址", "标题", "媒体", "报道日期", "说明",
)  # fmt: skip


@dataclass
class Row:
    """A material on the index; `path` below the folder, empty when there is no file to pack."""

    material: Material
    path: str = ""
    remark: str = ""


@dataclass
class Shelf:
    """One kind of one destination."""

    label: str
    rows: list[Row] = field(default_factory=list)
    remark: str = ""


@dataclass
class Place:
    destination: Destination
    shelves: list[Shelf] = field(default_factory=list)

    @property
    def missing(self) -> list[str]:
        return [shelf.label for shelf in self.shelves if not shelf.rows and not shelf.remark]


@dataclass
class Bundle:
    name: str
    archive: ZipStream
    in_words: str  # for the audit
    household_papers: list[Material]  # those in it


def bundle(delegation: Delegation, *, by: Actor) -> Bundle:
    """Two queries. Household papers only for those who may read them; the index says what was left out."""
    household_too = may(by, "read_household_files", delegation)
    destinations = {d.pk: d for d in delegation.destinations.select_related("union")}
    materials = Material.objects.filter(destination__in=destinations).select_related("by")
    by_place: dict[int, list[Material]] = {}
    for material in materials:
        material.destination = destinations[material.destination_id]
        by_place.setdefault(material.destination_id, []).append(material)
    places = [
        _place(destination, number, by_place.get(destination.pk, []), household_too=household_too)
        for number, destination in enumerate(destinations.values(), 1)
    ]
    packed = [row for place in places for shelf in place.shelves for row in shelf.rows if row.path]
    folder = f"第{delegation.number}慰问组"
    size = sum(row.material.size for row in packed)
    facts = {"places": places, "count": len(packed), "size": size_text(size), "at": now(), "by": by.person}
    facts |= {"delegation": delegation, "campaign": delegation.campaign, "list": LIST}
    archive = ZipStream(sized=True)
    archive.add(render_to_string("delegations/material_index.html", facts).encode(), f"{folder}/{INDEX}")
    archive.add(_list(places), f"{folder}/{LIST}")
    for row in packed:
        archive.add_path(row.material.file.path, f"{folder}/{row.path}")
    left_out = "" if household_too else "，不含入户走访材料"
    in_words = f"导出全部材料 {len(packed)} 个文件（{size_text(size) if packed else '无文件'}{left_out}）"
    papers = [row.material for row in packed if row.material.kind == MaterialKind.HOUSEHOLD]
    return Bundle(
        f"{delegation.campaign.year}年第{delegation.number}慰问组材料.zip", archive, in_words, papers
    )


def _place(destination: Destination, number: int, materials: list[Material], *, household_too: bool) -> Place:
    place = Place(destination)
    top = f"{number}_{safe_name(destination.union.short_name)}"
    for position, kind in enumerate(MaterialKind, 1):
        shelf = Shelf(str(kind.label))
        place.shelves.append(shelf)
        own = [m for m in materials if m.kind == kind]
        if kind == MaterialKind.HOUSEHOLD and own and not household_too:
            shelf.remark = f"共 {len(own)} 份，只提供给省总工会和本组联络员，这里没有收入。"
            continue
        taken: set[str] = set()
        for material in own:
            row = Row(material)
            shelf.rows.append(row)
            if material.url:
                continue
            row.remark = _remark(material)
            if os.path.isfile(material.file.path):
                row.path = f"{top}/{position}_{kind.label}/{_free(safe_name(material.name), taken)}"
    return place


def _remark(material: Material) -> str:
    try:
        size = os.path.getsize(material.file.path)
    except OSError:
        return "服务器上找不到这个文件，没有收入。请联系系统管理员从备份恢复。"
    if size != material.size:
        return f"服务器上的文件有 {size:,} 字节，与登记的不符，可能已损坏。"
    return ""


def safe_name(name: str) -> str:
    """A name that Windows takes and that stays in its folder, whatever stands in it."""
    name = unicodedata.normalize("NFC", name)
    name = "".join("_" if c in _NOT_ON_WINDOWS or unicodedata.category(c)[0] == "C" else c for c in name)
    stem, _, extension = name.rstrip(" .").rpartition(".")
    if not (stem and extension.isalnum() and len(extension) <= 10):
        stem, extension = name, ""
    extension = f".{extension}" if extension else ""
    stem = stem.strip(" .")
    if stem.partition(".")[0].strip().lower() in _DEVICES:
        stem = f"_{stem}"
    room = LONGEST_BYTES - len(extension.encode())
    stem = stem[:LONGEST].encode()[:room].decode(errors="ignore").strip(" .")
    return (stem or "文件") + extension


def _free(name: str, taken: set[str]) -> str:
    """`照片.jpg`, `照片 (2).jpg`, …; Windows does not tell capitals apart."""
    stem, dot, extension = name.rpartition(".")
    if not dot:
        stem, extension = name, ""
    number = 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem} ({number}){dot}{extension}"
    taken.add(name.casefold())
    return name


def _list(places: Iterable[Place]) -> bytes:
    """For Excel: with a byte order mark, and nothing in it that Excel would take for a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_HEADINGS)
    for place in places:
        union = place.destination.union.short_name
        for shelf in place.shelves:
            for row in shelf.rows:
                writer.writerow([_plain(cell) for cell in (union, shelf.label, *_cells(row))])
            if not shelf.rows:
                empty = [""] * (len(_HEADINGS) - 3)
                writer.writerow([_plain(union), shelf.label, *empty, shelf.remark or "还没有上传"])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _cells(row: Row) -> list[str]:
    material = row.material
    taken = f"{timezone.localtime(material.taken_at):%Y-%m-%d %H:%M}" if material.taken_at else ""
    return [
        row.path,
        material.name,
        str(material.size) if not material.url else "",
        material.sha256,
        taken,
        material.by.name,
        f"{timezone.localtime(material.at):%Y-%m-%d %H:%M}",
        material.url,
        material.title,
        material.outlet,
        material.published_on.isoformat() if material.published_on else "",
        row.remark,
    ]


_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # what spreadsheets begin one with


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
