"""When a profile was last used: the modification time of its note in `$XDG_CACHE_HOME/valetkey/last` (see
customers.py)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from valetkey import files
from valetkey.credentials.profiles.names import file_id


def last_file(name: str, env: Mapping[str, str]) -> Path:
    """Return the path of a profile's note."""
    return files.cache_dir(env) / "last" / f"{file_id(name)}.json"


def note_use(name: str, env: Mapping[str, str]) -> None:
    """Record that the profile is used now. Raises OSError."""
    os.utime(last_file(name, env))
