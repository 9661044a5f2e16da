"""材料: what each delegation files after returning [attachment 3]: four kinds of files, and links to coverage.

A household's papers may carry its name even in the file's name: notes name such a file by its checksum only.
Who opens one is recorded like any other look at a household's data.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.validators import URLValidator
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone

from delegations.access import require
from delegations.files.contents import MEGABYTE, Judged
from delegations.models import (
    Delegation,
    Destination,
    Material,
    MaterialKind,
    Unmasking,
    Upload,
)
from delegations.personal.households import require_discreet
from delegations.saving import lock_delegation, note, require_state, still, touch
from delegations.typed import clean
from reporting.clock import now
from reporting.errors import Refused, WrongState
from reporting.models import FIRST_DAY
from unions.gate import Actor

MOST = 300  # materials of one destination


def size_text(size: int) -> str:
    """Bytes → "2.3 MB", "45 KB"."""
    return f"{size / MEGABYTE:.1f} MB" if size >= MEGABYTE else f"{max(1, round(size / 1024))} KB"


def day_of(moment: datetime.datetime) -> str:
    local = timezone.localtime(moment)
    return f"{local.month}月{local.day}日"


def open_for_filing(destination: Destination, by: Actor) -> Delegation:
    """The delegation, locked, if `by` may file its material now. Raises PermissionDenied, WrongState."""
    delegation = lock_delegation(destination.delegation_id)
    require(by, "file", delegation)
    require_state(delegation, Delegation.State.LOCKED)
    still(Destination.objects.all(), destination.pk)
    return delegation


def require_room(destination: Destination, *, under_way: int = 0) -> None:
    if destination.materials.count() + under_way >= MOST:
        raise Refused(
            f"{destination.union.short_name}的材料已有 {MOST} 份，不能再增加。请先删除重复或不清楚的照片。"
        )


def take_in(*, upload: Upload, judged: Judged, stored: list[str], by: Actor) -> Material:
    """A whole and sound upload becomes a material; inside the transaction that ends the upload.

    Raises Refused when the list has the same content, or is full. The names of stored files are put into
    `stored`: they have to go should the transaction fail. They are the upload's own name: what a killed process
    left behind is found by it.
    """
    destination = upload.destination
    delegation = open_for_filing(destination, by)
    require_room(destination)
    if upload.kind != MaterialKind.HOUSEHOLD:  # those are named to nobody who may not know
        require_discreet(delegation, upload.name)
    earlier = (
        Material.objects.filter(destination=destination, kind=upload.kind, sha256=judged.sha256)
        .select_related("by")
        .first()
    )
    if earlier is not None:
        raise Refused(
            f"“{upload.name[:60]}”与{earlier.by.name} {day_of(earlier.at)}上传的“{earlier.name[:60]}”"
            "内容相同，没有重复保存。"
        )
    material = Material(
        destination=destination,
        kind=upload.kind,
        name=upload.name,
        format=judged.format,
        size=judged.size,
        sha256=judged.sha256,
        width=judged.width,
        height=judged.height,
        taken_at=judged.taken_at,
        at=now(),
        by=by.person,
    )
    judged.content.seek(0)
    name = (
        f"materials/{destination.pk}/{upload.pk.hex}"  # opaque: the people's file name is data, never a path
    )
    material.file.name = _store(f"{name}.{judged.format}", File(judged.content), stored)
    if judged.thumbnail:
        content = ContentFile(judged.thumbnail)
        material.thumbnail.name = _store(f"{name}.thumb.jpg", content, stored)
    material.save()
    note(delegation, by, f"{destination.union.short_name} 上传{_in_words(material)}")
    touch(delegation)
    return material


def _store(name: str, content: File[bytes], stored: list[str]) -> str:
    """On the disk, not only in the machine's memory, before the row that promises it is committed."""
    stored.append(name)  # first: a full disk leaves half a file
    default_storage.delete(name)  # an attempt that was killed before its commit
    name = default_storage.save(name, content)
    path = default_storage.path(name)
    for place in (path, os.path.dirname(path)):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return name


def _in_words(material: Material) -> str:
    label = MaterialKind(material.kind).label
    if material.url:
        return f"{label}：{material.outlet} “{material.title}” {material.url}"
    facts = f"{size_text(material.size)}，校验码 {material.sha256[:12]}"
    if material.kind == MaterialKind.HOUSEHOLD:
        return f"{label} 1 份（{facts}）"
    return f"{label}：{material.name}（{facts}）"


