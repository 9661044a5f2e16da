"""Many workbooks at once: each judged by itself, none submitted, and no worker's death loses or doubles one."""

from __future__ import annotations

import datetime
import html
import os
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from reporting import workflow
from reporting.errors import Refused, WrongState
from reporting.filling import Change, save_cells, working_row
from reporting.incoming import batches, imports
from reporting.incoming.archives import members_of
from reporting.models import BatchFile, CellChange, Event, Filing, Import, ImportBatch, Message
from reporting.sheets import sheet_for
from reporting.tasks import tick, work_batches
from tests.aggregation.processes import environment
from tests.imports.books import book, own_book, upload
from tests.workflow.stage import Stage, make_stage
from unions.gate import Actor, Role
from unions.models import Post, Union

A, F, S = Role.ADMINISTRATOR, Role.FILLER, Role.SUBMITTER
FileState = BatchFile.State


def words(answer: Any) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())))


def clerk(stage: Stage) -> Actor:
    return stage.actor(stage.tree.province, A)


def receive(stage: Stage, files: dict[str, bytes], by: Actor | None = None) -> ImportBatch:
    members = members_of([upload(content, name) for name, content in files.items()], list(files))
    return batches.receive(campaign=stage.campaign, name="一批", members=members, by=by or clerk(stage))


def read(batch: ImportBatch) -> dict[str, BatchFile]:
    work_batches()
    batch.refresh_from_db()
    return {file.name: file for file in batch.files.select_related("kept__filing__union")}


def told(batch: ImportBatch) -> dict[str, tuple[str, str]]:
    return {file.name: (file.state, file.sentence) for file in batch.files.all()}


def fill(stage: Stage, batch: ImportBatch, *positions: int) -> None:
    chosen = positions or range(300)
    batches.confirm(batch=batch, positions=chosen, by=clerk(stage))
    work_batches()
    batch.refresh_from_db()


def text(stage: Stage, union: Union, code: str, slug: str = "warmth") -> str:
    return working_row(stage.filing(union), slug).text(code)


def folder(stage: Stage) -> dict[str, bytes]:
    """Good, in three ways; two of one union; submitted; another year's; nobody's; no workbook at all."""
    tree, campaign = stage.tree, stage.campaign
    warmth, helpcenter = sheet_for(campaign, "warmth"), sheet_for(campaign, "helpcenter")
    return {
        "哈尔滨.xlsx": book(campaign, tree.harbin, warmth_E1=5, helpcenter_A2=3),
        "南岗送温暖.xlsx": own_book(warmth, "南岗区（章）", {"E1": "1,200"}),
        "南岗帮扶中心.xlsx": own_book(helpcenter, "哈尔滨市南岗区总工会", {"A3": 1}),
        "齐齐哈尔1.xlsx": book(campaign, tree.outsider, warmth_E1=7),
        "齐齐哈尔2.xlsx": book(campaign, tree.outsider, warmth_E1=8),
        "大庆油田.xlsx": book(campaign, tree.daqing_oilfield, warmth_E1=9),
        "去年.xlsx": own_book(warmth, "大庆油田工会", {"E1": 1}, year=2020),
        "外省.xlsx": own_book(warmth, "吉林省总工会", {"E1": 1}),
        "坏.xlsx": b"PK\x03\x04" + b"0" * 90,
        "报告.docx": b"x",
    }


# -- the way through ---------------------------------------------------------------------------------------


