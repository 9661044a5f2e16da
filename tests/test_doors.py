"""Every address × everybody who may knock, derived from the resolver: an address that is not listed fails.

哈尔滨's filing is the row behind each door. Whoever acts for a union outside hears 404, whoever is inside
without the role 403, whoever is not logged in is asked to log in.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, reverse

from reporting.aggregation import make_summary
from reporting.models import AggregationRun, BatchFile, Export, Import, ImportBatch, Message, Scan
from reporting.sheets import sheet_for
from reporting.urls import urlpatterns
from tests.workflow.stage import Stage, make_stage
from unions.gate import Role

F, S, R, A, U = Role.FILLER, Role.SUBMITTER, Role.REVIEWER, Role.ADMINISTRATOR, Role.AUDITOR
OWN = {("harbin", role) for role in (F, S, R, A, U)}
ABOVE = {("province", R), ("province", A), ("province", U)}
TREE = {("harbin", role) for role in Role} | {("province", role) for role in Role}
EVERYBODY = TREE | {("outsider", F), ("outsider", R)}
# Roles of attachment 3 open nothing here; their own doors are in tests/delegations.
TRAVELLERS = {(place, role) for place in ("harbin", "province") for role in (Role.LIAISON, Role.LEADER)}
WATCHERS = EVERYBODY - TRAVELLERS - {("harbin", F), ("province", F), ("outsider", F)}
DIRECTORS = {("province", R), ("province", A), ("province", U)}
CLERK = {("province", A)}
ADMINISTRATORS = {("harbin", A), ("province", A)}
FILLERS = {("harbin", F), ("harbin", S)}
JUDGE = {("province", R)}

# name → (method, who gets past the gate). Past the gate anything but 403 and 404 may follow.
DOORS: dict[str, tuple[str, set[tuple[str, Role]]]] = {
    "my_work": ("get", EVERYBODY),
    "messages": ("get", EVERYBODY),
    "open_message": ("get", {("harbin", F)}),
    "filing": ("get", OWN | {("province", U)}),
    "form_page": ("get", OWN | {("province", U)}),
    "save_cells": ("post", FILLERS),
    "explain": ("post", FILLERS),
    "save_head": ("post", FILLERS),
    "report_page": ("get", OWN | {("province", U)}),
    "upload_report": ("post", FILLERS),
    "download_report": ("get", OWN | ABOVE),
    "submit": ("post", {("harbin", S)}),
    "withdraw": ("post", {("harbin", S)}),
    "filing_template": ("get", OWN | {("province", U)}),
    "filing_workbook": ("get", OWN | ABOVE),
    "report_draft": ("get", OWN | {("province", U)}),
    "filing_pdf": ("get", OWN | ABOVE),
    "filing_paper": ("get", OWN | ABOVE),
    "upload_scan": ("post", FILLERS),
    "scan": ("get", OWN | ABOVE),
    "check_code": ("get", EVERYBODY - TRAVELLERS),
    "filing_import": ("get", FILLERS),
    "import_preview": ("get", FILLERS),
    "import_confirm": ("post", FILLERS),
    "import_drop": ("post", FILLERS),
    "history": ("get", OWN | ABOVE),
    "sheet_json": ("get", EVERYBODY),  # wording and rules of a public form, nobody's figures
    "review_queue": ("get", {("harbin", R), ("province", R), ("outsider", R)}),
    "review_page": ("get", OWN | ABOVE),
    "add_remark": ("post", JUDGE),
    "send_back": ("post", JUDGE),
    "approve": ("post", JUDGE),
    "reopen": ("post", JUDGE),
    "campaigns": ("get", WATCHERS),
    "progress": ("get", WATCHERS),
    "campaign_settings": ("get", CLERK),
    "clone_campaign": ("get", CLERK),
    "sheet_rows": ("get", CLERK),
    "extension": ("get", CLERK),
    "batches": ("get", CLERK),
    "blank_templates": ("get", CLERK),
    "batch": ("get", CLERK),
    "batch_file": ("get", CLERK),
    "batch_confirm": ("post", CLERK),
    "batch_drop": ("post", CLERK),
    "people_import": ("get", ADMINISTRATORS),
    "people_import_template": ("get", ADMINISTRATORS),
    "people_import_confirm": ("post", ADMINISTRATORS),
    "unions_import": ("get", ADMINISTRATORS),
    "unions_import_template": ("get", ADMINISTRATORS),
    "unions_import_confirm": ("post", ADMINISTRATORS),
    "summaries": ("get", DIRECTORS),
    "aggregate": ("post", CLERK),
    "run_progress": ("get", DIRECTORS),
    "summary": ("get", DIRECTORS),
    "matrix": ("get", DIRECTORS),
    "parts": ("get", DIRECTORS),
    "summary_workbook": ("get", DIRECTORS),
    "summary_pdf": ("get", DIRECTORS),
    "summary_report": ("get", DIRECTORS),
    "exports": ("get", DIRECTORS),
    "export_progress": ("get", DIRECTORS),
    "export_again": ("post", DIRECTORS),
    "export_file": ("get", DIRECTORS),
    "send_to_mailbox": ("post", CLERK),
}
# Doors to one row: outside the subtree they do not exist.
ROWS = {
    name
    for name in DOORS
    if name.startswith(("filing", "form", "save", "explain", "report_page", "upload", "download", "submit"))
    or name
    in {
        "report_draft",
        "scan",
        "import_preview",
        "import_confirm",
        "import_drop",
        "withdraw",
        "history",
        "review_page",
        "add_remark",
        "send_back",
        "approve",
        "reopen",
        "extension",
    }
}
BODIES = {
    "save_cells": {"cells": []},
    "explain": {"rule": "sum_A", "text": "没有这一条"},
    "save_head": {"filler_name": "甲"},
}


def names() -> set[str]:
    return {pattern.name or "" for pattern in urlpatterns if isinstance(pattern, URLPattern)}


def test_every_address_is_listed() -> None:
    assert names() == set(DOORS)


@pytest.fixture
def stage(db: None) -> Stage:
    return make_stage()


@pytest.fixture
def behind(stage: Stage) -> dict[str, dict[str, Any]]:
    """The arguments of each address, all of them leading to 哈尔滨's filing or its campaign's summary."""
    filing = stage.approved(stage.tree.harbin)
    summary = make_summary(stage.campaign)
    run = AggregationRun.objects.create(campaign=stage.campaign, key="demand:1")
    mail = Message.objects.create(person=stage.actor(stage.tree.harbin, F).person, text="试", link="/")
    scan = Scan.objects.create(
        round=filing.current_round,
        number=1,
        file="scans/none.pdf",
        name="扫描件.pdf",
        kind="pdf",
        size=1,
        sha256="0" * 64,
        by=stage.actor(stage.tree.harbin, F).person,
    )
    said = {"forms": {}, "notes": [], "head": {}}
    by = stage.actor(stage.tree.province, A).person
    kept, kept_of_batch = (
        Import.objects.create(filing=filing, name="a.xlsx", sha256="", content=said, by=by) for _ in range(2)
    )
    batch = ImportBatch.objects.create(
        campaign=stage.campaign, name="一批", state="preview", by=by, acting_for=stage.tree.province
    )
    BatchFile.objects.create(batch=batch, position=0, name="a.xlsx", state="understood", kept=kept_of_batch)
    wanted = {"forms": ["warmth"], "unions": [], "names": [], "level": "units", "cities": False}
    export = Export.objects.create(summary=summary, wanted=wanted, digest="0" * 64, requested_by=by)
    campaign = {"pk": stage.campaign.pk}
    special: dict[str, dict[str, Any]] = {
        "open_message": {"pk": mail.pk},
        "download_report": {"pk": filing.current_report_id},
        "sheet_json": {
            "campaign_pk": stage.campaign.pk,
            "slug": "warmth",
            "digest": sheet_for(stage.campaign, "warmth").digest,
        },
        "run_progress": {"pk": run.pk},
        "summary": {"pk": summary.pk, "slug": "warmth"},
        "matrix": {"pk": summary.pk, "slug": "warmth"},
        "parts": {"pk": summary.pk, "slug": "warmth", "code": "A"},
        "summary_workbook": {"pk": summary.pk},
        "summary_pdf": {"pk": summary.pk},
        "summary_report": {"pk": summary.pk},
        "exports": {"pk": summary.pk},
        "scan": {"pk": scan.pk},
        "check_code": {},
        "batch": {"pk": batch.pk},
        "batch_file": {"pk": batch.pk, "position": 0},
    }
    for name in ("import_preview", "import_confirm", "import_drop"):
        special[name] = {"pk": kept.pk}
    for name in ("export_progress", "export_again", "export_file"):
        special[name] = {"pk": export.pk}
    for name in ("batch_confirm", "batch_drop"):
        special[name] = {"pk": batch.pk}
    for what in ("people", "unions"):
        for name in (f"{what}_import", f"{what}_import_template", f"{what}_import_confirm"):
            special[name] = {}
    for name in ("my_work", "messages", "review_queue", "campaigns"):
        special[name] = {}
    for name in ("form_page", "save_cells", "explain"):
        special[name] = {"pk": filing.pk, "slug": "warmth"}
    for name in (
        "progress",
        "campaign_settings",
        "clone_campaign",
        "sheet_rows",
        "batches",
        "blank_templates",
        "summaries",
        "aggregate",
        "send_to_mailbox",
    ):
        special[name] = campaign
    return {name: special.get(name, {"pk": filing.pk}) for name in DOORS}


def knock(client: Client, name: str, arguments: dict[str, Any]) -> int:
    method, _ = DOORS[name]
    url = reverse(name, kwargs=arguments)
    if method == "get":
        return client.get(url).status_code
    if name in BODIES:
        return client.post(url, BODIES[name], content_type="application/json").status_code
    return client.post(url, {"round": "1"}).status_code


SHARES = 6  # so that several workers can knock at once; together they are all doors


@pytest.mark.usefixtures("drawn_once")
@pytest.mark.parametrize("share", range(SHARES))
def test_everybody_meets_the_door_that_is_theirs(
    stage: Stage, behind: dict[str, dict[str, Any]], share: int
) -> None:
    wrong = []
    clients = {knocker: Client() for knocker in EVERYBODY}
    for (place, role), client in clients.items():
        client.force_login(stage.actor(getattr(stage.tree, place), role).person)
    for name in list(DOORS)[share::SHARES]:
        welcome = DOORS[name][1]
        for (place, role), client in clients.items():
            status = knock(client, name, behind[name])
            seen = str(status) if status in (401, 403, 404, 405) or status >= 500 else "in"
            if (place, role) in welcome:
                expected = "in"
            elif name == "open_message" or (place == "outsider" and name in ROWS):
                expected = "404"
            else:
                expected = "403"
            if seen != expected:
                wrong.append(f"{name}: {place} {role} hears {status}, not {expected}")
    assert not wrong, "\n".join(wrong)


def test_whoever_is_not_logged_in_is_asked_to(behind: dict[str, dict[str, Any]]) -> None:
    for name, arguments in behind.items():
        assert knock(Client(), name, arguments) in (302, 401), name
