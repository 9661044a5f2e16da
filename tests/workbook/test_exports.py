"""The workbook as somebody chose it: what must hold in it, and how it is asked for, made, kept and taken away."""

from __future__ import annotations

import datetime
import io
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import unquote

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from reporting import exports, sheets, tasks
from reporting.aggregation import make_summary
from reporting.errors import WrongState
from reporting.exports import CHOSEN_UNITS, EVERY_UNIT, WITH_COUNTIES, Choice, Offer, file_name, in_words
from reporting.fields import MAX_FEN, YesNoField
from reporting.models import Export, Summary
from reporting.summaries import combine, sealed_sheets, units_of
from reporting.workbooks.city_sheet import tabs_of
from reporting.workbooks.export import export_workbook
from tests.aggregation.sealed import Province, made, make_province, relabel
from tests.aggregation.test_summary_runs import together
from tests.cast import actor, person
from tests.workbook.test_summary_workbook import texts, whole
from tests.workbook.years import the_year_before
from unions.gate import Role
from unions.models import Union

State = Export.State
BOTH = ["warmth", "helpcenter"]
NOW = {"warmth": "送温暖", "helpcenter": "帮扶中心"}


@pytest.fixture(autouse=True)
def files_of_their_own(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def before(province: Province) -> Summary:
    """The year before: all had filed but the second city, and one row was not on the sheet."""
    earlier = the_year_before(province)
    earlier.approve_all(seed=5, scale=999_999)
    earlier.unapprove(province.cities[1])
    return make_summary(relabel(earlier.campaign, "warmth", "C6", off=True))


def choose(summary: Summary, *unions: str, **wanted: Any) -> Choice:
    wanted = {"forms": BOTH, "whose": CHOSEN_UNITS if unions else EVERY_UNIT, "unions": unions} | wanted
    return Offer.of(summary).choose(**wanted)


def everything(summary: Summary, *unions: str) -> Choice:
    return choose(summary, *unions, level=WITH_COUNTIES, cities=True, compare=True)


def opened(content: bytes, *, results: bool = True) -> Workbook:
    return load_workbook(io.BytesIO(content), data_only=results)


def lines_by(page: Worksheet, column: int, rows: int = 200) -> dict[str, int]:
    found = ((page.cell(row, column).value, row) for row in range(1, rows))
    return {str(value): row for value, row in found if value}


def everything_said(book: Workbook) -> str:
    return "\n".join(said for page in book for said in texts(page))


# -- what must hold in it ----------------------------------------------------------------------------------


def test_some_units_are_added_up_by_themselves_and_every_sheet_says_that_they_are_some(
    summary: Summary,
) -> None:
    choice = choose(summary, "230100", "230300", "230400")
    book = opened(export_workbook(summary, choice))
    for sheet in sealed_sheets(summary):
        chosen = [u for u in units_of(summary, sheet.slug) if u.union.code in choice.unions]
        page = book[f"{NOW[sheet.slug]}汇总表"]
        for number, row in enumerate(sheet.rows, 7):
            wanted = combine(sheet.field(row.code), [unit.figures[row.code] for unit in chosen])
            assert whole(page.cell(number, 5).value, sheet.field(row.code)) == wanted
    caption = "所选 3 个单位中已纳入的 2 个合计（不是全省汇总）"
    for title in ("封面", "送温暖汇总表", "帮扶中心汇总表", "送温暖分单位明细", "报送情况"):
        assert any(caption in said for said in texts(book[title])), title
        assert caption in book[title].oddFooter.left.text
    cover = "\n".join(texts(book["封面"]))
    assert "共 3 个：已纳入 2 个（其中逾期 1 个），未纳入 1 个" in cover
    assert "第4市总工会（已退回）" in cover
    # Nobody has signed this sum, no rule has been asked about it, and who was not chosen is not in it.
    said = everything_said(book)
    assert not re.search("盖章|第2市|黑龙江省总工会（本级）", said)
    assert "审核关系" not in cover
    assert [book["报送情况"].cell(row, 2).value for row in (4, 5, 6)] == [
        f"第{number}市总工会" for number in (1, 3, 4)
    ]


def test_with_counties_the_total_obeys_the_column_of_the_levels(summary: Summary) -> None:
    content = export_workbook(summary, choose(summary, level=WITH_COUNTIES))
    for sheet in sealed_sheets(summary):
        title = f"{NOW[sheet.slug]}分单位明细"
        page, live = opened(content)[title], opened(content, results=False)[title]
        names = [page.cell(row, 2).value for row in range(6, page.max_row + 1) if page.cell(row, 2).value]
        assert names == [
            "黑龙江省总工会（本级）",
            "第1市总工会",
            "第1市总工会（本级）",
            "第1市第1区总工会",
            "第1市第2区总工会",
            "第2市总工会",
            "第2市总工会（本级）",
            "第2市第1区总工会",
            "第3市总工会（逾期）",
        ]
        levels = [page.cell(row, 3).value for row in range(6, 15)]
        assert levels == [f"{level}级" for level in "一一二二二一二二一"]
        assert [page.cell(row, 2).alignment.indent for row in (7, 8)] == [0, 1]
        total = lines_by(page, 1)["合计"]
        for column, row in enumerate(sheet.rows, 4):
            field, figure = sheet.field(row.code), summary.figures[sheet.slug][row.code]
            units = [page.cell(line, column).value for line in range(6, 15) if levels[line - 6] == "一级"]
            formula, shown = live.cell(total, column).value, page.cell(total, column).value
            if isinstance(field, YesNoField):
                assert (shown, formula.startswith("=COUNTIFS($C$6:$C$14,")) == (units.count("是"), True)
            else:
                assert sum(whole(value, field) or 0 for value in units) == whole(shown, field) == figure
                assert 'SUMIF($C$6:$C$14,"一级",' in formula


def test_two_years_are_compared_to_the_fen(summary: Summary, before: Summary) -> None:
    book = opened(export_workbook(summary, choose(summary, compare=True)))
    for sheet in sealed_sheets(summary):
        page = book[f"{NOW[sheet.slug]}与2020年比较"]
        assert [page.cell(4, column).value for column in range(5, 9)] == [
            "本年\n（2021年）",
            "上年\n（2020年）",
            "增减",
            "增减%",
        ]
        for number, row in enumerate(sheet.rows, 5):
            field, code = sheet.field(row.code), row.code
            now, then = summary.figures[sheet.slug][code], before.figures[sheet.slug].get(code)
            shown = [page.cell(number, column).value for column in range(5, 9)]
            assert [whole(value, field) for value in shown[:2]] == [now, then], code
            if isinstance(field, YesNoField):
                assert shown[2:] == ["不变" if now == then else "由否变是", "—"]
            elif now is None or then is None:
                assert shown[2:] == ["—", "—"]
            else:
                assert whole(shown[2], field) == now - then
                share = Decimal(now - then) / then if then else None
                assert shown[3] == (pytest.approx(float(share), abs=0.00005) if share is not None else "—")
    page = book["送温暖与2020年比较"]
    assert page.cell(lines_by(page, 2)["C6"], 6).value is None, "nobody was asked for it then"
    said = texts(page)
    assert "只有2021年的表上有：C6。" in said
    assert (
        "两年计入的单位不同，合计的增减也含这一差别：只在2021年计入的有第2市总工会；只在2020年计入的有第4市总工会。"
        in said
    )


def test_a_row_that_only_the_earlier_sheet_has_keeps_its_place_and_nothing_is_reckoned_from_nothing(
    province: Province,
) -> None:
    before = the_year_before(province)
    own = before.approve_all()
    for code in own:
        own[code]["warmth"] |= {"B": 0, "I": 0, "H": 0}
        before.approve(Union.objects.get(code=code), own[code])
    make_summary(before.campaign)
    relabel(province.campaign, "warmth", "C6", off=True)
    own = province.approve_all(scale=0)
    own["230400"]["warmth"] |= {"H": 1, "I": MAX_FEN}
    province.approve(province.cities[3], own["230400"])
    summary = make_summary(province.campaign)
    page = opened(export_workbook(summary, choose(summary, forms=["warmth"], compare=True)))[
        "送温暖与2020年比较"
    ]
    line = lines_by(page, 2)
    assert line["C6"] == line["D5"] + 1
    assert (page.cell(line["C6"], 5).value, page.cell(line["C6"], 7).value) == (None, "—")
    assert "只有2020年的表上有：C6。" in texts(page)
    assert [page.cell(line["B"], column).value for column in (5, 6, 7, 8)] == [0, 0, 0, "—"]
    longest = sheets.sheet_for(province.campaign, "warmth").fields["I"].grouped(MAX_FEN)
    assert [page.cell(line["I"], column).value for column in (5, 6, 7, 8)] == [longest, 0, longest, "—"]


def test_a_city_has_a_sheet_with_itself_and_its_counties(summary: Summary, before: Summary) -> None:
    content = export_workbook(summary, everything(summary))
    book, live = opened(content), opened(content, results=False)
    assert book.sheetnames[7:-2] == ["第1市", "第2市"]
    page = book["第1市"]
    assert [cell.value for cell in page[3]][4:] == [
        "合计",
        "2020年合计",
        "增减",
        "增减%",
        "本级",
        "第1区",
        "第2区",
    ]
    assert (page.freeze_panes, page.print_title_rows, page.page_setup.orientation) == (
        "E4",
        "$3:$3",
        "landscape",
    )
    line = 4
    for sheet in sealed_sheets(summary):
        (city,) = [unit for unit in units_of(summary, sheet.slug) if unit.union.code == "230100"]
        (then,) = [unit for unit in units_of(before, sheet.slug) if unit.union.code == "230100"]
        assert sheet.title in page.cell(line, 1).value
        for row, printed in enumerate(sheet.rows, line + 1):
            field = sheet.field(printed.code)
            total, earlier, *_ = (page.cell(row, column).value for column in range(5, 9))
            assert whole(total, field) == city.figures[printed.code]
            if printed.code in before.figures[sheet.slug]:
                assert whole(earlier, field) == then.figures[printed.code]
            assert f"I{row}:K{row}" in live["第1市"].cell(row, 5).value
        line += 1 + len(sheet.rows)
    assert "两年计入的下级单位相同，共 2 个。" in texts(page)
    assert "2020年的汇总没有第2市总工会。" in texts(book["第2市"])


def test_tabs_are_legal_short_and_unlike_each_other() -> None:
    made = tabs_of(["封面", "a/b:[c]", "ABC", "长" * 40, "长" * 41, "'", "History"], ["封面"])
    assert made == ["封面（2）", "abc", "ABC（2）", "长" * 31, "长" * 28 + "（2）", "单位", "History（2）"]


def test_the_same_choice_gives_the_same_bytes_whatever_the_process_remembers(
    summary: Summary, before: Summary
) -> None:
    first = export_workbook(summary, everything(summary, "230100", "230200"))
    sheets._kept.clear()
    again = Summary.objects.get(pk=summary.pk)
    assert export_workbook(again, everything(again, "230100", "230200")) == first


def grow(province: Province, cities: int) -> None:
    """So many more cities, each with a county, all approved."""
    kinds, before = Union.Kind, len(province.cities)
    for n in range(before + 1, before + 1 + cities):
        city = Union.objects.create(
            code=f"g{n}",
            name=f"增{n}市总工会",
            short_name=f"增{n}",
            kind=kinds.CITY,
            parent=province.root,
            position=n,
        )
        county = Union.objects.create(
            code=f"g{n}1", name=f"增{n}市一区总工会", short_name="一区", kind=kinds.COUNTY, parent=city
        )
        province.cities.append(city)
        for union in (county, city):
            province.approve(union, made(province.campaign, Random(n), 9))


def test_many_units_cost_what_few_cost(province: Province, summary: Summary, before: Summary) -> None:
    counts = []
    for wanted in (summary, None):
        if wanted is None:
            grow(province, 9)
            wanted = make_summary(province.campaign)
        choice = everything(wanted)
        with CaptureQueriesContext(connection) as queries:
            assert Offer.of(wanted).short_names
            export_workbook(wanted, choice)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 25


# -- asking ------------------------------------------------------------------------------------------------


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"forms": []}, "还没有选报表"),
    ({"forms": ["warmth", "nothing"]}, "没有报表“nothing”"),
    ({"whose": "chosen"}, "还没有选单位"),
    ({"whose": "chosen", "unions": ["230100", "999999", "\x00"]}, "没有单位“\x00”等 2 个"),
    ({"whose": "chosen", "unions": ["230400"]}, "所选单位都没有纳入这份汇总"),
    ({"whose": ""}, "请选择全部单位"),
    ({"level": "deeper"}, "请选择层级"),
    ({"compare": "1"}, "没有以前年度的汇总可以比较"),
]


