"""批量导入: what the unions sent by e-mail goes into their drafts together, looked at first."""

from __future__ import annotations

from typing import Any
from zipfile import ZIP_STORED

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from zipstream import ZipStream  # type: ignore[import-untyped]

from reporting.clock import now
from reporting.copies import blank_templates
from reporting.documents import MEGABYTE, clean_name
from reporting.errors import Refused, ReportingError, WrongState
from reporting.filling import require_running
from reporting.incoming import batches
from reporting.incoming.archives import MAX_INFLATED, MOST_FILES, members_of
from reporting.incoming.preview import FormPreview, previews
from reporting.models import BatchFile, Campaign, ImportBatch
from reporting.tasks import start_batches
from reporting.views.entry_answers import answers_json
from reporting.views.imports import ACCEPT, preview_context
from reporting.views.numbers import number_in
from unions.middleware import ActingRequest, wants_json

SLOW = 60  # seconds of reading after which the page says that nobody has to wait at it
State, FileState = ImportBatch.State, BatchFile.State


def _campaign(request: ActingRequest, pk: int) -> Campaign:
    request.actor.require_here("import_batch")
    return get_object_or_404(Campaign, pk=pk)


def _batch(request: ActingRequest, pk: int) -> ImportBatch:
    request.actor.require_here("import_batch")
    return get_object_or_404(ImportBatch.objects.select_related("campaign", "by"), pk=pk)


# -- uploading ---------------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def batch_list(request: ActingRequest, pk: int) -> HttpResponse:
    """The batches of a campaign, and where to upload another. A POST keeps the files and leads to their reading."""
    by_script = request.method == "POST" and wants_json(request)
    return (_receive_by_script if by_script else _list_page)(request, pk)


@answers_json
def _receive_by_script(request: ActingRequest, pk: int) -> HttpResponse:
    batch = _receive(request, _campaign(request, pk))
    return JsonResponse({"url": reverse("batch", args=[batch.pk])})


@login_required
def _list_page(request: ActingRequest, pk: int) -> HttpResponse:
    campaign = _campaign(request, pk)
    sentences: list[str] = []
    status = 200
    if request.method == "POST":
        try:
            return redirect("batch", _receive(request, campaign).pk)
        except ReportingError as error:
            sentences, status = error.sentences, 409 if isinstance(error, WrongState) else 422
    closed = ""
    try:
        require_running(campaign)
    except WrongState as error:
        closed = error.sentences[0]
    listed = campaign.import_batches.select_related("by").annotate(
        all_files=Count("files"), filled=Count("files", filter=Q(files__state=FileState.FILLED))
    )
    context = {
        "campaign": campaign,
        "batches": listed[:50],
        "sentences": sentences,
        "closed": closed,
        "accept": f"{ACCEPT},.zip",
        "most_files": MOST_FILES,
        "most_megabytes": MAX_INFLATED // MEGABYTE,
    }
    return render(request, "reporting/batch_list.html", context, status=status)


def _receive(request: ActingRequest, campaign: Campaign) -> ImportBatch:
    uploads = request.FILES.getlist("files")
    if not uploads:
        raise Refused("没有收到文件。请选择各单位报来的表格，或者装着它们的文件夹、zip 压缩包。")
    members = members_of(uploads, request.POST.getlist("paths"))
    first = clean_name(uploads[0].name or "", "报表")
    name = first if len(uploads) == 1 else f"{first[:150]} 等 {len(uploads)} 个文件"
    batch = batches.receive(campaign=campaign, name=name, members=members, by=request.actor)
    transaction.on_commit(start_batches)
    return batch


@login_required
@require_safe
def templates(request: ActingRequest, pk: int) -> StreamingHttpResponse:
    """Everybody's blank template in one archive, to be sent out by e-mail: the way many still ask for figures."""
    campaign = _campaign(request, pk)
    archive = ZipStream(compress_type=ZIP_STORED)  # workbooks are packed already
    for path, content in blank_templates(campaign):
        archive.add(content, path)
    response = StreamingHttpResponse(archive, content_type="application/zip")
    name = f"{campaign.year}年送温暖统计报表空白模板.zip"
    response["Content-Disposition"] = content_disposition_header(True, name) or ""
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


# -- one batch ---------------------------------------------------------------------------------------------


