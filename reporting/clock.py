"""What time it is. Deadlines go by the database's clock; everything else by the server's.

`pinned` lets the sample round be played, and tests be run, at a moment of their choosing.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection
from django.utils import timezone

_pinned: ContextVar[datetime.datetime | None] = ContextVar("pinned", default=None)


def now() -> datetime.datetime:
    return _pinned.get() or timezone.now()


def database_now() -> datetime.datetime:
    """The database's clock: deadlines don't depend on which web server answers."""
    if pinned_to := _pinned.get():
        return pinned_to
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime.datetime = cursor.fetchone()[0]
    return moment


@contextmanager
def pinned(moment: datetime.datetime) -> Iterator[None]:
    """Inside, it is `moment` for every action of this thread."""
    token = _pinned.set(moment)
    try:
        yield
    finally:
        _pinned.reset(token)
