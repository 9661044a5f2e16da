"""After the visit: what is still missing in the record, plan against actual, and closing the account."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count

from delegations.access import require
from delegations.budget import fold, lines
from delegations.models import Delegation, Destination, Material, MaterialKind, Visit
from delegations.money import show_yuan
from delegations.norms import departure, subject_of
from delegations.personal.households import require_discreet
from delegations.planning import concerned, move, page_of, require_seen, required
from delegations.plans import (
    ERROR,
    GAP,
    QUERY,
    Collector,
    Problem,
    Rulebook,
    check_overlaps,
    day,
    has_name,
    norm_departure,
    plans,
)
from delegations.saving import lock_delegation, require_state
from delegations.typed import label_of
from reporting.errors import Refused
from reporting.messaging import tell
from unions.gate import Actor

State = Delegation.State


def recorded(destination: Destination) -> list[Visit]:
    """The visits a record speaks of: planned ones and those added on the way."""
    return [
        v
        for v in destination.visits.all()
        if v.standing in (Visit.Standing.PLANNED, Visit.Standing.UNPLANNED)
    ]


@dataclass(frozen=True)
class Checklist:
    """The four kinds of material of one destination, with how many there are of each."""

    destination: Destination
    counts: dict[str, int]

    @property
    def items(self) -> list[tuple[str, str, int]]:
        return [(str(kind), str(kind.label), self.counts.get(str(kind), 0)) for kind in MaterialKind]

    @property
    def missing(self) -> list[str]:
        return [label for _, label, count in self.items if not count]


def checklists(delegation: Delegation) -> list[Checklist]:
    """One query; `delegation` comes from `plans`."""
    counts: dict[int, dict[str, int]] = {}
    rows = (
        Material.objects.filter(destination__delegation=delegation)
        .order_by()
        .values_list("destination", "kind")
        .annotate(n=Count("pk"))
    )
    for destination, kind, n in rows:
        counts.setdefault(destination, {})[kind] = n
    return [Checklist(d, counts.get(d.pk, {})) for d in delegation.destinations.all()]


def record_problems(delegation: Delegation, rulebook: Rulebook, lists: list[Checklist]) -> list[Problem]:
    """What a record lacks or must explain. The delegation comes from `plans`: no queries."""
    found = Collector(delegation, rulebook)
    by_destination = {c.destination.pk: c for c in lists}
    for destination in delegation.destinations.all():
        _check_destination(found, destination)
        for visit in recorded(destination):
            _check_record(found, destination, visit)
        for label in by_destination[destination.pk].missing:
            found.add(GAP, destination, destination, "materials", f"还没有上传{label}。", may_stay=True)
    check_overlaps(found, list(delegation.destinations.all()), "went_from", "went_until")
    return sorted(found.problems, key=lambda p: (ERROR, QUERY, GAP).index(p.level))


# -- plan against actual -----------------------------------------------------------------------------------

NOT_DONE, UNPLANNED, AMOUNT, SHAPE, SOURCE = "not_done", "unplanned", "amount", "shape", "source"
DIFFERENCE_LABELS = {
    NOT_DONE: "未走访",
    UNPLANNED: "临时增加",
    AMOUNT: "金额不同",
    SHAPE: "钱物不同",
    SOURCE: "来源不同",
}


@dataclass(frozen=True)
class Difference:
    kind: str
    sentence: str

    @property
    def label(self) -> str:
        return DIFFERENCE_LABELS[self.kind]


def differences(visit: Visit) -> list[Difference]:
    """How what was done departs from the plan, as far as it is recorded. One reason answers for all of it."""
    unplanned = visit.standing == Visit.Standing.UNPLANNED
    if not visit.outcome or (unplanned and visit.outcome == Visit.Outcome.NOT_DONE):
        return []
    if unplanned:
        return [Difference(UNPLANNED, "不在计划内")]
    if visit.outcome == Visit.Outcome.NOT_DONE:
        return [Difference(NOT_DONE, "在计划内而未走访")]
    if visit.paid is None:
        return []
    found = []
    planned, paid = visit.amount or 0, visit.paid
    if paid != planned:
        off = f"{'多' if paid > planned else '少'} {show_yuan(abs(paid - planned))} 元"
        found.append(Difference(AMOUNT, f"计划 {show_yuan(planned)} 元，实付 {show_yuan(paid)} 元，{off}"))
    elif (visit.paid_goods or 0) != (visit.goods or 0):
        found.append(
            Difference(
                SHAPE,
                f"计划慰问金 {show_yuan(visit.money or 0)} 元、慰问品 {show_yuan(visit.goods or 0)} 元，"
                f"实付慰问金 {show_yuan(visit.paid_money or 0)} 元、慰问品 {show_yuan(visit.paid_goods or 0)} 元",
            )
        )
    if visit.paid_source_id and visit.paid_source_id != visit.source_id:
        found.append(
            Difference(SOURCE, f"计划由{visit.source or '（未选）'}列支，实际由{visit.paid_source}列支")
        )
    return found


def paid_departure(visit: Visit, destination: Destination, rulebook: Rulebook) -> str:
    """How what was paid departs from the norm of the day it was paid; what a plan departs by just as much was
    explained there."""
    if visit.outcome != Visit.Outcome.DONE:
        return ""
    if visit.counts_in_plan and visit.paid == visit.amount and norm_departure(visit, destination, rulebook):
        return ""
    subject = subject_of(visit.kind, visit.category, visit.is_hard_hit)
    norm = rulebook.norms.in_force(subject, visit.happened_on or rulebook.norm_day(destination))
    off = departure(norm, visit.paid)
    return f"实付 {off}" if off and visit.counts_in_plan else off


def paid_over_ceiling(delegation: Delegation, rulebook: Rulebook) -> list[Problem]:
    """Sources this delegation paid from, of which all delegations together paid more than their ceiling. The money
    is gone: the account is not closed without a reason. Two queries."""
    cube = lines(Delegation.objects.filter(campaign=delegation.campaign_id))
    spent = fold(cube, lambda line: line.source)
    ours = fold((line for line in cube if line.delegation == delegation.pk), lambda line: line.source)
    return [
        Problem(
            QUERY,
            f"{source.name}全部慰问组实付 {show_yuan(paid)} 元，超过上限 {show_yuan(source.ceiling)} 元，"
            f"多 {show_yuan(paid - source.ceiling)} 元，请核对实付金额和来源，或说明原因。",
            f"fundsource:{source.pk}",
            "ceiling",
            "资金来源",
            may_stay=True,
        )
        for source in rulebook.sources
        if source.ceiling is not None and source.pk in ours and ours[source.pk].paid
        if (paid := spent[source.pk].paid) > source.ceiling
    ]


# -- what is missing or to be explained --------------------------------------------------------------------


def _check_destination(found: Collector, destination: Destination) -> None:
    first, last = destination.went_from, destination.went_until

    def add(level: str, name: str, sentence: str, *, may_stay: bool = False) -> None:
        found.add(level, destination, destination, name, sentence, may_stay=may_stay)

    if first is None or last is None:
        add(GAP, "went_from" if first is None else "went_until", "实际走访日期没有填。")
    elif last < first:
        add(
            ERROR,
            "went_until",
            f"实际结束日期 {day(last)} 早于开始日期 {day(first)}，请改正其中一个。",
        )
    elif name := _outside(found.rulebook, went_from=first, went_until=last):
        wrong = f"{first:%Y-%m-%d} 至 {last:%Y-%m-%d}"
        add(
            ERROR,
            name,
            f"实际走访日期 {wrong} 不在通知规定的{_window(found.rulebook)}之内，请核对。",
        )
    if not destination.participants:
        add(GAP, "participants", "参加人员没有填。")
    for name in ("spirit", "centres", "practice"):
        if not getattr(destination, name):
            add(GAP, name, f"“{label_of(destination, name)}”没有填。", may_stay=True)


def _outside(rulebook: Rulebook, **days: datetime.date) -> str:
    """The name of the first day that is outside the campaign's window."""
    opens, closes = rulebook.campaign.visits_from, rulebook.campaign.visits_until
    return next(
        (name for name, d in days.items() if (opens and d < opens) or (closes and d > closes)),
        "",
    )


