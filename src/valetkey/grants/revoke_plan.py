"""The steps of a revocation, planned from how the role stands: the rules are those of `revoke`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from valetkey.account.calls import Call
from valetkey.grants.grant import REVOKED
from valetkey.grants.role import Role, canonical, compact
from valetkey.grants.taken import NOTHING_READ, Held, Kind
from valetkey.grants.waiting import Settle
from valetkey.trust.record import OWN
from valetkey.trust.self_denies import held_deny, kill_deny

_STEPS: dict[str, str] = {
    "put_role_policy": "deny on everything put on the role",
    "update_assume_role_policy": "trust policy replaced by one that admits nobody",
    "remove_role_from_instance_profile": "removed from instance profile {InstanceProfileName}",
    "detach_role_policy": "detached {PolicyArn}",
    "delete_role_policy": "deleted inline policy {PolicyName}",
    "delete_role": "role deleted",
}


def step(call: Call) -> str:
    """A call of a revocation in words."""
    return _STEPS[call.operation].format(**call.params)


def plan_close(
    role: Role, profiles: tuple[str, ...] = (), *, closed: Mapping[str, Any] | None, keep: bool = False
) -> tuple[Call, ...]:
    """The calls that are left to refuse sessions and shut the door; none for a role that is closed and bare.

    `keep`: with a deny that keeps the role from being deleted unasked (`held_deny`).
    """
    about = {"RoleName": role.name}
    wanted = held_deny() if keep else kill_deny()
    is_killed = canonical(role.inline.get(REVOKED, {})) == canonical(wanted) if keep else denies_all(role)
    calls = []
    if not _is_bare(role, profiles, closed) and not is_killed:
        deny = {"PolicyName": REVOKED, "PolicyDocument": compact(wanted)}
        calls.append(Call("iam", "put_role_policy", {**about, **deny}))
    if closed is not None and not is_closed(role, closed):
        calls.append(Call("iam", "update_assume_role_policy", {**about, "PolicyDocument": compact(closed)}))
    return tuple(calls)


def plan_remove(
    role: Role, profiles: tuple[str, ...] = (), *, closed: Mapping[str, Any] | None, held: Held = NOTHING_READ
) -> tuple[Call | Settle, ...]:
    """The steps that follow `plan_close`, up to the deletion of the role.

    `held` are the documents of its managed policies; of one that is not among them it is taken that it both allows and
    denies.
    """
    about = {"RoleName": role.name}
    delete = Call("iam", "delete_role", about)
    if _is_bare(role, profiles, closed):
        return (delete,)
    known = replace(held, inline=role.inline)
    gone: dict[Kind, list[Call]] = {"allows": [], "both": [], "denies": []}
    for arn in role.managed:
        gone[known.kind(arn)].append(Call("iam", "detach_role_policy", {**about, "PolicyArn": arn}))
    # The grant's own denies second to last. One that was changed so that it allows is among those that allow.
    for name in sorted(role.inline.keys() - {REVOKED}, key=lambda each: (each in OWN, each)):
        gone[known.kind(name)].append(Call("iam", "delete_role_policy", {**about, "PolicyName": name}))
    return (
        *(
            Call("iam", "remove_role_from_instance_profile", {**about, "InstanceProfileName": each})
            for each in profiles
        ),
        *gone["allows"],
        Settle(),
        *gone["both"],
        *([Settle()] if gone["both"] else []),
        *gone["denies"],
        Call("iam", "delete_role_policy", {**about, "PolicyName": REVOKED}),
        delete,
    )


def plan_revoke(
    role: Role, profiles: tuple[str, ...] = (), *, closed: Mapping[str, Any] | None, held: Held = NOTHING_READ
) -> tuple[Call | Settle, ...]:
    """All steps that are left to revoke a role as it stands; `profiles` are the instance profiles it is in.

    `closed` is the trust that is shown to admit nobody, or None to leave the trust as it is.
    """
    close = plan_close(role, profiles, closed=closed)
    return (*close, *plan_remove(role, profiles, closed=closed, held=held))


def is_closed(role: Role, closed: Mapping[str, Any] | None) -> bool:
    """Whether the role's trust is the closed one."""
    return closed is not None and canonical(role.trust) == canonical(closed)


def _is_bare(role: Role, profiles: tuple[str, ...], closed: Mapping[str, Any] | None) -> bool:
    return is_closed(role, closed) and not (role.inline or role.managed or profiles)


def denies_all(role: Role) -> bool:
    """Whether the role carries a revocation's deny on everything."""
    return canonical(role.inline.get(REVOKED, {})) in (canonical(kill_deny()), canonical(held_deny()))
