"""The parser of policy documents: JSON to frozen values. It rejects what AWS rejects, with the place.

Source: IAM User Guide, reference_policies_grammar and the pages of each element;
access-analyzer-reference-policy-checks for what is an error and what only a suggestion (empty arrays).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from valetkey.errors import PolicyError, page, shown
from valetkey.policy.conditions import Condition, Test, compile_condition
from valetkey.policy.globs import has_wildcard
from valetkey.policy.operators import Family, Operator, Reader, read_operator, reader
from valetkey.policy.patterns import compile_actions
from valetkey.policy.policy_json import (
    JsonObject,
    kind_of,
    known_members,
    load_json,
    member,
    members,
    optional_text,
    scalars,
    text_of,
    texts,
)
from valetkey.policy.principals import Principals, UnreadPrincipal, read_aws, why_unread
from valetkey.policy.statements import (
    GRAMMARS,
    POLICY_KINDS,
    Effect,
    Grammar,
    Policy,
    PolicyKind,
    Statement,
    caller_test,
    resource_test,
)
from valetkey.policy.undecided import NotDecided

DOCUMENT_MAX = 262_144
"""Maximum length in characters: twice the longest document that the IAM API accepts (policyDocumentType). Some AWS
managed policies are longer than IAM's limit (AWSSupportServiceRolePolicy)."""


def parse_policy(document: str | Mapping[str, Any], kind: PolicyKind) -> Policy:
    """Parse one policy document: JSON text, or the same as a dict.

    `kind` is one of identity, trust, boundary, session, scp, rcp, resource. Raises PolicyError, whose `where` is the
    JSON path, for what AWS would reject: text that is not JSON, more than 262,144 characters, a duplicate key, an
    unknown element or operator, a value that its operator cannot parse, a wildcard inside a principal, Resource,
    NotResource or NotPrincipal in a trust policy, Principal in an identity policy, ...
    """
    if kind not in POLICY_KINDS:
        raise PolicyError(f"{shown(kind)} is not a kind of policy", do=f"use one of {', '.join(POLICY_KINDS)}")
    return read_policy(load_json(document, DOCUMENT_MAX), kind, "$")


def read_policy(loaded: object, kind: PolicyKind, root: str) -> Policy:
    """Build a policy from a result of `load_json`; `root` is its JSON path there. Raises PolicyError."""
    elements = known_members(loaded, root, {"Version", "Id", "Statement"})
    version = optional_text(elements, "Version", root)
    if version not in (None, "2012-10-17", "2008-10-17"):
        what = f"{shown(version)} is not a version of the policy language"
        raise PolicyError(what, do="use 2012-10-17", where=f"{root}.Version")
    if "Statement" not in elements:
        raise PolicyError("the policy has no Statement", do="add one", where=root)
    given = elements["Statement"]
    if isinstance(given, list) and not isinstance(given, JsonObject):
        places = [(f"{root}.Statement[{index}]", item) for index, item in enumerate(given)]
    else:
        places = [(f"{root}.Statement", given)]
    reader = _Reader(kind, GRAMMARS[kind], version == "2012-10-17")
    statements = tuple(reader.statement(index, place, where) for index, (where, place) in enumerate(places))
    _unique_sids(statements, kind)
    return Policy(
        kind,
        version,
        optional_text(elements, "Id", root),
        statements,
        tuple(statement for statement in statements if statement.effect == "Allow"),
        tuple(statement for statement in statements if statement.effect == "Deny"),
    )


def _unique_sids(statements: tuple[Statement, ...], kind: PolicyKind) -> None:
    seen: set[str] = set()
    for statement in statements:
        if statement.sid and statement.sid in seen and not GRAMMARS[kind].free_texts:
            raise PolicyError(
                f"the Sid {shown(statement.sid)} is used twice",
                do="Sids are unique in a policy",
                where=f"{statement.where}.Sid",
            )
        seen.add(statement.sid or "")


ELEMENTS = (
    *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"),
    *("Resource", "NotResource", "Condition"),
)
"""The elements of a statement."""


