"""Every address of attachment 3 × everybody who may knock, derived from the resolver.

第1慰问组 and its destination 哈尔滨 are behind each door. At the province whoever belongs to another delegation hears
403 and whose it is; who has nothing to do with it hears 404; who may see it but not do this hears 403.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, reverse

from delegations.models import Material, Upload
from delegations.urls import urlpatterns
from tests.delegations.stage import PlanStage
from unions.gate import Actor, Role

AT_THE_PROVINCE = {"office", "reader", "auditor", "liaison", "leader", "other_liaison", "other_leader"}
PLAN_READERS = {"office", "reader", "auditor", "liaison", "leader"}
WRITERS = {"office", "liaison"}
OFFICE = {"office"}
EVERYBODY = AT_THE_PROVINCE | {"clerk", "host", "host_reviewer", "county", "outsider"}
HOSTS = {"host", "host_reviewer"}

# name → (method, who gets past the gate)
CAMPAIGN_DOORS: dict[str, tuple[str, set[str]]] = {
    "delegations": ("get", EVERYBODY),
    "delegation_board": ("get", AT_THE_PROVINCE),
    "delegation_account": ("get", AT_THE_PROVINCE),
    "delegation_workbook": ("get", AT_THE_PROVINCE),
    "delegation_settings": ("get", OFFICE),
    "new_delegation": ("post", OFFICE),
}
DELEGATION_DOORS: dict[str, tuple[str, set[str]]] = {
    "delegation": ("get", PLAN_READERS),
    "delegation_history": ("get", PLAN_READERS),
    "itinerary": ("get", PLAN_READERS),
    "delegation_calendar": ("get", PLAN_READERS),
    "materials_zip": ("get", PLAN_READERS),
    "save_plan": ("json", WRITERS),
    "delegation_head": ("get", OFFICE),
    "add_destination": ("post", OFFICE),
    "order_destinations": ("post", OFFICE),
    "remove_delegation": ("post", OFFICE),
    "lock_plan": ("post", OFFICE),
    "unlock_plan": ("post", OFFICE),
    "archive_delegation": ("post", OFFICE),
    "reopen_delegation": ("post", OFFICE),
}
DESTINATION_DOORS: dict[str, tuple[str, set[str]]] = {
    "destination": ("get", PLAN_READERS | HOSTS),
    "record": ("get", PLAN_READERS),
    "materials": ("get", PLAN_READERS),
    "household": ("get", PLAN_READERS),
    "material_file": ("get", PLAN_READERS | HOSTS),
    "material_thumbnail": ("get", PLAN_READERS | HOSTS),
    "propose_visit": ("post", {"host"}),
    "remove_destination": ("post", OFFICE),
    "add_visit": ("post", WRITERS),
    "complete_visits": ("post", WRITERS),
    "remove_visit": ("post", WRITERS),
    "answer_proposal": ("post", WRITERS),
    "save_record": ("json", WRITERS),
    "reveal_household": ("post", WRITERS),
    "create_upload": ("tus", WRITERS),
    "add_link": ("post", WRITERS),
    "remove_material": ("post", WRITERS),
}
OWN_DOORS: dict[str, tuple[str, set[str]]] = {"upload": ("head", {"liaison"})}
DOORS = CAMPAIGN_DOORS | DELEGATION_DOORS | DESTINATION_DOORS | OWN_DOORS


def expected(name: str, who: str) -> str:
    if who in DOORS[name][1]:
        return "in"
    if name in OWN_DOORS:
        return "404"
    if name in CAMPAIGN_DOORS or who in AT_THE_PROVINCE:
        return "403"
    return "403" if name in DESTINATION_DOORS and who in HOSTS else "404"


def test_every_address_is_listed() -> None:
    assert {p.name or "" for p in urlpatterns if isinstance(p, URLPattern)} == set(DOORS)


@pytest.fixture
def people(plan: PlanStage) -> dict[str, Actor]:
    tree = plan.tree
    return {
        "office": plan.office,
        "reader": plan.reader,
        "auditor": plan.actor(tree.province, Role.AUDITOR),
        "liaison": plan.liaison,
        "leader": plan.leader,
        "other_liaison": plan.other_liaison,
        "other_leader": plan.actor(tree.province, Role.LEADER, "带队领导乙"),
        "clerk": plan.actor(tree.province, Role.FILLER),
        "host": plan.host,
        "host_reviewer": plan.actor(tree.harbin, Role.REVIEWER),
        "county": plan.actor(tree.nangang, Role.SUBMITTER),
        "outsider": plan.outsider,
    }


@pytest.fixture
def behind(plan: PlanStage) -> dict[str, list[Any]]:
    harbin = plan.harbin
    material = Material(
        destination=harbin,
        kind="photo",
        name="照片.jpg",
        format="jpg",
        size=3,
        sha256="1" * 64,
        by=plan.liaison.person,
    )
    material.file.save("照片.jpg", ContentFile(b"abc"), save=False)
    material.thumbnail.save("照片.jpg", ContentFile(b"abc"), save=False)
    material.save()
    upload = Upload(destination=harbin, kind="photo", name="半.jpg", size=10, by=plan.liaison.person)
    upload.file.save("半.jpg", ContentFile(b""), save=False)
    upload.save()
    household = plan.visit("household")
    special = {
        "delegations": [],
        "upload": [upload.pk],
        "household": [household.pk],
        "reveal_household": [household.pk],
        "remove_visit": [plan.visit("grassroots").pk],
        "answer_proposal": [plan.visit("grassroots").pk],
        "material_file": [material.pk],
        "material_thumbnail": [material.pk],
        "remove_material": [material.pk],
    }
    for name in CAMPAIGN_DOORS:
        special.setdefault(name, [plan.campaign.pk])
    for name in DELEGATION_DOORS:
        special[name] = [plan.first.pk]
    for name in DESTINATION_DOORS:
        special.setdefault(name, [harbin.pk])
    return special


def knock(client: Client, name: str, arguments: list[Any]) -> int:
    method, url = DOORS[name][0], reverse(name, args=arguments)
    if method == "json":
        answer = client.post(url, {"fields": {}}, content_type="application/json")
    elif method == "tus":
        metadata = {"Tus-Resumable": "1.0.0", "Upload-Length": "0", "Upload-Metadata": "kind cGhvdG8="}
        answer = client.post(url, headers=metadata)
    elif method == "head":
        answer = client.head(url, headers={"Tus-Resumable": "1.0.0"})
    else:
        answer = client.get(url) if method == "get" else client.post(url, {})
    if answer.streaming:
        b"".join(answer.streaming_content)  # to its end, which closes the file
    return int(answer.status_code)


SHARES = 3  # so that several workers can knock at once; together they are all doors


@pytest.mark.usefixtures("drawn_once")
@pytest.mark.parametrize("share", range(SHARES))
def test_everybody_meets_the_door_that_is_theirs(
    share: int, plan: PlanStage, people: dict[str, Actor], behind: dict[str, list[Any]]
) -> None:
    wrong = []
    clients = {who: Client() for who in people}
    for who, client in clients.items():
        client.force_login(people[who].person)
    for name in sorted(DOORS)[share::SHARES]:
        # Behind the next door everything stands as before.
        with transaction.atomic():
            # Those who are let in last: what they do may close the door behind them.
            for who in sorted(people, key=lambda who: (who in DOORS[name][1], who)):
                status = knock(clients[who], name, behind[name])
                seen = str(status) if status in (401, 403, 404, 405) or status >= 500 else "in"
                if who in DOORS[name][1] and seen == "404" and name.startswith("remove"):
                    seen = "in"  # a colleague was let in before and has removed it
                if seen != expected(name, who):
                    wrong.append(f"{name}: {who} hears {status}, not {expected(name, who)}")
            transaction.set_rollback(True)
    assert not wrong, "\n".join(wrong)


def test_whoever_is_not_logged_in_is_asked_to(behind: dict[str, list[Any]]) -> None:
    for name, arguments in behind.items():
        assert knock(Client(), name, arguments) in (302, 401), name


def test_another_liaison_hears_whose_delegation_it_is(plan: PlanStage) -> None:
    client = Client()
    client.force_login(plan.other_liaison.person)
    answer = client.get(reverse("delegation", args=[plan.first.pk]))
    assert answer.status_code == 403
    assert "这是第1慰问组的内容" in answer.content.decode()
