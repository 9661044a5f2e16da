"""Write the lock files anew: requirements/*.txt from pyproject.toml, package-lock.json from package.json.

Hashes are recorded, download addresses are not: the files must install from whatever mirror a machine uses.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMON = ["--universal", "--python-version", "3.11", "--generate-hashes", "--upgrade"]
QUIET = ["--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header", "--quiet"]


def compile_lock(name: str, *what: str) -> None:
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        *what,
        *COMMON,
        *QUIET,
        "-o",
        f"requirements/{name}.txt",
    ]
    subprocess.run(command, cwd=ROOT, check=True)


def main() -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    import frontend

    compile_lock("production", "pyproject.toml")
    compile_lock("development", "pyproject.toml", "--group", "dev", "-c", "requirements/production.txt")
    compile_lock("node", "--group", "node")
    frontend.npm(
        "install", "--package-lock-only", "--omit-lockfile-registry-resolved", "--no-audit", "--no-fund"
    )


if __name__ == "__main__":
    main()
