"""export: the summary workbook of 20 and of 150 units — seconds and peak memory, and whether it is linear."""

from __future__ import annotations

import tracemalloc

from benchmarks.measure import Line, in_turns, report
from reporting.aggregation import make_summary
from reporting.campaigns import prepare_filings
from reporting.models import Campaign, Filing
from reporting.sample import account, actor, fill, reviewer_of
from reporting.workbooks.summary import summary_workbook
from reporting.workflow import approve, submit
from unions.gate import Role
from unions.models import Person, Union

MANY = 150


def run(campaign: Campaign, person: Person) -> bool:
    twenty = Campaign.objects.get(is_closed=True).summaries.all()[0]
    root = Union.objects.get(parent=None)
    for n in range(MANY):
        union = Union.objects.create(
            code=f"x{n}",
            name=f"测试产业{n}工会",
            short_name=f"测产{n}",
            kind="industry",
            parent=root,
            position=900 + n,
        )
        account(union, Role.FILLER)
        account(union, Role.SUBMITTER)
    prepare_filings(campaign)
    for filing in Filing.objects.filter(campaign=campaign, union__code__startswith="x").select_related(
        "union"
    ):
        fill(filing, seed=7)
        submit(filing=filing, by=actor(filing.union, Role.SUBMITTER))
        approve(filing=filing, round_number=1, by=reviewer_of(filing.union))
    many = make_summary(campaign)
    small, large = (summary.entries.count() for summary in (twenty, many))
    results = in_turns(
        {
            f"{small} units": lambda: summary_workbook(twenty),
            f"{large} units": lambda: summary_workbook(many),
        },
        rounds=3,
        clock="wall",
    )
    peaks = []
    for summary in (twenty, many):
        tracemalloc.start()
        summary_workbook(summary)
        peaks.append(tracemalloc.get_traced_memory()[1] / 2**20)
        tracemalloc.stop()
    few_ms, many_ms = (result.median for result in results.values())
    kept = report(
        f"export — the summary workbook; peak memory {peaks[0]:.1f} MiB and {peaks[1]:.1f} MiB",
        results,
        [
            Line("time per unit, many against few", (many_ms / large) / (few_ms / small), 1.5),
            Line("memory per unit, many against few", (peaks[1] / large) / (peaks[0] / small), 1.5),
        ],
    )
    return kept
