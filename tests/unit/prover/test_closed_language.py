"""The policy language is closed: what an engine does not know is not decided, and never taken for something else."""

from __future__ import annotations

import re
from copy import copy
from dataclasses import replace
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import pytest
from tests.referee import callers, solve
from tests.referee.sides import read_sides
from tests.unit.prover.proving import ID, ROLE, THEM, on, trust

from valetkey.errors import PolicyError
from valetkey.policy import Origin, Request, conditions, decide, parse_policy
from valetkey.policy.lenient import parse_lenient
from valetkey.policy.operators import OPERATORS, Comparison, Family, Operator
from valetkey.policy.principal_tests import _by_unique_id
from valetkey.policy.principals import Caller, id_prefix, read_caller
from valetkey.policy.role_actions import enters_roles
from valetkey.policy.statements import grammar
from valetkey.policy.undecided import NotDecided
from valetkey.prover import Counterexample, Proof, Reach, Unknown, prove, space, who
from valetkey.prover.caller_classes import CALLER_KEYS
from valetkey.prover.effective_boxes import sides
from valetkey.prover.parties import Party, Person
from valetkey.prover.proof import Question, by_boxes

CALLER = "arn:aws:iam::222222222222:user/somebody"


class New(StrEnum):
    """What is not in the enumerations yet."""

    STARTS_WITH = "starts with"
    SHAPE = "shape"


STARTS_WITH = Operator("StringStartsWith", Family.TEXT, cast(Comparison, New.STARTS_WITH), "beginning with")
OTHERS = (
    Operator("StringNotStartsWith", Family.TEXT, cast(Comparison, New.STARTS_WITH), "not beginning with", negated=True),
    Operator("ArnStartsWith", Family.ARN, cast(Comparison, New.STARTS_WITH), "beginning with"),
    Operator("NumericLike", Family.NUMBER, Comparison.LIKE, "like"),
    Operator("DateWithin", Family.DATE, Comparison.WITHIN, "within"),
    Operator("BoolLess", Family.BOOL, Comparison.LESS, "<"),
    Operator("BinaryLike", Family.BYTES, Comparison.LIKE, "like"),
    Operator("IpAddressEquals", Family.ADDRESS, Comparison.EQUAL, "="),
    Operator("StringLess", Family.TEXT, Comparison.LESS, "<"),
)


