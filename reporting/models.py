"""What one round of reporting is made of. Behaviour lives in `workflow`, `filling`, `aggregation`."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from reporting import clock
from unions.gate import GatedManager
from unions.models import Union

# A slip of the pen (year 1, year 9999) can be stored but not shown in local time: every page that tells of
# the campaign would fail, the settings that could mend it among them.
FIRST_YEAR, LAST_YEAR = 2000, 2100
FIRST_MOMENT, LAST_MOMENT = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)
FIRST_DAY, LAST_DAY = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)
SENSIBLE = f"请填 {FIRST_YEAR} 年至 {LAST_YEAR} 年之间的时间。"


def sensible_moment(moment: datetime) -> None:
    if not FIRST_MOMENT <= moment < LAST_MOMENT:
        raise ValidationError(SENSIBLE, code="not_sensible")


def sensible_day(day: date) -> None:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValidationError(SENSIBLE, code="not_sensible")


sensible_year = (
    MinValueValidator(FIRST_YEAR, f"年份不能早于 {FIRST_YEAR} 年。"),
    MaxValueValidator(LAST_YEAR, f"年份不能晚于 {LAST_YEAR} 年。"),
)


class Campaign(models.Model):
    """报送任务: one year's round, as a notice orders it. A deadline is data, never code."""

    title = models.CharField("任务名称", max_length=100)
    notice_number = models.CharField("通知文号", max_length=60)
    notice_title = models.CharField("通知标题", max_length=200, blank=True)
    year = models.PositiveSmallIntegerField(
        "年份", help_text="元旦春节所在的年份", unique=True, validators=sensible_year
    )
    data_year = models.PositiveSmallIntegerField(
        "统计年度", help_text="附件2中“年度”所指的年份", validators=sensible_year
    )
    opens_at = models.DateTimeField("开始填报", validators=[sensible_moment])
    deadline = models.DateTimeField(
        "截止时间", help_text="27日前上报即填 27 日 23:59:59", validators=[sensible_moment]
    )
    visits_from = models.DateField("走访开始", null=True, blank=True, validators=[sensible_day])
    visits_until = models.DateField("走访结束", null=True, blank=True, validators=[sensible_day])
    contact = models.CharField("联系方式", max_length=200, blank=True)
    # Where the electronic version of an approved filing goes, as the notice asks; empty: nowhere.
    mailbox = models.EmailField("报送邮箱", blank=True)
    is_closed = models.BooleanField("已结束", default=False)
    is_sample = models.BooleanField("演示数据", default=False)
    # Counts the changes of the sheets' wording and switched-off rows; prepared pages are kept by it.
    edition = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ("-year",)
        verbose_name = verbose_name_plural = "报送任务"
        constraints = (
            models.CheckConstraint(
                condition=Q(deadline__gt=models.F("opens_at")),
                name="campaign_opens_before_deadline",
                violation_error_message="截止时间须晚于开始填报的时间。",
            ),
            models.CheckConstraint(
                condition=Q(
                    year__range=(FIRST_YEAR, LAST_YEAR),
                    data_year__range=(FIRST_YEAR, LAST_YEAR),
                    opens_at__gte=FIRST_MOMENT,
                    deadline__lt=LAST_MOMENT,
                )
                & (Q(visits_from=None) | Q(visits_from__range=(FIRST_DAY, LAST_DAY)))
                & (Q(visits_until=None) | Q(visits_until__range=(FIRST_DAY, LAST_DAY))),
                name="campaign_in_sensible_years",
                violation_error_message=SENSIBLE,
            ),
        )

    def __str__(self) -> str:
        return self.title

    def is_open(self, moment: datetime | None = None) -> bool:
        return not self.is_closed and (moment or clock.now()) >= self.opens_at


