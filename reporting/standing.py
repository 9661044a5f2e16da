"""Who has filed and who has not: questions over many filings, each in a constant number of queries."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, Q, QuerySet

from reporting.assessment import Assessment, assess_all
from reporting.models import Campaign, Event, Filing
from unions.gate import Actor
from unions.models import Union

State = Filing.State

# A union switched off takes no part any more, unless it did file.
TAKES_PART = Q(union__is_active=True) | Q(current_round__isnull=False)

# How a page or a workbook of a union with subordinates says which of the two its figures are.
OWN_SCOPE, TOTAL_SCOPE = "本级（不含下级单位）", "合计（本级加下级单位）"


def has_subordinates(campaign: Campaign, union: Union) -> bool:
    """Whether 本级 and 合计 are two things for this union: subordinates take part below it. Not for the province,
    whose total is the Summary."""
    if union.is_root or union.kind == Union.Kind.GRASSROOTS:
        return False
    return Filing.objects.filter(TAKES_PART, campaign=campaign, union__parent=union).exists()


def own_scope(campaign: Campaign, union: Union) -> str:
    """本级, where a reader could take a union's own figures for more: it has subordinates, or is the province."""
    return OWN_SCOPE if union.is_root or has_subordinates(campaign, union) else ""


def reviewable(actor: Actor) -> QuerySet[Filing]:
    """The filings this actor reviews: of direct subordinates, and at the root its own. The gate decides
    each single move; this is the same table asked as a query.
    """
    union = actor.union
    if union is None or not actor.may_anywhere("review"):
        return Filing.objects.none()
    theirs = Q(union__parent=union)
    if union.is_root:
        theirs |= Q(union=union)
    return Filing.objects.visible_to(actor).filter(theirs, TAKES_PART)


def waiting_first(filings: QuerySet[Filing]) -> QuerySet[Filing]:
    """Who has waited longest comes first."""
    return filings.select_related("union", "campaign", "current_round__submitted_by").order_by(
        "current_round__submitted_at", "union__position", "union__code"
    )


@dataclass(frozen=True)
class Standing:
    """How many filings stand in which state. `shares` draws them as a strip."""

    counts: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def approved(self) -> int:
        return self.counts.get(State.APPROVED, 0)

    @property
    def submitted(self) -> int:
        return self.counts.get(State.SUBMITTED, 0)

    @property
    def returned(self) -> int:
        return self.counts.get(State.RETURNED, 0)

    @property
    def draft(self) -> int:
        return self.counts.get(State.DRAFT, 0)

    @property
    def filed(self) -> int:
        return self.approved + self.submitted

    @property
    def missing(self) -> int:
        return self.total - self.filed

    @property
    def shares(self) -> list[tuple[str, int, int]]:
        """(state, how many, how many stand before it), the settled ones first."""
        out, before = [], 0
        for state in (State.APPROVED, State.SUBMITTED, State.RETURNED):
            count = self.counts.get(state, 0)
            out.append((str(state), count, before))
            before += count
        return out


def standings(campaigns: Iterable[Campaign], union: Union) -> dict[int, Standing]:
    """{campaign id: standing} of a union and its direct subordinates, in one query."""
    campaigns = list(campaigns)
    counts: dict[int, dict[str, int]] = {campaign.pk: {} for campaign in campaigns}
    groups = (
        Filing.objects.filter(Q(union=union) | Q(union__parent=union), TAKES_PART, campaign__in=campaigns)
        .order_by()
        .values_list("campaign", "state")
        .annotate(n=Count("pk"))
    )
    for campaign_id, state, n in groups:
        counts[campaign_id][state] = n
    return {pk: Standing(by_state) for pk, by_state in counts.items()}


@dataclass(frozen=True)
class Sending:
    """How the mail of one round stands. `at`: when it was sent, or when it is tried again."""

    to: str
    state: str  # sent, waiting, failed
    at: datetime.datetime
    reason: str

    @property
    def label(self) -> str:
        return {"sent": "已发送", "waiting": "等待发送", "failed": "发送失败"}[self.state]

    @property
    def css(self) -> str:
        return {"sent": "done", "waiting": "waiting", "failed": "failed"}[self.state]


@dataclass(frozen=True)
class ProgressRow:
    filing: Filing
    # None where the working copies are of no interest: what stands submitted is complete.
    assessment: Assessment | None
    below: Standing
    can_open: bool
    # How the electronic version of its round stands on the way to the mailbox, where a page asks.
    sending: Sending | None = None

    @property
    def parts(self) -> list[tuple[str, bool]]:
        """(part, done) for the two forms and the report."""
        if self.assessment is None:
            return []
        parts = [(form.sheet.title, form.is_done) for form in self.assessment.forms]
        return [*parts, ("送温暖报告", self.assessment.has_report)]

    @property
    def done(self) -> int:
        return sum(done for _, done in self.parts)


def progress_rows(campaign: Campaign, union: Union, actor: Actor) -> list[ProgressRow]:
    """A union and its direct subordinates in printed order."""
    filings = list(
        Filing.objects.visible_to(actor)
        .filter(Q(union=union) | Q(union__parent=union), TAKES_PART, campaign=campaign)
        .select_related("union", "campaign", "current_round")
    )
    filings.sort(key=lambda filing: (filing.union_id != union.pk, filing.union.position, filing.union.code))
    assessed = {a.filing.pk: a for a in assess_all([filing for filing in filings if filing.is_editable])}
    below = _standings_below(campaign, [f.union for f in filings if f.union_id != union.pk])
    return [
        ProgressRow(
            filing=filing,
            assessment=assessed.get(filing.pk),
            below=below.get(filing.union_id, Standing()),
            can_open=actor.may("view", filing.union)
            and (filing.current_round_id is not None or filing.union_id == (actor.union and actor.union.pk)),
        )
        for filing in filings
    ]


def _standings_below(campaign: Campaign, unions: list[Union]) -> dict[int, Standing]:
    counts: dict[int, dict[str, int]] = {}
    groups = (
        Filing.objects.filter(TAKES_PART, campaign=campaign, union__parent__in=unions)
        .order_by()
        .values_list("union__parent", "state")
        .annotate(n=Count("pk"))
    )
    for parent, state, n in groups:
        if parent is not None:
            counts.setdefault(parent, {})[state] = n
    return {pk: Standing(by_state) for pk, by_state in counts.items()}


def last_returns(filings: Iterable[Filing]) -> dict[int, Event]:
    """{filing id: the last time it was sent back or reopened}."""
    events = (
        Event.objects.filter(filing__in=list(filings), move__in=("send_back", "reopen"))
        .select_related("by", "acting_for")
        .order_by("filing_id", "-at", "-id")
        .distinct("filing_id")
    )
    return {event.filing_id: event for event in events}
