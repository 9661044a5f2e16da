"""The material of a destination: its page, what may be read by whom, links, removing."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.messages import get_messages
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from delegations.files import materials, uploads
from delegations.files.materials import Link, add_link
from delegations.models import Delegation, Destination, Material, PlanEvent, Unmasking
from reporting import clock
from reporting.errors import Refused, WrongState
from tests.delegations import made_files as made
from tests.delegations.stage import PlanStage
from tests.delegations.tus_client import announce, file_it
from unions.gate import Actor

Browse = Callable[[Actor], Client]
EVERYBODY = ("office", "reader", "liaison", "leader", "host", "other_liaison", "outsider")
CONTENT = {
    "report": ("汇报.pdf", made.PDF),
    "household": ("登记表.docx", made.docx()),
    "photo": ("现场.jpg", made.telling_jpeg()),
    "coverage": ("报道.mp3", made.mp3()),
}
LINK = {
    "url": "https://www.example.cn/2021/0105/a.html",
    "title": "省总工会慰问组到哈尔滨走访",
    "outlet": "黑龙江工人报",
    "published_on": "2021-01-06",
}


@pytest.fixture
def plan(plan: PlanStage) -> PlanStage:
    plan.lock()
    return plan


def keep(plan: PlanStage, browse: Browse, kind: str, name: str = "", content: bytes = b"") -> Material:
    name, content = name or CONTENT[kind][0], content or CONTENT[kind][1]
    answer = file_it(browse(plan.liaison), plan.harbin, kind, name, content)
    assert "Upload-Material" in answer, answer.content.decode()
    return Material.objects.get(pk=answer["Upload-Material"])


def page(client: Client, destination: Destination) -> str:
    answer = client.get(reverse("materials", args=[destination.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def words_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def read(answer: Any) -> bytes:
    """The content; reading to the end closes the file."""
    return b"".join(answer.streaming_content) if answer.streaming else b""


def notes(plan: PlanStage) -> list[str]:
    return [event.what for event in PlanEvent.objects.filter(delegation=plan.first)]


# -- the page ----------------------------------------------------------------------------------------------


def test_the_check_list_says_what_is_there_and_what_is_missing(plan: PlanStage, browse: Browse) -> None:
    client = browse(plan.liaison)
    assert "哈尔滨还缺 当地汇报材料、入户走访材料、照片、媒体报道 。" in words_of(page(client, plan.harbin))
    keep(plan, browse, "photo")
    keep(plan, browse, "report")
    html = words_of(page(client, plan.harbin))
    assert "✓ 照片 1 张" in html and "✓ 当地汇报材料 1 份" in html and "– 媒体报道 还没有" in html
    assert "哈尔滨还缺 入户走访材料、媒体报道 。" in html
    keep(plan, browse, "household")
    add_link(destination=plan.harbin, link=Link(**LINK), by=plan.liaison)
    assert "哈尔滨的四类材料都已有" in page(client, plan.harbin)


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("office", 200),
        ("reader", 200),
        ("liaison", 200),
        ("leader", 200),
        ("host", 403),
        ("other_liaison", 403),
        ("outsider", 404),
    ],
)
def test_who_sees_the_page(plan: PlanStage, browse: Browse, who: str, status: int) -> None:
    url = reverse("materials", args=[plan.harbin.pk])
    assert browse(getattr(plan, who)).get(url).status_code == status
    assert Client().get(url).status_code == 302


@pytest.mark.parametrize(
    ("who", "state", "words"),
    [
        ("liaison", "locked", ""),
        ("office", "locked", ""),
        ("liaison", "planning", "锁定后才能上传材料"),
        ("office", "archived", "本组已归档，材料不能再增减"),
        ("reader", "locked", "材料由本组联络员和省总工会管理员上传"),
        ("leader", "planning", "材料由本组联络员和省总工会管理员上传"),
    ],
)
def test_only_who_may_file_now_sees_how(
    plan: PlanStage, browse: Browse, who: str, state: str, words: str
) -> None:
    keep(plan, browse, "report")
    Delegation.objects.filter(pk=plan.first.pk).update(state=state)
    html = page(browse(getattr(plan, who)), plan.harbin)
    for control in ('type="file"', "upload-state", "tus.min.js", "/remove/", "add-link", "<noscript>"):
        assert (control in html) == (not words), control
    assert words in html


def test_an_unfinished_file_is_shown_to_its_own_person(plan: PlanStage, browse: Browse) -> None:
    announce(browse(plan.liaison), plan.harbin, "coverage", "没传完.mp4", 30_000_000)
    assert "没传完.mp4" in page(browse(plan.liaison), plan.harbin)
    for who in (plan.office, plan.reader):
        assert "没传完.mp4" not in page(browse(who), plan.harbin)


def test_of_household_papers_a_leader_learns_only_how_many(plan: PlanStage, browse: Browse) -> None:
    keep(plan, browse, "household", "张三丰家庭.docx")
    html = page(browse(plan.leader), plan.harbin)
    assert "张三丰" not in html and "共 1 份。入户走访材料涉及困难家庭的个人情况" in html
    for who in (plan.office, plan.reader, plan.liaison):
        assert "张三丰家庭.docx" in page(browse(who), plan.harbin)


def test_no_note_names_a_households_paper(plan: PlanStage, browse: Browse, caplog: Any) -> None:
    material = keep(plan, browse, "household", "张三丰家庭.docx")
    browse(plan.liaison).post(reverse("remove_material", args=[material.pk]))
    told = notes(plan)
    assert len(told) == 2 and all(material.sha256[:12] in what for what in told)
    assert "张三丰" not in " ".join(told) + caplog.text


def test_photographs_stand_in_the_order_they_were_taken(plan: PlanStage, browse: Browse) -> None:
    for name, when in (("晚.jpg", "2021:01:05 18:00:00"), ("早.jpg", "2021:01:05 08:00:00")):
        keep(
            plan,
            browse,
            "photo",
            name,
            made.jpeg(seed=len(when) + ord(name[0]) % 50, exif=made.told_everything(when=when)),
        )
    keep(plan, browse, "photo", "无时间.jpg", made.jpeg(seed=99))
    assert re.findall(r'data-view="photo" data-name="([^"]+)"', page(browse(plan.leader), plan.harbin)) == [
        "早.jpg",
        "晚.jpg",
        "无时间.jpg",
    ]


def test_a_list_of_fifty_costs_what_five_cost(plan: PlanStage, browse: Browse) -> None:
    client = browse(plan.liaison)

    def cost(count: int) -> int:
        for n in range(count):
            for kind in ("report", "household", "photo", "coverage"):
                Material.objects.create(destination=plan.harbin, kind=kind, name=f"{n}.pdf", format="pdf", file=f"{n}", sha256=f"{kind}{n}{count}", by=plan.office.person)  # fmt: skip
            announce(client, plan.harbin, "report", f"{n}.pdf", 9)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page(client, plan.harbin)
        return len(queries)

    few = cost(3)
    assert cost(12) == few <= 12


def test_a_name_is_only_ever_text(plan: PlanStage, browse: Browse) -> None:
    keep(plan, browse, "photo", '"><img src=x onerror=alert(1)>.jpg')
    html = page(browse(plan.liaison), plan.harbin)
    assert "<img src=x" not in html and "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;.jpg" in html


# -- what is kept ------------------------------------------------------------------------------------------


def test_the_same_content_is_kept_once_in_a_list(plan: PlanStage, browse: Browse) -> None:
    keep(plan, browse, "photo", "甲.jpg")
    answer = file_it(browse(plan.office), plan.harbin, "photo", "乙.jpg", CONTENT["photo"][1])
    today = materials.day_of(clock.now())
    assert answer.status_code == 422
    assert answer.json()["error"] == f"“乙.jpg”与联络员甲 {today}上传的“甲.jpg”内容相同，没有重复保存。"
    # Another list is another matter, and so is another place.
    keep(plan, browse, "coverage", "甲.jpg", CONTENT["photo"][1])
    far = plan.at(plan.tree.daqing_oilfield)
    assert file_it(browse(plan.liaison), far, "photo", "甲.jpg", CONTENT["photo"][1]).status_code == 204
    assert Material.objects.count() == 3


def test_a_refused_file_leaves_nothing_behind(
    plan: PlanStage, browse: Browse, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    before = len(notes(plan))
    with django_capture_on_commit_callbacks(execute=True):
        answer = file_it(browse(plan.liaison), plan.harbin, "photo", "现场.jpg", made.jpeg(300, 200)[:-900])
    assert answer.status_code == 422 and "照片不完整或已损坏" in answer.json()["error"]
    assert not Material.objects.exists() and not plan.harbin.uploads.exists()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert len(notes(plan)) == before


def test_pages_opened_before_are_out_of_date_after(plan: PlanStage, browse: Browse) -> None:
    def revision() -> int:
        return Delegation.objects.get(pk=plan.first.pk).revision

    before = revision()
    material = keep(plan, browse, "report")
    assert revision() == before + 1
    materials.remove(material=material, by=plan.liaison)
    assert revision() == before + 2


# -- going out ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CONTENT)
@pytest.mark.parametrize("who", EVERYBODY)
def test_who_reads_which_file(plan: PlanStage, browse: Browse, kind: str, who: str) -> None:
    material = keep(plan, browse, kind)
    answer = browse(getattr(plan, who)).get(reverse("material_file", args=[material.pk]))
    inside = {"office", "reader", "liaison", "leader", "host"}
    if kind == "household":
        inside -= {"leader", "host"}
    expected = 200 if who in inside else 404 if who == "outsider" else 403
    assert answer.status_code == expected
    if expected == 200:
        assert hashlib.sha256(read(answer)).hexdigest() == material.sha256


@pytest.mark.parametrize(
    ("kind", "disposition", "content_type", "cache"),
    [
        ("report", "attachment", "application/pdf", "private, no-store"),
        ("photo", "inline", "image/jpeg", "private, max-age=3600"),
        ("coverage", "attachment", "audio/mpeg", "private, no-store"),
    ],
)
def test_how_a_file_goes_out(
    plan: PlanStage, browse: Browse, kind: str, disposition: str, content_type: str, cache: str
) -> None:
    material = keep(plan, browse, kind)
    answer = browse(plan.leader).get(reverse("material_file", args=[material.pk]))
    assert answer["Content-Disposition"].startswith(disposition)
    assert f"filename*=utf-8''{quote(material.name)}" in answer["Content-Disposition"]
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == (content_type, "nosniff")
    assert (answer["Cache-Control"], answer["Content-Length"]) == (cache, str(material.size))
    read(answer)


def test_a_households_picture_leaves_no_copy_in_the_browser(plan: PlanStage, browse: Browse) -> None:
    material = keep(plan, browse, "household", "证明.jpg", made.jpeg())
    for name in ("material_file", "material_thumbnail"):
        answer = browse(plan.reader).get(reverse(name, args=[material.pk]))
        assert answer["Cache-Control"] == "private, no-store"
        read(answer)
        assert browse(plan.host).get(reverse(name, args=[material.pk])).status_code == 403


@pytest.mark.parametrize(
    ("name", "content"), [("登记表.docx", made.docx()), ("证明.jpg", made.jpeg())], ids=["docx", "jpg"]
)
def test_opening_a_households_paper_is_recorded(
    plan: PlanStage, browse: Browse, name: str, content: bytes
) -> None:
    material = keep(plan, browse, "household", name, content)
    url = reverse("material_file", args=[material.pk])
    for who in (plan.leader, plan.host, plan.outsider):
        browse(who).get(url)
    assert not Unmasking.objects.exists(), "they saw nothing"
    read(browse(plan.reader).get(url))
    (told,) = Unmasking.objects.all()
    assert (told.way, told.reason, told.by) == ("file", "打开入户走访材料", plan.reader.person)
    assert (told.visit, told.destination, told.delegation) == (None, plan.harbin, plan.first)


def test_opening_other_files_is_nobodys_business(plan: PlanStage, browse: Browse) -> None:
    for kind in ("report", "photo", "coverage"):
        read(browse(plan.leader).get(reverse("material_file", args=[keep(plan, browse, kind).pk])))
    assert not Unmasking.objects.exists()


def test_the_name_of_a_households_paper_travels_in_no_cookie(plan: PlanStage, browse: Browse) -> None:
    paper = keep(plan, browse, "household", "zhangsanfeng.docx")
    answer = browse(plan.liaison).post(reverse("remove_material", args=[paper.pk]))
    assert [str(m) for m in get_messages(answer.wsgi_request)] == ["已删除 1 份入户走访材料。"]
    other = keep(plan, browse, "report")
    answer = browse(plan.liaison).post(reverse("remove_material", args=[other.pk]))
    assert [str(m) for m in get_messages(answer.wsgi_request)] == ["已删除“汇报.pdf”。"]


@pytest.mark.parametrize("who", EVERYBODY)
def test_a_thumbnail_is_seen_by_whoever_reads_the_file(plan: PlanStage, browse: Browse, who: str) -> None:
    material = keep(plan, browse, "photo")
    client = browse(getattr(plan, who))
    answers = [client.get(reverse(n, args=[material.pk])) for n in ("material_file", "material_thumbnail")]
    assert answers[0].status_code == answers[1].status_code
    for answer in answers:
        read(answer)


def test_a_file_lost_from_the_disk_is_said(plan: PlanStage, browse: Browse, caplog: Any) -> None:
    paper, photo = keep(plan, browse, "report"), keep(plan, browse, "photo")
    for material in (paper, photo):
        material.file.storage.delete(material.file.name)
    answer = browse(plan.leader).get(reverse("material_file", args=[paper.pk]), follow=True)
    assert "服务器上找不到这份材料的文件" in answer.content.decode()
    host = browse(plan.host).get(reverse("material_file", args=[paper.pk]))
    assert host["Location"] == reverse("destination", args=[plan.harbin.pk])
    assert browse(plan.leader).get(reverse("material_file", args=[photo.pk])).status_code == 404
    assert "is not where it was stored" in caplog.text


# -- removing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("who", "status"), [("office", 302), ("liaison", 302), ("reader", 403), ("leader", 403), ("host", 403), ("other_liaison", 403), ("outsider", 404)])  # fmt: skip
def test_who_removes(plan: PlanStage, browse: Browse, who: str, status: int) -> None:
    material = keep(plan, browse, "report")
    answer = browse(getattr(plan, who)).post(reverse("remove_material", args=[material.pk]))
    assert answer.status_code == status
    assert Material.objects.exists() == (status != 302)


def test_removing_takes_the_files_along_and_says_which(
    plan: PlanStage, browse: Browse, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        material = keep(plan, browse, "photo")
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2
    with django_capture_on_commit_callbacks(execute=True):
        browse(plan.liaison).post(reverse("remove_material", args=[material.pk]))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert (
        notes(plan)[0]
        == f"哈尔滨 删除照片：现场.jpg（{materials.size_text(material.size)}，校验码 {material.sha256[:12]}）"
    )


def test_removing_that_fails_keeps_the_files(
    plan: PlanStage, browse: Browse, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    material = keep(plan, browse, "report")

    def crash(*args: object, **kwargs: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(materials, "touch", crash)
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(RuntimeError):
        materials.remove(material=material, by=plan.liaison)
    assert Path(material.file.path).exists() and Material.objects.filter(pk=material.pk).exists()


def test_what_a_colleague_removed_is_gone(plan: PlanStage, browse: Browse) -> None:
    material = keep(plan, browse, "report")
    materials.remove(material=material, by=plan.liaison)
    material.pk = material.pk or 1
    with pytest.raises(WrongState, match="已被同事删除"):
        materials.remove(material=material, by=plan.office)


@pytest.mark.parametrize("gone", ["destination", "delegation"])
def test_a_place_that_a_colleague_removed_is_no_error_of_ours(
    plan: PlanStage, browse: Browse, gone: str
) -> None:
    material = keep(plan, browse, "report")
    place = Destination.objects.select_related("union", "delegation").get(pk=plan.harbin.pk)
    loaded = Material.objects.select_related("destination__union").get(pk=material.pk)
    (Destination.objects.filter(pk=place.pk) if gone == "destination" else plan.first).delete()
    late: list[Callable[[], object]] = [
        lambda: add_link(destination=place, link=Link(**LINK), by=plan.office),
        lambda: uploads.create(destination=place, kind="report", name="a.pdf", size=9, by=plan.office),
        lambda: materials.remove(material=loaded, by=plan.office),
    ]
    for action in late:
        with pytest.raises(WrongState, match="已被同事删除"):
            action()


def test_removing_what_a_colleague_removed_is_said(
    plan: PlanStage, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    material = keep(plan, browse, "report")
    real = materials.open_for_filing

    def slow(*args: Any) -> Delegation:
        Material.objects.all().delete()
        return real(*args)

    monkeypatch.setattr(materials, "open_for_filing", slow)
    answer = browse(plan.liaison).post(reverse("remove_material", args=[material.pk]), follow=True)
    assert answer.status_code == 200 and "已被同事删除" in answer.content.decode()


@pytest.mark.parametrize("state", ["planning", "archived"])
def test_nothing_is_removed_or_added_from_a_closed_account(
    plan: PlanStage, browse: Browse, state: str
) -> None:
    material = keep(plan, browse, "report")
    Delegation.objects.filter(pk=plan.first.pk).update(state=state)
    client = browse(plan.office)
    answer = client.post(reverse("remove_material", args=[material.pk]), follow=True)
    assert "操作没有进行" in answer.content.decode() and Material.objects.count() == 1
    late = client.post(reverse("add_link", args=[plan.harbin.pk]), LINK)
    assert late.status_code == 409 and "操作没有进行" in late.content.decode()
    assert Material.objects.count() == 1


# -- links ---------------------------------------------------------------------------------------------------


def test_coverage_can_be_a_link(plan: PlanStage, browse: Browse) -> None:
    client = browse(plan.liaison)
    answer = client.post(reverse("add_link", args=[plan.harbin.pk]), LINK)
    assert answer["Location"] == reverse("materials", args=[plan.harbin.pk]) + "#coverage"
    link = Material.objects.get()
    assert (link.url, link.title, link.outlet) == (LINK["url"], LINK["title"], LINK["outlet"])
    assert (link.kind, link.published_on, link.by) == (
        "coverage",
        datetime.date(2021, 1, 6),
        plan.liaison.person,
    )
    assert notes(plan)[0] == f"哈尔滨 登记媒体报道：黑龙江工人报 “{link.title}” {link.url}"
    html = page(client, plan.harbin)
    assert f'href="{link.url}" target="_blank" rel="noopener noreferrer"' in html and "2021年1月6日" in html
    assert client.get(reverse("material_thumbnail", args=[link.pk])).status_code == 404
    assert client.get(reverse("material_file", args=[link.pk])).status_code == 302
    client.post(reverse("remove_material", args=[link.pk]))
    assert not Material.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("url", "", "请填写网址"),
        ("url", "javascript:alert(1)", "以 http:// 或 https:// 开头"),
        ("url", "  JavaScript:alert(1)//https://a.cn", "以 http:// 或 https:// 开头"),
        ("url", "data:text/html,x", "以 http:// 或 https:// 开头"),
        ("url", "ftp://a.cn/x", "以 http:// 或 https:// 开头"),
        ("url", "www.example.cn/x", "以 http:// 或 https:// 开头"),
        ("url", "https://", "不是完整的网址"),
        ("url", "https://内网", "不是完整的网址"),
        ("url", "http://[::1", "不是完整的网址"),
        ("url", "https://a b.cn/", "不是完整的网址"),
        ("url", "https://news.cn@evil.example/", "不能有“@”"),
        ("url", "https://a.cn/" + "x" * 500, "网址最多 500 个字符，现有 513 个"),
        ("title", " \t", "请填写标题"),
        ("title", "长" * 201, "标题最多 200 个字，现有 201 个"),
        ("outlet", "", "请填写媒体名称"),
        ("published_on", "", "请填写报道日期"),
        ("published_on", "昨天", "请填写报道日期，如 2021-01-05"),
        ("published_on", "2999-01-01", "晚于今天"),
        ("published_on", "1021-01-01", "不合情理"),
    ],
)
def test_a_link_that_is_none_is_refused_and_nothing_typed_is_lost(
    plan: PlanStage, browse: Browse, field: str, value: str, words: str
) -> None:
    typed = LINK | {field: value}
    answer = browse(plan.liaison).post(reverse("add_link", args=[plan.harbin.pk]), typed)
    html = answer.content.decode()
    assert answer.status_code == 422 and words in html
    assert not Material.objects.exists()
    for other, text in typed.items():
        if other != field:
            assert f'value="{text}"' in html


def test_every_mistake_of_a_link_is_said_at_once(plan: PlanStage) -> None:
    link = Link()
    with pytest.raises(Refused):
        add_link(destination=plan.harbin, link=link, by=plan.liaison)
    assert set(link.errors) == {"url", "title", "outlet", "published_on"}


def test_a_link_is_registered_once(plan: PlanStage) -> None:
    add_link(destination=plan.harbin, link=Link(**LINK), by=plan.liaison)
    link = Link(**LINK | {"title": "另一个标题"})
    with pytest.raises(Refused, match="这个网址已经登记过：黑龙江工人报"):
        add_link(destination=plan.harbin, link=link, by=plan.liaison)


@pytest.mark.parametrize("who", ["reader", "leader", "other_liaison", "host", "outsider"])
def test_others_register_no_links(plan: PlanStage, browse: Browse, who: str) -> None:
    with pytest.raises(PermissionDenied):
        add_link(destination=plan.harbin, link=Link(**LINK), by=getattr(plan, who))
    answer = browse(getattr(plan, who)).post(reverse("add_link", args=[plan.harbin.pk]), LINK)
    assert answer.status_code == (404 if who == "outsider" else 403)
    assert not Material.objects.exists()


def test_the_room_for_links_is_the_room_for_files(plan: PlanStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(materials, "MOST", 0)
    with pytest.raises(Refused, match="哈尔滨的材料已有 0 份"):
        add_link(destination=plan.harbin, link=Link(**LINK), by=plan.liaison)
