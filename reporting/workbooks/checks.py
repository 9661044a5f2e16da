"""审核关系 as a page of a union's workbook: every rule, what it wants in words, and its live result."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from reporting.fields import FEN_PER_WANYUAN, MoneyField, YesNoField
from reporting.rule_words import wanted
from reporting.rules import (
    HARD,
    LEVEL_LABELS,
    QUERY,
    ExcelCell,
    Figures,
    Rule,
    SumRule,
    as_excel,
    evaluate,
    sentence,
)
from reporting.sheets import Sheet
from reporting.workbooks.layout import (
    A4,
    BOLD,
    CENTRE,
    SMALL,
    TITLE,
    Book,
    box,
    height_of,
    print_setup,
    shade,
    text,
)
from reporting.workbooks.official_table import FIGURE_COLUMN
from unions.models import Union

CHECKS_SHEET = "审核关系"
RED, AMBER = PatternFill(bgColor="F6CFCB"), PatternFill(bgColor="FBE7B2")
CHECK_COLUMNS = {"报表": 19.0, "级别": 7.0, "指标": 9.0, "要求": 57.0, "结果": 66.0}
RESULT_COLUMN = len(CHECK_COLUMNS)
FIRST_CHECK = 4
SATISFIED, BLANK = "满足", "未填"


def checks_page(
    book: Book,
    union: Union,
    sheets: Sequence[Sheet],
    lines: Mapping[str, Mapping[str, int]],
    figures: Mapping[str, Figures],
) -> None:
    """Every rule: what it wants, and its live result, which is 满足 or the sentence with the figures of the moment."""
    widths = list(CHECK_COLUMNS.values())
    page = book.sheet(CHECKS_SHEET, widths)
    text(page, 1, 1, CHECKS_SHEET, font=TITLE, align=CENTRE, across=len(widths))
    page.row_dimensions[1].height, page.row_dimensions[2].height = 34, 22
    hint = "强制的须改到满足才能上报；核实的请核对，确属实情的在系统中说明。改动报表后，结果随之变化。"
    text(page, 2, 1, hint, font=SMALL, across=RESULT_COLUMN - 1)
    for column, name in enumerate(CHECK_COLUMNS, 1):
        text(page, FIRST_CHECK - 1, column, name, font=BOLD, align=CENTRE)
    shade(page, FIRST_CHECK - 1, range(1, len(widths) + 1))
    broken: list[Rule] = []
    number = FIRST_CHECK
    for sheet in sheets:
        cell, own = _cells(sheet, lines[sheet.slug]), figures.get(sheet.slug, {})
        for rule in sheet.rules:
            text(page, number, 1, sheet.title, align=CENTRE)
            text(page, number, 2, LEVEL_LABELS[rule.level], align=CENTRE)
            code = rule.total if isinstance(rule, SumRule) else " ".join(rule.cells)
            text(page, number, 3, code, align=CENTRE)
            words = wanted(rule, sheet)
            text(page, number, 4, words)
            result = _result(rule, sheet, own, union)
            broken += [rule] if result not in (SATISFIED, BLANK) else []
            book.formula(
                page, number, RESULT_COLUMN, _live_result(rule, sheet, cell, union), result, is_text=True
            )
            # Room for the sentence that the rule may come to say.
            room = [(words, widths[3]), (rule.message, widths[4]), (code, widths[2])]
            page.row_dimensions[number].height = height_of(room)
            number += 1
    last = number - 1
    box(page, range(FIRST_CHECK - 1, number), range(1, len(widths) + 1))
    _count(book, page, last, broken)
    place = f"${letter(RESULT_COLUMN)}{FIRST_CHECK}"
    span = f"{letter(RESULT_COLUMN)}{FIRST_CHECK}:{letter(RESULT_COLUMN)}{last}"
    is_broken = f'{place}<>"{SATISFIED}",{place}<>"{BLANK}"'
    for level, fill in ((HARD, RED), (QUERY, AMBER)):
        condition = f'AND($B{FIRST_CHECK}="{LEVEL_LABELS[level]}",{is_broken})'
        page.conditional_formatting.add(span, filled_when(condition, fill))
    page.freeze_panes = f"A{FIRST_CHECK}"
    page.protection.sheet = True
    repeat = f"{FIRST_CHECK - 1}:{FIRST_CHECK - 1}"
    print_setup(page, paper=A4, landscape=True, footer="由送温暖报送系统生成", repeat_rows=repeat)


def _result(rule: Rule, sheet: Sheet, figures: Figures, union: Union) -> str:
    """What the formula comes to for these figures, so that previews without calculating show it too."""
    if all(figures.get(code) is None for code in rule.cells):
        return BLANK
    if not evaluate(rule.broken.tree, figures, union.kind):
        return SATISFIED
    return sentence(rule, sheet.fields, figures)


def _live_result(rule: Rule, sheet: Sheet, cell: Callable[[str], ExcelCell], union: Union) -> str:
    filled = ",".join(cell(code).is_filled for code in rule.cells)
    broken = as_excel(rule.broken.tree, cell, union.kind)
    said = _sentence(rule, sheet, cell)
    return f'=IF(NOT(OR({filled})),"{BLANK}",IF({broken},{said},"{SATISFIED}"))'


def _count(book: Book, page: Worksheet, last: int, broken: Sequence[Rule]) -> None:
    """How many are not satisfied, live, above the results."""
    column = letter(RESULT_COLUMN)
    results, levels = f"{column}{FIRST_CHECK}:{column}{last}", f"B{FIRST_CHECK}:B{last}"

    def live(level: str) -> str:
        return f'SUMPRODUCT(({levels}="{LEVEL_LABELS[level]}")*({results}<>"{SATISFIED}")*({results}<>"{BLANK}"))'

    formula = f'="未满足：强制 "&{live(HARD)}&" 条，核实 "&{live(QUERY)}&" 条"'
    counts = {level: sum(rule.level == level for rule in broken) for level in (HARD, QUERY)}
    result = f"未满足：强制 {counts[HARD]} 条，核实 {counts[QUERY]} 条"
    book.formula(page, FIRST_CHECK - 2, RESULT_COLUMN, formula, result, is_text=True).font = BOLD


def _cells(sheet: Sheet, lines: Mapping[str, int]) -> Any:
    """How a code's cell is written in formulas of another sheet: whole figures, money in 分."""

    def cell(code: str) -> ExcelCell:
        address = f"'{tab_title(sheet)}'!${letter(FIGURE_COLUMN)}${lines[code]}"
        field = sheet.fields[code]
        if isinstance(field, YesNoField):
            return ExcelCell(f'IF({address}="是",1,0)', f'OR({address}="是",{address}="否")')
        if isinstance(field, MoneyField):
            return ExcelCell(f"ROUND(N({address})*{FEN_PER_WANYUAN},0)", f"ISNUMBER({address})")
        return ExcelCell(f"N({address})", f"ISNUMBER({address})")

    return cell


