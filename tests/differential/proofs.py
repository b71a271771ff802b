"""The campaign for proofs: random pairs of policies, tested with the prover and with everything that could refute it.

`python -m tests.differential.proofs --pairs 20000` needs no referee. Exit code 1 if there is any fault.

- A counterexample must be confirmed by `decide`, and must be a possible request.
- No random request close to both documents may refute "holds".
- cvc5 (`tests.referee`) must agree, unless one of the two says unknown.
- p is within p. One more Allow in the reference, or one more Deny in the policy, keeps a proof. The order of statements
  and values, and the ids of accounts, do not matter.
- `who`: every region's witness is allowed, and every allowed random request is in a region.
"""

from __future__ import annotations

import argparse
import collections
import copy
import json
import os
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.referee import Answer, solve

from valetkey.errors import PolicyError
from valetkey.policy import Policy, Request, decide, parse_policy
from valetkey.prover import Counterexample, Limits, Proof, Unknown, prove
from valetkey.prover.effective_boxes import sides
from valetkey.prover.proof import Question, by_boxes

from .cases import Document
from .pairs import ROLE, Pair, pair, requests
from .regions import astray
from .shrink import smaller_document
from .wellformed import possible

REQUESTS = 40
"""Random requests that try to refute one proof."""
SECONDS = 5.0
"""The time limit for one question to either prover."""
SHOWN = 10
Check = Callable[[random.Random, Pair], str | None]
"""Returns None without a fault, "unknown", or a description of the fault."""


def read(made: Pair, name: str) -> Policy:
    return parse_policy(made[name], kind=made["kind"])


def resource_of(made: Pair) -> str | None:
    """The role for a trust policy; None (any resource) for the others."""
    return ROLE if made["kind"] == "trust" else None


def asked(policy: Policy, within: Policy, made: Pair) -> Proof | Counterexample | Unknown:
    limits = Limits(seconds=SECONDS)
    return prove(policy, within=within, resource=resource_of(made), owner=_OWNER, limits=limits)


_OWNER = ROLE.split(":")[4]


def by_prover(rng: random.Random, made: Pair) -> str | None:
    """Check the prover's answer for a pair with the evaluator."""
    policy, within = read(made, "policy"), read(made, "within")
    result = asked(policy, within, made)
    if isinstance(result, Unknown):
        return "unknown"
    if isinstance(result, Counterexample):
        return _replays(result.request, policy, within)
    if result.witness is not None and not _decides(result.witness, policy):
        return f"the witness is not let in: {result.witness}"
    for request in possible_requests(rng, made, REQUESTS):
        if _decides(request, policy):
            if not _decides(request, within):
                return f"it does not hold: {request}"
            if result.witness is None and _enters(request, policy):
                return f"somebody is let in, and the prover says nobody: {request}"
    return None


def _enters(request: Request, policy: Policy) -> bool:
    """Whether an allowed request shows that a caller gets in: not for additional actions, nor for a deleted caller."""
    shown = {entry for s in policy.statements if s.principals for entry in s.principals.aws}
    deleted = str(request.keys.get("aws:userid", "")).split(":")[0] in shown
    return not deleted and request.actions[0] not in ("sts:tagsession", "sts:setsourceidentity", "sts:setcontext")


def _replays(request: Request, policy: Policy, within: Policy) -> str | None:
    if not _decides(request, policy) or _decides(request, within):
        return f"the counterexample does not replay: {request}"
    return None


def possible_requests(rng: random.Random, made: Pair, count: int) -> Iterator[Request]:
    tests = [c for name in ("policy", "within") for s in read(made, name).statements for c in s.conditions]
    for words in requests(rng, made, count):
        try:
            request = possible(words, tests, own=made["kind"] == "identity")
        except PolicyError:
            continue
        if request is not None:
            yield request


def _decides(request: Request, policy: Policy) -> bool:
    return decide(request, **{policy.kind: policy}).allowed  # type: ignore[arg-type]


def by_cvc5(rng: random.Random, made: Pair) -> str | None:
    """Both provers must agree."""
    policy, within = read(made, "policy"), read(made, "within")
    mine = by_boxes(Question(sides(policy), sides(within), resource_of(made), _OWNER, limits=Limits(seconds=SECONDS)))
    theirs = solve(policy, within, resource=resource_of(made), owner=_OWNER, seconds=SECONDS)
    if isinstance(mine, Unknown) or theirs.verdict == "unknown":
        return "unknown"
    if isinstance(mine, Counterexample) is not (theirs.verdict == "violated"):
        result = f"violated: {mine.request}" if isinstance(mine, Counterexample) else "holds"
        return f"cvc5 says {_told(theirs)}, the prover {result}"
    return None


