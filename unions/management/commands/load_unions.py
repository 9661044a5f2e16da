"""Load the unions the notice names, and the counties of every city ready to be switched on."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from unions.models import Union

DATA = Path(__file__).resolve().parents[2] / "data"


class Command(BaseCommand):
    help = (
        "载入通知所列的 20 个报送单位（启用）和各市（地）的县级工会（未启用）。可重复运行，不改动已有单位。"
    )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        units = load_reporting_units()
        counties = load_counties()
        self.stdout.write(f"新建报送单位 {units} 个，县级工会 {counties} 个；已有的保持不变。")


def load_reporting_units() -> int:
    """How many were created. An existing code is left alone: an administrator may have renamed it since."""
    created = industries = 0
    root: Union | None = None
    for position, row in enumerate(_rows("reporting-units.csv")):
        industries += row["kind"] == Union.Kind.INDUSTRY
        # Industries have no region code; they are numbered in printed order.
        union, new = Union.objects.get_or_create(
            code=row["region_code"] or f"I{industries:02d}",
            defaults={
                "name": row["name"],
                "short_name": row["short_name"],
                "kind": row["kind"],
                "parent": root,
                "position": position,
            },
        )
        root = root or union
        created += new
    return created


def load_counties() -> int:
    """How many were created, switched off; in the order of their codes below their city."""
    cities = {union.code: union for union in Union.objects.filter(kind=Union.Kind.CITY)}
    known = set(Union.objects.values_list("code", flat=True))
    created = 0
    positions: dict[str, int] = {}
    for row in _rows("counties.csv"):
        positions[row["city_code"]] = positions.get(row["city_code"], 0) + 1
        if row["code"] in known:
            continue
        city = cities[row["city_code"]]
        Union.objects.create(
            code=row["code"],
            # 西安区, 向阳区 … exist in several cities: the city's name makes it unique.
            name=f"{city.name.removesuffix('总工会')}{row['name']}总工会",
            short_name=row["name"],
            kind=Union.Kind.COUNTY,
            parent=city,
            position=positions[row["city_code"]],
            is_active=False,
        )
        created += 1
    return created


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
