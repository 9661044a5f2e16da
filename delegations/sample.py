"""The demonstration of attachment 3: the eight delegations of 2021 planned, locked and recorded, the coming ones begun.

Everything goes through the real actions, at pinned days of the winter of 2020/21. Whoever and whatever is visited
is made (演示数据); the accounts are named by their role, never by the people whom the notice prints.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping

from django.db import transaction

from delegations import planning, proposals, recording
from delegations.cloning import clone_delegations
from delegations.models import Delegation, Destination, FundSource, PlanEvent, Visit
from delegations.personal import disclosure
from delegations.sample_files import file_materials
from delegations.saving import Saved, save_plan, save_record
from delegations.typed import show
from reporting.clock import pinned
from reporting.filling import Change
from reporting.models import Campaign, Message, Outbox
from reporting.sample import SHANGHAI, YEAR, account
from unions.gate import Actor, Role
from unions.models import Union

PHONE = "0451-00000000"
# Chosen from GB 11643, which prints it as its example: nobody's number.
IDENTITY_NUMBER = "11010519491231002X"
FIRST_DAY = datetime.date(YEAR - 1, 12, 28)
PLANNED_AT = datetime.datetime(YEAR - 1, 12, 21, 9, 0, tzinfo=SHANGHAI)
LOCKED_AT = datetime.datetime(YEAR - 1, 12, 24, 15, 30, tzinfo=SHANGHAI)
ARCHIVED_AT = datetime.datetime(YEAR, 2, 18, 10, 0, tzinfo=SHANGHAI)
OVER = datetime.datetime(YEAR, 3, 1, tzinfo=SHANGHAI)

TRADES = ("机械厂", "木业公司", "粮油公司", "乳品厂", "纺织厂", "建材公司", "客运公司", "农机厂", "印刷厂")
NUMBERS = "甲乙丙丁戊己庚辛壬癸"
ON_SITE = ("national", "provincial", "craftsman", "front_line", "cadre", "anti_epi")
MADE = "演示数据："

Rows = Mapping[Destination | Visit, Mapping[str, str]]


def play() -> Campaign:
    """Play what nobody has touched yet. Each campaign is one transaction: a stop in the middle leaves nothing."""
    campaign = Campaign.objects.get(year=YEAR)
    with transaction.atomic():
        if _is_untouched(campaign):
            _play_2021(campaign)
    coming = Campaign.objects.filter(year__gt=YEAR, is_sample=True).order_by("year").first()
    if coming is not None:
        with transaction.atomic():
            if _is_untouched(coming):
                _play_coming(campaign, coming)
    return campaign


def _is_untouched(campaign: Campaign) -> bool:
    """Every action leaves an event, also one that a visitor has taken back since."""
    return not PlanEvent.objects.filter(campaign=campaign).exists()


# -- who acts ----------------------------------------------------------------------------------------------


def _root() -> Union:
    return Union.objects.get(parent=None)


def _actor(union: Union, role: Role, username: str = "") -> Actor:
    return Actor(account(union, role, username), union, frozenset([role]))


def office() -> Actor:
    return _actor(_root(), Role.ADMINISTRATOR)


def liaison(number: int) -> Actor:
    return _actor(_root(), Role.LIAISON, f"第{number}慰问组联络员")


def leader(number: int) -> Actor:
    return _actor(_root(), Role.LEADER, f"第{number}慰问组带队领导")


def host(destination: Destination) -> Actor:
    return _actor(destination.union, Role.FILLER)


def _give_accounts(delegation: Delegation) -> None:
    """Names stay as the notice prints them."""
    planning.set_head(
        delegation=delegation,
        by=office(),
        leader_name=delegation.leader_name,
        member_units=delegation.member_units,
        liaison_name=delegation.liaison_name,
        liaison_phone=PHONE,
        leader=leader(delegation.number).person,
        liaison=liaison(delegation.number).person,
    )


# -- the winter of 2020/21 ---------------------------------------------------------------------------------


def _play_2021(campaign: Campaign) -> None:
    campaign.is_sample = True
    campaign.save()
    delegations = list(Delegation.objects.filter(campaign=campaign))
    for delegation in delegations:
        with pinned(PLANNED_AT + datetime.timedelta(hours=delegation.number)):
            _give_accounts(delegation)
            _plan(delegation)
        with pinned(LOCKED_AT + datetime.timedelta(minutes=5 * delegation.number)):
            delegation.refresh_from_db()
            planning.lock_plan(delegation=delegation, revision=delegation.revision, by=office())
    for delegation in delegations:
        _record(delegation)
    archived = next((d for d in delegations if d.number == 3), None)
    if archived is not None:
        with pinned(ARCHIVED_AT):
            archived.refresh_from_db()
            recording.archive(
                delegation=archived,
                reason=MADE + "哈铁没有媒体报道",
                revision=archived.revision,
                by=office(),
            )
    # The visits are long over: nobody's inbox is full of them, no e-mail about them waits.
    Outbox.objects.filter(sent_at=None, created_at__lt=OVER).update(sent_at=OVER)
    Message.objects.filter(read_at=None, at__lt=OVER).update(read_at=OVER)


def _destinations(delegation: Delegation) -> list[Destination]:
    return list(delegation.destinations.select_related("union", "delegation__campaign"))


def _visits(destination: Destination) -> list[Visit]:
    visits = destination.visits.filter(standing__in=(Visit.Standing.PLANNED, Visit.Standing.UNPLANNED))
    return list(visits.select_related("destination__union", "destination__delegation__campaign"))


def _plan(delegation: Delegation) -> None:
    by = liaison(delegation.number)
    for position, destination in enumerate(_destinations(delegation)):
        if delegation.number == 1 and position == 0:
            _accept(destination, by)
        if delegation.number == 1 and position == 1:
            _decline(destination, by)
        planning.complete_visits(destination=destination, by=by)
        first = FIRST_DAY + datetime.timedelta(days=2 * delegation.number + 4 * position)
        rows: dict[Destination | Visit, Mapping[str, str]] = {
            destination: {
                "first_day": f"{first}",
                "last_day": f"{first + datetime.timedelta(days=1)}",
                "travellers": "4",
                "contact_name": "当地联系人",
                "contact_phone": PHONE,
                "note": MADE + "上午走访企业和基层单位，下午入户",
            }
        }
        seed = 3 * delegation.number + position
        for visit in _visits(destination):
            rows[visit] = _planned(visit, seed)
        for row, values in _exceptions(destination).items():
            rows[row] = {**rows[row], **values}
        _type(save_plan, delegation, by, rows)
        _households(destination, by)


def _planned(visit: Visit, seed: int) -> dict[str, str]:
    """A visit at its norm; what a proposal already says stays."""
    sources = list(FundSource.objects.filter(campaign=visit.destination.campaign_id))
    place = visit.destination.union.short_name
    kinds = Visit.CATEGORIES[visit.kind]
    category = visit.category or kinds[seed % len(kinds)]
    values = {"category": category}
    if visit.kind == Visit.Kind.ENTERPRISE:
        amount, source = 30_000 + 10_000 * (seed % 3), sources[0]
        values["name"] = f"{place}演示{TRADES[seed % len(TRADES)]}"
    elif visit.kind == Visit.Kind.GRASSROOTS:
        amount, source = 20_000, sources[0]
        values["name"] = f"{place}演示{'派出所' if category == Visit.Category.POLICE else '环卫站'}"
    else:
        amount, source = 2_000, sources[-1]
        values["name"] = f"演示{Visit.Category(category).label}{NUMBERS[seed % 10]}"
    values |= {"money": str(amount), "source_id": str(source.pk)}
    if category == Visit.Category.FRONT_LINE:
        # On duty over the festival: goods of the value the notice allows.
        values |= {"money": "", "goods": "1000", "goods_text": "米面油"}
    if visit.name or visit.kind == Visit.Kind.HOUSEHOLD:
        del values["name"]
    return values


def _exceptions(destination: Destination) -> Rows:
    """What departs from the norms and is explained: on the department's list, and no obstacle to locking."""
    visits = {visit.kind: visit for visit in reversed(_visits(destination))}
    enterprise, household = visits[Visit.Kind.ENTERPRISE], visits[Visit.Kind.HOUSEHOLD]
    rows: dict[str, Rows] = {
        "牡丹江": {
            enterprise: {"money": "60000", "amount_reason": MADE + "停产放假的职工较多，适当提高"},
        },
        "双鸭山": {enterprise: {"is_hard_hit": "1", "category": "capacity", "money": "100000"}},
        "鸡西": {household: {"money": "3000", "amount_reason": MADE + "一户有两名困难职工"}},
        "伊春": {destination: {"travellers": "8", "travellers_reason": MADE + "两个成员单位同行"}},
    }
    return rows.get(destination.union.short_name, {})


