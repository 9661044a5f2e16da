"""Campaigns: who has filed, what the notice orders, the wording of the sheets, extensions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from reporting import campaigns, dispatch, workflow
from reporting.clock import now
from reporting.errors import Refused, ReportingError
from reporting.forms import CampaignForm, CloneForm, ExtensionForm
from reporting.models import Campaign, Filing, SheetRow
from reporting.registry import all_forms, get_form
from reporting.standing import ProgressRow, progress_rows, standings
from unions.middleware import ActingRequest
from unions.models import Union


def _campaign(pk: int) -> Campaign:
    """A campaign belongs to everybody; what stands in it is behind the gate."""
    return get_object_or_404(Campaign, pk=pk)


@login_required
@require_safe
def campaign_list(request: ActingRequest) -> HttpResponse:
    actor = request.actor
    actor.require_here("see_progress")
    assert actor.union is not None  # nobody without a union passes the gate above
    listed = list(Campaign.objects.all())
    counted = standings(listed, actor.union)
    moment = now()
    rows = [
        {
            "campaign": campaign,
            "standing": counted[campaign.pk],
            "not_yet": moment < campaign.opens_at,
            "over": moment > campaign.deadline,
        }
        for campaign in listed
    ]
    return render(request, "reporting/campaigns.html", {"rows": rows})


# -- who has filed -----------------------------------------------------------------------------------------

FILTERS = {
    "approved": "已通过",
    "submitted": "待审核",
    "returned": "已退回",
    "draft": "填报中",
    "missing": "未上报",
    "late": "逾期",
}


@login_required
@require_safe
@never_cache
def progress(request: ActingRequest, pk: int) -> HttpResponse:
    """Who has filed and who has not. `?under=` goes one level down."""
    actor = request.actor
    campaign = _campaign(pk)
    actor.require_here("see_progress")
    union = actor.union
    assert union is not None
    if under := request.GET.get("under"):
        union = get_object_or_404(Union.objects.visible_to(actor).select_related("parent"), code=under)
        actor.require("see_progress", union)
    everybody = progress_rows(campaign, union, actor)
    chosen = request.GET.get("state", "")
    shown = [row for row in everybody if _passes(row, chosen)] if chosen in FILTERS else everybody
    counts = {name: sum(_passes(row, name) for row in everybody) for name in FILTERS}
    manages = actor.may_here("manage_campaign")
    sendings = dispatch.sendings((row.filing.current_round_id for row in shown), campaign.mailbox)
    return render(
        request,
        "reporting/progress.html",
        {
            "campaign": campaign,
            "union": union,
            "crumbs": _crumbs(actor.union, union),
            "rows": [replace(row, sending=sendings.get(row.filing.current_round_id or 0)) for row in shown],
            "mailbox": dispatch.standing(campaign) if union.is_root and campaign.mailbox else None,
            "may_mail": manages and bool(campaign.mailbox),
            "shows_mail": bool(sendings) or (manages and bool(campaign.mailbox)),
            "filters": [(name, label, counts[name]) for name, label in FILTERS.items()],
            "chosen": chosen if chosen in FILTERS else "",
            "standing": standings([campaign], union)[campaign.pk],
            "total": len(everybody),
            "has_below": any(row.below.total for row in everybody),
            "can_extend": actor.may_here("extend"),
            "unprepared": len(campaigns.without_filing(campaign))
            if manages and not campaign.is_closed
            else 0,
            "not_yet": now() < campaign.opens_at,
        },
    )


def _passes(row: ProgressRow, chosen: str) -> bool:
    if chosen == "missing":
        return row.filing.is_editable
    if chosen == "late":
        return row.filing.is_late
    return row.filing.state == chosen


def _crumbs(acting: Union | None, union: Union) -> list[Union]:
    """The unions from the one acted for down to the one shown."""
    assert acting is not None
    codes = union.ancestor_codes[len(acting.ancestor_codes) - 1 :]
    found = {u.code: u for u in Union.objects.filter(code__in=codes)} if len(codes) > 1 else {}
    return [found[code] for code in codes if code in found]


# -- what the notice orders --------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: ActingRequest, pk: int) -> HttpResponse:
    """The settings; `do` of a POST says which button: save, close, reopen or prepare."""
    actor = request.actor
    actor.require_here("manage_campaign")
    campaign = _campaign(pk)
    do = request.POST.get("do", "save")
    form = CampaignForm(
        request.POST if request.method == "POST" and do == "save" else None, instance=_campaign(pk)
    )
    if request.method == "POST":
        try:
            said, form = _do(request, do, campaign, form)
        except Refused as error:
            messages.error(request, error.sentences[0])
            return redirect("campaign_settings", pk)
        if said:
            messages.success(request, said)
            return redirect("campaign_settings", pk)
    return render(
        request,
        "reporting/campaign_settings.html",
        {
            "campaign": campaign,
            "form": form,
            "unprepared": campaigns.without_filing(campaign),
            "to_check": sum(campaigns.rows_to_check(campaign).values()),
            "no_number": campaign.notice_number == campaigns.NO_NUMBER_YET,
        },
        status=422 if form.errors else 200,
    )


def _do(request: ActingRequest, do: str, campaign: Campaign, form: CampaignForm) -> tuple[str, CampaignForm]:
    """What was done, or nothing when the form that comes back says what is wrong."""
    by = request.actor
    if do == "prepare":
        made = campaigns.add_missing_filings(campaign=campaign, by=by)
        return (f"已为 {made} 个单位补建报送件。" if made else "各启用单位都已有报送件。"), form
    if do in ("close", "reopen"):
        campaigns.set_closed(campaign=campaign, closed=do == "close", by=by)
        ended = "报送任务已结束，各单位不能再填写和上报。"
        return (ended if do == "close" else "报送任务已重新开启。"), form
    if not form.is_valid():
        return "", form
    try:
        campaigns.update_campaign(campaign=campaign, values=form.changes(), shown=form.values_shown(), by=by)
    except campaigns.OutOfDate as error:
        form = form.brought_up_to_date(_campaign(campaign.pk))
        form.add_error(None, error.sentences)
        return "", form
    except ValidationError as error:
        form.add_error(None, error.messages)
        return "", form
    return "设置已保存。", form


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def clone(request: ActingRequest, pk: int) -> HttpResponse:
    actor = request.actor
    actor.require_here("manage_campaign")
    campaign = _campaign(pk)
    newest = Campaign.objects.all()[0].year
    form = CloneForm(
        request.POST if request.method == "POST" else None,
        campaign=campaign,
        initial={"year": max(newest, campaign.year) + 1},
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = campaigns.clone_campaign(campaign=campaign, year=form.cleaned_data["year"], by=actor)
        except Refused as error:
            form.add_error("year", error.sentences[0])
        else:
            messages.success(
                request, f"已建立{made.title}，并为各启用单位建好报送件。请核对通知文号和各项时间。"
            )
            return redirect("campaign_settings", made.pk)
    return render(
        request,
        "reporting/clone.html",
        {
            "campaign": campaign,
            "form": form,
            "changed_rows": campaign.sheet_rows.exclude(label="", is_off=False).count(),
        },
        status=422 if form.errors else 200,
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def extension(request: ActingRequest, pk: int) -> HttpResponse:
    """The province lets one union submit after the deadline."""
    actor = request.actor
    found = Filing.objects.visible_to(actor).select_related("union", "campaign")
    filing: Filing = get_object_or_404(found, pk=pk)
    actor.require("extend", filing.union)
    form = ExtensionForm(request.POST if request.method == "POST" else None, filing=filing)
    if request.method == "POST" and form.is_valid():
        try:
            workflow.extend(filing=filing, by=actor, **form.cleaned_data)
        except ReportingError as error:
            form.add_error(None, error.sentences)
        else:
            messages.success(request, f"已准予{filing.union.name}延期，对方会收到消息。")
            return redirect("progress", filing.campaign_id)
    granted = filing.events.filter(move="extend").select_related("by")
    return render(
        request,
        "reporting/extension.html",
        {"filing": filing, "campaign": filing.campaign, "form": form, "granted": granted},
        status=422 if form.errors else 200,
    )


# -- 表样核对 ----------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def sheet_rows(request: ActingRequest, pk: int) -> HttpResponse:
    """The rows of one form against the original of the notice; `?row=A1` opens a row to be changed."""
    actor = request.actor
    actor.require_here("manage_campaign")
    campaign = _campaign(pk)
    asked = request.POST.get("form") or request.GET.get("form", "")
    form = next((form for form in all_forms() if form.slug == asked), all_forms()[0])
    to_check = campaigns.rows_to_check(campaign)
    typed: dict[str, Any] = {}
    if request.method == "POST":
        try:
            code, said = _change_row(request, campaign, form.slug)
        except Refused as error:
            messages.error(request, error.sentences[0])
            typed = {
                "code": request.POST.get("save") or request.POST.get("save_and_check") or "",
                "label": request.POST.get("label", ""),
                "is_off": "is_off" in request.POST,
            }
        else:
            messages.success(request, said)
            address = f"{reverse('sheet_rows', args=[pk])}?form={form.slug}"
            return HttpResponseRedirect(f"{address}#r-{code}" if code else address)
    open_row = typed.get("code") or request.GET.get("row", "")
    reconstructed = {code for code, field in form.fields().items() if field.printed == "no"}
    return render(
        request,
        "reporting/sheet_rows.html",
        {
            "campaign": campaign,
            # Texts only: a template would call a class it is given.
            "slug": form.slug,
            "title": form.title,
            "tabs": [
                {
                    "slug": other.slug,
                    "name": f"{other.attachment} {other.title}",
                    "to_check": to_check[other.slug],
                }
                for other in all_forms()
            ],
            "rows": _rows_of(campaign, form),
            "open_row": open_row if open_row in reconstructed else "",
            "typed": typed,
        },
        status=422 if typed else 200,
    )


def _rows_of(campaign: Campaign, form: Any) -> list[dict[str, Any]]:
    """Every row, those switched off too: the declared wording and what this campaign makes of it."""
    kept = {
        row.code: row
        for row in SheetRow.objects.filter(campaign=campaign, form=form.slug).select_related("checked_by")
    }
    rows, section = [], 0
    for code, field in form.fields().items():
        kept_row = kept.get(code) or SheetRow(campaign=campaign, form=form.slug, code=code)
        rows.append(
            {
                "code": code,
                "field": field,
                "serial": field.section if field.section != section else "",
                "label": campaigns.label_of(campaign, kept_row),
                "declared": field.label if kept_row.label and field.printed == "no" else "",
                "is_off": kept_row.is_off,
                "shown": campaigns.as_shown(campaign, kept_row),
                "kept": kept_row,
                "is_total": bool(field.of),
            }
        )
        section = field.section
    return rows


def _change_row(request: ActingRequest, campaign: Campaign, form: str) -> tuple[str, str]:
    """(code, sentence) of what the pressed button did."""
    post, by = request.POST, request.actor
    if "check_all" in post:
        shown = {code: post.get(f"shown-{code}", "") for code in get_form(form).fields()}
        made = campaigns.check_all_rows(campaign=campaign, form=form, by=by, shown=shown)
        return "", f"已记录核对 {made} 行。" if made else "这张表的每一行都已核对过。"
    for button, checked in (("check", True), ("uncheck", False)):
        if code := post.get(button):
            # To take a check back is safe whatever stands there.
            shown_row = post.get(f"shown-{code}", "") if checked else None
            campaigns.check_row(
                campaign=campaign, form=form, code=code, by=by, checked=checked, shown=shown_row
            )
            return code, f"{code} 已记为{'核对无误' if checked else '未核对'}。"
    code = post.get("save_and_check") or post.get("save") or ""
    campaigns.set_row(
        campaign=campaign,
        form=form,
        code=code,
        label=post.get("label", ""),
        is_off="is_off" in post,
        by=by,
        shown=post.get(f"shown-{code}", ""),
    )
    if "save_and_check" in post:
        campaigns.check_row(campaign=campaign, form=form, code=code, by=by)
    return code, f"{code} 已保存。"
