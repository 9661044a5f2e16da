"""Shared by all tests. They need a real PostgreSQL and Valkey, which `make test` starts."""

import os

import pytest


def pytest_configure() -> None:
    if not os.environ.get("DATABASE_URL"):
        pytest.exit(
            '没有 DATABASE_URL：请用 make test 运行测试（选择：make test ARGS="-k 名称"）。', returncode=2
        )
