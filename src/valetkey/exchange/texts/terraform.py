"""The role as a Terraform configuration. The owner's provider settings decide account and region."""

from __future__ import annotations

from valetkey.exchange.texts.hcl import Encoded, Expression, HclBlock, HclValue, hcl
from valetkey.exchange.texts.roles import WantedRole
from valetkey.trust.writing import write_trust

_ROLE = "aws_iam_role.contractor"


def write(role: WantedRole) -> str:
    """Return the configuration. Policies that allow depend on the deny, which is created first. Raises what
    `write_trust` raises."""
    source = {"source": "hashicorp/aws", "version": ">= 4.0"}
    blocks = [
        HclBlock("terraform", blocks=(HclBlock("required_providers", settings={"aws": source}),)),
        HclBlock(
            "resource",
            ("aws_iam_role", "contractor"),
            {
                "name": role.name,
                "description": role.description,
                "max_session_duration": role.max_session,
                "assume_role_policy": Encoded(write_trust(role.terms)),
            },
        ),
    ]
    denies = []
    for number, (name, document) in enumerate(role.inline.items(), 1):
        denies.append(Expression(f"aws_iam_role_policy.deny_{number}"))
        settings: dict[str, HclValue] = {"name": name, "role": Expression(f"{_ROLE}.name"), "policy": Encoded(document)}
        blocks.append(HclBlock("resource", ("aws_iam_role_policy", f"deny_{number}"), settings))
    for number, arn in enumerate(role.managed, 1):
        settings = {"role": Expression(f"{_ROLE}.name"), "policy_arn": arn}
        settings |= {"depends_on": tuple(denies)} if denies else {}
        blocks.append(HclBlock("resource", ("aws_iam_role_policy_attachment", f"policy_{number}"), settings))
    about = f"Send this ARN to account {role.terms.contractor}"
    blocks.append(HclBlock("output", ("role_arn",), {"description": about, "value": Expression(f"{_ROLE}.arn")}))
    return hcl(blocks)
