"""The identity of a caller: unique ids, role sessions, and calls of users about themselves.

AWS:
- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html: a user or role in a trust
  policy is stored as its unique id. After its deletion the document shows that id, and another user or role of the same
  name is not admitted. The unique id of an existing one may be written too, and is shown as its ARN from then on (by
  the API; CloudFormation's roles do not accept it here).
- .../reference_policies_condition-keys.html: `aws:PrincipalArn` of a role session is the role's ARN;
  `aws:MultiFactorAuthPresent` and `Age` exist for temporary credentials only; AssumeRole's credentials carry no MFA.
- .../reference_identifiers.html: names are unique regardless of case.
- IAM calls without UserName are about the caller (API_GetUser, API_ListMFADevices, ...).

Replaces in ministack: deletion in `services.iam._users` and `_roles`; `resolve_credential`, `_principal_keys` and
`_resolve_condition_key` of `core.iam_evaluator` (also their copies in `services`); `extract_resource_arn` of
`core.iam_actions` (which leaves out paths); some IAM handlers.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from valetkey.sandbox import clock
from valetkey.sandbox.call import current
from valetkey.sandbox.handlers import Handler, Params, around, param, refuse

# Keys of every call that a person makes. The sandbox uses plain HTTP on loopback, in place of AWS with TLS.
_CONSTANT = {"aws:securetransport": "true", "aws:viaawsservice": "false", "aws:principalisawsservice": "false"}
# The resource of a call, by the first of these parameters: adding a role to an instance profile is checked for the
# profile.
_NAMED = (
    ("instance-profile", "InstanceProfileName"),
    ("group", "GroupName"),
    ("role", "RoleName"),
    ("user", "UserName"),
)
# The resource of a list is its path prefix, as AWS's refusals show.
_LISTED = {"ListRoles": "role", "ListUsers": "user", "ListGroups": "group", "ListVirtualMFADevices": "mfa"}
# About the caller if no user is named.
_SELF = (
    "GetUser",
    "ListMFADevices",
    "ListAccessKeys",
    "CreateAccessKey",
    "UpdateAccessKey",
    "DeleteAccessKey",
    "ResyncMFADevice",
    "DeactivateMFADevice",
    "EnableMFADevice",
)


def install() -> None:
    from ministack.core import iam_actions
    from ministack.core import iam_evaluator as ev
    from ministack.services import iam

    iam._users.__class__ = iam._roles.__class__ = _watched(type(iam._users))
    everywhere("resolve_credential", _resolve(ev.resolve_credential))
    everywhere("_principal_keys", _keys(ev._principal_keys))
    ev._resolve_condition_key = _condition_key(ev._resolve_condition_key)
    iam_actions.extract_resource_arn = _resource(iam_actions.extract_resource_arn)
    for operation in _SELF:
        around(operation, _about_caller)
    around("CreateUser", lambda handler, p: _unique(handler, p, "UserName", iam._users, "User"))
    around("CreateRole", lambda handler, p: _unique(handler, p, "RoleName", iam._roles, "Role"))
    around("DeleteUser", _delete_user)


def role_of(arn: str) -> dict[str, Any] | None:
    """Return the role with exactly this ARN, in any account, or None."""
    from ministack.services import iam

    parts = arn.split(":", 5)
    if len(parts) < 6:
        return None
    role: dict[str, Any] | None = iam._roles.get_scoped(parts[4], None, parts[5].rpartition("/")[2])
    return role if role is not None and role["Arn"] == arn else None


def role_of_session(arn: str) -> dict[str, Any] | None:
    """Return the role of an assumed-role ARN, or None."""
    from ministack.services import iam

    parts = arn.split(":", 5)
    if len(parts) < 6 or not parts[5].startswith("assumed-role/"):
        return None
    role: dict[str, Any] | None = iam._roles.get_scoped(parts[4], None, parts[5].split("/")[1])
    return role


def _watched(store: type[Any]) -> type[Any]:
    class Watched(store):  # type: ignore[misc]
        """A store of users or roles that notices every deletion."""

        __slots__ = ()

        def pop(self, key: Any, *default: Any) -> Any:
            return _forget(super().pop(key, *default))

        def pop_scoped(self, account: str, region: Any, key: Any, *default: Any) -> Any:
            return _forget(super().pop_scoped(account, region, key, *default))

        def __delitem__(self, key: Any) -> None:
            self.pop(key)

    return Watched


def _forget(entity: Any) -> Any:
    """Replace the ARN of a deleted user or role by its unique id in every trust policy."""
    from ministack.services import iam

    if isinstance(entity, dict):
        unique = entity.get("UserId") or entity.get("RoleId")
        for role in iam._roles.to_dict().values():
            text = role["AssumeRolePolicyDocument"]
            # In a Condition the same text stays: only principals are bound to the entity. A document may also contain
            # the ARN with JSON escapes.
            if entity["Arn"] in text or "\\" in text:
                role["AssumeRolePolicyDocument"] = _renamed(text, entity["Arn"], str(unique))
    return entity


def resolved(text: str) -> str:
    """Return a trust policy as saved, with the ARN in place of the unique id of each existing user or role."""
    from ministack.services import iam

    for store, key in ((iam._users, "UserId"), (iam._roles, "RoleId")):
        for entity in store.to_dict().values():
            if f'"{entity[key]}"' in text:
                text = _renamed(text, str(entity[key]), entity["Arn"])
    return text


def _renamed(text: str, old: str, new: str) -> str:
    """Return a trust policy with one AWS principal replaced by another."""
    document = json.loads(text)
    statements = document.get("Statement", [])
    changed = False
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal")
        if not isinstance(principal, dict):
            continue
        named = principal.get("AWS")
        if named == old:
            principal["AWS"], changed = new, True
        elif isinstance(named, list) and old in named:
            principal["AWS"], changed = [new if name == old else name for name in named], True
    return json.dumps(document) if changed else text


def everywhere(name: str, new: Callable[..., Any]) -> None:
    """Replace a function of the evaluator, also in modules that have imported it by name."""
    from ministack.core import iam_evaluator

    old = getattr(iam_evaluator, name)
    for title, module in list(sys.modules.items()):
        if title.startswith("ministack.") and getattr(module, name, None) is old:
            setattr(module, name, new)


def _resolve(resolve: Callable[..., Any]) -> Callable[..., Any]:
    from ministack.core.iam_evaluator import ResolvedCredential, _unknown_access_key
    from ministack.core.responses import get_account_id
    from ministack.services import iam, sts

    def resolve_credential(access_key_id: str, account_id: str | None = None, *token: Any, **more: Any) -> Any:
        account = account_id or get_account_id()
        with clock.of(account):
            result = resolve(access_key_id, account, *token, **more)
        if not isinstance(result, ResolvedCredential) or access_key_id not in sts._sessions:
            return result
        # A session ends with the role or user it was made for, as identified by the unique id.
        if result.principal_type == "AssumedRole":
            role = role_of_session(result.principal_arn)
            alive = role is not None and role["RoleId"] == result.principal_id.partition(":")[0]
        elif result.principal_type == "User":
            user = iam._users.get_scoped(result.account_id, None, result.principal_name)
            alive = user is not None and user["UserId"] == result.principal_id
        else:
            alive = True
        return result if alive else _unknown_access_key()

    return resolve_credential


def _keys(keys: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    from ministack.services import sts

    def principal_keys(credential: Any) -> dict[str, Any]:
        result = keys(credential)
        call, session = current.get(), sts._sessions.get(credential.access_key_id) or {}
        age = None
        if call is not None and call.mfa_age is not None and call.access_key_id == credential.access_key_id:
            age = call.mfa_age
        elif session.get("MfaAt") is not None:
            age = clock.now(credential.account_id) - session["MfaAt"]
        if age is not None:
            result["aws:multifactorauthpresent"] = "true"
            result["aws:multifactorauthage"] = str(int(age))
        if session.get("SourceIdentity"):
            result["aws:sourceidentity"] = session["SourceIdentity"]
        return result

    return principal_keys


def _condition_key(resolve: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    def resolve_condition_key(key: str, ctx: Any) -> Any:
        name = key.lower()
        if name == "aws:principalarn" and ctx.principal_type == "AssumedRole":
            role = role_of_session(ctx.principal_arn)
            return role["Arn"] if role else None
        if name in _CONSTANT:
            return _CONSTANT[name]
        if name == "aws:currenttime":
            return clock.stamp(clock.now())
        if name == "aws:epochtime":
            return str(int(clock.now()))
        return resolve(key, ctx)

    return resolve_condition_key


def _caller() -> str:
    """The name of the calling IAM user, or ""."""
    from ministack.core.iam_evaluator import caller_arn

    arn = str(caller_arn())
    return arn.rpartition("/")[2] if ":user/" in arn else ""


def _about_caller(handler: Handler, p: Params) -> Any:
    from ministack.services import iam

    if not param(p, "UserName") and (name := _caller()) in iam._users:
        p = {**p, "UserName": [name]}
    return handler(p)


def _resource(extract: Callable[..., str]) -> Callable[..., str]:
    def extract_resource_arn(
        service: str, method: str, path: str, headers: Any, body: Any, params: Any, region: str, account_id: str
    ) -> str:
        result = extract(service, method, path, headers, body, params, region, account_id)
        return _iam_resource(result, account_id) if service == "iam" else result

    return extract_resource_arn


def _iam_resource(result: str, account: str) -> str:
    """The ARN of an IAM call's resource, with the path that it has or is to have."""
    from ministack.services import iam

    call = current.get()
    if call is None:
        return result
    kind, name = next(
        ((kind, call.params[key]) for kind, key in _NAMED if call.get(key)),
        ("user", _caller()) if call.action in _SELF else ("", ""),
    )
    if call.action == "CreateVirtualMFADevice":
        kind, name = "mfa", call.get("VirtualMFADeviceName") or ""
    elif call.action == "DeleteVirtualMFADevice":
        return call.get("SerialNumber") or result
    elif call.action == "GenerateServiceLastAccessedDetails":
        return call.get("Arn") or result
    if call.action in _LISTED:
        return f"arn:aws:iam::{account}:{_LISTED[call.action]}{call.get('PathPrefix') or '/'}"
    if not name:
        return result
    stores = {
        "role": iam._roles,
        "user": iam._users,
        "group": iam._groups,
        "instance-profile": iam._instance_profiles,
    }
    entity = stores.get(kind, {}).get(name)
    if entity is not None:
        return str(entity["Arn"])
    path = (call.get("Path") or "/") if call.action.startswith("Create") else "/"
    return f"arn:aws:iam::{account}:{kind}{path}{name}"


def _unique(handler: Handler, p: Params, key: str, store: Any, kind: str) -> Any:
    name = param(p, key)
    if name.lower() in {item.lower() for item in store}:
        return refuse(409, "EntityAlreadyExists", f"{kind} with name {name} already exists.")
    return handler(p)


def _delete_user(handler: Handler, p: Params) -> Any:
    from ministack.services import iam

    name = param(p, "UserName")
    left = (
        ("must delete policies first", bool(iam._user_inline_policies.get(name))),
        ("must remove user from all groups first", any(name in g.get("Users", []) for g in iam._groups.values())),
        ("must delete MFA device first", any(device["User"] == name for device in iam._mfa_devices.values())),
        ("must delete login profile first", name in iam._login_profiles),
    )
    reason = next((text for text, there in left if there), None)
    if name in iam._users and reason:
        return refuse(409, "DeleteConflict", f"Cannot delete entity, {reason}.")
    return handler(p)
