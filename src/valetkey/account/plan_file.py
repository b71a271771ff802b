"""What `terraform show -json` writes, as far as it is read.

Format: Terraform, internals/json-format. What is known only after apply is left out of a plan's values.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from valetkey.account.loaded import SourceError
from valetkey.account.references import Configuration

Maybe = str | None | UnsetType


class Resource(msgspec.Struct):
    address: str
    type: str
    mode: str = "managed"
    index: str | int | None = None
    values: msgspec.Raw = msgspec.Raw(b"{}")


class Module(msgspec.Struct):
    address: str = ""
    resources: list[Resource] = []
    child_modules: list[Module] = []


class Values(msgspec.Struct):
    root_module: Module = msgspec.field(default_factory=Module)


class State(msgspec.Struct):
    values: Values | None = None


class Plan(msgspec.Struct):
    lineage: str | None = None
    """Of the raw state, and of nothing that `terraform show -json` writes."""
    format_version: str = ""
    planned_values: Values | None = None
    values: Values | None = None
    prior_state: State | None = None
    configuration: Configuration | None = None


class Inline(msgspec.Struct):
    name: Maybe = UNSET
    policy: Maybe = UNSET


class Attributes(msgspec.Struct):
    """The attributes that are read, of whichever resource."""

    arn: Maybe = UNSET
    name: Maybe = UNSET
    path: Maybe = UNSET
    url: Maybe = UNSET
    policy: Maybe = UNSET
    policy_arn: Maybe = UNSET
    role: Maybe = UNSET
    roles: list[str | None] | UnsetType | None = UNSET
    assume_role_policy: Maybe = UNSET
    inline_policy: list[Inline] | UnsetType | None = UNSET
    managed_policy_arns: list[str | None] | UnsetType | None = UNSET
    permissions_boundary: Maybe = UNSET
    max_session_duration: int | UnsetType | None = UNSET
    description: Maybe = UNSET
    tags: dict[str, str | None] | UnsetType | None = UNSET
    tags_all: dict[str, str | None] | UnsetType | None = UNSET
    create_date: Maybe = UNSET
    account_id: Maybe = UNSET
    partition: Maybe = UNSET
    # Of stacks.
    template_body: Maybe = UNSET
    parameters: dict[str, str | None] | UnsetType | None = UNSET


_T = TypeVar("_T")


def decode(data: bytes, kind: type[_T], name: str, root: str) -> _T:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `")
        place = place.rstrip("`").replace("$", root, 1)
        raise SourceError(
            f"{name} is not what `terraform show -json` writes: {what}",
            do="make it with `terraform show -json PLAN`",
            where=f"{name}: {place or root}",
        ) from None
