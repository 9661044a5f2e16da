"""Campaigns on pages: who gets in, progress, settings, rows, extensions."""

import datetime
import html
import re

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from reporting.models import Campaign, Filing, SheetRow
from tests.workflow.stage import Stage
from unions.gate import Role
from unions.models import Union


def text(response):
    return response.content.decode()


@pytest.fixture
def admin(stage: Stage, browse):
    return browse(stage.actor(stage.tree.province, Role.ADMINISTRATOR))


@pytest.mark.parametrize("name", ["campaign_settings", "clone_campaign", "sheet_rows"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_managing_is_for_the_provinces_administrator(stage, browse, admin, name, method):
    address = reverse(name, args=[stage.campaign.pk])
    for union, role in [
        (stage.tree.province, Role.REVIEWER),
        (stage.tree.harbin, Role.ADMINISTRATOR),
        (stage.tree.nangang, Role.SUBMITTER),
    ]:
        assert getattr(browse(stage.actor(union, role)), method)(address).status_code == 403
    assert admin.get(address).status_code == 200
    assert admin.get(reverse(name, args=[0])).status_code == 404


def test_extending_is_for_the_provinces_administrator(stage, browse, admin):
    address = reverse("extension", args=[stage.filing(stage.tree.harbin).pk])
    assert browse(stage.actor(stage.tree.province, Role.REVIEWER)).get(address).status_code == 403
    assert browse(stage.actor(stage.tree.harbin, Role.ADMINISTRATOR)).get(address).status_code == 403
    assert browse(stage.actor(stage.tree.outsider, Role.ADMINISTRATOR)).get(address).status_code == 404
    assert admin.get(address).status_code == 200


# -- progress ----------------------------------------------------------------------------------------------


def rows(response):
    return [(row.filing.union.short_name, row.filing.state) for row in response.context["rows"]]


def progress(stage, query=""):
    return reverse("progress", args=[stage.campaign.pk]) + query


def test_the_province_sees_its_direct_subordinates_in_printed_order_itself_first(stage, admin):
    stage.submitted(stage.tree.outsider)
    stage.approved(stage.tree.nangang)
    answer = admin.get(progress(stage))
    assert rows(answer) == [
        ("省总工会", "draft"),
        ("哈尔滨", "draft"),
        ("齐齐哈尔", "submitted"),
        ("大庆油田", "draft"),
    ]
    assert "1 个，已通过 1" in text(answer)


def test_one_level_down_and_never_outside(stage, browse, admin):
    stage.submitted(stage.tree.nangang)
    assert rows(admin.get(progress(stage, "?under=230100"))) == [("哈尔滨", "draft"), ("南岗区", "submitted")]
    harbin = browse(stage.actor(stage.tree.harbin, Role.REVIEWER))
    assert rows(harbin.get(progress(stage))) == [("哈尔滨", "draft"), ("南岗区", "submitted")]
    assert harbin.get(progress(stage, "?under=230200")).status_code == 404
    assert harbin.get(progress(stage, "?under=230000")).status_code == 404
    assert browse(stage.actor(stage.tree.harbin, Role.FILLER)).get(progress(stage)).status_code == 403


def test_progress_is_filtered(stage, admin):
    stage.submitted(stage.tree.outsider)
    assert rows(admin.get(progress(stage, "?state=submitted"))) == [("齐齐哈尔", "submitted")]
    assert len(rows(admin.get(progress(stage, "?state=missing")))) == 3
    assert len(rows(admin.get(progress(stage, "?state=nonsense")))) == 4
    assert "没有符合条件的单位" in text(admin.get(progress(stage, "?state=late")))


def test_the_parts_done_are_told_but_a_draft_is_not_opened_from_above(stage, admin):
    filing = stage.ready(stage.tree.harbin)
    answer = admin.get(progress(stage))
    row = next(row for row in answer.context["rows"] if row.filing.pk == filing.pk)
    assert row.done == 3 and not row.can_open
    assert reverse("review_page", args=[filing.pk]) not in text(answer)


def test_a_union_switched_off_without_filing_takes_no_part(stage, admin):
    Union.objects.filter(code="I01").update(is_active=False)
    assert "大庆油田" not in [name for name, _ in rows(admin.get(progress(stage)))]


def test_late_and_extended_are_marked(stage, admin):
    filing = stage.submitted(stage.tree.harbin)
    Filing.objects.filter(pk=filing.pk).update(
        is_late=True, extended_until=datetime.datetime(2031, 1, 29, 4, 0, tzinfo=datetime.UTC)
    )
    shown = text(admin.get(progress(stage)))
    assert "逾期" in shown and "延至 1月29日 12:00" in shown


# -- settings, clone, extension ----------------------------------------------------------------------------


def settings_of(campaign, **changed):
    here = timezone.localtime
    return {
        "do": "save",
        "title": campaign.title,
        "notice_number": campaign.notice_number,
        "notice_title": "",
        "year": campaign.year,
        "data_year": campaign.data_year,
        "opens_at": f"{here(campaign.opens_at):%Y-%m-%dT%H:%M:%S}",
        "deadline": f"{here(campaign.deadline):%Y-%m-%dT%H:%M:%S}",
        "visits_from": "2020-12-25",
        "visits_until": "2021-02-11",
        "contact": "",
    } | changed


def shown_on(page):
    """What the page carries of what it showed."""
    found = re.findall(r'name="(shown-[^"]+)" value="([^"]*)"', text(page))
    return {name: html.unescape(value) for name, value in found}


def test_settings_are_saved_in_local_time(stage, admin):
    address = reverse("campaign_settings", args=[stage.campaign.pk])
    sent = settings_of(stage.campaign, deadline="2041-01-27T23:59:59") | shown_on(admin.get(address))
    answer = admin.post(address, sent, follow=True)
    assert "设置已保存" in text(answer)
    deadline = Campaign.objects.get().deadline
    assert f"{timezone.localtime(deadline):%Y-%m-%d %H:%M:%S}" == "2041-01-27 23:59:59"
    assert 'value="2041-01-27T23:59:59"' in text(admin.get(address))


def test_a_settings_page_from_before_overwrites_nothing_it_did_not_change(stage, admin):
    address = reverse("campaign_settings", args=[stage.campaign.pk])
    page = settings_of(stage.campaign) | shown_on(admin.get(address))
    later = stage.campaign.deadline + datetime.timedelta(days=3)
    Campaign.objects.update(deadline=later, opens_at=later - datetime.timedelta(days=1), contact="甲")
    admin.post(address, page | {"notice_number": "黑工办发〔2021〕1号"})
    campaign = Campaign.objects.get()
    assert (campaign.deadline, campaign.contact) == (later, "甲")
    assert campaign.notice_number == "黑工办发〔2021〕1号"
    assert campaign.visits_from == datetime.date(2020, 12, 25)


def test_a_setting_changed_by_two_is_refused_with_both_values_and_then_overwritten_knowingly(stage, admin):
    address = reverse("campaign_settings", args=[stage.campaign.pk])
    page = settings_of(stage.campaign) | shown_on(admin.get(address))
    Campaign.objects.update(contact="甲的电话", notice_title="新的标题")
    answer = admin.post(address, page | {"contact": "乙的电话"})
    assert answer.status_code == 422
    assert "联系方式已被他人改为“甲的电话”，您填的是“乙的电话”" in text(answer)
    assert Campaign.objects.get().contact == "甲的电话"
    form = answer.context["form"]
    assert (form["contact"].value(), form["notice_title"].value()) == ("乙的电话", "新的标题")
    again = {name: form[name].value() or "" for name in form.fields} | shown_on(answer)
    assert admin.post(address, again | {"do": "save"}).status_code == 302
    campaign = Campaign.objects.get()
    assert (campaign.contact, campaign.notice_title) == ("乙的电话", "新的标题")


def test_a_settings_page_that_does_not_say_what_it_showed_changes_nothing(stage, admin):
    sent = settings_of(stage.campaign, contact="乙的电话")
    assert admin.post(reverse("campaign_settings", args=[stage.campaign.pk]), sent).status_code == 422
    assert Campaign.objects.get().contact == ""


def test_the_settings_of_an_ended_campaign_are_not_changed(stage, admin):
    address = reverse("campaign_settings", args=[stage.campaign.pk])
    page = settings_of(stage.campaign) | shown_on(admin.get(address))
    admin.post(address, {"do": "close"})
    assert "保存设置" not in text(admin.get(address))
    assert "请先重新开启任务" in text(admin.post(address, page | {"contact": "乙"}, follow=True))
    assert Campaign.objects.get().contact == ""


@pytest.mark.parametrize(
    "changed",
    [
        {"opens_at": "0001-01-01T00:00"},
        {"deadline": "9999-12-31T23:59:59"},
        {"visits_from": "0001-01-01"},
        {"visits_until": "9999-12-31"},
        {"year": "9990"},
        {"data_year": "1"},
    ],
)
def test_years_beyond_reckoning_are_told_and_not_stored(stage, admin, changed):
    address = reverse("campaign_settings", args=[stage.campaign.pk])
    sent = settings_of(stage.campaign, **changed) | shown_on(admin.get(address))
    answer = admin.post(address, sent)
    assert answer.status_code == 422
    assert "2000 年" in text(answer) or "2100 年" in text(answer)
    for page in ("/", "/campaigns/", address):
        assert admin.get(page).status_code == 200


@pytest.mark.parametrize(
    "values",
    [
        {"opens_at": datetime.datetime(1, 1, 2, tzinfo=datetime.UTC)},
        {"deadline": datetime.datetime(2999, 1, 1, tzinfo=datetime.UTC)},
        {"year": 1999},
        {"data_year": 3000},
        {"visits_from": datetime.date(1, 1, 1)},
        {"visits_until": datetime.date(9999, 1, 1)},
    ],
)
def test_the_database_refuses_years_beyond_reckoning(stage, values):
    with pytest.raises(IntegrityError, match="campaign_in_sensible_years"), transaction.atomic():
        Campaign.objects.update(**values)


def test_a_clone_beyond_the_last_year_is_refused(stage, admin):
    Campaign.objects.update(year=2100)
    address = reverse("clone_campaign", args=[stage.campaign.pk])
    for year in ("2101", "10005"):
        assert admin.post(address, {"year": year}).status_code == 422
    Campaign.objects.update(
        year=2090,
        opens_at=datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
        visits_until=datetime.date(2100, 1, 1),
    )
    assert "不能照搬" in text(admin.post(address, {"year": "2095"}))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"deadline": "2001-01-01T00:00:00"}, "截止时间须晚于开始填报"),
        ({"visits_until": "2020-12-01"}, "走访结束不能早于"),
        ({"title": ""}, "必填"),
        ({"deadline": "后天"}, "有效"),
    ],
)
def test_settings_that_make_no_sense_are_told_at_the_field(stage, admin, changed, sentence):
    address = reverse("campaign_settings", args=[stage.campaign.pk])
    sent = settings_of(stage.campaign, **changed) | shown_on(admin.get(address))
    answer = admin.post(address, sent)
    assert answer.status_code == 422 and sentence in text(answer)
    assert stage.campaign.title in text(answer), "the page still names the campaign it is about"


