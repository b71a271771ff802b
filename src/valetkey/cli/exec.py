"""`valetkey exec NAME -- CMD`: run a command with a grant's credentials and no others."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def exec_(name: str, /, *command: str) -> int:
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
    from valetkey.aws.signin import settings
    from valetkey.cli.entry import open_profile
    from valetkey.cli.running import run_child
    from valetkey.credentials import child, private
    from valetkey.policy.problem import Problem

    if not command:
        raise Problem("there is no command to run", do=f"write it after two dashes: valetkey exec {name} -- aws ...")
    before = dict(os.environ)
    entry = open_profile(name)
    session = entry.session(lasting=True)
    found = settings((name, entry.profile.source_profile), before)
    try:
        private_folder = tempfile.TemporaryDirectory(prefix="valetkey-")
    except OSError as error:
        why = f"no temporary directory can be made for the command: {error.strerror}"
        raise Problem(why, do="make room there, or set TMPDIR to a directory of yours") from None
    with private_folder as folder:
        config, empty = Path(folder) / "config", Path(folder) / "credentials"
        private.write(config, child.config_text(found, region=entry.base.region).encode())
        private.write(empty, b"")
        env = child.environment(before, session.credentials, region=entry.region, config=config, empty=empty)
        return run_child(command, env)
