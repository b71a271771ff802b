"""The lenient parser, for documents that AWS would reject: an audit's input need not have been accepted by AWS yet.

Every defect is the `PolicyError` that `parse_policy` raises for it, so the two always agree on what AWS rejects.
Rules of the correction, so that no possible caller is missed:

- An Allow loses a condition that cannot be parsed (it then allows more); a Deny with one is dropped (it then denies
  less).
- A principal of an Allow means every caller it could name: an ARN that is not a principal means its account, a
  wildcard inside an ARN means that account or everyone, a wildcard inside a provider means everyone. NotPrincipal
  means everyone. A number as account id is read as a string.
- Any other entry is kept as `UnreadPrincipal`, and so is an Allow that cannot be parsed (its Effect, Principal or
  Action is missing or invalid). Account ids inside such a text are principals too.
- INVARIANT: an entry of a Deny that cannot be parsed excludes no caller, and every such entry is in
  `Principals.unread` or in `LenientDocument.defects`.
- An invalid action in a list of a trust policy's Allow means every action of sts; any other invalid action or resource
  in a list is dropped. An Effect given twice is an Allow when one of the two is.
- An Allow loses elements without meaning (Resource in a trust policy, Principal in an identity policy, an unknown
  element); a Deny with one is dropped: the element may be a misspelled Condition. An invalid Sid is dropped. Names in
  wrong case are corrected.
- With an invalid or duplicate Version it is unknown whether policy variables are in effect: an Allow that has one
  loses its conditions, and a Deny that has one is dropped.
- AWS does not document which of two condition keys that differ only in case applies: an Allow loses both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from valetkey.errors import PolicyError, shown
from valetkey.policy.arns import PARTITIONS, is_account
from valetkey.policy.documents import DOCUMENT_MAX, ELEMENTS, read_policy
from valetkey.policy.globs import has_wildcard
from valetkey.policy.policy_json import JsonNumber, JsonObject, kind_of, load_json, member
from valetkey.policy.principals import UnreadPrincipal, why_unread
from valetkey.policy.statements import WITH_PRINCIPAL, Policy, PolicyKind

DEFECTS_MAX = 100
"""Maximum number of defects corrected in one document; with more, the result has no policy."""

_ELEMENTS = ("Version", "Id", "Statement", *ELEMENTS, "AWS", "Service", "Federated", "CanonicalUser")
_BY_LOWER = {name.lower(): name for name in _ELEMENTS}


@dataclass(frozen=True, slots=True)
class LenientDocument:
    """The result of the lenient parser."""

    policy: Policy | None
    """None when the document cannot be corrected: no JSON, no Statement, or too many defects."""
    defects: tuple[PolicyError, ...]
    """The reasons why AWS rejects it, each with its JSON path, in the order in which they were found."""


def parse_lenient(document: str | Mapping[str, Any], kind: PolicyKind) -> LenientDocument:
    """Parse a document of one kind and correct what AWS rejects. Raises nothing."""
    try:
        tree = load_json(document, DOCUMENT_MAX)
    except PolicyError as error:
        return LenientDocument(None, (error,))
    defects: list[PolicyError] = []
    while True:
        try:
            return LenientDocument(read_policy(tree, kind, "$"), tuple(defects))
        except PolicyError as error:
            defects.append(error)
            if len(defects) > DEFECTS_MAX or not _mend(tree, error, kind):
                return LenientDocument(None, tuple(defects))


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of a JSON path: the container and an index in its list or in its pairs."""

    inside: list[Any]
    index: int

    @property
    def name(self) -> str | None:
        return self.inside[self.index][0] if isinstance(self.inside, JsonObject) else None

    @property
    def value(self) -> Any:
        result = self.inside[self.index]
        return result[1] if isinstance(self.inside, JsonObject) else result

    def put(self, value: Any) -> None:
        named = isinstance(self.inside, JsonObject)
        self.inside[self.index] = (self.name, value) if named else value

    def rename(self, name: str) -> None:
        self.inside[self.index] = (name, self.value)

    def drop(self) -> None:
        del self.inside[self.index]

    @property
    def twins(self) -> list[int]:
        """The indexes of all pairs of the object that have this key."""
        return [place for place, pair in enumerate(self.inside) if pair[0] == self.name] if self.name else []


def _walk(tree: Any, where: str) -> list[_Step] | None:
    """The steps from the root to a JSON path; None when the path does not exist."""
    steps: list[_Step] = []
    node, rest = tree, where.removeprefix("$")
    while rest:
        if not isinstance(node, list):
            return None
        named = isinstance(node, JsonObject)
        for index, item in enumerate(node):
            head = member("", item[0]) if named else f"[{index}]"
            if rest.startswith(head) and rest[len(head) : len(head) + 1] in ("", ".", "["):
                steps.append(_Step(node, index))
                node, rest = steps[-1].value, rest[len(head) :]
                break
        else:
            return None
    return steps


