"""Bad: files that are no workbook, or one made to harm. Most are refused before anything is parsed."""

from __future__ import annotations

import random
import struct

from tests.workbooks import raw
from tests.workbooks.binary import Binary, compound, record
from tests.workbooks.case import Made, bad
from tests.workbooks.good_layouts import official
from tests.workbooks.good_raw import PAGE, binary_page, inline, rows

MEGABYTE = 1024 * 1024


def small(**more: str | bytes) -> dict[str, str | bytes]:
    """The parts of a workbook that holds one form."""
    return {**raw.parts({PAGE: raw.sheet(rows(inline))}), **more}


def zeros(size: int) -> bytes:
    return b"\0" * size


# -- no workbooks ------------------------------------------------------------------------------------------

NOTHING = "不是 Excel 或 WPS 表格，请上传 .xlsx、.xls 或 .et 文件"


@bad("an empty file", says="“报表.xlsx”是空文件", unread=True)
def empty() -> Made:
    return Made(b"")


@bad("25 MB", says="有 25.0 MB，超过 20 MB", unread=True)
def too_big() -> Made:
    return Made(b"PK\x03\x04" + random.Random(1).randbytes(25 * MEGABYTE - 4))


@bad("a PDF", says="是 PDF 文件", unread=True)
def pdf() -> Made:
    return Made(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n%%EOF\n")


@bad("a CSV", says=NOTHING, unread=True)
def csv() -> Made:
    return Made("代码,项目,数字\nA,各级工会筹集送温暖款物总额,5\n".encode("gb18030"))


@bad(
    "a web page called .xls",
    says="是网页格式的表格，请先用 Excel 或 WPS 打开并另存为 .xlsx",
    unread=True,
    file="报表.xls",
)
def html() -> Made:
    return Made(b"<html><table><tr><td>A</td><td>5</td></tr></table></html>")


@bad("an XML table of 2003 called .xls", says="是网页格式的表格", unread=True, file="报表.xls")
def xml_2003() -> Made:
    return Made(
        b'\xef\xbb\xbf<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>'
    )


@bad("a picture", says=NOTHING, unread=True)
def picture() -> Made:
    return Made(b"\x89PNG\r\n\x1a\n" + zeros(100))


@bad("a Word document", says="是 Word 文档", unread=True)
def docx() -> Made:
    return Made(raw.packed({"[Content_Types].xml": raw.types(), "word/document.xml": raw.XML + "<w/>"}))


@bad("slides", says="是演示文稿", unread=True)
def pptx() -> Made:
    return Made(raw.packed({"[Content_Types].xml": raw.types(), "ppt/presentation.xml": raw.XML + "<p/>"}))


@bad("an .ods", says="是 .ods 等开放文档格式，请另存为 .xlsx", unread=True, file="报表.ods")
def ods() -> Made:
    return Made(
        raw.packed(
            {"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": raw.XML + "<o/>"}
        )
    )


@bad("an .xlsb", says="是 .xlsb 二进制格式，请另存为 .xlsx", unread=True, file="报表.xlsb")
def xlsb() -> Made:
    return Made(raw.packed({"[Content_Types].xml": raw.types(), "xl/workbook.bin": zeros(50)}))


@bad("a zip of workbooks called .xlsx", says="是压缩包，不是 Excel 或 WPS 表格，请解压后上传", unread=True)
def zipped() -> Made:
    return Made(raw.packed({"哈尔滨.xlsx": official().content}))


@bad("an archive of another kind", says="是压缩包，请先解压", unread=True, file="报表.rar")
def rar() -> Made:
    return Made(b"Rar!\x1a\x07\x01\x00" + zeros(40))


@bad("an old Word document", says="里没有表格", unread=True, file="报表.xls")
def doc() -> Made:
    return Made(compound({"WordDocument": zeros(100)}))


@bad("noise behind the signature of a zip", says="已损坏，打不开", unread=True)
def noise() -> Made:
    return Made(b"PK\x03\x04" + random.Random(2).randbytes(5000))


@bad("noise behind the signature of an .xls", says="里没有表格", unread=True, file="报表.xls")
def binary_noise() -> Made:
    return Made(bytes.fromhex("D0CF11E0A1B11AE1") + random.Random(3).randbytes(5000))


@bad("an .xls whose tables lead in circles", says="打不开|里没有表格", file="报表.xls")
def circles() -> Made:
    content = bytearray(compound({"Workbook": binary_page().stream()}))
    fat = (struct.unpack_from("<I", content, 76)[0] + 1) * 512
    for at in range(fat, fat + 512, 4):
        struct.pack_into("<I", content, at, 0)
    return Made(bytes(content))


@bad("a workbook without a page", says="打不开|没有任何内容")
def no_page() -> Made:
    return Made(raw.packed(raw.parts({})))


# -- incomplete or damaged ---------------------------------------------------------------------------------


def cut(part: float) -> Made:
    whole = official().content
    return Made(whole[: int(len(whole) * part)])


for _part in (0.001, 0.1, 0.5, 0.9, 0.999):
    bad(f"cut off after {_part:.1%}", says="已损坏，打不开|不是 Excel", unread=True)(
        lambda part=_part: cut(part)
    )


@bad("an .xls cut in the middle", says="打不开|里没有表格", file="报表.xls")
def binary_cut() -> Made:
    whole = compound({"Workbook": binary_page().stream()})
    return Made(whole[: len(whole) // 2])


@bad("one bit turned in the compressed sheet", says="打不开|已损坏")
def one_bit() -> Made:
    content = bytearray(raw.packed(small()))
    at = content.index(b"xl/worksheets/sheet1.xml") + 400
    content[at] ^= 0x10
    return Made(bytes(content))


@bad("a string that the table of strings does not have", says="打不开，可能没有保存完整")
def no_such_string() -> Made:
    page = raw.sheet('<row r="1"><c r="A1" t="s"><v>99</v></c></row>')
    return Made(raw.packed(raw.parts({PAGE: page}, strings=raw.strings(["甲"]))))


@bad("a page that is not there", says="打不开|没有找到")
def no_such_page() -> Made:
    parts = small()
    del parts["xl/worksheets/sheet1.xml"]
    return Made(raw.packed(parts))


@bad("a sheet whose XML breaks off", says="打不开，可能没有保存完整")
def broken_xml() -> Made:
    return Made(raw.packed(small(**{"xl/worksheets/sheet1.xml": raw.sheet(rows(inline))[:5000]})))


@bad("a sheet that is no XML", says="打不开，可能没有保存完整")
def no_xml() -> Made:
    return Made(raw.packed(small(**{"xl/worksheets/sheet1.xml": "这不是 XML"})))


# -- passwords, macros, links ------------------------------------------------------------------------------


@bad("encrypted as Excel does", says="设了打开密码，请取消密码", unread=True)
def encrypted() -> Made:
    return Made(
        compound({"EncryptionInfo": zeros(200), "EncryptedPackage": random.Random(4).randbytes(9000)})
    )


@bad("an encrypted .xls", says="设了打开密码或保护了工作簿，请取消后", file="报表.xls")
def encrypted_binary() -> Made:
    return Made(
        compound({"Workbook": Binary(PAGE, record(0x2F, struct.pack("<HH", 1, 1) + zeros(50))).stream()})
    )


@bad("entries of the zip encrypted", says="设了打开密码，请取消密码", unread=True)
def encrypted_zip() -> Made:
    content = bytearray(raw.packed(small()))
    at = 0
    while (at := content.find(b"PK\x01\x02", at)) >= 0:
        content[at + 8] |= 1
        at += 4
    return Made(bytes(content))


@bad("macros in an .xlsm called .xlsx", says="带有宏，不能接收", unread=True)
def macros() -> Made:
    return Made(raw.packed(small(**{"xl/vbaProject.bin": zeros(500)})))


@bad("macros under another name and folder", says="带有宏，不能接收", unread=True)
def hidden_macros() -> Made:
    return Made(raw.packed(small(**{"customXml/VbaProject.BIN": zeros(500)})))


@bad("a macro sheet of Excel 4", says="带有宏，不能接收", unread=True)
def macro_sheet() -> Made:
    return Made(raw.packed(small(**{"xl/macrosheets/sheet1.xml": raw.sheet("")})))


@bad("macros in an .xls", says="带有宏，不能接收", unread=True, file="报表.xls")
def binary_macros() -> Made:
    return Made(compound({"Workbook": binary_page().stream(), "_VBA_PROJECT_CUR": zeros(100)}))


@bad("links to another workbook", says="引用了其他文件（外部链接）", unread=True)
def external_links() -> Made:
    return Made(raw.packed(small(**{"xl/externalLinks/externalLink1.xml": raw.XML + "<externalLink/>"})))


@bad("links to another workbook in an odd place", says="引用了其他文件（外部链接）")
def odd_external_links() -> Made:
    targets = [("worksheet", "worksheets/sheet1.xml"), ("externalLink", "media/link.xml")]
    more = {
        "xl/_rels/workbook.xml.rels": raw.links(targets),
        "xl/media/link.xml": raw.XML + "<externalLink/>",
    }
    return Made(raw.packed(small(**more)))


@bad("links to another workbook in an .xls", says="引用了其他文件（外部链接）", file="报表.xls")
def binary_external_links() -> Made:
    name = "\1C:\\上年.xls"
    body = struct.pack("<HHB", 1, len(name), 1) + name.encode("utf-16-le")
    page = binary_page()
    page.before = record(0x1AE, body)
    return Made(compound({"Workbook": page.stream()}))


# -- entities ----------------------------------------------------------------------------------------------

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@bad("a billion laughs in the strings", says="文档类型声明", unread=True)
def laughs() -> Made:
    strings = (
        f'<?xml version="1.0"?><!DOCTYPE sst [<!ENTITY l0 "哈">{LAUGHS}]>'
        f'<sst xmlns="{raw.MAIN}"><si><t>&l9;</t></si></sst>'
    )
    page = raw.sheet('<row r="1"><c r="A1" t="s"><v>0</v></c></row>')
    return Made(raw.packed(raw.parts({PAGE: page}, strings=strings)))


@bad("an external entity in the sheet", says="文档类型声明", unread=True)
def external_entity() -> Made:
    page = raw.sheet(rows(inline)).replace(
        raw.XML, '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    )
    return Made(raw.packed(raw.parts({PAGE: page})))


@bad("a document type far behind, after a long comment", says="文档类型声明")
def late_doctype() -> Made:
    page = raw.sheet(rows(inline)).replace(raw.XML, f"{raw.XML}<!--{'x' * 100_000}--><!DOCTYPE x>")
    return Made(raw.packed(raw.parts({PAGE: page})))


@bad("a document type in UTF-16", says="文档类型声明", unread=True)
def wide_doctype() -> Made:
    page = raw.sheet(rows(inline)).replace(raw.XML, '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x>')
    return Made(raw.packed(small(**{"xl/worksheets/sheet1.xml": page.encode("utf-16")})))


@bad("no links to begin with", says="打不开，可能没有保存完整")
def no_root_links() -> Made:
    parts = small()
    del parts["_rels/.rels"]
    return Made(raw.packed(parts))
