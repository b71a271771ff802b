"""A document that AWS would refuse, read all the same: what an audit is given need not have been accepted yet.

Every defect is the `PolicyError` that `parse_policy` raises for it, so the two never disagree about what AWS refuses.
How it is read then, so that nobody who might get in is overlooked:

- An Allow loses the condition that cannot be read (it then lets in more); a Deny with one is left out (it then denies
  less). A wildcard inside a principal of an Allow stands for the whole account it names, or for everybody; one inside a
  provider for every provider. What is no principal, with an account id in it, stands for that account.
- NotPrincipal in an Allow of a trust policy stands for everybody.
- What is missing (Effect, Principal, Action) allows nothing: that statement is left out. An Effect given twice is an
  Allow when one of the two is. An account id as a number is meant as a text.
- What has no meaning (Resource in a trust policy, an unknown element, a bad Sid) is left out; names in wrong case are
  read as meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from valetkey.policy.arns import is_account
from valetkey.policy.documents import DOCUMENT_MAX, read_policy
from valetkey.policy.errors import PolicyError
from valetkey.policy.globs import has_wildcard
from valetkey.policy.jsontext import JsonNumber, JsonObject, load_json, member
from valetkey.policy.statements import WITH_PRINCIPAL, Kind, Policy

DEFECTS_MAX = 100
"""Defects mended in one document; with more it is not read."""

_ELEMENTS = (
    "Version",
    "Id",
    "Statement",
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
    "AWS",
    "Service",
    "Federated",
    "CanonicalUser",
)
_BY_LOWER = {name.lower(): name for name in _ELEMENTS}


@dataclass(frozen=True, slots=True)
class Read:
    """A document read leniently."""

    policy: Policy | None
    """None when nothing can be made of it: no JSON, no Statement, or too many defects."""
    defects: tuple[PolicyError, ...]
    """What AWS refuses it for, each with its JSON path, in the order in which they were met."""


def parse_lenient(document: str | Mapping[str, Any], kind: Kind) -> Read:
    """Read a document of one kind, mending what AWS refuses. Raises nothing."""
    try:
        tree = load_json(document, DOCUMENT_MAX)
    except PolicyError as error:
        return Read(None, (error,))
    defects: list[PolicyError] = []
    while True:
        try:
            return Read(read_policy(tree, kind, "$"), tuple(defects))
        except PolicyError as error:
            defects.append(error)
            if len(defects) > DEFECTS_MAX or not _mend(tree, error.where, kind):
                return Read(None, tuple(defects))


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of a JSON path: the container and what of it is meant (an index of its list, or of its pairs)."""

    inside: list[Any]
    index: int

    @property
    def name(self) -> str | None:
        return self.inside[self.index][0] if isinstance(self.inside, JsonObject) else None

    @property
    def value(self) -> Any:
        found = self.inside[self.index]
        return found[1] if isinstance(self.inside, JsonObject) else found

    def put(self, value: Any) -> None:
        named = isinstance(self.inside, JsonObject)
        self.inside[self.index] = (self.name, value) if named else value

    def rename(self, name: str) -> None:
        self.inside[self.index] = (name, self.value)

    def drop(self) -> None:
        del self.inside[self.index]

    @property
    def twins(self) -> list[int]:
        """Every place of an object at which this key is given."""
        return [place for place, pair in enumerate(self.inside) if pair[0] == self.name] if self.name else []


def _walk(tree: Any, where: str) -> list[_Step] | None:
    """The steps from the root to a place; None when there is no such place."""
    steps: list[_Step] = []
    node, rest = tree, where.removeprefix("$")
    while rest:
        if not isinstance(node, list):
            return None
        named = isinstance(node, JsonObject)
        for index, each in enumerate(node):
            head = member("", each[0]) if named else f"[{index}]"
            if rest.startswith(head) and rest[len(head) : len(head) + 1] in ("", ".", "["):
                steps.append(_Step(node, index))
                node, rest = steps[-1].value, rest[len(head) :]
                break
        else:
            return None
    return steps


def _mend(tree: Any, where: str, kind: Kind) -> bool:
    """Change the tree so that this defect is gone; False when nothing can be done."""
    steps = _walk(tree, where)
    if not steps:
        return False
    depth = 1 + (steps[0].name == "Statement" and len(steps) > 1 and steps[1].name is None)
    if steps[0].name != "Statement":
        _mend_top(steps[0])
        return True
    if len(steps[0].twins) > 1:
        _merge(steps[0])
        return True
    statement = steps[depth - 1]
    if len(steps) == depth:
        if depth == 1 and not isinstance(statement.value, JsonObject):
            return False
        _leave_out(statement, kind)
        return True
    deny = _effect(statement.value) == "deny"
    inner = steps[depth:]
    if not _mend_element(statement.value, inner, deny):
        _leave_out(statement, kind)
    return True


