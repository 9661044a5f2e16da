"""What the database keeps sealed about a household: opening it, masking it, keeping it out of other texts.

Nothing else opens or seals `PersonalData`'s columns. Who may do what with them is said in `personal`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cached_property

from django.core.exceptions import ValidationError
from django.views.decorators.debug import sensitive_variables

from delegations.models import Delegation, Destination, PersonalData, Visit
from delegations.personal.sealing import Unreadable, newest_version, seal, unseal, version_of
from delegations.typed import label_of
from reporting.errors import Refused

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
# What can only be an identity number: it begins with a province and has a day of birth. Names of photographs
# are full of other long numbers, and a contact's telephone is to be read.
_IDENTITY = re.compile(
    r"(?<!\d)(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|91)\d{4}"
    r"(?:(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]"
    r"|\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3})(?!\d)"
)
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s\-]+(?=\d)")
_BETWEEN_HAN = re.compile(r"(?<=[\u3400-\u9fff])[^\S\n]*[·•・‧]?[^\S\n]*(?=[\u3400-\u9fff])")

Facts = Mapping[str, str]


def _plain(text: str) -> str:
    """Without what hides a name or number from a search: widths, invisible characters, blanks in between."""
    text = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    return _BETWEEN_HAN.sub("", _BETWEEN_DIGITS.sub("", text)).upper()


@sensitive_variables()
def told(text: str, facts: Facts) -> list[str]:
    """The labels of the facts that a text gives away."""
    plain = _plain(text)
    return [label for f, label in PersonalData.LABELS.items() if _tells(plain, f, facts.get(f, ""))]


def _tells(plain: str, field: str, fact: str) -> bool:
    # An illness is often the very difficulty that is to be described.
    if field == "illness" or not fact or fact == UNREADABLE:
        return False
    fact = _plain(fact)
    # "王" alone stands in many words; an address without a number is perhaps a whole district.
    numbered = any(c.isdigit() for c in fact)
    least = {"name": 2, "address": 6 if numbered else 10}.get(field, 7)
    return len(fact) >= least and fact in plain


class Discretion:
    """Keeps who the households of a delegation are out of every other text: plans, records, reasons, messages and
    the audit are read by more people than may know. Facts are loaded and opened when the first text is looked at.
    """

    def __init__(self, delegation: Delegation, destination: Destination | None = None) -> None:
        """With `destination` only its households are known: others' would be told to whoever tries out names."""
        self._of = {"visit__destination": destination} if destination else {"visit__destination__delegation": delegation}  # fmt: skip

    @cached_property
    @sensitive_variables()
    def _households(self) -> list[Facts]:
        return [read(data) for data in PersonalData.objects.filter(**self._of)]

    @sensitive_variables()
    def require(self, text: str, *, about_household: bool = False) -> None:
        """Raises ValidationError; the sentence repeats nothing. A text about a household holds no telephone either."""
        if not text:
            return
        found = dict.fromkeys(label for facts in self._households for label in told(text, facts))
        if not found and (_NUMBER if about_household else _IDENTITY).search(_plain(text)):
            found = {"电话或证件号码": None} if about_household else {"身份证号": None}
        if found:
            raise ValidationError(
                f"这段文字里有{'、'.join(found)}，没有保存。家庭信息只登记在“家庭信息”里，这里请写“该职工”“该户”。",
                code=INDISCREET,
            )


INDISCREET = "indiscreet"


def require_discreet(
    delegation: Delegation, *texts: str, destination: Destination | None = None, about_household: bool = False
) -> None:
    """As `Discretion`, for actions. Raises Refused."""
    discretion = Discretion(delegation, destination)
    for text in texts:
        try:
            discretion.require(text, about_household=about_household)
        except ValidationError as problem:
            raise Refused(problem.messages[0]) from None


# What is written of a visit and its destination, where a household may have been named before it was registered.
_TEXTS_OF_VISIT = ("goods_text", "amount_reason", "note", "why", "answer", "paid_goods_text", "difference_reason",
    "difficulties", "wishes", "good_practice")  # fmt: skip
_TEXTS_OF_DESTINATION = ("contact_name", "contact_phone", "travellers_reason", "surplus_reason", "note", "participants",
    "spirit", "centres", "practice")  # fmt: skip


@sensitive_variables()
def require_not_told(visit: Visit, facts: Facts) -> None:
    """Refuse to register what already stands readable at the visit or its destination; says where. Raises Refused."""
    destination = visit.destination
    places: list[tuple[Visit | Destination, str, str]] = [(visit, name, "这一户") for name in _TEXTS_OF_VISIT]
    places += [(destination, name, destination.union.short_name) for name in _TEXTS_OF_DESTINATION]
    found = [
        f"{whose}的“{label_of(row, name)}”里有{'、'.join(labels)}"
        for row, name, whose in places
        if (labels := told(getattr(row, name), facts))
    ]
    if found:
        raise Refused(
            f"没有保存：{'；'.join(found)}。请先把那里改成“该职工”“该户”，姓名等只填在“家庭信息”里。"
        )
