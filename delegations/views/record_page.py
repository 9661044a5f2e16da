"""What stands on the record page of one destination: cards, fields, problems. Nothing here writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from delegations.access import may
from delegations.models import Delegation, Destination, FundSource, Visit
from delegations.money import show_yuan
from delegations.personal.households import masked_name
from delegations.plans import Problem, Rulebook, norm_departure, plans
from delegations.recording import (
    Checklist,
    Difference,
    checklists,
    differences,
    paid_over_ceiling,
    record_problems,
    recorded,
)
from delegations.typed import UNPLANNED, in_words, label_of, show
from unions.middleware import ActingRequest


@dataclass(frozen=True)
class Field:
    """One thing that can be typed. `text` is what the control holds, `shown` what is read without it."""

    code: str
    label: str
    kind: str  # day, yuan, text, area, choice, flag
    text: str
    shown: str
    options: tuple[tuple[str, str], ...] = ()
    blank: str = "未填"  # what is read where nothing was filled in

    @property
    def anchor(self) -> str:
        return self.code.replace(":", "-")


@dataclass(frozen=True)
class Card:
    """A visit: what was planned, what was done."""

    number: int
    visit: Visit
    name: str
    fields: dict[str, Field]
    differences: list[Difference]
    norm: str

    @property
    def is_household(self) -> bool:
        return self.visit.kind == Visit.Kind.HOUSEHOLD

    @property
    def is_unplanned(self) -> bool:
        return self.visit.standing == Visit.Standing.UNPLANNED

    @property
    def asks_why(self) -> bool:
        return bool(self.differences) or bool(self.visit.difference_reason)

    @property
    def sentence(self) -> str:
        return "；".join(difference.sentence for difference in self.differences)


KINDS = {
    **dict.fromkeys(("went_from", "went_until", "happened_on"), "day"),
    **dict.fromkeys(("paid_money", "paid_goods"), "yuan"),
    **dict.fromkeys(("spirit", "centres", "practice", "difficulties", "wishes", "good_practice"), "area"),
    **dict.fromkeys(("outcome", "category", "paid_source_id"), "choice"),
    "is_hard_hit": "flag",
}
# An unplanned visit has no plan whose source would count.
NO_CHOICE, AS_PLANNED = (("", "请选择"),), (("", "同计划"),)


def _field(row: Destination | Visit, name: str, sources: dict[int, FundSource], **more: Any) -> Field:
    text = show(row, name)
    kind = KINDS.get(name, "text")
    shown = {
        "yuan": lambda: show_yuan(getattr(row, name)),
        "choice": lambda: in_words(row, name, text, sources),
    }
    return Field(
        code=f"{row._meta.model_name}:{row.pk}:{name}",
        label="实付资金来源" if name == "paid_source_id" else label_of(row, name),
        kind=kind,
        text=text,
        shown=shown[kind]() if text and kind in shown else text,
        **more,
    )


def _card(number: int, visit: Visit, page: Page) -> Card:
    household = visit.kind == Visit.Kind.HOUSEHOLD
    unplanned = visit.standing == Visit.Standing.UNPLANNED
    sources = {source.pk: source for source in page.rulebook.sources}
    names = [name for name in UNPLANNED if name != "is_hard_hit" or visit.kind == Visit.Kind.ENTERPRISE]
    if not unplanned:
        names = [name for name in names if name not in ("category", "name", "is_hard_hit")]
    options = {
        "outcome": (*NO_CHOICE, *Visit.Outcome.choices),
        "category": (*NO_CHOICE, *((c, Visit.Category(c).label) for c in Visit.CATEGORIES[visit.kind])),
        "paid_source_id": (
            *(NO_CHOICE if unplanned else AS_PLANNED),
            *(
                (str(pk), source.name)
                for pk, source in sources.items()
                if pk != visit.source_id or pk == visit.paid_source_id
            ),
        ),
    }
    fields = {
        name: _field(
            visit,
            name,
            sources,
            options=tuple((value, str(label)) for value, label in options.get(name, ())),
            blank="同计划" if name == "paid_source_id" and not unplanned else "未填",
        )
        for name in names
        if not (household and name == "name")
    }
    return Card(
        number=number,
        visit=visit,
        name=masked_name(visit) if household else visit.name,
        fields=fields,
        differences=differences(visit),
        norm=norm_departure(visit, page.destination, page.rulebook) if visit.counts_in_plan else "",
    )


@dataclass(frozen=True)
class Page:
    delegation: Delegation
    destination: Destination
    rulebook: Rulebook
    checklist: Checklist
    # Of the whole delegation: it is archived as a whole.
    problems: list[Problem]

    @classmethod
    def of(cls, destination: Destination) -> Page:
        """Everything about the destination and its delegation anew. Eight queries."""
        (delegation,) = plans(Delegation.objects.filter(pk=destination.delegation_id))
        lists = checklists(delegation)
        rulebook = Rulebook.of(delegation.campaign)
        own = next(one for one in lists if one.destination.pk == destination.pk)
        problems = record_problems(delegation, rulebook, lists)
        return cls(delegation, own.destination, rulebook, own, problems)

    @property
    def cards(self) -> list[Card]:
        return [_card(n, visit, self) for n, visit in enumerate(recorded(self.destination), start=1)]

    @property
    def fields(self) -> dict[str, Field]:
        """Of the destination as a whole."""
        names = ("went_from", "went_until", "participants", "spirit", "centres", "practice")
        return {name: _field(self.destination, name, {}) for name in names}

    def problem_lines(self) -> list[dict[str, Any]]:
        """What is still open at this destination, with where on the page it is mended."""
        return [
            line
            for line in self._lines()
            if line["destination"] == self.destination.pk and (line["stops"] or line["may_stay"])
        ]

    def stopping(self) -> list[dict[str, Any]]:
        """What keeps the delegation from being archived."""
        return [line for line in self._lines() if line["stops"]]

    def staying(self, *, ceilings: bool) -> list[dict[str, Any]]:
        """What may stay as it is when it is archived for a reason; with `ceilings`, which all delegations share and
        only who sees all may read of, what was paid over them."""
        lines = [line for line in self._lines() if line["may_stay"]]
        for problem in paid_over_ceiling(self.delegation, self.rulebook) if ceilings else ():
            href = reverse("delegation_account", args=[self.delegation.campaign_id])
            shown = {"level": problem.level, "label": problem.label, "sentence": problem.sentence}
            lines.append({**shown, "href": href, "where": problem.where})
        return lines

    def _lines(self) -> list[dict[str, Any]]:
        places = {}
        for d in self.delegation.destinations.all():
            places[f"destination:{d.pk}"] = d
            places |= {f"visit:{visit.pk}": d for visit in d.visits.all()}
        return [
            {
                "level": problem.level,
                "label": problem.label,
                "sentence": problem.sentence,
                "href": self._href(problem, places[problem.target].pk),
                "where": str(places[problem.target]),
                "destination": places[problem.target].pk,
                "stops": problem.stops,
                "may_stay": problem.may_stay,
            }
            for problem in self.problems
        ]

    def _href(self, problem: Problem, destination: int) -> str:
        if problem.field == "materials":
            return reverse("materials", args=[destination])
        page = "" if destination == self.destination.pk else reverse("record", args=[destination])
        return f"{page}#{problem.target.replace(':', '-')}-{problem.field}"

    def state(self, request: ActingRequest) -> dict[str, Any]:
        """What static/js/record.js and typed.js know of the page."""
        return {
            "person": request.user.pk,
            "filing": f"destination-{self.destination.pk}",
            "slug": "record",
            "url": reverse("save_record", args=[self.destination.pk]),
            "login": reverse("login"),
            "revision": self.delegation.revision,
            "typing": may(request.actor, "record", self.delegation),
        }
