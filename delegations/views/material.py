from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def materials(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def create_upload(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def upload(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def add_link(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def material_file(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def material_thumbnail(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def remove_material(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404
