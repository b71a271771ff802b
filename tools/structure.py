"""Figures of the package's structure: `make structure`.

Per room: files, lines, floors (the longest chain of imports between the room's modules) and circles (groups of modules
that import each other; imports inside functions count, those for type checkers only do not). Per command: modules of
valetkey that are imported, modules in which a function runs, and moves (calls from a module in one folder to a module
in another). The commands run on the sandbox. `--root DIR` measures another checkout with this script.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import pathlib
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Iterator

HERE = pathlib.Path(__file__).resolve().parent.parent
OWNER, CONTRACTOR = "210987654321", "123456789012"
POLICY = "arn:aws:iam::aws:policy/SecurityAudit"


def rooms(root: pathlib.Path) -> list[tuple[str, int, int, int, int]]:
    """Return name, files, lines, floors and circles of each room of a checkout, largest first."""
    package = root / "src" / "valetkey"
    modules = {_dotted(path, package.parent): path for path in package.rglob("*.py")}
    imports = {name: set(_imports(name, path, modules)) for name, path in modules.items()}
    result = []
    room_of = {name: "" if path.parent == package else name.split(".")[1] for name, path in modules.items()}
    for room in set(room_of.values()):
        inside = {name: path for name, path in modules.items() if room_of[name] == room}
        within = {name: imports[name] & inside.keys() for name in inside}
        groups = _circles(within)
        lines = sum(_lines(path) for path in inside.values())
        result.append((room or "(top)", len(inside), lines, _floors(within, groups), sum(len(g) > 1 for g in groups)))
    return sorted(result, key=lambda item: -item[2])


def _dotted(path: pathlib.Path, base: pathlib.Path) -> str:
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _lines(path: pathlib.Path) -> int:
    """Lines of code: neither blank nor a comment."""
    stripped = (line.strip() for line in path.read_text().splitlines())
    return sum(1 for line in stripped if line and not line.startswith("#"))


def _imports(name: str, path: pathlib.Path, modules: dict[str, pathlib.Path]) -> Iterator[str]:
    """Yield the modules of valetkey that a module imports, anywhere in it except under TYPE_CHECKING."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            yield from (item.name for item in node.names if item.name in modules and item.name != name)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for item in node.names:
                target = f"{base}.{item.name}" if f"{base}.{item.name}" in modules else base
                if target in modules and target != name:
                    yield target


def _circles(graph: dict[str, set[str]]) -> list[frozenset[str]]:
    """Return the strongly connected groups of a graph (Kosaraju), including those of one module."""
    order: list[str] = []
    seen: set[str] = set()

    def visit(node: str, edges: dict[str, set[str]], out: list[str]) -> None:
        seen.add(node)
        for after in sorted(edges[node] - seen):
            if after not in seen:
                visit(after, edges, out)
        out.append(node)

    for node in sorted(graph):
        if node not in seen:
            visit(node, graph, order)
    back = {node: {other for other in graph if node in graph[other]} for node in graph}
    seen.clear()
    groups: list[frozenset[str]] = []
    for node in reversed(order):
        if node not in seen:
            group: list[str] = []
            visit(node, back, group)
            groups.append(frozenset(group))
    return groups


def _floors(graph: dict[str, set[str]], groups: list[frozenset[str]]) -> int:
    """Return the number of groups in the longest chain of imports."""
    home = {node: group for group in groups for node in group}
    height: dict[frozenset[str], int] = {}

    def of(group: frozenset[str]) -> int:
        if group not in height:
            below = {home[other] for node in group for other in graph[node]} - {group}
            height[group] = 1 + max((of(item) for item in below), default=0)
        return height[group]

    return max((of(group) for group in groups), default=0)


def trace(out: pathlib.Path, words: list[str]) -> None:
    """Run `valetkey WORDS` in this process. Write the number of imported modules, of modules that ran, and of moves to
    `out`."""
    import valetkey

    base = f"{pathlib.Path(valetkey.__file__).parent}{os.sep}"
    ran: set[str] = set()
    moves = 0

    def seen(frame: object, event: str, _: object) -> None:
        nonlocal moves
        code = frame.f_code  # type: ignore[attr-defined]
        if event != "call" or code.co_name in ("<module>", "__getattr__") or not code.co_filename.startswith(base):
            return
        ran.add(code.co_filename)
        caller = frame.f_back  # type: ignore[attr-defined]
        while caller is not None and not caller.f_code.co_filename.startswith(base):
            caller = caller.f_back
        if caller is not None:
            moves += os.path.dirname(caller.f_code.co_filename) != os.path.dirname(code.co_filename)  # noqa: PTH120

    sys.argv = ["valetkey", *words]
    sys.setprofile(seen)
    try:
        runpy.run_module("valetkey", run_name="__main__", alter_sys=True)
    finally:
        sys.setprofile(None)
        imported = [name for name in sys.modules if name == "valetkey" or name.startswith("valetkey.")]
        out.write_text(json.dumps({"imported": len(imported), "ran": len(ran), "moves": moves}))


