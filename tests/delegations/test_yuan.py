"""What is typed as money, reckoned in Python. tests/browser/test_plan_page.py runs the same file in Chromium."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from delegations.money import MAX_FEN, parse_yuan, plain_yuan, show_yuan

VECTORS = json.loads((Path(__file__).parent / "yuan.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("text", "wanted"), VECTORS["parse"], ids=[f"{t[:14]!a}" for t, _ in VECTORS["parse"]]
)
def test_typed_text_becomes_whole_fen_or_is_refused_in_words(text: str, wanted: int | str | None) -> None:
    if wanted == "refused":
        with pytest.raises(ValidationError) as refused:
            parse_yuan(text)
        assert refused.value.messages[0].endswith("。")
    else:
        assert parse_yuan(text) == wanted


@pytest.mark.parametrize(("fen", "text"), VECTORS["show"])
def test_fen_are_read_as_yuan(fen: int, text: str) -> None:
    assert show_yuan(fen) == text


@given(st.integers(0, MAX_FEN))
def test_what_is_shown_is_understood_again(fen: int) -> None:
    assert parse_yuan(plain_yuan(fen)) == parse_yuan(show_yuan(fen)) == fen


def test_nothing_is_shown_where_nothing_is_filled_in() -> None:
    assert show_yuan(None) == plain_yuan(None) == ""
