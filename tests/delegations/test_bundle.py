"""All material of a delegation as one zip: every byte is in it, it opens anywhere, and it hides nothing."""

from __future__ import annotations

import csv
import hashlib
import io
import unicodedata
import zipfile
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from delegations.files.bundle import _free, _plain, safe_name
from delegations.files.materials import Link, add_link
from delegations.models import Destination, Material, PlanEvent, Unmasking
from tests.delegations import made_files as made
from tests.delegations.stage import PlanStage
from tests.delegations.tus_client import file_it
from unions.gate import Actor

Browse = Callable[[Actor], Client]
TOP = "第1慰问组"
LINK = {
    "url": "https://www.example.cn/a",
    "title": "=HYPERLINK(1)",
    "outlet": "工人报",
    "published_on": "2021-01-06",
}


@pytest.fixture
def plan(plan: PlanStage) -> PlanStage:
    plan.lock()
    return plan


def keep(
    plan: PlanStage, browse: Browse, kind: str, name: str, content: bytes, at: Destination | None = None
) -> Material:
    answer = file_it(browse(plan.liaison), at or plan.harbin, kind, name, content)
    assert "Upload-Material" in answer, answer.content.decode()
    return Material.objects.get(pk=answer["Upload-Material"])


def fetch(client: Client, plan: PlanStage) -> Any:
    return client.get(reverse("materials_zip", args=[plan.first.pk]))


def archive(client: Client, plan: PlanStage) -> zipfile.ZipFile:
    answer = fetch(client, plan)
    assert answer.status_code == 200
    content = b"".join(answer.streaming_content)
    assert len(content) == int(answer["Content-Length"])
    opened = zipfile.ZipFile(io.BytesIO(content))
    assert opened.testzip() is None
    return opened


def index(opened: zipfile.ZipFile) -> str:
    return opened.read(f"{TOP}/索引.html").decode()


def rows(opened: zipfile.ZipFile) -> list[dict[str, str]]:
    content = opened.read(f"{TOP}/材料清单.csv")
    assert content.startswith(b"\xef\xbb\xbf"), "or Excel takes it for GBK"
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_everything_is_in_it_where_its_folder_says(plan: PlanStage, browse: Browse) -> None:
    far = plan.at(plan.tree.daqing_oilfield)
    kept = {
        f"{TOP}/1_哈尔滨/1_当地汇报材料/汇报.pdf": keep(plan, browse, "report", "汇报.pdf", made.PDF),
        f"{TOP}/1_哈尔滨/2_入户走访材料/登记表.docx": keep(
            plan, browse, "household", "登记表.docx", made.docx()
        ),
        f"{TOP}/1_哈尔滨/3_照片/现场.jpg": keep(plan, browse, "photo", "现场.jpg", made.jpeg()),
        f"{TOP}/2_大庆油田/4_媒体报道/报道.mp3": keep(plan, browse, "coverage", "报道.mp3", made.mp3(), far),
    }
    add_link(destination=far, link=Link(**LINK), by=plan.liaison)
    opened = archive(browse(plan.reader), plan)
    assert set(opened.namelist()) == {*kept, f"{TOP}/索引.html", f"{TOP}/材料清单.csv"}
    listed = {row["文件"]: row for row in rows(opened) if row["文件"]}
    for path, material in kept.items():
        content = opened.read(path)
        row = listed[path.removeprefix(f"{TOP}/")]
        assert hashlib.sha256(content).hexdigest() == material.sha256 == row["校验码（SHA-256）"]
        assert (row["大小（字节）"], row["上传人"], row["原文件名"]) == (
            str(len(content)),
            "联络员甲",
            material.name,
        )
        info = opened.getinfo(path)
        assert info.flag_bits & 0x800 and info.compress_type == zipfile.ZIP_STORED
        assert f'href="{quote(path.removeprefix(f"{TOP}/"))}"' in index(opened)


def test_the_index_says_what_is_missing_and_lists_links(plan: PlanStage, browse: Browse) -> None:
    add_link(destination=plan.harbin, link=Link(**LINK), by=plan.liaison)
    opened = archive(browse(plan.office), plan)
    page = index(opened)
    assert "还没有：当地汇报材料、入户走访材料、照片<" in page
    assert "还没有：当地汇报材料、入户走访材料、照片、媒体报道<" in page  # of the second place
    assert '<a href="https://www.example.cn/a">=HYPERLINK(1)</a>' in page
    listed = rows(opened)
    link = next(row for row in listed if row["网址"])
    assert (link["标题"], link["媒体"], link["报道日期"]) == ("'=HYPERLINK(1)", "工人报", "2021-01-06")
    assert [row["说明"] for row in listed].count("还没有上传") == 7


