"""From words to policies: names in every partition, ARNs, files; what is found, refused or ambiguous."""

from __future__ import annotations

import json
from typing import Any

import pytest

from valetkey.errors import ValetkeyError
from valetkey.grants.policies import ChosenPolicyError, check_words, find_managed, from_files, is_file, managed_arn
from valetkey.grants.role import read_owner

GOOD = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}}


def found(iam: Any, *words: str) -> list[str]:
    return [each.arn for each in find_managed(words, iam, read_owner(iam))]


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-eusc"])
def test_names_are_found_in_every_partition(iam: Any, partition: str) -> None:
    other = type(iam)(iam.account, partition)
    root = f"arn:{partition}:iam::aws:policy"
    assert found(other, "ReadOnlyAccess") == [f"{root}/ReadOnlyAccess"]
    assert found(other, "ViewOnlyAccess", "Batch") == [
        f"{root}/job-function/ViewOnlyAccess",
        f"{root}/service-role/Batch",
    ]
    assert found(other, "job-function/ViewOnlyAccess") == [f"{root}/job-function/ViewOnlyAccess"]
    assert found(other) == [f"{root}/SecurityAudit", f"{root}/job-function/ViewOnlyAccess"]


def test_a_name_at_an_unusual_path_of_aws_is_found_in_the_list(iam: Any) -> None:
    iam.policies["arn:aws:iam::aws:policy/root-task/Odd"] = GOOD
    assert found(iam, "Odd") == ["arn:aws:iam::aws:policy/root-task/Odd"]


def test_the_accounts_own_policies_are_found_by_name_and_path(iam: Any) -> None:
    arn = f"arn:aws:iam::{iam.account}:policy/team/Reports"
    iam.policies[arn] = GOOD
    assert found(iam, "Reports") == [arn]
    assert found(iam, arn, "Reports") == [arn]


def test_a_name_that_is_both_aws_and_the_accounts_is_refused(iam: Any) -> None:
    iam.policies[f"arn:aws:iam::{iam.account}:policy/ReadOnlyAccess"] = GOOD
    with pytest.raises(ChosenPolicyError, match="of an AWS policy and of a policy of this account") as refused:
        found(iam, "ReadOnlyAccess")
    assert "arn:aws:iam::aws:policy/ReadOnlyAccess" in refused.value.do


def test_a_name_that_is_nowhere_gets_a_suggestion(iam: Any) -> None:
    with pytest.raises(ChosenPolicyError) as refused:
        found(iam, "ReadOnlyAcces")
    assert "ReadOnlyAccess" in refused.value.do


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws-cn:iam::aws:policy/ReadOnlyAccess",
        "arn:aws:iam::999999999999:policy/Theirs",
        "arn:aws:iam::aws:policy/NoSuch",
    ],
)
def test_an_arn_that_a_role_here_cannot_carry_is_refused(iam: Any, arn: str) -> None:
    with pytest.raises(ChosenPolicyError):
        found(iam, arn)


def test_a_policy_that_aws_has_withdrawn_is_refused(iam: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    withdrawn = {"Policy": {"Arn": arn, "DefaultVersionId": "v1", "IsAttachable": False}}
    monkeypatch.setattr(iam, "_get_policy", lambda call, PolicyArn: withdrawn)
    with pytest.raises(ChosenPolicyError, match=r"no longer allows .* to be attached"):
        found(iam, arn)


@pytest.mark.parametrize(
    ("word", "file"),
    [
        ("ReadOnlyAccess", False),
        ("job-function/ViewOnlyAccess", False),
        ("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess", False),
        ("policy.json", True),
        ("./policy", True),
        ("/etc/policy", True),
        ("folder/policy", True),
    ],
)
def test_what_is_a_file_does_not_depend_on_what_lies_in_the_directory(word: str, file: bool) -> None:
    assert is_file(word) is file


@pytest.mark.parametrize(
    "word", ["", "a b", "Read*", "arn:aws:s3:::bucket", "arn:aws:iam::aws:user/x", "arn:", "x" * 129]
)
def test_words_that_can_be_nothing_are_refused_without_a_call(word: str) -> None:
    with pytest.raises(ChosenPolicyError):
        check_words([word])


def test_files_become_inline_policies_by_name() -> None:
    named = from_files(["./reports.json", "ReadOnlyAccess", "dir/träume (1).json"], read=lambda name: json.dumps(GOOD))
    assert named == (("policy-reports", GOOD), ("policy-tr-ume--1-", GOOD))


def test_two_files_of_one_name_are_refused() -> None:
    with pytest.raises(ChosenPolicyError, match="both be named policy-a"):
        from_files(["x/a.json", "y/a.json"], read=lambda name: json.dumps(GOOD))


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("{", "$"),
        ('{"Statement": [{"Effect": "Allow", "Effect": "Deny", "Action": "*", "Resource": "*"}]}', "$.Statement[0]"),
        ('{"Statement": [{"Effect": "Allow", "Action": "*", "Principal": "*", "Resource": "*"}]}', "$.Statement[0]"),
        ('{"Statement": [{"Effect": "Allow", "Action": "*"}]}', "$.Statement[0]"),
    ],
)
def test_a_file_that_aws_would_refuse_is_refused_with_its_place(text: str, where: str) -> None:
    with pytest.raises(ValetkeyError) as refused:
        from_files(["p.json"], read=lambda name: text)
    assert refused.value.where.startswith(f"p.json: {where}")
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("text", ["ReadOnlyAccess", "arn:aws:iam::111111111111:role/audit", "arn:aws:iam::1:policy/x"])
def test_what_is_no_policys_arn_is_told_how_one_is_written(text: str) -> None:
    with pytest.raises(ChosenPolicyError) as refused:
        managed_arn(text)
    assert "policy/Name" in refused.value.do
