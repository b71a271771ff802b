"""The denies that a grant puts on its own role, and reading them back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from valetkey.trust.self_denies import (
    SessionsDeny,
    dated_deny,
    held_deny,
    kill_deny,
    own_role_deny,
    pause_deny,
    read_dated_deny,
    read_sessions_deny,
)

ROLE = "arn:aws:iam::111111111111:role/acme"
SINCE = datetime(2026, 11, 23, 12, 30, 15, tzinfo=UTC)
END = datetime(2026, 12, 31, 18, tzinfo=UTC)
LATER = timezone(timedelta(hours=2))


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def everything(sid: str, condition: dict[str, Any] | None = None) -> dict[str, Any]:
    statement = {"Sid": sid, "Effect": "Deny", "Action": "*", "Resource": "*"}
    return statement if condition is None else {**statement, "Condition": condition}


def before(key: str, when: str) -> dict[str, Any]:
    return {"DateLessThan": {key: when}}


def test_a_role_may_read_itself_and_change_nothing_on_itself() -> None:
    assert own_role_deny(ROLE) == policy(
        {
            "Sid": "DenyChangingThisRole",
            "Effect": "Deny",
            "NotAction": [
                "iam:Get*",
                "iam:List*",
                "iam:GenerateServiceLastAccessedDetails",
                "iam:SimulatePrincipalPolicy",
            ],
            "Resource": ROLE,
        }
    )


def test_a_path_with_the_signs_of_wildcards_is_meant_literally() -> None:
    (statement,) = own_role_deny("arn:aws:iam::111111111111:role/a*b?c$d/acme")["Statement"]
    assert statement["Resource"] == "arn:aws:iam::111111111111:role/a${*}b${?}c${$}d/acme"


def test_the_end_is_denied_in_utc_and_read_back() -> None:
    wanted = {"DateGreaterThanEquals": {"aws:CurrentTime": "2026-12-31T18:00:00Z"}}
    for end in (END, END.astimezone(LATER), END.replace(microsecond=999_999)):
        assert dated_deny(end) == policy(everything("DenyAfterTheEnd", wanted))
    assert read_dated_deny(dated_deny(END)) == END
    with pytest.raises(ValueError, match="until needs a zone"):
        dated_deny(END.replace(tzinfo=None))


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        {"Statement": []},
        {"Statement": 1},
        policy(everything("DenyAfterTheEnd")),
        policy(everything("DenyAfterTheEnd", {"DateGreaterThanEquals": {"aws:CurrentTime": "soon"}})),
        policy(everything("DenyAfterTheEnd", {"DateGreaterThanEquals": {"aws:CurrentTime": 1}})),
        policy(everything("Another", {"DateGreaterThanEquals": {"aws:CurrentTime": "2026-12-31T18:00:00Z"}})),
        {**dated_deny(END), "Id": "x"},
        policy(*dated_deny(END)["Statement"], everything("More")),
    ],
)
def test_another_document_has_no_end_of_valetkeys(document: Any) -> None:
    assert read_dated_deny(document) is None


def test_three_denies_on_everything_by_what_they_are_for() -> None:
    assert kill_deny() == policy(everything("DenyEverything"))
    assert held_deny() == policy(everything("DenyAllAndKeep"))
    assert pause_deny() == policy(everything("DenyDuringTheChange"))


SUSPENDED = SessionsDeny(since=SINCE)
FOR_A_TIME = SessionsDeny(since=SINCE, until=END)
CUT = SessionsDeny(before=SINCE)


@pytest.mark.parametrize(
    ("deny", "document"),
    [
        (SUSPENDED, policy(everything("SuspendedSince20261123T123015Z"))),
        (
            FOR_A_TIME,
            policy(
                everything("SuspendedSince20261123T123015Z", before("aws:CurrentTime", "2026-12-31T18:00:00Z")),
                everything("DenySessionsOfBefore", before("aws:TokenIssueTime", "2026-12-31T18:00:00Z")),
            ),
        ),
        (CUT, policy(everything("DenySessionsOfBefore", before("aws:TokenIssueTime", "2026-11-23T12:30:15Z")))),
    ],
)
def test_a_deny_on_sessions_is_written_and_read_back(deny: SessionsDeny, document: dict[str, Any]) -> None:
    assert deny.document == document
    assert read_sessions_deny(document) == deny


def test_times_of_a_suspension_are_written_in_utc() -> None:
    assert SessionsDeny(since=SINCE.astimezone(LATER), until=END.astimezone(LATER)).document == FOR_A_TIME.document


@pytest.mark.parametrize(
    "document",
    [
        {},
        policy(),
        {"Statement": None},
        {"Statement": [{}]},
        policy({"Sid": 1}),
        policy(everything("Another")),
        policy(everything("SuspendedSinceLongAgo")),
        policy(everything("DenySessionsOfBefore", before("aws:CurrentTime", "2026-11-23T12:30:15Z"))),
        policy(everything("DenySessionsOfBefore", before("aws:TokenIssueTime", "soon"))),
        policy(*FOR_A_TIME.document["Statement"][:1]),
        policy(*SUSPENDED.document["Statement"], *CUT.document["Statement"]),
        policy(*FOR_A_TIME.document["Statement"], everything("More")),
        {**CUT.document, "Version": "2008-10-17"},
    ],
)
def test_another_document_is_no_deny_on_sessions(document: Any) -> None:
    assert read_sessions_deny(document) is None


def test_a_suspension_ends_by_itself_or_at_resume() -> None:
    second = timedelta(seconds=1)
    assert SUSPENDED.suspends(SINCE)
    assert SUSPENDED.suspends(END + timedelta(days=999))
    assert FOR_A_TIME.suspends(END - second)
    assert not FOR_A_TIME.suspends(END)
    assert not CUT.suspends(SINCE - second)
    assert not SessionsDeny(until=END).suspends(SINCE)


def test_sessions_of_before_are_those_issued_until_a_little_after_now() -> None:
    """AWS's clock is known within a second, and its issue times are whole seconds."""
    now = SINCE.replace(microsecond=999_999)
    assert SessionsDeny.of_before(now) == SessionsDeny(before=SINCE + timedelta(seconds=2))
