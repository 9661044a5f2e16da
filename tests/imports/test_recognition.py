"""Whatever somebody has done to a table: a figure is read under the row it belongs to, or it is told; never neither,
never another's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from reporting.errors import Refused
from reporting.fields import MoneyField, YesNoField
from reporting.reading.intake import Cell, Page, Pages
from reporting.reading.labels import Vocabulary, code_of, said, vocabulary_of
from reporting.reading.recognition import FormRead, recognise
from reporting.sheets import Row, Sheet
from tests.workbooks.case import HELPCENTER, WARMTH, sheet, sheets

FORMS = (WARMTH, HELPCENTER)


@dataclass(frozen=True)
class Line:
    """`row` is what it is in truth, nothing for a decoy; `mark` is the figure in it, no other line's."""

    row: str
    code: str
    label: str
    unit: str
    mark: str


def lines_of(slug: str, first: int = 100) -> list[Line]:
    form = sheet(slug)
    return [
        Line(
            row.code,
            row.printed_code,
            row.label,
            row.unit,
            "是" if isinstance(form.fields[row.code], YesNoField) else str(first + number),
        )
        for number, row in enumerate(form.rows)
    ]


def page_of(
    lines: Sequence[Line], *, columns: str = "nclu#", top: int = 6, left: int = 1, name: str = "表"
) -> Page:
    """`columns`: n serials, c codes, l labels, u units, # figures, y last year's figures, b remarks, i line numbers."""
    heads = {
        "n": "序号",
        "c": "代码",
        "l": "项目",
        "u": "单位",
        "#": "数字",
        "y": "上年数",
        "b": "备注",
        "i": "行次",
    }
    cells = {(top - 1, left + n): Cell("s", heads[kind]) for n, kind in enumerate(columns)}
    for row, line in enumerate(lines, top):
        for n, kind in enumerate(columns):
            content = {
                "c": line.code,
                "l": line.label,
                "u": line.unit,
                "#": line.mark,
                "y": "7" if line.mark else "",
                "b": "同上" if row % 4 == 0 else "",
                "i": str(row),
            }.get(kind, "")
            if content:
                is_number = kind in "#yi" and content != "是"
                cells[row, left + n] = Cell("n" if is_number else "s", content)
    return Page(name, False, cells)


def read(*pages: Page) -> dict[str, FormRead]:
    return {form.sheet.slug: form for form in recognise(Pages(pages), sheets()).forms}


def told(form: FormRead) -> list[str]:
    return [f"{note.where} {note.sentence}" for note in form.notes]


# -- the law -----------------------------------------------------------------------------------------------

WORDS = (
    "小计",
    "以下为各类职工",
    "其中",
    "合计数",
    "备注：含县区",
    "一、资金情况",
    "提供子女助学",
    "落实政策",
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, list[Line], str, bool]:
    """(form, lines, columns, whether a decoy speaks like a row of the form)"""
    slug = draw(st.sampled_from(FORMS))
    lines = lines_of(slug)
    pairs = _pairs(slug)
    for _ in range(draw(st.integers(0, 4))):
        # A row goes, and with it the rows that only it tells apart.
        gone = draw(st.sampled_from([line.row for line in lines if line.row]))
        lines = [line for line in lines if line.row not in {gone, *pairs.get(gone, ())}]
    for _ in range(draw(st.integers(0, 3))):
        # A section, or some rows with what leans on them, move elsewhere.
        leading = [
            line.row for line in lines if line.row not in {row for rows in pairs.values() for row in rows}
        ]
        start = draw(st.sampled_from(leading))
        moved = [line for line in lines if line.row in {start, *pairs.get(start, ())}]
        rest = [line for line in lines if line not in moved]
        place = draw(st.integers(0, len(rest)))
        if not _splits(rest, place, pairs):
            lines = rest[:place] + moved + rest[place:]
    speaks = False
    for number in range(draw(st.integers(0, 5))):
        kind = draw(st.sampled_from(("blank", "words", "figure", "alike", "again", "other code")))
        place = draw(st.integers(0, len(lines)))
        decoy = Line("", "", "", "", str(9000 + number))
        if kind == "blank":
            decoy = replace(decoy, mark="")
        elif kind == "words":
            decoy = replace(decoy, label=draw(st.sampled_from(WORDS)))
        elif kind in ("alike", "again"):
            other = draw(st.sampled_from(lines_of(slug)))
            decoy = replace(decoy, label=other.label, code=other.code if kind == "again" else "")
            speaks = True
        elif kind == "other code":
            decoy = replace(decoy, code=draw(st.sampled_from(("Z", "N1", "E9", "B44"))), label="其他事项")
        lines = [*lines[:place], decoy, *lines[place:]]
    codes = draw(st.sampled_from(("all", "none", "some")))
    if codes != "all":
        kept = (
            draw(st.lists(st.booleans(), min_size=len(lines), max_size=len(lines))) if codes == "some" else []
        )
        lines = [replace(line, code=line.code if kept and kept[n] else "") for n, line in enumerate(lines)]
    columns = draw(st.sampled_from(("nclu#", "cl#", "lu#", "clyu#", "ncl#yb", "cliu#b", "lc#", "ylu#")))
    return slug, lines, columns, speaks


