"""A handoff is judged by what it says, who we are, what we asked for and what other customers use."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from valetkey.account.calls import Call, CallError
from valetkey.credentials.profiles.acceptance import (
    Acceptance,
    NotAccepted,
    default_name,
    judge,
    profile_for,
)
from valetkey.credentials.profiles.identity import parse_identity
from valetkey.credentials.profiles.mfa_devices import check_serial, find_mfa
from valetkey.credentials.profiles.needed_policy import caller_policy
from valetkey.credentials.profiles.profile import Profile, check_name
from valetkey.credentials.profiles.requests import Wishes, make_request
from valetkey.errors import ValetkeyError
from valetkey.exchange.files import AccessRequest, Handoff, Received, fingerprint

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OWN, OWNER, OTHER = "111122223333", "444455556666", "777788889999"
ALICE = parse_identity(f"arn:aws:iam::{OWN}:user/team/alice")
OPS = parse_identity(f"arn:aws:sts::{OWN}:assumed-role/ops/me")
SSO = parse_identity(f"arn:aws:sts::{OWN}:assumed-role/AWSReservedSSO_Audit_0123456789abcdef/me")


def requested(customer: str = "acme", *, later: int = 0) -> AccessRequest:
    return make_request(customer, Wishes(), identity=ALICE, known=(), now=NOW + timedelta(seconds=later))


REQUEST = requested()
RANGES = ("198.51.100.0/24", "2001:db8::/32")
HANDOFF = Handoff(
    role_arn=f"arn:aws:iam::{OWNER}:role/x/audit",
    external_id=REQUEST.external_id,
    contractor=OWN,
    partition="aws",
    max_session=7200,
    mfa=True,
    issued=NOW,
    mfa_max_age=3600,
    until=NOW + timedelta(days=30),
    request=fingerprint(REQUEST),
)


def accept(
    handoff: Handoff = HANDOFF,
    *,
    known: tuple[AccessRequest, ...] = (REQUEST,),
    profiles: tuple[Profile, ...] = (),
    customer: str | None = None,
    name: str | None = "acme",
    identity: Any = ALICE,
    unknown: tuple[str, ...] = (),
    aws_profiles: dict[str, str] | None = None,
) -> Acceptance:
    return judge(
        Received(handoff, "1-2-3-4", unknown),
        identity=identity,
        known=known,
        profiles=profiles,
        customer=customer,
        name=name,
        now=NOW,
        aws_profiles=aws_profiles,
    )


def but(**changes: Any) -> Handoff:
    return dataclasses.replace(HANDOFF, **changes)


def profile(name: str = "acme", **changes: Any) -> Profile:
    made = profile_for(
        accept(), name=name, identity=ALICE, source_profile=None, mfa_serial=f"arn:aws:iam::{OWN}:mfa/a", region=None
    )
    return dataclasses.replace(made, **changes)


def test_the_answer_to_our_request_is_accepted_without_a_question() -> None:
    judged = accept()
    assert (judged.question, judged.notices, judged.customer, judged.request) == ("", (), "acme", REQUEST)
    made = profile()
    assert made.account == OWNER
    assert (made.external_id, made.mfa_max_age, made.max_session) == (REQUEST.external_id, 3600, 7200)
    assert (made.user_name, made.until, made.customer) == ("alice", HANDOFF.until, "acme")


def test_the_profile_carries_every_term_that_decides_how_to_enter() -> None:
    handoff = but(
        principals=(ALICE.arn,),
        session_name="username",
        source_identity=True,
        session_tags=True,
        mfa_max_age=900,
        from_ip=RANGES,
    )
    made = profile_for(
        accept(handoff), name="acme", identity=ALICE, source_profile=None, mfa_serial=None, region="eu-west-1"
    )
    # What the broker has no use for is the rest: whom it is for and when it was written, and what the role may do.
    # The previous ExternalId is the one that the profile had before.
    unused = {"partition", "issued", "policies", "previous_external_id", "previous_until", "whole_account"}
    for item in dataclasses.fields(handoff):
        if item.name not in unused:
            assert getattr(made, item.name) == getattr(handoff, item.name), item.name
    assert made.partition == handoff.partition


@pytest.mark.parametrize(
    ("handoff", "identity", "says"),
    [
        (but(contractor=OTHER), ALICE, "handoff is for the account"),
        (but(until=NOW), ALICE, "ended"),
        (HANDOFF, parse_identity(f"arn:aws-cn:iam::{OWN}:user/alice"), "partition"),
        (HANDOFF, parse_identity(f"arn:aws:iam::{OWN}:root"), "root"),
        (HANDOFF, OPS, "IAM users only"),
        (HANDOFF, SSO, "IAM users only"),
        (but(mfa=False), parse_identity(f"arn:aws:sts::{OWN}:federated-user/x"), "GetFederationToken"),
        (but(mfa=False, session_name="username"), OPS, "session name"),
        (but(principals=(f"arn:aws:iam::{OWN}:user/alice",)), ALICE, "the role admits arn"),
        (but(principals=(f"arn:aws:iam::{OWN}:user/team/bob",)), ALICE, "the role admits arn"),
        (but(mfa=False, principals=(f"arn:aws:iam::{OWN}:role/other",)), OPS, "the role admits arn"),
        (but(mfa=False, principals=(f"arn:aws:iam::{OTHER}:role/ops",)), OPS, "the role admits arn"),
        (but(mfa=False, principals=(ALICE.arn,)), OPS, "the role admits arn"),
        (but(external_id="other-id"), ALICE, "another ExternalId"),
        (but(external_id=REQUEST.external_id.upper()), ALICE, "another ExternalId"),
        (but(external_id=None), ALICE, "no ExternalId where you requested one"),
        (but(external_id="has space"), ALICE, "external id"),
        (but(policies=("x\nfingerprint  1-2-3-4",)), ALICE, "policies"),
        (but(principals=("x\x1b[2J",)), ALICE, "principals"),
        (but(session_name="badge"), ALICE, "session names"),
        (but(issued=NOW + timedelta(minutes=11)), ALICE, "in the future"),
    ],
)
def test_refused(handoff: Handoff, identity: Any, says: str) -> None:
    with pytest.raises(ValetkeyError, match=says) as caught:
        accept(handoff, identity=identity)
    assert caught.value.do
    assert caught.value.exit_code == (2 if "root" in says or "external id" in says else 1)


@pytest.mark.parametrize(
    ("principals", "identity"),
    [
        ((ALICE.arn,), ALICE),
        ((f"arn:aws:iam::{OWN}:user/bob", ALICE.arn), ALICE),
        ((f"arn:aws:iam::{OWN}:role/some/path/ops",), OPS),
        ((f"arn:aws:iam::{OWN}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Audit_*",), SSO),
        ((f"arn:aws:iam::{OWN}:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Audit_*",), SSO),
    ],
)
def test_named_principals_that_are_us(principals: tuple[str, ...], identity: Any) -> None:
    assert accept(but(principals=principals, mfa=identity is ALICE), identity=identity).question == ""


def test_the_request_is_found_by_customer_or_external_id() -> None:
    plain = but(request=None)
    assert accept(plain).request == REQUEST
    assert accept(plain, customer="ACME").request == REQUEST
    with pytest.raises(NotAccepted, match="answers your request to acme"):
        accept(plain, customer="other")
    with pytest.raises(NotAccepted, match="answers your request to acme"):
        accept(customer="other", known=(REQUEST, requested("other")))
    with pytest.raises(NotAccepted, match="another ExternalId"):
        accept(but(request=None, external_id="other-id"), customer="acme")


def test_an_old_handoff_is_not_accepted_after_a_newer_one() -> None:
    """What the owner has changed since (the ExternalId, the end, the rules) would come back with it."""
    have = (profile(),)
    with pytest.raises(NotAccepted, match="accepted already with a newer one") as caught:
        accept(but(issued=NOW - timedelta(seconds=1), until=NOW + timedelta(days=90)), profiles=have)
    assert caught.value.exit_code == 1
    with pytest.raises(NotAccepted, match="uses this role already"):
        accept(profiles=have, name="twice")
    again = accept(profiles=have)  # the very same file mends the profile
    assert (again.question, again.notices) == ("", ("this handoff was accepted already; nothing in its terms changes",))
    for other in (but(issued=NOW + timedelta(seconds=1)), but(max_session=3600)):
        assert (accept(other, profiles=have).question, accept(other, profiles=have).notices) == ("", ())
    assert accept(but(issued=NOW - timedelta(days=1)), profiles=(profile(issued=None),)).question == ""


def test_only_the_newest_request_counts() -> None:
    renewed = requested(later=60)
    with pytest.raises(NotAccepted, match="another ExternalId") as caught:
        accept(known=(REQUEST, renewed))
    assert fingerprint(renewed) in caught.value.do


def test_after_a_rotation_the_old_request_may_still_be_there() -> None:
    old = profile(issued=NOW - timedelta(days=9))
    new = make_request("acme", Wishes(), identity=ALICE, known=(REQUEST,), now=NOW, new=True)
    rotated = but(
        external_id=new.external_id,
        request=fingerprint(new),
        previous_external_id=REQUEST.external_id,
        previous_until=NOW + timedelta(days=3),
    )
    assert accept(rotated, known=(REQUEST, new), profiles=(old,)).request == new
    # Without valetkey's request here (`rotate --external-id`), the person answers for the new id as for the first one.
    assert accept(rotated, known=(), profiles=(old,)).question


def test_an_anonymous_request_stands_for_itself() -> None:
    mine, newer = requested(""), requested("", later=60)
    handoff = but(external_id=mine.external_id, request=fingerprint(mine))
    assert accept(handoff, known=(mine, newer), customer="acme").customer == "acme"
    assert accept(handoff, known=(mine, newer)).customer == OWNER
    with pytest.raises(NotAccepted, match="another ExternalId"):
        accept(but(external_id="other-id", request=fingerprint(mine)), known=(mine, newer))


def test_without_a_request_a_person_decides() -> None:
    assert "no record of a request" in accept(known=()).question
    assert "to zeta" in accept(known=(), customer="zeta").question
    judged = accept(but(external_id=None, request=None), known=())
    assert "no ExternalId" in judged.question
    assert judged.notices == ("the role requires no ExternalId",)
    assert judged.customer == OWNER


def test_what_the_file_does_not_ask_for_is_noticed() -> None:
    assert accept(but(mfa=False, mfa_max_age=None), unknown=("color", "a\nb")).notices == (
        'the file has keys this version does not know: "color", "a\\nb"',
        "the role requires no MFA",
    )


def test_the_same_profile_again_is_an_update() -> None:
    assert accept(profiles=(profile(),)).question == ""
    judged = accept(known=(), profiles=(profile(),))
    assert (judged.question, judged.customer) == ("", "acme")
    assert accept(known=(), profiles=(profile(external_id="other-id"),)).question


@pytest.mark.parametrize(
    ("there", "says"),
    [
        (profile(role_arn=f"arn:aws:iam::{OWNER}:role/else"), "is for another role"),
        (profile("beta"), "uses this role already"),
        (profile("beta", role_arn=f"arn:aws:iam::{OTHER}:role/x", customer="beta"), "uses this ExternalId already"),
    ],
)
def test_what_another_client_uses_is_refused(there: Profile, says: str) -> None:
    with pytest.raises(NotAccepted, match=says) as caught:
        accept(profiles=(there,))
    assert caught.value.exit_code == 1
    assert REQUEST.external_id not in str(caught.value)


def test_one_client_may_have_two_roles() -> None:
    same_account = profile("acme-ops", role_arn=f"arn:aws:iam::{OWNER}:role/ops")
    same_customer = profile("acme-dev", role_arn=f"arn:aws:iam::{OTHER}:role/audit", customer="Acme")
    assert accept(profiles=(same_account, same_customer)).question == ""
    unnamed = dataclasses.replace(same_customer, customer=OTHER)
    with pytest.raises(NotAccepted, match="uses this ExternalId already"):
        accept(known=(), profiles=(unnamed,))


def test_default_names() -> None:
    assert default_name(HANDOFF.role_arn, ()) == f"audit-{OWNER}"
    assert default_name(HANDOFF.role_arn, (profile("mine"),)) == "mine"
    for role in ("_x", "a=b,c", "-", "x" * 64):
        assert check_name(default_name(f"arn:aws:iam::{OWNER}:role/{role}", ()))


def devices(*serials: str) -> Any:
    def perform(call: Call, /) -> dict[str, Any]:
        assert call == Call("iam", "list_mfa_devices", {"UserName": "alice"})
        return {"MFADevices": [{"SerialNumber": serial} for serial in serials], "IsTruncated": False}

    return perform


TOTP, TOKEN, FIDO = f"arn:aws:iam::{OWN}:mfa/phone", "GAHT12345678", f"arn:aws:iam::{OWN}:u2f/user/alice/key-ABC"


def nobody(_: Sequence[str]) -> None:
    return None


def test_the_device_is_found() -> None:
    assert find_mfa(devices(TOTP), ALICE, choose=nobody) == TOTP
    assert find_mfa(devices(FIDO, TOKEN), ALICE, choose=nobody) == TOKEN
    assert find_mfa(devices(TOTP, TOKEN), ALICE, choose=lambda serials: serials[1]) == TOKEN


@pytest.mark.parametrize(
    ("serials", "says"),
    [((), "no MFA device"), ((FIDO,), "only a FIDO key"), ((TOTP, TOKEN), "several MFA devices")],
)
def test_no_device_to_use(serials: tuple[str, ...], says: str) -> None:
    with pytest.raises(NotAccepted, match=says) as caught:
        find_mfa(devices(*serials), ALICE, choose=nobody)
    assert caught.value.do


def test_a_list_that_may_not_be_read() -> None:
    def deny(call: Call, /) -> dict[str, Any]:
        raise CallError(call, "AccessDenied", "no")

    with pytest.raises(NotAccepted, match="ListMFADevices") as caught:
        find_mfa(deny, ALICE, choose=nobody)
    assert f"arn:aws:iam::{OWN}:mfa/alice" in caught.value.do
    assert find_mfa(deny, ALICE, choose=lambda serials: TOTP if not serials else None) == TOTP
    with pytest.raises(NotAccepted, match="FIDO"):
        find_mfa(deny, ALICE, choose=lambda _: FIDO)

    def away(call: Call, /) -> dict[str, Any]:
        raise CallError(call, "Throttling", "slow")

    with pytest.raises(CallError):
        find_mfa(away, ALICE, choose=lambda _: TOTP)


@pytest.mark.parametrize("serial", [FIDO, "short", "x" * 257, "with space in it"])
def test_serials_are_checked(serial: str) -> None:
    with pytest.raises(ValetkeyError):
        check_serial(serial)


def test_a_profile_is_not_its_own_source() -> None:
    with pytest.raises(NotAccepted, match="own source"):
        profile_for(accept(), name="acme", identity=ALICE, source_profile="acme", mfa_serial=None, region=None)


def test_the_callers_policy_names_one_role() -> None:
    assert caller_policy(HANDOFF)["Statement"] == [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": HANDOFF.role_arn}
    ]
    assert caller_policy(but(source_identity=True, session_tags=True))["Statement"][0]["Action"] == [
        "sts:AssumeRole",
        "sts:SetSourceIdentity",
        "sts:TagSession",
    ]
