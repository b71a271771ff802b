"""`python -m tests.differential`: our evaluator against the outside referee, on random cases.

Exit code 0 if every difference is a known one, 1 if one is not (or a known one no longer occurs), 2 if the referee
cannot be run.
"""

from __future__ import annotations

import argparse
import pathlib
import sys

from .campaign import record, report, run, stale
from .oracle import Oracle, OracleError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000, help="how many (default 100,000)")
    parser.add_argument("--seed", default="1", help="another seed is another campaign (default 1)")
    parser.add_argument("--examples", action="store_true", help="show the smallest case of every known difference")
    parser.add_argument("--record", type=pathlib.Path, metavar="FILE", help="write the judged cases as a corpus")
    words = parser.parse_args()
    try:
        with Oracle() as oracle:
            result = run(oracle, cases=words.cases, seed=words.seed, keep=words.record is not None, progress=_progress)
            print(report(oracle, result, examples=words.examples))
            gone = stale(oracle)
            if gone:
                print(f"  these known differences are gone, take them out of known.py: {', '.join(gone)}")
    except OracleError as error:
        print(f"no differential campaign: {error}", file=sys.stderr)
        return 2
    if result.unexplained or gone:
        return 1
    if words.record:
        record(result, words.record)
        print(f"  recorded in {words.record}, {words.record.stat().st_size:,} bytes")
    return 0


def _progress(done: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done:,}", end="\r", file=sys.stderr, flush=True)


sys.exit(main())