def _pairs(slug: str) -> dict[str, list[str]]:
    """Row → those behind it that a table without codes knows by it alone: 帮扶款物 below 医疗救助."""
    vocabulary = vocabulary_of(sheet(slug))
    rows = sheet(slug).rows
    leaning: dict[str, list[str]] = {}
    for above, row in pairwise(rows):
        if len(vocabulary.named(said(row.label).names)) > 1:
            leaning[above.code] = [row.code]
    for first in [row.code for row in reversed(rows)]:
        if first in leaning:
            leaning[first] += leaning.get(leaning[first][0], [])
    return leaning


def _splits(lines: Sequence[Line], place: int, pairs: dict[str, list[str]]) -> bool:
    return 0 < place < len(lines) and lines[place].row in pairs.get(lines[place - 1].row, ())


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=tables(), top=st.integers(2, 40), left=st.integers(1, 9))
def test_every_figure_is_its_rows_or_is_told(
    made: tuple[str, list[Line], str, bool], top: int, left: int
) -> None:
    slug, lines, columns, speaks = made
    page = page_of(lines, columns=columns, top=top, left=left)
    try:
        form = read(page)[slug]
    except Refused as refusal:
        event("refused")
        assert refusal.sentences[0].endswith("。")
        return
    event(f"{len(form.texts) * 10 // len(form.sheet.rows)}0% read")
    figure = left + columns.index("#")
    vocabulary = vocabulary_of(form.sheet)
    for code, text in form.texts.items():
        line = lines[int(re.findall(r"\d+$", form.where[code])[0]) - top]
        assert line.mark == text
        assert form.where[code] == page.address(top + lines.index(line), figure)
        assert _says(line, form.sheet.row[code], vocabulary), (code, line)
        if not speaks:
            assert line.row == code
    places = {row for sentence in told(form) for row in re.findall(r"表![A-Z]+(\d+)", sentence)}
    first, last = _extent(form, lines, top)
    for row, line in enumerate(lines, top):
        is_read = any(form.where.get(c) == page.address(row, figure) for c in form.texts)
        if line.mark and not is_read and first <= row <= last:
            assert str(row) in places, (row, line, told(form))


def _says(line: Line, row: Row, vocabulary: Vocabulary) -> bool:
    return row.code in vocabulary.by_code.get(line.code, ()) or row.code in vocabulary.named(
        said(line.label).names
    )


