"""Results of `import`, `forget` and `logout`, as JSON (docs/reference/{import,forget,logout}.md)."""

from __future__ import annotations

from valetkey.report.results.shape import Shape


class LoggedOut(Shape, frozen=True):
    profile: str | None
    """Null: every profile."""
    role_sessions: int
    """Number of sessions that were dropped."""
    mfa_sessions: int
    keyring: str | None
    """Why an MFA session may be left in the keyring."""


class Forgotten(Shape, frozen=True):
    profile: str
    role_arn: str | None
    """Null: its file was damaged."""
    restored: bool
    config: str
    backup: str | None
    behind: list[str]
    """Profiles that depended on it."""


class ImportedProfile(Shape, frozen=True):
    profile: str
    customer: str
    account: str
    role_arn: str
    base: str | None
    base_arn: str | None
    mfa_serial: str | None
    shares_external_id: bool


class NotImported(Shape, frozen=True):
    profile: str
    why: str
    do: str
    fine: bool
    """The profile needs no import."""


class Imported(Shape, frozen=True):
    config: str
    written: bool
    backup: str | None
    imported: list[ImportedProfile]
    left: list[NotImported]
    shared_external_ids: list[list[str]]
    """Profiles of several customers that share one ExternalId."""
    changes: list[str]
    """The lines of the diff."""
