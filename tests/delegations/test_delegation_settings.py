"""What the office sets for all delegations: numbers, sources of money, norms; typed wrongly, nothing is lost."""

from __future__ import annotations

import datetime
import html

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from delegations import planning
from delegations.models import Arrangement, FundSource, Norm, PlanEvent
from reporting.campaigns import clone_campaign
from tests.delegations.stage import PlanStage


def text(response) -> str:
    return html.unescape(response.content.decode())


def settings(plan: PlanStage) -> str:
    return reverse("delegation_settings", args=[plan.campaign.pk])


def change(row, **values) -> None:
    """Straight into the row; what typing does is tested elsewhere."""
    type(row).objects.filter(pk=row.pk).update(**values)


@pytest.mark.parametrize("who", ["reader", "liaison", "leader", "host", "outsider"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_settings_are_the_offices(plan: PlanStage, browse, who, method) -> None:
    client = browse(getattr(plan, who))
    answer = getattr(client, method)(
        settings(plan), {"do": "source", "source": "new", "source-new-name": "甲"}
    )
    assert answer.status_code == 403
    assert FundSource.objects.count() == 2


def test_settings_of_no_campaign(plan: PlanStage, browse) -> None:
    assert browse(plan.office).get(reverse("delegation_settings", args=[0])).status_code == 404


@pytest.fixture
def office(plan: PlanStage, browse):
    return browse(plan.office)


def numbers(**changed) -> dict[str, object]:
    stands = {"enterprises": 1, "grassroots": 1, "on_site": 1, "households": 2, "travellers_limit": 6}
    return {"do": "arrangement"} | {f"arrangement-{name}": n for name, n in (stands | changed).items()}


def shown_as(**stood) -> dict[str, object]:
    """What the page showed when it was opened."""
    return {f"initial-arrangement-{name}": n for name, n in stood.items()}


def test_numbers_sources_and_norms_are_shown_as_they_stand(plan: PlanStage, office) -> None:
    change(plan.sources()[0], ceiling=25_000_000)
    shown = text(office.get(settings(plan)))
    assert 'name="arrangement-households" value="2"' in shown
    assert 'value="2020年助困送温暖资金"' in shown and 'value="250000"' in shown
    assert "已计划 <b>198,000</b> 元" in shown and "余 <b>52,000</b> 元" in shown
    assert "每家 30,000 至 50,000 元" in shown and shown.count("本次走访适用") == 5
    assert reverse("campaign_settings", args=[plan.campaign.pk]) in shown


def test_the_numbers_are_changed_and_noted(plan: PlanStage, office) -> None:
    answer = office.post(settings(plan), numbers(households=3), follow=True)
    assert answer.redirect_chain[-1][0] == settings(plan) + "#arrangement"
    assert "走访标准已保存" in text(answer)
    assert Arrangement.objects.get(pk=plan.campaign.pk).households == 3
    assert PlanEvent.objects.filter(what="入户慰问：2 → 3", by=plan.office.person).exists()


def test_only_what_was_changed_on_the_page_is_a_change(plan: PlanStage, office) -> None:
    """A colleague has changed another number since the page was opened."""
    Arrangement.objects.filter(pk=plan.campaign.pk).update(enterprises=2)
    stood = shown_as(enterprises=1, grassroots=1, on_site=1, households=2, travellers_limit=6)
    office.post(settings(plan), numbers(households=3) | stood)
    arrangement = Arrangement.objects.get(pk=plan.campaign.pk)
    assert (arrangement.enterprises, arrangement.households) == (2, 3)


@pytest.mark.parametrize(
    ("name", "typed", "sentence"),
    [
        ("households", "-1", "入户慰问不能小于 0"),
        ("households", "41", "入户慰问最多 40"),
        ("travellers_limit", "", "请填写随行人数上限的数量"),
        ("enterprises", "两", "企业须填整数"),
    ],
)
def test_what_is_no_number_is_refused_and_kept_as_typed(
    plan: PlanStage, office, name, typed, sentence
) -> None:
    answer = office.post(settings(plan), numbers(**{name: typed}))
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert not typed or f'name="arrangement-{name}" value="{typed}"' in text(answer)
    assert Arrangement.objects.get(pk=plan.campaign.pk).households == 2


def test_once_a_plan_is_locked_its_measure_stays(plan: PlanStage, office) -> None:
    plan.lock()
    assert "第1慰问组的计划已锁定，标准现在不能改" in text(office.get(settings(plan)))
    answer = office.post(settings(plan), numbers(households=3))
    assert answer.status_code == 422
    shown = text(answer)
    assert "已有慰问组的计划锁定，走访标准不能再改" in shown
    assert 'name="arrangement-households" value="3"' in shown  # what was typed
    assert Arrangement.objects.get(pk=plan.campaign.pk).households == 2


def source(plan: PlanStage, **typed) -> dict[str, object]:
    pk = plan.sources()[0].pk
    stands = {"name": "2020年助困送温暖资金", "ceiling": ""} | typed
    return {"do": "source", "source": pk} | {f"source-{pk}-{name}": value for name, value in stands.items()}


def test_a_ceiling_is_typed_as_people_write_money_and_taken_back(plan: PlanStage, office) -> None:
    answer = office.post(settings(plan), source(plan, ceiling="25万"), follow=True)
    assert "资金来源“2020年助困送温暖资金”已保存" in text(answer)
    assert plan.sources()[0].ceiling == 25_000_000
    office.post(settings(plan), source(plan, ceiling=""))
    assert plan.sources()[0].ceiling is None


def test_a_colleagues_ceiling_is_not_taken_back_by_an_older_page(plan: PlanStage, office) -> None:
    pk = plan.sources()[0].pk
    stood = {f"initial-source-{pk}-name": "2020年助困送温暖资金", f"initial-source-{pk}-ceiling": ""}
    change(plan.sources()[0], ceiling=25_000_000)
    office.post(settings(plan), source(plan, name="助困送温暖资金") | stood)
    assert (plan.sources()[0].name, plan.sources()[0].ceiling) == ("助困送温暖资金", 25_000_000)


def test_a_source_is_added(plan: PlanStage, office) -> None:
    typed = {"do": "source", "source": "new", "source-new-name": "爱心企业捐助", "source-new-ceiling": "10万"}
    answer = office.post(settings(plan), typed, follow=True)
    assert "资金来源“爱心企业捐助”已增加" in text(answer)
    assert [(s.name, s.ceiling) for s in plan.sources()][2] == ("爱心企业捐助", 10_000_000)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"ceiling": "-5"}, "“-5”是负数，金额不能小于 0"),
        ({"ceiling": "很多"}, "“很多”不是金额"),
        ({"ceiling": "9" * 19}, "过大"),
        ({"name": ""}, "请填写资金来源的名称"),
        ({"name": "甲"}, "须有 2 至 60 个字"),
        ({"name": "两节送温暖资金"}, "已有名为“两节送温暖资金”的资金来源"),
    ],
)
def test_what_is_no_source_is_refused_beside_the_source(plan: PlanStage, office, typed, sentence) -> None:
    answer = office.post(settings(plan), source(plan, **typed))
    assert answer.status_code == 422
    first, second = plan.sources()
    form = text(answer).partition(f'id="fundsource-{first.pk}-ceiling"')[2]
    form = form.partition(f'id="fundsource-{second.pk}-ceiling"')[0]
    assert sentence in form
    assert all(f'value="{value}"' in form for value in typed.values() if value)
    assert (first.name, first.ceiling) == ("2020年助困送温暖资金", None)


