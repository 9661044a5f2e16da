"""Preparing, cloning and changing a campaign; checking its sheets."""

import datetime
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command

from reporting import campaigns, workflow
from reporting.errors import Refused
from reporting.filling import working_row
from reporting.models import Campaign, Filing, Message, SheetRow
from reporting.sheets import sheet_for
from unions.gate import Role
from unions.models import Union
from warmth.models import WarmthForm

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def admin(stage):
    return stage.actor(stage.tree.province, Role.ADMINISTRATOR)


@pytest.fixture
def campaign_2021(stage):
    """The dates of the notice, whatever day it is now."""
    Campaign.objects.update(
        opens_at=datetime.datetime(2020, 12, 17, tzinfo=SHANGHAI),
        deadline=datetime.datetime(2021, 1, 27, 23, 59, 59, tzinfo=SHANGHAI),
        visits_from=datetime.date(2020, 12, 25),
        visits_until=datetime.date(2021, 2, 11),
        contact="省总工会权益保障部 0451-53644106",
    )
    return Campaign.objects.get()


# -- the gate ----------------------------------------------------------------------------------------------

ACTIONS = {
    "clone": lambda c, by: campaigns.clone_campaign(campaign=c, year=2031, by=by),
    "update": lambda c, by: campaigns.update_campaign(campaign=c, values={"contact": "x"}, by=by),
    "close": lambda c, by: campaigns.set_closed(campaign=c, closed=True, by=by),
    "prepare": lambda c, by: campaigns.add_missing_filings(campaign=c, by=by),
    "relabel": lambda c, by: campaigns.set_row(
        campaign=c, form="warmth", code="A1", label="x", is_off=False, by=by
    ),
    "check": lambda c, by: campaigns.check_row(campaign=c, form="warmth", code="A1", by=by),
    "check all": lambda c, by: campaigns.check_all_rows(campaign=c, form="warmth", by=by),
}


@pytest.mark.parametrize("name", ACTIONS)
def test_only_the_provinces_administrator_changes_a_campaign(campaign_2021, stage, admin, name):
    for union, role in [
        (stage.tree.province, Role.REVIEWER),
        (stage.tree.province, Role.SUBMITTER),
        (stage.tree.province, Role.AUDITOR),
        (stage.tree.harbin, Role.ADMINISTRATOR),
    ]:
        with pytest.raises(PermissionDenied):
            ACTIONS[name](campaign_2021, stage.actor(union, role))
    ACTIONS[name](campaign_2021, admin)


# -- filings -----------------------------------------------------------------------------------------------


def test_every_active_union_gets_one_filing_however_often_it_is_prepared(stage):
    assert stage.campaign.filings.count() == 5
    assert campaigns.prepare_filings(stage.campaign) == 0
    Union.objects.create(
        code="230102",
        name="道里区总工会",
        short_name="道里区",
        kind="county",
        parent=stage.tree.harbin,
        is_active=False,
    )
    assert campaigns.prepare_filings(stage.campaign) == 0
    Union.objects.filter(code="230102").update(is_active=True)
    assert campaigns.prepare_filings(stage.campaign) == 1
    assert Filing.objects.get(union__code="230102").state == "draft"


def test_a_union_switched_on_later_is_added_by_hand_but_not_to_a_closed_campaign(stage, admin):
    Union.objects.create(
        code="230102", name="道里区总工会", short_name="道里区", kind="county", parent=stage.tree.harbin
    )
    campaigns.set_closed(campaign=stage.campaign, closed=True, by=admin)
    with pytest.raises(Refused, match="已结束"):
        campaigns.add_missing_filings(campaign=stage.campaign, by=admin)
    campaigns.set_closed(campaign=stage.campaign, closed=False, by=admin)
    assert stage.campaign.filings.count() == 6, "opening it again prepares what is missing"
    assert campaigns.add_missing_filings(campaign=stage.campaign, by=admin) == 0


