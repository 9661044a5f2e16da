"""Paper: a template becomes a PDF with its typefaces inside. WeasyPrint draws it, with what the system's pango has.

Nothing is fetched for it but our own style sheets, named `own:css/….css` in the template: whatever text somebody has
typed, no address in it is ever asked for. The same content gives the same bytes, as long as the template says nothing
of the time of printing.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Mapping
from typing import Any

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string

from reporting.errors import Refused

CONTENT_TYPE = "application/pdf"
MISSING = (
    "服务器缺少生成 PDF 的系统组件，没有生成。请系统管理员在服务器上安装 "
    "libpango-1.0-0、libpangoft2-1.0-0、libharfbuzz-subset0 和 fonts-noto-cjk 后重启服务。"
)
_OWN_STYLE = re.compile(r"own:(css/[a-z-]+\.css)")
# Drawing takes a second of one core and some hundred megabytes: the others wait for it.
_one_at_a_time = threading.Semaphore(1)


def render(template: str, context: Mapping[str, Any]) -> bytes:
    """The template as a PDF. Raises Refused where the system lacks what WeasyPrint needs."""
    HTML, fetcher = _weasyprint()
    page = HTML(string=render_to_string(template, dict(context)), url_fetcher=fetcher)
    with _one_at_a_time:
        content: bytes = page.write_pdf()
    return content


def own_style(url: str) -> str:
    """The text of one of our style sheets. Raises ValueError for every other address."""
    found = _OWN_STYLE.fullmatch(url)
    path = finders.find(found[1]) if found else None
    if not isinstance(path, str):
        raise ValueError(f"打印件不引用外部内容：{url[:80]}")
    with open(path, encoding="utf-8") as file:
        return file.read()


def _weasyprint() -> tuple[Any, Any]:
    """Imported when first needed: it loads libraries of the system that a machine may lack."""
    logging.getLogger("weasyprint.progress").setLevel(logging.WARNING)  # several lines a page otherwise
    logging.getLogger("fontTools.subset").setLevel(logging.WARNING)
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher, URLFetcherResponse
    except OSError as problem:
        raise Refused(MISSING) from problem

    class OwnStyles(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:
            return URLFetcherResponse(url, own_style(url), {"Content-Type": "text/css"})

    return HTML, OwnStyles()
