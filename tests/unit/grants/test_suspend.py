"""A suspension put, moved and ended: what is written, what is said where it stops, and when it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.grants.fake_iam import FakeIam
from tests.unit.grants.whole_errors import refuse, standing_of, whole_error

from valetkey.account.calls import Call
from valetkey.errors import ValetkeyError
from valetkey.grants.grant import Grant
from valetkey.grants.make import Interrupted
from valetkey.grants.plan import plan
from valetkey.grants.role import read_owner
from valetkey.grants.suspend import Resumed, Suspended, resume, suspend, suspensions
from valetkey.grants.waiting import Waiting
from valetkey.trust.record import REVOKED, SESSIONS
from valetkey.trust.self_denies import SessionsDeny, kill_deny

ARN = "arn:aws:iam::111111111111:role/partners/audit"
HOUR = timedelta(hours=1)


@pytest.fixture
def role(iam: FakeIam, grant: Grant) -> dict[str, Any]:
    for call in plan(grant, None):
        iam(call)
    iam.log.clear()
    return iam.roles["audit"]


def stop(iam: FakeIam, waiting: Waiting, at: datetime, until: datetime | None = None, **more: Any) -> Suspended:
    owner = read_owner(iam)
    return suspend(standing_of(iam), until=until, owner=owner, perform=iam, now=at, waiting=waiting, **more)


def go_on(iam: FakeIam, waiting: Waiting, at: datetime, **more: Any) -> Resumed:
    return resume(standing_of(iam), owner=read_owner(iam), perform=iam, now=lambda: at, waiting=waiting, **more)


def line(iam: FakeIam) -> str:
    return standing_of(iam).record.changes[0]


def test_a_suspension_is_a_deny_and_a_line(iam: FakeIam, role: Any, waiting: Waiting, now: datetime) -> None:
    said: list[Call] = []
    done = stop(iam, waiting, now + timedelta(microseconds=5), tell=said.append)
    assert tuple(said) == done.calls
    assert [call.operation for call in done.calls] == ["put_role_policy", "tag_role"]
    assert done.deny == SessionsDeny(since=now)
    assert done.standing.role.name == "audit"
    assert role["inline"][SESSIONS] == done.deny.document
    assert line(iam) == "2026-11-23T12:00:00Z user/owner suspended"
    # Said again, nothing is left.
    assert stop(iam, waiting, now + HOUR).calls == ()


def test_an_end_is_moved_and_the_beginning_stays(iam: FakeIam, role: Any, waiting: Waiting, now: datetime) -> None:
    stop(iam, waiting, now, now + 2 * HOUR)
    assert line(iam).endswith(" suspended until 2026-11-23T14:00:00Z")
    moved = stop(iam, waiting, now + HOUR, now + 4 * HOUR)
    assert moved.deny == SessionsDeny(since=now, until=now + 4 * HOUR)
    endless = stop(iam, waiting, now + HOUR)
    assert endless.deny == SessionsDeny(since=now)
    # After its end it is another suspension, also at the very moment.
    stop(iam, waiting, now, now + 2 * HOUR)
    again = stop(iam, waiting, now + 2 * HOUR, now + 2 * HOUR)
    assert again.deny == SessionsDeny(since=now + 2 * HOUR, until=now + 2 * HOUR)


def test_sessions_of_before_stay_denied(iam: FakeIam, role: Any, waiting: Waiting, now: datetime) -> None:
    stop(iam, waiting, now)
    said: list[Call] = []
    done = go_on(iam, waiting, now + HOUR, tell=said.append)
    assert tuple(said) == done.calls
    assert done.deny == SessionsDeny.of_before(now + HOUR)
    assert role["inline"][SESSIONS] == done.deny.document
    assert line(iam) == "2026-11-23T13:00:00Z user/owner resumed"
    # Resumed already: nothing is left, and no session of before the suspension is looked for.
    again = go_on(iam, waiting, now + 2 * HOUR)
    assert (again.calls, again.deny, again.may_live_until) == ((), done.deny, None)


@pytest.mark.parametrize(("passed", "is_over"), [(2 * HOUR - timedelta(seconds=1), False), (2 * HOUR, True)])
def test_a_suspension_that_has_ended_needs_no_other_deny(
    iam: FakeIam, role: Any, waiting: Waiting, now: datetime, passed: timedelta, is_over: bool
) -> None:
    deny = stop(iam, waiting, now, now + 2 * HOUR).deny
    done = go_on(iam, waiting, now + passed)
    assert done.deny == (deny if is_over else SessionsDeny.of_before(now + passed))
    assert [call.operation for call in done.calls] == (["tag_role"] if is_over else ["put_role_policy", "tag_role"])


@pytest.mark.parametrize(
    ("max_session", "changes", "seconds"),
    [
        (7200, (), 7200),
        (None, (), 7200),
        (3600, (), 3600),
        (3600, ("x user/o session 3600 s to 7200 s",), 43200),
        (3600, ("x user/o until none to now", "x user/o description a and session 3600 s to 1 s"), 43200),
        (3600, ("x user/o sessions of old",), 3600),
    ],
)
def test_a_session_may_live_as_long_as_the_role_allowed(
    iam: FakeIam,
    role: Any,
    waiting: Waiting,
    now: datetime,
    max_session: int | None,
    changes: tuple[str, ...],
    seconds: int,
) -> None:
    stop(iam, waiting, now)
    standing = standing_of(iam)
    standing = replace(standing, role=replace(standing.role, max_session=max_session))
    standing = replace(standing, record=replace(standing.record, changes=changes))
    for passed, lives in ((seconds - 1, now + timedelta(seconds=seconds)), (seconds, None)):
        at = now + timedelta(seconds=passed)
        done = resume(standing, owner=read_owner(iam), perform=iam, now=lambda at=at: at, waiting=waiting)  # type: ignore[misc]
        assert done.may_live_until == lives


def test_what_cannot_be_suspended_or_resumed_is_told(iam: FakeIam, role: Any, waiting: Waiting, now: datetime) -> None:
    with pytest.raises(ValetkeyError) as refused:
        go_on(iam, waiting, now)
    assert whole_error(refused) == ("audit is not suspended", "see `valetkey show audit`", "", 2)
    role["inline"][SESSIONS] = {"Statement": []}
    for attempt in (stop, go_on):
        with pytest.raises(ValetkeyError) as refused:
            attempt(iam, waiting, now)
        assert whole_error(refused) == (
            f"the inline policy {SESSIONS} of audit was changed: it is not one that valetkey writes",
            "see `valetkey show audit`, and delete or correct that policy first; nothing was changed",
            ARN,
            1,
        )
    del role["inline"][SESSIONS]
    role["inline"][REVOKED] = kill_deny()
    for attempt in (stop, go_on):
        with pytest.raises(ValetkeyError) as refused:
            attempt(iam, waiting, now)
        assert whole_error(refused) == (
            "a revocation of audit is in progress, which denies everything permanently",
            "finish it: `valetkey revoke audit`",
            "",
            1,
        )
    assert iam.log == []


FINISH = "run the same command again to finish"


@pytest.mark.parametrize(
    ("operation", "code", "what", "do"),
    [
        ("put_role_policy", "AccessDenied", "iam:PutRolePolicy failed: AccessDenied: no", "nothing was changed"),
        ("put_role_policy", "503", "iam:PutRolePolicy failed: 503: no", "the deny may be on the role"),
        ("tag_role", "AccessDenied", "iam:TagRole failed: AccessDenied: no", "the deny is on the role"),
    ],
)
def test_a_failure_says_whether_the_deny_is_there(
    iam: FakeIam, role: Any, waiting: Waiting, now: datetime, operation: str, code: str, what: str, do: str
) -> None:
    iam.before = refuse(code, operation)
    with pytest.raises(Interrupted) as stopped:
        stop(iam, waiting, now)
    assert whole_error(stopped) == (what, f"{FINISH}; {do}", ARN, 3)


def test_ctrl_c_says_whether_the_deny_is_there(iam: FakeIam, role: Any, waiting: Waiting, now: datetime) -> None:
    def cut(call: Call) -> None:
        if call.operation == "put_role_policy":
            raise KeyboardInterrupt

    iam.before = cut
    with pytest.raises(Interrupted) as stopped:
        stop(iam, waiting, now)
    what = "interrupted during iam:PutRolePolicy; AWS may or may not have performed it"
    assert whole_error(stopped) == (what, f"{FINISH}; the deny may be on the role", ARN, 130)


def test_a_deny_that_is_not_shown_in_time_is_told(iam: FakeIam, role: Any, waiting: Waiting, now: datetime) -> None:
    shown = [0]

    def lose(call: Call) -> None:
        if call.operation == "tag_role":
            role["inline"].pop(SESSIONS, None)
        if call.operation == "get_role" and iam.log:
            shown[0] += 1

    iam.after = lose
    with pytest.raises(Interrupted) as stopped:
        stop(iam, waiting, now)
    assert whole_error(stopped) == (
        "AWS does not show the deny on audit yet",
        f"{FINISH}; the deny is on the role",
        ARN,
        3,
    )
    assert shown[0] > 2

    def lose_all(call: Call) -> None:
        if call.operation == "tag_role":
            iam.roles.clear()

    iam.after = lose_all
    with pytest.raises(Interrupted, match="does not show the deny on audit yet"):
        stop(iam, waiting, now)


# -- when ---------------------------------------------------------------


def test_the_deny_on_the_role_says_more_than_the_history(iam: FakeIam, role: Any, waiting: Waiting) -> None:
    day = [datetime(2026, 11, number, tzinfo=UTC) for number in range(1, 9)]
    at = [f"2026-11-0{number}T00:00:00Z" for number in range(1, 9)]
    standing = standing_of(iam)

    def of(deny: SessionsDeny | None, *lines: str) -> Any:
        inline = {**standing.role.inline, **({SESSIONS: deny.document} if deny else {})}
        changes = tuple(item.replace(" ", " user/o ", 1) for item in reversed(lines))
        return suspensions(
            replace(
                standing, role=replace(standing.role, inline=inline), record=replace(standing.record, changes=changes)
            )
        )

    assert of(None) == ()
    assert of(SessionsDeny(since=day[1])) == ((day[1], None),)
    assert of(SessionsDeny(since=day[1], until=day[3]), f"{at[2]} suspended") == ((day[1], day[3]),)
    first = (f"{at[0]} suspended", f"{at[1]} resumed")
    assert of(SessionsDeny(since=day[3]), *first, f"{at[3]} suspended") == ((day[0], day[1]), (day[3], None))
    # The deny on sessions of before is no suspension.
    assert of(SessionsDeny(before=day[2]), *first) == ((day[0], day[1]),)
    # Without the deny an endless one is over, and it is not known since when.
    assert of(None, f"{at[0]} suspended") == ()
    assert of(None, f"{at[0]} suspended until {at[2]}") == ((day[0], day[2]),)
    # What nobody can read is passed over: whoever may tag the role may have written it.
    assert of(None, "nonsense suspended", f"{at[1]} until x to y", f"{at[2]} resumed") == ()
    assert of(None, *first, f"{at[4]} resumed") == ((day[0], day[1]),)
    assert of(None, f"{at[0]} suspended until {at[2]}", f"{at[2]} resumed") == ((day[0], day[2]),)
    assert of(None, f"{at[0]} suspended until {at[4]}", f"{at[1]} suspended", f"{at[5]} resumed") == ((day[0], day[5]),)
    assert of(None, f"{at[0]} suspended", "nonsense x", f"{at[3]} resumed", f"{at[5]} suspended until {at[6]}") == (
        (day[0], day[3]),
        (day[5], day[6]),
    )
