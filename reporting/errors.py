"""What an action can answer besides success. Every one carries sentences for people, in Chinese."""

from __future__ import annotations


class ReportingError(Exception):
    """`sentences` is what to show; the first one is the heart of it."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(sentences[0])
        self.sentences = list(sentences)


class WrongState(ReportingError):
    """Somebody else moved first, or the page is stale. Not a matter of permission: look again."""


class Refused(ReportingError):
    """The action is allowed to this person now, but what was given does not satisfy it."""
