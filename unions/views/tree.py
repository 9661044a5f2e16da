"""The tree of unions: the list, one union with its children, founding, switching on and off."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from unions import actions
from unions.actions import Refusal
from unions.forms import EditUnionForm, NewUnionForm
from unions.gate import Actor, Relation
from unions.middleware import ActingRequest
from unions.models import LEGAL_CHILDREN, Union
from unions.tree import in_tree_order
from unions.views.answers import EVENTS_ON_A_PAGE, show


@login_required
@require_safe
def union_list(request: ActingRequest) -> HttpResponse:
    request.actor.require_here("manage_unions")
    everything = list(_counted(Union.objects.visible_to(request.actor)))
    below: dict[int, list[Union]] = {}
    for union in everything:
        if union.parent_id:
            below.setdefault(union.parent_id, []).append(union)
    show_all = "all" in request.GET
    rows = [
        {
            "union": union,
            "depth": depth,
            "below": len(below.get(union.pk, [])),
            "below_active": sum(child.is_active for child in below.get(union.pk, [])),
        }
        for union, depth in in_tree_order(everything)
        if show_all or union.is_active
    ]
    active = sum(union.is_active for union in everything)
    return render(
        request,
        "unions/union_list.html",
        {"rows": rows, "show_all": show_all, "active": active, "inactive": len(everything) - active},
    )


def _counted(unions: QuerySet[Union]) -> QuerySet[Union]:
    """With `people`: how many people who can log in have a post right there."""
    return unions.annotate(
        people=Count("posts__person", filter=Q(posts__person__is_active=True), distinct=True)
    )


@login_required
@require_http_methods(["GET", "POST"])
def new_union(request: ActingRequest) -> HttpResponse:
    actor = request.actor
    actor.require_here("manage_unions")
    parents = list(Union.objects.visible_to(actor).filter(is_active=True))
    asked = next((union for union in parents if union.code == request.GET.get("parent")), actor.union)
    form = NewUnionForm(
        request.POST if request.method == "POST" else None,
        parents=parents,
        initial={"parent": asked.code if asked else "", "kind": _usual_kind(asked)},
    )
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            union = actions.create_union(by=actor, **{**said, "parent": form.parents[said["parent"]]})
        except (Refusal, ValidationError) as problem:
            show(problem, form)
        else:
            messages.success(request, f"{union.name}已建立，代码 {union.code}。")
            return redirect("edit_union", code=union.code)
    return render(request, "unions/new_union.html", {"form": form, "possible": bool(form.parents)})


def _usual_kind(parent: Union | None) -> str:
    legal = LEGAL_CHILDREN[parent.kind] if parent else ()
    return legal[0] if legal else ""


@login_required
@require_http_methods(["GET", "POST"])
def edit_union(request: ActingRequest, code: str) -> HttpResponse:
    union = _union(request.actor, code)
    form = EditUnionForm(request.POST if request.method == "POST" else None, instance=union)
    if request.method == "POST" and form.is_valid():
        try:
            actions.edit_union(by=request.actor, union=union, **form.cleaned_data)
        except (Refusal, ValidationError) as problem:
            show(problem, form)
        else:
            messages.success(request, f"{union.name}已保存。")
            return redirect("edit_union", code=code)
    saved = _union(request.actor, code)
    children = list(_counted(Union.objects.visible_to(request.actor).filter(parent=union)))
    return render(
        request,
        "unions/union.html",
        {
            "union": saved,
            "form": form,
            "children": children,
            "active_children": sum(child.is_active for child in children),
            "own": request.actor.relation_to(union) == Relation.OWN,
            "has_kinds_below": bool(_usual_kind(union)),
            "events": saved.events.select_related("by")[:EVENTS_ON_A_PAGE],
        },
    )


@login_required
@require_POST
def set_union_active(request: ActingRequest, code: str) -> HttpResponse:
    union = _union(request.actor, code)
    active = request.POST.get("active") == "1"
    try:
        actions.set_union_active(by=request.actor, union=union, active=active)
    except Refusal as problem:
        messages.error(request, str(problem))
    else:
        messages.success(
            request,
            f"{union.name}已启用，从下一个报送任务起参加报送。"
            if active
            else f"{union.name}已停用，不再参加新的报送任务；已有的报送件和人员资料都保留。",
        )
    return redirect("edit_union", code=code)


@login_required
@require_POST
def set_active_children(request: ActingRequest, code: str) -> HttpResponse:
    union = _union(request.actor, code)
    try:
        on, off = actions.set_active_children(
            by=request.actor, union=union, codes=set(request.POST.getlist("active"))
        )
    except Refusal as problem:
        messages.error(request, f"{problem}本次没有保存任何改动。")
    else:
        done = [f"启用 {on} 个" * bool(on), f"停用 {off} 个" * bool(off)]
        messages.success(request, "下级工会" + ("，".join(filter(None, done)) or "没有变化") + "。")
    return redirect("edit_union", code=code)


def _union(actor: Actor, code: str) -> Union:
    """The union by its code: 404 outside the subtree, then 403 without the role."""
    found = _counted(Union.objects.visible_to(actor)).select_related("parent")
    union = get_object_or_404(found, code=code)
    actor.require("manage_unions", union)
    return union
