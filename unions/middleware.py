"""Who is acting, for every request; and the sliding idle time-out."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from unions.gate import Actor, Role
from unions.models import Person, Post, Union

SESSION_KEY = "acting_for"
# Only these work before a first log-in has changed its password, and for people without a post.
ALWAYS_OPEN = ("/password/", "/logout/", "/static/", "/healthz")


class ActingRequest(HttpRequest):
    """A request after `ActingMiddleware`: `actor` is never missing for somebody logged in."""

    user: Person
    actor: Actor
    posts: list[Post]


class ActingMiddleware:
    """Sets `request.actor` (one query); people with their first password or without a post get no further."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # The path first: a health check or the log-in page must not cost a session.
        if request.path.startswith(("/static/", "/healthz")):
            return self.get_response(request)
        if _has_nul(request):
            raise Http404
        user = request.user
        if isinstance(user, Person):
            posts = list(Post.objects.filter(person=user, union__is_active=True).select_related("union"))
            request.posts = posts  # type: ignore[attr-defined]
            request.actor = acting(user, posts, request.session.get(SESSION_KEY))  # type: ignore[attr-defined]
            _slide_idle_time_out(request)
            if not request.path.startswith(ALWAYS_OPEN):
                if user.must_change_password:
                    if wants_json(request):
                        return JsonResponse({"error": "请先修改初始密码。"}, status=403)
                    return redirect("change_password")
                if not posts:
                    if wants_json(request):
                        return JsonResponse({"error": "您目前没有任职，请联系管理员。"}, status=403)
                    return render(request, "unions/no_post.html", status=403)
        return self.get_response(request)


def _has_nul(request: HttpRequest) -> bool:
    """PostgreSQL refuses a question with NUL in it; nothing in this product is addressed by such a thing."""
    return "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", "")


def acting(person: Person, posts: list[Post], chosen: str | None) -> Actor:
    """The actor for the chosen union, or the first the person has a post in."""
    unions: dict[str, Union] = {post.union.code: post.union for post in posts}
    union = unions.get(chosen or "") or next(iter(unions.values()), None)
    roles = frozenset(Role(post.role) for post in posts if union and post.union_id == union.pk)
    return Actor(person=person, union=union, roles=roles)


def wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def _slide_idle_time_out(request: HttpRequest) -> None:
    """Somebody active stays logged in; the session is written once a minute, not at every request."""
    now = int(time.time())
    if now - request.session.get("seen", 0) >= 60:
        request.session["seen"] = now


def refuse_anonymous(request: HttpRequest) -> HttpResponse | None:
    """For fetch(): 401 with where to log in, instead of a redirect the page would follow blindly."""
    if request.user.is_authenticated:
        return None
    return JsonResponse(
        {
            "error": "登录已过期，请重新登录。已填内容保存在本机，登录后自动补传。",
            "login": f"{reverse('login')}",
        },
        status=401,
    )
