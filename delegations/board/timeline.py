"""Days on a line: where a stay stands on a timeline, in per cent of the line's width. No rows, no queries.

Per cent and not pixels: an SVG of any width keeps its lines thin and its letters round that way.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NARROWEST = 1.5  # a day of a very long window would be thinner than what can be seen and hit
CROWDED = 9.0  # two labels nearer than this run into each other on a phone
MOST_WEEKS, MOST_MONTHS = 14, 24
ONE_DAY = datetime.timedelta(days=1)


def attribute(per_cent: float) -> str:
    """As an SVG attribute wants it: "14.286%"."""
    return f"{per_cent:.3f}%"


@dataclass(frozen=True)
class Bar:
    """A stay on the line. `starts_before`, `ends_after`: a part of it (or all) lies outside the window."""

    x: float
    width: float
    starts_before: bool = False
    ends_after: bool = False

    @property
    def is_clipped(self) -> bool:
        return self.starts_before or self.ends_after

    @property
    def end(self) -> float:
        return self.x + self.width

    @property
    def left(self) -> str:
        return attribute(self.x)

    @property
    def right(self) -> str:
        return attribute(self.end)

    @property
    def span(self) -> str:
        return attribute(self.width)

    @property
    def leans_left(self) -> bool:
        """Whether a label beside the bar ends where the bar ends: to its right there is no room."""
        return self.x > 60


@dataclass(frozen=True)
class Tick:
    x: float
    label: str  # empty where labels would run into each other

    @property
    def left(self) -> str:
        return attribute(self.x)


@dataclass(frozen=True)
class Window:
    """The days a timeline shows; the first and the last are both inside."""

    first: datetime.date
    last: datetime.date

    @classmethod
    def of(
        cls,
        opens: datetime.date | None,
        closes: datetime.date | None,
        days: Iterable[datetime.date | None] = (),
    ) -> Window | None:
        """The campaign's window; an end it leaves open goes as far as the `days` do. None without any day."""
        known = [day for day in days if day]
        first = opens or min(known, default=closes)
        last = closes or max(known, default=opens)
        if first is None or last is None or last < first:
            return None
        return cls(first, last)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def x(self, day: datetime.date) -> float:
        """Where a day begins; below 0 or above 100 when it is outside."""
        return 100 * (day - self.first).days / self.days

    def bar(self, first: datetime.date | None, last: datetime.date | None) -> Bar | None:
        """From the morning of the first to the evening of the last day; None for no or reversed dates."""
        if first is None or last is None or last < first:
            return None
        begins, ends = max(self.x(first), 0.0), min(self.x(last + ONE_DAY), 100.0)
        width = max(ends - begins, NARROWEST)
        x = min(max(begins, 0.0), 100.0 - width)
        return Bar(x, width, starts_before=first < self.first, ends_after=last > self.last)

    def middle(self, day: datetime.date) -> float | None:
        """Noon of a day; None outside."""
        return self.x(day) + 50 / self.days if self.first <= day <= self.last else None

    def months(self) -> list[Tick]:
        """The first day of the window and of each month in it."""
        starts = [self.first]
        day = self.first.replace(day=1)
        while (day := (day + 31 * ONE_DAY).replace(day=1)) <= self.last:
            starts.append(day)
        if len(starts) > MOST_MONTHS:
            return []
        ticks = []
        for start, following in zip(starts, [*starts[1:], None], strict=True):
            x = self.x(start)
            room = (self.x(following) if following else 100.0) - x
            ticks.append(Tick(x, f"{start.month}月" if room >= CROWDED else ""))
        return ticks

    def weeks(self, today: datetime.date | None = None) -> list[Tick]:
        """Mondays, labelled with their day; none in a window of many weeks. Today's label goes before theirs."""
        if self.days > 7 * MOST_WEEKS:
            return []
        now = self.middle(today) if today else None
        ticks = []
        day = self.first + ((7 - self.first.weekday()) % 7) * ONE_DAY
        while day <= self.last:
            x = self.x(day)
            fits = x <= 96 and (now is None or abs(now - x) >= CROWDED)
            ticks.append(Tick(x, str(day.day) if fits else ""))
            day += 7 * ONE_DAY
        return ticks


Span = tuple[datetime.date | None, datetime.date | None]


def overlapping(spans: Sequence[Span]) -> set[int]:
    """Which of one delegation's stays share a day with another one; open and reversed ones share none."""
    dated = [
        (first, last, number)
        for number, (first, last) in enumerate(spans)
        if first is not None and last is not None and first <= last
    ]
    return {
        number
        for first, last, number in dated
        for other_first, other_last, other in dated
        if other != number and first <= other_last and other_first <= last
    }
