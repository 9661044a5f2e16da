"""What holds for all delegations of a campaign: composition, sources of money with their ceilings, norms."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from django.db import transaction
from django.db.models import Q

from delegations.access import require_office
from delegations.models import Arrangement, Delegation, Destination, FundSource, Norm, PlanEvent
from delegations.money import show_yuan
from delegations.planning import MOST_VISITS, lock_arrangement
from delegations.plans import COMPOSITION_FIELDS
from delegations.typed import clean, label_of
from reporting.errors import Refused, WrongState
from reporting.models import Campaign
from unions.gate import Actor

State = Delegation.State


@transaction.atomic
def set_arrangement(*, campaign: Campaign, values: Mapping[str, int], by: Actor) -> None:
    """How many visits of each kind, and how many travel. Refused once a plan was locked by the old numbers."""
    require_office(by)
    arrangement = lock_arrangement(campaign)
    changed = []
    for name in (*COMPOSITION_FIELDS.values(), "travellers_limit"):
        old, new = getattr(arrangement, name), values[name]
        if old != new:
            if not 0 <= new <= MOST_VISITS:
                raise Refused(f"数量须在 0 至 {MOST_VISITS} 之间，填的是 {new}。")
            changed.append(f"{label_of(arrangement, name)}：{old} → {new}")
            setattr(arrangement, name, new)
    if not changed:
        return
    if Delegation.objects.filter(campaign=campaign).exclude(state=State.PLANNING).exists():
        raise Refused("已有慰问组的计划锁定，走访标准不能再改。确需修改的，请先解除锁定。")
    arrangement.save()
    _campaign_note(campaign, by, "；".join(changed))


@transaction.atomic
def set_source(
    *, campaign: Campaign, source: FundSource | None, name: str, ceiling: int | None, by: Actor
) -> FundSource:
    """A source of money: a new one, or another name or ceiling (分, None: none)."""
    require_office(by)
    lock_arrangement(campaign)
    name = clean(name)
    if not 2 <= len(name) <= 60:
        raise Refused("资金来源的名称须有 2 至 60 个字。")
    others = FundSource.objects.filter(campaign=campaign).exclude(pk=source.pk if source else 0)
    if others.filter(name=name).exists():
        raise Refused(f"已有名为“{name}”的资金来源。")
    if source is None:
        source = FundSource(campaign=campaign, name=name, ceiling=ceiling, position=others.count())
        what = f"新增资金来源“{name}”"
    else:
        source = FundSource.objects.get(pk=source.pk, campaign=campaign)
        what = f"资金来源“{source.name}”" + (f"改名为“{name}”" if source.name != name else "")
        if source.ceiling != ceiling:
            what += f"上限：{show_yuan(source.ceiling) or '无'} → {show_yuan(ceiling) or '无'}"
        source.name, source.ceiling = name, ceiling
    source.save()
    _campaign_note(campaign, by, what)
    return source


@transaction.atomic
def add_norm(
    *,
    campaign: Campaign,
    subject: str,
    valid_from: datetime.date,
    least: int,
    most: int,
    basis: str,
    by: Actor,
) -> Norm:
    """A norm from a day on (分). Older ones keep holding for the days before it.

    Norms are of no campaign: a day under a plan that is locked or archived, of whatever year, is refused.
    """
    require_office(by)
    _lock_arrangements()
    if subject not in Norm.Subject.values:
        raise Refused("没有这一类慰问对象，请刷新页面。")
    if least > most:
        raise Refused(f"下限 {show_yuan(least)} 元高于上限 {show_yuan(most)} 元，请改正。")
    if Norm.objects.filter(subject=subject, valid_from=valid_from).exists():
        raise Refused(
            f"{Norm.Subject(subject).label}自 {valid_from:%Y-%m-%d} 起已有标准。填错的请先删除，再重新增加。"
        )
    _require_no_plan_from(valid_from)
    unit = Norm.objects.filter(subject=subject).values_list("unit", flat=True).first() or "个"
    made = Norm.objects.create(
        subject=subject, valid_from=valid_from, least=least, most=most, unit=unit, basis=clean(basis)[:100]
    )
    _campaign_note(
        campaign,
        by,
        f"慰问金标准：{made.get_subject_display()}自 {valid_from:%Y-%m-%d} 起 {show_yuan(least)} 至 {show_yuan(most)} 元",
    )
    return made


@transaction.atomic
def remove_norm(*, campaign: Campaign, norm: Norm, by: Actor) -> None:
    """A norm that was a mistake. Refused while a plan it may hold for is locked or archived."""
    require_office(by)
    _lock_arrangements()
    found = Norm.objects.filter(pk=norm.pk).first()
    if found is None:
        raise WrongState("这条标准已被同事删除，请刷新页面。")
    _require_no_plan_from(found.valid_from)
    what = f"删除慰问金标准：{found.get_subject_display()}自 {found.valid_from:%Y-%m-%d} 起"
    what += f" {show_yuan(found.least)} 至 {show_yuan(found.most)} 元"
    found.delete()
    _campaign_note(campaign, by, what)


def _lock_arrangements() -> None:
    """Of all campaigns, in one order: no plan is locked by a norm that is just changing."""
    list(Arrangement.objects.select_for_update(no_key=True).order_by("pk").values_list("pk"))


def _require_no_plan_from(day: datetime.date) -> None:
    """What was locked was checked against the norms of its days; those days stay as they were."""
    under = (
        Destination.objects.exclude(delegation__state=State.PLANNING)
        .filter(Q(first_day__gte=day) | Q(last_day__gte=day) | Q(first_day=None))
        .select_related("delegation__campaign", "union")
        .order_by("campaign__year", "delegation__number")
        .first()
    )
    if under is not None:
        raise Refused(
            f"{under.delegation.campaign.year}年{under.delegation}已锁定，走访日期（{under.union.short_name}）在 {day:%Y-%m-%d} "
            "之后，标准不能再改。请把起始日期定在这些走访之后，或先解除锁定。"
        )


def _campaign_note(campaign: Campaign, by: Actor, what: str) -> None:
    PlanEvent.objects.create(campaign=campaign, by=by.person, acting_for=by.union, what=what[:500])
