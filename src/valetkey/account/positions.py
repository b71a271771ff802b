"""On which line of a file a JSON path is: `$.Resources.Auditor.Properties.AssumeRolePolicyDocument.Statement[1]`.

The readers name places as JSON paths, which a loaded value has. An editor and a code scan want a line. It is looked up
in the file's text afterwards, and only for what is reported.

Rules:
- The line is that of a member's key, or of the first character of a list's item.
- Where a path leads further than the file does (a document that is a text, what an intrinsic function makes), the line
  is that of the last step that is there. A list whose items an intrinsic function may remove is not followed into: its
  items have other numbers in the file.
"""

from __future__ import annotations

import json
import re
from ast import literal_eval
from collections.abc import Iterator
from typing import Any

FILE_MAX = 4 * 2**20
"""Bytes: larger files are dumps, and have few lines or too many."""

_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[([0-9]+)\]|\[('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\]")
_BLANK = re.compile(r"[ \t\r\n]*")
_KEY = re.compile(r'"(?:[^"\\]|\\.)*"')
_MAYBE = ('"Fn::If"', '"Ref"', "!If", "!Ref", "Fn::If", "Ref")
_DECODER = json.JSONDecoder()


def line_in(data: bytes, path: str) -> int | None:
    """The line, from 1, of a path in a JSON or YAML file; None for a file that is neither, or larger than FILE_MAX."""
    if len(data) > FILE_MAX or not path.startswith("$"):
        return None
    steps = list(_steps(path))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if text.lstrip()[:1] in ("{", "["):
        try:
            return text.count("\n", 0, _in_json(text, steps)) + 1
        except (ValueError, IndexError, RecursionError):
            pass  # flow YAML begins like JSON
    return _in_yaml(text, steps)


def _steps(path: str) -> Iterator[str | int]:
    """The steps of a path, up to the first that is not one."""
    at = 1
    while found := _STEP.match(path, at):
        name, index, quoted = found.groups()
        yield name if name is not None else int(index) if index is not None else str(literal_eval(quoted))
        at = found.end()


def _in_json(text: str, steps: list[str | int]) -> int:
    """The offset of the last step that is there. Raises ValueError for what is not JSON."""
    here = value = _skip(text, 0)
    for step in steps:
        for key, start, inner in _children(text, value):
            if isinstance(step, int) and text.startswith(_MAYBE, _skip(text, inner + 1)):
                return here
            if key == step:
                here, value = start, inner
                break
        else:
            return here
    return here


def _children(text: str, at: int) -> Iterator[tuple[str | int, int, int]]:
    """Of an object or a list: each key or index, where it begins, and where its value does. Raises ValueError."""
    opened = text[at]
    if opened not in "{[":
        return
    index, at = 0, _skip(text, at + 1)
    while text[at] not in "}]":
        start, key = at, index
        name: str | int = key
        if opened == "{":
            found = _KEY.match(text, at)
            if found is None:
                raise ValueError("a key is wanted")
            name = str(json.loads(found[0]))
            at = _skip(text, found.end())
            if text[at] != ":":
                raise ValueError("a colon is wanted")
            at = _skip(text, at + 1)
        yield name, start, at
        _, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
        index += 1


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _in_yaml(text: str, steps: list[str | int]) -> int | None:
    import yaml

    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError):
        return None
    if node is None:
        return None
    line = node.start_mark.line + 1
    for step in steps:
        found = _yaml_child(node, step)
        if found is None:
            return int(line)
        line, node = found
    return int(line)


def _yaml_child(node: Any, step: str | int) -> tuple[int, Any] | None:
    """The line and the node of one step."""
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
    return node.tag in _MAYBE or keys in (["Fn::If"], ["Ref"])