def _accept(destination: Destination, by: Actor) -> None:
    made = proposals.propose(
        destination=destination,
        kind=Visit.Kind.GRASSROOTS,
        category=Visit.Category.SANITATION,
        name=f"{destination.union.short_name}演示环卫站",
        why=MADE + "冬季清雪任务重，职工坚守岗位",
        by=host(destination),
    )
    proposals.answer(visit=made, accept=True, text=MADE + "已列入计划", by=by)


def _decline(destination: Destination, by: Actor) -> None:
    made = proposals.propose(
        destination=destination,
        kind=Visit.Kind.ENTERPRISE,
        category=Visit.Category.OPERATING,
        name=f"{destination.union.short_name}演示商贸公司",
        why=MADE + "职工收入下降较多",
        by=host(destination),
    )
    proposals.answer(visit=made, accept=False, text=MADE + "每地走访一家企业，已有安排", by=by)


def _households(destination: Destination, by: Actor) -> None:
    households = [v for v in _visits(destination) if v.kind == Visit.Kind.HOUSEHOLD]
    for number, visit in enumerate(households):
        values = {
            "name": f"演示户{NUMBERS[number]}",
            "telephone": "13800000000",
            "identity_number": IDENTITY_NUMBER,
            "address": f"{MADE}{destination.union.short_name}某小区",
            "illness": MADE + "慢性病，长期服药" if number else "",
        }
        disclosure.write(visit=visit, values=values, by=by)


