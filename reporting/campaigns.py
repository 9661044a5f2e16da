"""What the province does to a campaign: prepare, clone, change it, and check its sheets.

Every action asks the gate first, runs in one transaction and holds the campaign's row while it changes it.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.dispatch import Signal
from django.urls import reverse
from django.utils import timezone

from reporting.aggregation import deadline_key
from reporting.clock import database_now, now
from reporting.dispatch import follow_mailbox
from reporting.errors import Refused
from reporting.fields import Indicator
from reporting.messaging import tell
from reporting.models import LAST_YEAR, AggregationRun, Campaign, Filing, Round, SheetRow
from reporting.registry import all_forms, get_form
from reporting.sheets import PRINTED_YEAR, build_sheet
from unions.gate import Actor, Role
from unions.models import Person, Post, Union

# Sent inside the transaction of a clone, with `source` and `made`: what else belongs to a campaign comes along.
campaign_cloned = Signal()
# The number of a notice that has not been issued yet: better an open gap than last year's number.
NO_NUMBER_YET = "（待发文）"
MAX_LABEL = 200
# What the settings page may change. The sheets' wording goes through `set_row`.
SETTINGS = (
    "title",
    "notice_number",
    "notice_title",
    "year",
    "data_year",
    "opens_at",
    "deadline",
    "visits_from",
    "visits_until",
    "contact",
    "mailbox",
)


def prepare_filings(campaign: Campaign) -> int:
    """A filing for every active union that has none; how many were made. Doing it again changes nothing."""
    missing = without_filing(campaign)
    Filing.objects.bulk_create(
        [Filing(campaign=campaign, union=union) for union in missing], ignore_conflicts=True
    )
    return len(missing)


def without_filing(campaign: Campaign) -> list[Union]:
    """Active unions that have no filing in the campaign: switched on after it was prepared."""
    return list(Union.objects.filter(is_active=True).exclude(filings__campaign=campaign))


@transaction.atomic
def add_missing_filings(*, campaign: Campaign, by: Actor) -> int:
    """补建报送件, when unions were switched on later. Raises Refused for a closed campaign."""
    by.require_here("manage_campaign")
    campaign = _lock(campaign)
    if campaign.is_closed:
        raise Refused("报送任务已结束，不再补建报送件。如确有需要，请先重新开启任务。")
    return prepare_filings(campaign)


@transaction.atomic
def clone_campaign(*, campaign: Campaign, year: int, by: Actor) -> Campaign:
    """A campaign for a later year after the pattern of this one, with filings for every active union.

    Dates move by the difference of years; the deadline is 27 January 23:59:59, as the notices have it.
    Relabelled and switched-off rows come along, but not the checks: those were made against another
    year's original. Raises Refused when the year is taken or not later.
    """
    by.require_here("manage_campaign")
    campaign = _lock(campaign)
    shift = year - campaign.year
    if shift < 1:
        raise Refused(f"新任务的年份须晚于 {campaign.year} 年。")
    if year > LAST_YEAR:
        raise Refused(f"新任务的年份不能晚于 {LAST_YEAR} 年。")
    if Campaign.objects.filter(year=year).exists():
        raise Refused(f"{year} 年的报送任务已经建立，一个年份只有一个任务。")
    # Days of Heilongjiang: moved in UTC, midnight would land on the day before.
    zone = timezone.get_default_timezone()
    opens_at = _moved(campaign.opens_at.astimezone(zone), shift)
    deadline = datetime.datetime(year, 1, 27, 23, 59, 59, tzinfo=zone)
    if opens_at >= deadline:
        raise Refused(f"{campaign.year} 年任务的开始时间晚于 1 月 27 日，不能照搬，请先改正其开始时间。")
    made = Campaign(
        title=_next_year(campaign.title, campaign.year, shift),
        notice_number=NO_NUMBER_YET,
        notice_title=_next_year(campaign.notice_title, campaign.year, shift),
        year=year,
        data_year=campaign.data_year + shift,
        opens_at=opens_at,
        deadline=deadline,
        visits_from=_moved(campaign.visits_from, shift) if campaign.visits_from else None,
        visits_until=_moved(campaign.visits_until, shift) if campaign.visits_until else None,
        contact=campaign.contact,
        mailbox=campaign.mailbox,
    )
    try:
        made.full_clean()
    except ValidationError as error:
        raise Refused(f"{campaign.year} 年任务的设置不能照搬：{error.messages[0]}") from None
    made.save()
    SheetRow.objects.bulk_create(
        SheetRow(campaign=made, form=row.form, code=row.code, label=row.label, is_off=row.is_off)
        for row in campaign.sheet_rows.all()
        if row.label or row.is_off
    )
    prepare_filings(made)
    campaign_cloned.send(Campaign, source=campaign, made=made)
    return made


D = TypeVar("D", bound=datetime.date)


def _moved(day: D, shift: int) -> D:
    try:
        return day.replace(year=day.year + shift)
    except ValueError:  # 29 February; years beyond the calendar are refused before
        return day.replace(year=day.year + shift, day=28)


def _next_year(text: str, year: int, shift: int) -> str:
    return text.replace(f"{year}年", f"{year + shift}年")


@transaction.atomic
def update_campaign(
    *,
    campaign: Campaign,
    values: Mapping[str, Any],
    by: Actor,
    shown: Mapping[str, Any] | None = None,
) -> Campaign:
    """Change what a notice orders. Raises ValidationError as the model states it.

    `shown` are the values somebody had before their eyes when they decided on `values`: a setting that
    another person has changed since is not overwritten, OutOfDate names both. Who has not filed yet is
    told of another deadline, in the product and by e-mail.
    """
    by.require_here("manage_campaign")
    campaign = _lock(campaign)
    if campaign.is_closed:
        # What was ordered is part of what was signed.
        raise Refused("报送任务已结束，设置不再改动。如确有需要，请先重新开启任务。")
    deadline, mailbox = campaign.deadline, campaign.mailbox
    unknown = values.keys() - set(SETTINGS)
    if unknown:
        raise TypeError(f"not settings of a campaign: {sorted(unknown)}")
    if shown is not None:
        _require_up_to_date(campaign, values, shown)
    for name, value in values.items():
        setattr(campaign, name, value)
    campaign.full_clean()
    campaign.save(update_fields=list(values))
    # The year of the data is part of the sheets' wording (2020年度…).
    _bump(campaign)
    if mailbox and campaign.mailbox != mailbox:
        follow_mailbox(campaign, mailbox)
    if campaign.deadline != deadline and campaign.is_open():
        tell(
            _still_filling(campaign),
            f"{campaign.title}的截止时间改为 {timezone.localtime(campaign.deadline):%Y年%m月%d日 %H:%M}。",
            reverse("my_work"),
        )
    return campaign


class OutOfDate(Refused):
    """Somebody else has changed the same meanwhile; a sentence for each setting names both values."""


def _require_up_to_date(campaign: Campaign, values: Mapping[str, Any], shown: Mapping[str, Any]) -> None:
    told = []
    for name, wanted in values.items():
        stands = getattr(campaign, name)
        label = getattr(Campaign._meta.get_field(name), "verbose_name", name)
        if _same(stands, wanted):
            continue
        if name not in shown:
            told.append(f"{label}没有保存：页面内容不完整。请核对各项后再保存一次。")
        elif not _same(stands, shown[name]):
            told.append(
                f"{label}已被他人改为“{_in_words(stands)}”，您填的是“{_in_words(wanted)}”。"
                "请看过其他各项后，再保存一次即改为您填的。"
            )
    if told:
        raise OutOfDate(*told)


def _same(one: Any, other: Any) -> bool:
    """Pages show moments to the second."""
    if isinstance(one, datetime.datetime) and isinstance(other, datetime.datetime):
        return one.replace(microsecond=0) == other.replace(microsecond=0)
    return bool(one == other)


def _in_words(value: Any) -> str:
    if isinstance(value, datetime.datetime):
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S}"
    return "空" if value in (None, "") else str(value)


def _still_filling(campaign: Campaign) -> list[Person]:
    unions = Union.objects.filter(
        is_active=True,
        filings__campaign=campaign,
        filings__state__in=(Filing.State.DRAFT, Filing.State.RETURNED),
    )
    posts = Post.objects.filter(union__in=unions, role__in=(Role.FILLER, Role.SUBMITTER))
    return list(Person.objects.filter(is_active=True, pk__in=posts.values("person")))


@transaction.atomic
def set_closed(*, campaign: Campaign, closed: bool, by: Actor) -> None:
    """End a campaign, or open it again. Ended, nobody fills or submits; what was filed stays readable.

    The clock leaves an ended campaign alone: ending one whose deadline has passed asks for the summary of
    the deadline, should the clock not have come to it yet.
    """
    by.require_here("manage_campaign")
    campaign = _lock(campaign)
    campaign.is_closed = closed
    campaign.save(update_fields=["is_closed"])
    if not closed:
        prepare_filings(campaign)
    elif database_now() > campaign.deadline:
        AggregationRun.objects.get_or_create(campaign=campaign, key=deadline_key(campaign))


@transaction.atomic
def set_row(
    *,
    campaign: Campaign,
    form: str,
    code: str,
    label: str,
    is_off: bool,
    by: Actor,
    shown: str | None = None,
) -> SheetRow:
    """Relabel or switch off a row that the kept copy of the notice does not show.

    An empty label means the declared wording. A row can be switched on or off only before the first
    submission: afterwards sealed figures would lose a row under people's hands; the totals of drafts follow.
    Another wording voids the check: it was made of other words. `shown` is how the row stood on the page
    (`as_shown`): a row that has changed since is refused.
    """
    by.require_here("manage_campaign")
    campaign = _lock(campaign)
    indicator = _indicator(form, code)
    _require_open(campaign)
    if indicator.printed != "no":
        raise Refused(f"{code} 的项目名称是通知原文，不能改写或停用。")
    label = " ".join(label.replace("\x00", "").split())
    if len(label) > MAX_LABEL:
        raise Refused(f"项目名称最多 {MAX_LABEL} 个字，现有 {len(label)} 个。")
    if label == indicator.label:
        label = ""
    row = _row(campaign, form, code)
    _require_as_shown(campaign, row, shown)
    if is_off != row.is_off:
        _require_nothing_submitted(campaign, form)
    if (label, is_off) == (row.label, row.is_off):
        return row
    switched = is_off != row.is_off
    row.label, row.is_off = label, is_off
    row.checked_at = row.checked_by = None
    row.save()
    if switched:
        _follow_parts(campaign, form)
    _bump(campaign)
    return row


@transaction.atomic
def check_row(
    *,
    campaign: Campaign,
    form: str,
    code: str,
    by: Actor,
    checked: bool = True,
    shown: str | None = None,
) -> SheetRow:
    """Record that a row was compared with the original of the notice; or that it was not, after all.

    `shown` is how the row stood on the page (`as_shown`): other words have not been compared.
    """
    by.require_here("manage_campaign")
    campaign = _lock(campaign)
    _indicator(form, code)
    _require_open(campaign)
    row = _row(campaign, form, code)
    _require_as_shown(campaign, row, shown)
    row.checked_at, row.checked_by = (now(), by.person) if checked else (None, None)
    row.save()
    _bump(campaign)
    return row


@transaction.atomic
def check_all_rows(
    *, campaign: Campaign, form: str, by: Actor, shown: Mapping[str, str] | None = None
) -> int:
    """全部核对: record it for every row of a form that is not recorded yet; how many those were."""
    by.require_here("manage_campaign")
    campaign = _lock(campaign)
    _require_open(campaign)
    kept = {row.code: row for row in SheetRow.objects.filter(campaign=campaign, form=form)}
    fields = _form_fields(form)
    moment, made = now(), 0
    for code in fields:
        row = kept.get(code) or SheetRow(campaign=campaign, form=form, code=code)
        if shown is not None:
            _require_as_shown(campaign, row, shown.get(code, ""))
        if row.checked_at is None:
            row.checked_at, row.checked_by = moment, by.person
            row.save()
            made += 1
    _bump(campaign)
    return made


def label_of(campaign: Campaign, row: SheetRow) -> str:
    """The wording of a row as this campaign has it."""
    indicator = get_form(row.form).fields()[row.code]
    label = (row.label if indicator.printed == "no" else "") or indicator.label
    return label.replace(PRINTED_YEAR, f"{campaign.data_year}年度")


def as_shown(campaign: Campaign, row: SheetRow) -> str:
    """How a row stands, in one text: a page carries it, so that nobody changes what they have not seen."""
    return f"{'off' if row.is_off else 'on'} {label_of(campaign, row)}"


def _require_as_shown(campaign: Campaign, row: SheetRow, shown: str | None) -> None:
    if shown is not None and shown != as_shown(campaign, row):
        raise Refused(
            f"{row.code} 在您打开页面后已被他人改动，现在是“{label_of(campaign, row)}”"
            f"{'（停用）' if row.is_off else '（在用）'}。刚才的操作没有保存，请看过现在的内容后再操作。"
        )


def rows_to_check(campaign: Campaign) -> dict[str, int]:
    """How many rows of each form nobody has compared with the original yet."""
    done: dict[str, int] = {}
    checked = SheetRow.objects.filter(campaign=campaign, checked_at__isnull=False)
    for form, code in checked.values_list("form", "code"):
        if form in {f.slug for f in all_forms()} and code in get_form(form).fields():
            done[form] = done.get(form, 0) + 1
    return {form.slug: len(form.fields()) - done.get(form.slug, 0) for form in all_forms()}


def _lock(campaign: Campaign) -> Campaign:
    # no_key: a submission under way writes rows that refer to the campaign, and must not wait for this lock
    # while we wait for its filing.
    return Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)


def _require_open(campaign: Campaign) -> None:
    if campaign.is_closed:
        raise Refused("报送任务已结束，表样不再改动。")


def _require_nothing_submitted(campaign: Campaign, form: str) -> None:
    """Every filing is locked: a submission under way must not seal the row that is switched off.

    Asked before as well: while nobody has submitted, nobody holds the locks of two filings, and none of
    the locks below can be waited for in a circle. A save locks the working row and then its filing.
    """
    _refuse_if_submitted(campaign)
    working = get_form(form)._default_manager.filter(campaign=campaign, round=None)
    list(
        working.select_for_update(of=("self", "filing"))
        .select_related("filing")
        .order_by("filing__union__path")
    )
    list(campaign.filings.select_for_update(of=("self",)).order_by("union__path").values_list("pk"))
    _refuse_if_submitted(campaign)


def _follow_parts(campaign: Campaign, form: str) -> None:
    """Let the totals of every draft follow the rows now in use, as its page will show them.

    The filings are locked. Rows are read after that: a first save may just have made one.
    """
    overrides = {row.code: row for row in SheetRow.objects.filter(campaign=campaign, form=form)}
    # Not `sheet_for`: what it keeps must not outlive a transaction that comes to nothing.
    off = build_sheet(get_form(form), campaign.data_year, overrides).off
    working = get_form(form)._default_manager
    changed: set[str] = set()
    rows = []
    for row in working.filter(campaign=campaign, round=None):
        if followed := row.follow_parts(off):
            changed |= followed
            rows.append(row)
    if rows:
        working.bulk_update(rows, sorted(changed), batch_size=500)


def _refuse_if_submitted(campaign: Campaign) -> None:
    submitted = Round.objects.filter(filing__campaign=campaign).select_related("filing__union").first()
    if submitted:
        raise Refused(
            f"{submitted.filing.union.name}等单位已经上报，封存的数据里有这一行，现在不能再停用或启用。"
            "可以改写项目名称；停用须在首次上报之前。"
        )


def _form_fields(form: str) -> dict[str, Indicator]:
    if form not in {f.slug for f in all_forms()}:
        raise Refused("没有这张报表，请刷新页面。")
    return get_form(form).fields()


def _indicator(form: str, code: str) -> Indicator:
    fields = _form_fields(form)
    if code not in fields:
        raise Refused(f"没有“{code[:20]}”这一行，请刷新页面。")
    return fields[code]


def _row(campaign: Campaign, form: str, code: str) -> SheetRow:
    return SheetRow.objects.filter(campaign=campaign, form=form, code=code).first() or SheetRow(
        campaign=campaign, form=form, code=code
    )


def _bump(campaign: Campaign) -> None:
    """Prepared pages are kept by edition; counted in the database, so that two changes make two."""
    Campaign.objects.filter(pk=campaign.pk).update(edition=F("edition") + 1)
