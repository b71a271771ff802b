"""`valetkey exec NAME -- CMD`: run a command with a grant's credentials and no others."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def exec_(name: str, /, *command: Annotated[str, Parameter(allow_leading_hyphen=True)]) -> int:
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
    from valetkey.cli.running import OURS, run_child
    from valetkey.policy.problem import Problem

    try:
        if not command:
            raise Problem(
                "there is no command to run", do=f"write it after two dashes: valetkey exec {name} -- aws ..."
            )
        with tempfile.TemporaryDirectory(prefix="valetkey-") as folder:
            env = _prepare(name, Path(folder))
            return run_child(command, env)
    except Problem as problem:
        if problem.exit_code < OURS:
            problem.exit_code = OURS
        raise


def _prepare(name: str, folder: Path) -> dict[str, str]:
    """The child's environment, and its private AWS files in `folder` (which nobody else can enter)."""
    from valetkey.aws.signin import settings
    from valetkey.cli.entry import open_profile
    from valetkey.credentials import child, private

    before = dict(os.environ)
    entry = open_profile(name)
    session = entry.session(lasting=True)
    found = settings((name, entry.profile.source_profile), before)
    config, empty = folder / "config", folder / "credentials"
    private.write(config, child.config_text(found, region=entry.base.region).encode())
    private.write(empty, b"")
    return child.environment(before, session.credentials, region=entry.profile.region, config=config, empty=empty)
