"""The caller of a request, and the callers that a Principal element names.

Source: IAM User Guide, reference_policies_elements_principal and reference_policies_elements_notprincipal.
A Principal element can name a caller in several ways: a role session as itself, as its role and as part of its
account. The way decides which other policies must allow (`NamedBy`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Literal

from valetkey.errors import PolicyError, shown
from valetkey.policy.arns import PARTITIONS, Arn, is_account, parse_arn
from valetkey.policy.undecided import not_known


class NamedBy(IntEnum):
    """How a statement names the caller. The greater, the fewer other policies must allow in the same account."""

    NONE = 0
    ACCOUNT = 1
    """By the account: this delegates to the caller's own policies, which must allow too."""
    ROLE = 2
    """By the role's ARN: boundary and session policy limit the caller; identity policies need not allow."""
    DIRECT = 3
    """By the user, the session, the service, the provider, or `*`: no other policy of the same account need allow."""


PrincipalKind = Literal[
    "user", "role", "session", "root", "federated user", "service", "provider", "anonymous", "canonical user"
]

_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+(:[0-9]+)?(/[A-Za-z0-9._/-]*)?")
_SERVICE = re.compile(
    r".*\.(amazonaws\.com(\.cn)?|amazonaws\.eu|amazon\.com|c2s\.ic\.gov|sc2s\.sgov\.gov|aws\.internal)"
)
# Identity providers whose bare name looks like that of a service.
_PROVIDERS = frozenset({"cognito-identity.amazonaws.com", "www.amazon.com"})
_UNIQUE_ID = re.compile(r"(AIDA|AROA)[A-Z0-9]{12,124}")
# Of the entities with unique ids, only users and roles are principals (reference_identifiers, unique ID prefixes).
_OTHER_IDS = re.compile(r"(ABIA|ACCA|AGPA|AIPA|AKIA|ANPA|ANVA|APKA|ASCA|ASIA)[A-Z0-9]{12,124}")
# What may follow the account in a principal's ARN (IAM and STS API references: pathType, userNameType, roleNameType,
# roleSessionNameType, userNameType of GetFederationToken).
_RESOURCES = {
    "iam": re.compile(r"root|(user|role)/([!-~]*/)?[\w+=,.@-]{1,64}", re.ASCII),
    "sts": re.compile(r"assumed-role/[\w+=,.@-]{1,64}/[\w+=,.@-]{1,64}|federated-user/[\w+=,.@-]{2,32}", re.ASCII),
}
# Bucket policies name CloudFront's identities with "cloudfront" in place of the account.
_ORIGIN_ACCESS = re.compile(r"arn:aws[a-z-]*:iam::cloudfront:user/CloudFront Origin Access Identity [A-Z0-9]{1,64}")
_CANONICAL = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request, parsed from one text."""

    text: str
    kind: PrincipalKind
    partition: str | None
    account: str | None
    names: tuple[tuple[str, NamedBy], ...]
    """Every name that a Principal element can use for the caller, the most direct first, a bare account id last."""
    groups: tuple[tuple[str, ...], ...]
    """The names that NotPrincipal must list to exempt the caller: one of each group."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """The condition keys that follow from the caller (reference_policies_condition-keys)."""

    unsigned: bool = field(init=False)
    """Whether the caller has no IAM identity of its own, so that only the resource's side decides."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "unsigned", is_unsigned(self.kind))


def is_unsigned(kind: PrincipalKind) -> bool:
    """Whether callers of this kind have no IAM identity of their own. Raises NotDecided for an unknown kind."""
    match kind:
        case "service" | "provider" | "anonymous":
            return True
        case "user" | "role" | "session" | "root" | "federated user" | "canonical user":
            return False
        case never:
            raise not_known(never)


def id_prefix(kind: PrincipalKind) -> str | None:
    """The prefix of the unique ids by which a Principal element can name callers of this kind, or None."""
    match kind:
        case "user":
            return "AIDA"
        case "role" | "session":
            return "AROA"
        case "root" | "federated user" | "service" | "provider" | "anonymous" | "canonical user":
            return None
        case never:
            raise not_known(never)


@lru_cache(maxsize=4096)
def read_caller(text: str) -> Caller:
    """Parse a Request's principal. Raises PolicyError.

    Accepts the ARN of a user, role, role session, federated user, account root or identity provider; a service
    ("ec2.amazonaws.com"); a provider's bare name ("accounts.google.com"); a canonical user id; and "anonymous".
    """
    if text.startswith("arn:"):
        return _arn_caller(text, parse_arn(text))
    if text == "anonymous":
        keys = {"aws:principaltype": "Anonymous", "aws:userid": "anonymous"}
        return Caller(text, "anonymous", None, None, (), ((),), keys)
    if _CANONICAL.fullmatch(text):
        name = f"canonical:{text}"
        return Caller(text, "canonical user", None, None, ((name, NamedBy.ACCOUNT),), ((name,),))
    if len(text) < 256 and _HOST.fullmatch(text):
        if _SERVICE.fullmatch(text) and text not in _PROVIDERS:
            name = f"service:{text}"
            keys = {"aws:principalisawsservice": "true", "aws:principalservicename": text}
            return Caller(text, "service", None, None, ((name, NamedBy.DIRECT),), ((name,),), keys)
        names = (f"federated:{text}", f"federated-host:{text}")
        return Caller(text, "provider", None, None, tuple((name, NamedBy.DIRECT) for name in names), (names,))
    raise PolicyError(
        f"{shown(text)} is not a caller",
        do="name one user, role, session or provider by its ARN, or a service like ec2.amazonaws.com",
        where="principal",
    )