def test_what_cannot_be_chosen_is_refused_in_a_sentence_and_nothing_is_stored(
    summary: Summary, province: Province
) -> None:
    later = the_year_before(province)
    later.campaign.year = 2022
    later.campaign.save()
    make_summary(later.campaign)  # a year that was not yet is nothing to compare with
    client = Client()
    client.force_login(province.director)
    address = reverse("exports", args=[summary.pk])
    assert "不能与上年比较" in client.get(address).content.decode()
    for wrong, sentence in WRONG:
        body = {"forms": BOTH, "whose": "all", "level": "units", "cities": "1"} | wrong
        answer = client.post(address, body)
        text = answer.content.decode()
        assert (answer.status_code, sentence in text) == (422, True), wrong
        assert re.search(r'name="cities"[^>]* checked', text), "what was ticked stays ticked"
    assert not Export.objects.exists()


def test_the_same_choice_is_one_export_in_whatever_order_it_is_ticked(
    province: Province, summary: Summary, before: Summary
) -> None:
    by = province.actor
    some = exports.request_export(summary=summary, choice=choose(summary, "230300", "230100"), by=by)
    same = exports.request_export(
        summary=summary, choice=choose(summary, "230100", "230300", forms=BOTH[::-1]), by=by
    )
    assert same == some
    client, address = Client(), reverse("exports", args=[summary.pk])
    client.force_login(province.director)
    client.get(address)  # the first page of a session asks for more
    with CaptureQueriesContext(connection) as one:
        client.get(address)
    everybody = ["230000", "230100", "230200", "230300", "230400"]
    assert choose(summary, *everybody) == choose(summary) == choose(summary, *everybody[:4])
    others = [
        choose(summary),
        choose(summary, "230100"),
        choose(summary, "230100", "230300", forms=["warmth"]),
        choose(summary, "230100", "230300", compare=True),
        choose(summary, "230100", "230300", cities=True),
    ]
    pks = {exports.request_export(summary=summary, choice=choice, by=by).pk for choice in others}
    assert len(pks | {some.pk}) == 6
    with CaptureQueriesContext(connection) as six:
        client.get(address)
    assert len(six) == len(one)
    assert (some.requested_by, some.state) == (province.director, State.WAITING)


