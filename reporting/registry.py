"""The forms of the product. A form app registers its one model; the engine asks here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reporting.statistical import StatisticalForm

_FORMS: dict[str, type[StatisticalForm]] = {}


def register(form: type[StatisticalForm]) -> type[StatisticalForm]:
    if form.slug in _FORMS and _FORMS[form.slug] is not form:
        raise ValueError(f"two forms are registered as {form.slug!r}")
    _FORMS[form.slug] = form
    return form


def all_forms() -> list[type[StatisticalForm]]:
    """In the order of the notice's attachments."""
    return sorted(_FORMS.values(), key=lambda form: form.number)


def get_form(slug: str) -> type[StatisticalForm]:
    """Raises KeyError for a form that is not registered."""
    return _FORMS[slug]
