"""What every page of reporting shows beside its own content."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from reporting.models import Message


def unread(request: HttpRequest) -> dict[str, Any]:
    """`unread_messages`: a number, asked of the database only where a template shows it."""
    acting = getattr(request, "actor", None)
    if acting is None:
        return {}
    return {
        "unread_messages": SimpleLazyObject(
            lambda: Message.objects.filter(person=acting.person, read_at=None).count()
        )
    }
