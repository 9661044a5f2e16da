"""The itinerary on paper: what it says, how it is printed, that it fetches nothing and names no household."""

from __future__ import annotations

import builtins
import datetime
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from delegations.itinerary.printed import itinerary_pdf, stops
from delegations.models import Delegation, Destination, PersonalData, Visit
from delegations.personal.households import masked_name, put
from delegations.plans import plans
from reporting.errors import Refused
from reporting.paper import pdf
from tests.delegations.stage import IDENTITY_NUMBER, NAME, PlanStage

AT = datetime.datetime(2021, 1, 4, 7, 20, tzinfo=datetime.UTC)


def whole(plan: PlanStage) -> Delegation:
    (delegation,) = plans(Delegation.objects.filter(pk=plan.first.pk))
    return delegation


def printed(plan: PlanStage) -> bytes:
    return itinerary_pdf(whole(plan), AT)


def tool(name: str, file: Path, *options: str) -> str:
    """What one of poppler's programs says of a PDF."""
    found = shutil.which(name)
    if found is None and os.environ.get("CI", "").lower() not in {"1", "true"}:
        pytest.skip("这项测试需要 poppler：apt-get install poppler-utils")
    assert found, "CI 不允许少跑测试，须安装 poppler：apt-get install poppler-utils"
    arguments = [found, *options, str(file)] + (["-"] if name == "pdftotext" else [])
    return subprocess.run(arguments, check=True, capture_output=True, timeout=60).stdout.decode()


@pytest.fixture
def read(tmp_path: Path):
    """`read(pdf)`: its pages as text."""

    def pages(content: bytes) -> list[str]:
        file = tmp_path / "行程单.pdf"
        file.write_bytes(content)
        return tool("pdftotext", file, "-raw").split("\f")[:-1]

    return pages


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_everything_a_leader_needs_on_the_way_is_on_the_paper(plan: PlanStage, read: Any) -> None:
    Delegation.objects.filter(pk=plan.first.pk).update(liaison_phone="0451-11111111")
    Destination.objects.filter(pk=plan.harbin.pk).update(note="上午走访企业")
    visit = plan.visit("on_site")
    visit.money, visit.goods, visit.goods_text = None, 100_050, "米面油"
    visit.save()
    said = squeezed("".join(read(printed(plan))))
    for part in (
        "第1慰问组走访行程单",
        "2021年元旦春节送温暖活动",
        "黑工办发〔2020〕30号",
        "带队领导甲",
        "联络员甲0451-11111111",
        "办公室、权益保障部",
        "1月5日（周二）至1月8日（周五）",
        "哈尔滨市总工会1月5日（周二）至1月6日（周三）",
        "大庆油田工会1月7日（周四）至1月8日（周五）",
        "当地联系人：当地联系人0451-50000000",
        "随行：4人",
        "备注：上午走访企业",
        "困难企业生产经营困难演示机械厂40,000",
        "公安派出所演示派出所20,000",
        "折款1,000.50元",
        "合计10个",
        "学习贯彻会议精神、落实意识形态责任制",
        "当地汇报材料、入户走访材料、照片、媒体报道",
        "带队领导（签字）：",
        "联络员（签字）：",
        "生成时间2021年1月4日15:20",
    ):
        assert part in said, part
    assert said.index("哈尔滨市总工会1月5日（") < said.index("大庆油田工会1月7日（")


def test_the_way_is_in_the_order_of_its_dates(plan: PlanStage) -> None:
    Destination.objects.filter(pk=plan.harbin.pk).update(
        first_day=datetime.date(2021, 1, 20), last_day=datetime.date(2021, 1, 20)
    )
    first, second = stops(whole(plan))
    assert [str(first.destination), str(second.destination)] == ["大庆油田", "哈尔滨"]
    assert second.days_with_weekdays == "1月20日（周三）"
    Destination.objects.filter(pk=first.destination.pk).update(first_day=None)
    assert [stop.days for stop in stops(whole(plan))] == ["1月20日", "日期待定"]


def test_of_a_household_only_the_masked_name_is_printed(plan: PlanStage, read: Any) -> None:
    pages = "".join(read(printed(plan)))
    assert masked_name(plan.visit("household")) in pages
    for secret in (NAME, IDENTITY_NUMBER, "13800000000"):
        assert secret not in pages


def test_a_plan_that_is_not_locked_says_draft_on_every_page(plan: PlanStage, read: Any) -> None:
    for number in range(30):
        Visit.objects.create(
            destination=plan.harbin, kind="on_site", category="national", name=f"演示劳模{number}"
        )
    pages = read(printed(plan))
    assert len(pages) > 2
    assert all({"草", "稿"} <= set(page) for page in pages), "the letters of the watermark stand apart"
    plan.lock()
    locked = read(printed(plan))
    assert len(locked) > 2
    assert not any({"草", "稿"} & set(page) for page in locked)


def test_pages_are_numbered_heads_repeat_and_no_row_is_cut(plan: PlanStage, read: Any) -> None:
    plan.lock()
    long = "名称很长的演示单位" * 5
    for number in range(60):
        Visit.objects.create(
            destination=plan.harbin, kind="on_site", category="national", name=f"始{number}{long}终{number}尾"
        )
    pages = [squeezed(page) for page in read(printed(plan))]
    assert all(f"第{number}页共{len(pages)}页" in page for number, page in enumerate(pages, 1))
    with_rows = [page for page in pages if re.search(r"始\d", page)]
    assert len(with_rows) > 2
    assert all("类别类型名称慰问金（元）" in page for page in with_rows)
    for number in range(60):
        (begins,) = [n for n, page in enumerate(pages) if re.search(rf"始{number}\D", page)]
        (ends,) = [n for n, page in enumerate(pages) if re.search(rf"终{number}尾", page)]
        assert begins == ends, f"row {number} is cut"


