"""`valetkey credential-process NAME`: answer an SDK. A stored answer is printed by valetkey.__main__ already."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from valetkey.cli.ways import Way


def credential_process(
    name: str,
    /,
    *,
    mfa_session: Annotated[
        bool, Parameter(negative="", help="The MFA session itself, for a tool that enters the role by itself.")
    ] = False,
    no_cache: Annotated[
        bool, Parameter(name="--no-cache", negative="", help="Use no kept session, and keep none.")
    ] = False,
) -> int:
    """Print the credentials of a grant as AWS SDKs read them.

    The AWS profile that `accept` writes calls this. The MFA code is asked for on the terminal itself, once in 12
    hours; without a terminal it fails at once and says what to run first.

    Parameters
    ----------
    name
        The profile.
    """
    from valetkey.__main__ import head, hot_file
    from valetkey.cli.entry import open_profile
    from valetkey.credentials import hot
    from valetkey.report.credentials import process_answer, write_answer

    if mfa_session:
        write_answer(process_answer(open_profile(name, Way(no_cache=no_cache)).mfa_session().credentials))
        return 0
    try:
        path, before = hot_file(name), head(name)
    except (OSError, KeyError, ValueError):
        path = ""
    entry = open_profile(name, Way(no_cache=no_cache))
    session = entry.session()
    answer = process_answer(session.credentials)
    if path and not no_cache and entry.through is None:
        hot.store(Path(path), before, entry.profile, session, answer)
    write_answer(answer)
    return 0
