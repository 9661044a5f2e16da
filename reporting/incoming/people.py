"""People and unions from a workbook: every row is judged first, and all are made or none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from reporting.errors import Refused, WrongState
from reporting.incoming.row_workbooks import Column, Line
from reporting.reading.recognition import plain
from unions import actions
from unions.forms import PersonForm
from unions.gate import Actor, Role
from unions.models import LEGAL_CHILDREN, Person, Union

SALT = "people import"
LOOKED_AT = 3600  # seconds for which a preview can be confirmed

ROLES_HINT = "、".join(str(role.label) for role in Role)
KINDS = tuple(str(kind.label) for kind in Union.Kind if kind != Union.Kind.PROVINCE)
PEOPLE = (
    Column("union", "单位", 28.0, "单位的代码或名称，见“填写说明”下面的清单"),
    Column("name", "姓名", 14.0, "真实姓名"),
    Column("username", "账号", 20.0, "登录时输入，不能与已有的重复。可用汉字、字母、数字和 @ . + - _"),
    Column("roles", "角色", 22.0, f"{ROLES_HINT}；有几个的用顿号隔开"),
    Column("phone", "电话", 18.0, "便于上级联系", is_required=False),
    Column("email", "邮箱", 26.0, "填了以后，上报、退回、通过的消息同时发到邮箱", is_required=False),
)
UNIONS = (
    Column("parent", "上级单位", 28.0, "上级工会的代码或名称；也可以是本表前面各行新建的单位"),
    Column("name", "名称", 32.0, "全称，例如“哈尔滨市南岗区总工会”"),
    Column("short_name", "简称", 18.0, "表格和列表中使用，例如“南岗区”"),
    Column("kind", "类别", 16.0, "上级单位下面可以建立的类别", choices=KINDS),
    Column("code", "代码", 16.0, "有行政区划代码的填六位代码，没有的留空，由系统编号", is_required=False),
)
_CODE = re.compile(r"[0-9A-Z][0-9A-Z-]*")  # as on the page 新建工会组织
# How people write them.
_KIND_WORDS = {
    Union.Kind.CITY: ("市（地）", "市", "地市", "市地", "地级市"),
    Union.Kind.INDUSTRY: ("产业", "产业工会"),
    Union.Kind.COUNTY: ("县（市、区）", "县", "区", "县区", "县级"),
    Union.Kind.GRASSROOTS: ("基层", "基层工会"),
}
KIND_OF = {plain(word): kind for kind, words in _KIND_WORDS.items() for word in words}
ROLE_OF = {str(role.label): role for role in Role}
AT_THE_TOP_ONLY = (Role.LIAISON, Role.LEADER)


@dataclass
class Judged:
    """What a workbook asks for: rows for reading, and what is wrong with which."""

    rows: list[Row] = field(default_factory=list)

    @property
    def wrong(self) -> list[Row]:
        return [row for row in self.rows if row.problems]


@dataclass
class Row:
    line: Line
    problems: list[str] = field(default_factory=list)
    union: Union | None = None  # whose people, or below which
    made: Any = None  # what goes to the action

    @property
    def number(self) -> int:
        return self.line.number


class Directory:
    """The active unions of the actor's subtree, by whatever people call them."""

    def __init__(self, by: Actor) -> None:
        self.by_code: dict[str, Union] = {}
        self.by_name: dict[str, list[Union]] = {}
        for union in Union.objects.visible_to(by).filter(is_active=True).select_related("parent"):
            self.add(union)

    def add(self, union: Union) -> None:
        self.by_code[union.code] = union
        for name in {plain(union.name), plain(union.short_name)}:
            self.by_name.setdefault(name, []).append(union)

    def find(self, text: str, problems: list[str], what: str) -> Union | None:
        if not text:
            problems.append(f"{what}没有填。")
            return None
        if text in self.by_code:
            return self.by_code[text]
        found = self.by_name.get(plain(text), [])
        exact = [union for union in found if union.name == text]
        if len(found) == 1 or len(exact) == 1:
            return (exact or found)[0]
        if found:
            problems.append(f"叫“{text[:30]}”的单位不止一个，请填代码或全称。")
        else:
            problems.append(f"没有代码或名称是“{text[:30]}”的在用单位，或者不在您的管辖范围内。")
        return None


