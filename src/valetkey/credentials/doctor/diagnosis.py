"""Checks for `doctor` that assume no role: each check returns at most one answer.

Rules:
- A check is a pure function of the facts. A fact that could not be read is `NotRead` with the reason, and its answer is
  `unknown`, never `ok`.
- `blocks` means that this alone prevents access; `beware` means a possible problem later.
- The owner can see only one call: GetCallerIdentity with a cached role session, if there is one. Other calls that the
  owner can see (probing.py) are made only on request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from valetkey.account.calls import AccessKeys
from valetkey.credentials.doctor.caller_policies import OwnSide
from valetkey.credentials.doctor.organization import Organization
from valetkey.credentials.profiles.identity import Identity
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.sessions.kept import CacheState

CheckResult = Literal["ok", "blocks", "beware", "unknown"]


@dataclass(frozen=True)
class NotRead:
    """A fact that could not be read."""

    why: str
    no_answer: bool = False
    """AWS or the network failed: the fact is open, and a retry may help."""


@dataclass(frozen=True, kw_only=True)
class Signed:
    """The resolved keys of the base identity."""

    source: str
    """Where the keys were found, as botocore names it: "env", "shared-credentials-file", "sso" ..."""
    keys: AccessKeys = field(repr=False)
    region: str
    endpoint: str


@dataclass(frozen=True, kw_only=True)
class AwsFiles:
    """The content of the AWS files: settings by profile; for the credentials file only the names of the settings."""

    config: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    credentials: Mapping[str, frozenset[str]] = field(default_factory=dict)
    config_file: str = ""
    credentials_file: str = ""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The input of all checks. `profile` is None if no customer was named."""

    now: datetime
    env: Mapping[str, str] = field(repr=False)
    profile: Profile | None
    source_profile: str | None
    """The AWS profile of the base identity; None: the default chain."""
    sections: AwsFiles | NotRead = field(repr=False)
    partition_of: Callable[[str], str | None] = field(repr=False)
    """Returns the partition of a region."""
    executable: bool | None = None
    """Whether the program in the profile's credential_process can be run; None: there is no such program."""
    base: Signed | NotRead
    skew: float | NotRead
    """Seconds that this clock is ahead of AWS's."""
    identity: Identity | NotRead
    devices: tuple[str, ...] | NotRead
    """The serials of the caller's enabled MFA devices."""
    own: OwnSide | NotRead
    organization: Organization | NotRead
    kept: CacheState | None = None
    """What AWS reports about the cached role session; None: no session is cached."""


class CheckAnswer(NamedTuple):
    """The result of a check."""

    result: CheckResult
    says: str
    do: str = ""


@dataclass(frozen=True)
class DoctorCheck:
    """A check: what it examines, the source of the data, and the function. The function returns None if the check does
    not apply."""

    id: str
    what: str
    how: str
    look: Callable[[Facts], CheckAnswer | None]


@dataclass(frozen=True)
class AnsweredCheck:
    """A check with its answer."""

    check: DoctorCheck
    answer: CheckAnswer


def examine(facts: Facts, checks: tuple[DoctorCheck, ...]) -> tuple[AnsweredCheck, ...]:
    """Run all checks in order. Returns those that apply."""
    answers = ((check, check.look(facts)) for check in checks)
    return tuple(AnsweredCheck(check, answer) for check, answer in answers if answer is not None)
