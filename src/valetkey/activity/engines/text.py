"""The report as one SQL SELECT over a view `trail_events`, which each engine defines in its own dialect.

Every column of the view is text. The report uses only what DuckDB, Spark and Athena (Trino) have in common: equality,
IN, LIKE, `||` and AND/OR.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from valetkey.activity.events import APPROVING, ENTERING_EVENTS
from valetkey.activity.records import (
    Delegate,
    EventResource,
    OnBehalfOf,
    SessionAttributes,
    SessionContext,
    SessionIssuer,
    TrailRecord,
    UserIdentity,
)
from valetkey.activity.wanted import Wanted
from valetkey.errors import ValetkeyError, shown

Row = Mapping[str, str | None]
"""One row of a result: column names and their text; None where the record has no value."""

FIELDS: Mapping[str, str] = {
    "event_version": "eventVersion",
    "event_time": "eventTime",
    "event_id": "eventID",
    "event_source": "eventSource",
    "event_name": "eventName",
    "event_category": "eventCategory",
    "region": "awsRegion",
    "recipient": "recipientAccountId",
    "shared_event_id": "sharedEventID",
    "address": "sourceIPAddress",
    "agent": "userAgent",
    "error_code": "errorCode",
    "read_only": "readOnly",
    "management_event": "managementEvent",
    "from_console": "sessionCredentialFromConsole",
    "identity_type": "userIdentity.type",
    "principal_id": "userIdentity.principalId",
    "identity_arn": "userIdentity.arn",
    "identity_account": "userIdentity.accountId",
    "access_key": "userIdentity.accessKeyId",
    "invoked_by": "userIdentity.invokedBy",
    "created": "userIdentity.sessionContext.attributes.creationDate",
    "mfa": "userIdentity.sessionContext.attributes.mfaAuthenticated",
    "issuer_arn": "userIdentity.sessionContext.sessionIssuer.arn",
    "source_identity": "userIdentity.sessionContext.sourceIdentity",
    "sign_in": "userIdentity.sessionContext.signInSessionArn",
    "behalf_user": "userIdentity.onBehalfOf.userId",
    "behalf_store": "userIdentity.onBehalfOf.identityStoreArn",
    "delegate": "userIdentity.invokedByDelegate.accountId",
}
"""Columns of the view that hold a field of the record as text."""
RAW: Mapping[str, str] = {
    "request": "requestParameters",
    "response": "responseElements",
    "more": "additionalEventData",
}
"""Columns that hold a part of the record as JSON."""
COLUMNS = ("file", "broken", *FIELDS, *RAW, "resources", "target_role")
"""All columns: the file, why it cannot be used, fields, parts, ARNs separated by line ends, and
requestParameters.roleArn."""

_PLAIN = re.compile(r"[A-Za-z0-9_+=,.@:/ -]*")
"""Characters of names, keys, ids and times in AWS. None of them is special in a string or a LIKE of any engine, except
`_`, which in LIKE also matches itself."""


def report(wanted: Wanted) -> str:
    """Return the SELECT over `trail_events`. Raises ValetkeyError for an impossible role name."""
    conditions = list(_conditions(wanted))
    columns = ",\n  ".join(column for column in COLUMNS if column != "target_role")
    return f"SELECT\n  {columns}\nFROM trail_events\nWHERE broken IS NOT NULL\n" + "".join(
        f"  OR {condition}\n" for condition in conditions
    )


def _conditions(wanted: Wanted) -> Iterator[str]:
    entering = f"event_name IN ({_list(ENTERING_EVENTS)})"
    for account, name in sorted(wanted.roles):
        role, session = literal(f"%:{account}:role/%{name}"), literal(f"%:{account}:assumed-role/{name}/%")
        yield f"issuer_arn LIKE {role}"
        yield f"identity_arn LIKE {session}"
        yield f"({entering} AND target_role LIKE {role})"
    # AWS never issues a key or an id with other characters.
    keys = sorted(key for key in wanted.keys if _PLAIN.fullmatch(key))
    if keys:
        yield f"access_key IN ({_list(keys)})"
    sessions = sorted(f"{principal} {made}" for principal, made in wanted.sessions)
    sessions = [item for item in sessions if _PLAIN.fullmatch(item)]
    if sessions:
        yield f"principal_id || ' ' || created IN ({_list(sessions)})"
    if wanted.outsiders:
        yield f"({entering} AND identity_type = 'AWSAccount')"
    if wanted.delegates:
        yield "delegate IS NOT NULL"
    if wanted.approvals:
        yield f"event_name IN ({_list(APPROVING)})"


def literal(text: str) -> str:
    """Return a text as an SQL string. Raises ValetkeyError if it would need escapes, which differ between engines."""
    if not _PLAIN.fullmatch(text.replace("%", "")):
        raise ValetkeyError(f"{shown(text)} holds characters that no name in AWS has", do="see how the role is spelt")
    return f"'{text}'"


def _list(texts: Iterable[str]) -> str:
    return ", ".join(literal(text) for text in sorted(texts))


def record_of(row: Row) -> TrailRecord:
    """Return the record of a row, with the fields that a report needs."""
    get = row.get
    attributes = SessionAttributes(creationDate=get("created"), mfaAuthenticated=get("mfa"))
    context = SessionContext(
        attributes=attributes,
        sessionIssuer=SessionIssuer(arn=get("issuer_arn")),
        sourceIdentity=get("source_identity"),
        signInSessionArn=get("sign_in"),
    )
    delegate = get("delegate")
    identity = UserIdentity(
        type=get("identity_type"),
        principalId=get("principal_id"),
        arn=get("identity_arn"),
        accountId=get("identity_account"),
        accessKeyId=get("access_key"),
        invokedBy=get("invoked_by"),
        sessionContext=context,
        onBehalfOf=OnBehalfOf(userId=get("behalf_user"), identityStoreArn=get("behalf_store")),
        invokedByDelegate=None if delegate is None else Delegate(accountId=delegate),
    )
    management = get("management_event")
    return TrailRecord(
        eventVersion=get("event_version"),
        eventTime=get("event_time"),
        eventID=get("event_id"),
        eventSource=get("event_source"),
        eventName=get("event_name"),
        eventCategory=get("event_category"),
        awsRegion=get("region"),
        recipientAccountId=get("recipient"),
        sharedEventID=get("shared_event_id"),
        sourceIPAddress=get("address"),
        userAgent=get("agent"),
        errorCode=get("error_code"),
        readOnly=get("read_only"),
        managementEvent=None if management is None else management != "false",
        sessionCredentialFromConsole=get("from_console"),
        userIdentity=identity,
        resources=[EventResource(ARN=part) for part in (get("resources") or "").split("\n") if part],
        requestParameters=_raw(get("request")),
        responseElements=_raw(get("response")),
        additionalEventData=_raw(get("more")),
    )


def _raw(text: str | None) -> msgspec.Raw:
    return msgspec.Raw() if text is None else msgspec.Raw(text.encode())
