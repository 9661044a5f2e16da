"""Prints as JSON what an upload of a workbook would understand; stores nothing. Exit status 2 when it is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from reporting.errors import Refused
from reporting.incoming.imports import Understood, understand
from reporting.models import Campaign
from reporting.reading.recognition import Note
from unions.models import Union

REFUSED = 2
_REASONS = {
    FileNotFoundError: "没有这个文件",
    IsADirectoryError: "这是文件夹",
    PermissionError: "没有读取的权限",
}


class Command(BaseCommand):
    help = "以 JSON 打印系统从一个 Excel 文件里读懂了什么（不保存）；不能接收时退出码为 2"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="要读的文件，例如 哈尔滨.xlsx")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        # The sample round first: what names no year is taken for its.
        campaigns = list(Campaign.objects.order_by("year"))
        if not campaigns:
            raise CommandError("还没有报送任务，请先运行 load_notice。")
        try:
            with file.open("rb") as content:
                understood = understand(
                    content, file.name, campaigns=campaigns, unions=list(Union.objects.all())
                )
        except OSError as error:
            reason = _REASONS.get(type(error), error.strerror)
            raise CommandError(f"读不了 {file}：{reason}。请检查 FILE= 后的路径。") from error
        except Refused as refusal:
            self._print({"accepted": False, "sentence": refusal.sentences[0], "sentences": refusal.sentences})
            sys.exit(REFUSED)
        self._print(told(understood))

    def _print(self, content: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(content, ensure_ascii=False, indent=2))


def told(understood: Understood) -> dict[str, Any]:
    """What was understood, as data. Values are texts: 万元 and counts with every digit."""

    def notes(found: list[Note]) -> list[dict[str, str]]:
        return [{"where": note.where, "sentence": note.sentence} for note in found]

    return {
        "accepted": True,
        "sentence": "",
        "union": {"code": understood.union.code, "name": understood.union.name},
        "campaign": {"year": understood.campaign.year, "title": understood.campaign.title},
        "forms": [
            {
                "form": form.sheet.slug,
                "title": form.sheet.title,
                "sheet": form.page,
                "head": form.head,
                "values": {code: form.texts[code] for code in form.sheet.fields if code in form.texts},
                "cells": form.where,
                "problems": notes(form.notes),
            }
            for form in understood.forms
        ],
        "problems": notes(understood.notes),
    }
