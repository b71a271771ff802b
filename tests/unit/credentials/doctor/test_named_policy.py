"""What `verify` and `doctor --probe` conclude from a refusal whose text names the kind of policy."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.credentials.doctor import test_probing as probes
from tests.unit.credentials.doctor.test_verification import ALICE, allow, own, results
from tests.unit.credentials.doctor.test_verification import World as Doors
from tests.unit.credentials.refusal_texts import (
    CLOSED,
    ENDPOINT,
    IDENTITY,
    NEW,
    OURS_ALL,
    OWNERS_ALL,
    RCP,
    RESOURCE,
    SCP,
    TAG,
    TRUST,
    refused,
    text,
)
from tests.unit.credentials.sts_world import Base, World, profile, refusal

from valetkey.account.calls import Call, CallError
from valetkey.account.denial import PolicyType, read_denial
from valetkey.credentials.doctor.caller_policies import OwnSide
from valetkey.credentials.doctor.checks import likely
from valetkey.credentials.doctor.likely_cause import sentence
from valetkey.credentials.doctor.probing import OWNERS, Probing, message
from valetkey.credentials.doctor.refusal_reasons import explained
from valetkey.credentials.sessions.refusal_sides import RefusingSide, refuses_for_owner, says, side_of
from valetkey.credentials.sessions.refusals import (
    OWNER_SIDE,
    UNKNOWN_SIDE,
    Refused,
)
from valetkey.credentials.sessions.roles import enter

UNREAD = OwnSide(ALICE, unread="your own account's policies cannot be read")


@pytest.mark.parametrize(
    ("reason", "limits"), [(TRUST, True), (CLOSED, True), (RESOURCE, True), (RCP, False), (IDENTITY, False), ("", True)]
)
def test_every_command_names_the_address_limit(reason: str, limits: bool) -> None:
    """`explained` stands around every AssumeRole: also where AWS names the owner's side and no policy is read."""

    class Here:
        base = Base()

        def connect(self, keys: Any) -> Any:
            def perform(call: Call, /) -> dict[str, Any]:
                raise CallError(call, "AccessDenied", "no")

            return perform

        @staticmethod
        def clock() -> datetime:
            return datetime(2026, 11, 28, tzinfo=UTC)

    limited = replace(profile(), mfa=False, from_ip=("198.51.100.0/24",))
    with pytest.raises(Refused) as caught, explained(limited, Here(), "eu-west-1"):  # type: ignore[arg-type]
        raise refused(reason)
    assert ("198.51.100.0/24" in caught.value.likely) is limits


def test_a_refused_tag_is_no_refused_door() -> None:
    """The trust policy may admit the entry and not the tag: that shows nothing about the door."""
    tag = text(TAG.format("role trust policy")).replace("AssumeRole on", "TagSession on")
    assert not refuses_for_owner(read_denial(tag))
    assert results(Naming(tag).verify(own=UNREAD))[1:] == ["inconclusive"] * 3


@pytest.mark.parametrize(
    ("allowed", "reason", "says_"),
    [
        (True, IDENTITY, "may have changed just now"),
        (False, IDENTITY, "your own account does not allow you this call: the statement"),
        (None, IDENTITY, "your own account does not allow you this call: no policy of your own"),
        (None, SCP, "a service control policy of your organization"),
        (None, TRUST, OWNER_SIDE),
        (False, TRUST, OWNER_SIDE),
        (None, ENDPOINT, "VPC endpoint"),
        (None, NEW, UNKNOWN_SIDE),
        (True, NEW, UNKNOWN_SIDE),
        (None, "", UNKNOWN_SIDE),
        (True, "", OWNER_SIDE),
    ],
)
def test_the_most_likely_reason(allowed: bool | None, reason: str, says_: str) -> None:
    assert says_ in sentence(profile(), allowed, "the statement", read_denial(text(reason)))


