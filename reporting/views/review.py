"""A filing as the level above sees it: the queue, one round, the moves, the history.

What is shown are the sealed rows of a round, never a working copy, and nobody above ever edits a figure.
Every POST says which round its page showed; a page that is out of date moves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from reporting import workflow
from reporting.dispatch import sendings as sendings_of
from reporting.errors import Refused, WrongState
from reporting.forms import EVERYTHING, ONLY_CELLS, SendBackForm
from reporting.models import Campaign, Filing, Round
from reporting.paper.scans import scans_of
from reporting.rounds import RoundView, changed_beside_figures, compare, events_of, view_round
from reporting.sheets import sheets_for
from reporting.standing import last_returns, reviewable, waiting_first
from reporting.views.numbers import number_in
from unions.gate import Actor
from unions.middleware import ActingRequest

State = Filing.State


def visible_filing(actor: Actor, pk: int) -> Filing:
    """Behind the gate: 404 outside the subtree, 403 inside without a role that may look."""
    found = Filing.objects.visible_to(actor).select_related(
        "union", "campaign", "current_round__submitted_by", "current_round__report"
    )
    filing: Filing = get_object_or_404(found, pk=pk)
    actor.require("view", filing.union)
    return filing


# -- the queue ---------------------------------------------------------------------------------------------


@login_required
@require_safe
@never_cache
def queue(request: ActingRequest) -> HttpResponse:
    """Who waits for me, longest first; then everybody else, folded by state."""
    actor = request.actor
    actor.require_anywhere("review")
    campaigns = list(Campaign.objects.all())
    chosen = _chosen(campaigns, request.GET.get("campaign", ""))
    shown = [chosen] if chosen else [campaign for campaign in campaigns if not campaign.is_closed]
    filings = list(waiting_first(reviewable(actor).filter(campaign__in=shown)))
    by_state: dict[str, list[Filing]] = {str(state): [] for state in State}
    for filing in filings:
        by_state[filing.state].append(filing)
    returns = last_returns(by_state[State.RETURNED])
    others = [
        {
            "state": state,
            "label": State(state).label,
            "rows": [
                {"filing": filing, "returned": returns.get(filing.pk)}
                for filing in sorted(by_state[state], key=lambda f: (f.union.position, f.union.code))
            ],
        }
        for state in (State.RETURNED, State.APPROVED, State.DRAFT)
    ]
    return render(
        request,
        "reporting/queue.html",
        {
            "campaigns": campaigns,
            "chosen": chosen,
            "several": len(shown) > 1,
            "waiting": by_state[State.SUBMITTED],
            "others": others,
            "returns": returns,
            "total": len(filings),
        },
    )


def _chosen(campaigns: list[Campaign], text: str) -> Campaign | None:
    return next((campaign for campaign in campaigns if str(campaign.pk) == text), None)


# -- one round ---------------------------------------------------------------------------------------------


@login_required
@require_safe
@never_cache
def review_page(request: ActingRequest, pk: int) -> HttpResponse:
    filing = visible_filing(request.actor, pk)
    workflow.mark_opened(filing=filing, by=request.actor)
    return _review(request, filing, request.GET)


def _review(
    request: ActingRequest,
    filing: Filing,
    query: QueryDict,
    *,
    typed: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page; `typed` are the words of a move that was refused, so that nobody types them twice."""
    actor = request.actor
    round_ = filing.current_round
    shown = view_round(filing, round_) if round_ else None
    slugs = [sheet.slug for sheet in sheets_for(filing.campaign)]
    asked = query.get("remark", "")
    form = query.get("form", "") or asked.partition(":")[0]
    state, running = filing.state, not filing.campaign.is_closed
    own_work = round_ is not None and filing.union.is_root and round_.submitted_by_id == actor.person.pk
    return render(
        request,
        "reporting/review.html",
        {
            "filing": filing,
            "shown": shown,
            "scans": scans_of([round_.pk]).get(round_.pk, []) if round_ else [],
            "beside_scan": "scan" in query,
            "is_own": actor.may("view_draft", filing.union),
            "active": form if form in slugs or form == "report" else slugs[0],
            "asked": asked,
            "only_changed": "changed" in query,
            "can_remark": actor.may("remark", filing.union, state),
            "can_approve": actor.may("approve", filing.union, state) and not own_work,
            "must_be_another": actor.may("approve", filing.union, state) and own_work,
            "can_send_back": actor.may("send_back", filing.union, state) and running,
            "can_reopen": actor.may("reopen", filing.union, state) and running,
            "can_fill": actor.may("fill", filing.union, state),
            "is_reviewer": actor.may("review", filing.union),
            "open_cells": _open_cells(filing),
            "returned": last_returns([filing]).get(filing.pk) if state == State.RETURNED else None,
            "ask": query.get("ask", ""),
            "min_reason": workflow.MIN_REASON,
            "send_back": _send_back_answers(shown, typed),
            "typed": typed or {},
        },
        status=status,
    )