# -- people ------------------------------------------------------------------------------------------------


class _PersonRow(PersonForm):
    """The rules of the page, without its question to the database for every row."""

    def validate_unique(self) -> None:
        pass


def judge_people(lines: Sequence[Line], by: Actor) -> Judged:
    """Every row against the rules of the page “新建账号”. A constant number of queries."""
    by.require_here("manage_people")
    directory = Directory(by)
    names = [Person.normalize_username(line["username"]) for line in lines]
    taken = set(Person.objects.filter(username__in=names).values_list("username", flat=True))
    first: dict[str, int] = {}
    judged = Judged()
    for line, username in zip(lines, names, strict=True):
        row = Row(line)
        row.union = directory.find(line["union"], row.problems, "单位")
        form = _PersonRow({name: line[name] for name in ("username", "name", "phone", "email")})
        for name, errors in form.errors.items():
            label = next((c.heading for c in PEOPLE if c.name == name), name)
            row.problems += [_with_label(label, str(error), line[name]) for error in errors]
        if username and username in taken:
            row.problems.append(f"账号“{username}”已有人使用，请换一个。")
        elif username and username in first:
            row.problems.append(
                f"账号“{username}”与第 {first[username]} 行相同。一人在几个单位任职的，先建一行，再到人员页面增加任职。"
            )
        first.setdefault(username, line.number)
        roles = _roles(line["roles"], row)
        if row.union and not row.problems:
            posts = tuple((row.union, role) for role in roles)
            cleaned = form.cleaned_data
            row.made = actions.NewPerson(
                cleaned["username"], cleaned["name"], cleaned["phone"], cleaned["email"], posts
            )
        judged.rows.append(row)
    return judged


def _with_label(label: str, sentence: str, value: str) -> str:
    if not value:
        return f"{label}没有填。"
    return sentence if sentence.startswith(label) else f"{label}：{sentence}"


def _roles(text: str, row: Row) -> list[Role]:
    found: list[Role] = []
    known_problems = len(row.problems)
    for word in filter(None, re.split(r"[、，,;；/\s]+", text)):
        role = ROLE_OF.get(word)
        if role is None:
            row.problems.append(f"没有“{word[:20]}”这个角色，可以填：{ROLES_HINT}。")
        elif role in AT_THE_TOP_ONLY and row.union and not row.union.is_root:
            row.problems.append(f"{word}只在省总工会任职，不能填在{row.union.name}。")
        elif role not in found:
            found.append(role)
    if not found and len(row.problems) == known_problems:
        row.problems.append("角色没有填。")
    return found


@sensitive_variables("made")
@transaction.atomic
def create_people(judged: Judged, by: Actor) -> list[tuple[Row, Person, str]]:
    """(row, person, password for the first log-in), all or none. Raises Refused with the row that is in the way."""
    try:
        made = actions.create_people(by=by, people=[row.made for row in judged.rows])
    except ValidationError as error:
        # Somebody has taken a name since the rows were judged.
        raise Refused(f"没有建立任何账号：{'；'.join(error.messages)}请重新上传核对。") from None
    except actions.Refusal as refusal:
        raise Refused(f"没有建立任何账号：{refusal}") from None
    return [(row, person, password) for row, (person, password) in zip(judged.rows, made, strict=True)]


# -- unions ------------------------------------------------------------------------------------------------


class _RolledBack(Exception):
    pass


