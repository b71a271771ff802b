"""valetkey verify: test that the role admits you, and only under its conditions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from valetkey.cli._options import Output, seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from valetkey.account.calls import Perform
    from valetkey.credentials.doctor.caller_policies import OwnSide
    from valetkey.credentials.sessions.broker import Keys
    from valetkey.credentials.sessions.cache import Session


def verify(
    name: Annotated[str, Parameter(help="The profile that `accept` wrote.")],
    /,
    *,
    wait: Annotated[str, Parameter(help="How long to wait for a new role to become visible.")] = "60s",
    output: Output = Output(),  # noqa: B008 - frozen
) -> int:
    """Test that the role admits you, and refuses you without the ExternalId, with a wrong one and without MFA.

    Exit code 0: every test that applies passed. 1: one failed, or was inconclusive. 3: AWS failed.
    """
    from valetkey.cli._entry import clock, grant, open_profile
    from valetkey.cli._kept import dropped
    from valetkey.credentials.doctor import verification
    from valetkey.credentials.doctor.caller_policies import read_own_side
    from valetkey.credentials.profiles.identity import identify
    from valetkey.credentials.sessions.mfa_codes import with_code
    from valetkey.credentials.sessions.named_people import is_named
    from valetkey.credentials.sessions.protocols import LIMIT, deadline_in
    from valetkey.errors import ValetkeyError
    from valetkey.report.contractor import say_verification
    from valetkey.report.text import say

    grant(name)
    entry = open_profile(name)
    profile, tools = entry.profile, entry.tools()
    limit = min(seconds(wait, name="--wait"), verification.WAIT)
    say(verification.FIRST_SAYS, stderr=output.as_json)

    def session(refused: str) -> Keys:
        if profile.mfa_serial is None:
            raise ValetkeyError(
                f"the profile {name} names no MFA device", do="run `valetkey accept` with the handoff again"
            )
        found = tools.mfa_session(profile.mfa_serial, max_age=profile.mfa_max_age, refused=refused)
        return found.credentials

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
        return read_own_side(perform, identify(perform))

    def sleep(pause: float) -> None:
        if not waited:
            say(
                f"The role does not admit you yet; a new role takes a moment. Trying for {limit} s at most ...",
                stderr=True,
            )
        waited.append(pause)
        time.sleep(pause)

    waited: list[float] = []
    found = verification.verify(
        profile,
        base=entry.base,
        session=session,
        connect=entry.base.connect,
        own_side=own_side,
        clock=clock,
        sleep=sleep,
        region=entry.base.region,
        wait=limit,
        by_code=by_code if is_named(profile, entry.base) else None,
    )
    if dropped(entry):
        say(
            f"The session that was kept for {name} is not known to AWS any more: the role was re-made. It was dropped; "
            "the next call of a tool enters the role anew.",
            stderr=True,
        )
    say_verification(found, as_json=output.as_json)
    return found.exit_code
