"""What a filing says at one moment: a sealed round, or the draft as its union has it now.

The one source of everything that leaves the system for one filing: PDF, workbook, e-mail, the draft of the report.
Figures are totals (本级 + 下级), as they are sealed; for a draft, as they would be sealed if it were submitted now.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from django.db.models import QuerySet

from reporting.assessment import FormAssessment, assess
from reporting.documents import clean_name
from reporting.filling import HEAD_FIELDS, head_text
from reporting.models import Campaign, Filing, Round
from reporting.rounds import sealed_rows
from reporting.rules import Figures
from reporting.sheets import Sheet, sheets_as_sealed, sheets_for
from reporting.standing import OWN_SCOPE, TAKES_PART, TOTAL_SCOPE, has_subordinates, own_scope
from reporting.statistical import StatisticalForm
from reporting.totals import add_figures, subordinate_rows, sum_rows
from unions.models import Union


@dataclass(frozen=True)
class Part:
    """A subordinate whose total is in these figures."""

    name: str
    round: int


@dataclass(frozen=True)
class Copy:
    """`round` is None for a draft; only a draft has `typed`: texts in cells that are no figures."""

    filing: Filing
    round: Round | None
    sheets: list[Sheet]
    figures: Mapping[str, Figures]
    head: Mapping[str, str]
    at: datetime.datetime
    includes: tuple[Part, ...] = ()
    typed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    # 本级 or 合计, said on paper and in workbooks where the two are not the same.
    scope: str = ""

    @property
    def campaign(self) -> Campaign:
        return self.filing.campaign

    @property
    def union(self) -> Union:
        return self.filing.union

    @property
    def union_name(self) -> str:
        return self.round.union_name if self.round else self.union.name

    @property
    def submitter(self) -> str:
        """负责人: who answers for the figures. Nobody does for a draft."""
        return self.round.submitted_by.name if self.round else ""

    @property
    def stem(self) -> str:
        """What its files are called, without the extension."""
        which = f"第{self.round.number}轮" if self.round else "草稿"
        return f"{self.campaign.year}年{self.union_name}送温暖统计报表_{which}"

    def text(self, sheet: Sheet, code: str) -> str:
        """The cell for reading: thousands grouped; in a draft also what was typed and is no figure."""
        typed = self.typed.get(sheet.slug, {}).get(code)
        return typed or sheet.fields[code].grouped(self.figures[sheet.slug].get(code))


def sealed_copy(round_: Round) -> Copy:
    """A round exactly as it was sealed. Wants filing, union, campaign and submitter at hand; two queries a form more."""
    filing = round_.filing
    sheets = sheets_as_sealed(round_)
    sealed = sealed_rows(sheets, [round_])
    total = StatisticalForm.Scope.TOTAL
    includes = _parts(filing, round_)
    return Copy(
        filing=filing,
        round=round_,
        sheets=sheets,
        # A form that has come since was not submitted.
        figures={
            sheet.slug: row.figures if (row := sealed.get((round_.pk, sheet.slug, total))) else {}
            for sheet in sheets
        },
        head=round_.head,
        at=round_.submitted_at,
        includes=includes,
        scope=_scope(filing, includes),
    )


def _scope(filing: Filing, includes: tuple[Part, ...]) -> str:
    if filing.union.is_root:
        return OWN_SCOPE
    return TOTAL_SCOPE if includes or has_subordinates(filing.campaign, filing.union) else ""


def _parts(filing: Filing, round_: Round) -> tuple[Part, ...]:
    wanted = {(part["union"], part["round"]) for part in round_.includes}
    if not wanted:
        return ()
    below = Round.objects.filter(
        filing__campaign=filing.campaign_id, filing__union__code__in=[code for code, _ in wanted]
    ).order_by("filing__union__position", "filing__union__code")
    found = below.values_list("filing__union__code", "number", "union_name")
    return tuple(Part(name, number) for code, number, name in found if (code, number) in wanted)


def draft_copy(filing: Filing) -> Copy:
    """The working copies with what stands approved below."""
    assessment = assess(filing)
    figures: dict[str, Figures] = {}
    for form in assessment.forms:
        below = sum_rows(form.sheet, subordinate_rows(filing, form.sheet.slug))
        figures[form.sheet.slug] = add_figures(form.sheet, form.row.figures, below)
    approved = Filing.objects.filter(
        campaign=filing.campaign_id, union__parent=filing.union_id, state=Filing.State.APPROVED
    ).order_by("union__position", "union__code")
    included = () if filing.union.is_root else approved.values_list("union__name", "current_round__number")
    includes = tuple(Part(name, number) for name, number in included)
    return Copy(
        filing=filing,
        round=None,
        sheets=[form.sheet for form in assessment.forms],
        figures=figures,
        head={name: head_text(filing, name) for name in HEAD_FIELDS},
        at=_saved_at(filing, assessment.forms),
        includes=includes,
        scope=_scope(filing, includes),
        typed={form.sheet.slug: form.invalid for form in assessment.forms},
    )


def _saved_at(filing: Filing, forms: Iterable[FormAssessment]) -> datetime.datetime:
    """The same figures make the same file, whenever it is asked for."""
    saved = [form.row.saved_at for form in forms if form.row.saved_at]
    return max(saved, default=filing.campaign.opens_at)


def rounds_at_hand() -> QuerySet[Round]:
    """Rounds with everything that a copy of one says."""
    return Round.objects.select_related("filing__union", "filing__campaign", "submitted_by", "report")


def current_copy(filing: Filing) -> Copy:
    """What stands: the sealed round, or the draft while the filing is being filled in."""
    if filing.is_editable or filing.current_round_id is None:
        return draft_copy(filing)
    return sealed_copy(rounds_at_hand().get(pk=filing.current_round_id))


def blank_template(campaign: Campaign, union: Union) -> bytes:
    """Both forms blank, bound to union and campaign; 本级 figures go into it."""
    from reporting.workbooks.filing import filing_workbook  # openpyxl takes its time

    return filing_workbook(
        campaign=campaign,
        union=union,
        sheets=sheets_for(campaign),
        figures={},
        head={},
        made_at=campaign.opens_at,
        scope=own_scope(campaign, union),
    )


def blank_templates(campaign: Campaign) -> Iterator[tuple[str, Iterator[bytes]]]:
    """(path in an archive, the workbook, made when its turn comes) for everybody who takes part; a city's counties stand
    in a folder of their own."""
    filings = Filing.objects.filter(TAKES_PART, campaign=campaign).select_related("union__parent")

    def made(union: Union) -> Iterator[bytes]:
        yield blank_template(campaign, union)

    for filing in filings.order_by("union__path"):
        union, parent = filing.union, filing.union.parent
        folder = f"{clean_name(parent.name)}所属/" if parent and not parent.is_root else ""
        yield f"{folder}{campaign.year}年{clean_name(union.name)}送温暖统计报表（空白）.xlsx", made(union)


def draft_workbook(filing: Filing) -> bytes:
    """The union's own figures as they stand, without its subordinates': what can be filled in and read back."""
    from reporting.workbooks.filing import filing_workbook

    forms = assess(filing).forms
    return filing_workbook(
        campaign=filing.campaign,
        union=filing.union,
        sheets=[form.sheet for form in forms],
        figures={form.sheet.slug: form.row.figures for form in forms},
        head={name: head_text(filing, name) for name in HEAD_FIELDS},
        made_at=_saved_at(filing, forms),
        footer="草稿，未上报",
        scope=own_scope(filing.campaign, filing.union),
    )


def sealed_workbook(copy: Copy) -> bytes:
    """A round as a workbook in the official layout, as sealed; it is never taken for 本级 when it is read back."""
    from reporting.workbooks.filing import filing_workbook  # openpyxl takes its time

    round_ = copy.round
    assert round_ is not None  # a draft has a workbook of its own, without the subordinates' figures
    return filing_workbook(
        campaign=copy.campaign,
        union=copy.union,
        sheets=copy.sheets,
        figures=copy.figures,
        head=copy.head,
        made_at=copy.at,
        footer=f"第 {round_.number} 轮  校验码 {round_.digest[:16]}  {copy.submitter}上报",
        scope=copy.scope,
        with_below=bool(copy.includes),
        is_sealed=True,
    )
