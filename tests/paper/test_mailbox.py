"""报送邮箱: an approved round goes out once, with what was sealed; what fails is retried and seen."""

from __future__ import annotations

import datetime
import io
import itertools
import json
import re
import smtplib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from reporting import campaigns, dispatch, workflow
from reporting.dispatch import MAX_ATTEMPTS, send_all, send_one, sendings
from reporting.errors import Refused, WrongState
from reporting.models import Campaign, Event, Filing, Outbox, Report
from reporting.paper import pdf
from reporting.sample import MAILBOX
from reporting.tasks import send_outbox
from tests.paper.post_office import PostOffice, post_office
from tests.workflow.stage import Stage, make_stage, number
from unions.gate import Actor, Role
from unions.models import Union

MAIL = "quanyi@example.org"
Prepared = Callable[..., Filing]


@pytest.fixture
def stage(db: None) -> Stage:
    stage = make_stage()
    Campaign.objects.update(mailbox=MAIL)
    stage.campaign.refresh_from_db()
    return stage


@pytest.fixture
def submitted(stage: Stage, with_report: Callable[[Filing], None]) -> Prepared:
    """A submitted filing whose report has a file."""

    def prepare(union: Union | None = None, **figures: int) -> Filing:
        filing = stage.submitted(union or stage.tree.harbin, **figures)
        with_report(filing)
        return filing

    return prepare


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without drawing: where the PDF itself plays no part."""
    monkeypatch.setattr(pdf, "render", lambda *_: b"%PDF-quick")


def approve(stage: Stage, filing: Filing) -> Filing:
    filing = stage.filing(filing.union)
    workflow.approve(filing=filing, round_number=number(filing), by=stage.reviewer(filing.union))
    return stage.filing(filing.union)


def parcels() -> list[Outbox]:
    return list(Outbox.objects.filter(round__isnull=False).order_by("pk"))


def clerk(stage: Stage) -> Actor:
    return stage.actor(stage.tree.province, Role.ADMINISTRATOR)


# -- what goes, and when -----------------------------------------------------------------------------------


def test_workbook_report_and_pdf_of_the_round_go_to_the_mailbox(
    stage: Stage, submitted: Prepared, mailoutbox: list[EmailMessage]
) -> None:
    filing = approve(stage, submitted(warmth_E1=4321))
    assert [(mail.to, mail.round_id) for mail in parcels()] == [(MAIL, filing.current_round_id)]
    send_outbox()
    (mail,) = [m for m in mailoutbox if m.to == [MAIL]]
    assert mail.subject == "【报送】哈尔滨市总工会 2021年元旦春节送温暖活动（第 1 轮）"
    round_ = filing.current_round
    assert round_ is not None and round_.digest in mail.body and "演示" not in mail.body
    files = {str(name): (content, kind) for name, content, kind in mail.attachments}
    workbook, report, printed = files
    assert (workbook, report, printed) == (
        "2021年哈尔滨市总工会送温暖统计报表_第1轮.xlsx",
        "2021年哈尔滨市总工会送温暖报告_第1轮.docx",
        "2021年哈尔滨市总工会送温暖统计报表_第1轮.pdf",
    )
    page = load_workbook(io.BytesIO(files[workbook][0])).worksheets[0]  # type: ignore[arg-type]
    assert 4321 in [cell.value for row in page.iter_rows() for cell in row]
    with Report.objects.get(pk=filing.current_report_id).file.open("rb") as file:
        assert files[report][0] == file.read()
    assert bytes(files[printed][0]).startswith(b"%PDF-") and files[printed][1] == "application/pdf"  # type: ignore[arg-type]


@pytest.mark.usefixtures("quick")
def test_it_goes_once_however_often_anybody_asks(
    stage: Stage, submitted: Prepared, mailoutbox: list[EmailMessage]
) -> None:
    filing = approve(stage, submitted())
    for _ in range(3):
        send_outbox()
    with pytest.raises(WrongState, match=rf"已于 .* 发往 {MAIL}，不重复发送"):
        send_one(filing=filing, by=clerk(stage))
    assert send_all(campaign=stage.campaign, by=clerk(stage)) == 0
    send_outbox()
    assert sum(mail.to == [MAIL] for mail in mailoutbox) == len(parcels()) == 1


@pytest.mark.usefixtures("quick")
def test_reopened_and_approved_again_is_another_mail(
    stage: Stage, submitted: Prepared, mailoutbox: list[EmailMessage]
) -> None:
    filing = approve(stage, submitted())
    workflow.reopen(filing=filing, round_number=1, reason="请核对数据", by=stage.reviewer(stage.tree.harbin))
    approve(stage, submitted(warmth_E1=9))
    send_outbox()
    first, second = (mail for mail in mailoutbox if mail.to == [MAIL])
    assert "（第 1 轮）" in first.subject and "这一轮在本邮件发出之前已被重开" in first.body
    assert "（第 2 轮）" in second.subject and "重开" not in second.body


def test_what_is_not_approved_writes_no_row(
    stage: Stage, submitted: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    filing = submitted()

    def fail(*_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(workflow, "tell", fail)  # the last thing an approval does
        with pytest.raises(RuntimeError):
            approve(stage, filing)
    assert stage.filing(stage.tree.harbin).state == Filing.State.SUBMITTED
    assert parcels() == []


def test_without_a_mailbox_nothing_goes(stage: Stage, submitted: Prepared) -> None:
    Campaign.objects.update(mailbox="")
    filing = approve(stage, submitted())
    assert parcels() == []
    with pytest.raises(Refused, match="还没有填写报送邮箱"):
        send_one(filing=filing, by=clerk(stage))


def test_a_countys_figures_come_in_its_citys_mail(stage: Stage, submitted: Prepared) -> None:
    """The notice asks cities and industries for the electronic version."""
    approve(stage, submitted(stage.tree.nangang))
    assert parcels() == []
    approve(stage, submitted(stage.tree.daqing_oilfield))
    assert len(parcels()) == 1


# -- when the province says so -----------------------------------------------------------------------------


def test_all_that_are_approved_and_not_there_yet(stage: Stage, submitted: Prepared) -> None:
    Campaign.objects.update(mailbox="")
    for union in (stage.tree.nangang, stage.tree.harbin, stage.tree.daqing_oilfield):
        approve(stage, submitted(union))
    submitted(stage.tree.outsider)
    Campaign.objects.update(mailbox=MAIL)
    assert send_all(campaign=stage.campaign, by=clerk(stage)) == 2
    assert {mail.round.filing.union for mail in parcels() if mail.round} == {
        stage.tree.harbin,
        stage.tree.daqing_oilfield,
    }
    events = Event.objects.filter(move="mail")
    assert {(event.by, event.from_state, event.to_state) for event in events} == {
        (clerk(stage).person, "approved", "approved")
    }
    assert send_all(campaign=stage.campaign, by=clerk(stage)) == 0
    standing = dispatch.standing(Campaign.objects.get())
    assert (standing.sent, standing.waiting, standing.failed, standing.unsent) == (0, 2, 0, 0)


def test_only_what_is_approved_can_be_sent(stage: Stage, submitted: Prepared) -> None:
    with pytest.raises(WrongState, match="审核通过后才能发送"):
        send_one(filing=submitted(), by=clerk(stage))


def test_the_buttons_stand_where_the_province_looks(
    stage: Stage, submitted: Prepared, browse: Callable[[Actor], Client]
) -> None:
    filing = approve(stage, submitted())
    client = browse(clerk(stage))
    progress = reverse("progress", args=[stage.campaign.pk])
    send = reverse("send_to_mailbox", args=[stage.campaign.pk])
    Outbox.objects.filter(round__isnull=False).update(
        attempts=MAX_ATTEMPTS, error="连接不上邮件服务器（ConnectionRefusedError）"
    )
    for page in (progress, reverse("history", args=[filing.pk]), reverse("filing_paper", args=[filing.pk])):
        shown = client.get(page).content.decode()
        assert "发送失败" in shown and "连接不上邮件服务器" in shown and "重试" in shown, page
    for page in ("", "history", "paper"):
        answer = client.post(send, {"filing": filing.pk, "page": page}, follow=True)
        assert "将在一分钟内发往" in answer.content.decode()
    (mail,) = parcels()
    assert (mail.attempts, mail.error) == (0, "")
    assert "等待发送" in client.get(progress).content.decode()
    Outbox.objects.update(sent_at=timezone.now())
    assert re.search(r"已发送</span> <span[^>]*>\d+月\d+日 \d\d:\d\d", client.get(progress).content.decode())
    # Others see how it stands, not why, and have no button.
    Outbox.objects.update(sent_at=None, attempts=MAX_ATTEMPTS, error="连接不上邮件服务器")
    for who in (stage.reviewer(stage.tree.harbin), stage.submitter(stage.tree.harbin)):
        shown = browse(who).get(reverse("history", args=[filing.pk])).content.decode()
        assert "发送失败" in shown and "连接不上" not in shown and "重试" not in shown
        assert browse(who).post(send, {"filing": filing.pk}).status_code == 403
    assert client.post(send, {"filing": 999_999}).status_code == 404
    assert client.post(send, {"filing": "²"}).status_code == 404


def test_the_progress_page_asks_the_same_for_no_mail_and_for_three(
    stage: Stage, submitted: Prepared, browse: Callable[[Actor], Client]
) -> None:
    client = browse(clerk(stage))
    Campaign.objects.update(mailbox="")
    for union in (stage.tree.harbin, stage.tree.daqing_oilfield, stage.tree.outsider):
        approve(stage, submitted(union))
    Campaign.objects.update(mailbox=MAIL)
    client.get(reverse("progress", args=[stage.campaign.pk]))  # what is kept from page to page is kept now
    costs = []
    for asked in (0, 3):
        assert not asked or send_all(campaign=stage.campaign, by=clerk(stage)) == asked
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("progress", args=[stage.campaign.pk]))
        costs.append(len(queries))
    assert costs[0] == costs[1]


# -- failing and trying again ------------------------------------------------------------------------------


@pytest.fixture
def office(settings: Any) -> Iterator[PostOffice]:
    with post_office() as office:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", office.port
        yield office


def due_again() -> None:
    Outbox.objects.filter(sent_at=None).update(due_at=timezone.now())


def test_a_real_server_gets_it_whole(stage: Stage, submitted: Prepared, office: PostOffice) -> None:
    approve(stage, submitted())
    send_outbox()
    (mail,) = office.received
    assert mail["To"] == MAIL
    names = [part.get_filename() for part in mail.iter_attachments()]
    assert names[0] == "2021年哈尔滨市总工会送温暖统计报表_第1轮.xlsx" and len(names) == 3
    contents = [part.get_payload(decode=True) for part in mail.iter_attachments()]
    assert load_workbook(io.BytesIO(contents[0])) and contents[2].startswith(b"%PDF-")  # type: ignore[arg-type,union-attr]
    assert parcels()[0].sent_at


@pytest.mark.usefixtures("quick")
def test_a_failing_server_is_asked_again_with_growing_pauses(
    stage: Stage, submitted: Prepared, office: PostOffice
) -> None:
    filing = approve(stage, submitted())
    office.answers["RCPT"] = b"550 no such mailbox"
    pauses = []
    for attempt in range(1, MAX_ATTEMPTS + 1):
        before = timezone.now()
        send_outbox()
        (mail,) = parcels()
        assert (mail.attempts, mail.sent_at) == (attempt, None)
        assert mail.error.startswith("邮箱地址被邮件服务器拒收，请核对报送邮箱（SMTPRecipientsRefused")
        pauses.append((mail.due_at - before).total_seconds())
        send_outbox()  # not before it is due
        assert parcels()[0].attempts == attempt
        due_again()
    assert all(later > 1.5 * earlier for earlier, later in itertools.pairwise(pauses))
    send_outbox()  # given up, until somebody says so
    assert parcels()[0].attempts == MAX_ATTEMPTS
    assert sendings([filing.current_round_id])[filing.current_round_id or 0].state == "failed"
    office.answers.clear()
    send_one(filing=filing, by=clerk(stage))
    send_outbox()
    assert len(office.received) == 1 and parcels()[0].error == ""


def test_a_missing_report_is_said_and_mended(
    stage: Stage, submitted: Prepared, with_report: Callable[[Filing], None], mailoutbox: list[EmailMessage]
) -> None:
    filing = approve(stage, submitted())
    report = Report.objects.get(pk=filing.current_report_id)
    report.file.storage.delete(report.file.name)
    send_outbox()
    assert parcels()[0].error.startswith("服务器上找不到送温暖报告的文件（第 1 版）")
    with_report(filing)
    due_again()
    send_outbox()
    assert [mail.to for mail in mailoutbox if mail.attachments] == [[MAIL]]


@pytest.mark.usefixtures("quick")
def test_a_word_to_a_person_goes_before_a_parcel(
    stage: Stage, submitted: Prepared, mailoutbox: list[EmailMessage]
) -> None:
    approve(stage, submitted())
    Outbox.objects.create(to="a@example.org", subject="后写的", body="…")
    send_outbox()
    assert [mail.to for mail in mailoutbox] == [["a@example.org"], [MAIL]]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            ConnectionRefusedError(111, "refused"),
            "连接不上邮件服务器（ConnectionRefusedError: [Errno 111] refused）",
        ),
        (TimeoutError("timed out"), "邮件服务器没有及时响应（"),
        (smtplib.SMTPAuthenticationError(535, b"no"), "邮件服务器拒绝登录"),
        (smtplib.SMTPDataError(552, b"too big"), "邮件服务器没有接收这封邮件，可能是附件过大"),
        (Refused("缺少组件。"), "缺少组件。"),
        (ValueError("a\nb"), "ValueError: a b"),
    ],
)
def test_why_it_failed_is_a_sentence(error: Exception, sentence: str) -> None:
    assert dispatch.why_not_sent(error).startswith(sentence)


# -- a killed sender ---------------------------------------------------------------------------------------


class Killed(BaseException):
    """What no `except Exception` sees: the process is gone."""


@pytest.mark.usefixtures("quick")
@pytest.mark.django_db(transaction=True)
def test_a_sender_killed_before_the_server_took_it_loses_nothing(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[EmailMessage], tmp_path: Path
) -> None:
    stage = _prepared(tmp_path)
    poison = Outbox.objects.get(round__isnull=False)
    other = Outbox.objects.create(to="b@example.org", subject="别的信", body="…", due_at=timezone.now())
    real = dispatch._message

    def kill(mail: Outbox) -> EmailMessage:
        if mail.pk == poison.pk:
            raise Killed
        return real(mail)

    with monkeypatch.context() as patch:
        patch.setattr(dispatch, "_message", kill)
        with pytest.raises(Killed):
            send_outbox()
        # Put off before it was tried: it does not kill the next sender at once, and the others go out.
        send_outbox()
    poison.refresh_from_db()
    other.refresh_from_db()
    assert (poison.attempts, poison.sent_at) == (1, None) and other.sent_at
    due_again()
    send_outbox()
    assert [mail.to for mail in mailoutbox] == [["b@example.org"], [MAIL]]
    assert stage


@pytest.mark.usefixtures("quick")
@pytest.mark.django_db(transaction=True)
def test_a_sender_killed_after_the_server_took_it_sends_it_again_under_the_same_number(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[EmailMessage], tmp_path: Path
) -> None:
    """SMTP leaves no way to know. The second is recognised by its Message-ID."""
    _prepared(tmp_path)
    real = EmailMessage.send

    def kill(self: EmailMessage, *args: Any) -> int:
        real(self, *args)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(EmailMessage, "send", kill)
        with pytest.raises(Killed):
            send_outbox()
    due_again()
    send_outbox()
    first, second = mailoutbox
    assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]
    assert Outbox.objects.get(round__isnull=False).sent_at


@pytest.mark.usefixtures("quick")
@pytest.mark.django_db(transaction=True)
def test_two_senders_and_an_impatient_person_send_it_once(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[EmailMessage], tmp_path: Path
) -> None:
    stage = _prepared(tmp_path)
    filing = stage.filing(stage.tree.harbin)
    by = clerk(stage)
    under_way, go_on = threading.Event(), threading.Event()
    real = EmailMessage.send

    def slow(self: EmailMessage, *args: Any) -> int:
        under_way.set()
        assert go_on.wait(20)
        return real(self, *args)

    monkeypatch.setattr(EmailMessage, "send", slow)

    def work() -> None:
        try:
            send_outbox()
        finally:
            connection.close()

    sender = threading.Thread(target=work)
    sender.start()
    assert under_way.wait(20)
    # While it is being sent, however long that takes: nobody else takes it, nobody waits for it.
    send_outbox()
    assert dispatch.deliver(Outbox.objects.get(round__isnull=False).pk) == ""
    assert "正在发送" in send_one(filing=filing, by=by)
    assert send_all(campaign=stage.campaign, by=by) == 0
    go_on.set()
    sender.join()
    send_outbox()
    assert [mail.to for mail in mailoutbox] == [[MAIL]]


def _prepared(tmp_path: Path) -> Stage:
    """An approved filing and nothing else to be sent."""
    from django.core.files.base import ContentFile

    from reporting.sample import made_document

    stage = make_stage()
    Campaign.objects.update(mailbox=MAIL)
    stage.campaign.refresh_from_db()
    filing = stage.submitted(stage.tree.harbin)
    report = Report.objects.get(pk=filing.current_report_id)
    report.file.save("report.docx", ContentFile(made_document("一、总体情况。")), save=True)
    approve(stage, filing)
    Outbox.objects.filter(round=None).delete()
    return stage


# -- the address -------------------------------------------------------------------------------------------


def change(stage: Stage, mailbox: str) -> None:
    campaigns.update_campaign(campaign=stage.campaign, values={"mailbox": mailbox}, by=clerk(stage))


def test_another_address_takes_what_has_not_gone_out_yet(stage: Stage, submitted: Prepared) -> None:
    approve(stage, submitted())
    approve(stage, submitted(stage.tree.daqing_oilfield))
    waiting, sent = parcels()
    Outbox.objects.filter(pk=sent.pk).update(sent_at=timezone.now())
    Outbox.objects.filter(pk=waiting.pk).update(attempts=MAX_ATTEMPTS, error="邮箱地址被邮件服务器拒收")
    change(stage, "xin@example.org")
    waiting, sent = parcels()
    assert (waiting.to, waiting.attempts, waiting.error) == ("xin@example.org", 0, "")
    assert sent.to == MAIL
    standing = dispatch.standing(Campaign.objects.get())
    assert (standing.sent, standing.waiting, standing.unsent) == (0, 1, 1)
    change(stage, "")
    assert [mail.pk for mail in parcels()] == [sent.pk]


def test_the_address_is_a_setting(stage: Stage, browse: Callable[[Actor], Client]) -> None:
    client = browse(clerk(stage))
    address = reverse("campaign_settings", args=[stage.campaign.pk])
    page = client.get(address)
    form = page.context["form"]
    sent = {"do": "save", **dict(form.shown)} | {n: dict(form.shown)[f"shown-{n}"] for n in form.fields}
    assert 'value="quanyi@example.org"' in page.content.decode()
    wrong = client.post(address, sent | {"mailbox": "不是邮箱"})
    assert wrong.status_code == 422 and "mailbox" in wrong.context["form"].errors
    client.post(address, sent | {"mailbox": "xin@example.org"})
    assert Campaign.objects.get().mailbox == "xin@example.org"
    Campaign.objects.update(opens_at=datetime.datetime(2020, 12, 17, tzinfo=datetime.UTC))
    made = campaigns.clone_campaign(campaign=Campaign.objects.get(), year=2022, by=clerk(stage))
    assert made.mailbox == "xin@example.org"


def test_the_notices_address_is_loaded_and_the_sample_never_uses_it() -> None:
    ordered = json.loads(Path("reporting/data/campaign-2021.json").read_text(encoding="utf-8"))
    assert ordered["mailbox"] == "hljbzb@163.com"
    assert MAILBOX.endswith("@example.org")


@pytest.mark.usefixtures("quick")
def test_what_is_played_goes_to_nobodys_address(db: None) -> None:
    from django.core.management import call_command

    call_command("load_notice", stdout=io.StringIO())
    call_command("play_sample", stdout=io.StringIO())
    assert set(Campaign.objects.values_list("mailbox", flat=True)) == {MAILBOX}
    assert set(Outbox.objects.filter(round__isnull=False).values_list("to", flat=True)) == {MAILBOX}
    assert not Outbox.objects.filter(round__isnull=False, sent_at=None).exists()
    assert datetime.date(2021, 1, 30) <= parcels()[0].sent_at.date()  # type: ignore[union-attr]
