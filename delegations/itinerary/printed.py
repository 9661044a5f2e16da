"""走访行程单: one delegation's plan on paper, for the leader's folder.

Only the plan is printed, and of households only the masked name: a sheet of paper can be left behind.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from delegations.dates import span, span_with_weekdays
from delegations.models import Delegation, Destination, MaterialKind, Visit
from delegations.plans import COMPOSITION_FIELDS, UNITS, planned
from reporting.paper.pdf import render

# What the notice asks to look into [三] and how to travel [三, 五(二)].
LOOK_INTO = (
    "学习贯彻会议精神、落实意识形态责任制、当地党政支持工会工作的情况",
    "困难企业的生产经营、面临的困难及原因",
    "困难职工（农民工）家庭的致困原因、诉求和愿望",
    "帮扶中心和服务体系建设的情况",
    "好的经验做法",
)
MANNERS = (
    "轻车简从，人数从少，不增加基层负担。",
    "落实疫情防控要求，简化行程，尽量选择开放场所。",
    "慰问款物逐户逐人落实到位，如实记录。",
)


@dataclass(frozen=True)
class Stop:
    """One destination as the paper shows it."""

    destination: Destination
    visits: list[Visit]

    @property
    def fits_a_page(self) -> bool:
        """Then it is kept on one; what is longer would only leave a page empty before it."""
        return len(self.visits) <= 10

    @property
    def days(self) -> str:
        return span(self.destination.first_day, self.destination.last_day) or "日期待定"

    @property
    def days_with_weekdays(self) -> str:
        return span_with_weekdays(self.destination.first_day, self.destination.last_day) or "日期待定"

    @property
    def money(self) -> int:
        return sum(visit.money or 0 for visit in self.visits)

    @property
    def goods(self) -> int:
        return sum(visit.goods or 0 for visit in self.visits)

    @property
    def amount(self) -> int:
        return self.money + self.goods

    @property
    def counts(self) -> str:
        """`困难企业 1 家、基层单位 1 个、…`."""
        kinds = [visit.kind for visit in self.visits]
        return "、".join(
            f"{kind.label} {kinds.count(kind)} {UNITS[kind]}" for kind in COMPOSITION_FIELDS if kind in kinds
        )


def stops(delegation: Delegation) -> list[Stop]:
    """In the order of travel: by date, what has none yet last. The delegation comes from `plans`: no queries."""
    order = [str(kind) for kind in COMPOSITION_FIELDS]
    found = [
        Stop(d, sorted(planned(d), key=lambda visit: (order.index(visit.kind), visit.position, visit.pk)))
        for d in delegation.destinations.all()
    ]
    never = datetime.date.max
    return sorted(
        found, key=lambda stop: (stop.destination.first_day or never, stop.destination.last_day or never)
    )


def itinerary_name(delegation: Delegation) -> str:
    return f"{delegation.campaign.year}年{delegation}走访行程单.pdf"


def itinerary_pdf(delegation: Delegation, at: datetime.datetime) -> bytes:
    """A4, printed at `at`. Raises Refused where the system lacks what draws it."""
    return render("delegations/itinerary.html", itinerary_context(delegation, at))


def itinerary_context(delegation: Delegation, at: datetime.datetime) -> dict[str, Any]:
    """The delegation comes from `plans`: no queries."""
    way = stops(delegation)
    dated = [s.destination for s in way if s.destination.first_day and s.destination.last_day]
    first = min((d.first_day for d in dated if d.first_day), default=None)
    last = max((d.last_day for d in dated if d.last_day), default=None)
    return {
        "delegation": delegation,
        "campaign": delegation.campaign,
        "stops": way,
        "days": span_with_weekdays(first, last),
        "visits": sum(len(stop.visits) for stop in way),
        "money": sum(stop.money for stop in way),
        "goods": sum(stop.goods for stop in way),
        "amount": sum(stop.amount for stop in way),
        "is_draft": delegation.state == Delegation.State.PLANNING,
        "at": timezone.localtime(at),
        "look_into": LOOK_INTO,
        "manners": MANNERS,
        "materials": [kind.label for kind in MaterialKind],
    }
