"""选择导出内容: what of a summary goes into a workbook, its making, and what was made before."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reporting import exports
from reporting.clock import now
from reporting.errors import Refused, ReportingError
from reporting.exports import CHOSEN_UNITS, EVERY_UNIT, LEVELS, UNITS_ONLY, Choice, Offer
from reporting.models import Export, Summary
from reporting.tasks import known_progress, start_exports
from reporting.views.summaries import PATIENCE, first_page
from unions.middleware import ActingRequest

log = logging.getLogger(__name__)

MOST_LISTED = 100
State = Export.State


def _export(request: ActingRequest, pk: int) -> Export:
    request.actor.require_here("see_summary")
    rows = Export.objects.select_related("summary__campaign", "compared", "requested_by")
    return get_object_or_404(rows, pk=pk)


def _in_the_list(export: Export) -> str:
    return f"{reverse('exports', args=[export.summary_id])}#export-{export.pk}"


def _head(summary: Summary) -> dict[str, Any]:
    return {"summary": summary, "campaign": summary.campaign, "first_page": first_page(summary)}


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def export_list(request: ActingRequest, pk: int) -> HttpResponse:
    """GET: the form, and what was made before. POST: one more, or the same as before."""
    request.actor.require_here("see_summary")
    summary = get_object_or_404(Summary.objects.select_related("campaign"), pk=pk)
    offer = Offer.of(summary)
    if request.method != "POST":
        return render(request, "reporting/exports.html", _page(summary, offer))
    try:
        return _request(request, summary, _choice(request, offer))
    except Refused as error:
        context = _page(summary, offer, request) | {"sentences": error.sentences}
        return render(request, "reporting/exports.html", context, status=422)


def _choice(request: HttpRequest, offer: Offer) -> Choice:
    posted = request.POST
    return offer.choose(
        forms=posted.getlist("forms"),
        whose=posted.get("whose", ""),
        unions=posted.getlist("unions"),
        level=posted.get("level", ""),
        cities="cities" in posted,
        compare="compare" in posted,
    )


def _request(request: ActingRequest, summary: Summary, choice: Choice) -> HttpResponseRedirect:
    """The row is what counts; telling a worker only makes it come sooner."""
    with transaction.atomic():
        export = exports.request_export(summary=summary, choice=choice, by=request.actor)
        transaction.on_commit(start_exports)
    if export.state == State.DONE:
        messages.info(request, "同样的内容已经生成过，可以直接下载。")
        return redirect(_in_the_list(export))
    return redirect("export_progress", export.pk)


def _page(summary: Summary, offer: Offer, request: HttpRequest | None = None) -> dict[str, Any]:
    """The form as it stands at first, or with what was ticked on the page that was refused."""
    posted = request.POST if request else None
    forms = posted.getlist("forms") if posted is not None else list(offer.forms)
    ticked = set(posted.getlist("unions")) if posted is not None else set()
    listed = summary.exports.select_related("requested_by", "compared")[:MOST_LISTED]
    return _head(summary) | {
        "forms": [(slug, title, slug in forms) for slug, title in offer.forms.items()],
        "units": [(p, offer.short_names[p.code], p.code in ticked) for p in offer.participants],
        "whose": posted.get("whose") if posted is not None else EVERY_UNIT,
        "levels": LEVELS,
        "level": posted.get("level") if posted is not None else UNITS_ONLY,
        "cities": posted is not None and "cities" in posted,
        "compare": posted is not None and "compare" in posted,
        "earlier": offer.earlier,
        "has_counties": offer.has_counties,
        "EVERY_UNIT": EVERY_UNIT,
        "CHOSEN_UNITS": CHOSEN_UNITS,
        "exports": [(export, exports.in_words(summary, exports.choice_of(export))) for export in listed],
    }


@login_required
@never_cache
@require_safe
def export_progress(request: ActingRequest, pk: int) -> HttpResponse:
    """The page asks itself again and again; done, it leads to the list."""
    export = _export(request, pk)
    asks_again = bool(request.headers.get("HX-Request"))
    if export.state == State.DONE:
        messages.success(request, "已经生成，可以下载。")
        url = _in_the_list(export)
        return HttpResponse(headers={"HX-Redirect": url}) if asks_again else redirect(url)
    context = _head(export.summary) | {
        "export": export,
        "words": exports.in_words(export.summary, exports.choice_of(export)),
        "progress": known_progress(export),
        "is_failed": export.state == State.FAILED,
        "is_slow": now() - export.requested_at > PATIENCE,
    }
    return render(request, "reporting/export_state.html" if asks_again else "reporting/export.html", context)


@login_required
@require_POST
def export_again(request: ActingRequest, pk: int) -> HttpResponseRedirect:
    export = _export(request, pk)
    try:
        with transaction.atomic():
            exports.try_again(export=export, by=request.actor)
            transaction.on_commit(start_exports)
    except ReportingError as error:
        messages.info(request, error.sentences[0])
    return redirect("export_progress", export.pk)


@login_required
@require_safe
def export_file(request: ActingRequest, pk: int) -> HttpResponse | FileResponse:
    from reporting.workbooks.summary import CONTENT_TYPE  # openpyxl takes its time

    export = _export(request, pk)
    if export.state != State.DONE:
        return redirect("export_progress", export.pk)
    try:
        content = export.file.open("rb")
    except FileNotFoundError:
        log.error("the file of export %s is not where it was stored: %s", export.pk, export.file.name)
        messages.error(request, "服务器上找不到这份文件。请在本页按同样的内容再生成一次。")
        return redirect("exports", export.summary_id)
    name = exports.file_name(export.summary, exports.choice_of(export))
    response = FileResponse(content, as_attachment=True, filename=name, content_type=CONTENT_TYPE)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
