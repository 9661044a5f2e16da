"""An open campaign for the cast, and filings brought to the state a test begins with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from reporting import filling
from reporting.filling import Change
from reporting.models import Campaign, Filing
from reporting.sheets import sheets_for
from tests.cast import UnionTree, actor, make_union_tree, person
from unions.gate import Role
from unions.models import Person, Union


@dataclass(frozen=True)
class Scene:
    tree: UnionTree
    campaign: Campaign
    filler: Person
    colleague: Person
    leader: Person
    auditor: Person
    outsider: Person
    filing: Filing  # 哈尔滨市总工会

    def filing_of(self, union: Union) -> Filing:
        return Filing.objects.select_related("union", "campaign").get(campaign=self.campaign, union=union)


def make_scene(*, deadline_in_days: int = 5) -> Scene:
    tree = make_union_tree()
    now = timezone.now()
    campaign = Campaign.objects.create(
        title="2021年元旦春节送温暖活动",
        notice_number="黑工办发〔2020〕30号",
        year=2021,
        data_year=2020,
        opens_at=now - timedelta(days=10),
        deadline=now + timedelta(days=deadline_in_days),
    )
    Filing.objects.bulk_create(
        Filing(campaign=campaign, union=union)
        for union in (tree.province, tree.harbin, tree.nangang, tree.daqing_oilfield, tree.outsider)
    )
    filler = person(tree.harbin, Role.FILLER, name="哈尔滨填报员甲")
    return Scene(
        tree=tree,
        campaign=campaign,
        filler=filler,
        colleague=person(tree.harbin, Role.FILLER, name="哈尔滨填报员乙"),
        leader=person(tree.harbin, Role.SUBMITTER, name="哈尔滨负责人"),
        auditor=person(tree.harbin, Role.AUDITOR, name="哈尔滨审计员"),
        outsider=person(tree.outsider, Role.FILLER, name="齐齐哈尔填报员"),
        filing=Filing.objects.select_related("union", "campaign").get(campaign=campaign, union=tree.harbin),
    )


def type_into(filing: Filing, slug: str, by: Person, **cells: str) -> filling.Saved:
    """Type over whatever stands there."""
    row = filling.working_row(filing, slug)
    changes = [Change(code, row.text(code), value) for code, value in cells.items()]
    return filling.save_cells(filing=filing, slug=slug, changes=changes, by=actor(by, filing.union))


def fill_with_zeros(filing: Filing, by: Person) -> None:
    for sheet in sheets_for(filing.campaign):
        cells = {
            code: "否" if row.kind == "yesno" else "0" for code, row in sheet.row.items() if not row.parts
        }
        type_into(filing, sheet.slug, by, **cells)


__all__ = ["Scene", "fill_with_zeros", "make_scene", "type_into"]
