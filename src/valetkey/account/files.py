"""Recognize the kind of a file, and read the account that several files describe together.

Files are recognized by their content, not by their names: GetAccountAuthorizationDetails, ListRoles and GetRole (JSON),
a CloudFormation template (JSON or YAML) and its parameters (`stack_parameters`), `terraform show -json`, and a trust
policy alone; each may be gzip. A file of another kind is refused when it is the only file, else skipped. A broken file
is always refused, because its content is not known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import msgspec

from valetkey.account import details
from valetkey.account.loaded import (
    YAML_MAX,
    SeveralDocuments,
    SourceError,
    is_list,
    is_object,
    load_json,
    load_template,
    no_json,
    not_utf8,
    pairs,
    too_deep,
    unpacked,
    written,
)
from valetkey.account.parts import SourcePart, one_account
from valetkey.account.place import Place
from valetkey.account.stack_parameters import both, stack_parameters
from valetkey.account.values import Account, Role, UnknownPart
from valetkey.policy.arns import NOBODY
from valetkey.policy.origin import Origin

# Prefix of a region's name: its partition (botocore, data/partitions.json).
_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}


def read_files(
    names: Iterable[str], *, read: Callable[[str], bytes], owner: str | None = None, region: str = "us-east-1"
) -> Account:
    """The account that these files describe; `read` returns a file's bytes.

    `owner` is the account's 12 digits, for files that do not contain them (templates); files that do are checked
    against it. `region` is where a template's stack would be created. Raises SourceError with file and JSON path, and
    the exceptions of `read`.
    """
    names = list(names)
    partition = next((item for begin, item in _PARTITIONS.items() if region.startswith(begin)), "aws")
    place = Place(owner, partition, region)
    parts: dict[int, SourcePart] = {}
    foreign: list[ForeignFile] = []
    hidden: list[UnknownPart] = []
    templates: list[tuple[int, str, str, bytes]] = []
    parameters: dict[str, str | None] = {}
    for number, name in enumerate(names):
        data = unpacked(read(name), name)
        given = None
        try:
            kind = _kind(data, name)
            if kind == "parameters" or (kind == "yaml" and b"Resources" not in data):
                given = _parameters_in(data, name)
            if given is None and kind == "parameters":
                raise _unknown(name)
        except ForeignFile as error:
            foreign.append(error)
            hidden += _roles_in(data, name)
            continue
        if given is not None:
            parameters = both(parameters, given)
        elif kind in ("template", "yaml"):
            templates.append((number, kind, name, data))
        else:
            parts[number] = _read(kind, data, name, place)
    if not parts and not templates and not foreign:
        raise SourceError(
            f"{', '.join(names)}: parameters of a stack, and no template",
            do="give the template too",
            where=names[0] if names else "",
        )
    place = replace(place, parameters=parameters)
    for number, kind, name, data in templates:
        try:
            parts[number] = _read(kind, data, name, place)
        except ForeignFile as error:
            foreign.append(error)
            hidden += _roles_in(data, name)
    if foreign and not parts:
        raise foreign[0]
    account = one_account([parts[number] for number in sorted(parts)], owner=owner, partition=partition)
    skipped = tuple(file.what for file in foreign)
    return replace(account, skipped=skipped, unknown=(*account.unknown, *hidden))


_TRUSTS = re.compile(rb"RoleDetailList|(?<!update)assume_?role_?policy|sts:AssumeRole", re.IGNORECASE)
"""Content of a file that describes roles in a form that is not read: a dump as YAML or from `--query`, a policy as
YAML, a configuration of another tool."""


def _roles_in(data: bytes, name: str) -> list[UnknownPart]:
    """Note that roles may be missing if a skipped file contains a trust policy. INVARIANT: no such file is skipped
    silently."""
    why = "this kind of file is not read, and it contains a trust policy"
    return [UnknownPart("roles", why, name)] if _TRUSTS.search(data) else []


def _parameters_in(data: bytes, name: str) -> dict[str, str | None] | None:
    try:
        return stack_parameters(load_template(data, name), name)
    except SeveralDocuments:
        raise _unknown(name) from None


class ForeignFile(SourceError):
    """A file of another kind, from which no account can be read. Among other files it is skipped and reported."""


def _read(kind: str, data: bytes, name: str, place: Place) -> SourcePart:
    try:
        return _READERS[kind](data, name, place)
    except RecursionError:
        raise too_deep(name) from None


_KINDS = {
    "planned_values": "plan",
    "terraform_version": "plan",
    "Resources": "template",
    **dict.fromkeys(details.KEYS, "details"),
    "Statement": "trust",
    "Parameters": "parameters",
    "parameters": "parameters",
    "Stacks": "parameters",
}
"""The kind of a file, by the first of these keys that it contains."""


class _Keys(msgspec.Struct):
    """The keys that distinguish kinds of JSON files; their values are not decoded."""

    RoleDetailList: msgspec.Raw = msgspec.Raw()
    UserDetailList: msgspec.Raw = msgspec.Raw()
    GroupDetailList: msgspec.Raw = msgspec.Raw()
    Policies: msgspec.Raw = msgspec.Raw()
    Roles: msgspec.Raw = msgspec.Raw()
    Role: msgspec.Raw = msgspec.Raw()
    Resources: msgspec.Raw = msgspec.Raw()
    planned_values: msgspec.Raw = msgspec.Raw()
    terraform_version: msgspec.Raw = msgspec.Raw()
    Statement: msgspec.Raw = msgspec.Raw()
    ParameterKey: msgspec.Raw = msgspec.Raw()
    Parameters: msgspec.Raw = msgspec.Raw()
    parameters: msgspec.Raw = msgspec.Raw()
    Stacks: msgspec.Raw = msgspec.Raw()


def _kind(data: bytes, name: str) -> str:
    begin = data.lstrip()[:1]
    if begin not in (b"{", b"["):
        return "yaml"
    try:
        if begin == b"[":
            return _kind_of_list(data, name)
        keys = msgspec.json.decode(data, type=_Keys)
    except RecursionError:
        raise too_deep(name) from None
    except msgspec.ValidationError:
        raise _unknown(name) from None
    except msgspec.DecodeError:
        if len(data) <= YAML_MAX:
            return "yaml"  # YAML may begin like JSON; if it is neither, the JSON error is reported
        load_json(data, name)  # raises with the line and column
        raise no_json(name, "it cannot be read") from None
    # The order matters: a plan or a template may also contain keys of other kinds.
    for key, kind in _KINDS.items():
        if bytes(getattr(keys, key)):
            return kind
    raise _unknown(name)


def _kind_of_list(data: bytes, name: str) -> str:
    elements = msgspec.json.decode(data, type=list[_Keys | str])
    first = next(iter(elements), "")
    if isinstance(first, str):
        if elements and all(isinstance(element, str) and "=" in element for element in elements):
            return "parameters"
    elif bytes(first.ParameterKey):
        return "parameters"
    elif any(bytes(getattr(first, key)) for key in details.KEYS):
        return "details"
    raise _unknown(name)  # also for an empty list: reading nothing does not mean that the account is clean


def _template(data: bytes, name: str, place: Place) -> SourcePart:
    from valetkey.account.cloudformation import read_template

    return read_template(load_template(data, name), name, place)


def _yaml(data: bytes, name: str, place: Place) -> SourcePart:
    from valetkey.account.cloudformation import read_template

    try:
        loaded = load_template(data, name)
    except SeveralDocuments:
        raise _unknown(name) from None
    if not is_object(loaded) or "Resources" not in dict(pairs(loaded)):
        raise _unknown(name)
    return read_template(loaded, name, place)


def _plan(data: bytes, name: str, place: Place) -> SourcePart:
    from valetkey.account.terraform import read_plan

    return read_plan(data, name, place)


def _trust(data: bytes, name: str, place: Place) -> SourcePart:
    """Read a trust policy alone, as a role with the file's name of which nothing else is known. It may be written by
    hand, so its origin is SENT. A policy without a principal and without an STS action is not a trust policy."""
    try:
        trust = data.decode()
    except UnicodeDecodeError:
        raise not_utf8(name) from None
    if not _may_trust(load_json(data, name)):
        raise SourceError(
            f"{name} is not a trust policy: no statement of it has a Principal or an action of sts",
            do="give a role's trust policy, or the whole account; permissions and SCPs are not audited by themselves",
            where=name,
        )
    title = re.sub(r"[^A-Za-z0-9_+=,.@-]", "-", name.replace("\\", "/").rsplit("/", 1)[-1])[:64] or "role"
    role = Role(
        name=title,
        arn=f"arn:{place.partition}:iam::{place.account or NOBODY}:role/{title}",
        path="/",
        account=place.account,
        partition=place.partition,
        where=f"{name}: $",
        origin=Origin.SENT,
        trust=trust,
        trust_where=f"{name}: $",
        unknown=(UnknownPart("all but the trust policy", "the file is a trust policy alone", f"{name}: $"),),
        assumed=("the file is a role's trust policy",),
    )
    return SourcePart(name, roles=[role])


def _may_trust(document: Any) -> bool:
    """Whether a policy document may be a trust policy, valid or not."""
    result = [value for key, value in pairs(document) if key == "Statement"] if is_object(document) else []
    statements = [item for value in result for item in (value if is_list(value) else [value])]
    if not statements or not all(is_object(statement) for statement in statements):
        return True
    for statement in statements:
        elements = {key.lower(): value for key, value in pairs(statement)}
        if {"principal", "notprincipal"} & elements.keys() or "sts:" in written(elements.get("action", "")).lower():
            return True
    return False


_READERS: dict[str, Callable[[bytes, str, Place], SourcePart]] = {
    "details": lambda data, name, place: details.read_details(data, name),
    "plan": _plan,
    "template": _template,
    "trust": _trust,
    "yaml": _yaml,
}


def _unknown(name: str) -> ForeignFile:
    return ForeignFile(
        f"{name} is not a file that an account can be read from",
        do="give `aws iam get-account-authorization-details`, `list-roles` or `get-role`, a CloudFormation template, "
        "`terraform show -json` or a trust policy",
        where=name,
    )
