"""Two people on one form at the same moment, on real connections."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from reporting.filling import Change, Saved, save_cells, working_row
from reporting.models import CellChange
from tests.cast import actor
from tests.entry.rounds import make_scene
from unions.models import Person

pytestmark = pytest.mark.django_db(transaction=True)


def test_different_cells_merge_and_the_same_cell_conflicts() -> None:
    scene = make_scene()
    sheet = list(working_row(scene.filing, "warmth").fields().values())
    parts = [f.code for f in sheet if not f.of]
    start = Barrier(2)

    def type_all(who: Person, codes: list[str], value: str) -> list[Saved]:
        try:
            by = actor(who, scene.tree.harbin)
            start.wait(10)
            saves = [[Change(code, "", value)] for code in codes]
            return [save_cells(filing=scene.filing, slug="warmth", changes=c, by=by) for c in saves]
        finally:
            connection.close()

    shared = "G"
    mine, theirs = [*parts[:20:2], shared], [*parts[1:21:2], shared]
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(type_all, scene.filler, mine, "3")
        second = pool.submit(type_all, scene.colleague, theirs, "4")
        saves = first.result(60) + second.result(60)

    row = working_row(scene.filing, "warmth")
    for code in mine[:-1]:
        assert row.text(code) == "3", code
    for code in theirs[:-1]:
        assert row.text(code) == "4", code
    conflicts = [conflict for saved in saves for conflict in saved.conflicts]
    assert [c["code"] for c in conflicts] == [shared]
    assert {row.text(shared), conflicts[0]["yours"]} == {"3", "4"}
    assert conflicts[0]["theirs"] == row.text(shared)
    # No total was computed from a picture of yesterday.
    for code in row.totals_inside_out():
        filled = [f for part in row.fields()[code].of if (f := getattr(row, part)) is not None]
        assert getattr(row, code) == (sum(filled) if filled else None), code
    assert CellChange.objects.count() == len(mine) + len(theirs) - 1


def test_both_open_an_untouched_form_at_once_and_there_is_one_working_copy() -> None:
    scene = make_scene()
    start = Barrier(4)

    def open_it() -> int:
        try:
            start.wait(10)
            return int(working_row(scene.filing, "helpcenter").pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        pks = {future.result(30) for future in [pool.submit(open_it) for _ in range(4)]}
    assert len(pks) == 1
