"""`valetkey use NAME`: select a customer's profile for the shell."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Literal

from cyclopts import Parameter


def use(
    name: Annotated[str | None, Parameter(help="The profile; without one, choose from a list.")] = None,
    /,
    *,
    unset: Annotated[
        bool, Parameter(negative="", help="Clear the selection: remove the customer's variables.")
    ] = False,
    region: Annotated[str | None, Parameter(help="AWS region to use instead of the profile's.")] = None,
    shell: Annotated[Literal["bash", "zsh", "fish", "powershell"], Parameter(help="The shell to print for.")] = "bash",
) -> int:
    """Make a customer's profile this shell's own: tools work in its account, with credentials that are renewed.

    Needs the shell function that `valetkey shell-init` prints. It removes every credential variable, then sets
    AWS_PROFILE, the region and VALETKEY_PROFILE; after a failure the shell is left with none of them. The MFA code is
    asked for on the terminal itself.
    """
    from valetkey.cli._using import ShellProfile, switch
    from valetkey.cli._ways import check_region
    from valetkey.credentials.delivery.shells import ended
    from valetkey.errors import ValetkeyError
    from valetkey.report.credentials import write_lines
    from valetkey.report.text import say

    if sys.stdout.isatty():
        raise ValetkeyError(
            "`valetkey use` changes the shell, and this shell does not have the function for that",
            do='define it: eval "$(valetkey shell-init bash)"; see `valetkey shell-init --help`',
        )
    if unset:
        if name is not None or region is not None:
            raise ValetkeyError("--unset takes neither a profile nor a region", do="leave them out")
        write_lines(ended(shell))
        say("No customer is selected in this shell.", stderr=True)
        return 0
    if region is not None:
        check_region(region)

    from valetkey.cli._machine import open_profile
    from valetkey.cli._noted import head_of, remember
    from valetkey.cli._saying import say_end
    from valetkey.credentials.delivery import child

    name = name or _chosen()
    head = head_of(name)
    entry = open_profile(name, own_interrupt=True)
    _check_in_config(name, is_behind=entry.through is not None)
    entry.session()
    remember(entry, head, lambda: child.config_of(entry.profile, os.environ, region=entry.base.region))
    say_end(entry.root.profile)
    profile = entry.profile
    switch(shell, ShellProfile(name, profile.account, profile.customer, region or entry.region))
    return 0


def _chosen() -> str:
    from valetkey.cli import _questions
    from valetkey.cli._choosing import Choice, choose
    from valetkey.credentials.profiles.customers import by_last_use

    choices = [Choice(profile.name, profile.account, profile.customer) for profile in by_last_use(os.environ)]
    return choose(choices, _questions.answer)


def _check_in_config(name: str, *, is_behind: bool) -> None:
    """Raise ValetkeyError unless tools that use this profile's name get its credentials from valetkey."""
    from valetkey.awsfiles import config_path
    from valetkey.credentials.profiles.awsconfig import is_profile
    from valetkey.errors import ValetkeyError

    if not is_behind and not is_profile(name, os.environ):
        from valetkey.credentials.profiles.again import set_up_again
        from valetkey.credentials.profiles.profile import load

        raise ValetkeyError(
            f"the profile {name} is not in {config_path(os.environ)}, where tools would look for it",
            do=f"{set_up_again(load(name, os.environ))}; inside `valetkey exec`, leave that first",
            where=str(config_path(os.environ)),
        )
