"""A refusal whose text names the kind of policy: whose it is, is a fact; one that names none is left undecided."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.credentials.refusal_texts import (
    ENDPOINT,
    IDENTITY,
    NEW,
    OURS_ALL,
    OWNERS_ALL,
    TAG,
    TRUST,
    refused,
    text,
)
from tests.unit.credentials.sts_world import OURS, profile

from valetkey.account.calls import Call, CallError
from valetkey.account.denial import Denial, PolicyType, read_denial
from valetkey.credentials.sessions.refusal_sides import RefusingSide, advice, refuses_for_owner, says, side_of
from valetkey.credentials.sessions.refusals import (
    OWNER_SIDE,
    UNKNOWN_SIDE,
    Refused,
    WrongCaller,
    WrongCode,
    about_aws_login,
    about_caller,
    about_further,
    address_limit,
    explain,
    owner_side,
    unknown_side,
)


@pytest.mark.parametrize(
    ("reason", "side"),
    [
        *((each, RefusingSide.CALLER) for each in OURS_ALL),
        *((each, RefusingSide.OWNER) for each in OWNERS_ALL),
        (ENDPOINT, RefusingSide.NETWORK),
        (NEW, RefusingSide.UNKNOWN),
        ("", None),
        ("with an explicit deny", None),
    ],
)
def test_whose_policy_it_is(reason: str, side: RefusingSide | None) -> None:
    denial = read_denial(text(reason))
    assert side_of(denial) is side
    assert refuses_for_owner(denial) is (side is RefusingSide.OWNER)
    if denial is not None:
        assert bool(says(denial)) is bool(advice(denial)) is (denial.policy is not None)


def test_every_kind_of_policy_has_a_side_and_words() -> None:
    for policy in PolicyType:
        for explicit in (True, False):
            denial = replace(read_denial(text(TRUST)), policy=policy, named=policy.value, explicit=explicit)  # type: ignore[type-var]
            assert side_of(denial) not in (None, RefusingSide.UNKNOWN)
            assert says(denial)
            assert advice(denial)


@pytest.mark.parametrize(
    ("policy", "explicit", "what", "do"),
    [
        (
            PolicyType.IDENTITY,
            False,
            "no policy of your own user or role allows sts:TagSession on the role",
            (
                "ask your admin to attach the policy that `accept` printed; "
                "a policy that was attached just now takes a moment to take effect"
            ),
        ),
        (
            PolicyType.IDENTITY,
            True,
            "a policy of your own user or role denies sts:TagSession",
            "ask your admin to lift it for this role",
        ),
        *(
            (each, explicit, what.format(does), do)
            for explicit, does in ((False, "does not allow sts:TagSession"), (True, "denies sts:TagSession"))
            for each, what, do in (
                (PolicyType.BOUNDARY, "your permissions boundary {}", "ask your admin to lift it for this role"),
                (
                    PolicyType.SESSION,
                    "the session policy of your sign-in {}",
                    "sign in without that session policy, or ask whoever set up the sign-in",
                ),
                (
                    PolicyType.SCP,
                    "a service control policy of your organization refuses sts:TagSession",
                    "ask the administrator of your organization to exempt this role",
                ),
                *(
                    (
                        each,
                        "the trust policy of the owner's role {} to you",
                        (
                            "ask the owner whether the grant still exists, with this ExternalId; the owner may have "
                            "rotated: accept the new handoff"
                        ),
                    )
                    for each in (PolicyType.TRUST, PolicyType.RESOURCE)
                ),
                (
                    PolicyType.RCP,
                    "a resource control policy of the owner's organization refuses sts:TagSession",
                    "ask the owner: the administrator of their organization has to exempt this role",
                ),
                (
                    PolicyType.ENDPOINT,
                    "the policy of the VPC endpoint that your call goes through {}",
                    (
                        "ask the administrator of the network through which this computer calls AWS, or call from "
                        "elsewhere"
                    ),
                ),
            )
        ),
    ],
)
def test_what_is_said_of_each_kind_of_policy(policy: PolicyType, explicit: bool, what: str, do: str) -> None:
    denial = Denial(policy, policy.value, explicit, "sts:TagSession", "")
    assert (says(denial), advice(denial)) == (what, do)
    # The entry itself is not what the owner refused.
    assert not refuses_for_owner(denial)


def test_of_no_policy_nothing_is_said() -> None:
    for named in ("", "quantum policy"):
        denial = Denial(None, named, True, "sts:AssumeRole", "")
        assert (says(denial), advice(denial), refuses_for_owner(denial)) == ("", "", False)
    assert side_of(None) is None
    assert not refuses_for_owner(None)


def test_an_identity_based_suffix_is_ones_own_side() -> None:
    """A public log: an AssumeRole across accounts was refused so, and its author searched in the role's trust."""
    result = refused(IDENTITY)
    assert "no policy of your own user or role allows sts:AssumeRole" in result.what
    assert "ask your admin" in result.do
    for item in ("owner", "ExternalId", "trust"):
        assert item not in str(result)
    assert side_of(result.denial) is RefusingSide.CALLER


