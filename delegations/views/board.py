"""All delegations of a campaign: where somebody goes, the whole plan on one page, what holds for all of them."""

from __future__ import annotations

import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from delegations import budget, planning, standards
from delegations.access import is_office, may, require_a_plan, require_office, sees_a_plan, sees_all
from delegations.board.overview import Fund, overview
from delegations.dates import span
from delegations.forms import ArrangementForm, NormForm, SourceForm
from delegations.models import Delegation, Destination, MaterialKind, Norm, PlanEvent
from delegations.norms import bounds
from delegations.plans import Rulebook
from reporting.clock import now
from reporting.errors import Refused, ReportingError
from reporting.models import Campaign
from reporting.views.numbers import number_in
from unions.gate import Actor
from unions.middleware import ActingRequest

# -- where somebody goes -----------------------------------------------------------------------------------


@login_required
@require_safe
@never_cache
def home(request: ActingRequest) -> HttpResponse:
    """The board for who works with plans, the own destination for a visited union, or a page that says why not."""
    actor = request.actor
    if sees_a_plan(actor):
        campaign = _newest(actor)
        if campaign is not None:
            return redirect("delegation_board", campaign.pk)
    mine = list(
        Destination.objects.visible_to(actor)
        .filter(union=actor.union)
        .select_related("delegation", "campaign", "union")
        .order_by("-campaign__year")
    )
    if len(mine) == 1:
        return redirect("destination", mine[0].pk)
    if mine:
        rows = [(each, span(each.first_day, each.last_day)) for each in mine]
        return render(request, "delegations/board_host.html", {"destinations": rows})
    return render(
        request,
        "delegations/no_visit.html",
        {"sees_all": sees_all(actor), "sees_a_plan": sees_a_plan(actor)},
    )


def _newest(actor: Actor) -> Campaign | None:
    """The newest campaign under way with delegations of the actor, else the newest that is over. The office,
    which makes the first delegation, also finds one without any."""
    with_plans = Campaign.objects.filter(delegations__in=Delegation.objects.visible_to(actor)).distinct()
    found = with_plans.order_by("is_closed", "-year").first()
    if found is None and sees_all(actor):
        found = Campaign.objects.order_by("is_closed", "-year").first()
    return found


# -- the whole plan ----------------------------------------------------------------------------------------


@login_required
@require_safe
@never_cache
def board(request: ActingRequest, pk: int) -> HttpResponse:
    """Everything the actor may see of a campaign's delegations; ten queries of its own."""
    actor = request.actor
    require_a_plan(actor)
    visible = Delegation.objects.visible_to(actor)
    # One query for the campaign and for those one can change to.
    campaigns = list(Campaign.objects.filter(Q(pk=pk) | Q(delegations__in=visible)).distinct())
    campaign = next((c for c in campaigns if c.pk == pk), None)
    if campaign is None:
        raise Http404("没有这个报送任务。")
    shown = overview(
        visible.filter(campaign=campaign),
        Rulebook.of(campaign),
        today=timezone.localdate(now()),
        is_whole=sees_all(actor),
        settings=reverse("delegation_settings", args=[pk]) if is_office(actor) else "",
    )
    return render(
        request,
        "delegations/board.html",
        {
            "campaign": campaign,
            "campaigns": campaigns,
            "overview": shown,
            "sees_all": sees_all(actor),
            "may_export_personal": any(may(actor, "reveal", row.delegation) for row in shown.rows),
            "material_kinds": len(MaterialKind.choices),
        },
    )


@login_required
@require_POST
def new_delegation(request: ActingRequest, pk: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign, pk=pk)
    try:
        made = planning.create_delegation(campaign=campaign, by=request.actor)
    except Refused as error:
        messages.error(request, error.sentences[0])
        return redirect("delegation_board", pk)
    messages.success(request, f"已新建{made}，请填写带队领导、成员单位和联络员。")
    return redirect("delegation_head", made.pk)


