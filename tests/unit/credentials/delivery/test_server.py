"""The credential server by itself: who is answered, and who cannot hold it up."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
import types
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from valetkey.credentials.delivery import server
from valetkey.credentials.delivery.refresher import Lapsed
from valetkey.credentials.profiles.profile import ProfileError
from valetkey.credentials.sessions.protocols import Dismissed, Ended, NoTerminal
from valetkey.credentials.sessions.refusals import Refused
from valetkey.credentials.sessions.values import Credentials
from valetkey.errors import ValetkeyError

KEYS = Credentials(
    access_key_id="ASIA1",
    secret_access_key="hush",
    session_token="token",
    expires=datetime(2026, 5, 1, 12, tzinfo=UTC),
    account="210987654321",
)
Start = Callable[..., server.Server]


@pytest.fixture
def start() -> Iterator[Start]:
    running: list[server.Server] = []

    def make(look: Callable[[str], Credentials] = lambda name: KEYS) -> server.Server:
        made = server.Server({"acme": "right", "a+b@c.d-e_f": "other"}, look)
        running.append(made)
        threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
        return made

    yield make
    for item in running:
        item.shutdown()
        item.server_close()


def raw(to: server.Server, text: str, *, seconds: float = 10) -> str:
    """Send bytes, and all that comes back until the other side closes."""
    with socket.create_connection((server.HOST, to.server_address[1]), timeout=seconds) as connection:
        connection.sendall(text.encode("latin-1"))
        got = b""
        while some := connection.recv(4096):
            got += some
        return got.decode()


def get(to: server.Server, path: str = "/acme", token: str = "right", *more: str, host: str | None = None) -> str:
    lines = [f"GET {path} HTTP/1.1", f"Host: {host or to.authority}", f"Authorization: {token}", *more, "", ""]
    return raw(to, "\r\n".join(lines))


def status(answer: str) -> int:
    return int(answer.split(" ", 2)[1])


def test_the_right_token_gets_what_sdks_read(start: Start) -> None:
    it = start()
    head, _, body = get(it).partition("\r\n\r\n")
    assert json.loads(body) == {
        "AccessKeyId": "ASIA1",
        "SecretAccessKey": "hush",
        "Token": "token",
        "Expiration": "2026-05-01T12:00:00Z",
        "AccountId": "210987654321",
    }
    assert "Cache-Control: no-store" in head
    assert "Server: valetkey\r\n" in head
    assert status(get(it, "/a+b@c.d-e_f", "other")) == 200
    assert status(get(it, "/a%2Bb%40c.d-e_f", "other")) == 200
    assert it.url("acme") == f"http://{it.authority}/acme"


@pytest.mark.parametrize(
    ("wanted", "change"),
    [
        (401, {"token": "wrong"}),
        (401, {"token": "other"}),
        (401, {"token": ""}),
        (401, {"token": "right\r\nAuthorization: right"}),
        (401, {"token": "Bearer right"}),
        (401, {"token": "ri\xe9ght"}),
        (401, {"path": "/"}),
        (401, {"path": "/nobody"}),
        (401, {"path": "/acme?x"}),
        (401, {"path": "/../acme"}),
        (421, {"host": "localhost"}),
        (421, {"host": "evil.example"}),
        (421, {"host": "127.0.0.1:1"}),
        (421, {"host": "AUTHORITY\r\nHost: evil.example"}),
        (421, {"host": " "}),
    ],
)
def test_everybody_else_is_refused(wanted: int, change: dict[str, str], start: Start) -> None:
    it = start()
    given: dict[str, Any] = {key: value.replace("AUTHORITY", it.authority) for key, value in change.items()}
    answer = get(it, **given)
    assert status(answer) == wanted
    assert "hush" not in answer
    assert "evil" not in answer


def test_an_unknown_name_and_a_wrong_token_get_the_same_answer(start: Start) -> None:
    it = start()

    def without_date(text: str) -> str:
        return re.sub("Date:[^\r]*", "", text)

    assert without_date(get(it, "/nobody")) == without_date(get(it, token="wrong"))
    looked: list[str] = []

    def compare(a: bytes, b: bytes) -> bool:
        looked.append(b.decode())
        return a == b

    before = server.hmac.compare_digest
    try:
        server.hmac.compare_digest = compare  # type: ignore[assignment]
        get(it, "/nobody", "right")
        get(it, token="wrong")
    finally:
        server.hmac.compare_digest = before
    assert looked == [it.nobody, "right"]
    assert get(it, "/nobody", "").startswith("HTTP/1.1 401")


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "<b>"])
def test_nothing_but_get(method: str, start: Start) -> None:
    it = start()
    answer = raw(it, f"{method} /acme HTTP/1.1\r\nHost: {it.authority}\r\nAuthorization: right\r\n\r\n")
    assert status(answer) == 501
    assert "hush" not in answer
    assert "<b>" not in answer


@pytest.mark.parametrize(
    "text",
    [
        "GET /acme\r\n\r\n",
        "\r\n\r\n",
        "GET /acme HTTP/9.9\r\n\r\n",
        "GET /" + "a" * 70000 + " HTTP/1.1\r\n\r\n",
        "GET /acme HTTP/1.1\r\n" + "".join(f"X-{n}: y\r\n" for n in range(150)) + "\r\n",
        "GET /acme HTTP/1.1\r\nX: " + "y" * 70000 + "\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
    ],
    ids=["0.9", "empty", "version", "long path", "many headers", "long header", "TLS"],
)
def test_what_is_no_request_gets_nothing(text: str, start: Start, capfd: pytest.CaptureFixture[str]) -> None:
    it = start()
    try:
        answer = raw(it, text)
    except ConnectionError:
        answer = ""  # closed while there was more to read
    assert "hush" not in answer
    assert status(get(it)) == 200
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("problem", "wanted"),
    [
        (NoTerminal("a code is needed", do="run it"), 403),
        (Dismissed("no code", do="try"), 403),
        (Ended("over", do="ask"), 403),
        (ProfileError("no profile", do="accept"), 403),
        (Refused("no", code="AccessDenied", message="", do="verify"), 503),
        (Refused("no", code="AccessDenied", message="", do="verify", likely="the grant has ended"), 503),
        (Lapsed("wait", do="again"), 503),
    ],
)
def test_why_there_are_none_is_said_as_sdks_read_it(problem: ValetkeyError, wanted: int, start: Start) -> None:
    """The AWS SDK for Go shows `code` and `message`, botocore the whole body; a 5xx is asked for again."""

    def look(name: str) -> Credentials:
        raise problem

    answer = get(start(look))
    assert status(answer) == wanted
    body = json.loads(answer.partition("\r\n\r\n")[2])
    wanted_text = f"{problem.what}; {problem.do}" + (f"; most likely: {problem.likely}" if problem.likely else "")
    assert body == {"code": type(problem).__name__, "message": wanted_text}


def test_who_only_connects_is_cut_off_and_holds_nobody_up(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its clock is the test's; what ends a read by itself, without a look at how long it has been, may not help."""
    now = 1000.0
    monkeypatch.setattr(server, "time", types.SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(server._Handler, "timeout", 50)
    it = start()
    idle = [socket.create_connection((server.HOST, it.server_address[1])) for _ in range(server._CONNECTIONS)]
    try:
        soon(lambda: len(it._since) == server._CONNECTIONS)
        # A byte now and then does not prolong it.
        for item in idle:
            item.sendall(b"G")
        now += server._SECONDS
        assert not reaches(it)
        for item in idle:
            item.sendall(b"E")
        now += 0.1
        for item in idle:
            item.settimeout(20)
            assert item.recv(100) == b""
        soon(lambda: reaches(it))
    finally:
        for item in idle:
            item.close()


def soon(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def reaches(it: server.Server) -> bool:
    try:
        return status(get(it)) == 200
    except (ConnectionError, IndexError):
        return False


def test_fifty_at_once(start: Start) -> None:
    it = start()
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(status(get(it)))) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert answers == [200] * 50


def test_only_this_computer_and_tokens_of_256_bits(start: Start) -> None:
    assert start().server_address[0] == "127.0.0.1"
    made = server.tokens(["a", "b"])
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", item) for item in made.values())
    assert made["a"] != made["b"]


def test_a_port_that_is_taken_is_said(start: Start) -> None:
    it = start()
    with pytest.raises(server.PortTaken, match=str(it.server_address[1])):
        server.Server({}, lambda name: KEYS, port=it.server_address[1])
