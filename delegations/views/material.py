"""Material: the page of a destination, files arriving in pieces (tus 1.0.0), links, files going out.

Each view loads behind `access`, calls one action and answers.
"""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Callable
from functools import wraps
from typing import IO, Any
from urllib.parse import quote
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import http_date
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from delegations.access import may, reach, require
from delegations.files import bundle, uploads
from delegations.files import materials as actions
from delegations.files.contents import CONTENT_TYPES, MAX_SIZE
from delegations.files.materials import Link
from delegations.files.photographs import PILLOW
from delegations.models import Delegation, Destination, Material, MaterialKind, Upload
from delegations.saving import note
from delegations.views.material_page import page_of
from reporting.errors import ReportingError, WrongState
from reporting.views.entry_answers import UNREADABLE, BadBody, answers_json, refused
from unions.middleware import ActingRequest

log = logging.getLogger(__name__)

VERSION = "1.0.0"
PIECE = "application/offset+octet-stream"
LOST = "服务器上找不到这份材料的文件。请联系系统管理员从备份恢复，或由联络员重新上传。"


def _destination(request: ActingRequest, pk: int) -> Destination:
    rows = Destination.objects.select_related("union", "delegation__campaign")
    return reach(request.actor, rows, "delegation__", pk)


def _material(request: ActingRequest, pk: int) -> Material:
    rows = Material.objects.select_related("destination__delegation__campaign", "destination__union")
    return reach(request.actor, rows, "destination__delegation__", pk)


def _to_page(material: Material) -> str:
    return f"{reverse('materials', args=[material.destination_id])}#{material.kind}"


# -- the page ----------------------------------------------------------------------------------------------


@login_required
@require_safe
@never_cache
def materials(request: ActingRequest, pk: int) -> HttpResponse:
    destination = _destination(request, pk)
    require(request.actor, "view", destination.delegation)
    return _page(request, destination, Link())


def _page(request: ActingRequest, destination: Destination, link: Link, status: int = 200) -> HttpResponse:
    context = page_of(request, destination) | {"link": link}
    return render(request, "delegations/materials.html", context, status=status)


@login_required
@require_POST
@never_cache
def add_link(request: ActingRequest, pk: int) -> HttpResponse:
    destination = _destination(request, pk)
    require(request.actor, "file", destination.delegation)
    link = Link.typed(request.POST.dict())
    try:
        made = actions.add_link(destination=destination, link=link, by=request.actor)
    except ReportingError as error:
        messages.error(request, error.sentences[0])
        # What was typed is kept, whatever became of the state meanwhile.
        return _page(request, _destination(request, pk), link, 409 if isinstance(error, WrongState) else 422)
    messages.success(request, f"已登记{made.outlet}的报道“{made.title}”。")
    return redirect(_to_page(made))


@login_required
@require_POST
def remove_material(request: ActingRequest, pk: int) -> HttpResponse:
    material = _material(request, pk)
    require(request.actor, "file", material.destination.delegation)
    try:
        actions.remove(material=material, by=request.actor)
    except ReportingError as error:
        messages.error(request, error.sentences[0])
    else:
        # Messages travel in a cookie, and a household's name may stand in the file's.
        is_household = material.kind == MaterialKind.HOUSEHOLD
        what = (
            f" 1 份{material.get_kind_display()}" if is_household else f"“{material.title or material.name}”"
        )
        messages.success(request, f"已删除{what}。")
    return redirect(_to_page(material))


# -- files arriving ----------------------------------------------------------------------------------------


class _WrongType(BadBody):
    pass


_STATUS: dict[type[ReportingError], int] = {
    uploads.Busy: 423,
    uploads.TooLong: 413,
    uploads.NoSpace: 507,
    _WrongType: 415,
}


