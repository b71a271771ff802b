"""Names of roles that AWS services create for access from other accounts of an organization.

Sources (read 2026-11-29): AWS Organizations User Guide, orgs_manage_accounts_access-cross-account-role; CloudFormation
User Guide, stacksets-prereqs-self-managed and stacksets-orgs-activate-trusted-access; AWS Control Tower User Guide,
roles-how; IAM Identity Center User Guide, referencingpermissionsets.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

_MANAGEMENT = "your organization's management account"


@dataclass(frozen=True, slots=True)
class UsualRole:
    """A role that an AWS service creates under such a name."""

    names: str
    """A pattern with `*` as a wildcard, as in fnmatch."""
    what: str
    whose: str
    """The account that it usually trusts."""


ROLES: tuple[UsualRole, ...] = (
    UsualRole(
        "OrganizationAccountAccessRole",
        "AWS Organizations makes a role of this name in an account that it creates",
        _MANAGEMENT,
    ),
    UsualRole(
        "stacksets-exec-*",
        "CloudFormation StackSets makes roles of such names in an organization's accounts",
        f"{_MANAGEMENT} or its delegated administrator",
    ),
    UsualRole(
        "AWSCloudFormationStackSetExecutionRole",
        "CloudFormation StackSets uses a role of this name",
        "the account that administers your stack sets",
    ),
    UsualRole("AWSControlTowerExecution", "AWS Control Tower makes a role of this name", _MANAGEMENT),
    UsualRole(
        "aws-controltower-*",
        "AWS Control Tower makes roles of such names",
        f"{_MANAGEMENT} or its audit account",
    ),
    UsualRole("AWSReservedSSO_*", "IAM Identity Center makes roles of such names", _MANAGEMENT),
)


def usual_role(name: str) -> UsualRole | None:
    """Return what a role of this name usually is, or None."""
    return next((role for role in ROLES if fnmatchcase(name, role.names)), None)
