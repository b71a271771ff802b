"""A parsed policy as frozen values, each statement with its compiled tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

from valetkey.policy.conditions import Condition, Test
from valetkey.policy.patterns import compile_resources
from valetkey.policy.principal_tests import compile_principals
from valetkey.policy.principals import NamedBy, Principals
from valetkey.policy.requests import Request
from valetkey.policy.undecided import not_known

PolicyKind = Literal["identity", "trust", "boundary", "session", "scp", "rcp", "resource"]
POLICY_KINDS: tuple[PolicyKind, ...] = get_args(PolicyKind)


@dataclass(frozen=True, slots=True)
class Grammar:
    """The grammar of one kind of policy (reference_policies_grammar, and the pages of each kind)."""

    principal: Literal["none", "some", "everyone"]
    """Principal: none, because the policy is attached to the caller; some; or `"*"` only."""
    resource: Literal["none", "optional", "needed"]
    not_principal: bool = False
    not_action: bool = True
    sts_only: bool = False
    """Whether only actions of sts are valid."""
    free_texts: bool = False
    """Whether a Sid may be any text and need not be unique, and a Resource need not be an ARN."""


def grammar(kind: PolicyKind) -> Grammar:
    """The grammar of a kind of policy. Raises NotDecided for an unknown kind."""
    match kind:
        case "identity" | "boundary" | "session" | "scp":
            return Grammar("none", "needed")
        case "trust":
            return Grammar("some", "none", sts_only=True)
        case "rcp":
            return Grammar("everyone", "needed", not_action=False)
        case "resource":
            return Grammar("some", "optional", not_principal=True, free_texts=True)
        case never:
            raise not_known(never)


GRAMMARS: dict[PolicyKind, Grammar] = {kind: grammar(kind) for kind in POLICY_KINDS}
WITH_PRINCIPAL = frozenset(kind for kind, item in GRAMMARS.items() if item.principal != "none")
"""The kinds whose statements have a Principal; the others are attached to their caller."""

Effect = Literal["Allow", "Deny"]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. The document has exactly one of Action and NotAction. The same holds for Resource and Principal;
    `resources` and `principals` are None where the statement has neither element of the pair."""

    index: int
    """Its index in the document, from 0."""
    sid: str | None
    effect: Effect
    actions: tuple[str, ...]
    not_action: bool
    resources: tuple[str, ...] | None
    not_resource: bool
    principals: Principals | None
    not_principal: bool
    conditions: tuple[Condition, ...]
    where: str
    """JSON path: "$.Statement[0]", or "$.Statement" when Statement is not a list."""
    variables: bool
    """Whether policy variables `${…}` are in effect (Version 2012-10-17)."""

    covers_action: Callable[[str], bool] = field(repr=False, compare=False)
    covers_caller: Callable[[Request, bool], NamedBy] = field(repr=False, compare=False)
    covers_resource: Callable[[Request], bool] = field(repr=False, compare=False)
    tests: tuple[Test, ...] = field(repr=False, compare=False)
    """One test of a request's keys for each of `conditions`."""

    def reaches(self, request: Request, action: str, bounded: bool) -> NamedBy:
        """How the statement applies to a request. `action` is lower-cased; `bounded` says whether the caller has a
        permissions boundary."""
        if not self.covers_action(action):
            return NamedBy.NONE
        grant = self.covers_caller(request, bounded)
        if not grant or (self.resources is not None and not self.covers_resource(request)):
            return NamedBy.NONE
        keys = request.keys
        for test in self.tests:
            if not test(keys):
                return NamedBy.NONE
        return grant


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy document of one kind."""

    kind: PolicyKind
    version: str | None
    id: str | None
    statements: tuple[Statement, ...]
    allows: tuple[Statement, ...] = field(repr=False, compare=False)
    denies: tuple[Statement, ...] = field(repr=False, compare=False)


def caller_test(
    principals: Principals | None, *, negated: bool, deny: bool, unsure: bool
) -> Callable[[Request, bool], NamedBy]:
    """Compile `Statement.covers_caller`."""
    if principals is None:
        return lambda request, bounded: NamedBy.DIRECT
    return compile_principals(principals, negated=negated, deny=deny, unsure=unsure)


def resource_test(
    resources: tuple[str, ...] | None, *, negated: bool, unsure: bool, variables: bool
) -> Callable[[Request], bool]:
    """Compile `Statement.covers_resource`."""
    if resources is None:
        return lambda request: True
    test = compile_resources(resources, negated=negated, unsure=unsure, variables=variables)
    return lambda request: test(request.resource, request.keys)
