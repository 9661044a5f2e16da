"""The workbook in a program that is not ours: LibreOffice opens it, recalculates and prints it."""

from __future__ import annotations

import os
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook

from reporting.fields import MoneyField, YesNoField
from reporting.models import Summary
from reporting.summaries import sealed_sheets
from reporting.workbooks.summary import summary_workbook

DETAILS = {"warmth": "送温暖分单位明细", "helpcenter": "帮扶中心分单位明细"}


def office() -> str:
    found = os.environ.get("SOFFICE") or shutil.which("soffice") or shutil.which("libreoffice")
    if found is None and os.environ.get("CI", "").lower() not in {"1", "true"}:
        pytest.skip("这项测试需要 LibreOffice：apt-get install libreoffice-calc")
    assert found, "CI 不允许少跑测试，须安装 LibreOffice：apt-get install libreoffice-calc"
    return found


def convert(source: Path, kind: str, folder: Path) -> Path:
    command = [
        office(),
        f"-env:UserInstallation={(folder / 'profile').as_uri()}",
        "--headless",
        "--convert-to",
        kind,
        "--outdir",
        str(folder),
        str(source),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    return folder / f"{source.stem}.{kind.partition(':')[0]}"


def test_libreoffice_recalculates_the_same_totals_and_prints_every_sheet(summary: Summary, tmp_path: Path):
    folder = tmp_path / "office"
    folder.mkdir()
    source = tmp_path / "汇总.xlsx"
    source.write_bytes(summary_workbook(summary))
    # Through its own format: what it then writes as values it has calculated itself.
    calculated = convert(convert(source, "ods", folder), "xlsx", folder)
    book = load_workbook(calculated, data_only=True)
    for sheet in sealed_sheets(summary):
        page = book[DETAILS[sheet.slug]]
        last = next(row for row in range(6, page.max_row + 1) if page.cell(row, 1).value == "合计")
        for column, row in enumerate(sheet.rows, 3):
            field, value = sheet.field(row.code), page.cell(last, column).value
            total = summary.figures[sheet.slug][row.code]
            if isinstance(field, YesNoField):
                assert (value > 0) == bool(total)
            else:
                scale = 1_000_000 if isinstance(field, MoneyField) else 1
                assert Decimal(repr(value)) * scale == total, row.code
    printed = convert(source, "pdf", folder)
    assert printed.read_bytes().startswith(b"%PDF")
