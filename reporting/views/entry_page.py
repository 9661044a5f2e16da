"""What the page of one form shows: its table, its state for the scripts, what stands below and above."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from reporting.assessment import Assessment, FormAssessment, assess
from reporting.errors import WrongState
from reporting.filling import HEAD_FIELDS, head_text, require_editable
from reporting.fragments import Filled, entry_table, note, pieces_for, reading_table
from reporting.models import Event, Filing
from reporting.registry import all_forms
from reporting.standing import TAKES_PART
from reporting.statistical import StatisticalForm
from reporting.totals import add_figures, subordinate_rows, sum_rows
from unions.gate import Actor
from unions.models import Union

Figures = dict[str, int | None]
SEALED = (Filing.State.SUBMITTED, Filing.State.APPROVED)


@dataclass(frozen=True)
class Tab:
    slug: str
    attachment: str
    title: str
    url: str
    mark: str  # "✓", "未填", or how many things are left to see to
    css: str  # done, empty or todo


class FilingPage:
    """What every page of a filing shows in its head."""

    def __init__(self, filing: Filing, actor: Actor) -> None:
        self.filing, self.actor = filing, actor
        self.assessment: Assessment = assess(filing)
        self.is_open = filing.is_editable and filing.campaign.is_open()
        self.may_fill = self.is_open and actor.may("fill", filing.union, filing.state)
        self.may_submit = self.is_open and actor.may("submit", filing.union, filing.state)
        self.may_withdraw = actor.may("withdraw", filing.union, filing.state) and filing.opened_at is None

    @cached_property
    def tabs(self) -> list[Tab]:
        pk = self.filing.pk
        tabs = [
            Tab(
                form.sheet.slug,
                form.sheet.form.attachment,
                form.sheet.title,
                reverse("form_page", args=[pk, form.sheet.slug]),
                "✓" if form.is_done else "未填" if form.is_untouched else str(form.count),
                "done" if form.is_done else "empty" if form.is_untouched else "todo",
            )
            for form in self.assessment.forms
        ]
        has_report = self.assessment.has_report
        tabs.append(
            Tab(
                "report",
                "",
                "送温暖报告",
                reverse("report_page", args=[pk]),
                "✓" if has_report else "未上传",
                "done" if has_report else "empty",
            )
        )
        return tabs

    @cached_property
    def why_closed(self) -> str:
        """For those who would fill it in: why they can't now."""
        return (
            ""
            if self.may_fill or not self.actor.may("fill", self.filing.union)
            else closed_sentence(self.filing)
        )

    @cached_property
    def returned_by(self) -> Event | None:
        """The return that is being answered, with its reason."""
        if self.filing.state != Filing.State.RETURNED:
            return None
        return self.filing.events.filter(move__in=("send_back", "reopen")).select_related("by").first()

    @cached_property
    def subordinates(self) -> list[tuple[str, str]]:
        """(name, state) of the direct subordinates in the same campaign. The province's total is the
        summary, so its own page shows none."""
        union = self.filing.union
        if union.is_root or union.kind == Union.Kind.GRASSROOTS:
            return []
        return list(
            Filing.objects.filter(TAKES_PART, campaign=self.filing.campaign_id, union__parent=union)
            .order_by("union__position", "union__code")
            .values_list("union__name", "state")
        )

    @property
    def not_included(self) -> list[str]:
        return [name for name, state in self.subordinates if state != Filing.State.APPROVED]

    def state(self) -> dict[str, Any]:
        """What the scripts of every page need to send what this machine kept of any part of the filing."""
        pk = self.filing.pk
        forms = [form.sheet for form in self.assessment.forms]
        pages = {sheet.slug: reverse("form_page", args=[pk, sheet.slug]) for sheet in forms}
        parts: list[dict[str, Any]] = [
            {
                "slug": sheet.slug,
                "title": sheet.title,
                "kind": "cells",
                "url": reverse("save_cells", args=[pk, sheet.slug]),
                "page": pages[sheet.slug],
            }
            for sheet in forms
        ]
        head = {
            "slug": "head",
            "title": "表头",
            "kind": "fields",
            "url": reverse("save_head", args=[pk]),
            "page": pages[forms[0].slug],
            "names": HEAD_FIELDS,
        }
        return {
            "person": self.actor.person.pk,
            "filing": pk,
            "editable": self.may_fill,
            "head": {name: head_text(self.filing, name) for name in HEAD_FIELDS},
            "parts": [*parts, head],
            "urls": {"submit": reverse("submit", args=[pk]), "login": reverse("login")},
        }

    @property
    def names_cells(self) -> bool:
        """Whether the return opened only some cells."""
        return self.filing.state == Filing.State.RETURNED and bool(self.filing.open_cells)


