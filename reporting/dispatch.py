"""报送邮箱: the electronic version of an approved round goes to the campaign's mailbox, once.

Notice 黑工办发〔2020〕30号 [四, last paragraph]: cities and industries send the electronic version to the department's
mailbox. That is a row of the outbox, written with the approval; workbook, report and PDF are made when it is sent.
Reopened and approved again is another round, and another mail.
"""

from __future__ import annotations

import datetime
import smtplib
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from reporting.clock import now
from reporting.copies import Copy, rounds_at_hand, sealed_copy, sealed_workbook
from reporting.documents import CONTENT_TYPES
from reporting.errors import Refused, ReportingError, WrongState
from reporting.filling import lock_filing
from reporting.models import Campaign, Event, Filing, Outbox, Round
from reporting.standing import Sending
from unions.gate import Actor

MAX_ATTEMPTS = 8
# The socket's patience counts for a whole message: 28 MB over a line of an office take longer than a notice.
PATIENCE = 180  # seconds
APPROVED = Filing.State.APPROVED


def goes_to_the_mailbox(filing: Filing) -> bool:
    """Who sends to the department: the province's direct subordinates. A county's figures come in its city's."""
    parent = filing.union.parent
    return parent is not None and parent.is_root


# -- rows --------------------------------------------------------------------------------------------------


def post_approved(filing: Filing) -> None:
    """Called inside the approval's transaction: the row is there if and only if the approval is."""
    if filing.campaign.mailbox and goes_to_the_mailbox(filing) and filing.current_round:
        _row(filing.current_round, filing.campaign.mailbox)


def _row(round_: Round, mailbox: str) -> tuple[Outbox, bool]:
    campaign = round_.filing.campaign
    return Outbox.objects.get_or_create(
        round=round_,
        to=mailbox,
        defaults={
            # One line: whatever a union is called must not become mail headers.
            "subject": " ".join(
                f"【报送】{round_.union_name} {campaign.title}（第 {round_.number} 轮）".split()
            )[:200],
            "body": "",  # says how things stand when it is sent
        },
    )


@transaction.atomic
def send_one(*, filing: Filing, by: Actor) -> str:
    """发送到报送邮箱, or 重试 after a failure: what was done, in a sentence. Raises Refused, WrongState."""
    filing = lock_filing(filing.pk)
    by.require_here("manage_campaign")
    mailbox = _mailbox(filing.campaign)
    round_ = filing.current_round
    if filing.state != APPROVED or round_ is None:
        raise WrongState(f"{filing.union.name}的报送件{filing.get_state_display()}，审核通过后才能发送。")
    _row(round_, mailbox)
    mail = _unlocked(Outbox.objects.filter(round=round_, to=mailbox))
    if mail is None:
        return f"{filing.union.name}的电子版正在发送，请稍后刷新查看。"
    if mail.sent_at:
        raise WrongState(
            f"{filing.union.name}第 {round_.number} 轮已于 {timezone.localtime(mail.sent_at):%m月%d日 %H:%M} 发往 {mailbox}，不重复发送。"
        )
    _due_now(mail)
    _note(filing, by)
    return f"{filing.union.name}的电子版将在一分钟内发往 {mailbox}。"


@transaction.atomic
def send_all(*, campaign: Campaign, by: Actor) -> int:
    """Every approved filing that the notice wants in the mailbox and that is not there yet; how many."""
    by.require_here("manage_campaign")
    # The settings hold the same lock while they change the mailbox.
    campaign = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    mailbox = _mailbox(campaign)
    filings = list(
        Filing.objects.select_for_update(of=("self",))
        .filter(campaign=campaign, state=APPROVED, union__parent__parent=None, union__parent__isnull=False)
        .select_related("union", "campaign", "current_round")
        .order_by("union__path")
    )
    done = 0
    for filing in filings:
        assert filing.current_round is not None  # approved
        _, created = _row(filing.current_round, mailbox)
        mail = _unlocked(Outbox.objects.filter(round=filing.current_round, to=mailbox, sent_at=None))
        if mail is not None and (created or mail.attempts):
            _due_now(mail)
            _note(filing, by)
            done += 1
    return done


def _mailbox(campaign: Campaign) -> str:
    if not campaign.mailbox:
        raise Refused("还没有填写报送邮箱，请先在“设置”里填写。")
    return campaign.mailbox


def _unlocked(rows: QuerySet[Outbox]) -> Outbox | None:
    """Locked for us; None while a sender has it, which may take minutes and needs no help."""
    return rows.select_for_update(skip_locked=True, of=("self",)).first()


