"""form-page: GET of form 1 for a logged-in union, whole page with problems, marks and states.

Floor: a bare logged-in view that loads the same row and concatenates the same table into the same page
frame. Rival: the same rows as a crispy form, in the same frame. CPU of this process, all behind the same
middleware. Every GET pays some 4 ms for session, person, posts and frame, whoever draws the table; so the
table is also measured alone, and there the rival has to be beaten tenfold.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from crispy_forms.helper import FormHelper
from crispy_forms.utils import render_crispy_form
from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template import engines
from django.test import Client, override_settings
from django.urls import path
from django.utils.safestring import mark_safe

from benchmarks.measure import Line, in_turns, report
from config.urls import urlpatterns as product
from reporting.fragments import Filled, entry_table, pieces_for
from reporting.models import Campaign, Filing
from reporting.sample import fill
from unions.models import Person
from warmth.models import WarmthForm

TABLES = 10
FRAME = engines["django"].from_string(
    '{% extends "base.html" %}{% block content %}{{ table }}{% endblock content %}'
)


def row_of(request: HttpRequest, pk: int) -> WarmthForm:
    filing = get_object_or_404(
        Filing.objects.visible_to(request.actor).select_related("union", "campaign"), pk=pk
    )
    return WarmthForm.objects.get(filing=filing, round=None)


@login_required
def concatenated(request: HttpRequest, pk: int) -> HttpResponse:
    row = row_of(request, pk)
    rows = "".join(
        f'<tr id="r-{code}" data-code="{code}"><td class="serial">{f.section}</td><td class="code">{code}</td>'
        f'<td class="item"><label for="c-{code}">{escape(f.label)}</label></td><td class="unit">{f.unit}</td>'
        f'<td class="own"><input id="c-{code}" name="{code}" inputmode="decimal" value="{escape(row.text(code))}"></td></tr>'
        for code, f in WarmthForm.fields().items()
    )
    # Our own declaration's words and escaped values.
    table = mark_safe(f'<table class="sheet">{rows}</table>')  # noqa: S308
    return HttpResponse(FRAME.render({"table": table}, request))


class CrispyWarmth(forms.Form):
    helper = FormHelper()
    helper.form_tag = False


for _code, _field in WarmthForm.fields().items():
    CrispyWarmth.base_fields[_code] = forms.CharField(label=_field.label, required=False)


@login_required
def crispy(request: HttpRequest, pk: int) -> HttpResponse:
    row = row_of(request, pk)
    form = CrispyWarmth(initial={code: row.text(code) for code in WarmthForm.fields()})
    return HttpResponse(FRAME.render({"table": mark_safe(render_crispy_form(form))}, request))  # noqa: S308


urlpatterns = [*product, path("concatenated/<int:pk>/", concatenated), path("crispy/<int:pk>/", crispy)]


def run(campaign: Campaign, person: Person) -> bool:
    filing = Filing.objects.get(campaign__is_closed=False, union__short_name="哈尔滨")
    fill(filing, seed=7)
    client = Client()
    client.force_login(person)

    def get(url: str) -> Callable[[], None]:
        def fetch() -> None:
            answer = client.get(url)
            assert answer.status_code == 200
            assert answer.content.count(b"<input") >= len(WarmthForm.fields())

        return fetch

    row = WarmthForm.objects.get(filing=filing, round=None)
    pieces = pieces_for(filing.campaign, "warmth", with_below=False)

    def table_of_pieces() -> None:
        for _ in range(TABLES):
            texts = {code: row.text(code) for code in pieces_codes}
            entry_table(pieces, Filled(texts=texts, below={}, sums={}, notes={}))

    def table_of_crispy() -> None:
        for _ in range(TABLES):
            initial = {code: row.text(code) for code in pieces_codes}
            render_crispy_form(CrispyWarmth(initial=initial))

    pieces_codes = [piece.code for piece in pieces.rows]
    with override_settings(ROOT_URLCONF="benchmarks.form_page"):
        results = in_turns(
            {
                "string concatenation (floor)": get(f"/concatenated/{filing.pk}/"),
                "the form page": get(f"/filings/{filing.pk}/forms/warmth/"),
                "crispy form": get(f"/crispy/{filing.pk}/"),
                f"{TABLES} tables of prepared pieces": table_of_pieces,
                f"{TABLES} tables by crispy": table_of_crispy,
            },
            rounds=25,
        )
    floor, ours, rival, ours_table, rival_table = (result.median for result in results.values())
    return report(
        "form-page — GET of form 1 (CPU)",
        results,
        [
            Line("against string concatenation", ours / floor, 2),
            Line("the whole GET, faster than with crispy", rival / ours),
            Line("the table alone, faster than crispy", rival_table / ours_table, 10, at_most=False),
        ],
    )
