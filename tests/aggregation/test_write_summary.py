"""`write_summary`: one command from nothing to the workbook."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from openpyxl import load_workbook

from reporting.aggregation import make_summary
from reporting.models import Campaign, Summary
from reporting.workbooks.summary import summary_workbook
from tests.aggregation.sealed import Province


def write(path: Path, **options: Any) -> str:
    said = io.StringIO()
    call_command("write_summary", str(path), stdout=said, stderr=io.StringIO(), **options)
    return said.getvalue()


def test_from_nothing_the_sample_is_played_through_the_real_workflow_and_written(
    db: None, tmp_path: Path, settings: Any
):
    settings.MEDIA_ROOT = tmp_path / "media"
    path = tmp_path / "新" / "夹" / "汇总.xlsx"
    said = write(path)
    assert str(path) in said
    newest = Campaign.objects.get(year=2021).summaries.order_by("-number")[0]
    assert f"第 {newest.number} 号汇总" in said
    assert path.read_bytes() == summary_workbook(newest)
    cover = load_workbook(path)["封面"]
    assert any("演示数据" in str(cell.value) for row in cover.iter_rows() for cell in row)
    before = Summary.objects.count()
    write(path)
    assert Summary.objects.count() == before


def test_without_a_summary_one_is_made(province: Province, tmp_path: Path):
    province.approve_all()
    write(tmp_path / "a.xlsx")
    assert Summary.objects.get().number == 1


def test_the_newest_is_written(province: Province, tmp_path: Path):
    own = province.approve_all()
    make_summary(province.campaign)
    own["230100"]["warmth"]["B"] += 1
    province.approve(province.cities[0], own["230100"])
    second = make_summary(province.campaign)
    write(tmp_path / "a.xlsx")
    assert (tmp_path / "a.xlsx").read_bytes() == summary_workbook(second)


def test_where_nothing_can_be_written_a_sentence_says_so(province: Province, tmp_path: Path):
    province.approve_all()
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match=r"写不了 .*file/a.xlsx：.*请换一个可以写入的位置"):
        write(tmp_path / "file" / "a.xlsx")
    with pytest.raises(CommandError, match="写不了"):
        write(tmp_path)


def test_a_year_without_a_campaign_is_said_to_have_none(province: Province, tmp_path: Path):
    with pytest.raises(CommandError, match="没有 1999 年的报送任务"):
        write(tmp_path / "a.xlsx", year=1999)
