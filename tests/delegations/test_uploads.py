"""Files on their way: whatever interrupts them, nothing is half-stored and nobody starts again from zero."""

from __future__ import annotations

import datetime
import errno
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.http.request import UnreadablePostError
from django.test import Client
from django.urls import reverse

from delegations import planning
from delegations.files import materials, uploads
from delegations.models import Delegation, Material, PlanEvent, Upload
from delegations.tasks import sweep
from reporting import clock
from reporting.documents import MEGABYTE
from reporting.errors import ReportingError
from tests.delegations import made_files as made
from tests.delegations.stage import PlanStage
from tests.delegations.tus_client import JSON, PIECE, ask, file_it, give_up, send
from tests.delegations.upload_stage import (  # noqa: F401  pytest finds the fixtures here
    PDF,
    begun,
    liaison_client,
    locked_plan,
    on_disk,
    quick,
    sentence,
    stands,
)

pytestmark = pytest.mark.django_db(transaction=True)


# -- the way of a file -------------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", [1, 2000, 5000, 10**9])
def test_a_file_arrives_whole_in_pieces_of_any_size(
    plan: PlanStage, client: Client, tmp_path: Path, piece: int
) -> None:
    content = made.PDF if piece == 1 else PDF
    answer = file_it(client, plan.harbin, "report", "汇报.pdf", content, piece)
    material = Material.objects.get(pk=answer["Upload-Material"])
    with material.file.open() as stored:
        assert stored.read() == content
    assert (material.name, material.format, material.size) == ("汇报.pdf", "pdf", len(content))
    assert (material.kind, material.by) == ("report", plan.liaison.person)
    assert not Upload.objects.exists()
    assert on_disk(tmp_path) == [Path(material.file.path)]
    event = PlanEvent.objects.filter(delegation=plan.first)[0]
    assert (
        event.what
        == f"哈尔滨 上传当地汇报材料：汇报.pdf（{materials.size_text(len(content))}，校验码 {material.sha256[:12]}）"
    )


@quick
def test_the_answers_of_the_protocol(plan: PlanStage, client: Client) -> None:
    asked = client.options(
        reverse("create_upload", args=[plan.harbin.pk]), headers={"Accept": "application/json"}
    )
    assert (asked.status_code, asked["Tus-Version"]) == (204, "1.0.0")
    assert asked["Tus-Extension"] == "creation,termination,expiration"
    assert asked["Tus-Max-Size"] == str(50 * MEGABYTE)
    url = begun(client, plan)
    head = ask(client, url)
    assert (head["Upload-Offset"], head["Upload-Length"]) == ("0", str(len(PDF)))
    assert (head["Tus-Resumable"], head["Cache-Control"]) == ("1.0.0", "no-store")
    assert "GMT" in head["Upload-Expires"]
    step = send(client, url, 0, PDF[:100])
    assert (step.status_code, step["Upload-Offset"], step["Tus-Resumable"]) == (204, "100", "1.0.0")
    assert client.head(url, headers={"Accept": "application/json"}).status_code == 412
    assert client.generic("PATCH", url, b"x", headers=JSON | {"Upload-Offset": "100"}).status_code == 415
    assert stands(client, url) == 100


@quick
@pytest.mark.parametrize("offset", [0, 99, 101, 5000])
def test_a_piece_from_the_wrong_place_is_refused_and_says_where_to_go_on(
    plan: PlanStage, client: Client, offset: int
) -> None:
    url = begun(client, plan)
    send(client, url, 0, PDF[:100])
    answer = send(client, url, offset, b"y" * 10)
    assert answer.status_code == 409
    assert answer.json() == {
        "error": "上传位置不一致，服务器已收到 100 字节。请从这里继续上传。",
        "offset": 100,
    }
    assert stands(client, url) == 100


@quick
@pytest.mark.parametrize("offset", ["", "-1", "abc", "1e3", "９", "9" * 16])
def test_an_offset_that_is_no_number(plan: PlanStage, client: Client, offset: str) -> None:
    url = begun(client, plan)
    assert send(client, url, offset.encode().decode("latin-1"), b"x").status_code == 400
    assert stands(client, url) == 0


