"""`write_paper`: a union's PDF without serving."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from reporting.copies import current_copy
from reporting.errors import Refused
from reporting.models import Filing
from reporting.paper.printing import filing_pdf, pdf
from tests.paper.printing import pages_of
from tests.workflow.stage import Stage


def write(union: str, path: Path, **options: Any) -> str:
    said = io.StringIO()
    call_command("write_paper", union, str(path), stdout=said, stderr=io.StringIO(), **options)
    return said.getvalue()


def test_the_sealed_round_is_written(stage: Stage, tmp_path: Path) -> None:
    filing = stage.submitted(stage.tree.harbin)
    said = write("哈尔滨", tmp_path / "新" / "哈尔滨.pdf")
    assert "第 1 轮" in said and str(tmp_path) in said
    assert (tmp_path / "新" / "哈尔滨.pdf").read_bytes() == filing_pdf(current_copy(filing))


def test_while_it_is_filled_in_the_draft_is(stage: Stage, tmp_path: Path) -> None:
    stage.submitted(stage.tree.daqing_oilfield)
    assert "（草稿）" in write("哈尔滨市总工会", tmp_path / "a.pdf")


def test_from_nothing_the_sample_is_played(db: None, tmp_path: Path) -> None:
    assert "第 1 轮" in write("哈尔滨", tmp_path / "a.pdf")
    text = "".join(pages_of((tmp_path / "a.pdf").read_bytes(), tmp_path))
    assert "哈尔滨市总工会" in text and "演示数据" in text


def test_what_cannot_be_written_is_a_sentence(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.submitted(stage.tree.harbin)
    with pytest.raises(CommandError, match="没有单位叫“哈尔宾”"):
        write("哈尔宾", tmp_path / "a.pdf")
    with pytest.raises(CommandError, match="没有 1999 年的报送任务"):
        write("哈尔滨", tmp_path / "a.pdf", year=1999)
    with pytest.raises(CommandError, match="写不了"):
        write("哈尔滨", tmp_path)
    Filing.objects.filter(union=stage.tree.outsider).delete()
    with pytest.raises(CommandError, match="齐齐哈尔市总工会在 2021 年没有报送件"):
        write("齐齐哈尔", tmp_path / "a.pdf")

    def refuse() -> Any:
        raise Refused(pdf.MISSING)

    monkeypatch.setattr(pdf, "_weasyprint", refuse)
    with pytest.raises(CommandError, match="缺少生成 PDF 的系统组件"):
        write("哈尔滨", tmp_path / "a.pdf")