def test_each_file_is_judged_by_itself_and_the_chosen_ones_are_filled_in(
    stage: Stage, browse, django_capture_on_commit_callbacks
) -> None:
    tree = stage.tree
    stage.submitted(tree.daqing_oilfield)
    for union in (tree.harbin, tree.nangang):
        stage.actor(union, F), stage.actor(union, S)
    batch = receive(stage, folder(stage))
    assert batch.state == "reading" and Path(batch.file.path).exists()
    files = read(batch)
    assert batch.state == "preview"
    understood = {
        name: f.kept.filing.union for name, f in files.items() if f.state == "understood" and f.kept
    }
    assert understood == {
        "哈尔滨.xlsx": tree.harbin,
        "南岗送温暖.xlsx": tree.nangang,
        "南岗帮扶中心.xlsx": tree.nangang,
    }
    refused = {name: f.sentence for name, f in files.items() if f.state == "refused"}
    assert "另有“齐齐哈尔2.xlsx”，内容不同" in refused["齐齐哈尔1.xlsx"]
    assert "另有“齐齐哈尔1.xlsx”，内容不同" in refused["齐齐哈尔2.xlsx"]
    assert refused["大庆油田.xlsx"].startswith("大庆油田工会的报送件已上报，不能再修改。")
    assert refused["去年.xlsx"].startswith("这是 2020 年的报表，这里接收 2021 年的。")
    assert refused["外省.xlsx"].startswith("没有叫“吉林省总工会”的单位")
    assert "已损坏" in refused["坏.xlsx"]
    assert refused["报告.docx"] == "不是 Excel 或 WPS 表格，没有读取。"
    assert not CellChange.objects.exists(), "nothing is filled in before it is confirmed"

    client = browse(clerk(stage))
    page = client.get(reverse("batch", args=[batch.pk]))
    for name, sentence in refused.items():
        assert name in words(page) and sentence in words(page)
    detail = client.get(reverse("batch_file", args=[batch.pk, files["哈尔滨.xlsx"].position]))
    assert "附件1 送温暖统计表!E39" in words(detail) and "本级（不含下级单位）" in words(detail)

    chosen = [files["哈尔滨.xlsx"].position, files["南岗送温暖.xlsx"].position]
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("batch_confirm", args=[batch.pk]), {"file": chosen})
    with django_capture_on_commit_callbacks(execute=True):
        tick()
    batch.refresh_from_db()
    assert (batch.state, batch.file.name) == ("done", "")
    assert [text(stage, tree.harbin, c) for c in ("E1", "E")] == ["5", "5"]
    assert text(stage, tree.harbin, "A", "helpcenter") == "3"
    assert text(stage, tree.nangang, "E1") == "1200"
    assert text(stage, tree.nangang, "A3", "helpcenter") == "", "it was not chosen"
    assert text(stage, tree.outsider, "E1") == ""
    assert set(CellChange.objects.values_list("by", flat=True)) == {clerk(stage).person.pk}
    assert set(Filing.objects.exclude(union=tree.daqing_oilfield).values_list("state", flat=True)) == {
        "draft"
    }
    assert not Event.objects.exclude(filing__union=tree.daqing_oilfield).exists()
    page = words(client.get(reverse("batch", args=[batch.pk])))
    assert "已为 2 个单位填入草稿" in page and "没有选择，或者与草稿相同。" in page
    told_people = Message.objects.filter(text=batches.MESSAGE).values_list("person__name", "link")
    harbin, nangang = (reverse("filing", args=[stage.filing(u).pk]) for u in (tree.harbin, tree.nangang))
    assert sorted(told_people) == sorted(
        [
            ("哈尔滨填报员", harbin),
            ("哈尔滨负责人", harbin),
            ("南岗区填报员", nangang),
            ("南岗区负责人", nangang),
        ]
    )


def test_the_two_forms_in_two_files_are_one_message(stage: Stage) -> None:
    stage.actor(stage.tree.nangang, F)
    files = folder(stage)
    batch = receive(stage, {name: files[name] for name in ("南岗送温暖.xlsx", "南岗帮扶中心.xlsx")})
    read(batch)
    fill(stage, batch)
    assert told(batch) == {
        "南岗送温暖.xlsx": ("filled", "填入 2 格"),
        "南岗帮扶中心.xlsx": ("filled", "填入 2 格"),
    }
    assert Message.objects.filter(text=batches.MESSAGE).count() == 1


def test_the_same_content_twice_is_used_once(stage: Stage) -> None:
    content = book(stage.campaign, stage.tree.harbin, warmth_E1=5)
    other_bytes = own_book(sheet_for(stage.campaign, "warmth"), "哈尔滨", {"E1": 5})
    batch = receive(stage, {"a.xlsx": content, "b/a.xlsx": content, "c.xlsx": other_bytes})
    files = read(batch)
    assert {name: f.state for name, f in files.items()} == {
        "a.xlsx": "understood",
        "b/a.xlsx": "refused",
        "c.xlsx": "refused",
    }
    assert files["c.xlsx"].sentence == "与“a.xlsx”内容相同，只用一份。"
    assert Import.objects.filter(state="preview").count() == 1


