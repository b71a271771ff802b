"""The one shape of an error that a person meets, in every room."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self


DOCS = "docs"
"""Where the documentation is. The wheel holds no docs; once they have a public address, it stands here and nowhere
else. An address that is not ours would send people to whoever registers it."""


def page(path: str) -> str:
    """Where a person finds a page, named by its path in `docs/`: "reference/audit.md"."""
    return f"{DOCS}/{path} in valetkey's source"


class ValetkeyError(Exception):
    """Something a person has to know about: what is wrong, where, and what to do.

    `what` and `do` are one sentence each; `where` names the file and the place in it (a JSON path), or the call.
    `exit_code` is what a command ends with: 1 does not hold, 2 wrong use or bad input, 3 AWS or the network failed.
    A ValetkeyError never carries a secret (key, token, one-time code, sign-in URL).
    """

    exit_code: int = 2
    likely: str = ""
    """Of a refusal: the most likely reason, one sentence; empty where `what` says it."""
    details: str = ""
    """Where the person who made the call can read more about a refusal. For their terminal alone: never for a file, a
    report or a message to somebody else."""

    def __init__(self, what: str, *, do: str = "", where: str = "", exit_code: int | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.do = do
        self.where = where
        if exit_code is not None:
            self.exit_code = exit_code

    def with_details(self, details: str) -> Self:
        """The same problem, with the details of the refusal behind it."""
        self.details = details
        return self

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        advice = f" {self.do}" if self.do else ""
        return f"{self.what}{place}{advice}"


class PolicyError(ValetkeyError, ValueError):
    """A policy, request or ARN cannot be read, or AWS would refuse it.

    `where` is the place in the document as a JSON path ("$.Statement[1].Condition.StringEqualz"), or empty for a
    text that is no document. It never holds more than a short piece of the refused text.
    """


def shown(value: object, limit: int = 60) -> str:
    """A refused value, short enough for one sentence; control characters stay escaped."""
    text = ascii(value) if isinstance(value, str) else type(value).__name__
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"
