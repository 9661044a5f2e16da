"""What leaves the system for one filing says whose figures it holds, and comes back as nothing else."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from helpcenter.models import HelpCenterForm
from reporting.aggregation import make_summary
from reporting.clock import pinned
from reporting.copies import (
    Copy,
    blank_template,
    current_copy,
    draft_workbook,
    rounds_at_hand,
    sealed_copy,
    sealed_workbook,
)
from reporting.drafts.narrative import plain
from reporting.drafts.report import draft_document, of_copy, of_summary
from reporting.errors import Refused
from reporting.filling import Change, save_cells
from reporting.incoming import imports
from reporting.models import Filing
from reporting.paper import printing
from tests.workflow.stage import Stage
from unions.gate import Role
from unions.models import Union


def said(filing: Filing) -> str:
    draft = of_copy(current_copy(filing))
    return "".join(plain(p) for chapter in draft.chapters for p in chapter.paragraphs)


def browse(stage: Stage, filing: Filing) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(stage.actor(filing.union, Role.FILLER).person)
    return client


def test_the_provinces_own_filing_speaks_of_itself_only(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its total is the summary: on paper, in the workbook and in the report the figures are 本级."""
    stage.approved(stage.tree.harbin, warmth_E1=100)
    filing = stage.submitted(stage.tree.province, warmth_E1=7)
    assert "省总工会本级" in said(filing) and "全省" not in said(filing)
    workbook = load_workbook(io.BytesIO(sealed_workbook(current_copy(filing))))
    assert "本级（不含下级单位）" in str(workbook.worksheets[0]["A3"].value)
    given: dict[str, Any] = {}
    monkeypatch.setattr(printing.pdf, "render", lambda template, context: given.update(context) or b"")
    printing.filing_pdf(current_copy(filing))
    assert "本级（不含下级单位）" in given["subtitle"]


def test_a_city_is_told_whose_figures_are_not_in_yet(stage: Stage) -> None:
    filing = stage.ready(stage.tree.harbin)
    assert "（尚有 1 个下级单位的数没有计入）" in of_copy(current_copy(filing)).origin
    stage.approved(stage.tree.nangang)
    assert "没有计入" not in of_copy(current_copy(filing)).origin


def test_a_total_that_its_parts_contradict_is_a_doubt_and_no_sentence(stage: Stage) -> None:
    filing = stage.ready(stage.tree.harbin, warmth_C1=100, warmth_D1=50_000)
    zeros = [Change("C", "100", "0"), Change("D", "0.05", "0")]
    save_cells(filing=filing, slug="warmth", changes=zeros, by=stage.actor(filing.union, Role.FILLER))
    text = said(stage.filing(stage.tree.harbin))
    assert "没有走访慰问职工" not in text
    assert "【待核对：送温暖统计表 C 为 0，与各项之和不一致】" in text


@pytest.mark.parametrize("mark", ["kept", "removed", "damaged"])
def test_a_sealed_total_never_comes_back_as_own_figures(stage: Stage, mark: str) -> None:
    """Subordinates would be counted twice; people copy sheets into new files and lose our mark."""
    stage.approved(stage.tree.nangang, warmth_E1=30)
    filing = stage.returned(stage.tree.harbin, warmth_E1=5)
    workbook = load_workbook(io.BytesIO(sealed_workbook(returned_copy(filing))))
    (hidden,) = [sheet for sheet in workbook.worksheets if sheet.sheet_state != "visible"]
    if mark == "removed":
        workbook.remove(hidden)
    elif mark == "damaged":
        hidden["A2"].value = "坏了"
    content = io.BytesIO()
    workbook.save(content)
    content.seek(0)
    with pytest.raises(Refused, match="含下级单位"):
        imports.prepare(
            filing=filing, file=content, name="报表.xlsx", by=stage.actor(filing.union, Role.FILLER)
        )


def returned_copy(filing: Filing) -> Copy:
    return sealed_copy(rounds_at_hand().get(pk=filing.current_round_id))


def test_a_round_sealed_before_a_form_came_is_still_taken_away(stage: Stage) -> None:
    filing = stage.submitted(stage.tree.harbin)
    HelpCenterForm.objects.filter(round=filing.current_round_id).delete()
    assert browse(stage, filing).get(reverse("filing_workbook", args=[filing.pk])).status_code == 200


def test_the_same_figures_are_the_same_file_whenever_it_is_asked_for(stage: Stage) -> None:
    filing = stage.ready(stage.tree.harbin, warmth_E1=5)
    for make in (
        lambda: blank_template(filing.campaign, filing.union),
        lambda: draft_workbook(stage.filing(filing.union)),
        lambda: draft_document(of_copy(current_copy(stage.filing(filing.union)))),
    ):
        assert make() == make()


def test_a_head_that_was_refused_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    filing = stage.filing(stage.tree.harbin)
    by = stage.actor(filing.union, Role.FILLER)
    kept = imports.prepare(
        filing=filing, file=io.BytesIO(blank_with_phone(filing, "0451-53640000")), name="报表.xlsx", by=by
    )
    kept.content["head"]["filler_phone"] = "1" * 31
    kept.save()
    filled = imports.confirm(kept=kept, by=by)
    assert [sentence for sentence in filled.left if sentence.startswith("电话：")]


def blank_with_phone(filing: Filing, phone: str) -> bytes:
    workbook = load_workbook(io.BytesIO(blank_template(filing.campaign, filing.union)))
    for sheet in workbook.worksheets[:2]:
        for row in sheet.iter_rows(max_row=8):
            for cell in row:
                if str(cell.value or "").startswith("电话"):
                    cell.value = f"电话：{phone}"
                elif cell.column == 5 and cell.row == 8:
                    cell.value = 1
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def test_the_provinces_report_names_who_is_not_in_it(stage: Stage) -> None:
    stage.approved(stage.tree.outsider, warmth_E1=5)
    with pinned(stage.campaign.deadline):
        summary = make_summary(stage.campaign)
    introduction = plain(of_summary(summary).introduction)
    assert f"未纳入 {len(summary.missing)} 个单位" in introduction
    assert all(unit["name"] in introduction for unit in summary.missing)


def test_everybodys_template_in_one_archive_is_understood_as_theirs(stage: Stage) -> None:
    """For those who still send forms out by e-mail; a county's stands in its city's folder."""
    administrator = Client()
    administrator.force_login(stage.actor(stage.tree.province, Role.ADMINISTRATOR).person)
    answer = administrator.get(reverse("blank_templates", args=[stage.campaign.pk]))
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert len(archive.namelist()) == stage.campaign.filings.count()
        path = "哈尔滨市总工会所属/2021年哈尔滨市南岗区总工会送温暖统计报表（空白）.xlsx"
        content = io.BytesIO(archive.read(path))
    understood = imports.understand(
        content, "模板.xlsx", campaigns=[stage.campaign], unions=list(Union.objects.all())
    )
    assert understood.union == stage.tree.nangang
