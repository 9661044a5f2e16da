"""A workbook becomes figures in two steps: what it would change is shown first, stored only when confirmed.

`understand` judges a file without touching anything; `prepare` keeps what it found as an `Import`; `confirm` types it
into the draft through the same action as the page, so that rules, conflicts and the audit are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
from reporting.incoming.whose_and_when import campaign_of, notes_of_year, require_labels_agree, union_of
from reporting.models import Campaign, Filing, Import
from reporting.reading.intake import read_workbook
from reporting.reading.recognition import FormRead, Note, recognise
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
    others: Iterable[Union] | None = None,
) -> Understood:
    """Whose workbook it is among `unions`, of which of `campaigns` (the first: when it names no year).

    `expected` is the union whose page it was uploaded on; `others` are all that may be named in it, when these are
    more than `unions`. Raises Refused with the reason.
    """
    pages = read_workbook(file, name)
    read = recognise(pages, sheets_for(campaigns[0]))
    campaign = campaign_of(read, campaigns, name)
    if campaign.year != campaigns[0].year:
        read = recognise(pages, sheets_for(campaign))  # another year's wording and rows
    require_labels_agree(read, campaign)
    union, doubts = union_of(read, unions, expected, file=name, others=others)
    if read.mark and read.mark.with_below:
        raise Refused(
            f"这是{union.name}上报的合计数，已含下级单位，不能作为本级数填入。请上传本级数的报表（可下载空白模板填写）。"
        )
    notes = [*read.notes, *notes_of_year(read, campaign, name), *doubts]
    if read.mark_broken:
        notes.append(Note("", "文件里的系统标记已不完整，按表样的内容识别。请核对单位和年份。"))
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
        # Whoever else is named in it: to be told apart, and named back to whoever has the file.
        others=Union.objects.filter(is_active=True),
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
