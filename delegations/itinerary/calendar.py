"""走访日程: one delegation's dates as a calendar file (RFC 5545) for the calendars of phones and computers."""

from __future__ import annotations

import datetime

from icalendar import Calendar, Event

from delegations.itinerary.printed import Stop, stops
from delegations.models import Delegation
from reporting.errors import Refused

PRODUCT = "-//Songwennuan//Delegations//ZH"
CONTENT_TYPE = "text/calendar; charset=utf-8"


def calendar_name(delegation: Delegation) -> str:
    return f"{delegation.campaign.year}年{delegation}走访日程.ics"


def delegation_calendar(delegation: Delegation, changed_at: datetime.datetime) -> bytes:
    """One all-day event for each destination with dates; `changed_at` is the plan's last change.

    The delegation comes from `plans`: no queries. Days without hours mean the same in every time zone.
    Raises Refused while there are no dates.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", f"{delegation.campaign.year}年{delegation}走访")
    for stop in stops(delegation):
        first, last = stop.destination.first_day, stop.destination.last_day
        if first is not None and last is not None and first <= last:
            calendar.add_component(_event(delegation, stop, first, last, changed_at))
    if not calendar.subcomponents:
        raise Refused(f"{delegation}还没有走访日期，没有可以导出的日程。请先填写走访日期。")
    content: bytes = calendar.to_ical()
    return content


def _event(
    delegation: Delegation,
    stop: Stop,
    first: datetime.date,
    last: datetime.date,
    changed_at: datetime.datetime,
) -> Event:
    destination = stop.destination
    event = Event()
    # The same destination keeps its name for ever: importing a newer file moves the event instead of doubling it.
    event.add("uid", f"destination-{destination.pk}-{delegation.campaign.year}@songwennuan")
    event.add("sequence", delegation.revision)
    event.add("dtstamp", changed_at.astimezone(datetime.UTC).replace(microsecond=0))
    event.add("dtstart", first)
    event.add("dtend", last + datetime.timedelta(days=1))  # the first day that no longer belongs to it
    event.add("summary", f"{delegation} 走访{destination.union.name}")
    event.add("location", destination.union.name)
    event.add("description", "\n".join(_description(delegation, stop)))
    is_settled = delegation.state != Delegation.State.PLANNING
    event.add("status", "CONFIRMED" if is_settled else "TENTATIVE")
    event.add("transp", "OPAQUE")
    return event


def _description(delegation: Delegation, stop: Stop) -> list[str]:
    """Whom to call and how many are visited. Never who: a calendar is synchronised to who knows where."""
    destination = stop.destination
    contact = " ".join(filter(None, (destination.contact_name, destination.contact_phone)))
    said = [f"当地联系人：{contact or '待定'}"]
    if destination.travellers:
        said.append(f"随行 {destination.travellers} 人")
    said.append(f"走访对象：{stop.counts or '待定'}")
    if delegation.liaison_name:
        said.append(f"联络员：{delegation.liaison_name} {delegation.liaison_phone}".rstrip())
    if delegation.state == Delegation.State.PLANNING:
        said.append("计划尚未锁定，日期可能调整。")
    return said
