"""When a profile was used last: the time of its note in `$XDG_CACHE_HOME/valetkey/last` (customers.py writes it)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from valetkey import files
from valetkey.credentials.profiles.names import file_id


def last_file(name: str, env: Mapping[str, str]) -> Path:
    """Where the note of a profile is."""
    return files.cache_dir(env) / "last" / f"{file_id(name)}.json"


def note_use(name: str, env: Mapping[str, str]) -> None:
    """Note that the profile was used now. Raises OSError."""
    os.utime(last_file(name, env))
