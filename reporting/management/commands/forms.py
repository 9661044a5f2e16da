"""Prints every form as JSON, or writes its documentation: indicators and rules. Needs no database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from reporting.rules import LEVEL_LABELS, SumRule
from reporting.sheets import Sheet, plain_sheets


class Command(BaseCommand):
    help = "以 JSON 打印全部报表的指标与审核关系"
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", type=Path, metavar="目录", help="改为把每张表的说明写成 Markdown")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["write"]:
            for sheet in plain_sheets():
                (options["write"] / f"{sheet.slug}.md").write_text(document(sheet), encoding="utf-8")
            return
        forms = [describe(sheet) for sheet in plain_sheets()]
        self.stdout.write(json.dumps(forms, ensure_ascii=False, indent=2))


def describe(sheet: Sheet) -> dict[str, Any]:
    """The declaration as data. `printed_code` is null where the notice prints none."""
    return {
        "form": sheet.slug,
        "number": sheet.form.number,
        "title": sheet.title,
        "indicators": [
            {
                "code": row.code,
                "printed_code": row.printed_code or None,
                "label": row.label,
                "unit": row.unit,
                "section": row.section,
                "parent": row.parent,
                "printed": row.printed,
                "kind": row.kind,
                "of": list(row.parts),
                **({"note": row.note} if row.note else {}),
            }
            for row in sheet.rows
        ],
        "rules": [
            {
                "id": rule.id,
                "level": rule.level,
                "cells": list(rule.cells),
                "message": rule.message,
                "broken": rule.broken.tree,
                **({"total": rule.total, "parts": list(rule.parts)} if isinstance(rule, SumRule) else {}),
            }
            for rule in sheet.rules
        ],
    }


PRINTED = {"yes": "", "label": "原表无此代码，代码为本系统所编", "no": "原表此页缺失，按通知正文复原"}


def document(sheet: Sheet) -> str:
    """One form as a page of Markdown, from the declaration alone."""
    lines = [
        f"# {sheet.form.attachment} {sheet.title}",
        "",
        f"由 `{sheet.form.__module__}.{sheet.form.__name__}` 的声明生成（`make docs`），请勿手改。",
        f"依据：黑工办发〔2020〕30号{sheet.form.attachment}。共 {len(sheet.rows)} 项指标，{len(sheet.rules)} 条审核关系。",
        "",
        "## 指标",
        "",
        "| 序号 | 代码 | 项目 | 单位 | 等于 | 备注 |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in sheet.rows:
        remark = "；".join(filter(None, (PRINTED[row.printed], row.note)))
        indent = "　" * row.depth
        parts = " + ".join(row.parts)
        lines.append(f"| {row.serial} | {row.code} | {indent}{row.label} | {row.unit} | {parts} | {remark} |")
    lines += ["", "## 审核关系", "", "| 编号 | 级别 | 指标 | 不满足时的提示 |", "| --- | --- | --- | --- |"]
    lines += [
        f"| `{rule.id}` | {LEVEL_LABELS[rule.level]} | {' '.join(rule.cells)} | {rule.message} |"
        for rule in sheet.rules
    ]
    return "\n".join(lines) + "\n"
