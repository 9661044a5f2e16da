"""What a summary adds up, what it names, and what never changes afterwards."""

from __future__ import annotations

import pytest
from django.db.models import F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reporting.aggregation import add_up, make_summary, roll_up, rows_of_summary
from reporting.fields import MAX_COUNT, YesNoField
from reporting.models import Filing, Summary
from reporting.registry import all_forms, get_form
from reporting.sheets import sheet_for, sheets_for
from reporting.summaries import opened, sealed_sheets, unfolded, units_of
from tests.aggregation.sealed import Province, relabel, undone
from unions.models import Union

WARMTH = get_form("warmth")
FORMS = [form.slug for form in all_forms()]


def expected(form, own):
    """The total over everybody's own figures, by plain arithmetic."""
    total = {}
    for code, field in form.fields().items():
        figures = [figures[form.slug][code] for figures in own]
        total[code] = max(figures) if isinstance(field, YesNoField) else sum(figures)
    return total


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(seed=st.integers(0, 2**32), scale=st.sampled_from([0, 1, 7, 10_000, 99_999_999 // 40]))
def test_whatever_the_figures_the_tree_sums_to_the_top(province: Province, seed: int, scale: int):
    """Counties' figures come in through their cities, once; leaves, sealed totals and summary agree."""
    with undone():
        own = province.approve_all(seed, scale)
        summary = make_summary(province.campaign)
        for sheet in sheets_for(province.campaign):
            assert summary.figures[sheet.slug] == expected(sheet.form, own.values())
            levels = roll_up(sheet.form, province.campaign)
            assert levels["province"] == {province.root.pk: summary.figures[sheet.slug]}
            for row in rows_of_summary(summary, sheet):
                if not row.filing.union.is_root:
                    assert levels["city"][row.filing.union_id] == row.figures
            for counties in province.counties.values():
                for county in counties:
                    assert levels["county"][county.pk] == own[county.code][sheet.slug]


def test_sums_beyond_32_bits_and_to_the_last_fen(province: Province):
    own = province.approve_all(scale=1)
    for number, city in enumerate(province.cities):
        figures = own[city.code]
        figures["warmth"] |= {"B": MAX_COUNT // 2, "I": 10**15 + number}
        province.approve(city, figures)
    summary = make_summary(province.campaign)
    assert summary.figures["warmth"]["B"] >= 3 * (MAX_COUNT // 2)
    others = sum(own[code]["warmth"]["I"] for code in own if code not in {c.code for c in province.cities})
    assert summary.figures["warmth"]["I"] == 3 * 10**15 + 3 + others


@pytest.mark.parametrize(("answers", "total"), [((0, 0, 0), 0), ((0, 1, 0), 1), ((1, 1, 1), 1)])
def test_yes_when_anybody_says_yes(province: Province, answers: tuple[int, ...], total: int):
    own = province.approve_all(scale=0)
    for city, answer in zip(province.cities, answers, strict=True):
        figures = own[city.code]
        figures["helpcenter"] |= {"I": answer, "J": 0}
        province.approve(city, figures)
    for counties in province.counties.values():
        for county in counties:
            own[county.code]["helpcenter"] |= {"I": 0, "J": 0}
            province.approve(county, own[county.code])
    for city, answer in zip(province.cities, answers, strict=True):
        own[city.code]["helpcenter"]["I"] = answer
        province.approve(city, own[city.code])
    own[province.root.code]["helpcenter"] |= {"I": 0, "J": 0}
    province.approve(province.root, own[province.root.code])
    assert make_summary(province.campaign).figures["helpcenter"]["I"] == total


def test_the_same_input_keeps_its_number(province: Province):
    province.approve_all()
    first = make_summary(province.campaign)
    assert make_summary(province.campaign) == first
    assert Summary.objects.count() == 1


def test_a_new_round_makes_a_new_number_and_leaves_the_old_one_as_it_was(province: Province):
    own = province.approve_all()
    first = make_summary(province.campaign)
    city = province.cities[2]
    before = [unit.figures for unit in units_of(first, "warmth")]
    own[city.code]["warmth"]["B"] += 5
    province.approve(city, own[city.code])
    second = make_summary(province.campaign)
    assert (first.number, second.number) == (1, 2)
    assert second.figures["warmth"]["B"] == first.figures["warmth"]["B"] + 5
    assert [unit.figures for unit in units_of(Summary.objects.get(number=1), "warmth")] == before


def test_who_is_missing_is_named_with_the_state_of_that_day(province: Province):
    province.approve_all()
    province.unapprove(province.cities[1])
    summary = make_summary(province.campaign)
    assert summary.missing == [{"union": "230200", "name": "第2市总工会", "state": "returned"}]
    assert [entry.round.filing.union.code for entry in summary.entries.all()] == [
        "230000",
        "230100",
        "230300",
    ]
    Filing.objects.filter(union=province.cities[1]).update(state="submitted")
    assert make_summary(province.campaign) == summary, "nothing new has been approved"


def test_who_was_late_is_marked(province: Province):
    own = province.approve_all()
    province.approve(province.cities[0], own["230100"], is_late=True)
    summary = make_summary(province.campaign)
    assert [e.round.filing.union.code for e in summary.entries.filter(is_late=True)] == ["230100"]


def test_a_county_that_nobody_above_has_taken_in_does_not_count(province: Province):
    own = province.approve_all()
    before = make_summary(province.campaign).figures
    county = province.counties["230200"][0]
    own[county.code]["warmth"]["B"] += 1000
    province.approve(county, own[county.code])
    assert make_summary(province.campaign).figures == before


def test_a_row_that_is_switched_off_is_not_in_the_summary(province: Province):
    province.campaign = relabel(province.campaign, "warmth", "A5", off=True)
    own = province.approve_all()
    summary = make_summary(province.campaign)
    assert "A5" not in summary.figures["warmth"]
    assert "A5" not in {row.code for row in sealed_sheets(summary)[0].rows}
    total = summary.figures["warmth"]
    assert total["A"] == sum(total[f"A{n}"] for n in range(1, 5))
    assert total["A"] == sum(figures["warmth"]["A"] for figures in own.values())


def test_relabelling_afterwards_does_not_change_a_signed_summary(province: Province):
    province.approve_all()
    before = sealed_sheets(make_summary(province.campaign))[0].row["B"].label
    campaign = relabel(province.campaign, "warmth", "B", "走访慰问企业（户）")
    assert sheet_for(campaign, "warmth").row["B"].label == "走访慰问企业（户）"
    again = make_summary(campaign)
    assert again.number == 2, "other wording is another input"
    assert sealed_sheets(Summary.objects.get(number=1))[0].row["B"].label == before
    assert sealed_sheets(again)[0].row["B"].label == "走访慰问企业（户）"


def test_a_union_switched_off_that_never_filed_is_not_missing(province: Province):
    province.approve_all()
    idle = Union.objects.create(
        code="230400", name="第4市总工会", short_name="第4市", kind="city", parent=province.root, position=4
    )
    Filing.objects.create(campaign=province.campaign, union=idle)
    assert [unit["union"] for unit in add_up(province.campaign).missing] == ["230400"]
    Union.objects.filter(pk=idle.pk).update(is_active=False)
    Union.objects.filter(pk=province.cities[1].pk).update(is_active=False)
    province.unapprove(province.cities[1])
    missing = add_up(province.campaign).missing
    assert [unit["union"] for unit in missing] == ["230200"], "who did file takes part all the same"


def test_totals_that_are_not_the_sums_of_their_leaves_get_no_number(province: Province):
    own = province.approve_all()
    county = province.counties["230100"][0]
    filing = province.filings[county.code]
    later = {slug: dict(figures) for slug, figures in own[county.code].items()}
    later["warmth"]["B"] += 1000
    province.approve(county, later)
    province.unapprove(province.cities[1])
    make_summary(province.campaign)  # a county ahead of its city, a county without one: nothing is wrong
    rows = WARMTH._default_manager.filter(round=filing.current_round_id, scope="own")
    rows.update(B=F("B") + 1)
    province.approve(province.cities[1], own["230200"])
    with pytest.raises(ArithmeticError, match="送温暖统计表的 B "):
        make_summary(province.campaign)


def test_a_summary_of_nobody_has_no_figures(province: Province):
    added = add_up(province.campaign)
    assert set(added.figures["warmth"].values()) == {None}
    assert len(added.missing) == 4
    assert added.problems == {slug: [] for slug in FORMS}


def test_rules_run_again_on_the_totals(province: Province):
    own = province.approve_all(scale=0)
    own["230300"]["warmth"] |= {"H": 0, "I": 5}
    province.approve(province.cities[2], own["230300"])
    assert [p["rule"] for p in make_summary(province.campaign).problems["warmth"]] == ["I_without_H"]


def test_a_city_opens_into_its_own_figures_and_the_counties_it_had_taken_in(province: Province):
    own = province.approve_all()
    summary = make_summary(province.campaign)
    county = province.counties["230100"][0]
    changed = {slug: dict(figures) for slug, figures in own[county.code].items()}
    changed["warmth"]["B"] += 7
    province.approve(county, changed)  # a later round, not in the sealed total of the city
    units = units_of(summary, "warmth")
    below = opened(province.campaign, "warmth", units)[province.cities[0].pk]
    assert [unit.name for unit in below] == ["第1市总工会（本级）", "第1市第1区总工会", "第1市第2区总工会"]
    assert [unit.figures["B"] for unit in below] == [
        own[code]["warmth"]["B"] for code in ("230100", "230101", "230102")
    ]
    city = next(unit for unit in units if unit.union == province.cities[0])
    assert sum(unit.figures["B"] for unit in below) == city.figures["B"]


def test_unfolded_to_the_leaves_nothing_is_lost_and_nothing_counted_twice(province: Province):
    province.approve_all()
    summary = make_summary(province.campaign)
    lines = unfolded(province.campaign, "warmth", units_of(summary, "warmth"))
    leaves = [line for line in lines if not line.opens]
    assert sum(line.figures["E"] for line in leaves) == summary.figures["warmth"]["E"]
    assert [line.depth for line in lines] == [0, 0, 1, 1, 1, 0, 1, 1, 0]
