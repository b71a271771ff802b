"""The callers with which a trust policy is tested: named ones, ones with similar names, and one of every other kind.

A role session is `arn:P:sts::A:assumed-role/NAME/SESSION`, and aws:PrincipalArn in its requests is the role's own ARN,
path included (reference_policies_condition-keys).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from valetkey.errors import PolicyError
from valetkey.policy.arns import is_account, parse_arn
from valetkey.trust.terms import Terms, is_unique_id

Kind = Literal["user", "role", "root", "federated-user", "service", "federated", "anonymous"]

OTHER_ACCOUNTS = ("999988887777", "888877776666", "777766665555")
_SUFFIX = "0123456789abcdef"


@dataclass(frozen=True)
class Caller:
    """A caller of STS. `principal` signs the call, `arn` is its aws:PrincipalArn ("" for none)."""

    words: str
    kind: Kind
    principal: str
    account: str = ""
    partition: str = ""
    arn: str = ""
    username: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Condition keys that AWS sets for the caller and that cannot be derived from `principal`."""


def callers(terms: Terms, *, role_arn: str) -> list[Caller]:
    """All callers, named ones first, without duplicates of principal and aws:PrincipalArn."""
    owner = parse_arn(role_arn)
    result: dict[tuple[str, str], Caller] = {}
    for caller in (*_named(terms), *_of_the_account(terms), *_others(terms, owner.account, role_arn)):
        result.setdefault((caller.principal, caller.arn), caller)
    return list(result.values())


def from_arn(arn: str, words: str) -> Caller | None:
    """The caller for an ARN (for a role: one of its sessions), or None if it is not the ARN of a principal."""
    try:
        parsed = parse_arn(arn)
    except PolicyError:
        return None
    if not is_account(parsed.account) or any(sign in parsed.resource for sign in "*?"):
        return None
    partition, account, kind = parsed.partition, parsed.account, parsed.kind
    match parsed.service, kind, parsed.resource.count("/"):
        case "iam", "root", 0:
            return Caller(words, "root", arn, account, partition, arn)
        case "iam", "user", slashes if slashes and parsed.name:
            return Caller(words, "user", arn, account, partition, arn, parsed.name, {"aws:userid": "AIDAVALETKEYTRIAL"})
        case "iam", "role", slashes if slashes and parsed.name:
            session = f"arn:{partition}:sts::{account}:assumed-role/{parsed.name}/session"
            return Caller(words, "role", session, account, partition, arn, None, _of_a_session(arn))
        case "sts", "assumed-role", 2:
            role = f"arn:{partition}:iam::{account}:role/{parsed.resource.split('/')[1]}"
            return Caller(words, "role", arn, account, partition, role, None, _of_a_session(role))
        case "sts", "federated-user", 1:
            return Caller(words, "federated-user", arn, account, partition, arn)
    return None


def _of_a_session(role: str) -> dict[str, str]:
    # The session's ARN does not contain the role's path.
    return {"aws:PrincipalArn": role, "aws:userid": "AROAVALETKEYTRIAL:session"}


def service(name: str) -> Caller:
    return Caller(f"the service {name}", "service", name)


def federated(provider: str) -> Caller:
    return Caller(f"somebody signed in through {provider}", "federated", provider)


ANONYMOUS = Caller("anybody, unsigned", "anonymous", "anonymous")


def in_account(account: str, partition: str, words: str, *, user: str = "somebody") -> Iterator[Caller]:
    """One caller of each kind in an account."""
    iam, sts = f"arn:{partition}:iam::{account}", f"arn:{partition}:sts::{account}"
    yield from _each(
        (
            (f"{iam}:user/{user}", f"a user {words}"),
            (f"{iam}:role/{user}", f"a role session {words}"),
            (f"{iam}:root", f"the root user {words}"),
            (f"{sts}:federated-user/{user}", f"a federated user {words}"),
        )
    )


def _each(pairs: Iterable[tuple[str, str]]) -> Iterator[Caller]:
    for arn, words in pairs:
        caller = from_arn(arn, words)
        if caller is not None:
            yield caller


