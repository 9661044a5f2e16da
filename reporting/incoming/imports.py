"""A workbook becomes figures in two steps: what it would change is shown first, stored only when confirmed.

`understand` judges a file without touching anything; `prepare` keeps what it found as an `Import`; `confirm` types it
into the draft through the same action as the page, so that rules, conflicts and the audit are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from django.db import transaction

from reporting.assessment import assess
from reporting.clock import now
from reporting.documents import clean_name, sha256_of
from reporting.errors import Refused, WrongState
from reporting.filling import (
    HEAD_FIELDS,
    Saved,
    head_text,
    lock_filing,
    require_editable,
    save_cells,
    save_head,
    working_row,
)
from reporting.incoming.preview import FormPreview, plan, preview
from reporting.models import Campaign, Filing, Import
from reporting.reading.intake import read_workbook
from reporting.reading.recognition import FormRead, Note, WorkbookRead, plain, recognise
from reporting.sheets import sheets_for
from unions.gate import Actor
from unions.models import Union

__all__ = [
    "Filled",
    "FormPreview",
    "Understood",
    "confirm",
    "drop",
    "keep",
    "prepare",
    "preview",
    "understand",
]


@dataclass
class Understood:
    """A file that was accepted: whose it is, and what it says."""

    union: Union
    campaign: Campaign
    forms: list[FormRead]
    notes: list[Note] = field(default_factory=list)


def understand(
    file: BinaryIO,
    name: str,
    *,
    campaigns: Sequence[Campaign],
    unions: Sequence[Union],
    expected: Union | None = None,
) -> Understood:
    """Whose workbook it is among `unions`, of which of `campaigns` (the first: when it names no year).

    `expected` is the union whose page it was uploaded on. Raises Refused with the reason.
    """
    pages = read_workbook(file, name)
    campaign = campaigns[0]
    read = recognise(pages, sheets_for(campaign))
    year = _year_of(read, campaigns)
    if year != campaign.year:
        campaign = next(c for c in campaigns if c.year == year)
        read = recognise(pages, sheets_for(campaign))  # another year's wording and rows
    _require_years_agree(read, campaign)
    union = _union_of(read, unions, expected)
    if read.mark and read.mark.with_below:
        raise Refused(
            f"这是{union.name}上报的合计数，已含下级单位，不能作为本级数填入。请上传本级数的报表（可下载空白模板填写）。"
        )
    notes = list(read.notes)
    if read.mark_broken:
        notes.append(Note("", "文件里的系统标记已不完整，按表样的内容识别。请核对单位和年份。"))
    if not read.mark and not read.union_names:
        notes.append(Note("", f"文件没有写填报单位，请确认是{union.name}的报表。"))
    if read.mark:
        changed = [
            form.sheet.title
            for form in read.forms
            if read.mark.digests.get(form.sheet.slug) not in (None, form.sheet.digest)
        ]
        if changed:
            notes.append(
                Note("", f"{'、'.join(changed)}的表样在下载模板之后有调整，已按现在的表样读取，请核对。")
            )
    return Understood(union, campaign, read.forms, notes)


def _year_of(read: WorkbookRead, campaigns: Sequence[Campaign]) -> int:
    years = (read.mark.year,) if read.mark else read.years
    known = [campaign.year for campaign in campaigns]
    if read.mark and set(read.years) - {read.mark.year}:
        raise Refused(
            f"文件是 {read.mark.year} 年的模板，标题却写着 {'、'.join(map(str, read.years))} 年，不知是哪一年的报表。"
            "请用当年的模板填写后再上传。"
        )
    if not years:
        return _year_of_labels(read, campaigns)
    if len(set(years)) > 1:
        raise Refused(
            f"文件里写着不同的年份（{'、'.join(map(str, years))}），不知是哪一年的报表。请改正标题后再上传。"
        )
    if years[0] not in known:
        wanted = "、".join(map(str, known))
        raise Refused(f"这是 {years[0]} 年的报表，这里接收 {wanted} 年的。请选择正确的文件。")
    return years[0]


def _year_of_labels(read: WorkbookRead, campaigns: Sequence[Campaign]) -> int:
    """Without a year in the title: labels like 2019年度 tell, or else it is the first campaign's."""
    if not read.data_years:
        return campaigns[0].year
    for campaign in campaigns:
        if read.data_years == (campaign.data_year,):
            return campaign.year
    stated = "、".join(map(str, read.data_years))
    wanted = "、".join(str(campaign.data_year) for campaign in campaigns)
    raise Refused(f"这份报表统计的是 {stated} 年度，这里接收 {wanted} 年度的。请选择正确的文件。")


