"""Results of `login`, as JSON (docs/reference/login.md)."""

from __future__ import annotations

from typing import Literal

from valetkey.report.results.shape import Shape


class Login(Shape, frozen=True):
    base: str | None
    mfa_serial: str
    until: str
    kept_in: str
    profile: str | None
    account: str | None
    role_until: str | None
    limit: str | None


class KeyKept(Shape, frozen=True):
    access_key_id: str
    user: str
    kept_in: Literal["keyring"]
    removed_from: str | None


class KeyRotated(Shape, frozen=True):
    access_key_id: str
    deleted: str
    kept_in: Literal["keyring"]