def test_what_a_union_typed_meanwhile_stays_and_is_named(stage: Stage) -> None:
    harbin = stage.tree.harbin
    batch = receive(stage, {"a.xlsx": book(stage.campaign, harbin, warmth_E1=5, warmth_E2=6)})
    read(batch)
    by = stage.actor(harbin, F)
    save_cells(filing=stage.filing(harbin), slug="warmth", changes=[Change("E1", "", "7")], by=by)
    fill(stage, batch)
    state, sentence = told(batch)["a.xlsx"]
    assert state == "filled" and sentence.startswith("填入 2 格，1 处没有填入：送温暖统计表 E1")
    assert "哈尔滨填报员已改为 7，文件为 5" in sentence
    assert [text(stage, harbin, c) for c in ("E1", "E2", "E")] == ["7", "6", "13"]


def test_submitted_between_looking_and_filling_it_fails_and_the_others_do_not(stage: Stage) -> None:
    tree = stage.tree
    stage.ready(tree.harbin, warmth_E1=1)
    batch = receive(
        stage,
        {
            "a.xlsx": book(stage.campaign, tree.harbin, warmth_E1=5),
            "b.xlsx": book(stage.campaign, tree.outsider, warmth_E1=6),
        },
    )
    read(batch)
    workflow.submit(filing=stage.filing(tree.harbin), by=stage.submitter(tree.harbin))
    fill(stage, batch)
    outcome = told(batch)
    assert outcome["a.xlsx"][0] == "failed" and "报送件已上报，不能再修改" in outcome["a.xlsx"][1]
    assert outcome["b.xlsx"] == ("filled", "填入 2 格")
    assert (text(stage, tree.harbin, "E1"), text(stage, tree.outsider, "E1")) == ("1", "6")


