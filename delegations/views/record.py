from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def account(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def destination_page(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def propose(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def record_page(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def save(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def archive(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def reopen(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404
