"""The second prover: its answers for each operator, variables and callers, and when it answers `unknown`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.referee import solve

from valetkey.errors import PolicyError, ValetkeyError
from valetkey.policy import Policy, decide, parse_policy
from valetkey.prover import Counterexample, Proof, Unknown, prove
from valetkey.prover.proof import Question, by_boxes

OWNER, THEM = "111111111111", "222222222222"
ROLE = f"arn:aws:iam::{OWNER}:role/door"
ROOT = f"arn:aws:iam::{THEM}:root"
ID, ARN, NAME, TAG = "sts:ExternalId", "aws:PrincipalArn", "sts:RoleSessionName", "aws:PrincipalTag/team"
MFA, AGE, IP = "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge", "aws:SourceIp"


def statement(condition: Any = None, principal: Any = ROOT, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    made = {"Effect": effect, "Principal": "*" if principal == "*" else {"AWS": principal}, "Action": "sts:AssumeRole"}
    return {**made, **({"Condition": condition} if condition else {}), **more}


def trust(*statements: Any, version: str = "2012-10-17") -> Policy:
    return parse_policy({"Version": version, "Statement": list(statements)}, kind="trust")


def verdict(policy: Policy, within: Policy, **more: Any) -> str:
    answer = solve(policy, within, resource=ROLE, seconds=20, **more)
    if answer.request is not None:
        assert decide(answer.request, trust=policy).allowed
        assert not decide(answer.request, trust=within).allowed
    return answer.verdict


def one(operator: str, key: str, *values: str) -> dict[str, Any]:
    return {operator: {key: list(values)}}


HOLDS, NOT, OPEN = "holds", "violated", "unknown"
CASES = [
    # texts
    (one("StringEquals", ID, "abc"), one("StringLike", ID, "a*c"), HOLDS),
    (one("StringLike", ID, "a*c"), one("StringEquals", ID, "abc"), NOT),
    (one("StringLike", ID, "a?"), one("StringLike", ID, "a*"), HOLDS),
    (one("StringLike", ID, "?"), one("StringEquals", ID, "abc"), HOLDS),  # STS takes two characters at least
    (one("StringEquals", ID, "a b"), one("StringEquals", ID, "abc"), HOLDS),  # nor any blank
    (one("StringEqualsIgnoreCase", ID, "aBc"), one("StringEquals", ID, "abc", "ABC"), NOT),
    (one("StringEquals", ID, "abc"), one("StringEqualsIgnoreCase", ID, "ABC"), HOLDS),
    (one("StringNotEquals", ID, "abc"), one("StringNotLike", ID, "a*"), NOT),
    (one("StringNotLike", ID, "a*"), one("StringNotEquals", ID, "abc"), HOLDS),
    (one("StringNotEquals", ID, "abc"), one("Null", ID, "false"), NOT),  # a negated test holds of a missing key
    (one("StringEqualsIfExists", ID, "abc"), one("StringEquals", ID, "abc"), NOT),
    (one("StringEquals", ID, "abc"), one("Null", ID, "false"), HOLDS),
    (one("StringLike", TAG, "*"), one("Null", TAG, "false"), HOLDS),
    # truth values, numbers, times
    (one("Bool", MFA, "true"), one("BoolIfExists", MFA, "true"), HOLDS),
    (one("BoolIfExists", MFA, "true"), one("Bool", MFA, "true"), NOT),
    (one("Null", AGE, "false"), one("Bool", MFA, "true"), HOLDS),  # an age comes with MFA only
    (one("NumericLessThan", AGE, "300"), one("NumericLessThanEquals", AGE, "299"), HOLDS),
    (one("NumericLessThanEquals", AGE, "300"), one("NumericLessThan", AGE, "300"), NOT),
    (one("NumericEquals", AGE, "299.5"), one("Bool", MFA, "false"), HOLDS),  # whole seconds
    (one("NumericLessThan", "s3:max-keys", "1"), one("NumericLessThanEquals", "s3:max-keys", "0"), NOT),
    (one("DateLessThan", "aws:CurrentTime", "2026-01-01T00:00:00Z"), one("NumericLessThan", "x:y", "1"), NOT),
    (
        one("DateLessThan", "aws:CurrentTime", "2026-01-01T01:00:00+01:00"),
        one("DateLessThan", "aws:EpochTime", "1767225600"),
        HOLDS,
    ),
    # addresses
    (one("IpAddress", IP, "10.1.0.0/16"), one("IpAddress", IP, "10.0.0.0/8"), HOLDS),
    (one("IpAddress", IP, "10.0.0.0/8"), one("IpAddress", IP, "10.0.0.0/9"), NOT),
    (one("IpAddress", IP, "0.0.0.0/0", "::/0"), one("Null", IP, "false"), HOLDS),
    (one("Null", IP, "false"), one("IpAddress", IP, "0.0.0.0/0"), NOT),
    (one("NotIpAddress", IP, "0.0.0.0/0"), one("NotIpAddress", IP, "10.0.0.0/8"), HOLDS),
    # ARNs, and who calls
    (one("ArnLike", ARN, f"arn:aws:iam::{THEM}:role/a/*"), one("ArnLike", ARN, "arn:aws:iam::*:role/*"), HOLDS),
    (one("ArnLike", ARN, "arn:aws:iam::*:role/ops"), one("ArnEquals", ARN, f"arn:aws:iam::{THEM}:role/ops"), HOLDS),
    (one("StringEquals", "aws:username", "bob"), one("ArnLike", ARN, "arn:aws:iam::*:user/*bob"), HOLDS),
    (one("ArnLike", ARN, "arn:aws:iam::*:user/*bob"), one("StringEquals", "aws:username", "bob"), NOT),
    (one("StringEquals", "aws:PrincipalType", "User"), one("Null", "aws:username", "false"), HOLDS),
    (one("StringEquals", "aws:PrincipalAccount", OWNER), one("StringEquals", ID, "abc"), HOLDS),
    # several values
    (one("ForAnyValue:StringEquals", "aws:TagKeys", "a"), one("ForAllValues:StringEquals", "aws:TagKeys", "a"), NOT),
    (one("ForAllValues:StringEquals", "aws:TagKeys", "a"), one("ForAnyValue:StringEquals", "aws:TagKeys", "a"), NOT),
    (one("ForAnyValue:StringEquals", "aws:TagKeys", "a"), one("ForAnyValue:StringLike", "aws:TagKeys", "?"), HOLDS),
    (one("StringEquals", "aws:TagKeys", "a"), one("ForAllValues:StringEquals", "aws:TagKeys", "a"), OPEN),
    # bytes
    (one("BinaryEquals", "x:blob", "QUJD"), one("BinaryEquals", "x:blob", "QUJD", "QUJE"), HOLDS),
    (one("Null", "x:blob", "false"), one("BinaryEquals", "x:blob", "QUJD"), NOT),
    # variables
    (one("StringEquals", NAME, "${aws:username}"), one("StringLike", NAME, "*${aws:username}"), HOLDS),
    (one("StringLike", NAME, "x-${aws:username}-*"), one("StringLike", NAME, "x-*"), HOLDS),
    (one("StringLike", NAME, "x-${aws:username}-*"), one("StringLike", NAME, "x-*-y*"), NOT),
    (one("StringEquals", NAME, "${aws:username}"), one("Null", "aws:username", "false"), HOLDS),
    (one("StringEquals", NAME, "${aws:username, 'nobody'}"), one("Null", "aws:username", "false"), NOT),
    (one("StringNotEquals", NAME, "${aws:username}"), one("Null", "aws:username", "false"), NOT),
    (one("ArnLike", ARN, "arn:aws:iam::*:user/${aws:PrincipalTag/team}/*"), one("Null", TAG, "false"), HOLDS),
    (
        one("StringEqualsIgnoreCase", NAME, "${aws:username}"),
        one("StringEquals", NAME, "${aws:username}"),
        NOT,
    ),
    (one("StringLike", TAG, "a*", "${aws:PrincipalTag/other}"), one("StringLike", TAG, "a*"), NOT),
]


@pytest.mark.parametrize(("policy", "within", "expected"), CASES)
def test_each_operator(policy: Any, within: Any, expected: str) -> None:
    assert verdict(trust(statement(policy)), trust(statement(within))) == expected


@pytest.mark.parametrize(("policy", "within", "expected"), CASES)
def test_the_prover_on_boxes_says_the_same(policy: Any, within: Any, expected: str) -> None:
    left, right = trust(statement(policy)), trust(statement(within))
    result = by_boxes(Question({"trust": [left]}, {"trust": [right]}, ROLE))
    if isinstance(result, Unknown):
        assert expected == OPEN or "${" in str((policy, within)), result.reason
    else:
        assert isinstance(result, Proof if expected == HOLDS else Counterexample)


def test_without_the_version_a_variable_is_plain_text() -> None:
    plain, version = statement(one("StringEquals", NAME, "${aws:username}")), "2008-10-17"
    assert verdict(trust(plain, version=version), trust(statement(one("Null", ID, "true")), version=version)) == HOLDS


@pytest.mark.parametrize(
    ("policy", "within", "expected"),
    [
        (ROOT, "*", HOLDS),
        ("*", ROOT, NOT),
        (THEM, ROOT, HOLDS),
        (f"arn:aws:iam::{THEM}:role/path/ops", ROOT, HOLDS),
        (ROOT, f"arn:aws:iam::{THEM}:role/path/ops", NOT),
        (f"arn:aws:sts::{THEM}:assumed-role/ops/me", f"arn:aws:iam::{THEM}:role/ops", HOLDS),
        ([ROOT, f"arn:aws:iam::{OWNER}:user/bob"], ROOT, NOT),
        ("AIDAEXAMPLEEXAMPLE123", ROOT, NOT),
    ],
)
def test_principals(policy: Any, within: Any, expected: str) -> None:
    assert verdict(trust(statement(principal=policy)), trust(statement(principal=within))) == expected


def test_a_deny_takes_away_and_a_deny_in_the_reference_gives() -> None:
    everybody = trust(statement(principal="*"))
    guard = statement(one("StringNotEquals", "aws:PrincipalAccount", THEM), "*", "Deny")
    guarded = trust(statement(principal="*"), guard)
    services = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    assert verdict(guarded, trust(statement())) == HOLDS
    assert verdict(everybody, guarded) == NOT
    assert verdict(trust(statement(), services), guarded) == NOT


def test_services_and_providers_are_told_apart() -> None:
    def to(kind: str, name: str, action: str) -> Policy:
        return trust({"Effect": "Allow", "Principal": {kind: name}, "Action": action})

    saml = f"arn:aws:iam::{OWNER}:saml-provider/corp"
    assert verdict(to("Service", "ec2.amazonaws.com", "sts:*"), to("Service", "s3.amazonaws.com", "sts:*")) == NOT
    assert verdict(to("Federated", saml, "sts:*"), to("Federated", saml, "sts:AssumeRoleWithSAML")) == NOT
    assert verdict(to("Federated", saml, "sts:AssumeRoleWithWebIdentity"), trust(statement())) == HOLDS


def test_a_caller_and_a_moment_can_be_given() -> None:
    ops, dev = f"arn:aws:iam::{THEM}:role/team/ops", f"arn:aws:iam::{THEM}:role/team/dev"
    only = trust(statement(one("ArnEquals", ARN, ops)))
    assert verdict(trust(statement()), only) == NOT
    assert verdict(trust(statement()), only, caller=ops) == HOLDS
    assert verdict(trust(statement()), only, caller=dev) == NOT
    ended = trust(statement(one("DateLessThan", "aws:CurrentTime", "2026-01-01T00:00:00Z")))
    assert verdict(ended, trust(statement(one("StringEquals", ID, "none")))) == NOT
    later = datetime(2026, 1, 1, tzinfo=UTC)
    assert verdict(ended, trust(statement(one("StringEquals", ID, "none"))), now=later) == HOLDS


def test_both_provers_know_the_sessions_and_ids_of_a_given_caller() -> None:
    ops, nobody = f"arn:aws:iam::{THEM}:role/team/ops", trust(statement(one("StringEquals", ID, "none")))
    me = trust(statement(principal=f"arn:aws:sts::{THEM}:assumed-role/ops/me"))
    gone = trust(statement(principal="AROAEXAMPLEEXAMPLE123"))
    for policy in (me, gone):
        assert verdict(policy, nobody, caller=ops) == NOT
        assert isinstance(prove(policy, within=nobody, resource=ROLE, caller=ops), Counterexample)
    other = f"arn:aws:iam::{THEM}:role/dev"
    assert verdict(me, nobody, caller=other) == HOLDS
    assert isinstance(prove(me, within=nobody, resource=ROLE, caller=other), Proof)


@pytest.mark.parametrize("caller", [ROOT, f"arn:aws:sts::{THEM}:assumed-role/ops/me", "ec2.amazonaws.com"])
def test_a_caller_that_is_no_user_or_role_is_refused(caller: str) -> None:
    for ask in (prove, solve):
        with pytest.raises(PolicyError):
            ask(trust(statement()), within=trust(statement()), resource=ROLE, caller=caller)


def test_a_unique_id_counts_beside_a_less_direct_name() -> None:
    """The entry names the role itself, not only its account: the caller's own policies need not allow the call."""
    ops = f"arn:aws:iam::{OWNER}:role/ops"
    by_id, both = "AROAEXAMPLEEXAMPLE123", [f"arn:aws:iam::{OWNER}:root", "AROAEXAMPLEEXAMPLE123"]
    none = parse_policy({"Version": "2012-10-17", "Statement": []}, kind="identity")
    for principal, expected in ((by_id, Counterexample), (both, Counterexample), (both[0], Proof)):
        mine = {"trust": trust(statement(principal=principal)), "identity": none}
        asked: dict[str, Any] = {"resource": ROLE, "caller": ops}
        assert isinstance(prove(mine, within=trust(statement(principal=THEM)), **asked), expected)
        result = solve(mine, trust(statement(principal=THEM)), **asked).verdict
        assert result == (HOLDS if expected is Proof else NOT)


