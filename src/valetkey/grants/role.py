"""A role in the owner's account, and functions that read roles."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from valetkey.account.calls import REFUSED, Call, CallError, Perform, everything
from valetkey.trust.record import canonical

__all__ = [
    "NOT_SHOWN",
    "LiveRole",
    "Owner",
    "canonical",
    "compact",
    "instance_profiles",
    "is_unchanged",
    "read_owner",
    "read_policy",
    "read_role",
    "read_roles",
]


@dataclass(frozen=True, kw_only=True)
class LiveRole:
    """One role as AWS returns it. Documents are JSON objects, times aware."""

    name: str
    arn: str
    path: str
    trust: Mapping[str, Any]
    tags: Mapping[str, str]
    managed: tuple[str, ...]
    """ARNs of the attached managed policies."""
    inline: Mapping[str, Mapping[str, Any]]
    """Inline policies by name."""
    boundary: str | None
    created: datetime
    last_used: datetime | None = None
    """Last use within 400 days, with a delay of some hours; None: none known (IAM User Guide,
    access_policies_last-accessed)."""
    description: str | None = None
    """None if the reading call does not return it (GetAccountAuthorizationDetails)."""
    max_session: int | None = None
    """Seconds; None if the reading call does not return it."""

    @property
    def account(self) -> str:
        """The role's account: 12 digits."""
        return self.arn.split(":")[4]


@dataclass(frozen=True)
class Owner:
    """The caller: the account to change (12 digits), its partition, and the caller's ARN."""

    account: str
    partition: str
    arn: str


def compact(document: Mapping[str, Any]) -> str:
    """Serialize a document as it is sent to AWS: no whitespace, order kept."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=True)


def read_owner(perform: Perform) -> Owner:
    """Return the account of the credentials. Raises CallError."""
    said = perform(Call("sts", "get_caller_identity"))
    return Owner(said["Account"], said["Arn"].split(":")[1], said["Arn"])


def read_role(perform: Perform, name: str) -> LiveRole | None:
    """Return the role in its present state, or None if it does not exist. Raises CallError, also NoSuchEntity if the
    role is deleted during the reads."""
    try:
        result = perform(Call("iam", "get_role", {"RoleName": name}))["Role"]
    except CallError as error:
        if error.code == "NoSuchEntity":
            return None
        raise
    about = {"RoleName": name}
    inline = {
        item: _document(perform(Call("iam", "get_role_policy", {**about, "PolicyName": item}))["PolicyDocument"])
        for item in everything(perform, Call("iam", "list_role_policies", about), "PolicyNames")
    }
    attached = everything(perform, Call("iam", "list_attached_role_policies", about), "AttachedPolicies")
    return _role(
        result,
        inline=inline,
        managed=tuple(item["PolicyArn"] for item in attached),
        description=result.get("Description", ""),
        max_session=result.get("MaxSessionDuration", 3600),
    )


NOT_SHOWN = REFUSED | {"NoSuchEntity"}
"""Codes of a CallError for a policy that AWS does not return: access is refused, or it is gone."""


def read_policy(perform: Perform, arn: str) -> tuple[str, Any]:
    """Return the default version of a managed policy, like "v12", and its document. Raises CallError."""
    version = str(perform(Call("iam", "get_policy", {"PolicyArn": arn}))["Policy"]["DefaultVersionId"])
    result = perform(Call("iam", "get_policy_version", {"PolicyArn": arn, "VersionId": version}))
    return version, result["PolicyVersion"]["Document"]


def instance_profiles(perform: Perform, name: str) -> tuple[str, ...]:
    """Return the names of the instance profiles that contain a role. Raises CallError."""
    call = Call("iam", "list_instance_profiles_for_role", {"RoleName": name})
    return tuple(item["InstanceProfileName"] for item in everything(perform, call, "InstanceProfiles"))


def is_unchanged(perform: Perform, before: LiveRole) -> bool:
    """Return whether the role is still as it was read, except for its last use. Raises CallError."""
    role = read_role(perform, before.name)
    return role is not None and replace(role, last_used=None) == replace(before, last_used=None)


def read_roles(perform: Perform) -> Iterator[LiveRole]:
    """Yield every role of the account with its tags, boundary, policies and last use. Raises CallError.

    One paged call instead of four per role: GetAccountAuthorizationDetails, which returns neither description nor
    MaxSessionDuration.
    """
    call = Call("iam", "get_account_authorization_details", {"Filter": ["Role"], "MaxItems": 1000})
    for result in everything(perform, call, "RoleDetailList"):
        yield _role(
            result,
            inline={item["PolicyName"]: _document(item["PolicyDocument"]) for item in result.get("RolePolicyList", ())},
            managed=tuple(policy["PolicyArn"] for policy in result.get("AttachedManagedPolicies", ())),
        )


def _role(
    result: Mapping[str, Any],
    *,
    inline: Mapping[str, Mapping[str, Any]],
    managed: tuple[str, ...],
    description: str | None = None,
    max_session: int | None = None,
) -> LiveRole:
    return LiveRole(
        name=result["RoleName"],
        arn=result["Arn"],
        path=result["Path"],
        trust=_document(result["AssumeRolePolicyDocument"]),
        tags={tag["Key"]: tag["Value"] for tag in result.get("Tags", ())},
        managed=managed,
        inline=inline,
        boundary=(result.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
        created=result["CreateDate"],
        last_used=(result.get("RoleLastUsed") or {}).get("LastUsedDate"),
        description=description,
        max_session=max_session,
    )


def _document(document: Any) -> Mapping[str, Any]:
    """Return a policy document. boto3 already decodes IAM's URL-encoded documents; one that is not a JSON object is
    returned as text in an object."""
    return document if isinstance(document, Mapping) else {"text": str(document)}
