"""Celery's part: look what is due. Losing every message loses nothing; all work is a row in PostgreSQL."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from reporting import exports
from reporting.aggregation import Progress, due_runs, work_off_one
from reporting.dispatch import deliver, due_mail
from reporting.incoming import batches
from reporting.models import AggregationRun, Export

log = logging.getLogger(__name__)


@shared_task(name="reporting.tick")
def tick() -> None:
    """Once a minute: make the timed runs that are due, work off waiting runs, send waiting e-mail, read and fill in
    workbooks that came many at once, make the exports that somebody waits for."""
    due_runs(timezone.now())
    aggregate_waiting()
    send_outbox()
    work_batches()
    make_exports()
    batches.sweep()


@shared_task(name="reporting.aggregate_waiting")
def aggregate_waiting() -> None:
    """Work off every waiting run that nobody else has claimed."""
    done: set[int] = set()
    while (run := work_off_one(progress_in_cache)) is not None:
        if run.pk in done:
            break  # it failed and waits for its next try; leave that to the next minute
        done.add(run.pk)


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


@shared_task(name="reporting.make_exports")
def make_exports() -> None:
    """Make every waiting export that nobody else has claimed; one that fails waits for the next minute."""
    tried: set[int] = set()
    while (export := exports.work_off_one(progress_in_cache, tried)) is not None:
        tried.add(export.pk)


# -- how far it is -----------------------------------------------------------------------------------------


def progress_key(work: AggregationRun | Export) -> str:
    return f"{work._meta.model_name}:{work.pk}"


def progress_in_cache(work: AggregationRun | Export) -> Progress:
    """How far a run or an export is, kept in Redis only: a picture for the waiting, not a fact."""

    def report(done: int, of: int, what: str) -> None:
        try:
            cache.set(progress_key(work), {"done": done, "of": of, "what": what}, timeout=3600)
        except Exception as error:
            log.warning("progress of %s not shown: %s", progress_key(work), error)

    return report


def known_progress(work: AggregationRun | Export) -> dict[str, Any] | None:
    """What the worker told last, as far as Redis knows; without Redis the row alone speaks."""
    try:
        known = cache.get(progress_key(work))
    except Exception as error:
        log.warning("progress of %s not known: %s", progress_key(work), error)
        return None
    return known if isinstance(known, dict) else None


# -- after commit: ask a worker to look at once ------------------------------------------------------------


def _ask_a_worker(task: Any) -> None:
    """Without a broker the next tick finds the rows."""
    try:
        task.delay()
    except Exception as error:
        log.warning("no worker told, the next tick will do %s: %s", task.name, error)


def start_aggregating() -> None:
    _ask_a_worker(aggregate_waiting)


def start_batches() -> None:
    _ask_a_worker(work_batches)


def start_exports() -> None:
    _ask_a_worker(make_exports)
