"""`make test`: pytest over a real PostgreSQL and Valkey; the browser tests too where Chromium is present."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import services

GET_IT = "Debian/Ubuntu：apt-get install chromium fonts-noto-cjk；或用环境变量 CHROMIUM 指明它的位置"


def chromium() -> str | None:
    wanted = os.environ.get("CHROMIUM")
    if wanted:
        return wanted if os.access(wanted, os.X_OK) else None
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def main(arguments: list[str]) -> int:
    command = [sys.executable, "-m", "pytest", "-n", "3", "-q", *arguments]
    browser = chromium()
    environment = {
        "SONGWENNUAN_ENV": "test",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        # Every worker and every command a test starts would otherwise compile all of the project again.
        "PYTHONDONTWRITEBYTECODE": "",
    }
    if browser:
        environment["CHROMIUM"] = browser
    elif os.environ.get("CI", "").lower() in {"1", "true"}:
        print(f"没有找到 Chromium，而 CI 不允许少跑浏览器测试。{GET_IT}。", file=sys.stderr)
        return 1
    else:
        print(f"没有找到 Chromium，这次不运行浏览器测试。{GET_IT}。", file=sys.stderr)
        command += ["-m", "not browser"]
    services.exit_on_sigterm()
    try:
        with services.Services(services.data_folder("test"), fast=True) as running:
            return services.run_command(command, running.environment() | environment)
    except services.ServiceError as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
