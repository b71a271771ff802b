"""The users and roles of the contractor that terms may name.

A user or a role of the contractor's account: not root, not a session, no wildcard except for the random suffix of an
Identity Center role.
"""

from __future__ import annotations

import re

from valetkey.errors import PolicyError, shown
from valetkey.policy.arns import Arn, is_account, parse_arn

# The role that Identity Center creates for a permission set: a random suffix, in a path that is reserved for it
# (singlesignon: "Referencing permission sets in resource policies"). If Identity Center's home region is us-east-1,
# the path ends in `sso.amazonaws.com/`; otherwise the region follows.
_RESERVED_SSO = re.compile(
    r"role/aws-reserved/sso\.amazonaws\.com/([a-z0-9-]+/)?AWSReservedSSO_[\w+=,.@-]+_\*", re.ASCII
)
# The same role without its path, or its session: what a person copies from GetCallerIdentity.
_BARE_SSO = re.compile(
    r"(?:role/(?!aws-reserved/)(?:[!-~]*/)?|assumed-role/)(AWSReservedSSO_[\w+=,.@*-]+)(?:/.*)?", re.ASCII
)
_NAMED = re.compile(r"(user|role)/([!-~]*/)?[\w+=,.@-]{1,64}", re.ASCII)


def quoted(name: str) -> str:
    """The ARN of a user or role in a message. A path may have 512 characters."""
    return shown(name, 200)


def sso_role_forms(arn: str) -> tuple[str, ...]:
    """The possible ARNs of an Identity Center role of which only the name is known; for other ARNs the ARN itself.

    A session's ARN does not contain its role's path, and the path depends on Identity Center's home region: REGION is
    the placeholder for a region other than us-east-1.
    """
    head, _, name = arn.partition(":role/")
    if not name.startswith("AWSReservedSSO_"):
        return (arn,)
    path = f"{head}:role/aws-reserved/sso.amazonaws.com/"
    return f"{path}REGION/{name}", f"{path}{name}"


def trouble(text: str, *, contractor: str, partition: str, may_be_wild: bool) -> tuple[str, str] | None:
    """What is wrong with a name, and what to do; None if terms may contain it. `may_be_wild`: a `*` for the random
    suffix of an Identity Center role, with its path, is allowed."""
    try:
        arn = parse_arn(text)
    except PolicyError as error:
        return error.what, error.do
    if (name := _BARE_SSO.fullmatch(arn.resource)) is not None:
        with_region, without = sso_role_forms(f"arn:{arn.partition}:iam::{arn.account}:role/{name[1]}")
        what = f"{quoted(text)} is a role of Identity Center without its path, and AWS has no such role"
        home = f"name {without} where their Identity Center is in us-east-1"
        return what, f"{home}, else {with_region} with its region for REGION"
    wrong = _wrong(arn, contractor, partition, may_be_wild=may_be_wild)
    if wrong is None:
        return None
    example = f"arn:{partition}:iam::{contractor}:user/alice"
    return f"{quoted(text)} {wrong}", f"name a user or role of the contractor, like {example}"


def _wrong(arn: Arn, contractor: str, partition: str, *, may_be_wild: bool) -> str | None:
    if arn.service == "sts":
        return "is a session, which expires: name its role instead"
    if arn.resource == "root":
        return "is the account's root user, which cannot assume a role"
    if arn.service != "iam" or arn.region or not is_account(arn.account):
        return "is not a user or role"
    if arn.account != contractor:
        return f"is not in the contractor's account {contractor}"
    if arn.partition != partition:
        return f"is not in the partition {partition}"
    if may_be_wild and _RESERVED_SSO.fullmatch(arn.resource):
        return None
    if any(sign in arn.resource for sign in "*?$"):
        return (
            "contains a wildcard or a variable: the only one is the `*` for the random suffix of a role "
            "aws-reserved/sso.amazonaws.com/REGION/AWSReservedSSO_NAME_*, in --only (without REGION/ for us-east-1)"
        )
    if not _NAMED.fullmatch(arn.resource):
        return "is not a user or role"
    return None
