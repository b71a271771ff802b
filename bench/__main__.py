"""Print every benchmark: `make bench`. Figures are ratios against a peer or a floor measured in the same run."""

import importlib
import platform
import sys
import time

NAMES = (
    "decide",
    "prove",
    "credential_process",
    "kept",
    "importing",
    "parallel",
    "serve",
    "sandbox_start",
    "accounts",
    "audit",
    "grant",
    "change",
    "list_check",
    "activity",
    "activity_engines",
)

if __name__ == "__main__":
    print(f"valetkey bench: Python {platform.python_version()} on {platform.machine()}, {platform.system()}")
    for name in sys.argv[1:] or NAMES:
        began = time.perf_counter()
        print(f"\n== {name}")
        importlib.import_module(f"bench.{name}").run()
        print(f"   ({time.perf_counter() - began:.0f} s)")
