"""Saving what was typed into a plan or a record: field by field, conflicts by value (docs/adr/0004), audited."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F

from delegations.access import require
from delegations.models import Delegation, Destination, FundSource, PlanEvent, Visit
from delegations.personal.households import INDISCREET, Discretion
from delegations.typed import PLAN, RECORD, UNPLANNED, Typed, in_words
from reporting.clock import now
from reporting.errors import WrongState
from reporting.filling import Change
from unions.gate import Actor


@dataclass
class Saved:
    """A change's code is "destination:12:first_day" or "visit:33:money".

    `fields`: code → the text that now stands. `conflicts`: {"code", "theirs", "yours", "sentence"}.
    `refused`: code → a sentence; nothing of it was stored. `private`: those of them that tell who a household is,
    which the page is not to keep on the machine."""

    at: datetime.datetime
    fields: dict[str, str] = field(default_factory=dict)
    conflicts: list[dict[str, str]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    private: list[str] = field(default_factory=list)


M = TypeVar("M", bound=models.Model)


def lock_delegation(pk: int) -> Delegation:
    """Raises WrongState when a colleague has deleted it."""
    locked = Delegation.objects.select_for_update(no_key=True, of=("self",))
    return still(locked.select_related("campaign"), pk)


def still(rows: models.QuerySet[M], pk: int) -> M:
    """The row as it is now, behind the delegation's lock. Raises WrongState when a colleague has deleted it."""
    row = rows.filter(pk=pk).first()
    if row is None:
        raise WrongState("操作没有进行：这一项已被同事删除，请刷新页面后再看。")
    return row


def require_state(delegation: Delegation, *states: str) -> None:
    """Raises WrongState in words that say what to do."""
    if delegation.state in states:
        return
    advice = {
        Delegation.State.PLANNING: "计划还在编制中，锁定后才能填写走访记录、上传材料。请先请省总工会管理员锁定计划。",
        Delegation.State.LOCKED: "计划已锁定，不能再改。确需调整的，请省总工会管理员解除锁定。",
        Delegation.State.ARCHIVED: "已归档，不能再改。确需更正的，请省总工会管理员重新打开。",
    }
    raise WrongState(f"操作没有进行：{delegation}{advice[Delegation.State(delegation.state)]}")


def note(delegation: Delegation, by: Actor, what: str, reason: str = "") -> None:
    PlanEvent.objects.create(
        campaign_id=delegation.campaign_id,
        delegation=delegation,
        by=by.person,
        acting_for=by.union,
        what=what[:500],
        reason=reason[:500],
    )


def touch(delegation: Delegation) -> None:
    """What the delegation holds has changed: pages that carry an older revision are out of date."""
    Delegation.objects.filter(pk=delegation.pk).update(revision=F("revision") + 1)


# What a plan and its record are compared by.
COMPARED = ("money", "goods", "source_id")


def _plan_field(row: Destination | Visit, name: str) -> Typed | None:
    if isinstance(row, Visit) and row.standing != Visit.Standing.PLANNED:
        return None
    if isinstance(row, Visit) and row.is_recorded and name in COMPARED:
        # Planned amounts bent to what was paid would hide the difference that has to be explained.
        return None
    return PLAN["destination" if isinstance(row, Destination) else "visit"].get(name)


def _record_field(row: Destination | Visit, name: str) -> Typed | None:
    if isinstance(row, Destination):
        return RECORD["destination"].get(name)
    if row.standing == Visit.Standing.UNPLANNED:
        return UNPLANNED.get(name)
    return RECORD["visit"].get(name) if row.standing == Visit.Standing.PLANNED else None


@transaction.atomic
def save_plan(*, delegation: Delegation, changes: Iterable[Change], by: Actor) -> Saved:
    """Raises WrongState when the plan is no longer open, PermissionDenied without the bond."""
    delegation = lock_delegation(delegation.pk)
    require(by, "plan", delegation)
    require_state(delegation, Delegation.State.PLANNING)
    return _save(delegation, changes, by, _plan_field)


@transaction.atomic
def save_record(*, delegation: Delegation, changes: Iterable[Change], by: Actor) -> Saved:
    """What was done, once the plan is locked. Raises as `save_plan`."""
    delegation = lock_delegation(delegation.pk)
    require(by, "record", delegation)
    require_state(delegation, Delegation.State.LOCKED)
    return _save(delegation, changes, by, _record_field)


