"""Round trips through a program that is not ours: LibreOffice opens, calculates and saves, as .xlsx and as .xls."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from reporting.incoming import imports
from tests.workbook.office import Office
from tests.workbooks.case import HELPCENTER, WARMTH, Made, sheet
from tests.workbooks.corpus import GOOD
from tests.workbooks.desk import Desk, at, change, lines_of
from tests.workflow.stage import Stage, make_stage
from unions.models import Union

KINDS = ("xlsx", "xls")


@pytest.fixture
def stage(db: None) -> Stage:
    return make_stage()


def calculated() -> Made:
    """Totals as formulas without results, which only a program that calculates can fill in; one that fails."""
    desk = Desk()
    for slug in (WARMTH, HELPCENTER):
        lines = lines_of(slug)
        place = {line.row: 6 + number for number, line in enumerate(lines)}
        for row in sheet(slug).rows:
            if row.parts:
                formula = "+".join(f"E{place[part]}" for part in row.parts)
                lines = change(lines, row.code, lambda line, f=formula: replace(line, figure=f"={f}"))
        if slug == HELPCENTER:
            lines = change(lines, "L", lambda line: line.typed("=1/0", None))
            lines = change(lines, "I", lambda line: line.typed("=(1=1)", "是"))
        desk.form(slug, lines)
    return desk.finish()


def blank_results() -> Made:
    """Formulas whose result is an empty text: blank, and nothing to tell of."""
    desk = Desk()
    lines = change(lines_of(WARMTH), "E1", lambda line: line.typed('=IF(Z1="","",Z1)', None))
    desk.form(WARMTH, lines)
    assert at(lines, "E1")
    return desk.finish()


def of(name: str) -> Callable[[], Made]:
    return next(case.make for case in GOOD if case.name == name)


# Name → its maker and patterns of what must be told. Layouts of every sort; what a name of a sheet may be differs.
WORKBOOKS: dict[str, tuple[Callable[[], Made], tuple[str, ...]]] = {
    "template": (of("our template, filled in"), ()),
    "copy": (of("our copy, untouched"), ()),
    "template with rows inserted": (of("our template, rows and columns inserted"), ()),
    "formulas": (calculated, (r"!E\d+ L：“#DIV/0!”是公式出错的结果",)),
    "blank results": (blank_results, ()),
    **{
        name: (of(name), ())
        for name in (
            "official",
            "shifted down and right",
            "remarks and last year before and after the figures",
            "a head of two lines",
            "labels merged over two columns, figures over two",
            "labels in two columns: the group merged over its rows",
            "both forms on one page, one below the other",
            "one form in two blocks side by side, to fit the paper",
            "without codes",
            "labels and values in cells of their own",
            "numbers kept as texts",
            "units behind the figures",
            "what sums of binary fractions leave behind",
            "as many digits as there may be",
            "letters of several typefaces in one cell",
            "pictures and comments",
            "an .xls in the format of 1997",
        )
    },
    "hidden": (of("last year's table hidden"), ("隐藏的工作表没有读取",)),
    "errors": (of("told: an error"), (r"!E\d+ E1：“#REF!”是公式出错",)),
    "date": (of("told: a date"), (r"!E\d+ E1：“2021-01-20”是日期",)),
}


@pytest.fixture
def saved_by_it(tmp_path: Path) -> dict[str, tuple[Made, dict[str, Path]]]:
    """Name → the workbook as it was made, and as LibreOffice has saved it, by kind."""
    made, office = {}, Office(tmp_path)
    for number, (name, (make, _)) in enumerate(WORKBOOKS.items()):
        source = tmp_path / f"{number}-made.{'xls' if '1997' in name else 'xlsx'}"
        made[name] = (make(), {kind: tmp_path / f"{number}.{kind}" for kind in KINDS})
        source.write_bytes(made[name][0].content)
        office.open(source)
        for path in made[name][1].values():
            office.save(path)
        office.close()
    office.work()
    return made


def test_what_libreoffice_has_saved_is_understood_to_the_last_digit(
    stage: Stage, saved_by_it: dict[str, tuple[Made, dict[str, Path]]]
) -> None:
    for name, (made, paths) in saved_by_it.items():
        for kind, path in paths.items():
            understood(stage, f"{name}.{kind}", made, path, WORKBOOKS[name][1])


def understood(stage: Stage, name: str, made: Made, path: Path, patterns: tuple[str, ...]) -> None:
    read = imports.understand(
        io.BytesIO(path.read_bytes()),
        name,
        campaigns=[stage.campaign],
        unions=list(Union.objects.all()),
        expected=stage.tree.harbin,
    )
    assert {form.sheet.slug: form.texts for form in read.forms} == made.values, name
    for form in read.forms:
        wanted = {code: made.cells[form.sheet.slug][code] for code in form.texts}
        assert {code: form.where[code] for code in form.texts} == wanted, name
    told = [f"{n.where} {n.sentence}" for form in read.forms for n in form.notes]
    told += [f"{note.where} {note.sentence}" for note in read.notes]
    assert all(any(re.search(pattern, text) for text in told) for pattern in patterns), (name, told)
    assert len(told) == len(patterns), (name, told)
    if made.head:
        assert read.forms[0].head == made.head, name
