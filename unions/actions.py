"""Everything that changes people, posts and unions.

Each action is keyword-only, runs in one transaction, locks the row it changes, asks the gate, and leaves an
event behind. `PermissionDenied` means the actor may never do this; `Refusal` is a sentence for the page about
why not now.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from unions.gate import Actor, Relation, Role
from unions.models import LEGAL_CHILDREN, Person, PersonEvent, Post, Union, UnionEvent

# Without 0 o 1 l i: the password is read over the telephone and typed from paper.
_LETTERS = "abcdefghjkmnpqrstuvwxyz"
_DIGITS = "23456789"

OUTSIDE_POSTS = "该人员还在您管辖范围之外任职，账号由上级管理员管理；您只能调整其在您管辖范围内的任职。"


class Refusal(Exception):
    """Why this cannot be done now, in words for the person who tried."""


# -- people ------------------------------------------------------------------------------------------------


@sensitive_variables("password", "new_password")
@transaction.atomic
def create_person(
    *,
    by: Actor,
    username: str,
    name: str,
    phone: str = "",
    email: str = "",
    posts: Iterable[tuple[Union, Role]],
) -> tuple[Person, str]:
    """The new person and the password for the first log-in, which is stored nowhere in the clear.

    Raises ValidationError for a username that is taken or not allowed.
    """
    wanted = _by_key(posts)
    if not wanted:
        raise Refusal("请至少安排一项任职。")
    for union, _role in wanted.values():
        by.require("manage_people", union)
    person, password = _new_account(username=username, name=name, phone=phone, email=email)
    _give_first_posts(by, person, wanted.values())
    return person, password


def _give_first_posts(by: Actor, person: Person, posts: Iterable[tuple[Union, Role]]) -> None:
    posts = list(posts)
    _record(by, person, "建立账号")
    Post.objects.bulk_create(Post(person=person, union=union, role=role) for union, role in posts)
    _record(by, person, *(f"增加任职：{_post(union, role)}" for union, role in posts))


@dataclass(frozen=True)
class NewPerson:
    """Somebody to be given an account, as `create_person` takes them."""

    username: str
    name: str
    phone: str
    email: str
    posts: tuple[tuple[Union, Role], ...]


@sensitive_variables("password", "made")
@transaction.atomic
def create_people(*, by: Actor, people: Iterable[NewPerson]) -> list[tuple[Person, str]]:
    """`create_person` for many, all or none. Raises what it raises."""
    made = []
    for new in people:
        wanted = _by_key(new.posts)
        if not wanted:
            raise Refusal("请至少安排一项任职。")
        for union, _role in wanted.values():
            by.require("manage_people", union)
        person, password = _new_account(
            username=new.username, name=new.name, phone=new.phone, email=new.email, lightly=True
        )
        _give_first_posts(by, person, wanted.values())
        made.append((person, password))
    return made


@sensitive_variables("password", "new_password")
@transaction.atomic
def create_first_administrator(*, union: Union, username: str, name: str) -> tuple[Person, str]:
    """For the command line only: nobody is there yet who could do it on a page."""
    Union.objects.select_for_update(no_key=True).get(pk=union.pk)
    if Post.objects.filter(union=union, role=Role.ADMINISTRATOR, person__is_active=True).exists():
        raise Refusal(f"{union.name}已有管理员，请由其在“人员”页面建立新账号或重置密码。")
    person, password = _new_account(username=username, name=name, phone="")
    Post.objects.create(person=person, union=union, role=Role.ADMINISTRATOR)
    _record(None, person, "建立账号", f"增加任职：{_post(union, Role.ADMINISTRATOR)}")
    return person, password


@transaction.atomic
def edit_person(*, by: Actor, person: Person, name: str, phone: str, email: str = "") -> None:
    person = _lock(person)
    _require_whole_account(by, person)
    changes = []
    if person.name != name:
        changes.append(f"姓名由“{person.name}”改为“{name}”")
    if person.phone != phone:
        changes.append("修改电话")
    if person.email != email:
        changes.append("修改邮箱")
    person.name, person.phone, person.email = name, phone, email
    person.full_clean()
    person.save(update_fields=["name", "phone", "email"])
    _record(by, person, *changes)


@transaction.atomic
def set_active(*, by: Actor, person: Person, active: bool) -> None:
    """Disabling ends the person's sessions at their next request: the log-in back end drops them."""
    person = _lock(person)
    _require_whole_account(by, person)
    if person.is_active == active:
        return
    if not active and person.pk == by.person.pk:
        raise Refusal("不能停用自己的账号，请由其他管理员办理。")
    with _keeping_an_administrator(person):
        person.is_active = active
        person.save(update_fields=["is_active"])
    _record(by, person, "启用账号" if active else "停用账号")


