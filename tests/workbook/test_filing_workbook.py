"""A union's workbook: what may be typed, what is computed beside it, and rules that say what the server says."""

from __future__ import annotations

import datetime
import io
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from openpyxl import Workbook, load_workbook

from reporting.fields import MoneyField, YesNoField
from reporting.models import Filing
from reporting.rules import HARD, QUERY, check_figures
from reporting.sheets import Sheet, sheets_for
from reporting.workbooks.checks import FIRST_CHECK, RESULT_COLUMN
from reporting.workbooks.filing import CHECKS_SHEET, MARK_SHEET, Mark, filing_workbook, tab_title
from tests.workbook.office import Office
from tests.workflow.stage import Stage, make_stage
from unions.gate import Role
from unions.models import Union

MADE_AT = datetime.datetime(2021, 1, 20, 10, tzinfo=datetime.UTC)
FIGURE = 5
Case = dict[str, dict[str, int | None]]  # slug → code → figure, money in 分


@pytest.fixture
def stage(db: None) -> Stage:
    return make_stage()


def made(stage: Stage, figures: Case | None = None) -> bytes:
    return filing_workbook(
        campaign=stage.campaign,
        union=stage.tree.harbin,
        sheets=sheets_for(stage.campaign),
        figures=figures or {},
        head={"filler_name": "填报员甲", "filler_phone": "0451-1", "filled_on": "2021-01-20"},
        made_at=MADE_AT,
    )


def opened(content: bytes) -> Workbook:
    return load_workbook(io.BytesIO(content))


def lines(book: Workbook, sheet: Sheet) -> dict[str, int]:
    """Every row in printed order below the table's head, found by its label."""
    page = book[tab_title(sheet)]
    head = next(r for r in range(1, 20) if page.cell(r, 3).value == "项目")
    return {row.code: head + n for n, row in enumerate(sheet.rows, 1)}


def drafts(sheet: Sheet) -> list[dict[str, int | None]]:
    """Consistent, broken everywhere, half blank, wholly blank."""
    random = Random(sheet.slug)

    def some(code: str) -> int:
        field = sheet.fields[code]
        if isinstance(field, YesNoField):
            return random.randint(0, 1)
        return random.choice([0, 1, 7, 1200]) * (1 if not isinstance(field, MoneyField) else 333_333)

    broken: dict[str, int | None] = {code: some(code) for code in sheet.fields}
    consistent = dict(broken)
    for code in sheet.form.totals_inside_out():
        if code in sheet.fields:
            consistent[code] = sum(consistent[part] or 0 for part in sheet.row[code].parts)
    half = {code: figure if random.random() < 0.5 else None for code, figure in broken.items()}
    return [consistent, broken, half, dict.fromkeys(sheet.fields)]


def test_only_figures_and_the_head_are_unlocked(stage: Stage) -> None:
    book = opened(made(stage))
    for sheet in sheets_for(stage.campaign):
        page = book[tab_title(sheet)]
        assert page.protection.sheet
        open_cells = {c.coordinate for row in page.iter_rows() for c in row if not c.protection.locked}
        figures = {f"E{line}" for line in lines(book, sheet).values()}
        assert open_cells == figures | {"E4", "C5", "E5"}
        validated = {str(v.sqref) for v in page.data_validations.dataValidation}
        assert validated == figures


def test_the_layout_is_the_notices(stage: Stage) -> None:
    book = opened(made(stage))
    assert book.sheetnames[-2:] == [CHECKS_SHEET, MARK_SHEET]
    assert book[MARK_SHEET].sheet_state == "veryHidden"
    for sheet in sheets_for(stage.campaign):
        page = book[tab_title(sheet)]
        for row in sheet.rows:
            line = lines(book, sheet)[row.code]
            assert (page.cell(line, 2).value or "", page.cell(line, 3).value, page.cell(line, 4).value) == (
                row.printed_code,
                row.label,
                row.unit,
            )


def test_the_mark_binds_and_a_changed_one_is_none(stage: Stage) -> None:
    text = opened(made(stage))[MARK_SHEET]["A2"].value
    mark = Mark.read(text)
    assert mark is not None
    assert (mark.union, mark.year) == (stage.tree.harbin.code, 2021)
    assert mark.digests == {sheet.slug: sheet.digest for sheet in sheets_for(stage.campaign)}
    assert Mark.read(text[:-1] + ("A" if text[-1] != "A" else "B")) is None
    assert Mark.read("") is None


def test_the_same_content_gives_the_same_bytes(stage: Stage) -> None:
    assert made(stage) == made(stage)


def results(stage: Stage, case: Case) -> tuple[list[str], str]:
    """What the checks page must say of these figures by the rules themselves: line by line, and the count above."""
    told, broken = [], {HARD: 0, QUERY: 0}
    for sheet in sheets_for(stage.campaign):
        figures = case[sheet.slug]
        problems = check_figures(sheet.rules, sheet.fields, figures, stage.tree.harbin.kind)
        sentences = {problem.rule: problem.message for problem in problems}
        for rule in sheet.rules:
            is_blank = all(figures[code] is None for code in rule.cells)
            told.append(sentences.get(rule.id, "未填" if is_blank else "满足"))
            broken[rule.level] += rule.id in sentences
    return told, f"未满足：强制 {broken[HARD]} 条，核实 {broken[QUERY]} 条"


def results_in(book: Workbook) -> tuple[list[str], str]:
    page = book[CHECKS_SHEET]
    told = [page.cell(line, RESULT_COLUMN).value for line in range(FIRST_CHECK, page.max_row + 1)]
    return told, page.cell(FIRST_CHECK - 2, RESULT_COLUMN).value


