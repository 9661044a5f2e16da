"""Personal data of households: who writes them, who may see them in full and for what reason, new keys.

Pages show masks (`households.masked`). Who asks for more, when, for whom and why is written first.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from delegations.access import require
from delegations.models import Delegation, PersonalData, Unmasking, Visit
from delegations.personal.households import (
    UNREADABLE,
    put,
    read,
    read_field,
    require_discreet,
    require_not_told,
    reseal,
)
from delegations.personal.sealing import Unreadable, newest_version
from delegations.planning import required
from delegations.saving import lock_delegation, note, still, touch
from delegations.typed import clean
from reporting.errors import Refused, WrongState
from unions.gate import Actor

LIMITS = {"name": 30, "telephone": 30, "identity_number": 18, "address": 200, "illness": 500}


def _parse(field: str, text: str) -> str:
    text = clean(text)
    if field in ("telephone", "identity_number"):
        text = unicodedata.normalize("NFKC", text)  # １３８ is 138
    if len(text) > LIMITS[field]:
        raise ValidationError(f"{PersonalData.LABELS[field]}最多 {LIMITS[field]} 个字，现有 {len(text)} 个。")
    if field == "identity_number" and text:
        text = text.upper()
        if not _is_identity_number(text):
            raise ValidationError("身份证号不正确：须为 18 位且校验位相符，请核对。")
    if field == "telephone" and text and not (set(text) <= set("0123456789-+ 转") and len(text) >= 7):
        raise ValidationError("电话不正确，请填如 13800000000 或 0451-50000000。")
    return text


def _is_identity_number(text: str) -> bool:
    """GB 11643-1999: seventeen digits and a check character."""
    if len(text) != 18 or not text.isascii() or not text[:17].isdigit() or text[17] not in "0123456789X":
        return False
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(d) * w for d, w in zip(text, weights, strict=False)) % 11] == text[17]


# Outermost: an error report then hides the variables of everything below, `atomic`'s arguments among them.
@sensitive_variables()
@transaction.atomic
def write(*, visit: Visit, values: Mapping[str, str], by: Actor) -> list[str]:
    """Fill in a household's data: only the fields named in `values`, "" clears one. The labels that changed.

    While the plan is open by who plans, after that by who records: an illness is often learned at the door.
    Raises ValidationError by field.
    """
    delegation = lock_delegation(visit.destination.delegation_id)
    require(by, "plan", delegation)
    if delegation.state == Delegation.State.ARCHIVED:
        raise WrongState(f"{delegation}已归档，不能再改。确需更正的，请省总工会管理员重新打开。")
    visit = still(Visit.objects.select_related("destination__union"), visit.pk)
    if visit.kind != Visit.Kind.HOUSEHOLD:
        raise Refused("只有入户慰问的对象才登记家庭信息。")
    if visit.standing == Visit.Standing.DECLINED:
        raise WrongState("这条建议未采纳，不再登记家庭信息。")
    errors, clear = {}, {}
    for field in PersonalData.FIELDS:
        if field in values:
            try:
                clear[field] = _parse(field, values[field])
            except ValidationError as problem:
                errors[field] = problem.messages
    if errors:
        raise ValidationError(errors)
    data = PersonalData.objects.select_for_update().filter(visit=visit).first() or PersonalData(visit=visit)
    _require_its_keys(data, clear)
    changed = {f: text for f, text in clear.items() if read_field(data, f) != text}
    if not changed:
        return []
    require_not_told(visit, changed)
    put(data, changed)
    labels = [PersonalData.LABELS[field] for field in changed]
    note(
        delegation, by, f"{visit.destination.union.short_name} 入户慰问：填写家庭信息（{'、'.join(labels)}）"
    )
    touch(delegation)
    return labels


@sensitive_variables()
def _require_its_keys(data: PersonalData, clear: Mapping[str, str]) -> None:
    """Next to facts that don't open nothing new is sealed: the key in use is perhaps a wrong one, and what it
    sealed would be lost the day the right one is put back. Clearing is always possible."""
    stuck = [f for f in PersonalData.FIELDS if clear.get(f) != "" and read_field(data, f) == UNREADABLE]
    if stuck and any(clear.values()):
        labels = "、".join(PersonalData.LABELS[f] for f in stuck)
        raise Refused(
            f"已登记的{labels}现在无法解密，为免新填的内容以后也读不出，没有保存。"
            "请联系系统管理员检查密钥；确认原内容不要的，可先清除再填。"
        )


@transaction.atomic
def reveal(*, visit: Visit, reason: str, by: Actor) -> dict[str, str]:
    """Everything about one household in clear, after the asking is recorded."""
    require(by, "reveal", visit.destination.delegation)
    reason = required(reason, "查看家庭信息")
    data = PersonalData.objects.filter(visit=visit).first()
    if data is None:
        raise Refused("这一户还没有登记家庭信息。")
    require_discreet(visit.destination.delegation, reason, about_household=True)
    _record([visit], Unmasking.Way.PAGE, reason, by)
    return read(data)


@transaction.atomic
def reveal_for_export(*, visits: Iterable[Visit], reason: str, by: Actor) -> dict[int, dict[str, str]]:
    """The households' data for an export somebody chose explicitly; one record a household. By visit id.

    `visits` come with `destination__delegation` and `personal`; households without data are left out.
    """
    with_data = [v for v in visits if v.kind == Visit.Kind.HOUSEHOLD and hasattr(v, "personal")]
    for visit in with_data:
        require(by, "reveal", visit.destination.delegation)
    reason = required(reason, "导出家庭信息")
    for delegation in {visit.destination.delegation for visit in with_data}:
        require_discreet(delegation, reason, about_household=True)
    _record(with_data, Unmasking.Way.EXPORT, reason, by)
    return {visit.pk: read(visit.personal) for visit in with_data}


def _record(visits: Iterable[Visit], way: str, reason: str, by: Actor) -> None:
    Unmasking.objects.bulk_create(
        Unmasking(
            visit=visit,
            destination=visit.destination,
            delegation=visit.destination.delegation,
            by=by.person,
            way=way,
            reason=reason,
        )
        for visit in visits
    )


def rotate(batch: int = 200) -> int:
    """Seal with the newest key what still needs an older one; how many households.

    Each batch is a transaction of its own: a stop in the middle loses nothing, a second run goes on. A
    household that doesn't open holds up no other: Unreadable is raised, naming them, when all else is done.
    """
    done, last, stuck = 0, 0, []
    while True:
        with transaction.atomic():
            # Waits for whoever is writing one of them: what was skipped would need the old key after all.
            rows = list(
                PersonalData.objects.select_for_update()
                .filter(key_version__lt=newest_version(), pk__gt=last)
                .order_by("pk")[:batch]
            )
            for data in rows:
                try:
                    reseal(data)
                    done += 1
                except Unreadable as problem:
                    stuck.append(f"走访对象 {data.pk}：{problem}")
        if len(rows) < batch:
            break
        last = rows[-1].pk
    if stuck:
        shown = "；".join(stuck[:5]) + ("……" if len(stuck) > 5 else "")
        raise Unreadable(f"已重新加密 {done} 户，另有 {len(stuck)} 户打不开（{shown}）")
    return done