@sensitive_variables("password", "new_password")
@transaction.atomic
def reset_password(*, by: Actor, person: Person) -> str:
    """A password for one log-in; it also lifts a lock after wrong passwords, or the person could not use it."""
    person = _lock(person)
    _require_whole_account(by, person)
    if person.pk == by.person.pk:
        raise Refusal("请在右上角“修改密码”中修改自己的密码。")
    password = _temporary_password()
    person.set_password(password)
    person.must_change_password = True
    person.save(update_fields=["password", "must_change_password"])
    # Inside the function: axes' models can only be imported once the apps are loaded.
    from axes.utils import reset

    reset(username=person.username)
    _record(by, person, "重置密码")
    return password


@transaction.atomic
def set_posts(*, by: Actor, person: Person, posts: Iterable[tuple[Union, Role]]) -> None:
    """Make `posts` the person's posts inside the actor's subtree; posts outside it stay as they are."""
    person = _lock(person)
    wanted = _by_key(posts)
    for union, _role in wanted.values():
        by.require("manage_people", union)
    held = {(post.union_id, Role(post.role)): post for post in _posts_of(person)}
    within = {key: post for key, post in held.items() if by.relation_to(post.union) != Relation.OUTSIDE}
    # Both ways of having nobody to manage here end in 403, also when nothing would change.
    by.require_here("manage_people")
    if not within and not wanted:
        raise PermissionDenied(OUTSIDE_POSTS)
    gone = [post for key, post in within.items() if key not in wanted]
    new = [wanted[key] for key in wanted if key not in within]
    if len(held) - len(gone) + len(new) == 0:
        raise Refusal("请至少保留一项任职；人员离岗请停用账号。")
    if person.pk == by.person.pk and any(
        post.role == Role.ADMINISTRATOR and by.union and post.union_id == by.union.pk for post in gone
    ):
        raise Refusal("不能取消自己的管理员任职，请由其他管理员办理。")
    with _keeping_an_administrator(person):
        Post.objects.filter(pk__in=[post.pk for post in gone]).delete()
        Post.objects.bulk_create(Post(person=person, union=union, role=role) for union, role in new)
    _record(by, person, *(f"取消任职：{_post(post.union, Role(post.role))}" for post in gone))
    _record(by, person, *(f"增加任职：{_post(union, role)}" for union, role in new))


@sensitive_variables("password", "new_password")
@transaction.atomic
def change_own_password(*, by: Actor, new_password: str) -> None:
    """Every other session of the person ends, because sessions carry a hash of the password."""
    person = _lock(by.person)
    person.set_password(new_password)
    person.must_change_password = False
    person.save(update_fields=["password", "must_change_password"])
    _record(by, person, "修改密码")
    # The request's own object signs the session that stays: it needs the new hash.
    by.person.password, by.person.must_change_password = person.password, False


def manages_whole_account(by: Actor, person: Person) -> bool:
    """Whether the account itself (name, password, disabling) is the actor's, not only some of its posts.

    Reads `person.posts`: free of queries where posts and their unions are prefetched.
    """
    posts = person.posts.all()
    if not posts:
        return by.union is not None and by.union.is_root and by.may_here("manage_people")
    return all(by.may("manage_people", post.union) for post in posts)


# -- unions ------------------------------------------------------------------------------------------------


@transaction.atomic
def create_union(*, by: Actor, parent: Union, kind: str, name: str, short_name: str, code: str = "") -> Union:
    """A new active union at the end of its siblings. Without a code it gets the parent's code and a number.

    Raises ValidationError for a code or name that is taken.
    """
    parent = _lock_union(parent)  # also makes the number unique
    by.require("manage_unions", parent)
    if not parent.is_active:
        raise Refusal(f"{parent.name}已停用，请先启用。")
    legal = LEGAL_CHILDREN[parent.kind]
    if kind not in legal:
        names = "、".join(Union.Kind(child).label for child in legal)
        raise Refusal(
            f"{parent.name}下面只能建立：{names}。" if legal else f"{parent.name}下面不能再建工会组织。"
        )
    siblings = list(parent.children.order_by("position"))
    union = Union(
        parent=parent,
        kind=kind,
        name=name,
        short_name=short_name,
        code=code or _next_code(parent),
        position=siblings[-1].position + 1 if siblings else 1,
    )
    union.full_clean(exclude=["path"])
    union.save()
    _record_union(by, union, "建立")
    return union


@transaction.atomic
def edit_union(*, by: Actor, union: Union, name: str, short_name: str) -> Union:
    union = _lock_union(union)
    by.require("manage_unions", union)
    what = []
    if union.name != name:
        what.append(f"名称由“{union.name}”改为“{name}”")
    if union.short_name != short_name:
        what.append(f"简称由“{union.short_name}”改为“{short_name}”")
    union.name, union.short_name = name, short_name
    union.full_clean(exclude=["path"])
    union.save()
    _record_union(by, union, *what)
    return union


