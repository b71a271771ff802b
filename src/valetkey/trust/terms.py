"""The terms of a trust policy (which callers are admitted, under which conditions, until when), and their validation.

Rules (`check_terms`):
- Every field is within AWS's limits, so that nothing unusable is written (IAM accepts an ExternalId of one character,
  which cannot be sent to STS).
- A named principal is a user or role of the contractor's account: not root (as a value of aws:PrincipalArn this is only
  the root user, which cannot assume roles), not a session (it expires), no wildcard except for the random suffix of an
  Identity Center role.
- MFA exists only for IAM users: sessions of a role, of Identity Center and of federated users never have it
  (reference_policies_condition-keys), so MFA and named roles exclude each other. Without MFA, the terms must name
  principals, or have `whole_account` and an ExternalId that cannot be guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from valetkey.catalog import limits
from valetkey.catalog.external_ids import guessable
from valetkey.errors import PolicyError, ValetkeyError, shown
from valetkey.policy.arns import parse_arn
from valetkey.policy.principals import is_unique_id
from valetkey.times import moment
from valetkey.trust.named_principals import quoted, trouble
from valetkey.trust.term_rows import OptionKind, Term, table, term

_LAST_YEAR = 9000
"""Below 9999, because years have four digits and proofs also use times after the end."""


class TermsError(ValetkeyError):
    """Invalid terms: no trust policy may be written for them. `where` is the field of Terms."""


def _principals(terms: Terms) -> tuple[str, Any]:
    return "principals", terms.only or terms.pin


@dataclass(frozen=True)
class DraftTerms:
    """The terms before the parties are known. `only`, `pin` and `from_ip` are sets, kept sorted.

    This is the only table of terms: each field has its option, its help and its texts; `TERMS` lists them.
    """

    external_id: str | None = term(
        None,
        OptionKind.TEXT,
        flag="--external-id",
        about="The ExternalId that is required; `grant` makes a random one when it is left out.",
        without="--no-external-id",
        without_about="Require no ExternalId.",
        title="ExternalId",
        label="ExternalId",
        words=lambda terms: terms.external_id or "none",
        clause=lambda terms: "with that ExternalId" if terms.external_id else "",
    )
    """The required sts:ExternalId, or None."""
    previous_external_id: str | None = term(
        None,
        OptionKind.TEXT,
        title="previous ExternalId",
        label="previous ExternalId",
        words=lambda terms: f"accepted until {moment(terms.previous_until)}" if terms.previous_until else "",
        clause=lambda terms: (
            f"or with the previous ExternalId before {moment(terms.previous_until)}" if terms.previous_until else ""
        ),
    )
    """After `rotate`: the previous ExternalId, also accepted until `previous_until`; or None."""
    previous_until: datetime | None = term(  # noqa: RUF009 (it returns a field)
        None, OptionKind.END, title="previous ExternalId until"
    )
    """When the previous ExternalId expires (aware, UTC, whole seconds); no later than `until`."""
    mfa: bool = term(
        True,
        OptionKind.SWITCH,
        flag="--mfa",
        about="Require MFA. Without it, name who is admitted with --only or --pin.",
        label="MFA",
        words=lambda terms: f"required{_age(terms, ', at most {} s ago')}" if terms.mfa else "not required",
        clause=lambda terms: f"with MFA{_age(terms, ' of at most {} s')}" if terms.mfa else "",
    )
    """Whether aws:MultiFactorAuthPresent must be true."""
    mfa_max_age: int | None = term(
        None, OptionKind.SECONDS, flag="--mfa-max-age", about="MFA no older than this, like 1h; needs MFA."
    )
    """Maximum age of MFA in seconds (aws:MultiFactorAuthAge), or None for no limit. Requires `mfa`."""
    only: tuple[str, ...] = term(
        (),
        OptionKind.NAMES,
        flag="--only",
        about="Admit these users or roles of the contractor only; they may be deleted and created again.",
        label="only",
        words=lambda terms: ", ".join(terms.only),
        clause=lambda terms: f"only {', '.join(terms.only)}" if terms.only else "",
        handoff=_principals,
    )
    """User or role ARNs of the contractor, checked through aws:PrincipalArn; empty: anyone of the account.
    They need not exist yet. `AWSReservedSSO_NAME_*` may end in a wildcard for the random suffix."""
    pin: tuple[str, ...] = term(
        (),
        OptionKind.NAMES,
        flag="--pin",
        about="Admit exactly these users or roles, bound to their unique ids; they must exist.",
        label="pinned",
        words=lambda terms: ", ".join(terms.pin),
        clause=lambda terms: f"only {', '.join(terms.pin)}" if terms.pin else "",
        handoff=_principals,
    )
    """User or role ARNs for the Principal element: they must exist, and AWS binds them to their unique ids.
    Read from AWS, a unique id (AIDA…, AROA…) is a principal that has been deleted."""
    name_people: bool = term(
        False,
        OptionKind.FLAG,
        flag="--name-people",
        about="Require session name = IAM user name, so that your log names people.",
        label="session name",
        words=lambda terms: "must be the IAM user's name" if terms.name_people else "",
        clause=lambda terms: "as sessions named after their IAM user" if terms.name_people else "",
        handoff=lambda terms: ("session_name", "username" if terms.name_people else None),
    )
    """Require sts:RoleSessionName = ${aws:username} (IAM users only)."""
    source_identity: bool = term(
        False,
        OptionKind.FLAG,
        flag="--source-identity",
        about="Let the contractor set a source identity.",
        label="may set",
        words=lambda terms: "source identity" if terms.source_identity else "",
    )
    """Admit sts:SetSourceIdentity."""
    session_tags: bool = term(
        False,
        OptionKind.FLAG,
        flag="--session-tags",
        about="Let the contractor set session tags.",
        label="may set",
        words=lambda terms: "session tags" if terms.session_tags else "",
    )
    """Admit sts:TagSession."""
    whole_account: bool = term(
        False,
        OptionKind.FLAG,
        flag="--whole-account",
        about="Admit everybody in the contractor's account without MFA, as SaaS vendors need it; needs --external-id.",
        label="whole account",
        words=lambda terms: "everybody in it, without MFA" if terms.whole_account else "",
        clause=lambda terms: "everybody in it without MFA" if terms.whole_account else "",
        handoff=lambda terms: ("whole_account", terms.whole_account or None),
    )
    """Admit every caller of the account without MFA: the ExternalId and a key of that account are sufficient."""
    from_ip: tuple[str, ...] = term(
        (),
        OptionKind.NAMES,
        flag="--from-ip",
        about="Admit calls from these addresses only, like 198.51.100.0/24. Sessions may be used from anywhere.",
        title="addresses",
        label="from",
        words=lambda terms: ", ".join(terms.from_ip),
        clause=lambda terms: f"from {', '.join(terms.from_ip)}" if terms.from_ip else "",
    )
    """Public address ranges (CIDR) from which the role may be assumed; empty: from anywhere. aws:SourceIp is absent in
    a request through a VPC endpoint (reference_policies_condition-keys), which is denied."""
    until: datetime | None = term(  # noqa: RUF009 (it returns a field)
        None,
        OptionKind.END,
        flag="--until",
        about="The end: 2026-12-31, 2026-12-31T18:00Z, 30d, or never.",
        label="until",
        words=lambda terms: moment(terms.until) if terms.until else "no end",
        clause=lambda terms: f"before {moment(terms.until)}" if terms.until else "",
    )
    """The end (aware, UTC, whole seconds): aws:CurrentTime must be before it."""

    def __post_init__(self) -> None:
        # AWS may return the principals of a document in another order.
        object.__setattr__(self, "only", tuple(sorted(set(self.only))))
        object.__setattr__(self, "pin", tuple(sorted(set(self.pin))))
        object.__setattr__(self, "from_ip", tuple(sorted({network(item) for item in self.from_ip})))

    def agreed(self, *, contractor: str, partition: str, external_id: str | None) -> Terms:
        """The terms, for these parties and this ExternalId."""
        mine = {item.name: getattr(self, item.name) for item in fields(DraftTerms)}
        return Terms(**{**mine, "contractor": contractor, "partition": partition, "external_id": external_id})


@dataclass(frozen=True)
class Terms(DraftTerms):
    """The terms that a trust policy must have, known before any role exists."""

    contractor: str = field(
        kw_only=True,
        metadata={
            "term": {
                "kind": OptionKind.TEXT,
                "flag": "--to",
                "help": "The contractor's account: 12 digits.",
                "label": "contractor",
                "words": lambda terms: terms.contractor,
                "clause": lambda terms: f"account {terms.contractor}",
            }
        },
    )
    """The contractor's account: 12 digits."""
    partition: str = field(default="aws", kw_only=True, metadata={"term": {"kind": OptionKind.TEXT}})

    @property
    def root(self) -> str:
        """The contractor's account as a principal: every caller in it that has permission by its own policies."""
        return f"arn:{self.partition}:iam::{self.contractor}:root"

    @property
    def orphans(self) -> tuple[str, ...]:
        """Pinned principals that have been deleted: they admit no caller, not even a new principal with the same name
        (reference_policies_elements_principal)."""
        return tuple(arn for arn in self.pin if is_unique_id(arn))