# -- after the visits --------------------------------------------------------------------------------------


def _record(delegation: Delegation) -> None:
    by = liaison(delegation.number)
    for destination in _destinations(delegation):
        assert destination.first_day and destination.last_day  # planned above
        evening = datetime.datetime.combine(destination.last_day, datetime.time(19, 0), SHANGHAI)
        with pinned(evening + datetime.timedelta(days=1)):
            place = destination.union.short_name
            if place == "齐齐哈尔":
                planning.add_visit(destination=destination, kind=Visit.Kind.ON_SITE, by=by)
            rows: dict[Destination | Visit, Mapping[str, str]] = {destination: _found(destination)}
            for visit in _visits(destination):
                rows[visit] = _done(visit, place)
            _type(save_record, delegation, by, rows)
        with pinned(evening + datetime.timedelta(days=3)):
            if delegation.number == 3 or place in ("哈尔滨", "大庆"):
                file_materials(destination, by, with_coverage=place != "哈铁")


def _found(destination: Destination) -> dict[str, str]:
    return {
        "went_from": f"{destination.first_day}",
        "went_until": f"{destination.last_day}",
        "participants": "带队领导、联络员和成员单位 2 人",
        "spirit": MADE + "通过宣讲、座谈学习贯彻会议精神，责任制落实到基层，当地党政支持工会开展送温暖。",
        "centres": MADE + "帮扶中心窗口正常开放，乡镇、街道设服务站，困难职工档案按月更新。",
        "practice": MADE + "把慰问与政策宣传、就业援助放在一起做。",
    }


