"""A probe claims what a try has shown, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from valetkey.account.calls import Call, CallError
from valetkey.account.denial import read_denial
from valetkey.credentials.doctor.checks import exit_code, likely
from valetkey.credentials.doctor.diagnosis import AnsweredCheck, CheckAnswer, DoctorCheck
from valetkey.credentials.doctor.likely_cause import reason, sentence
from valetkey.credentials.doctor.probing import OWNERS, Probing, message, probe
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.sessions.refusals import OWNER_SIDE, UNKNOWN_SIDE, Refused
from valetkey.errors import ValetkeyError

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
OWN, OWNER = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{OWNER}:role/audit"
ARN = f"arn:aws:iam::{OWN}:user/alice"
PROFILE = Profile(
    name="acme",
    role_arn=ROLE,
    external_id="vk-right-id",
    contractor=OWN,
    mfa=True,
    mfa_serial=f"arn:aws:iam::{OWN}:mfa/alice",
    max_session=43200,
    user_name="alice",
)
RANGES = ("198.51.100.0/24",)
PROFILE_FROM = replace(PROFILE, from_ip=RANGES)
NOT_AUTHORIZED = f"User: {ARN} is not authorized to perform: sts:AssumeRole on resource: {ROLE}"


@dataclass(frozen=True)
class Keys:
    access_key_id: str
    secret_access_key: str = "s"
    session_token: str | None = None


BASE, OLD, NEW = Keys("AKIABASE"), Keys("ASIAOLD", session_token="t"), Keys("ASIANEW", session_token="t")
Rule = Callable[[str, dict[str, Any]], bool]


class World:
    """STS that lets in by a rule over the key and the parameters."""

    def __init__(self, rule: Rule, code: str = "AccessDenied", *, caller: str = ARN) -> None:
        self.rule, self.code, self.caller = rule, code, caller
        self.entered: list[tuple[str, dict[str, Any]]] = []
        self.renewed = 0
        self.nobody = False

    def connect(self, keys: Any) -> Any:
        def perform(call: Call, /) -> dict[str, Any]:
            if call.operation == "get_caller_identity":
                return {"Arn": self.caller}
            self.entered.append((keys.access_key_id, dict(call.params)))
            if not self.rule(keys.access_key_id, dict(call.params)):
                raise CallError(call, self.code, "User is not authorized to perform: sts:AssumeRole")
            arn = f"arn:aws:sts::{OWNER}:assumed-role/audit/{call.params['RoleSessionName']}"
            keys_made = {"AccessKeyId": "ASIAROLE", "SecretAccessKey": "SECRET", "SessionToken": "TOKEN"}
            return {
                "AssumedRoleUser": {"Arn": arn},
                "Credentials": {**keys_made, "Expiration": NOW + timedelta(minutes=15)},
            }

        return perform

    def renew(self) -> Keys:
        self.renewed += 1
        if self.nobody:
            raise ValetkeyError("no terminal")
        return NEW

    def probe(
        self, *, base: Keys = BASE, checks: tuple[AnsweredCheck, ...] = (), fresh: bool = False, **changes: Any
    ) -> Probing:
        return probe(
            replace(PROFILE, **changes),
            base=base,
            session=lambda refused: (NEW, True) if fresh or refused else (OLD, False),
            renew=self.renew,
            connect=self.connect,
            clock=lambda: NOW,
            checks=checks,
        )


def row(check: str, result: Any) -> AnsweredCheck:
    return AnsweredCheck(DoctorCheck(check, check, "", lambda _: None), CheckAnswer(result, f"says of {check}"))


KNOWN = tuple(row(item, "ok") for item in ("clock", "identity", "permission", "organization", "grant-end"))


def test_the_right_way_in() -> None:
    world = World(lambda *_: True)
    probing = world.probe()
    assert probing.is_in
    assert (probing.reason, probing.open, likely((), probing), len(world.entered)) == ("", (), "", 1)
    assert world.entered[0][1]["DurationSeconds"] == 900
    assert "SECRET" not in repr(probing)


def test_nothing_gets_in() -> None:
    world = World(lambda *_: False)
    probing = world.probe(checks=KNOWN)
    tried = [(key, params.get("ExternalId")) for key, params in world.entered]
    assert tried == [
        ("ASIAOLD", "vk-right-id"),
        ("ASIAOLD", None),
        ("AKIABASE", "vk-right-id"),
        ("ASIANEW", "vk-right-id"),
    ]
    assert probing.open == OWNERS
    assert {cause.id for cause in probing.ruled_out} == {
        "keys",
        "mfa",
        "length",
        *("clock", "identity", "permission", "organization", "grant-end"),
    }
    assert likely(KNOWN, probing).startswith("the owner has changed or ended the grant")


@pytest.mark.parametrize(
    ("rule", "reason", "tries"),
    [
        (lambda key, params: "ExternalId" not in params, "the ExternalId", 2),
        (lambda key, params: key == "AKIABASE", "MFA:", 3),
        (lambda key, params: key == "ASIANEW", "the age of the MFA session", 4),
    ],
)
def test_a_variant_that_gets_in(rule: Rule, reason: str, tries: int) -> None:
    probing = World(rule).probe(checks=KNOWN)
    assert probing.reason.startswith(reason)
    assert (len(probing.tries), probing.tries[-1].result, probing.open) == (tries, "in", ())
    assert likely(KNOWN, probing) == probing.reason
    assert ("external-id" in {cause.id for cause in probing.ruled_out}) is (reason != "the ExternalId")


def test_a_cause_is_ruled_out_by_facts_alone() -> None:
    """A check that is not `ok` rules nothing out; the own side's is then listed, with who can find out."""
    probing = World(lambda *_: False).probe(checks=(row("clock", "unknown"), row("permission", "unknown")))
    assert {cause.id for cause in probing.ruled_out} == {"keys", "mfa", "length"}
    assert [(cause.id, cause.who) for cause in probing.open[len(OWNERS) :]] == [("own-permission", "your admin")]
    assert likely((), probing).startswith("your own account does not allow")
    only_scps = World(lambda *_: False).probe(checks=(row("organization", "unknown"),))
    assert "SCP" in likely((), only_scps)


