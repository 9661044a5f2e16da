"""The ordinary forms: a campaign's settings, its clone, an extension, and what a reviewer writes.

The statistics themselves are no Django forms; see `fragments` and `filling`.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Column, Fieldset, Layout, Row
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from reporting.campaigns import SETTINGS
from reporting.models import (
    LAST_YEAR,
    Campaign,
    Filing,
    sensible_day,
    sensible_moment,
)
from reporting.workflow import MIN_REASON

if TYPE_CHECKING:  # Django's form classes take their type only from the stubs

    class _CampaignModelForm(forms.ModelForm[Campaign]): ...

else:
    _CampaignModelForm = forms.ModelForm

EVERYTHING, ONLY_CELLS = "all", "cells"


def _helper(*layout: Any) -> FormHelper:
    """Fields only: the template owns <form>, the token and the buttons."""
    helper = FormHelper()
    helper.form_tag = False
    helper.disable_csrf = True
    if layout:
        helper.layout = Layout(*layout)
    return helper


def _moment_widget() -> forms.DateTimeInput:
    return forms.DateTimeInput(attrs={"type": "datetime-local", "step": 1}, format="%Y-%m-%dT%H:%M:%S")


def _day_widget() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class MomentField(forms.DateTimeField):
    """Refuses the years in which local time can't be reckoned before anybody reckons with them."""

    default_validators = [sensible_moment]


class DayField(forms.DateField):
    default_validators = [sensible_day]


