"""A summary read back: its sheets as they were signed, the units in it, and what any figure is made of.

Labels come from the summary's own snapshot and figures from the sealed rows of its rounds, so that
neither a relabelled row nor a later submission changes what somebody has signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from reporting.aggregation import rows_of_summary
from reporting.fields import Indicator, YesNoField
from reporting.models import AggregationRun, Campaign, Filing, Round, Summary
from reporting.registry import all_forms, get_form
from reporting.sheets import Row, sheet_for
from reporting.statistical import StatisticalForm
from unions.models import Union

Figures = Mapping[str, int | None]


@dataclass(frozen=True)
class SealedSheet:
    """One form of one summary: the rows as they were printed then, the totals, what the rules said."""

    form: type[StatisticalForm]
    rows: tuple[Row, ...]
    figures: Figures
    problems: tuple[Mapping[str, str], ...]

    @property
    def slug(self) -> str:
        return self.form.slug

    @property
    def title(self) -> str:
        return self.form.title

    @property
    def summary_title(self) -> str:
        """送温暖统计表 → 送温暖统计汇总表"""
        return self.title.removesuffix("表") + "汇总表"

    @cached_property
    def row(self) -> dict[str, Row]:
        return {row.code: row for row in self.rows}

    @cached_property
    def section_lengths(self) -> dict[int, int]:
        lengths: dict[int, int] = {}
        for row in self.rows:
            lengths[row.section] = lengths.get(row.section, 0) + 1
        return lengths

    def field(self, code: str) -> Indicator:
        return self.form.fields()[code]

    def full_label(self, code: str) -> str:
        """The wording by itself: “（同上）” is said of the row above and means nothing alone."""
        return self.row[code].full_label

    def children(self, code: str) -> tuple[str, ...]:
        """The rows a row is made of, or that belong to it by their code (D1 of form 2 is part of D)."""
        return self.row[code].parts or tuple(row.code for row in self.rows if row.parent == code)


def sealed_sheets(summary: Summary) -> list[SealedSheet]:
    """In the order of the attachments. A form that has come since the summary was made is not in it."""
    return [
        SealedSheet(
            form=form,
            rows=tuple(Row(**{**row, "parts": tuple(row["parts"])}) for row in summary.sheets[form.slug]),
            figures=summary.figures[form.slug],
            problems=tuple(summary.problems.get(form.slug, ())),
        )
        for form in all_forms()
        if form.slug in summary.sheets
    ]


@dataclass(frozen=True)
class Unit:
    """A union's share in a summary: its round, and the figures it put in, by form."""

    union: Union
    round: Round
    figures: Figures
    depth: int = 0
    # "unit": figures of a union with all below it; "own": what stands for the union itself
    part: str = "unit"

    @property
    def is_late(self) -> bool:
        return self.round.is_late

    @property
    def name(self) -> str:
        return f"{self.round.union_name}（本级）" if self.part == "own" else self.round.union_name

    @property
    def opens(self) -> bool:
        """Whether anything stands below these figures."""
        return self.part == "unit" and bool(self.round.includes)


def units_of(summary: Summary, slug: str) -> list[Unit]:
    """Whose figures add up to the summary, in printed order: the province's own and its subordinates'."""
    rows = rows_of_summary(summary, sheet_for(summary.campaign, slug))
    return [
        Unit(row.filing.union, row.round, row.figures, part="own" if row.filing.union.is_root else "unit")
        for row in rows
    ]


def opened(campaign: Campaign, slug: str, units: Iterable[Unit]) -> dict[int, list[Unit]]:
    """Below each unit that opens (by the id of its union): its own figures, then its subordinates' totals.

    Three queries however many units there are; counties are those that the sealed round contains.
    """
    units = [unit for unit in units if unit.opens]
    if not units:
        return {}
    form = get_form(slug)
    wanted = {(part["union"], part["round"]): unit for unit in units for part in unit.round.includes}
    rounds = [
        round_
        for round_ in Round.objects.filter(
            filing__campaign=campaign, filing__union__code__in={code for code, _ in wanted}
        ).select_related("filing__union")
        if (round_.filing.union.code, round_.number) in wanted
    ]
    own = {
        row.round_id: row.figures
        for row in form._default_manager.filter(
            round__in=[unit.round.pk for unit in units], scope=StatisticalForm.Scope.OWN
        )
    }
    totals = {
        row.round_id: row.figures
        for row in form._default_manager.filter(
            round__in=[round_.pk for round_ in rounds], scope=StatisticalForm.Scope.TOTAL
        )
    }
    below: dict[int, list[Unit]] = {
        unit.union.pk: [Unit(unit.union, unit.round, own[unit.round.pk], unit.depth + 1, "own")]
        for unit in units
    }
    for round_ in sorted(rounds, key=lambda r: (r.filing.union.position, r.filing.union.code)):
        union = round_.filing.union
        above = wanted[union.code, round_.number]
        if round_.pk in totals:  # not where the form has come since
            below[above.union.pk].append(Unit(union, round_, totals[round_.pk], above.depth + 1))
    return below


