"""Replaces what identifies an account, a person or a request by a placeholder, the same one each time.

INVARIANT: `Redactor.text` never returns a text with a registered secret, and `check` refuses one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tools.live.steps import Json

_ID = re.compile(r"\b(A(?:BIA|CCA|GPA|IDA|IPA|KIA|NPA|NVA|PKA|ROA|SCA|SIA))[A-Z0-9]{12,124}\b")
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("request", re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE)),
    ("link", re.compile(r"https?://[^\s\"<>]+")),
    ("mail", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("organization", re.compile(r"\bo-[a-z0-9]{10,32}\b")),
    ("policy", re.compile(r"\bp-[a-z0-9]{8,128}\b")),
    ("endpoint", re.compile(r"\bvpce?-[0-9a-f]{8,32}\b")),
    ("address", re.compile(r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b")),
    ("account", re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")),
    # Tokens, keys, encoded messages, authorization ids.
    ("text", re.compile(r"(?<![\w/+=-])[A-Za-z0-9/+=_-]{32,}(?![\w/+=-])")),
    ("text", re.compile(r"(?<=authorization id: )\w+")),
)


class NotRedacted(Exception):
    """A result that would contain a secret, a name or an id. It is not written; the message does not quote it."""


class Redactor:
    """Registered names and secrets of one run, and the placeholders used so far."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._secrets: set[str] = set()
        self._given: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def name(self, value: str, placeholder: str) -> None:
        """Register a text that is replaced by <placeholder> from now on."""
        if value:
            self._names[value] = f"<{placeholder}>"

    def secret(self, *values: str | None) -> None:
        """Register secrets, which may appear nowhere."""
        self._secrets |= {value for value in values if value}

    def text(self, text: str) -> str:
        """Return the text with placeholders."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "<secret>")
        for value in sorted(self._names, key=len, reverse=True):
            shown = self._names[value]
            text = re.sub(rf"(?<![\w<]){re.escape(value)}(?!\w)", lambda _, shown=shown: shown, text)  # type: ignore[misc]
        text = _ID.sub(lambda match: self._placeholder(match[1], match[0]), text)
        for kind, pattern in _KINDS:
            text = pattern.sub(lambda found, kind=kind: self._placeholder(kind, found[0]), text)  # type: ignore[misc]
        return text

    def value(self, value: Json) -> Json:
        """Return a JSON value with every string in it redacted. Names of members stay: they are the program's own."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value

    def check(self, text: str) -> str:
        """Return the text if it contains nothing that must be hidden. Raises NotRedacted."""
        for kind, hidden in (("a secret", self._secrets), ("a name", self._names)):
            # A short name may be part of another word.
            if any(item in text for item in hidden if kind == "a secret" or len(item) >= 12):
                raise NotRedacted(f"the result holds {kind} that was to be replaced: it is not written")
        if _ID.search(text):
            raise NotRedacted("the result holds an id of AWS that was to be replaced: it is not written")
        return text

    def _placeholder(self, kind: str, value: str) -> str:
        if value not in self._given:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._given[value] = f"<{kind}-{self._counts[kind]}>"
        return self._given[value]
