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

from delegations import materials, planning, uploads
from delegations.models import Delegation, Material, MaterialKind, PlanEvent, Upload
from delegations.tasks import sweep
from reporting import clock
from reporting.documents import MEGABYTE
from reporting.errors import ReportingError
from tests.delegations import made_files as made
from tests.delegations.stage import PlanStage, make_plan_stage
from tests.delegations.tus_client import JSON, PIECE, announce, ask, file_it, give_up, send

pytestmark = pytest.mark.django_db(transaction=True)
# Where neither a commit nor a second connection matters: the database need not be emptied afterwards.
quick = pytest.mark.django_db
PDF = made.PDF[:9] + b"%" + b"x" * 5000 + made.PDF[9:]


@pytest.fixture
def plan() -> PlanStage:
    stage = make_plan_stage(full=False)
    stage.lock()
    return stage


@pytest.fixture
def client(plan: PlanStage) -> Client:
    client = Client()
    client.force_login(plan.liaison.person)
    return client


def on_disk(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def begun(
    client: Client, plan: PlanStage, name: str = "汇报.pdf", content: bytes = PDF, kind: str = "report"
) -> str:
    answer = announce(client, plan.harbin, kind, name, len(content))
    assert answer.status_code == 201, answer.content.decode()
    return answer["Location"]


def stands(client: Client, url: str) -> int:
    answer = ask(client, url)
    assert answer.status_code == 200
    return int(answer["Upload-Offset"])


def sentence(answer: Any) -> str:
    return answer.json()["error"]


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
        patch.setattr(f"delegations.{where}", crash)
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


# -- what is refused before it travels ---------------------------------------------------------------------


@quick
@pytest.mark.parametrize(
    ("kind", "name", "size", "words"),
    [
        ("photo", "现场.jpg", 0, "是空文件"),
        ("coverage", "报道.mp4", 50 * MEGABYTE + 1, "有 50.0 MB，超过 50 MB"),
        ("coverage", "报道.mp4", 3000 * MEGABYTE, "有 3000.0 MB，超过 50 MB"),
        ("photo", "IMG_1.HEIC", 5, "兼容性最佳"),
        ("photo", "现场.svg", 5, "照片请上传 .jpg、.png、.webp 文件"),
        ("photo", "现场.pdf", 5, "不是可以接收的文件类型"),
        ("report", "汇报.exe", 5, "不是可以接收的文件类型"),
        ("report", "汇报.docm", 5, "不是可以接收的文件类型"),
        ("report", "汇报.html", 5, "不是可以接收的文件类型"),
        ("report", "汇报", 5, "不是可以接收的文件类型"),
        ("report", "", 5, "不是可以接收的文件类型"),
        ("report", "照片.jpg", 5, "不是可以接收的文件类型"),
        ("household", "视频.mp4", 5, "不是可以接收的文件类型"),
        ("else", "汇报.pdf", 5, "没有这一类材料"),
    ],
)  # fmt: skip
def test_what_could_never_be_kept_is_refused_at_once(
    plan: PlanStage, client: Client, tmp_path: Path, kind: str, name: str, size: int, words: str
) -> None:
    answer = announce(client, plan.harbin, kind, name, size)
    assert answer.status_code == 422 and words in sentence(answer)
    assert not Upload.objects.exists() and on_disk(tmp_path) == []


@quick
def test_fifty_megabytes_exactly_are_taken(plan: PlanStage, client: Client) -> None:
    assert announce(client, plan.harbin, "coverage", "报道.mp4", 50 * MEGABYTE).status_code == 201


@quick
@pytest.mark.parametrize("size", ["", "-1", "x", "1.5"])
def test_a_size_that_is_no_number(plan: PlanStage, client: Client, size: str) -> None:
    assert announce(client, plan.harbin, "report", "汇报.pdf", size).status_code == 400
    headers = JSON | {"Upload-Length": "5", "Upload-Metadata": "filename ***"}
    assert client.post(reverse("create_upload", args=[plan.harbin.pk]), headers=headers).status_code == 400


@quick
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("..\\..\\机密\\汇报.pdf", "汇报.pdf"),
        ("/etc/汇报.pdf", "汇报.pdf"),
        ("C:\\fakepath\\汇报.PDF", "汇报.PDF"),
        ("汇\u202e报\r\n.pdf", "汇报.pdf"),
        (".pdf", "当地汇报材料.pdf"),
        ("长" * 300 + ".pdf", "长" * 180 + ".pdf"),
    ],
)
def test_names_lose_what_misleads(plan: PlanStage, client: Client, given: str, kept: str) -> None:
    begun(client, plan, given)
    assert Upload.objects.get().name == kept