def _told(answer: Answer) -> str:
    return f"violated: {answer.request}" if answer.request else answer.verdict


def within_itself(rng: random.Random, made: Pair) -> str | None:
    policy = read(made, "policy")
    return _must_hold(asked(policy, policy, made), "a policy is not within itself")


def with_another_allow(rng: random.Random, made: Pair) -> str | None:
    more = _with(made, "policy", rng.choice(_statements(made["within"])), "Allow")
    if more is None:
        return None
    return _must_hold(asked(read(made, "policy"), read(more, "policy"), made), "another Allow takes away")


def with_another_deny(rng: random.Random, made: Pair) -> str | None:
    more = _with(made, "policy", rng.choice(_statements(made["within"])), "Deny")
    if more is None:
        return None
    return _must_hold(asked(read(more, "policy"), read(made, "policy"), made), "another Deny gives")


def _with(made: Pair, name: str, statement: dict[str, Any], effect: str) -> Pair | None:
    if "NotPrincipal" in statement and effect == "Allow":
        return None
    extra = copy.deepcopy(statement) | {"Effect": effect}
    extra.pop("Sid", None)
    more = copy.deepcopy(made)
    if more[name].get("Version") != more["within"].get("Version"):
        return None
    more[name]["Statement"] = [*_statements(more[name]), extra]
    return more


def _statements(document: Document) -> list[dict[str, Any]]:
    result = document["Statement"]
    return result if isinstance(result, list) else [result]


def _must_hold(result: Proof | Counterexample | Unknown, what: str) -> str | None:
    if isinstance(result, Unknown):
        return "unknown"
    return f"{what}: {result.request}" if isinstance(result, Counterexample) else None


def in_any_order(rng: random.Random, made: Pair) -> str | None:
    def shuffled(value: object) -> object:
        if isinstance(value, dict):
            return {key: shuffled(value[key]) for key in rng.sample(sorted(value), len(value))}
        return [shuffled(item) for item in rng.sample(value, len(value))] if isinstance(value, list) else value

    other: Any = {**made, "policy": shuffled(made["policy"]), "within": shuffled(made["within"])}
    return _same(made, other, "the order matters")


def under_other_names(rng: random.Random, made: Pair) -> str | None:
    """Rename all account ids except the owner's."""
    names = {"444455556666": "900000000012", "111122223334": "900000000123"}
    text = json.dumps({"policy": made["policy"], "within": made["within"]})
    rest = re.sub("|".join(names), "", text)
    # A pattern that contains a part of an account id correctly gives another result.
    if re.search(r"[0-9][*?]|[*?][0-9]|4444|5555|6666|2223334|\?", rest.replace("111122223333", "")):
        return None
    for old, new in names.items():
        text = text.replace(old, new)
    return _same(made, made | json.loads(text), "the names of accounts matter")


def _same(made: Pair, other: Pair, what: str) -> str | None:
    one = asked(read(made, "policy"), read(made, "within"), made)
    two = asked(read(other, "policy"), read(other, "within"), other)
    if isinstance(one, Unknown) or isinstance(two, Unknown):
        return "unknown"
    return None if type(one) is type(two) else f"{what}: {type(one).__name__}, {type(two).__name__}"


def who_is_let_in(rng: random.Random, made: Pair) -> str | None:
    """Check the regions with random requests."""
    policy = read(made, "policy")
    return astray(policy, resource_of(made), _OWNER, list(possible_requests(rng, made, REQUESTS)))


ALWAYS: tuple[Check, ...] = (by_prover,)
CHECKS: tuple[Check, ...] = (
    by_cvc5,
    within_itself,
    with_another_allow,
    with_another_deny,
    by_cvc5,
    in_any_order,
    under_other_names,
    who_is_let_in,
)
"""One of these in addition, in turn; the other prover twice as often."""


@dataclass
class Result:
    """The result of a campaign."""

    seed: str
    pairs: int = 0
    seconds: float = 0.0
    verdicts: collections.Counter[str] = field(default_factory=collections.Counter)
    done: collections.Counter[str] = field(default_factory=collections.Counter)
    unknown: collections.Counter[str] = field(default_factory=collections.Counter)
    wrong: list[tuple[int, str, str, Pair]] = field(default_factory=list)
    """Number, check, fault, pair."""

    def add(self, other: Result) -> None:
        self.pairs += other.pairs
        for name in ("verdicts", "done", "unknown"):
            getattr(self, name).update(getattr(other, name))
        self.wrong += other.wrong


