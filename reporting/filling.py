"""Filling in: saving cells, the head and explanations as they are typed.

Every typed value is kept; only submitting is gated. What is typed and is no figure stays as text in the
row's `invalid`; a total that was typed stays as typed, an untouched one follows its parts.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL
from django.utils import timezone

from reporting.clock import now
from reporting.errors import Refused, WrongState
from reporting.models import Campaign, CellChange, Explanation, Filing
from reporting.registry import get_form
from reporting.rules import QUERY
from reporting.sheets import Sheet, sheet_for
from reporting.statistical import StatisticalForm
from unions.gate import Actor
from unions.models import Union

MIN_EXPLANATION = 6
MAX_TYPED = 200
HEAD_FIELDS = {"filler_name": "填报人", "filler_phone": "电话", "filled_on": "填报日期"}


@dataclass(frozen=True)
class Change:
    """One cell as typed: `base` is the text the page last knew, `value` what stands there now.

    `sent` are texts the same page sent before without hearing an answer: they may stand by now.
    """

    code: str
    base: str
    value: str
    sent: Collection[str] = ()

    def knows(self, text: str) -> bool:
        return text in {self.base.strip(), *(sent.strip() for sent in self.sent)}


@dataclass
class Saved:
    """The answer to a save. `cells` are the texts that now stand in every cell (or field of the head) it changed."""

    at: datetime.datetime
    cells: dict[str, str] = field(default_factory=dict)
    invalid: dict[str, str] = field(default_factory=dict)
    conflicts: list[dict[str, str]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    touched: list[str] = field(default_factory=list)
    # Rule → the explanation that binds to the figures as they stand now.
    explanations: dict[str, str] = field(default_factory=dict)
    state: str = ""


def lock_filing(pk: int) -> Filing:
    """The filing, locked until the transaction ends, with union and campaign. Only for actions."""
    filing = Filing.objects.select_for_update(of=("self",)).select_related("union").get(pk=pk)
    # Read after the lock is held: a join would show the deadline and the sheets' edition as they were
    # before the wait, and a row switched off meanwhile would be sealed.
    filing.campaign = Campaign.objects.get(pk=filing.campaign_id)
    return filing


def _way_back(filing: Filing) -> str:
    if filing.state != Filing.State.SUBMITTED:
        return ""
    if filing.opened_at:
        return "审核员已开始审核，如需修改，请联系审核单位退回。"
    return "如需修改，请由负责人先撤回。"


def require_editable(filing: Filing) -> None:
    if not filing.is_editable:
        raise WrongState(f"报送件{filing.get_state_display()}，不能再修改。{_way_back(filing)}")
    require_running(filing.campaign)


def require_running(campaign: Campaign) -> None:
    """Whether anybody fills in anything of a campaign at present."""
    if campaign.is_closed:
        raise WrongState("本次报送任务已结束，不能再修改。")
    if campaign.opens_at > now():
        raise WrongState(f"本次报送任务 {timezone.localtime(campaign.opens_at):%m月%d日 %H:%M} 开始填报。")


def new_row(form: type[StatisticalForm], filing: Filing, **values: Any) -> StatisticalForm:
    """An unsaved row with the ids of the union's ancestors copied in, so that totals need no join."""
    codes = filing.union.ancestor_codes
    chain = {union.kind: union for union in Union.objects.filter(code__in=codes)}
    kinds = Union.Kind
    return form(
        filing=filing,
        campaign_id=filing.campaign_id,
        province=chain.get(kinds.PROVINCE),
        city=chain.get(kinds.CITY) or chain.get(kinds.INDUSTRY),
        county=chain.get(kinds.COUNTY),
        **values,
    )


def working_row(filing: Filing, slug: str) -> StatisticalForm:
    """The one working copy of a form; made the first time it is asked for."""
    form = sheet_for(filing.campaign, slug).form
    row = form._default_manager.filter(filing=filing, round=None).first()
    if row is None:
        fresh = new_row(form, filing)
        with transaction.atomic():
            form._default_manager.bulk_create([fresh], ignore_conflicts=True)
        row = form._default_manager.get(filing=filing, round=None)
    return row


def save_cells(
    *, filing: Filing, slug: str, changes: Iterable[Change], by: Actor, action: str = "fill"
) -> Saved:
    """Store typed cells. Only the id of `filing` is taken: it is loaded anew behind the gate, and locked.

    `action` is what the gate is asked for: "import_batch" where the province fills in what came by e-mail.
    Raises Filing.DoesNotExist outside the subtree, PermissionDenied without the role, WrongState when the
    filing is closed to changes. A cell that somebody else changed meanwhile is not overwritten but answered
    as a conflict.
    """
    changes = list(changes)
    try:
        return _save_cells(filing, slug, changes, by, action)
    except SheetChanged:
        return _save_cells(filing, slug, changes, by, action)


