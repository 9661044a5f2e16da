"""Bad: files that are no workbook, or one made to harm. Most are refused before anything is parsed."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib

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


@bad("an encrypted .xls", says="设了打开密码，请取消密码", file="报表.xls")
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


# -- bombs -------------------------------------------------------------------------------------------------


def zeros_deflated(size: int) -> bytes:
    """That many blanks, deflated, without ever holding them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = b" " * MEGABYTE
    out = b"".join(packer.compress(block) for _ in range(size // MEGABYTE))
    return out + packer.flush()


def with_entry(name: str, deflated: bytes, size: int, crc: int = 0) -> bytes:
    """A workbook with one more entry, of which the directory says `size` whatever it inflates to."""
    content = raw.packed(small())
    end = content.rindex(b"PK\x05\x06")
    count, _, start = struct.unpack_from("<HII", content, end + 10)
    encoded = name.encode()
    local = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, crc, len(deflated), size, len(encoded), 0)
    central = struct.pack(
        "<HHHHHHIIIHHHHHII", 20, 20, 0, 8, 0, 33, crc, len(deflated), size, len(encoded), 0, 0, 0, 0, 0, start
    )
    entry = b"PK\x03\x04" + local + encoded + deflated
    directory = content[start:end] + b"PK\x01\x02" + central + encoded
    tail = struct.pack("<HHHHIIH", 0, 0, count + 1, count + 1, len(directory), start + len(entry), 0)
    return content[:start] + entry + directory + b"PK\x05\x06" + tail


@bad("a sheet of 4 GB", says=r"展开后有 4,\d+ MB", unread=True)
def four_gigabytes() -> Made:
    # A hundredth of it is really there: what counts is what the directory announces.
    return Made(with_entry("xl/worksheets/sheet2.xml", zeros_deflated(40 * MEGABYTE), 0xFFFFFFF0))


@bad("fifty pictures of 4 MB that take no room", says="展开后有 200 MB", unread=True)
def many_zeros() -> Made:
    return Made(
        raw.packed(small(**{f"xl/media/image{n}.png": zeros(4 * MEGABYTE) for n in range(50)}), level=9)
    )


@bad("strings of 130 MB", says="展开后有 13", unread=True)
def huge_strings() -> Made:
    return Made(with_entry("xl/sharedStrings.xml", zeros_deflated(130 * MEGABYTE), 130 * MEGABYTE))


@bad("a directory that lies about a size", says="打不开|内容过大|已损坏")
def lying_directory() -> Made:
    return Made(with_entry("xl/sharedStrings.xml", zeros_deflated(200 * MEGABYTE), 1000))


@bad("archives within archives", says="是压缩包", unread=True)
def nested() -> Made:
    content = zeros(MEGABYTE)
    for depth in range(6):
        content = raw.packed({f"{depth}-{n}.zip": content for n in range(10)})
    return Made(content)


@bad("three thousand parts", says="由 2000 个以上的部件组成", unread=True)
def many_parts() -> Made:
    return Made(raw.packed(small(**{f"xl/media/{n}": b"" for n in range(3000)})))


@bad("three hundred thousand parts", says="由 2000 个以上的部件组成", unread=True)
def very_many_parts() -> Made:
    """The directory alone is 15 MB."""
    entry = b"PK\x01\x02" + struct.pack(
        "<HHHHHHIIIHHHHHII", 20, 20, 0, 0, 0, 33, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0
    )
    directory = b"".join(entry + b"%04x" % (n & 0xFFFF) for n in range(300_000))
    local = b"PK\x03\x04" + zeros(26)
    # The end of the directory says that there are only five.
    tail = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 5, 5, len(directory), len(local), 0)
    return Made(local + directory + tail)


@bad("two parts of one name", says="内部结构不正常", unread=True)
def two_of_one_name() -> Made:
    out = io.BytesIO(raw.packed(small()))
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(out, "a") as archive:
            archive.writestr("XL/worksheets/sheet1.xml", raw.sheet(""))
    return Made(out.getvalue())


@bad("paths that lead out of the archive", says="内部结构不正常", unread=True)
def paths_outside() -> Made:
    return Made(raw.packed(small(**{"../../../../etc/cron.d/x": "x", "xl\\..\\..\\y": "y"})))


@bad("an absolute path", says="内部结构不正常", unread=True)
def absolute_path() -> Made:
    return Made(raw.packed(small(**{"/etc/passwd": "x"})))


LAST_ROW = 1_048_576


def blank_rows(cells: int) -> Made:
    """Below the form as many formatted blank rows as a sheet can have. Without references they are made quickly."""
    blank = "<row>" + '<c s="1"/>' * cells + "</row>"
    blank *= LAST_ROW - 60
    return Made(raw.packed(raw.parts({PAGE: raw.sheet(rows(inline) + blank)})))


@bad("1 048 576 formatted blank rows", says="工作表“送温暖统计表”有十万行以上，多为空行")
def a_million_blank_rows() -> Made:
    return blank_rows(1)


@bad("1 048 576 blank rows of five cells", says=r"展开后有 \d+ MB", unread=True)
def a_million_wide_blank_rows() -> Made:
    return blank_rows(5)


@bad("one cell in the last corner of the sheet", says="的 送温暖统计表!XFD1048576 处有内容，离报表太远")
def far_corner() -> Made:
    far = raw.row_of(1_048_576, raw.number_cell(1_048_576, 16_384, "1"))
    return Made(raw.packed(raw.parts({PAGE: raw.sheet(rows(inline) + far)})))


@bad(
    "one cell in the last corner of an .xls",
    says="的 送温暖统计表!IV65536 处有内容，离报表太远",
    file="报表.xls",
)
def binary_far_corner() -> Made:
    page = binary_page()
    page.number(65_536, 256, 1)
    return Made(compound({"Workbook": page.stream()}))


@bad("two hundred thousand filled cells", says="的工作表“送温暖统计表”内容过大")
def too_many_cells() -> Made:
    inside = "".join(
        raw.row_of(n, "".join(raw.number_cell(n, c, "1") for c in range(1, 21))) for n in range(1, 10_001)
    )
    return Made(raw.packed(raw.parts({PAGE: raw.sheet(inside)})))


@bad("a long text a hundred thousand times", says="内容过大")
def too_much_text() -> Made:
    inside = "".join(
        raw.row_of(n, "".join(f'<c r="{raw.letters(c)}{n}" t="s"><v>0</v></c>' for c in range(1, 21)))
        for n in range(1, 4001)
    )
    strings = raw.strings(["长" * 20_000])
    return Made(raw.packed(raw.parts({PAGE: raw.sheet(inside)}, strings=strings)))


@bad("three hundred sheets", says="有 300 张工作表，超过 60 张", unread=True)
def three_hundred_sheets() -> Made:
    return Made(raw.packed(raw.parts({f"表{n}": raw.sheet("") for n in range(300)})))


@bad("three hundred sheets that are one part", says="有 300 张工作表，超过 60 张")
def three_hundred_names() -> Made:
    parts = small()
    sheets = "".join(f'<sheet name="表{n}" sheetId="{n}" r:id="rId1"/>' for n in range(1, 301))
    parts["xl/workbook.xml"] = (
        f'{raw.XML}<workbook xmlns="{raw.MAIN}" xmlns:r="{raw.LINKS}"><sheets>{sheets}</sheets></workbook>'
    )
    return Made(raw.packed(parts))


@bad("no links to begin with", says="打不开，可能没有保存完整")
def no_root_links() -> Made:
    parts = small()
    del parts["_rels/.rels"]
    return Made(raw.packed(parts))
