"""退回, 通过, 重开: what each opens, and what a sealed total above forbids."""

import pytest
from django.core.exceptions import PermissionDenied

from reporting import workflow
from reporting.errors import Refused, WrongState
from reporting.filling import Change, save_cells
from tests.cast import actor, person
from unions.gate import Role


def test_naming_cells_opens_just_them_and_the_totals_above_them(stage):
    filing = stage.returned(stage.tree.harbin, "helpcenter:B11")
    assert filing.open_cells == ["helpcenter:B", "helpcenter:B1", "helpcenter:B11"]
    saved = save_cells(
        filing=filing,
        slug="helpcenter",
        changes=[Change("B11", "0", "2"), Change("B12", "0", "3")],
        by=stage.actor(stage.tree.harbin, Role.FILLER),
    )
    assert saved.cells["B11"] == "2" and saved.cells["B"] == "2"
    assert "B12" in saved.refused and "B12" not in saved.cells
    assert filing.is_cell_open("head") and not filing.is_cell_open("report")


def test_naming_no_cells_opens_everything(stage):
    filing = stage.returned(stage.tree.harbin)
    assert filing.open_cells == []
    assert filing.is_cell_open("warmth:A1") and filing.is_cell_open("report")


def test_the_cells_of_a_return_may_be_given_as_any_iterable(stage):
    filing = stage.submitted(stage.tree.harbin)
    workflow.send_back(
        filing=filing,
        round_number=1,
        reason="请核对数据",
        cells=(name for name in ["warmth:E1"]),
        by=stage.reviewer(stage.tree.harbin),
    )
    filing.refresh_from_db()
    assert filing.open_cells == ["warmth:E", "warmth:E1"]
    assert filing.events.first().cells == ["warmth:E1"]


@pytest.mark.parametrize("reason", ["", "  ", "不对", "  错误  "])
def test_a_return_needs_a_reason(stage, reason):
    filing = stage.submitted(stage.tree.harbin)
    with pytest.raises(Refused, match="须写明原因"):
        workflow.send_back(filing=filing, round_number=1, reason=reason, by=stage.reviewer(stage.tree.harbin))


def test_a_cell_that_does_not_exist_cannot_be_opened(stage):
    filing = stage.submitted(stage.tree.harbin)
    with pytest.raises(Refused, match="没有“warmth:Z9”"):
        workflow.send_back(
            filing=filing,
            round_number=1,
            reason="请核对数据",
            cells=["warmth:Z9"],
            by=stage.reviewer(stage.tree.harbin),
        )


def test_a_county_is_not_approved_or_reopened_under_a_submitted_city(stage):
    tree = stage.tree
    county = stage.submitted(tree.nangang)
    stage.submitted(tree.harbin)
    with pytest.raises(WrongState, match="合计已封存"):
        workflow.approve(filing=county, round_number=1, by=stage.reviewer(tree.nangang))


@pytest.mark.parametrize("city", ["submitted", "approved"])
def test_a_county_is_not_reopened_while_its_city_stands(stage, city):
    tree = stage.tree
    county = stage.approved(tree.nangang)
    stage.in_state(tree.harbin, city)
    with pytest.raises(WrongState, match="合计已封存"):
        workflow.reopen(filing=county, round_number=1, reason="发现漏报", by=stage.reviewer(tree.nangang))


def test_a_county_is_reopened_once_its_city_is_returned_and_leaves_the_total(stage):
    tree = stage.tree
    county = stage.approved(tree.nangang, warmth_E1=5)
    city = stage.submitted(tree.harbin, warmth_E1=7)
    assert [c["union"] for c in city.current_round.includes] == ["230103"]
    assert city.current_round.warmthform_rows.get(scope="total").E1 == 12
    workflow.send_back(filing=city, round_number=1, reason="南岗有误", by=stage.reviewer(tree.harbin))
    workflow.reopen(filing=county, round_number=1, reason="发现漏报", by=stage.reviewer(tree.nangang))
    workflow.submit(filing=city, by=stage.submitter(tree.harbin))
    city.refresh_from_db()
    assert city.current_round.includes == []
    assert city.current_round.warmthform_rows.get(scope="total").E1 == 7


def test_the_province_never_blocks_its_cities(stage):
    tree = stage.tree
    stage.submitted(tree.province)
    city = stage.submitted(tree.harbin)
    workflow.approve(filing=city, round_number=1, by=stage.reviewer(tree.harbin))


def test_the_provinces_own_filing_needs_another_person(stage):
    province = stage.tree.province
    both = actor(person(province, Role.SUBMITTER, Role.REVIEWER), province)
    filing = stage.ready(province)
    workflow.submit(filing=filing, by=both)
    filing = stage.filing(province)
    with pytest.raises(PermissionDenied, match="以外的审核员"):
        workflow.approve(filing=filing, round_number=1, by=both)
    workflow.mark_opened(filing=filing, by=both)
    filing.refresh_from_db()
    assert filing.opened_at is None, "looking at one's own submission is no review"
    workflow.approve(filing=filing, round_number=1, by=stage.actor(province, Role.REVIEWER))


def test_a_city_reviewer_does_not_review_the_citys_own_filing(stage):
    filing = stage.submitted(stage.tree.harbin)
    with pytest.raises(PermissionDenied):
        workflow.approve(filing=filing, round_number=1, by=stage.actor(stage.tree.harbin, Role.REVIEWER))
