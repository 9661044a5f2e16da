"""Uploads of material: what is refused before it travels, limits, who may, and what is forgotten."""

from __future__ import annotations

import datetime
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from delegations.files import materials, uploads
from delegations.models import Delegation, Material, MaterialKind, Upload
from delegations.tasks import sweep
from reporting import clock
from reporting.documents import MEGABYTE
from reporting.errors import ReportingError
from tests.delegations import made_files as made
from tests.delegations.stage import PlanStage
from tests.delegations.tus_client import JSON, announce, ask, file_it, give_up, send
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
    from delegations.files.contents import CONTENT_TYPES, FORMATS

    assert set(FORMATS) == set(MaterialKind)
    assert {format for formats in FORMATS.values() for format in formats} == set(CONTENT_TYPES)
