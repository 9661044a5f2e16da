"""The moves of a filing: submit 上报, withdraw 撤回, send_back 退回, approve 通过, reopen 重开, extend 延期.

Each move: lock the row, check the gate, check the state, change, audit and outbox in one transaction. A
move that touches what the level above has added up locks the parent's filing first, always top-down, so
that no total is sealed while one of its parts moves.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from reporting.assessment import Assessment, assess
from reporting.clock import database_now, now
from reporting.dispatch import post_approved
from reporting.errors import Refused, WrongState
from reporting.fields import MAX_COUNT, MAX_FEN, MoneyField
from reporting.filling import lock_filing, new_row, require_editable
from reporting.messaging import people_with, tell
from reporting.models import Event, Filing, Message, Remark, Round
from reporting.registry import all_forms
from reporting.rules import HARD, Figures
from reporting.sheets import Sheet, sheet_for, sheets_for, wording_of
from reporting.statistical import StatisticalForm
from reporting.totals import add_figures, subordinate_rows, sum_rows
from unions.gate import Actor, Role
from unions.models import Union

MIN_REASON = 4
State = Filing.State


@transaction.atomic
def submit(*, filing: Filing, by: Actor, seen: str | None = None) -> Round:
    """Check everything, seal own and total figures as a new round. Raises Refused with all that is missing.

    `seen` is the token of the assessment that was confirmed: when anything has changed since, WrongState, so
    that nobody answers for figures that they never saw.
    """
    filing = lock_filing(filing.pk)
    by.require("submit", filing.union)
    require_editable(filing)
    moment = database_now()
    if moment > filing.deadline:
        raise Refused(
            f"已过截止时间 {timezone.localtime(filing.deadline):%Y年%m月%d日 %H:%M}，不能上报。"
            "请联系省总工会权益保障部申请延期。"
        )
    assessment = assess(filing)
    if seen is not None and (changed := assessment.changed_since(seen)):
        raise WrongState(f"打开确认之后，数据又有改动（{'、'.join(changed)}）。请核对后重新上报。")
    if missing := assessment.sentences():
        raise Refused(*missing)
    own = {form.sheet.slug: form.row.figures for form in assessment.forms}
    totals, includes = _totals(filing, own)
    round_ = Round(
        filing=filing,
        number=filing.rounds.count() + 1,
        submitted_at=moment,
        submitted_by=by.person,
        is_late=moment > filing.campaign.deadline,
        union_name=filing.union.name,
        report=filing.current_report,
        head={
            "filler_name": filing.filler_name,
            "filler_phone": filing.filler_phone,
            "filled_on": str(filing.filled_on),
        },
        explanations=_explanations(assessment),
        includes=includes,
        wording=wording_of(filing.campaign),
    )
    round_.digest = _digest(filing, round_, own, totals)
    round_.save()
    for slug in own:
        _seal(filing, round_, slug, own[slug], StatisticalForm.Scope.OWN)
        _seal(filing, round_, slug, totals[slug], StatisticalForm.Scope.TOTAL)
    filing.current_round, filing.is_late, filing.opened_at = round_, round_.is_late, None
    _move(filing, by, "submit", State.SUBMITTED, round_=round_)
    tell(
        _reviewers(filing),
        f"{filing.union.name}已上报{filing.campaign.title}（第 {round_.number} 轮），请审核。",
        reverse("review_page", args=[filing.pk]),
    )
    return round_


def _totals(filing: Filing, own: Mapping[str, Figures]) -> tuple[dict[str, Figures], list[dict[str, Any]]]:
    """own + the sealed totals of approved subordinates, checked again; and whose rounds they are."""
    totals: dict[str, Figures] = {}
    wrong: list[str] = []
    for sheet in sheets_for(filing.campaign):
        below = sum_rows(sheet, subordinate_rows(filing, sheet.slug))
        total = add_figures(sheet, own[sheet.slug], below)
        for code, figure in total.items():
            indicator = sheet.fields[code]
            if figure is not None and figure > (MAX_FEN if isinstance(indicator, MoneyField) else MAX_COUNT):
                wrong.append(
                    f"{sheet.title}：{code} 本级加下级为 {indicator.show(figure)}，超过可存的最大数，请核对。"
                )
        wrong += [
            f"{sheet.title}（本级加下级）：{p.message}"
            for p in sheet.check(total, filing.union.kind)
            if p.level == HARD
        ]
        totals[sheet.slug] = total
    if wrong:
        raise Refused(*wrong)
    approved = Filing.objects.filter(
        campaign=filing.campaign, union__parent=filing.union_id, state=State.APPROVED
    ).select_related("union", "current_round")
    included = [] if filing.union.is_root else approved
    return totals, [
        {"union": f.union.code, "round": f.current_round.number, "digest": f.current_round.digest}
        for f in included
        if f.current_round
    ]


def _seal(filing: Filing, round_: Round, slug: str, figures: Figures, scope: str) -> None:
    row = new_row(sheet_for(filing.campaign, slug).form, filing, round=round_, scope=scope, saved_at=now())
    for code, figure in figures.items():
        setattr(row, code, figure)
    for code in sheet_for(filing.campaign, slug).off:
        setattr(row, code, None)
    row.save()


def _explanations(assessment: Assessment) -> list[dict[str, str]]:
    return [
        {"form": form.sheet.slug, "rule": p.rule, "message": p.message, "text": p.explanation}
        for form in assessment.forms
        for p in form.explained
    ]


def _digest(filing: Filing, round_: Round, own: Mapping[str, Figures], totals: Mapping[str, Figures]) -> str:
    """Binds the round to everything that was submitted: a stamped sheet can be tied to exact figures."""
    content = {
        "campaign": filing.campaign.notice_number,
        "year": filing.campaign.year,
        "union": [filing.union.code, round_.union_name],
        "round": round_.number,
        "head": round_.head,
        "report": round_.report.sha256 if round_.report else "",
        "explanations": round_.explanations,
        "includes": round_.includes,
        "own": own,
        "totals": totals,
    }
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@transaction.atomic
def withdraw(*, filing: Filing, by: Actor, round_number: int | None = None) -> None:
    """Take a submission back, until a reviewer has opened it. Raises WrongState when it is not the round that
    the page showed."""
    filing = lock_filing(filing.pk)
    by.require("withdraw", filing.union)
    _require_state(filing, State.SUBMITTED, round_number)
    if filing.opened_at:
        raise WrongState(
            f"审核员已于 {timezone.localtime(filing.opened_at):%m月%d日 %H:%M} 开始审核，不能撤回。"
            "如需修改，请联系审核单位退回。"
        )
    _move(filing, by, "withdraw", State.DRAFT, round_=filing.current_round)


def mark_opened(*, filing: Filing, by: Actor) -> None:
    """A reviewer looks at the submitted filing: from now on it can't be withdrawn.

    At the root the submitter may hold the reviewer's role as well: looking at one's own is no review.
    """
    own = filing.current_round is not None and filing.current_round.submitted_by_id == by.person.pk
    if by.may("approve", filing.union, filing.state) and filing.opened_at is None and not own:
        Filing.objects.filter(pk=filing.pk, state=State.SUBMITTED, opened_at=None).update(opened_at=now())


@transaction.atomic
def send_back(
    *, filing: Filing, round_number: int, reason: str, by: Actor, cells: Iterable[str] = ()
) -> None:
    """Return a filing with a reason. `cells` ("warmth:E1", "report"): then only those, and the totals they
    are part of, are open. Raises WrongState when the filing or its round is not what the reviewer saw.
    """
    cells = list(cells)
    filing = _lock_with_parent(filing)[0]
    by.require("send_back", filing.union)
    _require_state(filing, State.SUBMITTED, round_number)
    _require_running(filing, "退回")
    _require_reason(reason, "退回")
    filing.open_cells = _with_totals(filing, cells)
    _move(filing, by, "send_back", State.RETURNED, reason=reason, cells=cells, round_=filing.current_round)
    late = database_now() > filing.deadline
    tell(
        people_with(filing.union, Role.FILLER, Role.SUBMITTER),
        f"{filing.campaign.title}被退回：{reason}"
        + ("（已过截止时间，再次上报前须申请延期）" if late else ""),
        reverse("filing", args=[filing.pk]),
    )


@transaction.atomic
def approve(*, filing: Filing, round_number: int, by: Actor) -> None:
    """Accept a round into the totals above. Refused while the level above has itself submitted."""
    filing, parent = _lock_with_parent(filing)
    by.require("approve", filing.union)
    _require_state(filing, State.SUBMITTED, round_number)
    _require_parent_open(filing, parent, "通过")
    if filing.union.is_root and filing.current_round and filing.current_round.submitted_by_id == by.person.pk:
        raise PermissionDenied("本级报送件须由上报人以外的审核员通过。")
    filing.open_cells = []
    _count(filing, True)
    _move(filing, by, "approve", State.APPROVED, round_=filing.current_round)
    post_approved(filing)
    tell(
        people_with(filing.union, Role.FILLER, Role.SUBMITTER),
        f"{filing.campaign.title}已审核通过（第 {round_number} 轮）。",
        reverse("filing", args=[filing.pk]),
    )


@transaction.atomic
def reopen(*, filing: Filing, round_number: int, reason: str, by: Actor) -> None:
    """Return an approved filing. Refused while the level above has itself submitted."""
    filing, parent = _lock_with_parent(filing)
    by.require("reopen", filing.union)
    _require_state(filing, State.APPROVED, round_number)
    _require_running(filing, "重开")
    _require_reason(reason, "重开")
    _require_parent_open(filing, parent, "重开")
    filing.open_cells = []
    _count(filing, False)
    _move(filing, by, "reopen", State.RETURNED, reason=reason, round_=filing.current_round)
    tell(
        people_with(filing.union, Role.FILLER, Role.SUBMITTER),
        f"{filing.campaign.title}已重开，请修改后重新上报：{reason}",
        reverse("filing", args=[filing.pk]),
    )


@transaction.atomic
def extend(*, filing: Filing, until: datetime.datetime, reason: str, by: Actor) -> None:
    """The province lets one union submit after the deadline; what it submits then stays marked 逾期."""
    filing = lock_filing(filing.pk)
    by.require("extend", filing.union)
    _require_reason(reason, "延期")
    if until <= max(filing.campaign.deadline, database_now()):
        raise Refused("延期后的截止时间须晚于现在，也晚于原截止时间。")
    filing.extended_until = until
    _move(
        filing,
        by,
        "extend",
        State(filing.state),
        reason=f"延期至 {timezone.localtime(until):%Y-%m-%d %H:%M}：{reason}",
    )
    tell(
        people_with(filing.union, Role.FILLER, Role.SUBMITTER),
        f"{filing.campaign.title}准予延期至 {timezone.localtime(until):%m月%d日 %H:%M}。",
        reverse("filing", args=[filing.pk]),
    )


@transaction.atomic
def add_remark(*, filing: Filing, round_number: int, form: str, code: str, text: str, by: Actor) -> Remark:
    """A reviewer's word on one cell (code empty: on the whole form; form "report": on the report)."""
    filing = lock_filing(filing.pk)
    by.require("remark", filing.union)
    _require_state(filing, State.SUBMITTED, round_number)
    text = " ".join(text.replace("\x00", "").split())
    if not 2 <= len(text) <= 500:
        raise Refused("批注须有 2 至 500 个字。")
    if form != "report" and (
        form not in {f.slug for f in all_forms()} or not _names_cell(filing, form, code)
    ):
        raise Refused("没有这一格，批注未保存。请刷新页面。")
    return Remark.objects.create(
        filing=filing,
        round=_round(filing),
        form=form,
        code=code if form != "report" else "",
        text=text,
        by=by.person,
    )


