"""Celery's part: forget uploads that nobody came back to finish."""

from __future__ import annotations

import logging

from celery import shared_task

from delegations.files import uploads

log = logging.getLogger(__name__)


@shared_task(name="delegations.sweep")
def sweep() -> None:
    """Once an hour."""
    forgotten, files = uploads.sweep()
    if forgotten or files:
        log.info("forgot %s unfinished uploads and %s files without one", forgotten, files)
