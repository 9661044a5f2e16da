"""What attachment 3 asks of somebody now: shown on 我的工作, where everybody lands."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q
from django.urls import reverse

from delegations.access import at_the_province
from delegations.dates import span
from delegations.models import Delegation, Destination, Visit
from unions.gate import Actor, Role

State = Delegation.State


@dataclass(frozen=True)
class Work:
    """One line: `title` leads to `url`; `state` is a word with its colour, `words` say what is to be done."""

    title: str
    url: str
    state: str
    css: str
    words: str
    action: str


def work_of(actor: Actor) -> list[Work]:
    """One query: own delegations for liaison and leader, coming visits for a visited union."""
    if at_the_province(actor):
        return _of_travellers(actor) if actor.roles & {Role.LIAISON, Role.LEADER} else []
    return _of_hosts(actor)


def _of_travellers(actor: Actor) -> list[Work]:
    visits = "destinations__visits"
    ours = Q(**{f"{visits}__standing__in": (Visit.Standing.PLANNED, Visit.Standing.UNPLANNED)})
    rows = (
        Delegation.objects.visible_to(actor)
        .filter(Q(liaison=actor.person) | Q(leader=actor.person))
        .exclude(state=State.ARCHIVED)
        .select_related("campaign")
        .annotate(
            places=Count("destinations", distinct=True),
            visits=Count(visits, filter=ours, distinct=True),
            recorded=Count(visits, filter=ours & ~Q(**{f"{visits}__outcome": ""}), distinct=True),
            proposals=Count(
                visits, filter=Q(**{f"{visits}__standing": Visit.Standing.PROPOSED}), distinct=True
            ),
        )
        .order_by("-campaign__year", "number")
    )
    return [_of_delegation(row, actor) for row in rows]


def _of_delegation(row: Delegation, actor: Actor) -> Work:
    counted = vars(row)  # the annotations
    liaison = row.liaison_id == actor.person.pk and Role.LIAISON in actor.roles
    words = f"走访单位 {counted['places']} 个，走访对象 {counted['visits']} 个"
    if row.state == State.LOCKED:
        words += f"，已填记录 {counted['recorded']} 个"
    if counted["proposals"]:
        words += f"，当地建议 {counted['proposals']} 条待答复"
    action = "查看"
    if liaison:
        action = "编制计划" if row.state == State.PLANNING else "填写记录"
    return Work(
        f"{row.campaign.title} · {row}",
        reverse("delegation", args=[row.pk]),
        row.get_state_display(),
        f"delegation-{row.state}",
        words,
        action,
    )


def _of_hosts(actor: Actor) -> list[Work]:
    rows = (
        Destination.objects.visible_to(actor)
        .exclude(delegation__state=State.ARCHIVED)
        .filter(campaign__is_closed=False)
        .select_related("delegation__campaign", "delegation")
        .order_by("-campaign__year")
    )
    return [
        Work(
            f"{row.delegation.campaign.title} · {row.delegation}来访",
            reverse("destination", args=[row.pk]),
            "计划中" if row.delegation.state == State.PLANNING else "已确定",
            f"delegation-{row.delegation.state}",
            f"{span(row.first_day, row.last_day) or '日期待定'}"
            + ("，可以建议走访对象" if row.delegation.state == State.PLANNING else ""),
            "查看",
        )
        for row in rows
    ]
