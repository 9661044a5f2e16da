"""The geometry of the timeline: days to per cent, nothing invisible, nothing outside unmarked."""

from __future__ import annotations

import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delegations.board.timeline import CROWDED, NARROWEST, ONE_DAY, Window, overlapping
from tests.delegations.stage import FIRST, LAST

WINDOW = Window(FIRST, LAST)  # 25 December to 11 February, 49 days
DAY = 100 / 49


def day(month: int, number: int) -> datetime.date:
    return datetime.date(2020 if month == 12 else 2021, month, number)


def test_the_window_of_the_notice_has_forty_nine_days_both_ends_inside() -> None:
    assert WINDOW.days == 49
    assert WINDOW.x(FIRST) == 0
    assert WINDOW.x(LAST + ONE_DAY) == 100


def test_a_day_is_as_wide_as_a_day() -> None:
    bar = WINDOW.bar(day(1, 1), day(1, 1))
    assert bar is not None
    assert bar.x == pytest.approx(7 * DAY) and bar.width == pytest.approx(DAY)
    assert not bar.is_clipped


def test_three_days_from_the_first_morning_to_the_last_evening() -> None:
    bar = WINDOW.bar(day(1, 5), day(1, 7))
    assert bar is not None
    assert (bar.x, bar.end) == (pytest.approx(11 * DAY), pytest.approx(14 * DAY))
    assert (bar.left, bar.span) == ("22.449%", "6.122%")


def test_the_whole_window_is_the_whole_line() -> None:
    bar = WINDOW.bar(FIRST, LAST)
    assert bar is not None
    assert (bar.x, bar.width, bar.is_clipped) == (0, 100, False)


def test_what_begins_before_the_window_is_clipped_and_marked() -> None:
    bar = WINDOW.bar(day(12, 20), day(12, 26))
    assert bar is not None
    assert (bar.x, bar.width) == (0, pytest.approx(2 * DAY))
    assert bar.starts_before and not bar.ends_after


def test_what_ends_after_the_window_is_clipped_and_marked() -> None:
    bar = WINDOW.bar(day(2, 11), day(2, 20))
    assert bar is not None
    assert (bar.x, bar.end) == (pytest.approx(48 * DAY), pytest.approx(100))
    assert bar.ends_after and not bar.starts_before


@pytest.mark.parametrize(
    ("first", "last", "x"),
    [(day(12, 1), day(12, 2), 0), (day(2, 20), day(2, 21), 100 - NARROWEST)],
)
def test_what_lies_wholly_outside_still_shows_at_its_edge(first, last, x) -> None:
    bar = WINDOW.bar(first, last)
    assert bar is not None
    assert (bar.x, bar.width) == (pytest.approx(x), NARROWEST)
    assert bar.is_clipped


@pytest.mark.parametrize("span", [(None, None), (day(1, 5), None), (None, day(1, 5)), (day(1, 6), day(1, 5))])
def test_without_two_dates_in_order_there_is_no_bar(span) -> None:
    assert WINDOW.bar(*span) is None


def test_one_day_of_a_very_long_window_can_still_be_seen() -> None:
    year = Window(day(1, 1), datetime.date(2021, 12, 31))
    for at in (year.first, day(6, 15), year.last):
        bar = year.bar(at, at)
        assert bar is not None
        assert bar.width == NARROWEST and bar.x >= 0 and bar.end <= 100


days = st.dates(datetime.date(2020, 1, 1), datetime.date(2022, 12, 31))


@given(opens=days, length=st.integers(0, 800), first=days, stay=st.integers(0, 90))
def test_every_stay_is_inside_the_line_visible_and_marked_when_it_is_cut(opens, length, first, stay) -> None:
    window = Window(opens, opens + length * ONE_DAY)
    last = first + stay * ONE_DAY
    bar = window.bar(first, last)
    assert bar is not None
    assert bar.x >= 0 and bar.end <= 100 + 1e-9 and bar.width >= NARROWEST
    assert bar.is_clipped == (first < window.first or last > window.last)
    if not bar.is_clipped and bar.width > NARROWEST:
        assert bar.width == pytest.approx(100 * (stay + 1) / window.days)


