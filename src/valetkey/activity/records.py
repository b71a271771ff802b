"""The fields of CloudTrail records that a report needs.

Every field may be missing or null: 42 of 2,900 records of a real account had no userIdentity.type. Fields whose shape
differs from call to call (parameters, responses) are kept as raw JSON and decoded only where needed.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html and
.../cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

from typing import Any

import msgspec

KNOWN_MAJOR = "1."
"""Supported record versions: 1.x. Within a major version AWS adds fields and changes none."""


class SessionAttributes(msgspec.Struct, gc=False):
    """userIdentity.sessionContext.attributes"""

    creationDate: str | None = None
    mfaAuthenticated: str | bool | None = None


class SessionIssuer(msgspec.Struct, gc=False):
    """userIdentity.sessionContext.sessionIssuer"""

    type: str | None = None
    principalId: str | None = None
    arn: str | None = None
    accountId: str | None = None


class SessionContext(msgspec.Struct, gc=False):
    """userIdentity.sessionContext"""

    attributes: SessionAttributes | None = None
    sessionIssuer: SessionIssuer | None = None
    sourceIdentity: str | None = None
    signInSessionArn: str | None = None


class OnBehalfOf(msgspec.Struct, gc=False):
    """userIdentity.onBehalfOf: a person of IAM Identity Center."""

    userId: str | None = None
    identityStoreArn: str | None = None


class Delegate(msgspec.Struct, gc=False):
    """userIdentity.invokedByDelegate: the provider that acts through temporary delegation."""

    accountId: str | None = None


class UserIdentity(msgspec.Struct, gc=False):
    """userIdentity"""

    type: str | None = None
    principalId: str | None = None
    arn: str | None = None
    accountId: str | None = None
    accessKeyId: str | None = None
    invokedBy: str | None = None
    sessionContext: SessionContext | None = None
    onBehalfOf: OnBehalfOf | None = None
    invokedByDelegate: Delegate | None = None


class EventResource(msgspec.Struct, gc=False):
    """One entry of `resources`."""

    ARN: str | None = None
    type: str | None = None


class TrailRecord(msgspec.Struct, gc=False):
    """One record of a trail."""

    eventVersion: str | None = None
    eventTime: str | None = None
    eventID: str | None = None
    eventSource: str | None = None
    eventName: str | None = None
    eventCategory: str | None = None
    awsRegion: str | None = None
    recipientAccountId: str | None = None
    sharedEventID: str | None = None
    sourceIPAddress: str | None = None
    userAgent: str | None = None
    errorCode: str | None = None
    readOnly: bool | str | None = None
    managementEvent: bool | None = None
    sessionCredentialFromConsole: str | bool | None = None
    userIdentity: UserIdentity | None = None
    resources: list[EventResource] | None = None
    requestParameters: msgspec.Raw = msgspec.Raw()
    responseElements: msgspec.Raw = msgspec.Raw()
    additionalEventData: msgspec.Raw = msgspec.Raw()


class Looked(msgspec.Struct, gc=False):
    """One event of a LookupEvents response: the record is text inside it."""

    CloudTrailEvent: str


class TrailDocument(msgspec.Struct, gc=False):
    """A whole JSON document: a trail file, a LookupEvents response, or a single record."""

    Records: list[msgspec.Raw] | None = None
    Events: list[Looked] | None = None
    eventName: str | None = None
    CloudTrailEvent: str | None = None


class SkippedRecordError(ValueError):
    """A record that cannot be used. The message says why, and is worded to follow "1 record: "."""


RECORD = msgspec.json.Decoder(TrailRecord)
UNDECODABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)
"""Exceptions that a decoder raises on bytes or text of the wrong shape."""
RAWS = msgspec.json.Decoder(list[msgspec.Raw])
DOCUMENT = msgspec.json.Decoder(TrailDocument)


def decoded(raw: msgspec.Raw | bytes | str) -> TrailRecord:
    """Decode a record. Raises SkippedRecordError."""
    try:
        return RECORD.decode(raw)
    except UNDECODABLE:
        raise SkippedRecordError("its fields are not of the kinds that CloudTrail writes") from None


def is_true(value: str | bool | None) -> bool:
    """Whether a truth value is true. CloudTrail writes some of them as text."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def fields(raw: msgspec.Raw) -> dict[str, Any]:
    """Parameters or a response as a dict; empty for null, text and invalid JSON."""
    text = bytes(raw)
    if not text.startswith(b"{"):
        return {}
    try:
        value = msgspec.json.decode(text)
    except UNDECODABLE:
        return {}
    return value if isinstance(value, dict) else {}
