"""Summaries: asking for one, watching it come, reading it, opening any total into its parts."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import Count, Prefetch, Q
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from reporting.aggregation import request_run
from reporting.clock import now
from reporting.fields import YesNoField
from reporting.fragments import RECONSTRUCTED
from reporting.models import AggregationRun, Campaign, Summary
from reporting.rules import LEVEL_LABELS
from reporting.summaries import (
    Figures,
    SealedSheet,
    Unit,
    aligned,
    explanations_of,
    find_unit,
    opened,
    participants_of,
    reason_of,
    repeats,
    sealed_sheets,
    unfolded,
    units_of,
)
from reporting.tasks import known_progress, start_aggregating
from unions.middleware import ActingRequest
from unions.models import Union

# Beside the forms a summary has one more tab; no form may be called so, nor `exports`.
FILINGS = "filings"
# After this long without a sign of a worker the page says that nobody need wait for it.
PATIENCE = datetime.timedelta(seconds=60)


def _summary(request: ActingRequest, pk: int) -> Summary:
    request.actor.require_here("see_summary")
    return get_object_or_404(Summary.objects.select_related("campaign"), pk=pk)


def _sheet(sheets: list[SealedSheet], slug: str) -> SealedSheet:
    for sheet in sheets:
        if sheet.slug == slug:
            return sheet
    raise Http404


# -- asking for one ----------------------------------------------------------------------------------------


@login_required
@require_safe
def summary_list(request: ActingRequest, pk: int) -> HttpResponse:
    request.actor.require_here("see_summary")
    campaign = get_object_or_404(Campaign, pk=pk)
    runs = AggregationRun.objects.select_related("requested_by").order_by("id")
    summaries = (
        campaign.summaries.annotate(
            included=Count("entries"), late=Count("entries", filter=Q(entries__is_late=True))
        )
        .order_by("-number")  # grouping has dropped the model's own order
        .prefetch_related(Prefetch("runs", runs))
        .defer("figures")
    )
    last_done = campaign.runs.filter(state=AggregationRun.State.DONE).select_related("summary").first()
    unfinished = runs.filter(campaign=campaign, pk__gt=last_done.pk if last_done else 0).exclude(
        state=AggregationRun.State.DONE
    )
    context = {
        "campaign": campaign,
        "rows": [
            {
                "summary": summary,
                "url": first_page(summary),
                "reasons": [(reason_of(run), run) for run in summary.runs.all()],
            }
            for summary in summaries
        ],
        "unfinished": [(reason_of(run), run) for run in unfinished],
        "repeated": last_done if last_done and repeats(last_done) else None,
        "may_aggregate": request.actor.may_here("aggregate"),
    }
    return render(request, "reporting/summaries.html", context)


def first_page(summary: Summary) -> str:
    return reverse("summary", args=[summary.pk, next(iter(summary.sheets), FILINGS)])


@login_required
@require_POST
def aggregate(request: ActingRequest, pk: int) -> HttpResponseRedirect:
    """立即汇总. The row is what counts; telling a worker only makes it come sooner."""
    request.actor.require_here("aggregate")
    campaign = get_object_or_404(Campaign, pk=pk)
    with transaction.atomic():
        run = request_run(campaign=campaign, by=request.actor)
        transaction.on_commit(start_aggregating)
    return redirect("run_progress", run.pk)


@login_required
@never_cache
@require_safe
def run_progress(request: ActingRequest, pk: int) -> HttpResponse:
    """The page asks itself again and again; done, it leads to the summary."""
    request.actor.require_here("see_summary")
    runs = AggregationRun.objects.select_related("campaign", "summary", "requested_by")
    run = get_object_or_404(runs, pk=pk)
    asks_again = bool(request.headers.get("HX-Request"))
    if run.state == AggregationRun.State.DONE and run.summary:
        number = run.summary.number
        if repeats(run):
            messages.info(request, f"数据没有变化，沿用第 {number} 号汇总。")
        else:
            messages.success(request, f"第 {number} 号汇总已完成。")
        url = first_page(run.summary)
        return HttpResponse(headers={"HX-Redirect": url}) if asks_again else redirect(url)
    context = {
        "run": run,
        "reason": reason_of(run),
        "progress": known_progress(run),
        "is_failed": run.state == AggregationRun.State.FAILED,
        "is_slow": now() - run.requested_at > PATIENCE,
        "may_aggregate": request.actor.may_here("aggregate"),
    }
    return render(request, "reporting/run_state.html" if asks_again else "reporting/run.html", context)


# -- reading one -------------------------------------------------------------------------------------------


def _head(
    request: ActingRequest, summary: Summary, sheets: list[SealedSheet], current: str
) -> dict[str, Any]:
    """What stands above every page of a summary."""
    counts = summary.entries.aggregate(included=Count("pk"), late=Count("pk", filter=Q(is_late=True)))
    tabs = [
        (
            sheet.slug,
            sheet.form.attachment,
            sheet.summary_title,
            reverse("summary", args=[summary.pk, sheet.slug]),
        )
        for sheet in sheets
    ]
    tabs.append((FILINGS, "", "报送情况", reverse("summary", args=[summary.pk, FILINGS])))
    newest = summary.campaign.summaries.order_by("-number").values_list("pk", "number").first()
    return {
        "summary": summary,
        "campaign": summary.campaign,
        "counts": counts,
        "tabs": tabs,
        "current": current,
        "newer": newest if newest and newest[0] != summary.pk else None,
    }


@login_required
@require_safe
def summary_page(request: ActingRequest, pk: int, slug: str) -> HttpResponse:
    """A form's totals in the layout of the notice, or who filed."""
    summary = _summary(request, pk)
    sheets = sealed_sheets(summary)
    context = _head(request, summary, sheets, slug)
    if slug == FILINGS:
        context |= {"participants": participants_of(summary), "explanations": explanations_of(summary)}
        return render(request, "reporting/summary_filings.html", context)
    sheet = _sheet(sheets, slug)
    address = PartsAddress(summary, sheet)
    context |= {
        "sheet": sheet,
        "rows": [
            {
                "row": row,
                "span": sheet.section_lengths[row.section],
                "text": sheet.field(row.code).grouped(sheet.figures.get(row.code)),
                "url": address.of(row.code),
            }
            for row in sheet.rows
        ],
        "problems": [(p["level"], LEVEL_LABELS.get(p["level"], ""), p["message"]) for p in sheet.problems],
        "reconstructed": RECONSTRUCTED,
    }
    return render(request, "reporting/summary.html", context)


