"""Guessable ExternalIds, and how some vendors make theirs. These lists are valetkey's own: AWS publishes none."""

from __future__ import annotations

import re

PUBLIC = {
    "4cebe3b": "the default of a vendor's public template",
    "hasura-cloud": "the default of a vendor's public template",
    "example987": "an example of AWS's documentation",
    "unique id assigned by example corp": "an example of AWS's documentation",
    "12345": "an example of AWS's documentation",
}
"""Published ExternalIds, in lower case, with their source."""

PLACEHOLDER_WORDS = frozenset(
    """
    a abc an and another any aws bar baz by change changed changeme customer default demo dummy edit enter example ext
    external externalid fill fixme foo foobar from generated go goes guid here id identifier in insert is it key me
    must my na name new none null number of paste placeholder please provide provided put qwerty random replace replaced
    replaceme required sample secret set some something string sts tbd temp template test testing the this tmp to todo
    undefined unique unknown use uuid value with xxx xyz you your yours
    """.split()  # noqa: SIM905
)
"""Words of placeholders and tests. An ExternalId made only of these words (and of numbers with 1 to 3 digits)
identifies no contractor: REPLACE_ME, test or your-external-id-here."""

PASSWORDS = frozenset({"password", "passw0rd", "admin", "letmein", "welcome", "root", "guest", "asdf", "pass", "user"})
"""Common passwords."""

DIGITS_BY_DESIGN = {
    "754728514883": "New Relic's ExternalId is the number of your New Relic account",
    "017663287629": "New Relic's ExternalId is the number of your New Relic account",
}
PATTERNS_BY_DESIGN = {
    "324880187172": "Spacelift sends an ExternalId of its own that begins with your account's name",
    "577638371743": "Spacelift sends an ExternalId of its own that begins with your account's name",
}
"""Exceptions by the vendor's account: the vendor's ExternalIds look weak by design."""

_SHORTEST = 8
_FEWEST_SIGNS = 4


def guessable(value: str, *, contractor: str) -> str:
    """Return why this ExternalId can be guessed, for terms in which nothing else excludes outsiders; empty if there is
    no reason. `contractor` is the account that sends it."""
    if contractor in DIGITS_BY_DESIGN and value.isdigit():
        return ""
    if value.lower() in PUBLIC:
        return f"it is {PUBLIC[value.lower()]}"
    if len(value) < _SHORTEST:
        return f"it has {len(value)} characters"
    if len(set(value)) < _FEWEST_SIGNS:
        return f"it has only {len(set(value))} different signs"
    if value.isdigit():
        return "it is a number"
    words = [part for part in re.split(r"[^0-9a-z]+", value.lower()) if part]
    if all(word in PLACEHOLDER_WORDS | PASSWORDS or (word.isdigit() and len(word) < 4) for word in words):
        return "it is made of words that everybody tries"
    return ""