def test_a_failure_of_ours_stops_no_other_file(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = stage.tree
    batch = receive(
        stage,
        {
            "a.xlsx": book(stage.campaign, tree.harbin, warmth_E1=5),
            "b.xlsx": book(stage.campaign, tree.outsider, warmth_E1=6),
        },
    )
    understand = batches.imports.understand

    def failing(content: Any, name: str, **more: Any) -> Any:
        if name == "a.xlsx":
            raise RuntimeError("boom")
        return understand(content, name, **more)

    monkeypatch.setattr(batches.imports, "understand", failing)
    files = read(batch)
    assert files["a.xlsx"].sentence.startswith("系统没有读成这个文件")
    assert files["b.xlsx"].state == "understood" and batch.state == "preview"


def test_the_role_is_asked_for_again_when_it_is_filled_in(stage: Stage) -> None:
    batch = receive(stage, {"a.xlsx": book(stage.campaign, stage.tree.harbin, warmth_E1=5)})
    read(batch)
    batches.confirm(batch=batch, positions=[0], by=clerk(stage))
    Post.objects.filter(person=clerk(stage).person).delete()
    work_batches()
    assert told(batch)["a.xlsx"] == ("failed", "办理人已没有批量导入的权限，没有填入。")
    assert text(stage, stage.tree.harbin, "E1") == ""


def test_a_return_that_named_cells_keeps_the_others_shut(stage: Stage) -> None:
    harbin = stage.tree.harbin
    stage.returned(harbin, "warmth:E1", warmth_E1=1, warmth_G=2)
    batch = receive(stage, {"a.xlsx": book(stage.campaign, harbin, warmth_E1=5, warmth_G=9)})
    read(batch)
    fill(stage, batch)
    assert "G：本次退回只开放指定的指标" in told(batch)["a.xlsx"][1]
    assert (text(stage, harbin, "E1"), text(stage, harbin, "G")) == ("5", "2")


# -- giving up, twice, too late ------------------------------------------------------------------------------


def test_dropped_nothing_is_filled_and_the_file_is_gone(
    stage: Stage, browse, django_capture_on_commit_callbacks
) -> None:
    batch = receive(stage, {"a.xlsx": book(stage.campaign, stage.tree.harbin, warmth_E1=5)})
    read(batch)
    path = Path(batch.file.path)
    client = browse(clerk(stage))
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(reverse("batch_drop", args=[batch.pk]), follow=True)
    assert "已放弃“一批”" in words(answer) and not path.exists()
    assert Import.objects.get().state == "dropped"
    answer = client.post(reverse("batch_confirm", args=[batch.pk]), {"file": ["0"]}, follow=True)
    assert "这一批已放弃，不能再确认。" in words(answer)
    work_batches()
    assert text(stage, stage.tree.harbin, "E1") == ""
    assert client.get(reverse("batch_file", args=[batch.pk, 0])).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_dropped_while_it_is_read_the_rest_is_left_alone(monkeypatch: Any) -> None:
    stage = make_stage()
    files = {f"{u.code}.xlsx": book(stage.campaign, u) for u in (stage.tree.harbin, stage.tree.outsider)}
    batch, by = receive(stage, files), clerk(stage)
    understand = batches.imports.understand

    def drop() -> None:
        batches.drop(batch=batch, by=by)
        connection.close()

    def dropping(*given: Any, **more: Any) -> Any:
        somebody = threading.Thread(target=drop)
        somebody.start()
        somebody.join()
        return understand(*given, **more)

    monkeypatch.setattr(batches.imports, "understand", dropping)
    work_batches()
    assert {state for state, _ in told(batch).values()} == {"waiting"}
    assert not Import.objects.exists()


def test_confirmed_twice_or_with_nothing_chosen_says_so(stage: Stage, browse) -> None:
    batch = receive(stage, {"a.xlsx": book(stage.campaign, stage.tree.harbin, warmth_E1=5)})
    client = browse(clerk(stage))
    confirm = reverse("batch_confirm", args=[batch.pk])
    with pytest.raises(WrongState, match="这一批正在读取，不能再确认"):
        batches.confirm(batch=batch, positions=[0], by=clerk(stage))
    read(batch)
    for nothing in ({}, {"file": ["99"]}, {"file": ["-1", "x", "１", "9" * 5000]}):
        assert "请至少勾选一个文件。" in words(client.post(confirm, nothing, follow=True))
    client.post(confirm, {"file": ["0"]})
    assert "这一批正在填入，不能再确认。" in words(client.post(confirm, {"file": ["0"]}, follow=True))
    with pytest.raises(WrongState, match="这一批正在填入，不能再放弃"):
        batches.drop(batch=batch, by=clerk(stage))
    work_batches()
    work_batches()
    assert CellChange.objects.filter(code="E1").count() == 1


def test_after_seven_days_what_nobody_confirmed_is_given_up(
    stage: Stage, django_capture_on_commit_callbacks
) -> None:
    old, new = (
        receive(stage, {"a.xlsx": book(stage.campaign, stage.tree.harbin, warmth_E1=5)}) for _ in range(2)
    )
    read(new)
    ImportBatch.objects.filter(pk=old.pk).update(at=timezone.now() - datetime.timedelta(days=7, minutes=1))
    with django_capture_on_commit_callbacks(execute=True):
        tick()
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.state, old.file.name) == ("dropped", "")
    assert new.state == "preview" and Path(new.file.path).exists()


def test_a_single_preview_is_given_up_as_well(stage: Stage) -> None:
    filing = stage.filing(stage.tree.harbin)
    content = upload(book(stage.campaign, stage.tree.harbin, warmth_E1=5), "报表.xlsx")
    kept = imports.prepare(filing=filing, file=content, name="报表.xlsx", by=stage.actor(filing.union, F))
    batches.sweep()
    assert Import.objects.get(pk=kept.pk).state == Import.State.PREVIEW
    Import.objects.update(at=timezone.now() - batches.KEPT_FOR - datetime.timedelta(minutes=1))
    batches.sweep()
    assert Import.objects.get(pk=kept.pk).state == Import.State.DROPPED