class CampaignForm(_CampaignModelForm):
    """The settings. The page carries the values it showed, as `shown-…`: only what somebody changed on it is
    a change, and `update_campaign` compares it with what stands by then.
    """

    class Meta:
        model = Campaign
        fields = SETTINGS
        widgets = {
            "opens_at": _moment_widget(),
            "deadline": _moment_widget(),
            "visits_from": _day_widget(),
            "visits_until": _day_widget(),
        }
        field_classes = {
            "opens_at": MomentField,
            "deadline": MomentField,
            "visits_from": DayField,
            "visits_until": DayField,
        }
        help_texts = {
            "opens_at": "此前各单位可以看到任务，但不能填写",
            "deadline": "通知写“27日前”即填 27 日 23:59:59；之后不能上报，经批准延期的除外",
            "notice_number": "如 黑工办发〔2020〕30号",
            "contact": "填报页上显示，各单位有疑问时联系",
            "mailbox": "市（地）、产业的报送件审核通过后，电子版（报表、报告、PDF）自动发往此邮箱；不填则不发",
        }
        error_messages = {"year": {"unique": "这个年份已经有报送任务，一个年份只有一个。"}}

    changed_on_page: list[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = _helper(
            Fieldset(
                "通知",
                "title",
                Row(Column("notice_number"), Column("contact")),
                "notice_title",
                Row(Column("year"), Column("data_year")),
                "mailbox",
            ),
            Fieldset(
                "时间",
                Row(Column("opens_at"), Column("deadline")),
                Row(Column("visits_from"), Column("visits_until")),
            ),
        )

    @property
    def shown(self) -> list[tuple[str, str]]:
        """(name, text) for the page's hidden fields. A page that comes back keeps what it first showed."""
        return [
            (f"shown-{name}", self.data.get(f"shown-{name}", "") if self.is_bound else self._stands(name))
            for name in self.fields
        ]

    def _stands(self, name: str) -> str:
        """The setting as it is now, as its input writes it."""
        field = self.fields[name]
        return field.widget.format_value(field.prepare_value(self.initial.get(name))) or ""

    def _typed(self, name: str) -> str:
        field = self.fields[name]
        return field.widget.format_value(field.prepare_value(self.cleaned_data[name])) or ""

    def changes(self) -> dict[str, Any]:
        """What somebody changed on the page. Only of a valid form."""
        return {name: self.cleaned_data[name] for name in self.changed_on_page}

    def values_shown(self) -> dict[str, Any]:
        """What stood on the page; a setting of which the page says nothing is left out."""
        shown = {}
        for name, field in self.fields.items():
            try:
                shown[name] = field.clean(self.data[f"shown-{name}"])
            except (KeyError, ValidationError):
                continue
        return shown

    def brought_up_to_date(self, campaign: Campaign) -> CampaignForm:
        """The page after somebody else's change: what was typed stays, everything else as it is now."""
        changed = self.changes()
        current = CampaignForm(instance=campaign)
        data = dict(self.data.items())
        for name in self.fields:
            data[f"shown-{name}"] = current._stands(name)
            if name not in changed:
                data[name] = current._stands(name)
        return CampaignForm(data, instance=campaign)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self.changed_on_page = [n for n in cleaned if self._typed(n) != self.data.get(f"shown-{n}")]
        for name in cleaned.keys() - set(self.changed_on_page):
            # What nobody touched is as it is now, whatever the page showed.
            cleaned[name] = self.initial.get(name)
        opens, deadline = cleaned.get("opens_at"), cleaned.get("deadline")
        if opens and deadline and deadline <= opens:
            self.add_error("deadline", "截止时间须晚于开始填报的时间。")
        first, last = cleaned.get("visits_from"), cleaned.get("visits_until")
        if first and last and last < first:
            self.add_error("visits_until", "走访结束不能早于走访开始。")
        return cleaned


class CloneForm(forms.Form):
    year = forms.IntegerField(label="新任务的年份", help_text="元旦春节所在的年份")

    def __init__(self, *args: Any, campaign: Campaign, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = _helper()
        year = self.fields["year"]
        assert isinstance(year, forms.IntegerField)
        year.widget.attrs.update({"min": campaign.year + 1, "max": min(campaign.year + 50, LAST_YEAR)})
        self.least, self.most = campaign.year + 1, min(campaign.year + 50, LAST_YEAR)

    def clean_year(self) -> int:
        year: int = self.cleaned_data["year"]
        if not self.least <= year <= self.most:
            raise ValidationError(f"请填 {self.least} 至 {self.most} 之间的年份。")
        return year


class ExtensionForm(forms.Form):
    until = MomentField(label="延期至", widget=_moment_widget())
    reason = forms.CharField(
        label="原因",
        max_length=900,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=f"不少于 {MIN_REASON} 个字，该单位和审计员都能看到",
    )

    def __init__(self, *args: Any, filing: Filing, **kwargs: Any) -> None:
        here = timezone.localtime(filing.deadline)
        kwargs.setdefault("initial", {"until": here + datetime.timedelta(days=2)})
        super().__init__(*args, **kwargs)
        self.helper = _helper()
        for field in self.fields.values():
            field.error_messages["required"] = f"请填写{field.label}。"


class SendBackForm(forms.Form):
    """What the dialog of 退回 sends. `cells` are names like `warmth:E1` and `report`."""

    reason = forms.CharField(label="退回原因", required=False, max_length=1000)
    scope = forms.ChoiceField(choices=[(EVERYTHING, "全部开放"), (ONLY_CELLS, "只开放所选指标")])
    cells = forms.MultipleChoiceField(required=False)

    def __init__(self, *args: Any, cells: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["cells"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(name, name) for name in cells]
        field.error_messages["invalid_choice"] = "所选的指标里有一格已不在表中，请刷新页面后重新选择。"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("scope") == ONLY_CELLS and not cleaned.get("cells") and "cells" not in self.errors:
            self.add_error("cells", "选了“只开放所选指标”，请至少勾选一项；要开放全部，请改选“全部开放”。")
        return cleaned

    @property
    def opened(self) -> list[str]:
        """The cells to open; none means all."""
        return self.cleaned_data["cells"] if self.cleaned_data["scope"] == ONLY_CELLS else []

    def sentences(self) -> list[str]:
        return [str(error) for errors in self.errors.values() for error in errors]
