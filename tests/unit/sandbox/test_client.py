"""The control client against servers that are not what it expects."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from valetkey.sandbox.client import Control
from valetkey.sandbox.errors import SandboxError

ANSWERS = {"html": b"<html>hello</html>", "list": b"[]", "other": b'{"status": "ok"}', "pid": b'{"pid": "many"}'}


@pytest.fixture(params=sorted(ANSWERS))
def stranger(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a web server that is no sandbox."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(ANSWERS[request.param])

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_another_server_is_no_sandbox(stranger: str) -> None:
    assert Control(stranger).pid() is None
    with pytest.raises(SandboxError):
        Control(stranger).requests()


def test_a_server_that_never_answers_is_given_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        control = Control(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2)
        assert control.pid() is None
        with pytest.raises(SandboxError, match="no sandbox answers"):
            control.clear()


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:4566", "https://127.0.0.1:4566", "http://", "ftp://x", "http://192.0.2.1:80"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(SandboxError, match="not the address of a sandbox"):
        Control(url)
