"""A plan as it stands, loaded whole in a constant number of queries, and what is wrong with it.

Pages, locking and exports read the same problems; nothing here writes.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from delegations.models import Arrangement, Delegation, Destination, FundSource, Norm, Visit
from delegations.money import show_yuan
from delegations.norms import Norms, applies_on, departure, subject_of
from reporting.clock import now
from reporting.models import Campaign

ERROR, QUERY, GAP = "error", "query", "gap"
LEVEL_LABELS = {ERROR: "错误", QUERY: "核实", GAP: "待补"}
MIN_REASON = 4
COMPOSITION_FIELDS = {
    Visit.Kind.ENTERPRISE: "enterprises",
    Visit.Kind.GRASSROOTS: "grassroots",
    Visit.Kind.ON_SITE: "on_site",
    Visit.Kind.HOUSEHOLD: "households",
}
UNITS = {
    Visit.Kind.ENTERPRISE: "家",
    Visit.Kind.GRASSROOTS: "个",
    Visit.Kind.ON_SITE: "人",
    Visit.Kind.HOUSEHOLD: "户",
}


def day(date: datetime.date) -> str:
    return f"{date.month}月{date.day}日"


@dataclass(frozen=True)
class Rulebook:
    """What a campaign's plans are held to: window, composition, norms, sources. Three queries."""

    campaign: Campaign
    arrangement: Arrangement
    norms: Norms
    sources: tuple[FundSource, ...]

    @classmethod
    def of(cls, campaign: Campaign) -> Rulebook:
        arrangement = Arrangement.objects.filter(pk=campaign.pk).first() or Arrangement(campaign=campaign)
        return cls(campaign, arrangement, Norms.load(), tuple(FundSource.objects.filter(campaign=campaign)))

    def wanted(self, kind: str) -> int:
        """How many visits of a kind each destination is to have."""
        return int(getattr(self.arrangement, COMPOSITION_FIELDS[Visit.Kind(kind)]))

    def norm_day(self, destination: Destination) -> datetime.date:
        """The day whose norms a destination goes by."""
        campaign = self.campaign
        return applies_on((destination.first_day, campaign.visits_from), timezone.localdate(now()))


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, asked about, or missing. `target` names the row: "visit:12"."""

    level: str
    sentence: str
    target: str
    field: str
    # "第2慰问组 牡丹江": whose problem it is, for lists over several.
    where: str = ""
    # A query with its reason given no longer stops anything, but stays on the department's list.
    reason: str = ""
    # A gap that may stay open when a plan is locked: a place that found no second household yet.
    may_stay: bool = False

    @property
    def is_explained(self) -> bool:
        return self.level == QUERY and len(self.reason.strip()) >= MIN_REASON

    @property
    def stops(self) -> bool:
        """Whether a plan with this problem can't be locked."""
        return not self.may_stay and not self.is_explained

    @property
    def label(self) -> str:
        return LEVEL_LABELS[self.level]

    @property
    def anchor(self) -> str:
        """The id of the field on the plan's page: visit:12 and money → visit-12-money."""
        return f"{self.target.replace(':', '-')}-{self.field}"


def plans(delegations: QuerySet[Delegation]) -> list[Delegation]:
    """Delegations with destinations, visits, sources, and whether household data exist. Four queries."""
    visits = Visit.objects.select_related("source", "paid_source", "personal", "proposed_by", "answered_by")
    destinations = Destination.objects.select_related("union")
    return list(
        delegations.select_related("campaign", "leader", "liaison").prefetch_related(
            Prefetch("destinations", destinations), Prefetch("destinations__visits", visits)
        )
    )


def planned(destination: Destination) -> list[Visit]:
    return [visit for visit in destination.visits.all() if visit.counts_in_plan]


def composition(destination: Destination, rulebook: Rulebook) -> list[tuple[str, str, int, int]]:
    """(kind, label, planned, wanted) for each kind of visit, in the notice's order."""
    have = [visit.kind for visit in planned(destination)]
    return [
        (str(kind), str(kind.label), have.count(kind), rulebook.wanted(kind)) for kind in COMPOSITION_FIELDS
    ]


