"""Sealed figures obey the hard rules in the database itself, whoever writes to it."""

import pytest
from django.db import IntegrityError, transaction

from reporting.copies import current_copy
from reporting.models import Campaign
from reporting.sheets import sheets_for
from tests.aggregation.sealed import relabel

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


def test_paper_keeps_the_words_it_was_signed_under(stage):
    """A row relabelled afterwards, even another year in the labels: the copy of the round says what it said."""
    code = next(row.code for row in sheets_for(stage.campaign)[0].rows if row.printed == "no")
    relabel(stage.campaign, "warmth", code, "原来的说法")
    stage.campaign.refresh_from_db()
    filing = stage.submitted(stage.tree.harbin)
    signed = [sheet.rows for sheet in current_copy(filing).sheets]
    assert signed[0][[row.code for row in signed[0]].index(code)].label == "原来的说法"
    relabel(stage.campaign, "warmth", code, "后来的说法")
    Campaign.objects.update(data_year=2031)
    now = stage.filing(stage.tree.harbin)
    assert [sheet.rows for sheet in current_copy(now).sheets] == signed
    assert [sheet.rows for sheet in sheets_for(now.campaign)] != signed
