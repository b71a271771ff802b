"""The form that carries a session's keys goes to one place, once, and shows up in no error."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from valetkey.account.calls import CallError
from valetkey.aws import form as module
from valetkey.aws.form import post_form, read_public

SECRET = b"Session=SECRETKEY"


class _Handler(BaseHTTPRequestHandler):
    seen: list[tuple[str, str, bytes]]

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        type(self).seen.append((self.command, self.path, body))
        status = int(self.path.split("/")[1])
        if status == 0:
            self.connection.close()
            return
        if status == 1:
            threading.Event().wait(5)
            return
        self.send_response(status)
        if status in (301, 302, 307, 308):
            self.send_header("Location", "/200/elsewhere")
        self.end_headers()
        self.wfile.write(b"answer")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    _Handler.seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as running:
        running.daemon_threads = True
        running.block_on_close = False
        threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.mark.parametrize("status", [200, 400, 403, 500])
def test_status_and_body(server: str, status: int) -> None:
    assert post_form(f"{server}/{status}", SECRET) == (status, b"answer")
    assert _Handler.seen == [("POST", f"/{status}", SECRET)]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(server: str, status: int) -> None:
    assert post_form(f"{server}/{status}", SECRET)[0] == status
    assert len(_Handler.seen) == 1


def test_no_proxy_on_this_computer(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert post_form(f"{server}/200", SECRET)[0] == 200


def test_the_certificates_are_those_that_other_calls_use(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[str] = []

    def context(*, cafile: str) -> None:
        used.append(cafile)
        raise OSError("far enough")

    monkeypatch.setattr(module.ssl, "create_default_context", context)
    for bundle in (None, "/own.pem"):
        with pytest.raises(CallError, match="far enough"):
            post_form("https://127.0.0.1:9", SECRET, ca_bundle=bundle)
    assert used[0].endswith("cacert.pem")
    assert used[1] == "/own.pem"


def test_a_ca_bundle_that_is_not_there() -> None:
    with pytest.raises(CallError, match="No such file") as caught:
        post_form("https://127.0.0.1:9", SECRET, ca_bundle="/nonexistent")
    assert "CA bundle" in caught.value.do


def test_no_answer(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SECONDS", 0.2)
    for url, code in (
        (f"{server}/0", "Unreachable"),
        (f"{server}/1", "TimedOut"),
        ("http://127.0.0.1:9", "Unreachable"),
    ):
        with pytest.raises(CallError) as caught:
            post_form(url, SECRET)
        assert caught.value.code == code
        assert caught.value.exit_code == 3
        assert "SECRETKEY" not in str(caught.value)


def test_what_anybody_may_read_is_read_at_one_place_and_no_further_than_the_limit(server: str) -> None:
    assert read_public(f"{server}/200/x", limit=100) == b"answer"
    assert len(read_public(f"{server}/200/x", limit=3)) == 4
    for status in (301, 302, 307, 403, 404, 500, 204):
        with pytest.raises(OSError, match=str(status)):
            read_public(f"{server}/{status}/x", limit=100)
    with pytest.raises(OSError, match="not HTTP"):
        read_public(f"{server}/0/x", limit=100)
    assert ("GET", "/200/elsewhere", b"") not in _Handler.seen
