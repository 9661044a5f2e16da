"""Files on their way: received in pieces, continued after any interruption (tus protocol 1.0.0).

What `received` says is on the disk, always: a piece is written and forced to disk before the number is committed,
and what a crash left behind that number is cut off before the next piece. The last piece is committed together
with the material it completes, so no upload is ever whole and yet nowhere.

A piece is collected before the row is locked. A connection that dies in silence (a phone between two masts) then
holds no lock, and the person's next attempt goes through.

A process may be killed between storing a material's files and the commit. They carry the upload's name, and the
.part file goes last of all: whatever ends the upload finds them by it. Files of which no .part file tells are never
touched, so a database restored from an older backup costs none.
"""

from __future__ import annotations

import datetime
import errno
import os
import shutil
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Protocol
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, OperationalError, transaction
from django.http import Http404
from django.http.request import UnreadablePostError

from delegations.access import require
from delegations.files.contents import ENOUGH, MEGABYTE, format_of, judge, judge_start, require_size
from delegations.files.materials import delete_files, delete_unclaimed, open_for_filing, require_room, take_in
from delegations.models import Delegation, Destination, Material, MaterialKind, Upload
from delegations.saving import require_state
from reporting.clock import now
from reporting.documents import clean_name
from reporting.errors import Refused, ReportingError, WrongState
from unions.gate import Actor

MOST_UNFINISHED = 20  # of one person
FORGOTTEN_AFTER = datetime.timedelta(days=3)
# A new upload's file is there a moment before its row: younger files without a row are left alone.
YOUNG = 3600  # seconds
READ = 64 * 1024
LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL's error code
IN_MEMORY = 2 * MEGABYTE  # of a piece being collected; what is more waits on the disk

GONE = "当前没有这次上传，可能已经传完、取消或过期。请重新选择文件上传。"


class Displaced(WrongState):
    """The piece does not begin where the last one ended; `received` is where to go on."""

    def __init__(self, received: int) -> None:
        super().__init__(f"上传位置不一致，服务器已收到 {received:,} 字节。请从这里继续上传。")
        self.received = received


class Busy(WrongState):
    """Another request is writing this upload."""


class TooLong(ReportingError):
    """More bytes than were announced."""


class NoSpace(ReportingError):
    """The server's disk is full."""


class Body(Protocol):
    def read(self, size: int, /) -> bytes: ...


def create(*, destination: Destination, kind: str, name: str, size: int, by: Actor) -> Upload:
    """Announce a file. Raises Refused for what could never be kept, before a byte has travelled."""
    require(by, "file", destination.delegation)
    if kind not in MaterialKind.values:
        raise Refused("没有这一类材料，请刷新页面后再试。")
    # Some browsers send a path, on whatever system.
    label = str(MaterialKind(kind).label)
    name = clean_name(name.replace("\\", "/").rpartition("/")[2], label) or label
    format_of(kind, name)
    require_size(name, size)
    upload = Upload(
        destination=destination, kind=kind, name=name, size=size, by=by.person, at=now(), touched_at=now()
    )
    try:
        with transaction.atomic():
            open_for_filing(destination, by)
            under_way = destination.uploads.count()
            require_room(destination, under_way=under_way)
            if Upload.objects.filter(by=by.person).count() >= MOST_UNFINISHED:
                raise Refused(
                    f"您没有传完的文件已有 {MOST_UNFINISHED} 个。请先继续传完，或在材料页取消不要的，再上传新文件。"
                )
            upload.file.save("", ContentFile(b""), save=False)
            upload.save(force_insert=True)
    except BaseException:
        delete_files([upload.file.name])
        raise
    return upload


def find(pk: UUID, by: Actor) -> Upload:
    """An upload of one's own that one may still go on with. 404 for others', 403 without the role."""
    rows = Upload.objects.select_related("destination__delegation", "destination__union")
    upload = rows.filter(pk=pk, by=by.person).first()
    if upload is None:
        raise Http404(GONE)
    require(by, "file", upload.destination.delegation)
    return upload


def where(pk: UUID, by: Actor) -> Upload:
    """For HEAD: `received` is true. An upload whose file is lost is forgotten (404)."""
    upload = find(pk, by)
    require_state(upload.destination.delegation, Delegation.State.LOCKED)
    if _is_lost(upload):
        discard(pk, upload.file.name)
        raise Http404(GONE)
    return upload


def expires(upload: Upload) -> datetime.datetime:
    return upload.touched_at + FORGOTTEN_AFTER


