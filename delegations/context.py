"""What every page's navigation knows of attachment 3."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from delegations.access import is_office, sees_a_plan
from delegations.work import work_of
from unions.models import Union


def navigation(request: HttpRequest) -> dict[str, Any]:
    """`delegations_tab`: whether to show it. Costs no query; a city that nobody visits meets an empty page.
    `delegations_work`: what is to be done, for 我的工作."""
    actor = getattr(request, "actor", None)
    if actor is None or actor.person.must_change_password or actor.union is None:
        return {}
    hosts = actor.union.kind in (Union.Kind.CITY, Union.Kind.INDUSTRY)
    # Asked of the database only where a page shows it.
    work: Any = SimpleLazyObject(lambda: work_of(actor)) if hosts or sees_a_plan(actor) else []
    return {
        "delegations_work": work,
        "delegations_tab": hosts or sees_a_plan(actor),
        "is_delegations_office": is_office(actor),
    }