def _extent(form: FormRead, lines: Sequence[Line], top: int) -> tuple[int, int]:
    rows = [int(re.findall(r"\d+$", where)[0]) for where in form.where.values()]
    return min(rows), max(rows)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_nobody_has_touched_is_read_whole(data: st.DataObject) -> None:
    """Wherever the tables stand, in whatever columns, with or without codes: nothing is lost, nothing told."""
    pages = []
    wanted = {}
    for number, slug in enumerate(data.draw(st.permutations(FORMS))):
        lines = lines_of(slug, 100 + 500 * number)
        if data.draw(st.booleans()):
            lines = [replace(line, code="") for line in lines]
        for _ in range(data.draw(st.integers(0, 4))):
            place = data.draw(st.integers(0, len(lines)))
            lines = [*lines[:place], Line("", "", "", "", ""), *lines[place:]]
        columns = data.draw(st.sampled_from(("nclu#", "cl#", "lu#", "clyu#", "ncl#yb", "cliu#b", "lc#")))
        top, left = data.draw(st.integers(2, 60)), data.draw(st.integers(1, 12))
        pages.append(page_of(lines, columns=columns, top=top, left=left, name=slug))
        wanted[slug] = {line.row: line.mark for line in lines if line.row}
    arrange = data.draw(st.sampled_from((list, _stacked, _beside)))
    pages = arrange(pages)
    forms = read(*pages)
    assert {slug: form.texts for slug, form in forms.items()} == wanted
    assert [told(form) for form in forms.values()] == [[], []]


@st.composite
def lines_with_codes_moved(draw: st.DrawFn) -> tuple[str, list[Line]]:
    """Labels and figures as they should be; codes exchanged, moved by some lines, doubled or left out."""
    slug = draw(st.sampled_from(FORMS))
    lines = lines_of(slug)
    codes = [line.code for line in lines]
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(codes) - 2))
        end = draw(st.integers(start + 2, min(len(codes), start + 16)))
        some = codes[start:end]
        kind = draw(st.sampled_from(("exchanged", "moved", "shuffled", "doubled", "gone")))
        if kind == "exchanged":
            some[0], some[-1] = some[-1], some[0]
        elif kind == "moved":
            by = draw(st.integers(1, 4))
            some = (
                [*some[by:], *[""] * by][: len(some)]
                if draw(st.booleans())
                else [*[""] * by, *some][: len(some)]
            )
        elif kind == "shuffled":
            some = draw(st.permutations(some))
        elif kind == "doubled":
            some[-1] = some[0]
        else:
            some[0] = ""
        codes[start:end] = some
    return slug, [replace(line, code=code) for line, code in zip(lines, codes, strict=True)]


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=lines_with_codes_moved())
def test_codes_out_of_step_put_no_figure_into_another_row(made: tuple[str, list[Line]]) -> None:
    """Labels that repeat (发放款物, 帮扶款物, 省级) agree with many a code; the rows above say which it is."""
    slug, lines = made
    try:
        form = read(page_of(lines))[slug]
    except Refused as refusal:
        assert "串了行" in refusal.sentences[0]
        return
    for code, text in form.texts.items():
        (line,) = (line for line in lines if line.row == code)
        assert text == line.mark, (code, [f"{x.row}/{x.code}" for x in lines if x.row != x.code])


def _stacked(pages: Sequence[Page]) -> list[Page]:
    """All on one page, one below the other."""
    cells: dict[tuple[int, int], Cell] = {}
    below = 0
    for page in pages:
        cells |= {(row + below, column): cell for (row, column), cell in page.cells.items()}
        below = max(row for row, _ in cells) + 3
    return [Page("表", False, cells)]


