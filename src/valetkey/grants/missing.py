"""A name that no role of the account has: what is said, with the names that are spelt like it.

Rules:
- The roles are listed only where the name is missing, so that the suggestion costs nobody else a call.
- A command that works on grants suggests a grant. Whoever may not list the roles, or not read them, gets no suggestion.
"""

from __future__ import annotations

import difflib

from valetkey.account.calls import Call, CallError, Perform, everything
from valetkey.errors import ValetkeyError
from valetkey.trust.record import PREFIX


def near(perform: Perform, name: str) -> tuple[str, ...]:
    """Names of the account's roles that are spelt much like this one, the nearest first; none where they may not be
    listed."""
    call = Call("iam", "list_roles", {"MaxItems": 1000})
    try:
        names = {str(role["RoleName"]).lower(): str(role["RoleName"]) for role in everything(perform, call, "Roles")}
    except CallError:
        return ()
    return tuple(names[each] for each in difflib.get_close_matches(name.lower(), names, n=3))


def no_grant(perform: Perform, name: str, account: str) -> ValetkeyError:
    """The problem of a grant that is not there, with the nearest name of one (exit code 2)."""
    meant = next((each for each in near(perform, name) if _is_grant(perform, each)), None)
    return ValetkeyError(_said(name, account, meant), do="See `valetkey list`.")


def no_role(perform: Perform, name: str, account: str, *, do: str) -> ValetkeyError:
    """The problem of a role that is not there, grant or not, with the nearest name (exit code 1)."""
    return ValetkeyError(_said(name, account, next(iter(near(perform, name)), None)), do=do, exit_code=1)


def _said(name: str, account: str, meant: str | None) -> str:
    near_name = f' Did you mean "{meant}"?' if meant else ""
    return f"There is no role {name} in account {account}.{near_name}"


def _is_grant(perform: Perform, name: str) -> bool:
    """Whether a role has the tags of a grant; False when it may not be read."""
    try:
        role = perform(Call("iam", "get_role", {"RoleName": name}))["Role"]
    except CallError:
        return False
    return any(each["Key"] == f"{PREFIX}version" for each in role.get("Tags", ()))