def _send_back_answers(shown: RoundView | None, typed: dict[str, Any] | None) -> dict[str, Any]:
    """What the dialog of 退回 holds: cells with remarks are ticked before anybody has to."""
    remarked = shown.remarked + (["report"] if shown and shown.report_remarks else []) if shown else []
    ticked = typed["cells"] if typed and "cells" in typed else remarked
    scope = typed["scope"] if typed and "scope" in typed else (ONLY_CELLS if remarked else EVERYTHING)
    return {"ticked": ticked, "scope": scope, "remarked": remarked}


@login_required
@require_POST
def add_remark(request: ActingRequest, pk: int) -> HttpResponse:
    filing = visible_filing(request.actor, pk)
    form, _, code = request.POST.get("cell", "").partition(":")
    try:
        workflow.add_remark(
            filing=filing,
            round_number=_round_seen(request),
            form=form,
            code=code,
            text=request.POST.get("text", ""),
            by=request.actor,
        )
    except WrongState as error:
        return _told(request, filing, error)
    except Refused as error:
        messages.error(request, error.sentences[0])
        return _review(
            request,
            filing,
            _query(remark=request.POST.get("cell", "")),
            typed={"remark": request.POST.get("text", "")},
            status=422,
        )
    messages.success(request, "批注已保存。")
    anchor = f"r-{form}-{code}" if code else "remarks"
    return HttpResponseRedirect(f"{reverse('review_page', args=[pk])}?form={form}#{anchor}")


@login_required
@require_POST
def send_back(request: ActingRequest, pk: int) -> HttpResponse:
    filing = visible_filing(request.actor, pk)
    names = [f"{sheet.slug}:{code}" for sheet in sheets_for(filing.campaign) for code in sheet.fields]
    form = SendBackForm(request.POST, cells=[*names, "report"])
    reason = request.POST.get("reason", "")

    def move() -> None:
        if not form.is_valid():
            request.actor.require("send_back", filing.union)
            raise Refused(*form.sentences())
        workflow.send_back(
            filing=filing,
            round_number=_round_seen(request),
            reason=reason,
            by=request.actor,
            cells=form.opened,
        )

    return _moved(
        request,
        filing,
        move,
        done=f"已退回{filing.union.name}，对方会收到消息。",
        ask="send_back",
        typed={
            "reason": reason,
            "scope": request.POST.get("scope", EVERYTHING),
            "cells": request.POST.getlist("cells"),
        },
    )


@login_required
@require_POST
def approve(request: ActingRequest, pk: int) -> HttpResponse:
    filing = visible_filing(request.actor, pk)
    return _moved(
        request,
        filing,
        lambda: workflow.approve(filing=filing, round_number=_round_seen(request), by=request.actor),
        done=f"{filing.union.name}已审核通过。",
        onward="review_queue",
    )


