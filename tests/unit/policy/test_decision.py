"""A decision in full: its outcome, its reason word for word, and the statements that took part."""

from __future__ import annotations

from typing import Any

import pytest

from valetkey.policy import Policy, Request, decide, parse_policy
from valetkey.policy.decision import Open
from valetkey.policy.evaluation import could_allow

OWNER, THEM = "111111111111", "222222222222"
ROLE = f"arn:aws:iam::{OWNER}:role/door"
BOB, HOME_BOB = f"arn:aws:iam::{THEM}:user/bob", f"arn:aws:iam::{OWNER}:user/bob"
ROOT, ANN = f"arn:aws:iam::{OWNER}:root", f"arn:aws:sts::{THEM}:federated-user/ann"
WORKER, WORKERS = f"arn:aws:sts::{OWNER}:assumed-role/worker/s", f"arn:aws:iam::{OWNER}:role/worker"
BUCKET, KEY = "arn:aws:s3:::bucket", f"arn:aws:kms:eu-west-1:{OWNER}:key/1"


def policy(kind: Any, *statements: dict[str, Any]) -> Policy:
    return parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, kind=kind)


def allow(action: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": "*", **more}


def deny(action: str = "*", **more: Any) -> dict[str, Any]:
    return allow(action, **more) | {"Effect": "Deny"}


def door(principal: Any, action: str = "sts:*", effect: str = "Allow") -> Policy:
    return policy("trust", {"Effect": effect, "Principal": principal, "Action": action})


def assume(caller: str = BOB, action: Any = "sts:AssumeRole", **context: str) -> Request:
    return Request(caller, action, ROLE, context=context)


def call(caller: str, action: str, resource: str, account: str | None = None) -> Request:
    return Request(caller, action, resource, account)


TRUST, NOTHING = door({"AWS": THEM}), policy("identity")
ALL, SCP, S3 = policy("identity", allow(Sid="All")), policy("scp", allow()), policy("scp", allow("s3:*"))
OTHERS = "the caller's own policies were not given and were not evaluated"
SAYS = "the trust policy, statement 1, allows sts:AssumeRole"
SHUT = f"the trust policy: statement 1 applies to {OWNER}, the caller is {BOB}"

BY_ROOT = "STS refuses AssumeRole by the root user, whatever the policies say"
BY_TOKEN = "STS refuses AssumeRole with the credentials of GetFederationToken, whatever the policies say"

YES, NO, DENIED = "allowed", "implicit_deny", "explicit_deny"
ROWS: list[tuple[Request, dict[str, Any], str, str, list[tuple[str, int, int, str | None]]]] = [
    (assume(), {}, NO, "no policy that could allow it was given", []),
    (assume(HOME_BOB), {}, NO, "no policy that could allow it was given", []),
    (
        assume(),
        {"trust": TRUST, "identity": [NOTHING, ALL]},
        YES,
        "the trust policy, statement 1, and the caller's policies (policy 2), statement 1 (All), allow sts:AssumeRole",
        [("trust", 1, 1, None), ("identity", 2, 1, "All")],
    ),
    (assume(), {"trust": TRUST}, YES, f"{SAYS}; {OTHERS}", [("trust", 1, 1, None)]),
    (
        assume(),
        {"trust": TRUST, "identity": NOTHING},
        NO,
        "the caller's policies: no statement allows anything",
        [],
    ),
    (assume(), {"trust": TRUST, "identity": ()}, NO, "the caller's policies: there are none", []),
    (assume(), {"trust": door({"AWS": OWNER})}, NO, SHUT, [("trust", 1, 1, None)]),
    (assume(), {"trust": [policy("trust"), door({"AWS": OWNER})]}, NO, SHUT, [("trust", 2, 1, None)]),
    (assume(), {"trust": policy("trust")}, NO, "the trust policy: no statement allows anything", []),
    (assume(), {"trust": ()}, NO, "the trust policy: there are none", []),
    (
        assume(),
        {"trust": TRUST, "identity": [NOTHING, NOTHING, policy("identity", allow(), deny(Sid="No"))]},
        DENIED,
        "the caller's policies (policy 3), statement 2 (No), denies sts:AssumeRole without a condition",
        [("identity", 3, 2, "No")],
    ),
    (
        assume(),
        {"trust": TRUST, "identity": [ALL, policy("identity", allow("s3:*"))]},
        YES,
        "the trust policy, statement 1, and the caller's policies (policy 1), statement 1 (All), allow sts:AssumeRole",
        [("trust", 1, 1, None), ("identity", 1, 1, "All")],
    ),
    (
        assume(),
        {"trust": TRUST, "identity": [NOTHING, policy("identity", allow("s3:*"))]},
        NO,
        "the caller's policies (policy 2): statement 1 applies to s3:*, the call is sts:AssumeRole",
        [("identity", 2, 1, None)],
    ),
    # Boundary and session policy.
    (
        assume(),
        {"trust": TRUST, "identity": ALL, "boundary": policy("boundary", allow("s3:*"))},
        NO,
        "the permissions boundary: statement 1 applies to s3:*, the call is sts:AssumeRole",
        [("boundary", 1, 1, None)],
    ),
    (
        assume(),
        {"trust": TRUST, "identity": ALL, "session": policy("session")},
        NO,
        "the session policy: no statement allows anything",
        [],
    ),
    (
        assume(),
        {
            "trust": TRUST,
            "identity": ALL,
            "boundary": policy("boundary", allow()),
            "session": policy("session", allow()),
        },
        YES,
        (
            "the trust policy, statement 1, and the caller's policies (policy 1), statement 1 (All), and "
            "the permissions boundary, statement 1, and the session policy, statement 1, allow sts:AssumeRole"
        ),
        [("trust", 1, 1, None), ("identity", 1, 1, "All"), ("boundary", 1, 1, None), ("session", 1, 1, None)],
    ),
    (
        assume(WORKER),
        {"trust": door({"AWS": WORKERS}), "identity": (), "boundary": policy("boundary", allow())},
        YES,
        "the trust policy, statement 1, and the permissions boundary, statement 1, allow sts:AssumeRole",
        [("trust", 1, 1, None), ("boundary", 1, 1, None)],
    ),
    (
        assume(WORKER),
        {"trust": door({"AWS": WORKERS}), "boundary": policy("boundary")},
        NO,
        "the permissions boundary: no statement allows anything",
        [],
    ),
    (assume(WORKER), {"trust": door({"AWS": WORKERS}), "identity": ()}, YES, SAYS, [("trust", 1, 1, None)]),
    (assume(HOME_BOB), {"trust": door("*"), "identity": ()}, YES, SAYS, [("trust", 1, 1, None)]),
    # Organisations.
    (
        assume(),
        {"trust": TRUST, "identity": ALL, "scps": [[SCP], [policy("scp"), S3]]},
        NO,
        "the SCPs of level 2: statement 1 applies to s3:*, the call is sts:AssumeRole",
        [("scp", 2, 1, None)],
    ),
    (
        assume(),
        {"trust": TRUST, "identity": ALL, "scps": [[policy("scp")], [SCP]]},
        NO,
        "the SCPs of level 1: no statement allows anything",
        [],
    ),
    (
        assume(),
        {"trust": TRUST, "identity": ALL, "scps": [SCP, []]},
        NO,
        "the SCPs of level 2: there are none",
        [],
    ),
    (
        assume(),
        {"trust": TRUST, "identity": ALL, "scps": [[SCP], [SCP, policy("scp", deny(Sid="x"))]]},
        DENIED,
        "the SCPs of level 2, statement 1 (x), denies sts:AssumeRole without a condition",
        [("scp", 2, 1, "x")],
    ),
    (
        assume(),
        {
            "trust": TRUST,
            "scps": [[SCP], [SCP], [SCP]],
            "rcps": [[], [policy("rcp", deny("s3:*", Principal="*"), deny("sts:*", Principal="*"))]],
        },
        DENIED,
        "the RCPs of level 2, statement 2, denies sts:AssumeRole without a condition",
        [("rcp", 2, 2, None)],
    ),
    (
        assume("ec2.amazonaws.com"),
        {
            "trust": door({"Service": "ec2.amazonaws.com"}),
            "scps": [policy("scp", deny()), SCP],
            "rcps": [policy("rcp", deny(Principal="*"))],
        },
        DENIED,
        "the RCPs of level 1, statement 1, denies sts:AssumeRole without a condition",
        [("rcp", 1, 1, None)],
    ),
    # Without the resource's side.
    (
        assume(),
        {"identity": ALL},
        YES,
        (
            "the caller's policies (policy 1), statement 1 (All), allows sts:AssumeRole; "
            "the role's trust policy was not given and was not evaluated"
        ),
        [("identity", 1, 1, "All")],
    ),
    (
        assume(HOME_BOB),
        {"identity": ALL},
        YES,
        (
            "the caller's policies (policy 1), statement 1 (All), allows sts:AssumeRole; "
            "the role's trust policy was not given and was not evaluated"
        ),
        [("identity", 1, 1, "All")],
    ),
    (
        call(HOME_BOB, "s3:GetObject", "*"),
        {"identity": ALL},
        YES,
        "the caller's policies (policy 1), statement 1 (All), allows s3:GetObject",
        [("identity", 1, 1, "All")],
    ),
    (call(HOME_BOB, "s3:GetObject", "*"), {}, NO, "no policy that could allow it was given", []),
    (
        call(BOB, "s3:GetObject", BUCKET, OWNER),
        {"identity": ALL},
        NO,
        "in another account the resource's side must allow too",
        [],
    ),
    (
        call(BOB, "s3:GetObject", BUCKET, OWNER),
        {"identity": ALL, "resource": policy("resource")},
        NO,
        "the resource policy: no statement allows anything; in another account the resource's side must allow too",
        [],
    ),
    # Who has no policies.
    (
        assume(ROOT),
        {"trust": door({"AWS": OWNER})},
        YES,
        f"{SAYS}; {BY_ROOT}",
        [("trust", 1, 1, None)],
    ),
    (
        assume(f"arn:aws:iam::{THEM}:root"),
        {"trust": TRUST, "identity": ()},
        YES,
        f"{SAYS}; the root user needs no policy of its own; {BY_ROOT}",
        [("trust", 1, 1, None)],
    ),
    (call(ROOT, "s3:GetObject", "*"), {}, YES, "the root user needs no policy of its own", []),
    (
        assume(ANN),
        {"trust": TRUST},
        YES,
        f"{SAYS}; {OTHERS}; {BY_TOKEN}",
        [("trust", 1, 1, None)],
    ),
    (assume("ec2.amazonaws.com"), {}, NO, "only the resource's side can allow this caller", []),
    (
        assume("ec2.amazonaws.com"),
        {"trust": TRUST},
        NO,
        f"the trust policy: statement 1 applies to {THEM}, the caller is ec2.amazonaws.com",
        [("trust", 1, 1, None)],
    ),
    (
        call("ec2.amazonaws.com", "s3:GetObject", BUCKET),
        {"resource": policy("resource", allow(Principal="*"))},
        YES,
        "the resource policy, statement 1, allows s3:GetObject",
        [("resource", 1, 1, None)],
    ),
    (
        call("ec2.amazonaws.com", "s3:GetObject", BUCKET),
        {"resource": policy("resource"), "identity": ALL},
        NO,
        "the resource policy: no statement allows anything; only the resource's side can allow this caller",
        [],
    ),
    (
        assume(action="sts:AssumeRoleWithSAML"),
        {"trust": TRUST},
        YES,
        "the trust policy, statement 1, allows sts:AssumeRoleWithSAML",
        [("trust", 1, 1, None)],
    ),
    (
        assume(HOME_BOB, "sts:AssumeRoleWithWebIdentity"),
        {"identity": ALL},
        NO,
        "only the resource's side can allow this caller",
        [],
    ),
    # A key's policy must allow.
    (
        call(HOME_BOB, "kms:Decrypt", KEY),
        {"identity": ALL, "resource": policy("resource")},
        NO,
        "the resource policy: no statement allows anything",
        [],
    ),
    (
        call(HOME_BOB, "kms:Decrypt", KEY),
        {"identity": ALL, "resource": policy("resource", allow(Principal={"AWS": OWNER}))},
        YES,
        (
            "the resource policy, statement 1, and the caller's policies (policy 1), statement 1 (All), "
            "allow kms:Decrypt"
        ),
        [("resource", 1, 1, None), ("identity", 1, 1, "All")],
    ),
    (
        call(HOME_BOB, "kms:Decrypt", KEY),
        {"identity": ALL},
        YES,
        "the caller's policies (policy 1), statement 1 (All), allows kms:Decrypt",
        [("identity", 1, 1, "All")],
    ),
    # Several actions: the first Deny, else the first that nothing allows.
    (
        assume(action=["sts:TagSession", "sts:AssumeRole"]),
        {"trust": door({"AWS": THEM}, "sts:AssumeRole"), "identity": ALL},
        NO,
        "the trust policy: statement 1 applies to sts:AssumeRole, the call is sts:TagSession",
        [("trust", 1, 1, None)],
    ),
    (
        assume(action=["sts:TagSession", "sts:AssumeRole"]),
        {"trust": door("*", "sts:AssumeRole", "Deny")},
        DENIED,
        "the trust policy, statement 1, denies sts:AssumeRole without a condition",
        [("trust", 1, 1, None)],
    ),
    # Of two Allows the most direct decides.
    (
        assume(HOME_BOB),
        {"trust": [door({"AWS": OWNER}), door({"AWS": HOME_BOB}), door("*")], "identity": ()},
        YES,
        SAYS,
        [("trust", 2, 1, None)],
    ),
]


@pytest.mark.parametrize(("request_", "sides", "outcome", "reason", "parts"), ROWS)
def test_a_decision(
    request_: Request,
    sides: dict[str, Any],
    outcome: str,
    reason: str,
    parts: list[tuple[str, int, int, str | None]],
) -> None:
    answer = decide(request_, **sides)
    assert (answer.outcome, answer.reason) == (outcome, reason)
    assert answer.allowed is (outcome == YES)
    assert could_allow(request_, **sides) is answer.allowed
    assert [(part.side, part.number, part.statement, part.sid) for part in answer.parts] == parts
    assert answer.rests_on == ()
    assert repr(answer) == f"<Decision {outcome}>"


LINKED = f"arn:aws:iam::{OWNER}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"
ANYONE = policy("rcp", deny(Principal="*"))


@pytest.mark.parametrize(
    ("caller", "sides", "outcome"),
    [
        (LINKED, {"scps": [policy("scp", deny())]}, YES),
        (LINKED, {"scps": [[]]}, YES),
        (LINKED, {"rcps": [ANYONE]}, YES),
        (WORKERS, {"scps": [policy("scp", deny())]}, DENIED),
        (WORKERS, {"scps": [[]]}, NO),
        (WORKERS, {"rcps": [ANYONE]}, DENIED),
        (WORKERS, {"rcps": [[]]}, YES),
        (f"arn:aws:iam::{OWNER}:user/aws-service-role/x", {"rcps": [ANYONE]}, DENIED),
    ],
)
def test_a_service_linked_role_is_beyond_organisation_policies(caller: str, sides: Any, outcome: str) -> None:
    request = call(caller, "s3:GetObject", BUCKET, OWNER)
    assert decide(request, identity=ALL, **sides).outcome == outcome


def test_a_boundary_keeps_not_principal_from_sparing_anybody() -> None:
    shut = policy(
        "resource", allow(Principal="*"), {"Effect": "Deny", "NotPrincipal": {"AWS": [HOME_BOB, OWNER]}, "Action": "*"}
    )
    request = call(HOME_BOB, "s3:GetObject", BUCKET)
    assert decide(request, resource=shut).outcome == YES
    assert decide(request, resource=shut, boundary=policy("boundary", allow())).outcome == DENIED


SILENT = {"Condition": {"StringNotEquals": {"aws:x": []}}}
HAS_NONE = "has no values"


@pytest.mark.parametrize(
    ("sides", "places"),
    [
        (
            {"trust": policy("trust", {"Effect": "Allow", "Principal": "*", "Action": "sts:*", **SILENT})},
            [Open("trust", 1, 1, None, "$.Statement[0].Condition.StringNotEquals['aws:x']", HAS_NONE)],
        ),
        (
            {"trust": TRUST, "identity": [NOTHING, policy("identity", allow(Sid="a"), deny(Sid="b", **SILENT))]},
            [Open("identity", 2, 2, "b", "$.Statement[1].Condition.StringNotEquals['aws:x']", HAS_NONE)],
        ),
        (
            {"trust": TRUST, "identity": ALL, "boundary": policy("boundary", allow(**SILENT))},
            [Open("boundary", 1, 1, None, "$.Statement[0].Condition.StringNotEquals['aws:x']", HAS_NONE)],
        ),
        (
            {"trust": TRUST, "identity": ALL, "session": policy("session", allow(**SILENT))},
            [Open("session", 1, 1, None, "$.Statement[0].Condition.StringNotEquals['aws:x']", HAS_NONE)],
        ),
        (
            {"trust": TRUST, "scps": [[SCP], [policy("scp", allow(**SILENT))]]},
            [Open("scp", 2, 1, None, "$.Statement[0].Condition.StringNotEquals['aws:x']", HAS_NONE)],
        ),
        (
            {"trust": TRUST, "rcps": [[], [policy("rcp", deny(Principal="*", **SILENT))]]},
            [Open("rcp", 2, 1, None, "$.Statement[0].Condition.StringNotEquals['aws:x']", HAS_NONE)],
        ),
    ],
)
def test_where_a_decision_rests_on_what_aws_does_not_document(sides: dict[str, Any], places: list[Open]) -> None:
    answer = decide(assume(), **sides)
    assert not answer.allowed
    assert could_allow(assume(), **sides)
    assert list(answer.rests_on) == places
    assert answer.reason.endswith(f"; AWS does not document what it does where {places[0]}")


def test_the_words_of_a_place() -> None:
    def words(side: Any, number: int) -> str:
        return str(Open(side, number, 3, None, "$.x", HAS_NONE))

    assert words("trust", 1) == "the trust policy, statement 3: $.x has no values"
    assert words("identity", 2) == "the caller's policies (policy 2), statement 3: $.x has no values"
    assert words("scp", 2) == "the SCPs of level 2, statement 3: $.x has no values"
    assert words("rcp", 1) == "the RCPs of level 1, statement 3: $.x has no values"