class PartsAddress:
    """The address of the parts of many figures, resolved once."""

    def __init__(self, summary: Summary, sheet: SealedSheet, query: str = "") -> None:
        self.pattern = reverse("parts", args=[summary.pk, sheet.slug, "CODE"])
        self.query = f"?{query}" if query else ""

    def of(self, code: str) -> str:
        return self.pattern.replace("CODE", code) + self.query


@login_required
@require_safe
def matrix(request: ActingRequest, pk: int, slug: str) -> HttpResponse:
    """Units × indicators; `?level=all` also shows what each unit's figures are made of."""
    summary = _summary(request, pk)
    sheets = sealed_sheets(summary)
    sheet = _sheet(sheets, slug)
    every_level = request.GET.get("level") == "all"
    units = units_of(summary, slug)
    can_unfold = any(unit.opens for unit in units)
    if every_level:
        units = unfolded(summary.campaign, slug, units)
    address = PartsAddress(summary, sheet)
    codes = [row.code for row in sheet.rows]
    css = {row.code: "t" if row.parts else "" for row in sheet.rows}
    columns = {
        code: aligned(sheet.field(code), [*(u.figures[code] for u in units), sheet.figures.get(code)])
        for code in codes
    }
    context = _head(request, summary, sheets, slug) | {
        "sheet": sheet,
        "columns": [(row, sheet.full_label(row.code)) for row in sheet.rows],
        "rows": [
            (unit, [(columns[code][number], css[code]) for code in codes])
            for number, unit in enumerate(units)
        ],
        "totals": [(columns[code][-1], css[code], address.of(code)) for code in codes],
        "every_level": every_level,
        "can_unfold": can_unfold,
    }
    return render(request, "reporting/matrix.html", context)


