"""The default profile of a command: the profile selected in this shell."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from valetkey import files
from valetkey.credentials.delivery.regions import PROFILE
from valetkey.credentials.profiles.names import ProfileError, file_id
from valetkey.errors import ValetkeyError

_VALUED = ("--jobs", "--region", "--profile")
"""The options of `exec` that take a value."""


def default_name(env: Mapping[str, str]) -> str | None:
    """Return VALETKEY_PROFILE, else an AWS_PROFILE that is a customer's; None if there is neither."""
    given = env.get(PROFILE)
    if given:
        return given
    for named in (env.get("AWS_PROFILE"), env.get("AWS_DEFAULT_PROFILE")):
        if named and _is_customer(named, env):
            return named
    return None


def name_or_default(name: str | None, words: str) -> str:
    """Return the name if given, else the default. `words` is the command, for the message. Raises ValetkeyError."""
    result = name or default_name(os.environ)
    if result is None:
        raise ValetkeyError(
            "no profile is named", do=f"name it: valetkey {words} NAME; or set one for this shell: valetkey use NAME"
        )
    return result


def with_default_name(words: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """Return the arguments of `exec ... -- COMMAND`, with the default name inserted where none is given before the two
    dashes; otherwise the parser would read the command as the name. Raises ValetkeyError without a default."""
    words = list(words)
    end = words.index("--") if "--" in words else len(words)
    own = words[1:end]
    if words[:1] != ["exec"] or end == len(words) or not {"--all", "--profile", "--help", "-h"}.isdisjoint(own):
        return words
    if end == len(words) - 1:
        # Do not open a shell in a script whose command expanded to nothing.
        raise ValetkeyError(
            "no command is given", do="write it after the two dashes; without them, `exec NAME` opens a shell"
        )
    if any(item.startswith("--profile=") for item in own):
        return words
    values = {index + 1 for index, item in enumerate(own) if item in _VALUED}
    if any(index not in values and not item.startswith("-") for index, item in enumerate(own)):
        return words
    return [words[0], name_or_default(default_name(env), "exec"), *words[1:]]


def _is_customer(name: str, env: Mapping[str, str]) -> bool:
    try:
        return (files.config_dir(env) / "profiles" / f"{file_id(name)}.json").exists()
    except (ProfileError, ValetkeyError, OSError):
        return False
