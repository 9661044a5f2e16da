"""Filters of the delegations' pages: `{{ visit.money|yuan }}`, `{{ visit|visit_name }}`, `{{ visit|typed:"money" }}`."""

from __future__ import annotations

from django import template

from delegations import typed
from delegations.models import Destination, Visit
from delegations.money import plain_yuan, show_yuan
from delegations.personal.households import masked_name

register = template.Library()


@register.filter
def yuan(fen: int | None) -> str:
    """分 → "30,000"; empty for None."""
    return show_yuan(fen)


@register.filter
def yuan_input(fen: int | None) -> str:
    """分 → "30000", as an input holds it."""
    return plain_yuan(fen)


@register.filter
def visit_name(visit: Visit) -> str:
    """The name of an enterprise, unit or person; of a household masked (张＊＊)."""
    return masked_name(visit) if visit.kind == Visit.Kind.HOUSEHOLD else visit.name


@register.filter(name="typed")
def typed_text(row: Destination | Visit, name: str) -> str:
    """A field as its data-code control shows it."""
    return typed.show(row, name)