@login_required
@never_cache
@require_safe
def batch(request: ActingRequest, pk: int) -> HttpResponse:
    """While files are read or filled in the page asks itself again and again; then it shows what there is."""
    found = _batch(request, pk)
    asks_again = bool(request.headers.get("HX-Request"))
    if found.state in (State.READING, State.FILLING):
        page = "reporting/batch_state.html" if asks_again else "reporting/batch_progress.html"
        return render(request, page, _progress(found))
    if asks_again:
        return HttpResponse(headers={"HX-Redirect": reverse("batch", args=[pk])})
    return render(request, "reporting/batch.html", {"batch": found} | _rows(found))


def _progress(found: ImportBatch) -> dict[str, Any]:
    """From the rows themselves: nothing to lose when the cache is gone."""
    reading = found.state == State.READING
    waiting = Q(state=FileState.WAITING) if reading else Q(state=FileState.UNDERSTOOD, kept__state="preview")
    part = Q() if reading else waiting | Q(state__in=(FileState.FILLED, FileState.FAILED))
    counts = found.files.aggregate(of=Count("pk", filter=part), left=Count("pk", filter=waiting))
    done = counts["of"] - counts["left"]
    next_one = found.files.filter(waiting).first()
    return {
        "batch": found,
        "reading": reading,
        "done": done,
        "of": counts["of"],
        "next_one": next_one,
        "is_slow": not done and (now() - found.at).total_seconds() > SLOW,
    }


def _rows(found: ImportBatch) -> dict[str, Any]:
    """The files, in the groups that people look at. A constant number of queries."""
    files = list(found.files.select_related("kept__filing__union", "kept__filing__campaign"))
    shown: dict[int, list[FormPreview]] = {}
    if found.state == State.PREVIEW:
        shown = previews(f.kept for f in files if f.kept and f.state == FileState.UNDERSTOOD)
    rows = [_row(file, shown.get(file.kept_id or 0, [])) for file in files]

    def of(*states: str) -> list[dict[str, Any]]:
        return [row for row in rows if row["file"].state in states]

    understood = of(FileState.UNDERSTOOD)
    return {
        "total": len(files),
        "fillable": sorted((row for row in understood if row["changes"]), key=lambda row: row["union"].path),
        "same": [row for row in understood if not row["changes"]],
        "refused": of(FileState.REFUSED),
        "filled": of(FileState.FILLED),
        "failed": of(FileState.FAILED),
        "left_out": understood,
        "unions": len({row["file"].kept.filing_id for row in of(FileState.FILLED)}),
        "kept_until": timezone.localtime(found.at + batches.KEPT_FOR),
    }


def _row(file: BatchFile, forms: list[FormPreview]) -> dict[str, Any]:
    notes = len(file.kept.content["notes"]) if file.kept else 0
    return {
        "file": file,
        "union": file.kept.filing.union if file.kept else None,
        "forms": "、".join(form.title for form in forms if form.differences or form.same),
        "changes": sum(len(form.filled) for form in forms),
        "notes": notes + sum(len(form.notes) for form in forms),
        "hard": sum(len(form.hard) for form in forms),
        "queries": sum(len(form.queries) for form in forms),
        "shut": sum(len(form.shut) + len(form.overtaken) for form in forms),
    }


@login_required
@never_cache
@require_safe
def batch_file(request: ActingRequest, pk: int, position: int) -> HttpResponse:
    """One workbook of a batch, cell by cell, before it is filled in."""
    found = _batch(request, pk)
    files = found.files.select_related("kept__filing__union", "kept__filing__campaign", "kept__by")
    file = get_object_or_404(files, position=position, state=FileState.UNDERSTOOD, kept__state="preview")
    assert file.kept is not None
    context = preview_context(file.kept) | {"batch": found, "file": file, "union": file.kept.filing.union}
    return render(request, "reporting/batch_file.html", context)


@login_required
@require_POST
def batch_confirm(request: ActingRequest, pk: int) -> HttpResponse:
    found = _batch(request, pk)
    chosen = [number_in(text, otherwise=-1) for text in request.POST.getlist("file")]
    try:
        batches.confirm(batch=found, positions=chosen, by=request.actor)
    except ReportingError as error:
        messages.error(request, error.sentences[0])
    else:
        transaction.on_commit(start_batches)
    return redirect("batch", pk)


@login_required
@require_POST
def batch_drop(request: ActingRequest, pk: int) -> HttpResponse:
    found = _batch(request, pk)
    try:
        batches.drop(batch=found, by=request.actor)
    except ReportingError as error:
        messages.error(request, error.sentences[0])
        return redirect("batch", pk)
    messages.info(request, f"已放弃“{found.name}”，各单位的草稿没有改动，上传的文件已删除。")
    return redirect("batches", found.campaign_id)
