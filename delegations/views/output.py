from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def workbook(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def materials_zip(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def itinerary(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def calendar(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404
