"""审核关系: what the figures of a form must satisfy, declared once.

A rule is a small expression over cells, written as a Python lambda over a symbolic form and traced into a
tree. The same tree is evaluated here, sent as JSON to the browser (static/js/rules.js evaluates it with
BigInt), compiled to SQL for CHECK constraints, and to formulas for Excel. All arithmetic is on
whole numbers: counts, and money in 分.

Blank is not zero: a comparison with a blank cell is not true. Only `total()` reads blank parts as 0.

    Query("D1_per_head", lambda f: f.D1 > f.C1 * wanyuan("0.3"), "人均超过 0.3 万元", cells="C1 D1")
"""

from __future__ import annotations

import hashlib
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from typing import Any

from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce

from reporting.fields import FEN_PER_WANYUAN, Indicator

Figures = Mapping[str, int | None]

HARD, QUERY = "hard", "query"
LEVEL_LABELS = {HARD: "强制", QUERY: "核实"}


class Expr:
    """A node of the tree: `["+", left, right]` and so on; JSON is the tree itself."""

    __slots__ = ("tree",)
    __hash__ = None  # type: ignore[assignment]  # == builds a node, so a node can't be a key

    def __init__(self, tree: list[Any]) -> None:
        self.tree = tree

    def __add__(self, other: Expr | int) -> Expr:
        return Expr(["+", self.tree, _tree(other)])

    def __mul__(self, other: Expr | int) -> Expr:
        return Expr(["*", self.tree, _tree(other)])

    __rmul__ = __mul__

    def __gt__(self, other: Expr | int) -> Expr:
        return Expr([">", self.tree, _tree(other)])

    def __ge__(self, other: Expr | int) -> Expr:
        return Expr([">=", self.tree, _tree(other)])

    def __lt__(self, other: Expr | int) -> Expr:
        return Expr([">", _tree(other), self.tree])

    def __le__(self, other: Expr | int) -> Expr:
        return Expr([">=", _tree(other), self.tree])

    def __eq__(self, other: Expr | int) -> Expr:  # type: ignore[override]
        return Expr(["=", self.tree, _tree(other)])

    def __ne__(self, other: Expr | int) -> Expr:  # type: ignore[override]
        return Expr(["!=", self.tree, _tree(other)])

    def __and__(self, other: Expr) -> Expr:
        return Expr(["and", self.tree, other.tree])

    def __or__(self, other: Expr) -> Expr:
        return Expr(["or", self.tree, other.tree])

    def __bool__(self) -> bool:
        raise TypeError("use & and | in a rule, not `and`, `or` or a chained comparison")


def _tree(value: Expr | int) -> list[Any]:
    return value.tree if isinstance(value, Expr) else ["const", str(int(value))]


class SymbolicForm:
    """What a rule's lambda receives: `f.E1` is a cell, `f.reporter_in("city")` a fact of the reporter."""

    def __getattr__(self, code: str) -> Expr:
        return Expr(["cell", code])

    def reporter_in(self, *kinds: str) -> Expr:
        return Expr(["reporter", *kinds])


def wanyuan(text: str) -> int:
    """A constant of money: 万元 as text → 分."""
    return int(Decimal(text) * FEN_PER_WANYUAN)


def total(codes: Iterable[str]) -> Expr:
    """The sum of cells, blank ones as 0."""
    return Expr(["sum", *codes])


@dataclass(frozen=True)
class Rule:
    """`broken` is an expression that is true when the rule is broken.

    `message` may name cells in braces: `{E}` becomes the figure; a sum's also `{sum}` and `{gap}`.
    """

    id: str
    level: str
    broken: Expr
    message: str
    cells: tuple[str, ...]

    def applies_without(self, switched_off: frozenset[str]) -> Rule | None:
        """The rule of a form from which rows are switched off: None when it loses one of its cells."""
        return None if switched_off.intersection(self.cells) else self


@dataclass(frozen=True)
class SumRule(Rule):
    """`total = part + part + …`, generated from the declaration of a total."""

    total: str = ""
    parts: tuple[str, ...] = ()

    def applies_without(self, switched_off: frozenset[str]) -> Rule | None:
        if self.total in switched_off:
            return None
        parts = tuple(part for part in self.parts if part not in switched_off)
        return sum_rule(self.total, parts) if parts else None


def sum_rule(total_code: str, parts: tuple[str, ...]) -> SumRule:
    span = "+".join(parts) if len(parts) <= 3 else f"{parts[0]}+…+{parts[-1]}"
    cell = Expr(["cell", total_code])
    return SumRule(
        id=f"sum_{total_code}",
        level=HARD,
        broken=cell != total(parts),
        message=f"{total_code} 为 {{{total_code}}}，{span} 为 {{sum}}，差 {{gap}}",
        cells=(total_code, *parts),
        total=total_code,
        parts=parts,
    )


def Hard(id: str, broken: Callable[[SymbolicForm], Expr], message: str, *, cells: str) -> Rule:
    """强制: a form that breaks it can't be submitted."""
    return Rule(id, HARD, broken(SymbolicForm()), message, tuple(cells.split()))


def Query(id: str, broken: Callable[[SymbolicForm], Expr], message: str, *, cells: str) -> Rule:
    """核实: a form that breaks it needs an explanation of at least six characters."""
    return Rule(id, QUERY, broken(SymbolicForm()), message, tuple(cells.split()))


