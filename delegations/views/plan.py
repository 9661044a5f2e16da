from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def delegation_page(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def save(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def head_page(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def add_destination(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def order_destinations(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def remove_delegation(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def lock(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def unlock(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def history(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def remove_destination(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def add_visit(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def complete_visits(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def remove_visit(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def answer_proposal(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404
