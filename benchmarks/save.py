"""save: autosave of one cell — session, gate, lock, rules, audit — against a bare view with one UPDATE.

Both run behind the same middleware, logged in, in this process; requests per second by the wall clock.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client, override_settings
from django.urls import path

from benchmarks.measure import Line, in_turns, report
from config.urls import urlpatterns as product
from reporting.filling import working_row
from reporting.models import Campaign, Filing
from unions.models import Person
from warmth.models import WarmthForm

BATCH = 20


def bare(request: HttpRequest, pk: int) -> HttpResponse:
    """What one would write first: parse, UPDATE, answer."""
    figure = json.loads(request.body)["cells"][0]["value"]
    if request.user.is_authenticated:
        WarmthForm.objects.filter(filing=pk, round=None).update(E1=int(figure))
    return JsonResponse({"at": "10:32"})


urlpatterns = [*product, path("bare/<int:pk>/", bare)]


def run(campaign: Campaign, person: Person) -> bool:
    filing = Filing.objects.get(campaign=campaign, union__short_name="哈尔滨")
    working_row(filing, "warmth")
    client = Client()
    client.force_login(person)
    WarmthForm.objects.filter(filing=filing, round=None).update(E1=0)
    numbers = count(1)

    def batch(url: str) -> Callable[[], None]:
        def post() -> None:
            for _ in range(BATCH):
                number = next(numbers)
                cells = [{"code": "E1", "base": str(number - 1), "value": str(number)}]
                answer = client.post(url, json.dumps({"cells": cells}), content_type="application/json")
                assert answer.status_code == 200 and b'"conflicts": [{' not in answer.content, answer.content

        return post

    with override_settings(ROOT_URLCONF="benchmarks.save"):
        results = in_turns(
            {
                f"bare view, {BATCH} saves": batch(f"/bare/{filing.pk}/"),
                f"autosave, {BATCH} saves": batch(f"/filings/{filing.pk}/forms/warmth/cells/"),
            },
            rounds=15,
            clock="wall",
        )
    floor, ours = (result.median for result in results.values())
    return report(
        "save — one changed cell (wall clock)",
        results,
        [Line("rate of the bare view", floor / ours, 0.5, at_most=False)],
    )
