"""AWS's limits for every field that valetkey sends, checked before any call.

Sources: the shapes of the STS and IAM API models, and IAM User Guide, reference_iam-quotas. `\\w` there is ASCII.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from valetkey.errors import ValetkeyError

SESSION_MIN = 900
"""Seconds: the shortest AssumeRole session (DurationSeconds)."""
SESSION_MAX = 43200
"""Seconds: the longest AssumeRole session (DurationSeconds)."""
SESSION_DEFAULT = 3600
"""Seconds: the duration of a role session if AssumeRole sets none (STS API, AssumeRole: DurationSeconds)."""
ROLE_SESSION_MIN = 3600
"""Seconds: the smallest MaxSessionDuration of a role."""
ROLE_SESSION_MAX = 43200
"""Seconds: the largest MaxSessionDuration of a role."""
CHAINED_SESSION_MAX = 3600
"""Seconds: the longest session assumed with a role session's credentials (id_roles_use, role chaining)."""
MFA_SESSION_MAX = 129600
"""Seconds: the longest GetSessionToken session of an IAM user."""
TRUST_POLICY_MAX = 2048
"""Characters: the default quota of a trust policy (AssumeRolePolicySizeQuota); AWS raises it on request. AWS documents
only for inline and managed policies that whitespace does not count (fact W9), so here it counts."""
TRUST_POLICY_QUOTA = "AssumeRolePolicySizeQuota"
"""The quota's name in GetAccountSummary."""
INLINE_POLICIES_MAX = 10240
"""Characters, without whitespace: all inline policies of a role together."""
MANAGED_POLICIES_MAX = 10
"""Managed policies attached to a role, default quota (AttachedPoliciesPerRoleQuota)."""
TAGS_MAX = 50
"""Tags on a role."""


class LimitError(ValetkeyError):
    """A value is outside AWS's limits. The message states the rule and does not contain the value."""


@dataclass(frozen=True)
class _Rule:
    shortest: int
    longest: int
    allowed: str
    """Description for the message."""
    fits: Callable[[str], bool]


def _pattern(expression: str) -> Callable[[str], bool]:
    compiled = re.compile(expression, re.ASCII)
    return lambda text: compiled.fullmatch(text) is not None


def _tag(text: str) -> bool:
    return all(char in "_.:/=+-@" or unicodedata.category(char)[0] in "LZN" for char in text)


_NAME = "letters, digits and _+=,.@-"
_TAG = "letters, digits, spaces and _.:/=+-@"

_RULES: dict[str, _Rule] = {
    "account id": _Rule(12, 12, "digits only", _pattern(r"[0-9]*")),
    "role name": _Rule(1, 64, _NAME, _pattern(r"[\w+=,.@-]*")),
    "user name": _Rule(1, 64, _NAME, _pattern(r"[\w+=,.@-]*")),
    "role path": _Rule(1, 512, "printable ASCII that begins and ends with /", _pattern(r"/|/[\x21-\x7e]+/")),
    "external id": _Rule(2, 1224, "letters, digits and _+=,.@:/-", _pattern(r"[\w+=,.@:/-]*")),
    "session name": _Rule(2, 64, _NAME, _pattern(r"[\w+=,.@-]*")),
    "source identity": _Rule(2, 64, _NAME, _pattern(r"[\w+=,.@-]*")),
    "description": _Rule(
        0, 1000, "Latin-1 letters and signs (no emoji, no em dash)", _pattern(r"[\t\n\r\x20-\x7e\xa1-\xff]*")
    ),
    "tag key": _Rule(
        1, 128, _TAG + ", not beginning with aws:", lambda s: _tag(s) and not s.lower().startswith("aws:")
    ),
    "tag value": _Rule(0, 256, _TAG, _tag),
    "mfa serial": _Rule(9, 256, "letters, digits and _+=/:,.@-", _pattern(r"[\w+=/:,.@-]*")),
    "token code": _Rule(6, 6, "digits only", _pattern(r"[0-9]*")),
    "policy name": _Rule(1, 128, _NAME, _pattern(r"[\w+=,.@-]*")),
}

FIELDS = tuple(_RULES)
"""The fields that `check` knows."""


def check(field: str, value: str) -> None:
    """Raise LimitError unless AWS accepts `value` in `field`, one of FIELDS. Raises KeyError for any other field."""
    rule = _RULES[field]
    length = str(rule.shortest) if rule.shortest == rule.longest else f"{rule.shortest} to {rule.longest}"
    do = f"use {length} characters: {rule.allowed}"
    if not isinstance(value, str):
        raise LimitError(f"the {field} is not a text", do=do)
    if not rule.shortest <= len(value) <= rule.longest:
        raise LimitError(
            f"the {field} has {len(value)} character{'' if len(value) == 1 else 's'}, AWS takes {length}", do=do
        )
    if not rule.fits(value):
        raise LimitError(f"the {field} holds characters that AWS refuses: it takes {rule.allowed}", do=do)
