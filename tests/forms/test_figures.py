"""What people type, what is kept, what is shown."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from helpcenter.models import HelpCenterForm
from reporting.fields import MAX_COUNT, MAX_FEN
from warmth.models import WarmthForm

COUNT = WarmthForm.fields()["E1"]
MONEY = WarmthForm.fields()["A1"]
YES_NO = HelpCenterForm.fields()["I"]


@pytest.mark.parametrize(
    ("text", "figure"),
    [
        ("12345", 12345),
        ("１２，３４５", 12345),
        (" 12,345 ", 12345),
        ("12\u00a0345", 12345),
        ("0", 0),
        ("", None),
        ("007", 7),
        ("12.0", 12),
    ],
)
def test_a_count_is_understood_as_people_write_it(text, figure):
    assert COUNT.parse(text) == figure


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("12.5", 12_500_000),
        ("０．０００００１", 1),
        ("1,234.5", 1_234_500_000),
        (".5", 500_000),
        ("3.", 3_000_000),
        ("", None),
    ],
)
def test_money_is_understood_to_the_fen(text, fen):
    assert MONEY.parse(text) == fen


@pytest.mark.parametrize(
    "text",
    [
        "12a",
        "-1",
        "1e309",
        "1e5",
        "NaN",
        "Infinity",
        "12.5",
        "一百",
        "1\x002",
        "😀",
        "²",
        "1_000",
        str(MAX_COUNT + 1),
        "9" * 300,
        "--1",
        ".",
    ],
)
def test_what_is_no_count_is_refused_with_a_sentence(text):
    with pytest.raises(ValidationError) as refusal:
        COUNT.parse(text)
    assert refusal.value.messages[0].endswith("。")


@pytest.mark.parametrize("text", ["0.0000001", "-0.5", "10000000000", "1e3", "∞", "12元"])
def test_what_is_no_money_is_refused_with_a_sentence(text):
    with pytest.raises(ValidationError) as refusal:
        MONEY.parse(text)
    assert refusal.value.messages[0].endswith("。")


def test_yes_and_no():
    assert [YES_NO.parse(t) for t in ("是", "否", "", " 是 ")] == [1, 0, None, 1]
    with pytest.raises(ValidationError):
        YES_NO.parse("大概")


@given(st.integers(0, MAX_FEN))
def test_money_shown_is_money_typed(fen):
    assert MONEY.parse(MONEY.show(fen)) == fen
    assert MONEY.parse(MONEY.grouped(fen)) == fen


@given(st.integers(0, MAX_COUNT))
def test_a_count_shown_is_a_count_typed(figure):
    assert COUNT.parse(COUNT.grouped(figure)) == figure


@given(st.text(max_size=60))
def test_no_text_whatever_breaks_a_cell(text):
    for field in (COUNT, MONEY, YES_NO):
        try:
            field.parse(text)
        except ValidationError as refusal:
            assert refusal.messages[0]
