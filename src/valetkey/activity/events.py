"""Events of a role as typed rows. Every engine, SQL or not, returns these rows; sessions, flags and reports are
computed from nothing else."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import msgspec

from valetkey.activity.records import KNOWN_MAJOR, SkippedRecordError, TrailRecord, fields, is_true
from valetkey.policy.role_actions import ENTERING

_MOST_RESOURCES = 5
_LONGEST = 300
"""Maximum length of a kept name, in characters."""


class Tie(Enum):
    """How an event relates to the role."""

    ACT = "act"
    """A session of the role made the call."""
    ENTRY = "entry"
    """The call assumed the role, from the trail of the role's account."""
    OTHER_SIDE = "other side"
    """The same, from the trail of the caller's account."""
    APPROVAL = "approval"
    """The call approved a temporary delegation."""


class Event(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One event. Empty text: the record has no value."""

    tie: Tie
    id: str
    at: datetime
    account: str
    """The account whose trail contains it."""
    region: str
    source: str
    """ "iam.amazonaws.com" """
    name: str
    """ "CreateUser" """
    error: str = ""
    read_only: bool = False
    is_data: bool = False
    """Whether it is a data event, not a management event."""
    principal: str = ""
    """userIdentity.principalId: "AROA...:session"."""
    caller: str = ""
    """userIdentity.arn"""
    caller_type: str = ""
    caller_account: str = ""
    key: str = ""
    """The access key id that signed the call."""
    role: str = ""
    """ARN of the role whose session made the call."""
    created: str = ""
    """Creation time of the session: sessionContext.attributes.creationDate, as written."""
    mfa: bool = False
    source_identity: str = ""
    sign_in: str = ""
    """sessionContext.signInSessionArn"""
    from_console: bool = False
    on_behalf_of: str = ""
    """User id in IAM Identity Center, with the identity store."""
    invoked_by: str = ""
    """The service that made the call for the session."""
    delegate: str = ""
    """Account of the provider that acts through temporary delegation."""
    address: str = ""
    agent: str = ""
    resources: tuple[str, ...] = ()
    shared: str = ""
    """sharedEventID: identifies the same call in the other account's trail."""
    target: str = ""
    """The role that this call assumes."""
    session_name: str = ""
    issued_key: str = ""
    """The access key id that this call issued."""
    issued_principal: str = ""
    """The principal id of the session that this call issued."""
    device: str = ""
    """Serial number of the MFA device whose code was sent with the call."""
    token_for: str = ""
    """requestParameters.resource of CreateOAuth2Token."""
    minted_sign_in: str = ""
    """The sign-in session that CreateOAuth2Token made."""
    note: str = ""
    """Further details: the source identity of AssumeRole, the policy of GetScopedCredentials, the origin of
    SwitchRole."""

    @property
    def is_denied(self) -> bool:
        """Whether a policy denied the call."""
        return is_denial(self.error)

    @property
    def service(self) -> str:
        """ "iam" of "iam.amazonaws.com"."""
        return self.source.partition(".")[0]


_DENIALS = frozenset(
    {
        *("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedAccess"),
        *("AuthorizationError", "AuthorizationErrorException", "NotAuthorized", "VpceAccessDenied"),
    }
)


def is_denial(code: str) -> bool:
    """Whether an error code means that a policy denied the call ("Client.UnauthorizedOperation" as EC2 writes it).
    Throttling and missing resources are not denials."""
    return code.rpartition(".")[2] in _DENIALS


def role_key(arn: str) -> tuple[str, str] | None:
    """Account and name of a role, from its ARN or an assumed-role ARN; None for other text. Names are unique in an
    account."""
    parts = arn.split(":", 5)
    if len(parts) != 6:
        return None
    kind, _, rest = parts[5].partition("/")
    if kind == "role" and rest:
        return parts[4], rest.rpartition("/")[2]
    if kind == "assumed-role" and rest:
        return parts[4], rest.partition("/")[0]
    return None


def instant(text: str) -> datetime | None:
    """ "2026-11-29T01:02:03Z" as a time in UTC; None if the text is not a time."""
    try:
        when = datetime.fromisoformat(text)
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


ENTERING_EVENTS = frozenset(action.removeprefix("sts:") for action in ENTERING)
"""Names of the events that assume a role."""
APPROVING = frozenset({"AcceptDelegationRequest", "SendDelegationToken"})


def is_entering(record: TrailRecord) -> bool:
    """Whether the call assumes a role."""
    return record.eventName in ENTERING_EVENTS


def target_of(record: TrailRecord) -> str:
    """ARN of the role that a call assumes; empty if there is none."""
    return _text(fields(record.requestParameters).get("roleArn"))


def event_of(record: TrailRecord, tie: Tie) -> Event:
    """Return the row of a record. Raises SkippedRecordError."""
    version = record.eventVersion
    if version is None or not version.startswith(KNOWN_MAJOR):
        raise SkippedRecordError(f"the version {version!a} is unknown" if version else "it has no version")
    at = instant(record.eventTime or "")
    if at is None or not record.eventName or not record.eventSource:
        raise SkippedRecordError("it has no time, source or name")
    who = record.userIdentity
    context = who.sessionContext if who else None
    attributes = context.attributes if context else None
    issuer = context.sessionIssuer if context else None
    person = who.onBehalfOf if who else None
    return Event(
        tie=tie,
        id=record.eventID or _digest(record),
        at=at,
        account=record.recipientAccountId or (who.accountId if who else None) or "",
        region=record.awsRegion or "",
        source=record.eventSource,
        name=record.eventName,
        error=record.errorCode or "",
        read_only=_is_read_only(record),
        is_data=record.eventCategory == "Data" or record.managementEvent is False,
        principal=(who.principalId if who else None) or "",
        caller=(who.arn if who else None) or "",
        caller_type=(who.type if who else None) or "",
        caller_account=(who.accountId if who else None) or "",
        key=(who.accessKeyId if who else None) or "",
        role=(issuer.arn if issuer else None) or _role_of_session(who.arn if who else None),
        created=(attributes.creationDate if attributes else None) or "",
        mfa=is_true(attributes.mfaAuthenticated) if attributes else False,
        source_identity=(context.sourceIdentity if context else None) or "",
        sign_in=(context.signInSessionArn if context else None) or "",
        from_console=is_true(record.sessionCredentialFromConsole),
        on_behalf_of=f"{person.userId} ({person.identityStoreArn})" if person and person.userId else "",
        invoked_by=(who.invokedBy if who else None) or "",
        delegate=(who.invokedByDelegate.accountId if who and who.invokedByDelegate else None) or "",
        address=record.sourceIPAddress or "",
        agent=(record.userAgent or "")[:_LONGEST],
        shared=record.sharedEventID or "",
        **_details(record),
    )


def _digest(record: TrailRecord) -> str:
    """Substitute for an eventID that was removed: the same for the same record."""
    return f"without-id-{hashlib.sha256(msgspec.json.encode(record)).hexdigest()[:16]}"


_READING = ("Get", "List", "Describe", "Head", "Lookup", "Search", "BatchGet", "Query", "Select")


def _is_read_only(record: TrailRecord) -> bool:
    """Whether the record says that it is read-only. Records before version 1.05 do not say so: their names decide."""
    if record.readOnly is None:
        return (record.eventName or "").startswith(_READING)
    return is_true(record.readOnly)


def _role_of_session(arn: str | None) -> str:
    """The role of an assumed-role ARN, without its path: a SwitchRole event has no sessionContext."""
    key = role_key(arn) if arn and ":assumed-role/" in arn else None
    return f"{(arn or '').split(':')[0]}:{(arn or '').split(':')[1]}:iam::{key[0]}:role/{key[1]}" if key else ""


def _details(record: TrailRecord) -> dict[str, Any]:
    """Fields that only some calls have."""
    name = record.eventName
    if name in ENTERING_EVENTS:
        asked, given = fields(record.requestParameters), fields(record.responseElements)
        person = asked.get("sourceIdentity")
        details: dict[str, Any] = {
            "target": _text(asked.get("roleArn")),
            "session_name": _text(asked.get("roleSessionName")),
            "device": _text(asked.get("serialNumber")),
            "issued_key": _text(_inner(given, "credentials", "accessKeyId")),
            "issued_principal": _text(_inner(given, "assumedRoleUser", "assumedRoleId")),
            "note": f"source identity {_text(person)}" if person else "",
        }
        details["resources"] = (details["target"],) if details["target"] else ()
        return details
    if name == "CreateOAuth2Token":
        return {
            "token_for": _text(fields(record.requestParameters).get("resource")),
            "minted_sign_in": _text(fields(record.additionalEventData).get("signInSessionArn")),
        }
    if name == "GetScopedCredentials":
        asked, given = fields(record.requestParameters), fields(record.responseElements)
        words = [f"{key}: {_text(asked[key])}" for key in ("description", "policy") if asked.get(key)]
        return {"issued_key": _text(_inner(given, "credentials", "accessKeyId")), "note": "; ".join(words)}
    if name == "SwitchRole":
        return {"note": _text(fields(record.additionalEventData).get("SwitchFrom"))}
    named = tuple(resource.ARN[:_LONGEST] for resource in record.resources or () if resource.ARN)[:_MOST_RESOURCES]
    if _is_read_only(record) and record.managementEvent is not False:
        return {"resources": named}
    return {"resources": named or tuple(_names(fields(record.requestParameters)))}


def _inner(value: Mapping[str, Any], first: str, second: str) -> Any:
    part = value.get(first)
    return part.get(second) if isinstance(part, dict) else None


def _text(value: object) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""


_NAMING = re.compile(r"(?:name|arn|id|identifier|key|bucket|path|endpoint)$", re.IGNORECASE)
_NOT_NAMING = re.compile(r"(?:token|requestid|externalid|host)$", re.IGNORECASE)


def _names(asked: Mapping[str, Any]) -> Iterator[str]:
    """Yield the resources that a call names in its parameters: "userName mallory"."""
    left = _MOST_RESOURCES
    for path, value in _walk(asked, 0):
        if _NAMING.search(path) and not _NOT_NAMING.search(path) and value:
            yield f"{path} {value[:_LONGEST]}"
            left -= 1
            if not left:
                return


def _walk(value: Mapping[str, Any], depth: int) -> Iterator[tuple[str, str]]:
    for key, inner in value.items():
        if isinstance(inner, str):
            yield key, inner
        elif depth < 3:
            nested: Iterable[Any] = inner if isinstance(inner, list) else (inner,)
            for item in nested:
                if isinstance(item, dict):
                    yield from _walk(item, depth + 1)
                elif isinstance(item, str):
                    yield key.removesuffix("s"), item
