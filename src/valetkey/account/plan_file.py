"""The parts of the `terraform show -json` output that are read.

Format: Terraform, internals/json-format. Values that are known only after apply are absent from a plan's values.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from valetkey.account.loaded import SourceError
from valetkey.account.references import Configuration, Instance
from valetkey.policy.arns import NOBODY

Maybe = str | None | UnsetType


class PlanResource(msgspec.Struct):
    address: str
    type: str
    mode: str = "managed"
    index: str | int | None = None
    deposed_key: str | None = None
    """Of what another one has replaced, and is still there."""
    values: msgspec.Raw = msgspec.Raw(b"{}")


class Module(msgspec.Struct):
    address: str = ""
    resources: list[PlanResource] = []
    child_modules: list[Module] = []


class PlanValues(msgspec.Struct):
    root_module: Module = msgspec.field(default_factory=Module)


class PlanState(msgspec.Struct):
    values: PlanValues | None = None


class PlanFile(msgspec.Struct):
    lineage: str | None = None
    """Only a raw state file has it; `terraform show -json` does not write it."""
    format_version: str = ""
    planned_values: PlanValues | None = None
    values: PlanValues | None = None
    prior_state: PlanState | None = None
    configuration: Configuration | None = None
    complete: bool = True
    """False where Terraform has deferred part of the changes."""
    errored: bool = False
    deferred_changes: list[msgspec.Raw] = []


class Inline(msgspec.Struct):
    name: Maybe = UNSET
    policy: Maybe = UNSET


class Attributes(msgspec.Struct):
    """The attributes that are read, of all types of resources."""

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
    # Of a resource that is created through the Cloud Control API.
    type_name: Maybe = UNSET
    # Of stacks.
    template_body: Maybe = UNSET
    parameters: dict[str, str | None] | UnsetType | None = UNSET
    parameter_overrides: dict[str, str | None] | UnsetType | None = UNSET


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


def known(value: Maybe) -> str | None:
    """A text from the plan; None where it is absent, null or empty."""
    return value if isinstance(value, str) and value else None


def arn_of(at: Instance, values: Attributes, kind: str, account: str | None, partition: str) -> str:
    """A resource's ARN. An unknown one is built from its name (of an OIDC provider, its URL), else from its address."""
    stated = known(values.arn)
    if stated is not None and re.fullmatch(r"arn:[a-z0-9-]+:iam::[0-9]{12}:[a-z-]+/[\x21-\x7e]+", stated, re.ASCII):
        return stated
    given = known(values.url) if kind == "oidc-provider" else known(values.name)
    name = given.removeprefix("https://") if given else re.sub(r"[^A-Za-z0-9_+=,.@-]", "-", at.address)[:64]
    path = "/" if kind.endswith("provider") else known(values.path) or "/"
    return f"arn:{partition}:iam::{account or NOBODY}:{kind}{path}{name}"


def time_of(text: str | None) -> datetime | None:
    """Parse a time as the provider writes it; None where it is not a time."""
    try:
        time = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time
