"""Representative values for a symbol in a trust policy: one for each equivalence class of its values.

The classes follow from the places of the symbol: an account id is the owner's or another one, an ExternalId equals
another one of the document or is unique, MFA is required or not. Unintended values (an ExternalId "*", a principal "*")
are separate: an answer that does not hold for them says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from zlib import crc32

from valetkey.account.symbols import MARK, mark, may_be, own_name
from valetkey.account.values import Symbol
from valetkey.audit.exposure import ORG_ID, ORG_PATHS
from valetkey.audit.issuers import fixed, issuer_of
from valetkey.audit.symbol_uses import ACCOUNT_KEYS, ARN_KEYS, OTHER_ORG, DocumentContext, SymbolUse, is_claim
from valetkey.catalog.key_names import EXTERNAL_ID_LOWER as EXTERNAL_ID

LITERALS_MAX = 6
"""Maximum number of other values of the document that a symbol may equal; with more the answer is unknown."""


@dataclass(frozen=True, slots=True)
class Case:
    """One value with its description ("your own account"; empty: none needed)."""

    value: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Cases:
    """The representative values of a symbol."""

    usual: tuple[Case, ...]
    unmeant: tuple[Case, ...] = ()
    unless: str = ""
    """The condition that excludes the `unmeant` values: "is not guessable"."""


def outside_account(symbol: Symbol, taken: frozenset[str]) -> str:
    """An account id that represents the outside account that a symbol names. It is not in `taken`."""
    number = crc32(symbol.name.encode())
    while (result := f"98{number:010d}") in taken:
        number += 1
    return result


def cases_of(number: int, symbol: Symbol, uses: list[SymbolUse], context: DocumentContext) -> Cases | None:
    """The representative values of symbol `number`; None where its place has none, or there are too many."""
    here = [use for use in uses if number in map(int, MARK.findall(use.text))]
    if any(use.kind in ("other", "effect") for use in here):
        return None
    if symbol.values:
        return Cases(tuple(Case(value, f'"{value}"') for value in symbol.values))
    order = ("AWS", "Federated", "value", "key", "Service")
    first = min((order.index(use.kind) for use in here), default=len(order))
    if first == len(order):
        return Cases((Case("x"),))  # in an Id or Sid
    chosen = [use for use in here if use.kind == order[first]]
    usual: dict[str, Case] = {}
    unmeant: dict[str, Case] = {}
    unless: dict[str, None] = {}
    for use in chosen:
        cases = _FINDERS[use.kind](number, symbol, use, context)
        if cases is None:
            return None
        usual |= {case.value: case for case in cases.usual if case.value not in usual}
        unmeant |= {case.value: case for case in cases.unmeant if may_be(symbol, case.value)}
        unless |= dict.fromkeys([cases.unless] if cases.unless else [])
    if len(usual) > LITERALS_MAX + 3:
        return None
    if symbol.own:
        return Cases(tuple(usual.values()))
    left = tuple(case for case in unmeant.values() if case.value not in usual)
    return Cases(tuple(usual.values()), left, " and ".join(unless) if left else "")


def _whole(number: int, use: SymbolUse) -> bool:
    match = MARK.fullmatch(use.text)
    return match is not None and int(match[1]) == number


def _in_account_field(number: int, text: str) -> bool:
    parts = text.split(":", 5)
    match = MARK.fullmatch(parts[4]) if len(parts) > 4 else None
    return match is not None and int(match[1]) == number


def _in_partition_field(number: int, text: str) -> bool:
    parts = text.split(":", 2)
    match = MARK.fullmatch(parts[1]) if len(parts) > 2 else None
    return parts[0] == "arn" and match is not None and int(match[1]) == number


def _is_ours(symbol: Symbol) -> bool:
    """Whether it is an ARN in the role's own account. Other attributes of a resource may be the id of any account."""
    return symbol.own and bool(symbol.service)


def _accounts(symbol: Symbol, context: DocumentContext) -> tuple[Case, ...]:
    own = Case(context.account, "your own account")
    if _is_ours(symbol):
        return (own,)
    others = (Case(account, f'"{account}"') for account in context.accounts)
    return (Case(outside_account(symbol, context.taken), "an outside account"), own, *others)


