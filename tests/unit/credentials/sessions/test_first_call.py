"""A wrong clock, or a key that AWS does not take, is named before a code is asked for."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from valetkey.account.calls import Call, CallError
from valetkey.credentials.sessions.first_call import call_first
from valetkey.credentials.sessions.refusals import Refused


class Base:
    access_key_id = "AKIA"
    secret_access_key = "hush"
    session_token = None
    realm = "https://sts.*.amazonaws.com"


class World:
    """AWS, which may refuse; counts calls and questions."""

    def __init__(self, code: str = "", message: str = "") -> None:
        self.code, self.message = code, message
        self.calls: list[str] = []

    def connect(self, keys: object) -> Any:
        def perform(call: Call, /) -> dict[str, Any]:
            self.calls.append(call.operation)
            if self.code:
                raise CallError(call, self.code, self.message)
            return {}

        return perform


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        (
            "SignatureDoesNotMatch",
            "Signature expired: 20261128T100000Z is now earlier than 20261128T104500Z (20261128T110000Z - 15 min.)",
            "this computer's clock is wrong",
        ),
        ("InvalidClientTokenId", "The security token included in the request is invalid.", "access key"),
    ],
)
def test_it_is_named_before_anybody_is_asked(code: str, message: str, said: str) -> None:
    world = World(code, message)
    _, before = call_first(Base(), world.connect)
    with pytest.raises(Refused, match=said):
        before()
    assert world.calls == ["get_caller_identity"]


def test_one_call_is_enough() -> None:
    world = World()
    _, before = call_first(Base(), world.connect)
    before()
    before()
    assert world.calls == ["get_caller_identity"]
    world.calls.clear()
    connect, before = call_first(Base(), world.connect)
    connect(Base())(Call("sts", "get_session_token"))
    before()
    assert world.calls == ["get_session_token"]


TERMINAL = """
import os, pty, sys
from valetkey.cli._terminal import asker
from valetkey.errors import ValetkeyError

def before():
    raise ValetkeyError("the clock is wrong")

pid, terminal = pty.fork()
if pid == 0:
    try:
        asker("acme", before=before)("device", seconds=5)
    except ValetkeyError as problem:
        print(problem.what)
        sys.stdout.flush()
    os._exit(0)
said = b""
try:
    while part := os.read(terminal, 1000):
        said += part
except OSError:
    pass
sys.stdout.write(said.decode())
"""


def test_the_question_is_not_shown_after_a_refusal() -> None:
    done = subprocess.run([sys.executable, "-c", TERMINAL], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "the clock is wrong"