def _due_now(mail: Outbox) -> None:
    mail.due_at, mail.attempts, mail.error = now(), 0, ""
    mail.save(update_fields=["due_at", "attempts", "error"])


def _note(filing: Filing, by: Actor) -> None:
    Event.objects.create(
        filing=filing,
        by=by.person,
        acting_for=by.union,
        move="mail",
        from_state=filing.state,
        to_state=filing.state,
        round=filing.current_round,
    )


def follow_mailbox(campaign: Campaign, before: str) -> None:
    """The address was changed: what has not gone out yet goes to the new one, or nowhere. Inside that transaction."""
    waiting = Outbox.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        round__filing__campaign=campaign, to=before, sent_at=None
    )
    for mail in waiting:
        there = Outbox.objects.filter(round=mail.round_id, to=campaign.mailbox).exists()
        if not campaign.mailbox or there:
            mail.delete()
            continue
        mail.to, mail.due_at, mail.attempts, mail.error = campaign.mailbox, now(), 0, ""
        mail.save()


# -- sending -----------------------------------------------------------------------------------------------


def due_mail() -> int | None:
    """Claim the next mail that is due: counted and put off before anything is done with it, so that one that kills
    its sender does not hold up the others for ever. Its id; None when there is none that nobody else has."""
    with transaction.atomic():
        waiting = Outbox.objects.select_for_update(skip_locked=True).filter(
            sent_at=None, due_at__lte=timezone.now(), attempts__lt=MAX_ATTEMPTS
        )
        # A word to a person before a parcel of megabytes.
        mail = waiting.order_by(F("round").asc(nulls_first=True), "due_at").first()
        if mail is None:
            return None
        mail.attempts += 1
        mail.due_at = timezone.now() + datetime.timedelta(minutes=2**mail.attempts)
        mail.save(update_fields=["attempts", "due_at"])
        return mail.pk


def deliver(pk: int) -> str:
    """Send one claimed mail; what went wrong, or nothing.

    The row stays locked while it is sent, so that nobody else sends it however long that takes. Whoever is killed after
    the server took the message and before this transaction ended leaves it waiting, and it is sent once more: SMTP
    knows no way around that. Both have the same Message-ID, by which mailboxes and people know the second.
    """
    with transaction.atomic():
        mail = Outbox.objects.select_for_update(skip_locked=True).filter(pk=pk, sent_at=None).first()
        if mail is None:
            return ""
        try:
            with transaction.atomic():  # a broken query must not keep the row from being marked
                message = _message(mail)
            message.send()
            mail.sent_at, mail.error = timezone.now(), ""
        except Exception as error:
            # Whatever is wrong with one letter (address, header, server, file), the others must go out.
            mail.error = why_not_sent(error)[:300]
        mail.save(update_fields=["sent_at", "error"])
        return mail.error


def _message(mail: Outbox) -> EmailMessage:
    if mail.round_id is None:
        return EmailMessage(mail.subject, mail.body, None, [mail.to])
    round_ = rounds_at_hand().get(pk=mail.round_id)
    copy = sealed_copy(round_)
    host = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    message = EmailMessage(
        mail.subject,
        _body(copy, round_),
        None,
        [mail.to],
        headers={"Message-ID": f"<{round_.pk}.{mail.pk}.{round_.digest[:32]}@{host}>"},
        connection=get_connection(timeout=PATIENCE),
    )
    for name, content, content_type in attachments(copy):
        message.attach(name, content, content_type)
    return message


def attachments(copy: Copy) -> list[tuple[str, bytes, str]]:
    """(name, content, type) of workbook, report and PDF. Raises Refused where one of them can't be had."""
    from reporting.paper.pdf import CONTENT_TYPE
    from reporting.paper.printing import (  # WeasyPrint's and segno's time, only where mail is sent
        filing_name,
        filing_pdf,
    )

    assert copy.round is not None
    found = [(f"{copy.stem}.xlsx", sealed_workbook(copy), CONTENT_TYPES["xlsx"])]
    if report := copy.round.report:
        try:
            with report.file.open("rb") as file:
                content = file.read()
        except OSError:
            raise Refused(
                f"服务器上找不到送温暖报告的文件（第 {report.number} 版），请联系系统管理员从备份恢复后重试。"
            ) from None
        name = f"{copy.campaign.year}年{copy.union_name}送温暖报告_第{copy.round.number}轮.{report.kind}"
        found.append((name, content, CONTENT_TYPES[report.kind]))
    found.append((filing_name(copy), filing_pdf(copy), CONTENT_TYPE))
    return found