class Naming(Doors):
    """Doors whose refusals have one text."""

    def __init__(self, said: str, **more: Any) -> None:
        super().__init__(**more)
        self.said = said

    def connect(self, keys: Any) -> Any:
        inner = super().connect(keys)

        def perform(call: Call, /) -> dict[str, Any]:
            try:
                result: dict[str, Any] = inner(call)
                return result
            except CallError as error:
                raise CallError(call, error.code, self.said) from None

        return perform


@pytest.mark.parametrize("reason", OWNERS_ALL)
def test_the_owners_suffix_is_conclusive_whatever_can_be_read(reason: str) -> None:
    for side in (UNREAD, own(allow()), own()):
        verification = Naming(text(reason)).verify(own=side)
        assert results(verification) == ["right"] * 4
        assert verification.exit_code == 0


@pytest.mark.parametrize("reason", [*OURS_ALL, ENDPOINT, NEW])
def test_any_other_suffix_closes_no_door(reason: str) -> None:
    """Even where our own policies are read and allow the call: AWS itself says that somebody else refused."""
    for side in (UNREAD, own(allow())):
        verification = Naming(text(reason)).verify(own=side)
        assert results(verification) == ["right", "inconclusive", "inconclusive", "inconclusive"]
        assert verification.exit_code == 1
        assert all("refused by the owner" not in probe.says for probe in verification.probes)


@pytest.mark.parametrize(("side", "expected"), [(own(allow()), "right"), (UNREAD, "inconclusive")])
def test_without_a_suffix_our_own_policies_decide(side: OwnSide, expected: str) -> None:
    assert results(Naming(text("")).verify(own=side))[1:] == [expected] * 3


@pytest.mark.parametrize(
    ("reason", "side", "says_", "likely_", "waits"),
    [
        (IDENTITY, own(), "no policy of your own user or role allows", "does not allow you this call", False),
        (IDENTITY, UNREAD, "no policy of your own user or role allows", "does not allow you this call", False),
        # What was attached just now takes its time, as a new role does.
        (IDENTITY, own(allow()), "no policy of your own user or role allows", "may have changed just now", True),
        (SCP, UNREAD, "service control policy of your organization", "does not allow you this call", False),
        (ENDPOINT, own(allow()), "VPC endpoint", "VPC endpoint", False),
        (TRUST, UNREAD, "ask the owner whether".capitalize(), OWNER_SIDE, True),
        (RCP, UNREAD, "resource control policy of the owner's organization", OWNER_SIDE, True),
        (NEW, UNREAD, "quantum policy", UNKNOWN_SIDE, True),
        ("", UNREAD, "admin has to look whether you are allowed", UNKNOWN_SIDE, True),
    ],
)
def test_who_refused_the_right_way(reason: str, side: OwnSide, says_: str, likely_: str, waits: bool) -> None:
    doors = Naming(text(reason))
    doors.visible_after = 1000
    verification = doors.verify(own=side)
    assert results(verification) == ["wrong", "inconclusive", "inconclusive", "inconclusive"]
    assert says_ in verification.probes[0].says
    assert likely_ in verification.likely
    assert (doors.passed > 0) is waits


class Shut(probes.World):
    """Nobody gets in, and every refusal has one text."""

    def __init__(self, reason: str) -> None:
        super().__init__(lambda *_: False)
        self.reason = reason

    def connect(self, keys: Any) -> Any:
        inner = super().connect(keys)

        def perform(call: Call, /) -> dict[str, Any]:
            try:
                result: dict[str, Any] = inner(call)
                return result
            except CallError as error:
                raise CallError(call, error.code, text(self.reason, probes.ROLE)) from None

        return perform


def letter(probing: Probing) -> str:
    return message(probes.PROFILE, probes.ARN, probing, masked="vk-r…", now=probes.NOW)


@pytest.mark.parametrize("reason", [*OURS_ALL, ENDPOINT])
def test_the_doctor_writes_no_owner_for_a_refusal_of_our_own(reason: str) -> None:
    shut = Shut(reason)
    probing = shut.probe(checks=probes.KNOWN)
    assert (len(probing.tries), probing.open, letter(probing)) == (1, (), "")
    denial = read_denial(text(reason))
    assert denial is not None
    assert says(denial) in probing.reason
    assert likely(probes.KNOWN, probing) == probing.reason
    assert reason in probing.tries[0].says
    named = "organization" if denial.policy is PolicyType.SCP else "permission"
    if side_of(denial) is RefusingSide.CALLER:
        # AWS's own word goes before what was read.
        assert named not in {cause.id for cause in probing.ruled_out}


