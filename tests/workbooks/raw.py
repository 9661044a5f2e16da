"""Workbooks written part by part, to hold what no library would write: other programs' habits, and tricks."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape, quoteattr

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
# Compressing fast is enough; what is made here is mostly read once.
LEVEL = 1


def packed(parts: Mapping[str, str | bytes], level: int = LEVEL) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def letters(column: int) -> str:
    out = ""
    while column:
        column, rest = divmod(column - 1, 26)
        out = chr(65 + rest) + out
    return out


def types(count: int = 1, *, main: str = "sheet.main") -> str:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    sheets = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{kind}.worksheet+xml"/>'
        for n in range(1, count + 1)
    )
    return (
        f'{XML}<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.{main}+xml"/>{sheets}'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}.sharedStrings+xml"/></Types>'
    )


def links(targets: Iterable[tuple[str, str]]) -> str:
    """(kind, target) → rId1, rId2, …"""
    inside = "".join(
        f'<Relationship Id="rId{n}" Type="{LINKS}/{kind}" Target={quoteattr(target)}/>'
        for n, (kind, target) in enumerate(targets, 1)
    )
    return f'{XML}<Relationships xmlns="{PACKAGE}/relationships">{inside}</Relationships>'


def book(names: Iterable[str], *, further: str = "") -> str:
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(names, 1)
    )
    return f'{XML}<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><sheets>{sheets}</sheets>{further}</workbook>'


def sheet(rows: str, *, further: str = "", before: str = "") -> str:
    return f'{XML}<worksheet xmlns="{MAIN}">{before}<sheetData>{rows}</sheetData>{further}</worksheet>'


def parts(
    sheets: Mapping[str, str], *, strings: str = "", absolute: bool = False, further: str = ""
) -> dict[str, str | bytes]:
    """The parts of a whole workbook: names of sheets → their XML."""
    folder = "/xl/" if absolute else ""
    targets = [("worksheet", f"{folder}worksheets/sheet{n}.xml") for n in range(1, len(sheets) + 1)]
    if strings:
        targets.append(("sharedStrings", f"{folder}sharedStrings.xml"))
    out: dict[str, str | bytes] = {
        "[Content_Types].xml": types(len(sheets)),
        "_rels/.rels": links([("officeDocument", f"{'/' if absolute else ''}xl/workbook.xml")]),
        "xl/workbook.xml": book(sheets, further=further),
        "xl/_rels/workbook.xml.rels": links(targets),
    }
    for number, xml in enumerate(sheets.values(), 1):
        out[f"xl/worksheets/sheet{number}.xml"] = xml
    if strings:
        out["xl/sharedStrings.xml"] = strings
    return out


def text_cell(row: int, column: int, text: str) -> str:
    return (
        f'<c r="{letters(column)}{row}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'
    )


def number_cell(row: int, column: int, number: str) -> str:
    return f'<c r="{letters(column)}{row}"><v>{number}</v></c>'


def row_of(row: int, cells: str) -> str:
    return f'<row r="{row}">{cells}</row>'


def strings(texts: Iterable[str]) -> str:
    inside = "".join(f"<si><t>{escape(text)}</t></si>" for text in texts)
    return f'{XML}<sst xmlns="{MAIN}">{inside}</sst>'
