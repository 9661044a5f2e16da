"""How a page writes what stands on the paper."""

from __future__ import annotations

from django import template

from reporting.paper.code import short_code

register = template.Library()


@register.filter
def check_code(digest: str) -> str:
    """The short code of a digest, as printed: `3f2a 91bc 0d4e 77aa`."""
    return short_code(digest)
