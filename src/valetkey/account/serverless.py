"""The roles that AWS SAM creates for functions.

Source: AWS SAM Developer Guide, sam-resource-function and sam-specification-generated-resources-function: a function
without `Role` gets the role <its logical id>Role, with AssumeRolePolicyDocument as its trust where it is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from valetkey.account.loaded import is_list, is_object, pairs
from valetkey.account.values import UnknownPart
from valetkey.policy.policy_json import JsonObject, member

FUNCTION = "AWS::Serverless::Function"
TRANSFORM = "AWS::Serverless-2016-10-31"
_LAMBDA = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}


def role_of(given: Mapping[str, Any], template: Mapping[str, Any]) -> dict[str, Any] | None:
    """The properties of the role that SAM creates for a function; None where the function already has a role."""
    globals_ = template.get("Globals")
    common = dict(pairs(globals_)).get("Function") if globals_ is not None and is_object(globals_) else None
    result = {**(dict(pairs(common)) if common is not None and is_object(common) else {}), **given}
    if "Role" in result and not _may_be_nothing(result["Role"]):
        return None
    made = {"AssumeRolePolicyDocument": result.get("AssumeRolePolicyDocument", _LAMBDA)}
    for name, theirs in (("Path", "RolePath"), ("PermissionsBoundary", "PermissionsBoundary")):
        if theirs in result:
            made[name] = result[theirs]
    arns: list[Any] = ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]
    inline = []
    policies = result.get("Policies", [])
    for number, policy in enumerate(policies if is_list(policies) else [policies]):
        if is_object(policy) and "Statement" in dict(pairs(policy)):
            inline.append({"PolicyName": f"{number}", "PolicyDocument": policy})
        elif isinstance(policy, str):
            arns.append(policy if policy.startswith("arn:") else f"arn:aws:iam::aws:policy/{policy}")
        elif is_object(policy) and next(iter(dict(pairs(policy))), "").endswith("Policy"):
            # A SAM policy template: its content is not in the file.
            name = next(iter(dict(pairs(policy))))
            inline.append({"PolicyName": name, "PolicyDocument": {"Fn::Transform": {"Name": name}}})
        else:
            arns.append(policy)
    return {**made, "ManagedPolicyArns": arns, "Policies": inline}


def connectors(resources: Any, where: str) -> list[UnknownPart]:
    """Note that roles may have more policies if there are connectors: SAM attaches policies to the roles of the
    resources that they connect (AWS SAM Developer Guide, managing-permissions-connectors)."""
    return [
        UnknownPart(
            "attached policies", f"{logical} may give it permissions: a connector is not read", member(where, logical)
        )
        for logical, resource in pairs(resources)
        if is_object(resource)
        and ("Connectors" in (given := dict(pairs(resource))) or given.get("Type") == "AWS::Serverless::Connector")
    ]


def _may_be_nothing(role: Any) -> bool:
    """Whether `Role` may resolve to AWS::NoValue: then SAM creates a role."""
    return is_object(role) and next(iter(dict(pairs(role))), "") == "Fn::If"


def with_roles(template: dict[str, Any]) -> dict[str, Any]:
    """Return the template with the roles that SAM creates for its functions added as resources."""
    used = template.get("Transform") or []
    resources = template.get("Resources")
    if TRANSFORM not in (used if is_list(used) else [used]) or resources is None:
        return template
    made: list[tuple[str, Any]] = []
    for logical, resource in pairs(resources):
        made.append((logical, resource))
        given = resource.get("Properties", {}) if isinstance(resource, dict) else None
        if isinstance(resource, dict) and resource.get("Type") == FUNCTION and given is not None and is_object(given):
            role = role_of(dict(pairs(given)), template)
            if role is not None:
                condition = {"Condition": resource["Condition"]} if "Condition" in resource else {}
                made.append((f"{logical}Role", {"Type": "AWS::IAM::Role", **condition, "Properties": role}))
    plain = dict(made)
    return {**template, "Resources": plain if len(plain) == len(made) else JsonObject(made)}
