"""Authorization of every call: the emulator's own decision, with AWS's further rules.

AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html, and
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html (no IAM without MFA, in STS only AssumeRole
and GetCallerIdentity).

INVARIANT: `ministack.core.iam_evaluator` alone decides whether policies allow a call; nothing here imports
`valetkey.policy` beyond its error.

Replaces in ministack: `core.iam_evaluator.enforce` and `_resource_policy` (a role's trust policy is the role's resource
policy in its own account), `core.iam_actions.access_denied_response` (a ValidationError is a 400, IAM names the
resource).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from valetkey.sandbox import clock, fields, reasons, sts, variants
from valetkey.sandbox.call import AwsCall, Reason, current
from valetkey.sandbox.principals import role_of, role_of_session

Enforce = Callable[..., Any]

# Creating something with tags needs the permission to tag it as well.
_TAGGED = {
    "CreateRole": "iam:TagRole",
    "CreateUser": "iam:TagUser",
    "CreatePolicy": "iam:TagPolicy",
    "CreateVirtualMFADevice": "iam:TagMFADevice",
}


def install() -> None:
    from ministack.core import iam_actions
    from ministack.core import iam_evaluator as ev

    ask: Enforce = ev.enforce
    resource_policy, denied = ev._resource_policy, iam_actions.access_denied_response

    def enforce(
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: Any = None,
    ) -> Any:
        call = current.get()
        if service not in ("iam", "sts") or call is None or ev._anonymous.get():
            result = ask(access_key_id, iam_action, service, region, resource_arn, service_context)
        else:
            result = _judge(ask, call, iam_action, service, region, resource_arn, service_context or {})
        _used(access_key_id, service, region, result)
        return result

    def own_trust(service: str, resource_arn: str) -> Any:
        if service != "sts":
            return resource_policy(service, resource_arn)
        from ministack.core.responses import get_account_id

        role = role_of(resource_arn)
        account = resource_arn.split(":")[4] if role else None
        return (role["AssumeRolePolicyDocument"], account) if role and account == get_account_id() else None

    def access_denied_response(service: str, action: str, principal: str, *rest: Any, **more: Any) -> Any:
        if service == "iam" and not (more.get("error_code") or more.get("message")):
            call = current.get()
            explicit = more.get("explicit_deny", False)
            reason = (call.reason if call else None) or Reason(reasons.IDENTITY, explicit)
            more["message"] = reasons.text(principal, action, more.get("resource_arn", "*"), reason)
            more["message"] += reasons.pointer(principal.split(":")[4])
        status, headers, body = denied(service, action, principal, *rest, **more)
        return 400 if more.get("error_code") == "ValidationError" else status, headers, body

    ev.enforce = enforce
    ev._resource_policy = own_trust
    iam_actions.access_denied_response = access_denied_response


def _judge(
    ask: Enforce, call: AwsCall, action: str, service: str, region: str, resource: str, context: dict[str, Any]
) -> Any:
    """Return None if allowed, else the emulator's AuthError or EvalResult."""
    from ministack.core import iam_evaluator as ev
    from ministack.core.responses import get_account_id
    from ministack.services import sts as emulator

    key = call.access_key_id
    checked = ev.authenticate(key, get_account_id())
    if isinstance(checked, ev.AuthError):
        return checked
    caller = checked or ev.resolve_credential(key, get_account_id())
    if isinstance(caller, ev.CredentialResolutionError):
        return ev.AuthError(caller.code, caller.message)
    session = emulator._sessions.get(key) or {}
    wrong = fields.invalid(call)
    if wrong:
        return ev.AuthError("ValidationError", wrong)
    if service == "iam":
        kind = session.get("Kind")
        if kind == "GetFederationToken" or (kind == "GetSessionToken" and session.get("MfaAt") is None):
            return ev.AuthError("InvalidClientTokenId", "The security token included in the request is invalid")
        return _judge_iam(ask, call, caller, region, resource, {**context, **_iam_keys(call)})
    refused = sts.refusal(call, caller, session)
    if refused:
        return ev.AuthError(*refused)
    if call.action != "AssumeRole":
        return ask(key, action, service, region, resource, context)
    for needed in sts.asked(call, session):
        answer = ask(key, needed, service, region, resource, {**context, **sts.keys(call)})
        if isinstance(answer, ev.AuthError):
            return answer
        own = call.reason
        reason = own if answer is not None else sts.distrusted(call, caller, needed, region)
        if answer is not None or reason is not None:
            if answer is not None and answer.resource_policy_arn:
                reason = Reason(reasons.TRUST, True)
            if variants.of(caller.account_id).refusals == "bare":
                reason = None
            return ev.AuthError("AccessDenied", reasons.text(caller.principal_arn, needed, resource, reason))
    long = sts.too_long(call)
    return ev.AuthError("ValidationError", long) if long else None


def _judge_iam(ask: Enforce, call: AwsCall, caller: Any, region: str, resource: str, context: dict[str, Any]) -> Any:
    from ministack.core import iam_evaluator as ev

    answer = ask(call.access_key_id, f"iam:{call.action}", "iam", region, resource, context)
    tag = _TAGGED.get(call.action) if call.numbered("Tags", ".Key") else None
    if answer is not None or tag is None:
        return answer
    second = ask(call.access_key_id, tag, "iam", region, resource, context)
    if isinstance(second, ev.EvalResult):
        reason = call.reason or Reason(reasons.IDENTITY, second.decision == "Deny")
        said = reasons.text(caller.principal_arn, tag, resource, reason) + reasons.pointer(caller.account_id)
        return ev.AuthError("AccessDenied", said)
    return second


def _iam_keys(call: AwsCall) -> dict[str, Any]:
    """IAM's own condition keys: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html"""
    from ministack.services import iam

    result: dict[str, Any] = {"iam:PolicyARN": call.get("PolicyArn")} if "Policy" in call.action else {}
    role = iam._roles.get(call.get("RoleName")) or {}
    result["iam:PermissionsBoundary"] = call.get("PermissionsBoundary") or role.get("PermissionsBoundary") or None
    result.update({f"iam:ResourceTag/{tag['Key']}": tag["Value"] for tag in role.get("Tags") or ()})
    return {name: value for name, value in result.items() if value is not None}


def _used(key: str, service: str, region: str, result: Any) -> None:
    """Record when a role or an access key was last used: calls refused by policy count, calls not authenticated do not.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html
    """
    from ministack.core.iam_evaluator import AuthError
    from ministack.services import iam
    from ministack.services import sts as emulator

    if isinstance(result, AuthError) or not key:
        return
    session = emulator._sessions.get(key)
    if session is None:
        used = iam._access_keys.get(key)
    else:
        used = role_of_session(session.get("Arn", ""))
    if used is not None:
        used["LastUsed"] = (clock.stamp(clock.now()), region, service)
