"""Pages in a real Chromium. A person is let in by session cookie: the log-in page has tests of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from unions.models import Person

# Playwright's sync interface runs inside an event loop; Django would take every query for a mistake.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# Playwright switches these off as well, but of two such lists Chromium follows only the last.
UNWANTED = """
AimEnabled AvoidCorsURLLoaderRestartOnRedirect AvoidUnnecessaryBeforeUnloadCheckSync DestroyProfileOnBrowserClose
HttpsFirstBalancedModeAutoEnable HttpsUpgrades LensOverlay MediaRouter NetworkTimeServiceQuerying OptimizationHints
PaintHolding PreconnectToSearch ThirdPartyStoragePartitioning
""".split()
# What an address bar would suggest is a page of its own in every window: most of what a short test would compute.
UNWANTED += ["WebUIOmniboxPopup", "WebUIOmniboxAimPopup"]
ARGUMENTS = [
    f"--disable-features={','.join(UNWANTED)}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=10_000)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=ARGUMENTS
        )
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def files_of_their_own(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def session_cookie(someone: Person, url: str) -> dict[str, Any]:
    session = SessionStore()
    session[SESSION_KEY] = str(someone.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = someone.get_session_auth_hash()
    session.save()
    return {"name": django_settings.SESSION_COOKIE_NAME, "value": session.session_key, "url": url}


def requests_of(context: BrowserContext) -> set[Any]:
    """What the server has not answered yet, kept up to date."""
    under_way: set[Any] = set()
    context.on("request", lambda request: under_way.add(request))
    context.on("requestfinished", lambda request: under_way.discard(request))
    context.on("requestfailed", lambda request: under_way.discard(request))
    return under_way


def leave(context: BrowserContext, under_way: set[Any]) -> None:
    """Close without a last word: a page that goes away sends what was typed, and that request would meet the
    emptying of the database after the test."""
    for _ in range(40):
        if not under_way or not context.pages:
            break
        context.pages[0].wait_for_timeout(50)
    context.set_offline(True)
    context.close()


@pytest.fixture
def open_page(chromium: Browser, live_server: Any) -> Iterator[Callable[..., Page]]:
    """`open_page(person, path)`: a page of 1366×768 (or `viewport`) in a browser profile of its own."""
    contexts: list[tuple[BrowserContext, set[Any]]] = []

    def opened(someone: Person | None, path: str, *, viewport: tuple[int, int] = (1366, 768)) -> Page:
        width, height = viewport
        context = chromium.new_context(
            viewport={"width": width, "height": height}, locale="zh-CN", timezone_id="Asia/Shanghai"
        )
        contexts.append((context, requests_of(context)))
        if someone is not None:
            context.add_cookies([session_cookie(someone, live_server.url)])  # type: ignore[list-item]
        page = context.new_page()
        page.goto(f"{live_server.url}{path}")
        return page

    yield opened
    for context, under_way in contexts:
        leave(context, under_way)
