"""Terraform blocks as HCL or as Terraform's JSON.

INVARIANT: no value can end its quotes or begin a template (HCL native syntax specification, "Template Literals"; JSON
syntax specification, "Strings"). Names and ids come from files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Expression:
    """A reference in Terraform's language, such as `aws_iam_role.contractor.name`. Always fixed text, never input."""

    text: str


@dataclass(frozen=True)
class Encoded:
    """`jsonencode` of a JSON document."""

    document: Mapping[str, Any]


HclValue: TypeAlias = "str | bool | int | Expression | Encoded | tuple[HclValue, ...] | Mapping[str, HclValue]"


@dataclass(frozen=True)
class HclBlock:
    """One block: `kind "label" { settings, then blocks }`, after a comment."""

    kind: str
    labels: tuple[str, ...] = ()
    settings: Mapping[str, HclValue] = field(default_factory=dict)
    blocks: tuple[HclBlock, ...] = ()
    comment: str = ""


def hcl(blocks: Iterable[HclBlock]) -> str:
    """Return the blocks as HCL, formatted as by `terraform fmt`."""
    return "\n".join(_hcl(block, "") for block in blocks)


def _hcl(block: HclBlock, indent: str) -> str:
    lines = [f"{indent}# {_one_line(block.comment)}\n"] if block.comment else []
    lines.append(f"{indent}{' '.join([block.kind, *map(quoted, block.labels)])} {{\n")
    lines.append(_settings(block.settings, indent + "  "))
    for inner in block.blocks:
        lines += ["\n"] if block.settings else []
        lines.append(_hcl(inner, indent + "  "))
    return "".join([*lines, f"{indent}}}\n"])


def _settings(settings: Mapping[str, HclValue], indent: str) -> str:
    """Format the settings, one per line. The equals signs of adjacent settings are aligned, except for multi-line
    values."""
    written = [(name, _value(value, indent)) for name, value in settings.items()]
    lines = []
    for is_long, group in groupby(written, key=lambda item: "\n" in item[1]):
        pairs = list(group)
        width = 0 if is_long else max(len(name) for name, _ in pairs)
        lines += [f"{indent}{name:<{width}} = {value}\n" for name, value in pairs]
    return "".join(lines)


def _value(value: HclValue, indent: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Expression):
        return value.text
    if isinstance(value, Encoded):
        return f"jsonencode({_value(_frozen(value.document), indent)})"
    if isinstance(value, tuple):
        return _list(value, indent)
    return f"{{\n{_settings({_key(name): item for name, item in value.items()}, indent + '  ')}{indent}}}"


def _list(values: tuple[HclValue, ...], indent: str) -> str:
    if not any(isinstance(value, Mapping) for value in values):
        return f"[{', '.join(_value(value, indent) for value in values)}]"
    inner = "".join(f"{indent}  {_value(value, indent + '  ')},\n" for value in values)
    return f"[\n{inner}{indent}]"


def _key(name: str) -> str:
    return quoted(name)


def _frozen(value: Any) -> HclValue:
    """Return a loaded JSON value with tuples in place of lists. A policy contains no other types."""
    if isinstance(value, Mapping):
        return {name: _frozen(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    assert isinstance(value, str | bool | int), f"{type(value).__name__} is not written in a policy"
    return value


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quoted(text: str) -> str:
    """Return the text as an HCL string literal with exactly this value."""
    escaped = "".join(
        _ESCAPES.get(char, char if char.isprintable() else f"\\U{ord(char):08x}") for char in _literal(text)
    )
    return f'"{escaped}"'


def _literal(text: str) -> str:
    """Escape `${` and `%{`, which begin a template unless the first character is doubled."""
    return re.sub(r"([$%])\{", r"\1\1{", text)


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)


def as_json(blocks: Iterable[HclBlock]) -> str:
    """Return the blocks as Terraform's JSON (`*.tf.json`)."""
    return json.dumps(_merged(blocks), indent=2) + "\n"


def _merged(blocks: Iterable[HclBlock]) -> dict[str, Any]:
    """Merge blocks: those of the same kind and labels become a list. Comments are under the key "//"."""
    body: dict[str, Any] = {}
    for block in blocks:
        plain: dict[str, Any] = {"//": block.comment} if block.comment else {}
        plain |= {name: _plain(value) for name, value in block.settings.items()} | _merged(block.blocks)
        place = body
        for label in (block.kind, *block.labels[:-1]):
            place = place.setdefault(label, {}) if block.labels else place
        place.setdefault(block.labels[-1] if block.labels else block.kind, []).append(plain)
    return body


def _plain(value: HclValue) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _literal(value)
    if isinstance(value, int):
        return value
    if isinstance(value, Expression):
        return f"${{{value.text}}}"
    if isinstance(value, Encoded):
        return _literal(json.dumps(value.document))
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return {_literal(name): _plain(item) for name, item in value.items()}
