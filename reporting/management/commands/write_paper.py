"""Writes a union's filing as PDF: the sealed round, or the draft while it is being filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from reporting.copies import current_copy
from reporting.errors import Refused
from reporting.management.commands.write_template import union_called
from reporting.models import Campaign, Filing, Round
from reporting.paper.printing import filing_pdf
from reporting.sample import YEAR


class Command(BaseCommand):
    help = "把一个单位的报送件写成 PDF：已上报的是封存的一轮，填报中的是草稿"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("union", help="单位的简称、全称或代码，例如 哈尔滨")
        parser.add_argument("out", type=Path, help="写到哪个文件，例如 哈尔滨.pdf")
        parser.add_argument("--year", type=int, default=YEAR, help=f"哪一年的报送任务（默认 {YEAR}）")

    def handle(self, *args: Any, union: str, out: Path, year: int, **options: Any) -> None:
        campaign = self._campaign(year)
        who = union_called(union)
        filing = (
            Filing.objects.select_related("campaign", "union").filter(campaign=campaign, union=who).first()
        )
        if filing is None:
            raise CommandError(f"{who.name}在 {year} 年没有报送件。")
        copy = current_copy(filing)
        try:
            content = filing_pdf(copy)
        except Refused as refusal:
            raise CommandError(refusal.sentences[0]) from refusal
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(content)
        except OSError as error:
            raise CommandError(f"写不了 {out}：{error.strerror}。请换一个可以写入的位置。") from error
        which = f"第 {copy.round.number} 轮" if copy.round else "草稿"
        self.stdout.write(f"已写出{who.name}的{year}年报送件（{which}）：{out.resolve()}")

    def _campaign(self, year: int) -> Campaign:
        """On a machine for trying out, the sample round is played where nobody has filed anything yet."""
        nothing = not Round.objects.filter(filing__campaign__year=year).exists()
        if year == YEAR and nothing and not settings.PRODUCTION:
            call_command("load_notice", stdout=self.stderr)
            call_command("play_sample", stdout=self.stderr)
        campaign = Campaign.objects.filter(year=year).first()
        if campaign is None:
            raise CommandError(f"没有 {year} 年的报送任务。")
        return campaign
