"""The order of the sources of MFA codes."""

from __future__ import annotations

from functools import partial

from valetkey.awsfiles import settings
from valetkey.credentials.sessions import mfa_sources
from valetkey.credentials.sessions.base_binding import with_files
from valetkey.credentials.sessions.machine import Machine
from valetkey.credentials.sessions.protocols import Ask
from valetkey.credentials.sessions.ways import Way


def every_source(
    machine: Machine, what: str, source: str | None, files: tuple[str, ...], *, way: Way, terminal: Ask
) -> Ask:
    """Return an Ask that tries every source of MFA codes for a base profile `source` of these `files`. No source is
    read before a code is needed. A code given in advance is the only source."""
    if way.code is not None:
        return mfa_sources.given(way.code())
    env, clock, sleep = machine.env, machine.clock, machine.sleep

    def ask(device: str, /, *, seconds: float, again: str = "") -> str:
        from valetkey.credentials.sessions.pinentry import Pinentry

        line = settings((source,), {**env, **with_files(files, env)}).get("mfa_process")
        asks: list[Ask] = [mfa_sources.command(line, clock=clock, sleep=sleep)] if isinstance(line, str) else []
        asks += [
            mfa_sources.seed(partial(mfa_sources.kept_seed, machine.vault), clock=clock, sleep=sleep),
            terminal,
        ]
        # It writes its lock and its records below HOME.
        asks += [] if way.no_cache else [Pinentry(what, env)]
        return mfa_sources.first_of(asks)(device, seconds=seconds, again=again)

    return ask
