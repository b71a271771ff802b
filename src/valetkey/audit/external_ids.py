"""Weak ExternalIds: those that can be guessed, and those that more than one party sends."""

from __future__ import annotations

import re

from valetkey.account.symbols import STANDS_FOR
from valetkey.account.values import Role
from valetkey.audit.exposure import Outsider
from valetkey.audit.guesses import guess
from valetkey.audit.subjects import Subject
from valetkey.catalog.external_ids import DIGITS_BY_DESIGN, PATTERNS_BY_DESIGN
from valetkey.policy.globs import has_wildcard

SHORTEST_ID = 8
"""The minimum length of an ExternalId that cannot be found by trying, in characters."""

_RESOURCE = re.compile(r'[a-z0-9_]+\.[A-Za-z0-9_-]+(?:\[(?:[0-9]+|"(?:\\.|[^"\\])*")\])?\Z')
"""The part of a resource address after the module."""
_PER_INSTANCE = re.compile("-each-(key|value)|-count-index")
"""References with a different value for each instance, as `symbols.own_name` writes them."""


def shared_as(role: Role, value: str) -> str:
    """The key by which an ExternalId is compared with those of other roles. An unknown one equals another only within
    the same template or the same module of a plan, and across instances only if it does not refer to the instance."""
    if role.open_trust is None or STANDS_FOR not in value:
        return value
    template = role.where.rpartition(": $")[0]
    within = role.where if _PER_INSTANCE.search(value) else template or _RESOURCE.sub("", role.where)
    return f"{within}\n{value}"


def weakness(value: str, outsider: Outsider, subject: Subject) -> tuple[str, str]:
    """Why an ExternalId is weak, and why the vendor uses it by design; each is empty where it does not apply."""
    if has_wildcard(value):
        fixed = len(value.replace("*", "").replace("?", ""))
        known = PATTERNS_BY_DESIGN.get(outsider.name, "")
        if fixed < SHORTEST_ID and not (known and fixed > 2):
            return f"a pattern in which only {fixed} characters are fixed", ""
        return "a pattern", known or "a pattern with a fixed beginning: right where the vendor adds a part of its own"
    parties = subject.shared.get(shared_as(subject.role, value), ())
    own = subject.scope.own | {subject.role.account or ""}
    if guessed := guess(value, contractor=outsider.name, own=own):
        return guessed, ""
    if value.lower() == subject.role.name.lower():
        return "it is the role's name", ""
    if len(parties) > 1:
        return f"{len(parties)} parties of this account are given the same one ({', '.join(sorted(parties)[:4])})", ""
    if value.isascii() and value.isdigit():
        return "it is a number", DIGITS_BY_DESIGN.get(outsider.name, "")
    if len(value) < SHORTEST_ID:
        return f"it has {len(value)} characters", ""
    return "", ""
