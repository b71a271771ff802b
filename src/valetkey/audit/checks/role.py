"""The checks that read a role: its name, record, permissions and use. Each is one function; what they mean is said in
`table`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from valetkey.account.values import Role
from valetkey.audit.checks.access import shown
from valetkey.audit.exposure import Outsider
from valetkey.audit.findings import Hit
from valetkey.audit.permissions import Powers
from valetkey.audit.scope import Scope
from valetkey.audit.trusts import Verdict
from valetkey.catalog.outliving_credentials import life
from valetkey.policy.globs import has_wildcard
from valetkey.policy.operands import read_date
from valetkey.trust.drift import Difference
from valetkey.trust.record import Record

SHORTEST_ID = 8
"""Characters that an ExternalId needs so that it is not found by trying."""
_CONSOLE = re.compile(r"\b(console|switch[- ]?role)\b", re.IGNORECASE)
UNUSED_DAYS = 90
NEAR_QUOTA = 0.9

PUBLIC_IDS = {
    "4CEBE3B": "the default of a vendor's public template",
    "hasura-cloud": "the default of a vendor's public template",
    "Example987": "an example of AWS's documentation",
    "Unique ID Assigned by Example Corp": "an example of AWS's documentation",
    "12345": "an example of AWS's documentation",
    "EXAMPLE": "an example",
}
"""ExternalIds that stand in public text."""

DIGITS_BY_DESIGN = {
    "754728514883": "New Relic's ExternalId is the number of your New Relic account",
    "017663287629": "New Relic's ExternalId is the number of your New Relic account",
}
PATTERNS_BY_DESIGN = {
    "324880187172": "Spacelift sends an ExternalId of its own that begins with your account's name",
    "577638371743": "Spacelift sends an ExternalId of its own that begins with your account's name",
}
"""Named exceptions, by the vendor's account: what looks weak there is how the vendor works."""

# Reading these is reading what customers keep, not what a role happens to see besides.
_BULK = frozenset(
    {
        "s3:GetObject",
        "dynamodb:GetItem",
        "dynamodb:Scan",
        "dynamodb:Query",
        "secretsmanager:GetSecretValue",
        "ssm:GetParameter",
        "kms:Decrypt",
        "sqs:ReceiveMessage",
        "kinesis:GetRecords",
        "logs:GetLogEvents",
        "logs:FilterLogEvents",
        "ebs:GetSnapshotBlock",
        "rds-data:ExecuteStatement",
        "redshift-data:ExecuteStatement",
        "athena:GetQueryResults",
        "codecommit:GitPull",
        "ecr:BatchGetImage",
    }
)


@dataclass(frozen=True, slots=True)
class Subject:
    """One role and everything that its checks read."""

    role: Role
    verdict: Verdict
    powers: Powers | None
    """None where no outsider gets in."""
    record: Record | None
    damaged: str
    """Why its record cannot be read; empty when it can, or has none."""
    drift: tuple[Difference, ...]
    quota: int
    """Characters that a trust policy may have (AssumeRolePolicySizeQuota)."""
    shared: Mapping[str, Collection[str]]
    """Of the whole account: the outside parties that each ExternalId is asked of."""
    scope: Scope
    now: datetime

    @property
    def outsiders(self) -> tuple[Outsider, ...]:
        """Outsiders that get in."""
        return self.verdict.found.outsiders


def weak_external_id(subject: Subject) -> Iterator[Hit]:
    """T9"""
    for outsider in subject.outsiders:
        if outsider.kind == "provider":
            continue
        weak: list[str] = []
        designed: list[str] = []
        for value in dict.fromkeys(value for way in outsider.ways for value in way.external_ids):
            reason, by_design = _weakness(value, outsider, subject)
            if reason:
                (designed if by_design else weak).append(by_design or reason)
        if weak or designed:
            listed = "; ".join(dict.fromkeys(weak or designed))
            verb = "is weak" if weak else "is as its vendor wants it"
            yield Hit(
                f"the ExternalId that {shown(outsider)} sends {verb}: {listed}",
                witness=outsider.witness,
                severity=None if weak else "info",
            )


