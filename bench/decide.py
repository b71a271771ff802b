"""Decisions per second on one core, on the typical trust policy of this project: an account, an ExternalId and MFA.

The peer is iam-simulate's public `runSimulation`, measured in the same run in its own process and loop, on the same
policy and request. Both count their CPU time, so that a busy machine is fair to both. The peer parses its policies at
every call, because its public interface has no other way; valetkey is measured that way too. Goals: over 100,000
decisions per second, and at least 10 times the peer.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

from tests.differential.oracle import Oracle, OracleError

from valetkey.policy import Request, decide, parse_policy

OWNER, CONTRACTOR = "111122223333", "444455556666"
EXTERNAL_ID = "7cc5b1a0e5f04c1d9d2b8f6a3e9c4d17"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{CONTRACTOR}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"sts:ExternalId": EXTERNAL_ID},
                "Bool": {"aws:MultiFactorAuthPresent": "true"},
            },
        }
    ],
}
IDENTITY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": f"arn:aws:iam::{OWNER}:role/guest"}],
}
COUNT = 20_000
ROUNDS = 5


def _words(number: int) -> dict[str, Any]:
    """Request `number`. Each has a different caller, a quarter of them the wrong ExternalId, a quarter no MFA."""
    return {
        "principal": f"arn:aws:iam::{CONTRACTOR}:user/person{number}",
        "action": "sts:AssumeRole",
        "resource": f"arn:aws:iam::{OWNER}:role/guest",
        "resource_account": OWNER,
        "context": {
            "sts:ExternalId": EXTERNAL_ID if number % 4 != 1 else f"wrong{number}",
            "aws:MultiFactorAuthPresent": "true" if number % 4 != 2 else "false",
            "aws:SourceIp": f"203.0.113.{number % 250}",
        },
    }


def _best(work: Callable[[], int]) -> float:
    """Return the best rate of a few rounds, per second of this process's CPU time."""
    rates = []
    for _ in range(ROUNDS):
        gc.collect()
        began = time.process_time()
        done = work()
        rates.append(done / (time.process_time() - began))
    return max(rates)


def run() -> None:
    """Print the rates of `decide` and the ratio to the peer."""
    trust, identity = parse_policy(TRUST, kind="trust"), [parse_policy(IDENTITY, kind="identity")]
    words = [_words(number) for number in range(COUNT)]

    def only_trust() -> int:
        return sum(1 for request in requests if decide(request, trust=trust) is not None)

    def both_sides() -> int:
        return sum(1 for request in requests if decide(request, trust=trust, identity=identity) is not None)

    def from_words() -> int:
        return sum(1 for one in words if decide(Request(**one), trust=trust, identity=identity) is not None)

    def from_text() -> int:
        done = 0
        for one in words[:2000]:
            policy, own = parse_policy(TRUST, kind="trust"), parse_policy(IDENTITY, kind="identity")
            done += decide(Request(**one), trust=policy, identity=[own]) is not None
        return done

    requests = [Request(**one) for one in words]
    allowed = sum(decide(request, trust=trust, identity=identity).allowed for request in requests)
    assert allowed == COUNT // 2, f"{allowed} of {COUNT} requests were allowed, not half: the bench measures nonsense"
    alone, both, whole, all_ = _best(only_trust), _best(both_sides), _best(from_words), _best(from_text)
    print(f"decide, trust policy alone         {alone:>9,.0f}/s   (goal: over 100,000/s)")
    print(f"decide, trust and identity policy  {both:>9,.0f}/s")
    print(f"... making the Request too         {whole:>9,.0f}/s")
    print(f"... and reading both policies too  {all_:>9,.0f}/s")
    try:
        with Oracle() as oracle:
            verdict, peer = oracle.rate({"request": words[0], "trust": TRUST, "identity": [IDENTITY]}, seconds=3)
    except OracleError as reason:
        print(f"iam-simulate runSimulation         skipped: {reason}")
        return
    assert verdict == "allowed", f"the peer answered {verdict}"
    print(f"iam-simulate {oracle.version} runSimulation  {peer:>6,.0f}/s   (trust and identity policy)")
    ratio = f"{both / peer:.0f} x (goal: 10); with the Request {whole / peer:.0f} x, with reading {all_ / peer:.1f} x"
    print(f"ratio, trust and identity policy   {ratio}")
