"""汇总: adding a campaign up for the province, exact to the 分, numbered and immutable.

What goes in: the sealed totals of the province's approved direct subordinates and the province's own
sealed figures. `add_up` is pure reading; `make_summary` writes a `Summary` unless the same input already
has one. Runs are rows: they are made by a person or by the clock (`due_runs`), and whoever wants to work
claims them with SKIP LOCKED, so that a doubled beat, a killed worker or a lost queue changes nothing.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet, Sum
from django.utils import timezone

from reporting.clock import database_now, now
from reporting.fields import YesNoField
from reporting.models import AggregationRun, Campaign, Event, Filing, Round, Summary, SummaryEntry
from reporting.rules import HARD
from reporting.sheets import Sheet, sheets_for
from reporting.standing import TAKES_PART
from reporting.statistical import StatisticalForm
from reporting.totals import sum_rows
from unions.gate import Actor
from unions.models import Union

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
NIGHTLY_HOUR = 1  # o'clock in Asia/Shanghai, when nobody types

Progress = Callable[[int, int, str], None]


def included_rows(campaign: Campaign, sheet: Sheet) -> QuerySet[Any]:
    """The rows whose sum is the province: totals of its direct subordinates, and its own own-figures."""
    return sheet.form._default_manager.filter(
        Q(
            filing__union__parent__parent=None,
            filing__union__parent__isnull=False,
            scope=StatisticalForm.Scope.TOTAL,
        )
        | Q(filing__union__parent=None, scope=StatisticalForm.Scope.OWN),
        campaign=campaign,
        counted=True,
    )


def rows_of_summary(summary: Summary, sheet: Sheet) -> QuerySet[Any]:
    """The sealed rows a summary was made from, one a unit, in printed order."""
    rows: QuerySet[Any] = (
        sheet.form._default_manager.filter(round__in=summary.entries.values("round"))
        .filter(
            Q(filing__union__parent=None, scope=StatisticalForm.Scope.OWN)
            | Q(filing__union__parent__isnull=False, scope=StatisticalForm.Scope.TOTAL)
        )
        .select_related("filing__union", "round")
        .order_by("filing__union__position", "filing__union__code")
    )
    return rows


LEVELS = ("county", "city", "province")


def roll_up(form: type[StatisticalForm], campaign: Campaign) -> dict[str, dict[int, dict[str, int]]]:
    """Totals straight from the leaves: {"county": {union id: {code: figure}}, "city": …, "province": …}.

    One scan of one table: PostgreSQL adds up every counted own row by the ids copied into it, the few
    groups that come back are folded upwards here. A city's own row counts for the city, not for a county.
    """
    adders = {
        code: (Max if isinstance(field, YesNoField) else Sum)(code) for code, field in form.fields().items()
    }
    either = {code for code, adder in adders.items() if isinstance(adder, Max)}
    groups = (
        form._default_manager.filter(campaign=campaign, counted=True, scope=StatisticalForm.Scope.OWN)
        .order_by()
        .values_list(*(f"{level}_id" for level in LEVELS))
        .annotate(**{f"sum_{code}": adder for code, adder in adders.items()})
    )
    totals: dict[str, dict[int, dict[str, int]]] = {level: {} for level in LEVELS}
    cities: dict[tuple[int | None, int], dict[str, int]] = {}
    for county_id, city_id, province_id, *sums in groups:
        figures = {code: int(figure) for code, figure in zip(adders, sums, strict=True) if figure is not None}
        if county_id is not None:
            totals["county"][county_id] = figures
        _add(cities.setdefault((city_id, province_id), {}), figures, either)
    for (city_id, province_id), figures in cities.items():
        if city_id is not None:
            totals["city"][city_id] = figures
        _add(totals["province"].setdefault(province_id, {}), figures, either)
    return totals


def _add(total: dict[str, int], figures: dict[str, int], either: set[str]) -> None:
    for code, figure in figures.items():
        stood = total.get(code, 0)
        total[code] = max(stood, figure) if code in either else stood + figure


@dataclass(frozen=True)
class AddedUp:
    """A campaign added up at one moment, not yet numbered."""

    sheets: list[Sheet]
    figures: dict[str, dict[str, int | None]]
    problems: dict[str, list[dict[str, str]]]
    filings: list[Filing]
    missing: list[dict[str, str]]
    facts: dict[str, Any]
    digest: str


def add_up(campaign: Campaign, progress: Progress = lambda done, of, what: None) -> AddedUp:
    """Read and add everything that stands approved. `make_summary` holds the locks while it reads."""
    sheets = sheets_for(campaign)
    filings = list(
        Filing.objects.filter(TAKES_PART, campaign=campaign)
        .filter(Q(union__parent=None) | Q(union__parent__parent=None))
        .select_related("union", "current_round")
        .order_by("union__position", "union__code")
    )
    approved = [filing for filing in filings if filing.state == Filing.State.APPROVED]
    figures: dict[str, dict[str, int | None]] = {}
    problems: dict[str, list[dict[str, str]]] = {}
    for done, sheet in enumerate(sheets):
        progress(done, len(sheets) + 1, f"正在汇总{sheet.title}")
        figures[sheet.slug] = sum_rows(sheet, included_rows(campaign, sheet))
        problems[sheet.slug] = [
            {"rule": p.rule, "level": p.level, "message": p.message}
            for p in sheet.check(figures[sheet.slug], "province")
        ]
    missing = [
        {"union": filing.union.code, "name": filing.union.name, "state": filing.state}
        for filing in filings
        if filing.state != Filing.State.APPROVED
    ]
    facts = facts_of(campaign)
    content = {
        "campaign": campaign.pk,
        "facts": facts,
        "sheets": {sheet.slug: sheet.digest for sheet in sheets},
        "rounds": [
            (filing.union.code, filing.current_round.digest) for filing in approved if filing.current_round
        ],
        "missing": sorted(unit["union"] for unit in missing),
    }
    digest = hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
    return AddedUp(sheets, figures, problems, approved, missing, facts, digest)


def facts_of(campaign: Campaign) -> dict[str, Any]:
    """What cover and pages of a summary say of its campaign: kept, for what was signed must not change."""
    return {
        "union": Union.objects.get(parent=None).name,
        "title": campaign.title,
        "notice_number": campaign.notice_number,
        "notice_title": campaign.notice_title,
        "year": campaign.year,
        "data_year": campaign.data_year,
        "deadline": campaign.deadline.astimezone(datetime.UTC).isoformat(),
        "is_sample": campaign.is_sample,
    }


@transaction.atomic
def make_summary(campaign: Campaign, progress: Progress = lambda done, of, what: None) -> Summary:
    """The summary of what stands approved now. The same input answers with the summary it already has.

    Raises ArithmeticError when the sealed totals are not the sums of the leaves they contain: such a
    summary must not get a number.
    """
    # The campaign row is the queue at which two aggregations of one campaign meet. no_key: a submission that
    # already holds its filing writes rows referring to the campaign, and we are about to wait for that filing.
    campaign = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    # Moves of filings lock the filing; sharing these locks freezes what is added up until it is written.
    # In the order the moves lock: the province's filing first.
    list(
        Filing.objects.select_for_update(of=("self",))
        .filter(campaign=campaign, union__parent__parent=None)
        .order_by("union__path")
        .values_list("pk")
    )
    cut_off = database_now()
    added = add_up(campaign, progress)
    made = Summary.objects.filter(campaign=campaign, digest=added.digest).first()
    if made is not None:
        return made
    rounds = contained_rounds(campaign, added.filings)
    for sheet in added.sheets:
        if codes := disagreement(sheet, added.figures[sheet.slug], rounds):
            raise ArithmeticError(
                f"{sheet.title}的 {'、'.join(codes[:6])} 各单位合计与其所含各级本级数之和不等，没有生成汇总，请联系系统管理员。"
            )
    last = campaign.summaries.aggregate(last=Max("number"))["last"] or 0
    summary = Summary.objects.create(
        campaign=campaign,
        number=last + 1,
        made_at=cut_off,
        cut_off=cut_off,
        digest=added.digest,
        figures=added.figures,
        problems=added.problems,
        missing=added.missing,
        facts=added.facts,
        sheets={sheet.slug: sheet.snapshot() for sheet in added.sheets},
    )
    SummaryEntry.objects.bulk_create(
        [
            SummaryEntry(summary=summary, round=filing.current_round, is_late=filing.is_late)
            for filing in added.filings
            if filing.current_round
        ]
    )
    progress(len(added.sheets) + 1, len(added.sheets) + 1, "汇总完成")
    return summary


def contained_rounds(campaign: Campaign, filings: Iterable[Filing]) -> set[int]:
    """Ids of the rounds whose own figures are in these filings' sealed totals, however deep.

    As many queries as the tree is deep. A county's later round, which its city has not taken in, is not
    among them.
    """
    level = [filing.current_round for filing in filings if filing.current_round]
    found = {round_.pk for round_ in level}
    while wanted := {(part["union"], part["round"]) for round_ in level for part in round_.includes}:
        below = Round.objects.filter(
            filing__campaign=campaign,
            filing__union__code__in={code for code, _ in wanted},
            number__in={number for _, number in wanted},
        ).select_related("filing__union")
        level = [round_ for round_ in below if (round_.filing.union.code, round_.number) in wanted]
        found |= {round_.pk for round_ in level}
    return found


def disagreement(sheet: Sheet, figures: Mapping[str, int | None], rounds: Iterable[int]) -> list[str]:
    """Codes where totals differ from the sum of the own figures of the rounds in them: must be empty."""
    own = sheet.form._default_manager.filter(round__in=list(rounds), scope=StatisticalForm.Scope.OWN)
    leaves = sum_rows(sheet, own)
    return [code for code in sheet.fields if figures[code] != leaves[code]]


def request_run(*, campaign: Campaign, by: Actor) -> AggregationRun:
    """The province asks for an aggregation now. One that still waits is given back instead of a second."""
    by.require_here("aggregate")
    with transaction.atomic():
        Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        waiting = campaign.runs.filter(state=AggregationRun.State.WAITING).first()
        if waiting:
            return waiting
        return AggregationRun.objects.create(
            campaign=campaign, key=f"demand:{now():%Y%m%d%H%M%S%f}", requested_by=by.person
        )


def deadline_key(campaign: Campaign) -> str:
    # In UTC, as the database gives it: the same moment is the same key in whatever zone it was typed.
    return f"deadline:{campaign.deadline.astimezone(datetime.UTC):%Y%m%d%H%M%S}"


def due_runs(moment: datetime.datetime) -> list[AggregationRun]:
    """Make the rows of the timed runs that are due: nightly while a campaign is open, once at the deadline."""
    here = timezone.localtime(moment)
    made: list[AggregationRun] = []
    for campaign in Campaign.objects.filter(is_closed=False, opens_at__lte=moment):
        keys = []
        # A numbered summary of nobody would only puzzle people; at the deadline it names who is missing.
        # Who was approved since this night belongs to the next one: nobody asked for a summary at noon.
        night = here.replace(hour=NIGHTLY_HOUR, minute=0, second=0, microsecond=0)
        anybody = Event.objects.filter(
            filing__campaign=campaign,
            filing__state=Filing.State.APPROVED,
            round=F("filing__current_round"),
            move="approve",
            at__lt=night,
        ).exists()
        if here >= night and anybody:
            keys.append(f"nightly:{here:%Y-%m-%d}")
        if moment > campaign.deadline:
            keys.append(deadline_key(campaign))
        known = set(campaign.runs.filter(key__in=keys).values_list("key", flat=True))
        for key in set(keys) - known:
            run, created = AggregationRun.objects.get_or_create(campaign=campaign, key=key)
            if created:
                made.append(run)
    return made


def work_off_one(progress_of: Callable[[AggregationRun], Progress]) -> AggregationRun | None:
    """Claim one waiting run and do it; None when nothing waits or others have claimed all.

    The claim is the row's lock: a killed worker's lock is gone with its connection and the run waits again.
    """
    with transaction.atomic():
        run = (
            AggregationRun.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("campaign")
            .filter(state=AggregationRun.State.WAITING)
            # One that failed before goes last: it must not keep the others waiting.
            .order_by("attempts", "id")
            .first()
        )
        if run is None:
            return None
        run.attempts += 1
        try:
            with transaction.atomic():
                run.summary = make_summary(run.campaign, progress_of(run))
            run.state, run.error = AggregationRun.State.DONE, ""
        except Exception as error:
            # Whatever it is: an attempt that left no trace would be repeated for ever, and reminders behind
            # it would never be sent. A lost connection makes the save below fail too, and the run waits.
            # Left waiting, so that the next minute tries again; given up after a few.
            log.exception("aggregation run %s failed", run.pk)
            run.error = f"{type(error).__name__}: {error}"[:300]
            if run.attempts >= MAX_ATTEMPTS:
                run.state = AggregationRun.State.FAILED
        run.finished_at = now()
        run.save()
        return run


def hard_problems(summary: Summary) -> list[str]:
    """Sentences of the hard rules that a summary's totals break; empty unless something is very wrong."""
    return [p["message"] for problems in summary.problems.values() for p in problems if p["level"] == HARD]
