"""Errors for a name that no role of the account has, with similar names.

Rules:
- The roles are listed only if the name is missing, so the suggestion costs no calls otherwise.
- A command for grants suggests a grant. A caller without permission to list or read the roles gets no suggestion.
"""

from __future__ import annotations

import difflib

from valetkey.account.calls import Call, CallError, Perform, everything
from valetkey.errors import ValetkeyError
from valetkey.trust.record import PREFIX


def near(perform: Perform, name: str) -> tuple[str, ...]:
    """Return the most similar names of the account's roles, the nearest first; empty if the caller may not list
    them."""
    call = Call("iam", "list_roles", {"MaxItems": 1000})
    try:
        names = {str(role["RoleName"]).lower(): str(role["RoleName"]) for role in everything(perform, call, "Roles")}
    except CallError:
        return ()
    return tuple(names[match] for match in difflib.get_close_matches(name.lower(), names, n=3))


def no_grant(perform: Perform, name: str, account: str) -> ValetkeyError:
    """Return the error for a missing grant, with the nearest name of a grant (exit code 2)."""
    meant = next((item for item in near(perform, name) if _is_grant(perform, item)), None)
    return ValetkeyError(_said(name, account, meant), do="See `valetkey list`.")


def no_role(perform: Perform, name: str, account: str, *, do: str) -> ValetkeyError:
    """Return the error for a missing role, grant or not, with the nearest name (exit code 1)."""
    return ValetkeyError(_said(name, account, next(iter(near(perform, name)), None)), do=do, exit_code=1)


def _said(name: str, account: str, meant: str | None) -> str:
    near_name = f' Did you mean "{meant}"?' if meant else ""
    return f"There is no role {name} in account {account}.{near_name}"


def _is_grant(perform: Perform, name: str) -> bool:
    """Return whether a role has the tags of a grant; False if the caller may not read it."""
    try:
        role = perform(Call("iam", "get_role", {"RoleName": name}))["Role"]
    except CallError:
        return False
    return any(tag["Key"] == f"{PREFIX}version" for tag in role.get("Tags", ()))