def test_what_was_read_names_the_statement() -> None:
    probing = Shut(IDENTITY).probe(checks=(probes.row("permission", "blocks"),))
    assert probing.reason == "says of permission"


@pytest.mark.parametrize("reason", [TRUST, CLOSED, RESOURCE])
@pytest.mark.parametrize("known", [probes.KNOWN, (probes.row("permission", "unknown"),)])
def test_the_owners_suffix_leaves_our_side_out(reason: str, known: Any) -> None:
    probing = Shut(reason).probe(checks=known)
    explicit = "explicit" in reason
    wanted = {cause.id for cause in OWNERS} - ({"role"} if explicit else set())
    assert {cause.id for cause in probing.open} == wanted
    assert {cause.who for cause in probing.open} == {"owner"}
    assert likely(known, probing).startswith("the owner has changed or ended the grant: the trust policy")
    assert letter(probing).startswith(f"AWS refuses me sts:AssumeRole on your role {reason}.")


def test_the_owners_suffix_goes_before_what_our_own_side_would_say() -> None:
    blocks = (probes.row("permission", "blocks"),)
    probing = Shut(TRUST).probe(checks=blocks)
    assert len(probing.tries) == 4
    assert {cause.who for cause in probing.open} == {"owner"}
    said = likely(blocks, probing)
    assert said.startswith("the owner has changed or ended the grant")
    assert said.endswith("and then says of permission")
    ended = (*blocks, probes.row("grant-end", "blocks"))
    assert likely(ended, Shut(TRUST).probe(checks=ended)) == "says of grant-end"


def test_an_rcp_is_for_the_owners_organization() -> None:
    probing = Shut(RCP).probe(checks=probes.KNOWN)
    assert [(cause.id, cause.who) for cause in probing.open] == [("rcp", "owner")]
    assert "resource control policy of the owner's organization" in likely(probes.KNOWN, probing)
    assert "valetkey show" not in letter(probing)
    assert RCP in letter(probing)


@pytest.mark.parametrize("reason", ["", NEW])
def test_without_a_known_name_the_doctor_lists_both_sides(reason: str) -> None:
    unread = (probes.row("permission", "unknown"),)
    probing = Shut(reason).probe(checks=unread)
    assert [cause.id for cause in probing.open] == [*(cause.id for cause in OWNERS), "own-permission"]
    assert likely(unread, probing).startswith("your own account does not allow the call, or the owner")
    assert letter(probing).splitlines()[0].endswith(f"{reason or 'and names no policy'}.")


def test_no_authorization_id_reaches_the_owner() -> None:
    """STS is not on AWS's list of services with such ids today; if it comes, it stays on this side."""
    secret = "d3xbfwcsdoam45n7ms6nv5pl0"
    pointer = f"{TRUST}. Go to https://us-east-1.console.aws.amazon.com/iam/home#/authorization-details/{secret} for "
    pointer += "complete details, or call the GetRequestAuthorizationDetails API with the following authorization id: "
    probing = Shut(pointer + secret).probe(checks=probes.KNOWN)
    assert side_of(probing.denial) is RefusingSide.OWNER
    assert secret not in letter(probing) + repr(probing)
    verified = Naming(text(pointer + secret)).verify(own=UNREAD)
    assert results(verified) == ["right"] * 4
    assert secret not in repr(verified)


@pytest.mark.parametrize("reason", [IDENTITY, TRUST])
def test_it_is_passed_on(reason: str) -> None:
    world = World()
    world.fail["assume_role"] = [refusal("assume_role", "AccessDenied", text(reason))]
    with pytest.raises(Refused) as caught:
        enter(profile(), keys=Base(), connect=world.connect, clock=world.clock)
    assert caught.value.denial == read_denial(text(reason))
