"""我的工作 and the messages."""

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from reporting import workflow
from reporting.models import Campaign, Message
from tests.cast import actor, person
from unions.gate import Role


def text(response):
    return response.content.decode()


def home(browse, who):
    return browse(who).get(reverse("my_work"))


def test_a_filler_sees_the_three_parts_and_how_they_stand(stage, browse):
    filler = stage.actor(stage.tree.harbin, Role.FILLER)
    [task] = home(browse, filler).context["tasks"]
    assert [part.word for part in task.parts] == ["未开始", "未开始", "未上传"]
    assert "开始填报" in text(home(browse, filler))

    filing = stage.ready(stage.tree.harbin)
    filing.warmthform_rows.update(E1=None, E=0, touched=["E"])
    [task] = home(browse, filler).context["tasks"]
    assert [part.word for part in task.parts] == ["还有 1 格空白", "已填好", "已上传"]
    assert "继续填报" in text(home(browse, filler))


def test_when_all_is_ready_the_submitter_is_told_to_submit_and_the_filler_whom_to_ask(stage, browse):
    stage.ready(stage.tree.harbin)
    assert "核对并上报" in text(home(browse, stage.submitter(stage.tree.harbin)))
    assert "请负责人核对上报" in text(home(browse, stage.actor(stage.tree.harbin, Role.FILLER)))


def test_a_forgotten_head_is_named_although_all_three_parts_are_done(stage, browse):
    filing = stage.ready(stage.tree.harbin)
    filing.filler_phone = ""
    filing.save()
    assert "表头（填报人、电话、填报日期）还没填全" in text(home(browse, stage.submitter(stage.tree.harbin)))


def test_a_return_stands_on_top_with_reason_who_and_when(stage, browse):
    stage.returned(stage.tree.harbin, "warmth:E1")
    shown = text(home(browse, stage.actor(stage.tree.harbin, Role.FILLER)))
    assert "退回：" in shown and "请核对数据" in shown and "省总工会审核员" in shown
    assert shown.index("请核对数据") < shown.index("2021年元旦春节送温暖活动")


def test_a_campaign_that_is_not_open_yet_says_when_it_opens(stage, browse):
    opens = timezone.now() + datetime.timedelta(days=2)
    Campaign.objects.update(opens_at=opens)
    shown = text(home(browse, stage.actor(stage.tree.harbin, Role.FILLER)))
    assert f"{timezone.localtime(opens):%H:%M} 开始填报" in shown and "继续填报" not in shown


def test_after_the_deadline_the_way_out_is_named(stage, browse):
    Campaign.objects.update(deadline=timezone.now() - datetime.timedelta(minutes=1))
    assert "请联系省总工会申请延期" in text(home(browse, stage.actor(stage.tree.harbin, Role.FILLER)))


def test_a_union_without_a_filing_is_told_so(stage, browse):
    stage.filing(stage.tree.harbin).delete()
    shown = text(home(browse, stage.actor(stage.tree.harbin, Role.FILLER)))
    assert "还没有哈尔滨市总工会的报送件" in shown


def test_closed_campaigns_are_folded_and_nothing_open_is_said(stage, browse):
    Campaign.objects.update(is_closed=True)
    shown = text(home(browse, stage.actor(stage.tree.harbin, Role.FILLER)))
    assert "目前没有进行中的报送任务" in shown and "已结束的任务" in shown


def test_a_reviewer_sees_how_many_wait_and_the_first_five(stage, browse):
    stage.submitted(stage.tree.harbin)
    stage.submitted(stage.tree.outsider)
    answer = home(browse, stage.actor(stage.tree.province, Role.REVIEWER))
    assert answer.context["waiting_count"] == 2
    assert [f.union for f in answer.context["waiting"]] == [stage.tree.harbin, stage.tree.outsider]


def test_the_strip_counts_direct_subordinates_and_the_union_itself(stage, browse):
    stage.submitted(stage.tree.nangang)
    stage.approved(stage.tree.outsider)
    [strip] = home(browse, stage.actor(stage.tree.province, Role.ADMINISTRATOR)).context["strips"]
    assert strip.standing.counts == {"draft": 3, "approved": 1}, "the county is Harbin's to count"
    assert home(browse, stage.actor(stage.tree.outsider, Role.REVIEWER)).context["strips"] == []


def test_somebody_without_a_post_gets_a_sentence(stage, browse):
    nobody = actor(person(None), stage.tree.harbin)
    assert home(browse, nobody).status_code == 403


# -- messages ----------------------------------------------------------------------------------------------


def test_a_message_is_read_by_opening_it_and_leads_to_its_page(stage, browse):
    filing = stage.submitted(stage.tree.harbin)
    workflow.approve(filing=filing, round_number=1, by=stage.reviewer(stage.tree.harbin))
    submitter = stage.submitter(stage.tree.harbin)
    message = Message.objects.get(person=submitter.person)
    answer = browse(submitter).get(reverse("open_message", args=[message.pk]))
    assert answer.url == reverse("filing", args=[filing.pk])
    message.refresh_from_db()
    assert message.read_at is not None


def test_a_message_to_somebody_else_does_not_exist(stage, browse):
    mine = Message.objects.create(person=stage.submitter(stage.tree.harbin).person, text="你好", link="/")
    other = browse(stage.actor(stage.tree.harbin, Role.FILLER))
    assert other.get(reverse("open_message", args=[mine.pk])).status_code == 404
    other.post(reverse("messages"))
    mine.refresh_from_db()
    assert mine.read_at is None


@pytest.mark.parametrize("link", ["//evil.example/", "https://evil.example/", ""])
def test_a_message_never_leads_off_the_site(stage, browse, link):
    who = stage.submitter(stage.tree.harbin)
    message = Message.objects.create(person=who.person, text="你好", link=link)
    assert browse(who).get(reverse("open_message", args=[message.pk])).url == reverse("messages")


def test_all_are_marked_as_read_at_once(stage, browse):
    who = stage.submitter(stage.tree.harbin)
    Message.objects.bulk_create(Message(person=who.person, text=f"第{n}条") for n in range(40))
    client = browse(who)
    assert "40 条未读" in text(client.get(reverse("messages")))
    assert "40 条消息已标为已读" in text(client.post(reverse("messages"), follow=True))
    assert not Message.objects.filter(read_at=None).exists()
