"""People and their posts, as an administrator sees them."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Min, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from unions import actions
from unions.actions import Refusal
from unions.forms import (
    ROLE_MEANINGS,
    BasePostRows,
    PeopleFilter,
    PersonForm,
    PostRows,
    union_choices,
)
from unions.gate import Actor, Relation, Role
from unions.middleware import ActingRequest
from unions.models import Person, Post, Union
from unions.views.answers import EVENTS_ON_A_PAGE, show

PEOPLE_ON_A_PAGE = 50


@login_required
@require_safe
def people(request: ActingRequest) -> HttpResponse:
    actor = request.actor
    actor.require_here("manage_people")
    form = PeopleFilter(request.GET)
    form.is_valid()  # a filter that makes no sense filters nothing
    found, union = _filtered(actor, form.cleaned_data, request.GET.get("union", ""))
    page = Paginator(found, PEOPLE_ON_A_PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    rows = [
        {"person": person, "posts": posts, "elsewhere": elsewhere}
        for person in page.object_list
        for posts, elsewhere in [_posts_by_union(actor, person)]
    ]
    filtered = bool(query.get("q") or query.get("role") or query.get("state") or union)
    return render(
        request,
        "unions/people.html",
        {
            "form": form,
            "page": page,
            "rows": rows,
            "query": query.urlencode(),
            "of_union": union,
            "filtered": filtered,
        },
    )


def _filtered(actor: Actor, wanted: dict[str, Any], code: str) -> tuple[QuerySet[Person], Union | None]:
    """The people the actor sees, filtered; posts outside the subtree neither match nor sort."""
    inside = Q(posts__union__path__startswith=actor.union.path) if actor.union else Q()
    found = Person.objects.visible_to(actor)
    union = Union.objects.visible_to(actor).filter(code=code).first() if code else None
    posts = Post.objects.visible_to(actor)
    if union is not None:
        posts = posts.filter(union=union)
    if role := wanted.get("role"):
        posts = posts.filter(role=role)
    if union is not None or role:
        found = found.filter(pk__in=posts.values("person"))
    if q := wanted.get("q", "").strip():
        named = Post.objects.visible_to(actor).filter(
            Q(union__name__icontains=q) | Q(union__short_name__icontains=q)
        )
        found = found.filter(
            Q(name__icontains=q) | Q(username__icontains=q) | Q(pk__in=named.values("person"))
        )
    if state := wanted.get("state"):
        found = found.filter(is_active=state == "on")
    found = found.annotate(first_path=Min("posts__union__path", filter=inside)).order_by(
        "first_path", "username"
    )
    return found.prefetch_related(Prefetch("posts", Post.objects.select_related("union"))), union


def _posts_by_union(actor: Actor, person: Person) -> tuple[list[tuple[Union, list[str]]], bool]:
    """[(union, role labels)] inside the actor's subtree, and whether there are posts outside it."""
    inside: dict[int, tuple[Union, list[str]]] = {}
    elsewhere = False
    for post in person.posts.all():
        if actor.relation_to(post.union) == Relation.OUTSIDE:
            elsewhere = True
        else:
            inside.setdefault(post.union_id, (post.union, []))[1].append(Role(post.role).label)
    order = [role.label for role in Role]
    return [(union, sorted(roles, key=order.index)) for union, roles in inside.values()], elsewhere


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def new_person(request: ActingRequest) -> HttpResponse:
    actor = request.actor
    actor.require_here("manage_people")
    unions = list(Union.objects.visible_to(actor).filter(is_active=True))
    data = request.POST if request.method == "POST" else None
    asked = request.GET.get("union", "")
    first = asked if asked in {union.code for union in unions} else actor.union and actor.union.code
    form = PersonForm(data)
    rows = _post_rows(unions, [{"union": first}], data)
    if data is not None and form.is_valid() & rows.is_valid():
        try:
            person, password = actions.create_person(by=actor, posts=rows.posts(), **form.cleaned_data)
        except (Refusal, ValidationError) as problem:
            show(problem, form)
        else:
            return _password_once(request, person, password, new=True)
    return render(
        request, "unions/new_person.html", {"form": form, "rows": rows, "role_meanings": _role_meanings()}
    )


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def person(request: ActingRequest, pk: int) -> HttpResponse:
    actor = request.actor
    actor.require_here("manage_people")
    someone = _person(actor, pk)
    whole = actions.manages_whole_account(actor, someone)
    held = [post for post in someone.posts.all() if actor.relation_to(post.union) != Relation.OUTSIDE]
    # Unions switched off are no choice for new posts, but a post held there must be seen and can be ended.
    unions = list(
        Union.objects.visible_to(actor).filter(Q(is_active=True) | Q(pk__in=[post.union_id for post in held]))
    )
    by_code: dict[str, list[str]] = {}
    for post in held:
        by_code.setdefault(post.union.code, []).append(post.role)
    initial = [{"union": code, "roles": roles, "held": True} for code, roles in by_code.items()]
    data = request.POST if request.method == "POST" else None
    form = PersonForm(data, instance=someone) if whole else None
    rows = _post_rows(unions, initial, data)
    if data is not None and (form is None or form.is_valid()) & rows.is_valid():
        try:
            with transaction.atomic():
                if form is not None:
                    actions.edit_person(by=actor, person=someone, **form.cleaned_data)
                actions.set_posts(by=actor, person=someone, posts=rows.posts())
        except (Refusal, ValidationError) as problem:
            show(problem, form or rows.forms[0])
        else:
            messages.success(request, f"{someone.name}的资料已保存。")
            # Without a post left here the person is no longer visible to this actor.
            still_here = Person.objects.visible_to(actor).filter(pk=pk).exists()
            return redirect("person", pk=pk) if still_here else redirect("people")
    return render(
        request,
        "unions/person.html",
        {
            "person": _person(actor, pk) if data is not None else someone,
            "form": form,
            "rows": rows,
            "whole": whole,
            "outside_posts": actions.OUTSIDE_POSTS,
            "role_meanings": _role_meanings(),
            # The history names posts elsewhere: it belongs to those who manage the whole account.
            "events": someone.events.select_related("by")[:EVENTS_ON_A_PAGE] if whole else [],
        },
    )