def test_closing_opening_and_adding_filings(stage, admin):
    address = reverse("campaign_settings", args=[stage.campaign.pk])
    admin.post(address, {"do": "close"})
    assert Campaign.objects.get().is_closed
    assert "已结束，不再补建" in text(admin.post(address, {"do": "prepare"}, follow=True))
    admin.post(address, {"do": "reopen"})
    Union.objects.create(
        code="230102", name="道里区总工会", short_name="道里区", kind="county", parent=stage.tree.harbin
    )
    assert "还没有报送件" in text(admin.get(progress(stage)))
    assert "已为 1 个单位补建" in text(admin.post(address, {"do": "prepare"}, follow=True))


def test_a_clone_leads_to_its_settings(stage, admin):
    Campaign.objects.update(
        opens_at=datetime.datetime(2020, 12, 17, tzinfo=datetime.UTC),
        deadline=datetime.datetime(2021, 1, 27, tzinfo=datetime.UTC),
    )
    address = reverse("clone_campaign", args=[stage.campaign.pk])
    answer = admin.post(address, {"year": 2022}, follow=True)
    assert "通知文号还没有填" in text(answer)
    assert "一个年份只有一个任务" in text(admin.post(address, {"year": 2022}))
    assert "请填 2022 至" in text(admin.post(address, {"year": 1999}))


