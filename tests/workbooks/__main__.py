"""Writes the whole corpus into a folder, with a list of what is expected."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main(folder: Path) -> None:
    os.environ.setdefault("SONGWENNUAN_ENV", "test")
    os.environ.setdefault("DATABASE_URL", "postgres://nobody@127.0.0.1/none")  # never asked
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from tests.workbooks.corpus import BAD, GOOD

    expected = {}
    for case in [*GOOD, *BAD]:
        made = case.make()
        place = folder / case.kind / case.name
        place.mkdir(parents=True, exist_ok=True)
        (place / case.file).write_bytes(made.content)
        expected[f"{case.kind}/{case.name}/{case.file}"] = case.expected(made)
    (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1))
    print(f"{len(GOOD)} good, {len(BAD)} bad: {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
