"""STS's checks of a call, before policies and in addition to them.

AWS: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, .../API_GetSessionToken.html,
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html (source identity),
.../id_session-tags.html, .../id_roles_terms-and-concepts.html (role chaining: one hour, AssumeRole with the credentials
of GetSessionToken included).

Order of an AssumeRole: signature, parameters, root, one-hour limit, MFA code (used up from here on), the caller's
policies, the role's trust policy, MaxSessionDuration. Errors that AWS distinguishes are distinguished here; everything
else is AccessDenied, whether or not the role exists, with or without the kind of policy that refused (reasons.py,
variants.py).

Replaces in ministack: `services.sts.handle_request` (still called, with the role's clock), `register_session` and
`_evict_expired_sessions` (which would turn ExpiredToken into an unknown key).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from valetkey.sandbox import clock, mfa, variants
from valetkey.sandbox.call import AwsCall, Reason, current
from valetkey.sandbox.principals import role_of
from valetkey.sandbox.reasons import TRUST, of_trust

HOUR = 3600
KEPT = 50_000
_TOO_LONG = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
_CHAINED = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"

# By parameter: its name in AWS's message, pattern, minimum and maximum length. Then the required ones by operation.
_NAME = r"[\w+=,.@-]*"
_FIELDS = {
    "RoleArn": ("roleArn", r"[\t\n\r\x20-\x7E\x85\xA0-\uD7FF\uE000-\uFFFD]+", 20, 2048),
    "RoleSessionName": ("roleSessionName", _NAME, 2, 64),
    "ExternalId": ("externalId", r"[\w+=,.@:\/-]*", 2, 1224),
    "SourceIdentity": ("sourceIdentity", _NAME, 2, 64),
    "SerialNumber": ("serialNumber", r"[\w+=/:,.@-]*", 9, 256),
    "TokenCode": ("tokenCode", r"[\d]*", 6, 6),
}
_ROLE = re.compile(r"arn:[a-z-]+:iam::\d{12}:role/[\x21-\x7E]+", re.ASCII)
_REQUIRED = {"AssumeRole": ("RoleArn", "RoleSessionName")}
_DURATIONS = {"AssumeRole": 43_200, "GetSessionToken": 129_600, "GetFederationToken": 129_600}


def refusal(call: AwsCall, caller: Any, session: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the error (code, message) of an STS call before any policy is evaluated, or None.

    `caller` is the emulator's ResolvedCredential; `session` its session record, empty for a long-term key.
    """
    wrong = invalid(call)
    if wrong:
        return "ValidationError", wrong
    kind = session.get("Kind")
    allowed = ("AssumeRole", "GetCallerIdentity") if kind == "GetSessionToken" else ("GetCallerIdentity",)
    if kind in ("GetSessionToken", "GetFederationToken") and call.action not in allowed:
        return "AccessDenied", f"Cannot call {call.action} with session credentials"
    if call.action in ("GetSessionToken", "GetFederationToken") and session:
        return "AccessDenied", f"Cannot call {call.action} with session credentials"
    if call.action == "AssumeRole":
        if caller.principal_type == "Root":
            return "AccessDenied", "Roles may not be assumed by root accounts."
        if session and int(call.get("DurationSeconds") or 0) > HOUR:
            return "ValidationError", _CHAINED
        kept = session.get("SourceIdentity")
        if kept and call.get("SourceIdentity") not in (None, kept):
            return "AccessDenied", "The source identity of a session cannot be changed"
    if call.action in ("AssumeRole", "GetSessionToken"):
        return _code(call, caller)
    return None


def invalid(call: AwsCall) -> str | None:
    """Return AWS's message about parameters that are missing or violate its API model, or None."""
    result = []
    if call.action not in _DURATIONS:
        return None
    for name, (shown, pattern, shortest, longest) in _FIELDS.items():
        value = call.get(name)
        if value is None:
            if name in _REQUIRED.get(call.action, ()):
                result.append(f"Value null at '{shown}' failed to satisfy constraint: Member must not be null")
            continue
        for broken, rule in (
            (len(value) < shortest, f"Member must have length greater than or equal to {shortest}"),
            (len(value) > longest, f"Member must have length less than or equal to {longest}"),
            (
                re.fullmatch(pattern, value, re.ASCII) is None,
                f"Member must satisfy regular expression pattern: {pattern}",
            ),
        ):
            if broken:
                result.append(f"Value '{value}' at '{shown}' failed to satisfy constraint: {rule}")
    duration = call.get("DurationSeconds")
    if duration is not None:
        most = _DURATIONS[call.action]
        if not re.fullmatch(r"-?\d{1,9}", duration, re.ASCII):
            return "Value for DurationSeconds must be an integer"
        for broken, rule in (
            (int(duration) < 900, "Member must have value greater than or equal to 900"),
            (int(duration) > most, f"Member must have value less than or equal to {most}"),
        ):
            if broken:
                result.append(f"Value '{duration}' at 'durationSeconds' failed to satisfy constraint: {rule}")
    if not result:
        arn = call.get("RoleArn")
        return f"{arn} is invalid" if arn is not None and not _ROLE.fullmatch(arn) else None
    return f"{len(result)} validation error{'s' if len(result) > 1 else ''} detected: {'; '.join(result)}"


def _code(call: AwsCall, caller: Any) -> tuple[str, str] | None:
    serial, code = call.get("SerialNumber"), call.get("TokenCode")
    if serial is None and code is None:
        return None
    if serial is None or code is None:
        return "AccessDenied", mfa.HALF
    user = caller.principal_name if caller.principal_type == "User" else ""
    wrong = mfa.refusal(caller.account_id, user, serial, code)
    if wrong:
        return "AccessDenied", wrong
    call.mfa_age = 0.0
    return None