def _weakness(value: str, outsider: Outsider, subject: Subject) -> tuple[str, str]:
    """What is weak in an ExternalId, and why it is right all the same."""
    if has_wildcard(value):
        fixed = len(value.replace("*", "").replace("?", ""))
        known = PATTERNS_BY_DESIGN.get(outsider.name, "")
        if fixed < SHORTEST_ID and not (known and fixed > 2):
            return f"a pattern in which only {fixed} characters are fixed", ""
        return "a pattern", known or "a pattern with a fixed beginning: right where the vendor adds a part of its own"
    account = subject.role.account or ""
    parties = subject.shared.get(value, ())
    if value == account or value in subject.scope.own:
        return "it is an account id of the owner", ""
    if value == outsider.name:
        return "it is the contractor's account id", ""
    if value.lower() == subject.role.name.lower():
        return "it is the role's name", ""
    if value in PUBLIC_IDS:
        return f"it is {PUBLIC_IDS[value]}", ""
    if len(parties) > 1:
        return f"{len(parties)} parties of this account are given the same one ({', '.join(sorted(parties)[:4])})", ""
    if value.isascii() and value.isdigit():
        return "it is a number", DIGITS_BY_DESIGN.get(outsider.name, "")
    if len(value) < SHORTEST_ID:
        return f"it has {len(value)} characters", ""
    return "", ""


def half_dated(subject: Subject) -> Iterator[Hit]:
    """T15"""
    if not subject.outsiders or subject.powers is None:
        return
    ends = [each.until for each in subject.outsiders]
    dated = subject.powers.dated
    if None not in ends and not dated and subject.powers.unread:
        return  # what is not known may end them
    if None not in ends and not dated:
        last = max((end for end in ends if end), key=lambda end: read_date(end) or 0)
        yield Hit(
            f"the trust ends on {last}, and no Deny ends the permissions: a session opened "
            "just before lives on for up to 12 hours",
            severity="low",
        )
    elif None in ends and dated:
        yield Hit("the permissions end on a date, and the trust does not: sessions can still be opened", severity="low")
    elif None in ends:
        who = ", ".join(shown(each) for each in subject.outsiders if each.until is None)
        yield Hit(f"no end is set for {who}")


def too_wide(subject: Subject) -> Iterator[Hit]:
    """T16"""
    record = subject.record
    changed = any(each.what == "trust policy" for each in subject.drift)
    if record is None or not changed:
        return
    for outsider in subject.outsiders:
        wide = [way for way in outsider.ways if way.everybody]
        if outsider.kind == "account" and outsider.name == record.contractor and wide:
            yield Hit(
                f"the record's terms are others, and statement {wide[0].statement + 1} lets in everybody of "
                f"{shown(outsider)} whom its administrator lets",
                witness=wide[0].witness,
            )


def unknown_party(subject: Subject) -> Iterator[Hit]:
    """T20"""
    agreed = subject.record.contractor if subject.record else None
    for outsider in subject.outsiders:
        if outsider.kind == "account" and outsider.name != agreed and outsider.name not in subject.scope.known:
            yield Hit(f"{shown(outsider)} is in no record and no list of known accounts", witness=outsider.witness)
        elif outsider.kind == "organisation":
            yield Hit(f"{shown(outsider)} is not said to be yours (--org-id)", witness=outsider.witness)
        elif outsider.kind == "unique id":
            yield Hit(f"of which account {outsider.name} is, nobody can say from its id", witness=outsider.witness)


def reads_data(subject: Subject) -> Iterator[Hit]:
    """T21"""
    powers = subject.powers
    if powers is None or not powers.opening.reads_data:
        return
    reads = powers.opening.reads_data
    actions = [action for each in reads for action in each.actions]
    bulk = [action for action in actions if action in _BULK]
    kinds = "; ".join(each.what for each in reads[:4]) + (f"; {len(reads) - 4} kinds more" if len(reads) > 4 else "")
    example = ", ".join((bulk or actions)[:3])
    yield Hit(f"its policies read customers' data: {kinds} ({example})", severity=None if bulk else "low")