@login_required
@require_POST
def reopen(request: ActingRequest, pk: int) -> HttpResponse:
    filing = visible_filing(request.actor, pk)
    reason = request.POST.get("reason", "").replace("\x00", "")  # no form field that would refuse it
    return _moved(
        request,
        filing,
        lambda: workflow.reopen(
            filing=filing, round_number=_round_seen(request), reason=reason, by=request.actor
        ),
        done=f"已重开{filing.union.name}的报送件，对方修改后须重新上报。",
        ask="reopen",
        typed={"reason": reason},
    )


def _moved(
    request: ActingRequest,
    filing: Filing,
    move: Callable[[], None],
    *,
    done: str,
    ask: str = "",
    typed: dict[str, Any] | None = None,
    onward: str = "review_page",
) -> HttpResponse:
    """Call one action and say what came of it."""
    try:
        move()
    except WrongState as error:
        return _told(request, filing, error)
    except Refused as error:
        # On the page and in the dialog: without script the dialog stands at the end of the page.
        for sentence in error.sentences:
            messages.error(request, sentence)
        typed = {**(typed or {}), "errors": error.sentences}
        return _review(request, filing, _query(ask=ask), typed=typed, status=422)
    messages.success(request, done)
    return redirect(onward, filing.pk) if onward == "review_page" else redirect(onward)


def _told(request: ActingRequest, filing: Filing, error: WrongState) -> HttpResponse:
    """Somebody moved first: say who and when, and show how it stands now."""
    messages.warning(request, error.sentences[0])
    return redirect("review_page", filing.pk)


def _round_seen(request: ActingRequest) -> int:
    """The number of the round the page showed; 0, which no round has, when it is missing."""
    return number_in(request.POST.get("round"))


def _query(**values: str) -> QueryDict:
    query = QueryDict(mutable=True)
    for name, value in values.items():
        query[name] = value
    return query


# -- history -----------------------------------------------------------------------------------------------


@login_required
@require_safe
def history(request: ActingRequest, pk: int) -> HttpResponse:
    """Every move, every round, and any two rounds side by side."""
    filing = visible_filing(request.actor, pk)
    rounds = list(filing.rounds.select_related("submitted_by", "report").order_by("-number"))
    old, new = _two(rounds, request.GET.get("old", ""), request.GET.get("new", ""))
    labels = _labels_of_cells(filing)
    scans = scans_of(r.pk for r in rounds)
    sendings = sendings_of((r.pk for r in rounds), filing.campaign.mailbox)
    context: dict[str, Any] = {
        "filing": filing,
        "rounds": [(r, scans.get(r.pk, []), sendings.get(r.pk)) for r in rounds],
        "sendings": sendings,
        "may_mail": request.actor.may_here("manage_campaign") and bool(filing.campaign.mailbox),
        "events": [
            {"event": event, "cells": [labels.get(name, name) for name in event.cells]}
            for event in events_of(filing)
        ],
        "old": old,
        "new": new,
    }
    if old and new:
        context["differences"] = compare(filing.campaign, old, new)
        context["beside"] = changed_beside_figures(old, new)
    return render(request, "reporting/history.html", context)


def _two(rounds: list[Round], old: str, new: str) -> tuple[Round | None, Round | None]:
    """The two rounds asked for, the earlier one first; without asking, the last two."""
    by_number = {str(round_.number): round_ for round_ in rounds}
    if old in by_number and new in by_number and old != new:
        first, second = sorted((by_number[old], by_number[new]), key=lambda round_: round_.number)
        return first, second
    return (rounds[1], rounds[0]) if len(rounds) > 1 else (None, None)


def _open_cells(filing: Filing) -> list[str]:
    """What a returned filing has open, in words; nothing when everything is."""
    labels = _labels_of_cells(filing) if filing.open_cells else {}
    return [label for name, label in labels.items() if name in filing.open_cells]


def _labels_of_cells(filing: Filing) -> dict[str, str]:
    """`warmth:E1` → how people call it."""
    labels = {
        f"{sheet.slug}:{row.code}": f"{sheet.form.attachment} {row.code}"
        for sheet in sheets_for(filing.campaign)
        for row in sheet.rows
    }
    return labels | {"report": "送温暖报告"}