def test_an_extension_is_granted_with_a_reason(stage, admin):
    filing = stage.filing(stage.tree.harbin)
    address = reverse("extension", args=[filing.pk])
    until = timezone.localtime(stage.campaign.deadline) + datetime.timedelta(days=2)
    typed = f"{until:%Y-%m-%dT%H:%M:%S}"
    assert "须写明原因" in text(admin.post(address, {"until": typed, "reason": "无"}))
    assert "请填写原因" in text(admin.post(address, {"until": typed, "reason": ""}))
    early = f"{timezone.localtime(stage.campaign.deadline):%Y-%m-%dT%H:%M:%S}"
    for never in ("0001-01-01T00:00", "9999-12-31T23:59"):
        answer = admin.post(address, {"until": never, "reason": "山火扑救值守"})
        assert answer.status_code == 422 and "2000 年至 2100 年" in text(answer)
    assert "须晚于" in text(admin.post(address, {"until": early, "reason": "山火扑救值守"}))
    answer = admin.post(address, {"until": typed, "reason": "山火扑救值守"}, follow=True)
    assert "已准予哈尔滨市总工会延期" in text(answer)
    filing.refresh_from_db()
    assert abs(filing.extended_until - until) < datetime.timedelta(seconds=1)
    assert "山火扑救值守" in text(admin.get(address))


# -- rows --------------------------------------------------------------------------------------------------


