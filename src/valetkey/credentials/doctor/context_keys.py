"""Which condition keys of an AssumeRole call are known on the contractor's side, and what follows for a policy.

Rule: a condition key that is unknown to valetkey can only make a denial inconclusive: an Allow that depends on it
counts as absent, a Deny as unknown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from valetkey.catalog import key_names
from valetkey.policy.globs import matches
from valetkey.policy.role_actions import ASSUME_ROLE

# The known keys of an AssumeRole call, including those that are known to be absent (lower case).
KNOWN = frozenset(
    {
        "aws:currenttime",
        "aws:epochtime",
        "aws:multifactorauthage",
        key_names.MFA_PRESENT_LOWER,
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalisawsservice",
        "aws:principaltype",
        "aws:requestedregion",
        "aws:resourceaccount",
        "aws:securetransport",
        "aws:username",
        "aws:viaawsservice",
        key_names.EXTERNAL_ID_LOWER,
        "sts:rolesessionname",
        "sts:sourceidentity",
    }
)

OPEN_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": [ASSUME_ROLE]}],
}
"""A trust policy that allows every principal. It replaces the owner's side when only our own side is evaluated."""


def known_part(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the document without the Allows that depend on unknown keys; None if no statement is left."""
    statements = [
        item for item in as_list(document.get("Statement")) if item.get("Effect") != "Allow" or not unknown_keys(item)
    ]
    return {**document, "Statement": statements} if statements else None


def unknown_keys(statement: Mapping[str, Any]) -> set[str]:
    """Return the condition keys and the keys of policy variables that are not known here (lower case)."""
    tested = {key.lower() for tests in statement.get("Condition", {}).values() for key in tests}
    variables = {key.strip().lower() for key in re.findall(r"\$\{([^},]+)", json.dumps(statement))}
    return (tested | variables) - KNOWN - {"*", "?", "$"}


def may_mean(statement: Mapping[str, Any], effect: str) -> bool:
    """Return whether a statement has this effect and may apply to sts:AssumeRole."""
    named = any(matches(item.lower(), "sts:assumerole") for item in as_list(statement.get("Action")))
    left_out = any(matches(item.lower(), "sts:assumerole") for item in as_list(statement.get("NotAction")))
    return statement.get("Effect") == effect and (named or ("NotAction" in statement and not left_out))


def as_list(value: Any) -> list[Any]:
    """Return a list: IAM accepts a single statement or action without a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
