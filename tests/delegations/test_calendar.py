"""The dates of a delegation as a calendar file, read back as a calendar program would."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from icalendar import Calendar, Event

from delegations.itinerary.calendar import delegation_calendar
from delegations.models import Delegation, Destination, PlanEvent, Visit
from delegations.plans import plans
from tests.delegations.stage import NAME, PlanStage, fill
from unions.models import Union

AT = datetime.datetime(2021, 1, 4, 7, 20, tzinfo=datetime.UTC)


def written(plan: PlanStage) -> bytes:
    (delegation,) = plans(Delegation.objects.filter(pk=plan.first.pk))
    return delegation_calendar(delegation, AT)


def events(content: bytes) -> list[Event]:
    return list(Calendar.from_ical(content).walk("VEVENT"))  # type: ignore[arg-type]


def test_each_destination_is_one_event_of_whole_days(plan: PlanStage) -> None:
    content = written(plan)
    harbin, oilfield = events(content)
    assert harbin["SUMMARY"] == "第1慰问组 走访哈尔滨市总工会"
    assert harbin["LOCATION"] == "哈尔滨市总工会"
    assert harbin["DTSTART"].dt == datetime.date(2021, 1, 5)
    assert harbin["DTEND"].dt == datetime.date(2021, 1, 7), "the first day that is free again"
    assert (oilfield["DTSTART"].dt, oilfield["DTEND"].dt) == (
        datetime.date(2021, 1, 7),
        datetime.date(2021, 1, 9),
    )
    assert b"DTSTART;VALUE=DATE:20210105\r\n" in content, "days mean the same in every time zone"
    assert "随行 4 人" in harbin["DESCRIPTION"]
    assert "当地联系人：当地联系人 0451-50000000" in harbin["DESCRIPTION"]
    assert "困难企业 1 家、基层单位 1 个、现场慰问 1 人、入户慰问 2 户" in harbin["DESCRIPTION"]


def test_it_is_a_calendar_that_common_programs_open(plan: PlanStage) -> None:
    content = written(plan)
    calendar = Calendar.from_ical(content)
    assert calendar["PRODID"] == "-//Songwennuan//Delegations//ZH"
    assert calendar["VERSION"] == "2.0"
    assert not calendar.errors and not any(event.errors for event in events(content))
    assert content.endswith(b"END:VCALENDAR\r\n")
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    assert content.count(b"\n") == content.count(b"\r\n")
    for event in events(content):
        assert event["DTSTAMP"].dt == AT
        assert {"UID", "DTSTAMP", "DTSTART", "SUMMARY"} <= set(event)


def test_a_newer_file_moves_the_events_instead_of_doubling_them(plan: PlanStage) -> None:
    before = events(written(plan))
    Destination.objects.filter(pk=plan.harbin.pk).update(
        first_day=datetime.date(2021, 1, 12), last_day=datetime.date(2021, 1, 12)
    )
    Delegation.objects.filter(pk=plan.first.pk).update(revision=7)
    after = events(written(plan))
    assert {event["UID"] for event in after} == {event["UID"] for event in before}
    assert len({event["UID"] for event in after}) == 2
    assert {event["SEQUENCE"] for event in after} == {7}
    moved = next(event for event in after if event["LOCATION"] == "哈尔滨市总工会")
    assert (moved["DTSTART"].dt, moved["DTEND"].dt) == (
        datetime.date(2021, 1, 12),
        datetime.date(2021, 1, 13),
    )


def test_a_plan_is_tentative_until_it_is_locked(plan: PlanStage) -> None:
    assert {event["STATUS"] for event in events(written(plan))} == {"TENTATIVE"}
    plan.lock()
    assert {event["STATUS"] for event in events(written(plan))} == {"CONFIRMED"}


def test_no_household_is_named_and_what_is_typed_stays_one_text(plan: PlanStage) -> None:
    Destination.objects.filter(pk=plan.harbin.pk).update(
        contact_name="甲;乙,丙\\n\r\nBEGIN:VEVENT", contact_phone="1:2"
    )
    content = written(plan)
    assert NAME not in content.decode()
    (harbin, _) = events(content)
    assert "甲;乙,丙" in harbin["DESCRIPTION"]
    assert len(events(content)) == 2


def test_destinations_without_sound_dates_are_left_out(plan: PlanStage, browse: Any) -> None:
    Destination.objects.filter(pk=plan.harbin.pk).update(last_day=datetime.date(2021, 1, 1))
    assert [event["LOCATION"] for event in events(written(plan))] == ["大庆油田工会"]
    Destination.objects.update(first_day=None)
    answer = browse(plan.liaison).get(address(plan))
    assert answer["Location"] == reverse("delegation", args=[plan.first.pk])
    (said,) = answer.wsgi_request._messages
    assert str(said) == "第1慰问组还没有走访日期，没有可以导出的日程。请先填写走访日期。"


def address(plan: PlanStage) -> str:
    return reverse("delegation_calendar", args=[plan.first.pk])


@pytest.mark.parametrize("who", ["office", "reader", "liaison", "leader"])
def test_who_sees_the_delegation_takes_its_dates(plan: PlanStage, browse: Any, who: str) -> None:
    PlanEvent.objects.create(campaign=plan.campaign, delegation=plan.first, what="编制", at=AT)
    answer = browse(getattr(plan, who)).get(address(plan))
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert ".ics" in answer["Content-Disposition"]
    assert events(answer.content)[0]["DTSTAMP"].dt == AT, "the last change, not the moment of asking"
    assert browse(getattr(plan, who)).get(address(plan)).content == answer.content


def test_others_do_not(plan: PlanStage, browse: Any) -> None:
    assert browse(plan.other_liaison).get(address(plan)).status_code == 403
    assert browse(plan.host).get(address(plan)).status_code == 404
    assert browse(plan.outsider).get(address(plan)).status_code == 404
    assert Client().get(address(plan)).status_code == 302


def test_many_destinations_cost_as_many_queries_as_one(plan: PlanStage, browse: Any) -> None:
    client = browse(plan.liaison)
    client.get(address(plan))

    def queries() -> int:
        with CaptureQueriesContext(connection) as counted:
            client.get(address(plan))
        return len(counted)

    few = queries()
    for number in range(10):
        union = Union.objects.create(
            code=f"2330{number:02}",
            name=f"第{number}市总工会",
            short_name=f"第{number}市",
            kind=Union.Kind.CITY,
            parent=plan.tree.province,
            position=number,
        )
        fill(Destination.objects.create(delegation=plan.first, campaign=plan.campaign, union=union))
    assert Visit.objects.filter(destination__delegation=plan.first).count() == 60
    assert queries() == few <= 12
