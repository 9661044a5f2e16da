"""The pages of summaries: who may see them, what they show, what they cost."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from reporting.aggregation import make_summary, work_off_one
from reporting.models import AggregationRun, Summary
from reporting.tasks import progress_key
from tests.aggregation.sealed import Province, make_province, relabel, undone
from tests.cast import person
from unions.gate import Role
from unions.models import Person, Union

SignIn = Callable[[Person], Client]
NOTHING_NEW = "数据没有变化，沿用第 1 号汇总"


@pytest.fixture
def summary(province: Province) -> Summary:
    province.approve_all()
    return make_summary(province.campaign)


def addresses(summary: Summary, run: AggregationRun) -> list[str]:
    return [
        reverse("summaries", args=[summary.campaign_id]),
        reverse("run_progress", args=[run.pk]),
        reverse("summary", args=[summary.pk, "warmth"]),
        reverse("summary", args=[summary.pk, "helpcenter"]),
        reverse("summary", args=[summary.pk, "filings"]),
        reverse("matrix", args=[summary.pk, "warmth"]),
        reverse("matrix", args=[summary.pk, "warmth"]) + "?level=all",
        reverse("parts", args=[summary.pk, "warmth", "E"]),
        reverse("parts", args=[summary.pk, "warmth", "E"]) + "?unit=230100&sort=size",
        reverse("parts", args=[summary.pk, "helpcenter", "I"]),
        reverse("summary_workbook", args=[summary.pk]),
    ]


@pytest.fixture
def run(summary: Summary) -> AggregationRun:
    return AggregationRun.objects.create(campaign=summary.campaign, key="nightly:2021-01-20")


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.ADMINISTRATOR, Role.AUDITOR])
def test_the_province_sees_everything(
    province: Province, summary: Summary, run: AggregationRun, sign_in: SignIn, role: Role
):
    client = sign_in(person(province.root, role))
    assert {a: client.get(a).status_code for a in addresses(summary, run)} == dict.fromkeys(
        addresses(summary, run), 200
    )


@pytest.mark.parametrize("role", [Role.FILLER, Role.SUBMITTER])
def test_who_fills_in_for_the_province_does_not_see_summaries(
    province: Province, summary: Summary, run: AggregationRun, sign_in: SignIn, role: Role
):
    client = sign_in(person(province.root, role))
    assert {client.get(a).status_code for a in addresses(summary, run)} == {403}


def test_a_city_never_sees_the_province(
    province: Province, summary: Summary, run: AggregationRun, sign_in: SignIn
):
    client = sign_in(person(province.cities[0], *Role))
    assert {client.get(a).status_code for a in addresses(summary, run)} == {403}
    assert client.post(reverse("aggregate", args=[province.campaign.pk])).status_code == 403


def test_strangers_are_sent_to_log_in(summary: Summary, run: AggregationRun):
    for address in addresses(summary, run):
        assert Client().get(address).headers["Location"].startswith("/login/")
    assert Client().post(reverse("aggregate", args=[summary.campaign_id])).status_code == 302
    assert AggregationRun.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "rest"),
    [
        ("summary", [0, "warmth"]),
        ("summary", [1, "nothing"]),
        ("matrix", [1, "filings"]),
        ("parts", [1, "warmth", "Z9"]),
        ("parts", [1, "nothing", "E"]),
        ("summary_workbook", [0]),
    ],
)
def test_what_does_not_exist_is_not_found(
    province: Province, summary: Summary, sign_in: SignIn, name: str, rest: list[Any]
):
    arguments = [summary.pk if rest[0] else 987654, *rest[1:]]
    assert sign_in(province.director).get(reverse(name, args=arguments)).status_code == 404


@pytest.mark.parametrize("code", ["", "999999", "230199", "2301%", "\x00"])
def test_a_unit_that_is_not_in_the_summary_is_not_found(
    province: Province, summary: Summary, sign_in: SignIn, code: str
):
    address = reverse("parts", args=[summary.pk, "warmth", "E"])
    assert sign_in(province.director).get(address, {"unit": code}).status_code == 404


def test_only_the_administrator_may_ask_and_asks_once(province: Province, summary: Summary, sign_in: SignIn):
    address = reverse("aggregate", args=[province.campaign.pk])
    assert sign_in(person(province.root, Role.REVIEWER, Role.AUDITOR)).post(address).status_code == 403
    client = sign_in(province.director)
    assert client.get(address).status_code == 405
    first, second = client.post(address), client.post(address)
    assert first.headers["Location"] == second.headers["Location"]
    assert AggregationRun.objects.count() == 1
    assert "立即汇总" not in page(
        sign_in(person(province.root, Role.AUDITOR)), "summaries", province.campaign.pk
    )


def page(client: Client, name: str, *arguments: Any, **query: str) -> str:
    return client.get(reverse(name, args=arguments), query).content.decode()


def quiet(run: AggregationRun) -> Callable[[int, int, str], None]:
    return lambda done, of, what: None


def test_the_page_of_a_run_tells_how_far_it_is_and_leads_to_the_summary(province: Province, sign_in: SignIn):
    province.approve_all()
    client = sign_in(province.director)
    run = AggregationRun.objects.create(
        campaign=province.campaign, key="demand:1", requested_by=province.director
    )
    address = reverse("run_progress", args=[run.pk])
    cache.delete(progress_key(run))
    assert "排队中" in client.get(address).content.decode()
    cache.set(progress_key(run), {"done": 1, "of": 3, "what": "正在汇总送温暖统计表"})
    part = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "正在汇总送温暖统计表" in part
    assert 'max="3" value="1"' in part
    assert "<html" not in part
    work_off_one(quiet)
    done = client.get(address, headers={"HX-Request": "true"})
    assert done.headers["HX-Redirect"] == reverse("summary", args=[Summary.objects.get().pk, "warmth"])
    assert "第 1 号汇总已完成" in client.get(done.headers["HX-Redirect"]).content.decode()


def test_the_same_input_is_said_to_be_the_same(province: Province, summary: Summary, sign_in: SignIn):
    client = sign_in(province.director)
    client.post(reverse("aggregate", args=[province.campaign.pk]))
    work_off_one(quiet)
    run = AggregationRun.objects.get()
    answer = client.get(reverse("run_progress", args=[run.pk]), follow=True)
    assert NOTHING_NEW in answer.content.decode()
    assert NOTHING_NEW in page(client, "summaries", province.campaign.pk)


def test_a_run_that_failed_says_so_and_can_be_asked_for_again(province: Province, sign_in: SignIn):
    run = AggregationRun.objects.create(
        campaign=province.campaign,
        key="deadline:1",
        state=AggregationRun.State.FAILED,
        attempts=5,
        error="DataError: 数值越界",
    )
    client = sign_in(province.director)
    for text in (page(client, "run_progress", run.pk), page(client, "summaries", province.campaign.pk)):
        assert "没有成功，已试 5 次" in text
        assert "DataError: 数值越界" in text
    assert "hx-get" not in page(client, "run_progress", run.pk)


def test_who_has_waited_long_is_told_not_to(province: Province, sign_in: SignIn):
    run = AggregationRun.objects.create(campaign=province.campaign, key="demand:1")
    AggregationRun.objects.update(requested_at=timezone.now() - datetime.timedelta(minutes=5))
    assert "不必守在此页" in page(sign_in(province.director), "run_progress", run.pk)


def test_the_list_names_number_reason_and_who_is_missing(province: Province, sign_in: SignIn):
    own = province.approve_all()
    province.unapprove(province.cities[1])
    make_summary(province.campaign)
    province.approve(province.cities[1], own["230200"], is_late=True)
    AggregationRun.objects.create(campaign=province.campaign, key="demand:1", requested_by=province.director)
    work_off_one(quiet)
    text = page(sign_in(province.director), "summaries", province.campaign.pk)
    assert text.index("第 2 号") < text.index("第 1 号"), "the newest first"
    assert f"{province.director.name}要求" in text
    assert "第2市总工会" in text, "named as missing from the first"


def test_a_summary_shows_every_row_with_its_figure_leading_to_its_parts(
    province: Province, summary: Summary, sign_in: SignIn
):
    client = sign_in(province.director)
    for slug in ("warmth", "helpcenter"):
        text = page(client, "summary", summary.pk, slug)
        for row in summary.sheets[slug]:
            assert row["label"] in text
            assert reverse("parts", args=[summary.pk, slug, row["code"]]) in text
        assert summary.digest in text


def test_an_old_summary_keeps_its_wording_and_points_to_the_new_one(
    province: Province, summary: Summary, sign_in: SignIn
):
    client = sign_in(province.director)
    make_summary(relabel(province.campaign, "warmth", "B", "走访慰问企业（改）"))
    old = page(client, "summary", summary.pk, "warmth")
    assert "走访慰问企业（改）" not in old
    assert "这是较早的汇总" in old
    assert "走访慰问企业（改）" in page(client, "summary", Summary.objects.get(number=2).pk, "warmth")
    assert "走访慰问企业（改）" not in page(client, "matrix", summary.pk, "warmth")


def test_broken_rules_stand_above_the_totals(province: Province, sign_in: SignIn):
    own = province.approve_all(scale=0)
    own["230300"]["warmth"] |= {"H": 0, "I": 5_000_000}
    province.approve(province.cities[2], own["230300"])
    text = page(sign_in(province.director), "summary", make_summary(province.campaign).pk, "warmth")
    assert "I 追讨欠薪 5 万元，H 协助追讨欠薪为 0 人次" in text
    assert "核实" in text


def test_a_total_opens_into_units_and_into_its_own_rows(
    province: Province, summary: Summary, sign_in: SignIn
):
    client = sign_in(province.director)
    text = page(client, "parts", summary.pk, "warmth", "E")
    assert [text.index(union.name) for union in province.units] == sorted(
        text.index(union.name) for union in province.units
    )
    for code in ("E1", "E2", "E3", "E4", "E5"):
        assert reverse("parts", args=[summary.pk, "warmth", code]) in text
    by_size = page(client, "parts", summary.pk, "warmth", "E", sort="size")
    figures = {row.filing.union.name: row.E for row in _rows(summary)}
    names = sorted(figures, key=lambda name: figures[name], reverse=True)
    places = [by_size.index(f">\n          {name}") for name in names]
    assert places == sorted(places)


def _rows(summary: Summary) -> Any:
    from reporting.aggregation import rows_of_summary
    from reporting.sheets import sheet_for

    return rows_of_summary(summary, sheet_for(summary.campaign, "warmth"))


def test_a_unit_opens_into_its_own_and_its_counties_on_a_page_and_in_place(
    province: Province, summary: Summary, sign_in: SignIn
):
    client = sign_in(province.director)
    address = reverse("parts", args=[summary.pk, "warmth", "B"])
    whole = client.get(address, {"unit": "230100"}).content.decode()
    part = client.get(address, {"unit": "230100"}, headers={"HX-Request": "true"}).content.decode()
    for text in (whole, part):
        assert "第1市总工会（本级）" in text
        assert "第1市第1区总工会" in text
        assert "第2市" not in text
    assert "<html" not in part
    county = client.get(address, {"unit": "230102"}).content.decode()
    assert "第1市第2区总工会" in county


def test_blank_and_nought_differ_in_the_matrix(province: Province, sign_in: SignIn):
    province.approve_all(scale=0)
    text = page(sign_in(province.director), "matrix", make_summary(province.campaign).pk, "warmth")
    assert "<td>0</td>" in text
    nobody = Province(**{**vars(province), "campaign": province.campaign})
    for union in province.units:
        nobody.unapprove(union)
    empty = make_summary(province.campaign)
    text = page(sign_in(province.director), "matrix", empty.pk, "warmth")
    assert "<td></td>" in text
    assert "<td>0</td>" not in text
    assert "—" in page(sign_in(province.director), "summary", empty.pk, "warmth")


def test_a_column_of_money_has_the_same_decimals_everywhere(province: Province, sign_in: SignIn):
    own = province.approve_all(scale=0)
    for city, fen in zip(province.cities, (12_500_000, 1_234_567_890_000, 0), strict=True):
        own[city.code]["warmth"] |= {"H": 1, "I": fen}
        province.approve(city, own[city.code])
    text = page(sign_in(province.director), "matrix", make_summary(province.campaign).pk, "warmth")
    for shown in ("12.50", "1,234,567.89", "1,234,580.39"):
        assert f">{shown}<" in text


def test_the_workbook_has_a_chinese_name(province: Province, summary: Summary, sign_in: SignIn):
    answer = sign_in(province.director).get(reverse("summary_workbook", args=[summary.pk]))
    assert (
        "filename*=utf-8''2021%E5%B9%B4%E9%80%81%E6%B8%A9%E6%9A%96" in answer.headers["Content-Disposition"]
    )
    assert answer.content[:2] == b"PK"
    assert "no-store" in answer.headers["Cache-Control"]


PAGES = [
    "/campaigns/{campaign}/summaries/",
    "/summaries/{summary}/warmth/",
    "/summaries/{summary}/filings/",
    "/summaries/{summary}/warmth/matrix/",
    "/summaries/{summary}/warmth/matrix/?level=all",
    "/summaries/{summary}/warmth/parts/E/",
    "/summaries/{summary}/warmth/parts/E/?unit=230100",
    "/summaries/{summary}/workbook.xlsx",
]


def costs(cities: int, counties: list[int], sign_in: SignIn) -> dict[str, int]:
    """How many queries each page asks in a province of that size."""
    with undone():
        province = make_province(cities=cities, counties=counties)
        province.approve_all()
        summary = make_summary(province.campaign)
        client = sign_in(province.director)
        asked = {}
        for page in PAGES:
            address = page.format(campaign=province.campaign.pk, summary=summary.pk)
            client.get(address)
            with CaptureQueriesContext(connection) as captured:
                assert client.get(address).status_code == 200
            asked[page] = len(captured)
    return asked


def test_sixty_units_cost_no_more_queries_than_five(db: None, sign_in: SignIn):
    few, many = costs(5, [1], sign_in), costs(60, [5] * 4, sign_in)
    assert few == many
    assert max(many.values()) <= 25


def test_a_union_renamed_later_keeps_the_name_it_signed_under(
    province: Province, summary: Summary, sign_in: SignIn
):
    Union.objects.filter(code="230100").update(name="改名后的总工会")
    client = sign_in(person(province.root, Role.AUDITOR))
    for url in addresses(summary, AggregationRun.objects.create(campaign=summary.campaign, key="k"))[4:8]:
        page = client.get(url).content.decode()
        assert "改名后的总工会" not in page
        assert "第1市总工会" in page
