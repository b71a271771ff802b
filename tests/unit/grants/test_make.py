"""A grant made: proved, performed, read back, proved again; interrupted anywhere, finished by the next run."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from tests.unit.grants.whole_errors import Late, whole_error

from valetkey.account.calls import Call, CallError
from valetkey.errors import ValetkeyError
from valetkey.grants.grant import REVOKED, Grant
from valetkey.grants.make import Interrupted, NotProved, interruption, is_trust_shown, make, prove
from valetkey.grants.plan import Differs, Order, adopted, plan
from valetkey.grants.role import read_role
from valetkey.grants.waiting import SETTLE_SECONDS, Waiting
from valetkey.trust.self_denies import kill_deny
from valetkey.trust.writing import write_trust

WRITES = 6


def made(iam: Any, grant: Grant, waiting: Waiting, now: datetime) -> Any:
    return make(grant, read_role(iam, grant.name), perform=iam, now=now, waiting=waiting)


def test_a_grant_is_made_and_seen(iam: Any, grant: Grant, waiting: Waiting, now: datetime) -> None:
    done = made(iam, grant, waiting, now)
    assert done.calls == plan(grant, None)
    assert done.proof.holds
    assert done.role.arn == grant.role_arn
    assert made(iam, grant, waiting, now).calls == ()


@pytest.mark.parametrize("is_performed", [True, False], ids=["answer lost", "not performed"])
@pytest.mark.parametrize("count", range(WRITES))
def test_interrupted_at_any_write_the_next_run_finishes_with_the_same_external_id(
    iam: Any, grant: Grant, waiting: Waiting, now: datetime, count: int, is_performed: bool
) -> None:
    def cut(call: Call) -> None:
        if not call.operation.startswith(("get_", "list_")) and len(iam.log) == count + is_performed:
            raise CallError(call, "TimedOut", "no answer")

    setattr(iam, "after" if is_performed else "before", cut)
    with pytest.raises(Interrupted) as failed:
        made(iam, grant, waiting, now)
    assert failed.value.exit_code == 3
    assert "again" in failed.value.do
    iam.before = iam.after = lambda call: None
    role = read_role(iam, grant.name)
    again = adopted(replace(grant, terms=replace(grant.terms, external_id="f" * 32), request=None), role)
    left = make(again if role else grant, role, perform=iam, now=now, waiting=waiting).calls
    assert left == plan(grant, None)[count + is_performed :]
    assert read_role(iam, grant.name) is not None
    assert plan(grant, read_role(iam, grant.name)) == ()


def test_no_call_is_made_with_a_trust_that_is_not_proved(
    iam: Any, grant: Grant, waiting: Waiting, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(terms: Any) -> Any:
        from valetkey.trust.writing import write_trust

        document = copy.deepcopy(write_trust(terms))
        del document["Statement"][0]["Condition"]["StringEquals"]
        return document

    monkeypatch.setattr("valetkey.grants.make.write_trust", careless)
    with pytest.raises(NotProved) as refused:
        made(iam, grant, waiting, now)
    assert refused.value.exit_code == 1
    assert refused.value.shown.failures
    assert iam.log == []


def test_no_permission_follows_a_trust_that_comes_back_other_than_it_was_sent(
    iam: Any, grant: Grant, waiting: Waiting, now: datetime
) -> None:
    def widen(call: Call) -> None:
        if call.operation == "create_role":
            statements = iam.roles["audit"]["AssumeRolePolicyDocument"]["Statement"]
            statements.append({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})

    iam.after = widen
    with pytest.raises((NotProved, Differs)):
        made(iam, grant, waiting, now)
    assert iam.log == ["create_role"]


@pytest.mark.parametrize("interrupted", [False, True])
def test_the_trust_is_proved_before_a_permission_even_where_the_comparison_with_the_terms_sees_nothing(
    iam: Any, grant: Grant, waiting: Waiting, now: datetime, monkeypatch: pytest.MonkeyPatch, interrupted: bool
) -> None:
    # The comparison and the proof guard the same door: each of them must hold without the other.
    monkeypatch.setattr("valetkey.grants.plan._differences", lambda wanted, role: ())

    def widen(call: Call) -> None:
        if call.operation == "create_role":
            statements = iam.roles["audit"]["AssumeRolePolicyDocument"]["Statement"]
            statements.append({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})

    iam.after = widen
    if interrupted:
        iam(plan(grant, None)[0])
        iam.log.clear()
    role = read_role(iam, grant.name)
    with pytest.raises(NotProved):
        make(grant, role, perform=iam, now=now, waiting=waiting)
    assert iam.log == ([] if interrupted else ["create_role"])
    assert not iam.roles["audit"]["inline"]
    assert not iam.roles["audit"]["managed"]


def test_a_role_that_is_not_visible_yet_is_waited_for(iam: Any, grant: Grant, waiting: Waiting, now: datetime) -> None:
    unseen = [4]

    def blind(call: Call) -> None:
        if iam.log and call.operation in ("get_role", "put_role_policy") and unseen[0]:
            unseen[0] -= 1
            raise CallError(call, "NoSuchEntity", "not yet")

    iam.before = blind
    assert len(made(iam, grant, waiting, now).calls) == WRITES


def test_waiting_ends(iam: Any, grant: Grant, waiting: Waiting, now: datetime) -> None:
    def blind(call: Call) -> None:
        if call.operation == "attach_role_policy":
            iam.roles["audit"]["managed"].clear()

    iam.after = blind
    with pytest.raises(Interrupted, match="is not complete in the account"):
        made(iam, grant, waiting, now)
    assert waiting.clock() >= 60


def test_a_role_that_is_created_and_never_shown_ends_the_waiting(
    iam: Any, grant: Grant, waiting: Waiting, now: datetime
) -> None:
    def blind(call: Call) -> None:
        if iam.log and call.operation == "get_role":
            raise CallError(call, "NoSuchEntity", "not yet")

    iam.before = blind
    with pytest.raises(Interrupted, match="is not complete in the account") as failed:
        made(iam, grant, waiting, now)
    assert failed.value.exit_code == 3


def test_a_create_that_was_heard_twice_is_no_error(iam: Any, grant: Grant, waiting: Waiting, now: datetime) -> None:
    def twice(call: Call) -> None:
        if call.operation == "create_role" and iam.log == ["create_role"]:
            raise CallError(call, "EntityAlreadyExists", "the retry of boto3 finds what the first attempt made")

    iam.after = twice
    made(iam, grant, waiting, now)
    assert plan(grant, read_role(iam, "audit")) == ()


def test_a_name_that_differs_in_case_only_is_explained(iam: Any, grant: Grant, waiting: Waiting, now: datetime) -> None:
    made(iam, replace(grant, name="Audit"), waiting, now)
    began = waiting.clock()
    with pytest.raises(ValetkeyError, match="does not return it under this name"):
        made(iam, grant, waiting, now)
    assert waiting.clock() - began <= 20


def test_a_pinned_principal_that_does_not_exist_becomes_advice(
    iam: Any, grant: Grant, waiting: Waiting, now: datetime
) -> None:
    def refuse(call: Call) -> None:
        if call.operation == "create_role":
            raise CallError(call, "MalformedPolicyDocument", "Invalid principal in policy")

    iam.before = refuse
    pinned = replace(grant.terms, pin=(f"arn:aws:iam::{grant.terms.contractor}:user/nobody",))
    with pytest.raises(Interrupted) as refused:
        made(iam, replace(grant, terms=pinned), waiting, now)
    assert refused.value.exit_code == 2
    assert "--only" in refused.value.do


@pytest.mark.parametrize("code", ["LimitExceeded", "AccessDenied"])
def test_a_refused_write_names_what_was_done(
    iam: Any, grant: Grant, waiting: Waiting, now: datetime, code: str
) -> None:
    def refuse(call: Call) -> None:
        if call.operation == "attach_role_policy":
            raise CallError(call, code, "no")

    iam.before = refuse
    with pytest.raises(Interrupted) as refused:
        made(iam, grant, waiting, now)
    assert refused.value.exit_code == 3
    assert "iam:CreateRole" in refused.value.what


def test_throttling_is_waited_out(iam: Any, grant: Grant, waiting: Waiting, now: datetime) -> None:
    left = {"create_role": 4, "attach_role_policy": 4}

    def throttle(call: Call) -> None:
        if left.get(call.operation):
            left[call.operation] -= 1
            raise CallError(call, "Throttling", "Rate exceeded")

    iam.before = throttle
    make(grant, None, perform=iam, now=now, waiting=waiting)
    assert not any(left.values())
    assert len(iam.roles["audit"]["managed"]) == 2


def test_a_revocation_that_began_while_somebody_thought_it_over_is_not_undone(
    iam: Any, grant: Grant, waiting: Waiting, now: datetime
) -> None:
    for call in plan(grant, None)[:-1]:
        iam(call)
    prepared = read_role(iam, grant.name)
    iam.roles["audit"]["inline"][REVOKED] = kill_deny()
    iam.log.clear()
    with pytest.raises(Differs):
        make(grant, prepared, perform=iam, now=now, waiting=waiting)
    assert iam.log == []


def test_a_role_that_went_while_somebody_thought_it_over_is_made_anew(
    iam: Any, grant: Grant, waiting: Waiting, now: datetime
) -> None:
    made(iam, grant, waiting, now)
    prepared = read_role(iam, grant.name)
    del iam.roles["audit"]
    assert make(grant, prepared, perform=iam, now=now, waiting=waiting).calls == plan(grant, None)


@pytest.mark.parametrize("is_performed", [True, False], ids=["answer lost", "not performed"])
@pytest.mark.parametrize("count", [0, 2])
def test_ctrl_c_at_a_write_says_what_was_done_and_what_may_be(
    iam: Any, grant: Grant, waiting: Waiting, now: datetime, count: int, is_performed: bool
) -> None:
    calls = [call.action for call in plan(grant, None)]

    def cut(call: Call) -> None:
        if not call.operation.startswith(("get_", "list_")) and len(iam.log) == count + is_performed:
            raise KeyboardInterrupt

    setattr(iam, "after" if is_performed else "before", cut)
    with pytest.raises(Interrupted) as stopped:
        made(iam, grant, waiting, now)
    assert stopped.value.exit_code == 130
    so_far = ", ".join(calls[:count]) or "nothing"
    assert stopped.value.what == (
        f"interrupted: {grant.name} is not finished; done: {so_far}, and perhaps {calls[count]}"
    )


@pytest.mark.parametrize("count", [0, 2])
def test_a_write_without_an_answer_is_not_called_undone(
    iam: Any, grant: Grant, waiting: Waiting, now: datetime, count: int
) -> None:
    calls = [call.action for call in plan(grant, None)]

    def lose(call: Call) -> None:
        if not call.operation.startswith(("get_", "list_")) and len(iam.log) == count + 1:
            raise CallError(call, "InternalFailure", "no answer")

    iam.after = lose
    with pytest.raises(Interrupted) as stopped:
        made(iam, grant, waiting, now)
    so_far = ", ".join(calls[:count]) or "nothing"
    assert stopped.value.what.endswith(f"(done so far: {so_far}, and perhaps {calls[count]})")
    assert stopped.value.do == "run the same command again to finish: the role allows no more than the terms"


def test_ctrl_c_before_the_first_write_says_that_nothing_was_changed(
    iam: Any, grant: Grant, waiting: Waiting, now: datetime
) -> None:
    def cut(call: Call) -> None:
        raise KeyboardInterrupt

    assert made(iam, grant, waiting, now).calls
    iam.before = cut
    with pytest.raises(Interrupted, match=r"^interrupted: nothing was changed"):
        make(grant, read_role_of(iam, grant), perform=iam, now=now, waiting=waiting)


def read_role_of(iam: Any, grant: Grant) -> Any:
    iam.before, before = (lambda call: None), iam.before
    role = read_role(iam, grant.name)
    iam.before = before
    return role


# -- what is said ---------------------------------------------------------------

ARN = "arn:aws:iam::111111111111:role/partners/audit"
TOO_LARGE = (
    "the trust policy is larger than this account allows: name fewer principals, or raise the quota 'Role trust policy "
    "length' in Service Quotas"
)
BAD_PRINCIPAL = (
    "the usual cause is a principal that does not exist: check the contractor's account id, and that every --pin "
    "exists (names given with --only do not have to exist)"
)
QUOTA = "a quota of the account is reached: raise it in Service Quotas, or remove something"
AGAIN = "run the same command again to finish: the role allows no more than the terms"


def refused_at(iam: Any, operation: str, code: str, message: str = "no", do: str = "") -> None:
    def hook(call: Call) -> None:
        if call.operation == operation:
            raise CallError(call, code, message, do=do)

    iam.before = hook


@pytest.mark.parametrize(
    ("code", "message", "do", "said", "exit_code"),
    [
        ("AccessDenied", "no", "ask for iam:CreateRole", "ask for iam:CreateRole", 3),
        ("AccessDenied", "no", "", "nothing was granted; run the same command again", 3),
        ("MalformedPolicyDocument", "no", "", BAD_PRINCIPAL, 2),
        ("LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000", "", QUOTA, 3),
        ("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048", "", TOO_LARGE, 3),
        ("AccessDenied", "ACLSizePerRole", "", "nothing was granted; run the same command again", 3),
    ],
)
def test_a_refused_first_write_says_what_to_do(
    iam: Any, grant: Grant, waiting: Waiting, now: datetime, code: str, message: str, do: str, said: str, exit_code: int
) -> None:
    refused_at(iam, "create_role", code, message, do)
    with pytest.raises(Interrupted) as stopped:
        made(iam, grant, waiting, now)
    assert whole_error(stopped) == (f"iam:CreateRole failed: {code}: {message}", said, ARN, exit_code)


@pytest.mark.parametrize(
    ("code", "do", "said"),
    [
        ("AccessDenied", "", AGAIN),
        ("AccessDenied", "ask for iam:PutRolePolicy", f"ask for iam:PutRolePolicy; then {AGAIN}"),
        ("MalformedPolicyDocument", "", f"{BAD_PRINCIPAL}; then {AGAIN}"),
    ],
)
def test_a_refused_later_write_says_what_is_done_and_to_go_on(
    iam: Any, grant: Grant, waiting: Waiting, now: datetime, code: str, do: str, said: str
) -> None:
    refused_at(iam, "put_role_policy", code, do=do)
    with pytest.raises(Interrupted) as stopped:
        made(iam, grant, waiting, now)
    what = f"iam:PutRolePolicy failed: {code}: no (done so far: iam:CreateRole)"
    assert whole_error(stopped) == (what, said, ARN, 3)


def test_an_interruption_is_told_whole(iam: Any, grant: Grant, waiting: Waiting, now: datetime) -> None:
    def cut(call: Call) -> None:
        if call.operation == "attach_role_policy":
            raise KeyboardInterrupt

    iam.before = cut
    with pytest.raises(Interrupted) as stopped:
        made(iam, grant, waiting, now)
    done = "iam:CreateRole, iam:PutRolePolicy, iam:PutRolePolicy, iam:PutRolePolicy"
    assert whole_error(stopped) == (
        f"interrupted: audit is not finished; done: {done}, and perhaps iam:AttachRolePolicy",
        "the role allows no more than the terms; run the same command again to finish, or `valetkey revoke audit`",
        ARN,
        130,
    )
    # Between two writes there is no perhaps.
    iam.before = lambda call: None
    iam.roles.clear()
    iam.after = lambda call: None
    began = []

    def tell(call: Call) -> None:
        began.append(call)
        if len(began) == 3:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as stopped:
        make(grant, None, perform=iam, now=now, waiting=waiting, tell=tell)
    assert stopped.value.what == "interrupted: audit is not finished; done: iam:CreateRole, iam:PutRolePolicy"


def test_an_interruption_before_any_write_is_told_whole(
    iam: Any, grant: Grant, waiting: Waiting, now: datetime
) -> None:
    def tell(call: Call) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as stopped:
        make(grant, None, perform=iam, now=now, waiting=waiting, tell=tell)
    assert whole_error(stopped) == ("interrupted: nothing was changed", "", ARN, 130)


@pytest.mark.parametrize(
    ("begun", "what"),
    [
        (None, "interrupted"),
        (
            Call("iam", "tag_role"),
            "interrupted during iam:TagRole; AWS may or may not have performed it",
        ),
    ],
)
def test_what_ctrl_c_interrupted_is_named(begun: Call | None, what: str) -> None:
    assert interruption(begun) == what


def test_a_role_that_is_not_shown_in_time_is_told_whole(
    iam: Any, grant: Grant, waiting: Waiting, now: datetime
) -> None:
    iam.after = lambda call: iam.roles["audit"]["managed"].clear() if call.operation == "attach_role_policy" else None
    with pytest.raises(Interrupted) as stopped:
        make(grant, None, perform=iam, now=now, waiting=replace(waiting, limit=7.6))
    assert whole_error(stopped) == (
        "audit is not complete in the account 8 s after it was created",
        "run the same command again: it reads, checks and finishes the role, which allows no more than the terms",
        ARN,
        3,
    )


def test_a_name_in_other_case_is_told_whole_after_seconds(
    iam: Any, grant: Grant, waiting: Waiting, now: datetime
) -> None:
    made(iam, replace(grant, name="Audit"), waiting, now)
    for limit, waited in ((60.0, 20.0), (5.0, 5.0)):
        began = waiting.clock()
        with pytest.raises(ValetkeyError) as refused:
            make(grant, None, perform=iam, now=now, waiting=replace(waiting, limit=limit))
        assert waiting.clock() - began == pytest.approx(waited)
        assert whole_error(refused) == (
            "AWS reports that the role audit exists, but does not return it under this name",
            "look for a role whose name differs in upper and lower case only, and choose another name",
            ARN,
            2,
        )


def test_a_trust_that_is_not_proved_is_told_whole(grant: Grant) -> None:
    wide = write_trust(replace(grant.terms, mfa_max_age=None))
    with pytest.raises(NotProved) as refused:
        prove(wide, grant)
    assert whole_error(refused) == (
        "the trust policy of audit is not proved to admit exactly the terms",
        "nothing may be written with it; please report this with the terms that you gave",
        ARN,
        1,
    )
    assert not refused.value.shown.holds


def test_waits_are_told_and_what_was_written_counts(iam: Any, grant: Grant, waiting: Waiting, now: datetime) -> None:
    waits: list[float] = []
    said: list[str] = []
    done = make(
        grant,
        None,
        perform=iam,
        now=now,
        waiting=waiting,
        order=Order({}, frozenset({2})),
        tell=lambda call: said.append(call.operation),
        tell_wait=waits.append,
    )
    assert said == iam.log == [call.operation for call in done.calls]
    assert waits == [SETTLE_SECONDS]


# -- the trust as AWS shows it ---------------------------------------------------------------------------------------


def replaced(iam: Any, grant: Grant, looks: int) -> tuple[Late, Any]:
    """The grant with another end, of which AWS still shows the trust policy of before for some looks."""
    for call in plan(replace(grant, terms=replace(grant.terms, until=None)), None):
        iam(call)
    role, late = read_role(iam, "audit"), Late(iam, looks)
    about = {"RoleName": "audit", "PolicyDocument": json.dumps(write_trust(grant.terms))}
    late(Call("iam", "update_assume_role_policy", about))
    return late, role


@pytest.mark.parametrize("looks", [0, 3])
def test_the_new_trust_is_waited_for(iam: Any, grant: Grant, waiting: Waiting, looks: int) -> None:
    late, role = replaced(iam, grant, looks)
    assert is_trust_shown(grant, role, perform=late, waiting=waiting) is True
    assert late.looks == 0
    assert (waiting.clock() > 0) is bool(looks)


def test_a_trust_that_is_not_shown_in_time_is_not_taken_for_shown(iam: Any, grant: Grant, waiting: Waiting) -> None:
    late, role = replaced(iam, grant, 10**6)
    assert is_trust_shown(grant, role, perform=late, waiting=waiting) is False
    assert waiting.clock() == pytest.approx(60.0)


def test_a_shown_trust_is_proved_as_it_is_shown(
    iam: Any, grant: Grant, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison with the terms and the proof guard the same door: each of them holds without the other."""
    late, role = replaced(iam, grant, 0)
    monkeypatch.setattr("valetkey.grants.make.terms_on", lambda role, contractor: grant.terms)
    iam.roles["audit"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": "*"}
    with pytest.raises(NotProved):
        is_trust_shown(grant, role, perform=late, waiting=waiting)
