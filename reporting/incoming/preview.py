"""What confirming a workbook would do to a filing: old → new for every cell, and the rules that will be broken."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reporting.assessment import Assessment, FormAssessment, assess_all
from reporting.filling import Change, put
from reporting.models import Filing, Import
from reporting.reading.table_reading import Note
from reporting.rules import HARD, Problem
from reporting.sheets import Sheet
from reporting.statistical import StatisticalForm


@dataclass(frozen=True)
class Plan:
    """What is to be typed into one form, and the row as it would stand then.

    `overtaken` are cells that somebody has changed since the file was read: they keep what stands there now.
    """

    changes: list[Change]
    after: StatisticalForm
    overtaken: frozenset[str]


def plan(filing: Filing, sheet: Sheet, row: StatisticalForm, form: Mapping[str, Any]) -> Plan:
    """`form` is one form of an import's content, `row` the working copy as it stands now.

    A total that is the sum of its parts is left to follow them; one that is not stands as the file has it, so that
    the difference is seen and not mended in silence. Where some of its parts are not filled in, or were changed
    since, the file's sum is the sum of other figures: an untouched total follows.
    """
    texts = {code: text for code, text in form["texts"].items() if code in sheet.fields}
    stood: Mapping[str, str] = form["stood"]
    # Untouched totals were changed by nobody, only by their parts.
    overtaken = frozenset(
        code
        for code, text in texts.items()
        if row.text(code) not in (stood.get(code, ""), text)
        and (not sheet.fields[code].of or code in row.touched or code in row.invalid)
    )
    after = copy.copy(row)
    after.invalid, after.touched = dict(row.invalid), list(row.touched)
    changes: list[Change] = []
    not_filled: set[str] = set()

    def type_(code: str, text: str) -> None:
        changes.append(Change(code, stood.get(code, ""), text))
        if code not in overtaken and filing.is_cell_open(f"{sheet.slug}:{code}"):
            put(after, sheet, code, text)
        else:
            not_filled.add(code)

    for code, text in texts.items():
        if not sheet.fields[code].of and row.text(code) != text:
            type_(code, text)
    for code in sheet.form.totals_inside_out():
        after.follow_parts(sheet.off)
        if not_filled.intersection(sheet.row[code].parts):
            not_filled.add(code)
        if code not in texts:
            continue
        text, is_typed = texts[code], code in row.touched or code in row.invalid
        if not is_typed and (code in not_filled or row.text(code) != stood.get(code, "")):
            continue
        if _sum_of_parts(sheet, after, code) == text:
            if is_typed and row.text(code) != text:
                type_(code, "")
        elif not is_typed or row.text(code) != text:
            type_(code, text)
    after.follow_parts(sheet.off)
    return Plan(changes, after, overtaken)


def _sum_of_parts(sheet: Sheet, row: StatisticalForm, code: str) -> str:
    parts = [figure for part in sheet.row[code].parts if (figure := getattr(row, part)) is not None]
    return sheet.fields[code].show(sum(parts)) if parts else ""


@dataclass(frozen=True)
class Difference:
    """One cell where the file and the filing differ, as the filing stands now.

    `is_open` is false where a return has shut it, `is_overtaken` where somebody has changed it since the file was
    read; neither is filled in. `follows`: a total that changes with its parts, whatever the file says of it.
    """

    code: str
    label: str
    unit: str
    old: str
    new: str
    where: str
    is_open: bool
    is_overtaken: bool = False
    follows: bool = False

    @property
    def is_filled(self) -> bool:
        return self.is_open and not self.is_overtaken


@dataclass(frozen=True)
class FormPreview:
    slug: str
    title: str
    attachment: str
    page: str
    differences: list[Difference]
    same: int
    blank: int
    notes: list[Note]
    problems: list[Problem]  # rules that would be broken afterwards, with the explanations that still bind
    blank_afterwards: int

    @property
    def filled(self) -> list[Difference]:
        return [difference for difference in self.differences if difference.is_filled]

    @property
    def shut(self) -> list[Difference]:
        return [difference for difference in self.differences if not difference.is_open]

    @property
    def overtaken(self) -> list[Difference]:
        return [d for d in self.differences if d.is_open and d.is_overtaken]

    @property
    def unread(self) -> list[Note]:
        return [note for note in self.notes if not note.is_read]

    @property
    def to_check(self) -> list[Note]:
        """Of what was read: converted, read by its code, from a hidden row."""
        return [note for note in self.notes if note.is_read]

    @property
    def hard(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.level == HARD]

    @property
    def queries(self) -> list[Problem]:
        """Those that still want an explanation."""
        return [p for p in self.problems if p.level != HARD and not p.explanation]


def preview(kept: Import) -> list[FormPreview]:
    """Old → new for every cell, as the filing stands now, and the rules that will be broken."""
    return previews([kept])[kept.pk]


def previews(imports: Iterable[Import]) -> dict[int, list[FormPreview]]:
    """`preview` for many, by their ids, in as many queries as for one. Needs filing, union and campaign loaded."""
    imports = list(imports)
    filings = {kept.filing_id: kept.filing for kept in imports}
    assessed = {assessment.filing.pk: assessment for assessment in assess_all(filings.values())}
    return {kept.pk: _preview(kept, assessed[kept.filing_id]) for kept in imports}


def _preview(kept: Import, assessment: Assessment) -> list[FormPreview]:
    forms = kept.content["forms"]
    return [
        _form_preview(kept.filing, form, forms[form.sheet.slug])
        for form in assessment.forms
        if form.sheet.slug in forms
    ]


def _form_preview(filing: Filing, assessed: FormAssessment, form: Mapping[str, Any]) -> FormPreview:
    sheet, row = assessed.sheet, assessed.row
    planned = plan(filing, sheet, row, form)
    texts, where = form["texts"], form["where"]
    noted = {place for place, _ in form["notes"] if place}
    differences = []
    for printed in sheet.rows:
        code, stands = printed.code, row.text(printed.code)
        follows = bool(printed.parts) and code not in {change.code for change in planned.changes}
        new = planned.after.text(code) if follows else texts.get(code, stands)
        if stands != new:
            differences.append(
                Difference(
                    code,
                    printed.full_label,
                    printed.unit,
                    stands,
                    new,
                    where.get(code, ""),
                    # A shut total still follows its parts.
                    follows or filing.is_cell_open(f"{sheet.slug}:{code}"),
                    code in planned.overtaken,
                    follows,
                )
            )
    figures = planned.after.figures
    explained = {problem.digest: problem.explanation for problem in assessed.explained}
    problems = [
        Problem(p.rule, p.level, p.message, p.cells, p.digest, explained.get(p.digest, ""))
        for p in sheet.check(figures, filing.union.kind)
    ]
    return FormPreview(
        sheet.slug,
        sheet.title,
        sheet.form.attachment,
        form["page"],
        differences,
        sum(row.text(code) == text for code, text in texts.items() if code in sheet.fields),
        sum(code not in texts and place not in noted for code, place in where.items()),
        [Note(place, sentence) for place, sentence in form["notes"]],
        problems,
        len(sheet.blanks(figures)),
    )
