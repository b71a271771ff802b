"""What the box prover says: the traps of trust policies as questions, every way to ask, and every way to be wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.prover.proving import (
    AGE,
    ARN,
    BUCKET,
    ID,
    IP,
    MFA,
    NAME,
    NOBODY,
    OWNER,
    ROLE,
    STRANGER,
    TAG,
    THEM,
    ask,
    bucket,
    identity,
    on,
    policy,
    trust,
)

from valetkey.errors import PolicyError
from valetkey.policy import Request, decide, parse_policy
from valetkey.prover import Counterexample, Limits, Proof, Unknown, prove
from valetkey.prover.proof import InternalError
from valetkey.prover.space import Space

HOLDS, NOT, UNKNOWN = Proof, Counterexample, Unknown
TERMS = {"Condition": on("StringEquals", ID, "example-7f3c") | on("Bool", MFA, "true")}


def under(operator: str, key: str, *values: Any, **more: Any) -> Any:
    return trust({"Condition": on(operator, key, *values), **more})


def deny(operator: str, key: str, *values: Any) -> Any:
    return trust({}, {"Effect": "Deny", "Condition": on(operator, key, *values)})


TRAPS: list[tuple[str, Any, Any, Any]] = [
    ("01 a negated test holds of a missing key", under("StringNotEquals", ID, "x1"), under("Null", ID, "false"), NOT),
    ("01 a positive one does not", under("StringEquals", ID, "x1"), under("Null", ID, "false"), HOLDS),
    ("01 IfExists does", under("StringEqualsIfExists", ID, "x1"), under("StringEquals", ID, "x1"), NOT),
    (
        "01 a Deny guard denies the missing key",
        deny("StringNotEquals", ID, "x1"),
        under("StringEquals", ID, "x1"),
        HOLDS,
    ),
    ("01 also IfExists", deny("StringNotEqualsIfExists", ID, "x1"), under("StringEquals", ID, "x1"), HOLDS),
    (
        "02 negated: none of the values",
        under("StringNotEquals", ID, "x1", "x2"),
        under("StringNotEquals", ID, "x1"),
        HOLDS,
    ),
    ("02 positive: any", under("StringEquals", ID, "x1", "x2"), under("StringEquals", ID, "x1"), NOT),
    (
        "02 operators and keys are all needed",
        trust(TERMS),
        under("StringEquals", ID, "example-7f3c"),
        HOLDS,
    ),
    (
        "03 ForAllValues holds of no key",
        under("ForAllValues:StringEquals", "aws:TagKeys", "a"),
        under("Null", "aws:TagKeys", "false"),
        NOT,
    ),
    (
        "03 ForAnyValue does not",
        under("ForAnyValue:StringEquals", "aws:TagKeys", "a"),
        under("Null", "aws:TagKeys", "false"),
        HOLDS,
    ),
    (
        "03 any is not all",
        under("ForAnyValue:StringEquals", "aws:TagKeys", "a"),
        under("ForAllValues:StringEquals", "aws:TagKeys", "a"),
        NOT,
    ),
    (
        "03 an empty text is no value",
        under("ForAllValues:StringEquals", "aws:TagKeys", "a"),
        trust(
            {"Condition": on("ForAnyValue:StringEquals", "aws:TagKeys", "a")},
            {"Condition": on("Null", "aws:TagKeys", "true")},
        ),
        NOT,
    ),
    (
        "04 several values without a set operator",
        under("Null", "aws:PrincipalOrgPaths", "false"),
        under("StringLike", "aws:PrincipalOrgPaths", "*"),
        UNKNOWN,  # AWS requires a set operator there, and does not say what happens without
    ),
    ("05 BoolIfExists lets long-term keys in", under("BoolIfExists", MFA, "true"), under("Bool", MFA, "true"), NOT),
    ("05 Deny false does not stop them", deny("Bool", MFA, "false"), under("Bool", MFA, "true"), NOT),
    ("05 Deny IfExists false does", deny("BoolIfExists", MFA, "false"), under("Bool", MFA, "true"), HOLDS),
    ("05 that the key is there proves nothing", under("Null", MFA, "false"), under("Bool", MFA, "true"), NOT),
    ("06 an age is there with MFA only", under("NumericLessThan", AGE, 300), under("Bool", MFA, "true"), HOLDS),
    ("06 IfExists is a hole", under("NumericLessThanIfExists", AGE, 300), under("Bool", MFA, "true"), NOT),
    ("06 a service has none", under("Bool", MFA, "true", Principal={"Service": "ec2.amazonaws.com"}), NOBODY, HOLDS),
    ("07 keys have no case", under("StringEquals", "STS:externalid", "x1"), under("StringEquals", ID, "x1"), HOLDS),
    ("07 values have", under("StringEqualsIgnoreCase", ID, "x1"), under("StringEquals", ID, "x1"), NOT),
    ("07 operators have none", under("stringequals", ID, "x1"), under("StringEquals", ID, "x1"), HOLDS),
    ("07 nor have actions", trust({"Action": "STS:assumerole"}), trust({}), HOLDS),
    (
        "08 StringLike crosses colons",
        under("StringLike", ARN, f"arn:aws:iam::*{THEM}*", Principal="*"),
        trust({}),
        NOT,
    ),
    ("08 ArnLike does not", under("ArnLike", ARN, f"arn:aws:iam::*{THEM}*:*", Principal="*"), trust({}), HOLDS),
    (
        "08 ArnEquals is ArnLike",
        under("ArnEquals", ARN, "arn:aws:iam::*:role/x"),
        under("ArnLike", ARN, "arn:aws:iam::*:role/*"),
        HOLDS,
    ),
    (
        "09 a variable without a value",
        under("StringNotEquals", TAG, "${aws:PrincipalTag/none}"),
        under("Null", TAG, "false"),
        NOT,
    ),
    (
        "09 a default",
        trust(
            {"Condition": on("StringEquals", NAME, "${aws:username, 'nobody'}") | on("Null", "aws:username", "true")}
        ),
        under("StringEquals", NAME, "nobody"),
        HOLDS,
    ),
    ("09 a star put in is none", under("StringEquals", ID, "a${*}"), under("StringEquals", ID, "ab"), HOLDS),
    (
        "09 nothing is put in before 2012",
        trust({"Condition": on("StringLike", TAG, "${*}")}, version="2008-10-17"),
        under("StringLike", TAG, "${*}"),
        NOT,
    ),
    ("10 no prefix is one address", under("IpAddress", IP, "10.0.0.1"), under("IpAddress", IP, "10.0.0.1/32"), HOLDS),
    ("10 versions of IP never meet", under("NotIpAddress", IP, "0.0.0.0/0"), under("IpAddress", IP, "::/0"), NOT),
    ("10 /0 is everything", under("IpAddress", IP, "203.0.113.0/24"), under("IpAddress", IP, "0.0.0.0/0"), HOLDS),
    ("10 and all of both", under("Null", IP, "false"), under("IpAddress", IP, "0.0.0.0/0", "::/0"), HOLDS),
    (
        "10 dates and epoch seconds are one",
        under("DateLessThan", "aws:CurrentTime", "2026-06-01T12:00:00Z"),
        under("DateLessThan", "aws:EpochTime", 1780315200),
        HOLDS,
    ),
    (
        "10 to the second",
        under("DateLessThanEquals", "aws:CurrentTime", "2026-06-01T12:00:00Z"),
        under("DateLessThan", "aws:EpochTime", 1780315200),
        NOT,
    ),
    ('11 true is "true"', under("Bool", MFA, True), under("Bool", MFA, "true"), HOLDS),
    ("12 an account is its root ARN", trust({}), trust({"Principal": {"AWS": f"arn:aws:iam::{THEM}:root"}}), HOLDS),
    ("12 and more than its root user", trust({}), under("ArnEquals", ARN, f"arn:aws:iam::{THEM}:root"), NOT),
    ("14 the caller's side only takes away", {"trust": trust({}), "identity": identity({})}, trust({}), HOLDS),
    ("14 and must allow", {"trust": trust({}), "identity": identity({"Action": "s3:*"})}, NOBODY, HOLDS),
    (
        "15 a session's ARN is the role's in the key",
        trust({"Principal": {"AWS": f"arn:aws:iam::{THEM}:role/team/worker"}}),
        under(
            "ArnEquals", ARN, f"arn:aws:iam::{THEM}:role/team/worker", f"arn:aws:iam::{THEM}:role/worker", Principal="*"
        ),
        NOT,  # a name is enough for a Principal, and the path is not in a session's ARN
    ),
    (
        "15 a role includes its sessions",
        trust({"Principal": {"AWS": f"arn:aws:sts::{THEM}:assumed-role/worker/one"}}),
        trust({"Principal": {"AWS": f"arn:aws:iam::{THEM}:role/worker"}}),
        HOLDS,
    ),
    (
        "15 and a session is not the role",
        trust({"Principal": {"AWS": f"arn:aws:iam::{THEM}:role/worker"}}),
        trust({"Principal": {"AWS": f"arn:aws:sts::{THEM}:assumed-role/worker/one"}}),
        NOT,
    ),
    ("16 everybody is more than an account", trust({"Principal": "*"}), trust({}), NOT),
    (
        "17 a unique id is no ARN",
        trust({"Principal": {"AWS": "AIDA1234567890123456"}}),
        trust({"Principal": {"AWS": f"arn:aws:iam::{THEM}:user/bob"}}),
        NOT,
    ),
    (
        "20 everybody with a condition is who the condition says",
        under("StringEquals", "aws:PrincipalAccount", THEM, Principal="*"),
        trust({}),
        HOLDS,
    ),
    ("21 tagging is an action of its own", trust({"Action": ["sts:AssumeRole", "sts:TagSession"]}), trust({}), NOT),
    (
        "22 an ExternalId comes with AssumeRole only",
        trust(
            {
                "Principal": {"Federated": "accounts.google.com"},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": on("Null", ID, "false"),
            }
        ),
        NOBODY,
        HOLDS,
    ),
    (
        "22 so this guard lets the others in",
        trust(
            {
                "Principal": {"Federated": "accounts.google.com"},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": on("StringNotEquals", ID, "x1"),
            }
        ),
        NOBODY,
        NOT,
    ),
    ("26 a star covers everything", under("StringLike", TAG, "*"), under("Null", TAG, "false"), HOLDS),
]


@pytest.mark.parametrize(("left", "within", "answer"), [row[1:] for row in TRAPS], ids=[row[0] for row in TRAPS])
def test_traps(left: Any, within: Any, answer: type) -> None:
    assert type(ask(left, within)) is answer


def test_trap_13_in_the_same_account_a_direct_grant_is_enough() -> None:
    home = {"AWS": f"arn:aws:iam::{OWNER}:user/bob"}
    nothing = identity({"Effect": "Deny", "Action": "s3:*"})
    assert type(ask({"trust": trust({"Principal": home}), "identity": nothing}, NOBODY)) is NOT
    assert type(ask({"trust": trust({"Principal": {"AWS": OWNER}}), "identity": nothing}, NOBODY)) is HOLDS
    assert type(ask({"trust": NOBODY, "identity": identity({})}, NOBODY)) is HOLDS


def test_trap_18_not_principal() -> None:
    with pytest.raises(PolicyError):
        trust({"NotPrincipal": {"AWS": THEM}})
    spared = {"AWS": [f"arn:aws:iam::{THEM}:user/bob", THEM]}
    guard = bucket({"Principal": "*"}, {"Effect": "Deny", "Action": "*", "NotPrincipal": spared})
    bob = bucket({"Principal": {"AWS": f"arn:aws:iam::{THEM}:user/bob"}})
    given = {"resource": BUCKET, "owner": OWNER}
    # The unsigned are refused too; the root user of the account is spared by the account's own entry.
    result = ask({"resource": guard, "identity": ()}, {"resource": bob, "identity": ()}, **given)
    assert isinstance(result, Counterexample)
    assert result.request.principal == f"arn:aws:iam::{THEM}:root"
    # Not with a boundary: then nobody is.
    bounded = {"resource": guard, "boundary": policy("boundary", {})}
    everything_denied = ask(bounded, {"resource": bucket({"Effect": "Deny", "Action": "*", "Principal": "*"})}, **given)
    assert isinstance(everything_denied, Proof)
    assert everything_denied.witness is None


def test_trap_19_a_boundary_limits_a_role_and_not_a_session_that_is_named() -> None:
    role, session = f"arn:aws:iam::{OWNER}:role/worker", f"arn:aws:sts::{OWNER}:assumed-role/worker/one"
    for named, answer in ((role, HOLDS), (session, NOT)):
        left = {"trust": trust({"Principal": {"AWS": named}}), "boundary": policy("boundary", {"Action": "s3:*"})}
        assert type(ask(left, NOBODY)) is answer, named


def test_trap_23_a_role_does_not_trust_itself() -> None:
    assert type(ask(trust({"Principal": {"AWS": ROLE}}), NOBODY)) is NOT
    assert type(ask(NOBODY, NOBODY)) is HOLDS


def test_trap_25_hostile_patterns_are_given_up_soon() -> None:
    wild = [f"*{a}x{a}*" for a in "abcdefghijklmnopqrst"]
    for key in (ID, ARN, TAG, NAME):
        left = trust(*({"Principal": "*", "Condition": on("StringLike", key, item)} for item in wild))
        right = under("StringLike", key, "*q*", Principal="*")
        result = ask(left, right, limits=Limits(seconds=3600))
        assert type(result) is UNKNOWN, key
        assert "kinds of text" in result.reason, key  # the limit on states, long before any on time
    assert type(ask(under("StringLike", ID, "*a" * 7 + "*b"), under("StringLike", ID, "*b"))) is HOLDS


# The five statements that solvers were measured on, and their variants: (which statement, what it becomes).
A = THEM
FIVE: list[dict[str, Any]] = [
    TERMS,
    {"Principal": {"AWS": f"arn:aws:iam::{A}:role/worker"},
     "Condition": {**TERMS["Condition"], "ArnLike": {ARN: f"arn:aws:iam::{A}:role/*"}}},
    {"Principal": "*", "Condition": {**TERMS["Condition"], "ArnLike": {ARN: f"arn:aws:iam::{A}:user/contractor-*"},
                                     "StringLike": {NAME: "contractor-*"}}},
    {"Action": "sts:TagSession", **TERMS},
    {"Effect": "Deny", "Principal": "*", "Condition": on("StringNotLikeIfExists", NAME, "contractor-*")},
]  # fmt: skip
WITHIN = trust({**TERMS, "Action": ["sts:AssumeRole", "sts:TagSession"]})


def five(place: int = 0, **condition: Any) -> Any:
    changed = [dict(item) for item in FIVE]
    if condition:
        changed[place]["Condition"] = condition
    return trust(*changed)


EXACT = on("StringEquals", ID, "example-7f3c")
WITH_MFA = on("Bool", MFA, "true")


@pytest.mark.parametrize(
    ("left", "answer"),
    [
        (five(), HOLDS),
        (five(0, **EXACT, **on("BoolIfExists", MFA, "true")), NOT),
        (five(0, **on("StringLike", ID, "example-7f3c*"), **WITH_MFA), NOT),
        (five(2, **EXACT, **WITH_MFA, **on("ArnLike", ARN, "arn:aws:iam::*:user/contractor-*")), NOT),
        # A path may hold colons (API reference, CreateUser), and the account in it is another's.
        (five(2, **EXACT, **WITH_MFA, **on("StringLike", ARN, f"arn:aws:iam::*{A}*:user/contractor-*")), NOT),
        (five(2, **EXACT, **WITH_MFA, **on("StringLike", ARN, f"arn:aws:iam::*{A}*")), NOT),
    ],
)
def test_five_statements(left: Any, answer: type) -> None:
    assert type(ask(left, WITHIN)) is answer


def test_the_counterexamples_of_the_five_show_the_mistake() -> None:
    without = ask(five(0, **EXACT, **on("BoolIfExists", MFA, "true")), WITHIN)
    assert isinstance(without, Counterexample)
    assert MFA not in without.request.context
    assert without.statement == 0
    longer = ask(five(0, **on("StringLike", ID, "example-7f3c*"), **WITH_MFA), WITHIN)
    assert isinstance(longer, Counterexample)
    assert str(longer.request.context[ID]).startswith("example-7f3c")
    assert longer.request.context[ID] != "example-7f3c"
    colons = ask(five(2, **EXACT, **WITH_MFA, **on("StringLike", ARN, f"arn:aws:iam::*{A}*:user/contractor-*")), WITHIN)
    assert isinstance(colons, Counterexample)
    assert colons.statement == 2
    assert not colons.request.principal.startswith(f"arn:aws:iam::{A}:")


# Each of these was once proved although it is wrong, or answered by an error.
GUEST = f"arn:aws:iam::{THEM}:user/guest"
ODD: list[tuple[str, Any, Any, Any]] = [
    ("numbers of accounts", under("NumericEquals", "aws:PrincipalAccount", THEM, Principal="*"), NOBODY, UNKNOWN),
    ("truth of names", under("Bool", "aws:username", "true"), NOBODY, UNKNOWN),
    (
        "a default nobody else names",
        trust(
            {"Condition": on("StringEquals", NAME, "${aws:username, 'nobody'}") | on("Null", "aws:username", "true")}
        ),
        NOBODY,
        NOT,
    ),
    (
        "two keys equal to one of the caller",
        trust({"Condition": {"StringEquals": {NAME: "${aws:username}", "sts:SourceIdentity": "${aws:username}"}}}),
        NOBODY,
        NOT,
    ),
    (
        "three keys that all differ",
        trust(
            {},
            *(
                {
                    "Effect": "Deny",
                    "Condition": on("StringEquals", f"aws:PrincipalTag/{a}", f"${{aws:PrincipalTag/{b}}}"),
                }
                for a, b in ("ab", "bc", "ac")
            ),
        ),
        trust(*({"Condition": on("Null", f"aws:PrincipalTag/{a}", "true")} for a in "abc")),
        NOT,
    ),
    (
        "several values compared with a key",
        under("ForAnyValue:StringEquals", "aws:TagKeys", "${aws:username}"),
        under("ForAllValues:StringEquals", "aws:TagKeys", "${aws:username}"),
        UNKNOWN,
    ),
    (
        "truth and text of one key",
        under("StringEquals", "aws:RequestTag/x", "yes"),
        under("Bool", "aws:RequestTag/x", "true"),
        NOT,
    ),
    (
        "neither true nor false",
        trust({}),
        trust(
            {"Condition": on("Bool", "aws:RequestTag/x", "true", "false")},
            {"Condition": on("Null", "aws:RequestTag/x", "true")},
        ),
        NOT,
    ),
    (
        "no number at all",
        trust({}),
        trust(
            {"Condition": on("NumericLessThan", "aws:RequestTag/x", 5)},
            {"Condition": on("NumericGreaterThanEquals", "aws:RequestTag/x", 5)},
            {"Condition": on("Null", "aws:RequestTag/x", "true")},
        ),
        NOT,
    ),
    ("an ExternalId like an ARN", under("ArnNotLike", ID, ROLE), NOBODY, NOT),
    ("an ExternalId as a number", under("NumericEquals", ID, 5), NOBODY, UNKNOWN),
    ("a service that is none", trust({"Principal": {"Service": "cognito-identity.amazonaws.com"}}), NOBODY, UNKNOWN),
    ("a provider that is none", trust({"Principal": {"Federated": "nodot"}}), NOBODY, UNKNOWN),
    ("a canonical user", trust({"Principal": {"CanonicalUser": "a" * 64}}), NOBODY, UNKNOWN),
    (
        "another service than two that are named",
        trust({"Principal": "*", "Condition": on("Null", ARN, "true")}),
        trust(
            {"Principal": {"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}},
            {"Principal": "*", "Condition": on("Null", ARN, "false")},
        ),
        NOT,
    ),
    (
        "service-linked roles, whom SCPs spare",
        {"trust": trust({"Principal": {"AWS": OWNER}}), "scps": [[policy("scp", {"Effect": "Deny"})]]},
        NOBODY,
        NOT,
    ),
    (
        "a unique id beside the account",
        {
            "trust": trust({"Principal": {"AWS": [OWNER, "AROA1234567890123456"]}}),
            "identity": identity({"Action": "s3:*"}),
        },
        NOBODY,
        NOT,
    ),
    (
        "a binary value that is not named",
        under("BinaryEquals", "x:y", "b3Ro", "YQ=="),
        under("BinaryEquals", "x:y", "YQ=="),
        NOT,
    ),
]


@pytest.mark.parametrize(("left", "within", "answer"), [row[1:] for row in ODD], ids=[row[0] for row in ODD])
def test_odd_questions(left: Any, within: Any, answer: type) -> None:
    assert type(ask(left, within)) is answer


NONE = identity({"Effect": "Deny"})


@pytest.mark.parametrize(
    ("left", "within", "answer"),
    [
        (identity({"Action": "iam:GetPolicy", "Resource": "arn:aws:iam::aws:policy/*"}), NONE, NOT),
        (identity({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/ä"}), NONE, NOT),
        (identity({"Resource": BUCKET}), identity({"Resource": "arn:a*s*t"}), NOT),  # too few parts: fits nothing
        (identity({"Resource": BUCKET}), identity({"Resource": "arn:aws:s3*"}), HOLDS),
        (identity({"Resource": "arn:aws:s3:::b*"}), identity({"NotResource": "arn:aws:s3:::c*"}), HOLDS),
        (identity({"NotResource": "arn:aws:s3:::b*"}), identity({"NotResource": "arn:aws:s3:::bu*"}), HOLDS),
        (identity({"NotResource": "arn:aws:s3:::bu*"}), identity({"NotResource": "arn:aws:s3:::b*"}), NOT),
        (identity({"Action": "s3:Get*"}), identity({"NotAction": "iam:*"}), HOLDS),
        (identity({"NotAction": "s3:*"}), identity({"NotAction": "iam:*"}), NOT),
        (identity({"Action": "IAM:getrole"}), identity({"Action": "iam:Get*"}), HOLDS),
        (identity({"Action": "brandnew:*"}), NONE, NOT),
        (identity({"Action": "s3:BrandNew"}), identity({"Action": "s3:*"}), HOLDS),
        (identity({"Action": "sts:*"}), identity({"Action": "sts:AssumeRole*"}), NOT),
        (
            {"identity": identity({}), "boundary": policy("boundary", {"Action": "s3:*"})},
            identity({"Action": "s3:*"}),
            HOLDS,
        ),
        (
            {"identity": identity({}), "session": policy("session", {"Action": "s3:*"})},
            identity({"Action": "s3:Get*"}),
            NOT,
        ),
        (
            {"identity": identity({}), "scps": [[policy("scp", {})], [policy("scp", {"Action": "s3:*"})]]},
            identity({"Action": "s3:*"}),
            NOT,
        ),
        ([identity({"Action": "s3:Get*"}), identity({"Action": "s3:List*"})], identity({"Action": "s3:*"}), HOLDS),
    ],
)
def test_permissions(left: Any, within: Any, answer: type) -> None:
    # SCPs spare service-linked roles, one of which may hold these policies: hence the one that does not hold.
    assert type(ask(left, within)) is answer


def test_a_role_that_is_named_is_no_service_linked_one() -> None:
    left = {"identity": identity({}), "scps": [[policy("scp", {"Action": "s3:*"})]]}
    assert type(ask(left, identity({"Action": "s3:*"}), caller=f"arn:aws:iam::{OWNER}:role/worker")) is HOLDS


def test_the_caller_may_be_fixed() -> None:
    caller = f"arn:aws:iam::{THEM}:role/team/worker"
    one = trust({"Principal": {"AWS": f"arn:aws:sts::{THEM}:assumed-role/worker/alice"}})
    assert type(ask(one, NOBODY, caller=caller)) is NOT  # any of the role's sessions
    assert type(ask(one, NOBODY, caller=f"arn:aws:iam::{THEM}:role/other")) is HOLDS
    assert type(ask(trust({"Principal": "*"}), trust({}), caller=caller)) is HOLDS
    assert type(ask(trust({}), under("ArnEquals", ARN, caller), caller=caller)) is HOLDS
    assert type(ask(trust({}), under("ArnEquals", ARN, GUEST), caller=GUEST)) is HOLDS
    for wrong in (f"arn:aws:sts::{THEM}:assumed-role/R/alice", f"arn:aws:iam::{THEM}:root", "arn:aws:s3:::bucket"):
        with pytest.raises(PolicyError, match="not a caller that can be proved"):
            ask(one, NOBODY, caller=wrong)
    with pytest.raises(PolicyError, match="two partitions"):
        ask(one, NOBODY, caller=f"arn:aws-cn:iam::{THEM}:role/worker")


def test_the_partition_is_the_documents_where_nothing_else_names_one() -> None:
    gov = trust({"Principal": {"AWS": f"arn:aws-us-gov:iam::{THEM}:root"}})
    result = prove(gov, within=NOBODY)
    assert isinstance(result, Counterexample)
    assert result.request.principal.startswith("arn:aws-us-gov:")
    assert isinstance(prove(gov, within=NOBODY, resource=ROLE), Proof)  # nobody signs in across partitions
    both = trust({"Principal": {"AWS": [f"arn:aws-us-gov:iam::{THEM}:root", f"arn:aws:iam::{THEM}:root"]}})
    result = prove(both, within=NOBODY)
    assert isinstance(result, Unknown)
    assert "several partitions" in result.reason
    assert isinstance(prove(both, within=NOBODY, resource=ROLE), Counterexample)


def test_what_names_callers_that_no_request_has_is_asked_of_no_other_prover() -> None:
    for element in ({"Service": "cognito-identity.amazonaws.com"}, {"CanonicalUser": "a" * 64}):
        assert isinstance(prove(trust({"Principal": element}), within=NOBODY, resource=ROLE), Unknown)


def test_only_requests_from_now_on() -> None:
    ended = under("DateLessThan", "aws:CurrentTime", "2026-01-01T00:00:00Z")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert type(ask(ended, NOBODY, now=at)) is HOLDS
    assert type(ask(ended, NOBODY, now=at - timedelta(microseconds=1))) is NOT
    assert type(ask(ended, NOBODY)) is NOT


def test_a_proof_says_whether_anybody_gets_in() -> None:
    result = ask(trust(TERMS), WITHIN)
    assert isinstance(result, Proof)
    assert result.witness is not None
    assert result.witness.context == {ID: "example-7f3c", MFA: "true"}
    assert result.assumed
    short = ask(under("StringLike", ID, "?"), trust({}))  # STS takes two characters at least
    assert isinstance(short, Proof)
    assert short.witness is None


def test_a_counterexample_says_which_statement_opens_it() -> None:
    result = ask(trust(TERMS, {"Principal": {"AWS": STRANGER}}), WITHIN)
    assert isinstance(result, Counterexample)
    assert result.statement == 1
    assert STRANGER in result.request.principal
    assert result.decision.allowed
    assert not result.reference.allowed


def test_what_is_not_decided_is_no_proof() -> None:
    inside = under("StringLike", NAME, "x-${aws:username}-*")
    assert type(ask(inside, under("StringLike", NAME, "x-*"))) is UNKNOWN
    # Whatever the variable means, a condition only takes away; but does anybody get in?
    assert type(ask(inside, trust({}))) is UNKNOWN
    assert type(ask({"trust": [inside, under("StringEquals", NAME, "bob")]}, trust({}))) is HOLDS
    assert type(ask(trust({}), inside)) is NOT
    guarded = trust({}, {"Effect": "Deny", "Condition": on("StringNotLike", NAME, "${aws:username}-*")})
    assert type(ask(guarded, under("StringLike", NAME, "*-*"))) is UNKNOWN


# Limits: over each, the answer is Unknown with the reason; under it, the same question is decided.

MANY = trust(*({"Condition": {"StringLike": {ID: f"{a}{b}*", NAME: f"*{b}"}}}
               for a in "abcdef" for b in "uvwxyz"))  # fmt: skip
CUT = trust(*({"Condition": on("StringLike", ID, f"{a}*")} for a in "abcdef"))


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(steps=5), "more than 5 steps"),
        (Limits(states=20), "kinds of text"),
        (Limits(seconds=0.0), "it took more than 0 seconds"),
    ],
)
def test_a_limit_is_an_unknown_with_its_reason(limits: Limits, reason: str) -> None:
    assert type(ask(MANY, CUT)) is HOLDS
    result = ask(MANY, CUT, limits=limits)
    assert isinstance(result, Unknown)
    assert reason in result.reason


def test_sides_that_are_none() -> None:
    given: Any
    for given in ("x", {"trusts": NOBODY}, [1], None):
        with pytest.raises(PolicyError):
            prove(given, within=NOBODY)


def test_a_witness_that_is_not_let_in_is_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the prover and the evaluator to differ, nobody would be told a wrong answer."""

    def other(self: Space, box: Any) -> Request:
        return Request(f"arn:aws:iam::{STRANGER}:user/x", "sts:AssumeRole", ROLE, OWNER, {})

    monkeypatch.setattr(Space, "request", other)
    with pytest.raises(InternalError, match="not admitted"):
        ask(trust(TERMS), trust(TERMS))
    with pytest.raises(InternalError):
        ask(trust(TERMS), NOBODY)


