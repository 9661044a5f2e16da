"""慰问金标准: which norm a visit falls under and what it says of an amount. Notice 黑工办发〔2020〕30号 [五].

Enterprises 3 to 5 万元, especially hard-hit ones 10 万元, grassroots units 2 万元, workers in difficulty, model
workers, craftsmen, posted cadres and epidemic front-line workers 2 000 元, on duty over the festival 1 000 元.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from delegations.models import Norm, Visit
from delegations.money import show_yuan

SEEDS = (
    # (subject, least, most in 元, unit)
    (Norm.Subject.ENTERPRISE, 30_000, 50_000, "家"),
    (Norm.Subject.HARD_HIT, 100_000, 100_000, "家"),
    (Norm.Subject.GRASSROOTS, 20_000, 20_000, "个"),
    (Norm.Subject.PERSON, 2_000, 2_000, "户"),
    (Norm.Subject.ON_DUTY, 1_000, 1_000, "人"),
)


def subject_of(kind: str, category: str, is_hard_hit: bool) -> Norm.Subject:
    """The norm's subject of a visit. A front-line worker met at the post over the festival is on duty."""
    if kind == Visit.Kind.ENTERPRISE:
        return Norm.Subject.HARD_HIT if is_hard_hit else Norm.Subject.ENTERPRISE
    if kind == Visit.Kind.GRASSROOTS:
        return Norm.Subject.GRASSROOTS
    return Norm.Subject.ON_DUTY if category == Visit.Category.FRONT_LINE else Norm.Subject.PERSON


@dataclass(frozen=True)
class Norms:
    """All norms, newest first within a subject; `in_force` asks for a day."""

    rows: tuple[Norm, ...]

    @classmethod
    def load(cls) -> Norms:
        return cls(tuple(Norm.objects.order_by("subject", "-valid_from")))

    def in_force(self, subject: str, day: datetime.date) -> Norm | None:
        return next((n for n in self.rows if n.subject == subject and n.valid_from <= day), None)

    def on(self, day: datetime.date) -> dict[str, Norm]:
        found = {str(subject): self.in_force(subject, day) for subject in Norm.Subject}
        return {subject: norm for subject, norm in found.items() if norm}


def bounds(norm: Norm) -> str:
    """`30,000 至 50,000 元`, or `2,000 元`."""
    if norm.least == norm.most:
        return f"{show_yuan(norm.most)} 元"
    return f"{show_yuan(norm.least)} 至 {show_yuan(norm.most)} 元"


def off_by(norm: Norm | None, amount: int | None) -> str:
    """`低于标准 5,000 元`; empty for an amount (分) that keeps to its norm. static/js/plan-money.js says the same."""
    if norm is None or amount is None or norm.least <= amount <= norm.most:
        return ""
    if amount < norm.least:
        return f"低于标准 {show_yuan(norm.least - amount)} 元"
    return f"超过标准 {show_yuan(amount - norm.most)} 元"


def departure(norm: Norm | None, amount: int | None) -> str:
    """How an amount (分) departs from its norm, as a sentence; empty when it keeps to it."""
    off = off_by(norm, amount)
    if not off or norm is None:
        return ""
    return f"{show_yuan(amount)} 元，{norm.get_subject_display()}每{norm.unit}标准 {bounds(norm)}，{off}"


def seed(valid_from: datetime.date, basis: str) -> int:
    """The notice's norms, where the subject has none yet; how many were made."""
    have = set(Norm.objects.values_list("subject", flat=True))
    made = Norm.objects.bulk_create(
        Norm(subject=s, valid_from=valid_from, least=low * 100, most=high * 100, unit=unit, basis=basis)
        for s, low, high, unit in SEEDS
        if s not in have
    )
    return len(made)


def applies_on(days: Iterable[datetime.date | None], otherwise: datetime.date) -> datetime.date:
    """The day whose norm counts: the first known one."""
    return next((day for day in days if day), otherwise)