def network(text: str) -> str:
    """Normalize an address range as AWS does: one address becomes a range of one. Invalid text is returned unchanged
    and rejected by `check_terms`."""
    try:
        return str(ip_network(text.strip()))
    except ValueError:
        return text


def _age(terms: Terms, text: str) -> str:
    return text.format(terms.mfa_max_age) if terms.mfa_max_age else ""


TERMS: tuple[Term, ...] = table(Terms)
"""Every field of the terms. Options of `grant` and `prove`, records, handoffs and reports are derived from it."""


def check_terms(terms: Terms) -> None:
    """Raise TermsError or LimitError, with the rule, unless a trust policy may be written for these terms."""
    limits.check("account id", terms.contractor)
    try:
        parse_arn(terms.root)
    except PolicyError as error:
        raise TermsError(error.what, do=error.do, where="partition") from None
    if terms.external_id is not None:
        limits.check("external id", terms.external_id)
    _check_previous(terms)
    _check_mfa_age(terms)
    _check_networks(terms)
    if terms.only and terms.pin:
        raise TermsError(
            "--only and --pin both name who may assume the role",
            do="use --only for principals that may still change, --pin to bind them to their unique ids",
            where="only",
        )
    for where, names, wild in (("only", terms.only, True), ("pin", terms.pin, False)):
        for name in names:
            wrong = trouble(name, contractor=terms.contractor, partition=terms.partition, may_be_wild=wild)
            if wrong is not None:
                raise TermsError(wrong[0], do=wrong[1], where=where)
    _check_kinds(terms)
    if terms.until is not None and (terms.until.utcoffset() is None or terms.until.microsecond):
        raise TermsError(
            "the end must be a time with a zone and in whole seconds",
            do="write it like 2027-01-31T00:00:00Z",
            where="until",
        )
    if terms.until is not None and terms.until.year > _LAST_YEAR:
        raise TermsError(
            f"an end after the year {_LAST_YEAR} is not supported",
            do="leave it out for terms without an end",
            where="until",
        )


