"""IAM in memory, as far as the owner's commands call it: what AWS answers, refuses and requires, and nothing more."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from valetkey.account.calls import Call, CallError

ALLOW_ALL_READS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:List*", "ec2:Describe*"], "Resource": "*"}],
}


class FakeIam:
    """Performs calls; `log` holds the writes that were asked for. `paged` cuts every list after one item."""

    def __init__(self, account: str, partition: str = "aws") -> None:
        self.account = account
        self.partition = partition
        self.roles: dict[str, dict[str, Any]] = {}
        self.policies: dict[str, Any] = {
            f"arn:{partition}:iam::aws:policy/{path}": copy.deepcopy(ALLOW_ALL_READS)
            for path in ("SecurityAudit", "job-function/ViewOnlyAccess", "ReadOnlyAccess", "service-role/Batch")
        }
        self.versions: dict[str, dict[str, Any]] = {}
        """Versions of a policy by its ARN, the last one the default; a policy that is not in it has v1 alone."""
        self.profiles: dict[str, str] = {}
        self.quotas: dict[str, int] = {}
        self.stacks: dict[str, str] = {}
        """Stacks by the name of the role that they keep."""
        self.log: list[str] = []
        self.before: Callable[[Call], None] = lambda call: None
        self.after: Callable[[Call], None] = lambda call: None

    def __call__(self, call: Call, /) -> dict[str, Any]:
        try:
            self.before(call)
            if not call.operation.startswith(("get_", "list_", "describe_")):
                self.log.append(call.operation)
            answer = getattr(self, f"_{call.operation}")(call, **call.params)
            self.after(call)
        except CallError as error:
            error.code = _parsed(error.code)
            raise
        parsed: dict[str, Any] = _parsed(answer if answer is not None else {})
        return parsed

    def _role(self, call: Call, name: str) -> dict[str, Any]:
        if name not in self.roles:
            raise CallError(call, "NoSuchEntity", f"The role with name {name} cannot be found.")
        return self.roles[name]

    def _get_caller_identity(self, call: Call) -> dict[str, Any]:
        return {"Account": self.account, "Arn": f"arn:{self.partition}:iam::{self.account}:user/owner", "UserId": "A"}

    def _create_role(self, call: Call, **params: Any) -> dict[str, Any]:
        name = params["RoleName"]
        if any(name.lower() == other.lower() for other in self.roles):
            raise CallError(call, "EntityAlreadyExists", f"Role with name {name} already exists.")
        self.roles[name] = {
            "RoleName": name,
            "Path": params["Path"],
            "Arn": f"arn:{self.partition}:iam::{self.account}:role{params['Path']}{name}",
            "CreateDate": datetime(2026, 11, 1, tzinfo=UTC),
            "AssumeRolePolicyDocument": json.loads(params["AssumeRolePolicyDocument"]),
            "Description": params.get("Description", ""),
            "MaxSessionDuration": params["MaxSessionDuration"],
            "Tags": params["Tags"],
            "inline": {},
            "managed": [],
            **(
                {"PermissionsBoundary": {"PermissionsBoundaryArn": params["PermissionsBoundary"]}}
                if "PermissionsBoundary" in params
                else {}
            ),
        }
        return {}

    def _get_role(self, call: Call, RoleName: str) -> dict[str, Any]:
        role = copy.deepcopy(self._role(call, RoleName))
        return {"Role": {key: value for key, value in role.items() if key not in ("inline", "managed")}}

    def _delete_role(self, call: Call, RoleName: str) -> None:
        role = self._role(call, RoleName)
        if role["inline"] or role["managed"] or RoleName in self.profiles.values():
            raise CallError(call, "DeleteConflict", "Cannot delete entity, must detach all policies first.")
        del self.roles[RoleName]

    def _update_assume_role_policy(self, call: Call, RoleName: str, PolicyDocument: str) -> None:
        self._role(call, RoleName)["AssumeRolePolicyDocument"] = json.loads(PolicyDocument)

    def _update_role(self, call: Call, RoleName: str, Description: str, MaxSessionDuration: int) -> None:
        self._role(call, RoleName).update(Description=Description, MaxSessionDuration=MaxSessionDuration)

    def _put_role_permissions_boundary(self, call: Call, RoleName: str, PermissionsBoundary: str) -> None:
        self._role(call, RoleName)["PermissionsBoundary"] = {"PermissionsBoundaryArn": PermissionsBoundary}

    def _delete_role_permissions_boundary(self, call: Call, RoleName: str) -> None:
        self._role(call, RoleName).pop("PermissionsBoundary", None)

    def _tag_role(self, call: Call, RoleName: str, Tags: list[dict[str, str]]) -> None:
        role = self._role(call, RoleName)
        given = {tag["Key"]: tag["Value"] for tag in role["Tags"]} | {tag["Key"]: tag["Value"] for tag in Tags}
        role["Tags"] = [{"Key": key, "Value": value} for key, value in given.items()]
        assert len(role["Tags"]) <= 50

    def _untag_role(self, call: Call, RoleName: str, TagKeys: list[str]) -> None:
        role = self._role(call, RoleName)
        role["Tags"] = [tag for tag in role["Tags"] if tag["Key"] not in TagKeys]

    def _put_role_policy(self, call: Call, RoleName: str, PolicyName: str, PolicyDocument: str) -> None:
        self._role(call, RoleName)["inline"][PolicyName] = json.loads(PolicyDocument)

    def _delete_role_policy(self, call: Call, RoleName: str, PolicyName: str) -> None:
        if self._role(call, RoleName)["inline"].pop(PolicyName, None) is None:
            raise CallError(call, "NoSuchEntity", "The role policy cannot be found.")

    def _attach_role_policy(self, call: Call, RoleName: str, PolicyArn: str) -> None:
        managed = self._role(call, RoleName)["managed"]
        if PolicyArn not in managed:
            managed.append(PolicyArn)

    def _detach_role_policy(self, call: Call, RoleName: str, PolicyArn: str) -> None:
        managed = self._role(call, RoleName)["managed"]
        if PolicyArn not in managed:
            raise CallError(call, "NoSuchEntity", "The policy is not attached.")
        managed.remove(PolicyArn)

    def _remove_role_from_instance_profile(self, call: Call, RoleName: str, InstanceProfileName: str) -> None:
        self.profiles.pop(InstanceProfileName)

    def _list_role_policies(self, call: Call, RoleName: str, Marker: str = "0") -> dict[str, Any]:
        return _page("PolicyNames", list(self._role(call, RoleName)["inline"]), Marker)

    def _get_role_policy(self, call: Call, RoleName: str, PolicyName: str) -> dict[str, Any]:
        return {"PolicyDocument": copy.deepcopy(self._role(call, RoleName)["inline"][PolicyName])}

    def _list_attached_role_policies(self, call: Call, RoleName: str, Marker: str = "0") -> dict[str, Any]:
        arns = self._role(call, RoleName)["managed"]
        return _page(
            "AttachedPolicies", [{"PolicyArn": arn, "PolicyName": arn.rsplit("/")[-1]} for arn in arns], Marker
        )

    def _list_instance_profiles_for_role(self, call: Call, RoleName: str, Marker: str = "0") -> dict[str, Any]:
        names = [name for name, role in self.profiles.items() if role == RoleName]
        return _page("InstanceProfiles", [{"InstanceProfileName": name} for name in names], Marker)

    def _list_roles(self, call: Call, MaxItems: int, Marker: str = "0") -> dict[str, Any]:
        return _page("Roles", copy.deepcopy(list(self.roles.values())), Marker)

    def _get_account_authorization_details(
        self, call: Call, Filter: list[str], MaxItems: int, Marker: str = "0"
    ) -> dict[str, Any]:
        details = []
        for role in copy.deepcopy(list(self.roles.values())):
            inline, managed = role.pop("inline"), role.pop("managed")
            del role["Description"], role["MaxSessionDuration"]
            role["RolePolicyList"] = [{"PolicyName": k, "PolicyDocument": v} for k, v in inline.items()]
            role["AttachedManagedPolicies"] = [{"PolicyArn": arn, "PolicyName": arn.rsplit("/")[-1]} for arn in managed]
            details.append(role)
        return _page("RoleDetailList", details, Marker)

    def _get_policy(self, call: Call, PolicyArn: str) -> dict[str, Any]:
        if PolicyArn not in self.policies:
            raise CallError(call, "NoSuchEntity", f"Policy {PolicyArn} was not found.")
        version = list(self.versions.get(PolicyArn, {"v1": None}))[-1]
        return {"Policy": {"Arn": PolicyArn, "DefaultVersionId": version, "IsAttachable": True}}

    def _get_policy_version(self, call: Call, PolicyArn: str, VersionId: str) -> dict[str, Any]:
        versions = self.versions.get(PolicyArn, {"v1": self.policies[PolicyArn]})
        if VersionId not in versions:
            raise CallError(call, "NoSuchEntity", f"Policy {PolicyArn} version {VersionId} does not exist.")
        return {"PolicyVersion": {"Document": copy.deepcopy(versions[VersionId])}}

    def _list_policies(self, call: Call, Scope: str, MaxItems: int, Marker: str = "0") -> dict[str, Any]:
        own = "aws" if Scope == "AWS" else self.account
        arns = [arn for arn in self.policies if arn.split(":")[4] == own]
        return _page("Policies", [{"Arn": arn, "PolicyName": arn.rsplit("/")[-1]} for arn in arns], Marker)

    def _describe_stack_resources(self, call: Call, PhysicalResourceId: str) -> dict[str, Any]:
        if PhysicalResourceId not in self.stacks:
            raise CallError(call, "ValidationError", f"Stack for {PhysicalResourceId} does not exist")
        result = {"StackName": self.stacks[PhysicalResourceId], "ResourceType": "AWS::IAM::Role"}
        return {"StackResources": [result]}

    def _list_saml_providers(self, call: Call) -> dict[str, Any]:
        return {"SAMLProviderList": []}

    def _list_open_id_connect_providers(self, call: Call) -> dict[str, Any]:
        return {"OpenIDConnectProviderList": []}

    def _get_account_summary(self, call: Call) -> dict[str, Any]:
        return {"SummaryMap": {"AttachedPoliciesPerRoleQuota": 12, **self.quotas}}


def _parsed(value: Any) -> Any:
    """As boto3 gives it: parsed out of a response, so that no text is the same object as one in the code."""
    if isinstance(value, str):
        return value.encode().decode()
    if isinstance(value, dict):
        return {_parsed(key): _parsed(item) for key, item in value.items()}
    return [*map(_parsed, value)] if isinstance(value, list | tuple) else value


def _page(key: str, items: list[Any], marker: str) -> dict[str, Any]:
    """One item a page, and an empty last page that is truncated no more: whoever does not loop finds little."""
    at = int(marker)
    more = at < len(items)
    return {key: items[at : at + 1], "IsTruncated": more, **({"Marker": str(at + 1)} if more else {})}