# -- any total opens into its parts ------------------------------------------------------------------------


@login_required
@require_safe
def parts(request: ActingRequest, pk: int, slug: str, code: str) -> HttpResponse:
    """Which units a figure is made of, and of which rows; `?unit=` opens one of the units further."""
    summary = _summary(request, pk)
    sheets = sealed_sheets(summary)
    sheet = _sheet(sheets, slug)
    if code not in sheet.row:
        raise Http404
    unit: Unit | None = None
    whole: Figures = sheet.figures
    lines = units_of(summary, slug) if "unit" not in request.GET else []
    if "unit" in request.GET:
        wanted = request.GET["unit"].replace("\x00", "")  # PostgreSQL refuses the question otherwise
        union = get_object_or_404(Union.objects.visible_to(request.actor), code=wanted)
        unit = find_unit(summary, slug, union)
        if unit is None:
            raise Http404
        whole = unit.figures
        lines = opened(summary.campaign, slug, [unit]).get(unit.union.pk, [unit])
        if not request.headers.get("HX-Request"):
            lines = [replace(line, depth=0) for line in lines]
    by_size = request.GET.get("sort") == "size"
    if by_size:
        lines.sort(key=lambda line: line.figures[code] or 0, reverse=True)
    is_fragment = bool(request.headers.get("HX-Request"))
    # Rows that open inside the province's table compare with the rows around them.
    compared = sheet.figures if is_fragment else whole
    context = {
        "sheet": sheet,
        "row": sheet.row[code],
        "by_size": by_size,
        "lines": _lines(sheet, code, lines, compared),
        "base": request.path,
    }
    if is_fragment:
        return render(request, "reporting/parts_rows.html", context)
    within = f"unit={unit.union.code}" if unit else ""
    parent = sheet.row[code].parent
    context |= _head(request, summary, sheets, slug) | {
        "label": sheet.full_label(code),
        "parent": sheet.row[parent] if parent in sheet.row else None,
        "parent_url": PartsAddress(summary, sheet, within).of(parent) if parent else "",
        "unit": unit,
        "within": within,
        "text": sheet.field(code).grouped(whole.get(code)),
        "children": _children(sheet, code, whole, PartsAddress(summary, sheet, within)),
        "is_sum": bool(sheet.row[code].parts),
    }
    return render(request, "reporting/parts.html", context)


def _lines(sheet: SealedSheet, code: str, units: list[Unit], whole: Figures) -> list[dict[str, Any]]:
    """Every unit's share."""
    field = sheet.field(code)
    texts = aligned(field, [unit.figures[code] for unit in units])
    return [
        {"unit": unit, "text": text, **_share(field, unit.figures[code], whole.get(code))}
        for unit, text in zip(units, texts, strict=True)
    ]


def _share(field: Any, figure: int | None, whole: int | None) -> dict[str, Any]:
    if isinstance(field, YesNoField) or figure is None or not whole:
        return {"share": None}
    return {"share": f"{100 * figure / whole:.1f}%", "figure": figure, "whole": whole}


def _children(sheet: SealedSheet, code: str, whole: Figures, address: PartsAddress) -> list[dict[str, Any]]:
    return [
        {
            "row": sheet.row[child],
            "label": sheet.full_label(child),
            "text": sheet.field(child).grouped(whole.get(child)),
            "url": address.of(child),
            **_share(sheet.field(child), whole.get(child), whole.get(code)),
        }
        for child in sheet.children(code)
        if child in sheet.row
    ]


# -- taking it away ----------------------------------------------------------------------------------------


@login_required
@require_safe
def workbook(request: ActingRequest, pk: int) -> HttpResponse:
    from reporting.workbooks.summary import (  # openpyxl takes its time
        CONTENT_TYPE,
        summary_workbook,
        workbook_name,
    )

    summary = _summary(request, pk)
    response = HttpResponse(summary_workbook(summary), content_type=CONTENT_TYPE)
    response["Content-Disposition"] = content_disposition_header(True, workbook_name(summary)) or ""
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
