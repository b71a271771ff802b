"""How long an SDK waits for credentials from `valetkey serve`, with a new connection each time, as SDKs do.

The floor is a bare server of the standard library that sends the same bytes to any client, in a separate process.
Goals: half of the requests under 3 times the floor's; with 50 clients at once, the slowest of all under half the second
after which the least patient SDK (JavaScript) complains.
"""

import concurrent.futures
import contextlib
import http.client
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from bench.credential_process import CONTRACTOR, furnish, on_terminal, verdict
from valetkey.sandbox.client import Control
from valetkey.sandbox.process import spawn

ONE_BY_ONE, CLIENTS, EACH = 400, 50, 10
BARE = """
import http.server, sys
body = sys.stdin.buffer.readline().strip()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer.request_queue_size = 128
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
server.serve_forever()
"""


def run() -> None:
    """Print the waiting times, and the goals."""
    device = f"arn:aws:iam::{CONTRACTOR}:mfa/ann"
    with spawn() as running, tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        env = furnish(running.url, pathlib.Path(folder))
        control = Control(running.url)
        words = [sys.executable, "-m", "valetkey"]
        on_terminal([*words, "credential-process", "acme"], env, lambda: control.totp(device)[0])
        line = stack.enter_context(_started([*words, "serve", "acme", "--json"], env))
        [served] = json.loads(line)["served"]
        token = pathlib.Path(served["token_file"]).read_text()
        status, body, _ = _get(served["url"], token)
        if status != 200:
            raise SystemExit(f"serve answered {status}:\n{body.decode()}")
        bare = stack.enter_context(_started([sys.executable, "-c", BARE], env, body)).strip()
        floor, ours = (_one_by_one(url, token) for url in (bare, served["url"]))
        floor_storm, our_storm = (_at_once(url, token) for url in (bare, served["url"]))
    print(f"{'median ms':>9}  {'99 % ms':>7}  {'slowest':>7}")
    for name, times in (
        ("bare server, one by one", floor),
        ("valetkey serve, one by one", ours),
        (f"bare server, {CLIENTS} clients", floor_storm),
        (f"valetkey serve, {CLIENTS} clients", our_storm),
    ):
        ms = sorted(item * 1000 for item in times)
        print(f"{statistics.median(ms):9.2f}  {ms[len(ms) * 99 // 100]:7.2f}  {ms[-1]:7.2f}  {name}")
    ratio = statistics.median(ours) / statistics.median(floor)
    print(f"one by one: {ratio:.1f} times a bare server (goal under 3): {verdict(ratio < 3)}")
    print(f"slowest of {len(our_storm)} at once: {max(our_storm) * 1000:.0f} ms (goal under 500): ", end="")
    print(verdict(max(our_storm) < 0.5))


@contextlib.contextmanager
def _started(words: list[str], env: dict[str, str], given: bytes = b"") -> Iterator[str]:
    """Run a server in the block. Yields its first line."""
    child = subprocess.Popen(words, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(given + b"\n")
        child.stdin.flush()
        yield child.stdout.readline().decode()
    finally:
        child.terminate()
        child.communicate(timeout=10)


def _get(url: str, token: str) -> tuple[int, bytes, float]:
    parts = urlsplit(url)
    begun = time.perf_counter()
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    connection.request("GET", parts.path, headers={"Authorization": token})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body, time.perf_counter() - begun


def _one_by_one(url: str, token: str) -> list[float]:
    for _ in range(20):
        _get(url, token)
    return [_get(url, token)[2] for _ in range(ONE_BY_ONE)]


def _at_once(url: str, token: str) -> list[float]:
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        done = list(pool.map(lambda _: _get(url, token), range(CLIENTS * EACH)))
    wrong = [status for status, _, _ in done if status != 200]
    if wrong:
        raise SystemExit(f"{len(wrong)} of {len(done)} were refused: {wrong[0]}")
    return [took for _, _, took in done]


if __name__ == "__main__":
    run()