def _leave_out(statement: _Step, kind: Kind) -> None:
    """Let a statement say nothing; it stays where it is, so that the others keep their numbers."""
    nothing = JsonObject([("Effect", "Deny"), ("Action", [])])
    if kind in WITH_PRINCIPAL:
        nothing.append(("Principal", "*"))
    if kind != "trust":
        nothing.append(("Resource", "*"))
    statement.put(nothing if statement.name is None else [])


def _effect(statement: JsonObject) -> str:
    found = next((value for name, value in statement if name.lower() == "effect"), "")
    return found.lower() if isinstance(found, str) else ""


def _mend_top(step: _Step) -> None:
    meant = _BY_LOWER.get(str(step.name).lower())
    if meant in ("Version", "Id", "Statement") and meant != step.name:
        step.rename(meant)
    elif step.name == "Version" and len(step.twins) == 1:
        step.put("2012-10-17")
    else:
        step.drop()


def _merge(step: _Step) -> None:
    """A key given twice: both values count."""
    values = [step.inside[place][1] for place in step.twins]
    if all(isinstance(value, JsonObject) for value in values) and step.name != "Statement":
        merged: Any = JsonObject(pair for value in values for pair in value)
    else:
        merged = [
            each
            for value in values
            for each in (value if isinstance(value, list) and not isinstance(value, JsonObject) else [value])
        ]
    first, *others = step.twins
    for place in reversed(others):
        del step.inside[place]
    step.inside[first] = (step.name, merged)


def _mend_element(statement: JsonObject, inner: list[_Step], deny: bool) -> bool:
    """Mend one element of a statement; False when the statement is to be left out."""
    first, last = inner[0], inner[-1]
    name = str(first.name)
    meant = _BY_LOWER.get(name.lower())
    if name == "Sid":
        first.drop()
        return True
    if meant is not None and meant != name:
        first.rename(meant)
        return True
    if name == "Effect" and len(first.twins) > 1:
        _merge(first)
        wide = any(isinstance(each, str) and each.lower() == "allow" for each in first.value)
        first.put("Allow")
        return wide
    if name == "Effect":
        given = first.value.capitalize() if isinstance(first.value, str) else ""
        first.put(given)
        return given in ("Allow", "Deny")
    if name == "Condition":
        return not deny and _drop_all(last if len(inner) <= 3 else inner[2])
    if len(last.twins) > 1:
        _merge(last)
        return not deny
    if name == "NotPrincipal":
        first.drop()
        if not any(each == "Principal" for each, _ in statement):
            statement.append(("Principal", "*"))
        return not deny
    if name == "Principal":
        return _mend_principal(first, inner, deny)
    if name in ("Action", "NotAction") and last is not first:
        last.drop()
        return bool(first.value) and not (deny and name == "NotAction")
    if name == "Action":
        return False
    first.drop()
    return not deny or name not in ("NotAction", "NotResource")


def _drop_all(step: _Step) -> bool:
    """Leave out a condition, every time that it is given."""
    for place in reversed(step.twins or [step.index]):
        del step.inside[place]
    return True


def _mend_principal(element: _Step, inner: list[_Step], deny: bool) -> bool:
    last = inner[-1]
    if last is element:  # no object: a text, or a list
        if not isinstance(element.value, str | list) or not element.value:
            return False
        element.put(JsonObject([("AWS", element.value)]))
        return True
    kind = inner[1]
    meant = _BY_LOWER.get(str(kind.name).lower())
    if last is kind and meant in ("AWS", "Service", "Federated", "CanonicalUser") and meant != kind.name:
        kind.rename(meant)
        return True
    text = last.value
    if not deny and kind.name == "AWS" and isinstance(text, JsonNumber) and is_account(text.text.zfill(12)):
        last.put(text.text.zfill(12))
        return True
    if not deny and kind.name == "Federated" and isinstance(text, str) and has_wildcard(text):
        element.put("*")
        return True
    if not deny and kind.name == "AWS" and isinstance(text, str) and has_wildcard(text):
        parts = text.split(":")
        account = next((part for part in parts if is_account(part)), None)
        if account is None:
            element.put("*")
        else:
            last.put(f"{':'.join(parts[:5])}:root" if len(parts) > 5 and parts[4] == account else account)
        return True
    if not deny and kind.name == "AWS" and isinstance(text, str):
        account = next((part for part in text.split(":") if is_account(part)), None)
        if account is not None and account != text:
            last.put(account)
            return True
    last.drop()
    return True
