"""`valetkey credential-process NAME`: print credentials for an SDK.

valetkey.__main__ prints a stored response before this command is loaded.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from valetkey.credentials.sessions.cache import Session
    from valetkey.credentials.sessions.opener import Entry


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
    from valetkey import hot_file, hot_head
    from valetkey.cli._machine import open_profile
    from valetkey.cli._noted import remember
    from valetkey.credentials.delivery import child
    from valetkey.credentials.profiles.names import check_name, file_id
    from valetkey.credentials.profiles.profile import name_of
    from valetkey.credentials.sessions import process_cache
    from valetkey.credentials.sessions.base_binding import elsewhere
    from valetkey.credentials.sessions.ways import Way
    from valetkey.report.credentials import process_answer, write_answer

    # The line in the AWS config contains an id where the name is not allowed.
    name = check_name(name_of(name, os.environ) or name)
    if mfa_session:
        write_answer(process_answer(open_profile(name, Way(no_cache=no_cache)).mfa_session().credentials))
        return 0
    try:
        path, before = hot_file(file_id(name)), hot_head(file_id(name))
    except (OSError, KeyError, ValueError):
        path = ""
    entry = open_profile(name, Way(no_cache=no_cache))
    session = _session(entry)
    answer = process_answer(session.credentials)
    # The stored response depends on the AWS files that the environment names; a change of others would not invalidate
    # it.
    if path and not no_cache and entry.through is None and not elsewhere(entry.profile.base_files, os.environ):
        process_cache.store(Path(path), before, session, answer)
        remember(entry, before, lambda: child.config_of(entry.profile, os.environ, region=entry.base.region))
    write_answer(answer)
    return 0


def _session(entry: Entry) -> Session:
    """Return the role session to print. A cached session is checked with AWS first: this path is already slower than
    the stored response."""
    before = entry.kept()
    session = entry.session()
    if before is None or before.credentials.access_key_id != session.credentials.access_key_id:
        return session
    return entry.session() if entry.dropped(session) else session