def _names_cell(filing: Filing, form: str, code: str) -> bool:
    return code == "" or code in sheet_for(filing.campaign, form).fields


def _round(filing: Filing) -> Round:
    if filing.current_round is None:
        raise WrongState("报送件还没有上报过。")
    return filing.current_round


def _lock_with_parent(filing: Filing) -> tuple[Filing, Filing | None]:
    """Both locked, the parent's first."""
    union = Union.objects.get(pk=filing.union_id)
    parent = (
        Filing.objects.select_for_update(of=("self",))
        .select_related("union")
        .filter(campaign=filing.campaign_id, union=union.parent_id)
        .first()
        if union.parent_id
        else None
    )
    return lock_filing(filing.pk), parent


def _require_parent_open(filing: Filing, parent: Filing | None, move: str) -> None:
    if parent and not parent.union.is_root and parent.state in (State.SUBMITTED, State.APPROVED):
        raise WrongState(
            f"{parent.union.name}{parent.get_state_display()}，合计已封存，不能再{move}下级报送件。"
            f"请先撤回或请上级退回{parent.union.name}的报送件。"
        )


def _require_running(filing: Filing, move: str) -> None:
    """What goes back in a closed campaign could never come up again."""
    if filing.campaign.is_closed:
        raise WrongState(f"本次报送任务已结束，{move}后对方无法修改，请先请省总工会重新开启任务。")


