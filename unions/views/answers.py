"""What the pages of people and unions answer alike."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.forms import BaseForm

from unions.actions import Refusal

EVENTS_ON_A_PAGE = 30


def show(problem: Refusal | ValidationError, form: BaseForm) -> None:
    if isinstance(problem, Refusal):
        form.add_error(None, str(problem))
        return
    for name, errors in problem.message_dict.items():
        form.add_error(name if name in form.fields else None, errors)
