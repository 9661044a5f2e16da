"""A Word document that looks like an official paper (GB/T 9704): 小标宋 title, 仿宋_GB2312 三号 text on lines of 28 pt.

The faces belong to the office's machines; where one is missing, the document names what stands in for it. The same
content gives the same bytes.
"""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from collections.abc import Sequence
from typing import Any

import docx
from django.utils import timezone
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_COLOR_INDEX, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from reporting.drafts.narrative import Pieces

TITLE, TEXT, HEADING, SUBHEADING, NUMBERS = (
    "方正小标宋简体",
    "仿宋_GB2312",
    "黑体",
    "楷体_GB2312",
    "Times New Roman",
)
# What a machine takes that has not got the face.
STAND_INS = {TITLE: "宋体", TEXT: "仿宋", HEADING: "SimHei", SUBHEADING: "楷体"}
# Sizes by their Chinese names.
ER_HAO, SAN_HAO, SI_HAO, WU_HAO = Pt(22), Pt(16), Pt(14), Pt(10.5)
LINE = Pt(28)
# What XML can't hold; python-docx refuses it.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class OfficialDocument:
    """A document in the making, from the title down."""

    def __init__(self, *title: str, author: str, at: datetime.datetime) -> None:
        """`title`: its lines, broken where the sense breaks."""
        self.at = at
        self.document = docx.Document()
        self._page()
        self._styles()
        facts = self.document.core_properties
        # Word's own properties hold no more than 255 characters.
        facts.title, facts.author = _legal("".join(title))[:255], _legal(author)[:255]
        facts.comments, facts.last_modified_by = "", ""
        facts.created = facts.modified = at.astimezone(datetime.UTC).replace(tzinfo=None)
        paragraph = self.document.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.paragraph_format.space_after = LINE
        paragraph.paragraph_format.line_spacing = Pt(34)
        for number, line in enumerate(title):
            if number:
                paragraph.add_run().add_break()
            self._run(paragraph, line, face=TITLE, size=ER_HAO)

    def heading(self, text: str) -> None:
        """一、…"""
        paragraph = self.document.add_paragraph(style="Heading 1")
        self._run(paragraph, text, face=HEADING)
        _indent(paragraph)

    def subheading(self, text: str) -> None:
        """（一）…"""
        paragraph = self.document.add_paragraph(style="Heading 2")
        self._run(paragraph, text, face=SUBHEADING)
        _indent(paragraph)

    def text(self, pieces: Pieces, *, indent: bool = True, at_end: bool = False) -> None:
        """A paragraph; gaps are marked yellow."""
        paragraph = self.document.add_paragraph()
        if at_end:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        elif indent:
            _indent(paragraph)
        for piece in pieces:
            self._run(paragraph, piece.text, gap=piece.is_gap)

    def table(self, caption: str, head: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
        """The first column is text, the others figures. The last line is the total, the head repeats on every page."""
        above = self.document.add_paragraph()
        above.alignment = WD_ALIGN_PARAGRAPH.CENTER
        above.paragraph_format.keep_with_next = True
        above.paragraph_format.space_before = Pt(8)
        self._run(above, caption, face=HEADING, size=SI_HAO)
        table = self.document.add_table(rows=0, cols=len(head))
        table.style = "Table Grid"
        table.autofit = False
        widths = _widths(len(head))
        for column, width in zip(table.columns, widths, strict=True):
            column.width = width
        for number, cells in enumerate([head, *lines]):
            row = table.add_row()
            _once(row._tr.get_or_add_trPr(), "w:cantSplit")
            if number == 0:
                _once(row._tr.get_or_add_trPr(), "w:tblHeader")
            is_bold = number in (0, len(lines))
            for column, (cell, value) in enumerate(zip(row.cells, cells, strict=True)):
                cell.width, cell.vertical_alignment = widths[column], WD_CELL_VERTICAL_ALIGNMENT.CENTER
                paragraph = cell.paragraphs[0]
                paragraph.paragraph_format.line_spacing = Pt(16)
                # No line of a table stands alone at the foot of a page, nor its total alone on the next.
                paragraph.paragraph_format.keep_with_next = number < 2 or len(lines) - 3 < number < len(lines)
                paragraph.alignment = (
                    WD_ALIGN_PARAGRAPH.CENTER
                    if number == 0
                    else WD_ALIGN_PARAGRAPH.LEFT
                    if column == 0
                    else WD_ALIGN_PARAGRAPH.RIGHT
                )
                run = self._run(paragraph, value, size=WU_HAO)
                run.bold = is_bold
        self.document.add_paragraph().paragraph_format.line_spacing = Pt(10)

    def to_bytes(self) -> bytes:
        raw, out = io.BytesIO(), io.BytesIO()
        self.document.save(raw)
        moment = timezone.localtime(self.at).timetuple()[:6]
        with zipfile.ZipFile(raw) as source, zipfile.ZipFile(out, "w") as target:
            for name in source.namelist():
                content = source.read(name)
                if name == "word/fontTable.xml":
                    content = _with_stand_ins(content)
                info = zipfile.ZipInfo(name, date_time=moment)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = 0o600 << 16
                target.writestr(info, content, compresslevel=6)
        return out.getvalue()

    # -- the page ------------------------------------------------------------------------------------------

    def _page(self) -> None:
        section = self.document.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.top_margin, section.bottom_margin = Mm(37), Mm(35)
        section.left_margin, section.right_margin = Mm(28), Mm(26)
        section.footer_distance = Mm(25)
        foot = section.footer.paragraphs[0]
        foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
        self._run(foot, "— ", face="宋体", size=SI_HAO)
        for kind, text in (("begin", ""), ("", " PAGE "), ("end", "")):
            run = self._run(foot, "", face="宋体", size=SI_HAO)
            if kind:
                mark = OxmlElement("w:fldChar")
                mark.set(qn("w:fldCharType"), kind)
            else:
                mark = OxmlElement("w:instrText")
                mark.text = text
            run._r.append(mark)
        self._run(foot, " —", face="宋体", size=SI_HAO)

    def _styles(self) -> None:
        for name, face in (("Normal", TEXT), ("Heading 1", HEADING), ("Heading 2", SUBHEADING)):
            style = self.document.styles[name]
            style.font.size, style.font.bold = SAN_HAO, False
            style.font.color.rgb = RGBColor(0, 0, 0)
            _face(style.element.get_or_add_rPr(), face)
            spacing = style.paragraph_format
            spacing.line_spacing_rule, spacing.line_spacing = WD_LINE_SPACING.EXACTLY, LINE
            spacing.space_before = spacing.space_after = Pt(0)
        language = OxmlElement("w:lang")
        for which, value in (("w:val", "en-US"), ("w:eastAsia", "zh-CN")):
            language.set(qn(which), value)
        properties = self.document.styles["Normal"].element.get_or_add_rPr()
        properties.append(language)

    def _run(
        self, paragraph: Any, text: str, *, face: str = TEXT, size: Any = SAN_HAO, gap: bool = False
    ) -> Any:
        run = paragraph.add_run(_legal(text))
        run.font.size = size
        _face(run._r.get_or_add_rPr(), face)
        if gap:
            run.font.highlight_color = WD_COLOR_INDEX.YELLOW
        return run


def _legal(text: str) -> str:
    return _ILLEGAL.sub("", text)


def _face(properties: Any, face: str) -> None:
    """Chinese in that face, digits in 宋体's companion; a theme would speak for them otherwise."""
    fonts = properties.find(qn("w:rFonts"))
    if fonts is None:
        fonts = OxmlElement("w:rFonts")
        properties.insert(0, fonts)
    fonts.attrib.clear()
    for which in ("w:ascii", "w:hAnsi", "w:cs"):
        fonts.set(qn(which), NUMBERS)
    fonts.set(qn("w:eastAsia"), face)
    fonts.set(qn("w:hint"), "eastAsia")


def _indent(paragraph: Any) -> None:
    """Two characters, whatever their size; the measure in twips is for programs that don't count characters."""
    indent = paragraph._p.get_or_add_pPr().get_or_add_ind()
    indent.set(qn("w:firstLineChars"), "200")
    indent.set(qn("w:firstLine"), "640")


def _once(properties: Any, name: str) -> None:
    properties.append(OxmlElement(name))


def _widths(columns: int) -> list[Any]:
    """156 mm between the margins: half for a name where there are few figures, a third where there are many."""
    first = 52 if columns < 6 else 42
    return [Mm(first), *[Mm((156 - first) / (columns - 1))] * (columns - 1)]


def _with_stand_ins(table: bytes) -> bytes:
    """Which face a machine takes that has not got ours. An element of the fonts table that is there already stays."""
    text = table.decode()
    added = "".join(
        f'<w:font w:name="{face}"><w:altName w:val="{other}"/><w:charset w:val="86"/></w:font>'
        for face, other in STAND_INS.items()
        if f'w:name="{face}"' not in text
    )
    return text.replace("</w:fonts>", added + "</w:fonts>").encode()
