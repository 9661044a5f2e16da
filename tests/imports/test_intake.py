"""What keeps a stranger's file from doing harm: limits of the child that reads it, and refusals that cost little."""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest

from reporting.errors import Refused
from reporting.reading import intake
from reporting.reading.intake import Cell, letters, read_workbook, require_workbook, shown
from tests.workbooks import raw
from tests.workbooks.binary import compound
from tests.workbooks.corpus import BAD, Bad
from tests.workbooks.good_raw import binary_page, inline, rows

MEGABYTE = 1024 * 1024
PAGE = "表"
TOO_LARGE = "内容过大，不能接收。请只保留报表"


def workbook(inside: str, **more: str) -> bytes:
    return raw.packed({**raw.parts({PAGE: raw.sheet(inside)}), **more})


def read(content: bytes, name: str = "报表.xlsx") -> list[intake.Page]:
    return list(read_workbook(io.BytesIO(content), name))


def script(folder: Path, text: str) -> Path:
    """A child of our own making."""
    path = folder / "child.py"
    path.write_text(text)
    return path


# -- limits that hold --------------------------------------------------------------------------------------


def test_a_file_that_costs_too_much_computing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven million elements: seconds of work for the child, which has one here."""
    monkeypatch.setattr(intake, "SECONDS", 1)
    content = workbook(f"<row>{'<c/>' * 7_000_000}</row>")
    began = time.monotonic()
    with pytest.raises(Refused, match=TOO_LARGE):
        read(content)
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("megabytes", [100, 160])
def test_a_file_that_costs_too_much_memory_is_given_up(
    monkeypatch: pytest.MonkeyPatch, megabytes: int
) -> None:
    """Two million strings of one letter: little in the file, much in the parser's hands. It may end in the middle of
    inflating, which is an error, or in the parser, which is an abort."""
    monkeypatch.setattr(intake, "MEMORY", megabytes)
    strings = f'<sst xmlns="{raw.MAIN}">{"<si><t>a</t></si>" * 2_300_000}</sst>'
    parts = raw.parts({PAGE: raw.sheet(rows(inline))}, strings=strings)
    with pytest.raises(Refused, match=TOO_LARGE):
        read(raw.packed(parts))


def test_a_child_that_only_waits_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(intake, "PATIENCE", 1)
    monkeypatch.setattr(intake, "CHILD", script(tmp_path, "import time; time.sleep(60)"))
    began = time.monotonic()
    with pytest.raises(Refused, match=TOO_LARGE):
        read(workbook(""))
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    "answer",
    ["", "{}", "[]", "null", '{"sheets": 5}', '{"sheets": [{}]}', '{"refused": 7}', "坏", "\0"],
)
def test_a_child_that_answers_nonsense_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str
) -> None:
    """Whoever has taken the child over can say anything."""
    monkeypatch.setattr(intake, "CHILD", script(tmp_path, f"print({answer!r})"))
    with pytest.raises(Refused, match="打不开"):
        read(workbook(""))


ESCAPES = """
import importlib.util, os, socket, sys
spec = importlib.util.spec_from_file_location("read_child", sys.argv[1])
child = importlib.util.module_from_spec(spec)
spec.loader.exec_module(child)
child.confine(512, 5)
def tried(what):
    try:
        what()
    except OSError as problem:
        return type(problem).__name__
    return "possible"
print(tried(lambda: open("/etc/passwd")))
print(tried(lambda: socket.create_connection(("127.0.0.1", 9))))
print(tried(lambda: socket.socket()))
print(tried(lambda: os.pipe()))
print(tried(lambda: os.listdir("/")))
print(os.geteuid())
"""


def test_the_child_can_open_nothing_and_is_nobody() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", ESCAPES, str(intake.CHILD)], capture_output=True, text=True, check=True
    )
    *tries, user = done.stdout.split()
    assert len(tries) == 5
    assert "possible" not in tries
    assert int(user) == (os.geteuid() or 65_534)


def test_the_child_can_start_nothing_where_limits_bind_it() -> None:
    """Root is bound by no number of processes; whoever it becomes is."""
    text = ESCAPES + "pid = os.fork()\n"
    done = subprocess.run(
        [sys.executable, "-I", "-c", text, str(intake.CHILD)], capture_output=True, text=True, check=False
    )
    assert "BlockingIOError" in done.stderr


def test_what_the_child_writes_has_an_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location("read_child", {str(intake.CHILD)!r})
child = importlib.util.module_from_spec(spec)
spec.loader.exec_module(child)
child.confine(512, 5)
while True:
    sys.stdout.write("x" * 1_000_000)
"""
    monkeypatch.setattr(intake, "CHILD", script(tmp_path, text))
    with pytest.raises(Refused):
        read(workbook(""))


# -- refusals from outside ---------------------------------------------------------------------------------

UNREAD = [case for case in BAD if case.unread]


@pytest.mark.parametrize("case", UNREAD, ids=lambda case: case.name)
def test_a_refusal_from_outside_starts_no_child_and_takes_no_memory(
    monkeypatch: pytest.MonkeyPatch, case: Bad
) -> None:
    content = io.BytesIO(case.make().content)
    monkeypatch.setattr(subprocess, "run", None)
    tracemalloc.start()
    try:
        with pytest.raises(Refused, match=case.says):
            read_workbook(content, case.file)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 60 * MEGABYTE


