"""The demonstration: a whole round of the 2021 campaign, played through the real actions.

Every figure is made (演示数据) and every account is named by its role, so that nothing here can be taken
for a real union's report. The clock is pinned to days of January 2021, the deadline is the notice's.
"""

from __future__ import annotations

import datetime
import io
import zipfile
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

from django.contrib.auth.hashers import make_password
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from reporting.aggregation import make_summary
from reporting.assessment import assess
from reporting.campaigns import clone_campaign, prepare_filings
from reporting.clock import now, pinned
from reporting.filling import Change, explain, save_cells, save_head
from reporting.models import Campaign, Filing, Message, Outbox
from reporting.reports import store_report
from reporting.sheets import sheets_for
from reporting.workflow import approve, extend, send_back, submit
from unions.gate import Actor, Role
from unions.models import Person, Post, Union

SHANGHAI = ZoneInfo("Asia/Shanghai")
YEAR = 2021
# Made figures must never reach a real address: a domain that nobody can own.
MAILBOX = "baosong@example.org"
# Known to everybody who reads this file: the commands that use it refuse to run in production.
PASSWORD = "songwennuan-demo"  # noqa: S105
# Two counties of Harbin take part, so that a city with subordinates can be seen.
COUNTIES = ("230103", "230102")
RETURNED_ONCE = "230700"
LATE = "232700"
# In the open campaign these have begun; all others are as empty as a visitor would wish.
SUBMITTED_NOW = ("230600", "230300", "231000")
RETURNED_NOW = "230400"
HALF_DONE_NOW = "230200"


def make_accounts() -> list[Person]:
    """One account for every role a unit needs; the province and Harbin have all five."""
    made = []
    for union in Union.objects.filter(is_active=True).order_by("position", "code"):
        roles = [Role.FILLER, Role.SUBMITTER]
        if union.is_root or union.short_name == "哈尔滨":
            roles = [Role.ADMINISTRATOR, Role.REVIEWER, Role.SUBMITTER, Role.FILLER, Role.AUDITOR]
        elif union.kind == Union.Kind.CITY:
            roles.append(Role.REVIEWER)
        made += [account(union, role) for role in roles]
    return made


@cache
def _hashed() -> str:
    """Hashing is slow on purpose; the accounts of the demonstration share one known password."""
    return make_password(PASSWORD)


def account(union: Union, role: Role, username: str = "") -> Person:
    place = "省总" if union.is_root else union.short_name
    username = username or f"{place}{role.label}"
    person, _ = Person.objects.get_or_create(
        username=username,
        defaults={
            "name": username,
            "phone": "0451-00000000",
            "email": f"{role}.{union.code}@example.org".lower(),  # a domain that nobody can own
            "must_change_password": False,
            "password": _hashed(),
        },
    )
    Post.objects.get_or_create(person=person, union=union, role=role)
    return person


def actor(union: Union, role: Role) -> Actor:
    """Who acts in the sample: the account of that role in that union."""
    post = Post.objects.select_related("person").filter(union=union, role=role).order_by("id")[0]
    return Actor(post.person, union, frozenset([role]))


def play() -> Campaign:
    """Play what is not yet played. Each campaign is one transaction: a stop in the middle leaves nothing."""
    campaign = Campaign.objects.get(year=YEAR)
    with transaction.atomic():
        for union in Union.objects.filter(code__in=COUNTIES):
            union.is_active = True
            union.save()
        make_accounts()
        if not Filing.objects.filter(campaign=campaign, state=Filing.State.APPROVED).exists():
            _play_2021(campaign)
    with transaction.atomic():
        if not Campaign.objects.filter(year__gt=YEAR).exists():
            _play_open(campaign)
    return campaign


def _play_2021(campaign: Campaign) -> None:
    campaign.is_sample, campaign.is_closed, campaign.mailbox = True, False, MAILBOX
    campaign.save()
    prepare_filings(campaign)
    filings = list(campaign.filings.select_related("union", "union__parent"))
    # Counties before cities before the province: a total contains what stands approved below it. The late
    # unit comes last, so that the summary at the deadline names it as missing and the next includes it.
    filings.sort(key=lambda f: (f.union.code == LATE, -f.union.path.count(".")))
    for day, filing in enumerate(filings):
        union = filing.union
        at = datetime.datetime(
            YEAR, 1, 8 + day * 18 // len(filings), 9 + day % 9, 7 * day % 60, tzinfo=SHANGHAI
        )
        with pinned(at):
            fill(filing, seed=YEAR)
        if union.code == LATE:
            with pinned(campaign.deadline + datetime.timedelta(minutes=1)):
                make_summary(campaign)
            with pinned(at):
                until = campaign.deadline + datetime.timedelta(days=2)
                root = Union.objects.get(parent=None)
                extend(
                    filing=filing,
                    until=until,
                    reason="山火扑救值守，申请延期两日（演示）",
                    by=actor(root, Role.ADMINISTRATOR),
                )
            at = campaign.deadline + datetime.timedelta(hours=20)
        with pinned(at + datetime.timedelta(hours=2)):
            submit(filing=filing, by=actor(union, Role.SUBMITTER))
        if union.code == RETURNED_ONCE:
            with pinned(at + datetime.timedelta(hours=5)):
                send_back(
                    filing=filing,
                    round_number=1,
                    reason="E1 落实民生政策与上年相差较大，请核对后重新上报（演示）",
                    by=reviewer_of(union),
                    cells=["warmth:E1"],
                )
            filing.refresh_from_db()
            with pinned(at + datetime.timedelta(hours=22)):
                _retype(filing, "E1")
                submit(filing=filing, by=actor(union, Role.SUBMITTER))
        filing.refresh_from_db()
        number = filing.current_round.number if filing.current_round else 0
        with pinned(at + datetime.timedelta(hours=26)):
            approve(filing=filing, round_number=number, by=reviewer_of(union))
    with pinned(campaign.deadline + datetime.timedelta(days=3)):
        make_summary(campaign)
    # The round is long over: nobody's inbox is full of it, no e-mail about it waits.
    Outbox.objects.filter(sent_at=None).update(sent_at=campaign.deadline + datetime.timedelta(days=3))
    Message.objects.filter(read_at=None).update(read_at=campaign.deadline + datetime.timedelta(days=3))
    campaign.is_closed = True
    campaign.save()


