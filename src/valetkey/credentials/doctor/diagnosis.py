"""Why not? Small checks over what is known without assuming a role: one row per check, one answer per row.

Rules:
- A check is a pure function of the facts; what could not be learnt is `Unread` with its reason, and its answer is
  `unknown`, never `ok`.
- `blocks` is said only of what stands in the way by itself; what may surprise later is `beware`.
- Nothing here is seen by the owner but one GetCallerIdentity with a role session that is kept, where there is one.
  What else is (probing.py) happens when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from valetkey.account.calls import Keys
from valetkey.credentials.doctor.caller_policies import OwnSide
from valetkey.credentials.doctor.organization import Organization
from valetkey.credentials.profiles.identity import Identity
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.sessions.kept import Known

Result = Literal["ok", "blocks", "beware", "unknown"]


@dataclass(frozen=True)
class Unread:
    """Something that could not be learnt."""

    why: str
    no_answer: bool = False
    """AWS or the network failed: the question is open, and may be asked again."""


@dataclass(frozen=True, kw_only=True)
class Signed:
    """The base identity's keys, as resolved."""

    source: str
    """botocore's word for where they were found: "env", "shared-credentials-file", "sso" ..."""
    keys: Keys = field(repr=False)
    region: str
    endpoint: str


@dataclass(frozen=True, kw_only=True)
class Sections:
    """What the AWS files say: settings by profile, and for the credentials file the settings' names alone."""

    config: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    credentials: Mapping[str, frozenset[str]] = field(default_factory=dict)
    config_file: str = ""
    credentials_file: str = ""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that the checks look at. `profile` is None when no customer was named."""

    now: datetime
    env: Mapping[str, str] = field(repr=False)
    profile: Profile | None
    source_profile: str | None
    """The AWS profile of the base identity; None: the usual chain."""
    sections: Sections | Unread = field(repr=False)
    partition_of: Callable[[str], str | None] = field(repr=False)
    """The partition of a region's name."""
    executable: bool | None = None
    """Whether the program in the profile's credential_process can be run; None: there is none."""
    base: Signed | Unread
    skew: float | Unread
    """Seconds that this clock is ahead of AWS's."""
    identity: Identity | Unread
    devices: tuple[str, ...] | Unread
    """The serials of the caller's enabled MFA devices."""
    own: OwnSide | Unread
    organization: Organization | Unread
    kept: Known | None = None
    """What AWS says of the role session that is kept; None: there is none."""


class Answer(NamedTuple):
    """What a check has found."""

    result: Result
    says: str
    do: str = ""


@dataclass(frozen=True)
class DoctorCheck:
    """One row: what is looked at, where that is known from, and the function that looks. It answers None where the
    question does not arise."""

    id: str
    what: str
    how: str
    look: Callable[[Facts], Answer | None]


@dataclass(frozen=True)
class Found:
    """One check with its answer."""

    check: DoctorCheck
    answer: Answer


def examine(facts: Facts, checks: tuple[DoctorCheck, ...]) -> tuple[Found, ...]:
    """Every check whose question arises, in order."""
    answers = ((check, check.look(facts)) for check in checks)
    return tuple(Found(check, answer) for check, answer in answers if answer is not None)
