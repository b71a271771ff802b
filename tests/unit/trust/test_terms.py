"""Which terms a trust may be written for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from valetkey.catalog.limits import LimitError
from valetkey.errors import ValetkeyError
from valetkey.trust import Terms, TermsError, check_terms
from valetkey.trust.named_principals import sso_role_forms
from valetkey.trust.terms import DraftTerms, network

A = "222222222222"
USER = f"arn:aws:iam::{A}:user/alice"
ROLE = f"arn:aws:iam::{A}:role/team/auditor"
SSO = f"arn:aws:iam::{A}:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Audit_*"


ONE = USER.replace("alice", "x")
TWO = USER.replace("alice", "xy")
ID = "7f1c0a55-2f0e-4c9b"
END = datetime(2030, 1, 1, tzinfo=UTC)
ROTATED: dict[str, Any] = {"external_id": ID, "previous_external_id": "one", "previous_until": END}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"external_id": "ab"},
        {"external_id": "x" * 1224},
        {"external_id": "a_b+c=d,e.f@g:h/i-j"},
        {"only": (USER,)},
        {"pin": (USER, f"arn:aws:iam::{A}:user/a/b/bob")},
        {"only": (ROLE, SSO), "mfa": False},
        {"only": (f"arn:aws:iam::{A}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_A_b_*",), "mfa": False},
        {
            "only": (f"arn:aws:iam::{A}:role/aws-reserved/sso.amazonaws.com/ap-southeast-4/AWSReservedSSO_A_b_*",),
            "mfa": False,
        },
        {"name_people": True},
        {"name_people": True, "mfa": False, "only": (USER,)},
        {"mfa_max_age": 1},
        {"mfa_max_age": 129_600},
        {"until": END},
        {"until": END.astimezone(timezone(timedelta(hours=7)))},
        {"until": END.replace(year=9000)},
        {"only": (TWO,), "name_people": True},
        {"only": (f"arn:aws:iam::{A}:user/{'a' * 64}",)},
        {"whole_account": True, "external_id": ID, "mfa": False},
        {"from_ip": ("198.51.100.7", "198.51.100.0/24", "2001:db8::/32")},
        ROTATED,
        {**ROTATED, "until": END},
        {"external_id": "two", "previous_external_id": "one", "previous_until": END},
        {"external_id": "one", "previous_external_id": "two", "previous_until": END},
        {**ROTATED, "previous_until": END.replace(year=9000)},
        {"partition": "aws-us-gov", "only": (USER.replace("arn:aws:", "arn:aws-us-gov:"),)},
        {"source_identity": True, "session_tags": True},
    ],
)
def test_right_terms(fields: dict[str, Any]) -> None:
    check_terms(Terms(contractor=A, **fields))


@pytest.mark.parametrize(
    "contractor", ["", "22222222222", "2222222222222", "22222222222a", "٢٢٢٢٢٢٢٢٢٢٢٢", " 22222222222"]
)
def test_an_account_id_has_twelve_digits(contractor: str) -> None:
    with pytest.raises(ValetkeyError, match="account id"):
        check_terms(Terms(contractor=contractor))


@pytest.mark.parametrize("external_id", ["", "a", "x" * 1225, "a b", "a*b", "${aws:username}", "naïve", "ab\n"])
def test_an_external_id_that_sts_could_never_receive_is_refused(external_id: str) -> None:
    with pytest.raises(LimitError, match="external id"):
        check_terms(Terms(contractor=A, external_id=external_id))


NO_AGE = "an MFA session never lasts longer than 36 hours (GetSessionToken), so a larger age limits nothing"
WRONG_AGE = "the maximum age of MFA must be 1 to 129600 seconds"
WRONG_END = "the end must be a time with a zone and in whole seconds"
LIKE = "write it like 2027-01-31T00:00:00Z"
ROLE_WITH_MFA = f"'{ROLE}' is a role, and a role session never carries MFA: it could never be admitted"
USERS = "name IAM users, or do not require MFA"
NAMELESS = "only IAM users have a user name to tie the session name to, and {} is a role"
SHORT = "has a name of one character, and a session name has two at least: that user would never be admitted"
NO_NAMES = "name IAM users, or leave --name-people out"
NAME_SOMEBODY = (
    "name users or roles of the contractor with --only or --pin, or require MFA; for a vendor's tool that can do "
    "neither, --whole-account with its --external-id"
)
WHOLE = "--whole-account is for access without MFA and without names"
NOT_WHOLE = (
    "add --no-mfa and leave --only and --pin out, or leave --whole-account out (in `change`: --no-whole-account)"
)
RANGE = "write it like 198.51.100.7, 198.51.100.0/24 or 2001:db8::/32, with no bits set after the prefix"
PREVIOUS_END = "the end of the previous ExternalId must be a time with a zone and in whole seconds"
ANOTHER = "a previous ExternalId needs another one that replaces it"
TOGETHER = "a previous ExternalId and its end belong together"
ROTATE = "rotate again with `valetkey rotate`"


@pytest.mark.parametrize(
    ("fields", "where", "what", "do"),
    [
        ({"partition": "amazon"}, "partition", "'amazon' is not a partition", "use aws, aws-cn, aws-us-gov, ..."),
        (
            {"mfa": False},
            "mfa",
            "without MFA the trust policy must name the users or roles that it admits",
            NAME_SOMEBODY,
        ),
        (
            {"mfa": False, "mfa_max_age": 60, "only": (USER,)},
            "mfa_max_age",
            "a maximum age of MFA needs MFA to be required",
            "require MFA or leave the age out",
        ),
        ({"mfa_max_age": 0}, "mfa_max_age", WRONG_AGE, NO_AGE),
        ({"mfa_max_age": 129_601}, "mfa_max_age", WRONG_AGE, NO_AGE),
        ({"mfa_max_age": True}, "mfa_max_age", WRONG_AGE, NO_AGE),
        (
            {"only": (USER,), "pin": (USER,)},
            "only",
            "--only and --pin both name who may assume the role",
            "use --only for principals that may still change, --pin to bind them to their unique ids",
        ),
        ({"only": (ROLE,)}, "only", ROLE_WITH_MFA, USERS),
        ({"pin": (USER, ROLE)}, "pin", ROLE_WITH_MFA, USERS),
        ({"only": (ROLE,), "mfa": False, "name_people": True}, "name_people", NAMELESS.format(repr(ROLE)), NO_NAMES),
        (
            {"pin": (USER, SSO[:-1]), "mfa": False, "name_people": True},
            "name_people",
            NAMELESS.format(repr(SSO[:-1])),
            NO_NAMES,
        ),
        (
            {"only": (TWO, ONE), "name_people": True},
            "name_people",
            f"'{ONE}' {SHORT}",
            "leave --name-people out, or name a user with a longer name",
        ),
        ({"until": datetime(2030, 1, 1)}, "until", WRONG_END, LIKE),
        ({"until": datetime(2030, 1, 1, 0, 0, 0, 1, tzinfo=UTC)}, "until", WRONG_END, LIKE),
        (
            {"until": datetime(9001, 1, 1, tzinfo=UTC)},
            "until",
            "an end after the year 9000 is not supported",
            "leave it out for terms without an end",
        ),
        # the whole account
        ({"whole_account": True, "external_id": ID}, "whole_account", WHOLE, NOT_WHOLE),
        ({"whole_account": True, "external_id": ID, "mfa": False, "only": (ROLE,)}, "whole_account", WHOLE, NOT_WHOLE),
        ({"whole_account": True, "external_id": ID, "mfa": False, "pin": (ROLE,)}, "whole_account", WHOLE, NOT_WHOLE),
        (
            {"whole_account": True, "mfa": False},
            "external_id",
            "without MFA and without names, the ExternalId is all that keeps others out",
            "give the ExternalId that the vendor shows you, with --external-id",
        ),
        (
            {"whole_account": True, "mfa": False, "external_id": "acme"},
            "external_id",
            "the ExternalId can be guessed (it has 4 characters), and it is all that keeps others out",
            "ask the vendor for a random one",
        ),
        # addresses
        ({"from_ip": ("10.0.0.1/8",)}, "from_ip", "--from-ip: '10.0.0.1/8' is not an address range", RANGE),
        ({"from_ip": ("10.0.0.1", "office")}, "from_ip", "--from-ip: 'office' is not an address range", RANGE),
        # the previous ExternalId
        ({"external_id": ID, "previous_external_id": "one"}, "previous_external_id", TOGETHER, ROTATE),
        ({"external_id": ID, "previous_until": END}, "previous_external_id", TOGETHER, ROTATE),
        ({"previous_external_id": "one", "previous_until": END}, "previous_external_id", ANOTHER, ROTATE),
        (
            {"external_id": ID, "previous_external_id": ID, "previous_until": END},
            "previous_external_id",
            ANOTHER,
            ROTATE,
        ),
        ({**ROTATED, "previous_until": END.replace(tzinfo=None)}, "previous_external_id", PREVIOUS_END, ROTATE),
        ({**ROTATED, "previous_until": END.replace(microsecond=1)}, "previous_external_id", PREVIOUS_END, ROTATE),
        ({**ROTATED, "previous_until": END.replace(year=9001)}, "previous_external_id", PREVIOUS_END, ROTATE),
        (
            {**ROTATED, "until": END - timedelta(seconds=1)},
            "previous_external_id",
            "the previous ExternalId would outlast the grant",
            ROTATE,
        ),
    ],
)
def test_terms_that_contradict_themselves(fields: dict[str, Any], where: str, what: str, do: str) -> None:
    with pytest.raises(TermsError) as caught:
        check_terms(Terms(contractor=A, **fields))
    assert (caught.value.where, caught.value.what, caught.value.do) == (where, what, do)
    assert caught.value.exit_code == 2


def test_a_previous_external_id_is_one_that_sts_could_receive() -> None:
    with pytest.raises(LimitError, match="external id"):
        check_terms(Terms(contractor=A, **{**ROTATED, "previous_external_id": "x"}))


NO_USER = "is not a user or role"
WILD = (
    "contains a wildcard or a variable: the only one is the `*` for the random suffix of a role "
    "aws-reserved/sso.amazonaws.com/REGION/AWSReservedSSO_NAME_*, in --only (without REGION/ for us-east-1)"
)


@pytest.mark.parametrize("field", ["only", "pin"])
@pytest.mark.parametrize(
    ("name", "what"),
    [
        (f"arn:aws:iam::{A}:root", "is the account's root user, which cannot assume a role"),
        (f"arn:aws:sts::{A}:assumed-role/auditor/alice", "is a session, which expires: name its role instead"),
        (f"arn:aws:iam::{A}:group/team", NO_USER),
        (f"arn:aws:iam::{A}:user/", NO_USER),
        (f"arn:aws:iam::{A}:user", NO_USER),
        (f"arn:aws:iam::{A}:user/a b", NO_USER),
        (f"arn:aws:iam::{A}:user/{'a' * 65}", NO_USER),
        (f"arn:aws:iam::{A}:User/alice", NO_USER),
        (f"arn:aws:acm::{A}:user/alice", NO_USER),
        (f"arn:aws:s3::{A}:user/alice", NO_USER),
        (f"arn:aws:waf::{A}:user/alice", NO_USER),
        (f"arn:aws:iam:eu-west-1:{A}:user/alice", NO_USER),
        ("arn:aws:iam:::user/alice", NO_USER),
        ("arn:aws:iam::111111111111:user/alice", f"is not in the contractor's account {A}"),
        ("arn:aws:iam::333333333333:user/alice", f"is not in the contractor's account {A}"),
        (f"arn:aws-cn:iam::{A}:user/alice", "is not in the partition aws"),
        (f"arn:aws:iam::{A}:user/*", WILD),
        (f"arn:aws:iam::{A}:user/al?ce", WILD),
        (f"arn:aws:iam::{A}:user/${{aws:username}}", WILD),
        (f"arn:aws:iam::{A}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_*", WILD),
        (f"arn:aws:iam::{A}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Audit*", WILD),
        (f"arn:aws:iam::{A}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_*_Audit_*", WILD),
        (f"arn:aws:iam::{A}:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Audit_*", WILD),
        (f"arn:aws:iam::{A}:user/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Audit_*", WILD),
    ],
)
def test_who_may_not_be_named(field: str, name: str, what: str) -> None:
    with pytest.raises(TermsError) as caught:
        check_terms(Terms(contractor=A, mfa=False, **{field: (name,)}))  # type: ignore[arg-type]
    assert caught.value.where == field
    assert caught.value.what == f"'{name}' {what}"
    assert caught.value.do == f"name a user or role of the contractor, like arn:aws:iam::{A}:user/alice"


@pytest.mark.parametrize(
    ("name", "what", "do"),
    [
        ("alice", "'alice' is not an ARN", "write it like arn:aws:iam::123456789012:role/name"),
        (A, f"'{A}' is not an ARN", "write it like arn:aws:iam::123456789012:role/name"),
        ("arn:aws:iam::*:user/alice", "'*' is not the account of an ARN", "use letters, digits and - only"),
    ],
)
def test_what_is_no_arn_is_not_named(name: str, what: str, do: str) -> None:
    for terms in (Terms(contractor=A, only=(name,)), Terms(contractor=A, pin=(name,))):
        with pytest.raises(TermsError) as caught:
            check_terms(terms)
        assert (caught.value.what, caught.value.do) == (what, do)


def test_the_example_is_of_the_contractors_partition() -> None:
    with pytest.raises(TermsError) as caught:
        check_terms(Terms(contractor=A, partition="aws-cn", only=(USER,)))
    assert caught.value.what == f"'{USER}' is not in the partition aws-cn"
    assert caught.value.do == f"name a user or role of the contractor, like arn:aws-cn:iam::{A}:user/alice"


def test_a_long_path_is_cut_in_messages() -> None:
    fits, long = (f"arn:aws:iam::{A}:user/{'p' * number}/al?ce" for number in (161, 162))
    assert len(repr(fits)) == 200
    for name, said in ((fits, repr(fits)), (long, f"{repr(long)[:200]}… (201 characters)")):
        with pytest.raises(TermsError) as caught:
            check_terms(Terms(contractor=A, only=(name,)))
        assert caught.value.what == f"{said} {WILD}"


def test_a_wildcard_is_never_pinned() -> None:
    with pytest.raises(TermsError, match="wildcard"):
        check_terms(Terms(contractor=A, mfa=False, pin=(SSO,)))


def test_only_and_pin_are_sets() -> None:
    bob = USER.replace("alice", "bob")
    assert Terms(contractor=A, only=(bob, USER, bob)) == Terms(contractor=A, only=(USER, bob))


def test_a_deleted_principal_is_an_orphan() -> None:
    assert Terms(contractor=A, pin=(USER, "AIDAEXAMPLEEXAMPLE12")).orphans == ("AIDAEXAMPLEEXAMPLE12",)
    assert Terms(contractor=A, pin=(USER,)).orphans == ()


def test_an_identity_center_role_has_two_forms() -> None:
    """With the home region in its path, and without in us-east-1."""
    name = "AWSReservedSSO_Audit_0123456789abcdef"
    path = f"arn:aws:iam::{A}:role/aws-reserved/sso.amazonaws.com/"
    assert sso_role_forms(f"arn:aws:iam::{A}:role/{name}") == (f"{path}REGION/{name}", f"{path}{name}")
    for full in (f"{path}{name}", f"{path}eu-west-1/{name}", f"arn:aws:iam::{A}:role/team/ops", USER):
        assert sso_role_forms(full) == (full,)


@pytest.mark.parametrize(
    "resource",
    [
        "iam::222222222222:role/AWSReservedSSO_Audit_0123456789abcdef",
        "iam::222222222222:role/AWSReservedSSO_Audit_*",
        "iam::222222222222:role/teams/AWSReservedSSO_Audit_0123456789abcdef",
        "sts::222222222222:assumed-role/AWSReservedSSO_Audit_0123456789abcdef/carol@example.com",
    ],
)
@pytest.mark.parametrize("field", ["only", "pin"])
def test_an_identity_center_role_without_its_path_is_refused_with_the_right_arn(field: str, resource: str) -> None:
    terms = Terms(contractor="222222222222", mfa=False, **{field: (f"arn:aws:{resource}",)})
    with pytest.raises(TermsError, match="without its path") as refused:
        check_terms(terms)
    name = "AWSReservedSSO_Audit_" + ("*" if resource.endswith("*") else "0123456789abcdef")
    path = "arn:aws:iam::222222222222:role/aws-reserved/sso.amazonaws.com/"
    assert f"{path}{name} " in refused.value.do
    assert f"{path}REGION/{name} " in refused.value.do
    right = Terms(contractor="222222222222", mfa=False, only=(f"{path}eu-west-1/{name}",))
    check_terms(right)


def test_terms_are_agreed_for_two_parties() -> None:
    draft = DraftTerms(mfa_max_age=60, only=(USER,), external_id="asked")
    agreed = draft.agreed(contractor="222222222222", partition="aws-cn", external_id="made")
    assert agreed == Terms(
        contractor="222222222222", partition="aws-cn", external_id="made", mfa_max_age=60, only=(USER,)
    )
    assert agreed.root == "arn:aws-cn:iam::222222222222:root"
    assert draft.agreed(contractor="222222222222", partition="aws", external_id=None).external_id is None


@pytest.mark.parametrize(
    ("text", "range_"),
    [
        ("198.51.100.7", "198.51.100.7/32"),
        (" 198.51.100.0/24\n", "198.51.100.0/24"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("198.51.100.7/24", "198.51.100.7/24"),
        ("office", "office"),
    ],
)
def test_an_address_range_as_aws_gives_it_back(text: str, range_: str) -> None:
    assert network(text) == range_
