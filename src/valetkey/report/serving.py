"""Served credentials: as lines, for a shell and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from valetkey.commandline import command
from valetkey.report.text import say, say_line

if TYPE_CHECKING:
    from valetkey.credentials.delivery.refresher import HeldSession
    from valetkey.errors import ValetkeyError


def say_serving(
    held: Sequence[HeldSession], urls: Mapping[str, str], token_files: Mapping[str, Path], *, shell: str, as_json: bool
) -> None:
    """Print one line of JSON, which a program that started the server can wait for; else lines for a shell."""
    from valetkey.credentials.delivery.shells import SHELLS

    if as_json:
        from valetkey.report.results.serving import Served, Server
        from valetkey.report.results.shape import shaped

        served = [
            shaped(
                Server,
                session.profile,
                url=urls[session.profile.name],
                token_file=str(token_files[session.profile.name]),
            )
            for session in held
        ]
        say_line(Served(served=served))
        return
    _, set_ = SHELLS[shell]
    for session in held:
        name = session.profile.name
        say(
            f"# {name}: account {session.profile.account}, {session.profile.role_arn.rsplit(':', 1)[1]}",
            set_("AWS_CONTAINER_CREDENTIALS_FULL_URI", urls[name]),
            set_("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(token_files[name])),
        )
    for session in held:
        if session.profile.mfa_max_age is not None:
            minutes = session.profile.mfa_max_age // 60
            say(f"{session.profile.name}: its owner wants a new code after {minutes} minutes at most.", stderr=True)
    say(
        "Serving until Ctrl-C. A tool takes keys and profiles that it finds before it asks here:",
        f"  {command('valetkey exec', held[0].profile.name, then='--server -- CMD')}   leaves it none.",
        stderr=True,
    )


def say_lapsed(name: str, problem: ValetkeyError | None) -> None:
    """Print a message when renewal begins to fail, and when it works again."""
    if problem is None:
        say(f"{name}: renewed", stderr=True)
        return
    say(f"{name}: {problem.what}", stderr=True)
    if problem.do:
        say(f"  do: {problem.do}", stderr=True)
    if problem.likely:
        say(f"  most likely: {problem.likely}", stderr=True)
