"""Roles per second of `valetkey audit`, with every trust policy proved and every check made, next to two peers on one
dump.

Each runs in a separate process and counts its CPU time, so that a busy machine is fair to all. cloudsplaining reads the
same file and flags risky trust policies by their contents; it proves nothing, and always writes an HTML report.
iam-simulate is not an auditor: it is asked one question per role, whether a user of an unknown account is admitted
without any condition, of the many that an audit answers.

Goals: 1,000 roles per second on one core, 300 MB at 10,000 roles, linear growth.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.differential.oracle import Oracle, OracleError

from bench.accounts import ORGANISATION, SIZES, dumps

_LIMIT = 600
_AUDIT = f"""
import re, sys, time
from datetime import UTC, datetime
from pathlib import Path
from valetkey.account import read_files
from valetkey.audit import Scope, audit
account = read_files([sys.argv[1]], read=lambda name: Path(name).read_bytes())
began = time.process_time()
answer = audit(account, scope=Scope(org_id="{ORGANISATION}"), now=datetime.now(UTC))
took = time.process_time() - began
outside = sum(bool(each.outsiders) for each in answer.roles)
undecided = sum(each.exposure == "unknown" for each in answer.roles)
peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())
print(len(answer.roles), outside, undecided, len(answer.findings), took, int(peak[1]) // 1024 if peak else 0)
"""


def run() -> None:
    """Print the figures for each size, and those of the peers for the smallest."""
    rates = {}
    for size, path in dumps():
        roles, outside, undecided, findings, took, memory = _words([sys.executable, "-c", _AUDIT, str(path)])
        assert int(roles) == size, f"{roles} roles were audited, not {size}"
        assert not int(undecided), f"{undecided} roles were not decided"
        rates[size] = size / float(took)
        print(
            f"audit {size:>6,} roles ({outside} open to outsiders, {findings} findings): {float(took):.2f} s on one "
            f"core, {rates[size]:,.0f} roles/s (goal: 1,000), {memory} MB at most (goal: 300)"
        )
        began = time.perf_counter()
        command = [sys.executable, "-m", "valetkey", "audit", str(path), "--json", "--org-id", ORGANISATION]
        ran = subprocess.run(command, capture_output=True, timeout=_LIMIT, check=False)
        assert ran.returncode == 1, ran.stderr.decode()
        print(f"      the whole command, start to JSON, all cores: {time.perf_counter() - began:.1f} s by the clock")
        if size == SIZES[0]:
            _peers(path, size, rates[size])
    first, last = SIZES[0], SIZES[-1]
    longer = last / first * rates[first] / rates[last]
    print(f"growth: {last / first:.0f} times the roles took {longer:.1f} times the time")


def _words(command: list[str]) -> list[str]:
    ran = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split()


def _peers(path: Path, size: int, ours: float) -> None:
    with tempfile.TemporaryDirectory(prefix="valetkey-bench-") as folder:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [
            str(Path(sys.executable).with_name("cloudsplaining")),
            "scan",
            "-i",
            str(path),
            "-o",
            folder,
            "-s",
            "-t",
        ]
        try:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT, check=False)
        except (FileNotFoundError, subprocess.TimeoutExpired) as reason:
            print(f"cloudsplaining                     skipped: {type(reason).__name__}")
        else:
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            assert ran.returncode == 0, ran.stderr[-500:]
            assert any(Path(folder).iterdir()), "it wrote nothing"
            print(
                f"cloudsplaining scan -t             {size / took:>7,.0f} roles/s   ratio {ours / (size / took):.0f} x"
            )
    roles = json.loads(path.read_text())["RoleDetailList"]
    cases = [
        {
            "request": {
                "principal": "arn:aws:iam::999988887777:user/somebody",
                "action": "sts:AssumeRole",
                "resource": role["Arn"],
                "context": {"aws:CurrentTime": "2026-12-01T00:00:00Z"},
            },
            "trust": role["AssumeRolePolicyDocument"],
            "identity": [_ANYTHING],
        }
        for role in roles
    ]
    try:
        with Oracle(limit=_LIMIT) as oracle:
            _, rate = oracle.rate(cases[0], seconds=2)
            began = time.perf_counter()
            verdicts = oracle.decide(cases)
            clock = time.perf_counter() - began
    except OracleError as reason:
        print(f"iam-simulate                       skipped: {reason}")
        return
    assert "allowed" in verdicts, "nobody is let in anywhere: the bench measures nonsense"
    print(
        f"iam-simulate {oracle.version}, 1 question a role {size / clock:>7,.0f} roles/s by the clock "
        f"(runSimulation alone {rate:,.0f}/s); {verdicts.count('allowed')} let in"
    )


_ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
