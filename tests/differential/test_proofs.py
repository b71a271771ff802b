"""A small campaign for proofs, and tests that the campaign finds faults."""

from __future__ import annotations

import collections
import random
from typing import Any

import pytest

from valetkey.policy import Policy, Request, decide, parse_policy
from valetkey.prover import Counterexample, Proof, RegionValues

from . import proofs, regions
from .pairs import ROLE, Pair, pair
from .proofs import ALWAYS, CHECKS, report, run, shrunk, tell

OWNER = "111122223333"
WITHIN: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "444455556666"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": ["abc", "dev"]}, "Null": {"aws:SourceIp": ["true"]}},
        }
    ],
}
WIDER: Pair = {
    "kind": "trust",
    "policy": {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "444455556666"},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
                "Condition": {"StringLike": {"sts:ExternalId": ["abc*", "dev"]}, "Null": {"aws:SourceIp": ["true"]}},
            },
            {"Effect": "Deny", "Principal": "*", "Action": "sts:SetContext"},
        ],
    },
    "within": WITHIN,
}


@pytest.mark.parametrize("part", range(4))
def test_nothing_refutes_the_prover(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "SECONDS", 1.0)
    result = run(pairs=84, seed="small", first=84 * part)
    assert not result.wrong, report(result)
    assert min(result.verdicts[name] for name in ("holds", "violated")) > 20
    assert result.verdicts["unknown"] < 8
    assert result.verdicts["open"] < 16  # it depends on undocumented behavior of AWS


def test_a_pair_is_its_seed_and_number_and_all_kinds_are_made() -> None:
    made = [pair("kinds", number) for number in range(60)]
    assert made == [pair("kinds", number) for number in range(60)]
    assert {item["kind"] for item in made} == {"trust", "identity", "resource"}
    assert sum(item["policy"] != item["within"] for item in made) > 45


def test_most_proofs_are_tried_with_requests_that_come_near() -> None:
    result: collections.Counter[str] = collections.Counter()
    for number in range(60):
        made = pair("near", number)
        if made["kind"] == "trust":
            policy = proofs.read(made, "policy")
            for request in proofs.possible_requests(random.Random(number), made, 20):
                result[decide(request, trust=policy).outcome] += 1
    assert result.total() > 300
    assert result["allowed"] > result.total() // 20


def _held(policy: Any, *_: object, **__: object) -> Proof:
    """A prover that always says "holds"."""
    somebody = Request("arn:aws:iam::444455556666:user/dev", "sts:AssumeRole", ROLE, context={"sts:ExternalId": "dev"})
    allowed = isinstance(policy, Policy) and decide(somebody, trust=policy).allowed
    return Proof(somebody if allowed else None, 0, 0.0)


def test_a_false_proof_is_found_and_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "prove", _held)
    monkeypatch.setattr(proofs, "REQUESTS", 400)
    (check,) = ALWAYS
    told = tell(check, random.Random("1"), WIDER)
    assert told is not None
    assert told.startswith("it does not hold")
    small = shrunk(check, WIDER, "1")
    assert len(small["policy"]["Statement"]) == 1
    assert len(str(small)) < len(str(WIDER))


def test_a_false_counterexample_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request("arn:aws:iam::999999999999:user/nobody", "sts:AssumeRole", ROLE)
    policy = parse_policy(WITHIN, kind="trust")
    answer = decide(request, trust=policy)
    monkeypatch.setattr(proofs, "prove", lambda *_, **__: Counterexample(request, answer, answer, 0))
    for check in (ALWAYS[0], *CHECKS[1:4]):
        told = tell(check, random.Random("1"), WIDER)
        assert told is not None
        assert told != "unknown"


def test_provers_that_disagree_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tell(proofs.by_cvc5, random.Random("1"), WIDER) is None
    monkeypatch.setattr(proofs, "by_boxes", _held)
    told = tell(proofs.by_cvc5, random.Random("1"), WIDER)
    assert told is not None
    assert told.startswith("cvc5 says violated")


def test_a_region_that_is_too_small_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tell(proofs.who_is_let_in, random.Random("1"), WIDER) is None

    def fewer(policy: Policy, **words: Any) -> Any:
        from valetkey.prover import Reach, who

        result = who(policy, **words)
        assert isinstance(result, Reach)
        narrowed: list[Any] = []
        for region in result.regions:
            object.__setattr__(region, "values", {**region.values, "sts:externalid": RegionValues(exact=("other",))})
            narrowed.append(region)
        return Reach(tuple(narrowed))

    monkeypatch.setattr(regions, "who", fewer)
    told = tell(proofs.who_is_let_in, random.Random("1"), WIDER)
    assert told is not None
    assert "region" in told


def test_a_crash_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(proofs, "prove", crash)
    result = run(pairs=2, seed="crash")
    assert [told for _, _, told, _ in result.wrong[:1]] == ["ZeroDivisionError: oops"]
    assert "2 wrong" in report(result, shrink=False) or "wrong" in report(result, shrink=False)