def norm_departure(visit: Visit, destination: Destination, rulebook: Rulebook) -> str:
    """How the planned amount departs from the norm in force; empty when it keeps to it."""
    subject = subject_of(visit.kind, visit.category, visit.is_hard_hit)
    norm = rulebook.norms.in_force(subject, rulebook.norm_day(destination))
    if norm is None and visit.amount:
        what = Norm.Subject(subject).label
        return f"{show_yuan(visit.amount)} 元，{what}在走访当日没有适用的慰问金标准"
    return departure(norm, visit.amount)


def has_name(visit: Visit) -> bool:
    if visit.kind != Visit.Kind.HOUSEHOLD:
        return bool(visit.name)
    return hasattr(visit, "personal") and bool(visit.personal.name)


@dataclass
class Collector:
    delegation: Delegation
    rulebook: Rulebook
    problems: list[Problem] = field(default_factory=list)

    def add(
        self,
        level: str,
        destination: Destination | None,
        row: Destination | Visit | Delegation,
        name: str,
        sentence: str,
        *,
        reason: str = "",
        may_stay: bool = False,
    ) -> None:
        where = f"{self.delegation} {destination}" if destination else str(self.delegation)
        target = f"{row._meta.model_name}:{row.pk}"
        self.problems.append(Problem(level, sentence, target, name, where, reason, may_stay))


def problems_of(delegation: Delegation, rulebook: Rulebook) -> list[Problem]:
    """Everything about one delegation's plan, errors first. The delegation comes from `plans`: no queries."""
    found = Collector(delegation, rulebook)
    destinations = list(delegation.destinations.all())
    if not destinations:
        found.add(GAP, None, delegation, "destinations", "还没有走访单位。")
    if not delegation.leader_name:
        found.add(GAP, None, delegation, "leader_name", "没有带队领导。")
    if not delegation.liaison_name:
        found.add(GAP, None, delegation, "liaison_name", "没有联络员。")
    for destination in destinations:
        if not destination.union.is_active:
            found.add(
                ERROR,
                destination,
                destination,
                "union",
                f"{destination.union.name}已停用，不能作为走访单位。请移除，或先在“工会组织”中启用。",
            )
        _check_dates(found, destination)
        _check_people(found, destination)
        _check_composition(found, destination)
        for visit in planned(destination):
            _check_visit(found, destination, visit)
    check_overlaps(found, destinations, "first_day", "last_day")
    return sorted(found.problems, key=lambda p: (ERROR, QUERY, GAP).index(p.level))


def window_in_words(campaign: Campaign) -> str:
    """When the notice lets delegations travel; either end may be open."""
    opens, closes = campaign.visits_from, campaign.visits_until
    first = f" {opens.year}年{day(opens)}" if opens else "开始时间"
    last = f" {closes.year}年{day(closes)} " if closes else "结束时间"
    return f"{first} 至{last}"


def _check_dates(found: Collector, destination: Destination) -> None:
    first, last = destination.first_day, destination.last_day
    if first is None or last is None:
        name = "first_day" if first is None else "last_day"
        found.add(GAP, destination, destination, name, "走访日期没有填。")
        return
    if last < first:
        found.add(
            ERROR,
            destination,
            destination,
            "last_day",
            f"结束日期 {day(last)} 早于开始日期 {day(first)}，请改正其中一个。",
        )
        return
    campaign = found.rulebook.campaign
    opens, closes = campaign.visits_from, campaign.visits_until
    if (opens and first < opens) or (closes and last > closes):
        window = window_in_words(campaign)
        wrong = f"{first:%Y-%m-%d} 至 {last:%Y-%m-%d}"
        name = "first_day" if opens and first < opens else "last_day"
        found.add(
            ERROR, destination, destination, name, f"走访日期 {wrong} 不在通知规定的{window}之内，请调整。"
        )


def check_overlaps(found: Collector, destinations: list[Destination], name: str, until: str) -> None:
    """One delegation is in one place a day; `name` and `until` are the fields of the first and last day there."""
    spans: list[tuple[datetime.date, datetime.date, Destination]] = []
    for destination in destinations:
        first, last = getattr(destination, name), getattr(destination, until)
        if first and last and first <= last:
            spans.append((first, last, destination))
    spans.sort(key=lambda span: span[:2])
    for number, (_, left, earlier) in enumerate(spans):
        for first, last, later in spans[number + 1 :]:
            if first <= left:
                last = min(left, last)
                same = day(first) if first == last else f"{day(first)} 至 {day(last)}"
                sentence = f"{same} 与{earlier}的日期重叠，一个组同一天只能在一处，请错开。"
                found.add(ERROR, later, later, name, sentence)


