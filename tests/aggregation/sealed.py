"""A province of any size, and filings sealed and approved the way the workflow does it, without the typing."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from reporting.fields import YesNoField
from reporting.filling import new_row
from reporting.models import Campaign, Event, Filing, Round
from reporting.registry import all_forms
from reporting.sheets import sheets_for
from reporting.statistical import StatisticalForm
from reporting.totals import add_figures
from tests.cast import actor, person
from unions.gate import Actor, Role
from unions.models import Person, Union

Figures = dict[str, dict[str, int | None]]
DEADLINE = datetime.datetime(2021, 1, 27, 23, 59, 59, tzinfo=timezone.get_default_timezone())


@dataclass
class Province:
    campaign: Campaign
    root: Union
    cities: list[Union]
    counties: dict[str, list[Union]]  # by the code of the city
    director: Person  # administrator, reviewer and auditor of the province
    clerk: Person  # filler of the province: may not see summaries
    submitted: datetime.datetime = DEADLINE - datetime.timedelta(days=3)
    filings: dict[str, Filing] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        return actor(self.director, self.root)

    @property
    def units(self) -> list[Union]:
        return [self.root, *self.cities]

    def approve_all(self, seed: int = 1, scale: int = 1000) -> dict[str, Figures]:
        """Everybody approved, counties before their cities. Returns the own figures by code of union."""
        random = Random(seed)
        own: dict[str, Figures] = {}
        for union in [*(c for below in self.counties.values() for c in below), *self.cities, self.root]:
            own[union.code] = made(self.campaign, random, scale)
            self.approve(union, own[union.code])
        return own

    def approve(self, union: Union, own: Mapping[str, Mapping[str, int | None]], **facts: Any) -> Filing:
        """Seal `own` and the totals with what stands approved below as the union's next round."""
        filing, _ = Filing.objects.get_or_create(campaign=self.campaign, union=union)
        below = [
            f
            for f in Filing.objects.filter(campaign=self.campaign, union__parent=union).select_related(
                "current_round", "union"
            )
            if f.state == Filing.State.APPROVED and not union.is_root
        ]
        number = filing.rounds.count() + 1
        is_late = facts.pop("is_late", False)
        round_ = Round.objects.create(
            filing=filing,
            number=number,
            submitted_at=facts.pop("submitted_at", self.submitted),
            submitted_by=self.clerk,
            is_late=is_late,
            union_name=union.name,
            digest=hashlib.sha256(repr((union.code, number, own)).encode()).hexdigest(),
            includes=[
                {"union": f.union.code, "round": f.current_round.number, "digest": f.current_round.digest}
                for f in below
                if f.current_round
            ],
            **{"head": {"filler_name": "张三", "filler_phone": "0451-1", "filled_on": "2021-01-20"}, **facts},
        )
        for sheet in sheets_for(self.campaign):
            sheet.form._default_manager.filter(filing=filing).update(counted=False)
            total = dict(own[sheet.slug])
            for row in sheet.form._default_manager.filter(
                round__in=[f.current_round_id for f in below], scope="total"
            ):
                total = add_figures(sheet, total, row.figures)
            for scope, figures in (("own", own[sheet.slug]), ("total", total)):
                seal(sheet.form, filing, round_, scope, figures)
        filing.current_round, filing.is_late, filing.state = round_, is_late, Filing.State.APPROVED
        filing.save()
        Event.objects.create(
            filing=filing,
            at=round_.submitted_at,
            by=self.director,
            move="approve",
            from_state=Filing.State.SUBMITTED,
            to_state=Filing.State.APPROVED,
            round=round_,
        )
        self.filings[union.code] = filing
        return filing

    def unapprove(self, union: Union) -> None:
        """As `reopen` leaves it."""
        filing = Filing.objects.get(campaign=self.campaign, union=union)
        for form in all_forms():
            form._default_manager.filter(round=filing.current_round_id).update(counted=False)
        filing.state = Filing.State.RETURNED
        filing.save()


def seal(
    form: type[StatisticalForm], filing: Filing, round_: Round, scope: str, figures: Mapping[str, int | None]
) -> None:
    row = new_row(form, filing, round=round_, scope=scope, counted=True)
    for code, figure in figures.items():
        setattr(row, code, figure)
    row.save()


def made(campaign: Campaign, random: Random, scale: int) -> Figures:
    """Own figures of one union that satisfy every hard rule; totals are the sums of their parts."""
    figures: Figures = {}
    for sheet in sheets_for(campaign):
        row = sheet.form()
        for code, indicator in sheet.fields.items():
            if not indicator.of:
                high = 1 if isinstance(indicator, YesNoField) else scale
                setattr(row, code, random.randint(0, high))
        if sheet.slug == "helpcenter":
            row.D = (row.D or 0) + (row.D1 or 0)
            row.J = row.J if row.I else 0
        row.follow_parts(sheet.off)
        figures[sheet.slug] = {code: getattr(row, code) for code in sheet.fields}
    return figures


def make_province(cities: int = 3, counties: Sequence[int] = ()) -> Province:
    """`counties[n]` of them below the n-th city; every unit has a filing that is still a draft."""
    kinds = Union.Kind
    root = Union.objects.create(
        code="230000", name="黑龙江省总工会", short_name="省总工会", kind=kinds.PROVINCE
    )
    made_cities = [
        Union.objects.create(
            code=f"23{n:02d}00",
            name=f"第{n}市总工会",
            short_name=f"第{n}市",
            kind=kinds.CITY,
            parent=root,
            position=n,
        )
        for n in range(1, cities + 1)
    ]
    below = {
        city.code: [
            Union.objects.create(
                code=f"{city.code[:4]}{n:02d}",
                name=f"{city.short_name}第{n}区总工会",
                short_name=f"第{n}区",
                kind=kinds.COUNTY,
                parent=city,
                position=n,
            )
            for n in range(1, count + 1)
        ]
        for city, count in zip(made_cities, counties, strict=False)
    }
    campaign = Campaign.objects.create(
        title="2021年元旦春节送温暖活动",
        notice_number="黑工办发〔2020〕30号",
        notice_title="关于2021年元旦春节期间组织开展送温暖活动的通知",
        year=2021,
        data_year=2020,
        opens_at=DEADLINE - datetime.timedelta(days=40),
        deadline=DEADLINE,
    )
    everybody = [root, *made_cities, *(county for some in below.values() for county in some)]
    Filing.objects.bulk_create(Filing(campaign=campaign, union=union) for union in everybody)
    return Province(
        campaign=campaign,
        root=root,
        cities=made_cities,
        counties=below,
        director=person(root, Role.ADMINISTRATOR, Role.REVIEWER, Role.AUDITOR),
        clerk=person(root, Role.FILLER, Role.SUBMITTER),
    )


def relabel(campaign: Campaign, form: str, code: str, label: str = "", *, off: bool = False) -> Campaign:
    """Change a row of the sheet as 表样核对 does; gives back the campaign as it reads now."""
    campaign.sheet_rows.update_or_create(form=form, code=code, defaults={"label": label, "is_off": off})
    Campaign.objects.filter(pk=campaign.pk).update(edition=F("edition") + 1)
    return Campaign.objects.get(pk=campaign.pk)


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside has never happened: one example of a property test after another."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
