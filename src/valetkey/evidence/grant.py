"""The evidence of one grant: the role's policies with hashes, the proof, its assumptions, and the drift."""

from __future__ import annotations

from typing import Any, Literal

from valetkey.evidence.loading import EvidenceError, FilePart, read, written
from valetkey.trust.record import digest

KIND = "evidence/v1"


class PolicyDocument(FilePart, frozen=True):
    """A policy as IAM returned it. `sha256` is over the document as JSON with sorted keys and no whitespace."""

    name: str
    """ARN, or the name of an inline policy."""
    kind: Literal["trust", "managed", "inline", "boundary"]
    version: str | None
    """Of a managed policy, such as "v3"."""
    sha256: str | None
    document: dict[str, Any] | None
    """None if it could not be read."""
    unread: str
    """Why it could not be read; empty otherwise."""


class HistoryLine(FilePart, frozen=True):
    """A line of the grant's history. It is stored as a tag, which anyone with permission to tag the role can write."""

    at: str
    by: str
    what: str


class TrustProof(FilePart, frozen=True):
    """What is proved of the trust policy in this file."""

    claim: str
    holds: bool
    failures: tuple[str, ...]
    assumes: tuple[str, ...]


class RoleDifference(FilePart, frozen=True):
    """A difference between the role and its record."""

    what: str
    agreed: str
    found: str
    missing: bool


class GrantEvidence(FilePart, frozen=True):
    """The content of the file."""

    valetkey: Literal["evidence/v1"]
    account: str
    name: str
    role_arn: str
    read_at: str
    """The time that the signature covers. It is the signer's claim."""
    read_by: str
    state: str
    contractor: str
    until: str | None
    terms: dict[str, Any] | None
    """The terms in the trust policy; None if it does not have the form that valetkey writes."""
    terms_recorded: str
    """SHA-256 of the agreed terms, from the record on the role."""
    session_seconds: int | None
    created: str
    last_used: str | None
    """Within the last 400 days, some hours late; None: AWS knows of no use."""
    documents: tuple[PolicyDocument, ...]
    documents_sha256: str
    """SHA-256 over the name, kind, version and hash of every document."""
    proof: TrustProof | None
    drift: tuple[RoleDifference, ...]
    history: tuple[HistoryLine, ...]
    activity: tuple[str, ...] = ()
    """What CloudTrail shows of the role's use, and what could not be read, as sentences; empty: CloudTrail was not
    read."""

    @property
    def unread(self) -> tuple[str, ...]:
        """Names of the documents that could not be read."""
        return tuple(document.name for document in self.documents if document.document is None)

    @property
    def holds(self) -> bool:
        """Whether everything was read, the proof holds, and there is no drift."""
        return self.proof is not None and self.proof.holds and not self.drift and not self.unread


def documents_digest(documents: tuple[PolicyDocument, ...]) -> str:
    """Return one hash over all documents."""
    return digest(
        {"documents": [[document.kind, document.name, document.version, document.sha256] for document in documents]}
    )


def dump(evidence: GrantEvidence) -> bytes:
    """Return the file's bytes."""
    return written(evidence)


def load(data: bytes, *, name: str) -> GrantEvidence:
    """Return the evidence after checking the hash of every document. Raises EvidenceError, with exit code 1 for a hash
    that differs."""
    evidence = read(data, GrantEvidence, kind=KIND, name=name)
    for number, document in enumerate(evidence.documents):
        if document.document is not None and digest(document.document) != document.sha256:
            raise _changed(f"the document {document.name}", name, f"$.documents[{number}]")
    if documents_digest(evidence.documents) != evidence.documents_sha256:
        raise _changed("the list of documents", name, "$.documents")
    return evidence


def _changed(what: str, name: str, place: str) -> EvidenceError:
    return EvidenceError(
        f"{what} in {name} was changed: its hash differs from the one in the file",
        do="get the file again from where it is kept; do not rely on this one",
        where=f"{name}: {place}",
        exit_code=1,
    )
