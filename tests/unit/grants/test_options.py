"""What is asked for with and without an access request: flags first, wishes second, defaults last; never less safe."""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from valetkey.account.calls import Call, CallError
from valetkey.errors import ValetkeyError
from valetkey.exchange import AccessRequest, Received
from valetkey.grants.options import Asked, beyond, hints, wanted, with_request
from valetkey.grants.prepare import prepare
from valetkey.grants.role import compact
from valetkey.trust.terms import Terms
from valetkey.trust.writing import plain_trust

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ASKED = Asked(name="audit")
REQUEST = AccessRequest(
    account="222222222222",
    partition="aws",
    external_id="theirs-0123456789",
    identity="iam-user",
    identity_arn="arn:aws:iam::222222222222:user/carol",
    issued=NOW,
)
PLAIN: dict[str, Any] = {
    "account": "111111111111",
    "partition": "aws",
    "managed": ("m",),
    "inline": (),
    "fresh_id": "fresh",
}


def test_the_requests_external_id_and_account_are_taken() -> None:
    grant = wanted(with_request(ASKED, REQUEST, now=NOW), request="1-2", **PLAIN)
    assert (grant.terms.contractor, grant.terms.external_id) == ("222222222222", "theirs-0123456789")
    assert (grant.external_id_by, grant.request) == ("contractor", "1-2")
    assert grant.terms.mfa


@pytest.mark.parametrize(
    ("changes", "external_id", "by"),
    [
        ({}, "fresh", "valetkey"),
        ({"external_id": "mine"}, "mine", "owner"),
        ({"no_external_id": True}, None, "none"),
    ],
)
def test_who_chose_the_external_id_is_recorded(changes: dict[str, Any], external_id: str | None, by: str) -> None:
    grant = wanted(replace(ASKED, contractor="222222222222", **changes), request=None, **PLAIN)
    assert (grant.terms.external_id, grant.external_id_by) == (external_id, by)


@pytest.mark.parametrize(
    "changes", [{"contractor": "333333333333"}, {"external_id": "other"}, {"no_external_id": True}]
)
def test_what_contradicts_the_request_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValetkeyError):
        with_request(replace(ASKED, **changes), REQUEST, now=NOW)


def test_both_an_external_id_and_none_is_refused() -> None:
    with pytest.raises(ValetkeyError):
        wanted(replace(ASKED, contractor="222222222222", external_id="x1", no_external_id=True), request=None, **PLAIN)


def test_flags_beat_wishes_and_wishes_beat_defaults() -> None:
    wishes = replace(REQUEST, policies=("ReadOnlyAccess",), until=NOW + timedelta(days=9), session=7200)
    taken = with_request(ASKED, wishes, now=NOW)
    assert (taken.policies, taken.until, taken.session) == (("ReadOnlyAccess",), NOW + timedelta(days=9), 7200)
    said = replace(ASKED, policies=("ViewOnlyAccess",), until=NOW + timedelta(days=1), session=3600)
    assert with_request(said, wishes, now=NOW) == replace(
        said, contractor=REQUEST.account, external_id=REQUEST.external_id
    )


def test_a_wish_for_a_short_session_gets_the_shortest_a_role_can_have() -> None:
    assert with_request(ASKED, replace(REQUEST, session=900), now=NOW).session == 3600


def test_a_wished_end_that_has_passed_is_refused() -> None:
    with pytest.raises(ValetkeyError):
        with_request(ASKED, replace(REQUEST, until=NOW), now=NOW)


