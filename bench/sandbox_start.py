"""How long a sandbox takes from the command to its first answer (goal: under 3 s)."""

import statistics
import subprocess
import sys
import time

from valetkey.sandbox.client import Control
from valetkey.sandbox.process import spawn

RUNS = 5


def run() -> None:
    """Print the medians of starting a sandbox process, and of `python -c pass` as the floor."""
    starts, floors = [], []
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        floors.append(time.perf_counter() - began)
        began = time.perf_counter()
        with spawn() as running:
            assert Control(running.url).pid() is not None
            starts.append(time.perf_counter() - began)
    start, floor = statistics.median(starts), statistics.median(floors)
    print(f"sandbox answers after {start:.2f} s (min {min(starts):.2f}, max {max(starts):.2f}; goal under 3 s)")
    print(f"bare python {floor * 1000:.0f} ms, so {start / floor:.0f} times")
