"""The campaign: generate cases, evaluate both sides, compare, explain, shrink, report, record."""

from __future__ import annotations

import collections
import gzip
import io
import json
import pathlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .cases import Case, ours, well_posed
from .examples import EXAMPLES
from .generate import case
from .known import BY_NAME, explain
from .oracle import BATCH, Oracle
from .shrink import shrink

SHOWN = 20
"""The number of unexplained differences that are shrunk and printed; more are only counted."""
CORPUS = "corpus/v1"
OUTCOMES = ("allowed", "explicit_deny", "implicit_deny")


@dataclass
class Result:
    """The result of a campaign. `judged` has (case, our verdict, the referee's, names of explaining rows) if kept."""

    seed: str
    version: str
    cases: int = 0
    seconds: float = 0.0
    outcomes: collections.Counter[str] = field(default_factory=collections.Counter)
    known: collections.Counter[tuple[str, ...]] = field(default_factory=collections.Counter)
    examples: dict[tuple[str, ...], Case] = field(default_factory=dict)
    unexplained: list[tuple[int, Case, str, str]] = field(default_factory=list)
    judged: list[tuple[Case, str, str, tuple[str, ...]]] = field(default_factory=list)


def run(
    oracle: Oracle, *, cases: int, seed: str, keep: bool = False, progress: Callable[[int], None] = lambda done: None
) -> Result:
    """Evaluate `cases` cases of `seed` on both sides. With `keep`, the result contains every case."""
    result = Result(seed=seed, version=oracle.version)
    start = time.perf_counter()
    for first, batch, theirs in _batches(oracle, cases, seed):
        mine = [ours(one) for one in batch]
        for at, (one, verdict, answer) in enumerate(zip(batch, mine, theirs(), strict=True)):
            result.outcomes[verdict if verdict in OUTCOMES else "refused"] += 1
            names: tuple[str, ...] | None = ()
            if verdict != answer:
                names = explain(one, verdict, oracle.decide)
                if names is None:
                    result.unexplained.append((first + at, one, verdict, answer))
                else:
                    result.known[names] += 1
                    result.examples.setdefault(names, one)
            if keep and names is not None:
                result.judged.append((one, verdict, answer, names))
        result.cases += len(batch)
        progress(result.cases)
    result.seconds = time.perf_counter() - start
    return result


def _batches(oracle: Oracle, cases: int, seed: str) -> Iterator[tuple[int, list[Case], Callable[[], list[str]]]]:
    for first in range(0, cases, BATCH):
        batch = [case(seed, number) for number in range(first, min(first + BATCH, cases))]
        # The referee evaluates the batch at the same time.
        oracle.send(batch)
        yield first, batch, oracle.receive


def stale(oracle: Oracle) -> list[str]:
    """Rows whose example the referee evaluates as documented: a newer referee has fixed it."""
    answers = oracle.decide([one for one, _ in EXAMPLES.values()])
    return [name for (name, (_, right)), answer in zip(EXAMPLES.items(), answers, strict=True) if answer == right]


def shrunk(oracle: Oracle, one: Case, names: tuple[str, ...] | None) -> Case:
    """The smallest case that differs for the same reason: the rows `names`, or no row if None."""

    def interesting(candidates: list[Case]) -> list[bool]:
        mine, theirs = [ours(c) for c in candidates], oracle.decide(candidates)
        return [
            verdict != answer
            and {verdict, answer} <= {*OUTCOMES}
            and well_posed(c)
            and explain(c, verdict, oracle.decide) == names
            for c, verdict, answer in zip(candidates, mine, theirs, strict=True)
        ]

    return shrink(one, interesting)


def report(oracle: Oracle, result: Result, *, examples: bool) -> str:
    """The result as text. Shrinks the printed cases."""
    total = max(result.cases, 1)
    pace = f"{result.seconds:.1f} s, {result.cases / max(result.seconds, 1e-9):,.0f}/s"
    lines = [
        f"{result.cases:,} cases of seed {result.seed} against iam-simulate {result.version}: {pace}",
        "  " + ", ".join(f"{name} {count * 100 / total:.1f} %" for name, count in result.outcomes.most_common()),
        f"  {result.known.total():,} differ as known:",
    ]
    for names, count in result.known.most_common():
        title = BY_NAME[names[0]].title if len(names) == 1 else "several causes at once"
        lines.append(f"  {count:>7,}  {' + '.join(names)}: {title}")
        if examples:
            lines.append("           " + json.dumps(shrunk(oracle, result.examples[names], names)))
    lines.append(f"  {len(result.unexplained):,} unexplained")
    for number, verdict, answer, small in _distinct(oracle, result):
        lines.append(
            f"    case {result.seed}:{number}: we say {verdict}, the referee {answer}\n      {json.dumps(small)}"
        )
    return "\n".join(lines)


def _distinct(oracle: Oracle, result: Result) -> Iterator[tuple[int, str, str, Case]]:
    """Unexplained differences that are distinct after shrinking; one for each error text of a side."""
    seen: set[str] = set()
    for number, one, verdict, answer in result.unexplained[: 10 * SHOWN]:
        judged = verdict in OUTCOMES and answer in OUTCOMES
        small = shrunk(oracle, one, None) if judged else one
        if judged:
            verdict, answer = ours(small), oracle.decide([small])[0]
        key = json.dumps(small) if judged else f"{verdict} {answer if answer not in OUTCOMES else ''}"
        if key not in seen and len(seen) < SHOWN:
            seen.add(key)
            yield number, verdict, answer, small


def record(result: Result, path: pathlib.Path) -> None:
    """Write the cases of a campaign as a corpus: the same verdicts give the same bytes."""
    head: dict[str, Any] = {"valetkey": CORPUS, "referee": f"@cloud-copilot/iam-simulate {result.version}"}
    head |= {"seed": result.seed, "cases": len(result.judged)}
    rows = [
        {"case": one, "verdict": verdict, "referee": answer, "known": list(names)}
        for one, verdict, answer, names in result.judged
    ]
    raw = io.BytesIO()
    # mtime 0 and no file name: the bytes depend on the cases alone
    with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=9, mtime=0) as packed:
        packed.write("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in [head, *rows]).encode())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw.getvalue())


def load(path: pathlib.Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Head and rows of a recorded corpus. Raises ValueError for another kind of file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        head, *rows = map(json.loads, lines)
    if head.get("valetkey") != CORPUS or head["cases"] != len(rows):
        raise ValueError(f"{path} is not a whole {CORPUS}")
    return head, rows
