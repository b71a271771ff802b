"""The access terms of a trust: who may come in, under which conditions, until when; and which terms there may be.

Rules (`check_terms`):
- Every field is inside AWS's limits, so that nothing is written that could never be used (an ExternalId of one
  character is accepted by IAM and can never be sent to STS).
- Whoever is named is a user or role of the contractor's account: not root (as a value of aws:PrincipalArn that is the
  root user alone, who cannot assume roles), not a session (it ends), no wildcard but the random suffix of an
  Identity Center role.
- MFA exists only for IAM users: sessions of a role, of Identity Center and of federated users never carry it
  (reference_policies_condition-keys), so MFA and named roles exclude each other. Without MFA somebody must be named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from valetkey.catalog import limits
from valetkey.errors import PolicyError, ValetkeyError, shown
from valetkey.policy.arns import Arn, is_account, parse_arn
from valetkey.policy.principals import is_unique_id

_LAST_YEAR = 9000
"""Years have four digits, and times around the end are tried."""


class TermsError(ValetkeyError):
    """Terms that no trust may be written for. `where` is the field of Terms."""


@dataclass(frozen=True)
class Terms:
    """What a trust policy shall admit, known before any role exists. `only` and `pin` are sets: kept sorted."""

    contractor: str
    """The contractor's account: 12 digits."""
    partition: str = "aws"
    external_id: str | None = None
    """The required sts:ExternalId, or None for none."""
    mfa: bool = True
    """Whether aws:MultiFactorAuthPresent must be true."""
    mfa_max_age: int | None = None
    """Seconds since MFA at most (aws:MultiFactorAuthAge), or None for no limit. Needs `mfa`."""
    only: tuple[str, ...] = ()
    """User or role ARNs of the contractor, checked through aws:PrincipalArn; empty: anyone of the account.
    They need not exist yet. `AWSReservedSSO_NAME_*` may end in a wildcard for the random suffix."""
    pin: tuple[str, ...] = ()
    """User or role ARNs put into Principal: they must exist and are bound to their unique ids by AWS.
    Read back from AWS, a unique id (AIDA…, AROA…) stands for one that has been deleted since."""
    name_people: bool = False
    """Require sts:RoleSessionName = ${aws:username} (IAM users only)."""
    source_identity: bool = False
    """Admit sts:SetSourceIdentity."""
    session_tags: bool = False
    """Admit sts:TagSession."""
    until: datetime | None = None
    """End (aware, UTC, whole seconds): aws:CurrentTime must be before it."""

    def __post_init__(self) -> None:
        # AWS gives the principals of a document back in another order than they were written in.
        object.__setattr__(self, "only", tuple(sorted(set(self.only))))
        object.__setattr__(self, "pin", tuple(sorted(set(self.pin))))

    @property
    def root(self) -> str:
        """The contractor's account as a principal: everyone in it whom its own policies let."""
        return f"arn:{self.partition}:iam::{self.contractor}:root"

    @property
    def orphans(self) -> tuple[str, ...]:
        """Pinned principals that have been deleted: nobody comes in through them, not even a namesake
        (reference_policies_elements_principal)."""
        return tuple(each for each in self.pin if is_unique_id(each))


def check_terms(terms: Terms) -> None:
    """Raise TermsError or LimitError, with the rule, unless a trust may be written for these terms."""
    limits.check("account id", terms.contractor)
    try:
        parse_arn(terms.root)
    except PolicyError as error:
        raise TermsError(error.what, do=error.do, where="partition") from None
    if terms.external_id is not None:
        limits.check("external id", terms.external_id)
    _check_mfa_age(terms)
    if terms.only and terms.pin:
        raise TermsError(
            "--only and --pin both say who may come in",
            do="use --only for principals that may still change, --pin to bind them to their unique ids",
            where="only",
        )
    for field, names in (("only", terms.only), ("pin", terms.pin)):
        for name in names:
            _check_principal(terms, field, name)
    _check_kinds(terms)
    if terms.until is not None and (terms.until.utcoffset() is None or terms.until.microsecond):
        raise TermsError(
            "the end must be a time with a zone and in whole seconds",
            do="write it like 2027-01-31T00:00:00Z",
            where="until",
        )
    if terms.until is not None and terms.until.year > _LAST_YEAR:
        raise TermsError(
            f"an end after the year {_LAST_YEAR} is no end", do="leave it out for terms without an end", where="until"
        )


