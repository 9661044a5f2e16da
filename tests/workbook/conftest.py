from __future__ import annotations

import pytest

from reporting.aggregation import make_summary
from reporting.models import Summary
from tests.aggregation.sealed import Province, make_province


@pytest.fixture
def province(db: None) -> Province:
    return make_province(cities=4, counties=(2, 1))


@pytest.fixture
def summary(province: Province) -> Summary:
    """Three units in time, one late, one missing."""
    own = province.approve_all(seed=7, scale=1_234_567)
    province.approve(province.cities[2], own["230300"], is_late=True)
    province.unapprove(province.cities[3])
    return make_summary(province.campaign)
