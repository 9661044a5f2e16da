"""Celery's part: look what is due. Losing every message loses nothing; all work is a row in PostgreSQL."""

from __future__ import annotations

import datetime
import logging

from celery import shared_task
from django.core.cache import cache
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone

from reporting.aggregation import Progress, due_runs, work_off_one
from reporting.models import AggregationRun, Outbox

log = logging.getLogger(__name__)

MAX_MAIL_ATTEMPTS = 8


@shared_task(name="reporting.tick")
def tick() -> None:
    """Once a minute: make the timed runs that are due, work off waiting runs, send waiting e-mail."""
    due_runs(timezone.now())
    aggregate_waiting()
    send_outbox()


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
    """Send what is due, one row a transaction, claimed so that no two workers send the same."""
    while True:
        with transaction.atomic():
            mail = (
                Outbox.objects.select_for_update(skip_locked=True)
                .filter(sent_at=None, due_at__lte=timezone.now(), attempts__lt=MAX_MAIL_ATTEMPTS)
                .order_by("due_at")
                .first()
            )
            if mail is None:
                return
            mail.attempts += 1
            try:
                send_mail(mail.subject, mail.body, None, [mail.to])
                mail.sent_at, mail.error = timezone.now(), ""
            except Exception as error:
                # Whatever is wrong with one letter (address, header, server), the others must go out.
                log.warning("e-mail %s not sent: %s", mail.pk, error)
                mail.error = f"{type(error).__name__}: {error}"[:300]
                mail.due_at = timezone.now() + datetime.timedelta(minutes=2**mail.attempts)
            mail.save()