# -- what holds for all delegations ------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def settings_page(request: ActingRequest, pk: int) -> HttpResponse:
    """Numbers, sources and norms; `do` of a POST says which: arrangement, source (`source`: of which), norm."""
    require_office(request.actor)
    campaign = get_object_or_404(Campaign, pk=pk)
    posted = request.method == "POST"
    do, chosen = request.POST.get("do", ""), request.POST.get("source", "")
    rulebook = Rulebook.of(campaign)
    arrangement = ArrangementForm(
        request.POST if do == "arrangement" else None, arrangement=rulebook.arrangement
    )
    norm = NormForm(request.POST if do == "norm" else None)
    sources = {
        str(source.pk if source else "new"): SourceForm(
            request.POST if do == "source" and chosen == str(source.pk if source else "new") else None,
            source=source,
        )
        for source in (*rulebook.sources, None)
    }
    if posted:
        if do == "remove_norm":
            return _remove_norm(request, campaign)
        form = {"arrangement": arrangement, "source": sources.get(chosen), "norm": norm}.get(do)
        if form is None:
            messages.error(request, "没有这项设置，请在刷新后的页面上再试。")
            return redirect("delegation_settings", pk)
        if said := _save(form, campaign, request.actor):
            messages.success(request, said)
            return HttpResponseRedirect(f"{reverse('delegation_settings', args=[pk])}#{do}")
    delegations = Delegation.objects.filter(campaign=campaign)
    planned = budget.fold(budget.lines(delegations), lambda line: line.source)
    nothing = budget.total(())
    return render(
        request,
        "delegations/settings.html",
        {
            "campaign": campaign,
            "arrangement_form": arrangement,
            "sources": [
                (Fund(source, planned.get(source.pk, nothing).planned), sources[str(source.pk)])
                for source in rulebook.sources
            ],
            "new_source_form": sources["new"],
            "norm_form": norm,
            "subjects": _norms_by_subject(rulebook),
            "events": PlanEvent.objects.filter(campaign=campaign, delegation=None).select_related("by")[:30],
            "closed_plans": [d for d in delegations if d.state != Delegation.State.PLANNING],
        },
        status=422 if posted else 200,
    )


def _remove_norm(request: ActingRequest, campaign: Campaign) -> HttpResponse:
    pk = number_in(request.POST.get("norm"))
    try:
        standards.remove_norm(campaign=campaign, norm=Norm(pk=pk), by=request.actor)
    except ReportingError as error:
        messages.error(request, error.sentences[0])
    else:
        messages.success(request, "标准已删除。")
    return HttpResponseRedirect(f"{reverse('delegation_settings', args=[campaign.pk])}#norm")


def _save(form: ArrangementForm | SourceForm | NormForm, campaign: Campaign, by: Actor) -> str:
    """What was done, or nothing when the form says what is wrong."""
    if not form.is_valid():
        return ""
    try:
        if isinstance(form, ArrangementForm):
            standards.set_arrangement(campaign=campaign, values=form.values(), by=by)
            return "走访标准已保存。"
        if isinstance(form, SourceForm):
            saved = standards.set_source(campaign=campaign, source=form.source, by=by, **form.values())
            return f"资金来源“{saved.name}”已{'保存' if form.source else '增加'}。"
        made = standards.add_norm(campaign=campaign, by=by, **form.cleaned_data)
        return f"已增加标准：{made.get_subject_display()}自 {made.valid_from:%Y-%m-%d} 起 {bounds(made)}。"
    except Refused as error:
        form.add_error(None, error.sentences)
        return ""


def _norms_by_subject(rulebook: Rulebook) -> list[tuple[str, list[tuple[Norm, str, bool]]]]:
    """(subject, [(norm, its amount in words, whether it holds on a day of the visits)]), newest first."""
    today = timezone.localdate(now())
    opens = rulebook.campaign.visits_from or today
    closes = rulebook.campaign.visits_until or opens
    found = []
    for subject in Norm.Subject:
        rows = []
        following: datetime.date | None = None
        for norm in (n for n in rulebook.norms.rows if n.subject == subject):
            holds = norm.valid_from <= closes and (following is None or following > opens)
            rows.append((norm, bounds(norm), holds))
            following = norm.valid_from
        found.append((str(subject.label), rows))
    return found
