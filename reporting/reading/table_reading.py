"""Reads the figures of one table, once it is known which line is which row: told or taken, never guessed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from django.core.exceptions import ValidationError

from reporting.errors import Refused
from reporting.fields import WANYUAN, MoneyField, YesNoField
from reporting.reading.cell_figures import IN_WANYUAN, figure_text, fits
from reporting.reading.figure_columns import FigureColumn, figure_column, looks_like_figure
from reporting.reading.grid import Grid, Strip
from reporting.reading.intake import letters, shown
from reporting.reading.labels import year_in
from reporting.reading.lines import Line
from reporting.reading.tables import Table, nearest
from reporting.sheets import Sheet

MOST_PROBLEMS = 60
# What every sentence says of a figure that was left out, and no other.
_UNREAD = ("没有读入", "没有读取", "没有找到", "没有列出")


@dataclass(frozen=True)
class Note:
    """One thing about the workbook that somebody must know. `where` is sheet!cell, a sheet, or empty."""

    where: str
    sentence: str

    @property
    def is_read(self) -> bool:
        """Nothing was left out: it is only to be checked."""
        return not any(words in self.sentence for words in _UNREAD)


@dataclass
class FormRead:
    """One form as understood. `texts` are the figures as a cell of the page would hold them, by code."""

    sheet: Sheet
    page: str
    texts: dict[str, str] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    head: dict[str, str] = field(default_factory=dict)


class Reading:
    """A table with its columns of figures, on the way to a FormRead."""

    def __init__(self, table: Table) -> None:
        self.table = table
        by_strip: dict[Strip, list[Line]] = {}
        for line in table.lines:
            by_strip.setdefault(line.strip, []).append(line)
        self.columns = {strip: figure_column(table.grid, strip, lines) for strip, lines in by_strip.items()}
        self.moved: dict[Line, tuple[int, int]] = {}
        self.converted: dict[str, list[str]] = {}  # unit, empty for one in a number format → where
        self.elsewhere: set[str] = set()  # rows that stand on other pages
        self.unseen: dict[str, str] = {}  # rows read from a hidden line or column, and where
        # A figure merged over lines of which one is a row stands in the merge's first cell.
        self.merged: dict[tuple[int, int], list[tuple[str, Line]]] = {}
        for code, lines in table.claims.items():
            for line in lines:
                if cell := table.grid.covered.get(self._place(line)):
                    self.merged.setdefault(cell, []).append((code, line))
        self.moved = {found[0][1]: cell for cell, found in self.merged.items() if len(found) == 1}

    @property
    def grid(self) -> Grid:
        return self.table.grid

    @property
    def rows(self) -> set[str]:
        """Rows of the form that stand here, understood or not."""
        conflicts = {code for c in self.table.conflicts for code in (c.code, c.instead) if code}
        return set(self.table.claims) | conflicts

    @property
    def is_filled(self) -> bool:
        """Whether there is any figure in it. A table whose column is in doubt has some."""
        return any(self.columns[line.strip].problem or self._holds_figure(line) for line in self.table.lines)

    @property
    def other_years(self) -> set[int]:
        """Years of labels like 2019年度 where the sheet says another."""
        return self._label_years(differing=True)

    @property
    def label_years(self) -> set[int]:
        """Years of labels where the sheet names one too."""
        return self._label_years(differing=False)

    def _label_years(self, *, differing: bool) -> set[int]:
        years = set()
        for code, lines in self.table.claims.items():
            if wanted := year_in(self.table.sheet.row[code].label):
                said = {year for line in lines if (year := year_in(line.label))}
                years |= said - {wanted} if differing else said
        return years

    def doubled(self) -> list[Line]:
        """The first row that stands here more than once, when most rows do: two tables on one page."""
        filled = [[line for line in lines if self._holds(line)] for lines in self.table.claims.values()]
        twice = [lines for lines in filled if len(lines) > 1]
        return twice[0] if len(twice) > len(filled) / 2 else []

    def _place(self, line: Line) -> tuple[int, int]:
        """Where the line's figure stands; column 0 where there is none."""
        column = self.columns.get(line.strip)
        return self.moved.get(line, (line.row, (column.column if column else None) or 0))

    def _holds(self, line: Line) -> bool:
        place = self._place(line)
        cell = self.table.page.cells.get(place)
        return place in self.table.page.uncalculated or (cell is not None and bool(cell.text.strip()))

    def _holds_figure(self, line: Line) -> bool:
        place = self._place(line)
        cell = self.table.page.cells.get(place)
        return place in self.table.page.uncalculated or (cell is not None and looks_like_figure(cell))

    def read(self) -> FormRead:
        """Raises Refused where the column of figures is in doubt, or codes and labels are out of step."""
        table, sheet = self.table, self.table.sheet
        read = FormRead(sheet, table.page.name)
        for column in self.columns.values():
            if column.problem:
                raise Refused(
                    f"{sheet.title}（{table.at}）{column.problem}。请只保留要上报的一列，另存后再上传。"
                )
        self._tell_conflicts(read)
        spoiled = self._tell_merged(read)
        conflicting = {code for conflict in table.conflicts for code in (conflict.code, conflict.instead)}
        # As many lines as rows: each of these rows is there, it is not known where.
        for codes, _ in table.undecided:
            if sum(others == codes for others, _ in table.undecided) >= len(codes):
                conflicting |= set(codes)
        for row in sheet.rows:
            lines = table.claims.get(row.code)
            if lines is None:
                if row.code not in conflicting | self.elsewhere:
                    missing = f"{sheet.title}没有找到 {row.code}“{_short(row.full_label)}”这一行。"
                    read.notes.append(Note(shown(table.page.name, 40), missing))
                continue
            line = self._settle(read, row.code, lines)
            if line is not None and line not in spoiled:
                self._take(read, row.code, line)
        self._tell_rest(read)
        if len(read.notes) > MOST_PROBLEMS:
            more = len(read.notes) - MOST_PROBLEMS
            read.notes[MOST_PROBLEMS:] = [Note("", f"另有 {more} 处没有列出，请先按上面各条核对。")]
        return read

    def _settle(self, read: FormRead, code: str, lines: list[Line]) -> Line | None:
        """The line to read for a row that several lines claim: the only one with a figure, or none."""
        filled = [line for line in lines if self._holds(line)]
        page = self.table.page
        contents = {page.cells[p].text if (p := self._place(line)) in page.cells else None for line in filled}
        if len(contents) <= 1:
            return (filled or lines)[0]
        places = "、".join(page.address(*self._place(line)) for line in filled)
        read.notes.append(
            Note(
                page.address(*self._place(filled[1])),
                f"{code} 出现了 {len(filled)} 次（{places}），不知以哪一处为准，没有读入。",
            )
        )
        return None

    def _take(self, read: FormRead, code: str, line: Line) -> None:
        page, place = self.table.page, self._place(line)
        where = page.address(*place)
        read.where[code] = where
        cell = page.cells.get(place)
        if place in page.uncalculated:
            read.notes.append(
                Note(
                    where,
                    f"{code} 是公式，但没有保存计算结果，没有读入。请用 Excel 或 WPS 打开并保存一次再上传。",
                )
            )
            return
        if cell is None or not cell.text.strip():
            self._tell_misplaced(read, code, line)
            return
        indicator = self.table.sheet.fields[code]
        column = self.columns[line.strip]
        try:
            unit = self._unit(code, line, column)
            text = figure_text(indicator, cell, unit)
            figure = indicator.parse(text)
        except ValidationError as problem:
            read.notes.append(Note(where, f"{code}：{problem.messages[0]}没有读入。"))
            return
        if figure is None:
            return
        read.texts[code] = indicator.show(figure)
        if page.is_hidden(*place):
            self.unseen[code] = where
        if isinstance(indicator, MoneyField) and figure_text(indicator, replace(cell, format="")) != text:
            self.converted.setdefault("" if unit == WANYUAN else unit, []).append(where)
        if any(line is other for _, other in self.table.reworded):
            read.notes.append(
                Note(
                    page.address(line.row, line.column),
                    f"项目写作“{_short(line.label)}”，表样为“{_short(self.table.sheet.row[code].label)}”，"
                    f"按代码 {code} 读入，请核对。",
                )
            )

    def _unit(self, code: str, line: Line, column: FigureColumn) -> str:
        """In what amounts are written on this line. Raises ValidationError for a unit that is not the row's."""
        indicator = self.table.sheet.fields[code]
        own = column.unit_of(self.grid, line)
        own = "" if own == "是/否" else own  # merged over the question and what hangs on it
        if isinstance(indicator, YesNoField):
            return ""
        if own and not fits(indicator, own):
            raise ValidationError(f"单位写作“{own}”，表样为“{indicator.unit}”，")
        if not isinstance(indicator, MoneyField):
            return ""
        stated = {unit for unit in (own, column.money_unit) if unit}
        if len({IN_WANYUAN[unit] for unit in stated}) > 1:
            raise ValidationError(f"这一行的单位是{own}，表头又写着{column.money_unit}，不知以哪个为准，")
        return next(iter(stated), "")

    # -- what somebody must know ------------------------------------------------------------------------

    def _tell_conflicts(self, read: FormRead) -> None:
        page, sheet = self.table.page, self.table.sheet
        for conflict in self.table.conflicts:
            code, line = conflict.code, conflict.line
            label = _short(line.label)
            if conflict.instead:
                why = f"代码写作 {code}，项目“{label}”和上一行却是 {conflict.instead}"
            elif any(conflict.between):
                before, behind = conflict.between
                why = f"代码写作 {code}（{label}），前后两行却是 {before} 和 {behind}"
            else:
                why = f"{code} 这一行的项目是“{label}”，表样为“{_short(sheet.row[code].label)}”"
            where = page.address(line.row, line.column)
            read.notes.append(Note(where, f"{why}，没有读入。请核对是否串行。"))
        if self.table.is_out_of_step:
            raise Refused(
                f"{sheet.title}有 {self.table.out_of_step.total()} 行的代码与项目对不上（如 {read.notes[0].where}），"
                "像是串了行，没有读入。请按表样核对后再上传。",
                *(f"{note.where}：{note.sentence}" for note in read.notes[:10]),
            )

    def _tell_merged(self, read: FormRead) -> list[Line]:
        """Lines whose figures stand in one cell merged over several of them: nobody knows whose it is."""
        spoiled: list[Line] = []
        for cell, found in self.merged.items():
            if len(found) > 1 and cell in self.table.page.cells:
                codes = "、".join(code for code, _ in found)
                read.notes.append(
                    Note(
                        self.table.page.address(*cell),
                        f"{codes} 的数字合并在一个单元格里，不知是哪一行的，没有读入。",
                    )
                )
                spoiled += [line for _, line in found]
        return spoiled

    def _tell_misplaced(self, read: FormRead, code: str, line: Line) -> None:
        """The row's own cell is blank and a number stands beside it, in a column nobody can name."""
        for column in self.columns[line.strip].unread:
            cell = self.table.page.cells.get((line.row, column))
            if cell is not None and looks_like_figure(cell):
                read.notes.append(
                    Note(
                        self.table.page.address(line.row, column),
                        f"{code} 的数字格空白，这里的“{cell.text[:20]}”不在数字一列，没有读入。",
                    )
                )
                return

    def _tell_rest(self, read: FormRead) -> None:
        page = self.table.page
        for unit, places in self.converted.items():
            said = f"金额的单位写作“{unit}”" if unit else "数字格式里写着金额的单位"
            read.notes.append(
                Note(
                    places[0],
                    f"{said}，共 {len(places)} 格已换算为万元，请核对。",
                )
            )
        if self.unseen:
            some = "、".join(list(self.unseen)[:8])
            if len(self.unseen) > 8:
                some += f" 等 {len(self.unseen)} 格"
            note = f"{some} 在隐藏的行或列里，已读入，请核对。"
            read.notes.append(Note(next(iter(self.unseen.values())), note))
        for column in self.columns.values():
            if column.doubt:
                read.notes.append(Note(shown(page.name, 40), column.doubt))
            told = {c: title for c, title in column.unread.items() if title and c not in column.untold}
            named = "、".join(f"{letters(c)} 列“{title}”" for c, title in told.items())
            if named and column.column:
                note = f"读取的是 {letters(column.column)} 列；{named}也有数字，不在其中，请核对。"
                read.notes.append(Note(shown(page.name, 40), note))
        for codes, line in self.table.undecided:
            if self._holds(line):
                possible = "、".join(codes[:6])
                read.notes.append(
                    Note(
                        page.address(*self._place(line)),
                        f"这一行（{_short(line.label)}）可能是 {possible}，分不清是哪一行，没有读入。请写上代码。",
                    )
                )
        seen = {(line.strip, line.row) for line in self.table.lines}
        seen |= {(line.strip, line.row) for _, line in self.table.undecided}
        for line in self.table.strangers:
            seen.add((line.strip, line.row))
            if self._holds_figure(line):
                self._tell_stranger(read, line)
        for strip, column in self.columns.items():
            rows = [line.row for line in self.table.lines if line.strip is strip]
            for number in range(min(rows), max(rows)):
                cell = page.cells.get((number, column.column or 0))
                if (strip, number) not in seen and cell is not None and looks_like_figure(cell):
                    note = f"这一行没有代码和项目名称，“{cell.text[:20]}”没有读入。"
                    read.notes.append(Note(page.address(number, column.column or 1), note))

    def _tell_stranger(self, read: FormRead, line: Line) -> None:
        cell = self.table.page.cells.get(self._place(line))
        content = cell.text.strip()[:20] if cell else "公式"
        name = _short(line.label or line.code)
        note = f"这一行（{name}）不在表样中，“{content}”没有读入。"
        if code := nearest(line, self.table):
            row = self.table.sheet.row[code]
            note += f"与 {code}“{_short(row.full_label)}”相近，如果就是它，请改成与表样一致。"
        read.notes.append(Note(self.table.page.address(*self._place(line)), note))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 24 else f"{text[:24]}…"