def _body(copy: Copy, round_: Round) -> str:
    filing = Filing.objects.select_related("current_round").get(pk=round_.filing_id)
    lines = [
        f"{copy.union_name}报送{copy.campaign.title}统计报表和送温暖报告的电子版，见附件。",
        "",
        f"通知文号：{copy.campaign.notice_number}",
        f"轮次：第 {round_.number} 轮，{timezone.localtime(round_.submitted_at):%Y年%-m月%-d日 %H:%M} 由{copy.submitter}上报"
        + ("（逾期）" if round_.is_late else ""),
        f"填报人：{copy.head.get('filler_name', '')}　电话：{copy.head.get('filler_phone', '')}",
        f"校验码：{round_.digest}",
    ]
    if filing.current_round_id != round_.pk or filing.state != APPROVED:
        lines += ["", "注意：这一轮在本邮件发出之前已被重开，请以之后通过的轮次为准。"]
    if copy.campaign.is_sample:
        lines += ["", "演示数据，不代表任何单位的真实工作。"]
    return "\n".join([*lines, "", "此邮件由送温暖报送系统自动发送。"])


# The first that fits; a sentence for people, with what the server said behind it.
_REASONS: list[tuple[type[Exception] | tuple[type[Exception], ...], str]] = [
    (smtplib.SMTPAuthenticationError, "邮件服务器拒绝登录，请系统管理员检查发信账号"),
    (smtplib.SMTPRecipientsRefused, "邮箱地址被邮件服务器拒收，请核对报送邮箱"),
    (smtplib.SMTPSenderRefused, "邮件服务器拒绝发信地址，请系统管理员检查发信设置"),
    (smtplib.SMTPDataError, "邮件服务器没有接收这封邮件，可能是附件过大或被判为垃圾邮件"),
    (smtplib.SMTPException, "邮件服务器中断了发送"),
    (TimeoutError, "邮件服务器没有及时响应"),
    (OSError, "连接不上邮件服务器"),
]


def why_not_sent(error: Exception) -> str:
    if isinstance(error, ReportingError):
        return error.sentences[0]
    told = " ".join(f"{type(error).__name__}: {error}".split())
    sentence = next((sentence for kind, sentence in _REASONS if isinstance(error, kind)), "")
    return f"{sentence}（{told}）" if sentence else told


# -- how it stands -----------------------------------------------------------------------------------------


def sendings(rounds: Iterable[int | None], mailbox: str = "") -> dict[int, Sending]:
    """{round id: how its mail stands}, one query. Of several addresses, `mailbox` before an earlier one."""
    found: dict[int, Sending] = {}
    known = [pk for pk in rounds if pk is not None]
    for mail in Outbox.objects.filter(round__in=known).order_by("pk"):
        assert mail.round_id is not None
        if mail.round_id in found and found[mail.round_id].to == mailbox:
            continue
        if mail.sent_at:
            state, at = "sent", mail.sent_at
        elif mail.attempts >= MAX_ATTEMPTS:
            state, at = "failed", mail.due_at
        else:
            state, at = "waiting", mail.due_at
        reason = mail.error or ("发送中断" if state == "failed" else "")
        found[mail.round_id] = Sending(mail.to, state, at, reason)
    return found


@dataclass(frozen=True)
class Standing:
    """The mailbox of a campaign: how many stand where. `unsent`: approved, and nothing was asked for yet."""

    mailbox: str
    sent: int
    waiting: int
    failed: int
    unsent: int

    @property
    def to_send(self) -> int:
        return self.unsent + self.failed


def standing(campaign: Campaign) -> Standing:
    approved = Filing.objects.filter(
        campaign=campaign, state=APPROVED, union__parent__parent=None, union__parent__isnull=False
    )
    rounds = list(approved.values_list("current_round", flat=True))
    counts = Outbox.objects.filter(round__in=rounds, to=campaign.mailbox).aggregate(
        sent=Count("pk", filter=Q(sent_at__isnull=False)),
        failed=Count("pk", filter=Q(sent_at=None, attempts__gte=MAX_ATTEMPTS)),
        waiting=Count("pk", filter=Q(sent_at=None, attempts__lt=MAX_ATTEMPTS)),
    )
    return Standing(campaign.mailbox, **counts, unsent=len(rounds) - sum(counts.values()))