@pytest.mark.parametrize(
    ("name", "content", "kind", "words"),
    [
        ("现场.jpg", made.EXE * 3, "photo", "扩展名是 .jpg，内容却是 Windows 程序"),
        ("现场.png", made.png_of(30_000, 30_000) + b"\0" * 3000, "photo", "30,000 × 30,000"),
        ("汇报.pdf", made.HTML * 100, "report", "扩展名是 .pdf，内容却是网页文件"),
        ("报道.mp4", made.mp4(b"qt  "), "coverage", "苹果 MOV 视频"),
    ],
)
def test_the_first_piece_already_betrays_what_does_not_belong(
    plan: PlanStage, client: Client, tmp_path: Path, name: str, content: bytes, kind: str, words: str
) -> None:
    url = begun(client, plan, name, content, kind)
    answer = send(client, url, 0, content[:1500])
    assert answer.status_code == 422 and words in sentence(answer)
    assert not Upload.objects.exists() and on_disk(tmp_path) == []


# -- limits ------------------------------------------------------------------------------------------------


def test_the_unfinished_files_of_a_person_are_limited(
    plan: PlanStage, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_UNFINISHED", 3)
    urls = [begun(client, plan, f"{n}.pdf") for n in range(3)]
    answer = announce(client, plan.harbin, "report", "四.pdf", 100)
    assert answer.status_code == 422 and "没有传完的文件已有 3 个" in sentence(answer)
    assert len(on_disk(tmp_path)) == 3
    give_up(client, urls[0])
    begun(client, plan, "四.pdf")


@quick
def test_the_material_of_a_destination_is_limited(
    plan: PlanStage, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(materials, "MOST", 2)
    file_it(client, plan.harbin, "report", "甲.pdf", PDF)
    first, late = begun(client, plan, "乙.pdf"), announce(client, plan.harbin, "report", "丙.pdf", 9)
    assert late.status_code == 422 and "哈尔滨的材料已有 2 份" in sentence(late)
    monkeypatch.setattr(materials, "MOST", 1)  # filled up by a colleague meanwhile
    answer = send(client, first, 0, PDF.replace(b"xx", b"zz"))
    assert answer.status_code == 422 and Material.objects.count() == 1


@pytest.mark.parametrize("time_", range(3))
def test_two_at_the_limit_do_not_both_pass(
    plan: PlanStage, monkeypatch: pytest.MonkeyPatch, time_: int
) -> None:
    monkeypatch.setattr(materials, "MOST", 1)
    gate = threading.Barrier(2)

    def create(name: str) -> str:
        try:
            gate.wait()
            uploads.create(destination=plan.harbin, kind="report", name=name, size=9, by=plan.liaison)
            return "done"
        except ReportingError as error:
            return error.sentences[0]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        results = sorted(pool.map(create, ("甲.pdf", "乙.pdf")))
    assert results[0] == "done" and "已有 1 份" in results[1]


# -- who -----------------------------------------------------------------------------------------------------


@quick
@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("liaison", 201),
        ("office", 201),
        ("reader", 403),
        ("leader", 403),
        ("other_liaison", 403),
        ("host", 403),
        ("outsider", 404),
    ],
)
def test_who_may_file(plan: PlanStage, who: str, status: int) -> None:
    client = Client()
    client.force_login(getattr(plan, who).person)
    answer = announce(client, plan.harbin, "report", "汇报.pdf", 100)
    assert answer.status_code == status
    assert Upload.objects.exists() == (status == 201)


@quick
@pytest.mark.parametrize("who", ["office", "reader", "other_liaison", "host", "outsider"])
def test_an_upload_is_there_for_its_own_person_only(plan: PlanStage, client: Client, who: str) -> None:
    url = begun(client, plan)
    stranger = Client()
    stranger.force_login(getattr(plan, who).person)
    assert ask(stranger, url).status_code == 404
    assert send(stranger, url, 0, b"x").status_code == 404
    assert give_up(stranger, url).status_code == 404
    assert stands(client, url) == 0


@quick
def test_whoever_is_not_logged_in_is_told_and_nothing_is_lost(plan: PlanStage, client: Client) -> None:
    url = begun(client, plan)
    assert send(Client(), url, 0, b"x").status_code == 401
    assert announce(Client(), plan.harbin, "report", "汇报.pdf", 100).status_code == 401
    assert stands(client, url) == 0


