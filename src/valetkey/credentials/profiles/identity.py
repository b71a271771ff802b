"""The contractor's base identity, from GetCallerIdentity."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from valetkey.account.calls import Call, CallError, Perform
from valetkey.errors import ValetkeyError


@dataclass(frozen=True)
class Identity:
    """The parsed response of GetCallerIdentity."""

    arn: str
    account: str
    """12 digits."""
    partition: str
    kind: str
    """The kind: "iam-user", "iam-role", "identity-center", "federated" or "root"."""
    name: str
    """The user's or the role's name; empty for root."""
    principal: str
    """The ARN in policies (aws:PrincipalArn): a user's own ARN, or the role of a role session. A session's ARN does not
    contain the role's path; `own_principal` looks it up."""
    user_id: str | None = None
    """An IAM user's unique id ("AIDA..."); None for other kinds, and if only the ARN is known."""


def identify(perform: Perform) -> Identity:
    """Return the caller's identity (GetCallerIdentity needs no permission). Raises CallError, ValetkeyError."""
    answer = perform(Call("sts", "get_caller_identity"))
    identity = parse_identity(answer["Arn"])
    unique = answer.get("UserId", "")
    is_known = identity.kind == "iam-user" and unique.startswith("AIDA")
    return dataclasses.replace(identity, user_id=unique) if is_known else identity


def parse_identity(arn: str) -> Identity:
    """Parse a caller's ARN (IAM User Guide, reference_policies_elements_principal). Raises ValetkeyError."""
    parts = arn.split(":", 5)
    if len(parts) == 6 and parts[0] == "arn":
        _, partition, service, _, account, resource = parts
        first, _, rest = resource.partition("/")
        match service, first:
            case "iam", "root":
                return Identity(arn, account, partition, "root", "", arn)
            case "iam", "user" if rest:
                return Identity(arn, account, partition, "iam-user", rest.rsplit("/", 1)[-1], arn)
            case "sts", "assumed-role" if rest:
                name = rest.split("/", 1)[0]
                # Identity Center's roles have this reserved prefix.
                kind = "identity-center" if name.startswith("AWSReservedSSO_") else "iam-role"
                role = f"arn:{partition}:iam::{account}:role/{name}"
                return Identity(arn, account, partition, kind, name, role)
            case "sts", "federated-user" if rest:
                return Identity(arn, account, partition, "federated", rest, arn)
    raise ValetkeyError(
        f"AWS says you are {arn}, which is neither a user nor a role",
        do="sign in as an IAM user or a role, or name one of your profiles with --profile",
        where="sts:GetCallerIdentity",
    )


def own_principal(perform: Perform, identity: Identity) -> Identity:
    """Return the identity with its role's full ARN, path included, if iam:GetRole on that role is allowed."""
    if identity.kind not in ("iam-role", "identity-center"):
        return identity
    try:
        role = perform(Call("iam", "get_role", {"RoleName": identity.name}))["Role"]
    except CallError as error:
        if error.code not in ("AccessDenied", "AccessDeniedException"):
            raise
        return identity
    return dataclasses.replace(identity, principal=role["Arn"])


def refuse_root(identity: Identity) -> None:
    """Raise ValetkeyError for the root user, which cannot assume roles (IAM User Guide, id_root-user)."""
    if identity.kind == "root":
        raise ValetkeyError(
            f"you are signed in as the root user of {identity.account}, which AWS does not let assume roles",
            do="make an IAM user with an authenticator app (TOTP) as MFA device, and sign in as that user",
            where="sts:GetCallerIdentity",
        )
