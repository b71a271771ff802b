"""ExternalIds that do not do what they are for: they can be guessed, or more than one party sends the same one."""

from __future__ import annotations

from valetkey.audit.exposure import Outsider
from valetkey.audit.subjects import Subject
from valetkey.policy.globs import has_wildcard

SHORTEST_ID = 8
"""Characters that an ExternalId needs so that it is not found by trying."""

PUBLIC_IDS = {
    "4CEBE3B": "the default of a vendor's public template",
    "hasura-cloud": "the default of a vendor's public template",
    "Example987": "an example of AWS's documentation",
    "Unique ID Assigned by Example Corp": "an example of AWS's documentation",
    "12345": "an example of AWS's documentation",
    "EXAMPLE": "an example",
}
"""ExternalIds that stand in public text."""

DIGITS_BY_DESIGN = {
    "754728514883": "New Relic's ExternalId is the number of your New Relic account",
    "017663287629": "New Relic's ExternalId is the number of your New Relic account",
}
PATTERNS_BY_DESIGN = {
    "324880187172": "Spacelift sends an ExternalId of its own that begins with your account's name",
    "577638371743": "Spacelift sends an ExternalId of its own that begins with your account's name",
}
"""Named exceptions, by the vendor's account: what looks weak there is how the vendor works."""


def weakness(value: str, outsider: Outsider, subject: Subject) -> tuple[str, str]:
    """What is weak in an ExternalId, and why the vendor uses it all the same; each empty if there is nothing to say."""
    if has_wildcard(value):
        fixed = len(value.replace("*", "").replace("?", ""))
        known = PATTERNS_BY_DESIGN.get(outsider.name, "")
        if fixed < SHORTEST_ID and not (known and fixed > 2):
            return f"a pattern in which only {fixed} characters are fixed", ""
        return "a pattern", known or "a pattern with a fixed beginning: right where the vendor adds a part of its own"
    account = subject.role.account or ""
    parties = subject.shared.get(value, ())
    if value == account or value in subject.scope.own:
        return "it is an account id of the owner", ""
    if value == outsider.name:
        return "it is the contractor's account id", ""
    if value.lower() == subject.role.name.lower():
        return "it is the role's name", ""
    if value in PUBLIC_IDS:
        return f"it is {PUBLIC_IDS[value]}", ""
    if len(parties) > 1:
        return f"{len(parties)} parties of this account are given the same one ({', '.join(sorted(parties)[:4])})", ""
    if value.isascii() and value.isdigit():
        return "it is a number", DIGITS_BY_DESIGN.get(outsider.name, "")
    if len(value) < SHORTEST_ID:
        return f"it has {len(value)} characters", ""
    return "", ""
