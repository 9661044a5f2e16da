"""How a browser files material, piece by piece, without a browser."""

from __future__ import annotations

import base64
from typing import Any

from django.test import Client
from django.urls import reverse

from delegations.models import Destination

JSON = {"Accept": "application/json", "Tus-Resumable": "1.0.0"}
PIECE = "application/offset+octet-stream"


def metadata(**facts: str) -> str:
    return ",".join(f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in facts.items())


def announce(client: Client, destination: Destination, kind: str, name: str, size: Any, **facts: str) -> Any:
    headers = JSON | {
        "Upload-Length": str(size),
        "Upload-Metadata": metadata(filename=name, kind=kind, **facts),
    }
    return client.post(reverse("create_upload", args=[destination.pk]), headers=headers)


def send(client: Client, url: str, offset: Any, piece: bytes, **more: str) -> Any:
    headers = JSON | {"Upload-Offset": str(offset)} | more
    # Of an empty body the test client would not say what it is.
    plain = {} if piece else {"CONTENT_TYPE": PIECE, "CONTENT_LENGTH": "0"}
    return client.generic("PATCH", url, piece, content_type=PIECE, headers=headers, **plain)


def ask(client: Client, url: str) -> Any:
    return client.head(url, headers=JSON)


def give_up(client: Client, url: str) -> Any:
    return client.delete(url, headers=JSON)


def file_it(
    client: Client, destination: Destination, kind: str, name: str, content: bytes, piece: int = 10**9
) -> Any:
    """The answer that ends it: 204, or the refusal."""
    answer = announce(client, destination, kind, name, len(content))
    if answer.status_code != 201:
        return answer
    url, offset = answer["Location"], 0
    while True:
        answer = send(client, url, offset, content[offset : offset + piece])
        if answer.status_code != 204 or "Upload-Material" in answer:
            return answer
        offset = int(answer["Upload-Offset"])