def _check_mfa_age(terms: Terms) -> None:
    age = terms.mfa_max_age
    if age is None:
        return
    if not terms.mfa:
        raise TermsError(
            "a maximum age of MFA needs MFA to be required", do="require MFA or leave the age out", where="mfa_max_age"
        )
    if isinstance(age, bool) or not 1 <= age <= limits.MFA_SESSION_MAX:
        raise TermsError(
            f"the maximum age of MFA must be 1 to {limits.MFA_SESSION_MAX} seconds",
            do="an MFA session never lasts longer than 36 hours (GetSessionToken), so a larger age limits nothing",
            where="mfa_max_age",
        )


def _check_kinds(terms: Terms) -> None:
    named = terms.only + terms.pin
    roles = [name for name in named if ":role/" in name]
    if not terms.mfa and not named:
        raise TermsError(
            "without MFA the trust must name who may come in",
            do="name users or roles of the contractor with --only or --pin, or require MFA",
            where="mfa",
        )
    if terms.mfa and roles:
        raise TermsError(
            f"{shown(roles[0], 200)} is a role, and the session of a role never carries MFA: it could never come in",
            do="name IAM users, or do without MFA",
            where="only" if terms.only else "pin",
        )
    if terms.name_people and roles:
        raise TermsError(
            f"only IAM users have a user name to tie the session name to, and {shown(roles[0], 200)} is a role",
            do="name IAM users, or leave --name-people out",
            where="name_people",
        )
    short = [name for name in named if ":user/" in name and len(name.rsplit("/", 1)[1]) < _SHORTEST_SESSION_NAME]
    if terms.name_people and short:
        raise TermsError(
            f"{shown(short[0], 200)} has a name of one character, and a session name has two at least: that user could "
            "never come in",
            do="leave --name-people out, or name a user with a longer name",
            where="name_people",
        )


_SHORTEST_SESSION_NAME = 2
"""Characters (STS API reference, roleSessionNameType)."""


# The role that Identity Center makes for a permission set: a random suffix, in a path nobody else can create in
# (singlesignon: "Referencing permission sets in resource policies"). Where Identity Center's home region is us-east-1
# the path ends in `sso.amazonaws.com/`; everywhere else the region follows.
_RESERVED_SSO = re.compile(
    r"role/aws-reserved/sso\.amazonaws\.com/([a-z0-9-]+/)?AWSReservedSSO_[\w+=,.@-]+_\*", re.ASCII
)
_NAMED = re.compile(r"(user|role)/([!-~]*/)?[\w+=,.@-]{1,64}", re.ASCII)


def sso_role_forms(arn: str) -> tuple[str, ...]:
    """The ARNs that a role of Identity Center may have of which only the name is known, or the ARN itself.

    A session's ARN does not hold its role's path, and the path depends on Identity Center's home region: REGION stands
    for it where it is not us-east-1.
    """
    head, _, name = arn.partition(":role/")
    if not name.startswith("AWSReservedSSO_"):
        return (arn,)
    path = f"{head}:role/aws-reserved/sso.amazonaws.com/"
    return f"{path}REGION/{name}", f"{path}{name}"


def _check_principal(terms: Terms, field: str, text: str) -> None:
    try:
        arn = parse_arn(text)
    except PolicyError as error:
        raise TermsError(error.what, do=error.do, where=field) from None
    trouble = _trouble(terms, field, arn)
    if trouble:
        raise TermsError(
            f"{shown(text, 200)} {trouble}",
            do=f"name a user or role of the contractor, like arn:{terms.partition}:iam::{terms.contractor}:user/alice",
            where=field,
        )


def _trouble(terms: Terms, field: str, arn: Arn) -> str | None:
    if arn.service == "sts":
        return "is a session, which ends: the role behind it is meant"
    if arn.resource == "root":
        return "is the account's root user, who cannot assume a role"
    if arn.service != "iam" or arn.region or not is_account(arn.account):
        return "is no user or role"
    if arn.account != terms.contractor:
        return f"is not in the contractor's account {terms.contractor}"
    if arn.partition != terms.partition:
        return f"is not in the partition {terms.partition}"
    if field == "only" and _RESERVED_SSO.fullmatch(arn.resource):
        return None
    if any(sign in arn.resource for sign in "*?$"):
        return (
            "holds a wildcard or a variable: the only one is the `*` for the random suffix of a role "
            "aws-reserved/sso.amazonaws.com/REGION/AWSReservedSSO_NAME_*, in --only (without REGION/ for us-east-1)"
        )
    if not _NAMED.fullmatch(arn.resource):
        return "is no user or role"
    return None
