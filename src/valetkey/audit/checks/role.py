"""Checks on a role: its record, permissions and use, and the ExternalIds that it requires."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from valetkey.audit.external_ids import weakness
from valetkey.audit.findings import UNKNOWN, Hit
from valetkey.audit.registry import check
from valetkey.audit.subjects import Subject
from valetkey.audit.wording import shown
from valetkey.catalog.outliving_credentials import life
from valetkey.policy.globs import has_wildcard
from valetkey.policy.operands import read_date
from valetkey.prover.effective_permissions import DataRead

_CONSOLE = re.compile(r"\b(console|switch[- ]?role)\b", re.IGNORECASE)
UNUSED_DAYS = 90
NEAR_QUOTA = 0.9

# Actions that read customers' stored data, not data that a role sees incidentally.
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


@check(
    UNKNOWN,
    title="Not decided",
    severity="high",
    why="Nothing was proved about who can assume the role. Do not take it for safe.",
    fix="read the reason; give what is missing (a parameter's value, the owner), or simplify the document",
    page="reference_policies_evaluation-logic.html",
)
def undecided(subject: Subject) -> Iterator[Hit]:
    verdict = subject.verdict
    if verdict.exposure == "unknown" and not any(hit == UNKNOWN for hit, _ in verdict.hits):
        yield Hit(verdict.reason)
    if subject.powers is not None and subject.powers.opening.undecided:
        yield Hit(f"what its policies allow outsiders is not decided: {subject.powers.opening.undecided}")


@check(
    "T9",
    title="The ExternalId can be guessed, or is shared",
    severity="medium",
    why="An ExternalId tells your contractor's customers apart only if no other customer's requests carry it.",
    fix="let the contractor generate a random one for you alone; valetkey makes such ids",
    page="id_roles_common-scenarios_third-party.html",
)
def weak_external_id(subject: Subject) -> Iterator[Hit]:
    for outsider in subject.outsiders:
        if outsider.kind == "provider":
            continue
        weak: list[str] = []
        designed: list[str] = []
        for value in dict.fromkeys(value for way in outsider.ways for value in way.external_ids):
            reason, by_design = weakness(value, outsider, subject)
            if reason:
                (designed if by_design else weak).append(by_design or reason)
        if weak or designed:
            listed = "; ".join(dict.fromkeys(weak or designed))
            verb = "is weak" if weak else "follows its vendor's design"
            yield Hit(
                f"the ExternalId that {shown(outsider)} sends {verb}: {listed}",
                witness=outsider.witness,
                severity=None if weak else "info",
            )


@check(
    "T15",
    title="No end date, or only in one of the two places",
    severity="info",
    why=(
        "Access without an end date stays. A date in the trust policy alone leaves open sessions for up to 12 "
        "hours; a date in the permissions alone still lets sessions start."
    ),
    fix="set an end in the trust policy (DateLessThan aws:CurrentTime) and in a Deny of the permissions; a grant's "
    "with valetkey change --until",
    page="id_roles_use_revoke-sessions.html",
)
def half_dated(subject: Subject) -> Iterator[Hit]:
    if not subject.outsiders or subject.powers is None:
        return
    ends = [outsider.until for outsider in subject.outsiders]
    dated = subject.powers.dated
    if None not in ends and not dated and subject.powers.unread:
        return  # an unread policy may end the permissions
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
        who = ", ".join(shown(outsider) for outsider in subject.outsiders if outsider.until is None)
        yield Hit(f"no end is set for {who}")


@check(
    "T16",
    title="The trust policy is wider than what was agreed",
    severity="medium",
    why=(
        "The grant's record holds other terms, and now everyone in the account whose administrator allows it can "
        "assume the role."
    ),
    fix="name the person or role with aws:PrincipalArn; of a grant, valetkey show says the ways out",
    page="reference_policies_elements_principal.html",
)
def too_wide(subject: Subject) -> Iterator[Hit]:
    record = subject.record
    changed = any(difference.what == "trust policy" for difference in subject.drift)
    if record is None or not changed:
        return
    for outsider in subject.outsiders:
        wide = [way for way in outsider.ways if way.everybody]
        if outsider.kind == "account" and outsider.name == record.contractor and wide:
            yield Hit(
                f"the record has other terms, and statement {wide[0].statement + 1} lets in everybody of "
                f"{shown(outsider)} to whom its administrator gives access",
                witness=wide[0].witness,
            )


@check(
    "T20",
    title="An unknown account",
    severity="low",
    why=(
        "Neither a grant's record nor the list of known accounts says whose it is. A label in such a list is not a "
        "reason to trust the account either."
    ),
    fix="find out whose account it is; make it a grant (valetkey adopt), or add it to --own-accounts if it is yours",
    page="access-analyzer-getting-started.html",
)
def unknown_party(subject: Subject) -> Iterator[Hit]:
    agreed = subject.record.contractor if subject.record else None
    for outsider in subject.outsiders:
        if outsider.kind == "account" and outsider.name.startswith("<"):
            text = f"{shown(outsider)}: which account it is, is known only when the value is given"
            yield Hit(text, witness=outsider.witness)
        elif outsider.kind == "account" and outsider.name != agreed and outsider.name not in subject.scope.known:
            yield Hit(f"{shown(outsider)} is in no record and no list of known accounts", witness=outsider.witness)
        elif outsider.kind == "organisation":
            yield Hit(f"{shown(outsider)} is not known to be yours (--org-id)", witness=outsider.witness)
        elif outsider.kind == "unique id":
            yield Hit(
                f"the unique id {outsider.name} does not show which account it belongs to", witness=outsider.witness
            )
    for region, accounts in subject.verdict.found.on_behalf:
        yield Hit(
            f"{region.party.name or 'any AWS service'} gets in through statement {region.statement + 1} on behalf of "
            f"resources of account {', '.join(accounts)}, which is not known to be yours (aws:SourceAccount, "
            "aws:SourceArn; --own-accounts)",
            witness=region.witness,
            severity="medium",
        )


@check(
    "T21",
    title="Outsiders can read customers' data",
    severity="medium",
    why="The names of policies do not show it: ReadOnlyAccess reads the contents of buckets, tables, queues and logs.",
    fix="use SecurityAudit and ViewOnlyAccess, or a policy that allows only what is needed",
    page="access_policies_job-functions.html",
)
def reads_data(subject: Subject) -> Iterator[Hit]:
    powers = subject.powers
    if powers is None or not powers.opening.reads_data:
        return
    reads = sorted(powers.opening.reads_data, key=lambda read: not _in_bulk(read))
    kinds = "; ".join(map(_reading, reads[:3])) + (f"; {len(reads) - 3} kinds more" if len(reads) > 3 else "")
    bulk = {resource for read in reads for resource in _in_bulk(read)}
    few = len(bulk) <= _FEW and all(map(_one_thing, bulk))
    yield Hit(f"its policies read customers' data: {kinds}", severity="low" if few else None)


_FEW = 3
"""Up to this number of fully named buckets, tables, ... count as intended access."""


def _in_bulk(reading: DataRead) -> tuple[str, ...]:
    """The resources on which actions in `_BULK` are allowed."""
    pairs = zip(reading.actions, reading.resources, strict=True)
    return tuple(dict.fromkeys(resource for action, on in pairs if action in _BULK for resource in on))


def _reading(reading: DataRead) -> str:
    """Describe one kind of data: an action that reads it, the resources, and the conditions if there are any."""
    known = [action for action in reading.actions if action in _BULK]
    action = (known or reading.actions)[0]
    on = reading.resources[reading.actions.index(action)]
    more = f" and {len(on) - _FEW} more" if len(on) > _FEW else ""
    others = f" and {len(reading.actions) - 1} actions more" if len(reading.actions) > 1 else ""
    asked = f", if {' and '.join(reading.conditions[:_FEW])} fits" if reading.conditions else ""
    return f"{reading.what} ({action}{others} on {', '.join(on[:_FEW])}{more}{asked})"


def _one_thing(resource: str) -> bool:
    """Whether a resource pattern names one bucket, table, queue, ... in full, or a part of one."""
    parts = resource.split(":", 5)
    if len(parts) < 6:
        return False
    pieces = [part for part in re.split("[:/]", parts[5].removesuffix("-??????")) if part]
    named = pieces[:1] if parts[2] in ("s3", "sqs", "sns") else pieces[:2]
    return bool(named) and not any(has_wildcard(name) for name in named) and (len(pieces) > 1 or named == pieces)


@check(
    "T22",
    title="Outsiders can widen their access",
    severity="high",
    why=(
        "Who can change roles, pass them on or run code as another principal keeps access after the end date, "
        "outside the boundary and after this role is revoked."
    ),
    fix="remove these actions, or limit them with a permissions boundary",
    page="access_policies_boundaries.html",
)
def escapes(subject: Subject) -> Iterator[Hit]:
    powers = subject.powers
    if powers is None:
        return
    if powers.admin:
        witness = powers.itself[0] if powers.itself else None
        yield Hit("its policies allow everything on everything", witness=witness, severity="critical")
    elif powers.itself:
        listed = ", ".join(str(request.action) for request in powers.itself[:3])
        yield Hit(f"a session can change this role itself: {listed}", witness=powers.itself[0])
    elif powers.opening.escalations:
        escalations = powers.opening.escalations
        more = f", and {len(escalations) - 1} more" if len(escalations) > 1 else ""
        yield Hit(f"{escalations[0]}{more}")


@check(
    "T31",
    title="Outsiders can obtain credentials that a revocation does not end",
    severity="low",
    why=(
        "A deny on the role, and its deletion, stop calls with the role's own credentials. Credentials of other "
        "roles, tokens, database connections and sessions on machines that were obtained before last until they "
        "expire."
    ),
    fix="remove these actions, or shorten and end such sessions in the service itself",
    page="id_credentials_temp_control-access_disable-perms.html",
)
def outlasting(subject: Subject) -> Iterator[Hit]:
    powers = subject.powers
    if powers is None or powers.admin or not powers.opening.outlives:
        return
    result = powers.opening.outlives
    listed = "; ".join(f"{item.kind.what}, {life(item.kind.longest)} ({item.actions[0]})" for item in result[:3])
    more = f"; {len(result) - 3} kinds more" if len(result) > 3 else ""
    yield Hit(f"a session can obtain credentials that outlive a deny on the role: {listed}{more}")


@check(
    "T23",
    title="Sessions last longer than agreed",
    severity="medium",
    why="An open session goes on, whatever is changed in the trust policy.",
    fix="set MaxSessionDuration back: valetkey change --session, or aws iam update-role",
    page="id_roles_manage_modify.html",
)
def session_too_long(subject: Subject) -> Iterator[Hit]:
    record, result = subject.record, subject.role.max_session
    if record is not None and result is not None and result > record.session:
        yield Hit(f"sessions may last {result} s, {record.session} s were agreed")


@check(
    "T25",
    title="The role is not used",
    severity="low",
    why="Each role that outsiders can assume can be misused, and nobody needs this one.",
    fix="ask the contractor, then remove the role (valetkey revoke, where it is a grant)",
    page="access_policies_last-accessed.html",
)
def unused(subject: Subject) -> Iterator[Hit]:
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


@check(
    "T26",
    title="The role is not as agreed",
    severity="medium",
    why="The role was changed after the grant; what was agreed no longer holds.",
    fix="valetkey show says who gets in now; then valetkey change, adopt or revoke",
    page="id_roles_manage_modify.html",
)
def drifted(subject: Subject) -> Iterator[Hit]:
    if subject.damaged:
        yield Hit(subject.damaged)
    for difference in subject.drift:
        yield Hit(f"{difference.what}: agreed was {difference.agreed}, the role has {difference.found}")


@check(
    "T27",
    title="Intended for the console, which cannot send an ExternalId",
    severity="low",
    why=(
        "Switch Role in the console has no field for an ExternalId, so the contractor's people cannot switch to "
        "the role."
    ),
    fix="remove the ExternalId and require MFA, or let them use valetkey console",
    page="id_roles_create_for-user.html",
)
def console_with_external_id(subject: Subject) -> Iterator[Hit]:
    role = subject.role
    said = [role.description or "", *(f"{key}={value}" for key, value in (role.tags or {}).items())]
    meant = next((item for item in said if _CONSOLE.search(item)), None)
    asked = [outsider for outsider in subject.outsiders if outsider.external_ids]
    if meant is not None and asked:
        yield Hit(
            f"it is intended for the console ({meant[:80]!r}), and Switch Role cannot send the ExternalId that "
            f"{shown(asked[0])} needs"
        )


@check(
    "T29",
    title="The trust policy is near its quota",
    severity="low",
    why="The next change fails, in the middle of whatever needed it.",
    fix="name fewer principals, or raise the quota (Role trust policy length)",
    page="reference_iam-quotas.html",
)
def near_quota(subject: Subject) -> Iterator[Hit]:
    size = len("".join((subject.role.trust or "").split()))
    if size >= NEAR_QUOTA * subject.quota:
        nearness = "over" if size > subject.quota else "near"
        yield Hit(
            f"the trust policy has {size} characters without whitespace, {nearness} the quota of {subject.quota}; "
            "whether whitespace counts is documented for other policies only",
            severity="medium" if size > subject.quota else None,
        )


@check(
    "T30",
    title="An outsider's role at a path that looks like AWS's",
    severity="medium",
    why="Anyone can create a role under /service-role/, and several scanners skip roles there.",
    fix="create it again under a path of its own",
    page="reference_identifiers.html",
)
def hidden(subject: Subject) -> Iterator[Hit]:
    if subject.outsiders and subject.role.path.startswith("/service-role/"):
        outsider = subject.outsiders[0]
        yield Hit(
            f"{shown(outsider)} gets in, and the path {subject.role.path} looks like a role that AWS made",
            witness=outsider.witness,
        )
