"""Policy documents: read JSON into frozen values, and refuse what AWS refuses, with the place.

Source: IAM User Guide, reference_policies_grammar and the pages of each element;
access-analyzer-reference-policy-checks for what is an error and what only a remark (empty arrays are remarks).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from valetkey.policy.conditions import Condition, Operator, Test, compile_condition, read_operator
from valetkey.policy.errors import PolicyError, shown
from valetkey.policy.globs import has_wildcard
from valetkey.policy.patterns import compile_actions, compile_resources
from valetkey.policy.principals import Grant, Principals, compile_principals, read_aws
from valetkey.policy.requests import Request

Kind = Literal["identity", "trust", "boundary", "session", "scp", "rcp", "resource"]
KINDS: tuple[Kind, ...] = get_args(Kind)
WITH_PRINCIPAL = frozenset({"trust", "rcp", "resource"})
"""The kinds whose statements say whom they are about; the others belong to their caller."""

DOCUMENT_MAX = 131_072
"""Characters: the longest policy document that the IAM API takes at all (policyDocumentType)."""

Effect = Literal["Allow", "Deny"]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. Exactly one of Action and NotAction was there; so for Resource and Principal where the kind
    has them (`resources` and `principals` are None where it has not)."""

    index: int
    """Its place in the document, from 0."""
    sid: str | None
    effect: Effect
    actions: tuple[str, ...]
    not_action: bool
    resources: tuple[str, ...] | None
    not_resource: bool
    principals: Principals | None
    not_principal: bool
    conditions: tuple[Condition, ...]
    where: str
    """JSON path: "$.Statement[0]", or "$.Statement" when it stands alone."""
    variables: bool
    """Whether `${…}` counts (Version 2012-10-17)."""

    covers_action: Callable[[str], bool] = field(repr=False, compare=False)
    covers_caller: Callable[[Request, bool], Grant] = field(repr=False, compare=False)
    covers_resource: Callable[[Request], bool] = field(repr=False, compare=False)
    tests: tuple[Test, ...] = field(repr=False, compare=False)
    """One for each of `conditions`, on a request's keys."""

    def reaches(self, request: Request, action: str, bounded: bool) -> Grant:
        """How the statement applies to a request; `action` is lower-cased, `bounded` says whether the caller has a
        permissions boundary."""
        if not self.covers_action(action):
            return Grant.NONE
        grant = self.covers_caller(request, bounded)
        if not grant or (self.resources is not None and not self.covers_resource(request)):
            return Grant.NONE
        keys = request.keys
        for test in self.tests:
            if not test(keys):
                return Grant.NONE
        return grant


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document of one kind, read and ready to decide."""

    kind: Kind
    version: str | None
    id: str | None
    statements: tuple[Statement, ...]
    allows: tuple[Statement, ...] = field(repr=False, compare=False)
    denies: tuple[Statement, ...] = field(repr=False, compare=False)


def parse_policy(document: str | Mapping[str, Any], kind: Kind) -> Policy:
    """Read one policy document: JSON text, or the same as a dict.

    `kind` is one of identity, trust, boundary, session, scp, rcp, resource. Raises PolicyError, whose `where` is the
    JSON path, for what AWS would refuse: text that is no JSON, more than 131,072 characters, a key given twice, an
    element or operator that does not exist, a value that its operator cannot read, a wildcard inside a principal,
    Resource, NotResource or NotPrincipal in a trust policy, Principal in an identity policy, ...
    """
    if kind not in KINDS:
        raise PolicyError(f"{shown(kind)} is no kind of policy", do=f"use one of {', '.join(KINDS)}")
    return read_policy(load_json(document, DOCUMENT_MAX), kind, "$")


def read_policy(loaded: object, kind: Kind, root: str) -> Policy:
    """Read a policy out of what `load_json` returned; `root` is its JSON path there. Raises PolicyError."""
    elements = _elements(loaded, root, {"Version", "Id", "Statement"})
    version = _optional_text(elements, "Version", root)
    if version not in (None, "2012-10-17", "2008-10-17"):
        what = f"{shown(version)} is no version of the policy language"
        raise PolicyError(what, do="use 2012-10-17", where=f"{root}.Version")
    if "Statement" not in elements:
        raise PolicyError("the policy has no Statement", do="add one", where=root)
    given = elements["Statement"]
    if isinstance(given, list) and not isinstance(given, JsonObject):
        places = [(f"{root}.Statement[{index}]", each) for index, each in enumerate(given)]
    else:
        places = [(f"{root}.Statement", given)]
    reader = _Reader(kind, version == "2012-10-17")
    statements = tuple(reader.statement(index, each, where) for index, (where, each) in enumerate(places))
    _unique_sids(statements, kind)
    return Policy(
        kind,
        version,
        _optional_text(elements, "Id", root),
        statements,
        tuple(each for each in statements if each.effect == "Allow"),
        tuple(each for each in statements if each.effect == "Deny"),
    )


class JsonObject(list[tuple[str, Any]]):
    """A JSON object as its pairs, so that a key given twice is seen."""


@dataclass(frozen=True, slots=True)
class _Number:
    """A JSON number as it was written."""

    text: str


def load_json(document: object, longest: int, root: str = "$") -> Any:
    """Load JSON text, or a dict, of at most `longest` characters, keeping what a policy needs: every pair of an
    object, numbers as written. `root` is its JSON path in errors. Raises PolicyError."""

    def no_constant(name: str) -> None:
        raise PolicyError(f"{name} is no JSON", do="write a number or a string", where=root)

    try:
        # A dict takes the way of text: what json cannot write, AWS cannot be sent.
        text = document if isinstance(document, str) else json.dumps(document, allow_nan=False)
        if not isinstance(document, str | dict):
            raise TypeError
        if len(text) > longest:
            raise PolicyError(f"the document has {len(text)} characters", do=f"{longest} at most are read", where=root)
        loaded = json.loads(
            text, object_pairs_hook=JsonObject, parse_int=_Number, parse_float=_Number, parse_constant=no_constant
        )
    except PolicyError:
        raise
    except json.JSONDecodeError as error:
        what = f"the document is no JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        raise PolicyError(what, do="correct the JSON", where=root) from None
    except RecursionError:
        raise PolicyError("the document is nested too deeply", do="a policy has few levels", where=root) from None
    except (TypeError, ValueError):
        raise PolicyError(
            "the document is no JSON", do="give JSON text, or a dict of what JSON knows", where=root
        ) from None
    return loaded


def member(where: str, name: str) -> str:
    """The JSON path of an object's member: `$.Statement`, `$['sts:ExternalId']`."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,80}", name):
        return f"{where}.{name}"
    short = ascii(name[:80])
    return f"{where}[{short}]"


