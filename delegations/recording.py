"""After the visit: what is still missing in the record, plan against actual, and closing the account."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count

from delegations.access import require
from delegations.models import Delegation, Destination, Material, MaterialKind, Visit
from delegations.money import show_yuan
from delegations.norms import departure, subject_of
from delegations.planning import concerned, move, page_of, require_seen, required
from delegations.plans import (
    ERROR,
    GAP,
    QUERY,
    Collector,
    Problem,
    Rulebook,
    day,
    has_name,
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
    return sorted(found.problems, key=lambda p: (ERROR, QUERY, GAP).index(p.level))


def _check_destination(found: Collector, destination: Destination) -> None:
    first, last = destination.went_from, destination.went_until
    if first is None or last is None:
        name = "went_from" if first is None else "went_until"
        found.add(GAP, destination, destination, name, "实际走访日期没有填。")
    elif last < first:
        found.add(
            ERROR,
            destination,
            destination,
            "went_until",
            f"实际结束日期 {day(last)} 早于开始日期 {day(first)}，请改正其中一个。",
        )
    if not destination.participants:
        found.add(GAP, destination, destination, "participants", "参加人员没有填。")
    for name in ("spirit", "centres", "practice"):
        if not getattr(destination, name):
            label = label_of(destination, name)
            found.add(GAP, destination, destination, name, f"“{label}”没有填。", may_stay=True)


def _check_record(found: Collector, destination: Destination, visit: Visit) -> None:
    what = visit.get_kind_display() + (f"（{visit.name}）" if visit.name else "")
    reason = visit.difference_reason

    def add(level: str, name: str, sentence: str, **options: object) -> None:
        found.add(level, destination, visit, name, sentence, **options)  # type: ignore[arg-type]

    unplanned = visit.standing == Visit.Standing.UNPLANNED
    if unplanned and not has_name(visit):
        add(GAP, "name", f"临时增加的{what}没有填名称。")
    if unplanned and not visit.category:
        add(GAP, "category", f"临时增加的{what}没有选类型。")
    if not visit.outcome:
        add(GAP, "outcome", f"{what}还没有填完成情况。")
        return
    if visit.outcome == Visit.Outcome.NOT_DONE:
        if visit.paid:
            add(
                ERROR,
                "paid_money",
                f"{what}填的是未走访，却有实付 {show_yuan(visit.paid)} 元，请改正其中一项。",
            )
        add(QUERY, "difference_reason", f"{what}在计划内而未走访，请说明原因。", reason=reason)
        return
    if visit.happened_on is None:
        add(GAP, "happened_on", f"{what}的走访日期没有填。")
    else:
        opens, closes = found.rulebook.campaign.visits_from, found.rulebook.campaign.visits_until
        if (opens and visit.happened_on < opens) or (closes and visit.happened_on > closes):
            add(ERROR, "happened_on", f"{what}的走访日期 {visit.happened_on} 不在通知规定的时间内，请核对。")
    if visit.paid is None:
        add(GAP, "paid_money", f"{what}的实付金额没有填。")
        return
    if visit.paid_goods and not visit.paid_goods_text:
        add(GAP, "paid_goods_text", f"{what}有 {show_yuan(visit.paid_goods)} 元慰问品，请写明是什么。")
    if visit.paid and not (visit.paid_source_id or visit.source_id):
        add(GAP, "paid_source_id", f"{what}的资金来源没有选。")
    if unplanned:
        subject = subject_of(visit.kind, visit.category, visit.is_hard_hit)
        norm = found.rulebook.norms.in_force(
            subject, visit.happened_on or found.rulebook.norm_day(destination)
        )
        off = departure(norm, visit.paid)
        sentence = f"{what}不在计划内" + (f"，且{off}" if off else "") + "，请说明原因。"
        add(QUERY, "difference_reason", sentence, reason=reason)
    elif visit.paid != visit.amount:
        planned = visit.amount or 0
        more = visit.paid > planned
        add(
            QUERY,
            "difference_reason",
            f"{what}计划 {show_yuan(planned)} 元，实付 {show_yuan(visit.paid)} 元，"
            f"{'多' if more else '少'} {show_yuan(abs(visit.paid - planned))} 元，请说明原因。",
            reason=reason,
        )
    elif visit.paid_source_id and visit.paid_source_id != visit.source_id:
        add(
            QUERY,
            "difference_reason",
            f"{what}计划由{visit.source or '（未选）'}列支，实际由{visit.paid_source}列支，请说明原因。",
            reason=reason,
        )


@transaction.atomic
def archive(*, delegation: Delegation, reason: str, revision: int, by: Actor) -> None:
    """归档: the account is closed. Missing material may stay missing, with a reason; nothing else may.

    Raises Refused with everything that stops it.
    """
    delegation = lock_delegation(delegation.pk)
    require(by, "archive", delegation)
    require_state(delegation, State.LOCKED)
    require_seen(delegation, revision)
    (loaded,) = plans(Delegation.objects.filter(pk=delegation.pk))
    problems = record_problems(loaded, Rulebook.of(delegation.campaign), checklists(loaded))
    stopping = [p for p in problems if p.stops]
    if stopping:
        raise Refused(
            f"{delegation}还不能归档，有 {len(stopping)} 处须先处理。",
            *(f"{p.where}：{p.sentence}" for p in stopping),
        )
    staying = [p for p in problems if p.may_stay]
    if staying:
        reason = required(reason, f"还有 {len(staying)} 处没有补齐，归档")
    move(delegation, by, State.ARCHIVED, "归档", reason)


@transaction.atomic
def reopen(*, delegation: Delegation, reason: str, by: Actor) -> None:
    """重新打开 an archived delegation's records; its plan stays locked."""
    delegation = lock_delegation(delegation.pk)
    require(by, "reopen", delegation)
    require_state(delegation, State.ARCHIVED)
    reason = required(reason, "重新打开")
    move(delegation, by, State.LOCKED, "重新打开", reason)
    tell(
        concerned(delegation),
        f"{delegation.campaign.title}{delegation}的走访记录已重新打开，请更正：{reason}",
        page_of(delegation),
    )
