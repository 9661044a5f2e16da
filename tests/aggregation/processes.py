"""Processes of their own that work on the database of the tests."""

from __future__ import annotations

import os
from urllib.parse import quote

from django.db import connection


def environment(**changes: str) -> dict[str, str]:
    known = connection.settings_dict
    user = quote(known["USER"]) + (f":{quote(known['PASSWORD'])}" if known["PASSWORD"] else "")
    address = f"postgres://{user}@{known['HOST']}:{known['PORT']}/{known['NAME']}"
    return os.environ | {"DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "config.settings"} | changes
