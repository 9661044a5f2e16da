"""What this person has to do now, and the messages to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Max
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from reporting.assessment import Assessment, assess_all
from reporting.clock import now
from reporting.models import Campaign, CellChange, Event, Filing, Message, Report, Summary
from reporting.registry import all_forms
from reporting.standing import Standing, last_returns, reviewable, standings, waiting_first
from unions.gate import Actor, Role
from unions.middleware import ActingRequest
from unions.models import Union

MESSAGES_ON_A_PAGE = 30
WAITING_SHOWN = 5


@dataclass(frozen=True)
class Part:
    """One of the three parts of a filing, with a word on where it stands."""

    title: str
    url: str
    word: str
    css: str


@dataclass(frozen=True)
class Task:
    """A campaign as the union that fills it sees it. `filing` is None when none was prepared."""

    campaign: Campaign
    filing: Filing | None
    assessment: Assessment | None
    is_open: bool
    is_over: bool
    returned: Event | None
    # After a return, once something was typed or uploaded.
    is_changed: bool = False

    @property
    def parts(self) -> list[Part]:
        return parts_of(self.assessment) if self.assessment else []

    @property
    def is_ready(self) -> bool:
        return self.assessment is not None and self.assessment.is_ready

    @property
    def is_blank(self) -> bool:
        return self.assessment is not None and all(form.is_untouched for form in self.assessment.forms)

    @property
    def lacks_only_head(self) -> bool:
        """All three parts are done, which makes the sheets' head easy to forget."""
        return not self.is_ready and bool(self.parts) and all(part.css == "done" for part in self.parts)


@dataclass(frozen=True)
class Strip:
    """A campaign as those who watch over it see it."""

    campaign: Campaign
    standing: Standing
    summary: Summary | None
    is_open: bool


@login_required
@require_safe
@never_cache
def my_work(request: ActingRequest) -> HttpResponse:
    actor = request.actor
    if actor.union is None:
        return render(request, "unions/no_post.html", status=403)
    campaigns = list(Campaign.objects.all())
    moment = now()
    # What can be done now before what cannot yet.
    current = sorted(
        (c for c in campaigns if not c.is_closed), key=lambda c: (not c.is_open(moment), c.deadline)
    )
    closed = [campaign for campaign in campaigns if campaign.is_closed]
    fills, reviews = actor.may_here("fill"), actor.may_anywhere("review")
    watches = bool(actor.roles & {Role.REVIEWER, Role.ADMINISTRATOR, Role.AUDITOR})
    waiting = waiting_first(reviewable(actor).filter(state=Filing.State.SUBMITTED, campaign__is_closed=False))
    return render(
        request,
        "reporting/my_work.html",
        {
            "union": actor.union,
            "tasks": own_tasks(actor.union, current) if fills else [],
            "reviews": reviews,
            "waiting": list(waiting[:WAITING_SHOWN]) if reviews else [],
            "waiting_count": waiting.count() if reviews else 0,
            "strips": strips(actor, actor.union, current) if watches else [],
            "closed": closed_filings(actor.union, closed) if closed else [],
            "current": current,
            "first_form": all_forms()[0].slug,
        },
    )


def own_tasks(union: Union, campaigns: list[Campaign]) -> list[Task]:
    found = Filing.objects.filter(union=union, campaign__in=campaigns).select_related(
        "union", "campaign", "current_round__submitted_by", "current_report"
    )
    filings = {filing.campaign_id: filing for filing in found}
    editable = [filing for filing in filings.values() if filing.is_editable]
    assessed = {a.filing.pk: a for a in assess_all(editable)} if editable else {}
    returns = last_returns(f for f in editable if f.state == Filing.State.RETURNED)
    changed = changed_since(returns)
    moment = now()
    tasks = []
    for campaign in campaigns:
        filing = filings.get(campaign.pk)
        tasks.append(
            Task(
                campaign=campaign,
                filing=filing,
                assessment=assessed.get(filing.pk) if filing else None,
                is_open=campaign.is_open(moment),
                is_over=filing is not None and moment > filing.deadline,
                returned=returns.get(filing.pk) if filing else None,
                is_changed=filing is not None and filing.pk in changed,
            )
        )
    return tasks


def changed_since(returns: Mapping[int, Event]) -> set[int]:
    """The returned filings in which something was typed or uploaded since."""
    if not returns:
        return set()
    newest: list[tuple[int, datetime]] = []
    for rows in (CellChange.objects.all(), Report.objects.order_by()):
        newest += rows.filter(filing__in=returns).values_list("filing").annotate(newest=Max("at"))
    return {filing for filing, at in newest if at > returns[filing].at}


def parts_of(assessment: Assessment) -> list[Part]:
    """The two forms and the report, each with what is still to be done."""
    filing = assessment.filing
    parts = []
    for form in assessment.forms:
        if form.is_untouched and not form.invalid:
            word, css = "未开始", "draft"
        elif form.is_done:
            word, css = "已填好", "done"
        elif form.blanks and form.count == 1:
            word, css = f"还有 {len(form.blanks)} 格空白", "waiting"
        else:
            word, css = f"{form.count} 处待处理", "waiting"
        parts.append(
            Part(form.sheet.title, reverse("form_page", args=[filing.pk, form.sheet.slug]), word, css)
        )
    report_page = reverse("report_page", args=[filing.pk])
    if assessment.has_report:
        parts.append(Part("送温暖报告", report_page, "已上传", "done"))
    else:
        parts.append(Part("送温暖报告", report_page, "未上传", "draft"))
    return parts


def strips(actor: Actor, union: Union, campaigns: list[Campaign]) -> list[Strip]:
    """Only where somebody stands below: a strip of one tells nothing its own card does not."""
    counted = standings(campaigns, union)
    summaries: dict[int, Summary] = {}
    if actor.may_here("see_summary"):
        newest = (
            Summary.objects.filter(campaign__in=campaigns)
            .order_by("campaign_id", "-number")
            .distinct("campaign_id")
        )
        summaries = {summary.campaign_id: summary for summary in newest}
    moment = now()
    return [
        Strip(campaign, counted[campaign.pk], summaries.get(campaign.pk), campaign.is_open(moment))
        for campaign in campaigns
        if counted[campaign.pk].total > 1
    ]


def closed_filings(union: Union, campaigns: Iterable[Campaign]) -> list[tuple[Campaign, Filing | None]]:
    filings = {f.campaign_id: f for f in Filing.objects.filter(union=union, campaign__in=list(campaigns))}
    return [(campaign, filings.get(campaign.pk)) for campaign in campaigns]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def inbox(request: ActingRequest) -> HttpResponse:
    """My messages, newest first. POST marks all of them as read."""
    mine = Message.objects.filter(person=request.actor.person)
    if request.method == "POST":
        read = mine.filter(read_at=None).update(read_at=now())
        messages.success(request, f"{read} 条消息已标为已读。" if read else "没有未读的消息。")
        return redirect("messages")
    page = Paginator(mine, MESSAGES_ON_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "reporting/messages.html", {"page": page})


@login_required
@require_safe
def open_message(request: ActingRequest, pk: int) -> HttpResponse:
    """Marks my message as read and goes where it leads; a message of somebody else does not exist."""
    message = get_object_or_404(Message, person=request.actor.person, pk=pk)
    if message.read_at is None:
        message.read_at = now()
        message.save(update_fields=["read_at"])
    # Links are made by our own actions; one that left the site would be a mistake, so it is not followed.
    ours = message.link.startswith("/") and not message.link.startswith("//")
    return redirect(message.link if ours else "messages")
