"""The sandbox's state as JSON (docs/reference/sandbox.md)."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from valetkey.report.results.shape import Shape


class Profile(Shape, frozen=True):
    profile: str
    account: str
    user: str
    arn: str
    mfa_serial: str | None


class Status(Shape, frozen=True):
    """The state of a sandbox; one that is not running has only the first two fields."""

    valetkey: Literal["sandbox-status/v1"]
    running: bool
    url: str | UnsetType = UNSET
    pid: int | UnsetType = UNSET
    profiles: list[Profile] | UnsetType = UNSET
    environment: dict[str, str] | UnsetType = UNSET
    unset: list[str] | UnsetType = UNSET


class Stopped(Shape, frozen=True):
    valetkey: Literal["sandbox-stopped/v1"]
    stopped: bool


class Code(Shape, frozen=True):
    valetkey: Literal["sandbox-totp/v1"]
    code: str
    seconds_left: int
    device: str


class Role(Shape, frozen=True):
    arn: str
    name: str
    what: str
    checks: list[str]
    exposure: str


class Seeded(Shape, frozen=True):
    valetkey: Literal["sandbox-seeded/v1"]
    roles: list[Role]
