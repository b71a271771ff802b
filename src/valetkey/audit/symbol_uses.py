"""The places of texts in a trust policy, and the values that an unknown one may share with the others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from valetkey.account.loaded import written
from valetkey.account.symbols import has_mark, mark
from valetkey.audit.issuers import host_of
from valetkey.policy.arns import is_account
from valetkey.policy.policy_json import JsonNumber, JsonObject

ACCOUNT_KEYS = ("aws:principalaccount", "aws:sourceaccount", "aws:resourceaccount", "aws:sourceowner")
ARN_KEYS = ("aws:principalarn", "aws:sourcearn")
OWN_ORG = "o-yourown00000"
"""Represents the owner's organization where it is not given."""
OTHER_ORG = "o-outside000"
"""Represents another organization that a symbol names."""


@dataclass(frozen=True, slots=True)
class SymbolUse:
    """One place of a text, which may contain symbols."""

    kind: str
    """ "AWS", "Federated", "Service", "value", "key", "effect", "other"."""
    text: str
    """The whole text, with its marks."""
    key: str = ""
    """For a value: the condition key, in lower case."""
    operator: str = ""
    denied: bool = False
    """For a principal: whether its statement may be a Deny."""
    issuers: tuple[str, ...] = ()
    """For a principal: the issuers whose claims its statement tests."""
    bound: bool = False
    """For a principal: whether its statement requires such a claim."""
    paired: bool = False
    """For a value: whether its statement tests the key more than once."""


@dataclass(frozen=True, slots=True)
class DocumentContext:
    """Properties of a document that all its cases share."""

    account: str
    partition: str
    org_id: str
    literals: dict[str, tuple[str, ...]]
    """Values that a symbol may equal, by condition key; AWS principals under "AWS"."""
    providers: tuple[str, ...]
    """Issuers that are named as principals."""
    accounts: tuple[str, ...]
    """Other account ids in the document that a symbol may equal; empty without `by_account`."""
    by_account: bool
    """Whether equal account ids matter: there is a Deny, or a condition on accounts or ARNs."""
    arns: tuple[str, ...]
    """ARNs of principals in the document, with their marks."""
    denies: bool
    taken: frozenset[str] = field(default_factory=frozenset)
    """Account ids that are in use: in the document, the owner's, or representing a symbol."""


def uses_of(tree: Any) -> Iterator[SymbolUse]:
    """Yield every text of a trust policy with its place, except Id and Sid."""
    for name, value in tree if isinstance(tree, JsonObject) else ():
        if name.lower() == "statement":
            for item in _many(value):
                yield from _of_statement(item)
        elif name.lower() != "id":
            yield from _texts("other", value)


def _of_statement(statement: Any) -> Iterator[SymbolUse]:
    if not isinstance(statement, JsonObject):
        yield from _texts("other", statement)
        return
    denied = [value for name, value in statement if name.lower() == "effect"] != ["Allow"]
    issuers, bound = _claims_of(statement)
    for name, value in statement:
        lower = name.lower()
        if lower in ("principal", "notprincipal"):
            if isinstance(value, JsonObject):
                for kind, entries in value:
                    named = {"aws": "AWS", "federated": "Federated", "service": "Service"}.get(kind.lower(), "other")
                    for use in _texts(named, entries):
                        yield replace(use, denied=denied, issuers=issuers, bound=bound)
            else:
                yield from _texts("other" if has_mark(str(value)) else "AWS", value)
        elif lower == "condition" and isinstance(value, JsonObject):
            tested = [key.lower() for _, tests in value if isinstance(tests, JsonObject) for key, _ in tests]
            for operator, tests in value:
                yield SymbolUse("other", operator)
                for key, values in tests if isinstance(tests, JsonObject) else ():
                    yield SymbolUse("key", key)
                    for use in _texts("value", values):
                        lowered = key.lower()
                        paired = tested.count(lowered) > 1
                        yield SymbolUse("value", use.text, lowered, operator.lower(), paired=paired)
        elif lower != "sid":
            yield from _texts("effect" if lower == "effect" else "other", value)
        yield SymbolUse("other", name)


