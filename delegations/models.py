"""Attachment 3: eight delegations, whom they visit, what they bring, what they bring back.

A plan (dates, visits, amounts) is written while its delegation is 编制中, frozen by 锁定, and then stands
beside the record of what was done. Money is whole 分. Behaviour lives in `planning`, `recording`, …
"""

from __future__ import annotations

import uuid
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from delegations.access import DelegationRows, DestinationRows, RowsOfDestinations
from reporting import clock
from reporting.models import Campaign, sensible_day
from unions.models import Union

PERSON = settings.AUTH_USER_MODEL


class Arrangement(models.Model):
    """总体安排: what the notice orders for all delegations of one campaign [五]. Its row is the lock of
    everything that concerns more than one delegation."""

    campaign = models.OneToOneField(Campaign, models.CASCADE, primary_key=True, related_name="arrangement")
    enterprises = models.PositiveSmallIntegerField("企业", default=1)
    grassroots = models.PositiveSmallIntegerField("基层单位", default=1)
    on_site = models.PositiveSmallIntegerField("现场慰问", default=1)
    households = models.PositiveSmallIntegerField("入户慰问", default=2)
    # The notice says few and names no number; more than this is asked about.
    travellers_limit = models.PositiveSmallIntegerField("随行人数上限", default=6)


class FundSource(models.Model):
    """资金来源. Named by the notice of each year; `ceiling` (分) is what the department sets, if anything."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="fund_sources")
    name = models.CharField("名称", max_length=60)
    ceiling = models.BigIntegerField("资金上限", null=True, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("position", "id")
        constraints = (
            models.UniqueConstraint(fields=["campaign", "name"], name="one_source_of_a_name"),
            models.CheckConstraint(
                condition=Q(ceiling=None) | Q(ceiling__gte=0), name="ceiling_not_negative"
            ),
        )

    def __str__(self) -> str:
        return self.name


class Norm(models.Model):
    """慰问金标准: from `valid_from` until the next one of the same subject, an amount between two bounds (分)."""

    class Subject(models.TextChoices):
        ENTERPRISE = "enterprise", "困难企业"
        HARD_HIT = "hard_hit", "特别困难企业"
        GRASSROOTS = "grassroots", "基层单位"
        PERSON = "person", "困难职工、劳模工匠、挂职干部、疫情一线职工"
        ON_DUTY = "on_duty", "节日坚守岗位的一线职工"

    subject = models.CharField("对象", max_length=10, choices=Subject.choices)
    valid_from = models.DateField("自", validators=[sensible_day])
    least = models.BigIntegerField("下限")
    most = models.BigIntegerField("上限")
    unit = models.CharField("单位", max_length=10)  # 户, 人, 家, 个
    basis = models.CharField("依据", max_length=100, blank=True)

    class Meta:
        ordering = ("subject", "-valid_from")
        constraints = (
            models.UniqueConstraint(fields=["subject", "valid_from"], name="one_norm_a_day"),
            models.CheckConstraint(
                condition=Q(least__gte=0) & Q(most__gte=models.F("least")), name="norm_bounds_in_order"
            ),
        )


class Delegation(models.Model):
    """慰问组. Names stand as the notice prints them; `leader` and `liaison` are accounts, once there are any."""

    class State(models.TextChoices):
        PLANNING = "planning", "编制中"
        LOCKED = "locked", "已锁定"
        ARCHIVED = "archived", "已归档"

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="delegations")
    number = models.PositiveSmallIntegerField("组别")
    leader_name = models.CharField("带队领导", max_length=30, blank=True)
    leader = models.ForeignKey(PERSON, models.PROTECT, null=True, blank=True, related_name="led_delegations")
    member_units = models.JSONField("成员单位", default=list, blank=True)  # ["办公室", "财务资产部"]
    liaison_name = models.CharField("联络员", max_length=30, blank=True)
    liaison = models.ForeignKey(
        PERSON, models.PROTECT, null=True, blank=True, related_name="arranged_delegations"
    )
    liaison_phone = models.CharField("联络员电话", max_length=30, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PLANNING)
    # Counts the changes of plan and record, so that a page can say what it has seen.
    revision = models.PositiveIntegerField(default=0, editable=False)

    objects: ClassVar[DelegationRows[Self]] = DelegationRows()

    class Meta:
        ordering = ("campaign", "number")
        verbose_name = verbose_name_plural = "慰问组"
        constraints = (
            models.UniqueConstraint(fields=["campaign", "number"], name="delegations_are_numbered"),
        )

    def __str__(self) -> str:
        return f"第{self.number}慰问组"


class Destination(models.Model):
    """走访单位: a union on a delegation's way, with its dates, who travels, whom to call, and what was found."""

    delegation = models.ForeignKey(Delegation, models.CASCADE, related_name="destinations")
    # The delegation's, so that the law "one union, one delegation a campaign" is a constraint.
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="+")
    union = models.ForeignKey(Union, models.PROTECT, related_name="visited_as")
    position = models.PositiveSmallIntegerField(default=0)
    # -- plan
    first_day = models.DateField("走访日期自", null=True, blank=True)
    last_day = models.DateField("走访日期至", null=True, blank=True)
    travellers = models.PositiveSmallIntegerField("随行人数", null=True, blank=True)
    travellers_reason = models.CharField("人数说明", max_length=300, blank=True)
    contact_name = models.CharField("当地联系人", max_length=30, blank=True)
    contact_phone = models.CharField("联系电话", max_length=30, blank=True)
    surplus_reason = models.CharField("超出说明", max_length=300, blank=True)
    note = models.CharField("行程备注", max_length=500, blank=True)
    # -- record: what the notice asks to look into [三]
    went_from = models.DateField("实际日期自", null=True, blank=True)
    went_until = models.DateField("实际日期至", null=True, blank=True)
    participants = models.CharField("参加人员", max_length=300, blank=True)
    spirit = models.TextField("学习贯彻精神、落实意识形态责任制、当地党政支持情况", blank=True)
    centres = models.TextField("帮扶中心和服务体系建设情况", blank=True)
    practice = models.TextField("好的经验做法", blank=True)

    objects: ClassVar[DestinationRows[Self]] = DestinationRows()

    class Meta:
        ordering = ("position", "id")
        verbose_name = verbose_name_plural = "走访单位"
        constraints = (models.UniqueConstraint(fields=["campaign", "union"], name="one_delegation_a_union"),)

    def __str__(self) -> str:
        return self.union.short_name

    @property
    def is_recorded(self) -> bool:
        written = (self.participants, self.spirit, self.centres, self.practice)
        return self.went_from is not None or self.went_until is not None or any(written)