def test_a_prover_that_misreads_an_operator_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    import valetkey.prover.key_partition as cells

    right = cells._single
    monkeypatch.setattr(cells, "_single", lambda fits, key, negated, missing: right(fits, key, negated, True))
    monkeypatch.setattr("valetkey.prover.value_index.ValueIndex.answer", lambda index, asked: None)
    with pytest.raises(InternalError):
        ask(under("StringEquals", ID, "x1"), NOBODY)


def test_an_index_of_values_that_misreads_an_operator_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from valetkey.prover.value_index import ValueIndex

    right = ValueIndex.answer

    def wrong(index: ValueIndex, asked: Any) -> int | None:
        result = right(index, asked)
        return None if result is None else result | index.absent

    monkeypatch.setattr(ValueIndex, "answer", wrong)
    with pytest.raises(InternalError):
        ask(under("StringEquals", ID, "x1"), NOBODY)


def test_the_most_direct_name_of_a_caller_counts() -> None:
    """A role that is meant by its unique id and by its account needs no policy of its own."""
    both = trust({"Principal": {"AWS": [OWNER, "AROA1234567890123456"]}})
    session = f"arn:aws:sts::{OWNER}:assumed-role/worker/one"
    request = Request(session, "sts:AssumeRole", ROLE, context={"aws:userid": "AROA1234567890123456:one"})
    assert decide(request, trust=both, identity=()).allowed
    assert not decide(Request(session, "sts:AssumeRole", ROLE), trust=both, identity=()).allowed


