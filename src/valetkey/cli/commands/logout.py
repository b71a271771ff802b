"""valetkey logout: drop the sessions that are cached on this computer."""

from __future__ import annotations

import os
from typing import Annotated

from cyclopts import Parameter

from valetkey.cli._options import Output
from valetkey.errors import ValetkeyError


def logout(
    name: Annotated[str | None, Parameter(help="The profile whose sessions to delete.")] = None,
    /,
    *,
    all_: Annotated[
        bool, Parameter(name="--all", negative="", help="Delete every session that is kept on this computer.")
    ] = False,
    output: Output = Output(),  # noqa: B008 - frozen
) -> int:
    """Drop the sessions that are kept here, also from the keyring. The next command asks for an MFA code.

    Keys, TOTP seeds and profiles stay. AWS cannot end a session that a program has copied: it lasts until its end.
    Exit code 3: the keyring did not answer, and may still hold an MFA session.
    """
    from valetkey.cli._dropping import drop_sessions
    from valetkey.cli._interrupting import whole
    from valetkey.cli._machine import machine
    from valetkey.credentials.sessions.dropping import drop_all
    from valetkey.credentials.sessions.opener import grant_profile
    from valetkey.report.dropping import say_logged_out

    if (name is None) == (not all_):
        raise ValetkeyError("no profile was named, or both one and --all", do="name one profile, or say --all")
    profile = None if name is None else grant_profile(name, os.environ)
    with whole("the kept sessions are dropped"):
        result = drop_all(os.environ, machine().vault) if profile is None else drop_sessions(profile, mfa=True)
    say_logged_out(result, profile, as_json=output.as_json)
    return 3 if result.keyring else 0