# -- cloning -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("year", [2022, 2027])
def test_a_clone_moves_every_date_by_the_years_between(campaign_2021, admin, year):
    made = campaigns.clone_campaign(campaign=campaign_2021, year=year, by=admin)
    made.refresh_from_db()
    assert made.title == f"{year}年元旦春节送温暖活动"
    assert made.data_year == year - 1
    assert made.opens_at == datetime.datetime(year - 1, 12, 17, tzinfo=SHANGHAI)
    assert made.deadline == datetime.datetime(year, 1, 27, 23, 59, 59, tzinfo=SHANGHAI)
    assert (made.visits_from, made.visits_until) == (
        datetime.date(year - 1, 12, 25),
        datetime.date(year, 2, 11),
    )
    assert made.contact == campaign_2021.contact
    assert made.notice_number == campaigns.NO_NUMBER_YET, "last year's number would be a wrong one"
    assert made.filings.count() == 5 and not made.is_closed
    assert sheet_for(made, "helpcenter").row["E"].label.startswith(f"{year - 1}年度")


def test_a_leap_day_moves_to_the_28th(campaign_2021, admin):
    Campaign.objects.update(visits_until=datetime.date(2024, 2, 29))
    made = campaigns.clone_campaign(campaign=campaign_2021, year=2022, by=admin)
    assert made.visits_until == datetime.date(2025, 2, 28)


@pytest.mark.parametrize("year", [2021, 2020])
def test_a_clone_is_for_a_later_year(campaign_2021, admin, year):
    with pytest.raises(Refused, match="须晚于 2021"):
        campaigns.clone_campaign(campaign=campaign_2021, year=year, by=admin)


def test_a_year_has_one_campaign(campaign_2021, admin):
    campaigns.clone_campaign(campaign=campaign_2021, year=2022, by=admin)
    with pytest.raises(Refused, match="已经建立"):
        campaigns.clone_campaign(campaign=campaign_2021, year=2022, by=admin)


def test_rows_come_along_but_their_checks_do_not(campaign_2021, admin):
    campaigns.set_row(
        campaign=campaign_2021, form="warmth", code="A1", label="省总下拨", is_off=False, by=admin
    )
    campaigns.set_row(campaign=campaign_2021, form="warmth", code="A4", label="", is_off=True, by=admin)
    campaigns.check_all_rows(campaign=campaign_2021, form="warmth", by=admin)
    made = campaigns.clone_campaign(campaign=campaign_2021, year=2022, by=admin)
    assert sorted(made.sheet_rows.values_list("code", "label", "is_off")) == [
        ("A1", "省总下拨", False),
        ("A4", "", True),
    ]
    assert not made.sheet_rows.filter(checked_at__isnull=False).exists()


# -- settings ----------------------------------------------------------------------------------------------


def test_settings_are_changed_and_the_sheets_follow_the_year_of_the_data(campaign_2021, admin):
    before = sheet_for(campaign_2021, "helpcenter").row["E"].label
    assert before.startswith("2020年度")
    campaigns.update_campaign(campaign=campaign_2021, values={"data_year": 2019}, by=admin)
    campaign_2021.refresh_from_db()
    assert campaign_2021.edition == 2
    assert sheet_for(campaign_2021, "helpcenter").row["E"].label.startswith("2019年度")


def test_a_deadline_before_the_opening_is_refused(campaign_2021, admin):
    with pytest.raises(ValidationError):
        campaigns.update_campaign(
            campaign=campaign_2021, values={"deadline": campaign_2021.opens_at}, by=admin
        )


