"""Whose wrong passwords are counted: the caller's address, also behind a proxy."""

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address that the outermost of our own proxies saw.

    Anybody can send an X-Forwarded-For header; each proxy appends the address it saw, so only the last
    TRUSTED_PROXY_COUNT entries are to be believed. With none, the header is ignored.
    """
    direct: str = request.META.get("REMOTE_ADDR", "")
    count: int = settings.TRUSTED_PROXY_COUNT
    if not count:
        return direct
    forwarded = [
        part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()
    ]
    return forwarded[-count] if len(forwarded) >= count else direct