def _edition_stands(campaign: Campaign) -> RawSQL:
    """Asked by the statement that writes. As a filter through the relation it would cost a tenth of a save."""
    table = Campaign._meta.db_table
    return RawSQL(  # noqa: S611  (no text of anybody's: a table's name and two numbers)
        f"(SELECT edition FROM {table} WHERE id = %s) = %s",  # noqa: S608
        (campaign.pk, campaign.edition),
        output_field=BooleanField(),
    )


class SheetChanged(WrongState):
    """A row was switched while a save waited for its lock: what the save knew of the sheet is old."""


@transaction.atomic
def _save_cells(filing: Filing, slug: str, changes: Iterable[Change], by: Actor, action: str) -> Saved:
    row = _locked_row(filing.pk, slug, by, action)
    filing = row.filing
    by.require(action, filing.union)
    require_editable(filing)
    sheet = sheet_for(filing.campaign, slug)
    saved = Saved(at=now(), state=filing.state)
    audit: list[CellChange] = []
    for change in changes:
        stood = row.text(change.code) if change.code in sheet.fields else ""
        value = change.value.strip().replace("\x00", "")
        if change.code not in sheet.fields:
            saved.refused[change.code] = "本表没有此项指标，未保存。"
        elif not filing.is_cell_open(f"{slug}:{change.code}"):
            saved.refused[change.code] = "本次退回只开放指定的指标，此格不能修改。"
        elif len(value) > MAX_TYPED:
            saved.refused[change.code] = f"最多 {MAX_TYPED} 个字符，未保存。"
        elif not change.knows(stood) and not _stands_already(row, sheet, change.code, value):
            saved.conflicts.append(_conflict(filing, slug, change.code, theirs=stood, yours=value))
        else:
            put(row, sheet, change.code, value)
            if row.text(change.code) != stood:
                audit.append(
                    CellChange(
                        filing=filing,
                        form=slug,
                        code=change.code,
                        old=stood[:MAX_TYPED],
                        new=value,
                        by=by.person,
                    )
                )
            saved.cells[change.code] = row.text(change.code)
    followed = row.follow_parts(sheet.off)
    saved.cells |= {code: row.text(code) for code in followed}
    saved.invalid = {code: _why_invalid(sheet, code, text) for code, text in row.invalid.items()}
    saved.touched = list(row.touched)
    row.saved_at = saved.at
    # The campaign came with the lock's query and may be older than the lock: a row switched off while this
    # save waited must not be counted again.
    stored = sheet.form._default_manager.filter(_edition_stands(filing.campaign), pk=row.pk).update(
        **{code: getattr(row, code) for code in saved.cells if code in sheet.fields},
        invalid=row.invalid,
        touched=row.touched,
        saved_at=row.saved_at,
    )
    if not stored:
        raise SheetChanged(
            "省总刚刚调整了表样，这次没有保存。请刷新页面，已填内容保存在本机，刷新后自动补传。"
        )
    CellChange.objects.bulk_create(audit)
    saved.explanations = _explanations(filing, sheet, row)
    return saved


def _locked_row(filing_id: int, slug: str, by: Actor, action: str) -> Any:
    """The working row with its filing, union and campaign: gate and lock in one query.

    Both rows are locked, so that both are read as they are after waiting. Unlike a move, a save may see the
    campaign as it was before.
    """
    rows = (
        get_form(slug)
        .objects.visible_to(by)
        .select_for_update(of=("self", "filing"))
        .select_related("filing__campaign")
        .filter(filing=filing_id, round=None)
    )
    for row in rows:
        if by.union is not None and row.filing.union_id == by.union.pk:
            row.filing.union = by.union  # whoever fills acts for this very union: no need to fetch it again
        return row
    filing = Filing.objects.visible_to(by).select_related("union", "campaign").get(pk=filing_id)
    by.require(action, filing.union)
    working_row(filing, slug)
    return rows.all()[0]


def _explanations(filing: Filing, sheet: Sheet, row: StatisticalForm) -> dict[str, str]:
    """The explanations that bind to a form's figures now; asks the database only when something is open."""
    digests = {p.digest: p.rule for p in sheet.check(row.figures, filing.union.kind) if p.level == QUERY}
    if not digests:
        return {}
    given = Explanation.objects.filter(filing=filing, form=sheet.slug, digest__in=digests)
    return {e.rule: e.text for e in given if digests[e.digest] == e.rule}


def _stands_already(row: StatisticalForm, sheet: Sheet, code: str, value: str) -> bool:
    """Whether typing this would change nothing: a page that lost our answer sends the same again.

    `１，２００` stands as 1200, and an emptied total stands as the sum of its parts.
    """
    indicator = sheet.fields[code]
    if indicator.of and not value:
        return code not in row.touched
    return _as_shown(sheet, code, value) == row.text(code)


