"""What stands on a PDF, read back by programs that are not ours: poppler's."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def poppler(name: str) -> str:
    found = shutil.which(name)
    if found is None and os.environ.get("CI", "").lower() not in {"1", "true"}:
        pytest.skip("这项测试需要 poppler：apt-get install poppler-utils")
    assert found, "CI 不允许少跑测试，须安装 poppler-utils"
    return found


def pages_of(content: bytes, folder: Path) -> list[str]:
    """The text of each page, lines as they stand side by side."""
    path = folder / "read.pdf"
    path.write_bytes(content)
    command = [poppler("pdftotext"), "-layout", str(path), "-"]
    text = subprocess.run(command, check=True, capture_output=True).stdout.decode()
    return text.split("\f")[:-1]


def fonts_of(content: bytes, folder: Path) -> list[list[str]]:
    """Name, type…, emb, sub, uni of each typeface."""
    path = folder / "fonts.pdf"
    path.write_bytes(content)
    listed = subprocess.run([poppler("pdffonts"), str(path)], check=True, capture_output=True).stdout.decode()
    return [line.split() for line in listed.splitlines()[2:]]
