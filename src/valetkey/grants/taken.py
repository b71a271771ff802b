"""A role's policies, read before they are removed: the order in which to remove them, and the credentials and sessions
from the role that a deny does not end (`catalog.outliving_credentials`).

A policy that cannot be read is listed: what it allowed is unknown, and it may contain a deny.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from valetkey.account.calls import CallError, Perform
from valetkey.grants.grant import REVOKED, Record, in_tag
from valetkey.grants.role import LiveRole, read_policy
from valetkey.trust.record import PAUSED, SESSIONS

if TYPE_CHECKING:
    from valetkey.policy.statements import Policy, Statement
    from valetkey.prover.effective_permissions import Outlives

PolicyEffect = Literal["allows", "denies", "both"]
"""The statements of a policy: only Allow, only Deny, or both (also if it is not known)."""


@dataclass(frozen=True)
class HeldPolicies:
    """The policies of a role, as far as they could be read."""

    inline: Mapping[str, Mapping[str, Any]]
    managed: Mapping[str, Mapping[str, Any]]
    """Documents by ARN: of attached policies, and of agreed policies that are no longer attached."""
    boundary: Mapping[str, Any] | None
    unread: tuple[str, ...]
    """Names and ARNs of the policies whose documents are not known."""

    def kind(self, name: str) -> PolicyEffect:
        """Return the kind of an attached or inline policy, by its ARN or name."""
        return kind(self.managed.get(name) or self.inline.get(name))


@dataclass(frozen=True)
class Taken:
    """Credentials and sessions that the role may have returned."""

    outlives: tuple[Outlives, ...]
    """Those that outlive a deny on the role, by the policies that could be read."""
    unread: tuple[str, ...]
    """Policies for which that is not known; empty: the list is complete."""


NOTHING_READ = HeldPolicies({}, {}, None, ())


def kind(document: Mapping[str, Any] | None) -> PolicyEffect:
    """Return the kind of a policy document."""
    statements = document.get("Statement") if document else None
    listed = statements if isinstance(statements, list) else [statements]
    effects = {item.get("Effect") if isinstance(item, Mapping) else None for item in listed}
    return "allows" if effects == {"Allow"} else "denies" if effects == {"Deny"} else "both"


def read_held(role: LiveRole, record: Record, perform: Perform) -> HeldPolicies:
    """Read a role's managed policies and boundary. Policies that AWS refuses are `unread`. Raises nothing."""
    unread: list[str] = []
    managed: dict[str, Mapping[str, Any]] = {}
    attached = {in_tag(arn) for arn in role.managed}
    for arn in (*role.managed, *(item for item in record.managed if item not in attached)):
        document = _document(perform, arn) if arn.startswith("arn:") else None
        if document is None:
            unread.append(arn)
        else:
            managed[arn] = document
    boundary = None if role.boundary is None else _document(perform, role.boundary)
    if role.boundary is not None and boundary is None:
        unread.append(role.boundary)
    inline = {name: document for name, document in role.inline.items() if name not in (REVOKED, SESSIONS, PAUSED)}
    unread += [name for name in record.inline if name not in inline]
    return HeldPolicies(inline, managed, boundary, tuple(unread))


def taken(held: HeldPolicies, *, role_arn: str) -> Taken:
    """Return the credentials and sessions that the role may have returned, by the policies that were read, its boundary
    and its denies."""
    from valetkey.policy.lenient import parse_lenient
    from valetkey.prover.effective_permissions import opening

    policies: list[tuple[str, Policy]] = []
    unread = list(held.unread)
    for name, document in (*held.managed.items(), *held.inline.items()):
        policy = parse_lenient(document, "identity").policy
        if policy is None:
            unread.append(name)
        elif not _denies_all(policy):
            policies.append((name.rpartition("/")[2], policy))
    boundary = None if held.boundary is None else parse_lenient(held.boundary, "boundary").policy
    result = opening(policies, boundary=boundary, role_arn=role_arn)
    if result.undecided:
        unread.append(f"all policies together ({result.undecided})")
    return Taken(result.outlives, tuple(dict.fromkeys(unread)))


def _denies_all(policy: Policy) -> bool:
    """Return whether a policy is only a deny on everything. It was added to stop the role, and does not show what could
    be obtained before."""
    return not policy.allows and any(_whole(statement) for statement in policy.denies)


def _whole(deny: Statement) -> bool:
    return (
        not (deny.conditions or deny.not_action or deny.not_resource)
        and "*" in deny.actions
        and "*" in (deny.resources or ())
    )


def _document(perform: Perform, arn: str) -> Mapping[str, Any] | None:
    """Return the document of the default version of a managed policy, or None."""
    try:
        _, document = read_policy(perform, arn)
    except (CallError, KeyError):
        return None
    return document if isinstance(document, Mapping) else None
