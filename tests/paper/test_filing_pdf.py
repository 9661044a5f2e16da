"""A filing on paper: every figure in its row, no row cut or lost, the code that ties it to the figures."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from reporting.copies import Copy, current_copy, draft_copy, rounds_at_hand, sealed_copy
from reporting.filling import working_row
from reporting.models import Filing
from reporting.paper import printing
from reporting.paper.code import code_typed, qr_of_round, short_code
from reporting.paper.printing import filing_pdf
from reporting.sheets import sheets_for
from tests.aggregation.sealed import Province, made
from tests.paper.printing import fonts_of, pages_of
from tests.workflow.stage import Stage
from unions.models import Union

HEAD = re.compile(r"序号\s+代码\s+项目\s+单位\s+数字")


def sealed(province: Province) -> Filing:
    """第1市, with both its counties in its total."""
    random = Random(4)
    city = province.cities[0]
    for union in (*province.counties[city.code], city):
        filing = province.approve(union, made(province.campaign, random, 9_999_999))
    return Filing.objects.select_related("union", "campaign").get(pk=filing.pk)


@pytest.fixture
def context(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the template is given, without drawing it."""
    caught: dict[str, Any] = {}

    def catch(template: str, given: dict[str, Any]) -> bytes:
        caught.update(given)
        return b""

    monkeypatch.setattr(printing.pdf, "render", catch)
    return caught


def test_every_figure_stands_in_its_row_on_whole_rows(province: Province, tmp_path: Path) -> None:
    copy = current_copy(sealed(province))
    content = filing_pdf(copy)
    assert content == filing_pdf(current_copy(Filing.objects.get(pk=copy.filing.pk)))  # the same bytes
    pages = pages_of(content, tmp_path)
    lines = [line for page in pages for line in page.splitlines()]
    at = 0
    for sheet in copy.sheets:
        for row in sheet.rows:
            figure = copy.text(sheet, row.code)
            # Code, unit and figure in one line of one page, in printed order: nothing lost, doubled or cut.
            pattern = rf"(^|\s){row.printed_code}\s(.*\s)?{row.unit}\s+{re.escape(figure)}$"
            found = [n for n, line in enumerate(lines[at:], at) if re.search(pattern, line.rstrip())]
            assert found, (sheet.slug, row.code, figure)
            at = found[0] + 1
    assert all(len(HEAD.findall(page)) == 1 for page in pages)
    assert not [page for page in pages if re.search(HEAD.pattern + r"\s+\S+\s+（同上）", page)]
    assert [re.findall(r"第\s*(\d+)\s*页\s*共\s*(\d+)\s*页", page) for page in pages] == [
        [(str(n), str(len(pages)))] for n in range(1, len(pages) + 1)
    ]
    round_ = copy.round
    assert round_ is not None
    assert all(short_code(round_.digest) in page for page in pages)
    # Who reads page 2 alone knows whose it is.
    assert all("第1市总工会" in page for page in pages)
    assert "草" not in "".join(pages)
    assert "第1市第1区总工会（第 1 轮）、第1市第2区总工会（第 1 轮）" in pages[-1].replace("\n", "")


def test_typefaces_are_inside_and_none_is_japanese(stage: Stage, tmp_path: Path) -> None:
    fonts = fonts_of(filing_pdf(current_copy(stage.submitted(stage.tree.harbin))), tmp_path)
    assert len(fonts) >= 3
    for font in fonts:
        assert "CJK-SC" in font[0]
        assert font[-5:-2] == ["yes", "yes", "yes"], font


def test_a_draft_says_so_across_every_page_and_has_no_code(stage: Stage, tmp_path: Path) -> None:
    filing = stage.ready(stage.tree.harbin, warmth_E1=31)
    pages = pages_of(filing_pdf(current_copy(filing)), tmp_path)
    for page in pages:
        # Once across the page and once at its foot.
        assert page.count("草") == page.count("稿") == 2
        assert "校验码" not in page
    assert re.search(r"E1\s.*落实民生政策\s+人次\s+31", "".join(pages))


