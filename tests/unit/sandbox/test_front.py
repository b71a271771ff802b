"""Who may ask the sandbox: this computer, under its own name, and no page of another origin."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from valetkey.sandbox.control import control
from valetkey.sandbox.front import Front, Log, stranger

LOOPBACK = ("127.0.0.1", 50000)
HOST = {"host": "127.0.0.1:4566"}


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:4566", "localhost:4566", "localhost", "[::1]:4566", "bucket.localhost:4566", "a.s3.localhost:1"],
)
def test_names_of_this_computer_are_taken(host: str) -> None:
    assert stranger(LOOPBACK, {"host": host}, "/") is None


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "evil.example:4566", "127.0.0.1.evil.example", "localhost.evil.example", "127.0.0.1:4566@evil",
     "evillocalhost", "127.0.0.2"],
)  # fmt: skip
def test_other_names_are_refused(host: str) -> None:
    assert stranger(LOOPBACK, {"host": host}, "/_sandbox/totp") is not None


@pytest.mark.parametrize("client", [None, ("192.0.2.1", 1), ("10.0.0.1", 1), ("::ffff:192.0.2.1", 1), ("unix", 0)])
def test_other_computers_are_refused(client: Any) -> None:
    assert stranger(client, HOST, "/") is not None


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8000"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate"},
    ],
)
def test_pages_of_other_origins_are_refused(headers: dict[str, str]) -> None:
    assert stranger(LOOPBACK, {**HOST, **headers}, "/_sandbox/requests") is not None
    assert stranger(LOOPBACK, {**HOST, **headers}, "/") is not None


def test_a_link_may_lead_to_the_sign_in_page_and_nowhere_else() -> None:
    link = {**HOST, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert stranger(LOOPBACK, link, "/federation") is None
    assert stranger(LOOPBACK, link, "/_sandbox/requests") is not None
    assert stranger(LOOPBACK, {**link, "sec-fetch-mode": "no-cors"}, "/federation") is not None
    assert stranger(LOOPBACK, {**HOST, "origin": "http://127.0.0.1:4566"}, "/") is None


def ask(front: Front, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
    """One request through the ASGI interface: status and JSON."""
    fields = {"host": "127.0.0.1:4566", "content-type": "application/json", **headers}
    path, _, query = path.partition("?")
    encoded = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "client": LOOPBACK, "headers": encoded,
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(front(scope, receive, send))
    return sent[0]["status"], json.loads(b"".join(message.get("body", b"") for message in sent[1:]))


async def nothing_behind(*_: Any) -> None:
    raise AssertionError("the request reached the emulator")


def test_control_takes_json_posts_only() -> None:
    front = Front(nothing_behind, control)
    rule = json.dumps({"kind": "500"}).encode()
    assert ask(front, "POST", "/_sandbox/faults", rule, content_type="text/plain")[0] == 415
    assert ask(front, "GET", "/_sandbox/faults")[0] == 405
    assert ask(front, "GET", "/_sandbox/nothing")[0] == 404
    for bad in (b"[]", b"{", b'{"kind": "no"}', b"[" * 60_000, b"x" * 100_000):
        assert ask(front, "POST", "/_sandbox/faults", bad)[0] == 400, bad[:20]
    assert front.faults.strike("iam:GetRole", "111122223333") is None
    assert ask(front, "POST", "/_sandbox/faults", rule)[0] == 200
    assert front.faults.strike("iam:GetRole", "111122223333") is not None


def test_the_emulators_own_switches_are_out_of_reach() -> None:
    front = Front(nothing_behind, control)
    for path in ("/_ministack/reset", "/_ministack/config", "/_localstack/health"):
        assert ask(front, "POST", path)[0] == 404
    assert ask(front, "GET", "/_sandbox/health", host="evil.example")[0] == 403


def test_the_log_keeps_accounts_apart_and_the_last_requests() -> None:
    log = Log(limit=3)
    for number, account in enumerate(("1" * 12, "2" * 12, "1" * 12, "1" * 12)):
        log.add(account, f"iam:Call{number}")
    assert [seen["call"] for seen in log.of("1" * 12)] == ["iam:Call2", "iam:Call3"]
    assert [seen["number"] for seen in log.of()] == [2, 3, 4]
