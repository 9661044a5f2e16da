"""How the page's scripts talk to the server."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client
from django.urls import reverse

from reporting.models import Filing

Cell = tuple[str, str, str]  # code, base, value


def post_json(client: Client, url: str, body: Any) -> Any:
    data = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return client.post(
        url, data=data, content_type="application/json", headers={"Accept": "application/json"}
    )


def save(client: Client, filing: Filing, *cells: Cell, slug: str = "warmth", **more: Any) -> Any:
    body = {"cells": [{"code": c, "base": b, "value": v} for c, b, v in cells], **more}
    return post_json(client, reverse("save_cells", args=[filing.pk, slug]), body)


def save_head(client: Client, filing: Filing, **fields: tuple[str, str]) -> Any:
    """`save_head(client, filing, filler_name=("what stood", "what was typed"))`"""
    body = {"fields": {name: {"base": base, "value": value} for name, (base, value) in fields.items()}}
    return post_json(client, reverse("save_head", args=[filing.pk]), body)
