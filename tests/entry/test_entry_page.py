"""The page of one form: its table, where it leads, what it costs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from html import escape
from statistics import median
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import include, path, reverse

from reporting import filling, workflow
from reporting.filling import working_row
from reporting.fragments import pieces_for
from reporting.models import Filing
from reporting.registry import all_forms
from reporting.reports import store_report
from reporting.sheets import sheet_for
from tests.cast import actor, person
from tests.entry.asking import save
from tests.entry.rounds import Scene, fill_with_zeros, type_into
from tests.entry.test_entry_report import PDF, put
from unions.gate import Role
from unions.models import Person

SignIn = Callable[[Person], Client]
SLUGS = [form.slug for form in all_forms()]


def form_url(filing: Filing, slug: str = "warmth") -> str:
    return reverse("form_page", args=[filing.pk, slug])


def complete(scene: Scene) -> None:
    fill_with_zeros(scene.filing, scene.filler)
    by = actor(scene.filler, scene.tree.harbin)
    head = {"filler_name": "哈尔滨填报员甲", "filler_phone": "0451-1", "filled_on": "2021-01-20"}
    filling.save_head(filing=scene.filing, values=head, by=by)
    put(scene, "报告.pdf", PDF)


@pytest.mark.parametrize("slug", SLUGS)
def test_every_row_of_the_form_is_there_in_printed_order(slug: str, scene: Scene, sign_in: SignIn) -> None:
    page = sign_in(scene.filler).get(form_url(scene.filing, slug)).content.decode()
    sheet = sheet_for(scene.campaign, slug)
    assert re.findall(r'<tr id="r-(\w+)"', page) == [row.code for row in sheet.rows]
    for row in sheet.rows:
        assert f'<td class="code">{row.printed_code}</td>' in page
        assert escape(row.label) in page
    assert page.count('class="mark" title="此行在所存通知的缺页上') == sum(
        r.printed == "no" for r in sheet.rows
    )


@pytest.mark.parametrize("slug", SLUGS)
def test_the_page_costs_as_many_queries_empty_as_full(slug: str, scene: Scene, sign_in: SignIn) -> None:
    client = sign_in(scene.filler)
    url = form_url(scene.filing, slug)
    client.get(url)
    with CaptureQueriesContext(connection) as empty:
        client.get(url)
    complete(scene)
    type_into(scene.filing, "warmth", scene.filler, J1="0", J2="3", H="0", I="5", E="9", B="x")
    save(client, scene.filing, ("G", "0", "1"))
    with CaptureQueriesContext(connection) as full:
        client.get(url)
    assert len(empty) == len(full) <= 11, [q["sql"][:90] for q in full]


def _bare(request: HttpRequest) -> HttpResponse:
    """What the page is measured against: somebody logged in and the same table, joined from strings."""
    filing = Filing.objects.select_related("campaign", "union").get(pk=request.GET["pk"])
    row = working_row(filing, "warmth")
    pieces = pieces_for(filing.campaign, "warmth", with_below=False)
    out = [pieces.head]
    for r in pieces.rows:
        out += [r.opening, r.to_value, escape(row.text(r.code)), r.to_flags, ">", r.closing]
    return HttpResponse("".join(out))


urlpatterns = [path("", include(settings.ROOT_URLCONF)), path("bare/", login_required(_bare))]


@pytest.mark.urls(__name__)
def test_the_page_costs_at_most_a_few_bare_views(scene: Scene, sign_in: SignIn) -> None:
    """Loose here, where two cores run many tests; benchmarks give the exact figure."""
    client = sign_in(person(scene.tree.daqing_oilfield, Role.FILLER))
    filing = scene.filing_of(scene.tree.daqing_oilfield)

    def cost(url: str) -> float:
        times = []
        for _ in range(15):
            start = time.process_time()
            assert client.get(url).status_code == 200
            times.append(time.process_time() - start)
        return median(times[3:])

    bare, page = cost(f"/bare/?pk={filing.pk}"), cost(form_url(filing))
    assert page < 4 * bare, (page, bare)


def test_a_city_with_subordinates_sees_what_is_approved_below(scene: Scene, sign_in: SignIn) -> None:
    nangang = scene.filing_of(scene.tree.nangang)
    below = person(scene.tree.nangang, Role.FILLER, Role.SUBMITTER)
    by = actor(below, scene.tree.nangang)
    fill_with_zeros(nangang, below)
    type_into(nangang, "warmth", below, A1="3.5")
    head = {"filler_name": "a", "filler_phone": "1", "filled_on": "2021-01-20"}
    filling.save_head(filing=nangang, values=head, by=by)
    store_report(filing=nangang, upload=SimpleUploadedFile("a.pdf", PDF), by=by)
    workflow.submit(filing=nangang, by=by)
    type_into(scene.filing, "warmth", scene.filler, A1="12")

    client = sign_in(scene.leader)
    page = client.get(form_url(scene.filing)).content.decode()
    row = page[page.index('id="r-A1"') :][:900]
    assert '<td class="below"></td><td class="sum">12</td>' in row
    answer = client.get(reverse("submit", args=[scene.filing.pk]), headers={"Accept": "application/json"})
    assert answer.json()["not_included"] == ["哈尔滨市南岗区总工会"]

    reviewer = person(scene.tree.harbin, Role.REVIEWER)
    workflow.approve(filing=nangang, round_number=1, by=actor(reviewer, scene.tree.harbin))
    page = client.get(form_url(scene.filing)).content.decode()
    row = page[page.index('id="r-A1"') :][:900]
    assert '<td class="below">3.5</td><td class="sum">15.5</td>' in row
    assert (
        "下级合计"
        not in client.get(form_url(scene.filing_of(scene.tree.harbin))).content.decode().split("<thead>")[0]
    )


def test_the_province_has_no_column_of_subordinates(scene: Scene, sign_in: SignIn) -> None:
    client = sign_in(person(scene.tree.province, Role.FILLER))
    page = client.get(form_url(scene.filing_of(scene.tree.province))).content.decode()
    assert "下级合计" not in page


def test_the_filing_leads_to_what_is_not_done(scene: Scene, sign_in: SignIn) -> None:
    client = sign_in(scene.filler)
    url = reverse("filing", args=[scene.filing.pk])
    assert client.get(url)["Location"] == form_url(scene.filing)
    zeros = {c: "0" for c, f in working_row(scene.filing, "warmth").fields().items() if not f.of}
    type_into(scene.filing, "warmth", scene.filler, **zeros)
    assert client.get(url)["Location"] == form_url(scene.filing, "helpcenter")
    fill_with_zeros(scene.filing, scene.filler)
    assert client.get(url)["Location"] == reverse("report_page", args=[scene.filing.pk])
    Filing.objects.filter(pk=scene.filing.pk).update(state="returned", open_cells=["helpcenter:C"])
    assert client.get(url)["Location"] == form_url(scene.filing, "helpcenter")
    Filing.objects.filter(pk=scene.filing.pk).update(open_cells=["report"])
    assert client.get(url)["Location"] == reverse("report_page", args=[scene.filing.pk])
    Filing.objects.filter(pk=scene.filing.pk).update(state="approved", open_cells=[])
    assert client.get(url)["Location"] == form_url(scene.filing)


def test_a_return_shows_its_reason_its_remarks_and_what_is_open(scene: Scene, sign_in: SignIn) -> None:
    complete(scene)
    workflow.submit(filing=scene.filing, by=actor(scene.leader, scene.tree.harbin))
    reviewer = actor(person(scene.tree.province, Role.REVIEWER, name="省审核员"), scene.tree.province)
    remark: dict[str, Any] = {"round_number": 1, "form": "warmth", "by": reviewer}
    workflow.add_remark(filing=scene.filing, code="E1", text="请核对<b>", **remark)
    workflow.send_back(
        filing=scene.filing, round_number=1, reason="E1 有误，请核对", cells=["warmth:E1"], by=reviewer
    )
    page = sign_in(scene.filler).get(form_url(scene.filing)).content.decode()
    assert "退回原因：" in page and "E1 有误，请核对" in page and "省审核员" in page
    assert "审核批注：请核对&lt;b&gt;" in page
    assert '<a href="#r-E1">E1</a>' in page and '<a href="#r-B">' not in page


def test_submitting_says_all_that_is_missing_then_submits_then_withdraws(
    scene: Scene, sign_in: SignIn
) -> None:
    client = sign_in(scene.leader)
    submit, withdraw = (reverse(name, args=[scene.filing.pk]) for name in ("submit", "withdraw"))

    def facts() -> Any:
        return client.get(submit, headers={"Accept": "application/json"}).json()

    unseen = client.post(submit)
    assert (unseen.status_code, "请先在确认页核对" in unseen.content.decode()) == (409, True)
    refused = client.post(submit, {"seen": facts()["token"]})
    assert refused.status_code == 422
    text = refused.content.decode()
    for words in (
        "送温暖统计表：还有 46 格空白",
        "帮扶中心工作统计表：还有 54 格空白",
        "表头：",
        "送温暖报告：还没有上传",
    ):
        assert words in text
    assert len(facts()["missing"]) == 4
    complete(scene)
    page = client.get(submit).content.decode()
    token = facts()["token"]
    assert "确认上报" in page and f'name="seen" value="{token}"' in page
    page = client.post(submit, {"seen": token}, follow=True).content.decode()
    assert "已上报（第 1 轮）" in page and 'name="round" value="1"' in page
    assert "不能再修改" in client.post(submit, {"seen": token}, follow=True).content.decode()
    assert "操作没有进行" in client.post(withdraw, follow=True).content.decode()
    assert "已撤回" in client.post(withdraw, {"round": "1"}, follow=True).content.decode()
    assert "操作没有进行" in client.post(withdraw, {"round": "1"}, follow=True).content.decode()


@pytest.mark.parametrize("what", ["cell", "text", "head", "report", "explanation"])
def test_what_changed_since_the_confirmation_is_named_and_not_sealed(
    what: str, scene: Scene, sign_in: SignIn
) -> None:
    complete(scene)
    by = actor(scene.filler, scene.tree.harbin)
    type_into(scene.filing, "warmth", scene.filler, J2="3")
    told: dict[str, Any] = {"filing": scene.filing, "slug": "warmth", "rule_id": "J2_without_J1", "by": by}
    filling.explain(text="物资直接送到医院", **told)
    client = sign_in(scene.leader)
    url = reverse("submit", args=[scene.filing.pk])
    token = client.get(url, headers={"Accept": "application/json"}).json()["token"]
    name = "送温暖统计表"
    if what in ("cell", "text"):
        type_into(scene.filing, "warmth", scene.filler, G="7" if what == "cell" else "七")
    elif what == "head":
        name = "表头"
        filling.save_head(filing=scene.filing, values={"filler_phone": "2"}, by=by)
    elif what == "report":
        name = "送温暖报告"
        put(scene, "新的.pdf", PDF + b"%%EOF\n")
    else:
        filling.explain(text="物资由药店直接送到", **told)
    answer = client.post(url, {"seen": token}, headers={"Accept": "application/json"})
    assert answer.status_code == 409
    assert answer.json()["error"] == f"打开确认之后，数据又有改动（{name}）。请核对后重新上报。"
    assert Filing.objects.get(pk=scene.filing.pk).state == "draft"
    page = client.post(url, {"seen": "x"}, follow=True).content.decode()
    assert "打开确认之后，数据又有改动" in page


def test_after_the_deadline_the_dialog_says_so(scene: Scene, sign_in: SignIn) -> None:
    complete(scene)
    scene.campaign.deadline = (
        scene.campaign.opens_at.replace(microsecond=1)
        + (scene.campaign.deadline - scene.campaign.opens_at) / 100
    )
    scene.campaign.save()
    answer = sign_in(scene.leader).get(
        reverse("submit", args=[scene.filing.pk]), headers={"Accept": "application/json"}
    )
    (only,) = answer.json()["missing"]
    assert only.startswith("已过截止时间")


def test_before_the_campaign_opens_the_table_is_for_reading(scene: Scene, sign_in: SignIn) -> None:
    scene.campaign.opens_at = scene.campaign.deadline.replace(microsecond=0)
    scene.campaign.deadline = scene.campaign.deadline.replace(year=scene.campaign.deadline.year + 1)
    scene.campaign.save()
    page = sign_in(scene.filler).get(form_url(scene.filing)).content.decode()
    assert "开始填报。" in page and 'name="A1"' not in page


def test_the_page_that_asks_for_confirmation_marks_no_tab_and_leads_not_to_itself(
    scene: Scene, sign_in: SignIn
) -> None:
    page = sign_in(scene.leader).get(reverse("submit", args=[scene.filing.pk])).content.decode()
    assert 'aria-current="page"' not in page.split('class="entry-tabs"')[1].split("</nav>")[0]
    assert 'id="submit"' not in page
