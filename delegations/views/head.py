"""What stands above every page of one delegation: title, state, tabs, and the way to its outputs."""

from __future__ import annotations

from typing import Any

from delegations.access import GRANTS, may
from delegations.models import Delegation, Destination
from unions.middleware import ActingRequest

PLAN, RECORD, MATERIALS, HISTORY = "plan", "record", "materials", "history"


def head(
    request: ActingRequest, delegation: Delegation, tab: str, destination: Destination | None = None
) -> dict[str, Any]:
    """For templates that extend delegations/delegation_base.html. One query unless destinations are prefetched."""
    destinations = list(delegation.destinations.all())
    return {
        "delegation": delegation,
        "campaign": delegation.campaign,
        "tab": tab,
        "destination": destination,
        "destinations": destinations,
        # `can.<action>`: role and state; `role_may.<action>`: the role alone, to say what the state forbids
        "can": {action: may(request.actor, action, delegation) for action in GRANTS},
        "role_may": {action: may(request.actor, action, delegation, now=False) for action in GRANTS},
    }