def test_a_plan_without_anything_is_a_paper_too(plan: PlanStage, read: Any) -> None:
    plan.first.destinations.all().delete()
    Delegation.objects.filter(pk=plan.first.pk).update(member_units=[], leader_name="")
    assert "还没有走访单位。" in "".join(read(printed(plan)))
    bare = Destination.objects.create(
        delegation=plan.first, campaign=plan.campaign, union=plan.tree.harbin, position=0
    )
    Visit.objects.create(destination=bare, kind="enterprise")
    assert "日期待定" in "".join(read(printed(plan)))


def test_its_typefaces_are_chinese_ones_and_embedded(plan: PlanStage, tmp_path: Path) -> None:
    file = tmp_path / "行程单.pdf"
    file.write_bytes(printed(plan))
    lines = tool("pdffonts", file).splitlines()[2:]
    assert lines
    for line in lines:
        assert re.search(r"Noto-S(ans|erif)-CJK-SC", line), line
        assert line.split()[-5] == "yes", "embedded"
    assert "595.28 x 841.89" in tool("pdfinfo", file) or "(A4)" in tool("pdfinfo", file)


def test_the_same_plan_at_the_same_minute_gives_the_same_bytes(plan: PlanStage) -> None:
    assert printed(plan) == printed(plan)


EVIL = (
    '<img src="file:///etc/hostname"><link rel="stylesheet" href="http://127.0.0.1:1/x.css">'
    '<style>@import "file:///etc/passwd";body{background:url(http://127.0.0.1:1/a.png)}</style>'
)
OWN = "own:css/itinerary.css"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every address that the paper asks for while it is drawn."""
    addresses: list[str] = []
    really = pdf.own_style

    def watching(url: str) -> str:
        addresses.append(url)
        return really(url)

    monkeypatch.setattr(pdf, "own_style", watching)
    return addresses


def test_nothing_that_people_typed_is_fetched_or_becomes_markup(
    plan: PlanStage, read: Any, asked: list[str]
) -> None:
    Delegation.objects.filter(pk=plan.first.pk).update(leader_name="<b>甲</b>", member_units=[EVIL])
    Visit.objects.exclude(kind="household").update(note=EVIL[:300])
    put(PersonalData(visit=plan.visit("household")), {"name": "<i>户"})
    said = squeezed("".join(read(printed(plan))))
    assert asked == [OWN]
    assert "<b>甲</b>" in said
    assert "file:///etc/hostname" in said


ADDRESSES = (
    "file:///etc/passwd",
    "http://127.0.0.1:1/x.png",
    "https://example.org/x.css",
    "data:text/css,*{}",
    "ftp://127.0.0.1/x",
    "own:css/../../config/settings.py",
)


def test_whatever_else_the_paper_asked_for_would_be_refused(
    plan: PlanStage, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should a template or style sheet ever name an address: as WeasyPrint itself asks."""
    links = "".join(f'<img src="{url}"><link rel="stylesheet" href="{url}">' for url in (OWN, *ADDRESSES))
    monkeypatch.setattr(pdf, "render_to_string", lambda *_: links)
    assert printed(plan).startswith(b"%PDF")
    assert set(asked) == {OWN, *ADDRESSES}
    for url in ADDRESSES:
        with pytest.raises(ValueError, match="不引用外部内容"):
            pdf.own_style(url)


# -- who knocks --------------------------------------------------------------------------------------------


def address(plan: PlanStage) -> str:
    return reverse("itinerary", args=[plan.first.pk])


@pytest.mark.usefixtures("drawn_once")
def test_who_sees_the_delegation_takes_its_itinerary(plan: PlanStage, browse: Any) -> None:
    for who in (plan.office, plan.reader, plan.liaison, plan.leader):
        answer = browse(who).get(address(plan))
        assert answer.status_code == 200, who
        assert answer["Content-Type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF")
        assert "2021%E5%B9%B4%E7%AC%AC1" in answer["Content-Disposition"]
        assert answer["Cache-Control"] == "private, no-store"


def test_others_do_not(plan: PlanStage, browse: Any) -> None:
    assert browse(plan.other_liaison).get(address(plan)).status_code == 403
    assert browse(plan.host).get(address(plan)).status_code == 404
    assert browse(plan.outsider).get(address(plan)).status_code == 404
    assert Client().get(address(plan)).status_code == 302
    assert browse(plan.office).post(address(plan)).status_code == 405
    assert browse(plan.office).get(reverse("itinerary", args=[0])).status_code == 404


def test_a_server_without_pango_says_what_to_install(
    plan: PlanStage, browse: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return really(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(Refused, match="libpango"):
        printed(plan)
    answer = browse(plan.liaison).get(address(plan))
    assert answer["Location"] == reverse("delegation", args=[plan.first.pk])
    (said,) = answer.wsgi_request._messages
    assert "请系统管理员在服务器上安装 libpango-1.0-0、libpangoft2-1.0-0" in str(said)


@pytest.mark.usefixtures("drawn_once")
def test_fifty_visits_cost_as_many_queries_as_five(plan: PlanStage, browse: Any) -> None:
    client = browse(plan.liaison)
    client.get(address(plan))

    def queries() -> int:
        with CaptureQueriesContext(connection) as counted:
            client.get(address(plan))
        return len(counted)

    few = queries()
    for number in range(50):
        Visit.objects.create(
            destination=plan.harbin, kind="on_site", category="national", name=f"演示劳模{number}"
        )
    assert queries() == few <= 12