class SheetRow(models.Model):
    """表样核对: what one campaign changes in one row of a form, and who checked it against the original."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="sheet_rows")
    form = models.CharField(max_length=20)
    code = models.CharField(max_length=8)
    label = models.CharField("项目", max_length=200, blank=True)
    is_off = models.BooleanField("停用", default=False)
    checked_at = models.DateTimeField(null=True, blank=True)
    checked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["campaign", "form", "code"], name="one_sheet_row_each"),
        )


class Filing(models.Model):
    """报送件: what one union sends in one campaign. One package, one state."""

    class State(models.TextChoices):
        DRAFT = "draft", "填报中"
        SUBMITTED = "submitted", "已上报"
        RETURNED = "returned", "已退回"
        APPROVED = "approved", "已通过"

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="filings")
    union = models.ForeignKey(Union, models.PROTECT, related_name="filings")
    state = models.CharField(max_length=9, choices=State.choices, default=State.DRAFT)
    current_round = models.ForeignKey("Round", models.PROTECT, null=True, related_name="+")
    current_report = models.ForeignKey("Report", models.PROTECT, null=True, related_name="+")
    # ["warmth:E1", "report"]: after a return that names cells only these are open; empty means all.
    open_cells = models.JSONField(default=list, blank=True)
    # Set when a reviewer first opens the submitted filing: from then on it can't be withdrawn.
    opened_at = models.DateTimeField(null=True, blank=True)
    extended_until = models.DateTimeField(null=True, blank=True)
    is_late = models.BooleanField("逾期", default=False)
    filler_name = models.CharField("填报人", max_length=30, blank=True)
    filler_phone = models.CharField("电话", max_length=30, blank=True)
    filled_on = models.DateField("填报日期", null=True, blank=True)

    objects: ClassVar[GatedManager[Self]] = GatedManager("union__path")

    class Meta:
        ordering = ("union__position", "union__code")
        verbose_name = verbose_name_plural = "报送件"
        constraints = (models.UniqueConstraint(fields=["campaign", "union"], name="one_filing_per_union"),)

    def __str__(self) -> str:
        return f"{self.union} {self.campaign.year}"

    @property
    def is_editable(self) -> bool:
        return self.state in (self.State.DRAFT, self.State.RETURNED)

    @property
    def deadline(self) -> datetime:
        """The campaign's deadline or this union's extension, whichever is later."""
        return max(self.campaign.deadline, self.extended_until or self.campaign.deadline)

    def is_cell_open(self, name: str) -> bool:
        """Whether `warmth:E1` (or `report`, `head`) may be changed while the filing is editable."""
        return self.is_editable and (not self.open_cells or name == "head" or name in self.open_cells)


class Round(models.Model):
    """轮次: one submission. Its sealed rows of figures stand in the forms' tables; nothing here changes."""

    filing = models.ForeignKey(Filing, models.CASCADE, related_name="rounds")
    number = models.PositiveIntegerField()
    submitted_at = models.DateTimeField()
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    is_late = models.BooleanField(default=False)
    digest = models.CharField(max_length=64)
    report = models.ForeignKey("Report", models.PROTECT, null=True, related_name="+")
    # What was signed keeps the name it was signed under, whatever the union is called later.
    union_name = models.CharField(max_length=60)
    # {"filler_name": …, "filler_phone": …, "filled_on": "2021-01-20"}
    head = models.JSONField(default=dict)
    # [{"form": "warmth", "rule": "D_above_A", "message": …, "text": …}]
    explanations = models.JSONField(default=list)
    # [{"union": "230103", "round": 2}]: whose totals the sealed totals contain
    includes = models.JSONField(default=list)
    # {"data_year": 2020, "labels": {"warmth": {"C3": …}}}: what relabelled rows were called when it was signed. Rows
    # are not switched off or on once anybody has submitted.
    wording = models.JSONField(default=dict)

    class Meta:
        ordering = ("filing", "number")
        constraints = (models.UniqueConstraint(fields=["filing", "number"], name="rounds_are_numbered"),)


class Event(models.Model):
    """The audit: every move of a filing, who, for whom, when, from, to, why."""

    filing = models.ForeignKey(Filing, models.CASCADE, related_name="events")
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    acting_for = models.ForeignKey(Union, models.PROTECT, null=True, related_name="+")
    move = models.CharField(max_length=12)
    from_state = models.CharField(max_length=9, choices=Filing.State.choices)
    to_state = models.CharField(max_length=9, choices=Filing.State.choices)
    reason = models.TextField(blank=True)
    cells = models.JSONField(default=list)
    round = models.ForeignKey(Round, models.PROTECT, null=True, related_name="+")

    objects: ClassVar[GatedManager[Self]] = GatedManager("filing__union__path")

    class Meta:
        ordering = ("-at", "-id")

    MOVES: ClassVar[dict[str, str]] = {
        "submit": "上报",
        "withdraw": "撤回",
        "send_back": "退回",
        "approve": "通过",
        "reopen": "重开",
        "extend": "准予延期",
        "mail": "发往报送邮箱",
    }

    @property
    def move_label(self) -> str:
        return self.MOVES[self.move]


class CellChange(models.Model):
    """The audit of a draft: one changed cell, what stood there and what was typed."""

    filing = models.ForeignKey(Filing, models.CASCADE, related_name="changes")
    form = models.CharField(max_length=20)
    code = models.CharField(max_length=20)
    old = models.CharField(max_length=200, blank=True)
    new = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        indexes = (models.Index(fields=["filing", "form", "code", "-id"], name="last_change_of_a_cell"),)


