"""`make check`: all that needs neither servers nor a browser. Runs everything, then lists the failures."""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
MANAGE = [sys.executable, "-W", "error", "manage.py"]


def existing(*names: str) -> list[str]:
    return [name for name in names if (ROOT / name).exists()]


def production(folder: str) -> dict[str, str]:
    """Settings as a deployment has them, with secrets made for this run. Nothing connects."""
    return {
        "SONGWENNUAN_ENV": "production",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "PERSONAL_DATA_KEYS": f"1:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}",
        "DATABASE_URL": "postgres://user:password@127.0.0.1:1/name",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "ALLOWED_HOSTS": "songwennuan.example",
        "MEDIA_ROOT": folder,
    }


def checks(folder: str) -> list[tuple[str, list[str], dict[str, str]]]:
    test = {"SONGWENNUAN_ENV": "test", "DATABASE_URL": "", "REDIS_URL": ""}
    templates = existing("templates")
    scripts = [str(path) for path in sorted((ROOT / "static").glob("js/**/*.js"))]
    node = shutil.which("node")
    found = [
        ("ruff format", [str(BIN / "ruff"), "format", "--check", "--quiet", "."], {}),
        # No cache: it remembers as foreign a module that did not exist yet when its importer was last read.
        ("ruff check", [str(BIN / "ruff"), "check", "--no-cache", "--quiet", "."], {}),
        ("import rules", [sys.executable, "scripts/import_rules.py"], {}),
        ("mypy", [str(BIN / "mypy"), *existing("reporting", "unions", "delegations")], test),
        ("migrations", [*MANAGE, "makemigrations", "--check", "--dry-run"], test),
        ("deployment", [*MANAGE, "check", "--deploy", "--fail-level", "WARNING"], production(folder)),
    ]
    if templates:
        found.append(("templates", [str(BIN / "djlint"), *templates, "--lint", "--quiet"], {}))
    if node:
        found += [(f"node --check {Path(path).name}", [node, "--check", path], {}) for path in scripts]
    return found


def main() -> int:
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        for name, command, environment in checks(folder):
            begin = time.monotonic()
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=os.environ | environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            seconds = time.monotonic() - begin
            print(f"{'ok  ' if done.returncode == 0 else 'FAIL'} {name} ({seconds:.1f} s)", flush=True)
            if done.returncode:
                print(done.stdout)
                failed.append(name)
    if failed:
        print("没有通过：" + "、".join(failed), file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
