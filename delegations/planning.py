"""What happens to a plan besides typing: delegations, destinations and visits come and go, plans are locked.

Every action locks the delegation's row (the arrangement's first where several delegations are concerned),
checks role and state, changes, and notes it, in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Max, QuerySet
from django.urls import reverse

from delegations.access import require, require_office
from delegations.models import (
    Arrangement,
    Delegation,
    Destination,
    PlanEvent,
    Visit,
)
from delegations.money import show_yuan
from delegations.personal.households import require_discreet
from delegations.plans import (
    COMPOSITION_FIELDS,
    MIN_REASON,
    Problem,
    Rulebook,
    over_ceiling,
    plans,
    problems_of,
)
from delegations.saving import lock_delegation, note, require_state, still, touch
from delegations.typed import clean, label_of
from reporting.errors import Refused
from reporting.messaging import tell
from reporting.models import Campaign
from unions.gate import Actor, Role
from unions.models import Person, Union

State = Delegation.State
MOST_VISITS = 40  # of one destination; the notice asks for five
MOST_DELEGATIONS = 99
MOST_UNIT = 60  # letters of a member unit's name


def lock_arrangement(campaign: Campaign) -> Arrangement:
    Arrangement.objects.get_or_create(campaign=campaign)
    return Arrangement.objects.select_for_update(no_key=True).get(campaign=campaign)


# -- the office arranges -----------------------------------------------------------------------------------


@transaction.atomic
def create_delegation(*, campaign: Campaign, by: Actor) -> Delegation:
    """The next delegation, empty. Raises PermissionDenied unless the office asks."""
    require_office(by)
    lock_arrangement(campaign)
    last = Delegation.objects.filter(campaign=campaign).aggregate(last=Max("number"))["last"] or 0
    if last >= MOST_DELEGATIONS:
        raise Refused(f"最多 {MOST_DELEGATIONS} 个慰问组。")
    made = Delegation.objects.create(campaign=campaign, number=last + 1)
    note(made, by, f"新建{made}")
    return made


@transaction.atomic
def remove_delegation(*, delegation: Delegation, by: Actor) -> None:
    """Only while it is planned and goes nowhere: what was planned is removed destination by destination."""
    delegation = lock_delegation(delegation.pk)
    require(by, "arrange", delegation)
    require_state(delegation, State.PLANNING)
    if delegation.destinations.exists():
        raise Refused(f"{delegation}还有走访单位，请先移除走访单位再删除。")
    if delegation.unmaskings.exists():
        raise Refused(f"{delegation}有查看家庭信息的记录，须留存备查，不能删除。")
    PlanEvent.objects.create(
        campaign_id=delegation.campaign_id, by=by.person, acting_for=by.union, what=f"删除{delegation}"
    )
    delegation.delete()


@transaction.atomic
def set_head(
    *,
    delegation: Delegation,
    by: Actor,
    leader_name: str,
    member_units: Iterable[str],
    liaison_name: str,
    liaison_phone: str,
    leader: Person | None,
    liaison: Person | None,
) -> None:
    """Who leads, who belongs to it, who arranges. Accounts must hold the post 联络员/带队领导 at the province."""
    delegation = lock_delegation(delegation.pk)
    require(by, "head", delegation)
    require_state(delegation, State.PLANNING, State.LOCKED)
    for person, role in ((leader, Role.LEADER), (liaison, Role.LIAISON)):
        if person is not None and not people_as(role).filter(pk=person.pk).exists():
            raise Refused(f"{person.name}没有省总工会“{role.label}”的任职，请先在“人员”中增加任职。")
    units = [unit for unit in map(clean, member_units) if unit]
    if too_long := next((unit for unit in units if len(unit) > MOST_UNIT), None):
        raise Refused(
            f"成员单位“{too_long[:20]}…”有 {len(too_long)} 个字，最多 {MOST_UNIT} 个。请每行写一个单位。"
        )
    replaced = delegation.liaison if delegation.liaison != liaison else None
    told = liaison if liaison is not None and liaison.pk != delegation.liaison_id else None
    new = {
        "leader_name": clean(leader_name) or (leader.name if leader else ""),
        "member_units": units,
        "liaison_name": clean(liaison_name) or (liaison.name if liaison else ""),
        "liaison_phone": clean(liaison_phone),
        "leader": leader,
        "liaison": liaison,
    }
    for name, value in new.items():
        old = getattr(delegation, name)
        if old != value:
            label = label_of(delegation, name)
            note(delegation, by, f"{label}：{_in_words(old)} → {_in_words(value)}")
            setattr(delegation, name, value)
    delegation.full_clean(exclude=["campaign"])
    delegation.save()
    touch(delegation)
    if told:
        tell(
            [told],
            f"您是{delegation.campaign.title}{delegation}的联络员，请{'编制走访计划' if delegation.state == State.PLANNING else '填写走访记录'}。",
            page_of(delegation),
        )
    if replaced:
        tell(
            [replaced],
            f"{delegation.campaign.title}{delegation}的联络员已改为{delegation.liaison_name or '他人'}，您不再办理。",
            reverse("delegations"),
        )


def people_as(role: Role) -> QuerySet[Person]:
    """Active people who hold a role at the province: whom a delegation can have as leader or liaison."""
    return Person.objects.filter(is_active=True, posts__union__parent=None, posts__role=role).distinct()


def _in_words(value: object) -> str:
    if isinstance(value, list):
        return "、".join(value) or "空"
    return str(value) if value else "空"


def free_unions(campaign: Campaign) -> list[Union]:
    """The active cities and industries that no delegation of the campaign visits yet."""
    return list(
        Union.objects.filter(is_active=True, parent__parent=None, parent__isnull=False).exclude(
            visited_as__campaign=campaign
        )
    )


@transaction.atomic
def add_destination(*, delegation: Delegation, union: Union, by: Actor) -> Destination:
    """The next destination. A union is visited by at most one delegation of a campaign."""
    lock_arrangement(delegation.campaign)
    delegation = lock_delegation(delegation.pk)
    require(by, "arrange", delegation)
    require_state(delegation, State.PLANNING)
    if union.parent is None or not union.parent.is_root or not union.is_active:
        raise Refused(f"{union.name}不是省总工会直接下级的在用单位，不能作为走访单位。")
    taken = (
        Destination.objects.select_related("delegation")
        .filter(campaign=delegation.campaign, union=union)
        .first()
    )
    if taken is not None:
        raise Refused(
            f"{union.short_name}已由{taken.delegation}走访，一个单位只由一个慰问组走访。"
            f"如要改由{delegation}走访，请先从{taken.delegation}中移除。"
        )
    last = delegation.destinations.aggregate(last=Max("position"))["last"]
    made = Destination.objects.create(
        delegation=delegation,
        campaign=delegation.campaign,
        union=union,
        position=0 if last is None else last + 1,
    )
    note(delegation, by, f"增加走访单位：{union.short_name}")
    touch(delegation)
    return made


@transaction.atomic
def remove_destination(*, destination: Destination, by: Actor) -> None:
    """With all that was planned there; the note says how much that was."""
    delegation = lock_delegation(destination.delegation_id)
    require(by, "arrange", delegation)
    require_state(delegation, State.PLANNING)
    destination = still(Destination.objects.select_related("union"), destination.pk)
    if destination.materials.exists():
        raise Refused(f"{destination}已有材料，不能移除。请先删除材料。")
    visits = list(destination.visits.all())
    if destination.is_recorded or any(visit.is_recorded for visit in visits):
        raise Refused(f"{destination}已有走访记录，须留存备查，不能移除。")
    amount = sum(visit.amount or 0 for visit in visits if visit.counts_in_plan)
    what = f"移除走访单位：{destination.union.short_name}（走访对象 {len(visits)} 个，计划 {show_yuan(amount)} 元）"
    destination.delete()
    note(delegation, by, what)
    touch(delegation)


@transaction.atomic
def order_destinations(*, delegation: Delegation, pks: list[int], by: Actor) -> None:
    """The order of the way. `pks` are all of the delegation's destinations."""
    delegation = lock_delegation(delegation.pk)
    require(by, "arrange", delegation)
    require_state(delegation, State.PLANNING)
    rows = {d.pk: d for d in delegation.destinations.select_related("union")}
    if set(pks) != set(rows) or len(pks) != len(rows):
        raise Refused("走访单位已被他人增减，顺序没有保存。请刷新页面后再排。")
    for position, pk in enumerate(pks):
        rows[pk].position = position
    Destination.objects.bulk_update(rows.values(), ["position"])
    note(delegation, by, "走访顺序：" + "、".join(rows[pk].union.short_name for pk in pks))
    touch(delegation)


