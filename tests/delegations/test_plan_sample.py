"""The demonstration of attachment 3: what is wrong in it is meant to be, and a second run changes nothing."""

from __future__ import annotations

import csv
import datetime
import io
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper
from openpyxl import load_workbook

from delegations.management.commands.load_delegations import ATTACHMENT
from delegations.models import Arrangement, Delegation, FundSource, Material, PlanEvent, Unmasking, Visit
from delegations.plans import ERROR, GAP, QUERY, Problem, Rulebook, over_ceiling, plans, problems_of
from delegations.recording import checklists, differences, record_problems
from delegations.sample import IDENTITY_NUMBER, office, play
from delegations.sample_files import made_photograph
from delegations.workbook.book import load, plan_workbook
from reporting.campaigns import clone_campaign
from reporting.models import Campaign, Message, Outbox
from unions.models import Person

State = Delegation.State
COMING = 2030


@pytest.fixture
def campaign(db: None) -> Campaign:
    for command in ("load_notice", "load_delegations"):
        call_command(command, stdout=io.StringIO())
    return Campaign.objects.get()


@pytest.fixture
def coming(campaign: Campaign) -> Campaign:
    """As `play_sample` opens it."""
    made = clone_campaign(campaign=campaign, year=COMING, by=office())
    made.is_sample = True
    made.save()
    return made


@pytest.fixture
def past_is_played(campaign: Campaign) -> None:
    """For tests of the coming campaign: to `play` the winter of 2021 is somebody's already."""
    PlanEvent.objects.create(campaign=campaign, what="编制")


def everything() -> dict[str, list[dict[str, Any]]]:
    """All rows of our own apps."""
    models = [
        m for name in ("delegations", "reporting", "unions") for m in apps.get_app_config(name).get_models()
    ]
    return {m._meta.label: list(m._default_manager.order_by("pk").values()) for m in models}


def plan_problems(campaign: Campaign) -> dict[int, list[Problem]]:
    rulebook = Rulebook.of(campaign)
    rows = plans(Delegation.objects.filter(campaign=campaign))
    return {delegation.number: problems_of(delegation, rulebook) for delegation in rows}


def test_the_winter_of_2021_is_planned_locked_and_recorded(campaign: Campaign) -> None:
    play()
    rulebook = Rulebook.of(campaign)
    delegations = plans(Delegation.objects.filter(campaign=campaign))
    assert [d.number for d in delegations] == list(range(1, 9))
    assert [d.number for d in delegations if d.state == State.ARCHIVED] == [3]
    assert {d.state for d in delegations} == {State.LOCKED, State.ARCHIVED}

    # The plan: explained queries only.
    problems = [p for found in plan_problems(campaign).values() for p in found]
    assert {p.level for p in problems} == {QUERY}
    assert all(p.is_explained for p in problems)
    assert {(p.where, p.field) for p in problems} == {
        ("第2慰问组 牡丹江", "amount_reason"),
        ("第6慰问组 鸡西", "amount_reason"),
        ("第7慰问组 伊春", "travellers_reason"),
    }
    assert over_ceiling(delegations, rulebook) == []
    visits = Visit.objects.filter(destination__campaign=campaign)
    assert visits.get(is_hard_hit=True).money == 10_000_000
    proposed = visits.exclude(proposed_by=None)
    assert sorted(proposed.values_list("standing", flat=True)) == ["declined", "planned"]
    for destination in (d for delegation in delegations for d in delegation.destinations.all()):
        assert datetime.date(2020, 12, 25) <= destination.first_day <= destination.last_day
        assert destination.last_day <= datetime.date(2021, 2, 11)

    # The record: nothing but material is missing, and every difference is explained.
    for delegation in delegations:
        found = record_problems(delegation, rulebook, checklists(delegation))
        assert not [p for p in found if p.stops], delegation
        assert {p.field for p in found} <= {"materials", "difference_reason"}
    departing = [
        (str(d.union), kind.kind)
        for delegation in delegations
        for d in delegation.destinations.all()
        for visit in d.visits.all()
        for kind in differences(visit)
    ]
    assert departing == [
        ("齐齐哈尔市总工会", "amount"),
        ("齐齐哈尔市总工会", "unplanned"),
        ("大兴安岭地区总工会", "not_done"),
    ]

    # The material: two destinations of the first delegation whole, the third's as well but for one link.
    whole = {
        checklist.destination.union.short_name: len(checklist.missing)
        for delegation in delegations
        for checklist in checklists(delegation)
        if len(checklist.missing) < 4
    }
    assert whole == {"哈尔滨": 0, "大庆": 0, "黑河": 0, "哈铁": 1}
    photographs = Material.objects.filter(kind="photo")
    assert {(m.width, m.height) for m in photographs} == {(800, 600), (600, 800)}
    for material in Material.objects.exclude(file=""):
        assert "演示数据" in material.name
        assert default_storage.size(material.file.name) == material.size

    # Nobody of the notice is an account; no inbox is full of the past.
    with ATTACHMENT.open(encoding="utf-8", newline="") as file:
        printed = {name for row in csv.DictReader(file) for name in (row["leader"], row["liaison"])}
    assert not Person.objects.filter(name__in=printed).exists()
    assert {d.leader_name for d in delegations} | {d.liaison_name for d in delegations} == printed
    assert delegations[0].liaison.username == delegations[0].liaison.name == "第1慰问组联络员"
    assert delegations[7].leader.username == "第8慰问组带队领导"
    assert not Message.objects.filter(read_at=None).exists()
    assert not Outbox.objects.filter(sent_at=None).exists()
    assert not Unmasking.objects.exists()

    before = everything()
    play()
    assert everything() == before
    assert Campaign.objects.get().is_sample


