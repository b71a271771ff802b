"""Where a command of the contractor's side gets its MFA codes from."""

from __future__ import annotations

import os
import time
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from valetkey.cli._ways import Way
    from valetkey.credentials.sessions.protocols import Ask


def asking(what: str, source: str | None, way: Way | None, *, files: tuple[str, ...], terminal: Ask) -> Ask:
    """Every source of MFA codes, in order; none is looked at before a code is needed."""
    if way is not None and way.mfa_code_stdin:
        from valetkey.cli._ways import first_line
        from valetkey.credentials.sessions.mfa_sources import given as only

        return only(first_line())

    def ask(device: str, /, *, seconds: float, again: str = "") -> str:
        from valetkey.awsfiles import settings
        from valetkey.cli._entry import clock, vault
        from valetkey.credentials.sessions import mfa_sources
        from valetkey.credentials.sessions.base_binding import with_files
        from valetkey.credentials.sessions.pinentry import Pinentry

        line = settings((source,), {**os.environ, **with_files(files, os.environ)}).get("mfa_process")
        found: list[Ask] = [mfa_sources.command(line, clock=clock, sleep=time.sleep)] if isinstance(line, str) else []
        found += [
            mfa_sources.seed(partial(mfa_sources.kept_seed, vault()), clock=clock, sleep=time.sleep),
            terminal,
            Pinentry(what, os.environ),
        ]
        return mfa_sources.first_of(found)(device, seconds=seconds, again=again)

    return ask
