"""What every page knows of the person looking at it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from unions.gate import GRANTS


def actor(request: HttpRequest) -> dict[str, Any]:
    """`actor`, `acting_unions`, and `may.<action>` for the union acted for and those below.

    Empty before log-in, and before the first password is changed: every link would lead back to that page.
    """
    acting = getattr(request, "actor", None)
    if acting is None or acting.person.must_change_password:
        return {"actor": None, "may": {}}
    unions = {post.union.code: post.union for post in request.posts}  # type: ignore[attr-defined]
    return {
        "actor": acting,
        "acting_unions": list(unions.values()),
        "may": {action: acting.may_anywhere(action) for action in GRANTS},
    }
