"""The classes of callers: how a Principal element reaches each of them."""

from __future__ import annotations

from typing import Any

import pytest

from valetkey.errors import PolicyError
from valetkey.policy import parse_policy
from valetkey.policy.principals import NamedBy
from valetkey.policy.undecided import NotDecided
from valetkey.prover.automata import TooMany
from valetkey.prover.boxes import Budget, Limits
from valetkey.prover.caller_classes import Mentioned, caller_of, everybody
from valetkey.prover.key_tests import KeyTest
from valetkey.prover.parties import Person
from valetkey.prover.principal_match import CallerIndex, listed, reached
from valetkey.prover.witnesses import request_of

THEM = "222222222222"
ROLE_ID, USER_ID = "AROA1234567890123456", "AIDA1234567890123456"


def people(*named: str) -> list[Person]:
    statement = {"Effect": "Allow", "Principal": {"AWS": list(named)}, "Action": "sts:AssumeRole"}
    policy = parse_policy({"Version": "2012-10-17", "Statement": [statement]}, kind="trust")
    elements = [item.principals for item in policy.statements if item.principals is not None]
    return everybody(
        Mentioned(elements, {}, {}), partition="aws", owner="111111111111", role=True, budget=Budget(Limits())
    )


def test_the_unique_id_of_a_role_reaches_its_sessions_as_the_role() -> None:
    """A boundary or session policy still limits the session, which would not limit a session that is named itself
    (reference_policies_evaluation-logic_policy-eval-basics-single-account: resource-based policies)."""
    result = [person for person in people(ROLE_ID, THEM) if person.unique == ROLE_ID]
    assert result
    for person in result:
        assert person.kind == "session"
        assert person.grants[ROLE_ID] is NamedBy.ROLE
        assert person.grants[person.principal] is NamedBy.DIRECT


def test_the_unique_id_of_a_user_reaches_the_user_itself() -> None:
    result = [person for person in people(USER_ID, THEM) if person.unique == USER_ID]
    assert result
    for person in result:
        assert person.kind == "user"
        assert person.grants[USER_ID] is NamedBy.DIRECT