def test_the_coming_festival_is_begun_with_something_wrong_of_every_sort(
    past_is_played: None, coming: Campaign
) -> None:
    play()
    problems = plan_problems(coming)
    first = problems[1]
    (overlap,) = [p for p in first if p.level == ERROR]
    assert (overlap.where, overlap.field) == ("第1慰问组 大庆", "first_day")
    assert "与哈尔滨的日期重叠" in overlap.sentence
    (asked,) = [p for p in first if p.level == QUERY]
    assert "60,000 元" in asked.sentence and not asked.is_explained
    assert {p.where for p in first if p.level == GAP} == {"第1慰问组 大庆", "第1慰问组 大庆油田"}
    for number in range(2, 9):
        assert {p.level for p in problems[number]} == {GAP}
    delegations = plans(Delegation.objects.filter(campaign=coming))
    assert {d.state for d in delegations} == {State.PLANNING}
    assert delegations[1].liaison.username == "第2慰问组联络员"
    (waiting,) = Visit.objects.filter(standing="proposed")
    assert waiting.destination.delegation == delegations[0]
    planned = [d.first_day for d in delegations[0].destinations.all() if d.first_day]
    assert all(coming.visits_from <= day <= coming.visits_until for day in planned)
    assert Message.objects.filter(person=delegations[0].liaison, read_at=None).count() == 2

    before = everything()
    play()
    assert everything() == before


def test_what_somebody_has_begun_is_left_alone(campaign: Campaign, coming: Campaign) -> None:
    from delegations.planning import create_delegation

    create_delegation(campaign=coming, by=office())
    create_delegation(campaign=campaign, by=office())
    play()
    assert not Visit.objects.exists()


def test_a_database_of_an_older_version_is_filled_as_well(past_is_played: None, coming: Campaign) -> None:
    """Its coming campaign was cloned before there were delegations."""
    Delegation.objects.filter(campaign=coming).delete()
    Arrangement.objects.filter(campaign=coming).delete()
    FundSource.objects.filter(campaign=coming).delete()
    play()
    assert Delegation.objects.filter(campaign=coming).count() == 8
    assert len(plan_problems(coming)[1]) > 3


def test_a_real_coming_campaign_gets_no_made_plan(past_is_played: None, coming: Campaign) -> None:
    Campaign.objects.filter(pk=coming.pk).update(is_sample=False)
    play()
    assert not Visit.objects.filter(destination__campaign=coming).exists()


def test_the_identity_number_is_the_example_of_the_standard() -> None:
    assert IDENTITY_NUMBER == "11010519491231002X"


def test_a_machine_without_a_chinese_typeface_makes_photographs_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("delegations.sample_files.TYPEFACES", ())
    assert made_photograph("哈尔滨", seed=1).startswith(b"\xff\xd8")


# -- commands ----------------------------------------------------------------------------------------------


def said(command: str, *arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command(command, *arguments, stdout=OutputWrapper(out), stderr=io.StringIO(), **options)
    return out.getvalue()


def test_in_production_nothing_is_played(campaign: Campaign, settings: Any, tmp_path: Path) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="不能在生产环境中生成"):
        call_command("play_delegations")
    said("write_plan", str(tmp_path / "a.xlsx"))  # the notice's arrangement alone
    assert not Visit.objects.exists()
    assert not Person.objects.exists()


def test_from_nothing_the_plan_is_played_and_written(db: None, tmp_path: Path) -> None:
    path = tmp_path / "新" / "夹" / "走访安排.xlsx"
    told = said("write_plan", str(path))
    assert f"共 8 个慰问组：{path}" in told
    campaign = Campaign.objects.get(year=2021)
    assert path.read_bytes() == plan_workbook(load(campaign, Delegation.objects.filter(campaign=campaign)))
    assert "演示数据" in load_workbook(path)["走访计划及资金表"]["A2"].value
    before = everything()
    said("write_plan", str(path), year=2021)
    assert everything() == before
    assert "8 个慰问组，18 个走访单位" in said("play_delegations")
    assert "第1慰问组联络员" in said("accounts")
    assert "第1慰问组带队领导" in said("accounts")


@pytest.mark.usefixtures("past_is_played")
def test_what_cannot_be_written_is_said_in_a_sentence(campaign: Campaign, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="没有 1999 年的报送任务"):
        said("write_plan", str(tmp_path / "a.xlsx"), year=1999)
    Campaign.objects.create(
        title="2040年元旦春节送温暖活动",
        year=2040,
        data_year=2039,
        opens_at=datetime.datetime(2039, 12, 1, tzinfo=datetime.UTC),
        deadline=datetime.datetime(2040, 1, 27, tzinfo=datetime.UTC),
    )
    with pytest.raises(CommandError, match="2040年元旦春节送温暖活动还没有慰问组"):
        said("write_plan", str(tmp_path / "a.xlsx"), year=2040)
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match=r"写不了 .*请换一个可以写入的位置"):
        said("write_plan", str(tmp_path / "file" / "a.xlsx"))


def test_without_the_notice_there_is_nothing_to_play(db: None) -> None:
    with pytest.raises(CommandError, match="请先运行 load_notice"):
        call_command("play_delegations")