def _arn_caller(text: str, arn: Arn) -> Caller:
    if not is_account(arn.account):
        raise PolicyError(f"{shown(text)} has no account", do="name the caller by its full ARN", where="principal")
    account = arn.account
    root = f"arn:{arn.partition}:iam::{account}:root"
    whole = ((root, NamedBy.ACCOUNT), (account, NamedBy.ACCOUNT))
    keys = {"aws:principalarn": text, "aws:principalaccount": account, "aws:principalisawsservice": "false"}

    def caller(kind: PrincipalKind, own: tuple[tuple[str, NamedBy], ...], **more: str) -> Caller:
        keys.update({f"aws:{name}": value for name, value in more.items()})
        groups = (*((name,) for name, _ in own), (root, account))
        return Caller(text, kind, arn.partition, account, (*own, *whole), groups, keys)

    match arn.service, arn.resource.split("/"):
        case "iam", ["root"]:
            keys |= {"aws:principaltype": "Account", "aws:userid": account}
            names = ((root, NamedBy.DIRECT), (account, NamedBy.DIRECT))
            return Caller(text, "root", arn.partition, account, names, ((root, account),), keys)
        case "iam", ["user", *_, name] if name:
            return caller("user", ((text, NamedBy.DIRECT),), principaltype="User", username=name)
        case "iam", ["role", *_, name] if name:
            return caller("role", ((_role(arn.partition, account, name), NamedBy.ROLE),), principaltype="AssumedRole")
        case "sts", ["assumed-role", name, session] if name and session:
            # The session's ARN does not contain the role's path: role names are unique without it.
            keys["aws:principalarn"] = role = _role(arn.partition, account, name)
            return caller("session", ((text, NamedBy.DIRECT), (role, NamedBy.ROLE)), principaltype="AssumedRole")
        case "sts", ["federated-user", name] if name:
            own = ((text, NamedBy.DIRECT),)
            return caller("federated user", own, principaltype="FederatedUser", userid=f"{account}:{name}")
        # An issuer's URL may end in a slash, as those of Entra ID do; then its provider's ARN does too.
        case "iam", ["saml-provider", *_, name] | ["oidc-provider", name, *_] if name:
            name = f"federated:{text}"
            return Caller(text, "provider", arn.partition, account, ((name, NamedBy.DIRECT),), ((name,),))
    raise PolicyError(
        f"{shown(text)} is not a caller",
        do="name a user, role, assumed-role, federated-user, root or identity provider",
        where="principal",
    )


def _role(partition: str, account: str, name: str) -> str:
    """The role's ARN without the path, for matching: a session's ARN does not contain the path."""
    return f"arn:{partition}:iam::{account}:role/{name}"


@dataclass(frozen=True, slots=True)
class UnreadPrincipal:
    """An entry of a Principal element for which it is unknown which callers it names."""

    text: str
    """The entry, short and escaped."""
    why: str
    """A predicate: "is not an AWS principal"."""
    where: str
    """JSON path."""

    def __str__(self) -> str:
        return f"{self.text} {self.why}"


@dataclass(frozen=True, slots=True)
class Principals:
    """A Principal or NotPrincipal element, as in the document."""

    everyone: bool = False
    """Whether it is `"*"`, or has `*` among the AWS entries."""
    aws: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    federated: tuple[str, ...] = ()
    canonical: tuple[str, ...] = ()
    bare: bool = field(default=False, compare=False)
    """Whether it is the text `"*"` instead of an object."""
    unread: tuple[UnreadPrincipal, ...] = ()
    """Entries that only `lenient` accepts. They match no caller; a proof about the other entries does not cover them
    (`legible`)."""

    @property
    def empty(self) -> bool:
        """Whether it has no entries. An empty Principal "does not affect the policy" (access-analyzer-reference-policy-
        checks, "Empty array principal"); an empty NotPrincipal is undocumented."""
        return not (self.everyone or self.aws or self.services or self.federated or self.canonical or self.unread)

    def __str__(self) -> str:
        named = ("*",) * self.everyone + self.aws + self.services + self.federated + self.canonical
        return ", ".join(named) or "nobody"


def read_aws(text: str) -> str | None:
    """The name by which an entry under "AWS" matches, or None when AWS rejects the entry (wildcards included).

    Accepts an account id or root ARN, the ARN of a user, role, role session or federated user, and the unique id of a
    user (AIDA…) or role (AROA…), see `Origin`.

    INVARIANT: every returned name is one that a caller can have; any other name would silently match nothing.
    """
    if is_account(text) or is_unique_id(text) or _ORIGIN_ACCESS.fullmatch(text):
        return text
    if "*" in text or "?" in text:
        return None
    parts = text.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn" or parts[1] not in PARTITIONS or parts[3] or not is_account(parts[4]):
        return None
    resource = _RESOURCES.get(parts[2])
    if resource is None or not resource.fullmatch(parts[5]):
        return None
    return read_caller(text).names[0][0]


def is_unique_id(text: str) -> bool:
    """Whether this is the unique id of a user (AIDA…) or role (AROA…) (reference_identifiers)."""
    return _UNIQUE_ID.fullmatch(text) is not None


def why_unread(kind: str, text: str) -> str:
    """Why AWS rejects an entry under this kind, as a predicate."""
    if kind == "AWS" and _OTHER_IDS.fullmatch(text):
        return "is a unique id, but not of a user (AIDA...) or role (AROA...)"
    return f"is not {'an AWS' if kind == 'AWS' else f'a {kind}'} principal"
