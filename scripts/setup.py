"""Make .venv from the lock file and fetch the browser's files. Runs on the bare system Python.

Quick when nothing has changed. Prints to stderr only, so that `make forms` can print pure JSON.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements" / "development.txt"
OLDEST = (3, 11)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def fail(line: str) -> None:
    say(line)
    raise SystemExit(1)


def fingerprint() -> str:
    """Changes with the lock file, the Python, and the project's place (a venv cannot be moved)."""
    parts = [LOCK.read_bytes(), sys.version.encode(), str(VENV).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def ensure() -> None:
    if sys.version_info < OLDEST:
        for newer in ("python3.13", "python3.12", "python3.11"):
            if shutil.which(newer):
                os.execvp(newer, [newer, *sys.argv])  # noqa: S606  replaces this process; no shell involved
        fail(f"需要 Python 3.11 或更新版本，这里是 {sys.version.split()[0]}。请安装 python3.11 后再运行。")
    stamp = VENV / "stamp"
    wanted = fingerprint()
    if not (PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted):
        say("准备运行环境 .venv（首次约一分钟）…")
        install()
        stamp.write_text(wanted)
    frontend = ROOT / "scripts" / "frontend.py"
    if subprocess.run([str(PYTHON), str(frontend)], check=False).returncode:
        raise SystemExit(1)


def install() -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    environment = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    # Debian splits ensurepip off into the package python3-venv.
    if importlib.util.find_spec("ensurepip"):
        commands = [
            [sys.executable, "-m", "venv", str(VENV)],
            [
                str(PYTHON),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--require-hashes",
                "--no-input",
                "-r",
                str(LOCK),
            ],
        ]
        environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    elif shutil.which("uv"):
        commands = [
            ["uv", "venv", "--quiet", "--python", sys.executable, str(VENV)],
            ["uv", "pip", "install", "--quiet", "--python", str(PYTHON), "--require-hashes", "-r", str(LOCK)],
        ]
    else:
        fail("这台机器的 Python 缺少 venv 模块。Debian/Ubuntu 请先运行：apt-get install python3-venv")
    for command in commands:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(VENV, ignore_errors=True)
            lines = [
                line for line in done.stderr.splitlines() if line.strip() and not line.startswith("WARNING")
            ]
            say("\n".join(lines[-5:]))
            fail("依赖没有装上：请检查网络或软件包镜像的设置（上面是原始信息），然后重新运行同一命令。")


if __name__ == "__main__":
    ensure()
