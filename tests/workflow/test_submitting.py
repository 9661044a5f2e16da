"""上报: everything that is missing is said at once; the deadline is the database's."""

import datetime

import pytest
from django.db import connection
from django.utils import timezone

from reporting import workflow
from reporting.assessment import assess
from reporting.clock import pinned
from reporting.errors import Refused, WrongState
from reporting.filling import Change, explain, save_cells, working_row
from reporting.models import Message
from reporting.sheets import sheets_for
from unions.gate import Role


def type_over(stage, filing, slug, **cells):
    row = working_row(filing, slug)
    return save_cells(
        filing=filing,
        slug=slug,
        changes=[Change(code, row.text(code), text) for code, text in cells.items()],
        by=stage.actor(filing.union, Role.FILLER),
    )


def test_an_empty_filing_hears_all_that_is_missing_at_once(stage):
    filing = stage.filing(stage.tree.harbin)
    with pytest.raises(Refused) as refusal:
        workflow.submit(filing=filing, by=stage.submitter(stage.tree.harbin))
    said = "；".join(refusal.value.sentences)
    for part in (
        "送温暖统计表：还有",
        "帮扶中心工作统计表：还有",
        "表头：填报人、电话、填报日期",
        "送温暖报告：还没有上传",
    ):
        assert part in said


def test_wrong_texts_sums_and_unexplained_queries_are_said_together(stage):
    filing = stage.ready(stage.tree.harbin)
    type_over(stage, filing, "warmth", E1="12a", F="7", H="3")
    with pytest.raises(Refused) as refusal:
        workflow.submit(filing=filing, by=stage.submitter(stage.tree.harbin))
    said = refusal.value.sentences
    assert any("E1 “12a”不是有效数字" in s for s in said)
    assert any("F 为 7，F1+F2+F3 为 0，差 7" in s for s in said)
    assert any("有人次而没有金额（须填写说明）" in s for s in said)
    filing.refresh_from_db()
    assert filing.state == "draft"
    assert filing.rounds.count() == 0


def test_an_explanation_lasts_until_its_figures_change(stage):
    filing = stage.ready(stage.tree.harbin, warmth_H=3)
    by = stage.actor(stage.tree.harbin, Role.FILLER)
    explain(filing=filing, slug="warmth", rule_id="H_without_I", text="只协调，欠薪由企业直接支付", by=by)
    assert assess(filing).is_ready

    type_over(stage, filing, "warmth", H="4")
    assert [p.rule for p in assess(filing).form("warmth").unexplained] == ["H_without_I"]
    with pytest.raises(Refused, match="须填写说明"):
        workflow.submit(filing=filing, by=stage.submitter(stage.tree.harbin))

    type_over(stage, filing, "warmth", H="3")
    round_ = workflow.submit(filing=filing, by=stage.submitter(stage.tree.harbin))
    assert [given["text"] for given in round_.explanations] == ["只协调，欠薪由企业直接支付"]


def test_after_the_deadline_nobody_submits(stage):
    filing = stage.ready(stage.tree.harbin)
    with (
        pinned(stage.campaign.deadline + datetime.timedelta(seconds=1)),
        pytest.raises(Refused, match="已过截止时间"),
    ):
        workflow.submit(filing=filing, by=stage.submitter(stage.tree.harbin))
    with pinned(stage.campaign.deadline):
        workflow.submit(filing=filing, by=stage.submitter(stage.tree.harbin))


def test_the_deadline_goes_by_the_databases_clock(stage, monkeypatch):
    filing = stage.ready(stage.tree.harbin)
    stage.campaign.deadline = timezone.now() - datetime.timedelta(minutes=1)
    stage.campaign.save()
    # A web server whose clock is slow by an hour still refuses.
    slow = timezone.now() - datetime.timedelta(hours=1)
    monkeypatch.setattr("django.utils.timezone.now", lambda: slow)
    with pytest.raises(Refused, match="已过截止时间"):
        workflow.submit(filing=filing, by=stage.submitter(stage.tree.harbin))
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        assert cursor.fetchone()[0] > stage.campaign.deadline