def members(value: Any, where: str) -> dict[str, Any]:
    """A JSON object's members. Raises PolicyError for anything else, and for a key given twice."""
    if not isinstance(value, JsonObject):
        raise PolicyError(f"an object is wanted here, not {_sort(value)}", do="write { ... }", where=where)
    found: dict[str, Any] = {}
    for name, each in value:
        if name in found:
            raise PolicyError(
                f"{shown(name)} is given twice", do="give it once, with a list of values", where=member(where, name)
            )
        found[_clean(name, where)] = each
    return found


def _elements(value: Any, where: str, known: set[str]) -> dict[str, Any]:
    found = members(value, where)
    for name in found:
        if name not in known:
            near = next((each for each in known if each.lower() == name.lower()), None)
            do = f"write {near}" if near else f"known here: {', '.join(sorted(known))}"
            raise PolicyError(f"{shown(name)} is no element of a policy here", do=do, where=member(where, name))
    return found


def _sort(value: Any) -> str:
    if isinstance(value, JsonObject):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, _Number):
        return "a number"
    return "null" if value is None else "true or false" if isinstance(value, bool) else "a string"


def _clean(text: str, where: str) -> str:
    # INVARIANT: see globs. A lone surrogate cannot be sent to AWS either.
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise PolicyError("the text holds half a character", do="remove the lone surrogate", where=where) from None
    return text


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise PolicyError(f"a string is wanted here, not {_sort(value)}", do='write "..."', where=where)
    return _clean(value, where)


def _optional_text(elements: Mapping[str, Any], name: str, where: str) -> str | None:
    return _text(elements[name], member(where, name)) if name in elements else None


