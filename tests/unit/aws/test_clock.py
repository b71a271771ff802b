"""The time by AWS's Date header: from a refusal, without keys, however wrong this computer's clock is."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from valetkey.account.calls import CallError
from valetkey.aws.clock import clock_skew, partition_of


class Sts(BaseHTTPRequestHandler):
    """Refuses every call, as STS refuses an unsigned one, by a clock of its own."""

    ahead = 0.0
    dated = True
    seen: list[str | None]

    def do_POST(self) -> None:
        self.seen.append(self.headers.get("Authorization"))
        body = (
            b"<ErrorResponse><Error><Code>MissingAuthenticationToken</Code><Message>x</Message></Error></ErrorResponse>"
        )
        self.send_response_only(403)
        if self.dated:
            self.send_header("Date", formatdate(time.time() + self.ahead, usegmt=True))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[type[Sts]]:
    handler = type("Handler", (Sts,), {"seen": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home = tmp_path_factory.mktemp("home")
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{server.server_port}")
    yield handler
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("ahead", [0.0, 612.0, -54_000.0])
def test_skew(sts: type[Sts], ahead: float) -> None:
    sts.ahead = ahead
    assert clock_skew(None, region="eu-central-1") == pytest.approx(-ahead, abs=1.5)
    assert sts.seen == [None]  # nothing was signed


def test_an_answer_without_a_date(sts: type[Sts]) -> None:
    sts.dated = False
    with pytest.raises(CallError) as caught:
        clock_skew(None, region="eu-central-1")
    assert caught.value.code == "Garbled"


def test_nobody_answers(sts: type[Sts], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    with pytest.raises(CallError) as caught:
        clock_skew(None, region="eu-central-1")
    assert caught.value.code == "Unreachable"


def test_partitions() -> None:
    assert partition_of("eu-central-1") == "aws"
    assert partition_of("cn-north-1") == "aws-cn"
    assert partition_of("us-gov-west-1") == "aws-us-gov"
    assert partition_of("mars-1") is None
