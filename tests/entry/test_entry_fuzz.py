"""Whatever stands in the body, the answer is a status and a sentence, never a 500."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reporting.filling import working_row
from tests.entry.asking import post_json, save_head
from tests.entry.rounds import Scene
from unions.models import Person

SignIn = Callable[[Person], Client]
STRANGE: list[Any] = [
    None, True, 0, 1.5, -1, 10**30, "", "x", "\x00", "\ud800", "😀", "a" * 5000, [], [[]], {}, {"a": []}, float("nan")
]  # fmt: skip
BODIES: list[str | bytes] = [
    b"", b"{", b"null", b"[]", b"1", b'"x"', b"\xff\xfe", b"[" * 60000, b"1" * 60000, b'{"cells":', b"NaN",
    b'{"cells": [1,2]}', b'{"cells": {}}', b'{"cells": [[]]}', b"a" * 70000, b'{"a":1}{"b":2}',
    *(json.dumps({"cells": thing, "rule": thing, "text": thing, "filled_on": thing, "filler_name": thing})
      for thing in STRANGE),
    *(json.dumps({"cells": [{"code": "B", "base": thing, "value": thing}]}) for thing in STRANGE),
    *(json.dumps({"cells": [{"code": thing, "base": "", "value": "1"}]}) for thing in STRANGE),
    *(json.dumps({"cells": [], "person": thing}) for thing in STRANGE),
    *(json.dumps({"rule": thing, "text": "足够长的一段说明"}) for thing in STRANGE),
    *(json.dumps({"rule": "D_above_A", "text": thing, "shown": {}}) for thing in STRANGE),
    *(json.dumps({"rule": "D_above_A", "text": "足够长的一段说明", "shown": thing}) for thing in [*STRANGE, {"A": 1}]),
    *(json.dumps({"fields": thing}) for thing in [*STRANGE, {"filler_name": "x"}, {"x": {}}]),
    *(json.dumps({"fields": {"filler_name": {"base": "", "value": thing, "sent": thing}}}) for thing in STRANGE),
    *(json.dumps({"fields": {"filler_name": {"base": thing, "value": thing}}}) for thing in STRANGE),
    *(json.dumps({"fields": {"filled_on": {"base": "", "value": thing}}})
      for thing in [*STRANGE, "0001-01-01", "9999-12-31", "10000-01-01", "2021-W03-3"]),
    *(json.dumps({"cells": [{"code": "B", "base": "", "value": "1", "sent": thing}]}) for thing in STRANGE),
    json.dumps({"cells": [{"code": "B", "base": "", "value": "1"}] * 201}),
]  # fmt: skip


def urls(scene: Scene) -> list[str]:
    pk = scene.filing.pk
    return [
        reverse("save_cells", args=[pk, "warmth"]),
        reverse("explain", args=[pk, "helpcenter"]),
        reverse("save_head", args=[pk]),
    ]


def test_no_body_is_a_500(scene: Scene, sign_in: SignIn) -> None:
    client = sign_in(scene.filler)
    for url in urls(scene):
        for body in BODIES:
            answer = post_json(client, url, body)
            assert answer.status_code in (200, 400, 409, 422), (url, body[:80], answer.content)
            answer.json()


@pytest.mark.parametrize("body", [b"a" * 70000, b"[" * 60000, b"\xff"])
def test_a_body_that_is_none_of_ours_is_400_in_chinese(body: bytes, scene: Scene, sign_in: SignIn) -> None:
    answer = post_json(sign_in(scene.filler), urls(scene)[0], body)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith("。")


def test_more_than_200_cells_at_once_are_refused_whole(scene: Scene, sign_in: SignIn) -> None:
    cells = [{"code": "B", "base": "", "value": str(n)} for n in range(201)]
    answer = post_json(sign_in(scene.filler), urls(scene)[0], {"cells": cells})
    assert (answer.status_code, "200" in answer.json()["error"]) == (400, True)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(), max_size=250))
def test_any_text_is_kept_or_said_to_be_wrong(scene: Scene, sign_in: SignIn, text: str) -> None:
    client = sign_in(scene.filler)
    for slug, code in (("warmth", "B"), ("warmth", "A1"), ("warmth", "A"), ("helpcenter", "I")):
        stands = working_row(scene.filing, slug).text(code)
        url = reverse("save_cells", args=[scene.filing.pk, slug])
        answer = post_json(client, url, {"cells": [{"code": code, "base": stands, "value": text}]})
        assert answer.status_code == 200, answer.content
        data = answer.json()
        assert data["cells"].get(code) == working_row(scene.filing, slug).text(code)


def test_strange_words_come_back_as_words_never_as_markup(scene: Scene, sign_in: SignIn) -> None:
    client = sign_in(scene.filler)
    nasty = "</script><b onclick=x>\"'&"
    post_json(client, urls(scene)[0], {"cells": [{"code": "B", "base": "", "value": nasty}]})
    save_head(client, scene.filing, filler_name=("", nasty))
    page = client.get(reverse("form_page", args=[scene.filing.pk, "warmth"])).content.decode()
    assert "<b onclick" not in page
    assert "&lt;/script&gt;&lt;b onclick=x&gt;&quot;&#x27;&amp;" in page