class Explanation(models.Model):
    """What a union says to a query rule. Bound to rule and values by `digest`; other values void it."""

    filing = models.ForeignKey(Filing, models.CASCADE, related_name="explanations")
    form = models.CharField(max_length=20)
    rule = models.CharField(max_length=40)
    digest = models.CharField(max_length=16)
    text = models.CharField(max_length=500)
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["filing", "form", "rule", "digest"], name="one_explanation_per_values"
            ),
        )


class Remark(models.Model):
    """A reviewer's word on one cell of one round (code empty: on the form or report as a whole)."""

    filing = models.ForeignKey(Filing, models.CASCADE, related_name="remarks")
    round = models.ForeignKey(Round, models.CASCADE, related_name="remarks")
    form = models.CharField(max_length=20)
    code = models.CharField(max_length=8, blank=True)
    text = models.CharField(max_length=500)
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects: ClassVar[GatedManager[Self]] = GatedManager("filing__union__path")

    class Meta:
        ordering = ("id",)


def report_path(report: Report, filename: str) -> str:
    """Opaque on disk: the people's file name is data, never a path."""
    return f"reports/{report.filing.campaign_id}/{report.filing_id}/{report.sha256[:32]}.{report.kind}"


class Report(models.Model):
    """送温暖报告: one uploaded version of the narrative report; earlier versions stay."""

    filing = models.ForeignKey(Filing, models.CASCADE, related_name="reports")
    number = models.PositiveIntegerField()
    file = models.FileField(upload_to=report_path, max_length=200)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=4)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects: ClassVar[GatedManager[Self]] = GatedManager("filing__union__path")

    class Meta:
        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=["filing", "number"], name="reports_are_numbered"),)


class Import(models.Model):
    """A workbook that was read for a filing: what it says, until somebody confirms it or gives it up."""

    class State(models.TextChoices):
        PREVIEW = "preview", "待确认"
        CONFIRMED = "confirmed", "已确认填入"
        DROPPED = "dropped", "已放弃"

    filing = models.ForeignKey(Filing, models.CASCADE, related_name="imports")
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    # {"forms": {"warmth": {"page", "texts": {code: text}, "where": {code: "附件1!E9"}, "stood": {code: text},
    #  "notes": [[where, sentence]]}}, "notes": [[where, sentence]], "head": {"filler_name": …}}
    content = models.JSONField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.PREVIEW)
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects: ClassVar[GatedManager[Self]] = GatedManager("filing__union__path")

    class Meta:
        ordering = ("-at", "-id")


def batch_path(batch: ImportBatch, filename: str) -> str:
    return f"imports/{uuid.uuid4().hex}.zip"


class ImportBatch(models.Model):
    """Many workbooks at once, as they come back by e-mail: read one by one, looked at together, confirmed together."""

    class State(models.TextChoices):
        READING = "reading", "正在读取"
        PREVIEW = "preview", "待确认"
        FILLING = "filling", "正在填入"
        DONE = "done", "已完成"
        DROPPED = "dropped", "已放弃"

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="import_batches")
    name = models.CharField(max_length=200)
    # What was uploaded, until every workbook in it was read.
    file = models.FileField(upload_to=batch_path, max_length=200, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.READING)
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    acting_for = models.ForeignKey(Union, models.PROTECT, related_name="+")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)


class BatchFile(models.Model):
    """One workbook of a batch: what it was understood as, or why it was refused. One failing stops no other."""

    class State(models.TextChoices):
        WAITING = "waiting", "等待读取"
        UNDERSTOOD = "understood", "已读懂"
        REFUSED = "refused", "不能接收"
        FILLED = "filled", "已填入"
        FAILED = "failed", "没有填入"

    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="files")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=300)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    kept = models.OneToOneField(Import, models.SET_NULL, null=True, related_name="batch_file")
    sentence = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=["batch", "position"], name="batch_files_in_order"),)


def scan_path(scan: Scan, filename: str) -> str:
    return f"scans/{scan.round.filing_id}/{uuid.uuid4().hex}.{scan.kind}"


class Scan(models.Model):
    """盖章扫描件: the stamped sheet of one round, shown beside the figures. Earlier versions stay."""

    round = models.ForeignKey(Round, models.CASCADE, related_name="scans")
    number = models.PositiveIntegerField()
    file = models.FileField(upload_to=scan_path, max_length=200)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=4)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects: ClassVar[GatedManager[Self]] = GatedManager("round__filing__union__path")

    class Meta:
        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=["round", "number"], name="scans_are_numbered"),)


