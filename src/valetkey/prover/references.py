"""References to prove a role's permissions against. They are ordinary identity policies.

    prove([*policies], within=read_only())
    prove({"identity": policies, "boundary": boundary}, within=never("iam:*", "organizations:*"))

The first proves that only reading is allowed; the second, that none of those actions is. Access levels are AWS's
(Service Authorization Reference); the actions that read customer data are in `risky_actions.READS`.
"""

from __future__ import annotations

from functools import lru_cache

from valetkey.catalog.actions import expand, level
from valetkey.catalog.risky_actions import READS
from valetkey.policy.documents import read_policy
from valetkey.policy.policy_json import load_json
from valetkey.policy.statements import Policy

_READING = ("Read", "List")
_LONGEST = 4_194_304
"""Maximum length in characters. A document with all actions that AWS lists is longer than AWS would accept."""


@lru_cache(maxsize=1)
def read_only() -> Policy:
    """Every action that AWS lists with access level Read or List, on all resources. Unlisted actions are not included;
    actions that read customer data are: see `no_data_reads`."""
    return _allow("Action", tuple(action for action in expand("*") if level(action) in _READING))


def never(*patterns: str) -> Policy:
    """Everything except these actions ("iam:*"). Raises PolicyError for an invalid pattern."""
    return _allow("NotAction", patterns)


@lru_cache(maxsize=1)
def no_data_reads() -> Policy:
    """Everything except the actions that read customer data."""
    return never(*(pattern for patterns in READS.values() for pattern in patterns))


def _allow(element: str, patterns: tuple[str, ...]) -> Policy:
    statement = {"Effect": "Allow", element: list(patterns), "Resource": "*"}
    document = load_json({"Version": "2012-10-17", "Statement": statement}, _LONGEST)
    return read_policy(document, "identity", "$")
