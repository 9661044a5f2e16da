"""Runs every line of the benchmark, or those named; exit 1 when a promise is missed."""

from __future__ import annotations

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("SONGWENNUAN_ENV", "test")

import django

django.setup()

# Models can be imported only once Django is set up, hence below it (E402).

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from benchmarks import export, form_page, rollup, save  # noqa: E402
from reporting.models import Campaign  # noqa: E402
from reporting.sample import actor, play  # noqa: E402
from unions.gate import Role  # noqa: E402
from unions.models import Union  # noqa: E402

LINES = {"form-page": form_page, "save": save, "export": export, "rollup": rollup}


def run(name: str) -> bool:
    """One line on a database of its own: what another line left behind would be measured with it."""
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        with open(os.devnull, "w") as nowhere:
            call_command("load_notice", stdout=nowhere)
        play()
        campaign = Campaign.objects.exclude(is_closed=True).order_by("-year")[0]
        filler = actor(Union.objects.get(short_name="哈尔滨"), Role.FILLER).person
        return LINES[name].run(campaign, filler)
    finally:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def main(wanted: list[str]) -> int:
    kept = [run(name) for name in wanted or LINES]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