def test_trap_24_a_trust_policy_alone_bounds_every_outsider() -> None:
    """What AWS's simulator leaves out is what is proved: the trust policy, whatever the callers' own policies are."""
    admin = parse_policy({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}, kind="identity")
    assert type(ask({"trust": trust(TERMS), "identity": admin}, WITHIN)) is HOLDS
    assert type(ask(trust({}), {"trust": trust(TERMS), "identity": admin})) is NOT


def test_the_owners_root_user_gets_in_where_no_statement_allows_anything() -> None:
    """It needs no policy of its own, and no document need name its account (found by the campaign, pair 1:17168)."""
    user = "arn:aws:iam::444455556666:user/team/dev"
    one = {"Effect": "Deny", "Principal": {"AWS": ["*"]}, "Action": ["*"], "NotResource": [user]}
    other = {
        "Effect": "Deny",
        "Action": ["*"],
        "Resource": ["*"],
        "NotPrincipal": {"AWS": ["arn:aws:iam::444455556666:root"]},
    }
    mine, theirs = (parse_policy({"Version": "2012-10-17", "Statement": [item]}, "resource") for item in (one, other))
    result = prove(mine, within=theirs, owner="111122223333")
    assert isinstance(result, Counterexample)
    assert result.request.caller.kind == "root"


