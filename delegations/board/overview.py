"""The whole plan of a campaign at a glance: what is wrong first, then every delegation on its line of days.

Built from `plans`, `problems_of` and the cube of `budget`; three queries beside those of the plans.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from django.db.models import Count, QuerySet
from django.urls import reverse

from delegations import budget
from delegations.board.lanes import Lane, Row, row_of
from delegations.board.timeline import Window, attribute
from delegations.budget import Line
from delegations.models import Delegation, Destination, FundSource, Material, Visit
from delegations.plans import (
    ERROR,
    GAP,
    LEVEL_LABELS,
    QUERY,
    Problem,
    Rulebook,
    over_ceiling,
    plans,
    problems_of,
)

SHOWN = 5  # problems of one level and delegation that stand open; the rest is one click away
FEW_GAPS = 12


# -- problems ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Listed:
    """A problem with the place it is about, and the address of the field that mends it ("" if it isn't one's own)."""

    problem: Problem
    place: str
    url: str


@dataclass(frozen=True)
class ProblemsOfOne:
    """Problems of one level of one delegation, or of what concerns all of them."""

    name: str
    listed: list[Listed]

    @property
    def shown(self) -> list[Listed]:
        return self.listed[:SHOWN]

    @property
    def folded(self) -> list[Listed]:
        return self.listed[SHOWN:]

    @property
    def places(self) -> list[tuple[str, int]]:
        """How many at each place."""
        counts: dict[str, int] = {}
        for each in self.listed:
            counts[each.place or "全组"] = counts.get(each.place or "全组", 0) + 1
        return list(counts.items())


@dataclass
class Level:
    level: str
    of: list[ProblemsOfOne] = field(default_factory=list)
    is_folded: bool = False

    @property
    def label(self) -> str:
        return LEVEL_LABELS[self.level]

    @property
    def count(self) -> int:
        return sum(len(one.listed) for one in self.of)

    @property
    def is_short(self) -> bool:
        return self.count <= FEW_GAPS


@dataclass(frozen=True)
class Departure:
    """What departs from the norms for a reason that was given: a line of the department's list."""

    delegation: Delegation
    destination: Destination
    visit: Visit | None  # None where it is about the destination as a whole
    sentence: str
    reason: str
    url: str


# -- money and the whole ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fund:
    """What is planned from one source, and what its ceiling leaves. `source` None: none was chosen."""

    source: FundSource | None
    planned: int

    @property
    def ceiling(self) -> int | None:
        return self.source.ceiling if self.source else None

    @property
    def left(self) -> int | None:
        return None if self.ceiling is None else self.ceiling - self.planned

    @property
    def excess(self) -> int:
        return max(0, -(self.left or 0))

    @property
    def used(self) -> str:
        """As the width of a bar."""
        if self.ceiling is None:
            return attribute(0)
        return attribute(
            min(100.0, 100 * self.planned / self.ceiling) if self.ceiling else 100.0 * bool(self.planned)
        )


@dataclass(frozen=True)
class Overview:
    rulebook: Rulebook
    window: Window | None
    today: datetime.date
    rows: list[Row]
    levels: list[Level]
    departures: list[Departure]
    funds: list[Fund]
    money: Line

    @cached_property
    def lanes(self) -> list[Lane]:
        return [lane for row in self.rows for lane in row.lanes]

    @cached_property
    def ticks(self) -> dict[str, object]:
        """Drawn once above and once behind every delegation: reckoned once."""
        if self.window is None:
            return {}
        now = self.window.middle(self.today)
        return {
            "months": self.window.months(),
            "weeks": self.window.weeks(self.today),
            "today": None if now is None else attribute(now),
        }

    @property
    def next_number(self) -> int:
        return max((row.delegation.number for row in self.rows), default=0) + 1

    @property
    def wanted(self) -> int:
        return sum(mark.wanted for lane in self.lanes for mark in lane.kinds)

    @property
    def filled(self) -> int:
        """Visits of the composition that are there; surplus ones don't fill somebody else's gap."""
        return sum(min(mark.have, mark.wanted) for lane in self.lanes for mark in lane.kinds)

    @property
    def surplus(self) -> int:
        return sum(max(0, mark.have - mark.wanted) for lane in self.lanes for mark in lane.kinds)

    @property
    def locked(self) -> int:
        return sum(row.delegation.state != Delegation.State.PLANNING for row in self.rows)

    @property
    def archived(self) -> int:
        return sum(row.delegation.state == Delegation.State.ARCHIVED for row in self.rows)

    @property
    def proposals(self) -> int:
        return sum(row.proposals for row in self.rows)

    @property
    def due(self) -> int:
        """Planned visits of plans that are closed: those a record is due of."""
        return sum(lane.due for lane in self.lanes)

    @property
    def is_recorded(self) -> bool:
        return any(lane.is_recorded for lane in self.lanes)

    @property
    def done(self) -> int:
        return sum(lane.done for lane in self.lanes)

    @property
    def unplanned(self) -> int:
        return sum(lane.unplanned for lane in self.lanes)


