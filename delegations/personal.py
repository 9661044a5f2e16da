"""Personal data of households: sealed in the database, masked on pages, shown in full only for a reason.

Nothing else reads or writes `PersonalData`'s columns. Who asks, when, for what and why is written first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.core.exceptions import ValidationError
from django.db import transaction

from delegations.access import require
from delegations.models import Delegation, PersonalData, Unmasking, Visit
from delegations.planning import required
from delegations.saving import lock_delegation, note, touch
from delegations.sealing import Unreadable, newest_version, seal, unseal, version_of
from delegations.typed import clean
from reporting.errors import Refused, WrongState
from unions.gate import Actor

LIMITS = {"name": 30, "telephone": 30, "identity_number": 18, "address": 200, "illness": 500}
UNREADABLE = "（密钥不可用，暂时无法读取）"


def _place(data: PersonalData, field: str) -> str:
    return f"delegations.personaldata:{data.visit_id}:{field}"


def put(data: PersonalData, values: Mapping[str, str]) -> PersonalData:
    """Seal `values` into their columns and save. The caller has checked who may."""
    for field, text in values.items():
        setattr(data, field, seal(text, place=_place(data, field)))
    data.key_version = min(
        (version_of(bytes(getattr(data, f))) for f in PersonalData.FIELDS if getattr(data, f)),
        default=newest_version(),
    )
    data.save()
    return data


def read(data: PersonalData) -> dict[str, str]:
    """Everything in clear. Never for a page: pages use `masked`, or `reveal` with its record."""
    return {field: _read(data, field) for field in PersonalData.FIELDS}


def _read(data: PersonalData, field: str) -> str:
    try:
        return unseal(getattr(data, field), place=_place(data, field))
    except Unreadable:
        return UNREADABLE


def masked(visit: Visit) -> dict[str, str]:
    """What anybody who sees the visit may read: 张＊＊, 138＊＊＊＊5678 without its middle, …"""
    data = getattr(visit, "personal", None)
    if data is None:
        return dict.fromkeys(PersonalData.FIELDS, "")
    return {field: _mask(field, _read(data, field)) for field in PersonalData.FIELDS}


def masked_name(visit: Visit) -> str:
    data = getattr(visit, "personal", None)
    return _mask("name", _read(data, "name")) if data is not None else ""


def _mask(field: str, text: str) -> str:
    if not text or text == UNREADABLE:
        return text
    if field == "name":
        return text[0] + "＊" * max(1, min(2, len(text) - 1))
    if field == "telephone":
        return f"{text[:3]}****{text[-2:]}" if len(text) >= 7 else "****"
    if field == "identity_number":
        return f"{'*' * (len(text) - 4)}{text[-4:]}" if len(text) >= 15 else "****"
    if field == "address":
        return f"{text[:6]}****" if len(text) > 10 else "****"
    return "已填写"


def _parse(field: str, text: str) -> str:
    text = clean(text)
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


@transaction.atomic
def write(*, visit: Visit, values: Mapping[str, str], by: Actor) -> None:
    """Fill in a household's data: only the fields named in `values`. Raises ValidationError by field.

    While the plan is open by who plans, after that by who records: an illness is often learned at the door.
    """
    delegation = lock_delegation(visit.destination.delegation_id)
    require(by, "plan", delegation)
    if delegation.state == Delegation.State.ARCHIVED:
        raise WrongState(f"{delegation}已归档，不能再改。确需更正的，请省总工会管理员重新打开。")
    visit = Visit.objects.select_related("destination__union").get(pk=visit.pk)
    if visit.kind != Visit.Kind.HOUSEHOLD:
        raise Refused("只有入户慰问的对象才登记家庭信息。")
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
    changed = {f: text for f, text in clear.items() if _read(data, f) != text}
    if not changed:
        return
    put(data, changed)
    labels = "、".join(PersonalData.LABELS[field] for field in changed)
    note(delegation, by, f"{visit.destination.union.short_name} 入户慰问：填写家庭信息（{labels}）")
    touch(delegation)


@transaction.atomic
def reveal(*, visit: Visit, reason: str, by: Actor) -> dict[str, str]:
    """Everything about one household in clear, after the asking is recorded."""
    require(by, "reveal", visit.destination.delegation)
    reason = required(reason, "查看家庭信息")
    data = PersonalData.objects.filter(visit=visit).first()
    if data is None:
        raise Refused("这一户还没有登记家庭信息。")
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
    _record(with_data, Unmasking.Way.EXPORT, required(reason, "导出家庭信息"), by)
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
    """Seal with the newest key what still needs an older one; how many rows. Raises Unreadable without the old key.

    Each batch is a transaction of its own: a stop in the middle loses nothing, a second run goes on.
    """
    done = 0
    while True:
        with transaction.atomic():
            rows = list(
                PersonalData.objects.select_for_update(skip_locked=True)
                .filter(key_version__lt=newest_version())
                .order_by("pk")[:batch]
            )
            for data in rows:
                put(data, {f: unseal(getattr(data, f), place=_place(data, f)) for f in PersonalData.FIELDS})
        done += len(rows)
        if len(rows) < batch:
            return done
