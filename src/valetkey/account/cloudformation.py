"""The roles that a CloudFormation template makes.

Read: AWS::IAM::Role, and what ManagedPolicy, Policy and RolePolicy attach to roles of the template. What else may make
roles (nested stacks, macros, loops) is not followed, and said. A resource with a condition is read as if it were made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from valetkey.account.intrinsics import NOTHING, Place, Resolver, Unresolved
from valetkey.account.loaded import SourceError, is_list, is_object, written
from valetkey.account.parts import Part
from valetkey.account.values import Document, Role, Unknown
from valetkey.catalog.limits import ROLE_SESSION_MIN
from valetkey.policy.origin import Origin
from valetkey.policy.policy_json import JsonNumber, JsonObject, member

_ELSEWHERE = ("AWS::CloudFormation::Stack", "AWS::CloudFormation::StackSet")


def read_template(template: Any, name: str, place: Place) -> Part:
    """Read a loaded template. Raises SourceError with file and JSON path."""
    resources = template.get("Resources") if isinstance(template, dict) else None
    if not isinstance(resources, dict):
        raise _wrong(f"{name}: $.Resources", "the resources are not an object, or one is given twice")
    part = Part(name)
    if transform := template.get("Transform"):
        why = f"the transform {written(transform)[:200]} may make roles that the template does not show"
        part.unknown.append(Unknown("roles", why, f"{name}: $.Transform"))
    resolver = Resolver(template, place)
    readings = {}
    for logical, resource in resources.items():
        where = f"{name}: {member('$.Resources', logical)}"
        kind = resource.get("Type") if isinstance(resource, dict) else None
        if logical.startswith("Fn::") or kind in _ELSEWHERE or str(kind).endswith("::MODULE"):
            part.unknown.append(Unknown("roles", f"{kind or logical} may make roles; it is not followed", where))
        elif not isinstance(kind, str):
            raise _wrong(where, "a resource is not an object with a Type, or a key of it is given twice")
        elif kind in _KINDS:
            given = resource.get("Properties", {})
            if not isinstance(given, dict):
                raise _wrong(f"{where}.Properties", "the properties are not an object, or one is given twice")
            readings[logical] = _Reading(logical, given, where, resolver, resource.get("Condition"))
    roles = [each for each in readings.values() if resources[each.logical]["Type"] == "AWS::IAM::Role"]
    named = {each.arn.rsplit("/", 1)[-1]: each for each in roles if each.arn}
    for logical, reading in readings.items():
        _KINDS[resources[logical]["Type"]](reading, part, named)
    # Now everything that attaches to them has been read.
    part.roles = [each.role(place) for each in roles]
    return part


class _Reading:
    """One resource as it is read: what could be resolved, what could not, and what was assumed."""

    def __init__(self, logical: str, given: dict[str, Any], where: str, resolver: Resolver, condition: Any) -> None:
        self.logical = logical
        self.where = where
        self.given = given
        self._resolver = resolver
        self.unknown: list[Unknown] = []
        self.assumed: dict[str, None] = {}
        self.inline: dict[str, Document] = {}
        self.attached: dict[str, None] = {}
        if isinstance(condition, str):
            self.note(f"condition {condition} holds")

    def note(self, assumption: str) -> None:
        self.assumed[assumption] = None

    def get(self, name: str, part: str) -> Any:
        """A property resolved; None where it is not given, or cannot be resolved, which is noted for `part`."""
        if name not in self.given:
            return None
        return self.resolve(self.given[name], part, f"{self.where}.Properties.{name}")

    def text(self, name: str, part: str) -> str | None:
        """A property that is a text or a number; None where it is not given, or not known, which is noted."""
        found = self.get(name, part)
        return found.text if isinstance(found, JsonNumber) else found if isinstance(found, str) else None

    def resolve(self, value: Any, part: str, where: str) -> Any:
        """A value resolved; None where it is NoValue, or cannot be resolved, which is noted for `part`."""
        try:
            found = self._resolver.value(value, self.note)
        except Unresolved as error:
            self.unknown.append(Unknown(part, str(error), where))
            return None
        return None if found is NOTHING else found

    def document(self, value: Any, part: str, where: str) -> Document | None:
        """A policy document, which may be given as text too."""
        found = self.resolve(value, part, where)
        return found if found is None or isinstance(found, str) else written(found)

    def texts(self, name: str, part: str) -> list[str]:
        """A property that is a list of texts: those that can be resolved."""
        given, where = self.given.get(name, []), f"{self.where}.Properties.{name}"
        if not is_list(given):
            found = self.resolve(given, part, where)
            return [each for each in found if isinstance(each, str)] if is_list(found) else []
        found = [self.resolve(each, part, f"{where}[{index}]") for index, each in enumerate(given)]
        return [each for each in found if isinstance(each, str)]

    def policies(self) -> Iterator[tuple[str, Any, str]]:
        """The inline policies of a role: name, document and place."""
        given = self.given.get("Policies", [])
        where = f"{self.where}.Properties.Policies"
        if not is_list(given):
            given = self.resolve(given, "inline policies", where)
        for index, each in enumerate(given if is_list(given) else []):
            place = f"{where}[{index}]"
            each = self.resolve(each, "inline policies", place) if is_object(each) and len(each) == 1 else each
            if isinstance(each, JsonObject):
                self.unknown.append(Unknown("inline policies", "a key is given twice", place))
            elif isinstance(each, dict):
                name = self.resolve(each.get("PolicyName", f"policy-{index}"), "inline policies", place)
                yield str(name), each.get("PolicyDocument"), f"{place}.PolicyDocument"

    @cached_property
    def arn(self) -> str | None:
        """The resource's ARN; None where it cannot be resolved, which is noted."""
        try:
            return self._resolver.arn(self.logical, self.note)
        except Unresolved as error:
            self.unknown.append(Unknown("name", str(error), self.where))
            return None

    def role(self, place: Place) -> Role:
        """The role that was read."""
        for name, document, where in self.policies():
            text = self.document(document, f"inline policy {name}", where)
            if text is not None:
                self.inline[name] = text
        for arn in self.texts("ManagedPolicyArns", "attached policies"):
            self.attached[arn] = None
        if "AssumeRolePolicyDocument" in self.given:
            given = self.given["AssumeRolePolicyDocument"]
            trust = self.document(given, "trust", f"{self.where}.Properties.AssumeRolePolicyDocument")
        else:
            trust = None
        if trust is None and not any(each.part == "trust" for each in self.unknown):
            self.unknown.append(Unknown("trust", "the template gives no AssumeRolePolicyDocument", self.where))
        account = self._resolver.pseudo("AWS::AccountId", self.note)
        arn = self.arn or f"arn:{place.partition}:iam::{account}:role/{self.logical}"
        given = "MaxSessionDuration" in self.given
        session = (self.text("MaxSessionDuration", "session limit") or "") if given else str(ROLE_SESSION_MIN)
        return Role(
            name=arn.rsplit("/", 1)[-1],
            arn=arn,
            path=arn.split(":role", 1)[1].rpartition("/")[0] + "/",
            account=place.account,
            partition=place.partition,
            where=self.where,
            origin=Origin.SENT,
            trust=trust,
            trust_where=f"{self.where}.Properties.AssumeRolePolicyDocument",
            attached=tuple(self.attached),
            inline=self.inline,
            boundary=self.text("PermissionsBoundary", "boundary"),
            max_session=int(session) if re.fullmatch("[0-9]{1,6}", session) else None,
            description=self.text("Description", "description"),
            tags=self._tags(),
            unknown=tuple(self.unknown),
            assumed=tuple(self.assumed),
        )

    def _tags(self) -> dict[str, str]:
        tags = self.get("Tags", "tags")
        found = [each for each in tags if isinstance(each, dict)] if is_list(tags) else []
        return {each["Key"]: str(each.get("Value", "")) for each in found if isinstance(each.get("Key"), str)}


