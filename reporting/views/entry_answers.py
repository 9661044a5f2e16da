"""Requests and answers of the entry page's scripts: JSON in, JSON out, never a page and never a 500."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException, UnreadablePostError

from reporting.errors import Refused, ReportingError, WrongState
from reporting.filling import HEAD_FIELDS, Change
from unions.middleware import ActingRequest, refuse_anonymous

MAX_BODY = 64 * 1024
MAX_CELLS = 200
UNREADABLE = "提交的内容无法识别，请刷新页面后再试。"


class BadBody(ReportingError):
    """What came is no request that our page would send."""


def answers_json(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Every refusal as a status and a sentence: 400, 401, 403, 404, 409 (look again), 422 (mend it)."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if refusal := refuse_anonymous(request):
            return refusal
        try:
            return view(request, *args, **kwargs)
        except BadBody as error:
            return refused(400, error)
        except WrongState as error:
            return refused(409, error)
        except Refused as error:
            return refused(422, error)
        except PermissionDenied as error:
            return JsonResponse({"error": str(error) or "您的角色不能进行此项操作。"}, status=403)
        except Http404 as error:
            # Django's own sentence ("No Filing matches…") is for developers.
            sentence = (
                str(error)
                if str(error).startswith("当前")
                else "当前单位下没有这份报送件。请确认右上角的当前单位。"
            )
            return JsonResponse({"error": sentence}, status=404)

    return answer


def refused(status: int, error: ReportingError) -> JsonResponse:
    return JsonResponse({"error": error.sentences[0], "sentences": error.sentences}, status=status)


def body_of(request: ActingRequest) -> dict[str, Any]:
    """The body as an object. Raises BadBody; WrongState when somebody else is logged in by now."""
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY:
            raise BadBody("一次提交的内容过多，请分次保存。")
        body = json.loads(request.body)
    # RecursionError: ten thousand brackets fit into 64 KB.
    except (ValueError, RecursionError, UnreadablePostError, RawPostDataException):
        raise BadBody(UNREADABLE) from None
    if not isinstance(body, dict):
        raise BadBody(UNREADABLE)
    # The page resends what it kept after a new log-in; under another name it would be a false record.
    if body.get("person", request.user.pk) != request.user.pk:
        raise WrongState(f"现在登录的是{request.user.name}，不是填写这些内容的人，没有保存。请用原账号登录。")
    return body


def text_of(thing: dict[str, Any], name: str) -> str:
    """A text without what PostgreSQL can't hold (null bytes, halves of surrogate pairs)."""
    value = thing.get(name)
    if not isinstance(value, str):
        raise BadBody(UNREADABLE)
    return value.encode("utf-8", "replace").decode().replace("\x00", "")


def _sent_of(thing: dict[str, Any]) -> list[str]:
    sent = thing.get("sent", [])
    if not isinstance(sent, list) or not all(isinstance(text, str) for text in sent):
        raise BadBody(UNREADABLE)
    return sent


def changes_of(body: dict[str, Any]) -> list[Change]:
    cells = body.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise BadBody(UNREADABLE)
    if len(cells) > MAX_CELLS:
        raise BadBody(f"一次最多保存 {MAX_CELLS} 格。")
    return [
        Change(text_of(cell, "code"), text_of(cell, "base"), text_of(cell, "value"), _sent_of(cell))
        for cell in cells
    ]


def fields_of(body: dict[str, Any]) -> list[Change]:
    """{"fields": {"filler_name": {"base", "value", "sent"}}} → a change for each."""
    fields = body.get("fields")
    if not isinstance(fields, dict) or not all(isinstance(field, dict) for field in fields.values()):
        raise BadBody(UNREADABLE)
    if len(fields) > MAX_CELLS:
        raise BadBody(f"一次最多保存 {MAX_CELLS} 格。")
    return [
        Change(name, text_of(field, "base"), text_of(field, "value"), _sent_of(field))
        for name, field in fields.items()
    ]


def head_of(body: dict[str, Any]) -> dict[str, Change]:
    """The fields of the sheets' head, by name."""
    return {change.code: change for change in fields_of(body) if change.code in HEAD_FIELDS}


def shown_of(body: dict[str, Any]) -> dict[str, str]:
    """{"shown": {"H": "5"}} → the texts that an explanation was written for."""
    shown = body.get("shown")
    if not isinstance(shown, dict):
        raise BadBody(UNREADABLE)
    return {code: text_of(shown, code) for code in shown}
