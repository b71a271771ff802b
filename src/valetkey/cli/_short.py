"""The fast path of `exec`, `env` and `use`: hand out a cached session without cyclopts, boto3 and the AWS files.

Any other form of these commands, or a missing session, takes the usual path; both end in the same functions.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from valetkey.cli._default_name import default_name
from valetkey.cli._noted import recall, say_kept
from valetkey.credentials.sessions.ways import Way

_SHELLS = ("bash", "zsh", "fish", "powershell")
_WAYS = ("--long", "--read-only")


def short(words: Sequence[str]) -> int | None:
    """Return the exit code of `exec NAME -- COMMAND`, `env NAME` or `use NAME`; None: take the usual path. Raises
    ValetkeyError."""
    match words[0]:
        case "exec":
            return _exec(words[1:])
        case "env":
            return _env(words[1:])
        case _:
            return _use(words[1:])


def _exec(words: Sequence[str]) -> int | None:
    if "--" not in words:
        return None
    end = list(words).index("--")
    asked, command = _asked(words[:end]), words[end + 1 :]
    if asked is None or not command:
        return None
    name, way = asked
    result = recall(name, way)
    if result is None:
        return None
    from valetkey.cli._childenv import given_again
    from valetkey.cli._running import run_prepared

    with given_again(name, result, dict(os.environ), way=way) as prepared:
        return run_prepared(name, command, prepared)


def _env(words: Sequence[str]) -> int | None:
    shell, rest = _shell(words)
    asked = _asked(rest)
    if asked is None or shell not in _SHELLS:
        return None
    name, way = asked
    result = recall(name, way)
    if result is None:
        return None
    from valetkey.report.credentials import write_exports

    note, session = result
    say_kept(name, note, session, long=way.long)
    write_exports(shell, name, session.credentials, note.region)
    return 0


def _use(words: Sequence[str]) -> int | None:
    shell, rest = _shell(words)
    if len(rest) != 1 or rest[0].startswith("-") or shell not in _SHELLS:
        return None
    name = rest[0]
    result = recall(name, Way())
    if result is None or not result[0].is_in_config:
        return None
    from valetkey.cli._using import ShellProfile, switch

    note, session = result
    say_kept(name, note, session, long=False)
    switch(shell, ShellProfile(name, note.account, note.customer, note.region))
    return 0


def _shell(words: Sequence[str]) -> tuple[str, list[str]]:
    """Return the value of --shell, and the other arguments."""
    shell, rest = "bash", list(words)
    for index, word in enumerate(rest):
        option, equals, value = word.partition("=")
        if option == "--shell":
            shell = value if equals else "".join(rest[index + 1 : index + 2])
            del rest[index : index + (1 if equals else 2)]
            break
    return shell, rest


def _asked(words: Sequence[str]) -> tuple[str, Way] | None:
    """Return the profile and the options of its session; None for any other arguments."""
    names = [word for word in words if word not in _WAYS]
    if not names and (default := default_name(os.environ)) is not None:
        names = [default]
    if len(names) != 1 or names[0].startswith("-"):
        return None
    return names[0], Way(long="--long" in words, read_only="--read-only" in words)