def test_a_lost_file_is_a_sentence(stage: Stage) -> None:
    batch = receive(stage, {"a.xlsx": book(stage.campaign, stage.tree.harbin, warmth_E1=5)})
    Path(batch.file.path).unlink()
    assert read(batch)["a.xlsx"].sentence == "服务器上找不到上传的文件，请重新上传。"


def test_a_closed_campaign_takes_nothing(stage: Stage, browse) -> None:
    stage.campaign.is_closed = True
    stage.campaign.save()
    client = browse(clerk(stage))
    url = reverse("batches", args=[stage.campaign.pk])
    assert "本次报送任务已结束" in words(client.get(url))
    answer = client.post(url, {"files": upload(b"x", "a.xlsx")})
    assert answer.status_code == 409 and "本次报送任务已结束" in words(answer)
    assert not ImportBatch.objects.exists()


def test_refused_whole_nothing_is_kept(stage: Stage, browse, files_of_their_own: Path) -> None:
    client = browse(clerk(stage))
    url = reverse("batches", args=[stage.campaign.pk])
    for uploads, sentence in (
        ([], "没有收到文件"),
        ([upload(b"nonsense", "a.zip")], "“a.zip”不是 zip 压缩包，或者已损坏"),
        ([upload(b"x", ".DS_Store")], "没有收到可以读取的文件"),
    ):
        by_form = client.post(url, {"files": uploads})
        by_script = client.post(url, {"files": uploads}, headers={"Accept": "application/json"})
        assert (by_form.status_code, by_script.status_code) == (422, 422)
        assert sentence in words(by_form) and sentence in by_script.json()["error"]
    assert not ImportBatch.objects.exists()
    assert [path for path in files_of_their_own.rglob("*") if path.is_file()] == []


def test_by_script_the_paths_of_a_folder_come_along(stage: Stage, browse) -> None:
    client = browse(clerk(stage))
    content = book(stage.campaign, stage.tree.harbin, warmth_E1=5)
    answer = client.post(
        reverse("batches", args=[stage.campaign.pk]),
        {
            "files": [upload(content, "报表.xlsx"), upload(content, "报表.xlsx")],
            "paths": ["来件/哈尔滨/报表.xlsx", "来件/../../etc/报表.xlsx"],
        },
        headers={"Accept": "application/json"},
    )
    batch = ImportBatch.objects.get()
    assert answer.json() == {"url": reverse("batch", args=[batch.pk])}
    assert set(told(batch)) == {"哈尔滨/报表.xlsx", "etc/报表.xlsx"}


# -- who ---------------------------------------------------------------------------------------------------


def test_only_administrators_of_the_province_come_in(stage: Stage, browse) -> None:
    batch = receive(stage, {"a.xlsx": book(stage.campaign, stage.tree.harbin, warmth_E1=5)})
    read(batch)
    urls = {
        "batches": [stage.campaign.pk],
        "batch": [batch.pk],
        "batch_file": [batch.pk, 0],
    }
    everybody = [(place, role) for place in ("harbin", "outsider", "province") for role in Role]
    # The one who may comes last: that ends the batch. Before, nobody leaves anything behind.
    for place, role in sorted(everybody, key=lambda each: each == ("province", A)):
        may = (place, role) == ("province", A)
        who = stage.actor(getattr(stage.tree, place), role)
        client = browse(who)
        for name, arguments in urls.items():
            answer = client.get(reverse(name, args=arguments))
            assert answer.status_code == (200 if may else 403), (place, role, name)
        for name in ("batch_confirm", "batch_drop"):
            answer = client.post(reverse(name, args=[batch.pk]), {"file": "0"})
            assert answer.status_code == (302 if may else 403), (place, role, name)
        files = {"files": upload(b"x", "a.xlsx")}
        answer = client.post(reverse("batches", args=[stage.campaign.pk]), files)
        assert answer.status_code == (302 if may else 403), (place, role)
        if not may:
            assert ImportBatch.objects.count() == 1
            with pytest.raises(PermissionDenied):
                receive(stage, {"b.xlsx": b"x"}, by=who)
            # The keyword opens what the gate grants and nothing else.
            with pytest.raises((PermissionDenied, Filing.DoesNotExist)):
                change = Change("E1", "", "5")
                filing = stage.filing(stage.tree.harbin)
                save_cells(filing=filing, slug="warmth", changes=[change], by=who, action="import_batch")
    assert may, "who may was among them"