@dataclass(frozen=True, slots=True)
class _Reader:
    """Parses the statements of one kind of policy."""

    kind: PolicyKind
    grammar: Grammar
    variables: bool

    def statement(self, index: int, value: Any, where: str) -> Statement:
        elements = known_members(value, where, set(ELEMENTS))
        effect = self._effect(elements, where)
        deny = effect == "Deny"
        action, not_action = self._one_of(elements, "Action", where)
        if not_action and not self.grammar.not_action:
            raise PolicyError(
                "an RCP cannot contain NotAction", do="name what you mean with Action", where=f"{where}.NotAction"
            )
        actions = tuple(self._action(text, place) for place, text in texts(elements[action], f"{where}.{action}"))
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
            # INVARIANT: where AWS documents nothing, an Allow does not match and a Deny does (`undocumented`).
            covers_action=compile_actions(actions, negated=not_action, unsure=deny),
            covers_caller=caller_test(principals, negated=not_principal, deny=deny, unsure=deny),
            covers_resource=resource_test(resources, negated=not_resource, unsure=deny, variables=self.variables),
            tests=tuple(self._test(condition, deny) for condition in conditions),
        )

    def _test(self, condition: Condition, deny: bool) -> Test:
        try:
            return compile_condition(condition, unsure=deny, variables=self.variables)
        except NotDecided as unknown:
            raise _not_decided(unknown, condition.where) from unknown

    def _effect(self, elements: Mapping[str, Any], where: str) -> Effect:
        if "Effect" not in elements:
            raise PolicyError("the statement has no Effect", do="add Allow or Deny", where=where)
        effect = elements["Effect"]
        if effect == "Allow" or effect == "Deny":
            return "Allow" if effect == "Allow" else "Deny"
        given = shown(effect) if isinstance(effect, str) else kind_of(effect)
        raise PolicyError(f"Effect is {given}", do="write Allow or Deny, in this case", where=f"{where}.Effect")

    def _sid(self, elements: Mapping[str, Any], where: str) -> str | None:
        sid = optional_text(elements, "Sid", where)
        if sid and not self.grammar.free_texts and not (sid.isascii() and sid.isalnum()):
            raise PolicyError(f"the Sid is {shown(sid)}", do="use letters and digits only", where=f"{where}.Sid")
        return sid

    def _one_of(self, elements: Mapping[str, Any], name: str, where: str) -> tuple[str, bool]:
        """Which of `name` and `Not…` is present, and whether it is `Not…`. Raises PolicyError for both or neither."""
        other = f"Not{name}"
        if name in elements and other in elements:
            raise PolicyError(
                f"{name} and {other} cannot be used together", do="keep one of them", where=f"{where}.{other}"
            )
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
                f"{shown(text)} is not an action", do="write service:Action, like sts:AssumeRole", where=where
            )
        if self.grammar.sts_only and not has_wildcard(service) and service.lower() != "sts":
            raise PolicyError(
                f"{shown(text)} is not an action of a trust policy", do="use actions of sts only", where=where
            )
        return text

    def _resources(self, elements: Mapping[str, Any], where: str) -> tuple[tuple[str, ...] | None, bool]:
        present = [name for name in ("Resource", "NotResource") if name in elements]
        if self.grammar.resource == "none" and present:
            do = "remove it: a trust policy always applies to its own role"
            raise PolicyError(f"a trust policy cannot contain {present[0]}", do=do, where=f"{where}.{present[0]}")
        if not present and self.grammar.resource != "needed":
            return None, False
        name, negated = self._one_of(elements, "Resource", where)
        return tuple(self._resource(text, place) for place, text in texts(elements[name], f"{where}.{name}")), negated

    def _resource(self, text: str, where: str) -> str:
        if text == "*" or text.startswith("arn:") or (self.grammar.free_texts and text):
            return text
        raise PolicyError(f"{shown(text)} is not a resource", do="write an ARN, or *", where=where)

    def _principals(self, elements: Mapping[str, Any], where: str) -> tuple[Principals | None, bool]:
        present = [name for name in ("Principal", "NotPrincipal") if name in elements]
        if self.grammar.principal == "none":
            if present:
                do = "remove it: this policy applies to the principals that it is attached to"
                raise PolicyError(
                    f"this kind of policy ({self.kind}) cannot contain {present[0]}",
                    do=do,
                    where=f"{where}.{present[0]}",
                )
            return None, False
        if "NotPrincipal" in present and not self.grammar.not_principal:
            do = "name the callers with Principal"
            raise PolicyError(
                f"this kind of policy ({self.kind}) cannot contain NotPrincipal", do=do, where=f"{where}.NotPrincipal"
            )
        name, negated = self._one_of(elements, "Principal", where)
        principals = _read_principals(elements[name], f"{where}.{name}")
        if self.grammar.principal == "everyone" and principals != Principals(everyone=True):
            raise PolicyError(
                'the Principal of an RCP must be "*"',
                do="use conditions on aws:Principal… keys",
                where=f"{where}.Principal",
            )
        return principals, negated

    def _conditions(self, value: Any, where: str) -> Iterator[Condition]:
        given: set[tuple[str, str]] = set()
        for name, block in members(value, where).items():
            place = member(where, name)
            read = read_operator(name)
            if read is None:
                raise PolicyError(
                    f"{shown(name)} is not a condition operator",
                    do=f"see the list of operators: {page('reference/policy.md')}",
                    where=place,
                )
            operator, set_operator, if_exists = read
            try:
                reads = reader(operator.family)
            except NotDecided as unknown:
                raise _not_decided(unknown, place) from unknown
            for key, values in members(block, place).items():
                at = member(place, key)
                if ":" not in key:
                    raise PolicyError(
                        f"{shown(key)} is not a condition key", do="write it with its service: aws:SourceIp", where=at
                    )
                if (name.lower(), key.lower()) in given:
                    what = f"{shown(key)} is given twice under {operator.name}, in different case"
                    do = "keep one: AWS ignores the case of keys and does not document which of two counts"
                    raise PolicyError(what, do=do, where=at)
                given.add((name.lower(), key.lower()))
                read_values = tuple(_operand(text, operator, reads, key, spot) for spot, text in scalars(values, at))
                yield Condition(operator, set_operator, if_exists, key, read_values, at)


