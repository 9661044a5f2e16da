"""Two campaigns of the same unions, so that one year can be held against the other."""

from __future__ import annotations

import datetime
from dataclasses import replace

from reporting.models import Campaign, Filing
from tests.aggregation.sealed import Province
from unions.models import Union


def the_year_before(province: Province) -> Province:
    """The same unions and people a year earlier; nobody has filed yet."""
    now, year = province.campaign, datetime.timedelta(days=365)
    campaign = Campaign.objects.create(
        title="2020年元旦春节送温暖活动",
        notice_number="黑工办发〔2019〕28号",
        year=now.year - 1,
        data_year=now.data_year - 1,
        opens_at=now.opens_at - year,
        deadline=now.deadline - year,
    )
    Filing.objects.bulk_create(Filing(campaign=campaign, union=union) for union in Union.objects.all())
    return replace(province, campaign=campaign, submitted=province.submitted - year, filings={})
