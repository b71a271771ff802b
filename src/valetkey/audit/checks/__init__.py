"""The checks: access (who can assume the role), policy (the document), role (its context), reading (unread parts).

A check is one function under `@check`; docs/auditing.md describes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Never

from valetkey.audit.checks import access, policy, reading, role
from valetkey.audit.registry import Check, in_module, registered
from valetkey.audit.subjects import Subject, Trust

__all__ = ["ROLE_CHECKS", "TABLE", "TRUST_CHECKS"]

TRUST_CHECKS: Mapping[str, Check[Trust]] = registered((*in_module(access, Trust), *in_module(policy, Trust)))
"""Checks that read only a trust policy, by id."""
ROLE_CHECKS: Mapping[str, Check[Subject]] = registered((*in_module(role, Subject), *in_module(reading, Subject)))
"""Checks of a role, by id."""
TABLE: Mapping[str, Check[Never]] = registered((*TRUST_CHECKS.values(), *ROLE_CHECKS.values()))
"""Every check by its id, "T1" to "T31", "unknown" and "incomplete"."""
