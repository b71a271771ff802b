"""Activity of roles as JSON (docs/reference/activity.md)."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from valetkey.report.results.shape import Shape

KindName = Literal["delegate", "agent", "scoped", "login", "console", "service", "cli"]


class Who(Shape, frozen=True):
    person: str
    by: str
    source_identity: str | None
    caller: str | None
    caller_id: str | None
    caller_account: str | None
    on_behalf_of: str | None
    session_name: str | None
    mfa_device: str | None


class Calls(Shape, frozen=True):
    service: str
    level: str
    action: str
    is_iam_action: bool
    count: int
    first: str
    last: str


class Deed(Shape, frozen=True):
    at: str
    action: str
    level: str
    resources: list[str]
    account: str
    region: str
    error: str | None
    event: str


class Click(Shape, frozen=True):
    at: str
    service: str
    calls: int


class Flag(Shape, frozen=True):
    code: str
    why: str
    events: list[str]
    count: int


class Session(Shape, frozen=True):
    id: str
    role: str
    role_id: str
    kind: KindName
    who: Who
    mfa: Literal["yes", "no", "required", "not shown"]
    first: str
    last: str
    parent: str | None
    entry_events: list[str]
    access_keys: list[str]
    addresses: list[str]
    agents: list[str]
    regions: list[str]
    events: int
    calls: list[Calls]
    by_services: list[Calls]
    writes: list[Deed]
    data_reads: list[Deed]
    denied: list[Deed]
    errors: list[Deed]
    clicks: list[Click]
    flags: list[Flag]


class Line(Shape, frozen=True):
    key: str
    first: str
    last: str
    people: list[str]
    sessions: list[str]
    calls: int
    writes: int
    denied: int
    errors: int


class Refused(Shape, frozen=True):
    at: str
    caller: str
    address: str
    role: str
    error: str
    event: str


class Broken(Shape, frozen=True):
    file: str
    why: str


class Region(Shape, frozen=True):
    account: str
    region: str
    days: list[str]


class Reading(Shape, frozen=True):
    complete: bool
    files: int
    files_without_the_role: int
    bytes: int
    records_decoded: int
    duplicates: int
    broken: list[Broken]
    skipped: dict[str, int]
    skipped_in: list[str]
    not_read: list[str]
    chains_cut: bool
    regions: list[Region]


class Activity(Shape, frozen=True, kw_only=True):
    valetkey: Literal["activity/v1"]
    roles: list[str]
    since: str | None
    until: str | None
    terms: str
    """The grant whose terms were used, or why there are none; empty with --all-outsiders."""
    sessions: list[Session]
    by: Literal["person", "action", "day", "ip"] | UnsetType = UNSET
    lines: list[Line] | UnsetType = UNSET
    refused: list[Refused]
    unseen: list[str]
    reading: Reading
