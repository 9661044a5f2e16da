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
