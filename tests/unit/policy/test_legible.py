"""Unique ids, and entries of Principal elements of which no request can speak, in `who`, `prove` and `decide`."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.prover.proving import NOBODY, OWNER, ROLE, THEM, policy, trust

from valetkey.policy import Origin, Request, decide
from valetkey.policy.legible import legible
from valetkey.policy.lenient import parse_lenient
from valetkey.policy.principals import Principals, read_aws
from valetkey.prover import Reach, Unknown, prove, who
from valetkey.prover.boxes import Budget, Limits
from valetkey.prover.caller_classes import Mentioned, everybody

USER, GROUP = "AIDA1234567890123456", "AROA1234567890123456"
CANONICAL, FRONT = "a" * 64, "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"


def reach(policy: Any, origin: Origin = Origin.SENT) -> Reach:
    result = who(policy, origin=origin, resource=ROLE)
    assert isinstance(result, Reach), result
    return result


def test_what_only_the_lenient_reader_takes_is_never_left_out_of_a_proof() -> None:
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": ""}, "Action": "sts:*"}}
    policy = parse_lenient(document, "trust").policy
    assert policy is not None
    assert isinstance(prove(policy, within=NOBODY, resource=ROLE), Unknown)
    assert [str(item) for item in reach(policy).unjudged] == ["statement 1 names '', which is not an AWS principal"]
    side = {"trust": [trust({})]}
    assert legible(side) == (side, ())


def test_decide_says_that_an_id_is_compared_with_a_key_that_is_not_there() -> None:
    policy = trust({"Principal": {"AWS": GROUP}})
    request = Request(f"arn:aws:iam::{THEM}:role/worker", "sts:AssumeRole", ROLE)
    answer = decide(request, trust=policy)
    assert not answer.allowed
    assert f"{GROUP} is compared with aws:userid" in answer.reason
    known = Request(request.principal, "sts:AssumeRole", ROLE, context={"aws:userid": "AROAOTHER12345678:x"})
    assert "compared" not in decide(known, trust=policy).reason
    user = Request(f"arn:aws:iam::{THEM}:user/bob", "sts:AssumeRole", ROLE)
    assert "compared" not in decide(user, trust=policy).reason


def test_every_entry_that_is_lost_is_named_with_its_place_and_the_others_stay() -> None:
    whole = trust(
        {
            "Principal": {
                "AWS": [FRONT, THEM],
                "Service": ["ec2", "ec2.amazonaws.com"],
                "Federated": ["corp", "a.com"],
                "CanonicalUser": CANONICAL,
            }
        },
        {"Effect": "Deny", "Principal": {"Service": "cognito-identity.amazonaws.com"}},
        {"Effect": "Deny", "Principal": "*"},
    )
    left, lost = legible({"trust": [whole], "identity": None})
    assert [(str(item), item.effect, item.entry.where) for item in lost] == [
        (
            f"statement 1 names '{FRONT[:59]}… (67 characters), which is an identity of CloudFront, not of IAM",
            "Allow",
            "$.Statement[0].Principal.AWS",
        ),
        (
            f"statement 1 names '{'a' * 59}… (66 characters), which is a canonical user, not one of IAM",
            "Allow",
            "$.Statement[0].Principal.CanonicalUser",
        ),
        (
            "statement 1 names 'ec2', which is not the name of a service as AWS writes it",
            "Allow",
            "$.Statement[0].Principal.Service",
        ),
        (
            "statement 1 names 'corp', which is not the name of a provider as AWS writes it",
            "Allow",
            "$.Statement[0].Principal.Federated",
        ),
        (
            "statement 2 names 'cognito-identity.amazonaws.com', which is not the name of a service as AWS writes it",
            "Deny",
            "$.Statement[1].Principal.Service",
        ),
    ]
    (policy,) = left["trust"]
    assert [statement.principals for statement in policy.statements] == [
        Principals(aws=(THEM,), services=("ec2.amazonaws.com",), federated=("a.com",)),
        Principals(),
        Principals(everyone=True),
    ]
    assert policy.allows == policy.statements[:1]
    assert policy.denies == policy.statements[1:]
    assert left["identity"] is None


def test_a_policy_that_loses_nothing_is_the_same_one() -> None:
    plain, odd = trust({"Principal": {"AWS": THEM}}), trust({"Principal": {"Service": "ec2"}})
    left, lost = legible({"trust": [plain, odd]})
    assert left["trust"][0] is plain
    assert left["trust"][1] is not odd
    assert len(lost) == 1
    # Of a NotPrincipal nothing is taken out: it would reach more callers.
    negated = policy("resource", {"Effect": "Deny", "NotPrincipal": {"Service": "ec2"}, "Action": "*", "Resource": "*"})
    side = {"trust": [negated]}
    assert legible(side) == (side, ())


def test_a_statement_that_could_not_be_read_is_named_once() -> None:
    read = parse_lenient({"Statement": [{"Effect": "Permit"}, "x"]}, "trust").policy
    _, lost = legible({"trust": [read]})
    assert [str(item) for item in lost] == [
        "statement 1 cannot be read: Effect is 'Permit'",
        "statement 2 cannot be read: expected an object, not a string",
    ]


_NAMES = st.from_regex(r"\A[A-Za-z0-9_+=,.@-]{1,64}\Z")
_ENTRIES = st.one_of(
    st.builds(
        lambda p, n: f"arn:aws:iam::{THEM}:{p}{n}", st.sampled_from(["user/", "role/", "role/a/", "user//"]), _NAMES
    ),
    st.builds(lambda n: f"arn:aws:iam::{THEM}:user/{n}/x", st.from_regex(r"\A[!-~]{1,30}\Z")),
    st.builds(lambda n, s: f"arn:aws:sts::{THEM}:assumed-role/{n}/{s}", _NAMES, _NAMES),
    st.builds(lambda n: f"arn:aws:sts::{THEM}:federated-user/{n}", _NAMES),
    st.text(max_size=40),
    st.text(max_size=40).map(lambda text: f"arn:aws:iam::{THEM}:{text}"),
    st.sampled_from([THEM, USER, GROUP, f"arn:aws:iam::{THEM}:root", OWNER]),
)


@given(_ENTRIES)
def test_what_the_parser_takes_some_caller_is(text: str) -> None:
    """INVARIANT of `read_aws`: no entry names nobody in silence."""
    name = read_aws(text)
    if name is None:
        return
    said = Mentioned([Principals(aws=(text,))], {}, {}, strangers=False)
    people = everybody(said, partition="aws", owner=OWNER, role=False, budget=Budget(Limits()))
    assert any(name in person.grants for person in people), text
