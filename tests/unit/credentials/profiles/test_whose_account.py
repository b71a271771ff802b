"""A handoff leads neither into one's own account nor into another customer's."""

from __future__ import annotations

import dataclasses
import pathlib
import random
import shlex
from typing import Any

import pytest
from tests.unit.credentials.profiles.test_acceptance import (
    ALICE,
    HANDOFF,
    NOW,
    REQUEST,
    accept,
    but,
    profile,
    requested,
)

from valetkey.credentials.profiles.acceptance import Acceptance, NotAccepted, default_name
from valetkey.credentials.profiles.identity import parse_identity
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.profiles.requests import Wishes, make_request
from valetkey.credentials.profiles.whose_account import WrongAccount, by_hand
from valetkey.errors import PolicyError
from valetkey.exchange.files import Handoff, fingerprint

_RANDOM = random.Random(8)
OWN, OWNER = ALICE.account, HANDOFF.account
SECOND, FOREIGN = ("".join(_RANDOM.choices("123456789", k=12)) for _ in range(2))


def role(account: str, name: str = "audit", partition: str = "aws") -> str:
    return f"arn:{partition}:iam::{account}:role/{name}"


def into(account: str, name: str = "ops", **changes: Any) -> Handoff:
    """A handoff that answers no request of ours."""
    return but(role_arn=role(account, name), external_id="of-somebody", request=None, **changes)


def refused(*args: Any, **kwargs: Any) -> WrongAccount:
    with pytest.raises(WrongAccount) as caught:
        accept(*args, **kwargs)
    assert caught.value.exit_code == 1
    assert caught.value.do
    assert caught.value.where == "$.role_arn"
    return caught.value


def _elsewhere() -> Profile:
    """A profile that signs in with another account of one's own."""
    return profile("zeta", role_arn=role(FOREIGN), customer="zeta", external_id="z", contractor=SECOND)


@pytest.mark.parametrize("customer", [None, "acme", OWN, "zeta"])
def test_no_role_in_ones_own_account(customer: str | None) -> None:
    """Not even with a request that it answers, and whatever --customer says; no question is asked."""
    assert "your own account" in refused(into(OWN), known=(), customer=customer).what
    if customer in (None, "acme"):
        assert "your own account" in refused(but(role_arn=role(OWN)), customer=customer).what


def test_own_is_what_requests_and_profiles_sign_in_with() -> None:
    second = parse_identity(f"arn:aws:iam::{SECOND}:user/alice")
    asked = make_request("beta", Wishes(), identity=second, known=(), now=NOW)
    refused(into(SECOND), known=(asked,))
    refused(into(SECOND), profiles=(_elsewhere(),), customer="zeta")
    assert accept(into(SECOND), known=()).question


def test_own_account_is_refused_before_another_sign_in_is_asked_for() -> None:
    assert "your own account" in refused(into(SECOND, contractor=SECOND), known=()).what


def test_the_same_number_in_another_partition_is_another_account() -> None:
    china = parse_identity(f"arn:aws-cn:iam::{SECOND}:user/alice")
    asked = make_request("beta", Wishes(), identity=china, known=(), now=NOW)
    assert accept(into(SECOND), known=(asked,)).question


def test_a_role_in_another_customers_account() -> None:
    """Whose it is, is said by the request it answers or by --customer, and by nothing else."""
    have = (profile(),)
    hostile = requested("hostile")
    answers = but(role_arn=role(OWNER, "ops"), external_id=hostile.external_id, request=fingerprint(hostile))
    for handoff, known, customer in [
        (into(OWNER), (), None),
        (into(OWNER), (), "hostile"),
        (into(OWNER), (), "acm"),
        (into(OWNER), (), OWNER),
        (answers, (REQUEST, hostile), None),
        (answers, (REQUEST, hostile), "hostile"),
        (answers, (REQUEST, hostile), OWNER),
    ]:
        problem = refused(handoff, known=known, customer=customer, profiles=have, name="new")
        assert "of the customer acme" in problem.what
        assert "--customer acme" in problem.do
    assert accept(into(OWNER), known=(), customer="ACME", profiles=have, name="new").customer == "ACME"
    assert accept(but(role_arn=role(OWNER, "ops")), profiles=have, name="new").question == ""