def test_a_row_is_opened_changed_and_checked(stage, admin):
    address = reverse("sheet_rows", args=[stage.campaign.pk])
    assert 'name="save_and_check" value="A1"' in text(admin.get(f"{address}?form=warmth&row=A1"))
    assert 'name="save"' not in text(admin.get(f"{address}?form=warmth&row=E1")), "printed rows don't open"
    shown = shown_on(admin.get(f"{address}?form=warmth&row=A1"))
    answer = admin.post(address, shown | {"form": "warmth", "save_and_check": "A1", "label": "省总下拨资金"})
    assert answer.url == f"{address}?form=warmth#r-A1"
    row = SheetRow.objects.get()
    assert row.label == "省总下拨资金" and row.checked_at
    shown = text(admin.get(f"{address}?form=warmth"))
    assert "省总下拨资金" in shown and "原为：" in shown and "45 行未核对" in shown
    admin.post(address, {"form": "warmth", "uncheck": "A1"})
    shown = shown_on(admin.get(f"{address}?form=helpcenter"))
    admin.post(address, shown | {"form": "helpcenter", "check_all": "1"})
    shown = text(admin.get(address))
    assert "46 行未核对" in shown and "已核对</span>" in shown


def test_a_refused_switch_keeps_the_typed_words_and_says_why(stage, admin):
    stage.submitted(stage.tree.harbin)
    address = reverse("sheet_rows", args=[stage.campaign.pk])
    shown = shown_on(admin.get(f"{address}?form=warmth"))
    answer = admin.post(
        address, shown | {"form": "warmth", "save": "A1", "label": "想改的名称", "is_off": "on"}
    )
    assert answer.status_code == 422
    assert "已经上报" in text(answer) and "想改的名称" in text(answer)


def test_a_switched_off_row_stays_in_the_list(stage, admin):
    address = reverse("sheet_rows", args=[stage.campaign.pk])
    shown = shown_on(admin.get(f"{address}?form=warmth"))
    admin.post(address, shown | {"form": "warmth", "save": "A5", "label": "", "is_off": "on"})
    shown = text(admin.get(address))
    assert 'id="r-A5"' in shown and "停用" in shown


@pytest.mark.parametrize("button", ["save", "save_and_check", "check", "check_all"])
def test_a_page_of_rows_from_before_changes_and_checks_nothing(stage, admin, button):
    address = reverse("sheet_rows", args=[stage.campaign.pk])
    before = shown_on(admin.get(f"{address}?form=warmth"))
    admin.post(address, before | {"form": "warmth", "save": "A2", "label": "新名称", "is_off": "on"})
    answer = admin.post(address, before | {"form": "warmth", button: "A2", "label": "旧页面的名称"})
    assert "A2 在您打开页面后已被他人改动，现在是“新名称”（停用）" in text(answer)
    row = SheetRow.objects.get(code="A2")
    assert (row.label, row.is_off, row.checked_at) == ("新名称", True, None)
    if button == "save":
        assert "旧页面的名称" in text(answer), "what was typed is not lost"
    seen = shown_on(answer)
    answer = admin.post(address, seen | {"form": "warmth", button: "A2", "label": "旧页面的名称"})
    assert answer.status_code == 302, "having seen it, one may"


def test_a_page_that_does_not_say_what_it_showed_changes_no_row(stage, admin):
    address = reverse("sheet_rows", args=[stage.campaign.pk])
    for button in ("save", "check", "check_all"):
        admin.post(address, {"form": "warmth", button: "A2", "label": "新名称"})
    assert not SheetRow.objects.exists()


@pytest.mark.parametrize("name", ["campaign_settings", "clone_campaign", "sheet_rows"])
def test_nul_in_what_an_administrator_sends_is_no_error_page(stage, admin, name):
    address = reverse(name, args=[stage.campaign.pk])
    shown = shown_on(admin.get(address))
    for sent in (
        {"do": "\0"},
        settings_of(stage.campaign, title="\0", contact="a\0"),
        {"year": "\0"},
        {"form": "\0", "save": "\0", "label": "\0"},
        {"form": "warmth", "save": "A1", "label": "a\0b", "shown-A1": "\0"},
        {"form": "warmth", "check": "\0"},
    ):
        assert admin.post(address, shown | sent).status_code < 500


def test_enter_in_an_open_row_saves_that_row_and_not_the_whole_sheet(stage: Stage) -> None:
    client = Client()
    client.force_login(stage.actor(stage.tree.province, Role.ADMINISTRATOR).person)
    page = client.get(
        reverse("sheet_rows", args=[stage.campaign.pk]) + "?form=warmth&row=A4"
    ).content.decode()
    first_button = page.split('<form method="post" data-guarded>')[1].split("<button", 1)[1].split(">", 1)[0]
    assert 'name="save"' in first_button and 'value="A4"' in first_button
    assert "check_all" not in page
