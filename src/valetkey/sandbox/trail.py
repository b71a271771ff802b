"""CloudTrail's management events, as an owner's and a contractor's auditors would read them.

AWS: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html,
https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html. A successful cross-account AssumeRole is
logged in both accounts, joined by sharedEventID; the role's account sees the caller as type AWSAccount, by account and
unique id only. A refused one is logged only in the caller's account. Data events and LookupEvents are not logged.
Events are available at once; AWS takes minutes.

Replaces: ministack's `app._maybe_record_cloudtrail`, which names IAM's events POST.iam and invents the user. Its store
and LookupEvents stay; LookupEvents gains pages.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from html import unescape
from typing import Any

from valetkey.sandbox import clock
from valetkey.sandbox.call import Answer, AwsCall

Event = dict[str, Any]

# Refused before the caller is known: the event belongs to no account.
_UNKNOWN = {"InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "MissingAuthenticationToken"}
_SECRET = {"TokenCode", "AuthenticationCode1", "AuthenticationCode2", "Password", "NewPassword", "OldPassword"}
_ENVELOPE = {"Action", "Version"}
# IAM actions whose names differ from their API operations.
_RENAMED = {"ListAllMyBuckets": "ListBuckets"}
_NOT_LOGGED = {
    "s3": re.compile(r"(?!.*Bucket|PutAccountPublicAccessBlock|GetAccountPublicAccessBlock).*|ListBucket\w*"),
    "dynamodb": re.compile(r"(Get|Put|Update|Delete)Item|Batch\w+|Transact\w+|Query|Scan|PartiQL\w*|Execute\w+"),
    "lambda": re.compile(r"Invoke\w*"),
    "sqs": re.compile(r"(Send|Receive|Delete|ChangeMessageVisibility)\w*Message\w*"),
    "sns": re.compile(r"Publish\w*"),
    "kinesis": re.compile(r"(Put|Get)Record\w*"),
    # AWS logs it. Here reading the events would add to them.
    "cloudtrail": re.compile(r"LookupEvents"),
}
_marker: ContextVar[str | None] = ContextVar("valetkey_events_before", default=None)
_READS = ("Get", "List", "Describe", "Head", "Lookup", "Simulate", "AssumeRole", "BatchGet")


def install() -> None:
    from ministack import app
    from ministack.services import cloudtrail

    app._maybe_record_cloudtrail = lambda *_: None
    cloudtrail._get_event_queue = _older(cloudtrail._get_event_queue)
    lookup = cloudtrail._DISPATCH["LookupEvents"]
    cloudtrail._DISPATCH["LookupEvents"] = lambda body: _page(lookup, body)


def _older(queue: Callable[[], Any]) -> Callable[[], Any]:
    """Wrap the event queue: within a page, only the events before the page's marker."""

    def events() -> Any:
        result, marker = queue(), _marker.get()
        if marker is None:
            return result
        ids = [item["EventId"] for item in result]
        return list(result)[: ids.index(marker)] if marker in ids else []

    return events


def _page(lookup: Callable[[Any], Answer], body: dict[str, Any]) -> Answer:
    from ministack.services import cloudtrail

    token = _marker.set(body.get("NextToken"))
    try:
        status, headers, answer = lookup(body)
        result = json.loads(answer)
        events, before = result.get("Events", []), cloudtrail._get_event_queue()
        if len(events) >= min(int(body.get("MaxResults", 50)), 50) and before[0]["EventId"] != events[-1]["EventId"]:
            result["NextToken"] = events[-1]["EventId"]
        return status, headers, json.dumps(result).encode()
    finally:
        _marker.reset(token)


def finish(call: AwsCall, answer: Answer) -> None:
    """Log a call that has been answered."""
    from ministack.core.responses import get_account_id

    left_out = _NOT_LOGGED.get(call.service)
    if not call.action or (left_out and left_out.fullmatch(call.action)):
        return
    error = _error(answer)
    if error and error[0] in _UNKNOWN:
        return
    identity = _identity(call)
    if identity is None:
        return
    account = str(get_account_id())
    event = _event(call, account, identity)
    if error:
        event.update(errorCode=error[0], errorMessage=error[1])
    elif call.service == "sts" and call.action == "AssumeRole":
        _assumed(call, event, answer, account)
    write(account, event, username=identity.get("userName") or identity["principalId"].rpartition(":")[2])


