"""MFA devices, their codes, and the uses of a code. Matrix B of the emulators' comparison."""

from __future__ import annotations

import time
from typing import Any

import pytest

from valetkey.sandbox.mfa import code_of

MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
# RFC 6238 appendix B (SHA-1, seed "12345678901234567890"), the last six of its eight digits.
RFC_SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RFC_CODES = {59: "287082", 1111111109: "081804", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"}


@pytest.mark.parametrize(("at", "code"), RFC_CODES.items())
def test_codes_are_those_of_rfc_6238(at: int, code: str) -> None:
    assert code_of(RFC_SEED, at // 30) == code


def device(doors: Any, name: str = "phone") -> tuple[str, str]:
    made = doors.contractor.root("iam", "create_virtual_mfa_device", VirtualMFADeviceName=name)["VirtualMFADevice"]
    return made["SerialNumber"], made["Base32StringSeed"].decode()


def test_enabling_takes_two_consecutive_right_codes(doors: Any, probe: Any) -> None:
    doors.user()
    serial, seed = device(doors)
    assert set(seed) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    iam = doors.root(doors.contractor, "iam")
    now = int(time.time()) // 30
    codes = {step: code_of(seed, step) for step in range(now - 3, now + 3)}
    for pair in (
        ("123456", "654321"),
        (codes[now], codes[now]),
        (codes[now], codes[now - 1]),
        (codes[now - 2], codes[now]),
    ):
        answer = probe.knock(
            iam,
            "enable_mfa_device",
            UserName="carol",
            SerialNumber=serial,
            AuthenticationCode1=pair[0],
            AuthenticationCode2=pair[1],
        )
        assert (answer.code, answer.status) == ("InvalidAuthenticationCode", 403)
        assert iam.list_mfa_devices(UserName="carol")["MFADevices"] == []
    iam.enable_mfa_device(
        UserName="carol", SerialNumber=serial, AuthenticationCode1=codes[now - 1], AuthenticationCode2=codes[now]
    )
    assert [device["SerialNumber"] for device in iam.list_mfa_devices(UserName="carol")["MFADevices"]] == [serial]


def test_a_device_is_listed_and_given_back(doors: Any, probe: Any) -> None:
    user = doors.user(mfa=True)
    spare, _ = device(doors, "spare")
    iam = doors.root(doors.contractor, "iam")

    def serials(**params: Any) -> set[str]:
        return {device["SerialNumber"] for device in iam.list_virtual_mfa_devices(**params)["VirtualMFADevices"]}

    assert serials() == {user.mfa_serial, spare}
    assert serials(AssignmentStatus="Assigned") == {user.mfa_serial}
    assert serials(AssignmentStatus="Unassigned") == {spare}
    assert probe.knock(iam, "delete_virtual_mfa_device", SerialNumber=user.mfa_serial).code == "DeleteConflict"
    assert probe.knock(iam, "list_mfa_devices", UserName="nobody").code == "NoSuchEntity"
    assert probe.knock(iam, "delete_user", UserName="carol").code == "DeleteConflict"
    iam.deactivate_mfa_device(UserName="carol", SerialNumber=user.mfa_serial)
    assert iam.list_mfa_devices(UserName="carol")["MFADevices"] == []
    assert doors.session(user, **doors.with_mfa(user)).code == "AccessDenied"
    iam.delete_virtual_mfa_device(SerialNumber=user.mfa_serial)


def test_the_own_devices_need_no_user_name_and_a_policy_decides(doors: Any, probe: Any) -> None:
    own = {"Effect": "Allow", "Action": "iam:ListMFADevices", "Resource": "arn:aws:iam::*:user/${aws:username}"}
    carol = doors.user("carol", {"Version": "2012-10-17", "Statement": own}, mfa=True)
    dave = doors.user("dave", {"Version": "2012-10-17", "Statement": {**own, "Effect": "Deny"}}, mfa=True)
    listed = probe.knock(doors.client("iam", carol), "list_mfa_devices")
    assert [device["SerialNumber"] for device in listed.value["MFADevices"]] == [carol.mfa_serial]
    assert probe.knock(doors.client("iam", carol), "list_mfa_devices", UserName="dave").code == "AccessDenied"
    assert probe.knock(doors.client("iam", dave), "list_mfa_devices").code == "AccessDenied"


def test_a_role_that_asks_for_mfa(doors: Any, probe: Any) -> None:
    user, other = doors.user(mfa=True), doors.user("dave", mfa=True)
    role = doors.role(probe.allow(doors.contractor.account, MFA))
    plain = doors.assume(user, role)
    assert (plain.code, plain.status) == ("AccessDenied", 403)
    assert plain.message == f"User: {user.arn} is not authorized to perform: sts:AssumeRole on resource: {role}"
    wrong = doors.assume(user, role, SerialNumber=user.mfa_serial, TokenCode="000000")
    assert (wrong.code, wrong.message.strip()) == (
        "AccessDenied",
        "MultiFactorAuthentication failed with invalid MFA one time pass code.",
    )
    for serial in ("arn:aws:iam::111122223333:mfa/nobody", other.mfa_serial):
        unknown = doors.assume(user, role, SerialNumber=serial, TokenCode=other.code())
        assert unknown.code == "AccessDenied"
        assert "verify your MFA serial number is valid" in unknown.message
    half = doors.assume(user, role, SerialNumber=user.mfa_serial)
    assert "must provide both MFA serial number and one time pass code" in half.message
    code = user.code()
    assert doors.assume(user, role, SerialNumber=user.mfa_serial, TokenCode=code).code == "ok"
    again = doors.assume(user, role, SerialNumber=user.mfa_serial, TokenCode=code)
    assert "invalid MFA one time pass code" in again.message


def test_a_code_may_be_one_step_off_and_no_more(doors: Any, probe: Any) -> None:
    user = doors.user(mfa=True)
    role = doors.role(probe.allow(doors.contractor.account, MFA))
    late, control = user.code(), doors.stage.sandbox.control
    doors.shift(doors.contractor, 30)
    assert doors.assume(user, role, SerialNumber=user.mfa_serial, TokenCode=late).code == "ok"
    early = user.code()
    doors.shift(doors.contractor, -30)
    assert doors.assume(user, role, SerialNumber=user.mfa_serial, TokenCode=early).code == "ok"
    doors.shift(doors.contractor, 90)
    stale = control.totp(user.arn)[0]
    doors.shift(doors.contractor, 61)
    assert doors.assume(user, role, SerialNumber=user.mfa_serial, TokenCode=stale).code == "AccessDenied"


def test_a_refused_call_has_used_its_code(doors: Any, probe: Any) -> None:
    user = doors.user(mfa=True)
    role = doors.role(probe.allow(doors.contractor.account, {**MFA, "StringEquals": {"sts:ExternalId": "right"}}))
    given = doors.with_mfa(user)
    assert "not authorized" in doors.assume(user, role, ExternalId="wrong", **given).message
    assert "invalid MFA" in doors.assume(user, role, ExternalId="right", **given).message


def test_an_mfa_session_opens_the_role_and_a_plain_one_does_not(doors: Any, probe: Any) -> None:
    user = doors.user(mfa=True)
    role = doors.role(probe.allow(doors.contractor.account, MFA))
    assert doors.assume(doors.mfa_session(user), role).code == "ok"
    assert doors.assume(doors.session(user).keys, role).code == "AccessDenied"
    wrong = doors.session(user, SerialNumber=user.mfa_serial, TokenCode="000000")
    assert wrong.code == "AccessDenied"
    assert "invalid MFA one time pass code" in wrong.message


def test_a_role_session_carries_no_mfa(doors: Any, probe: Any) -> None:
    user = doors.user(mfa=True)
    first = doors.role(probe.allow(doors.contractor.account, MFA), name="first")
    second = doors.role(probe.allow(first, MFA), name="second")
    third = doors.role(probe.allow(first, {"Bool": {"aws:MultiFactorAuthPresent": "false"}}), name="third")
    doors.allow(first, Action="sts:AssumeRole")
    session = doors.assume(user, first, **doors.with_mfa(user)).keys
    assert doors.assume(session, second).code == "AccessDenied"
    assert doors.assume(session, third).code == "ok"


@pytest.mark.parametrize(
    ("condition", "long_term", "session", "with_code"),
    [
        (MFA, False, False, True),
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, True, False, True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "false"}}, False, True, False),
        ({"Null": {"aws:MultiFactorAuthPresent": "true"}}, True, False, False),
        ({"Null": {"aws:MultiFactorAuthAge": "true"}}, True, True, False),
        ({"NumericLessThan": {"aws:MultiFactorAuthAge": "300"}}, False, False, True),
        ({"NumericLessThanIfExists": {"aws:MultiFactorAuthAge": "300"}}, True, True, True),
    ],
)
def test_when_the_mfa_keys_are_there(
    doors: Any, probe: Any, condition: Any, long_term: bool, session: bool, with_code: bool
) -> None:
    user = doors.user(mfa=True)
    role = doors.role(probe.allow(doors.contractor.account, condition))
    assert (doors.assume(user, role).code == "ok") == long_term
    assert (doors.assume(doors.session(user).keys, role).code == "ok") == session
    assert (doors.assume(user, role, **doors.with_mfa(user)).code == "ok") == with_code


def test_the_age_of_mfa_is_that_of_the_code(doors: Any, probe: Any) -> None:
    user = doors.user(mfa=True)
    role = doors.role(probe.allow(doors.contractor.account, {"NumericLessThan": {"aws:MultiFactorAuthAge": "600"}}))
    session = doors.mfa_session(user)
    doors.shift(doors.contractor, 590)
    assert doors.assume(session, role).code == "ok"
    doors.shift(doors.contractor, 20)
    assert doors.assume(session, role).code == "AccessDenied"
    assert doors.assume(user, role, **doors.with_mfa(user)).code == "ok"


def test_the_callers_own_policy_can_ask_for_mfa(doors: Any, probe: Any) -> None:
    needs = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*", "Condition": MFA}
    user = doors.user("carol", {"Version": "2012-10-17", "Statement": needs}, mfa=True)
    role = doors.role(probe.allow(doors.contractor.account))
    assert doors.assume(user, role).code == "AccessDenied"
    assert doors.assume(user, role, **doors.with_mfa(user)).code == "ok"
    assert doors.assume(doors.mfa_session(user), role).code == "ok"