@pytest.mark.parametrize("year", ["0001", "0500", "0999", "1960", "1969"])
@pytest.mark.parametrize("key", ["aws:CurrentTime", "aws:EpochTime"])
def test_a_date_of_long_ago_is_a_date(key: str, year: str) -> None:
    """Every call is after it: who is let in from then on is let in."""
    assert isinstance(ask(trust({"Condition": on("DateGreaterThan", key, f"{year}-01-01")}), NOBODY), Counterexample)
    assert isinstance(ask(trust({"Condition": on("DateNotEquals", key, f"{year}-01-01")}), NOBODY), Counterexample)
    for operator in ("DateLessThan", "DateEquals"):
        assert isinstance(ask(trust({"Condition": on(operator, key, f"{year}-01-01")}), NOBODY), Proof)
    after = trust({}, {"Effect": "Deny", "Condition": on("DateLessThan", key, f"{year}-01-01")})
    assert isinstance(ask(trust({}), after), Proof)
    issued = trust({"Condition": on("DateGreaterThan", "aws:TokenIssueTime", f"{year}-01-01")})
    assert isinstance(ask(issued, NOBODY), Counterexample)


@pytest.mark.parametrize(
    "name",
    ["user/x:user/y/z", "role/x:role/y/z", "user/x:role/y/z", "role/x:user/y/z", "user/a:assumed-role/b/c"],
)
def test_a_path_may_look_like_another_kind_of_arn(name: str) -> None:
    """IAM takes every printable sign in a path."""
    arn = f"arn:aws:iam::{THEM}:{name}"
    named = trust({"Principal": {"AWS": arn}})
    result = ask(named, NOBODY)
    assert isinstance(result, Counterexample)
    assert result.request.keys["aws:principalarn"] == arn
    assert isinstance(ask(named, named), Proof)
    assert isinstance(ask(named, trust({})), Proof)
    assert isinstance(ask(trust({}), named), Counterexample)