def test_names_in_sentences_are_harmless_and_short() -> None:
    assert shown("报\u202e表\x00\n\x1b[31m.xlsx") == "报表[31m.xlsx"
    assert shown("长" * 100) == "长" * 59 + "…"
    with pytest.raises(Refused) as refusal:
        require_workbook(io.BytesIO(b""), "a\r\nb\u202e" + "长" * 300)
    assert refusal.value.sentences[0].isprintable()
    assert len(refusal.value.sentences[0]) < 100


def test_any_damage_is_a_refusal() -> None:
    """Some bytes changed, cut out or put in, a hundred ways: a workbook still, or a sentence; never an error."""
    chance = random.Random(30)
    sound = [
        workbook(rows(inline)),
        raw.packed(raw.parts({PAGE: raw.sheet(rows(inline))}), level=0),
        compound({"Workbook": binary_page().stream()}),
    ]
    outcomes = set()
    for number in range(45):
        content = bytearray(sound[number % 3])
        for _ in range(chance.choice((1, 1, 4, 40))):
            at = chance.randrange(len(content))
            kind = chance.randrange(3)
            if kind == 0:
                content[at] = chance.randrange(256)
            elif kind == 1:
                del content[at : at + chance.randrange(1, 60)]
            else:
                content[at:at] = chance.randbytes(chance.randrange(1, 30))
        try:
            outcomes.add(f"{len(read(bytes(content)))} pages")
        except Refused as refusal:
            outcomes.add(refusal.sentences[0][6:12])
            assert refusal.sentences[0].startswith("“报表.xlsx”")
    assert len(outcomes) > 2


# -- what is read ------------------------------------------------------------------------------------------


def test_kinds_of_cells_merges_and_formulas() -> None:
    cells = (
        '<c r="A1" t="inlineStr"><is><t>甲</t></is></c><c r="B1"><v>0.1</v></c><c r="C1" t="b"><v>1</v></c>'
        '<c r="D1" t="e"><v>#REF!</v></c><c r="E1"><f>SUM(B1)</f></c><c r="F1"><f>SUM(B1)</f><v>3</v></c>'
        '<c r="G1" t="str"><f>""</f><v></v></c><c r="H1"><f t="shared" si="0"/><v></v></c><c r="I1"/>'
    )
    page = raw.sheet(f'<row r="1">{cells}</row>', further='<mergeCells><mergeCell ref="A2:B4"/></mergeCells>')
    (found,) = read(raw.packed(raw.parts({PAGE: page})))
    assert {letters(column): cell for (_, column), cell in found.cells.items()} == {
        "A": Cell("s", "甲"),
        "B": Cell("n", "0.1"),
        "C": Cell("b", "1"),
        "D": Cell("e", "#REF!"),
        "F": Cell("n", "3"),
    }
    assert found.uncalculated == {(1, 5), (1, 8)}
    assert found.merged == ((2, 1, 4, 2),)
    assert not found.hidden


def test_a_promised_result_is_none() -> None:
    """Programs that can't calculate write 0 as the result and ask the next one to calculate on loading."""
    row = '<row r="1"><c r="A1"><f>SUM(B1)</f><v>0</v></c><c r="B1"><v>0</v></c></row>'
    asked = raw.parts({PAGE: raw.sheet(row)}, further='<calcPr fullCalcOnLoad="1"/>')
    assert read(raw.packed(asked))[0].uncalculated == {(1, 1)}
    assert read(raw.packed(raw.parts({PAGE: raw.sheet(row)})))[0].uncalculated == frozenset()


def test_every_sheet_is_its_own_whatever_the_parts_are_called() -> None:
    """Names, keys and parts in three different orders, one sheet hidden, one of no cells, one chart between them."""
    parts = raw.parts(
        {"一": raw.sheet('<row r="1"><c r="A1" t="e"><v>#N/A</v></c></row>'), "二": raw.sheet("")}
    )
    parts["xl/workbook.xml"] = (
        f'{raw.XML}<workbook xmlns="{raw.MAIN}" xmlns:r="{raw.LINKS}"><sheets>'
        '<sheet name="二" sheetId="9" r:id="rId2"/><sheet name="图" sheetId="3" r:id="rId3"/>'
        '<sheet name="一" sheetId="4" state="veryHidden" r:id="rId1"/></sheets></workbook>'
    )
    targets = [("worksheet", "worksheets/sheet1.xml"), ("worksheet", "/xl/worksheets/sheet2.xml")]
    parts["xl/_rels/workbook.xml.rels"] = raw.links([*targets, ("chartsheet", "chartsheets/sheet1.xml")])
    parts["xl/chartsheets/sheet1.xml"] = f'{raw.XML}<chartsheet xmlns="{raw.MAIN}"/>'
    pages = read(raw.packed(parts))
    assert [(page.name, page.hidden, dict(page.cells)) for page in pages] == [
        ("二", False, {}),
        ("一", True, {(1, 1): Cell("e", "#N/A")}),
    ]


@pytest.mark.parametrize(("column", "name"), [(1, "A"), (26, "Z"), (27, "AA"), (702, "ZZ"), (16_384, "XFD")])
def test_letters_of_columns(column: int, name: str) -> None:
    assert letters(column) == name