def test_another_deadline_is_told_to_those_who_have_not_filed(stage, admin):
    waiting = stage.actor(stage.tree.outsider, Role.FILLER)
    stage.actor(stage.tree.outsider, Role.REVIEWER)
    stage.approved(stage.tree.harbin)
    Message.objects.all().delete()
    later = stage.campaign.deadline + datetime.timedelta(days=1)
    for values in ({"contact": "新电话"}, {"deadline": later}, {"deadline": later}):
        campaigns.update_campaign(campaign=stage.campaign, values=values, by=admin)
    [message] = Message.objects.all()
    assert message.person == waiting.person and "截止时间改为" in message.text


def test_only_settings_are_settings(campaign_2021, admin):
    with pytest.raises(TypeError):
        campaigns.update_campaign(campaign=campaign_2021, values={"edition": 9}, by=admin)


# -- rows --------------------------------------------------------------------------------------------------


def fresh(campaign):
    return Campaign.objects.get(pk=campaign.pk)


def test_a_reconstructed_row_is_relabelled_and_every_change_makes_an_edition(stage, admin):
    campaigns.set_row(
        campaign=stage.campaign, form="warmth", code="A1", label=" 省总  下拨资金 ", is_off=False, by=admin
    )
    assert sheet_for(fresh(stage.campaign), "warmth").row["A1"].label == "省总 下拨资金"
    assert fresh(stage.campaign).edition == 2
    campaigns.check_row(campaign=stage.campaign, form="warmth", code="A1", by=admin)
    assert fresh(stage.campaign).edition == 3
    declared = sheet_for(fresh(stage.campaign), "warmth").fields["A1"].label
    campaigns.set_row(
        campaign=stage.campaign, form="warmth", code="A1", label=declared, is_off=False, by=admin
    )
    row = SheetRow.objects.get(code="A1")
    assert row.label == "" and row.checked_at is None, "another wording has not been checked"


def test_the_same_again_changes_nothing(stage, admin):
    for _ in range(2):
        campaigns.set_row(
            campaign=stage.campaign, form="warmth", code="A1", label="x", is_off=False, by=admin
        )
    assert fresh(stage.campaign).edition == 2


@pytest.mark.parametrize(("form", "code"), [("warmth", "E1"), ("helpcenter", "F7")])
def test_what_the_notice_prints_is_not_rewritten(stage, admin, form, code):
    with pytest.raises(Refused, match="通知原文"):
        campaigns.set_row(campaign=stage.campaign, form=form, code=code, label="x", is_off=False, by=admin)
    campaigns.check_row(campaign=stage.campaign, form=form, code=code, by=admin)


@pytest.mark.parametrize(("form", "code"), [("warmth", "Z1"), ("nothing", "A1")])
def test_a_row_that_does_not_exist_is_refused(stage, admin, form, code):
    with pytest.raises(Refused, match="没有"):
        campaigns.set_row(campaign=stage.campaign, form=form, code=code, label="x", is_off=False, by=admin)
    with pytest.raises(Refused, match="没有"):
        campaigns.check_row(campaign=stage.campaign, form=form, code=code, by=admin)


@pytest.mark.parametrize("state", ["submitted", "returned", "approved"])
def test_once_anybody_has_submitted_no_row_is_switched_but_words_may_change(stage, admin, state):
    campaigns.set_row(campaign=stage.campaign, form="warmth", code="A5", label="", is_off=True, by=admin)
    stage.campaign = fresh(stage.campaign)
    stage.in_state(stage.tree.harbin, state)
    for code, is_off in (("A1", True), ("A5", False)):
        with pytest.raises(Refused, match="哈尔滨市总工会等单位已经上报"):
            campaigns.set_row(
                campaign=stage.campaign, form="warmth", code=code, label="", is_off=is_off, by=admin
            )
    campaigns.set_row(campaign=stage.campaign, form="warmth", code="A1", label="改", is_off=False, by=admin)


def test_a_round_that_was_withdrawn_still_counts_as_submitted(stage, admin):
    filing = stage.submitted(stage.tree.harbin)
    workflow.withdraw(filing=filing, by=stage.submitter(stage.tree.harbin))
    with pytest.raises(Refused):
        campaigns.set_row(campaign=stage.campaign, form="warmth", code="A1", label="", is_off=True, by=admin)