def test_words_and_file_name_say_what_is_in_it(summary: Summary) -> None:
    full = replace(
        choose(summary, "230100", "230200", "230000", "230400", level=WITH_COUNTIES, cities=True),
        compared=summary,
    )
    assert file_name(summary, choose(summary)) == "2021年送温暖统计汇总_第1号_全省.xlsx"
    assert file_name(summary, full) == (
        "2021年送温暖统计汇总_第1号_省总工会本级等4个单位_含县区_各市分表_与2021年比较.xlsx"
    )
    one = choose(summary, "230100", forms=["warmth"])
    assert file_name(summary, one) == "2021年送温暖统计汇总_第1号_送温暖统计表_第1市.xlsx"
    assert in_words(summary, one) == ["送温暖统计表", "第1市"]
    assert in_words(summary, full) == [
        "全部报表",
        "省总工会本级、第1市、第2市等 4 个单位",
        "含县区",
        "各市分表",
        "与2021年第 1 号汇总比较",
    ]


def test_who_may_not_see_summaries_asks_for_none(province: Province, summary: Summary) -> None:
    strangers = [
        province.clerk,
        person(province.root, Role.FILLER, Role.SUBMITTER),
        person(province.cities[0], *Role),
    ]
    body = {"forms": BOTH, "whose": "all", "level": "units"}
    address = reverse("exports", args=[summary.pk])
    for someone in strangers:
        client = Client()
        client.force_login(someone)
        assert client.post(address, body).status_code == 403
    assert Client().post(address, body).headers["Location"].startswith("/login/")
    with pytest.raises(PermissionDenied):
        exports.request_export(
            summary=summary, choice=choose(summary), by=actor(province.clerk, province.root)
        )
    assert not Export.objects.exists()


