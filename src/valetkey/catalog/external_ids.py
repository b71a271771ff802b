"""ExternalIds that anybody guesses, and how some vendors make theirs. valetkey's own lists: AWS publishes none."""

from __future__ import annotations

import re

PUBLIC = {
    "4cebe3b": "the default of a vendor's public template",
    "hasura-cloud": "the default of a vendor's public template",
    "example987": "an example of AWS's documentation",
    "unique id assigned by example corp": "an example of AWS's documentation",
    "12345": "an example of AWS's documentation",
}
"""ExternalIds that are in public text, in lower case, and where."""

PLACEHOLDER_WORDS = frozenset(
    """
    a abc an and another any aws bar baz by change changed changeme customer default demo dummy edit enter example ext
    external externalid fill fixme foo foobar from generated go goes guid here id identifier in insert is it key me
    must my na name new none null number of paste placeholder please provide provided put qwerty random replace replaced
    replaceme required sample secret set some something string sts tbd temp template test testing the this tmp to todo
    undefined unique unknown use uuid value with xxx xyz you your yours
    """.split()  # noqa: SIM905
)
"""Words of placeholders and of tries: an ExternalId of nothing but these (and numbers from 1 to 3 digits) names nobody,
like REPLACE_ME, test or your-external-id-here."""

PASSWORDS = frozenset({"password", "passw0rd", "admin", "letmein", "welcome", "root", "guest", "asdf", "pass", "user"})
"""Words that everybody tries."""

DIGITS_BY_DESIGN = {
    "754728514883": "New Relic's ExternalId is the number of your New Relic account",
    "017663287629": "New Relic's ExternalId is the number of your New Relic account",
}
PATTERNS_BY_DESIGN = {
    "324880187172": "Spacelift sends an ExternalId of its own that begins with your account's name",
    "577638371743": "Spacelift sends an ExternalId of its own that begins with your account's name",
}
"""Named exceptions, by the vendor's account: what looks weak there is how the vendor works."""

_SHORTEST = 8
_FEWEST_SIGNS = 4


def guessable(value: str, *, contractor: str) -> str:
    """Why somebody finds this ExternalId by trying, for terms in which nothing else keeps others out; empty when there
    is nothing to say. `contractor` is the account that sends it."""
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
    words = [each for each in re.split(r"[^0-9a-z]+", value.lower()) if each]
    if all(each in PLACEHOLDER_WORDS | PASSWORDS or (each.isdigit() and len(each) < 4) for each in words):
        return "it is made of words that everybody tries"
    return ""