@pytest.mark.parametrize(
    ("given", "resource", "principal", "account"),
    [
        ({}, "arn:aws:iam::000000000000:role/role", f"iam::{THEM}:user/somebody", "000000000000"),
        ({"owner": OWNER}, f"arn:aws:iam::{OWNER}:role/role", f"iam::{THEM}:user/somebody", OWNER),
        (
            {"caller": f"arn:aws:iam::{THEM}:role/x"},
            f"arn:aws:iam::{THEM}:role/role",
            f"sts::{THEM}:assumed-role/x/session",
            THEM,
        ),
        (
            {"caller": f"arn:aws:iam::{THEM}:user/x", "owner": OWNER},
            f"arn:aws:iam::{OWNER}:role/role",
            f"iam::{THEM}:user/x",
            OWNER,
        ),
        ({"resource": ROLE}, ROLE, f"iam::{THEM}:user/somebody", OWNER),
        ({"resource": ROLE, "owner": THEM}, ROLE, f"iam::{THEM}:user/somebody", THEM),
    ],
)
def test_what_is_not_given_follows_from_the_rest(given: Any, resource: str, principal: str, account: str) -> None:
    result = prove(trust({}), within=NOBODY, **given)
    assert isinstance(result, Counterexample)
    asked = result.request
    assert (asked.resource, asked.principal, asked.resource_account) == (resource, f"arn:aws:{principal}", account)
    assert asked.action == "sts:AssumeRole"
    assert result.statement == 0


