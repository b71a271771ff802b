"""Mutation tests: do the tests of a room fail when its code is wrong? `make mutants`.

Takes 100 single changes at random (fixed by the seed) in policy, prover, trust, grants and credentials/sessions, puts
each into a copy of the package, and runs the unit tests of that room against the copy. Prints each change that no test
noticed, with the reason from `tools/mutants.toml` if there is one, and each reason whose line no longer exists. Exit
code 1 if fewer than 85 % are noticed.

Before any change, the tests of each room must pass against the unchanged copy, and import the package from it.
Otherwise every change would seem to be noticed, or none.
"""

from __future__ import annotations

import argparse
import ast
import collections
import concurrent.futures
import contextlib
import dataclasses
import difflib
import enum
import os
import pathlib
import queue
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Iterator

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = pathlib.Path(__file__).parent.parent
SRC = ROOT / "src"
ROOMS = ("policy", "prover", "trust", "grants", "credentials/sessions")
WANTED = 0.85
SECONDS = 300
"""Time limit for the tests of one room. A change that makes them run longer is noticed, and counted separately."""
ELSEWHERE = 77
"""Exit code of tests that import a package other than the copy."""
_PLUGIN = f"""
import pathlib, os, pytest
def pytest_collection_finish(session):
    import valetkey
    if not pathlib.Path(valetkey.__file__).is_relative_to(os.environ["MUTANTS_COPY"]):
        pytest.exit(f"valetkey is imported from {{valetkey.__file__}}", returncode={ELSEWHERE})
"""

# These need arguments, or change only names.
_LEFT_OUT = ("VariableReplacer", "VariableInserter")
# Lines for the type checker only, and the decorators of dataclasses: it also checks that values are frozen.
_NOT_RUN = re.compile(r"\s*(if TYPE_CHECKING|@dataclass|@dataclasses)")


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One change of one file: the line before and after it, and the whole new text of the file."""

    room: str
    path: pathlib.Path
    line: int
    before: str
    after: str
    text: str


def same_but_for_annotations(before: str, after: str) -> bool:
    """Whether two texts differ only in annotations, which are never evaluated here (PEP 563)."""

    def bare(text: str) -> str:
        tree = ast.parse(text)
        for node in ast.walk(tree):
            if isinstance(node, ast.arg):
                node.annotation = None
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                node.returns = None
            elif isinstance(node, ast.AnnAssign):
                node.annotation = ast.Constant(None)
        return ast.dump(tree)

    return bare(before) == bare(after)


def places(text: str) -> dict[tuple[int, int], list[tuple[str, int]]]:
    """Return every position of a file that can be changed: line and column, with the operators and their
    occurrences."""
    nodes = list(ast_nodes(get_ast(text)))
    result: dict[tuple[int, int], list[tuple[str, int]]] = collections.defaultdict(list)
    for name in sorted(operator_names()):
        if any(item in name for item in _LEFT_OUT):
            continue
        operator = get_operator(name)()
        count = 0
        for node in nodes:
            for start, _ in operator.mutation_positions(node):
                result[start].append((name, count))
                count += 1
    return result


def mutants(room: str, wanted: int, rng: random.Random) -> list[Mutant]:
    """Return `wanted` changes of one room, at most one per position."""
    texts = {path: path.read_text() for path in sorted((SRC / "valetkey" / room).rglob("*.py"))}
    open_ = [(path, place, ways) for path, text in texts.items() for place, ways in sorted(places(text).items())]
    rng.shuffle(open_)
    taken: list[Mutant] = []
    for path, (line, _), ways in open_:
        if len(taken) == wanted:
            break
        name, occurrence = rng.choice(ways)
        before = texts[path]
        if _NOT_RUN.match(before.splitlines()[line - 1]):
            continue
        after = mutate_code(before, get_operator(name)(), occurrence)
        if after is None or after == before:
            continue
        try:
            if same_but_for_annotations(before, after):
                continue
        except SyntaxError:
            continue
        changed = [
            item for item in difflib.ndiff(before.splitlines(), after.splitlines()) if item.startswith(("- ", "+ "))
        ]
        gone = " ".join(item[2:].strip() for item in changed if item.startswith("- "))
        new = " ".join(item[2:].strip() for item in changed if item.startswith("+ "))
        taken.append(Mutant(room, path.relative_to(SRC), line, gone, new, after))
    return taken


def tests_of(mutant: Mutant) -> list[str]:
    """Return the tests of a change's room. Those of its own file come first, so that most runs end early."""
    folder = folder_of(mutant.room)
    own = [str(path) for path in sorted(folder.rglob(f"test_{mutant.path.stem}*.py"))]
    return [*own, str(folder)]


def folder_of(room: str) -> pathlib.Path:
    """Return the folder of a room's unit tests."""
    return ROOT / "tests" / "unit" / room


class Outcome(enum.Enum):
    """Result of a room's tests for a change."""

    PASSED = "passed"
    FAILED = "failed"
    TIMED_OUT = "timed out"