def _mend(tree: Any, error: PolicyError, kind: PolicyKind) -> bool:
    """Change the tree so that this defect is gone. Returns False when it cannot be corrected."""
    steps = _walk(tree, error.where)
    if not steps:
        return False
    depth = 1 + (steps[0].name == "Statement" and len(steps) > 1 and steps[1].name is None)
    if steps[0].name != "Statement":
        if _BY_LOWER.get(str(steps[0].name).lower()) == "Version" and not _is_renamed(steps[0]):
            _without_variables(steps[0].inside, kind, error)
        _mend_top(steps[0])
        return True
    if len(steps[0].twins) > 1:
        _merge(steps[0])
        return True
    statement = steps[depth - 1]
    if len(steps) == depth:
        if depth == 1 and not isinstance(statement.value, JsonObject):
            return False
        _leave_out(statement, kind, error)
        return True
    deny = _effect(statement.value) == "deny"
    inner = steps[depth:]
    if not _mend_element(statement.value, inner, deny, error, kind):
        _leave_out(statement, kind, error)
    return True


def _leave_out(statement: _Step, kind: PolicyKind, error: PolicyError) -> None:
    """Replace a statement by one without effect, so that the others keep their numbers. In a trust policy, an Allow
    becomes one whose principal is `UnreadPrincipal`."""
    may_allow = kind == "trust" and _effect(statement.value) != "deny"
    nothing = JsonObject([("Effect", "Allow" if may_allow else "Deny"), ("Action", [])])
    if kind in WITH_PRINCIPAL:
        place = f"statement {statement.index + 1 if statement.name is None else 1}"
        who = UnreadPrincipal(place, f"cannot be read: {error.what}", error.where) if may_allow else "*"
        nothing.append(("Principal", JsonObject([("AWS", who)]) if kind == "trust" else who))
    if kind != "trust":
        nothing.append(("Resource", "*"))
    statement.put(nothing)


def _without_variables(document: list[Any], kind: PolicyKind, error: PolicyError) -> None:
    """Correct the statements so that no caller is missed, whether policy variables are in effect or not."""
    for name, result in list(document):
        if name != "Statement" or not isinstance(result, list):
            continue
        one = isinstance(result, JsonObject)
        steps = (
            [_Step(document, document.index((name, result)))] if one else [_Step(result, i) for i in range(len(result))]
        )
        for step in steps:
            if not isinstance(step.value, JsonObject) or "${" not in str(step.value):
                continue
            if _effect(step.value) == "deny":
                _leave_out(step, kind, error)
            else:
                step.value[:] = [pair for pair in step.value if pair[0].lower() != "condition"]


def _is_renamed(step: _Step) -> bool:
    """Whether only the case of a name is wrong, and no other element has the corrected name."""
    meant = _BY_LOWER[str(step.name).lower()]
    return step.name != meant and [str(pair[0]).lower() for pair in step.inside].count(meant.lower()) == 1


def _effect(statement: Any) -> str:
    given = statement if isinstance(statement, JsonObject) else ()
    result = next((value for name, value in given if name.lower() == "effect"), "")
    return result.lower() if isinstance(result, str) else ""


def _mend_top(step: _Step) -> None:
    meant = _BY_LOWER.get(str(step.name).lower())
    if meant in ("Version", "Id", "Statement") and meant != step.name:
        step.rename(meant)
    elif step.name == "Version" and len(step.twins) == 1:
        step.put("2012-10-17")
    else:
        step.drop()


def _merge(step: _Step) -> None:
    """Merge the values of a duplicate key."""
    values = [step.inside[place][1] for place in step.twins]
    if all(isinstance(value, JsonObject) for value in values) and step.name != "Statement":
        merged: Any = JsonObject(pair for value in values for pair in value)
    else:
        merged = [
            item
            for value in values
            for item in (value if isinstance(value, list) and not isinstance(value, JsonObject) else [value])
        ]
    first, *others = step.twins
    for place in reversed(others):
        del step.inside[place]
    step.inside[first] = (step.name, merged)


def _mend_element(
    statement: JsonObject, inner: list[_Step], deny: bool, error: PolicyError, policy_kind: PolicyKind
) -> bool:
    """Correct one element of a statement. Returns False when the statement must be dropped."""
    first, last = inner[0], inner[-1]
    name = str(first.name)
    meant = _BY_LOWER.get(name.lower())
    if name == "Sid":
        first.drop()
        return True
    if meant is not None and meant != name:
        first.rename(meant)
        return True
    match name:
        case "Effect":
            return _mend_effect(first)
        case "Condition":
            return not deny and (_drop_alike(inner) if len(inner) > 2 else _drop_all(last))
        case _ if len(last.twins) > 1:
            _merge(last)
            return not deny
        case "Principal" | "NotPrincipal" if policy_kind not in WITH_PRINCIPAL:
            first.drop()
            return not deny
        case "Principal" if policy_kind == "rcp":
            first.put("*")
            return not deny
        case "NotPrincipal":
            statement[:] = [pair for pair in statement if pair[0] not in ("Principal", "NotPrincipal")]
            statement.append(("Principal", _everybody()))
            return not deny
        case "Principal":
            return _mend_principal(first, inner, deny, error.where)
        case "Action" | "NotAction" | "Resource" | "NotResource" if last is not first:
            return _mend_entry(first, last, deny, policy_kind)
        case "Action":
            return False
        case _:
            first.drop()
            return not deny


