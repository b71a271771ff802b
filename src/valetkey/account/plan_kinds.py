"""Resources of a plan that are read as another type: those of the awscc provider, and the templates of stacks.

Source: the documentation of the awscc provider (its attributes are CloudFormation's, in snake case) and of the AWS
provider's aws_cloudformation_stack and aws_cloudformation_stack_set.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from valetkey.account.cloudformation import read_template
from valetkey.account.loaded import SourceError, load_template
from valetkey.account.parts import SourcePart
from valetkey.account.place import Place
from valetkey.account.stack_sets import every_unknown
from valetkey.account.values import UnknownPart

LIKE: dict[str, tuple[str, dict[str, str]]] = {
    "awscc_iam_role": (
        "aws_iam_role",
        {
            "name": "role_name",
            "assume_role_policy": "assume_role_policy_document",
            "managed_policy_arns": "managed_policy_arns",
            "max_session_duration": "max_session_duration",
            "permissions_boundary": "permissions_boundary",
            "inline_policy": "policies",
        },
    ),
    "awscc_iam_role_policy": (
        "aws_iam_role_policy",
        {"name": "policy_name", "role": "role_name", "policy": "policy_document"},
    ),
    "awscc_iam_managed_policy": (
        "aws_iam_policy",
        {"name": "managed_policy_name", "policy": "policy_document", "arn": "policy_arn"},
    ),
    "awscc_iam_oidc_provider": ("aws_iam_openid_connect_provider", {}),
    "awscc_iam_saml_provider": ("aws_iam_saml_provider", {}),
    "aws_iam_role_policy_attachments_exclusive": (
        "aws_iam_role_policy_attachments_exclusive",
        {"role": "role_name", "managed_policy_arns": "policy_arns"},
    ),
    "awscc_cloudformation_stack": ("aws_cloudformation_stack", {}),
    "awscc_cloudformation_stack_set": ("aws_cloudformation_stack_set", {}),
}
"""By type: the type that it is read as, and its attribute names where they differ."""

STACKS = ("aws_cloudformation_stack", "aws_cloudformation_stack_set")
OVERRIDES = ("aws_cloudformation_stack_set_instance", "aws_cloudformation_stack_instances")
ELSEWHERE = (
    "aws_serverlessapplicationrepository_cloudformation_stack",
    "aws_servicecatalog_provisioned_product",
    "awscc_servicecatalog_cloud_formation_provisioned_product",
)
"""Types that create stacks whose templates are not in the plan."""
CLOUD_CONTROL = "aws_cloudcontrolapi_resource"
"""A type that creates a resource of any CloudFormation type."""


MAKERS = ("AWS::IAM::", "AWS::CloudFormation::", "AWS::ServiceCatalog::", "AWS::Serverless::")
"""How the types begin that make roles, or give permissions to them."""
ATTACHES = "awscc_iam_managed_policy"
"""Attaches itself to roles."""
ARNS = {
    "aws_iam_role": "role",
    "aws_iam_openid_connect_provider": "oidc-provider",
    "aws_iam_saml_provider": "saml-provider",
}
"""What may be a principal, with the kind in its ARN."""
DATA = frozenset({"aws_caller_identity", "aws_partition"})
MANAGED = frozenset(
    {
        "aws_iam_role",
        "aws_iam_policy",
        "aws_iam_role_policy",
        "aws_iam_role_policy_attachment",
        "aws_iam_policy_attachment",
        "aws_iam_openid_connect_provider",
        "aws_iam_saml_provider",
        *LIKE,
        *STACKS,
        *OVERRIDES,
        *ELSEWHERE,
        CLOUD_CONTROL,
    }
)
"""The resources that are read."""


def attribute_of(kind: str, attribute: str) -> str:
    """The name in the file of an attribute of the type that `kind` is read as."""
    return LIKE[kind][1].get(attribute, attribute) if kind in LIKE else attribute


def like(kind: str, data: bytes) -> bytes:
    """Convert a resource's values to the attributes of the type that it is read as."""
    try:
        values = msgspec.json.decode(data)
    except msgspec.DecodeError:
        return data
    if not isinstance(values, dict):
        return data
    made = dict(values)
    for name, theirs in LIKE[kind][1].items():
        made.pop(name, None)
        if theirs in values:
            made[name] = values[theirs]
    for name in ("assume_role_policy", "policy"):
        if isinstance(made.get(name), dict):
            made[name] = json.dumps(made[name])
    if isinstance(made.get("inline_policy"), list):
        made["inline_policy"] = [
            {"name": item.get("policy_name"), "policy": _text(item.get("policy_document"))}
            for item in made["inline_policy"]
            if isinstance(item, dict)
        ]
    if isinstance(made.get("tags"), list):
        tags = [tag for tag in made["tags"] if isinstance(tag, dict) and isinstance(tag.get("key"), str)]
        made["tags"] = {tag["key"]: tag.get("value") for tag in tags}
    if isinstance(made.get("parameters"), list):
        listed = [parameter for parameter in made["parameters"] if isinstance(parameter, dict)]
        made["parameters"] = {str(item.get("parameter_key")): item.get("parameter_value") for item in listed}
    return json.dumps(made).encode()


def _text(document: Any) -> Any:
    return json.dumps(document) if isinstance(document, dict) else document


def read_stack(body: str | None, parameters: Mapping[str, str | None] | None, where: str, place: Place) -> SourcePart:
    """Read the template of a stack or stack set. If it cannot be read, the part notes that roles are missing.
    `parameters` is None where not even the names are known."""
    part = SourcePart(where)
    if body is None:
        part.unknown.append(UnknownPart("roles", "the template of this stack is not in the file", where))
        return part
    try:
        template = load_template(body.encode(), where)
        if parameters is None:
            parameters = every_unknown(template)
        return read_template(template, where, replace(place, parameters=parameters))
    except SourceError as error:
        part.unknown.append(UnknownPart("roles", error.what, error.where or where))
        return part