@pytest.mark.parametrize("reason", OWNERS_ALL)
def test_the_owners_refusal_is_said_to_be_the_owners(reason: str) -> None:
    result = refused(reason)
    assert "owner" in result.what
    assert result.likely == OWNER_SIDE


@pytest.mark.parametrize("reason", ["", NEW, "with an explicit deny"])
def test_without_a_known_name_nobody_is_accused(reason: str) -> None:
    result = refused(reason)
    assert result.likely == UNKNOWN_SIDE
    assert "valetkey doctor acme --probe" in result.do
    assert ("quantum policy" in result.what) is (reason == NEW)


@pytest.mark.parametrize(
    ("reason", "what", "do"),
    [
        ("", "by the role or by your own account", "let your admin"),
        (TAG.format("role trust policy"), "the trust policy of the owner's", "leave out"),
        (TAG.format("identity-based policy"), "your own user or role", "ask your admin"),
    ],
)
def test_who_does_not_admit_a_session_tag(reason: str, what: str, do: str) -> None:
    said = text(reason).replace("AssumeRole on", "TagSession on")
    result = explain(CallError(Call("sts", "assume_role"), "AccessDenied", said))
    assert what in result.what
    assert do in result.do


def test_what_the_callers_arn_explains_is_kept_apart() -> None:
    """Causes in the owner's trust do not explain a refusal by our own account; a wrong account explains both."""
    one = profile(principals=(f"arn:aws:iam::{OURS}:user/ann",))
    bob = f"arn:aws:iam::{OURS}:user/bob"
    for reason, wrong in (("", True), (TRUST, True), (IDENTITY, False), (ENDPOINT, False), (NEW, True)):
        assert isinstance(about_caller(bob, one, refused(reason)), WrongCaller) is wrong, reason
        assert isinstance(about_caller("arn:aws:iam::999999999999:user/x", one, refused(reason)), WrongCaller)
    assert "aws login" in about_aws_login(refused(TRUST), one).what
    assert "aws login" not in about_aws_login(refused(IDENTITY), one).what


def test_a_role_behind_the_customers_is_seen_from_there() -> None:
    """The caller is the customer's role then: its policies are not our own account's."""
    between = f"arn:aws:iam::{OURS}:role/audit"
    ours = about_further(refused(IDENTITY), between)
    assert between in ours.what
    assert "your own" not in str(ours)
    assert ours.likely == ""
    theirs = about_further(refused(TRUST), between)
    assert "your own" not in str(theirs)
    assert theirs.likely == f"its trust does not name {between}"
    assert "or that role is not allowed to assume other roles" in about_further(refused(""), between).likely
    # A VPC endpoint's policy is nobody's trust: what its refusal says stays.
    network = refused(ENDPOINT)
    before = (network.what, network.do, network.likely)
    after = about_further(network, between)
    assert (after.what, after.do, after.likely) == before


PROBE = (
    "the owner may have rotated: accept the new handoff; else run `valetkey doctor acme --probe`: it says what can be "
    "ruled out, and who can check the rest"
)
HEAD = "AWS refused to let you assume the role"
PRINTED = "let your admin attach the policy that `accept` printed; else remove "


