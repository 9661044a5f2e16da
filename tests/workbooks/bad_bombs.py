"""Bad: files that take little room and would fill all that there is; and archives built to deceive."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib

from tests.workbooks import raw
from tests.workbooks.bad_files import MEGABYTE, small, zeros
from tests.workbooks.binary import compound
from tests.workbooks.case import WARMTH, Made, bad, good
from tests.workbooks.desk import Desk
from tests.workbooks.good_raw import PAGE, binary_page, inline, rows


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


@good("beside the form four thousand texts that are almost numbers, and long")
def almost_numbers() -> Made:
    """A pattern that may share the blanks out in more than one way takes half a minute for these."""
    desk = Desk()
    page = desk.form(WARMTH)
    for row in range(6, 52):
        for column in range(6, 92):
            page.cell(row, column).value = "1" + " " * 900 + "x"
    return desk.finish()


@good("beside the form four thousand texts that almost end with a unit")
def almost_units() -> Made:
    desk = Desk()
    page = desk.form(WARMTH)
    for row in range(6, 52):
        for column in range(6, 92):
            page.cell(row, column).value = f"({' ' * 280}{row}{column}"
    return desk.finish()


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
