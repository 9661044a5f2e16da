"""A summary on paper: the province's totals in the notice's layout, and who is in them."""

from __future__ import annotations

import re
from pathlib import Path

from reporting.aggregation import make_summary
from reporting.paper.code import code_typed, qr_of_summary, short_code
from reporting.paper.printing import summary_pdf
from reporting.summaries import sealed_sheets
from tests.aggregation.sealed import make_province, relabel
from tests.paper.printing import pages_of


def test_totals_and_who_is_in_them(db: None, tmp_path: Path) -> None:
    province = make_province(cities=4, counties=(2, 1))
    own = province.approve_all(seed=7, scale=1_234_567)
    province.approve(province.cities[2], own["230300"], is_late=True)
    province.unapprove(province.cities[3])
    summary = make_summary(province.campaign)
    content = summary_pdf(summary)
    # What was signed does not change with the sheets' wording.
    relabel(province.campaign, "warmth", "A1", "改过的名称")
    summary.refresh_from_db()
    assert summary_pdf(summary) == content
    pages = pages_of(content, tmp_path)
    text = "\n".join(pages)
    for sheet in sealed_sheets(summary):
        for row in sheet.rows:
            figure = re.escape(sheet.field(row.code).grouped(sheet.figures[row.code]))
            assert re.search(rf"(^|\s){row.printed_code}\s(.*\s)?{row.unit}\s+{figure}$", text, re.M), (
                row.code
            )
        assert sheet.summary_title in text
    assert all(short_code(summary.digest) in page for page in pages)
    last = pages[-1]
    assert "第 1 号汇总" in text and "已纳入 4 个单位，其中逾期 1 个：第3市总工会" in last
    assert "未纳入 1 个" in last and re.search(r"第4市总工会\s+已退回", last)
    assert [name for name in ("黑龙江省总工会", "第1市总工会", "第2市总工会") if name not in last] == []
    assert code_typed(qr_of_summary(summary)) == summary.digest


def test_a_summary_of_nobody_can_be_printed(db: None, tmp_path: Path) -> None:
    summary = make_summary(make_province(cities=1).campaign)
    last = pages_of(summary_pdf(summary), tmp_path)[-1]
    assert "没有单位的报送件通过审核" in last and "未纳入 2 个" in last
