"""Values of a CloudFormation template resolved, as far as the template itself tells.

Source: CloudFormation User Guide, intrinsic-function-reference, pseudo-parameter-reference and
parameters-section-structure.

Rules:
- A parameter has the value that is given, else its default; a pseudo-parameter what `Place` says; a resource of IAM the
  name or ARN that its properties give it. What is assumed by that is told to `note`.
- Everything else (imports, attributes that exist only with the stack, dynamic references, macros) raises Unresolved.
- Names and conditions are worked out once each, so that a template cannot make the work grow beyond its size.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from valetkey.account.loaded import is_list, is_object, pairs
from valetkey.policy.arns import NOBODY
from valetkey.policy.policy_json import JsonNumber, JsonObject

Note = Callable[[str], None]
"""Is told what was taken for granted, one sentence at a time."""

BUDGET = 20_000_000
"""Characters that functions may put in for all of a template: a template of 1 MB that makes 20 MB is hostile."""

NOTHING = object()
"""AWS::NoValue: the property or element is not there."""


class Unresolved(Exception):
    """A value that the template does not tell; the text says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the stack would be made."""

    account: str | None
    partition: str
    region: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Values of parameters that somebody gives; the others have their defaults."""


# CloudFormation takes names of 255 characters; without a limit a text of nothing but "${" takes for ever.
_SUB = re.compile(r"\$\{([^}]{0,300})\}")
_SUFFIX = {
    "aws-cn": "amazonaws.com.cn",
    "aws-eusc": "amazonaws.eu",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
}
# Type: the property with its name, the kind in its ARN, and whether Ref gives the ARN (else the name).
_NAMED: dict[str, tuple[str, str, bool]] = {
    "AWS::IAM::Role": ("RoleName", "role", False),
    "AWS::IAM::User": ("UserName", "user", False),
    "AWS::IAM::Group": ("GroupName", "group", False),
    "AWS::IAM::InstanceProfile": ("InstanceProfileName", "instance-profile", False),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", "policy", True),
    "AWS::IAM::SAMLProvider": ("Name", "saml-provider", True),
    "AWS::IAM::OIDCProvider": ("Url", "oidc-provider", True),
}


