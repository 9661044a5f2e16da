"""当地建议: what a visited union proposes, and what the liaison makes of it."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Max
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from delegations.access import require
from delegations.models import Delegation, Destination, PersonalData, Visit
from delegations.personal.households import put, require_discreet, require_not_told
from delegations.planning import MOST_VISITS, required
from delegations.saving import lock_delegation, note, require_state, still, touch
from delegations.typed import clean
from reporting.clock import now
from reporting.errors import Refused, WrongState
from reporting.messaging import people_with, tell
from unions.gate import Actor, Role
from unions.models import Union

MOST_OPEN = 10  # unanswered proposals of one destination; the notice asks for five visits


@sensitive_variables()
@transaction.atomic
def propose(*, destination: Destination, kind: str, category: str, name: str, why: str, by: Actor) -> Visit:
    """A visit the place would welcome. A household's name is sealed at once."""
    delegation = lock_delegation(destination.delegation_id)
    require(by, "propose", delegation, destination)
    require_state(delegation, Delegation.State.PLANNING)
    destination = still(Destination.objects.select_related("union"), destination.pk)
    name, why = clean(name), clean(why)
    if kind not in Visit.Kind.values:
        raise Refused("请选择走访对象的类别。")
    if category not in Visit.CATEGORIES[kind]:
        raise Refused("请选择走访对象的类型。")
    if not 2 <= len(name) <= 60:
        raise Refused("请填写名称（2 至 60 个字）。")
    if not 4 <= len(why) <= 300:
        raise Refused(f"请写明建议理由（4 至 300 个字），现有 {len(why)} 个字。")
    visits = destination.visits.exclude(standing=Visit.Standing.DECLINED)
    if visits.filter(standing=Visit.Standing.PROPOSED).count() >= MOST_OPEN:
        raise Refused(f"已有 {MOST_OPEN} 条建议等待答复，请等联络员答复后再提。")
    if visits.count() >= MOST_VISITS:
        raise Refused(f"走访对象和建议已有 {MOST_VISITS} 个，不能再增加。")
    household = kind == Visit.Kind.HOUSEHOLD
    texts = (why,) if household else (name, why)
    require_discreet(delegation, *texts, destination=destination, about_household=household)
    if household:
        require_not_told(Visit(destination=destination, why=why), {"name": name})
    last = destination.visits.aggregate(last=Max("position"))["last"] or 0
    made = Visit.objects.create(
        destination=destination,
        kind=kind,
        category=category,
        name="" if household else name,
        standing=Visit.Standing.PROPOSED,
        position=last + 1,
        why=why,
        proposed_by=by.person,
        proposed_at=now(),
    )
    if household:
        put(PersonalData(visit=made), {"name": name})
    place = destination.union.short_name
    note(
        delegation, by, f"{place} 建议走访{made.get_kind_display()}" + (f"：{made.name}" if made.name else "")
    )
    touch(delegation)
    told = [delegation.liaison] if delegation.liaison else people_with(_root(), Role.ADMINISTRATOR)
    tell(
        told,
        f"{place}建议走访一个{made.get_kind_display()}，请答复。",
        reverse("delegation", args=[delegation.pk]),
    )
    return made


@transaction.atomic
def answer(*, visit: Visit, accept: bool, text: str, by: Actor) -> None:
    """采纳 makes it a planned visit; 不采纳 needs a reason, which the place can read."""
    delegation = lock_delegation(visit.destination.delegation_id)
    require(by, "answer", delegation)
    require_state(delegation, Delegation.State.PLANNING)
    visit = still(Visit.objects.select_related("destination__union", "proposed_by"), visit.pk)
    if visit.standing != Visit.Standing.PROPOSED:
        raise WrongState(f"这条建议已经答复过（{visit.get_standing_display()}），请刷新页面。")
    text = _words(text) if accept else required(text, "不采纳")
    require_discreet(delegation, text, about_household=visit.kind == Visit.Kind.HOUSEHOLD)
    visit.standing = Visit.Standing.PLANNED if accept else Visit.Standing.DECLINED
    visit.answered_by, visit.answered_at, visit.answer = by.person, now(), text
    visit.save()
    if not accept:
        # Nobody will go there: no reason to know who they are.
        PersonalData.objects.filter(visit=visit).delete()
    word = "采纳" if accept else "不采纳"
    place = visit.destination.union.short_name
    note(
        delegation,
        by,
        f"{place} {word}建议：{visit.get_kind_display()}" + (f" {visit.name}" if visit.name else ""),
        text,
    )
    touch(delegation)
    if visit.proposed_by is not None:
        tell(
            [visit.proposed_by],
            f"您建议走访的{visit.get_kind_display()}{'已采纳' if accept else '未采纳'}"
            + (f"：{text}" if text else "。"),
            reverse("destination", args=[visit.destination_id]),
        )


def _words(text: str) -> str:
    text = clean(text)
    if len(text) > 300:
        raise Refused(f"答复最多 300 个字，现有 {len(text)} 个。")
    return text


def _root() -> Union:
    return Union.objects.get(parent=None)