def cases(stage: Stage) -> list[Case]:
    sheets = sheets_for(stage.campaign)
    return [
        dict(zip((s.slug for s in sheets), case, strict=True))
        for case in zip(*map(drafts, sheets), strict=True)
    ]


def test_in_libreoffice_every_rule_says_what_the_server_says(stage: Stage, tmp_path: Path) -> None:
    """Typed into the blank template and calculated there, compared sentence by sentence."""
    sheets = sheets_for(stage.campaign)
    blank = tmp_path / "blank.xlsx"
    blank.write_bytes(made(stage))
    book, office = opened(made(stage)), Office(tmp_path)
    for number, case in enumerate(cases(stage)):
        office.open(blank)
        for sheet in sheets:
            for code, line in lines(book, sheet).items():
                if (figure := case[sheet.slug][code]) is not None:
                    office.type(tab_title(sheet), f"E{line}", sheet.fields[code].show(figure))
        office.save(tmp_path / f"case{number}.xlsx")
        office.close()
    office.work()
    told = 0
    for number, case in enumerate(cases(stage)):
        wanted = results(stage, case)
        assert results_in(load_workbook(tmp_path / f"case{number}.xlsx", data_only=True)) == wanted
        told += sum(sentence not in ("满足", "未填") for sentence in wanted[0])
    assert told > 20


def test_results_stand_in_the_file_for_those_who_cannot_calculate(stage: Stage) -> None:
    """A preview on a telephone shows what LibreOffice would calculate, sums and sentences."""
    for case in cases(stage):
        book = load_workbook(io.BytesIO(made(stage, case)), data_only=True)
        assert results_in(book) == results(stage, case)
        for sheet in sheets_for(stage.campaign):
            for row in sheet.rows:
                if row.parts:
                    total = sum(case[sheet.slug][part] or 0 for part in row.parts)
                    shown = book[tab_title(sheet)].cell(lines(book, sheet)[row.code], FIGURE + 1).value
                    assert sheet.fields[row.code].parse(str(shown)) == total


def test_every_rule_is_told_in_words_that_name_its_cells(stage: Stage) -> None:
    page = opened(made(stage))[CHECKS_SHEET]
    line = FIRST_CHECK - 1
    told = set()
    for sheet in sheets_for(stage.campaign):
        for rule in sheet.rules:
            line += 1
            words = page.cell(line, 4).value
            told.add((sheet.slug, words))
            assert "应" in words
            assert "{" not in words
            for code in rule.cells:
                assert re.search(rf"\b{code}\b", words), (rule.id, words)
    assert len(told) == line - FIRST_CHECK + 1, "no two rules say the same"


def test_a_text_pasted_where_a_number_belongs_turns_red(stage: Stage) -> None:
    """Validation looks at what is typed only."""
    book = opened(made(stage))
    for sheet in sheets_for(stage.campaign):
        page = book[tab_title(sheet)]
        warned = {
            cell
            for area in page.conditional_formatting
            for rule in area.rules
            if rule.formula[0].startswith("ISTEXT")
            for cell in str(area.sqref).split()
        }
        numbers = {c for c, field in sheet.fields.items() if not isinstance(field, YesNoField)}
        assert len(warned) == len(numbers)


# -- over the web ------------------------------------------------------------------------------------------


def got(stage: Stage, role: Role, filing: Filing, name: str, union: Union | None = None) -> Any:
    client = Client()
    client.force_login(stage.actor(union or filing.union, role).person)
    return client.get(reverse(name, args=[filing.pk]))


def figure_of(stage: Stage, answer: Any, slug: str, code: str) -> Any:
    book = opened(answer.content)
    sheet = next(s for s in sheets_for(stage.campaign) if s.slug == slug)
    return book[tab_title(sheet)].cell(lines(book, sheet)[code], FIGURE).value


def test_a_draft_is_taken_away_by_its_own_people_only(stage: Stage) -> None:
    filing = stage.ready(stage.tree.harbin, warmth_E1=5)
    assert figure_of(stage, got(stage, Role.FILLER, filing, "filing_workbook"), "warmth", "E") == 5
    assert got(stage, Role.REVIEWER, filing, "filing_workbook", stage.tree.province).status_code == 404


def test_the_level_above_takes_what_was_submitted_with_its_subordinates(stage: Stage) -> None:
    stage.approved(stage.tree.nangang, warmth_E1=7)
    filing = stage.submitted(stage.tree.harbin, warmth_E1=5)
    answer = got(stage, Role.REVIEWER, filing, "filing_workbook", stage.tree.province)
    assert figure_of(stage, answer, "warmth", "E") == 12
    # Nothing of it is to be filled in any more; it can be signed.
    for sheet in sheets_for(stage.campaign):
        page = opened(answer.content)[tab_title(sheet)]
        assert all(cell.protection.locked for row in page.iter_rows() for cell in row)
        told = [str(cell.value) for row in page.iter_rows() for cell in row]
        assert "负责人（签字）：" in told and not [text for text in told if "只填" in text]


def test_a_blank_template_holds_nobodys_figures(stage: Stage) -> None:
    filing = stage.ready(stage.tree.harbin, warmth_E1=5)
    assert figure_of(stage, got(stage, Role.FILLER, filing, "filing_template"), "warmth", "E1") is None


def test_the_command_writes_a_template_and_says_what_it_cannot(stage: Stage, tmp_path: Path) -> None:
    call_command("write_template", "哈尔滨", str(tmp_path / "a.xlsx"), stdout=io.StringIO())
    mark = Mark.read(load_workbook(tmp_path / "a.xlsx")[MARK_SHEET]["A2"].value)
    assert mark is not None and mark.union == stage.tree.harbin.code
    with pytest.raises(CommandError, match="没有单位叫“哈尔宾”"):
        call_command("write_template", "哈尔宾", str(tmp_path / "b.xlsx"))
