"""A form as one campaign prints it: the year in the wording, rows relabelled or switched off.

A `Sheet` is the one list of sections and indicators that page, rules, Excel, help and tests read.
Prepared once per form and edition of the campaign, then kept in the process.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from reporting.fields import Indicator
from reporting.models import Campaign, Round, SheetRow
from reporting.registry import all_forms, get_form
from reporting.rules import Figures, Problem, Rule, SumRule, check_figures
from reporting.statistical import StatisticalForm

# How the notice words the second row of a pair: of the same people, another measure.
SAME_AS_ABOVE = "（同上）"
# The year the notice was written for; its labels say 2020年度 and a later campaign's say its own.
PRINTED_YEAR = "2020年度"


@dataclass(frozen=True)
class Row:
    """One printed row. `serial` is set on the first row of a section; `depth` is 0, 1 or 2.

    `label` is for reading in order; `full_label` is the wording by itself, for wherever a row stands alone.
    """

    code: str
    printed_code: str
    label: str
    full_label: str
    unit: str
    kind: str
    section: int
    serial: str
    depth: int
    parent: str | None
    parts: tuple[str, ...]
    printed: str
    note: str


@dataclass(frozen=True)
class Sheet:
    form: type[StatisticalForm]
    rows: tuple[Row, ...]
    off: frozenset[str]
    rules: tuple[Rule, ...]
    title: str

    @property
    def slug(self) -> str:
        return self.form.slug

    @cached_property
    def fields(self) -> dict[str, Indicator]:
        """Code → field of the rows in use."""
        return {code: field for code, field in self.form.fields().items() if code not in self.off}

    @cached_property
    def row(self) -> dict[str, Row]:
        return {row.code: row for row in self.rows}

    def check(self, figures: Figures, reporter: str) -> list[Problem]:
        return check_figures(self.rules, self.fields, figures, reporter)

    def blanks(self, figures: Figures) -> list[str]:
        return [code for code in self.fields if figures.get(code) is None]

    def as_json(self) -> dict[str, Any]:
        """What the browser evaluates."""
        return {
            "slug": self.slug,
            "title": self.title,
            "cells": {
                row.code: {
                    "name": f"{row.printed_code} {row.label}".strip(),
                    "kind": row.kind,
                    "unit": row.unit,
                    "parts": list(row.parts),
                    **({"reprinted": printed} if (printed := self.fields[row.code].reprinted) else {}),
                }
                for row in self.rows
            },
            "totals": [code for code in self.form.totals_inside_out() if code not in self.off],
            "rules": [
                {
                    "id": rule.id,
                    "level": rule.level,
                    "broken": rule.broken.tree,
                    "message": rule.message,
                    "cells": list(rule.cells),
                    **({"total": rule.total, "parts": list(rule.parts)} if isinstance(rule, SumRule) else {}),
                }
                for rule in self.rules
            ],
        }

    def snapshot(self) -> list[dict[str, Any]]:
        """The rows as data, for a summary that must stay as it was signed."""
        return [asdict(row) for row in self.rows]

    @cached_property
    def digest(self) -> str:
        text = json.dumps(self.as_json(), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


_kept: dict[tuple[int, int, str], Sheet] = {}


def sheet_for(campaign: Campaign, slug: str) -> Sheet:
    """The sheet of one form in one campaign. Raises KeyError for a form that does not exist."""
    key = (campaign.pk, campaign.edition, slug)
    if key not in _kept:
        overrides = {row.code: row for row in SheetRow.objects.filter(campaign=campaign, form=slug)}
        _kept[key] = build_sheet(get_form(slug), campaign.data_year, overrides)
    return _kept[key]


def sheets_for(campaign: Campaign) -> list[Sheet]:
    return [sheet_for(campaign, form.slug) for form in all_forms()]


def wording_of(campaign: Campaign) -> dict[str, Any]:
    """What a round keeps, so that its paper says for ever what was signed: `Round.wording`."""
    labels: dict[str, dict[str, str]] = {}
    for row in SheetRow.objects.filter(campaign=campaign).exclude(label=""):
        labels.setdefault(row.form, {})[row.code] = row.label
    return {"data_year": campaign.data_year, "labels": labels}


def sheets_as_sealed(round_: Round) -> list[Sheet]:
    """The sheets of a round in the words they had when it was submitted."""
    campaign = round_.filing.campaign
    if not round_.wording:
        return sheets_for(campaign)
    sheets = []
    for sheet in sheets_for(campaign):
        labels = round_.wording["labels"].get(sheet.slug, {})
        overrides = {
            code: SheetRow(form=sheet.slug, code=code, label=labels.get(code, ""), is_off=code in sheet.off)
            for code in {*labels, *sheet.off}
        }
        sheets.append(build_sheet(sheet.form, round_.wording["data_year"], overrides))
    return sheets


def build_sheet(form: type[StatisticalForm], data_year: int, overrides: Mapping[str, SheetRow]) -> Sheet:
    fields = form.fields()
    off = frozenset(
        code
        for code, row in overrides.items()
        if row.is_off and code in fields and fields[code].printed == "no"
    )
    rows: list[Row] = []
    section, above, above_is_off = 0, "", False
    for code, field in fields.items():
        override = overrides.get(code)
        relabelled = override.label if override and field.printed == "no" else ""
        label = (relabelled or field.label).replace(PRINTED_YEAR, f"{data_year}年度")
        # “（同上）” means the row above it on paper, whether or not this campaign prints that row.
        full_label = _by_itself(label, above)
        if above_is_off:
            label = full_label
        above, above_is_off = full_label, code in off
        if code in off:
            continue
        rows.append(
            Row(
                code=code,
                printed_code=field.printed_code,
                label=label,
                full_label=full_label,
                unit=field.unit,
                kind=field.kind,
                section=field.section,
                serial=str(field.section) if field.section != section else "",
                depth=_depth(form, code),
                parent=form.parent_of(code),
                parts=tuple(part for part in field.of if part not in off),
                printed=field.printed,
                note=field.note,
            )
        )
        section = field.section
    rules = tuple(kept for rule in form.all_rules() if (kept := rule.applies_without(off)))
    return Sheet(form=form, rows=tuple(rows), off=off, rules=rules, title=form.title)


def _by_itself(label: str, above: str) -> str:
    """“（同上）发放款物” below “…的职工：慰问对象” says “…的职工：发放款物”."""
    if not label.startswith(SAME_AS_ABOVE):
        return label
    group, colon, _ = above.rpartition("：")
    return f"{group if colon else above}：{label.removeprefix(SAME_AS_ABOVE)}"


def _depth(form: type[StatisticalForm], code: str) -> int:
    parent = form.parent_of(code)
    return 0 if parent is None else 1 + _depth(form, parent)


def plain_sheets() -> Iterable[Sheet]:
    """The forms as the notice of 2020 prints them, without a campaign: for `make forms` and docs."""
    return [build_sheet(form, 2020, {}) for form in all_forms()]
