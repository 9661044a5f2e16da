"""A summary as somebody chose it: forms, units, level, a sheet for each city, last year beside this one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from reporting.aggregation import Progress
from reporting.exports import LEVELS, UNITS_ONLY, WITH_COUNTIES, Choice, file_name
from reporting.models import Summary
from reporting.workbooks.city_sheet import cities_of, city_sheet, tabs_of
from reporting.workbooks.comparison import comparison_sheet, comparison_title
from reporting.workbooks.cover import COVER, cover
from reporting.workbooks.layout import Book
from reporting.workbooks.official_sheet import official_sheet, official_title
from reporting.workbooks.part import Part, part_of
from reporting.workbooks.participation import EXPLANATIONS, FILINGS, explanations_sheet, filings_sheet
from reporting.workbooks.unit_table import table_title, unit_table


def export_workbook(
    summary: Summary, choice: Choice, progress: Progress = lambda done, of, what: None
) -> bytes:
    """The same choice of the same summary gives the same bytes.

    Costs a query and one a form, with counties or cities three more a form, and as much again for the year it is
    compared with, however many units there are.
    """
    progress(0, 1, "正在读取数据")
    part = part_of(
        summary, unions=choice.unions, forms=choice.forms, with_below=choice.with_counties or choice.cities
    )
    before = None
    if choice.compared:
        before = part_of(choice.compared, unions=choice.unions, forms=choice.forms, with_below=choice.cities)
    book = Book(title=file_name(summary, choice).removesuffix(".xlsx"), made_at=summary.made_at)
    steps: list[tuple[str, Callable[[], None]]] = []
    for sheet in part.sheets:
        steps.append((official_title(sheet), partial(official_sheet, book, part, sheet)))
    if before:
        for sheet in part.sheets:
            steps.append(
                (comparison_title(sheet, before), partial(comparison_sheet, book, part, before, sheet))
            )
    for sheet in part.sheets:
        write = partial(unit_table, book, part, sheet, with_levels=choice.with_counties)
        steps.append((table_title(sheet), write))
    cities = cities_of(part) if choice.cities else []
    taken = [COVER, *(tab for tab, _ in steps), FILINGS, EXPLANATIONS]
    for city, tab in zip(cities, tabs_of((city.union.short_name for city in cities), taken), strict=True):
        steps.append((tab, partial(city_sheet, book, part, before, city, tab)))
    steps.append((FILINGS, partial(filings_sheet, book, part)))
    steps.append((EXPLANATIONS, partial(explanations_sheet, book, part)))
    tabs = [COVER, *(tab for tab, _ in steps)]
    steps.insert(0, (COVER, partial(cover, book, part, tabs, _chosen(part, before, choice, len(cities)))))
    for done, (tab, write_sheet) in enumerate(steps):
        progress(done, len(steps) + 1, f"正在写入“{tab}”")
        write_sheet()
    progress(len(steps), len(steps) + 1, "正在存成文件")
    return book.to_bytes()


def _chosen(part: Part, before: Part | None, choice: Choice, cities: int) -> list[tuple[str, str]]:
    """What was chosen, as lines of the cover; who was chosen stands there anyway."""
    lines = [
        ("报表", "、".join(sheet.title for sheet in part.sheets)),
        ("层级", LEVELS[WITH_COUNTIES if choice.with_counties else UNITS_ONLY]),
    ]
    if choice.cities:
        without = "没有：所列单位的数字都没有包含下级"
        lines.append(("各市分表", f"{cities} 张，有下级的单位各一张" if cities else without))
    if before:
        binding = f"校验码 {before.summary.digest[:16]}"
        lines.append(("比较", f"{before.year}年{before.number}（统计截至 {before.moment}，{binding}）"))
    return lines
