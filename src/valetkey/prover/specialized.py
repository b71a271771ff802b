"""Specializes policies to one action, one resource pattern and condition keys with known values.

A specialized policy gives the same decisions for these requests, and is small enough for a proof: of a policy with a
thousand action patterns, usually one statement remains.

Rules:
- INVARIANT: for every request with this action, on a resource that the pattern covers and with these values of these
  keys, `decide` gives the same result for the whole policy and the specialized one.
- A condition that AWS does not document, or that contains a policy variable, is unchanged.
- A policy without statements is kept, so that policies keep their numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from valetkey.policy.conditions import Condition, Test, compile_condition
from valetkey.policy.globs import matches
from valetkey.policy.patterns import compile_actions
from valetkey.policy.statements import Policy, Statement, resource_test
from valetkey.policy.undocumented import widely
from valetkey.prover.pattern_pairs import covers, overlap

VARIABLE = re.compile(r"\$\{[^}]*\}")
_Left = Callable[[Policy], "list[Statement | None]"]


@dataclass(frozen=True)
class Sides:
    """The identity policies of a role and its permissions boundary."""

    identity: tuple[Policy, ...]
    boundary: Policy | None = None

    @property
    def keywords(self) -> dict[str, tuple[Policy, ...]]:
        """The policies as keywords of `decide` and `prove`."""
        return {"identity": self.identity, **({"boundary": (self.boundary,)} if self.boundary is not None else {})}

    @property
    def statements(self) -> tuple[Statement, ...]:
        """All statements of the identity policies and the boundary."""
        policies = (*self.identity, *((self.boundary,) if self.boundary is not None else ()))
        return tuple(statement for policy in policies for statement in policy.statements)


def of_action(sides: Sides, action: str) -> Sides:
    """Specialize to one action, as spelled in a document."""

    def left(statement: Statement) -> Statement | None:
        if not statement.actions:
            return statement  # an empty NotAction is undocumented, an empty Action has no effect
        if not statement.covers_action(action.lower()):
            return None
        test = compile_actions((action,), negated=False, unsure=False)
        return replace(statement, actions=(action,), not_action=False, covers_action=test)

    return _each(sides, lambda policy: [left(item) for item in policy.statements])


def on_resources(sides: Sides, *patterns: str) -> Sides:
    """Specialize to resources that one of the patterns covers; `*` covers any."""

    def left(statement: Statement) -> Statement | None:
        if not statement.resources:
            return statement
        near = tuple(
            resource
            for resource in statement.resources
            if any(overlap(VARIABLE.sub("*", resource), on) for on in patterns)
        )
        if near == statement.resources:
            return statement
        negated = statement.not_resource and bool(near)
        if not near:
            if not statement.not_resource:
                return None
            near = ("*",)
        test = resource_test(near, negated=negated, unsure=_deny(statement), variables=statement.variables)
        return replace(statement, resources=near, not_resource=negated, covers_resource=test)

    return _each(sides, lambda policy: [left(item) for item in policy.statements])


def on_bare(sides: Sides) -> Sides:
    """Specialize to calls without a resource: only `*`, or a pattern that matches the text "*", covers these."""

    def left(statement: Statement) -> Statement | None:
        if not statement.resources or any("${" in resource for resource in statement.resources):
            return statement
        covered = any(matches(resource, "*") for resource in statement.resources)
        return statement if covered is not statement.not_resource else None

    return _each(sides, lambda policy: [left(item) for item in policy.statements])


def with_known(sides: Sides, keys: Mapping[str, str]) -> Sides:
    """Specialize to these values of condition keys (lower-cased). A variable for such a key is replaced by its
    value."""
    sides = _each(sides, lambda policy: [_filled(statement, keys) for statement in policy.statements])

    def left(policy: Policy) -> list[Statement | None]:
        wide = widely(policy).statements
        return [_known(statement, item, keys) for statement, item in zip(policy.statements, wide, strict=True)]

    return _each(sides, left)


_NAMED = re.compile(r"\$\{([^${}',*?]+)(?:,\s*'[^']*'\s*)?\}")


def _filled(statement: Statement, keys: Mapping[str, str]) -> Statement:
    """Replace the variables of known keys by their values."""

    def fill(text: str) -> str:
        def value(match: re.Match[str]) -> str:
            known = keys.get(match[1].strip().lower())
            return match[0] if known is None else re.sub(r"[*?$]", lambda sign: f"${{{sign[0]}}}", known)

        return _NAMED.sub(value, text)

    if not statement.variables:
        return statement
    resources = None if statement.resources is None else tuple(map(fill, statement.resources))
    conditions = tuple(
        replace(condition, values=tuple(map(fill, condition.values))) for condition in statement.conditions
    )
    if (resources, conditions) == (statement.resources, statement.conditions):
        return statement
    deny = _deny(statement)
    return replace(
        statement,
        resources=resources,
        conditions=conditions,
        covers_resource=resource_test(resources, negated=statement.not_resource, unsure=deny, variables=True),
        tests=tuple(compile_condition(condition, unsure=deny, variables=True) for condition in conditions),
    )


def _deny(statement: Statement) -> bool:
    """The value of `unsure` for a statement in `decide`'s reading of undocumented forms."""
    return statement.effect == "Deny"