@pytest.mark.parametrize(
    ("reason", "action", "what", "do", "likely"),
    [
        ("", "AssumeRole", f"{HEAD}, and names no policy", PROBE, UNKNOWN_SIDE),
        ("with an explicit deny", "AssumeRole", f"{HEAD}, and names no policy", PROBE, UNKNOWN_SIDE),
        (NEW, "AssumeRole", f"{HEAD}, and gives a reason that valetkey does not know: {NEW}", PROBE, UNKNOWN_SIDE),
        (
            TRUST,
            "AssumeRole",
            f"{HEAD}: the trust policy of the owner's role does not allow sts:AssumeRole to you",
            PROBE,
            OWNER_SIDE,
        ),
        (
            ENDPOINT,
            "AssumeRole",
            f"{HEAD}: the policy of the VPC endpoint that your call goes through does not allow sts:AssumeRole",
            "ask the administrator of the network through which this computer calls AWS, or call from elsewhere",
            "",
        ),
        # What a session carries is refused, and nobody is named, or the owner is, or not.
        (
            "",
            "TagSession",
            "session tags are not admitted, by the role or by your own account",
            f"{PRINTED}session_tags from the AWS profile",
            "",
        ),
        (
            NEW.replace("AssumeRole", "SetSourceIdentity"),
            "SetSourceIdentity",
            "a SourceIdentity is not admitted, by the role or by your own account",
            f"{PRINTED}source_identity from the AWS profile",
            "",
        ),
        (
            TAG.format("role trust policy"),
            "TagSession",
            f"{HEAD}: the trust policy of the owner's role does not allow sts:TagSession to you",
            "leave out what it is about (source_identity, session_tags), or ask the owner to admit it",
            "",
        ),
        (
            TAG.format("permissions boundary"),
            "TagSession",
            f"{HEAD}: your permissions boundary does not allow sts:TagSession",
            "ask your admin to lift it for this role",
            "",
        ),
    ],
)
def test_a_refused_entry_says_who_refused_and_what_to_do(
    reason: str, action: str, what: str, do: str, likely: str
) -> None:
    said = text(reason).replace("AssumeRole on", f"{action} on")
    result = explain(CallError(Call("sts", "assume_role"), "AccessDenied", said), "acme")
    assert (result.what, result.do, result.likely) == (what, do, likely)
    assert (result.code, result.message, result.where, result.exit_code) == ("AccessDenied", said, "sts:AssumeRole", 3)
    assert result.denial == read_denial(said)


def test_a_text_that_says_more_than_the_policy_s_kind_goes_first() -> None:
    said = text(IDENTITY) + " Roles may not be assumed by root accounts."
    result = explain(CallError(Call("sts", "assume_role"), "AccessDenied", said))
    assert result.what == "the base identity is the account's root user, which cannot assume roles"
    assert (result.do, result.likely) == ("sign in as an IAM user of your account", "")


@pytest.mark.parametrize(
    ("operation", "code", "message"),
    [
        # The same words of another call, or of another code.
        ("assume_role", "ValidationError", "unable to validate MFA code"),
        ("assume_role", "ValidationError", "Cannot call GetSessionToken with session credentials"),
        ("get_session_token", "ValidationError", "exceeds the MaxSessionDuration set for this role"),
        ("get_session_token", "ValidationError", "not authorized to perform: sts:TagSession"),
        ("assume_role", "ValidationError", "not authorized to perform: sts:TagSession"),
        ("get_caller_identity", "AccessDenied", "no"),
        ("assign", "AccessDenied", "no"),
        ("assume_role", "Aborted", "no"),
        ("assume_role", "Throttling", "Rate exceeded"),
    ],
)
def test_what_is_unknown_is_quoted(operation: str, code: str, message: str) -> None:
    error = CallError(Call("sts", operation), code, message)
    result = explain(error)
    assert result.what == error.what
    assert result.do == "try again; if it stays, send this message to the owner"
    assert result.likely == "unknown to valetkey; see AWS's own text above"
    # Where the call knows better, that is said.
    result = explain(CallError(Call("sts", operation), code, message, do="wait", likely="a proxy"))
    assert (result.do, result.likely) == ("wait", "a proxy")