def source_identity(call: AwsCall, session: Mapping[str, Any]) -> str | None:
    """The source identity of the new session: the requested one, or the one that the caller already has."""
    return call.get("SourceIdentity") or session.get("SourceIdentity")


def keys(call: AwsCall) -> dict[str, Any]:
    """The condition keys of an STS call, for the caller's policies and the trust policy alike."""
    from ministack.services import sts

    tags = dict(zip(call.numbered("Tags", ".Key"), call.numbered("Tags", ".Value"), strict=False))
    result: dict[str, Any] = {f"aws:requesttag/{key}".lower(): value for key, value in tags.items()}
    result["aws:tagkeys"] = list(tags) or None
    result["sts:externalid"] = call.get("ExternalId")
    result["sts:rolesessionname"] = call.get("RoleSessionName")
    result["sts:sourceidentity"] = source_identity(call, sts._sessions.get(call.access_key_id) or {})
    result["sts:transitivetagkeys"] = call.numbered("TransitiveTagKeys") or None
    return result


def asked(call: AwsCall, session: Mapping[str, Any]) -> tuple[str, ...]:
    """The actions that one AssumeRole needs, on both sides."""
    actions = ["sts:AssumeRole"]
    if call.numbered("Tags", ".Key"):
        actions.append("sts:TagSession")
    if source_identity(call, session):
        actions.append("sts:SetSourceIdentity")
    return tuple(actions)


def distrusted(call: AwsCall, caller: Any, action: str, region: str) -> Reason | None:
    """Return why the role's trust policy does not allow this caller `action`, or None. Uses the emulator's evaluator
    with the role's clock. A role that does not exist admits no caller."""
    from ministack.core import iam_evaluator as ev
    from ministack.services import sts as emulator

    arn = call.get("RoleArn") or ""
    role = role_of(arn)
    if role is None:
        return Reason(TRUST, False)
    own = ev._principal_keys(caller)
    if caller.access_key_id in emulator._sessions and not variants.of(caller.account_id).username_in_sessions:
        own.pop("aws:username", None)
    ctx = ev.EvalContext(
        principal_arn=caller.principal_arn,
        principal_type=caller.principal_type,
        principal_account=caller.account_id,
        action=action,
        resource_arn=arn,
        region=region,
        service_context=keys(call),
        principal_keys=own,
    )

    def lets_in(document: Any) -> bool:
        return bool(ev.evaluate_trust_policy(document, caller.principal_arn, ctx))

    with clock.of(arn.split(":")[4]):
        document = role["AssumeRolePolicyDocument"]
        return None if lets_in(document) else of_trust(document, lets_in)


def too_long(call: AwsCall) -> str | None:
    """Return AWS's message for a session longer than the role allows, or None."""
    role = role_of(call.get("RoleArn") or "")
    if role is not None and int(call.get("DurationSeconds") or 0) > int(role.get("MaxSessionDuration", HOUR)):
        return _TOO_LONG
    return None


def install() -> None:
    from ministack.core import iam_evaluator as ev
    from ministack.services import sts

    handle, trust = sts.handle_request, ev.evaluate_trust_policy

    def evaluate_trust_policy(document: Any, arn: str, ctx: Any = None) -> bool:
        # The handler evaluates the trust policy again, with fewer keys than AWS has.
        call = current.get()
        if ctx is not None and call is not None and call.service == "sts" and call.action == "AssumeRole":
            ctx.service_context = {**keys(call), **{k: v for k, v in ctx.service_context.items() if v is not None}}
        return bool(trust(document, arn, ctx))

    async def handle_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        return await _handle(handle, method, path, headers, body, query)

    ev.evaluate_trust_policy = evaluate_trust_policy
    sts.handle_request = handle_request
    sts.register_session = _register
    sts._evict_expired_sessions = _evict


async def _handle(
    handle: Callable[..., Awaitable[Any]], method: str, path: str, headers: Any, body: bytes, query: Any
) -> Any:
    from ministack.services import sts

    call = current.get()
    if call is None or call.action not in ("AssumeRole", "GetSessionToken"):
        return await handle(method, path, headers, body, query)
    if call.action == "GetSessionToken":
        # The account's root user gets at most an hour, whatever it requests.
        if call.access_key_id.isdigit() and call.access_key_id not in sts._sessions:
            seconds = min(int(call.get("DurationSeconds") or HOUR), HOUR)
            body = urlencode({**call.params, "DurationSeconds": str(seconds)}).encode()
        return await handle(method, path, headers, body, query)
    with clock.of((call.get("RoleArn") or "").split(":")[4]):
        status, fields, answer = await handle(method, path, headers, body, query)
    identity = source_identity(call, sts._sessions.get(call.access_key_id) or {})
    if status == 200 and identity:
        at = b"<PackedPolicySize>"
        answer = answer.replace(at, f"<SourceIdentity>{identity}</SourceIdentity>".encode() + at)
    return status, fields, answer


def _register(access_key: str, session: dict[str, Any]) -> None:
    from ministack.services import sts

    _evict()
    session.setdefault("IssuedAt", clock.now())
    call = current.get()
    if call is not None and call.service == "sts":
        session["Kind"] = call.action
        if call.action == "GetSessionToken" and call.mfa_age is not None:
            session["MfaAt"] = session["IssuedAt"] - call.mfa_age
        if call.action == "AssumeRole":
            session["SourceIdentity"] = source_identity(call, sts._sessions.get(call.access_key_id) or {})
            session["WithDuration"] = call.get("DurationSeconds") is not None
    sts._sessions[access_key] = session


def _evict() -> None:
    from ministack.services import sts

    while len(sts._sessions) >= KEPT:
        sts._sessions.pop(next(iter(sts._sessions)))
