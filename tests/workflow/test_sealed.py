"""Sealed figures obey the hard rules in the database itself, whoever writes to it."""

import pytest
from django.db import IntegrityError, transaction

TAMPERED = {
    "a part": ("warmth", {"E1": 6}),
    "a total": ("warmth", {"E": 99}),
    "a negative figure": ("warmth", {"B": -1}),
    "a total within a total": ("helpcenter", {"B1": 3}),
    "D1 above D": ("helpcenter", {"D1": 1}),
    "a printed total emptied": ("helpcenter", {"A": None}),
    "money without the yes": ("helpcenter", {"J": 5}),
}


@pytest.mark.parametrize("what", TAMPERED)
@pytest.mark.parametrize("scope", ["own", "total"])
def test_a_sealed_row_cannot_be_made_to_break_a_hard_rule(stage, what, scope):
    slug, figures = TAMPERED[what]
    filing = stage.submitted(stage.tree.harbin, warmth_E1=5)
    rows = getattr(filing.current_round, f"{slug}form_rows").filter(scope=scope)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(**figures)


def test_a_draft_may_be_wrong(stage):
    filing = stage.ready(stage.tree.harbin)
    assert filing.warmthform_rows.filter(round=None).update(E=99) == 1


def test_a_round_has_one_row_of_each_scope(stage):
    filing = stage.submitted(stage.tree.harbin)
    row = filing.current_round.warmthform_rows.get(scope="own")
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()