@pytest.mark.parametrize(
    ("changes", "wishes", "more"),
    [
        ({}, {}, 0),
        ({}, {"policies": ("SecurityAudit", "ViewOnlyAccess", "job-function/ViewOnlyAccess")}, 0),
        ({}, {"policies": ("arn:aws:iam::aws:policy/SecurityAudit",)}, 0),
        ({}, {"policies": ("arn:aws:iam::111111111111:policy/SecurityAudit",)}, 1),
        ({}, {"policies": ("./SecurityAudit",)}, 1),
        ({}, {"policies": ("AdministratorAccess", "ViewOnlyAccess")}, 1),
        ({}, {"session": 3600}, 0),
        ({}, {"session": 43200}, 1),
        ({"policies": ("ViewOnlyAccess",), "session": 7200}, {"policies": ("x",), "session": 43200}, 0),
    ],
)
def test_only_wishes_for_more_than_the_defaults_need_a_yes(
    changes: dict[str, Any], wishes: dict[str, Any], more: int
) -> None:
    assert len(beyond(replace(ASKED, **changes), replace(REQUEST, **wishes))) == more


def test_a_request_of_another_partition_is_refused(iam: Any) -> None:
    received = Received(replace(REQUEST, partition="aws-cn"), "1-2")
    asked = with_request(ASKED, received.value, now=NOW)
    with pytest.raises(ValetkeyError, match="partition aws-cn"):
        prepare(asked, request=received, perform=iam, read=str, now=NOW, fresh_id="fresh-id")
    assert iam.log == []


def test_a_requests_policy_never_reads_a_file_of_the_owners(iam: Any) -> None:
    received = Received(replace(REQUEST, policies=("/etc/passwd", "./other.json")), "1-2")
    with pytest.raises(ValetkeyError, match="the policy '/etc/passwd', which is a file"):
        with_request(ASKED, received.value, now=NOW)


@pytest.mark.parametrize(
    ("changes", "identity", "words"),
    [
        ({}, "iam-user", []),
        ({"mfa": False}, "iam-user", ["Without MFA"]),
        ({"no_external_id": True}, "iam-user", ["confused deputy"]),
        ({}, "identity-center", ["never carry MFA"]),
        ({}, "iam-role", ["never carry MFA"]),
    ],
)
def test_what_terms_give_up_is_said(changes: dict[str, Any], identity: str, words: list[str]) -> None:
    said = hints(replace(ASKED, **changes), replace(REQUEST, identity=identity))
    assert len(said) == len(words)
    for sentence, word in zip(said, words, strict=True):
        assert word in sentence


def test_an_identity_center_role_is_named_in_both_forms_it_may_have() -> None:
    name = "AWSReservedSSO_Audit_0123456789abcdef"
    head = "arn:aws:iam::222222222222:role/"
    without_path = replace(REQUEST, identity="identity-center", identity_arn=head + name)
    (said,) = hints(ASKED, without_path)
    assert f"--only {head}aws-reserved/sso.amazonaws.com/REGION/{name} " in said
    assert f"({head}aws-reserved/sso.amazonaws.com/{name} if their Identity Center is in us-east-1)" in said
    known = f"{head}aws-reserved/sso.amazonaws.com/eu-west-1/{name}"
    (said,) = hints(ASKED, replace(without_path, identity_arn=known))
    assert f"--only {known}." in said
    assert "us-east-1" not in said


def test_more_policies_than_the_accounts_quota_are_refused(iam: Any) -> None:
    for number in range(13):
        iam.policies[f"arn:aws:iam::{iam.account}:policy/own-{number}"] = iam.policies[
            "arn:aws:iam::aws:policy/SecurityAudit"
        ]
    asked = replace(ASKED, contractor="222222222222", policies=tuple(f"own-{number}" for number in range(13)))
    with pytest.raises(ValetkeyError, match="12 per role"):
        prepare(asked, request=None, perform=iam, read=str, now=NOW, fresh_id="fresh-id")


