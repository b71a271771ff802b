"""`can`: for every request in question, with the statement that decides; what is not known is never guessed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.grants.effects import END, NOW, ROLE, allow, deny, document, effective
from tests.unit.grants.whole_errors import whole_error

from valetkey.catalog.actions import resources
from valetkey.errors import PolicyError, ValetkeyError
from valetkey.grants.can import RESOURCE, ActionAnswer, Deciding, Example, can
from valetkey.grants.effective import Effective, Named, UnreadPolicy
from valetkey.policy import parse_policy
from valetkey.prover import Limits
from valetkey.trust.record import REVOKED, SESSIONS
from valetkey.trust.self_denies import SessionsDeny, kill_deny

OFFICE = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
OBJECTS = "arn:aws:s3:::data/*"


def ask(of: Effective, action: str, resource: str = "*", **more: Any) -> ActionAnswer:
    return can(of, action, resource, known=more.pop("known", {}), now=more.pop("now", NOW))


def with_policy(of: Effective, name: str, given: dict[str, Any]) -> Effective:
    more = Named(name, parse_policy(given, kind="identity"), given)
    return Effective(of.name, of.role_arn, (*of.policies, more), of.boundary, of.unread)


def test_allowed_names_the_statement_of_the_policy_and_of_the_boundary() -> None:
    of = effective(allow("ec2:*"), allow("s3:Get*", Sid="Reads"), boundary=document(allow("s3:*")))
    answer = ask(of, "s3:GetObject")
    assert answer.verdict == "allowed"
    assert answer.denied is None
    assert answer.allowed is not None
    assert [str(item) for item in answer.allowed.decided_by] == [
        "chosen, statement 2 (Reads)",
        "the boundary limit, statement 1",
    ]


def test_the_boundary_denies_what_the_policies_allow() -> None:
    answer = ask(effective(allow("*"), boundary=document(allow("s3:*"))), "ec2:RunInstances")
    assert answer.verdict == "denied"
    assert answer.denied is not None
    assert answer.denied.outcome == "implicit_deny"
    assert [item.side for item in answer.denied.decided_by] == ["boundary"]


def test_the_own_deny_denies_changing_the_own_role_and_not_reading_it() -> None:
    of = effective(allow("*"))
    answer = ask(of, "iam:PutRolePolicy", ROLE)
    assert answer.verdict == "denied"
    assert answer.denied is not None
    assert "valetkey-own-role" in str(answer.denied.decided_by[0])
    assert ask(of, "iam:GetRole", ROLE).verdict == "allowed"
    other = ask(of, "iam:PutRolePolicy", "arn:aws:iam::111111111111:role/*")
    assert (other.verdict, other.depends_on) == ("depends", (RESOURCE,))


def test_the_end_denies_everything_from_its_moment_on() -> None:
    of = effective(allow("*"))
    assert ask(of, "ec2:RunInstances", now=END - timedelta(seconds=1)).verdict == "allowed"
    answer = ask(of, "ec2:RunInstances", now=END)
    assert answer.verdict == "denied"
    assert answer.denied is not None
    assert "valetkey-until" in str(answer.denied.decided_by[0])
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
    answer = ask(of, "s3:GetObject", "arn:aws:s3:::data/x")
    assert answer.verdict == "depends"
    assert set(answer.depends_on) == {"aws:SourceIp", "aws:SecureTransport"}
    assert answer.allowed is not None
    assert str(answer.allowed.context["aws:SourceIp"]).startswith("192.0.2.")
    assert answer.denied is not None
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
    both = [allow("s3:GetObject", "*", {"Bool": {"aws:SecureTransport": item}}) for item in ("true", "false")]
    assert ask(effective(*both), "s3:GetObject").verdict == "allowed"
    assert ask(effective(both[0]), "s3:GetObject").verdict == "depends"


def test_a_policy_that_was_not_read_leaves_open_what_it_may_decide() -> None:
    hidden = (UnreadPolicy("Secret", "iam:GetPolicy: AccessDenied", boundary=False),)
    allowed = ask(effective(allow("ec2:*"), unread=hidden), "ec2:RunInstances")
    assert allowed.verdict == "unknown"
    assert "Secret" in allowed.reason
    assert allowed.allowed is allowed.denied is None
    assert ask(effective(unread=hidden), "ec2:RunInstances").verdict == "unknown"
    # It holds whatever that policy says.
    assert ask(effective(allow("*"), unread=hidden), "iam:DeleteRole", ROLE).verdict == "denied"
    limit = (UnreadPolicy("Limit", "iam:GetPolicy: AccessDenied", boundary=True),)
    assert ask(effective(allow("ec2:*"), unread=limit), "ec2:RunInstances").verdict == "unknown"
    assert ask(effective(allow("ec2:*"), unread=limit), "s3:GetObject").verdict == "denied"


def test_what_aws_does_not_document_is_not_decided() -> None:
    empty = {"Effect": "Allow", "Action": "s3:GetObject", "NotResource": []}
    answer = ask(effective(empty), "s3:GetObject")
    assert answer.verdict == "unknown"
    assert answer.reason


def test_a_resource_of_another_account_needs_its_own_policy() -> None:
    of = effective(allow("sqs:*"))
    assert ask(of, "sqs:SendMessage", "arn:aws:sqs:eu-west-1:111111111111:q").verdict == "allowed"
    assert ask(of, "sqs:SendMessage", "arn:aws:sqs:eu-west-1:333333333333:q").verdict == "denied"
    assert ask(of, "sqs:SendMessage", "arn:aws:sqs:*:333333333333:*").verdict == "denied"


def test_too_much_for_a_proof_is_shown_by_examples() -> None:
    many = [f"arn:aws:apigateway:*::/apis/*/{name}/*/x{name}*" for name in "abcdefghijklmnopqrstuvwxyz"]
    many += [f"arn:aws:apigateway:*::/*/{name}*" for name in "abcdefghijklmnopqrstuvwxyz"]
    answer = ask(effective(allow("apigateway:GET", many)), "apigateway:GET")
    assert (answer.verdict, answer.depends_on) == ("depends", (RESOURCE,))


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
    answer = ask(tagged, "ec2:StopInstances", on, known=known)
    assert (answer.verdict, answer.depends_on) == ("depends", ("aws:ResourceTag/team",))


# -- whole

AT = {
    "aws:CurrentTime": "2026-11-29T12:00:00Z",
    "aws:TokenIssueTime": "2026-11-29T12:00:00Z",
    "aws:EpochTime": "1795953600",
}
ONE = "arn:aws:s3:::data/x"


def by(statement: int = 1, policy: str = "chosen", sid: str | None = None, tests: tuple[str, ...] = ()) -> Deciding:
    return Deciding(policy, "identity", statement, sid, tests)


def test_an_answer_is_told_whole() -> None:
    of = effective(allow("s3:GetObject", OBJECTS, OFFICE))
    inside, outside = (
        'aws:SourceIp in "192.0.2.0/24" (the request has "192.0.2.0")',
        'requires aws:SourceIp in "192.0.2.0/24", the request has none',
    )
    assert ask(of, "s3:GetObject", ONE) == ActionAnswer(
        name="audit",
        role_arn=ROLE,
        action="s3:GetObject",
        resource=ONE,
        verdict="depends",
        reason="",
        allowed=Example(ONE, {"aws:SourceIp": "192.0.2.0"}, "allowed", (by(tests=(inside,)),)),
        denied=Example(ONE, {}, "implicit_deny", (by(tests=(outside,)),)),
        depends_on=("aws:SourceIp",),
        known=AT,
        unread=(),
    )


def test_what_is_known_is_no_part_of_an_example() -> None:
    of = effective(allow("*"), boundary=document(allow("s3:*", Sid="B")))
    known = {"aws:SourceIp": "192.0.2.1"}
    answer = ask(of, "s3:GetObject", ONE, known=known)
    limit = Deciding("limit", "boundary", 1, "B", ())
    assert (answer.verdict, answer.denied, answer.depends_on) == ("allowed", None, ())
    assert answer.allowed == Example(ONE, {}, "allowed", (by(), limit))
    assert answer.known == {**AT, **known}
    assert [str(item) for item in (by(2), by(sid="X"), limit)] == [
        "chosen, statement 2",
        "chosen, statement 1 (X)",
        "the boundary limit, statement 1 (B)",
    ]


def test_a_time_that_is_asked_about_takes_the_place_of_the_present() -> None:
    known = {"AWS:currenttime": "2027-01-01T00:00:00Z"}
    assert ask(effective(allow("*")), "s3:GetObject", ONE, known=known).known == {
        "aws:TokenIssueTime": "2026-11-29T12:00:00Z",
        **known,
    }
    issued = {"aws:TokenIssueTime": "2020-01-01T00:00:00Z"}
    assert ask(effective(allow("*")), "s3:GetObject", ONE, known=issued).known == {**AT, **issued}


@pytest.mark.parametrize(
    ("statements", "resource", "shown"),
    [
        ([], "*", "arn:aws:s3:::another-bucket/key"),
        ([], "arn:aws:s3:::a?/*", "arn:aws:s3:::aa/"),
        ([], ONE, ONE),
    ],
)
def test_of_what_is_denied_for_sure_one_request_is_shown(statements: list[Any], resource: str, shown: str) -> None:
    answer = ask(effective(*statements, own=False), "s3:GetObject", resource)
    assert (answer.verdict, answer.allowed, answer.depends_on) == ("denied", None, ())
    assert answer.denied == Example(shown, {}, "implicit_deny", ())


def test_a_resource_that_some_requests_name_and_some_do_not() -> None:
    """Of an action that AWS does not list anything may be the resource; of one that takes none, it is `*`."""
    wide = ask(effective(allow("new:*", "arn:aws:new:::x")), "new:Thing")
    assert (wide.verdict, wide.depends_on) == ("depends", (RESOURCE,))
    assert wide.allowed == Example("arn:aws:new:::x", {}, "allowed", (by(),))
    none = ask(effective(allow("*"), own=False), "s3:ListAllMyBuckets")
    assert none.allowed == Example("*", {}, "allowed", (by(),))
    bare = ask(effective(allow("s3:ListAllMyBuckets", "arn:aws:s3:::x"), own=False), "s3:ListAllMyBuckets")
    assert (bare.verdict, bare.depends_on) == ("denied", ())


def test_an_action_with_many_resource_types_is_asked_about_its_service() -> None:
    """RunInstances takes more than six types: an instance alone is not all of them."""
    some = ask(effective(allow("*", "arn:aws:ec2:*:*:instance/*")), "ec2:RunInstances")
    assert (some.verdict, some.depends_on) == ("depends", (RESOURCE,))
    assert some.denied is not None
    assert some.denied.resource == "arn:aws:ec2:::a"


SIX = [f"arn:aws:databrew:*:*:{item}/*" for item in ("dataset", "job", "project", "recipe", "ruleset", "schedule")]
SEVEN = [
    f"arn:aws:appstream:*:*:{item}/*"
    for item in ("app-block", "app-block-builder", "application", "fleet", "image", "image-builder", "stack")
]


@pytest.mark.parametrize(
    ("action", "on", "verdict"),
    [
        # Six types are told apart, and each has to be allowed; of more the service is asked about.
        ("databrew:ListTagsForResource", [*SIX, "*"], "allowed"),
        ("appstream:TagResource", [*SEVEN], "depends"),
    ],
)
def test_every_resource_type_of_an_action_counts(action: str, on: list[str], verdict: str) -> None:
    assert resources(action.lower(), "aws") in ((tuple(SIX), True), (tuple(SEVEN), True)), "as AWS lists them"
    assert ask(effective(allow(action, on), own=False), action).verdict == verdict


def test_that_a_request_may_name_no_resource_is_a_difference_too() -> None:
    """Every resource of the service is allowed, and a request without one is not."""
    answer = ask(effective(allow("databrew:*", "arn:aws:databrew:*"), own=False), "databrew:ListTagsForResource")
    assert (answer.verdict, answer.depends_on) == ("depends", (RESOURCE,))
    assert answer.denied is not None
    assert answer.denied.resource == "*"


SECRET = "arn:aws:s3:::a/b"


@pytest.mark.parametrize(
    ("statements", "resource", "verdict", "shown", "depends"),
    [
        (
            [allow("s3:GetObject", OBJECTS)],
            "arn:aws:s3:::d*",
            "depends",
            (f"{OBJECTS[:-1]}x", "arn:aws:s3:::dx"),
            (RESOURCE,),
        ),
        ([allow("s3:GetObject", OBJECTS)], ONE, "allowed", (ONE, None), ()),
        (
            [allow("s3:GetObject"), deny("s3:GetObject", SECRET)],
            "arn:aws:s3:::a/*",
            "depends",
            ("arn:aws:s3:::a/x", SECRET),
            (RESOURCE,),
        ),
        (
            [allow("s3:GetObject", SECRET), allow("s3:GetObject", "arn:aws:s3:::${aws:username}/*")],
            "arn:aws:s3:::a/*",
            "depends",
            (SECRET, "arn:aws:s3:::a/x"),
            (RESOURCE,),
        ),
    ],
)
def test_too_much_for_a_proof_is_tried_on_the_resources_that_are_named(
    statements: list[Any], resource: str, verdict: str, shown: tuple[str | None, str | None], depends: tuple[str, ...]
) -> None:
    answer = can(effective(*statements), "s3:GetObject", resource, known={}, now=NOW, limits=Limits(states=0))
    assert (answer.verdict, answer.reason, answer.depends_on) == (verdict, "", depends)
    assert tuple(example and example.resource for example in (answer.allowed, answer.denied)) == shown


def test_what_no_try_shows_is_left_open_with_the_reason() -> None:
    within = effective(allow("s3:GetObject"), deny("s3:GetObject", "*", OFFICE))
    answer = can(within, "s3:GetObject", "arn:aws:s3:::a/*", known={}, now=NOW, limits=Limits(steps=0))
    assert (answer.verdict, answer.reason, answer.denied) == ("unknown", "it takes more than 0 steps", None)
    assert answer.allowed is not None
    assert (answer.allowed.resource, answer.depends_on) == ("arn:aws:s3:::a/x", ("aws:SourceIp",))
    needs = effective(allow("s3:GetObject", OBJECTS, OFFICE))
    answer = can(needs, "s3:GetObject", ONE, known={}, now=NOW, limits=Limits(states=0))
    assert (answer.verdict, answer.allowed) == ("unknown", None)
    assert answer.reason == "aws:sourceip together fall into more than 0 classes"
    assert answer.denied is not None
    assert (answer.denied.resource, answer.depends_on) == (ONE, ("aws:SourceIp",))


def test_a_policy_variable_of_an_unknown_key_is_told() -> None:
    of = effective(allow("s3:GetObject", "arn:aws:s3:::${aws:PrincipalTag/team}/*"))
    answer = ask(of, "s3:GetObject", "arn:aws:s3:::red/x")
    assert answer.reason == (
        "the documents compare a key with a string that contains a policy variable, which valetkey does not decide"
    )
    assert (answer.verdict, answer.allowed) == ("unknown", None)
    assert answer.denied is not None
    assert answer.denied.outcome == "implicit_deny"


@pytest.mark.parametrize(
    ("key", "value", "write"),
    [
        ("aws:CurrentTime", "soon", "a time like 2027-01-01T00:00:00Z"),
        ("aws:SecureTransport", "yes", "true or false"),
        ("aws:SourceIp", "here", "an IP address"),
        ("aws:MultiFactorAuthAge", "old", "a number"),
    ],
)
def test_a_value_that_fits_no_condition_is_told_with_what_would(key: str, value: str, write: str) -> None:
    with pytest.raises(ValetkeyError) as refused:
        ask(effective(allow("*")), "s3:GetObject", known={key: value})
    assert whole_error(refused) == (f"'{value}' is not a value of {key}", f"write {write}", "", 2)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("aws:CurrentTime", "2027-01-01T00:00:00Z"),
        ("aws:SecureTransport", "true"),
        ("aws:SourceIp", "192.0.2.1"),
        ("aws:MultiFactorAuthAge", "900"),
        ("aws:username", "anything at all"),
    ],
)
def test_a_value_that_a_condition_can_read_is_taken(key: str, value: str) -> None:
    assert ask(effective(allow("*")), "s3:GetObject", ONE, known={key: value}).known[key] == value


def test_a_pattern_of_actions_is_told() -> None:
    with pytest.raises(ValetkeyError) as refused:
        ask(effective(allow("*")), "s3:Get*")
    assert whole_error(refused) == (
        "'s3:Get*' is a pattern of actions",
        "ask about one action, like s3:GetObject",
        "",
        2,
    )


def test_what_was_not_read_is_told_with_the_reason() -> None:
    hidden = (
        UnreadPolicy("A", "iam:GetPolicy: AccessDenied", boundary=False),
        UnreadPolicy("B", "it is not a JSON object", boundary=True),
    )
    answer = ask(effective(allow("ec2:*", "*", OFFICE), unread=hidden), "ec2:RunInstances")
    said = ("A (iam:GetPolicy: AccessDenied)", "B (it is not a JSON object)")
    assert (answer.verdict, answer.unread, answer.depends_on) == ("unknown", said, ())
    assert answer.reason == f"policies could not be read: {', '.join(said)}"
    assert (answer.allowed, answer.denied) == (None, None)


@pytest.mark.parametrize(
    ("resource", "verdict"),
    [
        ("arn:aws:sqs:eu-west-1:111111111111:q", "allowed"),
        ("arn:aws:sqs:eu-west-1:333333333333:q", "denied"),
        ("arn:aws:sqs:*:*:q", "allowed"),
        ("arn:aws:sqs:eu-west-1:111111111111:*", "allowed"),
        ("arn:aws:sqs:eu-west-1:333333333333:*", "denied"),
        ("arn:aws:sqs:eu-west-1:333333333333:q:more", "denied"),
    ],
)
def test_the_account_of_the_resource_is_the_one_in_its_arn(resource: str, verdict: str) -> None:
    assert ask(effective(allow("sqs:*")), "sqs:SendMessage", resource).verdict == verdict


def test_the_session_is_one_of_the_role() -> None:
    """Also in another partition, and where the role has a path."""
    named = {"ArnLike": {"aws:PrincipalArn": "arn:aws-cn:iam::111111111111:role/p/audit"}}
    sts = {"StringLike": {"aws:userid": "*:session"}}
    of = effective(allow("s3:GetObject", "*", named), allow("s3:PutObject", "*", sts), own=False)
    of = replace(of, role_arn="arn:aws-cn:iam::111111111111:role/p/audit")
    assert ask(of, "s3:GetObject", "arn:aws-cn:s3:::a/b").verdict == "allowed"
    other = replace(of, role_arn="arn:aws-cn:iam::111111111111:role/q/audit")
    assert ask(other, "s3:GetObject", "arn:aws-cn:s3:::a/b").verdict == "denied"


def test_every_key_that_decides_is_named_once() -> None:
    of = effective(
        allow("s3:GetObject", OBJECTS, OFFICE),
        deny("s3:GetObject", "*", {"Bool": {"AWS:SecureTransport": "false"}}),
        deny("s3:GetObject", "*", {"NotIpAddress": {"AWS:sourceip": "192.0.2.0/25"}}),
    )
    assert ask(of, "s3:GetObject", ONE).depends_on == ("aws:SourceIp", "AWS:SecureTransport")
    assert ask(of, "s3:GetObject", "arn:aws:s3:::*").depends_on == ("aws:SourceIp", "AWS:SecureTransport", RESOURCE)


def test_a_deny_on_all_but_some_resources_tells_them_apart() -> None:
    apart = {"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::data/a*"}
    answer = ask(effective(allow("s3:GetObject", "*"), apart), "s3:GetObject", OBJECTS)
    assert (answer.verdict, answer.depends_on) == ("depends", (RESOURCE,))
    assert (
        ask(effective(allow("s3:GetObject", "*"), apart), "s3:GetObject", "arn:aws:s3:::data/ab").verdict == "allowed"
    )


@pytest.mark.parametrize("resource", [ONE, "arn:aws:s3:::a*", "*"])
def test_what_is_allowed_outright_needs_no_search(resource: str) -> None:
    nothing = Limits(steps=0)
    of = effective(allow("s3:*"), own=False)
    assert can(of, "s3:GetObject", resource, known={}, now=NOW, limits=nothing).verdict == "allowed"
    kept = effective(allow("s3:*"), deny("s3:*", "arn:aws:s3:::*/x", OFFICE), own=False)
    answer = can(kept, "s3:GetObject", resource.replace("data/x", "data/*"), known={}, now=NOW, limits=nothing)
    assert answer.verdict != "allowed"
    # A resource of another account is not allowed by the role's policies alone, however wide they are.
    queue = "arn:aws:sqs:eu-west-1:333333333333:q"
    answer = can(effective(allow("*"), own=False), "sqs:SendMessage", queue, known={}, now=NOW, limits=nothing)
    assert answer.verdict in ("denied", "unknown")
