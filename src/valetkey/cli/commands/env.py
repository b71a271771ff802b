"""`valetkey env NAME`: a grant's credentials as shell variables."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from cyclopts import Parameter

from valetkey.cli._ways import WayOptions


def env(
    name: str | None = None,
    /,
    *,
    shell: Annotated[Literal["bash", "zsh", "fish", "powershell"], Parameter(help="The shell to print for.")] = "bash",
    way: WayOptions = WayOptions(),  # noqa: B008 - frozen
) -> int:
    """Print a grant's credentials as lines for a shell to evaluate: `eval "$(valetkey env NAME)"`.

    fish: `valetkey env NAME --shell fish | source`; PowerShell: `valetkey env NAME --shell powershell | Out-String |
    Invoke-Expression`. The lines first remove every credential variable. When `env` fails, no credentials are left in
    the shell and the status is false. The MFA code is asked for on the terminal itself.

    Parameters
    ----------
    name
        The profile; default: the profile of this shell (VALETKEY_PROFILE, AWS_PROFILE).
    """
    from valetkey.cli._default_name import name_or_default
    from valetkey.cli._machine import open_profile
    from valetkey.cli._noted import head_of, remember
    from valetkey.cli._saying import say_long
    from valetkey.credentials.delivery import child
    from valetkey.report.credentials import write_exports

    name = name_or_default(name, "env")
    head = head_of(name)
    entry = open_profile(name, way.way, own_interrupt=True)
    session = entry.session(lasting=True)
    remember(entry, head, lambda: child.config_of(entry.profile, os.environ, region=entry.base.region))
    say_long(entry, session)
    write_exports(shell, name, session.credentials, way.region or entry.region)
    return 0
