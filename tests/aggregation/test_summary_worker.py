"""A demanded summary with a real Celery worker over the real Valkey, and without any."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from reporting.models import AggregationRun, Summary
from reporting.tasks import aggregate_waiting
from tests.aggregation.processes import environment
from tests.aggregation.sealed import Province, make_province
from unions.models import Person

# A port on which nobody listens.
NOWHERE = "redis://127.0.0.1:1"


@pytest.fixture
def scene(transactional_db: None) -> Province:
    province = make_province(cities=2)
    province.approve_all()
    return province


def line_with(process: subprocess.Popen[str], text: str) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return line
    raise AssertionError(f"the worker ended without saying {text!r}")


def test_a_worker_does_what_the_page_demands(scene: Province, sign_in: Callable[[Person], Client]):
    assert os.environ.get("REDIS_URL"), "this test needs the real Valkey that `make test` starts"
    client = sign_in(scene.director)
    answer = client.post(reverse("aggregate", args=[scene.campaign.pk]))
    run = AggregationRun.objects.get()
    assert answer.headers["Location"] == reverse("run_progress", args=[run.pk])
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "-P", "solo", "-l", "INFO"]
    worker = subprocess.Popen(
        [*command, "--without-mingle", "--without-gossip"],
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    guard = threading.Timer(60, worker.kill)
    guard.start()
    try:
        line_with(worker, f"{aggregate_waiting.name}[")
        line_with(worker, "succeeded")
    finally:
        guard.cancel()
        worker.kill()
        worker.communicate()
    run.refresh_from_db()
    assert (run.state, run.summary) == (AggregationRun.State.DONE, Summary.objects.get())
    page = client.get(answer.headers["Location"])
    assert page.headers["Location"] == reverse("summary", args=[run.summary_id, "warmth"])


DEMANDS = """
import django; django.setup()
from django.test import Client
from unions.models import Person
client = Client()
client.force_login(Person.objects.get(pk={person}))
answer = client.post("{address}")
print(answer.status_code, client.get(answer.headers["Location"]).status_code)
"""


def test_without_redis_the_demand_is_kept_and_the_page_still_answers(scene: Province):
    script = DEMANDS.format(person=scene.director.pk, address=reverse("aggregate", args=[scene.campaign.pk]))
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(REDIS_URL=NOWHERE, SONGWENNUAN_ENV="test"),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "302 200\n"
    assert "no worker told" in done.stderr
    assert time.monotonic() - began < 20
    assert AggregationRun.objects.get().state == AggregationRun.State.WAITING
    aggregate_waiting()
    assert AggregationRun.objects.get().state == AggregationRun.State.DONE


def test_without_a_cache_the_row_alone_tells_how_far_it_is(
    scene: Province, sign_in: Callable[[Person], Client], settings: Any
):
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": NOWHERE}
    }
    run = AggregationRun.objects.create(campaign=scene.campaign, key="nightly:2021-01-20")
    client = sign_in(scene.director)
    address = reverse("run_progress", args=[run.pk])
    assert "排队中" in client.get(address).content.decode()
    aggregate_waiting()
    assert client.get(address).status_code == 302
