"""What IAM returns about users and roles, and the limits on its input.

AWS: https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html (ListRoles leaves out tags, boundary and
RoleLastUsed), .../API_RoleDetail.html (no description, no MaxSessionDuration),
.../API_GetAccountAuthorizationDetails.html (attached AWS managed policies included),
.../API_GetAccessKeyLastUsed.html, .../API_CreateRole.html,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html.

Replaces: ministack's `services.iam._role_xml`, its handlers of GetAccountAuthorizationDetails and GetAccessKeyLastUsed,
and its message for a missing role; wraps CreateRole, UpdateRole, TagRole, PutRolePolicy, CreatePolicy and
CreatePolicyVersion.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from valetkey.sandbox.handlers import Answer, Handler, Params, around, param, refuse

INLINE_SIZE, MANAGED_SIZE = 10_240, 6_144
TAGS = 50
_ROLE_MISSING = re.compile(r"Role (\S+) not found\.")
_SAID = r"The role with name \1 cannot be found."
_TAG = re.compile(r"[\w\s.:/=+@-]*")


def install() -> None:
    from ministack.services import iam

    iam._role_xml = lambda name, boundary=True: xml(role(iam._roles[name], whole=boundary))
    iam._IAM_HANDLERS["GetAccountAuthorizationDetails"] = _account
    error = iam._error
    iam._error = lambda status, code, message, ns="iam": error(status, code, _ROLE_MISSING.sub(_SAID, message), ns)
    around("GetAccessKeyLastUsed", _key_last_used)
    for operation in ("CreateRole", "UpdateRole", "TagRole"):
        around(operation, _limits)
    around("PutRolePolicy", _inline_size)
    for operation in ("CreatePolicy", "CreatePolicyVersion"):
        around(operation, _policy_size)


def role(record: Mapping[str, Any], *, whole: bool) -> dict[str, Any]:
    """A role as GetRole returns it or, if not `whole`, as ListRoles does."""
    result = {
        **_named(record, "Role"),
        "AssumeRolePolicyDocument": quote(record["AssumeRolePolicyDocument"] or "{}", safe=""),
        "Description": record.get("Description") or None,
        "MaxSessionDuration": record.get("MaxSessionDuration", 3600),
    }
    return {**result, **_rest(record), "RoleLastUsed": _last_used(record)} if whole else result


def xml(value: Any) -> str:
    """Write a value in the Query protocol: a mapping as elements (None left out), a list as members."""
    if isinstance(value, Mapping):
        return "".join(f"<{name}>{xml(item)}</{name}>" for name, item in value.items() if item is not None)
    if isinstance(value, list):
        return "".join(f"<member>{xml(item)}</member>" for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    return escape(str(value))


def _named(record: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {name: record[name] for name in (f"{kind}Name", f"{kind}Id", "Arn", "Path", "CreateDate")}


def _rest(record: Mapping[str, Any]) -> dict[str, Any]:
    boundary = record.get("PermissionsBoundary")
    kind = {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": boundary}
    return {"PermissionsBoundary": kind if boundary else None, "Tags": record.get("Tags") or None}


def _last_used(record: Mapping[str, Any]) -> dict[str, str]:
    used = record.get("LastUsed")
    return {"LastUsedDate": used[0], "Region": used[1]} if used else {}


def _inline(documents: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {"PolicyName": name, "PolicyDocument": quote(text if isinstance(text, str) else json.dumps(text), safe="")}
        for name, text in documents.items()
    ]


def _attached(record: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in record.get("AttachedPolicies") or []]


def _account(p: Params) -> Answer:
    from ministack.services import iam

    wanted = {values[0] for name, values in p.items() if name.startswith("Filter.member.")}
    known = {"User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"}
    if wanted - known:
        return refuse(400, "ValidationError", f"Filter must be of {', '.join(sorted(known))}")
    wanted = wanted or known
    users, groups, roles = list(iam._users.values()), list(iam._groups.values()), list(iam._roles.values())
    local = list(iam._policies) if "LocalManagedPolicy" in wanted else []
    used = dict.fromkeys(arn for item in (*users, *groups, *roles) for arn in item.get("AttachedPolicies") or [])
    aws = [arn for arn in used if iam._is_aws_managed_arn(arn)] if "AWSManagedPolicy" in wanted else []
    plain = {
        "UserDetailList": [_user_detail(user) for user in users if "User" in wanted],
        "GroupDetailList": [_group_detail(group) for group in groups if "Group" in wanted],
        "RoleDetailList": [_role_detail(item) for item in roles if "Role" in wanted],
        "Policies": [_policy_detail(arn) for arn in (*local, *aws)],
        "IsTruncated": False,
    }
    name = "GetAccountAuthorizationDetails"
    answer: Answer = iam._xml(200, f"{name}Response", f"<{name}Result>{xml(plain)}</{name}Result>", ns="iam")
    return answer


def _user_detail(user: Mapping[str, Any]) -> dict[str, Any]:
    from ministack.services import iam

    name = user["UserName"]
    return {
        **_named(user, "User"),
        "UserPolicyList": _inline(iam._user_inline_policies.get(name) or {}),
        "GroupList": [group["GroupName"] for group in iam._groups.values() if name in group.get("Users", [])],
        "AttachedManagedPolicies": _attached(user),
        **_rest(user),
    }


def _group_detail(group: Mapping[str, Any]) -> dict[str, Any]:
    from ministack.services import iam

    return {
        **_named(group, "Group"),
        "GroupPolicyList": _inline(iam._group_inline_policies.get(group["GroupName"]) or {}),
        "AttachedManagedPolicies": _attached(group),
    }


def _role_detail(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_named(record, "Role"),
        "AssumeRolePolicyDocument": quote(record["AssumeRolePolicyDocument"] or "{}", safe=""),
        "InstanceProfileList": _instance_profiles(record["RoleName"]),
        "RolePolicyList": _inline(record.get("InlinePolicies") or {}),
        "AttachedManagedPolicies": _attached(record),
        **_rest(record),
        "Tags": record.get("Tags") or [],
        "RoleLastUsed": _last_used(record),
    }


def _instance_profiles(name: str) -> list[dict[str, Any]]:
    from ministack.services import iam

    shown = ("InstanceProfileName", "InstanceProfileId", "Arn", "Path", "CreateDate")
    result = [profile for profile in iam._instance_profiles.values() if name in profile["Roles"]]
    return [{**{field: item[field] for field in shown}, "Roles": []} for item in result]


def _policy_detail(arn: str) -> dict[str, Any]:
    from ministack.services import iam

    record = iam._lookup_policy(arn)
    everyone = (*iam._roles.values(), *iam._users.values(), *iam._groups.values())
    return {
        **{name: record[name] for name in ("PolicyName", "PolicyId", "Arn", "Path", "DefaultVersionId")},
        "AttachmentCount": sum(arn in (item.get("AttachedPolicies") or []) for item in everyone),
        "PermissionsBoundaryUsageCount": iam._boundary_usage_counts().get(arn, 0),
        "IsAttachable": True,
        "CreateDate": record["CreateDate"],
        "UpdateDate": record["UpdateDate"],
        "PolicyVersionList": [
            {
                "Document": quote(version["Document"] or "{}", safe=""),
                "VersionId": version["VersionId"],
                "IsDefaultVersion": version["IsDefaultVersion"],
                "CreateDate": version["CreateDate"],
            }
            for version in record["Versions"].values()
        ],
    }


def _key_last_used(handler: Handler, p: Params) -> Answer:
    from ministack.services import iam

    used = (iam._access_keys.get(param(p, "AccessKeyId")) or {}).get("LastUsed")
    status, headers, body = handler(p)
    if status == 200 and used:
        date, region, service = used
        last_used = xml({"LastUsedDate": date, "Region": region, "ServiceName": service})
        body = body.replace(b"<Region>N/A</Region><ServiceName>N/A</ServiceName>", last_used.encode())
    return status, headers, body


def _limits(handler: Handler, p: Params) -> Answer:
    from ministack.services import iam

    wrong = _invalid(p)
    if wrong:
        return refuse(400, "ValidationError", f"1 validation error detected: {wrong}")
    tags = iam._extract_tags(p)
    old = (iam._roles.get(param(p, "RoleName")) or {}).get("Tags") or []
    if len({tag["Key"].lower() for tag in (*old, *tags)}) > TAGS:
        return refuse(409, "LimitExceeded", f"Cannot exceed quota for TagsPerRole: {TAGS}")
    return handler(p)


def _invalid(p: Params) -> str | None:
    from ministack.services import iam

    seconds = param(p, "MaxSessionDuration")
    if seconds and not (re.fullmatch(r"\d{1,9}", seconds, re.ASCII) and 3600 <= int(seconds) <= 43_200):
        return (
            f"Value '{seconds}' at 'maxSessionDuration' failed to satisfy constraint: "
            "Member must have value between 3600 and 43200"
        )
    for tag in iam._extract_tags(p):
        for field, value, least, most in (("key", tag["Key"], 1, 128), ("value", tag["Value"], 0, 256)):
            if not least <= len(value) <= most or not _TAG.fullmatch(value):
                return (
                    f"Value '{value}' at 'tags.1.member.{field}' failed to satisfy constraint: "
                    "Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*"
                )
    return None


def _inline_size(handler: Handler, p: Params) -> Answer:
    from ministack.services import iam

    name, new = param(p, "RoleName"), param(p, "PolicyName")
    documents: Iterable[tuple[str, str]] = ((iam._roles.get(name) or {}).get("InlinePolicies") or {}).items()
    texts = [text for document, text in documents if document != new] + [param(p, "PolicyDocument")]
    if sum(map(_size, texts)) > INLINE_SIZE:
        return refuse(409, "LimitExceeded", f"Maximum policy size of {INLINE_SIZE} bytes exceeded for role {name}")
    return handler(p)


def _policy_size(handler: Handler, p: Params) -> Answer:
    if _size(param(p, "PolicyDocument")) > MANAGED_SIZE:
        return refuse(409, "LimitExceeded", f"Cannot exceed quota for PolicySize: {MANAGED_SIZE}")
    return handler(p)


def _size(text: str) -> int:
    """Number of characters that count: white space does not."""
    return len(re.sub(r"\s", "", text))
