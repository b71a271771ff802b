"""The ways are tried in order, by the same identity; only a refusal that is certainly the owner's counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from valetkey.account.calls import Call, CallError
from valetkey.credentials.doctor.caller_policies import OwnSide, context_of, read_own_side
from valetkey.credentials.doctor.verification import Verification, tries, verify
from valetkey.credentials.profiles.identity import parse_identity
from valetkey.credentials.profiles.profile import TERM_FIELDS, Profile, TermsOrigin
from valetkey.credentials.sessions.refusals import Refused
from valetkey.credentials.sessions.values import Credentials

OWN, OWNER = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{OWNER}:role/x/audit"
ALICE = parse_identity(f"arn:aws:iam::{OWN}:user/alice")
START = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass(frozen=True)
class BaseKeys:
    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


BASE = BaseKeys(access_key_id="AKIABASE", secret_access_key="s")
ALLOW = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}}


def profile(**changes: Any) -> Profile:
    plain: dict[str, Any] = {
        "name": "acme",
        "role_arn": ROLE,
        "external_id": "right-id",
        "contractor": OWN,
        "mfa": True,
        "mfa_serial": f"arn:aws:iam::{OWN}:mfa/alice",
        "max_session": 43200,
        "user_name": "alice",
    }
    return Profile(**(plain | changes))


class World:
    """STS as a function of what is asked; time passes in `sleep` alone."""

    def __init__(self, *, needs_id: bool = True, any_id: bool = False, needs_mfa: bool = True) -> None:
        self.needs_id, self.any_id, self.needs_mfa = needs_id, any_id, needs_mfa
        self.passed = 0.0
        self.visible_after = 0.0
        self.codes: list[str] = []
        """Error codes that the next calls of AssumeRole get."""
        self.log: list[tuple[str, dict[str, Any]]] = []
        self.sessions = 0
        self.caller = ALICE.arn

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed)

    def sleep(self, seconds: float) -> None:
        assert 0 < seconds <= 60
        self.passed += seconds

    def session(self, refused: str) -> Credentials:
        self.sessions += 1
        return Credentials(
            access_key_id=f"ASIAMFA{self.sessions}",
            secret_access_key="s",
            session_token="t",
            expires=START + timedelta(hours=12),
            account=OWN,
        )

    def connect(self, keys: Any) -> Any:
        def perform(call: Call, /) -> dict[str, Any]:
            if call.operation == "get_caller_identity":
                return {"Arn": self.caller}
            assert call.operation == "assume_role"
            params = dict(call.params)
            self.log.append((keys.access_key_id, params))
            if self.codes:
                code = self.codes.pop(0)
                if code:
                    raise CallError(call, code, "made up")
            given = params.get("ExternalId")
            id_fits = not self.needs_id or given == "right-id" or (self.any_id and given is not None)
            mfa_fits = not self.needs_mfa or keys.session_token is not None
            if not (id_fits and mfa_fits) or self.passed < self.visible_after:
                raise CallError(call, "AccessDenied", "User is not authorized to perform: sts:AssumeRole")
            arn = f"arn:aws:sts::{OWNER}:assumed-role/audit/{params['RoleSessionName']}"
            return {
                "AssumedRoleUser": {"Arn": arn},
                "Credentials": {
                    "AccessKeyId": "ASIAROLE",
                    "SecretAccessKey": "DROPPED-SECRET",
                    "SessionToken": "DROPPED-TOKEN",
                    "Expiration": START + timedelta(minutes=15),
                },
            }

        return perform

    def verify(
        self, of: Profile | None = None, *, base: BaseKeys = BASE, own: OwnSide | None = None, wait: float = 60
    ) -> Verification:
        return verify(
            of or profile(),
            base=base,
            session=self.session,
            connect=self.connect,
            own_side=lambda _: own or OwnSide(ALICE, (ALLOW,)),
            clock=self.now,
            sleep=self.sleep,
            region="eu-west-1",
            wait=wait,
        )


def results(verification: Verification) -> list[str]:
    return [probe.result for probe in verification.probes]


def test_a_right_role() -> None:
    world = World()
    verification = world.verify()
    assert results(verification) == ["right"] * 4
    assert verification.exit_code == 0
    assert [keys for keys, _ in world.log] == ["ASIAMFA1", "ASIAMFA1", "ASIAMFA1", "AKIABASE"]
    ids = [params.get("ExternalId") for _, params in world.log]
    assert (ids[0], ids[1], ids[3]) == ("right-id", None, "right-id")
    assert ids[2] not in (None, "right-id")
    assert {params["DurationSeconds"] for _, params in world.log} == {900}
    assert "DROPPED" not in repr(verification)


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        (World(needs_id=False), ["right", "wrong", "wrong", "right"]),
        (World(any_id=True), ["right", "right", "wrong", "right"]),
        (World(needs_mfa=False), ["right", "right", "right", "wrong"]),
    ],
)
def test_a_role_that_lets_in_too_much(world: World, expected: list[str]) -> None:
    verification = world.verify()
    assert results(verification) == expected
    assert verification.exit_code == 1


def test_a_new_role_is_waited_for_within_limits() -> None:
    world = World()
    world.visible_after = 20
    assert results(world.verify()) == ["right"] * 4
    late = World()
    late.visible_after = 100
    verification = late.verify()
    assert results(verification) == ["wrong", "inconclusive", "inconclusive", "inconclusive"]
    assert verification.exit_code == 1
    assert 55 < late.passed <= 60
    assert all(params["ExternalId"] == "right-id" for _, params in late.log)  # nothing else was tried
    assert len(late.log) < 30
    quick = World()
    quick.visible_after = 100
    quick.verify(wait=0)
    assert len(quick.log) == 1


@pytest.mark.parametrize("code", ["Throttling", "Unreachable", "TimedOut", "ExpiredToken", "RegionDisabledException"])
def test_only_access_denied_is_a_refusal(code: str) -> None:
    world = World()
    world.codes = ["", code]
    verification = world.verify()
    assert results(verification) == ["right", "inconclusive", "right", "right"]
    assert verification.probes[1].failed
    assert verification.exit_code == 3
    first = World()
    first.codes = [code] * 9
    verification = first.verify()
    assert results(verification) == ["inconclusive"] * 4
    assert verification.exit_code == 3
    assert first.passed == 0


def test_a_wrong_role_is_worse_than_a_failure() -> None:
    world = World(needs_id=False)
    world.codes = ["", "Throttling"]
    assert world.verify().exit_code == 1


def test_an_mfa_session_that_is_gone_is_renewed_once() -> None:
    world = World()
    world.codes = ["ExpiredToken"]
    assert results(world.verify()) == ["right"] * 4
    assert [keys for keys, _ in world.log[:2]] == ["ASIAMFA1", "ASIAMFA2"]
    stuck = World()
    stuck.codes = ["ExpiredToken"] * 9
    assert stuck.verify().exit_code == 3
    assert stuck.sessions == 2


def test_terms_that_ask_for_nothing() -> None:
    verification = World(needs_id=False, needs_mfa=False).verify(profile(external_id=None, mfa=False))
    assert results(verification) == ["right", "inconclusive", "inconclusive", "inconclusive"]
    assert [probe.applies for probe in verification.probes] == [True, False, False, False]
    assert verification.exit_code == 0


def test_a_temporary_sign_in_may_carry_mfa_itself() -> None:
    world = World()
    base = BaseKeys(access_key_id="ASIABASE", secret_access_key="s", session_token="t")
    verification = world.verify(base=base)
    assert results(verification) == ["right", "right", "right", "inconclusive"]
    assert (world.sessions, verification.exit_code) == (0, 1)


@pytest.mark.parametrize("token", ["t", None])
def test_no_external_id_is_sent_from_another_customers_account(token: str | None) -> None:
    world = World()
    world.caller = "arn:aws:sts::777777777777:assumed-role/audit/alice" if token else "arn:aws:iam::777777777777:user/a"
    base = BaseKeys(access_key_id="ASIABASE", secret_access_key="s", session_token=token)
    with pytest.raises(Refused, match="of account 777777777777; the role trusts"):
        world.verify(profile(mfa=token is not None), base=base)
    assert (world.log, world.passed) == ([], 0)


def test_nobody_waits_for_what_waiting_does_not_change() -> None:
    world = World()
    world.visible_after = 100
    verification = world.verify(profile(principals=(f"arn:aws:iam::{OWN}:user/bob",)))
    assert results(verification) == ["wrong", "inconclusive", "inconclusive", "inconclusive"]
    assert "the grant does not name" in verification.probes[0].says
    assert "user/bob" in verification.probes[0].says
    assert world.passed == 0


def own(*statements: Mapping[str, Any], **more: Any) -> OwnSide:
    return OwnSide(ALICE, tuple({"Version": "2012-10-17", "Statement": statement} for statement in statements), **more)


def allow(condition: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE} | (
        {"Condition": condition} if condition else {}
    )


def deny(condition: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition} | more


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        (own(allow()), ["right", "right", "right"]),
        (own(allow({"StringEquals": {"sts:ExternalId": "right-id"}})), ["inconclusive", "inconclusive", "right"]),
        (own(allow({"StringLike": {"sts:ExternalId": "*"}})), ["inconclusive", "right", "right"]),
        (own(allow({"Bool": {"aws:MultiFactorAuthPresent": "true"}})), ["right", "right", "inconclusive"]),
        (
            own(allow(), deny({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}})),
            ["right", "right", "inconclusive"],
        ),
        (own(allow(), deny({"Null": {"sts:externalid": "true"}})), ["inconclusive", "right", "right"]),
        (own(allow(), boundary=ALLOW), ["right", "right", "right"]),
        (
            own(allow(), boundary={"Statement": allow({"Bool": {"aws:MultiFactorAuthPresent": "true"}})}),
            ["right", "right", "inconclusive"],
        ),
        # What the right way proves is not what we can see: nothing is known.
        (own(), ["inconclusive"] * 3),
        (own(allow({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})), ["inconclusive"] * 3),
        # A Deny on something unknown might hit the probe alone.
        (own(allow(), deny({"StringEquals": {"aws:PrincipalTag/x": "y"}})), ["inconclusive"] * 3),
        (own(allow(), deny({"StringEquals": {"aws:SourceVpc": "v"}}, Action="s3:*")), ["right"] * 3),
        (own(allow(), {**deny({"IpAddress": {"aws:SourceIp": "::/0"}}), "Action": ["s3:*", "sts:Assume*"]}), 3),
        (own(allow(), deny({"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}})), ["right"] * 3),
        (own(allow(), boundary={"Statement": [ALLOW["Statement"], deny({"Null": {"aws:SourceVpce": "true"}})]}), 3),
        (own(allow(), boundary={"Statement": [allow({"Null": {"aws:SourceVpce": "true"}})]}), 3),
        # An Allow that only an unknown key would spoil: it may be what the right way came through without.
        (
            own(
                allow({"StringEquals": {"sts:ExternalId": "right-id"}}),
                allow({"StringNotEquals": {"aws:PrincipalTag/x": "y"}}),
            ),
            ["inconclusive", "inconclusive", "right"],
        ),
        (own(allow(), {**deny({}), "Resource": "arn:aws:iam::*:role/${aws:PrincipalTag/x}"}), 3),
        (own({**allow(), "Resource": "arn:aws:iam::*:role/x/${aws:username}"}), 3),
        (own({**allow(), "Resource": ROLE.replace("audit", "${aws:username}*")}, allow()), ["right"] * 3),
        (OwnSide(ALICE, unread="your own account's policies cannot be read"), ["inconclusive"] * 3),
        (own({"Effect": "Allow", "Action": "sts:*", "Resource": "*", "Condition": {"Nonsense": {"x": "y"}}}), 3),
    ],
)
def test_a_refusal_that_our_own_side_could_have_made(side: OwnSide, expected: list[str] | int) -> None:
    wanted = ["inconclusive"] * 3 if isinstance(expected, int) else expected
    verification = World().verify(own=side)
    assert results(verification) == ["right", *wanted]
    assert verification.exit_code == (0 if set(wanted) == {"right"} else 1)
    for probe in verification.probes:
        assert probe.applies
        if probe.result == "inconclusive":
            assert "own account" in probe.says


def test_a_deny_that_spares_assume_role_is_no_doubt() -> None:
    spared = deny({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})
    del spared["Action"]
    assert results(World().verify(own=own(allow(), spared | {"NotAction": "sts:*"}))) == ["right"] * 4
    assert "inconclusive" in results(World().verify(own=own(allow(), spared | {"NotAction": "iam:*"})))


def test_a_long_term_key_has_no_mfa_keys() -> None:
    params = {"RoleArn": ROLE, "RoleSessionName": "alice"}
    keys = context_of(params, mfa=False, region="eu-west-1", now=START)
    assert not [key for key in keys if "MultiFactor" in key or "ExternalId" in key]
    assert "aws:MultiFactorAuthPresent" in context_of(params, mfa=True, region="eu-west-1", now=START)


def test_every_policy_of_a_user_is_read() -> None:
    arn = "arn:aws:iam::aws:policy/X"
    answers: dict[str, dict[str, Any]] = {
        "get_user": {"User": {"Arn": "arn:own", "PermissionsBoundary": {"PermissionsBoundaryArn": "arn:boundary"}}},
        "list_user_policies": {"PolicyNames": ["inline"]},
        "get_user_policy": {"PolicyDocument": {"Id": "inline"}},
        "list_attached_user_policies": {"AttachedPolicies": [{"PolicyArn": arn}]},
        "get_policy": {"Policy": {"DefaultVersionId": "v7"}},
        "list_groups_for_user": {"Groups": [{"GroupName": "g"}]},
        "list_group_policies": {"PolicyNames": ["of-group"]},
        "get_group_policy": {"PolicyDocument": {"Id": "group"}},
        "list_attached_group_policies": {"AttachedPolicies": []},
    }

    def perform(call: Call, /) -> dict[str, Any]:
        if call.operation == "get_policy_version":
            assert call.params["VersionId"] == "v7"
            return {"PolicyVersion": {"Document": {"Id": call.params["PolicyArn"]}}}
        return answers[call.operation]

    side = read_own_side(perform, ALICE)
    assert [document["Id"] for document in side.documents] == ["inline", arn, "group"]
    assert side.boundary == {"Id": "arn:boundary"}
    assert side.principal == "arn:own"
    for missing in answers:

        def without(call: Call, missing: str = missing, /) -> dict[str, Any]:
            if call.operation == missing:
                raise CallError(call, "AccessDenied", "no")
            return perform(call)

        assert read_own_side(without, ALICE).unread


def test_a_federated_caller_is_not_known() -> None:
    def nobody(call: Call, /) -> dict[str, Any]:
        raise AssertionError(call)

    assert read_own_side(nobody, parse_identity(f"arn:aws:sts::{OWN}:federated-user/x")).unread


@pytest.mark.parametrize(
    ("side", "says", "likely"),
    [
        (own(allow()), "allows the call: the owner has to look", "the owner has changed or ended the grant"),
        (
            own(),
            "admin has to allow you sts:AssumeRole on arn:",
            "your own account does not allow you this call: you have no policies",
        ),
        (
            OwnSide(ALICE, unread="no"),
            "admin has to look whether you are allowed",
            "or the owner has changed or ended the grant",
        ),
    ],
)
def test_who_refused_the_right_way(side: OwnSide, says: str, likely: str) -> None:
    world = World()
    world.visible_after = 100
    verification = world.verify(own=side, wait=0)
    assert says in verification.probes[0].says
    assert likely in verification.likely
    assert "AccessDenied" in verification.probes[0].says


TYPED: dict[str, Any] = {
    "origin": TermsOrigin.TYPED,
    "unknown": frozenset(TERM_FIELDS) - {"external_id"},
    "source_identity": True,
    "session_tags": True,
}


def test_of_unknown_terms_it_learns_whether_they_are_asked_for() -> None:
    verification = World().verify(profile(**TYPED))
    assert (results(verification), verification.exit_code) == (["right"] * 4, 0)
    # Nobody told that MFA is asked for: being let in without it is learned, and no fault.
    verification = World(needs_mfa=False).verify(profile(**TYPED))
    assert (results(verification), verification.exit_code) == (["right", "right", "right", "learned"], 0)
    assert "without MFA" in verification.probes[3].says
    # An ExternalId that was given is asked for, by all that is known.
    verification = World(needs_id=False).verify(profile(**TYPED))
    assert (results(verification)[1:3], verification.exit_code) == (["wrong", "wrong"], 1)


def test_of_what_was_not_sent_the_right_way_is_the_witness() -> None:
    bare = {**TYPED, "unknown": frozenset(TERM_FIELDS), "external_id": None, "mfa": False, "mfa_serial": None}
    world = World(needs_id=False, needs_mfa=False)
    verification = world.verify(profile(**bare))
    assert results(verification) == ["right", "learned", "inconclusive", "learned"]
    assert (verification.exit_code, [probe.applies for probe in verification.probes]) == (0, [True, True, False, True])
    assert len(world.log) == 1
    # A temporary sign-in may carry MFA itself: nothing is learned of that.
    verification = world.verify(profile(**bare), base=BaseKeys("ASIA", "s", "t"))
    assert results(verification)[3] == "inconclusive"
    assert verification.probes[3].applies
    # Not let in: nothing is learned either.
    verification = World(needs_mfa=False).verify(profile(**bare), wait=0)
    assert (results(verification)[0], [probe.applies for probe in verification.probes]) == (
        "wrong",
        [True, True, False, True],
    )


def test_how_many_tries_there_are() -> None:
    for of in (profile(), profile(external_id=None), profile(mfa=False), profile(external_id=None, mfa=False)):
        world = World(needs_id=False, needs_mfa=False)
        world.verify(of)
        assert len(world.log) == tries(of)


@pytest.mark.parametrize(
    ("side", "waits"),
    [(own(), False), (own(allow(), deny({})), False), (own(allow()), True), (OwnSide(ALICE, unread="no"), True)],
    ids=["not allowed", "denied", "allowed", "not known"],
)
def test_a_new_role_is_not_waited_for_where_our_own_policies_refuse(side: OwnSide, waits: bool) -> None:
    world = World()
    world.visible_after = 100
    verification = world.verify(own=side)
    assert verification.exit_code == 1
    assert (world.passed >= 59) is waits
    assert (len(world.log) > 1) is waits
