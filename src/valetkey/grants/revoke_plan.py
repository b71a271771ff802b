"""Plan the steps of a revocation from the present role. The rules are those of `revoke`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from valetkey.account.calls import Call
from valetkey.grants.grant import REVOKED
from valetkey.grants.role import LiveRole, canonical, compact
from valetkey.grants.taken import NOTHING_READ, HeldPolicies, PolicyEffect
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
    """Describe a call of a revocation."""
    return _STEPS[call.operation].format(**call.params)


def plan_close(
    role: LiveRole, profiles: tuple[str, ...] = (), *, closed: Mapping[str, Any] | None, keep: bool = False
) -> tuple[Call, ...]:
    """Return the remaining calls that deny sessions and close the trust policy; empty for a role that is closed and has
    no policies.

    `keep`: use a deny that keeps the role from being deleted without a confirmation (`held_deny`).
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
    role: LiveRole,
    profiles: tuple[str, ...] = (),
    *,
    closed: Mapping[str, Any] | None,
    held: HeldPolicies = NOTHING_READ,
) -> tuple[Call | Settle, ...]:
    """Return the steps that follow `plan_close`, up to the deletion of the role.

    `held` are the documents of its managed policies; a missing one counts as both allowing and denying.
    """
    about = {"RoleName": role.name}
    delete = Call("iam", "delete_role", about)
    if _is_bare(role, profiles, closed):
        return (delete,)
    known = replace(held, inline=role.inline)
    gone: dict[PolicyEffect, list[Call]] = {"allows": [], "both": [], "denies": []}
    for arn in role.managed:
        gone[known.kind(arn)].append(Call("iam", "detach_role_policy", {**about, "PolicyArn": arn}))
    # The grant's own denies come second to last. One that was changed to allow counts as one that allows.
    for name in sorted(role.inline.keys() - {REVOKED}, key=lambda item: (item in OWN, item)):
        gone[known.kind(name)].append(Call("iam", "delete_role_policy", {**about, "PolicyName": name}))
    return (
        *(
            Call("iam", "remove_role_from_instance_profile", {**about, "InstanceProfileName": profile})
            for profile in profiles
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
    role: LiveRole,
    profiles: tuple[str, ...] = (),
    *,
    closed: Mapping[str, Any] | None,
    held: HeldPolicies = NOTHING_READ,
) -> tuple[Call | Settle, ...]:
    """Return all remaining steps to revoke a role; `profiles` are its instance profiles.

    `closed` is the trust policy that is proved to admit nobody, or None to leave the trust policy unchanged.
    """
    close = plan_close(role, profiles, closed=closed)
    return (*close, *plan_remove(role, profiles, closed=closed, held=held))


def is_closed(role: LiveRole, closed: Mapping[str, Any] | None) -> bool:
    """Return whether the role's trust policy is the closed one."""
    return closed is not None and canonical(role.trust) == canonical(closed)


def _is_bare(role: LiveRole, profiles: tuple[str, ...], closed: Mapping[str, Any] | None) -> bool:
    return is_closed(role, closed) and not (role.inline or role.managed or profiles)


def denies_all(role: LiveRole) -> bool:
    """Return whether the role has a revocation's deny on everything."""
    return canonical(role.inline.get(REVOKED, {})) in (canonical(kill_deny()), canonical(held_deny()))
