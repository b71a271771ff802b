"""INVARIANT: the name of a type means one thing in every room, and a variable's name says what its value is."""

from __future__ import annotations

import ast
import collections
import pathlib
from collections.abc import Iterator

PACKAGE = pathlib.Path(__file__).parents[3] / "src" / "valetkey"
# The shapes of --json have the names of what they show. The sandbox is AWS's side, and imports no room.
ELSEWHERE = ("report/results", "sandbox")

SAY_NOTHING = {"each", "found", "told", "stands", "over", "open_"}


def types(text: str) -> Iterator[str]:
    """The classes and aliases that a module defines for others."""
    for node in ast.parse(text).body:
        match node:
            case (
                ast.ClassDef(name=name)
                | ast.AnnAssign(target=ast.Name(id=name))
                | ast.Assign(targets=[ast.Name(id=name)])
            ):
                if name[0].isupper() and not name.isupper():
                    yield name
            case _:
                pass


def test_a_type_has_a_name_of_its_own() -> None:
    places = collections.defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        file = str(path.relative_to(PACKAGE))
        if not file.startswith(ELSEWHERE):
            for name in types(path.read_text()):
                places[name].add(file)
    assert len(places) > 400
    assert {name: sorted(files) for name, files in places.items() if len(files) > 1} == {}


def test_what_counts_as_a_type() -> None:
    text = "class Ab: pass\nBc = int\nCd: TypeAlias = str\n_De = int\nE_F = 1\ndef g(): pass\nclass _H: pass\nx = 1\n"
    assert list(types(text)) == ["Ab", "Bc", "Cd"]


def variables(text: str) -> Iterator[str]:
    """The names of variables, arguments and functions. The fields of a class are apart: JSON has their names."""
    tree = ast.parse(text)
    fields = {
        id(field.target)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for field in node.body
        if isinstance(field, ast.AnnAssign)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.MatchAs(name=str(name)):
                if id(node) not in fields:
                    yield name
            case _:
                pass


def test_a_variable_says_what_it_is() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert SAY_NOTHING.isdisjoint(variables(path.read_text())), path


def test_what_counts_as_a_variable() -> None:
    text = "class A:\n found: str\n def told(self): pass\n(lambda each: 1)\nmatch 1:\n case over: open_ = 1\n"
    assert SAY_NOTHING & set(variables(text)) == {"told", "each", "over", "open_"}
