"""Records for tests: a destination recorded just as it was planned, with one file of each kind."""

from __future__ import annotations

from typing import Any

from delegations.models import Delegation, Destination, Material, MaterialKind, Visit
from delegations.plans import Problem, Rulebook, plans
from delegations.recording import checklists, record_problems
from tests.delegations.stage import IDENTITY_NUMBER, NAME, PlanStage

# The five facts about a household, every one of them to be found nowhere in clear.
TELEPHONE, ADDRESS, ILLNESS = (
    "13987654321",
    "哈尔滨市南岗区演示街道演示小区1栋2单元301室",
    "患演示病需长期透析",
)
CLEAR = {
    "name": NAME,
    "telephone": TELEPHONE,
    "identity_number": IDENTITY_NUMBER,
    "address": ADDRESS,
    "illness": ILLNESS,
}


def record(destination: Destination) -> None:
    """Every visit done on the first day and paid as planned; every text written."""
    destination.went_from, destination.went_until = destination.first_day, destination.last_day
    destination.participants = "带队领导、办公室、权益保障部"
    destination.spirit = destination.centres = destination.practice = "演示内容"
    destination.save()
    for visit in destination.visits.all():
        visit.outcome, visit.happened_on = Visit.Outcome.DONE, destination.first_day
        visit.paid_money, visit.paid_goods = visit.money, visit.goods
        visit.save()


def file_material(plan: PlanStage, destination: Destination, *kinds: str) -> None:
    """One of each kind (or of `kinds`), as a row only."""
    for kind in kinds or MaterialKind.values:
        Material.objects.create(
            destination=destination,
            kind=kind,
            file=f"materials/{destination.pk}/{kind}",
            name=f"演示{kind}.pdf",
            format="pdf",
            size=2048,
            sha256=f"{destination.pk}-{kind}",
            by=plan.liaison.person,
        )


def locked_and_recorded(plan: PlanStage) -> Delegation:
    """第1慰问组, locked, with nothing left to ask."""
    for destination in plan.first.destinations.all():
        record(destination)
        file_material(plan, destination)
    return plan.lock()


def problems(plan: PlanStage) -> list[Problem]:
    (loaded,) = plans(Delegation.objects.filter(pk=plan.first.pk))
    return record_problems(loaded, Rulebook.of(plan.campaign), checklists(loaded))


def change(row: Any, **values: Any) -> None:
    type(row).objects.filter(pk=row.pk).update(**values)
