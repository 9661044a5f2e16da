"""The laws of the house that a linter does not know.

- Imports run one way: form apps → reporting → unions. config wires and is imported by nobody.
- No tracked file names a package registry: every machine uses the mirror it is set up with.
- A file over 800 lines is split.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APPS = {"unions", "reporting", "warmth", "helpcenter", "delegations"}
MAY_IMPORT = {
    "unions": {"unions"},
    "reporting": {"reporting", "unions"},
    "warmth": {"warmth", "reporting", "unions"},
    "helpcenter": {"helpcenter", "reporting", "unions"},
    "delegations": {"delegations", "reporting", "unions"},
    "config": {"config"},  # settings name apps as strings; include() does the rest
}
LONGEST = 800
# Spelled so that this file does not break its own law.
REGISTRIES = re.compile(
    "|".join(
        name.replace("_", r"\.")
        for name in ("pypi_org", "pythonhosted_org", "registry_npmjs", "registry_yarnpkg", "npmmirror_com")
    )
    + r"|pypi\.[a-z0-9-]+\.[a-z]|mirrors?\.[a-z0-9.-]*\.(cn|com)|deb\.debian\.org|unpkg\.com|jsdelivr",
    re.IGNORECASE,
)


def tracked_files() -> list[Path]:
    """Tracked files, and those that are about to be."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [path for name in sorted(filter(None, listing.split("\0"))) if (path := ROOT / name).is_file()]


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module


def broken_arrows(path: Path, source: str) -> Iterator[str]:
    app = path.relative_to(ROOT).parts[0]
    if app not in MAY_IMPORT:
        return
    for line, module in imported(ast.parse(source)):
        target = module.split(".")[0]
        if target in APPS | {"config"} and target not in MAY_IMPORT[app]:
            yield f"{path.relative_to(ROOT)}:{line}: {app} may not import {module}"


def problems() -> Iterator[str]:
    for path in tracked_files():
        try:
            source = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or a workbook
        name = path.relative_to(ROOT)
        if path.suffix == ".py":
            yield from broken_arrows(path, source)
        if path.suffix in {".py", ".js", ".html", ".css"} and source.count("\n") > LONGEST:
            yield f"{name}: {source.count(chr(10))} lines, more than {LONGEST}: split it by subject"
        for number, line in enumerate(source.splitlines(), 1):
            if path != Path(__file__).resolve() and REGISTRIES.search(line):
                yield f"{name}:{number}: names a package registry or download address"


if __name__ == "__main__":
    found = list(problems())
    print("\n".join(found) or "import rules: ok")
    sys.exit(bool(found))
