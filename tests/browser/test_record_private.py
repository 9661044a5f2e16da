"""A text that was refused because it tells who a household is stays in its field and nowhere on the machine."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from delegations.models import Visit
from tests.browser.test_record import OpenPage, plan, saved  # noqa: F401
from tests.delegations.stage import NAME, PlanStage

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
KEPT = "JSON.stringify(localStorage)"


def test_a_refused_text_about_a_family_is_not_kept_on_the_machine(
    plan: PlanStage,  # noqa: F811
    open_page: OpenPage,
) -> None:
    plan.lock()
    visit = plan.visit("household")
    page = open_page(plan.liaison.person, reverse("record", args=[plan.harbin.pk]))
    expect(page.locator("html")).to_have_attribute("data-record", "ready")
    field = page.locator(f"#visit-{visit.pk}-difficulties")
    for text in (f"{NAME}长期透析", f"{NAME}长期透析，孩子上学"):
        field.fill(text)
        expect(page.locator(".typed-note.refused")).to_contain_text("没有保存")
        expect(page.locator("#saved")).to_have_text("1 项未保存，请改正")
        expect(field).to_have_value(text)
        assert NAME not in page.evaluate(KEPT)
    amount = page.locator(f"#visit-{visit.pk}-paid_money")
    amount.fill("-1")  # what is refused for another reason is kept as ever
    expect(page.locator("#saved")).to_have_text("2 项未保存，请改正")
    kept = page.evaluate(KEPT)
    assert "paid_money" in kept and NAME not in kept
    amount.fill("2000")
    field.fill("该职工长期透析")
    saved(page)
    assert page.evaluate(KEPT) == "{}"
    assert Visit.objects.get(pk=visit.pk).difficulties == "该职工长期透析"