# -- visits ------------------------------------------------------------------------------------------------


@transaction.atomic
def add_visit(*, destination: Destination, kind: str, by: Actor) -> Visit:
    """An empty visit at the end: planned while the plan is open, 临时增加 once it is locked."""
    delegation = lock_delegation(destination.delegation_id)
    unplanned = delegation.state == State.LOCKED
    require(by, "record" if unplanned else "plan", delegation)
    require_state(delegation, State.PLANNING, State.LOCKED)
    destination = still(Destination.objects.select_related("union"), destination.pk)
    made = _new_visit(destination, kind, Visit.Standing.UNPLANNED if unplanned else Visit.Standing.PLANNED)
    note(
        delegation,
        by,
        f"{destination.union.short_name} {'临时增加' if unplanned else '增加'}{made.get_kind_display()}",
    )
    touch(delegation)
    return made


def _new_visit(destination: Destination, kind: str, standing: str) -> Visit:
    if kind not in Visit.Kind.values:
        raise Refused("没有这一类走访对象，请刷新页面。")
    counted = destination.visits.aggregate(last=Max("position"))
    # Proposals are another's: however many there are, the delegation can still plan.
    ours = destination.visits.filter(standing__in=(Visit.Standing.PLANNED, Visit.Standing.UNPLANNED))
    if ours.count() >= MOST_VISITS:
        raise Refused(f"{destination.union.short_name}的走访对象已有 {MOST_VISITS} 个，不能再增加。")
    return Visit.objects.create(
        destination=destination, kind=kind, standing=standing, position=(counted["last"] or 0) + 1
    )


