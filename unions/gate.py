"""The one gate: who sees which rows, and who may do what.

A request acts as an `Actor`: one person, for one union, with the roles held there. Rows come from
`Model.objects.visible_to(actor)` — the subtree of that union, nothing else exists (404). What the actor
may do with a visible row is the table `GRANTS`: role × relation × state (403 without the role; a wrong
state is a different sentence, because waiting or asking can mend it).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import models

if TYPE_CHECKING:
    from unions.models import Person, Union


class Role(models.TextChoices):
    FILLER = "filler", "填报员"
    SUBMITTER = "submitter", "负责人"
    REVIEWER = "reviewer", "审核员"
    ADMINISTRATOR = "administrator", "管理员"
    AUDITOR = "auditor", "审计员"
    # The two of attachment 3: what they may do depends on whose delegation it is, see delegations.access.
    LIAISON = "liaison", "联络员"
    LEADER = "leader", "带队领导"


class Relation(models.TextChoices):
    """Where the row's union stands, seen from the union the actor acts for."""

    OWN = "own", "本级"
    CHILD = "child", "直接下级"
    DEEPER = "deeper", "更下级"
    OUTSIDE = "outside", "范围之外"


@dataclass(frozen=True)
class Grant:
    roles: frozenset[Role]
    relations: frozenset[Relation]
    states: frozenset[str] | None = None
    root_only: bool = False


def _grant(
    roles: Iterable[Role],
    relations: Iterable[Relation],
    states: Iterable[str] | None = None,
    *,
    root_only: bool = False,
) -> Grant:
    return Grant(frozenset(roles), frozenset(relations), frozenset(states) if states else None, root_only)


_F, _S, _R, _A, _U = Role.FILLER, Role.SUBMITTER, Role.REVIEWER, Role.ADMINISTRATOR, Role.AUDITOR
_OWN, _CHILD, _DEEPER = Relation.OWN, Relation.CHILD, Relation.DEEPER
_OPEN = ("draft", "returned")

# The province has nobody above it: its own filing is reviewed by its own reviewers (relation OWN is
# honoured for reviewing only at the root, see Actor.may), and never by the person who submitted it.
GRANTS: dict[str, tuple[Grant, ...]] = {
    "view": (_grant([_F, _S], [_OWN]), _grant([_R, _A, _U], [_OWN, _CHILD, _DEEPER])),
    # A working copy is nobody's business above but the auditor's, who reads everything; reviewers and
    # administrators above see what was submitted.
    "view_draft": (_grant([_F, _S, _R, _A, _U], [_OWN]), _grant([_U], [_CHILD, _DEEPER])),
    "fill": (_grant([_F, _S], [_OWN], _OPEN),),
    # What came back by e-mail goes into drafts; submitting them stays the unions' own act.
    "import_batch": (_grant([_A], [_OWN, _CHILD, _DEEPER], _OPEN, root_only=True),),
    "submit": (_grant([_S], [_OWN], _OPEN),),
    "withdraw": (_grant([_S], [_OWN], ["submitted"]),),
    "review": (_grant([_R], [_CHILD]), _grant([_R], [_OWN], root_only=True)),
    "remark": (_grant([_R], [_CHILD], ["submitted"]), _grant([_R], [_OWN], ["submitted"], root_only=True)),
    "send_back": (_grant([_R], [_CHILD], ["submitted"]), _grant([_R], [_OWN], ["submitted"], root_only=True)),
    "approve": (_grant([_R], [_CHILD], ["submitted"]), _grant([_R], [_OWN], ["submitted"], root_only=True)),
    "reopen": (_grant([_R], [_CHILD], ["approved"]), _grant([_R], [_OWN], ["approved"], root_only=True)),
    "extend": (_grant([_A], [_OWN, _CHILD, _DEEPER], root_only=True),),
    "see_progress": (_grant([_R, _A, _U, _S], [_OWN, _CHILD, _DEEPER]),),
    "see_summary": (_grant([_R, _A, _U], [_OWN], root_only=True),),
    "aggregate": (_grant([_A], [_OWN], root_only=True),),
    "manage_campaign": (_grant([_A], [_OWN], root_only=True),),
    "manage_people": (_grant([_A], [_OWN, _CHILD, _DEEPER]),),
    "manage_unions": (_grant([_A], [_OWN, _CHILD, _DEEPER]),),
}


@dataclass(frozen=True)
class Actor:
    """A person acting for a union, with the roles held there. `union` is None for a person without posts."""

    person: Person
    union: Union | None
    roles: frozenset[Role] = field(default_factory=frozenset)

    def relation_to(self, union: Union) -> Relation:
        if self.union is None or not union.path.startswith(self.union.path):
            return Relation.OUTSIDE
        if union.pk == self.union.pk:
            return Relation.OWN
        return Relation.CHILD if union.parent_id == self.union.pk else Relation.DEEPER

    def may(self, action: str, union: Union, state: str | None = None) -> bool:
        """Whether this actor may do `action` to a row of `union`; with `state`, whether it may now."""
        relation = self.relation_to(union)
        return any(
            relation in grant.relations
            and self.roles & grant.roles
            and (not grant.root_only or (self.union is not None and self.union.is_root))
            and (state is None or grant.states is None or state in grant.states)
            for grant in GRANTS[action]
        )

    def may_here(self, action: str) -> bool:
        """Whether this actor may do `action` at the union acted for."""
        return self.union is not None and self.may(action, self.union)

    def may_anywhere(self, action: str) -> bool:
        """Whether there can be a union to which this actor may do `action`: what the navigation asks.

        A city's reviewer may not review the city itself, but does review its counties.
        """
        union = self.union
        return union is not None and any(
            self.roles & grant.roles and (union.is_root or not grant.root_only) for grant in GRANTS[action]
        )

    def require(self, action: str, union: Union) -> None:
        if not self.may(action, union):
            raise PermissionDenied("您的角色不能进行此项操作。如工作需要，请联系本级管理员。")

    def require_here(self, action: str) -> None:
        if not self.may_here(action):
            raise PermissionDenied("您的角色不能进行此项操作。如工作需要，请联系本级管理员。")

    def require_anywhere(self, action: str) -> None:
        if not self.may_anywhere(action):
            raise PermissionDenied("您的角色不能进行此项操作。如工作需要，请联系本级管理员。")


M = TypeVar("M", bound=models.Model)


class GatedQuerySet(models.QuerySet[M]):
    union_path = "path"

    def _clone(self) -> GatedQuerySet[M]:
        clone: GatedQuerySet[M] = super()._clone()  # type: ignore[misc]
        clone.union_path = self.union_path
        return clone

    def visible_to(self, actor: Actor) -> GatedQuerySet[M]:
        """The rows inside the subtree of the union the actor acts for; none without a union."""
        if actor.union is None:
            return self.none()
        return self.filter(**{f"{self.union_path}__startswith": actor.union.path})


class GatedManager(models.Manager[M]):
    """`GatedManager("filing__union__path")`: where the path of the union stands that a row belongs to."""

    def __init__(self, union_path: str = "path") -> None:
        super().__init__()
        self.union_path = union_path

    def get_queryset(self) -> GatedQuerySet[M]:
        queryset: GatedQuerySet[M] = GatedQuerySet(self.model, using=self._db)
        queryset.union_path = self.union_path
        return queryset

    def visible_to(self, actor: Actor) -> GatedQuerySet[M]:
        return self.get_queryset().visible_to(actor)