def asked_of(key: str, operator: str, *values: str, role: bool = True, entry: str = "*") -> list[Person]:
    """The callers that a condition of this key tells apart, where strangers may be meant."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": entry},
        "Action": "sts:AssumeRole" if role else "s3:GetObject",
        **({} if role else {"Resource": "*"}),
        "Condition": {operator: {key: list(values)}},
    }
    policy = parse_policy({"Version": "2012-10-17", "Statement": [statement]}, kind="trust" if role else "resource")
    (each,) = policy.statements
    assert each.principals is not None
    asked = {key.lower(): [KeyTest(each.conditions[0], each.variables, deny=False)]}
    said = Mentioned([each.principals], asked, {})
    return everybody(said, partition="aws", owner="111111111111", role=role, budget=Budget(Limits()))


def test_a_service_s_name_ends_as_aws_s_names_do_and_has_no_empty_part() -> None:
    result = asked_of("aws:PrincipalServiceName", "StringLike", "*..amazonaws.com", "s*.cn", "*.com", role=False)
    names = [person.principal for person in result if person.kind == "service"]
    assert any(name.endswith(".amazonaws.com") for name in names)
    assert any(name.endswith(".amazonaws.com.cn") for name in names)
    assert not any(".." in name for name in names)
    assert all(name.endswith((".amazonaws.com", ".amazonaws.com.cn")) for name in names)


def test_a_user_id_that_a_root_user_may_have_is_decided_where_a_role_is_entered_only() -> None:
    for pattern in (f"{USER_ID}*", "AROA*", "*"):
        assert asked_of("aws:userid", "StringLike", pattern, role=False)
    for pattern in ("A*", "111111111111*", "?IDA*", "AIDB*"):
        assert asked_of("aws:userid", "StringLike", pattern)
        with pytest.raises(NotDecided, match="aws:userid is compared with what the root user"):
            asked_of("aws:userid", "StringLike", pattern, role=False)


def test_the_index_of_callers_matches_a_principal_element_as_each_caller_by_itself_does() -> None:
    role, user = f"arn:aws:iam::{THEM}:role/worker", f"arn:aws:iam::{THEM}:user/bob"
    session = f"arn:aws:sts::{THEM}:assumed-role/worker/one"
    everyone = people(ROLE_ID, USER_ID, THEM, role, user, session)
    index = CallerIndex([None, *everyone])
    for named in ([THEM], [role], [session, role], [user, THEM], [USER_ID, ROLE_ID, THEM], [user, role, session]):
        statement = {"Effect": "Allow", "Principal": {"AWS": named}, "Action": "sts:AssumeRole"}
        (one,) = parse_policy({"Version": "2012-10-17", "Statement": [statement]}, kind="trust").statements
        assert one.principals is not None
        names = listed(one.principals)
        alone: dict[NamedBy, int] = {}
        for place, person in enumerate(everyone, 1):
            grant = reached(person, one.principals, names, negated=False, deny=False, bounded=False, unsure=False)
            if grant:
                alone[grant] = alone.get(grant, 0) | 1 << place
        assert index.reached(names) == alone
        assert alone


def line(person: Person) -> str:
    """What a person is, in short: T and O are the accounts, X one that nobody names."""
    named = f" as {person.named}" if person.named else ""
    unique = f" = {person.unique}" if person.unique else ""
    text = f"{person.kind} of {person.party}: {person.principal}{named}{unique}"
    return text.replace(THEM, "T").replace("111111111111", "O").replace("999988887777", "X").replace("arn:aws:", ":")


IN_OWNER = [
    "user of account O: :iam::O:user/somebody",
    "session of account O: :sts::O:assumed-role/somebody/session",
    "root of account O: :iam::O:root",
    "federated user of account O: :sts::O:federated-user/somebody",
]
IN_THEIRS = [item.replace("O", "T") for item in IN_OWNER]
IN_OTHERS = [
    item.replace("of account O", "of accounts that are not named").replace("::O:", "::X:") for item in IN_OWNER
]
ANY = [
    "service of any service: ec2.amazonaws.com",
    "provider of any provider: :iam::O:saml-provider/another",
    "provider of any provider: :iam::O:oidc-provider/another.example.com",
    "provider of any provider: accounts.google.com",
    "anonymous of any anonymous: anonymous",
]
THEIR_IAM, THEIR_STS = f"arn:aws:iam::{THEM}", f"arn:aws:sts::{THEM}"
NAMED = [f"{THEIR_STS}:federated-user/ann", f"{THEIR_IAM}:user/t/bob", f"{THEIR_IAM}:role/t/w"]
SESSIONS = [f"{THEIR_STS}:assumed-role/w/a", f"{THEIR_STS}:assumed-role/v/b"]


@pytest.mark.parametrize(
    ("principal", "role", "linked", "found"),
    [
        ({"AWS": THEM}, False, False, [*IN_THEIRS, *IN_OWNER]),
        ({"AWS": THEM}, True, False, IN_THEIRS[:2]),
        ("*", False, False, [*IN_OWNER, *IN_OTHERS, *ANY]),
        ("*", True, False, [*IN_OWNER[:2], *IN_OTHERS[:2], *ANY[:4]]),
        (
            {"AWS": [*NAMED, *SESSIONS]},
            False,
            False,
            [
                "user of account T: :iam::T:user/t/bob as :iam::T:user/t/bob",
                IN_THEIRS[0],
                "session of account T: :sts::T:assumed-role/w/a as :sts::T:assumed-role/w/a",
                "session of account T: :sts::T:assumed-role/w/session as :iam::T:role/t/w",
                "session of account T: :sts::T:assumed-role/v/b as :sts::T:assumed-role/v/b",
                "session of account T: :sts::T:assumed-role/v/session as :iam::T:role/v",
                *IN_THEIRS[1:3],
                "federated user of account T: :sts::T:federated-user/ann as :sts::T:federated-user/ann",
                IN_THEIRS[3],
                *IN_OWNER,
            ],
        ),
        (
            {"AWS": [f"{THEIR_STS}:assumed-role/w/{each}" for each in ("session", "another-session", "session-0")]},
            True,
            False,
            [
                IN_THEIRS[0],
                "session of account T: :sts::T:assumed-role/w/session as :sts::T:assumed-role/w/session",
                *(
                    f"session of account T: :sts::T:assumed-role/w/{each} as :sts::T:assumed-role/w/{each}"
                    for each in ("another-session", "session-0")
                ),
                "session of account T: :sts::T:assumed-role/w/session-1 as :iam::T:role/w",
                IN_THEIRS[1],
            ],
        ),
        (
            {"AWS": [USER_ID, ROLE_ID]},
            True,
            False,
            [
                f"user of accounts that are not named: :iam::X:user/somebody as {USER_ID} = {USER_ID}",
                IN_OTHERS[0],
                IN_OTHERS[1],
                f"session of accounts that are not named: :sts::X:assumed-role/somebody/AA as {ROLE_ID} = {ROLE_ID}",
            ],
        ),
        (
            {"Service": "ec2.amazonaws.com", "Federated": ["a.com", f"{THEIR_IAM}:saml-provider/x"]},
            True,
            False,
            [
                "service of the service ec2.amazonaws.com: ec2.amazonaws.com as ec2.amazonaws.com",
                "provider of the provider a.com: a.com as a.com",
                "provider of the provider :iam::T:saml-provider/x: :iam::T:saml-provider/x as :iam::T:saml-provider/x",
            ],
        ),
        (
            {"AWS": THEM},
            True,
            True,
            [
                *IN_THEIRS[:2],
                "session of account T: :sts::T:assumed-role/a/session as :iam::T:role/aws-service-role/*",
            ],
        ),
    ],
)
def test_one_caller_of_every_kind(principal: Any, role: bool, linked: bool, found: list[str]) -> None:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    (one,) = parse_policy({"Statement": [statement]}, kind="trust").statements
    assert one.principals is not None
    said = Mentioned([one.principals], {}, {}, one.principals.everyone, linked)
    made = everybody(said, partition="aws", owner="111111111111", role=role, budget=Budget(Limits()))
    assert [line(person) for person in made] == found
    for person in made:
        # What follows from the caller is what the evaluator has.
        keys = request_of(person, "a:b", "*", "111111111111", {}).keys
        assert {key: keys.get(key) for key in person.keys} == person.keys
        assert set(person.grants) >= {name for group in person.groups for name in group}


def test_callers_may_be_as_many_as_the_limit_says() -> None:
    names = [f"{THEIR_IAM}:user/u{number}" for number in range(20)]
    (one,) = parse_policy(
        {"Statement": [{"Effect": "Allow", "Principal": {"AWS": names}, "Action": "sts:*"}]}, kind="trust"
    ).statements
    assert one.principals is not None
    said = Mentioned([one.principals], {}, {}, strangers=False)

    def made(states: int) -> int:
        return len(
            everybody(said, partition="aws", owner="111111111111", role=True, budget=Budget(Limits(states=states)))
        )

    assert made(22) == 22
    with pytest.raises(TooMany, match="callers fall into more than 21 classes"):
        made(21)


@pytest.mark.parametrize(
    ("key", "operator", "value", "why"),
    [
        ("aws:PrincipalType", "Bool", "true", "aws:principaltype is compared as bool"),
        ("aws:PrincipalIsAWSService", "NumericEquals", "1", "aws:principalisawsservice is compared as number"),
        (
            "aws:username",
            "StringEqualsIgnoreCase",
            "\u00e4",
            "aws:username is compared ignoring case with letters that are not ASCII",
        ),
    ],
)
def test_what_does_not_cut_callers_into_kinds_is_not_decided(key: str, operator: str, value: str, why: str) -> None:
    with pytest.raises(NotDecided) as refusal:
        asked_of(key, operator, value)
    assert str(refusal.value) == why
    assert asked_of("aws:PrincipalIsAWSService", "Bool", "true")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (f"{THEIR_IAM}:role/t/w", ""),
        (f"{THEIR_IAM}:user/bob", ""),
        (f"{THEIR_STS}:assumed-role/w/s", "is not a caller that can be proved"),
        (f"{THEIR_IAM}:root", "is not a caller that can be proved"),
        (f"{THEIR_IAM}:role/", "is not a caller that can be proved"),
        ("arn:aws:iam::aws:role/w", "is not a caller that can be proved"),
    ],
)
def test_who_can_be_the_caller(text: str, error: str) -> None:
    assert caller_of(None) is None
    if not error:
        assert str(caller_of(text)) == text
        return
    with pytest.raises(PolicyError) as refusal:
        caller_of(text)
    assert refusal.value.what == f"{text!r} {error}"
    assert refusal.value.do == "name a role (for any session of it) or a user by its ARN"
    assert refusal.value.where == "caller"
