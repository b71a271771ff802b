"""Find the line of a JSON path: `$.Resources.Auditor.Properties.AssumeRolePolicyDocument.Statement[1]`.

The readers name places as JSON paths. Editors and code scanning need a line. It is looked up in the file's text
afterwards, and only for reported places.

Rules:
- The line is that of a member's key, or of the first character of a list item.
- A file of one line has no line numbers: `$.RoleDetailList[3]` says more than "line 1".
- Where a path continues beyond the file's structure (into a document given as text, or the result of an intrinsic
  function), the line is that of the last step found. A list from which an intrinsic function may remove items is not
  entered, because its items have other indexes in the file.
"""

from __future__ import annotations

import json
import re
from ast import literal_eval
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

FILE_MAX = 4 * 2**20
"""Bytes. Larger files are dumps, with very few lines or too many."""

_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[([0-9]+)\]|\[('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\]")
_BLANK = re.compile(r"[ \t\r\n]*")
_KEY = re.compile(r'"(?:[^"\\]|\\.)*"')
_MAYBE = ('"Fn::If"', '"Ref"')
_MAYBE_TAGS = ("!If", "!Ref")
_DECODER = json.JSONDecoder()


class Lines:
    """Line numbers of places as the readers name them: "app.yaml: $.Resources.Auditor".

    Each file is parsed once, at its first lookup.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """`files` are the files' bytes, by the names that the readers received."""
        self._files = files
        self._read: dict[str, _Tree | None] = {}
        self._known: dict[str, int | None] = {}

    def __call__(self, place: str) -> int | None:
        """The line, from 1; None where the place is in none of the files, or the file has no line numbers."""
        if place not in self._known:
            self._known[place] = self._find(place)
        return self._known[place]

    def _find(self, place: str) -> int | None:
        name, colon, path = place.rpartition(": $")
        if not colon or name not in self._files:
            return None
        if name not in self._read:
            self._read[name] = _tree(self._files[name])
        tree = self._read[name]
        try:
            return None if tree is None else tree.line(list(_steps("$" + path)))
        except (ValueError, IndexError, RecursionError):
            return None


def _steps(path: str) -> Iterator[str | int]:
    """The steps of a path, up to the first that is not one."""
    at = 1
    while match := _STEP.match(path, at):
        name, index, quoted = match.groups()
        yield name if name is not None else int(index) if index is not None else str(literal_eval(quoted))
        at = match.end()


class _Tree(Protocol):
    def line(self, steps: list[str | int]) -> int: ...


def _tree(data: bytes) -> _Tree | None:
    """Parse a file as JSON or YAML; None if it is neither, has one line, or is larger than FILE_MAX."""
    if len(data) > FILE_MAX or b"\n" not in data.strip():
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if text.lstrip()[:1] in ("{", "["):
        try:
            _DECODER.raw_decode(text, _skip(text, 0))
            return _Json(text)
        except (ValueError, RecursionError):
            pass  # flow YAML begins like JSON
    return _yaml(text)


class _Json:
    """A JSON text. Each object and list on a path is scanned once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._breaks = [match.start() for match in re.finditer("\n", text)]
        self._taken: dict[int, dict[str | int, tuple[int, int]]] = {}

    def line(self, steps: list[str | int]) -> int:
        here = value = _skip(self._text, 0)
        for step in steps:
            if value not in self._taken:
                self._taken[value] = self._take(value)
            if step not in self._taken[value]:
                break
            here, value = self._taken[value][step]
        return bisect_left(self._breaks, here) + 1

    def _take(self, value: int) -> dict[str | int, tuple[int, int]]:
        """The offsets of each child and of its value. Of duplicate keys, the first counts; a list is read up to the
        first item that may be removed."""
        taken: dict[str | int, tuple[int, int]] = {}
        for key, start, inner in _children(self._text, value):
            if isinstance(key, int) and self._text.startswith(_MAYBE, _skip(self._text, inner + 1)):
                break
            taken.setdefault(key, (start, inner))
        return taken


def _children(text: str, at: int) -> Iterator[tuple[str | int, int, int]]:
    """Yield each key or index of an object or list, with its offset and that of its value. Raises ValueError."""
    opened = text[at]
    if opened not in "{[":
        return
    index, at = 0, _skip(text, at + 1)
    while text[at] not in "}]":
        start, key = at, index
        name: str | int = key
        if opened == "{":
            match = _KEY.match(text, at)
            if match is None:
                raise ValueError("a key is expected")
            name = str(json.loads(match[0]))
            at = _skip(text, match.end())
            if text[at] != ":":
                raise ValueError("a colon is expected")
            at = _skip(text, at + 1)
        yield name, start, at
        _, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
        index += 1


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _yaml(text: str) -> _Yaml | None:
    import yaml

    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError):
        return None
    return None if node is None else _Yaml(node)


class _Yaml:
    """A YAML text as PyYAML nodes."""

    def __init__(self, node: Any) -> None:
        self._node = node

    def line(self, steps: list[str | int]) -> int:
        node, line = self._node, self._node.start_mark.line + 1
        for step in steps:
            result = _yaml_child(node, step)
            if result is None:
                break
            line, node = result
        return int(line)


def _yaml_child(node: Any, step: str | int) -> tuple[int, Any] | None:
    """The line and node of one step; None where it is not found, or its index is uncertain."""
    import yaml

    if isinstance(node, yaml.MappingNode) and isinstance(step, str):
        for key, value in node.value:
            if key.value == step:
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        if any(map(_may_be_removed, node.value[: step + 1])):
            return None
        return node.value[step].start_mark.line + 1, node.value[step]
    return None


def _may_be_removed(node: Any) -> bool:
    import yaml

    keys = [key.value for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []
    return node.tag in _MAYBE_TAGS or keys in (["Fn::If"], ["Ref"])
