"""The computer that the command line runs on, as a Machine (credentials/sessions/machine.py)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from valetkey.credentials.sessions.machine import Machine
    from valetkey.credentials.sessions.opener import Entry
    from valetkey.credentials.sessions.protocols import Ask
    from valetkey.credentials.sessions.ways import Way


def clock() -> datetime:
    return datetime.now(UTC)


@cache
def machine() -> Machine:
    """Return the Machine of this process."""
    from valetkey.aws.signin import calling, sign_in
    from valetkey.cli._terminal import tell
    from valetkey.credentials.doctor.refusal_reasons import explained
    from valetkey.credentials.sessions.machine import Machine
    from valetkey.credentials.sessions.vault import Vault

    return Machine(
        env=os.environ,
        clock=clock,
        sleep=time.sleep,
        sign_in=sign_in,
        calling=calling,
        terminal=_terminal,
        tell=tell,
        vault=Vault(),
        explained=explained,
    )


def open_profile(name: str, way: Way | None = None, *, ask: Ask | None = None, own_interrupt: bool = False) -> Entry:
    """Open a profile on this computer, see opener.open_profile. Raises ValetkeyError."""
    from valetkey import files
    from valetkey.credentials.sessions import opener
    from valetkey.credentials.sessions.ways import USUAL_WAY

    if way is not None and way.no_cache and files.runtime_dir(os.environ) is None:
        from valetkey.report.text import say

        say(
            "--no-cache: without XDG_RUNTIME_DIR nothing keeps another valetkey from sending the same code.",
            stderr=True,
        )
    return opener.open_profile(machine(), name, way or USUAL_WAY, ask=ask, own_interrupt=own_interrupt)


def _terminal(
    what: str, /, *, login: str = "", own_code: str = "", own_interrupt: bool = False, before: Callable[[], None]
) -> Ask:
    from valetkey.cli._terminal import asker

    return asker(what, login=login, own_code=own_code, own_interrupt=own_interrupt, before=before)
