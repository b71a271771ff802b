"""Test one profile's role in every way: shared by `verify` for one customer and for all."""

from __future__ import annotations

import dataclasses
import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from valetkey.account.calls import AccessKeys, Perform
    from valetkey.credentials.doctor.caller_policies import OwnSide
    from valetkey.credentials.doctor.verification import Verification
    from valetkey.credentials.sessions.cache import Session
    from valetkey.credentials.sessions.opener import Entry


@dataclass(frozen=True)
class Shared:
    """Results shared by the customers of one base identity while all of them are tested."""

    entries: dict[tuple[Any, ...], Entry] = field(default_factory=dict)
    performs: dict[tuple[int, str], Perform] = field(default_factory=dict)
    sides: dict[int, OwnSide] = field(default_factory=dict)
    """The caller's own policies, by the id of the Perform that read them."""

    def opened(self, name: str) -> Entry:
        """Return the opened profile; its base identity is resolved once. Raises ValetkeyError."""
        from valetkey.cli._machine import open_profile
        from valetkey.credentials.profiles.profile import path_of
        from valetkey.credentials.sessions.opener import grant_profile

        profile = grant_profile(name, os.environ)
        base = (profile.source_profile, profile.base_files, profile.base_from_environment)
        same = (*base, profile.region, profile.partition)
        if not profile.is_bound or same not in self.entries:
            self.entries[same] = open_profile(name)
            return self.entries[same]
        accepted = datetime.fromtimestamp(path_of(name, os.environ).stat().st_mtime, UTC)
        return dataclasses.replace(self.entries[same], profile=profile, accepted=accepted)

    def connect(self, entry: Entry) -> Callable[[AccessKeys], Perform]:
        """Return a function that connects once per set of keys."""

        def connect(keys: AccessKeys) -> Perform:
            which = (id(entry.base), keys.access_key_id)
            if which not in self.performs:
                self.performs[which] = entry.base.connect(keys)
            return self.performs[which]

        return connect


def verified(name: str, *, wait: int, shared: Shared | None = None) -> Verification:
    """Test the role of a profile; `wait` is in seconds. Drops a cached session that AWS does not know. Raises
    ValetkeyError."""
    from valetkey.cli._machine import clock
    from valetkey.credentials.doctor import verification
    from valetkey.credentials.doctor.caller_policies import read_own_side
    from valetkey.credentials.profiles.again import set_up_again
    from valetkey.credentials.profiles.identity import identify
    from valetkey.credentials.sessions.mfa_codes import with_code
    from valetkey.credentials.sessions.named_people import is_named
    from valetkey.credentials.sessions.protocols import LIMIT, deadline_in
    from valetkey.errors import ValetkeyError
    from valetkey.report.text import say

    shared = shared or Shared()
    entry = shared.opened(name)
    profile, tools = entry.profile, entry.tools()
    limit = min(wait, verification.WAIT)

    def session(refused: str) -> AccessKeys:
        if profile.mfa_serial is None:
            raise ValetkeyError(f"the profile {name} names no MFA device", do=set_up_again(profile))
        value = tools.mfa_session(profile.mfa_serial, max_age=profile.mfa_max_age, refused=refused)
        return value.credentials

    def by_code(send: Callable[[tuple[str, str]], Session]) -> Session:
        device = profile.mfa_serial or ""
        return with_code(
            device,
            lambda code: send((device, code)),
            cache=tools.cache,
            ask=tools.ask,
            clock=clock,
            deadline=deadline_in(LIMIT, clock),
            insist=True,
        )

    def own_side(perform: Perform) -> OwnSide:
        if id(perform) not in shared.sides:
            shared.sides[id(perform)] = read_own_side(perform, identify(perform))
        return shared.sides[id(perform)]

    def sleep(pause: float) -> None:
        if not waited:
            say(
                f"The role does not admit you yet; a new role takes a moment. Trying for {limit} s at most ...",
                stderr=True,
            )
        waited.append(pause)
        try:
            time.sleep(pause)
        except KeyboardInterrupt:
            raise ValetkeyError(
                f"interrupted while waiting for {profile.role_arn}: it does not admit you yet; nothing was changed",
                exit_code=130,
            ) from None

    waited: list[float] = []
    result = verification.verify(
        profile,
        base=entry.base,
        session=session,
        connect=shared.connect(entry),
        own_side=own_side,
        clock=clock,
        sleep=sleep,
        region=entry.base.region,
        wait=limit,
        by_code=by_code if is_named(profile, entry.base) else None,
    )
    if entry.dropped():
        say(
            f"The session that was kept for {name} is no longer known to AWS: the role was recreated. It was dropped; "
            "the next call of a tool assumes the role again.",
            stderr=True,
        )
    return result
