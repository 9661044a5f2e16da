"""A filing as its union fills it: the form pages, saving, the report, submitting.

Each view loads behind the gate, calls one action and answers; JSON for scripts, pages for people.
"""

from __future__ import annotations

import logging

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from reporting import filling, workflow
from reporting.clock import database_now
from reporting.errors import Refused, ReportingError, WrongState
from reporting.models import Campaign, Filing, Report, Round
from reporting.registry import all_forms
from reporting.reports import ACCEPT, CONTENT_TYPES, store_report
from reporting.sheets import sheet_for
from reporting.views.entry_answers import (
    answers_json,
    body_of,
    changes_of,
    head_of,
    refused,
    shown_of,
    text_of,
)
from reporting.views.entry_page import FilingPage, FormPage, first_unfinished, hour_minute, script_json
from reporting.views.numbers import number_in
from unions.middleware import ActingRequest, wants_json

log = logging.getLogger(__name__)


def _visible(request: ActingRequest, pk: int) -> Filing:
    """The filing behind the gate: 404 outside the subtree, 403 without a role to see a working copy."""
    rows = Filing.objects.visible_to(request.actor).select_related("campaign", "union")
    filing: Filing = get_object_or_404(rows, pk=pk)
    request.actor.require("view_draft", filing.union)
    return filing


def _require_form(slug: str) -> None:
    if slug not in {form.slug for form in all_forms()}:
        raise Http404


@login_required
@require_GET
def filing(request: ActingRequest, pk: int) -> HttpResponse:
    """Where to go on."""
    page = FilingPage(_visible(request, pk), request.actor)
    slug = first_unfinished(page)
    return redirect("report_page", pk) if slug == "report" else redirect("form_page", pk, slug)


@never_cache
@require_GET
def form_page(request: ActingRequest, pk: int, slug: str) -> HttpResponse:
    """The form as a page; as JSON, the texts that stand in its cells now."""
    return (_form_facts if wants_json(request) else _form_page)(request, pk, slug)


@login_required
def _form_page(request: ActingRequest, pk: int, slug: str) -> HttpResponse:
    _require_form(slug)
    page = FormPage(_visible(request, pk), request.actor, slug)
    return render(
        request, "reporting/entry.html", {"page": page, "current": slug, "state": script_json(page.state())}
    )


@answers_json
def _form_facts(request: ActingRequest, pk: int, slug: str) -> HttpResponse:
    _require_form(slug)
    page = FormPage(_visible(request, pk), request.actor, slug)
    return JsonResponse(page.facts() | {"texts": page.texts()})


@require_POST
@answers_json
def save_cells(request: ActingRequest, pk: int, slug: str) -> HttpResponse:
    """{"cells": [{"code", "base", "value"}]} → what stands now, and what was not stored and why."""
    # Not loaded here first: the action's one query is gate and lock, and this is what runs at every cell.
    _require_form(slug)
    changes = changes_of(body_of(request))
    try:
        saved = filling.save_cells(filing=Filing(pk=pk), slug=slug, changes=changes, by=request.actor)
    except Filing.DoesNotExist:
        raise Http404 from None
    return JsonResponse(
        {
            "at": hour_minute(saved.at),
            "cells": saved.cells,
            "invalid": saved.invalid,
            "conflicts": saved.conflicts,
            "refused": saved.refused,
            "touched": saved.touched,
            "explanations": saved.explanations,
            "state": saved.state,
        }
    )


@require_POST
@answers_json
def explain(request: ActingRequest, pk: int, slug: str) -> HttpResponse:
    """{"rule", "text", "shown": {code: text}} → the explanation as stored, bound to the figures shown."""
    filing = _visible(request, pk)
    _require_form(slug)
    request.actor.require("fill", filing.union)
    body = body_of(request)
    explanation = filling.explain(
        filing=filing,
        slug=slug,
        rule_id=text_of(body, "rule"),
        text=text_of(body, "text"),
        shown=shown_of(body),
        by=request.actor,
    )
    return JsonResponse(
        {"at": hour_minute(explanation.at), "rule": explanation.rule, "text": explanation.text}
    )


