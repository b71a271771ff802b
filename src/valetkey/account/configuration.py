"""Convert a Terraform configuration that valetkey wrote into the JSON of its plan.

`terraform show -json` needs the provider and the owner's account. This module reads only the text, so that the text
that is sent can be proved. It supports the part of HCL that valetkey writes: blocks, attributes, strings without
templates, numbers, true and false, lists, objects, `jsonencode` of those, and references to a resource of the same
file. Everything else is refused, never ignored.

Source: HCL native syntax specification; Terraform, configuration syntax.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from valetkey.account.loaded import DEPTH_MAX, SourceError

_TOKEN = re.compile(
    r'[ \t]*(?:#[^\n]*)?(?:(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<number>[0-9]{1,18}(?![\w.]))'
    r"|(?P<name>[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)|(?P<sign>[{}\[\](),=])|(?P<line>\n)|(?P<end>\Z))",
    re.ASCII,
)
_ESCAPE = re.compile(r'\\(?:([nrt"\\])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|([$%])\4\{|(\\|[$%]\{)', re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_BLOCKS = {"terraform": 0, "required_providers": 0, "resource": 2, "output": 1}
_RESOURCES = {
    "aws_iam_role": frozenset({"name", "description", "max_session_duration", "assume_role_policy"}),
    "aws_iam_role_policy": frozenset({"name", "role", "policy", "depends_on"}),
    "aws_iam_role_policy_attachment": frozenset({"role", "policy_arn", "depends_on"}),
}
"""The supported resources and their supported arguments (`count` would create several instances)."""


@dataclass(frozen=True)
class _Reference:
    text: str


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    line: int


def as_plan(text: str, name: str) -> bytes:
    """Return the JSON that `terraform show -json` prints for the plan. Raises SourceError with file and line."""
    resources = _Reader(text, name).file()
    values = {address: dict(settings) for address, settings in resources.items()}
    for settings in values.values():
        settings.pop("depends_on", None)
        for key, value in settings.items():
            if isinstance(value, _Reference):
                settings[key] = _followed(value, resources, name)
    planned = [
        {"address": address, "type": address.partition(".")[0], "values": settings}
        for address, settings in values.items()
    ]
    # References are resolved already. An attribute that is not listed here is absent, not "known only after apply".
    configured = [
        {
            "address": address,
            "type": address.partition(".")[0],
            "mode": "managed",
            "expressions": {key_0: {} for key_0 in settings},
        }
        for address, settings in values.items()
    ]
    plan = {
        "format_version": "1.0",
        "planned_values": {"root_module": {"resources": planned}},
        "configuration": {"root_module": {"resources": configured}},
    }
    return json.dumps(plan).encode()


def _followed(reference: _Reference, resources: dict[str, dict[str, Any]], name: str) -> str:
    address, _, attribute = reference.text.rpartition(".")
    value = resources.get(address, {}).get(attribute)
    if not isinstance(value, str):
        raise SourceError(f"{reference.text} cannot be resolved from the file", do="it is not read", where=name)
    return value


class _Reader:
    """A recursive descent parser over the tokens."""

    def __init__(self, text: str, name: str) -> None:
        self._name = name
        self._tokens = self._scan(text)
        self._at = 0
        self._depth = 0

    def _scan(self, text: str) -> list[_Token]:
        result, place, line = [], 0, 1
        while True:
            match = _TOKEN.match(text, place)
            if match is None or match.lastgroup is None:
                raise self._wrong("it contains something that valetkey does not write", line)
            result.append(_Token(match.lastgroup, match[match.lastgroup], line))
            if match.lastgroup == "end":
                return result
            place = match.end()
            line += match.lastgroup == "line"

    def _wrong(self, what: str, line: int) -> SourceError:
        return SourceError(
            f"{self._name}: {what}", do="only a text that valetkey wrote is read", where=f"{self._name}: line {line}"
        )

    def _next(self) -> _Token:
        token = self._tokens[self._at]
        self._at += token.kind != "end"
        return token

    def _peek(self) -> _Token:
        return self._tokens[self._at]

    def _skip_lines(self) -> None:
        while self._peek().kind == "line":
            self._at += 1

    def _expect(self, text: str) -> None:
        token = self._next()
        if token.text != text or token.kind not in ("sign", "line"):
            raise self._wrong(f"{text!r} is expected", token.line)

    def file(self) -> dict[str, dict[str, Any]]:
        """Parse the file; return the arguments of its resources by address."""
        result: dict[str, dict[str, Any]] = {}
        self._skip_lines()
        while self._peek().kind != "end":
            line = self._peek().line
            kind, labels, settings = self._block()
            if kind == "resource":
                address = ".".join(labels)
                strange = settings.keys() - _RESOURCES.get(labels[0], frozenset())
                if labels[0] not in _RESOURCES or address in result or strange:
                    raise self._wrong(f"the resource {' '.join((address, *sorted(strange)))} is not read", line)
                result[address] = settings
            self._skip_lines()
        return result

    def _block(self) -> tuple[str, list[str], dict[str, Any]]:
        token = self._next()
        kind, labels = token.text, []
        while self._peek().kind == "string":
            labels.append(self._string(self._next()))
        if token.kind != "name" or _BLOCKS.get(kind) != len(labels):
            raise self._wrong(f"the block {kind} is not read", token.line)
        self._expect("{")
        self._expect("\n")
        return kind, labels, self._body()

    def _body(self) -> dict[str, Any]:
        """Parse attributes up to the closing brace; required_providers is parsed and dropped."""
        self._deeper()
        settings: dict[str, Any] = {}
        self._skip_lines()
        while self._peek().text != "}" or self._peek().kind != "sign":
            token = self._peek()
            if token.kind in ("name", "string") and self._tokens[self._at + 1].text == "=":
                self._attribute(settings)
                self._expect("\n")
            elif token.text == "required_providers":
                self._block()
            else:
                raise self._wrong(f"{token.text!r} is not read inside a block", token.line)
            self._skip_lines()
        self._at += 1
        self._depth -= 1
        return settings

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise self._wrong("it is nested too deeply", self._peek().line)

    def _attribute(self, into: dict[str, Any]) -> None:
        token = self._next()
        key = self._string(token) if token.kind == "string" else token.text
        if token.kind not in ("string", "name") or key in into:
            raise self._wrong("an attribute is given twice, or is none", token.line)
        self._expect("=")
        into[key] = self._value()

    def _value(self) -> Any:
        token = self._next()
        if token.kind == "string":
            return self._string(token)
        if token.kind == "number":
            return int(token.text)
        if token.kind == "name" and token.text in ("true", "false"):
            return token.text == "true"
        if token.kind == "name" and token.text == "jsonencode":
            self._expect("(")
            value = self._value()
            self._expect(")")
            return json.dumps(value, default=self._no_reference)
        if token.kind == "name" and "." in token.text:
            return _Reference(token.text)
        if token.kind == "sign" and token.text in "[{":
            return self._list() if token.text == "[" else self._object()
        raise self._wrong(f"the value {token.text!r} is not read", token.line)

    def _no_reference(self, value: object) -> Any:
        raise self._wrong("a document holds a reference", self._peek().line)

    def _list(self) -> list[Any]:
        result: list[Any] = []
        self._until("]", lambda: result.append(self._value()), between=",")
        return result

    def _object(self) -> dict[str, Any]:
        result: dict[str, Any] = {}
        self._until("}", lambda: self._attribute(result), between="\n")
        return result

    def _until(self, end: str, read: Callable[[], None], *, between: str) -> None:
        self._deeper()
        self._skip_lines()
        while self._peek().text != end or self._peek().kind != "sign":
            read()
            if self._peek().text != end:
                self._expect(between)
            self._skip_lines()
        self._at += 1
        self._depth -= 1

    def _string(self, token: _Token) -> str:
        """The value of a quoted string. A template in it is refused."""

        def plain(match: re.Match[str]) -> str:
            simple, short, long, doubled, other = match.groups()
            if other:
                raise self._wrong("a text holds a template, or an escape that valetkey does not write", token.line)
            if doubled:
                return f"{doubled}{{"
            return _ESCAPES[simple] if simple else chr(int(short or long, 16))

        return _ESCAPE.sub(plain, token.text[1:-1])
