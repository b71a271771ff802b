"""References to prove a role's permissions against: identity policies like any other.

    prove([*policies], within=read_only())
    prove({"identity": policies, "boundary": boundary}, within=never("iam:*", "organizations:*"))

The first says that nothing is allowed but what reads; the second, that nothing of those is. Access levels are AWS's
(Service Authorization Reference); which actions read customers' data is `reaches.READS`.
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
"""Characters: AWS lists so many actions that a document of them is longer than one that AWS would take."""


@lru_cache(maxsize=1)
def read_only() -> Policy:
    """Every action that AWS lists with access level Read or List, on everything. An action that AWS does not list is
    not in it. Reading customers' data is: see `no_data_reads`."""
    return _allow("Action", tuple(action for action in expand("*") if level(action) in _READING))


def never(*patterns: str) -> Policy:
    """Everything but these actions ("iam:*"). Raises PolicyError for a pattern that is not valid."""
    return _allow("NotAction", patterns)


@lru_cache(maxsize=1)
def no_data_reads() -> Policy:
    """Everything but the actions that read customers' data."""
    return never(*(pattern for patterns in READS.values() for pattern in patterns))


def _allow(element: str, patterns: tuple[str, ...]) -> Policy:
    statement = {"Effect": "Allow", element: list(patterns), "Resource": "*"}
    document = load_json({"Version": "2012-10-17", "Statement": statement}, _LONGEST)
    return read_policy(document, "identity", "$")
