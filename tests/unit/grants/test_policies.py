"""From words to policies: names in every partition, ARNs, files; what is found, refused or ambiguous."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.grants.whole_errors import refuse, whole_error

from valetkey.account.calls import Call, CallError
from valetkey.errors import ValetkeyError
from valetkey.grants.policies import (
    ChosenPolicyError,
    Managed,
    check_words,
    current_versions,
    find_managed,
    from_files,
    inline_name,
    is_file,
    managed_arn,
    versions_of,
)
from valetkey.grants.role import read_owner

GOOD = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}}


def found(iam: Any, *words: str) -> list[str]:
    return [policy.arn for policy in find_managed(words, iam, read_owner(iam))]


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


# -- whole


def told_by(iam: Any, *words: str) -> tuple[str, str, str, int]:
    with pytest.raises(ChosenPolicyError) as refused:
        found(iam, *words)
    return whole_error(refused)


AUDIT = "arn:aws:iam::aws:policy/SecurityAudit"


def test_what_is_found_has_its_document_and_version(iam: Any) -> None:
    iam.versions[AUDIT] = {"v1": {}, "v12": GOOD}
    own = f"arn:aws:iam::{iam.account}:policy/team/Reports"
    iam.policies[own] = GOOD
    one, other = find_managed(["SecurityAudit", "Reports", AUDIT], iam, read_owner(iam))
    assert one == Managed(AUDIT, GOOD, "v12")
    assert other == Managed(own, GOOD, "v1")
    assert (one.name, other.name) == ("SecurityAudit", "Reports")
    assert versions_of([one, other, Managed(AUDIT, GOOD)]) == ((AUDIT, "v12"),)
    assert current_versions(iam, [own, AUDIT]) == ((AUDIT, "v12"),)


def test_a_name_that_is_nowhere_is_told_with_what_is_near(iam: Any) -> None:
    what = "there is no managed policy named {} in the partition aws or the account"
    assert told_by(iam, "ReadOnlyAcces") == (
        what.format("ReadOnlyAcces"),
        "did you mean ReadOnlyAccess or ViewOnlyAccess? Write a file name with .json or ./",
        "",
        2,
    )
    assert told_by(iam, "Zzz") == (what.format("Zzz"), "Write a file name with .json or ./", "", 2)
    iam.policies |= {f"arn:aws:iam::{iam.account}:policy/own-{item}": GOOD for item in "abcd"}
    _, do, _, _ = told_by(iam, "own-")
    assert do.count("own-") == 3


def test_a_name_that_is_both_is_told_with_both(iam: Any) -> None:
    own = f"arn:aws:iam::{iam.account}:policy/SecurityAudit"
    iam.policies[own] = GOOD
    what = "SecurityAudit is the name of an AWS policy and of a policy of this account"
    assert told_by(iam, "SecurityAudit") == (what, f"name {AUDIT} or {own}", "", 2)
    # At another path of AWS's there is none, so that the account's own is meant.
    assert found(iam, "service-role/SecurityAudit") == [own]


def test_an_arn_that_a_role_cannot_carry_is_told(iam: Any) -> None:
    own = "name one of AWS's (arn:aws:iam::aws:policy/\u2026) or of the account itself"
    for arn in ("arn:aws-cn:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::999999999999:policy/Theirs"):
        what = f"{arn} is not a managed policy that a role of account 111111111111 can have attached"
        assert told_by(iam, arn) == (what, own, "", 2)
    gone = "arn:aws:iam::aws:policy/NoSuch"
    assert told_by(iam, gone) == (f"there is no managed policy {gone}", "check the ARN, path included", "", 2)


def test_a_withdrawn_policy_is_told(iam: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answer: dict[str, Any] = {"Arn": AUDIT, "DefaultVersionId": "v1"}
    monkeypatch.setattr(iam, "_get_policy", lambda call, PolicyArn: {"Policy": answer})
    assert found(iam, AUDIT) == [AUDIT], "where AWS does not say it"
    answer["IsAttachable"] = False
    assert told_by(iam, AUDIT) == (f"AWS no longer allows {AUDIT} to be attached", "name its successor", "", 2)


def test_a_policy_that_may_not_be_read_is_not_called_missing(iam: Any) -> None:
    iam.before = refuse("AccessDenied", "get_policy")
    for words in (["SecurityAudit"], [AUDIT]):
        with pytest.raises(CallError, match="AccessDenied"):
            found(iam, *words)


def test_the_accounts_policies_are_listed_once_and_only_for_a_name(iam: Any) -> None:
    calls: list[Call] = []
    owner = read_owner(iam)
    iam.before = calls.append
    find_managed([AUDIT], iam, owner)
    find_managed([], iam, owner)
    assert not [call for call in calls if call.operation == "list_policies"]
    find_managed(["SecurityAudit", "ReadOnlyAccess"], iam, owner)
    lists = [call.params for call in calls if call.operation == "list_policies"]
    assert {item["Scope"] for item in lists} == {"Local"}
    assert {item["MaxItems"] for item in lists} == {1000}
    assert [item.get("Marker") for item in lists].count(None) == 1
    # A name without a path is looked for where AWS keeps most.
    asked = [call.params["PolicyArn"] for call in calls if call.operation == "get_policy"]
    assert asked[-4:] == [AUDIT, "arn:aws:iam::aws:policy/ReadOnlyAccess"] * 2


def test_a_file_is_no_name(iam: Any) -> None:
    assert found(iam, "./x.json", "SecurityAudit") == [AUDIT]
    assert found(iam, "./x.json") == []


@pytest.mark.parametrize(
    "word", ["x" * 128, "job-function/a", "A_+=,.@-9", "./any thing", "a b.json", "service-role/x"]
)
def test_words_that_can_be_something_pass(word: str) -> None:
    check_words([word])


def test_a_word_that_can_be_nothing_is_told() -> None:
    for word in ("a b", "x" * 129, "\u00e4", "job-function/"):
        with pytest.raises(ChosenPolicyError) as refused:
            check_words(["SecurityAudit", word])
        do = "give a name, an ARN, or a file (./policy.json)"
        assert whole_error(refused) == (f"{word!r} is not the name of a policy", do, "", 2)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("./a.json", "policy-a"),
        ("x/y/b", "policy-b"),
        ("./.json", "policy-file"),
        (f"./{'x' * 65}.json", f"policy-{'x' * 64}"),
        ("./a b,c@d.json", "policy-a-b-c-d"),
        ("./A_.=+-9.json.json", "policy-A_.=+-9.json"),
    ],
)
def test_a_files_policy_is_named_after_it(path: str, name: str) -> None:
    assert inline_name(path) == name


def test_two_files_of_one_name_are_told() -> None:
    with pytest.raises(ChosenPolicyError) as refused:
        from_files(["x/a.json", "y/a.json"], read=lambda name: json.dumps(GOOD))
    assert whole_error(refused) == ("two policy files would both be named policy-a", "rename one of them", "", 2)


def test_each_file_is_read_by_its_name() -> None:
    read: list[str] = []

    def text(name: str) -> str:
        read.append(name)
        return json.dumps(GOOD)

    from_files(["./a.json", "SecurityAudit", "b/c"], read=text)
    assert read == ["./a.json", "b/c"]


@pytest.mark.parametrize("text", ["arn:aws:iam::111111111111:role/audit", "arn:aws:s3:::policy/x", "nonsense"])
def test_what_is_no_policys_arn_is_told(text: str) -> None:
    with pytest.raises(ChosenPolicyError) as refused:
        managed_arn(text)
    what, do, where, code = whole_error(refused)
    assert (do, where, code) == ("write it like arn:aws:iam::aws:policy/Name", "", 2)
    if text.startswith("arn:"):
        assert what == f"{text} is not the ARN of a managed policy"


@pytest.mark.parametrize(
    ("word", "file"),
    [("root-task/x", False), ("service-role/x", False), ("arn:x.json", False), (".json", True), ("x.jsonl", False)],
)
def test_more_words_that_are_files_or_not(word: str, file: bool) -> None:
    assert is_file(word) is file
