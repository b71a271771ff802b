"""The short way of `exec` and `env`: a kept session is handed out without cyclopts, boto3 and the AWS files.

Whatever is not the plain form of the two commands, or not kept, takes the usual way; both end in the same functions.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from valetkey.credentials.sessions import reopened

if TYPE_CHECKING:
    from valetkey.cli._entry import Entry
    from valetkey.credentials.sessions.cache import Session
    from valetkey.credentials.sessions.reopened import Note

_SHELLS = ("bash", "zsh", "fish", "powershell")
_WAYS = ("--long", "--read-only")


def short(words: Sequence[str]) -> int | None:
    """The exit code of `exec NAME -- COMMAND` or `env NAME`; None: the usual way. Raises ValetkeyError."""
    if words[0] == "exec":
        return _exec(words[1:])
    return _env(words[1:])


def _exec(words: Sequence[str]) -> int | None:
    if "--" not in words:
        return None
    end = list(words).index("--")
    asked, command = _asked(words[:end]), words[end + 1 :]
    if asked is None or not command:
        return None
    name, long, read_only = asked
    found = recall(name, long=long, read_only=read_only)
    if found is None:
        return None
    from valetkey.cli._childenv import given_again
    from valetkey.cli._running import run_prepared

    with given_again(name, found, dict(os.environ), long=long, read_only=read_only) as prepared:
        return run_prepared(name, command, prepared)


def _env(words: Sequence[str]) -> int | None:
    shell, rest = "bash", list(words)
    for index, word in enumerate(rest):
        option, equals, value = word.partition("=")
        if option == "--shell":
            shell = value if equals else "".join(rest[index + 1 : index + 2])
            del rest[index : index + (1 if equals else 2)]
            break
    asked = _asked(rest)
    if asked is None or shell not in _SHELLS:
        return None
    name, long, read_only = asked
    found = recall(name, long=long, read_only=read_only)
    if found is None:
        return None
    from valetkey.report.credentials import write_exports

    note, session = found
    say_kept(name, note, session, long=long)
    write_exports(shell, session.credentials, note.region)
    return 0


def _asked(words: Sequence[str]) -> tuple[str, bool, bool] | None:
    """The profile, --long and --read-only; None for anything else."""
    names = [each for each in words if each not in _WAYS]
    if len(names) != 1 or not names[0][:1].isalnum():
        return None
    return names[0], "--long" in words, "--read-only" in words


def say_kept(name: str, note: Note, session: Session, *, long: bool) -> None:
    """Say of a kept session what the usual way says of one."""
    from valetkey.cli._saying import say_ended, say_until

    if long:
        say_until(session, note.limit)
    say_ended(name, note.until)


def recall(name: str, *, long: bool, read_only: bool) -> tuple[Note, Session] | None:
    """The kept session of a profile and what was noted of it, or None."""
    head = head_of(name)
    if head is None:
        return None
    way = reopened.way_name(long=long, read_only=read_only)
    return reopened.recall(name, way, head=head, env=os.environ, now=datetime.now(UTC))


def head_of(name: str) -> bytes | None:
    """What a note of this profile depends on, as it is now; None: no note can be kept."""
    from valetkey.__main__ import head, hot_file

    try:
        hot_file(name)  # the name is one of a file
        return head(name)
    except (OSError, KeyError, ValueError):
        return None


def remember(entry: Entry, head: bytes | None, config: Callable[[], str]) -> None:
    """Note how a profile was opened, for the next time. `head` was made before; `config` makes the AWS config of a
    command."""
    from valetkey.credentials.sessions.base_binding import elsewhere

    way, profile = entry.way, entry.profile
    is_kept = way is None or not (way.no_cache or way.mfa_code_stdin)
    # The head knows the AWS files that the environment names; others would not make the note stale.
    if head is None or not is_kept or entry.through is not None or elsewhere(profile.base_files, os.environ):
        return
    note = reopened.Note(
        session_key=entry.key,
        account=profile.account,
        region=entry.region,
        config=config(),
        limit=entry.limit,
        until=profile.until,
    )
    name = reopened.way_name(long=entry.is_long, read_only=way is not None and way.read_only)
    reopened.remember(profile.name, name, note, head=head, env=os.environ)
