"""The reviewer's pages: who gets in, what is shown, and that a stale page moves nothing."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from reporting import workflow
from reporting.campaigns import prepare_filings
from reporting.filling import Change, save_cells
from reporting.models import Campaign, Event, Remark
from tests.workflow.stage import make_ready, number
from unions.gate import Role
from unions.models import Union


def page(name, filing, query=""):
    return reverse(name, args=[filing.pk]) + query


def text(response):
    return response.content.decode()


# -- the gate ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["review_page", "history"])
def test_who_may_look_at_a_filing(stage, browse, name):
    tree = stage.tree
    filing = stage.submitted(tree.harbin)
    seen = {
        "its submitter": (tree.harbin, Role.SUBMITTER, 200),
        "its filler": (tree.harbin, Role.FILLER, 200),
        "the reviewer above": (tree.province, Role.REVIEWER, 200),
        "the auditor above": (tree.province, Role.AUDITOR, 200),
        "a filler above": (tree.province, Role.FILLER, 403),
        "the county below": (tree.nangang, Role.SUBMITTER, 404),
        "a neighbour": (tree.outsider, Role.REVIEWER, 404),
    }
    answers = {
        who: browse(stage.actor(union, role)).get(page(name, filing)).status_code
        for who, (union, role, _) in seen.items()
    }
    assert answers == {who: status for who, (_, _, status) in seen.items()}


@pytest.mark.parametrize("name", ["approve", "send_back", "reopen", "add_remark"])
def test_looking_is_not_moving(stage, browse, name):
    filing = stage.submitted(stage.tree.harbin)
    data = {"round": 1, "reason": "请核对数据", "scope": "all", "cell": "warmth:E1", "text": "请核对"}
    for union, role, status in [
        (stage.tree.province, Role.AUDITOR, 403),
        (stage.tree.harbin, Role.SUBMITTER, 403),
        (stage.tree.outsider, Role.REVIEWER, 404),
    ]:
        assert browse(stage.actor(union, role)).post(page(name, filing), data).status_code == status
    assert browse(stage.reviewer(stage.tree.harbin)).get(page(name, filing)).status_code == 405
    filing.refresh_from_db()
    assert filing.state == "submitted" and not Remark.objects.exists()


# -- one round ---------------------------------------------------------------------------------------------


def test_the_reviewer_reads_what_was_submitted_never_the_draft(stage, browse):
    tree = stage.tree
    filing = stage.submitted(tree.harbin, warmth_E1=4711)
    workflow.withdraw(filing=filing, by=stage.submitter(tree.harbin))
    save_cells(
        filing=filing,
        slug="warmth",
        changes=[Change("E1", "4711", "8888")],
        by=stage.actor(tree.harbin, Role.FILLER),
    )
    shown = text(browse(stage.reviewer(tree.harbin)).get(page("review_page", filing)))
    assert "4,711" in shown and "8,888" not in shown and "撤回前的第 1 轮" in shown


def test_before_the_first_submission_there_is_nothing_to_read(stage, browse):
    filing = stage.ready(stage.tree.harbin, warmth_E1=4711)
    shown = text(browse(stage.reviewer(stage.tree.harbin)).get(page("review_page", filing)))
    assert "还没有上报" in shown and "4,711" not in shown


def test_opening_marks_it_opened_for_a_reviewer_only(stage, browse):
    filing = stage.submitted(stage.tree.harbin)
    browse(stage.actor(stage.tree.province, Role.AUDITOR)).get(page("review_page", filing))
    filing.refresh_from_db()
    assert filing.opened_at is None
    browse(stage.reviewer(stage.tree.harbin)).get(page("review_page", filing))
    filing.refresh_from_db()
    assert filing.opened_at is not None


def cell(response, slug, code):
    form = next(form for form in response.context["shown"].forms if form.sheet.slug == slug)
    return next(cell for cell in form.cells if cell.row.code == code)


def test_own_subordinates_and_total_stand_side_by_side(stage, browse):
    stage.approved(stage.tree.nangang, warmth_E1=5, helpcenter_I=1)
    filing = stage.submitted(stage.tree.harbin, warmth_E1=7)
    answer = browse(stage.reviewer(stage.tree.harbin)).get(page("review_page", filing))
    shown = cell(answer, "warmth", "E1")
    assert (shown.own, shown.below, shown.total) == ("7", "5", "12")
    shown = cell(answer, "helpcenter", "I")
    assert (shown.own, shown.below, shown.total) == ("否", "是", "是")


def test_what_changed_since_the_last_round_is_told(stage, browse):
    filing = stage.returned(stage.tree.harbin, warmth_E1=1200, warmth_E2=3)
    make_ready(filing, stage.actor(stage.tree.harbin, Role.FILLER), warmth_E1=1000, warmth_E2=3)
    workflow.submit(filing=filing, by=stage.submitter(stage.tree.harbin))
    answer = browse(stage.reviewer(stage.tree.harbin)).get(page("review_page", filing))
    shown = cell(answer, "warmth", "E1")
    assert (shown.was, shown.total, shown.change, shown.is_changed) == ("1,200", "1,000", "−200", True)
    assert not cell(answer, "warmth", "E2").is_changed
    assert answer.context["shown"].forms[0].changed == 2, "E1 and its total"


@pytest.mark.parametrize("state", ["approved", "submitted"])
def test_last_years_figure_stands_beside_it_if_it_was_approved(stage, browse, state):
    tree = stage.tree
    maker = stage.approved if state == "approved" else stage.submitted
    maker(tree.harbin, warmth_E1=100)
    stage.campaign = Campaign.objects.create(
        title="2022年元旦春节送温暖活动",
        notice_number="试",
        year=2022,
        data_year=2021,
        opens_at=stage.campaign.opens_at,
        deadline=stage.campaign.deadline,
    )
    prepare_filings(stage.campaign)
    filing = stage.submitted(tree.harbin, warmth_E1=250)
    answer = browse(stage.reviewer(tree.harbin)).get(page("review_page", filing))
    shown = cell(answer, "warmth", "E1")
    if state == "approved":
        assert (shown.last_year, shown.growth, shown.is_leap) == ("100", "+150%", True)
    else:
        assert answer.context["shown"].last_year is None


# -- the moves, by page ------------------------------------------------------------------------------------


def test_a_stale_page_says_who_moved_first_and_moves_nothing(stage, browse):
    filing = stage.submitted(stage.tree.harbin)
    reviewer = browse(stage.reviewer(stage.tree.harbin))
    reviewer.post(page("approve", filing), {"round": 1})
    answer = reviewer.post(page("approve", filing), {"round": 1}, follow=True)
    assert "操作没有进行" in text(answer) and "省总工会审核员" in text(answer) and "通过" in text(answer)
    assert Event.objects.filter(filing=filing, move="approve").count() == 1


@pytest.mark.parametrize("round_", ["", "0", "2", "x", "١", "99999999999"])
def test_a_post_without_the_right_round_moves_nothing(stage, browse, round_):
    filing = stage.submitted(stage.tree.harbin)
    reviewer = browse(stage.reviewer(stage.tree.harbin))
    reviewer.post(page("approve", filing), {"round": round_})
    reviewer.post(page("send_back", filing), {"round": round_, "reason": "请核对数据", "scope": "all"})
    filing.refresh_from_db()
    assert filing.state == "submitted"


def test_a_refused_return_keeps_what_was_typed(stage, browse):
    filing = stage.submitted(stage.tree.harbin)
    answer = browse(stage.reviewer(stage.tree.harbin)).post(
        page("send_back", filing), {"round": 1, "reason": "不", "scope": "cells", "cells": ["warmth:E1"]}
    )
    assert answer.status_code == 422
    assert "不少于 4 个字" in text(answer) and ">不</textarea>" in text(answer)
    assert 'value="warmth:E1" checked' in text(answer) and "<dialog" in text(answer)


def test_only_the_ticked_cells_without_a_tick_is_refused(stage, browse):
    filing = stage.submitted(stage.tree.harbin)
    answer = browse(stage.reviewer(stage.tree.harbin)).post(
        page("send_back", filing), {"round": 1, "reason": "请核对数据", "scope": "cells"}
    )
    assert answer.status_code == 422 and "至少勾选一项" in text(answer)
    filing.refresh_from_db()
    assert filing.state == "submitted"


def test_all_open_ignores_cells_that_stayed_ticked(stage, browse):
    filing = stage.submitted(stage.tree.harbin)
    browse(stage.reviewer(stage.tree.harbin)).post(
        page("send_back", filing),
        {"round": 1, "reason": "请核对数据", "scope": "all", "cells": ["warmth:E1"]},
    )
    filing.refresh_from_db()
    assert filing.state == "returned" and filing.open_cells == []


def test_remarked_cells_come_ticked_and_the_form_opens_without_script(stage, browse):
    filing = stage.submitted(stage.tree.harbin)
    reviewer = browse(stage.reviewer(stage.tree.harbin))
    opened = text(reviewer.get(page("review_page", filing, "?remark=warmth:E1")))
    assert opened.count('name="cell" value="warmth:E1"') == 1
    answer = reviewer.post(
        page("add_remark", filing), {"round": 1, "cell": "warmth:E1", "text": "<b>偏大</b>，请核对"}
    )
    assert answer.url == page("review_page", filing, "?form=warmth#r-warmth-E1")
    shown = reviewer.get(answer.url)
    assert "&lt;b&gt;偏大&lt;/b&gt;，请核对" in text(shown)
    assert shown.context["send_back"]["ticked"] == ["warmth:E1"]
    assert shown.context["send_back"]["scope"] == "cells"


def test_the_submitters_own_round_offers_no_button_to_approve(stage, browse):
    province = stage.tree.province
    filing = stage.submitted(province)
    person = stage.submitter(province).person
    person.posts.create(union=province, role=Role.REVIEWER)
    shown = text(browse(stage.submitter(province)).get(page("review_page", filing)))
    assert "须由另一位审核员通过" in shown and page("approve", filing) not in shown


# -- history -----------------------------------------------------------------------------------------------


def test_any_two_rounds_are_compared_and_only_differences_listed(stage, browse):
    filing = stage.returned(stage.tree.harbin, warmth_E1=1)
    for figure in (2, 2):
        make_ready(filing, stage.actor(stage.tree.harbin, Role.FILLER), warmth_E1=figure)
        workflow.submit(filing=filing, by=stage.submitter(stage.tree.harbin))
        filing = stage.filing(stage.tree.harbin)
        if number(filing) == 2:
            workflow.withdraw(filing=filing, by=stage.submitter(stage.tree.harbin))
    client = browse(stage.submitter(stage.tree.harbin))

    def changed(query):
        answer = client.get(page("history", filing, query))
        return [c.row.code for _, cells in answer.context["differences"] for c in cells]

    assert changed("") == [], "the last two are the same"
    assert changed("?old=1&new=3") == ["E", "E1"]
    assert changed("?old=3&new=1") == ["E", "E1"], "the earlier one always comes first"
    assert changed("?old=9&new=1") == []


# -- the queue ---------------------------------------------------------------------------------------------


def test_who_waited_longest_comes_first_and_grandchildren_are_not_mine(stage, browse):
    tree = stage.tree
    for union in (tree.daqing_oilfield, tree.harbin, tree.nangang, tree.outsider):
        stage.submitted(union)
    workflow.approve(filing=stage.filing(tree.outsider), round_number=1, by=stage.reviewer(tree.outsider))
    answer = browse(stage.actor(tree.province, Role.REVIEWER)).get(reverse("review_queue"))
    assert [f.union for f in answer.context["waiting"]] == [tree.daqing_oilfield, tree.harbin]
    assert {g["state"]: len(g["rows"]) for g in answer.context["others"]} == {
        "returned": 0,
        "approved": 1,
        "draft": 1,  # the province's own
    }
    city = browse(stage.actor(tree.harbin, Role.REVIEWER)).get(reverse("review_queue"))
    assert [f.union for f in city.context["waiting"]] == [tree.nangang]
    assert 'href="/review/" aria-current' in text(city), (
        "the city's reviewer finds the page in the navigation"
    )


@pytest.mark.parametrize("role", [Role.FILLER, Role.SUBMITTER, Role.ADMINISTRATOR, Role.AUDITOR])
def test_the_queue_is_for_reviewers(stage, browse, role):
    assert browse(stage.actor(stage.tree.province, role)).get(reverse("review_queue")).status_code == 403


def many_unions(stage, count):
    start = Union.objects.filter(code__startswith="Q").count()
    for position in range(start, start + count):
        Union.objects.create(
            code=f"Q{position:03d}",
            name=f"第{position}产业工会",
            short_name=f"产业{position}",
            kind=Union.Kind.INDUSTRY,
            parent=stage.tree.province,
            position=100 + position,
        )
    prepare_filings(stage.campaign)


def queries(client, address):
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def submit_some(stage, count):
    for union in Union.objects.filter(code__startswith="Q", filings__current_round=None)[:count]:
        stage.submitted(union)


@pytest.mark.parametrize("name", ["review_queue", "my_work", "progress", "campaigns"])
def test_sixty_units_cost_as_many_queries_as_five(stage, browse, name):
    address = reverse(name, args=[stage.campaign.pk] if name == "progress" else [])
    client = browse(stage.actor(stage.tree.province, Role.REVIEWER))
    many_unions(stage, 2)
    submit_some(stage, 2)
    client.get(address)
    few = queries(client, address)
    many_unions(stage, 55)
    submit_some(stage, 6)
    assert queries(client, address) == few


def test_a_review_costs_the_same_with_remarks_and_rounds(stage, browse):
    filing = stage.submitted(stage.tree.harbin)
    client = browse(stage.reviewer(stage.tree.harbin))
    client.get(page("review_page", filing))
    few = queries(client, page("review_page", filing))
    for code in ("E1", "E2", "E3", "F1", "G"):
        workflow.add_remark(
            filing=filing,
            round_number=1,
            form="warmth",
            code=code,
            text="请核对",
            by=stage.reviewer(filing.union),
        )
    assert queries(client, page("review_page", filing)) == few


@pytest.mark.parametrize("move", ["send_back", "approve", "reopen", "add_remark"])
@pytest.mark.parametrize("state", ["submitted", "approved"])
def test_nul_in_what_a_reviewer_sends_is_no_error_page(stage, browse, move, state):
    filing = stage.in_state(stage.tree.harbin, state)
    client = browse(stage.reviewer(stage.tree.harbin))
    for cell in ("warmth:E1\0", "\0:\0", "warmth:E1"):
        sent = {"round": "1", "reason": "原因\0原因原因", "scope": "all", "cells": ["\0"], "cell": cell}
        answer = client.post(reverse(move, args=[filing.pk]), sent | {"text": "批\0注如下"})
        assert answer.status_code < 500