def test_every_process_makes_the_same_bytes() -> None:
    """Whatever order Python's sets take: a stamped file can be compared with a new one."""
    program = (
        "import datetime, hashlib, django; django.setup()\n"
        "from reporting.paper import pdf\n"
        "from reporting.paper.printing import Form, _groups, qr_picture\n"
        "from reporting.sheets import plain_sheets\n"
        "forms = [Form(s.form.attachment, s.title, _groups(s.rows, lambda code: '12'), ['注']) for s in plain_sheets()]\n"
        "at = datetime.datetime(2021, 1, 20, tzinfo=datetime.UTC)\n"
        "made = pdf.render('reporting/paper/filing.html', {'forms': forms, 'made_at': at, 'title': '表', 'code': 'ab',\n"
        "                  'qr': qr_picture('SWN/1'), 'union': '单位', 'is_draft': False})\n"
        "print(hashlib.sha256(made).hexdigest())\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_the_qr_code_names_union_year_round_and_digest(province: Province, context: dict[str, Any]) -> None:
    filing = sealed(province)
    round_ = rounds_at_hand().get(pk=filing.current_round_id)
    text = qr_of_round(round_)
    assert text == f"SWN/2021/230100/1/{round_.digest.upper()}"
    assert code_typed(text) == round_.digest
    filing_pdf(sealed_copy(round_))
    assert context["qr"] == printing.qr_picture(text)
    assert context["code"] == short_code(round_.digest)


@pytest.mark.parametrize(
    "typed",
    ["3f2a91bc0d4e77aa", " 3f2a 91bc 0d4e 77aa ", "3F2A-91BC-0D4E-77AA", "３ｆ２ａ　９１ｂｃ　0d4e77aa"],
)
def test_a_code_is_read_however_it_is_typed(typed: str) -> None:
    assert code_typed(typed) == "3f2a91bc0d4e77aa"


def cells(context: dict[str, Any], number: int) -> dict[str, str]:
    return {line.row.code: line.text for group in context["forms"][number].groups for line in group}


def test_a_sealed_round_is_printed_as_it_was_sealed(stage: Stage, context: dict[str, Any]) -> None:
    filing = stage.submitted(stage.tree.harbin, warmth_E1=5)
    row = working_row(filing, "warmth")
    row.E1 = 99
    row.save()
    Union.objects.filter(pk=filing.union_id).update(name="改过名的工会")
    filing_pdf(current_copy(stage.filing(Union.objects.get(pk=filing.union_id))))
    assert cells(context, 0)["E1"] == "5"
    assert context["union"] == "哈尔滨市总工会"
    assert f"{stage.submitter(stage.tree.harbin).person.name}上报" in context["foot"]
    assert (context["filler"], context["filled_on"]) == ("哈尔滨填报员甲", "2021年1月20日")


def test_an_older_round_keeps_its_own_figures(stage: Stage) -> None:
    filing = stage.returned(stage.tree.harbin, warmth_E1=5)
    first = rounds_at_hand().get(filing=filing, number=1)
    stage.submitted(stage.tree.harbin, warmth_E1=6)
    assert sealed_copy(first).figures["warmth"]["E1"] == 5
    assert current_copy(stage.filing(stage.tree.harbin)).figures["warmth"]["E1"] == 6


def test_a_draft_shows_what_would_be_sealed_and_what_is_no_figure(
    stage: Stage, context: dict[str, Any]
) -> None:
    stage.approved(stage.tree.nangang, warmth_E1=7)
    filing = stage.ready(stage.tree.harbin, warmth_E1=5)
    row = working_row(filing, "warmth")
    row.invalid = {"B": "十二家"}
    row.B = None
    row.save()
    copy = draft_copy(filing)
    filing_pdf(copy)
    assert cells(context, 0)["E1"] == "12"
    assert cells(context, 0)["B"] == "十二家"
    assert [(part.name, part.round) for part in copy.includes] == [("哈尔滨市南岗区总工会", 1)]
    assert "哈尔滨市南岗区总工会<span" in context["forms"][0].notes[-1]


def test_the_rows_are_the_sheets_of_the_campaign(stage: Stage, context: dict[str, Any]) -> None:
    filing = stage.submitted(stage.tree.harbin)
    filing_pdf(current_copy(filing))
    for form, sheet in zip(context["forms"], sheets_for(stage.campaign), strict=True):
        assert [line.row for group in form.groups for line in group] == list(sheet.rows)
        together = {group[0].row.code: len(group) for group in form.groups}
        pairs = {"C": 2, "C1": 2, "C11": 2} if sheet.slug == "warmth" else {"F": 2, "F1": 2, "F7": 2}
        assert together.items() >= (pairs | {"A": 1, "A1": 1, "E1": 1}).items()


def test_a_copy_costs_the_same_for_two_counties_as_for_twenty(
    django_assert_max_num_queries: Any, province: Province
) -> None:
    filing = sealed(province)
    with django_assert_max_num_queries(4):  # the round, a query a form, the names of the parts
        copy: Copy = current_copy(filing)
        assert copy.submitter and copy.includes
