"""What a rule wants, in words, told from its declaration: “D1（发放款物）大于 0 时，C1（慰问对象）应不为 0”."""

from __future__ import annotations

from typing import Any

from reporting.fields import MoneyField, YesNoField, show_wanyuan
from reporting.rules import Rule, SumRule
from reporting.sheets import Sheet
from unions.models import Union

MOST_NAME = 12
Tree = list[Any]


def wanted(rule: Rule, sheet: Sheet) -> str:
    """A sentence without figures, the same whatever is filled in."""
    if isinstance(rule, SumRule):
        return f"{rule.total} 应等于 {' + '.join(rule.parts)}"
    conditions = _flat("and", rule.broken.tree)
    *when, last = conditions
    reporters = [tree for tree in when if tree[0] == "reporter"]
    when = [tree for tree in when if tree[0] != "reporter"]
    words = "且".join(_said(tree, sheet) for tree in when)
    if words:
        words += f"{' ' if words[-1].isdigit() else ''}时，"
    words += "，".join(_denied(tree, sheet) for tree in _flat("or", last))
    who = "".join(f"{'、'.join(Union.Kind(kind).label for kind in tree[1:])}：" for tree in reporters)
    return who + words


def _flat(op: str, tree: Tree) -> list[Tree]:
    return [part for side in tree[1:] for part in _flat(op, side)] if tree[0] == op else [tree]


_SAID = {">": "大于", ">=": "不小于", "=": "等于", "!=": "不等于"}
_DENIED = {">": "应不大于", ">=": "应小于", "=": "应不等于", "!=": "应等于"}


def _said(tree: Tree, sheet: Sheet) -> str:
    op, left, right = tree
    if op == "or":
        return "或".join(_said(side, sheet) for side in _flat("or", tree))
    if choice := _choice(tree, sheet):
        return f"{choice[0]}为“{choice[1]}”"
    if op == "=" and right == ["const", "0"]:
        return f"{_value(left, tree, sheet)}为 0"
    return _joined(_value(left, tree, sheet), _SAID[op], _value(right, tree, sheet))


def _denied(tree: Tree, sheet: Sheet) -> str:
    op, left, right = tree
    if choice := _choice(tree, sheet):
        return f"{choice[0]}应为“{'否' if choice[1] == '是' else '是'}”"
    if right == ["const", "0"] and op in ("=", ">"):
        return f"{_value(left, tree, sheet)}应{'不' if op == '=' else ''}为 0"
    return _joined(_value(left, tree, sheet), _DENIED[op], _value(right, tree, sheet))


def _choice(tree: Tree, sheet: Sheet) -> tuple[str, str] | None:
    """A comparison of a 是/否 row: its name, and which of the two."""
    op, left, right = tree
    is_choice = op == "=" and left[0] == "cell" and isinstance(sheet.fields[left[1]], YesNoField)
    if not is_choice or right[0] != "const":
        return None
    return _value(left, tree, sheet), "是" if right[1] == "1" else "否"


def _value(tree: Tree, comparison: Tree, sheet: Sheet) -> str:
    """`comparison` tells whether a constant is money."""
    op = tree[0]
    if op == "cell":
        return _named(tree[1], sheet)
    if op == "sum":
        return " + ".join(tree[1:])
    if op == "const":
        is_money = any(isinstance(sheet.fields[code], MoneyField) for code in _codes(comparison))
        return f"{show_wanyuan(int(tree[1]))} 万元" if is_money and tree[1] != "0" else str(tree[1])
    sign = {"*": " × ", "+": " + "}[op]
    return sign.join(_value(side, comparison, sheet) for side in tree[1:])


def _codes(tree: Tree) -> list[str]:
    if tree[0] == "cell":
        return [tree[1]]
    if tree[0] == "sum":
        return list(tree[1:])
    return [code for side in tree[1:] if isinstance(side, list) for code in _codes(side)]


def _named(code: str, sheet: Sheet) -> str:
    """The code with a few words of its label."""
    name = sheet.row[code].full_label.rpartition("：")[2]
    return f"{code}（{name if len(name) <= MOST_NAME else name[: MOST_NAME - 1] + '…'}）"


def _joined(left: str, between: str, right: str) -> str:
    return f"{left}{between} {right}"