def _window(rulebook: Rulebook) -> str:
    opens, closes = rulebook.campaign.visits_from, rulebook.campaign.visits_until
    since = f" {opens:%Y-%m-%d} 起" if opens else ""
    until = f" {closes:%Y-%m-%d} 止" if closes else ""
    return f" {opens:%Y-%m-%d} 至 {closes:%Y-%m-%d} " if opens and closes else f"{since}{until} "


def _check_record(found: Collector, destination: Destination, visit: Visit) -> None:
    what = visit.get_kind_display() + (f"（{visit.name}）" if visit.name else "")
    unplanned = visit.standing == Visit.Standing.UNPLANNED

    def add(level: str, name: str, sentence: str, *, reason: str = "") -> None:
        found.add(level, destination, visit, name, sentence, reason=reason)

    if unplanned and not has_name(visit):
        add(GAP, "name", f"临时增加的{what}没有填名称。")
    if unplanned and not visit.category:
        add(GAP, "category", f"临时增加的{what}没有选类型。")
    if not visit.outcome:
        add(GAP, "outcome", f"{what}还没有填完成情况。")
        return
    if visit.outcome == Visit.Outcome.NOT_DONE:
        if unplanned:
            add(ERROR, "outcome", f"临时增加的{what}填的是未走访，请改为已走访，或删除这一项。")
        if visit.paid:
            add(
                ERROR,
                "paid_money",
                f"{what}填的是未走访，却有实付 {show_yuan(visit.paid)} 元，请改正其中一项。",
            )
    else:
        _check_day(found, destination, visit, what)
        _check_payment(found, destination, visit, what)
    differing = [difference.sentence for difference in differences(visit)]
    if visit.outcome == Visit.Outcome.DONE and visit.paid is None:
        return  # asked for first; what it differs by is seen then
    if off := paid_departure(visit, destination, found.rulebook):
        differing.append(off)
    if differing:
        sentence = f"{what}{'；'.join(differing)}，请说明原因。"
        add(QUERY, "difference_reason", sentence, reason=visit.difference_reason)


