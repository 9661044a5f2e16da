"""A household's personal data: masked for everybody of the delegation, written and asked for by who arranges.

What is in clear exists in the answer to one POST only (asked for by `reveal`, or typed and refused, shown back to
who typed it): no redirect, address, session or message ever carries it.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from delegations.access import may, reach, require
from delegations.models import Delegation, PersonalData, Visit
from delegations.personal import disclosure
from delegations.personal.households import UNREADABLE, masked
from delegations.plans import MIN_REASON
from reporting.errors import Refused, ReportingError, WrongState
from unions.middleware import ActingRequest

FORMS = {
    # field → (input mode, what to type, whether it is long)
    "name": ("text", "", False),
    "telephone": ("tel", "如 13800000000 或 0451-50000000", False),
    "identity_number": ("text", "18 位，最后一位可为 X", False),
    "address": ("text", "", True),
    "illness": ("text", "", True),
}


def _household(request: ActingRequest, pk: int) -> Visit:
    rows = Visit.objects.select_related("destination__union", "destination__delegation__campaign", "personal")
    visit = reach(request.actor, rows, "destination__delegation__", pk)
    # The visited union named the family, but what was learned of it since is the delegation's.
    require(request.actor, "view", visit.destination.delegation)
    if visit.kind != Visit.Kind.HOUSEHOLD:
        raise Http404("这个走访对象不是入户慰问，没有家庭信息。")
    return visit


@sensitive_post_parameters()
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_variables()
def household_page(request: ActingRequest, pk: int) -> HttpResponse:
    """GET: what is kept, masked. POST: fill in, replace or clear some of it."""
    visit = _household(request, pk)
    if request.method != "POST":
        return _page(request, visit, ask=request.GET.get("ask", ""))
    require(request.actor, "plan", visit.destination.delegation)
    typed = {f: request.POST.get(f, "") for f in PersonalData.FIELDS}
    cleared = {f for f in request.POST.getlist("clear") if f in PersonalData.FIELDS}
    try:
        values = _values(typed, cleared)
        changed = disclosure.write(visit=visit, values=values, by=request.actor)
    except ValidationError as error:
        return _page(request, visit, typed=typed, cleared=cleared, errors=error.message_dict, status=422)
    except ReportingError as error:
        status = 409 if isinstance(error, WrongState) else 422
        return _page(request, visit, typed=typed, cleared=cleared, sentences=error.sentences, status=status)
    messages.success(request, f"已保存：{'、'.join(changed)}。" if changed else "没有改动。")
    return redirect("household", pk)


def _values(typed: dict[str, str], cleared: set[str]) -> dict[str, str]:
    """What to write: blank leaves a fact as it is. Raises ValidationError by field."""
    both = {f: ["填了新的内容，又勾了清除，请只选其一。"] for f in cleared if typed[f].strip()}
    if both:
        raise ValidationError(both)
    return {f: text for f, text in typed.items() if text.strip()} | dict.fromkeys(cleared, "")


@sensitive_post_parameters("reason")
@login_required
@require_POST
@never_cache
@sensitive_variables()
def reveal(request: ActingRequest, pk: int) -> HttpResponse:
    """The page once more, with everything in clear; who asked and why is on record by then."""
    visit = _household(request, pk)
    require(request.actor, "reveal", visit.destination.delegation)
    reason = request.POST.get("reason", "")
    try:
        clear = disclosure.reveal(visit=visit, reason=reason, by=request.actor)
    except Refused as error:
        return _page(request, visit, ask="reveal", reason=reason, asked_wrong=error.sentences, status=422)
    return _page(request, visit, clear=clear)


@sensitive_variables()
def _page(
    request: ActingRequest,
    visit: Visit,
    *,
    clear: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
    cleared: set[str] | None = None,
    errors: dict[str, list[str]] | None = None,
    sentences: list[str] | None = None,
    ask: str = "",
    reason: str = "",
    asked_wrong: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    delegation = visit.destination.delegation
    actor = request.actor
    masks = masked(visit)
    may_reveal = may(actor, "reveal", delegation)
    facts = [
        {
            "name": field,
            "label": PersonalData.LABELS[field],
            "shown": clear[field] if clear else masks[field],
            "is_there": bool(masks[field]),
            "mode": mode,
            "placeholder": placeholder,
            "is_long": is_long,
            "typed": (typed or {}).get(field, ""),
            "is_cleared": field in (cleared or ()),
            "errors": (errors or {}).get(field, []),
        }
        for field, (mode, placeholder, is_long) in FORMS.items()
    ]
    context: dict[str, Any] = {
        "visit": visit,
        "destination": visit.destination,
        "delegation": delegation,
        "campaign": delegation.campaign,
        "facts": facts,
        "is_clear": clear is not None,
        "has_data": any(masks.values()),
        "is_unreadable": UNREADABLE in masks.values(),
        # What was typed stays in sight, though the delegation was archived meanwhile.
        "may_write": typed is not None
        or (may(actor, "plan", delegation, now=False) and delegation.state != Delegation.State.ARCHIVED),
        "may_reveal": may_reveal,
        "ask": "reveal" if ask == "reveal" and may_reveal and any(masks.values()) else "",
        "reason": reason,
        "asked_wrong": asked_wrong or [],
        "sentences": sentences or [],
        "errors": errors or {},
        "unmaskings": visit.unmaskings.select_related("by"),
        "min_reason": MIN_REASON,
    }
    return render(request, "delegations/household.html", context, status=status)
