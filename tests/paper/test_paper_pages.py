"""Who prints what, and whose paper a code is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from reporting import workflow
from reporting.aggregation import make_summary
from reporting.models import Filing, Round
from reporting.paper import printing
from reporting.paper.code import qr_of_round, qr_of_summary, short_code
from tests.workflow.stage import Stage, number
from unions.gate import Actor, Role

Browse = Callable[[Actor], Client]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was drawn, without drawing it."""
    found: list[dict[str, Any]] = []

    def draw(template: str, context: dict[str, Any]) -> bytes:
        found.append(context)
        return b"%PDF-"

    monkeypatch.setattr(printing.pdf, "render", draw)
    return found


def printed(client: Client, filing: Filing, query: str = "") -> Any:
    return client.get(reverse("filing_pdf", args=[filing.pk]) + query)


def test_a_draft_is_printed_by_its_own_people_and_by_nobody_above(
    stage: Stage, browse: Browse, drawn: list[dict[str, Any]]
) -> None:
    filing = stage.ready(stage.tree.harbin)
    answer = printed(browse(stage.actor(stage.tree.harbin, Role.FILLER)), filing)
    assert answer.status_code == 200 and answer["Content-Type"] == "application/pdf"
    assert (
        answer["Content-Disposition"].startswith("inline") and answer["Cache-Control"] == "private, no-store"
    )
    assert drawn[-1]["is_draft"]
    for role in (Role.REVIEWER, Role.ADMINISTRATOR):
        assert printed(browse(stage.actor(stage.tree.province, role)), filing).status_code == 404


def test_above_the_last_round_is_printed_while_it_is_mended(
    stage: Stage, browse: Browse, drawn: list[dict[str, Any]]
) -> None:
    filing = stage.returned(stage.tree.harbin)
    assert printed(browse(stage.reviewer(stage.tree.harbin)), filing).status_code == 200
    assert not drawn[-1]["is_draft"]
    assert printed(browse(stage.submitter(stage.tree.harbin)), filing).status_code == 200
    assert drawn[-1]["is_draft"]


def test_an_older_round_is_asked_for_by_number(
    stage: Stage, browse: Browse, drawn: list[dict[str, Any]]
) -> None:
    stage.returned(stage.tree.harbin, warmth_E1=1)
    filing = stage.submitted(stage.tree.harbin, warmth_E1=2)
    client = browse(stage.reviewer(stage.tree.harbin))
    for query, code in (("?round=1", 1), ("?round=2", 2), ("", 2)):
        assert printed(client, filing, query).status_code == 200
        assert drawn[-1]["code"] == short_code(Round.objects.get(filing=filing, number=code).digest)
    for query in ("?round=3", "?round=x", "?round=", "?round=²", "?round=999999999999"):
        assert printed(client, filing, query).status_code == 404


# -- 核对校验码 --------------------------------------------------------------------------------------------


def checked(client: Client, code: str) -> str:
    answer = client.get(reverse("check_code"), {"code": code})
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_code_tells_whose_round_it_is_and_whether_it_stands(stage: Stage, browse: Browse) -> None:
    filing = stage.submitted(stage.tree.harbin, warmth_E1=4321)
    client = browse(stage.reviewer(stage.tree.harbin))
    first = Round.objects.get(filing=filing)
    for typed in (short_code(first.digest), first.digest[:8], first.digest, qr_of_round(first)):
        page = checked(client, typed)
        assert "哈尔滨市总工会" in page and "第 1 轮是现在的数据，等待审核。" in page
        assert "4,321" in page  # E, the total it is part of
    workflow.approve(filing=filing, round_number=1, by=stage.reviewer(stage.tree.harbin))
    assert "是现在的数据，已审核通过" in checked(client, first.digest)
    filing = stage.filing(stage.tree.harbin)
    workflow.reopen(filing=filing, round_number=1, reason="请核对数据", by=stage.reviewer(stage.tree.harbin))
    assert "第 1 轮不是有效的数据" in checked(client, first.digest)
    stage.submitted(stage.tree.harbin, warmth_E1=5)
    assert "不是现在的数据：此后又上报了第 2 轮。" in checked(client, first.digest)