class Copies:
    """Copies of the package, one per worker. Each is created once; each change is undone after its tests."""

    def __init__(self, place: pathlib.Path, count: int) -> None:
        (place / "mutants_plugin.py").write_text(_PLUGIN)
        self._plugin = place
        self._free: queue.SimpleQueue[pathlib.Path] = queue.SimpleQueue()
        for number in range(count):
            copy = place / str(number) / "src"
            shutil.copytree(SRC, copy, ignore=shutil.ignore_patterns("__pycache__"))
            self._free.put(copy)

    def unchanged(self, room: str) -> None:
        """Stop the campaign unless the tests of a room pass without a change."""
        with self._taken() as copy:
            outcome, said = self._tests(copy, [str(folder_of(room))])
        if outcome is not Outcome.PASSED:
            raise SystemExit(f"the tests of {room} {outcome.value} before anything was changed:\n{said[-2000:]}")

    def outcome(self, mutant: Mutant) -> Outcome:
        """Run the tests of a change's room against it. Returns the result."""
        with self._taken() as copy:
            path = copy / mutant.path
            before = path.read_text()
            path.write_text(mutant.text)
            try:
                return self._tests(copy, tests_of(mutant))[0]
            finally:
                path.write_text(before)

    @contextlib.contextmanager
    def _taken(self) -> Iterator[pathlib.Path]:
        copy = self._free.get()
        try:
            yield copy
        finally:
            self._free.put(copy)

    def _tests(self, copy: pathlib.Path, tests: list[str]) -> tuple[Outcome, str]:
        words = [ROOT / ".venv/bin/python", "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider"]
        settings = {
            **os.environ,
            "PYTHONPATH": f"{copy}{os.pathsep}{self._plugin}",
            "MUTANTS_COPY": str(copy),
            "PYTHONDONTWRITEBYTECODE": "1",
            "CI": "1",
        }
        try:
            done = subprocess.run(
                [*words, "-p", "mutants_plugin", *tests],
                cwd=ROOT,
                env=settings,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Outcome.TIMED_OUT, f"longer than {SECONDS} s"
        said = (done.stdout + done.stderr).decode(errors="replace")
        if done.returncode in (ELSEWHERE, 5) or done.returncode < 0:
            raise SystemExit(f"pytest could not run (exit code {done.returncode}): {said[-2000:]}")
        return (Outcome.PASSED if done.returncode == 0 else Outcome.FAILED), said


def one_line(text: str) -> str:
    """Join lines as in `Mutant.before`."""
    return " ".join(line.strip() for line in text.splitlines())


def outdated(known: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """Yield a message for each known survivor whose file or line no longer exists."""
    for file, before, _ in known:
        path = SRC / file
        if not path.exists() or before not in one_line(path.read_text()):
            yield f"tools/mutants.toml names a line that is there no more, in {file}: {before}"


def main() -> int:
    """Run the campaign. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--room", action="append", choices=ROOMS)
    options = parser.parse_args()
    known = {
        (item["file"], item["before"], item["after"]): item["why"]
        for item in tomllib.loads((ROOT / "tools" / "mutants.toml").read_text()).get("survivor", ())
    }
    for item in outdated(known):
        print(item)
    rooms = options.room or ROOMS
    rng = random.Random(options.seed)
    all_ = [item for room in rooms for item in mutants(room, options.mutants // len(rooms), rng)]
    seen: dict[str, collections.Counter[Outcome]] = {room: collections.Counter() for room in rooms}
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="mutants-") as place,
        concurrent.futures.ThreadPoolExecutor(options.jobs) as pool,
    ):
        copies = Copies(pathlib.Path(place), options.jobs)
        collections.deque(pool.map(copies.unchanged, rooms), maxlen=0)
        for mutant, outcome in zip(all_, pool.map(copies.outcome, all_), strict=True):
            seen[mutant.room][outcome] += 1
            if outcome is Outcome.PASSED:
                why = known.get((str(mutant.path), mutant.before, mutant.after), "no reason is written down")
                print(f"{mutant.path}:{mutant.line}\n  - {mutant.before}\n  + {mutant.after}\n  {why}", flush=True)
    for room in rooms:
        print(f"{room:22} {summary(seen[room])}")
    every = sum(seen.values(), collections.Counter())
    print(f"{summary(every)} in {time.monotonic() - started:.0f} s")
    return 0 if 1 - every[Outcome.PASSED] / every.total() >= WANTED else 1


def summary(seen: collections.Counter[Outcome]) -> str:
    """Return how many changes were noticed, and how many of these by a time-out."""
    total = seen.total()
    noticed = total - seen[Outcome.PASSED]
    late = f", {seen[Outcome.TIMED_OUT]} of them by a time-out" if seen[Outcome.TIMED_OUT] else ""
    return f"{noticed:3} of {total} noticed ({noticed / total:.0%}){late}" if total else "nothing to change"


if __name__ == "__main__":
    sys.exit(main())
