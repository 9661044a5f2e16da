"""Whose workbook it is and which campaign's: refused where it says another's, told where it is in doubt.

What decides: the signed mark, 填报单位, the title of a table, the year of its labels (2020年度). What only hints: the name
of a tab or a file, the date, a remark. A hint against what decides is told; a hint alone is enough to refuse, never to
take another union's figures, or another year's, for these.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from reporting.errors import Refused
from reporting.models import Campaign
from reporting.reading.head import Found
from reporting.reading.intake import shown
from reporting.reading.recognition import Note, WorkbookRead, plain
from reporting.reading.years import DATA, NamedYear, year_of_name
from unions.models import Union

# A workbook is filled in from a little before its campaign opens to some months after it should have come.
EARLY, LATE = datetime.timedelta(days=60), datetime.timedelta(days=300)


# -- the year ------------------------------------------------------------------------------------------------


def campaign_of(read: WorkbookRead, campaigns: Sequence[Campaign], file: str) -> Campaign:
    """The one of `campaigns` that the workbook is of; the first where nothing says. Raises Refused for no one's."""
    titles = _titles(read)
    if read.mark:
        return _of_mark(read.mark.year, titles, campaigns)
    if titles:
        left = [c for c in campaigns if not any(_is_never(year, c) for year in titles)]
        if not left:
            raise _of_no_campaign(titles, campaigns)
        labelled = [c for c in left if read.label_years == (c.data_year,)]
        return max(labelled or left, key=lambda c: sum(_closeness(year, c) for year in titles))
    if read.label_years:
        return _of_labels(read, campaigns)
    hints = _hints(read, file)
    dates = _dates(read)
    if not hints and not dates:
        return campaigns[0]
    for campaign in campaigns:
        if any(_may_be(year, campaign) for year in hints) or any(_is_in(d, campaign) for d, _ in dates):
            return campaign
    wanted = _years(campaigns)
    said = [f"{_place(year)}写着“{shown(year.text, 40)}”" for year in hints]
    said += [f"{where} 的填报日期是 {date}" for date, where in dates]
    raise Refused(
        f"标题没有写年份，{'，'.join(said[:2])}，不像是 {wanted} 年的报表，没有读入。"
        f"确是 {wanted} 年的，请在标题写上年份或改正日期，另存后再上传。"
    )


def require_labels_agree(read: WorkbookRead, campaign: Campaign) -> None:
    if read.data_years:
        stated = "、".join(map(str, read.data_years))
        if read.mark:
            said = f"文件是 {campaign.year} 年的模板"
        elif any(campaign.year in year.years for year in _titles(read)):
            said = f"标题是 {campaign.year} 年的"
        else:
            said = f"这里接收 {campaign.year} 年的报表"
        raise Refused(
            f"{said}，项目却写着 {stated} 年度（应为 {campaign.data_year} 年度），不知是哪一年的数。"
            "请改正后再上传。"
        )


def notes_of_year(read: WorkbookRead, campaign: Campaign, file: str) -> list[Note]:
    """What speaks of another year beside what has decided, or that nothing does. A date of another year is not kept."""
    titles, hints = _titles(read), _hints(read, file)
    dates = _dates(read)
    notes = []
    for year in (*titles, *hints):
        is_counted_wrong = (
            year.of == DATA
            and year.is_whole
            and campaign.data_year not in year.years
            and campaign.year in year.years
        )
        if is_counted_wrong and read.label_years != (campaign.data_year,):
            wanted = f"这里统计的是 {campaign.data_year} 年度"
        elif is_counted_wrong or (_may_be(year, campaign) and len(year.years) == 1):
            continue
        else:
            wanted = f"这里接收 {campaign.year} 年的报表"
        notes.append(
            Note(year.where, f"{year.named}写着“{shown(year.text, 40)}”，{wanted}，请核对是不是这一年的数。")
        )
    if not read.mark:
        notes += _notes_of_dates(read, dates, campaign)
        is_said = titles or read.label_years or any(_may_be(year, campaign) for year in hints)
        if not is_said and not any(_is_in(date, campaign) for date, _ in dates):
            notes.append(Note("", f"文件没有写年份，按 {campaign.year} 年的报表读取，请确认是这一年的数。"))
    return list(dict.fromkeys(notes))


