"""Planned and paid money, summed in SQL: one cube of destination × kind × source that every table folds.

All amounts are 分. Planned counts the visits of the plan, and done those of them that were visited: of five
planned visits never six are done. Visits that nobody planned are counted beside them. Paid sums up both, under
the source it was really paid from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from delegations.models import Delegation, Visit


@dataclass(frozen=True)
class Line:
    """What stands under one destination, kind and source. `source` None: not chosen yet.

    `done` counts under the source a visit was planned from, `unplanned` and what was paid under the one that paid.
    """

    delegation: int
    destination: int
    kind: str
    source: int | None
    visits: int = 0
    money: int = 0
    goods: int = 0
    done: int = 0
    unplanned: int = 0
    paid_money: int = 0
    paid_goods: int = 0

    @property
    def planned(self) -> int:
        return self.money + self.goods

    @property
    def paid(self) -> int:
        return self.paid_money + self.paid_goods

    @property
    def difference(self) -> int:
        """Paid less planned."""
        return self.paid - self.planned

    def __add__(self, other: Line) -> Line:
        figures = {name: getattr(self, name) + getattr(other, name) for name in FIGURES}
        return replace(self, **figures)


FIGURES = ("visits", "money", "goods", "done", "unplanned", "paid_money", "paid_goods")


def lines(delegations: QuerySet[Delegation]) -> list[Line]:
    """The cube. Two queries, whatever the number of visits."""
    visits = Visit.objects.order_by().filter(destination__delegation__in=delegations)
    cube: dict[tuple[int, str, int | None], Line] = {}
    planned = (
        visits.filter(standing=Visit.Standing.PLANNED)
        .values(d=F("destination__delegation"), at=F("destination"), what=F("kind"), fund=F("source"))
        .annotate(
            n=Count("pk"),
            done=Count("pk", filter=Q(outcome=Visit.Outcome.DONE)),
            m=Sum("money"),
            g=Sum("goods"),
        )
    )
    for row in planned:
        key = (row["at"], row["what"], row["fund"])
        money, goods = row["m"] or 0, row["g"] or 0
        cube[key] = Line(row["d"], *key, visits=row["n"], money=money, goods=goods, done=row["done"])
    paid = (
        visits.filter(outcome=Visit.Outcome.DONE)
        .filter(Q(standing=Visit.Standing.PLANNED) | Q(standing=Visit.Standing.UNPLANNED))
        .values(
            d=F("destination__delegation"),
            at=F("destination"),
            what=F("kind"),
            fund=Coalesce("paid_source", "source"),
        )
        .annotate(
            unplanned=Count("pk", filter=Q(standing=Visit.Standing.UNPLANNED)),
            m=Sum("paid_money"),
            g=Sum("paid_goods"),
        )
    )
    for spent in paid:
        key = (spent["at"], spent["what"], spent["fund"])
        line = cube.get(key) or Line(spent["d"], *key)
        cube[key] = replace(
            line, unplanned=spent["unplanned"], paid_money=spent["m"] or 0, paid_goods=spent["g"] or 0
        )
    return list(cube.values())


K = TypeVar("K")


def fold(cube: Iterable[Line], key: Callable[[Line], K]) -> dict[K, Line]:
    """Sums by any key: `fold(cube, lambda line: line.kind)`."""
    sums: dict[K, Line] = {}
    for line in cube:
        at = key(line)
        sums[at] = sums[at] + line if at in sums else line
    return sums


def total(cube: Iterable[Line]) -> Line:
    """Everything; a line of zeros when there is nothing."""
    return sum(cube, start=Line(0, 0, "", None))