class Resolver:
    """Resolves the values of one template."""

    def __init__(self, template: dict[str, Any], place: Place) -> None:
        self._place = place
        self._parameters, self._mappings, self._conditions, self._resources = (
            section if isinstance(section := template.get(name), dict) else {}
            for name in ("Parameters", "Mappings", "Conditions", "Resources")
        )
        self._left = BUDGET
        self._known: dict[tuple[str, str], tuple[Any, list[str]] | Unresolved | None] = {}

    def value(self, value: Any, note: Note) -> Any:
        """The value with every intrinsic function resolved; NOTHING for AWS::NoValue. Raises Unresolved."""
        if is_list(value):
            found = (self.value(each, note) for each in value)
            return [each for each in found if each is not NOTHING]
        if is_object(value):
            function = _FUNCTIONS.get(next(iter(pairs(value)))[0]) if len(value) == 1 else None
            if function is not None:
                return self._spent(function(self, next(iter(pairs(value)))[1], note))
            told = [(key, self.value(each, note)) for key, each in pairs(value)]
            for key, _ in told:
                if key.startswith("Fn::"):
                    raise Unresolved(f"{key} is known only to CloudFormation")
            told = [(key, each) for key, each in told if each is not NOTHING]
            return JsonObject(told) if isinstance(value, JsonObject) else dict(told)
        if isinstance(value, str) and "{{resolve:" in value:
            raise Unresolved("a dynamic reference is known only to CloudFormation")
        return value

    def _spent(self, value: Any) -> Any:
        self._left -= len(value) if isinstance(value, str) else sum(map(len, value)) if is_list(value) else 0
        if self._left < 0:
            raise Unresolved("the template becomes too large")
        return value

    def text(self, value: Any, note: Note) -> str:
        """A value that is a text, or a number as it is written. Raises Unresolved."""
        found = self.value(value, note)
        if isinstance(found, JsonNumber):
            return found.text
        if isinstance(found, bool):
            return str(found).lower()
        if not isinstance(found, str):
            raise Unresolved("a text is wanted here")
        return found

    def arn(self, resource: str, note: Note) -> str:
        """The ARN of a resource of IAM, by its logical id. Raises Unresolved."""
        return str(self._once("arn", resource, self._arn, note))

    def name(self, resource: str, note: Note) -> str:
        """Its name; its logical id where CloudFormation makes one up, which `note` is told. Raises Unresolved."""
        return str(self._once("name", resource, self._name, note))

    def path(self, resource: str, note: Note) -> str:
        """Its path. Raises Unresolved."""
        given = self._properties(resource).get("Path")
        path = NOTHING if given is None else self.value(given, note)
        return path if isinstance(path, str) and path else "/"

    def created(self, condition: str, note: Note) -> bool:
        """Whether a condition holds. Raises Unresolved."""
        return bool(self._once("condition", condition, self._condition, note))

    def _once(self, kind: str, name: str, work: Callable[[str, Note], Any], note: Note) -> Any:
        key = (kind, name)
        if key not in self._known:
            self._known[key] = None
            notes: list[str] = []
            try:
                self._known[key] = (work(name, notes.append), notes)
            except Unresolved as error:
                self._known[key] = error
        found = self._known[key]
        if found is None:
            raise Unresolved(f"{name} depends on itself")
        if isinstance(found, Unresolved):
            raise Unresolved(str(found))
        for each in found[1]:
            note(each)
        return found[0]

    def _properties(self, resource: str) -> dict[str, Any]:
        found = self._resources.get(resource)
        given = found.get("Properties") if isinstance(found, dict) else None
        return given if isinstance(given, dict) else {}

    def _type(self, resource: str) -> str:
        found = self._resources.get(resource)
        if not isinstance(found, dict):
            raise Unresolved(f"there is no {resource} in the template")
        return str(found.get("Type"))

    def _name(self, resource: str, note: Note) -> str:
        given = self._properties(resource).get(_NAMED[self._type(resource)][0])
        name = NOTHING if given is None else self.value(given, note)
        if name is NOTHING or name == "":
            note(f"the generated name of {resource} is written as its logical id")
            return resource
        return self.text(name, note)

    def _arn(self, resource: str, note: Note) -> str:
        kind = _NAMED[self._type(resource)][1]
        name = self.name(resource, note).removeprefix("https://")
        path = "/" if kind.endswith("provider") else self.path(resource, note)
        account, partition = self.pseudo("AWS::AccountId", note), self.pseudo("AWS::Partition", note)
        return f"arn:{partition}:iam::{account}:{kind}{path}{name}"

    def pseudo(self, name: str, note: Note) -> Any:
        """A pseudo-parameter. Raises Unresolved."""
        place = self._place
        match name:
            case "AWS::NoValue":
                return NOTHING
            case "AWS::AccountId":
                if place.account is None:
                    note(f"{NOBODY} stands for the account, which the template does not name")
                return place.account or NOBODY
            case "AWS::Partition":
                return place.partition
            case "AWS::URLSuffix":
                return _SUFFIX.get(place.partition, "amazonaws.com")
            case "AWS::Region":
                note(f"the region is {place.region}")
                return place.region
            case "AWS::StackName":
                note("the stack's name is stack")
                return "stack"
        raise Unresolved(f"{name} is known only when the stack exists")

    def _condition(self, name: str, note: Note) -> Any:
        if name not in self._conditions:
            raise Unresolved(f"there is no condition {name} in the template")
        return self._holds(self._conditions[name], note)

    def _holds(self, test: Any, note: Note) -> Any:
        kind, given = next(iter(pairs(test))) if is_object(test) and len(test) == 1 else ("", None)
        match kind, given:
            case "Condition", str():
                return self.created(given, note)
            case "Fn::Equals", [one, other]:
                return _plain(self.value(one, note)) == _plain(self.value(other, note))
            case "Fn::And", list():
                return all(self._holds(each, note) for each in given)
            case "Fn::Or", list():
                return any(self._holds(each, note) for each in given)
            case "Fn::Not", [one]:
                return not self._holds(one, note)
        raise Unresolved(f"{kind or 'this'} is not a condition that can be decided here")

    def ref(self, name: Any, note: Note) -> Any:
        """What Ref gives. Raises Unresolved."""
        if not isinstance(name, str):
            raise Unresolved("Ref needs a name")
        if name.startswith("AWS::"):
            return self.pseudo(name, note)
        if name in self._parameters:
            return self._parameter(name, note)
        kind = self._type(name)
        if kind not in _NAMED:
            raise Unresolved(f"{name} ({kind}) is known only when the stack exists")
        return self.arn(name, note) if _NAMED[kind][2] else self.name(name, note)

    def _parameter(self, name: str, note: Note) -> Any:
        about = self._parameters[name]
        about = about if isinstance(about, dict) else {}
        kind = str(about.get("Type", "String"))
        if kind.startswith("AWS::SSM::Parameter::Value"):
            raise Unresolved(f"parameter {name} is read from SSM when the stack is made")
        value = self._place.parameters.get(name)
        if value is None:
            default = about.get("Default")
            if not isinstance(default, str | JsonNumber | bool):
                raise Unresolved(f"parameter {name} has no default, and no file gives its value")
            note(f"parameter {name} has its default value")
            value = str(_plain(default))
        is_many = kind == "CommaDelimitedList" or kind.startswith("List<")
        return [each.strip() for each in value.split(",")] if is_many else value

    def attribute(self, given: Any, note: Note) -> Any:
        """What Fn::GetAtt gives. Raises Unresolved."""
        resource, _, attribute = given.partition(".") if isinstance(given, str) else (*given, "", "", "")[:3]
        if is_list(given) and len(given) == 2:
            resource, attribute = given
        if not isinstance(resource, str) or not isinstance(attribute, str):
            raise Unresolved("Fn::GetAtt needs a resource and an attribute")
        if self._type(resource) in _NAMED and attribute in ("Arn", "PolicyArn"):
            return self.arn(resource, note)
        raise Unresolved(f"{resource}.{attribute} is known only when the stack exists")

    def sub(self, given: Any, note: Note) -> str:
        """What Fn::Sub gives. Raises Unresolved."""
        text, own = given if is_list(given) and len(given) == 2 else (given, {})
        if not isinstance(text, str) or not isinstance(own, dict):
            raise Unresolved("Fn::Sub needs a text")

        def put(found: re.Match[str]) -> str:
            name = found[1].strip()
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in own:
                return self.text(own[name], note)
            return self.text({"Fn::GetAtt": name} if "." in name and "::" not in name else {"Ref": name}, note)

        return str(self.value(_SUB.sub(put, text), note))

    def join(self, given: Any, note: Note) -> str:
        """What Fn::Join gives. Raises Unresolved."""
        match given:
            case [str(between), parts]:
                found = self.value(parts, note)
                if is_list(found):
                    return between.join(self.text(each, note) for each in found)
        raise Unresolved("Fn::Join needs a delimiter and a list")

    def select(self, given: Any, note: Note) -> Any:
        """What Fn::Select gives. Raises Unresolved."""
        match given:
            case [index, many]:
                at, found = self.text(index, note), self.value(many, note)
                if at.isascii() and at.isdigit() and is_list(found) and int(at[:9]) < len(found):
                    return found[int(at)]
        raise Unresolved("Fn::Select needs a number and a list that is long enough")

    def split(self, given: Any, note: Note) -> list[str]:
        """What Fn::Split gives. Raises Unresolved."""
        match given:
            case [str(between), text] if between:
                return self.text(text, note).split(between)
        raise Unresolved("Fn::Split needs a delimiter and a text")

    def choose(self, given: Any, note: Note) -> Any:
        """What Fn::If gives. Raises Unresolved."""
        match given:
            case [str(condition), one, other]:
                return self.value(one if self.created(condition, note) else other, note)
        raise Unresolved("Fn::If needs a condition and two values")

    def mapped(self, given: Any, note: Note) -> Any:
        """What Fn::FindInMap gives. Raises Unresolved."""
        match given:
            case [name, first, second]:
                found: Any = self._mappings
                for key in (name, first, second):
                    found = found.get(self.text(key, note)) if isinstance(found, dict) else None
                if isinstance(found, str | list) and all(isinstance(each, str) for each in found):
                    return found
        raise Unresolved("Fn::FindInMap finds nothing")


_FUNCTIONS: dict[str, Callable[[Resolver, Any, Note], Any]] = {
    "Ref": Resolver.ref,
    "Fn::FindInMap": Resolver.mapped,
    "Fn::GetAtt": Resolver.attribute,
    "Fn::If": Resolver.choose,
    "Fn::Join": Resolver.join,
    "Fn::Select": Resolver.select,
    "Fn::Split": Resolver.split,
    "Fn::Sub": Resolver.sub,
}


def _plain(value: Any) -> Any:
    """A scalar as the text that CloudFormation compares: JSON's 5 and true are "5" and "true"."""
    if isinstance(value, JsonNumber):
        return value.text
    return str(value).lower() if isinstance(value, bool) else value
