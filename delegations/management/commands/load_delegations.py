"""Load attachment 3 of the notice of 2020: norms, sources of money, the eight delegations of 2021."""

from __future__ import annotations

import csv
import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from delegations import norms
from delegations.models import Arrangement, Delegation, Destination, FundSource
from reporting.models import Campaign
from unions.models import Union

ATTACHMENT = Path(__file__).resolve().parents[2] / "data" / "attachment3.csv"
YEAR = 2021
NOTICE = "黑工办发〔2020〕30号"
ISSUED = datetime.date(2020, 12, 17)  # as the campaign opens
SOURCES = ("2020年助困送温暖资金", "两节送温暖资金")


class Command(BaseCommand):
    help = "载入 2020 年通知附件3：慰问金标准、资金来源、八个慰问组。可重复运行，不改动已有内容。"

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.filter(year=YEAR).first()
        if campaign is None:
            raise CommandError("还没有 2021 年的报送任务，请先运行 load_notice。")
        norms.seed(ISSUED, NOTICE)
        Arrangement.objects.get_or_create(campaign=campaign)
        if Delegation.objects.filter(campaign=campaign).exists():
            self.stdout.write(f"{campaign.title}已有慰问组，保持不变。")
            return
        for position, name in enumerate(SOURCES):
            FundSource.objects.get_or_create(campaign=campaign, name=name, defaults={"position": position})
        unions = {union.short_name: union for union in Union.objects.filter(parent__parent=None)}
        with ATTACHMENT.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        called = {name for row in rows for name in row["destinations"].split(";")}
        if missing := called - set(unions):
            raise CommandError(
                f"没有简称为“{'、'.join(sorted(missing))}”的单位，没有载入。请先改回简称再运行。"
            )
        for row in rows:
            delegation = Delegation.objects.create(
                campaign=campaign,
                number=int(row["number"]),
                leader_name=row["leader"],
                member_units=row["member_units"].split(";"),
                liaison_name=row["liaison"],
            )
            Destination.objects.bulk_create(
                Destination(delegation=delegation, campaign=campaign, union=unions[name], position=n)
                for n, name in enumerate(row["destinations"].split(";"))
            )
        self.stdout.write(f"{campaign.title}：已载入 {len(rows)} 个慰问组。")
