"""After the visit: the record of a destination, closing the account, the page of the visited union, the account.

Each view loads behind `access`, calls one action and answers.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from delegations import proposals, recording
from delegations.access import may, reach, require, require_a_plan, sees_all
from delegations.account import account as account_of
from delegations.models import Delegation, Destination, Material, MaterialKind, Visit
from delegations.plans import COMPOSITION_FIELDS, MIN_REASON, Rulebook
from delegations.saving import save_record
from delegations.typed import label_of
from delegations.views.head import RECORD, head
from delegations.views.record_page import Page
from reporting.errors import ReportingError, WrongState
from reporting.models import Campaign
from reporting.views.entry_answers import answers_json, body_of, fields_of
from reporting.views.entry_page import hour_minute
from reporting.views.numbers import number_in
from unions.middleware import ActingRequest


def _destination(request: ActingRequest, pk: int) -> Destination:
    rows = Destination.objects.select_related("union", "delegation__campaign")
    return reach(request.actor, rows, "delegation__", pk)


def _status(error: ReportingError) -> int:
    return 409 if isinstance(error, WrongState) else 422


# -- the record --------------------------------------------------------------------------------------------


@login_required
@require_safe
@never_cache
def record_page(request: ActingRequest, pk: int) -> HttpResponse:
    """The record of one destination; `?ask=archive` and `?ask=reopen` open what is asked before the move."""
    destination = _destination(request, pk)
    require(request.actor, "view", destination.delegation)
    return _record_page(request, destination, ask=request.GET.get("ask", ""))


def _record_page(
    request: ActingRequest,
    destination: Destination,
    *,
    ask: str = "",
    error: ReportingError | None = None,
    reason: str = "",
) -> HttpResponse:
    page = Page.of(destination)
    delegation = page.delegation
    archived = delegation.events.filter(what="归档").select_related("by").first()
    cards = page.cards
    context = head(request, delegation, RECORD, page.destination) | {
        "page": page,
        "fields": page.fields,
        "cards": cards,
        "written": sum(bool(card.visit.outcome) for card in cards),
        "problems": page.problem_lines() if delegation.state != Delegation.State.PLANNING else [],
        "kinds": Visit.Kind.choices,
        "state": page.state(request),
        "ask": ask if ask in ("archive", "reopen") else "",
        "stopping": page.stopping(),
        "staying": page.staying(ceilings=may(request.actor, "archive", delegation)),
        "archived": archived if delegation.state == Delegation.State.ARCHIVED else None,
        "sentences": error.sentences if error else [],
        "reason": reason,
        "min_reason": MIN_REASON,
    }
    return render(request, "delegations/record.html", context, status=_status(error) if error else 200)


@require_POST
@answers_json
def save(request: ActingRequest, pk: int) -> HttpResponse:
    """{"fields": {"visit:12:paid_money": {"base", "value", "sent"}}} → what stands now, and what was not stored
    and why; the problems of this destination as they are now."""
    destination = _destination(request, pk)
    changes = fields_of(body_of(request))
    saved = save_record(delegation=destination.delegation, changes=changes, by=request.actor)
    page = Page.of(destination)
    return JsonResponse(
        {
            "at": hour_minute(saved.at),
            "fields": saved.fields,
            "conflicts": saved.conflicts,
            "refused": saved.refused,
            "private": saved.private,
            "revision": page.delegation.revision,
            "problems": page.problem_lines(),
        }
    )


# -- closing the account -----------------------------------------------------------------------------------


@login_required
@require_POST
def archive(request: ActingRequest, pk: int) -> HttpResponse:
    delegation = _delegation(request, pk)
    require(request.actor, "archive", delegation)
    reason = request.POST.get("reason", "")
    try:
        recording.archive(
            delegation=delegation,
            reason=reason,
            revision=_number(request, "revision"),
            by=request.actor,
        )
    except ReportingError as error:
        return _asked_again(request, delegation, "archive", error, reason)
    messages.success(request, f"{delegation}已归档，记录和材料不能再改。")
    return _back(request, delegation)


@login_required
@require_POST
def reopen(request: ActingRequest, pk: int) -> HttpResponse:
    delegation = _delegation(request, pk)
    require(request.actor, "reopen", delegation)
    reason = request.POST.get("reason", "")
    try:
        recording.reopen(delegation=delegation, reason=reason, by=request.actor)
    except ReportingError as error:
        return _asked_again(request, delegation, "reopen", error, reason)
    messages.success(request, f"{delegation}已重新打开，联络员可以更正记录、补充材料。")
    return _back(request, delegation)


def _delegation(request: ActingRequest, pk: int) -> Delegation:
    return reach(request.actor, Delegation.objects.select_related("campaign"), "", pk)


def _number(request: ActingRequest, name: str) -> int:
    """A number the page had put into its form; -1, which no row has, when it is missing."""
    return number_in(request.POST.get(name), otherwise=-1)


def _came_from(request: ActingRequest, delegation: Delegation) -> Destination | None:
    """The destination on whose page the button was; the first one when that is gone."""
    rows = list(delegation.destinations.all())
    asked = _number(request, "destination")
    return next((row for row in rows if row.pk == asked), rows[0] if rows else None)


def _back(request: ActingRequest, delegation: Delegation) -> HttpResponse:
    destination = _came_from(request, delegation)
    return redirect("record", destination.pk) if destination else redirect("delegation", delegation.pk)


def _asked_again(
    request: ActingRequest, delegation: Delegation, ask: str, error: ReportingError, reason: str
) -> HttpResponse:
    destination = _came_from(request, delegation)
    if destination is None or isinstance(error, WrongState):
        messages.error(request, error.sentences[0])
        return _back(request, delegation)
    return _record_page(request, destination, ask=ask, error=error, reason=reason)


# -- the visited union -------------------------------------------------------------------------------------


@login_required
@require_safe
@never_cache
def destination_page(request: ActingRequest, pk: int) -> HttpResponse:
    """One destination as its own union sees it: its plan, record, material and proposals, nothing of others."""
    destination = _destination(request, pk)
    require(request.actor, "view_destination", destination.delegation, destination)
    return _destination_page(request, destination)


@sensitive_variables("typed")
def _destination_page(
    request: ActingRequest,
    destination: Destination,
    *,
    typed: dict[str, str] | None = None,
    error: ReportingError | None = None,
) -> HttpResponse:
    delegation, actor = destination.delegation, request.actor
    relations = ("source", "paid_source", "personal", "proposed_by", "answered_by")
    visits = list(destination.visits.select_related(*relations))
    rulebook = Rulebook.of(delegation.campaign)
    counts = [v for v in visits if v.standing in (Visit.Standing.PLANNED, Visit.Standing.UNPLANNED)]
    sees_plan = may(actor, "view", delegation)
    context: dict[str, Any] = {
        "destination": destination,
        "delegation": delegation,
        "campaign": delegation.campaign,
        "is_open": delegation.state == Delegation.State.PLANNING,
        "visits": counts,
        "composition": [
            (kind.label, sum(v.kind == kind and v.counts_in_plan for v in visits), rulebook.wanted(kind))
            for kind in COMPOSITION_FIELDS
        ],
        "planned": sum(v.amount or 0 for v in counts if v.counts_in_plan),
        "paid": sum(v.paid or 0 for v in counts if v.outcome == Visit.Outcome.DONE),
        "is_recorded": delegation.state != Delegation.State.PLANNING,
        "texts": [
            (label_of(destination, name), getattr(destination, name))
            for name in ("spirit", "centres", "practice")
            if getattr(destination, name)
        ],
        "findings": [v for v in counts if v.difficulties or v.wishes or v.good_practice],
        "materials": _materials(destination, may(actor, "read_household_files", delegation)),
        "proposals": [v for v in visits if v.proposed_at],
        # What was typed stays in sight, though the plan was locked meanwhile.
        "may_propose": typed is not None or may(actor, "propose", delegation, destination),
        "kinds": [
            (kind.value, kind.label, [(c, Visit.Category(c).label) for c in Visit.CATEGORIES[kind]])
            for kind in Visit.Kind
        ],
        "typed": typed or {},
        "sentences": error.sentences if error else [],
        "sees_plan": sees_plan,
    }
    return render(request, "delegations/destination.html", context, status=_status(error) if error else 200)


def _materials(destination: Destination, household_too: bool) -> list[tuple[str, list[Material], int]]:
    """By kind: what may be opened, and how many there are that may not even be named. What was handed over about
    households stays with those who arrange and account: a file's name often is a family's."""
    rows = list(destination.materials.all())
    found = []
    for kind in MaterialKind:
        of_kind = [material for material in rows if material.kind == kind]
        hidden = kind == MaterialKind.HOUSEHOLD and not household_too
        found.append((str(kind.label), [] if hidden else of_kind, len(of_kind) if hidden else 0))
    return found


@sensitive_post_parameters("name", "why")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_variables("typed")
def propose(request: ActingRequest, pk: int) -> HttpResponse:
    destination = _destination(request, pk)
    require(request.actor, "propose", destination.delegation, destination)
    if request.method != "POST":  # whoever logged in again on the way
        return redirect(f"{reverse('destination', args=[pk])}#propose")
    typed = {name: request.POST.get(name, "") for name in ("kind", "category", "name", "why")}
    try:
        proposals.propose(destination=destination, by=request.actor, **typed)
    except ReportingError as error:
        # What was typed is kept, whatever became of the state, or of the destination itself, meanwhile.
        with suppress(Http404):
            destination = _destination(request, pk)
        return _destination_page(request, destination, typed=typed, error=error)
    messages.success(request, f"建议已送{destination.delegation}联络员，答复后会收到消息。")
    return redirect("destination", pk)


# -- the account -------------------------------------------------------------------------------------------


@login_required
@require_safe
@never_cache
def account(request: ActingRequest, pk: int) -> HttpResponse:
    """Plan against actual: all delegations for the office and readers, the own one for liaison and leader."""
    require_a_plan(request.actor)
    campaign = get_object_or_404(Campaign, pk=pk)
    visible = Delegation.objects.visible_to(request.actor).filter(campaign=campaign)
    context = {
        "campaign": campaign,
        "account": account_of(campaign, visible),
        # A ceiling is shared by all delegations: to whoever sees one of them its rest would be a wrong figure.
        "sees_all": sees_all(request.actor),
    }
    return render(request, "delegations/account.html", context)
