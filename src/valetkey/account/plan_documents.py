"""Policy documents that a plan knows in part: `aws_iam_policy_document`, whose JSON is computed during apply.

Source: the Terraform AWS provider's data source aws_iam_policy_document; Terraform, internals/json-format.
A plan contains the known values. For the others, its configuration lists the references of the expression, but not
the rest of it (a function, another element of the same list). The documents built here assume that there is nothing
else; `assumed` lists these assumptions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from valetkey.account import symbols
from valetkey.account.loaded import SourceError, load_json, written
from valetkey.account.values import Document, OpenDocument, Symbol

Resolve = Callable[[Any], list[str]]
"""Returns the ARNs of the file's resources that an expression refers to."""
References = Callable[[Any], list[str]]
"""Returns the references of an expression, as written."""

STATEMENTS_MAX = 200
_ABSENT: Any = object()


class NotKnown(Exception):
    """Not enough of a document is known; the text says which part is missing."""


@dataclass
class Making:
    """Builds one document."""

    address: str
    resolve: Resolve
    references: References
    assumed: dict[str, None] = field(default_factory=dict)
    _symbols: list[Symbol] = field(default_factory=list)

    def document(self, values: dict[str, Any], expressions: dict[str, Any] | None) -> Document | OpenDocument:
        """Return the document. Raises NotKnown."""
        expressions = expressions or {}
        for name in ("override_policy_documents", "override_json"):
            if values.get(name) or (name not in values and name in expressions):
                raise NotKnown(f"{self.address} has {name}")
        statements: list[Any] = []
        for name in ("source_policy_documents", "source_json"):
            given = _leaf(values, expressions, name)
            if given is _ABSENT or not given:
                continue
            if not isinstance(given, list | str):
                raise NotKnown(f"{name} of {self.address} is known only after apply")
            for item in given if isinstance(given, list) else [given]:
                statements += self._source(item, name)
        blocks = _leaf(values, expressions, "statement")
        stated = expressions.get("statement")
        if blocks is _ABSENT and isinstance(stated, list):
            blocks = [{} for _ in stated]
        if not isinstance(blocks, list) or len(blocks) > STATEMENTS_MAX:
            raise NotKnown(f"the statements of {self.address} are known only after apply")
        for number, block in enumerate(blocks):
            mine = stated[number] if isinstance(stated, list) and len(stated) == len(blocks) else {}
            statements.append(self._statement(block, mine if isinstance(mine, dict) else {}, number + 1))
        made = {"Version": values.get("version") or "2012-10-17", "Statement": statements}
        text = written(made)
        return symbols.opened({text: ""}, self._symbols) if self._symbols else text

    def _source(self, given: Any, name: str) -> list[Any]:
        try:
            loaded = load_json(given.encode(), self.address) if isinstance(given, str) else None
        except SourceError:
            loaded = None
        result = loaded.get("Statement") if isinstance(loaded, dict) else None
        if result is None:
            raise NotKnown(f"{name} of {self.address} is known only after apply")
        return result if isinstance(result, list) else [result]

    def _statement(self, block: Any, stated: dict[str, Any], number: int) -> dict[str, Any]:
        block = block if isinstance(block, dict) else {}
        where = f"statement {number} of {self.address}"
        made: dict[str, Any] = {"Effect": self._value(block, stated, "effect", where) or "Allow"}
        for name, element in _ELEMENTS.items():
            result = self._value(block, stated, name, where)
            if result:
                made[element] = result
        for name, element in (("principals", "Principal"), ("not_principals", "NotPrincipal")):
            entries: dict[str, list[Any]] = {}
            for inner, mine in _blocks(block, stated, name, ("type",)):
                kind = self._value(inner, mine, "type", where)
                result = self._value(inner, mine, "identifiers", where, arns=True)
                entries.setdefault(str(kind), []).extend(result if isinstance(result, list) else [result])
            if entries:
                everybody = list(entries) == ["*"] and entries["*"] == ["*"]
                made[element] = (
                    "*" if everybody else {("AWS" if kind == "*" else kind): item for kind, item in entries.items()}
                )
        conditions: dict[str, dict[str, list[Any]]] = {}
        for inner, mine in _blocks(block, stated, "condition", ("test", "variable")):
            test = str(self._value(inner, mine, "test", where))
            key = self._key(inner, mine, where)
            result = self._value(inner, mine, "values", where)
            conditions.setdefault(test, {}).setdefault(str(key), []).extend(
                result if isinstance(result, list) else [result]
            )
        if conditions:
            made["Condition"] = conditions
        return made

    def _key(self, block: dict[str, Any], stated: dict[str, Any], where: str) -> Any:
        """A condition key. One that refers to an identity provider of the file is taken for a claim of it."""
        result = _leaf(block, stated, "variable")
        arns = self.resolve(result.expression) if isinstance(result, _Refers) else []
        hosts = [arn.split(":oidc-provider/")[1] for arn in arns if ":oidc-provider/" in arn]
        if isinstance(result, _Refers) and len(hosts) == 1:
            self.assumed[f"variable in {where} is a claim of {hosts[0]}"] = None
            return f"{hosts[0]}:{self._symbol([], 'claim', where)}"
        return self._value(block, stated, "variable", where)

    def _value(
        self, block: dict[str, Any], stated: dict[str, Any], name: str, where: str, *, arns: bool = False
    ) -> Any:
        """A known value, the ARNs that its expression refers to (`arns`), or a symbol; None for an absent argument."""
        result = _leaf(block, stated, name)
        if result is _ABSENT:
            return None if stated or name in _OPTIONAL else self._symbol([], name, where)
        if isinstance(result, _Refers):
            refers = self.references(result.expression)
            known = self.resolve(result.expression) if arns else []
            if known:
                self.assumed[f"{name} in {where} holds nothing but {', '.join(dict.fromkeys(_short(refers)))}"] = None
                return known
            return self._symbol(refers, name, where)
        if isinstance(result, list):
            return [self._symbol([], name, where) if item is None else item for item in result]
        return result

    def _symbol(self, refers: Sequence[str], name: str, where: str) -> str:
        named = ", ".join(dict.fromkeys(_short(refers)))
        symbol = Symbol(named or f"{name} in {where}", f"{name} in {where} is known only after apply", several=True)
        if symbol not in self._symbols:
            self._symbols.append(symbol)
        return symbols.mark(self._symbols.index(symbol))