def _save(
    delegation: Delegation,
    changes: Iterable[Change],
    by: Actor,
    typed_field: Callable[[Destination | Visit, str], Typed | None],
) -> Saved:
    rows: dict[str, Destination | Visit] = {}
    for destination in delegation.destinations.select_related("union"):
        rows[f"destination:{destination.pk}"] = destination
    for visit in Visit.objects.filter(destination__delegation=delegation).select_related(
        "destination__union", "personal"
    ):
        rows[f"visit:{visit.pk}"] = visit
    sources = {s.pk: s for s in FundSource.objects.filter(campaign=delegation.campaign_id)}
    answer, touched, events = Saved(now()), {}, []
    discretion = Discretion(delegation)
    for change in changes:
        target, _, name = change.code.rpartition(":")
        row = rows.get(target)
        if row is None:
            answer.refused[change.code] = "这一行已被他人删除，所填内容没有保存。请刷新页面后再看。"
            continue
        typed = typed_field(row, name)
        if typed is None and name in COMPARED and isinstance(row, Visit) and row.is_recorded:
            answer.refused[change.code] = (
                "已有走访记录，计划金额和资金来源不能再改；与实际不同的，请在记录中说明。"
            )
            continue
        if typed is None or _is_household_name(row, name):
            answer.refused[change.code] = "没有这一栏，请刷新页面后再填。"
            continue
        stands = typed.show(getattr(row, name))
        try:
            value = typed.parse(change.value)
            _require_fits(row, name, value, sources, discretion)
        except ValidationError as problem:
            answer.refused[change.code] = problem.messages[0]
            if getattr(problem, "code", None) == INDISCREET:
                answer.private.append(change.code)
            continue
        wanted = typed.show(value)
        if stands not in (wanted, change.base, *change.sent, *_meant(typed, change)):
            answer.conflicts.append(
                {
                    "code": change.code,
                    "theirs": stands,
                    "yours": wanted,
                    "sentence": f"{typed.label}已被他人改为“{in_words(row, name, stands, sources)}”，"
                    f"您填的是“{in_words(row, name, wanted, sources)}”",
                }
            )
            continue
        answer.fields[change.code] = wanted
        if stands == wanted:
            continue
        setattr(row, name, value)
        touched[target] = row
        events.append(
            f"{_place(row)} {typed.label}：{in_words(row, name, stands, sources)}"
            f" → {in_words(row, name, wanted, sources)}"
        )
    for row in touched.values():
        row.save()
    if touched:
        PlanEvent.objects.bulk_create(
            PlanEvent(
                campaign_id=delegation.campaign_id,
                delegation=delegation,
                by=by.person,
                acting_for=by.union,
                what=what[:500],
                at=answer.at,
            )
            for what in events
        )
        touch(delegation)
    return answer


def _meant(typed: Typed, change: Change) -> list[str]:
    """The texts of a change as they would be shown: a page may still say "3万" where 30000 was stored."""
    found = []
    for text in (change.base, *change.sent):
        with suppress(ValidationError):
            found.append(typed.show(typed.parse(text)))
    return found


def _place(row: Destination | Visit) -> str:
    if isinstance(row, Destination):
        return row.union.short_name
    name = f"（{row.name}）" if row.name else ""
    return f"{row.destination.union.short_name} {row.get_kind_display()}{name}"


def _is_household_name(row: Destination | Visit, name: str) -> bool:
    """A household's name goes through `personal`, sealed."""
    return isinstance(row, Visit) and row.kind == Visit.Kind.HOUSEHOLD and name == "name"


def _require_fits(
    row: Destination | Visit,
    name: str,
    value: object,
    sources: dict[int, FundSource],
    discretion: Discretion,
) -> None:
    # Reasons and records are repeated in the audit, on lists and in exports; who a household is stays sealed.
    if isinstance(value, str) and name not in ("category", "outcome"):
        of_household = isinstance(row, Visit) and row.kind == Visit.Kind.HOUSEHOLD
        discretion.require(value, about_household=of_household)
    if isinstance(row, Visit):
        if name == "category" and value and value not in Visit.CATEGORIES[row.kind]:
            raise ValidationError(f"{row.get_kind_display()}没有这个类型，请刷新页面后重新选择。")
        if name == "is_hard_hit" and value and row.kind != Visit.Kind.ENTERPRISE:
            raise ValidationError("只有企业可以标为特别困难。")
        if name in ("source_id", "paid_source_id") and value is not None and value not in sources:
            raise ValidationError("没有这项资金来源，请刷新页面后重新选择。")
