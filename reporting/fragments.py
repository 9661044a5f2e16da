"""The official table as HTML, from pieces prepared once per form and edition of the campaign.

A template per field costs 20 ms a page; here a page is the prepared pieces joined with the escaped
values of the day. Nothing that a person typed ever becomes a piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape

from django.utils.safestring import SafeString

from reporting.models import Campaign
from reporting.sheets import Row, Sheet, sheet_for

COLUMNS = ("序号", "代码", "项目", "单位", "数字")
COLUMNS_WITH_BELOW = ("序号", "代码", "项目", "单位", "本级", "下级合计", "合计")

RECONSTRUCTED = "此行在所存通知的缺页上，按当年全国统一表式复原，表样核对前以正式通知为准"


@dataclass(frozen=True)
class RowPieces:
    """One row, cut where the page's own content goes in."""

    code: str
    is_yes_no: bool
    opening: str  # … to the end of the label; notes follow
    to_value: str  # … up to the value of the input
    to_flags: str  # … up to the attributes of the input that depend on the day
    to_below: str
    to_sum: str
    reading: str  # instead of to_value and to_flags where nothing is typed
    closing: str


@dataclass(frozen=True)
class Pieces:
    with_below: bool
    head: str
    rows: tuple[RowPieces, ...]


_kept: dict[tuple[int, int, str, bool], Pieces] = {}


def pieces_for(campaign: Campaign, slug: str, *, with_below: bool) -> Pieces:
    """Prepared the first time an edition of the sheet is shown, then kept in the process."""
    key = (campaign.pk, campaign.edition, slug, with_below)
    if key not in _kept:
        _kept[key] = cut(sheet_for(campaign, slug), with_below=with_below)
    return _kept[key]


def cut(sheet: Sheet, *, with_below: bool) -> Pieces:
    names = COLUMNS_WITH_BELOW if with_below else COLUMNS
    classes = ("serial", "code", "item", "unit", "own", "below", "sum")
    head = "".join(f'<th scope="col" class="{c}">{n}</th>' for c, n in zip(classes, names, strict=False))
    lengths: dict[int, int] = {}
    for row in sheet.rows:
        lengths[row.section] = lengths.get(row.section, 0) + 1
    rows = tuple(_cut_row(row, lengths[row.section], with_below) for row in sheet.rows)
    return Pieces(with_below, f"<thead><tr>{head}</tr></thead><tbody>", rows)


def _cut_row(row: Row, length: int, with_below: bool) -> RowPieces:
    code, is_yes_no = escape(row.code), row.kind == "yesno"
    serial = f'<td class="serial" rowspan="{length}">{row.serial}</td>' if row.serial else ""
    marks = ""
    if row.printed == "no":
        marks += f'<abbr class="mark" title="{RECONSTRUCTED}">复原</abbr>'
    if row.note:
        marks += f'<abbr class="mark" title="{escape(row.note)}">注</abbr>'
    row_class = ' class="total"' if row.parts else ""
    opening = (
        f'<tr id="r-{code}" data-code="{code}"{row_class}>{serial}<td class="code">{escape(row.printed_code)}</td>'
        f'<td class="item d{min(row.depth, 2)}"><label for="c-{code}">{escape(row.label)}</label>'
        f'<span class="u">{escape(row.unit)}</span>{marks}'
    )
    control = (
        f'<select id="c-{code}" name="{code}" data-value="'
        if is_yes_no
        else f'<input id="c-{code}" name="{code}" inputmode="decimal" autocomplete="off" maxlength="200" value="'
    )
    unit = f'</td><td class="unit">{escape(row.unit)}</td>'
    return RowPieces(
        code=row.code,
        is_yes_no=is_yes_no,
        opening=opening,
        to_value=f'{unit}<td class="own">{control}',
        to_flags='"',
        to_below='</td><td class="below">' if with_below else "",
        to_sum='</td><td class="sum">' if with_below else "",
        reading=f'{unit}<td class="own read" id="c-{code}">',
        closing="</td></tr>",
    )


@dataclass(frozen=True)
class Filled:
    """What goes into the table today. `notes` are HTML made by `note`; all else is plain text."""

    texts: Mapping[str, str]
    below: Mapping[str, str]
    sums: Mapping[str, str]
    notes: Mapping[str, str]
    invalid: Iterable[str] = ()
    # Codes that may be typed into; None: all of them.
    open_codes: frozenset[str] | None = None


def note(css_class: str, text: str) -> str:
    return f'<div class="note {css_class}">{escape(text)}</div>'


def entry_table(pieces: Pieces, filled: Filled) -> SafeString:
    """The table to type into."""
    out = [pieces.head]
    add = out.append
    invalid, open_codes = set(filled.invalid), filled.open_codes
    for row in pieces.rows:
        code = row.code
        text = filled.texts[code]
        is_open = open_codes is None or code in open_codes
        add(row.opening)
        if code in filled.notes:
            add(filled.notes[code])
        add(row.to_value)
        add(escape(text))
        add(row.to_flags)
        if code in invalid:
            add(' class="invalid" aria-invalid="true"')
        if not is_open:
            # A select can't be read-only; readonly keeps an input's text selectable for copying.
            add(" disabled" if row.is_yes_no else ' readonly tabindex="-1"')
        add(">")
        if row.is_yes_no:
            add(_choices(text))
        if pieces.with_below:
            add(row.to_below)
            add(escape(filled.below.get(code, "")))
            add(row.to_sum)
            add(escape(filled.sums.get(code, "")))
        add(row.closing)
    add("</tbody>")
    return SafeString("".join(out))


def reading_table(pieces: Pieces, filled: Filled) -> SafeString:
    """The same table where nothing is typed."""
    out = [pieces.head]
    add = out.append
    for row in pieces.rows:
        code = row.code
        add(row.opening)
        if code in filled.notes:
            add(filled.notes[code])
        add(row.reading)
        add(escape(filled.texts[code]))
        if pieces.with_below:
            add(row.to_below)
            add(escape(filled.below.get(code, "")))
            add(row.to_sum)
            add(escape(filled.sums.get(code, "")))
        add(row.closing)
    add("</tbody>")
    return SafeString("".join(out))


def _choices(text: str) -> str:
    """是/否 as options; a text that is neither (typed in Excel) stays visible until it is mended."""
    texts = ["", "是", "否"] + ([text] if text not in ("", "是", "否") else [])
    options = (
        f'<option value="{escape(t)}"{" selected" if t == text else ""}>{escape(t)}</option>' for t in texts
    )
    return "".join(options) + "</select>"
