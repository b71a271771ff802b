"""Resolve the values of a CloudFormation template, as far as the template itself determines them.

Source: CloudFormation User Guide, intrinsic-function-reference, pseudo-parameter-reference and
parameters-section-structure.

Rules:
- A parameter has the given value, else its default. A pseudo-parameter has the value in `Place`. An IAM resource has
  the name or ARN that follows from its properties. `note` receives the assumptions.
- A value that only the stack knows (a parameter without a value, imports, attributes, dynamic references) raises
  Unresolved. In a policy document (`with_symbols`) it becomes a symbol, and a choice that depends on it raises
  Undecided.
- Everything else (macros, missing names) raises Unresolved.
- Each name and condition is resolved once, so that the work stays proportional to the template's size.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from valetkey.account import symbols
from valetkey.account.loaded import is_list, is_object, pairs, written
from valetkey.account.place import NOTHING, NoteAssumption, Place, Undecided, Unresolved
from valetkey.account.template_conditions import equal, holds
from valetkey.account.template_symbols import (
    ACCOUNTLESS,
    NAMED,
    attribute_symbol,
    import_symbol,
    in_mappings,
    is_masked,
    parameter_symbol,
    plain,
    pseudo_parameter,
)
from valetkey.account.values import Symbol
from valetkey.policy.policy_json import JsonNumber, JsonObject

BUDGET = 20_000_000
"""Characters that all functions of a template may produce together. A 1 MB template that makes 20 MB is hostile."""

_RESOLVE = re.compile(r"\{\{resolve:[^{}]{0,1000}\}\}")
# CloudFormation allows names of 255 characters. Without a limit, matching a long text of "${" is quadratic.
_SUB = re.compile(r"\$\{([^}]{0,300})\}")


_Known = dict[tuple[str, str], "tuple[Any, list[str]] | Unresolved | None"]
"""Resolved names and conditions with their assumptions; None while one is being resolved."""


class Resolver:
    """Resolves the values of one template."""

    def __init__(self, template: dict[str, Any], place: Place) -> None:
        self._place = place
        self._parameters, self._mappings, self._conditions, self._resources = (
            dict(pairs(section)) if (section := template.get(name)) is not None and is_object(section) else {}
            for name in ("Parameters", "Mappings", "Conditions", "Resources")
        )
        self._left = BUDGET
        self._closed: _Known = {}
        self._known = self._closed
        self._open = False
        self._choices: Mapping[str, bool] = {}
        self.symbols: list[Symbol] = []
        self._numbers: dict[Symbol, int] = {}

    def value(self, value: Any, note: NoteAssumption) -> Any:
        """Resolve every intrinsic function in a value; NOTHING for AWS::NoValue. Raises Unresolved."""
        if is_list(value):
            alone = len(value) == 1 or not self._open
            result = (self.value(item, note) if alone else self._element(item, note) for item in value)
            return [item for item in result if item is not NOTHING]
        if is_object(value):
            function = _FUNCTIONS.get(next(iter(pairs(value)))[0]) if len(value) == 1 else None
            if function is not None:
                return self._spent(function(self, next(iter(pairs(value)))[1], note))
            resolved = [(key, self.value(item, note)) for key, item in pairs(value)]
            if len(value) == 1 and "Fn::ImportValue" in dict(pairs(value)):
                return self.symbol(import_symbol(dict(resolved)["Fn::ImportValue"]))
            for key, _ in resolved:
                if key.startswith("Fn::"):
                    raise Unresolved(f"{key} is known only to CloudFormation")
            resolved = [(key, item) for key, item in resolved if item is not NOTHING]
            return JsonObject(resolved) if isinstance(value, JsonObject) else dict(resolved)
        if isinstance(value, str) and "{{resolve:" in value:
            return self._dynamic(value)
        return value

    def _element(self, value: Any, note: NoteAssumption) -> Any:
        """Resolve one element of a list. A statement that cannot be resolved does not make the others unresolved: it
        becomes a statement with the same effect and a symbol for its actions."""
        try:
            return self.value(value, note)
        except Undecided:
            raise
        except Unresolved as error:
            effect = dict(pairs(value)).get("Effect") if is_object(value) else None
            if not isinstance(effect, str):
                raise
            return {"Effect": effect, "Principal": "*", "Action": self.symbol(Symbol("a statement", str(error)))}

    def with_symbols(self, value: Any, note: NoteAssumption, choices: Mapping[str, bool]) -> Any:
        """Resolve a value, with symbols for unknown values. `choices` are the assumed results of conditions. Raises
        Unresolved, and Undecided where one more choice is needed."""
        self._open, self._choices, self._known = True, choices, {}
        try:
            return self.value(value, note)
        finally:
            self._open, self._choices, self._known = False, {}, self._closed

    def symbol(self, symbol: Symbol) -> str:
        """The mark of a symbol. Raises Unresolved outside `with_symbols`, or where there are too many symbols."""
        if not self._open or len(self.symbols) >= symbols.SYMBOLS_MAX:
            raise Unresolved(symbol.reason)
        number = self._numbers.setdefault(symbol, len(self.symbols))
        if number == len(self.symbols):
            self.symbols.append(symbol)
        return symbols.mark(number)

    def _dynamic(self, value: str) -> str:
        why = "a dynamic reference is known only to CloudFormation"
        if not self._open:
            raise Unresolved(why)
        return _RESOLVE.sub(lambda match: self.symbol(Symbol(match[0], why)), value)

    def _part_of(self, text: str, many: bool = False) -> str:
        """A symbol that is known only to be computed from the symbols in `text`."""
        known = [self.symbols[int(match[1])] for match in symbols.MARK.finditer(text)]
        names = list(dict.fromkeys(symbol.name.removeprefix("a part of ") for symbol in known))
        own = bool(known) and all(symbol.own for symbol in known)
        return self.symbol(
            Symbol(f"a part of {' and '.join(names)[:200]}", known[0].reason if known else "", own=own, several=many)
        )

    def _spent(self, value: Any) -> Any:
        self._left -= len(value) if isinstance(value, str) else sum(map(len, value)) if is_list(value) else 0
        if self._left < 0:
            raise Unresolved("the template becomes too large")
        return value

    def text(self, value: Any, note: NoteAssumption) -> str:
        """Resolve a value that is a text, a number (as written) or a boolean, as text. Raises Unresolved."""
        result = self.value(value, note)
        if isinstance(result, JsonNumber):
            return result.text
        if isinstance(result, bool):
            return str(result).lower()
        if not isinstance(result, str):
            raise Unresolved("expected a string")
        return result

    def arn(self, resource: str, note: NoteAssumption) -> str:
        """The ARN of an IAM resource, by its logical id. Raises Unresolved."""
        return str(self._once("arn", resource, self._arn, note))

    def name(self, resource: str, note: NoteAssumption) -> str:
        """Its name, or its logical id (noted) where CloudFormation generates the name. Raises Unresolved."""
        return str(self._once("name", resource, self._name, note))

    def path(self, resource: str, note: NoteAssumption) -> str:
        """Its path. Raises Unresolved."""
        given = self._properties(resource).get("Path")
        path = NOTHING if given is None else self.value(given, note)
        return path if isinstance(path, str) and path else "/"

    def created(self, condition: str, note: NoteAssumption) -> bool:
        """Whether a condition holds. Raises Unresolved."""
        return bool(self._once("condition", condition, self._condition, note))

    def _once(self, kind: str, name: str, work: Callable[[str, NoteAssumption], Any], note: NoteAssumption) -> Any:
        key = (kind, name)
        if key not in self._known:
            self._known[key] = None
            notes: list[str] = []
            try:
                self._known[key] = (work(name, notes.append), notes)
            except Unresolved as error:
                self._known[key] = error
        result = self._known[key]
        if result is None:
            raise Unresolved(f"{name} depends on itself")
        if isinstance(result, Undecided):
            raise Undecided(result.condition)
        if isinstance(result, Unresolved):
            raise Unresolved(str(result))
        for item in result[1]:
            note(item)
        return result[0]

    def _properties(self, resource: str) -> dict[str, Any]:
        result = self._resources.get(resource)
        given = result.get("Properties") if isinstance(result, dict) else None
        return given if isinstance(given, dict) else {}

    def _type(self, resource: str) -> str:
        result = self._resources.get(resource)
        if not isinstance(result, dict):
            raise Unresolved(f"there is no {resource} in the template")
        return str(result.get("Type"))

    def _name(self, resource: str, note: NoteAssumption) -> str:
        given = self._properties(resource).get(NAMED[self._type(resource)][0])
        name = NOTHING if given is None else self.value(given, note)
        if name is NOTHING or name == "":
            note(f"the generated name of {resource} is written as its logical id")
            # INVARIANT: no name that a template writes means a policy whose name CloudFormation generates.
            return f"{resource} (generated)" if self._type(resource) == "AWS::IAM::ManagedPolicy" else resource
        return self.text(name, note)

    def _arn(self, resource: str, note: NoteAssumption) -> str:
        kind = NAMED[self._type(resource)][1]
        name = self.name(resource, note).removeprefix("https://")
        path = "/" if kind.endswith("provider") else self.path(resource, note)
        account, partition = self.pseudo("AWS::AccountId", note), self.pseudo("AWS::Partition", note)
        return f"arn:{partition}:iam::{account}:{kind}{path}{name}"

    def pseudo(self, name: str, note: NoteAssumption) -> Any:
        """The value of a pseudo-parameter. Raises Unresolved."""
        result = pseudo_parameter(name, self._place, note)
        if result is not None:
            return result
        return self.symbol(Symbol(name, f"{name} is known only when the stack exists", shortest=1))

    def _condition(self, name: str, note: NoteAssumption) -> Any:
        if name in self._choices:
            return self._choices[name]
        if name not in self._conditions:
            raise Unresolved(f"there is no condition {name} in the template")
        result = holds(
            self._conditions[name],
            lambda inner: self.created(inner, note),
            lambda item: self.value(item, note),
            self.symbols,
        )
        if result is None:
            raise Undecided(name)
        return result

    def ref(self, name: Any, note: NoteAssumption) -> Any:
        """Evaluate Ref. Raises Unresolved."""
        if not isinstance(name, str):
            raise Unresolved("Ref needs a name")
        if name.startswith("AWS::"):
            return self.pseudo(name, note)
        if name in self._parameters:
            return self._parameter(name, note)
        kind = self._type(name)
        if kind not in NAMED:
            return self.symbol(attribute_symbol(name, kind, f"{name} ({kind}) is known only when the stack exists"))
        return self.arn(name, note) if NAMED[kind][2] else self.name(name, note)

    def _parameter(self, name: str, note: NoteAssumption) -> Any:
        about = self._parameters[name]
        about = about if isinstance(about, dict) else {}
        kind = str(about.get("Type", "String"))
        is_many = kind == "CommaDelimitedList" or "List<" in kind
        if kind.startswith("AWS::SSM::Parameter::Value"):
            why = f"parameter {name} is read from SSM when the stack is made"
            return self.symbol(Symbol(name, why, several=is_many))
        value = self._place.parameters.get(name)
        value = None if value is None else value.replace(symbols.BEGIN, "\ufffd")
        if value is None or is_masked(about, value):
            # INVARIANT: a parameter that is given a value which is not known does not have its default.
            default = None if name in self._place.parameters else about.get("Default")
            if not isinstance(default, str | JsonNumber | bool):
                why = f"parameter {name} has no default, and no file gives its value"
                if name in self._place.parameters:
                    why = f"which value parameter {name} is given is not known"
                return self.symbol(parameter_symbol(name, why, about, kind, is_many))
            note(f"parameter {name} has its default value")
            value = str(plain(default))
        return [part.strip() for part in value.split(",")] if is_many else value

    def attribute(self, given: Any, note: NoteAssumption) -> Any:
        """Evaluate Fn::GetAtt. Raises Unresolved."""
        resource, _, attribute = given.partition(".") if isinstance(given, str) else (*given, "", "", "")[:3]
        if is_list(given) and len(given) == 2:
            resource, attribute = given
        if not isinstance(resource, str) or not isinstance(attribute, str):
            raise Unresolved("Fn::GetAtt needs a resource and an attribute")
        if self._type(resource) in NAMED and attribute in ("Arn", "PolicyArn"):
            return self.arn(resource, note)
        why = f"{resource}.{attribute} is known only when the stack exists"
        return self.symbol(attribute_symbol(f"{resource}.{attribute}", self._type(resource), why))

    def sub(self, given: Any, note: NoteAssumption) -> str:
        """Evaluate Fn::Sub. Raises Unresolved."""
        text, own = given if is_list(given) and len(given) == 2 else (given, {})
        if not isinstance(text, str) or not isinstance(own, dict):
            raise Unresolved("Fn::Sub needs a string")

        def put(match: re.Match[str]) -> str:
            name = match[1].strip()
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in own:
                value = self.text(own[name], note)
                return value or self._missing(name, text[: match.start()], text[match.end() :])
            value = self.text({"Fn::GetAtt": name} if "." in name and "::" not in name else {"Ref": name}, note)
            return value or self._missing(name, text[: match.start()], text[match.end() :])

        return str(self.value(_SUB.sub(put, text), note))

    def _missing(self, name: str, before: str, after: str) -> str:
        """What replaces an empty value. An empty account in an ARN becomes a symbol, because IAM refuses such an ARN:
        somebody has to fill it in. Otherwise the value stays empty."""
        if self._open and ACCOUNTLESS.fullmatch(before) and after.startswith(":"):
            why = f"{name} is empty, which IAM does not accept here"
            return self.symbol(Symbol(name, why, pattern="[0-9]{12}"))
        return ""

    def join(self, given: Any, note: NoteAssumption) -> str:
        """Evaluate Fn::Join. Raises Unresolved."""
        match given:
            case [str(between), parts]:
                result = self.value(parts, note)
                if is_list(result):
                    texts = [self.text(item, note) for item in result]
                    for at, part in enumerate(parts if is_list(parts) and len(parts) == len(texts) else []):
                        name = dict(pairs(part)).get("Ref") if is_object(part) else None
                        if not texts[at] and isinstance(name, str):
                            before, after = between.join([*texts[:at], ""]), between.join(["", *texts[at + 1 :]])
                            texts[at] = self._missing(name, before, after)
                    return between.join(texts)
                if isinstance(result, str) and symbols.has_mark(result):
                    return self._part_of(result)
        raise Unresolved("Fn::Join needs a delimiter and a list")

    def select(self, given: Any, note: NoteAssumption) -> Any:
        """Evaluate Fn::Select. Raises Unresolved."""
        match given:
            case [index, many]:
                at, result = self.text(index, note), self.value(many, note)
                if at.isascii() and at.isdigit() and is_list(result) and int(at[:9]) < len(result):
                    return result[int(at)]
                if symbols.has_mark(at) or (isinstance(result, str) and symbols.has_mark(result)):
                    return self._part_of(at + (result if isinstance(result, str) else ""))
        raise Unresolved("Fn::Select needs a number and a list that is long enough")

    def split(self, given: Any, note: NoteAssumption) -> list[str] | str:
        """Evaluate Fn::Split. Raises Unresolved."""
        match given:
            case [str(between), text] if between:
                whole = self.text(text, note)
                if symbols.has_mark(whole):
                    return self._part_of(whole, many=True)
                return whole.split(between)
        raise Unresolved("Fn::Split needs a delimiter and a text")

    def choose(self, given: Any, note: NoteAssumption) -> Any:
        """Evaluate Fn::If. Raises Unresolved."""
        match given:
            case [str(condition), one, other]:
                return self.value(one if self.created(condition, note) else other, note)
        raise Unresolved("Fn::If needs a condition and two values")

    def mapped(self, given: Any, note: NoteAssumption) -> Any:
        """Evaluate Fn::FindInMap. Raises Unresolved.

        A fourth element may hold a default value (AWS::LanguageExtensions).
        """
        match given:
            case [name, first, second, *more] if len(more) < 2:
                keys = [self.text(item, note) for item in (name, first, second)]
                hangs = "".join(key for key in keys if symbols.has_mark(key))
                known = in_mappings(self._mappings, keys, lambda key, name: equal(key, name, self.symbols) is not False)
                otherwise = more[0].get("DefaultValue") if more and isinstance(more[0], dict) else None
                if hangs and known and all(isinstance(element, str) for element in known):
                    if otherwise is not None:
                        known.append(self.text(otherwise, note))
                    return self._one_of(hangs, [str(element) for element in known])
                if known and not hangs:
                    return known[0]
                if otherwise is not None and not hangs:
                    return self.value(otherwise, note)
        raise Unresolved("Fn::FindInMap has no such entry")

    def _one_of(self, hangs: str, values: list[str]) -> str:
        values = list(dict.fromkeys(values))
        if len(values) == 1:
            return values[0]
        if any(map(symbols.has_mark, values)):
            return self._part_of(hangs)
        first = self.symbols[int(symbols.MARK.findall(hangs)[0])]
        return self.symbol(Symbol(f"what the mapping gives for {first.name}", first.reason, tuple(values)))


_FUNCTIONS: dict[str, Callable[[Resolver, Any, NoteAssumption], Any]] = {
    "Ref": Resolver.ref,
    "Fn::FindInMap": Resolver.mapped,
    "Fn::GetAtt": Resolver.attribute,
    "Fn::If": Resolver.choose,
    "Fn::Join": Resolver.join,
    "Fn::Select": Resolver.select,
    "Fn::Split": Resolver.split,
    "Fn::Sub": Resolver.sub,
    "Fn::ToJsonString": lambda resolver, given, note: written(resolver.value(given, note)),
}