class FormPage(FilingPage):
    def __init__(self, filing: Filing, actor: Actor, slug: str) -> None:
        super().__init__(filing, actor)
        self.form: FormAssessment = self.assessment.form(slug)
        self.sheet = self.form.sheet
        self.slug = slug

    @cached_property
    def below(self) -> Figures:
        """下级合计. Once submitted: what the sealed total contains, not what was approved since."""
        if not self.subordinates:
            return {}
        sealed = self._sealed_total
        if sealed is not None:
            own = self.form.row.figures
            return {
                code: _rest(sealed[code], own[code], self.sheet.row[code].kind) for code in self.sheet.fields
            }
        if not any(state == Filing.State.APPROVED for _, state in self.subordinates):
            return dict.fromkeys(self.sheet.fields)
        return sum_rows(self.sheet, subordinate_rows(self.filing, self.slug))

    @cached_property
    def _sealed_total(self) -> Figures | None:
        if self.filing.state not in SEALED:
            return None
        row = self.sheet.form._default_manager.filter(
            round=self.filing.current_round_id, scope=StatisticalForm.Scope.TOTAL
        ).first()
        return row.figures if row else None

    def facts(self) -> dict[str, Any]:
        """What the scripts take from the server about the cells, besides the texts in them."""
        row = self.form.row
        return {
            "touched": [code for code in row.touched if code in self.sheet.fields],
            "explanations": {p.rule: p.explanation for p in self.form.explained},
            "state": self.filing.state,
            "editable": self.may_fill,
        }

    def texts(self) -> dict[str, str]:
        return {code: self.form.row.text(code) for code in self.sheet.fields}

    def state(self) -> dict[str, Any]:
        """Everything the scripts need to begin; the texts stand in the table already."""
        filing, fields = self.filing, self.sheet.fields
        state = super().state()
        state["urls"] |= {
            "sheet": reverse("sheet_json", args=[filing.campaign_id, self.slug, self.sheet.digest]),
            "explain": reverse("explain", args=[filing.pk, self.slug]),
        }
        return (
            state
            | self.facts()
            | {
                "slug": self.slug,
                "reporter": filing.union.kind,
                "opened": self.open_codes if self.names_cells else None,
                "below": {code: fields[code].show(f) for code, f in self.below.items()}
                if self.subordinates
                else None,
                "savedAt": hour_minute(row_saved) if (row_saved := self.form.row.saved_at) else "",
            }
        )

    @cached_property
    def open_codes(self) -> list[str]:
        return [code for code in self.sheet.fields if self.filing.is_cell_open(f"{self.slug}:{code}")]

    def table(self) -> SafeString:
        row, fields = self.form.row, self.sheet.fields
        with_below = bool(self.subordinates)
        if self.may_fill:
            texts = self.texts()
        else:
            texts = {c: row.invalid.get(c) or field.grouped(getattr(row, c)) for c, field in fields.items()}
        below: dict[str, str] = {}
        sums: dict[str, str] = {}
        if with_below:
            total = self._sealed_total or add_figures(self.sheet, row.figures, self.below)
            below = {code: fields[code].grouped(figure) for code, figure in self.below.items()}
            sums = {code: fields[code].grouped(total[code]) for code in fields}
        filled = Filled(
            texts=texts,
            below=below,
            sums=sums,
            notes=self._remarks,
            invalid=row.invalid,
            open_codes=frozenset(self.open_codes) if self.names_cells else None,
        )
        pieces = pieces_for(self.filing.campaign, self.slug, with_below=with_below)
        return (entry_table if self.may_fill else reading_table)(pieces, filled)

    @cached_property
    def _remarks(self) -> dict[str, str]:
        """The reviewer's words on cells, shown while the return is being answered."""
        if self.returned_by is None:
            return {}
        notes: dict[str, str] = {}
        for code, text in self.filing.remarks.filter(
            round=self.filing.current_round_id, form=self.slug
        ).values_list("code", "text"):
            notes[code] = notes.get(code, "") + note("remark", f"审核批注：{text}")
        return notes

    @property
    def form_remark(self) -> SafeString:
        return SafeString(self._remarks.get("", ""))


def closed_sentence(filing: Filing) -> str:
    """Why nothing can be changed now; empty while it can."""
    try:
        require_editable(filing)
    except WrongState as refusal:
        return refusal.sentences[0]
    return ""


def first_unfinished(page: FilingPage) -> str:
    """Where to go on: the first form with something left to see to, then the report."""
    filing = page.filing
    slugs = [form.slug for form in all_forms()]
    if page.names_cells:
        named = [slug for slug in slugs if any(name.startswith(f"{slug}:") for name in filing.open_cells)]
        return named[0] if named else "report"
    if page.may_fill:
        left = [form.sheet.slug for form in page.assessment.forms if not form.is_done]
        if left:
            return left[0]
        if not page.assessment.has_report:
            return "report"
    return slugs[0]


def script_json(thing: Any) -> SafeString:
    """JSON that may stand inside a script element, whatever people typed."""
    text = json.dumps(thing, ensure_ascii=False, separators=(",", ":"))
    return SafeString(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def hour_minute(moment: datetime.datetime) -> str:
    return f"{timezone.localtime(moment):%H:%M}"


def _rest(total: int | None, own: int | None, kind: str) -> int | None:
    """What the subordinates gave to a sealed total. With 是/否 it shows only where the own answer does not
    hide it."""
    if total is None or own is None:
        return total
    if kind == "yesno":
        return total if own == 0 else None
    return total - own
