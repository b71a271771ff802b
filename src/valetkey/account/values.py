"""An account as frozen values, whatever it was read from: AWS itself, a dump, a template or a plan.

Rules:
- None means that the source does not say, never "none": an empty tuple or mapping does (`Role.boundary` says its own).
- A policy document is JSON text (`Document`), unparsed: byte for byte as the source has it where the source holds
  text, else written from what was read with every pair kept, a key given twice included. It need be no valid policy,
  nor JSON at all; equal texts are one object, so that a text serves as the key of a cache.
- What could not be resolved is in `unknown`; where an assumption was made to resolve it, that is in `assumed`. The
  part that is unknown is None, or left out of its tuple or mapping, and never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from valetkey.policy.origin import Origin

Document = str
"""A policy document as JSON text."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A value that the source does not know, with what it says of it."""

    name: str
    """As people know it: "ExternalId", "AWS::StackId", "aws_iam_role.ci.arn"."""
    reason: str
    """Why it is not known, as one sentence."""
    values: tuple[str, ...] = ()
    """The only values that it may have (AllowedValues); empty: any."""
    pattern: str = ""
    """What a value fits as a whole (AllowedPattern, a regular expression of Java's)."""
    shortest: int = 0
    """Characters that it has at least."""
    longest: int | None = None
    own: bool = False
    """Whether it belongs to something in the role's own account: an attribute of a resource of the template."""
    several: bool = False
    """Whether it is a list of such values."""
    service: str = ""
    """Of the ARN of an own resource: the service in it."""


@dataclass(frozen=True, slots=True)
class OpenDocument:
    """A policy document in which some values, or the choice between some parts, are not known.

    INVARIANT: the document is one of the variants with one value for each symbol.
    """

    variants: tuple[tuple[str, Document], ...]
    """When it is this one ("condition UseId holds"; empty where there is no choice), and its text with the marks of
    symbols (`account.symbols`)."""
    symbols: tuple[Symbol, ...]
    """By the number in their mark."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A part that could not be read or resolved."""

    part: str
    """What is missing: "trust", "inline policy Read", "attached policies", "boundary", "name", "tags", ..."""
    reason: str
    """Why, as one sentence: "!Ref Partner is a parameter without a default"."""
    where: str
    """File and JSON path, or the call that was refused ("iam:ListRoles")."""

    @property
    def hides(self) -> bool:
        """Whether a way in may be behind it: a role, a trust policy or a permission. INVARIANT: a part that this
        version does not know hides one."""
        return self.part not in _SHARPENS


_SHARPENS = frozenset(
    {
        "account",
        "all but the trust policy",
        "boundary",
        "created",
        "description",
        "descriptions and session limits",
        "identity providers",
        "last use",
        "name",
        "quotas",
        "session limit",
        "tags",
    }
)
"""Parts that make an answer more precise, and behind which nobody is admitted. A boundary only takes away. The file
of a bare trust policy holds all that was asked about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One role."""

    name: str
    """Where AWS makes it up later: the logical id or address, which `assumed` says."""
    arn: str
    """With NOBODY as the account where no source names it."""
    path: str
    account: str | None
    """12 digits."""
    partition: str
    where: str
    """File and JSON path ("dump.json: $.RoleDetailList[3]", "app.yaml: $.Resources.Auditor"), or the live call."""
    origin: Origin
    """Whether IAM has returned these documents, or they are still to be sent to it. Every reader says which."""
    trust: Document | None = None
    """The trust policy; None only with "trust" in `unknown`, or with `open_trust`."""
    open_trust: OpenDocument | None = None
    """The trust policy where some of its values are not known; then `trust` is None."""
    trust_where: str = ""
    """File and JSON path of the trust policy; empty where it is in no file."""
    attached: tuple[str, ...] = ()
    """ARNs of attached managed policies; their documents are in `Account.policies`, where the source has them."""
    inline: Mapping[str, Document] = field(default_factory=dict)
    """Inline policies by name."""
    boundary: str | None = None
    """ARN of the permissions boundary; None: has none, unless "boundary" is in `unknown`."""
    max_session: int | None = None
    """Seconds."""
    description: str | None = None
    tags: Mapping[str, str] | None = None
    created: datetime | None = None
    last_used: datetime | None = None
    """Last use within 400 days (IAM User Guide, access_policies_last-accessed); aware. See `last_use_known`."""
    last_use_known: bool = False
    """Whether the source reports use at all: with it, `last_used` None means never used within those days."""
    unknown: tuple[Unknown, ...] = ()
    assumed: tuple[str, ...] = ()
    """What was taken for granted to resolve this role, one sentence each: "parameter Partner has its default value"."""

    def why_unknown(self, part: str) -> Unknown | None:
        """What kept this part ("trust") from being resolved, or None."""
        return next((each for each in self.unknown if each.part == part), None)


@dataclass(frozen=True, slots=True)
class User:
    """One user, as far as a trust policy may name it."""

    arn: str
    user_id: str | None = None
    """AIDA…"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account, or the part of it that the sources tell; or several, of which each role says its own."""

    id: str | None
    """12 digits; None where no source says it, or they are of several accounts."""
    partition: str
    roles: tuple[Role, ...]
    """By ARN. Templates may define one ARN twice; `Role.where` tells them apart."""
    policies: Mapping[str, Document] = field(default_factory=dict)
    """Managed policies by ARN, AWS's and the account's own: the document of the default version."""
    users: tuple[User, ...] = ()
    providers: tuple[str, ...] | None = None
    """ARNs of the account's SAML and OIDC providers."""
    quotas: Mapping[str, int] = field(default_factory=dict)
    """GetAccountSummary's numbers by their name there ("AssumeRolePolicySizeQuota"); empty where not known."""
    ids: tuple[str, ...] = ()
    """Every account that the sources are dumps of."""
    sources: tuple[str, ...] = ()
    """What it was read from: file names, or "account 111122223333"."""
    skipped: tuple[str, ...] = ()
    """Files among others that are of another kind, one sentence each: a package.json, a Kubernetes manifest."""
    unknown: tuple[Unknown, ...] = ()
    """What is missing for the account as a whole: calls that were refused, resources that could not be resolved."""
