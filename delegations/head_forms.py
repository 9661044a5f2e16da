"""The form of a delegation's head: who leads, who belongs to it, who arranges.

The page carries the values it showed (`shown-…`): only what somebody changed on it is a change, and it never
goes over what a colleague has put there meanwhile.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Column, Layout, Row
from django import forms
from django.db.models import Q

from delegations.models import Delegation
from delegations.planning import people_as
from unions.gate import Role
from unions.models import Person

if TYPE_CHECKING:  # Django's form classes take their type only from the stubs

    class _PersonField(forms.ModelChoiceField[Person]): ...

else:
    _PersonField = forms.ModelChoiceField

_BETWEEN_UNITS = re.compile(r"[\n\r、；;]+")
_LABELS = {
    "leader_name": "带队领导",
    "leader": "带队领导的账号",
    "member_units": "成员单位",
    "liaison_name": "联络员",
    "liaison": "联络员的账号",
    "liaison_phone": "联络员电话",
}


class PersonChoice(_PersonField):
    def label_from_instance(self, person: Any) -> str:
        return f"{person.name}（{person.username}）"


class HeadForm(forms.Form):
    """`delegation` as it stands. After `is_valid`, `values` are the arguments of `planning.set_head`."""

    leader_name = forms.CharField(label=_LABELS["leader_name"], required=False, max_length=30)
    leader = PersonChoice(queryset=Person.objects.none(), label=_LABELS["leader"], required=False)
    member_units = forms.CharField(
        label=_LABELS["member_units"],
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="一行一个，或用“、”隔开",
    )
    liaison_name = forms.CharField(label=_LABELS["liaison_name"], required=False, max_length=30)
    liaison = PersonChoice(queryset=Person.objects.none(), label=_LABELS["liaison"], required=False)
    liaison_phone = forms.CharField(label=_LABELS["liaison_phone"], required=False, max_length=30)

    def __init__(self, data: Any = None, *, delegation: Delegation) -> None:
        # The ids under which a plan's problems name these fields.
        super().__init__(data, auto_id=f"delegation-{delegation.pk}-%s")
        self.delegation = delegation
        self.values: dict[str, Any] = {}
        for name, role in (("leader", Role.LEADER), ("liaison", Role.LIAISON)):
            field = self.fields[name]
            assert isinstance(field, PersonChoice)
            # Whoever is chosen now stays a choice, or a post that ended would end this silently.
            field.queryset = Person.objects.filter(
                Q(pk__in=people_as(role).values("pk")) | Q(pk=getattr(delegation, f"{name}_id"))
            ).order_by("name", "username")
            field.empty_label = "暂无账号"
            field.help_text = "可以查看本组全部内容" if name == "leader" else "编制本组计划、填写走访记录"
        self.initial = self.stands = _texts(delegation)
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
        self.helper.layout = Layout(
            Row(Column("leader_name"), Column("leader")),
            "member_units",
            Row(Column("liaison_name"), Column("liaison"), Column("liaison_phone")),
        )

    @property
    def lacks(self) -> list[str]:
        """The posts that nobody at the province holds, so that there is no account to choose."""
        return [str(role.label) for role in (Role.LEADER, Role.LIAISON) if not people_as(role).exists()]

    @property
    def shown(self) -> list[tuple[str, str]]:
        """For the page's hidden fields: what it shows now. A page that comes back has been brought up to date."""
        return [(f"shown-{name}", self.stands[name]) for name in self.fields]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        renewed = dict(self.data.items())
        for name, label in _LABELS.items():
            if name not in cleaned:
                continue
            typed, stands = _plain(cleaned[name]), self.stands[name]
            shown = _plain(self.data.get(f"shown-{name}", stands))
            if typed == shown and stands != shown:
                # Nobody touched it here; a colleague did.
                renewed[name] = stands
                cleaned[name] = self.fields[name].clean(stands)
            elif stands not in (shown, typed):
                words = self._in_words(name, stands)
                self.add_error(name, f"{label}刚被他人改为“{words}”。仍用您填的请再保存一次，否则请改回。")
        self.data = renewed
        self.values = dict(cleaned)
        if "member_units" in cleaned:
            self.values["member_units"] = units_in(cleaned["member_units"])
        return cleaned

    def _in_words(self, name: str, text: str) -> str:
        if name in ("leader", "liaison"):
            person = getattr(self.delegation, name)
            return person.name if person else "空"
        return text or "空"


def units_in(text: str) -> list[str]:
    """`办公室、组织部` → ["办公室", "组织部"]."""
    return [unit for unit in (part.strip() for part in _BETWEEN_UNITS.split(text)) if unit]


def _texts(delegation: Delegation) -> dict[str, str]:
    """The head as its inputs hold it."""
    return {
        "leader_name": delegation.leader_name,
        "leader": _plain(delegation.leader_id),
        "member_units": "\n".join(delegation.member_units),
        "liaison_name": delegation.liaison_name,
        "liaison": _plain(delegation.liaison_id),
        "liaison_phone": delegation.liaison_phone,
    }


def _plain(value: Any) -> str:
    """As text, line ends as the database has them."""
    if isinstance(value, Person):
        return str(value.pk)
    return "" if value is None else str(value).replace("\r\n", "\n").strip()
