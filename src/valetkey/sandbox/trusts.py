"""Checks of trust policies when they are saved.

AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html (a named user or role
must exist; no wildcard inside an ARN; a unique id of no user or role cannot be written),
.../troubleshoot_policies.html, .../reference_iam-quotas.html (2048 characters by default; an account's quota can be
raised). That white space does not count is documented for inline and managed policies only (fact W9): here every
character that is sent counts.
Accounts: in the sandbox every possible account exists, so any 12 digits are an account.

Replaces: ministack's `services.iam._trust_policy_not_principal_error`, which CreateRole, UpdateAssumeRolePolicy and
CloudFormation all call; its own rule about NotPrincipal is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from valetkey.sandbox import issuers, variants
from valetkey.sandbox.documents import SYNTAX, conditions, readable, statements, strings
from valetkey.sandbox.handlers import Handler, Params, around, param, refuse
from valetkey.sandbox.principals import resolved

_TOO_LONG = "Cannot exceed quota for ACLSizePerRole: {}"
_ELEMENTS = {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition"}
_ACTION = re.compile(r"sts:[A-Za-z*?]+|\*", re.IGNORECASE)
_SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?|[a-z0-9.-]+\.aws\.internal")


def install() -> None:
    from ministack.services import iam

    known: Callable[[Any], str | None] = iam._trust_policy_not_principal_error
    iam._trust_policy_not_principal_error = lambda document: problem(document) or known(document)
    around("CreateRole", lambda handler, p: _sized(handler, p, "AssumeRolePolicyDocument"))
    around("UpdateAssumeRolePolicy", lambda handler, p: _sized(handler, p, "PolicyDocument"))
    around("GetAccountSummary", _summary)


def problem(document: Any) -> str | None:
    """Return AWS's message for a trust policy that cannot be saved, or None."""
    text = document if isinstance(document, str) else json.dumps(document)
    try:
        readable(document)
    except ValueError:
        return "This policy contains invalid Json"
    most = quota()
    if len(text) > most:
        return _TOO_LONG.format(most)
    result = statements(document)
    if isinstance(result, str):
        return result
    return next((wrong for item in result if (wrong := _statement(item))), None)


def quota() -> int:
    """AssumeRolePolicySizeQuota of the current account."""
    from ministack.core.responses import get_account_id

    return variants.of(str(get_account_id())).trust_policy_size


def _sized(handler: Handler, p: Params, name: str) -> Any:
    # A policy that is too long has its own code; the emulator knows only MalformedPolicyDocument here.
    too_long = _TOO_LONG.format(quota())
    if problem(param(p, name)) == too_long:
        return refuse(409, "LimitExceeded", too_long)
    if not isinstance(statements(param(p, name)), str):
        p = {**p, name: [resolved(param(p, name))]}
    return handler(p)


def _summary(handler: Handler, p: Params) -> Any:
    """Put the account's own quota into GetAccountSummary."""
    status, headers, body = handler(p)
    said = rf"\g<1>{quota()}".encode()
    return status, headers, re.sub(rb"(<key>AssumeRolePolicySizeQuota</key><value>)\d+", said, body)


def _statement(statement: dict[str, Any]) -> str | None:
    if "NotPrincipal" in statement:
        return None  # the emulator's own rule refuses it next
    for name in ("Resource", "NotResource"):
        if name in statement:
            return f"Has prohibited field {name}"
    if set(statement) - _ELEMENTS:
        return SYNTAX
    for name in ("Effect", "Principal"):
        if name not in statement:
            return f"Missing required field {name}"
    if statement["Effect"] not in ("Allow", "Deny"):
        return f"Invalid effect: {statement['Effect']}"
    if ("Action" in statement) == ("NotAction" in statement):
        return SYNTAX if "Action" in statement else "Missing required field Action"
    actions = strings(statement.get("Action", statement.get("NotAction")))
    if not actions:
        return SYNTAX
    if not all(_ACTION.fullmatch(action) for action in actions):
        return "AssumeRole policy may only specify STS AssumeRole actions."
    wrong = _principals(statement["Principal"]) or conditions(statement.get("Condition", {}))
    claim = None if wrong else issuers.missing(statement)
    return f"The trust policy of a shared identity provider must evaluate {claim}" if claim else wrong


def _principals(principal: Any) -> str | None:
    if principal == "*":
        return None
    if not isinstance(principal, dict) or not principal:
        return SYNTAX
    for kind, value in principal.items():
        names = strings(value)
        if not names:
            return SYNTAX
        for name in names:
            if not _exists(kind, name):
                return f'Invalid principal in policy: "{kind.upper()}":"{name}"'
    return None


def _exists(kind: str, name: str) -> bool:
    if kind == "Service":
        return _SERVICE.fullmatch(name) is not None
    if kind == "Federated":
        return bool(name) and "*" not in name
    if kind != "AWS":
        return False
    if name == "*" or re.fullmatch(r"\d{12}", name):
        return True
    return _is_principal(name)


def _is_principal(arn: str) -> bool:
    """Whether an ARN names an account, exactly an existing user or role, or a possible session."""
    from ministack.services import iam

    match = re.fullmatch(r"arn:aws:(iam|sts)::(\d{12}):(root|[a-z-]+/.+)", arn)
    if match is None:
        return False
    service, account, resource = match.groups()
    if service == "sts":
        session = re.fullmatch(r"assumed-role/([\w+=,.@-]+)/[\w+=,.@-]{2,64}", resource, re.ASCII)
        if session:
            return iam._roles.get_scoped(account, None, session[1]) is not None
        return re.fullmatch(r"federated-user/[\w+=,.@-]{2,32}", resource, re.ASCII) is not None
    kind, _, rest = resource.partition("/")
    store = {"user": iam._users, "role": iam._roles}.get(kind)
    if store is None:
        return resource == "root"
    entity = store.get_scoped(account, None, rest.rpartition("/")[2])
    return entity is not None and entity["Arn"] == arn
