"""Proofs of trusts: they hold for what write_trust writes, and fail for every mistake that people make.

Each answer is compared with a second opinion, the table of `tests.trials`, which tries thousands of requests.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.trials import table

from valetkey.errors import PolicyError
from valetkey.policy import decide, parse_policy
from valetkey.trust import ProvedTrust, Terms, TermsError, admits_nobody, closed_trust, read_terms, showing, write_trust

A = "222222222222"
OWNER = "111111111111"
ROLE = f"arn:aws:iam::{OWNER}:role/partners/auditor"
ALICE = f"arn:aws:iam::{A}:user/alice"
BOB = f"arn:aws:iam::{A}:user/ops/bob"
AUDIT = f"arn:aws:iam::{A}:role/team/auditor"
SSO = f"arn:aws:iam::{A}:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Audit_*"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
END = NOW + timedelta(days=30)

PLAIN = Terms(contractor=A, external_id="Example987")
FULL = Terms(contractor=A, external_id="Example987", mfa_max_age=3600, only=(ALICE,), name_people=True, until=END)
EXTRAS = Terms(
    contractor=A, external_id="Example987", only=(ALICE,), source_identity=True, session_tags=True, until=END
)
CALL = Terms(contractor=A, external_id="Example987", mfa_max_age=3600)
PEOPLE = Terms(contractor=A, name_people=True, only=(ALICE,))
NAMED = Terms(contractor=A, only=(ALICE,))
ENDING = Terms(contractor=A, external_id="Example987", until=END)
NAMED_ENDING = Terms(contractor=A, external_id="Example987", only=(ALICE,), until=END)
PINNED = Terms(contractor=A, external_id="Example987", pin=(ALICE, BOB))
RESERVED = Terms(contractor=A, external_id="Example987", mfa=False, only=(SSO, AUDIT))


def admits_only(document: dict[str, Any], terms: Terms) -> ProvedTrust:
    """What is proved; the table must say the same."""
    shown = showing.admits_only(document, terms, role_arn=ROLE)
    tried = table.admits_only(document, terms, role_arn=ROLE, now=NOW, to_the_end=False)
    assert shown.holds == tried.holds, (shown, tried.failures)
    return shown


RIGHT = {
    "plain": PLAIN,
    "full": FULL,
    "extras": EXTRAS,
    "pinned": PINNED,
    "reserved": RESERVED,
    "bare": Terms(contractor=A),
    "pinned role": Terms(contractor=A, mfa=False, pin=(AUDIT,)),
    "call": CALL,
    "named": NAMED,
    "ending": ENDING,
    "one extra": Terms(contractor=A, external_id="ab", session_tags=True),
    "people": PEOPLE,
    "all people": Terms(contractor=A, name_people=True),
    "ended": Terms(contractor=A, external_id="Example987", until=NOW - timedelta(days=1)),
    "digits": Terms(contractor=A, external_id=A),
    "age zero": Terms(contractor=A, mfa_max_age=1),
    "many": Terms(contractor=A, only=tuple(f"arn:aws:iam::{A}:user/u{n}" for n in range(30))),
    "awkward": Terms(contractor="000000000001", external_id="x" * 1224, only=("arn:aws:iam::000000000001:user/a:b/x",)),
}


@pytest.mark.parametrize("terms", RIGHT.values(), ids=RIGHT.keys())
def test_what_is_written_admits_exactly_the_terms(terms: Terms) -> None:
    shown = admits_only(write_trust(terms), terms)
    assert shown.failures == ()
    assert shown.holds
    assert shown.witness is not None
    assert shown.witness.caller.account == terms.contractor
    assert decide(shown.witness, trust=parse_policy(write_trust(terms), kind="trust")).allowed


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov", "aws-eusc", "aws-iso"])
def test_every_partition(partition: str) -> None:
    terms = Terms(
        contractor=A, partition=partition, external_id="ab", only=(ALICE.replace("arn:aws:", f"arn:{partition}:"),)
    )
    role = ROLE.replace("arn:aws:", f"arn:{partition}:")
    assert showing.admits_only(write_trust(terms), terms, role_arn=role).failures == ()


Mutation = Callable[[dict[str, Any]], object]


def _first(document: dict[str, Any]) -> dict[str, Any]:
    statement: dict[str, Any] = document["Statement"][0]
    return statement


def _condition(document: dict[str, Any]) -> dict[str, Any]:
    condition: dict[str, Any] = _first(document)["Condition"]
    return condition


def _drop(operator: str) -> Mutation:
    return lambda document: _condition(document).pop(operator)


def _rename(operator: str, other: str) -> Mutation:
    return lambda document: _condition(document).update({other: _condition(document).pop(operator)})


def _value(operator: str, key: str, value: Any) -> Mutation:
    return lambda document: _condition(document)[operator].update({key: value})


def _operator(operator: str, keys: dict[str, Any] | None, other: str, new: dict[str, Any]) -> Mutation:
    """Replace one key of an operator (or all of it) by another condition."""

    def change(document: dict[str, Any]) -> None:
        for key in list(_condition(document)[operator]) if keys is None else keys:
            del _condition(document)[operator][key]
        if not _condition(document)[operator]:
            del _condition(document)[operator]
        _condition(document).setdefault(other, {}).update(new)

    return change


def _set(element: str, value: Any) -> Mutation:
    return lambda document: _first(document).update({element: value})


def _swap(element: str, other: str, value: Any) -> Mutation:
    def change(document: dict[str, Any]) -> None:
        del _first(document)[element]
        _first(document)[other] = value

    return change


def _also(**statement: Any) -> Mutation:
    return lambda document: document["Statement"].append({"Effect": "Allow", "Action": "sts:AssumeRole"} | statement)


EXT, MFA, AGE, NAME = "sts:ExternalId", "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge", "sts:RoleSessionName"
WHO, TIME = "aws:PrincipalArn", "aws:CurrentTime"
ROOT = f"arn:aws:iam::{A}:root"

WRONG: dict[Terms, dict[str, Mutation]] = {
    CALL: {
        # age
        "no age": _drop("NumericLessThanEquals"),
        "age IfExists": _rename("NumericLessThanEquals", "NumericLessThanEqualsIfExists"),
        "age strict": _rename("NumericLessThanEquals", "NumericLessThan"),
        "age greater": _rename("NumericLessThanEquals", "NumericGreaterThanEquals"),
        "age not equal": _rename("NumericLessThanEquals", "NumericNotEquals"),
        "age one more": _value("NumericLessThanEquals", AGE, "3601"),
        "age one less": _value("NumericLessThanEquals", AGE, "3599"),
        "age much more": _value("NumericLessThanEquals", AGE, "36000"),
        # ExternalId
        "no ExternalId": _operator("StringEquals", {EXT: 0}, "StringEquals", {}),
        "ExternalId like anything": _operator("StringEquals", {EXT: 0}, "StringLike", {EXT: "*"}),
        "ExternalId prefix": _operator("StringEquals", {EXT: 0}, "StringLike", {EXT: "Example*"}),
        "ExternalId one character open": _operator("StringEquals", {EXT: 0}, "StringLike", {EXT: "Example98?"}),
        "ExternalId IfExists": _operator("StringEquals", {EXT: 0}, "StringEqualsIfExists", {EXT: "Example987"}),
        "ExternalId ignoring case": _operator("StringEquals", {EXT: 0}, "StringEqualsIgnoreCase", {EXT: "Example987"}),
        "ExternalId not": _operator("StringEquals", {EXT: 0}, "StringNotEquals", {EXT: "Example987"}),
        "ExternalId ForAllValues": _operator(
            "StringEquals", {EXT: 0}, "ForAllValues:StringEquals", {EXT: "Example987"}
        ),
        "ExternalId by Null": _operator("StringEquals", {EXT: 0}, "Null", {EXT: "false"}),
        "ExternalId absent by Null": _operator("StringEquals", {EXT: 0}, "Null", {EXT: "true"}),
        "ExternalId of two": _value("StringEquals", EXT, ["Example987", "Example986"]),
        "ExternalId one character off": _value("StringEquals", EXT, "Example986"),
        "ExternalId in another case": _value("StringEquals", EXT, "example987"),
        "ExternalId with a space": _value("StringEquals", EXT, "Example987 "),
        "ExternalId as a variable": _value("StringEquals", EXT, "${sts:ExternalId}"),
        "ExternalId empty": _value("StringEquals", EXT, ""),
    },
    PEOPLE: {
        # the session name
        "no session name": _operator("StringEquals", {NAME: 0}, "StringEquals", {}),
        "session name literal": _value("StringEquals", NAME, "${*}{aws:username}"),
        "session name of somebody": _value("StringEquals", NAME, "alice-1"),
        "session name like": _operator("StringEquals", {NAME: 0}, "StringLike", {NAME: "${aws:username}*"}),
        "session name with a default": _value("StringEquals", NAME, "${aws:userid, 'alice'}"),
        "session name IfExists": _operator(
            "StringEquals", {NAME: 0}, "StringEqualsIfExists", {NAME: "${aws:username}"}
        ),
        # version
        "old version": lambda document: document.update({"Version": "2008-10-17"}),
        "no version": lambda document: document.pop("Version"),
    },
    NAMED: {
        # who
        "anyone of the account": _drop("ArnEquals"),
        "who not": _rename("ArnEquals", "ArnNotEquals"),
        "who by prefix": _value("ArnEquals", WHO, f"arn:aws:iam::{A}:user/alice*"),
        "who by any user": _value("ArnEquals", WHO, f"arn:aws:iam::{A}:user/*"),
        "who by any suffix": _value("ArnEquals", WHO, f"arn:aws:iam::{A}:*/alice"),
        "who by name": _operator("ArnEquals", None, "StringLike", {WHO: "*alice"}),
        "who by user name": _operator("ArnEquals", None, "StringEquals", {"aws:username": "alice"}),
        "who of two": _value("ArnEquals", WHO, [ALICE, BOB]),
        "who is another": _value("ArnEquals", WHO, BOB),
        "who ignoring case": _operator("ArnEquals", None, "StringEqualsIgnoreCase", {WHO: ALICE}),
    },
    ENDING: {
        # when
        "no end": _drop("DateLessThan"),
        "end included": _rename("DateLessThan", "DateLessThanEquals"),
        "end turned round": _rename("DateLessThan", "DateGreaterThan"),
        "end a second later": _value("DateLessThan", TIME, "2026-12-23T12:00:01Z"),
        "end a second earlier": _value("DateLessThan", TIME, "2026-12-23T11:59:59Z"),
        "end in another zone": _value("DateLessThan", TIME, "2026-12-23T12:00:00-01:00"),
        "end a year later": _value("DateLessThan", TIME, "2027-12-23T12:00:00Z"),
        "end not on that day": _rename("DateLessThan", "DateNotEquals"),
        "another clock": _operator(
            "DateLessThan", None, "DateLessThan", {"aws:TokenIssueTime": "2026-12-23T12:00:00Z"}
        ),
    },
    PLAIN: {
        # MFA
        "no MFA": _drop("Bool"),
        "BoolIfExists": _rename("Bool", "BoolIfExists"),
        "MFA false": _value("Bool", MFA, "false"),
        "MFA true or false": _value("Bool", MFA, ["true", "false"]),
        "MFA by Null": _operator("Bool", None, "Null", {MFA: "false"}),
        "MFA not false": _operator("Bool", None, "StringNotEquals", {MFA: "false"}),
        "MFA by StringLike": _operator("Bool", None, "StringLike", {MFA: "*"}),
        "MFA ForAllValues": _rename("Bool", "ForAllValues:Bool"),
        "another key for MFA": _operator("Bool", None, "Bool", {"aws:SecureTransport": "true"}),
        # the account
        "principal *": _set("Principal", "*"),
        "principal AWS *": _set("Principal", {"AWS": "*"}),
        "principal AWS * in a list": _set("Principal", {"AWS": [ROOT, "*"]}),
        "another account too": _set("Principal", {"AWS": [ROOT, "444444444444"]}),
        "the owner too": _set("Principal", {"AWS": [ROOT, OWNER]}),
        "one user": _set("Principal", {"AWS": ALICE}),
        "another account": _set("Principal", {"AWS": "444444444444"}),
        "another partition": _set("Principal", {"AWS": ROOT.replace("arn:aws:", "arn:aws-cn:")}),
        # actions
        "no such action": _set("Action", "sts:AssumeRoleWithSAML"),
        "any action": _set("Action", "*"),
        "any of sts": _set("Action", "sts:*"),
        "tags too": _set("Action", ["sts:AssumeRole", "sts:TagSession"]),
        "source identity too": _set("Action", ["sts:AssumeRole", "sts:SetSourceIdentity"]),
        "NotAction": _swap("Action", "NotAction", "sts:AssumeRoleWithSAML"),
        "NotAction AssumeRole": _swap("Action", "NotAction", "sts:AssumeRole"),
        # effect, further statements
        "denied": _set("Effect", "Deny"),
        "no statement": lambda document: document.update({"Statement": []}),
        "the account without conditions": _also(Principal={"AWS": ROOT}),
        "the named user without conditions": _also(Principal={"AWS": ALICE}),
        "another account's user": _also(Principal={"AWS": "arn:aws:iam::444444444444:user/eve"}),
        "another account with ExternalId": _also(
            Principal={"AWS": "444444444444"}, Condition={"StringEquals": {EXT: "other-customer"}}
        ),
        "another account from one place": _also(
            Principal={"AWS": "444444444444"},
            Condition={
                "IpAddress": {"aws:SourceIp": "198.51.100.0/24"},
                "StringEquals": {"aws:PrincipalOrgID": "o-abc"},
            },
        ),
        "everybody of an organization": _also(
            Principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-abc"}}
        ),
        "everybody of an account": _also(
            Principal="*", Condition={"StringEquals": {"aws:PrincipalAccount": "444444444444"}}
        ),
        "everybody of a name": _also(Principal="*", Condition={"StringEquals": {"aws:username": "eve"}}),
        "everybody like an ARN": _also(Principal="*", Condition={"ArnLike": {WHO: "arn:aws:iam::*:role/eve-*"}}),
        "everybody like a text": _also(Principal="*", Condition={"StringLike": {WHO: f"arn:aws:iam::*{A}*"}}),
        "everybody with a secret": _also(Principal="*", Condition={"StringEquals": {EXT: "backdoor"}}),
        "everybody on one day": _also(Principal="*", Condition={"DateEquals": {TIME: "2031-01-01T00:00:00Z"}}),
        "everybody late": _also(Principal="*", Condition={"DateGreaterThan": {TIME: "2031-01-01T00:00:00Z"}}),
        "an identity provider": _also(
            Principal={"Federated": f"arn:aws:iam::{OWNER}:oidc-provider/gitlab.example.com"},
            Action="sts:AssumeRoleWithWebIdentity",
            Condition={"StringEquals": {"gitlab.example.com:aud": "x"}},
        ),
        "a service": _also(Principal={"Service": "glue.amazonaws.com"}),
        "tags for everybody": _also(Principal="*", Action="sts:TagSession"),
        "tags for the account": _also(Principal={"AWS": ROOT}, Action="sts:TagSession"),
        "everybody denied": _also(Effect="Deny", Principal="*"),
        "the account denied": _also(Effect="Deny", Principal={"AWS": ROOT}),
        "denied from one place": _also(
            Effect="Deny", Principal="*", Condition={"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}
        ),
        "denied without a key": _also(Effect="Deny", Principal="*", Condition={"Null": {"aws:SourceIp": "true"}}),
        "one condition more": _value("StringEquals", "aws:PrincipalOrgID", "o-abc"),
    },
}


NO_DIFFERENCE: dict[str, tuple[Terms, Mutation]] = {
    # What the words would let in cannot be sent (`valetkey.prover.space`, `people`, `keys`).
    "every request carries the time": (ENDING, _rename("DateLessThan", "DateLessThanIfExists")),
    "a service carries no MFA": (PLAIN, _set("Principal", {"AWS": ROOT, "Service": "glue.amazonaws.com"})),
    "nobody crosses partitions": (PLAIN, _set("Principal", {"AWS": [ROOT, f"arn:aws-cn:iam::{A}:root"]})),
    "an account has no assertion of a provider": (PLAIN, _set("Action", "sts:Assume*")),
    "an age of MFA comes with MFA": (CALL, _rename("Bool", "BoolIfExists")),
}


@pytest.mark.parametrize("fact", NO_DIFFERENCE)
def test_what_cannot_be_sent_makes_no_difference(fact: str) -> None:
    terms, change = NO_DIFFERENCE[fact]
    document = write_trust(terms)
    change(document)
    assert showing.admits_only(document, terms, role_arn=ROLE).holds


@pytest.mark.parametrize(
    ("terms", "change"),
    [pytest.param(terms, change, id=name) for terms, changes in WRONG.items() for name, change in changes.items()],
)
def test_every_mistake_is_found(terms: Terms, change: Mutation) -> None:
    document = write_trust(terms)
    before = copy.deepcopy(document)
    change(document)
    assert document != before
    assert not admits_only(document, terms).holds


@pytest.mark.parametrize(
    "name", ["no ExternalId", "age IfExists", "ExternalId prefix", "session name like", "who by prefix", "end included"]
)
def test_one_mistake_among_many_right_conditions_is_found(name: str) -> None:
    document = write_trust(FULL)
    next(changes[name] for changes in WRONG.values() if name in changes)(document)
    assert not admits_only(document, FULL).holds


def _second(change: Mutation) -> Mutation:
    return lambda document: change({"Statement": [document["Statement"][1]]})


EXTRAS_WRONG: dict[str, Mutation] = {
    "extras for anyone of the account": _second(lambda document: _condition(document).pop("ArnEquals")),
    "extras without end": _second(lambda document: _condition(document).pop("DateLessThan")),
    "extras without anything": _second(lambda document: _first(document).pop("Condition")),
    "extras for everybody": _second(
        lambda document: (_first(document).update({"Principal": "*"}), _condition(document).pop("ArnEquals"))
    ),
    "extras of another account": _second(
        lambda document: _first(document).update({"Principal": {"AWS": "444444444444"}})
    ),
    "tags only": _second(lambda document: _first(document).update({"Action": "sts:TagSession"})),
    "any action": _second(lambda document: _first(document).update({"Action": "sts:*"})),
    "extras need the ExternalId": _second(
        lambda document: _condition(document).update({"StringEquals": {EXT: "Example987"}})
    ),
    "no extras": lambda document: document["Statement"].pop(),
}


@pytest.mark.parametrize("mistake", EXTRAS_WRONG)
def test_every_mistake_with_the_extras_is_found(mistake: str) -> None:
    document = copy.deepcopy(write_trust(EXTRAS))
    EXTRAS_WRONG[mistake](document)
    assert not admits_only(document, EXTRAS).holds


@pytest.mark.parametrize(
    ("terms", "change"),
    [
        (PINNED, lambda document: _first(document).update({"Principal": {"AWS": [ALICE]}})),
        (PINNED, lambda document: _first(document).update({"Principal": {"AWS": ROOT}})),
        (PINNED, lambda document: _first(document).update({"Principal": {"AWS": [ALICE, BOB, ROOT]}})),
        (PINNED, lambda document: _first(document).update({"Principal": {"AWS": [ALICE, BOB.replace("ops/", "")]}})),
        (
            PINNED,
            lambda document: _first(document).update({"Principal": {"AWS": [ALICE, f"arn:aws:iam::{A}:role/bob"]}}),
        ),
        (RESERVED, _value("ArnLike", WHO, [AUDIT, SSO.replace("_Audit_", "_")])),
        (RESERVED, _value("ArnLike", WHO, [AUDIT, SSO.replace("aws-reserved/sso.amazonaws.com/eu-west-1/", "")])),
        (RESERVED, _value("ArnLike", WHO, [AUDIT])),
        (RESERVED, _value("ArnLike", WHO, [AUDIT.replace("team/", "*"), SSO])),
        (RESERVED, _rename("ArnLike", "StringEquals")),
    ],
)
def test_every_mistake_about_who_is_found(terms: Terms, change: Mutation) -> None:
    document = copy.deepcopy(write_trust(terms))
    change(document)
    assert not admits_only(document, terms).holds


SAME: dict[str, Mutation] = {
    "a bare account id": _set("Principal", {"AWS": A}),
    "lists of one": _set("Principal", {"AWS": [ROOT]}),
    "another sid": _set("Sid", "Other"),
    "a statement alone": lambda document: document.update({"Statement": _first(document)}),
    "keys in another case": _operator("Bool", None, "Bool", {"AWS:multifactorauthPRESENT": True}),
    "ArnLike without wildcard": _rename("ArnEquals", "ArnLike"),
    # Everybody in an account has an aws:PrincipalArn, so that these change nothing.
    "who IfExists": _rename("ArnEquals", "ArnEqualsIfExists"),
    "who ForAllValues": _rename("ArnEquals", "ForAllValues:ArnEquals"),
    "principal * behind an exact ARN": _set("Principal", {"AWS": "*"}),
    "the same end in another zone": _value("DateLessThan", TIME, "2026-12-23T13:00:00+01:00"),
    "a deny that nobody meets": _also(Effect="Deny", Principal={"AWS": "444444444444"}, Action="sts:AssumeRole"),
    "the same twice": lambda document: document["Statement"].append({**_first(document), "Sid": "Again"}),
}


@pytest.mark.parametrize("form", SAME)
def test_other_words_for_the_same_hold(form: str) -> None:
    document = write_trust(NAMED_ENDING)
    before = copy.deepcopy(document)
    SAME[form](document)
    assert document != before
    assert admits_only(document, NAMED_ENDING).failures == ()


USER = f"a user of the contractor (arn:aws:iam::{A}:user/somebody)"
EVE = "a user of another account (arn:aws:iam::444444444444:user/eve)"
SESSION = f"a role session of the contractor (arn:aws:sts::{A}:assumed-role/ops/session)"
PROVIDER = f"the provider (arn:aws:iam::{OWNER}:oidc-provider/gitlab.example.com)"
DENIED = 'denies aws:MultiFactorAuthPresent = "true" (the request has "true")'
SENT = "sts:ExternalId = 'Exam… (10 characters)', aws:MultiFactorAuthPresent = 'true'"
SENT_BACK = "aws:MultiFactorAuthPresent = 'true', sts:ExternalId = 'Exam… (10 characters)'"
REFUSED = f"{USER}, by sts:AssumeRole with {SENT_BACK}, is refused"


@pytest.mark.parametrize(
    ("change", "failures"),
    [
        (_drop("Bool"), (f"{USER}, by sts:AssumeRole with sts:ExternalId = 'Exam… (10 characters)', is admitted",)),
        # who
        (
            WRONG[PLAIN]["another account's user"],
            (f"{EVE}, by sts:AssumeRole with nothing, is admitted",),
        ),
        (
            _also(Principal={"AWS": "arn:aws:iam::000000000001:user/eve"}),
            (f"{EVE.replace('444444444444', '000000000001')}, by sts:AssumeRole with nothing, is admitted",),
        ),
        (
            WRONG[PLAIN]["the owner too"],
            (f"a user of the owner (arn:aws:iam::{OWNER}:user/somebody), by sts:AssumeRole with {SENT}, is admitted",),
        ),
        (
            _also(Principal={"AWS": f"arn:aws:iam::{A}:role/ops"}),
            (f"{SESSION}, by sts:AssumeRole with sts:ExternalId = 'Exam… (10 characters)', is admitted",),
        ),
        (
            WRONG[PLAIN]["a service"],
            ("the service (glue.amazonaws.com), by sts:AssumeRole with nothing, is admitted",),
        ),
        (
            WRONG[PLAIN]["an identity provider"],
            (f"{PROVIDER}, by sts:AssumeRoleWithWebIdentity with gitlab.example.com:aud = 'x', is admitted",),
        ),
        (WRONG[PLAIN]["tags for the account"], (f"{USER}, by sts:TagSession with nothing, is admitted",)),
        # both ways
        (
            WRONG[PLAIN]["another account"],
            (
                f"{EVE.replace('eve', 'somebody')}, by sts:AssumeRole with {SENT}, is admitted",
                f"{REFUSED}: statement 1 applies to 444444444444, the caller is arn:aws:iam::{A}:user/somebody",
            ),
        ),
        # why it is refused
        (
            WRONG[PLAIN]["no such action"],
            (f"{REFUSED}: statement 1 applies to sts:AssumeRoleWithSAML, the call is sts:AssumeRole",),
        ),
        (
            WRONG[PLAIN]["one condition more"],
            (f'{REFUSED}: statement 1 requires aws:PrincipalOrgID = "o-abc", the request has none',),
        ),
        (
            lambda document: _condition(document).update({"StringLike": {"STS:externalID": "Other*"}}),
            (f"{REFUSED}: statement 1 requires another sts:ExternalId",),
        ),
        (WRONG[PLAIN]["no statement"], (REFUSED,)),
        (WRONG[PLAIN]["everybody denied"], (f"{REFUSED}: statement 2 denies it",)),
        (
            _also(Effect="Deny", Principal="*", Condition={"Bool": {MFA: "true"}, "StringLike": {EXT: "*"}}),
            (f"{REFUSED}: statement 2 {DENIED}; statement 2 denies this sts:ExternalId",),
        ),
    ],
)
def test_a_failure_says_who_what_and_why(change: Mutation, failures: tuple[str, ...]) -> None:
    """ExternalIds are shortened."""
    document = write_trust(PLAIN)
    change(document)
    shown = showing.admits_only(document, PLAIN, role_arn=ROLE)
    assert not shown.holds
    assert shown.failures == failures


def test_only_external_ids_are_shortened() -> None:
    document = write_trust(PEOPLE)
    _drop("Bool")(document)
    (failure,) = showing.admits_only(document, PEOPLE, role_arn=ROLE).failures
    assert failure == (
        f"a user of the contractor ({ALICE}), by sts:AssumeRole with sts:RoleSessionName = 'alice', is admitted"
    )


def test_every_condition_that_is_not_met_is_a_reason() -> None:
    document = write_trust(Terms(contractor=A, external_id="Other-one", mfa_max_age=60))
    _, failure = showing.admits_only(document, PLAIN, role_arn=ROLE).failures
    assert failure == (
        f'{REFUSED}: statement 1 requires another sts:ExternalId; statement 1 requires aws:MultiFactorAuthAge <= "60", '
        "the request has none"
    )


ROTATED = replace(ENDING, previous_external_id="Example986", previous_until=END - timedelta(days=1))


def test_a_rotation_admits_both_external_ids_each_until_its_end() -> None:
    document = write_trust(ROTATED)
    shown = showing.admits_only(document, ROTATED, role_arn=ROLE)
    assert shown.failures == ()
    assert shown.witness is not None
    assert not showing.admits_only(document, ENDING, role_arn=ROLE).holds
    assert not showing.admits_only(write_trust(ENDING), ROTATED, role_arn=ROLE).holds
    for terms in (
        replace(ROTATED, previous_until=END),
        replace(ROTATED, previous_until=END - timedelta(days=2)),
        replace(ROTATED, previous_external_id="Example985"),
        replace(ROTATED, mfa=False, only=(ALICE,)),
        replace(ROTATED, only=(ALICE,)),
    ):
        assert not showing.admits_only(document, terms, role_arn=ROLE).holds


def test_a_deleted_role_is_known_by_its_id_and_by_its_sessions() -> None:
    """Whoever had the id is gone; a trust that names it and one that does not are two."""
    gone = "AROAEXAMPLEEXAMPLE12"
    terms = Terms(contractor=A, external_id="Example987", mfa=False, pin=(AUDIT, gone))
    document = write_trust(replace(terms, pin=(AUDIT,)))
    assert not showing.admits_only(document, terms, role_arn=ROLE).holds
    _first(document)["Principal"] = {"AWS": [AUDIT, gone]}
    shown = showing.admits_only(document, terms, role_arn=ROLE)
    assert shown.failures == ()
    assert shown.witness is not None
    assert shown.witness.caller.kind == "session"
    assert shown.witness.principal.startswith(f"arn:aws:sts::{A}:assumed-role/auditor/")


@pytest.mark.parametrize(
    ("named", "holds"),
    [
        (AUDIT, True),
        # A role's name is unique in its account, whatever its path (reference_identifiers).
        (AUDIT.replace("team/", ""), True),
        (AUDIT.replace("team/", "other/team/"), True),
        (AUDIT.replace("auditor", "auditors"), False),
        (AUDIT.replace("team/", "team-"), False),
        (AUDIT.replace(":role/", ":user/"), False),
    ],
)
def test_a_pinned_role_is_the_one_of_that_name(named: str, holds: bool) -> None:
    terms = Terms(contractor=A, external_id="Example987", mfa=False, pin=(AUDIT,))
    document = write_trust(terms)
    _first(document)["Principal"] = {"AWS": named}
    assert showing.admits_only(document, terms, role_arn=ROLE).holds is holds


def test_a_deleted_pin_admits_one_less_and_nobody_is_a_failure() -> None:
    document = write_trust(PINNED)
    _first(document)["Principal"]["AWS"] = ["AIDAEXAMPLEEXAMPLE12", BOB]
    terms = read_terms(document)
    shown = admits_only(document, terms)
    assert shown.failures == ()
    assert shown.witness is not None
    assert shown.witness.principal == BOB
    _first(document)["Principal"]["AWS"] = "AIDAEXAMPLEEXAMPLE12"
    terms = read_terms(document, contractor=A)
    assert admits_only(document, terms) == ProvedTrust(False, None, ("these terms admit nobody",))


def test_a_trust_that_admits_nobody_does_not_hold_for_terms() -> None:
    assert not admits_only(closed_trust(), PLAIN).holds


def test_a_role_of_another_partition_than_the_contractor() -> None:
    role = ROLE.replace("arn:aws:", "arn:aws-cn:")
    with pytest.raises(TermsError, match="the contractor is in aws and the role in aws-cn"):
        showing.admits_only(write_trust(PLAIN), PLAIN, role_arn=role)


@pytest.mark.parametrize(
    ("terms", "where", "what", "do"),
    [
        (
            Terms(contractor=OWNER),
            "contractor",
            f"the contractor's account {OWNER} is the role's own account",
            "name the account of the outside party",
        ),
        (
            Terms(contractor=A, partition="aws-cn"),
            "partition",
            "the contractor is in aws-cn and the role in aws: no call crosses partitions",
            "use an account of the same partition",
        ),
    ],
    ids=["own account", "other partition"],
)
def test_places_that_no_trust_is_for(terms: Terms, where: str, what: str, do: str) -> None:
    with pytest.raises(TermsError) as caught:
        showing.admits_only(write_trust(terms), terms, role_arn=ROLE)
    assert (caught.value.where, caught.value.what, caught.value.do) == (where, what, do)


def test_a_document_that_aws_refuses_is_not_shown() -> None:
    with pytest.raises(PolicyError):
        admits_only({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}, PLAIN)


def test_what_is_not_decided_is_not_shown() -> None:
    """Whom the second statement names, nobody knows."""
    document = write_trust(PLAIN)
    _also(Principal={"Service": "nonsense"})(document)
    shown = showing.admits_only(document, PLAIN, role_arn=ROLE)
    assert not shown.holds
    assert shown.failures == ("it could not be decided: 'nonsense' is not the name of a service as AWS writes it",)


def test_the_closed_trust_admits_nobody() -> None:
    assert admits_nobody(closed_trust(), role_arn=ROLE) == ProvedTrust(True, None, ())
    assert table.admits_nobody(closed_trust(), role_arn=ROLE, contractor=A, now=NOW).holds


@pytest.mark.parametrize(
    "document",
    [
        write_trust(PLAIN),
        write_trust(FULL),
        write_trust(PINNED),
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]},
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"},
                {
                    "Effect": "Allow",
                    "Principal": {"Federated": f"arn:aws:iam::{OWNER}:saml-provider/x"},
                    "Action": "sts:AssumeRoleWithSAML",
                    "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
                },
            ],
        },
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Deny", "Principal": {"AWS": A}, "Action": "sts:AssumeRole"},
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": "444444444444"},
                    "Action": "sts:AssumeRole",
                    "Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": "60"}},
                },
            ],
        },
    ],
)
def test_whoever_still_comes_in_is_found(document: dict[str, Any]) -> None:
    trust = admits_nobody(document, role_arn=ROLE)
    assert not trust.holds
    assert trust.witness is None
    (failure,) = trust.failures
    assert failure.endswith("is admitted")
    assert not table.admits_nobody(document, role_arn=ROLE, contractor=A, now=NOW, to_the_end=False).holds


def test_a_pinned_role_may_be_named_like_another() -> None:
    role = "arn:aws:iam::222222222222:role"
    terms = Terms(contractor="222222222222", mfa=False, pin=(f"{role}/team/bob", f"{role}/bobx", f"{role}/bo"))
    assert admits_only(write_trust(terms), terms).failures == ()


@pytest.mark.parametrize(
    "condition",
    [
        {"StringNotEquals": {"aws:PrincipalAccount": []}},
        {"Bool": {"aws:MultiFactorAuthPresent": "${aws:x}"}},
        {"ForAnyValue:StringNotEqualsIfExists": {"sts:ExternalId": "another-id"}},
    ],
)
def test_a_trust_that_rests_on_what_aws_does_not_document_is_not_shown(condition: Any) -> None:
    """One statement more, of which AWS does not say whether it lets anybody in or keeps somebody out."""
    document = write_trust(PLAIN)
    assert showing.admits_only(document, PLAIN, role_arn=ROLE).holds
    more = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Condition": condition}
    for effect in ("Allow", "Deny"):
        changed = {**document, "Statement": [*document["Statement"], more | {"Effect": effect}]}
        shown = showing.admits_only(changed, PLAIN, role_arn=ROLE)
        assert not shown.holds
        assert shown.failures
    assert not admits_nobody({**document, "Statement": [more]}, role_arn=ROLE).holds