def _principal(number: int, symbol: Symbol, use: SymbolUse, context: DocumentContext) -> Cases:
    if _whole(number, use):
        if _is_ours(symbol):
            return Cases((Case(f"arn:{context.partition}:iam::{context.account}:role/{own_name(symbol)}"),))
        others = context.literals.get("AWS", ()) if context.denies else ()
        named = (*_accounts(symbol, context), *(Case(item, f'"{item}"') for item in others if item != "*"))
        if use.denied:
            return Cases((*named, Case("*", '"*"')) if may_be(symbol, "*") else named)
        return Cases(named, (Case("*"),), 'is not "*"')
    if _in_account_field(number, use.text):
        return Cases(_accounts(symbol, context))
    if _in_partition_field(number, use.text):
        return Cases((Case(context.partition),))
    return Cases((Case(own_name(symbol)),))


def _provider(number: int, symbol: Symbol, use: SymbolUse, context: DocumentContext) -> Cases:
    own = f"arn:{context.partition}:iam::{context.account}:"
    shared = ("token.actions.githubusercontent.com", "cognito-identity.amazonaws.com", "accounts.google.com")
    unless = "is not an issuer that everybody shares"
    if _whole(number, use):
        tested = tuple(Case(f"{own}oidc-provider/{host}") for host in use.issuers)
        usual = (Case(f"{own}oidc-provider/{own_name(symbol)}.example"), Case(f"{own}saml-provider/{own_name(symbol)}"))
        others = () if use.bound else tuple(Case(f"{own}oidc-provider/{host}") for host in shared)
        return Cases(tested or usual, others, unless)
    if _in_account_field(number, use.text):
        outside = Case(outside_account(symbol, context.taken))
        return Cases((Case(context.account),), (outside,), "is your own account")
    if _in_partition_field(number, use.text):
        return Cases((Case(context.partition),))
    if ":oidc-provider/" in use.text:
        return Cases((Case(f"{own_name(symbol)}.example"),), tuple(map(Case, shared)), unless)
    return Cases((Case(own_name(symbol)),))


def _service(number: int, symbol: Symbol, use: SymbolUse, context: DocumentContext) -> Cases:
    return Cases((Case("ec2.amazonaws.com" if _whole(number, use) else "ec2"),))


def _key(number: int, symbol: Symbol, use: SymbolUse, context: DocumentContext) -> Cases | None:
    """Cases for a part of a condition key: a claim's name, or an issuer, which may be one of the named principals."""
    if not is_claim(use.text):
        return None
    if MARK.fullmatch(use.text.rpartition(":")[2]):
        return Cases(tuple(Case(item, f'"{item}"') for item in ("sub", "aud", "amr")))  # the claim's name is unknown
    return Cases(
        (
            Case(f"{own_name(symbol)}.example"),
            *(Case(provider, f'"{provider}"') for provider in context.providers if provider),
        )
    )


_CANDIDATES = (
    "{}",
    "{}/{}",
    "repo:{}/{}:ref:refs/heads/main",
    "organization:{}:project:{}",
    "project_path:{}/{}:ref_type:branch:ref:main",
    "us-east-1:12345678-1234-1234-1234-123456789012",
    "123456789012345678901",
)
"""Candidate values for a symbol in a claim; one of them names a tenant."""


def _tenant(number: int, symbol: Symbol, use: SymbolUse) -> str | None:
    """A value for the symbol with which the claim names one tenant; None where the key is not a tenant's claim."""
    host, _, key = use.key.rpartition(":")
    issuer = issuer_of(host)
    claim = next((item for item in issuer.claims if item.key.lower() in (key, use.key)), None) if issuer else None
    if claim is None:
        return None
    for candidate in _CANDIDATES:
        value = candidate.format(*[own_name(symbol)] * 2)
        pieces = MARK.split(use.text)
        whole = "".join(
            part if not at % 2 else value if int(part) == number else f"x{part}" for at, part in enumerate(pieces)
        )
        if fixed(claim, whole):
            return value
    return own_name(symbol)


_BOOLEAN = (Case("true", "true"), Case("false", "false"))
_DATES = (Case("2999-12-31T00:00:00Z", "a day to come"), Case("2001-01-01T00:00:00Z", "a day that is over"))
_EPOCHS = (Case("32503593600", "a day to come"), Case("978307200", "a day that is over"))