def _known(statement: Statement, wide: Statement, keys: Mapping[str, str]) -> Statement | None:
    kept: list[tuple[Condition, Test]] = []
    for condition, test, element in zip(statement.conditions, statement.tests, wide.tests, strict=True):
        stays = condition.key.lower() not in keys or (statement.variables and any("${" in v for v in condition.values))
        if stays or test(keys) is not element(keys):
            kept.append((condition, test))
        elif not test(keys):
            return None
    if len(kept) == len(statement.conditions):
        return statement
    return replace(statement, conditions=tuple(item for item, _ in kept), tests=tuple(test for _, test in kept))


def without_covered(sides: Sides, *patterns: str) -> Sides:
    """For one action: if a statement applies to every request on these resources, drop the other statements with the
    same effect, which add nothing. The statement stays in its policy."""

    def left(policies: Sequence[Policy]) -> tuple[Policy, ...]:
        for effect in ("Allow", "Deny"):
            alone = next(
                (s for p in policies for s in p.statements if s.effect == effect and _whole(s, patterns)), None
            )
            if alone is not None:
                policies = [
                    _with(policy, [s for s in policy.statements if s.effect != effect or s is alone])
                    for policy in policies
                ]
        return tuple(policies)

    boundary = None if sides.boundary is None else left([sides.boundary])[0]
    return Sides(left(sides.identity), boundary)


def always(sides: Sides, *patterns: str) -> bool:
    """For one action: whether every request on these resources is allowed unless a Deny applies."""
    given = (sides.identity, *(((sides.boundary,),) if sides.boundary is not None else ()))
    return all(any(_whole(allow, patterns) for policy in side for allow in policy.allows) for side in given)


def _near(resource: str, patterns: tuple[str, ...]) -> bool:
    """Whether a resource pattern of a document (variables match anything) overlaps one of the patterns."""
    return any(overlap(VARIABLE.sub("*", resource), pattern) for pattern in patterns)


def _whole(statement: Statement, patterns: tuple[str, ...]) -> bool:
    resources = statement.resources or ()
    return (
        bool(statement.actions)
        and not (statement.conditions or statement.not_resource or statement.not_action)
        and all(any(covers(resource, on) for resource in resources) for on in patterns)
    )


def only(sides: Sides, at: int, statement: Statement, pattern: str) -> Sides:
    """Keep the Denies of the identity policies, and of their Allows only `statement` (of the policy at index `at`) with
    one of its resource patterns. The boundary is unchanged."""
    test = resource_test((pattern,), negated=False, unsure=False, variables=statement.variables)
    alone = replace(statement, resources=(pattern,), covers_resource=test)
    identity = tuple(
        _with(policy, [*([alone] if number == at else []), *policy.denies])
        for number, policy in enumerate(sides.identity)
    )
    return Sides(identity, sides.boundary)


def _each(sides: Sides, left: _Left) -> Sides:
    def cut(policy: Policy) -> Policy:
        return _with(policy, [statement for statement in left(policy) if statement is not None])

    return Sides(tuple(map(cut, sides.identity)), None if sides.boundary is None else cut(sides.boundary))


def _with(policy: Policy, statements: Sequence[Statement]) -> Policy:
    if len(statements) == len(policy.statements) and all(map(_is, statements, policy.statements)):
        return policy
    return replace(
        policy,
        statements=tuple(statements),
        allows=tuple(statement for statement in statements if statement.effect == "Allow"),
        denies=tuple(statement for statement in statements if statement.effect == "Deny"),
    )


def _is(one: Statement, other: Statement) -> bool:
    return one is other
