"""What every request to the sandbox passes before the emulator: access checks, fault rules, the request log.

Rules:
- Only clients on loopback are answered, and only with a Host that names this computer: a page in the user's browser
  must not reach the sandbox through its own host name (DNS rebinding). Requests from a page of another origin are
  refused for the same reason: a 12-digit access key is that account's root user without any signature check.
- `/_sandbox/` is the sandbox's own (control.py), `/federation` is AWS's sign-in host (federation.py), everything else
  is AWS's API.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from valetkey.sandbox import variants
from valetkey.sandbox.dates import skewed
from valetkey.sandbox.faults import Faults
from valetkey.sandbox.federation import Federation

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

Control = Callable[["Front", str, str, Mapping[str, list[str]], Mapping[str, str], bytes | None], tuple[int, Any]]
"""Performs one control request: front, method, name, query, headers, body. Returns HTTP status and JSON value."""

MAX_BODY = 64_000
_LOCAL_HOST = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\]|(?:[a-z0-9.-]+\.)?localhost)(?::\d{1,5})?", re.IGNORECASE)
_CODE = re.compile(rb'<Code>([A-Za-z0-9.]{1,80})</Code>|"__type":\s*"(?:[^"#]*#)?([A-Za-z0-9.]{1,80})"')
_PAGE_HEADERS = (
    ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
)
# AWS's answers, by kind of fault: status, code, message.
_REFUSALS = {
    "throttle": (400, "Throttling", "Rate exceeded"),
    "500": (500, "InternalFailure", "The request processing has failed because of an unknown error."),
    "503": (503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."),
}


@dataclass
class Seen:
    """One request in the log: no header, no parameter, no key."""

    number: int
    time: float
    account: str
    call: str
    """ "iam:CreateRole", or "s3:GET" if the emulator knows no IAM action for the request."""
    status: int | None = None
    """HTTP status of the answer; None until it is answered."""
    code: str | None = None
    fault: str | None = None


class Log:
    """The last requests, oldest first."""

    def __init__(self, limit: int = 50_000) -> None:
        self._seen: deque[Seen] = deque(maxlen=limit)
        self._count = 0

    def add(self, account: str, call: str) -> Seen:
        self._count += 1
        seen = Seen(self._count, round(time.time(), 3), account, call)
        self._seen.append(seen)
        return seen

    def of(self, account: str | None = None) -> list[dict[str, Any]]:
        return [asdict(seen) for seen in self._seen if account is None or seen.account == account]

    def clear(self) -> None:
        self._seen.clear()


class Front:
    """The ASGI application that is served."""

    def __init__(self, emulator: Asgi, control: Control) -> None:
        self.emulator = emulator
        self.control = control
        self.faults = Faults()
        self.log = Log()
        self.federation = Federation()
        self.released = asyncio.Event()
        """Set and replaced when faults are cleared, which ends held requests."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.emulator(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refused = stranger(scope.get("client"), headers, scope["path"])
        if scope["type"] != "http":
            if refused is None:
                await self.emulator(scope, receive, send)
            return
        path = scope["path"]
        if refused is not None:
            await answer(send, 403, {"error": refused})
        elif path.startswith("/_sandbox/"):
            body = await read(receive, MAX_BODY)
            query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
            status, plain = self.control(self, scope["method"], path.removeprefix("/_sandbox/"), query, headers, body)
            await answer(send, status, plain)
        elif path.startswith(("/_ministack/", "/_localstack/")):
            # The emulator's own control endpoints are closed: Control.reset and the fault rules replace them.
            await answer(send, 404, {"error": "not offered by the sandbox; see /_sandbox/"})
        elif _is_signin(path):
            await self._federation(scope, receive, send, headers)
        else:
            await self._aws(scope, receive, send, headers)

    async def _federation(self, scope: Scope, receive: Receive, send: Send, headers: Mapping[str, str]) -> None:
        body = await read(receive, MAX_BODY) if scope["method"] == "POST" else b""
        form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        text = scope.get("query_string", b"").decode("latin-1")
        if body and form:
            text = f"{text}&{body.decode('latin-1')}"
        params = {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}
        cookies = {name: item.value for name, item in SimpleCookie(headers.get("cookie", "")).items()}
        page = self.federation.answer(scope["path"], params, cookies)
        await respond(send, page.status, page.kind, page.body.encode(), (*page.headers, *_PAGE_HEADERS))

    async def _aws(self, scope: Scope, receive: Receive, send: Send, headers: Mapping[str, str]) -> None:
        body = await read(receive, None)
        if body is None:
            return
        account, call = identify(scope, headers, body)
        seen = self.log.add(account, call)
        minutes = variants.of(account).sts_minutes
        wrong = skewed(call.partition(":")[0], headers, datetime.now(UTC), sts_minutes=minutes)
        if wrong is not None:
            await self._refuse(403, *wrong, seen, headers, send)
            return
        fault = self.faults.strike(call, account)
        if fault is not None:
            seen.fault = fault.kind
            if fault.kind == "latency":
                await asyncio.sleep(fault.seconds)
            elif fault.kind == "drop":
                await cut(send)
                return
            elif fault.kind not in ("lose", "hang"):
                said = fault.message or f"refused by a fault rule of the sandbox: {call}"
                await self._refuse(*_REFUSALS.get(fault.kind, (403, fault.code, said)), seen, headers, send)
                return

        replay = iter(({"type": "http.request", "body": body, "more_body": False},))

        async def again() -> Message:
            return next(replay, None) or await receive()

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
            elif seen.status is not None and seen.status >= 400 and seen.code is None:
                match = _CODE.search(message.get("body", b"")[:4096])
                if match:
                    seen.code = (match[1] or match[2]).decode()
            if fault is None or fault.kind == "latency":
                await send(message)

        await self.emulator(scope, again, watch)
        if fault is not None and fault.kind in ("lose", "hang"):
            if fault.kind == "hang":
                await self._hold(receive)
            await cut(send)

    async def _refuse(
        self, status: int, code: str, message: str, seen: Seen, headers: Mapping[str, str], send: Send
    ) -> None:
        seen.status, seen.code = status, code
        if "x-amz-target" in headers or "json" in headers.get("content-type", ""):
            await answer(send, status, {"__type": code, "message": message})
            return
        error = f"<Error><Type>Sender</Type><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        bare = seen.call.startswith("s3:")
        await respond(send, status, "text/xml", (error if bare else f"<ErrorResponse>{error}</ErrorResponse>").encode())

    async def _hold(self, receive: Receive) -> None:
        """Wait until the client disconnects or the faults are cleared, at most 300 seconds."""

        async def gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        waits = [asyncio.ensure_future(gone()), asyncio.ensure_future(self.released.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED, timeout=300)
        finally:
            for wait in waits:
                wait.cancel()

    def release(self) -> None:
        """Release every held request."""
        self.released.set()
        self.released = asyncio.Event()


def _is_signin(path: str) -> bool:
    return path == "/federation" or path.startswith("/federation/")


def stranger(client: tuple[str, int] | None, headers: Mapping[str, str], path: str) -> str | None:
    """Return why this client is refused, or None. A page of another origin may only navigate to the sign-in page, as a
    link does."""
    try:
        if client is None or not ipaddress.ip_address(client[0]).is_loopback:
            return "the sandbox answers only requests from this computer"
    except ValueError:
        return "the sandbox answers only requests from this computer"
    if not _LOCAL_HOST.fullmatch(headers.get("host", "")):
        return "the sandbox answers only under a name of this computer (localhost, 127.0.0.1)"
    origin = headers.get("origin")
    if origin is not None and origin.lower() != f"http://{headers['host'].lower()}":
        return "the sandbox does not answer pages of another origin"
    # Browsers send Sec-Fetch-Site even where they send no Origin (an image, a script, a link).
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        is_link = headers.get("sec-fetch-mode") == "navigate" and _is_signin(path)
        if not is_link:
            return "the sandbox does not answer pages of another origin"
    return None


def identify(scope: Scope, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    """Return the caller's account and the action, as the emulator reads them; ("-", "unknown") if it cannot."""
    from ministack import app
    from ministack.core.iam_actions import extract_iam_action
    from ministack.core.router import detect_service, extract_access_key_id
    from ministack.services import sts

    method, path = scope["method"], scope["path"]
    query = parse_qs(scope.get("query_string", b"").decode("utf-8", "replace"), keep_blank_values=True)
    plain = dict(headers)
    try:
        routing = app._routing_params(method, path, plain, body, query)
        service = detect_service(method, path, plain, routing)
        key = extract_access_key_id(plain, query)
        # A session's calls belong to its own account; the emulator scopes them by the key alone.
        session = sts._sessions.get(key) or {} if key else {}
        account = session.get("AccountId") or (app._request_account_scope(key) if key else "-")
        return account, extract_iam_action(service, method, path, plain, body, routing) or f"{service}:{method}"
    except Exception:
        # The emulator's parsers fail on some malformed requests; its own answer to the request reports that.
        return "-", "unknown"


async def read(receive: Receive, limit: int | None) -> bytes | None:
    """Return the whole body; None if the client has disconnected or sent more than `limit` bytes."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if limit is not None and size > limit:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


async def answer(send: Send, status: int, plain: Any) -> None:
    """Send one JSON document."""
    await respond(send, status, "application/json", json.dumps(plain).encode())


async def respond(send: Send, status: int, kind: str, body: bytes, headers: tuple[tuple[str, str], ...] = ()) -> None:
    """Send one complete answer, which must not be cached."""
    fields = (("content-type", kind), ("content-length", str(len(body))), ("cache-control", "no-store"), *headers)
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in fields]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


async def cut(send: Send) -> None:
    """Close the connection without an answer. ASGI has no message for it: hypercorn's own objects are behind `send`."""
    from hypercorn.events import Closed

    stream = send.__self__  # type: ignore[attr-defined]
    await stream.send.__self__.send(Closed())