@transaction.atomic
def remove(*, material: Material, by: Actor) -> None:
    """The row now, its files when that is certain. Raises WrongState when a colleague was faster."""
    delegation = open_for_filing(material.destination, by)
    found = (
        Material.objects.select_for_update(of=("self",))
        .select_related("destination__union")
        .filter(pk=material.pk)
        .first()
    )
    if found is None:
        raise WrongState("这份材料已被同事删除，请刷新页面。")
    names = [found.file.name, found.thumbnail.name]
    what = f"{found.destination.union.short_name} 删除{_in_words(found)}"
    found.delete()
    note(delegation, by, what)
    touch(delegation)
    transaction.on_commit(lambda: delete_files(names), robust=True)


def record_reading(papers: Iterable[Material], by: Actor) -> None:
    """Somebody takes household papers away: one record a destination, before anything is sent.

    `papers` come with `destination__delegation`."""
    Unmasking.objects.bulk_create(
        Unmasking(
            destination=destination,
            delegation=destination.delegation,
            by=by.person,
            way=Unmasking.Way.FILE,
            reason="打开入户走访材料",
        )
        for destination in {paper.destination_id: paper.destination for paper in papers}.values()
    )


def delete_unclaimed(names: Iterable[str]) -> None:
    """Files that no material names. A failure may have come behind the commit, or the answer to it was lost: only
    the database knows. When it can't say, they stay and are found with the upload."""
    names = set(names)
    if not names:
        return
    try:
        claimed = Material.objects.filter(Q(file__in=names) | Q(thumbnail__in=names))
        for pair in claimed.values_list("file", "thumbnail"):
            names -= {*pair}
    except DatabaseError:
        return
    delete_files(names)


def delete_files(names: Iterable[str | None]) -> None:
    for name in names:
        if name:
            default_storage.delete(name)


# -- links -------------------------------------------------------------------------------------------------


@dataclass
class Link:
    """媒体报道 as a link: as typed, and field → sentence for what is wrong with it."""

    url: str = ""
    title: str = ""
    outlet: str = ""
    published_on: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def first_error(self) -> str:
        return next(iter(self.errors), "")

    @classmethod
    def typed(cls, given: Mapping[str, str]) -> Link:
        url, title, outlet, day = (given.get(n, "") for n in ("url", "title", "outlet", "published_on"))
        return cls(url, title, outlet, day)


_is_address = URLValidator(schemes=["http", "https"])


def _address(text: str) -> str:
    text = clean(text)
    if not text:
        raise ValidationError("请填写网址。")
    if len(text) > 500:
        raise ValidationError(f"网址最多 500 个字符，现有 {len(text)} 个。请去掉“?”之后的跟踪参数。")
    if not text.lower().startswith(("http://", "https://")):
        raise ValidationError("请填写以 http:// 或 https:// 开头的完整网址，可从浏览器的地址栏复制。")
    try:
        _is_address(text)
        has_name = "@" in urlsplit(text).netloc
    except (ValidationError, ValueError):
        raise ValidationError(f"“{text[:60]}”不是完整的网址，请从浏览器的地址栏复制。") from None
    if has_name:
        raise ValidationError("网址的域名中不能有“@”，请从浏览器的地址栏重新复制。")
    return text


def _words(label: str, most: int, text: str) -> str:
    text = clean(text)
    if not text:
        raise ValidationError(f"请填写{label}。")
    if len(text) > most:
        raise ValidationError(f"{label}最多 {most} 个字，现有 {len(text)} 个。")
    return text


def _published(text: str) -> datetime.date:
    try:
        day = datetime.date.fromisoformat(clean(text))
    except ValueError:
        raise ValidationError("请填写报道日期，如 2021-01-05。") from None
    today = timezone.localtime(now()).date()
    if not FIRST_DAY <= day <= today:
        raise ValidationError(f"报道日期 {day} {'晚于今天' if day > today else '不合情理'}，请核对。")
    return day


@transaction.atomic
def add_link(*, destination: Destination, link: Link, by: Actor) -> Material:
    """Raises Refused with the first sentence; all of them stand in `link.errors`."""
    delegation = open_for_filing(destination, by)
    require_room(destination)
    made = Material(destination=destination, kind=MaterialKind.COVERAGE, at=now(), by=by.person)
    for name, parse in {
        "url": _address,
        "title": lambda text: _words("标题", 200, text),
        "outlet": lambda text: _words("媒体名称", 60, text),
        "published_on": _published,
    }.items():
        try:
            setattr(made, name, parse(getattr(link, name)))
        except ValidationError as problem:
            link.errors[name] = problem.messages[0]
    earlier = destination.materials.filter(url=made.url).exclude(url="").first()
    if earlier is not None:
        link.errors["url"] = f"这个网址已经登记过：{earlier.outlet}“{earlier.title}”。"
    if link.errors:
        raise Refused(*link.errors.values())
    require_discreet(delegation, made.title, made.outlet)
    made.save()
    note(delegation, by, f"{destination.union.short_name} 登记{_in_words(made)}")
    touch(delegation)
    return made