def test_behind_our_own_refusal_nothing_of_the_owners_can_be_seen() -> None:
    world = World(lambda *_: False)
    probing = world.probe(checks=(row("clock", "ok"), row("permission", "blocks")))
    assert (probing.reason, probing.open, len(world.entered)) == ("says of permission", (), 1)
    assert message(PROFILE, ARN, probing, masked="", now=NOW) == ""


def test_nobody_is_asked_twice() -> None:
    world = World(lambda *_: False)
    assert len(world.probe(fresh=True).tries) == 3
    assert world.renewed == 0
    world.nobody = True
    assert len(world.probe().tries) == 3


def test_what_does_not_apply_is_not_tried() -> None:
    world = World(lambda *_: False)
    assert len(world.probe(mfa=False, external_id=None).tries) == 1
    assert "mfa" not in {cause.id for cause in world.probe(mfa=False).ruled_out}
    # A temporary base identity has no MFA session of its own.
    assert [item.way for item in world.probe(base=OLD, mfa=False).tries] == ["the right way", "without the ExternalId"]


def test_answers_that_are_no_refusal() -> None:
    world = World(lambda *_: False, "Throttling")
    probing = world.probe()
    assert (probing.tries[0].result, len(probing.tries), probing.open) == ("failed", 1, ())
    assert "Throttling" in probing.reason
    assert exit_code(_facts(), (), probing) == 3
    gone = World(lambda key, _: key == "ASIANEW", "ExpiredToken").probe()
    assert gone.is_in


def test_an_address_limit_is_named_as_a_likely_cause() -> None:
    """A call from elsewhere gets the same answer as one with another ExternalId: both stay open, this one first."""
    probing = World(lambda *_: False).probe(checks=KNOWN, from_ip=RANGES)
    first, *owners = probing.open
    assert (first.id, first.who, tuple(owners)) == ("address", "you", OWNERS)
    assert "CloudTrail" in first.how
    said = likely(KNOWN, probing)
    assert said.startswith(
        "your address: the role admits calls from 198.51.100.0/24 only, and none through a VPC endpoint; call from "
    )
    assert "Else the owner has changed or ended the grant: nothing on your side blocks you" in said
    assert "198.51.100.0/24" in message(PROFILE_FROM, ARN, probing, masked="", now=NOW)
    # One that gets in from here shows that the address is right.
    assert "address" not in World(lambda _, params: "ExternalId" not in params).probe(from_ip=RANGES).reason


