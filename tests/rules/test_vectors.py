"""The readable vectors, reckoned in Python. tests/browser/test_entry_rules.py runs the same file in Chromium."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.rules.reckoning import parse, reckon

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", VECTORS["parse"], ids=lambda v: f"{v['kind']}-{v['typed'][:12]!a}")
def test_typed_text_becomes_a_figure_or_a_sentence(vector: dict[str, Any]) -> None:
    result = parse(vector["kind"], vector["unit"], vector["typed"])
    if "error" in vector:
        assert result == {"error": vector["error"]}
    else:
        assert result["figure"] == vector["figure"]


@pytest.mark.parametrize("vector", VECTORS["forms"], ids=lambda v: v["about"])
def test_a_form_has_these_totals_and_problems(vector: dict[str, Any]) -> None:
    result = reckon(vector["form"], vector["reporter"], vector["typed"], vector["touched"])
    assert {code: result["figures"][code] for code in vector["totals"]} == vector["totals"]
    assert [problem[:3] for problem in result["problems"]] == vector["problems"]
