"""What the page of one plan and the answer to a save show: rows, norms, budget, problems. Nothing here writes.

Eight queries whatever the plan holds: three load it, three the rules it is held to, two the money of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from delegations import budget
from delegations.budget import Line, fold
from delegations.models import Delegation, Destination, FundSource, Norm, Visit
from delegations.money import show_yuan
from delegations.norms import off_by, subject_of
from delegations.plans import (
    ERROR,
    GAP,
    LEVEL_LABELS,
    QUERY,
    Problem,
    Rulebook,
    composition,
    exceeded,
    planned,
    plans,
    problems_of,
)

SHORT = {
    Visit.Kind.ENTERPRISE: "企业",
    Visit.Kind.GRASSROOTS: "基层",
    Visit.Kind.ON_SITE: "现场",
    Visit.Kind.HOUSEHOLD: "入户",
}


@dataclass(frozen=True)
class Row:
    """One planned visit and the norm it falls under."""

    visit: Visit
    norm: Norm | None

    @property
    def hint(self) -> str:
        return norm_hint(self.norm) if self.norm else ""

    @property
    def off(self) -> str:
        return off_by(self.norm, self.visit.amount)

    @property
    def shows_reason(self) -> bool:
        return bool(self.off or self.visit.amount_reason)

    @property
    def categories(self) -> list[tuple[str, str]]:
        return [(value, Visit.Category(value).label) for value in Visit.CATEGORIES[self.visit.kind]]


def norm_hint(norm: Norm) -> str:
    """`标准 30,000–50,000 元`."""
    least, most = show_yuan(norm.least), show_yuan(norm.most)
    return f"标准 {most} 元" if least == most else f"标准 {least}–{most} 元"


@dataclass(frozen=True)
class Part:
    """One kind of the composition: 入户 1/2."""

    kind: str
    label: str
    have: int
    wanted: int

    @property
    def missing(self) -> int:
        return max(0, self.wanted - self.have)

    @property
    def surplus(self) -> int:
        return max(0, self.have - self.wanted)


@dataclass(frozen=True)
class Card:
    """One destination as the page shows it."""

    destination: Destination
    rows: list[Row]
    parts: list[Part]
    proposed: list[Visit]
    answered: list[Visit]
    unplanned: int
    amount: int
    travellers_limit: int

    @property
    def missing(self) -> int:
        return sum(part.missing for part in self.parts)

    @property
    def shows_surplus_reason(self) -> bool:
        return any(part.surplus for part in self.parts) or bool(self.destination.surplus_reason)

    @property
    def has_too_many_travellers(self) -> bool:
        return (self.destination.travellers or 0) > self.travellers_limit

    @property
    def shows_travellers_reason(self) -> bool:
        return self.has_too_many_travellers or bool(self.destination.travellers_reason)


@dataclass(frozen=True)
class Fund:
    """A source of money: what this delegation plans from it, and all delegations together (分)."""

    source: FundSource
    own: int
    others: int

    @property
    def used(self) -> int:
        return self.own + self.others

    @property
    def left(self) -> int | None:
        return None if self.source.ceiling is None else self.source.ceiling - self.used

    @property
    def is_over(self) -> bool:
        return self.left is not None and self.left < 0

    @property
    def left_words(self) -> str:
        """`余 12,000 元`; static/js/plan-money.js says the same while somebody types."""
        if self.left is None:
            return ""
        return f"超出上限 {show_yuan(-self.left)} 元" if self.left < 0 else f"余 {show_yuan(self.left)} 元"

    @property
    def percent(self) -> int:
        ceiling = self.source.ceiling
        return min(100, self.used * 100 // ceiling) if ceiling else 100 * bool(self.used)


class PlanPage:
    """Everything about one delegation's plan. Loads it again, so that it is one moment's view."""

    def __init__(self, pk: int) -> None:
        # Gone meanwhile: Delegation.DoesNotExist, like a get().
        found = plans(Delegation.objects.filter(pk=pk))
        if not found:
            raise Delegation.DoesNotExist
        self.delegation = found[0]
        self.rulebook = Rulebook.of(self.delegation.campaign)
        cube = budget.lines(Delegation.objects.filter(campaign=self.delegation.campaign_id))
        self._own = [line for line in cube if line.delegation == self.delegation.pk]
        self._others = [line for line in cube if line.delegation != self.delegation.pk]

    # -- rows

    @cached_property
    def cards(self) -> list[Card]:
        amounts = _amounts(self._own, lambda line: line.destination)
        return [self._card(d, amounts.get(d.pk, 0)) for d in self.delegation.destinations.all()]

    def _card(self, destination: Destination, amount: int) -> Card:
        norms, day = self.rulebook.norms, self.rulebook.norm_day(destination)
        rows = [
            Row(v, norms.in_force(subject_of(v.kind, v.category, v.is_hard_hit), day))
            # In the notice's order, whichever was added last.
            for v in sorted(planned(destination), key=lambda v: list(SHORT).index(Visit.Kind(v.kind)))
        ]
        parts = [
            Part(kind, SHORT[Visit.Kind(kind)], have, wanted)
            for kind, _, have, wanted in composition(destination, self.rulebook)
        ]
        visits = list(destination.visits.all())
        return Card(
            destination,
            rows,
            parts,
            proposed=[v for v in visits if v.standing == Visit.Standing.PROPOSED],
            answered=[v for v in visits if v.answered_at is not None],
            unplanned=sum(v.standing == Visit.Standing.UNPLANNED for v in visits),
            amount=amount,
            travellers_limit=self.rulebook.arrangement.travellers_limit,
        )

    # -- money

    @cached_property
    def funds(self) -> list[Fund]:
        own, others = (_amounts(lines, lambda line: line.source) for lines in (self._own, self._others))
        return [Fund(s, own.get(s.pk, 0), others.get(s.pk, 0)) for s in self.rulebook.sources]

    @property
    def without_source(self) -> int:
        return _amounts(self._own, lambda line: line.source).get(None, 0)

    @property
    def kinds(self) -> list[tuple[str, str, int]]:
        amounts = _amounts(self._own, lambda line: line.kind)
        return [(str(kind), str(kind.label), amounts.get(kind, 0)) for kind in SHORT]

    @property
    def amount(self) -> int:
        return budget.total(self._own).planned

    @property
    def amount_of_all(self) -> int:
        return self.amount + budget.total(self._others).planned

    # -- what is wrong

    @cached_property
    def problems(self) -> list[Problem]:
        """Errors first; a source over its ceiling is everybody's error."""
        used = {fund.source.pk: fund.used for fund in self.funds}
        found = problems_of(self.delegation, self.rulebook) + exceeded(used, self.rulebook)
        return sorted(found, key=lambda p: (ERROR, QUERY, GAP).index(p.level))

    @cached_property
    def problem_lines(self) -> list[dict[str, Any]]:
        return [self._line(problem) for problem in self.problems]

    def _line(self, problem: Problem) -> dict[str, Any]:
        return {
            "level": problem.level,
            "label": problem.label,
            "sentence": problem.sentence,
            "anchor": problem.anchor,
            "where": problem.where.removeprefix(str(self.delegation)).strip(),
            "is_explained": problem.is_explained,
            "reason": problem.reason,
            "stops": problem.stops,
            # Leader, liaison and destinations are arranged on another page.
            "is_head": problem.target.startswith("delegation:"),
        }

    @property
    def summary(self) -> str:
        """`错误 1 · 核实 2 · 待补 14 · 已说明 1`."""
        levels = [problem.level for problem in self.problems if not problem.is_explained]
        counts = [
            f"{LEVEL_LABELS[level]} {levels.count(level)}" for level in (ERROR, QUERY, GAP) if level in levels
        ]
        explained = len(self.problems) - len(levels)
        return " · ".join(counts + ([f"已说明 {explained}"] if explained else []))

    @cached_property
    def stopping(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.stops]

    @property
    def staying(self) -> list[Problem]:
        """Gaps that stay open, and explained departures, when the plan is locked as it is."""
        return [problem for problem in self.problems if not problem.stops]

    @property
    def visits(self) -> int:
        return sum(len(card.rows) for card in self.cards)

    @property
    def proposals(self) -> int:
        return sum(len(card.proposed) for card in self.cards)

    @property
    def first_proposed(self) -> int | None:
        """The first destination with an unanswered proposal."""
        return next((card.destination.pk for card in self.cards if card.proposed), None)

    # -- for the scripts

    @property
    def shape(self) -> str:
        """Which rows there are: a page that differs can't be brought up to date field by field."""
        return " ".join(
            f"{card.destination.pk}:"
            + ",".join(str(v.pk) for v in (*(row.visit for row in card.rows), *card.proposed))
            for card in self.cards
        )

    def answer(self) -> dict[str, Any]:
        """What a save may have changed besides the fields: for the page to show at once. Money as text, 分."""
        return {
            "revision": self.delegation.revision,
            "problems": self.problem_lines,
            "summary": self.summary,
            "others": {
                "total": str(budget.total(self._others).planned),
                "sources": {str(fund.source.pk): str(fund.others) for fund in self.funds},
            },
        }

    def facts(self) -> dict[str, Any]:
        """What the page reckons with while somebody types."""
        return self.answer() | {
            "shape": self.shape,
            "norms": [
                {
                    "subject": norm.subject,
                    "from": norm.valid_from.isoformat(),
                    "least": str(norm.least),
                    "most": str(norm.most),
                    "hint": norm_hint(norm),
                }
                for norm in self.rulebook.norms.rows
            ],
            # The day whose norms count where a destination has no date yet.
            "day": self.rulebook.norm_day(Destination()).isoformat(),
            "travellers": self.rulebook.arrangement.travellers_limit,
            "ceilings": {
                str(fund.source.pk): str(fund.source.ceiling)
                for fund in self.funds
                if fund.source.ceiling is not None
            },
        }


def _amounts(lines: Iterable[Line], key: Callable[[Line], Any]) -> dict[Any, int]:
    return {at: line.planned for at, line in fold(lines, key).items()}
