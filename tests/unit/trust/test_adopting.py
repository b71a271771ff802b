"""What a trust policy that others wrote says and holds: whom it admits, under which terms, and what is weak in it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from valetkey.trust import Terms
from valetkey.trust.adopting import Admitted, admits_at_most, admitted, candidates, read_by_proof, recognized, to_bring
from valetkey.trust.record import Record, terms_digest

OWN = "111111111111"
A = "222222222222"
B = "333333333333"
ROLE = f"arn:aws:iam::{OWN}:role/puppeteers"
ALICE = f"arn:aws:iam::{A}:user/alice"
AUDITOR = f"arn:aws:iam::{A}:role/auditor"
SAML = f"arn:aws:iam::{OWN}:saml-provider/corp"
GONE = "AIDAEXAMPLEEXAMPLE12"
ROOT = {"AWS": f"arn:aws:iam::{A}:root"}
ID = {"StringEquals": {"sts:ExternalId": "puppets-on-strings"}}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
WEAK_MFA = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}
END = datetime(2026, 12, 31, tzinfo=UTC)

ANYBODY = Terms(contractor=A, mfa=False, whole_account=True)
"""Terms that ask for nothing but the account."""


def allow(principal: Any, condition: Any = None, action: Any = "sts:AssumeRole") -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    return {**statement, "Condition": condition} if condition else statement


def deny(condition: Any, principal: Any = "*") -> dict[str, Any]:
    return {**allow(principal, condition), "Effect": "Deny"}


def trust(*statements: Any) -> dict[str, Any]:
    """The document as it is read from JSON."""
    document: dict[str, Any] = json.loads(json.dumps({"Version": "2012-10-17", "Statement": statements}))
    return document


def said(*statements: Any) -> Terms:
    """The strictest terms that a document may mean."""
    return next(iter(candidates(trust(*statements), partition="aws", contractor=A)))


def by_saml(condition: Any = None) -> dict[str, Any]:
    audience = {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}
    return allow({"Federated": SAML}, condition or audience, "sts:AssumeRoleWithSAML")


# -- who is admitted -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statements", "who"),
    [
        ((allow(ROOT),), Admitted(accounts=(A,))),
        ((allow({"AWS": [B, A]}),), Admitted(accounts=(A, B))),
        ((allow({"AWS": [B, "000000000001", A]}),), Admitted(accounts=("000000000001", A, B))),
        ((allow({"AWS": OWN}),), Admitted(own=True)),
        ((allow({"AWS": [OWN, A]}),), Admitted(own=True, accounts=(A,))),
        (
            (allow({"Service": ["glue.amazonaws.com", "ec2.amazonaws.com"]}),),
            Admitted(services=("ec2.amazonaws.com", "glue.amazonaws.com")),
        ),
        ((by_saml(),), Admitted(providers=(SAML,))),
        ((allow("*"),), Admitted(own=True, services=("",), anybody=True)),
        ((allow({"AWS": "*"}, {"StringLike": {"aws:userid": GONE}}),), Admitted(own=True, ids=(GONE,))),
        ((allow("*", None, "sts:*"),), Admitted(own=True, services=("",), providers=("",), anybody=True)),
        # Under "AWS", IAM returns the id of a principal that has been deleted.
        ((allow({"AWS": GONE}),), Admitted()),
        # What AWS does not document counts as admitted.
        ((allow(ROOT, {"Bool": {"aws:MultiFactorAuthPresent": "${aws:x}"}}),), Admitted(accounts=(A,))),
        ((allow(ROOT), deny(None, ROOT)), Admitted()),
    ],
)
def test_who_is_admitted(statements: tuple[Any, ...], who: Admitted) -> None:
    assert admitted(trust(*statements), role_arn=ROLE) == who


@pytest.mark.parametrize(
    ("statements", "why"),
    [
        (
            (allow(ROOT), allow({"Service": "nonsense"})),
            "statement 2 names 'nonsense', which is not the name of a service as AWS writes it",
        ),
        (
            (allow({"AWS": "x"}),),
            "'x' is not an AWS principal ($.Statement[0].Principal.AWS) name an account, user, role",
        ),
        (
            (allow(ROOT, {"StringLike": {"sts:RoleSessionName": f"*a{15 * '?'}"}}),),
            "1 patterns cut out more than 20,000 kinds of text",
        ),
    ],
)
def test_why_it_is_not_known_who_is_admitted(statements: tuple[Any, ...], why: str) -> None:
    result = admitted(trust(*statements), role_arn=ROLE)
    assert result.unknown.startswith(why)
    assert result.accounts == ((A,) if "nonsense" in why else ())


def test_what_a_deny_names_and_nobody_knows_leaves_no_doubt() -> None:
    assert admitted(trust(allow(ROOT), deny(None, {"Service": "nonsense"})), role_arn=ROLE) == Admitted(accounts=(A,))


@pytest.mark.parametrize(
    ("who", "outside"),
    [
        (Admitted(), False),
        (Admitted(own=True, services=("ec2.amazonaws.com",)), False),
        (Admitted(accounts=(A,)), True),
        (Admitted(providers=(SAML,)), True),
        (Admitted(anybody=True), True),
        (Admitted(ids=(GONE,)), True),
        (Admitted(unknown="not decided"), True),
    ],
)
def test_who_counts_as_outside_the_account(who: Admitted, outside: bool) -> None:
    assert who.outsiders is outside


def test_those_of_no_other_account_in_words() -> None:
    assert Admitted(accounts=(A,), anybody=True).others == ()
    who = Admitted(own=True, services=("ec2.amazonaws.com", ""), providers=(SAML, ""))
    assert who.others == (
        "the role's own account",
        "the service ec2.amazonaws.com",
        "any AWS service",
        f"the identity provider {SAML}",
        "any identity provider",
    )


# -- what a document says ------------------------------------------------------------------------------------------


def one(operator: str, key: str, value: Any) -> dict[str, Any]:
    return {operator: {key: value}}


WHO, EXT, TIME, AGE = "aws:PrincipalArn", "sts:ExternalId", "aws:CurrentTime", "aws:MultiFactorAuthAge"
PRESENT, IP, NAME = "aws:MultiFactorAuthPresent", "aws:SourceIp", "sts:RoleSessionName"


@pytest.mark.parametrize(
    ("condition", "terms"),
    [
        (None, {}),
        # ExternalId: one value, however often it is said
        (one("StringEquals", EXT, "one"), {"external_id": "one"}),
        (one("StringEquals", "STS:externalid", ["one", "one"]), {"external_id": "one"}),
        (one("ForAnyValue:StringEquals", EXT, "one"), {"external_id": "one"}),
        (one("ForAllValues:StringEqualsIfExists", EXT, "one"), {"external_id": "one"}),
        (one("StringEquals", EXT, ["one", "two"]), {}),
        (one("StringLike", EXT, "one*"), {}),
        (one("StringEquals", EXT, 12), {"external_id": "12"}),
        (one("StringEquals", EXT, None), {}),
        # MFA
        (one("Bool", PRESENT, "true"), {"mfa": True}),
        (one("BoolIfExists", PRESENT, [True]), {"mfa": True}),
        (one("bool", PRESENT.upper(), "TRUE"), {"mfa": True}),
        (one("Bool", PRESENT, "false"), {}),
        (one("Bool", PRESENT, False), {}),
        (one("Bool", PRESENT, ["true", "false"]), {}),
        # its age: the largest that is admitted
        (one("NumericLessThanEquals", AGE, "3600"), {"mfa": True, "mfa_max_age": 3600}),
        (one("NumericLessThanEquals", AGE, [60, "3600", "900"]), {"mfa": True, "mfa_max_age": 3600}),
        (one("NumericLessThanEquals", AGE, "99999999999"), {"mfa": True, "mfa_max_age": 99_999_999_999}),
        (one("NumericLessThanEquals", AGE, "100000000000"), {}),
        (one("NumericLessThanEquals", AGE, ["\N{SUPERSCRIPT TWO}", "\N{ARABIC-INDIC DIGIT TWO}", "soon", "-1"]), {}),
        (one("NumericLessThan", AGE, "3600"), {}),
        # who
        (one("ArnEquals", WHO, ALICE), {"only": (ALICE,)}),
        (one("ArnLike", WHO, [AUDITOR, ALICE]), {"only": (AUDITOR, ALICE)}),
        (one("StringEquals", WHO, ALICE), {"only": (ALICE,)}),
        (one("StringLike", WHO, f"arn:aws:iam::{A}:role/audit*"), {"only": (f"arn:aws:iam::{A}:role/audit*",)}),
        (one("ArnEquals", WHO, [ALICE, ALICE.replace(A, B), "*", "arn:aws:iam::*:user/x"]), {"only": (ALICE,)}),
        (one("ArnNotEquals", WHO, ALICE), {}),
        # session name
        (one("StringEquals", NAME, "${aws:username}"), {"name_people": True}),
        (one("StringEquals", NAME, ["${aws:username}", "x"]), {}),
        (one("StringEquals", NAME, "alice"), {}),
        # addresses
        (one("IpAddress", IP, ["198.51.100.0/24", "2001:db8::/32"]), {"from_ip": ("198.51.100.0/24", "2001:db8::/32")}),
        (one("NotIpAddress", IP, "198.51.100.0/24"), {}),
        # end: the latest, in whole seconds, of years with room around them
        (one("DateLessThan", TIME, "2026-12-31T00:00:00Z"), {"until": END}),
        (one("DateLessThan", TIME, "2026-12-31"), {"until": END}),
        (one("DateLessThan", TIME, "2026-12-31T01:00:00.9+01:00"), {"until": END}),
        (one("DateLessThan", TIME, ["2025-01-01", "2026-12-31", "soon"]), {"until": END}),
        (one("DateLessThan", TIME, "1971-01-01"), {"until": datetime(1971, 1, 1, tzinfo=UTC)}),
        (one("DateLessThan", TIME, "8999-12-31"), {"until": datetime(8999, 12, 31, tzinfo=UTC)}),
        (one("DateLessThan", TIME, ["1970-12-31", "9000-01-01", "0001-01-01T00:00:00+14:00"]), {}),
        (one("DateGreaterThan", TIME, "2026-12-31"), {}),
        # nonsense
        ("x", {}),
        ({"StringEquals": "x"}, {}),
    ],
)
def test_what_a_condition_says(condition: Any, terms: dict[str, Any]) -> None:
    whole = not (terms.get("mfa") or terms.get("only"))
    assert said(allow(ROOT, condition)) == replace(ANYBODY, **{"whole_account": whole, **terms})


@pytest.mark.parametrize(
    ("condition", "terms"),
    [
        (one("Bool", PRESENT, "false"), {"mfa": True}),
        (one("BoolIfExists", PRESENT, [False]), {"mfa": True}),
        (one("Bool", PRESENT, "FALSE"), {"mfa": True}),
        (one("Bool", PRESENT, "true"), {}),
        (one("Bool", PRESENT, ["false", "true"]), {}),
        (one("Bool", PRESENT, "absent"), {}),
        (one("Bool", PRESENT, []), {}),
        (one("ArnEquals", PRESENT, "false"), {}),
        (one("StringEquals", PRESENT, "false"), {}),
        (one("StringNotEquals", EXT, "one"), {"external_id": "one"}),
        (one("StringNotEqualsIfExists", EXT, "one"), {"external_id": "one"}),
        (one("StringEquals", EXT, "one"), {}),
        (one("ArnNotEquals", WHO, ALICE), {"only": (ALICE,)}),
        (one("ArnNotLike", WHO, ALICE), {"only": (ALICE,)}),
        (one("NotIpAddress", IP, "198.51.100.0/24"), {"from_ip": ("198.51.100.0/24",)}),
        (one("DateGreaterThanEquals", TIME, "2026-12-31T00:00:00Z"), {"until": END}),
        (one("DateLessThan", TIME, "2026-12-31T00:00:00Z"), {}),
    ],
)
def test_a_deny_says_what_it_leaves(condition: Any, terms: dict[str, Any]) -> None:
    whole = not (terms.get("mfa") or terms.get("only"))
    wanted = replace(ANYBODY, **{"whole_account": whole, **terms})
    assert said(allow(ROOT), deny(condition)) == said(deny(condition), allow(ROOT)) == wanted


def test_what_several_statements_say_is_put_together() -> None:
    terms = said(
        allow(ROOT, {**ID, **one("DateLessThan", TIME, "2026-12-30")}),
        allow(ROOT, {**MFA, **one("DateLessThan", TIME, "2026-12-31")}),
        deny(one("NotIpAddress", IP, "198.51.100.0/24")),
        deny(one("NotIpAddress", IP, "203.0.113.0/24")),
    )
    assert terms == Terms(
        contractor=A, external_id="puppets-on-strings", until=END, from_ip=("198.51.100.0/24", "203.0.113.0/24")
    )


@pytest.mark.parametrize(
    ("principal", "terms"),
    [
        (ROOT, {}),
        ({"AWS": A}, {}),
        ("*", {}),
        ({"AWS": [ALICE, AUDITOR]}, {"pin": (AUDITOR, ALICE)}),
        ({"AWS": [ALICE, ALICE.replace(A, B)]}, {"pin": (ALICE,)}),
        ({"AWS": [ALICE, A]}, {}),
        ({"AWS": [ALICE, f"arn:aws:iam::{A}:root"]}, {}),
        ({"AWS": [GONE, ALICE, None]}, {"pin": (GONE, ALICE)}),
        ({"AWS": GONE}, {"pin": (GONE,)}),
        ({"Service": "ec2.amazonaws.com"}, {}),
        (None, {}),
    ],
)
def test_whom_a_principal_element_names(principal: Any, terms: dict[str, Any]) -> None:
    assert said(allow(principal)) == replace(ANYBODY, **{**terms, "whole_account": not terms})


def test_a_user_who_is_named_twice_is_pinned_and_not_asked_for() -> None:
    """Where the Principal element names users, it says more than a condition on their ARNs."""
    assert said(allow({"AWS": ALICE}, one("ArnEquals", WHO, AUDITOR))).only == ()
    assert said(allow(ROOT, one("ArnEquals", WHO, AUDITOR)), allow({"AWS": ALICE})).only == (AUDITOR,)


@pytest.mark.parametrize(
    ("statements", "extras"),
    [
        ((allow(ROOT),), (False, False)),
        ((allow(ROOT, None, ["sts:AssumeRole", "STS:tagsession"]),), (False, True)),
        ((allow(ROOT, None, ["sts:AssumeRole", "sts:SetSourceIdentity"]),), (True, False)),
        ((allow(ROOT), allow(ROOT, None, ["sts:TagSession", "sts:SetSourceIdentity"])), (True, True)),
        ((allow(ROOT, None, "sts:*"),), (True, True)),
        ((allow(ROOT, None, ["*"]),), (True, True)),
        ((allow(ROOT), allow({"AWS": B}, None, "sts:*")), (False, False)),
        ((allow(ROOT), {**allow(ROOT, None, "sts:*"), "Effect": "Deny"}), (False, False)),
        (({"Effect": "Allow", "Principal": ROOT, "Action": None},), (False, False)),
    ],
)
def test_which_extras_the_contractor_may_use(statements: tuple[Any, ...], extras: tuple[bool, bool]) -> None:
    terms = said(*statements)
    assert (terms.source_identity, terms.session_tags) == extras


@pytest.mark.parametrize("statement", [None, "x", [], ["x", None]])
def test_a_document_without_a_statement_says_nothing(statement: Any) -> None:
    result = list(candidates({"Statement": statement}, partition="aws", contractor=A))
    assert result[0] == ANYBODY


def test_what_is_no_statement_does_not_hide_the_next_one() -> None:
    assert said("x", None, allow(ROOT, MFA)) == Terms(contractor=A)


def test_a_statement_without_an_effect_allows_nothing() -> None:
    assert said({"Principal": {"AWS": ALICE}, "Action": "sts:*", "Condition": ID}) == ANYBODY


def test_the_partition_is_that_of_the_role() -> None:
    (terms, *_) = candidates(trust(allow({"AWS": A})), partition="aws-cn", contractor=A)
    assert terms == replace(ANYBODY, partition="aws-cn")


def test_candidates_begin_with_all_that_is_said_and_leave_out_ever_more() -> None:
    document = trust(allow(ROOT, {**ID, **MFA, **one("NumericLessThanEquals", AGE, "60")}))
    full = Terms(contractor=A, external_id="puppets-on-strings", mfa_max_age=60)
    plain = [terms for terms in candidates(document, partition="aws", contractor=A) if not terms.session_tags]
    assert plain == [
        full,
        replace(full, external_id=None),
        replace(full, mfa=False, mfa_max_age=None, whole_account=True),
        replace(full, mfa_max_age=None),
        replace(ANYBODY),
        replace(full, external_id=None, mfa_max_age=None),
    ]
    all_ = list(candidates(document, partition="aws", contractor=A))
    assert len(all_) == len(set(all_)) == 12
    assert replace(ANYBODY, source_identity=True, session_tags=True) in all_


@pytest.mark.parametrize(
    "condition",
    [
        one("ArnEquals", WHO, ALICE),
        one("StringEquals", NAME, "${aws:username}"),
        one("IpAddress", IP, "198.51.100.0/24"),
        one("DateLessThan", TIME, "2026-12-31"),
        ID,
        MFA,
    ],
)
def test_each_field_that_is_said_may_be_left_out(condition: Any) -> None:
    result = list(candidates(trust(allow(ROOT, condition)), partition="aws", contractor=A))
    extras: dict[str, Any] = {"source_identity": True, "session_tags": True}
    assert result[0] != ANYBODY
    assert result[1:] == [ANYBODY, replace(result[0], **extras), replace(ANYBODY, **extras)]


def test_pinned_principals_may_be_left_out() -> None:
    result = list(candidates(trust(allow({"AWS": ALICE}, MFA)), partition="aws", contractor=A))
    assert result[0] == Terms(contractor=A, pin=(ALICE,))
    assert Terms(contractor=A) in result
    assert ANYBODY in result


# -- what holds ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statements", "terms", "exact"),
    [
        ((allow(ROOT, {**ID, **MFA}),), Terms(contractor=A, external_id="puppets-on-strings"), True),
        ((allow(ROOT, {**ID, **WEAK_MFA}),), replace(ANYBODY, external_id="puppets-on-strings"), False),
        ((allow(ROOT, MFA), allow({"Service": "ec2.amazonaws.com"}), by_saml()), Terms(contractor=A), False),
        ((allow(ROOT, MFA), allow({"AWS": OWN})), Terms(contractor=A), False),
        (
            (allow(ROOT, {**ID, **MFA}), allow(ROOT, MFA, "sts:TagSession")),
            Terms(contractor=A, external_id="puppets-on-strings", session_tags=True),
            False,
        ),
        (
            (allow(ROOT, ID), deny(one("NotIpAddress", IP, "198.51.100.0/24"), ROOT)),
            replace(ANYBODY, external_id="puppets-on-strings", from_ip=("198.51.100.0/24",)),
            True,
        ),
        (
            (allow({"AWS": ALICE}, ID),),
            Terms(contractor=A, external_id="puppets-on-strings", mfa=False, pin=(ALICE,)),
            True,
        ),
        # sts:SetContext accompanies a call, and lets nobody in by itself.
        ((allow(ROOT, MFA, "sts:*"),), Terms(contractor=A, session_tags=True, source_identity=True), False),
        # The addresses are asked of the contractor, not of a service of the owner's.
        (
            (allow(ROOT, {**ID, **one("IpAddress", IP, "198.51.100.0/24")}), allow({"Service": "ec2.amazonaws.com"})),
            replace(ANYBODY, external_id="puppets-on-strings", from_ip=("198.51.100.0/24",)),
            False,
        ),
        (
            (allow(ROOT, one("IpAddress", IP, "198.51.100.0/24")), allow(ROOT, one("IpAddress", IP, "203.0.113.0/24"))),
            replace(ANYBODY, from_ip=("198.51.100.0/24", "203.0.113.0/24")),
            True,
        ),
        ((allow(ROOT), {"Effect": "Allow"}), None, None),
    ],
)
def test_only_terms_that_are_proved_are_read(statements: tuple[Any, ...], terms: Terms | None, exact: bool) -> None:
    read_terms = read_by_proof(trust(*statements), A, role_arn=ROLE)
    assert (read_terms and read_terms.terms) == terms
    assert (read_terms and read_terms.shown.is_exact) is exact
    if read_terms is not None:
        assert read_terms.shown.holds
        assert read_terms.shown.failures == ()
        assert read_terms.shown.witness is not None


def test_terms_of_the_document_hold_at_most() -> None:
    """Less is asked for than the document asks for: that holds. More: somebody comes in who does not meet it."""
    document = trust(allow(ROOT, MFA), allow({"Service": "ec2.amazonaws.com"}))
    assert admits_at_most(document, ANYBODY, role_arn=ROLE).holds
    refuted = admits_at_most(document, Terms(contractor=A, external_id="one"), role_arn=ROLE)
    assert not refuted.holds
    assert not refuted.is_exact
    assert refuted.witness is None
    assert refuted.failures[0] == (
        f"a user of the contractor (arn:aws:iam::{A}:user/somebody), by sts:AssumeRole with "
        f"aws:MultiFactorAuthPresent = 'true', is admitted"
    )


def test_what_cannot_be_read_or_decided_does_not_hold() -> None:
    refused = admits_at_most(trust({"Effect": "Allow"}), ANYBODY, role_arn=ROLE)
    assert (refused.holds, refused.witness, refused.is_exact) == (False, None, False)
    assert refused.failures == ("the statement has no Action",)
    own = admits_at_most(trust(allow(ROOT)), replace(ANYBODY, contractor=OWN), role_arn=ROLE)
    assert own.failures == (f"the contractor's account {OWN} is the role's own account",)
    undecided = admits_at_most(trust(allow(ROOT, MFA), allow({"Service": "nonsense"})), ANYBODY, role_arn=ROLE)
    assert not undecided.holds
    assert undecided.failures == ("it could not be decided: 'nonsense' is not the name of a service as AWS writes it",)


def test_terms_that_admit_nobody_do_not_hold() -> None:
    proved_trust = admits_at_most(trust(deny(None)), Terms(contractor=A), role_arn=ROLE)
    assert not proved_trust.holds
    assert proved_trust.failures == ("these terms admit nobody",)


@pytest.mark.parametrize(
    ("statements", "terms", "brought"),
    [
        ((allow(ROOT, MFA),), Terms(contractor=A), Terms(contractor=A)),
        # Tags are asked for in words, and not admitted.
        ((allow(ROOT, MFA),), Terms(contractor=A, session_tags=True, source_identity=True), Terms(contractor=A)),
        ((allow(ROOT, MFA),), ANYBODY, Terms(contractor=A)),
        (
            (allow(ROOT, MFA), allow(ROOT, None, ["sts:TagSession", "sts:SetSourceIdentity"])),
            replace(ANYBODY, session_tags=True, source_identity=True),
            Terms(contractor=A, session_tags=True, source_identity=True),
        ),
        ((allow(ROOT, MFA),), replace(ANYBODY, session_tags=True), Terms(contractor=A)),
        ((allow(ROOT, ID),), ANYBODY, None),
    ],
)
def test_what_whoever_comes_has_to_bring(statements: tuple[Any, ...], terms: Terms, brought: Terms | None) -> None:
    assert to_bring(trust(*statements), terms, role_arn=ROLE) == brought


def test_recorded_terms_are_recognized_in_the_trust_of_an_adopted_role() -> None:
    document = trust(allow(ROOT, {**ID, **WEAK_MFA}))
    agreed = replace(ANYBODY, external_id="puppets-on-strings")
    record = Record(
        contractor=A,
        terms=terms_digest(agreed),
        until=None,
        external_id_by="owner",
        request=None,
        user_id=None,
        session=3600,
        boundary=None,
        managed=(),
        inline={},
        trust="sha256:0",
    )
    assert recognized(document, record, partition="aws") == agreed
    assert recognized(trust(allow(ROOT, MFA)), record, partition="aws") is None
    assert recognized(document, record, partition="aws-cn") is None


# -- what is weak --------------------------------------------------------------------------------------------------

NO_MFA = "MFA is not required: a stolen access key is enough; `--tighten` requires it"
BY_ROOT = "every user and role of the contractor's account can assume the role with nothing but its own permission"
NO_ID = (
    "no ExternalId is required, so that another customer of the contractor can send it to this role: "
    "agree on one, and use `--tighten --external-id ID` or `--tighten --request FILE`"
)
SEVERAL = (
    "several ExternalIds are accepted, or not every request has to send one: `--tighten --external-id ID` keeps one"
)
IF_EXISTS = (
    "MFA is required with BoolIfExists, which also allows calls signed with an access key alone: "
    "`--tighten` requires it with Bool"
)
LEAKY = "MFA is required in a way that also allows calls without MFA: `--tighten` requires it with Bool"
NO_END = "the expiry in the trust policy does not apply to every request that it admits: `--until` sets one"


@pytest.mark.parametrize(
    ("statements", "weak"),
    [
        ((allow(ROOT, {**ID, **MFA}),), ()),
        ((allow(ROOT, {**ID, **WEAK_MFA}),), (IF_EXISTS,)),
        ((allow(ROOT, WEAK_MFA),), (IF_EXISTS, NO_ID, BY_ROOT)),
        ((allow(ROOT, {**ID, **one("BoolifEXISTS", PRESENT, "true")}),), (IF_EXISTS,)),
        ((allow(ROOT, {**ID, **one("ForAllValues:Bool", PRESENT, "true")}),), (LEAKY,)),
        ((allow(ROOT, {**ID, **MFA}), allow(ROOT, ID)), (LEAKY,)),
        ((allow(ROOT, ID),), (NO_MFA,)),
        ((allow(ROOT),), (NO_MFA, NO_ID, BY_ROOT)),
        ((allow(ROOT, MFA),), (NO_ID,)),
        ((allow(ROOT, {**MFA, **one("StringEquals", EXT, ["one", "two"])}),), (SEVERAL,)),
        ((allow(ROOT, {**MFA, **one("StringLike", EXT, "one*")}),), (SEVERAL,)),
        ((allow(ROOT, {**MFA, **one("StringEqualsIfExists", EXT, "one")}),), (SEVERAL,)),
        (
            (allow(ROOT, {**ID, **MFA, **one("DateLessThan", TIME, "2026-12-31")}), allow(ROOT, {**ID, **MFA})),
            (NO_END,),
        ),
        ((allow({"AWS": ALICE}, ID),), (NO_MFA,)),
        ((allow({"AWS": AUDITOR}, ID),), ()),
        ((allow(ROOT, {**ID, **one("ArnEquals", WHO, AUDITOR)}),), ()),
        ((allow({"AWS": AUDITOR}),), (NO_ID,)),
        (
            (allow({"AWS": [ALICE, GONE, "AROAEXAMPLEEXAMPLE12"]}, {**ID, **MFA}),),
            (f"these principals were deleted, and nobody can use their entries: {GONE}, AROAEXAMPLEEXAMPLE12",),
        ),
    ],
)
def test_what_is_weak_is_said_with_what_to_do(statements: tuple[Any, ...], weak: tuple[str, ...]) -> None:
    terms = read_by_proof(trust(*statements), A, role_arn=ROLE)
    assert terms is not None
    assert terms.weak == weak
