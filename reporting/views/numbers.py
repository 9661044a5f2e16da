"""Numbers that a page had put into an address or a form."""

from __future__ import annotations


def number_in(text: str | None, otherwise: int = 0) -> int:
    """What was sent as a number of at most nine digits; for anything else `otherwise`, which no row has."""
    sent = text or ""
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 10 else otherwise