# -- the window itself -------------------------------------------------------------------------------------


def test_a_campaign_without_a_window_shows_as_far_as_the_dates_go() -> None:
    assert Window.of(None, None, [None, day(1, 9), day(1, 5)]) == Window(day(1, 5), day(1, 9))
    assert Window.of(FIRST, None, [day(1, 9)]) == Window(FIRST, day(1, 9))
    assert Window.of(FIRST, LAST, [day(1, 9)]) == WINDOW
    assert Window.of(FIRST, None) == Window(FIRST, FIRST)
    assert Window.of(None, None, [None]) is None
    assert Window.of(LAST, FIRST) is None


def test_today_is_a_noon_inside_and_nothing_outside() -> None:
    assert WINDOW.middle(FIRST) == pytest.approx(DAY / 2)
    assert WINDOW.middle(LAST) == pytest.approx(100 - DAY / 2)
    assert WINDOW.middle(FIRST - ONE_DAY) is None
    assert WINDOW.middle(LAST + ONE_DAY) is None


# -- ticks -------------------------------------------------------------------------------------------------


def test_months_begin_with_the_window_and_then_with_each_first() -> None:
    ticks = WINDOW.months()
    assert [(tick.label, tick.x) for tick in ticks] == [
        ("12月", 0),
        ("1月", pytest.approx(7 * DAY)),
        ("2月", pytest.approx(38 * DAY)),
    ]


def test_the_label_of_a_few_days_of_a_month_gives_way_to_the_next() -> None:
    ticks = Window(day(12, 30), LAST).months()
    assert [tick.label for tick in ticks] == ["", "1月", "2月"]


def test_weeks_begin_on_mondays() -> None:
    ticks = WINDOW.weeks()
    assert [tick.label for tick in ticks] == ["28", "4", "11", "18", "25", "1", "8"]
    assert ticks[0].x == pytest.approx(3 * DAY)
    assert Window(day(1, 4), day(1, 10)).weeks()[0].x == 0  # a Monday itself


def test_a_week_near_today_leaves_its_place_to_today() -> None:
    labels = [tick.label for tick in WINDOW.weeks(today=day(1, 12))]
    assert labels == ["28", "4", "", "18", "25", "1", "8"]
    assert [tick.label for tick in WINDOW.weeks(today=day(3, 1))] == [t.label for t in WINDOW.weeks()]


@given(opens=days, length=st.integers(0, 2000))
def test_ticks_are_inside_in_order_and_labels_do_not_run_into_each_other(opens, length) -> None:
    window = Window(opens, opens + length * ONE_DAY)
    for ticks in (window.months(), window.weeks()):
        places = [tick.x for tick in ticks]
        assert places == sorted(places) and all(0 <= x < 100 for x in places)
        assert len(ticks) <= 25
    labelled = [tick.x for tick in window.months() if tick.label]
    assert all(b - a >= CROWDED for a, b in pairwise(labelled))


# -- overlaps ----------------------------------------------------------------------------------------------


def test_stays_that_share_a_day_overlap_both_of_them() -> None:
    spans = [(day(1, 5), day(1, 6)), (day(1, 6), day(1, 8)), (day(1, 9), day(1, 9)), (None, day(1, 6))]
    assert overlapping(spans) == {0, 1}


def test_the_day_after_is_no_overlap_and_a_reversed_stay_none() -> None:
    assert overlapping([(day(1, 5), day(1, 6)), (day(1, 7), day(1, 8))]) == set()
    assert overlapping([(day(1, 8), day(1, 5)), (day(1, 6), day(1, 7))]) == set()


def test_a_stay_within_a_long_one_overlaps_though_another_lies_between() -> None:
    spans = [
        (day(1, 1), day(1, 20)),
        (day(1, 2), day(1, 3)),
        (day(1, 10), day(1, 11)),
        (day(1, 21), day(1, 21)),
    ]
    assert overlapping(spans) == {0, 1, 2}