@transaction.atomic
def complete_visits(*, destination: Destination, by: Actor) -> int:
    """配齐: the empty visits that the notice's composition lacks; how many were added."""
    delegation = lock_delegation(destination.delegation_id)
    require(by, "plan", delegation)
    require_state(delegation, State.PLANNING)
    destination = still(Destination.objects.select_related("union"), destination.pk)
    rulebook = Rulebook.of(delegation.campaign)
    have = list(destination.visits.filter(standing=Visit.Standing.PLANNED).values_list("kind", flat=True))
    made = 0
    for kind in COMPOSITION_FIELDS:
        for _ in range(rulebook.wanted(kind) - have.count(kind)):
            _new_visit(destination, kind, Visit.Standing.PLANNED)
            made += 1
    if made:
        note(delegation, by, f"{destination.union.short_name} 按通知要求配齐走访对象，增加 {made} 个")
        touch(delegation)
    return made


@transaction.atomic
def remove_visit(*, visit: Visit, by: Actor) -> None:
    """A planned one while the plan is open, an unplanned one while records are."""
    delegation = lock_delegation(visit.destination.delegation_id)
    visit = still(Visit.objects.select_related("destination__union"), visit.pk)
    unplanned = visit.standing == Visit.Standing.UNPLANNED
    require(by, "record" if unplanned else "plan", delegation)
    require_state(delegation, State.LOCKED if unplanned else State.PLANNING)
    if visit.standing in (Visit.Standing.PROPOSED, Visit.Standing.DECLINED):
        raise Refused("当地的建议不能删除，请采纳或不采纳。")
    if not unplanned and visit.is_recorded:
        raise Refused(
            "这个走访对象已有走访记录，须留存备查，不能删除。没有走访的，请在记录中填“未走访”并说明原因。"
        )
    amount = visit.paid if unplanned else visit.amount
    what = f"{visit.destination.union.short_name} 删除{visit.get_kind_display()}"
    what += f"：{visit.name}" if visit.name else ""
    what += f"（{show_yuan(amount)} 元）" if amount else ""
    visit.delete()
    note(delegation, by, what)
    touch(delegation)


