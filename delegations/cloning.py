"""A campaign cloned for another year takes its delegations along: who leads, who belongs, where they go.

Dates, visits, money and records are that year's own and stay behind.
"""

from __future__ import annotations

import re
from typing import Any

from django.dispatch import receiver

from delegations.models import Arrangement, Delegation, Destination, FundSource
from delegations.planning import people_as
from delegations.plans import COMPOSITION_FIELDS
from reporting.campaigns import campaign_cloned
from reporting.models import Campaign
from unions.gate import Role
from unions.models import Person


@receiver(campaign_cloned, dispatch_uid="delegations.clone")
def clone_delegations(sender: Any, *, source: Campaign, made: Campaign, **_: Any) -> None:
    """Inside the transaction of the clone; new ceilings are decided anew."""
    arrangement = Arrangement.objects.filter(campaign=source).first()
    if arrangement is not None:
        names = (*COMPOSITION_FIELDS.values(), "travellers_limit")
        Arrangement.objects.create(campaign=made, **{name: getattr(arrangement, name) for name in names})
    shift = made.year - source.year
    for fund in FundSource.objects.filter(campaign=source):
        FundSource.objects.create(campaign=made, name=_of_year(fund.name, shift), position=fund.position)
    for delegation in Delegation.objects.filter(campaign=source).prefetch_related("destinations__union"):
        copy = Delegation.objects.create(
            campaign=made,
            number=delegation.number,
            leader_name=delegation.leader_name,
            leader=_still(delegation.leader, Role.LEADER),
            member_units=delegation.member_units,
            liaison_name=delegation.liaison_name,
            liaison=_still(delegation.liaison, Role.LIAISON),
            liaison_phone=delegation.liaison_phone,
        )
        Destination.objects.bulk_create(
            Destination(delegation=copy, campaign=made, union=d.union, position=d.position)
            for d in delegation.destinations.all()
            if d.union.is_active
        )


def _of_year(name: str, shift: int) -> str:
    """2020年助困送温暖资金 → 2021年助困送温暖资金. Every year in a name moves, so that no two names meet."""
    return re.sub(r"20\d\d(?=年)", lambda year: str(int(year[0]) + shift), name)


def _still(person: Person | None, role: Role) -> Person | None:
    """The account, if it still holds the post."""
    return person if person and people_as(role).filter(pk=person.pk).exists() else None
