"""The roles that a CloudFormation template creates.

Reads AWS::IAM::Role; the policies that ManagedPolicy, Policy and RolePolicy attach to roles of the template; the roles
of AWS SAM functions; loops; the templates inside stack sets. Anything else that may create roles (nested stacks by
URL, macros) is not followed, but reported as unknown. A resource with a condition is read as if it were created; one
that is given twice is read as two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from valetkey.account import serverless
from valetkey.account.intrinsics import Resolver
from valetkey.account.loaded import SourceError, is_list, is_object, load_template, pairs, written
from valetkey.account.parts import SourcePart
from valetkey.account.place import Place, Unresolved
from valetkey.account.stack_sets import every_unknown, given_parameters, has_overrides
from valetkey.account.template_loops import Loops, has_loops
from valetkey.account.template_reading import ResourceReading
from valetkey.account.template_symbols import plain
from valetkey.account.values import UnknownPart
from valetkey.policy.policy_json import JsonObject, member

_ELSEWHERE = (
    "AWS::CloudFormation::Stack",
    "AWS::CloudFormation::StackSet",
    "AWS::Serverless::Application",
    "AWS::ServiceCatalog::CloudFormationProvisionedProduct",
)
_TRANSFORMS = frozenset({serverless.TRANSFORM, "AWS::LanguageExtensions", "AWS::CodeDeployBlueGreen"})
"""Transforms whose roles are read, or that create none."""
NESTED_MAX = 4
"""Levels of templates inside templates."""


def read_template(template: Any, name: str, place: Place, depth: int = 0) -> SourcePart:
    """Read a loaded template. Raises SourceError with file and JSON path."""
    part = SourcePart(name)
    if isinstance(template, JsonObject):
        part.unknown += _twice(template, _at(name, "$"), "section")
        template = _first_of(template)
    resources = template.get("Resources") if isinstance(template, dict) else None
    if not is_object(resources):
        raise _wrong(f"{_at(name, '$')}.Resources", "the resources are not an object")
    part.unknown += _hidden(template, _at(name, "$"))
    used = template.get("Transform") or []
    if left := [
        item for item in (used if is_list(used) else [used]) if not isinstance(item, str) or item not in _TRANSFORMS
    ]:
        why = f"the transform {written(left)[:200]} may create roles that the template does not show"
        part.unknown.append(UnknownPart("roles", why, f"{_at(name, '$')}.Transform"))
    template = serverless.with_roles(_written_out(template, name, place, part))
    resolver = Resolver(template, place)
    lines = getattr(resources, "lines", {})
    seen: set[str] = set()
    readings: list[tuple[str, ResourceReading]] = []
    for logical, resource in pairs(template["Resources"]):
        where = member(_at(name, "$") + ".Resources", logical)
        kind = resource.get("Type") if isinstance(resource, dict) else None
        if logical in seen:
            line = f" (the second time in line {lines[logical]})" if logical in lines else ""
            why = f"{logical} is given twice{line}: CloudFormation takes one of the two, or neither"
            part.unknown.append(UnknownPart(f"resource {logical}", why, where))
        seen.add(logical)
        part.unknown += _included(resource, where)
        if isinstance(resource, JsonObject):
            twice = ", ".join(f"{key} (line {line})" for key, line in getattr(resource, "lines", {}).items())
            part.unknown.append(
                UnknownPart("roles", f"a key of {logical} is given twice{twice and f': {twice}'}", where)
            )
            continue
        if kind in _ELSEWHERE and isinstance(resource, dict):
            _nested(str(kind), resource.get("Properties"), where, resolver, place, part, depth)
        elif logical.startswith("Fn::") or kind in _ELSEWHERE or str(kind).endswith("::MODULE"):
            part.unknown.append(
                UnknownPart("roles", f"{kind or logical} may create roles, which valetkey does not read", where)
            )
        elif not isinstance(kind, str):
            raise _wrong(where, "a resource is not an object with a Type")
        elif kind in _KINDS:
            given = resource.get("Properties", {})
            if not isinstance(given, dict):
                raise _wrong(f"{where}.Properties", "the properties are not an object, or one is given twice")
            readings.append((kind, ResourceReading(logical, given, where, resolver, resource.get("Condition"))))
    roles = [resource_reading for kind, resource_reading in readings if kind == "AWS::IAM::Role"]
    connectors = serverless.connectors(template["Resources"], _at(name, "$") + ".Resources")
    for resource_reading in roles:
        resource_reading.unknown += connectors
    among = _Roles(roles)
    for kind, reading in readings:
        _KINDS[kind](reading, part, among)
    # All resources that attach policies to the roles have been read.
    part.roles += [resource_reading.role(place) for resource_reading in roles]
    return part


def _at(name: str, path: str) -> str:
    """A place in a template. `name` may itself be a place, for a template inside another template."""
    return f"{name}: {path}"


def _hidden(template: dict[str, Any], at: str) -> Iterator[UnknownPart]:
    """Yield an Unknown for each include and each duplicate key outside the resources."""
    if _INCLUDE in template:
        yield UnknownPart("roles", f"{_INCLUDE} may create roles that the template does not show", f"{at}.{_INCLUDE}")
    for name in ("Parameters", "Mappings", "Conditions", "Globals"):
        section = template.get(name)
        yield from _twice(section, f"{at}.{name}", "name")
        for inner, value in pairs(section) if section is not None and is_object(section) else ():
            if inner == _INCLUDE:
                why = f"{_INCLUDE} brings in what the template does not show"
                yield UnknownPart(f"section {name}", why, f"{at}.{name}")
            elif name in ("Mappings", "Globals"):
                yield from _twice(value, member(f"{at}.{name}", inner), "key")
                for key, inner_value in pairs(value) if is_object(value) else ():
                    if key == _INCLUDE:
                        yield UnknownPart(
                            f"section {name}", f"{_INCLUDE} brings in what the template does not show", at
                        )
                    yield from _twice(inner_value, member(f"{at}.{name}", inner), "key") if name == "Mappings" else ()


def _twice(value: Any, at: str, what: str) -> Iterator[UnknownPart]:
    """The keys of an object that are given more than once."""
    times = Counter(key for key, _ in value) if isinstance(value, JsonObject) else Counter[str]()
    lines = getattr(value, "lines", {})
    for key in (item for item, number in times.items() if number > 1):
        line = f" (the second time in line {lines[key]})" if key in lines else ""
        why = f"{key} is given twice{line}: CloudFormation takes one of the two, or neither"
        yield UnknownPart(f"{what} {key}", why, at)


def _included(resource: Any, where: str) -> Iterator[UnknownPart]:
    """Yield an Unknown for each transform in a resource whose roles or permissions are read, and each duplicate key."""
    given = dict(pairs(resource)) if is_object(resource) else {}
    inner = given.get("Properties", {})
    if given.get("Type") not in (*_KINDS, serverless.FUNCTION):
        return
    if isinstance(inner, JsonObject):
        yield from _twice(inner, f"{where}.Properties", "property")
    functions = [key for key, _ in pairs(inner) if key.startswith("Fn::")] if is_object(inner) else []
    for function in [_INCLUDE] if _INCLUDE in given else functions:
        yield UnknownPart("roles", f"{function} may change what the template shows here", where)


_INCLUDE = "Fn::Transform"


def _first_of(template: JsonObject) -> dict[str, Any]:
    """A template in which a section is given twice: as if the resources of all were given once."""
    every: dict[str, list[Any]] = {}
    for key, value in template:
        every.setdefault(key, []).append(value)
    return {
        key: JsonObject(pair for item in values for pair in pairs(item))
        if len(values) > 1 and all(map(is_object, values))
        else values[-1]
        for key, values in every.items()
    }


def _written_out(template: dict[str, Any], name: str, place: Place, part: SourcePart) -> dict[str, Any]:
    """Expand the loops of a template. For a loop that cannot be expanded, note in `part` that roles may be missing."""
    if not has_loops(template):
        return template
    resolver = Resolver(template, place)
    made = dict(template)
    for section in ("Conditions", "Resources"):
        given = template.get(section)
        if given is None or not is_object(given):
            continue
        kept: list[tuple[str, Any]] = []
        for key, value in pairs(given):
            try:
                # Each loop has its own budget, so that one that is too large hides no other resource.
                result = Loops(lambda item: resolver.value(item, lambda _: None)).expanded({key: value})
            except Unresolved as error:
                why = f"{key} may create roles: {error}"
                part.unknown.append(UnknownPart("roles", why, member(f"{_at(name, '$')}.{section}", key)))
                continue
            kept += pairs(result)
        plain = dict(kept)
        made[section] = plain if len(plain) == len(kept) else JsonObject(kept)
    return made


def _nested(kind: str, given: Any, where: str, resolver: Resolver, place: Place, part: SourcePart, depth: int) -> None:
    """Read the template inside a stack or stack set into `part`. Without one, note that roles may be missing."""
    given = given if isinstance(given, dict) else {}
    body = given.get("TemplateBody")
    if body is None or depth >= NESTED_MAX:
        part.unknown.append(UnknownPart("roles", f"{kind} may create roles, which valetkey does not read", where))
        return
    place_ = f"{where}.Properties.TemplateBody"
    if "TemplateURL" in given or _INCLUDE in given:
        part.unknown.append(
            UnknownPart("roles", f"{kind} may have another template, which valetkey does not read", where)
        )
    if has_overrides(given.get("StackInstancesGroup", []), resolver):
        part.unknown.append(UnknownPart("roles", f"{kind} may have other parameters for some accounts", where))
    try:
        text = resolver.value(body, lambda _: None)
        loaded = load_template(text.encode(), place_) if isinstance(text, str) else text
        parameters = given_parameters(given.get("Parameters", []), resolver)
        parameters = every_unknown(loaded) if parameters is None else parameters
        inner = read_template(loaded, place_, replace(place, parameters=parameters), depth + 1)
    except (Unresolved, SourceError) as error:
        part.unknown.append(UnknownPart("roles", f"{kind} may create roles: {error}", place_))
        return
    part.add_nested(inner, place_)


class _Roles:
    """The roles of a template, by logical id and by name."""

    def __init__(self, roles: list[ResourceReading]) -> None:
        self.by_id = {reading.logical: reading for reading in roles}
        self._by_name: dict[str, list[ResourceReading]] = {}
        for reading in roles:
            self._by_name.setdefault((reading.arn or reading.logical).rsplit("/", 1)[-1], []).append(reading)

    def called(self, name: str, *, is_written: bool) -> list[ResourceReading]:
        """The roles with this name; there are several if conditions of the template choose one. `is_written`: the name
        is a literal, so it is not the name of a role whose name CloudFormation generates."""
        return [reading for reading in self._by_name.get(name, ()) if reading.is_named or not is_written]


def _nothing(reading: ResourceReading, part: SourcePart, roles: _Roles) -> None:
    """Do nothing: `read_template` reads roles last, after everything that attaches to them."""


def _provider(reading: ResourceReading, part: SourcePart, roles: _Roles) -> None:
    if reading.arn is not None:
        part.providers = (*(part.providers or ()), reading.arn)
    part.unknown += reading.unknown


def _managed(reading: ResourceReading, part: SourcePart, roles: _Roles) -> None:
    arn = reading.policy_arn()
    where = f"{reading.where}.Properties.PolicyDocument"
    document = reading.document(reading.given.get("PolicyDocument"), f"policy {arn}", where)
    part.add_policy(arn, document, where)
    for role in _targets(reading, roles, "Roles"):
        role.attached[arn] = None
        if why := reading.may_lack(role, document):
            role.unknown.append(UnknownPart("attached policies", why, where))
    part.unknown += reading.unknown


def _inline(reading: ResourceReading, part: SourcePart, roles: _Roles) -> None:
    one = "RoleName" in reading.given
    for role in _targets(reading, roles, "RoleName" if one else "Roles"):
        name = reading.text("PolicyName", "inline policies") or reading.logical
        where = f"{reading.where}.Properties.PolicyDocument"
        document = role.document(reading.given.get("PolicyDocument"), f"inline policy {name}", where)
        if document is not None:
            role.add_inline(name, document)
        if why := reading.may_lack(role, document):
            role.unknown.append(UnknownPart(f"inline policy {name}", why, where))
    part.unknown += reading.unknown


def _targets(reading: ResourceReading, roles: _Roles, prop: str) -> list[ResourceReading]:
    """The roles of the template that a policy is attached to, by reference or by name. A role that is not in the
    template is noted as unknown."""
    what = f"what {reading.logical} is attached to"
    given = reading.given.get(prop, [])
    readings: list[ResourceReading] = []
    for index, item in enumerate(given if is_list(given) else [given]):
        # A reference is enough: the role's name may be unknown.
        refers = dict(pairs(item)).get("Ref") if is_object(item) and len(item) == 1 else None
        if isinstance(refers, str) and refers in roles.by_id:
            readings.append(roles.by_id[refers])
            continue
        names = reading.resolve(item, what, f"{reading.where}.Properties.{prop}[{index}]")
        for name in names if is_list(names) else [] if names is None else [names]:
            name = plain(name)
            meant = roles.called(name, is_written=not is_object(item)) if isinstance(name, str) else []
            readings += meant
            if not meant:
                said = f"role {name} is not in the template" if isinstance(name, str) else "expected the name of a role"
                reading.unknown.append(UnknownPart(what, said, reading.where))
    return readings


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
