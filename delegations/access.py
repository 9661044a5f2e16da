"""Who sees which delegation, and who may do what to it: role × bond × state, one table.

The tree of unions can't say whose delegation it is, so this table stands beside `unions.gate.GRANTS`:
an actor's bond to a delegation follows from the roles at the province and from the delegation's own rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Q
from django.http import Http404

from unions.gate import Actor, Role

if TYPE_CHECKING:
    from delegations.models import Delegation, Destination


class Bond(models.TextChoices):
    OFFICE = "office", "省总管理员"
    READER = "reader", "省总审核员、审计员"
    LIAISON = "liaison", "本组联络员"
    LEADER = "leader", "本组带队领导"
    HOST = "host", "被走访单位"
    PROPOSER = "proposer", "被走访单位填报、上报、管理人员"


_OFFICE, _READER, _LIAISON, _LEADER, _HOST, _PROPOSER = Bond
_PLANNING, _LOCKED, _ARCHIVED = "planning", "locked", "archived"
_ANY = frozenset({_PLANNING, _LOCKED, _ARCHIVED})

# action → (who, in which states of the delegation)
GRANTS: dict[str, tuple[frozenset[Bond], frozenset[str]]] = {
    # the delegation as a whole; a host sees its own destination only
    "view": (frozenset({_OFFICE, _READER, _LIAISON, _LEADER}), _ANY),
    "view_destination": (frozenset(Bond), _ANY),
    "arrange": (frozenset({_OFFICE}), frozenset({_PLANNING})),  # destinations and their order
    # Leader, members, liaison: somebody falls ill also after the plan was locked.
    "head": (frozenset({_OFFICE}), frozenset({_PLANNING, _LOCKED})),
    "plan": (frozenset({_OFFICE, _LIAISON}), frozenset({_PLANNING})),
    "lock": (frozenset({_OFFICE}), frozenset({_PLANNING})),
    "unlock": (frozenset({_OFFICE}), frozenset({_LOCKED})),
    "record": (frozenset({_OFFICE, _LIAISON}), frozenset({_LOCKED})),
    "file": (frozenset({_OFFICE, _LIAISON}), frozenset({_LOCKED})),
    "archive": (frozenset({_OFFICE}), frozenset({_LOCKED})),
    "reopen": (frozenset({_OFFICE}), frozenset({_ARCHIVED})),
    "propose": (frozenset({_PROPOSER}), frozenset({_PLANNING})),
    "answer": (frozenset({_OFFICE, _LIAISON}), frozenset({_PLANNING})),
    # personal data of households: asked for with a reason, recorded
    "reveal": (frozenset({_OFFICE, _LIAISON}), _ANY),
    # what a place handed over about households never goes to others
    "read_household_files": (frozenset({_OFFICE, _READER, _LIAISON}), _ANY),
    "export": (frozenset({_OFFICE, _READER, _LIAISON, _LEADER}), _ANY),
}

NOT_YOURS = "您的角色不能进行此项操作。如工作需要，请联系省总工会权益保障部。"
_WRITERS = {Role.FILLER, Role.SUBMITTER, Role.ADMINISTRATOR}
_WHOLE_PLAN = {Role.ADMINISTRATOR, Role.REVIEWER, Role.AUDITOR}


def at_the_province(actor: Actor) -> bool:
    return actor.union is not None and actor.union.is_root


def is_office(actor: Actor) -> bool:
    return at_the_province(actor) and Role.ADMINISTRATOR in actor.roles


def sees_all(actor: Actor) -> bool:
    return at_the_province(actor) and bool(actor.roles & _WHOLE_PLAN)


def sees_a_plan(actor: Actor) -> bool:
    """Whether the pages of plans are there for the actor, if only for the own delegation."""
    return at_the_province(actor) and bool(actor.roles & (_WHOLE_PLAN | {Role.LIAISON, Role.LEADER}))


def bonds(actor: Actor, delegation: Delegation, destination: Destination | None = None) -> frozenset[Bond]:
    found = set()
    if at_the_province(actor):
        if Role.ADMINISTRATOR in actor.roles:
            found.add(Bond.OFFICE)
        if actor.roles & {Role.REVIEWER, Role.AUDITOR}:
            found.add(Bond.READER)
        if Role.LIAISON in actor.roles and delegation.liaison_id == actor.person.pk:
            found.add(Bond.LIAISON)
        if Role.LEADER in actor.roles and delegation.leader_id == actor.person.pk:
            found.add(Bond.LEADER)
    if destination is not None and actor.union is not None and destination.union_id == actor.union.pk:
        found.add(Bond.HOST)
        if actor.roles & _WRITERS:
            found.add(Bond.PROPOSER)
    return frozenset(found)


def may(
    actor: Actor,
    action: str,
    delegation: Delegation,
    destination: Destination | None = None,
    *,
    now: bool = True,
) -> bool:
    """Whether the actor may; with `now` (the default) also whether the delegation's state allows it."""
    who, states = GRANTS[action]
    return bool(who & bonds(actor, delegation, destination)) and (not now or delegation.state in states)


