"""An account as values: its roles and policies, read from AWS or from files, and calls to its API as data.

from valetkey.account import read_files, read_live

account = read_files(["dump.json.gz"], read=lambda name: Path(name).read_bytes())
[role.name for role in account.roles if role.trust is None]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from valetkey._lazy import lazy

if TYPE_CHECKING:
    from valetkey.account.calls import Call, CallError, Perform, everything
    from valetkey.account.files import read_files
    from valetkey.account.live import read_live
    from valetkey.account.loaded import SourceError
    from valetkey.account.values import Account, Role, UnknownPart, User

__all__ = [
    "Account",
    "Call",
    "CallError",
    "Perform",
    "Role",
    "SourceError",
    "UnknownPart",
    "User",
    "everything",
    "read_files",
    "read_live",
]

# Loaded when used (PEP 562).
_HOMES = {
    "Account": "values",
    "Call": "calls",
    "CallError": "calls",
    "Perform": "calls",
    "Role": "values",
    "SourceError": "loaded",
    "UnknownPart": "values",
    "User": "values",
    "everything": "calls",
    "read_files": "files",
    "read_live": "live",
}

__getattr__ = lazy(__name__, _HOMES)
