"""“（同上）” is said of the row above on paper: no row that is switched off may give it another meaning."""

from __future__ import annotations

import pytest

from reporting.models import SheetRow
from reporting.registry import get_form
from reporting.sheets import build_sheet

WARMTH = get_form("warmth")
MONEY_OF_C6 = "重大灾害期间坚守抗灾一线的职工：发放款物"


def sheet(**changed: str | None):
    """`C6=None` is switched off, `C5="…"` relabelled."""
    overrides = {
        code: SheetRow(code=code, label=label or "", is_off=label is None) for code, label in changed.items()
    }
    return build_sheet(WARMTH, 2020, overrides)


def test_with_every_row_in_use_labels_are_as_printed():
    rows = sheet().row
    assert (rows["D6"].label, rows["D6"].full_label) == ("（同上）发放款物", MONEY_OF_C6)
    assert rows["D"].label == rows["D"].full_label == "走访慰问职工总数：发放款物"


@pytest.mark.parametrize("off", [["C6"], ["C6", "D5"], ["C6", "C5", "D5"]])
def test_the_second_row_of_half_a_pair_says_whole_whose_money_it_is(off: list[str]):
    rows = sheet(**dict.fromkeys(off)).row
    assert rows["D6"].label == rows["D6"].full_label == MONEY_OF_C6
    assert rows["D7"].label == "（同上）发放款物", "the next pair is whole"


def test_another_row_switched_off_between_pairs_leaves_the_group():
    rows = sheet(D5=None).row
    assert (rows["D6"].label, rows["D6"].full_label) == ("（同上）发放款物", MONEY_OF_C6)


@pytest.mark.parametrize(
    ("words", "whole"),
    [("下岗职工：慰问对象", "下岗职工：发放款物"), ("下岗职工", "下岗职工：发放款物")],
)
def test_a_relabelled_row_passes_its_words_on(words: str, whole: str):
    rows = sheet(C1=words).row
    assert (rows["D1"].label, rows["D1"].full_label) == ("（同上）发放款物", whole)


def test_a_row_with_words_of_its_own_keeps_them():
    rows = sheet(C1=None, D1="下岗职工慰问金").row
    assert rows["D1"].label == rows["D1"].full_label == "下岗职工慰问金"
