"""What still keeps a filing from being submitted, said all at once; and what submitting it would seal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from reporting.filling import HEAD_FIELDS, head_text
from reporting.models import Explanation, Filing
from reporting.rules import QUERY, Problem
from reporting.sheets import Sheet, sheets_for
from reporting.statistical import StatisticalForm


@dataclass(frozen=True)
class FormAssessment:
    """What stands against one form. `problems` carry the explanation given to a query, if it still binds."""

    sheet: Sheet
    row: StatisticalForm
    problems: tuple[Problem, ...]
    blanks: tuple[str, ...]
    invalid: Mapping[str, str]

    @property
    def hard(self) -> list[Problem]:
        return [p for p in self.problems if p.level != QUERY]

    @property
    def unexplained(self) -> list[Problem]:
        return [p for p in self.problems if p.level == QUERY and not p.explanation]

    @property
    def explained(self) -> list[Problem]:
        return [p for p in self.problems if p.explanation]

    @property
    def count(self) -> int:
        """How many things the union still has to see to; all blanks together are one of them."""
        return len(self.hard) + len(self.unexplained) + len(self.invalid) + bool(self.blanks)

    @property
    def is_done(self) -> bool:
        return self.count == 0

    @property
    def is_untouched(self) -> bool:
        return len(self.blanks) == len(self.sheet.fields)

    def sentences(self) -> list[str]:
        title = self.sheet.title
        out = [f"{title}：{code} “{text}”不是有效数字" for code, text in self.invalid.items()]
        if self.blanks:
            shown = "、".join(self.blanks[:6]) + ("等" if len(self.blanks) > 6 else "")
            out.append(f"{title}：还有 {len(self.blanks)} 格空白（{shown}），没有发生的请填 0")
        out += [f"{title}：{p.message}" for p in self.hard]
        out += [f"{title}：{p.message}（须填写说明）" for p in self.unexplained]
        return out


@dataclass(frozen=True)
class Assessment:
    """What still keeps a filing from being submitted, said all at once."""

    filing: Filing
    forms: tuple[FormAssessment, ...]

    @property
    def missing_head(self) -> list[str]:
        return [label for name, label in HEAD_FIELDS.items() if not getattr(self.filing, name)]

    @property
    def has_report(self) -> bool:
        return self.filing.current_report_id is not None

    @property
    def is_ready(self) -> bool:
        return not self.sentences()

    def sentences(self) -> list[str]:
        out = [sentence for form in self.forms for sentence in form.sentences()]
        if self.missing_head:
            out.append(f"表头：{'、'.join(self.missing_head)}还没有填写")
        if not self.has_report:
            out.append("送温暖报告：还没有上传")
        return out

    @cached_property
    def parts(self) -> dict[str, str]:
        """A digest of each part of what submitting would seal, by the name people know it by."""
        contents: dict[str, Any] = {
            form.sheet.title: [
                {code: form.row.text(code) for code in form.sheet.fields},
                [(p.rule, p.explanation) for p in form.explained],
            ]
            for form in self.forms
        }
        contents["表头"] = [head_text(self.filing, name) for name in HEAD_FIELDS]
        contents["送温暖报告"] = self.filing.current_report_id
        return {
            name: hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()[:16]
            for name, content in contents.items()
        }

    @property
    def token(self) -> str:
        """What somebody has looked at before confirming; another token means that something has changed."""
        return ".".join(self.parts.values())

    def changed_since(self, token: str) -> list[str]:
        """The parts that differ from what a token stands for; all of them when it is none of ours."""
        seen = token.split(".")
        if len(seen) != len(self.parts):
            return list(self.parts)
        return [name for (name, digest), was in zip(self.parts.items(), seen, strict=True) if digest != was]

    def form(self, slug: str) -> FormAssessment:
        return next(form for form in self.forms if form.sheet.slug == slug)


def assess(filing: Filing) -> Assessment:
    """Everything about the working copies. A constant number of queries (one a form, one for explanations)."""
    return assess_all([filing])[0]


def assess_all(filings: Iterable[Filing]) -> list[Assessment]:
    """`assess` for many filings at once, in as many queries as for one."""
    filings = list(filings)
    given = {
        (e.filing_id, e.form, e.rule, e.digest): e.text
        for e in Explanation.objects.filter(filing__in=filings)
    }
    rows: dict[tuple[str, int], StatisticalForm] = {}
    for form in {sheet.form for filing in filings for sheet in sheets_for(filing.campaign)}:
        for row in form._default_manager.filter(filing__in=filings, round=None):
            rows[form.slug, row.filing_id] = row
    return [
        Assessment(
            filing=filing,
            forms=tuple(
                _assess_form(
                    filing, sheet, rows.get((sheet.slug, filing.pk)) or sheet.form(filing=filing), given
                )
                for sheet in sheets_for(filing.campaign)
            ),
        )
        for filing in filings
    ]


def _assess_form(
    filing: Filing, sheet: Sheet, row: StatisticalForm, given: Mapping[tuple[int, str, str, str], str]
) -> FormAssessment:
    figures = row.figures
    invalid = {code: text for code, text in row.invalid.items() if code in sheet.fields}
    problems = tuple(
        Problem(
            p.rule,
            p.level,
            p.message,
            p.cells,
            p.digest,
            given.get((filing.pk, sheet.slug, p.rule, p.digest), ""),
        )
        for p in sheet.check(figures, filing.union.kind)
    )
    blanks = tuple(code for code in sheet.blanks(figures) if code not in invalid)
    return FormAssessment(sheet, row, problems, blanks, invalid)