def commands(root: pathlib.Path) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield the name and the figures of each of four commands, in the checkout `root`."""
    from valetkey.sandbox.accounts import Root
    from valetkey.sandbox.process import spawn

    with spawn(owner=os.getpid()) as running, tempfile.TemporaryDirectory() as folder:
        home = pathlib.Path(folder)
        owner, contractor = Root(running.url, OWNER), Root(running.url, CONTRACTOR)
        admin = owner.user("admin", "arn:aws:iam::aws:policy/AdministratorAccess")
        allowed = {
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Action": ["iam:*", "sts:*"], "Resource": "*"},
        }
        ann = contractor.user("ann", allowed, mfa=True)
        (home / ".aws").mkdir()
        (home / ".aws/credentials").write_text(
            "".join(
                f"[{name}]\naws_access_key_id = {user.access_key_id}\n"
                f"aws_secret_access_key = {user.secret_access_key}\n"
                for name, user in (("owner", admin), ("default", ann))
            )
        )
        code = home / "code.py"
        code.write_text(
            "from valetkey.sandbox.client import Control\n"
            f"print(Control({running.url!r}).totp({ann.mfa_serial!r})[0])\n"
        )
        (home / ".aws/config").write_text(
            "[profile owner]\nregion = us-east-1\n"
            f"[default]\nregion = us-east-1\nmfa_serial = {ann.mfa_serial}\nmfa_process = {sys.executable} {code}\n"
        )
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": str(root / "src"),
            "AWS_ENDPOINT_URL": running.url,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        out = home / "entered.json"

        def run(*words: str) -> dict[str, int]:
            made = [sys.executable, str(pathlib.Path(__file__).resolve()), "--trace", str(out), "--", *words]
            out.unlink(missing_ok=True)
            done = subprocess.run(made, env=env, cwd=home, capture_output=True, text=True, check=False, timeout=120)
            if (done.returncode != 0 and words[0] != "audit") or not out.exists():
                raise SystemExit(f"valetkey {' '.join(words)} failed:\n{done.stdout}{done.stderr}")
            return dict(json.loads(out.read_text()))

        trust = home / "trust.json"
        run("request", "acme", "-o", "request.json")
        as_owner = ("--profile", "owner")
        terms = ("--to", CONTRACTOR, "--until", "30d")
        grant = run("grant", "audit", "--request", "request.json", "--policy", POLICY, *terms, "--yes", *as_owner)
        trust.write_text(json.dumps(owner("iam", "get_role", RoleName="audit")["Role"]["AssumeRolePolicyDocument"]))
        wanted = json.loads((home / "request.json").read_text())["external_id"]
        yield "audit of one file", run("audit", str(trust), "--owner", OWNER, "--own-accounts", OWNER)
        held = ("--trust", str(trust), "--owner", OWNER, "--external-id", wanted)
        yield "prove", run("prove", *held, *terms)
        yield "grant", grant
        run("handoff", "audit", "-o", "handoff.json", *as_owner)
        run("accept", "handoff.json", "--name", "acme")
        run("credential-process", "acme")
        yield "credential-process, session kept", run("credential-process", "acme")


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--root", type=pathlib.Path, default=HERE, help="the checkout to measure")
    words.add_argument("--no-run", action="store_true", help="count files only; start no command")
    given = words.parse_args()
    print("| room | files | lines | floors | circles |\n| --- | --- | --- | --- | --- |")
    table = rooms(given.root)
    for room, files, lines, floors, circles in table:
        print(f"| {room} | {files} | {lines} | {floors} | {circles} |")
    print(
        f"| all | {sum(r[1] for r in table)} | {sum(r[2] for r in table)} "
        f"| {max(r[3] for r in table)} | {sum(r[4] for r in table)} |"
    )
    if not given.no_run:
        print("\n| command | modules imported | modules that run | moves between folders |\n| --- | --- | --- | --- |")
        for name, counts in commands(given.root.resolve()):
            print(f"| `{name}` | {counts['imported']} | {counts['ran']} | {counts['moves']} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--trace"]:
        trace(pathlib.Path(sys.argv[2]), sys.argv[4:])
    else:
        main()