def _beside(pages: Sequence[Page]) -> list[Page]:
    """All on one page, side by side."""
    cells: dict[tuple[int, int], Cell] = {}
    behind = 0
    for page in pages:
        cells |= {(row, column + behind): cell for (row, column), cell in page.cells.items()}
        behind = max(column for _, column in cells)
    return [Page("表", False, cells)]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    cells=st.dictionaries(
        st.tuples(st.integers(1, 30), st.integers(1, 8)),
        st.builds(
            Cell,
            st.sampled_from("nsbde"),
            st.sampled_from(
                [
                    "",
                    "1",
                    "0.1",
                    "E1",
                    "是",
                    "项目",
                    "数字",
                    "单位：元",
                    "帮扶款物",
                    "nan",
                    "填报单位：",
                    "人次",
                    "其中：",
                    "\n",
                    "=A1",
                ]
            )
            | st.text(max_size=8),
        ),
        max_size=60,
    ),
    merged=st.lists(st.tuples(*[st.integers(1, 30)] * 4), max_size=5),
)
def test_any_page_is_read_or_refused(
    cells: dict[tuple[int, int], Cell], merged: list[tuple[int, int, int, int]]
) -> None:
    """No error but the refusal, also in the middle of a sound table."""
    sound = page_of(lines_of(HELPCENTER), top=9, left=2)
    for page in (Page("表", False, cells), Page("表", False, sound.cells | cells)):
        page = replace(
            page, merged=tuple((min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in merged)
        )
        try:
            recognise(Pages((page,)), sheets())
        except Refused as refusal:
            assert refusal.sentences[0]


# -- single cases ------------------------------------------------------------------------------------------


def test_a_label_that_both_forms_have_goes_with_its_own_table() -> None:
    label = "提供其他生活保障服务"
    (page,) = _stacked(
        [page_of(lines_of(WARMTH), columns="lu#"), page_of(lines_of(HELPCENTER, 700), columns="lu#")]
    )
    forms = read(page)
    marks = {line.row: line.mark for line in lines_of(HELPCENTER, 700) if line.label == label}
    assert forms[HELPCENTER].texts["K2"] == marks["K2"]
    assert forms[WARMTH].texts["F3"] == next(x.mark for x in lines_of(WARMTH) if x.label == label)


def test_a_row_switched_off_takes_nothing_of_what_stood_below_it() -> None:
    """A table made from last campaign's sheet: 帮扶款物 below the row that is no more is nobody's."""
    form = sheet(HELPCENTER)
    kept = tuple(row for row in form.rows if row.code != "F2")
    smaller = Sheet(form.form, kept, frozenset({"F2"}), (), form.title)
    lines = [replace(line, code="") for line in lines_of(HELPCENTER)]
    (found,) = recognise(Pages((page_of(lines),)), [smaller]).forms
    assert "G2" not in found.texts
    assert found.texts["G1"] == next(line.mark for line in lines if line.row == "G1")
    assert found.texts["G3"] == next(line.mark for line in lines if line.row == "G3")
    assert any("可能是" in sentence for sentence in told(found))


@pytest.mark.parametrize(
    ("text", "code"),
    [("Ｅ１", "E1"), (" e1 ", "E1"), ("E 1", "E1"), ("E1.", ""), ("EE", ""), ("1", ""), ("E123", "")],
)
def test_codes(text: str, code: str) -> None:
    assert code_of(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "E4 提供子女助学救助",
        "E4.提供子女助学救助",
        "（E4）提供子女助学救助",
        "（四）提供子女助学救助",
        "4、提供子女助学救助",
        "④提供子女助学救助",
        "其中：提供子女助学救助（人次）",
        "其中： 4. 提供 子女\n助学救助",
        "——提供子女助学救助（单位：人次）",
        "提供“子女”助学救助。",
    ],
)
def test_labels_that_are_one(text: str) -> None:
    assert vocabulary_of(sheet(WARMTH)).named(said(text).names) == {"E4"}


@pytest.mark.parametrize(
    "text", ["提供子女救助", "提供子女助学救助金", "未提供子女助学救助", "提供子女助学救助和医疗救助", "4"]
)
def test_labels_that_are_another(text: str) -> None:
    assert vocabulary_of(sheet(WARMTH)).named(said(text).names) == set()


def test_every_row_is_known_by_its_own_label() -> None:
    for form in sheets():
        vocabulary = vocabulary_of(form)
        for row in form.rows:
            for label in (row.label, row.full_label):
                assert row.code in vocabulary.named(said(label).names)


def test_money_is_the_only_thing_that_changes_with_its_unit() -> None:
    lines = [replace(line, unit="千元") if line.unit == "万元" else line for line in lines_of(WARMTH)]
    form = read(page_of(lines))[WARMTH]
    for code, field in form.sheet.fields.items():
        mark = next(line.mark for line in lines if line.row == code)
        wanted = field.parse(mark)
        assert wanted is not None
        assert field.parse(form.texts[code]) == (wanted // 10 if isinstance(field, MoneyField) else wanted)


def test_what_is_told_has_an_end() -> None:
    lines = [*lines_of(HELPCENTER), *(Line("", "", f"自己加的第{n}行", "", "5") for n in range(90))]
    notes = read(page_of(lines))[HELPCENTER].notes
    assert len(notes) == 61
    assert notes[-1].sentence == "另有 30 处没有列出，请先按上面各条核对。"
