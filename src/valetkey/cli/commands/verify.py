"""valetkey verify: test that the role admits you, and only under its conditions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from valetkey.cli._options import Output, seconds
from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from valetkey.report.verifying import Tried


def verify(
    name: Annotated[str | None, Parameter(help="The profile that `accept` or `import` wrote.")] = None,
    /,
    *,
    all_: Annotated[bool, Parameter(name="--all", negative="", help="Test the roles of all customers.")] = False,
    wait: Annotated[
        str | None,
        Parameter(help="How long to wait for a new role to become visible: 60s for one role, not at all with --all."),
    ] = None,
    yes: Annotated[bool, Parameter(negative="", help="With --all: run the tests without asking.")] = False,
    output: Output = Output(),  # noqa: B008 - frozen
) -> int:
    """Test that the role admits you, and refuses you without the ExternalId, with a wrong one and without MFA.

    Of a role without a handoff it learns whether an ExternalId and MFA are asked for, and nothing else. Exit code 0:
    every test that applies passed. 1: one failed, or was inconclusive. 3: AWS failed.
    """
    from valetkey.cli._default_name import name_or_default
    from valetkey.cli._verifying import verified
    from valetkey.credentials.doctor import verification
    from valetkey.credentials.sessions.opener import grant_profile
    from valetkey.report.contractor import say_verification
    from valetkey.report.text import say

    if not all_:
        name = name_or_default(name, "verify")
    if (name is None) == (not all_):
        raise ValetkeyError("no profile was named, or both one and --all", do="name one profile, or say --all")
    if name is None:
        return _all(0 if wait is None else seconds(wait, name="--wait"), yes=yes, output=output)
    limit = verification.WAIT if wait is None else seconds(wait, name="--wait")
    grant_profile(name, os.environ)
    say(verification.FIRST_SAYS, stderr=output.as_json)
    result = verified(name, wait=limit)
    say_verification(result, as_json=output.as_json)
    return result.exit_code


def _all(wait: int, *, yes: bool, output: Output) -> int:
    """Test every customer's role, one after another, so that each base identity causes at most one prompt for a
    code."""
    from valetkey.cli._questions import consent
    from valetkey.cli._verifying import Shared, verified
    from valetkey.credentials.doctor.verification import tries
    from valetkey.credentials.profiles.customers import all_profiles
    from valetkey.report.text import say
    from valetkey.report.verifying import Tried, count, say_all

    profiles, damaged = all_profiles(os.environ)
    result = [Tried(item.name, None, item.problem) for item in damaged]
    if profiles:
        most = count(sum(map(tries, profiles)), "try", "tries")
        accounts = len({(item.partition, item.account) for item in profiles})
        where = f"the account of {count(accounts, 'customer', 'customers')}" if accounts == 1 else ""
        where = where or f"the accounts of {accounts} customers"
        about = f"{most} at most in {where}. Those that succeed appear in the customers' CloudTrail."
        say(about, stderr=True)
        consent("Make them?", yes=yes, about=[about])
    shared = Shared()
    for profile in profiles:
        try:
            result.append(Tried(profile.name, verified(profile.name, wait=wait, shared=shared), None))
        except ValetkeyError as problem:
            if problem.exit_code == 130:
                raise
            result.append(Tried(profile.name, None, problem))
        except KeyboardInterrupt:
            say_all(result, as_json=output.as_json)
            say(f"interrupted: {len(result)} of {len(profiles) + len(damaged)} profiles were tried", stderr=True)
            return 130
    say_all(sorted(result, key=lambda item: item.name), as_json=output.as_json)
    return _exit_code(result)


def _exit_code(tries: list[Tried]) -> int:
    codes = {item.verification.exit_code if item.verification else 3 for item in tries}
    return next((code for code in (1, 3) if code in codes), 0)
