"""The roles that `terraform show -json` tells of: of a plan what will be, of a state what is.

Format: Terraform, internals/json-format. What is known only after apply is left out of a plan's values.

Read: aws_iam_role, and what aws_iam_role_policy, aws_iam_role_policy_attachment and aws_iam_policy_attachment add.
A value that is not known yet is looked for through the references of its expression (`references`).

Documents are `Origin.SENT`, of a state too: the provider keeps the configured text where it takes it for equivalent to
what IAM returned, an apply that broke off or `-refresh=false` leaves what was never read back, and nothing in the file
says which it is. Taking a deleted principal for a live one is a false alarm; the reverse would hide one who gets in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from valetkey.account.intrinsics import Place
from valetkey.account.loaded import SourceError
from valetkey.account.parts import Part
from valetkey.account.references import Config, Configuration, Instance, by_resource
from valetkey.account.values import Document, Role, Unknown
from valetkey.policy.arns import NOBODY
from valetkey.policy.origin import Origin

_Maybe = str | None | UnsetType


class _Resource(msgspec.Struct):
    address: str
    type: str
    mode: str = "managed"
    index: str | int | None = None
    values: msgspec.Raw = msgspec.Raw(b"{}")


class _Module(msgspec.Struct):
    address: str = ""
    resources: list[_Resource] = []
    child_modules: list[_Module] = []


class _Values(msgspec.Struct):
    root_module: _Module = msgspec.field(default_factory=_Module)


class _State(msgspec.Struct):
    values: _Values | None = None


class _Plan(msgspec.Struct):
    format_version: str = ""
    planned_values: _Values | None = None
    values: _Values | None = None
    prior_state: _State | None = None
    configuration: Configuration | None = None


class _Inline(msgspec.Struct):
    name: _Maybe = UNSET
    policy: _Maybe = UNSET


class _Any(msgspec.Struct):
    """The attributes that are read, of whichever resource."""

    arn: _Maybe = UNSET
    name: _Maybe = UNSET
    path: _Maybe = UNSET
    url: _Maybe = UNSET
    policy: _Maybe = UNSET
    policy_arn: _Maybe = UNSET
    role: _Maybe = UNSET
    roles: list[str | None] | UnsetType | None = UNSET
    assume_role_policy: _Maybe = UNSET
    inline_policy: list[_Inline] | UnsetType | None = UNSET
    managed_policy_arns: list[str | None] | UnsetType | None = UNSET
    permissions_boundary: _Maybe = UNSET
    max_session_duration: int | UnsetType | None = UNSET
    description: _Maybe = UNSET
    tags: dict[str, str | None] | UnsetType | None = UNSET
    tags_all: dict[str, str | None] | UnsetType | None = UNSET
    create_date: _Maybe = UNSET
    account_id: _Maybe = UNSET
    partition: _Maybe = UNSET


_T = TypeVar("_T")
_LATER = "it is known only after apply"


def read_plan(data: bytes, name: str, place: Place) -> Part:
    """Read a plan or a state. Raises SourceError with file and JSON path."""
    plan = _decode(data, _Plan, name, "$")
    if plan.format_version.split(".")[0] not in ("0", "1"):
        what = f"{name} has the format version {plan.format_version[:20]!a}; 0 and 1 are known"
        raise SourceError(what, do="make it with `terraform show -json`", where=f"{name}: $.format_version")
    told = plan.planned_values or plan.values
    if told is None:
        raise SourceError(
            f"{name} holds no planned values", do="make it with `terraform show -json PLAN`", where=f"{name}: $"
        )
    reading = _Reading(name, Config(plan.configuration), place)
    for root in (told, plan.prior_state.values if plan.prior_state else None):
        reading.add(root.root_module if root else _Module(), prior=root is not told)
    return reading.part()


class _Reading:
    """The resources of IAM in one file."""

    def __init__(self, name: str, config: Config, place: Place) -> None:
        self._name = name
        self._config = config
        self._place = place
        self._resources: dict[str, list[tuple[Instance, _Any]]] = {}
        self._accounts: dict[tuple[str, str], str] = {}
        self._unknown: list[Unknown] = []
        self._partition: str | None = None
        self._index: dict[str, list[Instance]] = {}

    def add(self, module: _Module, *, prior: bool) -> None:
        """Take in a module and its children; of the state before a plan only data sources."""
        left = [module]
        while left:
            module = left.pop()
            left += module.child_modules
            for each in module.resources:
                wanted = each.type in _DATA if each.mode == "data" else each.type in _MANAGED and not prior
                if wanted:
                    where = f"{self._name}: {each.address}"
                    values = _decode(bytes(each.values), _Any, self._name, each.address)
                    self._resources.setdefault(each.type, []).append(
                        (Instance(each.address, module.address, each.index), values)
                    )
                    self._learn(each, values, where)

    def _learn(self, each: _Resource, values: _Any, where: str) -> None:
        if isinstance(values.partition, str):
            self._partition = values.partition
        if each.type == "aws_caller_identity" and isinstance(values.account_id, str):
            partition = values.arn.split(":")[1] if isinstance(values.arn, str) and values.arn.count(":") > 4 else "aws"
            self._accounts[(partition, values.account_id)] = where
        elif isinstance(values.arn, str) and (found := re.match(r"arn:([a-z0-9-]+):iam::([0-9]{12}):", values.arn)):
            self._accounts[(found[1], found[2])] = where

    def part(self) -> Part:
        """Everything that was taken in, put together."""
        part = Part(self._name, owners=self._accounts)
        one = next(iter(self._accounts)) if len(self._accounts) == 1 else (None, None)
        if len(self._accounts) > 1:
            ids = ", ".join(sorted({account for _, account in self._accounts}))
            what = f"the file is of several accounts ({ids}); the account of a new role is not given"
            part.unknown.append(Unknown("account", what, self._name))
        account = self._place.account or one[1]
        partition = one[0] or self._partition or self._place.partition
        drafts = {at.address: _Draft(at, values) for at, values in self._resources.get("aws_iam_role", [])}
        policies = {
            at.address: _arn(at, values, "policy", account, partition)
            for at, values in self._resources.get("aws_iam_policy", [])
        }
        for at, values in self._resources.get("aws_iam_policy", []):
            if isinstance(values.policy, str):
                part.policies[policies[at.address]] = values.policy
            else:
                part.unknown.append(Unknown(f"policy {policies[at.address]}", _LATER, self._where(at, "policy")))
        self._index = by_resource(at for kind in ("aws_iam_role", "aws_iam_policy") for at in self._at(kind))
        self._attach(drafts, policies)
        part.roles = [self._role(draft, policies, account, partition) for draft in drafts.values()]
        for kind, word in (("aws_iam_openid_connect_provider", "oidc"), ("aws_iam_saml_provider", "saml")):
            for at, values in self._resources.get(kind, []):
                arn = _arn(at, values, f"{word}-provider", account, partition)
                part.providers = (*(part.providers or ()), arn)
        part.unknown += self._unknown
        return part

    def _at(self, kind: str) -> Iterator[Instance]:
        return (at for at, _ in self._resources.get(kind, []))

    def _follow(self, at: Instance, attribute: str, among: dict[str, _T]) -> list[_T]:
        """What the expression refers to, of roles or of policies."""
        return [among[each] for each in self._config.follow(at, attribute, self._index) if each in among]

    def _where(self, at: Instance, attribute: str) -> str:
        return f"{self._name}: {at.address}.{attribute}"

    def _attach(self, drafts: dict[str, _Draft], policies: dict[str, str]) -> None:
        names = {draft.values.name: draft for draft in drafts.values() if isinstance(draft.values.name, str)}

        def roles(at: Instance, attribute: str, given: Iterable[str | None]) -> Iterator[_Draft]:
            for each in given:
                if each is None:
                    found = self._follow(at, attribute, drafts)
                    yield from found
                    if not found:
                        self._unknown.append(Unknown(f"the role of {at.address}", _LATER, self._where(at, attribute)))
                elif each in names:
                    yield names[each]
                else:
                    why = f"role {each} is not in the file"
                    self._unknown.append(Unknown(f"the role of {at.address}", why, self._where(at, attribute)))

        for at, values in self._resources.get("aws_iam_role_policy", []):
            for role in roles(at, "role", [_known(values.role)]):
                name = _known(values.name) or at.address
                role.add_inline(name, values.policy, self._where(at, "policy"))
        for at, values in self._resources.get("aws_iam_role_policy_attachment", []):
            for role in roles(at, "role", [_known(values.role)]):
                self._add_arn(role, at, values, policies)
        for at, values in self._resources.get("aws_iam_policy_attachment", []):
            # No roles at all is known; roles that are not known yet are looked for.
            for role in roles(at, "roles", [None] if isinstance(values.roles, UnsetType) else values.roles or ()):
                self._add_arn(role, at, values, policies)

    def _add_arn(self, role: _Draft, at: Instance, values: _Any, policies: dict[str, str]) -> None:
        arn = _known(values.policy_arn)
        found = [arn] if arn else self._follow(at, "policy_arn", policies)
        role.attached.update(dict.fromkeys(found))
        if not found:
            role.unknown.append(Unknown("attached policies", _LATER, self._where(at, "policy_arn")))

    def _role(self, draft: _Draft, policies: dict[str, str], account: str | None, partition: str) -> Role:
        at, values = draft.at, draft.values
        arn = _arn(at, values, "role", account, partition)
        for each in [] if isinstance(values.inline_policy, UnsetType) else values.inline_policy or []:
            # An empty block is Terraform's way to say "none".
            if _known(each.name) or _known(each.policy):
                draft.add_inline(_known(each.name) or "inline", each.policy, self._where(at, "inline_policy"))
        self._managed(draft, policies)
        boundary = _known(values.permissions_boundary)
        if isinstance(values.permissions_boundary, UnsetType) and self._config.sets(at, "permissions_boundary"):
            found = self._follow(at, "permissions_boundary", policies)
            boundary = found[0] if len(found) == 1 else None
            if boundary is None:
                draft.unknown.append(Unknown("boundary", _LATER, self._where(at, "permissions_boundary")))
        trust = _known(values.assume_role_policy)
        if trust is None:
            draft.unknown.append(Unknown("trust", _LATER, self._where(at, "assume_role_policy")))
        tags = values.tags_all if isinstance(values.tags_all, dict) else values.tags
        named = isinstance(values.name, str)
        own = arn.split(":")[4]
        return Role(
            name=arn.rsplit("/", 1)[-1],
            arn=arn,
            path=arn.split(":role", 1)[1].rpartition("/")[0] + "/",
            account=None if own == NOBODY else own,
            partition=arn.split(":")[1],
            where=f"{self._name}: {at.address}",
            origin=Origin.SENT,
            trust=trust,
            trust_where=self._where(at, "assume_role_policy"),
            attached=tuple(draft.attached),
            inline=draft.inline,
            boundary=boundary,
            max_session=values.max_session_duration if isinstance(values.max_session_duration, int) else None,
            description=_known(values.description),
            tags={key: each or "" for key, each in tags.items()} if isinstance(tags, dict) else None,
            created=_time(_known(values.create_date)),
            unknown=tuple(draft.unknown),
            assumed=() if named else ("the generated name is written as the address",),
        )

    def _managed(self, draft: _Draft, policies: dict[str, str]) -> None:
        """`managed_policy_arns`: set by people, or told back by AWS (then "known after apply" says nothing)."""
        at, given = draft.at, draft.values.managed_policy_arns
        arns = [] if isinstance(given, UnsetType) else given or []
        draft.attached.update({arn: None for arn in arns if arn is not None})
        later = arns.count(None)
        if later or (isinstance(given, UnsetType) and self._config.sets(at, "managed_policy_arns")):
            found = self._follow(at, "managed_policy_arns", policies)
            draft.attached.update(dict.fromkeys(found))
            if not found or len(found) < later:
                draft.unknown.append(Unknown("attached policies", _LATER, self._where(at, "managed_policy_arns")))


class _Draft:
    """A role while what belongs to it is gathered."""

    def __init__(self, at: Instance, values: _Any) -> None:
        self.at = at
        self.values = values
        self.inline: dict[str, Document] = {}
        self.attached: dict[str, None] = {}
        self.unknown: list[Unknown] = []

    def add_inline(self, name: str, policy: _Maybe, where: str) -> None:
        """Add an inline policy, or say that it is not known yet."""
        document = _known(policy)
        if document is None:
            self.unknown.append(Unknown(f"inline policy {name}", _LATER, where))
        else:
            self.inline[name] = document


_MANAGED = frozenset(
    {
        "aws_iam_role",
        "aws_iam_policy",
        "aws_iam_role_policy",
        "aws_iam_role_policy_attachment",
        "aws_iam_policy_attachment",
        "aws_iam_openid_connect_provider",
        "aws_iam_saml_provider",
    }
)
_DATA = frozenset({"aws_caller_identity", "aws_partition"})


def _known(value: _Maybe) -> str | None:
    return value if isinstance(value, str) and value else None


def _arn(at: Instance, values: _Any, kind: str, account: str | None, partition: str) -> str:
    """A resource's ARN; made from its name, or its address where that is not known yet."""
    told = _known(values.arn)
    if told is not None and re.fullmatch(r"arn:[a-z0-9-]+:iam::[0-9]{12}:[a-z-]+/[\x21-\x7e]+", told, re.ASCII):
        return told
    given = _known(values.url) if kind == "oidc-provider" else _known(values.name)
    name = given.removeprefix("https://") if given else re.sub(r"[^A-Za-z0-9_+=,.@-]", "-", at.address)[:64]
    path = "/" if kind.endswith("provider") else _known(values.path) or "/"
    return f"arn:{partition}:iam::{account or NOBODY}:{kind}{path}{name}"


def _time(text: str | None) -> datetime | None:
    try:
        time = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time


def _decode(data: bytes, kind: type[_T], name: str, root: str) -> _T:
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
