"""Which condition keys of a call to AssumeRole are known on the contractor's side, and what follows for a policy.

Rule: a condition key that is unknown to valetkey can only make a refusal inconclusive: an Allow that depends on one
counts as absent, a Deny that does as unknown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from valetkey.catalog import key_names
from valetkey.policy.globs import matches
from valetkey.policy.role_actions import ASSUME_ROLE

# The keys of a call to AssumeRole that are known here, also when they are absent from it (lower case).
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
"""A trust policy that admits everybody: it stands for the owner's side where only one's own is asked about."""


def known_part(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The document without the Allows that depend on unknown keys; None when nothing is left."""
    statements = [
        each for each in as_list(document.get("Statement")) if each.get("Effect") != "Allow" or not unknown_keys(each)
    ]
    return {**document, "Statement": statements} if statements else None


def unknown_keys(statement: Mapping[str, Any]) -> set[str]:
    """The condition keys, and the keys of policy variables, that are not known here (lower case)."""
    tested = {key.lower() for tests in statement.get("Condition", {}).values() for key in tests}
    variables = {key.strip().lower() for key in re.findall(r"\$\{([^},]+)", json.dumps(statement))}
    return (tested | variables) - KNOWN - {"*", "?", "$"}


def may_mean(statement: Mapping[str, Any], effect: str) -> bool:
    """Whether a statement of this effect may be about sts:AssumeRole."""
    named = any(matches(each.lower(), "sts:assumerole") for each in as_list(statement.get("Action")))
    left_out = any(matches(each.lower(), "sts:assumerole") for each in as_list(statement.get("NotAction")))
    return statement.get("Effect") == effect and (named or ("NotAction" in statement and not left_out))


def as_list(value: Any) -> list[Any]:
    """IAM writes one statement, or one action, with or without the list around it."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
