"""Days and spans of days as people write them on paper."""

from __future__ import annotations

import datetime

from delegations.plans import day

WEEKDAYS = "一二三四五六日"


def span(first: datetime.date | None, last: datetime.date | None) -> str:
    """`1月5日`, `1月5日至6日`, `12月31日至1月2日`; empty while a date is missing."""
    if first is None or last is None:
        return ""
    if first == last:
        return day(first)
    until = f"{last.day}日" if (first.year, first.month) == (last.year, last.month) else day(last)
    return f"{day(first)}至{until}"


def with_weekday(date: datetime.date) -> str:
    """`1月5日（周二）`."""
    return f"{day(date)}（周{WEEKDAYS[date.weekday()]}）"


def span_with_weekdays(first: datetime.date | None, last: datetime.date | None) -> str:
    """`1月5日（周二）至1月6日（周三）`; empty while a date is missing."""
    if first is None or last is None:
        return ""
    return with_weekday(first) if first == last else f"{with_weekday(first)}至{with_weekday(last)}"
