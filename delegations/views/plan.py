"""The pages where one delegation's plan is written, and every move that concerns it.

Each view loads behind `access`, calls one action and answers: JSON for typing, post/redirect/get for the rest.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from delegations import planning, proposals, saving
from delegations.access import reach, require
from delegations.head_forms import HeadForm
from delegations.models import Delegation, Destination, PlanEvent, Unmasking, Visit
from delegations.plan_page import PlanPage
from delegations.typed import clean
from delegations.views.head import HISTORY, PLAN, head
from reporting.errors import Refused, ReportingError, WrongState
from reporting.views.entry_answers import answers_json, body_of, fields_of
from reporting.views.entry_page import hour_minute
from reporting.views.numbers import number_in
from unions.middleware import ActingRequest
from unions.models import Union

EVENTS_ON_A_PAGE = 50


def _delegation(request: ActingRequest, pk: int, action: str) -> Delegation:
    found = reach(request.actor, Delegation.objects.select_related("campaign"), "", pk)
    require(request.actor, action, found)
    return found


def _destination(request: ActingRequest, pk: int, action: str) -> Destination:
    rows = Destination.objects.select_related("union", "delegation__campaign")
    found = reach(request.actor, rows, "delegation__", pk)
    require(request.actor, action, found.delegation, found)
    return found


def _visit(request: ActingRequest, pk: int, action: str) -> Visit:
    rows = Visit.objects.select_related("destination__union", "destination__delegation__campaign")
    found = reach(request.actor, rows, "destination__delegation__", pk)
    require(request.actor, action, found.destination.delegation, found.destination)
    return found


def _to_plan(pk: int, anchor: str = "") -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("delegation", args=[pk]) + (f"#{anchor}" if anchor else ""))


def _say(request: ActingRequest, error: ReportingError) -> None:
    for sentence in error.sentences:
        messages.error(request, sentence)


# -- the page ----------------------------------------------------------------------------------------------


@login_required
@require_safe
@never_cache
def delegation_page(request: ActingRequest, pk: int) -> HttpResponse:
    """The plan: to write for who plans it while it is open, to read for everybody else who sees it."""
    return _page(request, _delegation(request, pk, "view").pk)


def _page(request: ActingRequest, pk: int, status: int = 200, **more: Any) -> HttpResponse:
    page = PlanPage(pk)
    context = head(request, page.delegation, PLAN)
    edits = context["can"]["plan"]
    context |= {"page": page, "edits": edits, "sources": page.rulebook.sources}
    if edits:
        context["facts"] = page.facts()
        context["typed_state"] = {
            "person": request.user.pk,
            "filing": f"delegation-{pk}",
            "slug": "plan",
            "url": reverse("save_plan", args=[pk]),
            "login": reverse("login"),
        }
    return render(request, "delegations/delegation.html", context | more, status=status)


@require_POST
@answers_json
def save(request: ActingRequest, pk: int) -> HttpResponse:
    """{"fields": {"visit:12:money": {"base", "value", "sent"}}} → what stands now, and what is wrong with it."""
    delegation = _delegation(request, pk, "plan")
    try:
        saved = saving.save_plan(delegation=delegation, changes=fields_of(body_of(request)), by=request.actor)
        page = PlanPage(pk)
    except Delegation.DoesNotExist:
        raise Http404("当前慰问组已被删除。") from None
    return JsonResponse(
        {
            "at": hour_minute(saved.at),
            "fields": saved.fields,
            "conflicts": saved.conflicts,
            "refused": saved.refused,
            "private": saved.private,
        }
        | page.answer()
    )


# -- visits ------------------------------------------------------------------------------------------------


@login_required
@require_POST
def add_visit(request: ActingRequest, pk: int) -> HttpResponse:
    """While the plan is open a planned visit; on the record page of a locked one 临时增加."""
    destination = _destination(request, pk, "plan")
    try:
        made = planning.add_visit(
            destination=destination, kind=request.POST.get("kind", ""), by=request.actor
        )
    except ReportingError as error:
        _say(request, error)
        return _back_to(destination, f"destination-{pk}")
    if made.standing == Visit.Standing.UNPLANNED:
        return _to_record(destination, f"visit-{made.pk}")
    return _back_to(destination, f"visit-{made.pk}-category")


def _back_to(destination: Destination, anchor: str) -> HttpResponseRedirect:
    """Where the button stands that was pressed: on the record's page once the plan is locked."""
    if destination.delegation.state == Delegation.State.PLANNING:
        return _to_plan(destination.delegation_id, anchor)
    return _to_record(destination, anchor)