def _notes_of_dates(
    read: WorkbookRead, dates: Sequence[tuple[datetime.date, str]], campaign: Campaign
) -> Iterator[Note]:
    for date, where in dates:
        if not _is_in(date, campaign):
            yield Note(
                where,
                f"填报日期 {date} 不在 {campaign.year} 年报送的时间里，没有读入。"
                "请核对是不是这一年的报表，并在填报页填写日期。",
            )
            for form in read.forms:
                if form.head.get("filled_on") == date.isoformat():
                    del form.head["filled_on"]


def _titles(read: WorkbookRead) -> list[NamedYear]:
    return list(dict.fromkeys(year for head in read.heads for year in head.years if year.is_title))


def _hints(read: WorkbookRead, file: str) -> list[NamedYear]:
    hints = [year for head in read.heads for year in head.years if not year.is_title]
    if named := year_of_name(PurePath(file).stem, "文件名"):
        hints.append(replace(named, of=named.of or DATA))
    return list(dict.fromkeys(hints))


def _dates(read: WorkbookRead) -> list[tuple[datetime.date, str]]:
    found = [(head.values.get("filled_on"), head.filled_at) for head in read.heads]
    return list(dict.fromkeys((datetime.date.fromisoformat(d), where) for d, where in found if d))


def _place(year: NamedYear) -> str:
    return year.named or f"{year.where} "


def _may_be(year: NamedYear, campaign: Campaign) -> bool:
    return year.is_of(campaign.year, campaign.data_year)


def _is_never(year: NamedYear, campaign: Campaign) -> bool:
    return year.is_never_of(campaign.year, campaign.data_year)


def _closeness(year: NamedYear, campaign: Campaign) -> int:
    """帮扶中心 of 2020 is what the campaign counts that counts 2020, rather than that of the festival of 2020."""
    wanted = campaign.data_year if year.of == DATA else campaign.year
    return 2 * (wanted in year.years) + _may_be(year, campaign)


def _is_in(date: datetime.date, campaign: Campaign) -> bool:
    """Also any date from the October before the festival on: what the campaign's own days say is for sending."""
    if campaign.opens_at.date() - EARLY <= date <= campaign.deadline.date() + LATE:
        return True
    return datetime.date(campaign.year - 1, 10, 1) <= date <= datetime.date(campaign.year, 9, 30)


def _years(campaigns: Sequence[Campaign]) -> str:
    return "、".join(str(campaign.year) for campaign in campaigns)


def _of_mark(marked: int, titles: Sequence[NamedYear], campaigns: Sequence[Campaign]) -> Campaign:
    campaign = next((c for c in campaigns if c.year == marked), None)
    for title in titles:
        is_other = _is_never(title, campaign) if campaign else title.is_never_of(marked, marked - 1)
        if is_other:
            said = "、".join(map(str, title.years))
            raise Refused(
                f"文件是 {marked} 年的模板，标题却写着 {said} 年，不知是哪一年的报表（{title.where}）。"
                "请用当年的模板填写后再上传。"
            )
    if campaign is None:
        raise Refused(f"这是 {marked} 年的报表，这里接收 {_years(campaigns)} 年的。请选择正确的文件。")
    return campaign


def _of_no_campaign(titles: Sequence[NamedYear], campaigns: Sequence[Campaign]) -> Refused:
    said = sorted({year for title in titles for year in title.years})
    if len(said) > 1:
        return Refused(
            f"文件里写着不同的年份（{'、'.join(map(str, said))}），不知是哪一年的报表。请改正标题后再上传。",
            *(f"{title.where} 写着“{shown(title.text, 40)}”。" for title in titles[:5]),
        )
    first = titles[0]
    return Refused(
        f"这是 {said[0]} 年的报表，这里接收 {_years(campaigns)} 年的。{first.where} 写着“{shown(first.text, 40)}”，"
        "请选择正确的文件；是标题写错的，改正后再上传。"
    )


