"""Every workbook of the corpus: good ones to the last digit and cell, bad ones with their sentence, nothing stored."""

from __future__ import annotations

import io
import re
import resource
import time

import pytest

from reporting.errors import Refused
from reporting.incoming import imports
from reporting.models import CellChange, Import
from reporting.reading.intake import require_workbook
from tests.workbooks.case import Bad, Good
from tests.workbooks.corpus import BAD, GOOD
from tests.workflow.stage import Stage, make_stage
from unions.gate import Role
from unions.models import Union

# Seconds of computing, the making of the workbook not counted. A refusal from outside, a whole reading.
REFUSAL, READING = 1.0, 1.0


@pytest.fixture
def stage(db: None) -> Stage:
    return make_stage()


def used() -> float:
    """Seconds of computing by this process and the children that it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def understand(stage: Stage, case: Good | Bad, content: bytes) -> imports.Understood:
    return imports.understand(
        io.BytesIO(content),
        case.file,
        campaigns=[stage.campaign],
        unions=list(Union.objects.all()),
        expected=stage.tree.harbin,
    )


def test_there_are_enough_of_them_and_none_has_two_names() -> None:
    names = [(case.kind, case.name) for case in (*GOOD, *BAD)]
    assert len(names) == len(set(names))
    assert len(GOOD) >= 60
    assert len(BAD) >= 60


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_good(stage: Stage, case: Good) -> None:
    made = case.make()
    before = used()
    read = understand(stage, case, made.content)
    assert used() - before < READING
    assert {form.sheet.slug: form.texts for form in read.forms} == made.values
    for form in read.forms:
        found = {code: form.where[code] for code in form.texts}
        assert found == {c: p for c, p in made.cells[form.sheet.slug].items() if c in form.texts}
        # What was left out stands under another heading than what is only to be checked.
        codes = {place: code for code, place in form.where.items()}
        for note in form.notes:
            if code := codes.get(note.where):
                assert note.is_read == (code in form.texts), note
    assert read.union == stage.tree.harbin
    told = [note for form in read.forms for note in form.notes] + read.notes
    told_as = [f"{note.where} {note.sentence}" for note in told]
    for pattern in case.notes:
        assert any(re.search(pattern, text) for text in told_as), (pattern, told_as)
    assert len(told_as) == len(case.notes), told_as
    if made.head:
        assert read.forms[0].head == made.head


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_bad(stage: Stage, case: Bad) -> None:
    content = case.make().content
    filing, filler = stage.filing(stage.tree.harbin), stage.actor(stage.tree.harbin, Role.FILLER)
    before = used()
    with pytest.raises(Refused) as refusal:
        imports.prepare(filing=filing, file=io.BytesIO(content), name=case.file, by=filler)
    assert re.search(case.says, refusal.value.sentences[0]), refusal.value.sentences
    if case.unread:
        assert used() - before < REFUSAL
        with pytest.raises(Refused, match=case.says):
            require_workbook(io.BytesIO(content), case.file)
    assert not Import.objects.exists()
    assert not CellChange.objects.exists()
    for sentence in refusal.value.sentences:
        assert sentence.endswith("。")
        assert len(sentence) < 400
        assert sentence.isprintable()
