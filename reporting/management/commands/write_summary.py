"""Writes the newest summary of a year as a workbook; plays the sample round first where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from reporting.aggregation import make_summary
from reporting.models import Campaign, Filing
from reporting.sample import YEAR
from reporting.workbooks.summary import summary_workbook


class Command(BaseCommand):
    help = "把最新一号全省汇总写成 Excel 文件"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("out", type=Path, help="写到哪个文件，例如 汇总.xlsx")
        parser.add_argument("--year", type=int, default=YEAR, help=f"哪一年的报送任务（默认 {YEAR}）")

    def handle(self, *args: Any, out: Path, year: int, **options: Any) -> None:
        campaign = self._campaign(year)
        summary = campaign.summaries.order_by("-number").first() or make_summary(campaign)
        content = summary_workbook(summary)
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(content)
        except OSError as error:
            raise CommandError(f"写不了 {out}：{error.strerror}。请换一个可以写入的位置。") from error
        self.stdout.write(f"已写出 {campaign.title}第 {summary.number} 号汇总：{out.resolve()}")

    def _campaign(self, year: int) -> Campaign:
        campaign = Campaign.objects.filter(year=year).first()
        if (
            year == YEAR
            and not Filing.objects.filter(campaign=campaign, state=Filing.State.APPROVED).exists()
        ):
            if campaign is None:
                call_command("load_notice", stdout=self.stderr)
            call_command("play_sample", stdout=self.stderr)
            campaign = Campaign.objects.get(year=year)
        if campaign is None:
            raise CommandError(f"没有 {year} 年的报送任务。")
        return campaign