@quick
def test_more_than_was_announced_is_refused_unread(plan: PlanStage, client: Client) -> None:
    url = begun(client, plan)
    answer = send(client, url, 0, PDF + b"x")
    assert answer.status_code == 413 and "内容比文件长" in sentence(answer)
    assert stands(client, url) == 0 and Upload.objects.get().size == len(PDF)


@quick
def test_nothing_is_a_piece_too(plan: PlanStage, client: Client) -> None:
    url = begun(client, plan)
    assert send(client, url, 0, b"").status_code == 204
    assert stands(client, url) == 0


# -- interruptions -----------------------------------------------------------------------------------------


class Torn:
    """A body whose connection breaks after `content`."""

    def __init__(self, content: bytes, *, loudly: bool) -> None:
        self.content, self.loudly = content, loudly

    def read(self, size: int, /) -> bytes:
        chunk, self.content = self.content[:size], self.content[size:]
        if not chunk and self.loudly:
            raise UnreadablePostError("connection reset")
        return chunk


@quick
@pytest.mark.parametrize("loudly", [True, False])
@pytest.mark.parametrize("arrived", [0, 1, 2500, len(PDF) - 1])
def test_a_body_cut_off_counts_as_far_as_it_came(
    plan: PlanStage, client: Client, arrived: int, loudly: bool
) -> None:
    url = begun(client, plan)
    upload = Upload.objects.get()
    uploads.receive(
        pk=upload.pk, offset=0, length=len(PDF), body=Torn(PDF[:arrived], loudly=loudly), by=plan.liaison
    )
    assert stands(client, url) == arrived
    assert not Material.objects.exists()
    answer = send(client, url, arrived, PDF[arrived:])
    with Material.objects.get(pk=answer["Upload-Material"]).file.open() as stored:
        assert stored.read() == PDF


