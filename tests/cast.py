"""The cast of the tests: five unions that stand in every relation to each other, and people for them.

黑龙江省总工会
├── 哈尔滨市总工会
│   └── 哈尔滨市南岗区总工会
├── 大庆油田工会
└── 齐齐哈尔市总工会          the outsider: beside Harbin, never above or below it
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import count

from django.contrib.auth.hashers import make_password

from unions.gate import Actor, Role
from unions.models import Person, Post, Union

PASSWORD = "nuan-2021-dong"
_numbers = count(1)


@dataclass(frozen=True)
class UnionTree:
    province: Union
    harbin: Union
    nangang: Union
    daqing_oilfield: Union
    outsider: Union


def make_union_tree() -> UnionTree:
    kind = Union.Kind

    def union(code: str, name: str, short: str, kind: str, parent: Union | None, position: int) -> Union:
        made = Union(code=code, name=name, short_name=short, kind=kind, parent=parent, position=position)
        made.path = made.path_from_parent
        return made

    province = union("230000", "黑龙江省总工会", "省总工会", kind.PROVINCE, None, 0)
    province.save()
    harbin = union("230100", "哈尔滨市总工会", "哈尔滨", kind.CITY, province, 1)
    daqing_oilfield = union("I01", "大庆油田工会", "大庆油田", kind.INDUSTRY, province, 14)
    outsider = union("230200", "齐齐哈尔市总工会", "齐齐哈尔", kind.CITY, province, 2)
    Union.objects.bulk_create([harbin, daqing_oilfield, outsider])
    nangang = union("230103", "哈尔滨市南岗区总工会", "南岗区", kind.COUNTY, harbin, 1)
    nangang.save()
    return UnionTree(province, harbin, nangang, daqing_oilfield, outsider)


def person(union: Union | None, *roles: Role, username: str = "", name: str = "") -> Person:
    """Somebody past the first log-in, with PASSWORD, holding `roles` in `union`."""
    number = next(_numbers)
    made = Person.objects.create(
        username=username or f"人员{number}",
        name=name or username or f"人员{number}",
        password=_hashed(),
        must_change_password=False,
    )
    if union is not None:
        Post.objects.bulk_create(Post(person=made, union=union, role=role) for role in roles)
    return made


def actor(someone: Person, union: Union) -> Actor:
    """`someone` acting for `union`, as the middleware would have it."""
    roles = Post.objects.filter(person=someone, union=union).values_list("role", flat=True)
    return Actor(person=someone, union=union, roles=frozenset(Role(role) for role in roles))


@cache
def _hashed() -> str:
    # Hashing is slow by design: once for all tests.
    return make_password(PASSWORD)