def require(
    actor: Actor, action: str, delegation: Delegation, destination: Destination | None = None
) -> None:
    """403 without the bond. A wrong state is another matter: the actions say it in their own words."""
    if not may(actor, action, delegation, destination, now=False):
        raise PermissionDenied(NOT_YOURS)


def require_office(actor: Actor) -> None:
    if not is_office(actor):
        raise PermissionDenied(NOT_YOURS)


def require_a_plan(actor: Actor) -> None:
    if not sees_a_plan(actor):
        raise PermissionDenied(NOT_YOURS)


# -- rows --------------------------------------------------------------------------------------------------

M = TypeVar("M", bound=models.Model)


def _own(actor: Actor, delegation: str) -> Q:
    """The delegations that are the actor's own; `delegation` is the path to them, "" or "delegation__"."""
    own = Q(pk__in=())
    if at_the_province(actor):
        if Role.LIAISON in actor.roles:
            own |= Q(**{f"{delegation}liaison": actor.person.pk})
        if Role.LEADER in actor.roles:
            own |= Q(**{f"{delegation}leader": actor.person.pk})
    return own


class DelegationRows(models.Manager[M]):
    def visible_to(self, actor: Actor) -> models.QuerySet[M]:
        return self.all() if sees_all(actor) else self.filter(_own(actor, ""))


class DestinationRows(models.Manager[M]):
    def visible_to(self, actor: Actor) -> models.QuerySet[M]:
        return self.filter(_destinations(actor, ""))


class RowsOfDestinations(models.Manager[M]):
    """`RowsOfDestinations("visit__destination")`: where the destination stands that a row belongs to."""

    def __init__(self, destination: str = "destination") -> None:
        super().__init__()
        self.destination = destination

    def visible_to(self, actor: Actor) -> models.QuerySet[M]:
        return self.filter(_destinations(actor, f"{self.destination}__"))


def _destinations(actor: Actor, destination: str) -> Q:
    if sees_all(actor):
        return Q()
    host = Q(**{f"{destination}union": actor.union.pk}) if actor.union else Q(pk__in=())
    return _own(actor, f"{destination}delegation__") | host


def reach(actor: Actor, rows: models.QuerySet[M], delegation: str, pk: Any) -> M:
    """The visible row, or the right refusal. `delegation` is the path to its delegation ("" if it is one).

    The notice is public, so a liaison or leader who knocks at another delegation's door hears whose it is;
    for everybody else what is not visible does not exist.
    """
    visible = rows.model._default_manager.visible_to(actor)  # type: ignore[attr-defined]
    row = rows.filter(pk__in=visible.filter(pk=pk).values("pk")).first()
    if row is not None:
        return row
    if sees_a_plan(actor):
        number = rows.filter(pk=pk).values_list(f"{delegation}number", flat=True).first()
        if number is not None:
            raise PermissionDenied(
                f"这是第{number}慰问组的内容，只有该组联络员、带队领导和省总工会管理员可以查看。"
            )
    raise Http404("当前单位下没有这项内容。请确认右上角的当前单位。")
