"""A role that came without a handoff is judged as one with: what nobody told is unknown."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.credentials.profiles.test_acceptance import (
    ALICE,
    HANDOFF,
    NOW,
    OPS,
    OTHER,
    OWN,
    OWNER,
    REQUEST,
    profile,
    requested,
)

from valetkey.credentials.profiles.acceptance import Acceptance, NotAccepted, judge, profile_for
from valetkey.credentials.profiles.identity import Identity, parse_identity
from valetkey.credentials.profiles.needed_policy import caller_policy
from valetkey.credentials.profiles.profile import TERM_FIELDS, Profile, TermsOrigin
from valetkey.credentials.profiles.typed import Typed, check_typed, offered, untold
from valetkey.credentials.profiles.whose_account import WrongAccount
from valetkey.errors import ValetkeyError
from valetkey.exchange.files import AccessRequest, Received, fingerprint

ROLE = f"arn:aws:iam::{OWNER}:role/x/audit"
SERIAL = f"arn:aws:iam::{OWN}:mfa/alice"


def accept(
    *,
    identity: Identity = ALICE,
    known: tuple[AccessRequest, ...] = (),
    profiles: tuple[Profile, ...] = (),
    customer: str | None = None,
    name: str = "acme",
    serial: str | None = None,
    **told: Any,
) -> tuple[Acceptance, Profile]:
    typed = Typed(**{"role_arn": ROLE, **told})
    before = next((item for item in profiles if item.name == name), None)
    offer, unknown = offered(typed, identity=identity, known=known, customer=customer, before=before, now=NOW)
    judged = judge(
        Received(offer, ""),
        identity=identity,
        known=known,
        profiles=profiles,
        customer=customer,
        name=name,
        now=NOW,
        origin=TermsOrigin.TYPED,
        unknown=unknown,
    )
    made = profile_for(
        judged, name=name, identity=identity, source_profile="work", mfa_serial=serial, region=None, before=before
    )
    return judged, made


def test_what_nobody_told_is_unknown() -> None:
    judged, made = accept()
    assert judged.unknown == made.unknown == frozenset(TERM_FIELDS)
    assert made.origin is TermsOrigin.TYPED
    assert (made.external_id, made.max_session, made.until, made.issued) == (None, 3600, None, None)
    assert "No ExternalId was given" in judged.question
    assert judged.notices == ()  # it is not said that the role asks for none
    assert len(untold(judged.unknown)) == 5


def test_what_was_told_is_known() -> None:
    judged, made = accept(external_id="their-id", mfa=True, session=7200, serial=SERIAL)
    assert not {"external_id", "mfa", "max_session"} & made.unknown
    assert (made.external_id, made.mfa, made.max_session) == ("their-id", True, 7200)
    assert "unknown whether this ExternalId is yours" in judged.question
    assert "until" in made.unknown


def test_a_code_is_sent_where_there_is_a_device_and_nobody_told() -> None:
    assert accept(serial=SERIAL)[1].mfa
    assert not accept(serial=None)[1].mfa
    assert not accept(mfa=False, serial=SERIAL)[1].mfa
    assert accept(mfa=False)[1].knows("mfa")


def test_what_the_role_may_be_sent_is_left_to_aws_and_not_asked_of_the_admin() -> None:
    judged, made = accept()
    assert (made.source_identity, made.session_tags) == (True, True)
    (statement,) = caller_policy(judged.handoff)["Statement"]
    assert statement["Action"] == "sts:AssumeRole"


def test_our_request_gives_the_external_id_and_answers_the_question() -> None:
    judged, made = accept(known=(REQUEST,), customer="ACME")
    assert (made.external_id, judged.request, judged.question) == (REQUEST.external_id, REQUEST, "")
    assert made.customer == "acme"
    assert made.knows("external_id")
    judged, made = accept(known=(REQUEST,), external_id=REQUEST.external_id)
    assert (judged.question, made.customer) == ("", "acme")
    with pytest.raises(NotAccepted, match="another ExternalId"):
        accept(known=(REQUEST,), customer="acme", external_id="their-own")


@pytest.mark.parametrize(
    ("told", "identity", "error", "says"),
    [
        ({"role_arn": f"arn:aws:iam::{OWN}:role/x"}, ALICE, WrongAccount, "own account"),
        ({"role_arn": f"arn:aws-cn:iam::{OWNER}:role/x"}, ALICE, NotAccepted, "partition"),
        ({"mfa": True}, OPS, NotAccepted, "IAM users only"),
        ({}, parse_identity(f"arn:aws:iam::{OWN}:root"), ValetkeyError, "root"),
        ({}, parse_identity(f"arn:aws:sts::{OWN}:federated-user/x"), NotAccepted, "GetFederationToken"),
    ],
)
def test_the_same_checks_as_of_a_handoff(
    told: dict[str, Any], identity: Identity, error: type[ValetkeyError], says: str
) -> None:
    with pytest.raises(error, match=says):
        accept(identity=identity, **told)


def test_another_customers_account_role_and_external_id_are_refused() -> None:
    acme = profile()
    with pytest.raises(WrongAccount, match="of the customer acme"):
        accept(profiles=(acme,), name="other", role_arn=f"arn:aws:iam::{OWNER}:role/second")
    with pytest.raises(NotAccepted, match="uses this role already"):
        accept(profiles=(acme,), name="other")
    with pytest.raises(NotAccepted, match="uses this ExternalId already"):
        accept(
            profiles=(acme,),
            name="other",
            role_arn=f"arn:aws:iam::{OTHER}:role/audit",
            external_id=acme.external_id,
        )


def test_written_anew_it_keeps_what_is_known_of_the_same_role() -> None:
    acme = profile()
    judged, made = accept(profiles=(acme,), external_id="rotated-by-mail", serial=acme.mfa_serial)
    assert made.unknown == frozenset()
    assert made == dataclasses.replace(
        acme,
        origin=TermsOrigin.TYPED,
        external_id="rotated-by-mail",
        source_profile="work",
        base_from_environment=False,
    )
    assert judged.question  # the ExternalId is another one
    # A handoff that was superseded stays so.
    assert made.issued == HANDOFF.issued
    # The optional term too: from where the role admits calls is in no mail.
    limited = profile(from_ip=("198.51.100.0/24",))
    assert accept(profiles=(limited,), serial=SERIAL)[1].from_ip == limited.from_ip
    # The end has passed, and the owner was asked again: nobody knows the new one.
    ended = profile(until=NOW - timedelta(days=1))
    assert not accept(profiles=(ended,), serial=SERIAL)[1].knows("until")
    assert accept(profiles=(acme,), mfa=False)[1].mfa_max_age is None


def test_a_newer_request_goes_before_the_external_id_that_was_known() -> None:
    """After `request --new` the owner has changed the role, and says so by mail."""
    new = requested(later=60)
    acme = profile()
    judged, made = accept(profiles=(acme,), known=(REQUEST, new), customer="acme", serial=SERIAL)
    assert (made.external_id, judged.question) == (new.external_id, "")
    assert new.external_id != acme.external_id


@pytest.mark.parametrize(
    "told",
    [
        {"role_arn": "audit"},
        {"role_arn": f"arn:aws:iam::{OWNER}:role/*"},
        {"role_arn": f"arn:aws:iam::{OWNER}:user/x"},
        {"external_id": "x"},
        {"external_id": "a b"},
        {"session": 900},
        {"session": 43201},
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_called(told: dict[str, Any]) -> None:
    with pytest.raises(ValetkeyError) as caught:
        check_typed(Typed(**{"role_arn": ROLE, **told}))
    assert caught.value.exit_code == 2
    assert caught.value.do


def test_an_imported_profile_that_shares_its_external_id_can_be_accepted_again() -> None:
    one = profile(shares_external_id=True, customer=OWNER)
    two = profile("two", role_arn=f"arn:aws:iam::{OTHER}:role/audit", shares_external_id=True, customer=OTHER)
    twin = profile("twin", shares_external_id=True, customer=OWNER)
    judged, made = accept(profiles=(one, two, twin), external_id=one.external_id)
    assert made.shares_external_id
    assert judged.notices == ("twin uses this role too, and is not changed: accept it for each with --name twin",)
    assert judged.question == ""
    # One with an ExternalId of its own does not share it any more.
    assert not accept(profiles=(one, two, twin), external_id="of-its-own")[1].shares_external_id
    # A third customer that comes with it later is refused.
    with pytest.raises(NotAccepted, match="uses this ExternalId already"):
        accept(
            profiles=(one, two),
            name="three",
            role_arn="arn:aws:iam::999988887777:role/audit",
            external_id=one.external_id,
        )


def test_a_request_to_an_imported_customers_account_takes_it_off_the_shared_external_id() -> None:
    """What `import` offers: the new request names the customer by its account."""
    one = profile(shares_external_id=True, customer=OWNER, external_id="ours-for-all")
    two = profile("two", role_arn=f"arn:aws:iam::{OTHER}:role/audit", customer=OTHER, external_id="ours-for-all")
    new = requested(OWNER)
    handoff = dataclasses.replace(HANDOFF, external_id=new.external_id, request=fingerprint(new))
    judged = judge(
        Received(handoff, "1-2-3-4"),
        identity=ALICE,
        known=(new,),
        profiles=(one, two),
        customer=None,
        name="acme",
        now=NOW,
    )
    assert (judged.question, judged.customer) == ("", OWNER)
