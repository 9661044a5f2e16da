"""Who sees what, and who may do what: the path, the subtree, the table."""

from __future__ import annotations

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cast import UnionTree, actor, person
from unions.gate import GRANTS, Actor, Relation, Role
from unions.models import Person, Union
from unions.tree import in_tree_order

# Codes that are prefixes of each other: "23" must not contain "230".
CODES = st.lists(st.text("0123I", min_size=1, max_size=3), min_size=2, max_size=12, unique=True)


@st.composite
def trees(draw: st.DrawFn) -> list[tuple[str, int | None]]:
    """(code, index of the parent) with parents first."""
    codes = draw(CODES)
    return [(code, draw(st.integers(0, i - 1)) if i else None) for i, code in enumerate(codes)]


def unions_of(drawn: list[tuple[str, int | None]]) -> list[Union]:
    unions: list[Union] = []
    for code, parent in drawn:
        union = Union(
            code=code,
            name=code,
            short_name=code,
            kind="city",
            parent=unions[parent] if parent is not None else None,
        )
        union.path = union.path_from_parent
        unions.append(union)
    return unions


def ancestors_or_self(union: Union) -> list[Union]:
    return [union, *ancestors_or_self(union.parent)] if union.parent else [union]


@given(trees())
def test_a_union_contains_another_exactly_when_it_is_its_ancestor(
    drawn: list[tuple[str, int | None]],
) -> None:
    unions = unions_of(drawn)
    for upper in unions:
        for lower in unions:
            assert upper.contains(lower) == any(upper is union for union in ancestors_or_self(lower))


@given(trees())
def test_tree_order_keeps_every_subtree_together_below_its_root(
    drawn: list[tuple[str, int | None]],
) -> None:
    unions = unions_of(drawn)
    ordered = in_tree_order(unions)
    assert len(ordered) == len(unions)
    for union, depth in ordered:
        assert depth == len(ancestors_or_self(union)) - 1
    # Depth first: a subtree is one unbroken stretch.
    for union in unions:
        inside = [union.contains(other) for other, _depth in ordered]
        first = next(i for i, (other, _depth) in enumerate(ordered) if other is union)
        assert inside == [first <= i < first + sum(inside) for i in range(len(ordered))]


@pytest.mark.django_db
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trees())
def test_the_database_sees_the_same_subtree_as_the_tree(drawn: list[tuple[str, int | None]]) -> None:
    with transaction.atomic():
        unions = unions_of(drawn)
        for union in unions:
            union.save()
        someone = Person(username="x")
        for upper in unions:
            visible = Union.objects.visible_to(Actor(someone, upper, frozenset(Role)))
            assert {union.pk for union in visible} == {lower.pk for lower in unions if upper.contains(lower)}
        transaction.set_rollback(True)


# The table once more, in the words of the rules: role → relations, for a union that is not the root …
OWN, BELOW, CHILD = {Relation.OWN}, {Relation.OWN, Relation.CHILD, Relation.DEEPER}, {Relation.CHILD}
F, S, R, A, U = Role.FILLER, Role.SUBMITTER, Role.REVIEWER, Role.ADMINISTRATOR, Role.AUDITOR
EVERYWHERE: dict[str, dict[Role, set[Relation]]] = {
    "view": {F: OWN, S: OWN, R: BELOW, A: BELOW, U: BELOW},
    "view_draft": {F: OWN, S: OWN, R: OWN, A: OWN, U: BELOW},
    "fill": {F: OWN, S: OWN},
    "import_batch": {},
    "submit": {S: OWN},
    "withdraw": {S: OWN},
    "review": {R: CHILD},
    "remark": {R: CHILD},
    "send_back": {R: CHILD},
    "approve": {R: CHILD},
    "reopen": {R: CHILD},
    "extend": {},
    "see_progress": {R: BELOW, A: BELOW, U: BELOW, S: BELOW},
    "see_summary": {},
    "aggregate": {},
    "manage_campaign": {},
    "manage_people": {A: BELOW},
    "manage_unions": {A: BELOW},
}
# … and what the root may beyond it: nobody reviews the province but the province itself.
ONLY_AT_THE_ROOT: dict[str, dict[Role, set[Relation]]] = {
    **{action: {R: OWN} for action in ("review", "remark", "send_back", "approve", "reopen")},
    "extend": {A: BELOW},
    "import_batch": {A: BELOW},
    "see_summary": {R: OWN, A: OWN, U: OWN},
    "aggregate": {A: OWN},
    "manage_campaign": {A: OWN},
}


def nodes() -> tuple[Union, Union, dict[Relation, Union]]:
    """(root, city, where the four relations of the city lie) without a database."""
    root, city, county, deep, beside = unions_of([("r", None), ("c", 0), ("d", 1), ("g", 2), ("o", 0)])
    for number, union in enumerate((root, city, county, deep, beside)):
        union.pk = number + 1
    for union in (city, county, deep, beside):
        assert union.parent
        union.parent_id = union.parent.pk
    relations = {Relation.OWN: city, Relation.CHILD: county, Relation.DEEPER: deep, Relation.OUTSIDE: beside}
    return root, city, relations


def test_every_action_of_the_gate_is_in_the_table_of_this_test() -> None:
    assert set(EVERYWHERE) == set(GRANTS)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", EVERYWHERE)
def test_a_role_may_do_an_action_only_in_the_relations_of_the_table(action: str, role: Role) -> None:
    root, city, relations = nodes()
    of_city = Actor(Person(), city, frozenset({role}))
    allowed = {relation for relation, union in relations.items() if of_city.may(action, union)}
    assert allowed == EVERYWHERE[action].get(role, set())

    of_root = Actor(Person(), root, frozenset({role}))
    seen_from_root = {Relation.OWN: root, Relation.CHILD: city, Relation.DEEPER: relations[Relation.DEEPER]}
    allowed = {relation for relation, union in seen_from_root.items() if of_root.may(action, union)}
    assert allowed == EVERYWHERE[action].get(role, set()) | ONLY_AT_THE_ROOT.get(action, {}).get(role, set())


@pytest.mark.parametrize("action", EVERYWHERE)
def test_nobody_may_do_anything_outside_the_subtree_or_without_a_post(action: str) -> None:
    _root, city, relations = nodes()
    everything = frozenset(Role)
    assert not Actor(Person(), city, everything).may(action, relations[Relation.OUTSIDE])
    assert not Actor(Person(), None, everything).may_here(action)
    assert not any(Actor(Person(), None, everything).may(action, union) for union in relations.values())


def test_people_are_visible_through_a_post_inside_the_subtree(tree: UnionTree) -> None:
    administrator = person(tree.harbin, Role.ADMINISTRATOR)
    inside = person(tree.nangang, Role.FILLER)
    both = person(tree.nangang, Role.FILLER)
    both.posts.create(union=tree.outsider, role=Role.FILLER)
    outside, without = person(tree.outsider, Role.FILLER), person(None)

    seen = set(Person.objects.visible_to(actor(administrator, tree.harbin)))
    assert seen == {administrator, inside, both}
    root = person(tree.province, Role.ADMINISTRATOR)
    seen = set(Person.objects.visible_to(actor(root, tree.province)))
    assert seen == {administrator, inside, both, outside, without, root}
    assert not Person.objects.visible_to(Actor(without, None)).exists()
