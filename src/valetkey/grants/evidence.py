"""The evidence of a grant: its role as read, with the documents of its policies, and the proof about it.

A policy that cannot be read is listed with the reason; the evidence then does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from valetkey.account.calls import CallError, Perform
from valetkey.evidence.grant import (
    GrantEvidence,
    HistoryLine,
    PolicyDocument,
    RoleDifference,
    TrustProof,
    documents_digest,
)
from valetkey.grants import history
from valetkey.grants.role import NOT_SHOWN, LiveRole, Owner, read_policy
from valetkey.grants.status import Standing, proof
from valetkey.trust.record import digest, instant
from valetkey.trust.term_rows import as_json

PROOF_CLAIM = (
    "For every caller and every request, the trust policy admits exactly what the terms allow, and it admits somebody."
)
CLAIM_AT_MOST = (
    "For every caller of the contractor's account and every request, whom the trust policy admits meets the terms, and "
    "it admits somebody. It is of an adopted role: that it admits all who meet them is not claimed."
)
ASSUMES = (
    "The claim covers the trust policy as IAM returned it at read_at, and no later change.",
    "IAM evaluates policies as the IAM User Guide says. Where AWS documents nothing, the claim holds either way.",
    "The caller's own policies and organization policies were not read: across accounts they can only refuse more.",
    "Whether MFA was present is what the contractor's own account says of its session; the time is AWS's clock.",
    "The claim covers who can assume the role. Its policies, in the evidence as read, say what the role may then do.",
)


def collect(
    standing: Standing, *, owner: Owner, perform: Perform, now: datetime, activity: tuple[str, ...] = ()
) -> GrantEvidence:
    """Return the evidence of a grant that was read with read_role. Raises CallError, except for a policy that AWS
    refuses to return."""
    role, record = standing.role, standing.record
    documents = tuple(_documents(role, perform))
    shown = proof(standing)
    return GrantEvidence(
        valetkey="evidence/v1",
        account=role.account,
        name=role.name,
        role_arn=role.arn,
        read_at=str(instant(now)),
        read_by=owner.arn,
        state=standing.state(now),
        contractor=record.contractor,
        until=instant(record.until),
        terms=None if standing.terms is None else dict(as_json(standing.terms)),
        terms_recorded=record.terms,
        session_seconds=role.max_session,
        created=str(instant(role.created)),
        last_used=instant(role.last_used),
        activity=activity,
        documents=documents,
        documents_sha256=documents_digest(documents),
        proof=None
        if shown is None
        else TrustProof(
            claim=PROOF_CLAIM if shown.is_exact else CLAIM_AT_MOST,
            holds=shown.holds,
            failures=shown.failures,
            assumes=ASSUMES,
        ),
        drift=tuple(
            RoleDifference(
                what=difference.what, agreed=difference.agreed, found=difference.found, missing=difference.missing
            )
            for difference in standing.drift
        ),
        history=tuple(
            HistoryLine(at=change.at, by=change.by, what=change.what) for change in history.read(record.changes)
        ),
    )


def _documents(role: LiveRole, perform: Perform) -> Iterator[PolicyDocument]:
    yield _read(role.arn, "trust", None, role.trust)
    for name in sorted(role.inline):
        yield _read(name, "inline", None, role.inline[name])
    for arn in sorted(role.managed):
        yield _managed(arn, "managed", perform)
    if role.boundary is not None:
        yield _managed(role.boundary, "boundary", perform)


def _managed(arn: str, kind: Any, perform: Perform) -> PolicyDocument:
    try:
        version, document = read_policy(perform, arn)
    except CallError as error:
        if error.code not in NOT_SHOWN:
            raise
        return PolicyDocument(
            name=arn, kind=kind, version=None, sha256=None, document=None, unread=f"{error.call.action}: {error.code}"
        )
    return _read(arn, kind, version, document)


def _read(name: str, kind: Any, version: str | None, document: Mapping[str, Any]) -> PolicyDocument:
    return PolicyDocument(
        name=name, kind=kind, version=version, sha256=digest(document), document=dict(document), unread=""
    )