def _value(number: int, symbol: Symbol, use: SymbolUse, context: DocumentContext) -> Cases | None:
    operator = re.sub("ifexists$", "", use.operator.rpartition(":")[2])
    whole = _whole(number, use)
    typed = _typed(operator, use, whole)
    if typed is not None:
        return typed
    like = "like" in operator or operator.startswith("arn")
    any_ = (Case("*" * max(1, symbol.shortest)),) if like else ()
    name, plain = own_name(symbol), "holds no wildcard" if like else ""
    # The symbol may have the same value as another text of the document.
    literals = _equals(number, use, context)
    if literals is None:
        return None
    others = tuple(Case(item, f'"{item}"') for item in literals)
    if use.key == EXTERNAL_ID:
        tried = (Case("test".ljust(symbol.shortest, "0")), *any_)
        return Cases((Case(f"{name}-7f3a9c21e5d84b60"), *others), tried, "is not guessable")
    if use.key in (ORG_ID, ORG_PATHS) and MARK.match(use.text):
        tail = "/*" if use.key == ORG_PATHS and whole else ""
        usual = (
            Case(f"{OTHER_ORG}{tail}", "another organisation"),
            Case(f"{context.org_id}{tail}", "your organisation"),
        )
        return Cases((*usual, *others), any_, plain)
    if use.key in ACCOUNT_KEYS and whole:
        return Cases((*_accounts(symbol, context), *others), any_, plain)
    if use.text.startswith("arn:") and _in_account_field(number, use.text):
        return Cases((*_accounts(symbol, context), *others), any_, plain)
    if use.text.startswith("arn:") and _in_partition_field(number, use.text):
        return Cases((Case(context.partition),))
    if whole and use.key in ARN_KEYS:
        arns = tuple(
            Case(f"arn:{context.partition}:iam::{case.value}:role/{name}", f"of {case.label}")
            for case in _accounts(symbol, context)
        )
        return Cases((*arns, *others), any_, plain)
    tenant = _tenant(number, symbol, use)
    if tenant is not None:
        return Cases((Case(tenant), *others), (*any_, Case(name), Case("x")), "names one tenant")
    if use.key.startswith("aws:sourcevpc") and whole:
        return Cases((Case("vpc-0123456789abcdef0"), *others), any_, plain)
    if not (use.key in ARN_KEYS or use.key.startswith(_FREE) or is_claim(use.key)):
        return None  # no value represents all values of a key that does not allow any text
    return Cases((Case(name), *others), any_, plain)


def _typed(operator: str, use: SymbolUse, whole: bool) -> Cases | None:
    """Cases for an operator that does not compare texts; None for one that does."""
    if operator in ("bool", "null"):
        return Cases(_BOOLEAN)
    if operator.startswith("date"):
        return Cases(_EPOCHS if "epoch" in use.key else _DATES)
    if operator.startswith("numeric"):
        return Cases((Case("3600"), Case("0", "0")))
    if "ipaddress" in operator:
        own, wide = ("192.0.2.0/24", "0.0.0.0/0") if whole else ("32", "0")
        return Cases((Case(own),), (Case(wide),), "is not the whole internet")
    return None


def _equals(number: int, use: SymbolUse, context: DocumentContext) -> list[str] | None:
    """The values for the symbol with which its text equals another value of the same key; None where that is too
    complex."""
    others = context.literals.get(use.key, ()) if context.denies or use.paired else ()  # else each Allow stands alone
    if use.key == "aws:principalarn":
        arns = (arn for arn in context.arns if mark(number) not in arn and not arn.endswith(":root"))
        others = (*others, *arns)
    if _whole(number, use):
        return list(others)
    if not others:
        return []
    marks = MARK.findall(use.text)
    if len(marks) > 3 or any(len(item) > 200 for item in (*others, use.text)):
        return None
    pieces = iter(MARK.split(use.text)[1::2])
    shape = "".join(
        f"({'?P<it>' if int(next(pieces)) == number and marks.count(str(number)) == 1 else ''}.*?)"
        if odd
        else re.escape(part)
        for odd, part in ((index % 2, part) for index, part in enumerate(MARK.split(use.text)))
    )
    result = [re.fullmatch(shape, item) for item in others]
    return [match["it"] for match in result if match is not None and "it" in match.groupdict()]


_FREE = (
    "sts:rolesessionname",
    "sts:sourceidentity",
    "aws:sourceidentity",
    "aws:principaltag/",
    "aws:requesttag/",
    "aws:resourcetag/",
    "aws:tagkeys",
    "aws:requestedregion",
    "saml:",
)
"""Prefixes of the keys whose value may be any text."""
_Finder = Callable[[int, Symbol, SymbolUse, DocumentContext], Cases | None]
_FINDERS: dict[str, _Finder] = {
    "AWS": _principal,
    "Federated": _provider,
    "Service": _service,
    "value": _value,
    "key": _key,
}
