"""`valetkey activity` on a generated trail of an organization: bytes per second with one process and with two, and
memory.

The floor is measured in the same run: gunzip each file and search its text for the role's name, the least work that
finds a role. The peer is a typical script: gunzip, json.loads, a look at every record. Each runs in a separate process
and counts its CPU time, so that a busy machine is fair to all; by the clock, two processes are faster only if two cores
are free. Every answer is compared with the generator's truth table.

Goals: 1 GB/s by the clock on two free cores, 60 MB in each process, linear growth.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.trails.generate import OWNER, generate

_FILES = 2_000
_RECORDS = 185
_LIMIT = 600
_HEAD = """
import re, sys, time
from pathlib import Path
folder, role, cores = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
def peak(): return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024
"""
_OURS = f"""{_HEAD}
import resource
from valetkey.activity import Folder, Wanted, answer, read, role_key
began, on_core = time.perf_counter(), time.process_time()
wanted = Wanted(roles=frozenset({{role_key(role)}}))
reading, _ = read(Folder(folder), wanted, accounts=frozenset({{role.split(":")[4]}}), cores=cores)
done = answer(reading.events)
took = time.perf_counter() - began
assert reading.is_complete
children = resource.getrusage(resource.RUSAGE_CHILDREN)
core = time.process_time() - on_core + children.ru_utime + children.ru_stime
memory = max(peak(), children.ru_maxrss // 1024)
print(reading.size, len(done.sessions), sum(each.events for each in done.sessions), core, memory, took)
"""
_FLOOR = f"""{_HEAD}
from valetkey.activity.inflating import library
zipped, name = library()
needle = b"/" + role.rpartition("/")[2].encode()
began, on_core = time.perf_counter(), time.process_time()
size = hits = 0
for path in sorted(folder.rglob("*.json.gz")):
    if role.split(":")[4] in path.name:
        data = zipped.decompress(path.read_bytes(), 31)
        size += len(data)
        hits += needle in data
print(size, hits, 0, time.process_time() - on_core, peak(), time.perf_counter() - began)
"""
_SCRIPT = f"""{_HEAD}
import gzip, json
began, on_core = time.perf_counter(), time.process_time()
size = hits = 0
for path in sorted(folder.rglob("*.json.gz")):
    if role.split(":")[4] in path.name:
        data = gzip.decompress(path.read_bytes())
        size += len(data)
        for record in json.loads(data)["Records"]:
            issuer = ((record.get("userIdentity") or {{}}).get("sessionContext") or {{}}).get("sessionIssuer") or {{}}
            hits += issuer.get("arn") == role
print(size, hits, 0, time.process_time() - on_core, peak(), time.perf_counter() - began)
"""


def run() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="valetkey-bench-") as home:
        folder = Path(home) / "all"
        truth = generate(folder, files=_FILES, records=_RECORDS, rounds=6)
        print(
            f"made: {truth.size / 1e6:,.0f} MB in {truth.files:,} files, {truth.records:,} records, "
            f"{len(truth.sessions)} sessions; read: the files of {OWNER} first, then of callers and of roles behind it"
        )
        floor, _ = _rate("gunzip and search the text", _FLOOR, folder, truth.role)
        script, _ = _rate("gunzip, json.loads, every record", _SCRIPT, folder, truth.role)
        whole = 0.0
        for cores in (1, 2) if (os.cpu_count() or 1) > 1 else (1,):
            rate, said = _rate(f"valetkey activity, {cores} process{'es' if cores > 1 else ''}", _OURS, folder,
                               truth.role, cores)  # fmt: skip
            sessions, events = int(said[1]), int(said[2])
            assert sessions == len(truth.sessions), f"{sessions} sessions, and the truth is {len(truth.sessions)}"
            assert events == sum(true.calls for true in truth.sessions)
            print(f"      {rate / floor:.2f} of the floor, {rate / script:.1f} times the script")
            whole = whole or rate
        quarter = Path(home) / "quarter"
        part = generate(quarter, files=_FILES // 4, records=_RECORDS, rounds=6)
        rate, _ = _rate(f"a quarter of it ({part.size / 1e6:,.0f} MB), 1 process", _OURS, quarter, part.role)
        more = truth.size / part.size
        print(f"growth: {more:.1f} times the bytes took {more * rate / whole:.1f} times the time")
        _one_file(Path(home), folder)
        began = time.perf_counter()
        command = [sys.executable, "-m", "valetkey", "activity", truth.role, "--from", str(folder), "--json"]
        ran = subprocess.run(command, capture_output=True, timeout=_LIMIT, check=False)
        assert ran.returncode == 0, ran.stderr.decode()
        print(f"the whole command, start to JSON, all cores: {time.perf_counter() - began:.1f} s by the clock")


def _one_file(home: Path, folder: Path) -> None:
    """Print the memory used when everything is in one file."""
    import gzip

    one = home / "one"
    one.mkdir()
    with gzip.open(one / "all.ndjson.gz", "wb", 1) as out:
        for path in sorted(folder.rglob(f"{OWNER}_*.json.gz"))[:600]:
            text = gzip.decompress(path.read_bytes()).removeprefix(b'{"Records":[').removesuffix(b"]}")
            out.write(text.replace(b',{"eventVersion"', b'\n{"eventVersion"') + b"\n")
    _rate("all in one NDJSON file, 1 process", _OURS, one, f"arn:aws:iam::{OWNER}:role/partners/audit")


def _rate(name: str, code: str, folder: Path, role: str, cores: int = 1) -> tuple[float, list[str]]:
    """Return MB per second of CPU time, and the output of the process as words."""
    command = [sys.executable, "-c", code, str(folder), role, str(cores)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT, check=False)
    assert ran.returncode == 0, ran.stderr
    said = ran.stdout.split()
    size, core, memory, clock = int(said[0]), float(said[3]), int(said[4]), float(said[5])
    print(
        f"{name:<36} {size / core / 1e6:>5,.0f} MB for each second on a core; "
        f"by the clock {size / clock / 1e6:,.0f} MB/s ({clock:.2f} s for {size / 1e6:,.0f} MB); {memory} MB of memory"
    )
    return size / core / 1e6, said


if __name__ == "__main__":
    run()
