"""Ineffective ExternalIds: patterns that other ids match by chance, and values that are easy to guess.

An ExternalId is effective if a request on behalf of another customer does not carry a matching value (IAM User Guide,
confused-deputy). The probability that a value matches that was chosen without knowledge of the policy is estimated:
- A fixed digit of a pattern matches one value in 10, a letter from a to f one in 16 (hexadecimal ids), any other letter
  one in 26. Separators are part of the format of an id and match every id of that format.
- Text between two stars may match at any of about 32 positions.
- Several values or patterns are alternatives: their probabilities add up.
INVARIANT: an ExternalId condition that one value in `ONE_IN` matches by chance is no guard.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from valetkey.catalog.external_ids import DIGITS_BY_DESIGN, PASSWORDS, PATTERNS_BY_DESIGN, PLACEHOLDER_WORDS, PUBLIC
from valetkey.policy.globs import has_wildcard

ONE_IN = 10_000
_PLACES = 32
_RUNS = ("0123456789012", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop")


def by_chance(values: Iterable[str]) -> float:
    """The share of ids, chosen without knowledge of these values and patterns, that matches one of them: 0 to 1."""
    return min(1.0, sum(map(_chance, values)))


def _chance(pattern: str) -> float:
    runs = pattern.split("*")
    whole = 1.0
    for place, run in enumerate(runs):
        one = 1.0
        for char in run.lower():
            if char.isdigit():
                one /= 10
            elif char.isalpha():
                one /= 16 if char in "abcdef" else 26
        floating = 0 < place < len(runs) - 1
        whole *= min(1.0, one * _PLACES) if floating and run else one
    return whole


def met_by_chance(values: Collection[str], contractor: str = "") -> bool:
    """Whether values and patterns, one of which must be sent, are no guard by `ONE_IN`. `contractor` is the account
    that sends them. Some vendors begin every ExternalId with the customer's name and "@": there, a pattern that fixes
    both matches only that customer."""
    if contractor in PATTERNS_BY_DESIGN:
        values = [value for value in values if not re.fullmatch(r"[^*?@]{2,}@[^@]*", value)]
    return by_chance(values) * ONE_IN >= 1


def guess(value: str, *, contractor: str, own: Collection[str]) -> str:
    """Why an exact ExternalId is easy to guess; empty where it is not. `contractor` is the account that sends it, `own`
    are the owner's accounts: account ids are not secret, and the owner's is in the role's ARN."""
    if has_wildcard(value):
        return ""
    plain = re.sub(r"[^0-9a-z]+", "", value.lower())
    if plain in own:
        return "it is an account id of the owner"
    if plain == contractor:
        return "it is the contractor's account id"
    public = PUBLIC.get(value.lower())
    if public:
        return f"it is {public}"
    if contractor in DIGITS_BY_DESIGN:
        return ""
    if plain in PASSWORDS:
        return "it is a word that everybody tries"
    if len(set(plain)) < 2:
        return "it is one character, repeated"
    if _is_run(plain):
        return "it is a row of characters in their order"
    groups = re.findall(r"[0-9a-z]+", value.lower())
    if all(len(group) > 2 and (len(set(group)) < 2 or _is_run(group)) for group in groups):
        return "it is an example: each of its groups is one character, repeated, or a row of characters in their order"
    words = re.findall(r"[0-9]+|[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^0-9A-Za-z]+", value)
    named = [word.lower() for word in words if word[0].isalnum()]
    if named and all(name in PLACEHOLDER_WORDS or (name.isdigit() and len(name) < 4) for name in named):
        return "it is a placeholder that was not filled in, or a test value"
    return ""


def _is_run(text: str) -> bool:
    return any(text in run or text in run[::-1] for run in _RUNS)