@never_cache
@login_required
@require_POST
def reset_password(request: ActingRequest, pk: int) -> HttpResponse:
    request.actor.require_here("manage_people")
    someone = _person(request.actor, pk)
    try:
        password = actions.reset_password(by=request.actor, person=someone)
    except Refusal as problem:
        messages.error(request, str(problem))
        return redirect("person", pk=pk)
    return _password_once(request, someone, password, new=False)


@login_required
@require_POST
def set_active(request: ActingRequest, pk: int) -> HttpResponse:
    request.actor.require_here("manage_people")
    someone = _person(request.actor, pk)
    active = request.POST.get("active") == "1"
    try:
        actions.set_active(by=request.actor, person=someone, active=active)
    except Refusal as problem:
        messages.error(request, str(problem))
    else:
        done = "已启用，可以登录。" if active else "已停用，其登录立即失效。"
        messages.success(request, f"{someone.name}的账号{done}")
    return redirect("person", pk=pk)


def _person(actor: Actor, pk: int) -> Person:
    found = Person.objects.visible_to(actor).prefetch_related(
        Prefetch("posts", Post.objects.select_related("union"))
    )
    return get_object_or_404(found, pk=pk)


def _post_rows(unions: list[Union], initial: list[dict[str, Any]], data: Any) -> BasePostRows:
    rows = PostRows(
        data,
        initial=initial,
        prefix="posts",
        form_kwargs={"unions": unions, "choices": union_choices(unions)},
    )
    return cast(BasePostRows, rows)


def _password_once(request: HttpRequest, person: Person, password: str, *, new: bool) -> HttpResponse:
    """The only place a temporary password appears: the answer to the POST that made it, kept by no cache."""
    return render(request, "unions/password_once.html", {"person": person, "password": password, "new": new})


def _role_meanings() -> list[tuple[str, str]]:
    return [(str(role.label), meaning) for role, meaning in ROLE_MEANINGS.items()]