def _require_years_agree(read: WorkbookRead, campaign: Campaign) -> None:
    if read.data_years:
        stated = "、".join(map(str, read.data_years))
        raise Refused(
            f"标题是 {campaign.year} 年的，项目却写着 {stated} 年度（应为 {campaign.data_year} 年度），不知是哪一年的数。"
            "请改正后再上传。"
        )


def _union_of(read: WorkbookRead, unions: Sequence[Union], expected: Union | None) -> Union:
    if read.mark:
        found = [union for union in unions if union.code == read.mark.union]
        named = found[0].name if found else "其他单位"
        # A template that was handed on to another union, which wrote its own name over the first.
        if found and any(not is_called(found[0], name) for name in read.union_names):
            raise Refused(
                f"文件是{named}的模板，填报单位却写着“{'、'.join(read.union_names)[:60]}”，不知是谁的报表。"
                "请用本单位的模板填写后再上传。"
            )
    else:
        if len({plain(name) for name in read.union_names}) > 1:
            names = "、".join(read.union_names)
            raise Refused(f"文件里写着不同的填报单位（{names}），不知是谁的报表。请改正后再上传。")
        named = read.union_names[0] if read.union_names else ""
        found = [union for union in unions if named and is_called(union, named)]
    if expected is not None:
        if (named or read.mark) and expected not in found:
            raise Refused(f"这是“{named[:30]}”的报表，不是{expected.name}的，没有读入。请选择本单位的文件。")
        return expected
    if not named:
        raise Refused("文件没有写填报单位，不知是谁的报表。请在“填报单位”后写上单位名称。")
    if len(found) > 1:
        raise Refused(
            f"叫“{named[:30]}”的单位不止一个（{'、'.join(union.name for union in found[:5])}），请在“填报单位”后写全称。"
        )
    if not found:
        raise Refused(f"没有叫“{named[:30]}”的单位，请核对填报单位的名称。")
    return found[0]


def is_called(union: Union, name: str) -> bool:
    """Whether somebody who writes `name` means this union: 哈尔滨市总工会（章）, 哈尔滨, 哈尔滨市, 哈尔滨市工会."""
    written = plain(name.partition("（")[0].partition("(")[0])
    return written in (plain(union.name), plain(union.short_name)) or (
        _place(written) == _place(plain(union.name)) != ""
    )


def _place(name: str) -> str:
    return name.removesuffix("委员会").removesuffix("工会").removesuffix("总")


# -- looking at it -----------------------------------------------------------------------------------------


def prepare(*, filing: Filing, file: BinaryIO, name: str, by: Actor) -> Import:
    """Read a workbook for a filing and keep what it says, to be looked at. Nothing is typed yet.

    Raises Refused with the reason, WrongState when the filing is closed to changes.
    """
    by.require("fill", filing.union)
    require_editable(filing)
    # Reading takes its time; nobody's saving waits for it.
    name = clean_name(name, "报表")
    understood = understand(
        file,
        name,
        campaigns=[filing.campaign],
        unions=list(Union.objects.visible_to(by)),
        expected=filing.union,
    )
    with transaction.atomic():
        filing = lock_filing(filing.pk)
        by.require("fill", filing.union)
        require_editable(filing)
        _pending(filing).update(state=Import.State.DROPPED)
        return keep(filing, understood, file, name, by)


def _pending(filing: Filing) -> Any:
    """Previews that the filing's own people have left unconfirmed; those of a batch are the province's."""
    return Import.objects.filter(filing=filing, state=Import.State.PREVIEW, batch_file=None)


def keep(filing: Filing, understood: Understood, file: BinaryIO, name: str, by: Actor) -> Import:
    """What was understood, beside what stood in the filing at this moment. Call it with the filing locked."""
    assessment = assess(filing)
    forms: dict[str, Any] = {}
    for form in understood.forms:
        row = assessment.form(form.sheet.slug).row
        forms[form.sheet.slug] = {
            "page": form.page,
            "texts": form.texts,
            "where": form.where,
            "stood": {code: row.text(code) for code in form.texts},
            "notes": [[note.where, note.sentence] for note in form.notes],
        }
    head = next((form.head for form in understood.forms if form.head), {})
    return Import.objects.create(
        filing=filing,
        name=name,
        sha256=sha256_of(file),
        content={
            "forms": forms,
            "notes": [[note.where, note.sentence] for note in understood.notes],
            # Who fills in is what the page says, not an old file: only what is still blank is taken from it.
            "head": {n: text for n, text in head.items() if not head_text(filing, n)},
        },
        by=by.person,
    )