def test_nothing_at_all_still_has_an_index(plan: PlanStage, browse: Browse) -> None:
    opened = archive(browse(plan.liaison), plan)
    assert len(opened.namelist()) == 2 and "0 个文件" in index(opened)
    plan.first.destinations.all().delete()
    assert "还没有走访单位" in index(archive(browse(plan.liaison), plan))


def test_households_papers_stay_with_those_who_may_read_them(plan: PlanStage, browse: Browse) -> None:
    keep(plan, browse, "household", "张三丰家庭.docx", made.docx())
    for who in (plan.office, plan.reader, plan.liaison):
        assert any("张三丰" in name for name in archive(browse(who), plan).namelist())
    opened = archive(browse(plan.leader), plan)
    everything = " ".join(opened.namelist()) + index(opened) + str(rows(opened))
    assert "张三丰" not in everything
    assert "共 1 份，只提供给省总工会和本组联络员，这里没有收入。" in index(opened)
    assert "入户走访材料" not in index(opened).split("还没有：")[1].split("<")[0]
    assert "不含入户走访材料" in PlanEvent.objects.filter(delegation=plan.first)[0].what


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("office", 200),
        ("reader", 200),
        ("liaison", 200),
        ("leader", 200),
        ("other_liaison", 403),
        ("host", 404),
        ("outsider", 404),
    ],
)
def test_who_takes_it_away(plan: PlanStage, browse: Browse, who: str, status: int) -> None:
    answer = fetch(browse(getattr(plan, who)), plan)
    assert answer.status_code == status
    assert PlanEvent.objects.filter(what__startswith="导出").exists() == (status == 200)


def test_the_audit_says_who_took_it_away(plan: PlanStage, browse: Browse) -> None:
    material = keep(plan, browse, "report", "汇报.pdf", made.PDF)
    answer = fetch(browse(plan.leader), plan)
    event = PlanEvent.objects.filter(delegation=plan.first)[0]
    assert (event.what, event.by) == ("导出全部材料 1 个文件（1 KB，不含入户走访材料）", plan.leader.person)
    assert material.size < 1024
    assert answer["Content-Disposition"] == f"attachment; filename*=utf-8''{quote('2021年第1慰问组材料.zip')}"
    assert browse(plan.leader).head(reverse("materials_zip", args=[plan.first.pk])).status_code == 405
    assert PlanEvent.objects.filter(what__startswith="导出").count() == 1


def test_a_file_lost_from_the_disk_does_not_break_it(plan: PlanStage, browse: Browse) -> None:
    lost, short = (
        keep(plan, browse, "report", name, content)
        for name, content in (("甲.pdf", made.PDF), ("乙.docx", made.docx()))
    )
    lost.file.storage.delete(lost.file.name)
    with open(short.file.path, "ab") as file:
        file.truncate(10)
    opened = archive(browse(plan.liaison), plan)
    assert [name for name in opened.namelist() if name.endswith(("pdf", "docx"))] == [
        f"{TOP}/1_哈尔滨/1_当地汇报材料/乙.docx"
    ]
    assert "服务器上找不到这个文件" in index(opened) and "有 10 字节，与登记的不符" in index(opened)
    assert any("找不到" in row["说明"] and not row["文件"] for row in rows(opened))


def test_files_of_one_name_are_numbered(plan: PlanStage, browse: Browse) -> None:
    for seed, name in enumerate(("现场.jpg", "现场.jpg", "现场.JPG", "现场 (2).jpg")):
        keep(plan, browse, "photo", name, made.jpeg(seed=seed * 20))
    names = [
        name.rpartition("/")[2] for name in archive(browse(plan.office), plan).namelist() if "照片/" in name
    ]
    assert sorted(names) == sorted(["现场.jpg", "现场 (2).jpg", "现场 (3).JPG", "现场 (2) (2).jpg"])


