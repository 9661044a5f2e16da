"""资金账: plan against actual by kind, source, delegation and destination, and what departs from the plan and why.

Every table folds the same cube (`budget.lines`), so that all of them come to the same sum to the 分. Asked
for by the notice [四(三)]: nobody may retain or divert the money, every amount must be traceable.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import QuerySet

from delegations.budget import Line, fold, lines, total
from delegations.models import Delegation, Destination, FundSource, Visit
from delegations.plans import COMPOSITION_FIELDS, MIN_REASON, Rulebook, norm_departure, plans
from delegations.recording import Difference, differences, paid_departure, recorded
from reporting.models import Campaign

NO_SOURCE = "未选资金来源"
_NOTHING = total(())


@dataclass(frozen=True)
class Row:
    """One line of a table. Amounts are 分."""

    label: str
    line: Line
    delegation: Delegation | None = None
    destination: Destination | None = None
    ceiling: int | None = None

    @property
    def left(self) -> int | None:
        """What the ceiling still allows to be really paid; negative when it was exceeded."""
        return None if self.ceiling is None else self.ceiling - self.line.paid

    @property
    def overdrawn(self) -> int:
        """By how much more was paid than the ceiling allows; 0 when it was kept."""
        return max(0, -self.left) if self.left is not None else 0

    @property
    def overplanned(self) -> int:
        return max(0, -self.left_planned) if self.left_planned is not None else 0

    @property
    def left_planned(self) -> int | None:
        """What the ceiling still allows to be planned; negative when more is planned."""
        return None if self.ceiling is None else self.ceiling - self.line.planned

    @property
    def off(self) -> int:
        """Paid less planned without its sign: the word 多 or 少 stands beside it."""
        return abs(self.line.difference)

    @property
    def share(self) -> int:
        """Per cent of the planned money that is paid, 0 to 100, for a bar."""
        if not self.line.planned:
            return 100 if self.line.paid else 0
        return min(100, self.line.paid * 100 // self.line.planned)


@dataclass(frozen=True)
class Table:
    rows: list[Row]

    @property
    def total(self) -> Row:
        """Of this table's own rows: that all tables agree is proven, not arranged."""
        return Row("合计", sum((row.line for row in self.rows), start=_NOTHING))


@dataclass(frozen=True)
class Case:
    """A visit that is not as planned, or not as the norms have it."""

    delegation: Delegation
    destination: Destination
    visit: Visit
    sentence: str
    reason: str
    differences: list[Difference] = field(default_factory=list)

    @property
    def is_explained(self) -> bool:
        return len(self.reason.strip()) >= MIN_REASON


@dataclass(frozen=True)
class Account:
    campaign: Campaign
    delegations: list[Delegation]
    by_kind: Table
    by_source: Table
    by_delegation: Table
    # One table: what a delegation's destinations come to stands in `by_delegation`.
    by_destination: Table
    differing: list[Case]
    out_of_norm: list[Case]
    # Visits that can be recorded and are not yet.
    waiting: int

    @property
    def total(self) -> Row:
        return self.by_delegation.total

    @property
    def unexplained(self) -> int:
        return sum(not case.is_explained for case in self.differing)

    @property
    def groups(self) -> list[tuple[Row, list[Row]]]:
        """Each delegation's line with those of its destinations."""
        return [
            (row, [under for under in self.by_destination.rows if under.delegation == row.delegation])
            for row in self.by_delegation.rows
        ]


def account(campaign: Campaign, delegations: QuerySet[Delegation]) -> Account:
    """The account of these delegations. Nine queries, whatever their number and that of their visits."""
    rulebook = Rulebook.of(campaign)
    loaded = plans(delegations)
    cube = lines(delegations)
    visits = [(d, at, visit) for d in loaded for at in d.destinations.all() for visit in recorded(at)]
    return Account(
        campaign=campaign,
        delegations=loaded,
        by_kind=_by_kind(cube),
        by_source=_by_source(cube, rulebook.sources),
        by_delegation=_by_delegation(cube, loaded),
        by_destination=_by_destination(cube, loaded),
        differing=list(_differing(visits)),
        out_of_norm=list(_out_of_norm(visits, rulebook)),
        waiting=sum(not visit.outcome for d, _, visit in visits if d.state != Delegation.State.PLANNING),
    )


def _by_kind(cube: list[Line]) -> Table:
    sums = fold(cube, lambda line: line.kind)
    return Table([Row(str(kind.label), sums.get(kind, _NOTHING)) for kind in COMPOSITION_FIELDS])


def _by_source(cube: list[Line], sources: Iterable[FundSource]) -> Table:
    """By where the money was planned to come from, and where it came from."""
    sums = fold(cube, lambda line: line.source)
    rows = [Row(s.name, sums.get(s.pk, _NOTHING), ceiling=s.ceiling) for s in sources]
    if None in sums:
        rows.append(Row(NO_SOURCE, sums[None]))
    return Table(rows)


def _by_delegation(cube: list[Line], delegations: list[Delegation]) -> Table:
    sums = fold(cube, lambda line: line.delegation)
    return Table([Row(str(d), sums.get(d.pk, _NOTHING), delegation=d) for d in delegations])


def _by_destination(cube: list[Line], delegations: list[Delegation]) -> Table:
    sums = fold(cube, lambda line: line.destination)
    return Table(
        [
            Row(str(at), sums.get(at.pk, _NOTHING), delegation=d, destination=at)
            for d in delegations
            for at in d.destinations.all()
        ]
    )


Visits = list[tuple[Delegation, Destination, Visit]]


def _differing(visits: Visits) -> Iterable[Case]:
    """What is not as planned, unexplained ones first."""
    cases = [
        Case(d, at, visit, "；".join(found.sentence for found in off), visit.difference_reason, off)
        for d, at, visit in visits
        if (off := differences(visit))
    ]
    return sorted(cases, key=lambda case: case.is_explained)


def _out_of_norm(visits: Visits, rulebook: Rulebook) -> Iterable[Case]:
    """Planned amounts outside the norm in force, and paid ones: two cases where both are."""
    for d, at, visit in visits:
        if visit.counts_in_plan and (sentence := norm_departure(visit, at, rulebook)):
            yield Case(d, at, visit, sentence, visit.amount_reason)
        if sentence := paid_departure(visit, at, rulebook):
            yield Case(d, at, visit, sentence, visit.difference_reason)
