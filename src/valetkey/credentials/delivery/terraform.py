"""Terraform's provider and backend blocks for customers, as HCL or as Terraform's JSON.

Rules:
- Every provider has `allowed_account_ids`: Terraform then refuses to work in another account.
- Shape "profile": the provider uses the AWS profile that `accept` wrote. Credentials come from `credential_process`,
  and are renewed while Terraform runs.
- Shape "assume-role": the provider assumes the role itself, from the MFA session. It has no argument for a code, so the
  MFA session has to come from a profile (AWS provider documentation, "Assuming an IAM Role").
- With several customers, each provider has an alias, and there is one provider without. Otherwise a resource that names
  no provider would be created with any credentials on the machine.
The blocks are written by `exchange.texts.hcl`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from valetkey.catalog import limits
from valetkey.credentials.profiles.profile import Profile
from valetkey.exchange.texts.hcl import HclBlock, HclValue
from valetkey.policy.arns import NOBODY

Shape = Literal["profile", "assume-role"]


@dataclass(frozen=True, kw_only=True)
class Target:
    """The input for one provider."""

    profile: Profile
    region: str | None
    enter: Mapping[str, Any]
    """The parameters of AssumeRole with an MFA session (`broker.role_call`)."""


@dataclass(frozen=True)
class State:
    """Where the state is stored: a bucket in the first customer's account."""

    bucket: str
    key: str = "terraform.tfstate"


def blocks(
    customers: Sequence[Target], *, shape: Shape = "profile", state: State | None = None
) -> tuple[HclBlock, ...]:
    """Return the blocks, in the order to print them. Needs at least one customer."""
    several = len(customers) > 1
    made = [_backend(customers[0], shape, state)] if state else []
    names = aliases([target.profile.name for target in customers])
    made += [
        _provider(target, shape, alias if several else None) for target, alias in zip(customers, names, strict=True)
    ]
    if several:
        # The provider without an alias may work in no account.
        guard: dict[str, HclValue] = {"allowed_account_ids": (NOBODY,)}
        if customers[0].region:
            guard = {"region": customers[0].region} | guard
        made.append(HclBlock("provider", ("aws",), guard, comment="a resource that names no provider is refused here"))
    return tuple(made)


def base_profile(profile: Profile) -> str | None:
    """Return the AWS profile that the shape "assume-role" starts from: that of the MFA session, or of the base
    identity; None: the default chain."""
    return f"{profile.name}-mfa" if profile.mfa else profile.source_profile


def aliases(names: Iterable[str]) -> tuple[str, ...]:
    """Return unique names that are valid as Terraform aliases: letters, digits, _ and -, beginning with a letter."""
    result: list[str] = []
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_-]", "_", name)
        plain = plain if plain[0].isalpha() else f"c_{plain}"
        number = 2
        alias = plain
        while alias in result:
            alias, number = f"{plain}_{number}", number + 1
        result.append(alias)
    return tuple(result)


def _provider(customer: Target, shape: Shape, alias: str | None) -> HclBlock:
    profile = customer.profile
    settings: dict[str, HclValue] = {"alias": alias} if alias else {}
    settings |= _begin(customer, shape)
    settings["allowed_account_ids"] = (profile.account,)
    inner = (HclBlock("assume_role", settings=_assume_role(customer.enter)),) if shape == "assume-role" else ()
    role = profile.role_arn.split(":", 5)[5]
    return HclBlock("provider", ("aws",), settings, inner, comment=f"{profile.name}: account {profile.account}, {role}")


def _begin(customer: Target, shape: Shape) -> dict[str, str]:
    profile = customer.profile.name if shape == "profile" else base_profile(customer.profile)
    return ({"profile": profile} if profile else {}) | ({"region": customer.region} if customer.region else {})


def _backend(customer: Target, shape: Shape, state: State) -> HclBlock:
    """Return the backend block. Since Terraform 1.10, S3 itself holds the lock (`use_lockfile`). The role is an
    argument here, not a block."""
    settings: dict[str, HclValue] = {"bucket": state.bucket, "key": state.key}
    settings |= _begin(customer, shape)
    settings |= {
        "allowed_account_ids": (customer.profile.account,),
        "encrypt": True,
        "use_lockfile": True,
    }
    if shape == "assume-role":
        settings["assume_role"] = _assume_role(customer.enter)
    return HclBlock("terraform", blocks=(HclBlock("backend", ("s3",), settings),))


# STS parameter names and the provider's arguments.
_ARGUMENTS = {
    "RoleArn": "role_arn",
    "ExternalId": "external_id",
    "RoleSessionName": "session_name",
    "DurationSeconds": "duration",
    "SourceIdentity": "source_identity",
    "Policy": "policy",
    "PolicyArns": "policy_arns",
    "Tags": "tags",
    "TransitiveTagKeys": "transitive_tag_keys",
}


def _assume_role(params: Mapping[str, Any]) -> dict[str, HclValue]:
    # Without a duration AWS would use one hour, and the AWS SDK for Go requests 15 minutes.
    said = {"DurationSeconds": limits.SESSION_DEFAULT, **params}
    return {argument: _argument(name, said[name]) for name, argument in _ARGUMENTS.items() if said.get(name)}


def _argument(name: str, value: Any) -> HclValue:
    match name:
        case "DurationSeconds":
            return f"{value}s"
        case "PolicyArns":
            return tuple(item["arn"] for item in value)
        case "Tags":
            return {item["Key"]: item["Value"] for item in value}
        case "TransitiveTagKeys":
            return tuple(value)
    return str(value)