def _not_decided(unknown: NotDecided, where: str) -> PolicyError:
    return PolicyError(str(unknown), do="leave this condition out, or decide it elsewhere", where=where)


def _operand(text: str, operator: Operator, reads: Reader | None, key: str, where: str) -> str:
    # AWS documents variables for text and ARNs only, not that it rejects others: compile_condition handles them.
    variable = "${" in text and operator.family is not Family.NULL
    if reads is not None and reads(text) is None and not variable:
        # No error shows an ExternalId: it identifies the grant.
        what = (
            f"{operator.name} cannot read {'this ExternalId' if key.lower().endswith(':externalid') else shown(text)}"
        )
        raise PolicyError(what, do=f"see what each operator takes: {page('reference/policy.md')}", where=where)
    return text


def _read_principals(value: Any, where: str) -> Principals:
    if isinstance(value, str):
        if value == "*":
            return Principals(everyone=True, bare=True)
        raise PolicyError(f"{shown(value)} is not a principal", do='write "*" or {"AWS": "..."}', where=where)
    result = known_members(value, where, {"AWS", "Service", "Federated", "CanonicalUser"})
    unread: list[UnreadPrincipal] = []
    named = {name: list(_entries(entries, f"{where}.{name}", unread)) for name, entries in result.items()}
    everyone = False
    aws: list[str] = []
    name = "AWS"
    for place, text in named.get(name, ()):
        if text == "*":
            everyone = True
        elif read_aws(text) is None:
            do = "name an account, user, role or session in full; only * alone is a wildcard"
            raise PolicyError(f"{shown(text)} {why_unread(name, text)}", do=do, where=place)
        else:
            aws.append(text)
    for name in ("Service", "Federated", "CanonicalUser"):
        for place, text in named.get(name, ()):
            if not text or has_wildcard(text) or any(char.isspace() for char in text):
                raise PolicyError(f"{shown(text)} {why_unread(name, text)}", do="name it in full", where=place)

    def entries_of(name: str) -> tuple[str, ...]:
        return tuple(text for _, text in named.get(name, ()))

    return Principals(
        everyone,
        tuple(aws),
        entries_of("Service"),
        entries_of("Federated"),
        entries_of("CanonicalUser"),
        unread=tuple(unread),
    )


def _entries(value: Any, where: str, unread: list[UnreadPrincipal]) -> Iterator[tuple[str, str]]:
    """Yield each text under one kind of principal with its JSON path. Entries that `lenient` marked go to `unread`."""
    many = isinstance(value, list) and not isinstance(value, JsonObject)
    for place, item in [(f"{where}[{i}]", element) for i, element in enumerate(value)] if many else [(where, value)]:
        if isinstance(item, UnreadPrincipal):
            unread.append(item)
        else:
            yield place, text_of(item, place)
