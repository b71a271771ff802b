"""A refusal whose text names the kind of policy: whose it is, is a fact; one that names none is left undecided."""

from __future__ import annotations

from dataclasses import replace

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
from valetkey.account.denial import PolicyType, read_denial
from valetkey.credentials.sessions.refusal_sides import Side, advice, refuses_for_owner, says, side_of
from valetkey.credentials.sessions.refusals import (
    OWNER_SIDE,
    UNKNOWN_SIDE,
    WrongCaller,
    about_aws_login,
    about_caller,
    about_further,
    explain,
)


@pytest.mark.parametrize(
    ("reason", "side"),
    [
        *((each, Side.CALLER) for each in OURS_ALL),
        *((each, Side.OWNER) for each in OWNERS_ALL),
        (ENDPOINT, Side.NETWORK),
        (NEW, Side.UNKNOWN),
        ("", None),
        ("with an explicit deny", None),
    ],
)
def test_whose_policy_it_is(reason: str, side: Side | None) -> None:
    denial = read_denial(text(reason))
    assert side_of(denial) is side
    assert refuses_for_owner(denial) is (side is Side.OWNER)
    if denial is not None:
        assert bool(says(denial)) is bool(advice(denial)) is (denial.policy is not None)


def test_every_kind_of_policy_has_a_side_and_words() -> None:
    for policy in PolicyType:
        for explicit in (True, False):
            denial = replace(read_denial(text(TRUST)), policy=policy, named=policy.value, explicit=explicit)  # type: ignore[type-var]
            assert side_of(denial) not in (None, Side.UNKNOWN)
            assert says(denial)
            assert advice(denial)


def test_an_identity_based_suffix_is_ones_own_side() -> None:
    """A public log: an AssumeRole across accounts was refused so, and its author searched in the role's trust."""
    found = refused(IDENTITY)
    assert "no policy of your own user or role allows sts:AssumeRole" in found.what
    assert "ask your admin" in found.do
    for each in ("owner", "ExternalId", "trust"):
        assert each not in str(found)
    assert side_of(found.denial) is Side.CALLER


@pytest.mark.parametrize("reason", OWNERS_ALL)
def test_the_owners_refusal_is_said_to_be_the_owners(reason: str) -> None:
    found = refused(reason)
    assert "owner" in found.what
    assert found.likely == OWNER_SIDE


@pytest.mark.parametrize("reason", ["", NEW, "with an explicit deny"])
def test_without_a_known_name_nobody_is_accused(reason: str) -> None:
    found = refused(reason)
    assert found.likely == UNKNOWN_SIDE
    assert "valetkey doctor acme --probe" in found.do
    assert ("quantum policy" in found.what) is (reason == NEW)


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
    found = explain(CallError(Call("sts", "assume_role"), "AccessDenied", said))
    assert what in found.what
    assert do in found.do


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
