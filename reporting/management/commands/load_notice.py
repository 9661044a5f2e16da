"""Load what the notice of 2020 orders: the unions, the campaign of 2021, a filing for every union."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import transaction

from reporting.campaigns import prepare_filings
from reporting.models import Campaign

NOTICE = Path(__file__).resolve().parents[2] / "data" / "campaign-2021.json"


class Command(BaseCommand):
    help = "载入 2020 年通知：报送单位、2021 年报送任务和报送件。可重复运行，不改动已有内容。"

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        call_command("load_unions", stdout=self.stdout)
        ordered = json.loads(NOTICE.read_text(encoding="utf-8"))
        # An administrator may have changed it since: the year is there, so nothing is touched.
        campaign, created = Campaign.objects.get_or_create(year=ordered.pop("year"), defaults=ordered)
        campaign.refresh_from_db()  # the dates of the file were texts
        made = 0 if campaign.is_closed else prepare_filings(campaign)
        self.stdout.write(
            f"{campaign.title}（{campaign.notice_number}）：{'已建立' if created else '已有，保持不变'}，"
            f"新建报送件 {made} 个。"
        )
