"""What of a summary stands in a workbook: all of it, or chosen units and forms with totals over just these."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from django.utils import timezone

from reporting.models import Summary
from reporting.rules import Figures
from reporting.summaries import (
    Participant,
    SealedSheet,
    Unit,
    combine,
    participants_of,
    sealed_sheets,
    unfolded,
    units_of,
)

SAMPLE = "演示数据，不代表任何单位的真实工作"


@dataclass(frozen=True)
class Part:
    """`units` by form: the first level, in printed order; `lines` the same with all that stands below each,
    empty where nobody asked for it."""

    summary: Summary
    is_whole: bool
    sheets: Sequence[SealedSheet]
    participants: Sequence[Participant]
    units: Mapping[str, list[Unit]]
    lines: Mapping[str, list[Unit]]

    @cached_property
    def included(self) -> list[Participant]:
        return [participant for participant in self.participants if not participant.is_missing]

    @property
    def caption(self) -> str:
        """What must be said beside every total that is not the province's; empty where it is."""
        if self.is_whole:
            return ""
        chosen, included = len(self.participants), len(self.included)
        of_them = f"中已纳入的 {included} 个" if included != chosen else ""
        return f"所选 {chosen} 个单位{of_them}合计（不是全省汇总）"

    @property
    def year(self) -> int:
        return int(self.summary.facts["year"])

    @property
    def number(self) -> str:
        return f"第 {self.summary.number} 号汇总"

    @property
    def moment(self) -> str:
        return f"{timezone.localtime(self.summary.cut_off):%Y年%-m月%-d日 %H:%M:%S}"

    @property
    def binding(self) -> str:
        """What ties a printed sheet to the exact figures."""
        return f"{self.number}  校验码 {self.summary.digest[:16]}"

    @property
    def foot(self) -> str:
        return self.binding if self.is_whole else f"{self.binding}  {self.caption}"

    def facts(self, *more: str) -> str:
        """The small line under a title: whose figures, as of when, what else must not be overlooked."""
        known = (self.summary.facts["title"], self.number, f"统计截至 {self.moment}")
        return " · ".join(filter(None, (*known, *more)))

    @property
    def sample(self) -> str:
        return SAMPLE if self.summary.facts["is_sample"] else ""

    def below(self, unit: Unit) -> Mapping[str, list[Unit]]:
        """By form: the unit's own figures, then its direct subordinates'. Only where `lines` are there."""
        found: dict[str, list[Unit]] = {}
        for slug, lines in self.lines.items():
            at = next((n for n, line in enumerate(lines) if line.union == unit.union), None)
            if at is None:
                continue
            found[slug] = []
            for line in lines[at + 1 :]:
                if not line.depth:
                    break
                if line.depth == 1:
                    found[slug].append(line)
        return found


def part_of(
    summary: Summary,
    *,
    unions: Collection[str] = (),
    forms: Collection[str] | None = None,
    with_below: bool = False,
) -> Part:
    """`unions` are codes, none for every one; `forms` slugs, None for every one.

    Costs a query and one a form, with `with_below` three more a form and level, however many units there are.
    """
    participants = [p for p in participants_of(summary) if not unions or p.code in unions]
    sheets, units, lines = [], {}, {}
    for sheet in sealed_sheets(summary):
        if forms is not None and sheet.slug not in forms:
            continue
        shown = [unit for unit in units_of(summary, sheet.slug) if not unions or unit.union.code in unions]
        sheets.append(replace(sheet, figures=_added_up(sheet, shown), problems=()) if unions else sheet)
        units[sheet.slug] = shown
        if with_below:
            lines[sheet.slug] = unfolded(summary.campaign, sheet.slug, shown)
    return Part(summary, not unions, sheets, participants, units, lines)


def _added_up(sheet: SealedSheet, units: Sequence[Unit]) -> Figures:
    return {
        row.code: combine(sheet.field(row.code), [unit.figures[row.code] for unit in units])
        for row in sheet.rows
    }


def short_title(sheet: SealedSheet) -> str:
    """送温暖统计表 → 送温暖: a sheet's tab has room for little."""
    return sheet.title.removesuffix("统计表").removesuffix("工作")
