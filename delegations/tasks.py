"""Celery's part: forget uploads that nobody came back to finish."""

from __future__ import annotations

from celery import shared_task


@shared_task(name="delegations.sweep")
def sweep() -> None:
    """Once an hour."""
