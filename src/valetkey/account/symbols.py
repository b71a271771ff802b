"""Symbols: placeholders in a policy document for values that its source does not know.

A symbol is written into a document's text as a mark: its number between two characters of Unicode's private use area.
`OpenDocument` holds the text with its marks, and the known facts about each symbol. Only the audit reads it: a
document with a symbol is never `Role.trust`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from valetkey.account.values import Document, OpenDocument, Symbol

BEGIN, END = "\ue000", "\ue001"
MARK = re.compile(f"{BEGIN}([0-9]{{1,6}}){END}")
SYMBOLS_MAX = 1_000
"""Symbols in one template. A template has at most 200 parameters (cloudformation-limits)."""

# Parts of a pattern that cannot match a wildcard character: literals, classes of them, digits and word characters,
# groups and repetitions.
_TOKEN = re.compile(
    r"\\[dwAzZ]|\\[-./:_@=+,^|()\[\]{}]|"
    r"\[(?!\^)(?:\\[dw]|\\[-./:_@=+,\]\[]|[^\]\\\[&])+\]|\(\?:|[A-Za-z0-9_:/@=,# ~<>;'\"!%-]"
    r"|[()|^$]|(?<=[^(|^])(?:[*+?]|\{[0-9]{1,5}(?:,[0-9]{0,5})?\})"
)
_RANGE = re.compile(r"(?s)(.)-(.)")


def mark(number: int) -> str:
    """The mark of a symbol."""
    return f"{BEGIN}{number}{END}"


def has_mark(text: str) -> bool:
    """Whether a text contains a symbol."""
    return BEGIN in text


def never_wild(pattern: str) -> bool:
    """Whether no text that matches this AllowedPattern contains `*`, `?` or `$`; False where that is not certain."""
    if not pattern or len(pattern) > 500:
        return False
    at = 0
    while at < len(pattern):
        match = _TOKEN.match(pattern, at)
        if match is None:
            return False
        token = match[0]
        if token.startswith("[") and not _class_is_plain(token[1:-1]):
            return False
        at = match.end()
    return True


def _class_is_plain(inner: str) -> bool:
    inner = re.sub(r"\\[dw]", "0", inner)
    escaped = re.sub(r"\\(.)", "0", inner)  # an escaped character is one of those that _TOKEN knows
    if set("*?$") & set(escaped):
        return False
    return not any(low <= ord(item) <= high for low, high in _ranges(escaped) for item in "*?$")


def _ranges(inner: str) -> Iterable[tuple[int, int]]:
    return ((ord(match[1]), ord(match[2])) for match in _RANGE.finditer(inner))


def allows_empty(symbol: Symbol) -> bool:
    """Whether a symbol may be the empty text; True where that is not certain."""
    if symbol.values:
        return "" in symbol.values
    if symbol.shortest > 0 or symbol.own:
        return False
    if not symbol.pattern or len(symbol.pattern) > 500:
        return True
    try:
        return re.fullmatch(symbol.pattern, "") is not None
    except (re.error, RecursionError, OverflowError):
        return True


def may_be(symbol: Symbol, text: str) -> bool:
    """Whether a symbol may have this value; True where that is not certain."""
    if symbol.values:
        return text in symbol.values
    if not text:
        return allows_empty(symbol)
    if len(text) < symbol.shortest or (symbol.longest is not None and len(text) > symbol.longest):
        return False
    return not (never_wild(symbol.pattern) and set("*?$") & set(text))


def filled(document: Document, values: Mapping[int, str]) -> Document:
    """Replace the marks in a document by values, which may contain marks themselves."""
    for number, value in [*values.items()] * 2:
        for begin, end in (("\\ue000", "\\ue001"), (BEGIN, END)):
            document = document.replace(f"{begin}{number}{end}", json.dumps(value)[1:-1])
    return document


def _again(number: int | None) -> str:
    """The mark of a renumbered symbol; U+FFFD for a text that only looked like a mark."""
    return "\ufffd" if number is None else mark(number)


def opened(variants: Mapping[Document, str], symbols: list[Symbol]) -> OpenDocument:
    """Build an OpenDocument from texts with marks. It keeps only the symbols that are used, renumbered from 0."""
    used: dict[int, int] = {}
    texts = []
    for text, when in variants.items():
        text = text.replace("\\ue000", BEGIN).replace("\\ue001", END)
        for match in MARK.finditer(text):
            if int(match[1]) < len(symbols):
                used.setdefault(int(match[1]), len(used))
        texts.append((when, MARK.sub(lambda result: _again(used.get(int(result[1]))), text)))
    return OpenDocument(tuple(texts), tuple(symbols[number] for number in used))


@dataclass(frozen=True, slots=True)
class Narrow:
    """A permissions document in which a single name replaces every symbol."""

    text: Document
    whole: tuple[Symbol, ...]
    """Symbols at the start of a Resource whose service is not known: the document says nothing about such resources."""


def narrowest(document: OpenDocument) -> Narrow | None:
    """Replace each symbol of a permissions document by a unique name. Return None where that might allow too much: for
    a choice between documents, or a symbol outside the Resource, Condition or Sid of an Allow statement.

    A Deny with a symbol denies something unknown."""
    if len(document.variants) > 1:
        return None
    (_, text), whole = document.variants[0], set()
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        return None
    statements = given.get("Statement") if isinstance(given, dict) else None
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, dict) or statement.get("Effect") != "Allow":
            if BEGIN in json.dumps(statement, ensure_ascii=False):
                return None
            continue
        rest = {name: value for name, value in statement.items() if name not in ("Resource", "Condition", "Sid")}
        if BEGIN in json.dumps(rest, ensure_ascii=False):
            return None
        resources = statement.get("Resource")
        for resource in resources if isinstance(resources, list) else [resources]:
            match = MARK.match(resource) if isinstance(resource, str) else None
            if match is not None and not document.symbols[int(match[1])].service:
                whole.add(int(match[1]))
    values = {
        number: f"arn:aws:{symbol.service}:::{own_name(symbol)}" if symbol.service else own_name(symbol)
        for number, symbol in enumerate(document.symbols)
    }
    return Narrow(filled(text, values), tuple(document.symbols[number] for number in sorted(whole)))


STANDS_FOR = "value-of-"
"""The prefix of a text that replaces a symbol."""


def own_name(symbol: Symbol) -> str:
    """A value without wildcards that is unique to the symbol and contains its name."""
    return f"{STANDS_FOR}{re.sub('[^A-Za-z0-9]+', '-', symbol.name)[:60].strip('-')}"
