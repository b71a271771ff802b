"""Policy variables: `${aws:username}`, `${aws:username, 'nobody'}`, and `${*}`, `${?}`, `${$}` for the characters.

Source: IAM User Guide, reference_policies_variables. Only documents of Version 2012-10-17 have them; the parser
decides that. A substituted value is literal: a `*` in it is not a wildcard.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from valetkey.policy.globs import wild

Keys = Mapping[str, str | tuple[str, ...]]
"""A request's condition keys, lower-cased. One value is a str, several are a tuple of two or more."""

# Linear on any input: neither part can run past the next `$`, brace or quote.
_VARIABLE = re.compile(r"\$\{(?:([*?$])|([^${}',]+)(?:,\s*'([^']*)'\s*)?)\}")


@dataclass(frozen=True, slots=True)
class Variable:
    """One `${key}` or `${key, 'default'}`; the key is lower-cased."""

    key: str
    default: str | None


Template = tuple[str | Variable, ...]
"""A text with variables; the plain parts contain STAR and ANY where wildcards are in effect."""


def template(text: str, *, variables: bool, wildcards: bool) -> str | Template:
    """Parse a value of a document. Returns a str when it has no variables to substitute. Without `variables`, a `${` is
    literal."""
    plain = wild if wildcards else str
    if not variables or "${" not in text:
        return plain(text)
    parts: list[str | Variable] = []
    at = 0
    for match in _VARIABLE.finditer(text):
        parts.append(plain(text[at : match.start()]))
        sign, key, default = match.groups()
        parts.append(sign if sign else Variable(key.strip().lower(), default))
        at = match.end()
    parts.append(plain(text[at:]))
    if not any(isinstance(part, Variable) for part in parts):
        return "".join(str(part) for part in parts)
    return tuple(part for part in parts if part != "")


def resolve(parts: Template, keys: Keys) -> str | None:
    """Substitute the request's values. Returns None when a variable has several values, or no value and no default."""
    texts: list[str] = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
            continue
        value = keys.get(part.key, part.default)
        if not isinstance(value, str):
            return None
        texts.append(value)
    return "".join(texts)


def several(parts: Template, keys: Keys) -> bool:
    """Whether the request has several values for the key of a variable: AWS documents that such a key "can't" be a
    variable, but not what happens (reference_policies_variables)."""
    return any(isinstance(part, Variable) and isinstance(keys.get(part.key), tuple) for part in parts)


def broken(text: str) -> bool:
    """Whether the text has a `${` that does not begin a variable: no closing brace, no name, a stray quote."""
    return "${" in _VARIABLE.sub(" ", text)