def _claims_of(statement: JsonObject) -> tuple[tuple[str, ...], bool]:
    """The issuers whose claims a statement tests, and whether it requires a claim."""
    issuers: dict[str, None] = {}
    bound = False
    for name, blocks in statement:
        for operator, tests in blocks if name.lower() == "condition" and isinstance(blocks, JsonObject) else ():
            for key in [test for test, _ in tests if is_claim(test)] if isinstance(tests, JsonObject) else ():
                issuers[host_of(key.rsplit(":", 1)[0])] = None
                bound = bound or not re.search("not|ifexists$|^forallvalues:|^null$|\ue000", operator.lower())
    return tuple(issuers), bound


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) and not isinstance(value, JsonObject) else [value]


def _texts(kind: str, value: Any) -> Iterator[SymbolUse]:
    if isinstance(value, JsonObject):
        for name, item in value:
            yield from (SymbolUse("other", name), *_texts("other", item))
        return
    for item in _many(value):
        if isinstance(item, list):
            yield from _texts("other", item)
        else:
            yield SymbolUse(kind, item.text if isinstance(item, JsonNumber) else item if isinstance(item, str) else "")


def context_of(uses: list[SymbolUse], account: str, partition: str, org_id: str | None) -> DocumentContext:
    """Build the context of a document from its uses."""
    literals: dict[str, dict[str, None]] = {}
    providers: dict[str, None] = {}
    for use in uses:
        name = use.key or (use.kind if use.kind == "AWS" else "")
        if name and not has_mark(use.text):
            literals.setdefault(name, {})[use.text] = None
        if use.kind == "Federated" and not has_mark(use.text):
            providers[host_of(use.text)] = None
    denies = any(use.kind == "effect" and use.text.lower() != "allow" for use in uses)
    by_account = denies or any(use.key in (*ACCOUNT_KEYS, *ARN_KEYS) for use in uses)
    accounts = dict.fromkeys(item for use in uses for item in sorted(accounts_in(use.text)))
    return DocumentContext(
        account=account,
        partition=partition,
        org_id=org_id or OWN_ORG,
        literals={key: tuple(result) for key, result in literals.items()},
        providers=tuple(providers),
        accounts=tuple(item for item in accounts if item != account) if by_account else (),
        by_account=by_account,
        arns=tuple(dict.fromkeys(use.text for use in uses if use.kind == "AWS" and use.text.startswith("arn:"))),
        denies=denies,
    )


def is_claim(key: str) -> bool:
    """Whether a condition key is a claim of an OIDC issuer, judged by the part before its last colon."""
    host = key.rpartition(":")[0]
    return "." in host or has_mark(host)


def accounts_in(text: str) -> frozenset[str]:
    """The account ids in a text."""
    return frozenset(item for item in re.findall(r"(?<![0-9])[0-9]{12}(?![0-9])", text) if is_account(item))


def with_values(
    context: DocumentContext, uses: Sequence[SymbolUse], number: int, values: Sequence[str], stand_in: str
) -> DocumentContext:
    """Extend the context for the following symbols, which may equal this one. Adds its values where it is a whole text,
    and the account id that represents it."""
    literals = dict(context.literals)
    for use in uses:
        if use.key and use.text == mark(number):
            literals[use.key] = tuple(dict.fromkeys([*literals.get(use.key, ()), *values]))
    accounts = (
        *context.accounts,
        *([stand_in] if context.by_account and any(stand_in in value for value in values) else []),
    )
    return replace(context, literals=literals, accounts=tuple(dict.fromkeys(accounts)))


def without_allows(tree: Any, numbers: Sequence[int]) -> str | None:
    """A trust policy in which Allow statements with these symbols have no effect; the indexes of the others stay. None
    where a statement with such a symbol may be a Deny, or a symbol is outside the statements."""
    marks = {mark(number) for number in numbers}
    kept = []
    for name, value in tree if isinstance(tree, JsonObject) else ():
        if name == "Statement":
            statements = []
            for item in _many(value):
                bad = any(element in use.text for use in _of_statement(item) for element in marks)
                if bad and (
                    not isinstance(item, JsonObject) or [v for n, v in item if n.lower() == "effect"] != ["Allow"]
                ):
                    return None
                statements.append(_NOTHING if bad else item)
            value = statements
        elif any(element in use.text for use in _texts("other", value) for element in marks):
            return None
        kept.append((name, value))
    return written(JsonObject(kept))


_NOTHING = JsonObject([("Effect", "Deny"), ("Principal", "*"), ("Action", "sts:GetCallerIdentity")])
"""A statement that does not affect who gets in."""