@pytest.mark.parametrize(
    ("message", "clocks"),
    [
        (
            "Signature expired: 20260501T100000Z is now earlier than 20260501T115500Z (20260501T120001Z - 5 min.)",
            ": it says 2026-05-01 10:00:00 UTC, AWS says 2026-05-01 12:00:01 UTC",
        ),
        (
            "Signature not yet current: 20260501T140000Z is still later than 20260501T120500Z",
            ": it says 2026-05-01 14:00:00 UTC, AWS says 2026-05-01 12:05:00 UTC",
        ),
        ("Signature expired: 20260501T100000Z is too early", ""),
        ("Signature not yet current", ""),
    ],
)
def test_a_wrong_clock_is_told_with_both_times(message: str, clocks: str) -> None:
    for operation in ("assume_role", "get_session_token", "get_caller_identity"):
        result = explain(CallError(Call("sts", operation), "SignatureDoesNotMatch", message))
        assert result.what == f"this computer's clock is wrong{clocks}"
        assert result.do == (
            "set the clock: AWS may refuse a call that is more than 5 minutes off, and STS refuses one of more than 15"
        )
        assert result.likely == ""


@pytest.mark.parametrize(
    "message",
    [
        "MultiFactorAuthentication failed with invalid MFA one time pass code.",
        "MultiFactorAuthentication failed with invalid x",
    ],
)
def test_a_code_that_was_not_taken_is_told(message: str) -> None:
    result = explain(CallError(Call("sts", "get_session_token"), "AccessDenied", message))
    assert isinstance(result, WrongCode)
    assert result.what == ("AWS did not accept this code: it was mistyped, or used already (each code works once)")
    assert (result.do, result.where) == ("wait for the next code and try again", "sts:GetSessionToken")
    assert (result.code, result.message) == ("AccessDenied", message)


# --- what the caller's own ARN explains -------------------------------------------------------------------------------

ANN, BOB = (f"arn:aws:iam::{OURS}:user/{name}" for name in ("ann", "bob"))
CENTER = f"arn:aws:sts::{OURS}:assumed-role/AWSReservedSSO_Dev_0/ann"
OPS = f"arn:aws:sts::{OURS}:assumed-role/Ops/x"
NO_MFA = "use an IAM user with a virtual MFA device, or ask the owner for a grant with --no-mfa --only YOUR-ROLE"


@pytest.mark.parametrize(
    ("caller", "changes", "what", "do"),
    [
        *(
            (
                f"arn:aws:iam::{account}:root",
                {},
                f"the base identity is of account {account}; the role trusts {OURS}",
                "use a base profile of that account (`source_profile`), or ask the owner for a grant to this one",
            )
            for account in ("000000000001", "999999999999")
        ),
        (
            f"arn:aws:iam::{OURS}:root",
            {"mfa": False},
            "the base identity is the account's root user, which cannot assume roles",
            "sign in as an IAM user of your account",
        ),
        (
            CENTER,
            {},
            "the base identity is an Identity Center session, which carries no MFA that AWS sees; the role requires it",
            NO_MFA,
        ),
        (
            OPS,
            {},
            "the base identity is a role session, which carries no MFA that AWS sees; the role requires it",
            NO_MFA,
        ),
        (
            BOB,
            {"principals": (ANN, f"arn:aws:iam::{OURS}:role/Ops", f"{ANN}2")},
            f"the grant does not name {BOB}",
            f"use one of: {ANN}, arn:aws:iam::{OURS}:role/Ops, {ANN}2; or ask the owner to name you",
        ),
        # A path may have colons.
        (
            f"arn:aws:iam::{OURS}:user/a:b/bob",
            {"principals": (ANN,)},
            f"the grant does not name arn:aws:iam::{OURS}:user/a:b/bob",
            f"use one of: {ANN}; or ask the owner to name you",
        ),
        # What it does not explain.
        (ANN, {"principals": (ANN,)}, "", ""),
        (BOB, {}, "", ""),
        (BOB, {"principals": (f"arn:aws:iam::{OURS}:role/Ops",)}, "", ""),
        (OPS, {"mfa": False, "principals": (ANN,)}, "", ""),
        (f"arn:aws:iam::{OURS}:user/zoot", {"mfa": False}, "", ""),
        (f"arn:aws:iam::{OURS}:user/amy", {"mfa": False}, "", ""),
        (f"arn:aws:iam::{OURS}", {}, "", ""),
        ("", {}, "", ""),
    ],
)
def test_what_the_caller_s_arn_explains(caller: str, changes: dict[str, Any], what: str, do: str) -> None:
    before = refused("")
    result = about_caller(caller, profile(**changes), before)
    if not what:
        assert result is before
        return
    assert isinstance(result, WrongCaller)
    assert (result.what, result.do) == (what, do)
    for name in ("code", "message", "where", "denial"):
        assert getattr(result, name) == getattr(before, name)


