"""本级 + 下级: the sealed totals of subordinates, added up in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Max, QuerySet, Sum

from reporting.fields import YesNoField
from reporting.models import Filing
from reporting.sheets import Sheet, sheet_for
from reporting.statistical import StatisticalForm


def subordinate_rows(filing: Filing, slug: str) -> QuerySet[Any]:
    """The sealed totals of the direct subordinates that stand approved in the same campaign.

    The province adds nothing here: its total is the Summary.
    """
    form = sheet_for(filing.campaign, slug).form
    rows = form._default_manager.filter(
        campaign=filing.campaign,
        counted=True,
        scope=StatisticalForm.Scope.TOTAL,
        filing__union__parent=filing.union_id,
    )
    return rows.none() if filing.union.is_root else rows


def sum_rows(sheet: Sheet, rows: QuerySet[Any]) -> dict[str, int | None]:
    """A whole form added up in one query; 是/否 is 是 when anybody said so. None where no row has a figure."""
    adders = {
        code: (Max if isinstance(indicator, YesNoField) else Sum)(code)
        for code, indicator in sheet.fields.items()
    }
    sums = rows.order_by().aggregate(**{f"sum_{code}": adder for code, adder in adders.items()})
    return {code: None if (s := sums[f"sum_{code}"]) is None else int(s) for code in adders}


def add_figures(
    sheet: Sheet, own: Mapping[str, int | None], below: Mapping[str, int | None]
) -> dict[str, int | None]:
    """own + subordinates, cell by cell."""
    out: dict[str, int | None] = {}
    for code, indicator in sheet.fields.items():
        parts = [f for f in (own.get(code), below.get(code)) if f is not None]
        combine = max if isinstance(indicator, YesNoField) else sum
        out[code] = combine(parts) if parts else None
    return out
