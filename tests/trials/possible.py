"""The possible requests, written a second time: the assumptions of proofs (`proof.TRUST_ASSUMPTIONS`)."""

from __future__ import annotations

import re

from valetkey.policy import Request
from valetkey.policy.arns import parse_arn

_ID = re.compile(r"AIDA[A-Z0-9]{12,}|AROA[A-Z0-9]{12,}:[\w+=,.@-]{2,64}", re.ASCII)
_FORMS = {
    "sts:externalid": r"[\w+=,.@:/-]{2,1224}",
    "sts:rolesessionname": r"[\w+=,.@-]{2,64}",
    "sts:sourceidentity": r"[\w+=,.@-]{2,64}",
    "aws:multifactorauthpresent": "true|false",
    "aws:multifactorauthage": "[0-9]{1,18}",
    "aws:sourceip": r"[0-9a-f]*[.:][0-9a-f.:]+",
    "aws:principalorgid": "o-[a-z0-9]{1,32}",
}


def possible(request: Request) -> bool:
    """Whether a caller can send this request for a role to STS."""
    caller, keys = request.caller, request.keys
    if caller.partition not in (None, parse_arn(request.resource).partition):
        return False
    if caller.kind not in ("user", "session", "service", "provider"):
        return False
    for action in request.actions:
        by_provider = action.startswith("sts:assumerolewith")
        if by_provider != (caller.kind == "provider") and action.startswith("sts:assumerole"):
            return False
        if by_provider and (":saml-provider/" in caller.text) is not action.endswith("saml"):
            return False
    if "aws:multifactorauthage" in keys and keys.get("aws:multifactorauthpresent") != "true":
        return False
    if caller.unsigned and "aws:multifactorauthpresent" in keys:
        return False
    if caller.kind == "provider" and "sts:externalid" in keys:
        return False
    if caller.kind in ("user", "session"):
        userid = keys.get("aws:userid")
        if not isinstance(userid, str) or not _ID.fullmatch(userid):
            return False
        if caller.kind == "session" and userid.split(":")[-1] != caller.text.rsplit("/", 1)[1]:
            return False
    if "aws:currenttime" not in keys:
        return False
    forms = ((form, keys[key]) for key, form in _FORMS.items() if key in keys)
    return all(isinstance(value, str) and re.fullmatch(form, value, re.ASCII) for form, value in forms)
