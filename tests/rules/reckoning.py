"""A form as typed → figures, sentences and problems, the way the server reckons; results as plain JSON."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError

from reporting.fields import CountField, Indicator, MoneyField, YesNoField
from reporting.sheets import Sheet, plain_sheets

KINDS: dict[str, type[Indicator]] = {"count": CountField, "money": MoneyField, "yesno": YesNoField}
SHEETS: dict[str, Sheet] = {sheet.slug: sheet for sheet in plain_sheets()}


def parse(kind: str, unit: str, typed: str) -> dict[str, Any]:
    """{"figure": "…" or None, "shown": …} or {"error": sentence}. Figures as text: JSON numbers lose digits."""
    field = KINDS[kind](unit=unit)
    try:
        figure = field.parse(typed)
    except ValidationError as error:
        return {"error": error.messages[0]}
    return {
        "figure": None if figure is None else str(figure),
        "shown": field.show(figure),
        "grouped": field.grouped(figure),
    }


def reckon(slug: str, reporter: str, typed: dict[str, str], touched: list[str]) -> dict[str, Any]:
    sheet = SHEETS[slug]
    row = sheet.form()
    row.touched = touched
    for code, text in typed.items():
        try:
            setattr(row, code, sheet.fields[code].parse(text))
        except ValidationError as error:
            row.invalid[code] = error.messages[0]
    row.follow_parts(sheet.off)
    return {
        "figures": {code: None if f is None else str(f) for code, f in row.figures.items()},
        "invalid": dict(row.invalid),
        "problems": [[p.rule, p.level, p.message, list(p.cells)] for p in sheet.check(row.figures, reporter)],
    }
