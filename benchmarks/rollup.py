"""rollup: 60 000 leaf filings totalled by county, city and province, straight from the leaves.

Floor: count(*) of the same table. Rivals: the same sums as raw SQL, and the loop over model instances
that one writes first.
"""

from __future__ import annotations

from collections import defaultdict
from random import Random

from django.db import connection

from benchmarks.measure import Line, in_turns, report
from reporting.aggregation import LEVELS, roll_up
from reporting.campaigns import clone_campaign
from reporting.models import Campaign, Filing, Round
from reporting.sample import actor
from reporting.sheets import sheet_for
from unions.gate import Role
from unions.models import Person, Union
from warmth.models import WarmthForm

LEAVES = 60_000
CITIES, COUNTIES_PER_CITY = 13, 10


def make_leaves(campaign: Campaign, person: Person) -> None:
    """A province of grassroots unions, each with one sealed, counted row of form 1."""
    random = Random(2021)
    root = Union.objects.get(parent=None)
    counties = []
    for c in range(CITIES):
        city = Union.objects.create(code=f"c{c}", name=f"测{c}市", short_name="市", kind="city", parent=root)
        for k in range(COUNTIES_PER_CITY):
            name = f"测{c}市{k}县"
            counties.append(
                Union.objects.create(code=f"c{c}k{k}", name=name, short_name=name, kind="county", parent=city)
            )
    per_county = LEAVES // len(counties) + 1
    leaves = Union.objects.bulk_create(
        [
            Union(
                code=f"{u.code}g{n}",
                name=f"{u.name}{n}",
                short_name=str(n),
                kind="grassroots",
                parent=u,
                path=f"{u.path}{u.code}g{n}.",
            )
            for u in counties
            for n in range(per_county)
        ][:LEAVES],
        batch_size=5000,
    )
    filings = Filing.objects.bulk_create(
        [Filing(campaign=campaign, union=leaf, state="approved") for leaf in leaves], batch_size=5000
    )
    rounds = Round.objects.bulk_create(
        [
            Round(filing=f, number=1, submitted_at=campaign.opens_at, submitted_by=person, digest=str(f.pk))
            for f in filings
        ],
        batch_size=5000,
    )
    county_of = {u.pk: u for u in counties}
    rows = []
    for leaf, filing, round_ in zip(leaves, filings, rounds, strict=True):
        county = county_of[leaf.parent_id]
        figures = {code: random.randint(0, 5000) for code, f in WarmthForm.fields().items() if not f.of}
        row = WarmthForm(
            filing=filing,
            round=round_,
            campaign=campaign,
            counted=True,
            province=root,
            city_id=county.parent_id,
            county=county,
            **figures,
        )
        row.follow_parts()
        rows.append(row)
    WarmthForm.objects.bulk_create(rows, batch_size=2000)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE warmth_warmthform")


def run(campaign: Campaign, person: Person) -> bool:
    # A campaign of its own: the other lines have left filings in theirs.
    campaign = clone_campaign(
        campaign=campaign,
        year=campaign.year + 30,
        by=actor(Union.objects.get(parent=None), Role.ADMINISTRATOR),
    )
    campaign.filings.all().delete()
    make_leaves(campaign, person)
    table = WarmthForm._meta.db_table
    codes = list(WarmthForm.fields())
    sums = ", ".join(f'SUM("{code}")' for code in codes)
    where = f"WHERE campaign_id = {campaign.pk} AND counted AND scope = 'own'"
    # Names of our own tables and columns and a number: nobody's text (S608).
    raw_sql = f"SELECT county_id, city_id, province_id, {sums} FROM {table} {where} GROUP BY 1, 2, 3"  # noqa: S608

    def count() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
            cursor.fetchall()

    def raw() -> dict[str, dict[int, dict[str, int]]]:
        totals: dict[str, dict[int, dict[str, int]]] = {level: {} for level in LEVELS}
        with connection.cursor() as cursor:
            cursor.execute(raw_sql)
            for group in cursor.fetchall():
                for level, key in zip(LEVELS, group, strict=False):
                    total = totals[level].setdefault(key, dict.fromkeys(codes, 0))
                    for code, figure in zip(codes, group[3:], strict=True):
                        total[code] += int(figure)
        return totals

    def loop() -> dict[str, dict[int, dict[str, int]]]:
        totals: dict[str, dict[int, dict[str, int]]] = {
            level: defaultdict(lambda: dict.fromkeys(codes, 0)) for level in LEVELS
        }
        for row in WarmthForm.objects.filter(campaign=campaign, counted=True, scope="own").iterator():
            for level in LEVELS:
                total = totals[level][getattr(row, f"{level}_id")]
                for code in codes:
                    total[code] += getattr(row, code) or 0
        return totals

    ours = roll_up(sheet_for(campaign, "warmth").form, campaign)
    assert ours == raw() == {level: dict(groups) for level, groups in loop().items()}, (
        "the contenders disagree"
    )

    quick = in_turns(
        {"count(*) (floor)": count, "raw SQL": raw, "roll_up": lambda: roll_up(WarmthForm, campaign)},
        rounds=9,
        clock="wall",
    )
    slow = in_turns({"loop over model instances": loop}, rounds=1, clock="wall")
    results = quick | slow
    ours_ms = results["roll_up"].median
    return report(
        f"rollup — {LEAVES:,} leaf filings × {len(codes)} cells, by county, city and province (wall clock)",
        results,
        [
            Line("against count(*)", ours_ms / results["count(*) (floor)"].median, 20),
            Line("against raw SQL", ours_ms / results["raw SQL"].median, 1.25),
            Line(
                "faster than the loop",
                results["loop over model instances"].median / ours_ms,
                30,
                at_most=False,
            ),
        ],
    )
