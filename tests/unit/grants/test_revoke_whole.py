"""A revocation: the whole receipt, what is said wherever it stops, and how long it waits for what."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.unit.grants.fake_iam import ALLOW_ALL_READS, FakeIam
from tests.unit.grants.whole_errors import Late, refuse, standing_of, whole_error

from valetkey.account.calls import Call, CallError
from valetkey.grants.grant import OWN_ROLE, REVOKED, UNTIL, Grant
from valetkey.grants.make import Interrupted
from valetkey.grants.others import Others, other_roles, trusts
from valetkey.grants.plan import plan
from valetkey.grants.revoke import Receipt, Removed, Shut, plan_close, plan_remove, revoke, shut
from valetkey.grants.role import read_role
from valetkey.grants.taken import NOTHING_READ, HeldPolicies, Taken, read_held, taken
from valetkey.grants.waiting import BUSY, Settle, Waiting
from valetkey.trust.record import PAUSED, SESSIONS
from valetkey.trust.self_denies import SessionsDeny, held_deny, kill_deny, pause_deny
from valetkey.trust.writing import closed_trust

AUDIT, VIEW, LIMIT = (
    f"arn:aws:iam::aws:policy/{name}" for name in ("SecurityAudit", "job-function/ViewOnlyAccess", "ReadOnlyAccess")
)
ARN = "arn:aws:iam::111111111111:role/partners/audit"
DENIED = "the role carries the deny on everything, which takes effect within seconds in most cases, up to a few minutes"
AGAIN = "run `valetkey revoke audit` again to finish"


@pytest.fixture
def role(iam: FakeIam, grant: Grant) -> dict[str, Any]:
    for call in plan(grant, None):
        iam(call)
    iam.log.clear()
    return iam.roles["audit"]


def taken_back(iam: FakeIam, waiting: Waiting, now: datetime, perform: Any = None, **more: Any) -> Receipt:
    return revoke(standing_of(iam), perform=perform or iam, now=lambda: now, waiting=waiting, **more)


def stopped(iam: FakeIam, waiting: Waiting, now: datetime, **more: Any) -> tuple[str, str, str, int]:
    with pytest.raises(Interrupted) as problem:
        taken_back(iam, waiting, now, **more)
    return whole_error(problem)


def test_the_whole_receipt(iam: FakeIam, role: Any, waiting: Waiting, now: datetime) -> None:
    said: list[Call] = []
    receipt = taken_back(iam, waiting, now, tell=said.append, settle=7.0)
    assert receipt == Receipt(
        name="audit",
        role_arn=ARN,
        contractor="222222222222",
        removed=tuple(Removed(call, now) for call in said),
        trust_closed=True,
        gone_at=now,
        others=Others((), ()),
        waited=7.0,
        skipped=False,
        undone=0,
        taken=Taken((), ()),
    )
    assert [call.operation for call in said] == iam.log


def test_other_roles_are_looked_for_where_asked_and_known_for_whom(
    iam: FakeIam, role: Any, grant: Grant, waiting: Waiting, now: datetime
) -> None:
    for call in plan(replace(grant, name="second"), None):
        iam(call)
    assert taken_back(iam, waiting, now, with_others=False).others is None
    for call in plan(grant, None):
        iam(call)
    assert taken_back(iam, waiting, now).others == Others(("second",), ())
    for call in plan(grant, None):
        iam(call)
    standing = standing_of(iam)
    nobody = replace(standing, record=replace(standing.record, contractor=""))
    assert revoke(nobody, perform=iam, now=lambda: now, waiting=waiting).others is None


@pytest.mark.parametrize(
    ("operation", "code", "do"),
    [
        ("put_role_policy", "AccessDenied", "nothing was changed: the access is unchanged"),
        ("put_role_policy", "TimedOut", "the access may be unchanged"),
        ("detach_role_policy", "AccessDenied", DENIED),
        ("delete_role", "AccessDenied", "the role carries no policy and admits nobody"),
        ("update_assume_role_policy", "AccessDenied", DENIED),
    ],
)
def test_a_failure_is_told_whole(
    iam: FakeIam, role: Any, waiting: Waiting, now: datetime, operation: str, code: str, do: str
) -> None:
    action = Call("iam", operation).action
    iam.before = refuse(code, operation)
    assert stopped(iam, waiting, now) == (f"{action} failed: {code}: no", f"{AGAIN}; {do}", ARN, 3)


def test_a_role_without_room_for_the_deny_is_told_what_to_delete(
    iam: FakeIam, role: Any, waiting: Waiting, now: datetime
) -> None:
    iam.before = refuse("LimitExceeded", "put_role_policy")
    first = "its inline policies leave no room for the deny: delete the largest by hand, then "
    what = "iam:PutRolePolicy failed: LimitExceeded: no"
    unchanged = "nothing was changed: the access is unchanged"
    assert stopped(iam, waiting, now) == (what, f"{first}{AGAIN}; {unchanged}", ARN, 3)
    again = "run `valetkey revoke audit --confirm audit` again to finish"
    assert stopped(iam, waiting, now, again="--confirm audit") == (what, f"{first}{again}; {unchanged}", ARN, 3)
    with pytest.raises(Interrupted) as problem:
        shut(standing_of(iam), perform=iam, now=lambda: now, waiting=waiting, again="--confirm audit")
    assert whole_error(problem) == (what, f"{first}{again}; {unchanged}", ARN, 3)


def test_a_role_that_is_still_shown_is_told(iam: FakeIam, role: Any, waiting: Waiting, now: datetime) -> None:
    iam._delete_role = lambda call, RoleName: None  # type: ignore[method-assign]
    assert stopped(iam, waiting, now) == (
        "audit is still shown by AWS",
        f"{AGAIN}; the role carries no policy and admits nobody",
        ARN,
        3,
    )
    assert waiting.clock() >= 60


def test_a_role_that_cannot_be_deleted_is_told_why(iam: FakeIam, role: Any, waiting: Waiting, now: datetime) -> None:
    iam.before = refuse("DeleteConflict", "delete_role")
    assert stopped(iam, waiting, now) == (
        "iam:DeleteRole failed: DeleteConflict: no",
        f"{AGAIN}; the role carries no policy and admits nobody",
        ARN,
        3,
    )


def test_a_conflict_that_passes_is_waited_for(iam: FakeIam, role: Any, waiting: Waiting, now: datetime) -> None:
    """What the deletion waits for is read again each time, and what was in the way is not told."""
    left = [3]

    def busy(call: Call) -> None:
        if call.operation == "delete_role" and left[0]:
            left[0] -= 1
            raise CallError(call, "DeleteConflict", "not yet")

    iam.before = busy
    assert taken_back(iam, waiting, now).gone_at == now
    assert iam.roles == {}


def test_somebody_who_removes_the_deny_is_told(iam: FakeIam, role: Any, waiting: Waiting, now: datetime) -> None:
    puts: list[str] = []

    def remove(call: Call) -> None:
        if call.operation == "get_role" and iam.log:
            role["inline"].pop(REVOKED, None)
        puts.extend([call.operation] if call.operation == "put_role_policy" else [])

    iam.before = remove
    what, do, where, code = stopped(iam, waiting, now)
    assert what == (
        "AWS did not show the deny on audit 3 times after it was written: someone removes it, or AWS is slow"
    )
    assert (where, code, len(puts)) == (ARN, 3, 4)
    assert do.startswith(f"{AGAIN}; ")


def test_how_often_the_deny_was_put_again_is_counted(iam: FakeIam, role: Any, waiting: Waiting, now: datetime) -> None:
    left = [2]

    def remove(call: Call) -> None:
        if (
            call.operation == "get_role"
            and iam.log
            and REVOKED in role["inline"]
            and left[0]
            and iam.log[-1] != "delete_role"
        ):
            left[0] -= waits.count(1)
            if waits:
                waits.clear()
                del role["inline"][REVOKED]

    waits: list[int] = []
    iam.before = remove
    receipt = taken_back(iam, waiting, now, tell_wait=lambda seconds: waits.append(1))
    assert receipt.undone == 2
    assert [item.what for item in receipt.removed].count("deny on everything put on the role") == 3


@pytest.mark.parametrize("limit", [60.0, 4.0])
def test_the_closed_trust_is_looked_for_ten_seconds(
    iam: FakeIam, role: Any, waiting: Waiting, now: datetime, limit: float
) -> None:
    """It is not waited for longer: the deny holds, and the work goes on."""
    short = replace(waiting, limit=limit)
    receipt = taken_back(iam, short, now, Late(iam, 10**6), settle=0.0)
    assert not receipt.trust_closed
    assert waiting.clock() == pytest.approx(min(10.0, limit))
    assert iam.roles == {}


def test_the_closed_trust_may_be_shown_late(iam: FakeIam, role: Any, waiting: Waiting, now: datetime) -> None:
    assert taken_back(iam, waiting, now, Late(iam, 3), settle=0.0).trust_closed
    assert 0 < waiting.clock() < 10


@pytest.mark.parametrize("code", ["MalformedPolicyDocument", "InvalidInput", "ValidationError"])
def test_a_refused_closed_trust_is_not_sent_again(
    iam: FakeIam, role: Any, waiting: Waiting, now: datetime, code: str
) -> None:
    asked: list[str] = []
    hook = refuse(code, "update_assume_role_policy")

    def count(call: Call) -> None:
        asked.append(call.operation)
        hook(call)

    iam.before = count
    receipt = taken_back(iam, waiting, now)
    assert asked.count("update_assume_role_policy") == 1
    assert (receipt.trust_closed, iam.roles) == (False, {})


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"])
def test_only_a_refusal_leaves_the_instance_profiles_to_the_deletion(
    iam: FakeIam, role: Any, waiting: Waiting, now: datetime, code: str
) -> None:
    iam.before = refuse("Unreachable", "list_instance_profiles_for_role")
    what = "iam:ListInstanceProfilesForRole failed: Unreachable: no"
    assert stopped(iam, waiting, now)[0] == what
    iam.before = refuse(code, "list_instance_profiles_for_role")
    assert taken_back(iam, waiting, now).gone_at == now


@pytest.mark.parametrize("code", sorted(BUSY))
def test_a_busy_account_is_waited_for(iam: FakeIam, role: Any, waiting: Waiting, now: datetime, code: str) -> None:
    left, hook = [2], refuse(code, "detach_role_policy")

    def busy(call: Call) -> None:
        if left[0]:
            left[0] -= call.operation == "detach_role_policy"
            hook(call)

    iam.before = busy
    assert taken_back(iam, waiting, now).gone_at == now


# -- shut ---------------------------------------------------------------


def test_a_role_that_is_shut_carries_the_marked_deny(iam: FakeIam, role: Any, waiting: Waiting, now: datetime) -> None:
    iam.profiles["machines"] = "audit"
    said: list[Call] = []
    done = shut(standing_of(iam), perform=iam, now=lambda: now, waiting=waiting, tell=said.append)
    assert done == Shut(name="audit", role_arn=ARN, done=tuple(Removed(call, now) for call in said), trust_closed=True)
    assert iam.log == ["put_role_policy", "update_assume_role_policy"]
    assert role["inline"][REVOKED] == held_deny()
    assert (iam.profiles, role["managed"]) == ({"machines": "audit"}, [AUDIT, VIEW])
    assert waiting.clock() == 0
    again = shut(standing_of(iam), perform=iam, now=lambda: now, waiting=waiting)
    assert again == replace(done, done=())


def test_a_bare_role_is_shut_by_its_trust_alone(iam: FakeIam, role: Any, waiting: Waiting, now: datetime) -> None:
    role["AssumeRolePolicyDocument"], role["inline"], role["managed"] = closed_trust(), {}, []
    done = shut(standing_of(iam), perform=iam, now=lambda: now, waiting=waiting)
    assert (done.done, done.trust_closed) == ((), True)


@pytest.mark.parametrize(
    ("operation", "do"),
    [("put_role_policy", "nothing was changed: the access is unchanged"), ("update_assume_role_policy", DENIED)],
)
def test_shutting_that_fails_is_told(
    iam: FakeIam, role: Any, waiting: Waiting, now: datetime, operation: str, do: str
) -> None:
    standing = standing_of(iam)

    def attempt() -> tuple[str, str, str, int]:
        with pytest.raises(Interrupted) as problem:
            shut(standing, perform=iam, now=lambda: now, waiting=waiting)
        return whole_error(problem)

    iam.before = refuse("AccessDenied", operation)
    assert attempt() == (f"{Call('iam', operation).action} failed: AccessDenied: no", f"{AGAIN}; {do}", ARN, 3)

    def cut(call: Call) -> None:
        if call.operation == operation:
            raise KeyboardInterrupt

    iam.before = cut
    what, _, where, code = attempt()
    assert what == f"interrupted during {Call('iam', operation).action}; AWS may or may not have performed it"
    assert (where, code) == (ARN, 130)


def test_a_role_that_went_is_not_said_to_be_shut(iam: FakeIam, role: Any, waiting: Waiting, now: datetime) -> None:
    standing = standing_of(iam)
    iam.roles.clear()
    with pytest.raises(Interrupted) as problem:
        shut(standing, perform=iam, now=lambda: now, waiting=waiting)
    unchanged = "nothing was changed: the access is unchanged"
    assert whole_error(problem) == ("audit is no longer visible in the account", f"{AGAIN}; {unchanged}", ARN, 3)


# -- plans ---------------------------------------------------------------


def closing(iam: FakeIam, **more: Any) -> list[tuple[str, Any]]:
    role = read_role(iam, "audit")
    assert role is not None
    calls = plan_close(role, closed=closed_trust(), **more)
    assert all(call.params["RoleName"] == "audit" for call in calls)
    return [(call.operation, json.loads(call.params["PolicyDocument"])) for call in calls]


def test_what_is_left_to_close(iam: FakeIam, role: Any) -> None:
    put, keep = ("put_role_policy", kill_deny()), ("put_role_policy", held_deny())
    close = ("update_assume_role_policy", closed_trust())
    assert closing(iam) == [put, close]
    assert closing(iam, keep=True) == [keep, close]
    role["inline"][REVOKED] = held_deny()
    assert (closing(iam), closing(iam, keep=True)) == ([close], [close])
    role["inline"][REVOKED] = kill_deny()
    assert (closing(iam), closing(iam, keep=True)) == ([close], [keep, close])
    role["AssumeRolePolicyDocument"] = closed_trust()
    assert closing(iam) == []
    role["inline"], role["managed"] = {}, []
    assert (closing(iam), closing(iam, keep=True)) == ([], [])
    assert closing(iam, profiles=("p",)) == [put]
    role["managed"] = [AUDIT]
    assert closing(iam) == [put]


def test_what_is_left_to_remove(iam: FakeIam, role: Any) -> None:
    role["inline"] = {
        UNTIL: kill_deny(),
        "z": kill_deny(),
        OWN_ROLE: kill_deny(),
        "a": kill_deny(),
        REVOKED: kill_deny(),
    }
    live_role = read_role(iam, "audit")
    assert live_role is not None
    held = HeldPolicies({}, {AUDIT: ALLOW_ALL_READS, VIEW: kill_deny()}, None, ())
    steps = plan_remove(live_role, ("p", "q"), closed=closed_trust(), held=held)
    said = [
        "wait" if isinstance(step, Settle) else " ".join([step.operation, *list(step.params.values())[1:]])
        for step in steps
    ]
    assert said == [
        "remove_role_from_instance_profile p",
        "remove_role_from_instance_profile q",
        f"detach_role_policy {AUDIT}",
        "wait",
        f"detach_role_policy {VIEW}",
        "delete_role_policy a",
        "delete_role_policy z",
        f"delete_role_policy {OWN_ROLE}",
        f"delete_role_policy {UNTIL}",
        f"delete_role_policy {REVOKED}",
        "delete_role",
    ]
    bare = replace(live_role, inline={}, managed=(), trust=closed_trust())
    assert plan_remove(bare, (), closed=closed_trust()) == (Call("iam", "delete_role", {"RoleName": "audit"}),)
    assert len(plan_remove(bare, ("p",), closed=closed_trust())) > 1
    assert len(plan_remove(bare, (), closed=None)) > 1


# -- held and taken ---------------------------------------------------------------

ECR = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}]}


def test_what_a_role_holds_is_read_with_what_was_agreed(iam: FakeIam, role: Any, now: datetime) -> None:
    role["managed"] = [LIMIT, AUDIT]
    role["inline"] |= {
        REVOKED: kill_deny(),
        SESSIONS: SessionsDeny(before=now).document,
        PAUSED: pause_deny(),
    }
    standing = standing_of(iam)
    own = {OWN_ROLE: role["inline"][OWN_ROLE], UNTIL: role["inline"][UNTIL]}
    assert read_held(standing.role, standing.record, iam) == HeldPolicies(
        inline={"policy-more": ALLOW_ALL_READS, **own},
        managed=dict.fromkeys((LIMIT, AUDIT, VIEW), ALLOW_ALL_READS),
        boundary=ALLOW_ALL_READS,
        unread=(),
    )
    del role["inline"]["policy-more"]
    iam.before = refuse("Unreachable", "get_policy", PolicyArn=VIEW)
    standing = replace(standing, role=read_role(iam, "audit") or standing.role)
    assert read_held(standing.role, standing.record, iam).unread == (VIEW, "policy-more")
    iam.before = refuse("AccessDenied", "get_policy_version")
    assert read_held(standing.role, standing.record, iam) == HeldPolicies(
        own, {}, None, (LIMIT, AUDIT, VIEW, LIMIT, "policy-more")
    )


def test_what_no_tag_could_hold_and_a_document_that_is_none_are_unread(iam: FakeIam, role: Any) -> None:
    standing = standing_of(iam)
    standing = replace(
        standing,
        role=replace(standing.role, boundary=None),
        record=replace(standing.record, managed=("sha256:0", AUDIT)),
    )
    iam.policies[VIEW] = "nonsense"
    held = read_held(standing.role, standing.record, iam)
    assert (held.unread, set(held.managed), held.boundary) == ((VIEW, "sha256:0"), {AUDIT}, None)


def test_what_a_policy_of_a_name_holds() -> None:
    held = HeldPolicies({"a": kill_deny(), AUDIT: kill_deny()}, {AUDIT: ALLOW_ALL_READS}, None, ())
    assert [held.kind(item) for item in (AUDIT, "a", "b")] == ["allows", "denies", "both"]
    assert HeldPolicies({}, {}, None, ()) == NOTHING_READ


@pytest.mark.parametrize(
    ("deny", "outlives"),
    [
        ({"Action": "*", "Resource": "*"}, True),
        ({"Action": ["s3:*", "*"], "Resource": ["arn:aws:s3:::x", "*"]}, True),
        # What was there before it was stopped counts: these were not put there to stop it.
        ({"Action": "ecr:*", "Resource": "*"}, False),
        ({"NotAction": "s3:*", "Resource": "*"}, False),
        ({"Action": "*", "Resource": "arn:aws:ecr:*:*:*"}, True),
    ],
)
def test_a_deny_on_everything_hides_nothing(deny: dict[str, Any], outlives: bool) -> None:
    documents = {"x/ecr": ECR, "deny": {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", **deny}]}}
    result = taken(HeldPolicies(documents, {}, None, ()), role_arn=ARN)
    assert [(item.actions, item.policies) for item in result.outlives] == (
        [(("ecr:GetAuthorizationToken",), ("ecr",))] if outlives else []
    )
    assert result.unread == ()


@pytest.mark.parametrize(
    "nothing", [{"NotAction": "*", "Resource": "*"}, {"Action": "*", "NotResource": "*"}], ids=["action", "resource"]
)
def test_a_deny_on_nothing_is_no_stop(nothing: dict[str, Any]) -> None:
    denies = [{"Effect": "Deny", **nothing}, {"Effect": "Deny", "Action": "ecr:*", "Resource": "*"}]
    documents = {"ecr": ECR, "deny": {"Version": "2012-10-17", "Statement": denies}}
    assert taken(HeldPolicies(documents, {}, None, ()), role_arn=ARN).outlives == ()


def test_a_policy_that_denies_everything_and_allows_is_no_stop() -> None:
    both = {"Version": "2012-10-17", "Statement": [*kill_deny()["Statement"], *ECR["Statement"]]}  # type: ignore[misc]
    assert taken(HeldPolicies({"both": both}, {}, None, ()), role_arn=ARN).outlives == ()
    dated = {**kill_deny()["Statement"][0], "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    result = taken(
        HeldPolicies({"ecr": ECR, "d": {"Version": "2012-10-17", "Statement": [dated]}}, {}, None, ()), role_arn=ARN
    )
    assert len(result.outlives) == 1


def test_a_policy_that_cannot_be_understood_is_named() -> None:
    result = taken(HeldPolicies({"odd": {"text": "x"}, "ecr": ECR}, {}, None, ("lost",)), role_arn=ARN)
    assert result.unread == ("lost", "odd")
    assert len(result.outlives) == 1
    assert (
        taken(HeldPolicies({"ecr": ECR}, {}, {"Version": "2012-10-17", "Statement": []}, ()), role_arn=ARN).outlives
        == ()
    )


# -- other roles ---------------------------------------------------------------


def test_a_list_that_may_not_be_read_is_not_empty(iam: FakeIam, role: Any) -> None:
    iam.before = refuse("AccessDenied", "list_roles")
    assert other_roles(iam, "222222222222", but="x") is None
    iam.before = lambda call: None
    assert other_roles(iam, "222222222222", but="x") == Others(("audit",), ())
    assert other_roles(iam, "333333333333", but="x") == Others((), ())


@pytest.mark.parametrize(
    ("role_arn", "principal", "trusted"),
    [
        ("arn:aws:iam::111111111111:role/r", "arn:aws:iam::222222222222:root", True),
        ("arn:aws-cn:iam::111111111111:role/r", "arn:aws-cn:iam::222222222222:root", True),
        ("arn:aws:iam::111111111111:role/r", "arn:aws:iam::222222222222:user/x", True),
        ("arn:aws:iam::111111111111:role/r", "arn:aws:iam::333333333333:root", False),
    ],
)
def test_an_account_is_the_same_in_the_same_partition(role_arn: str, principal: str, trusted: bool) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    assert trusts(document, "222222222222", role_arn=role_arn) is trusted


@pytest.mark.parametrize("document", ["nonsense", {"Version": "2012-10-17", "Statement": "x"}, {}])
def test_a_trust_that_cannot_be_read_is_not_decided(document: Any) -> None:
    assert trusts(document, "222222222222", role_arn="arn:aws:iam::111111111111:role/r") is None


def test_a_removal_is_seen_an_hour_later(iam: FakeIam, role: Any, waiting: Waiting, now: datetime) -> None:
    """Each call has its own time."""
    at = [now]

    def clock() -> datetime:
        at[0] += timedelta(seconds=1)
        return at[0]

    receipt = revoke(standing_of(iam), perform=iam, now=clock, waiting=waiting)
    times = [item.at for item in receipt.removed]
    assert times == [now + timedelta(seconds=number) for number in range(1, len(times) + 1)]
    assert receipt.gone_at == times[-1] + timedelta(seconds=1)