def _nothing(reading: _Reading, part: Part, roles: dict[str, _Reading]) -> None:
    """A role is read when everything that attaches to it has been."""


def _provider(reading: _Reading, part: Part, roles: dict[str, _Reading]) -> None:
    if reading.arn is not None:
        part.providers = (*(part.providers or ()), reading.arn)
    part.unknown += reading.unknown


def _managed(reading: _Reading, part: Part, roles: dict[str, _Reading]) -> None:
    arn = reading.arn
    if arn is not None:
        where = f"{reading.where}.Properties.PolicyDocument"
        document = reading.document(reading.given.get("PolicyDocument"), f"policy {arn}", where)
        if document is not None:
            part.policies[arn] = document
        for role in _targets(reading, roles, "Roles"):
            role.attached[arn] = None
    part.unknown += reading.unknown


def _inline(reading: _Reading, part: Part, roles: dict[str, _Reading]) -> None:
    one = "RoleName" in reading.given
    for role in _targets(reading, roles, "RoleName" if one else "Roles"):
        name = reading.text("PolicyName", "inline policies") or reading.logical
        where = f"{reading.where}.Properties.PolicyDocument"
        document = role.document(reading.given.get("PolicyDocument"), f"inline policy {name}", where)
        if document is not None:
            role.inline[name] = document
    part.unknown += reading.unknown


def _targets(reading: _Reading, roles: dict[str, _Reading], prop: str) -> list[_Reading]:
    """The roles of the template, by name, that a policy is attached to; that others are not seen is said."""
    what = f"what {reading.logical} is attached to"
    if prop == "RoleName":
        one = reading.get(prop, what)
        names = [one] if isinstance(one, str) else []
    else:
        names = reading.texts(prop, what)
    for name in names:
        if name not in roles:
            reading.unknown.append(Unknown(what, f"role {name} is not in the template", reading.where))
    return [roles[name] for name in names if name in roles]


_KINDS = {
    "AWS::IAM::Role": _nothing,
    "AWS::IAM::ManagedPolicy": _managed,
    "AWS::IAM::Policy": _inline,
    "AWS::IAM::RolePolicy": _inline,
    "AWS::IAM::OIDCProvider": _provider,
    "AWS::IAM::SAMLProvider": _provider,
}


def _wrong(where: str, what: str) -> SourceError:
    return SourceError(what, do="correct the template (`aws cloudformation validate-template`)", where=where)
