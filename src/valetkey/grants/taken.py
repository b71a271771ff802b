"""What a role's policies say, read before they are removed: in which order they may go, and what the role could have
taken out that a deny does not end (`policy.outlives`).

A policy that cannot be read is named: of what it allowed nothing is known, and it may hold a deny.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from valetkey.account.calls import CallError, Perform
from valetkey.grants.grant import REVOKED, Record, in_tag
from valetkey.grants.role import Role, read_policy
from valetkey.trust.record import PAUSED, SESSIONS

if TYPE_CHECKING:
    from valetkey.policy.statements import Policy, Statement
    from valetkey.prover.effective_permissions import Outlives

Kind = Literal["allows", "denies", "both"]
"""What a policy holds: Allow statements alone, Deny statements alone, or both (also where that is not known)."""


@dataclass(frozen=True)
class Held:
    """The policies of a role, as far as they could be read."""

    inline: Mapping[str, Mapping[str, Any]]
    managed: Mapping[str, Mapping[str, Any]]
    """Documents by ARN: of the policies that are attached, and of those that were agreed and are no longer attached."""
    boundary: Mapping[str, Any] | None
    unread: tuple[str, ...]
    """Names and ARNs of the policies whose documents are not known."""

    def kind(self, name: str) -> Kind:
        """What an attached or inline policy holds, by its ARN or name."""
        return kind(self.managed.get(name) or self.inline.get(name))


@dataclass(frozen=True)
class Taken:
    """What a role could have taken out."""

    outlives: tuple[Outlives, ...]
    """What outlives a deny on the role, by the policies that could be read."""
    unread: tuple[str, ...]
    """Policies of which that is not known; empty: the list is whole."""


NOTHING_READ = Held({}, {}, None, ())


def kind(document: Mapping[str, Any] | None) -> Kind:
    """What a policy document holds."""
    statements = document.get("Statement") if document else None
    listed = statements if isinstance(statements, list) else [statements]
    effects = {each.get("Effect") if isinstance(each, Mapping) else None for each in listed}
    return "allows" if effects == {"Allow"} else "denies" if effects == {"Deny"} else "both"


def read_held(role: Role, record: Record, perform: Perform) -> Held:
    """Read a role's managed policies and boundary. What AWS refuses is `unread`; raises nothing."""
    unread: list[str] = []
    managed: dict[str, Mapping[str, Any]] = {}
    attached = {in_tag(arn) for arn in role.managed}
    for arn in (*role.managed, *(each for each in record.managed if each not in attached)):
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
    return Held(inline, managed, boundary, tuple(unread))


def taken(held: Held, *, role_arn: str) -> Taken:
    """What the role could have taken out by the policies that were read, under its boundary and its denies."""
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
    found = opening(policies, boundary=boundary, role_arn=role_arn)
    if found.undecided:
        unread.append(f"all policies together ({found.undecided})")
    return Taken(found.outlives, tuple(dict.fromkeys(unread)))


def _denies_all(policy: Policy) -> bool:
    """A deny on everything was put on the role to stop it: it says nothing about what could be obtained before."""
    return not policy.allows and any(_whole(each) for each in policy.denies)


def _whole(deny: Statement) -> bool:
    return (
        not (deny.conditions or deny.not_action or deny.not_resource)
        and "*" in deny.actions
        and "*" in (deny.resources or ())
    )


def _document(perform: Perform, arn: str) -> Mapping[str, Any] | None:
    """The default version of a managed policy, or None."""
    try:
        _, document = read_policy(perform, arn)
    except (CallError, KeyError):
        return None
    return document if isinstance(document, Mapping) else None
