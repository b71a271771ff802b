"""Trust policies are checked when they are saved.

AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html (a named user or role
must exist; no wildcard inside an ARN; unique ids cannot be written), .../troubleshoot_policies.html,
.../reference_iam-quotas.html (2048 characters without white space).
Accounts: the sandbox has every account there could be, so any 12 digits are an account.

Replaces: ministack's `services.iam._trust_policy_not_principal_error`, which CreateRole, UpdateAssumeRolePolicy and
CloudFormation all ask; its own rule about NotPrincipal is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from valetkey.sandbox.handlers import Handler, Params, around, param, refuse

SIZE = 2048
_TOO_LONG = f"Cannot exceed quota for ACLSizePerRole: {SIZE}"
_SYNTAX = "Syntax errors in policy."
_ELEMENTS = {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition"}
_ACTION = re.compile(r"sts:[A-Za-z*?]+|\*", re.IGNORECASE)
_SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?|[a-z0-9.-]+\.aws\.internal")
_SET = r"(forallvalues:|foranyvalue:)?"
_OPERATOR = re.compile(
    rf"null|{_SET}(string(not)?(equals|like)|string(not)?equalsignorecase|bool|binaryequals|(not)?ipaddress"
    r"|arn(not)?(equals|like)|(numeric|date)((not)?equals|(less|greater)than(equals)?))(ifexists)?",
    re.IGNORECASE,
)


def install() -> None:
    from ministack.services import iam

    known: Callable[[Any], str | None] = iam._trust_policy_not_principal_error
    iam._trust_policy_not_principal_error = lambda document: _readable(document) or known(document) or problem(document)
    around("CreateRole", lambda handler, p: _sized(handler, p, "AssumeRolePolicyDocument"))
    around("UpdateAssumeRolePolicy", lambda handler, p: _sized(handler, p, "PolicyDocument"))


def problem(document: Any) -> str | None:
    """AWS's message for a trust policy that cannot be saved, or None."""
    wrong = _readable(document)
    if wrong:
        return wrong
    text = document if isinstance(document, str) else json.dumps(document)
    plain = json.loads(text)
    if _size(text) > SIZE:
        return _TOO_LONG
    if not isinstance(plain, dict) or set(plain) - {"Version", "Id", "Statement"}:
        return _SYNTAX
    if plain.get("Version", "2008-10-17") not in ("2008-10-17", "2012-10-17"):
        return "The policy must contain a valid version string"
    statements = plain.get("Statement")
    statements = [statements] if isinstance(statements, dict) else statements
    if not isinstance(statements, list) or not statements:
        return _SYNTAX
    return next((found for each in statements if (found := _statement(each))), None)


def _readable(document: Any) -> str | None:
    try:
        json.loads(document if isinstance(document, str) else json.dumps(document), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return "This policy contains invalid Json"
    return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("duplicate key")
    return dict(pairs)


def _size(text: str) -> int:
    return len(re.sub(r"\s", "", text))


def _sized(handler: Handler, p: Params, name: str) -> Any:
    # Too long has a code of its own; the emulator knows only MalformedPolicyDocument here.
    if _size(param(p, name)) > SIZE and problem(param(p, name)) == _TOO_LONG:
        return refuse(409, "LimitExceeded", _TOO_LONG)
    return handler(p)


def _statement(statement: Any) -> str | None:
    if not isinstance(statement, dict):
        return _SYNTAX
    for name in ("Resource", "NotResource"):
        if name in statement:
            return f"Has prohibited field {name}"
    if set(statement) - _ELEMENTS:
        return _SYNTAX
    for name in ("Effect", "Principal"):
        if name not in statement:
            return f"Missing required field {name}"
    if statement["Effect"] not in ("Allow", "Deny"):
        return f"Invalid effect: {statement['Effect']}"
    if ("Action" in statement) == ("NotAction" in statement):
        return _SYNTAX if "Action" in statement else "Missing required field Action"
    actions = _strings(statement.get("Action", statement.get("NotAction")))
    if not actions:
        return _SYNTAX
    if not all(_ACTION.fullmatch(action) for action in actions):
        return "AssumeRole policy may only specify STS AssumeRole actions."
    return _principals(statement["Principal"]) or _conditions(statement.get("Condition", {}))


def _principals(principal: Any) -> str | None:
    if principal == "*":
        return None
    if not isinstance(principal, dict) or not principal:
        return _SYNTAX
    for kind, value in principal.items():
        names = _strings(value)
        if not names:
            return _SYNTAX
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
    """Whether an ARN names an account, or exactly a user or role that there is now, or a possible session."""
    from ministack.services import iam

    found = re.fullmatch(r"arn:aws:(iam|sts)::(\d{12}):(root|[a-z-]+/.+)", arn)
    if found is None:
        return False
    service, account, resource = found.groups()
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


def _conditions(conditions: Any) -> str | None:
    if not isinstance(conditions, dict):
        return _SYNTAX
    for operator, tests in conditions.items():
        if not _OPERATOR.fullmatch(operator):
            return f"Invalid Condition type : {operator}."
        if not isinstance(tests, dict):
            return _SYNTAX
        for key, value in tests.items():
            values = value if isinstance(value, list) else [value]
            if ":" not in key:
                return f"Condition key must contain a vendor: {key}"
            if not all(isinstance(each, str | bool | int | float) for each in values):
                return _SYNTAX
    return None


def _strings(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return values if values and all(isinstance(each, str) for each in values) else []