def _named(terms: Terms) -> Iterator[Caller]:
    """All callers that the terms name; then callers similar to the first few of them."""
    names = [name for name in terms.only + terms.pin if not is_unique_id(name)]
    for name in names:
        yield from _each([(_concrete(name), f"the named {name.split(':', 5)[5]}")])
    pinned = {_last(name) for name in terms.pin if ":role/" in name}
    for name in names[:3]:
        # A role's name is unique in its account regardless of its path, and its sessions' ARN contains only the name.
        arns = [arn for arn in _like(_concrete(name)) if ":role/" not in arn or _last(arn) not in pinned]
        yield from _each((arn, f"somebody like {name.split(':', 5)[5]}") for arn in arns)


def _last(arn: str) -> str:
    return arn.rsplit("/", 1)[1]


def _concrete(name: str) -> str:
    return f"{name[:-1]}{_SUFFIX}" if name.endswith("*") else name


def _like(arn: str) -> list[str]:
    """ARNs that an incorrect comparison would confuse with this one."""
    head, resource = arn.split("/", 1)
    prefix, kind = head.rsplit(":", 1)
    *path, name = resource.split("/")
    other_kind = "role" if kind == "user" else "user"
    plain = "/".join([*path, ""])
    parts = prefix.split(":")
    elsewhere = [
        ":".join([*parts[:4], account]) + f":{kind}/{resource}" for account in (OTHER_ACCOUNTS[0], _neighbour(parts[4]))
    ]
    return [
        f"{prefix}:{kind}/{plain}{name}x",
        f"{prefix}:{kind}/{plain}x{name}",
        f"{prefix}:{kind}/{plain}{name[:-1] or 'x'}",
        f"{prefix}:{kind}/{plain}{name[:-1]}{'x' if name[-1:] != 'x' else 'y'}",
        f"{prefix}:{kind}/{plain}{name.swapcase() if name.swapcase() != name else name + '_'}",
        f"{prefix}:{kind}/other/{plain}{name}",
        f"{prefix}:{kind}/{plain}{name}/{name}",
        f"{prefix}:{kind}/{name}" if path else f"{prefix}:{kind}/team/{name}",
        f"{prefix}:{other_kind}/{plain}{name}",
        *elsewhere,
    ]


def _neighbour(account: str) -> str:
    return f"{(int(account) + 1) % 10**12:012d}" if is_account(account) else OTHER_ACCOUNTS[1]


def _of_the_account(terms: Terms) -> Iterator[Caller]:
    yield from in_account(terms.contractor, terms.partition, "of the contractor", user="Zz-not-named")


def _others(terms: Terms, owner: str, role_arn: str) -> Iterator[Caller]:
    contractor, partition = terms.contractor, terms.partition
    free = next(item for item in OTHER_ACCOUNTS if item not in (contractor, owner))
    yield from in_account(free, partition, "of another account")
    yield from _each(
        (
            (
                f"arn:{partition}:iam::{free}:user/{contractor}",
                "a user of another account named after the contractor's",
            ),
            (
                f"arn:{partition}:iam::{free}:role/{contractor}",
                "a role of another account named after the contractor's",
            ),
            (f"arn:{partition}:iam::{_neighbour(contractor)}:root", "the root user of the next account number"),
        )
    )
    for elsewhere in ("aws", "aws-cn", "aws-us-gov"):
        if elsewhere != partition:
            yield from in_account(contractor, elsewhere, f"of the contractor's number in the partition {elsewhere}")
    yield from in_account(owner, partition, "of the owner")
    yield from _each([(role_arn, "a session of the granted role itself")])
    for account, words in ((owner, "owner"), (contractor, "contractor")):
        for provider in ("saml-provider/corp", "oidc-provider/token.actions.githubusercontent.com"):
            yield Caller(
                f"somebody signed in through {provider} of the {words}",
                "federated",
                f"arn:{partition}:iam::{account}:{provider}",
            )
    yield federated("accounts.google.com")
    for name in ("ec2.amazonaws.com", "lambda.amazonaws.com", "cloudformation.amazonaws.com"):
        yield service(name)
    yield ANONYMOUS