def _play_open(closed: Campaign) -> None:
    """The coming festival's campaign, open now, so that a visitor can fill, submit and review at once."""
    root = Union.objects.get(parent=None)
    moment = now().astimezone(SHANGHAI)
    deadline_passed = (moment.month, moment.day) > (1, 27)
    campaign = clone_campaign(
        campaign=closed, year=moment.year + deadline_passed, by=actor(root, Role.ADMINISTRATOR)
    )
    campaign.opens_at = min(campaign.opens_at, moment - datetime.timedelta(days=1))
    campaign.is_sample, campaign.mailbox = True, MAILBOX
    campaign.save()
    prepare_filings(campaign)
    for code in (*SUBMITTED_NOW, RETURNED_NOW, HALF_DONE_NOW):
        filing = campaign.filings.select_related("union").get(union__code=code)
        fill(filing, seed=campaign.year, half=code == HALF_DONE_NOW)
        if code != HALF_DONE_NOW:
            submit(filing=filing, by=actor(filing.union, Role.SUBMITTER))
        if code == RETURNED_NOW:
            send_back(
                filing=filing,
                round_number=1,
                reason="H1 与 H2 疑似填反，请核对（演示）",
                by=reviewer_of(filing.union),
                cells=["helpcenter:H1", "helpcenter:H2"],
            )


def fill(filing: Filing, *, seed: int, half: bool = False) -> None:
    """Type made figures into both forms, answer what is asked, upload a made report."""
    union = filing.union
    filler = actor(union, Role.FILLER)
    random = Random(f"{seed}:{union.code}")
    size = 1 if union.kind == Union.Kind.COUNTY else random.randint(2, 9)
    for sheet in sheets_for(filing.campaign):
        cells = sheet.form.made_figures(union.kind, size, random)
        changes = [Change(code, "", text) for code, text in cells.items() if code in sheet.fields]
        save_cells(
            filing=filing, slug=sheet.slug, changes=changes[: len(changes) // 2 if half else None], by=filler
        )
    if half:
        return
    for form in assess(filing).forms:
        for problem in form.unexplained:
            explain(
                filing=filing,
                slug=form.sheet.slug,
                rule_id=problem.rule,
                text="演示数据：按随机数生成，已核对无误。",
                by=filler,
            )
    head = {
        "filler_name": filler.person.name,
        "filler_phone": filler.person.phone,
        "filled_on": f"{now():%Y-%m-%d}",
    }
    save_head(filing=filing, values=head, by=filler)
    name = f"{union.name}送温暖报告（演示数据）.docx"
    store_report(
        filing=filing, upload=SimpleUploadedFile(name, made_report(union, filing.campaign)), by=filler
    )
    filing.refresh_from_db()


def _retype(filing: Filing, code: str) -> None:
    row = assess(filing).form("warmth").row
    was = row.text(code)
    save_cells(
        filing=filing,
        slug="warmth",
        changes=[Change(code, was, str(int(was) + 12))],
        by=actor(filing.union, Role.FILLER),
    )


def reviewer_of(union: Union) -> Actor:
    return actor(union.parent or union, Role.REVIEWER)


def made_report(union: Union, campaign: Campaign) -> bytes:
    return made_document(
        f"{union.name}{campaign.year}年元旦春节送温暖活动情况报告",
        "（演示数据，不代表任何单位的真实工作。）",
        "一、总体情况。两节期间走访慰问情况见所附统计表。",
        "二、存在问题和建议。（略）",
    )


def made_document(*paragraphs: str) -> bytes:
    """The smallest Word document that Word, WPS and LibreOffice open."""
    body = "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in paragraphs)
    office = "http://schemas.openxmlformats.org"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{office}/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument'
        '.wordprocessingml.document.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{office}/package/2006/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<w:document xmlns:w="{office}/wordprocessingml/2006/main"><w:body>{body}</w:body>'
        "</w:document>",
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(
                zipfile.ZipInfo(name), f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>{text}'
            )
    return stream.getvalue()