def _texts(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """The strings of a string or a list of strings, each with its place."""
    if isinstance(value, list) and not isinstance(value, JsonObject):
        for index, each in enumerate(value):
            yield f"{where}[{index}]", _text(each, f"{where}[{index}]")
    else:
        yield where, _text(value, where)


def _unique_sids(statements: tuple[Statement, ...], kind: Kind) -> None:
    seen: set[str] = set()
    for each in statements:
        if each.sid and each.sid in seen and kind != "resource":
            raise PolicyError(
                f"the Sid {shown(each.sid)} is used twice", do="Sids are unique in a policy", where=f"{each.where}.Sid"
            )
        seen.add(each.sid or "")


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads statements of one kind of policy."""

    kind: Kind
    variables: bool

    def statement(self, index: int, value: Any, where: str) -> Statement:
        known = {
            "Sid",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        }
        elements = _elements(value, where, known)
        effect = self._effect(elements, where)
        deny = effect == "Deny"
        action, not_action = self._one_of(elements, "Action", where)
        if not_action and self.kind == "rcp":
            raise PolicyError(
                "an RCP has no NotAction", do="name what you mean with Action", where=f"{where}.NotAction"
            )
        actions = tuple(self._action(text, place) for place, text in _texts(elements[action], f"{where}.{action}"))
        resources, not_resource = self._resources(elements, where)
        principals, not_principal = self._principals(elements, where)
        conditions = (
            tuple(self._conditions(elements.get("Condition"), f"{where}.Condition")) if "Condition" in elements else ()
        )
        return Statement(
            index=index,
            sid=self._sid(elements, where),
            effect=effect,
            actions=actions,
            not_action=not_action,
            resources=resources,
            not_resource=not_resource,
            principals=principals,
            not_principal=not_principal,
            conditions=conditions,
            where=where,
            variables=self.variables,
            covers_action=compile_actions(actions, negated=not_action, deny=deny),
            covers_caller=_caller_test(principals, negated=not_principal, deny=deny),
            covers_resource=_resource_test(resources, negated=not_resource, deny=deny, variables=self.variables),
            tests=tuple(compile_condition(each, unsure=deny, variables=self.variables) for each in conditions),
        )

    def _effect(self, elements: Mapping[str, Any], where: str) -> Effect:
        if "Effect" not in elements:
            raise PolicyError("the statement has no Effect", do="add Allow or Deny", where=where)
        effect = elements["Effect"]
        if effect == "Allow" or effect == "Deny":
            return "Allow" if effect == "Allow" else "Deny"
        given = shown(effect) if isinstance(effect, str) else _sort(effect)
        raise PolicyError(f"Effect is {given}", do="write Allow or Deny, in this case", where=f"{where}.Effect")

    def _sid(self, elements: Mapping[str, Any], where: str) -> str | None:
        sid = _optional_text(elements, "Sid", where)
        if sid and self.kind != "resource" and not (sid.isascii() and sid.isalnum()):
            raise PolicyError(f"the Sid is {shown(sid)}", do="use letters and digits only", where=f"{where}.Sid")
        return sid

    def _one_of(self, elements: Mapping[str, Any], name: str, where: str) -> tuple[str, bool]:
        """Which of `name` and `Not…` is there."""
        other = f"Not{name}"
        if name in elements and other in elements:
            raise PolicyError(f"{name} and {other} stand together", do="keep one of them", where=f"{where}.{other}")
        if name not in elements and other not in elements:
            raise PolicyError(f"the statement has no {name}", do=f"add {name} or {other}", where=where)
        return (name, False) if name in elements else (other, True)

    def _action(self, text: str, where: str) -> str:
        if not text.strip("*") and text:
            return text
        service, colon, name = text.partition(":")
        fine = service and name and text.isascii() and re.fullmatch(r"[A-Za-z0-9*?-]+", service)
        if not colon or not fine or not re.fullmatch(r"[A-Za-z0-9*?_.-]+", name):
            raise PolicyError(
                f"{shown(text)} is no action", do="write service:Action, like sts:AssumeRole", where=where
            )
        if self.kind == "trust" and not has_wildcard(service) and service.lower() != "sts":
            raise PolicyError(
                f"{shown(text)} is no action of a trust policy", do="use actions of sts only", where=where
            )
        return text

    def _resources(self, elements: Mapping[str, Any], where: str) -> tuple[tuple[str, ...] | None, bool]:
        present = [name for name in ("Resource", "NotResource") if name in elements]
        if self.kind == "trust" and present:
            do = "remove it: a trust policy is about its own role"
            raise PolicyError(f"a trust policy has no {present[0]}", do=do, where=f"{where}.{present[0]}")
        if not present and self.kind in ("trust", "resource"):
            return None, False
        name, negated = self._one_of(elements, "Resource", where)
        return tuple(self._resource(text, place) for place, text in _texts(elements[name], f"{where}.{name}")), negated

    def _resource(self, text: str, where: str) -> str:
        if text == "*" or text.startswith("arn:") or (self.kind == "resource" and text):
            return text
        raise PolicyError(f"{shown(text)} is no resource", do="write an ARN, or *", where=where)

    def _principals(self, elements: Mapping[str, Any], where: str) -> tuple[Principals | None, bool]:
        present = [name for name in ("Principal", "NotPrincipal") if name in elements]
        if self.kind not in WITH_PRINCIPAL:
            if present:
                do = "remove it: this policy is about whom it is attached to"
                raise PolicyError(
                    f"this kind of policy ({self.kind}) has no {present[0]}", do=do, where=f"{where}.{present[0]}"
                )
            return None, False
        if "NotPrincipal" in present and self.kind != "resource":
            do = "name whom you mean with Principal"
            raise PolicyError(
                f"this kind of policy ({self.kind}) has no NotPrincipal", do=do, where=f"{where}.NotPrincipal"
            )
        name, negated = self._one_of(elements, "Principal", where)
        principals = _read_principals(elements[name], f"{where}.{name}")
        if self.kind == "rcp" and principals != Principals(everyone=True):
            raise PolicyError(
                'the Principal of an RCP is "*" only',
                do="use conditions on aws:Principal… keys",
                where=f"{where}.Principal",
            )
        return principals, negated

    def _conditions(self, value: Any, where: str) -> Iterator[Condition]:
        for name, block in members(value, where).items():
            place = member(where, name)
            read = read_operator(name)
            if read is None:
                raise PolicyError(
                    f"{shown(name)} is no condition operator",
                    do="see the list of operators in docs/reference/policy.md",
                    where=place,
                )
            operator, set_operator, if_exists = read
            for key, values in members(block, place).items():
                at = member(place, key)
                if ":" not in key:
                    raise PolicyError(
                        f"{shown(key)} is no condition key", do="write it with its service: aws:SourceIp", where=at
                    )
                texts = tuple(_operand(text, operator, spot) for spot, text in _scalars(values, at))
                yield Condition(operator, set_operator, if_exists, key, texts, at)


def _scalars(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """The values of a condition: strings, numbers, true and false, one or a list."""
    alone = not isinstance(value, list) or isinstance(value, JsonObject)
    for place, each in [(where, value)] if alone else [(f"{where}[{i}]", each) for i, each in enumerate(value)]:
        if isinstance(each, bool):
            yield place, str(each).lower()
        elif isinstance(each, _Number):
            yield place, each.text
        else:
            yield place, _text(each, place)


def _operand(text: str, operator: Operator, where: str) -> str:
    if operator.reads is not None and operator.reads(text) is None:
        what = f"{operator.name} cannot read {shown(text)}"
        raise PolicyError(what, do="see docs/reference/policy.md for what each operator takes", where=where)
    return text


def _read_principals(value: Any, where: str) -> Principals:
    if isinstance(value, str):
        if value == "*":
            return Principals(everyone=True)
        raise PolicyError(f"{shown(value)} is no principal", do='write "*" or {"AWS": "..."}', where=where)
    found = _elements(value, where, {"AWS", "Service", "Federated", "CanonicalUser"})
    named = {name: list(_texts(entries, f"{where}.{name}")) for name, entries in found.items()}
    everyone = False
    aws: list[str] = []
    for place, text in named.get("AWS", ()):
        if text == "*":
            everyone = True
        elif read_aws(text) is None:
            do = "name an account, user, role or session in full; only * alone is a wildcard"
            raise PolicyError(f"{shown(text)} is no AWS principal", do=do, where=place)
        else:
            aws.append(text)
    for name in ("Service", "Federated", "CanonicalUser"):
        for place, text in named.get(name, ()):
            if not text or has_wildcard(text) or any(char.isspace() for char in text):
                raise PolicyError(f"{shown(text)} is no {name} principal", do="name it in full", where=place)

    def texts(name: str) -> tuple[str, ...]:
        return tuple(text for _, text in named.get(name, ()))

    return Principals(everyone, tuple(aws), texts("Service"), texts("Federated"), texts("CanonicalUser"))


def _caller_test(principals: Principals | None, *, negated: bool, deny: bool) -> Callable[[Request, bool], Grant]:
    if principals is None:
        return lambda request, bounded: Grant.DIRECT
    return compile_principals(principals, negated=negated, deny=deny)


def _resource_test(
    resources: tuple[str, ...] | None, *, negated: bool, deny: bool, variables: bool
) -> Callable[[Request], bool]:
    if resources is None:
        return lambda request: True
    test = compile_resources(resources, negated=negated, deny=deny, variables=variables)
    return lambda request: test(request.resource, request.keys)
