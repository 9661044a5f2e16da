"""import(export(x)) = x, for every form and whatever the figures."""

from __future__ import annotations

import datetime
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reporting.fields import MAX_COUNT, MoneyField, YesNoField
from reporting.filling import working_row
from reporting.incoming import imports
from reporting.sheets import sheets_for
from reporting.workbooks.filing import filing_workbook
from tests.workflow.stage import Stage, make_stage
from unions.gate import Role

MADE_AT = datetime.datetime(2021, 1, 20, 10, tzinfo=datetime.UTC)


@pytest.fixture
def stage(db: None) -> Stage:
    return make_stage()


def some_figures(sheet):
    """Blank, zero, small, and as large as fifteen digits of a spreadsheet can tell exactly."""
    kinds = {}
    for code, field in sheet.fields.items():
        if isinstance(field, YesNoField):
            figures = st.sampled_from([None, 0, 1])
        elif isinstance(field, MoneyField):
            figures = st.none() | st.integers(0, 10**15 - 1)
        else:
            figures = st.none() | st.integers(0, MAX_COUNT)
        kinds[code] = figures
    return st.fixed_dictionaries(kinds)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_was_exported_is_understood_to_the_last_digit(stage: Stage, data: st.DataObject) -> None:
    sheets = sheets_for(stage.campaign)
    figures = {sheet.slug: data.draw(some_figures(sheet)) for sheet in sheets}
    content = filing_workbook(
        campaign=stage.campaign,
        union=stage.tree.harbin,
        sheets=sheets,
        figures=figures,
        head={"filler_name": "填报员甲", "filler_phone": "0451-1", "filled_on": "2021-01-20"},
        made_at=MADE_AT,
    )
    read = imports.understand(
        io.BytesIO(content), "报表.xlsx", campaigns=[stage.campaign], unions=[stage.tree.harbin]
    )
    assert read.union == stage.tree.harbin
    for form in read.forms:
        fields = form.sheet.fields
        wanted = {c: fields[c].show(f) for c, f in figures[form.sheet.slug].items() if f is not None}
        assert form.texts == wanted
        assert form.notes == []
        assert form.head == {"filler_name": "填报员甲", "filler_phone": "0451-1", "filled_on": "2021-01-20"}
    assert len(read.forms) == len(sheets)


def test_confirmed_it_stands_in_the_draft_and_nothing_before(stage: Stage) -> None:
    sheets = sheets_for(stage.campaign)
    figures = {sheet.slug: dict.fromkeys(sheet.fields, 0) for sheet in sheets}
    figures["warmth"] |= {"E1": 5, "E": 5}
    content = filing_workbook(
        campaign=stage.campaign,
        union=stage.tree.harbin,
        sheets=sheets,
        figures=figures,
        head={},
        made_at=MADE_AT,
    )
    filing, filler = stage.filing(stage.tree.harbin), stage.actor(stage.tree.harbin, Role.FILLER)
    kept = imports.prepare(filing=filing, file=io.BytesIO(content), name="报表.xlsx", by=filler)
    assert working_row(filing, "warmth").E1 is None
    shown = {d.code: (d.old, d.new) for d in imports.preview(kept)[0].differences}
    assert shown["E1"] == ("", "5")
    imports.confirm(kept=kept, by=filler)
    row = working_row(filing, "warmth")
    assert (row.E1, row.E) == (5, 5)
