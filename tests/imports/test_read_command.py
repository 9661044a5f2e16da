"""`read_workbook` says as JSON what an upload would understand, and by its exit status whether it would be accepted."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from reporting.models import CellChange, Import
from tests.workbooks.case import GOOD, HELPCENTER, WARMTH, Made, figures
from tests.workbooks.corpus import BAD
from tests.workbooks.good_layouts import official
from tests.workflow.stage import Stage, make_stage

REFUSED = 2


@pytest.fixture
def stage(db: None) -> Stage:
    return make_stage()


def told(path: Path) -> dict[str, Any]:
    out = io.StringIO()
    call_command("read_workbook", str(path), stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def refused(path: Path) -> dict[str, Any]:
    out = io.StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("read_workbook", str(path), stdout=out)
    assert end.value.code == REFUSED
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def made(name: str) -> Callable[[], Made]:
    return next(case.make for case in (*GOOD, *BAD) if case.name == name)


def test_everything_that_was_understood(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "哈尔滨.xlsx"
    path.write_bytes(official().content)
    answer = told(path)
    assert (answer["accepted"], answer["sentence"], answer["problems"]) == (True, "", [])
    assert answer["union"] == {"code": "230100", "name": "哈尔滨市总工会"}
    assert answer["campaign"]["year"] == 2021
    assert [form["form"] for form in answer["forms"]] == [WARMTH, HELPCENTER]
    for form in answer["forms"]:
        assert form["values"] == figures(form["form"])
        assert list(form["values"]) == list(figures(form["form"])), "in printed order"
        assert form["problems"] == []
        assert set(form["cells"]) == set(form["values"])
    assert answer["forms"][0]["cells"]["A"] == "送温暖统计表!E6"
    assert answer["forms"][0]["head"]["filler_name"] == "填报员甲"


def test_what_was_not_understood_and_where(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(made("told: a negative number")().content)
    (form,) = told(path)["forms"]
    assert "E1" not in form["values"]
    (problem,) = form["problems"]
    assert problem["where"] == form["cells"]["E1"]
    assert "“-5”是负数" in problem["sentence"]


def test_a_refusal(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(made("last year's")().content)
    answer = refused(path)
    assert answer["accepted"] is False
    assert "这是 2020 年的报表" in answer["sentence"]
    assert answer["sentences"][0] == answer["sentence"]


def test_nobody_it_knows(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(made("nobody's that we know")().content)
    assert "没有叫“某某厂工会”的单位" in refused(path)["sentence"]


def test_the_province_s_summary_is_no_unit_s_report(stage: Stage, tmp_path: Path) -> None:
    """Written by this very system, with the official tables in it."""
    from reporting.aggregation import make_summary

    stage.approved(stage.tree.harbin)
    make_summary(stage.campaign)
    path = tmp_path / "汇总.xlsx"
    call_command("write_summary", str(path), stdout=io.StringIO())
    assert refused(path)["sentence"].startswith("这是全省汇总，不是单位报表")


def test_the_plan_of_visits_is_no_unit_s_report(db: None, tmp_path: Path) -> None:
    path = tmp_path / "走访.xlsx"
    for command in (("load_notice",), ("load_delegations",), ("write_plan", str(path))):
        call_command(*command, stdout=io.StringIO())
    assert refused(path)["sentence"].startswith("这是慰问组的走访安排，不是单位报表")


def test_a_template_of_the_command_is_read_by_the_command(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "模板.xlsx"
    call_command("write_template", "哈尔滨", str(path), stdout=io.StringIO())
    answer = told(path)
    assert answer["union"]["name"] == "哈尔滨市总工会"
    assert [form["values"] for form in answer["forms"]] == [{}, {}]
    assert [form["problems"] for form in answer["forms"]] == [[], []]


@pytest.mark.parametrize(("name", "reason"), [("没有.xlsx", "没有这个文件"), (".", "这是文件夹")])
def test_a_file_that_cannot_be_opened(stage: Stage, tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(CommandError, match=rf"^读不了 .+：{reason}。请检查 FILE= 后的路径。$"):
        call_command("read_workbook", str(tmp_path / name), stdout=io.StringIO())


def test_without_a_campaign_it_says_what_to_do(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="请先运行 load_notice"):
        call_command("read_workbook", str(tmp_path / "a.xlsx"), stdout=io.StringIO())


def test_nothing_is_stored(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(official().content)
    told(path)
    assert not Import.objects.exists()
    assert not CellChange.objects.exists()
