"""打印与盖章: the PDF of a filing, the scan of its stamped sheet, and the code that ties paper to figures."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TypeVar

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from reporting.copies import Copy, draft_copy, rounds_at_hand, sealed_copy
from reporting.dispatch import sendings
from reporting.errors import Refused, ReportingError, WrongState
from reporting.models import Filing, Round, Scan, Summary
from reporting.paper.code import code_typed, short_code
from reporting.paper.scans import ACCEPT, CONTENT_TYPES, may_attach, scans_of, store_scan
from reporting.views.numbers import number_in
from unions.gate import Actor
from unions.middleware import ActingRequest

log = logging.getLogger(__name__)
R = TypeVar("R", HttpResponse, FileResponse)

# A document by itself: nothing is loaded for it, and only our own pages may show it in a frame.
DOCUMENT_POLICY = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
LEAST_CODE, MOST_FOUND = 8, 20


def _visible(request: ActingRequest, pk: int) -> Filing:
    rows = Filing.objects.visible_to(request.actor).select_related(
        "campaign", "union__parent", "current_round__submitted_by"
    )
    filing: Filing = get_object_or_404(rows, pk=pk)
    request.actor.require("view", filing.union)
    return filing


def show_document(content: bytes, content_type: str, name: str) -> HttpResponse:
    """To be looked at and printed from the browser; kept nowhere."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(False, name) or ""
    return _guarded(response)


def _guarded(response: R) -> R:
    response["Content-Security-Policy"] = DOCUMENT_POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


# -- the printed copy --------------------------------------------------------------------------------------


@login_required
@require_safe
def filing_pdf(request: ActingRequest, pk: int) -> HttpResponse:
    """`?round=2`: that round. Otherwise what stands: the draft for its own people, else the last round."""
    from reporting.paper.pdf import CONTENT_TYPE
    from reporting.paper.printing import (  # only here: fills the memory of a process that never prints
        filing_name,
        filing_pdf,
    )

    filing = _visible(request, pk)
    copy = _copy(filing, request.actor, request.GET.get("round"))
    try:
        content = filing_pdf(copy)
    except Refused as error:
        messages.error(request, error.sentences[0])
        return redirect("filing_paper", pk)
    return show_document(content, CONTENT_TYPE, filing_name(copy))


def _copy(filing: Filing, actor: Actor, asked: str | None) -> Copy:
    rounds = rounds_at_hand().filter(filing=filing)
    if asked is not None:
        return sealed_copy(get_object_or_404(rounds, number=number_in(asked)))
    if filing.is_editable and actor.may("view_draft", filing.union):
        return draft_copy(filing)
    return sealed_copy(get_object_or_404(rounds, pk=filing.current_round_id))


# -- the stamped copy --------------------------------------------------------------------------------------


@login_required
@require_safe
@never_cache
def filing_paper(request: ActingRequest, pk: int) -> HttpResponse:
    return _paper_page(request, _visible(request, pk))


def _paper_page(
    request: ActingRequest, filing: Filing, *, sentences: list[str] | None = None, status: int = 200
) -> HttpResponse:
    actor, round_ = request.actor, filing.current_round
    rounds = list(filing.rounds.order_by("-number"))
    scans = scans_of(r.pk for r in rounds)
    current = scans.get(round_.pk, []) if round_ else []
    return render(
        request,
        "reporting/filing_paper.html",
        {
            "filing": filing,
            "round": round_,
            "scans": current,
            "earlier": [(r, scans[r.pk]) for r in rounds if r.pk in scans and r != round_],
            "sending": sendings([round_.pk], filing.campaign.mailbox).get(round_.pk) if round_ else None,
            "may_print_draft": filing.is_editable and actor.may("view_draft", filing.union),
            "may_upload": may_attach(filing) and actor.may("fill", filing.union),
            "is_own": actor.may("view_draft", filing.union),
            "may_mail": actor.may_here("manage_campaign"),
            "accept": ACCEPT,
            "sentences": sentences,
        },
        status=status,
    )


@login_required
@require_POST
def upload_scan(request: ActingRequest, pk: int) -> HttpResponse:
    filing = _visible(request, pk)
    request.actor.require("fill", filing.union)
    number = number_in(request.POST.get("round"))
    try:
        upload = request.FILES.get("scan")
        if upload is None:
            raise Refused("没有收到文件，请先选择要上传的扫描件。")
        scan = store_scan(filing=filing, upload=upload, round_number=number, by=request.actor)
    except ReportingError as error:
        status = 409 if isinstance(error, WrongState) else 422
        return _paper_page(request, _visible(request, pk), sentences=error.sentences, status=status)
    messages.success(request, f"“{scan.name}”已上传（第 {number} 轮，第 {scan.number} 版）。")
    return redirect("filing_paper", pk)


