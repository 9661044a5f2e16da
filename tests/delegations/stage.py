"""The stage for tests of attachment 3: the cast of the tree, two delegations, a liaison and a leader for each.

第1慰问组  哈尔滨 → 大庆油田      liaison 联络员甲, leader 带队领导甲
第2慰问组  齐齐哈尔               liaison 联络员乙, leader 带队领导乙
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

from delegations import norms
from delegations.models import Arrangement, Delegation, Destination, FundSource, PersonalData, Visit
from delegations.personal.households import put
from delegations.plans import COMPOSITION_FIELDS
from reporting.models import Campaign
from tests.cast import UnionTree, make_union_tree, person
from unions.gate import Actor, Role
from unions.models import Union

FIRST, LAST = datetime.date(2020, 12, 25), datetime.date(2021, 2, 11)
NAME = "张三丰"  # a figure of legend, not a person
IDENTITY_NUMBER = "11010519491231002X"  # the example of GB 11643 itself


@dataclass
class PlanStage:
    tree: UnionTree
    campaign: Campaign
    first: Delegation
    second: Delegation
    actors: dict[str, Actor] = field(default_factory=dict)

    def actor(self, union: Union, role: Role, name: str = "") -> Actor:
        """One person a role and union, the same every time."""
        name = name or f"{union.short_name}{role.label}"
        if name not in self.actors:
            made = person(union, role, name=name)
            self.actors[name] = Actor(person=made, union=union, roles=frozenset({role}))
        return self.actors[name]

    @property
    def office(self) -> Actor:
        return self.actor(self.tree.province, Role.ADMINISTRATOR)

    @property
    def reader(self) -> Actor:
        return self.actor(self.tree.province, Role.REVIEWER)

    @property
    def liaison(self) -> Actor:
        return self.actor(self.tree.province, Role.LIAISON, "联络员甲")

    @property
    def other_liaison(self) -> Actor:
        return self.actor(self.tree.province, Role.LIAISON, "联络员乙")

    @property
    def leader(self) -> Actor:
        return self.actor(self.tree.province, Role.LEADER, "带队领导甲")

    @property
    def host(self) -> Actor:
        """Somebody of the visited union 哈尔滨."""
        return self.actor(self.tree.harbin, Role.FILLER)

    @property
    def outsider(self) -> Actor:
        """Somebody of a union that another delegation visits."""
        return self.actor(self.tree.outsider, Role.FILLER)

    def at(self, union: Union) -> Destination:
        return Destination.objects.select_related("union", "delegation__campaign").get(union=union)

    @property
    def harbin(self) -> Destination:
        return self.at(self.tree.harbin)

    def sources(self) -> list[FundSource]:
        return list(FundSource.objects.filter(campaign=self.campaign))

    def visit(self, kind: str, destination: Destination | None = None) -> Visit:
        visits = Visit.objects.select_related("destination__delegation__campaign", "destination__union")
        return visits.filter(destination=destination or self.harbin, kind=kind).order_by("position", "id")[0]

    def lock(self, delegation: Delegation | None = None) -> Delegation:
        """Straight into the state; the way there is tested elsewhere."""
        delegation = delegation or self.first
        Delegation.objects.filter(pk=delegation.pk).update(state=Delegation.State.LOCKED)
        delegation.refresh_from_db()
        return delegation


def make_plan_stage(*, full: bool = True) -> PlanStage:
    """With `full` every destination is planned without a problem: locking succeeds at once."""
    tree = make_union_tree()
    campaign = Campaign.objects.create(
        title="2021年元旦春节送温暖活动",
        notice_number="黑工办发〔2020〕30号",
        year=2021,
        data_year=2020,
        opens_at=datetime.datetime(2020, 12, 17, tzinfo=datetime.UTC),
        deadline=datetime.datetime(2021, 1, 27, 15, 59, 59, tzinfo=datetime.UTC),
        visits_from=FIRST,
        visits_until=LAST,
    )
    Arrangement.objects.create(campaign=campaign)
    norms.seed(datetime.date(2020, 12, 17), "黑工办发〔2020〕30号")
    FundSource.objects.bulk_create(
        FundSource(campaign=campaign, name=name, position=position)
        for position, name in enumerate(("2020年助困送温暖资金", "两节送温暖资金"))
    )
    stage = PlanStage(
        tree,
        campaign,
        Delegation(campaign=campaign, number=1, member_units=["办公室", "权益保障部"]),
        Delegation(campaign=campaign, number=2, member_units=["组织部"]),
    )
    for delegation, letter, places in (
        (stage.first, "甲", (tree.harbin, tree.daqing_oilfield)),
        (stage.second, "乙", (tree.outsider,)),
    ):
        liaison = stage.actor(tree.province, Role.LIAISON, f"联络员{letter}").person
        leader = stage.actor(tree.province, Role.LEADER, f"带队领导{letter}").person
        delegation.liaison, delegation.liaison_name = liaison, liaison.name
        delegation.leader, delegation.leader_name = leader, leader.name
        delegation.save()
        for position, union in enumerate(places):
            made = Destination(delegation=delegation, campaign=campaign, union=union, position=position)
            if full:
                fill(made, position)
            else:
                made.save()
    return stage


AMOUNTS = {
    Visit.Kind.ENTERPRISE: (4_000_000, "operating", "演示机械厂"),
    Visit.Kind.GRASSROOTS: (2_000_000, "police", "演示派出所"),
    Visit.Kind.ON_SITE: (200_000, "national", "演示劳模"),
    Visit.Kind.HOUSEHOLD: (200_000, "worker", ""),
}


def fill(destination: Destination, number: int = 0) -> None:
    """Dates, people, and the five visits of the notice at their norms."""
    destination.first_day = datetime.date(2021, 1, 5) + datetime.timedelta(days=2 * number)
    destination.last_day = destination.first_day + datetime.timedelta(days=1)
    destination.travellers = 4
    destination.contact_name, destination.contact_phone = "当地联系人", "0451-50000000"
    destination.save()
    source = FundSource.objects.filter(campaign=destination.campaign)[0]
    kinds = [*AMOUNTS, Visit.Kind.HOUSEHOLD]
    # Together: a stage is built a thousand times.
    visits = Visit.objects.bulk_create(
        Visit(
            destination=destination,
            kind=kind,
            category=AMOUNTS[kind][1],
            name=AMOUNTS[kind][2],
            money=AMOUNTS[kind][0],
            source=source,
            position=position,
        )
        for position, kind in enumerate(kinds, 1)
    )
    for visit in visits:
        if visit.kind == Visit.Kind.HOUSEHOLD:
            put(
                PersonalData(visit=visit),
                {"name": NAME, "telephone": "13800000000", "identity_number": IDENTITY_NUMBER},
            )


assert set(AMOUNTS) == set(COMPOSITION_FIELDS)
