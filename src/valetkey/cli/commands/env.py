"""`valetkey env NAME`: a grant's credentials as shell variables."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from cyclopts import Parameter

from valetkey.cli._ways import Way


def env(
    name: str,
    /,
    *,
    shell: Annotated[Literal["bash", "zsh", "fish", "powershell"], Parameter(help="The shell to print for.")] = "bash",
    way: Way = Way(),  # noqa: B008 - frozen
) -> int:
    """Print a grant's credentials as lines for a shell to evaluate: `eval "$(valetkey env NAME)"`.

    fish: `valetkey env NAME --shell fish | source`; PowerShell: `valetkey env NAME --shell powershell | Out-String |
    Invoke-Expression`. The lines first remove every credential variable. When `env` fails, no credentials are left in
    the shell and the status is false. The MFA code is asked for on the terminal itself.

    Parameters
    ----------
    name
        The profile.
    """
    from valetkey.cli._childenv import config_of
    from valetkey.cli._entry import open_profile
    from valetkey.cli._saying import say_long
    from valetkey.cli._short import head_of, remember
    from valetkey.report.credentials import write_exports

    head = head_of(name)
    entry = open_profile(name, way, own_interrupt=True)
    session = entry.session(lasting=True)
    remember(entry, head, lambda: config_of(entry, os.environ))
    say_long(entry, session)
    write_exports(shell, session.credentials, entry.region)
    return 0
