"""Writes a year's delegations as a workbook; plays the sample first where there is nothing to write yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from delegations.models import Delegation, Visit
from delegations.workbook.book import load, plan_workbook
from reporting.models import Campaign
from reporting.sample import YEAR


class Command(BaseCommand):
    help = "把一年的慰问组走访安排写成 Excel 文件（家庭信息隐去）"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("out", type=Path, help="写到哪个文件，例如 走访安排.xlsx")
        parser.add_argument("--year", type=int, default=YEAR, help=f"哪一年的报送任务（默认 {YEAR}）")

    def handle(self, *args: Any, out: Path, year: int, **options: Any) -> None:
        campaign = self._campaign(year)
        delegations = Delegation.objects.filter(campaign=campaign)
        content = plan_workbook(load(campaign, delegations))
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(content)
        except OSError as error:
            raise CommandError(f"写不了 {out}：{error.strerror}。请换一个可以写入的位置。") from error
        self.stdout.write(
            f"已写出 {campaign.title}的走访安排，共 {delegations.count()} 个慰问组：{out.resolve()}"
        )

    def _campaign(self, year: int) -> Campaign:
        """The sample is only played where samples belong; on a production machine real data are written."""
        planned = Visit.objects.filter(destination__campaign__year=year)
        if year == YEAR and not settings.PRODUCTION and not planned.exists():
            if not Campaign.objects.filter(year=year).exists():
                call_command("load_notice", stdout=self.stderr)
            call_command("play_delegations", stdout=self.stderr)
        campaign = Campaign.objects.filter(year=year).first()
        if campaign is None:
            raise CommandError(f"没有 {year} 年的报送任务。")
        if not Delegation.objects.filter(campaign=campaign).exists():
            raise CommandError(f"{campaign.title}还没有慰问组，没有可写的内容。")
        return campaign