@pytest.mark.parametrize("arn", [role(OWNER, "x/audit"), role(OWNER, "AUDIT"), role(OWNER, "y/z/Audit")])
def test_another_customers_very_role_however_it_is_written(arn: str) -> None:
    """The profile that has the role would be overwritten: its name is found, and it is of another customer."""
    have = (profile(),)
    hostile = requested("hostile")
    handoff = but(role_arn=arn, external_id=hostile.external_id, request=fingerprint(hostile))
    assert default_name(handoff.role_arn, have) == "acme"
    refused(handoff, known=(REQUEST, hostile), profiles=have, name="acme")
    with pytest.raises(NotAccepted, match="uses this role already"):
        accept(into(OWNER, arn.partition("role/")[2]), known=(), profiles=have, name="other")


def test_the_same_role_again_keeps_its_customer() -> None:
    have = (profile(), profile("old", role_arn=role(OWNER, "old"), customer=OWNER))
    again = accept(but(role_arn=role(OWNER, "AUDIT")), known=(), profiles=have[:1])
    assert (again.question, again.customer) == ("", "acme")
    rotated = accept(but(external_id="new-one", request=None), known=(), profiles=have)
    assert rotated.question
    assert rotated.customer == "acme"
    refused(but(external_id="new-one", request=None), known=(), profiles=have, customer="hostile")


def test_a_customer_without_a_name_is_its_account() -> None:
    have = (profile(customer=OWNER),)
    assert f"--customer {OWNER}" in refused(into(OWNER), known=(), profiles=have, name="new").do
    refused(into(OWNER), known=(), profiles=have, name="new", customer="hostile")
    assert accept(into(OWNER), known=(), profiles=have, name="new", customer=OWNER).customer == OWNER
    # A request to it was made since: the account's number says that it is this customer's.
    refused(profiles=have, name="acme")
    assert accept(profiles=have, name="acme", customer=OWNER).customer == "acme"


def test_a_profile_set_up_by_hand_counts(tmp_path: pathlib.Path) -> None:
    (tmp_path / "config").write_text(f"[profile globex]\nrole_arn = {role(FOREIGN)} \n[profile acme]\nregion = x-1\n")
    (tmp_path / "credentials").write_text(f"[bare]\nrole_arn = {role(SECOND)}\n[wild]\nrole_arn = *\n")
    result = by_hand(
        {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")}
    )
    assert result == {"globex": role(FOREIGN), "bare": role(SECOND), "wild": "*"}
    for customer in (None, "hostile", "bare"):
        assert "globex" in refused(into(FOREIGN), known=(), customer=customer, aws_profiles=result).what
    for customer in ("globex", FOREIGN):
        assert accept(into(FOREIGN), known=(), customer=customer, aws_profiles=result).customer == customer


def test_what_is_said_can_be_pasted() -> None:
    name = "; rm -rf ~ `id` $(id) 'x' \"y\""
    have = (dataclasses.replace(profile(), customer=name),)
    words = shlex.split(
        refused(into(OWNER), known=(), profiles=have, name="new").do.split(" say ")[1].split("; if it")[0]
    )
    assert words == ["--customer", name]


@pytest.mark.parametrize("name", ["*", "x*/audit", "$x", "a?"])
def test_no_callers_policy_with_a_wildcard(name: str) -> None:
    from valetkey.credentials.profiles.needed_policy import caller_policy

    with pytest.raises(PolicyError):
        caller_policy(but(role_arn=role(OWNER, name)))


def test_the_callers_policy_in_every_partition() -> None:
    from valetkey.credentials.profiles.needed_policy import caller_policy
    from valetkey.policy.arns import PARTITIONS

    for partition in PARTITIONS:
        arn = role(OWNER, "team/audit", partition)
        assert caller_policy(but(role_arn=arn, partition=partition))["Statement"][0]["Resource"] == arn


def test_judging_is_by_the_account_alone() -> None:
    """However many profiles there are of other accounts: nothing is asked that was not asked before."""
    others = (_elsewhere(), profile("beta", role_arn=role(FOREIGN, "b"), customer="beta", external_id="b"))
    judged = accept(profiles=others)
    assert isinstance(judged, Acceptance)
    assert (judged.question, judged.customer) == ("", "acme")