def test_a_source_of_another_campaign_is_out_of_reach(plan: PlanStage, office) -> None:
    newer = clone_campaign(campaign=plan.campaign, year=2022, by=plan.office)
    other = FundSource.objects.filter(campaign=newer)[0]
    typed = {"do": "source", "source": other.pk, f"source-{other.pk}-name": "改掉了"}
    answer = office.post(settings(plan), typed, follow=True)
    assert "没有这项设置" in text(answer)
    other.refresh_from_db()
    assert other.name != "改掉了"


def norm(**typed) -> dict[str, object]:
    stands = {
        "subject": "grassroots",
        "valid_from": "2021-12-20",
        "least": "3万",
        "most": "3万",
        "basis": "新通知",
    }
    return {"do": "norm"} | {f"norm-{name}": value for name, value in (stands | typed).items()}


def test_a_norm_from_a_day_on_leaves_the_older_one_in_force_before(plan: PlanStage, office) -> None:
    answer = office.post(settings(plan), norm(), follow=True)
    assert "已增加标准：基层单位自 2021-12-20 起 30,000 元" in text(answer)
    made = Norm.objects.get(subject="grassroots", valid_from=datetime.date(2021, 12, 20))
    assert (made.least, made.most, made.unit, made.basis) == (3_000_000, 3_000_000, "个", "新通知")
    # It begins after this campaign's visits.
    assert text(answer).count("本次走访适用") == 5


def test_two_norms_hold_when_one_changes_during_the_visits(plan: PlanStage, office) -> None:
    shown = text(office.post(settings(plan), norm(valid_from="2021-01-10"), follow=True))
    assert shown.count("本次走访适用") == 6
    shown = text(office.post(settings(plan), norm(valid_from="2020-12-25", least="1", most="1"), follow=True))
    assert shown.count("本次走访适用") == 6  # the notice's own has ended the day before the first visit


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"least": "4万"}, "下限 40,000 元高于上限 30,000 元"),
        ({"valid_from": "2020-12-17"}, "基层单位自 2020-12-17 起已有标准。填错的请先删除"),
        ({"least": "-1"}, "“-1”是负数"),
        ({"most": ""}, "请填写上限"),
        ({"valid_from": ""}, "请填写从哪一天起执行"),
        ({"valid_from": "0021-01-01"}, "年"),
        ({"subject": "nobody"}, "没有这一类慰问对象"),
    ],
)
def test_what_is_no_norm_is_refused_and_kept_as_typed(plan: PlanStage, office, typed, sentence) -> None:
    answer = office.post(settings(plan), norm(**typed))
    assert answer.status_code == 422
    form = text(answer).partition("new-norm")[2]
    assert sentence in form
    assert 'value="新通知"' in form
    assert all(f'value="{value}"' in form for name, value in typed.items() if value and name != "subject")
    assert Norm.objects.count() == 5


@pytest.mark.parametrize("do", ["", "everything", "source"])
def test_a_button_that_does_not_exist_changes_nothing(plan: PlanStage, office, do) -> None:
    answer = office.post(settings(plan), {"do": do}, follow=True)
    assert "没有这项设置" in text(answer)
    assert not PlanEvent.objects.exists()


def test_ten_sources_and_norms_cost_what_two_cost(plan: PlanStage, office) -> None:
    office.get(settings(plan))
    with CaptureQueriesContext(connection) as few:
        office.get(settings(plan))
    for number in range(8):
        FundSource.objects.create(campaign=plan.campaign, name=f"来源{number}", position=9)
        Norm.objects.create(
            subject="person", valid_from=datetime.date(2022 + number, 1, 1), least=1, most=1, unit="户"
        )
        planning.create_delegation(campaign=plan.campaign, by=plan.office)
    with CaptureQueriesContext(connection) as many:
        office.get(settings(plan))
    assert len(few) == len(many)
