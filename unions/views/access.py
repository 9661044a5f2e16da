"""Coming and going: log-in, log-out, one's own password, the union acted for."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME, login, logout, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.password_validation import password_validators_help_texts
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from unions import actions
from unions.forms import LogInForm, OwnPasswordForm
from unions.middleware import SESSION_KEY, ActingRequest, refuse_anonymous, wants_json


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    onward = _safe_next(request)
    if request.user.is_authenticated:
        return redirect(onward)
    form = LogInForm(request, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        login(request, form.get_user())
        return redirect(onward)
    return render(request, "unions/log_in.html", {"form": form, "next": onward})


def _safe_next(request: HttpRequest) -> str:
    """Where the person wanted to go, if that is a page of ours."""
    onward = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME) or ""
    ours = url_has_allowed_host_and_scheme(
        onward, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return onward if ours else resolve_url("my_work")


@never_cache
@require_safe
def here(request: ActingRequest) -> HttpResponse:
    """Asked before a form goes (static/js/guard.js): is `person` still logged in and acting for `union`? 204, or
    401 or 409 with a sentence. As a page it is where logging in again in another window leads to."""
    if not wants_json(request):
        return _here_again(request)
    if refusal := refuse_anonymous(request):
        return refusal
    person, union = request.actor.person, request.actor.union
    assert union is not None  # the middleware lets nobody pass without one
    if request.GET.get("person") != str(person.pk):
        return _not_here(f"现在登录的是{person.name}，不是打开本页的人，没有提交。请用原账号登录。")
    if request.GET.get("union") != union.code:
        return _not_here(f"当前单位是{union.name}，打开本页时不是，没有提交。请在新窗口切换回来。")
    return HttpResponse(status=204)


@login_required
def _here_again(request: ActingRequest) -> HttpResponse:
    return render(request, "unions/here.html")


def _not_here(sentence: str) -> HttpResponse:
    return JsonResponse({"error": sentence}, status=409)


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("login")


@never_cache
@sensitive_post_parameters()
@login_required
@require_http_methods(["GET", "POST"])
def change_password(request: ActingRequest) -> HttpResponse:
    forced = request.user.must_change_password
    form = OwnPasswordForm(request.user, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        actions.change_own_password(by=request.actor, new_password=form.cleaned_data["new_password1"])
        update_session_auth_hash(request, request.actor.person)
        messages.success(request, "密码已修改。其他设备上的登录已全部退出。")
        return redirect("my_work")
    return render(
        request,
        "unions/change_password.html",
        # Django says 你 where the rest of the product says 您.
        {
            "form": form,
            "forced": forced,
            "rules": [r.replace("你", "您") for r in password_validators_help_texts()],
        },
    )


@login_required
@require_POST
def act_for(request: ActingRequest) -> HttpResponse:
    code = request.POST.get("union", "")
    if code not in {post.union.code for post in request.posts}:
        raise PermissionDenied("您在该单位没有任职，不能切换。")
    request.session[SESSION_KEY] = code
    return redirect("my_work")