def _of_labels(read: WorkbookRead, campaigns: Sequence[Campaign]) -> Campaign:
    """Without a year in the title: labels like 2019年度 tell."""
    for campaign in campaigns:
        if read.label_years == (campaign.data_year,):
            return campaign
    stated = "、".join(map(str, read.label_years))
    wanted = "、".join(str(campaign.data_year) for campaign in campaigns)
    raise Refused(f"这份报表统计的是 {stated} 年度，这里接收 {wanted} 年度的。请选择正确的文件。")


# -- the union -----------------------------------------------------------------------------------------------


@dataclass
class _Names:
    """What a workbook is called by: behind 填报单位, and other unions' full names elsewhere in it."""

    stated: list[Found]
    unclear: list[Found]  # behind 填报单位 or a like word, but no union that we know


def union_of(
    read: WorkbookRead,
    unions: Sequence[Union],
    expected: Union | None,
    *,
    file: str,
    others: Iterable[Union] | None = None,
) -> tuple[Union, list[Note]]:
    """The one of `unions` whose it is. `others` are all that may be named in it, when these are more.

    Raises Refused where it is another's than `expected`, or says two unions, or none and none is expected.
    """
    known = list(others if others is not None else unions)
    names = _names(read, [*unions, *known])
    union = _stated_union(read, names.stated, unions, expected)
    named = _others_named(union, read, file, known)
    for other, place, is_title in named:
        if is_title and (read.mark or names.stated):
            said = f"文件是{union.name}的模板" if read.mark else f"填报单位是{union.name}"
            raise Refused(
                f"{said}，标题却写着“{other.name}”（{place.strip()}），不知是谁的报表。请改正后再上传。"
            )
        if not read.mark and not names.stated:
            raise Refused(
                f"{place}写着“{other.name}”，文件里没有写明填报单位是{union.name}，没有读入。"
                "请选择本单位的文件；确是本单位的，请在“填报单位”后写上单位名称再上传。"
            )
    notes = [
        Note("", f"{place}写着“{other.name}”，请核对是不是{union.name}的报表。") for other, place, _ in named
    ]
    if not read.mark and not names.stated:
        notes.append(_note_of_nobody(names, read, union))
    return union, notes


def _note_of_nobody(names: _Names, read: WorkbookRead, union: Union) -> Note:
    if names.unclear:
        first = names.unclear[0]
        return Note(
            first.where, f"单位写作“{shown(first.text, 30)}”，认不出是哪个单位，请确认是{union.name}的报表。"
        )
    for head in read.heads:
        for title in head.titles:
            if union.name in title.text:
                return Note(
                    title.where, f"文件只在这里写着“{union.name}”，没有写填报单位，请确认是本单位的报表。"
                )
    return Note("", f"文件没有写填报单位，请确认是{union.name}的报表。")


def _names(read: WorkbookRead, known: Sequence[Union]) -> _Names:
    stated = [found for head in read.heads for found in head.unions]
    unclear = []
    is_stated = bool(stated)
    for found in (found for head in read.heads for found in head.perhaps):
        is_name = not is_stated and bool(_UNION_NAME.fullmatch(plain(found.text)))
        if is_name or any(is_called(union, found.text) for union in known):
            stated.append(found)
        else:
            unclear.append(found)
    return _Names(list({found.text: found for found in reversed(stated)}.values())[::-1], unclear)


_UNION_NAME = re.compile(r"[\u4e00-\u9fff]{2,30}工会(?:委员会)?")