def _done(visit: Visit, place: str) -> dict[str, str]:
    """As planned, except where the demonstration shows a difference and its reason."""
    destination = visit.destination
    if visit.standing == Visit.Standing.UNPLANNED:
        sources = FundSource.objects.filter(campaign=destination.campaign_id)
        return {
            "category": "anti_epi",
            "name": "演示防疫卡口值守职工",
            "outcome": "done",
            "happened_on": f"{destination.last_day}",
            "paid_money": "2000",
            "paid_source_id": str(sources[len(sources) - 1].pk),
            "difference_reason": MADE + "途经防疫卡口，现场慰问值守职工",
        }
    if place == "大兴安岭" and visit.kind == Visit.Kind.HOUSEHOLD and visit == _visits(destination)[-1]:
        return {"outcome": "not_done", "difference_reason": MADE + "当日不在家，由当地工会另行送达"}
    values = {
        "outcome": "done",
        "happened_on": f"{destination.first_day}",
        "paid_money": show(visit, "money"),
        "paid_goods": show(visit, "goods"),
        "paid_goods_text": visit.goods_text,
    }
    if visit.kind == Visit.Kind.ENTERPRISE:
        values |= {
            "difficulties": MADE + "订单减少，流动资金紧张，部分职工轮岗。",
            "wishes": MADE + "希望落实稳岗返还，帮助对接订单。",
            "good_practice": MADE + "企业与职工协商，不裁员，轮岗培训。",
        }
        if place == "齐齐哈尔":
            values["paid_money"] = str(int(values["paid_money"]) - 5_000)
            values["difference_reason"] = MADE + "企业已获其他渠道救助，按实际困难减付"
    if visit.kind == Visit.Kind.HOUSEHOLD:
        values |= {
            "happened_on": f"{destination.last_day}",
            "difficulties": MADE + "家庭收入低，医疗支出较大。",
            "wishes": MADE + "希望子女就近就业。",
        }
    return values


# -- the coming festival -----------------------------------------------------------------------------------


def _play_coming(closed: Campaign, coming: Campaign) -> None:
    """A plan in progress for the first delegation, with something wrong of every sort; the others are empty."""
    if not Delegation.objects.filter(campaign=coming).exists():
        # Cloned by a version that did not know of delegations.
        clone_delegations(Campaign, source=closed, made=coming)
    for delegation in Delegation.objects.filter(campaign=coming):
        _give_accounts(delegation)
    first = Delegation.objects.filter(campaign=coming).first()
    if first is None:
        return
    by = liaison(first.number)
    destinations = _destinations(first)
    start = (coming.visits_from or datetime.date(coming.year - 1, 12, 25)) + datetime.timedelta(days=11)
    day = datetime.timedelta(days=1)
    whole, begun = destinations[0], destinations[1] if len(destinations) > 1 else None
    planning.complete_visits(destination=whole, by=by)
    rows: dict[Destination | Visit, Mapping[str, str]] = {
        whole: {
            "first_day": f"{start}",
            "last_day": f"{start + day}",
            "travellers": "4",
            "contact_name": "当地联系人",
            "contact_phone": PHONE,
        }
    }
    for visit in _visits(whole):
        rows[visit] = _planned(visit, 1)
        if visit.kind == Visit.Kind.ENTERPRISE:
            rows[visit] = {**rows[visit], "money": "60000"}  # above the norm, and nobody has said why
    _households(whole, by)
    if begun is not None:
        planning.complete_visits(destination=begun, by=by)
        # Begins before the first one is over.
        rows[begun] = {"first_day": f"{start + day}", "last_day": f"{start + 2 * day}"}
        for visit in _visits(begun)[:2]:
            rows[visit] = _planned(visit, 2)
    _type(save_plan, first, by, rows)
    proposals.propose(
        destination=whole,
        kind=Visit.Kind.ON_SITE,
        category=Visit.Category.CRAFTSMAN,
        name="演示工匠乙",
        why=MADE + "带徒传艺，当年评为工匠",
        by=host(whole),
    )


# -- typing ------------------------------------------------------------------------------------------------


def _type(save: Callable[..., Saved], delegation: Delegation, by: Actor, rows: Rows) -> None:
    changes = [
        Change(f"{row._meta.model_name}:{row.pk}:{name}", show(row, name), text)
        for row, values in rows.items()
        for name, text in values.items()
    ]
    saved = save(delegation=delegation, changes=changes, by=by)
    if saved.refused or saved.conflicts:
        raise RuntimeError(f"演示数据与规则不符：{saved.refused or saved.conflicts}")
