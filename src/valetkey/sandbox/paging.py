"""Long lists in pages.

AWS: https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html and others: MaxItems 1 to 1000 (default
100), IsTruncated, Marker. The emulator always returns everything at once.

Replaces: ministack's handlers of the operations below, which are still called, and their answers cut.
"""

from __future__ import annotations

import base64
import re
from xml.etree import ElementTree as ET

from valetkey.sandbox.handlers import Answer, Handler, Params, around, param, refuse

DEFAULT = 100
_LISTS = {
    "ListRoles": ("Roles",),
    "ListRolePolicies": ("PolicyNames",),
    "ListAttachedRolePolicies": ("AttachedPolicies",),
    "ListRoleTags": ("Tags",),
    "ListInstanceProfilesForRole": ("InstanceProfiles",),
    "ListUsers": ("Users",),
    "ListUserPolicies": ("PolicyNames",),
    "ListAttachedUserPolicies": ("AttachedPolicies",),
    "ListGroups": ("Groups",),
    "ListGroupsForUser": ("Groups",),
    "ListAccessKeys": ("AccessKeyMetadata",),
    "ListMFADevices": ("MFADevices",),
    "ListVirtualMFADevices": ("VirtualMFADevices",),
    "ListPolicies": ("Policies",),
    "ListPolicyVersions": ("Versions",),
    "GetAccountAuthorizationDetails": ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"),
}
_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"


def install() -> None:
    ET.register_namespace("", _NAMESPACE)
    for operation, names in _LISTS.items():
        around(operation, lambda handler, p, names=names: _page(handler, p, names))  # type: ignore[misc]


def _page(handler: Handler, p: Params, names: tuple[str, ...]) -> Answer:
    most, start = param(p, "MaxItems") or str(DEFAULT), _start(param(p, "Marker"))
    if not re.fullmatch(r"\d{1,9}", most, re.ASCII) or not 1 <= int(most) <= 1000:
        return refuse(
            400,
            "ValidationError",
            f"1 validation error detected: Value '{most}' at 'maxItems' failed to satisfy constraint: "
            "Member must have value between 1 and 1000",
        )
    if start is None:
        return refuse(400, "ValidationError", "Invalid Marker")
    status, headers, body = handler(p)
    if status != 200:
        return status, headers, body
    root = ET.fromstring(body)  # noqa: S314 - the emulator has just written it
    result, end, seen = root[0], start + int(most), 0
    for name in names:
        value = result.find(f"{{{_NAMESPACE}}}{name}")
        for member in list(value) if value is not None else []:
            if value is not None and not start <= seen < end:
                value.remove(member)
            seen += 1
    if start == 0 and seen <= end:
        return status, headers, body
    truncated = result.find(f"{{{_NAMESPACE}}}IsTruncated")
    if truncated is not None and seen > end:
        truncated.text = "true"
        ET.SubElement(result, f"{{{_NAMESPACE}}}Marker").text = base64.b64encode(f"from:{end}".encode()).decode()
    return status, headers, ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _start(marker: str) -> int | None:
    """Return the index that a page begins at, or None for a marker that was never issued."""
    if not marker:
        return 0
    try:
        text = base64.b64decode(marker, validate=True).decode()
    except ValueError:  # not base64, not UTF-8
        return None
    match = re.fullmatch(r"from:(\d{1,9})", text, re.ASCII)
    return int(match[1]) if match else None
