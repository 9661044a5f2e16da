"""A filing to take away: the blank template, and the filled workbook for the union's own files."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from reporting.copies import blank_template, draft_workbook, rounds_at_hand, sealed_copy, sealed_workbook
from reporting.models import Filing
from unions.middleware import ActingRequest


def _visible(request: ActingRequest, pk: int, action: str) -> Filing:
    rows = Filing.objects.visible_to(request.actor).select_related("campaign", "union", "current_round")
    filing: Filing = get_object_or_404(rows, pk=pk)
    request.actor.require(action, filing.union)
    return filing


def _workbook(content: bytes, name: str) -> HttpResponse:
    from reporting.workbooks.summary import CONTENT_TYPE  # openpyxl takes its time

    response = HttpResponse(content, content_type=CONTENT_TYPE)
    response["Content-Disposition"] = content_disposition_header(True, name) or ""
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@login_required
@require_safe
def template(request: ActingRequest, pk: int) -> HttpResponse:
    """Both forms blank, bound to this union and campaign: to be filled in where there is no network."""
    from reporting.workbooks.filing import workbook_name

    filing = _visible(request, pk, "view_draft")
    name = workbook_name(filing.campaign, filing.union).replace("报表", "报表（空白）")
    return _workbook(blank_template(filing.campaign, filing.union), name)


@login_required
@require_safe
def workbook(request: ActingRequest, pk: int) -> HttpResponse:
    """What was submitted last, as sealed; while a filing is being filled in, its own people take the draft."""
    from reporting.workbooks.filing import workbook_name

    filing = _visible(request, pk, "view")
    name = workbook_name(filing.campaign, filing.union)
    if filing.is_editable and request.actor.may("view_draft", filing.union):
        return _workbook(draft_workbook(filing), name)
    if filing.current_round_id is None:
        raise Http404
    return _workbook(sealed_workbook(sealed_copy(rounds_at_hand().get(pk=filing.current_round_id))), name)
