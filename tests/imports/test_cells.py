"""What stands in cells, and where figures are looked for: number formats, hidden places, heads; and that no text, however
it is made, costs the one who reads it more than a moment."""

from __future__ import annotations

import importlib
import inspect
import io
import pkgutil
import re
import struct
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from django.core.exceptions import ValidationError

import reporting.reading
from reporting.errors import Refused
from reporting.reading import intake
from reporting.reading.cell_figures import figure_text
from reporting.reading.intake import Cell, Page, read_workbook
from reporting.reading.labels import said
from reporting.reading.number_formats import Shown, shown_as
from tests.workbooks import raw
from tests.workbooks.binary import Binary, compound, record
from tests.workbooks.case import WARMTH, sheet
from tests.workbooks.corpus import BAD, Bad

PAGE = "表"
AS_IT_IS, OTHER = Shown(), Shown(is_other=True)


def read(content: bytes, name: str = "报表.xlsx") -> Page:
    (page,) = read_workbook(io.BytesIO(content), name)
    return page


# -- number formats ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "number", "seen"),
    [
        *[
            (code, number, AS_IT_IS)
            for number in ("12.5", "125000", "0")
            for code in (
                "General",
                "G/通用格式",
                'g/"通用格式"',
                "@",
                "#,##0.00_ ",
                "0_);[Red]\\(0\\)",
                "0.00_ ;[红色]\\-0.00\\ ",
                '_ * #,##0.00_ ;_ * \\-#,##0.00_ ;_ * "-"??_ ;_ @_ ',
                "_(* #,##0_);_(* \\(#,##0\\);_(* \"-\"_);_(@_)",
                "#,##0.00;[RED]-#,##0.00",
                "[DBNum1][$-804]General",
                "0.00E+00",
                "# ??/100",
                "# ##0.0#",
            )
        ],
        (";;;", "0", AS_IT_IS),
        ('0;-0;"-"', "0", AS_IT_IS),
        ("0%", "0", AS_IT_IS),
        ('"¥"0;-0', "-5", AS_IT_IS),
        ("[<100]0.0;0%", "12", AS_IT_IS),
        ("[<100]0.0;0%", "120", OTHER),
        ("0%", "0.12", OTHER),
        ("#,##0,", "125000", OTHER),
        ("0.00,,", "125000", OTHER),
        ("0!.0", "125", OTHER),
        ('0"."0', "125", OTHER),
        ("-0", "5", OTHER),
        (";;;", "5", OTHER),
        ('0"000"', "5", Shown(behind="000", is_other=True)),
        ('#,##0"元"', "5", Shown(behind="元")),
        ('General" 万元"', "5", Shown(behind="万元")),
        ("\\¥0", "5", Shown(before="¥")),
        ("[$¥-804]#,##0.00", "5", Shown(before="¥")),
        ('[DBNum2][$RMB]General', "5", Shown(before="RMB")),
        ('[=1]"是";[=0]"否"', "1", Shown(instead="是")),
        ('0"', "5", AS_IT_IS),
        ("0[$", "5", AS_IT_IS),
        ("0\\", "5", AS_IT_IS),
        ("", "5", OTHER),
    ],
)  # fmt: skip
def test_what_a_format_shows(code: str, number: str, seen: Shown) -> None:
    assert shown_as(code, Decimal(number)) == seen


def styled(*codes: str) -> str:
    """Styles 1, 2, … with these formats; style 0 is plain."""
    formats = "".join(
        f'<numFmt numFmtId="{164 + n}" formatCode="{escape(code, {chr(34): "&quot;"})}"/>'
        for n, code in enumerate(codes)
    )
    cells = "".join(f'<xf numFmtId="{164 + n}"/>' for n in range(len(codes)))
    return (
        f'{raw.XML}<styleSheet xmlns="{raw.MAIN}"><numFmts>{formats}</numFmts><cellStyleXfs><xf numFmtId="9"/>'
        f'</cellStyleXfs><cellXfs><xf numFmtId="0"/>{cells}<xf numFmtId="10"/></cellXfs></styleSheet>'
    )


