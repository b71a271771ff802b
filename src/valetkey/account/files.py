"""What a file is, and the account that files tell of together.

Recognised by what they hold, not by their names: GetAccountAuthorizationDetails and ListRoles (JSON), a CloudFormation
template (JSON or YAML) and the parameters for it (as `aws cloudformation create-stack --parameters` takes them),
`terraform show -json`, and a bare trust policy; each may be gzip. A file of another kind is refused when it is alone,
and skipped among others. A file that is broken is refused: nobody knows what it holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

import msgspec

from valetkey.account import details
from valetkey.account.intrinsics import Place
from valetkey.account.loaded import (
    SeveralDocuments,
    SourceError,
    is_object,
    load_json,
    load_yaml,
    no_json,
    not_utf8,
    too_deep,
    unpacked,
)
from valetkey.account.parts import Part, one_account
from valetkey.account.values import Account, Role, Unknown
from valetkey.policy.arns import NOBODY
from valetkey.policy.origin import Origin

# Of a region's name, how it begins: its partition (botocore, data/partitions.json).
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
    """The account that these files tell of; `read` gives a file's bytes.

    `owner` is the account's 12 digits, for files that do not tell them (templates), and checked against those that do.
    `region` is where a template's stack would be made. Raises SourceError with file and JSON path, or what `read`
    raises.
    """
    partition = next((each for begin, each in _PARTITIONS.items() if region.startswith(begin)), "aws")
    place = Place(owner, partition, region)
    parts: dict[int, Part] = {}
    foreign: list[ForeignFile] = []
    templates: list[tuple[int, str, str, bytes]] = []
    parameters: dict[str, str] = {}
    for number, name in enumerate(names):
        data = unpacked(read(name), name)
        try:
            kind = _kind(data, name)
        except ForeignFile as error:
            foreign.append(error)
            continue
        if kind == "parameters":
            parameters |= _parameters(data, name)
        elif kind in ("template", "yaml"):
            templates.append((number, kind, name, data))
        else:
            parts[number] = _read(kind, data, name, place)
    place = replace(place, parameters=parameters)
    for number, kind, name, data in templates:
        try:
            parts[number] = _read(kind, data, name, place)
        except ForeignFile as error:
            foreign.append(error)
    if foreign and not parts:
        raise foreign[0]
    account = one_account([parts[number] for number in sorted(parts)], owner=owner, partition=partition)
    return replace(account, skipped=tuple(each.what for each in foreign))


class ForeignFile(SourceError):
    """A file of another kind, from which no account can be read: among others it is skipped and said."""


def _read(kind: str, data: bytes, name: str, place: Place) -> Part:
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
}
"""What a file is by the first of these keys that it has."""


class _Keys(msgspec.Struct):
    """What tells one kind of JSON file from another, without loading the rest."""

    RoleDetailList: msgspec.Raw = msgspec.Raw()
    UserDetailList: msgspec.Raw = msgspec.Raw()
    GroupDetailList: msgspec.Raw = msgspec.Raw()
    Policies: msgspec.Raw = msgspec.Raw()
    Roles: msgspec.Raw = msgspec.Raw()
    Resources: msgspec.Raw = msgspec.Raw()
    planned_values: msgspec.Raw = msgspec.Raw()
    terraform_version: msgspec.Raw = msgspec.Raw()
    Statement: msgspec.Raw = msgspec.Raw()
    ParameterKey: msgspec.Raw = msgspec.Raw()


def _kind(data: bytes, name: str) -> str:
    begin = data.lstrip()[:1]
    if begin not in (b"{", b"["):
        return "yaml"
    try:
        if begin == b"[":
            first = next(iter(msgspec.json.decode(data, type=list[_Keys])), _Keys())
            if bytes(first.ParameterKey):
                return "parameters"
            if any(bytes(getattr(first, key)) for key in details.KEYS):
                return "details"
            raise _unknown(name)  # an empty list too: nothing was read, which is no clean account
        keys = msgspec.json.decode(data, type=_Keys)
    except RecursionError:
        raise too_deep(name) from None
    except msgspec.ValidationError:
        raise _unknown(name) from None
    except msgspec.DecodeError:
        load_json(data, name)  # says where it is wrong
        raise no_json(name, "it cannot be read") from None
    # In this order: a plan or a template may hold more than it is known by.
    for key, kind in _KINDS.items():
        if bytes(getattr(keys, key)):
            return kind
    raise _unknown(name)


class _Parameter(msgspec.Struct):
    ParameterKey: str
    ParameterValue: str | None = None


def _parameters(data: bytes, name: str) -> dict[str, str]:
    try:
        found = msgspec.json.decode(data, type=list[_Parameter])
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `")
        raise SourceError(
            f"{name} holds no parameters of a stack: {what}",
            do='write [{"ParameterKey": "Name", "ParameterValue": "text"}]',
            where=f"{name}: {place.rstrip('`') or '$'}",
        ) from None
    return {each.ParameterKey: each.ParameterValue for each in found if each.ParameterValue is not None}


def _template(data: bytes, name: str, place: Place) -> Part:
    from valetkey.account.cloudformation import read_template

    return read_template(load_json(data, name), name, place)


def _yaml(data: bytes, name: str, place: Place) -> Part:
    from valetkey.account.cloudformation import read_template

    try:
        loaded = load_yaml(data, name)
    except SeveralDocuments:
        raise _unknown(name) from None
    if not is_object(loaded) or "Resources" not in loaded:
        raise _unknown(name)
    return read_template(loaded, name, place)


def _plan(data: bytes, name: str, place: Place) -> Part:
    from valetkey.account.terraform import read_plan

    return read_plan(data, name, place)


def _trust(data: bytes, name: str, place: Place) -> Part:
    """A bare trust policy: a role of which nothing else is known, named like the file. It may have been written by
    hand, so that it is taken for one to be sent."""
    try:
        trust = data.decode()
    except UnicodeDecodeError:
        raise not_utf8(name) from None
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
        unknown=(Unknown("all but the trust policy", "the file is a trust policy alone", f"{name}: $"),),
        assumed=("the file is a role's trust policy",),
    )
    return Part(name, roles=[role])


_READERS: dict[str, Callable[[bytes, str, Place], Part]] = {
    "details": lambda data, name, place: details.read_details(data, name),
    "plan": _plan,
    "template": _template,
    "trust": _trust,
    "yaml": _yaml,
}


def _unknown(name: str) -> ForeignFile:
    return ForeignFile(
        f"{name} is nothing that an account can be read from",
        do="give `aws iam get-account-authorization-details`, a CloudFormation template, `terraform show -json` "
        "or a trust policy",
        where=name,
    )