def _check_day(found: Collector, destination: Destination, visit: Visit, what: str) -> None:
    when, first, last = visit.happened_on, destination.went_from, destination.went_until
    sentence = ""
    if when is None:
        found.add(GAP, destination, visit, "happened_on", f"{what}的走访日期没有填。")
    elif _outside(found.rulebook, when=when):
        window = _window(found.rulebook)
        sentence = f"{what}的走访日期 {when} 不在通知规定的{window}之内，请核对。"
    elif first and last and first <= last and not first <= when <= last:
        stay = day(first) if first == last else f"{day(first)} 至 {day(last)}"
        sentence = f"{what}的走访日期 {day(when)} 不在实际走访日期 {stay} 之内，请改正其中一个。"
    if sentence:
        found.add(ERROR, destination, visit, "happened_on", sentence)


def _check_payment(found: Collector, destination: Destination, visit: Visit, what: str) -> None:
    def add(name: str, sentence: str) -> None:
        found.add(GAP, destination, visit, name, sentence)

    if visit.paid is None:
        add("paid_money", f"{what}的实付金额没有填。")
        return
    if visit.paid_goods and not visit.paid_goods_text:
        add("paid_goods_text", f"{what}有 {show_yuan(visit.paid_goods)} 元慰问品，请写明是什么。")
    if visit.paid and not (visit.paid_source_id or visit.source_id):
        add("paid_source_id", f"{what}的资金来源没有选。")


@transaction.atomic
def archive(*, delegation: Delegation, reason: str, revision: int, by: Actor) -> None:
    """归档: the account is closed. Missing material and texts, and more paid than a ceiling, may
    stay with a reason; nothing else may.

    Raises Refused with everything that stops it.
    """
    delegation = lock_delegation(delegation.pk)
    require(by, "archive", delegation)
    require_state(delegation, State.LOCKED)
    require_seen(delegation, revision)
    (loaded,) = plans(Delegation.objects.filter(pk=delegation.pk))
    rulebook = Rulebook.of(delegation.campaign)
    problems = record_problems(loaded, rulebook, checklists(loaded)) + paid_over_ceiling(loaded, rulebook)
    stopping = [p for p in problems if p.stops]
    if stopping:
        raise Refused(
            f"{delegation}还不能归档，有 {len(stopping)} 处须先处理。",
            *(f"{p.where}：{p.sentence}" for p in stopping),
        )
    staying = [p for p in problems if p.may_stay]
    if staying:
        open_still = "没有补齐" if all(p.level == GAP for p in staying) else "没有补齐或须说明"
        reason = required(reason, f"还有 {len(staying)} 处{open_still}，归档")
        require_discreet(delegation, reason)
    move(delegation, by, State.ARCHIVED, "归档", reason if staying else "")
    tell(
        concerned(delegation),
        f"{delegation.campaign.title}{delegation}的走访记录和材料已归档。",
        page_of(delegation),
    )


@transaction.atomic
def reopen(*, delegation: Delegation, reason: str, by: Actor) -> None:
    """重新打开 an archived delegation's records; its plan stays locked."""
    delegation = lock_delegation(delegation.pk)
    require(by, "reopen", delegation)
    require_state(delegation, State.ARCHIVED)
    reason = required(reason, "重新打开")
    require_discreet(delegation, reason)
    move(delegation, by, State.LOCKED, "重新打开", reason)
    tell(
        concerned(delegation),
        f"{delegation.campaign.title}{delegation}的走访记录已重新打开，请更正：{reason}",
        page_of(delegation),
    )