def write(account: str, event: Event, *, username: str) -> None:
    """Store an event where LookupEvents of its account and region finds it. Fills in time, ids and recipient."""
    from ministack.core.responses import new_uuid, request_scope
    from ministack.services import cloudtrail

    at = clock.now(account)
    event = {
        "eventVersion": "1.11",
        **event,
        "eventTime": clock.stamp(at),
        "eventID": new_uuid(),
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
    record = {
        "EventId": event["eventID"],
        "EventName": event["eventName"],
        "EventSource": event["eventSource"],
        "EventTime": at,
        "Username": username,
        "AccessKeyId": event["userIdentity"].get("accessKeyId", ""),
        "ReadOnly": str(event["readOnly"]).lower(),
        "Resources": [
            {"ResourceName": resource["ARN"], "ResourceType": resource["type"]}
            for resource in event.get("resources", ())
        ],
        "CloudTrailEvent": json.dumps(event),
    }
    with request_scope(account, event["awsRegion"]):
        cloudtrail._get_event_queue().append(record)


def _event(call: AwsCall, account: str, identity: Event) -> Event:
    from ministack.core.responses import get_request_client_ip, new_uuid

    return {
        "userIdentity": identity,
        "eventSource": f"{call.service}.amazonaws.com",
        "eventName": _RENAMED.get(call.action, call.action),
        # IAM is one service for all regions, and is logged in this one.
        "awsRegion": "us-east-1" if call.service == "iam" else call.region,
        "sourceIPAddress": get_request_client_ip(),
        "userAgent": call.user_agent,
        "requestParameters": _parameters(call) or None,
        "responseElements": None,
        "requestID": call.request_id or new_uuid(),
        "readOnly": call.action.startswith(_READS),
        "eventType": "AwsApiCall",
    }


def _identity(call: AwsCall) -> Event | None:
    """The caller as CloudTrail shows it in its own account; None if the key is unknown."""
    from ministack.core import iam_evaluator as ev
    from ministack.core.responses import get_account_id
    from ministack.services import sts

    caller = ev.resolve_credential(call.access_key_id, get_account_id())
    if not isinstance(caller, ev.ResolvedCredential):
        return None
    session = sts._sessions.get(call.access_key_id)
    kind = "IAMUser" if caller.principal_type == "User" else caller.principal_type
    identity: Event = {
        "type": kind,
        "principalId": caller.principal_id,
        "arn": caller.principal_arn,
        "accountId": caller.account_id,
        "accessKeyId": call.access_key_id,
    }
    if kind == "IAMUser":
        identity["userName"] = caller.principal_name
    if session is not None:
        identity["sessionContext"] = _session(session, caller)
    elif call.mfa_age is not None:
        identity["sessionContext"] = _attributes(clock.now(caller.account_id), mfa=True)
    return identity


def _session(session: Mapping[str, Any], caller: Any) -> Event:
    from valetkey.sandbox.principals import role_of_session

    result = _attributes(session["IssuedAt"], mfa=session.get("MfaAt") is not None)
    role = role_of_session(caller.principal_arn) if caller.principal_type == "AssumedRole" else None
    if role is not None:
        result["sessionIssuer"] = {
            "type": "Role",
            "principalId": role["RoleId"],
            "arn": role["Arn"],
            "accountId": caller.account_id,
            "userName": role["RoleName"],
        }
    if session.get("SourceIdentity"):
        result["sourceIdentity"] = session["SourceIdentity"]
    return result


def _attributes(created: float, *, mfa: bool) -> Event:
    return {"attributes": {"creationDate": clock.stamp(created), "mfaAuthenticated": str(mfa).lower()}}


def _assumed(call: AwsCall, event: Event, answer: Answer, account: str) -> None:
    """Complete the event of an assumed role, and write the copy for the role's account."""
    from ministack.core.responses import new_uuid
    from ministack.services import sts

    role = call.params["RoleArn"]
    owner = role.split(":")[4]
    key = re.search(rb'<AccessKeyId>(\w+)<|"AccessKeyId": ?"(\w+)"', answer[2])
    session = sts._sessions.get((key[1] or key[2]).decode()) if key else None
    if key is not None and session is not None:
        ends = time.strftime("%b %-d, %Y, %-I:%M:%S %p", time.gmtime(session["Expiration"]))
        event["responseElements"] = {
            "credentials": {"accessKeyId": (key[1] or key[2]).decode(), "expiration": ends},
            "assumedRoleUser": {"assumedRoleId": session["UserId"], "arn": session["Arn"]},
        }
        if session.get("SourceIdentity"):
            event["responseElements"]["sourceIdentity"] = session["SourceIdentity"]
    event["resources"] = [{"accountId": owner, "type": "AWS::IAM::Role", "ARN": role}]
    event["additionalEventData"] = {"RequestDetails": {"endpointType": "regional", "awsServingRegion": call.region}}
    if owner != account:
        event["sharedEventID"] = new_uuid()
        caller = event["userIdentity"]
        outsider = {"type": "AWSAccount", "principalId": caller["principalId"], "accountId": account}
        write(owner, {**event, "userIdentity": outsider}, username="")


def _parameters(call: AwsCall) -> Event:
    """The request's parameters in CloudTrail's spelling, without secrets."""
    parameters: Event = {}
    lists: dict[str, dict[int, Any]] = {}
    for name, value in call.params.items():
        if name in _ENVELOPE or name in _SECRET or name.startswith("X-Amz-"):
            continue
        member = re.fullmatch(r"(\w+)\.member\.(\d{1,4})(?:\.(\w+))?", name, re.ASCII)
        if member is None:
            parameters[_camel(name)] = int(value) if "Duration" in name and value.isdecimal() else value
        elif member[3] is None:
            lists.setdefault(member[1], {})[int(member[2])] = value
        elif isinstance(fields := lists.setdefault(member[1], {}).setdefault(int(member[2]), {}), dict):
            fields[_camel(member[3])] = value
    for name, members in lists.items():
        parameters[_camel(name)] = [members[number] for number in sorted(members)]
    return parameters


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _error(answer: Answer) -> tuple[str, str] | None:
    status, _, body = answer
    if status < 400:
        return None
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else ""
    code = re.search(r'<Code>([^<]+)</Code>|"__type": ?"([^"]+)"', text)
    message = re.search(r'<Message>([^<]*)</Message>|"[Mm]essage": ?"((?:[^"\\]|\\.)*)"', text)
    return (
        unescape(code[1] or code[2]).rpartition("#")[2] if code else str(status),
        unescape(message[1] or message[2] or "") if message else "",
    )