def test_from_the_form_over_the_progress_to_the_file(
    province: Province, summary: Summary, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(tasks.make_exports, "delay", lambda: told.append("make"))
    client = Client()
    client.force_login(person(province.root, Role.AUDITOR, name="审计员甲"))
    address = reverse("exports", args=[summary.pk])
    body = {"forms": BOTH, "whose": "chosen", "unions": ["230100", "230300"], "level": "all"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.transaction.on_commit", lambda work, **_: work())
        answer = client.post(address, body)
    export = Export.objects.get()
    progress = reverse("export_progress", args=[export.pk])
    assert (answer.headers["Location"], told) == (progress, ["make"])
    assert "排队中" in client.get(progress).content.decode()
    tasks.progress_in_cache(export)(3, 9, "正在写入“说明”")
    part = client.get(progress, headers={"HX-Request": "true"}).content.decode()
    assert 'max="9" value="3"' in part and "正在写入“说明”" in part and "<html" not in part
    Export.objects.update(requested_at=timezone.now() - datetime.timedelta(minutes=5))
    assert "不必守在此页" in client.get(progress).content.decode()
    tasks.make_exports()
    done = client.get(progress, headers={"HX-Request": "true"}).headers["HX-Redirect"]
    assert done == f"{address}#export-{export.pk}"
    listed = client.get(address).content.decode()
    assert "全部报表 · 第1市、第3市 · 含县区" in listed
    assert "审计员甲" in listed and f'id="export-{export.pk}"' in listed
    file = client.get(reverse("export_file", args=[export.pk]))
    content = b"".join(file.streaming_content)  # type: ignore[arg-type]
    assert content == export_workbook(summary, choose(summary, "230100", "230300", level="all"))
    assert (file.headers["X-Content-Type-Options"], file.headers["Cache-Control"]) == (
        "nosniff",
        "private, no-store",
    )
    name = "2021年送温暖统计汇总_第1号_第1市等2个单位_含县区.xlsx"
    assert name in unquote(file.headers["Content-Disposition"])
    again = client.post(address, body)
    assert again.headers["Location"] == done
    assert "已经生成过" in client.get(address).content.decode()


# -- making ------------------------------------------------------------------------------------------------


def silent(export: Export) -> Callable[[int, int, str], None]:
    return lambda done, of, what: None


def stored(settings: Any) -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def refuse(*args: Any, **kwargs: Any) -> None:
    raise OSError("磁盘满了")


def test_what_fails_is_tried_again_then_given_up_and_can_be_asked_for_anew(
    province: Province, summary: Summary, settings: Any
) -> None:
    export = exports.request_export(summary=summary, choice=choose(summary), by=province.actor)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reporting.workbooks.export.filings_sheet", refuse)
        for attempt in range(1, exports.MAX_ATTEMPTS + 1):
            assert export.state == State.WAITING
            tasks.make_exports()  # tries once, and leaves the next try to the next minute
            export.refresh_from_db()
            assert (export.attempts, export.error) == (attempt, "OSError: 磁盘满了")
    assert (export.state, stored(settings)) == (State.FAILED, [])
    assert exports.work_off_one(silent) is None
    client = Client()
    client.force_login(province.director)
    address = reverse("export_progress", args=[export.pk])
    text = client.get(address).content.decode()
    assert "没有生成，已试 3 次" in text and "磁盘满了" in text and "hx-get" not in text
    assert client.post(reverse("export_again", args=[export.pk])).headers["Location"] == address
    tasks.make_exports()
    export.refresh_from_db()
    assert (export.state, export.error, len(stored(settings))) == (State.DONE, "", 1)
    with pytest.raises(WrongState, match="已完成，不必再试"):
        exports.try_again(export=export, by=province.actor)
    stored(settings)[0].unlink()
    assert client.get(reverse("export_file", args=[export.pk])).headers["Location"] == reverse(
        "exports", args=[summary.pk]
    )
    again = exports.request_export(summary=summary, choice=choose(summary), by=province.actor)
    assert (again.pk, again.state) == (export.pk, State.WAITING), "what was lost is made anew"


def test_a_file_does_not_stay_where_its_row_could_not_say_so(
    province: Province, summary: Summary, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = exports.request_export(summary=summary, choice=choose(summary), by=province.actor)
    monkeypatch.setattr(Export, "save", refuse)
    with pytest.raises(OSError, match="磁盘满了"):
        exports.work_off_one(silent)
    export.refresh_from_db()
    assert (export.state, export.attempts, stored(settings)) == (State.WAITING, 0, [])


@pytest.mark.django_db(transaction=True)
def test_two_who_ask_get_one_export_and_two_workers_make_it_once(settings: Any) -> None:
    province = make_province(cities=1)
    province.approve_all()
    summary = make_summary(province.campaign)
    choice, by = choose(summary), province.actor
    asked = together(*[lambda: exports.request_export(summary=summary, choice=choice, by=by)] * 3)
    assert len({export.pk for export in asked}) == Export.objects.count() == 1  # type: ignore[attr-defined]
    worked = together(*[lambda: exports.work_off_one(silent)] * 2)
    export = Export.objects.get()
    assert [done for done in worked if done is not None] == [export]
    assert (export.state, export.attempts, len(stored(settings))) == (State.DONE, 1, 1)
