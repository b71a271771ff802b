"""Separates the entries of Principal elements that no request can match from the others.

AWS rejects most of them when the document is saved; the others (a canonical user id, a CloudFront identity) cannot
be the caller of a request. A proof about the other entries holds whatever these mean:

- An Allow without such an entry allows no more than with it, so every caller that was found is allowed.
- INVARIANT: a Deny is evaluated without the entry, which excludes no caller.

Which callers such an entry of an Allow admits stays undecided (`Unjudged`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from valetkey.errors import PolicyError, shown
from valetkey.policy.principals import Principals, UnreadPrincipal, read_caller
from valetkey.policy.statements import Effect, Policy, Statement

_Field = Literal["aws", "services", "federated", "canonical"]
_ELEMENTS: dict[_Field, str] = {
    "aws": "AWS",
    "services": "Service",
    "federated": "Federated",
    "canonical": "CanonicalUser",
}


@dataclass(frozen=True, slots=True)
class Unjudged:
    """An entry of a Principal element that was not evaluated."""

    statement: int
    """Its index in the document, from 0."""
    effect: Effect
    entry: UnreadPrincipal

    def __str__(self) -> str:
        if self.entry.text == f"statement {self.statement + 1}":
            return str(self.entry)
        return f"statement {self.statement + 1} names {self.entry.text}, which {self.entry.why}"


def unspoken(element: Principals) -> Iterator[tuple[_Field, str, str]]:
    """Yield the entries that the parser accepts and no caller can match: field, entry, and the reason."""
    for entry in element.aws:
        if ":cloudfront:" in entry:
            yield "aws", entry, "is an identity of CloudFront, not of IAM"
    yield from (("canonical", entry, "is a canonical user, not one of IAM") for entry in element.canonical)
    for entry in element.services:
        if not _is_caller(entry, "service"):
            yield "services", entry, "is not the name of a service as AWS writes it"
    for entry in element.federated:
        if not _is_caller(entry, "provider"):
            yield "federated", entry, "is not the name of a provider as AWS writes it"


def _is_caller(name: str, kind: str) -> bool:
    try:
        return read_caller(name).kind == kind
    except PolicyError:
        return False


def legible(side: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[Unjudged, ...]]:
    """Remove the entries that cannot be evaluated from the trust policies of `decide`'s keywords. Returns the new
    keywords and every removed entry."""
    result: list[Unjudged] = []
    trust = [_policy(policy, result) for policy in side.get("trust", ())]
    return ({**side, "trust": trust}, tuple(result)) if result else (dict(side), ())


def _policy(policy: Policy, result: list[Unjudged]) -> Policy:
    before = len(result)
    statements = tuple(_statement(statement, result) for statement in policy.statements)
    if len(result) == before:
        return policy
    return replace(
        policy,
        statements=statements,
        allows=tuple(statement for statement in statements if statement.effect == "Allow"),
        denies=tuple(statement for statement in statements if statement.effect == "Deny"),
    )


def _statement(statement: Statement, result: list[Unjudged]) -> Statement:
    element = statement.principals
    if element is None or statement.not_principal:
        return statement
    odd = list(unspoken(element))
    if not odd and not element.unread:
        return statement
    result.extend(Unjudged(statement.index, statement.effect, principal) for principal in element.unread)
    for name, entry, why in odd:
        unread = UnreadPrincipal(shown(entry), why, f"{statement.where}.Principal.{_ELEMENTS[name]}")
        result.append(Unjudged(statement.index, statement.effect, unread))
    lost = {(name, entry) for name, entry, _ in odd}
    left: dict[str, Any] = {
        name: tuple(entry for entry in getattr(element, name) if (name, entry) not in lost) for name in _ELEMENTS
    }
    return replace(statement, principals=replace(element, unread=(), **left))
