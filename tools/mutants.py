"""Do the tests of a room fail when its code is wrong? `make mutants`.

Takes 100 single changes at random (the seed fixes them) over policy, prover, trust, grants and
credentials/sessions, puts each into a copy of the package, and runs the unit tests of that room against the copy.
Prints each change that no test noticed, with the reason in `tools/mutants.toml` where one is known. Exit 1 where less
than 85 % are noticed.
"""

from __future__ import annotations

import argparse
import ast
import collections
import concurrent.futures
import dataclasses
import difflib
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = pathlib.Path(__file__).parent.parent
SRC = ROOT / "src"
ROOMS = ("policy", "prover", "trust", "grants", "credentials/sessions")
WANTED = 0.85
SECONDS = 300
"""What the tests of one room may take; a change that makes them run longer is noticed."""

# These need arguments of their own, or change names only.
_LEFT_OUT = ("VariableReplacer", "VariableInserter")
# What is for the type checker alone, and that values are frozen, which it holds too.
_NOT_RUN = re.compile(r"\s*(if TYPE_CHECKING|@dataclass|@dataclasses)")


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One change of one file: the line before and after it, and the file's whole new text."""

    room: str
    path: pathlib.Path
    line: int
    before: str
    after: str
    text: str


def same_but_for_annotations(before: str, after: str) -> bool:
    """Annotations are never evaluated here (PEP 563): a change within one changes nothing."""

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
    """Every place of a file that can be changed: its line and column, with the operators and their occurrences."""
    nodes = list(ast_nodes(get_ast(text)))
    found: dict[tuple[int, int], list[tuple[str, int]]] = collections.defaultdict(list)
    for name in sorted(operator_names()):
        if any(each in name for each in _LEFT_OUT):
            continue
        operator = get_operator(name)()
        count = 0
        for node in nodes:
            for start, _ in operator.mutation_positions(node):
                found[start].append((name, count))
                count += 1
    return found


def mutants(room: str, wanted: int, rng: random.Random) -> list[Mutant]:
    """`wanted` changes of one room, each place at most once."""
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
            each for each in difflib.ndiff(before.splitlines(), after.splitlines()) if each.startswith(("- ", "+ "))
        ]
        gone = " ".join(each[2:].strip() for each in changed if each.startswith("- "))
        new = " ".join(each[2:].strip() for each in changed if each.startswith("+ "))
        taken.append(Mutant(room, path.relative_to(SRC), line, gone, new, after))
    return taken


def tests_of(mutant: Mutant) -> list[str]:
    """The tests of its room; the file's own come first, so that most runs end early."""
    folder = ROOT / "tests" / "unit" / mutant.room
    own = [str(path) for path in sorted(folder.rglob(f"test_{mutant.path.stem}*.py"))]
    return [*own, str(folder)]


def noticed(mutant: Mutant) -> bool:
    """Whether a test of its room fails with this change."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as place:
        copy = pathlib.Path(place) / "src"
        shutil.copytree(SRC, copy, ignore=shutil.ignore_patterns("__pycache__"))
        (copy / mutant.path).write_text(mutant.text)
        words = [ROOT / ".venv/bin/python", "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider"]
        settings = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", "CI": "1"}
        try:
            done = subprocess.run(
                [*words, *tests_of(mutant)], cwd=ROOT, env=settings, capture_output=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return True
        if done.returncode not in (0, 1, 2):
            raise SystemExit(f"pytest could not run: {done.stdout.decode()[-2000:]}{done.stderr.decode()[-2000:]}")
        return done.returncode != 0


def main() -> int:
    """Run the campaign. The exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--room", action="append", choices=ROOMS)
    options = parser.parse_args()
    known = {
        (each["file"], each["before"], each["after"]): each["why"]
        for each in tomllib.loads((ROOT / "tools" / "mutants.toml").read_text()).get("survivor", ())
    }
    rooms = options.room or ROOMS
    rng = random.Random(options.seed)
    all_ = [each for room in rooms for each in mutants(room, options.mutants // len(rooms), rng)]
    killed: collections.Counter[str] = collections.Counter()
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for mutant, dead in zip(all_, pool.map(noticed, all_), strict=True):
            killed[mutant.room] += dead
            if not dead:
                why = known.get((str(mutant.path), mutant.before, mutant.after), "no reason is written down")
                print(f"{mutant.path}:{mutant.line}\n  - {mutant.before}\n  + {mutant.after}\n  {why}", flush=True)
    for room in rooms:
        print(f"{room:22} {killed[room]:3} of {sum(each.room == room for each in all_)} noticed")
    share = sum(killed.values()) / len(all_)
    print(f"{sum(killed.values())} of {len(all_)} noticed ({share:.0%}) in {time.monotonic() - started:.0f} s")
    return 0 if share >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
