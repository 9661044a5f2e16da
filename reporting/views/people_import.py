"""People and unions from a workbook: template, upload, a look at every row, and all of them or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reporting.clock import now
from reporting.documents import clean_name
from reporting.errors import Refused, ReportingError
from reporting.incoming import people as actions
from reporting.incoming.people import PEOPLE, UNIONS, Judged, Row
from reporting.incoming.row_workbooks import Column, Line, lines_of, template
from reporting.views.imports import ACCEPT
from reporting.workbooks.summary import CONTENT_TYPE
from unions.gate import Actor
from unions.middleware import ActingRequest
from unions.models import Union
from unions.tree import in_tree_order


@dataclass(frozen=True)
class Kind:
    """What the pages of people and of unions differ in."""

    what: str
    title: str
    counter: str
    action: str  # of the gate
    columns: tuple[Column, ...]
    judge: Callable[[Sequence[Line], Actor], Judged]
    back: str
    url: str
    explained: tuple[str, ...]


OF_PEOPLE = Kind(
    "people",
    "从 Excel 建立账号",
    "人",
    "manage_people",
    PEOPLE,
    actions.judge_people,
    "people",
    "people_import",
    ("一人一行。全部正确才会建立；建立后的初始密码只显示一次，请准备好抄下或打印。",),
)
OF_UNIONS = Kind(
    "unions",
    "从 Excel 建立工会组织",
    "个",
    "manage_unions",
    UNIONS,
    actions.judge_unions,
    "unions",
    "unions_import",
    ("一个单位一行，上级在前、下级在后。全部正确才会建立；建立后代码不能修改。",),
)


def _page(
    request: ActingRequest, kind: Kind, *, sentences: Sequence[str] = (), status: int = 200, **more: Any
) -> HttpResponse:
    context = {"kind": kind, "columns": kind.columns, "accept": ACCEPT, "sentences": sentences, **more}
    return render(request, "reporting/import_rows.html", context, status=status)


def _looked_at(
    request: ActingRequest, kind: Kind, lines: Sequence[Line], judged: Judged, name: str
) -> HttpResponse:
    """The rows for reading: to be confirmed, or with what is wrong."""
    wrong = judged.wrong
    rows = [
        {"row": row, "values": [_shown(row, column) for column in kind.columns]}
        for row in (wrong or judged.rows)
    ]
    return _page(
        request,
        kind,
        status=422 if wrong else 200,
        name=name,
        rows=rows,
        count=len(judged.rows),
        wrong=len(wrong),
        sealed="" if wrong else actions.sealed(kind.what, lines, request.actor),
    )


def _shown(row: Row, column: Column) -> str:
    """As typed; of a row without fault the union's whole name, so that everybody sees which one was meant."""
    if column.name in ("union", "parent") and row.union and not row.problems:
        return row.union.name
    return row.line[column.name]


def _import(request: ActingRequest, kind: Kind) -> HttpResponse:
    request.actor.require_here(kind.action)
    if request.method != "POST":
        return _page(request, kind)
    upload = request.FILES.get("workbook")
    try:
        if upload is None:
            raise Refused("没有收到文件，请先选择填好的表格。")
        name = clean_name(upload.name or "", "表格")
        lines = lines_of(cast("BinaryIO", upload.file or upload), name, kind.columns)
    except ReportingError as error:
        return _page(request, kind, sentences=error.sentences, status=422)
    return _looked_at(request, kind, lines, kind.judge(lines, request.actor), name)


def _template(request: ActingRequest, kind: Kind, title: str) -> HttpResponse:
    request.actor.require_here(kind.action)
    unions = in_tree_order(Union.objects.visible_to(request.actor).filter(is_active=True))
    listed = [(union.code, "　" * depth + union.name, union.short_name) for union, depth in unions]
    content = template(title, kind.columns, kind.explained, (("代码", "名称", "简称"), listed), now())
    response = HttpResponse(content, content_type=CONTENT_TYPE)
    response["Content-Disposition"] = content_disposition_header(True, f"{title}导入模板.xlsx") or ""
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def people_import(request: ActingRequest) -> HttpResponse:
    return _import(request, OF_PEOPLE)


@login_required
@require_safe
def people_import_template(request: ActingRequest) -> HttpResponse:
    return _template(request, OF_PEOPLE, "人员")


@login_required
@never_cache
@sensitive_variables("made")
@require_POST
def people_import_confirm(request: ActingRequest) -> HttpResponse:
    """The only place where the first passwords appear: the answer to the POST that made them, kept by no cache."""
    kind = OF_PEOPLE
    request.actor.require_here(kind.action)
    try:
        lines = actions.unsealed(request.POST.get("rows", ""), kind.what, request.actor)
        judged = kind.judge(lines, request.actor)
        if judged.wrong:
            return _looked_at(request, kind, lines, judged, "刚才预览的内容")
        made = actions.create_people(judged, request.actor)
    except ReportingError as error:
        return _page(request, kind, sentences=error.sentences, status=409)
    return render(request, "reporting/import_people_done.html", {"made": made})


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unions_import(request: ActingRequest) -> HttpResponse:
    return _import(request, OF_UNIONS)


@login_required
@require_safe
def unions_import_template(request: ActingRequest) -> HttpResponse:
    return _template(request, OF_UNIONS, "工会组织")


@login_required
@never_cache
@require_POST
def unions_import_confirm(request: ActingRequest) -> HttpResponse:
    kind = OF_UNIONS
    request.actor.require_here(kind.action)
    try:
        lines = actions.unsealed(request.POST.get("rows", ""), kind.what, request.actor)
    except ReportingError as error:
        return _page(request, kind, sentences=error.sentences, status=409)
    judged = actions.create_unions(lines, request.actor)
    if judged.wrong:
        return _looked_at(request, kind, lines, judged, "刚才预览的内容")
    messages.success(
        request,
        f"已建立 {len(judged.rows)} 个工会组织，从下一个报送任务起参加报送；进行中的任务可在其设置里补建报送件。",
    )
    return redirect("unions")