def tus(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answers of the protocol: its version on each, refusals as a status and a sentence, nothing stored."""

    @wraps(view)
    def in_words(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except uploads.Displaced as error:
            # With where to go on: this 409 is mended by asking again, others are not.
            answer = {"error": error.sentences[0], "offset": error.received}
            return JsonResponse(answer, status=409)
        except (uploads.Busy, uploads.TooLong, uploads.NoSpace, _WrongType) as error:
            return refused(_STATUS[type(error)], error)

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "OPTIONS" and request.headers.get("Tus-Resumable") != VERSION:
            response: HttpResponse = JsonResponse(
                {"error": "页面的上传程序与服务器不一致，请刷新页面后再试。"}, status=412
            )
            response["Tus-Version"] = VERSION
        else:
            response = answers_json(in_words)(request, *args, **kwargs)
        response["Tus-Resumable"] = VERSION
        response["Cache-Control"] = "no-store"
        return response

    return answer


@require_http_methods(["POST", "OPTIONS"])
@tus
def create_upload(request: ActingRequest, pk: int) -> HttpResponse:
    """POST with Upload-Length and Upload-Metadata (filename, kind, person) → 201 with where to send it."""
    if request.method == "OPTIONS":
        response = HttpResponse(status=204)
        response["Tus-Version"] = VERSION
        response["Tus-Extension"] = "creation,termination,expiration"
        response["Tus-Max-Size"] = str(MAX_SIZE)
        return response
    destination = _destination(request, pk)
    facts = _metadata(request)
    # The page goes on by itself after a new log-in; under another name it would be a false record.
    if facts.get("person", str(request.user.pk)) != str(request.user.pk):
        raise WrongState(f"现在登录的是{request.user.name}，不是选择这些文件的人，没有上传。请用原账号登录。")
    made = uploads.create(
        destination=destination,
        kind=facts.get("kind", ""),
        name=facts.get("filename", ""),
        size=_number(request, "Upload-Length"),
        by=request.actor,
    )
    return _stands(made, 201, Location=reverse("upload", args=[made.pk]))


@require_http_methods(["HEAD", "PATCH", "DELETE"])
@tus
def upload(request: ActingRequest, pk: UUID) -> HttpResponse:
    """HEAD: how far it is. PATCH: the next piece. DELETE: give up."""
    if request.method == "HEAD":
        return _stands(uploads.where(pk, request.actor), 200)
    if request.method == "DELETE":
        uploads.cancel(pk=pk, by=request.actor)
        return HttpResponse(status=204)
    if request.content_type != PIECE:
        raise _WrongType(UNREADABLE)
    stands, material = uploads.receive(
        pk=pk,
        offset=_number(request, "Upload-Offset"),
        length=_number(request, "Content-Length"),
        body=request,
        by=request.actor,
    )
    return _stands(stands, 204, **({"Upload-Material": str(material.pk)} if material else {}))


def _stands(upload: Upload, status: int, **headers: str) -> HttpResponse:
    response = HttpResponse(status=status, headers=headers)
    response["Upload-Offset"] = str(upload.received)
    response["Upload-Length"] = str(upload.size)
    response["Upload-Expires"] = http_date(uploads.expires(upload).timestamp())
    return response


def _number(request: ActingRequest, header: str) -> int:
    text = request.headers.get(header, "")
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise BadBody(UNREADABLE)
    return int(text)


def _metadata(request: ActingRequest) -> dict[str, str]:
    """`filename 54Wn,kind cGhvdG8=` → {"filename": …, "kind": "photo"}."""
    facts = {}
    for pair in filter(None, request.headers.get("Upload-Metadata", "").split(",")):
        name, _, encoded = pair.strip().partition(" ")
        try:
            facts[name] = base64.b64decode(encoded, validate=True).decode("utf-8", "replace")
        except binascii.Error:
            raise BadBody(UNREADABLE) from None
    return facts


# -- files going out ---------------------------------------------------------------------------------------


def _may_read(request: ActingRequest, pk: int) -> Material:
    material = _material(request, pk)
    destination = material.destination
    require(request.actor, "view_destination", destination.delegation, destination)
    if material.kind == MaterialKind.HOUSEHOLD:
        require(request.actor, "read_household_files", destination.delegation, destination)
    return material


@login_required
@require_safe
def material_file(request: ActingRequest, pk: int) -> HttpResponseBase:
    """The file: pictures to be looked at, everything else a download."""
    material = _may_read(request, pk)
    content = _open(material, material.file.name)
    if content is None and material.format not in PILLOW:
        messages.error(request, LOST)
        delegation = material.destination.delegation
        page = "materials" if may(request.actor, "view", delegation) else "destination"
        return redirect(page, material.destination_id)
    if content is None:
        raise Http404(LOST)
    if material.kind == MaterialKind.HOUSEHOLD:
        actions.record_reading([material], request.actor)
    response = FileResponse(
        content,
        as_attachment=material.format not in PILLOW,
        filename=material.name,
        content_type=CONTENT_TYPES.get(material.format, "application/octet-stream"),
    )
    return _kept_private(response, material)


@login_required
@require_safe
def material_thumbnail(request: ActingRequest, pk: int) -> HttpResponseBase:
    material = _may_read(request, pk)
    content = _open(material, material.thumbnail.name)
    if content is None:
        raise Http404
    return _kept_private(FileResponse(content, content_type="image/jpeg"), material)


def _open(material: Material, name: str | None) -> IO[bytes] | None:
    """None for what is not there: a link has no file, a document no thumbnail."""
    try:
        return material.file.storage.open(name, "rb") if name else None
    except FileNotFoundError:
        log.error("a file of material %s is not where it was stored: %s", material.pk, name)
        return None


def _kept_private(response: FileResponse, material: Material) -> FileResponse:
    # A stranger's file must stay what it was said to be, whatever a browser thinks it has found inside.
    response["X-Content-Type-Options"] = "nosniff"
    # A picture is shown again and again and never changes; papers of a household leave no copy behind.
    keeps = material.format in PILLOW and material.kind != MaterialKind.HOUSEHOLD
    response["Cache-Control"] = "private, max-age=3600" if keeps else "private, no-store"
    return response


@login_required
@require_GET
def materials_zip(request: ActingRequest, pk: int) -> HttpResponseBase:
    """All material of one delegation, packed while it is sent."""
    delegation = reach(request.actor, Delegation.objects.select_related("campaign"), "", pk)
    require(request.actor, "export", delegation)
    made = bundle.bundle(delegation, by=request.actor)
    note(delegation, request.actor, made.in_words)
    actions.record_reading(made.household_papers, request.actor)
    response = StreamingHttpResponse(made.archive, content_type="application/zip")
    response["Content-Length"] = str(len(made.archive))
    response["Content-Disposition"] = f"attachment; filename*=utf-8''{quote(made.name)}"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