def _check_previous(terms: Terms) -> None:
    previous, ends = terms.previous_external_id, terms.previous_until
    if previous is None and ends is None:
        return
    wrong = ""
    if previous is None or ends is None:
        wrong = "a previous ExternalId and its end belong together"
    elif terms.external_id is None or previous == terms.external_id:
        wrong = "a previous ExternalId needs another one that replaces it"
    elif ends.utcoffset() is None or ends.microsecond or ends.year > _LAST_YEAR:
        wrong = "the end of the previous ExternalId must be a time with a zone and in whole seconds"
    elif terms.until is not None and ends > terms.until:
        wrong = "the previous ExternalId would outlast the grant"
    if wrong:
        raise TermsError(wrong, do="rotate again with `valetkey rotate`", where="previous_external_id")
    limits.check("external id", previous or "")


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


def _check_whole_account(terms: Terms) -> None:
    if terms.mfa or terms.only or terms.pin:
        raise TermsError(
            "--whole-account is for access without MFA and without names",
            do="add --no-mfa and leave --only and --pin out, or leave --whole-account out "
            "(in `change`: --no-whole-account)",
            where="whole_account",
        )
    if terms.external_id is None:
        raise TermsError(
            "without MFA and without names, the ExternalId is all that keeps others out",
            do="give the ExternalId that the vendor shows you, with --external-id",
            where="external_id",
        )
    why = guessable(terms.external_id, contractor=terms.contractor)
    if why:
        raise TermsError(
            f"the ExternalId can be guessed ({why}), and it is all that keeps others out",
            do="ask the vendor for a random one",
            where="external_id",
        )


def _check_networks(terms: Terms) -> None:
    for item in terms.from_ip:
        try:
            ip_network(item)
        except ValueError:
            raise TermsError(
                f"--from-ip: {shown(item)} is not an address range",
                do="write it like 198.51.100.7, 198.51.100.0/24 or 2001:db8::/32, with no bits set after the prefix",
                where="from_ip",
            ) from None


def _check_kinds(terms: Terms) -> None:
    named = terms.only + terms.pin
    roles = [name for name in named if ":role/" in name]
    if terms.whole_account:
        _check_whole_account(terms)
    elif not terms.mfa and not named:
        raise TermsError(
            "without MFA the trust policy must name the users or roles that it admits",
            do="name users or roles of the contractor with --only or --pin, or require MFA; for a vendor's tool that "
            "can do neither, --whole-account with its --external-id",
            where="mfa",
        )
    if terms.mfa and roles:
        raise TermsError(
            f"{quoted(roles[0])} is a role, and a role session never carries MFA: it could never be admitted",
            do="name IAM users, or do not require MFA",
            where="only" if terms.only else "pin",
        )
    if terms.name_people and roles:
        raise TermsError(
            f"only IAM users have a user name to tie the session name to, and {quoted(roles[0])} is a role",
            do="name IAM users, or leave --name-people out",
            where="name_people",
        )
    short = [name for name in named if ":user/" in name and len(parse_arn(name).name) < _SHORTEST_SESSION_NAME]
    if terms.name_people and short:
        raise TermsError(
            f"{quoted(short[0])} has a name of one character, and a session name has two at least: that user would "
            "never be admitted",
            do="leave --name-people out, or name a user with a longer name",
            where="name_people",
        )


_SHORTEST_SESSION_NAME = 2
"""Minimum number of characters (STS API reference, roleSessionNameType)."""
