"""Which year a title, a tab or the name of a file speaks of, however it is written: 2020年, 二〇二〇年, 2019-2020年度.

Whether that is the year wanted is for the caller to say. Years of document numbers (〔2020〕30号), of whole dates and of
remarks (截至2020年…, 上年) name none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from reporting.reading.labels import normalise_width

FESTIVAL, DATA = "festival", "data"
MOST_TITLE = 60  # characters; what is longer is a text that cites

_NUMERALS = {**dict(zip("〇○零Oo一二三四五六七八九", "00000123456789", strict=True)), "０": "0", "0": "0"}
_IN_NUMERALS = re.compile(rf"二[〇○零Oo0][{''.join(_NUMERALS)}]{{2}}(?=年)")
_FESTIVAL = r"(?:元旦|春节|[两双][\"“”]?节|送温暖)"
_NUMBER_OF_DOCUMENT = re.compile(r"[〔\[(【<《]20\d\d[〕\])】>》]第?\d+号")
_WHOLE_DATE = re.compile(r"20\d\d[-年./]\d{1,2}[-月./]\d{1,2}(?!\d)日?")
_SHORT = re.compile(rf"(?<!\d)([12]\d)(?=年度?[\"“”]?{_FESTIVAL})")
_UNTIL = re.compile(
    rf"20\d\d(?:年?度?(?:[底末初]|\d{{1,2}}月份?|{_FESTIVAL})?)(?:至|到|[-—–~]{{1,2}})(?:20)?(\d\d)(?=年|度|[^\d年]*送)"
)
_YEAR = re.compile(
    rf"(?<!\d)(20\d\d)(?!\d)(?:年?(?P<whole>度)|年(?P<late>底|末|1[12]月)|年"
    rf"|(?=[\"“”]?{_FESTIVAL}|(?![人户万元个家名次])[^\d\W]|[)】]))"
)
# The name of a tab or a file has no other numbers of four digits, but dates and numbers of tables.
_YEAR_IN_NAME = re.compile(r"(?<![\d.-])(20\d\d)(?!\d|[-.]\d)(?:年?(?P<whole>度)|年(?P<late>底|末|1[12]月))?")
_ALONE = re.compile(r"[(\[【]?20\d\d年?度?[)\]】]?")
_OF_FESTIVAL = re.compile(rf"(?<!\d)20\d\d(?:年度?)?[\"“”]?{_FESTIVAL}")
_WORDS = re.compile(rf"{_FESTIVAL}|帮扶|统计|报表|汇总表|情况表|一览表|上报表")
_REMARK = re.compile(
    r"^(?:注|说明|备注|填[报表写]说明|要求|提示|\d+[.、:])|[。;?]|根据|按照|依据|截[至止]|通知|同期|对[照比]|相比|比较|上年|去年|往年"
)
_DOUBTED = re.compile(r"请|须|应|已|未|前报|参见|参照|详见|另")
_BRACKETS = re.compile(r"[(\[【][^()\[\]【】]*[)\]】]")
_TITLE_ENDS = re.compile(
    r"(?:表|册|账|活动|工作|情况|统计|数据|汇总|元旦|春节|节|期间|送温暖|年|年度)[\"“”]?[一二三四\d]?(?:之[一二三四])?$"
)


@dataclass(frozen=True)
class NamedYear:
    """`years` as they are written, of a range the last.

    `of`: the festival's year, the year that is counted (帮扶中心), or empty where it may be either. `is_title`: it is the
    title of a table; otherwise it may be a tab, a file's name, a remark. `is_late`: its last months, which are the next
    festival's.
    """

    years: tuple[int, ...]
    where: str
    text: str
    of: str = ""
    is_title: bool = False
    is_whole: bool = False  # 2020年度
    is_late: bool = False
    named: str = ""  # what is called so, where it is no text in a cell: 工作表名, 文件名

    def is_of(self, year: int, data_year: int) -> bool:
        """Whether it may stand over figures of that festival and of that year."""
        said = set(self.years)
        if self.of != DATA and self.is_late:
            said = {y + 1 for y in said} | (set() if self.of == FESTIVAL else said)
        return year in said or (self.of == DATA and data_year in said)

    def is_never_of(self, year: int, data_year: int) -> bool:
        """Whether that is certain to be wrong, and not only a remark or a word that may be meant otherwise."""
        may_be = self.is_of(year, data_year) or (self.is_late and year in self.years)
        return self.is_title and not may_be


def named_year(text: str, where: str, *, is_alone: bool = False) -> NamedYear | None:
    """The year that one text names. `is_alone`: nothing else stands in its line, so a bare 2020年 is a title too."""
    packed = _packed(text)
    rest = _BRACKETS.sub("", packed)
    if not packed or len(packed) > MOST_TITLE or _REMARK.search(rest):
        return None
    found = list(_YEAR.finditer(packed))
    is_bare = bool(_ALONE.fullmatch(packed))
    if not found or not ((is_bare and is_alone) or _WORDS.search(packed)):
        return None
    has_festival, has_data = bool(re.search(_FESTIVAL, packed)), "帮扶" in packed
    is_mixed = has_festival and has_data and not _OF_FESTIVAL.search(packed)
    is_title = (is_bare or bool(_TITLE_ENDS.search(rest))) and not is_mixed and not _DOUBTED.search(rest)
    of = FESTIVAL if has_festival else DATA if has_data else ""
    return _named(found, where, " ".join(text.split()), of, is_title)


def year_of_name(name: str, named: str, where: str = "") -> NamedYear | None:
    """The year in the name of a tab or a file (`named`: 工作表名, 文件名); never a title."""
    packed = _packed(name)
    found = list(_YEAR_IN_NAME.finditer(packed))
    if not found:
        return None
    of = FESTIVAL if re.search(_FESTIVAL, packed) else DATA if "帮扶" in packed else ""
    return replace(_named(found, where, name, of, False), named=named)


def _named(found: list[re.Match[str]], where: str, text: str, of: str, is_title: bool) -> NamedYear:
    years = tuple(dict.fromkeys(int(match[1]) for match in found))
    last = found[-1]
    return NamedYear(
        years, where, text, of, is_title and len(years) == 1, bool(last["whole"]), bool(last["late"])
    )


def _packed(text: str) -> str:
    """Without blanks, in plain digits, without what only looks like the year of a table."""
    if len(text) > 4 * MOST_TITLE or not any(c in text for c in "12１２二"):
        return ""
    packed = "".join(normalise_width(text).split())
    packed = _IN_NUMERALS.sub(lambda m: "2" + "".join(_NUMERALS[c] for c in m[0][1:]), packed)
    packed = _WHOLE_DATE.sub("", _NUMBER_OF_DOCUMENT.sub("", packed))
    packed = _SHORT.sub(r"20\1", packed)
    return _UNTIL.sub(r"20\1", packed)