def escapes(subject: Subject) -> Iterator[Hit]:
    """T22"""
    powers = subject.powers
    if powers is None:
        return
    if powers.admin:
        witness = powers.itself[0] if powers.itself else None
        yield Hit("its policies allow everything on everything", witness=witness, severity="critical")
    elif powers.itself:
        listed = ", ".join(str(each.action) for each in powers.itself[:3])
        yield Hit(f"a session can change this role itself: {listed}", witness=powers.itself[0])
    elif powers.opening.escalations:
        found = powers.opening.escalations
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        yield Hit(f"{found[0]}{more}")


def outlasting(subject: Subject) -> Iterator[Hit]:
    """T31"""
    powers = subject.powers
    if powers is None or powers.admin or not powers.opening.outlives:
        return
    found = powers.opening.outlives
    listed = "; ".join(f"{each.kind.what}, {life(each.kind.longest)} ({each.actions[0]})" for each in found[:3])
    more = f"; {len(found) - 3} kinds more" if len(found) > 3 else ""
    yield Hit(f"a session can take out what outlives a deny on the role: {listed}{more}")


def session_too_long(subject: Subject) -> Iterator[Hit]:
    """T23"""
    record, found = subject.record, subject.role.max_session
    if record is not None and found is not None and found > record.session:
        yield Hit(f"sessions may last {found} s, {record.session} s were agreed")


def unused(subject: Subject) -> Iterator[Hit]:
    """T25"""
    role = subject.role
    if not subject.outsiders or not role.last_use_known:
        return
    long_ago = subject.now - timedelta(days=UNUSED_DAYS)
    if role.last_used is None:
        if role.created is None or role.created <= long_ago:
            since = f" since it was made on {role.created:%Y-%m-%d}" if role.created else ""
            yield Hit(f"no use is known within 400 days{since}")
    elif role.last_used <= long_ago:
        yield Hit(f"it was last used on {role.last_used:%Y-%m-%d}")


def drifted(subject: Subject) -> Iterator[Hit]:
    """T26"""
    if subject.damaged:
        yield Hit(subject.damaged)
    for each in subject.drift:
        yield Hit(f"{each.what}: agreed was {each.agreed}, the role has {each.found}")


def console_with_external_id(subject: Subject) -> Iterator[Hit]:
    """T27"""
    role = subject.role
    said = [role.description or "", *(f"{key}={value}" for key, value in (role.tags or {}).items())]
    meant = next((each for each in said if _CONSOLE.search(each)), None)
    asked = [each for each in subject.outsiders if each.external_ids]
    if meant is not None and asked:
        yield Hit(
            f"it is meant for the console ({meant[:80]!r}), and Switch Role cannot send the ExternalId that "
            f"{shown(asked[0])} needs"
        )


def near_quota(subject: Subject) -> Iterator[Hit]:
    """T29"""
    size = len("".join((subject.role.trust or "").split()))
    if size >= NEAR_QUOTA * subject.quota:
        over = "over" if size > subject.quota else "near"
        yield Hit(
            f"the trust policy has {size} characters without whitespace, {over} the quota of {subject.quota}; whether "
            "whitespace counts is documented for other policies only",
            severity="medium" if size > subject.quota else None,
        )


def hidden(subject: Subject) -> Iterator[Hit]:
    """T30"""
    if subject.outsiders and subject.role.path.startswith("/service-role/"):
        outsider = subject.outsiders[0]
        yield Hit(
            f"{shown(outsider)} gets in, and the path {subject.role.path} looks like a role that AWS made",
            witness=outsider.witness,
        )


CHECKS: dict[str, Callable[[Subject], Iterator[Hit]]] = {
    "T9": weak_external_id,
    "T15": half_dated,
    "T16": too_wide,
    "T20": unknown_party,
    "T21": reads_data,
    "T22": escapes,
    "T23": session_too_long,
    "T25": unused,
    "T26": drifted,
    "T27": console_with_external_id,
    "T29": near_quota,
    "T30": hidden,
    "T31": outlasting,
}
"""By the check's id."""
