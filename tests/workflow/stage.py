"""The stage for tests of moves: an open campaign, everybody in place, filings ready in one line.

Figures are put straight into the working rows: typing them cell by cell is another part's test.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

from django.utils import timezone

from reporting import workflow
from reporting.campaigns import prepare_filings
from reporting.filling import working_row
from reporting.models import Campaign, Filing, Report
from reporting.sheets import sheets_for
from tests.cast import UnionTree, make_union_tree, person
from unions.gate import Actor, Role
from unions.models import Union


@dataclass
class Stage:
    tree: UnionTree
    campaign: Campaign
    actors: dict[str, Actor] = field(default_factory=dict)

    def filing(self, union: Union) -> Filing:
        return Filing.objects.select_related("union", "campaign", "current_round").get(
            campaign=self.campaign, union=union
        )

    def actor(self, union: Union, role: Role) -> Actor:
        """One person a role and union, the same every time."""
        name = f"{union.short_name}{role.label}"
        if name not in self.actors:
            made = person(union, role, name=name)
            self.actors[name] = Actor(person=made, union=union, roles=frozenset({role}))
        return self.actors[name]

    def submitter(self, union: Union) -> Actor:
        return self.actor(union, Role.SUBMITTER)

    def reviewer(self, union: Union) -> Actor:
        """Who reviews this union's filing."""
        return self.actor(union.parent or union, Role.REVIEWER)

    def ready(self, union: Union, **figures: int) -> Filing:
        return make_ready(self.filing(union), self.actor(union, Role.FILLER), **figures)

    def submitted(self, union: Union, **figures: int) -> Filing:
        filing = self.ready(union, **figures)
        workflow.submit(filing=filing, by=self.submitter(union))
        return self.filing(union)

    def approved(self, union: Union, **figures: int) -> Filing:
        filing = self.submitted(union, **figures)
        workflow.approve(filing=filing, round_number=number(filing), by=self.reviewer(union))
        return self.filing(union)

    def returned(self, union: Union, *cells: str, **figures: int) -> Filing:
        filing = self.submitted(union, **figures)
        workflow.send_back(
            filing=filing,
            round_number=number(filing),
            reason="请核对数据",
            cells=cells,
            by=self.reviewer(union),
        )
        return self.filing(union)

    def in_state(self, union: Union, state: str) -> Filing:
        makers = {
            "draft": self.ready,
            "submitted": self.submitted,
            "returned": self.returned,
            "approved": self.approved,
        }
        return makers[state](union)


def number(filing: Filing) -> int:
    return filing.current_round.number if filing.current_round else 0


def make_stage(*, opened_days_ago: int = 10, deadline_in_days: float = 5) -> Stage:
    now = timezone.now()
    stage = Stage(
        make_union_tree(),
        Campaign.objects.create(
            title="2021年元旦春节送温暖活动",
            notice_number="黑工办发〔2020〕30号",
            year=2021,
            data_year=2020,
            opens_at=now - datetime.timedelta(days=opened_days_ago),
            deadline=now + datetime.timedelta(days=deadline_in_days),
        ),
    )
    prepare_filings(stage.campaign)
    return stage


def make_ready(filing: Filing, by: Actor, **figures: int) -> Filing:
    """Zeros everywhere, `warmth_E1=5` where a figure is named; totals follow; head and report are there."""
    for sheet in sheets_for(filing.campaign):
        row = working_row(filing, sheet.slug)
        for code, indicator in sheet.fields.items():
            if not indicator.of:
                setattr(row, code, figures.get(f"{sheet.slug}_{code}", 0))
        row.touched, row.invalid = [], {}
        row.follow_parts(sheet.off)
        row.save()
    Filing.objects.filter(pk=filing.pk).update(
        filler_name="哈尔滨填报员甲", filler_phone="0451-1234", filled_on=datetime.date(2021, 1, 20)
    )
    filing.refresh_from_db()
    if filing.current_report is None:
        filing.current_report = Report.objects.create(
            filing=filing,
            number=1,
            file="reports/report.docx",
            name="送温暖报告.docx",
            kind="docx",
            size=1000,
            sha256="0" * 64,
            by=by.person,
        )
        filing.save(update_fields=["current_report"])
    return filing
