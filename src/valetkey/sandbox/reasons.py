"""The reason in AWS's message of a refusal: which kind of policy refused, and how.

AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html, .../
troubleshoot_access-denied-authorization-id.html. If several policies refuse, AWS names one of them; which one is not
documented. Here a Deny comes before a missing Allow, and the caller's side before the role's. A role that does not
exist is refused like one whose trust policy does not allow the caller, who must not learn that it does not exist.

Replaces in ministack: `core.iam_evaluator.evaluate` and `evaluate_resource_policy`, which are still called; the layer
of the caller's own policies that decided is recorded.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from valetkey.sandbox import variants
from valetkey.sandbox.call import Reason, current

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_ids = random.SystemRandom()
_of_resource: ContextVar[bool] = ContextVar("valetkey_resource_policy", default=False)


IDENTITY, BOUNDARY, SESSION = "identity-based policy", "permissions boundary", "session policy"
TRUST, RESOURCE = "role trust policy", "resource-based policy"


def install() -> None:
    from ministack.core import iam_evaluator as ev

    decide: Callable[..., Any] = ev.evaluate
    decide_resource: Callable[..., Any] = ev.evaluate_resource_policy

    def evaluate(ctx: Any, policies: Any, *limits: Any) -> Any:
        result = decide(ctx, policies, *limits)
        call = current.get()
        if call is not None and not _of_resource.get():
            call.reason = None if result.decision == "Allow" else _reason(ctx, policies, limits)
        return result

    def evaluate_resource_policy(*given: Any, **more: Any) -> Any:
        # The emulator decides a resource policy with the same function; it is not one of the caller's policies.
        token = _of_resource.set(True)
        try:
            return decide_resource(*given, **more)
        finally:
            _of_resource.reset(token)

    ev.evaluate = evaluate
    ev.evaluate_resource_policy = evaluate_resource_policy


def _reason(ctx: Any, policies: Any, limits: tuple[Any, ...]) -> Reason:
    """The layer that refused: a Deny anywhere first, then the first layer that does not allow."""
    from ministack.core import iam_evaluator as ev
    from ministack.services import sts

    call = current.get()
    session = (sts._sessions.get(call.access_key_id) or {}) if call is not None else {}
    of_session = len(ev._session_policy_limits(session, ctx.principal_account))
    names = (IDENTITY, *[BOUNDARY] * (len(limits) - of_session), *[SESSION] * of_session)
    paired = zip(names, (policies, *limits), strict=True)
    layers = [(name, [element for item in layer for element in item]) for name, layer in paired]
    for name, statements in layers:
        if ev._first_match(ctx, statements, "Deny"):
            return Reason(name, True)
    for name, statements in layers:
        if not ev._first_match(ctx, statements, "Allow"):
            return Reason(name, False)
    return Reason(IDENTITY, False)


def of_trust(document: Any, asks: Callable[[Any], bool]) -> Reason:
    """Return why a trust policy refuses. `asks(document)` is the emulator's decision about a document."""
    plain = json.loads(document) if isinstance(document, str) else document
    result = plain.get("Statement", [])
    denies = [item for item in (result if isinstance(result, list) else [result]) if item.get("Effect") == "Deny"]
    # With the Deny statements turned into Allow statements: if they admit the caller, a Deny refused.
    turned = {**plain, "Statement": [{**deny, "Effect": "Allow"} for deny in denies]}
    return Reason(TRUST, asks(turned))


def text(arn: str, action: str, resource: str, reason: Reason | None) -> str:
    """Return AWS's message of a refusal. Without a reason it ends with the resource."""
    said = f"User: {arn} is not authorized to perform: {action} on resource: {resource}"
    if reason is None:
        return said
    if not reason.is_explicit:
        return f"{said} because no {reason.policy} allows the {action} action"
    article = "the" if reason.policy == TRUST else "an" if reason.policy[0] in "aeiou" else "a"
    return f"{said} with an explicit deny in {article} {reason.policy}"


def pointer(account: str) -> str:
    """Return the end of a refusal by IAM in the variant that has it: a link and an authorization id. Empty in
    others."""
    if variants.of(account).refusals != "ids":
        return ""
    made = "".join(_ids.choice(_ALPHABET) for _ in range(25))
    return (
        f". Go to https://us-east-1.console.aws.amazon.com/iam/home?region=us-east-1#/authorization-details/{made} for "
        f"complete details, or call the GetRequestAuthorizationDetails API with the following authorization id: {made}"
    )
