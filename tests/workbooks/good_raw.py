"""Good: written part by part as WPS and other programs write them, with their habits."""

from __future__ import annotations

from collections.abc import Callable
from xml.sax.saxutils import escape

from tests.workbooks import raw
from tests.workbooks.binary import Binary, compound
from tests.workbooks.case import UNION, WARMTH, Made, figures, good, sheet
from tests.workbooks.desk import lines_of

TITLES = (
    (1, 1, "附件1"),
    (2, 1, "2021年元旦春节送温暖统计表"),
    (3, 1, f"填报单位（盖章）：{UNION}"),
    (4, 1, "填报人：填报员甲"),
    (4, 4, "2021年1月20日"),
    *((5, n, word) for n, word in enumerate(("序号", "代码", "项目", "单位", "数字"), 1)),
)
HEAD = {"filler_name": "填报员甲", "filled_on": "2021-01-20"}
PAGE = "送温暖统计表"


def expected(content: bytes) -> Made:
    made = Made(content, head=dict(HEAD))
    made.values[WARMTH] = dict(figures(WARMTH))
    made.cells[WARMTH] = {row.code: f"{PAGE}!E{line}" for line, row in enumerate(sheet(WARMTH).rows, 6)}
    return made


def placed() -> list[tuple[int, int, str, bool]]:
    """(row, column, content, is a number) of the whole page."""
    cells = [(row, column, text, False) for row, column, text in TITLES]
    for row, line in enumerate(lines_of(WARMTH), 6):
        texts = ((1, line.serial), (2, line.code), (3, line.label), (4, line.unit))
        cells += [(row, column, text, False) for column, text in texts if text]
        cells.append((row, 5, str(line.reads), True))
    return sorted(cells)


Writer = Callable[[int, int, str, bool], str]


def rows(write: Writer, *, open_row: Callable[[int], str] = lambda row: f'<row r="{row}">') -> str:
    by_row: dict[int, str] = {}
    for row, column, content, is_number in placed():
        by_row[row] = by_row.get(row, "") + write(row, column, content, is_number)
    return "".join(f"{open_row(row)}{cells}</row>" for row, cells in by_row.items())


def inline(row: int, column: int, content: str, is_number: bool) -> str:
    return (raw.number_cell if is_number else raw.text_cell)(row, column, content)


class Shared:
    """Strings in a table of their own, as most programs keep them; `wrap` writes one entry."""

    def __init__(self, wrap: Callable[[str], str] = lambda text: f"<si><t>{escape(text)}</t></si>") -> None:
        self.texts: list[str] = []
        self.wrap = wrap

    def __call__(self, row: int, column: int, content: str, is_number: bool) -> str:
        if is_number:
            return raw.number_cell(row, column, content)
        if content not in self.texts:
            self.texts.append(content)
        return f'<c r="{raw.letters(column)}{row}" t="s"><v>{self.texts.index(content)}</v></c>'

    @property
    def xml(self) -> str:
        # The counts are wrong on purpose: nobody keeps them.
        inside = "".join(map(self.wrap, self.texts))
        return f'{raw.XML}<sst xmlns="{raw.MAIN}" count="3" uniqueCount="1">{inside}</sst>'


@good("WPS: strings in their cells")
def inline_strings() -> Made:
    return expected(raw.packed(raw.parts({PAGE: raw.sheet(rows(inline))})))


@good("WPS: results of formulas that are texts")
def formula_texts() -> Made:
    def write(row: int, column: int, content: str, is_number: bool) -> str:
        if is_number:
            return raw.number_cell(row, column, content)
        return f'<c r="{raw.letters(column)}{row}" t="str"><f>Sheet2!A{row}</f><v>{escape(content)}</v></c>'

    return expected(raw.packed(raw.parts({PAGE: raw.sheet(rows(write))})))


@good("WPS: formulas with their results, also of text")
def formulas_with_results() -> Made:
    def write(row: int, column: int, content: str, is_number: bool) -> str:
        if not is_number:
            return inline(row, column, content, is_number)
        place = f"{raw.letters(column)}{row}"
        if row % 3 == 0:
            return f'<c r="{place}" t="str"><f>TEXT(Z{row},"0")</f><v>{content}</v></c>'
        return f'<c r="{place}"><f t="shared" ref="E6:E60" si="0">Z{row}</f><v>{content}</v></c>'

    return expected(raw.packed(raw.parts({PAGE: raw.sheet(rows(write))})))


@good("WPS: rich texts with phonetics, blanks kept")
def rich_and_phonetic() -> Made:
    def wrap(text: str) -> str:
        half = len(text) // 2
        first, second = escape(text[:half]), escape(text[half:])
        return (
            f'<si><r><rPr><b/><sz val="11"/><rFont val="宋体"/></rPr><t xml:space="preserve"> {first}</t></r>'
            f'<r><t>{second}</t></r><rPh sb="0" eb="1"><t>zou fang</t></rPh><phoneticPr fontId="1"/></si>'
        )

    shared = Shared(wrap)
    page = raw.sheet(rows(shared))
    return expected(raw.packed(raw.parts({PAGE: page}, strings=shared.xml)))


