from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def home(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def board(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def settings_page(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def new_delegation(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404