class Message(models.Model):
    """A message in the product to one person."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="inbox")
    text = models.CharField(max_length=500)
    link = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(default=clock.now)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-at", "-id")
        indexes = (models.Index(fields=["person"], condition=Q(read_at=None), name="unread_messages"),)


class Outbox(models.Model):
    """An e-mail that must go out: written with the move it tells of, sent later, at most once at a time."""

    to = models.EmailField()
    subject = models.CharField(max_length=200)
    body = models.TextField()
    created_at = models.DateTimeField(default=clock.now)
    due_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    # The electronic version of a round: its workbook, report and PDF are made and attached when it is sent.
    round = models.ForeignKey(Round, models.PROTECT, null=True, related_name="mails")

    class Meta:
        indexes = (models.Index(fields=["due_at"], condition=Q(sent_at=None), name="outbox_due"),)
        constraints = (
            # However often somebody asks, a round goes to a mailbox once.
            models.UniqueConstraint(
                fields=["round", "to"], condition=Q(round__isnull=False), name="a_round_goes_out_once"
            ),
        )


class AggregationRun(models.Model):
    """A request to aggregate. `key` makes the timed ones unique ("nightly:2021-01-20", "deadline")."""

    class State(models.TextChoices):
        WAITING = "waiting", "排队中"
        DONE = "done", "已完成"
        FAILED = "failed", "失败"

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="runs")
    key = models.CharField(max_length=40)
    requested_at = models.DateTimeField(default=clock.now)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)
    summary = models.ForeignKey("Summary", models.PROTECT, null=True, related_name="runs")
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=["campaign", "key"], name="timed_runs_once"),)
        indexes = (models.Index(fields=["id"], condition=Q(state="waiting"), name="runs_waiting"),)


class Summary(models.Model):
    """汇总: one numbered, immutable result. The same input (`digest`) makes no new number."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="summaries")
    number = models.PositiveIntegerField()
    made_at = models.DateTimeField(default=clock.now)
    cut_off = models.DateTimeField("统计截至")
    digest = models.CharField(max_length=64)
    # {"warmth": {"A": 12500000, …}, …}: whole figures, money in 分, off rows left out
    figures = models.JSONField()
    # {"warmth": [{"rule": …, "level": …, "message": …}]}: the rules run again on the totals
    problems = models.JSONField(default=dict)
    # [{"union": "230900", "name": …, "state": "returned"}]: who takes part and did not stand approved, as it
    # was at `cut_off`
    missing = models.JSONField(default=list)
    # The sheets as they were: {"warmth": [{"code", "label", "unit", …}]}, so that later relabelling
    # does not change a summary that was signed
    sheets = models.JSONField(default=dict)
    # What cover and pages say of the campaign, as it was then: {"union", "title", "notice_number",
    # "notice_title", "year", "data_year", "deadline", "is_sample"}. Settings may change, this does not.
    facts = models.JSONField(default=dict)

    class Meta:
        ordering = ("-number",)
        verbose_name = verbose_name_plural = "汇总"
        constraints = (
            models.UniqueConstraint(fields=["campaign", "number"], name="summaries_are_numbered"),
            models.UniqueConstraint(fields=["campaign", "digest"], name="same_input_same_summary"),
        )

    def __str__(self) -> str:
        return f"{self.facts.get('year', '')} 年第 {self.number} 号汇总"


class SummaryEntry(models.Model):
    """One round that a summary includes."""

    summary = models.ForeignKey(Summary, models.CASCADE, related_name="entries")
    round = models.ForeignKey(Round, models.PROTECT, related_name="+")
    is_late = models.BooleanField(default=False)

    class Meta:
        ordering = ("round__filing__union__position",)
        constraints = (models.UniqueConstraint(fields=["summary", "round"], name="one_entry_per_round"),)


def export_path(export: Export, filename: str) -> str:
    """Always the same: what a killed worker left behind is written over by the next one."""
    return f"exports/{export.digest}.xlsx"


class Export(models.Model):
    """A workbook of a summary as somebody chose it. The same choice of the same summary is made once."""

    class State(models.TextChoices):
        WAITING = "waiting", "排队中"
        DONE = "done", "已完成"
        FAILED = "failed", "失败"

    summary = models.ForeignKey(Summary, models.CASCADE, related_name="exports")
    # {"forms": ["warmth"], "unions": ["230100"], "names": ["哈尔滨"], "level": "all", "cities": true}; unions
    # empty: every one
    wanted = models.JSONField()
    # The summary of an earlier campaign whose figures stand beside these.
    compared = models.ForeignKey(Summary, models.PROTECT, null=True, related_name="+")
    digest = models.CharField(max_length=64)
    requested_at = models.DateTimeField(default=clock.now)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)
    file = models.FileField(upload_to=export_path, max_length=200, blank=True)
    size = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=["summary", "digest"], name="same_choice_once"),)
        indexes = (models.Index(fields=["id"], condition=Q(state="waiting"), name="exports_waiting"),)