def test_filling_in_by_hand_stays_shut_for_the_province(stage: Stage) -> None:
    with pytest.raises(PermissionDenied):
        save_cells(
            filing=stage.filing(stage.tree.harbin),
            slug="warmth",
            changes=[Change("E1", "", "5")],
            by=clerk(stage),
        )


def test_a_preview_of_a_batch_is_not_the_unions_to_confirm(stage: Stage, browse) -> None:
    harbin = stage.tree.harbin
    batch = receive(stage, {"a.xlsx": book(stage.campaign, harbin, warmth_E1=5)})
    read(batch)
    kept = Import.objects.get()
    client = browse(stage.actor(harbin, F))
    assert client.get(reverse("import_preview", args=[kept.pk])).status_code == 404
    assert client.post(reverse("import_confirm", args=[kept.pk])).status_code == 404
    assert client.post(reverse("import_drop", args=[kept.pk])).status_code == 404
    # And the union's own upload leaves it alone.
    content = book(stage.campaign, harbin, warmth_E1=6)
    client.post(
        reverse("filing_import", args=[stage.filing(harbin).pk]), {"workbook": upload(content)}, follow=True
    )
    kept.refresh_from_db()
    assert kept.state == "preview"


# -- progress and cost -------------------------------------------------------------------------------------


def test_the_page_asks_itself_again_and_opens_what_it_has(stage: Stage, browse) -> None:
    files = {
        "a.xlsx": book(stage.campaign, stage.tree.harbin, warmth_E1=5),
        "b.xlsx": book(stage.campaign, stage.tree.outsider, warmth_E1=5),
    }
    batch = receive(stage, files)
    client = browse(clerk(stage))
    url = reverse("batch", args=[batch.pk])
    assert "正在读取 0 / 2" in words(client.get(url))
    batches.work_off_one()
    again = client.get(url, headers={"HX-Request": "true"})
    assert "正在读取 1 / 2" in words(again) and "<html" not in again.content.decode()
    work_batches()
    assert client.get(url, headers={"HX-Request": "true"}).headers["HX-Redirect"] == url
    batches.confirm(batch=batch, positions=[0, 1], by=clerk(stage))
    batches.work_off_one()
    assert "正在填入 1 / 2" in words(client.get(url))
    ImportBatch.objects.update(at=timezone.now() - datetime.timedelta(minutes=5))
    BatchFile.objects.update(state="waiting")
    ImportBatch.objects.update(state="reading")
    assert "已等待较长时间" in words(client.get(url))


def test_a_page_of_many_files_costs_what_one_of_few_costs(stage: Stage, browse) -> None:
    def cost(batch: ImportBatch, client: Client) -> int:
        client.get(reverse("batch", args=[batch.pk]))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("batch", args=[batch.pk]))
        return len(queries)

    tree = stage.tree
    few = receive(stage, {"a.xlsx": book(stage.campaign, tree.harbin, warmth_E1=5)})
    read(few)
    unions = (tree.province, tree.harbin, tree.nangang, tree.daqing_oilfield, tree.outsider)
    content = {f"{u.code}.xlsx": book(stage.campaign, u, warmth_E1=5) for u in unions}
    many = receive(stage, content | {f"x{n}.docx": b"x" for n in range(20)})
    read(many)
    client = browse(clerk(stage))
    assert cost(few, client) == cost(many, client) <= 14
    listed = reverse("batches", args=[stage.campaign.pk])
    with CaptureQueriesContext(connection) as two:
        client.get(listed)
    for _ in range(3):
        receive(stage, {"y.docx": b"x"})
    with CaptureQueriesContext(connection) as five:
        client.get(listed)
    assert len(two) == len(five) <= 10