def _check_people(found: Collector, destination: Destination) -> None:
    limit, count = found.rulebook.arrangement.travellers_limit, destination.travellers
    if count is None:
        found.add(GAP, destination, destination, "travellers", "随行人数没有填。")
    elif count > limit:
        found.add(
            QUERY,
            destination,
            destination,
            "travellers_reason",
            f"随行 {count} 人，超过 {limit} 人。通知要求轻车简从，请减少人数或说明原因。",
            reason=destination.travellers_reason,
        )
    if not destination.contact_name or not destination.contact_phone:
        name = "contact_phone" if destination.contact_name else "contact_name"
        found.add(GAP, destination, destination, name, "当地联系人或电话没有填。", may_stay=True)


def _check_composition(found: Collector, destination: Destination) -> None:
    surplus = []
    for kind, label, have, wanted in composition(destination, found.rulebook):
        unit = UNITS[Visit.Kind(kind)]
        if have < wanted:
            found.add(
                GAP,
                destination,
                destination,
                f"visits-{kind}",
                f"{label}应有 {wanted} {unit}，现有 {have} {unit}，缺 {wanted - have} {unit}。",
                may_stay=True,
            )
        elif have > wanted:
            surplus.append(f"{label}应有 {wanted} {unit}，现有 {have} {unit}，多 {have - wanted} {unit}")
    if surplus:
        found.add(
            QUERY,
            destination,
            destination,
            "surplus_reason",
            "；".join(surplus) + "。请删去多余的走访对象或说明原因。",
            reason=destination.surplus_reason,
        )


def _check_visit(found: Collector, destination: Destination, visit: Visit) -> None:
    what = visit.get_kind_display()
    if not has_name(visit):
        found.add(GAP, destination, visit, "name", f"{what}的名称没有填。", may_stay=True)
    if not visit.category:
        found.add(GAP, destination, visit, "category", f"{what}的类型没有选。")
    amount = visit.amount
    if amount is None:
        found.add(GAP, destination, visit, "money", f"{what}的慰问金（或慰问品）没有填。")
        return
    if visit.goods and not visit.goods_text:
        found.add(
            GAP,
            destination,
            visit,
            "goods_text",
            f"{what}有 {show_yuan(visit.goods)} 元慰问品，请写明是什么。",
        )
    if visit.source_id is None and amount:
        found.add(GAP, destination, visit, "source", f"{what}的资金来源没有选。")
    if sentence := norm_departure(visit, destination, found.rulebook):
        found.add(
            QUERY,
            destination,
            visit,
            "amount_reason",
            f"{sentence}。请调整金额或说明原因。",
            reason=visit.amount_reason,
        )


def over_ceiling(all_plans: Iterable[Delegation], rulebook: Rulebook) -> list[Problem]:
    """Sources whose planned money exceeds what the department set: a matter between delegations."""
    spent: dict[int, int] = {}
    for delegation in all_plans:
        for destination in delegation.destinations.all():
            for visit in planned(destination):
                if visit.source_id is not None:
                    spent[visit.source_id] = spent.get(visit.source_id, 0) + (visit.amount or 0)
    return exceeded(spent, rulebook)


def exceeded(spent: Mapping[int, int], rulebook: Rulebook) -> list[Problem]:
    """The sources of which more is planned (`spent`: source → 分) than their ceiling allows."""
    found = []
    for source in rulebook.sources:
        used = spent.get(source.pk, 0)
        if source.ceiling is not None and used > source.ceiling:
            found.append(
                Problem(
                    ERROR,
                    f"{source.name}计划 {show_yuan(used)} 元，超过上限 {show_yuan(source.ceiling)} 元，"
                    f"多 {show_yuan(used - source.ceiling)} 元。请调减金额、改用其他来源或提高上限。",
                    f"fundsource:{source.pk}",
                    "ceiling",
                    "全部慰问组",
                )
            )
    return found
