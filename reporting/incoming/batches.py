"""Many workbooks at once, the way they come back by e-mail: read, looked at together, filled in together.

An upload becomes a batch with a row for each file. Files are read and filled in one by one, by whoever claims their
row with SKIP LOCKED, each in a transaction of its own: a killed worker's file waits again, one that fails stops no
other. What is filled in is the draft; submitting it stays the union's own act.
"""

from __future__ import annotations

import datetime
import io
import json
import logging
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse

from reporting.clock import now
from reporting.errors import Refused, ReportingError, WrongState
from reporting.filling import lock_filing, require_editable, require_running
from reporting.incoming import imports
from reporting.incoming.archives import Member, packed
from reporting.messaging import people_with, tell
from reporting.models import BatchFile, Campaign, Filing, Import, ImportBatch
from unions.gate import Actor, Role
from unions.models import Post, Union

log = logging.getLogger(__name__)

KEPT_FOR = datetime.timedelta(days=7)
MESSAGE = "省总工会按您单位报来的电子表填入了草稿，请核对后上报。"
State, FileState = ImportBatch.State, BatchFile.State


@transaction.atomic
def receive(*, campaign: Campaign, name: str, members: Sequence[Member], by: Actor) -> ImportBatch:
    """Keep what was uploaded (`archives.members_of`), to be read file by file.

    Raises Refused when there is nothing in it, WrongState when nothing can be filled in at present.
    """
    by.require_here("import_batch")
    require_running(campaign)
    if not members:
        raise Refused("没有收到可以读取的文件。请选择各单位报来的表格，或者装着它们的文件夹、zip 压缩包。")
    assert by.union is not None  # nobody without a union passes the gate above
    batch = ImportBatch(campaign=campaign, name=name[:200], at=now(), by=by.person, acting_for=by.union)
    try:
        with packed(members) as (archive, sentences):
            batch.file.save("batch.zip", archive, save=False)
        batch.save()
        BatchFile.objects.bulk_create(
            BatchFile(
                batch=batch,
                position=position,
                name=member.name[:300],
                state=FileState.REFUSED if sentences[position] else FileState.WAITING,
                sentence=sentences[position],
            )
            for position, member in enumerate(members)
        )
    except BaseException:
        # The row is gone with the transaction; the file would stay for ever.
        if batch.file.name:
            batch.file.storage.delete(batch.file.name)
        raise
    _settle_reading(batch.pk)
    return batch


def actor_of(batch: ImportBatch) -> Actor:
    """Whoever answers for the batch, with the roles held now: the gate is asked again for every file."""
    posts = Post.objects.filter(person=batch.by, union=batch.acting_for, union__is_active=True)
    roles = posts.values_list("role", flat=True) if batch.by.is_active else ()
    return Actor(batch.by, batch.acting_for, frozenset(Role(role) for role in roles))


def work_off_one() -> BatchFile | None:
    """Read or fill in one file that nobody else has claimed; None when there is none."""
    return _read_next() or _fill_next()


def _claimed(**wanted: Any) -> BatchFile | None:
    return (
        BatchFile.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("batch__campaign", "batch__by", "batch__acting_for", "kept")
        .filter(**wanted)
        .order_by("batch", "position")
        .first()
    )


# -- reading -----------------------------------------------------------------------------------------------


class _Gone(Exception):
    """The batch was given up while one of its files was being read."""


def _read_next() -> BatchFile | None:
    with transaction.atomic():
        file = _claimed(state=FileState.WAITING, batch__state=State.READING)
        if file is None:
            return None
        try:
            with transaction.atomic():
                file.kept = _read(file)
            file.state = FileState.UNDERSTOOD
        except _Gone:
            return file
        except ReportingError as error:
            file.state, file.sentence = FileState.REFUSED, "".join(error.sentences[:4])[:500]
        except PermissionDenied:
            file.state, file.sentence = FileState.REFUSED, "办理人已没有批量导入的权限，没有读取。"
        except Exception:
            # Whatever it is: one file must not keep the others waiting. A lost connection makes the save below
            # fail too, and the file waits.
            log.exception("file %s of batch %s was not read", file.position, file.batch_id)
            file.state, file.sentence = (
                FileState.REFUSED,
                "系统没有读成这个文件，请单独上传或联系系统管理人员。",
            )
        file.save(update_fields=["state", "sentence", "kept"])
    _settle_reading(file.batch_id)
    return file


