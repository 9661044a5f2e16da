"""导入 Excel: one workbook for one filing, looked at before anything of it is stored."""

from __future__ import annotations

from typing import BinaryIO, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reporting.errors import Refused, ReportingError, WrongState
from reporting.filling import HEAD_FIELDS
from reporting.incoming import imports
from reporting.models import Filing, Import
from reporting.standing import own_scope
from reporting.views.entry_answers import answers_json
from reporting.views.entry_page import FilingPage, script_json
from unions.middleware import ActingRequest, wants_json

ACCEPT = ".xlsx,.xls,.et"
MOST_SENTENCES = 20  # of cells that were left alone, in one message


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def filing_import(request: ActingRequest, pk: int) -> HttpResponse:
    """The page to upload at. A POST reads the workbook and leads to its preview; nothing is filled in yet."""
    by_script = request.method == "POST" and wants_json(request)
    return (_upload_by_script if by_script else _upload_page)(request, pk)


@answers_json
def _upload_by_script(request: ActingRequest, pk: int) -> HttpResponse:
    kept = _prepare(request, _filing(request, pk))
    return JsonResponse({"url": reverse("import_preview", args=[kept.pk])})


@login_required
def _upload_page(request: ActingRequest, pk: int) -> HttpResponse:
    filing = _filing(request, pk)
    sentences, status = [], 200
    if request.method == "POST":
        try:
            return redirect("import_preview", _prepare(request, filing).pk)
        except ReportingError as error:
            sentences, status = error.sentences, 409 if isinstance(error, WrongState) else 422
    page = FilingPage(_filing(request, pk), request.actor)
    context = {
        "page": page,
        "current": "import",
        "sentences": sentences,
        "accept": ACCEPT,
        "waiting": filing.imports.filter(state=Import.State.PREVIEW, batch_file=None).first(),
        "state": script_json(page.state()),
    }
    return render(request, "reporting/import.html", context, status=status)


def _prepare(request: ActingRequest, filing: Filing) -> Import:
    upload = request.FILES.get("workbook")
    if upload is None:
        raise Refused("没有收到文件，请先选择要导入的表格。")
    content = cast("BinaryIO", upload.file or upload)
    return imports.prepare(filing=filing, file=content, name=upload.name or "", by=request.actor)


def _filing(request: ActingRequest, pk: int) -> Filing:
    """404 outside the subtree, 403 for whoever does not fill in."""
    rows = Filing.objects.visible_to(request.actor).select_related("campaign", "union")
    filing: Filing = get_object_or_404(rows, pk=pk)
    request.actor.require("fill", filing.union)
    return filing


def _kept(request: ActingRequest, pk: int) -> Import:
    """An import of the filing's own people; those of a batch have pages of their own."""
    rows = (
        Import.objects.visible_to(request.actor)
        .filter(batch_file=None)
        .select_related("filing__campaign", "filing__union", "by")
    )
    kept: Import = get_object_or_404(rows, pk=pk)
    request.actor.require("fill", kept.filing.union)
    return kept


@login_required
@never_cache
@require_safe
def import_preview(request: ActingRequest, pk: int) -> HttpResponse:
    """What the workbook would change, cell by cell, and which rules would be broken afterwards."""
    kept = _kept(request, pk)
    if kept.state != Import.State.PREVIEW:
        messages.info(request, f"“{kept.name}”{kept.get_state_display()}。")
        return redirect("filing" if kept.state == Import.State.CONFIRMED else "filing_import", kept.filing_id)
    page = FilingPage(kept.filing, request.actor)
    context = preview_context(kept) | {"page": page, "current": "import", "state": script_json(page.state())}
    return render(request, "reporting/import_preview.html", context)


def preview_context(kept: Import) -> dict[str, object]:
    """For the tables of differences, here and in a batch."""
    forms = imports.preview(kept)
    head = [(HEAD_FIELDS[n], text) for n, text in kept.content["head"].items() if n in HEAD_FIELDS]
    return {
        "kept": kept,
        "forms": forms,
        "head": head,
        "notes": kept.content["notes"],
        "fills": sum(len(form.filled) for form in forms) + len(head),
        "scope": own_scope(kept.filing.campaign, kept.filing.union),
    }


@login_required
@require_POST
def import_confirm(request: ActingRequest, pk: int) -> HttpResponse:
    kept = _kept(request, pk)
    try:
        filled = imports.confirm(kept=kept, by=request.actor)
    except ReportingError as error:
        messages.error(request, error.sentences[0])
        return redirect("filing", kept.filing_id)
    tell(request, kept, filled)
    slug = filled.slug
    return redirect("form_page", kept.filing_id, slug) if slug else redirect("filing", kept.filing_id)


def tell(request: HttpRequest, kept: Import, filled: imports.Filled) -> None:
    if filled.count or filled.head:
        head = f"，表头的{'、'.join(filled.head)}也已填入" if filled.head else ""
        messages.success(request, f"已从“{kept.name}”填入 {filled.count} 格{head}。")
    if filled.left:
        more = f"；等共 {len(filled.left)} 处" if len(filled.left) > MOST_SENTENCES else ""
        shown = "；".join(filled.left[:MOST_SENTENCES])
        messages.warning(request, f"{len(filled.left)} 处没有填入。{shown}{more}。")
    elif not filled.count and not filled.head:
        messages.info(request, f"“{kept.name}”与草稿相同，没有改动。")


@login_required
@require_POST
def import_drop(request: ActingRequest, pk: int) -> HttpResponse:
    kept = _kept(request, pk)
    try:
        imports.drop(kept=kept, by=request.actor)
    except ReportingError as error:
        messages.error(request, error.sentences[0])
        return redirect("filing", kept.filing_id)
    messages.info(request, f"已放弃“{kept.name}”，草稿没有改动。")
    return redirect("filing", kept.filing_id)
