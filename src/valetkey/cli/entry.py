"""What every command of the contractor's side begins with: a profile, its base identity, the cache, the terminal."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from valetkey.policy.problem import Problem

if TYPE_CHECKING:
    from valetkey.aws.signin import SignIn
    from valetkey.credentials.broker import Ask
    from valetkey.credentials.cache import Session
    from valetkey.credentials.profiles import Profile

_INSIDE = "VALETKEY_INSIDE"
# For the code of a base profile that is a role with MFA, before the broker's own time begins.
_SECONDS = 40.0


@dataclass(frozen=True)
class Entry:
    """A profile and how it is entered."""

    profile: Profile
    accepted: datetime
    """When the profile was written last."""
    base: SignIn
    ask: Ask

    @property
    def region(self) -> str | None:
        """Where to work: the AWS profile's region as it is now, else the one it was accepted with."""
        from valetkey.credentials.awsconfig import region_of

        return region_of(self.profile.name, os.environ) or self.profile.region

    def tools(self) -> dict[str, Any]:
        """The arguments that the broker's functions share."""
        from valetkey.credentials.cache import Cache

        return {
            "base": self.base,
            "connect": self.base.connect,
            "cache": Cache(os.environ),
            "ask": self.ask,
            "clock": clock,
        }

    def session(self, *, lasting: bool = False) -> Session:
        """A session of the role. Raises what broker.role_session raises."""
        from valetkey.cli.reasons import explained
        from valetkey.credentials.broker import role_session
        from valetkey.credentials.clients import note

        with explained(self):
            session = role_session(self.profile, lasting=lasting, since=self.accepted, **self.tools())
        note(self.profile, session.credentials.expires, os.environ)
        return session

    def mfa_session(self) -> Session:
        """The MFA session that the role is entered from. Raises what broker.mfa_session raises."""
        from valetkey.credentials.broker import mfa_session

        profile = self.profile
        if not profile.mfa or profile.mfa_serial is None or self.base.session_token is not None:
            raise Problem(
                f"the role of {profile.name} is not entered from an MFA session of valetkey's",
                do="use the base profile itself",
            )
        return mfa_session(serial=profile.mfa_serial, max_age=profile.mfa_max_age, **self.tools())


def clock() -> datetime:
    return datetime.now(UTC)


def open_profile(name: str, *, ask: Ask | None = None) -> Entry:
    """Load a profile and resolve its base identity. Raises Problem; Ended before anything is called.

    `ask` stands in for the question on the terminal.
    """
    from valetkey.credentials.broker import still_granted
    from valetkey.credentials.profiles import load

    profile = load(name, os.environ)
    still_granted(profile, clock())
    return entry_of(profile, ask=ask)


def entry_of(profile: Profile, *, quiet: bool = False, ask: Ask | None = None) -> Entry:
    """The same for a profile as loaded, also of a grant that has ended. `quiet`: a base identity that asks for an MFA
    code itself is a Problem. `ask`: see open_profile. Raises Problem."""
    from valetkey.credentials.profiles import path_of

    name = profile.name
    accepted = datetime.fromtimestamp(path_of(name, os.environ).stat().st_mtime, UTC)
    # The base profile may itself run `valetkey credential-process`; a circle would start processes without end.
    outer = os.environ.get(_INSIDE)
    inside = (outer or "").split(":")
    if name in inside:
        raise Problem(
            f"the base identity of {name} comes from {name} itself",
            do="set another `source_profile`: accept the handoff again with --profile",
        )
    from valetkey.aws.signin import sign_in
    from valetkey.cli.terminal import asker

    ask = ask or asker(name)
    os.environ[_INSIDE] = ":".join([*filter(None, inside), name])
    try:
        base = sign_in(
            profile.source_profile,
            region=profile.region,
            partition=profile.partition,
            ask=None if quiet else partial(ask, seconds=_SECONDS),
        )
    finally:
        # The next profile that this process opens is no inner one.
        if outer is None:
            del os.environ[_INSIDE]
        else:
            os.environ[_INSIDE] = outer
    return Entry(profile, accepted, base, ask)
