"""`valetkey use`: select a customer's profile for the shell."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass

from valetkey.credentials.delivery.shells import switched
from valetkey.credentials.profiles.last_use import note_use
from valetkey.report.credentials import write_lines
from valetkey.report.text import say


@dataclass(frozen=True)
class ShellProfile:
    """What is shown to the person about the selected profile."""

    name: str
    account: str
    """12 digits."""
    customer: str
    region: str | None


def switch(shell: str, shown: ShellProfile) -> None:
    """Print the shell lines that select the profile, and name its account on stderr. Raises ValetkeyError."""
    write_lines(switched(shell, shown.name, shown.region))
    with contextlib.suppress(OSError):
        note_use(shown.name, os.environ)
    whose = f" of {shown.customer}" if shown.customer else ""
    where = f", region {shown.region}" if shown.region else ", and no region is known: tools need --region"
    say(f"{shown.name}: account {shown.account}{whose}{where}", stderr=True)
