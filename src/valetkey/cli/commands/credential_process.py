"""`valetkey credential-process NAME`: print credentials for an SDK.

A stored answer is printed by valetkey.__main__ already.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from valetkey.cli._ways import Way

if TYPE_CHECKING:
    from valetkey.cli._entry import Entry
    from valetkey.credentials.sessions.cache import Session


def credential_process(
    name: str,
    /,
    *,
    mfa_session: Annotated[
        bool, Parameter(negative="", help="Print the MFA session instead, for a tool that assumes the role itself.")
    ] = False,
    no_cache: Annotated[
        bool, Parameter(name="--no-cache", negative="", help="Neither use nor write the session cache.")
    ] = False,
) -> int:
    """Print credentials for an SDK (credential_process).

    The AWS profile that `accept` writes calls this. The MFA code is asked for on the terminal itself, once in 12
    hours; without a terminal it fails at once and says what to run first.

    Parameters
    ----------
    name
        The profile.
    """
    from valetkey.__main__ import head, hot_file
    from valetkey.cli._childenv import config_of
    from valetkey.cli._entry import open_profile
    from valetkey.cli._short import remember
    from valetkey.credentials.sessions import process_cache
    from valetkey.credentials.sessions.base_binding import elsewhere
    from valetkey.report.credentials import process_answer, write_answer

    if mfa_session:
        write_answer(process_answer(open_profile(name, Way(no_cache=no_cache)).mfa_session().credentials))
        return 0
    try:
        path, before = hot_file(name), head(name)
    except (OSError, KeyError, ValueError):
        path = ""
    entry = open_profile(name, Way(no_cache=no_cache))
    session = _session(entry)
    answer = process_answer(session.credentials)
    # The stored answer depends on the AWS files that the environment names; others do not make it stale.
    if path and not no_cache and entry.through is None and not elsewhere(entry.profile.base_files, os.environ):
        process_cache.store(Path(path), before, session, answer)
        remember(entry, before, lambda: config_of(entry, os.environ))
    write_answer(answer)
    return 0


def _session(entry: Entry) -> Session:
    """The session to answer with. One that was kept is tried first: whoever comes this way, and not by the stored
    answer, has a moment for it."""
    from valetkey.cli._kept import dropped, kept

    before = kept(entry)
    session = entry.session()
    if before is None or before.credentials.access_key_id != session.credentials.access_key_id:
        return session
    return entry.session() if dropped(entry, session) else session
