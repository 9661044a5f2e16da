"""One delegation on the board: each destination a lane with its dates, composition, money and progress.

Everything comes loaded (`plans`, `budget`): no queries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from delegations import budget
from delegations.board.timeline import Bar, Window, overlapping
from delegations.budget import Line
from delegations.dates import span
from delegations.models import Delegation, Destination, Visit
from delegations.plans import ERROR, GAP, LEVEL_LABELS, QUERY, UNITS, Problem, Rulebook, composition
from delegations.recording import recorded

LANE = 40  # px: the height of a destination's lane, in board.css as well
LETTERS = {
    Visit.Kind.ENTERPRISE: "企",
    Visit.Kind.GRASSROOTS: "基",
    Visit.Kind.ON_SITE: "现",
    Visit.Kind.HOUSEHOLD: "户",
}


@dataclass(frozen=True)
class KindMark:
    """One kind of visit at one destination: how many there are of how many wanted."""

    letter: str
    label: str
    unit: str
    have: int
    wanted: int

    @property
    def state(self) -> str:
        if self.have < self.wanted:
            return "missing"
        return "surplus" if self.have > self.wanted else "met"

    @property
    def figures(self) -> str:
        return str(self.have) if self.have == self.wanted else f"{self.have}/{self.wanted}"

    @property
    def words(self) -> str:
        said = f"{self.label}应有 {self.wanted} {self.unit}，现有 {self.have} {self.unit}"
        off = abs(self.have - self.wanted)
        return (
            said
            + {"met": "", "missing": f"，缺 {off} {self.unit}", "surplus": f"，多 {off} {self.unit}"}[
                self.state
            ]
        )


@dataclass(frozen=True)
class Lane:
    """A destination on its delegation's timeline, `number` from above."""

    number: int
    destination: Destination
    bar: Bar | None
    actual: Bar | None  # when they really went, once that is recorded
    overlaps: bool
    kinds: list[KindMark]
    money: Line
    proposals: int
    # Since the plan is closed: planned visits a record is due of, those of them done, and what came on top.
    due: int
    done: int
    unplanned: int
    not_done: int
    material_kinds: int

    @property
    def is_wrong(self) -> bool:
        """Dates that can't stay as they are: red."""
        return self.overlaps or self.is_reversed or (self.bar is not None and self.bar.is_clipped)

    @property
    def is_reversed(self) -> bool:
        first, last = self.destination.first_day, self.destination.last_day
        return first is not None and last is not None and last < first

    @property
    def is_recorded(self) -> bool:
        """Whether there is progress to show."""
        return bool(self.due or self.unplanned)

    @property
    def dates(self) -> str:
        first, last = self.destination.first_day, self.destination.last_day
        if self.is_reversed:
            return "日期颠倒"
        if first and last:
            return span(first, last)
        return f"{span(first, first)}起" if first else f"至{span(last, last)}" if last else "日期待定"

    @property
    def words(self) -> str:
        """What the bar says to who points at it or can't see it."""
        said = f"{self.destination} {self.dates}"
        if self.overlaps:
            said += "，与本组其他单位重叠"
        if self.bar and self.bar.is_clipped:
            said += "，超出走访时间"
        return said

    # Heights within the delegation's drawing, px.
    @property
    def label_y(self) -> int:
        return self.number * LANE + 11

    @property
    def bar_y(self) -> int:
        return self.number * LANE + 14

    @property
    def actual_y(self) -> int:
        return self.number * LANE + 29

    @property
    def base_y(self) -> int:
        return (self.number + 1) * LANE


@dataclass(frozen=True)
class Row:
    """One delegation: its destinations in order, its money, how many problems of each level."""

    delegation: Delegation
    lanes: list[Lane]
    money: Line
    counts: list[tuple[str, str, int]]  # (level, label, number), only what there is

    @property
    def height(self) -> int:
        return max(1, len(self.lanes)) * LANE

    @property
    def proposals(self) -> int:
        return sum(lane.proposals for lane in self.lanes)

    @property
    def words(self) -> str:
        return f"{self.delegation}：" + ("；".join(lane.words for lane in self.lanes) or "还没有走访单位")


def row_of(
    delegation: Delegation,
    rulebook: Rulebook,
    window: Window | None,
    problems: list[Problem],
    money: Mapping[int, Line],
    material_kinds: Mapping[int, int],
) -> Row:
    destinations = list(delegation.destinations.all())
    overlaps = overlapping([(d.first_day, d.last_day) for d in destinations])
    nothing = budget.total(())
    lanes = []
    for number, destination in enumerate(destinations):
        visits = recorded(destination) if delegation.state != Delegation.State.PLANNING else []
        lanes.append(
            Lane(
                number=number,
                destination=destination,
                bar=window.bar(destination.first_day, destination.last_day) if window else None,
                actual=window.bar(destination.went_from, destination.went_until) if window else None,
                overlaps=number in overlaps,
                kinds=[
                    KindMark(LETTERS[Visit.Kind(kind)], label, UNITS[Visit.Kind(kind)], have, wanted)
                    for kind, label, have, wanted in composition(destination, rulebook)
                    if have or wanted
                ],
                money=money.get(destination.pk, nothing),
                proposals=sum(v.standing == Visit.Standing.PROPOSED for v in destination.visits.all()),
                due=sum(v.counts_in_plan for v in visits),
                done=sum(v.counts_in_plan and v.outcome == Visit.Outcome.DONE for v in visits),
                unplanned=sum(not v.counts_in_plan and v.outcome == Visit.Outcome.DONE for v in visits),
                not_done=sum(v.outcome == Visit.Outcome.NOT_DONE for v in visits),
                material_kinds=material_kinds.get(destination.pk, 0),
            )
        )
    open_levels = [p.level for p in problems if not p.is_explained]
    counts = [(level, LEVEL_LABELS[level], open_levels.count(level)) for level in (ERROR, QUERY, GAP)]
    return Row(
        delegation,
        lanes,
        sum((lane.money for lane in lanes), start=nothing),
        [count for count in counts if count[2]],
    )
