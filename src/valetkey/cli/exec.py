"""`valetkey exec NAME -- CMD`: run a command with a grant's credentials and no others."""

from __future__ import annotations

import os
from typing import Annotated

from cyclopts import Parameter

from valetkey.policy.problem import Problem


def exec_(
    name: str,
    /,
    *command: str,
    server: Annotated[
        bool, Parameter(negative="", help="Let the command fetch credentials, which are renewed while it runs.")
    ] = False,
) -> int:
    """Run a command with a grant's credentials in its environment, and with no other way to credentials.

    The MFA code is asked for on the terminal itself. The exit code is the command's (128 + number for a signal);
    125 is a failure of valetkey, 126 a command that cannot be executed, 127 one that is not there.

    Parameters
    ----------
    name
        The profile.
    command
        The command and its words, after `--`.
    """
    from valetkey.cli.childenv import given, served
    from valetkey.cli.running import run_child

    if not command:
        raise Problem("there is no command to run", do=f"write it after two dashes: valetkey exec {name} -- aws ...")
    with (served if server else given)(name, dict(os.environ)) as env:
        return run_child(command, env)
