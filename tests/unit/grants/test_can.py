"""`can`: for every request in question, with the statement that decides; what is not known is never guessed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.unit.grants.effects import END, NOW, ROLE, allow, deny, document, effective

from valetkey.errors import PolicyError, ValetkeyError
from valetkey.grants.can import RESOURCE, Answer, can
from valetkey.grants.effective import Effective, Named, Unread
from valetkey.policy import parse_policy
from valetkey.trust.record import REVOKED, SESSIONS
from valetkey.trust.self_denies import SessionsDeny, kill_deny

OFFICE = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
OBJECTS = "arn:aws:s3:::data/*"


def ask(of: Effective, action: str, resource: str = "*", **more: Any) -> Answer:
    return can(of, action, resource, known=more.pop("known", {}), now=more.pop("now", NOW))


def with_policy(of: Effective, name: str, given: dict[str, Any]) -> Effective:
    more = Named(name, parse_policy(given, kind="identity"), given)
    return Effective(of.name, of.role_arn, (*of.policies, more), of.boundary, of.unread)


def test_allowed_names_the_statement_of_the_policy_and_of_the_boundary() -> None:
    of = effective(allow("ec2:*"), allow("s3:Get*", Sid="Reads"), boundary=document(allow("s3:*")))
    found = ask(of, "s3:GetObject")
    assert found.verdict == "allowed"
    assert found.denied is None
    assert found.allowed is not None
    assert [str(each) for each in found.allowed.decided_by] == [
        "chosen, statement 2 (Reads)",
        "the boundary limit, statement 1",
    ]


def test_the_boundary_denies_what_the_policies_allow() -> None:
    found = ask(effective(allow("*"), boundary=document(allow("s3:*"))), "ec2:RunInstances")
    assert found.verdict == "denied"
    assert found.denied is not None
    assert found.denied.outcome == "implicit_deny"
    assert [each.side for each in found.denied.decided_by] == ["boundary"]


def test_the_own_deny_denies_changing_the_own_role_and_not_reading_it() -> None:
    of = effective(allow("*"))
    found = ask(of, "iam:PutRolePolicy", ROLE)
    assert found.verdict == "denied"
    assert found.denied is not None
    assert "valetkey-own-role" in str(found.denied.decided_by[0])
    assert ask(of, "iam:GetRole", ROLE).verdict == "allowed"
    other = ask(of, "iam:PutRolePolicy", "arn:aws:iam::111111111111:role/*")
    assert (other.verdict, other.depends_on) == ("depends", (RESOURCE,))


def test_the_end_denies_everything_from_its_moment_on() -> None:
    of = effective(allow("*"))
    assert ask(of, "ec2:RunInstances", now=END - timedelta(seconds=1)).verdict == "allowed"
    found = ask(of, "ec2:RunInstances", now=END)
    assert found.verdict == "denied"
    assert found.denied is not None
    assert "valetkey-until" in str(found.denied.decided_by[0])
    # A time that is asked about takes the place of the present, also in the key that says it in seconds.
    assert ask(of, "ec2:RunInstances", known={"AWS:currenttime": "2027-01-01T00:00:00Z"}).verdict == "denied"


def test_suspension_and_revocation_deny_everything_now() -> None:
    of = effective(allow("*"))
    suspended = SessionsDeny(since=NOW - timedelta(hours=1), until=NOW + timedelta(hours=1)).document
    assert ask(with_policy(of, SESSIONS, suspended), "ec2:RunInstances").verdict == "denied"
    later = ask(with_policy(of, SESSIONS, suspended), "ec2:RunInstances", now=NOW + timedelta(hours=2))
    assert later.verdict == "allowed"
    assert ask(with_policy(of, REVOKED, kill_deny()), "ec2:RunInstances").verdict == "denied"


def test_it_depends_on_the_keys_that_are_not_known() -> None:
    of = effective(
        allow("s3:GetObject", OBJECTS, OFFICE), deny("s3:*", "*", {"Bool": {"aws:SecureTransport": "false"}})
    )
    found = ask(of, "s3:GetObject", "arn:aws:s3:::data/x")
    assert found.verdict == "depends"
    assert set(found.depends_on) == {"aws:SourceIp", "aws:SecureTransport"}
    assert found.allowed is not None
    assert str(found.allowed.context["aws:SourceIp"]).startswith("192.0.2.")
    assert found.denied is not None
    known = {"aws:sourceip": "192.0.2.9"}
    assert ask(of, "s3:GetObject", "arn:aws:s3:::data/x", known=known).depends_on == ("aws:SecureTransport",)
    known["aws:SecureTransport"] = "true"
    assert ask(of, "s3:GetObject", "arn:aws:s3:::data/x", known=known).verdict == "allowed"
    known["aws:sourceip"] = "198.51.100.1"
    assert ask(of, "s3:GetObject", "arn:aws:s3:::data/x", known=known).verdict == "denied"


@pytest.mark.parametrize(
    ("resource", "verdict"),
    [
        ("arn:aws:s3:::data/2026/*", "allowed"),
        ("arn:aws:s3:::data/*", "allowed"),
        ("arn:aws:s3:::d*", "depends"),
        ("*", "depends"),
        ("arn:aws:s3:::other/*", "denied"),
        ("arn:aws:s3:::data/secret/x", "denied"),
    ],
)
def test_a_pattern_of_resources_is_every_resource_that_it_covers(resource: str, verdict: str) -> None:
    of = effective(allow("s3:GetObject", OBJECTS), deny("s3:GetObject", "arn:aws:s3:::data/secret/*"))
    expected = "depends" if resource == OBJECTS else verdict
    assert ask(of, "s3:GetObject", resource).verdict == expected


def test_two_statements_that_together_allow_every_case_allow() -> None:
    both = [allow("s3:GetObject", "*", {"Bool": {"aws:SecureTransport": each}}) for each in ("true", "false")]
    assert ask(effective(*both), "s3:GetObject").verdict == "allowed"
    assert ask(effective(both[0]), "s3:GetObject").verdict == "depends"


def test_a_policy_that_was_not_read_leaves_open_what_it_may_decide() -> None:
    hidden = (Unread("Secret", "iam:GetPolicy: AccessDenied", boundary=False),)
    allowed = ask(effective(allow("ec2:*"), unread=hidden), "ec2:RunInstances")
    assert allowed.verdict == "unknown"
    assert "Secret" in allowed.reason
    assert allowed.allowed is allowed.denied is None
    assert ask(effective(unread=hidden), "ec2:RunInstances").verdict == "unknown"
    # It holds whatever that policy says.
    assert ask(effective(allow("*"), unread=hidden), "iam:DeleteRole", ROLE).verdict == "denied"
    limit = (Unread("Limit", "iam:GetPolicy: AccessDenied", boundary=True),)
    assert ask(effective(allow("ec2:*"), unread=limit), "ec2:RunInstances").verdict == "unknown"
    assert ask(effective(allow("ec2:*"), unread=limit), "s3:GetObject").verdict == "denied"


def test_what_aws_does_not_document_is_not_decided() -> None:
    empty = {"Effect": "Allow", "Action": "s3:GetObject", "NotResource": []}
    found = ask(effective(empty), "s3:GetObject")
    assert found.verdict == "unknown"
    assert found.reason


def test_a_resource_of_another_account_needs_its_own_policy() -> None:
    of = effective(allow("sqs:*"))
    assert ask(of, "sqs:SendMessage", "arn:aws:sqs:eu-west-1:111111111111:q").verdict == "allowed"
    assert ask(of, "sqs:SendMessage", "arn:aws:sqs:eu-west-1:333333333333:q").verdict == "denied"
    assert ask(of, "sqs:SendMessage", "arn:aws:sqs:*:333333333333:*").verdict == "denied"


def test_too_much_for_a_proof_is_shown_by_examples() -> None:
    many = [f"arn:aws:apigateway:*::/apis/*/{name}/*/x{name}*" for name in "abcdefghijklmnopqrstuvwxyz"]
    many += [f"arn:aws:apigateway:*::/*/{name}*" for name in "abcdefghijklmnopqrstuvwxyz"]
    found = ask(effective(allow("apigateway:GET", many)), "apigateway:GET")
    assert (found.verdict, found.depends_on) == ("depends", (RESOURCE,))


@pytest.mark.parametrize("action", ["s3:Get*", "GetObject", "s3:", "s3:Get Object"])
def test_one_action_is_asked_about(action: str) -> None:
    with pytest.raises(ValetkeyError):
        ask(effective(allow("*")), action)


def test_a_resource_is_an_arn() -> None:
    with pytest.raises(PolicyError):
        ask(effective(allow("*")), "s3:GetObject", "my-bucket")


def test_nothing_on_the_role_allows_nothing() -> None:
    assert ask(effective(own=False), "s3:GetObject").verdict == "denied"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("aws:CurrentTime", "soon"),
        ("aws:SecureTransport", "yes"),
        ("aws:SourceIp", "here"),
        ("aws:MultiFactorAuthAge", "old"),
    ],
)
def test_a_value_that_no_condition_could_read_is_refused(key: str, value: str) -> None:
    with pytest.raises(ValetkeyError, match="is not a value of"):
        ask(effective(allow("*")), "s3:GetObject", known={key: value})


def test_a_policy_variable_takes_the_value_that_is_known() -> None:
    of = effective(allow("s3:GetObject", "arn:aws:s3:::${aws:PrincipalTag/team}/*"))
    known = {"aws:PrincipalTag/team": "red"}
    assert ask(of, "s3:GetObject", "arn:aws:s3:::red/x", known=known).verdict == "allowed"
    assert ask(of, "s3:GetObject", "arn:aws:s3:::blue/x", known=known).verdict == "denied"
    star = {"aws:PrincipalTag/team": "*"}
    assert ask(of, "s3:GetObject", "arn:aws:s3:::red/x", known=star).verdict == "denied"
    assert ask(of, "s3:GetObject", "arn:aws:s3:::red/x").verdict == "unknown"
    same = {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}
    tagged = effective(allow("ec2:StopInstances", "*", same))
    on = "arn:aws:ec2:eu-west-1:111111111111:instance/i-1"
    both = {**known, "aws:ResourceTag/team": "red"}
    assert ask(tagged, "ec2:StopInstances", on, known=both).verdict == "allowed"
    found = ask(tagged, "ec2:StopInstances", on, known=known)
    assert (found.verdict, found.depends_on) == ("depends", ("aws:ResourceTag/team",))
