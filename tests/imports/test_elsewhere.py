"""Round trips through a program that is not ours: LibreOffice opens, calculates and saves, as .xlsx and as .xls."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from reporting.fields import YesNoField
from reporting.filling import working_row
from reporting.incoming import imports
from reporting.models import Import
from reporting.sheets import sheets_for
from tests.workbook.test_summary_workbook_elsewhere import office
from tests.workbooks.case import HELPCENTER, WARMTH, Made, figures, sheet, whole_figures
from tests.workbooks.corpus import GOOD
from tests.workbooks.desk import Desk, at, change, lines_of
from tests.workflow.stage import Stage, make_stage
from unions.gate import Role
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


def converted(kind: str, folder: Path, names: Iterable[str]) -> dict[str, tuple[Made, Path]]:
    """All of them by one call: starting the program takes longer than its work."""
    sources, out = folder / "sources", folder / kind
    sources.mkdir()
    made = {}
    for number, name in enumerate(names):
        is_binary = "1997" in name
        source = sources / f"{number}.{'xls' if is_binary else 'xlsx'}"
        made[name] = (WORKBOOKS[name][0](), out / f"{number}.{kind}")
        source.write_bytes(made[name][0].content)
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [office(), profile, "--headless", "--convert-to", kind, "--outdir", str(out)]
    subprocess.run(
        [*command, *map(str, sorted(sources.iterdir()))], check=True, capture_output=True, timeout=240
    )
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_what_libreoffice_has_saved_is_understood_to_the_last_digit(
    stage: Stage, tmp_path: Path, kind: str
) -> None:
    for name, (made, path) in converted(kind, tmp_path, WORKBOOKS).items():
        read = imports.understand(
            io.BytesIO(path.read_bytes()),
            f"{name}.{kind}",
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
        patterns = WORKBOOKS[name][1]
        assert all(any(re.search(pattern, text) for text in told) for pattern in patterns), (name, told)
        assert len(told) == len(patterns), (name, told)
        if made.head:
            assert read.forms[0].head == made.head, name


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_filled_in_and_saved_by_it_ends_in_the_draft(
    stage: Stage, tmp_path: Path, kind: str
) -> None:
    """Uploaded, looked at, confirmed: every figure stands in the draft, and both forms add up."""
    ((_, path),) = converted(kind, tmp_path, ["template"]).values()
    filing, filler = stage.filing(stage.tree.harbin), stage.actor(stage.tree.harbin, Role.FILLER)
    kept = imports.prepare(
        filing=filing, file=io.BytesIO(path.read_bytes()), name=f"哈尔滨.{kind}", by=filler
    )
    shown = {d.code: d.new for form in imports.preview(kept) if form.slug == WARMTH for d in form.differences}
    assert shown == figures(WARMTH)
    imports.confirm(kept=kept, by=filler)
    kept.refresh_from_db()
    assert kept.state == Import.State.CONFIRMED
    for form in sheets_for(stage.campaign):
        row = working_row(filing, form.slug)
        assert row.figures == whole_figures()[form.slug]
        assert any(isinstance(field, YesNoField) for field in form.fields.values()) == (
            form.slug == HELPCENTER
        )
        assert form.check(row.figures, filing.union.kind) == []
