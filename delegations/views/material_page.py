"""What the page of a destination's material shows: the check-list, and for each kind its files and links."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Prefetch, prefetch_related_objects
from django.urls import reverse

from delegations.access import may
from delegations.files.contents import FORMATS, MAX_SIZE, accept
from delegations.files.photographs import PILLOW
from delegations.models import Delegation, Destination, Material, MaterialKind, Upload
from delegations.recording import Checklist
from delegations.views.head import MATERIALS, head
from unions.middleware import ActingRequest

# What belongs into each list, in the words of attachment 3.
HINTS = {
    MaterialKind.REPORT: "当地工会的送温暖工作汇报",
    MaterialKind.HOUSEHOLD: "入户走访的登记表、说明、证明等",
    MaterialKind.PHOTO: "走访慰问现场照片",
    MaterialKind.COVERAGE: "报纸、电视、网站、微信公众号等的报道",
}
# Units beside the count on the check-list.
UNITS = {MaterialKind.PHOTO: "张"}


@dataclass
class Part:
    """One of the four kinds."""

    kind: MaterialKind
    count: int = 0
    files: list[Material] = field(default_factory=list)
    links: list[Material] = field(default_factory=list)
    unfinished: list[Upload] = field(default_factory=list)
    # Others' eyes must not fall on the names either.
    is_closed: bool = False

    @property
    def label(self) -> str:
        return str(self.kind.label)

    @property
    def hint(self) -> str:
        return HINTS[self.kind]

    @property
    def unit(self) -> str:
        return UNITS.get(self.kind, "份")

    @property
    def accept(self) -> str:
        return accept(self.kind)

    @property
    def formats(self) -> str:
        return "、".join(f".{format}" for format in FORMATS[self.kind])

    @property
    def is_gallery(self) -> bool:
        return self.kind == MaterialKind.PHOTO


def parts_of(rows: Iterable[Material], unfinished: Iterable[Upload], *, household_too: bool) -> list[Part]:
    parts = {str(kind): Part(kind) for kind in MaterialKind}
    parts[MaterialKind.HOUSEHOLD].is_closed = not household_too
    for material in rows:
        part = parts[material.kind]
        part.count += 1
        if not part.is_closed:
            (part.links if material.url else part.files).append(material)
    for upload in unfinished:
        parts[upload.kind].unfinished.append(upload)
    # A photograph stands where it was taken; without a time, behind the others in the order of coming.
    parts[MaterialKind.PHOTO].files.sort(key=lambda m: (m.taken_at is None, m.taken_at or m.at, m.pk))
    return list(parts.values())


def page_of(request: ActingRequest, destination: Destination) -> dict[str, Any]:
    """The template's context. Four queries."""
    delegation, actor = destination.delegation, request.actor
    prefetch_related_objects(
        [delegation], Prefetch("destinations", Destination.objects.select_related("union"))
    )
    context = head(request, delegation, MATERIALS, destination)
    can_file = context["can"]["file"]
    rows = list(destination.materials.select_related("by"))
    unfinished = list(destination.uploads.filter(by=actor.person)) if can_file else []
    parts = parts_of(rows, unfinished, household_too=may(actor, "read_household_files", delegation))
    return context | {
        "parts": parts,
        "checklist": Checklist(destination, {part.kind: part.count for part in parts}),
        "why_not": "" if can_file else _why_not(delegation, role=context["role_may"]["file"]),
        "pictures": set(PILLOW),
        "upload_state": {
            "person": actor.person.pk,
            "endpoint": reverse("create_upload", args=[destination.pk]),
            "login": reverse("login"),
            "maxSize": MAX_SIZE,
        },
    }


def _why_not(delegation: Delegation, *, role: bool) -> str:
    if not role:
        return "材料由本组联络员和省总工会管理员上传，您可以查看和下载。"
    if delegation.state == Delegation.State.PLANNING:
        return "计划还在编制中，锁定后才能上传材料。"
    return "本组已归档，材料不能再增减。确需补充的，请省总工会管理员重新打开。"
