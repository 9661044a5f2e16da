"""The ordinary forms of what holds for all delegations of a campaign: numbers, sources of money, norms.

Plans and records are no Django forms; see `typed` and `saving`.
"""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Column, Layout, Row
from django import forms

from delegations.models import Arrangement, FundSource, Norm
from delegations.money import parse_yuan, plain_yuan
from delegations.planning import MOST_VISITS
from delegations.plans import COMPOSITION_FIELDS
from delegations.typed import label_of
from reporting.forms import DayField

NUMBERS = (*COMPOSITION_FIELDS.values(), "travellers_limit")


def _helper(*layout: Any) -> FormHelper:
    """Fields only: the template owns <form>, the token and the buttons."""
    helper = FormHelper()
    helper.form_tag = False
    helper.disable_csrf = True
    if layout:
        helper.layout = Layout(*layout)
    return helper


class YuanField(forms.CharField):
    """An amount in 元, `3万` allowed; its value is 分, or None for blank."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widget.attrs.update({"inputmode": "decimal", "autocomplete": "off", "class": "num"})

    def to_python(self, value: Any) -> int | None:  # type: ignore[override]
        return value if value is None or isinstance(value, int) else parse_yuan(str(value))

    def prepare_value(self, value: Any) -> Any:
        return plain_yuan(value) if isinstance(value, int) else value


class _FormOfWhatStands(forms.Form):
    """What the page showed goes along with it (`show_hidden_initial`): only what somebody changed on it is a
    change, everything else stays as a colleague has made it meanwhile."""

    def values(self) -> dict[str, Any]:
        """How everything is to be. Only of a valid form."""
        return {
            name: self.cleaned_data[name] if self._is_changed(name) else self.initial.get(name)
            for name in self.fields
        }

    def _is_changed(self, name: str) -> bool:
        return name in self.changed_data or self.add_initial_prefix(name) not in self.data


class ArrangementForm(_FormOfWhatStands):
    """How many of each kind every destination visits, and how many travel."""

    def __init__(self, data: Any = None, *, arrangement: Arrangement) -> None:
        stands = {name: getattr(arrangement, name) for name in NUMBERS}
        super().__init__(data, initial=stands, prefix="arrangement")
        for name in NUMBERS:
            label = label_of(arrangement, name)
            self.fields[name] = forms.IntegerField(
                label=label,
                min_value=0,
                max_value=MOST_VISITS,
                show_hidden_initial=True,
                error_messages={
                    "required": f"请填写{label}的数量，不走访的填 0。",
                    "invalid": f"{label}须填整数。",
                    "min_value": f"{label}不能小于 0。",
                    "max_value": f"{label}最多 {MOST_VISITS}。",
                },
            )
            self.fields[name].widget.attrs["class"] = "num"
        self.fields["travellers_limit"].help_text = "通知要求轻车简从，没有写人数；超过这个数的须说明原因"
        kinds = (Column(name) for name in COMPOSITION_FIELDS.values())
        self.helper = _helper(Row(*kinds, css_class="numbers"), Row(Column("travellers_limit")))


class SourceForm(_FormOfWhatStands):
    """A source of money; `source` None is the one to be added."""

    name = forms.CharField(
        label="名称",
        max_length=60,
        show_hidden_initial=True,
        error_messages={"required": "请填写资金来源的名称。"},
    )
    ceiling = YuanField(label="资金上限（元）", required=False, show_hidden_initial=True)

    def __init__(self, data: Any = None, *, source: FundSource | None) -> None:
        stands = {"name": source.name, "ceiling": source.ceiling} if source else {}
        prefix = f"source-{source.pk if source else 'new'}"
        super().__init__(data, initial=stands, prefix=prefix)
        self.source = source
        self.fields["ceiling"].widget.attrs["placeholder"] = "不设上限"
        self.helper = _helper(Row(Column("name", css_class="name"), Column("ceiling", css_class="ceiling")))


class NormForm(forms.Form):
    """A norm from a day on. Both bounds the same: a fixed amount."""

    subject = forms.ChoiceField(label="慰问对象", choices=Norm.Subject.choices)
    valid_from = DayField(
        label="自哪天起",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": "请填写从哪一天起执行。", "invalid": "请填写日期，如 2021-12-20。"},
    )
    least = YuanField(label="下限（元）", error_messages={"required": "请填写下限。"})
    most = YuanField(
        label="上限（元）",
        help_text="固定金额的，上下限填同一个数",
        error_messages={"required": "请填写上限。"},
    )
    basis = forms.CharField(label="依据", max_length=100, required=False, help_text="如 黑工办发〔2020〕30号")

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, prefix="norm")
        self.fields["subject"].error_messages["invalid_choice"] = "没有这一类慰问对象，请刷新页面。"
        self.helper = _helper(
            Row(Column("subject", css_class="subject"), Column("valid_from")),
            Row(Column("least"), Column("most")),
            "basis",
        )
