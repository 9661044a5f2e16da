"""The law of the tree: submitted and approved from the leaves up, the top holds the sum of all own figures."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reporting import workflow
from reporting.aggregation import make_summary
from reporting.assessment import assess
from reporting.campaigns import prepare_filings
from reporting.fields import YesNoField
from reporting.models import Campaign, Explanation
from reporting.sheets import sheets_for
from tests.workflow.stage import Stage, make_ready, make_stage
from unions.gate import Role
from unions.models import Union

LEAVES = ["A1", "A5", "B", "C7", "D7", "E1", "E5", "F3", "J1", "J2"]

# For every city: its own figures, and those of its counties.
figures = st.fixed_dictionaries({code: st.integers(0, 10**6) for code in LEAVES})
tree = st.lists(st.tuples(figures, st.booleans(), st.lists(figures, max_size=3)), min_size=1, max_size=3)


@pytest.fixture
def stage(db):
    return make_stage()


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cities=tree, own=figures)
def test_the_top_is_the_sum_of_all_own_figures_cell_for_cell(stage: Stage, cities, own):
    campaign = fresh_campaign(stage)
    expected = {code: 0 for code in LEAVES}
    anybody = False

    def through(union, numbers, yes=False):
        nonlocal anybody
        filing = campaign.filings.select_related("union", "campaign").get(union=union)
        filing = make_ready(
            filing,
            stage.actor(union, Role.FILLER),
            helpcenter_I=int(yes),
            **{f"warmth_{code}": n for code, n in numbers.items()},
        )
        explain_all(filing, stage.actor(union, Role.FILLER))
        workflow.submit(filing=filing, by=stage.submitter(union))
        workflow.approve(filing=filing, round_number=1, by=stage.reviewer(union))
        anybody = anybody or yes
        for code, n in numbers.items():
            expected[code] += n
        filing.refresh_from_db()
        return filing

    for city_number, (city_figures, yes, counties) in enumerate(cities):
        city = city_of(stage, city_number)
        for county_number, county_figures in enumerate(counties):
            county = county_of(city, county_number)
            prepare_filings(campaign)
            through(county, county_figures)
        prepare_filings(campaign)
        filing = through(city, city_figures, yes)
        total = filing.current_round.warmthform_rows.get(scope="total")
        assert total.E1 == city_figures["E1"] + sum(county["E1"] for county in counties)
    through(stage.tree.province, own)

    summary = make_summary(campaign)
    for code in LEAVES:
        assert summary.figures["warmth"][code] == expected[code]
    assert summary.figures["warmth"]["E"] == expected["E1"] + expected["E5"]
    assert summary.figures["helpcenter"]["I"] == int(anybody)
    for sheet in sheets_for(campaign):
        assert set(summary.figures[sheet.slug]) == set(sheet.fields)
        assert any(isinstance(field, YesNoField) for field in sheet.fields.values()) == (
            sheet.slug == "helpcenter"
        )


def explain_all(filing, by):
    """Random figures look odd; here only their sums matter."""
    Explanation.objects.bulk_create(
        Explanation(
            filing=filing,
            form=form.sheet.slug,
            rule=p.rule,
            digest=p.digest,
            text="随机数据，已核对",
            by=by.person,
        )
        for form in assess(filing).forms
        for p in form.unexplained
    )


def fresh_campaign(stage: Stage) -> Campaign:
    last = Campaign.objects.all()[0]
    campaign = Campaign.objects.create(
        title=f"{last.year + 1}年元旦春节送温暖活动",
        notice_number="试",
        year=last.year + 1,
        data_year=last.year,
        opens_at=stage.campaign.opens_at,
        deadline=stage.campaign.deadline,
    )
    prepare_filings(campaign)
    return campaign


def city_of(stage: Stage, number: int) -> Union:
    city, _ = Union.objects.get_or_create(
        code=f"23{90 + number}00",
        defaults={
            "name": f"第{number}市总工会",
            "short_name": f"第{number}市",
            "kind": Union.Kind.CITY,
            "parent": stage.tree.province,
            "position": 50 + number,
        },
    )
    return city


def county_of(city: Union, number: int) -> Union:
    county, _ = Union.objects.get_or_create(
        code=f"{city.code[:4]}{number + 1:02d}",
        defaults={
            "name": f"{city.short_name}{number}区总工会",
            "short_name": f"{city.short_name}{number}区",
            "kind": Union.Kind.COUNTY,
            "parent": city,
            "position": number,
        },
    )
    return county
