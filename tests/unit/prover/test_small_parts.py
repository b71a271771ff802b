"""Boxes, parties, the spelling of keys, and the ways to split a pattern of ARNs."""

from __future__ import annotations

import itertools

import pytest
from tests.unit.prover.proving import OWNER, THEM, ask, identity, policy, trust

from valetkey.errors import PolicyError
from valetkey.policy.decision import Open
from valetkey.policy.globs import wild
from valetkey.policy.undecided import NotDecided
from valetkey.prover import Party, Unknown
from valetkey.prover.arn_patterns import parts_of, readable
from valetkey.prover.automata import Glob
from valetkey.prover.boxes import Box, Budget, Limits, TooLong, meet, rest, within
from valetkey.prover.proof import resting
from valetkey.prover.witnesses import spelt

BOXES: list[Box] = list(itertools.product((0b01, 0b10, 0b11), (0b001, 0b101, 0b110, 0b111)))


def cells(box: Box) -> set[tuple[int, int]]:
    return {(a, b) for a in range(2) for b in range(3) if box[0] >> a & 1 and box[1] >> b & 1}


def test_what_two_boxes_share_and_whether_one_is_in_the_other() -> None:
    for one, other in itertools.product(BOXES, repeat=2):
        both = meet(one, other)
        assert (cells(both) if both else set()) == cells(one) & cells(other)
        assert within(one, other) is (cells(one) <= cells(other))


def test_what_is_left_of_a_box_does_not_overlap() -> None:
    for box, first, second in itertools.product(BOXES, repeat=3):
        left = list(rest(box, [first, second], Budget(Limits())))
        assert all(map(all, left))
        result = [cell for item in left for cell in cells(item)]
        assert len(result) == len(set(result))
        assert set(result) == cells(box) - cells(first) - cells(second)


def test_a_box_that_is_cut_is_a_step() -> None:
    budget = Budget(Limits(steps=1))
    assert list(rest((3, 7), [(1, 1)], budget)) == [(1, 6), (2, 7)]
    assert budget.steps == 1
    with pytest.raises(TooLong, match="more than 1 steps"):
        list(rest((3, 7), [(1, 1), (2, 1)], budget))


def test_the_limits_of_a_proof() -> None:
    """Documented in docs/reference: ten seconds, and what is counted."""
    assert Limits() == Limits(seconds=10.0, steps=200_000, states=20_000, regions=5_000)


@pytest.mark.parametrize(
    ("party", "words"),
    [
        (Party("account", THEM), f"account {THEM}"),
        (Party("any account"), "accounts that are not named"),
        (Party("deleted", "AIDAX"), "the deleted principal AIDAX"),
        (Party("unique id", "AIDAX"), "the user AIDAX of an account that is not named"),
        (Party("unique id", "AROAX"), "the role AROAX of an account that is not named"),
        (Party("service", "ec2.amazonaws.com"), "the service ec2.amazonaws.com"),
        (Party("service"), "any service"),
        (Party("provider"), "any provider"),
        (Party("anonymous"), "any anonymous"),
    ],
)
def test_a_party_in_words(party: Party, words: str) -> None:
    assert str(party) == words


def test_keys_are_spelt_as_aws_spells_them() -> None:
    assert spelt("sts:externalid") == "sts:ExternalId"
    assert spelt("aws:multifactorauthpresent") == "aws:MultiFactorAuthPresent"
    assert spelt("x:y") == "x:y"


@pytest.mark.parametrize(
    ("pattern", "scope", "parts"),
    [
        (f"arn:aws:iam::{THEM}:user/*", "arn", [("iam", "", THEM, "user/*")]),
        (f"arn:aws:iam::{THEM}:user/*", "whole", [("iam", "", THEM, "user/*")]),
        (f"arn:aws-cn:iam::{THEM}:user/*", "arn", []),
        (f"x:aws:iam::{THEM}:user/*", "arn", []),
        ("*", "arn", [("*", "*", "*", "*")]),
        ("arn:aws:iam::1", "arn", []),
        ("arn:*:iam::1:x:y", "arn", [("iam", "", "1", "x:y")]),
    ],
)
def test_a_pattern_of_arns_in_parts(pattern: str, scope: str, parts: list[tuple[str, ...]]) -> None:
    result = list(parts_of(Glob(wild(pattern), scope), "aws"))  # type: ignore[arg-type]
    told = [tuple(readable(glob.text) for glob in item[:4]) for item in result]
    assert told == parts
    assert {item.spelt for item in result} <= {pattern}


def test_a_wildcard_may_stand_for_colons_too() -> None:
    told = {
        tuple(readable(glob.text) for glob in parts[:4]) for parts in parts_of(Glob(wild("arn:aws:*:user/b")), "aws")
    }
    assert ("*", "*", "*", "user/b") in told
    assert ("*", "*", "", "user/b") not in told
    assert {
        tuple(readable(g.text) for g in parts[:4]) for parts in parts_of(Glob(wild("arn:aws?iam::1:x")), "aws")
    } == {("iam", "", "1", "x")}
    with pytest.raises(NotDecided) as refusal:
        list(parts_of(Glob(wild("*?" * 40)), "aws"))
    assert str(refusal.value) == "a pattern of aws:PrincipalArn can match an ARN in too many ways"


def test_three_places_are_named_and_the_others_counted() -> None:
    places = [Open("trust", 1, number, None, "$.x", "has no values") for number in range(1, 6)]
    start = "; ".join(map(str, places[:3]))
    assert resting(places[:3]).endswith(start)
    assert resting([*places, *places]).endswith(f"{start}; and 2 more")
    assert resting(places[:1]).endswith("the trust policy, statement 1: $.x has no values")


def test_the_partition_that_documents_speak_of() -> None:
    china = identity({"Resource": "arn:aws-cn:s3:::b"})
    both = identity({"Resource": ["arn:aws-cn:s3:::b", "arn:aws:s3:::b"]})
    open_ = identity({"Resource": ["arn:aws-cn:s3:::b", "arn:*:s3:::b", "*"]})
    assert not isinstance(ask(china, china), Unknown)
    result = ask(both, both)
    assert isinstance(result, Unknown)
    assert result.reason == "the documents are about several partitions: name the resource or the caller"
    assert not isinstance(ask(open_, open_), Unknown)
    with pytest.raises(PolicyError) as refusal:
        ask(trust({}), trust({}), resource=f"arn:aws-cn:iam::{OWNER}:role/x", caller=f"arn:aws:iam::{OWNER}:role/x")
    assert (refusal.value.what, refusal.value.do) == (
        "the caller and the resource are of two partitions",
        "name both in one",
    )
    assert not isinstance(ask(policy("boundary", {}), policy("boundary", {})), Unknown)
