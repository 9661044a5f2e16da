"""What the database keeps sealed about a household: opening it, masking it, keeping it out of other texts.

Nothing else touches `PersonalData`'s columns. Who may do what with them is said in `personal`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.views.decorators.debug import sensitive_variables

from delegations.models import PersonalData, Visit
from delegations.sealing import Unreadable, newest_version, seal, unseal, version_of

UNREADABLE = "（密钥不可用，暂时无法读取）"


def _place(data: PersonalData, field: str) -> str:
    return f"delegations.personaldata:{data.visit_id}:{field}"


@sensitive_variables()
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


def reseal(data: PersonalData) -> None:
    """With the newest key. Raises Unreadable when one of the facts can't be opened; nothing is changed then."""
    put(data, {f: unseal(getattr(data, f), place=_place(data, f)) for f in PersonalData.FIELDS})


def read(data: PersonalData) -> dict[str, str]:
    """Everything in clear. Never for a page: pages use `masked`, or `personal.reveal` with its record."""
    return {field: read_field(data, field) for field in PersonalData.FIELDS}


def read_field(data: PersonalData, field: str) -> str:
    """In clear; UNREADABLE when its key is not there or the bytes were changed."""
    try:
        return unseal(getattr(data, field), place=_place(data, field))
    except Unreadable:
        return UNREADABLE


# -- masks -------------------------------------------------------------------------------------------------


def masked(visit: Visit) -> dict[str, str]:
    """What anybody who sees the visit may read: 张＊＊, 138****78, …, 已填写; empty where nothing is kept."""
    data = getattr(visit, "personal", None)
    if data is None:
        return dict.fromkeys(PersonalData.FIELDS, "")
    return {field: _mask(field, read_field(data, field)) for field in PersonalData.FIELDS}


def masked_name(visit: Visit) -> str:
    data = getattr(visit, "personal", None)
    return _mask("name", read_field(data, "name")) if data is not None else ""


def _mask(field: str, text: str) -> str:
    """Shows less the shorter a text is: whoever sees a mask must not be able to complete it."""
    if not text or text == UNREADABLE:
        return text
    if field == "name":
        return text[0] + "＊" * min(2, len(text) - 1) if len(text) > 1 else "＊"
    if field == "telephone":
        return f"{text[:3]}****{text[-2:]}" if len(text) >= 11 else "****"
    if field == "identity_number":
        return f"{'*' * (len(text) - 4)}{text[-4:]}" if len(text) >= 15 else "****"
    if field == "address":
        return f"{text[:6]}****" if len(text) > 12 else "****"
    return "已填写"


# -- other texts -------------------------------------------------------------------------------------------

# Identity numbers of 18 and 15 characters, mobile numbers.
_NUMBER = re.compile(r"(?<!\d)(?:\d{17}[\dXx]|\d{15}|1[3-9]\d{9})(?!\d)")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s\-]+(?=\d)")


@sensitive_variables()
def require_discreet(text: str, facts: Mapping[str, str]) -> None:
    """Refuse a text about a household that tells who it is: reasons and records are read by more people than
    `facts` may be, and the audit repeats them. Raises ValidationError; the sentence doesn't repeat anything.
    """
    plain = _BETWEEN_DIGITS.sub("", unicodedata.normalize("NFKC", text))
    told = [
        label for field, label in PersonalData.LABELS.items() if _tells(plain, field, facts.get(field, ""))
    ]
    if not told and _NUMBER.search(plain):
        told = ["电话或证件号码"]
    if told:
        raise ValidationError(
            f"这段文字里有{'、'.join(told)}，没有保存。家庭信息只登记在“家庭信息”里，这里请写“该职工”“该户”。"
        )


def _tells(plain: str, field: str, fact: str) -> bool:
    # An illness is often the very difficulty that is to be described.
    if field == "illness" or not fact or fact == UNREADABLE:
        return False
    fact = _BETWEEN_DIGITS.sub("", unicodedata.normalize("NFKC", fact))
    # "王" alone stands in many words.
    least = {"name": 2, "address": 6}.get(field, 7)
    return len(fact) >= least and fact.upper() in plain.upper()


def facts_of(visit: Visit) -> dict[str, str]:
    """What is kept about a household, for `require_discreet`."""
    data = getattr(visit, "personal", None)
    return read(data) if data is not None else {}