def put(row: StatisticalForm, sheet: Sheet, code: str, value: str) -> None:
    """Let a text stand in a cell of an unsaved row, as typing it does; a total that is emptied follows its parts."""
    indicator = sheet.fields[code]
    row.invalid.pop(code, None)
    try:
        setattr(row, code, indicator.parse(value))
    except ValidationError:
        setattr(row, code, None)
        row.invalid[code] = value
    if indicator.of:
        # A total that is emptied goes back to following its parts.
        row.touched = sorted({*row.touched, code} if value else {*row.touched} - {code})


def _why_invalid(sheet: Sheet, code: str, text: str) -> str:
    if code not in sheet.fields:
        return ""
    try:
        sheet.fields[code].parse(text)
    except ValidationError as error:
        return str(error.messages[0])
    return ""


def _conflict(filing: Filing, slug: str, code: str, *, theirs: str, yours: str) -> dict[str, str]:
    last = (
        CellChange.objects.filter(filing=filing, form=slug, code=code)
        .select_related("by")
        .order_by("-id")
        .first()
    )
    return {
        "code": code,
        "theirs": theirs,
        "yours": yours,
        "by": last.by.name if last else "",
        "at": f"{timezone.localtime(last.at):%H:%M}" if last else "",
    }


@transaction.atomic
def save_head(
    *,
    filing: Filing,
    values: Mapping[str, str],
    by: Actor,
    known: Mapping[str, Collection[str]] | None = None,
    action: str = "fill",
) -> Saved:
    """Store 填报人, 电话, 填报日期, each for itself: one that is refused or in conflict holds no other.

    `known` are the texts of each field that the page may overwrite; without it, any. `action` as in `save_cells`.
    """
    filing = lock_filing(filing.pk)
    by.require(action, filing.union)
    require_editable(filing)
    saved = Saved(at=now(), state=filing.state)
    for name in HEAD_FIELDS.keys() & values.keys():
        stood = head_text(filing, name)
        text = values[name].strip().replace("\x00", "")
        if refusal := _why_no_head(name, text):
            saved.refused[name] = refusal
        elif known is not None and stood not in {*known[name], text}:
            saved.conflicts.append({"code": name, "theirs": stood, "yours": text})
        else:
            date = datetime.date.fromisoformat(text) if name == "filled_on" and text else None
            setattr(filing, name, date if name == "filled_on" else text)
            saved.cells[name] = head_text(filing, name)
    if saved.cells:
        filing.save(update_fields=list(saved.cells))
    return saved


def head_text(filing: Filing, name: str) -> str:
    """What stands in a field of the head, as the page shows it."""
    return str(getattr(filing, name) or "")


def _why_no_head(name: str, text: str) -> str:
    if name != "filled_on":
        return f"{HEAD_FIELDS[name]}最多 30 个字，现有 {len(text)} 个，未保存。" if len(text) > 30 else ""
    try:
        datetime.date.fromisoformat(text or "2021-01-20")
    except ValueError:
        return f"填报日期“{text[:20]}”不是日期，请填如 2021-01-20，未保存。"
    return ""


@transaction.atomic
def explain(
    *,
    filing: Filing,
    slug: str,
    rule_id: str,
    text: str,
    by: Actor,
    shown: Mapping[str, str] | None = None,
) -> Explanation:
    """Answer a query rule for the figures as they stand now. Other figures will need another answer.

    `shown` are the texts of the rule's cells that the person was looking at: when others stand by now,
    WrongState, for nobody has explained those.
    """
    filing = lock_filing(filing.pk)
    by.require("fill", filing.union)
    require_editable(filing)
    text = " ".join(text.replace("\x00", "").split())
    if not MIN_EXPLANATION <= len(text) <= 500:
        raise Refused(f"说明须有 {MIN_EXPLANATION} 至 500 个字，现有 {len(text)} 个。请写明数据属实的原因。")
    sheet = sheet_for(filing.campaign, slug)
    row = working_row(filing, slug)
    open_queries = {p.rule: p for p in sheet.check(row.figures, filing.union.kind) if p.level == QUERY}
    problem = open_queries.get(rule_id)
    if problem is None:
        raise Refused("此项核实已不存在：数据已改动。请刷新页面查看。")
    if shown is not None:
        others = [c for c in problem.cells if _as_shown(sheet, c, shown.get(c, "")) != row.text(c)]
        if others:
            stands = "、".join(f"{code} {row.text(code) or '空白'}" for code in others)
            raise WrongState(f"数据已改为 {stands}，请按现在的数据说明。")
    explanation, _ = Explanation.objects.update_or_create(
        filing=filing,
        form=slug,
        rule=rule_id,
        digest=problem.digest,
        defaults={"text": text, "by": by.person, "at": now()},
    )
    return explanation


def _as_shown(sheet: Sheet, code: str, text: str) -> str:
    """What a typed text stands as: `１，２００` as 1200."""
    try:
        return sheet.fields[code].show(sheet.fields[code].parse(text))
    except ValidationError:
        return text.strip()
