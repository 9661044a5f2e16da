"""Shared by all tests. They need a real PostgreSQL and Valkey, which `make test` starts."""

import os
from typing import Any

import pytest


def pytest_configure() -> None:
    if not os.environ.get("DATABASE_URL"):
        pytest.exit(
            '没有 DATABASE_URL：请用 make test 运行测试（选择：make test ARGS="-k 名称"）。', returncode=2
        )
    # Each worker has a database of its own, but all share one Valkey: the run 17 of one is not the run 17 of another.
    from django.conf import settings

    settings.CACHES["default"]["KEY_PREFIX"] = f"progress-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    settings.PASSWORD_HASHERS = ["tests.passwords.QuickHasher"]
    # Every new Client makes the middleware anew, which would look through all static files each time.
    settings.WHITENOISE_AUTOREFRESH = True
    _empty_quickly()


def _empty_quickly() -> None:
    """After a test that commits: TRUNCATE makes new files for every table and index, whether there was a row or not.

    Taking the lock that TRUNCATE takes, it waits like that for whoever is still at work. What migrations made stays.
    """
    from django.core.management.commands import flush
    from django.db.backends.postgresql.operations import DatabaseOperations

    def sql_flush(self: DatabaseOperations, style: Any, tables: list[str], **options: Any) -> list[str]:
        made = {"django_content_type", "auth_permission"}
        names = [self.quote_name(table) for table in tables if table not in made]
        deletes = ";".join(f"DELETE FROM {name}" for name in names)
        lock = f"LOCK TABLE {','.join(names)} IN ACCESS EXCLUSIVE MODE"
        # Everything goes: nobody need look for what refers to what.
        return [f"SET LOCAL session_replication_role = replica;{lock};{deletes}"]

    DatabaseOperations.sql_flush = sql_flush  # type: ignore[method-assign]
    flush.emit_post_migrate_signal = lambda *_: None  # what it would make was not emptied


@pytest.fixture
def drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal pages are drawn once: for tests of who gets a paper, not of what stands on it."""
    from reporting.paper import pdf

    HTML, fetcher = pdf._weasyprint()
    drawn: dict[str, bytes] = {}

    class Once:
        def __init__(self, string: str, url_fetcher: Any) -> None:
            self.string = string

        def write_pdf(self) -> bytes:
            if self.string not in drawn:
                drawn[self.string] = HTML(string=self.string, url_fetcher=fetcher).write_pdf()
            return drawn[self.string]

    monkeypatch.setattr(pdf, "_weasyprint", lambda: (Once, fetcher))
