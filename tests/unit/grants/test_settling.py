"""IAM takes time: what is waited for, what the receipt says of it, and what it says that a deny does not end."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from valetkey.account.calls import Call, CallError
from valetkey.grants.grant import OWN_ROLE, REVOKED, UNTIL, Grant
from valetkey.grants.make import Interrupted, make
from valetkey.grants.options import OwnerOptions
from valetkey.grants.plan import Order, plan
from valetkey.grants.prepare import prepare
from valetkey.grants.revoke import Receipt, revoke
from valetkey.grants.role import read_role
from valetkey.grants.status import read_standing
from valetkey.grants.waiting import SETTLE_SECONDS, Settle, Settling, Waiting
from valetkey.report.grants import say_receipt
from valetkey.trust.self_denies import kill_deny

ECR = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}]}
DENIES = ("put_role_policy", "delete_role_policy")


@pytest.fixture
def role(iam: Any, grant: Grant) -> dict[str, Any]:
    for call in plan(grant, None):
        iam(call)
    iam.log.clear()
    result: dict[str, Any] = iam.roles["audit"]
    return result


class Timed:
    """IAM in memory whose calls take a second each, and when each write was made."""

    def __init__(self, iam: Any, waiting: Waiting) -> None:
        self.iam, self.waiting = iam, waiting
        self.writes: list[tuple[float, str]] = []

    def __call__(self, call: Call, /) -> dict[str, Any]:
        self.waiting.sleep(1.0)
        answer: dict[str, Any] = self.iam(call)
        if not call.operation.startswith(("get_", "list_")):
            name = call.params.get("PolicyName") or call.params.get("PolicyArn", "").rpartition("/")[2]
            self.writes.append((self.waiting.clock(), f"{call.operation} {name}".strip()))
        return answer

    def at(self, what: str) -> float:
        (result,) = (when for when, write in self.writes if write == what)
        return result


def taken_back(perform: Any, waiting: Waiting, now: datetime, **more: Any) -> Receipt:
    standing = read_standing(read_role(perform, "audit"))
    return revoke(standing, perform=perform, now=lambda: now, waiting=waiting, **more)


def test_nothing_that_denies_is_removed_within_ten_seconds_of_the_last_change_that_closes(
    iam: Any, role: Any, waiting: Waiting, now: datetime
) -> None:
    timed = Timed(iam, waiting)
    waits: list[float] = []
    receipt = taken_back(timed, waiting, now, tell_wait=waits.append)
    closing = [when for when, what in timed.writes if what.startswith(("put_", "update_", "detach_"))]
    closing.append(timed.at("delete_role_policy policy-more"))
    denies = [timed.at(f"delete_role_policy {name}") for name in (OWN_ROLE, UNTIL, REVOKED)]
    assert min(denies) >= max(closing) + SETTLE_SECONDS
    assert denies == sorted(denies)
    assert timed.at("delete_role") > max(denies)
    # Other calls went on meanwhile, and one wait was enough.
    assert waits == [pytest.approx(receipt.waited)]
    assert 0 < receipt.waited <= SETTLE_SECONDS
    assert not receipt.skipped


def test_the_deny_is_the_first_write_whatever_has_to_be_read(
    iam: Any, role: Any, waiting: Waiting, now: datetime
) -> None:
    seen: list[str] = []
    iam.before = lambda call: seen.append(call.operation)
    taken_back(iam, waiting, now)
    assert "get_policy" not in seen[: seen.index("put_role_policy")]
    assert "get_policy" in seen[: seen.index("detach_role_policy")]


def test_without_the_wait_nothing_is_waited_for_and_the_receipt_says_so(
    iam: Any, role: Any, waiting: Waiting, now: datetime, capsys: Any
) -> None:
    began = waiting.clock()
    receipt = taken_back(iam, waiting, now, settle=0.0)
    assert waiting.clock() == began
    assert (receipt.waited, receipt.skipped) == (0.0, True)
    say_receipt(receipt, as_json=False)
    said = " ".join(capsys.readouterr().out.split())
    assert "Not waited for (--no-wait)" in said
    assert "seconds in most cases, up to a few minutes" in said
    say_receipt(receipt, as_json=True)
    answer = json.loads(capsys.readouterr().out)
    assert (answer["waited_seconds"], answer["wait_skipped"]) == (0, True)
    assert "--no-wait" in answer["note"]


def test_a_second_run_waits_again_since_iam_does_not_say_when_the_deny_was_put(
    iam: Any, role: Any, waiting: Waiting, now: datetime
) -> None:
    role["inline"] = {REVOKED: kill_deny()}
    role["managed"].clear()
    receipt = taken_back(iam, waiting, now)
    assert receipt.waited == pytest.approx(SETTLE_SECONDS)


def test_a_role_that_is_closed_and_bare_is_deleted_at_once(
    iam: Any, role: Any, waiting: Waiting, now: datetime
) -> None:
    from valetkey.trust.writing import closed_trust

    role["AssumeRolePolicyDocument"] = closed_trust()
    role["inline"].clear()
    role["managed"].clear()
    receipt = taken_back(iam, waiting, now)
    assert receipt.waited == 0
    assert [item.call.operation for item in receipt.removed] == ["delete_role"]


def test_a_deny_that_somebody_removes_meanwhile_is_put_again_and_said(
    iam: Any, role: Any, waiting: Waiting, now: datetime, capsys: Any
) -> None:
    stolen: list[str] = []

    def remove(call: Call) -> None:
        if call.operation == "detach_role_policy" and not stolen:
            stolen.append(REVOKED)
            del role["inline"][REVOKED]

    iam.before = remove
    receipt = taken_back(iam, waiting, now)
    assert receipt.undone == 1
    assert [item.what for item in receipt.removed].count("deny on everything put on the role") == 2
    assert iam.roles == {}
    say_receipt(receipt, as_json=False)
    assert "was written again" in " ".join(capsys.readouterr().out.split())


def test_against_somebody_who_always_removes_the_deny_it_gives_up_and_says_what_holds(
    iam: Any, role: Any, waiting: Waiting, now: datetime
) -> None:
    def remove(call: Call) -> None:
        if call.operation == "get_policy_version" or (call.operation == "get_role" and iam.log):
            role["inline"].pop(REVOKED, None)

    iam.before = remove
    with pytest.raises(Interrupted, match="someone removes it") as failed:
        taken_back(iam, waiting, now)
    assert failed.value.exit_code == 3
    assert "audit" in iam.roles


def test_an_interruption_of_the_wait_says_what_holds(iam: Any, role: Any, waiting: Waiting, now: datetime) -> None:
    def stop(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as stopped:
        taken_back(iam, waiting, now, tell_wait=stop)
    assert stopped.value.exit_code == 130
    assert "carries the deny on everything" in stopped.value.do
    assert REVOKED in role["inline"]
    assert role["managed"] == []


def test_the_helper_counts_from_the_last_change_and_waits_once() -> None:
    passed = [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    told: list[float] = []
    settling = Settling(Waiting(clock=lambda: passed[0], sleep=sleep), tell=told.append)
    passed[0] = 4.0
    assert settling.wait()
    assert passed[0] == SETTLE_SECONDS
    assert not settling.wait()
    passed[0] = 20.0
    settling.closed()
    passed[0] = 23.0
    assert settling.wait()
    assert passed[0] == 20.0 + SETTLE_SECONDS
    assert told == [6.0, 7.0]
    assert settling.waited == 13.0


def test_the_receipt_names_what_the_role_could_have_taken_out(
    iam: Any, role: Any, waiting: Waiting, now: datetime, capsys: Any
) -> None:
    iam.policies["arn:aws:iam::aws:policy/SecurityAudit"] = ECR
    # The boundary has to let it pass.
    iam.policies["arn:aws:iam::aws:policy/ReadOnlyAccess"] = ECR
    receipt = taken_back(iam, waiting, now)
    (result,) = receipt.taken.outlives
    assert (result.actions, result.policies) == (("ecr:GetAuthorizationToken",), ("SecurityAudit",))
    assert receipt.taken.unread == ()
    say_receipt(receipt, as_json=True)
    answer = json.loads(capsys.readouterr().out)
    assert answer["outlives_unknown"] == []
    assert answer["outlives"] == [
        {
            "what": result.kind.what,
            "actions": ["ecr:GetAuthorizationToken"],
            "policies": ["SecurityAudit"],
            "longest_seconds": 43200,
            "note": "it cannot be revoked",
            "page": result.kind.page,
        }
    ]
    say_receipt(receipt, as_json=False)
    assert "up to 12 h: ecr:GetAuthorizationToken (SecurityAudit)" in " ".join(capsys.readouterr().out.split())


def test_the_boundary_cuts_what_it_could_have_taken_out(iam: Any, role: Any, waiting: Waiting, now: datetime) -> None:
    iam.policies["arn:aws:iam::aws:policy/SecurityAudit"] = ECR
    assert taken_back(iam, waiting, now).taken.outlives == ()


def test_policies_that_cannot_be_read_are_unknown_and_named(
    iam: Any, role: Any, waiting: Waiting, now: datetime, capsys: Any
) -> None:
    def refuse(call: Call) -> None:
        if call.operation == "get_policy":
            raise CallError(call, "AccessDenied", "so says AWS")

    role["inline"]["policy-more"] = ECR
    iam.before = refuse
    receipt = taken_back(iam, waiting, now)
    assert iam.roles == {}
    assert [item.actions for item in receipt.taken.outlives] == [("ecr:GetAuthorizationToken",)]
    assert {item.rpartition("/")[2] for item in receipt.taken.unread} == {
        "SecurityAudit",
        "ViewOnlyAccess",
        "ReadOnlyAccess",
    }
    say_receipt(receipt, as_json=False)
    assert "is unknown: these policies could not be read" in " ".join(capsys.readouterr().out.split())


def test_a_second_run_reads_what_was_agreed_and_names_what_is_gone(
    iam: Any, role: Any, waiting: Waiting, now: datetime
) -> None:
    """What the first run removed is known by the record: managed policies by name, inline ones not any more."""
    iam.policies["arn:aws:iam::aws:policy/SecurityAudit"] = ECR
    iam.policies["arn:aws:iam::aws:policy/ReadOnlyAccess"] = ECR
    role["inline"] = {REVOKED: kill_deny()}
    role["managed"].clear()
    receipt = taken_back(iam, waiting, now)
    assert [item.actions for item in receipt.taken.outlives] == [("ecr:GetAuthorizationToken",)]
    assert receipt.taken.unread == ("policy-more",)


def test_a_deny_on_everything_of_another_hand_does_not_hide_what_was_open_before(
    iam: Any, role: Any, waiting: Waiting, now: datetime
) -> None:
    iam.policies["arn:aws:iam::aws:policy/SecurityAudit"] = ECR
    iam.policies["arn:aws:iam::aws:policy/ReadOnlyAccess"] = ECR
    role["inline"]["quarantine"] = kill_deny()
    assert taken_back(iam, waiting, now).taken.outlives


@pytest.mark.parametrize(
    ("documents", "until", "waits"),
    [
        ({}, None, set()),
        ({"policy": "iam:PutRolePolicy"}, None, {1, 2}),
        ({"policy": "iam:CreateUser"}, None, {1, 2}),
        ({"deny": "s3:GetObject"}, None, {2}),
        ({}, timedelta(minutes=5), {1, 2}),
        ({}, timedelta(days=5), set()),
    ],
)
def test_a_grant_waits_where_what_denies_matters_at_once(
    iam: Any, now: datetime, documents: dict[str, str], until: timedelta | None, waits: set[int]
) -> None:
    files = {}
    for kind, action in documents.items():
        statements = [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]
        resource = "arn:aws:iam::111111111111:role/audit" if action == "iam:PutRolePolicy" else "*"
        effect = "Deny" if kind == "deny" else "Allow"
        statements.append({"Effect": effect, "Action": action, "Resource": resource})
        files[f"{kind}.json"] = json.dumps({"Version": "2012-10-17", "Statement": statements})
    asked = OwnerOptions(
        name="audit",
        contractor="222222222222",
        policies=("SecurityAudit", *files),
        until=None if until is None else now + until,
    )
    prepared = prepare(asked, request=None, perform=iam, read=files.__getitem__, now=now, fresh_id="f" * 32)
    assert prepared.order.waits == waits
    began: list[float] = []
    passed = [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    waiting = Waiting(clock=lambda: passed[0], sleep=sleep)
    iam.after = lambda call: (
        began.append(passed[0]) if call.operation in ("put_role_policy", "attach_role_policy") else None
    )
    made = make(
        prepared.grant, None, perform=iam, now=now, waiting=waiting, order=prepared.order, tell_wait=lambda _: None
    )
    assert made.proof.holds
    assert (passed[0] >= SETTLE_SECONDS) == bool(waits)
    # The own denies were put before the wait, what allows after it.
    assert began[0] == 0.0
    assert (began[-1] >= SETTLE_SECONDS) == bool(waits)


def test_the_order_of_a_grant_is_denies_then_mixed_then_what_only_allows(grant: Grant) -> None:
    audit, view = grant.managed
    order = Order({audit: "allows", view: "both", "policy-more": "denies"}, frozenset({1, 2}))
    steps = order.steps(grant, plan(grant, None))
    said = [
        "wait" if isinstance(step, Settle) else step.params.get("PolicyName") or step.params.get("PolicyArn") or "role"
        for step in steps
    ]
    assert said == ["role", OWN_ROLE, UNTIL, "policy-more", "wait", view, "wait", audit]
    assert Order().steps(grant, plan(grant, None)) == plan(grant, None)


def test_ctrl_c_while_the_deny_is_put_does_not_claim_that_nothing_was_changed(
    iam: Any, role: Any, waiting: Waiting, now: datetime
) -> None:
    def stop(call: Call) -> None:
        if call.operation == "put_role_policy":
            raise KeyboardInterrupt

    iam.after = stop
    with pytest.raises(Interrupted) as stopped:
        taken_back(iam, waiting, now)
    assert stopped.value.exit_code == 130
    assert "nothing was changed" not in str(stopped.value)
    assert "during iam:PutRolePolicy; AWS may or may not have performed it" in stopped.value.what
