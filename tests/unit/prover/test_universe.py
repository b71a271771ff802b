"""The prover's answers against the evaluator's, on every request of a small world.

Where one of these requests shows that a policy allows more than another, the prover must find one too; where it calls
a policy proved, none of them may show the opposite.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from tests.unit.prover.proving import AGE, ARN, ID, IP, MFA, OWNER, ROLE, TAG, THEM, ask, on, trust
from tests.unit.prover.universe import BOB, GITHUB, SAML, SESSIONS, TIMES, WORKER, answers, entering

from valetkey.policy import Policy
from valetkey.prover import Counterexample, Proof

SHUT: dict[str, Any] = {"Effect": "Deny", "Principal": "*"}
STS: dict[str, Any] = {"Action": "sts:*"}
IS_MFA = on("Bool", MFA, "true")

WHO: dict[str, Policy] = {
    "nobody": trust(),
    "them": trust({}),
    "them and tags": trust({"Action": ["sts:AssumeRole", "sts:TagSession"]}),
    "them, all of sts": trust(STS),
    "the owner": trust({"Principal": {"AWS": OWNER}}),
    "everybody": trust({"Principal": "*", **STS}),
    "bob": trust({"Principal": {"AWS": BOB}}),
    "worker": trust({"Principal": {"AWS": WORKER}}),
    "alice": trust({"Principal": {"AWS": SESSIONS[0]}}),
    "alice and worker": trust({"Principal": {"AWS": [SESSIONS[0], WORKER]}}),
    "bob or the owner": trust({"Principal": {"AWS": [BOB, OWNER]}}),
    "all but bob": trust({}, {**SHUT, "Principal": {"AWS": BOB}}),
    "all but worker": trust({}, {**SHUT, "Principal": {"AWS": WORKER}}),
    "all but alice": trust({}, {**SHUT, "Principal": {"AWS": SESSIONS[0]}}),
    "all but them": trust({"Principal": "*", **STS}, {**SHUT, **STS, "Principal": {"AWS": THEM}}),
    "ec2": trust({"Principal": {"Service": "ec2.amazonaws.com"}}),
    "github": trust({"Principal": {"Federated": GITHUB}, "Action": "sts:AssumeRoleWithWebIdentity"}),
    "saml": trust({"Principal": {"Federated": SAML}, "Action": "sts:AssumeRoleWithSAML"}),
    "google": trust({"Principal": {"Federated": "accounts.google.com"}, "Action": "sts:AssumeRoleWithWebIdentity"}),
    "by account": trust({"Principal": "*", "Condition": on("StringEquals", "aws:PrincipalAccount", THEM)}),
    "by other account": trust({"Principal": "*", "Condition": on("StringNotEquals", "aws:PrincipalAccount", THEM)}),
    "by ARN": trust({"Principal": "*", "Condition": on("ArnLike", ARN, f"arn:aws:iam::{THEM}:user/*")}),
    "by part of an ARN": trust({"Principal": "*", "Condition": on("StringLike", ARN, "*/team/*")}),
    "by role ARN": trust({"Principal": "*", "Condition": on("ArnEquals", ARN, WORKER)}),
    "by name": trust({"Condition": on("StringEquals", "aws:username", "bob")}),
    "by another name": trust({"Condition": on("StringNotEquals", "aws:username", "bob")}),
    "by type": trust({"Principal": "*", "Condition": on("StringEquals", "aws:PrincipalType", "User")}),
    "no service": trust({"Principal": "*", "Condition": on("Bool", "aws:PrincipalIsAWSService", "false")}),
    "not tags": trust({"Principal": {"AWS": THEM}, "NotAction": "sts:TagSession"}),
}  # fmt: skip
WITH: dict[str, Policy] = {
    "ID": trust({"Condition": on("StringEquals", ID, "example-1")}),
    "two IDs": trust({"Condition": on("StringEquals", ID, "example-1", "example-2")}),
    "ID in any case": trust({"Condition": on("StringEqualsIgnoreCase", ID, "EXAMPLE-1")}),
    "ID pattern": trust({"Condition": on("StringLike", ID, "example-*")}),
    "ID of nine": trust({"Condition": on("StringLike", ID, "example-?")}),
    "no such ID": trust({"Condition": on("StringNotEquals", ID, "example-1")}),
    "no such IDs": trust({"Condition": on("StringNotLike", ID, "example-*", "x*")}),
    "ID if there": trust({"Condition": on("StringEqualsIfExists", ID, "example-1")}),
    "some ID": trust({"Condition": on("Null", ID, "false")}),
    "no ID": trust({"Condition": on("Null", ID, "true")}),
    "ID denied": trust({}, {**SHUT, "Condition": on("StringNotEquals", ID, "example-1")}),
    "ID denied if there": trust({}, {**SHUT, "Condition": on("StringNotEqualsIfExists", ID, "example-1")}),
    "no ID denied": trust({}, {**SHUT, "Condition": on("Null", ID, "true")}),
    "MFA": trust({"Condition": IS_MFA}),
    "MFA or none": trust({"Condition": on("BoolIfExists", MFA, "true")}),
    "no MFA denied": trust({}, {**SHUT, "Condition": on("Bool", MFA, "false")}),
    "no MFA or none denied": trust({}, {**SHUT, "Condition": on("BoolIfExists", MFA, "false")}),
    "young MFA": trust({"Condition": on("NumericLessThan", AGE, 3600)}),
    "young MFA or none": trust({"Condition": on("NumericLessThanIfExists", AGE, 3600)}),
    "old MFA": trust({"Condition": on("NumericGreaterThanEquals", AGE, 3600)}),
    "both": trust({"Condition": on("StringEquals", ID, "example-1") | IS_MFA}),
    "either": trust({"Condition": on("StringEquals", ID, "example-1")}, {"Condition": IS_MFA}),
    "nothing": trust({}),
}
MORE: dict[str, Policy] = {
    "red": trust({"Condition": on("StringEquals", TAG, "red")}),
    "red in any case": trust({"Condition": on("StringEqualsIgnoreCase", TAG, "red")}),
    "r": trust({"Condition": on("StringLike", TAG, "r*", "R*")}),
    "not red": trust({"Condition": on("StringNotEquals", TAG, "red")}),
    "10": trust({"Condition": on("IpAddress", IP, "10.0.0.0/8")}),
    "not 10": trust({"Condition": on("NotIpAddress", IP, "10.0.0.0/8")}),
    "six": trust({"Condition": on("IpAddress", IP, "::/0")}),
    "10 and red": trust({"Condition": on("IpAddress", IP, "10.0.0.0/8") | on("StringEquals", TAG, "red")}),
    "all": trust({}),
}
KEYS: dict[str, Policy] = {
    "only team": trust({"Condition": on("ForAllValues:StringEquals", "aws:TagKeys", "team")}),
    "team among them": trust({"Condition": on("ForAnyValue:StringEquals", "aws:TagKeys", "team")}),
    "team or cost": trust({"Condition": on("ForAllValues:StringEquals", "aws:TagKeys", "team", "cost")}),
    "no team": trust({"Condition": on("ForAllValues:StringNotEquals", "aws:TagKeys", "team")}),
    "other than team": trust({"Condition": on("ForAnyValue:StringNotEquals", "aws:TagKeys", "team")}),
    "keys": trust({"Condition": on("Null", "aws:TagKeys", "false")}),
    "before": trust({"Condition": on("DateLessThan", "aws:CurrentTime", TIMES[1])}),
    "until": trust({"Condition": on("DateLessThanEquals", "aws:CurrentTime", TIMES[1])}),
    "after": trust({"Condition": on("DateGreaterThan", "aws:CurrentTime", TIMES[1])}),
    "ended": trust({}, {**SHUT, "Condition": on("DateGreaterThanEquals", "aws:CurrentTime", TIMES[1])}),
    "all": trust({}),
}
WORLDS: dict[str, tuple[dict[str, Policy], tuple[str, ...]]] = {
    "who": (WHO, ()),
    "with": (WITH, (ID, MFA)),
    "more": (MORE, (TAG, IP)),
    "keys": (KEYS, ("aws:TagKeys", "aws:CurrentTime")),
}


@pytest.mark.parametrize("world", WORLDS)
def test_one_policy_within_another(world: str) -> None:
    policies, keys = WORLDS[world]
    requests = list(entering(keys))
    allowed = {name: answers(requests, {"trust": [policy]}) for name, policy in policies.items()}
    for one, other in itertools.permutations(policies, 2):
        shown = any(mine and not theirs for mine, theirs in zip(allowed[one], allowed[other], strict=True))
        result = ask(policies[one], policies[other], resource=ROLE)
        assert isinstance(result, Counterexample if shown else Proof), (one, other, result)


@pytest.mark.parametrize("world", WORLDS)
def test_a_policy_is_within_itself_and_lets_in_who_is_shown(world: str) -> None:
    policies, keys = WORLDS[world]
    requests = list(entering(keys))
    for name, policy in policies.items():
        result = ask(policy, policy, resource=ROLE)
        assert isinstance(result, Proof), name
        entering_ = [request.action != "sts:TagSession" for request in requests]
        somebody = any(map(min, answers(requests, {"trust": [policy]}), entering_))
        assert (result.witness is not None) is somebody, name