def test_a_form_is_submitted_without_its_switched_off_rows(stage, admin):
    campaigns.set_row(campaign=stage.campaign, form="warmth", code="A5", label="", is_off=True, by=admin)
    stage.campaign = fresh(stage.campaign)
    filing = stage.approved(stage.tree.harbin, warmth_A1=7)
    sealed = filing.current_round.warmthform_rows.get(scope="own")
    assert (sealed.A, sealed.A1, sealed.A5) == (7, 7, None)


def test_the_totals_of_drafts_follow_when_a_row_is_switched_off_and_on(
    stage, admin, django_assert_max_num_queries
):
    """What the page reckons and what the server has must be one: a difference nobody sees can't be mended."""
    tree = stage.tree
    for union in (tree.harbin, tree.nangang, tree.outsider):
        stage.ready(union, warmth_A1=10, warmth_A2=2, warmth_C6=1, warmth_D6=3)
    typed = working_row(stage.ready(tree.daqing_oilfield, warmth_A1=10, warmth_A2=2), "warmth")
    typed.touched = ["A"]
    typed.save()

    def totals():
        rows = WarmthForm.objects.filter(round=None).order_by("filing__union__code")
        return {row.filing.union.code: row.A for row in rows}

    def switch(is_off):
        campaigns.set_row(
            campaign=stage.campaign, form="warmth", code="A2", label="", is_off=is_off, by=admin
        )

    with django_assert_max_num_queries(20):
        switch(True)
    assert totals() == {"I01": 12, "230103": 10, "230100": 10, "230200": 10}, "a typed total stays as typed"
    switch(False)
    assert totals() == {"I01": 12, "230103": 12, "230100": 12, "230200": 12}
    switch(True)
    stage.campaign = fresh(stage.campaign)
    workflow.submit(filing=stage.filing(tree.harbin), by=stage.submitter(tree.harbin))


def test_checking_records_who_and_when_and_all_at_once(stage, admin):
    campaigns.check_row(campaign=stage.campaign, form="warmth", code="A1", by=admin)
    row = SheetRow.objects.get()
    assert row.checked_by == admin.person and row.checked_at is not None
    left = campaigns.rows_to_check(stage.campaign)["warmth"]
    assert campaigns.check_all_rows(campaign=stage.campaign, form="warmth", by=admin) == left
    assert campaigns.rows_to_check(stage.campaign) == {"warmth": 0, "helpcenter": 54}
    row.refresh_from_db()
    campaigns.check_row(campaign=stage.campaign, form="warmth", code="A1", by=admin, checked=False)
    assert campaigns.rows_to_check(stage.campaign)["warmth"] == 1


def test_the_sheets_of_a_closed_campaign_stay_as_they_are(stage, admin):
    campaigns.set_closed(campaign=stage.campaign, closed=True, by=admin)
    for change in ("relabel", "check", "check all"):
        with pytest.raises(Refused, match="已结束"):
            ACTIONS[change](stage.campaign, admin)


# -- the notice --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_notice_is_loaded_once_and_left_alone_afterwards():
    out = StringIO()
    call_command("load_notice", stdout=out)
    campaign = Campaign.objects.get()
    assert campaign.notice_number == "黑工办发〔2020〕30号"
    assert campaign.deadline == datetime.datetime(2021, 1, 27, 23, 59, 59, tzinfo=SHANGHAI)
    assert campaign.opens_at == datetime.datetime(2020, 12, 17, tzinfo=SHANGHAI)
    assert campaign.filings.count() == Union.objects.filter(is_active=True).count() == 20
    Campaign.objects.update(contact="改过的电话")
    call_command("load_notice", stdout=out)
    assert Campaign.objects.get().contact == "改过的电话"
    assert Filing.objects.count() == 20
