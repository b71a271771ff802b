"""Resolve the references of expressions in a Terraform plan.

A plan does not evaluate values that are known only after apply; it lists the references of each expression
(`configuration.….expressions.….references`): "aws_iam_role.ci.id", "var.role", "module.ci.role_name". Followed through
module variables and outputs, they lead to the resource. Locals are not in a plan.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

_STEP = re.compile(r'module\.([A-Za-z0-9_-]+)(\[(?:"(?:\\.|[^"\\])*"|[0-9]+)\])?\.?')
_INDEX = re.compile(r'\[(?:"(?:\\.|[^"\\])*"|[0-9]+)\]')
_STEPS = 500
"""References that are followed for one expression, including those of variables and outputs."""
_LONGEST = 1000
"""Characters of one reference."""
_NOT_FOLLOWED = "(more)"
_NOT_RESOLVED = ("local.", "data.", "var.", _NOT_FOLLOWED)
"""What a reference begins with whose value a plan does not have."""


class _Resource(msgspec.Struct):
    address: str
    expressions: dict[str, Any] = {}


class _Output(msgspec.Struct):
    expression: Any = None


class _Call(msgspec.Struct):
    expressions: dict[str, Any] = {}
    module: _Module | None = None


class _Module(msgspec.Struct):
    resources: list[_Resource] = []
    module_calls: dict[str, _Call] = {}
    outputs: dict[str, _Output] = {}


class Configuration(msgspec.Struct):
    """The part of a plan's `configuration` that is read."""

    root_module: _Module | None = None


@dataclass(frozen=True, slots=True)
class Instance:
    """One resource instance of a plan: `module.a["x"].aws_iam_role.ci[0]`."""

    address: str
    module: str
    """`module.a["x"]`, or empty."""
    index: str | int | None = None


@dataclass
class Config:
    """The expressions of a plan."""

    configuration: Configuration | None
    _resources: dict[int, dict[str, _Resource]] = field(default_factory=dict)

    def sets(self, at: Instance, attribute: str) -> bool:
        """Whether the configuration sets this attribute; True where the file has no configuration."""
        expressions = self.expressions(at)
        return expressions is None or attribute in expressions

    def follow(self, at: Instance, attribute: str, among: Mapping[str, Sequence[Instance]]) -> list[str]:
        """The addresses in `among` that the attribute's expression refers to. Ambiguous references are left out.

        Of several instances of a resource, the one with the same index is chosen; otherwise there must be only one.
        `among` is a result of `by_resource`.
        """
        return self.follow_expression(at, (self.expressions(at) or {}).get(attribute), among)

    def may_be_another(self, at: Instance, attribute: str) -> bool:
        """Whether the attribute's expression refers to a local, a data source, a variable of the root module or one
        without a value of the module's caller, whose values a plan does not resolve, also through variables and outputs
        of modules. The value may then differ from what `follow` finds."""
        references = references_in((self.expressions(at) or {}).get(attribute))
        return any(item.startswith(_NOT_RESOLVED) for _, item in self._leaves(references, at.module))

    def follow_expression(self, at: Instance, expression: Any, among: Mapping[str, Sequence[Instance]]) -> list[str]:
        """Like `follow`, for an expression of the resource."""
        result: dict[str, None] = {}
        for module, reference in self._leaves(references_in(expression), at.module):
            wanted = f"{module}.{reference}" if module else reference
            instances = among.get(_INDEX.sub("", wanted), ())
            near = [instance.address for instance in instances if instance.module == module]
            near = near or [instance.address for instance in instances]
            same = f"{wanted}{_index(at.index)}"
            # INVARIANT: an ambiguous reference is never resolved to an arbitrary instance.
            meant = next((item for item in (wanted, same) if item in near), near[0] if len(near) == 1 else None)
            if meant is not None:
                result[meant] = None
        return list(result)

    def _leaves(self, references: Iterable[str], module: str) -> Iterable[tuple[str, str]]:
        """References to resources, and those that cannot be followed (`_NOT_RESOLVED`), each with the address of its
        module instance."""
        seen: set[tuple[str, str]] = set()
        left = [(module, item) for item in references]
        while left:
            module, reference = left.pop()
            if (module, reference) in seen:
                continue
            if len(seen) == _STEPS:
                yield module, _NOT_FOLLOWED
                return
            seen.add((module, reference))
            if len(reference) > _LONGEST:
                yield module, _NOT_FOLLOWED
                continue
            steps = _split(reference)
            if steps[0] == "var" and len(steps) > 1 and module:
                parent, name = _parent(module)
                call = self._module(parent)
                given = call.module_calls.get(name) if call else None
                if given is None or steps[1] not in given.expressions:
                    yield module, reference
                else:
                    left += [(parent, item) for item in references_in(given.expressions[steps[1]])]
            elif steps[0] == "module" and len(steps) > 2:
                child = f"{module}.module.{steps[1]}" if module else f"module.{steps[1]}"
                inner = self._module(child)
                output = inner.outputs.get(_INDEX.sub("", steps[2])) if inner else None
                left += [(child, item) for item in references_in(output.expression if output else None)]
            elif steps[0].startswith(("aws_", "awscc_")) and len(steps) > 1:
                yield module, f"{steps[0]}.{steps[1]}"
            elif steps[0] == "data" and len(steps) > 2:
                yield module, f"data.{steps[1]}.{steps[2]}"
            elif steps[0] in ("local", "var"):
                yield module, reference

    def expressions(self, at: Instance) -> dict[str, Any] | None:
        """The expressions of a resource, by attribute or block; None where the file has none."""
        module = self._module(at.module)
        if module is None:
            return None
        known = self._resources.get(id(module))
        if known is None:
            known = self._resources[id(module)] = {item.address: item for item in module.resources}
        own = at.address.removeprefix(f"{at.module}.") if at.module else at.address
        resource = known.get(_INDEX.sub("", own))
        return resource.expressions if resource else None

    def _module(self, address: str) -> _Module | None:
        """The configuration of a module, by the address of one of its instances."""
        module = self.configuration.root_module if self.configuration else None
        for step in _STEP.finditer(address):
            call = module.module_calls.get(step[1]) if module else None
            module = call.module if call else None
        return module


def by_resource(instances: Iterable[Instance]) -> dict[str, list[Instance]]:
    """Group instances by the address of their resource, without any indexes."""
    result: dict[str, list[Instance]] = {}
    for instance in instances:
        result.setdefault(_INDEX.sub("", instance.address), []).append(instance)
    return result


def references_in(expression: Any) -> list[str]:
    """Every reference in an expression, including those in nested blocks."""
    result: list[str] = []
    left = [expression]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            own = item.get("references")
            result += [item for item in own if isinstance(item, str)] if isinstance(own, list) else []
            left += [value for key, value in item.items() if key != "references"]
        elif isinstance(item, list):
            left += item
    return result


def _split(reference: str) -> list[str]:
    """Split `module.a["x.y"].out` into ["module", 'a["x.y"]', "out"]."""
    return [part for part in re.split(r"\.(?![^\[]*\])", reference) if part] or [""]


def _parent(module: str) -> tuple[str, str]:
    """The address of the parent module, and this module's name."""
    *_, last = _STEP.finditer(module)
    return module[: last.start()].rstrip("."), last[1]


def _index(index: str | int | None) -> str:
    return "" if index is None else f"[{index}]" if isinstance(index, int) else f'["{index}"]'