# -- moves -------------------------------------------------------------------------------------------------


def stopping(delegation: Delegation) -> list[Problem]:
    """What keeps a delegation's plan from being locked; sources over their ceiling among it."""
    campaign = delegation.campaign
    rulebook = Rulebook.of(campaign)
    everything = plans(Delegation.objects.filter(campaign=campaign))
    own = next(d for d in everything if d.pk == delegation.pk)
    return [p for p in problems_of(own, rulebook) if p.stops] + over_ceiling(everything, rulebook)


@transaction.atomic
def lock_plan(*, delegation: Delegation, revision: int, by: Actor) -> None:
    """锁定. `revision` is what the page had seen. Raises Refused with every problem that stops it."""
    lock_arrangement(delegation.campaign)  # ceilings concern all delegations: one is locked at a time
    delegation = lock_delegation(delegation.pk)
    require(by, "lock", delegation)
    require_state(delegation, State.PLANNING)
    require_seen(delegation, revision)
    problems = stopping(delegation)
    if problems:
        raise Refused(
            f"{delegation}的计划还不能锁定，有 {len(problems)} 处须先处理。",
            *(f"{p.where}：{p.sentence}" for p in problems),
        )
    proposals = Visit.objects.filter(
        destination__delegation=delegation, standing=Visit.Standing.PROPOSED
    ).count()
    if proposals:
        raise Refused(f"还有 {proposals} 条当地建议没有答复，请先采纳或不采纳。")
    move(delegation, by, State.LOCKED, "锁定计划")
    tell(
        concerned(delegation),
        f"{delegation.campaign.title}{delegation}的走访计划已锁定。",
        page_of(delegation),
    )


@transaction.atomic
def unlock_plan(*, delegation: Delegation, reason: str, by: Actor) -> None:
    """解除锁定, with a reason. Records already written stay."""
    delegation = lock_delegation(delegation.pk)
    require(by, "unlock", delegation)
    require_state(delegation, State.LOCKED)
    reason = required(reason, "解除锁定")
    require_discreet(delegation, reason)
    if Visit.objects.filter(destination__delegation=delegation, standing=Visit.Standing.UNPLANNED).exists():
        raise Refused("已有临时增加的走访记录，计划不能再解除锁定，否则计划与完成情况无法对照。")
    move(delegation, by, State.PLANNING, "解除锁定", reason)
    tell(
        concerned(delegation),
        f"{delegation.campaign.title}{delegation}的走访计划已解除锁定，请修改：{reason}",
        page_of(delegation),
    )


def required(reason: str, what: str) -> str:
    reason = clean(reason)
    if len(reason) < MIN_REASON:
        raise Refused(f"{what}须写明原因，不少于 {MIN_REASON} 个字。")
    if len(reason) > 300:
        raise Refused(f"{what}原因最多 300 个字，现有 {len(reason)} 个。")
    return reason


def require_seen(delegation: Delegation, revision: int) -> None:
    if delegation.revision != revision:
        last = delegation.events.select_related("by").first()
        who = f"{last.by.name}刚才" if last and last.by else "刚才有人"
        raise Refused(
            f"{delegation}的内容在您打开页面后又有变化（{who}：{last.what if last else ''}）。请看过现在的内容后再操作。"
        )


def move(delegation: Delegation, by: Actor, to: str, what: str, reason: str = "") -> None:
    delegation.state = to
    delegation.save(update_fields=["state"])
    note(delegation, by, what, reason)
    touch(delegation)


def concerned(delegation: Delegation) -> list[Person]:
    return [person for person in (delegation.liaison, delegation.leader) if person is not None]


def page_of(delegation: Delegation) -> str:
    return reverse("delegation", args=[delegation.pk])
