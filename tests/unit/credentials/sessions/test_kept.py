"""A kept session is called gone only when AWS has said so."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.credentials.sts_world import OWNER, START

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


def test_one_that_answers_is_known_and_one_that_has_expired_is_not_asked_about() -> None:
    assert look(lambda call: {"Arn": "x"}, SESSION, now=START) == "known"
    assert look(failing("ExpiredToken"), SESSION, now=START + timedelta(hours=1)) == "unknown"
    # Nor is one that AWS's clock may have ended.
    late = START + timedelta(minutes=50)
    assert look(failing("ExpiredToken"), SESSION, now=late) == "unknown"
    assert look(failing("InvalidClientTokenId"), SESSION, now=late) == "gone"


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