def run(*, pairs: int, seed: str, first: int = 0) -> Result:
    """Run the checks on `pairs` pairs of `seed`, from number `first` on."""
    result = Result(seed=seed)
    start = time.perf_counter()
    for number in range(first, first + pairs):
        made = pair(seed, number)
        rng = random.Random(f"checks:{seed}:{number}")
        try:
            value = asked(read(made, "policy"), read(made, "within"), made)
            open_ = isinstance(value, Unknown) and "AWS does not document" in value.reason
            kinds = {Proof: "holds", Counterexample: "violated"}
            result.verdicts[kinds.get(type(value), "open" if open_ else "unknown")] += 1
            if isinstance(value, Unknown):
                result.unknown[f"prove: {re.sub(r'[0-9,]+', 'N', value.reason)}"] += 1
        except PolicyError:
            result.verdicts["refused"] += 1
            result.pairs += 1
            continue
        except Exception:  # `by_prover` reports it, with its pair
            result.verdicts["error"] += 1
        for check in (*ALWAYS, CHECKS[number % len(CHECKS)]):
            told = tell(check, rng, made)
            result.done[check.__name__] += 1
            if told == "unknown":
                result.unknown[check.__name__] += 1
            elif told is not None:
                result.wrong.append((number, check.__name__, told, made))
        result.pairs += 1
    result.seconds = time.perf_counter() - start
    return result


def tell(check: Check, rng: random.Random, made: Pair) -> str | None:
    """Run a check; an exception is reported as a fault."""
    try:
        return check(rng, made)
    except PolicyError as error:
        return f"refused: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def shrunk(check: Check, made: Pair, seed: str) -> Pair:
    """The smallest pair for which the check still finds the same kind of fault."""
    sort = _sort(tell(check, random.Random(seed), made))
    if sort is None:
        return made
    for _ in range(200):
        for one in _smaller(made):
            if _sort(tell(check, random.Random(seed), one)) == sort:
                made = one
                break
        else:
            break
    return made


def _sort(told: str | None) -> str | None:
    return None if told in (None, "unknown") else str(told).split(":")[0][:40]


def _smaller(made: Pair) -> Iterator[Pair]:
    for name in ("policy", "within"):
        for document in smaller_document(made[name]):
            yield {**made, name: document}


def report(result: Result, *, shrink: bool = True) -> str:
    """The result as text, with shrunk pairs."""
    pace = f"{result.seconds:.1f} s, {result.pairs / max(result.seconds, 1e-9):,.0f}/s"
    lines = [f"{result.pairs:,} pairs of policies of seed {result.seed}: {pace}"]
    lines.append("  " + ", ".join(f"{name} {count:,}" for name, count in result.verdicts.most_common()))
    lines += [f"  {count:>7,}  {name}" for name, count in result.done.items()]
    lines.append(f"  {result.unknown.total():,} not decided")
    lines += [f"  {count:>7,}  {name}" for name, count in result.unknown.most_common(12)]
    lines.append(f"  {len(result.wrong):,} wrong")
    by_name = {check.__name__: check for check in (*ALWAYS, *CHECKS)}
    seen: set[str] = set()
    for number, name, told, made in result.wrong:
        if len(seen) >= SHOWN:
            break
        small = shrunk(by_name[name], made, f"{result.seed}:{number}") if shrink else made
        key = f"{name} {_sort(told)} {json.dumps(small)}"
        if key in seen:
            continue
        seen.add(key)
        now = tell(by_name[name], random.Random(f"{result.seed}:{number}"), small) or told
        lines.append(f"    pair {result.seed}:{number}, {name}: {now}\n      {json.dumps(small)}")
    return "\n".join(lines)


BATCH = 250


def everywhere(*, pairs: int, seed: str, jobs: int) -> Result:
    """`run` on several processes."""
    whole = Result(seed=seed)
    start = time.perf_counter()
    with ProcessPoolExecutor(jobs) as pool:
        parts = [
            pool.submit(run, pairs=min(BATCH, pairs - first), seed=seed, first=first)
            for first in range(0, pairs, BATCH)
        ]
        for part in parts:
            whole.add(part.result())
            if sys.stderr.isatty():
                print(f"\r{whole.pairs:,}", end="\r", file=sys.stderr, flush=True)
    whole.seconds = time.perf_counter() - start
    return whole


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.differential.proofs", description=__doc__)
    parser.add_argument("--pairs", type=int, default=20_000, help="how many (default 20,000)")
    parser.add_argument("--seed", default="1", help="another seed is another campaign (default 1)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)")
    words = parser.parse_args()
    result = everywhere(pairs=words.pairs, seed=words.seed, jobs=words.jobs)
    print(report(result))
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