def pair(people: str, money: str, *, given: str, to: str) -> list[Rule]:
    """核实 for a row of people beside a row of money: neither without the other."""
    cells = f"{people} {money}"
    return [
        Query(
            f"{money}_without_{people}",
            lambda f: (getattr(f, money) > 0) & (getattr(f, people) == 0),
            f"{money} {given} {{{money}}} 万元，{people} {to}为 0：有款物而没有{to}",
            cells=cells,
        ),
        Query(
            f"{people}_without_{money}",
            lambda f: (getattr(f, people) > 0) & (getattr(f, money) == 0),
            f"{people} {to} {{{people}}} 人次，{money} {given}为 0：有{to}而没有款物",
            cells=cells,
        ),
    ]


@dataclass(frozen=True)
class Problem:
    """One broken rule, with its figures put into the sentence."""

    rule: str
    level: str
    message: str
    cells: tuple[str, ...]
    digest: str = ""
    explanation: str = field(default="", compare=False)


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "*": operator.mul,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}


def evaluate(tree: list[Any], figures: Figures, reporter: str) -> int | bool | None:
    """The value of an expression; None where a blank cell leaves it open."""
    op = tree[0]
    if op == "cell":
        return figures.get(tree[1])
    if op == "const":
        return int(tree[1])
    if op == "sum":
        return sum(figures.get(code) or 0 for code in tree[1:])
    if op == "reporter":
        return reporter in tree[1:]
    left, right = evaluate(tree[1], figures, reporter), evaluate(tree[2], figures, reporter)
    if op == "and":
        return bool(left) and bool(right)
    if op == "or":
        return bool(left) or bool(right)
    if left is None or right is None:
        return None
    result: int | bool = _OPERATORS[op](left, right)
    return result


def check_figures(
    rules: Iterable[Rule], fields: Mapping[str, Indicator], figures: Figures, reporter: str
) -> list[Problem]:
    """The problems of a form's figures, in the rules' order. `reporter` is the kind of the union."""
    return [
        Problem(
            rule.id, rule.level, sentence(rule, fields, figures), rule.cells, values_digest(rule, figures)
        )
        for rule in rules
        if evaluate(rule.broken.tree, figures, reporter)
    ]


_HOLE = re.compile(r"\{(\w+)\}")


def sentence(rule: Rule, fields: Mapping[str, Indicator], figures: Figures) -> str:
    def fill(hole: re.Match[str]) -> str:
        name = hole[1]
        if isinstance(rule, SumRule) and name in ("sum", "gap"):
            parts = sum(figures.get(code) or 0 for code in rule.parts)
            amount = parts if name == "sum" else abs((figures.get(rule.total) or 0) - parts)
            return fields[rule.total].show(amount)
        return fields[name].show(figures.get(name)) or "空白"

    return _HOLE.sub(fill, rule.message)


def values_digest(rule: Rule, figures: Figures) -> str:
    """Binds an explanation to the figures it explains: other figures, another digest."""
    text = ";".join(f"{code}={figures.get(code)}" for code in rule.cells)
    return hashlib.sha256(f"{rule.id};{text}".encode()).hexdigest()[:16]


def as_condition(tree: list[Any]) -> Q:
    """The expression as a condition for PostgreSQL. A comparison's left side is a cell."""
    op = tree[0]
    if op == "and":
        return as_condition(tree[1]) & as_condition(tree[2])
    if op == "or":
        return as_condition(tree[1]) | as_condition(tree[2])
    if op not in _LOOKUPS or tree[1][0] != "cell":
        raise ValueError(f"a hard rule can't become a CHECK constraint: {tree}")
    condition = Q(**{f"{tree[1][1]}__{_LOOKUPS[op]}": _as_expression(tree[2])})
    return ~condition if op == "!=" else condition


def _as_expression(tree: list[Any]) -> Any:
    op = tree[0]
    if op == "cell":
        return F(tree[1])
    if op == "const":
        return int(tree[1])
    if op == "sum":
        return reduce(operator.add, [Coalesce(F(code), Value(0)) for code in tree[1:]])
    return _OPERATORS[op](_as_expression(tree[1]), _as_expression(tree[2]))


_LOOKUPS = {">": "gt", ">=": "gte", "=": "exact", "!=": "exact"}


@dataclass(frozen=True)
class ExcelCell:
    """How formulas speak of one cell: its whole figure as a number, and whether it is filled in."""

    figure: str
    is_filled: str


def as_excel(tree: list[Any], cell: Callable[[str], ExcelCell], reporter: str) -> str:
    """The expression as an Excel formula over whole figures, blank cells treated as `evaluate` treats them."""
    op = tree[0]
    if op == "cell":
        return cell(tree[1]).figure
    if op == "const":
        return str(tree[1])
    if op == "sum":
        return "SUM(" + ",".join(cell(code).figure for code in tree[1:]) + ")"
    if op == "reporter":
        return "TRUE" if reporter in tree[1:] else "FALSE"
    left, right = as_excel(tree[1], cell, reporter), as_excel(tree[2], cell, reporter)
    if op in ("and", "or"):
        return f"{op.upper()}({left},{right})"
    formula = f"({left}{'<>' if op == '!=' else op}{right})"
    # A comparison with a blank cell is not true.
    filled = [cell(code).is_filled for code in _compared(tree)] if op in (">", ">=", "=", "!=") else []
    return f"AND({','.join([*filled, formula])})" if filled else formula


def _compared(tree: list[Any]) -> list[str]:
    """The cells an expression reads one by one, each once; the parts of a sum may be blank."""
    if tree[0] == "cell":
        return [tree[1]]
    if tree[0] in ("const", "sum", "reporter"):
        return []
    return list(dict.fromkeys(code for side in tree[1:] for code in _compared(side)))