@require_POST
@answers_json
def save_head(request: ActingRequest, pk: int) -> HttpResponse:
    """{"fields": {name: {"base", "value"}}} → what stands now, and what was not stored and why."""
    filing = _visible(request, pk)
    request.actor.require("fill", filing.union)
    fields = head_of(body_of(request))
    saved = filling.save_head(
        filing=filing,
        values={name: change.value for name, change in fields.items()},
        known={name: [change.base, *change.sent] for name, change in fields.items()},
        by=request.actor,
    )
    return JsonResponse(
        {
            "at": hour_minute(saved.at),
            "fields": saved.cells,
            "conflicts": saved.conflicts,
            "refused": saved.refused,
        }
    )


@login_required
@never_cache
@require_GET
def report_page(request: ActingRequest, pk: int) -> HttpResponse:
    return _report_page(request, _visible(request, pk))


def _report_page(
    request: ActingRequest, filing: Filing, *, sentences: list[str] | None = None, status: int = 200
) -> HttpResponse:
    page = FilingPage(filing, request.actor)
    reports = list(filing.reports.select_related("by"))
    context = {
        "page": page,
        "reports": reports,
        "current": "report",
        "current_report": next((r for r in reports if r.pk == filing.current_report_id), None),
        "may_upload": page.may_fill and filing.is_cell_open("report"),
        "is_shut": page.may_fill and not filing.is_cell_open("report"),
        "remarks": filing.remarks.filter(round=filing.current_round_id, form="report")
        if page.returned_by
        else [],
        "accept": ACCEPT,
        "sentences": sentences,
        "state": script_json(page.state()),
    }
    return render(request, "reporting/report_page.html", context, status=status)


@require_POST
def upload_report(request: ActingRequest, pk: int) -> HttpResponse:
    return (_upload_by_script if wants_json(request) else _upload_by_form)(request, pk)


@answers_json
def _upload_by_script(request: ActingRequest, pk: int) -> HttpResponse:
    report = _store_upload(request, _visible(request, pk))
    return JsonResponse({"number": report.number, "name": report.name})


@login_required
def _upload_by_form(request: ActingRequest, pk: int) -> HttpResponse:
    filing = _visible(request, pk)
    try:
        report = _store_upload(request, filing)
    except ReportingError as error:
        status = 409 if isinstance(error, WrongState) else 422
        return _report_page(request, _visible(request, pk), sentences=error.sentences, status=status)
    messages.success(request, f"“{report.name}”已上传（第 {report.number} 版）。")
    return redirect("report_page", pk)


def _store_upload(request: ActingRequest, filing: Filing) -> Report:
    request.actor.require("fill", filing.union)
    upload = request.FILES.get("report")
    if upload is None:
        raise Refused("没有收到文件，请先选择要上传的报告。")
    return store_report(filing=filing, upload=upload, by=request.actor)


@login_required
@require_GET
def download_report(request: ActingRequest, pk: int) -> HttpResponse | FileResponse:
    reports = Report.objects.visible_to(request.actor).select_related("filing__union")
    report: Report = get_object_or_404(reports, pk=pk)
    # Above, a version is read once it was part of a submission.
    was_submitted = Round.objects.filter(report=report).exists()
    request.actor.require("view" if was_submitted else "view_draft", report.filing.union)
    try:
        content = report.file.open("rb")
    except FileNotFoundError:
        log.error("the file of report %s is not where it was stored: %s", report.pk, report.file.name)
        messages.error(
            request, "服务器上找不到这份报告的文件。请联系系统管理员从备份恢复，或由填报单位重新上传。"
        )
        return redirect("report_page", report.filing_id)
    response = FileResponse(
        content,
        as_attachment=True,
        filename=report.name,
        content_type=CONTENT_TYPES[report.kind],
    )
    # A stranger's file must stay a download, whatever a browser thinks it has found inside.
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def submit(request: ActingRequest, pk: int) -> HttpResponse:
    """GET: what is missing, or what submitting will do. POST: submit."""
    return (_submit_by_script if wants_json(request) else _submit_by_form)(request, pk)