def test_an_extension_lets_one_union_submit_and_the_late_mark_stays(stage):
    tree, deadline = stage.tree, stage.campaign.deadline
    late, other = stage.ready(tree.harbin), stage.ready(tree.outsider)
    workflow.extend(
        filing=late,
        until=deadline + datetime.timedelta(days=2),
        reason="山火扑救值守",
        by=stage.actor(tree.province, Role.ADMINISTRATOR),
    )
    with pinned(deadline + datetime.timedelta(days=1)):
        with pytest.raises(Refused):
            workflow.submit(filing=other, by=stage.submitter(tree.outsider))
        workflow.submit(filing=late, by=stage.submitter(tree.harbin))
        late.refresh_from_db()
        assert late.is_late and late.current_round.is_late
        workflow.approve(filing=late, round_number=1, by=stage.reviewer(tree.harbin))
    late.refresh_from_db()
    assert late.is_late and late.state == "approved"


@pytest.mark.parametrize("days", [-1, 0])
def test_an_extension_must_lie_after_the_deadline(stage, days):
    with pytest.raises(Refused, match="须晚于"):
        workflow.extend(
            filing=stage.filing(stage.tree.harbin),
            until=stage.campaign.deadline + datetime.timedelta(days=days),
            reason="山火扑救值守",
            by=stage.actor(stage.tree.province, Role.ADMINISTRATOR),
        )


def test_before_the_campaign_opens_and_after_it_is_closed_nobody_submits(stage):
    filing = stage.ready(stage.tree.harbin)
    with (
        pinned(stage.campaign.opens_at - datetime.timedelta(days=1)),
        pytest.raises(WrongState, match="开始填报"),
    ):
        workflow.submit(filing=filing, by=stage.submitter(stage.tree.harbin))
    stage.campaign.is_closed = True
    stage.campaign.save()
    with pytest.raises(WrongState, match="已结束"):
        workflow.submit(filing=filing, by=stage.submitter(stage.tree.harbin))


def test_a_submission_is_withdrawn_until_a_reviewer_opens_it(stage):
    filing = stage.submitted(stage.tree.harbin)
    workflow.withdraw(filing=filing, by=stage.submitter(stage.tree.harbin))
    workflow.submit(filing=filing, by=stage.submitter(stage.tree.harbin))
    filing = stage.filing(stage.tree.harbin)
    workflow.mark_opened(filing=filing, by=stage.reviewer(stage.tree.harbin))
    with pytest.raises(WrongState, match="开始审核，不能撤回"):
        workflow.withdraw(filing=filing, by=stage.submitter(stage.tree.harbin))


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR])
def test_looking_without_reviewing_does_not_stop_a_withdrawal(stage, role):
    filing = stage.submitted(stage.tree.harbin)
    workflow.mark_opened(filing=filing, by=stage.actor(stage.tree.province, role))
    workflow.withdraw(filing=filing, by=stage.submitter(stage.tree.harbin))


def test_a_submission_tells_the_reviewers_and_nobody_else(stage):
    reviewer = stage.reviewer(stage.tree.harbin)
    stage.actor(stage.tree.outsider, Role.REVIEWER)
    stage.submitted(stage.tree.harbin)
    assert [(m.person, m.text) for m in Message.objects.all()] == [
        (reviewer.person, "哈尔滨市总工会已上报2021年元旦春节送温暖活动（第 1 轮），请审核。")
    ]


def test_what_is_sealed_does_not_follow_the_draft(stage):
    filing = stage.submitted(stage.tree.harbin, warmth_E1=5)
    workflow.withdraw(filing=filing, by=stage.submitter(stage.tree.harbin))
    type_over(stage, stage.filing(stage.tree.harbin), "warmth", E1="9")
    for sheet in sheets_for(stage.campaign):
        sealed = sheet.form._default_manager.filter(round=filing.current_round)
        assert sealed.count() == 2
        if sheet.slug == "warmth":
            assert {row.E1 for row in sealed} == {5}