def permissions(*statements: Any, kind: Any = "identity") -> Policy:
    return parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, kind=kind)


def test_permissions_within_a_boundary() -> None:
    reads = {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"}
    bucket = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws:username}/*"}
    all_ = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    assert solve(permissions(bucket), permissions(reads)).verdict == HOLDS
    answer = solve(permissions(all_), permissions(reads))
    assert answer.request is not None
    limited = {"identity": permissions(all_), "boundary": permissions(reads, kind="boundary")}
    assert solve(limited, permissions(reads)).verdict == HOLDS
    never_iam = {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}
    assert solve({"identity": permissions(all_, never_iam)}, permissions(all_, never_iam)).verdict == HOLDS
    assert solve(permissions(all_), permissions(all_, never_iam)).verdict == NOT


@pytest.mark.parametrize(
    "condition",
    [
        one("StringLike", IP, "10.*"),
        one("StringEqualsIgnoreCase", TAG, "ärger"),
        {**one("NumericLessThan", "x:y", "5"), **one("IpAddress", "x:y", "10.0.0.1")},
        one("ArnLike", "aws:SourceArn", "arn:aws:sns:${aws:PrincipalTag/team}:*:topic"),
        one("StringEquals", TAG, "${aws:SourceIp}"),
    ],
)
def test_what_cannot_be_written_down_is_unknown_with_its_reason(condition: Any) -> None:
    answer = solve(trust(statement(condition)), trust(statement(one("StringEquals", ID, "abc"))), resource=ROLE)
    assert (answer.verdict, answer.request) == ("unknown", None)
    assert answer.reason


def test_the_time_limit_holds() -> None:
    answer = solve(trust(statement()), trust(statement(one("StringEquals", ID, "abc"))), seconds=0.0)
    assert (answer.verdict, answer.reason) == ("unknown", "the time was over")


def test_it_decides_variables_that_boxes_cannot_tell() -> None:
    mine = trust(statement(one("StringLike", NAME, "x-${aws:username}-*")))
    for within, expected in (("x-*", HOLDS), ("x-*-y*", NOT)):
        other = trust(statement(one("StringLike", NAME, within)))
        assert verdict(mine, other) == expected
        assert isinstance(prove(mine, within=other, resource=ROLE), Unknown)


def test_without_cvc5_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cvc5", None)
    with pytest.raises(ValetkeyError, match="cvc5 is not installed"):
        solve(trust(statement()), trust(statement()))
