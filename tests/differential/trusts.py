"""The campaign for undocumented behavior: random trust policies with parts that AWS does not document, by brute force.

`python -m tests.differential.trusts --trusts 20000` needs no referee. Exit code 1 if any answer is unsafe.

Each trust policy is tested with `audit`, `who` and `prove`. Each request of a space built from its values is evaluated
by a simple evaluator (`brute`), once for every guess of AWS's undocumented behavior. For every guess:

- every allowed request is in a region of `who`, and every witness is allowed;
- `prove` holds only if the policy is within the reference; a counterexample is allowed, and not within the reference;
- `internal`: no outsider gets in; `unreachable`: nobody gets in; `guarded`: no outsider gets in with neither ExternalId
  nor MFA; `guarded` and `unguarded`: the listed outsiders get in.

An `unknown` answer is never unsafe; their number is reported.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from valetkey.audit import Scope
from valetkey.audit.trusts import judge
from valetkey.errors import PolicyError
from valetkey.policy import Policy, Request, parse_policy
from valetkey.policy.origin import Origin
from valetkey.prover import Counterexample, Limits, Proof, Unknown, prove, who

from .brute import GUESSES, allowed, keys_of
from .regions import inside

Document = dict[str, Any]
OWN, A, B = "111111111111", "222222222222", "333333333333"
ROLE = f"arn:aws:iam::{OWN}:role/audited"
NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
TIMES = ("2026-03-01T10:00:00Z", "2028-01-01T00:00:00Z", "2035-01-01T00:00:00Z")
REQUESTS = 80
LIMITS = Limits(seconds=10)
SHOWN = 10

EXT, MFA, AGE, IP = "sts:ExternalId", "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge", "aws:SourceIp"
ACCOUNT, ARN, TEAM, SITE = "aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalTag/team", "aws:RequestTag/site"
TAGS, TIME, USER = "aws:TagKeys", "aws:CurrentTime", "aws:username"

PLAIN: tuple[tuple[str, str, Any], ...] = (
    ("StringEquals", EXT, "Example-7f3c9d21"),
    ("StringEquals", EXT, ["Example-7f3c9d21", "other-id"]),
    ("StringNotEquals", EXT, "Example-7f3c9d21"),
    ("StringEqualsIfExists", EXT, "Example-7f3c9d21"),
    ("StringLike", EXT, "Example-*"),
    ("StringEqualsIgnoreCase", EXT, "Kiss-id"),
    ("Null", EXT, "false"),
    ("Bool", MFA, "true"),
    ("Bool", MFA, "false"),
    ("BoolIfExists", MFA, "false"),
    ("BoolIfExists", MFA, "true"),
    ("NumericLessThan", AGE, "3600"),
    ("IpAddress", IP, "192.0.2.0/24"),
    ("NotIpAddress", IP, ["192.0.2.0/24"]),
    ("DateLessThan", TIME, TIMES[1]),
    ("DateGreaterThan", TIME, TIMES[1]),
    ("StringEquals", ACCOUNT, A),
    ("StringNotEquals", ACCOUNT, [OWN, A]),
    ("ArnLike", ARN, f"arn:aws:iam::{A}:user/*"),
    ("ArnNotLike", ARN, "arn:aws:iam::*:role/*"),
    ("StringLike", ARN, f"*{A}*"),
    ("StringEquals", TEAM, "sales"),
    ("StringNotLike", TEAM, "s*"),
    ("StringEquals", SITE, "${aws:PrincipalTag/team}"),
    ("StringEquals", SITE, "${aws:PrincipalTag/team, ''}"),
    ("StringNotEquals", TEAM, "${aws:username, 'nobody'}"),
    ("StringEqualsIgnoreCase", TEAM, "ab"),
    ("ForAllValues:StringEquals", TAGS, ["team"]),
    ("ForAnyValue:StringEquals", TAGS, ["team"]),
    ("Null", EXT, "true"),
    ("ForAllValues:StringEquals", EXT, "Example-7f3c9d21"),
    ("DateLessThan", TIME, TIMES[0]),
    # Not decided by the prover: a variable inside a text.
    ("StringEquals", EXT, "Example-${aws:username}"),
    ("StringNotEquals", EXT, "Example-${aws:username}"),
    ("StringEqualsIfExists", EXT, ["other-id", "Example-${aws:username}"]),
    ("StringLike", TEAM, "${aws:username}*"),
    ("StringNotLike", TEAM, "s${aws:username}"),
    ("StringEqualsIgnoreCase", TEAM, "${aws:username}"),
    ("StringNotEqualsIgnoreCase", TEAM, "${aws:username}"),
    ("ArnLike", ARN, f"arn:aws:iam::{A}:user/${{aws:username}}"),
    ("ArnNotLike", ARN, "arn:aws:iam::*:user/${aws:PrincipalTag/team}"),
    ("ForAllValues:StringLike", TAGS, "${aws:username}*"),
)
SILENT: dict[str, tuple[tuple[str, str, Any], ...]] = {
    "no-values": (
        ("StringEquals", ACCOUNT, []),
        ("StringNotEquals", ACCOUNT, []),
        ("StringNotEquals", EXT, []),
        ("ForAllValues:StringEquals", EXT, []),
        ("ForAnyValue:StringNotLike", TAGS, []),
        ("BoolIfExists", MFA, []),
        ("Null", EXT, []),
        ("NotIpAddress", IP, []),
    ),
    "typed-variable": (
        ("Bool", MFA, "${aws:x}"),
        ("Bool", MFA, ["true", "${aws:PrincipalTag/mfa}"]),
        ("NumericLessThan", AGE, "${aws:PrincipalTag/age}"),
        ("NumericNotEquals", AGE, "${aws:PrincipalTag/age}"),
        ("DateLessThan", TIME, "${aws:PrincipalTag/end}"),
        ("IpAddress", IP, "${aws:PrincipalTag/ip}"),
        ("NotIpAddress", IP, ["192.0.2.0/24", "${aws:PrincipalTag/ip}"]),
    ),
    "broken-variable": (
        ("StringNotEquals", TEAM, "${aws:username"),
        ("StringLike", EXT, "${}*"),
        ("ArnNotLike", ARN, "arn:aws:iam::${*:user/*"),
    ),
    "short-arn": (
        ("ArnLike", ARN, "*"),
        ("ArnNotLike", ARN, "*"),
        ("ArnLike", ARN, f"arn:aws:iam::{A}"),
        ("ArnNotLike", ARN, f"arn:aws:iam::{A}*"),
        ("ArnNotEquals", ARN, [f"arn:aws:iam::{A}:user/bob", f"{A}"]),
    ),
    "unreadable-value": (
        ("NumericNotEquals", TEAM, "5"),
        ("NotIpAddress", TEAM, "192.0.2.0/24"),
        ("DateNotEquals", TEAM, TIMES[1]),
        ("ArnNotLike", TEAM, "arn:aws:iam::*:user/*"),
        ("ForAnyValue:NumericNotEquals", TAGS, "5"),
    ),
    "any-if-exists": (
        ("ForAnyValue:StringNotEqualsIfExists", EXT, "Example-7f3c9d21"),
        ("ForAnyValue:StringEqualsIfExists", EXT, "Example-7f3c9d21"),
        ("ForAnyValue:BoolIfExists", MFA, "true"),
    ),
    "several-values": (
        ("StringEquals", TAGS, "team"),
        ("StringNotEquals", TAGS, "team"),
        ("StringLikeIfExists", TAGS, "t*"),
    ),
    "several-in-variable": (
        ("StringEquals", TEAM, "${aws:TagKeys}"),
        ("StringNotEquals", TEAM, "${aws:TagKeys}"),
    ),
    "other-letters": (
        ("StringEqualsIgnoreCase", TEAM, "kiss"),
        ("StringNotEqualsIgnoreCase", TEAM, "KISS"),
        ("StringEqualsIgnoreCase", TEAM, "\u00e4rzte"),
        ("StringEqualsIgnoreCase", EXT, "\u212aiss-id"),
        ("StringNotEqualsIgnoreCase", SITE, "${aws:PrincipalTag/team}"),
    ),
}
"""Tests that AWS does not document for at least some request, by form (`valetkey.policy.undocumented`)."""
PRINCIPALS: tuple[Any, ...] = (
    "*",
    {"AWS": "*"},
    {"AWS": A},
    {"AWS": f"arn:aws:iam::{A}:root"},
    {"AWS": [OWN, A]},
    {"AWS": OWN},
    {"AWS": f"arn:aws:iam::{A}:user/bob"},
    {"AWS": [f"arn:aws:iam::{A}:role/worker", B]},
)
CALLERS = (
    f"arn:aws:iam::{A}:user/bob",
    f"arn:aws:iam::{A}:user/team/kiss",
    f"arn:aws:sts::{A}:assumed-role/worker/one",
    f"arn:aws:iam::{B}:user/bob",
    f"arn:aws:iam::444444444444:user/{A}",
    f"arn:aws:iam::{OWN}:user/bob",
)


def trust(rng: random.Random, *, form: str = "") -> Document:
    """A random trust policy with one to three statements; it contains `form`, if given."""
    statements = [_statement(rng) for _ in range(rng.choice((1, 2, 2, 3)))]
    if statements[0]["Effect"] == "Deny":
        statements[0]["Effect"] = "Allow"
    forms = [form or rng.choice((*SILENT, "empty-not"))] if form or rng.random() < 0.85 else []
    for item in forms:
        statement = rng.choice(statements)
        if item == "empty-not":
            del statement["Action"]
            statement["NotAction"] = []
        else:
            _put(statement, rng.choice(SILENT[item]))
    return {"Version": "2012-10-17", "Statement": statements}


def _statement(rng: random.Random) -> Document:
    made: Document = {
        "Effect": rng.choice(("Allow", "Allow", "Deny")),
        "Principal": rng.choice(PRINCIPALS),
        "Action": rng.choice(("sts:AssumeRole", "sts:*", ["sts:AssumeRole", "sts:TagSession"])),
    }
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        _put(made, rng.choice(PLAIN))
    return made


def _put(statement: Document, condition: tuple[str, str, Any]) -> None:
    operator, key, values = condition
    statement.setdefault("Condition", {}).setdefault(operator, {})[key] = values


def requests(rng: random.Random, document: Document, count: int = REQUESTS) -> Iterator[tuple[str, dict[str, Any]]]:
    """Possible callers and contexts: values in the trust policy, similar values, and absent keys."""
    asked: dict[str, list[str]] = {}
    for statement in document["Statement"]:
        for block in statement.get("Condition", {}).values():
            for key, values in block.items():
                asked.setdefault(key, []).extend(values if isinstance(values, list) else [values])
    for _ in range(count):
        caller = rng.choice(CALLERS)
        context: dict[str, Any] = {TIME: rng.choice(TIMES)}
        for key, pool in _POOLS.items():
            named = [value for value in asked.get(key, ()) if key not in (IP, MFA, AGE) and _sendable(key, value)]
            if key not in asked and key not in _COMPARED:
                continue
            if rng.random() < 0.7:
                context[key] = rng.choice((*pool, *named))
        if TAGS in context and rng.random() < 0.5:
            context[TAGS] = rng.sample(("team", "other", "5"), 2)
        if context.get(MFA) == "true":
            context[AGE] = rng.choice(("60", "7200"))
        else:
            context.pop(AGE, None)
        yield caller, context


_COMPARED = (TEAM, SITE, TAGS)
_POOLS: dict[str, tuple[str, ...]] = {
    EXT: ("Example-7f3c9d21", "Example-bob", "other-id", "kiss-id", "KISS-ID", "something-else"),
    MFA: ("true", "false"),
    AGE: ("60",),
    IP: ("192.0.2.7", "198.51.100.1", "2001:db8::1"),
    TEAM: (
        "sales",
        "kiss",
        "KISS",
        "\u212aiss",
        "ki\u017fs",
        "ki\u00df",
        "\u00c4RZTE",
        "\u00e4rzte",
        "ab",
        "AB",
        "",
        "5",
        "192.0.2.9",
        "bob",
        f"arn:aws:iam::{A}:user/bob",
        TIMES[1],
    ),
    SITE: ("sales", "", "kiss", "\u212aiss", "ab"),
    TAGS: ("team", "other", "5", ""),
}


def _sendable(key: str, value: str) -> bool:
    return key != EXT or (len(value) > 1 and value.isascii() and not set(value) & set("*${}"))


REFERENCES: tuple[Document, ...] = (
    {"Version": "2012-10-17", "Statement": []},
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": A},
                "Action": "sts:*",
                "Condition": {"StringEquals": {EXT: "Example-7f3c9d21"}, "Bool": {MFA: "true"}},
            }
        ],
    },
)


def unsafe(rng: random.Random, document: Document, counted: collections.Counter[str] | None = None) -> str | None:
    """The fault of an answer for this trust policy, or None."""
    counted = collections.Counter() if counted is None else counted
    policy = parse_policy(document, kind="trust")
    asked = [(caller, context, "sts:AssumeRole") for caller, context in requests(rng, document)]
    result = _by_who(policy, document, asked, counted) or _by_audit(document, asked, counted)
    for reference in (*REFERENCES, trust(rng)):
        result = result or _by_prove(policy, document, reference, asked, counted)
    return result


Asked = list[tuple[str, dict[str, Any], str]]


def _lets_in(document: Document, request: Request) -> set[bool]:
    """The results for a request under all guesses."""
    keys = {name: list(value) if isinstance(value, tuple) else value for name, value in request.keys.items()}
    action = request.actions[0]
    return {allowed(document, request.principal, action, keys, guess) for guess in GUESSES.values()}


def _most(document: Document, asked: Asked) -> Iterator[Request]:
    """The requests that some guess allows."""
    for caller, context, action in asked:
        if allowed(document, caller, action, context, GUESSES["lets in most"]):
            yield Request(caller, action, ROLE, OWN, keys_of(caller, context))


def _by_who(policy: Policy, document: Document, asked: Asked, counted: collections.Counter[str]) -> str | None:
    result = who(policy, origin=Origin.SENT, resource=ROLE, now=NOW, limits=LIMITS)
    counted[f"who {'unknown' if isinstance(result, Unknown) else 'decided'}"] += 1
    if isinstance(result, Unknown):
        return None
    for region in result.regions:
        if _brute(region.witness) and _lets_in(document, region.witness) != {True}:
            return f"who: a witness does not get in by every guess: {region.witness}"
    for request in _most(document, asked):
        if not any(inside(region, request) for region in result.regions):
            return f"who: a guess lets somebody in who is in no region: {request}"
    return None


def _brute(request: Request) -> bool:
    """Whether `brute` can evaluate it: it supports users and sessions."""
    return request.caller.kind in ("user", "session")


def _by_audit(document: Document, asked: Asked, counted: collections.Counter[str]) -> str | None:
    verdict = judge(json.dumps(document), origin=Origin.SENT, account=OWN, partition="aws", scope=Scope(), now=NOW)
    counted[f"audit {verdict.exposure}"] += 1
    if verdict.exposure == "unknown":
        return None
    for outsider in verdict.found.outsiders:
        for way in outsider.ways:
            if _brute(way.witness) and _lets_in(document, way.witness) != {True}:
                return f"audit: a witness does not get in by every guess: {way.witness}"
    for request in _most(document, asked):
        outside = request.caller.account != OWN
        bare = EXT.lower() not in request.keys and request.keys.get(MFA.lower()) != "true"
        if verdict.exposure == "unreachable" or (outside and verdict.exposure == "internal"):
            return f"audit: {verdict.exposure}, and a guess lets in {request}"
        if outside and bare and verdict.exposure == "guarded":
            return f"audit: guarded, and a guess lets in {request}"
    return None


def _by_prove(
    policy: Policy, document: Document, reference: Document, asked: Asked, counted: collections.Counter[str]
) -> str | None:
    within = parse_policy(reference, kind="trust")
    result = prove(policy, within=within, resource=ROLE, now=NOW, limits=LIMITS)
    counted[f"prove {type(result).__name__.lower()}"] += 1
    if isinstance(result, Counterexample):
        sure = not _brute(result.request) or (
            _lets_in(document, result.request) == {True} and _lets_in(reference, result.request) == {False}
        )
        return None if sure else f"prove: not a counterexample by every guess: {result.request}"
    if isinstance(result, Proof):
        for request in _most(document, asked):
            if False in _lets_in(reference, request):
                return f"prove: it holds, and a guess lets in {request}"
            if result.witness is None:
                return f"prove: nobody gets in, and a guess lets in {request}"
    return None


@dataclass
class Result:
    """The result of a campaign."""

    trusts: int = 0
    seconds: float = 0.0
    counted: collections.Counter[str] = field(default_factory=collections.Counter)
    wrong: list[tuple[int, Document, str]] = field(default_factory=list)


def run(seed: str, first: int, count: int) -> Result:
    """Test the trust policies `first` to `first + count` of a seed."""
    result, begun = Result(trusts=count), time.perf_counter()
    for number in range(first, first + count):
        rng = random.Random(f"trust:{seed}:{number}")
        document = trust(rng)
        try:
            told = unsafe(rng, document, result.counted)
        except PolicyError:
            raise
        except Exception as crash:  # a crash is a finding like any other
            told = f"{type(crash).__name__}: {crash}"
        if told:
            result.wrong.append((number, document, told))
    result.seconds = time.perf_counter() - begun
    return result


def _part(words: tuple[str, int, int]) -> Result:
    return run(*words)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trusts", type=int, default=20_000)
    parser.add_argument("--seed", default="campaign")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    whole, size = Result(), 250
    parts = [(given.seed, first, min(size, given.trusts - first)) for first in range(0, given.trusts, size)]
    begun = time.perf_counter()
    with ProcessPoolExecutor(given.jobs) as pool:
        for part in pool.map(_part, parts):
            whole.trusts += part.trusts
            whole.counted += part.counted
            whole.wrong += part.wrong
    whole.seconds = time.perf_counter() - begun
    print(report(whole))
    return 1 if whole.wrong else 0


def report(result: Result) -> str:
    """The result as text."""
    lines = [f"{result.trusts:,} trusts by brute force: {result.seconds:.1f} s, {len(result.wrong)} unsafe"]
    lines += [f"  {name:<24} {count:>8,}" for name, count in sorted(result.counted.items())]
    for number, document, told in result.wrong[:SHOWN]:
        lines += [f"  trust {number}: {told}", f"    {json.dumps(document)}"]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
