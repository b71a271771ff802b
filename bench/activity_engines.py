"""`valetkey activity` on SQL engines, and trailscraper's `select`, next to the built-in engine, on the same trail.

`make engines` installs trailscraper, Spark and pysail; what is not installed is reported. Each runs in a separate
process. Every engine's answer is compared with the generator's truth table; trailscraper returns records, without those
that began the sessions from another account. Spark's CPU time is that of the Python process alone, without Java's.

Goals: trailscraper's `select` takes at least 5 times the CPU time of the built-in engine on one process, and at least 8
times as long by the clock as the built-in engine on two, if two cores are free. trailscraper has one process.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.trails.generate import Truth, generate

_FILES = 2_000
_RECORDS = 185
_LIMIT = 900
_ENGINES = Path(__file__).parents[1] / ".engines"
_STAMP = _ENGINES / ".stamp"
"""Written when `make engines` is complete. Until then, parts of what it installs exist but do not work."""
_CODE = """
import sys, time
sys.path[:0] = [each for each in sys.argv[4].split(":") if each not in sys.path and not each.endswith("site-packages")]
sys.path += [each for each in sys.argv[4].split(":") if each.endswith("site-packages")]
from pathlib import Path
from valetkey.activity import Folder, Wanted, answer, read, role_key
folder, role, name, cores = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[5])
engine = None
if name == "duckdb":
    from valetkey.activity.engines.duck import duck
    engine = duck(cores=1)
elif name == "pysail":
    from pysail.spark import SparkConnectServer
    server = SparkConnectServer("127.0.0.1", 0)
    server.start()
    from pyspark.sql import SparkSession
    from valetkey.activity.engines.spark import spark
    engine = spark(SparkSession.builder.remote(f"sc://127.0.0.1:{server.listening_address[1]}").getOrCreate())
elif name == "spark":
    from valetkey.activity.engines.spark import spark
    engine = spark()
wanted = Wanted(roles=frozenset({role_key(role)}))
began = time.perf_counter()
reading, _ = read(Folder(folder), wanted, accounts=frozenset({role.split(":")[4]}), cores=cores, engine=engine)
done = answer(reading.events)
assert reading.is_complete
print(len(done.sessions), sum(each.events for each in done.sessions), time.perf_counter() - began)
"""


def run(files: int = _FILES) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="valetkey-bench-") as home:
        folder = Path(home) / "all"
        truth = generate(folder, files=files, records=_RECORDS, rounds=6)
        print(f"made: {truth.size / 1e6:,.0f} MB in {truth.files:,} files, {len(truth.sessions)} sessions")
        ours, _ = _engine("built-in", sys.executable, folder, truth)
        many = (os.cpu_count() or 1) > 1
        _, clock = _engine("built-in, 2 processes", sys.executable, folder, truth, cores=2) if many else (0.0, 0.0)
        for name, place in (("duckdb", sys.executable), ("pysail", _python("sail")), ("spark", _python("spark"))):
            if place == sys.executable or _STAMP.exists():
                _engine(name, place, folder, truth)
            else:
                print(f"{name:<22} not installed: make engines")
        peer = _ENGINES / "trailscraper" / "bin" / "trailscraper"
        if _STAMP.exists():
            theirs, their_clock = _trailscraper(peer, folder, truth)
            print(f"      trailscraper takes {theirs / ours:.1f} times the built-in engine's time on a core")
            if many:
                print(f"      trailscraper takes {their_clock / clock:.1f} times as long by the clock as 2 processes")
        else:
            print(f"{'trailscraper':<22} not installed: make engines")


def _python(name: str) -> str:
    return str(_ENGINES / name / "bin" / "python")


def _engine(name: str, python: str, folder: Path, truth: Truth, *, cores: int = 1) -> tuple[float, float]:
    """Return an engine's seconds of CPU time, and by the clock."""
    paths = ":".join(item for item in (str(Path(__file__).parents[1] / "src"), *sys.path) if item)
    command = [python, "-c", _CODE, str(folder), truth.role, name, paths, str(cores)]
    # The client of Spark Connect looks for a Spark on Java unless SPARK_HOME is set.
    env = {**os.environ, "SPARK_HOME": str(folder)} if name == "pysail" else dict(os.environ)
    said, core, clock = _timed(command, env)
    sessions, events, asked = said.split()[-3:]
    assert int(sessions) == len(truth.sessions), f"{name}: {sessions} sessions, the truth is {len(truth.sessions)}"
    assert int(events) == sum(true.calls for true in truth.sessions)
    print(
        f"{name:<22} {core:6.1f} s on cores with its start; {clock:6.1f} s by the clock, {float(asked):.1f} s of them "
        "for the answer, which is the truth"
    )
    return core, clock


def _trailscraper(program: Path, folder: Path, truth: Truth) -> tuple[float, float]:
    command = [str(program), "select", "--log-dir", str(folder), "--filter-assumed-role-arn", truth.role,
               "--from", "2026-11-01", "--to", "2026-12-01"]  # fmt: skip
    said, core, clock = _timed(command, dict(os.environ))
    result = len(json.loads(said)["Records"])
    print(f"{'trailscraper':<22} {core:6.1f} s on cores with its start; {clock:6.1f} s by the clock; {result} records")
    return core, clock


def _timed(command: list[str], env: dict[str, str]) -> tuple[str, float, float]:
    """Run a process. Returns its output, its seconds of CPU time, and those by the clock."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ran = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT, check=False, env=env)
    took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, took


if __name__ == "__main__":
    run(*(int(item) for item in sys.argv[1:2]))
