"""The ordinary forms: log-in, password, people with their posts, unions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from crispy_forms.helper import FormHelper
from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.views.decorators.debug import sensitive_variables

from unions.gate import Role
from unions.models import LEGAL_CHILDREN, Person, Union
from unions.tree import in_tree_order

if TYPE_CHECKING:  # Django's form classes take their type only from the stubs

    class _PersonModelForm(forms.ModelForm[Person]): ...

    class _UnionModelForm(forms.ModelForm[Union]): ...

    class _PostRowSet(forms.BaseFormSet["PostRow"]): ...

else:
    _PersonModelForm = _UnionModelForm = forms.ModelForm
    _PostRowSet = forms.BaseFormSet

ROLE_MEANINGS = {
    Role.FILLER: "填写本级报表",
    Role.SUBMITTER: "填写并上报本级报表",
    Role.REVIEWER: "审核直接下级的报送件",
    Role.ADMINISTRATOR: "管理本级及下级的人员和组织",
    Role.AUDITOR: "查看本级及下级，不能修改",
    Role.LIAISON: "编制所在慰问组的走访计划，填写走访记录（省总工会任职）",
    Role.LEADER: "查看所带慰问组的计划和记录（省总工会任职）",
}

# Django's own sentences are only partly translated.
WEAK_PASSWORD = {
    "password_too_short": "密码太短，至少需要 %(min_length)d 个字符。",
    "password_too_similar": "密码与账号太相似。",
    "password_too_common": "这个密码太常见，容易被猜到。",
    "password_entirely_numeric": "密码不能全是数字。",
}


def _helper() -> FormHelper:
    """Fields only: the template owns <form>, the token and the buttons."""
    helper = FormHelper()
    helper.form_tag = False
    helper.disable_csrf = True
    return helper


class LogInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": "账号或密码不正确。请注意大小写；连续输错 5 次将暂时锁定。",
        "inactive": "账号已停用，请联系本单位或上级工会的管理员。",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = _helper()
        self.fields["username"].label = "账号"
        self.fields["password"].label = "密码"
        for field in self.fields.values():
            field.error_messages["required"] = f"请输入{field.label}。"
        # A star beside both of two fields says nothing; the browser still asks for both.
        self.use_required_attribute = True


class OwnPasswordForm(PasswordChangeForm):
    error_messages = {
        **PasswordChangeForm.error_messages,
        "password_incorrect": "当前密码不正确，请重新输入。",
        "password_mismatch": "两次输入的新密码不一致。",
        "unchanged": "新密码不能与当前密码相同。",
    }

    def __init__(self, user: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.helper = _helper()
        self.fields["old_password"].label = "初始密码" if user.must_change_password else "当前密码"
        self.fields["new_password1"].label = "新密码"
        self.fields["new_password1"].help_text = ""  # the template lists the rules once, readable
        self.fields["new_password2"].label = "再输一次新密码"
        self.fields["new_password2"].help_text = ""

    @sensitive_variables("password")
    def validate_password_for_user(self, user: Any, *field_names: str) -> None:
        password = self.cleaned_data.get("new_password1")
        if not password or "new_password2" not in self.cleaned_data:
            return
        try:
            validate_password(password, user)
        except ValidationError as problem:
            for error in problem.error_list:
                words = WEAK_PASSWORD.get(error.code or "")
                self.add_error(
                    "new_password1", words % error.params if words and error.params else words or error
                )

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        new = self.cleaned_data.get("new_password1")
        if new and new == self.cleaned_data.get("old_password"):
            self.add_error(
                "new_password1", ValidationError(self.error_messages["unchanged"], code="unchanged")
            )
        return cleaned


class PersonForm(_PersonModelForm):
    """Who somebody is. The account name is for life: filings and histories are read by it."""

    class Meta:
        model = Person
        fields = ("username", "name", "phone", "email")
        labels = {"username": "账号", "email": "电子邮箱"}
        help_texts = {
            "username": "登录时输入，建立后不能修改。可用中文，例如“哈尔滨填报员”",
            "phone": "便于上级联系",
            "email": "可不填；填了以后，上报、退回、通过的消息同时发到邮箱",
        }
        error_messages = {
            "username": {
                "unique": "这个账号已有人使用，请换一个。",
                "invalid": "账号只能用汉字、字母、数字和 @ . + - _。",
            }
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = _helper()
        username = self.fields["username"]
        username.max_length = 30  # type: ignore[attr-defined]
        username.widget.attrs.update({"autocomplete": "off", "maxlength": 30, "autofocus": True})
        self.fields["name"].widget.attrs["autocomplete"] = "off"
        self.fields["phone"].widget.attrs.update({"autocomplete": "off", "inputmode": "tel"})
        self.fields["email"].widget.attrs["autocomplete"] = "off"
        if self.instance.pk:
            del self.fields["username"]


def union_choices(unions: Sequence[Union]) -> list[tuple[str, str]]:
    """(code, name) in tree order, indented; full-width spaces survive inside <option>."""
    return [(union.code, "　" * depth + union.name) for union, depth in in_tree_order(unions)]


class PostRow(forms.Form):
    """The roles of one person in one union; no role ticked means no post there."""

    union = forms.ChoiceField(label="工会组织", required=False)
    roles = forms.MultipleChoiceField(
        label="角色", choices=Role.choices, required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(
        self, *args: Any, unions: Sequence[Union], choices: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.unions = {union.code: union for union in unions}
        field = self.fields["union"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "请选择工会组织"), *choices]
        field.error_messages["invalid_choice"] = "这个工会组织不在您的管辖范围内。"
        field.widget.attrs["class"] = "form-select"

    @property
    def held_in(self) -> Union | None:
        """The union of a row that shows posts already held: its union is no longer a choice."""
        return self.unions.get(self.initial.get("union", "")) if self.initial.get("held") else None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("roles") and not cleaned.get("union") and "union" not in self.errors:
            self.add_error("union", "请选择工会组织。")
        if cleaned.get("union") and not cleaned.get("roles") and not self.initial.get("held"):
            self.add_error("roles", "请至少勾选一个角色。")
        return cleaned


class BasePostRows(_PostRowSet):
    def posts(self) -> list[tuple[Union, Role]]:
        return [
            (row.unions[row.cleaned_data["union"]], Role(role))
            for row in self.forms
            if row.cleaned_data.get("union")
            for role in row.cleaned_data["roles"]
        ]


PostRows = forms.formset_factory(PostRow, formset=BasePostRows, extra=1, max_num=60)


class _UnionNames(_UnionModelForm):
    class Meta:
        model = Union
        fields = ("name", "short_name")
        help_texts = {
            "name": "全称，例如“哈尔滨市南岗区总工会”",
            "short_name": "表格和列表中使用，例如“南岗区”",
        }
        error_messages = {"name": {"unique": "已有同名的工会组织。"}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = _helper()


class EditUnionForm(_UnionNames):
    """Code, kind and parent are for life: sealed totals were rolled up along them."""


class NewUnionForm(_UnionNames):
    parent = forms.ChoiceField(label="上级工会")
    kind = forms.ChoiceField(label="类别")
    code = forms.RegexField(
        r"^[0-9A-Z][0-9A-Z-]*$",
        label="代码",
        required=False,
        max_length=20,
        help_text="建立后不能修改。有行政区划代码的填六位代码，没有的留空，由系统编号",
        error_messages={"invalid": "代码只能用数字、大写字母和 -。"},
    )

    class Meta(_UnionNames.Meta):
        fields = ("name", "short_name", "code")  # type: ignore[assignment]
        error_messages = {
            **_UnionNames.Meta.error_messages,
            "code": {"unique": "这个代码已有工会组织使用。"},
        }

    field_order = ("parent", "kind", "name", "short_name", "code")

    def __init__(self, *args: Any, parents: Sequence[Union], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        able = [union for union in parents if LEGAL_CHILDREN[union.kind]]
        self.parents = {union.code: union for union in able}
        parent, kind = self.fields["parent"], self.fields["kind"]
        assert isinstance(parent, forms.ChoiceField) and isinstance(kind, forms.ChoiceField)
        parent.choices = union_choices(able)
        parent.error_messages["invalid_choice"] = "这个工会组织不在您的管辖范围内。"
        legal = {child for union in able for child in LEGAL_CHILDREN[union.kind]}
        kind.choices = [(value, label) for value, label in Union.Kind.choices if value in legal]
        if len(kind.choices) > 1:
            kind.help_text = "省下面是市（地）、产业，市（地）下面是县（市、区），县（市、区）下面是基层"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        parent = self.parents.get(cleaned.get("parent", ""))
        if parent and "kind" in cleaned and cleaned["kind"] not in LEGAL_CHILDREN[parent.kind]:
            names = "、".join(Union.Kind(kind).label for kind in LEGAL_CHILDREN[parent.kind])
            self.add_error("kind", f"{parent.name}下面只能建立：{names}。")
        return cleaned


class PeopleFilter(forms.Form):
    q = forms.CharField(label="查找", required=False, max_length=60, widget=forms.SearchInput)
    role = forms.ChoiceField(label="角色", required=False, choices=[("", "全部角色"), *Role.choices])
    state = forms.ChoiceField(
        label="状态", required=False, choices=[("", "全部状态"), ("on", "在用"), ("off", "已停用")]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["q"].widget.attrs.update({"class": "form-control", "placeholder": "姓名、账号或单位"})
        for name in ("role", "state"):
            self.fields[name].widget.attrs["class"] = "form-select"
            self.fields[name].widget.attrs["data-submit-on-change"] = ""
