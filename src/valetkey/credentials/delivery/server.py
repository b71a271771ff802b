"""Serve credentials over HTTP on this computer, as to containers (SDKs and Tools Reference Guide, "Container credential
provider"): every AWS SDK reads AWS_CONTAINER_CREDENTIALS_FULL_URI and ..._AUTHORIZATION_TOKEN_FILE.

Rules:
- The server binds to 127.0.0.1 only: SDKs accept plain HTTP only from loopback addresses.
- INVARIANT: a client gets credentials only with the token of that name. Tokens are compared in constant time, and a
  wrong token and an unknown name give the same error.
- INVARIANT: a request with a Host other than the server's address is refused, so a web page cannot reach the server
  under another name (DNS rebinding).
- Responses come from memory at once: botocore waits 2 seconds, the AWS SDK for JavaScript 1.
- A connection may last 5 seconds in total, and there are at most 64: no client can block the server for long.
- Nothing from a request is logged or repeated in a response.
"""

from __future__ import annotations

import hmac
import json
import secrets
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote

from valetkey.credentials.delivery.shells import stamp
from valetkey.credentials.sessions.protocols import Dismissed, Ended, NoTerminal
from valetkey.credentials.sessions.values import Credentials
from valetkey.errors import ValetkeyError

HOST = "127.0.0.1"
_SECONDS = 5.0
_CONNECTIONS = 64


class PortTaken(ValetkeyError):
    """The server cannot listen on this port."""


def tokens(names: Iterable[str]) -> dict[str, str]:
    """Return a new token (256 bits) for each name: a client of one customer's credentials cannot read another's."""
    return {name: secrets.token_urlsafe(32) for name in names}


def answer(credentials: Credentials) -> dict[str, str]:
    """Return the response body for SDKs. The key of the session token differs from that of a credential process."""
    return {
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        "Token": credentials.session_token,
        "Expiration": stamp(credentials.expires),
        "AccountId": credentials.account,
    }


class Server(ThreadingHTTPServer):
    """Serves `/NAME` for each name in `tokens` on a loopback port (0: any free port). Raises PortTaken.

    `look(name)` returns the credentials from memory, or raises ValetkeyError. Run `serve_forever` in a thread.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, tokens: Mapping[str, str], look: Callable[[str], Credentials], *, port: int = 0) -> None:
        self.tokens, self.look = dict(tokens), look
        self.nobody = secrets.token_urlsafe(32)
        """The token that a request for an unknown name is compared with."""
        self._since: dict[Any, float] = {}
        self._guard = threading.Lock()
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or error
            raise PortTaken(f"port {port} of {HOST} cannot be used: {why}", do="name another --port") from None

    @property
    def authority(self) -> str:
        """The only accepted value of Host."""
        return f"{HOST}:{self.server_address[1]}"

    def url(self, name: str) -> str:
        """Return the value for AWS_CONTAINER_CREDENTIALS_FULL_URI."""
        return f"http://{self.authority}/{quote(name, safe='')}"

    def server_bind(self) -> None:
        # HTTPServer's method looks up the address in DNS, which may take long.
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            is_full = len(self._since) >= _CONNECTIONS
            if not is_full:
                self._since[request] = time.monotonic()
        if is_full:
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._since.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Close connections that have exceeded their time, which wakes their threads. Called twice a second."""
        now = time.monotonic()
        with self._guard:
            for request, since in self._since.items():
                if now - since > _SECONDS:
                    try:
                        request.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a broken connection: a traceback could show what the client sent."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    timeout = _SECONDS

    def do_GET(self) -> None:
        if self.headers.get_all("Host") != [self.server.authority]:
            self._refuse(421, "WrongHost", f"only requests to {self.server.authority} are answered")
            return
        name = unquote(self.path[1:])
        token = self.server.tokens.get(name)
        given = self.headers.get_all("Authorization") or [""]
        wanted = token if token is not None else self.server.nobody
        is_right = hmac.compare_digest(given[0].encode("utf-8", "replace"), wanted.encode())
        if not is_right or token is None or len(given) != 1:
            self._refuse(401, "WrongToken", "the token in Authorization is not the one for this path")
            return
        try:
            body = answer(self.server.look(name))
        except ValetkeyError as problem:
            # An SDK retries after a 5xx. If a person has to act first, a retry only costs time, so the status is 403.
            needs_person = isinstance(problem, (NoTerminal, Dismissed, Ended)) or problem.exit_code != 3
            likely = f"most likely: {problem.likely}" if problem.likely else ""
            text = "; ".join(filter(None, (problem.what, problem.do, likely)))
            self._refuse(403 if needs_person else 503, type(problem).__name__, text)
            return
        self._send(200, body)

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._send(status, {"code": code, "message": message})

    def _send(self, status: int, body: Mapping[str, str]) -> None:
        data = json.dumps(body).encode("ascii")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def version_string(self) -> str:
        return "valetkey"

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Replace http.server's error page (for another method, a long line), which would repeat the request."""
        self.close_connection = True
        self._refuse(code, "BadRequest", "only GET is answered")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of http.server
        """Log nothing."""