@dataclass(frozen=True, slots=True)
class _Refers:
    """An unknown value with its expression."""

    expression: Any


_ELEMENTS = {
    "sid": "Sid",
    "actions": "Action",
    "not_actions": "NotAction",
    "resources": "Resource",
    "not_resources": "NotResource",
}
_OPTIONAL = frozenset({*_ELEMENTS, "effect"})


def _leaf(block: dict[str, Any], stated: dict[str, Any], name: str) -> Any:
    """A value from the plan, else from the configuration; _ABSENT where neither has one."""
    if name in block:
        return block[name]
    expression = stated.get(name)
    if isinstance(expression, dict):
        return expression["constant_value"] if "constant_value" in expression else _Refers(expression)
    return _ABSENT


def _short(refers: Sequence[str]) -> Iterator[str]:
    """References without those that are a prefix of another."""
    return (item for item in refers if not any(element.startswith((f"{item}.", f"{item}[")) for element in refers))


def _blocks(
    block: dict[str, Any], stated: dict[str, Any], name: str, by: tuple[str, ...]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Nested blocks, each with its configuration. A plan may order them differently, so `by` matches them."""
    mine = stated.get(name)
    configured = [item for item in mine if isinstance(item, dict)] if isinstance(mine, list) else []
    planned = block.get(name)
    if not isinstance(planned, list):
        yield from (({}, item) for item in configured)
        return
    for item in planned:
        if not isinstance(item, dict):
            continue
        same = [
            element
            for element in configured
            if all(
                key not in item
                or _leaf({}, element, key) in (item[key], _ABSENT)
                or isinstance(_leaf({}, element, key), _Refers)
                for key in by
            )
        ]
        yield item, (same[0] if len(same) == 1 else {})
