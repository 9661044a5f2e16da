"""Passwords in tests: hashed as in production, but without the many rounds that make guessing slow."""

from __future__ import annotations

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    iterations = 1000