def unfolded(campaign: Campaign, slug: str, units: list[Unit]) -> list[Unit]:
    """The units with everything below them, each level beneath its own; as many queries as the tree is deep."""
    below: dict[int, list[Unit]] = {}
    level = units
    while fresh := opened(campaign, slug, level):
        below |= fresh
        level = [unit for units_below in fresh.values() for unit in units_below]

    def walk(level: Iterable[Unit]) -> Iterable[Unit]:
        for unit in level:
            yield unit
            if unit.opens:
                yield from walk(below[unit.union.pk])

    return list(walk(units))


def find_unit(summary: Summary, slug: str, union: Union) -> Unit | None:
    """That union as it stands in the summary, however deep; None when it is not in it."""
    level = units_of(summary, slug)
    for code in union.ancestor_codes[1:] or [union.code]:
        found = next((unit for unit in level if unit.union.code == code), None)
        if found is None or code == union.code:
            return found
        below = opened(summary.campaign, slug, [found]).get(found.union.pk, [])
        level = [unit for unit in below if unit.part == "unit"]
    return None


def aligned(field: Indicator, figures: Iterable[int | None]) -> list[str]:
    """A column for reading: every figure with as many decimals as the longest, blank ones empty."""
    texts = [field.grouped(figure) for figure in figures]
    decimals = max((len(text.partition(".")[2]) for text in texts), default=0)
    if not decimals:
        return texts
    return [
        f"{text.partition('.')[0]}.{text.partition('.')[2]:0<{decimals}}" if text else "" for text in texts
    ]


def combine(field: Indicator, figures: Iterable[int | None]) -> int | None:
    """One cell of several units: the sum, or 是 when anybody said so; None where nobody has a figure."""
    filled = [figure for figure in figures if figure is not None]
    if not filled:
        return None
    return max(filled) if isinstance(field, YesNoField) else sum(filled)


@dataclass(frozen=True)
class Participant:
    """报送情况: one unit's line."""

    name: str
    state: str
    state_label: str
    round: Round | None = None
    code: str = ""

    @property
    def is_late(self) -> bool:
        return self.round is not None and self.round.is_late

    @property
    def is_missing(self) -> bool:
        return self.round is None


def participants_of(summary: Summary) -> list[Participant]:
    """Every unit that took part: those included in printed order, then those missing with their state then."""
    approved = Filing.State.APPROVED
    included = [
        Participant(
            entry.round.union_name, approved, approved.label, entry.round, entry.round.filing.union.code
        )
        for entry in summary.entries.select_related("round__filing__union", "round__submitted_by").order_by(
            "round__filing__union__position", "round__filing__union__code"
        )
    ]
    missing = [
        Participant(unit["name"], unit["state"], Filing.State(unit["state"]).label, code=unit["union"])
        for unit in summary.missing
    ]
    return included + missing


def explanations_of(
    summary: Summary, participants: Iterable[Participant] | None = None
) -> list[dict[str, Any]]:
    """What the included units (or just some) said to the query rules: unit, form, message, text."""
    titles = {form.slug: form.title for form in all_forms()}
    return [
        {"unit": participant.name, "title": titles.get(said["form"], said["form"]), **said}
        for participant in (participants_of(summary) if participants is None else participants)
        if participant.round
        for said in participant.round.explanations
    ]


def reason_of(run: AggregationRun) -> str:
    """Who or what asked for a run."""
    if run.key.startswith("nightly:"):
        return "每晚自动汇总"
    if run.key.startswith("deadline:"):
        return "截止时自动汇总"
    return f"{run.requested_by.name}要求" if run.requested_by else "人工要求"


def repeats(run: AggregationRun) -> bool:
    """Whether a run found nothing new and answered with a summary that was there before it."""
    return run.summary is not None and run.summary.made_at < run.requested_at
