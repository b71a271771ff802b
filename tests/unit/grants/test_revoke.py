"""A revocation: its order, what an interruption leaves, and what it says afterwards."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from valetkey.account.calls import Call, CallError
from valetkey.grants.grant import OWN_ROLE, REVOKED, UNTIL, ForeignRole, Grant
from valetkey.grants.make import Interrupted
from valetkey.grants.others import Others, other_roles, trusts
from valetkey.grants.plan import plan
from valetkey.grants.revoke import Receipt, plan_revoke, revoke
from valetkey.grants.role import read_role
from valetkey.grants.status import read_standing
from valetkey.grants.taken import HeldPolicies, kind
from valetkey.grants.waiting import Settle, Waiting
from valetkey.sandbox import issuers
from valetkey.trust.self_denies import kill_deny
from valetkey.trust.writing import closed_trust


@pytest.fixture
def role(iam: Any, grant: Grant) -> dict[str, Any]:
    for call in plan(grant, None):
        iam(call)
    iam.log.clear()
    result: dict[str, Any] = iam.roles["audit"]
    return result


def taken_back(iam: Any, waiting: Waiting, now: datetime, **more: Any) -> Receipt:
    standing = read_standing(read_role(iam, "audit"))
    return revoke(standing, perform=iam, now=lambda: now, waiting=waiting, **more)


def held(iam: Any, **documents: Any) -> HeldPolicies:
    """The managed policies of the role `audit` as they can be read; `documents` are others, by name."""
    named = {arn: documents.get(arn.rpartition("/")[2], document) for arn, document in iam.policies.items()}
    return HeldPolicies({}, named, None, ())


def calls_of(steps: Any) -> list[Call]:
    return [step for step in steps if isinstance(step, Call)]


def test_the_order_is_deny_close_what_allows_wait_what_denies_undeny_remove(iam: Any, role: Any) -> None:
    iam.profiles["machines"] = "audit"
    steps = plan_revoke(read_role(iam, "audit"), ("machines",), closed=closed_trust(), held=held(iam))
    said = [
        (step.operation, step.params.get("PolicyName") or step.params.get("PolicyArn"))
        if isinstance(step, Call)
        else "wait"
        for step in steps
    ]
    assert said == [
        ("put_role_policy", REVOKED),
        ("update_assume_role_policy", None),
        ("remove_role_from_instance_profile", None),
        ("detach_role_policy", "arn:aws:iam::aws:policy/SecurityAudit"),
        ("detach_role_policy", "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"),
        ("delete_role_policy", "policy-more"),
        "wait",
        ("delete_role_policy", OWN_ROLE),
        ("delete_role_policy", UNTIL),
        ("delete_role_policy", REVOKED),
        ("delete_role", None),
    ]
    calls = calls_of(steps)
    assert json.loads(calls[0].params["PolicyDocument"]) == kill_deny()
    assert json.loads(calls[1].params["PolicyDocument"]) == closed_trust()
    for call in calls:
        iam(call)
    assert iam.roles == {}
    assert not any("boundary" in operation for operation in iam.log)


ALLOW = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
DENY = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"Statement": [ALLOW]}, "allows"),
        ({"Statement": ALLOW}, "allows"),
        ({"Statement": [DENY, DENY]}, "denies"),
        ({"Statement": [ALLOW, DENY]}, "both"),
        ({"Statement": []}, "both"),
        ({"Statement": ["?"]}, "both"),
        ({"Statement": [{"effect": "Allow"}]}, "both"),
        ({"text": "no JSON"}, "both"),
        ({}, "both"),
        (None, "both"),
    ],
)
def test_what_a_policy_holds(document: Any, expected: str) -> None:
    assert kind(document) == expected


def test_a_policy_that_denies_too_goes_after_the_wait_and_is_waited_for_itself(iam: Any, role: Any) -> None:
    """Its allow must be gone everywhere before the last deny goes."""
    role["inline"] |= {"mixed": {"Statement": [ALLOW, DENY]}, "aaa-only-denies": {"Statement": [DENY]}}
    known = held(iam, SecurityAudit={"Statement": [ALLOW, DENY]})
    steps = plan_revoke(read_role(iam, "audit"), closed=closed_trust(), held=known)
    said = [
        "wait" if isinstance(step, Settle) else step.params.get("PolicyName") or step.params.get("PolicyArn")
        for step in steps
    ]
    assert said == [
        REVOKED,
        None,
        "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess",
        "policy-more",
        "wait",
        "arn:aws:iam::aws:policy/SecurityAudit",
        "mixed",
        "wait",
        "aaa-only-denies",
        OWN_ROLE,
        UNTIL,
        REVOKED,
        None,
    ]


def test_a_managed_policy_that_cannot_be_read_may_hold_a_deny(iam: Any, role: Any) -> None:
    steps = plan_revoke(read_role(iam, "audit"), closed=closed_trust())
    at = steps.index(Settle())
    assert not any("detach" in call.operation for call in calls_of(steps[:at]))


def test_an_own_deny_that_was_changed_into_an_allow_goes_first(iam: Any, role: Any) -> None:
    role["inline"][OWN_ROLE] = {"Statement": [ALLOW]}
    steps = plan_revoke(read_role(iam, "audit"), closed=closed_trust(), held=held(iam))
    names = [call.params.get("PolicyName") for call in calls_of(steps[: steps.index(Settle())])]
    assert OWN_ROLE in names


@pytest.mark.parametrize("done", range(10))
def test_after_any_call_the_rest_is_planned_and_the_deny_stays_last(iam: Any, role: Any, done: int) -> None:
    iam.profiles["machines"] = "audit"
    calls = calls_of(plan_revoke(read_role(iam, "audit"), ("machines",), closed=closed_trust(), held=held(iam)))
    for call in calls[:done]:
        iam(call)
    again = plan_revoke(read_role(iam, "audit"), tuple(iam.profiles), closed=closed_trust(), held=held(iam))
    assert calls_of(again) == calls[done:]
    assert (Settle() in again) == (REVOKED in role["inline"] or done == 0)


def test_without_a_proved_closed_trust_the_trust_is_left_and_the_deny_comes_first(iam: Any, role: Any) -> None:
    for call in calls_of(plan_revoke(read_role(iam, "audit"), closed=None))[:-1]:
        iam(call)
    assert iam.log[0] == "put_role_policy"
    assert "update_assume_role_policy" not in iam.log
    again = [call.operation for call in calls_of(plan_revoke(read_role(iam, "audit"), closed=None))]
    assert again == ["put_role_policy", "delete_role_policy", "delete_role"]


def test_a_deny_of_that_name_that_denies_less_is_put_right_first(iam: Any, role: Any) -> None:
    role["inline"][REVOKED] = {"Statement": []}
    first = plan_revoke(read_role(iam, "audit"), closed=closed_trust())[0]
    assert (first.operation, first.params["PolicyName"]) == ("put_role_policy", REVOKED)


def test_the_receipt_says_what_was_removed_and_when(
    iam: Any, role: Any, grant: Grant, waiting: Waiting, now: datetime
) -> None:
    other = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": grant.terms.root}, "Action": "sts:AssumeRole"}]}
    iam.roles["legacy"] = {**role, "RoleName": "legacy", "AssumeRolePolicyDocument": other}
    iam.roles["own"] = {**role, "RoleName": "own", "AssumeRolePolicyDocument": closed_trust()}
    receipt = taken_back(iam, waiting, now)
    assert "audit" not in iam.roles
    assert receipt.trust_closed
    assert receipt.others == Others(("legacy",), ())
    assert [item.what for item in receipt.removed] == [
        "deny on everything put on the role",
        "trust policy replaced by one that admits nobody",
        "detached arn:aws:iam::aws:policy/SecurityAudit",
        "detached arn:aws:iam::aws:policy/job-function/ViewOnlyAccess",
        "deleted inline policy policy-more",
        "deleted inline policy valetkey-own-role",
        "deleted inline policy valetkey-until",
        "deleted inline policy valetkey-revoked",
        "role deleted",
    ]
    assert {item.at for item in receipt.removed} == {now}
    assert receipt.gone_at == now


def refuse(iam: Any, operation: str, code: str, *, times: int = 10**6, after: bool = False) -> None:
    """AWS answers with an error: before the call took effect, or (`after`) although it did."""
    left = [times]

    def hook(call: Call) -> None:
        if call.operation == operation and left[0]:
            left[0] -= 1
            raise CallError(call, code, "so says AWS")

    setattr(iam, "after" if after else "before", hook)


@pytest.mark.parametrize("code", ["MalformedPolicyDocument", "InvalidInput"])
def test_a_refused_closed_trust_does_not_stop_the_revocation(
    iam: Any, role: Any, waiting: Waiting, now: datetime, code: str
) -> None:
    refuse(iam, "update_assume_role_policy", code)
    receipt = taken_back(iam, waiting, now)
    assert iam.roles == {}
    assert not receipt.trust_closed
    assert iam.log[-2:] == ["delete_role_policy", "delete_role"]


def test_a_trust_in_a_shared_issuer_that_iam_saves_no_more_is_closed_all_the_same(
    iam: Any, role: Any, waiting: Waiting, now: datetime
) -> None:
    """IAM refuses a trust with such an issuer and without its claim, whoever made it and whenever (fact W12). The
    closed trust replaces the document and carries nothing over, so that this error cannot meet it."""
    shared = "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"
    role["AssumeRolePolicyDocument"]["Statement"].append(
        {"Effect": "Allow", "Principal": {"Federated": shared}, "Action": "sts:AssumeRoleWithWebIdentity"}
    )

    def as_iam_does(call: Call) -> None:
        document = call.params.get("PolicyDocument", "{}")
        if call.operation == "update_assume_role_policy" and issuers_missing(json.loads(document)):
            raise CallError(call, "MalformedPolicyDocument", "must evaluate the claim")

    iam.before = as_iam_does
    assert issuers_missing(role["AssumeRolePolicyDocument"])
    receipt = taken_back(iam, waiting, now)
    assert iam.roles == {}
    assert receipt.trust_closed


def issuers_missing(document: Any) -> bool:
    return any(issuers.missing(item) for item in document.get("Statement", ()))


@pytest.mark.parametrize("operation", ["detach_role_policy", "delete_role_policy", "delete_role"])
def test_a_removal_whose_answer_was_lost_and_that_is_tried_again_is_done(
    iam: Any, role: Any, waiting: Waiting, now: datetime, operation: str
) -> None:
    refuse(iam, operation, "NoSuchEntity", times=1, after=True)
    taken_back(iam, waiting, now)
    assert iam.roles == {}


def test_a_deny_that_aws_did_not_take_is_never_passed_over(
    iam: Any, role: Any, waiting: Waiting, now: datetime
) -> None:
    """NoSuchEntity means "removed already" for what is removed; for the deny it means that there is no deny."""
    policies = (dict(role["inline"]), list(role["managed"]))
    refuse(iam, "put_role_policy", "NoSuchEntity")
    with pytest.raises(Interrupted) as failed:
        taken_back(iam, waiting, now)
    assert "nothing was changed" in failed.value.do
    assert set(iam.log) <= {"put_role_policy"}
    assert (role["inline"], role["managed"]) == policies


def test_what_is_attached_meanwhile_is_found_on_the_next_round(
    iam: Any, role: Any, waiting: Waiting, now: datetime
) -> None:
    def attach(call: Call) -> None:
        if call.operation == "delete_role" and iam.log.count("delete_role") == 0:
            role["managed"].append("arn:aws:iam::aws:policy/ReadOnlyAccess")

    iam.before = attach
    taken_back(iam, waiting, now)
    assert iam.roles == {}
    again = iam.log[iam.log.index("delete_role") + 1 :]
    assert again == ["put_role_policy", "detach_role_policy", "delete_role_policy", "delete_role"]


@pytest.mark.parametrize(
    ("operation", "holds"),
    [
        ("put_role_policy", "nothing was changed"),
        ("detach_role_policy", "carries the deny on everything"),
        ("delete_role", "carries no policy and admits nobody"),
    ],
)
def test_a_failure_says_what_holds_and_to_go_on(
    iam: Any, role: Any, waiting: Waiting, now: datetime, operation: str, holds: str
) -> None:
    refuse(iam, operation, "AccessDenied")
    with pytest.raises(Interrupted) as failed:
        taken_back(iam, waiting, now)
    assert failed.value.exit_code == 3
    assert holds in failed.value.do
    assert "again" in failed.value.do


def test_a_role_that_never_goes_ends_the_waiting(iam: Any, role: Any, waiting: Waiting, now: datetime) -> None:
    refuse(iam, "delete_role", "DeleteConflict")
    with pytest.raises(Interrupted, match="DeleteConflict") as failed:
        taken_back(iam, waiting, now)
    assert "carries no policy" in failed.value.do


def test_a_failure_of_the_second_run_says_what_the_first_one_left(
    iam: Any, role: Any, waiting: Waiting, now: datetime
) -> None:
    role["managed"].clear()
    role["inline"].clear()
    refuse(iam, "put_role_policy", "AccessDenied")
    with pytest.raises(Interrupted) as failed:
        taken_back(iam, waiting, now)
    assert "carries no policy" in failed.value.do
    assert "admits nobody" not in failed.value.do


def test_a_second_run_that_cannot_read_says_what_held_when_it_began(
    iam: Any, role: Any, waiting: Waiting, now: datetime
) -> None:
    role["inline"][REVOKED] = kill_deny()
    standing = read_standing(read_role(iam, "audit"))
    refuse(iam, "get_role", "AccessDenied")
    with pytest.raises(Interrupted) as failed:
        revoke(standing, perform=iam, now=lambda: now, waiting=waiting)
    assert "carries the deny on everything" in failed.value.do
    assert "up to a few minutes" in failed.value.do


@pytest.mark.parametrize("operation", ["put_role_policy", "list_role_policies", "delete_role"])
def test_throttling_is_waited_out(iam: Any, role: Any, waiting: Waiting, now: datetime, operation: str) -> None:
    standing = read_standing(read_role(iam, "audit"))
    refuse(iam, operation, "Throttling", times=4)
    revoke(standing, perform=iam, now=lambda: now, waiting=waiting)
    assert iam.roles == {}


def test_the_wait_for_the_role_to_go_does_not_count_the_work(
    iam: Any, role: Any, waiting: Waiting, now: datetime
) -> None:
    iam.before = lambda call: waiting.sleep(waiting.limit) if call.operation == "delete_role" else None
    assert taken_back(iam, waiting, now).gone_at == now


@pytest.mark.parametrize("contractor", ["111111111111", "nobody", ""])
def test_a_record_that_no_table_is_made_for_does_not_stop_the_revocation(
    iam: Any, role: Any, waiting: Waiting, now: datetime, contractor: str
) -> None:
    tag = next(item for item in role["Tags"] if item["Key"] == "valetkey:contractor")
    tag["Value"] = contractor
    taken_back(iam, waiting, now)
    assert iam.log[0] == "put_role_policy"
    assert iam.roles == {}


def test_instance_profiles_that_may_not_be_listed_do_not_stop_the_deny(
    iam: Any, role: Any, waiting: Waiting, now: datetime
) -> None:
    refuse(iam, "list_instance_profiles_for_role", "AccessDenied")
    taken_back(iam, waiting, now)
    assert iam.roles == {}


def test_a_new_role_of_the_same_name_is_not_touched(iam: Any, role: Any, waiting: Waiting, now: datetime) -> None:
    standing = read_standing(read_role(iam, "audit"))
    role["CreateDate"] = now
    receipt = revoke(standing, perform=iam, now=lambda: now, waiting=waiting)
    assert receipt.removed == ()
    assert iam.log == []


def test_a_role_that_is_not_ours_is_refused(iam: Any, role: Any) -> None:
    role["Tags"] = []
    with pytest.raises(ForeignRole):
        read_standing(read_role(iam, "audit"))


def test_that_other_roles_cannot_be_read_is_said(iam: Any, role: Any, waiting: Waiting, now: datetime) -> None:
    refuse(iam, "list_roles", "AccessDenied")
    assert taken_back(iam, waiting, now).others is None


@pytest.mark.parametrize(
    ("principal", "condition", "trusted"),
    [
        ("*", {}, True),
        ({"AWS": "*"}, {}, True),
        ({"AWS": "222222222222"}, {}, True),
        ({"AWS": "222222222222"}, {"StringEquals": {"sts:ExternalId": "vk-0123456789"}}, True),
        ({"AWS": "222222222222"}, {"StringEquals": {"aws:PrincipalAccount": "333333333333"}}, False),
        ({"AWS": "*"}, {"StringEquals": {"aws:PrincipalAccount": "222222222222"}}, True),
        ({"AWS": "*"}, {"StringEquals": {"aws:PrincipalAccount": "333333333333"}}, False),
        ({"AWS": "arn:aws:iam::111111111111:root"}, {}, False),
        ({"AWS": "AIDAEXAMPLEEXAMPLEEX"}, {}, False),
        ({"Service": "ec2.amazonaws.com"}, {}, False),
        ({"AWS": " 222222222222 "}, {}, None),
        # What AWS does not document decides it.
        ({"AWS": "222222222222"}, {"StringEquals": {"aws:PrincipalAccount": []}}, None),
        ({"AWS": "333333333333"}, {"StringEquals": {"aws:PrincipalAccount": []}}, False),
    ],
)
def test_other_roles_are_those_that_the_contractor_can_assume(
    principal: Any, condition: dict[str, Any], trusted: bool | None
) -> None:
    role_arn = "arn:aws:iam::111111111111:role/r"
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition}
    document: dict[str, Any] = {"Version": "2012-10-17", "Statement": [statement]}
    assert trusts(document, "222222222222", role_arn=role_arn) is trusted
    deny = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:*"}
    if trusted is not None:
        assert trusts({**document, "Statement": [statement, deny]}, "222222222222", role_arn=role_arn) is False


def test_roles_are_read_on_after_the_one_that_goes(iam: Any, role: Any) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "sts:AssumeRole"}
    iam.roles["later"] = {**role, "RoleName": "later", "AssumeRolePolicyDocument": {"Statement": [statement]}}
    assert list(iam.roles) == ["audit", "later"]
    assert other_roles(iam, "222222222222", but="audit") == Others(("later",), ())


def test_a_role_that_is_not_decided_is_named(iam: Any, role: Any, waiting: Waiting, now: datetime) -> None:
    odd = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": " 1 "}, "Action": "sts:AssumeRole"}]}
    iam.roles["odd"] = {**role, "RoleName": "odd", "AssumeRolePolicyDocument": odd}
    assert taken_back(iam, waiting, now).others == Others((), ("odd",))