def _stated_union(
    read: WorkbookRead, stated: Sequence[Found], unions: Sequence[Union], expected: Union | None
) -> Union:
    where = ""
    if read.mark:
        found = [union for union in unions if union.code == read.mark.union]
        named = found[0].name if found else "其他单位"
        # A template that was handed on to another union, which wrote its own name over the first.
        if found and any(not is_called(found[0], name.text) for name in stated):
            names = "、".join(name.text for name in stated)
            raise Refused(
                f"文件是{named}的模板，填报单位却写着“{shown(names, 60)}”，不知是谁的报表。"
                "请用本单位的模板填写后再上传。"
            )
    else:
        if not _are_one(stated, unions):
            names = "、".join(name.text for name in stated)
            raise Refused(
                f"文件里写着不同的填报单位（{shown(names, 100)}），不知是谁的报表。请改正后再上传。"
            )
        named = stated[0].text if stated else ""
        where = f"（{stated[0].where}）" if stated else ""
        found = [union for union in unions if named and is_called(union, named)]
    if expected is not None:
        if (named or read.mark) and expected not in found:
            raise Refused(
                f"这是“{shown(named, 30)}”的报表，不是{expected.name}的，没有读入{where}。请选择本单位的文件。"
            )
        return expected
    if not named:
        raise Refused("文件没有写填报单位，不知是谁的报表。请在“填报单位”后写上单位名称。")
    if len(found) > 1:
        raise Refused(
            f"叫“{shown(named, 30)}”的单位不止一个（{'、'.join(union.name for union in found[:5])}），请在“填报单位”后写全称。"
        )
    if not found:
        raise Refused(f"没有叫“{shown(named, 30)}”的单位，请核对填报单位的名称{where}。")
    return found[0]


def _are_one(stated: Sequence[Found], unions: Sequence[Union]) -> bool:
    """Whether all these names are one union's, perhaps once in short."""
    if len({plain(name.text) for name in stated}) <= 1:
        return True
    return any(all(is_called(union, name.text) for name in stated) for union in unions)


def _others_named(
    union: Union, read: WorkbookRead, file: str, known: Sequence[Union]
) -> list[tuple[Union, str, bool]]:
    """(union, where, whether it begins a title) for every other union that is named by its full name; a tab or a file
    may also be called by the short one. A union's own name may stand beside that of a union above it."""
    by_length = sorted({u.name: u for u in (*known, union)}.values(), key=lambda u: len(u.name), reverse=True)
    places = [(found.text, f"{found.where} ", True) for head in read.heads for found in head.titles]
    stem = "".join(PurePath(file).stem.split())
    places += [
        ("".join(tab.split()), f"工作表名“{shown(tab, 40)}”", False)
        for tab in dict.fromkeys(head.tab for head in read.heads)
    ]
    places.append((stem, f"文件名“{shown(file, 40)}”", False))
    out = []
    for text, where, is_cell in places:
        for other in by_length:
            if other.name in text:
                begins = is_cell and text.startswith(other.name) and not _LABELLED.match(text)
                text = text.replace(other.name, " ")
            elif (
                not is_cell
                and text
                and plain(text) in (plain(other.short_name), _place_of(plain(other.name)))
            ):
                begins = False
            else:
                continue
            if other.name != union.name and not (other.path and union.path.startswith(other.path)):
                out.append((other, where, begins))
    return out


_LABELLED = re.compile(r".{0,12}[:;：；]")


def is_called(union: Union, name: str) -> bool:
    """Whether somebody who writes `name` means this union: 哈尔滨市总工会（章）, 哈尔滨, 哈尔滨市, 哈尔滨市工会, 哈尔滨总工会,
    黑龙江省哈尔滨市总工会, 哈尔滨市总工会权益保障部."""
    written = plain(name.partition("（")[0].partition("(")[0])
    called = plain(union.name)
    places = {_place_of(called), _place_of(plain(union.short_name))} - {""}
    if written == called or _place_of(written) in places:
        return True
    return bool(written.startswith(called) and _DEPARTMENT.fullmatch(written[len(called) :]))


_DEPARTMENT = re.compile(r"(?:(?!工会)[\u4e00-\u9fff]){2,12}(?:部|处|科|室|中心)")


# 黑龙江省伊春市, 省教育: of which province goes without saying.
_PROVINCE = re.compile(r"^(?:[\u4e00-\u9fff]{2,3})?省(?=.)")


def _place_of(name: str) -> str:
    return _PROVINCE.sub("", name.removesuffix("委员会").removesuffix("工会").removesuffix("总"))