class Visit(models.Model):
    """走访对象: one enterprise, grassroots unit, person on site or household; plan and record side by side."""

    class Kind(models.TextChoices):
        ENTERPRISE = "enterprise", "困难企业"
        GRASSROOTS = "grassroots", "基层单位"
        ON_SITE = "on_site", "现场慰问"
        HOUSEHOLD = "household", "入户慰问"

    class Category(models.TextChoices):
        OPERATING = "operating", "生产经营困难"
        CAPACITY = "capacity", "化解过剩产能任务较重"
        EPIDEMIC = "epidemic", "受疫情影响严重"
        POLICE = "police", "公安派出所"
        SANITATION = "sanitation", "环卫站"
        NATIONAL_MODEL = "national", "全国劳模"
        PROVINCIAL_MODEL = "provincial", "省级劳模"
        CRAFTSMAN = "craftsman", "工匠"
        FRONT_LINE = "front_line", "一线职工"
        POSTED_CADRE = "cadre", "派驻挂职干部"
        EPIDEMIC_FRONT_LINE = "anti_epi", "疫情一线职工"
        WORKER = "worker", "困难职工"
        MODEL_IN_NEED = "model", "困难劳模"
        MIGRANT = "migrant", "困难农民工"

    class Standing(models.TextChoices):
        PROPOSED = "proposed", "当地建议"
        DECLINED = "declined", "未采纳"
        PLANNED = "planned", "计划内"
        UNPLANNED = "unplanned", "临时增加"

    class Outcome(models.TextChoices):
        DONE = "done", "已走访"
        NOT_DONE = "not_done", "未走访"

    CATEGORIES: ClassVar[dict[str, tuple[str, ...]]] = {
        Kind.ENTERPRISE: ("operating", "capacity", "epidemic"),
        Kind.GRASSROOTS: ("police", "sanitation"),
        Kind.ON_SITE: ("national", "provincial", "craftsman", "front_line", "cadre", "anti_epi"),
        Kind.HOUSEHOLD: ("worker", "model", "migrant"),
    }

    destination = models.ForeignKey(Destination, models.CASCADE, related_name="visits")
    kind = models.CharField("类别", max_length=10, choices=Kind.choices)
    category = models.CharField("类型", max_length=10, choices=Category.choices, blank=True)
    is_hard_hit = models.BooleanField("特别困难", default=False)
    standing = models.CharField(max_length=9, choices=Standing.choices, default=Standing.PLANNED)
    position = models.PositiveSmallIntegerField(default=0)
    # The name of an enterprise, unit or person met in public. A household's stands encrypted in PersonalData.
    name = models.CharField("名称", max_length=60, blank=True)
    # -- plan, 分
    money = models.BigIntegerField("慰问金", null=True, blank=True)
    goods = models.BigIntegerField("慰问品折款", null=True, blank=True)
    goods_text = models.CharField("慰问品", max_length=100, blank=True)
    source = models.ForeignKey(FundSource, models.PROTECT, null=True, blank=True, related_name="+")
    amount_reason = models.CharField("金额说明", max_length=300, blank=True)
    note = models.CharField("备注", max_length=300, blank=True)
    # -- a proposal of the visited union
    proposed_by = models.ForeignKey(PERSON, models.PROTECT, null=True, blank=True, related_name="+")
    proposed_at = models.DateTimeField(null=True, blank=True)
    why = models.CharField("建议理由", max_length=300, blank=True)
    answered_by = models.ForeignKey(PERSON, models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField("答复", max_length=300, blank=True)
    # -- record, 分
    outcome = models.CharField("完成情况", max_length=8, choices=Outcome.choices, blank=True)
    happened_on = models.DateField("走访日期", null=True, blank=True)
    paid_money = models.BigIntegerField("实付慰问金", null=True, blank=True)
    paid_goods = models.BigIntegerField("实发慰问品折款", null=True, blank=True)
    paid_goods_text = models.CharField("实发慰问品", max_length=100, blank=True)
    # Where the money really came from; none means from the planned source.
    paid_source = models.ForeignKey(FundSource, models.PROTECT, null=True, blank=True, related_name="+")
    difference_reason = models.CharField("差异说明", max_length=300, blank=True)
    difficulties = models.TextField("困难及原因", blank=True)
    wishes = models.TextField("诉求和愿望", blank=True)
    good_practice = models.TextField("好的做法", blank=True)

    objects: ClassVar[RowsOfDestinations[Self]] = RowsOfDestinations("destination")

    class Meta:
        ordering = ("position", "id")
        verbose_name = verbose_name_plural = "走访对象"
        constraints = (
            models.CheckConstraint(
                condition=Q(category="")
                | Q(kind="enterprise", category__in=("operating", "capacity", "epidemic"))
                | Q(kind="grassroots", category__in=("police", "sanitation"))
                | Q(
                    kind="on_site",
                    category__in=("national", "provincial", "craftsman", "front_line", "cadre", "anti_epi"),
                )
                | Q(kind="household", category__in=("worker", "model", "migrant")),
                name="visit_category_of_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(is_hard_hit=False) | Q(kind="enterprise"), name="only_enterprises_hard_hit"
            ),
            models.CheckConstraint(
                condition=~Q(kind="household") | Q(name=""), name="households_are_named_in_personal_data"
            ),
            models.CheckConstraint(
                condition=(Q(money=None) | Q(money__gte=0))
                & (Q(goods=None) | Q(goods__gte=0))
                & (Q(paid_money=None) | Q(paid_money__gte=0))
                & (Q(paid_goods=None) | Q(paid_goods__gte=0)),
                name="visit_amounts_not_negative",
            ),
            # What never was in the plan has no planned amount to be compared with.
            models.CheckConstraint(
                condition=~Q(standing="unplanned") | Q(money=None, goods=None), name="unplanned_has_no_plan"
            ),
        )

    @property
    def amount(self) -> int | None:
        """Planned, 分; None while neither money nor goods are filled in."""
        return None if self.money is None and self.goods is None else (self.money or 0) + (self.goods or 0)

    @property
    def paid(self) -> int | None:
        """Really paid, 分; None while nothing is recorded."""
        if self.paid_money is None and self.paid_goods is None:
            return None
        return (self.paid_money or 0) + (self.paid_goods or 0)

    @property
    def is_recorded(self) -> bool:
        """Whether a record speaks of it: money that was paid must stay traceable [四(三)]."""
        texts = (self.outcome, self.paid_goods_text, self.difference_reason)
        learned = (self.difficulties, self.wishes, self.good_practice)
        return self.paid is not None or self.happened_on is not None or any(texts) or any(learned)

    @property
    def counts_in_plan(self) -> bool:
        return self.standing == self.Standing.PLANNED


class PersonalData(models.Model):
    """The five facts about a household that the database only keeps sealed. `households` opens and seals them,
    `personal` decides for whom."""

    visit = models.OneToOneField(Visit, models.CASCADE, primary_key=True, related_name="personal")
    name = models.BinaryField(default=b"")
    telephone = models.BinaryField(default=b"")
    identity_number = models.BinaryField(default=b"")
    address = models.BinaryField(default=b"")
    illness = models.BinaryField(default=b"")
    # The oldest key still needed for this row: what a rotation looks for.
    key_version = models.PositiveSmallIntegerField(default=0, db_index=True)

    objects: ClassVar[RowsOfDestinations[Self]] = RowsOfDestinations("visit__destination")

    FIELDS: ClassVar[tuple[str, ...]] = ("name", "telephone", "identity_number", "address", "illness")
    LABELS: ClassVar[dict[str, str]] = {
        "name": "姓名",
        "telephone": "电话",
        "identity_number": "身份证号",
        "address": "住址",
        "illness": "患病情况",
    }


class Unmasking(models.Model):
    """Somebody asked for a household's personal data and said why. Written before anything is shown."""

    class Way(models.TextChoices):
        PAGE = "page", "页面查看"
        EXPORT = "export", "导出"
        FILE = "file", "打开文件"

    # The visit may be removed from a plan; that somebody read of it stays.
    visit = models.ForeignKey(Visit, models.SET_NULL, null=True, related_name="unmaskings")
    destination = models.ForeignKey(Destination, models.SET_NULL, null=True, related_name="+")
    delegation = models.ForeignKey(Delegation, models.PROTECT, related_name="unmaskings")
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(PERSON, models.PROTECT, related_name="+")
    way = models.CharField(max_length=6, choices=Way.choices)
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ("-at", "-id")


class PlanEvent(models.Model):
    """The audit: who changed what in a plan or record, and every move. Never holds personal data."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="+")
    # What was done to a delegation outlives it: the campaign still has the event.
    delegation = models.ForeignKey(Delegation, models.SET_NULL, null=True, related_name="events")
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(PERSON, models.PROTECT, null=True, related_name="+")
    acting_for = models.ForeignKey(Union, models.PROTECT, null=True, related_name="+")
    what = models.CharField(max_length=500)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-at", "-id")


def material_path(material: Material, filename: str) -> str:
    """Opaque on disk: the people's file name is data, never a path."""
    return f"materials/{material.destination_id}/{uuid.uuid4().hex}.{material.format}"


def thumbnail_path(material: Material, filename: str) -> str:
    return f"materials/{material.destination_id}/{uuid.uuid4().hex}.thumb.jpg"


def upload_path(upload: Upload, filename: str) -> str:
    return f"uploads/{upload.pk.hex}.part"


class MaterialKind(models.TextChoices):
    """The four kinds each delegation files after returning [attachment 3]."""

    REPORT = "report", "当地汇报材料"
    HOUSEHOLD = "household", "入户走访材料"
    PHOTO = "photo", "照片"
    COVERAGE = "coverage", "媒体报道"


class Material(models.Model):
    """材料: a file that was looked into and kept, or (媒体报道) a link."""

    destination = models.ForeignKey(Destination, models.CASCADE, related_name="materials")
    kind = models.CharField("类别", max_length=9, choices=MaterialKind.choices)
    # -- a file
    file = models.FileField(upload_to=material_path, max_length=200, blank=True)
    thumbnail = models.FileField(upload_to=thumbnail_path, max_length=200, blank=True)
    name = models.CharField("文件名", max_length=200, blank=True)
    format = models.CharField(max_length=5, blank=True)  # as found in the content: pdf, docx, jpg, …
    size = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    taken_at = models.DateTimeField("拍摄时间", null=True, blank=True)
    # -- a link
    url = models.URLField("网址", max_length=500, blank=True)
    title = models.CharField("标题", max_length=200, blank=True)
    outlet = models.CharField("媒体", max_length=60, blank=True)
    published_on = models.DateField("日期", null=True, blank=True)
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(PERSON, models.PROTECT, related_name="+")

    objects: ClassVar[RowsOfDestinations[Self]] = RowsOfDestinations("destination")

    class Meta:
        ordering = ("kind", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(url="") & ~Q(file="") | ~Q(url="") & Q(file="", kind="coverage"),
                name="material_is_a_file_or_a_link",
            ),
            # The same content twice in one list is one file too many.
            models.UniqueConstraint(
                fields=["destination", "kind", "sha256"], condition=~Q(sha256=""), name="material_once"
            ),
        )


class Upload(models.Model):
    """A file on its way, received in pieces (tus protocol). Becomes a Material when it is whole and sound."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    destination = models.ForeignKey(Destination, models.CASCADE, related_name="uploads")
    kind = models.CharField(max_length=9, choices=MaterialKind.choices)
    name = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()
    received = models.PositiveBigIntegerField(default=0)
    file = models.FileField(upload_to=upload_path, max_length=200)
    at = models.DateTimeField(default=clock.now)
    touched_at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(PERSON, models.PROTECT, related_name="+")

    class Meta:
        ordering = ("at",)