@answers_json
def _submit_by_script(request: ActingRequest, pk: int) -> HttpResponse:
    filing = _visible(request, pk)
    if request.method == "POST":
        round_ = _submit_as_seen(request, filing)
        return JsonResponse({"round": round_.number})
    request.actor.require("submit", filing.union)
    filling.require_editable(filing)
    page = FilingPage(filing, request.actor)
    return JsonResponse(
        {"missing": _missing(page), "not_included": page.not_included, "token": page.assessment.token}
    )


def _submit_as_seen(request: ActingRequest, filing: Filing) -> Round:
    """Submit exactly what the confirmation was opened on. Raises NotSeen when it does not say what that was."""
    request.actor.require("submit", filing.union)
    filling.require_editable(filing)
    if not (seen := request.POST.get("seen", "")):
        raise NotSeen("请先在确认页核对，再上报。")
    return workflow.submit(filing=filing, by=request.actor, seen=seen)


class NotSeen(WrongState):
    """A request to submit that has not come from a confirmation."""


def _missing(page: FilingPage) -> list[str]:
    """Everything that keeps it from being submitted, the deadline first: nothing typed can mend that."""
    deadline = page.filing.deadline
    late = (
        [f"已过截止时间 {timezone.localtime(deadline):%Y年%m月%d日 %H:%M}，须先申请延期"]
        if database_now() > deadline
        else []
    )
    return late + page.assessment.sentences()


@login_required
def _submit_by_form(request: ActingRequest, pk: int) -> HttpResponse:
    filing = _visible(request, pk)
    if request.method == "POST":
        try:
            round_ = _submit_as_seen(request, filing)
        except NotSeen as error:
            return _submit_page(request, filing, error.sentences, status=409)
        except WrongState as error:
            messages.error(request, error.sentences[0])
            return _back(filing)
        except Refused as error:
            return _submit_page(request, _visible(request, pk), error.sentences, status=422)
        messages.success(request, f"已上报（第 {round_.number} 轮），等待审核。")
        return _back(filing)
    request.actor.require("submit", filing.union)
    return _submit_page(request, filing, _missing(FilingPage(filing, request.actor)))


def _submit_page(
    request: ActingRequest, filing: Filing, missing: list[str], status: int = 200
) -> HttpResponse:
    page = FilingPage(filing, request.actor)
    context = {"page": page, "current": "submit", "missing": missing, "state": script_json(page.state())}
    return render(request, "reporting/entry_submit.html", context, status=status)


@require_POST
def withdraw(request: ActingRequest, pk: int) -> HttpResponse:
    return (_withdraw_by_script if wants_json(request) else _withdraw_by_form)(request, pk)


@answers_json
def _withdraw_by_script(request: ActingRequest, pk: int) -> HttpResponse:
    workflow.withdraw(filing=_visible(request, pk), by=request.actor, round_number=_round_seen(request))
    return JsonResponse({"state": Filing.State.DRAFT})


@login_required
def _withdraw_by_form(request: ActingRequest, pk: int) -> HttpResponse:
    filing = _visible(request, pk)
    try:
        workflow.withdraw(filing=filing, by=request.actor, round_number=_round_seen(request))
    except ReportingError as error:
        messages.error(request, error.sentences[0])
    else:
        messages.success(request, "已撤回，可以继续修改。修改后请重新上报。")
    return _back(filing)


def _round_seen(request: ActingRequest) -> int:
    """The number of the round the page showed; 0, which no round has, when it is missing."""
    return number_in(request.POST.get("round"))


def _back(filing: Filing) -> HttpResponseRedirect:
    return redirect("filing", filing.pk)


@require_GET
@answers_json
def sheet_json(request: ActingRequest, campaign_pk: int, slug: str, digest: str) -> HttpResponse:
    """Cells and rules of a form for the browser. The digest is in the address, so it may be kept for ever."""
    campaign = get_object_or_404(Campaign, pk=campaign_pk)
    _require_form(slug)
    sheet = sheet_for(campaign, slug)
    if digest != sheet.digest:
        return refused(404, ReportingError("表样已更新，请刷新页面。"))
    response = JsonResponse(sheet.as_json(), json_dumps_params={"ensure_ascii": False})
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    return response