def judge_unions(lines: Sequence[Line], by: Actor) -> Judged:
    """Tried out in a transaction that is taken back: what stands in a row may lie below what an earlier row makes."""
    judged = Judged()
    try:
        with transaction.atomic():
            judged = _make_unions(lines, by)
            raise _RolledBack
    except _RolledBack:
        return judged


def create_unions(lines: Sequence[Line], by: Actor) -> Judged:
    """All or none; the rows tell which."""
    judged = Judged()
    try:
        with transaction.atomic():
            judged = _make_unions(lines, by)
            if judged.wrong:
                raise _RolledBack
    except _RolledBack:
        pass
    return judged


def _make_unions(lines: Sequence[Line], by: Actor) -> Judged:
    by.require_here("manage_unions")
    directory = Directory(by)
    judged = Judged()
    for line in lines:
        row = Row(line)
        row.union = directory.find(line["parent"], row.problems, "上级单位")
        for name, label in (("name", "名称"), ("short_name", "简称")):
            if not line[name]:
                row.problems.append(f"{label}没有填。")
        kind = _kind(line["kind"], row)
        code = line["code"].upper()
        if code and not _CODE.fullmatch(code):
            row.problems.append(f"代码“{code[:20]}”只能用数字、大写字母和 -。")
        if row.union and kind and not row.problems:
            _make_union(row, kind, code, by)
            if row.made:
                directory.add(row.made)
        judged.rows.append(row)
    return judged


def _kind(text: str, row: Row) -> str:
    legal = LEGAL_CHILDREN[row.union.kind] if row.union else ()
    if not text and len(legal) == 1:
        return str(legal[0])
    if kind := KIND_OF.get(plain(text)):
        return str(kind)
    row.problems.append(
        f"没有“{text[:20]}”这个类别，可以填：{'、'.join(KINDS)}。" if text else "类别没有填。"
    )
    return ""


def _make_union(row: Row, kind: str, code: str, by: Actor) -> None:
    assert row.union is not None
    line = row.line
    try:
        with transaction.atomic():
            row.made = actions.create_union(
                by=by,
                parent=row.union,
                kind=kind,
                name=line["name"],
                short_name=line["short_name"],
                code=code,
            )
    except actions.Refusal as refusal:
        row.problems.append(str(refusal))
    except PermissionDenied:
        row.problems.append(f"{row.union.name}不在您的管辖范围内。")
    except ValidationError as error:
        row.problems += _sentences(error, line)


def _sentences(error: ValidationError, line: Line) -> Iterable[str]:
    labels = {column.name: column.heading for column in UNIONS}
    for name, problems in error.error_dict.items():
        for problem in problems:
            if problem.code == "unique":
                yield {
                    "name": f"已有叫“{line['name'][:40]}”的工会组织。",
                    "code": f"代码“{line['code'][:20]}”已有工会组织使用。",
                }.get(name, "已有相同的工会组织。")
            else:
                yield f"{labels.get(name, '')}：{''.join(problem.messages)}"


# -- between looking and confirming --------------------------------------------------------------------------


def sealed(what: str, lines: Sequence[Line], by: Actor) -> str:
    """The rows as the page carries them to its own confirmation: nothing is kept of what nobody confirms."""
    rows = [[line.number, dict(line.values)] for line in lines]
    content = {"what": what, "person": by.person.pk, "union": by.union.code if by.union else "", "rows": rows}
    return signing.dumps(content, salt=SALT, compress=True)


def unsealed(text: str, what: str, by: Actor) -> list[Line]:
    """Raises WrongState for anything but what this very person has been shown."""
    try:
        content = signing.loads(text, salt=SALT, max_age=LOOKED_AT)
    except signing.BadSignature:
        raise WrongState("预览已过期，没有建立。请重新上传。") from None
    looked_at = (content["what"], content["person"], content["union"])
    if looked_at != (what, by.person.pk, by.union.code if by.union else ""):
        raise WrongState("预览不是现在登录的人在当前单位所看的，没有建立。请重新上传。")
    return [Line(number, values) for number, values in content["rows"]]
