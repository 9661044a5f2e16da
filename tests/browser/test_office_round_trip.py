"""A union at work in an office program: the blank template from the page, filled in, saved, uploaded, confirmed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from openpyxl import Workbook, load_workbook
from playwright.sync_api import Page, expect

from reporting.fields import MoneyField
from reporting.filling import head_text, working_row
from reporting.reading.intake import read_workbook
from reporting.reading.recognition import recognise
from reporting.sheets import Sheet, sheets_for
from reporting.workbooks.filing import Mark, tab_title
from tests.workbook.office import Office
from tests.workbook.test_filing_workbook import Case, lines, results, results_in
from tests.workbooks.case import whole_figures
from tests.workflow.stage import Stage, make_stage
from unions.gate import Role

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HEAD = {
    "filled_on": ("E4", "2021-01-20"),
    "filler_name": ("C5", "填报员甲"),
    "filler_phone": ("E5", "0451-1"),
}
RED, AMBER = "#F6CFCB", "#FBE7B2"
# Form → code → [old, new], as the page shows them.
DIFFERENCES = """() => Object.fromEntries([...document.querySelectorAll(".import-form")].map((form) => {
  const rows = [...form.querySelectorAll(".differences tbody tr")];
  const texts = (row) => [".code", ".old", ".new"].map((part) => row.querySelector(part).textContent.trim());
  const cells = rows.map(texts).map(([code, ...both]) => [code, both]);
  return [form.querySelector("h2").textContent, Object.fromEntries(cells)];
}))"""


def with_mistakes(consistent: Case) -> Case:
    """Money to the 分, a yes turned into a no, a total one 分 off and others far off, two cells left blank."""
    figures = {slug: dict(of) for slug, of in consistent.items()}
    warmth, helpcenter = figures["warmth"], figures["helpcenter"]
    warmth |= {"A1": 1_234_567_890_123, "C1": 0, "D1": 30_000_000_001, "E1": None, "F": 1}
    warmth["A"] = sum(warmth[f"A{n}"] or 0 for n in range(1, 6)) + 1
    helpcenter |= {"I": 0, "J": 1, "L": None, "B13": 77}
    return figures


def fill_in(blank: Path, cases: dict[str, Case], sheets: list[Sheet]) -> dict[str, tuple[Workbook, str]]:
    """Types each case, saves it as that kind of file; what it shows when it is opened again, and in which colours."""
    folder = blank.parent
    book, office = load_workbook(blank), Office(folder)
    for kind, case in cases.items():
        office.open(blank)
        for sheet in sheets:
            page, at = tab_title(sheet), lines(book, sheet)
            for cell, text in HEAD.values():
                office.type(page, cell, text)
            for code, figure in case[sheet.slug].items():
                if figure is not None:
                    office.type(page, f"E{at[code]}", sheet.fields[code].show(figure))
            office.type(page, "C10", "改了项目")  # locked: stays as it is
        office.save(folder / f"报表.{kind}")
        office.close()
        office.open(folder / f"报表.{kind}")
        office.recalculate()
        office.save(folder / f"{kind}-again.xlsx")
        office.save(folder / f"{kind}-again.html")
        office.close()
    office.work()
    return {
        kind: (
            load_workbook(folder / f"{kind}-again.xlsx", data_only=True),
            (folder / f"{kind}-again.html").read_text(),
        )
        for kind in cases
    }


def coloured(html: str, colour: str) -> list[float | None]:
    """The numbers in the cells that LibreOffice shows in a colour; None for a text."""
    cells = re.findall(rf'<td[^>]*bgcolor="{colour}"[^>]*>', html, re.I)
    return [float(found[1]) if (found := re.search(r'sdval="([^"]*)"', cell)) else None for cell in cells]


def differing_totals(case: Case, sheets: list[Sheet]) -> list[float]:
    """Typed total and computed sum, wherever they are not the same."""
    found = []
    for sheet in sheets:
        for row in sheet.rows:
            typed, of = case[sheet.slug][row.code], [case[sheet.slug][part] or 0 for part in row.parts]
            if of and typed is not None and typed != sum(of):
                scale = 1_000_000 if isinstance(sheet.fields[row.code], MoneyField) else 1
                found += [typed / scale, sum(of) / scale]
    return found


@pytest.fixture
def stage(live_server: Any) -> Stage:
    return make_stage()


def test_a_template_filled_in_by_libreoffice_ends_in_the_draft(
    stage: Stage, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    """First as .xlsx with everything in order, then as .xls with what goes wrong."""
    harbin, sheets = stage.tree.harbin, list(sheets_for(stage.campaign))
    filing, filler = stage.filing(harbin), stage.actor(harbin, Role.FILLER)
    address = reverse("filing_import", args=[filing.pk])
    page = open_page(filler.person, address)
    with page.expect_download() as download:
        page.get_by_role("link", name="空白模板").click()
    blank = tmp_path / "空白.xlsx"
    download.value.save_as(blank)
    cases = {"xlsx": whole_figures(), "xls": with_mistakes(whole_figures())}
    saved = fill_in(blank, cases, sheets)

    stood = {sheet.slug: dict.fromkeys(sheet.fields, "") for sheet in sheets}
    for kind, case in cases.items():
        book, html = saved[kind]
        assert results_in(book) == results(stage, case), kind
        assert "改了项目" not in [book[tab_title(sheet)]["C10"].value for sheet in sheets]
        broken = differing_totals(case, sheets)
        in_red = coloured(html, RED)
        assert sorted(figure for figure in in_red if figure is not None) == pytest.approx(sorted(broken))
        count = f"未满足：强制 {in_red.count(None)} 条，核实 {len(coloured(html, AMBER))} 条"
        assert count == results(stage, case)[1], "each broken rule has its colour"
        file = tmp_path / f"报表.{kind}"
        with file.open("rb") as content:
            mark = recognise(read_workbook(content, file.name), sheets).mark
        assert mark == Mark.of(stage.campaign, harbin, sheets), kind

        # What is left blank in the file stays as it stands.
        wanted = {
            sheet.slug: {
                code: field.show(case[sheet.slug][code]) or stood[sheet.slug][code]
                for code, field in sheet.fields.items()
            }
            for sheet in sheets
        }
        page.set_input_files("#drop-file", file)
        expect(page.locator("#confirm")).to_be_visible()
        assert page.evaluate(DIFFERENCES) == {
            sheet.title: {
                code: [stood[sheet.slug][code] or "空白", text]
                for code, text in wanted[sheet.slug].items()
                if text != stood[sheet.slug][code]
            }
            for sheet in sheets
        }
        assert working_row(filing, "warmth").text("A") == stood["warmth"]["A"], "nothing is stored before"
        page.locator("#confirm").click()
        expect(page.locator(".flash.success")).to_contain_text(f"已从“报表.{kind}”填入")
        for sheet in sheets:
            row = working_row(filing, sheet.slug)
            assert {code: row.text(code) for code in sheet.fields} == wanted[sheet.slug], kind
        stood = wanted
        page.goto(f"{page.url.partition('/filings/')[0]}{address}")
    assert broken and in_red.count(None) and coloured(html, AMBER), "something was to be seen"
    filing.refresh_from_db()
    assert {name: head_text(filing, name) for name in HEAD} == {n: text for n, (_, text) in HEAD.items()}
