"""`who`: everything that is let in, as regions, for the trusts that people write."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.prover.proving import AGE, ARN, ID, IP, MFA, NAME, OWNER, ROLE, TAG, THEM, on, trust

from valetkey.policy import Origin, Policy, decide
from valetkey.prover import Limits, Party, Reach, Region, RegionValues, Unknown, who
from valetkey.prover.access_regions import Bounds
from valetkey.prover.proof import InternalError
from valetkey.prover.space import Space

ACCOUNT, ANYBODY = Party("account", THEM), Party("any account")
GITHUB = f"arn:aws:iam::{OWNER}:oidc-provider/token.actions.githubusercontent.com"
SUB, AUD = "token.actions.githubusercontent.com:sub", "token.actions.githubusercontent.com:aud"
IN_ACCOUNT = frozenset({"user", "session"})


def regions(policy: Policy, **more: Any) -> tuple[Region, ...]:
    result = who(policy, **{"origin": Origin.RETURNED, "resource": ROLE, **more})
    assert isinstance(result, Reach), result
    for region in result.regions:
        assert decide(region.witness, trust=policy).allowed
    return result.regions


def only(policy: Policy, **more: Any) -> Region:
    (region,) = regions(policy, **more)
    return region


def test_a_contractor_with_external_id_and_mfa() -> None:
    region = only(trust({"Condition": on("StringEquals", ID, "example-7f3c") | on("Bool", MFA, "true")}))
    assert region.party == ACCOUNT
    assert region.kinds == IN_ACCOUNT
    assert region.everybody
    assert region.callers == ()
    assert region.actions == ("sts:AssumeRole",)
    assert region.statement == 0
    assert region.values == {
        ID.lower(): RegionValues(exact=("example-7f3c",)),
        MFA.lower(): RegionValues(exact=("true",)),
    }
    assert all(values.binds for values in region.values.values())
    assert region.witness.context == {ID: "example-7f3c", MFA: "true"}


def test_nobody() -> None:
    assert regions(trust()) == ()
    assert regions(trust({}, {"Effect": "Deny", "Principal": "*"})) == ()
    assert regions(trust({"Condition": on("StringEquals", ID, "x")})) == ()  # STS takes two characters at least
    assert regions(trust({"Condition": on("Bool", MFA, "true"), "Principal": {"Service": "ec2.amazonaws.com"}})) == ()
    ended = trust({"Condition": on("DateLessThan", "aws:CurrentTime", "2026-01-01T00:00:00Z")})
    assert regions(ended, now=datetime(2026, 1, 1, tzinfo=UTC)) == ()
    assert len(regions(ended, now=datetime(2025, 12, 31, tzinfo=UTC))) == 1


def test_everybody() -> None:
    result = regions(trust({"Principal": "*", "Action": "sts:*"}))
    assert {region.party for region in result} == {
        Party("account", OWNER),
        ANYBODY,
        Party("service"),
        Party("provider"),
    }
    assert {region.kinds for region in result if region.party == ANYBODY} == {IN_ACCOUNT}
    assert all(region.everybody for region in result)
    by_action = {region.party.kind: region.actions[0] for region in result if region.party.kind != "provider"}
    assert by_action == dict.fromkeys(("account", "any account", "service"), "sts:AssumeRole")
    assert {region.actions[0] for region in result if region.party.kind == "provider"} == {
        "sts:AssumeRoleWithSAML",
        "sts:AssumeRoleWithWebIdentity",
    }


def test_named_principals_are_spelt_as_in_the_document() -> None:
    role, user = f"arn:aws:iam::{THEM}:role/team/worker", f"arn:aws:iam::{THEM}:user/team/bob"
    result = regions(trust({"Principal": {"AWS": [role, user]}}))
    assert not any(region.everybody for region in result)
    assert sorted(caller for region in result for caller in region.callers) == [role, user]
    worker = only(trust({"Principal": {"AWS": role}}))
    assert worker.witness.keys["aws:principalarn"] == role
    session = f"arn:aws:sts::{THEM}:assumed-role/worker/alice"
    assert only(trust({"Principal": {"AWS": session}})).callers == (session,)


def test_somebody_named_beside_the_whole_account() -> None:
    bob = f"arn:aws:iam::{THEM}:user/bob"
    named, rest = regions(trust({"Principal": {"AWS": [bob, THEM]}}))
    assert (named.everybody, named.callers) == (False, (bob,))
    assert (rest.everybody, rest.callers) == (True, ())


def test_a_pattern_of_arns() -> None:
    pattern = f"arn:aws:iam::{THEM}:user/contractor-*"
    region = only(trust({"Principal": "*", "Condition": on("ArnLike", ARN, pattern)}))
    assert (region.party, region.everybody, region.callers) == (ACCOUNT, False, (pattern,))
    assert region.witness.principal.startswith(pattern[:-1])
    wide = regions(trust({"Principal": "*", "Condition": on("ArnLike", ARN, "arn:aws:iam::*:user/contractor-*")}))
    assert {item.party for item in wide} == {Party("account", OWNER), ANYBODY}


def test_deleted_principals() -> None:
    user, role = regions(trust({"Principal": {"AWS": ["AIDA1234567890123456", "AROA1234567890123456"]}}))
    assert user.party == Party("deleted", "AIDA1234567890123456")
    assert user.kinds == {"user"}
    assert role.party == Party("deleted", "AROA1234567890123456")
    assert role.kinds == {"session"}
    assert str(user.party) == "the deleted principal AIDA1234567890123456"


def test_services_and_the_limits_on_whom_they_act_for() -> None:
    service = {"Service": "ec2.amazonaws.com"}
    source = on("StringEquals", "aws:SourceAccount", OWNER)
    region = only(trust({"Principal": service, "Condition": source}))
    assert region.party == Party("service", "ec2.amazonaws.com")
    assert region.kinds == {"service"}
    assert region.values["aws:sourceaccount"] == RegionValues(exact=(OWNER,))
    assert only(trust({"Principal": service})).values == {}


def test_identity_providers() -> None:
    condition = {"StringEquals": {AUD: "sts.amazonaws.com"}, "StringLike": {SUB: "repo:org/*"}}
    github = {"Principal": {"Federated": GITHUB}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition}
    region = only(trust(github))
    assert region.party == Party("provider", GITHUB)
    assert region.kinds == {"provider"}
    assert region.actions == ("sts:AssumeRoleWithWebIdentity",)
    assert region.values == {
        AUD: RegionValues(exact=("sts.amazonaws.com",)),
        SUB: RegionValues(patterns=("repo:org/*",)),
    }
    open_ = only(trust({**github, "Condition": on("StringEquals", AUD, "sts.amazonaws.com")}))
    assert SUB not in open_.values
    saml = f"arn:aws:iam::{OWNER}:saml-provider/corp"
    by_saml = {"Principal": {"Federated": saml}, "Action": "sts:AssumeRoleWithSAML"}
    assert only(trust(by_saml)).party == Party("provider", saml)
    assert regions(trust({**by_saml, "Action": "sts:AssumeRole"})) == ()


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        (on("StringLike", ID, "*"), RegionValues(free=True)),
        (on("StringLike", ID, "ab*"), RegionValues(patterns=("ab*",))),
        (on("StringLike", ID, "ab*", "abc"), RegionValues(exact=("abc",), patterns=("ab*",))),
        (on("StringNotEquals", ID, "abc"), RegionValues(absent=True, free=True)),
        (on("StringEqualsIfExists", ID, "abc"), RegionValues(absent=True, exact=("abc",))),
        (on("Null", ID, "false"), RegionValues(free=True)),
        (on("Null", ID, "true"), RegionValues(absent=True)),
    ],
)
def test_values_of_a_text(condition: Any, values: RegionValues) -> None:
    region = only(trust({"Condition": condition}))
    assert region.values == {ID.lower(): values}
    assert values.binds is not (values.absent or values.free)


def test_several_values_in_one_key() -> None:
    region = only(trust({"Condition": on("ForAnyValue:StringEquals", "aws:TagKeys", "team")}))
    assert region.values["aws:tagkeys"].exact == ("team",)
    assert region.values["aws:tagkeys"].free  # others may stand beside it


@pytest.mark.parametrize(
    ("condition", "key", "span"),
    [
        (on("NumericLessThan", AGE, 3600), AGE, ((None, "3600"),)),
        (on("NumericGreaterThanEquals", AGE, 60) | on("NumericLessThan", AGE, 3600), AGE, (("60", "3600"),)),
        (on("NumericEquals", AGE, 60), AGE, (("60", "60"),)),
        (
            on("DateLessThan", "aws:CurrentTime", "2026-06-01T00:00:00Z"),
            "aws:CurrentTime",
            ((None, "2026-06-01T00:00:00Z"),),
        ),
        (
            on("DateGreaterThan", "aws:CurrentTime", "2026-01-01T00:00:00Z")
            | on("DateLessThan", "aws:EpochTime", 1780272000),
            "aws:CurrentTime",
            (("2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"),),
        ),
    ],
)
def test_spans(condition: Any, key: str, span: Any) -> None:
    region = only(trust({"Condition": condition}))
    assert region.values[key.lower()].span == span
    assert region.values[key.lower()].binds


def test_an_age_of_mfa_is_mfa() -> None:
    region = only(trust({"Condition": on("NumericLessThan", AGE, 3600) | on("Null", MFA, "false")}))
    assert region.values[MFA.lower()] == RegionValues(exact=("true",))
    assert region.values[AGE.lower()].binds
    age_alone = only(trust({"Condition": on("NumericLessThan", AGE, 3600)}))
    assert age_alone.values[MFA.lower()] == RegionValues(exact=("true",))
    hole = regions(trust({"Condition": on("NumericLessThanIfExists", AGE, 3600)}))
    assert any(item.values[AGE.lower()].absent for item in hole)


def test_address_ranges() -> None:
    region = only(trust({"Condition": on("IpAddress", IP, "10.0.0.0/8", "2001:db8::/32")}))
    assert region.values[IP.lower()] == RegionValues(patterns=("10.0.0.0/8", "2001:db8::/32"))
    outside = only(trust({"Condition": on("NotIpAddress", IP, "10.0.0.0/8")}))
    assert outside.values[IP.lower()] == RegionValues(absent=True, free=True)


def test_a_deny_cuts_what_an_allow_opens() -> None:
    guard = {"Effect": "Deny", "Principal": "*", "Condition": on("BoolIfExists", MFA, "false")}
    region = only(trust({"Condition": on("StringNotEquals", ID, "abc")}, guard))
    assert region.values[MFA.lower()] == RegionValues(exact=("true",))
    assert region.statement == 0


def test_the_statement_that_opens_a_region() -> None:
    first, second = regions(trust({"Condition": on("StringEquals", ID, "abc")}, {"Principal": {"AWS": OWNER}}))
    assert (first.party.name, first.statement) == (THEM, 0)
    assert (second.party.name, second.statement) == (OWNER, 1)


def test_tags_are_actions_of_their_own() -> None:
    assert only(trust({"Action": ["sts:AssumeRole", "sts:TagSession"]})).actions == ("sts:AssumeRole", "sts:TagSession")


def test_a_variable_alone_is_decided_and_one_inside_a_text_is_not() -> None:
    region = only(trust({"Condition": on("StringEquals", NAME, "${aws:username}")}))
    assert region.kinds == {"user"}
    assert region.witness.keys["sts:rolesessionname"] == region.witness.keys["aws:username"]
    result = who(trust({"Condition": on("StringLike", NAME, "${aws:username}-*")}), origin=Origin.SENT, resource=ROLE)
    assert isinstance(result, Unknown)
    assert "variable" in result.reason


@pytest.mark.parametrize("value", ["${sts:RoleSessionName}", "${aws:PrincipalTag/none, 'x'}", "${aws:username}-*"])
def test_a_variable_that_is_not_decided_is_no_refusal_where_another_test_is_undocumented(value: str) -> None:
    # AWS does not document an ARN condition with a value of fewer than six parts; here the key may be absent.
    undocumented = on("ArnEqualsIfExists", "aws:PrincipalServiceName", "ec2.amazonaws.com")
    policy = trust({"Principal": {"AWS": "*"}, "Condition": on("StringLike", ID, value) | undocumented})
    result = who(policy, origin=Origin.SENT, resource=ROLE)
    assert isinstance(result, Unknown)
    assert not isinstance(result, Bounds) or result.most.regions


def test_the_wildcard_of_a_partition() -> None:
    gov = trust({"Principal": {"AWS": f"arn:aws-us-gov:iam::{THEM}:root"}})
    result = who(gov, origin=Origin.SENT)
    assert isinstance(result, Reach)
    assert [region.party for region in result.regions] == [Party("account", THEM, "aws-us-gov")]
    assert regions(gov) == ()  # nobody signs in across partitions


def test_limits() -> None:
    many = trust(*({"Condition": on("StringLike", TAG, f"{a}*")} for a in "abcdefgh"))
    assert len(regions(many)) == 8
    result = who(many, origin=Origin.SENT, resource=ROLE, limits=Limits(regions=7))
    assert isinstance(result, Unknown)
    assert "regions" in result.reason
    assert isinstance(who(many, origin=Origin.SENT, resource=ROLE, limits=Limits(seconds=0)), Unknown)


def test_regions_are_in_the_same_order_every_time() -> None:
    policy = trust({"Principal": "*", "Action": "sts:*"}, {"Condition": on("StringLike", ID, "a*", "*b", "?c*")})
    assert regions(policy) == regions(policy)


def test_a_region_whose_witness_is_not_let_in_is_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Space.request

    def without(self: Space, box: Any) -> Any:
        made = right(self, box)
        return type(made)(made.principal, made.action, made.resource, made.resource_account, {})

    monkeypatch.setattr(Space, "request", without)
    with pytest.raises(InternalError, match="not admitted"):
        who(trust({"Condition": on("StringEquals", ID, "abc")}), origin=Origin.SENT, resource=ROLE)


@pytest.mark.parametrize("key", ["aws:PrincipalType", "aws:PrincipalAccount", "aws:userid"])
@pytest.mark.parametrize("principal", ["*", THEM])
def test_a_user_may_be_called_by_the_value_of_another_key_of_its_own(key: str, principal: str) -> None:
    """A variable compares the two: nobody but a user called "User", or by the id of the account, gets in."""
    policy = trust({"Principal": {"AWS": principal}, "Condition": on("StringEquals", key, "${aws:username}")})
    result = regions(policy, origin=Origin.SENT)
    assert result
    for region in result:
        assert region.kinds == {"user"}
        assert region.witness.keys["aws:username"] == region.witness.keys[key.lower()]