def overview(
    delegations: QuerySet[Delegation],
    rulebook: Rulebook,
    *,
    today: datetime.date,
    is_whole: bool,
    settings: str = "",
) -> Overview:
    """`delegations` of one campaign, as visible to who asks; `is_whole`: all of them, so that what they spend
    together can be held against the ceilings, which who may is sent to `settings` for. Six queries."""
    loaded = plans(delegations)
    cube = budget.lines(delegations)
    by_destination = budget.fold(cube, lambda line: line.destination)
    material_kinds = dict(
        Material.objects.filter(destination__delegation__in=delegations)
        .order_by()
        .values_list("destination")
        .annotate(Count("kind", distinct=True))
    )
    campaign = rulebook.campaign
    dates = [day for d in loaded for each in d.destinations.all() for day in (each.first_day, each.last_day)]
    window = Window.of(campaign.visits_from, campaign.visits_until, dates)
    problems = {d.pk: _to_mend(d, problems_of(d, rulebook)) for d in loaded}
    rows = [row_of(d, rulebook, window, problems[d.pk], by_destination, material_kinds) for d in loaded]
    return Overview(
        rulebook=rulebook,
        window=window,
        today=today,
        rows=rows,
        levels=_levels(loaded, problems, over_ceiling(loaded, rulebook) if is_whole else [], settings),
        departures=[departure for d in loaded for departure in _departures(d, problems[d.pk])],
        funds=_funds(cube, rulebook, is_whole=is_whole),
        money=budget.total(cube),
    )


def _to_mend(delegation: Delegation, problems: list[Problem]) -> list[Problem]:
    """A gap that was left open when the plan was locked can't be filled any more: the figures of each kind still show it."""
    if delegation.state == Delegation.State.PLANNING:
        return problems
    return [problem for problem in problems if problem.level != GAP]


def _levels(
    loaded: Iterable[Delegation], problems: dict[int, list[Problem]], common: list[Problem], settings: str
) -> list[Level]:
    """Errors, unexplained queries, gaps; within each what concerns all, then delegation by delegation."""
    levels: list[Level] = []
    for level in (ERROR, QUERY, GAP):
        found = Level(level)
        shared = [
            Listed(p, "", f"{settings}#{p.anchor}" if settings else "") for p in common if p.level == level
        ]
        if shared:
            found.of.append(ProblemsOfOne("全部慰问组", shared))
        for delegation in loaded:
            address = reverse("delegation", args=[delegation.pk])
            own = [
                Listed(p, p.where.removeprefix(str(delegation)).strip(), f"{address}#{p.anchor}")
                for p in problems[delegation.pk]
                if p.level == level and not p.is_explained
            ]
            if own:
                found.of.append(ProblemsOfOne(str(delegation), own))
        if found.of:
            # What is wrong or asked about comes first; what is only missing yet need not be read today.
            found.is_folded = level == GAP and bool(levels)
            levels.append(found)
    return levels


def _departures(delegation: Delegation, problems: list[Problem]) -> Iterable[Departure]:
    visits = {
        f"visit:{visit.pk}": (destination, visit)
        for destination in delegation.destinations.all()
        for visit in destination.visits.all()
    }
    destinations = {f"destination:{d.pk}": (d, None) for d in delegation.destinations.all()}
    address = reverse("delegation", args=[delegation.pk])
    for problem in problems:
        if problem.is_explained:
            destination, visit = (visits | destinations)[problem.target]
            # The first sentence says what departs; what follows asks for the reason, which is there.
            sentence = problem.sentence.partition("。")[0]
            url = f"{address}#{problem.anchor}"
            yield Departure(delegation, destination, visit, sentence, problem.reason, url)


def _funds(cube: list[Line], rulebook: Rulebook, *, is_whole: bool) -> list[Fund]:
    """A part of the delegations says nothing of what a ceiling leaves: then only what that part plans."""
    lines = budget.fold(cube, lambda line: line.source)
    funds = []
    for source in rulebook.sources:
        planned = lines[source.pk].planned if source.pk in lines else 0
        shown = source if is_whole else FundSource(pk=source.pk, name=source.name)
        funds.append(Fund(shown, planned))
    if None in lines and lines[None].planned:
        funds.append(Fund(None, lines[None].planned))
    return funds