def _mend_effect(element: _Step) -> bool:
    """Correct an Effect. A duplicate Effect becomes Allow when one of the two is."""
    if len(element.twins) > 1:
        _merge(element)
        wide = any(isinstance(item, str) and item.lower() == "allow" for item in element.value)
        element.put("Allow")
        return wide
    given = element.value.capitalize() if isinstance(element.value, str) else ""
    element.put(given)
    return given in ("Allow", "Deny")


def _mend_entry(element: _Step, entry: _Step, deny: bool, policy_kind: PolicyKind) -> bool:
    """Correct an invalid action or resource in a list."""
    wide = element.name == "Action" and not deny and policy_kind == "trust"
    if wide and not _OTHER_ACTION.fullmatch(str(entry.value)):
        entry.put("sts:*")
    else:
        entry.drop()
    return bool(element.value) and not (deny and element.name in ("NotAction", "NotResource"))


def _drop_all(step: _Step) -> bool:
    """Drop a condition, with its duplicates."""
    for place in reversed(step.twins or [step.index]):
        del step.inside[place]
    return True


def _drop_alike(inner: list[_Step]) -> bool:
    """Drop a condition key under its operator, with its duplicates, ignoring the case of both."""
    operator, key = inner[1], inner[2]
    for name, block in inner[0].value:
        if name.lower() == str(operator.name).lower() and isinstance(block, JsonObject):
            block[:] = [pair for pair in block if pair[0].lower() != str(key.name).lower()]
    return True


_OTHER_ACTION = re.compile(r"(?!sts:)[a-z0-9-]+:[A-Za-z0-9*?]+", re.ASCII)
"""An action of another service: it has no effect in a trust policy."""
_KINDS = ("AWS", "Service", "Federated", "CanonicalUser")
# The identities of a provider do not belong to its account.
_OF_ACCOUNT = re.compile(r"(arn:([a-z0-9-]+):(?:iam|sts)::[0-9]{12}):(?!.*-provider).+", re.ASCII | re.DOTALL)
_ACCOUNTS = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])", re.ASCII)


def _everybody() -> JsonObject:
    return JsonObject([("AWS", "*")])


def _mend_principal(element: _Step, inner: list[_Step], deny: bool, where: str) -> bool:
    """Correct a Principal element. Returns False when its statement must be dropped."""
    last = inner[-1]
    if last is element:  # not an object
        if not deny:
            readable = isinstance(element.value, str) or (isinstance(element.value, list) and element.value)
            entries = element.value if readable and not isinstance(element.value, JsonObject) else None
            element.put(JsonObject([("AWS", _unread("AWS", element.value, where) if entries is None else entries)]))
        return not deny
    kind = inner[1]
    name = str(kind.name)
    if name not in _KINDS:
        meant = _BY_LOWER.get(name.lower())
        if deny:
            return False
        if meant not in _KINDS:
            what = "is not a kind of principal (AWS, Service, Federated)"
            kind.put(UnreadPrincipal(shown(name), what, where))
        kind.rename(meant if meant in _KINDS else "AWS")
        return True
    if deny:
        last.put(_unread(name, last.value, where))
    elif not isinstance(last.value, str):
        number = last.value.text.zfill(12) if isinstance(last.value, JsonNumber) else ""
        last.put(number if name == "AWS" and is_account(number) else _unread(name, last.value, where))
    elif name in ("AWS", "Federated") and has_wildcard(last.value):
        of_account = _account_of(last.value) if name == "AWS" else None
        if of_account is None:
            element.put(_everybody())
        else:
            last.put(of_account)
    elif name == "AWS":
        _put_aws(last, last.value, where)
    else:
        last.put(_unread(name, last.value, where))
    return True


def _put_aws(entry: _Step, text: str, where: str) -> None:
    """Replace an invalid entry under "AWS" of an Allow by the callers that it could name."""
    of_account = _account_of(text)
    if of_account is not None:
        entry.put(of_account)
        return
    unread, accounts = _unread("AWS", text, where), list(dict.fromkeys(_ACCOUNTS.findall(text)))
    if entry.name is None:
        entry.put(unread)
        entry.inside.extend(accounts)  # at the end, so that the others keep their indexes
    else:
        entry.put([unread, *accounts])


def _account_of(text: str) -> str | None:
    """The root ARN of the only account whose callers this ARN of iam or sts could name, or None."""
    match = _OF_ACCOUNT.fullmatch(text)
    alone = len(_ACCOUNTS.findall(text)) == 1
    return (
        f"{match[1].replace(':sts:', ':iam:', 1)}:root"
        if match is not None and match[2] in PARTITIONS and alone
        else None
    )


def _unread(kind: str, value: Any, where: str) -> UnreadPrincipal:
    text = isinstance(value, str)
    return UnreadPrincipal(shown(value) if text else kind_of(value), why_unread(kind, value if text else ""), where)