@pytest.mark.parametrize(("policy_", "regions"), [(trust(), 0), (trust({}), 1), (trust({}, {"Principal": "*"}), 4)])
def test_a_proof_says_how_many_boxes_it_looked_at(policy_: Any, regions: int) -> None:
    result = ask(policy_, policy_)
    assert isinstance(result, Proof)
    assert result.regions == regions
    assert result.seconds >= 0
    assert (result.witness is not None) is bool(regions)


BY_NAME = trust({"Condition": on("StringEquals", TAG, "${aws:username}")})
BY_SESSION = trust({"Condition": on("StringEquals", TAG, "${sts:RoleSessionName}")})
NAMES = trust({"Condition": on("StringLike", NAME, "a*", "b*", "c*")})


@pytest.mark.parametrize(
    ("left", "within", "states", "reason"),
    [
        (BY_NAME, NOBODY, 1, "callers fall into more than 1 classes"),
        (BY_SESSION, NAMES, 3, "3 patterns cut out more than 3 kinds of text"),
        (
            BY_SESSION,
            NAMES,
            30,
            "aws:principaltag/team and sts:rolesessionname together fall into more than 30 classes",
        ),
        (
            trust({"Condition": on("StringEquals", TAG, "${aws:TagKeys}")}),
            NOBODY,
            20_000,
            "aws:tagkeys may have several values, and is compared with another key",
        ),
    ],
)
def test_what_is_compared_with_another_key_has_its_limits(left: Any, within: Any, states: int, reason: str) -> None:
    result = ask(left, within, limits=Limits(states=states))
    assert isinstance(result, Unknown)
    assert result.reason == reason


@pytest.mark.parametrize("odd", [{"Service": "ec2"}, {"CanonicalUser": "a" * 64}, {"Federated": "corp"}])
def test_what_holds_of_the_legible_entries_is_a_counterexample_but_for_a_deny(odd: Any) -> None:
    shown = prove(trust({}, {"Principal": odd}), within=NOBODY, resource=ROLE)
    assert isinstance(shown, Counterexample)
    assert shown.request.caller.account == THEM
    denied = trust({}, {"Effect": "Deny", "Principal": odd})
    assert isinstance(prove(denied, within=NOBODY, resource=ROLE), Unknown)
    both = trust({}, {"Principal": odd}, {"Effect": "Deny", "Principal": odd})
    assert isinstance(prove(both, within=NOBODY, resource=ROLE), Unknown)
    alone = prove(trust({"Principal": odd}), within=NOBODY, resource=ROLE)
    assert isinstance(alone, Unknown)
    assert alone.reason.startswith(repr(next(iter(odd.values())))[:20])
