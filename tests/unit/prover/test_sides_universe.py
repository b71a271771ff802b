"""Every side of a decision in the prover, against the evaluator on every request of a small world: resource policies,
boundaries, session policies, SCPs and RCPs."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from tests.unit.prover.proving import BUCKET, OWNER, THEM, ask, bucket, identity, on, policy, trust
from tests.unit.prover.universe import answers

from valetkey.errors import PolicyError
from valetkey.policy import Request
from valetkey.prover import Counterexample, Proof
from valetkey.prover.effective_boxes import sides

BOB, THEIRS = f"arn:aws:iam::{OWNER}:user/bob", f"arn:aws:iam::{THEM}:user/bob"
WORKER, SESSION = f"arn:aws:iam::{OWNER}:role/worker", f"arn:aws:sts::{OWNER}:assumed-role/worker/session"
LINKED = f"arn:aws:iam::{OWNER}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"
CALLERS: dict[str, dict[str, str]] = {
    BOB: {},
    f"arn:aws:iam::{OWNER}:user/eve": {},
    SESSION: {},
    f"arn:aws:sts::{OWNER}:assumed-role/worker/other": {},
    f"arn:aws:sts::{OWNER}:assumed-role/another/session": {},
    f"arn:aws:sts::{OWNER}:assumed-role/AWSServiceRoleForX/session": {"aws:PrincipalArn": LINKED},
    f"arn:aws:iam::{OWNER}:root": {},
    f"arn:aws:sts::{OWNER}:federated-user/ann": {},
    THEIRS: {},
    f"arn:aws:iam::{THEM}:root": {},
    f"arn:aws:sts::{THEM}:assumed-role/worker/session": {},
    "arn:aws:iam::333333333333:user/mallory": {},
    "arn:aws:iam::333333333333:root": {},
    "ec2.amazonaws.com": {},
    "lambda.amazonaws.com": {},
    "accounts.google.com": {},
    "anonymous": {},
}
ACTIONS = (
    "s3:GetObject",
    "s3:PutObject",
    "s3:AbortMultipartUpload",
    "kms:Decrypt",
    "sts:AssumeRole",
    "ec2:RunInstances",
)
REQUESTS = [
    Request(caller, action, BUCKET, OWNER, {**keys, **context})
    for caller, keys in CALLERS.items()
    for action in ACTIONS
    for context in ({}, {"x:y": "1"}, {"x:y": "2"})
]
DENY: dict[str, Any] = {"Effect": "Deny", "Principal": "*"}
GET: dict[str, Any] = {"Action": "s3:GetObject"}
ALL, READ, NONE = identity({}), identity(GET), identity()
OPEN, HERS, OURS = bucket({"Principal": "*"}), bucket({}), bucket({"Principal": {"AWS": OWNER}})
SPARED = bucket({"Principal": "*"}, {"Effect": "Deny", "NotPrincipal": {"AWS": [BOB, OWNER]}})
BOUND: dict[str, Any] = {"boundary": policy("boundary", GET)}
IS_ONE = on("StringEquals", "x:y", "1")
SIDES: dict[str, dict[str, Any]] = {
    "nothing": {"identity": NONE},
    "all": {"identity": ALL},
    "read": {"identity": [NONE, READ]},
    "not judged": {"resource": bucket()},
    "bucket of everybody": {"resource": OPEN},
    "bucket of them": {"resource": HERS, "identity": ALL},
    "bucket of them, not judged": {"resource": HERS},
    "bucket of them, who may nothing": {"resource": HERS, "identity": NONE},
    "bucket of ours": {"resource": OURS, "identity": READ},
    "bucket of bob": {"resource": bucket({"Principal": {"AWS": BOB}}), "identity": NONE},
    "bucket of the worker": {"resource": bucket({"Principal": {"AWS": WORKER}}), "identity": NONE},
    "bucket of the session": {"resource": bucket({"Principal": {"AWS": SESSION}}), "identity": NONE},
    "bucket of ec2": {"resource": bucket({"Principal": {"Service": "ec2.amazonaws.com"}})},
    "bucket of all but bob": {"resource": SPARED},
    "bounded": {"resource": bucket({"Principal": {"AWS": [WORKER, BOB]}}), "identity": NONE, **BOUND},
    "bounded all": {"identity": ALL, **BOUND},
    "bounded deny": {"identity": ALL, "boundary": policy("boundary", {}, {"Effect": "Deny", "Action": "s3:*"})},
    "not principal and bound": {"resource": SPARED, "boundary": policy("boundary", {})},
    "session": {"identity": ALL, "session": policy("session", GET)},
    "session and boundary": {
        "identity": ALL,
        "boundary": policy("boundary", {"Condition": IS_ONE}),
        "session": policy("session", GET),
    },
    "SCP": {"resource": OPEN, "identity": ALL, "scps": [[policy("scp", GET)]]},
    "two levels": {
        "resource": OPEN,
        "identity": ALL,
        "scps": [policy("scp", {}), [policy("scp"), policy("scp", {"Condition": IS_ONE})]],
    },
    "SCP deny": {"resource": OPEN, "scps": [[policy("scp", {}, {"Effect": "Deny", "Action": "s3:Put*"})]]},
    "empty level": {"resource": OPEN, "scps": [[policy("scp", {})], []]},
    "RCP deny": {"resource": OPEN, "rcps": [[policy("rcp", {**DENY, "Action": "s3:Put*"})]]},
    "RCP allow": {"resource": OPEN, "rcps": [[policy("rcp", {"Principal": "*", **GET})]]},
    "all of it": {
        "resource": bucket({"Principal": {"AWS": [OWNER, THEM]}, "Condition": IS_ONE}),
        "identity": [READ, identity({"Effect": "Deny", "Condition": on("StringEquals", "x:y", "2")})],
        "boundary": policy("boundary", {}),
        "session": policy("session", {"NotAction": "s3:Put*"}),
        "scps": [[policy("scp", {})]],
        "rcps": [[policy("rcp", {**DENY, "Action": "kms:*"})]],
    },
}  # fmt: skip
ALLOWED = {name: answers(REQUESTS, item) for name, item in SIDES.items()}
OWN = [request.caller.kind in ("user", "session") and request.caller.account == OWNER for request in REQUESTS]
"""Where no resource policy is given, the question is about users and role sessions of the account."""
PAIRS = [
    pair for place, pair in enumerate(itertools.permutations(SIDES, 2)) if place % 19 == 0 or pair[1] == "all of it"
]


def test_one_side_within_another() -> None:
    for one, other in PAIRS:
        asked = OWN if "resource" not in {**SIDES[one], **SIDES[other]} else [True] * len(REQUESTS)
        shown = any(
            mine and not theirs and of for mine, theirs, of in zip(ALLOWED[one], ALLOWED[other], asked, strict=True)
        )
        result = ask(SIDES[one], SIDES[other], resource=BUCKET, owner=OWNER)
        assert isinstance(result, Counterexample if shown else Proof), (one, other, result)


@pytest.mark.parametrize("name", SIDES)
def test_a_side_is_within_itself_and_shows_somebody(name: str) -> None:
    result = ask(SIDES[name], SIDES[name], resource=BUCKET, owner=OWNER)
    assert isinstance(result, Proof)
    asked = OWN if "resource" not in SIDES[name] else [True] * len(REQUESTS)
    assert (result.witness is not None) is any(map(min, ALLOWED[name], asked))


def test_sides_as_keywords_of_decide() -> None:
    door, scp, rcp = trust({}), policy("scp", {}), policy("rcp", {"Principal": "*"})
    assert sides(door) == {"trust": [door]}
    assert sides(ALL) == {"identity": [ALL]}
    assert sides([ALL, READ]) == sides((ALL, READ)) == {"identity": [ALL, READ]}
    assert sides([]) == {"identity": []}
    assert sides(scp) == {"scps": [[scp]]}
    assert sides(rcp) == {"rcps": [[rcp]]}
    for kind in ("boundary", "session", "resource"):
        one = policy(kind)
        assert sides(one) == {kind: [one]}
    assert sides({"trust": door, "identity": (ALL,), "boundary": None, "scps": [scp, [scp, scp]], "rcps": ()}) == {
        "trust": [door],
        "identity": [ALL],
        "scps": [[scp], [scp, scp]],
        "rcps": [],
    }


@pytest.mark.parametrize(
    ("given", "what", "do"),
    [
        (
            {"trusts": ALL},
            "'trusts' is not a side of a decision",
            "known: boundary, identity, rcps, resource, scps, session, trust",
        ),
        ("x", "this is not a policy that can be proved", "give what parse_policy returned"),
        ([ALL, 5], "this is not a policy that can be proved", "give what parse_policy returned"),
        (5, "this is not a policy that can be proved", "give what parse_policy returned"),
    ],
)
def test_what_is_not_a_side_is_refused(given: Any, what: str, do: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        sides(given)
    assert (refusal.value.what, refusal.value.do) == (what, do)
