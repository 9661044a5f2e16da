"""What is taken away: the workbook of all delegations, a delegation's itinerary on paper and its dates."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import content_disposition_header
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from delegations.access import NOT_YOURS, may, reach, require, require_a_plan
from delegations.itinerary.calendar import CONTENT_TYPE as ICS
from delegations.itinerary.calendar import calendar_name, delegation_calendar
from delegations.itinerary.printed import itinerary_name, itinerary_pdf
from delegations.models import Delegation, PlanEvent, Visit
from delegations.personal import disclosure
from delegations.plans import plans
from reporting.clock import now
from reporting.errors import Refused, ReportingError
from reporting.models import Campaign
from reporting.paper import pdf
from unions.gate import Actor
from unions.middleware import ActingRequest


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("clear", "households")
def workbook(request: ActingRequest, pk: int) -> HttpResponse:
    """GET: households masked. POST with `personal` and `reason`: with a sheet of them in clear, recorded."""
    # Only here: openpyxl takes its time.
    from delegations.workbook.book import CONTENT_TYPE, Households, load, plan_workbook, workbook_name

    actor = request.actor
    require_a_plan(actor)
    campaign = get_object_or_404(Campaign, pk=pk)
    contents = load(
        campaign,
        Delegation.objects.visible_to(actor).filter(campaign=campaign),
        names_household_files=lambda delegation: may(actor, "read_household_files", delegation),
    )
    households = None
    try:
        if not contents.delegations:
            raise Refused(f"{campaign.title}还没有您可以导出的慰问组。")
        if request.method == "POST" and request.POST.get("personal") == "1":
            reason = request.POST.get("reason", "")
            clear = _reveal(actor, contents.delegations, reason)
            households = Households(clear, " ".join(reason.split()), actor.person.name, now())
    except (ReportingError, PermissionDenied) as problem:
        messages.error(request, _sentence(problem))
        return redirect("delegation_board", pk)
    name = workbook_name(campaign, is_personal=households is not None)
    return _download(plan_workbook(contents, households), CONTENT_TYPE, name)


def _reveal(actor: Actor, delegations: list[Delegation], reason: str) -> dict[int, dict[str, str]]:
    """The households the actor may ask for, among those that are visible."""
    allowed = [d for d in delegations if may(actor, "reveal", d)]
    if not allowed:
        raise PermissionDenied(NOT_YOURS)
    standings = (Visit.Standing.PLANNED, Visit.Standing.UNPLANNED)
    visits = [
        visit
        for delegation in allowed
        for destination in delegation.destinations.all()
        for visit in destination.visits.all()
        if visit.standing in standings
    ]
    return disclosure.reveal_for_export(visits=visits, reason=reason, by=actor)


def _sentence(problem: Exception) -> str:
    return problem.sentences[0] if isinstance(problem, ReportingError) else str(problem)


@login_required
@require_safe
def itinerary(request: ActingRequest, pk: int) -> HttpResponse:
    delegation = _whole(request.actor, pk)
    try:
        content = itinerary_pdf(delegation, now())
    except ReportingError as problem:
        messages.error(request, _sentence(problem))
        return redirect("delegation", pk)
    return _download(content, pdf.CONTENT_TYPE, itinerary_name(delegation))


@login_required
@require_safe
def calendar(request: ActingRequest, pk: int) -> HttpResponse:
    delegation = _whole(request.actor, pk)
    last = PlanEvent.objects.filter(delegation=delegation).first()
    try:
        content = delegation_calendar(delegation, last.at if last else delegation.campaign.opens_at)
    except ReportingError as problem:
        messages.error(request, _sentence(problem))
        return redirect("delegation", pk)
    return _download(content, ICS, calendar_name(delegation))


def _whole(actor: Actor, pk: int) -> Delegation:
    """A visible delegation that the actor may take away, with everything in it."""
    found = reach(actor, Delegation.objects.all(), "", pk)
    require(actor, "export", found)
    (delegation,) = plans(Delegation.objects.filter(pk=found.pk))
    return delegation


def _download(content: bytes, content_type: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(True, name) or ""
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
