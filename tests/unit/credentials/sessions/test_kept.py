"""A kept session is called gone only when AWS has said so."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.credentials.sts_world import OWNER, START, Calls

from valetkey.account.calls import Call, CallError
from valetkey.credentials.sessions.cache import Session
from valetkey.credentials.sessions.kept import look
from valetkey.credentials.sessions.values import Credentials
from valetkey.errors import ValetkeyError

SESSION = Session(
    Credentials(
        access_key_id="ASIA1",
        secret_access_key="hush",
        session_token="t",
        expires=START + timedelta(hours=1),
        account=OWNER,
    ),
    START,
)


def failing(code: str) -> Any:
    def perform(call: Call, /) -> dict[str, Any]:
        assert call.operation == "get_caller_identity"
        raise CallError(call, code, "")

    return perform


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("InvalidClientTokenId", "gone"),
        ("UnrecognizedClientException", "gone"),
        ("ExpiredToken", "gone"),
        ("ExpiredTokenException", "gone"),
        # These say nothing about the role.
        ("Unreachable", "unknown"),
        ("TimedOut", "unknown"),
        ("Throttling", "unknown"),
        ("AccessDenied", "unknown"),
        ("SignatureDoesNotMatch", "unknown"),
    ],
)
def test_only_an_answer_of_aws_makes_a_session_gone(code: str, found: str) -> None:
    assert look(failing(code), SESSION, now=START) == found


END = START + timedelta(hours=1)


@pytest.mark.parametrize(
    ("left", "code", "found"),
    [
        (1, "", "known"),
        # AWS's clock may be 15 minutes ahead of ours: it has expired there.
        (899, "ExpiredToken", "unknown"),
        (899, "ExpiredTokenException", "unknown"),
        (900, "ExpiredToken", "gone"),
        (899, "InvalidClientTokenId", "gone"),
        (1, "UnrecognizedClientException", "gone"),
        (1, "AccessDenied", "unknown"),
    ],
)
def test_one_that_answers_is_known_and_one_near_its_end_may_have_expired(left: int, code: str, found: str) -> None:
    perform = failing(code) if code else lambda call: {"Arn": "x"}
    assert look(perform, SESSION, now=END - timedelta(seconds=left)) == found


@pytest.mark.parametrize("after", [0, 1])
def test_one_that_has_expired_is_not_asked_about(after: int) -> None:
    perform = Calls({"Arn": "x"})
    assert look(perform, SESSION, now=END + timedelta(seconds=after)) == "unknown"
    assert perform.calls == []


def test_nothing_is_waited_for_without_end() -> None:
    never = threading.Event()

    def hang(call: Call, /) -> dict[str, Any]:
        never.wait(30)
        return {}

    try:
        assert look(hang, SESSION, now=START, seconds=0.05) == "unknown"
    finally:
        never.set()


def test_a_problem_of_our_own_is_no_answer() -> None:
    def wrong(call: Call, /) -> dict[str, Any]:
        raise ValetkeyError("the keyring is locked")

    assert look(wrong, SESSION, now=START) == "unknown"


def test_it_is_waited_for_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    class Never(threading.Thread):
        def start(self) -> None: ...

        def join(self, timeout: float | None = None) -> None:
            waited.append(timeout or 0)

    monkeypatch.setattr(threading, "Thread", Never)
    assert look(failing(""), SESSION, now=START) == "unknown"
    assert look(failing(""), SESSION, now=START, seconds=2.0) == "unknown"
    assert waited == [5.0, 2.0]


def test_what_is_left_behind_does_not_keep_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []

    def perform(call: Call, /) -> dict[str, Any]:
        seen.append(threading.current_thread().daemon)
        return {}

    assert look(perform, SESSION, now=START) == "known"
    assert seen == [True]
