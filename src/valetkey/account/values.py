"""An account as frozen values, for every source: AWS, a dump, a template or a plan.

Rules:
- None means that the source does not say. "None at all" is an empty tuple or mapping (`Role.boundary` is an exception).
- A policy document is unparsed JSON text (`Document`): byte for byte the source's text where the source has text, else
  written from the loaded value with duplicate keys kept. It may be an invalid policy or invalid JSON. Equal texts are
  one object, so that a text can be a cache key.
- `unknown` lists what could not be resolved, and `assumed` the assumptions that were made to resolve a value. An
  unknown part is None, or absent from its tuple or mapping; it is never guessed.
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
    """A value that the source does not know, with what the source says about it."""

    name: str
    """The name in the source: "ExternalId", "AWS::StackId", "aws_iam_role.ci.arn"."""
    reason: str
    """Why it is not known, as one sentence."""
    values: tuple[str, ...] = ()
    """The allowed values (AllowedValues); empty: any."""
    pattern: str = ""
    """A regular expression that matches the whole value (AllowedPattern, Java syntax)."""
    shortest: int = 0
    """The minimum length, in characters."""
    longest: int | None = None
    own: bool = False
    """Whether it is an attribute of a resource in the role's own account."""
    several: bool = False
    """Whether it is a list of such values."""
    service: str = ""
    """The service in the ARN, for the ARN of an own resource."""


@dataclass(frozen=True, slots=True)
class OpenDocument:
    """A policy document with unknown values, or with unknown choices between parts.

    INVARIANT: the document is one of the variants with one value for each symbol.
    """

    variants: tuple[tuple[str, Document], ...]
    """For each variant: when it applies ("UseId holds"; empty where there is no choice), and its text with the marks of
    symbols (`account.symbols`)."""
    symbols: tuple[Symbol, ...]
    """By the number in their mark."""


@dataclass(frozen=True, slots=True)
class UnknownPart:
    """A part that could not be read or resolved."""

    part: str
    """What is missing: "trust", "inline policy Read", "attached policies", "boundary", "name", "tags", ..."""
    reason: str
    """Why, as one sentence: "!Ref Partner is a parameter without a default"."""
    where: str
    """File and JSON path, or the call that was refused ("iam:ListRoles")."""

    @property
    def hides(self) -> bool:
        """Whether the part may hide a way in: a role, a trust policy or a permission. INVARIANT: true for a part that
        this version does not know."""
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
"""Parts that only make an answer more precise and cannot hide a way in. A boundary only removes permissions. A file
with a trust policy alone contains everything that was asked about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One role."""

    name: str
    """The logical id or address where AWS generates the name later; `assumed` says so."""
    arn: str
    """The account in it is NOBODY where no source names the account."""
    path: str
    account: str | None
    """12 digits."""
    partition: str
    where: str
    """File and JSON path ("dump.json: $.RoleDetailList[3]", "app.yaml: $.Resources.Auditor"), or the live call."""
    origin: Origin
    """Whether IAM returned these documents, or they are still to be sent. Every reader sets it."""
    trust: Document | None = None
    """The trust policy; None only with "trust" in `unknown`, or with `open_trust`."""
    open_trust: OpenDocument | None = None
    """The trust policy where some of its values are unknown; then `trust` is None."""
    trust_where: str = ""
    """File and JSON path of the trust policy; empty where it is not in a file."""
    attached: tuple[str, ...] = ()
    """ARNs of attached managed policies. `Account.policies` has their documents where the source contains them."""
    inline: Mapping[str, Document] = field(default_factory=dict)
    """Inline policies by name."""
    boundary: str | None = None
    """ARN of the permissions boundary; None: no boundary, unless "boundary" is in `unknown`."""
    max_session: int | None = None
    """Seconds."""
    description: str | None = None
    tags: Mapping[str, str] | None = None
    created: datetime | None = None
    last_used: datetime | None = None
    """Last use within 400 days (IAM User Guide, access_policies_last-accessed); aware. See `last_use_known`."""
    last_use_known: bool = False
    """Whether the source reports use at all. If True, `last_used` None means not used within those days."""
    unknown: tuple[UnknownPart, ...] = ()
    assumed: tuple[str, ...] = ()
    """The assumptions made to resolve this role, one sentence each: "parameter Partner has its default value"."""

    def why_unknown(self, part: str) -> UnknownPart | None:
        """The first entry of `unknown` for this part ("trust"), or None."""
        return next((unknown_part for unknown_part in self.unknown if unknown_part.part == part), None)


@dataclass(frozen=True, slots=True)
class User:
    """One user, as a trust policy can name it."""

    arn: str
    user_id: str | None = None
    """AIDA…"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account, or the part of it that the sources describe. With several accounts, each role names its own."""

    id: str | None
    """12 digits; None where no source names it, or there are several accounts."""
    partition: str
    roles: tuple[Role, ...]
    """Sorted by ARN. Templates may define one ARN twice; `Role.where` distinguishes the roles."""
    policies: Mapping[str, Document] = field(default_factory=dict)
    """The default version's document of each managed policy, AWS's and the account's own, by ARN."""
    users: tuple[User, ...] = ()
    providers: tuple[str, ...] | None = None
    """ARNs of the account's SAML and OIDC providers."""
    quotas: Mapping[str, int] = field(default_factory=dict)
    """Quotas and counts of GetAccountSummary, by name ("AssumeRolePolicySizeQuota"); empty where not known."""
    ids: tuple[str, ...] = ()
    """Every account that the sources are dumps of, or the one account."""
    sources: tuple[str, ...] = ()
    """The sources: file names, or "account 111122223333"."""
    skipped: tuple[str, ...] = ()
    """Skipped files of another kind, one sentence each: a package.json, a Kubernetes manifest."""
    unknown: tuple[UnknownPart, ...] = ()
    """What is missing for the account as a whole: denied calls, resources that could not be resolved."""
