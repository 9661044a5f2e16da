"""Which column of a table holds the figures, and in which unit of money they are written.

Self-made tables stand last year's figures, differences and remarks beside this year's. The head decides; without a
telling head a single column of numbers does. Two columns that could be it are no column, nor is a single one whose head
says that it holds something else: that is told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from reporting.reading.grid import LEAST_IN_COLUMN, Grid, Strip, is_unit
from reporting.reading.intake import Cell, letters
from reporting.reading.labels import normalise_width, plain
from reporting.reading.lines import Line
from reporting.reading.years import NamedYear, year_of_name

Heads = dict[int, tuple[str, ...]]  # column → the pieces of its head, from above

# Heads of what is not reported; the first are whole heads, the second may stand anywhere in one.
_NEVER = {
    "单位",
    "计量单位",
    "序号",
    "行次",
    "行号",
    "栏次",
    "代码",
    "编码",
    "编号",
    "代号",
    "项目",
    "指标",
    "级别",
    "其中",
}
_NOT_REPORTED = re.compile(
    "上年|去年|上期|上次|上届|同期|前年|往年|历年|增减|增长|增幅|增速|增加|减少|差额|差异|差数|对比|占比|比例|比重|比率|同比|环比|比上|较上"
    "|百分|%|备注|说明|备考|自动|计算|公式|核对|校验|审核|人均|平均|预算|计划|目标|(?<!不含)下级|下属|所属|依据|来源"
)
_REPORTED = re.compile(
    r"(?:20\d\d年度?|年度|本年度?|本期|本次|今年|当年|[省市县区局]?本级|不含下级(?:单位)?|合计|总计|累计|实际|完成|填报|上报|报送|统计|发生)*"
    r"(?:数字|数值|数据|数量|数额|金额|人数|人次数|户数|数|结果)?(?:万元|千元|百元|亿元|元|人次|人|户|个|家)*"
)
_HEAD_WORDS = {
    "项目",
    "项目名称",
    "指标",
    "指标名称",
    "内容",
    "名称",
    "单位",
    "计量单位",
    "代码",
    "编码",
    "序号",
    "行次",
}
MOST_HEAD_ROWS = 6
_MONEY_IN_HEAD = re.compile(r"[（(\[【](?:单位[:：])?(万元|千元|百元|亿元|元)[）)\]】]")
_MONEY_OF_PAGE = re.compile(
    r"(?<!填报)(?<!报送)(?<!填表)(?<!上报)(?:金额|货币|计量)?单\s*位\s*(?:[:：]|均?为)\s*(万元|千元|百元|亿元|元)"
    r"(?![\u4e00-\u9fff])"
)
_OF_ABOVE = re.compile("以上|上述|上表")
# A remark below the table, which says that it is one.
_MONEY_IN_REMARK = re.compile(
    r"(?:注|说明|以上|上述|上表|本表)[^。；]{0,20}(?:金额|款物|资金)(?:的?单位)?(?:均?为|均?以|均?按|[:：])(万元|千元|百元|亿元|元)"
    r"(?:为单位|计算?|填报|填写)?(?![\u4e00-\u9fff])"
)
# One class of signs, then one unit: time in proportion to the length, whatever stands there.
_NUMBER = re.compile(r"[-+]?[0-9０-９.．,， \t\u00a0\u3000]+(?:[万千百亿]?元|人次|人|名|户|个|家|万)?")
MOST_NUMBER = 60  # characters
MOST_REMARK_ROWS = 4


@dataclass
class FigureColumn:
    """Of one strip. `column` is None when there is none or more than one; `problem` says so. `doubt` is what somebody
    must know of a column that is read all the same, `year` what its head names."""

    column: int | None
    problem: str = ""
    doubt: str = ""
    year: NamedYear | None = None
    money_unit: str = ""  # what the head or the page says amounts are in; empty when nothing
    units: int | None = None  # the column of units
    unread: dict[int, str] = field(default_factory=dict)  # columns with a number, and their heads
    untold: frozenset[int] = frozenset()  # those with a number or two only, which may be another table's

    def unit_of(self, grid: Grid, line: Line) -> str:
        """The unit of measure that the line itself states."""
        stated = normalise_width(grid.text(line.row, self.units)) if self.units else ""
        return stated if is_unit(stated) else line.unit


def figure_column(grid: Grid, strip: Strip, lines: Sequence[Line]) -> FigureColumn:
    """`lines` are those of the strip that are rows of the form."""
    rows = sorted({line.row for line in lines})
    behind = list(strip.behind)
    units = _unit_column(grid, strip, rows)
    heads = _heads(grid, strip, rows[0])
    numbers = {c: found for c in behind if c != units and (found := _numbers(grid, c, rows))}
    reported = [c for c in behind if c != units and _is_reported(heads.get(c, ()))]
    open_ = [c for c in numbers if c not in reported and not _is_never(heads.get(c, ()))]
    candidates = [c for c in reported if c in numbers] or reported[:1] or open_
    chosen = FigureColumn(None, units=units)
    if len(candidates) > 1 and any(numbers[c] != numbers[candidates[0]] for c in candidates):
        named = "、".join(_named(c, heads) for c in candidates[:4])
        chosen.problem = f"有 {len(candidates)} 列数字（{named}），不知以哪一列为准"
        return chosen
    if candidates:
        chosen.column = candidates[0]
    elif units and units + 1 in behind:
        chosen.column = units + 1
    else:
        chosen.column = behind[0] if behind else strip.right + 1
    if not candidates:
        chosen.problem = _other_figures(numbers, chosen.column, heads)
    title = _title(heads.get(chosen.column, ()))
    if title and chosen.column in numbers and chosen.column not in reported:
        chosen.doubt = f"读取的是 {_named(chosen.column, heads)}，请核对这一列是不是要上报的数。"
    chosen.unread = {c: _title(heads.get(c, ())) for c in open_ if c not in candidates}
    chosen.untold = frozenset(c for c in chosen.unread if len(numbers[c]) < LEAST_IN_COLUMN)
    head = "".join(heads.get(chosen.column, ()))
    year = year_of_name(title, "", grid.page.address(rows[0] - 1, chosen.column))
    if year and chosen.column in numbers:
        chosen.year = replace(year, is_title=len(year.years) == 1)
    in_head = _MONEY_IN_HEAD.search(normalise_width(head))
    stated = [*([in_head[1]] if in_head else []), *_money_of_page(grid, rows)]
    chosen.money_unit = stated[0] if stated else ""
    if in_head is None and len(set(stated)) > 1:
        chosen.doubt = (
            f"表的上方写着金额单位是{stated[0]}，下方写着{stated[1]}，已按{stated[0]}读取，请核对。"
        )
    return chosen


def _other_figures(numbers: dict[int, dict[int, str]], column: int, heads: Heads) -> str:
    """What is wrong where no column can be the one and yet there are figures: their heads say that they are others."""
    others = [
        c
        for c, found in numbers.items()
        if (c == column or len(found) >= LEAST_IN_COLUMN) and not _is_name(heads.get(c, ()))
    ]
    named = "、".join(_named(c, heads) for c in others[:4])
    return f"只有 {named}有数字，表头表明不是本次本级的上报数" if named else ""


def _is_name(pieces: Sequence[str]) -> bool:
    """Whether a head only says what stands before the figures, as one that is merged over both does."""
    return not any(_NOT_REPORTED.search(normalise_width(piece)) for piece in pieces) and all(
        plain(piece) in _HEAD_WORDS - {"序号", "行次", "编码", "代码"} for piece in pieces
    )


def _unit_column(grid: Grid, strip: Strip, rows: Sequence[int]) -> int | None:
    """The column that says units most often: beside a third of the rows, or, as some write 元 beside amounts only, wherever
    it says anything."""
    best, most = None, 2
    for column in range(strip.left, strip.right + 1):
        if column in strip.labels:
            continue
        said = [text for row in rows if (text := grid.text(row, column))]
        count = sum(map(is_unit, said))
        if count > most and (count > len(rows) // 3 or count == len(said)):
            best, most = column, count
    return best


def _heads(grid: Grid, strip: Strip, first: int) -> Heads:
    """Column → the pieces of its head, from above: the rows from the last one that looks like a head down."""
    for row in range(first - 1, max(0, first - 1 - MOST_HEAD_ROWS), -1):
        columns = range(strip.left, strip.right + 1)
        words = [plain(grid.text(row, c)) for c in columns]
        told = sum(word in _HEAD_WORDS or bool(word and _REPORTED.fullmatch(word)) for word in words)
        # One word right above the first row, and nothing beside it: 金额（元） over the figures.
        is_alone = row == first - 1 and [bool(_REPORTED.fullmatch(word)) for word in words if word] == [True]
        if told < 2 and not is_alone:
            continue
        top = min(grid.covered.get((row, c), (row, c))[0] for c in columns)
        heads: Heads = {}
        for column in columns:
            pieces = [grid.text(r, column) for r in range(max(top, row - 3), first)]
            heads[column] = tuple(dict.fromkeys(piece for piece in pieces if piece))
        return heads
    return {}


def _is_never(pieces: Sequence[str]) -> bool:
    plains = [plain(piece) for piece in pieces]
    return any(p in _NEVER for p in plains) or any(
        _NOT_REPORTED.search(normalise_width(piece)) for piece in pieces
    )


def _is_reported(pieces: Sequence[str]) -> bool:
    return not _is_never(pieces) and any(p and _REPORTED.fullmatch(p) for p in map(plain, pieces))


def _numbers(grid: Grid, column: int, rows: Sequence[int]) -> dict[int, str]:
    """Row → what stands there, for the cells that look like figures."""
    found = {}
    for row in rows:
        cell = grid.page.cells.get((row, column))
        if (row, column) in grid.page.uncalculated or (cell is not None and looks_like_figure(cell)):
            found[row] = cell.text if cell else ""
    return found


def looks_like_figure(cell: Cell) -> bool:
    if cell.kind in ("n", "b", "e"):
        return True
    if cell.kind != "s":
        return False
    text = cell.text.strip()
    if len(text) > MOST_NUMBER:
        return False
    return bool(_NUMBER.fullmatch(text)) or text in ("是", "否", "√", "×")


def _money_of_page(grid: Grid, rows: Sequence[int]) -> list[str]:
    """单位：元 above the table, and in a remark below it."""
    above = range(rows[0] - 1, max(0, rows[0] - 1 - 2 * MOST_HEAD_ROWS), -1)
    below = range(rows[-1] + 1, rows[-1] + 1 + MOST_REMARK_ROWS)
    found = (_money_in(grid, above, _MONEY_OF_PAGE), _money_in(grid, below, _MONEY_IN_REMARK))
    return [unit for unit in found if unit]


def _money_in(grid: Grid, stretch: range, pattern: re.Pattern[str]) -> str:
    for row in stretch:
        for texts in grid.texts.values():
            # 以上金额单位为元 above this table is said of the one before.
            if row in texts and (found := pattern.search(normalise_width(texts[row]))):
                if not (pattern is _MONEY_OF_PAGE and _OF_ABOVE.search(texts[row])):
                    return found[1]
    return ""


def _title(pieces: Sequence[str]) -> str:
    return " ".join(" ".join(pieces).split())[:20]


def _named(column: int, heads: Heads) -> str:
    title = _title(heads.get(column, ()))
    return f"{letters(column)} 列“{title}”" if title else f"{letters(column)} 列"
