"""What is taken away beside the forms: the first draft of the report as a Word file, the summary as PDF."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from reporting.copies import current_copy
from reporting.documents import CONTENT_TYPES
from reporting.errors import Refused
from reporting.models import Filing, Summary
from reporting.views.stamped import show_document
from unions.middleware import ActingRequest


def _word(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=CONTENT_TYPES["docx"])
    response["Content-Disposition"] = content_disposition_header(True, name) or ""
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@login_required
@require_safe
def report_draft(request: ActingRequest, pk: int) -> HttpResponse:
    """送温暖报告 as far as figures can write it, from what stands in the filing now."""
    from reporting.drafts.report import draft_document, draft_name, of_copy  # python-docx takes its time

    rows = Filing.objects.visible_to(request.actor).select_related("campaign", "union__parent")
    filing: Filing = get_object_or_404(rows, pk=pk)
    request.actor.require("view_draft", filing.union)
    draft = of_copy(current_copy(filing))
    return _word(draft_document(draft), draft_name(draft))


def _summary(request: ActingRequest, pk: int) -> Summary:
    request.actor.require_here("see_summary")
    return get_object_or_404(Summary.objects.select_related("campaign"), pk=pk)


@login_required
@require_safe
def summary_report(request: ActingRequest, pk: int) -> HttpResponse:
    """The same for the whole province, with every unit's share."""
    from reporting.drafts.report import draft_document, draft_name, of_summary

    draft = of_summary(_summary(request, pk))
    return _word(draft_document(draft), draft_name(draft))


@login_required
@require_safe
def summary_pdf(request: ActingRequest, pk: int) -> HttpResponse:
    from reporting.paper.pdf import CONTENT_TYPE
    from reporting.paper.printing import (  # only here: WeasyPrint fills a process's memory
        summary_name,
        summary_pdf,
    )

    summary = _summary(request, pk)
    try:
        content = summary_pdf(summary)
    except Refused as error:
        messages.error(request, error.sentences[0])
        return redirect("summaries", summary.campaign_id)
    return show_document(content, CONTENT_TYPE, summary_name(summary))
