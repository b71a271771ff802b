"""Advice on roles with names that suggest their usual purpose.

A name proves nothing: anyone can give a role the name of an AWS role. The advice is therefore conditional, and changes
neither an exposure nor a severity.
"""

from __future__ import annotations

from collections.abc import Sequence

from valetkey.account.values import Role
from valetkey.audit.exposure import Outsider
from valetkey.catalog.known_roles import usual_role
from valetkey.commandline import option
from valetkey.policy.arns import is_account

_CLEARED = frozenset({"T1", "T2", "T3", "T11", "T15", "T19", "T20", "T21", "T22", "T31"})
"""Checks that have no findings once the account is one of the owner's."""


def advice(role: Role, outsiders: Sequence[Outsider]) -> str:
    """Return one sentence; empty where the name suggests nothing, or no outsider has an account id."""
    usual = usual_role(role.name)
    accounts = dict.fromkeys(account for outsider in outsiders if (account := _account(outsider)))
    if usual is None or not accounts:
        return ""
    named = " and ".join(accounts)
    return (
        f"{usual.what}: if {named} is {usual.whose}, run the audit with {option('--own-accounts', ','.join(accounts))}"
    )


def _account(outsider: Outsider) -> str:
    if outsider.kind == "account":
        return outsider.name if is_account(outsider.name) else ""
    parts = outsider.name.split(":")
    return parts[4] if outsider.kind == "provider" and len(parts) > 5 and is_account(parts[4]) else ""


def fix_for(check: str, fix: str, advised: str) -> str:
    """A check's fix, preceded by the role's advice where both apply."""
    return f"{advised}; if not, {fix}" if advised and check in _CLEARED else fix