def taught(row: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a row to the table, and teach it to the evaluator alone."""
    monkeypatch.setitem(OPERATORS, row.name.lower(), row)
    known = conditions.matcher

    def matcher(operator: Operator) -> Any:
        if operator is row:
            return lambda values, variables: lambda value, keys: value.startswith(tuple(values))
        return known(operator)

    monkeypatch.setattr(conditions, "matcher", matcher)


def test_an_operator_that_the_provers_do_not_know_is_never_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    taught(STARTS_WITH, monkeypatch)
    wide = trust({"Condition": on("StringStartsWith", ID, "vk-abc")})
    narrow = trust({"Condition": on("StringEquals", ID, "vk-abc")})
    request = Request(CALLER, "sts:AssumeRole", ROLE, context={ID: "vk-abcdef"})
    assert decide(request, trust=wide).allowed
    assert not decide(request, trust=narrow).allowed
    for left, right in ((wide, narrow), (narrow, wide), (wide, wide)):
        result = prove(left, within=right, resource=ROLE)
        assert isinstance(result, Unknown)
        assert "valetkey does not know 'starts with'" in result.reason
    assert not isinstance(who(wide, origin=Origin.SENT, resource=ROLE), Reach)


@pytest.mark.skipif(find_spec("cvc5") is None, reason="cvc5 is not installed")
def test_nor_does_cvc5_prove_it(monkeypatch: pytest.MonkeyPatch) -> None:
    taught(STARTS_WITH, monkeypatch)
    wide = trust({"Condition": on("StringStartsWith", ID, "vk-abc")})
    answer = solve(wide, trust({"Condition": on("StringEquals", ID, "vk-abc")}), resource=ROLE)
    assert answer.verdict == "unknown"
    assert "valetkey does not know" in answer.reason


@pytest.mark.parametrize("key", [*sorted(CALLER_KEYS), "aws:MultiFactorAuthPresent", "aws:CurrentTime", "aws:SourceIp"])
def test_of_no_key_is_it_proved(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of these keys has code of its own in the provers."""
    taught(STARTS_WITH, monkeypatch)
    for value in ("a", "${aws:username}"):
        policy = trust({"Condition": on("StringStartsWith", key, value)})
        for left, right in ((policy, trust()), (policy, trust({"Condition": on("StringEquals", key, value)}))):
            assert isinstance(prove(left, within=right, resource=ROLE), Unknown)


VALUES = {
    Family.NUMBER: "5",
    Family.DATE: "2026-01-01",
    Family.BOOL: "true",
    Family.BYTES: "b25l",
    Family.ADDRESS: "192.0.2.7",
    Family.ARN: "arn:aws:s3:::bucket",
}


@pytest.mark.parametrize("row", [STARTS_WITH, *OTHERS], ids=lambda row: row.name)
def test_no_comparison_is_taken_for_another(row: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    value = VALUES.get(row.family, "abc")
    monkeypatch.setitem(OPERATORS, row.name.lower(), row)
    with pytest.raises(PolicyError) as refused:  # the evaluator does not know it either
        trust({"Condition": on(row.name, "x:y", value)})
    assert "valetkey does not know" in refused.value.what
    assert refused.value.where.endswith(f"Condition.{row.name}['x:y']")
    taught(row, monkeypatch)
    policy = trust({"Condition": on(row.name, "x:y", value)})
    for left, right in ((policy, trust()), (trust(), policy), (policy, policy)):
        result = prove(left, within=right, resource=ROLE)
        assert not isinstance(result, Proof), row.name


def test_an_allow_under_an_unknown_operator_is_read_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OPERATORS, "stringstartswith", STARTS_WITH)
    allow = {"Effect": "Allow", "Principal": {"AWS": CALLER}, "Action": "sts:AssumeRole"}
    text = {"Version": "2012-10-17", "Statement": [{**allow, "Condition": on("StringStartsWith", ID, "a")}]}
    read = parse_lenient(text, "trust")
    assert read.policy is not None
    assert read.policy.statements[0].conditions == ()
    assert "valetkey does not know" in read.defects[0].what


def test_a_family_that_nobody_knows_is_not_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Operator("Shape", cast(Family, New.SHAPE), Comparison.EQUAL, "=")
    monkeypatch.setitem(OPERATORS, "shape", row)
    with pytest.raises(PolicyError, match="valetkey does not know"):
        trust({"Condition": on("Shape", "x:y", "round")})


KIND = cast(Any, "ghost")


def test_a_kind_of_caller_that_nobody_knows_is_not_decided() -> None:
    with pytest.raises(NotDecided):
        Caller("ghost", KIND, None, None, (), ())
    with pytest.raises(NotDecided):
        enters_roles(KIND)
    with pytest.raises(NotDecided):
        id_prefix(KIND)
    ghost = Person(KIND, Party("account", THEM), CALLER, {}, {})
    with pytest.raises(NotDecided):
        assert ghost.unsigned
    with pytest.raises(NotDecided):
        str(Party(KIND, THEM))


def test_the_box_prover_lets_no_unknown_caller_count_as_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller whom no rule names must not be left out: that would prove that it gets in nowhere."""
    known = space.everybody

    def everybody(*args: Any, **more: Any) -> list[Person]:
        people = known(*args, **more)
        return [replace(person, kind=KIND) if person.kind == "user" else person for person in people]

    monkeypatch.setattr(space, "everybody", everybody)
    result = prove(trust({"Principal": {"AWS": CALLER}}), within=trust(), resource=ROLE)
    assert isinstance(result, Unknown | Counterexample)
    assert isinstance(by_boxes(Question({"trust": [trust({})]}, {"trust": [trust()]}, ROLE)), Unknown)


@pytest.mark.skipif(find_spec("cvc5") is None, reason="cvc5 is not installed")
def test_nor_does_cvc5_take_an_unknown_caller_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "KINDS", (*callers.KINDS, KIND))
    assert solve(trust(), trust(), resource=ROLE).verdict == "unknown"


def test_a_kind_of_policy_that_nobody_knows_is_not_decided() -> None:
    with pytest.raises(NotDecided):
        grammar(KIND)
    with pytest.raises(NotDecided):
        sides(replace(trust(), kind=KIND))
    with pytest.raises(NotDecided):
        read_sides(replace(trust(), kind=KIND))
    with pytest.raises(PolicyError, match="not a kind of policy"):
        parse_policy({"Version": "2012-10-17", "Statement": []}, kind=KIND)


def test_an_unknown_caller_asked_of_a_principal_element_is_not_decided() -> None:
    caller = copy(read_caller(CALLER))
    object.__setattr__(caller, "kind", KIND)
    with pytest.raises(NotDecided):
        _by_unique_id(frozenset({"AIDAEXAMPLEEXAMPLE00"}), caller, {"aws:userid": "AIDAEXAMPLEEXAMPLE00"})


NAMED = re.compile(
    r"(operator|row)\.name\s*(\.(starts|ends)with|\.remove|==|!=|in\b)|in (\w+\.)*(operator|row)\.name\b"
)


@pytest.mark.parametrize("room", ["policy", "prover"])
def test_no_engine_looks_at_the_name_of_an_operator(room: str) -> None:
    for file in (Path(conditions.__file__).parent.parent / room).rglob("*.py"):
        match = NAMED.search(file.read_text())
        assert match is None, f"{file.name}: {match[0]}"