def test_who_may_not_see_the_filing_hears_what_a_wrong_code_hears(stage: Stage, browse: Browse) -> None:
    filing = stage.submitted(stage.tree.harbin)
    round_ = Round.objects.get(filing=filing)
    nothing = "没有找到这个校验码"
    own = [stage.actor(stage.tree.harbin, role) for role in (Role.FILLER, Role.SUBMITTER, Role.AUDITOR)]
    above = [stage.actor(stage.tree.province, role) for role in (Role.REVIEWER, Role.ADMINISTRATOR)]
    for who in own + above:
        assert "第 1 轮" in checked(browse(who), round_.digest)
    outside = [stage.actor(stage.tree.outsider, role) for role in (Role.FILLER, Role.REVIEWER)]
    # Below, and above without the role.
    others = [stage.actor(stage.tree.nangang, Role.FILLER), stage.actor(stage.tree.province, Role.FILLER)]
    for who in outside + others:
        page = checked(browse(who), round_.digest)
        assert nothing in page and "哈尔滨市总工会" not in page.partition("<main")[2].partition("notice")[2]
        assert nothing in checked(browse(who), "f" * 16)


def test_what_is_no_code_is_said_to_be_none(stage: Stage, browse: Browse) -> None:
    client = browse(stage.reviewer(stage.tree.harbin))
    for typed in ("abc", "zzzzzzzzzzzz", "A" * 200, "'; --", "%"):
        assert "请至少输入前 8 位" in checked(client, typed)
    assert "请至少输入前 8 位" not in checked(client, "")


def test_a_summary_has_a_code_too(stage: Stage, browse: Browse) -> None:
    stage.approved(stage.tree.harbin)
    first = make_summary(stage.campaign)
    director = browse(stage.actor(stage.tree.province, Role.ADMINISTRATOR))
    assert "第 1 号汇总是最新的汇总" in checked(director, qr_of_summary(first))
    stage.approved(stage.tree.daqing_oilfield)
    make_summary(stage.campaign)
    assert "不是最新的汇总，最新的是第 2 号" in checked(director, first.digest)
    assert "没有找到" in checked(browse(stage.submitter(stage.tree.harbin)), first.digest)


# -- links -------------------------------------------------------------------------------------------------


def test_the_paper_is_a_link_where_it_is_wanted(stage: Stage, browse: Browse) -> None:
    filing = stage.approved(stage.tree.harbin)
    summary = make_summary(stage.campaign)
    pdf, page = (reverse(name, args=[filing.pk]) for name in ("filing_pdf", "filing_paper"))
    own, reviewer = browse(stage.submitter(stage.tree.harbin)), browse(stage.reviewer(stage.tree.harbin))
    director = browse(stage.actor(stage.tree.province, Role.ADMINISTRATOR))
    wanted = [
        (own, reverse("form_page", args=[filing.pk, "warmth"]), (pdf, page)),
        (own, reverse("report_page", args=[filing.pk]), (reverse("report_draft", args=[filing.pk]),)),
        (reviewer, reverse("review_page", args=[filing.pk]), (f"{pdf}?round={number(filing)}",)),
        (reviewer, reverse("history", args=[filing.pk]), (f"{pdf}?round=1", page, reverse("check_code"))),
        (
            director,
            reverse("summary", args=[summary.pk, "warmth"]),
            (reverse("summary_pdf", args=[summary.pk]), reverse("summary_report", args=[summary.pk])),
        ),
        (
            director,
            reverse("summaries", args=[stage.campaign.pk]),
            (reverse("summary_pdf", args=[summary.pk]),),
        ),
    ]
    for client, address, links in wanted:
        shown = client.get(address).content.decode()
        for link in links:
            assert f'href="{link}"' in shown, (address, link)


def test_the_history_costs_the_same_for_two_rounds_and_for_five(stage: Stage, browse: Browse) -> None:
    filing = stage.returned(stage.tree.harbin)
    address = reverse("history", args=[filing.pk])
    costs = []
    for rounds in (2, 5):
        while number(stage.filing(stage.tree.harbin)) < rounds:
            stage.returned(stage.tree.harbin)
        client = browse(stage.reviewer(stage.tree.harbin))
        with CaptureQueriesContext(connection) as queries:
            client.get(address)
        costs.append(len(queries))
    assert costs[0] == costs[1]
