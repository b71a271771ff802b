"""The role as a CloudFormation template: a file that the owner uploads.

Rules:
- No parameters: account, ExternalId and end date are in the template, so they need not be typed and a link cannot
  change them. The role's ARN is an output.
- The template is JSON, and the same request always gives the same bytes, so templates can be compared byte for byte.
"""

from __future__ import annotations

import json
from typing import Any

from valetkey.exchange.texts.roles import WantedRole
from valetkey.trust.writing import write_trust

LOGICAL = "ContractorRole"
CAPABILITY = "CAPABILITY_NAMED_IAM"
"""The capability that the owner acknowledges: the template creates a role with a custom name."""


def write(role: WantedRole) -> str:
    """Return the template's text. Raises what `write_trust` raises."""
    properties: dict[str, Any] = {
        "RoleName": role.name,
        "Description": role.description,
        "MaxSessionDuration": role.max_session,
        "AssumeRolePolicyDocument": write_trust(role.terms),
        "ManagedPolicyArns": list(role.managed),
    }
    if role.inline:
        properties["Policies"] = [
            {"PolicyName": name, "PolicyDocument": document} for name, document in role.inline.items()
        ]
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": role.description,
        "Resources": {LOGICAL: {"Type": "AWS::IAM::Role", "Properties": properties}},
        "Outputs": {
            "RoleArn": {
                "Description": f"Send this ARN to account {role.terms.contractor}",
                "Value": {"Fn::GetAtt": [LOGICAL, "Arn"]},
            }
        },
    }
    return json.dumps(template, indent=2, ensure_ascii=True) + "\n"