@good("WPS: absolute targets, a wrong dimension, namespaces of later versions")
def absolute_targets() -> Made:
    shared = Shared()
    inside = rows(
        shared,
        open_row=lambda row: f'<row r="{row}" spans="1:5" ht="20" customHeight="1" x14ac:dyDescent="0.15">',
    )
    page = (
        f'{raw.XML}<worksheet xmlns="{raw.MAIN}" xmlns:r="{raw.LINKS}" xmlns:mc='
        '"http://schemas.openxmlformats.org/markup-compatibility/2006" mc:Ignorable="x14ac xr" xmlns:x14ac='
        '"http://schemas.microsoft.com/office/spreadsheetml/2009/9/ac" xmlns:xr='
        '"http://schemas.microsoft.com/office/spreadsheetml/2014/revision" xr:uid="{0-0}">'
        '<dimension ref="A1"/><sheetViews><sheetView workbookViewId="0"/></sheetViews>'
        f'<sheetFormatPr defaultColWidth="9" defaultRowHeight="13.5"/><sheetData>{inside}</sheetData>'
        '<mergeCells count="1"><mergeCell ref="A2:E2"/></mergeCells>'
        '<pageMargins left="0.7" right="0.7" top="0.75" bottom="0.75" header="0.3" footer="0.3"/></worksheet>'
    )
    return expected(raw.packed(raw.parts({PAGE: page}, strings=shared.xml, absolute=True)))


@good("another program: a prefix on every element, single quotes")
def prefixed() -> Made:
    def write(row: int, column: int, content: str, is_number: bool) -> str:
        place = f"{raw.letters(column)}{row}"
        if is_number:
            return f"<x:c t='n' r='{place}'><x:v>{content}</x:v></x:c>"
        return f"<x:c t='inlineStr' r='{place}'><x:is><x:t>{escape(content)}</x:t></x:is></x:c>"

    inside = rows(write).replace("<row", "<x:row").replace("</row", "</x:row")
    page = f"{raw.XML}<x:worksheet xmlns:x='{raw.MAIN}'><x:sheetData>{inside}</x:sheetData></x:worksheet>"
    return expected(raw.packed(raw.parts({PAGE: page})))


@good("another program: cells without references")
def without_references() -> Made:
    def lines() -> str:
        out = []
        texts = {(row, column): (content, is_number) for row, column, content, is_number in placed()}
        for row in range(1, 6 + len(lines_of(WARMTH))):
            cells = ""
            for column in range(1, 6):
                content, is_number = texts.get((row, column), ("", False))
                if is_number:
                    cells += f"<c><v>{content}</v></c>"
                else:
                    cells += f'<c t="inlineStr"><is><t>{escape(content)}</t></is></c>' if content else "<c/>"
            out.append(f"<row>{cells}</row>")
        return "".join(out)

    return expected(raw.packed(raw.parts({PAGE: raw.sheet(lines())})))


@good("another program: line ends escaped in labels")
def escaped_line_ends() -> Made:
    def wrap(text: str) -> str:
        third = max(1, len(text) // 3)
        pieces = [text[:third], text[third : 2 * third], text[2 * third :]]
        return (
            f"<si><t>{'_x000D_&#10;'.join(map(escape, pieces))}</t></si>"
            if len(text) > 6
            else (f"<si><t>{escape(text)}</t></si>")
        )

    shared = Shared(wrap)
    titles = {text for _, _, text in TITLES}
    shared.wrap = lambda text: f"<si><t>{escape(text)}</t></si>" if text in titles else wrap(text)
    page = raw.sheet(rows(shared))
    return expected(raw.packed(raw.parts({PAGE: page}, strings=shared.xml)))


@good("another program: nothing compressed, dates as texts of ISO 8601")
def uncompressed() -> Made:
    return expected(raw.packed(raw.parts({PAGE: raw.sheet(rows(inline))}), level=0))


# -- .xls and .et ------------------------------------------------------------------------------------------


def binary_page() -> Binary:
    page = Binary(PAGE)
    for row, column, content, is_number in placed():
        if is_number and content not in ("是", "否"):
            page.number(row, column, float(content))
        else:
            page.text(row, column, content)
    return page


@good("an .xls in the format of 1997", file="报表.xls")
def binary() -> Made:
    return expected(compound({"Workbook": binary_page().stream()}))


@good("an .et of WPS", file="报表.et")
def et() -> Made:
    return expected(compound({"Workbook": binary_page().stream(), "ETExtData": b"\0" * 600}))


@good("an .xls called .xlsx", file="报表.xlsx")
def misnamed() -> Made:
    return expected(compound({"Workbook": binary_page().stream()}))


@good(
    "told: errors in an .xls",
    file="报表.xls",
    notes=(r"!E6 A：“#DIV/0!”是公式出错", r"!E7 A1：“#REF!”是公式出错"),
)
def binary_errors() -> Made:
    page = binary_page()
    page.error(6, 5, 0x07)
    page.formula_error(7, 5, 0x17)
    made = expected(compound({"Workbook": page.stream()}))
    for code in ("A", "A1"):
        del made.values[WARMTH][code]
    return made