def test_formats_and_hidden_places_of_an_xlsx() -> None:
    cells = "".join(
        f'<c r="{place}" s="{style}"{kind}>{inside}</c>'
        for place, style, kind, inside in (
            ("A1", 0, "", "<v>1</v>"),
            ("B1", 1, "", "<v>2</v>"),
            ("C1", 1, ' t="n"', "<f>B1</f><v>3</v>"),
            ("D1", 1, ' t="str"', "<v>x</v>"),
            ("E1", 2, "", "<v>5</v>"),
            ("F1", 3, "", "<v>6</v>"),
            ("G1", 4, "", "<v>7</v>"),
            ("H1", 99, "", "<v>8</v>"),
            ("I1", 1, "", ""),
        )
    )
    rows = f'<row r="1">{cells}</row><row r="2" hidden="1"/><row r="5" hidden="true"><c r="A5"><v>1</v></c></row>'
    before = '<cols><col min="2" max="3"/><col min="5" max="7" width="0" hidden="1"/></cols>'
    parts = raw.parts({PAGE: raw.sheet(rows, before=before)})
    parts["xl/styles.xml"] = styled('#,##0"元"', "#,##0.00", f'{"0" * 255}"元"')
    page = read(raw.packed(parts))
    formats = {intake.letters(column): cell.format for (row, column), cell in page.cells.items() if row == 1}
    assert formats == {
        **dict.fromkeys("AEHD", ""),
        **dict.fromkeys("BC", '#,##0"元"'),
        "F": f'{"0" * 255}"…"',
        "G": "0.00%",
    }
    assert page.hidden_rows == frozenset({2, 5})
    assert page.hidden_columns == ((5, 7),)
    assert [page.is_hidden(*at) for at in ((1, 4), (1, 5), (2, 1), (1, 7), (1, 8))] == [
        False, True, True, True, False,
    ]  # fmt: skip


def test_formats_and_hidden_places_of_an_xls() -> None:
    code = '#,##0"元"'
    before = record(0x41E, struct.pack("<HHB", 164, len(code), 1) + code.encode("utf-16-le"))
    before += b"".join(record(0xE0, struct.pack("<HH", 0, number) + b"\0" * 16) for number in (0, 164, 9))
    above = record(0x7D, struct.pack("<HHHHHH", 2, 3, 0, 0, 1, 0))
    above += record(0x208, struct.pack("<HHHHHHHH", 4, 0, 1, 0, 0, 0, 0x120, 0))
    page = Binary(PAGE, before, above)
    page.number(1, 1, 1)
    page.number(1, 2, 2, 1)
    page.numbers(2, 1, {0: 3, 1: 4, 2: 5})
    page.text(3, 1, "文字")
    found = read(compound({"Workbook": page.stream()}), "报表.xls")
    assert found.cells == {
        (1, 1): Cell("n", "1"),
        (1, 2): Cell("n", "2", code),
        (2, 1): Cell("n", "3"),
        (2, 2): Cell("n", "4", code),
        (2, 3): Cell("n", "5", "0%"),
        (3, 1): Cell("s", "文字"),
    }
    assert found.hidden_rows == frozenset({5})
    assert found.hidden_columns == ((3, 4),)


# -- a cell ------------------------------------------------------------------------------------------------


def test_a_sign_for_yuan_is_believed_where_nothing_says_otherwise() -> None:
    money, count = sheet(WARMTH).fields["A1"], sheet(WARMTH).fields["C1"]
    cell = Cell("n", "125000", '"¥"#,##0.00')
    assert figure_text(money, cell) == figure_text(money, cell, "元") == "12.5"
    for unit in ("万元", "千元"):
        with pytest.raises(ValidationError, match=f"格式显示为“¥125000”，单位却是{unit}"):
            figure_text(money, cell, unit)
    with pytest.raises(ValidationError, match="单位是元，此处为人次"):
        figure_text(count, cell)


@pytest.mark.parametrize("text", ["\u200b12.5", "12\u2060.5", "\ufeff12.5\u200d", "\u200e12.5"])
def test_what_has_no_width_says_nothing(text: str) -> None:
    assert figure_text(sheet(WARMTH).fields["A1"], Cell("s", text)) == "12.5"


