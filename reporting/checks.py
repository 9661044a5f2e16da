"""System checks: mistakes in a form's declaration fail `manage.py check` with an id and a hint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, register

from reporting.drafts.wording import CHAPTERS, unknown_words
from reporting.registry import all_forms
from reporting.statistical import StatisticalForm


@register("reporting")
def check_declarations(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    return [message for form in all_forms() for message in (*check_form(form), *check_report(form))]


def check_form(form: type[StatisticalForm]) -> Iterator[Error]:
    fields = form.fields()
    seen: dict[str, str] = {}
    for code, field in fields.items():
        if not field.label or not field.unit or not field.section:
            yield Error(
                f"{form.__name__}.{code} has no label, unit or section",
                hint="copy the printed wording of the row, whole",
                obj=form,
                id="reporting.E001",
            )
        for part in field.of:
            if part not in fields:
                yield Error(
                    f"{form.__name__}.{code} is a total of {part}, which is no row of the form",
                    hint=f"rows are: {' '.join(fields)}",
                    obj=form,
                    id="reporting.E002",
                )
            elif fields[part].unit != field.unit:
                yield Error(
                    f"{form.__name__}.{code} adds {part}, which is in {fields[part].unit}, not {field.unit}",
                    hint="a total and its parts have one unit",
                    obj=form,
                    id="reporting.E003",
                )
            if part in seen:
                yield Error(
                    f"{form.__name__}.{part} is a part of both {seen[part]} and {code}",
                    hint="a row belongs to one total at most",
                    obj=form,
                    id="reporting.E004",
                )
            seen[part] = code
        if code in _descendants(fields, code, set()):
            yield Error(
                f"{form.__name__}.{code} is a part of itself",
                hint="totals may nest but not in a circle",
                obj=form,
                id="reporting.E005",
            )
    ids = [rule.id for rule in (*form.rules,)]
    for rule in form.rules:
        unknown = [code for code in (*rule.cells, *_cells_of(rule.broken.tree)) if code not in fields]
        if unknown or ids.count(rule.id) > 1:
            yield Error(
                f"rule {rule.id} of {form.__name__} "
                + (f"names {unknown[0]}, which is no row of the form" if unknown else "is declared twice"),
                hint="a rule has an id of its own and names rows by their codes",
                obj=form,
                id="reporting.E006",
            )
        elif set(_cells_of(rule.broken.tree)) - set(rule.cells):
            yield Error(
                f"rule {rule.id} of {form.__name__} reads a cell it does not name in `cells`",
                hint="`cells` is what the page links to and what an explanation is bound to",
                obj=form,
                id="reporting.E007",
            )


def check_report(form: type[StatisticalForm]) -> Iterator[Error]:
    for word in unknown_words(form.report_sentences, form.report_shares, list(form.fields())):
        yield Error(
            f"what {form.__name__} says in the report names {word}, which is no row of it and no chapter",
            hint=f"chapters are: {' '.join(CHAPTERS)}",
            obj=form,
            id="reporting.E008",
        )


def _descendants(fields: dict[str, Any], code: str, found: set[str]) -> set[str]:
    for part in fields[code].of:
        if part in fields and part not in found:
            found.add(part)
            _descendants(fields, part, found)
    return found


def _cells_of(tree: list[Any]) -> Iterator[str]:
    if tree[0] == "cell":
        yield tree[1]
    elif tree[0] == "sum":
        yield from tree[1:]
    elif tree[0] not in ("const", "reporter"):
        for branch in tree[1:]:
            yield from _cells_of(branch)