@pytest.mark.parametrize("code", ["Aborted", "AccessDeniedException", "Throttling"])
def test_only_a_refusal_of_access_is_explained_by_the_caller(code: str) -> None:
    other = Refused("no", code=code, message="")
    assert about_caller("arn:aws:iam::999999999999:user/ann", profile(), other) is other
    about_further(other, "arn:aws:iam::1:role/x")
    assert (other.what, other.do, other.likely) == ("no", "", "")
    assert about_aws_login(other, profile()).what == "no"


def test_of_a_session_of_aws_login_it_is_said_that_mfa_may_be_missing() -> None:
    result = about_aws_login(Refused("AWS refused", code="AccessDenied", message="", do="ask"), profile())
    assert result.what == (
        "AWS refused; it requires MFA, and AWS does not say whether a session of `aws login` carries that"
    )
    assert result.do == (
        "use an IAM user's access key as base identity (accept the handoff again: `valetkey accept FILE --name acme`), "
        "or: ask"
    )
    for reason in (IDENTITY, ENDPOINT):
        plain = refused(reason)
        before = (plain.what, plain.do)
        assert about_aws_login(plain, profile()) is plain
        assert (plain.what, plain.do) == before


BETWEEN = f"arn:aws:iam::{OURS}:role/audit"
HAS_TO = (
    f"it has to admit {BETWEEN}, and must not require MFA, which no role's session carries; that role needs "
    "sts:AssumeRole on it"
)


@pytest.mark.parametrize(
    ("reason", "what", "do", "likely"),
    [
        (
            IDENTITY,
            f"AWS refused to let {BETWEEN} assume the next role of the chain {IDENTITY}",
            f"ask the owner of {BETWEEN}: its account does not let that role assume this one",
            "",
        ),
        (
            TRUST,
            f"AWS refused to let {BETWEEN} assume the next role of the chain {TRUST}",
            HAS_TO,
            f"its trust does not name {BETWEEN}",
        ),
        (
            "",
            f"{HEAD}, and names no policy",
            HAS_TO,
            f"its trust does not name {BETWEEN}, or that role is not allowed to assume other roles",
        ),
        (
            NEW,
            f"{HEAD}, and gives a reason that valetkey does not know: {NEW}",
            HAS_TO,
            f"its trust does not name {BETWEEN}, or that role is not allowed to assume other roles",
        ),
    ],
)
def test_a_refusal_of_a_role_behind_says_who_asked(reason: str, what: str, do: str, likely: str) -> None:
    result = about_further(refused(reason), BETWEEN)
    assert (result.what, result.do, result.likely) == (what, do, likely)


def test_who_the_caller_is_explains_a_refusal_of_a_role_behind_better() -> None:
    wrong = WrongCaller("of another account", code="AccessDenied", message="", do="use another")
    result = about_further(wrong, BETWEEN)
    assert (result.what, result.do, result.likely) == ("of another account", "use another", "")


# --- the addresses that a grant admits --------------------------------------------------------------------------------


def test_where_the_grant_limits_addresses_that_is_named_first() -> None:
    free, bound = profile(), profile(from_ip=("192.0.2.0/24", "198.51.100.7/32"))
    limit = "the role admits calls from 192.0.2.0/24, 198.51.100.7/32 only, and none through a VPC endpoint"
    ask = "(call from there, or ask the owner to change it)"
    assert (address_limit(free), address_limit(bound)) == ("", limit)
    assert (unknown_side(free), unknown_side(bound)) == (UNKNOWN_SIDE, f"{limit} {ask}; else {UNKNOWN_SIDE}")
    for denial in (
        None,
        *(read_denial(text(item)) for item in (TRUST, "with an explicit deny in a resource-based policy")),
    ):
        assert owner_side(free, denial) == OWNER_SIDE
        assert owner_side(bound, denial) == f"{limit} {ask}; else {OWNER_SIDE}"
    # A resource control policy is not the grant's.
    assert owner_side(bound, read_denial(text("with an explicit deny in a resource control policy"))) == OWNER_SIDE
