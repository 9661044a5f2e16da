"""Shared by all tests. They need a real PostgreSQL and Valkey, which `make test` starts."""

import os

import pytest


def pytest_configure() -> None:
    if not os.environ.get("DATABASE_URL"):
        pytest.exit(
            '没有 DATABASE_URL：请用 make test 运行测试（选择：make test ARGS="-k 名称"）。', returncode=2
        )
    # Each worker has a database of its own, but all share one Valkey: the run 17 of one is not the run 17 of another.
    from django.conf import settings

    settings.CACHES["default"]["KEY_PREFIX"] = f"progress-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