@transaction.atomic
def set_union_active(*, by: Actor, union: Union, active: bool) -> None:
    """A union switched off takes no part in new campaigns; its people cannot act for it, its filings stay.

    Raises Refusal where the tree would get a hole: an active union below one that is switched off.
    """
    union = _lock_union(union)
    by.require("manage_unions", union)
    if union.is_active == active:
        return
    if active:
        # Locked, so that the parent cannot be switched off in the same moment.
        if (
            union.parent_id
            and not Union.objects.select_for_update(no_key=True).get(pk=union.parent_id).is_active
        ):
            raise Refusal("上级工会已停用，请先启用上级工会。")
    else:
        if by.relation_to(union) == Relation.OWN:
            raise Refusal("不能停用自己所在的工会组织，请由上级管理员办理。")
        below = union.children.filter(is_active=True).count()
        if below:
            raise Refusal(f"{union.name}还有 {below} 个下级工会在用，请先停用下级。")
    union.is_active = active
    union.save(update_fields=["is_active"])
    _record_union(by, union, "启用" if active else "停用")


@transaction.atomic
def set_active_children(*, by: Actor, union: Union, codes: set[str]) -> tuple[int, int]:
    """Switch on the children with these codes and off all others; how many were switched on and off.

    Codes that are no children of `union` are ignored: the page cannot have offered them.
    """
    by.require("manage_unions", union)
    switched_on = switched_off = 0
    for child in Union.objects.filter(parent=union):
        active = child.code in codes
        if child.is_active != active:
            set_union_active(by=by, union=child, active=active)
            switched_on += active
            switched_off += not active
    return switched_on, switched_off


# -- shared ------------------------------------------------------------------------------------------------


@contextmanager
def _keeping_an_administrator(person: Person) -> Iterator[None]:
    """Refuses a change that leaves the root without an administrator who can log in.

    The root's row is locked meanwhile: two administrators cannot remove each other in the same moment.
    """
    root = Union.objects.filter(parent=None, posts__person=person, posts__role=Role.ADMINISTRATOR).first()
    if root is not None:
        _lock_union(root)
    yield
    left = Post.objects.filter(union=root, role=Role.ADMINISTRATOR, person__is_active=True)
    if root is not None and not left.exists():
        raise Refusal(f"这是{root.name}的最后一名管理员，请先任命另一名管理员。")


def _lock(person: Person) -> Person:
    return Person.objects.select_for_update(no_key=True).get(pk=person.pk)


def _lock_union(union: Union) -> Union:
    return (
        Union.objects.select_for_update(no_key=True, of=("self",)).select_related("parent").get(pk=union.pk)
    )


def _posts_of(person: Person) -> list[Post]:
    return list(Post.objects.filter(person=person).select_related("union"))


def _require_whole_account(by: Actor, person: Person) -> None:
    by.require_here("manage_people")
    if not manages_whole_account(by, person):
        raise PermissionDenied(OUTSIDE_POSTS)


def _by_key(posts: Iterable[tuple[Union, Role]]) -> dict[tuple[int, Role], tuple[Union, Role]]:
    return {(union.pk, Role(role)): (union, Role(role)) for union, role in posts}


@sensitive_variables("password")
def _new_account(
    *, username: str, name: str, phone: str, email: str = "", lightly: bool = False
) -> tuple[Person, str]:
    password = _temporary_password()
    person = Person(username=Person.normalize_username(username), name=name, phone=phone, email=email)
    if lightly:
        # Half a second for each password would keep a county's worth of people waiting for minutes. Stretching
        # protects what people think up, not 66 random bits; the first log-in hashes it in full and replaces it.
        hasher = PBKDF2PasswordHasher()
        person.password = hasher.encode(password, hasher.salt(), iterations=20_000)
    else:
        person.set_password(password)
    person.full_clean()
    person.save()
    return person, password


def _temporary_password() -> str:
    """Like "kfmw-7392-xqpt": 66 bits, and every password rule of the settings is met."""
    blocks = (_LETTERS, _DIGITS, _LETTERS, _LETTERS)
    return "-".join("".join(secrets.choice(block) for _ in range(4)) for block in blocks)


def _next_code(parent: Union) -> str:
    taken = set(Union.objects.filter(code__startswith=f"{parent.code}-").values_list("code", flat=True))
    number = 1
    while f"{parent.code}-{number:02d}" in taken:
        number += 1
    return f"{parent.code}-{number:02d}"


def _post(union: Union, role: Role) -> str:
    return f"{union.name} {role.label}"


def _record(by: Actor | None, person: Person, *what: str) -> None:
    actor = by.person if by else None
    PersonEvent.objects.bulk_create(PersonEvent(by=actor, person=person, what=line) for line in what)


def _record_union(by: Actor | None, union: Union, *what: str) -> None:
    actor = by.person if by else None
    UnionEvent.objects.bulk_create(UnionEvent(by=actor, union=union, what=line) for line in what)
