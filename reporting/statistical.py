"""`StatisticalForm`: the abstract base of the official forms. The model is the form.

A form app declares one subclass: a typed field per indicator in printed order, named by its official
code, and the rules beside them. Everything else (entry page, checks, workflow, roll-up, Excel) is the
engine's and reads this declaration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from random import Random
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.db.models.base import ModelBase

from reporting.drafts.wording import Choice, Sentence, Share
from reporting.fields import Indicator
from reporting.rules import HARD, Rule, as_condition, sum_rule
from unions.gate import GatedManager


class FormDeclaration(ModelBase):
    """Writes the sealed rows' CHECK constraints into `Meta` from the declaration itself.

    They have to be in `Meta` before Django reads it, or they never reach a migration.
    """

    def __new__(mcs, name: str, bases: tuple[type, ...], attrs: dict[str, Any], **kwargs: Any) -> Any:
        meta = attrs.get("Meta")
        if meta is not None and not getattr(meta, "abstract", False) and not getattr(meta, "proxy", False):
            meta.constraints = [*getattr(meta, "constraints", ()), *_sealed_constraints(attrs)]
        return super().__new__(mcs, name, bases, attrs, **kwargs)


def _sealed_constraints(attrs: dict[str, Any]) -> list[models.CheckConstraint | models.UniqueConstraint]:
    slug = attrs["slug"]
    draft = Q(round__isnull=True)
    fields = {code: field for code, field in attrs.items() if isinstance(field, Indicator)}
    checks = [
        models.CheckConstraint(
            name=f"{slug}_figures_not_negative",
            condition=Q(*[Q(**{f"{code}__gte": 0}) for code in fields]),
        )
    ]
    for code, field in fields.items():
        if field.of:
            rule = sum_rule(code, field.of)
            # A total whose row may be switched off in a campaign may be NULL when sealed; no other may.
            filled = Q() if field.printed == "no" else Q(**{f"{code}__isnull": False})
            adds_up = as_condition(["=", *rule.broken.tree[1:]])
            checks.append(
                models.CheckConstraint(name=f"{slug}_{rule.id}", condition=draft | (filled & adds_up))
            )
    checks += [
        models.CheckConstraint(name=f"{slug}_{rule.id}", condition=draft | ~as_condition(rule.broken.tree))
        for rule in attrs.get("rules", [])
        if rule.level == HARD
    ]
    return [
        *checks,
        models.UniqueConstraint(fields=["filing"], condition=draft, name=f"{slug}_one_working_row"),
        models.UniqueConstraint(fields=["round", "scope"], name=f"{slug}_one_row_per_round_and_scope"),
    ]


class StatisticalForm(models.Model, metaclass=FormDeclaration):
    """One row of figures: a filing's working copy (`round` empty) or a sealed row of one round.

    `invalid` keeps what was typed and is not a figure ({"E1": "12a"}); `touched` names the totals a
    person typed, the others follow their parts. The ids of campaign, county, city and province are
    copied into the row so that any total is one scan grouped by one integer column; `counted` is true
    for sealed rows of filings that stand approved.
    """

    class Scope(models.TextChoices):
        OWN = "own", "本级"
        TOTAL = "total", "合计"

    filing = models.ForeignKey("reporting.Filing", models.CASCADE, related_name="%(class)s_rows")
    round = models.ForeignKey("reporting.Round", models.CASCADE, null=True, related_name="%(class)s_rows")
    scope = models.CharField(max_length=5, choices=Scope.choices, default=Scope.OWN)
    counted = models.BooleanField(default=False)
    campaign = models.ForeignKey("reporting.Campaign", models.CASCADE, related_name="+")
    province = models.ForeignKey("unions.Union", models.PROTECT, null=True, related_name="+", db_index=False)
    city = models.ForeignKey("unions.Union", models.PROTECT, null=True, related_name="+", db_index=False)
    county = models.ForeignKey("unions.Union", models.PROTECT, null=True, related_name="+", db_index=False)
    invalid = models.JSONField(default=dict, blank=True)
    touched = models.JSONField(default=list, blank=True)
    saved_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[GatedManager[Self]] = GatedManager("filing__union__path")

    slug: ClassVar[str]
    number: ClassVar[int]
    title: ClassVar[str]
    attachment: ClassVar[str]
    sections: ClassVar[dict[int, str]] = {}
    rules: ClassVar[list[Rule]] = []
    # What the figures say in the draft of the 送温暖报告, by chapter; and the shares that the province's shows.
    report_sentences: ClassVar[Mapping[str, Sequence[Sentence | Choice]]] = {}
    report_shares: ClassVar[Sequence[Share]] = ()

    class Meta:
        abstract = True

    @staticmethod
    def made_figures(kind: str, size: int, random: Random) -> dict[str, str]:
        """Figures for the demonstration: texts to type into every cell that is not a total."""
        raise NotImplementedError

    @classmethod
    @cache
    def fields(cls) -> dict[str, Indicator]:
        """Code → field, in printed order."""
        return {f.name: f for f in cls._meta.get_fields() if isinstance(f, Indicator)}

    @classmethod
    @cache
    def all_rules(cls) -> tuple[Rule, ...]:
        """The sums in printed order, then the declared rules."""
        sums = [sum_rule(code, field.of) for code, field in cls.fields().items() if field.of]
        return (*sums, *cls.rules)

    @classmethod
    def parent_of(cls, code: str) -> str | None:
        """The total a row is a part of, or belongs to by its code (D1 of form 2 is part of D)."""
        for total, field in cls.fields().items():
            if code in field.of:
                return total
        stem = code.rstrip("0123456789")
        return stem if stem != code and stem in cls.fields() else None

    @property
    def figures(self) -> dict[str, int | None]:
        return {code: getattr(self, code) for code in self.fields()}

    def text(self, code: str) -> str:
        """What stands in the cell: what was typed and is no figure, or the figure as people write it."""
        typed: str | None = self.invalid.get(code)
        return self.fields()[code].show(getattr(self, code)) if typed is None else typed

    def follow_parts(self, off: frozenset[str] = frozenset()) -> set[str]:
        """Let every untouched total equal its parts; inner totals first. Returns the codes that changed."""
        changed = set()
        for code in self.totals_inside_out():
            if code in self.touched or code in self.invalid or code in off:
                continue
            parts = [getattr(self, part) for part in self.fields()[code].of if part not in off]
            filled = [part for part in parts if part is not None]
            figure = sum(filled) if filled else None
            if figure != getattr(self, code):
                setattr(self, code, figure)
                changed.add(code)
        return changed

    @classmethod
    @cache
    def totals_inside_out(cls) -> tuple[str, ...]:
        """Totals ordered so that each comes after the totals among its own parts."""
        order: list[str] = []

        def visit(code: str) -> None:
            for part in cls.fields()[code].of:
                if cls.fields()[part].of:
                    visit(part)
            if code not in order:
                order.append(code)

        for code, field in cls.fields().items():
            if field.of:
                visit(code)
        return tuple(order)