def receive(*, pk: UUID, offset: int, length: int, body: Body, by: Actor) -> tuple[Upload, Material | None]:
    """The next piece: the upload as it now stands, and the material if that was the last.

    A body that is cut off counts as far as it came. Raises Displaced, Busy, TooLong, NoSpace, WrongState; Refused
    when the file is not what it should be: then the upload is gone with its file.
    """
    upload = where(pk, by)
    if offset != upload.received:
        raise Displaced(upload.received)
    remaining = upload.size - offset
    if length > remaining:
        raise TooLong(f"收到的内容比文件长：还差 {remaining:,} 字节，这次送来 {length:,} 字节。请重新上传。")
    stored: list[str] = []
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as piece:
        try:
            collected = _collect(body, length, piece)
            with transaction.atomic():
                if offset + collected == upload.size:
                    # The delegation first, like everybody who changes it: who removes the destination holds
                    # the delegation and waits for this row.
                    open_for_filing(upload.destination, by)
                upload = _locked(pk, by)
                if offset != upload.received:
                    raise Displaced(upload.received)
                return _append(upload, piece, stored, by)
        except BaseException as problem:
            if not isinstance(problem, DatabaseError):  # or the commit may be just on its way
                delete_unclaimed(stored)
            if isinstance(problem, Refused):
                discard(pk, upload.file.name)
            if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT):
                raise NoSpace(
                    "服务器磁盘空间不足，文件没有存下。请联系系统管理员，稍后从断点继续。"
                ) from problem
            raise


def _collect(body: Body, length: int, piece: IO[bytes]) -> int:
    """As much of the body as comes: how many bytes."""
    while length > 0:
        try:
            chunk = body.read(min(READ, length))
        except UnreadablePostError:
            break
        if not chunk:
            break
        piece.write(chunk)
        length -= len(chunk)
    collected = piece.tell()
    piece.seek(0)
    return collected


def _locked(pk: UUID, by: Actor) -> Upload:
    rows = Upload.objects.select_for_update(nowait=True, of=("self",))
    try:
        upload = rows.select_related("destination__delegation", "destination__union").filter(pk=pk).first()
    except OperationalError as problem:
        if getattr(problem.__cause__, "pgcode", "") != LOCK_NOT_AVAILABLE:
            raise
        raise Busy("这个文件正由另一个请求上传，请稍候再继续。") from problem
    if upload is None:  # cancelled meanwhile
        raise Http404(GONE)
    return upload


def _append(upload: Upload, piece: IO[bytes], stored: list[str], by: Actor) -> tuple[Upload, Material | None]:
    """Under the row's lock, inside the transaction."""
    first = upload.received == 0
    with open(upload.file.path, "r+b") as file:
        file.truncate(upload.received)
        file.seek(upload.received)
        shutil.copyfileobj(piece, file)
        file.flush()
        os.fsync(file.fileno())
        upload.received, upload.touched_at = file.tell(), now()
        if upload.received == upload.size:
            judged = judge(upload.kind, upload.name, file)
            with judged.content:
                material = take_in(upload=upload, judged=judged, stored=stored, by=by)
            upload.delete()
            # Committed is committed, even if this fails: the file is swept later.
            transaction.on_commit(lambda: delete_files([upload.file.name]), robust=True)
            return upload, material
        if first and upload.received >= ENOUGH:
            judge_start(upload.kind, upload.name, file)
    upload.save(update_fields=["received", "touched_at"])
    return upload, None


def cancel(*, pk: UUID, by: Actor) -> None:
    """Possible in every state of the delegation: one's own unfinished file. Raises Busy."""
    with transaction.atomic():
        find(pk, by)
        upload = _locked(pk, by)
        upload.delete()
        transaction.on_commit(lambda: _delete_traces(upload.file.name), robust=True)


def discard(pk: UUID, file: str | None) -> None:
    """Row and file, whatever has become of them."""
    Upload.objects.filter(pk=pk).delete()
    transaction.on_commit(lambda: _delete_traces(file), robust=True)


def _delete_traces(part: str | None) -> None:
    """A .part file, and before it what a killed process has stored in its name."""
    if part:
        root = Path(default_storage.path(""))
        stored = (root / "materials").glob(f"*/{Path(part).stem}.*")
        delete_unclaimed([path.relative_to(root).as_posix() for path in stored])
        delete_files([part])


def _is_lost(upload: Upload) -> bool:
    try:
        return os.path.getsize(upload.file.path) < upload.received
    except FileNotFoundError:
        return True


def sweep() -> tuple[int, int]:
    """Forget uploads that nobody came back to finish, and files without an upload: how many of each."""
    stale = Upload.objects.filter(touched_at__lt=now() - FORGOTTEN_AFTER)
    forgotten = 0
    for pk in list(stale.values_list("pk", flat=True)):
        with transaction.atomic():
            upload = stale.select_for_update(skip_locked=True).filter(pk=pk).first()
            if upload is not None:
                upload.delete()
                transaction.on_commit(partial(_delete_traces, upload.file.name), robust=True)
                forgotten += 1
    return forgotten, _sweep_files()


def _sweep_files() -> int:
    """.part files whose row is gone: a process was killed between the two."""
    folder = default_storage.path("uploads")
    if not os.path.isdir(folder):
        return 0
    swept = 0
    old = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # finished meanwhile
                if entry.name.endswith(".part") and entry.stat().st_mtime < now().timestamp() - YOUNG:
                    old.append(entry.name)
    known = set(Upload.objects.values_list("file", flat=True))
    for name in old:
        if f"uploads/{name}" not in known:
            _delete_traces(f"uploads/{name}")
            swept += 1
    return swept
