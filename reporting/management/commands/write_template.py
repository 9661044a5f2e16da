"""Writes a union's blank template: both forms in the official layout, bound to union and campaign."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from reporting.copies import blank_template
from reporting.models import Campaign
from reporting.sample import YEAR
from unions.models import Union


def union_called(name: str) -> Union:
    """The union of that code, name or short name. Raises CommandError when there is none or more than one."""
    found = list(Union.objects.filter(Q(code=name) | Q(name=name) | Q(short_name=name))[:2])
    if len(found) != 1:
        raise CommandError(f"{'没有' if not found else '不止一个'}单位叫“{name}”，请写全称、简称或代码。")
    return found[0]


class Command(BaseCommand):
    help = "把一个单位的空白填报模板写成 Excel 文件"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("union", help="单位的简称、全称或代码，例如 哈尔滨")
        parser.add_argument("out", type=Path, help="写到哪个文件，例如 哈尔滨.xlsx")
        parser.add_argument("--year", type=int, default=YEAR, help=f"哪一年的报送任务（默认 {YEAR}）")

    def handle(self, *args: Any, union: str, out: Path, year: int, **options: Any) -> None:
        campaign = Campaign.objects.filter(year=year).first()
        if campaign is None:
            raise CommandError(f"没有 {year} 年的报送任务。")
        who = union_called(union)
        content = blank_template(campaign, who)
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(content)
        except OSError as error:
            raise CommandError(f"写不了 {out}：{error.strerror}。请换一个可以写入的位置。") from error
        self.stdout.write(f"已写出{who.name}的{campaign.year}年空白模板：{out.resolve()}")
