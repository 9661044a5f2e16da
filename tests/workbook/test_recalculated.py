"""Every formula that we give out says, calculated by LibreOffice, what already stands beside it in the file."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from delegations.models import Delegation, FundSource, Visit
from delegations.workbook.book import load, plan_workbook
from reporting.aggregation import make_summary
from reporting.exports import EVERY_UNIT, WITH_COUNTIES, Offer
from reporting.sheets import sheets_for
from reporting.workbooks.export import export_workbook
from reporting.workbooks.filing import filing_workbook
from reporting.workbooks.summary import summary_workbook
from tests.aggregation.sealed import make_province, relabel, undone
from tests.delegations.stage import make_plan_stage
from tests.delegations.test_plan_workbook import record
from tests.paper.printing import poppler
from tests.workbook.office import Office
from tests.workbook.test_filing_workbook import drafts, made
from tests.workbook.years import the_year_before
from tests.workflow.stage import make_stage


def template() -> bytes:
    return made(make_stage())


def copy_of_a_filing() -> bytes:
    """Totals that do not add up, cells left blank."""
    stage = make_stage()
    return made(stage, {sheet.slug: drafts(sheet)[2] for sheet in sheets_for(stage.campaign)})


def largest_figures() -> bytes:
    """So large that the sums are all that fifteen digits can tell."""
    stage = make_stage()
    sheets = sheets_for(stage.campaign)
    return filing_workbook(
        campaign=stage.campaign,
        union=stage.tree.harbin,
        sheets=sheets,
        figures={s.slug: {c: _largest(f.kind) for c, f in s.fields.items()} for s in sheets},
        head={},
        made_at=stage.campaign.opens_at,
    )


def _largest(kind: str) -> int:
    return {"money": 9_999_999_999_999, "yesno": 1}.get(kind, 2_147_483_647)


def summary() -> bytes:
    """Three units in time, one late, one missing."""
    province = make_province(cities=4, counties=(2, 1))
    own = province.approve_all(seed=7, scale=1_234_567)
    province.approve(province.cities[2], own["230300"], is_late=True)
    province.unapprove(province.cities[3])
    return summary_workbook(make_summary(province.campaign))


def export() -> bytes:
    """Everything that can be chosen: counties, a sheet for each city, the year before with a row and a city less."""
    province = make_province(cities=3, counties=(2, 1))
    earlier = the_year_before(province)
    own = earlier.approve_all(seed=5, scale=999_999)
    own["230000"]["helpcenter"] |= dict.fromkeys(("L", "M"), 0)
    earlier.approve(province.root, own["230000"])
    earlier.unapprove(province.cities[1])
    make_summary(relabel(earlier.campaign, "warmth", "C6", off=True))
    province.approve_all(seed=7, scale=1_234_567)
    made_of = make_summary(province.campaign)
    offer = Offer.of(made_of)
    choice = offer.choose(
        forms=list(offer.forms), whose=EVERY_UNIT, level=WITH_COUNTIES, cities=True, compare=True
    )
    return export_workbook(made_of, choice)


def plan() -> bytes:
    """With sources whose names are operators to SUMIFS, amounts down to the 分, and some that nobody has named."""
    stage = make_plan_stage()
    record(stage)
    elsewhere = stage.at(stage.tree.outsider)
    FundSource.objects.filter(pk=stage.sources()[0].pk).update(name=">0*", ceiling=30_000_000)
    FundSource.objects.filter(pk=stage.sources()[1].pk).update(name='=cmd|"?~')
    Visit.objects.filter(kind="grassroots").update(money=1_999_999, goods=1, goods_text="米")
    Visit.objects.filter(pk=stage.visit("enterprise", elsewhere).pk).update(money=None, source=None)
    Visit.objects.filter(pk=stage.visit("on_site", elsewhere).pk).update(source=None)
    return plan_workbook(load(stage.campaign, Delegation.objects.filter(campaign=stage.campaign)))


# Workbook → how many formulas are in it at the least.
GIVEN_OUT: dict[Callable[[], bytes], int] = {
    template: 40,
    copy_of_a_filing: 40,
    largest_figures: 40,
    summary: 70,
    export: 500,
    plan: 150,
}


def without_results(content: bytes, path: Path) -> Path:
    """The same formulas with nothing beside them: whatever stands there afterwards has been calculated."""
    load_workbook(io.BytesIO(content)).save(path)
    return path


@pytest.mark.django_db
def test_every_formula_comes_to_what_the_file_says_and_every_column_is_wide_enough(tmp_path: Path) -> None:
    office, contents = Office(tmp_path), {}
    for make in GIVEN_OUT:
        with undone():
            contents[make] = make()
        given, bare = tmp_path / f"{make.__name__}.xlsx", tmp_path / f"{make.__name__}-bare.xlsx"
        given.write_bytes(contents[make])
        office.open(given)
        office.save(given.with_suffix(".pdf"))
        office.close()
        office.open(without_results(contents[make], bare))
        office.recalculate()
        office.save(tmp_path / f"{make.__name__}-calculated.xlsx")
        office.close()
    office.work()
    for make, content in contents.items():
        name = make.__name__
        formulas, said = (
            load_workbook(io.BytesIO(content)),
            load_workbook(io.BytesIO(content), data_only=True),
        )
        calculated = load_workbook(tmp_path / f"{name}-calculated.xlsx", data_only=True)
        compared = 0
        for page in formulas:
            for cell in (cell for row in page.iter_rows() for cell in row if cell.data_type == "f"):
                theirs = calculated[page.title][cell.coordinate].value
                ours = said[page.title][cell.coordinate].value
                assert same(ours, theirs), f"{name} {page.title}!{cell.coordinate} {cell.value}"
                compared += 1
        assert compared >= GIVEN_OUT[make], name
        command = [poppler("pdftotext"), str(tmp_path / f"{name}.pdf"), "-"]
        printed = subprocess.run(command, check=True, capture_output=True).stdout.decode()
        assert "合计" in printed and "###" not in printed, name


def same(ours: Any, theirs: Any) -> bool:
    """To the last of the fifteen digits that a spreadsheet knows."""
    if isinstance(ours, str) or ours is None:
        return bool(ours == theirs)
    return isinstance(theirs, int | float) and f"{ours:.15g}" == f"{theirs:.15g}"
