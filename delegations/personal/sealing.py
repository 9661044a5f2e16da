"""Encryption of personal data at rest: AES-256-GCM under versioned keys that never touch the database.

A sealed value carries the version of its key and is bound to its place (row and column): copied elsewhere
it does not open. Why not Fernet: it can't bind. See docs/adr/0007.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

_NONCE = 12  # bytes; random, as NIST SP 800-38D allows for far more values than a province has households


class Unreadable(Exception):
    """The key of this version is not configured, or the bytes were changed or moved."""


def newest_version() -> int:
    return max(settings.PERSONAL_DATA_KEYS)


@sensitive_variables("plain")
def seal(plain: str, *, place: str) -> bytes:
    """Text → bytes for a column; an empty text stays empty, so that "not filled" can be asked without a key."""
    if not plain:
        return b""
    version = newest_version()
    nonce = os.urandom(_NONCE)
    key = AESGCM(settings.PERSONAL_DATA_KEYS[version])
    return version.to_bytes(2, "big") + nonce + key.encrypt(nonce, plain.encode(), place.encode())


def version_of(sealed: bytes) -> int:
    return int.from_bytes(bytes(sealed)[:2], "big")


def unseal(sealed: bytes, *, place: str) -> str:
    """Raises Unreadable."""
    sealed = bytes(sealed)
    if not sealed:
        return ""
    key = settings.PERSONAL_DATA_KEYS.get(version_of(sealed))
    if key is None:
        raise Unreadable(f"没有第 {version_of(sealed)} 版密钥")
    nonce, content = sealed[2 : 2 + _NONCE], sealed[2 + _NONCE :]
    try:
        return AESGCM(key).decrypt(nonce, content, place.encode()).decode()
    # ValueError: cut off so short that not even its nonce is whole.
    except (InvalidTag, ValueError):
        raise Unreadable("密文与所在的位置或密钥不符") from None
