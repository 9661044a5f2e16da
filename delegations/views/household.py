from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def household_page(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def reveal(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404
