"""valetkey doctor: diagnose why a role refuses access."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from valetkey.cli._options import Output

if TYPE_CHECKING:
    from valetkey.account.calls import AccessKeys
    from valetkey.credentials.doctor.diagnosis import AnsweredCheck
    from valetkey.credentials.doctor.probing import Probing
    from valetkey.credentials.sessions.opener import Entry


def doctor(
    name: Annotated[str | None, Parameter(help="The profile; without one, check only you and this computer.")] = None,
    /,
    *,
    probe: Annotated[
        bool, Parameter(negative="", help="Also try to assume the role, and show which causes the result rules out.")
    ] = False,
    output: Output = Output(),  # noqa: B008 - frozen
) -> int:
    """Find out why a customer's role refuses you, and what to do.

    Checks this computer and your own account without assuming the role; with --probe it tries.
    Exit code 0: nothing blocks you. 1: something does. 3: AWS or the network failed.
    """
    from valetkey.cli._diagnosing import inquire
    from valetkey.credentials.doctor import verification
    from valetkey.credentials.doctor.checks import CHECKS, exit_code, likely
    from valetkey.credentials.doctor.diagnosis import examine
    from valetkey.credentials.sessions.opener import grant_profile
    from valetkey.errors import ValetkeyError
    from valetkey.report.doctor import say_diagnosis
    from valetkey.report.text import say

    if probe and name is None:
        raise ValetkeyError(
            "--probe needs to know which role to try", do="name a profile: valetkey doctor NAME --probe"
        )
    profile = grant_profile(name, os.environ) if name is not None else None
    facts, entry = inquire(profile, ask=probe)
    checks = examine(facts, CHECKS)
    tried, failed = None, None
    if probe and entry is not None:
        say(verification.FIRST_SAYS, stderr=output.as_json)
        try:
            tried = _try(entry, checks)
        except ValetkeyError as problem:
            failed = problem  # raised last: the findings may explain it
    say_diagnosis(facts, checks, tried, likely(checks, tried), as_json=output.as_json)
    if failed is not None:
        raise failed
    return exit_code(facts, checks, tried)


def _try(entry: Entry, checks: tuple[AnsweredCheck, ...]) -> Probing:
    """Try the profile's role and variants of the request, with a prompt where a code is needed."""
    from valetkey.cli._machine import clock
    from valetkey.credentials.doctor.probing import probe
    from valetkey.credentials.profiles.again import set_up_again
    from valetkey.errors import ValetkeyError

    profile, tools = entry.profile, entry.tools()
    started = clock()

    def session(refused: str = "", max_age: int | None = profile.mfa_max_age) -> tuple[AccessKeys, bool]:
        if profile.mfa_serial is None:
            raise ValetkeyError(f"the profile {profile.name} names no MFA device", do=set_up_again(profile))
        made = tools.mfa_session(profile.mfa_serial, max_age=max_age, refused=refused)
        return made.credentials, made.issued >= started

    return probe(
        profile,
        base=entry.base,
        session=session,
        renew=lambda: session(max_age=0)[0],
        connect=entry.base.connect,
        clock=clock,
        checks=checks,
    )