@quick
def test_another_person_at_the_same_page_files_nothing_in_the_first_ones_name(
    plan: PlanStage, client: Client
) -> None:
    answer = announce(client, plan.harbin, "report", "汇报.pdf", 9, person=str(plan.office.person.pk))
    assert answer.status_code == 409 and "现在登录的是联络员甲" in sentence(answer)
    assert (
        announce(client, plan.harbin, "report", "汇报.pdf", 9, person=str(plan.liaison.person.pk)).status_code
        == 201
    )


@quick
@pytest.mark.parametrize(("state", "words"), [("planning", "锁定后才能"), ("archived", "已归档")])
def test_files_are_taken_while_the_records_are_open(
    plan: PlanStage, client: Client, state: str, words: str
) -> None:
    url = begun(client, plan)
    send(client, url, 0, PDF[:1000])
    Delegation.objects.filter(pk=plan.first.pk).update(state=state)
    refused = announce(client, plan.harbin, "report", "汇报.pdf", 100)
    assert refused.status_code == 409 and words in sentence(refused)
    late = send(client, url, 1000, PDF[1000:])
    assert late.status_code == 409 and words in sentence(late) and "offset" not in late.json()
    assert not Material.objects.exists()
    Delegation.objects.filter(pk=plan.first.pk).update(state="locked")  # reopened: nothing was lost
    assert "Upload-Material" in send(client, url, 1000, PDF[1000:])


def test_archived_while_the_last_piece_was_travelling(
    plan: PlanStage, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = begun(client, plan)
    real = uploads._collect

    def slow(*arguments: Any) -> Any:
        def archive() -> None:
            Delegation.objects.filter(pk=plan.first.pk).update(state="archived")
            connection.close()

        thread = threading.Thread(target=archive)
        thread.start()
        thread.join()
        return real(*arguments)

    monkeypatch.setattr(uploads, "_collect", slow)
    answer = send(client, url, 0, PDF)
    assert answer.status_code == 409 and "已归档" in sentence(answer)
    assert not Material.objects.exists()
    assert [path.suffix for path in on_disk(tmp_path)] == [".part"]


@quick
def test_a_liaison_who_was_replaced_does_not_go_on(plan: PlanStage, client: Client) -> None:
    url = begun(client, plan)
    Delegation.objects.filter(pk=plan.first.pk).update(liaison=plan.other_liaison.person)
    assert send(client, url, 0, b"x").status_code == 403
    assert ask(client, url).status_code == 403


# -- forgetting ----------------------------------------------------------------------------------------------


def test_what_nobody_came_back_for_is_forgotten_with_its_file(
    plan: PlanStage, client: Client, tmp_path: Path
) -> None:
    stale, fresh = begun(client, plan, "甲.pdf"), begun(client, plan, "乙.pdf")
    done = file_it(client, plan.harbin, "report", "丙.pdf", PDF)
    Upload.objects.filter(name="甲.pdf").update(
        touched_at=clock.now() - datetime.timedelta(days=3, minutes=1)
    )
    Upload.objects.filter(name="乙.pdf").update(touched_at=clock.now() - datetime.timedelta(days=2, hours=23))
    orphan, young = tmp_path / "uploads" / "a.part", tmp_path / "uploads" / "b.part"
    for path in (orphan, young):
        path.write_bytes(b"x")
    os.utime(orphan, (1, 1))
    for upload in Upload.objects.all():
        os.utime(upload.file.path, (1, 1))  # an old file with a row stays
    sweep()
    assert ask(client, stale).status_code == 404 and stands(client, fresh) == 0
    assert not orphan.exists() and young.exists()
    assert Path(Upload.objects.get().file.path).exists()
    assert Path(Material.objects.get(pk=done["Upload-Material"]).file.path).exists()


def test_an_upload_being_written_is_not_swept_away(plan: PlanStage, client: Client) -> None:
    begun(client, plan)
    Upload.objects.update(touched_at=clock.now() - datetime.timedelta(days=9))

    def forget() -> tuple[int, int]:
        try:
            return uploads.sweep()
        finally:
            connection.close()

    with transaction.atomic():
        Upload.objects.select_for_update().get()
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(forget).result() == (0, 0)
    assert uploads.sweep() == (1, 0)


def test_every_kind_is_one_that_can_be_filed() -> None:
    from delegations.contents import CONTENT_TYPES, FORMATS

    assert set(FORMATS) == set(MaterialKind)
    assert {format for formats in FORMATS.values() for format in formats} == set(CONTENT_TYPES)
