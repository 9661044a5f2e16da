"""A block pasted into the page and the same cells in a workbook fill the same rows with the same figures, or paste fills
fewer. Here the upload's reading; tests/browser/test_entry_rules.py holds the page's own to the same blocks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest

from reporting.errors import Refused
from reporting.reading.intake import Cell, Page
from reporting.reading.labels import vocabulary_of
from reporting.reading.table_reading import Reading
from reporting.reading.tables import find_tables
from tests.workbooks.case import HELPCENTER, WARMTH, sheet

BLOCKS = json.loads((Path(__file__).parent / "pasted.json").read_text(encoding="utf-8"))
HEADS = {"n": "序号", "c": "代码", "l": "项目", "u": "单位", "#": "数字", "y": "上年数", "b": "备注"}
LAYOUTS = ("nclu#", "cl#", "lu#", "l#", "c#", "lc#", "clyu#", "ncl#yb", "cl#y", "clu##")


def uploaded(slug: str, block: list[str]) -> dict[str, str]:
    """Code → text of what an upload reads from these cells; a form need not be whole for it."""
    cells = {}
    for row, line in enumerate(block, 1):
        for column, text in enumerate(line.split("\t"), 1):
            if text:
                cells[row, column] = Cell("n" if re.fullmatch(r"\d+(\.\d+)?", text) else "s", text)
    tables = find_tables(Page("表", False, cells), [vocabulary_of(sheet(slug))])
    texts: dict[str, str] = {}
    for table in tables:
        try:
            texts |= Reading(table).read().texts
        except Refused:
            continue
    return texts


@pytest.mark.parametrize("vector", [v for v in BLOCKS if "start" not in v], ids=lambda v: v["about"])
def test_an_upload_reads_what_paste_fills(vector: dict[str, Any]) -> None:
    assert uploaded(vector["form"], vector["block"]) == vector["filled"] | vector.get("uploaded", {})


def made_block(random: Random) -> tuple[str, list[str]]:
    """Rows of a form as people might keep them: parts of it, with codes moved, words changed, lines added."""
    slug = random.choice([WARMTH, HELPCENTER])
    rows = [[row.printed_code, row.label, row.unit] for row in sheet(slug).rows]
    start = random.choice([0, random.randrange(len(rows) - 16)])
    rows = rows[start : start + random.choice([16, 25, 60])]
    for _ in range(random.choice([0, 0, 1, 1, 2, 4])):
        _spoil(random, rows)
    # Where the labels begin and end, an upload's table does; a block that somebody copied is what it is.
    while not rows[0][1]:
        del rows[0]
    while not rows[-1][1]:
        del rows[-1]
    layout = random.choice(LAYOUTS)
    if "c" in layout and sum(bool(code) for code, _, _ in rows) < 5:
        # And two codes among words are chance to it.
        layout = "lu#"
    money = random.choice(["万元", "万元", "万元", "元", "千元"])
    lines = []
    for number, (code, label, unit) in enumerate(rows, 100):
        cells = {
            "n": str(number),
            "c": code,
            "l": label,
            "u": money if unit == "万元" else unit,
            "#": "是" if unit == "是/否" else str(number * 10),
            "y": str(number * 7),
            "b": random.choice(["", "", "已核对"]),
        }
        lines.append("\t".join(cells[part] for part in layout))
    if random.random() < 0.5:
        lines.insert(0, "\t".join(HEADS[part] for part in layout))
    if random.random() < 0.2:
        lines.insert(0, random.choice(["单位：元", "单位：万元", "填报单位：哈尔滨市总工会"]))
    return slug, lines


def _spoil(random: Random, rows: list[list[str]]) -> None:
    one, other = random.randrange(len(rows)), random.randrange(len(rows))
    match random.choice(
        ["swap", "shift", "code", "no code", "label", "reword", "no label", "gone", "move", "add"]
    ):
        case "swap":
            rows[one][0], rows[other][0] = rows[other][0], rows[one][0]
        case "shift":
            by = random.choice([1, 2, 3])
            codes = [row[0] for row in rows]
            for row, code in zip(rows[one:], [*codes[one + by :], *[""] * by], strict=False):
                row[0] = code
        case "code":
            rows[one][0] = random.choice(["Z9", "G1", "D3", "E1", rows[other][0]])
        case "no code":
            for row in rows[min(one, other) : max(one, other) + 1]:
                row[0] = ""
        case "label":
            rows[one][1] = random.choice(["提供法律援助", "其他事项", rows[other][1]])
        case "reword":
            rows[one][1] = rows[one][1][random.choice([1, 3]) :] + random.choice(
                ["", "情况", "（元）", "（人次）"]
            )
        case "no label":
            rows[one][1] = ""
        case "gone" if len(rows) > 4:
            del rows[one]
        case "move":
            rows.insert(other, rows.pop(one))
        case "add":
            label = random.choice(
                ["小计", "我们自己加的一行", rows[other][1], "帮扶款物", "（同上）发放款物"]
            )
            rows.insert(one, [random.choice(["", "", rows[other][0]]), label, rows[one][2]])


@pytest.mark.parametrize("said", ["beside amounts", "over the figures", "beside nothing"])
def test_yuan_said_anywhere_is_never_taken_for_ten_thousand(said: str) -> None:
    rows = sheet(HELPCENTER).rows
    units = {"beside amounts": "元", "over the figures": "", "beside nothing": ""}
    heads = {
        "beside amounts": "代码\t项目\t单位\t数字",
        "over the figures": "\t\t\t金额（元）",
        "beside nothing": "单位：元",
    }
    block = [heads[said]]
    for row in rows:
        unit, figure = units[said] if row.unit == "万元" else "", "是" if row.kind == "yesno" else "50000"
        block.append(f"{row.printed_code}\t{row.label}\t{unit}\t{figure}")
    texts = uploaded(HELPCENTER, block)
    assert (texts["E"], texts["G1"], texts["M"]) == ("5", "5", "5")


def test_a_unit_of_questions_beside_an_amount_says_nothing() -> None:
    rows = sheet(HELPCENTER).rows
    block = ["代码\t项目\t单位\t数字"]
    for row in rows:
        unit = "是/否" if row.code == "J" else row.unit
        block.append(f"{row.printed_code}\t{row.label}\t{unit}\t{'是' if row.kind == 'yesno' else 5}")
    assert uploaded(HELPCENTER, block)["J"] == "5"
