"""What a workbook says: which union, year and forms, and the figure of every cell, wherever the tables stand.

A table is found by its codes and labels, not by its place: rows and columns may have been added, moved or merged.
What was not understood is told with sheet and cell; nothing is guessed. Storing is another matter (`imports`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from reporting.errors import Refused
from reporting.reading.head import Head, read_head
from reporting.reading.intake import Page, Pages, shown
from reporting.reading.labels import plain, vocabulary_of, year_in
from reporting.reading.parts import Parts, parts_of
from reporting.reading.table_reading import FormRead, Note, Reading
from reporting.reading.tables import ENOUGH, Table, find_tables
from reporting.reading.years import DATA, FESTIVAL, year_of_name
from reporting.sheets import Sheet
from reporting.workbooks.filing import MARK_SHEET, Mark

__all__ = ["FormRead", "Note", "WorkbookRead", "plain", "recognise"]


@dataclass
class WorkbookRead:
    """`heads` are what stands around each form; `label_years` those of labels (2020年度), `data_years` such of them as
    differ from the sheet's."""

    forms: list[FormRead]
    mark: Mark | None
    mark_broken: bool
    heads: tuple[Head, ...]
    notes: list[Note]
    data_years: tuple[int, ...] = ()
    label_years: tuple[int, ...] = ()


def recognise(pages: Pages, sheets: Sequence[Sheet]) -> WorkbookRead:
    """Raises Refused when there is no form in it, or the same form twice."""
    _refuse_summaries(pages)
    vocabularies = [vocabulary_of(sheet) for sheet in sheets]
    visible = [page for page in pages if not page.hidden]
    tables = [table for page in visible for table in find_tables(page, vocabularies)]
    notes: list[Note] = []
    chosen: list[Parts] = []
    for sheet in sheets:
        mine = [table for table in tables if table.sheet is sheet]
        if parts := parts_of(mine, _one([Reading(table) for table in mine if table.part >= ENOUGH])):
            chosen.append(parts)
            if hints := [table for table in mine if table.resembles and not parts.has(table)]:
                notes += [
                    Note(t.at, f"这里也像是{sheet.title}，但 {_how_much(t)}，没有读取。") for t in hints
                ]
        else:
            notes += [
                Note(t.at, f"这里像是{sheet.title}，但 {_how_much(t)}，没有读入。请按表样核对。")
                for t in mine
                if t.resembles
            ]
    if not chosen:
        raise _no_form(pages, sheets, notes)
    forms = [parts.read() for parts in chosen]
    readings = [reading for parts in chosen for reading in parts.readings]
    mark, mark_broken = _mark(pages)
    if len(visible) < len(list(pages)) - any(page.name == MARK_SHEET for page in pages):
        notes.append(Note("", "隐藏的工作表没有读取。"))
    heads = _heads(readings)
    of_form = iter(heads)
    for form, parts in zip(forms, chosen, strict=True):
        for head in [next(of_form) for _ in parts.readings]:
            form.head = head.values | form.head  # the first page's goes before
    # Two forms on one page may have one head.
    notes += dict.fromkeys(Note(note.where, note.text) for head in heads for note in head.notes)
    return WorkbookRead(
        forms,
        mark,
        mark_broken,
        tuple(heads),
        notes,
        tuple(sorted({year for reading in readings for year in reading.other_years})),
        tuple(sorted({year for reading in readings for year in reading.label_years})),
    )


def _mark(pages: Pages) -> tuple[Mark | None, bool]:
    for page in pages:
        if page.name == MARK_SHEET:
            cell = page.cells.get((2, 1))
            mark = Mark.read(cell.text) if cell else None
            return mark, mark is None
    return None, False


def _how_much(table: Table) -> str:
    return f"{len(table.sheet.rows)} 行中只有 {len(table.claims)} 行与表样一致"


_SUMMARY = re.compile(r"第\s*\d+\s*号汇总|分单位明细$|统计汇总表$")
# What our own workbook of a sealed round says on its face: with subordinates below, those figures are no 本级.
_TOTAL = re.compile(r"合计\s*[（(]\s*本级\s*加\s*下级")
_OTHER_WORKBOOKS = {
    re.compile(r"走访慰问总体安排表|慰问组走访安排|走访慰问资金汇总表"): "这是慰问组的走访安排，不是单位报表",
}


