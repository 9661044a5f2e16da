"""A filing to take away: the blank template, and the filled workbook for the union's own files."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from reporting.assessment import assess
from reporting.clock import now
from reporting.filling import HEAD_FIELDS, head_text
from reporting.models import Filing
from reporting.rounds import sealed_rows
from reporting.sheets import sheets_for
from reporting.standing import OWN_SCOPE, TOTAL_SCOPE, has_subordinates
from reporting.statistical import StatisticalForm
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
    from reporting.workbooks.filing import filing_workbook, workbook_name

    filing = _visible(request, pk, "view_draft")
    content = filing_workbook(
        campaign=filing.campaign,
        union=filing.union,
        sheets=sheets_for(filing.campaign),
        figures={},
        head={},
        made_at=now(),
        scope=OWN_SCOPE if has_subordinates(filing.campaign, filing.union) else "",
    )
    return _workbook(content, workbook_name(filing.campaign, filing.union).replace("报表", "报表（空白）"))


@login_required
@require_safe
def workbook(request: ActingRequest, pk: int) -> HttpResponse:
    """What was submitted last, as sealed; while a filing is being filled in, its own people take the draft."""
    from reporting.workbooks.filing import filing_workbook, workbook_name

    filing = _visible(request, pk, "view")
    sheets = sheets_for(filing.campaign)
    round_ = filing.current_round
    scope, with_below = OWN_SCOPE, False
    if filing.is_editable and request.actor.may("view_draft", filing.union):
        figures = {form.sheet.slug: form.row.figures for form in assess(filing).forms}
        head = {name: head_text(filing, name) for name in HEAD_FIELDS}
        footer, made_at = "草稿，未上报", now()
    elif round_ is not None:
        sealed = sealed_rows(sheets, [round_])
        figures = {
            sheet.slug: sealed[round_.pk, sheet.slug, StatisticalForm.Scope.TOTAL].figures for sheet in sheets
        }
        head, made_at = round_.head, round_.submitted_at
        footer = f"第 {round_.number} 轮  校验码 {round_.digest[:16]}"
        scope, with_below = TOTAL_SCOPE, bool(round_.includes)
    else:
        raise Http404
    content = filing_workbook(
        campaign=filing.campaign,
        union=filing.union,
        sheets=sheets,
        figures=figures,
        head=head,
        made_at=made_at,
        footer=footer,
        scope=scope if with_below or has_subordinates(filing.campaign, filing.union) else "",
        with_below=with_below,
    )
    return _workbook(content, workbook_name(filing.campaign, filing.union))