def test_a_connection_that_breaks_on_a_real_server(plan: PlanStage, client: Client, live_server: Any) -> None:
    url = begun(client, plan)
    address = urlsplit(live_server.url)
    client.get(reverse("materials", args=[plan.harbin.pk]))
    token, session = (client.cookies[name].value for name in ("csrftoken", settings.SESSION_COOKIE_NAME))
    head = (
        f"PATCH {url} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: {len(PDF)}\r\n"
        f"Content-Type: {PIECE}\r\nUpload-Offset: 0\r\nTus-Resumable: 1.0.0\r\nAccept: application/json\r\n"
        f"Cookie: {settings.SESSION_COOKIE_NAME}={session}; csrftoken={token}\r\n"
        f"X-CSRFToken: {token}\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port)) as line:
        line.sendall(head.encode() + PDF[:3000])
    for _ in range(100):
        if stands(client, url) == 3000:
            break
        time.sleep(0.05)
    assert stands(client, url) == 3000
    assert "Upload-Material" in send(client, url, 3000, PDF[3000:])


@quick
def test_what_a_crash_wrote_but_did_not_commit_is_cut_off(plan: PlanStage, client: Client) -> None:
    url = begun(client, plan)
    send(client, url, 0, PDF[:1500])
    with open(Upload.objects.get().file.path, "ab") as part:
        part.write(b"written, never committed" * 999)
    assert stands(client, url) == 1500
    answer = send(client, url, 1500, PDF[1500:])
    with Material.objects.get(pk=answer["Upload-Material"]).file.open() as stored:
        assert stored.read() == PDF


class Killed(BaseException):
    """The process ends where it stands: nothing is tidied up."""


def killed_before_the_commit(
    plan: PlanStage, client: Client, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> str:
    url = begun(client, plan, "现场.jpg", content, "photo")

    def kill(*args: object, **kwargs: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(materials, "note", kill)
        patch.setattr(uploads, "delete_unclaimed", lambda names: None)
        with pytest.raises(Killed):
            send(client, url, 0, content)
    return url


def test_what_a_killed_process_stored_is_replaced_by_the_next_attempt(
    plan: PlanStage, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = made.jpeg(200, 100)
    url = killed_before_the_commit(plan, client, monkeypatch, content)
    assert len(on_disk(tmp_path)) == 3, "the piece, the picture and its thumbnail"
    material = Material.objects.get(pk=send(client, url, 0, content)["Upload-Material"])
    assert on_disk(tmp_path) == sorted([Path(material.file.path), Path(material.thumbnail.path)])


@pytest.mark.parametrize("how", ["given up", "forgotten", "removed with its place", "refused"])
def test_what_a_killed_process_stored_goes_with_the_upload(
    plan: PlanStage, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    content = made.jpeg(200, 100)
    url = killed_before_the_commit(plan, client, monkeypatch, content)
    other = file_it(client, plan.harbin, "report", "汇报.pdf", PDF)
    kept = Path(Material.objects.get(pk=other["Upload-Material"]).file.path)
    if how == "given up":
        give_up(client, url)
    elif how == "refused":
        assert send(client, url, 0, made.EXE.ljust(len(content), b"\0")[: len(content)]).status_code == 422
    elif how == "forgotten":
        Upload.objects.update(touched_at=clock.now() - datetime.timedelta(days=4))
        sweep()
    else:
        for path in on_disk(tmp_path):
            os.utime(path, (1, 1))
        Upload.objects.all().delete()
        sweep()
    assert on_disk(tmp_path) == [kept]


def test_sweeping_leaves_what_a_row_names_and_what_it_does_not_know(
    plan: PlanStage, client: Client, tmp_path: Path
) -> None:
    answer = file_it(client, plan.harbin, "photo", "现场.jpg", made.jpeg(200, 100))
    material = Material.objects.get(pk=answer["Upload-Material"])
    # The .part could not be deleted when the material was committed; the folder holds a file of another backup.
    part = tmp_path / "uploads" / f"{Path(material.file.path).stem}.part"
    part.write_bytes(b"x")
    foreign = Path(material.file.path).with_name("0123456789abcdef0123456789abcdef.jpg")
    foreign.write_bytes(b"x")
    for path in on_disk(tmp_path):
        os.utime(path, (1, 1))
    sweep()
    left = sorted([foreign, Path(material.file.path), Path(material.thumbnail.path)])
    assert on_disk(tmp_path) == left


def test_a_file_that_goes_while_the_folder_is_read_stops_nothing(
    plan: PlanStage, client: Client, tmp_path: Path
) -> None:
    begun(client, plan)
    (tmp_path / "uploads" / "gone.part").symlink_to(tmp_path / "nowhere")
    assert uploads.sweep() == (0, 0)


def test_a_part_that_can_not_be_deleted_costs_no_material(
    plan: PlanStage, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = begun(client, plan)
    real = materials.default_storage.delete

    def stuck(name: str) -> None:
        if name.endswith(".part"):
            raise PermissionError("in use")
        real(name)

    monkeypatch.setattr(materials.default_storage, "delete", stuck)
    answer = send(client, url, 0, PDF)
    assert answer.status_code == 204
    with Material.objects.get(pk=answer["Upload-Material"]).file.open() as stored:
        assert stored.read() == PDF


def test_a_connection_lost_behind_the_commit_costs_no_material(
    plan: PlanStage, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has committed; its answer never came."""
    url = begun(client, plan)

    def lost() -> None:
        transaction.on_commit(fail)

    def fail() -> None:
        raise OperationalError("server closed the connection unexpectedly")

    real = uploads.take_in

    def take_in(**arguments: Any) -> Material:
        lost()
        return real(**arguments)

    monkeypatch.setattr(uploads, "take_in", take_in)
    with pytest.raises(OperationalError):
        send(client, url, 0, PDF)
    assert Path(Material.objects.get().file.path).read_bytes() == PDF


@pytest.mark.parametrize("where", ["uploads.judge", "uploads.take_in", "materials.note", "materials.touch"])
def test_a_crash_before_the_commit_leaves_the_upload_where_it_was(
    plan: PlanStage, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    url = begun(client, plan, "现场.jpg", made.jpeg(200, 100), "photo")
    content = made.jpeg(200, 100)
    send(client, url, 0, content[:1000])

    def crash(*args: object, **kwargs: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(f"delegations.files.{where}", crash)
        with pytest.raises(RuntimeError):
            send(client, url, 1000, content[1000:])
    assert not Material.objects.exists() and not PlanEvent.objects.exists()
    assert [path.suffix for path in on_disk(tmp_path)] == [".part"]
    # Never whole and yet nowhere: the last piece is asked for again.
    assert stands(client, url) == 1000
    assert "Upload-Material" in send(client, url, 1000, content[1000:])


def test_a_full_disk_is_said_and_leaves_no_half_a_file(
    plan: PlanStage, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = begun(client, plan)
    send(client, url, 0, PDF[:1000])
    real = materials.default_storage.save

    def full(name: str, content: Any) -> str:
        real(name, materials.ContentFile(b"half"))
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(materials.default_storage, "save", full)
        answer = send(client, url, 1000, PDF[1000:])
    assert answer.status_code == 507 and "磁盘空间不足" in sentence(answer)
    assert [path.suffix for path in on_disk(tmp_path)] == [".part"]
    assert stands(client, url) == 1000


@quick
def test_an_upload_whose_file_was_lost_is_begun_anew(plan: PlanStage, client: Client) -> None:
    url = begun(client, plan)
    send(client, url, 0, PDF[:1500])
    os.truncate(Upload.objects.get().file.path, 700)
    assert ask(client, url).status_code == 404
    assert not Upload.objects.exists()


def test_giving_up_leaves_nothing(plan: PlanStage, client: Client, tmp_path: Path) -> None:
    url = begun(client, plan)
    send(client, url, 0, PDF[:1500])
    assert give_up(client, url).status_code == 204
    assert not Upload.objects.exists() and on_disk(tmp_path) == []
    assert ask(client, url).status_code == 404
    late = send(client, url, 1500, PDF[1500:])
    assert late.status_code == 404 and "重新选择文件上传" in sentence(late)


# -- two at once -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("time_", range(4))
def test_two_writers_of_one_piece_write_it_once(plan: PlanStage, client: Client, time_: int) -> None:
    url = begun(client, plan)
    pk = Upload.objects.get().pk
    gate = threading.Barrier(2)

    def write(letter: bytes) -> str:
        try:
            gate.wait()
            body = Torn(PDF[:10] + letter * 2990, loudly=False)
            uploads.receive(pk=pk, offset=0, length=3000, body=body, by=plan.liaison)
            return "done"
        except ReportingError as error:
            return type(error).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        results = sorted(pool.map(write, (b"a", b"b")))
    assert results[1] == "done" and results[0] in ("Busy", "Displaced")
    assert stands(client, url) == 3000
    stored = Path(Upload.objects.get().file.path).read_bytes()
    assert stored in (PDF[:10] + b"a" * 2990, PDF[:10] + b"b" * 2990)


def test_two_last_pieces_make_one_material(plan: PlanStage, client: Client, tmp_path: Path) -> None:
    url = begun(client, plan)
    send(client, url, 0, PDF[:3000])
    pk = Upload.objects.get().pk
    gate = threading.Barrier(3)

    def finish(_: int) -> str:
        try:
            gate.wait()
            body = Torn(PDF[3000:], loudly=False)
            uploads.receive(pk=pk, offset=3000, length=len(PDF) - 3000, body=body, by=plan.liaison)
            return "done"
        except Exception as error:
            return type(error).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(finish, range(3)))
    assert results.count("done") == 1
    assert set(results) <= {"done", "Busy", "Http404"}
    assert Material.objects.count() == 1 and len(on_disk(tmp_path)) == 1


def test_the_same_content_arriving_twice_at_once_is_kept_once(
    plan: PlanStage, client: Client, tmp_path: Path
) -> None:
    urls = [begun(client, plan, name) for name in ("甲.pdf", "乙.pdf")]
    for url in urls:
        send(client, url, 0, PDF[:3000])
    pks = list(Upload.objects.values_list("pk", flat=True))
    gate = threading.Barrier(2)

    def finish(pk: Any) -> str:
        try:
            gate.wait()
            body = Torn(PDF[3000:], loudly=False)
            uploads.receive(pk=pk, offset=3000, length=len(PDF) - 3000, body=body, by=plan.liaison)
            return "done"
        except ReportingError as error:
            return error.sentences[0]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        results = sorted(pool.map(finish, pks))
    assert results[0] == "done" and "内容相同，没有重复保存" in results[1]
    assert Material.objects.count() == 1 and not Upload.objects.exists()
    assert len(on_disk(tmp_path)) == 1


def remove_the_place(plan: PlanStage) -> str:
    try:
        planning.unlock_plan(delegation=plan.first, reason="需要调整走访单位", by=plan.office)
        planning.remove_destination(destination=plan.harbin, by=plan.office)
        return "done"
    except ReportingError as error:
        return error.sentences[0]
    finally:
        connection.close()


def test_a_place_removed_while_the_last_piece_is_judged_waits_for_it(
    plan: PlanStage, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = begun(client, plan)
    real = uploads.judge
    removed: list[Any] = []
    with ThreadPoolExecutor(1) as pool:

        def slow(*arguments: Any) -> Any:
            removed.append(pool.submit(remove_the_place, plan))
            time.sleep(0.5)
            return real(*arguments)

        monkeypatch.setattr(uploads, "judge", slow)
        assert "Upload-Material" in send(client, url, 0, PDF)
        assert "已有材料" in removed[0].result(20)
    assert Material.objects.count() == 1


def test_the_last_piece_of_a_file_whose_place_is_being_removed(
    plan: PlanStage, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The office holds the delegation and is about to remove the place with its uploads: no knot."""
    url = begun(client, plan)
    Delegation.objects.filter(pk=plan.first.pk).update(state="planning")
    looked = threading.Event()
    real = uploads._collect

    def slow(*arguments: Any) -> Any:
        looked.set()
        return real(*arguments)

    def last_piece() -> Any:
        try:
            return send(client, url, 0, PDF)
        finally:
            connection.close()

    # The state was right when the piece set out.
    monkeypatch.setattr(uploads, "require_state", lambda *args: None)
    monkeypatch.setattr(uploads, "_collect", slow)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Delegation.objects.select_for_update().get(pk=plan.first.pk)
            sent = pool.submit(last_piece)
            assert looked.wait(20)
            time.sleep(1.5)  # longer than PostgreSQL waits before it looks for a knot
            planning.remove_destination(destination=plan.harbin, by=plan.office)
        answer = sent.result(20)
    assert answer.status_code in (404, 409) and sentence(answer)
    assert not Material.objects.exists() and not Upload.objects.exists()


def test_while_one_request_writes_another_is_told_to_wait(plan: PlanStage, client: Client) -> None:
    url = begun(client, plan)

    def write() -> Any:
        try:
            return send(client, url, 0, PDF[:100]), give_up(client, url)
        finally:
            connection.close()

    with transaction.atomic():
        Upload.objects.select_for_update().get()
        with ThreadPoolExecutor(1) as pool:
            answer, given_up = pool.submit(write).result()
    assert answer.status_code == 423 and "正由另一个请求上传" in sentence(answer)
    assert given_up.status_code == 423
    assert stands(client, url) == 0


def test_a_connection_that_hangs_keeps_nobody_from_going_on(plan: PlanStage, client: Client) -> None:
    url = begun(client, plan)
    pk = Upload.objects.get().pk
    reading, released = threading.Event(), threading.Event()

    class Hanging(Torn):
        def read(self, size: int, /) -> bytes:
            if not self.content:
                reading.set()
                released.wait(20)
            return super().read(size)

    def hang() -> str:
        try:
            uploads.receive(
                pk=pk, offset=0, length=len(PDF), body=Hanging(PDF[:500], loudly=True), by=plan.liaison
            )
            return "done"
        except ReportingError as error:
            return type(error).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        hung = pool.submit(hang)
        assert reading.wait(20)
        assert "Upload-Material" not in send(client, url, 0, PDF[:2000])
        released.set()
        assert hung.result() == "Displaced"
    assert stands(client, url) == 2000