def _read(file: BatchFile) -> Import:
    batch = file.batch
    content = _content(file)
    taking_part = Union.objects.filter(is_active=True, filings__campaign=batch.campaign)
    name = file.name.rpartition("/")[2][-200:]
    understood = imports.understand(content, name, campaigns=[batch.campaign], unions=list(taking_part))
    # Only now, with everything read, is somebody else kept waiting.
    if ImportBatch.objects.select_for_update().get(pk=batch.pk).state != State.READING:
        raise _Gone
    filing = lock_filing(Filing.objects.get(campaign=batch.campaign, union=understood.union).pk)
    by = actor_of(batch)
    by.require("import_batch", filing.union)
    try:
        require_editable(filing)
    except WrongState as error:
        raise WrongState(f"{filing.union.name}的{error.sentences[0]}") from None
    return imports.keep(filing, understood, content, name, by)


def _content(file: BatchFile) -> io.BytesIO:
    try:
        with file.batch.file.open("rb") as stored, zipfile.ZipFile(stored) as archive:
            return io.BytesIO(archive.read(str(file.position)))
    except (OSError, ValueError, KeyError) as error:
        log.error("file %s of batch %s is not where it was stored: %s", file.position, file.batch_id, error)
        raise Refused("服务器上找不到上传的文件，请重新上传。") from None


@transaction.atomic
def _settle_reading(pk: int) -> None:
    """Once every file is read: refuse what says different things of one union, and let people look."""
    batch = ImportBatch.objects.select_for_update().get(pk=pk)
    if batch.state != State.READING or batch.files.filter(state=FileState.WAITING).exists():
        return
    by_filing: dict[int, list[BatchFile]] = defaultdict(list)
    for file in batch.files.filter(state=FileState.UNDERSTOOD).select_related("kept__filing__union"):
        if file.kept:
            by_filing[file.kept.filing_id].append(file)
    for files in by_filing.values():
        _refuse_doubles(files)
    batch.state = State.PREVIEW
    batch.save(update_fields=["state"])


def _refuse_doubles(files: list[BatchFile]) -> None:
    """Of files that say the same of a union one is kept; of a form they say differently none. One form in one file
    and the other form in another is how some send them."""
    first: dict[str, BatchFile] = {}
    said: dict[str, list[BatchFile]] = defaultdict(list)
    for file in files:
        content = _said(file)
        same = json.dumps(content, sort_keys=True)
        if content and same in first:
            _refuse(file, f"与“{first[same].name}”内容相同，只用一份。")
            continue
        first[same] = file
        for slug in content:
            said[slug].append(file)
    doubled = {f.pk: f for many in said.values() if len(many) > 1 for f in many}
    for file in doubled.values():
        assert file.kept is not None
        others = "、".join(f"“{other.name}”" for other in doubled.values() if other.pk != file.pk)
        _refuse(
            file,
            f"{file.kept.filing.union.name}的报表不止一份：另有{others}，内容不同，不知以哪一份为准，都没有接收。"
            "请只保留一份后重新上传。",
        )


def _said(file: BatchFile) -> dict[str, dict[str, str]]:
    """The figures of the forms that are not blank."""
    assert file.kept is not None
    return {slug: form["texts"] for slug, form in file.kept.content["forms"].items() if form["texts"]}


def _refuse(file: BatchFile, sentence: str) -> None:
    file.state, file.sentence = FileState.REFUSED, sentence[:500]
    file.save(update_fields=["state", "sentence"])
    _drop_previews([file])


def _drop_previews(files: Iterable[BatchFile]) -> None:
    kept = [file.kept_id for file in files if file.kept_id]
    Import.objects.filter(pk__in=kept, state=Import.State.PREVIEW).update(state=Import.State.DROPPED)


# -- filling in --------------------------------------------------------------------------------------------


@transaction.atomic
def confirm(*, batch: ImportBatch, positions: Iterable[int], by: Actor) -> ImportBatch:
    """Let the chosen files be filled in. From now on whoever confirmed answers for the batch.

    Raises WrongState when it is not waiting for that, Refused when nothing is chosen.
    """
    by.require_here("import_batch")
    batch = _lock(batch)
    if batch.state != State.PREVIEW:
        raise WrongState(f"这一批{batch.get_state_display()}，不能再确认。")
    require_running(batch.campaign)
    understood = batch.files.filter(state=FileState.UNDERSTOOD)
    chosen = understood.filter(position__in=list(positions))
    if not chosen.exists():
        raise Refused("请至少勾选一个文件。")
    left = understood.exclude(pk__in=chosen.values("pk"))
    _drop_previews(left)
    left.update(sentence="没有选择，或者与草稿相同。")
    assert by.union is not None
    batch.state, batch.by, batch.acting_for = State.FILLING, by.person, by.union
    batch.save(update_fields=["state", "by", "acting_for"])
    return batch