_HOLE = re.compile(r"\{(\w+)\}")


def _sentence(rule: Rule, sheet: Sheet, cell: Any) -> str:
    """The rule's sentence as a formula that puts the figures in: `"D 为 "&TEXT(…)&" 万元"`."""
    pieces = []
    for position, piece in enumerate(_HOLE.split(rule.message)):
        if position % 2 == 0:
            pieces.append('"' + piece.replace('"', '""') + '"')
            continue
        if isinstance(rule, SumRule) and piece in ("sum", "gap"):
            parts = f"SUM({','.join(cell(part).figure for part in rule.parts)})"
            amount = parts if piece == "sum" else f"ABS({cell(rule.total).figure}-{parts})"
            pieces.append(_shown(amount, sheet, rule.total))
        else:
            filled = cell(piece).is_filled
            pieces.append(f'IF({filled},{_shown(cell(piece).figure, sheet, piece)},"空白")')
    return "&".join(piece for piece in pieces if piece != '""')


def _shown(figure: str, sheet: Sheet, code: str) -> str:
    # A number joined to a text shows its own digits, without a superfluous point.
    return f"{figure}/{FEN_PER_WANYUAN}" if isinstance(sheet.fields[code], MoneyField) else figure


def tab_title(sheet: Sheet) -> str:
    return f"{sheet.form.attachment} {sheet.title}"


def filled_when(condition: str, fill: PatternFill) -> Any:
    return FormulaRule(formula=[condition], fill=fill)  # type: ignore[no-untyped-call]


def letter(column: int) -> str:
    return "ABCDEFGH"[column - 1]
