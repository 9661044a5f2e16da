"""Drawing: nothing is fetched but our own style, and a server that can't draw says what it lacks."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from reporting.errors import Refused
from reporting.paper import pdf
from tests.workflow.stage import Stage
from unions.gate import Actor


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a.css",
        "https://example.org/css/paper.css",
        "file:///etc/passwd",
        "file:css/paper.css",
        "data:text/css,body{}",
        "own:css/../../config/settings.py",
        "own:css/none.css",
        "own:js/page.js",
        "own:css/paper.css?x",
        "css/paper.css",
    ],
)
def test_no_address_is_fetched_but_our_own_style(url: str) -> None:
    with pytest.raises(ValueError, match="不引用外部内容"):
        pdf.own_style(url)


def test_our_own_style_is() -> None:
    assert "@page" in pdf.own_style("own:css/paper.css")


def test_an_address_in_a_page_is_asked_of_nobody(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[str] = []
    real = pdf.own_style

    def spy(url: str) -> str:
        asked.append(url)
        return real(url)

    monkeypatch.setattr(pdf, "own_style", spy)
    (tmp_path / "page.html").write_text(
        '<link rel="stylesheet" href="own:css/paper.css"><link rel="stylesheet" href="http://example.org/a.css">'
        '<img src="http://example.org/a.png"><p style="background: url(file:///etc/hostname)">正文</p>'
        '<svg><image href="http://example.org/b.png"/></svg>',
        encoding="utf-8",
    )
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    assert pdf.render("page.html", {}).startswith(b"%PDF-")
    # Every one of them came to us and was refused; WeasyPrint has no other way out.
    assert {"http://example.org/a.css", "http://example.org/a.png", "file:///etc/hostname"} <= set(asked)
    assert "不引用外部内容" in caplog.text


@pytest.fixture
def without_pango(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    for name in [name for name in sys.modules if name.partition(".")[0] == "weasyprint"]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.usefixtures("without_pango")
def test_a_server_without_pango_says_what_to_install() -> None:
    with pytest.raises(Refused, match=r"libpango-1\.0-0.*fonts-noto-cjk"):
        pdf.render("reporting/paper/filing.html", {})


@pytest.mark.usefixtures("without_pango")
def test_the_page_says_so_and_stands(stage: Stage, browse: Callable[[Actor], Client]) -> None:
    filing = stage.submitted(stage.tree.harbin)
    client = browse(stage.submitter(stage.tree.harbin))
    answer = client.get(reverse("filing_pdf", args=[filing.pk]), follow=True)
    assert answer.status_code == 200
    assert "服务器缺少生成 PDF 的系统组件" in answer.content.decode()