def test_an_index_is_text_whatever_the_names_say(plan: PlanStage, browse: Browse) -> None:
    keep(plan, browse, "report", "<img src=x onerror=alert(1)>.pdf", made.PDF)
    page = index(archive(browse(plan.office), plan))
    assert "<img" not in page and "&lt;img src=x" in page


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_nothing_in_the_list_is_a_formula(start: str) -> None:
    assert _plain(f"{start}1+1") == f"'{start}1+1"
    assert _plain(f"a{start}1") == f"a{start}1" and _plain("") == ""


def test_no_cell_of_the_list_begins_like_a_formula(plan: PlanStage, browse: Browse) -> None:
    for n, start in enumerate("=+-@＝＋－＠"):
        link = LINK | {"url": f"https://www.example.cn/{n}", "title": f"{start}1", "outlet": f"{start}2"}
        add_link(destination=plan.harbin, link=Link(**link), by=plan.liaison)
        keep(plan, browse, "photo", f"{start}现场.jpg", made.jpeg(seed=n * 20))
    cells = [cell for row in rows(archive(browse(plan.office), plan)) for cell in row.values()]
    assert sum(cell.startswith("'") for cell in cells) == 8 * 3
    assert not [cell for cell in cells if cell[:1] in set("=+-@＝＋－＠")]


def test_files_of_one_long_name_stay_short_enough(plan: PlanStage) -> None:
    taken: set[str] = set()
    names = [_free(safe_name("长" * 200 + ".docx"), taken) for _ in range(300)]
    assert len(set(names)) == 300 and all(len(name.encode()) <= 200 for name in names)


def test_taking_household_papers_away_is_recorded(plan: PlanStage, browse: Browse) -> None:
    far = plan.at(plan.tree.daqing_oilfield)
    keep(plan, browse, "report", "汇报.pdf", made.PDF)
    fetch(browse(plan.office), plan)
    assert not Unmasking.objects.exists(), "none was in it"
    for content in (made.docx(), made.docx("a")):
        keep(plan, browse, "household", "登记表.docx", content)
    keep(plan, browse, "household", "登记表.docx", made.docx(), far)
    fetch(browse(plan.leader), plan)
    assert not Unmasking.objects.exists(), "a leader gets none"
    fetch(browse(plan.reader), plan)
    told = Unmasking.objects.order_by("pk")
    assert [(u.destination, u.way, u.reason, u.by, u.visit, u.delegation) for u in told] == [
        (place, "file", "打开入户走访材料", plan.reader.person, None, plan.first)
        for place in (plan.harbin, far)
    ]


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("现场.jpg", "现场.jpg"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("第3.1次.pdf.exe.", "第3.1次.pdf.exe"),
        ("报告.完整版 2", "报告.完整版 2"),
        ("..", "文件"),
        (".", "文件"),
        ("", "文件"),
        ("a/b\\c:d*e?f\"g<h>i|j.pdf", "a_b_c_d_e_f_g_h_i_j.pdf"),
        ("con.pdf", "_con.pdf"),
        ("LPT1.tar.pdf", "_LPT1.tar.pdf"),
        ("结尾. .pdf", "结尾.pdf"),
        ("点..", "点"),
        ("空格 .jpg ", "空格.jpg"),
        ("\x00\x1f\u202e.jpg", "___.jpg"),
        ("长" * 200 + ".docx", "长" * 62 + ".docx"),
        ("😀" * 99 + ".jpg", "😀" * 47 + ".jpg"),
        ("x" * 300, "x" * 80),
        ("e\u0301.jpg", "\u00e9.jpg"),
    ],
)  # fmt: skip
def test_names_that_windows_takes(given: str, safe: str) -> None:
    assert safe_name(given) == safe


@given(st.text(max_size=200))
def test_no_name_leaves_its_folder(name: str) -> None:
    safe = safe_name(name)
    assert safe and not set(safe) & set('<>:"/\\|?*') and safe not in (".", "..")
    assert not any(unicodedata.category(c)[0] == "C" for c in safe)
    assert safe[-1] not in " ." and len(safe) <= 92 and len(safe.encode()) <= 192
    assert safe_name(safe) == safe
    assert unquote(quote(safe)) == safe


@given(st.lists(st.sampled_from(["a.jpg", "A.jpg", "a (2).jpg", "b", "B"]), max_size=12))
def test_no_two_files_share_a_place(names: list[str]) -> None:
    taken: set[str] = set()
    given_names = [_free(name, taken) for name in names]
    assert len({name.casefold() for name in given_names}) == len(names)
