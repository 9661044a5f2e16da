"""我的工作: whoever lands there sees what attachment 3 asks of them, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from delegations import proposals
from tests.delegations.stage import PlanStage


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("liaison", ["第1慰问组", "编制计划", "走访单位 2 个，走访对象 10 个"]),
        ("leader", ["第1慰问组", "查看"]),
        ("host", ["第1慰问组来访", "1月5日", "可以建议走访对象"]),
        ("outsider", ["第2慰问组来访"]),
    ],
)
def test_the_work_page_tells_of_ones_delegation(
    plan: PlanStage, browse: Any, who: str, seen: list[str]
) -> None:
    page = browse(getattr(plan, who)).get(reverse("my_work")).content.decode()
    assert [words for words in seen if words not in page] == []
    other = "第2慰问组" if who != "outsider" else "第1慰问组"
    assert other not in page


def test_proposals_and_records_are_counted(plan: PlanStage, browse: Any) -> None:
    proposals.propose(
        destination=plan.harbin,
        kind="on_site",
        category="craftsman",
        name="演示工匠",
        why="坚守生产一线",
        by=plan.host,
    )
    page = browse(plan.liaison).get(reverse("my_work")).content.decode()
    assert "当地建议 1 条待答复" in page and "走访对象 10 个" in page
    plan.lock()
    page = browse(plan.liaison).get(reverse("my_work")).content.decode()
    assert "已填记录 0 个" in page and "填写记录" in page


def test_those_without_a_part_in_it_see_no_card(plan: PlanStage, browse: Any) -> None:
    for who in (plan.office, plan.reader):
        assert "编制计划" not in browse(who).get(reverse("my_work")).content.decode()
