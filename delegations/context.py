"""What every page's navigation knows of attachment 3."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from delegations.access import is_office, sees_a_plan
from unions.models import Union


def navigation(request: HttpRequest) -> dict[str, Any]:
    """`delegations_tab`: whether to show it. Costs no query; a city that nobody visits meets an empty page."""
    actor = getattr(request, "actor", None)
    if actor is None or actor.person.must_change_password or actor.union is None:
        return {}
    hosts = actor.union.kind in (Union.Kind.CITY, Union.Kind.INDUSTRY)
    return {"delegations_tab": hosts or sees_a_plan(actor), "is_delegations_office": is_office(actor)}
