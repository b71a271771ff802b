"""Emergency revocation of a role without a readable record.

Rules:
- Only a role that admits an outside party, by `who`; an undecided result counts as admitted. A role that an earlier run
  has denied and closed counts too. A role that only its own account uses is refused.
- Also refused: the role that signs the calls, and roles that AWS creates and manages.
- Others who lose access are listed (`uses`), and then a plain yes is not enough.
- INVARIANT: the previous state of the role is written down (`snapshot`) before the first call that changes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from valetkey.account.calls import REFUSED, CallError, Perform
from valetkey.commandline import command, option, word
from valetkey.errors import ValetkeyError
from valetkey.grants.adopt_prepare import RESERVED
from valetkey.grants.grant import REVOKED, instant
from valetkey.grants.role import LiveRole, Owner, instance_profiles
from valetkey.grants.status import Standing, unrecorded
from valetkey.policy.arns import parse_arn


@dataclass(frozen=True)
class Unmanaged:
    """A role that can be revoked without a record."""

    standing: Standing
    outsiders: tuple[str, ...]
    """The outside parties that are admitted, in words; empty for a role that an earlier run has closed."""
    uses: tuple[str, ...]
    """Who else uses the role, in words: services, instance profiles, the role's own account, identity providers."""
    profiles: tuple[str, ...]
    """The instance profiles that contain it."""


def judge_unmanaged(role: LiveRole, *, owner: Owner, perform: Perform) -> Unmanaged:
    """Return who is affected if a role is revoked in this way. Raises ValetkeyError (exit code 1) if it cannot be,
    CallError."""
    from valetkey.trust.adopting import admitted

    if role.path.startswith(RESERVED):
        raise _refused(
            role, f"{role.name} is a role that AWS creates and manages", "remove it in the service that created it"
        )
    caller = parse_arn(owner.arn)
    if caller.resource.lower().startswith(f"assumed-role/{role.name.lower()}/"):
        raise _refused(role, f"you are signed in with {role.name}", "sign in with another identity")
    result = admitted(role.trust, role_arn=role.arn)
    if not result.outsiders and REVOKED not in role.inline:
        raise _refused(
            role,
            f"{role.name} admits nobody outside account {owner.account}",
            "`valetkey who` shows who is admitted; remove a role that only your own account uses in the IAM console",
        )
    outsiders = [f"account {account}" for account in result.accounts] + [
        f"the user or role {id_}" for id_ in result.ids
    ]
    outsiders += ["every AWS account"] if result.anybody else []
    outsiders += [f"not decided: {result.unknown}"] if result.unknown else []
    profiles, unread = _profiles(perform, role.name)
    uses = (*result.others, *(f"the instance profile {profile}" for profile in profiles), *unread)
    standing = unrecorded(role, "not asked for")
    contractor = result.accounts[0] if len(result.accounts) == 1 else ""
    standing = replace(standing, record=replace(standing.record, contractor=contractor))
    return Unmanaged(standing, tuple(outsiders), uses, profiles)


def _profiles(perform: Perform, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the instance profiles that contain the role, and a description if the caller may not list them. Raises
    CallError."""
    try:
        return instance_profiles(perform, name), ()
    except CallError as error:
        if error.code not in REFUSED:
            raise
        return (), (f"instance profiles, if there are any: {error.code} for {error.call.action}",)


def _refused(role: LiveRole, what: str, do: str) -> ValetkeyError:
    return ValetkeyError(what, do=f"{do}; nothing was changed", where=role.arn, exit_code=1)


def snapshot(unmanaged: Unmanaged, *, at: datetime) -> Mapping[str, Any]:
    """Return the previous state of the role, to be kept: kind "role/v1"."""
    role = unmanaged.standing.role
    return {
        "valetkey": "role/v1",
        "at": instant(at),
        "name": role.name,
        "role_arn": role.arn,
        "path": role.path,
        "description": role.description,
        "max_session": role.max_session,
        "boundary": role.boundary,
        "tags": dict(role.tags),
        "trust": dict(role.trust),
        "managed": list(role.managed),
        "inline": {name: dict(document) for name, document in role.inline.items()},
        "instance_profiles": list(unmanaged.profiles),
    }


def undo(name: str, file: str) -> tuple[str, ...]:
    """Return the AWS CLI commands that undo closing a role. The trust policy comes first: the deny still covers
    everyone until it is removed."""
    document = f'--policy-document "$(jq -c .trust {word(file)})"'
    return (
        f"{command('aws iam update-assume-role-policy --role-name', name)} {document}",
        f"{command('aws iam delete-role-policy --role-name', name)} {option('--policy-name', REVOKED)}",
    )
