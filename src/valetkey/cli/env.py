"""`valetkey env NAME`: a grant's credentials as shell variables."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter


def env(
    name: str,
    /,
    *,
    shell: Annotated[Literal["bash", "zsh", "fish", "powershell"], Parameter(help="Whose syntax to print.")] = "bash",
) -> int:
    """Print a grant's credentials as lines for a shell to evaluate: `eval "$(valetkey env NAME)"`.

    fish: `valetkey env NAME --shell fish | source`; PowerShell: `valetkey env NAME --shell powershell | Out-String |
    Invoke-Expression`. Variables that could make a tool use other credentials are removed. The MFA code is asked for on
    the terminal itself.

    Parameters
    ----------
    name
        The profile.
    """
    from valetkey.cli.entry import open_profile
    from valetkey.report.credentials import write_exports

    entry = open_profile(name)
    session = entry.session(lasting=True)
    write_exports(shell, session.credentials, entry.region)
    return 0