def long_trust(characters: int) -> Asked:
    """What asks for a trust policy of so many characters: the ExternalId fills it to the last one."""
    only = tuple(f"arn:aws:iam::222222222222:user/{n:040}" for n in range((characters - 700) // 80))
    asked = replace(ASKED, contractor="222222222222", only=only, until=None)
    terms = Terms(contractor="222222222222", only=only, external_id="x")
    return replace(asked, external_id="x" * (1 + characters - len(compact(plain_trust(terms)))))


@pytest.mark.parametrize(
    ("quota", "fits", "over"),
    [(None, 2048, 2049), (4096, 4096, 4097), (8192, 8192, 8193)],
)
def test_a_trust_may_be_as_large_as_the_accounts_quota_says(iam: Any, quota: int | None, fits: int, over: int) -> None:
    iam.quotas = {} if quota is None else {"AssumeRolePolicySizeQuota": quota}
    prepared = prepare(long_trust(fits), request=None, perform=iam, read=str, now=NOW, fresh_id="fresh-id")
    assert len(prepared.calls[0].params["AssumeRolePolicyDocument"]) == fits
    with pytest.raises(ValetkeyError, match=f"{over:,} characters, and this account allows {fits:,}") as caught:
        prepare(long_trust(over), request=None, perform=iam, read=str, now=NOW, fresh_id="fresh-id")
    assert "Role trust policy length" in caught.value.do


def test_a_quota_that_cannot_be_read_is_left_to_aws(iam: Any) -> None:
    asked: list[str] = []

    def refuse(call: Call) -> None:
        asked.append(call.operation)
        if call.operation == "get_account_summary":
            raise CallError(call, "AccessDenied", "no")

    iam.before = refuse
    assert prepare(long_trust(2100), request=None, perform=iam, read=str, now=NOW, fresh_id="fresh-id").proof.holds
    assert asked.count("get_account_summary") == 1
    # A small one asks nobody.
    asked.clear()
    prepare(long_trust(2048), request=None, perform=iam, read=str, now=NOW, fresh_id="fresh-id")
    assert "get_account_summary" not in asked


def test_everything_that_can_be_checked_is_checked_before_the_first_call(iam: Any) -> None:
    calls: list[str] = []
    iam.before = lambda call: calls.append(call.operation)
    good = replace(ASKED, contractor="222222222222")
    for bad in (
        replace(good, name="no/slash"),
        replace(good, contractor="12"),
        replace(good, external_id="a b"),
        replace(good, policies=("not a name",)),
        replace(good, boundary="no-arn"),
        replace(good, tags=(("aws:x", "y"),)),
        replace(good, only=("arn:aws:iam::333333333333:user/x",)),
        replace(good, mfa=False),
        replace(good, session=60),
        replace(good, description="\u2014"),
        replace(good, path="x"),
    ):
        with pytest.raises(ValetkeyError):
            prepare(bad, request=None, perform=iam, read=str, now=NOW, fresh_id="fresh-id")
    assert calls == []


def test_another_partition_is_no_obstacle(iam: Any) -> None:
    china = type(iam)("111111111111", "aws-cn")
    asked = replace(ASKED, contractor="222222222222", only=("arn:aws-cn:iam::222222222222:user/carol",))
    prepared = prepare(asked, request=None, perform=china, read=str, now=NOW, fresh_id="fresh-id")
    assert prepared.grant.role_arn == "arn:aws-cn:iam::111111111111:role/audit"
    assert prepared.proof.holds


_SSO = "arn:aws:iam::222222222222:role/aws-reserved/sso.amazonaws.com/"


@pytest.mark.parametrize(
    ("identity", "arn", "advises"),
    [
        ("iam-role", "arn:aws:iam::222222222222:role/&(x)/ops", True),
        ("identity-center", f"{_SSO}eu-west-1/AWSReservedSSO_Audit_1", True),
        ("federated", "arn:aws:sts::222222222222:federated-user/carol", False),
        ("root", "arn:aws:iam::222222222222:root", False),
    ],
)
def test_the_advice_to_a_request_without_mfa_can_be_pasted(identity: str, arn: str, advises: bool) -> None:
    """The ARN out of the file is one word of a shell; who can enter no role at all is not named with --only."""
    [said] = hints(ASKED, replace(REQUEST, identity=identity, identity_arn=arn))
    assert ("--only" in said) is advises
    if advises:
        words = shlex.split(said.partition("decide on ")[2].removesuffix("."))
        assert words == ["--no-mfa", "--only", arn]
