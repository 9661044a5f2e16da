"""Plays the sample round; a second run changes nothing. Not for production: its accounts are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from reporting.sample import YEAR, play


class Command(BaseCommand):
    help = "把演示数据的一轮报送通过真实流程做完并汇总（不可用于生产环境）"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, help="把汇总 Excel 写到此文件")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("演示数据含公开的账号口令，不能在生产环境中生成。")
        campaign = play()
        summary = campaign.summaries.all()[0]
        self.stdout.write(
            f"演示数据：{campaign.title}，{summary.entries.count()} 个单位，第 {summary.number} 号汇总。"
        )
        if options["out"]:
            from django.core.management import call_command  # only here: the command imports openpyxl

            call_command("write_summary", options["out"], year=YEAR, stdout=self.stdout)
