"""The tree as people read it: parents before children, siblings in the order of the notice."""

from __future__ import annotations

from collections.abc import Iterable

from unions.models import Union


def in_tree_order(unions: Iterable[Union]) -> list[tuple[Union, int]]:
    """(union, depth) for the given unions, without a query; depth counts the ancestors that are given too."""
    given = {union.code: union for union in unions}

    def line(union: Union) -> list[Union]:
        return [given[code] for code in union.ancestor_codes if code in given]

    lines = sorted(
        (line(union) for union in given.values()),
        key=lambda ancestors: [(union.position, union.code) for union in ancestors],
    )
    return [(ancestors[-1], len(ancestors) - 1) for ancestors in lines]