@transaction.atomic
def drop(*, kept: Import, by: Actor) -> None:
    """Give a preview up. Raises WrongState when it was confirmed meanwhile; twice is once."""
    filing = lock_filing(kept.filing_id)
    by.require("fill", filing.union)
    kept = Import.objects.select_for_update().get(pk=kept.pk)
    if kept.state == Import.State.CONFIRMED:
        raise WrongState("这份文件已确认填入，不能再放弃。需要改回的，请在填报页修改。")
    kept.state = Import.State.DROPPED
    kept.save(update_fields=["state"])


# -- confirming it -----------------------------------------------------------------------------------------


@dataclass
class Filled:
    """What confirming did: the codes it changed by form, and a sentence for each cell that it left alone."""

    cells: dict[str, list[str]] = field(default_factory=dict)
    head: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(map(len, self.cells.values()))

    @property
    def slug(self) -> str:
        """The first form that has changed."""
        return next((slug for slug, codes in self.cells.items() if codes), "")


@transaction.atomic
def confirm(*, kept: Import, by: Actor, action: str = "fill") -> Filled:
    """Type everything the preview showed into the draft.

    A cell that somebody has changed since the file was read is not overwritten; the answer names it. `action` is
    what the gate is asked for. Raises WrongState for an import that was confirmed, given up or replaced, or a
    filing that is closed to changes or was submitted since.
    """
    filing = lock_filing(kept.filing_id)
    by.require(action, filing.union)
    kept = Import.objects.select_for_update().get(pk=kept.pk)
    if kept.state != Import.State.PREVIEW:
        raise WrongState(_why_not(kept))
    require_editable(filing)
    if last := filing.events.exclude(move="extend").filter(at__gt=kept.at).first():
        raise WrongState(
            f"上传之后报送件曾经{last.move_label}，这份预览已作废，没有填入。请重新上传，按现在的数据核对。"
        )
    filled = Filled()
    for sheet in sheets_for(filing.campaign):
        if sheet.slug not in kept.content["forms"]:
            continue
        row = working_row(filing, sheet.slug)
        before = {code: row.text(code) for code in sheet.fields}
        changes = plan(filing, sheet, row, kept.content["forms"][sheet.slug]).changes
        saved = save_cells(filing=filing, slug=sheet.slug, changes=changes, by=by, action=action)
        filled.cells[sheet.slug] = [c for c in sheet.fields if saved.cells.get(c, before[c]) != before[c]]
        filled.left += _left(sheet.title, saved)
    if head := kept.content["head"]:
        known = {name: [""] for name in head}
        saved = save_head(filing=filing, values=head, by=by, known=known, action=action)
        filled.head = [HEAD_FIELDS[name] for name in HEAD_FIELDS if name in saved.cells]
        filled.left += [f"{HEAD_FIELDS[c['code']]}：已填为“{c['theirs']}”，没有覆盖" for c in saved.conflicts]
        filled.left += [f"{HEAD_FIELDS[name]}：{sentence}" for name, sentence in saved.refused.items()]
    kept.state, kept.confirmed_at, kept.confirmed_by = Import.State.CONFIRMED, now(), by.person
    kept.save(update_fields=["state", "confirmed_at", "confirmed_by"])
    return filled


def _why_not(kept: Import) -> str:
    if kept.state == Import.State.CONFIRMED:
        return "这份文件已经确认填入，不再重复填入。"
    if later := Import.objects.filter(filing=kept.filing_id, pk__gt=kept.pk, batch_file=None).first():
        return f"之后又上传了“{later.name[:60]}”，这份预览已作废，没有填入。"
    return "这份文件已放弃，没有填入。需要的话请重新上传。"


def _left(title: str, saved: Saved) -> list[str]:
    return [
        f"{title} {c['code']}：上传之后{c['by'] or '有人'}已改为 {c['theirs'] or '空白'}，"
        f"文件为 {c['yours'] or '合计数'}，没有覆盖"
        for c in saved.conflicts
    ] + [f"{title} {code}：{sentence}" for code, sentence in saved.refused.items()]