@pytest.mark.parametrize(
    "text", ["\u202e12.5", "12\u00ad5", "1\x002", "5" * 70, "1" + " " * 1999 + "\u202ex"]
)
def test_a_sentence_repeats_nothing_that_is_not_seen(text: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        figure_text(sheet(WARMTH).fields["A1"], Cell("s", text))
    assert refusal.value.messages[0].isprintable()
    assert len(refusal.value.messages[0]) < 100


# -- what it costs -----------------------------------------------------------------------------------------

MODULES = [
    importlib.import_module(f"reporting.reading.{found.name}")
    for found in pkgutil.iter_modules(reporting.reading.__path__)
]
# Each with the ways in which its own module tries it: `_NUMBER.fullmatch(…)`.
PATTERNS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": (
        pattern,
        set(
            re.findall(
                rf"\b{name}\.(match|fullmatch|search|finditer|findall|sub)\b", inspect.getsource(module)
            )
        ),
    )
    for module in MODULES
    for name, pattern in vars(module).items()
    if isinstance(pattern, re.Pattern)
}
BEGINNINGS = (
    "",
    "1",
    "-1.",
    "(",
    "（单位:",
    "单位：",
    "填报单位",
    "填报单位(",
    "2020年",
    "20",
    "第",
    "合计",
    "注",
    "其中",
    "E4",
)
FILLINGS = (
    " ",
    "1",
    "1 ",
    "1,",
    "(",
    "( ",
    "\u3000",
    "一",
    "元",
    "年",
    "2020",
    "2020-",
    "20年",
    "[",
    "单 位",
    "填报单位 ",
    "填 报 ",
)
LENGTH = 2000  # what the child passes on of one cell


def _seconds(tries: Sequence[Callable[[Any], object]], text: str | bytes) -> float:
    began = time.process_time()
    for try_ in tries:
        try_(text)
    return time.process_time() - began


@pytest.mark.parametrize("name", PATTERNS)
def test_no_pattern_takes_more_than_its_texts_length(name: str) -> None:
    """Of texts that almost match. A pattern that can share two thousand signs out in two ways takes 30 ms for one."""
    pattern, ways = PATTERNS[name]
    tries: list[Callable[[Any], object]] = [pattern.match, pattern.fullmatch]
    if not ways or ways - {"match", "fullmatch"}:
        tries.append(pattern.search)
    slow = []
    for beginning in BEGINNINGS:
        for filling in FILLINGS:
            text: str | bytes = (beginning + filling * LENGTH)[:LENGTH] + "x"
            if isinstance(pattern.pattern, bytes) and isinstance(text, str):
                text = text.encode()
            if min(_seconds(tries, text), _seconds(tries, text)) > 0.015:
                slow.append((beginning, filling))
    assert not slow


def test_a_label_of_blanks_is_taken_apart_at_once() -> None:
    began = time.process_time()
    for number in range(1000):
        said(f"({' ' * 280}{number}")
    assert time.process_time() - began < 0.3


MEASURED = """
import runpy, sys
status, sys.argv[0] = open("/proc/self/status"), {child!r}
try:
    runpy.run_path({child!r}, run_name="__main__")
finally:
    status.seek(0)
    print(status.read(), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "case",
    [c for c in BAD if not c.unread and c.make.__module__.endswith("bad_bombs")],
    ids=lambda case: case.name,
)
def test_a_bomb_takes_little_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, case: Bad) -> None:
    """Less than what the child may have: it stops of itself, before the system ends it."""
    script = tmp_path / "child.py"
    script.write_text(MEASURED.format(child=str(intake.CHILD)))
    measured: list[int] = []
    answer = intake._answer

    def measuring(status: int, out: bytes, text: bytes, name: str) -> intake.Pages:
        found = re.search(rb"VmHWM:\s*(\d+) kB", text)
        measured.append(int(found[1]) // 1024 if found else intake.MEMORY)  # ended by the system
        return answer(status, out, text, name)

    monkeypatch.setattr(intake, "CHILD", script)
    monkeypatch.setattr(intake, "_answer", measuring)
    with pytest.raises(Refused, match=case.says):
        read_workbook(io.BytesIO(case.make().content), case.file)
    assert intake.MEMORY <= 200
    assert measured < [150]  # or refused before there was a child