def _title_texts(page: Page) -> list[str]:
    return [cell.text for (row, _), cell in page.cells.items() if row <= 4 and cell.kind == "s"]


def _refuse_summaries(pages: Pages) -> None:
    """Our own workbook of the whole province holds tables that look like a unit's."""
    for page in pages:
        if not page.hidden and any(_SUMMARY.search(text) for text in (page.name, *_title_texts(page))):
            raise Refused("这是全省汇总，不是单位报表，没有读入。请选择一个单位的报表。")
        if not page.hidden and any(_TOTAL.search(text) for text in _title_texts(page)):
            raise Refused(
                f"工作表“{shown(page.name, 40)}”是上报的合计数，已含下级单位，不能作为本级数填入。"
                "请上传本级数的报表（可下载空白模板填写）。"
            )


def _no_form(pages: Pages, sheets: Sequence[Sheet], notes: list[Note]) -> Refused:
    titles = "或".join(sheet.title for sheet in sheets)
    use = "请用系统导出的空白模板填写，或按通知所附的表样填写后再上传。"
    if notes:
        return Refused(f"没有找到与表样一致的{titles}。{notes[0].where}：{notes[0].sentence}{use}")
    for page in pages:
        for wanted, sentence in _OTHER_WORKBOOKS.items():
            if any(wanted.search(text) for text in _title_texts(page)):
                return Refused(f"{sentence}，没有读入。请选择一个单位的报表。")
    vocabularies = [vocabulary_of(sheet) for sheet in sheets]
    for page in pages:
        if page.hidden and any(t.part >= ENOUGH for t in find_tables(page, vocabularies)):
            return Refused(
                f"报表在隐藏的工作表“{shown(page.name, 40)}”里，没有读入。请取消隐藏，另存后再上传。"
            )
    if not any(page.cells for page in pages):
        return Refused(f"文件里没有任何内容，没有找到{titles}。{use}")
    return Refused(f"没有找到{titles}：文件里没有与表样一致的代码和项目名称。{use}")


def _one(readings: list[Reading]) -> Reading | None:
    """The only table of a form that is filled in; several that say the same are one."""
    filled = [reading for reading in readings if reading.is_filled]
    if len(filled) > 1 and not _say_the_same(filled):
        raise _twice(filled[0].table.sheet, [reading.table.at for reading in filled])
    found = next(iter(filled or readings), None)
    if found and (lines := found.doubled()):
        page = found.table.page
        raise _twice(found.table.sheet, [page.address(line.row, line.column) for line in lines])
    return found


def _say_the_same(readings: list[Reading]) -> bool:
    try:
        first, *others = (reading.read().texts for reading in readings)
    except Refused:
        return False
    return all(texts == first for texts in others)


def _twice(sheet: Sheet, places: list[str]) -> Refused:
    return Refused(
        f"文件里有 {len(places)} 张{sheet.title}（{'、'.join(places[:5])}），不知以哪一张为准。"
        "请只保留一张，另存后再上传。"
    )


def _heads(readings: Sequence[Reading]) -> list[Head]:
    """What stands around each table: on its page, outside all tables; between two tables it is the lower one's."""
    heads = []
    for reading in readings:
        page = reading.table.page
        spans = sorted((r.table.first, r.table.last) for r in readings if r.table.page is page)
        number = spans.index((reading.table.first, reading.table.last))
        above = range(spans[number - 1][1] + 1 if number else 1, spans[number][0])
        is_last = number == len(spans) - 1
        below = range(spans[number][1] + 1, 2_000_000) if is_last else range(0)
        heads.append(_of_form(read_head(page, above, below), reading))
    return heads


def _of_form(head: Head, reading: Reading) -> Head:
    """A bare year (2020年) above a form that counts by the year is that year's; above another it is the festival's."""
    of = DATA if any(year_in(row.label) for row in reading.table.sheet.rows) else FESTIVAL
    head.years = [year if year.of else replace(year, of=of) for year in head.years]
    if tab := year_of_name(head.tab, "工作表名", shown(head.tab, 40)):
        head.years.append(replace(tab, of=tab.of or of))
    for column in reading.columns.values():
        if column.year:
            head.years.append(replace(column.year, of=of))
    return head