def _to_record(destination: Destination, anchor: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse('record', args=[destination.pk])}#{anchor}")


@login_required
@require_POST
def complete_visits(request: ActingRequest, pk: int) -> HttpResponse:
    destination = _destination(request, pk, "plan")
    try:
        made = planning.complete_visits(destination=destination, by=request.actor)
    except ReportingError as error:
        _say(request, error)
    else:
        place = destination.union.short_name
        messages.success(
            request,
            f"{place}已按通知要求配齐，增加 {made} 个走访对象。" if made else f"{place}的走访对象已经齐全。",
        )
    return _to_plan(destination.delegation_id, f"destination-{pk}")


@login_required
@require_POST
def remove_visit(request: ActingRequest, pk: int) -> HttpResponse:
    visit = _visit(request, pk, "plan")
    destination = visit.destination
    try:
        planning.remove_visit(visit=visit, by=request.actor)
    except ReportingError as error:
        _say(request, error)
        return _back_to(destination, f"visit-{pk}")
    except Visit.DoesNotExist:
        messages.error(request, "这个走访对象已被他人删除。")
    if visit.standing == Visit.Standing.UNPLANNED:
        return _to_record(destination, f"destination-{destination.pk}")
    return _to_plan(destination.delegation_id, f"destination-{destination.pk}")


@login_required
@require_POST
def answer_proposal(request: ActingRequest, pk: int) -> HttpResponse:
    """`do` of the POST: accept, or decline with `reason`, which the place can read."""
    visit = _visit(request, pk, "answer")
    delegation = visit.destination.delegation_id
    accept, text = request.POST.get("do") == "accept", request.POST.get("reason", "")
    try:
        proposals.answer(visit=visit, accept=accept, text="" if accept else text, by=request.actor)
    except WrongState as error:
        _say(request, error)
    except Refused as error:
        return _page(request, delegation, 422, refused=error.sentences, declining=pk, declined_because=text)
    else:
        messages.success(
            request,
            "建议已采纳，列入计划。请补填金额和资金来源。" if accept else "已答复：不采纳，对方会收到理由。",
        )
        return _to_plan(delegation, f"visit-{pk}-money" if accept else f"destination-{visit.destination_id}")
    return _to_plan(delegation, f"destination-{visit.destination_id}")


# -- locking -----------------------------------------------------------------------------------------------


@login_required
@require_POST
def lock(request: ActingRequest, pk: int) -> HttpResponse:
    delegation = _delegation(request, pk, "lock")
    try:
        planning.lock_plan(delegation=delegation, revision=_revision_seen(request), by=request.actor)
    except WrongState as error:
        _say(request, error)
    except Refused as error:
        return _page(request, pk, 422, refused=error.sentences)
    else:
        messages.success(request, f"{delegation}的计划已锁定，联络员和带队领导会收到消息。")
    return _to_plan(pk)


def _revision_seen(request: ActingRequest) -> int:
    """The revision the page showed; -1, which none has, when it is missing."""
    return number_in(request.POST.get("revision"), otherwise=-1)


@login_required
@require_POST
def unlock(request: ActingRequest, pk: int) -> HttpResponse:
    delegation = _delegation(request, pk, "unlock")
    reason = request.POST.get("reason", "")
    try:
        planning.unlock_plan(delegation=delegation, reason=reason, by=request.actor)
    except WrongState as error:
        _say(request, error)
    except Refused as error:
        return _page(request, pk, 422, unlock_refused=error.sentences, unlock_reason=reason)
    else:
        messages.success(request, f"{delegation}的计划已解除锁定，可以修改。")
    return _to_plan(pk)


# -- the head, and where it goes ---------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def head_page(request: ActingRequest, pk: int) -> HttpResponse:
    """Leader, members, liaison; destinations and their order. The office's."""
    _delegation(request, pk, "head")
    if request.method != "POST":
        return _head_page(request, pk, None)
    try:
        form = _save_head(request, pk)
    except WrongState as error:
        # What was typed stays on the page, to be copied: the delegation was archived meanwhile.
        form = HeadForm(request.POST, delegation=_delegation(request, pk, "head"))
        form.add_error(None, error.sentences)
        return _head_page(request, pk, form, status=409)
    if form is not None:
        return _head_page(request, pk, form, status=422)
    messages.success(request, "已保存。")
    return redirect("delegation_head", pk)


