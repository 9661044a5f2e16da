"""Who knocks at the pages of 哈尔滨市总工会's filing, and what they are told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from reporting.models import Round
from reporting.reports import store_report
from tests.cast import actor, person
from tests.entry.asking import save
from tests.entry.rounds import Scene
from tests.entry.test_entry_report import PDF
from unions.gate import Role
from unions.models import Person

SignIn = Callable[[Person], Client]
JSON = {"Accept": "application/json"}
PAGES = ["filing", "form_page", "report_page"]


def path(name: str, scene: Scene) -> str:
    return reverse(name, args=[scene.filing.pk, *(["warmth"] if name == "form_page" else [])])


def test_the_filler_saves_the_auditor_and_the_outsider_do_not(scene: Scene, sign_in: SignIn) -> None:
    cell = ("B", "", "7")
    assert save(sign_in(scene.filler), scene.filing, cell).status_code == 200
    assert save(sign_in(scene.auditor), scene.filing, cell).status_code == 403
    assert save(sign_in(scene.outsider), scene.filing, cell).status_code == 404
    assert save(Client(), scene.filing, cell).status_code == 401


def test_the_level_above_sees_no_draft_but_its_auditor_and_nobody_writes(
    scene: Scene, sign_in: SignIn
) -> None:
    reviewer = sign_in(person(scene.tree.province, Role.REVIEWER))
    auditor = sign_in(person(scene.tree.province, Role.AUDITOR))
    assert reviewer.get(path("form_page", scene)).status_code == 403
    assert auditor.get(path("form_page", scene)).status_code == 200
    assert save(auditor, scene.filing, ("B", "", "7")).status_code == 403
    assert save(reviewer, scene.filing, ("B", "", "7")).status_code == 403


def test_a_filler_of_the_level_above_has_nothing_to_see_below(scene: Scene, sign_in: SignIn) -> None:
    client = sign_in(person(scene.tree.province, Role.FILLER))
    assert client.get(path("form_page", scene)).status_code == 403


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_404_outside_and_lead_to_log_in_when_logged_out(
    name: str, scene: Scene, sign_in: SignIn
) -> None:
    assert sign_in(scene.outsider).get(path(name, scene)).status_code == 404
    answer = Client().get(path(name, scene))
    assert (answer.status_code, answer["Location"].startswith("/login/")) == (302, True)


def test_somebody_disabled_in_mid_session_gets_401(scene: Scene, sign_in: SignIn) -> None:
    client = sign_in(scene.filler)
    assert save(client, scene.filing, ("B", "", "7")).status_code == 200
    Person.objects.filter(pk=scene.filler.pk).update(is_active=False)
    answer = save(client, scene.filing, ("B", "7", "8"))
    assert answer.status_code == 401
    assert answer.json()["login"] == reverse("login")


def test_the_auditor_reads_a_table_without_inputs(scene: Scene, sign_in: SignIn) -> None:
    page = sign_in(scene.auditor).get(path("form_page", scene)).content.decode()
    table = page[page.index('id="sheet"') : page.index("</table>")]
    assert "<input" not in table and "<select" not in table


def test_only_the_leader_may_submit(scene: Scene, sign_in: SignIn) -> None:
    url = path("submit", scene)
    assert sign_in(scene.filler).post(url).status_code == 403
    assert sign_in(scene.filler).get(url, headers=JSON).status_code == 403
    assert sign_in(scene.outsider).post(url).status_code == 404
    assert sign_in(scene.leader).get(url, headers=JSON).json()["missing"] != []
    assert sign_in(scene.filler).post(path("withdraw", scene)).status_code == 403


def test_the_report_is_downloaded_by_its_union_and_those_above_only(scene: Scene, sign_in: SignIn) -> None:
    report = store_report(
        filing=scene.filing,
        upload=SimpleUploadedFile("报告.pdf", PDF),
        by=actor(scene.filler, scene.tree.harbin),
    )
    url = reverse("download_report", args=[report.pk])

    def status(client: Client) -> int:
        answer = client.get(url)
        if answer.streaming:
            b"".join(answer.streaming_content)  # type: ignore[attr-defined]  # to the end: closes the file
        return answer.status_code

    assert status(sign_in(scene.filler)) == 200
    reviewer = sign_in(person(scene.tree.province, Role.REVIEWER))
    assert status(reviewer) == 403, "not submitted yet"
    Round.objects.create(
        filing=scene.filing,
        number=1,
        submitted_at=report.at,
        submitted_by=scene.leader,
        digest="0",
        report=report,
    )
    assert status(reviewer) == 200
    assert status(sign_in(person(scene.tree.province, Role.FILLER))) == 403
    assert status(sign_in(scene.outsider)) == 404
    assert status(Client()) == 302


def test_ids_that_do_not_exist_are_404(scene: Scene, sign_in: SignIn) -> None:
    client = sign_in(scene.filler)
    for pk in (0, 2**31, 2**63, 10**30):
        assert client.get(f"/filings/{pk}/forms/warmth/").status_code == 404
        assert client.get(f"/reports/{pk}/download/").status_code == 404
    assert client.get(f"/filings/{scene.filing.pk}/forms/nothing/").status_code == 404


def test_the_sheet_is_kept_by_its_digest(scene: Scene, sign_in: SignIn) -> None:
    client = sign_in(scene.filler)
    page = client.get(path("form_page", scene))
    url = page.context["page"].state()["urls"]["sheet"]
    answer = client.get(url)
    assert "immutable" in answer["Cache-Control"] and len(answer.json()["rules"]) > 30
    wrong = client.get(reverse("sheet_json", args=[scene.campaign.pk, "warmth", "0" * 64]))
    assert wrong.status_code == 404
    assert Client().get(url).status_code == 401
