"""`valetkey shell-init SHELL`: the shell function that `valetkey use` needs."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter


def shell_init(
    shell: Annotated[Literal["bash", "zsh", "fish", "powershell"], Parameter(help="The shell to print for.")], /
) -> int:
    """Print a shell function, with which `valetkey use NAME` works: `eval "$(valetkey shell-init bash)"`.

    Put that line into ~/.bashrc, or with zsh into ~/.zshrc. fish: `valetkey shell-init fish | source` in
    ~/.config/fish/config.fish; PowerShell: `valetkey shell-init powershell | Out-String | Invoke-Expression` in
    $PROFILE. Every other command goes to valetkey as before.
    """
    from valetkey.credentials.delivery.shells import function
    from valetkey.report.credentials import write_lines

    write_lines(function(shell))
    return 0