def test_an_address_limit_is_in_the_reason_of_every_command() -> None:
    for allowed, rest in ((True, OWNER_SIDE), (None, UNKNOWN_SIDE)):
        said = sentence(PROFILE_FROM, allowed, "")
        assert said.startswith("the role admits calls from 198.51.100.0/24 only, and none through a VPC endpoint (call")
        assert f"else {rest}" in said
    trust = f"{NOT_AUTHORIZED} because no resource-based policy allows the sts:AssumeRole action"
    assert "198.51.100.0/24" in sentence(PROFILE_FROM, None, "", read_denial(trust))
    # Neither our own refusal nor the organization's policy is about the grant's addresses.
    assert "198.51.100" not in sentence(PROFILE_FROM, False, "no policy")
    rcp = f"{NOT_AUTHORIZED} with an explicit deny in a resource control policy"
    assert "198.51.100" not in sentence(PROFILE_FROM, None, "", read_denial(rcp))
    assert sentence(PROFILE, True, "").startswith(OWNER_SIDE)


def _facts() -> Any:
    from tests.unit.credentials.doctor.test_doctor import FACTS

    return FACTS


def test_no_external_id_leaves_a_foreign_account() -> None:
    world = World(lambda *_: True, caller=f"arn:aws:iam::{OWNER}:user/x")
    with pytest.raises(Refused, match="is of account"):
        world.probe(mfa=False)
    assert world.entered == []


def test_the_message_can_be_pasted() -> None:
    probing = World(lambda *_: False).probe(checks=KNOWN)
    text = message(PROFILE, ARN, probing, masked="vk-r…", now=NOW)
    assert text.isprintable() is False
    assert "\x1b" not in text
    assert all(part in text for part in (ROLE, ARN, "vk-r…", "2026-11-28 12:00 UTC", "valetkey show audit"))
    assert "vk-right-id" not in text
    assert all(cause.what in text for cause in OWNERS)
    assert (
        "the owner may have rotated: accept the new handoff"
        in {cause.how for cause in OWNERS if cause.id == "external-id"}.pop()
    )
    assert message(PROFILE, ARN, World(lambda *_: True).probe(), masked="", now=NOW) == ""


ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE}]}


def iam(document: dict[str, Any] | None, passed: list[float] | None = None) -> Any:
    def perform(call: Call, /) -> dict[str, Any]:
        if passed is not None:
            passed[0] += 3
        if document is None and call.service == "iam":
            raise CallError(call, "AccessDenied", "no")
        return {
            "get_caller_identity": {"Arn": ARN},
            "get_user": {"User": {"Arn": ARN}},
            "list_user_policies": {"PolicyNames": ["own"]},
            "get_user_policy": {"PolicyDocument": document},
        }.get(call.operation, {})

    return perform


def why(perform: Any, clock: Callable[[], datetime] = lambda: NOW) -> str:
    return reason(PROFILE, keys=OLD, mfa=True, region="eu-west-1", perform=perform, clock=clock)


def test_the_most_likely_reason() -> None:
    assert why(iam(ALLOW)).startswith("the owner has changed or ended the grant")
    other = {**ALLOW, "Statement": [{**ALLOW["Statement"][0], "Resource": ROLE + "2"}]}  # type: ignore[index]
    assert why(iam(other)) == (
        "your own account does not allow you this call: none of your policies allows it; the nearest, your policy own, "
        "statement 1, is for other roles"
    )
    assert why(iam(None)) == UNKNOWN_SIDE == sentence(PROFILE, None, "x")


def test_a_reason_is_not_waited_for_long() -> None:
    passed = [0.0]
    assert why(iam(ALLOW, passed), lambda: NOW + timedelta(seconds=passed[0])) == UNKNOWN_SIDE
    assert passed[0] < 15
