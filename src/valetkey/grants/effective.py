"""The effective permissions of a grant's role: its policies and boundary, read completely.

Rules:
- Every policy on the role counts, including valetkey's own denies (the end, the own role, a suspension, a revocation).
- A document that AWS does not return, or that cannot be parsed, is named in `unread`: no decision assumes that it does
  not exist.
- Resource policies, SCPs and RCPs are not read. They may deny more; a resource policy that names the role may allow
  more (IAM User Guide, reference_policies_evaluation-logic).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from valetkey.account.calls import CallError, Perform
from valetkey.errors import PolicyError
from valetkey.grants.role import NOT_SHOWN, LiveRole, read_policy
from valetkey.policy import Policy, parse_policy
from valetkey.policy.statements import PolicyKind
from valetkey.prover.specialized import Sides
from valetkey.trust.record import OWN

ROLE_ASSUMPTIONS = (
    "SCPs, RCPs and resource policies are not analyzed: they can deny more",
    "a resource policy that names the role can allow more",
    "a request for an action names the resources that AWS lists for it",
    "the session has no session policy, which could only reduce access",
)
"""The assumptions of every answer about a role's permissions."""


@dataclass(frozen=True)
class Named:
    """A policy and its name on the role."""

    name: str
    """The name of an inline policy, or the last part of the ARN of a managed one."""
    policy: Policy
    document: Mapping[str, Any]


@dataclass(frozen=True)
class UnreadPolicy:
    """A policy whose document is not known."""

    name: str
    why: str
    boundary: bool

    def __str__(self) -> str:
        return f"{self.name} ({self.why})"


@dataclass(frozen=True)
class Effective:
    """The policies of a role and its boundary."""

    name: str
    role_arn: str
    policies: tuple[Named, ...]
    boundary: Named | None
    unread: tuple[UnreadPolicy, ...] = ()

    @property
    def sides(self) -> Sides:
        """The documents in the form for the prover, in the order of `policies`."""
        return Sides(
            tuple(policy.policy for policy in self.policies), None if self.boundary is None else self.boundary.policy
        )

    @property
    def whole(self) -> bool:
        """Whether every document could be read."""
        return not self.unread

    def without_own(self) -> Effective:
        """Return a copy without the denies that valetkey puts on a role."""
        return replace(self, policies=tuple(policy for policy in self.policies if policy.name not in OWN))

    def owners(self) -> tuple[Named, ...]:
        """Return the policies that the owner chose."""
        return self.without_own().policies


def read_effective(role: LiveRole, perform: Perform) -> Effective:
    """Read the documents of a role's managed policies and boundary. A document that AWS refuses to return is `unread`.
    Raises CallError for every other failure."""
    unread: list[UnreadPolicy] = []

    def named(name: str, read: Callable[[], Any], kind: PolicyKind) -> Named | None:
        try:
            document = read()
            if not isinstance(document, Mapping):
                raise PolicyError("it is not a JSON object")
            return Named(name, parse_policy(document, kind=kind), document)
        except PolicyError as error:
            unread.append(UnreadPolicy(name, error.what, kind == "boundary"))
        except CallError as error:
            if error.code not in NOT_SHOWN:
                raise
            unread.append(UnreadPolicy(name, f"{error.call.action}: {error.code}", kind == "boundary"))
        return None

    def managed(arn: str, kind: PolicyKind) -> Named | None:
        return named(arn.rpartition("/")[2], lambda: read_policy(perform, arn)[1], kind)

    result = [managed(arn, "identity") for arn in role.managed]
    result += [named(name, lambda d=document: d, "identity") for name, document in role.inline.items()]  # type: ignore[misc]
    boundary = None if role.boundary is None else managed(role.boundary, "boundary")
    return Effective(role.name, role.arn, tuple(item for item in result if item is not None), boundary, tuple(unread))


def of_policy(name: str, document: Mapping[str, Any]) -> Effective:
    """Return one policy alone, for a comparison. Raises PolicyError."""
    return Effective(name, "", (Named(name, parse_policy(document, kind="identity"), document),), None)
