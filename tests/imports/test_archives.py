"""Zips as programs and people make them: names in every encoding, litter, and archives made to burst."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from reporting.documents import MEGABYTE
from reporting.errors import Refused
from reporting.incoming.archives import MAX_INFLATED, Member, members_of, packed, shown


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def named(raw: bytes, flag: int = 0) -> bytes:
    """A zip of one file whose name stands in it as these bytes."""
    content = zipped({"N" * len(raw): b"1"})
    content = content.replace(b"N" * len(raw), raw)
    if flag:
        for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            place = content.index(signature) + at
            content = content[:place] + struct.pack("<H", flag) + content[place + 2 :]
    return content


def members(content: bytes, name: str = "来件.zip") -> list[Member]:
    return members_of([SimpleUploadedFile(name, content)])


def stored(found: list[Member]) -> tuple[dict[str, bytes], list[str]]:
    with packed(found) as (archive, sentences), zipfile.ZipFile(archive.file) as read:
        return {name: read.read(name) for name in read.namelist()}, sentences


@pytest.mark.parametrize(
    ("raw", "flag", "name"),
    [
        ("哈尔滨/送温暖.xlsx".encode("gbk"), 0, "送温暖.xlsx"),
        ("哈尔滨/送温暖.xlsx".encode(), 0, "送温暖.xlsx"),
        ("哈尔滨/送温暖.xlsx".encode(), 0x800, "送温暖.xlsx"),
        (b"harbin/a.xlsx", 0, "a.xlsx"),
        (b"\xff\xfe\xff.xlsx", 0, None),
        (b"..\\..\\windows\\a.xlsx", 0, "a.xlsx"),
        (b"../../../etc/cron.d/a.xlsx", 0, "a.xlsx"),
        (b"C:\\x\\a.xlsx", 0, "a.xlsx"),
        ("报表\u202exslx.exe.xlsx".encode(), 0x800, "报表xslx.exe.xlsx"),
    ],
)
def test_names_are_read_in_gbk_and_utf8_and_lead_nowhere(raw: bytes, flag: int, name: str | None) -> None:
    [member] = members(named(raw, flag))
    assert ".." not in member.name.split("/") and not member.name.startswith(("/", "\\"))
    assert name is None or member.name == name
    contents, sentences = stored([member])
    assert contents == {"0": b"1"} and sentences == [""], "on disk files have numbers"


def test_a_common_folder_is_left_out_and_the_others_tell_files_apart() -> None:
    found = members(zipped({"来件/甲/报表.xlsx": b"1", "来件/乙/报表.xlsx": b"2"}))
    assert [member.name for member in found] == ["乙/报表.xlsx", "甲/报表.xlsx"]


def test_what_programs_leave_behind_is_ignored() -> None:
    litter = (
        "__MACOSX/._a.xlsx",
        "a/__MACOSX/b.xlsx",
        "~$a.xlsx",
        "a/.DS_Store",
        "Thumbs.db",
        "._b.xlsx",
        "空目录/",
        "desktop.ini",
    )
    found = members(zipped(dict.fromkeys(litter, b"x") | {"a.xlsx": b"1"}))
    assert [member.name for member in found] == ["a.xlsx"]


def test_what_is_no_workbook_is_told_and_stops_nothing() -> None:
    found = members(zipped({"a.xlsx": b"1", "报告.docx": b"x", "各县.zip": b"x", "旧.rar": b"x"}))
    told = {member.name: member.sentence for member in found}
    assert told["a.xlsx"] == ""
    assert told["报告.docx"] == "不是 Excel 或 WPS 表格，没有读取。"
    assert "没有展开" in told["各县.zip"] and "没有展开" in told["旧.rar"]
    contents, sentences = stored(found)
    assert list(contents.values()) == [b"1"] and sum(map(bool, sentences)) == 3


def test_files_and_archives_come_together() -> None:
    uploads = [SimpleUploadedFile("一.xlsx", b"1"), SimpleUploadedFile("余.zip", zipped({"二.xlsx": b"2"}))]
    assert [member.name for member in members_of(uploads)] == ["一.xlsx", "二.xlsx"]


def test_a_workbook_is_no_archive_although_it_is_a_zip() -> None:
    workbook = zipped({"[Content_Types].xml": b"x", "xl/workbook.xml": b"x"})
    assert [member.name for member in members(workbook, "a.xlsx")] == ["a.xlsx"]
    assert [member.name for member in members(workbook, "a.zip")] == ["a.zip"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (zipped({f"{n}.xlsx": b"1" for n in range(301)}), "共有 301 个文件，一次最多 300 个"),
        (b"not a zip", "不是 zip 压缩包，或者已损坏"),
        (zipped({"a.xlsx": b"1"})[:-30], "已损坏，打不开"),
        (b"PK\x03\x04" + b"\0" * 200, "已损坏，打不开"),
    ],
    # A zip made now holds the time: bytes would give every worker tests of other names.
    ids=["too many", "not a zip", "cut off", "nothing inside"],
)
def test_whole_archives_are_refused_with_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        members(content)


def test_bombs_are_refused_from_the_directory_in_no_time_and_no_memory() -> None:
    zeros = zipped({f"{n}.xlsx": bytes(15 * MEGABYTE) for n in range(15)})
    assert len(zeros) < MEGABYTE
    tracemalloc.start()
    began = time.monotonic()
    with pytest.raises(Refused, match="展开后共有 225 MB，一次最多 200 MB"):
        members(zeros)
    assert time.monotonic() - began < 1 and tracemalloc.get_traced_memory()[1] < 5 * MEGABYTE
    tracemalloc.stop()


def test_one_file_too_large_is_left_out_unread() -> None:
    found = members(zipped({"大.xlsx": bytes(21 * MEGABYTE), "小.xlsx": b"1"}))
    told = {member.name: member.sentence for member in found}
    assert told["大.xlsx"].startswith("有 21.0 MB，超过 20 MB") and told["小.xlsx"] == ""


def test_a_directory_that_lies_about_sizes_gives_no_more_than_it_promised() -> None:
    content = zipped({"a.xlsx": bytes(30 * MEGABYTE)})
    small = struct.pack("<I", 10)
    at = content.index(b"PK\x01\x02") + 24
    lying = content[:at] + small + content[at + 4 :]
    lying = lying[:22] + small + lying[26:]
    contents, sentences = stored(members(lying))
    assert contents == {} and sentences == ["压缩包里的这个文件已损坏，读不出来。请重新压缩后再上传。"]


def test_a_directory_of_a_million_entries_is_not_even_counted() -> None:
    entry = zipped({"a" * 60: b""})
    one = entry[entry.index(b"PK\x01\x02") : entry.index(b"PK\x05\x06")]
    many = one * 20_000
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 20_000, 20_000, len(many), 0, 0)
    with pytest.raises(Refused, match="里的文件过多"):
        members(b"PK\x03\x04" + many + end)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_ways_of_packing_that_inflate_without_measure_are_not_read(method: int) -> None:
    [member] = members(zipped({"a.xlsx": b"1"}, method))
    assert member.sentence.startswith("压缩方式不支持，没有读取。")


def test_a_password_is_told() -> None:
    [member] = members(named(b"a.xlsx", flag=1))
    assert member.sentence.startswith("压缩包设了密码，没有读取。")


def test_limits_are_what_the_page_says() -> None:
    assert MAX_INFLATED == 200 * MEGABYTE


@pytest.mark.parametrize(
    ("given", "name"), [("", "未命名"), ("a//b.xlsx", "a/b.xlsx"), ("./x", "x"), ("..", "未命名")]
)
def test_shown_names_are_never_empty_nor_paths(given: str, name: str) -> None:
    assert shown(given) == name
