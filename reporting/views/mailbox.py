"""报送邮箱: the province has the electronic version of approved filings sent, or sent again after a failure."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from reporting import dispatch
from reporting.errors import ReportingError
from reporting.models import Campaign, Filing
from reporting.views.numbers import number_in
from unions.middleware import ActingRequest

# Where the buttons stand; each leads back to itself.
PAGES = {"history": "history", "paper": "filing_paper"}


@login_required
@require_POST
def send_to_mailbox(request: ActingRequest, pk: int) -> HttpResponse:
    """`filing`: that one; without it every approved one that is not there yet."""
    actor = request.actor
    actor.require_here("manage_campaign")
    campaign = get_object_or_404(Campaign, pk=pk)
    one = None
    if text := request.POST.get("filing", ""):
        filings = Filing.objects.visible_to(actor).filter(campaign=campaign)
        one = get_object_or_404(filings, pk=number_in(text))
    try:
        if one is not None:
            messages.success(request, dispatch.send_one(filing=one, by=actor))
        elif done := dispatch.send_all(campaign=campaign, by=actor):
            messages.success(request, f"{done} 个单位的电子版将依次发往 {campaign.mailbox}，进度见下表。")
        else:
            messages.info(request, "已通过的报送件都已发送或正在等待发送，没有需要再发的。")
    except ReportingError as error:
        messages.warning(request, error.sentences[0])
    page = PAGES.get(request.POST.get("page", ""))
    return redirect(page, one.pk) if page and one is not None else redirect("progress", pk)
