"""The parts of the campaign without the referee: the generator, the shrinker, the table of known differences."""

from __future__ import annotations

import collections
import json
import pathlib

import pytest

from .cases import FAMILIES, Case, base, condition_tests, normal, ours
from .examples import EXAMPLES
from .generate import case
from .known import BY_NAME, ROWS, explain, table
from .shrink import shrink

CALLER = "arn:aws:iam::111122223333:user/dev"


def test_a_case_is_its_seed_and_number() -> None:
    assert [case(7, number) for number in range(50)] == [case(7, number) for number in range(50)]
    assert case(7, 1) != case(8, 1)


def test_every_operator_set_operator_and_side_is_generated() -> None:
    made = [normal(case("harness", number)) for number in range(3000)]
    operators = {operator for one in made for _, _, operator, _, _ in condition_tests(one)}
    assert {base(operator) for operator in operators} == {*(op for ops in FAMILIES.values() for op in ops), "Null"}
    assert {operator.split(":")[0] for operator in operators if ":" in operator} == {"ForAnyValue", "ForAllValues"}
    assert any(operator.endswith("IfExists") for operator in operators)
    sides = collections.Counter(side for one in made for side in one)
    assert min(sides[side] for side in ("trust", "identity", "boundary", "session", "scps", "rcps", "resource")) > 50


def test_the_generator_is_balanced() -> None:
    outcomes = collections.Counter(ours(case("harness", number)) for number in range(2000))
    assert set(outcomes) == {"allowed", "explicit_deny", "implicit_deny"}
    assert min(outcomes.values()) > 200


def test_shrinking_keeps_what_matters_and_nothing_else() -> None:
    def interesting(candidates: list[Case]) -> list[bool]:
        return [
            any(key.lower() == "sts:externalid" for *_, key, _ in condition_tests(normal(one))) for one in candidates
        ]

    big = next(one for number in range(1000) if interesting([one := case("shrink", number)])[0] and "identity" in one)
    small = shrink(big, interesting)
    assert interesting([small])[0]
    assert len(list(condition_tests(small))) == 1
    assert not small["request"]["context"]
    assert len(json.dumps(small)) < len(json.dumps(big))


def test_shrinking_keeps_the_spelling_when_the_spelling_matters() -> None:
    plain = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
    one = {
        "request": {"context": {}, "resource_account": "111122223333"},
        "trust": {"Version": "2012-10-17", "Statement": plain},
    }
    assert shrink(one, lambda cases: [isinstance(c.get("trust", {}).get("Statement"), dict) for c in cases]) == one


def _guarded(operator: str, key: str, values: list[str], context: dict[str, str], effect: str = "Allow") -> Case:
    allow = {"Effect": "Allow", "Principal": {"AWS": [CALLER]}, "Action": ["sts:AssumeRole"]}
    return {
        "request": {
            "principal": CALLER,
            "action": "sts:AssumeRole",
            "resource": "arn:aws:iam::111122223333:role/guest",
            "resource_account": "111122223333",
            "context": context,
        },
        "trust": {
            "Version": "2012-10-17",
            "Statement": [{**allow, "Effect": effect, "Condition": {operator: {key: values}}}]
            + ([allow] if effect == "Deny" else []),
        },
    }


def test_a_known_cause_explains_a_difference_only_while_our_verdict_stands() -> None:
    one = _guarded("IpAddress", "aws:SourceIp", ["0.0.0.0/0"], {"aws:SourceIp": "203.0.113.5"})
    verdict = ours(one)
    assert verdict == "allowed"
    # A referee that is correct except for the cause:
    assert explain(one, verdict, lambda cases: [ours(c) for c in cases]) == ("ipv4-slash-zero",)
    # ... one that still differs without the cause:
    assert explain(one, verdict, lambda cases: ["implicit_deny"] * len(cases)) is None
    # ... and a verdict of ours that the rewriting changes:
    assert explain(one, "explicit_deny", lambda cases: ["explicit_deny"] * len(cases)) is None


def test_a_case_without_a_known_cause_is_never_explained() -> None:
    one = _guarded("StringEquals", "sts:ExternalId", ["abc"], {"sts:ExternalId": "abc"})
    assert explain(one, ours(one), lambda cases: [ours(c) for c in cases]) is None
    assert all(row.without(normal(one)) is None for row in ROWS)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_we_answer_what_is_documented_with_the_cause_and_without(name: str) -> None:
    one, right = EXAMPLES[name]
    without = BY_NAME[name].without(normal(one))
    assert without is not None
    assert ours(one) == ours(normal(one)) == ours(without) == right


def test_a_variable_without_a_value_in_not_resource_leaves_no_resource_out() -> None:
    """AWS: "there is no equal or like value" (policy-vars-no-value), so the Deny applies to every resource."""
    statement = {"Effect": "Deny", "Principal": "*", "Action": "*", "NotResource": "arn:aws:kms:*:*:key/${aws:nosuch}*"}
    one: Case = {
        "request": {
            "principal": CALLER,
            "action": "kms:Decrypt",
            "resource": "arn:aws:kms:us-east-1:111122223333:key/a",
            "context": {},
        },
        "resource": {"Version": "2012-10-17", "Statement": [statement]},
    }
    assert ours(one) == "explicit_deny"
    rewritten = BY_NAME["variable-without-value"].without(normal(one))
    assert rewritten is not None
    assert ours(rewritten) == "explicit_deny"
    assert "${" not in json.dumps(rewritten)


def test_every_row_names_a_page_of_aws_and_has_an_example() -> None:
    assert len(BY_NAME) == len(ROWS)
    assert set(EXAMPLES) == set(BY_NAME)
    for row in ROWS:
        assert row.page.startswith("https://docs.aws.amazon.com/"), row.name
        assert row.title, row.name
        assert row.documented, row.name


def test_the_documented_table_is_the_one_in_use() -> None:
    docs = pathlib.Path(__file__).parents[2] / "docs" / "differential.md"
    assert table() in docs.read_text(), f"docs/differential.md is out of date; its table is now:\n{table()}"
