"""Celery's part: look what is due. Losing every message loses nothing; all work is a row in PostgreSQL."""

from __future__ import annotations

import logging

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from reporting.aggregation import Progress, due_runs, work_off_one
from reporting.dispatch import deliver, due_mail
from reporting.incoming import batches
from reporting.models import AggregationRun

log = logging.getLogger(__name__)


@shared_task(name="reporting.tick")
def tick() -> None:
    """Once a minute: make the timed runs that are due, work off waiting runs, send waiting e-mail, read and fill in
    workbooks that came many at once."""
    due_runs(timezone.now())
    aggregate_waiting()
    send_outbox()
    work_batches()
    batches.sweep()


@shared_task(name="reporting.aggregate_waiting")
def aggregate_waiting() -> None:
    """Work off every waiting run that nobody else has claimed."""
    done: set[int] = set()
    while (run := work_off_one(progress_in_cache)) is not None:
        if run.pk in done:
            break  # it failed and waits for its next try; leave that to the next minute
        done.add(run.pk)


def progress_key(run_id: int) -> str:
    return f"aggregation:{run_id}"


def progress_in_cache(run: AggregationRun) -> Progress:
    """How far a run is, kept in Redis only: a picture for the waiting, not a fact."""

    def report(done: int, of: int, what: str) -> None:
        try:
            cache.set(progress_key(run.pk), {"done": done, "of": of, "what": what}, timeout=3600)
        except Exception as error:
            log.warning("progress of run %s not shown: %s", run.pk, error)

    return report


def start_aggregating() -> None:
    """After commit: ask a worker to look at once. Without a broker the next tick finds the row."""
    try:
        aggregate_waiting.delay()
    except Exception as error:
        log.warning("no worker told, the next tick will find the run: %s", error)


@shared_task(name="reporting.send_outbox")
def send_outbox() -> None:
    """Send what is due, one mail after the other, each claimed so that no two workers send the same."""
    while (pk := due_mail()) is not None:
        if error := deliver(pk):
            log.warning("e-mail %s not sent: %s", pk, error)


@shared_task(name="reporting.work_batches")
def work_batches() -> None:
    """Read and fill in every workbook of a batch that nobody else has claimed."""
    while batches.work_off_one() is not None:
        pass


def start_batches() -> None:
    """After commit: ask a worker to look at once. Without a broker the next tick finds the rows."""
    try:
        work_batches.delay()
    except Exception as error:
        log.warning("no worker told, the next tick will find the batch: %s", error)