def _require_state(filing: Filing, state: str, round_number: int | None = None) -> None:
    number = filing.current_round.number if filing.current_round else 0
    if filing.state == state and round_number in (None, number):
        return
    last = filing.events.select_related("by").first()
    happened = (
        f"{last.by.name if last.by else '系统'}已于 {timezone.localtime(last.at):%m月%d日 %H:%M} {last.move_label}"
        if last
        else "还没有上报过"
    )
    raise WrongState(
        f"操作没有进行：报送件现为“{filing.get_state_display()}”（第 {number} 轮），{happened}。请刷新页面后再看。"
    )


def _require_reason(reason: str, move: str) -> None:
    if len(reason.strip()) < MIN_REASON:
        raise Refused(f"{move}须写明原因，不少于 {MIN_REASON} 个字。")
    if len(reason) > 1000:
        raise Refused(f"{move}原因最多 1000 个字，现有 {len(reason)} 个。")


def _with_totals(filing: Filing, cells: Iterable[str]) -> list[str]:
    """The named cells and every total above them: a part can't be mended while its total stays shut."""
    opened: set[str] = set()
    for name in cells:
        slug, _, code = name.partition(":")
        if name == "report":
            opened.add(name)
            continue
        sheet: Sheet | None = next((s for s in sheets_for(filing.campaign) if s.slug == slug), None)
        if sheet is None or code not in sheet.fields:
            raise Refused(f"没有“{name[:30]}”这一格，请刷新页面后重新选择。")
        above: str | None = code
        while above is not None:
            if above in sheet.fields:
                opened.add(f"{slug}:{above}")
            above = sheet.form.parent_of(above)
    return sorted(opened)


def _count(filing: Filing, counted: bool) -> None:
    """Let the sealed rows of the current round stand in totals, or no longer."""
    for form in all_forms():
        form._default_manager.filter(round=filing.current_round_id).update(counted=counted)


def _move(
    filing: Filing,
    by: Actor,
    move: str,
    to: Filing.State,
    *,
    reason: str = "",
    cells: list[str] | None = None,
    round_: Round | None = None,
) -> None:
    Event.objects.create(
        filing=filing,
        by=by.person,
        acting_for=by.union,
        move=move,
        from_state=filing.state,
        to_state=to,
        reason=reason.strip(),
        cells=cells or [],
        round=round_,
    )
    filing.state = to
    filing.save()
    # What earlier messages asked for is over; nobody should have to click them away.
    links = [reverse(page, args=[filing.pk]) for page in ("review_page", "filing")]
    Message.objects.filter(link__in=links, read_at=None).update(read_at=now())


def _reviewers(filing: Filing) -> list[Any]:
    return people_with(filing.union.parent or filing.union, Role.REVIEWER)