# -- workers -----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_the_files_and_read_none_twice() -> None:
    stage = make_stage()
    tree = stage.tree
    unions = (tree.province, tree.harbin, tree.nangang, tree.daqing_oilfield, tree.outsider)
    batch = receive(stage, {f"{u.code}.xlsx": book(stage.campaign, u, warmth_E1=5) for u in unions})
    start = threading.Barrier(2)

    def work() -> int:
        try:
            start.wait(10)
            done = 0
            while batches.work_off_one() is not None:
                done += 1
            return done
        finally:
            connection.close()

    def both() -> int:
        with ThreadPoolExecutor(2) as pool:
            return sum(future.result(60) for future in [pool.submit(work) for _ in range(2)])

    assert both() == 5
    batch.refresh_from_db()
    assert batch.state == "preview" and Import.objects.count() == 5
    batches.confirm(batch=batch, positions=range(5), by=clerk(stage))
    assert both() == 5
    batch.refresh_from_db()
    assert batch.state == "done" and CellChange.objects.filter(code="E1").count() == 5


STOPS = """
import sys, time
import django; django.setup()
from reporting.incoming import batches, imports
name, goes_first = sys.argv[1], sys.argv[2] == "after"
real = getattr(batches, name)
seen = []
def stopping(file):
    if not seen:
        seen.append(file)
        return real(file)  # the first file goes through
    answer = real(file) if goes_first else None
    print("stopped", flush=True)
    time.sleep(60)
    return answer
setattr(batches, name, stopping)
while batches.work_off_one() is not None: pass
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_worker_killed_between_two_files_loses_and_doubles_nothing(moment: str, tmp_path: Path) -> None:
    """Killed with a file in its hands, before and after the work but before the commit; twice, reading and filling."""
    stage = make_stage()
    tree = stage.tree
    unions = (tree.harbin, tree.nangang, tree.outsider)
    for union in unions:
        stage.actor(union, F)
    batch = receive(stage, {f"{u.code}.xlsx": book(stage.campaign, u, warmth_E1=5) for u in unions})

    def killed(name: str) -> None:
        worker = subprocess.Popen(
            [sys.executable, "-c", STOPS, name, moment],
            env=environment(SONGWENNUAN_ENV="test", MEDIA_ROOT=str(tmp_path)),
            stdout=subprocess.PIPE,
            text=True,
        )
        guard = threading.Timer(60, worker.kill)
        guard.start()
        try:
            assert worker.stdout is not None and worker.stdout.readline() == "stopped\n"
            os.kill(worker.pid, signal.SIGKILL)
        finally:
            guard.cancel()
            worker.kill()
            worker.communicate()

    killed("_read")
    assert sorted(state for state, _ in told(batch).values()) == ["understood", "waiting", "waiting"]
    assert Import.objects.count() == 1
    files = read(batch)
    assert {f.state for f in files.values()} == {"understood"} and Import.objects.count() == 3
    batches.confirm(batch=batch, positions=range(3), by=clerk(stage))
    killed("_fill")
    assert sorted(state for state, _ in told(batch).values()) == ["filled", "understood", "understood"]
    assert CellChange.objects.filter(code="E1").count() == 1
    work_batches()
    work_batches()
    batch.refresh_from_db()
    assert batch.state == "done" and {state for state, _ in told(batch).values()} == {"filled"}
    assert [text(stage, union, "E1") for union in unions] == ["5"] * 3
    assert CellChange.objects.filter(code="E1").count() == 3
    assert Message.objects.filter(text=batches.MESSAGE).count() == 3


def test_a_batch_nobody_settled_is_settled_by_the_clock(stage: Stage) -> None:
    batch = receive(stage, {"a.xlsx": book(stage.campaign, stage.tree.harbin, warmth_E1=5)})
    read(batch)
    ImportBatch.objects.update(state="reading")  # as if the worker had died after its last file
    tick()
    batch.refresh_from_db()
    assert batch.state == "preview"


def test_an_empty_upload_is_refused_by_the_action_too(stage: Stage) -> None:
    with pytest.raises(Refused, match="没有收到可以读取的文件"):
        receive(stage, {"~$哈尔滨.xlsx": b"x"})
