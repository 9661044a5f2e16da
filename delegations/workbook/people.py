"""The sheets that name people's things: what was filed and what is missing, and (only when asked for) households."""

from __future__ import annotations

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from openpyxl.styles import Font

from delegations.files.materials import size_text
from delegations.models import Delegation, Material, MaterialKind, Visit
from delegations.workbook.page import (
    FIRST_ROW,
    HEAD_ROW,
    Contents,
    Households,
    columns,
    foot,
    group,
    head,
    line_of_texts,
    page,
    plan_visits,
)
from reporting.workbooks.layout import CENTRE, SONG, WARNING, Book, box, text

MATERIALS = {
    "序号": 6.0,
    "组别": 8.0,
    "走访单位": 11.0,
    "类别": 15.0,
    "文件名或标题": 60.0,
    "大小": 11.0,
    "上传人": 16.0,
    "时间": 17.0,
}
HOUSEHOLDS = {
    "序号": 6.0,
    "组别": 8.0,
    "走访单位": 11.0,
    "类型": 11.0,
    "姓名": 11.0,
    "电话": 15.0,
    "身份证号": 22.0,
    "住址": 34.0,
    "患病情况": 30.0,
    "慰问金额": 11.0,
}
MISSING, UNNAMED = "尚缺", "（内含家庭信息，不列文件名）"
PERSONAL = "内含个人信息"


def material_sheet(book: Book, contents: Contents) -> None:
    """Every file and link; and, once a plan is locked, what is still to be filed."""
    title = "材料清单"
    sheet = page(book, contents, title, f"走访慰问{title}", tuple(MATERIALS.values()))
    head(sheet, MATERIALS)
    row, number, missing = FIRST_ROW, 0, 0
    by_destination: dict[int, list[Material]] = {}
    for material in contents.materials:
        by_destination.setdefault(material.destination_id, []).append(material)
    for delegation in contents.delegations:
        for destination in delegation.destinations.all():
            place = {"组别": group(delegation), "走访单位": destination.union.short_name}
            filed = by_destination.get(destination.pk, [])
            for kind in MaterialKind:
                for material in (m for m in filed if m.kind == kind):
                    number += 1
                    values = {"序号": str(number), "类别": kind.label}
                    values |= _material_texts(contents, delegation, material)
                    line_of_texts(sheet, row, MATERIALS, place | values)
                    row += 1
            lacking = [kind.label for kind in MaterialKind if all(m.kind != kind for m in filed)]
            if lacking and delegation.state != Delegation.State.PLANNING:
                missing += len(lacking)
                values = {"类别": MISSING, "文件名或标题": "、".join(lacking)}
                line_of_texts(sheet, row, MATERIALS, place | values)
                for name in values:
                    sheet.cell(row, columns(MATERIALS)[name]).font = WARNING
                row += 1
    if row == FIRST_ROW:
        text(sheet, row, 1, "还没有材料。", align=CENTRE, across=len(MATERIALS))
        sheet.row_dimensions[row].height = 28
        row += 1
    text(sheet, 3, 1, f"共 {number} 件，尚缺 {missing} 类。", across=len(MATERIALS))
    box(sheet, range(HEAD_ROW, row), range(1, len(MATERIALS) + 1))
    sheet.freeze_panes = f"A{FIRST_ROW}"
    foot(sheet, contents)


def _material_texts(contents: Contents, delegation: Delegation, material: Material) -> dict[str, str]:
    hidden = material.kind == MaterialKind.HOUSEHOLD and delegation.pk not in contents.names_household_files
    if material.url:
        published = f"{material.published_on}" if material.published_on else ""
        about = "，".join(filter(None, (material.outlet, published)))
        name = "\n".join(filter(None, (material.title + (f"（{about}）" if about else ""), material.url)))
        size = "网址"
    else:
        name, size = material.name, size_text(material.size)
    return {
        "文件名或标题": UNNAMED if hidden else name,
        "大小": size,
        "上传人": material.by.name,
        "时间": f"{timezone.localtime(material.at):%Y-%m-%d %H:%M}",
    }


@sensitive_variables("households", "clear", "values")
def household_sheet(book: Book, contents: Contents, households: Households) -> None:
    """入户慰问对象 in clear. Says on every page what it is, who took it away, when and why."""
    title = "入户慰问对象"
    sheet = page(book, contents, title, f"{title}（{PERSONAL}）", tuple(HOUSEHOLDS.values()))
    sheet.cell(1, 1).font = Font(size=18, bold=True, color=WARNING.color, **SONG)
    when = f"{timezone.localtime(households.at):%Y-%m-%d %H:%M}"
    said = f"{PERSONAL}，按规定保管，不得外传。导出人：{households.by}　导出时间：{when}　用途：{households.reason}"
    text(sheet, 3, 1, said, font=WARNING, across=len(HOUSEHOLDS))
    sheet.row_dimensions[3].height = 34
    head(sheet, HOUSEHOLDS)
    row = FIRST_ROW
    for delegation in contents.delegations:
        for destination in delegation.destinations.all():
            for visit in plan_visits(
                destination.visits.all(), Visit.Standing.PLANNED, Visit.Standing.UNPLANNED
            ):
                clear = households.clear.get(visit.pk)
                if clear is None:
                    continue
                values = {
                    "序号": str(row - FIRST_ROW + 1),
                    "组别": group(delegation),
                    "走访单位": destination.union.short_name,
                    "类型": visit.get_category_display(),
                    "姓名": clear["name"],
                    "电话": clear["telephone"],
                    "身份证号": clear["identity_number"],
                    "住址": clear["address"],
                    "患病情况": clear["illness"],
                }
                line_of_texts(sheet, row, HOUSEHOLDS, values)
                amount = visit.amount if visit.counts_in_plan else visit.paid
                book.yuan(sheet, row, columns(HOUSEHOLDS)["慰问金额"], amount)
                row += 1
    box(sheet, range(HEAD_ROW, row), range(1, len(HOUSEHOLDS) + 1))
    sheet.freeze_panes = f"A{FIRST_ROW}"
    foot(sheet, contents, warning=PERSONAL)