def _fill_next() -> BatchFile | None:
    with transaction.atomic():
        file = _claimed(
            state=FileState.UNDERSTOOD, batch__state=State.FILLING, kept__state=Import.State.PREVIEW
        )
        if file is None:
            return None
        try:
            with transaction.atomic():
                file.sentence = _fill(file)
            file.state = FileState.FILLED
        except ReportingError as error:
            file.state, file.sentence = FileState.FAILED, error.sentences[0][:500]
        except PermissionDenied:
            file.state, file.sentence = FileState.FAILED, "办理人已没有批量导入的权限，没有填入。"
        except Exception:
            log.exception("file %s of batch %s was not filled in", file.position, file.batch_id)
            file.state, file.sentence = FileState.FAILED, "系统没有填成，请单独上传或联系系统管理人员。"
        file.save(update_fields=["state", "sentence"])
        _drop_previews([file])
    _settle_filling(file.batch_id)
    return file


def _fill(file: BatchFile) -> str:
    """What was done, for the table of results."""
    assert file.kept is not None  # claimed by the state of its preview
    filled = imports.confirm(kept=file.kept, by=actor_of(file.batch), action="import_batch")
    filing = file.kept.filing
    left = f"{len(filled.left)} 处没有填入：{'；'.join(filled.left)}" if filled.left else ""
    if not filled.count and not filled.head:
        if filled.left:
            raise Refused(f"没有填入：{'；'.join(filled.left)}")
        return "与草稿相同，没有改动。"
    # One message, also where the two forms came in two files: the filing's lock has put their fillings in a row.
    if not file.batch.files.filter(state=FileState.FILLED, kept__filing=filing).exists():
        people = people_with(filing.union, Role.FILLER, Role.SUBMITTER)
        tell(people, MESSAGE, reverse("filing", args=[filing.pk]))
    return "，".join(filter(None, (f"填入 {filled.count} 格", left)))[:500]


@transaction.atomic
def _settle_filling(pk: int) -> None:
    batch = ImportBatch.objects.select_for_update().get(pk=pk)
    waiting = batch.files.filter(state=FileState.UNDERSTOOD, kept__state=Import.State.PREVIEW)
    if batch.state != State.FILLING or waiting.exists():
        return
    batch.state, batch.finished_at = State.DONE, now()
    batch.save(update_fields=["state", "finished_at"])
    transaction.on_commit(lambda: forget_file(batch))


# -- ending ------------------------------------------------------------------------------------------------


@transaction.atomic
def drop(*, batch: ImportBatch, by: Actor) -> None:
    """Give a batch up before anything of it is filled in; twice is once."""
    by.require_here("import_batch")
    batch = _lock(batch)
    if batch.state in (State.FILLING, State.DONE):
        raise WrongState(f"这一批{batch.get_state_display()}，不能再放弃。")
    _drop(batch)


def _drop(batch: ImportBatch) -> None:
    if batch.state != State.DROPPED:
        batch.state, batch.finished_at = State.DROPPED, now()
        batch.save(update_fields=["state", "finished_at"])
        _drop_previews(batch.files.exclude(kept=None))
    transaction.on_commit(lambda: forget_file(batch))


def _lock(batch: ImportBatch) -> ImportBatch:
    return ImportBatch.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=batch.pk)


def forget_file(batch: ImportBatch) -> None:
    """The workbooks themselves: figures of unions have no business on a disk any longer than needed."""
    if batch.file.name:
        batch.file.storage.delete(batch.file.name)
        ImportBatch.objects.filter(pk=batch.pk).update(file="")


def sweep() -> None:
    """Look after what a killed worker or a forgetful person left: unsettled batches, old previews, files."""
    unconfirmed = Import.objects.filter(state=Import.State.PREVIEW, batch_file=None, at__lt=now() - KEPT_FOR)
    unconfirmed.update(state=Import.State.DROPPED)
    for pk in ImportBatch.objects.filter(state=State.READING).values_list("pk", flat=True):
        _settle_reading(pk)
    for pk in ImportBatch.objects.filter(state=State.FILLING).values_list("pk", flat=True):
        _settle_filling(pk)
    old = ImportBatch.objects.filter(at__lt=now() - KEPT_FOR)
    for forgotten in old.filter(state__in=(State.READING, State.PREVIEW)):
        with transaction.atomic():
            batch = _lock(forgotten)
            if batch.state in (State.READING, State.PREVIEW):
                _drop(batch)
    ended = ImportBatch.objects.filter(state__in=(State.DONE, State.DROPPED)).exclude(file="")
    for left in [*ended, *old.exclude(file="")]:
        forget_file(left)
