"""Plays the sample of attachment 3; a second run changes nothing. Not for production: its accounts are known."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from delegations.models import Delegation, Destination, Visit
from delegations.sample import play
from reporting.models import Campaign
from reporting.sample import YEAR


class Command(BaseCommand):
    help = "把演示数据的慰问组走访通过真实流程做一遍：编制、锁定、记录、归档（不可用于生产环境）"

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("演示数据含公开的账号口令，不能在生产环境中生成。")
        if not Campaign.objects.filter(year=YEAR).exists():
            raise CommandError(f"还没有 {YEAR} 年的报送任务，请先运行 load_notice。")
        if not Delegation.objects.filter(campaign__year=YEAR).exists():
            call_command("load_delegations", stdout=self.stdout)
        campaign = play()
        delegations = Delegation.objects.filter(campaign=campaign).count()
        destinations = Destination.objects.filter(campaign=campaign).count()
        visits = Visit.objects.filter(destination__campaign=campaign).count()
        self.stdout.write(
            f"演示数据：{campaign.title}，{delegations} 个慰问组，{destinations} 个走访单位，{visits} 个走访对象。"
        )
