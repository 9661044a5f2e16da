"""导入 Excel: nothing is stored before it is confirmed, and what was typed meanwhile is never lost."""

from __future__ import annotations

import html
import io
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import Workbook, load_workbook

from reporting import workflow
from reporting.errors import Refused, WrongState
from reporting.filling import Change, save_cells, working_row
from reporting.incoming import imports
from reporting.models import CellChange, Filing, Import
from reporting.sheets import sheet_for
from tests.imports.books import book, changed, line_of, own_book, saved, upload
from tests.workflow.stage import Stage, make_stage
from unions.gate import Role

F, S = Role.FILLER, Role.SUBMITTER


def texts(filing: Filing, slug: str = "warmth") -> dict[str, str]:
    row = working_row(filing, slug)
    return {code: row.text(code) for code in row.fields()}


def send(client: Client, filing: Filing, content: bytes, name: str = "报表.xlsx", **more: Any) -> Any:
    return client.post(
        reverse("filing_import", args=[filing.pk]), {"workbook": upload(content, name)}, **more
    )


def words(answer: Any) -> str:
    """What a person reads."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())))


def prepared(stage: Stage, filing: Filing, content: bytes, role: Role = F) -> Import:
    by = stage.actor(filing.union, role)
    return imports.prepare(filing=filing, file=upload(content).file, name="报表.xlsx", by=by)


def type_(stage: Stage, filing: Filing, code: str, text: str, slug: str = "warmth") -> None:
    stood = working_row(filing, slug).text(code)
    by = stage.actor(filing.union, S)
    save_cells(filing=filing, slug=slug, changes=[Change(code, stood, text)], by=by)


def made(stage: Stage, filing: Filing, **figures: int) -> bytes:
    return book(stage.campaign, filing.union, **figures)


# -- the way through ---------------------------------------------------------------------------------------


def test_what_was_read_and_is_to_be_checked_is_not_called_unread(stage: Stage, browse) -> None:
    filing = stage.filing(stage.tree.harbin)
    content = changed(made(stage, filing, warmth_E1=5), warmth_E4="十二")
    opened = load_workbook(io.BytesIO(content))
    page = opened.worksheets[0]
    page.cell(line_of(page, "E1"), 3).value = "其中：落实各项民生政策"
    client = browse(stage.actor(stage.tree.harbin, F))
    answer = client.get(send(client, filing, saved(opened)).headers["Location"])
    unread, checked = words(answer).partition("没有读入的 1 处")[2].split("已读入，请核对的 1 处")
    assert "E4：“十二”不是数字" in unread
    assert "项目写作“其中：落实各项民生政策”" in checked
    assert "按代码 E1 读入，请核对" in checked


def test_a_filler_uploads_looks_confirms_and_it_stands_in_the_draft(stage: Stage, browse) -> None:
    filing = stage.filing(stage.tree.harbin)
    type_(stage, filing, "E2", "9")
    content = changed(
        made(stage, filing, warmth_E1=1200, warmth_A1=12_500_000, helpcenter_A1=2), warmth_E4="十二"
    )
    client = browse(stage.actor(stage.tree.harbin, F))
    answer = send(client, filing, content)
    kept = Import.objects.get()
    assert answer.headers["Location"] == reverse("import_preview", args=[kept.pk])
    before = CellChange.objects.count()
    page = words(client.get(answer.headers["Location"]))
    assert "改动 4 格" in page, "E1, A1 and their totals"
    assert "附件1 送温暖统计表!E42" in page and "E4：“十二”不是数字" in page
    assert "本级（不含下级单位）" in page, "南岗区 files below 哈尔滨"
    assert texts(filing)["E1"] == "" and CellChange.objects.count() == before
    answer = client.post(reverse("import_confirm", args=[kept.pk]), follow=True)
    assert "已从“报表.xlsx”填入 6 格。" in words(answer)
    assert answer.redirect_chain[-1][0] == reverse("form_page", args=[filing.pk, "warmth"])
    stands = texts(filing)
    assert (stands["E1"], stands["E2"], stands["E"], stands["A1"]) == ("1200", "9", "1209", "12.5")
    assert texts(filing, "helpcenter")["A"] == "2"
    by = set(CellChange.objects.filter(code="E1").values_list("by__name", "old", "new"))
    assert by == {("哈尔滨填报员", "", "1200")}


def test_the_page_says_which_rules_will_break(stage: Stage, browse) -> None:
    filing = stage.filing(stage.tree.harbin)
    kept = prepared(stage, filing, made(stage, filing, warmth_E1=5, warmth_E=7, warmth_D1=3_000_000))
    page = words(browse(stage.actor(filing.union, F)).get(reverse("import_preview", args=[kept.pk])))
    assert "强制 E 为 7，E1+…+E5 为 5，差 2" in page
    form = imports.preview(kept)[0]
    assert [p.level for p in form.hard] == ["hard"]
    assert {p.rule for p in form.queries} <= {"D1_per_head", "D_without_C", "D1_without_C1", "D_above_A"}


def test_a_file_like_the_draft_says_so_and_has_no_button(stage: Stage, browse) -> None:
    filing = stage.filing(stage.tree.harbin)
    kept = prepared(stage, filing, made(stage, filing))
    client = browse(stage.actor(filing.union, F))
    page = client.get(reverse("import_preview", args=[kept.pk]))
    assert "这张表是空白的" in words(page)
    assert reverse("import_confirm", args=[kept.pk]) not in page.content.decode()


def test_given_up_it_changes_nothing_and_cannot_be_confirmed(stage: Stage, browse) -> None:
    filing = stage.filing(stage.tree.harbin)
    kept = prepared(stage, filing, made(stage, filing, warmth_E1=5))
    client = browse(stage.actor(filing.union, F))
    assert "已放弃“报表.xlsx”" in words(client.post(reverse("import_drop", args=[kept.pk]), follow=True))
    answer = client.post(reverse("import_confirm", args=[kept.pk]), follow=True)
    assert "这份文件已放弃，没有填入。" in words(answer)
    assert texts(filing)["E1"] == ""
    answer = client.get(reverse("import_preview", args=[kept.pk]))
    assert answer.headers["Location"] == reverse("filing_import", args=[filing.pk])


def test_the_head_is_filled_where_it_is_blank_only(stage: Stage) -> None:
    filing = stage.filing(stage.tree.harbin)
    Filing.objects.filter(pk=filing.pk).update(filler_name="甲")
    head = {"filler_name": "乙", "filler_phone": "0451-1", "filled_on": "2021-01-20"}
    content = book(stage.campaign, filing.union, head=head, warmth_E1=5)
    kept = prepared(stage, stage.filing(filing.union), content)
    filled = imports.confirm(kept=kept, by=stage.actor(filing.union, F))
    filing.refresh_from_db()
    assert (filing.filler_name, filing.filler_phone, str(filing.filled_on)) == ("甲", "0451-1", "2021-01-20")
    assert filled.head == ["电话", "填报日期"]


# -- totals ------------------------------------------------------------------------------------------------


def test_a_total_that_adds_up_goes_on_following_and_one_that_does_not_stands_as_in_the_file(
    stage: Stage,
) -> None:
    filing, by = stage.filing(stage.tree.harbin), stage.actor(stage.tree.harbin, F)
    content = made(stage, filing, warmth_E1=5, warmth_E=5, warmth_F1=3, warmth_F=9)
    imports.confirm(kept=prepared(stage, filing, content), by=by)
    row = working_row(filing, "warmth")
    assert (row.E, row.F, row.touched) == (5, 9, ["F"])
    type_(stage, filing, "E2", "2")
    assert working_row(filing, "warmth").E == 7


def test_a_total_that_stood_alike_but_no_longer_adds_up_is_not_recomputed_in_silence(stage: Stage) -> None:
    filing, by = stage.ready(stage.tree.harbin, warmth_E1=5), stage.actor(stage.tree.harbin, F)
    kept = prepared(stage, filing, made(stage, filing, warmth_E1=8, warmth_E=5))
    assert "E 为 5，E1+…+E5 为 8，差 3" in [p.message for p in imports.preview(kept)[0].hard]
    imports.confirm(kept=kept, by=by)
    row = working_row(filing, "warmth")
    assert (row.E1, row.E, row.touched) == (8, 5, ["E"])


# -- somebody else meanwhile -------------------------------------------------------------------------------


def test_what_was_typed_meanwhile_stays_and_is_named_with_both_figures(stage: Stage, browse) -> None:
    filing = stage.filing(stage.tree.harbin)
    kept = prepared(stage, filing, made(stage, filing, warmth_E1=5, warmth_E2=6, warmth_E=11))
    type_(stage, filing, "E1", "7")
    client = browse(stage.actor(filing.union, F))
    page = words(client.get(reverse("import_preview", args=[kept.pk])))
    assert "上传之后有人改为现有的数，不覆盖" in page and "1 格另有改动不填" in page
    answer = client.post(reverse("import_confirm", args=[kept.pk]), follow=True)
    told = words(answer)
    assert "送温暖统计表 E1：上传之后哈尔滨负责人已改为 7，文件为 5，没有覆盖" in told
    stands = texts(filing)
    assert (stands["E1"], stands["E2"], stands["E"]) == ("7", "6", "13")
    assert working_row(filing, "warmth").touched == []


def test_what_was_typed_alike_meanwhile_is_no_conflict(stage: Stage) -> None:
    filing = stage.filing(stage.tree.harbin)
    kept = prepared(stage, filing, made(stage, filing, warmth_E1=5))
    type_(stage, filing, "E1", "5")
    assert imports.confirm(kept=kept, by=stage.actor(filing.union, F)).left == []


def test_cells_shut_by_a_return_are_shown_as_shut_and_stay(stage: Stage, browse) -> None:
    filing = stage.returned(stage.tree.harbin, "warmth:E1", warmth_E1=5, warmth_G=4)
    content = made(stage, filing, warmth_E1=6, warmth_E=6, warmth_G=9)
    kept = prepared(stage, filing, content)
    page = words(browse(stage.actor(filing.union, F)).get(reverse("import_preview", args=[kept.pk])))
    assert "锁定 1 格不填" in page and "本次退回没有开放此格，不填" in page
    filled = imports.confirm(kept=kept, by=stage.actor(filing.union, F))
    assert filled.left == ["送温暖统计表 G：本次退回只开放指定的指标，此格不能修改。"]
    stands = texts(filing)
    assert (stands["E1"], stands["E"], stands["G"]) == ("6", "6", "4")


def test_a_newer_upload_replaces_the_older_preview(stage: Stage) -> None:
    filing, by = stage.filing(stage.tree.harbin), stage.actor(stage.tree.harbin, F)
    older = prepared(stage, filing, made(stage, filing, warmth_E1=5))
    newer = prepared(stage, filing, made(stage, filing, warmth_E1=6), S)
    with pytest.raises(WrongState, match=r"之后又上传了“报表\.xlsx”，这份预览已作废"):
        imports.confirm(kept=older, by=by)
    imports.confirm(kept=newer, by=by)
    assert texts(filing)["E1"] == "6"


def test_submitted_meanwhile_nothing_is_filled_and_a_return_does_not_revive_it(stage: Stage, browse) -> None:
    filing = stage.ready(stage.tree.harbin, warmth_E1=5)
    kept = prepared(stage, filing, made(stage, filing, warmth_E1=6))
    workflow.submit(filing=filing, by=stage.submitter(filing.union))
    client = browse(stage.actor(filing.union, F))
    confirm = reverse("import_confirm", args=[kept.pk])
    assert "报送件已上报，不能再修改。" in words(client.post(confirm, follow=True))
    page = client.get(reverse("import_preview", args=[kept.pk])).content.decode()
    assert confirm not in page
    workflow.send_back(
        filing=filing, round_number=1, reason="请核对数据", by=stage.reviewer(filing.union), cells=[]
    )
    assert "上传之后报送件曾经退回，这份预览已作废" in words(client.post(confirm, follow=True))
    assert texts(filing)["E1"] == "5"


def test_confirmed_twice_it_is_filled_in_once(stage: Stage, browse) -> None:
    filing = stage.filing(stage.tree.harbin)
    kept = prepared(stage, filing, made(stage, filing, warmth_E1=5))
    client = browse(stage.actor(filing.union, F))
    client.post(reverse("import_confirm", args=[kept.pk]))
    type_(stage, filing, "E1", "6")
    answer = client.post(reverse("import_confirm", args=[kept.pk]), follow=True)
    assert "这份文件已经确认填入，不再重复填入。" in words(answer)
    assert texts(filing)["E1"] == "6"
    assert "已确认填入" in words(client.get(reverse("import_preview", args=[kept.pk]), follow=True))
    with pytest.raises(WrongState, match="已确认填入，不能再放弃"):
        imports.drop(kept=kept, by=stage.actor(filing.union, F))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", range(3))
def test_two_confirm_at_once_and_one_is_told(time: int) -> None:
    stage = make_stage()
    filing = stage.filing(stage.tree.harbin)
    kept = prepared(stage, filing, made(stage, filing, warmth_E1=5, warmth_E2=6))
    people = [stage.actor(filing.union, F), stage.actor(filing.union, S)]
    start = threading.Barrier(2)

    def confirm(by: Any) -> Any:
        try:
            start.wait(10)
            return imports.confirm(kept=kept, by=by).count
        except WrongState as error:
            return str(error)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(confirm, people))
    assert sorted(map(str, answers)) == ["3", "这份文件已经确认填入，不再重复填入。"]
    assert CellChange.objects.filter(filing=filing).count() == 2


# -- who -----------------------------------------------------------------------------------------------------

NOT_THEIRS = [
    *[("harbin", role, 403) for role in (Role.REVIEWER, Role.ADMINISTRATOR, Role.AUDITOR)],
    *[("province", role, 403) for role in Role],
    *[(place, role, 404) for place in ("outsider", "nangang", "daqing_oilfield") for role in (F, S)],
]


def knock(client: Any, filing: Filing, kept: Import, content: bytes) -> list[int]:
    """What who uploads, looks, confirms, drops, and uploads once more, hears each time."""
    return [
        client.get(reverse("filing_import", args=[filing.pk])).status_code,
        client.get(reverse("import_preview", args=[kept.pk])).status_code,
        client.post(reverse("import_confirm", args=[kept.pk])).status_code,
        client.post(reverse("import_drop", args=[kept.pk])).status_code,
        send(client, filing, content).status_code,
    ]


@pytest.mark.parametrize("role", [F, S])
def test_who_fills_in_uploads_looks_confirms_and_drops(stage: Stage, browse, role: Role) -> None:
    filing = stage.filing(stage.tree.harbin)
    kept = prepared(stage, filing, made(stage, filing, warmth_E1=5))
    client = browse(stage.actor(stage.tree.harbin, role))
    assert knock(client, filing, kept, made(stage, filing, warmth_E1=6)) == [200, 200, 302, 302, 302]
    assert texts(filing)["E1"] == "5" and Import.objects.count() == 2


def test_nobody_else_uploads_looks_confirms_or_drops(stage: Stage, browse) -> None:
    """One after the other at the same door: nobody leaves anything behind there."""
    filing = stage.filing(stage.tree.harbin)
    kept = prepared(stage, filing, made(stage, filing, warmth_E1=5))
    another = made(stage, filing, warmth_E1=6)
    for place, role, heard in NOT_THEIRS:
        who = stage.actor(getattr(stage.tree, place), role)
        assert knock(browse(who), filing, kept, another) == [heard] * 5, (place, role)
        assert texts(filing)["E1"] != "5" and Import.objects.count() == 1, (place, role)
        with pytest.raises(PermissionDenied):
            imports.confirm(kept=kept, by=who)


# -- what is refused -----------------------------------------------------------------------------------------


def refused_files(stage: Stage) -> dict[str, tuple[bytes, str]]:
    harbin, campaign = stage.tree.harbin, stage.campaign
    warmth = sheet_for(campaign, "warmth")
    own = own_book(warmth, harbin.name, {"E1": 5})
    return {
        "空": (b"", "是空文件"),
        "文字": ("送温暖".encode(), "不是 Excel 或 WPS 表格"),
        "坏": (book(campaign, harbin)[:3000], "已损坏"),
        "别人的模板": (
            book(campaign, stage.tree.outsider, warmth_E1=5),
            "这是“其他单位”的报表，不是哈尔滨市总工会的",
        ),
        "别人的表": (
            own_book(warmth, "齐齐哈尔市总工会", {"E1": 5}),
            "这是“齐齐哈尔市总工会”的报表，不是哈尔滨市总工会的",
        ),
        "去年的表": (
            own_book(warmth, harbin.name, {"E1": 5}, year=2020),
            "这是 2020 年的报表，这里接收 2021 年的",
        ),
        "不是报表": (unrelated(), "没有找到送温暖统计表或"),
        "好": (own, ""),
    }


def unrelated() -> bytes:
    made_book = Workbook()
    assert made_book.active is not None
    made_book.active.append(["甲", 1])
    return saved(made_book)


def test_what_is_refused_says_why_and_leaves_nothing(stage: Stage, browse) -> None:
    filing = stage.filing(stage.tree.harbin)
    client = browse(stage.actor(filing.union, F))
    for name, (content, sentence) in refused_files(stage).items():
        by_form = send(client, filing, content, f"{name}.xlsx")
        by_script = send(client, filing, content, f"{name}.xlsx", headers={"Accept": "application/json"})
        if not sentence:
            assert (by_form.status_code, by_script.status_code) == (302, 200)
            continue
        assert (by_form.status_code, by_script.status_code) == (422, 422), name
        assert sentence in words(by_form), name
        assert sentence in "".join(by_script.json()["sentences"]), name
        assert not Import.objects.exists(), name
    assert "没有收到文件" in words(client.post(reverse("filing_import", args=[filing.pk])))


def test_a_closed_filing_takes_no_file(stage: Stage, browse) -> None:
    filing = stage.submitted(stage.tree.harbin)
    client = browse(stage.actor(filing.union, F))
    page = client.get(reverse("filing_import", args=[filing.pk]))
    assert "现在不能导入" in words(page) and 'type="file"' not in page.content.decode()
    answer = send(client, filing, made(stage, filing, warmth_E1=6))
    assert answer.status_code == 409 and "报送件已上报，不能再修改" in words(answer)
    answer = send(client, filing, made(stage, filing), headers={"Accept": "application/json"})
    assert answer.status_code == 409
    assert not Import.objects.exists()


def test_a_total_with_subordinates_is_never_taken_for_own_figures(stage: Stage, browse) -> None:
    stage.approved(stage.tree.nangang, warmth_E1=7)
    filing = stage.submitted(stage.tree.harbin, warmth_E1=5)
    client = browse(stage.actor(filing.union, F))
    total = client.get(reverse("filing_workbook", args=[filing.pk])).content
    workflow.withdraw(filing=filing, by=stage.submitter(filing.union))
    with pytest.raises(Refused, match="合计数，已含下级单位，不能作为本级数填入"):
        prepared(stage, stage.filing(filing.union), total)
    draft = client.get(reverse("filing_workbook", args=[filing.pk])).content
    assert not any(f.filled for f in imports.preview(prepared(stage, stage.filing(filing.union), draft)))


def test_a_template_handed_on_to_another_union_is_refused(stage: Stage) -> None:
    filing = stage.filing(stage.tree.harbin)
    handed_on = load_workbook(io.BytesIO(made(stage, filing, warmth_E1=5)))
    for page in handed_on.worksheets[:2]:
        page["A4"] = "填报单位（盖章）：大庆油田工会"
    with pytest.raises(Refused, match="是哈尔滨市总工会的模板，填报单位却写着“大庆油田工会”"):
        prepared(stage, filing, saved(handed_on))


# -- paper, names, cost ----------------------------------------------------------------------------------------


def test_workbooks_of_a_union_with_subordinates_say_own_or_total(stage: Stage, browse) -> None:
    def facts(place: str, name: str) -> str:
        filing = stage.filing(getattr(stage.tree, place))
        answer = browse(stage.actor(filing.union, F)).get(reverse(name, args=[filing.pk]))
        return str(load_workbook(io.BytesIO(answer.content)).worksheets[0]["A3"].value)

    stage.ready(stage.tree.harbin)
    assert facts("harbin", "filing_template").endswith("· 本级（不含下级单位）")
    assert facts("harbin", "filing_workbook").endswith("· 本级（不含下级单位）")
    assert "本级" not in facts("nangang", "filing_template")
    stage.approved(stage.tree.nangang)
    stage.submitted(stage.tree.harbin)
    assert facts("harbin", "filing_workbook").endswith("· 合计（本级加下级单位）")
    assert "合计" not in facts("nangang", "filing_workbook")


def test_a_file_name_is_data_and_never_markup(stage: Stage, browse) -> None:
    filing = stage.filing(stage.tree.harbin)
    client = browse(stage.actor(filing.union, F))
    send(client, filing, made(stage, filing, warmth_E1=5), "<script>alert(1)</script>.xlsx")
    kept = Import.objects.get()
    for url in (reverse("import_preview", args=[kept.pk]), reverse("filing_import", args=[filing.pk])):
        assert "<script>alert" not in client.get(url).content.decode()
    answer = client.post(reverse("import_confirm", args=[kept.pk]), follow=True)
    assert "<script>alert" not in answer.content.decode()


def test_the_preview_costs_the_same_however_much_changes(stage: Stage, browse) -> None:
    filing = stage.filing(stage.tree.harbin)
    client = browse(stage.actor(filing.union, F))
    counts = []
    codes = [f"warmth_{c}" for c, f in sheet_for(stage.campaign, "warmth").fields.items() if not f.of]
    for some in (codes[:1], codes):
        kept = prepared(stage, filing, made(stage, filing, **dict.fromkeys(some, 3)))
        client.get(reverse("import_preview", args=[kept.pk]))  # the first request of a session costs more
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("import_preview", args=[kept.pk]))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 16