@transaction.atomic
def _save_head(request: ActingRequest, pk: int) -> HeadForm | None:
    """The form that says what is wrong; None when it was saved. What it compares with is locked meanwhile."""
    delegation = saving.lock_delegation(pk)
    saving.require_state(delegation, Delegation.State.PLANNING, Delegation.State.LOCKED)
    form = HeadForm(request.POST, delegation=delegation)
    if form.is_valid():
        try:
            with transaction.atomic():
                planning.set_head(delegation=delegation, by=request.actor, **form.values)
        except Refused as error:
            form.add_error(None, error.sentences)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            return None
    return form


def _head_page(request: ActingRequest, pk: int, form: HeadForm | None, status: int = 200) -> HttpResponse:
    page = PlanPage(pk)
    delegation = page.delegation
    context = head(request, delegation, PLAN) | {
        "page": page,
        "form": form or HeadForm(delegation=delegation),
        "free": planning.free_unions(delegation.campaign),
    }
    if form is None and not context["can"]["head"]:
        messages.error(request, f"{delegation}已归档，组成不能再改。确需更正的，请先重新打开。")
        return _to_plan(pk)
    return render(request, "delegations/head.html", context, status=status)


@login_required
@require_POST
def add_destination(request: ActingRequest, pk: int) -> HttpResponse:
    delegation = _delegation(request, pk, "arrange")
    unions = Union.objects.visible_to(request.actor).select_related("parent")
    union = unions.filter(code=clean(request.POST.get("union", ""))).first()
    try:
        if union is None:
            raise Refused("请选择走访单位。")
        planning.add_destination(delegation=delegation, union=union, by=request.actor)
    except ReportingError as error:
        _say(request, error)
    else:
        messages.success(request, f"已增加走访单位：{union.short_name}。")
    return _to_way(pk)


@login_required
@require_POST
def remove_destination(request: ActingRequest, pk: int) -> HttpResponse:
    destination = _destination(request, pk, "arrange")
    try:
        planning.remove_destination(destination=destination, by=request.actor)
    except ReportingError as error:
        _say(request, error)
    else:
        messages.success(request, f"已移除走访单位：{destination.union.short_name}。")
    return _to_way(destination.delegation_id)


@login_required
@require_POST
def order_destinations(request: ActingRequest, pk: int) -> HttpResponse:
    """`pk` of the POST: the destinations in the order the page showed; `up` or `down`: the one that moves."""
    delegation = _delegation(request, pk, "arrange")
    try:
        planning.order_destinations(delegation=delegation, pks=_new_order(request), by=request.actor)
    except ReportingError as error:
        _say(request, error)
    return _to_way(pk)


def _new_order(request: ActingRequest) -> list[int]:
    texts = [*request.POST.getlist("pk"), *(request.POST.get(way, "0") for way in ("up", "down"))]
    if not all(text.isascii() and text.isdigit() and len(text) < 16 for text in texts):
        raise Refused("没有收到走访顺序，请刷新页面后再排。")
    *order, up, down = map(int, texts)
    moved = up or down
    if moved in order:
        at = order.index(moved)
        to = max(0, at - 1) if up else min(len(order) - 1, at + 1)
        order[at], order[to] = order[to], order[at]
    return order


def _to_way(pk: int) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse('delegation_head', args=[pk])}#way")


@login_required
@require_POST
def remove_delegation(request: ActingRequest, pk: int) -> HttpResponse:
    delegation = _delegation(request, pk, "arrange")
    try:
        planning.remove_delegation(delegation=delegation, by=request.actor)
    except ReportingError as error:
        _say(request, error)
        return redirect("delegation_head", pk)
    messages.success(request, f"已删除{delegation}。")
    return redirect("delegation_board", delegation.campaign_id)


# -- what happened -----------------------------------------------------------------------------------------


@login_required
@require_safe
@never_cache
def history(request: ActingRequest, pk: int) -> HttpResponse:
    """Who changed what and why; and who looked at which household, for those whom that concerns."""
    delegation = _delegation(request, pk, "view")
    context = head(request, delegation, HISTORY)
    events = PlanEvent.objects.filter(delegation=delegation).select_related("by", "acting_for")
    context["events"] = Paginator(events, EVENTS_ON_A_PAGE).get_page(request.GET.get("page"))
    if context["role_may"]["read_household_files"]:
        looks = Unmasking.objects.filter(delegation=delegation)
        looks = looks.select_related("by", "visit__personal", "destination__union")
        context["looks"] = Paginator(looks, EVENTS_ON_A_PAGE).get_page(request.GET.get("looks"))
    return render(request, "delegations/history.html", context)