@login_required
@require_safe
def scan(request: ActingRequest, pk: int) -> HttpResponse | FileResponse:
    """The file itself, shown in the browser: kinds that were judged, and nothing it could load."""
    scans = Scan.objects.visible_to(request.actor).select_related("round__filing__union")
    found: Scan = get_object_or_404(scans, pk=pk)
    request.actor.require("view", found.round.filing.union)
    try:
        content = found.file.open("rb")
    except FileNotFoundError:
        log.error("the file of scan %s is not where it was stored: %s", found.pk, found.file.name)
        messages.error(
            request, "服务器上找不到这份扫描件的文件。请联系系统管理员从备份恢复，或由填报单位重新上传。"
        )
        return redirect("filing_paper", found.round.filing_id)
    name = f"{found.name.rpartition('.')[0]}.{found.kind}"
    return _guarded(FileResponse(content, filename=name, content_type=CONTENT_TYPES[found.kind]))


# -- 核对校验码 --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """A round or a summary that a code belongs to, with a word on whether its figures are the current ones."""

    round: Round | None
    summary: Summary | None
    code: str
    is_current: bool
    verdict: str
    totals: list[tuple[str, str, str, str]]  # form, code and label, figure, unit


@login_required
@require_safe
@never_cache
def check_code(request: ActingRequest) -> HttpResponse:
    """Whose paper this is, for those who may see it; for everybody else such a code does not exist."""
    request.actor.require_anywhere("view")
    typed = request.GET.get("code", "")[:300]
    code = code_typed(typed)
    sentence, found = "", []
    if code:
        if re.fullmatch(rf"[0-9a-f]{{{LEAST_CODE},64}}", code):
            found = _found(request.actor, code)
            if not found:
                sentence = "没有找到这个校验码。请核对每一位；或者它不在您可以查看的范围之内。"
        else:
            sentence = f"校验码由数字 0–9 和字母 a–f 组成，请至少输入前 {LEAST_CODE} 位。"
    return render(
        request,
        "reporting/check_code.html",
        {"typed": typed, "found": found, "sentence": sentence},
    )


def _found(actor: Actor, code: str) -> list[Found]:
    rounds = (
        rounds_at_hand()
        .select_related("filing__current_round")
        .filter(filing__in=Filing.objects.visible_to(actor), digest__startswith=code)
        .order_by("-submitted_at")[:MOST_FOUND]
    )
    found = []
    for round_ in rounds:
        if actor.may("view", round_.filing.union):
            is_current, verdict = _verdict(round_)
            totals = _totals(sealed_copy(round_))
            found.append(Found(round_, None, short_code(round_.digest), is_current, verdict, totals))
    if actor.may_here("see_summary"):
        for summary in Summary.objects.filter(digest__startswith=code).select_related("campaign")[
            :MOST_FOUND
        ]:
            newest = summary.campaign.summaries.order_by("-number").values_list("number", flat=True)[0]
            is_newest = newest == summary.number
            verdict = "是最新的汇总。" if is_newest else f"不是最新的汇总，最新的是第 {newest} 号。"
            found.append(Found(None, summary, short_code(summary.digest), is_newest, verdict, []))
    return found


def _verdict(round_: Round) -> tuple[bool, str]:
    filing, number = round_.filing, round_.number
    current = filing.current_round
    if current is not None and current.pk != round_.pk:
        return False, f"不是现在的数据：此后又上报了第 {current.number} 轮。"
    if filing.is_editable:
        return False, f"不是有效的数据：第 {number} 轮上报后已撤回或退回，正在修改。"
    if filing.state == Filing.State.APPROVED:
        return True, "是现在的数据，已审核通过。"
    return True, "是现在的数据，等待审核。"


def _totals(copy: Copy) -> list[tuple[str, str, str, str]]:
    """The outermost totals, to hold against the paper at a glance."""
    return [
        (sheet.form.attachment, f"{row.printed_code} {row.full_label}", copy.text(sheet, row.code), row.unit)
        for sheet in copy.sheets
        for row in sheet.rows
        if row.parts and row.parent is None
    ]
